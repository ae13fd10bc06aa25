//! The recorded answers of the published programs, asked of our daemon. `tests/vectors/README.md` says how they were
//! made, what the tokens in them stand for, and what of an answer carries meaning; only that is compared.

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use majordomo::base::value::Value;
use support::daemon::{Daemon, Setup};
use support::http::Reply;
use support::xmlrpc::{self, Answer};
use support::{upstream, wait_until};

/// Where the contract wants something else than what was recorded (`overridden_by`): a fault.
/// Or a fault that says more: which option is bad.
const WANTED: &[(&str, i64, &str)] = &[
    ("xmlrpc-018-start-with-wrong-type", 2, "INCORRECT_PARAMETERS"),
    (
        "xmlrpc-055-twiddler-add-bad-option",
        2,
        "INCORRECT_PARAMETERS: invalid literal for int() with base 10: 'ten' in section 'program:east' \
         (file: '@DIR@/sd.conf'); the option is startsecs",
    ),
];

/// Where our answer means the same in other bytes, and why that is better. All others are the same byte for byte, but
/// for what the README calls volatile.
const BETTER: &[(&str, &str)] = &[
    ("xmlrpc-010-all-config", "it has autorestart, too (RPC-093, BUG-057)"),
    ("http-002-post-without-length", "it says that the connection closes (HTTP-045, BUG-021)"),
    ("http-008-old-client", "it says that the connection closes (HTTP-045, BUG-021)"),
    ("http-009-old-client-keep-alive", "it says that the connection stays (HTTP-044, HTTP-153)"),
    ("http-010-closing-client", "it says that the connection closes (HTTP-045, BUG-021)"),
    ("http-014-malformed-credentials", "it closes and says so: nobody knows who sends what follows (HTTP-085)"),
];

/// Struct members that the recorded program lacks and that clients may find (BUG-057).
const MORE_MEMBERS: &[&str] = &["autorestart"];

/// A line of a file, as far as it matters here.
struct Line {
    name: String,
    setup: String,
    after: Vec<String>,
    overridden: bool,
    request: String,
    status: u16,
    reason: String,
    version: String,
    headers: Vec<(String, String)>,
    body: String,
}

fn lines(file: &str) -> Vec<Line> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    let text = fs::read_to_string(folder.join(file)).expect("the recorded answers");
    text.lines().map(|line| parsed(&serde_json::from_str(line).expect("JSON"))).collect()
}

fn parsed(json: &serde_json::Value) -> Line {
    let text = |value: &serde_json::Value| value.as_str().expect("text").to_string();
    let list = |value: &serde_json::Value| value.as_array().expect("an array").clone();
    let response = &json["response"];
    Line {
        name: text(&json["name"]),
        setup: text(&json["setup"]),
        after: list(&json["after"]).iter().map(text).collect(),
        overridden: json.get("overridden_by").is_some(),
        request: text(&json["request"]),
        status: response["status"].as_u64().and_then(|status| status.try_into().ok()).expect("a status"),
        reason: text(&response["reason"]),
        version: text(&response["version"]),
        headers: list(&response["headers"]).iter().map(|pair| (text(&pair[0]), text(&pair[1]))).collect(),
        body: text(&response["body"]),
    }
}

/// The daemon of one recorded session, and which steps of it are done.
struct Session {
    setup: String,
    daemon: Daemon,
    config: String,
    done: BTreeSet<String>,
}

impl Session {
    fn new(setup: &str) -> Session {
        let config = config(setup);
        let prepared = Setup::new(&config).file("locked.sh", "#!/bin/sh\n");
        fs::create_dir(prepared.path().join("childlogs")).expect("a folder for logs");
        let daemon = prepared.start();
        for name in ["web", "deaf"] {
            if config.contains(&format!("[program:{name}]")) {
                daemon.wait_for_state(name, "RUNNING");
            }
        }
        Session { setup: setup.to_string(), daemon, config, done: BTreeSet::new() }
    }

    /// A step that the recording describes in words.
    fn step(&mut self, step: &str) {
        if !self.done.insert(step.to_string()) {
            return;
        }
        let daemon = &mut self.daemon;
        match step {
            "waited until job is EXITED and crasher is FATAL" => {
                daemon.wait_for_state("job", "EXITED");
                daemon.wait_for_state("crasher", "FATAL");
            }
            "waited until web has copied the line to its standard output" => {
                wait_until("the line in the log", 20, || daemon.text("web.out").ends_with('\n'));
            }
            "changed the file: priority of worker is 51 now, program job is called task" => {
                let changed =
                    self.config.replace("priority=50", "priority=51").replace("[program:job]", "[program:task]");
                daemon.configure(&changed);
            }
            "changed the file: it now has only [program:halfdone] without a command" => {
                let programs = self.config.find("[program:").expect("the programs");
                daemon.configure(&format!("{}[program:halfdone]\nautostart=false\n", &self.config[..programs]));
            }
            "supervisor.shutdown" => {
                daemon.call("supervisor.shutdown", &[]);
            }
            // The name of an earlier line.
            name => assert!(!name.contains([' ', '.']), "an unknown step: {name}"),
        }
    }
}

