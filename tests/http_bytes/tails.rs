//! Followed logs (section 6).

use std::time::Duration;

use crate::rig::{MAIN_LOG, Rig, WEB_LOG, body, call, header, post, status, unchunk};
use majordomo::base::key::Key;
use majordomo::base::limits;
use majordomo::base::words::Level;
use majordomo::front::Conn;
use majordomo::world::host::Host;
use majordomo::world::lines::Line;

/// HTTP-107.
const LATENCY: Duration = Duration::from_millis(200);

fn follow(rig: &mut Rig, path: &str) -> Key<Conn> {
    let conn = rig.connect(0);
    rig.send(conn, format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n").as_bytes());
    conn
}

/// What is new on a stream over HTTP/1.1 once its head is read.
fn news(rig: &mut Rig, conn: Key<Conn>) -> String {
    unchunk(&rig.read(conn)).0
}

#[test]
fn http_103_156_heads_of_streams() {
    let mut rig = Rig::new();
    rig.grow(WEB_LOG, b"hello\n");
    let conn = follow(&mut rig, "/logtail/web");
    let answer = rig.read(conn);
    assert_eq!(status(&answer), "200");
    assert_eq!(header(&answer, "Last-Modified"), Some("Thu, 01 Jan 1970 00:00:00 GMT"));
    assert_eq!(header(&answer, "Content-Type"), Some("text/plain;charset=utf-8"));
    assert_eq!(header(&answer, "X-Accel-Buffering"), Some("no"));
    assert_eq!(header(&answer, "Transfer-Encoding"), Some("chunked"));
    assert_eq!(header(&answer, "Content-Length"), None);
    assert_eq!(body(&answer), "6\r\nhello\n\r\n");
    let conn = follow(&mut rig, "/mainlogtail");
    assert_eq!(header(&rig.read(conn), "X-Accel-Buffering"), None);
}

#[test]
fn http_100_names_of_streams() {
    let mut rig = Rig::new();
    rig.grow(WEB_LOG, b"hello\n");
    for path in ["/logtail/web", "/logtail/web/stdout", "/logtail/web:web", "/logtail/web%3Aweb/stdout"] {
        let conn = follow(&mut rig, path);
        assert!(rig.read(conn).ends_with("6\r\nhello\n\r\n"), "{path}");
    }
}

/// HTTP-101, HTTP-102.
#[test]
fn http_101_102_logs_that_are_not_there() {
    // The main log goes to syslog, or somebody removed it.
    let mut rig = Rig::with_main_log("syslog");
    let conn = follow(&mut rig, "/mainlogtail");
    assert_eq!(status(&rig.read(conn)), "404");
    let mut rig = Rig::new();
    rig.turn(|_, _, turn| turn.host.remove(MAIN_LOG)).expect("removed");
    let conn = follow(&mut rig, "/mainlogtail");
    assert_eq!(status(&rig.read(conn)), "404");
    let mut rig = Rig::new();
    let conn = follow(&mut rig, "/logtail/web");
    assert_eq!(status(&rig.read(conn)), "404", "the file is absent");
    let conn = follow(&mut rig, "/logtail/web/stderr");
    assert_eq!(status(&rig.read(conn)), "404", "no log is configured");
    // HTTP-048.
    rig.grow(WEB_LOG, b"");
    rig.host.files.put_pipe(WEB_LOG, 0);
    let conn = follow(&mut rig, "/logtail/web");
    assert_eq!(status(&rig.read(conn)), "500");
    assert!(rig.main_log().contains("ERRO 10.0.0.7:Server Error: "), "{}", rig.main_log());
}

#[test]
fn http_103_the_null_device_is_followed_for_nothing() {
    let mut rig = Rig::new();
    rig.host.files.put_pipe("/dev/null", 0);
    let conn = follow(&mut rig, "/logtail/mute");
    let answer = rig.read(conn);
    assert_eq!((status(&answer), body(&answer)), ("200", ""));
}

#[test]
fn http_104_the_last_1024_bytes_then_every_growth() {
    let mut rig = Rig::new();
    rig.grow(WEB_LOG, [b'a'; 1000]);
    rig.grow(WEB_LOG, [b'b'; 1024]);
    let conn = follow(&mut rig, "/logtail/web");
    let answer = rig.read(conn);
    assert_eq!(unchunk(body(&answer)), ("b".repeat(1024), false));
    for text in ["one\n", "two", " and a half\n"] {
        rig.grow(WEB_LOG, text.as_bytes());
        // HTTP-107.
        rig.pass(LATENCY);
        assert_eq!(rig.read(conn), format!("{:x}\r\n{text}\r\n", text.len()));
    }
    rig.pass(Duration::from_secs(3600 * 24));
    assert_eq!(rig.read(conn), "");
    assert!(!rig.is_over(conn));
}

#[test]
fn http_107_our_own_writes_are_seen_in_the_same_turn() {
    let mut rig = Rig::new();
    let conn = follow(&mut rig, "/mainlogtail");
    rig.read(conn);
    rig.turn(|_, world, turn| world.say(&Line::Free(Level::Info, "something new".into()), turn));
    assert!(news(&mut rig, conn).ends_with("INFO something new\n"));
}

#[test]
fn http_105_another_file_is_followed_from_its_start() {
    let mut rig = Rig::new();
    rig.grow(WEB_LOG, b"old\n");
    let conn = follow(&mut rig, "/logtail/web");
    rig.read(conn);
    // A rotation; what the old file got last is not lost.
    rig.grow(WEB_LOG, b"last\n");
    rig.host.files.rename(WEB_LOG, &format!("{WEB_LOG}.1")).unwrap();
    rig.grow(WEB_LOG, b"a new and longer file\n");
    rig.pass(LATENCY);
    assert_eq!(news(&mut rig, conn), "last\na new and longer file\n");
    // Another's rotation: the file has its new name, and its writer has not opened the next one yet.
    rig.host.remove(&format!("{WEB_LOG}.1")).unwrap();
    rig.host.files.rename(WEB_LOG, &format!("{WEB_LOG}.1")).unwrap();
    rig.grow(&format!("{WEB_LOG}.1"), b"meanwhile\n");
    rig.pass(LATENCY);
    assert_eq!(news(&mut rig, conn), "meanwhile\n");
    rig.grow(WEB_LOG, b"next\n");
    rig.pass(LATENCY);
    assert_eq!(news(&mut rig, conn), "next\n");
    // It vanishes, and comes again.
    rig.host.remove(WEB_LOG).unwrap();
    rig.pass(LATENCY);
    assert_eq!(rig.read(conn), "");
    assert!(!rig.is_over(conn));
    rig.grow(WEB_LOG, b"again\n");
    rig.pass(LATENCY);
    assert_eq!(news(&mut rig, conn), "again\n");
}

#[test]
fn http_106_a_truncated_file_is_said_to_be() {
    let mut rig = Rig::new();
    rig.grow(WEB_LOG, b"long enough\n");
    let conn = follow(&mut rig, "/logtail/web");
    rig.read(conn);
    rig.host.files.put(WEB_LOG, b"");
    rig.pass(LATENCY);
    assert_eq!(news(&mut rig, conn), "==> File truncated <==\n");
    rig.grow(WEB_LOG, b"new\n");
    rig.pass(LATENCY);
    assert_eq!(news(&mut rig, conn), "new\n");
}

#[test]
fn http_108_http_1_0_gets_raw_bytes_at_once() {
    let mut rig = Rig::new();
    // HTTP-109: bytes as they are.
    rig.grow(WEB_LOG, b"x\x1b[0m\x00");
    for head in ["GET /logtail/web HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "GET /logtail/web\r\n\r\n"] {
        let conn = rig.connect(0);
        rig.send(conn, head.as_bytes());
        let answer = rig.read(conn);
        assert!(answer.starts_with("HTTP/1.0 200 OK\r\n"));
        assert_eq!(header(&answer, "Connection"), Some("close"));
        assert_eq!(header(&answer, "Transfer-Encoding"), None);
        assert!(body(&answer).ends_with("x\x1b[0m\x00"));
        rig.grow(WEB_LOG, b"x\x1b[0m\x00");
        rig.pass(LATENCY);
        assert_eq!(rig.read(conn), "x\x1b[0m\x00");
    }
}

#[test]
fn http_110_a_client_that_goes_ends_its_stream() {
    let mut rig = Rig::new();
    rig.grow(WEB_LOG, b"hello\n");
    let conn = follow(&mut rig, "/logtail/web");
    rig.read(conn);
    rig.grow(WEB_LOG, b"bye\n");
    rig.end(conn);
    assert_eq!(unchunk(&rig.read(conn)), ("bye\n".to_string(), true));
    assert!(rig.is_closed(conn));
    // HTTP-154: who only ever half-closes still gets what is there.
    let conn = rig.connect(0);
    rig.turn(|front, world, turn| {
        front.received(conn, b"GET /logtail/web HTTP/1.0\r\n\r\n", world, turn);
        front.ended(conn, world, turn);
    });
    assert!(rig.read(conn).ends_with("hello\nbye\n"));
    assert!(rig.is_closed(conn));
}

#[test]
fn nobody_looks_at_logs_that_nobody_follows() {
    let mut rig = Rig::new();
    rig.grow(WEB_LOG, b"hello\n");
    let conn = follow(&mut rig, "/logtail/web");
    assert!(rig.front.next_deadline().unwrap() <= rig.now.mono + LATENCY);
    rig.front.closed(conn);
    assert_eq!(rig.front.next_deadline(), None);
}

#[test]
fn a_follower_that_does_not_read_holds_little() {
    let mut rig = Rig::new();
    rig.grow(WEB_LOG, b"hello\n");
    let conn = follow(&mut rig, "/logtail/web");
    let text: String = (0..500_000).map(|i| format!("{i}\n")).collect();
    for part in text.as_bytes().chunks(100_000) {
        rig.grow(WEB_LOG, part);
        rig.pass(LATENCY);
    }
    let waiting = rig.front.get(conn).unwrap().outgoing().len();
    assert!(waiting < limits::READ_BYTES * 3, "{waiting}");
    // It gets everything as soon as it reads, a little at a time.
    let mut all = String::new();
    loop {
        let some = rig.take(conn, 50_000);
        if some.is_empty() {
            break;
        }
        all += std::str::from_utf8(&some).unwrap();
        assert!(rig.front.get(conn).unwrap().outgoing().len() < limits::READ_BYTES * 3);
    }
    assert_eq!(unchunk(body(&all)).0, format!("hello\n{text}"));
}

#[test]
fn http_143_the_follower_of_supervisorctl_sends_a_line_too_many() {
    let mut rig = Rig::new();
    rig.grow(WEB_LOG, b"hello\n");
    let conn = rig.connect(0);
    rig.send(conn, b"GET /logtail/web HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: chunked\r\n\r\n\r\n");
    assert!(rig.read(conn).ends_with("6\r\nhello\n\r\n"));
    rig.grow(WEB_LOG, b"more\n");
    rig.pass(LATENCY);
    assert_eq!(news(&mut rig, conn), "more\n");
}

#[test]
fn a_log_that_is_cleared_by_a_call_is_followed_on() {
    let mut rig = Rig::new();
    rig.ask(post("/RPC2", "", &call("supervisor.startProcess", &["web"])));
    rig.grow(WEB_LOG, b"hello\n");
    let conn = follow(&mut rig, "/logtail/web");
    rig.read(conn);
    let cleared = rig.ask(post("/RPC2", "", &call("supervisor.clearProcessLogs", &["web"])));
    assert!(cleared.contains("<boolean>1</boolean>"), "{cleared}");
    rig.grow(WEB_LOG, b"new\n");
    rig.pass(LATENCY);
    // HTTP-105, HTTP-106: another file, or the same one cut.
    assert!(news(&mut rig, conn).ends_with("new\n"));
}
