//! Defects of the published program that must not come back, and oddities that stay because somebody may rely on them
//! (contract bugs.md, sections 3 and 4), where no other test has them already.

mod support;

use std::path::Path;

use majordomo::base::value::Value;
use support::daemon::{Daemon, Setup};
use support::http::{Address, Client};
use support::{QUIET, proc, upstream_differs, wait_until};

fn with(lines: &str) -> String {
    QUIET.replace("[supervisord]\n", &format!("[supervisord]\n{lines}\n"))
}

/// A program that runs once and leaves its output in `out`.
fn once(command: &str) -> String {
    format!("[program:once]\ncommand={command}\nstartsecs=0\nautorestart=false\nstdout_logfile=%(here)s/out\n")
}

/// Automatic logs in a folder, sorted.
fn automatic_logs(folder: &Path) -> Vec<String> {
    let names = std::fs::read_dir(folder).expect("a folder").flatten();
    let mut names: Vec<String> = names.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.retain(|name| name.contains("---"));
    names.sort();
    names
}

/// BUG-058, LOG-045, LOG-046: automatic logs stay when their group goes and when the daemon ends; the next start
/// removes them, unless `nocleanup` is set, and makes new ones.
#[test]
fn automatic_logs_stay_until_the_next_start() {
    let program = "[program:never]\ncommand=sleep 1000\nautostart=false\nredirect_stderr=true\n";
    let mut daemon = Daemon::start(&(QUIET.to_string() + program));
    let first = automatic_logs(daemon.path());
    assert_eq!(first.len(), 1);
    daemon.call("supervisor.removeProcessGroup", &["never".into()]);
    assert_eq!(automatic_logs(daemon.path()), first);
    if upstream_differs("the group gets its old files, until the configuration is read again") {
        return;
    }
    daemon.call("supervisor.addProcessGroup", &["never".into()]);
    let both = automatic_logs(daemon.path());
    assert!(both.len() == 2 && both.contains(&first[0]), "a new one");
    daemon.signal("TERM");
    daemon.wait_for_exit();
    assert_eq!(automatic_logs(daemon.path()), both);

    daemon.configure(&(with("nocleanup=true") + program));
    daemon.start_again();
    assert_eq!(automatic_logs(daemon.path()).len(), 3);
    // Also at a reload.
    let others = ["x-stdout---another-abcdefgh.log", "x---supervisor-abc.txt", "y-stdout---supervisor-12345678.log.1"];
    for name in others {
        std::fs::write(daemon.file(name), "").expect("a file");
    }
    daemon.configure(&(QUIET.to_string() + program));
    daemon.signal("HUP");
    wait_until("the new start", 20, || daemon.log().matches("supervisord started").count() == 3);
    wait_until("its server", 20, || Client::connect(daemon.address()).is_ok());
    let left = automatic_logs(daemon.path());
    assert!(
        left.len() == 3 && left.contains(&others[0].to_string()) && left.contains(&others[1].to_string()),
        "{left:?}"
    );
    assert!(!both.iter().any(|old| left.contains(old)), "{left:?}");
}

/// BUG-077: also those of another daemon with the same identifier in the same folder; LOG-045: not those of one with
/// another.
#[test]
fn automatic_logs_of_other_daemons() {
    let program = "[program:p]\ncommand=sleep 1000\nstartsecs=0\nredirect_stderr=true\n";
    let first = Daemon::start(&(QUIET.to_string() + program));
    first.wait_for_state("p", "RUNNING");
    let log = automatic_logs(first.path());
    let beside = |identifier: &str| {
        let folder = format!("childlogdir={}", first.path().display());
        let config = QUIET.replace("childlogdir=%(here)s", &folder);
        config.replace("[supervisord]\n", &format!("[supervisord]\nidentifier={identifier}\n"))
    };
    drop(Daemon::start(&beside("other")));
    assert_eq!(automatic_logs(first.path()), log);
    drop(Daemon::start(&beside("supervisor")));
    assert_eq!(automatic_logs(first.path()), [""; 0]);
    assert_eq!(first.info("p").state(), "RUNNING");
}

/// BUG-059: the name of the group is in one variable only.
#[test]
fn the_group_s_variable() {
    let daemon = Daemon::start(&(QUIET.to_string() + &once("env")));
    daemon.wait_for_state("once", "EXITED");
    let text = daemon.text("out");
    assert!(text.contains("SUPERVISOR_GROUP_NAME=once\n") && !text.contains("SUPERVISOR_PROCESS_GROUP"), "{text}");
}

