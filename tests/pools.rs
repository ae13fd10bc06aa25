//! Delivery of events and the conversation with listeners (contract events.md, sections 4 to 6). Pure: pretended
//! listeners.

mod pure;

use majordomo::base::words::{Channel, State};
use majordomo::wire::listener::Phase;
use majordomo::world::life::Step;
use pure::pools::{Message, listener};
use pure::{Rig, read, s};

/// A pool `l` for remote events with one listener, or more in order: `l:l0`, `l:l1`.
fn pool(more: &str) -> Rig {
    Rig::listening(&listener("l", "REMOTE_COMMUNICATION", more))
}

fn many(count: usize, more: &str) -> Rig {
    pool(&format!("numprocs={count}\nprocess_name=%(program_name)s%(process_num)d\n{more}"))
}

fn data(message: &Message) -> &str {
    message.payload.strip_prefix("type:t\n").expect("a remote event")
}

/// The data of remote events that a listener was sent.
fn sent(rig: &mut Rig, name: &str) -> Vec<String> {
    rig.sent(name).iter().map(|message| data(message).to_string()).collect()
}

fn start(rig: &mut Rig, name: &str) {
    let who = rig.who(name);
    rig.turn(|world, turn| world.drive(who, Step::Start, turn));
    rig.pass_ms(1);
}

/// The news but for what listeners printed.
fn news(rig: &mut Rig) -> Vec<String> {
    let is_line = |line: &String| ["DEBG ", "WARN ", "ERRO "].iter().any(|level| line.starts_with(level));
    rig.news().into_iter().filter(|line| is_line(line) && !line.contains(" output:")).collect()
}

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

#[test]
fn evt_100_106_proc_142_states_of_the_conversation() {
    // EVT-102, EVT-105, EVT-106.
    let mut rig = pool("autorestart=true");
    assert_eq!(rig.phase("l"), Phase::Acknowledged);
    rig.news();
    rig.ready("l");
    assert_eq!(news(&mut rig), ["DEBG l: ACKNOWLEDGED -> READY"]);
    assert_eq!(rig.phase("l"), Phase::Ready);
    // EVT-102: any word is one too many.
    rig.say("l", "hello\n");
    let lines = news(&mut rig);
    assert_eq!(lines[0], "DEBG l: READY -> UNKNOWN");
    assert_eq!(
        lines[1],
        "WARN l: has entered the UNKNOWN state and will no longer receive events until it is started again: while it \
         waited for an event it said 'hello\\n'"
    );
    // EVT-105: deaf.
    rig.ready("l");
    rig.remote("a");
    assert_eq!((rig.phase("l"), rig.sent("l").len()), (Phase::Unknown, 0));
    // The next child begins anew.
    rig.exit_code("l", 0);
    rig.pass_secs(2);
    assert_eq!(rig.phase("l"), Phase::Acknowledged);
    rig.ready("l");
    assert_eq!(sent(&mut rig, "l"), ["a"]);
    // So it does when it was busy, or ready.
    rig.exit_code("l", 0);
    rig.pass_secs(2);
    assert_eq!(rig.phase("l"), Phase::Acknowledged);
}

#[test]
fn evt_101_a_listener_that_begins_otherwise() {
    let mut rig = pool("");
    rig.news();
    rig.say("l", "Hello, world\n");
    assert_eq!(rig.phase("l"), Phase::Unknown);
    let warned = news(&mut rig).into_iter().find(|line| line.starts_with("WARN")).expect("a warning");
    assert!(warned.starts_with("WARN l: has entered the UNKNOWN state and will no longer receive events"), "{warned}");
    assert!(warned.ends_with(": instead of READY it said 'Hello, world\\n'"), "{warned}");
}

#[test]
fn evt_104_a_bad_result_line() {
    let mut rig = many(2, "");
    rig.ready("l:l0");
    rig.remote("a");
    rig.remote("b");
    rig.news();
    rig.say("l:l0", "DONE\n");
    assert_eq!(
        news(&mut rig),
        [
            "WARN l0: bad result line: 'DONE'",
            "DEBG l0: BUSY -> UNKNOWN",
            "WARN l0: has entered the UNKNOWN state and will no longer receive events until it is started again: \
             instead of a result it said 'DONE'",
            "DEBG rebuffering event 0 for pool l (buf size=1, max=10)"
        ]
    );
    // Another one gets it, before what came later.
    rig.ready("l:l1");
    assert_eq!(sent(&mut rig, "l:l1"), ["a"]);
    rig.ok("l:l1");
    assert_eq!(sent(&mut rig, "l:l1"), ["b"]);
}

