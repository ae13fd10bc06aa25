//! Takes ANSI control sequences out of a stream (LOG-050).
//!
//! Works on pieces of any size: a sequence that is split over reads is recognised (BUG-046). It never holds back more
//! than one byte, and never touches anything but `ESC [` sequences.

use std::borrow::Cow;

const ESC: u8 = 0x1b;

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum At {
    #[default]
    Text,
    /// An ESC in text; whether it begins a sequence is not known yet.
    Escape,
    /// Within a sequence.
    Sequence,
    /// An ESC within a sequence: a new sequence may begin before the old one was ended.
    EscapeWithin,
}

/// Where in a stream of text and sequences we are.
#[derive(Clone, Debug, Default)]
pub struct AnsiStrip {
    at: At,
}

impl AnsiStrip {
    /// The piece without sequences. A lone ESC at the end is given with the next piece, or by [`AnsiStrip::finish`].
    pub fn push<'a>(&mut self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        if self.at == At::Text && !bytes.contains(&ESC) {
            return Cow::Borrowed(bytes);
        }
        let mut out = Vec::with_capacity(bytes.len());
        for &byte in bytes {
            self.at = match (self.at, byte) {
                (At::Text, ESC) => At::Escape,
                (At::Text, _) => {
                    out.push(byte);
                    At::Text
                }
                (At::Escape, b'[') => At::Sequence,
                (At::Escape, ESC) => {
                    out.push(ESC);
                    At::Escape
                }
                (At::Escape, _) => {
                    out.extend([ESC, byte]);
                    At::Text
                }
                (At::Sequence, ESC) => At::EscapeWithin,
                (At::EscapeWithin, b'[') => At::Sequence,
                (At::Sequence | At::EscapeWithin, 0x40..=0x7e) => At::Text,
                (At::Sequence | At::EscapeWithin, _) => At::Sequence,
            };
        }
        Cow::Owned(out)
    }

    /// The end of the stream: gives what was held back, and is ready for a new stream. An unfinished sequence is
    /// dropped.
    pub fn finish(&mut self) -> &'static [u8] {
        match std::mem::take(&mut self.at) {
            At::Escape => &[ESC],
            _ => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_pieces(text: &[u8], size: usize) -> Vec<u8> {
        let mut strip = AnsiStrip::default();
        let mut out = Vec::new();
        for piece in text.chunks(size) {
            out.extend_from_slice(&strip.push(piece));
        }
        out.extend_from_slice(strip.finish());
        out
    }

    #[test]
    fn log_050_sequences_go_whatever_the_pieces() {
        let cases: &[(&[u8], &[u8])] = &[
            (b"plain \xff\0", b"plain \xff\0"),
            (b"\x1b[31mred\x1b[0m.", b"red."),
            (b"a\x1b[1;2Hb\x1b[2Jc\x1b[?25ld\x1b[?25he\x1b[Kf\x1b[sg\x1b[u", b"abcdefg"),
            // BUG-046: an unknown final byte ends the sequence, too.
            (b"\x1b[5nZZm", b"ZZm"),
            (b"\x1b[@x\x1b[1~y", b"xy"),
            // OSC and other escapes are left alone.
            (b"\x1b]0;title\x07x\x1bMy", b"\x1b]0;title\x07x\x1bMy"),
            (b"\x1b\x1b[1mx", b"\x1bx"),
            (b"\x1b[3\x1b[31mx", b"x"),
            (b"end\x1b", b"end\x1b"),
            (b"end\x1b[12", b"end"),
        ];
        for (text, expected) in cases {
            for size in 1..=text.len() {
                assert_eq!(in_pieces(text, size), *expected, "{text:?} in pieces of {size}");
            }
        }
    }

    #[test]
    fn text_without_sequences_is_not_copied() {
        assert!(matches!(AnsiStrip::default().push(b"plain"), Cow::Borrowed(b"plain")));
    }

    #[test]
    fn after_the_end_it_starts_anew() {
        let mut strip = AnsiStrip::default();
        strip.push(b"\x1b[");
        strip.finish();
        assert_eq!(&*strip.push(b"1m"), b"1m");
    }
}
