//! Undoes the framing of HTTP bodies, piece by piece, for requests and responses alike. Keeps no body: what it
//! takes goes to the caller's sink at once.

use crate::base::limits;
use crate::wire::http_in::{Framing, Reject};

/// Undoes the framing of a body.
#[derive(Debug)]
pub struct BodyReader {
    expect: Expect,
    /// Bytes that chunks may still bring.
    budget: u64,
}

/// What comes next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Expect {
    /// So many bytes of the body, then its end.
    Body(u64),
    /// The line in front of a chunk.
    Size(SizeLine),
    /// So many bytes of a chunk.
    Data(u64),
    /// The line end behind a chunk; whether its CR was seen.
    DataEnd { cr: bool },
    /// Lines behind the last chunk, which are dropped, up to an empty one.
    Trailer { line: usize, total: usize, cr: bool },
    /// Nothing.
    Done,
}

/// A size line as far as it was read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct SizeLine {
    size: u64,
    digits: u32,
    length: usize,
    /// Behind the digits: extensions, which are dropped.
    extension: bool,
    cr: bool,
}

impl SizeLine {
    /// Takes one byte; the size once the line is complete.
    fn take(&mut self, byte: u8) -> Result<Option<u64>, Reject> {
        self.length += 1;
        match byte {
            b'\n' if self.cr => return Ok(Some(self.size)),
            b'\r' if !self.cr && self.digits > 0 => self.cr = true,
            // A lone CR, or a lone LF, could end the line for somebody else.
            _ if self.cr || self.length > limits::CHUNK_LINE_BYTES => return Err(Reject::BadRequest),
            b';' | b' ' | b'\t' if self.digits > 0 => self.extension = true,
            b'\t' | b' '..=b'~' | 0x80.. if self.extension => {}
            _ => {
                let digit = char::from(byte).to_digit(16).ok_or(Reject::BadRequest)?;
                self.digits += 1;
                if self.digits > 16 {
                    return Err(Reject::TooLarge);
                }
                self.size = self.size << 4 | u64::from(digit);
            }
        }
        Ok(None)
    }
}

impl BodyReader {
    /// `limit`: bytes of body past which it is refused with [`Reject::TooLarge`] (at once, if announced).
    pub fn new(framing: Framing, limit: u64) -> Result<BodyReader, Reject> {
        let expect = match framing {
            Framing::Empty | Framing::Length(0) => Expect::Done,
            Framing::Length(length) if length > limit => return Err(Reject::TooLarge),
            Framing::Length(length) => Expect::Body(length),
            Framing::Chunked => Expect::Size(SizeLine::default()),
        };
        Ok(BodyReader { expect, budget: limit })
    }

    /// Takes input and hands the body's bytes to `sink`, in order. Returns how many bytes of input were used; all of
    /// them unless the body ends within.
    pub fn push(&mut self, input: &[u8], sink: &mut dyn FnMut(&[u8])) -> Result<usize, Reject> {
        let mut rest = input;
        while let [byte, behind @ ..] = rest
            && self.expect != Expect::Done
        {
            match self.expect {
                Expect::Body(left) => {
                    let left = left - hand_over(&mut rest, left, sink);
                    self.expect = if left == 0 { Expect::Done } else { Expect::Body(left) };
                }
                Expect::Data(left) => {
                    let left = left - hand_over(&mut rest, left, sink);
                    self.expect = if left == 0 { Expect::DataEnd { cr: false } } else { Expect::Data(left) };
                }
                _ => {
                    self.expect = self.framing_byte(*byte)?;
                    rest = behind;
                }
            }
        }
        Ok(input.len() - rest.len())
    }

    /// What is still to come of a body whose length is known, if all of that is here.
    pub fn whole<'a>(&self, input: &'a [u8]) -> Option<&'a [u8]> {
        match self.expect {
            Expect::Body(length) => input.get(..usize::try_from(length).ok()?),
            _ => None,
        }
    }

    /// Whether the body is complete.
    pub fn is_done(&self) -> bool {
        self.expect == Expect::Done
    }

    /// Takes one byte of what surrounds chunks.
    fn framing_byte(&mut self, byte: u8) -> Result<Expect, Reject> {
        match self.expect {
            Expect::Size(mut line) => match line.take(byte)? {
                None => Ok(Expect::Size(line)),
                Some(0) => Ok(Expect::Trailer { line: 0, total: 0, cr: false }),
                Some(size) => {
                    self.budget = self.budget.checked_sub(size).ok_or(Reject::TooLarge)?;
                    Ok(Expect::Data(size))
                }
            },
            Expect::DataEnd { cr } => match byte {
                b'\n' if cr => Ok(Expect::Size(SizeLine::default())),
                b'\r' if !cr => Ok(Expect::DataEnd { cr: true }),
                _ => Err(Reject::BadRequest),
            },
            Expect::Trailer { line, total, cr } => match byte {
                b'\n' if !cr => Err(Reject::BadRequest),
                b'\n' if line == 0 => Ok(Expect::Done),
                b'\n' => Ok(Expect::Trailer { line: 0, total: total + 1, cr: false }),
                _ if cr || total >= limits::HEAD_BYTES => Err(Reject::BadRequest),
                b'\r' => Ok(Expect::Trailer { line, total: total + 1, cr: true }),
                _ => Ok(Expect::Trailer { line: line + 1, total: total + 1, cr: false }),
            },
            other => Ok(other),
        }
    }
}

