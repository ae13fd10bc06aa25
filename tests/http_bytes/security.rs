//! Requests that a page from elsewhere makes a browser send, names that are not ours, and who may only look.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use majordomo::base::words::State;

use crate::rig::{Rig, WEB_LOG, body, call, header, post, status};

const FOREIGN: [&str; 4] = [
    "Origin: http://evil.example\r\n",
    "Origin: null\r\n",
    "Sec-Fetch-Site: cross-site\r\n",
    "Origin: http://h\r\nSec-Fetch-Site: cross-site\r\n",
];
const OURS: [&str; 5] = [
    "",
    "Origin: http://h\r\n",
    "Sec-Fetch-Site: same-origin\r\n",
    "Sec-Fetch-Site: same-origin\r\nOrigin: https://proxy.example\r\n",
    "Sec-Fetch-Site: none\r\n",
];
const XML: &str = "Content-Type: text/xml\r\n";

fn state(rig: &Rig) -> State {
    rig.world.find_member("web", "web").and_then(|who| rig.world.processes.get(who)).expect("a process").state()
}

#[test]
fn a_post_from_elsewhere_is_refused_wherever_it_goes() {
    for paths in [("/RPC2", XML), ("/whatever", XML), ("/", ""), ("/index.html", ""), ("/ok.html", ""), ("/none", "")] {
        let (path, kind) = paths;
        let sent = if kind == XML { call("supervisor.startProcess", &["web"]) } else { "action=stopall".to_string() };
        for lines in FOREIGN.into_iter().chain(["Sec-Fetch-Site: same-site\r\n"]) {
            let mut rig = Rig::new();
            let answer = rig.ask(post(path, &format!("{kind}{lines}"), &sent));
            assert!(answer.starts_with("HTTP/1.1 403 Forbidden\r\n"), "{path} {lines} {answer}");
            assert_eq!(header(&answer, "Connection"), Some("close"));
            assert_eq!(state(&rig), State::Stopped);
            let log = rig.main_log();
            assert!(log.contains(&format!("WARN 10.0.0.7: refused POST '{path}': ")), "{log}");
        }
        for lines in OURS {
            let mut rig = Rig::new();
            let code = status(&rig.ask(post(path, &format!("{kind}{lines}"), &sent))).to_string();
            assert_ne!(code, "403", "{path} {lines}");
            assert_eq!(state(&rig) == State::Running, kind == XML, "{path} {lines}");
            assert!(!rig.main_log().contains("refused"));
        }
    }
}

/// BUG-035: links that change something work from here and from bookmarks, not from other sites.
#[test]
fn a_get_from_elsewhere_changes_nothing_and_reads_no_log() {
    let get = |rig: &mut Rig, path: &str, lines: &str| {
        let answer = rig.ask(format!("GET {path} HTTP/1.1\r\nHost: h\r\n{lines}\r\n"));
        status(&answer).to_string()
    };
    let mut rig = Rig::new();
    rig.grow(WEB_LOG, "words\n");
    for lines in FOREIGN {
        for path in ["/?action=start&processname=web", "/index.html?action=stopall", "/?action=nix"] {
            assert_eq!(get(&mut rig, path, lines), "403", "{path} {lines}");
        }
        for path in ["/live", "/log/web", "/mainlog", "/logtail/web", "/mainlogtail"] {
            assert_eq!(get(&mut rig, path, lines), "403", "{path} {lines}");
        }
        // Whoever follows a link to a page gets the page.
        for path in
            ["/", "/?message=x", "/?processname=web", "/tail.html?processname=web", "/web/style.css", "/ok.html"]
        {
            assert_eq!(get(&mut rig, path, lines), "200", "{path} {lines}");
        }
        assert_eq!(get(&mut rig, "/?action=refresh", lines), "301");
    }
    assert_eq!(state(&rig), State::Stopped);
    for lines in OURS {
        for path in ["/live", "/log/web", "/mainlog", "/logtail/web"] {
            assert_eq!(get(&mut rig, path, lines), "200", "{path} {lines}");
        }
        assert_eq!(get(&mut rig, "/?action=clearlog&processname=web", lines), "301");
        rig.grow(WEB_LOG, "words\n");
    }
    // A neighbour's page may link to a log, but not to an action.
    let neighbour = "Sec-Fetch-Site: same-site\r\n";
    assert_eq!(get(&mut rig, "/logtail/web", neighbour), "200");
    assert_eq!(get(&mut rig, "/?action=stopall", neighbour), "403");
}

