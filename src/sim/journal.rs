//! What happened in a simulation: a hash of everything, and the last lines for the one who reads a failure.

use std::collections::VecDeque;
use std::fmt;

/// How many lines are kept.
const LINES: usize = 60;

/// A running record.
#[derive(Clone, Debug)]
pub struct Journal {
    hash: u64,
    last: VecDeque<String>,
}

impl Default for Journal {
    fn default() -> Journal {
        Journal { hash: 0xcbf2_9ce4_8422_2325, last: VecDeque::new() }
    }
}

impl Journal {
    /// Adds a line.
    pub fn note(&mut self, line: String) {
        self.bytes(line.as_bytes());
        if self.last.len() == LINES {
            self.last.pop_front();
        }
        self.last.push_back(line);
    }

    /// Adds bytes to the hash only.
    pub fn bytes(&mut self, bytes: &[u8]) {
        // FNV-1a
        for byte in bytes {
            self.hash = (self.hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    /// A number that differs as soon as anything differed.
    pub fn hash(&self) -> u64 {
        self.hash
    }
}

impl fmt::Display for Journal {
    /// The last lines, oldest first.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.last.iter().try_for_each(|line| writeln!(f, "  {line}"))
    }
}
