//! Starting and reaping children.
//!
//! A child is made by clone(2) with `CLONE_VM | CLONE_VFORK`: it borrows the daemon's memory, on a stack of its own,
//! until it has become its program, so that a start costs the same however large the daemon has grown. It also begins
//! with the daemon's table of descriptors (`CLONE_FILES`) and leaves it with a copy of the few lowest ones: copying and
//! closing the thousands that a daemon with a thousand programs has took longer than all the rest. Everything is
//! prepared before; in between only async-signal-safe calls are made, and nothing is allocated or can panic.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::ptr;

use super::{c_string, check, io, last_errno, signals};
use crate::base::errno::Errno;
use crate::base::words::{Exit, Pid};

/// Room for the child's few calls, and for their debug builds.
const STACK_BYTES: usize = 64 * 1024;

/// What stands after every reason why there is no program (PROC-057).
const NOT_SPAWNED: &[u8] = b"\nsupervisor: child process was not spawned\n";

/// The exit status of a child that could not become its program (PROC-057).
const NOT_SPAWNED_STATUS: c_int = 127;

/// An account to switch to.
#[derive(Clone, Copy, Debug)]
pub struct Account<'a> {
    /// User id.
    pub uid: u32,
    /// Primary group.
    pub gid: u32,
    /// Supplementary groups.
    pub groups: &'a [u32],
}

/// A child to be.
#[derive(Debug)]
pub struct Order<'a> {
    /// The executable; a relative one is found from `directory`.
    pub path: &'a str,
    /// All words, the first included.
    pub argv: &'a [String],
    /// The whole environment, `name=value`.
    pub environment: Vec<CString>,
    /// Working directory.
    pub directory: Option<&'a str>,
    /// File mode mask.
    pub umask: Option<u32>,
    /// Account, if it is another than ours (PROC-055).
    pub account: Option<Account<'a>>,
    /// What become descriptors 0, 1 and 2: all above 2.
    pub fds: [RawFd; 3],
    /// What it gets when we die.
    pub parent_death_signal: Option<i32>,
}

/// Starts children.
pub struct Spawner {
    stack: Stack,
    pads: Pads,
    /// Whether children begin with our table of descriptors: only where they can leave it.
    shares: bool,
    /// Ignored in the daemon by inheritance, default in children (PROC-059).
    resets: Vec<c_int>,
}

/// Memory for the child's calls, with a page below it that ends the child should they need more.
struct Stack {
    base: *mut c_void,
    size: usize,
}

impl Stack {
    fn new() -> Result<Stack, Errno> {
        // SAFETY: a fresh private mapping; its lowest page is then made unusable.
        unsafe {
            let page = usize::try_from(libc::sysconf(libc::_SC_PAGESIZE)).unwrap_or(4096);
            let size = STACK_BYTES + page;
            let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_STACK;
            let base = libc::mmap(ptr::null_mut(), size, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0);
            if base == libc::MAP_FAILED {
                return Err(last_errno());
            }
            let stack = Stack { base, size };
            check(libc::mprotect(base, page, libc::PROT_NONE))?;
            Ok(stack)
        }
    }

    /// Stacks grow down.
    fn top(&self) -> *mut c_void {
        // SAFETY: one past the end of the mapping.
        unsafe { self.base.byte_add(self.size) }
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours, and no child is on it: clone returns when the child has left.
        unsafe { libc::munmap(self.base, self.size) };
    }
}

/// Three of the lowest descriptors, kept so that what a child gets can be put there: it copies no other ones.
struct Pads {
    fds: [OwnedFd; 3],
    /// What lies there between starts.
    nothing: OwnedFd,
}

impl Pads {
    fn new() -> Result<Pads, Errno> {
        let nothing: OwnedFd = super::process::open_nothing().map_err(Errno::from)?.into();
        let pad = || io::duplicate(nothing.as_raw_fd());
        Ok(Pads { fds: [pad()?, pad()?, pad()?], nothing })
    }