#[test]
fn get_actions_can_be_switched_off() {
    let mut rig = Rig::with_server("web_get_actions=false");
    for path in ["/?action=start&processname=web", "/index.html?action=stopall", "/?action=nix"] {
        let answer = rig.ask(format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n"));
        assert!(answer.starts_with("HTTP/1.1 405 Method Not Allowed\r\n"), "{answer}");
        assert_eq!(header(&answer, "Allow"), Some("POST"));
    }
    assert_eq!(state(&rig), State::Stopped);
    assert_eq!(status(&rig.ask("GET /?action=refresh HTTP/1.1\r\nHost: h\r\n\r\n")), "301");
    assert_eq!(status(&rig.ask(post("/?action=start&processname=web", "", ""))), "301");
    assert_eq!(state(&rig), State::Running);
}

#[test]
fn names_that_are_not_ours() {
    let mut rig = Rig::with_server("allowed_hosts=box, *.example.com:443");
    let ask = |rig: &mut Rig, host: &str, path: &str| {
        let answer = rig.ask(format!("GET {path} HTTP/1.1\r\n{host}\r\n"));
        answer.lines().next().unwrap_or_default().to_string()
    };
    for path in ["/", "/ok.html", "/web/style.css", "/mainlog", "/none"] {
        let answer = ask(&mut rig, "Host: evil.example:9001\r\n", path);
        assert_eq!(answer, "HTTP/1.1 421 Misdirected Request", "{path}");
    }
    assert!(
        rig.main_log().contains("refused GET '/ok.html': its Host, \"evil.example:9001\", is not in allowed_hosts")
    );
    let refused = rig.ask(post("/RPC2", "", &call("supervisor.startProcess", &["web"])));
    assert_eq!((status(&refused), state(&rig)), ("421", State::Stopped));
    for host in ["Host: box:9001\r\n", "Host: a.example.com:443\r\n", "Host:\r\n", ""] {
        assert_eq!(ask(&mut rig, host, "/ok.html"), "HTTP/1.1 200 OK", "{host}");
    }
}

/// Whoever can send wrong requests can't fill the disk with what the main log says of them.
#[test]
fn a_flood_of_refused_requests_is_summed_up() {
    let mut rig = Rig::with_server("allowed_hosts=h");
    let before = rig.main_log().len();
    for _ in 0..300 {
        assert_eq!(status(&rig.ask(post("/RPC2", "Sec-Fetch-Site: cross-site\r\n", ""))), "403");
        assert_eq!(status(&rig.ask("GET / HTTP/1.1\r\nHost: evil\r\n\r\n")), "421");
        assert_eq!(status(&rig.ask(post("/RPC2", "", &"x".repeat(9_000)))), "400");
    }
    let log = rig.main_log();
    for line in
        [": refused POST '/RPC2': it comes from", ": refused GET '/': its Host", " is invalid: unmarshallable\n"]
    {
        assert_eq!(log.matches(line).count(), 10, "{line}");
    }
    assert!(log.len() - before < 60_000, "{}", log.len() - before);
    rig.pass(Duration::from_secs(61));
    let log = rig.main_log();
    for line in [
        "WARN 290 more requests within a minute were refused because of the page that they come from\n",
        "WARN 290 more requests within a minute were refused because their Host is not in allowed_hosts\n",
        "WARN 290 more requests within a minute had XML-RPC request data that is invalid\n",
    ] {
        assert_eq!(log.matches(line).count(), 1, "{line}{log}");
    }
    // Told once; the next one is told by itself.
    rig.pass(Duration::from_secs(600));
    assert_eq!(rig.main_log(), log);
    rig.ask("GET / HTTP/1.1\r\nHost: evil\r\n\r\n");
    assert_eq!(rig.main_log().matches(": refused GET '/': its Host").count(), 11);
}

const ACCOUNTS: &str = "username=boss\npassword=secret\nviewer_username=guest\nviewer_password=look";

fn login(pair: &str) -> String {
    format!("Authorization: Basic {}\r\n", BASE64.encode(pair))
}

#[test]
fn who_may_look_sees_everything_and_no_button() {
    let mut rig = Rig::with_server(ACCOUNTS);
    rig.grow(WEB_LOG, "words\n");
    let mut get = |path: &str, pair: &str| rig.ask(format!("GET {path} HTTP/1.1\r\nHost: h\r\n{}\r\n", login(pair)));
    for path in ["/", "/tail.html?processname=web", "/live", "/log/web", "/mainlog", "/logtail/web", "/?action=refresh"]
    {
        assert!(["200", "301"].contains(&status(&get(path, "guest:look"))), "{path}");
        for wrong in ["guest:secret", "boss:look", "guest:", "nobody:look"] {
            assert_eq!(status(&get(path, wrong)), "401", "{path} {wrong}");
        }
    }
    let (theirs, ours) = (get("/", "guest:look"), get("/", "boss:secret"));
    for button in ["action=start", "action=clearlog", "action=stopall", "action=restartall"] {
        assert!(ours.contains(button) && !theirs.contains(button), "{button}");
    }
    assert!(theirs.contains("tail.html?processname=web") && theirs.contains("index.html?action=refresh"));
    assert!(get("/live", "guest:look").contains("\"mayChange\":false"));
    assert!(get("/live", "boss:secret").contains("\"mayChange\":true"));
    for action in ["start&processname=web", "stopall", "restartall", "clearlog&processname=web"] {
        assert_eq!(status(&get(&format!("/?action={action}"), "guest:look")), "403", "{action}");
        let posted = rig_post(&format!("/?action={action}"), "guest:look");
        assert_eq!(status(&posted), "403", "{action}");
    }
    assert_eq!(status(&get("/?action=start&processname=web", "boss:secret")), "301");
}

fn rig_post(path: &str, pair: &str) -> String {
    Rig::with_server(ACCOUNTS).ask(post(path, &login(pair), ""))
}

#[test]
fn who_may_look_calls_what_only_reads() {
    let mut rig = Rig::with_server(ACCOUNTS);
    let mut ask = |pair: &str, method: &str, params: &[&str]| {
        let answer = rig.ask(post("/RPC2", &login(pair), &call(method, params)));
        body(&answer).to_string()
    };
    let refused = |method: &str| format!("FAILED: this account may only look, and {method} changes something");
    for method in ["supervisor.getAllProcessInfo", "supervisor.getState", "cache.getKeys", "system.listMethods"] {
        assert!(!ask("guest:look", method, &[]).contains("<fault>"), "{method}");
    }
    for (method, params) in [
        ("supervisor.startProcess", &["web"][..]),
        ("supervisor.shutdown", &[]),
        ("supervisor.clearProcessLogs", &["web"]),
        ("supervisor.reloadConfig", &[]),
        ("supervisor.sendProcessStdin", &["web", "x"]),
        ("cache.store", &["foo", "bar"]),
        ("cache.clear", &[]),
    ] {
        let answer = ask("guest:look", method, params);
        assert!(answer.contains("<int>30</int>") && answer.contains(&refused(method)), "{answer}");
    }
    // Nor within another call.
    let inner = |method: &str| {
        format!(
            "<value><struct><member><name>methodName</name><value><string>{method}</string></value></member></struct></value>"
        )
    };
    let many = format!(
        "<methodCall><methodName>system.multicall</methodName><params><param><value><array><data>{}{}</data></array>\
         </value></param></params></methodCall>",
        inner("supervisor.getState"),
        inner("supervisor.shutdown")
    );
    let answer = rig.ask(post("/RPC2", &login("guest:look"), &many));
    assert!(body(&answer).contains("RUNNING") && body(&answer).contains(&refused("supervisor.shutdown")), "{answer}");
    assert_eq!(rig.world.mood().name(), "RUNNING");
    // An unknown method is unknown to everybody.
    let answer = rig.ask(post("/RPC2", &login("guest:look"), &call("supervisor.none", &[])));
    assert!(answer.contains("UNKNOWN_METHOD"), "{answer}");
    rig.ask(post("/RPC2", &login("boss:secret"), &call("supervisor.startProcess", &["web"])));
    assert_eq!(state(&rig), State::Running);
}

/// A connection may be used by one after the other, as a proxy does: each request has its own rights.
#[test]
fn rights_are_those_of_the_request() {
    let mut rig = Rig::with_server(ACCOUNTS);
    let conn = rig.connect(0);
    let start = call("supervisor.startProcess", &["web"]);
    for (pair, part) in [("boss:secret", "ALREADY"), ("guest:look", "may only look"), ("boss:secret", "ALREADY")] {
        if state(&rig) == State::Stopped {
            rig.send(conn, post("/RPC2", &login("boss:secret"), &start).as_bytes());
            rig.read(conn);
        }
        rig.send(conn, post("/RPC2", &login(pair), &start).as_bytes());
        let answer = rig.read(conn);
        assert!(answer.contains(part), "{pair}: {answer}");
    }
}
