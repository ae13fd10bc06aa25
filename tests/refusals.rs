//! What the system may refuse, call by call, in the real daemon: it says so, goes on with everything else, spins on
//! nothing, leaks nothing, loses no byte of a log that it took in, and is as before when the trouble is over.
//!
//! `support/refuse.c` makes the calls fail; the simulation does the same at the `Host` port by chance. Disks that are
//! really full or read-only are in `log_trouble.rs`, limits that are really reached in `accounts.rs` and `bad_clients.rs`.

mod support;

use std::time::{Duration, Instant};

use majordomo::base::value::Value;
use support::daemon::{Daemon, Setup};
use support::http::Client;
use support::refusals::Refusals;
use support::xmlrpc::{request, response};
use support::{QUIET, proc, upstream_differs, wait_until};

/// Within which nine of ten answers come; a debug build on a busy machine takes its time.
const USUAL: Duration = Duration::from_millis(if cfg!(debug_assertions) { 1000 } else { 50 });

/// Numbers of errors (errno(3)).
const EPERM: i32 = 1;
const EINTR: i32 = 4;
const EIO: i32 = 5;
const EAGAIN: i32 = 11;
const ENOMEM: i32 = 12;
const EACCES: i32 = 13;
const EXDEV: i32 = 18;
const EINVAL: i32 = 22;
const ENFILE: i32 = 23;
const EMFILE: i32 = 24;
const ENOSPC: i32 = 28;
const EROFS: i32 = 30;
const ECONNABORTED: i32 = 103;
const ECONNRESET: i32 = 104;
const ENOBUFS: i32 = 105;
const EDQUOT: i32 = 122;

/// Repeats what it is told into a log of its own.
fn echo(name: &str, more: &str) -> String {
    format!("[program:{name}]\ncommand=cat\nstartsecs=0\nstdout_logfile=%(here)s/{name}.log\n{more}\n")
}

fn started(programs: &str) -> (Daemon, Refusals) {
    let (setup, refusals) = Refusals::of(Setup::new(&format!("{QUIET}{programs}")));
    (setup.start(), refusals)
}

fn tell(daemon: &Daemon, name: &str, text: &str) {
    assert_eq!(daemon.call("supervisor.sendProcessStdin", &[name.into(), text.into()]), Value::Bool(true));
}

/// A connection that the daemon knows.
fn client_of(daemon: &Daemon) -> Client {
    let mut client = daemon.connect();
    client.ask(&request("supervisor.getPID", &[])).expect("an answer");
    client
}

fn path(daemon: &Daemon, name: &str) -> String {
    daemon.file(name).display().to_string()
}

/// A log with its backups, oldest first.
fn whole(daemon: &Daemon, name: &str) -> String {
    let backups = (1..=60).rev().map(|number| daemon.text(&format!("{name}.log.{number}")));
    backups.chain([daemon.text(&format!("{name}.log"))]).collect()
}

fn wait_for_whole(daemon: &Daemon, name: &str, wanted: &str) {
    wait_until(&format!("all of {name}'s log"), 20, || whole(daemon, name) == wanted);
}

/// While something is refused, others are answered, and who waits for an end of it does nothing.
fn others_are_served(daemon: &Daemon, client: &mut Client) {
    let mut took: Vec<Duration> = (0..20)
        .map(|_| {
            let begun = Instant::now();
            let reply = client.ask(&request("supervisor.getPID", &[])).expect("an answer");
            assert_eq!(response(&reply.body), Ok(Value::Int(daemon.pid())));
            begun.elapsed()
        })
        .collect();
    took.sort();
    assert!(took[17] < USUAL, "{took:?}");
    let spent = || (proc::cpu_ticks(daemon.pid()), proc::status_number(daemon.pid(), "voluntary_ctxt_switches"));
    let (begun, before) = (Instant::now(), spent());
    std::thread::sleep(Duration::from_millis(600));
    let (after, secs) = (spent(), begun.elapsed().as_secs_f64());
    let (ticks, waits) = (after.0 - before.0, after.1 - before.1);
    println!("    nine of ten answers within {:?}; then {ticks} ticks, {waits} waits in {secs:.1} s", took[17]);
    // Logs and listening sockets are tried again a few times a second; a loop would take a hundred ticks.
    assert!((ticks as f64) < 5.0 + 15.0 * secs, "{ticks} ticks in {secs} s: it spins");
    assert!((waits as f64) < 10.0 + 50.0 * secs, "{waits} waits in {secs} s: it spins");
}