#[test]
fn evt_108_words_in_pieces() {
    let mut rig = pool("");
    rig.ready("l");
    rig.remote("a");
    rig.remote("b");
    assert_eq!(sent(&mut rig, "l"), ["a"]);
    for byte in "RESULT 2\nOKREADY\n".chars() {
        assert!(sent(&mut rig, "l").is_empty());
        rig.say("l", &byte.to_string());
    }
    assert_eq!(sent(&mut rig, "l"), ["b"]);
}

#[test]
fn evt_109_a_listener_that_dies_with_an_event() {
    // Its own end is an event, too, and comes behind.
    let text = listener(
        "l",
        "REMOTE_COMMUNICATION,PROCESS_STATE_EXITED",
        "numprocs=2\nprocess_name=l%(process_num)d\nautorestart=false",
    );
    let mut rig = Rig::listening(&text);
    rig.ready("l:l0");
    rig.remote("a");
    assert_eq!(sent(&mut rig, "l:l0"), ["a"]);
    rig.ready("l:l1");
    rig.exit_code("l:l0", 1);
    let first = rig.sent("l:l1");
    assert_eq!((data(&first[0]), first[0].serial, first[0].pool_serial), ("a", 0, 0));
    rig.ok("l:l1");
    let second = rig.sent("l:l1");
    assert_eq!((second[0].event.as_str(), second[0].serial), ("PROCESS_STATE_EXITED", 1));
}

#[test]
fn evt_109_a_listener_that_is_stopped_with_an_event() {
    let mut rig = pool("autostart=true");
    rig.ready("l");
    rig.remote("a");
    rig.get("supervisor.stopProcess", vec![s("l"), pure::b(false)]);
    // EVT-084: nobody that stops is given anything.
    rig.remote("b");
    rig.die("l", 15);
    start(&mut rig, "l");
    rig.ready("l");
    assert_eq!(sent(&mut rig, "l"), ["a"]);
    rig.ok("l");
    assert_eq!(sent(&mut rig, "l"), ["b"]);
}

#[test]
fn evt_084_a_result_of_a_stopping_listener_counts() {
    let mut rig = pool("");
    rig.ready("l");
    rig.remote("a");
    sent(&mut rig, "l");
    rig.get("supervisor.stopProcess", vec![s("l"), pure::b(false)]);
    rig.remote("b");
    rig.ok("l");
    assert_eq!((rig.state("l"), rig.phase("l")), (State::Stopping, Phase::Ready));
    assert!(sent(&mut rig, "l").is_empty());
    rig.die("l", 15);
    start(&mut rig, "l");
    rig.ready("l");
    assert_eq!(sent(&mut rig, "l"), ["b"]);
}

#[test]
fn evt_110_111_logs_of_listeners() {
    let text = "[eventlistener:l]\ncommand=/bin/steady\nevents=REMOTE_COMMUNICATION\nstartsecs=0\n\
                stdout_logfile=/tmp/l.out\nstderr_logfile=/tmp/l.err\nstdout_syslog=true\nstderr_syslog=true\n";
    let mut config = read(text).expect("a configuration");
    config.daemon.strip_ansi = true;
    let mut rig = Rig::of(config);
    rig.begin();
    rig.pass_ms(1);
    rig.ready("l");
    rig.remote("a");
    rig.say("l", "RESULT 6\n\x1b[1mOK");
    rig.print("l", Channel::Stderr, b"words\n");
    let file = |rig: &Rig, name: &str| {
        String::from_utf8(rig.host.files.text(name).unwrap_or_default().to_vec()).expect("text")
    };
    // What passes is logged without ANSI sequences, but means what it says: that result was none.
    assert_eq!(file(&rig, "/tmp/l.out"), "READY\nRESULT 6\nOK");
    assert_eq!(file(&rig, "/tmp/l.err"), "words\n");
    assert_eq!(rig.host.syslog, ["supervisord l words"]);
    let lines = rig.news();
    assert!(lines.contains(&"DEBG 'l' stdout output:".to_string()), "{lines:?}");
    assert!(lines.contains(&"WARN l: event was rejected".to_string()), "{lines:?}");
}

#[test]
fn evt_120_122_123_accepted_and_rejected() {
    // EVT-122, EVT-123.
    let mut rig = pool("");
    rig.ready("l");
    rig.remote("a");
    rig.news();
    rig.say("l", "RESULT 2\nok");
    assert_eq!(news(&mut rig)[..2], ["WARN l: event was rejected", "DEBG l: BUSY -> ACKNOWLEDGED"]);
    sent(&mut rig, "l");
    rig.say("l", "READY\n");
    assert_eq!(sent(&mut rig, "l"), ["a"]);
    rig.news();
    rig.say("l", "RESULT 2\nOK");
    assert_eq!(news(&mut rig), ["DEBG l: event was processed", "DEBG l: BUSY -> ACKNOWLEDGED"]);
    rig.say("l", "READY\n");
    assert!(sent(&mut rig, "l").is_empty());
}

