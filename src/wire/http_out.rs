//! HTTP responses, written into a byte queue. Decides nothing about a connection: it says what it is told.

use std::io::Write;

use crate::base::scan::find;
use crate::base::text::push_decimal;
use crate::wire::http_in::Version;

/// The interim answer to `Expect: 100-continue` (HTTP-028).
pub const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// What a response's head says.
#[derive(Clone, Debug)]
pub struct ResponseHead<'a> {
    /// Echoed (HTTP-040).
    pub version: Version,
    /// Status code; the reason phrase follows from it (HTTP-042).
    pub status: u16,
    /// `Date`, already formatted (RFC 1123).
    pub date: &'a str,
    /// Specific headers, in order, behind Server and Date (HTTP-041).
    pub headers: &'a [(&'a str, &'a str)],
    /// `Content-Type`, if it stands behind the length: as that of pages and files does, and that of calls doesn't.
    pub kind: Option<&'a str>,
    /// The body's length; `None`: chunked for 1.1, until close otherwise. Of no account for statuses that have no
    /// body, such as 304.
    pub length: Option<u64>,
    /// Whether the connection stays open: decides `Connection: close` (HTTP-045) and `Connection: Keep-Alive` for
    /// HTTP/1.0 (HTTP-044). A body that only the end of the connection delimits closes it in any case.
    pub keep_alive: bool,
}

const REASONS: &[(u16, &str)] = &[
    (200, "OK"),
    (206, "Partial Content"),
    (301, "Moved Permanently"),
    (304, "Not Modified"),
    (400, "Bad Request"),
    (401, "Unauthorized"),
    (403, "Forbidden"),
    (404, "Not Found"),
    (405, "Method Not Allowed"),
    // Past a limit of ours.
    (408, "Request Timeout"),
    (411, "Length Required"),
    (413, "Request Entity Too Large"),
    (415, "Unsupported Media Type"),
    (416, "Range Not Satisfiable"),
    (421, "Misdirected Request"),
    (500, "Internal Server Error"),
    (503, "Service Unavailable"),
];

/// The reason phrase of a status (HTTP-042).
pub fn reason(status: u16) -> &'static str {
    REASONS.iter().find(|row| row.0 == status).map_or("Unknown", |row| row.1)
}

/// Appends a head, its empty line included.
pub fn write_head(out: &mut Vec<u8>, head: &ResponseHead<'_>) {
    let has_body = head.status != 304;
    let until_close = has_body && head.length.is_none() && head.version != Version::Http11;
    let version = if head.version == Version::Http11 { "HTTP/1.1 " } else { "HTTP/1.0 " };
    out.extend_from_slice(version.as_bytes());
    push_decimal(out, u64::from(head.status));
    out.push(b' ');
    out.extend_from_slice(reason(head.status).as_bytes());
    out.extend_from_slice(b"\r\nServer: Medusa/1.12\r\n");
    write_header(out, "Date", head.date);
    let closes = !head.keep_alive || until_close || head.version == Version::None;
    if closes {
        out.extend_from_slice(b"Connection: close\r\n");
    }
    for (name, value) in head.headers {
        write_header(out, name, value);
    }
    match head.length {
        _ if !has_body => {}
        Some(length) => {
            out.extend_from_slice(b"Content-Length: ");
            push_decimal(out, length);
            out.extend_from_slice(b"\r\n");
        }
        None if head.version == Version::Http11 => out.extend_from_slice(b"Transfer-Encoding: chunked\r\n"),
        None => {}
    }
    if let Some(kind) = head.kind.filter(|_| has_body) {
        write_header(out, "Content-Type", kind);
    }
    if !closes && head.version == Version::Http10 {
        out.extend_from_slice(b"Connection: Keep-Alive\r\n");
    }
    out.extend_from_slice(b"\r\n");
}

/// Where the body's length stands in a head of [`write_head`] that ends with it.
pub fn length_place(head: &[u8]) -> Option<usize> {
    let digits = head.strip_suffix(b"\r\n\r\n")?;
    let count = digits.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    digits[..digits.len() - count].ends_with(b"\r\nContent-Length: ").then_some(digits.len() - count)
}

/// Appends the head of an answer that is like another one but for the length of its body; `before`: the other one up to
/// [`length_place`].
pub fn write_like(out: &mut Vec<u8>, before: &[u8], length: u64) {
    out.extend_from_slice(before);
    push_decimal(out, length);
    out.extend_from_slice(b"\r\n\r\n");
}

/// The body of an error page (HTTP-043).
pub fn error_body(status: u16) -> String {
    format!(
        "<head>\r\n<title>Error response</title>\r\n</head>\r\n<body>\r\n<h1>Error response</h1>\r\n\
         <p>Error code {status}.\r\n<p>Message: {}.\r\n</body>\r\n",
        reason(status)
    )
}

/// Appends one chunk of a chunked body; nothing for empty data (which would end the body).
pub fn write_chunk(out: &mut Vec<u8>, data: &[u8]) {
    if !data.is_empty() {
        // Writing to a vector can't fail.
        let _ = write!(out, "{:x}\r\n", data.len());
        out.extend_from_slice(data);
        out.extend_from_slice(b"\r\n");
    }
}

/// Appends the end of a chunked body.
pub fn write_last_chunk(out: &mut Vec<u8>) {
    out.extend_from_slice(b"0\r\n\r\n");
}

