//! HTTP request heads, read piece by piece. Says what a request asks for and how its body is delimited; it never
//! decides what to answer, and never looks at bytes behind the head.

use crate::base::limits;
use crate::base::text::percent_decode;

pub use crate::wire::http_body::BodyReader;
use crate::wire::http_headers::{Headers, push_lossy};
use crate::wire::scan::find;

/// The version a request speaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Version {
    /// A request line without a version: answered as HTTP/1.0, then closed (HTTP-040).
    None,
    /// HTTP/1.0.
    Http10,
    /// HTTP/1.1.
    Http11,
}

/// How the body is delimited.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Framing {
    /// There is none.
    Empty,
    /// So many bytes.
    Length(u64),
    /// Chunked transfer coding.
    Chunked,
}

/// A request head. It can be read into again and again, in the same room.
#[derive(Clone, PartialEq, Debug)]
pub struct Head {
    /// `GET`, as written.
    pub method: String,
    /// The request target as written (for the access log).
    pub target: String,
    /// The path, percent-decoded, without query, `;params` and fragment (HTTP-025); of an absolute-form target, its
    /// path (HTTP-065).
    pub path: String,
    /// What stands behind `?`, undecoded.
    pub query: Option<String>,
    /// Version.
    pub version: Version,
    /// Header lines: lower-case names, trimmed values (lossy UTF-8).
    pub headers: Headers,
    /// `None`: neither Content-Length nor chunked; a POST then gets 411 (HTTP-026).
    pub framing: Option<Framing>,
    /// `Expect: 100-continue`.
    pub expects_continue: bool,
    /// Whether the client allows the connection to stay open (HTTP-044).
    pub keep_alive: bool,
}

impl Head {
    /// The first value of a header, by lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.values(name).next()
    }

    /// All values of a header, by lower-case name.
    pub fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.headers.values(name)
    }
}

impl Default for Head {
    fn default() -> Head {
        Head {
            method: String::new(),
            target: String::new(),
            path: String::new(),
            query: None,
            version: Version::None,
            headers: Headers::default(),
            framing: None,
            expects_continue: false,
            keep_alive: false,
        }
    }
}

/// Why a request can't be answered properly; the status to say so with. The connection closes afterwards.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reject {
    /// 400: malformed, or a head past its limit.
    BadRequest,
    /// 413: a body past its limit.
    TooLarge,
}

/// Finds and reads heads. Remembers how far it looked, so a slow sender costs linear time.
#[derive(Default, Debug)]
pub struct HeadReader {
    /// Empty lines in front of the request line end here (HTTP-022).
    start: usize,
    /// No head ends before this.
    searched: usize,
    /// A line that ends without a CR: not every reader takes it for the end of a line.
    bare: bool,
}

impl HeadReader {
    /// Reads one head from the start of `input`, which must begin with the bytes given before, if any. Returns the
    /// head and how many bytes it took, or `None` if more are needed. Leading empty lines are skipped.
    pub fn read(&mut self, input: &[u8]) -> Result<Option<(Head, usize)>, Reject> {
        let mut head = Head::default();
        Ok(self.read_into(input, &mut head)?.map(|taken| (head, taken)))
    }

    /// The same in place of another head, which is anything if none is read.
    pub fn read_into(&mut self, input: &[u8], head: &mut Head) -> Result<Option<usize>, Reject> {
        self.start += blank_lines(input.get(self.start..).unwrap_or_default());
        // What can't become a request (say, a TLS greeting) is refused without waiting for an end it won't have.
        if input.get(self.start).is_some_and(|byte| !is_token(*byte)) {
            return Err(Reject::BadRequest);
        }
        let end = self.find_end(input);
        if self.bare {
            return Err(Reject::BadRequest);
        }
        match end {
            Some(end) if end - self.start <= limits::HEAD_BYTES => {
                parse(&input[self.start..end], head)?;
                *self = HeadReader::default();
                Ok(Some(end))
            }
            None if input.len() <= limits::HEAD_BYTES => Ok(None),
            _ => Err(Reject::BadRequest),
        }
    }

