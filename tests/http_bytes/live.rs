//! What open pages are told while they are open: server-sent events with JSON.

use std::time::Duration;

use majordomo::base::key::Key;
use majordomo::base::limits;
use majordomo::base::words::{Channel, Exit};
use majordomo::front::Conn;
use majordomo::sim::setup::read;
use serde_json::{Value, json};

use crate::rig::{Rig, WEB_LOG, body, call, header, post, status, unchunk};

/// An event's name and data.
type Event = (String, Value);

/// Events in the text of a stream (WHATWG HTML, 9.2.5): whole ones only.
fn events(stream: &str) -> Vec<Event> {
    let whole = stream.strip_suffix("\n\n").unwrap_or_else(|| panic!("half an event: {stream:?}"));
    let parse = |event: &str| {
        let lines: Vec<&str> = event.lines().collect();
        let [name, data] = lines[..] else { panic!("{event}") };
        let name = name.strip_prefix("event: ").expect("a name").to_string();
        let data = data.strip_prefix("data: ").expect("data");
        (name, serde_json::from_str(data).unwrap_or_else(|error| panic!("{error}: {data}")))
    };
    whole.split("\n\n").map(parse).collect()
}

/// A page that begins to listen, and the first event.
fn open(rig: &mut Rig) -> (Key<Conn>, Value) {
    let conn = rig.connect(0);
    rig.send(conn, b"GET /live HTTP/1.1\r\nHost: h\r\n\r\n");
    let answer = rig.read(conn);
    assert_eq!(status(&answer), "200");
    let mut first = events(&unchunk(body(&answer)).0);
    assert_eq!(first.len(), 1, "{answer}");
    let (name, data) = first.remove(0);
    assert_eq!(name, "all");
    (conn, data)
}

/// What a page is told now.
fn news(rig: &mut Rig, conn: Key<Conn>) -> Vec<Event> {
    let (text, over) = unchunk(&rig.read(conn));
    assert!(!over);
    if text.is_empty() { Vec::new() } else { events(&text) }
}

/// The only news.
fn one(rig: &mut Rig, conn: Key<Conn>) -> Value {
    let mut all = news(rig, conn);
    assert_eq!(all.len(), 1, "{all:?}");
    let (name, data) = all.remove(0);
    assert_eq!(name, "some");
    data
}

fn start(rig: &mut Rig, name: &str) {
    rig.ask(post("/RPC2", "", &call("supervisor.startProcess", &[name])));
}

fn say(rig: &mut Rig, name: &str, bytes: &[u8]) {
    let who = rig.world.find_member(name, name).expect("a process");
    rig.turn(|_, world, turn| world.printed(who, Channel::Stdout, bytes, turn));
}

#[test]
fn the_head_and_the_first_event() {
    let mut rig = Rig::new();
    rig.grow(WEB_LOG, "words of before\n");
    let conn = rig.connect(0);
    rig.send(conn, b"GET /live HTTP/1.1\r\nHost: h\r\n\r\n");
    let answer = rig.read(conn);
    assert_eq!(header(&answer, "Content-Type"), Some("text/event-stream"));
    assert_eq!(header(&answer, "Cache-Control"), Some("no-store"));
    assert_eq!(header(&answer, "X-Accel-Buffering"), Some("no"));
    assert_eq!(header(&answer, "X-Content-Type-Options"), Some("nosniff"));
    let (_, data) = events(&unchunk(body(&answer)).0).remove(0);
    let expected = json!({
        "now": 1_706_696_430.0, "state": "RUNNING", "identifier": "supervisor", "version": "4.3.0", "mayChange": true,
        "processes": [
            {"group": "mute", "name": "mute", "spec": "mute", "state": "STOPPED", "pid": 0, "start": 0, "stop": 0,
             "description": "Not started", "exit": null, "error": "", "out": true, "err": false, "line": ""},
            {"group": "web", "name": "web", "spec": "web", "state": "STOPPED", "pid": 0, "start": 0, "stop": 0,
             "description": "Not started", "exit": null, "error": "", "out": true, "err": false,
             "line": "words of before"},
        ],
    });
    assert_eq!(data, expected);
    assert_eq!(news(&mut rig, conn), []);
}

