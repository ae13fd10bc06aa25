//! Logs as files: pieces by range, and whole ones (RFC 9110, 14).

use majordomo::base::limits;
use majordomo::base::words::Channel;

use crate::rig::{GUARDED, MAIN_LOG, Rig, WEB_LOG, body, header, post, status, statuses};

fn ask(rig: &mut Rig, method: &str, path: &str, range: &str) -> String {
    let range = if range.is_empty() { String::new() } else { format!("Range: {range}\r\n") };
    rig.ask(format!("{method} {path} HTTP/1.1\r\nHost: h\r\n{range}\r\n"))
}

#[test]
fn pieces_of_a_log() {
    let mut rig = Rig::new();
    rig.grow(WEB_LOG, "0123456789\n");
    for (range, shown, text) in [
        ("bytes=0-3", "bytes 0-3/11", "0123"),
        ("bytes=4-", "bytes 4-10/11", "456789\n"),
        ("bytes=-3", "bytes 8-10/11", "89\n"),
        ("bytes=-100", "bytes 0-10/11", "0123456789\n"),
        ("bytes=9-500", "bytes 9-10/11", "9\n"),
    ] {
        let answer = ask(&mut rig, "GET", "/log/web", range);
        assert_eq!((status(&answer), body(&answer)), ("206", text), "{range}");
        assert!(answer.starts_with("HTTP/1.1 206 Partial Content\r\n"));
        assert_eq!(header(&answer, "Content-Range"), Some(shown));
        assert_eq!(header(&answer, "Content-Length"), Some(text.len().to_string().as_str()));
        assert_eq!(header(&answer, "Content-Type"), Some("text/plain;charset=utf-8"));
        assert_eq!(header(&answer, "Accept-Ranges"), Some("bytes"));
        assert_eq!(header(&answer, "X-Content-Type-Options"), Some("nosniff"));
        assert!(header(&answer, "Content-Security-Policy").is_some());
        assert_eq!(header(&answer, "Content-Disposition"), None);
    }
    for range in ["bytes=11-", "bytes=11-20", "bytes=-0"] {
        let answer = ask(&mut rig, "GET", "/log/web", range);
        assert_eq!((status(&answer), body(&answer)), ("416", ""), "{range}");
        assert_eq!(header(&answer, "Content-Range"), Some("bytes */11"));
        assert!(header(&answer, "ETag").is_some());
    }
    // What is not understood is ignored.
    for range in ["", "bytes=3-1", "bytes=0-1,3-4", "lines=1-2"] {
        let answer = ask(&mut rig, "GET", "/log/web", range);
        assert_eq!((status(&answer), body(&answer)), ("200", "0123456789\n"), "{range}");
        assert_eq!((header(&answer, "Content-Length"), header(&answer, "Content-Range")), (Some("11"), None));
    }
    // HEAD has no ranges.
    let answer = ask(&mut rig, "HEAD", "/log/web", "bytes=0-3");
    assert_eq!((status(&answer), header(&answer, "Content-Length"), body(&answer)), ("200", Some("11"), ""));
}

#[test]
fn names_of_logs() {
    let mut rig = Rig::new();
    rig.grow(WEB_LOG, "words\n");
    for path in ["/log/web", "/log/web/stdout", "/log/web:web", "/log/web%3Aweb/stdout"] {
        assert_eq!(body(&ask(&mut rig, "GET", path, "")), "words\n", "{path}");
    }
    for path in ["/log/", "/log/ghost", "/log/web/stderr", "/log/web:*", "/log/web/x", "/log/../etc/passwd", "/log"] {
        assert_eq!(status(&ask(&mut rig, "GET", path, "")), "404", "{path}");
    }
    for method in ["POST", "PUT", "DELETE"] {
        for path in ["/log/web", "/mainlog"] {
            let answer = rig.ask(post(path, "Content-Type: text/xml\r\n", "").replace("POST", method));
            assert_eq!(status(&answer), "400", "{method} {path}");
        }
    }
    rig.grow(MAIN_LOG, "a line of the daemon\n");
    let main = rig.main_log();
    let answer = ask(&mut rig, "GET", "/mainlog", "");
    assert_eq!((status(&answer), body(&answer)), ("200", main.as_str()));
    assert_eq!(status(&ask(&mut rig, "GET", "/mainlog", "bytes=0-3")), "206");
    // It is kept as a file, under a name that can't lead anywhere.
    let answer = ask(&mut rig, "GET", "/log/web:web?download", "");
    assert_eq!(header(&answer, "Content-Disposition"), Some("attachment; filename*=UTF-8''web%3Aweb-stdout.log"));
    let answer = ask(&mut rig, "GET", "/mainlog?download=1", "");
    assert_eq!(header(&answer, "Content-Disposition"), Some("attachment; filename*=UTF-8''supervisord.log"));
    // HTTP-080.
    let conn = rig.connect(GUARDED);
    rig.send(conn, b"GET /mainlog HTTP/1.1\r\n\r\n");
    assert_eq!(status(&rig.read(conn)), "401");
    assert_eq!(status(&ask(&mut Rig::with_main_log("syslog"), "GET", "/mainlog", "")), "404");
}