/// LOG-053: what a log doesn't take waits, is told once, and is written in the end.
#[test]
fn writes_to_logs() {
    if upstream_differs("BUG-049: loses each chunk, with a traceback") {
        return;
    }
    let errors = [ENOSPC, EIO, EDQUOT, EROFS];
    let programs: String = errors.iter().map(|error| echo(&format!("e{error}"), "")).collect();
    let (daemon, refusals) = started(&(programs + &echo("other", "")));
    let mut client = client_of(&daemon);
    let mut others = String::new();
    for error in errors {
        let name = format!("e{error}");
        let (pid, log) = (daemon.wait_for_state(&name, "RUNNING").pid(), path(&daemon, &format!("{name}.log")));
        tell(&daemon, &name, "before\n");
        wait_for_whole(&daemon, &name, "before\n");
        refusals.set(&format!("write {error} 1 {log}"));
        let lines: String = (0..50).map(|number| format!("line {number}\n")).collect();
        lines.split_inclusive('\n').for_each(|line| tell(&daemon, &name, line));
        daemon.wait_for_log(&format!("ERRO '{name}' log: can't write to log file '{log}': [Errno {error}] "));
        tell(&daemon, "other", &lines);
        others += &lines;
        wait_for_whole(&daemon, "other", &others);
        others_are_served(&daemon, &mut client);
        refusals.clear();
        wait_for_whole(&daemon, &name, &format!("before\n{lines}"));
        daemon.wait_for_log(&format!("INFO '{name}' log: log file '{log}' is written again, nothing was lost"));
        assert_eq!(daemon.info(&name).pid(), pid);
    }
    assert_eq!(daemon.log().matches("can't write to log file").count(), errors.len(), "{}", daemon.log());
}

/// Everything is taken by halves: logs, the main log, answers.
#[test]
fn writes_that_take_half() {
    let (daemon, refusals) = started(&echo("echo", "stdout_logfile_maxbytes=500\nstdout_logfile_backups=60"));
    daemon.wait_for_state("echo", "RUNNING");
    refusals.set(&format!("write 0 1 {}\nsend 0 1 -", daemon.path().display()));
    let mut client = daemon.connect();
    let mut all = String::new();
    for number in 0..200 {
        let line = format!("line {number} of {number:60}\n");
        let reply = client.ask(&request("supervisor.sendProcessStdin", &["echo".into(), line.as_str().into()]));
        assert_eq!(response(&reply.expect("an answer").body), Ok(Value::Bool(true)));
        all += &line;
    }
    wait_for_whole(&daemon, "echo", &all);
    daemon.call("supervisor.stopProcess", &["echo".into()]);
    let Value::Str(log) = daemon.call("supervisor.readLog", &[0.into(), 0.into()]) else { panic!("no text") };
    assert!(log.contains("stopped: echo") && log.lines().all(|line| line.starts_with("20")), "{log}");
    // What comes in one piece is written at once.
    assert!(refusals.count("write") > 20 && refusals.count("send") > 200);
}

