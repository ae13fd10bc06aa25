//! HTTP over real sockets: requests in pieces, in crowds, malformed, abandoned; always with a second client that must
//! not notice.

mod support;

use std::time::{Duration, Instant};

use majordomo::base::value::Value;
use support::daemon::Daemon;
use support::http::{Client, Reply};
use support::xmlrpc::{request, request_with, response};
use support::{SERVERS, upstream_differs};

/// A client that was there before: its connection must survive whatever the others do.
struct Bystander(Client);

impl Bystander {
    fn new(daemon: &Daemon) -> Bystander {
        let mut bystander = Bystander(daemon.connect());
        bystander.is_served();
        bystander
    }

    fn is_served(&mut self) {
        let begun = Instant::now();
        let reply = self.0.ask(&request("supervisor.getAPIVersion", &[])).expect("an answer for the bystander");
        assert_eq!(response(&reply.body), Ok(Value::str("3.0")));
        assert!(begun.elapsed() < Duration::from_secs(5), "the bystander had to wait {:?}", begun.elapsed());
    }
}

/// Requests that give the same answer whenever they are asked.
fn samples() -> Vec<Vec<u8>> {
    let body = "<?xml version='1.0' encoding='UTF-8'?>\r\n<methodCall><methodName>system.multicall</methodName><params><param>\
<value><array><data><value><struct><member><name>methodName</name><value>cache.fetch</value></member><member>\
<name>params</name><value><array><data><value><string>nø &amp; 日本</string></value></data></array></value></member>\
</struct></value></data></array></value></param></params></methodCall>";
    vec![
        request("supervisor.getAPIVersion", &[]),
        request("cache.fetch", &["gr\u{f6}\u{df}e <&> \u{1f980}".into()]),
        request("supervisor.getProcessInfo", &["nobody".into()]),
        request_with(body),
        b"GET /RPC2 HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec(),
        b"GET /no/such/page HTTP/1.1\r\nHost: x\r\nAccept:  text/html \r\n\r\n".to_vec(),
        b"GET /logtail/nobody HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(),
    ]
}

fn fill(daemon: &Daemon) {
    let store = request("cache.store", &["gr\u{f6}\u{df}e <&> \u{1f980}".into(), "a \u{e9}\n<value>".into()]);
    for address in daemon.addresses() {
        let reply = Client::connect(address).expect("a connection").ask(&store).expect("an answer");
        assert_eq!(response(&reply.body), Ok(Value::Bool(true)));
    }
}

/// HTTP-022, HTTP-029, RPC-180: every split of a request, in two sends, gives the answer of the whole.
#[test]
fn every_byte_split_gives_the_same_answer() {
    let daemon = Daemon::start(SERVERS);
    fill(&daemon);
    let mut bystander = Bystander::new(&daemon);
    for address in daemon.addresses() {
        for sample in samples() {
            let whole = daemon.ask(&sample).without_date();
            let mut client = Client::connect(address).expect("a connection");
            for at in 1..sample.len() {
                client.send(&sample[..at]).expect("the first part");
                client.send(&sample[at..]).expect("the second part");
                let reply = client.read_reply().expect("an answer").without_date();
                assert_eq!(reply, whole, "split at {at}: {}", String::from_utf8_lossy(&sample));
                assert_eq!(client.unread, b"");
            }
            bystander.is_served();
        }
    }
}

/// HTTP-029, HTTP-044: all samples from a client that sends one byte at a time, on one connection.
#[test]
fn one_byte_at_a_time() {
    let daemon = Daemon::start(SERVERS);
    fill(&daemon);
    for address in daemon.addresses() {
        let mut client = Client::connect(address).expect("a connection");
        for sample in samples() {
            let whole = daemon.ask(&sample).without_date();
            for byte in &sample {
                client.send(std::slice::from_ref(byte)).expect("a byte");
            }
            assert_eq!(client.read_reply().expect("an answer").without_date(), whole);
        }
    }
}

