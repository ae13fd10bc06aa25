//! What happened in a simulation: a hash of everything, and the last lines for the one who reads a failure.

use std::collections::VecDeque;
use std::fmt;

/// How many lines are kept.
const LINES: usize = 60;
/// How much of a line is kept.
const WIDTH: usize = 300;

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
        let line = match line.char_indices().nth(WIDTH) {
            Some((cut, _)) => format!("{} ...", &line[..cut]),
            None => line,
        };
        if self.last.len() == LINES {
            self.last.pop_front();
        }
        self.last.push_back(line);
    }

    /// Adds bytes to the hash only.
    pub fn bytes(&mut self, bytes: &[u8]) {
        // FNV-1a, but of eight bytes at once: there are many.
        let mut words = bytes.chunks_exact(8);
        for word in &mut words {
            let word = word.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
            self.mix(word);
        }
        words.remainder().iter().for_each(|byte| self.mix(u64::from(*byte)));
    }

    fn mix(&mut self, word: u64) {
        let mixed = (self.hash ^ word).wrapping_mul(0x0100_0000_01b3);
        self.hash = mixed ^ mixed >> 29;
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
