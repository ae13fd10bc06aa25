//! What clients can't have: too much, too slowly, too many at once. Each limit answers with a status that says so, and
//! leaves others alone.

use std::time::Duration;

use crate::rig::{GUARDED, Rig, body, call, header, post, status, statuses};
use majordomo::base::limits;
use majordomo::front::Peer;

const OK_PAGE: &str = "GET /ok.html HTTP/1.1\r\nHost: h\r\n\r\n";

/// HTTP-024: `body_maxbytes` is the server's own, with and without an announced length.
#[test]
fn http_024_a_shorter_limit_for_bodies() {
    let mut rig = Rig::with_server("body_maxbytes=2KB");
    let fits = call("cache.store", &["k", &"x".repeat(1800)]);
    assert!(fits.len() <= 2048);
    assert_eq!(statuses(&rig.ask(post("/RPC2", "", &fits) + OK_PAGE)), ["200", "200"]);
    let long = call("cache.store", &["k", &"x".repeat(2048)]);
    let answer = rig.ask(post("/RPC2", "", &long) + OK_PAGE);
    assert_eq!(statuses(&answer), ["413"]);
    assert!(answer.starts_with("HTTP/1.1 413 Request Entity Too Large\r\n"), "HTTP-042");
    assert_eq!(header(&answer, "Connection"), Some("close"));
    let chunked = "POST /RPC2 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n801\r\n";
    assert_eq!(statuses(&rig.ask(chunked)), ["413"]);
    // The other server has the usual one.
    let conn = rig.connect(GUARDED);
    let secret = "Authorization: Basic dXNlcjpzZWNyZXQ=\r\n";
    rig.send(conn, post("/RPC2", secret, &long).as_bytes());
    assert_eq!(statuses(&rig.read(conn)), ["200"]);
}

/// HTTP-009: one client too many is told so, and is let in when there is room again.
#[test]
fn http_009_one_connection_too_many() {
    let mut rig = Rig::with_server("max_connections=2");
    let (first, second) = (rig.connect(0), rig.connect(0));
    let refused = rig.front.accept(0, Peer::Unix, rig.now);
    let answer = String::from_utf8(refused.expect_err("a refusal")).expect("text");
    assert!(answer.starts_with("HTTP/1.0 503 Service Unavailable\r\n"), "{answer}");
    assert_eq!(header(&answer, "Connection"), Some("close"));
    assert_eq!(header(&answer, "Content-Length").map(str::to_string), Some(body(&answer).len().to_string()));
    // The others, and the other server, go on.
    rig.send(second, OK_PAGE.as_bytes());
    assert_eq!(statuses(&rig.read(second)), ["200"]);
    rig.connect(GUARDED);
    rig.front.closed(first);
    assert!(rig.front.accept(0, Peer::Unix, rig.now).is_ok());
    assert!(rig.front.accept(0, Peer::Unix, rig.now).is_err());
}