/// HTTP-029: a hundred requests in one send are answered in order; so are they with a deferred one among them.
#[test]
fn a_hundred_requests_in_one_packet() {
    if upstream_differs("HTTP-029 with a deferred answer in between") {
        return;
    }
    let daemon =
        Daemon::start(&format!("{SERVERS}[program:sleepy]\ncommand=sleep 1000\nautostart=false\nstartsecs=1\n"));
    let mut bystander = Bystander::new(&daemon);
    for address in daemon.addresses() {
        let mut client = Client::connect(address).expect("a connection");
        let key = |number: usize| Value::Str(format!("key {number}"));
        let stores: Vec<u8> = (0..50).flat_map(|number| request("cache.store", &[key(number), key(number)])).collect();
        let fetches: Vec<u8> = (0..50).flat_map(|number| request("cache.fetch", &[key(number)])).collect();
        client.send(&[stores, fetches].concat()).expect("all at once");
        for number in 0..100 {
            let reply = client.read_reply().expect("an answer");
            let expected = if number < 50 { Value::Bool(true) } else { key(number - 50) };
            assert_eq!(response(&reply.body), Ok(expected), "answer {number}");
        }
        let deferred = [
            request("cache.fetch", &[key(1)]),
            request("supervisor.startProcess", &["sleepy".into()]),
            request("cache.fetch", &[key(2)]),
        ];
        client.send(&deferred.concat()).expect("all at once");
        bystander.is_served();
        for expected in [key(1), Value::Bool(true), key(2)] {
            let reply = client.read_reply().expect("an answer");
            assert_eq!(response(&reply.body), Ok(expected));
        }
        daemon.call("supervisor.stopProcess", &["sleepy".into()]);
        assert_eq!(client.unread, b"");
    }
}

/// What a broken request gets.
enum Then {
    /// The connection goes on.
    Open,
    /// The server closes, and says so (HTTP-045).
    Close,
}

/// HTTP-020, HTTP-021, HTTP-026, HTTP-043, HTTP-045, HTTP-060, HTTP-064, HTTP-065, BUG-015, BUG-019, BUG-021, BUG-030.
#[test]
fn malformed_http() {
    if upstream_differs("BUG-015, 019, 021, 030: silence, or none of it") {
        return;
    }
    let daemon = Daemon::start(SERVERS);
    let mut bystander = Bystander::new(&daemon);
    let long = format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(200_000));
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(30_000));
    let rows: &[(&[u8], u16, Then)] = &[
        (b"HELLO\r\n\r\n", 400, Then::Close),
        (b"GET\r\n\r\n", 400, Then::Close),
        (b"GET  /two  blanks HTTP/1.1\r\n\r\n", 400, Then::Close),
        (b"GET / HTTP/1.1 and more\r\n\r\n", 400, Then::Close),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400, Then::Close),
        (b"POST /RPC2 HTTP/1.1\r\nno colon here\r\n\r\n", 400, Then::Close),
        (b"POST /RPC2 HTTP/1.1\r\nContent-Length: many\r\n\r\n", 400, Then::Close),
        (b"POST /RPC2 HTTP/1.1\r\nContent-Length: -5\r\n\r\n", 400, Then::Close),
        (b"POST /RPC2 HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", 400, Then::Close),
        (b"POST /RPC2 HTTP/1.1\r\nContent-Length: 99999999999999\r\n\r\n", 413, Then::Close),
        (b"POST /RPC2 HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n", 413, Then::Close),
        (long.as_bytes(), 400, Then::Close),
        (many.as_bytes(), 400, Then::Close),
        (b"POST /RPC2 HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 400, Then::Open),
        (b"PUT /RPC2 HTTP/1.1\r\n\r\n", 400, Then::Open),
        (b"POST //RPC2 HTTP/1.1\r\nContent-Length: 1\r\n\r\nx", 400, Then::Open),
        (b"GET /../../etc/passwd HTTP/1.1\r\n\r\n", 404, Then::Open),
        (b"GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\n\r\n", 404, Then::Open),
    ];
    for (bytes, status, then) in rows {
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(60)]).into_owned();
        let mut client = daemon.connect();
        // The server may close before it has taken all of a request that is too long.
        let _ = client.send(bytes);
        let reply = client.read_reply().unwrap_or_else(|problem| panic!("{shown:?}: {problem}"));
        assert_eq!(reply.status, *status, "{shown:?}");
        is_error_page(&reply);
        match then {
            Then::Open => {
                assert!(!reply.says_close(), "{shown:?}");
                assert_eq!(client.ask(&samples()[0]).expect("the next answer").status, 200, "{shown:?}");
            }
            Then::Close => {
                assert!(reply.says_close(), "{shown:?}");
                client.end_sending().ok();
                assert!(client.is_closed_now(), "{shown:?}");
            }
        }
        bystander.is_served();
    }
}

/// HTTP-043.
fn is_error_page(reply: &Reply) {
    let (code, reason) = (reply.status, &reply.reason);
    let page = format!(
        "<head>\r\n<title>Error response</title>\r\n</head>\r\n<body>\r\n<h1>Error response</h1>\r\n\
<p>Error code {code}.\r\n<p>Message: {reason}.\r\n</body>\r\n"
    );
    assert_eq!(String::from_utf8_lossy(&reply.body), page);
    assert_eq!(reply.header("Content-Type"), Some("text/html"));
}

