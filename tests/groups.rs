//! Groups of real processes: from the file and made at run time, controlled as one, ordered, removed.

mod support;

use majordomo::base::value::Value;
use support::daemon::Daemon;
use support::xmlrpc::members;
use support::{QUIET, SERVERS, proc, upstream, upstream_differs, wait_until};

const SLEEP: &str = "command=sleep 1000\nstartsecs=0\n";

fn options(pairs: &[(&str, &str)]) -> Value {
    members(&pairs.iter().map(|(name, value)| (*name, Value::str(*value))).collect::<Vec<_>>())
}

/// The name and status of each result of a group's call.
fn results(value: Value) -> Vec<(String, i64)> {
    let Value::Array(results) = value else { panic!("no array: {value:?}") };
    let one = |result: &Value| {
        let text = |name: &str| result.member(name).and_then(Value::as_text).expect("text").to_string();
        let Some(Value::Int(status)) = result.member("status") else { panic!("no status: {result:?}") };
        assert!(!text("description").is_empty());
        (format!("{}:{}", text("group"), text("name")), *status)
    };
    results.iter().map(one).collect()
}

fn names(daemon: &Daemon) -> Vec<String> {
    let Value::Array(infos) = daemon.call("supervisor.getAllProcessInfo", &[]) else { panic!("no array") };
    let text = |info: &Value, name: &str| info.member(name).and_then(Value::as_text).expect("text").to_string();
    infos.iter().map(|info| format!("{}:{}", text(info, "group"), text(info, "name"))).collect()
}

/// TWID-032, TWID-040, TWID-042, TWID-044, TWID-054, TWID-056, TWID-057, TWID-061; RPC-044, RPC-054, RPC-056: a group
/// made at run time is a real one.
#[test]
fn a_group_made_at_run_time() {
    if upstream_differs("TWID-032: no addGroup") {
        return;
    }
    let daemon = Daemon::start(&format!("{SERVERS}[program:fixed]\n{SLEEP}"));
    let add = |group: &str, priority: Value| daemon.try_call("twiddler.addGroup", &[group.into(), priority]);
    assert_eq!(add("dynamic_procs", 5.into()), Ok(Value::Bool(true)));
    assert_eq!(add("dynamic_procs", 5.into()), Err((10, "BAD_NAME: dynamic_procs".to_string())));
    assert_eq!(add("as_text", "7".into()), Ok(Value::Bool(true)));
    assert!(matches!(add("a:b", 1.into()), Err((2, text)) if text.starts_with("INCORRECT_PARAMETERS: Invalid name: ")));
    let groups = daemon.call("twiddler.getGroupNames", &[]);
    assert_eq!(groups, Value::strings(["fixed", "dynamic_procs", "as_text"]));

    let program = [
        Value::str("dynamic_procs"),
        Value::str("many"),
        options(&[
            ("command", "sleep 1000"),
            ("NUMPROCS", "3"),
            ("process_name", "%(group_name)s_%(process_num)d"),
            ("startsecs", "0"),
            ("unknown key", "ignored"),
        ]),
    ];
    assert_eq!(daemon.call("twiddler.addProgramToGroup", &program), Value::Bool(true));
    for number in 0..3 {
        daemon.wait_for_state(&format!("dynamic_procs:dynamic_procs_{number}"), "RUNNING");
    }
    let fault = daemon.fault("twiddler.addProgramToGroup", &program);
    assert_eq!(fault, (10, "BAD_NAME: dynamic_procs_0".to_string()), "TWID-055");
    let all: Vec<(String, i64)> = (0..3).map(|n| (format!("dynamic_procs:dynamic_procs_{n}"), 80)).collect();
    let sorted = |value: Value| {
        let mut found = results(value);
        found.sort();
        found
    };
    assert_eq!(sorted(daemon.call("supervisor.stopProcess", &["dynamic_procs:*".into()])), all);
    assert_eq!(results(daemon.call("supervisor.stopProcess", &["dynamic_procs:*".into()])), []);
    assert_eq!(sorted(daemon.call("supervisor.startProcess", &["dynamic_procs:".into()])), all);
    assert_eq!(daemon.info("fixed").state(), "RUNNING");

    let fault = daemon.fault("supervisor.removeProcessGroup", &["dynamic_procs".into()]);
    assert_eq!(fault, (91, "STILL_RUNNING: dynamic_procs".to_string()), "PROC-081");
    assert_eq!(sorted(daemon.call("supervisor.stopProcessGroup", &["dynamic_procs".into()])), all);
    assert_eq!(daemon.call("supervisor.removeProcessGroup", &["dynamic_procs".into()]), Value::Bool(true));
    assert_eq!(names(&daemon), ["fixed:fixed"]);
    let fault = daemon.fault("supervisor.startProcess", &["dynamic_procs:*".into()]);
    assert_eq!(fault, (10, "BAD_NAME: dynamic_procs:*".to_string()));
}

