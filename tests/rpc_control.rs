//! Starting, stopping and signalling by XML-RPC (rpc.md, section 4), and answers that come later.

mod pure;

use majordomo::base::errno::Errno;
use majordomo::base::value::Value;
use majordomo::base::words::State;
use majordomo::config::spec::Autorestart;
use majordomo::world::host::SpawnError;
use pure::{Rig, a, b, done, entry, group, i, idle, plain, program, s, solo, st, yes};

const START: &str = "supervisor.startProcess";
const STOP: &str = "supervisor.stopProcess";
const SIGNAL: &str = "supervisor.signalProcess";

fn start(rig: &mut Rig, name: &str) {
    rig.get(START, vec![s(name), b(false)]);
}

/// A group `g` with one member of each kind, and `p` alone.
fn some() -> Rig {
    Rig::new(vec![
        group("g", 5, vec![program("one", |spec| spec.priority = 2), program("two", |spec| spec.priority = 1)]),
        solo(plain("p")),
    ])
}

#[test]
fn rpc_050_checks_in_order() {
    let mut rig = Rig::new(vec![
        solo(program("missing", |spec| spec.command = "/bin/nothing".into())),
        solo(program("directory", |spec| spec.command = "/x/directory".into())),
        solo(program("broken", |spec| spec.command = "'".into())),
        solo(program("p", |spec| spec.startsecs = 5)),
        group("g", 1, vec![idle("p")]),
    ]);
    for name in ["nobody", "g:nobody", "nobody:p", "nobody:*", "nobody:", "", " p"] {
        assert_eq!(rig.fault(START, vec![s(name)]), (10, format!("BAD_NAME: {name}")));
    }
    let missing = (20, "NO_FILE: can't find command '/bin/nothing'".to_string());
    assert_eq!(rig.fault(START, vec![s("missing")]), missing);
    rig.begin();
    assert_eq!(rig.state("missing"), State::Backoff);
    // The command comes before the state.
    assert_eq!(rig.fault(START, vec![s("missing")]), missing);
    let directory = (21, "NOT_EXECUTABLE: command at '/x/directory' is a directory".to_string());
    assert_eq!(rig.fault(START, vec![s("directory")]), directory);
    let broken = "NOT_EXECUTABLE: can't parse command \"'\": No closing quotation";
    assert_eq!(rig.fault(START, vec![s("broken")]), (21, broken.to_string()));
    // STARTING, RUNNING, BACKOFF, then STOPPING. The fault shows the name as given.
    let started = |name: &str| (60, format!("ALREADY_STARTED: {name}"));
    assert_eq!(rig.fault(START, vec![s("p:p")]), started("p:p"));
    rig.pass_secs(5);
    assert_eq!(rig.fault(START, vec![s("p")]), started("p"));
    rig.get(STOP, vec![s("p"), b(false)]);
    // BUG-041.
    for wait in [true, false] {
        let fault = rig.fault(START, vec![s("p"), b(wait)]);
        assert_eq!(fault, (40, "ABNORMAL_TERMINATION: p".to_string()));
    }
    rig.die("p", 15);
    start(&mut rig, "p");
    rig.exit_code("p", 1);
    assert_eq!(rig.fault(START, vec![s("p")]), started("p"));
}

#[test]
fn rpc_051_a_spawn_error_is_noticed_at_once() {
    for wait in [true, false] {
        let mut rig = Rig::new(vec![solo(idle("p"))]);
        rig.host.spawn_error = Some(SpawnError::Fork(Errno::EAGAIN));
        assert_eq!(rig.fault(START, vec![s("p"), b(wait)]), (50, "SPAWN_ERROR: p".to_string()));
        assert_eq!(rig.state("p"), State::Backoff);
    }
}

#[test]
fn rpc_052_without_waiting_the_fork_is_enough() {
    let mut rig = Rig::new(vec![solo(idle("p"))]);
    // RPC-004: anything by its truth.
    assert_eq!(rig.get(START, vec![s("p"), i(0)]), yes());
    assert_eq!(rig.state("p"), State::Starting);
}

