//! The web pages and what their buttons do (contract http.md, section 9).

use std::time::Duration;

use majordomo::base::limits;
use majordomo::base::words::{Exit, State};

use crate::rig::{GUARDED, Rig, WEB_LOG, body, call, header, post, status, statuses};

const TITLE: &str = "<title>Supervisor Status</title>";

/// Programs that need a second to start, that can't, and with every sign that a name may have.
const PROGRAMS: &str = "[program:slow]\ncommand=/bin/steady\nautostart=false\nstartsecs=1\n\
    [program:quick]\ncommand=/bin/steady\nautostart=false\nautorestart=false\nstartsecs=1\nstartretries=0\n\
    [program:missing]\ncommand=/bin/none\nautostart=false\n\
    [program:text]\ncommand=/bin/text\nautostart=false\n\
    [program:<b>\"it's&100%?#é]\ncommand=/bin/steady\nautostart=false\nstartsecs=0\n\
    [program:pair]\ncommand=/bin/steady\nautostart=false\nprocess_name=%(process_num)d\nnumprocs=2\n";
const ODD: &str = "<b>\"it's&100%?#é";
const ODD_QUOTED: &str = "%3Cb%3E%22it%27s%26100%25%3F%23%C3%A9";
const ODD_SHOWN: &str = "&lt;b&gt;&quot;it&#39;s&amp;100%?#é";

fn get(rig: &mut Rig, path: &str) -> String {
    rig.ask(format!("GET {path} HTTP/1.1\r\nHost: box:9001\r\n\r\n"))
}

/// The message that an answer sends its client to.
fn message(answer: &str) -> String {
    assert_eq!(status(answer), "301", "{answer}");
    let location = header(answer, "Location").expect("a place");
    location.strip_prefix("http://box:9001/?message=").unwrap_or_else(|| panic!("{location}")).to_string()
}

/// The message that an action ends with.
fn act(rig: &mut Rig, query: &str) -> String {
    let answer = get(rig, &format!("/index.html?{query}"));
    let of_get = message(&answer);
    assert_eq!(statuses(&answer), ["301"]);
    of_get
}

fn state(rig: &Rig, name: &str) -> State {
    rig.world.find_member(name, name).and_then(|who| rig.world.processes.get(who)).expect("a process").state()
}

/// The part of a page that is about one process: from its state to the next row.
fn row<'a>(page: &'a str, quoted: &str) -> &'a str {
    let link = page.find(&format!("\"tail.html?processname={quoted}\"")).unwrap_or_else(|| panic!("{quoted}: {page}"));
    let start = page[..link].rfind("<tr").expect("a row");
    let end = page[link..].find("<tr").map_or(page.len(), |at| link + at);
    &page[start..end]
}

