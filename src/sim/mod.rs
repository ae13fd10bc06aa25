//! A pretended system with dice: files, children and clocks of memory, so that the whole daemon runs through years of
//! bad luck in a second. Nothing here touches the real system.
//!
//! `run` is the loop, `storm` and `crowd` are what happens to the daemon, `check` looks at what it does, by the `rules`,
//! and `mutant` shows that each of them can fail. What is new in the world gets a rule, a check and a mutant.

pub mod check;
pub mod child;
pub mod client;
pub mod clock;
mod crowd;
pub mod dice;
pub mod files;
pub mod host;
pub mod journal;
pub mod mutant;
pub mod questions;
pub mod rules;
pub mod run;
pub mod setup;
mod storm;
pub mod talk;
pub mod watcher;
