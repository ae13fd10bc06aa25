//! Pretended children: how long they live, what they do about signals, how much they read.

use std::time::Duration;

use crate::base::key::Key;
use crate::base::limits;
use crate::base::time::Mono;
use crate::base::words::{Channel, Exit, Pid, SIGKILL};
use crate::sim::dice::Dice;
use crate::sim::talk::Talk;
use crate::world::process::Process;

/// What a program is like. The file name of its command chooses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Nature {
    /// Runs until it is told to end, then ends at once.
    Steady,
    /// Ends almost at once with status 0.
    Brief,
    /// Has ended before anybody looks.
    Stillborn,
    /// Lives and ends as the dice fall.
    Flaky,
    /// Needs a while to end after a signal.
    Slow,
    /// Ends only by SIGKILL.
    Stubborn,
    /// Prints as fast as it can.
    Flood,
    /// Closes its stdin, stdout and stderr, and lives on.
    Closed,
    /// An event listener.
    Listener,
}

impl Nature {
    /// All of them, with the file names that choose them.
    pub const TABLE: [(Nature, &'static str); 9] = [
        (Nature::Steady, "steady"),
        (Nature::Brief, "brief"),
        (Nature::Stillborn, "stillborn"),
        (Nature::Flaky, "flaky"),
        (Nature::Slow, "slow"),
        (Nature::Stubborn, "stubborn"),
        (Nature::Flood, "flood"),
        (Nature::Closed, "closed"),
        (Nature::Listener, "listener"),
    ];

    /// Those of programs that are no listeners.
    pub fn of_programs() -> &'static [(Nature, &'static str)] {
        &Self::TABLE[..Self::TABLE.len() - 1]
    }

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
    /// What it got on its stdin: all of it, and whether it is what clients sent.
    pub heard: Vec<u8>,
    /// See above.
    pub stdin: Frames,
    /// What it makes of that, if it is a listener.
    pub talk: Talk,
    /// Bytes that its stdin still takes; `None`: it closed it.
    pub stdin_room: Option<usize>,
    /// Whether the writer was told that stdin is full.
    pub stdin_awaited: bool,
    /// Its stderr goes the way of its stdout.
    pub redirect_stderr: bool,
    /// What it printed and nobody read yet.
    pub pipes: [Vec<u8>; 2],
    /// Which channels it has closed.
    pub closed: [bool; 2],
    /// Which channels are not to be read.
    pub paused: [bool; 2],
    lines: u64,
}