/// RPC-180, RPC-181, RPC-182, RPC-185, RPC-186, RPC-187, RPC-190, RPC-191, RPC-194: a document that is no call is status 400, on a connection that goes on.
#[test]
fn malformed_xml() {
    let daemon = Daemon::start(SERVERS);
    let mut bystander = Bystander::new(&daemon);
    let deep = format!("{}x{}", "<value><array><data>".repeat(3000), "</data></array></value>".repeat(3000));
    let bomb = "<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'bbbb'><!ENTITY c '&b;&b;'>]><methodCall><methodName>a.b\
</methodName><params><param><value>&c;</value></param></params></methodCall>";
    let with = |value: &str| {
        format!("<methodCall><methodName>cache.fetch</methodName><params><param>{value}</param></params></methodCall>")
    };
    let mut bodies = vec![
        "not xml".to_string(),
        "<methodCall>".to_string(),
        "<methodCall><methodName>a.b</methodName></methodCal>".to_string(),
        "<methodCall><params></params></methodCall>".to_string(),
        "<methodCall><methodName></methodName><params></params></methodCall>".to_string(),
        with("<value><int>seven</int></value>"),
        with("<value><double>much</double></value>"),
        with("<value><dateTime.iso8601>tomorrow</dateTime.iso8601></value>"),
        with("<value><struct><member><name>only</name></member></struct></value>"),
        with("<value>&nothing;</value>"),
    ];
    if !upstream_differs("BUG-036 and RPC-187") {
        bodies.extend([bomb.to_string(), with(&deep), with("<value><i8>eight</i8></value>")]);
    }
    let mut client = daemon.connect();
    for body in bodies {
        let shown = &body[..body.len().min(90)];
        let reply = client.ask(&request_with(&body)).unwrap_or_else(|problem| panic!("{shown}: {problem}"));
        assert_eq!(reply.status, 400, "{shown}");
        is_error_page(&reply);
        bystander.is_served();
    }
    assert_eq!(client.ask(&samples()[0]).expect("the next answer").status, 200);
    if !upstream_differs("RPC-180: drops the connection") {
        let mut bytes = request_with("<methodCall><methodName>a.b??</methodName></methodCall>");
        let at = bytes.iter().position(|byte| *byte == b'?').expect("a mark");
        bytes[at] = 0xff;
        assert_eq!(daemon.ask(&bytes).status, 400);
    }
}

/// RPC-001, RPC-003, RPC-004, BUG-016, BUG-017, CACHE-020, CACHE-021, TWID-040, TWID-052: a fault, with status 200.
#[test]
fn wrong_names_counts_and_types() {
    let daemon = Daemon::start(&format!("{SERVERS}[program:idle]\ncommand=sleep 1\nautostart=false\n"));
    let unknown = (1, "UNKNOWN_METHOD");
    let incorrect = (2, "INCORRECT_PARAMETERS");
    let text = Value::str;
    let nothing = || Value::Array(vec![]);
    let mut rows: Vec<(&str, Vec<Value>, (i64, &str))> = vec![
        ("supervisor", vec![], unknown),
        ("supervisor.", vec![], unknown),
        ("supervisor.getPID.x", vec![], unknown),
        (" supervisor.getPID", vec![], unknown),
        ("supervisor.__init__", vec![], unknown),
        ("nobody.getPID", vec![], unknown),
        ("supervisor.getPID", vec![Value::Int(1)], incorrect),
        ("supervisor.getProcessInfo", vec![], incorrect),
        ("supervisor.startProcess", vec![text("idle"), Value::Bool(true), text("more")], incorrect),
        ("cache.store", vec![text("key")], incorrect),
        ("cache.store", vec![text(""), text("x")], (10, "BAD_NAME: Cache key must be a non-empty string")),
        ("cache.store", vec![Value::Int(5), text("x")], (10, "BAD_NAME: Cache key must be a non-empty string")),
        ("supervisor.sendProcessStdin", vec![text("idle"), Value::Int(31)], (2, "INCORRECT_PARAMETERS: 31")),
        ("supervisor.readLog", vec![Value::Int(-1), Value::Int(1)], (3, "BAD_ARGUMENTS")),
    ];
    if !upstream_differs("BUG-016, 017, CACHE-021, TWID-032: HTTP 500, any value, other names") {
        rows.extend([
            ("supervisor.getProcessInfo", vec![Value::Int(5)], incorrect),
            ("supervisor.startProcess", vec![nothing()], incorrect),
            ("supervisor.readLog", vec![text("x"), Value::Int(1)], incorrect),
            ("supervisor.signalProcess", vec![text("idle"), nothing()], incorrect),
            ("system.multicall", vec![text("x")], incorrect),
            ("system.multicall", vec![Value::Array(vec![Value::Int(1)])], incorrect),
            ("cache.store", vec![text("k"), Value::Int(5)], (2, "INCORRECT_PARAMETERS: Cache data must be a string")),
            (
                "twiddler.addGroup",
                vec![text("g"), text("many")],
                (2, "INCORRECT_PARAMETERS: invalid literal for int() with base 10: 'many'"),
            ),
        ]);
    }
    for (method, params, (code, string)) in rows {
        assert_eq!(daemon.fault(method, &params), (code, string.to_string()), "{method} {params:?}");
    }
}

