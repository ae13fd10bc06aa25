//! The state machine alone: steps and moments in, acts out (process.md, sections 1, 2 and 5).

mod pure;

use majordomo::base::errno::Errno;
use majordomo::base::time::{Mono, Now, Wall};
use majordomo::base::words::{Exit, Mood, State};
use majordomo::config::spec::Autorestart;
use majordomo::world::life::Step;
use pure::one::One;

const SEC: u64 = 1_000_000_000;

const CODE_0: Step = Step::Exited(Exit::Code(0));
const CODE_1: Step = Step::Exited(Exit::Code(1));
const KILLED: Step = Step::Exited(Exit::Signal { signal: 9, core: false });

#[test]
fn proc_010_autostart_starts_what_never_ran() {
    let mut one = One::new(|_| {});
    assert_eq!(one.step(Step::Autostart), ["STOPPED>STARTING", "spawn"]);
    assert_eq!(one.life.start(), Some(one.now().wall));
    one.step(Step::Spawned(7));
    one.step(Step::Stop);
    one.step(KILLED);
    assert_eq!(one.life.state(), State::Stopped);
    assert!(one.step(Step::Autostart).is_empty());
    assert!(One::new(|spec| spec.autostart = false).step(Step::Autostart).is_empty());
    let mut late = One::new(|_| {});
    late.mood = Mood::Shutdown;
    assert!(late.step(Step::Autostart).is_empty());
}

#[test]
fn proc_011_and_018_exits_decide_about_a_restart() {
    let cases = [
        (Autorestart::Never, CODE_1, false, "WARN exited: p (exit status 1; not expected)"),
        (Autorestart::Never, CODE_0, false, "INFO exited: p (exit status 0; expected)"),
        (Autorestart::Always, CODE_0, true, "INFO exited: p (exit status 0; expected)"),
        (Autorestart::Unexpected, CODE_0, false, "INFO exited: p (exit status 0; expected)"),
        (Autorestart::Unexpected, CODE_1, true, "WARN exited: p (exit status 1; not expected)"),
        (Autorestart::Unexpected, KILLED, true, "WARN exited: p (terminated by SIGKILL; not expected)"),
    ];
    for (autorestart, exit, again, line) in cases {
        let mut one = One::new(|spec| spec.autorestart = autorestart);
        one.run();
        one.ms += 5_000;
        let expected = line.ends_with("; expected)");
        let status = if exit == KILLED { -1 } else { i32::from(exit == CODE_1) };
        assert_eq!(one.step(exit), ["RUNNING>EXITED", line]);
        assert_eq!(one.life.exitstatus(), Some(status));
        assert_eq!(one.life.stop(), Some(one.now().wall));
        assert_eq!(one.life.pid(), None);
        assert_eq!(one.life.spawnerr(), if expected { String::new() } else { format!("Bad exit code {status}") });
        // It lived longer than a second, so nothing is waited for (PROC-019).
        assert_eq!(one.due_in_ms(), again.then_some(0), "{line}");
        let next = one.step(Step::Due);
        assert_eq!(next, if again { vec!["EXITED>STARTING", "spawn"] } else { vec![] });
    }
}

#[test]
fn proc_018_exitcodes_are_what_is_expected() {
    let mut one = One::new(|spec| spec.exitcodes = vec![1, 3]);
    one.run();
    assert_eq!(one.step(CODE_1), ["RUNNING>EXITED", "INFO exited: p (exit status 1; expected)"]);
    let mut one = One::new(|spec| spec.exitcodes = vec![1, 3]);
    one.run();
    assert_eq!(one.step(CODE_0), ["RUNNING>EXITED", "WARN exited: p (exit status 0; not expected)"]);
    assert_eq!(one.life.spawnerr(), "Bad exit code 0");
}

#[test]
fn proc_019_restarts_are_a_second_apart_from_spawn_to_spawn() {
    let mut one = One::new(|spec| {
        spec.startsecs = 0;
        spec.autorestart = Autorestart::Always;
    });
    for _ in 0..3 {
        if one.life.pid().is_none() && one.life.state() == State::Stopped {
            one.start();
        }
        one.step(Step::Due);
        one.ms += 300;
        one.step(CODE_0);
        assert_eq!(one.due_in_ms(), Some(700));
        one.ms += 699;
        assert!(one.step(Step::Due).is_empty(), "too early");
        one.ms += 1;
        assert_eq!(one.step(Step::Due), ["EXITED>STARTING", "spawn"]);
        one.step(Step::Spawned(7));
    }
}

