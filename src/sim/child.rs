//! Pretended children: how long they live, what they do about signals, how much they read.

use std::time::Duration;

use crate::base::key::Key;
use crate::base::time::Mono;
use crate::base::words::{Exit, Pid, SIGKILL};
use crate::sim::dice::Dice;
use crate::world::process::Process;

/// What a program is like. The file name of its command chooses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Nature {
    /// Runs until it is told to end, then ends at once.
    Steady,
    /// Ends at once with status 0.
    Brief,
    /// Lives and ends as the dice fall.
    Flaky,
    /// Needs a while to end after a signal.
    Slow,
    /// Ends only by SIGKILL.
    Stubborn,
}

impl Nature {
    /// All of them, with the file names that choose them.
    pub const TABLE: [(Nature, &'static str); 5] = [
        (Nature::Steady, "steady"),
        (Nature::Brief, "brief"),
        (Nature::Flaky, "flaky"),
        (Nature::Slow, "slow"),
        (Nature::Stubborn, "stubborn"),
    ];

    /// The nature of the program at `path`, if there is one.
    pub fn of(path: &str) -> Option<Nature> {
        let name = path.rsplit('/').next()?;
        Self::TABLE.iter().find(|row| row.1 == name).map(|row| row.0)
    }
}

/// A child that was not reaped yet.
#[derive(Clone, Debug)]
pub struct Child {
    /// Its process id.
    pub pid: Pid,
    /// The process slot whose pipes it has.
    pub who: Key<Process>,
    /// What it is like.
    pub nature: Nature,
    /// When and how it ends, if that is certain already.
    pub ends: Option<(Mono, Exit)>,
    /// Bytes that its stdin still takes; `None`: it closed it.
    pub stdin_room: Option<usize>,
    /// What it has read from stdin.
    pub heard: Vec<u8>,
    /// Whether the writer was told that stdin is full.
    pub stdin_awaited: bool,
    /// Which channels are not to be read.
    pub paused: [bool; 2],
}

impl Child {
    /// A child born at `now`.
    pub fn new(pid: Pid, who: Key<Process>, nature: Nature, now: Mono, dice: &mut Dice) -> Child {
        let mut after = |low, high, exit| Some((now + Duration::from_millis(dice.between(low, high)), exit));
        let ends = match nature {
            Nature::Steady | Nature::Slow | Nature::Stubborn => None,
            Nature::Brief => after(0, 20, Exit::Code(0)),
            Nature::Flaky => after(0, 8_000, Exit::Code(0)),
        };
        let ends = ends.map(|(at, exit)| match (nature, dice.below(4)) {
            (Nature::Flaky, 0) => (at, Exit::Signal { signal: 11, core: dice.one_in(2) }),
            (Nature::Flaky, 1) => (at, Exit::Code(dice.between(1, 3) as i32)),
            _ => (at, exit),
        });
        let stdin_room = (!dice.one_in(4)).then(|| dice.below(5_000) as usize);
        Child { pid, who, nature, ends, stdin_room, heard: Vec::new(), stdin_awaited: false, paused: [false; 2] }
    }

    /// Takes a signal.
    pub fn signal(&mut self, signal: i32, now: Mono, dice: &mut Dice) {
        let dies_after = match (self.nature, signal) {
            (_, SIGKILL) => dice.below(20),
            // HUP, USR1, USR2, CONT, WINCH: handled by every pretended program.
            (_, 0 | 1 | 10 | 12 | 18 | 28) | (Nature::Stubborn, _) => return,
            (Nature::Slow, _) => dice.between(100, 20_000),
            _ => dice.below(100),
        };
        let at = now + Duration::from_millis(dies_after);
        if self.ends.is_none_or(|(before, _)| at < before) {
            let exit = match self.nature {
                Nature::Flaky if signal != SIGKILL && dice.one_in(2) => Exit::Code(0),
                _ => Exit::Signal { signal, core: false },
            };
            self.ends = Some((at, exit));
        }
    }

    /// Whether it is dead, though nobody reaped it yet.
    pub fn has_ended(&self, now: Mono) -> bool {
        self.ends.is_some_and(|(at, _)| at <= now)
    }
}
