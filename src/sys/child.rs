//! Starting and reaping children.
//!
//! A child is made by clone(2) with `CLONE_VM`: it borrows the daemon's memory, on a stack of its own, until it has
//! become its program, so that a start costs the same however large the daemon has grown. The daemon does not wait for
//! that, since on a busy machine the child may wait long for a processor: it goes on at once, and looks later who has
//! left ([`Spawner::look`]). A child also begins with the daemon's table of descriptors (`CLONE_FILES`) and leaves it
//! with a copy of the few lowest ones: copying and closing the thousands that a daemon with a thousand programs has
//! took longer than all the rest. What it does until then is in `exec`, where it is meanwhile in `slot`.

use std::ffi::{CString, c_int};
use std::os::fd::{OwnedFd, RawFd};
use std::rc::Rc;
use std::time::Duration;

use super::exec::{self, Plan};
use super::slot::Slot;
use super::{check, clock, process, raw, signals};
use crate::base::cpus::Cpus;
use crate::base::errno::Errno;
use crate::base::limits::{DESCRIPTORS_PER_SPAWN, EXEC_LOOKS, EXEC_PATIENCE, SLOW_EXEC, SPAWNS_AT_ONCE, SPAWNS_STUCK};
use crate::base::time::Mono;
use crate::base::words::{Exit, Pid};

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
    /// The processors on which it runs, if they are others than ours.
    pub cpus: Option<&'a Cpus>,
    /// Account, if it is another than ours (PROC-055).
    pub account: Option<Account<'a>>,
    /// What become descriptors 0, 1 and 2: all above 2.
    pub fds: [RawFd; 3],
    /// What it gets when we die.
    pub parent_death_signal: Option<i32>,
}

/// Starts children.
pub struct Spawner {
    /// The first ones are kept; further ones are made while those are taken by children that are stuck.
    // In boxes, as a slot that is taken must stay where it is.
    #[allow(clippy::vec_box)]
    slots: Vec<Box<Slot>>,
    /// How many are kept.
    kept: usize,
    /// How many are taken.
    taken: usize,
    /// What lies on the pads of free slots.
    nothing: OwnedFd,
    /// Whether children begin with our table of descriptors: only where they can leave it.
    shares: bool,
    /// Whether we go on while a child has our memory.
    detached: bool,
    /// Ignored in the daemon by inheritance, default in children (PROC-059).
    resets: Rc<[c_int]>,
    /// When to look who has left, and the pause after that.
    next_look: Mono,
    pause: Duration,
    /// How long a signal waits for a child to leave our memory.
    patience: Duration,
}

impl Spawner {
    /// Notes which signals are ignored now. To be called after [`signals::prepare`] and before any spawn, and as early
    /// as possible: it keeps low descriptors.
    pub fn new() -> Result<Spawner, Errno> {
        let nothing: OwnedFd = process::open_nothing().map_err(Errno::from)?.into();
        let kept = (process::most_descriptors() / DESCRIPTORS_PER_SPAWN).clamp(1, SPAWNS_AT_ONCE as u64) as usize;
        let shares = exec::has_close_range();
        Ok(Spawner {
            slots: (0..kept).map(|_| Slot::new(&nothing)).collect::<Result<_, _>>()?,
            kept,
            taken: 0,
            nothing,
            shares,
            // A copy of the whole table would keep connections open that the daemon has closed.
            detached: shares && raw::LEAVES_NO_TRACE,
            resets: signals::ignored_beyond_ours().into(),
            next_look: Mono::default(),
            pause: *EXEC_LOOKS.start(),
            patience: EXEC_PATIENCE,
        })
    }