#[test]
fn proc_012_and_028_retries_come_after_1_2_and_3_seconds() {
    // PROC-015, PROC-016, PROC-017.
    let mut one = One::new(|_| {});
    assert_eq!(one.step(Step::Autostart), ["STOPPED>STARTING", "spawn"]);
    for (attempt, wait) in [(1, 1_000), (2, 2_000), (3, 3_000)] {
        one.step(Step::Spawned(7));
        one.ms += 10;
        let said = one.step(CODE_0);
        assert_eq!(said, ["STARTING>BACKOFF", "WARN exited: p (exit status 0; not expected)"]);
        assert_eq!(one.life.spawnerr(), "Exited too quickly (process log may have details)");
        assert_eq!((one.life.exitstatus(), one.life.backoff()), (None, attempt));
        assert_eq!(one.due_in_ms(), Some(wait));
        one.ms += wait as u64 - 1;
        assert!(one.step(Step::Due).is_empty());
        one.ms += 1;
        assert_eq!(one.step(Step::Due), ["BACKOFF>STARTING", "spawn"]);
        assert_eq!(one.life.spawnerr(), "");
    }
    one.step(Step::Spawned(7));
    // PROC-017: the fourth failure of startretries=3 is the last.
    assert_eq!(
        one.step(KILLED),
        [
            "STARTING>BACKOFF",
            "WARN exited: p (terminated by SIGKILL; not expected)",
            "BACKOFF>FATAL",
            "INFO gave up: p entered FATAL state, too many start retries too quickly",
        ]
    );
    assert_eq!((one.life.backoff(), one.life.deadline()), (0, None));
    assert_eq!(one.life.spawnerr(), "Exited too quickly (process log may have details)");
}

#[test]
fn proc_028_without_retries_the_first_failure_is_the_end() {
    let mut one = One::new(|spec| spec.startretries = 0);
    one.start();
    one.step(CODE_1);
    assert_eq!(one.life.state(), State::Fatal);
}

#[test]
fn proc_013_an_explicit_start_begins_to_count_anew() {
    // BUG-040.
    let mut one = One::new(|_| {});
    one.start();
    one.step(CODE_1);
    assert_eq!(one.life.backoff(), 1);
    assert_eq!(one.step(Step::Start), ["BACKOFF>STARTING", "spawn"]);
    assert_eq!(one.life.backoff(), 0);
    one.step(Step::Spawned(8));
    one.step(CODE_1);
    assert_eq!((one.life.backoff(), one.due_in_ms()), (1, Some(1_000)));
    one.step(Step::Stop);
    assert_eq!(one.step(Step::Start), ["STOPPED>STARTING", "spawn"]);
    one.step(Step::SpawnFailed("no".into()));
    assert_eq!(one.life.backoff(), 1);
    let mut one = One::new(|spec| spec.startretries = 0);
    one.start();
    one.step(CODE_1);
    assert_eq!(one.step(Step::Start), ["FATAL>STARTING", "spawn"]);
    let mut one = One::new(|spec| spec.autorestart = Autorestart::Never);
    one.run();
    one.step(CODE_0);
    assert_eq!(one.step(Step::Start), ["EXITED>STARTING", "spawn"]);
    assert_eq!((one.life.exitstatus(), one.life.spawnerr()), (None, ""));
}

#[test]
fn proc_014_running_after_startsecs() {
    let mut one = One::new(|spec| spec.startsecs = 3);
    assert_eq!(one.step(Step::Start), ["STOPPED>STARTING", "spawn"]);
    assert_eq!(one.step(Step::Spawned(7)), ["INFO spawned: 'p' with pid 7"]);
    assert_eq!((one.life.pid(), one.due_in_ms()), (Some(7), Some(3_000)));
    one.ms += 2_999;
    assert!(one.step(Step::Due).is_empty());
    one.ms += 1;
    assert_eq!(
        one.step(Step::Due),
        [
            "STARTING>RUNNING",
            "INFO success: p entered RUNNING state, process has stayed up for > than 3 seconds (startsecs)"
        ]
    );
    assert_eq!((one.life.backoff(), one.life.deadline()), (0, None));
}

#[test]
fn proc_014_startsecs_0_passes_at_once() {
    let mut one = One::new(|spec| spec.startsecs = 0);
    one.start();
    assert_eq!(one.due_in_ms(), Some(0));
    assert_eq!(one.step(Step::Due).first().map(String::as_str), Some("STARTING>RUNNING"));
}

#[test]
fn proc_015_a_spawn_error_is_a_failed_start() {
    let mut one = One::new(|_| {});
    one.step(Step::Start);
    assert_eq!(
        one.step(Step::SpawnFailed("can't find command 'x'".into())),
        ["INFO spawnerr: can't find command 'x'", "STARTING>BACKOFF"]
    );
    assert_eq!(one.life.spawnerr(), "can't find command 'x'");
    assert_eq!((one.life.backoff(), one.due_in_ms()), (1, Some(1_000)));
}

