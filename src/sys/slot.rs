//! A place from which a child becomes its program: a stack, a plan, and three low descriptors.
//!
//! All of it stays as it is until the child has left our memory. The kernel tells when: it sets a word to 0 and wakes
//! whoever waits for that (`CLONE_CHILD_CLEARTID`), when the child executes its program as when it ends.

use std::ffi::{c_int, c_void};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::exec::{Plan, run_child};
use super::{check, clock, io, last_errno, signals};
use crate::base::errno::Errno;
use crate::base::time::Mono;
use crate::base::words::{Pid, SIGKILL};

/// Room for the child's few calls, and for their debug builds.
const STACK_BYTES: usize = 64 * 1024;

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
        // SAFETY: the mapping is ours, and no child is on it: a slot keeps its stack while it is taken.
        unsafe { libc::munmap(self.base, self.size) };
    }
}

/// A child on its way.
struct Flight {
    pid: Pid,
    since: Mono,
    /// Signals for when it has left our memory, each with whether its group gets it; and until when they wait.
    signals: Vec<(i32, bool)>,
    until: Mono,
    /// Read by the child.
    _plan: Box<Plan>,
}

/// The place of one child at a time. Does not move while it is taken: keep it in a box.
pub(super) struct Slot {
    /// What the child gets lies here: of a shared table it copies only the lowest descriptors.
    pads: [OwnedFd; 3],
    /// Mapped when first needed.
    stack: Option<Stack>,
    /// Not 0 while a child has our memory.
    word: AtomicU32,
    flight: Option<Flight>,
}

impl Slot {
    /// A free place. `nothing` is what lies on its pads between starts.
    pub(super) fn new(nothing: &OwnedFd) -> Result<Box<Slot>, Errno> {
        let pad = || io::duplicate(nothing.as_raw_fd());
        Ok(Box::new(Slot { pads: [pad()?, pad()?, pad()?], stack: None, word: AtomicU32::new(0), flight: None }))
    }

    /// The numbers of the pads.
    pub(super) fn pads(&self) -> [RawFd; 3] {
        self.pads.each_ref().map(|fd| fd.as_raw_fd())
    }

    /// Whether a child is on its way from here.
    pub(super) fn is_taken(&self) -> bool {
        self.flight.is_some()
    }

    /// Whether a child is on its way from here since `begin` or later.
    pub(super) fn is_taken_since(&self, begin: Mono) -> bool {
        self.flight.as_ref().is_some_and(|flight| flight.since >= begin)
    }

    /// Whether this child is on its way from here.
    pub(super) fn has(&self, pid: Pid) -> bool {
        self.flight.as_ref().is_some_and(|flight| flight.pid == pid)
    }

    /// Makes a child, which gets copies of `fds`. If it is `detached`, the slot is taken until [`Slot::tidy`]; else this
    /// returns when the child has left our memory. Emulators of Linux refuse a detached child with `EINVAL`, and so does
    /// the `clone` of newer versions of musl, for the word: then it is no longer asked for.
    pub(super) fn launch(
        &mut self,
        plan: Plan,
        fds: [RawFd; 3],
        detached: &mut bool,
        shares: bool,
        nothing: &OwnedFd,
    ) -> Result<Pid, Errno> {
        let plan = Box::new(plan);
        let mut result = self.lay(fds).and_then(|()| self.clone_with(&plan, *detached, shares));
        if *detached && result == Err(Errno::EINVAL) {
            *detached = false;
            result = self.clone_with(&plan, false, shares);
        }
        match result {
            Ok(pid) if *detached => {
                // The child does it, too: whoever is first, signals to its group find it from now on.
                // SAFETY: a plain call; a child that has its program already has its group.
                unsafe { libc::setpgid(pid, pid) };
                self.flight =
                    Some(Flight { pid, since: clock::mono(), signals: Vec::new(), until: Mono::NEVER, _plan: plan });
            }
            _ => self.clear(nothing),
        }
        result
    }