#[test]
fn rpc_053_a_start_is_waited_for() {
    // RPC-007: the answer is withheld.
    let mut rig = Rig::new(vec![solo(idle("p"))]);
    let mut waiting = rig.wait(START, vec![s("p")]);
    rig.pass_ms(999);
    assert_eq!(rig.poll(&mut waiting), None);
    rig.pass_ms(1);
    assert_eq!(rig.poll(&mut waiting), Some(Ok(yes())));

    // The first failure is the answer, although retries go on.
    let mut rig = Rig::new(vec![solo(idle("p"))]);
    let mut waiting = rig.wait(START, vec![s("p"), yes()]);
    rig.exit_code("p", 0);
    let text = |answer: Option<Result<Value, majordomo::base::words::Fault>>| answer.map(|a| a.map_err(|f| f.text));
    assert_eq!(text(rig.poll(&mut waiting)), Some(Err("SPAWN_ERROR: p".into())));
    assert_eq!(rig.state("p"), State::Backoff);

    // Stopped by somebody else meanwhile, and removed.
    let mut rig = Rig::new(vec![solo(idle("p"))]);
    let (mut one, mut two) = (rig.wait(START, vec![s("p")]), None);
    rig.get(STOP, vec![s("p"), b(false)]);
    assert_eq!(text(rig.poll(&mut one)), Some(Err("ABNORMAL_TERMINATION: p".into())));
    rig.die("p", 15);
    two.replace(rig.wait(START, vec![s("p")]));
    rig.get(STOP, vec![s("p"), b(false)]);
    rig.die("p", 15);
    rig.get("supervisor.removeProcessGroup", vec![s("p")]);
    assert_eq!(two.and_then(|mut two| text(rig.poll(&mut two))), Some(Err("ABNORMAL_TERMINATION: p".into())));
}

#[test]
fn rpc_053_startsecs_0_is_running_at_once() {
    let mut rig = Rig::new(vec![solo(program("p", |spec| (spec.startsecs, spec.autostart) = (0, false)))]);
    assert_eq!(rig.get(START, vec![s("p")]), yes());
    assert_eq!(rig.state("p"), State::Running);
}

#[test]
fn rpc_054_055_and_059_many_starts() {
    // PROC-071: by group priority, then member priority; RPC-060: structs.
    let with = |name, priority, startsecs| {
        program(name, |spec| (spec.priority, spec.startsecs, spec.autostart) = (priority, startsecs, false))
    };
    let missing = program("missing", |spec| (spec.command, spec.autostart) = ("/bin/nothing".into(), false));
    let mut rig = Rig::new(vec![
        group("late", 9, vec![with("slow", 1, 5)]),
        group("early", 1, vec![with("b", 2, 2), with("a", 1, 3), missing, with("instant", 1000, 0)]),
        solo(plain("up")),
    ]);
    start(&mut rig, "up");
    let mut waiting = rig.wait("supervisor.startAllProcesses", vec![]);
    // All are launched before anybody is waited for, a few each time.
    (0..3).for_each(|_| assert_eq!(rig.poll(&mut waiting), None));
    assert_eq!(rig.spawned(), ["up", "a", "b", "instant", "slow"]);
    for secs in [2, 1, 1] {
        rig.pass_secs(secs);
        assert_eq!(rig.poll(&mut waiting), None);
    }
    rig.pass_secs(1);
    let expected = a(vec![
        // Decided at launch, in launch order; then as they complete. "up" is left out.
        entry("early", "missing", 20, "NO_FILE: can't find command '/bin/nothing'"),
        done("early", "instant"),
        done("early", "b"),
        done("early", "a"),
        done("late", "slow"),
    ]);
    assert_eq!(rig.poll(&mut waiting), Some(Ok(expected)));
    // One group only; nothing left to start but the broken one.
    let broken = entry("early", "missing", 20, "NO_FILE: can't find command '/bin/nothing'");
    assert_eq!(rig.get("supervisor.startProcessGroup", vec![s("early")]), a(vec![broken.clone()]));
    assert_eq!(rig.get(START, vec![s("early:*"), b(false)]), a(vec![broken]));
    assert_eq!(rig.fault("supervisor.startProcessGroup", vec![s("nobody")]), (10, "BAD_NAME: nobody".to_string()));
}

#[test]
fn rpc_054_members_that_end_otherwise() {
    let mut rig = some();
    rig.begin();
    rig.pass_secs(1);
    rig.get(STOP, vec![s("g:one"), b(false)]);
    // BUG-041; the display form in the text (RPC-060, PROC-080).
    let refused = entry("g", "one", 40, "ABNORMAL_TERMINATION: g:one");
    assert_eq!(rig.get("supervisor.startProcessGroup", vec![s("g")]), a(vec![refused]));
    rig.get("supervisor.stopProcessGroup", vec![s("p"), b(false)]);
    rig.die("p", 15);
    rig.host.spawn_error = Some(SpawnError::Pipe(Errno::EMFILE));
    let refused = entry("p", "p", 50, "SPAWN_ERROR: p");
    assert_eq!(rig.get("supervisor.startProcessGroup", vec![s("p"), b(false)]), a(vec![refused]));
}

