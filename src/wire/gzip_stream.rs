//! The format of RFC 1952 around deflated data: members with heads and checks, read from pieces of any size, and
//! written.

use crc32fast::Hasher;
use miniz_oxide::deflate::core::CompressorOxide;
use miniz_oxide::deflate::stream::deflate;
use miniz_oxide::inflate::stream::{InflateState, inflate};
use miniz_oxide::{DataFormat, MZError, MZFlush, MZStatus};

/// How much room is made at a time for bytes that come out.
const ROOM: usize = 32 * 1024;
/// Bytes of a file name or a comment in a head; nobody wants them.
const TEXT: usize = 64 * 1024 - 1;

/// That it is a member, and of deflated data.
const MAGIC: [u8; 3] = [0x1f, 0x8b, 8];
/// What a head may have besides: a check of its own, more fields, a file name, a comment.
const FHCRC: u8 = 2;
const FEXTRA: u8 = 4;
const FNAME: u8 = 8;
const FCOMMENT: u8 = 16;
const RESERVED: u8 = 0xe0;
/// In their order, each with its flag.
const OPTIONAL: [(u8, Part); 4] =
    [(FEXTRA, Part::ExtraLength), (FNAME, Part::Name), (FCOMMENT, Part::Comment), (FHCRC, Part::HeadCheck)];

/// These bytes are no gzip, or damaged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Broken;

/// What comes next in a member.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Part {
    /// Magic, flags, time, level, system.
    Head,
    /// The length of more fields.
    ExtraLength,
    /// More fields, so many bytes.
    Extra(u16),
    /// A text with a zero behind it.
    Name,
    /// The same.
    Comment,
    /// The low half of the head's check.
    HeadCheck,
    /// Deflated data.
    Data,
    /// Check and length of what came out.
    Tail,
}

/// Reads members, one after the other.
pub struct Decoder {
    part: Part,
    /// The flags of parts that are still to come.
    flags: u8,
    /// What is there of a part that is needed whole.
    some: Vec<u8>,
    /// Of the head, then of what comes out.
    check: Hasher,
    /// How much came out.
    length: u32,
    state: Box<InflateState>,
    /// What was read is a member, or several.
    whole: bool,
}

impl Default for Decoder {
    fn default() -> Decoder {
        Decoder {
            part: Part::Head,
            flags: 0,
            some: Vec::new(),
            check: Hasher::new(),
            length: 0,
            state: InflateState::new_boxed(DataFormat::Raw),
            whole: false,
        }
    }
}

impl Decoder {
    /// Takes a piece and appends what comes out of it.
    pub fn push(&mut self, mut piece: &[u8], out: &mut Vec<u8>) -> Result<(), Broken> {
        while !piece.is_empty() {
            self.whole = false;
            let complete = match self.part {
                Part::Head => self.gather(&mut piece, 10),
                Part::ExtraLength | Part::HeadCheck => self.gather(&mut piece, 2),
                Part::Extra(length) => self.gather(&mut piece, length.into()),
                Part::Name | Part::Comment => self.gather_text(&mut piece)?,
                Part::Data => self.unpack(&mut piece, out)?,
                Part::Tail => self.gather(&mut piece, 8),
            };
            if complete {
                self.end_part()?;
            }
        }
        Ok(())
    }

    /// There is no more.
    pub fn finish(&self) -> Result<(), Broken> {
        if self.whole { Ok(()) } else { Err(Broken) }
    }

    fn gather(&mut self, piece: &mut &[u8], count: usize) -> bool {
        let (some, rest) = piece.split_at(piece.len().min(count - self.some.len()));
        self.some.extend_from_slice(some);
        *piece = rest;
        self.some.len() == count
    }

    fn gather_text(&mut self, piece: &mut &[u8]) -> Result<bool, Broken> {
        let end = piece.iter().position(|byte| *byte == 0);
        let (text, rest) = piece.split_at(end.map_or(piece.len(), |end| end + 1));
        self.some.extend_from_slice(text);
        *piece = rest;
        if self.some.len() - usize::from(end.is_some()) > TEXT { Err(Broken) } else { Ok(end.is_some()) }
    }