/// LOG-071, LOG-072: a rotation that fails at any of its steps: the log grows, or waits for its new file.
#[test]
fn rotations() {
    if upstream_differs("a traceback, and the log is closed") {
        return;
    }
    let steps = [
        ("rename", EXDEV, "log"),
        ("rename", EIO, "log"),
        ("rename", ENOSPC, "log"),
        // Its folder, and with it all that is in it.
        ("open", EMFILE, "folder"),
        ("open", EIO, "folder"),
        ("open", EMFILE, "log"),
        ("open", ENOSPC, "log"),
        ("open", EIO, "log"),
    ];
    let name = |(call, error, what): (&str, i32, &str)| format!("{call}{error}{what}");
    let size = "stdout_logfile_maxbytes=100\nstdout_logfile_backups=60";
    let programs: String = steps.iter().map(|step| echo(&name(*step), size)).collect();
    let (daemon, refusals) = started(&programs);
    let mut client = client_of(&daemon);
    for step in steps {
        let ((call, error, what), name) = (step, name(step));
        let log = path(&daemon, &format!("{name}.log"));
        let refused = if what == "log" { log.clone() } else { daemon.path().display().to_string() };
        daemon.wait_for_state(&name, "RUNNING");
        let mut all = String::new();
        let mut say = |lines: usize| {
            for _ in 0..lines {
                let line = format!("line {} of a log\n", all.lines().count());
                tell(&daemon, &name, &line);
                all += &line;
            }
            all.clone()
        };
        let before = say(20);
        wait_for_whole(&daemon, &name, &before);
        let backups = || (1..=60).filter(|number| daemon.file(&format!("{name}.log.{number}")).exists()).count();
        // Whoever is answered asks after the turn in which all of it was written.
        client.ask(&request("supervisor.getPID", &[])).expect("an answer");
        let made = backups();
        assert!(made >= 1);
        refusals.set(&format!("{call} {error} 1 {refused}"));
        let then = say(30);
        if call == "rename" || what == "folder" {
            // Not a line is held back, and the file stays open.
            wait_for_whole(&daemon, &name, &then);
            daemon.wait_for_log(&format!(
                "ERRO '{name}' log: can't rotate log file '{log}', which grows on: [Errno {error}] "
            ));
            assert_eq!(backups(), made);
        } else {
            daemon.wait_for_log(&format!("ERRO '{name}' log: can't write to log file '{log}': [Errno {error}] "));
        }
        others_are_served(&daemon, &mut client);
        refusals.clear();
        let after = say(20);
        wait_for_whole(&daemon, &name, &after);
        assert!(backups() > made);
        assert!(refusals.count(call) > 0);
    }
    assert!(!daemon.log().contains("were lost while"), "{}", daemon.log());
}

/// PROC-051, PROC-052: a start for which the system has something missing fails with its reason, leaves nothing open, and
/// succeeds later.
#[test]
fn starts() {
    if upstream_differs("other calls are made") {
        return;
    }
    let (daemon, refusals) = started(
        "[program:p]\ncommand=sleep 1000\nstartsecs=0\nstartretries=0\nautostart=false\nstdout_logfile=%(here)s/p.log\n\
         [program:again]\ncommand=sleep 1000\nstartsecs=0\nstartretries=9\nautostart=false\n",
    );
    let mut client = client_of(&daemon);
    let open = || proc::descriptors(daemon.pid()).len();
    let start = |name: &str| daemon.try_call("supervisor.startProcess", &[name.into()]);
    let log = path(&daemon, "p.log");
    let before = open();
    for (rule, reason) in [
        (format!("clone {EAGAIN} 1 -"), "Too many processes in process table to spawn 'p'"),
        (format!("clone {ENOMEM} 1 -"), "unknown error during fork for 'p': ENOMEM"),
        (format!("pipe {EMFILE} 1 -"), "too many open files to spawn 'p'"),
        (format!("pipe {ENFILE} 1 -"), "unknown error making dispatchers for 'p': ENFILE"),
        // The second and the third one of its pipes.
        (format!("pipe {EMFILE} 2 -"), "too many open files to spawn 'p'"),
        (format!("pipe {EMFILE} 3 -"), "too many open files to spawn 'p'"),
        (format!("epoll_add {ENOSPC} 1 pipe:"), "unknown error making dispatchers for 'p': ENOSPC"),
        (format!("epoll_add {ENOMEM} 2 pipe:"), "unknown error making dispatchers for 'p': ENOMEM"),
        (format!("open {EIO} 1 {log}"), "unknown error making dispatchers for 'p': EIO"),
        (format!("open {EMFILE} 1 {log}"), "too many open files to spawn 'p'"),
        (format!("open {EROFS} 1 {log}"), "unknown error making dispatchers for 'p': EROFS"),
    ] {
        refusals.set(&rule);
        for _ in 0..20 {
            assert_eq!(start("p"), Err((50, "SPAWN_ERROR: p".to_string())), "{rule}");
            let info = daemon.info("p");
            assert_eq!((info.text("spawnerr"), info.state()), (reason, "FATAL"), "{rule}");
        }
        others_are_served(&daemon, &mut client);
        wait_until(&format!("nothing left behind by {rule}"), 10, || open() <= before);
        refusals.clear();
        assert_eq!(start("p"), Ok(Value::Bool(true)), "{rule}");
        daemon.call("supervisor.stopProcess", &["p".into()]);
    }
    // By itself, when its next try comes.
    refusals.set(&format!("clone {EAGAIN} 1 -"));
    assert!(start("again").is_err());
    daemon.wait_for_state("again", "BACKOFF");
    refusals.clear();
    daemon.wait_for_state("again", "RUNNING");
}