/// TWID-042, PROC-070, PROC-073: its priority counts when all are stopped at the end.
#[test]
fn a_group_made_at_run_time_is_stopped_in_order() {
    if upstream_differs("TWID-032: no addGroup") {
        return;
    }
    let programs = format!("[program:first]\n{SLEEP}priority=10\n[program:last]\n{SLEEP}priority=30\n");
    let mut daemon = Daemon::start(&format!("{SERVERS}{programs}"));
    daemon.call("twiddler.addGroup", &["between".into(), 20.into()]);
    let settings = options(&[("command", "sleep 1000"), ("startsecs", "0")]);
    daemon.call("twiddler.addProgramToGroup", &["between".into(), "middle".into(), settings]);
    for name in ["first", "between:middle", "last"] {
        daemon.wait_for_state(name, "RUNNING");
    }
    daemon.call("supervisor.shutdown", &[]);
    assert_eq!(daemon.wait_for_exit().code(), Some(0));
    let stopped: Vec<String> = daemon.messages().into_iter().filter(|line| line.contains(" stopped: ")).collect();
    let wanted = ["last", "middle", "first"].map(|name| format!("WARN stopped: {name} (terminated by SIGTERM)"));
    assert_eq!(stopped, wanted);
}

/// TWID-050, TWID-051, TWID-052, TWID-053, TWID-055, TWID-059, TWID-062, TWID-063, TWID-064, BUG-101, BUG-102.
#[test]
fn programs_added_and_removed() {
    let config = SERVERS.replace("[supervisord]\n", "[supervisord]\nenvironment=COLOUR=\"red\"\n");
    let daemon =
        Daemon::start(&format!("{config}[group:extra]\nprograms=fixed\n[program:fixed]\n{SLEEP}autostart=false\n"));
    let add = |group: &str, name: &str, settings: Value| {
        daemon.try_call("twiddler.addProgramToGroup", &[group.into(), name.into(), settings])
    };
    assert_eq!(add("none", "x", options(&[])), Err((10, "BAD_NAME: group: none".to_string())));
    assert_eq!(add("extra", "fixed", options(&[("command", "true")])), Err((10, "BAD_NAME: fixed".to_string())));
    let file = daemon.config().display().to_string();
    let problem =
        |text: &str| Err((2, format!("INCORRECT_PARAMETERS: {text} in section 'program:x' (file: '{file}')")));
    assert_eq!(add("extra", "x", options(&[])), problem("program section program:x does not specify a command"));
    let wrong = options(&[("command", "true"), ("startsecs", "soon")]);
    let told = problem("invalid literal for int() with base 10: 'soon'");
    let named = if upstream() { "" } else { "; the option is startsecs" };
    assert_eq!(add("extra", "x", wrong), told.map_err(|(code, text)| (code, text + named)));
    if !upstream() {
        let wrong = add("extra", "x", members(&[("command", Value::Array(vec![]))]));
        assert!(matches!(wrong, Err((2, text)) if text.starts_with("INCORRECT_PARAMETERS")), "BUG-051");
        assert_eq!(add("extra", "x", "command".into()), Err((2, "INCORRECT_PARAMETERS".to_string())));
        let kinds = members(&[
            ("command", "env".into()),
            ("autorestart", Value::Bool(false)),
            ("startsecs", Value::Int(0)),
            ("stdout_logfile_maxbytes", Value::Double(2000.5)),
        ]);
        assert_eq!(add("extra", "kinds", kinds), Ok(Value::Bool(true)), "TWID-051");
        let info = daemon.wait_for_state("extra:kinds", "EXITED");
        let text = std::fs::read_to_string(info.text("logfile")).expect("its log");
        assert!(text.contains("COLOUR=red\n") && text.contains("SUPERVISOR_GROUP_NAME=extra\n"), "{text}");
        daemon.call("twiddler.removeProcessFromGroup", &["extra".into(), "kinds".into()]);
    }

    let again = options(&[("command", "sleep 1000"), ("startsecs", "0"), ("autorestart", "true")]);
    assert_eq!(add("extra", "again", again), Ok(Value::Bool(true)));
    let pid = daemon.wait_for_state("extra:again", "RUNNING").pid();
    let remove = |name: &str| daemon.try_call("twiddler.removeProcessFromGroup", &["extra".into(), name.into()]);
    assert_eq!(remove("again"), Err((91, "STILL_RUNNING: again".to_string())));
    assert_eq!(remove("ghost"), Err((10, "BAD_NAME: ghost".to_string())));
    daemon.call("supervisor.stopProcess", &["extra:again".into()]);
    assert_eq!(remove("again"), Ok(Value::Bool(true)));
    assert_eq!(remove("fixed"), Ok(Value::Bool(true)), "also one from the file");
    assert_eq!(names(&daemon), Vec::<String>::new());
    assert_eq!(daemon.call("twiddler.getGroupNames", &[]), Value::strings(["extra"]), "the group stays");
    assert_eq!(results(daemon.call("supervisor.startProcess", &["extra:*".into()])), [], "PROC-083");
    assert!(!proc::is_alive(pid));
}