/// HTTP-024, RPC-007: clients that leave in the middle, or ask and go, hurt nobody and leave nothing behind.
#[test]
fn clients_that_vanish() {
    let daemon = Daemon::start(&format!("{SERVERS}[program:slow]\ncommand=sleep 1000\nautostart=false\nstartsecs=2\n"));
    let mut bystander = Bystander::new(&daemon);
    let before = support::proc::descriptors(daemon.pid()).len();
    let whole = request("cache.store", &["half".into(), "done".into()]);
    for at in [1, 10, whole.len() / 2, whole.len() - 1] {
        for address in daemon.addresses() {
            Client::connect(address).expect("a connection").send(&whole[..at]).expect("a part");
            bystander.is_served();
        }
    }
    // The action goes on although nobody waits for its end.
    daemon.connect().send(&request("supervisor.startProcess", &["slow".into()])).expect("a request");
    support::wait_until("the start", 20, || daemon.info("slow").state() != "STOPPED");
    daemon.wait_for_state("slow", "RUNNING");
    assert_eq!(daemon.call("cache.getKeys", &[]), Value::Array(vec![]));
    daemon.call("supervisor.stopProcess", &["slow".into()]);
    support::wait_until("closed descriptors", 20, || support::proc::descriptors(daemon.pid()).len() <= before);
}

/// HTTP-154: answered although the client has already said that it will send no more.
#[test]
fn a_client_that_only_listens() {
    let daemon = Daemon::start(&format!("{SERVERS}[program:slow]\ncommand=sleep 1000\nautostart=false\nstartsecs=1\n"));
    for address in daemon.addresses() {
        let mut client = Client::connect(address).expect("a connection");
        client.send(&samples()[0]).expect("a request");
        client.end_sending().expect("the end");
        let reply = client.read_reply().expect("an answer");
        assert_eq!(response(&reply.body), Ok(Value::str("3.0")));
        assert!(client.is_closed_now());
    }
    if !upstream_differs("HTTP-154 with an answer that comes later") {
        let mut client = daemon.connect();
        client.send(&request("supervisor.startProcess", &["slow".into()])).expect("a request");
        client.end_sending().expect("the end");
        let reply = client.read_reply().expect("a late answer");
        assert_eq!(response(&reply.body), Ok(Value::Bool(true)));
    }
}

/// A client that asks for much and never reads: what is kept for it stays bounded, and the others are served.
#[test]
fn a_client_that_never_reads() {
    if upstream_differs("keeps all of it") {
        return;
    }
    let daemon = Daemon::start(SERVERS);
    let mut bystander = Bystander::new(&daemon);
    daemon.call("cache.store", &["big".into(), Value::Str("x".repeat(1 << 20))]);
    let fetch = request("cache.fetch", &["big".into()]).repeat(64);
    let mut greedy: Vec<Client> = (0..4).map(|_| daemon.connect()).collect();
    let mut sent = 0;
    for _ in 0..200 {
        for client in &mut greedy {
            sent += client.send_some(&fetch).unwrap_or(0);
        }
        bystander.is_served();
    }
    assert!(sent > 0);
    let memory = support::proc::status_number(daemon.pid(), "VmRSS");
    assert!(memory < 64 * 1024, "{memory} KiB for four clients that don't read");
    // One of them begins to read: all that it asked for comes.
    let mut client = greedy.pop().expect("a client");
    for _ in 0..16 {
        assert_eq!(client.read_reply().expect("an answer").status, 200);
    }
    drop(greedy);
    bystander.is_served();
}

