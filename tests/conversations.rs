//! The conversation with listeners and what is made of their results (contract events.md, sections 5 and 6). Pure:
//! pretended listeners.

mod pure;

use majordomo::base::words::{Channel, State};
use majordomo::wire::listener::Phase;
use pure::pools::{data, listener, many, news, pool, sent, start};
use pure::{Rig, read, s};

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