#[test]
fn what_is_no_file_has_no_pieces() {
    let mut rig = Rig::new();
    rig.host.files.put_pipe(WEB_LOG, 0);
    assert_eq!(status(&ask(&mut rig, "GET", "/log/web", "")), "404");
    // The null device is an empty log.
    rig.host.files.put_pipe("/dev/null", 10);
    let answer = ask(&mut rig, "GET", "/log/mute", "");
    assert_eq!((status(&answer), header(&answer, "Content-Length")), ("200", Some("0")));
    assert_eq!(status(&ask(&mut rig, "GET", "/log/mute", "bytes=0-")), "416");
}

#[test]
fn a_piece_has_a_bound() {
    let mut rig = Rig::new();
    let most = limits::PIECE_BYTES as usize;
    rig.grow(WEB_LOG, "x".repeat(3 * most));
    let answer = ask(&mut rig, "GET", "/log/web", "bytes=5-");
    assert_eq!(header(&answer, "Content-Range"), Some(format!("bytes 5-{}/{}", most + 4, 3 * most).as_str()));
    assert_eq!(body(&answer).len(), most);
}

#[test]
fn another_file_has_another_tag() {
    let mut rig = Rig::new();
    rig.grow(WEB_LOG, "one\n");
    let tag = |rig: &mut Rig| header(&ask(rig, "GET", "/log/web", "bytes=0-"), "ETag").expect("a tag").to_string();
    let first = tag(&mut rig);
    assert!(first.starts_with("W/\"") && first.ends_with('"'), "{first}");
    rig.grow(WEB_LOG, "two\n");
    assert_eq!(tag(&mut rig), first, "it has only grown");
    rig.rename(WEB_LOG, "/var/log/web.log.1");
    rig.grow(WEB_LOG, "three\n");
    assert_ne!(tag(&mut rig), first);
}

/// A whole log goes as fast as it is read, with a bound on what waits, also through a rotation.
#[test]
fn whole_logs_are_streamed() {
    let mut rig = Rig::new();
    let text: String = (0..200_000).map(|number| format!("{number}\n")).collect();
    rig.grow(WEB_LOG, &text);
    let conn = rig.connect(0);
    rig.send(conn, b"GET /log/web HTTP/1.1\r\nHost: h\r\n\r\nGET /ok.html HTTP/1.1\r\nHost: h\r\n\r\n");
    let mut got = Vec::new();
    loop {
        let waiting = rig.front.get(conn).expect("a connection").outgoing().len();
        assert!(waiting <= 2 * limits::READ_BYTES + 2000, "{waiting}");
        let piece = rig.take(conn, 10_000);
        if piece.is_empty() {
            break;
        }
        got.extend(piece);
        if (500_000..510_000).contains(&got.len()) {
            rig.rename(WEB_LOG, "/var/log/web.log.1");
            rig.grow(WEB_LOG, "another file\n");
        }
    }
    let got = String::from_utf8(got).expect("text");
    assert_eq!(statuses(&got), ["200", "200"], "the connection goes on");
    let length = text.len();
    assert!(body(&got)[..length] == text, "the bytes of the log");
    assert!(!rig.is_closed(conn));
}

#[test]
fn a_whole_log_that_becomes_shorter_ends_its_connection() {
    let mut rig = Rig::new();
    rig.grow(WEB_LOG, "x".repeat(500_000));
    let conn = rig.connect(0);
    rig.send(conn, b"GET /log/web HTTP/1.1\r\nHost: h\r\n\r\n");
    rig.host.files.put(WEB_LOG, b"short");
    let answer = rig.read(conn);
    assert_eq!(header(&answer, "Content-Length"), Some("500000"));
    assert!(body(&answer).len() < 500_000 && rig.is_closed(conn));
}

/// Bytes of a program are those of its log, whatever they are; the type says that they are no page.
#[test]
fn log_bytes_are_raw() {
    let mut rig = Rig::new();
    rig.ask(post("/RPC2", "", &crate::rig::call("supervisor.startProcess", &["web"])));
    let who = rig.world.find_member("web", "web").expect("a process");
    rig.turn(|_, world, turn| world.printed(who, Channel::Stdout, b"<script>alert(1)</script>\x1b[1m\n", turn));
    let answer = ask(&mut rig, "GET", "/log/web", "");
    assert_eq!(body(&answer), "<script>alert(1)</script>\x1b[1m\n");
    assert_eq!(header(&answer, "Content-Type"), Some("text/plain;charset=utf-8"));
    let conn = rig.connect(0);
    rig.send(conn, format!("GET /logtail/web HTTP/1.1\r\nHost: {MAIN_LOG}\r\n\r\n").as_bytes());
    let answer = rig.read(conn);
    assert_eq!(header(&answer, "X-Content-Type-Options"), Some("nosniff"));
    assert!(header(&answer, "Content-Security-Policy").is_some());
}