    fn numbers(&self) -> [RawFd; 3] {
        self.fds.each_ref().map(|fd| fd.as_raw_fd())
    }

    /// Puts copies of these descriptors there.
    fn lay(&self, fds: [RawFd; 3]) -> Result<(), Errno> {
        for (pad, fd) in self.numbers().into_iter().zip(fds) {
            // SAFETY: replaces a descriptor that is ours.
            check(unsafe { libc::dup3(fd, pad, libc::O_CLOEXEC) })?;
        }
        Ok(())
    }

    /// Takes them away again. Cannot fail: no descriptor is needed that isn't there.
    fn clear(&self) {
        let _ = self.lay([self.nothing.as_raw_fd(); 3]);
    }
}

/// How the child changes its account.
enum Switch<'a> {
    Stay,
    /// We are not root.
    Refused,
    To(Account<'a>, Vec<libc::gid_t>),
}

/// The child's view of an order: only pointers and numbers, all of them valid until clone returns.
struct Plan<'a> {
    path: &'a CStr,
    argv: &'a [*const c_char],
    envp: &'a [*const c_char],
    directory: Option<&'a CStr>,
    umask: Option<libc::mode_t>,
    switch: Switch<'a>,
    /// What it gets when its parent dies, and who that is.
    parent_death: Option<(c_int, libc::pid_t)>,
    /// Where the three descriptors lie.
    pads: [RawFd; 3],
    /// The child's table of descriptors is the daemon's.
    shares: bool,
    resets: &'a [c_int],
    highest_fd: RawFd,
    /// Beginnings of the three messages of PROC-057.
    user_message: &'a [u8],
    directory_message: &'a [u8],
    exec_message: &'a [u8],
}

impl Spawner {
    /// Notes which signals are ignored now. To be called after [`signals::prepare`] and before any spawn.
    pub fn new() -> Result<Spawner, Errno> {
        let (stack, pads, resets) = (Stack::new()?, Pads::new()?, signals::ignored_beyond_ours());
        Ok(Spawner { stack, pads, shares: has_close_range(), resets })
    }

    /// Starts a child and returns when it runs its program or has failed to, in which case it has said so on its
    /// stderr and ends with status 127 (PROC-057). The error is that of clone, or `EINVAL` for a text with a NUL.
    pub fn spawn(&mut self, order: &Order<'_>) -> Result<Pid, Errno> {
        let path = c_string(order.path)?;
        let argv: Vec<CString> = order.argv.iter().map(|word| c_string(word.as_str())).collect::<Result<_, _>>()?;
        let directory = order.directory.map(c_string).transpose()?;
        let user_message = message("setuid to", order.account.map_or(0, |account| account.uid));
        let directory_message = message("chdir to", order.directory.unwrap_or(""));
        let exec_message = message("exec", order.argv.first().map_or("", String::as_str));
        let plan = Plan {
            path: &path,
            argv: &pointers(&argv),
            envp: &pointers(&order.environment),
            directory: directory.as_deref(),
            umask: order.umask.map(|umask| umask as libc::mode_t),
            switch: switch_to(order.account),
            parent_death: order.parent_death_signal.map(|signal| (signal, super::process::pid())),
            pads: self.pads.numbers(),
            shares: self.shares,
            resets: &self.resets,
            highest_fd: highest_fd(),
            user_message: user_message.as_bytes(),
            directory_message: directory_message.as_bytes(),
            exec_message: exec_message.as_bytes(),
        };
        let laid = self.pads.lay(order.fds);
        let result = laid.and_then(|()| self.clone_with(&plan));
        self.pads.clear();
        result
    }

