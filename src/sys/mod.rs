//! The system calls: thin, safe functions over libc, and the only `unsafe` code of the crate.
//!
//! Nothing here knows of groups, logs or connections, and nothing blocks for longer than a local disk does, but for
//! the few functions of start-up that say so.

pub mod accounts;
pub mod child;
pub mod clock;
pub mod connect;
mod exec;
pub mod fastcgi;
pub mod files;
pub mod folder;
pub mod io;
mod links;
pub mod process;
mod raw;
pub mod removal;
pub mod signals;
mod slot;
pub mod sockets;
pub mod surroundings;
pub mod syslog;
pub mod terminal;
pub mod watch;

use std::ffi::CString;

use crate::base::errno::Errno;

/// The error number that the last failed call left.
fn last_errno() -> Errno {
    std::io::Error::last_os_error().into()
}

/// The result of a call that answers -1 when it fails.
fn check(result: libc::c_int) -> Result<libc::c_int, Errno> {
    if result == -1 { Err(last_errno()) } else { Ok(result) }
}

/// The result of a call that answers a count of bytes, or -1.
fn check_size(result: isize) -> Result<usize, Errno> {
    usize::try_from(result).map_err(|_| last_errno())
}

/// Text as the system wants it; `EINVAL` when it contains a NUL, which no name or argument can.
fn c_string(text: impl Into<Vec<u8>>) -> Result<CString, Errno> {
    CString::new(text).map_err(|_| Errno::EINVAL)
}
