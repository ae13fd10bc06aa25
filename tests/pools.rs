//! Delivery of events to pools and their listeners (contract events.md, section 4). Pure: pretended listeners.

mod pure;

use majordomo::base::words::State;
use majordomo::wire::listener::Phase;
use pure::pools::{Message, data, listener, many, news, pool, sent};
use pure::{Rig, read, s};

#[test]
fn evt_080_bug_081_each_pool_once() {
    let text = listener("one", "EVENT,REMOTE_COMMUNICATION,TICK", "buffer_size=100")
        + &listener("two", "remote_communication", "")
        + &listener("three", "PROCESS_LOG", "");
    let mut rig = Rig::listening(&text);
    for name in ["one", "two", "three"] {
        rig.ready(name);
        rig.drained(name);
    }
    rig.remote("x");
    assert_eq!(rig.drained("one"), ["REMOTE_COMMUNICATION type:t\nx"]);
    assert_eq!(rig.drained("two"), ["REMOTE_COMMUNICATION type:t\nx"]);
    assert!(rig.drained("three").is_empty());
}

#[test]
fn evt_081_serials() {
    let text = listener("all", "PROCESS_STATE,REMOTE_COMMUNICATION", "buffer_size=100")
        + &listener("some", "REMOTE_COMMUNICATION", "");
    let mut rig = Rig::listening(&text);
    for name in ["all", "some"] {
        rig.ready(name);
    }
    // Two starts of two listeners came before, of which `some` knows nothing.
    let mut at_all = Vec::new();
    for _ in 0..4 {
        at_all.extend(rig.sent("all"));
        rig.ok("all");
    }
    for name in ["a", "b"] {
        rig.remote(name);
        at_all.extend(rig.sent("all"));
        rig.ok("all");
    }
    let serials = |messages: &[Message]| -> Vec<(u64, u64)> {
        messages.iter().map(|message| (message.serial, message.pool_serial)).collect()
    };
    assert_eq!(serials(&at_all), [(0, 0), (1, 1), (2, 2), (3, 3), (4, 4), (5, 5)]);
    let first = rig.sent("some");
    assert_eq!((serials(&first), first[0].pool.as_str()), (vec![(4, 0)], "some"));
    // Rejected: the same numbers again.
    rig.say("some", "RESULT 4\nFAILREADY\n");
    assert_eq!(serials(&rig.sent("some")), [(4, 0)]);
    rig.ok("some");
    assert_eq!(serials(&rig.sent("some")), [(5, 1)]);
}

#[test]
fn evt_082_serials_and_a_reload() {
    let mut rig = pool("");
    rig.ready("l");
    rig.remote("a");
    rig.remote("b");
    assert_eq!(rig.sent("l").len(), 1);
    // What the reactor does at the end of a reload: a new world follows the old one.
    let old = std::mem::replace(&mut rig, pool(""));
    rig = Rig::of(read(&listener("l", "REMOTE_COMMUNICATION", "")).expect("a configuration"));
    rig.turn(|world, _| world.follow(&old.world));
    rig.begin();
    rig.pass_ms(1);
    rig.ready("l");
    rig.remote("c");
    let sent = rig.sent("l");
    assert_eq!((sent[0].serial, sent[0].pool_serial), (2, 0));
}

#[test]
fn evt_083_overflow() {
    let mut rig = pool("buffer_size=2");
    for text in ["a", "b", "c", "d"] {
        rig.remote(text);
    }
    let lost: Vec<_> = rig.news().into_iter().filter(|line| line.starts_with("ERRO")).collect();
    assert_eq!(
        lost,
        [
            "ERRO pool l event buffer overflowed, discarding event 0",
            "ERRO pool l event buffer overflowed, discarding event 1"
        ]
    );
    rig.ready("l");
    assert_eq!(sent(&mut rig, "l"), ["c"]);
    rig.ok("l");
    let next = rig.sent("l");
    assert_eq!((data(&next[0]), next[0].serial, next[0].pool_serial), ("d", 3, 3));
}

