//! Who takes care of whose children: orphans, process 1, storms of ends, and signals that are not for children.

mod support;

use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use majordomo::base::value::Value;
use support::daemon::{Daemon, Setup};
use support::namespaces::unshare;
use support::{QUIET, proc, upstream_differs, wait_for, wait_until};

/// A program whose grandchildren outlive it: each tells its number and ends a little later, with status 7.
fn forker(orphans: u32) -> String {
    format!(
        "[program:forker]\ncommand=/bin/sh %(here)s/fork {orphans}\nautostart=false\nautorestart=false\nstartsecs=0
stdout_logfile=NONE\nstderr_logfile=NONE\n"
    )
}

/// `sh fork COUNT`. They wait for a file, so that none ends too early.
const FORK: &str = "i=0\nwhile [ $i -lt $1 ]; do\n\
    sh -c '(until [ -e go ]; do sleep 0.05; done; exit 7) >/dev/null 2>&1 & echo $! >>orphans'\ni=$((i+1))\ndone\n";

fn with(settings: &str, orphans: u32) -> Setup {
    let config = QUIET.replace("[supervisord]\n", &format!("[supervisord]\n{settings}\n"));
    Setup::new(&(config + &forker(orphans))).file("fork", FORK)
}

/// Lets a program leave so many orphans, and gives their numbers, as they see them.
fn make_orphans(daemon: &Daemon, count: usize) -> Vec<i64> {
    for name in ["go", "orphans"] {
        let _ = std::fs::remove_file(daemon.file(name));
    }
    daemon.call("supervisor.startProcess", &["forker".into()]);
    daemon.wait_for_state("forker", "EXITED");
    let text = daemon.text("orphans");
    let numbers: Vec<i64> = text.lines().map(|line| line.parse().expect("a number")).collect();
    assert_eq!(numbers.len(), count);
    numbers
}

fn parent_of(pid: i64) -> i64 {
    proc::stat(pid).expect("an orphan")[1].parse().expect("a number")
}

/// Lets them end, and waits until the log has told of each.
fn let_go(daemon: &Daemon, orphans: &[i64]) {
    std::fs::write(daemon.file("go"), "").expect("a sign");
    for orphan in orphans {
        daemon.wait_for_log(&format!("INFO reaped unknown pid {orphan} (exit status 7)\n"));
    }
}

/// PROC-033, LOG-036: a subreaper gets the orphans of its programs, leaves no zombie, and stays one after a reload.
#[test]
fn a_subreaper() {
    if upstream_differs("has no subreaper") {
        return;
    }
    let mut daemon = with("subreaper=true", 3).start();
    for round in 0..2 {
        let orphans = make_orphans(&daemon, 3);
        for orphan in &orphans {
            assert_eq!(parent_of(*orphan), daemon.pid(), "round {round}");
        }
        let_go(&daemon, &orphans);
        assert_eq!(proc::children(daemon.pid()), [0; 0]);
        daemon.signal("HUP");
        wait_until("the new start", 20, || daemon.log().matches("supervisord started").count() == round + 2);
        wait_until("its server", 20, || support::http::Client::connect(daemon.address()).is_ok());
    }
    // No longer, if the configuration says so.
    daemon.configure(&(QUIET.to_string() + &forker(1)));
    daemon.signal("HUP");
    wait_until("the new start", 20, || daemon.log().matches("supervisord started").count() == 4);
    wait_until("its server", 20, || support::http::Client::connect(daemon.address()).is_ok());
    for orphan in make_orphans(&daemon, 1) {
        assert_ne!(parent_of(orphan), daemon.pid());
    }
    std::fs::write(daemon.file("go"), "").expect("a sign");
}

/// PROC-033: the same in the background, which is another process than the one that was started.
#[test]
fn a_subreaper_in_the_background() {
    if upstream_differs("has no subreaper") {
        return;
    }
    let setup = with("subreaper=true", 2);
    let _guard = setup.guard();
    let done = setup.background_command().output().expect("the daemon");
    let written = std::fs::read_to_string(setup.path().join("supervisord.pid")).expect("its pid file");
    let pid: i64 = written.trim().parse().expect("a number");
    let text = |name: &str| std::fs::read_to_string(setup.path().join(name)).unwrap_or_default();
    let mut client =
        support::http::Client::connect(&support::http::Address::file(&setup.path().join("supervisor.sock")))
            .expect("a connection");
    client.ask(&support::xmlrpc::request("supervisor.startProcess", &["forker".into()])).expect("an answer");
    wait_until("the orphans", 20, || text("supervisord.log").contains("exited: forker (exit status 0"));
    let orphans: Vec<i64> = text("orphans").lines().map(|line| line.parse().expect("a number")).collect();
    let parents: Vec<i64> = orphans.iter().map(|orphan| parent_of(*orphan)).collect();
    std::fs::write(setup.path().join("go"), "").expect("a sign");
    wait_until("their ends", 20, || text("supervisord.log").matches("INFO reaped unknown pid ").count() == 2);
    let left = proc::children(pid);
    assert_eq!((done.status.code(), parents, left), (Some(0), vec![pid; 2], vec![]));
}