/// RPC-042, RPC-043, RPC-044, CFG-221, CFG-222, CFG-226, PROC-082, LOG-044, LOG-046.
#[test]
fn groups_of_a_changed_file() {
    let program = |name: &str, more: &str| format!("[program:{name}]\n{SLEEP}{more}");
    let mut daemon = Daemon::start(&format!("{QUIET}{}{}", program("stays", ""), program("goes", "")));
    for name in ["stays", "goes"] {
        daemon.wait_for_state(name, "RUNNING");
    }
    let pid = daemon.info("stays").pid();
    let list = |names: &[&str]| Value::strings(names.iter().copied());
    let difference = |added: &[&str], changed: &[&str], removed: &[&str]| {
        Value::Array(vec![Value::Array(vec![list(added), list(changed), list(removed)])])
    };
    assert_eq!(daemon.call("supervisor.reloadConfig", &[]), difference(&[], &[], &[]));
    daemon.configure(&format!("{QUIET}{}{}", program("stays", "stopwaitsecs=3\n"), program("comes", "")));
    assert_eq!(daemon.call("supervisor.reloadConfig", &[]), difference(&["comes"], &["stays"], &["goes"]));
    assert_eq!(names(&daemon), ["goes:goes", "stays:stays"]);
    assert_eq!(daemon.info("stays").pid(), pid);

    assert_eq!(daemon.call("supervisor.addProcessGroup", &["comes".into()]), Value::Bool(true));
    let info = daemon.wait_for_state("comes", "RUNNING");
    let log = std::path::Path::new(info.text("logfile"));
    let name = log.file_name().expect("a name").to_string_lossy().into_owned();
    assert!(name.starts_with("comes-stdout---supervisor-") && name.ends_with(".log") && log.exists(), "{name}");
    assert_eq!(name.len(), "comes-stdout---supervisor-12345678.log".len());
    let fault = daemon.fault("supervisor.addProcessGroup", &["comes".into()]);
    assert_eq!(fault, (90, "ALREADY_ADDED: comes".to_string()));
    let fault = daemon.fault("supervisor.addProcessGroup", &["ghost".into()]);
    assert_eq!(fault, (10, "BAD_NAME: ghost".to_string()));
    daemon.call("supervisor.stopProcess", &["goes".into()]);
    assert_eq!(daemon.call("supervisor.removeProcessGroup", &["goes".into()]), Value::Bool(true));
    assert_eq!(names(&daemon), ["comes:comes", "stays:stays"]);
}