#[test]
fn web_001_headers_of_the_status_page() {
    let mut rig = Rig::new();
    for path in ["/", "/index.html", "//index.html", "/?x=1"] {
        let page = get(&mut rig, path);
        assert_eq!(status(&page), "200", "{path}");
        assert_eq!(header(&page, "Content-Type"), Some("text/html;charset=utf-8"));
        assert_eq!(header(&page, "Pragma"), Some("no-cache"));
        assert_eq!(header(&page, "Cache-Control"), Some("no-cache"));
        assert_eq!(header(&page, "Expires"), Some("Thu, 01 Jan 1970 00:00:00 GMT"));
        assert_eq!(header(&page, "Content-Length"), Some(body(&page).len().to_string().as_str()));
        let policy = header(&page, "Content-Security-Policy").expect("a policy");
        assert!(policy.starts_with("default-src 'none'; ") && policy.ends_with("frame-ancestors 'none'"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(header(&page, "X-Content-Type-Options"), Some("nosniff"));
        assert_eq!(header(&page, "Referrer-Policy"), Some("no-referrer"));
    }
    // HTTP-080.
    let conn = rig.connect(GUARDED);
    rig.send(conn, b"GET / HTTP/1.1\r\n\r\n");
    assert_eq!(status(&rig.read(conn)), "401");
}

#[test]
fn web_002_title_and_links() {
    let page = get(&mut Rig::new(), "/");
    assert!(page.contains(TITLE));
    assert!(page.contains("href=\"index.html?action=refresh\""));
    assert!(page.contains("\"index.html?action=restartall\""));
    assert!(page.contains("\"index.html?action=stopall\""));
    for text in ["Refresh", "Restart All", "Stop All"] {
        assert!(page.contains(text), "{text}");
    }
}

#[test]
fn web_003_rows_in_order_or_nothing_to_manage() {
    let mut rig = Rig::with_sections(PROGRAMS);
    let page = get(&mut rig, "/");
    let headings: Vec<&str> = page
        .match_indices("<th")
        .filter(|(at, _)| !page[*at..].starts_with("<thead"))
        .map(|(at, _)| &page[at..])
        .collect();
    assert_eq!(headings.len(), 4);
    for (heading, text) in headings.iter().zip(["State", "Description", "Name", "Action"]) {
        assert!(heading.split("<th").nth(1).is_some_and(|heading| heading.contains(text)), "{text}");
    }
    let names = [ODD_QUOTED, "missing", "mute", "pair%3A0", "pair%3A1", "quick", "slow", "text", "web"];
    let places: Vec<_> = names.map(|name| page.find(&format!("\"tail.html?processname={name}\""))).into();
    assert!(places.iter().all(Option::is_some), "{places:?}");
    assert!(places.is_sorted(), "{places:?}");
    assert!(!page.contains("No programs to manage"));
    for name in ["missing", "mute", "pair", "quick", "slow", "text", "web", ODD] {
        rig.turn(|_, world, turn| world.remove_group(world.find_group(name).expect("a group"), turn));
    }
    let page = get(&mut rig, "/");
    assert!(page.contains("No programs to manage") && !page.contains("<table"), "{page}");
}

#[test]
fn web_004_states() {
    let mut rig = Rig::with_sections(PROGRAMS);
    let shown = |rig: &mut Rig, name: &str, class: &str, text: &str| {
        let page = get(rig, "/");
        let row = row(&page, name);
        assert!(row.contains(class) && row.contains(&format!(">{text}<")), "{row}");
        let classes = ["statusrunning", "statuserror", "statusnominal"];
        assert_eq!(classes.into_iter().filter(|other| row.contains(other)).collect::<Vec<_>>(), [class]);
    };
    shown(&mut rig, "web", "statusnominal", "stopped");
    act(&mut rig, "processname=web&action=start");
    shown(&mut rig, "web", "statusrunning", "running");
    rig.web_exits();
    shown(&mut rig, "web", "statusnominal", "exited");
    act(&mut rig, "processname=missing&action=start");
    let conn = rig.connect(0);
    rig.send(conn, b"GET /?processname=quick&action=start HTTP/1.1\r\n\r\n");
    shown(&mut rig, "quick", "statusnominal", "starting");
    rig.exits("quick", Exit::Code(1));
    shown(&mut rig, "quick", "statuserror", "fatal");
    rig.send(conn, b"GET /?processname=slow&action=start HTTP/1.1\r\n\r\n");
    rig.exits("slow", Exit::Code(1));
    shown(&mut rig, "slow", "statuserror", "backoff");
}

#[test]
fn web_005_names_of_any_kind() {
    let page = get(&mut Rig::with_sections(PROGRAMS), "/");
    for (quoted, text) in [("web", "web"), ("pair%3A1", "pair:1"), (ODD_QUOTED, ODD_SHOWN)] {
        let row = row(&page, quoted);
        assert!(row.contains(&format!(">{text}<")), "{row}");
        let link = row.split("<a ").find(|link| link.contains("tail.html")).expect("a link");
        assert!(link.split('>').next().is_some_and(|tag| tag.contains("target=\"_blank\"")), "{link}");
    }
    assert!(!page.contains("<b>") && !page.contains("it's&"), "{page}");
}

#[test]
fn web_006_web_007_actions() {
    let mut rig = Rig::with_sections(PROGRAMS);
    let check = |rig: &mut Rig, quoted: &str, there: &[(&str, &str)], absent: &[&str]| {
        let page = get(rig, "/");
        let row = row(&page, quoted);
        for (action, text) in there.iter().chain(&[("clearlog", "Clear Log")]) {
            let to = format!("\"index.html?processname={quoted}&amp;action={action}\"");
            assert!(row.contains(&to) && row.contains(&format!(">{text}<")), "{action}: {row}");
        }
        for action in absent {
            assert!(!row.contains(&format!("action={action}\"")), "{action}: {row}");
        }
        for (to, text) in [(format!("logtail/{quoted}"), "Stdout"), (format!("logtail/{quoted}/stderr"), "Stderr")] {
            let link = row.split("<a ").find(|link| link.contains(&format!("href=\"{to}\""))).expect("a link");
            assert!(link.contains("target=\"_blank\"") && link.contains(&format!("Tail -f {text}")), "{link}");
        }
    };
    check(&mut rig, "web", &[("start", "Start")], &["stop", "restart"]);
    check(&mut rig, ODD_QUOTED, &[("start", "Start")], &["stop", "restart"]);
    act(&mut rig, "processname=web&action=start");
    check(&mut rig, "web", &[("restart", "Restart"), ("stop", "Stop")], &["start"]);
    rig.web_exits();
    check(&mut rig, "web", &[("start", "Start")], &["stop", "restart"]);
    let conn = rig.connect(0);
    rig.send(conn, b"GET /?processname=slow&action=start HTTP/1.1\r\n\r\n");
    assert_eq!(state(&rig, "slow"), State::Starting);
    check(&mut rig, "slow", &[], &["start", "stop", "restart"]);
}

#[test]
fn web_008_messages_are_text() {
    let mut rig = Rig::new();
    let page = get(&mut rig, "/?message=%3Cscript%3Ealert(%22it%27s%22)%3C/script%3E+%26+done%00%0D%0A");
    let at = page.find("status_msg").expect("a message");
    assert!(page[at..].contains("&lt;script&gt;alert(&quot;it&#39;s&quot;)&lt;/script&gt; &amp; done"), "{page}");
    assert!(!page.contains("<script>alert"));
    assert!(!get(&mut rig, "/").contains("status_msg"));
    assert!(!get(&mut rig, "/?message=").contains("status_msg"));
}

#[test]
fn web_009_version_and_year() {
    let page = get(&mut Rig::new(), "/");
    let footer = page.split("<footer").nth(1).expect("a footer");
    assert!(footer.contains("4.3.0") && footer.contains("2024"), "{footer}");
}

/// WEB-010, BUG-027: while the daemon goes, the page is there, and every action says why it can't be.
#[test]
fn web_010_bug_027_while_shutting_down() {
    let mut rig = Rig::with_sections(PROGRAMS);
    act(&mut rig, "processname=web&action=start");
    rig.ask(post("/RPC2", "", &call("supervisor.shutdown", &[])));
    assert_eq!(state(&rig, "web"), State::Stopping);
    let page = get(&mut rig, "/");
    assert!(page.contains(TITLE) && row(&page, "web").contains(">stopping<"), "{page}");
    let shutdown = "unexpected%20rpc%20fault%20%5B6%5D%20SHUTDOWN_STATE";
    for action in ["stop", "restart", "clearlog"] {
        assert_eq!(act(&mut rig, &format!("processname=web&action={action}")), shutdown, "{action}");
    }
    assert_eq!(act(&mut rig, "processname=mute&action=start"), format!("ERROR%3A%20Process%20mute%3A%20{shutdown}"));
    for action in ["stopall", "restartall"] {
        assert_eq!(act(&mut rig, &format!("action={action}")), shutdown, "{action}");
    }
    assert!(act(&mut rig, "action=refresh").starts_with("Page%20refreshed%20at%20"));
    let tail = get(&mut rig, "/tail.html?processname=web");
    assert!(tail.contains("ERROR: unexpected rpc fault [6] SHUTDOWN_STATE"), "{tail}");
}

/// WEB-020, WEB-031: the moment as C's asctime shows it, in local time.
#[test]
fn web_020_web_031_refresh() {
    let answer = act(&mut Rig::new(), "action=refresh");
    assert_eq!(answer, "Page%20refreshed%20at%20Wed%20Jan%2031%2011%3A20%3A30%202024");
}

#[test]
fn web_021_web_022_all() {
    let mut rig = Rig::with_sections(PROGRAMS);
    act(&mut rig, "processname=web&action=start");
    let conn = rig.connect(0);
    rig.send(conn, b"GET /?action=stopall HTTP/1.1\r\nHost: box:9001\r\n\r\n");
    // It is deferred until all are stopped.
    assert_eq!((rig.read(conn).as_str(), state(&rig, "web")), ("", State::Stopping));
    rig.pass(Duration::from_secs(2));
    rig.exits("web", Exit::Code(0));
    assert_eq!(message(&rig.read(conn)), "All%20stopped%20at%20Wed%20Jan%2031%2011%3A20%3A30%202024");
    act(&mut rig, "processname=web&action=start");
    rig.send(conn, b"GET /?action=restartall HTTP/1.1\r\nHost: box:9001\r\n\r\n");
    rig.exits("web", Exit::Code(0));
    assert_eq!(rig.read(conn), "", "the slow ones are still on their way");
    rig.pass(Duration::from_secs(60));
    assert!(message(&rig.read(conn)).starts_with("All%20restarted%20at%20"));
    assert_eq!((state(&rig, "web"), state(&rig, "slow")), (State::Running, State::Running));
}

#[test]
fn web_023_start() {
    let mut rig = Rig::with_sections(PROGRAMS);
    assert_eq!(act(&mut rig, "processname=web&action=start"), "Process%20web%20started");
    let error = |why: &str| format!("ERROR%3A%20Process%20{why}");
    assert_eq!(act(&mut rig, "processname=web&action=start"), error("web%3A%20already%20started"));
    assert_eq!(act(&mut rig, "processname=missing&action=start"), error("missing%3A%20no%20such%20file"));
    assert_eq!(act(&mut rig, "processname=text&action=start"), error("text%3A%20file%20not%20executable"));
    // Deferred until it is RUNNING, or isn't.
    let conn = rig.connect(0);
    for (exits, said) in [(false, "Process%20slow%20started"), (true, "ERROR%3A%20Process%20quick%3A%20spawn%20error")]
    {
        let name = if exits { "quick" } else { "slow" };
        rig.send(conn, format!("GET /?processname={name}&action=start HTTP/1.1\r\nHost: box:9001\r\n\r\n").as_bytes());
        assert_eq!((rig.read(conn).as_str(), state(&rig, name)), ("", State::Starting));
        if exits {
            rig.exits(name, Exit::Code(1));
        } else {
            rig.pass(Duration::from_secs(1));
        }
        assert_eq!(message(&rig.read(conn)), said);
    }
    // Somebody stops it meanwhile.
    rig.send(conn, b"GET /?processname=quick&action=start HTTP/1.1\r\nHost: box:9001\r\n\r\n");
    rig.ask(post("/RPC2", "", &call("supervisor.stopProcess", &["quick"])));
    assert_eq!(message(&rig.read(conn)), error("quick%3A%20abnormal%20termination"));
    // And one that hangs in the end.
    let other = format!("processname={ODD_QUOTED}&action=start");
    assert_eq!(act(&mut rig, &other), format!("Process%20{ODD_QUOTED}%20started"));
}

#[test]
fn web_024_stop() {
    let mut rig = Rig::new();
    let refused = "unexpected%20rpc%20fault%20%5B70%5D%20NOT_RUNNING%3A%20web";
    assert_eq!(act(&mut rig, "processname=web&action=stop"), refused);
    act(&mut rig, "processname=web&action=start");
    let conn = rig.connect(0);
    rig.send(conn, b"GET /?processname=web:web&action=stop HTTP/1.1\r\nHost: box:9001\r\n\r\n");
    assert_eq!(rig.read(conn), "");
    rig.web_exits();
    assert_eq!(message(&rig.read(conn)), "Process%20web%3Aweb%20stopped");
}

#[test]
fn web_025_restart() {
    let mut rig = Rig::with_sections(PROGRAMS);
    let conn = rig.connect(0);
    for name in ["web", "missing", "text"] {
        // Even if it was not running, and even if it can't be started.
        assert_eq!(
            act(&mut rig, &format!("processname={name}&action=restart")),
            format!("Process%20{name}%20restarted")
        );
    }
    assert_eq!(state(&rig, "web"), State::Running);
    rig.send(conn, b"GET /?processname=web&action=restart HTTP/1.1\r\nHost: box:9001\r\n\r\n");
    assert_eq!((rig.read(conn).as_str(), state(&rig, "web")), ("", State::Stopping));
    rig.web_exits();
    assert_eq!(message(&rig.read(conn)), "Process%20web%20restarted");
    assert_eq!(state(&rig, "web"), State::Running);
}

#[test]
fn web_026_clear_log() {
    let mut rig = Rig::new();
    rig.grow(WEB_LOG, "old words\n");
    assert_eq!(act(&mut rig, "processname=web&action=clearlog"), "Log%20for%20web%20cleared");
    assert_eq!(rig.host.files.text(WEB_LOG).unwrap_or_default(), b"");
    rig.host.refusals.open = 1;
    let failed = "unexpected%20rpc%20fault%20%5B30%5D%20FAILED%3A%20web";
    assert_eq!(act(&mut rig, "processname=web&action=clearlog"), failed);
}

#[test]
fn web_027_nobody_of_that_name() {
    let mut rig = Rig::with_sections(PROGRAMS);
    for action in ["start", "stop", "restart", "clearlog"] {
        for (name, shown) in
            [("ghost", "ghost"), ("web:*", "web%3A%2A"), ("web:", "web%3A"), ("pair", "pair"), ("pair:2", "pair%3A2")]
        {
            let said = act(&mut rig, &format!("processname={name}&action={action}"));
            assert_eq!(said, format!("No%20such%20process%20named%20{shown}"));
        }
    }
}

/// WEB-028, BUG-028.
#[test]
fn web_028_bug_028_actions_that_there_are_not() {
    let mut rig = Rig::new();
    for query in
        ["action=nix", "action=start", "action=start&processname=", "action=nix&processname=web", "action=Stop"]
    {
        assert_eq!(status(&get(&mut rig, &format!("/?{query}"))), "400", "{query}");
        assert_eq!(status(&rig.ask(post("/", "", query))), "400", "{query}");
    }
    // None at all is the page.
    assert!(get(&mut rig, "/?processname=web").contains(TITLE));
    assert!(get(&mut rig, "/?action=").contains(TITLE));
}

/// WEB-029, HTTP-026.
#[test]
fn web_029_forms_by_post() {
    let mut rig = Rig::new();
    assert_eq!(status(&rig.ask("POST /index.html HTTP/1.1\r\nHost: h\r\n\r\n")), "411");
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    let mut said = |path: &str, body: &str| {
        let answer = rig.ask(post(path, form, body).replace("Host: h\r\n", "Host: box:9001\r\n"));
        assert_eq!(statuses(&answer), ["301"]);
        message(&answer)
    };
    assert_eq!(said("/index.html", "processname=web&action=start"), "Process%20web%20started");
    // The address of a button, with an empty form behind it.
    assert_eq!(said("/index.html?processname=web&action=clearlog", ""), "Log%20for%20web%20cleared");
    // The body wins.
    assert_eq!(said("/?processname=ghost&action=stop", "processname=web&action=clearlog"), "Log%20for%20web%20cleared");
    assert!(rig.ask(post("/", form, "message=hi+there")).contains(">hi there<"));
    // Its size has a bound.
    let long = "x".repeat(limits::FORM_BYTES + 1);
    assert_eq!(status(&rig.ask(post("/", form, &long))), "413");
}

#[test]
fn web_030_where_it_goes_on() {
    let mut rig = Rig::new();
    let mut to = |host: &str| {
        let answer = rig.ask(format!("GET /?action=clearlog&processname=web HTTP/1.1\r\n{host}\r\n"));
        let location = header(&answer, "Location").expect("a place").to_string();
        location.strip_suffix("/?message=Log%20for%20web%20cleared").unwrap_or_else(|| panic!("{location}")).to_string()
    };
    assert_eq!(to("Host: box:9001\r\n"), "http://box:9001");
    assert_eq!(to("Host: www.example.com:80\r\n"), "http://www.example.com");
    assert_eq!(to("Host: [::1]:9001\r\n"), "http://[::1]:9001");
    // Nobody says, or it is no host: the server's own name.
    for host in ["", "Host:\r\n", "Host: /tmp/s.sock\r\n", "Host: a b\r\n", "Host: <script>\r\n", "Host: a\"b\r\n"] {
        assert_eq!(to(host), "http://localhost:9001", "{host}");
    }
    // What would be a line of its own is none.
    assert_eq!(to("Host: a\r\n Location: http://evil\r\n"), "http://localhost:9001");
    // A proxy in front speaks https.
    assert_eq!(to("Host: www.example.com\r\nX-Forwarded-Proto: https\r\n"), "https://www.example.com");
    assert_eq!(to("Host: www.example.com:443\r\nX-Forwarded-Proto: HTTPS\r\n"), "https://www.example.com");
}

/// A name can't end the header's line: nobody has that name, and it is quoted.
#[test]
fn web_030_messages_do_not_split_headers() {
    let answer = get(&mut Rig::new(), "/?action=stop&processname=a%0D%0ASet-Cookie:%20x%0D%0A%0D%0A<script>");
    assert_eq!(message(&answer), "No%20such%20process%20named%20a%0D%0ASet-Cookie%3A%20x%0D%0A%0D%0A%3Cscript%3E");
    assert_eq!(header(&answer, "Set-Cookie"), None);
}

#[test]
fn web_032_the_redirect_itself() {
    let answer = get(&mut Rig::new(), "/?action=refresh");
    let (head, text) = answer.split_once("\r\n\r\n").expect("a head");
    let names: Vec<&str> = head.lines().skip(1).filter_map(|line| line.split(':').next()).collect();
    let expected =
        ["Server", "Date", "Location", "Content-Type", "Pragma", "Cache-Control", "Expires", "Content-Length"];
    assert_eq!(names, expected);
    assert_eq!(header(&answer, "Content-Type"), Some("text/html"));
    assert_eq!((header(&answer, "Content-Length"), text.len()), (Some("142"), 142));
}

#[test]
fn web_040_the_end_of_a_log() {
    let mut rig = Rig::new();
    let text: String = (0..1000).map(|number| format!("{number} <i>&\n")).collect();
    rig.grow(WEB_LOG, &text);
    let shown = |rig: &mut Rig, query: &str| {
        let page = get(rig, &format!("/tail.html?{query}"));
        assert_eq!(header(&page, "Content-Type"), Some("text/html;charset=utf-8"));
        assert!(header(&page, "Content-Security-Policy").is_some());
        assert!(page.contains("<title>Supervisor tail of process web</title>"), "{page}");
        let inside = page.split_once("<pre").and_then(|rest| rest.1.split_once('>')).expect("a text").1;
        inside.split_once("</pre>").expect("its end").0.to_string()
    };
    let escaped =
        |count: usize| text[text.len() - count..].replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    assert_eq!(shown(&mut rig, "processname=web"), escaped(1024));
    for (limit, count) in
        [("10", 1024), ("2000", 2000), ("99999999999999999999", text.len()), ("5e3", 1024), ("-9", 1024)]
    {
        assert_eq!(shown(&mut rig, &format!("processname=web&limit={limit}")), escaped(count), "{limit}");
    }
    // RPC-130, RPC-131, BUG-029: bytes that are no text.
    rig.host.files.put(WEB_LOG, b"a\xff\x00\x1b[1m</pre><script>alert(1)</script>\n");
    let inside = shown(&mut rig, "processname=web");
    assert_eq!(inside, "a\u{fffd}\u{fffd}\u{fffd}[1m&lt;/pre&gt;&lt;script&gt;alert(1)&lt;/script&gt;\n");
}

#[test]
fn web_041_when_there_is_no_log() {
    let mut rig = Rig::with_sections(PROGRAMS);
    for query in ["", "?processname=", "?limit=7"] {
        let page = get(&mut rig, &format!("/tail.html{query}"));
        assert!(page.contains("No process name found"), "{page}");
        assert!(page.contains("<title>Supervisor tail of process None</title>"), "{page}");
        assert!(!page.contains("tail.html?"), "no refresh link: {page}");
    }
    let page = get(&mut rig, "/tail.html?processname=web");
    assert!(page.contains("No file for web"), "{page}");
    for name in ["ghost", "web:*", "pair"] {
        let page = get(&mut rig, &format!("/tail.html?processname={name}"));
        assert!(page.contains(&format!("ERROR: unexpected rpc fault [10] BAD_NAME: {name}")), "{page}");
    }
    let page = get(&mut rig, "/tail.html?processname=%3Cscript%3E");
    assert!(page.contains("BAD_NAME: &lt;script&gt;") && !page.contains("<script>"), "{page}");
}

#[test]
fn web_042_the_refresh_link() {
    let mut rig = Rig::with_sections(PROGRAMS);
    for (query, link) in [
        ("processname=web".to_string(), "processname=web&amp;limit=1024".to_string()),
        ("processname=web&limit=4000".to_string(), "processname=web&amp;limit=4000".to_string()),
        (format!("processname={ODD_QUOTED}&limit=x"), format!("processname={ODD_QUOTED}&amp;limit=1024")),
        ("processname=pair:1".to_string(), "processname=pair%3A1&amp;limit=1024".to_string()),
    ] {
        let page = get(&mut rig, &format!("/tail.html?{query}"));
        assert!(page.contains(&format!("href=\"tail.html?{link}\"")), "{page}");
    }
}

#[test]
fn web_043_the_page_for_monitors() {
    let answer = get(&mut Rig::new(), "/ok.html");
    assert_eq!((status(&answer), header(&answer, "Content-Type"), body(&answer)), ("200", Some("text/plain"), "OK"));
}

/// BUG-035: a GET changes things, as bookmarks and scripts expect.
#[test]
fn bug_035_actions_by_get_are_kept() {
    let mut rig = Rig::new();
    assert_eq!(act(&mut rig, "processname=web&action=start"), "Process%20web%20started");
    assert_eq!(state(&rig, "web"), State::Running);
}
