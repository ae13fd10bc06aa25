//! The daemon's own life: start, refusal to start, reload, ordered shutdown, and what it leaves behind.

mod support;

use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::time::{Duration, Instant};

use majordomo::base::value::Value;
use support::daemon::{Daemon, Setup};
use support::{QUIET, SERVERS, proc, upstream, upstream_differs, wait_until};

/// A program that says when it was told to stop, and stops.
fn polite(name: &str, priority: u32) -> String {
    format!(
        "[program:{name}]\ncommand=/bin/sh -c 'trap \"exit 0\" TERM; echo ready; while :; do sleep 0.05; done'
startsecs=0\npriority={priority}\nstdout_logfile=%(here)s/{name}.out\n"
    )
}

fn wait_for_ready(daemon: &Daemon, names: &[&str]) {
    for name in names {
        wait_until("its trap", 20, || daemon.text(&format!("{name}.out")).contains("ready"));
    }
}

/// The names in the lines that begin like this, in order.
fn named(daemon: &Daemon, start: &str) -> Vec<String> {
    let messages = daemon.messages();
    let rest = messages.iter().filter_map(|line| line.strip_prefix(start));
    rest.map(|rest| rest.chars().take_while(|sign| sign.is_alphanumeric()).collect()).collect()
}

/// SIG-001, PROC-077, CFG-185, HTTP-003, HTTP-006, LOG-035, LOG-039, LOG-081.
#[test]
fn each_signal_to_exit_does() {
    for signal in ["TERM", "INT", "QUIT"] {
        let mut daemon = Daemon::start(&format!("{QUIET}{}", polite("only", 999)));
        wait_for_ready(&daemon, &["only"]);
        let child = daemon.info("only").pid();
        assert_eq!(daemon.text("supervisord.pid"), format!("{}\n", daemon.pid()));
        let socket = std::fs::metadata(daemon.file("supervisor.sock")).expect("the socket");
        assert!(socket.file_type().is_socket());
        assert_eq!(socket.permissions().mode() & 0o7777, 0o700);
        daemon.signal(signal);
        assert_eq!(daemon.wait_for_exit().code(), Some(0), "{signal}");
        assert!(!proc::is_alive(child));
        assert!(!daemon.file("supervisor.sock").exists() && !daemon.file("supervisord.pid").exists());
        let messages = daemon.messages();
        assert!(messages.contains(&format!("WARN received SIG{signal} indicating exit request")), "{messages:?}");
        assert!(messages.contains(&"INFO waiting for only to die".to_string()), "{messages:?}");
        assert_eq!(messages.last().map(String::as_str), Some("INFO stopped: only (exit status 0)"), "LOG-039");
    }
}

/// PROC-070, PROC-071, PROC-072: ascending priority when starting, and when a client stops all.
#[test]
fn order_of_starts_and_stops() {
    let programs = polite("late", 30) + &polite("early", 10) + &polite("middle", 20);
    let daemon = Daemon::start(&format!("{QUIET}{programs}"));
    wait_for_ready(&daemon, &["late", "early", "middle"]);
    assert_eq!(named(&daemon, "INFO spawned: '"), ["early", "middle", "late"]);
    let order = |value: Value| -> Vec<String> {
        let Value::Array(results) = value else { panic!("no array") };
        let name = |result: &Value| result.member("name").and_then(Value::as_text).expect("a name").to_string();
        results.iter().map(name).collect()
    };
    let mut stopped = order(daemon.call("supervisor.stopAllProcesses", &[]));
    stopped.sort();
    assert_eq!(stopped, ["early", "late", "middle"]);
    let started = order(daemon.call("supervisor.startAllProcesses", &[false.into()]));
    assert_eq!(started, ["early", "middle", "late"], "RPC-059");
    assert_eq!(named(&daemon, "INFO spawned: '")[3..], ["early", "middle", "late"]);
}