const STDIN_HANDLER: &str = "result_handler=supervisor_twiddler.resulthandler:stdin_write_handler\nbuffer_size=100";

#[test]
fn evt_121_twid_080_words_for_the_process_that_an_event_is_about() {
    let text = listener("l", "PROCESS_COMMUNICATION,REMOTE_COMMUNICATION,PROCESS_STATE_EXITED", STDIN_HANDLER)
        + "[program:p]\ncommand=/bin/steady\nstartsecs=0\nautorestart=false\nstdout_capture_maxbytes=1MB\n\
           stdout_logfile=NONE\nstderr_logfile=NONE\n";
    let mut rig = Rig::listening(&text);
    rig.ready("l");
    let who = rig.who("p");
    rig.host.child_of(who).expect("a child").stdin_room = Some(1_000);
    let block = b"<!--XSUPERVISOR:BEGIN-->who am I?<!--XSUPERVISOR:END-->";
    rig.print("p", Channel::Stdout, block);
    assert!(rig.sent("l")[0].payload.ends_with("\nwho am I?"));
    rig.say("l", "RESULT 10\nSTDIN:p!\n\0READY\n");
    assert_eq!(rig.heard("p"), "p!\n\0");
    // An event about nobody: accepted, nothing happens. So it is where nobody listens any more.
    rig.news();
    rig.remote("a");
    rig.sent("l");
    rig.say("l", "RESULT 7\nSTDIN:xREADY\n");
    rig.print("p", Channel::Stdout, block);
    rig.host.child_of(who).expect("a child").stdin_room = None;
    rig.sent("l");
    rig.say("l", "RESULT 7\nSTDIN:xREADY\n");
    rig.exit_code("p", 0);
    assert_eq!(rig.sent("l")[0].event, "PROCESS_STATE_EXITED");
    rig.say("l", "RESULT 7\nSTDIN:xREADY\n");
    assert_eq!(news(&mut rig).iter().filter(|line| *line == "DEBG l: event was processed").count(), 3);
    // A process that stops is written to no more.
    start(&mut rig, "p");
    rig.host.child_of(who).expect("a child").stdin_room = Some(1_000);
    rig.print("p", Channel::Stdout, block);
    rig.get("supervisor.stopProcess", vec![s("p"), pure::b(false)]);
    rig.sent("l");
    rig.say("l", "RESULT 7\nSTDIN:xREADY\n");
    assert_eq!(rig.heard("p"), "");
    assert_eq!(rig.phase("l"), Phase::Ready);
}

#[test]
fn evt_121_the_process_is_gone() {
    let text = listener("l", "PROCESS_STATE_STOPPED,PROCESS_GROUP_REMOVED", STDIN_HANDLER)
        + "[program:p]\ncommand=/bin/steady\nstartsecs=0\nstdout_logfile=NONE\nstderr_logfile=NONE\n";
    let mut rig = Rig::listening(&text);
    rig.ready("l");
    rig.get("supervisor.stopProcess", vec![s("p"), pure::b(false)]);
    rig.die("p", 15);
    rig.get("supervisor.removeProcessGroup", vec![s("p")]);
    assert_eq!(rig.sent("l")[0].event, "PROCESS_STATE_STOPPED");
    rig.say("l", "RESULT 7\nSTDIN:xREADY\n");
    assert_eq!(rig.sent("l")[0].event, "PROCESS_GROUP_REMOVED");
}

#[test]
fn evt_124_a_result_that_the_handler_can_do_nothing_with() {
    let mut rig = many(2, "result_handler=supervisor_stdout:event_handler");
    rig.ready("l:l0");
    rig.ready("l:l1");
    rig.remote("a");
    rig.news();
    rig.say("l:l0", "RESULT 2\nOK");
    assert_eq!(
        news(&mut rig)[..4],
        [
            "WARN l0: event caused an error",
            "DEBG l0: BUSY -> UNKNOWN",
            "WARN l0: has entered the UNKNOWN state and will no longer receive events until it is started again: \
             supervisor_stdout:event_handler can do nothing with its result",
            "DEBG rebuffering event 0 for pool l (buf size=0, max=10)"
        ]
    );
    // The next one has it at once.
    assert_eq!(sent(&mut rig, "l:l1"), ["a"]);
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
