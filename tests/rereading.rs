//! A configuration that has changed under a running daemon: what a reload takes over, what a re-read leaves alone, and
//! what each of them says.

mod support;

use majordomo::base::value::Value;
use support::daemon::{Daemon, Setup};
use support::{QUIET, SERVERS, upstream_differs, wait_until};

const SLEEPER: &str = "[program:sleeper]\ncommand=sleep 1000\nstartsecs=0\n";

/// What `reloadConfig` answers.
fn difference(added: &[&str], changed: &[&str], removed: &[&str]) -> Value {
    let list = |names: &[&str]| Value::strings(names.iter().copied());
    Value::Array(vec![Value::Array(vec![list(added), list(changed), list(removed)])])
}

fn soft_limit(daemon: &Daemon) -> String {
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", daemon.pid())).expect("limits");
    let line = limits.lines().find(|line| line.starts_with("Max open files")).expect("that limit");
    line.split_whitespace().nth(3).expect("a number").to_string()
}

/// CFG-220: a reload reads everything anew but limits, and the command line stays above the file.
#[test]
fn a_reload_reads_everything_but_limits() {
    let setup = Setup::new(&format!("{QUIET}{SLEEPER}")).args(&["-i", "by hand"]);
    let mut daemon = setup.start();
    let limit = soft_limit(&daemon);
    let child = daemon.wait_for_state("sleeper", "RUNNING").pid();
    assert_eq!(daemon.call("supervisor.getIdentification", &[]), Value::str("by hand"));
    let more: u64 = limit.parse::<u64>().expect("a number") + 1;
    let changed = QUIET
        .replace("[supervisord]\n", &format!("[supervisord]\nidentifier=file\nloglevel=debug\nminfds={more}\n"))
        .replace("/supervisord.pid", "/other.pid")
        .replace("/supervisor.sock", "/other.sock");
    daemon.configure(&format!("{changed}{SLEEPER}"));
    daemon.signal("HUP");
    wait_until("the new servers", 20, || support::http::Client::connect(daemon.address()).is_ok());
    wait_until("the new pid file", 20, || daemon.text("other.pid") == format!("{}\n", daemon.pid()));
    assert!(!daemon.file("supervisord.pid").exists() && !daemon.file("supervisor.sock").exists());
    assert_eq!(daemon.call("supervisor.getIdentification", &[]), Value::str("by hand"));
    assert_ne!(daemon.wait_for_state("sleeper", "RUNNING").pid(), child);
    daemon.call("supervisor.stopProcess", &["sleeper".into()]);
    daemon.wait_for_log(" DEBG killing sleeper (pid ");
    assert_eq!(soft_limit(&daemon), limit);
    let log = daemon.log();
    assert!(!log.contains(&format!("limit to {more}")), "{log}");
}

/// CFG-221, BUG-062: a re-read replaces the list of configured groups and nothing else; a broken file changes nothing.
#[test]
fn a_reread_changes_only_what_is_configured() {
    let mut daemon = Daemon::start(&format!("{QUIET}{SLEEPER}"));
    let child = daemon.wait_for_state("sleeper", "RUNNING").pid();
    let config_names = |daemon: &Daemon| match daemon.call("supervisor.getAllConfigInfo", &[]) {
        Value::Array(all) => all.iter().filter_map(|one| one.member("name")?.as_text().map(String::from)).collect(),
        other => vec![format!("{other:?}")],
    };
    let changed = QUIET.replace("supervisord.log", "other.log").replace(
        "[supervisord]\n",
        "[supervisord]\nloglevel=debug\n[inet_http_server]\nport=127.0.0.1:@SPARE@\n[supervisord]\n",
    );
    let new = "[program:new]\ncommand=sleep 1000\n";
    daemon.configure(&format!("{changed}{SLEEPER}stopwaitsecs=3\n{new}"));
    assert_eq!(daemon.call("supervisor.reloadConfig", &[]), difference(&["new"], &["sleeper"], &[]));
    assert_eq!(config_names(&daemon), ["new", "sleeper"]);
    let spare = support::http::Address::port(daemon.spare_port());
    assert!(support::http::Client::connect(&spare).is_err(), "no new server");
    assert!(!daemon.file("other.log").exists());
    let info = daemon.info("sleeper");
    assert_eq!((info.state(), info.pid()), ("RUNNING", child));
    let fault = daemon.fault("supervisor.getProcessInfo", &["new".into()]);
    assert_eq!(fault, (10, "BAD_NAME: new".to_string()));

    daemon.configure(&format!("{changed}[program:x]\ncommand=a\nstartsecs=soon\n"));
    let (code, text) = daemon.fault("supervisor.reloadConfig", &[]);
    let wanted = "CANT_REREAD: invalid literal for int() with base 10: 'soon' in section 'program:x' (file: '";
    assert!(code == 92 && text.starts_with(wanted), "{code} {text}");
    assert_eq!(config_names(&daemon), ["new", "sleeper"]);
    // The level is still that of the start.
    daemon.call("supervisor.stopProcess", &["sleeper".into()]);
    daemon.wait_for_log("stopped: sleeper");
    assert!(!daemon.log().contains(" DEBG ") || upstream_differs("BUG-062"), "{}", daemon.log());
}

/// CFG-227: what was changed at run time is compared as it is now.
#[test]
fn a_group_altered_at_run_time_is_changed() {
    let daemon = Daemon::start(&format!("{SERVERS}{SLEEPER}[program:other]\ncommand=sleep 1000\n"));
    assert_eq!(daemon.call("supervisor.reloadConfig", &[]), difference(&[], &[], &[]));
    let settings =
        Value::Struct(vec![("command".to_string(), "sleep 1000".into()), ("autostart".to_string(), "no".into())]);
    let added = daemon.call("twiddler.addProgramToGroup", &["sleeper".into(), "more".into(), settings]);
    assert_eq!(added, Value::Bool(true));
    assert_eq!(daemon.call("supervisor.reloadConfig", &[]), difference(&[], &["sleeper"], &[]));
    daemon.call("twiddler.removeProcessFromGroup", &["sleeper".into(), "more".into()]);
    assert_eq!(daemon.call("supervisor.reloadConfig", &[]), difference(&[], &[], &[]));
}

/// CFG-228: warnings of a re-read are not logged, those of a reload are, as at the start.
#[test]
fn warnings_of_a_reread_are_not_logged() {
    let mut daemon = Daemon::start(QUIET);
    let warned =
        format!("{QUIET}{SLEEPER}redirect_stderr=true\nstderr_logfile=%(here)s/x.err\n[include]\nfiles=no.*\n");
    daemon.configure(&warned);
    let told = |daemon: &Daemon| daemon.messages().iter().filter(|line| line.starts_with("WARN")).count();
    assert_eq!(told(&daemon), 0, "{}", daemon.log());
    assert_eq!(daemon.call("supervisor.reloadConfig", &[]), difference(&["sleeper"], &[], &[]));
    assert_eq!(told(&daemon), 0, "{}", daemon.log());
    daemon.signal("HUP");
    daemon.wait_for_log("WARN No file matches via include \"");
    daemon.wait_for_log("WARN For [program:sleeper], redirect_stderr=true but stderr_logfile has also been set");
}