/// The default buffer of 10 is too small for the events of a start (BUG-086); a bound in bytes is not.
#[test]
fn evt_083_bug_086_the_start_of_many_programs() {
    let programs: String = (0..30)
        .map(|number| format!("[program:p{number}]\ncommand=/bin/steady\nstdout_logfile=NONE\nstderr_logfile=NONE\n"))
        .collect();
    for (setting, whole) in [("", false), ("buffer_size=auto", true), ("buffer_bytes=1MB", true)] {
        let mut rig = Rig::listening(&(listener("l", "EVENT", setting) + &programs));
        rig.pass_secs(2);
        rig.ready("l");
        let all = rig.drained("l");
        // 31 groups, the beginning, a start and a success for each.
        assert_eq!(all.len() == 31 + 1 + 31 + 31, whole, "{setting}: {}", all.len());
        assert_eq!(all.first().is_some_and(|first| first == "PROCESS_GROUP_ADDED groupname:l\n"), whole);
    }
}

#[test]
fn evt_084_the_first_that_is_ready_gets_the_oldest() {
    let mut rig = many(3, "");
    for text in ["a", "b", "c", "d"] {
        rig.remote(text);
    }
    rig.ready("l:l1");
    assert_eq!(sent(&mut rig, "l:l1"), ["a"]);
    rig.ready("l:l2");
    assert_eq!(sent(&mut rig, "l:l2"), ["b"]);
    rig.ready("l:l0");
    assert_eq!(sent(&mut rig, "l:l0"), ["c"]);
    rig.ok("l:l2");
    assert_eq!(sent(&mut rig, "l:l2"), ["d"]);
    // All are ready: the first of the configuration.
    for name in ["l:l2", "l:l1", "l:l0"] {
        rig.ok(name);
    }
    rig.remote("e");
    rig.remote("f");
    assert_eq!(sent(&mut rig, "l:l0"), ["e"]);
    assert_eq!(sent(&mut rig, "l:l1"), ["f"]);
    assert!(sent(&mut rig, "l:l2").is_empty());
}

#[test]
fn evt_084_085_nothing_before_startsecs_and_then_at_once() {
    let mut rig = pool("startsecs=5");
    rig.remote("a");
    rig.ready("l");
    rig.pass_ms(4_900);
    assert_eq!((rig.state("l"), rig.phase("l")), (State::Starting, Phase::Ready));
    assert!(sent(&mut rig, "l").is_empty());
    // EVT-085: it becomes RUNNING.
    rig.pass_ms(200);
    assert_eq!(rig.state("l"), State::Running);
    assert_eq!(sent(&mut rig, "l"), ["a"]);
    // It becomes READY; then an event comes.
    rig.remote("b");
    rig.say("l", "RESULT 2\nOK");
    assert!(sent(&mut rig, "l").is_empty());
    rig.say("l", "READY\n");
    assert_eq!(sent(&mut rig, "l"), ["b"]);
    rig.ok("l");
    rig.remote("c");
    assert_eq!(sent(&mut rig, "l"), ["c"]);
}

#[test]
fn evt_086_lines_of_a_delivery() {
    let mut rig = pool("");
    rig.ready("l");
    rig.news();
    rig.remote("a");
    assert_eq!(news(&mut rig), ["DEBG l: READY -> BUSY", "DEBG event 0 sent to listener l"]);
    rig.ok("l");
    assert_eq!(
        news(&mut rig),
        ["DEBG l: event was processed", "DEBG l: BUSY -> ACKNOWLEDGED", "DEBG l: ACKNOWLEDGED -> READY"]
    );
}

#[test]
fn evt_086_a_listener_that_closed_its_stdin_is_passed_over() {
    let mut rig = many(2, "");
    rig.ready("l:l0");
    rig.ready("l:l1");
    let first = rig.who("l:l0");
    rig.host.child_of(first).expect("a child").stdin_room = None;
    rig.news();
    rig.remote("a");
    assert_eq!(
        news(&mut rig),
        [
            "DEBG epipe occurred while sending event 0 to listener l0, listener state unchanged",
            "DEBG l1: READY -> BUSY",
            "DEBG event 0 sent to listener l1"
        ]
    );
    assert_eq!((rig.phase("l:l0"), rig.phase("l:l1")), (Phase::Ready, Phase::Busy));
    assert_eq!(sent(&mut rig, "l:l1"), ["a"]);
    // Nobody left: it waits, as the first.
    rig.remote("b");
    rig.remote("c");
    rig.ok("l:l1");
    assert_eq!(sent(&mut rig, "l:l1"), ["b"]);
}

