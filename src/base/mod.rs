//! The ground floor: plain values that every other floor speaks in.
//!
//! Nothing here knows a protocol, a process or a descriptor, and nothing here asks the system anything.

pub mod bytes;
pub mod cpus;
pub mod errno;
pub mod events;
pub mod key;
pub mod limits;
pub mod maps;
pub mod order;
pub mod outgoing;
pub mod scan;
pub mod scraps;
pub mod text;
pub mod time;
pub mod value;
pub mod words;