/// PROC-073, PROC-074, PROC-075, PROC-076, BUG-004: one group after the other, highest priority first, idle groups at
/// no cost.
#[test]
fn order_of_shutdown() {
    let idle: String = (0..20).map(|n| format!("[program:idle{n}]\ncommand=true\nautostart=false\n")).collect();
    let programs = polite("late", 30) + &polite("early", 10) + &polite("middle", 20) + &polite("second", 40) + &idle;
    let groups = "[group:pair]\nprograms=late,second\npriority=5\n";
    let mut daemon = Daemon::start(&format!("{QUIET}{programs}{groups}"));
    wait_for_ready(&daemon, &["late", "early", "middle", "second"]);
    assert_eq!(named(&daemon, "INFO spawned: '"), ["late", "second", "early", "middle"]);
    let begun = Instant::now();
    assert_eq!(daemon.call("supervisor.shutdown", &[]), Value::Bool(true));
    assert_eq!(daemon.wait_for_exit().code(), Some(0));
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(2) || upstream(), "the shutdown took {took:?}");
    let stopped = named(&daemon, "INFO stopped: ");
    assert_eq!(stopped[..2], ["middle", "early"], "{stopped:?}");
    assert_eq!(stopped.len(), 4, "{stopped:?}");
    daemon.wait_for_log("INFO waiting for ");
}

/// RPC-005, RPC-006, SIG-001: while it waits for a stubborn child nothing but `system` answers, and nothing starts.
#[test]
fn calls_during_shutdown() {
    let programs = "[program:deaf]\ncommand=/bin/sh -c 'trap \"\" TERM; echo ready; while :; do sleep 0.2; done'
stopwaitsecs=2\nstartsecs=0\nstdout_logfile=%(here)s/deaf.out\n[program:other]\ncommand=true\nautostart=false\n";
    let mut daemon = Daemon::start(&format!("{SERVERS}{programs}"));
    wait_for_ready(&daemon, &["deaf"]);
    let mut other = support::http::Client::connect(&daemon.addresses()[1]).expect("a connection");
    daemon.signal("TERM");
    daemon.wait_for_log("WARN received SIGTERM indicating exit request");
    let refused = (6, "SHUTDOWN_STATE".to_string());
    for (method, params) in [
        ("supervisor.getState", vec![]),
        ("supervisor.startProcess", vec![Value::str("other")]),
        ("supervisor.shutdown", vec![]),
        ("twiddler.getGroupNames", vec![]),
        ("cache.getKeys", vec![]),
    ] {
        assert_eq!(daemon.fault(method, &params), refused, "{method}");
    }
    assert!(matches!(daemon.call("system.listMethods", &[]), Value::Array(_)));
    assert_eq!(daemon.fault("supervisor.dance", &[]), (1, "UNKNOWN_METHOD".to_string()));
    let reply = other.ask(&support::xmlrpc::request("system.listMethods", &[])).expect("an answer over TCP");
    assert_eq!(reply.status, 200);
    daemon.signal("HUP");
    daemon.wait_for_log("WARN ignored SIGHUP indicating restart request (shutdown in progress)");
    assert_eq!(daemon.wait_for_exit().code(), Some(0));
    daemon.wait_for_log("WARN stopped: deaf (terminated by SIGKILL)");
}

/// SIG-002, CFG-220, LOG-087, CACHE-005, TWID-005: a new configuration, the same process.
#[test]
fn reload() {
    let mut daemon = Daemon::start(&format!("{SERVERS}{}", polite("old", 999)));
    wait_for_ready(&daemon, &["old"]);
    let child = daemon.info("old").pid();
    daemon.call("cache.store", &["foo".into(), "bar".into()]);
    if !upstream() {
        daemon.call("twiddler.addGroup", &["extra".into(), 1.into()]);
    }
    daemon.configure(&format!("{SERVERS}{}", polite("new", 999)));
    daemon.signal("HUP");
    daemon.wait_for_log("WARN received SIGHUP indicating restart request");
    wait_until("the new program", 20, || daemon.text("new.out").contains("ready"));
    wait_until("the new servers", 20, || support::http::Client::connect(daemon.address()).is_ok());
    assert!(!proc::is_alive(child));
    assert_eq!(daemon.call("supervisor.getPID", &[]), Value::Int(daemon.pid()));
    assert_eq!(daemon.text("supervisord.pid"), format!("{}\n", daemon.pid()));
    assert_eq!(daemon.fault("supervisor.getProcessInfo", &["old".into()]), (10, "BAD_NAME: old".to_string()));
    assert_eq!(daemon.call("cache.getKeys", &[]), Value::Array(vec![]));
    assert_eq!(daemon.call("twiddler.getGroupNames", &[]), Value::strings(["new"]));
    assert_eq!(named(&daemon, "INFO supervisord "), ["started", "started"]);
    daemon.signal("TERM");
    assert_eq!(daemon.wait_for_exit().code(), Some(0));
}

