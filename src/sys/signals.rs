//! Signals to the daemon, read from a descriptor instead of caught by handlers.
//!
//! The kernel keeps a signal that is already pending only once, which is what SIG-009 asks for, and no code of ours
//! ever runs in the middle of something else.

use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd};
use std::process::{Child, Command};
use std::time::Duration;

use super::{check, io, last_errno, raw};
use crate::base::errno::Errno;

/// The signals that the daemon acts on (SIG-001 to 006).
pub const HANDLED: [i32; 6] = [libc::SIGCHLD, libc::SIGTERM, libc::SIGINT, libc::SIGQUIT, libc::SIGHUP, libc::SIGUSR2];

/// The signals that stay ignored, in the daemon and in its children (SIG-007, PROC-059).
pub const IGNORED: [i32; 2] = [libc::SIGPIPE, libc::SIGXFSZ];

/// SIGCHLD.
pub const CHLD: i32 = libc::SIGCHLD;

const INFO_BYTES: usize = std::mem::size_of::<libc::signalfd_siginfo>();

/// The set of these signals.
fn set_of(signals: &[i32]) -> libc::sigset_t {
    // SAFETY: `sigemptyset` makes the zeroed set valid; adding can only fail for numbers that don't exist.
    unsafe {
        let mut set = std::mem::zeroed();
        libc::sigemptyset(&mut set);
        for signal in signals {
            libc::sigaddset(&mut set, *signal);
        }
        set
    }
}

fn set_mask(set: &libc::sigset_t) -> Result<(), Errno> {
    // SAFETY: the set is valid; the old mask is not asked for.
    match unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, set, std::ptr::null_mut()) } {
        0 => Ok(()),
        error => Err(Errno(error)),
    }
}

fn dispose(signal: i32, disposition: libc::sighandler_t) {
    // SAFETY: only SIG_IGN and SIG_DFL are passed, so no handler can run.
    unsafe { libc::signal(signal, disposition) };
}

/// Ignores what must not kill us, and makes sure that children can be waited for, whatever we inherited.
pub fn prepare() {
    for signal in IGNORED {
        dispose(signal, libc::SIG_IGN);
    }
    dispose(libc::SIGCHLD, libc::SIG_DFL);
}

/// A `struct sigaction` as the kernel has it, large enough for every architecture: the handler first (but on MIPS, where
/// nothing is found to be ignored), and all-zero meaning the default.
type KernelAction = [usize; 8];

/// Bytes of the kernel's signal set.
const KERNEL_SET_BYTES: usize = 8;

/// Signals that are ignored now, and that a child must get back as default (PROC-059). The library hides two of them,
/// so the kernel is asked directly.
pub fn ignored_beyond_ours() -> Vec<i32> {
    (1..=64)
        .filter(|signal| !IGNORED.contains(signal))
        .filter(|signal| {
            let mut action: KernelAction = [0; 8];
            let none = std::ptr::null::<KernelAction>();
            // SAFETY: asks only; the buffer is large enough.
            let result =
                unsafe { libc::syscall(libc::SYS_rt_sigaction, *signal, none, action.as_mut_ptr(), KERNEL_SET_BYTES) };
            result == 0 && action[0] == libc::SIG_IGN
        })
        .collect()
}

/// Gives a signal its default disposition, the library's own ones included. For a child that has our memory.
pub(super) fn reset(signal: i32) {
    let action: KernelAction = [0; 8];
    let args = [signal as usize, action.as_ptr() as usize, 0, KERNEL_SET_BYTES];
    // SAFETY: the default disposition runs no code of ours.
    let _ = unsafe { raw::call(libc::SYS_rt_sigaction, args) };
}

/// Blocks nothing any more. For a child that has our memory.
pub(super) fn unblock_all() {
    let none = [0_u8; KERNEL_SET_BYTES];
    let args = [libc::SIG_SETMASK as usize, none.as_ptr() as usize, 0, KERNEL_SET_BYTES];
    // SAFETY: the set is valid; the old mask is not asked for.
    let _ = unsafe { raw::call(libc::SYS_rt_sigprocmask, args) };
}

/// Whether this signal usually ends a process with a dump of its memory (signal(7)).
pub(super) fn dumps_core(signal: i32) -> bool {
    let all = [
        libc::SIGQUIT,
        libc::SIGILL,
        libc::SIGTRAP,
        libc::SIGABRT,
        libc::SIGBUS,
        libc::SIGFPE,
        libc::SIGSEGV,
        libc::SIGXCPU,
        libc::SIGXFSZ,
        libc::SIGSYS,
    ];
    all.contains(&signal)
}