#[test]
fn rpc_056_a_stop_is_waited_for() {
    let mut rig = some();
    let stopped = |name: &str| (70, format!("NOT_RUNNING: {name}"));
    assert_eq!(rig.fault(STOP, vec![s("p")]), stopped("p"));
    assert_eq!(rig.fault(STOP, vec![s("nobody")]), (10, "BAD_NAME: nobody".to_string()));
    assert_eq!(rig.fault(STOP, vec![s("nobody:*")]), (10, "BAD_NAME: nobody:*".to_string()));
    rig.begin();
    let mut waiting = rig.wait(STOP, vec![s("p")]);
    // PROC-069.
    assert_eq!(rig.fault(STOP, vec![s("p")]), stopped("p"));
    rig.pass_secs(7);
    assert_eq!(rig.poll(&mut waiting), None);
    rig.die("p", 15);
    assert_eq!(rig.poll(&mut waiting), Some(Ok(yes())));
    // BACKOFF: at once (PROC-023).
    start(&mut rig, "p");
    rig.exit_code("p", 1);
    assert_eq!(rig.get(STOP, vec![s("p")]), yes());
    assert_eq!(rig.state("p"), State::Stopped);
    assert_eq!(rig.log().last().map(String::as_str), Some("DEBG Attempted to kill p, which is in BACKOFF state."));
}

#[test]
fn rpc_056_a_stop_is_over_although_somebody_starts_again() {
    let mut rig = some();
    rig.begin();
    rig.pass_ms(1);
    let mut waiting = rig.wait(STOP, vec![s("p")]);
    rig.die("p", 15);
    start(&mut rig, "p");
    assert_eq!(rig.poll(&mut waiting), Some(Ok(yes())));
    // An EXITED process that waits for its restart is not running.
    let mut rig = Rig::one(|spec| (spec.startsecs, spec.autorestart) = (0, Autorestart::Always));
    rig.begin();
    rig.pass_ms(1);
    rig.exit_code("p", 0);
    assert_eq!(rig.fault(STOP, vec![s("p")]), (70, "NOT_RUNNING: p".into()));
    let mut rig = some();
    rig.begin();
    let mut gone = rig.wait(STOP, vec![s("p")]);
    rig.die("p", 15);
    rig.get("supervisor.removeProcessGroup", vec![s("p")]);
    assert_eq!(rig.poll(&mut gone), Some(Ok(yes())));
}

#[test]
fn proc_064_a_stop_that_is_waited_for_is_reported() {
    let mut rig = Rig::one(|spec| {
        spec.stopwaitsecs = 60;
        spec.command = "/bin/stubborn".into();
    });
    rig.begin();
    rig.pass_secs(1);
    let mut waiting = rig.wait(STOP, vec![s("p")]);
    let reports = |rig: &mut Rig| rig.news().iter().filter(|line| *line == "INFO waiting for p to stop").count();
    assert_eq!(reports(&mut rig), 1, "at once");
    rig.pass_ms(1_999);
    rig.poll(&mut waiting);
    assert_eq!(reports(&mut rig), 0, "at most every 2 s");
    // Whoever waits is told to look again, although no process changed.
    let before = rig.world.changes();
    rig.pass_ms(1);
    assert_ne!(rig.world.changes(), before);
    rig.poll(&mut waiting);
    assert_eq!(reports(&mut rig), 1);
    rig.pass_secs(2);
    rig.poll(&mut waiting);
    assert_eq!(reports(&mut rig), 1);
    // Without anybody who waits it is quiet.
    drop(waiting);
    rig.pass_secs(10);
    assert_eq!(reports(&mut rig), 0);
}

