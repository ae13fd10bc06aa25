//! Real programs through Supervisor's states: starts that fail, ends, restarts and stops, seen by a client.

mod support;

use std::time::{Duration, Instant};

use majordomo::base::value::Value;
use support::daemon::{Daemon, Setup};
use support::{QUIET, proc, upstream, upstream_differs, wait_until};

/// Well below the second of a ticking loop, and enough for a busy machine; the daemon needs a hundredth of it.
const AT_ONCE: Duration = Duration::from_millis(700);

fn daemon(programs: &str) -> Daemon {
    Daemon::start(&format!("{QUIET}{programs}"))
}

/// How many lines of the main log have `text`.
fn count(daemon: &Daemon, text: &str) -> usize {
    daemon.log().lines().filter(|line| line.contains(text)).count()
}

/// PROC-016, PROC-017, PROC-028, PROC-111; LOG-028, LOG-030, LOG-032.
#[test]
fn a_crash_loop_backs_off_and_gives_up() {
    let daemon = daemon("[program:crash]\ncommand=/bin/sh -c 'exit 3'\nstartretries=2\n");
    let why = "Exited too quickly (process log may have details)";
    let info = daemon.wait_for_state("crash", "BACKOFF");
    assert_eq!((info.text("spawnerr"), info.text("description"), info.pid()), (why, why, 0));
    let begun = Instant::now();
    let info = daemon.wait_for_state("crash", "FATAL");
    assert!(begun.elapsed() > Duration::from_millis(1500), "the second pause is 2 s");
    assert_eq!((info.text("spawnerr"), info.text("description"), info.number("exitstatus")), (why, why, 0));
    let gave_up = "INFO gave up: crash entered FATAL state, too many start retries too quickly";
    daemon.wait_for_log(gave_up);
    assert_eq!(count(&daemon, "INFO spawned: 'crash' with pid "), 3);
    assert_eq!(count(&daemon, "WARN exited: crash (exit status 3; not expected)"), 3);
    assert_eq!(daemon.messages().last().map(String::as_str), Some(gave_up));
}

/// PROC-015, PROC-029, PROC-042, PROC-043; RPC-050.
#[test]
fn a_command_that_cannot_run_says_why() {
    let programs = "\
[program:missing]\ncommand=/no/such/program --flag\nstartretries=1
[program:nowhere]\ncommand=no-such-program-anywhere\nautostart=false
[program:folder]\ncommand=/usr\nautostart=false
[program:data]\ncommand=%(here)s/data.txt\nautostart=false\n";
    let daemon = Setup::new(&format!("{QUIET}{programs}")).file("data.txt", "no program\n").start();
    let why = "can't find command '/no/such/program'";
    let info = daemon.wait_for_state("missing", "FATAL");
    assert_eq!((info.text("spawnerr"), info.text("description")), (why, why));
    assert_eq!(count(&daemon, &format!("INFO spawnerr: {why}")), 2);
    daemon.wait_for_log("INFO gave up: missing entered FATAL state");
    let data = daemon.file("data.txt");
    for (name, code, text) in [
        ("missing", 20, format!("NO_FILE: {why}")),
        ("nowhere", 20, "NO_FILE: can't find command 'no-such-program-anywhere'".to_string()),
        ("folder", 21, "NOT_EXECUTABLE: command at '/usr' is a directory".to_string()),
        ("data", 21, format!("NOT_EXECUTABLE: command at '{}' is not executable", data.display())),
    ] {
        assert_eq!(daemon.fault("supervisor.startProcess", &[name.into()]), (code, text));
    }
    assert_eq!(daemon.info("nowhere").state(), "STOPPED");
}

/// PROC-016, RPC-053, BUG-040: a first failure is told at once, and an explicit start begins to count anew.
#[test]
fn a_start_that_fails_is_told_to_who_waits() {
    let daemon = daemon("[program:crash]\ncommand=/bin/false\nautostart=false\nstartretries=5\n");
    for _ in 0..3 {
        let begun = Instant::now();
        let fault = daemon.fault("supervisor.startProcess", &["crash".into()]);
        assert_eq!(fault, (50, "SPAWN_ERROR: crash".to_string()));
        assert!(begun.elapsed() < Duration::from_millis(if upstream() { 3000 } else { 900 }));
        assert_eq!(daemon.call("supervisor.stopProcess", &["crash".into()]), Value::Bool(true), "PROC-023");
        assert_eq!(daemon.info("crash").state(), "STOPPED");
    }
}

