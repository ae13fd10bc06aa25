//! Requests and their answers.

use crate::rig::{GUARDED, Rig, body, call, header, post, status, statuses};
use majordomo::base::limits;
use majordomo::base::words::Level;

const OK_PAGE: &str = "GET /ok.html HTTP/1.1\r\nHost: h\r\n\r\n";

/// The head of a call's answer, up to its length.
const HEAD: &str =
    "HTTP/1.1 200 OK\r\nServer: Medusa/1.12\r\nDate: Wed, 31 Jan 2024 10:20:30 GMT\r\nContent-Type: text/xml\r\n";

/// Basic credentials `user:secret`.
const SECRET: &str = "Authorization: Basic dXNlcjpzZWNyZXQ=\r\n";

fn value(text: &str) -> String {
    format!(
        "<?xml version='1.0'?>\n<methodResponse>\n<params>\n<param>\n<value><string>{text}</string></value>\n\
         </param>\n</params>\n</methodResponse>\n"
    )
}

fn store(rig: &mut Rig, key: &str, text: &str) {
    let answer = rig.ask(post("/RPC2", "", &call("cache.store", &[key, text])));
    assert_eq!(status(&answer), "200");
    assert!(answer.contains("<boolean>1</boolean>"), "{answer}");
}

fn fetch(key: &str) -> String {
    post("/RPC2", "Content-Type: text/xml\r\n", &call("cache.fetch", &[key]))
}

#[test]
fn http_040_041_151_the_bytes_of_an_answer() {
    let mut rig = Rig::new();
    store(&mut rig, "foo", "bär");
    let body = value("bär");
    // RPC-200: the length is in bytes.
    assert_eq!(rig.ask(fetch("foo")), format!("{HEAD}Content-Length: {}\r\n\r\n{body}", body.len()));
    // HTTP-040: the version is echoed, also to what is refused as soon as it is read.
    for (line, version) in
        [("GET / HTTP/1.1", "HTTP/1.1"), ("GET / HTTP/1.0", "HTTP/1.0"), ("GET  / HTTP/1.1", "HTTP/1.0")]
    {
        let answer = rig.ask(format!("\r\n{line}\r\nno colon\r\n\r\n"));
        assert!(answer.starts_with(&format!("{version} 400 Bad Request\r\n")), "{answer}");
    }
    // HTTP-040: no version is answered as HTTP/1.0.
    let answer = rig.ask("GET /ok.html\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.0 200 OK\r\nServer: Medusa/1.12\r\nDate: "), "{answer}");
    assert_eq!(header(&answer, "Connection"), Some("close"));
}

#[test]
fn http_043_error_pages() {
    let mut rig = Rig::new();
    for (request, code, reason, length) in
        [("GET /RPC2 HTTP/1.1\r\n\r\n", 400, "Bad Request", 136), ("GET /none HTTP/1.1\r\n\r\n", 404, "Not Found", 134)]
    {
        let answer = rig.ask(request);
        assert!(answer.starts_with(&format!("HTTP/1.1 {code} {reason}\r\n")), "{answer}");
        assert_eq!(header(&answer, "Content-Type"), Some("text/html"));
        assert_eq!(header(&answer, "Content-Length"), Some(length.to_string().as_str()));
        assert_eq!(header(&answer, "Connection"), None, "HTTP-044: it stays open");
        assert_eq!(body(&answer).len(), length);
        assert!(body(&answer).contains(&format!("<p>Error code {code}.\r\n<p>Message: {reason}.\r\n")));
    }
}

#[test]
fn http_044_045_153_who_may_stay() {
    let mut rig = Rig::new();
    for (version, connection, stays, said) in [
        ("HTTP/1.1", "", true, None),
        ("HTTP/1.1", "Connection: close\r\n", false, Some("close")),
        ("HTTP/1.1", "Connection: close, TE\r\nTE: trailers\r\n", false, Some("close")),
        ("HTTP/1.0", "", false, Some("close")),
        ("HTTP/1.0", "Connection: Keep-Alive\r\n", true, Some("Keep-Alive")),
        ("HTTP/1.0", "connection: keep-alive\r\n", true, Some("Keep-Alive")),
    ] {
        // HTTP-153: faults keep the connection as results do.
        for (path, text) in [("/ok.html", ""), ("/RPC2", "<methodCall><methodName>no.such</methodName></methodCall>")] {
            let conn = rig.connect(0);
            let request = format!("POST {path} {version}\r\n{connection}Content-Length: {}\r\n\r\n{text}", text.len());
            rig.send(conn, request.as_bytes());
            let answer = rig.read(conn);
            assert_eq!(status(&answer), "200", "{answer}");
            assert_eq!(header(&answer, "Connection"), said, "{request}");
            assert_eq!(rig.is_closed(conn), !stays, "{request}");
        }
    }
}