/// PROC-033, BUG-006: hundreds of orphans and children that end in one moment; nobody is missed.
#[test]
fn a_storm_of_ends() {
    if upstream_differs("has no subreaper") {
        return;
    }
    let brief = "[program:brief]\ncommand=/bin/sh -c 'until [ -e go ]; do sleep 0.05; done; exit 3'\nnumprocs=60
process_name=%(process_num)d\nautostart=false\nautorestart=false\nstartsecs=0\nstdout_logfile=NONE\nstderr_logfile=NONE\n";
    let setup = with("subreaper=true", 150);
    let config = std::fs::read_to_string(setup.path().join("sd.conf")).expect("the configuration");
    std::fs::write(setup.path().join("sd.conf"), config + brief).expect("the configuration");
    let daemon = setup.start();
    let orphans = make_orphans(&daemon, 150);
    daemon.call("supervisor.startProcessGroup", &["brief".into(), Value::Bool(false)]);
    for number in 0..60 {
        daemon.wait_for_state(&format!("brief:{number}"), "RUNNING");
    }
    let_go(&daemon, &orphans);
    wait_until("the children's ends", 20, || daemon.log().matches("(exit status 3; not expected)").count() == 60);
    // Only the shells' sleeps, which end by themselves.
    wait_until("no child", 20, || proc::children(daemon.pid()).is_empty());
    let unknown = daemon.log().matches("INFO reaped unknown pid ").count();
    let sleeps =
        daemon.log().lines().filter(|line| line.contains("reaped unknown") && line.ends_with("status 0)")).count();
    assert_eq!(unknown - sleeps, 150);
}

/// PROC-033, SIG-001, PROC-077: as process 1, which the system treats in its own way: orphans are reaped, a signal ends
/// everything in order, and the status is 0.
#[test]
fn process_1() {
    let Some(mut prefix) = unshare(&["--pid", "--fork", "--mount-proc"]) else { return };
    prefix.insert(prefix.len(), "--kill-child".to_string());
    let words: Vec<&str> = prefix.iter().map(String::as_str).collect();
    for signal in ["TERM", "INT", "QUIT"] {
        let setup = with("", 3).through(&words);
        let config = std::fs::read_to_string(setup.path().join("sd.conf")).expect("the configuration");
        let stays = "[program:stays]\ncommand=sleep 1000\nstartsecs=0\n";
        std::fs::write(setup.path().join("sd.conf"), config + stays).expect("the configuration");
        let mut daemon = setup.start();
        assert_eq!(daemon.call("supervisor.getPID", &[]), Value::Int(1));
        daemon.wait_for_state("stays", "RUNNING");
        assert_eq!(daemon.text("supervisord.pid"), "1\n");
        let orphans = make_orphans(&daemon, 3);
        let_go(&daemon, &orphans);
        let first = proc::children(daemon.pid());
        assert_eq!(first.len(), 1);
        wait_until("no zombie", 20, || proc::children(first[0]).len() == 1);
        daemon.call("supervisor.signalProcess", &["stays".into(), "KILL".into()]);
        daemon.wait_for_log("WARN exited: stays (terminated by SIGKILL; not expected)");
        daemon.wait_for_state("stays", "RUNNING");
        proc::send(&first, signal);
        assert_eq!(daemon.wait_for_exit().code(), Some(0), "{signal}");
        daemon.wait_for_log(&format!("WARN received SIG{signal} indicating exit request"));
        assert_eq!(daemon.messages().last().map(String::as_str), Some("WARN stopped: stays (terminated by SIGTERM)"));
        assert!(!daemon.file("supervisord.pid").exists());
    }
}

/// PROC-101: a child that closes its output is no reason to look again and again; nor one whose grandchild keeps it.
#[test]
fn closed_output_costs_nothing() {
    if upstream_differs("BUG-001: wakes up once a second") {
        return;
    }
    let programs = "[program:shut]\ncommand=/bin/sh -c 'exec >&- 2>&- <&-; exec sleep 1000'\nstartsecs=0
[program:half]\ncommand=/bin/sh -c 'exec 2>&-; exec sleep 1000'\nstartsecs=0\n";
    let config = QUIET.replace("[supervisord]\n", "[supervisord]\nloglevel=debug\n");
    let daemon = Daemon::start(&(config + programs));
    for line in ["stopped monitoring 'shut' stdout", "stopped monitoring 'shut' stderr", "monitoring 'half' stderr"] {
        daemon.wait_for_log(line);
    }
    for name in ["shut", "half"] {
        daemon.wait_for_state(name, "RUNNING");
    }
    let spent = || (proc::switches(daemon.pid()), proc::cpu_ticks(daemon.pid()));
    let before = wait_for("the daemon to settle", 30, || {
        let before = spent();
        std::thread::sleep(Duration::from_secs(2));
        (spent() == before).then_some(before)
    });
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(spent(), before, "context switches and clock ticks");
    assert_eq!(daemon.info("shut").state(), "RUNNING");
    assert_eq!(daemon.call("supervisor.stopProcess", &["shut".into()]), Value::Bool(true));
}