/// PROC-014, RPC-053, LOG-029: `wait` lasts until RUNNING, that is longer than `startsecs`.
#[test]
fn a_start_waits_for_startsecs() {
    let daemon = daemon("[program:slow]\ncommand=sleep 1000\nautostart=false\nstartsecs=1\n");
    let begun = Instant::now();
    assert_eq!(daemon.call("supervisor.startProcess", &["slow".into()]), Value::Bool(true));
    assert!(begun.elapsed() >= Duration::from_secs(1));
    assert_eq!(daemon.info("slow").state(), "RUNNING");
    daemon.wait_for_log(
        "INFO success: slow entered RUNNING state, process has stayed up for > than 1 seconds (startsecs)",
    );
    let fault = daemon.fault("supervisor.startProcess", &["slow".into()]);
    assert_eq!(fault, (60, "ALREADY_STARTED: slow".to_string()));
}

/// PROC-011, PROC-018, PROC-019: restarted after an unexpected end only, and not more often than once a second.
#[test]
fn autorestart_unexpected() {
    let programs = "\
[program:expected]\ncommand=/bin/sh -c 'exit 2'\nstartsecs=0\nexitcodes=0,2
[program:unexpected]\ncommand=/bin/sh -c 'exit 3'\nstartsecs=0
[program:never]\ncommand=/bin/sh -c 'exit 3'\nstartsecs=0\nautorestart=false\n";
    let daemon = daemon(programs);
    wait_until("four runs", 20, || count(&daemon, "spawned: 'unexpected'") >= 4);
    // By the daemon's own clock: when a child gets to say what time it is depends on the machine.
    let millis = |line: &str| -> Option<i64> {
        let (hours, rest) = line.get(11..23)?.split_once(':')?;
        let (minutes, seconds) = rest.split_once(':')?;
        let seconds: i64 = seconds.replace(',', "").parse().ok()?;
        Some((hours.parse::<i64>().ok()? * 60 + minutes.parse::<i64>().ok()?) * 60_000 + seconds)
    };
    let log = daemon.log();
    let times: Vec<i64> =
        log.lines().filter(|line| line.contains("spawned: 'unexpected'")).filter_map(millis).collect();
    for pair in times.windows(2) {
        let pause = (pair[1] - pair[0]).rem_euclid(24 * 3_600_000);
        assert!(pause < 3_000 && (pause >= 999 || upstream()), "restarted after {pause} ms");
    }
    daemon.wait_for_log("WARN exited: unexpected (exit status 3; not expected)");
    let info = daemon.info("expected");
    assert_eq!((info.state(), info.text("spawnerr"), info.number("exitstatus")), ("EXITED", "", 2));
    assert_eq!(count(&daemon, "INFO exited: expected (exit status 2; expected)"), 1);
    assert_eq!(count(&daemon, "spawned: 'expected'"), 1);
    let info = daemon.info("never");
    assert_eq!((info.state(), info.text("spawnerr"), info.number("exitstatus")), ("EXITED", "Bad exit code 3", 3));
    assert_eq!(count(&daemon, "spawned: 'never'"), 1);
}

/// PROC-011, PROC-018, PROC-027: a child that somebody kills is an unexpected end.
#[test]
fn a_killed_child_is_replaced() {
    let daemon = daemon("[program:victim]\ncommand=sleep 1000\nstartsecs=0\n");
    let pid = daemon.wait_for_state("victim", "RUNNING").pid();
    proc::send(&[pid], "KILL");
    wait_until("a new child", 20, || {
        let info = daemon.info("victim");
        info.state() == "RUNNING" && info.pid() != pid
    });
    daemon.wait_for_log("WARN exited: victim (terminated by SIGKILL; not expected)");
    assert!(!proc::is_alive(pid));
}

