//! What a child finds when it starts: words, environment, folder, mask, user, descriptors and signals.

mod support;

use majordomo::base::value::Value;
use support::daemon::{Daemon, Setup};
use support::{QUIET, proc, upstream, upstream_differs, wait_until};

/// Runs programs that end by themselves; gives the daemon once all of them have.
fn run(setup: Setup, names: &[&str]) -> Daemon {
    let daemon = setup.start();
    for name in names {
        daemon.wait_for_state(name, "EXITED");
    }
    daemon
}

/// A program that runs once and leaves its output in `<name>.out` and `<name>.err`.
fn once(name: &str, settings: &str) -> String {
    format!(
        "[program:{name}]\n{settings}\nstartsecs=0\nautorestart=false
stdout_logfile=%(here)s/{name}.out\nstderr_logfile=%(here)s/{name}.err\n"
    )
}

/// PROC-056, CFG-081, CFG-115, CFG-145: who overrides whom.
#[test]
fn environment() {
    let programs =
        once("first", "command=env\nenvironment=COLOUR=\"green\",QUOTED=\"a,b it's so\",SHOWN=%(program_name)s")
            + &once("second", "command=env\nenvironment=SUPERVISOR_GROUP_NAME=\"mine\"");
    let config = QUIET.replace("[supervisord]\n", "[supervisord]\nenvironment=COLOUR=\"red\",SHAPE=\"round\"\n");
    let setup = Setup::new(&format!("{config}{programs}")).env("SHAPE", "square").env("OUTSIDE", "kept");
    let daemon = run(setup, &["first", "second"]);
    let has = |name: &str, line: &str| {
        let text = daemon.text(&format!("{name}.out"));
        assert!(text.lines().any(|other| other == line), "{line} is missing in {name}:\n{text}");
    };
    let url = format!("SUPERVISOR_SERVER_URL=unix://{}", daemon.file("supervisor.sock").display());
    for line in ["COLOUR=green", "QUOTED=a,b it's so", "SHOWN=first", "SHAPE=round", "OUTSIDE=kept", "USER=tester"] {
        has("first", line);
    }
    for line in ["SUPERVISOR_ENABLED=1", "SUPERVISOR_PROCESS_NAME=first", "SUPERVISOR_GROUP_NAME=first", &url] {
        has("first", line);
    }
    for line in ["COLOUR=red", "SUPERVISOR_PROCESS_NAME=second", "SUPERVISOR_GROUP_NAME=mine"] {
        has("second", line);
    }
}

/// PROC-040, PROC-042, PROC-045, CFG-120: words of the command, and where its program is found.
#[test]
fn words_of_the_command() {
    let programs = once("words", r#"command=printf '%%s|' 'a b' "c\"d" e\ f ; not this"#)
        + &once("name", "command=cat /proc/self/cmdline")
        + &once("path", "command=cat\nenvironment=PATH=\"%(here)s/tools:/bin\"");
    let setup = Setup::new(&format!("{QUIET}{programs}"));
    let tools = setup.path().join("tools");
    std::fs::create_dir(&tools).expect("a folder");
    executable(&tools.join("cat"), "#!/bin/sh\necho another cat\n");
    let daemon = run(setup, &["words", "name", "path"]);
    assert_eq!(daemon.text("words.out"), "a b|c\"d|e f|");
    assert_eq!(daemon.text("name.out"), "cat\0/proc/self/cmdline\0");
    assert_eq!(daemon.text("path.out"), "another cat\n");
}

fn executable(path: &std::path::Path, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(path, text).expect("a program");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).expect("its mode");
}

/// PROC-053, CFG-142, CFG-143.
#[test]
fn directory_and_umask() {
    let programs =
        once("there", "command=/bin/sh -c 'pwd; umask'\ndirectory=/usr\numask=027") + &once("here", "command=/bin/pwd");
    let daemon = run(Setup::new(&format!("{QUIET}{programs}")), &["there", "here"]);
    assert_eq!(daemon.text("there.out"), "/usr\n0027\n");
    assert_eq!(daemon.text("here.out"), format!("{}\n", daemon.path().display()));
}

/// PROC-057, PROC-058: what goes wrong between fork and exec is told on the child's stderr.
#[test]
fn failures_after_the_fork() {
    let programs = once("lost", "command=/bin/true\ndirectory=/no/such/folder")
        + &once("text", "command=%(here)s/text")
        + &once("headless", "command=%(here)s/headless");
    let setup = Setup::new(&format!("{QUIET}{programs}"));
    executable(&setup.path().join("text"), "echo no interpreter named\n");
    executable(&setup.path().join("headless"), "#!/no/such/interpreter\n");
    let daemon = run(setup, &["lost", "text", "headless"]);
    let last = "supervisor: child process was not spawned\n";
    let here = daemon.path().display();
    for (name, text) in [
        ("lost", "supervisor: couldn't chdir to /no/such/folder: ENOENT\n".to_string()),
        ("text", format!("supervisor: couldn't exec {here}/text: ENOEXEC\n")),
        ("headless", format!("supervisor: couldn't exec {here}/headless: ENOENT\n")),
    ] {
        assert_eq!(daemon.text(&format!("{name}.err")), format!("{text}{last}"), "{name}");
        let info = daemon.info(name);
        assert_eq!((info.number("exitstatus"), info.text("spawnerr")), (127, "Bad exit code 127"), "{name}");
    }
}