/// Reading the last lines of many logs takes its time; others get theirs meanwhile.
#[test]
fn the_first_page_of_many_processes() {
    let count = 3 * limits::LINES_PER_LOOK;
    let mut rig = Rig::with_sections(&format!(
        "[program:many]\ncommand=/bin/steady\nautostart=false\nnumprocs={count}\nprocess_name=%(process_num)04d\n\
         stdout_logfile=/var/log/many.log\n"
    ));
    rig.grow("/var/log/many.log", "words\n");
    let (conn, data) = open(&mut rig);
    let all = data["processes"].as_array().expect("an array");
    let mut known = all.iter().filter(|process| process["line"] == "words").count();
    assert!((limits::LINES_PER_LOOK - 2..=limits::LINES_PER_LOOK).contains(&known), "{known}");
    while known < count {
        rig.pass(limits::LINES_PAUSE);
        let more = one(&mut rig, conn)["lines"].as_array().expect("lines").len();
        assert!((1..=limits::LINES_PER_LOOK).contains(&more), "{more}");
        known += more;
    }
    rig.pass(limits::LINES_PAUSE);
    assert_eq!(news(&mut rig, conn), []);
}

#[test]
fn methods_and_versions() {
    let mut rig = Rig::new();
    for method in ["HEAD", "POST", "PUT"] {
        let answer = rig.ask(format!("{method} /live HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"));
        assert_eq!(status(&answer), "400", "{method}");
    }
    // Over HTTP/1.0 it is raw, and the end of the connection is its end.
    let conn = rig.connect(0);
    rig.send(conn, b"GET /live HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    let answer = rig.read(conn);
    assert_eq!(header(&answer, "Connection"), Some("close"));
    assert_eq!(events(body(&answer))[0].0, "all");
    rig.end(conn);
    assert!(rig.is_closed(conn));
    // Over HTTP/1.1 the end is said.
    let (conn, _) = open(&mut rig);
    rig.end(conn);
    assert!(unchunk(&rig.read(conn)).1 && rig.is_closed(conn));
}

#[test]
fn a_change_is_told_at_once_to_all() {
    let mut rig = Rig::new();
    let pages = [open(&mut rig).0, open(&mut rig).0];
    start(&mut rig, "web");
    for conn in pages {
        let told = one(&mut rig, conn);
        let members: Vec<&String> = told.as_object().expect("an object").keys().collect();
        assert_eq!(members, ["now", "processes", "state"], "nothing else, and not the other process");
        let [process] = &told["processes"].as_array().expect("an array")[..] else { panic!("{told}") };
        assert_eq!(
            (&process["name"], &process["state"], &process["pid"]),
            (&json!("web"), &json!("RUNNING"), &json!(1001))
        );
        assert_eq!((&process["start"], &process["exit"]), (&json!(1_706_696_430), &Value::Null));
        assert_eq!(process["description"], "pid 1001, uptime 0:00:00");
    }
    rig.exits("web", Exit::Code(3));
    for conn in pages {
        let told = one(&mut rig, conn);
        let process = &told["processes"][0];
        assert_eq!((&process["state"], &process["exit"], &process["pid"]), (&json!("EXITED"), &json!(3), &json!(0)));
        assert_eq!((&process["stop"], &process["error"]), (&json!(1_706_696_430), &json!("Bad exit code 3")));
        assert_eq!(news(&mut rig, conn), []);
    }
}

#[test]
fn processes_come_and_go() {
    let mut rig = Rig::new();
    let (conn, _) = open(&mut rig);
    let config = read("/etc/s.conf", "[supervisord]\n[program:new]\ncommand=/bin/steady\nprocess_name=it\n").unwrap();
    rig.turn(|_, world, turn| world.add_group(&config.groups[0], turn)).unwrap();
    let told = one(&mut rig, conn);
    assert_eq!((&told["processes"][0]["group"], &told["processes"][0]["spec"]), (&json!("new"), &json!("new:it")));
    rig.turn(|_, world, turn| world.remove_group(world.find_group("new").unwrap(), turn));
    let told = one(&mut rig, conn);
    assert_eq!((&told["gone"], told.get("processes")), (&json!(["new:it"]), None));
    // One that goes and comes again before anybody looks is there.
    rig.turn(|_, world, turn| {
        world.remove_group(world.find_group("web").unwrap(), turn);
        let web = world.configured.get("web").unwrap().clone();
        world.add_group(&web, turn).unwrap();
    });
    let told = one(&mut rig, conn);
    assert_eq!((&told["processes"][0]["name"], told.get("gone")), (&json!("web"), None));
}

#[test]
fn the_daemon_says_that_it_goes_and_streams_keep_nothing_up() {
    let mut rig = Rig::new();
    let (conn, _) = open(&mut rig);
    rig.ask(post("/RPC2", "", &call("supervisor.shutdown", &[])));
    assert_eq!(one(&mut rig, conn)["state"], "SHUTDOWN");
    assert!(rig.world.has_ended());
}

#[test]
fn last_lines_come_a_few_times_a_second() {
    let mut rig = Rig::new();
    start(&mut rig, "web");
    let (conn, _) = open(&mut rig);
    assert_eq!(news(&mut rig, conn), []);
    rig.pass(limits::LINES_PAUSE);
    say(&mut rig, "web", b"one\n");
    assert_eq!(one(&mut rig, conn)["lines"], json!([["web:web", "one"]]));
    for line in ["two\n", "three\n", "\x1b[31mfo<b>\"ur\x1b[0m"] {
        say(&mut rig, "web", line.as_bytes());
    }
    assert_eq!(news(&mut rig, conn), [], "too soon");
    rig.pass(limits::LINES_PAUSE - Duration::from_millis(1));
    assert_eq!(news(&mut rig, conn), []);
    rig.pass(Duration::from_millis(1));
    assert_eq!(one(&mut rig, conn)["lines"], json!([["web:web", "fo<b>\"ur"]]));
    // Nothing is planned any more.
    assert!(rig.front.next_deadline().is_none_or(|at| at > rig.now.mono + Duration::from_secs(60)));
    // The same line again is no news; an emptied log is.
    rig.pass(limits::LINES_PAUSE);
    say(&mut rig, "web", b"\nfo<b>\"ur\n");
    assert_eq!(news(&mut rig, conn), []);
    rig.ask(post("/RPC2", "", &call("supervisor.clearProcessLogs", &["web"])));
    assert_eq!(one(&mut rig, conn)["lines"], json!([["web:web", ""]]));
}

#[test]
fn a_slow_reader_gets_merged_news() {
    let mut rig = Rig::new();
    let (conn, _) = open(&mut rig);
    start(&mut rig, "web");
    let waiting = rig.front.get(conn).unwrap().outgoing().len();
    for _ in 0..50 {
        rig.exits("web", Exit::Code(0));
        start(&mut rig, "web");
        assert_eq!(rig.front.get(conn).unwrap().outgoing().len(), waiting, "nothing more before this is read");
    }
    // It reads: the first news, and then one event about all that came since.
    let told = news(&mut rig, conn);
    let pids: Vec<&Value> = told.iter().map(|(_, data)| &data["processes"][0]["pid"]).collect();
    assert_eq!(pids, [&json!(1001), &json!(1051)]);
    // One who is so far behind that nobody remembers is told everything.
    start(&mut rig, "web");
    rig.exits("web", Exit::Code(0));
    for _ in 0..limits::NEWS {
        start(&mut rig, "web");
        rig.exits("web", Exit::Code(0));
    }
    let told = news(&mut rig, conn);
    assert_eq!(told.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["some", "all"]);
    assert_eq!(told[1].1["processes"][1]["state"], "EXITED");
}

#[test]
fn nobody_watches_nothing_is_kept() {
    let mut rig = Rig::new();
    let before = rig.world.news_end();
    start(&mut rig, "web");
    assert_eq!(rig.world.news_end(), before);
    let (conn, _) = open(&mut rig);
    say(&mut rig, "web", b"words\n");
    say(&mut rig, "web", b"more\n");
    assert!(rig.front.next_deadline() <= Some(rig.now.mono + limits::LINES_PAUSE));
    rig.turn(|front, _, _| front.closed(conn));
    let number = rig.world.news_end();
    rig.exits("web", Exit::Code(0));
    assert_eq!(rig.world.news_end(), number);
    assert!(rig.world.news_since(number).is_some_and(|items| items.count() == 0));
    assert_eq!(rig.world.lines_due(), None);
    assert_eq!(rig.front.next_deadline(), None);
}

#[test]
fn any_name_and_any_bytes_are_told_inert() {
    let mut rig = Rig::with_sections(
        "[program:<script>\"it's&\\%?#é]\ncommand=/bin/steady\nautostart=false\nstartsecs=0\n\
         stdout_logfile=/var/log/odd.log\n",
    );
    let name = "<script>\"it's&\\%?#é";
    let (conn, data) = open(&mut rig);
    assert_eq!(data["processes"][0]["spec"], name);
    rig.pass(limits::LINES_PAUSE);
    start(&mut rig, "&lt;script>\"it's&amp;\\%?#é");
    assert_eq!(one(&mut rig, conn)["processes"][0]["state"], "RUNNING");
    say(&mut rig, name, b"</script><script>alert(1)\xff\x00\"\\\r\n\n");
    rig.pass(limits::LINES_PAUSE);
    let raw = rig.read(conn);
    assert!(!raw.contains('<'), "{raw}");
    let told = events(&unchunk(&raw).0);
    assert_eq!(told[0].1["lines"], json!([[format!("{name}:{name}"), "</script><script>alert(1)\u{fffd}\"\\"]]));
}