/// PROC-020, PROC-021, PROC-022, PROC-027, PROC-034, PROC-064; LOG-031, LOG-033, LOG-034.
#[test]
fn a_stubborn_child_is_killed_after_stopwaitsecs() {
    let daemon = daemon(
        "[program:deaf]\ncommand=/bin/sh -c 'trap \"\" TERM; echo ready; while :; do sleep 0.2; done'\nstopwaitsecs=1
stdout_logfile=%(here)s/deaf.log\nstartsecs=0\n",
    );
    wait_until("its trap", 20, || daemon.text("deaf.log").contains("ready"));
    let pid = daemon.info("deaf").pid();
    let begun = Instant::now();
    assert_eq!(daemon.call("supervisor.stopProcess", &["deaf".into()]), Value::Bool(true));
    let took = begun.elapsed();
    assert!(took >= Duration::from_secs(1), "killed after {took:?}");
    assert!(took < Duration::from_millis(if upstream() { 5000 } else { 1900 }), "killed after {took:?}");
    let info = daemon.info("deaf");
    assert_eq!((info.state(), info.number("exitstatus"), info.pid()), ("STOPPED", -1, 0));
    daemon.wait_for_log(&format!("WARN killing 'deaf' ({pid}) with SIGKILL"));
    daemon.wait_for_log("WARN stopped: deaf (terminated by SIGKILL)");
    daemon.wait_for_log("INFO waiting for deaf to stop");
}

/// PROC-021, PROC-069, CFG-137: the first signal is `stopsignal`; a stop that has begun is not begun again.
#[test]
fn stopsignal_is_sent_once() {
    let script = "trap \"echo usr1; sleep 0.5; exit 0\" USR1; echo ready; while :; do sleep 0.05; done";
    let daemon = daemon(&format!(
        "[program:polite]\ncommand=/bin/sh -c '{script}'\nstopsignal=USR1\nstdout_logfile=%(here)s/out\nstartsecs=0\n"
    ));
    wait_until("its trap", 20, || daemon.text("out").contains("ready"));
    let now = [Value::str("polite"), Value::Bool(false)];
    assert_eq!(daemon.call("supervisor.stopProcess", &now), Value::Bool(true));
    assert_eq!(daemon.info("polite").state(), "STOPPING");
    assert_eq!(daemon.fault("supervisor.stopProcess", &now), (70, "NOT_RUNNING: polite".to_string()));
    daemon.wait_for_state("polite", "STOPPED");
    assert_eq!(daemon.text("out"), "ready\nusr1\n");
    daemon.wait_for_log("INFO stopped: polite (exit status 0)");
}

/// PROC-021: a child that has hardly begun gets its `stopsignal`, also if that dumps core: then when it is its program.
#[test]
fn a_stop_right_after_the_start() {
    if upstream_differs("PROC-021: the daemon's handler in the new child may take the signal") {
        return;
    }
    const TIMES: usize = 20;
    let daemon = daemon("[program:quick]\ncommand=sleep 1000\nautostart=false\nstartsecs=0\nstopsignal=QUIT\n");
    let call = |method: &str, wait: bool| {
        let params = Value::Array(vec!["quick".into(), Value::Bool(wait)]);
        Value::Struct(vec![("methodName".into(), method.into()), ("params".into(), params)])
    };
    let both = Value::Array(vec![call("supervisor.startProcess", false), call("supervisor.stopProcess", true)]);
    for _ in 0..TIMES {
        let done = daemon.call("system.multicall", std::slice::from_ref(&both));
        assert_eq!(done, Value::Array(vec![Value::Bool(true), Value::Bool(true)]));
    }
    daemon.wait_for_log("WARN stopped: quick (terminated by SIGQUIT");
    assert_eq!(count(&daemon, "WARN stopped: quick (terminated by SIG"), TIMES);
    assert_eq!(count(&daemon, "WARN killing 'quick'"), 0, "a signal was lost");
}