/// BUG-012, HTTP-142: lengths count bytes, also in answers that come later.
#[test]
fn names_that_are_not_ascii() {
    let daemon = Daemon::start(&format!("{SERVERS}[program:gr\u{f6}\u{df}e]\ncommand=sleep 1000\nautostart=false\n"));
    if upstream_differs("BUG-012: counts characters") {
        return;
    }
    let mut client = daemon.connect();
    for method in ["supervisor.startAllProcesses", "supervisor.stopAllProcesses"] {
        let reply = client.ask(&support::xmlrpc::request(method, &[])).expect("an answer");
        let all = results(support::xmlrpc::response(&reply.body).expect("a value"));
        assert_eq!(all, [("gr\u{f6}\u{df}e:gr\u{f6}\u{df}e".to_string(), 80)]);
        assert_eq!(client.unread, b"");
    }
}

/// RPC-170, RPC-171, RPC-172, RPC-173, RPC-174, RPC-175, RPC-176, RPC-177: one call after the other, also when each
/// has to wait, and others are served meanwhile.
#[test]
fn multicall() {
    let daemon = Daemon::start(&format!("{SERVERS}[program:slow]\ncommand=sleep 1000\nautostart=false\nstartsecs=1\n"));
    let call = |method: &str, params: &[Value]| {
        members(&[("methodName", method.into()), ("params", Value::Array(params.to_vec()))])
    };
    let start = call("supervisor.startProcess", &["slow".into()]);
    let stop = call("supervisor.stopProcess", &["slow".into()]);
    let calls = Value::Array(vec![
        call("supervisor.getAPIVersion", &[]),
        start.clone(),
        stop.clone(),
        stop,
        start,
        call("system.multicall", &[Value::Array(vec![])]),
        call("supervisor.dance", &[]),
        members(&[("methodName", "supervisor.getPID".into())]),
        members(&[("params", Value::Array(vec![]))]),
    ]);
    let request = support::xmlrpc::request("system.multicall", &[calls]);
    let mut client = daemon.connect();
    client.send(&request).expect("a request");
    wait_until("the first start", 20, || daemon.info("slow").state() == "STARTING");
    let reply = client.read_reply().expect("an answer");
    let fault = |code: i64, text: &str| members(&[("faultCode", code.into()), ("faultString", text.into())]);
    let wanted = Value::Array(vec![
        "3.0".into(),
        true.into(),
        true.into(),
        fault(70, "NOT_RUNNING: slow"),
        true.into(),
        fault(2, "INCORRECT_PARAMETERS: Recursive system.multicall forbidden"),
        fault(1, "UNKNOWN_METHOD"),
        Value::Int(daemon.pid()),
        fault(2, "INCORRECT_PARAMETERS: No methodName"),
    ]);
    assert_eq!(support::xmlrpc::response(&reply.body), Ok(wanted));
    assert_eq!(daemon.info("slow").state(), "RUNNING");
    assert_eq!(daemon.call("system.multicall", &[Value::Array(vec![])]), Value::Array(vec![]));
}
