//! Finds the tagged blocks that a child puts into its output for listeners (EVT-060 to 068).
//!
//! Works on pieces of any size. It holds back only a true beginning of a tag, and keeps at most the newest
//! `capture_maxbytes` bytes of a block.

use std::collections::VecDeque;

/// Begins a block.
pub const BEGIN: &[u8] = b"<!--XSUPERVISOR:BEGIN-->";
/// Ends a block.
pub const END: &[u8] = b"<!--XSUPERVISOR:END-->";

/// A part of the stream. Tags are in none of them.
#[derive(PartialEq, Eq, Debug)]
pub enum Piece<'a> {
    /// Outside of blocks.
    Plain(&'a [u8]),
    /// Inside a block: shown, but not logged (EVT-061).
    Captured(&'a [u8]),
    /// A block ended; its newest bytes (EVT-062).
    Block(Vec<u8>),
}

/// Where in a stream with blocks we are.
#[derive(Debug)]
pub struct Capture {
    max_bytes: usize,
    inside: bool,
    /// How many bytes of the awaited tag came at the very end of what was pushed.
    matched: usize,
    kept: VecDeque<u8>,
}

fn common_prefix(one: &[u8], other: &[u8]) -> usize {
    one.iter().zip(other).take_while(|(a, b)| a == b).count()
}

impl Capture {
    /// Outside of any block. `max_bytes`: how much of a block is kept; the oldest bytes go (EVT-065).
    pub fn new(max_bytes: u64) -> Capture {
        let max_bytes = usize::try_from(max_bytes).unwrap_or(usize::MAX);
        Capture { max_bytes, inside: false, matched: 0, kept: VecDeque::new() }
    }

    /// Takes the next bytes and hands out what they amount to, in order; never an empty `Plain` or `Captured`.
    pub fn push(&mut self, bytes: &[u8], sink: &mut dyn FnMut(Piece<'_>)) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let tag = if self.inside { END } else { BEGIN };
            // `<` stands only at the start of a tag, so a failed match can't hide the start of another one.
            if self.matched > 0 {
                let more = common_prefix(rest, &tag[self.matched..]);
                rest = &rest[more..];
                self.matched += more;
                if self.matched == tag.len() {
                    self.toggle(sink);
                } else if !rest.is_empty() {
                    // What was held back was no tag: one piece with what follows it (EVT-045).
                    let matched = std::mem::take(&mut self.matched);
                    return self.push(&[&tag[..matched], rest].concat(), sink);
                }
                continue;
            }
            let Some((start, length)) = find_start(rest, tag) else {
                self.emit(rest, sink);
                return;
            };
            self.emit(&rest[..start], sink);
            rest = &rest[start + length..];
            self.matched = length;
            if length == tag.len() {
                self.toggle(sink);
            }
        }
    }

    /// The stream ended: what was held back outside a block is given out, an unfinished block is discarded
    /// (EVT-064, EVT-066). The next stream begins outside.
    pub fn finish(&mut self, sink: &mut dyn FnMut(Piece<'_>)) {
        let matched = std::mem::take(&mut self.matched);
        if !self.inside && matched > 0 {
            sink(Piece::Plain(&BEGIN[..matched]));
        }
        self.inside = false;
        self.clear();
    }

    /// Forgets what the current block holds so far (EVT-067).
    pub fn clear(&mut self) {
        self.kept = VecDeque::new();
    }

    fn toggle(&mut self, sink: &mut dyn FnMut(Piece<'_>)) {
        self.matched = 0;
        if self.inside {
            sink(Piece::Block(std::mem::take(&mut self.kept).into()));
        }
        self.inside = !self.inside;
    }

    fn emit(&mut self, bytes: &[u8], sink: &mut dyn FnMut(Piece<'_>)) {
        if bytes.is_empty() {
            return;
        }
        if !self.inside {
            return sink(Piece::Plain(bytes));
        }
        let newest = &bytes[bytes.len() - bytes.len().min(self.max_bytes)..];
        let excess = (self.kept.len() + newest.len()).saturating_sub(self.max_bytes);
        self.kept.drain(..excess);
        self.kept.extend(newest);
        sink(Piece::Captured(bytes));
    }
}

/// The first place where `tag`, or a beginning of it that reaches the end of `bytes`, stands; and how much of it.
fn find_start(bytes: &[u8], tag: &[u8]) -> Option<(usize, usize)> {
    let mut from = 0;
    loop {
        let start = from + bytes[from..].iter().position(|byte| *byte == tag[0])?;
        let length = common_prefix(&bytes[start..], tag);
        if length == tag.len() || start + length == bytes.len() {
            return Some((start, length));
        }
        from = start + length;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default, PartialEq, Debug)]
    struct Seen {
        plain: Vec<u8>,
        captured: Vec<u8>,
        blocks: Vec<Vec<u8>>,
    }

    fn run(max: u64, text: &[u8], size: usize) -> Seen {
        let mut capture = Capture::new(max);
        let mut seen = Seen::default();
        let mut sink = |piece: Piece<'_>| match piece {
            Piece::Plain(bytes) => seen.plain.extend_from_slice(bytes),
            Piece::Captured(bytes) => seen.captured.extend_from_slice(bytes),
            Piece::Block(bytes) => seen.blocks.push(bytes),
        };
        for piece in text.chunks(size) {
            capture.push(piece, &mut sink);
        }
        capture.finish(&mut sink);
        seen
    }

    #[test]
    fn evt_060_061_062_063_tags_in_any_pieces() {
        let text = b"a<b<<!--XSUPERVISOR:BEGIN-->one <!--XSUPERVISOR:BEGIN--> x<!--XSUPERVISOR:END-->mid\
            <!--XSUPERVISOR:END--><!--XSUPERVISOR:BEGIN--><!--XSUPERVISOR:END-->end<!--XSUPERVISOR:BEG";
        for size in 1..=text.len() {
            let seen = run(1000, text, size);
            assert_eq!(seen.blocks, [b"one <!--XSUPERVISOR:BEGIN--> x".to_vec(), Vec::new()], "{size}");
            assert_eq!(seen.captured, b"one <!--XSUPERVISOR:BEGIN--> x", "{size}");
            assert_eq!(seen.plain, b"a<b<mid<!--XSUPERVISOR:END-->end<!--XSUPERVISOR:BEG", "{size}");
        }
    }

    #[test]
    fn evt_064_short_output_is_not_held_back() {
        // BUG-044.
        let mut capture = Capture::new(10);
        let mut seen = Vec::new();
        capture.push(b"bye\n<!", &mut |piece| {
            if let Piece::Plain(bytes) = piece {
                seen.extend_from_slice(bytes);
            }
        });
        assert_eq!(seen, b"bye\n");
    }

    #[test]
    fn evt_045_what_was_held_back_is_one_piece_with_what_follows() {
        for (first, second, pieces) in [
            (&b"a <"[..], &b"b> <!"[..], &["Plain(a )", "Plain(<b> )"][..]),
            (b"a <!--X", b"SUPER<!--XSUPERVISOR:BEGIN-->in", &["Plain(a )", "Plain(<!--XSUPER)", "Captured(in)"]),
            (b"<!--XSUPERVISOR:BEGIN-->in<!--", b"side", &["Captured(in)", "Captured(<!--side)"]),
        ] {
            let mut capture = Capture::new(100);
            let mut seen = Vec::new();
            for bytes in [first, second] {
                capture.push(bytes, &mut |piece| match piece {
                    Piece::Plain(bytes) => seen.push(format!("Plain({})", String::from_utf8_lossy(bytes))),
                    Piece::Captured(bytes) => seen.push(format!("Captured({})", String::from_utf8_lossy(bytes))),
                    Piece::Block(bytes) => seen.push(format!("Block({bytes:?})")),
                });
            }
            assert_eq!(seen, pieces);
        }
    }

    #[test]
    fn evt_065_the_newest_bytes_stay() {
        // BUG-045: exactly capture_maxbytes.
        let text = b"<!--XSUPERVISOR:BEGIN-->0123456789abc<!--XSUPERVISOR:END-->";
        for size in 1..=text.len() {
            assert_eq!(run(5, text, size).blocks, [b"89abc"], "{size}");
        }
    }

    #[test]
    fn evt_066_067_an_unfinished_block_is_dropped() {
        let mut capture = Capture::new(100);
        let mut pieces = Vec::new();
        let mut sink = |piece: Piece<'_>| pieces.push(format!("{piece:?}"));
        capture.push(b"<!--XSUPERVISOR:BEGIN-->lost<!--", &mut sink);
        capture.finish(&mut sink);
        capture.push(b"<!--XSUPERVISOR:BEGIN-->cleared", &mut sink);
        capture.clear();
        capture.push(b"+<!--XSUPERVISOR:END-->", &mut sink);
        assert_eq!(pieces.last().map(String::as_str), Some("Block([43])"));
        assert_eq!(pieces.iter().filter(|piece| piece.starts_with("Block")).count(), 1);
    }
}