/// BUG-060, RPC-041: a broken file is told, and everything runs on.
#[test]
fn reload_of_a_broken_file() {
    if upstream_differs("BUG-060: stops everything and exits") {
        return;
    }
    let good = format!("{QUIET}{}", polite("steady", 999));
    let mut daemon = Daemon::start(&good);
    wait_for_ready(&daemon, &["steady"]);
    let child = daemon.info("steady").pid();
    daemon.configure(&format!("{good}[program:broken]\nstartsecs=many\n"));
    daemon.signal("HUP");
    daemon.wait_for_log("CRIT cannot reload: ");
    let (code, text) = daemon.fault("supervisor.restart", &[]);
    assert!(code == 92 && text.starts_with("CANT_REREAD: ") && text.contains("program:broken"), "{code} {text}");
    let (code, text) = daemon.fault("supervisor.reloadConfig", &[]);
    assert!(code == 92 && text.starts_with("CANT_REREAD: "), "{code} {text}");
    let info = daemon.info("steady");
    assert_eq!((info.state(), info.pid()), ("RUNNING", child));
    assert!(proc::is_alive(child));
    daemon.configure(&good);
    assert_eq!(daemon.call("supervisor.restart", &[]), Value::Bool(true));
    wait_until("its successor", 20, || proc::children(daemon.pid()).iter().any(|pid| *pid != child));
}

/// CFG-170, CFG-185, CFG-061, CFG-121: one message with file, section and key; nothing is started or left.
#[test]
fn a_broken_file_starts_nothing() {
    let setup = Setup::new(&format!("{QUIET}{}[program:broken]\ncommand=true\nstartsecs=many\n", polite("fine", 999)));
    let (status, output, errors) = setup.run();
    assert_eq!((status, output.as_str()), (Some(2), ""));
    let config = setup.path().join("sd.conf");
    assert!(errors.starts_with("Error: invalid literal for int() with base 10: 'many'"), "{errors}");
    assert!(errors.contains("in section 'program:broken'"), "{errors}");
    assert!(errors.contains(&format!("(file: '{}')", config.display())), "{errors}");
    assert!(errors.ends_with(" -h\n") && errors.lines().count() == 2, "{errors}");
    for name in ["supervisord.pid", "supervisor.sock", "fine.out"] {
        assert!(!setup.path().join(name).exists(), "{name} is there");
    }
}

/// DEC-005 and the text of the README: what is not built in is told, and all else works.
#[test]
fn an_unknown_factory_is_told() {
    if upstream_differs("loads any Python") {
        return;
    }
    let extra = "[rpcinterface:mine]\nsupervisor.rpcinterface_factory = my.package:make_it\n";
    let daemon = Daemon::start(&format!("{QUIET}{extra}"));
    let told: Vec<String> = daemon
        .messages()
        .into_iter()
        .filter(|line| line.starts_with("CRIT ") && line.contains("my.package:make_it"))
        .collect();
    assert_eq!(told.len(), 1, "{}", daemon.log());
    for built_in in ["supervisor.rpcinterface:", "supervisor_twiddler.rpcinterface:", "supervisor_cache.rpcinterface:"]
    {
        assert!(told[0].contains(built_in), "{}", told[0]);
    }
    assert_eq!(daemon.fault("mine.getAPIVersion", &[]), (1, "UNKNOWN_METHOD".to_string()));
    assert_eq!(daemon.call("supervisor.getAPIVersion", &[]), Value::str("3.0"));
}

