//! Tests of [`super`]: request heads, whole and in pieces.
//!
//! Compiled for `#[cfg(test)]` only.

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
    let one = head("GET / HTTP/1.1\r\nHOST:a\r\nEmpty:\r\nX-Pad: \t b c \t\r\nX: 1\r\nx: 2\r\nU: caf\u{e9}\r\n\r\n");
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
    // The last one: folded behind a line of nothing but ends of lines.
    for line in ["no colon", "A : b", ": b", " A: b", "A: b\0", "A b: c", "A: b\rC: d", "A: b\r\r\r\r\r\n\r\r\n \r\n c"]
    {
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
fn a_head_that_was_read_before_is_read_as_if_it_were_new() {
    let long = format!("GET / HTTP/1.1\r\nA: {}\r\n\r\n", "x".repeat(limits::KEEP_HEAD_BYTES));
    let heads = [
        "POST /a HTTP/1.1\r\nContent-Length: 5\r\nAccept-Encoding: gzip\r\n\r\n",
        "POST /a HTTP/1.1\r\nContent-Length: 5\r\nAccept-Encoding: gzip\r\nA: b\r\n\r\n",
        "POST /a HTTP/1.1\r\nContent-Length: 6\r\nContent-Encoding: gzip\r\n\r\n",
        "GET /a?b=c HTTP/1.0\r\n\r\n",
        "GET /a HTTP/1.1\r\nA: b\n\r\n",
        "\r\nGET /a\r\n\r\n",
        &long,
    ];
    let mut room = Head::default();
    for first in heads {
        for second in [first, &first[..first.len() - 1]].into_iter().chain(heads) {
            for input in [first, second, first] {
                let fresh = HeadReader::default().read(input.as_bytes());
                let again = HeadReader::default().read_into(input.as_bytes(), &mut room);
                assert_eq!(again, fresh.as_ref().map(|read| read.as_ref().map(|(_, used)| *used)).map_err(|it| *it));
                if let Ok(Some((head, _))) = fresh {
                    assert_eq!(room, head);
                }
            }
        }
    }
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