/// Appends one header line. A value can't end its line: line ends in it become blanks.
pub(crate) fn write_header(out: &mut Vec<u8>, name: &str, value: &str) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    let begin = out.len();
    out.extend_from_slice(value.as_bytes());
    if [b'\r', b'\n'].iter().any(|end| find(value.as_bytes(), *end).is_some()) {
        out[begin..].iter_mut().filter(|byte| matches!(byte, b'\r' | b'\n')).for_each(|byte| *byte = b' ');
    }
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATE: &str = "Wed, 31 Jan 2024 10:20:30 GMT";

    fn head(version: Version, status: u16, length: Option<u64>, keep_alive: bool) -> String {
        let mut out = Vec::new();
        let headers: &[_] = &[("Content-Type", "text/xml"), ("Location", "a\r\nb")];
        write_head(&mut out, &ResponseHead { version, status, date: DATE, headers, kind: None, length, keep_alive });
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn http_040_041_status_line_and_order() {
        assert_eq!(
            head(Version::Http11, 200, Some(129), true),
            "HTTP/1.1 200 OK\r\nServer: Medusa/1.12\r\nDate: Wed, 31 Jan 2024 10:20:30 GMT\r\n\
             Content-Type: text/xml\r\nLocation: a  b\r\nContent-Length: 129\r\n\r\n"
        );
        assert!(head(Version::Http10, 404, Some(0), false).starts_with("HTTP/1.0 404 Not Found\r\nServer:"));
        assert!(head(Version::None, 400, Some(0), false).starts_with("HTTP/1.0 400 Bad Request\r\n"));
    }

    #[test]
    fn numbers_are_written_as_the_library_does() {
        for number in [0, 1, 9, 10, 99, 100, 4096, u64::from(u32::MAX), u64::MAX] {
            let mut out = b"x".to_vec();
            push_decimal(&mut out, number);
            assert_eq!(out, format!("x{number}").into_bytes());
        }
    }

    #[test]
    fn http_040_a_head_like_another() {
        let one = head(Version::Http11, 200, Some(129), true);
        let place = length_place(one.as_bytes()).unwrap();
        for length in [0, 7, 1_048_576, u64::MAX] {
            let mut out = b"before".to_vec();
            write_like(&mut out, &one.as_bytes()[..place], length);
            assert_eq!(out, ["before", &head(Version::Http11, 200, Some(length), true)].concat().as_bytes());
        }
        // Another header is the last one, or there is no length.
        assert_eq!(length_place(head(Version::Http10, 200, Some(1), true).as_bytes()), None);
        assert_eq!(length_place(head(Version::Http11, 200, None, true).as_bytes()), None);
        assert_eq!(length_place(b"\r\n\r\n"), None);
    }

    #[test]
    fn http_042_reasons() {
        let all = [200, 301, 304, 400, 401, 404, 411, 413, 500].map(reason);
        assert_eq!(
            all.join(","),
            "OK,Moved Permanently,Not Modified,Bad Request,Unauthorized,Not Found,Length Required,\
             Request Entity Too Large,Internal Server Error"
        );
        assert_eq!(reason(299), "Unknown");
    }

    #[test]
    fn http_043_error_pages() {
        let lengths = [301, 400, 404, 411, 500].map(|status| error_body(status).len());
        assert_eq!(lengths, [142, 136, 134, 140, 146]);
        assert_eq!(
            error_body(404),
            "<head>\r\n<title>Error response</title>\r\n</head>\r\n<body>\r\n<h1>Error response</h1>\r\n\
             <p>Error code 404.\r\n<p>Message: Not Found.\r\n</body>\r\n"
        );
    }

    #[test]
    fn http_044_045_connection() {
        let connection = |version, length, keep_alive| {
            let head = head(version, 200, length, keep_alive);
            head.lines().find_map(|line| line.strip_prefix("Connection: ").map(str::to_string))
        };
        assert_eq!(connection(Version::Http11, Some(1), true), None);
        assert_eq!(connection(Version::Http11, None, true), None);
        assert_eq!(connection(Version::Http11, Some(1), false).as_deref(), Some("close"));
        assert_eq!(connection(Version::Http10, Some(1), true).as_deref(), Some("Keep-Alive"));
        assert_eq!(connection(Version::Http10, None, true).as_deref(), Some("close"));
        assert_eq!(connection(Version::None, Some(1), true).as_deref(), Some("close"));
    }

    #[test]
    fn http_046_chunks() {
        assert!(head(Version::Http11, 200, None, true).contains("\r\nTransfer-Encoding: chunked\r\n"));
        assert!(!head(Version::Http10, 200, None, true).contains("Transfer-Encoding"));
        let mut out = Vec::new();
        write_chunk(&mut out, &[b'x'; 26]);
        write_chunk(&mut out, b"");
        write_last_chunk(&mut out);
        assert_eq!(out, b"1a\r\nxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n0\r\n\r\n");
    }

    #[test]
    fn http_125_not_modified_has_no_framing() {
        let head = head(Version::Http10, 304, None, true);
        assert!(!head.contains("Content-Length") && !head.contains("Transfer-Encoding"));
        assert!(head.contains("\r\nConnection: Keep-Alive\r\n"));
    }
}