    fn clone_with(&self, plan: &Plan<'_>) -> Result<Pid, Errno> {
        // SAFETY: all signals are blocked around the clone, so that none is handled on the shared memory. The stack
        // is ours and used by nobody else; `CLONE_VFORK` holds us until the child is done with it and with the plan.
        unsafe {
            let mut all: libc::sigset_t = std::mem::zeroed();
            let mut before: libc::sigset_t = std::mem::zeroed();
            libc::sigfillset(&mut all);
            libc::pthread_sigmask(libc::SIG_SETMASK, &all, &mut before);
            let files = if plan.shares { libc::CLONE_FILES } else { 0 };
            let flags = libc::CLONE_VM | libc::CLONE_VFORK | files | libc::SIGCHLD;
            let arg = ptr::from_ref(plan).cast_mut().cast();
            let result = check(libc::clone(run_child, self.stack.top(), flags, arg));
            libc::pthread_sigmask(libc::SIG_SETMASK, &before, ptr::null_mut());
            result
        }
    }
}

fn pointers(strings: &[CString]) -> Vec<*const c_char> {
    strings.iter().map(|string| string.as_ptr()).chain([ptr::null()]).collect()
}

fn message(what: &str, whom: impl std::fmt::Display) -> String {
    format!("supervisor: couldn't {what} {whom}: ")
}

/// PROC-055, with CFG-182's order of groups: the primary one first.
fn switch_to(account: Option<Account<'_>>) -> Switch<'_> {
    // SAFETY: cannot fail.
    let own = unsafe { libc::getuid() };
    match account {
        None => Switch::Stay,
        Some(account) if account.uid == own => Switch::Stay,
        Some(_) if own != 0 => Switch::Refused,
        Some(account) => Switch::To(account, group_list(account.gid, account.groups)),
    }
}

/// The primary group, then the others, each once.
pub(super) fn group_list(gid: u32, groups: &[u32]) -> Vec<libc::gid_t> {
    std::iter::once(gid).chain(groups.iter().copied().filter(|group| *group != gid)).collect()
}

/// One past the highest number that a descriptor can have: only for kernels without close_range.
fn highest_fd() -> RawFd {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is valid for writing.
    match unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) } {
        0 => RawFd::try_from(limit.rlim_cur.min(65_536)).unwrap_or(65_536),
        _ => 65_536,
    }
}

/// The child, between clone and its program: PROC-053 in its order. Whatever it returns is its exit status.
extern "C" fn run_child(arg: *mut c_void) -> c_int {
    // SAFETY: `arg` is the plan of the caller, who waits. All calls are async-signal-safe; the ones that change the
    // account are made directly, as the library's would first look for threads that share it.
    unsafe {
        let plan = &*arg.cast::<Plan<'_>>();
        libc::setpgid(0, 0);
        let [input, output, error] = plan.pads;
        let highest = input.max(output).max(error);
        if !leave_table(plan.shares, highest, plan.highest_fd) {
            // The table is still the daemon's: nothing in it may be touched.
            return fail_with_errno(error, plan.exec_message);
        }
        libc::dup2(input, 0);
        libc::dup2(output, 1);
        libc::dup2(error, 2);
        for fd in 3..=highest {
            libc::close(fd);
        }
        match &plan.switch {
            Switch::Stay => {}
            Switch::Refused => return fail(plan.user_message, b"Can't drop privilege as nonroot user"),
            Switch::To(account, groups) => {
                if libc::syscall(libc::SYS_setgroups, groups.len(), groups.as_ptr()) != 0 {
                    return fail(plan.user_message, b"Could not set groups of effective user");
                }
                if libc::syscall(libc::SYS_setgid, account.gid) != 0 {
                    return fail(plan.user_message, b"Could not set group id of effective user");
                }
                if libc::syscall(libc::SYS_setuid, account.uid) != 0 {
                    return fail_with_errno(2, plan.user_message);
                }
            }
        }
        if let Some(directory) = plan.directory
            && libc::chdir(directory.as_ptr()) != 0
        {
            return fail_with_errno(2, plan.directory_message);
        }
        if let Some(umask) = plan.umask {
            libc::umask(umask);
        }
        // Not before the account is changed, which undoes it.
        if let Some((signal, parent)) = plan.parent_death {
            libc::prctl(libc::PR_SET_PDEATHSIG, signal as libc::c_ulong, 0, 0, 0);
            // Whoever has died before this tells nobody.
            if libc::getppid() != parent {
                return NOT_SPAWNED_STATUS;
            }
        }
        for signal in plan.resets {
            signals::reset(*signal);
        }
        let mut none: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &none, ptr::null_mut());
        libc::execve(plan.path.as_ptr(), plan.argv.as_ptr(), plan.envp.as_ptr());
        fail_with_errno(2, plan.exec_message)
    }
}