    /// Returns whether that was the end of the data.
    fn unpack(&mut self, piece: &mut &[u8], out: &mut Vec<u8>) -> Result<bool, Broken> {
        loop {
            let start = out.len();
            out.resize(start + ROOM, 0);
            let done = inflate(&mut self.state, piece, &mut out[start..], MZFlush::None);
            out.truncate(start + done.bytes_written);
            *piece = &piece[done.bytes_consumed..];
            self.check.update(&out[start..]);
            self.length = self.length.wrapping_add(done.bytes_written as u32);
            let moved = done.bytes_written > 0 || done.bytes_consumed > 0;
            match done.status {
                Ok(MZStatus::StreamEnd) => return Ok(true),
                // With all room used it may have more to give, which needs no more input.
                Ok(_) | Err(MZError::Buf) if piece.is_empty() && done.bytes_written < ROOM => return Ok(false),
                Ok(_) if moved => {}
                _ => return Err(Broken),
            }
        }
    }

    /// A part is complete: judges what is gathered of it, and goes on to the next part that there is.
    fn end_part(&mut self) -> Result<(), Broken> {
        let some = std::mem::take(&mut self.some);
        let check = self.check.clone().finalize().to_le_bytes();
        let fine = match self.part {
            Part::Head => some.starts_with(&MAGIC) && some[3] & RESERVED == 0,
            Part::HeadCheck => some == check[..2],
            Part::Tail => some == [check, self.length.to_le_bytes()].concat(),
            _ => true,
        };
        if !fine {
            return Err(Broken);
        }
        self.check.update(&some);
        match (self.part, &some[..]) {
            (Part::Head, some) => self.flags = some[3],
            (Part::ExtraLength, &[low, high]) if (low, high) != (0, 0) => {
                self.part = Part::Extra(u16::from_le_bytes([low, high]));
                return Ok(());
            }
            (Part::ExtraLength | Part::Extra(_), _) => self.flags &= !FEXTRA,
            (Part::Name, _) => self.flags &= !FNAME,
            (Part::Comment, _) => self.flags &= !FCOMMENT,
            (Part::HeadCheck, _) => self.flags &= !FHCRC,
            (Part::Data, _) => {
                self.part = Part::Tail;
                return Ok(());
            }
            (Part::Tail, _) => {
                self.state.reset(DataFormat::Raw);
                (self.part, self.check, self.length, self.whole) = (Part::Head, Hasher::new(), 0, true);
                return Ok(());
            }
        }
        let wanted = |(flag, _): &&(u8, Part)| self.flags & flag != 0;
        let next = OPTIONAL.iter().find(wanted).map(|(_, part)| *part);
        self.part = next.unwrap_or_else(|| {
            self.check = Hasher::new();
            Part::Data
        });
        Ok(())
    }
}

/// Writes one member.
pub struct Encoder {
    out: Vec<u8>,
    check: Hasher,
    length: u32,
    state: Box<CompressorOxide>,
}

impl Encoder {
    /// `level`: from 1, the fastest, to 9, the smallest.
    pub fn new(level: u8) -> Encoder {
        let mut state: Box<CompressorOxide> = Box::default();
        state.set_format_and_level(DataFormat::Raw, level);
        let effort = match level {
            ..=1 => 4,
            9.. => 2,
            _ => 0,
        };
        let [first, second, third] = MAGIC;
        // No flags, no time, of no known system.
        let out = vec![first, second, third, 0, 0, 0, 0, 0, effort, 255];
        Encoder { out, check: Hasher::new(), length: 0, state }
    }

    /// Takes a piece, and puts all that it becomes into what is there. Returns how much that is, head included.
    pub fn push(&mut self, piece: &[u8]) -> usize {
        self.check.update(piece);
        self.length = self.length.wrapping_add(piece.len() as u32);
        self.pack(piece, MZFlush::Sync);
        self.out.len()
    }

    /// Takes the last piece. The member is complete.
    pub fn finish(mut self, piece: &[u8]) -> Vec<u8> {
        self.check.update(piece);
        self.length = self.length.wrapping_add(piece.len() as u32);
        self.pack(piece, MZFlush::Finish);
        self.out.extend(self.check.finalize().to_le_bytes());
        self.out.extend(self.length.to_le_bytes());
        self.out
    }