/// BUG-087: what the pipe doesn't take at once follows; no event is cut, none comes in between.
#[test]
fn evt_086_bug_087_a_full_pipe() {
    let mut rig = pool("");
    rig.ready("l");
    let who = rig.who("l");
    rig.host.child_of(who).expect("a child").stdin_room = Some(10);
    rig.remote("words");
    assert_eq!(rig.phase("l"), Phase::Busy);
    assert_eq!(rig.heard("l"), "ver:3.0 se");
    rig.host.child_of(who).expect("a child").stdin_room = Some(1_000);
    rig.turn(|world, turn| world.pump_stdin(who, turn));
    assert!(rig.heard("l").ends_with("len:12\ntype:t\nwords"));
}

/// An event may be larger than what clients may queue for a program.
#[test]
fn evt_086_a_very_large_event() {
    let mut rig = pool("");
    rig.ready("l");
    let who = rig.who("l");
    rig.host.child_of(who).expect("a child").stdin_room = Some(10);
    let size = majordomo::base::limits::STDIN_BYTES + 1;
    rig.remote(&"x".repeat(size));
    assert_eq!(rig.phase("l"), Phase::Busy);
    rig.host.child_of(who).expect("a child").stdin_room = Some(usize::MAX);
    rig.turn(|world, turn| world.pump_stdin(who, turn));
    assert_eq!(sent(&mut rig, "l")[0].len(), size);
    rig.ok("l");
    assert_eq!(rig.phase("l"), Phase::Ready);
}

#[test]
fn evt_087_088_089_header_and_length() {
    // EVT-088, EVT-089.
    let mut rig = pool("");
    rig.ready("l");
    rig.remote("café\n");
    assert_eq!(
        rig.heard("l"),
        "ver:3.0 server:supervisor serial:0 pool:l poolserial:0 eventname:REMOTE_COMMUNICATION len:12\ntype:t\ncafé\n"
    );
    let mut rig = pool("len_unit=bytes");
    rig.ready("l");
    rig.remote("café\n");
    assert!(rig.heard("l").ends_with(" len:13\ntype:t\ncafé\n"));
}

#[test]
fn evt_090_bug_080_a_rejected_event_comes_back_to_its_pool_only() {
    let text = listener("one", "REMOTE_COMMUNICATION", "")
        + &listener("two", "REMOTE_COMMUNICATION", "")
        + &listener("three", "TICK_60", "");
    let mut rig = Rig::listening(&text);
    for name in ["one", "two", "three"] {
        rig.ready(name);
    }
    rig.remote("a");
    rig.remote("b");
    assert_eq!(sent(&mut rig, "one"), ["a"]);
    rig.say("one", "RESULT 4\nFAIL");
    rig.say("one", "READY\n");
    // Before `b`, which waited.
    assert_eq!(sent(&mut rig, "one"), ["a"]);
    rig.ok("one");
    assert_eq!(sent(&mut rig, "one"), ["b"]);
    assert_eq!(sent(&mut rig, "two"), ["a"]);
    rig.ok("two");
    assert_eq!(sent(&mut rig, "two"), ["b"]);
    rig.ok("two");
    assert!(sent(&mut rig, "two").is_empty());
    assert!(rig.sent("three").is_empty());
}

#[test]
fn evt_090_what_comes_back_to_a_full_buffer_drops_the_oldest() {
    let mut rig = pool("buffer_size=2");
    rig.ready("l");
    for text in ["a", "b", "c"] {
        rig.remote(text);
    }
    rig.news();
    rig.say("l", "RESULT 4\nFAIL");
    assert_eq!(
        news(&mut rig)[..],
        [
            "WARN l: event was rejected",
            "DEBG l: BUSY -> ACKNOWLEDGED",
            "DEBG rebuffering event 0 for pool l (buf size=2, max=2)",
            "ERRO pool l event buffer overflowed, discarding event 1"
        ]
    );
    sent(&mut rig, "l");
    rig.say("l", "READY\n");
    assert_eq!(sent(&mut rig, "l"), ["a"]);
    rig.ok("l");
    assert_eq!(sent(&mut rig, "l"), ["c"]);
}