#[test]
fn http_046_047_head_and_missing_files() {
    let mut rig = Rig::new();
    for (path, code) in [("/ok.html", "404"), ("/none", "404"), ("/RPC2", "400"), ("/logtail/web", "400")] {
        let answer = rig.ask(format!("HEAD {path} HTTP/1.1\r\n\r\n"));
        assert_eq!(status(&answer), code, "{path}");
        assert_eq!(body(&answer), "", "{path}");
    }
}

#[test]
fn http_021_024_what_can_not_be_read_is_refused_and_closed() {
    let mut rig = Rig::new();
    let long = format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(limits::HEAD_BYTES));
    for request in ["GET  / HTTP/1.1\r\n\r\n", "GET / FTP/1.1\r\n\r\n", "\x16\x03\x01\x02", &long] {
        let conn = rig.connect(0);
        rig.send(conn, request.as_bytes());
        rig.send(conn, OK_PAGE.as_bytes());
        let answer = rig.read(conn);
        assert_eq!(statuses(&answer), ["400"], "{}", &request[..10.min(request.len())]);
        assert_eq!(header(&answer, "Connection"), Some("close"), "HTTP-045");
        assert!(rig.is_over(conn));
        // What still comes is read, so that no reset overtakes the answer; for a while.
        assert!(rig.front.get(conn).unwrap().wants_input());
        assert!(!rig.is_closed(conn));
        rig.pass(limits::LINGER);
        assert!(rig.is_closed(conn));
    }
}

