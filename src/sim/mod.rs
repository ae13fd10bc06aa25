//! A pretended system with dice: files, children and clocks of memory, so that the whole daemon runs through years of
//! bad luck in a second. Nothing here touches the real system.

pub mod child;
pub mod clock;
pub mod dice;
pub mod files;
pub mod host;
pub mod journal;
pub mod setup;