#[test]
fn proc_029_a_spawn_error_that_is_the_last_is_fatal_at_once() {
    let mut one = One::new(|spec| spec.startretries = 1);
    one.step(Step::Start);
    one.step(Step::SpawnFailed("no".into()));
    one.ms += 1_000;
    assert_eq!(one.step(Step::Due), ["BACKOFF>STARTING", "spawn"]);
    assert_eq!(
        one.step(Step::SpawnFailed("no".into())),
        [
            "INFO spawnerr: no",
            "STARTING>BACKOFF",
            "BACKOFF>FATAL",
            "INFO gave up: p entered FATAL state, too many start retries too quickly"
        ]
    );
    assert_eq!(one.life.spawnerr(), "no");
}

#[test]
fn proc_026_an_end_after_startsecs_is_no_failed_start() {
    // PROC-016: shorter by a millisecond is one. PROC-031, BUG-003: the exit decides, not that nobody said RUNNING.
    for (ms, said) in [
        (1_000, vec!["STARTING>RUNNING", "RUNNING>EXITED", "INFO exited: p (exit status 0; expected)"]),
        (999, vec!["STARTING>BACKOFF", "WARN exited: p (exit status 0; not expected)"]),
    ] {
        let mut one = One::new(|_| {});
        one.start();
        one.ms += ms;
        assert_eq!(one.step(CODE_0), said);
    }
}

#[test]
fn proc_020_and_021_a_stop() {
    let mut one = One::new(|spec| spec.stopwaitsecs = 4);
    one.run();
    assert_eq!(one.step(Step::Stop), ["DEBG killing p (pid 7) with signal SIGTERM", "RUNNING>STOPPING", "kill 7 15"]);
    assert_eq!((one.life.pid(), one.due_in_ms()), (Some(7), Some(4_000)));
    // PROC-069.
    assert!(one.step(Step::Stop).is_empty());
    assert_eq!(
        one.step(Step::Exited(Exit::Signal { signal: 15, core: false })),
        ["STOPPING>STOPPED", "WARN stopped: p (terminated by SIGTERM)"]
    );
    assert_eq!((one.life.exitstatus(), one.life.pid(), one.life.deadline()), (Some(-1), None, None));
    // STARTING, too; an expected code is no warning.
    let mut one = One::new(|spec| spec.stopsignal = 2);
    one.start();
    assert_eq!(one.step(Step::Stop), ["DEBG killing p (pid 7) with signal SIGINT", "STARTING>STOPPING", "kill 7 2"]);
    assert_eq!(one.step(CODE_0), ["STOPPING>STOPPED", "INFO stopped: p (exit status 0)"]);
    assert_eq!(one.life.exitstatus(), Some(0));
}

#[test]
fn proc_022_sigkill_is_repeated_until_there_is_nobody() {
    let mut one = One::new(|spec| spec.stopwaitsecs = 2);
    one.run();
    one.step(Step::Stop);
    one.ms += 1_999;
    assert!(one.step(Step::Due).is_empty());
    one.ms += 1;
    for _ in 0..3 {
        assert_eq!(
            one.step(Step::Due),
            ["WARN killing 'p' (7) with SIGKILL", "DEBG killing p (pid 7) with signal SIGKILL", "kill 7 9"]
        );
        assert_eq!((one.life.state(), one.due_in_ms()), (State::Stopping, Some(2_000)));
        one.ms += 2_000;
    }
    // Without patience: never a busy loop.
    let mut one = One::new(|spec| spec.stopwaitsecs = 0);
    one.run();
    one.step(Step::Stop);
    assert_eq!(one.due_in_ms(), Some(0));
    assert_eq!(one.step(Step::Due).last().map(String::as_str), Some("kill 7 9"));
    assert_eq!(one.due_in_ms(), Some(1_000));
}

#[test]
fn proc_062_signals_to_the_group() {
    for (stop, kill) in [(false, false), (true, false), (false, true), (true, true)] {
        let mut one = One::new(|spec| (spec.stopasgroup, spec.killasgroup) = (stop, kill));
        one.run();
        let group = |yes| if yes { "process group " } else { "" };
        let kill_of = |yes, signal| if yes { format!("kill group 7 {signal}") } else { format!("kill 7 {signal}") };
        let said = one.step(Step::Stop);
        assert_eq!(said[0], format!("DEBG killing p (pid 7) {}with signal SIGTERM", group(stop)));
        assert_eq!(said[2], kill_of(stop, 15));
        one.ms += 10_000;
        let said = one.step(Step::Due);
        assert_eq!(said[1], format!("DEBG killing p (pid 7) {}with signal SIGKILL", group(kill)));
        assert_eq!(said[2], kill_of(kill, 9));
    }
}