    /// Makes a child, which is about to run its program. If it can't, it says so on its stderr and ends with status 127
    /// (PROC-057). The error is that of clone or dup3, `EINVAL` for a text with a NUL, or `EAGAIN` if too many children
    /// are stuck on their way.
    pub fn spawn(&mut self, order: Order<'_>) -> Result<Pid, Errno> {
        let place = self.free_slot()?;
        let fds = order.fds;
        let plan = Plan::new(order, self.slots[place].pads(), self.shares, self.resets.clone())?;
        let pid = self.slots[place].launch(plan, fds, &mut self.detached, self.shares, &self.nothing)?;
        if self.detached {
            self.taken += 1;
            self.pause = *EXEC_LOOKS.start();
            self.next_look = clock::mono() + self.pause;
        }
        Ok(pid)
    }

    /// The first that is free, as its pads are the lowest.
    fn free_slot(&mut self) -> Result<usize, Errno> {
        self.look();
        if let Some(place) = self.slots.iter().position(|slot| !slot.is_taken()) {
            return Ok(place);
        }
        if self.slots.len() >= SPAWNS_STUCK {
            return Err(Errno::EAGAIN);
        }
        self.slots.push(Slot::new(&self.nothing)?);
        Ok(self.slots.len() - 1)
    }

    /// Whether a further child would find room now. Who needs none at once had better wait for that: more children on
    /// their way only take each other's processor. Those that are stuck don't count.
    pub fn has_room(&mut self) -> bool {
        if self.taken < self.kept {
            return true;
        }
        self.look();
        let lately = Mono(clock::mono().0.saturating_sub(SLOW_EXEC.as_nanos() as u64));
        self.slots.iter().filter(|slot| slot.is_taken_since(lately)).count() < self.kept
    }

    /// Takes back what children have left, and sends the signals that waited for that. To be called now and then, by
    /// [`Spawner::next_look`] at the latest: until then the daemon has copies of their descriptors.
    pub fn look(&mut self) {
        if self.taken == 0 {
            return;
        }
        for slot in &mut self.slots {
            self.taken -= usize::from(slot.tidy(&self.nothing));
        }
        while self.slots.len() > self.kept && self.slots.last().is_some_and(|slot| !slot.is_taken()) {
            self.slots.pop();
        }
        if self.taken == 0 {
            // One is as much as a start now and then needs.
            self.slots[1..].iter_mut().for_each(|slot| slot.release_stack());
        } else if self.next_look <= clock::mono() {
            let longer = if self.slots.iter().any(|slot| slot.keeps_signals()) { 1 } else { 2 };
            self.pause = (self.pause * longer).min(*EXEC_LOOKS.end());
            self.next_look = clock::mono() + self.pause;
        }
    }

    /// When to look again; `None`: nobody is on the way.
    pub fn next_look(&self) -> Option<Mono> {
        (self.taken > 0).then_some(self.next_look)
    }

    /// A child was reaped.
    pub fn ended(&mut self, pid: Pid) {
        if let Some(slot) = self.slots.iter_mut().filter(|_| self.taken > 0).find(|slot| slot.has(pid)) {
            slot.ended();
            self.look();
        }
    }

    /// Sends a signal to a child, or to the process group that it leads. To a child that is on its way one that dumps core
    /// is sent later: the dump would be of all that the daemon has in memory, and before Linux 5.16 it ends everybody who
    /// has the same. If the child is stuck, SIGKILL ends it. Errors are those of kill(2).
    pub fn signal(&mut self, pid: Pid, signal: i32, group: bool) -> Result<(), Errno> {
        if signals::dumps_core(signal) {
            self.look();
            if let Some(slot) = self.slots.iter_mut().find(|slot| slot.has(pid)) {
                slot.keep_signal(signal, group, self.patience);
                self.pause = *EXEC_LOOKS.start();
                self.next_look = clock::mono() + self.pause;
                return Ok(());
            }
        }
        signals::kill(pid, signal, group)
    }
}

impl Drop for Spawner {
    fn drop(&mut self) {
        for slot in self.slots.drain(..) {
            if !slot.wait(EXEC_PATIENCE) {
                // A child is still on its stack, and reads its plan.
                Box::leak(slot);
            }
        }
    }
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