fn config(setup: &str) -> String {
    let read = |name: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(name);
        fs::read_to_string(path).expect("a configuration")
    };
    match setup {
        "one program that ignores SIGTERM" => {
            let deaf =
                "[program:deaf]\ncommand=/bin/sh -c 'trap \"\" TERM; while :; do sleep 0.2; done'\nstopwaitsecs=30\n";
            read("configs/plain.conf") + deaf
        }
        "configs/plain.conf with username/password user/open sesame on both servers" => {
            ["unix", "inet"].iter().fold(read("configs/plain.conf"), |text, kind| {
                let head = format!("[{kind}_http_server]\n");
                text.replace(&head, &format!("{head}username=user\npassword=open sesame\n"))
            })
        }
        name => read(name),
    }
}

fn go_through(file: &str) {
    let mut session: Option<Session> = None;
    let mut wrong = Vec::new();
    for line in lines(file) {
        let goes_on = session
            .as_ref()
            .is_some_and(|session| session.setup == line.setup && (file == "http.jsonl" || !line.after.is_empty()));
        if !goes_on {
            session = Some(Session::new(&line.setup));
        }
        let session = session.as_mut().expect("a session");
        if file != "http.jsonl" {
            line.after.iter().for_each(|step| session.step(step));
        }
        if line.overridden && upstream() {
            continue;
        }
        let reply = session.daemon.ask(request(&line, &session.daemon).as_bytes());
        if let Err(problem) = compare(&line, &reply, session) {
            wrong.push(format!("{}: {problem}", line.name));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// The request with the real folder, and a length that is right again.
fn request(line: &Line, daemon: &Daemon) -> String {
    let real = line.request.replace("@DIR@", &daemon.path().to_string_lossy());
    let (Some((head, body)), true) = (real.split_once("\r\n\r\n"), real != line.request) else { return real };
    let is_length = |line: &&str| line.to_ascii_lowercase().starts_with("content-length:");
    let head: Vec<&str> = head.split("\r\n").filter(|line| !is_length(line)).collect();
    format!("{}\r\nContent-Length: {}\r\n\r\n{body}", head.join("\r\n"), body.len())
}

fn compare(line: &Line, reply: &Reply, session: &Session) -> Result<(), String> {
    if let Some((_, code, text)) = WANTED.iter().find(|(name, ..)| *name == line.name && !upstream()) {
        let text = text.replace("@DIR@", &session.daemon.path().to_string_lossy());
        let wanted = Err((*code, text));
        return same("fault", &wanted, &xmlrpc::response(&reply.body));
    }
    assert!(!line.overridden, "{} needs a row in WANTED", line.name);
    same("status", &line.status, &reply.status)?;
    same("reason", &line.reason, &reply.reason)?;
    same("version", &line.version, &reply.version)?;
    for (name, wanted) in &line.headers {
        let got = reply.header(name).ok_or_else(|| format!("no header {name}"))?;
        // What the server is called and how a document is laid out carries no meaning.
        if !["Server", "Content-Length"].contains(&name.as_str()) && !fits(wanted, got) {
            return Err(format!("header {name} is {got:?}, not {wanted:?}"));
        }
    }
    let body = line.body.replace("@DIR@", &session.daemon.path().to_string_lossy());
    if reply.header("Content-Type") != Some("text/xml") {
        same("body", &body, &String::from_utf8_lossy(&reply.body).into_owned())?;
        return exact(line, reply, session);
    }
    // A number that varies is read as the text of its token.
    let body = body.replace("<int>@", "<string>@").replace("@</int>", "@</string>");
    let (wanted, got) = (xmlrpc::response(body.as_bytes()), xmlrpc::response(&reply.body));
    if line.name.ends_with("list-methods") {
        return has_all(&wanted, &got);
    }
    match (&wanted, &got) {
        (Ok(wanted), Ok(got)) => alike(wanted, got),
        _ => same("answer", &wanted, &got),
    }?;
    exact(line, reply, session)
}

/// Byte for byte, but for what varies.
fn exact(line: &Line, reply: &Reply, session: &Session) -> Result<(), String> {
    let text = |version: &str, status: u16, reason: &str, headers: &[(String, String)], body: &str| {
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        format!("{version} {status} {reason}\r\n{headers}\r\n{body}")
    };
    let body = line.body.replace("@DIR@", &session.daemon.path().to_string_lossy());
    let wanted = text(&line.version, line.status, &line.reason, &line.headers, &body);
    let body = String::from_utf8_lossy(&reply.body);
    let got = text(&reply.version, reply.status, &reply.reason, &reply.headers, &body);
    let better = BETTER.iter().find(|(name, _)| *name == line.name);
    match (fits(&wanted, &got), better) {
        (true, None) => Ok(()),
        (false, Some((name, why))) => {
            println!("not byte for byte: {name}: {why}");
            Ok(())
        }
        (false, None) => Err(format!("other bytes:\n{wanted}\n---\n{got}")),
        (true, Some(_)) => Err("the same bytes as recorded: its row in BETTER is superfluous".to_string()),
    }
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, wanted: &T, got: &T) -> Result<(), String> {
    if wanted == got { Ok(()) } else { Err(format!("{what} is {got:?}, not {wanted:?}")) }
}

/// `system.listMethods` may list more.
fn has_all(wanted: &Answer, got: &Answer) -> Result<(), String> {
    let (Ok(Value::Array(wanted)), Ok(Value::Array(got))) = (wanted, got) else { return same("answer", wanted, got) };
    let missing: Vec<&Value> = wanted.iter().filter(|name| !got.contains(name)).collect();
    if missing.is_empty() { Ok(()) } else { Err(format!("these are missing: {missing:?}")) }
}

/// Whether a value is what was recorded, in kind and content.
fn alike(wanted: &Value, got: &Value) -> Result<(), String> {
    match (wanted, got) {
        (Value::Str(token), Value::Int(number)) if token == "@PID@" && *number > 0 => Ok(()),
        (Value::Str(token), Value::Int(number)) if token == "@EPOCH@" && *number > 1_600_000_000 => Ok(()),
        (Value::Str(pattern), Value::Str(text)) if fits(pattern, text) => Ok(()),
        (Value::Array(wanted), Value::Array(got)) if wanted.len() == got.len() => {
            wanted.iter().zip(got).try_for_each(|(wanted, got)| alike(wanted, got))
        }
        (Value::Struct(members), Value::Struct(others)) => {
            for (name, member) in members {
                let other = got.member(name).ok_or_else(|| format!("no member {name}"))?;
                alike(member, other).map_err(|problem| format!("{name}: {problem}"))?;
            }
            let known = |name: &str| wanted.member(name).is_some() || MORE_MEMBERS.contains(&name);
            match others.iter().find(|(name, _)| !known(name)) {
                Some((name, _)) => Err(format!("a member too many: {name}")),
                None => Ok(()),
            }
        }
        _ => same("value", wanted, got),
    }
}

/// A token and the signs that may stand in its place.
type Token = (&'static str, fn(char) -> bool);

/// Whether a text is the recorded one, with any fitting text for each token.
fn fits(pattern: &str, text: &str) -> bool {
    let tokens: [Token; 7] = [
        ("@LENGTH@", |sign| sign.is_ascii_digit()),
        ("@EPOCH@", |sign| sign.is_ascii_digit()),
        ("@ERROR@", |sign| sign != '<'),
        ("@PID@", |sign| sign.is_ascii_digit()),
        ("@UPTIME@", |sign| sign.is_ascii_digit() || sign == ':'),
        ("@STOPTIME@", |sign| sign.is_ascii_alphanumeric() || " :".contains(sign)),
        ("@HTTPDATE@", |sign| sign.is_ascii_alphanumeric() || " :,".contains(sign)),
    ];
    let first = tokens.iter().filter_map(|token| pattern.find(token.0).map(|at| (at, token))).min_by_key(|(at, _)| *at);
    let Some((at, (token, allowed))) = first else { return pattern == text };
    let Some(rest) = text.strip_prefix(&pattern[..at]) else { return false };
    let after = rest.trim_start_matches(*allowed);
    after.len() < rest.len() && fits(&pattern[at + token.len()..], after)
}

/// What they ask: RPC-010, RPC-011, RPC-012, RPC-013, RPC-014, RPC-016, RPC-017, RPC-018, RPC-040, RPC-042, RPC-043,
/// RPC-044, RPC-050, RPC-052, RPC-053, RPC-054, RPC-055, RPC-056, RPC-057, RPC-061, RPC-064, RPC-065, RPC-103, RPC-105,
/// RPC-107, RPC-140, RPC-141, RPC-142, RPC-143; TWID-031, TWID-035, TWID-036, TWID-037; CACHE-011, CACHE-012, CACHE-013,
/// CACHE-014, CACHE-015, CACHE-016. Whole structs: RPC-060, RPC-070, RPC-071, RPC-072, RPC-073, RPC-074, RPC-075,
/// RPC-076, RPC-077, RPC-078, RPC-079, RPC-080, RPC-081, RPC-082, RPC-083, RPC-090, RPC-091, RPC-092, BUG-057.
#[test]
fn recorded_calls() {
    go_through("xmlrpc.jsonl");
}

/// HTTP-040, HTTP-041, HTTP-042, HTTP-043, HTTP-044, HTTP-083, HTTP-084, HTTP-101, HTTP-152, WEB-043.
#[test]
fn recorded_requests() {
    go_through("http.jsonl");
}

#[test]
fn tokens_fit_what_they_stand_for() {
    assert!(fits("pid @PID@, uptime @UPTIME@", "pid 12, uptime 0:00:07"));
    assert!(!fits("pid @PID@, uptime @UPTIME@", "pid , uptime 0:00:07"));
    assert!(!fits("pid @PID@", "pid 12 and more"));
    assert!(fits("@STOPTIME@", "Jan 31 10:20 AM") && !fits("a@STOPTIME@", "Jan 31"));
}