#[test]
fn proc_023_and_024_a_stop_in_backoff() {
    for (step, said, after) in [
        (Step::Stop, vec!["DEBG Attempted to kill p, which is in BACKOFF state.", "BACKOFF>STOPPED"], State::Stopped),
        (Step::GiveUp, vec!["BACKOFF>FATAL"], State::Fatal),
    ] {
        let mut one = One::new(|_| {});
        one.start();
        one.step(CODE_1);
        assert_eq!(one.step(step), said);
        assert_eq!((one.life.state(), one.life.deadline()), (after, None));
    }
}

#[test]
fn proc_025_a_refused_kill_is_a_dead_end() {
    let mut one = One::new(|_| {});
    one.run();
    one.step(Step::Stop);
    assert_eq!(
        one.step(Step::KillFailed(Errno::EPERM)),
        ["CRIT unknown problem killing p (7):[Errno 1] Operation not permitted", "STOPPING>UNKNOWN"]
    );
    assert_eq!((one.life.pid(), one.life.deadline()), (Some(7), None));
    // PROC-061.
    assert_eq!(one.step(Step::Start), ["WARN process 'p' already running"]);
    assert!(one.step(CODE_0).is_empty());
    assert_eq!((one.life.state(), one.life.pid()), (State::Unknown, None));
    for step in [Step::Start, Step::Stop, Step::Due, Step::Autostart, Step::GiveUp] {
        assert!(one.step(step.clone()).is_empty(), "{step:?}");
    }
    let mut one = One::new(|_| {});
    one.run();
    assert_eq!(one.step(Step::SignalFailed), ["RUNNING>UNKNOWN"]);
}

#[test]
fn proc_030_nobody_there_is_no_problem() {
    let mut one = One::new(|_| {});
    one.run();
    one.step(Step::Stop);
    assert_eq!(
        one.step(Step::KillFailed(Errno::ESRCH)),
        ["DEBG unable to signal p (pid 7), it probably just exited on its own: [Errno 3] No such process"]
    );
    assert_eq!((one.life.state(), one.due_in_ms()), (State::Stopping, Some(10_000)));
}

#[test]
fn proc_032_nothing_starts_while_the_daemon_goes() {
    for mood in [Mood::Shutdown, Mood::Restarting] {
        let mut one = One::new(|_| {});
        one.start();
        one.step(CODE_1);
        one.mood = mood;
        one.ms += 1_000;
        assert!(one.step(Step::Due).is_empty());
        assert!(one.step(Step::Start).is_empty());
        assert_eq!(one.life.state(), State::Backoff);
        // What goes on: STARTING to RUNNING, BACKOFF to FATAL, SIGKILL.
        let mut one = One::new(|spec| spec.startretries = 0);
        one.start();
        one.mood = mood;
        one.ms += 1_000;
        assert_eq!(one.step(Step::Due)[0], "STARTING>RUNNING");
        one.step(Step::Stop);
        one.ms += 10_000;
        assert_eq!(one.step(Step::Due)[2], "kill 7 9");
        let mut one = One::new(|spec| spec.startretries = 0);
        one.start();
        one.mood = mood;
        assert_eq!(one.step(CODE_1)[2], "BACKOFF>FATAL");
        // A restart that waits is called off.
        let mut one = One::new(|spec| spec.autorestart = Autorestart::Always);
        one.run();
        one.step(CODE_0);
        one.mood = mood;
        assert!(one.step(Step::Due).is_empty());
        assert_eq!(one.life.deadline(), None);
    }
}

#[test]
fn proc_061_and_063_requests_without_an_object() {
    // Also PROC-063.
    let mut one = One::new(|_| {});
    assert_eq!(one.step(Step::Stop), ["DEBG attempted to kill p with sig SIGTERM but it wasn't running"]);
    one.run();
    assert_eq!(one.step(Step::Start), ["WARN process 'p' already running"]);
    assert_eq!(one.life.state(), State::Running);
}

#[test]
fn proc_120_only_the_monotonic_clock_decides() {
    // Nothing to correct, then: PROC-121, PROC-122, PROC-123, PROC-124.
    let mut acts = Vec::new();
    let mut one = One::new(|_| {});
    one.start();
    let back = Now { mono: Mono(one.now().mono.0 + SEC), wall: Wall(0) };
    one.life.on(Step::Due, &one.spec, back, Mood::Running, &mut acts);
    assert_eq!(one.life.state(), State::Running);
}
