//! Bodies packed with gzip (RFC 1952): requests unpacked piece by piece within a bound, answers packed where it pays.

use crate::base::limits;
use crate::wire::gzip_stream::{Broken, Decoder, Encoder};
use crate::wire::http_headers::Headers;
use crate::wire::http_in::Reject;

/// A level of effort.
const FASTEST: u8 = 1;

/// How a body is packed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Coding {
    /// Not at all.
    Plain,
    /// RFC 1952.
    Gzip,
    /// In a way that we can't undo.
    Unknown,
}

/// How the body is packed (RFC 9110, 8.4).
pub fn coding(headers: &Headers) -> Coding {
    let Some(word) = headers.values("content-encoding").next() else { return Coding::Plain };
    let is = |known: &str| word.eq_ignore_ascii_case(known);
    match () {
        () if is("gzip") || is("x-gzip") => Coding::Gzip,
        () if word.contains(',') || ["compress", "deflate", "br", "zstd"].into_iter().any(is) => Coding::Unknown,
        // upstream: a word that is no coding, such as `utf-8`, says nothing.
        () => Coding::Plain,
    }
}

/// Whether the client asks for packed answers (RFC 9110, 12.5.3). `*` is not asking.
pub fn is_accepted(headers: &Headers) -> bool {
    let asks = |item: &str| {
        let (coding, weight) = item.split_once(';').unwrap_or((item, ""));
        ["gzip", "x-gzip"].iter().any(|known| coding.trim().eq_ignore_ascii_case(known)) && is_positive(weight.trim())
    };
    // Python's client says no more.
    headers.values("accept-encoding").any(|list| list == "gzip" || list.split(',').any(asks))
}

/// Whether a weight is none or more than 0. What is no weight says nothing that we understand: better not to pack.
fn is_positive(weight: &str) -> bool {
    let positive = |(name, number): (&str, &str)| {
        let digits = number.trim().as_bytes();
        name.trim().eq_ignore_ascii_case("q")
            && digits.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'.'))
            && digits.iter().any(|byte| matches!(byte, b'1'..=b'9'))
    };
    weight.is_empty() || weight.split_once('=').is_some_and(positive)
}

/// Unpacks a body as it comes.
pub struct Unpacker {
    decoder: Decoder,
    /// What makes no block yet. The decoder always gets blocks of one size, so that what is said of a body that is both
    /// broken and too long does not depend on how it came.
    block: Vec<u8>,
    out: Vec<u8>,
    /// Bytes that may still come out.
    left: u64,
}

impl Unpacker {
    /// `limit`: bytes past which what comes out is refused.
    pub fn new(limit: u64) -> Unpacker {
        let block = Vec::with_capacity(limits::PACKED_BLOCK_BYTES);
        Unpacker { decoder: Decoder::default(), block, out: Vec::new(), left: limit }
    }

    /// Takes a piece and hands over what comes out of it, which can be a thousand times as much: pieces of
    /// [`limits::PACKED_BLOCK_BYTES`] keep that small.
    pub fn push(&mut self, mut piece: &[u8], sink: &mut dyn FnMut(&[u8])) -> Result<(), Reject> {
        while !piece.is_empty() {
            let (fits, rest) = piece.split_at(piece.len().min(limits::PACKED_BLOCK_BYTES - self.block.len()));
            self.block.extend_from_slice(fits);
            piece = rest;
            if self.block.len() == limits::PACKED_BLOCK_BYTES {
                self.unpack(sink)?;
            }
        }
        Ok(())
    }

    /// The body is complete, which it must be inside, too.
    pub fn finish(mut self, sink: &mut dyn FnMut(&[u8])) -> Result<(), Reject> {
        self.unpack(sink)?;
        self.decoder.finish().map_err(|Broken| Reject::BadRequest)
    }

    fn unpack(&mut self, sink: &mut dyn FnMut(&[u8])) -> Result<(), Reject> {
        self.decoder.push(&self.block, &mut self.out).map_err(|Broken| Reject::BadRequest)?;
        self.block.clear();
        self.left = self.left.checked_sub(self.out.len() as u64).ok_or(Reject::TooLarge)?;
        if !self.out.is_empty() {
            sink(&self.out);
            self.out.clear();
        }
        Ok(())
    }
}

/// Packs a body. `None`: it goes as it is, because that costs less than it saves (see [`limits::PACK_BYTES`]).
pub fn pack(body: &[u8]) -> Option<Vec<u8>> {
    if !limits::PACK_BYTES.contains(&body.len()) {
        return None;
    }
    let mut encoder = Encoder::new(FASTEST);
    let mut taken = 0;
    for slice in body.chunks(limits::PACK_SLICE_BYTES) {
        taken += slice.len();
        if encoder.push(slice) > taken / 2 {
            return None;
        }
    }
    Some(encoder.finish(&[]))
}