/// CFG-176, HTTP-004, HTTP-005: an address in use is told; a socket that nobody serves is taken over.
#[test]
fn addresses_in_use() {
    let mut first = Daemon::start(SERVERS);
    let in_use =
        "Error: Another program is already listening on a port that one of our HTTP servers is configured to use.";
    let config = SERVERS.replace("@PORT@", &first.port().to_string());
    let (status, _, errors) = Setup::new(&config).run();
    assert!(status == Some(2) && errors.starts_with(in_use), "{status:?} {errors}");
    let config = QUIET.replace("%(here)s/supervisor.sock", &first.file("supervisor.sock").to_string_lossy());
    let (status, _, errors) = Setup::new(&config).run();
    assert!(status == Some(2) && errors.starts_with(in_use), "{status:?} {errors}");
    assert_eq!(first.call("supervisor.getPID", &[]), Value::Int(first.pid()), "the first one is not disturbed");

    first.signal("KILL");
    first.wait_for_exit();
    assert!(first.file("supervisor.sock").exists());
    first.start_again();
    assert_eq!(first.call("supervisor.getPID", &[]), Value::Int(first.pid()));
    assert_eq!(
        first.text("daemon.err"),
        format!("Unlinking stale socket {}\n", first.file("supervisor.sock").display())
    );
}

/// SIG-007, SIG-008, SIG-009: those that mean nothing to it.
#[test]
fn other_signals() {
    use std::os::unix::process::ExitStatusExt;
    let mut daemon = Daemon::start(QUIET);
    daemon.signal("PIPE");
    daemon.signal("CHLD");
    assert_eq!(daemon.call("supervisor.getPID", &[]), Value::Int(daemon.pid()));
    daemon.signal("USR1");
    assert_eq!(daemon.wait_for_exit().signal(), Some(10), "its default is to kill");
}

/// LOG-001, LOG-011, LOG-012, LOG-013, LOG-014, LOG-020, LOG-023, LOG-024, HTTP-008: the first lines, in the file and on stdout alike.
#[test]
fn first_lines_of_the_log() {
    let daemon = Daemon::start(QUIET);
    daemon.wait_for_log("INFO supervisord started with pid ");
    let pid = daemon.pid();
    let mut messages = daemon.messages();
    messages
        .retain(|line| !line.starts_with("CRIT Supervisor is running as root.") && !line.contains("Increased RLIMIT"));
    let started = format!("INFO supervisord started with pid {pid}");
    let open = "CRIT Server 'unix_http_server' running without any HTTP authentication checking";
    assert_eq!(messages, ["INFO RPC interface 'supervisor' initialized", open, started.as_str()]);
    assert_eq!(daemon.text("daemon.out"), daemon.log());
    assert_eq!(daemon.text("daemon.err"), "");
    for line in daemon.log().lines() {
        let shape: String = line.chars().take(24).map(|sign| if sign.is_ascii_digit() { '0' } else { sign }).collect();
        assert_eq!(shape, "0000-00-00 00:00:00,000 ", "{line}");
    }
}

/// CFG-176 after a reload: a daemon in the background has only its log to say why it ended.
#[test]
fn a_reload_without_a_server_says_why_in_the_log() {
    if upstream() {
        return;
    }
    let mut daemon = Daemon::start(QUIET);
    let config = format!("{QUIET}[inet_http_server]\nport=127.0.0.1:@SPARE@\n");
    daemon.configure(&config);
    let address = std::fs::read_to_string(daemon.config()).expect("the configuration");
    let address = address.lines().rev().find_map(|line| line.strip_prefix("port=")).expect("an address");
    let _other = std::net::TcpListener::bind(address).expect("a free port");
    daemon.signal("HUP");
    assert_eq!(daemon.wait_for_exit().code(), Some(2));
    let messages = daemon.messages();
    let last = messages.last().expect("a line");
    assert!(last.starts_with("CRIT cannot reload: Another program is already listening on a port"), "{messages:?}");
    assert!(!daemon.file("supervisor.sock").exists() && !daemon.file("supervisord.pid").exists());
}