/// A system that knows only some ways of making a child, as those that emulate Linux do: it is asked in another way, once.
#[test]
fn ways_to_make_a_child() {
    if upstream_differs("other calls are made") {
        return;
    }
    let (daemon, refusals) = started(&format!("{}autostart=false\n", echo("p", "")));
    refusals.set(&format!("clone-detached {EINVAL} 1 -"));
    for round in 0..3 {
        assert_eq!(daemon.call("supervisor.startProcess", &["p".into()]), Value::Bool(true));
        tell(&daemon, "p", &format!("{round}\n"));
        wait_for_whole(&daemon, "p", &(0..=round).map(|round| format!("{round}\n")).collect::<String>());
        daemon.call("supervisor.stopProcess", &["p".into()]);
    }
    assert!(refusals.count("clone-detached") <= 1);
}

/// Clients that the system doesn't let in wait in its queue; who is in is served, and nothing spins.
#[test]
fn clients_at_the_door() {
    if upstream_differs("spins") {
        return;
    }
    let (daemon, refusals) = started("");
    let mut inside = client_of(&daemon);
    for error in [EMFILE, ENFILE, ENOBUFS, ENOMEM, ECONNABORTED, EPERM, EIO] {
        refusals.set(&format!("accept {error} 1 -"));
        let mut waiting = daemon.connect();
        waiting.send(&request("supervisor.getPID", &[])).expect("a request");
        println!("accept: errno {error}");
        others_are_served(&daemon, &mut inside);
        assert!(refusals.count("accept") > 0);
        refusals.clear();
        let reply = waiting.read_reply().expect("an answer");
        assert_eq!(response(&reply.body), Ok(Value::Int(daemon.pid())), "{error}");
    }
    // Accepted, but there is no room to watch it: closed, not forgotten.
    let open = proc::descriptors(daemon.pid()).len();
    refusals.set(&format!("epoll_add {ENOSPC} 1 socket:"));
    for _ in 0..20 {
        let mut client = daemon.connect();
        assert!(client.is_closed_now());
    }
    others_are_served(&daemon, &mut inside);
    wait_until("closed connections", 10, || proc::descriptors(daemon.pid()).len() <= open);
    refusals.clear();
    // A connection that breaks costs itself only.
    for call in ["send", "recv"] {
        refusals.set(&format!("{call} {ECONNRESET} 1 socket:"));
        let mut client = daemon.connect();
        // It may be gone by now.
        let _ = client.send(&request("supervisor.getPID", &[]));
        assert!(client.read_reply().is_err(), "{call}");
        refusals.clear();
        others_are_served(&daemon, &mut daemon.connect());
    }
}

