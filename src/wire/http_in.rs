//! HTTP request heads, read piece by piece. Says what a request asks for and how its body is delimited; it never
//! decides what to answer, and never looks at bytes behind the head.

use crate::base::limits;
use crate::base::text::percent_decode;

use crate::base::scan::find;
use crate::wire::gzip::{self, Coding};
pub use crate::wire::http_body::BodyReader;
use crate::wire::http_headers::{Headers, push_lossy};

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
    /// How the body is packed.
    pub coding: Coding,
    /// Whether the client asks for packed answers.
    pub accepts_gzip: bool,
    source: Source,
}

/// The bytes that a head was read from, or none. Clients repeat themselves, and the same bytes mean the same.
#[derive(Clone, Default, Debug)]
struct Source(Vec<u8>);

/// Heads are equal if they say the same, however it was written.
impl PartialEq for Source {
    fn eq(&self, _: &Source) -> bool {
        true
    }
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
            coding: Coding::Plain,
            accepts_gzip: false,
            source: Source::default(),
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
        if !head.source.0.is_empty() && self.start == 0 && input.starts_with(&head.source.0) {
            *self = HeadReader::default();
            return Ok(Some(head.source.0.len()));
        }
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
    head.source.0.clear();
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
    head.coding = gzip::coding(headers);
    head.accepts_gzip = gzip::is_accepted(headers);
    if block.len() <= limits::KEEP_HEAD_BYTES {
        head.source.0.extend_from_slice(block);
    }
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
    // Nearly all are no more than a path.
    if target.starts_with('/') && !target.bytes().any(|byte| matches!(byte, b'#' | b'?' | b';' | b'%')) {
        path.clear();
        path.push_str(target);
        *query = None;
        return;
    }
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
#[path = "http_in_tests.rs"]
mod tests;