/// Appends what all of `packed` becomes. For texts that we packed ourselves: there is no bound.
pub fn unpack(packed: &[u8], out: &mut Vec<u8>) -> Result<(), Broken> {
    let mut decoder = Decoder::default();
    decoder.push(packed, out)?;
    decoder.finish()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;
    use crate::wire::http_in::{Head, HeadReader};

    fn packed(data: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    /// What comes out, or what is wrong; pieces of `size`.
    fn unpack(input: &[u8], size: usize, limit: u64) -> Result<Vec<u8>, Reject> {
        let mut unpacker = Unpacker::new(limit);
        let mut out = Vec::new();
        for piece in input.chunks(size) {
            unpacker.push(piece, &mut |bytes| out.extend_from_slice(bytes))?;
        }
        unpacker.finish(&mut |bytes| out.extend_from_slice(bytes))?;
        Ok(out)
    }

    /// Bytes that can't be packed.
    fn noise(count: usize) -> Vec<u8> {
        let mut state = 1_u64;
        std::iter::repeat_with(|| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 56) as u8
        })
        .take(count)
        .collect()
    }

    fn head(line: &str) -> Head {
        let text = format!("POST / HTTP/1.1\r\n{line}\r\n\r\n");
        HeadReader::default().read(text.as_bytes()).unwrap().unwrap().0
    }

    #[test]
    fn rfc_9110_8_4_how_a_body_is_packed() {
        for (value, coding) in [
            ("gzip", Coding::Gzip),
            ("X-GZIP", Coding::Gzip),
            ("identity", Coding::Plain),
            ("utf-8", Coding::Plain),
            ("", Coding::Plain),
            ("deflate", Coding::Unknown),
            ("Br", Coding::Unknown),
            ("gzip, gzip", Coding::Unknown),
        ] {
            assert_eq!(head(&format!("Content-Encoding: {value}")).coding, coding, "{value}");
        }
        assert_eq!(head("X: y").coding, Coding::Plain);
    }

    #[test]
    fn http_140_rfc_9110_12_5_3_who_asks_for_packed_answers() {
        for (value, asks) in [
            ("gzip", true),
            ("deflate, GZip;q=0.5", true),
            ("x-gzip ; q=1", true),
            ("gzip; Q=0.5", true),
            ("gzip;", true),
            ("gzip;Q=0", false),
            ("gzip; Q=0.0", false),
            ("gzip;level=9", false),
            ("gzip;q=1;level=9", false),
            ("gzip;q", false),
            ("gzip;q=0", false),
            ("gzip;q=0.000", false),
            ("gzip;q=x", false),
            ("chunked", false),
            ("*", false),
            ("identity", false),
            ("", false),
        ] {
            assert_eq!(head(&format!("Accept-Encoding: {value}")).accepts_gzip, asks, "{value}");
        }
        assert!(!head("X: gzip").accepts_gzip);
    }

    #[test]
    fn what_was_packed_comes_out_whatever_the_pieces() {
        for data in [&b""[..], b"x", &b"hello, ".repeat(5000), &noise(5000)] {
            let input = packed(data);
            for size in [1, 2, 7, 64, usize::MAX] {
                assert_eq!(unpack(&input, size, data.len() as u64).as_deref(), Ok(data), "in pieces of {size}");
            }
        }
        // Several members in a row are one body (RFC 1952, 2.2).
        let two = [packed(b"one "), packed(b"two")].concat();
        for size in [1, 3, usize::MAX] {
            assert_eq!(unpack(&two, size, 100).as_deref(), Ok(&b"one two"[..]));
        }
    }

    #[test]
    fn a_bomb_is_stopped_at_the_limit() {
        let bomb = packed(&vec![b' '; 10 << 20]);
        assert!(bomb.len() < 20_000);
        let limit = 1 << 20;
        let mut unpacker = Unpacker::new(limit);
        let (mut total, mut largest) = (0, 0);
        let mut end = Ok(());
        for piece in bomb.chunks(limits::PACKED_BLOCK_BYTES) {
            let mut count = |bytes: &[u8]| {
                total += bytes.len() as u64;
                largest = largest.max(bytes.len());
            };
            end = unpacker.push(piece, &mut count);
            if end.is_err() {
                break;
            }
        }
        assert_eq!(end, Err(Reject::TooLarge));
        assert!(total <= limit, "{total}");
        assert!(largest <= 128 * 1024, "{largest} bytes of one piece");
        assert_eq!(unpack(&packed(b"12345"), 100, 4), Err(Reject::TooLarge));
    }

    #[test]
    fn what_is_broken_is_refused() {
        let sound = packed(b"hello, hello, hello");
        assert_eq!(unpack(b"", 1, 100), Err(Reject::BadRequest));
        assert_eq!(unpack(b"<?xml version='1.0'?>", 100, 100), Err(Reject::BadRequest));
        for end in 0..sound.len() {
            assert_eq!(unpack(&sound[..end], 100, 100), Err(Reject::BadRequest), "cut at {end}");
        }
        for at in 10..sound.len() {
            let mut broken = sound.clone();
            broken[at] ^= 0x55;
            assert!(unpack(&broken, 100, 100).is_err(), "changed at {at}");
        }
        assert!(unpack(&[&sound[..], b"more"].concat(), 100, 100).is_err());
    }

    #[test]
    fn only_what_shrinks_well_is_packed() {
        let text = "<value><string>worker_0001</string></value>\n".repeat(50_000);
        let (least, most) = (*limits::PACK_BYTES.start(), *limits::PACK_BYTES.end());
        for size in [least, 100_000, most] {
            let body = &text.as_bytes()[..size];
            let packed = pack(body).unwrap();
            assert!(packed.len() < size / 4);
            assert_eq!(unpack(&packed, usize::MAX, size as u64).as_deref(), Ok(body));
        }
        assert!(pack(&text.as_bytes()[..least - 1]).is_none());
        assert!(pack(&vec![b' '; most + 1]).is_none());
        assert!(pack(&noise(most)).is_none());
        // Hexadecimal noise shrinks, but not to half.
        let hex: Vec<u8> = noise(most / 2).iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect();
        assert!(pack(&hex).is_none());
        // What turns out to be noise after a good beginning.
        assert!(pack(&[&text.as_bytes()[..100_000], &noise(most - 100_000)].concat()).is_none());
    }
}