/// Hands up to `left` bytes over; how many it were.
fn hand_over(rest: &mut &[u8], left: u64, sink: &mut dyn FnMut(&[u8])) -> u64 {
    let count = usize::try_from(left).map_or(rest.len(), |left| left.min(rest.len()));
    let (data, behind) = rest.split_at(count);
    sink(data);
    *rest = behind;
    count as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::split::cuts;

    const LIMIT: u64 = 1000;

    /// The body, how many bytes it took, and whether it is complete.
    fn read(framing: Framing, pieces: &[&[u8]]) -> Result<(Vec<u8>, usize, bool), Reject> {
        let mut reader = BodyReader::new(framing, LIMIT)?;
        let (mut body, mut used) = (Vec::new(), 0);
        for piece in pieces {
            let took = reader.push(piece, &mut |data| body.extend_from_slice(data))?;
            assert!(took == piece.len() || reader.is_done());
            used += took;
        }
        Ok((body, used, reader.is_done()))
    }

    fn chunked(input: &str) -> Result<(String, usize, bool), Reject> {
        let (body, used, done) = read(Framing::Chunked, &[input.as_bytes()])?;
        Ok((String::from_utf8(body).unwrap(), used, done))
    }

    #[test]
    fn http_026_lengths() {
        assert_eq!(read(Framing::Empty, &[b"x"]), Ok((vec![], 0, true)));
        assert_eq!(read(Framing::Length(0), &[b"x"]), Ok((vec![], 0, true)));
        assert_eq!(read(Framing::Length(3), &[b"abcd"]), Ok((b"abc".to_vec(), 3, true)));
        assert_eq!(read(Framing::Length(5), &[b"ab", b"", b"cd"]), Ok((b"abcd".to_vec(), 4, false)));
    }

    #[test]
    fn http_024_body_limits() {
        assert_eq!(read(Framing::Length(LIMIT + 1), &[]), Err(Reject::TooLarge));
        assert_eq!(read(Framing::Length(LIMIT), &[]), Ok((vec![], 0, false)));
        assert_eq!(chunked("3e9\r\n"), Err(Reject::TooLarge));
        assert_eq!(chunked("10000000000000000\r\n"), Err(Reject::TooLarge));
        assert_eq!(chunked("ffffffffffffffff\r\n"), Err(Reject::TooLarge));
        let full = format!("3e8\r\n{}\r\n", "x".repeat(1000));
        assert!(chunked(&full).is_ok());
        assert_eq!(chunked(&format!("{full}1\r\n")), Err(Reject::TooLarge));
    }

    #[test]
    fn http_027_chunks() {
        let ok = |body: &str, used, done| Ok((body.to_string(), used, done));
        assert_eq!(chunked("3\r\nabc\r\n00A;x=\"y\"\r\n0123456789\r\n0\r\n\r\nGET"), ok("abc0123456789", 36, true));
        assert_eq!(chunked("3 \r\nabc\r\n0\r\nA: b\r\nC: d\r\n\r\n"), ok("abc", 26, true));
        assert_eq!(chunked("3\r\nabc\r\n0\r\n"), ok("abc", 11, false));
        for input in
            ["\r\n", ";\r\n", " 3\r\n", "g\r\n", "0x3\r\n", "-1\r\n", "3\r\nabcd", "3\rx", "3;\rx\n", "3\r\r\n", "3;\0"]
        {
            assert_eq!(chunked(input), Err(Reject::BadRequest), "{input:?}");
        }
        // A lone LF is no line's end.
        for input in ["3\n", "3;x\n", "3\r\nabc\n", "0\n", "0\r\n\n", "0\r\nA: b\n", "0\r\nA: b\r\n\n"] {
            assert_eq!(chunked(input), Err(Reject::BadRequest), "{input:?}");
        }
    }

    #[test]
    fn http_027_extensions_and_trailers_are_bounded() {
        assert!(chunked(&format!("3;{}\r\n", "x".repeat(1000))).is_ok());
        assert_eq!(chunked(&format!("3;{}\r\n", "x".repeat(limits::CHUNK_LINE_BYTES))), Err(Reject::BadRequest));
        assert_eq!(chunked(&"0".repeat(limits::CHUNK_LINE_BYTES + 1)), Err(Reject::TooLarge));
        assert_eq!(chunked(&format!("0\r\n{}", "A: b\r\n".repeat(limits::HEAD_BYTES))), Err(Reject::BadRequest));
    }

    #[test]
    fn http_027_every_split_reads_the_same() {
        let input =
            b"3;a\r\nabc\r\n1F\r\n0123456789abcdef0123456789ABCDE\r\n0\r\nTrailer: x\r\nB: c\r\n\r\nGET / HTTP/1.1";
        let whole = read(Framing::Chunked, &[input]).unwrap();
        assert_eq!((whole.0.len(), whole.2), (34, true));
        for cut in cuts(input) {
            assert_eq!(read(Framing::Chunked, &cut), Ok(whole.clone()));
        }
        for cut in cuts(b"0123456789") {
            assert_eq!(read(Framing::Length(7), &cut), Ok((b"0123456".to_vec(), 7, true)));
        }
    }
}