/// Signals that come at any moment: whatever they interrupt is done again.
#[test]
fn interrupted_calls() {
    let (daemon, refusals) = started(&echo("echo", "stdout_logfile_maxbytes=200\nstdout_logfile_backups=60"));
    daemon.wait_for_state("echo", "RUNNING");
    let calls = [
        ("epoll_wait", 2),
        ("wait", 2),
        ("write", 3),
        ("read", 3),
        ("recv", 3),
        ("send", 3),
        ("open", 2),
        ("accept", 2),
    ];
    refusals.set(&calls.map(|(call, every)| format!("{call} {EINTR} {every} -\n")).concat());
    let mut all = String::new();
    for round in 0..15 {
        for number in 0..10 {
            let line = format!("line {number} of round {round}\n");
            tell(&daemon, "echo", &line);
            all += &line;
        }
        wait_for_whole(&daemon, "echo", &all);
        assert_eq!(daemon.call("supervisor.stopProcess", &["echo".into()]), Value::Bool(true));
        assert_eq!(daemon.call("supervisor.startProcess", &["echo".into()]), Value::Bool(true));
    }
    for (call, _) in calls {
        assert!(refusals.count(call) > 0, "{call}");
    }
    let log = daemon.log();
    assert!(!log.contains("ERRO") && log.matches("stopped: echo (terminated by SIGTERM)").count() == 15, "{log}");
}