    /// The version that a head speaks which was refused, if its first line says so.
    pub fn version(input: &[u8]) -> Version {
        let line = &input[blank_lines(input)..];
        let line = line.split(|byte| *byte == b'\n').next().unwrap_or_default();
        request_line(line.strip_suffix(b"\r").unwrap_or(line)).map_or(Version::None, |(.., version)| version)
    }

    /// Where the empty line that ends the head ends.
    fn find_end(&mut self, input: &[u8]) -> Option<usize> {
        let mut at = self.searched.max(self.start);
        while let Some(offset) = find(input.get(at..)?, b'\n') {
            at += offset;
            self.bare |= at == 0 || input[at - 1] != b'\r';
            match &input[at + 1..] {
                [b'\n', ..] => {
                    self.bare = true;
                    return Some(at + 2);
                }
                [b'\r', b'\n', ..] => return Some(at + 3),
                [] | [b'\r'] => {
                    self.searched = at;
                    return None;
                }
                _ => at += 1,
            }
        }
        self.searched = input.len();
        None
    }
}

/// How many bytes of empty lines `input` begins with (HTTP-155): a connection that holds nothing else is idle.
pub fn blank_lines(input: &[u8]) -> usize {
    input.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count()
}

/// A Content-Length: digits only (HTTP-026). One that no number can hold is past every limit.
pub(crate) fn parse_length(value: &str) -> Option<u64> {
    let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| value.parse().unwrap_or(u64::MAX))
}

fn parse(block: &[u8], head: &mut Head) -> Result<(), Reject> {
    let line_end = find(block, b'\n').ok_or(Reject::BadRequest)?;
    let line = block[..line_end].strip_suffix(b"\r").unwrap_or(&block[..line_end]);
    let (method, target, version) = request_line(line).ok_or(Reject::BadRequest)?;
    head.headers.read(&block[line_end + 1..]).ok_or(Reject::BadRequest)?;
    for (room, bytes) in [(&mut head.method, method), (&mut head.target, target)] {
        room.clear();
        push_lossy(room, bytes);
    }
    split_target(&head.target, &mut head.path, &mut head.query);
    let headers = &head.headers;
    head.version = version;
    head.framing = framing(headers, version)?;
    head.expects_continue =
        version == Version::Http11 && headers.values("expect").any(|value| value.eq_ignore_ascii_case("100-continue"));
    head.keep_alive = match version {
        Version::Http11 => !headers.lists("connection", "close"),
        Version::Http10 => headers.lists("connection", "keep-alive") && !headers.lists("connection", "close"),
        Version::None => false,
    };
    Ok(())
}

/// Method, target and version; exactly one blank between (HTTP-020).
fn request_line(line: &[u8]) -> Option<(&[u8], &[u8], Version)> {
    let mut words = line.split(|byte| *byte == b' ');
    let (method, target, version) = (words.next()?, words.next()?, words.next());
    let version = match version {
        None => Version::None,
        Some(b"HTTP/1.0") => Version::Http10,
        // A later 1.x is to be read as the latest one known.
        Some([b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'1'..=b'9']) => Version::Http11,
        Some(_) => return None,
    };
    let printable = !target.is_empty() && !target.iter().any(u8::is_ascii_control);
    let method_ok = !method.is_empty() && method.iter().all(|byte| is_token(*byte));
    (words.next().is_none() && printable && method_ok).then_some((method, target, version))
}

/// Path and query of a target (HTTP-025, HTTP-065).
fn split_target(target: &str, path: &mut String, query: &mut Option<String>) {
    let local = ["http://", "https://"]
        .iter()
        .find(|scheme| target.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))
        .map_or(target, |scheme| {
            let rest = &target[scheme.len()..];
            rest.find(['/', ';', '?', '#']).map_or("", |at| &rest[at..])
        });
    let absolute = local.len() != target.len();
    let local = local.split_once('#').map_or(local, |(before, _)| before);
    let (before, behind) = local.split_once('?').map_or((local, None), |(path, query)| (path, Some(query)));
    let before = before.split_once(';').map_or(before, |(before, _)| before);
    path.clear();
    match before.contains('%') {
        true => path.push_str(&String::from_utf8_lossy(&percent_decode(before))),
        false => path.push_str(before),
    }
    if path.is_empty() && absolute {
        path.push('/');
    }
    *query = behind.map(str::to_string);
}