/// A program that twiddler puts into a pool is no listener, whatever it prints.
#[test]
fn evt_084_programs_added_to_a_pool_are_no_listeners() {
    const TWIDDLER: &str = "[rpcinterface:twiddler]\n\
        supervisor.rpcinterface_factory=supervisor_twiddler.rpcinterface:make_twiddler_rpcinterface\n";
    let mut rig = Rig::listening(&(listener("l", "REMOTE_COMMUNICATION", "") + TWIDDLER));
    let settings = pure::st(&[("command", s("/bin/steady")), ("startsecs", s("0"))]);
    rig.get("twiddler.addProgramToGroup", vec![s("l"), s("x"), settings]);
    rig.settle();
    rig.pass_ms(1);
    rig.say("l:x", "READY\n");
    rig.remote("a");
    assert!(rig.heard("l:x").is_empty());
    rig.ready("l");
    assert_eq!(sent(&mut rig, "l"), ["a"]);
    // And a listener that is taken out is out.
    rig.ok("l");
    rig.get("supervisor.stopProcess", vec![s("l:l"), pure::b(false)]);
    rig.die("l", 15);
    rig.get("twiddler.removeProcessFromGroup", vec![s("l"), s("l")]);
    rig.remote("b");
}

#[test]
fn proc_141_pools_start_first_and_stop_last() {
    let text =
        "[program:p]\ncommand=/bin/steady\nstartsecs=0\npriority=1\n".to_string() + &listener("z", "TICK_60", "");
    let mut rig = Rig::listening(&text);
    assert_eq!(rig.spawned(), ["z", "p"]);
    rig.kills();
    rig.turn(|world, turn| world.begin_shutdown(turn));
    rig.settle();
    assert_eq!(rig.kills(), [(rig.pid("p"), 15)]);
    rig.die("p", 15);
    assert_eq!(rig.kills(), [(rig.pid("z"), 15)]);
}

/// EVT-042: who was told of the end a moment ago may still do something about it, for a second.
#[test]
fn evt_042_listeners_finish_their_events_at_the_end() {
    let text = listener("l", "SUPERVISOR_STATE_CHANGE,PROCESS_STATE_STOPPED", "")
        + "[program:p]\ncommand=/bin/steady\nstartsecs=0\n";
    let told = |rig: &mut Rig| {
        rig.ready("l");
        rig.drained("l");
        rig.kills();
        rig.turn(|world, turn| world.begin_shutdown(turn));
        rig.settle();
        assert_eq!(rig.kills(), [(rig.pid("p"), 15)]);
        rig.die("p", 15);
        assert!(rig.kills().is_empty());
    };
    let mut rig = Rig::listening(&text);
    told(&mut rig);
    rig.pass_ms(500);
    // Between two events, and before the last one is answered.
    rig.say("l", "RESULT 2\nOK");
    rig.settle();
    assert!(rig.kills().is_empty());
    rig.say("l", "READY\n");
    rig.settle();
    assert_eq!(rig.sent("l").len(), 2);
    assert!(rig.kills().is_empty());
    rig.say("l", "RESULT 2\nOK");
    rig.settle();
    assert_eq!(rig.kills(), [(rig.pid("l"), 15)]);
    // One that doesn't answer isn't waited for longer.
    let mut rig = Rig::listening(&text);
    told(&mut rig);
    rig.pass_ms(999);
    assert!(rig.kills().is_empty());
    rig.pass_ms(1);
    assert_eq!(rig.kills(), [(rig.pid("l"), 15)]);
    // Nor one that never was ready, though events wait.
    let mut rig = Rig::listening(&text);
    rig.turn(|world, turn| world.begin_shutdown(turn));
    rig.settle();
    rig.kills();
    rig.die("p", 15);
    assert_eq!(rig.kills(), [(rig.pid("l"), 15)]);
}
