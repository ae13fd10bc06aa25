//! A pretended system with dice: files, children and clocks of memory, so that the whole daemon runs through years of
//! bad luck in a second. Nothing here touches the real system.

pub mod check;
pub mod child;
pub mod client;
pub mod clock;
pub mod dice;
pub mod files;
pub mod host;
pub mod journal;
pub mod questions;
pub mod run;
pub mod setup;