/// How the body is delimited. Anything two readers could understand differently is refused (RFC 9112, 6.3).
fn framing(headers: &Headers, version: Version) -> Result<Option<Framing>, Reject> {
    let mut codings = headers.values("transfer-encoding");
    let mut lengths = headers.values("content-length");
    match (codings.next(), lengths.next()) {
        (None, None) => Ok(None),
        (None, Some(length)) if lengths.next().is_none() => {
            parse_length(length).map(|length| Some(Framing::Length(length))).ok_or(Reject::BadRequest)
        }
        (Some(coding), None)
            if version == Version::Http11 && codings.next().is_none() && coding.eq_ignore_ascii_case("chunked") =>
        {
            Ok(Some(Framing::Chunked))
        }
        _ => Err(Reject::BadRequest),
    }
}

/// A byte that a method or a header's name may have (RFC 9110, 5.6.2).
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::split::cuts;

    fn read(input: &str) -> Result<Option<(Head, usize)>, Reject> {
        HeadReader::default().read(input.as_bytes())
    }

    fn head(input: &str) -> Head {
        read(input).unwrap().expect("a whole head").0
    }

    fn refused(input: &str) -> bool {
        read(input) == Err(Reject::BadRequest)
    }

    #[test]
    fn http_020_request_lines() {
        let one = head("POST /RPC2 HTTP/1.1\r\nHost: localhost\r\n\r\n");
        assert_eq!((&*one.method, &*one.target, one.version), ("POST", "/RPC2", Version::Http11));
        assert_eq!(head("GET / HTTP/1.0\r\n\r\n").version, Version::Http10);
        assert_eq!(head("GET / HTTP/1.7\r\n\r\n").version, Version::Http11);
        assert_eq!(head("BREW-1 * HTTP/1.1\r\n\r\n").path, "*");
    }

    #[test]
    fn http_040_no_version_closes() {
        let bare = head("GET /ok.html\r\n\r\n");
        assert_eq!((bare.version, bare.keep_alive), (Version::None, false));
        assert!(!head("GET /ok.html\r\nConnection: keep-alive\r\n\r\n").keep_alive);
    }

    #[test]
    fn http_021_malformed_request_lines() {
        for line in [
            "GET",
            "GET ",
            "GET  / HTTP/1.1",
            "GET /  HTTP/1.1",
            "GET / HTTP/1.1 ",
            " GET / HTTP/1.1",
            "GET / HTTP/2.0",
            "GET / HTTP/1",
            "GET / http/1.1",
            "GET / HTTP/1.1 x",
            "G(T / HTTP/1.1",
            "GET /\u{7f} HTTP/1.1",
            "GET /a\tb HTTP/1.1",
        ] {
            assert!(refused(&format!("{line}\r\n\r\n")), "{line}");
        }
        // What never becomes a request is refused at once.
        assert_eq!(HeadReader::default().read(b"\x16\x03\x01"), Err(Reject::BadRequest));
    }

    #[test]
    fn http_022_155_ends_and_blank_lines() {
        assert_eq!(read("GET / HTTP/1.1\r\n"), Ok(None));
        assert_eq!(read("GET / HTTP/1.1\r\n\r"), Ok(None));
        assert_eq!(read(""), Ok(None));
        assert_eq!(read("\r\n"), Ok(None));
        assert_eq!(blank_lines(b"\r\n\r\nGET"), 4);
        let (one, used) = read("\r\n\r\nGET /a HTTP/1.1\r\nA: b\r\n\r\nrest").unwrap().unwrap();
        assert_eq!((&*one.path, used), ("/a", 29));
        // A line end that not every reader takes for one could hide a request from a proxy.
        for bare in [
            "GET /a HTTP/1.1\n",
            "GET /a HTTP/1.1\nA: b\n\nrest",
            "GET /a HTTP/1.1\r\nA: b\nB: c\r\n\r\n",
            "GET /a HTTP/1.1\r\nA: b\r\n\n",
            "GET /a HTTP/1.1\r\nA: b\n\r\n",
            "GET /a\n\n",
        ] {
            assert!(refused(bare), "{bare:?}");
        }
    }

    #[test]
    fn http_029_pipelined_heads() {
        let input = b"GET /a HTTP/1.1\r\n\r\n\r\nGET /b HTTP/1.1\r\n\r\n";
        let mut reader = HeadReader::default();
        let (first, used) = reader.read(input).unwrap().unwrap();
        let (second, rest) = reader.read(&input[used..]).unwrap().unwrap();
        assert_eq!((&*first.path, &*second.path, used + rest), ("/a", "/b", input.len()));
    }

    #[test]
    fn http_023_headers() {
        let one =
            head("GET / HTTP/1.1\r\nHOST:a\r\nEmpty:\r\nX-Pad: \t b c \t\r\nX: 1\r\nx: 2\r\nU: caf\u{e9}\r\n\r\n");
        assert_eq!(one.header("host"), Some("a"));
        assert_eq!(one.header("empty"), Some(""));
        assert_eq!(one.header("x-pad"), Some("b c"));
        assert_eq!(one.header("x"), Some("1"));
        assert_eq!(one.header("u"), Some("caf\u{e9}"));
        assert_eq!(one.header("none"), None);
        let folded = head("GET / HTTP/1.1\r\nA: one\r\n two\r\n\tthree\r\nB: c\r\n\r\n");
        assert_eq!((folded.header("a"), folded.header("b")), (Some("one two\tthree"), Some("c")));
        let framing = ["Content-Length: 1\r\n 2", "content-length:\r\n 1", "Transfer-Encoding:\r\n\tchunked"];
        for line in ["A: b\r\n", ""].iter().flat_map(|before| framing.map(|line| format!("{before}{line}"))) {
            assert!(refused(&format!("POST / HTTP/1.1\r\n{line}\r\n\r\n")), "{line:?}");
        }
        assert_eq!(head("POST / HTTP/1.1\r\nA: b\r\n c\r\nContent-Length: 1\r\n\r\n").header("a"), Some("b c"));
        for line in ["no colon", "A : b", ": b", " A: b", "A: b\0", "A b: c", "A: b\rC: d"] {
            assert!(refused(&format!("GET / HTTP/1.1\r\n{line}\r\n\r\n")), "{line:?}");
        }
    }

    #[test]
    fn http_024_head_limits() {
        let long = |count| format!("GET / HTTP/1.1\r\nA: {}\r\n\r\n", "x".repeat(count));
        assert_eq!(head(&long(60_000)).header("a").map(str::len), Some(60_000));
        assert!(refused(&long(limits::HEAD_BYTES)));
        assert!(refused(&"x".repeat(limits::HEAD_BYTES + 1)));
        assert!(refused(&format!("GET / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(limits::HEAD_LINES + 1))));
    }

    #[test]
    fn http_025_targets() {
        let split = |target: &str| {
            let head = head(&format!("GET {target} HTTP/1.1\r\n\r\n"));
            (head.path, head.query)
        };
        let pair = |path: &str, query: Option<&str>| (path.to_string(), query.map(str::to_string));
        assert_eq!(split("/logtail/grp%3Aproc"), pair("/logtail/grp:proc", None));
        assert_eq!(split("/a;x=1?b=%41;c#d?e"), pair("/a", Some("b=%41;c")));
        assert_eq!(split("/a%3Fb%3Bc%23d"), pair("/a?b;c#d", None));
        assert_eq!(split("/a#b?c"), pair("/a", None));
        assert_eq!(split("/?"), pair("/", Some("")));
        assert_eq!(split("/%ff%2"), pair("/\u{fffd}%2", None));
        assert_eq!(split("//RPC2"), pair("//RPC2", None));
    }

    #[test]
    fn http_065_absolute_form() {
        let path = |target: &str| head(&format!("POST {target} HTTP/1.1\r\n\r\n")).path;
        assert_eq!(path("http://h:9001/RPC2"), "/RPC2");
        assert_eq!(path("HTTPS://h/a%20b?c"), "/a b");
        assert_eq!(path("http://h"), "/");
        assert_eq!(path("http://h?x"), "/");
        assert_eq!(path("ftp://h/x"), "ftp://h/x");
        assert_eq!(head("GET http://h?x HTTP/1.1\r\n\r\n").query.as_deref(), Some("x"));
        assert_eq!(head("GET http://h/x HTTP/1.1\r\n\r\n").target, "http://h/x");
    }

    #[test]
    fn http_026_027_framing() {
        let framing = |lines: &str| read(&format!("POST / HTTP/1.1\r\n{lines}\r\n")).map(|it| it.unwrap().0.framing);
        assert_eq!(framing(""), Ok(None));
        assert_eq!(framing("Content-Length: 17\r\n"), Ok(Some(Framing::Length(17))));
        assert_eq!(framing("Content-Length: 0\r\n"), Ok(Some(Framing::Length(0))));
        assert_eq!(framing("content-length: 99999999999999999999\r\n"), Ok(Some(Framing::Length(u64::MAX))));
        assert_eq!(framing("Transfer-Encoding: Chunked\r\n"), Ok(Some(Framing::Chunked)));
        for lines in [
            "Content-Length: x\r\n",
            "Content-Length: -1\r\n",
            "Content-Length: +1\r\n",
            "Content-Length:\r\n",
            "Content-Length: 1, 1\r\n",
            "Content-Length: 1\r\nContent-Length: 1\r\n",
            "Content-Length: 1\r\nContent-Length: 2\r\n",
            "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: gzip, chunked\r\n",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        ] {
            assert_eq!(framing(lines), Err(Reject::BadRequest), "{lines:?}");
        }
        assert!(refused("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"));
    }

    #[test]
    fn http_028_expectations() {
        let expects = |version: &str| {
            head(&format!("POST / {version}\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\n")).expects_continue
        };
        assert!(expects("HTTP/1.1"));
        assert!(!expects("HTTP/1.0"));
        assert!(!head("POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\n").expects_continue);
    }

    #[test]
    fn http_044_155_keep_alive() {
        let keep = |version: &str, line: &str| head(&format!("GET / HTTP/{version}\r\n{line}\r\n\r\n")).keep_alive;
        assert!(keep("1.1", "Host: /run/supervisor.sock"));
        assert!(keep("1.1", "Connection: Upgrade, HTTP2-Settings"));
        assert!(!keep("1.1", "Connection: Close"));
        assert!(!keep("1.1", "Connection: close, TE"));
        assert!(!keep("1.1", "Connection: TE\r\nConnection: close"));
        assert!(!keep("1.0", "Host:"));
        assert!(keep("1.0", "Connection: Keep-Alive"));
        assert!(!keep("1.0", "Connection: keep-alive, close"));
    }

    #[test]
    fn http_020_023_every_split_reads_the_same() {
        let heads: [&[u8]; 5] = [
            b"\r\n\nPOST /RPC2;p?q HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\nContent-Length: 118\r\n\r\nbody",
            b"GET /ok.html HTTP/1.0\r\nConnection: Keep-Alive\r\nA: b\r\n c\r\n\r\n\r\n",
            b"GET /a\r\n\r\nGET /b\r\n\r\n",
            b"GET /a\r\nA: b\n\r\n",
            b"GET / HTTP/1.1\r\nA : b\r\n\r\n",
        ];
        for input in heads {
            let whole = HeadReader::default().read(input);
            assert_ne!(whole, Ok(None));
            for cut in cuts(input) {
                let (mut reader, mut have, mut got) = (HeadReader::default(), Vec::new(), Ok(None));
                for piece in cut {
                    have.extend_from_slice(piece);
                    got = reader.read(&have);
                    if got != Ok(None) {
                        break;
                    }
                }
                assert_eq!(got, whole);
            }
        }
    }
}