/// PROC-062, PROC-066: without `stopasgroup` a grandchild survives, with it the whole group gets the signal.
#[test]
fn stopasgroup() {
    let script = "sleep 1000 & echo $!; wait";
    let programs = format!(
        "[program:alone]\ncommand=/bin/sh -c '{script}'\nstdout_logfile=%(here)s/alone
[program:together]\ncommand=/bin/sh -c '{script}'\nstopasgroup=true\nstdout_logfile=%(here)s/together
[program:killed]\ncommand=/bin/sh -c 'trap \"\" TERM; {script}; wait; sleep 1000'\nkillasgroup=true\nstopwaitsecs=1
stdout_logfile=%(here)s/killed\n"
    );
    let daemon = daemon(&programs);
    let grandchild = |name: &str| {
        wait_until("the grandchild's number", 20, || daemon.text(name).ends_with('\n'));
        daemon.text(name).trim().parse::<i64>().expect("a number")
    };
    for (name, survives) in [("alone", true), ("together", false), ("killed", false)] {
        let grandchild = grandchild(name);
        assert!(proc::is_alive(grandchild));
        assert_eq!(daemon.call("supervisor.stopProcess", &[name.into()]), Value::Bool(true));
        if survives {
            assert!(proc::is_alive(grandchild), "{name}");
        } else {
            wait_until("the grandchild's end", 20, || !proc::is_alive(grandchild));
        }
    }
}

/// CFG-129, CFG-130 and PROC-080: several processes of one program are a group.
#[test]
fn numprocs() {
    let daemon = daemon(
        "[program:many]\ncommand=/bin/sh -c 'echo number %(process_num)d; exec sleep 1000'\nnumprocs=3\nstartsecs=0
numprocs_start=5\nprocess_name=%(program_name)s_%(process_num)02d\nstdout_logfile=%(here)s/%(process_num)d.log\n",
    );
    for number in 5..8 {
        let info = daemon.wait_for_state(&format!("many:many_0{number}"), "RUNNING");
        assert_eq!((info.text("group"), info.text("name")), ("many", format!("many_0{number}").as_str()));
        wait_until("its output", 20, || daemon.text(&format!("{number}.log")) == format!("number {number}\n"));
    }
    let Value::Array(results) = daemon.call("supervisor.stopProcess", &["many:*".into()]) else { panic!("no array") };
    assert_eq!(results.len(), 3);
    for result in results {
        assert_eq!((result.member("status"), result.member("description")), (Some(&80.into()), Some(&"OK".into())));
    }
}

/// BUG-006, PROC-018, PROC-067, RPC-055: many ends at one moment; none is lost and none stays a zombie.
#[test]
fn two_hundred_short_lives_at_once() {
    let daemon = daemon(
        "[program:brief]\ncommand=/bin/echo number %(process_num)d\nnumprocs=200\nautostart=false\nautorestart=false
process_name=%(process_num)d\nstartsecs=0\nstdout_logfile=%(here)s/brief-%(process_num)d.log
stderr_logfile=NONE\n",
    );
    let Value::Array(results) = daemon.call("supervisor.startAllProcesses", &[false.into()]) else {
        panic!("no array")
    };
    assert_eq!(results.len(), 200);
    assert!(results.iter().all(|result| result.member("status") == Some(&80.into())), "{results:?}");
    wait_until("all ends", 20, || {
        let Value::Array(infos) = daemon.call("supervisor.getAllProcessInfo", &[]) else { panic!("no array") };
        infos.iter().filter(|info| info.member("statename") == Some(&"EXITED".into())).count() == 200
    });
    for number in 0..200 {
        assert_eq!(daemon.text(&format!("brief-{number}.log")), format!("number {number}\n"));
    }
    assert_eq!(proc::children(daemon.pid()), Vec::<i64>::new());
    assert_eq!(count(&daemon, "(exit status 0; expected)"), 200);
    assert_eq!(count(&daemon, "reaped unknown pid"), 0);
}

/// PROC-067, TWID-091: whoever sees a process EXITED finds all its output in the log.
#[test]
fn output_is_there_when_the_end_is() {
    let daemon = daemon(
        "[program:talk]\ncommand=/bin/sh -c 'for i in 1 2 3 4 5 6 7 8 9; do echo line $i; done; echo bye >&2'
autostart=false\nautorestart=false\nstartsecs=0\n",
    );
    let expected: String = (1..10).map(|number| format!("line {number}\n")).collect();
    for round in 1..=if upstream() { 3 } else { 30 } {
        daemon.call("supervisor.startProcess", &["talk".into()]);
        daemon.wait_for_state("talk", "EXITED");
        let read = |method: &str| daemon.call(method, &["talk".into(), 0.into(), 0.into()]);
        assert_eq!(read("supervisor.readProcessStdoutLog"), Value::Str(expected.repeat(round)), "round {round}");
        assert_eq!(read("supervisor.readProcessStderrLog"), Value::Str("bye\n".repeat(round)), "round {round}");
    }
}