#[test]
fn rpc_057_and_058_many_stops() {
    // PROC-072, BUG-053: in ascending order, like starts.
    let mut rig = some();
    rig.begin();
    rig.kills();
    let pids = [rig.pid("g:two"), rig.pid("g:one"), rig.pid("p")];
    let mut waiting = rig.wait("supervisor.stopAllProcesses", vec![]);
    assert_eq!(rig.kills(), pids.map(|pid| (pid, 15)));
    rig.die("p", 15);
    assert_eq!(rig.poll(&mut waiting), None);
    rig.die("g:one", 15);
    rig.poll(&mut waiting);
    rig.die("g:two", 15);
    let expected = a(vec![done("p", "p"), done("g", "one"), done("g", "two")]);
    assert_eq!(rig.poll(&mut waiting), Some(Ok(expected)));
    // PROC-083: nothing to do is an empty array.
    assert_eq!(rig.get("supervisor.stopAllProcesses", vec![]), a(vec![]));
    assert_eq!(rig.get("supervisor.stopProcessGroup", vec![s("g")]), a(vec![]));
    assert_eq!(rig.fault("supervisor.stopProcessGroup", vec![s("x")]), (10, "BAD_NAME: x".into()));
    start(&mut rig, "g:one");
    // RPC-056: `group:*` and `group:`; members that don't run are left out.
    assert_eq!(rig.get(STOP, vec![s("g:"), b(false)]), a(vec![done("g", "one")]));
    assert_eq!(rig.get(STOP, vec![s("g:*"), b(false)]), a(vec![]), "STOPPING is not running");
}

#[test]
fn rpc_058_a_stop_that_fails_is_a_result() {
    let mut rig = some();
    rig.begin();
    let pid = rig.pid("g:one");
    rig.get(STOP, vec![s("g:two"), b(false)]);
    rig.host.kill_error = Some(Errno::EPERM);
    let text = format!("FAILED: unknown problem killing one ({pid}):[Errno 1] Operation not permitted");
    let results = rig.get("supervisor.stopProcessGroup", vec![s("g")]);
    assert_eq!(results, a(vec![entry("g", "one", 30, &text)]));
}

#[test]
fn rpc_061_signals() {
    let mut rig = some();
    assert_eq!(rig.fault(SIGNAL, vec![s("nobody"), s("bogus")]), (10, "BAD_NAME: nobody".into()));
    // The signal comes before the state.
    for (signal, shown) in [(s("bogus"), "bogus"), (i(77), "77"), (s(" 99 "), " 99 "), (s(""), ""), (i(-1), "-1")] {
        assert_eq!(rig.fault(SIGNAL, vec![s("p"), signal]), (11, format!("BAD_SIGNAL: {shown}")));
    }
    assert_eq!(rig.fault(SIGNAL, vec![s("p"), s("HUP")]), (70, "NOT_RUNNING: p".into()));
    // RPC-004.
    for odd in [a(vec![i(1)]), Value::Nil, st(&[])] {
        // The name comes first.
        assert_eq!(rig.fault(SIGNAL, vec![s("nobody"), odd.clone()]), (10, "BAD_NAME: nobody".into()));
        assert_eq!(rig.fault(SIGNAL, vec![s("p"), odd]), (2, "INCORRECT_PARAMETERS".into()));
    }
    for (signal, shown) in
        [(Value::Double(-2.7), "-2.7"), (Value::Double(1e20), "1e+20"), (Value::Double(f64::NAN), "nan")]
    {
        assert_eq!(rig.fault(SIGNAL, vec![s("p"), signal]), (11, format!("BAD_SIGNAL: {shown}")));
    }
    rig.begin();
    let pid = rig.pid("p");
    rig.kills();
    for (signal, number) in [
        (s("hup"), 1),
        (s("SIGUSR1"), 10),
        (i(18), 18),
        (s(" 28 "), 28),
        (i(0), 0),
        (b(true), 1),
        (b(false), 0),
        (Value::Double(10.9), 10),
    ] {
        assert_eq!(rig.get(SIGNAL, vec![s("p"), signal]), yes());
        assert_eq!(rig.kills(), [(pid, number)]);
    }
    // STOPPING takes signals, BACKOFF doesn't.
    rig.get(STOP, vec![s("p"), b(false)]);
    assert_eq!(rig.get(SIGNAL, vec![s("p"), s("HUP")]), yes());
    rig.exit_code("g:one", 1);
    assert_eq!(rig.fault(SIGNAL, vec![s("g:one"), s("HUP")]), (70, "NOT_RUNNING: g:one".into()));
    assert_eq!(rig.get(SIGNAL, vec![s("g:*"), s("HUP")]), a(vec![done("g", "two")]));
}