/// SIG-010: Ctrl-C at a terminal is for the daemon, which then stops its programs as it should.
#[test]
fn ctrl_c_reaches_only_the_daemon() {
    let script = "trap 'echo int' INT; trap 'echo term; exit 0' TERM; echo ready; while :; do sleep 0.05; done";
    let program = "[program:p]\ncommand=/bin/sh %(here)s/traps\nstartsecs=0\nstdout_logfile=%(here)s/out\n";
    let setup = Setup::new(&(QUIET.to_string() + program)).file("traps", script);
    // A terminal around it: what comes on stdin is typed there, and the daemon is in its foreground.
    let terminal = "import os, pty, sys\npid, terminal = pty.fork()\nif pid == 0: os.execvp(sys.argv[1], sys.argv[1:])\n\
                    os.write(terminal, os.read(0, 1))\n\
                    try:\n while os.read(terminal, 4096): pass\nexcept OSError: pass\n\
                    sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))";
    let setup = setup.through(&["python3", "-c", terminal]);
    let _guard = setup.guard();
    let mut command = setup.command();
    let mut process = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().expect("python");
    let text = |name: &str| std::fs::read_to_string(setup.path().join(name)).unwrap_or_default();
    wait_until("its traps", 20, || text("out") == "ready\n");
    process.stdin.take().expect("its stdin").write_all(b"\x03").expect("a key");
    let status = wait_for("the end", 20, || process.try_wait().expect("its status"));
    assert_eq!(status.code(), Some(0));
    assert_eq!(text("out"), "ready\nterm\n");
    assert!(text("supervisord.log").contains(" WARN received SIGINT indicating exit request\n"));
}

/// SIG-011: until the servers are open, signals have their default effect; from then on they wait to be handled.
#[test]
fn signals_act_by_default_until_the_servers_are_open() {
    let setup = Setup::new(QUIET);
    let config = setup.path().join("sd.conf");
    std::fs::remove_file(&config).expect("no configuration");
    let _guard = setup.guard();
    // It reads its configuration as long as nobody writes it.
    assert!(Command::new("mkfifo").arg(&config).status().expect("mkfifo").success());
    for (name, number) in [("TERM", 15), ("INT", 2), ("QUIT", 3), ("HUP", 1), ("USR2", 12)] {
        let mut process = setup.command().stdout(Stdio::null()).spawn().expect("the daemon");
        let pid = i64::from(process.id());
        wait_until("its program", 20, || proc::stat(pid).is_some_and(|fields| fields[0] == "S"));
        // Blocked or ignored it would be for nothing.
        wait_until("the program behind the fork", 20, || proc::signal_set(pid, "SigIgn") & (1 << 12) != 0);
        proc::send(&[pid], name);
        assert_eq!(
            wait_for("its end", 20, || process.try_wait().expect("its status")).signal(),
            Some(number),
            "{name}"
        );
    }
    assert!(!setup.path().join("supervisord.log").exists());
    // Behind the servers: as many as there are of them, none is lost.
    let mut daemon = Daemon::start(QUIET);
    // The first answer comes when they are handled.
    daemon.call("supervisor.getPID", &[]);
    daemon.signal("USR2");
    daemon.wait_for_log("INFO supervisord logreopen");
    daemon.signal("HUP");
    wait_until("the new start", 20, || daemon.log().matches("supervisord started").count() == 2);
    daemon.signal("TERM");
    assert_eq!(daemon.wait_for_exit().code(), Some(0));
}

/// LOG-043, LOG-040: SIGUSR2 leaves logs of programs alone that do not run; SIG-009: many at once count as one or more.
#[test]
fn reopening_while_nothing_runs() {
    let programs = "[program:idle]\ncommand=cat\nautostart=false\nstdout_logfile=%(here)s/idle.log\n";
    let daemon = Daemon::start(&(QUIET.to_string() + programs));
    daemon.call("supervisor.getPID", &[]);
    for _ in 0..20 {
        daemon.signal("USR2");
    }
    daemon.wait_for_log("INFO supervisord logreopen");
    assert_eq!(daemon.call("supervisor.getPID", &[]), Value::Int(daemon.pid()));
    assert!(!daemon.file("idle.log").exists());
    let count = |text: &str| daemon.log().matches(text).count();
    assert!((1..=20).contains(&count("INFO received SIGUSR2 indicating log reopen request")));
    assert_eq!(count("INFO received SIGUSR2 indicating log reopen request"), count("INFO supervisord logreopen"));
    let mut nothing = String::new();
    std::fs::File::open(daemon.file("daemon.err")).expect("its errors").read_to_string(&mut nothing).expect("text");
    assert_eq!(nothing, "");
}