    fn clone_with(&mut self, plan: &Plan, detached: bool, shares: bool) -> Result<Pid, Errno> {
        if self.stack.is_none() {
            self.stack = Some(Stack::new()?);
        }
        let Some(stack) = &self.stack else { return Err(Errno::ENOMEM) };
        let files = if shares { libc::CLONE_FILES } else { 0 };
        let way = if detached { libc::CLONE_CHILD_CLEARTID } else { libc::CLONE_VFORK };
        let flags = libc::CLONE_VM | files | way | libc::SIGCHLD;
        let arg: *mut c_void = ptr::from_ref(plan).cast_mut().cast();
        let none: *mut c_void = ptr::null_mut();
        // SAFETY: all signals are blocked around the clone, so that none is handled on the shared memory. The stack is
        // used by nobody else; it, the plan and the word stay until the child has left them: `CLONE_VFORK` holds us as
        // long, otherwise the word says so. The child writes nothing else (see `exec`).
        unsafe {
            let mut all: libc::sigset_t = std::mem::zeroed();
            let mut before: libc::sigset_t = std::mem::zeroed();
            libc::sigfillset(&mut all);
            libc::pthread_sigmask(libc::SIG_SETMASK, &all, &mut before);
            self.word.store(u32::from(detached), Ordering::Relaxed);
            let result = check(libc::clone(run_child, stack.top(), flags, arg, none, none, self.word.as_ptr()));
            if result.is_err() {
                self.word.store(0, Ordering::Relaxed);
            }
            libc::pthread_sigmask(libc::SIG_SETMASK, &before, ptr::null_mut());
            result
        }
    }

    /// Puts copies of these descriptors on the pads.
    fn lay(&self, fds: [RawFd; 3]) -> Result<(), Errno> {
        for (pad, fd) in self.pads().into_iter().zip(fds) {
            // SAFETY: replaces a descriptor that is ours.
            check(unsafe { libc::dup3(fd, pad, libc::O_CLOEXEC) })?;
        }
        Ok(())
    }

    /// Takes them away again. Cannot fail: no descriptor is needed that isn't there.
    fn clear(&self, nothing: &OwnedFd) {
        let _ = self.lay([nothing.as_raw_fd(); 3]);
    }

    /// Frees the slot if its child has left our memory, and sends the signals that waited for that. Returns whether it
    /// did.
    pub(super) fn tidy(&mut self, nothing: &OwnedFd) -> bool {
        let Some(flight) = &mut self.flight else { return false };
        // The child is not reaped yet, or there are no signals: no other process has its number.
        if self.word.load(Ordering::Acquire) == 0 {
            for (signal, group) in flight.signals.drain(..) {
                let _ = signals::kill(flight.pid, signal, group);
            }
            self.flight = None;
            self.clear(nothing);
            return true;
        }
        if flight.until < Mono::NEVER && flight.until <= clock::mono() {
            let _ = signals::kill(flight.pid, SIGKILL, false);
            flight.signals.clear();
            flight.until = Mono::NEVER;
        }
        false
    }

    /// Keeps a signal until the child has left our memory. If it takes longer than `patience` for that, SIGKILL is sent
    /// instead.
    pub(super) fn keep_signal(&mut self, signal: i32, group: bool, patience: Duration) {
        let Some(flight) = &mut self.flight else { return };
        flight.until = flight.until.min(clock::mono() + patience);
        // Signals that are pending count once.
        if !flight.signals.contains(&(signal, group)) {
            flight.signals.push((signal, group));
        }
    }

    /// Whether signals wait for the child to leave our memory.
    pub(super) fn keeps_signals(&self) -> bool {
        self.flight.as_ref().is_some_and(|flight| !flight.signals.is_empty())
    }

    /// The child was reaped: whatever the word says, it has left (before Linux 5.15 one that dumped core didn't say so),
    /// and its number may soon be another's.
    pub(super) fn ended(&mut self) {
        self.word.store(0, Ordering::Relaxed);
        if let Some(flight) = &mut self.flight {
            flight.signals.clear();
        }
    }

    /// Waits until the child has left our memory; returns whether it has.
    pub(super) fn wait(&self, patience: Duration) -> bool {
        let end = clock::mono() + patience;
        loop {
            let word = self.word.load(Ordering::Acquire);
            let left = end - clock::mono();
            if word == 0 || left.is_zero() {
                return word == 0;
            }
            let time =
                libc::timespec { tv_sec: left.as_secs() as libc::time_t, tv_nsec: left.subsec_nanos() as libc::c_long };
            // SAFETY: the word is valid as long as the slot; the kernel only reads it.
            unsafe {
                libc::syscall(
                    libc::SYS_futex,
                    self.word.as_ptr(),
                    libc::FUTEX_WAIT as c_int,
                    word,
                    ptr::from_ref(&time),
                )
            };
        }
    }

    #[cfg(test)]
    pub(super) fn has_stack(&self) -> bool {
        self.stack.is_some()
    }

    /// Gives the stack back; a taken slot keeps it.
    pub(super) fn release_stack(&mut self) {
        if self.flight.is_none() {
            self.stack = None;
        }
    }
}