/// PROC-068: what a grandchild writes when the program has ended is lost, and the grandchild is told.
#[test]
fn a_grandchild_that_writes_too_late() {
    let script = "(until [ -e over ]; do sleep 0.02; done; echo late; echo $? >result) & echo early";
    let daemon = daemon(&format!(
        "[program:parent]\ncommand=/bin/sh -c '{script}'\nstartsecs=0\nautorestart=false\nstdout_logfile=%(here)s/out\n"
    ));
    daemon.wait_for_state("parent", "EXITED");
    std::fs::write(daemon.file("over"), "").expect("a sign");
    wait_until("the grandchild's result", 20, || daemon.text("result").ends_with('\n'));
    assert_ne!(daemon.text("result"), "0\n", "its echo must have failed");
    assert_eq!(daemon.text("out"), "early\n");
}

/// LOG-049, PROC-100, PROC-103: ten million bytes of every kind arrive as they are, while clients are served.
#[test]
fn large_output_arrives_byte_for_byte() {
    let mut state = 1_u32;
    let bytes: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    })
    .take(10_000_000)
    .collect();
    let programs = "[program:big]\ncommand=cat %(here)s/big.bin\nautostart=false\nautorestart=false\nstartsecs=0
stdout_logfile=%(here)s/big.log\nstdout_logfile_maxbytes=0\n";
    let daemon = daemon(programs);
    std::fs::write(daemon.file("big.bin"), &bytes).expect("its input");
    daemon.call("supervisor.startProcess", &["big".into()]);
    let info = daemon.wait_for_state("big", "EXITED");
    assert_eq!(info.number("exitstatus"), 0);
    let logged = std::fs::read(daemon.file("big.log")).expect("the log");
    assert_eq!(logged.len(), bytes.len());
    assert!(logged == bytes, "the log differs from what was written");
}

/// CFG-144 and LOG-048: `redirect_stderr` sends both into one log, in the order written.
#[test]
fn redirect_stderr() {
    let script = "echo one; echo two >&2; echo three";
    let daemon = daemon(&format!(
        "[program:apart]\ncommand=/bin/sh -c '{script}'\nstartsecs=0\nautorestart=false
[program:joined]\ncommand=/bin/sh -c '{script}'\nstartsecs=0\nautorestart=false\nredirect_stderr=true\n"
    ));
    let apart = daemon.wait_for_state("apart", "EXITED");
    let read = |path: &str| std::fs::read_to_string(path).expect("a log");
    assert_eq!(read(apart.text("stdout_logfile")), "one\nthree\n");
    assert_eq!(read(apart.text("stderr_logfile")), "two\n");
    let joined = daemon.wait_for_state("joined", "EXITED");
    assert_eq!(read(joined.text("stdout_logfile")), "one\ntwo\nthree\n");
    assert_eq!(joined.text("stderr_logfile"), "");
}

/// BUG-001, BUG-002, PROC-034: started at once, ended at once, without any tick.
#[test]
fn everything_happens_at_once() {
    if upstream_differs("BUG-001, BUG-002: a loop of 1 s") {
        return;
    }
    let daemon = daemon("[program:quick]\ncommand=sleep 1000\nstartsecs=0\n");
    daemon.wait_for_state("quick", "RUNNING");
    for signal in ["KILL", "TERM"] {
        let pid = daemon.info("quick").pid();
        let begun = Instant::now();
        proc::send(&[pid], signal);
        wait_until("its end in the log", 20, || count(&daemon, &format!("(terminated by SIG{signal};")) == 1);
        assert!(begun.elapsed() < AT_ONCE, "seen after {:?}", begun.elapsed());
        assert_ne!(daemon.wait_for_state("quick", "RUNNING").pid(), pid);
    }
    let begun = Instant::now();
    daemon.call("supervisor.stopProcess", &["quick".into()]);
    assert!(begun.elapsed() < AT_ONCE, "stopped after {:?}", begun.elapsed());
}