/// HTTP-023, HTTP-025, HTTP-027, HTTP-028, HTTP-060, HTTP-065, HTTP-144, HTTP-150, HTTP-155, BUG-018, BUG-031, BUG-032: what real clients do beyond the ordinary.
#[test]
fn odd_but_real_requests() {
    if upstream_differs("BUG-018, 031, 032") {
        return;
    }
    let daemon = Daemon::start(SERVERS);
    let body = support::xmlrpc::call("supervisor.getAPIVersion", &[]);
    let (first, second) = body.split_at(40);
    let chunked = format!(
        "POST /RPC2 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{first}\r\n{:X};x=y\r\n{second}\r\n0\r\n\r\n",
        first.len(),
        second.len()
    );
    let length = body.len();
    let bare = "<methodCall><methodName>supervisor.getAPIVersion</methodName></methodCall>";
    let untyped = "<a><methodName>system.multicall</methodName><params><param><value><array><data/></array></value></param></params></a>";
    assert_eq!(response(&daemon.ask(&request_with(untyped)).body), Ok(Value::Array(vec![])));
    let rows = [
        String::from_utf8(request_with(bare)).expect("text"),
        chunked,
        format!("POST /RPC2 HTTP/1.1\r\nContent-Length:{length}\r\n\r\n{body}"),
        format!("POST /RPC2 HTTP/1.1\r\ncontent-length: \t {length} \r\n\r\n{body}"),
        format!("\r\n\r\nPOST /RPC2 HTTP/1.1\r\nContent-Length: {length}\r\n\r\n{body}"),
        format!("POST /RPC2 HTTP/1.1\r\nHost:\r\nContent-Length: {length}\r\n\r\n{body}"),
        format!(
            "POST /RPC2 HTTP/1.1\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\nContent-Length: {length}\r\n\r\n{body}"
        ),
        format!("POST /RPC2/ HTTP/1.1\r\nContent-Length: {length}\r\n\r\n{body}"),
        format!("POST /%52PC2 HTTP/1.1\r\nContent-Length: {length}\r\n\r\n{body}"),
        format!("POST http://localhost/RPC2 HTTP/1.1\r\nContent-Length: {length}\r\n\r\n{body}"),
        format!("POST /whatever HTTP/1.1\r\nContent-Type: text/xml\r\nContent-Length: {length}\r\n\r\n{body}"),
    ];
    let mut client = daemon.connect();
    for row in rows {
        let reply = client.ask(row.as_bytes()).unwrap_or_else(|problem| panic!("{row}: {problem}"));
        assert_eq!(reply.status, 200, "{row}");
        assert_eq!(response(&reply.body), Ok(Value::str("3.0")), "{row}");
    }
    client
        .send(format!("POST /RPC2 HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: {length}\r\n\r\n").as_bytes())
        .expect("a head");
    assert_eq!(client.read_head().expect("leave to go on").status, 100);
    assert_eq!(client.ask(body.as_bytes()).expect("an answer").status, 200);
}

/// HTTP-040, HTTP-044, HTTP-045, HTTP-153, BUG-024: who keeps the connection, and who is told that it ends.
#[test]
fn versions_and_keep_alive() {
    if upstream_differs("BUG-021, BUG-024") {
        return;
    }
    let daemon = Daemon::start(SERVERS);
    let body = support::xmlrpc::call("supervisor.getAPIVersion", &[]);
    let post = |version: &str, header: &str| {
        format!("POST /RPC2{version}\r\n{header}Content-Length: {}\r\n\r\n{body}", body.len())
    };
    let rows = [
        (post(" HTTP/1.1", ""), "HTTP/1.1", None, true),
        (post(" HTTP/1.1", "Connection: close\r\n"), "HTTP/1.1", Some("close"), false),
        (post(" HTTP/1.1", "Connection: CLOSE, TE\r\n"), "HTTP/1.1", Some("close"), false),
        (post(" HTTP/1.0", ""), "HTTP/1.0", Some("close"), false),
        (post(" HTTP/1.0", "Connection: keep-alive\r\n"), "HTTP/1.0", Some("Keep-Alive"), true),
        (post("", ""), "HTTP/1.0", Some("close"), false),
    ];
    for (bytes, version, connection, stays) in rows {
        let mut client = daemon.connect();
        let reply = client.ask(bytes.as_bytes()).unwrap_or_else(|problem| panic!("{bytes}: {problem}"));
        assert_eq!(
            (reply.version.as_str(), reply.status, reply.header("Connection")),
            (version, 200, connection),
            "{bytes}"
        );
        assert_eq!(reply.header("Server"), Some("Medusa/1.12"), "HTTP-041");
        if stays {
            assert_eq!(client.ask(bytes.as_bytes()).expect("a second answer").status, 200, "{bytes}");
        } else {
            assert!(client.is_closed_now(), "{bytes}");
        }
    }
}