/// BUG-043, PROC-044: a relative command is looked for where it will run.
#[test]
fn a_relative_command_is_found_in_its_directory() {
    if upstream_differs("BUG-043: checked in the daemon's own folder") {
        return;
    }
    let programs = once("tool", "command=bin/tool\ndirectory=%(here)s/app");
    let setup = Setup::new(&format!("{QUIET}{programs}"));
    let folder = setup.path().join("app/bin");
    std::fs::create_dir_all(&folder).expect("a folder");
    executable(&folder.join("tool"), "#!/bin/sh\necho found in $PWD\n");
    let daemon = run(setup, &["tool"]);
    assert_eq!(daemon.text("tool.out"), format!("found in {}/app\n", daemon.path().display()));
}

/// PROC-055, CFG-141: another user, with that user's groups; only root can test it.
#[test]
fn user() {
    let id = |option: &str, user: Option<&str>| {
        let output = std::process::Command::new("id").arg(option).args(user).output().expect("id");
        String::from_utf8(output.stdout).expect("text")
    };
    if id("-u", None).trim() != "0" {
        println!("left out: only root can become somebody else");
        return;
    }
    let programs = once("other", "command=/bin/sh -c 'id -u; id -g; id -G; echo $HOME'\nuser=nobody");
    let daemon = run(Setup::new(&format!("{QUIET}{programs}")), &["other"]);
    let [uid, gid, groups] = ["-u", "-g", "-G"].map(|option| id(option, Some("nobody")));
    assert_eq!(daemon.text("other.out"), format!("{uid}{gid}{groups}{}\n", daemon.path().display()));
}

/// PROC-052, PROC-053, PROC-059, PROC-066, BUG-050, BUG-052, LOG-085: its own group, three descriptors, clean signals.
#[test]
fn nothing_of_the_daemon_is_in_a_child() {
    let programs: String =
        (0..5).map(|number| format!("[program:p{number}]\ncommand=sleep 1000\nstartsecs=0\n")).collect();
    let daemon = Daemon::start(&format!("{QUIET}{programs}"));
    // A connection that is open while a child starts.
    let mut client = daemon.connect();
    daemon.wait_for_state("p4", "RUNNING");
    daemon.call("supervisor.stopProcess", &["p2".into()]);
    daemon.call("supervisor.startProcess", &["p2".into()]);
    for number in 0..5 {
        let pid = daemon.wait_for_state(&format!("p{number}"), "RUNNING").pid();
        wait_until("its program", 20, || {
            std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name == "sleep\n")
        });
        let descriptors = proc::descriptors(pid);
        let numbers: Vec<i64> = descriptors.iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, [0, 1, 2], "{descriptors:?}");
        assert!(
            descriptors.iter().all(|(_, target)| target.to_string_lossy().starts_with("pipe:[")),
            "{descriptors:?}"
        );
        assert_eq!(proc::group_of(pid), pid);
        assert_eq!(
            proc::stat(pid).expect("the child")[3],
            proc::stat(daemon.pid()).expect("the daemon")[3],
            "no setsid"
        );
        assert_eq!(proc::signal_set(pid, "SigBlk"), 0);
        assert_eq!(proc::signal_set(pid, "SigCgt"), 0);
        // 13 is SIGPIPE and 25 SIGXFSZ; signal n is bit n - 1. Those from 32 on may come from whoever runs the test.
        assert_eq!(proc::signal_set(pid, "SigIgn") & 0x7fff_ffff, 1 << 12 | 1 << 24);
    }
    let reply = client.ask(&support::xmlrpc::request("supervisor.getPID", &[])).expect("an answer");
    assert_eq!(support::xmlrpc::response(&reply.body), Ok(Value::Int(daemon.pid())));
}

/// PROC-060: the daemon's own limits hold for its children.
#[test]
fn limits() {
    let daemon = run(Setup::new(&format!("{QUIET}{}", once("show", "command=cat /proc/self/limits"))), &["show"]);
    let own = std::fs::read_to_string(format!("/proc/{}/limits", daemon.pid())).expect("its limits");
    assert_eq!(daemon.text("show.out"), own);
}

/// PROC-090, PROC-091, PROC-093, RPC-064: what is sent arrives, also more than a pipe holds; a closed stdin is told.
#[test]
fn stdin() {
    let programs = "[program:echo]\ncommand=cat\nstartsecs=0\nstdout_logfile=%(here)s/echo.out\nstdout_logfile_maxbytes=0
[program:shut]\ncommand=/bin/sh -c 'exec <&-; echo closed; exec sleep 1000'\nstartsecs=0\nstdout_logfile=%(here)s/shut.out\n";
    let daemon = Daemon::start(&format!("{QUIET}{programs}"));
    daemon.wait_for_state("echo", "RUNNING");
    let send = |name: &str, text: &str| daemon.try_call("supervisor.sendProcessStdin", &[name.into(), text.into()]);
    assert_eq!(send("echo", "the quick brown fox é\n"), Ok(Value::Bool(true)));
    wait_until("the echo", 20, || daemon.text("echo.out") == "the quick brown fox é\n");
    if !upstream() {
        let long = "0123456789abcde\n".repeat(40_000);
        assert_eq!(send("echo", &long), Ok(Value::Bool(true)), "BUG-087");
        wait_until("all of it", 20, || daemon.text("echo.out").len() == 23 + long.len());
        assert!(daemon.text("echo.out").ends_with(&long));
    }
    assert_eq!(daemon.info("echo").state(), "RUNNING");
    wait_until("its closed stdin", 20, || daemon.text("shut.out") == "closed\n");
    assert_eq!(send("shut", "anybody there?\n"), Err((20, "NO_FILE: shut".to_string())));
    assert_eq!(send("ghost", "hello"), Err((10, "BAD_NAME: ghost".to_string())));
}
