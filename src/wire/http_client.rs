//! HTTP as a client sees it: requests out, responses in, piece by piece. Opens no connection and never waits.

use crate::base::limits;
use crate::base::text::push_decimal;
use crate::wire::http_body::BodyReader;
use crate::wire::http_headers::Headers;
use crate::wire::http_in::{Framing, Reject, parse_length};
use crate::wire::http_out::write_header;

/// Appends a request. The body's length is sent with a body, and with every POST; `headers` must not say it.
pub fn write_request(out: &mut Vec<u8>, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) {
    out.extend_from_slice(method.as_bytes());
    out.push(b' ');
    out.extend_from_slice(path.as_bytes());
    out.extend_from_slice(b" HTTP/1.1\r\n");
    for (name, value) in headers {
        write_header(out, name, value);
    }
    if !body.is_empty() || method == "POST" {
        out.extend_from_slice(b"Content-Length: ");
        push_decimal(out, body.len() as u64);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(body);
}

/// A response's head.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ResponseHead {
    /// Status code.
    pub status: u16,
    /// The reason phrase, as sent.
    pub reason: String,
    /// Header lines: lower-case names, trimmed values.
    pub headers: Headers,
}

impl ResponseHead {
    /// The first value of a header, by lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.values(name).next()
    }
}

/// The bytes are no HTTP response, or it was cut short.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BadResponse;

impl From<Reject> for BadResponse {
    fn from(_: Reject) -> BadResponse {
        BadResponse
    }
}

/// Reads one response to anything but a HEAD request.
#[derive(Debug, Default)]
pub struct ResponseReader {
    /// The head as far as it has come.
    held: Vec<u8>,
    head: Option<ResponseHead>,
    body: Body,
}

#[derive(Debug, Default)]
enum Body {
    #[default]
    Unknown,
    Framed(BodyReader),
    UntilClose,
    Complete,
}

impl ResponseReader {
    /// A reader that has seen nothing.
    pub fn new() -> ResponseReader {
        ResponseReader::default()
    }

    /// Takes input and hands the body's bytes to `sink`, in order. Returns how many bytes of input were used: all of
    /// them unless the response ends within. Interim responses (1xx) are skipped.
    pub fn push(&mut self, input: &[u8], sink: &mut dyn FnMut(&[u8])) -> Result<usize, BadResponse> {
        let mut used = 0;
        while self.head.is_none() {
            let Some(line) = input[used..].split_inclusive(|byte| *byte == b'\n').next() else {
                return Ok(used);
            };
            used += line.len();
            self.held.extend_from_slice(line);
            if self.held.len() > limits::HEAD_BYTES {
                return Err(BadResponse);
            }
            if self.held.ends_with(b"\n\r\n") || self.held.ends_with(b"\n\n") {
                self.take_head()?;
            }
        }
        used += match &mut self.body {
            Body::Framed(reader) => reader.push(&input[used..], sink)?,
            Body::UntilClose if used < input.len() => {
                sink(&input[used..]);
                input.len() - used
            }
            _ => 0,
        };
        Ok(used)
    }

    /// The head, once it is complete.
    pub fn head(&self) -> Option<&ResponseHead> {
        self.head.as_ref()
    }

    /// Whether the response is complete. One that the end of the connection delimits never is before
    /// [`ResponseReader::finish_at_eof`].
    pub fn is_done(&self) -> bool {
        match &self.body {
            Body::Framed(reader) => reader.is_done(),
            Body::Complete => true,
            Body::Unknown | Body::UntilClose => false,
        }
    }

    /// The connection ended. An error if the response is not complete.
    pub fn finish_at_eof(&mut self) -> Result<(), BadResponse> {
        if matches!(self.body, Body::UntilClose) {
            self.body = Body::Complete;
        }
        if self.is_done() { Ok(()) } else { Err(BadResponse) }
    }

    fn take_head(&mut self) -> Result<(), BadResponse> {
        let block = std::mem::take(&mut self.held);
        let line_end = block.iter().position(|byte| *byte == b'\n').ok_or(BadResponse)?;
        let (status, reason) = status_line(&block[..line_end]).ok_or(BadResponse)?;
        if (100..200).contains(&status) {
            return Ok(());
        }
        let mut headers = Headers::default();
        headers.read(&block[line_end + 1..]).ok_or(BadResponse)?;
        let length = headers.values("content-length").next();
        // No limit on a body: a followed log goes on for ever, and what is kept of it is the caller's business.
        self.body = if status == 204 || status == 304 {
            Body::Complete
        } else if headers.lists("transfer-encoding", "chunked") {
            Body::Framed(BodyReader::new(Framing::Chunked, u64::MAX)?)
        } else if let Some(length) = length {
            let length = parse_length(length).ok_or(BadResponse)?;
            Body::Framed(BodyReader::new(Framing::Length(length), u64::MAX)?)
        } else {
            Body::UntilClose
        };
        self.head = Some(ResponseHead { status, reason, headers });
        Ok(())
    }
}