/// BUG-061, CFG-009, LOG-083: a relative `-c` is found again at a reload, although the daemon went elsewhere.
#[test]
fn a_relative_file_is_found_again() {
    let relative = ["sh", "-c", "exec \"$1\" -c sd.conf", "sh"];
    let setup = Setup::new(&(with("directory=/usr") + &once("pwd"))).through(&relative);
    let _guard = setup.guard();
    let done = setup.background_command().output().expect("the daemon");
    let log = || std::fs::read_to_string(setup.path().join("supervisord.log")).unwrap_or_default();
    let starts = |count: usize| wait_until("its start", 20, || log().matches("supervisord started").count() == count);
    starts(1);
    let text = std::fs::read_to_string(setup.path().join("supervisord.pid")).expect("its pid file");
    let pid: i64 = text.trim().parse().expect("a number");
    let out = || std::fs::read_to_string(setup.path().join("out")).unwrap_or_default();
    wait_until("its output", 20, || out() == "/usr\n");
    if !upstream_differs("BUG-061: it is gone") {
        proc::send(&[pid], "HUP");
        starts(2);
        let mut client = Client::connect(&Address::file(&setup.path().join("supervisor.sock"))).expect("a connection");
        let reply = client.ask(&support::xmlrpc::request("supervisor.reloadConfig", &[])).expect("an answer");
        assert!(support::xmlrpc::response(&reply.body).is_ok());
    }
    let runs = log().matches("supervisord started").count();
    wait_until("its output", 20, || out() == "/usr\n".repeat(runs));
    assert_eq!(done.status.code(), Some(0));
}

/// BUG-064, BUG-065, CFG-053: percent signs in an environment and in the name of a log are written once more, not
/// twice more; the second way goes on working for the log.
#[test]
fn percent_signs() {
    if upstream_differs("BUG-064: expanded twice") {
        return;
    }
    let program = |name: &str, signs: &str| {
        format!(
            "[program:{name}]\ncommand=sh -c 'echo \"$RATE\"'\nstartsecs=0\nautorestart=false\nstdout_logfile=%(here)s/{name}{signs}.log\n"
        )
    };
    let programs = program("two", "%%") + &program("four", "%%%%");
    let daemon = Daemon::start(&(with("environment=RATE=\"100%%\"") + &programs));
    for name in ["two", "four"] {
        daemon.wait_for_state(name, "EXITED");
        assert_eq!(daemon.text(&format!("{name}%.log")), "100%\n");
    }
}

/// BUG-066, BUG-073: an expansion without a name, and a program without one.
#[test]
fn names_that_are_missing() {
    if upstream_differs("BUG-066, BUG-073: takes both") {
        return;
    }
    for (text, told) in [
        ("[program:x]\ncommand=echo %s\n", "key command)"),
        ("[program:]\ncommand=true\n", "Invalid name: '' because it is empty"),
        ("[group:]\nprograms=\n", "Invalid name: '' because it is empty"),
    ] {
        let (status, output, errors) = Setup::new(&format!("{QUIET}{text}")).run();
        assert_eq!((status, output.as_str()), (Some(2), ""), "{text}");
        assert!(errors.starts_with("Error: ") && errors.contains(told), "{errors}");
        assert!(!errors.contains("ENV_PATH="), "no dump of variables: {errors}");
    }
}

/// BUG-076, LOG-083: in the foreground `umask` and `directory` of the daemon have no effect.
#[test]
fn umask_and_directory_are_for_the_background() {
    let setup = Setup::new(&(with("umask=077\ndirectory=/usr") + &once("sh -c 'pwd; umask'")));
    let daemon = setup.through(&["sh", "-c", "umask 007; exec \"$@\"", "sh"]).start();
    daemon.wait_for_state("once", "EXITED");
    assert_eq!(daemon.text("out"), format!("{}\n0007\n", daemon.path().display()));
    assert!(!daemon.log().contains("set current directory"));
    // LOG-015, LOG-049.
    use std::os::unix::fs::PermissionsExt;
    for name in ["supervisord.log", "out", "supervisord.pid"] {
        let mode = std::fs::metadata(daemon.file(name)).expect(name).permissions().mode() & 0o777;
        assert_eq!(mode, 0o660, "{name}");
    }
}

/// BUG-079: a variable of `[supervisord] environment` is gone with its line.
#[test]
fn no_stale_variables() {
    if upstream_differs("BUG-079: they survive") {
        return;
    }
    let program = "[program:p]\ncommand=sleep %(ENV_TIME)s\nstartsecs=0\n";
    let mut daemon = Daemon::start(&(with("environment=TIME=\"1000\"") + program));
    daemon.wait_for_state("p", "RUNNING");
    let none = Value::Array(vec![Value::Array(vec![Value::Array(vec![]); 3])]);
    assert_eq!(daemon.call("supervisor.reloadConfig", &[]), none);
    daemon.configure(&(QUIET.to_string() + program));
    let (code, text) = daemon.fault("supervisor.reloadConfig", &[]);
    assert!(code == 92 && text.contains("ENV_TIME"), "{code} {text}");
}