/// Whether there is close_range(2): not before Linux 5.9, and not in containers whose system call filter is older. The
/// other way to leave a table, unshare(2), is forbidden in most containers.
fn has_close_range() -> bool {
    let none = libc::c_uint::MAX;
    // SAFETY: there is no such descriptor to be closed.
    unsafe { libc::syscall(libc::SYS_close_range, none, none, 0 as libc::c_uint) == 0 }
}

/// Leaves the child with a table of descriptors of its own and those up to `highest` in it. Says whether that was
/// possible.
///
/// # Safety
/// Only in the child.
unsafe fn leave_table(shares: bool, highest: RawFd, highest_fd: RawFd) -> bool {
    // SAFETY: plain calls. In a shared table nothing is closed before there is a copy of it.
    unsafe {
        if shares {
            let (first, last) = (highest as libc::c_uint + 1, libc::c_uint::MAX);
            return libc::syscall(libc::SYS_close_range, first, last, libc::CLOSE_RANGE_UNSHARE as libc::c_uint) == 0;
        }
        for fd in highest + 1..highest_fd {
            libc::close(fd);
        }
        true
    }
}

/// The reason is the last error, by name (or by number, if it has none).
fn fail_with_errno(fd: RawFd, message: &[u8]) -> c_int {
    // SAFETY: the location is valid in every thread.
    let errno = Errno(unsafe { *libc::__errno_location() });
    if let Some(symbol) = errno.symbol() {
        return fail_to(fd, message, symbol.as_bytes());
    }
    // Three decimal digits are enough for every number that Linux has.
    let digit = |unit: i32| b'0' + (errno.0 / unit % 10) as u8;
    fail_to(fd, message, &[digit(100), digit(10), digit(1)])
}

/// Says why there is no program, on the child's stderr.
fn fail(message: &[u8], reason: &[u8]) -> c_int {
    fail_to(2, message, reason)
}

/// The same where stderr is still at `fd`, in one piece.
fn fail_to(fd: RawFd, message: &[u8], reason: &[u8]) -> c_int {
    let part = |bytes: &[u8]| libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
    let parts = [part(message), part(reason), part(NOT_SPAWNED)];
    // SAFETY: three valid slices, which are only read.
    unsafe { libc::writev(fd, parts.as_ptr(), 3) };
    NOT_SPAWNED_STATUS
}

/// A child that has ended, taken out of the system's table; `None` when no other has ended yet. Never waits.
pub fn reap() -> Option<(Pid, Exit)> {
    loop {
        let mut status = 0;
        // SAFETY: `status` is valid for writing.
        match check(unsafe { libc::waitpid(-1, &mut status, libc::WNOHANG) }) {
            Err(Errno::EINTR) => continue,
            Err(_) | Ok(0) => return None,
            Ok(pid) => return Some((pid, exit_of(status))),
        }
    }
}

fn exit_of(status: c_int) -> Exit {
    if libc::WIFSIGNALED(status) {
        Exit::Signal { signal: libc::WTERMSIG(status), core: libc::WCOREDUMP(status) }
    } else {
        Exit::Code(libc::WEXITSTATUS(status))
    }
}

#[cfg(test)]
#[path = "child_tests.rs"]
mod tests;