/// Logs that can't be read or emptied: a fault for who asked. A pipe that can't be read is closed, and told.
#[test]
fn reads() {
    if upstream_differs("other calls are made") {
        return;
    }
    let debug = QUIET.replace("[supervisord]\n", "[supervisord]\nloglevel=debug\n");
    let (setup, refusals) = Refusals::of(Setup::new(&(debug + &echo("echo", "") + &echo("broken", ""))));
    let daemon = setup.start();
    for name in ["echo", "broken"] {
        daemon.wait_for_state(name, "RUNNING");
    }
    tell(&daemon, "echo", "words\n");
    wait_for_whole(&daemon, "echo", "words\n");
    let read = || daemon.try_call("supervisor.readProcessStdoutLog", &["echo".into(), 0.into(), 99.into()]);
    refusals.set(&format!("pread {EIO} 1 {}", daemon.path().display()));
    assert!(matches!(read(), Err((30, _))), "{:?}", read());
    // Its length was said before: who asked notices that the end is missing.
    let broken = client_of(&daemon).ask(b"GET /log/echo HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(broken.is_err(), "{broken:?}");
    refusals.set(&format!("open {EACCES} 1 {}", daemon.path().display()));
    assert!(matches!(read(), Err((30, _))), "{:?}", read());
    refusals.set(&format!("ftruncate {EIO} 1 -\nunlink {EROFS} 1 -"));
    assert_eq!(daemon.fault("supervisor.clearProcessLogs", &["echo".into()]).0, 30);
    refusals.clear();
    assert_eq!(read(), Ok("words\n".into()));
    let mut client = client_of(&daemon);
    refusals.set(&format!("read {EIO} 1 pipe:"));
    tell(&daemon, "broken", "never read\n");
    daemon.wait_for_log("closed, stopped monitoring 'broken' stdout");
    others_are_served(&daemon, &mut client);
    refusals.clear();
    tell(&daemon, "echo", "more\n");
    wait_for_whole(&daemon, "echo", "words\nmore\n");
}

/// PROC-025: a signal that may not be sent.
#[test]
fn signals() {
    let (mut daemon, refusals) = started("[program:p]\ncommand=sleep 1000\nstartsecs=0\n");
    let pid = daemon.wait_for_state("p", "RUNNING").pid();
    let mut client = client_of(&daemon);
    refusals.set(&format!("kill {EPERM} 1 -"));
    assert_eq!(daemon.fault("supervisor.stopProcess", &["p".into()]).0, 30);
    daemon.wait_for_log(&format!("CRIT unknown problem killing p ({pid}):"));
    assert_eq!(daemon.info("p").state(), "UNKNOWN");
    others_are_served(&daemon, &mut client);
    refusals.clear();
    assert!(proc::is_alive(pid));
    proc::send(&[pid], "KILL");
    daemon.signal("TERM");
    assert!(daemon.wait_for_exit().success());
}

/// PROC-120 to PROC-124: the wall clock is set by a year, ahead and back, while programs start, run, are stopped and wait
/// for their next try: everything happens in its time, and only what is shown changes.
#[test]
fn the_wall_clock() {
    if upstream_differs("other calls are made") {
        return;
    }
    const YEAR: i64 = 365 * 24 * 3600;
    let (daemon, refusals) = started(
        "[program:p]\ncommand=sh -c 'trap \"\" TERM; while :; do sleep 0.1; done'\nstartsecs=2\nstopwaitsecs=2\n\
         killasgroup=true\nautostart=false\n[program:fails]\ncommand=false\nstartsecs=1\nstartretries=2\n\
         autostart=false\n",
    );
    let mut client = client_of(&daemon);
    for step in [YEAR, -YEAR] {
        let begun = Instant::now();
        daemon.call("supervisor.startProcess", &["p".into(), false.into()]);
        refusals.set(&format!("clock {step} 1 -"));
        daemon.wait_for_state("p", "RUNNING");
        let took = begun.elapsed();
        assert!(took >= Duration::from_millis(1900) && took < Duration::from_secs(8), "{step}: {took:?}");
        others_are_served(&daemon, &mut client);
        let Value::Int(now) = daemon.info("p").0.member("now").cloned().expect("now") else { panic!("no number") };
        let wall = std::time::SystemTime::UNIX_EPOCH.elapsed().expect("a time").as_secs() as i64;
        assert!((now - wall - step).abs() < 100, "{step}: {now} {wall}");
        let begun = Instant::now();
        refusals.clear();
        assert_eq!(daemon.call("supervisor.stopProcess", &["p".into()]), Value::Bool(true));
        let took = begun.elapsed();
        assert!(took >= Duration::from_millis(1900) && took < Duration::from_secs(8), "{step}: {took:?}");
    }
    let begun = Instant::now();
    assert!(daemon.try_call("supervisor.startProcess", &["fails".into()]).is_err());
    refusals.set(&format!("clock {} 1 -", -YEAR));
    daemon.wait_for_state("fails", "FATAL");
    let took = begun.elapsed();
    assert!(took >= Duration::from_millis(2900) && took < Duration::from_secs(15), "{took:?}");
    assert_eq!(daemon.log().matches("spawned: 'fails'").count(), 3);
}

/// At the start: what the daemon can do without, it does without; else it says what is missing.
#[test]
fn the_start() {
    if upstream_differs("other calls are made") {
        return;
    }
    let (setup, refusals) = Refusals::of(Setup::new(QUIET));
    let at = |name: &str| setup.path().join(name).display().to_string();
    for error in [EIO, ENOSPC, EMFILE] {
        refusals.set(&format!("open {error} 1 {}", at("supervisord.log")));
        let (status, _, errors) = setup.run();
        assert_eq!(status, Some(2));
        let reason = std::io::Error::from_raw_os_error(error).to_string();
        let reason = reason.split(" (os").next().unwrap_or_default();
        assert!(errors.contains(&format!("supervisord.log: {reason}")), "{errors}");
    }
    refusals.set(&format!("write {ENOSPC} 1 {}", at("supervisord.pid")));
    let daemon = setup.start();
    daemon.wait_for_log("and without a pidfile: [Errno 28] No space left on device");
    assert_eq!(daemon.text("supervisord.pid"), "", "not half a number");
    others_are_served(&daemon, &mut daemon.connect());
}