/// The signals of [`HANDLED`], waiting to be read.
pub struct Signals {
    fd: OwnedFd,
}

impl Signals {
    /// From here on the handled signals wait instead of acting (SIG-011), and no other is blocked.
    pub fn install() -> Result<Signals, Errno> {
        for signal in HANDLED {
            dispose(signal, libc::SIG_DFL);
        }
        let set = set_of(&HANDLED);
        set_mask(&set)?;
        // SAFETY: the set is valid; on success the descriptor is new and ours alone.
        let fd = unsafe {
            match libc::signalfd(-1, &set, libc::SFD_NONBLOCK | libc::SFD_CLOEXEC) {
                -1 => return Err(last_errno()),
                fd => OwnedFd::from_raw_fd(fd),
            }
        };
        Ok(Signals { fd })
    }

    /// To watch for input.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// The next signal that came; `None` when there are no more for now.
    pub fn take(&self) -> Option<i32> {
        let mut info = [0; INFO_BYTES];
        match io::read(self.fd.as_fd(), &mut info) {
            // The number is the first field, four bytes (signalfd(2)).
            Ok(INFO_BYTES) => Some(i32::from_ne_bytes([info[0], info[1], info[2], info[3]])),
            _ => None,
        }
    }
}

/// Holds signals back from now on, to be fetched one by one with [`Held::wait`]. For programs without a poll.
pub struct Held {
    set: libc::sigset_t,
}

impl Held {
    /// Blocks these signals.
    pub fn new(signals: &[i32]) -> Result<Held, Errno> {
        let set = set_of(signals);
        set_mask(&set)?;
        Ok(Held { set })
    }

    /// The next of them; `None` when none came within `timeout`.
    pub fn wait(&self, timeout: Duration) -> Option<i32> {
        let time = libc::timespec {
            tv_sec: timeout.as_secs() as libc::time_t,
            tv_nsec: timeout.subsec_nanos() as libc::c_long,
        };
        // SAFETY: set and time are valid; no details are asked for.
        check(unsafe { libc::sigtimedwait(&self.set, std::ptr::null_mut(), &time) }).ok()
    }

    /// Starts a command with an empty mask, as it would have without us.
    pub fn spawn_outside(&self, command: &mut Command) -> std::io::Result<Child> {
        use std::os::unix::process::CommandExt;
        let empty = set_of(&[]);
        // SAFETY: between fork and exec only one async-signal-safe call is made.
        unsafe {
            command.pre_exec(move || set_mask(&empty).map_err(|error| std::io::Error::from_raw_os_error(error.0)))
        };
        command.spawn()
    }
}

/// Whether there is such a process, be it ours or not.
pub fn process_exists(pid: i32) -> bool {
    // SAFETY: signal 0 only asks.
    pid > 0 && check(unsafe { libc::kill(pid, 0) }) != Err(Errno::ESRCH)
}

/// Sends a signal to a process, or to the process group that it leads.
pub fn kill(pid: i32, signal: i32, group: bool) -> Result<(), Errno> {
    // 0, -1 and the group of 1 mean something much larger to kill(2).
    if pid <= 1 {
        return Err(Errno::ESRCH);
    }
    // SAFETY: a plain call.
    check(unsafe { libc::kill(if group { -pid } else { pid }, signal) }).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sig_009_a_pending_signal_counts_once() {
        // SIG-001 to SIG-005. Signals are sent to this thread alone, which alone blocks them.
        let signals = Signals::install().unwrap();
        assert_eq!(signals.take(), None);
        for signal in [libc::SIGHUP, libc::SIGTERM, libc::SIGHUP, libc::SIGUSR2] {
            // SAFETY: raises a signal that is blocked in this thread.
            unsafe { libc::raise(signal) };
        }
        let mut got: Vec<i32> = std::iter::from_fn(|| signals.take()).collect();
        got.sort_unstable();
        assert_eq!(got, [libc::SIGHUP, libc::SIGUSR2, libc::SIGTERM]);
        set_mask(&set_of(&[])).unwrap();
    }

    #[test]
    fn killing_everybody_is_refused() {
        for pid in [-1, 0, 1] {
            assert_eq!(kill(pid, 0, false), Err(Errno::ESRCH));
            assert_eq!(kill(pid, 0, true), Err(Errno::ESRCH));
        }
        assert!(process_exists(std::process::id() as i32));
    }
}