#[test]
fn rpc_062_and_063_signals_to_many() {
    // Also RPC-063.
    let mut rig = some();
    assert_eq!(rig.get("supervisor.signalAllProcesses", vec![s("HUP")]), a(vec![]));
    rig.begin();
    let all = a(vec![done("g", "two"), done("g", "one"), done("p", "p")]);
    assert_eq!(rig.get("supervisor.signalAllProcesses", vec![i(1)]), all);
    let bad = |name| entry("g", name, 11, "BAD_SIGNAL: bogus");
    let results = rig.get("supervisor.signalProcessGroup", vec![s("g"), s("bogus")]);
    assert_eq!(results, a(vec![bad("two"), bad("one")]));
    assert_eq!(rig.fault("supervisor.signalProcessGroup", vec![s("x"), s("HUP")]), (10, "BAD_NAME: x".to_string()));
}

#[test]
fn rpc_064_stdin() {
    let send = "supervisor.sendProcessStdin";
    let mut rig = some();
    // Not a string: before the name. As Python shows it.
    for (value, shown) in [
        (i(5), "5"),
        (Value::Double(1.5), "1.5"),
        (Value::Double(1e20), "1e+20"),
        (b(true), "True"),
        (a(vec![i(1), s("x"), st(&[("a", Value::Nil)])]), "[1, 'x', {'a': None}]"),
    ] {
        let fault = rig.fault(send, vec![s("nobody"), value]);
        assert_eq!(fault, (2, format!("INCORRECT_PARAMETERS: {shown}")));
    }
    assert_eq!(rig.fault(send, vec![s("nobody"), Value::Nil]), (2, "INCORRECT_PARAMETERS".into()));
    for name in ["nobody", "g:*"] {
        assert_eq!(rig.fault(send, vec![s(name), s("x")]), (10, format!("BAD_NAME: {name}")));
    }
    rig.begin();
    let who = rig.who("p");
    rig.host.child_of(who).expect("a child").stdin_room = Some(0);
    // Text as UTF-8, base64 as it is.
    assert_eq!(rig.get(send, vec![s("p"), s("é")]), yes());
    assert_eq!(rig.get(send, vec![s("p"), Value::Bytes(vec![0xff, 0])]), yes());
    assert_eq!(rig.process("p").stdin.as_slice(), b"\xc3\xa9\xff\x00");
    rig.exit_code("p", 1);
    assert_eq!(rig.fault(send, vec![s("p"), s("x")]), (70, "NOT_RUNNING: p".into()));
}

#[test]
fn rpc_171_a_multicall_waits_for_each_in_turn() {
    let mut rig = some();
    rig.begin();
    rig.pass_secs(1);
    let call = |method: &str, name: &str| st(&[("methodName", s(method)), ("params", a(vec![s(name)]))]);
    let calls = a(vec![call(STOP, "p"), call(START, "p"), call(STOP, "nobody"), call(STOP, "g:one")]);
    let mut waiting = rig.wait("system.multicall", vec![calls]);
    assert_eq!((rig.state("p"), rig.state("g:one")), (State::Stopping, State::Running));
    rig.die("p", 15);
    assert_eq!(rig.poll(&mut waiting), None);
    assert_eq!((rig.state("p"), rig.state("g:one")), (State::Starting, State::Running));
    rig.pass_secs(1);
    assert_eq!(rig.poll(&mut waiting), None);
    assert_eq!((rig.state("p"), rig.state("g:one")), (State::Running, State::Stopping));
    rig.die("g:one", 15);
    let fault = st(&[("faultCode", i(10)), ("faultString", s("BAD_NAME: nobody"))]);
    assert_eq!(rig.poll(&mut waiting), Some(Ok(a(vec![yes(), yes(), fault, yes()]))));
}

#[test]
fn rpc_177_gating_is_per_inner_call() {
    // RPC-008: what was begun before goes on.
    let mut rig = some();
    rig.begin();
    rig.pass_secs(1);
    let call = |method: &str, params| st(&[("methodName", s(method)), ("params", a(params))]);
    let mut waiting = rig.wait(
        "system.multicall",
        vec![a(vec![call(STOP, vec![s("p")]), call("supervisor.getState", vec![]), call("cache.getCount", vec![])])],
    );
    rig.get("supervisor.shutdown", vec![]);
    rig.die("p", 15);
    let gated = st(&[("faultCode", i(6)), ("faultString", s("SHUTDOWN_STATE"))]);
    assert_eq!(rig.poll(&mut waiting), Some(Ok(a(vec![yes(), gated.clone(), gated]))));
}
