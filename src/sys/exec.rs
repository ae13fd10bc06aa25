//! The child between clone and its program: what it needs, and the calls it makes.
//!
//! It has the daemon's memory, and the daemon goes on meanwhile. So it reads only its [`Plan`], which nobody changes
//! until it is gone, writes only to its own stack, and makes its calls by [`raw`], since the library's would write the
//! daemon's `errno`. Nothing here allocates, locks or can panic.

use std::ffi::{CString, c_char, c_int, c_long, c_void};
use std::os::fd::RawFd;
use std::ptr;
use std::rc::Rc;

use super::child::{Account, Order};
use super::{c_string, raw, signals};
use crate::base::cpus::Cpus;
use crate::base::errno::Errno;

/// What stands after every reason why there is no program (PROC-057).
const NOT_SPAWNED: &[u8] = b"\nsupervisor: child process was not spawned\n";

/// The exit status of a child that could not become its program (PROC-057).
const NOT_SPAWNED_STATUS: c_int = 127;

/// How the child changes its account.
enum Switch {
    Stay,
    /// We are not root.
    Refused,
    To {
        uid: u32,
        gid: u32,
        groups: Vec<libc::gid_t>,
    },
}

/// The child's view of an order. It owns all that its pointers lead to.
pub(super) struct Plan {
    path: CString,
    argv: Words,
    environment: Words,
    directory: Option<CString>,
    umask: Option<u32>,
    cpus: Option<Cpus>,
    switch: Switch,
    /// What it gets when its parent dies, and who that is.
    parent_death: Option<(c_int, libc::pid_t)>,
    /// Where the three descriptors lie.
    pads: [RawFd; 3],
    /// The child's table of descriptors is the daemon's.
    shares: bool,
    resets: Rc<[c_int]>,
    highest_fd: RawFd,
    /// Beginnings of the three messages of PROC-057.
    user_message: String,
    directory_message: String,
    /// One of our own.
    cpus_message: String,
    exec_message: String,
}

/// Texts with the array of pointers to them that execve(2) takes.
struct Words {
    pointers: Vec<*const c_char>,
    /// What they lead to: the texts stay where they are when this moves.
    _texts: Vec<CString>,
}

impl Words {
    fn new(texts: Vec<CString>) -> Words {
        let pointers = texts.iter().map(|text| text.as_ptr()).chain([ptr::null()]).collect();
        Words { pointers, _texts: texts }
    }
}

impl Plan {
    /// The error is `EINVAL` for a text with a NUL. `pads` is where the three descriptors will lie; `resets` are the
    /// signals that get their default disposition.
    pub(super) fn new(order: Order<'_>, pads: [RawFd; 3], shares: bool, resets: Rc<[c_int]>) -> Result<Plan, Errno> {
        let argv = order.argv.iter().map(|word| c_string(word.as_str())).collect::<Result<_, _>>()?;
        Ok(Plan {
            path: c_string(order.path)?,
            argv: Words::new(argv),
            environment: Words::new(order.environment),
            directory: order.directory.map(c_string).transpose()?,
            umask: order.umask,
            cpus: order.cpus.copied(),
            switch: switch_to(order.account),
            parent_death: order.parent_death_signal.map(|signal| (signal, super::process::pid())),
            pads,
            shares,
            resets,
            highest_fd: highest_fd(),
            user_message: message("setuid to", order.account.map_or(0, |account| account.uid)),
            directory_message: message("chdir to", order.directory.unwrap_or("")),
            cpus_message: order.cpus.map_or_else(String::new, |cpus| message("move to processors", cpus)),
            exec_message: message("exec", order.argv.first().map_or("", String::as_str)),
        })
    }
}

fn message(what: &str, whom: impl std::fmt::Display) -> String {
    format!("supervisor: couldn't {what} {whom}: ")
}

/// PROC-055, with CFG-182's order of groups: the primary one first.
fn switch_to(account: Option<Account<'_>>) -> Switch {
    // SAFETY: cannot fail.
    let own = unsafe { libc::getuid() };
    match account {
        None => Switch::Stay,
        Some(account) if account.uid == own => Switch::Stay,
        Some(_) if own != 0 => Switch::Refused,
        Some(Account { uid, gid, groups }) => Switch::To { uid, gid, groups: group_list(gid, groups) },
    }
}

/// The primary group, then the others, each once.
pub(super) fn group_list(gid: u32, groups: &[u32]) -> Vec<libc::gid_t> {
    std::iter::once(gid).chain(groups.iter().copied().filter(|group| *group != gid)).collect()
}

/// One past the highest number that a descriptor can have: only for kernels without close_range.
fn highest_fd() -> RawFd {
    RawFd::try_from(super::process::most_descriptors().min(65_536)).unwrap_or(65_536)
}

/// A system call of the child's with up to three arguments.
///
/// # Safety
/// As that of the call.
unsafe fn call(number: c_long, a: usize, b: usize, c: usize) -> Result<usize, Errno> {
    // SAFETY: the caller's.
    unsafe { raw::call(number, [a, b, c, 0]) }
}