/// `request_timeout` and `idle_timeout`: 408 for a request that was begun, a plain close for silence.
#[test]
fn http_009_shorter_patience() {
    let mut rig = Rig::with_server("request_timeout=5\nidle_timeout=20");
    let (head, body_of, idle) = (rig.connect(0), rig.connect(0), rig.connect(0));
    rig.send(head, b"POST /RPC2 HTTP/1.1\r\nHos");
    rig.send(body_of, b"POST /RPC2 HTTP/1.1\r\nContent-Length: 10\r\n\r\n<");
    rig.pass(Duration::from_millis(4_999));
    assert_eq!(rig.read(head) + &rig.read(body_of), "");
    rig.pass(Duration::from_millis(1));
    let answer = rig.read(head);
    assert!(answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{answer}");
    let answer = rig.read(body_of);
    assert!(answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{answer}");
    for conn in [head, body_of] {
        assert!(rig.is_over(conn) && !rig.is_closed(conn), "HTTP-085: what still comes is no request");
        rig.send(conn, OK_PAGE.as_bytes());
        assert_eq!(rig.read(conn), "");
    }
    rig.pass(limits::LINGER);
    assert!(rig.is_closed(head) && rig.is_closed(body_of));
    rig.pass(Duration::from_secs(12));
    assert!(!rig.is_closed(idle));
    rig.pass(Duration::from_secs(1));
    assert!(rig.is_closed(idle));
    assert_eq!(rig.read(idle), "");
}

#[test]
fn http_009_no_patience_is_too_long() {
    let mut rig = Rig::with_server("request_timeout=0\nidle_timeout=0");
    let (slow, idle) = (rig.connect(0), rig.connect(0));
    rig.send(slow, b"POST /RPC2 HTT");
    assert_eq!(rig.front.next_deadline(), None, "nothing wakes the daemon for them");
    rig.pass(Duration::from_secs(30 * 24 * 3600));
    assert!(!rig.is_closed(slow) && !rig.is_closed(idle));
    rig.send(slow, b"P/1.1\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(status(&rig.read(slow)), "400");
}

#[test]
fn http_009_patience_with_slow_and_silent_clients() {
    let mut rig = Rig::new();
    let (idle, slow, busy) = (rig.connect(0), rig.connect(0), rig.connect(0));
    rig.send(slow, b"POST /RPC2 HTTP/1.1\r\n");
    let minute = Duration::from_secs(60);
    for _ in 0..4 {
        rig.pass(minute);
        rig.send(slow, b"X: y\r\n");
        rig.send(busy, OK_PAGE.as_bytes());
        rig.read(busy);
    }
    assert!(!rig.is_closed(slow));
    rig.pass(minute);
    assert_eq!(status(&rig.read(slow)), "408", "trickling does not help");
    rig.pass(limits::LINGER);
    assert!(rig.is_closed(slow));
    for _ in 0..25 {
        rig.pass(minute);
        rig.send(busy, OK_PAGE.as_bytes());
        rig.read(busy);
    }
    assert!(!rig.is_closed(idle), "30 minutes are granted");
    rig.pass(minute * 16);
    assert!(rig.is_closed(idle));
    assert!(!rig.is_closed(busy), "its time began with its last request");
    rig.pass(minute * 45);
    assert!(rig.is_closed(busy));
    // HTTP-155: one line end too many is no request that was begun.
    let polite = rig.connect(0);
    rig.send(polite, format!("{OK_PAGE}\r\n").as_bytes());
    rig.read(polite);
    rig.pass(minute * 30);
    assert!(!rig.is_closed(polite));
}

#[test]
fn a_client_that_reads_nothing_is_given_up() {
    let mut rig = Rig::new();
    let conn = rig.connect(0);
    rig.send(conn, OK_PAGE.as_bytes());
    rig.pass(limits::IDLE);
    assert!(rig.is_closed(conn));
    assert!(rig.front.get(conn).unwrap().outgoing().is_empty());
}

/// RPC-185: what a document can't have too much of.
#[test]
fn rpc_185_depth_and_count_are_400() {
    let mut rig = Rig::new();
    let nested = |depth: usize| {
        let (open, close) = ("<value><array><data>", "</data></array></value>");
        let value = format!("{}{}", open.repeat(depth), close.repeat(depth));
        format!(
            "<c><methodName>cache.store</methodName><params><param><value>k</value></param><param>{value}</param></params></c>"
        )
    };
    for (depth, code) in [(64, "200"), (limits::XML_DEPTH, "200"), (limits::XML_DEPTH + 1, "400"), (100_000, "400")] {
        assert_eq!(statuses(&rig.ask(post("/RPC2", "", &nested(depth)) + OK_PAGE)), [code, "200"], "{depth}");
    }
    let many = "<value/>".repeat(limits::XML_VALUES + 1);
    let many = format!("<c><methodName>m</methodName><params>{many}</params></c>");
    assert_eq!(statuses(&rig.ask(post("/RPC2", "", &many) + OK_PAGE)), ["400", "200"]);
}