/// `HTTP/1.1 200 OK`: status and reason, which may be missing.
fn status_line(line: &[u8]) -> Option<(u16, String)> {
    let line = String::from_utf8_lossy(line);
    let mut words = line.trim_end().splitn(3, ' ');
    let status = words.next()?.starts_with("HTTP/").then(|| words.next())??;
    let digits = status.len() == 3 && status.bytes().all(|byte| byte.is_ascii_digit());
    Some((digits.then(|| status.parse().ok())??, words.next().unwrap_or_default().trim().to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::split::cuts;

    /// Head, body, bytes used, and whether the response is complete before and after the connection ends.
    type Read = (Option<ResponseHead>, Vec<u8>, usize, bool, bool);

    fn read(pieces: &[&[u8]]) -> Result<Read, BadResponse> {
        let (mut reader, mut body, mut used) = (ResponseReader::new(), Vec::new(), 0);
        for piece in pieces {
            if !reader.is_done() {
                used += reader.push(piece, &mut |data| body.extend_from_slice(data))?;
            }
        }
        let done = reader.is_done();
        let ended = reader.finish_at_eof().is_ok();
        Ok((reader.head().cloned(), body, used, done, ended))
    }

    #[test]
    fn http_141_requests() {
        let mut out = Vec::new();
        write_request(&mut out, "POST", "/RPC2", &[("Host", "localhost"), ("Content-Type", "text/xml")], b"<a/>");
        assert_eq!(
            out,
            b"POST /RPC2 HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\nContent-Length: 4\r\n\r\n<a/>"
        );
        out.clear();
        write_request(&mut out, "GET", "/mainlogtail", &[("Host", "localhost")], b"");
        assert_eq!(out, b"GET /mainlogtail HTTP/1.1\r\nHost: localhost\r\n\r\n");
    }

    #[test]
    fn http_141_responses_by_length() {
        let (head, body, used, done, ended) =
            read(&[b"HTTP/1.1 200 OK\r\nServer: Medusa/1.12\r\nContent-Length: 3\r\n\r\nabcHTTP"]).unwrap();
        let head = head.unwrap();
        assert_eq!((head.status, &*head.reason, head.header("server")), (200, "OK", Some("Medusa/1.12")));
        assert_eq!((&*body, used, done, ended), (&b"abc"[..], 62, true, true));
        let (head, _, _, done, ended) = read(&[b"HTTP/1.0 401 Not You At All\r\nContent-Length: 3\r\n\r\nab"]).unwrap();
        assert_eq!((&*head.unwrap().reason, done, ended), ("Not You At All", false, false));
        let (head, _, _, done, _) = read(&[b"HTTP/1.1 304\r\n\r\n"]).unwrap();
        assert_eq!((head.unwrap().status, done), (304, true));
    }

    #[test]
    fn http_143_responses_chunked_or_until_close() {
        let (_, body, _, done, _) =
            read(&[b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"]).unwrap();
        assert_eq!((&*body, done), (&b"abc"[..], true));
        let (_, body, _, done, ended) = read(&[b"HTTP/1.1 200 OK\r\n\r\nabc"]).unwrap();
        assert_eq!((&*body, done, ended), (&b"abc"[..], false, true));
        let (head, _, _, _, ended) = read(&[b"HTTP/1.1 200 OK\r\n"]).unwrap();
        assert_eq!((head, ended), (None, false));
    }

    #[test]
    fn http_028_interim_responses_are_skipped() {
        let (head, body, ..) =
            read(&[b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"]).unwrap();
        assert_eq!((head.unwrap().status, &*body), (200, &b"x"[..]));
    }

    #[test]
    fn http_141_what_is_no_response() {
        for input in [
            "SSH-2.0-x\r\n\r\n",
            "HTTP/1.1 2x0 OK\r\n\r\n",
            "HTTP/1.1 +20 OK\r\n\r\n",
            "HTTP/1.1\r\n\r\n",
            "HTTP/1.1 200 OK\r\nbad\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx",
        ] {
            assert_eq!(read(&[input.as_bytes()]), Err(BadResponse), "{input:?}");
        }
        assert_eq!(read(&[&[b'x'; limits::HEAD_BYTES + 1]]), Err(BadResponse));
    }

    #[test]
    fn http_141_143_every_split_reads_the_same() {
        let responses: [&[u8]; 3] = [
            b"HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 12\r\n\r\nhello, worldHTTP/1.1",
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n",
            b"HTTP/1.0 500 Internal Server Error\nDate: x\n\nuntil the end",
        ];
        for input in responses {
            let whole = read(&[input]).unwrap();
            for cut in cuts(input) {
                assert_eq!(read(&cut), Ok(whole.clone()));
            }
        }
    }
}