/// The child, between clone and its program: PROC-053 in its order. Whatever it returns is its exit status. `arg` is a
/// [`Plan`].
pub(super) extern "C" fn run_child(arg: *mut c_void) -> c_int {
    // SAFETY: the caller keeps the plan until this child has left its memory. All calls are async-signal-safe; the ones
    // that change the account are not the library's, which would first look for threads that share it.
    unsafe {
        let plan = &*arg.cast::<Plan>();
        let _ = call(libc::SYS_setpgid, 0, 0, 0);
        let [input, output, error] = plan.pads;
        let highest = input.max(output).max(error);
        if let Err(errno) = leave_table(plan.shares, highest, plan.highest_fd) {
            // The table is still the daemon's: nothing in it may be touched.
            return fail_with(error, &plan.exec_message, errno);
        }
        for (number, pad) in plan.pads.into_iter().enumerate() {
            let _ = call(libc::SYS_dup3, pad as usize, number, 0);
        }
        close_from(3, highest, plan.shares);
        match &plan.switch {
            Switch::Stay => {}
            Switch::Refused => return fail(&plan.user_message, b"Can't drop privilege as nonroot user"),
            Switch::To { uid, gid, groups } => {
                if call(libc::SYS_setgroups, groups.len(), groups.as_ptr() as usize, 0).is_err() {
                    return fail(&plan.user_message, b"Could not set groups of effective user");
                }
                if call(libc::SYS_setgid, *gid as usize, 0, 0).is_err() {
                    return fail(&plan.user_message, b"Could not set group id of effective user");
                }
                if let Err(errno) = call(libc::SYS_setuid, *uid as usize, 0, 0) {
                    return fail_with(2, &plan.user_message, errno);
                }
            }
        }
        if let Some(directory) = &plan.directory
            && let Err(errno) = call(libc::SYS_chdir, directory.as_ptr() as usize, 0, 0)
        {
            return fail_with(2, &plan.directory_message, errno);
        }
        if let Some(umask) = plan.umask {
            let _ = call(libc::SYS_umask, umask as usize, 0, 0);
        }
        if let Some(cpus) = &plan.cpus
            && let Err(errno) = raw_affinity(cpus)
        {
            return fail_with(2, &plan.cpus_message, errno);
        }
        // Not before the account is changed, which undoes it.
        if let Some((signal, parent)) = plan.parent_death {
            let _ = call(libc::SYS_prctl, libc::PR_SET_PDEATHSIG as usize, signal as usize, 0);
            // Whoever has died before this tells nobody.
            if call(libc::SYS_getppid, 0, 0, 0) != Ok(parent as usize) {
                return NOT_SPAWNED_STATUS;
            }
        }
        for signal in plan.resets.iter() {
            signals::reset(*signal);
        }
        signals::unblock_all();
        let (path, argv) = (plan.path.as_ptr() as usize, plan.argv.pointers.as_ptr() as usize);
        match call(libc::SYS_execve, path, argv, plan.environment.pointers.as_ptr() as usize) {
            Err(errno) => fail_with(2, &plan.exec_message, errno),
            Ok(_) => NOT_SPAWNED_STATUS,
        }
    }
}

/// Where this child runs from here on. `EINVAL` if we may use none of these.
///
/// # Safety
/// Only in the child.
unsafe fn raw_affinity(cpus: &Cpus) -> Result<(), Errno> {
    let mask = cpus.mask();
    // SAFETY: a mask of this size, which is only read; 0 is the caller.
    unsafe { call(libc::SYS_sched_setaffinity, 0, size_of_val(mask), mask.as_ptr() as usize) }.map(|_| ())
}

/// Whether there is close_range(2): not before Linux 5.9, and not in containers whose system call filter is older. The
/// other way to leave a table, unshare(2), is forbidden in most containers.
pub(super) fn has_close_range() -> bool {
    let none = libc::c_uint::MAX as usize;
    // SAFETY: there is no such descriptor to be closed.
    unsafe { call(libc::SYS_close_range, none, none, 0) == Ok(0) }
}

/// Leaves the child with a table of descriptors of its own and those up to `highest` in it.
///
/// # Safety
/// Only in the child.
unsafe fn leave_table(shares: bool, highest: RawFd, highest_fd: RawFd) -> Result<(), Errno> {
    // SAFETY: plain calls. In a shared table nothing is closed before there is a copy of it.
    unsafe {
        if shares {
            let (first, last) = (highest as usize + 1, libc::c_uint::MAX as usize);
            return call(libc::SYS_close_range, first, last, libc::CLOSE_RANGE_UNSHARE as usize).map(|_| ());
        }
        for fd in highest + 1..highest_fd {
            let _ = call(libc::SYS_close, fd as usize, 0, 0);
        }
        Ok(())
    }
}

/// Closes these descriptors in the child's own table; `at_once`: there is close_range(2).
///
/// # Safety
/// Only in the child, after [`leave_table`].
unsafe fn close_from(first: RawFd, last: RawFd, at_once: bool) {
    // SAFETY: plain calls on a table that is the child's alone.
    unsafe {
        if at_once && call(libc::SYS_close_range, first as usize, last as usize, 0).is_ok() {
            return;
        }
        for fd in first..=last {
            let _ = call(libc::SYS_close, fd as usize, 0, 0);
        }
    }
}

/// The reason is an error, by name (or by number, if it has none).
fn fail_with(fd: RawFd, message: &str, errno: Errno) -> c_int {
    if let Some(symbol) = errno.symbol() {
        return fail_to(fd, message, symbol.as_bytes());
    }
    // Three decimal digits are enough for every number that Linux has.
    let digit = |unit: i32| b'0' + (errno.0 / unit % 10) as u8;
    fail_to(fd, message, &[digit(100), digit(10), digit(1)])
}

/// Says why there is no program, on the child's stderr.
fn fail(message: &str, reason: &[u8]) -> c_int {
    fail_to(2, message, reason)
}

/// The same where stderr is still at `fd`, in one piece.
fn fail_to(fd: RawFd, message: &str, reason: &[u8]) -> c_int {
    let part = |bytes: &[u8]| libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
    let parts = [part(message.as_bytes()), part(reason), part(NOT_SPAWNED)];
    // SAFETY: three valid slices, which are only read.
    let _ = unsafe { call(libc::SYS_writev, fd as usize, parts.as_ptr() as usize, parts.len()) };
    NOT_SPAWNED_STATUS
}