    fn pack(&mut self, mut piece: &[u8], flush: MZFlush) {
        loop {
            let start = self.out.len();
            self.out.resize(start + ROOM, 0);
            let done = deflate(&mut self.state, piece, &mut self.out[start..], flush);
            self.out.truncate(start + done.bytes_written);
            piece = &piece[done.bytes_consumed..];
            // Room that is left is a sign that nothing else is. There are no errors but to have nothing to do.
            if done.status != Ok(MZStatus::Ok) || (done.bytes_written < ROOM && piece.is_empty()) {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use flate2::read::MultiGzDecoder;
    use flate2::write::GzEncoder;
    use flate2::{Compression, GzBuilder};

    use super::*;

    fn unpack(input: &[u8], size: usize) -> Result<Vec<u8>, Broken> {
        let (mut decoder, mut out) = (Decoder::default(), Vec::new());
        for piece in input.chunks(size) {
            decoder.push(piece, &mut out)?;
        }
        decoder.finish().map(|()| out)
    }

    /// All parts that a head can have (RFC 1952, 2.3).
    fn with_all_parts(body: &[u8]) -> Vec<u8> {
        let head = GzBuilder::new().mtime(7).extra("more fields").filename("name").comment("words");
        let mut encoder = head.write(Vec::new(), Compression::default());
        encoder.write_all(body).unwrap();
        let mut bytes = encoder.finish().unwrap();
        let end = 10 + 2 + "more fields".len() + "name\0words\0".len();
        bytes[3] |= FHCRC;
        let check = crc32fast::hash(&bytes[..end]).to_le_bytes();
        bytes.splice(end..end, check[..2].iter().copied());
        bytes
    }

    #[test]
    fn rfc_1952_heads_have_parts_and_pieces_any_size() {
        let bytes = with_all_parts(b"hello");
        for size in [1, 2, 3, 10, 1000] {
            assert_eq!(unpack(&bytes, size).as_deref(), Ok(&b"hello"[..]), "in pieces of {size}");
        }
        assert_eq!(unpack(&[&bytes[..], &bytes].concat(), 5).as_deref(), Ok(&b"hellohello"[..]));
        // Each bit of head and tail counts. The last bits of the data may be there only to fill a byte.
        let data = 10 + 2 + 11 + 11 + 2..bytes.len() - 8;
        for at in (0..bytes.len() * 8).filter(|at| !data.contains(&(at / 8))) {
            let mut broken = bytes.clone();
            broken[at / 8] ^= 1 << (at % 8);
            assert!(unpack(&broken, 1000).is_err(), "bit {at}");
        }
        for reserved in [0x20, 0x40, 0x80] {
            let mut broken = Encoder::new(6).finish(b"x");
            broken[3] |= reserved;
            assert_eq!(unpack(&broken, 1000), Err(Broken));
        }
        let no_fields = [&[0x1f, 0x8b, 8, FEXTRA, 0, 0, 0, 0, 0, 255, 0, 0][..], &Encoder::new(6).finish(b"x")[10..]];
        assert_eq!(unpack(&no_fields.concat(), 4).as_deref(), Ok(&b"x"[..]));
        for (length, fine) in [(TEXT, true), (TEXT + 1, false)] {
            let mut long = vec![0x1f, 0x8b, 8, FNAME, 0, 0, 0, 0, 0, 255];
            long.extend(vec![b'a'; length]);
            long.push(0);
            long.extend(&Encoder::new(6).finish(b"x")[10..]);
            for size in [1000, usize::MAX] {
                assert_eq!(unpack(&long, size).is_ok(), fine, "{length}");
            }
        }
    }

    #[test]
    fn packs_to_the_byte_as_the_usual_library_does() {
        let mut state = 1_u32;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .take(200_000)
        .collect();
        for body in [&b""[..], b"x", &b"all the same ".repeat(20_000), &noise] {
            for level in [1, 6, 9] {
                let mut theirs = GzEncoder::new(Vec::new(), Compression::new(level.into()));
                let mut ours = Encoder::new(level);
                let (front, rest) = body.split_at(body.len() / 2);
                theirs.write_all(front).and_then(|()| theirs.flush()).unwrap();
                assert_eq!(ours.push(front), theirs.get_ref().len());
                theirs.write_all(rest).unwrap();
                let ours = ours.finish(rest);
                assert!(ours == theirs.finish().unwrap(), "{} bytes at level {level}", body.len());
                let mut out = Vec::new();
                MultiGzDecoder::new(&ours[..]).read_to_end(&mut out).unwrap();
                assert!(out == body && unpack(&ours, 1000).as_deref() == Ok(body));
            }
        }
    }
}