#[test]
fn http_024_a_body_past_the_limit_is_413() {
    let mut rig = Rig::new();
    let conn = rig.connect(0);
    rig.send(conn, format!("POST /RPC2 HTTP/1.1\r\nContent-Length: {}\r\n\r\n", limits::BODY_BYTES + 1).as_bytes());
    assert_eq!(status(&rig.read(conn)), "413");
    assert!(rig.is_over(conn));
    // Chunks do not say beforehand how many they will be.
    let conn = rig.connect(0);
    rig.send(conn, b"POST /none HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
    let chunk = [b"100000\r\n".as_slice(), &vec![b' '; 0x100000], b"\r\n"].concat();
    for _ in 0..limits::BODY_BYTES / 0x100000 {
        rig.send(conn, &chunk);
    }
    assert_eq!(rig.read(conn), "");
    rig.send(conn, &chunk);
    assert_eq!(statuses(&rig.read(conn)), ["413"]);
    assert!(rig.is_over(conn));
}

#[test]
fn http_026_lengths() {
    let mut rig = Rig::new();
    for (line, code) in [
        ("", "411"),
        ("Content-Length: x\r\n", "400"),
        ("Content-Length: -1\r\n", "400"),
        ("Content-Length: 0\r\n", "400"),
        // BUG-018.
        ("Content-Length:0\r\n", "400"),
    ] {
        let answer = rig.ask(format!("POST /RPC2 HTTP/1.1\r\n{line}\r\n"));
        assert_eq!(statuses(&answer), [code], "{line}");
    }
    // WEB-029.
    assert_eq!(status(&rig.ask("POST /ok.html HTTP/1.1\r\n\r\n")), "411");
    // A body that nobody announced is no request.
    let answer = rig.ask(format!("POST /RPC2 HTTP/1.1\r\n\r\n{OK_PAGE}"));
    assert_eq!(statuses(&answer), ["411"]);
    // A body that nobody wants is no request either.
    let get = format!("GET /none HTTP/1.1\r\nContent-Length: {}\r\n\r\n{OK_PAGE}{OK_PAGE}", OK_PAGE.len());
    assert_eq!(statuses(&rig.ask(get)), ["404", "200"]);
}

#[test]
fn http_028_continue_comes_before_the_body() {
    let mut rig = Rig::new();
    store(&mut rig, "foo", "bar");
    let document = call("cache.fetch", &["foo"]);
    let conn = rig.connect(0);
    rig.send(conn, post("/RPC2", "Expect: 100-continue\r\n", &document).strip_suffix(&document).unwrap().as_bytes());
    assert_eq!(rig.read(conn), "HTTP/1.1 100 Continue\r\n\r\n");
    rig.send(conn, document.as_bytes());
    assert_eq!(body(&rig.read(conn)), value("bar"));
    // A refused body is not invited.
    let answer = rig.ask("POST /RPC2 HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 99999999999\r\n\r\n");
    assert_eq!(statuses(&answer), ["413"]);
}

#[test]
fn http_029_pipelined_requests_are_answered_in_order() {
    let mut rig = Rig::new();
    let mut requests = String::new();
    for i in 0..500 {
        store(&mut rig, &format!("key{i}"), &format!("value{i}"));
        requests += &fetch(&format!("key{i}"));
    }
    let conn = rig.connect(0);
    rig.send(conn, requests.as_bytes());
    let answers = rig.read(conn);
    assert_eq!(statuses(&answers), vec!["200"; 500]);
    let found: Vec<&str> = answers.split("<string>").skip(1).map(|part| part.split_once('<').unwrap().0).collect();
    assert!(found.iter().enumerate().all(|(i, text)| *text == format!("value{i}")), "{found:?}");
}

#[test]
fn one_turn_answers_so_many_requests_and_no_more() {
    let mut rig = Rig::new();
    let conn = rig.connect(0);
    let requests = OK_PAGE.repeat(limits::REQUESTS_PER_TURN * 2 + 5);
    let mut turn = majordomo::world::Turn { now: rig.now, host: &mut rig.host };
    let (front, world) = (&mut rig.front, &mut rig.world);
    let answered = |front: &majordomo::front::Front| {
        statuses(&String::from_utf8(front.get(conn).unwrap().outgoing().to_vec()).unwrap()).len()
    };
    front.received(conn, requests.as_bytes(), world, &mut turn);
    assert_eq!(answered(front), limits::REQUESTS_PER_TURN);
    assert!(front.settle(world, &mut turn), "more is ready");
    assert_eq!(answered(front), limits::REQUESTS_PER_TURN * 2);
    assert!(!front.settle(world, &mut turn));
    assert_eq!(answered(front), limits::REQUESTS_PER_TURN * 2 + 5);
    assert_eq!(front.next_changed(), Some(conn));
    assert_eq!(front.next_changed(), None, "named once");
}

#[test]
fn a_client_that_never_reads_is_not_answered_for_ever() {
    let mut rig = Rig::new();
    let conn = rig.connect(0);
    store(&mut rig, "big", &"x".repeat(100_000));
    let request = fetch("big");
    let mut sent = 0;
    while rig.front.get(conn).unwrap().wants_input() {
        rig.send(conn, request.as_bytes());
        sent += 1;
        assert!(sent < 10_000, "input has no bound");
    }
    let waiting = rig.front.get(conn).unwrap().outgoing().len();
    assert!(waiting < limits::OUT_BYTES + 101_000, "{waiting}");
    // Once it reads, it gets everything.
    let answers = rig.read(conn);
    assert_eq!(statuses(&answers).len(), sent);
    assert!(rig.front.get(conn).unwrap().wants_input());
}

#[test]
fn http_063_065_101_routes() {
    let mut rig = Rig::new();
    store(&mut rig, "foo", "bar");
    let document = call("cache.fetch", &["foo"]);
    // HTTP-060, HTTP-065, HTTP-150, HTTP-025.
    for path in ["/RPC2", "/RPC2/", "/RPC2foo", "/RPC2?x", "/%52PC2", "http://h/RPC2", "/whatever"] {
        let answer = rig.ask(post(path, "Content-Type: text/xml\r\n", &document));
        assert_eq!((status(&answer), body(&answer)), ("200", value("bar").as_str()), "{path}");
    }
    assert_eq!(status(&rig.ask(post("//RPC2", "Content-Type: text/xml\r\n", &document))), "400");
    assert_eq!(status(&rig.ask(post("/whatever", "", &document))), "400");
    // HTTP-063: a page is a page, whatever is sent to it.
    let page = rig.ask(post("http://h/", "Content-Type: text/xml\r\n", &document));
    assert_eq!(header(&page, "Content-Type"), Some("text/html;charset=utf-8"));
    // WEB-043.
    let page = rig.ask(OK_PAGE);
    assert_eq!((status(&page), header(&page, "Content-Type"), body(&page)), ("200", Some("text/plain"), "OK"));
    // HTTP-101, HTTP-126, BUG-026.
    for path in ["/logtail", "/logtail/no", "/logtail/web:*", "/logtail/web/stderr", "/../etc/passwd", "/images/"] {
        assert_eq!(status(&rig.ask(format!("GET {path} HTTP/1.1\r\n\r\n"))), "404", "{path}");
    }
}

#[test]
fn http_080_085_authentication() {
    let mut rig = Rig::new();
    store(&mut rig, "foo", "bar");
    for (credentials, code) in [("", "401"), ("Authorization: Basic eDp5\r\n", "401"), (SECRET, "200")] {
        for request in [post("/RPC2", credentials, &call("cache.fetch", &["foo"])), post("/ok.html", credentials, "")] {
            let conn = rig.connect(GUARDED);
            // HTTP-085: neither the body nor what follows is answered.
            let both = format!("{request}{}", OK_PAGE.replace("Host: h\r\n", SECRET));
            rig.send(conn, both.as_bytes());
            let answers = rig.read(conn);
            if code == "200" {
                assert_eq!(statuses(&answers), ["200", "200"]);
                continue;
            }
            assert_eq!(statuses(&answers), ["401"]);
            // HTTP-083, HTTP-152, BUG-020: it is closed.
            assert!(answers.starts_with("HTTP/1.1 401 Unauthorized\r\n"));
            assert_eq!(header(&answers, "WWW-Authenticate"), Some("Basic realm=\"default\""));
            assert_eq!(header(&answers, "Connection"), Some("close"));
            assert!(rig.is_over(conn));
        }
    }
    // Every path is guarded, also those that lead nowhere (HTTP-080).
    let conn = rig.connect(GUARDED);
    rig.send(conn, b"GET /none HTTP/1.1\r\n\r\n");
    assert_eq!(status(&rig.read(conn)), "401");
    assert!(rig.is_closed(conn), "nothing more can come of this request");
    // HTTP-084, BUG-025.
    for (token, code) in [("!", "400"), ("dXNlcg==", "401")] {
        let conn = rig.connect(GUARDED);
        rig.send(conn, format!("GET /ok.html HTTP/1.1\r\nAuthorization: Basic {token}\r\n\r\n").as_bytes());
        assert_eq!(status(&rig.read(conn)), code);
    }
    // The socket is closed as soon as the refused body has come.
    let conn = rig.connect(GUARDED);
    rig.send(conn, b"POST /RPC2 HTTP/1.1\r\nContent-Length: 4\r\n\r\nab");
    assert!(!rig.is_closed(conn));
    rig.send(conn, b"cd");
    assert!(rig.is_closed(conn));
}

#[test]
fn rpc_181_182_what_is_no_call_is_logged() {
    let mut rig = Rig::new();
    for (document, shown, why) in [
        ("", "''", "unmarshallable"),
        ("<methodCall><x", "'<methodCall><x'", "unmarshallable"),
        ("it's", "\"it's\"", "unmarshallable"),
        ("<methodCall></methodCall>", "'<methodCall></methodCall>'", "no method name"),
    ] {
        let conn = rig.connect(0);
        rig.send(conn, post("/RPC2", "", document).as_bytes());
        assert_eq!(statuses(&rig.read(conn)), ["400"], "{document}");
        let line = format!("ERRO XML-RPC request data {shown} is invalid: {why}\n");
        assert!(rig.main_log().ends_with(&line), "{}", rig.main_log());
        assert!(!rig.is_over(conn), "HTTP-153");
    }
    // A body is not kept as a whole for that.
    rig.ask(post("/RPC2", "", &"x".repeat(1_000_000)));
    assert!(rig.main_log().len() < 10_000);
}

#[test]
fn http_049_access_log_at_trac() {
    let mut rig = Rig::with_level(Level::Trace);
    let answer = rig.ask(OK_PAGE);
    let stamp = "31/Jan/2024:11:20:30 +0100";
    let line = format!("TRAC 10.0.0.7:4242 - - [{stamp}] \"GET /ok.html HTTP/1.1\" 200 {}\n", answer.len());
    assert!(rig.main_log().ends_with(&line), "{}", rig.main_log());
    let conn = rig.connect(GUARDED);
    rig.send(conn, b"GET /x?y\r\n\r\n");
    let line = format!("TRAC localhost:0 - - [{stamp}] \"GET /x?y\" 401 {}\n", rig.read(conn).len());
    assert!(rig.main_log().ends_with(&line), "{}", rig.main_log());
}

#[test]
fn rpc_007_http_153_deferred_answers() {
    let mut rig = Rig::new();
    let started = rig.ask(post("/RPC2", "", &call("supervisor.startProcess", &["web"])));
    assert!(started.contains("<boolean>1</boolean>"), "{started}");
    let conn = rig.connect(0);
    // A deferred answer holds up what was pipelined behind it, but nobody else.
    let both = post("/RPC2", "", &call("supervisor.stopProcess", &["web"])) + OK_PAGE;
    rig.send(conn, both.as_bytes());
    assert_eq!(rig.read(conn), "");
    assert_eq!(status(&rig.ask(OK_PAGE)), "200");
    assert!(rig.front.get(conn).unwrap().wants_input(), "a vanished client is to be noticed");
    rig.web_exits();
    let answers = rig.read(conn);
    assert_eq!(statuses(&answers), ["200", "200"]);
    assert!(answers.contains("<boolean>1</boolean>"), "{answers}");
    assert!(!rig.is_over(conn));
}

#[test]
fn http_154_a_half_closed_client_gets_its_answers() {
    let mut rig = Rig::new();
    store(&mut rig, "foo", "bar");
    rig.ask(post("/RPC2", "", &call("supervisor.startProcess", &["web"])));
    // Everything that was asked, then the end.
    let many = limits::REQUESTS_PER_TURN * 3;
    let conn = rig.connect(0);
    rig.turn(|front, world, turn| {
        front.received(conn, fetch("foo").repeat(many).as_bytes(), world, turn);
        front.ended(conn, world, turn);
    });
    assert_eq!(statuses(&rig.read(conn)).len(), many);
    assert!(rig.is_closed(conn));
    // Also what comes later.
    let conn = rig.connect(0);
    rig.send(conn, (post("/RPC2", "", &call("supervisor.stopProcess", &["web"])) + &fetch("foo")).as_bytes());
    rig.end(conn);
    assert!(!rig.is_closed(conn));
    rig.web_exits();
    assert_eq!(statuses(&rig.read(conn)), ["200", "200"]);
    assert!(rig.is_closed(conn));
    // Half a request is none, wherever it was cut.
    let request = fetch("foo");
    for cut in 0..request.len() {
        let conn = rig.connect(0);
        rig.send(conn, &request.as_bytes()[..cut]);
        rig.end(conn);
        assert_eq!(rig.read(conn), "");
        assert!(rig.is_closed(conn), "{cut}");
    }
}

#[test]
fn an_answer_may_take_as_long_as_it_likes() {
    let mut rig = Rig::new();
    rig.ask(post("/RPC2", "", &call("supervisor.startProcess", &["web"])));
    let conn = rig.connect(0);
    rig.send(conn, post("/RPC2", "", &call("supervisor.stopProcess", &["web"])).as_bytes());
    rig.pass(limits::IDLE * 3);
    assert!(!rig.is_closed(conn));
    rig.web_exits();
    assert_eq!(statuses(&rig.read(conn)), ["200"]);
}

#[test]
fn every_split_of_a_request_gives_the_same_replies() {
    let document = call("cache.fetch", &["foo"]);
    let chunked = format!(
        "POST /RPC2 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\n{}\r\n{:X}\r\n{}\r\n0\r\nT: x\r\n\r\n",
        &document[..5],
        document.len() - 5,
        &document[5..]
    );
    let http10 = format!(
        "POST /RPC2 HTTP/1.0\r\nConnection: Keep-Alive\r\nContent-Length: {}\r\n\r\n{document}",
        document.len()
    );
    let samples: &[(usize, String, &[&str])] = &[
        (0, fetch("foo"), &["200"]),
        (0, http10.clone() + &http10, &["200", "200"]),
        (0, http10.replace("Keep-Alive", "close") + OK_PAGE, &["200"]),
        (0, fetch("foo") + &fetch("bär"), &["200", "200"]),
        // HTTP-027.
        (0, chunked + OK_PAGE, &["200", "200"]),
        (0, post("/RPC2", "", "<methodCall><methodName>x</methodName>") + OK_PAGE, &["400", "200"]),
        (0, post("/RPC2", "", "<methodCall></methodCall>"), &["400"]),
        (0, "POST /RPC2 HTTP/1.1\r\nHost: h\r\n\r\n".to_string() + &document, &["411"]),
        (0, post("http://h:9001/RPC2?x#y", "Host:\r\n", &document), &["200"]),
        // HTTP-155, HTTP-143.
        (0, format!("\r\n{}\r\n{OK_PAGE}\r\n\r\n{OK_PAGE}\r\n", fetch("foo")), &["200", "200", "200"]),
        (0, "GET / nonsense\r\n\r\n".to_string() + OK_PAGE, &["400"]),
        (0, format!("HEAD /RPC2/x HTTP/1.0\r\n\r\n{OK_PAGE}"), &["400"]),
        (0, "GET /mainlogtail HTTP/1.0\r\n\r\n".to_string(), &[]),
        (0, post("/RPC2", "Expect: 100-continue\r\n", &document), &[]),
        (GUARDED, post("/RPC2", "", &document) + OK_PAGE, &["401"]),
        (GUARDED, post("/RPC2", SECRET, &document) + &OK_PAGE.replace("Host: h\r\n", SECRET), &["200", "200"]),
    ];
    let mut rig = Rig::new();
    store(&mut rig, "foo", "bar");
    for (server, sample, expected) in samples {
        let bytes = sample.as_bytes();
        let mut replies = |pieces: &[&[u8]]| {
            let conn = rig.connect(*server);
            let mut answer = String::new();
            for piece in pieces {
                rig.send(conn, piece);
                answer += &rig.read(conn);
            }
            let over = rig.is_over(conn);
            rig.front.closed(conn);
            // A followed main log shows what this test does to it.
            (answer.split("\n\n20").next().unwrap_or_default().to_string(), over)
        };
        let whole = replies(&[bytes]);
        if !expected.is_empty() && !sample.starts_with("HEAD") {
            assert_eq!(statuses(&whole.0), *expected, "{sample}");
        }
        for cut in 1..bytes.len() {
            assert_eq!(replies(&[&bytes[..cut], &bytes[cut..]]), whole, "cut at {cut}: {sample}");
        }
        for size in [1, 2, 3, 7] {
            let pieces: Vec<&[u8]> = bytes.chunks(size).collect();
            assert_eq!(replies(&pieces), whole, "in pieces of {size}: {sample}");
        }
    }
}

/// PROC-064 is said every 2 s while somebody waits, and by nobody afterwards: an idle daemon sleeps for ever.
#[test]
fn an_answered_stop_leaves_no_alarm() {
    let mut rig = Rig::new();
    let conn = rig.connect(0);
    rig.send(conn, post("/RPC2", "", &call("supervisor.startProcess", &["web"])).as_bytes());
    assert!(rig.read(conn).contains("<boolean>1</boolean>"));
    rig.pass(std::time::Duration::from_secs(2));
    rig.send(conn, post("/RPC2", "", &call("supervisor.stopProcess", &["web"])).as_bytes());
    assert!(rig.world.next_deadline().is_some());
    rig.web_exits();
    assert!(rig.read(conn).contains("<boolean>1</boolean>"));
    assert_eq!(rig.world.next_deadline(), None);
}