impl Child {
    /// A child born at `now`.
    pub fn new(pid: Pid, who: Key<Process>, nature: Nature, now: Mono, dice: &mut Dice) -> Child {
        let mut after = |low, high, exit| Some((now + Duration::from_millis(dice.between(low, high)), exit));
        let ends = match nature {
            Nature::Steady | Nature::Slow | Nature::Stubborn | Nature::Flood | Nature::Closed | Nature::Listener => {
                None
            }
            Nature::Brief => after(0, 20, Exit::Code(0)),
            Nature::Stillborn => after(0, 0, Exit::Code(1)),
            Nature::Flaky => after(0, 8_000, Exit::Code(0)),
        };
        let ends = ends.map(|(at, exit)| match (nature, dice.below(4)) {
            (Nature::Flaky, 0) => (at, Exit::Signal { signal: 11, core: dice.one_in(2) }),
            (Nature::Flaky, 1) => (at, Exit::Code(dice.between(1, 3) as i32)),
            _ => (at, exit),
        });
        let stdin_room = (nature != Nature::Closed && !dice.one_in(4)).then(|| dice.below(5_000) as usize);
        Child {
            pid,
            who,
            nature,
            ends,
            heard: Vec::new(),
            stdin: Frames::default(),
            talk: Talk::default(),
            stdin_room,
            stdin_awaited: false,
            redirect_stderr: false,
            pipes: Default::default(),
            closed: [nature == Nature::Closed && dice.one_in(2); 2],
            paused: [false; 2],
            lines: 0,
        }
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

    /// Prints something, unless the channel is closed or its pipe is full: lines with numbers, tags, colours, and
    /// what only looks like them.
    pub fn print(&mut self, channel: Channel, dice: &mut Dice) {
        const SCRAPS: [&str; 8] = [
            "half a line ",
            "<!--XSUPERVISOR:BEGIN-->",
            "<!--XSUPERVISOR:END-->",
            "<!--XSUPER",
            "\x1b[31mred",
            "\x1b[",
            "\u{e9}\n",
            "<",
        ];
        let channel = if self.redirect_stderr { Channel::Stdout } else { channel };
        let pipe = &mut self.pipes[channel.index()];
        let speaks = self.nature != Nature::Listener || channel == Channel::Stderr;
        if self.closed[channel.index()] || pipe.len() >= limits::READ_BYTES || !speaks {
            return;
        }
        for _ in 0..dice.between(1, 6) {
            self.lines += 1;
            match dice.below(3) {
                0 => pipe.extend_from_slice(dice.pick(&SCRAPS).as_bytes()),
                _ => pipe.extend_from_slice(format!("line {} of {}\n", self.lines, self.pid).as_bytes()),
            }
        }
        if self.nature == Nature::Flood && dice.one_in(20) {
            let block = [b'0' + (self.lines % 10) as u8; 61];
            while pipe.len() < limits::READ_BYTES {
                pipe.extend_from_slice(&block);
                pipe.push(b'\n');
            }
        }
    }

    /// As a listener: goes on with the conversation.
    pub fn converse(&mut self, now: Mono, dice: &mut Dice) {
        if self.ends.is_none()
            && let Some(exit) = self.talk.go_on(&mut self.heard, &mut self.pipes[0], dice)
        {
            self.ends = Some((now, exit));
        }
    }

    /// What one read of a channel gives: all that is there, or a part of it.
    pub fn read(&mut self, channel: Channel, dice: &mut Dice) -> Vec<u8> {
        let pipe = &mut self.pipes[channel.index()];
        let all = pipe.len() as u64;
        let count = if dice.one_in(2) { all } else { dice.between(1, all) };
        pipe.drain(..count as usize).collect()
    }
}

/// What clients send to a child's stdin: frames that say their number and length, so that a byte which is missing or
/// out of order is noticed.
#[derive(Clone, Debug, Default)]
pub struct Frames {
    head: Vec<u8>,
    number: u64,
    at: u64,
    left: u64,
}

impl Frames {
    /// A frame's text.
    pub fn frame(number: u64, length: u64) -> String {
        let body = (0..length).map(|at| Self::letter(number, at) as char);
        format!("<{number} {length}>").chars().chain(body).collect()
    }

    fn letter(number: u64, at: u64) -> u8 {
        b'a' + (number.wrapping_add(at) % 26) as u8
    }

    /// Takes bytes; the error says what they should have been.
    pub fn take(&mut self, bytes: &[u8]) -> Result<(), String> {
        for &byte in bytes {
            if self.left > 0 {
                let expected = Self::letter(self.number, self.at);
                if byte != expected {
                    return Err(format!("{:?} at {} of frame {}", byte as char, self.at, self.number));
                }
                (self.at, self.left) = (self.at + 1, self.left - 1);
                continue;
            }
            self.head.push(byte);
            if byte == b'>' {
                let head = String::from_utf8_lossy(&self.head).into_owned();
                let numbers = head.trim_matches(['<', '>']).split_once(' ');
                let numbers = numbers.and_then(|(number, length)| Some((number.parse().ok()?, length.parse().ok()?)));
                let Some((number, left)) = numbers.filter(|_| head.starts_with('<')) else {
                    return Err(format!("a frame that begins with {head:?}"));
                };
                (self.number, self.at, self.left) = (number, 0, left);
                self.head.clear();
            } else if self.head.len() > 50 {
                return Err(format!("a frame that begins with {:?}", String::from_utf8_lossy(&self.head)));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_notice_what_is_missing_or_out_of_order() {
        let text = [Frames::frame(7, 100), Frames::frame(8, 3), Frames::frame(9, 0)].concat().into_bytes();
        for size in [1, 7, 1000] {
            let mut frames = Frames::default();
            assert_eq!(text.chunks(size).try_for_each(|piece| frames.take(piece)), Ok(()));
        }
        for at in [0, 3, 20, 60, 108] {
            let mut missing = text.clone();
            missing.remove(at);
            assert!(Frames::default().take(&missing).is_err(), "{at}");
            let mut mixed = text.clone();
            mixed.swap(at, at + 1);
            assert!(Frames::default().take(&mixed).is_err(), "{at}");
        }
    }
}
