//! When events come about, and what they say (contract events.md, sections 1 to 3). Pure: pretended listeners.

mod pure;

use std::time::Duration;

use majordomo::base::events::Kind;
use majordomo::base::words::{Channel, Mood, State};
use majordomo::world::World;
use pure::pools::listener;
use pure::{Rig, read, s};

/// A program that starts only when told to.
fn program(name: &str, more: &str) -> String {
    format!(
        "[program:{name}]\ncommand=/bin/steady\nautostart=false\nstdout_logfile=NONE\nstderr_logfile=NONE\n{more}\n"
    )
}

/// A listener `l` for these types that has read all that came at the beginning, and programs.
fn quiet(events: &str, programs: &str) -> Rig {
    let mut rig = Rig::listening(&(listener("l", events, "buffer_size=100") + programs));
    rig.ready("l");
    rig.drained("l");
    rig
}

fn start(rig: &mut Rig, name: &str) {
    let who = rig.who(name);
    rig.turn(|world, turn| world.drive(who, majordomo::world::life::Step::Start, turn));
}

fn stop(rig: &mut Rig, name: &str) {
    let who = rig.who(name);
    rig.turn(|world, turn| world.drive(who, majordomo::world::life::Step::Stop, turn));
}

#[test]
fn evt_003_026_027_retries_are_counted() {
    // EVT-004, EVT-009, EVT-026, EVT-027, EVT-028.
    let mut rig = quiet("PROCESS_STATE", &program("p", "startretries=2"));
    start(&mut rig, "p");
    rig.exit_code("p", 1);
    rig.pass_secs(1);
    rig.exit_code("p", 1);
    rig.pass_secs(2);
    rig.exit_code("p", 1);
    let states = |rig: &mut Rig| -> Vec<String> {
        rig.drained("l").iter().map(|text| text.replace("processname:p groupname:p ", "")).collect()
    };
    assert_eq!(
        states(&mut rig),
        [
            "PROCESS_STATE_STARTING from_state:STOPPED tries:0",
            "PROCESS_STATE_BACKOFF from_state:STARTING tries:1",
            "PROCESS_STATE_STARTING from_state:BACKOFF tries:1",
            "PROCESS_STATE_BACKOFF from_state:STARTING tries:2",
            "PROCESS_STATE_STARTING from_state:BACKOFF tries:2",
            "PROCESS_STATE_BACKOFF from_state:STARTING tries:3",
            "PROCESS_STATE_FATAL from_state:BACKOFF",
        ]
    );
    // BUG-040: from the beginning again.
    start(&mut rig, "p");
    assert_eq!(states(&mut rig), ["PROCESS_STATE_STARTING from_state:FATAL tries:0"]);
}

#[test]
fn evt_005_006_007_008_027_pids() {
    // EVT-006, EVT-007, EVT-008, EVT-027, EVT-028.
    let mut rig = quiet("PROCESS_STATE", &program("p", "exitcodes=0,4\nautorestart=false"));
    start(&mut rig, "p");
    let pid = rig.pid("p");
    rig.pass_secs(1);
    stop(&mut rig, "p");
    rig.die("p", 15);
    let of_p = "processname:p groupname:p";
    assert_eq!(
        rig.drained("l"),
        [
            format!("PROCESS_STATE_STARTING {of_p} from_state:STOPPED tries:0"),
            format!("PROCESS_STATE_RUNNING {of_p} from_state:STARTING pid:{pid}"),
            format!("PROCESS_STATE_STOPPING {of_p} from_state:RUNNING pid:{pid}"),
            format!("PROCESS_STATE_STOPPED {of_p} from_state:STOPPING pid:{pid}"),
        ]
    );
    for (code, expected) in [(4, 1), (5, 0)] {
        start(&mut rig, "p");
        let pid = rig.pid("p");
        rig.pass_secs(1);
        rig.exit_code("p", code);
        let exited = format!("PROCESS_STATE_EXITED {of_p} from_state:RUNNING expected:{expected} pid:{pid}");
        assert_eq!(rig.drained("l").last(), Some(&exited));
    }
    // PROC-026: it ran, though nobody had said so yet: both, with its pid.
    start(&mut rig, "p");
    let pid = rig.pid("p");
    rig.clock.pass(Duration::from_millis(1_500));
    rig.exit_code("p", 0);
    assert_eq!(
        rig.drained("l")[1..],
        [
            format!("PROCESS_STATE_RUNNING {of_p} from_state:STARTING pid:{pid}"),
            format!("PROCESS_STATE_EXITED {of_p} from_state:RUNNING expected:1 pid:{pid}"),
        ]
    );
}

#[test]
fn evt_007_010_stopped_from_backoff_and_unknown() {
    let mut rig = quiet("PROCESS_STATE_STOPPED,PROCESS_STATE_UNKNOWN", &program("p", ""));
    start(&mut rig, "p");
    rig.exit_code("p", 1);
    stop(&mut rig, "p");
    assert_eq!(rig.drained("l"), ["PROCESS_STATE_STOPPED processname:p groupname:p from_state:BACKOFF pid:0"]);
    start(&mut rig, "p");
    rig.host.kill_error = Some(majordomo::base::errno::Errno::EPERM);
    stop(&mut rig, "p");
    assert_eq!(rig.drained("l"), ["PROCESS_STATE_UNKNOWN processname:p groupname:p from_state:STOPPING"]);
}

#[test]
fn exit_statuses_for_those_who_ask() {
    let text = listener("l", "PROCESS_STATE_EXITED", "exit_status_in_events=true")
        + &listener("plain", "PROCESS_STATE_EXITED", "")
        + &program("p", "autorestart=false");
    let mut rig = Rig::listening(&text);
    rig.ready("l");
    rig.ready("plain");
    for (code, tokens) in [(Some(3), "exitstatus:3 signal:0"), (None, "exitstatus:-1 signal:9")] {
        start(&mut rig, "p");
        let pid = rig.pid("p");
        rig.pass_secs(1);
        match code {
            Some(code) => rig.exit_code("p", code),
            None => rig.die("p", 9),
        }
        let payload = format!("PROCESS_STATE_EXITED processname:p groupname:p from_state:RUNNING expected:0 pid:{pid}");
        assert_eq!(rig.drained("plain"), std::slice::from_ref(&payload));
        assert_eq!(rig.drained("l"), [format!("{payload} {tokens}")]);
    }
}

#[test]
fn evt_012_013_031_045_output() {
    let events = "stdout_events_enabled=true\nstderr_events_enabled=true";
    let mut rig = quiet("PROCESS_LOG", &(program("p", events) + &program("silent", "")));
    for name in ["p", "silent"] {
        start(&mut rig, name);
    }
    let pid = rig.pid("p");
    let head = |channel: &str| {
        let kind = channel.to_uppercase();
        format!("PROCESS_LOG_{kind} processname:p groupname:p pid:{pid} channel:{channel}\n")
    };
    rig.print("p", Channel::Stdout, b"one\ntwo");
    rig.print("p", Channel::Stdout, b"\xc3");
    rig.print("p", Channel::Stdout, b"\xa9'\xff\n");
    rig.print("p", Channel::Stderr, "é".as_bytes());
    rig.print("silent", Channel::Stdout, b"no");
    assert_eq!(
        rig.drained("l"),
        [
            head("stdout") + "one\ntwo",
            // Each piece by itself.
            head("stdout") + r"Undecodable: b'\xc3'",
            head("stdout") + "Undecodable: b\"\\xa9'\\xff\\n\"",
            head("stderr") + "é",
        ]
    );
}

#[test]
fn evt_045_ansi_sequences_are_out_of_events() {
    let text = listener("l", "PROCESS_LOG", "") + &program("p", "stdout_events_enabled=true");
    let mut config = read(&text).expect("a configuration");
    config.daemon.strip_ansi = true;
    let mut rig = Rig::of(config);
    rig.begin();
    rig.pass_ms(1);
    rig.ready("l");
    start(&mut rig, "p");
    // The second has nothing left, so there is no event.
    rig.print("p", Channel::Stdout, b"\x1b[31mred\x1b[0m");
    rig.print("p", Channel::Stdout, b"\x1b[0m");
    let sent = rig.drained("l");
    assert_eq!(sent.len(), 1);
    assert!(sent[0].ends_with("channel:stdout\nred"), "{sent:?}");
}

#[test]
fn evt_015_016_062_063_bug_085_blocks() {
    // EVT-016, EVT-031, EVT-045, EVT-062, EVT-063.
    let capture = "stdout_capture_maxbytes=10\nstderr_capture_maxbytes=1MB\nstdout_events_enabled=true";
    let mut rig = quiet("PROCESS_COMMUNICATION,PROCESS_LOG", &program("p", capture));
    start(&mut rig, "p");
    let pid = rig.pid("p");
    let block = |channel: &str, data: &str| {
        format!("PROCESS_COMMUNICATION_{channel} processname:p groupname:p pid:{pid}\n{data}")
    };
    let log = |data: &str| format!("PROCESS_LOG_STDOUT processname:p groupname:p pid:{pid} channel:stdout\n{data}");
    rig.print(
        "p",
        Channel::Stdout,
        b"a<!--XSUPERVISOR:BEGIN-->0123456789ab<!--XSUPERVISOR:END--><!--XSUPERVISOR:BEGIN--><!--XSUPERVISOR:END-->b",
    );
    assert_eq!(
        rig.drained("l"),
        [
            log("a"),
            // BUG-085: between the tags, too.
            log("0123456789ab"),
            // EVT-065: the newest ten.
            block("STDOUT", "23456789ab"),
            block("STDOUT", ""),
            log("b"),
        ]
    );
    rig.news();
    rig.print("p", Channel::Stderr, b"<!--XSUPERVISOR:BEGIN-->x<!--XSUPERVISOR:BEGIN-->");
    rig.print("p", Channel::Stderr, b"y\xff<!--XSUPER");
    rig.print("p", Channel::Stderr, b"VISOR:END-->");
    assert_eq!(rig.drained("l"), [block("STDERR", r"Undecodable: b'x<!--XSUPERVISOR:BEGIN-->y\xff'")]);
    assert!(rig.news().contains(&"DEBG 'p' stderr emitted a comm event".to_string()));
}

#[test]
fn evt_066_067_068_blocks_that_come_to_nothing() {
    let capture = "stdout_capture_maxbytes=1MB\nredirect_stderr=true\nautorestart=false\nstartsecs=0";
    let mut rig = quiet("PROCESS_COMMUNICATION", &program("p", capture));
    start(&mut rig, "p");
    rig.pass_ms(1);
    rig.print("p", Channel::Stdout, b"<!--XSUPERVISOR:BEGIN-->half");
    rig.get("supervisor.clearProcessLogs", vec![s("p")]);
    // EVT-067: what was kept is forgotten, the block goes on.
    rig.print("p", Channel::Stdout, b" and half<!--XSUPERVISOR:END--><!--XSUPERVISOR:BEGIN-->lost");
    let (sent, pid) = (rig.drained("l"), rig.pid("p"));
    // EVT-068: with redirect_stderr there is only this channel.
    assert_eq!(sent, [format!("PROCESS_COMMUNICATION_STDOUT processname:p groupname:p pid:{pid}\n and half")]);
    // EVT-066: its end is no end of a block, and the next child begins outside.
    rig.exit_code("p", 0);
    start(&mut rig, "p");
    rig.print("p", Channel::Stdout, b"x<!--XSUPERVISOR:END-->");
    assert!(rig.drained("l").is_empty());
}

#[test]
fn evt_017_047_remote_events_also_at_the_end() {
    // EVT-047.
    let mut rig = quiet("REMOTE_COMMUNICATION", &program("p", ""));
    start(&mut rig, "p");
    let send = "supervisor.sendRemoteCommEvent";
    rig.get(send, vec![s("a b:c"), s("line\nnext")]);
    rig.get(send, vec![pure::i(5), pure::b(true)]);
    rig.turn(|world, turn| world.begin_shutdown(turn));
    assert_eq!(rig.world.mood(), Mood::Shutdown);
    rig.get(send, vec![s(""), s("")]);
    assert_eq!(
        rig.drained("l"),
        [
            "REMOTE_COMMUNICATION type:a b:c\nline\nnext",
            "REMOTE_COMMUNICATION type:5\nTrue",
            "REMOTE_COMMUNICATION type:\n"
        ]
    );
}

#[test]
fn evt_040_041_the_beginning() {
    // EVT-019, EVT-024, EVT-041. Pools first, since their priority is -1, then by name.
    let text = listener("a", "PROCESS_GROUP,SUPERVISOR_STATE_CHANGE,PROCESS_STATE_STARTING", "")
        + &listener("b", "PROCESS_GROUP", "")
        + &program("p", "autostart=true");
    let mut rig = Rig::listening(&text);
    for name in ["a", "b"] {
        rig.ready(name);
    }
    let added = |names: &[&str]| names.iter().map(|name| format!("PROCESS_GROUP_ADDED groupname:{name}\n")).collect();
    let mut wanted: Vec<String> = added(&["a", "b", "p"]);
    wanted.push("SUPERVISOR_STATE_CHANGE_RUNNING ".to_string());
    for name in ["a", "b", "p"] {
        wanted.push(format!("PROCESS_STATE_STARTING processname:{name} groupname:{name} from_state:STOPPED tries:0"));
    }
    assert_eq!(rig.drained("a"), wanted);
    // A pool is told of itself and of later ones.
    let own: Vec<String> = added(&["b", "p"]);
    assert_eq!(rig.drained("b"), own);
}

#[test]
fn evt_042_020_proc_076_the_end_is_told_before_any_signal() {
    let mut rig = quiet("SUPERVISOR_STATE_CHANGE,PROCESS_STATE_STOPPING", &program("p", ""));
    start(&mut rig, "p");
    rig.pass_secs(1);
    rig.kills();
    rig.turn(|world, turn| world.begin_shutdown(turn));
    assert_eq!(rig.drained("l"), ["SUPERVISOR_STATE_CHANGE_STOPPING "]);
    assert!(rig.kills().is_empty());
    rig.settle();
    assert_eq!(rig.kills().len(), 1);
    let stopping = format!("PROCESS_STATE_STOPPING processname:p groupname:p from_state:RUNNING pid:{}", rig.pid("p"));
    assert_eq!(rig.drained("l"), [stopping]);
    // Once, however often the end is asked for.
    rig.turn(|world, turn| world.signalled(15, turn));
    assert!(rig.drained("l").is_empty());
    // The pool stops last, and isn't told of that.
    rig.die("p", 15);
    assert_eq!(rig.state("l"), State::Stopping);
    assert!(rig.drained("l").is_empty());
}

#[test]
fn evt_043_025_groups_that_come_and_go() {
    // EVT-025.
    const TWIDDLER: &str = "[rpcinterface:twiddler]\n\
        supervisor.rpcinterface_factory=supervisor_twiddler.rpcinterface:make_twiddler_rpcinterface\n";
    let mut rig = quiet("PROCESS_GROUP", &(program("p", "") + TWIDDLER));
    rig.get("supervisor.removeProcessGroup", vec![s("p")]);
    assert_eq!(rig.drained("l"), ["PROCESS_GROUP_REMOVED groupname:p\n"]);
    rig.get("supervisor.addProcessGroup", vec![s("p")]);
    assert_eq!(rig.drained("l"), ["PROCESS_GROUP_ADDED groupname:p\n"]);
    rig.get("twiddler.addGroup", vec![s("new"), pure::i(5)]);
    assert_eq!(rig.drained("l"), ["PROCESS_GROUP_ADDED groupname:new\n"]);
    // What is added to a group is no group.
    let settings = pure::st(&[("command", s("/bin/steady")), ("autostart", s("false"))]);
    rig.get("twiddler.addProgramToGroup", vec![s("new"), s("x"), settings]);
    assert!(rig.drained("l").is_empty());
}

#[test]
fn evt_044_022_ticks() {
    let mut rig = quiet("TICK", "");
    let begin = rig.clock.now().wall.secs();
    // None for the slice that was begun before; then one for each that begins.
    let mut wanted = Vec::new();
    for when in begin + 1..=begin + 3_700 {
        for (period, name) in [(5, "TICK_5"), (60, "TICK_60"), (3_600, "TICK_3600")] {
            if when % period == 0 {
                wanted.push(format!("{name} when:{when}"));
            }
        }
    }
    let mut sent = Vec::new();
    for _ in 0..3_700 {
        rig.pass_secs(1);
        sent.extend(rig.drained("l"));
    }
    assert!(wanted.len() > 740);
    assert_eq!(sent, wanted);
}

#[test]
fn evt_044_slices_that_were_slept_through_are_not_made_up_for() {
    let mut rig = quiet("TICK_5", "");
    rig.clock.pass(Duration::from_secs(62));
    let now = rig.clock.now().wall.secs();
    rig.pass_ms(0);
    assert_eq!(rig.drained("l"), [format!("TICK_5 when:{}", now / 5 * 5)]);
    // A clock that is set: the slice is another one, also if it is an earlier one.
    for step in [100_000, -100_000] {
        rig.clock.step_wall(step);
        rig.pass_secs(5);
        let sent = rig.drained("l");
        assert_eq!(sent.len(), 1, "{sent:?}");
        assert_eq!(sent[0], format!("TICK_5 when:{}", rig.clock.now().wall.secs() / 5 * 5));
    }
    // Also where only hours are asked for: within a minute.
    let mut rig = quiet("TICK_3600", "");
    rig.clock.step_wall(7_200);
    rig.pass_secs(60);
    assert_eq!(rig.drained("l").len(), 1);
}

/// Ticks are armed only while somebody asked for them.
#[test]
fn evt_044_no_alarm_without_a_subscription() {
    let mut rig = quiet("PROCESS_STATE,REMOTE_COMMUNICATION", "");
    assert_eq!(rig.world.next_deadline(), None);
    let ticks = listener("t", "TICK_60", "autostart=false");
    rig.host.config = Some(read(&ticks).expect("a configuration"));
    rig.get("supervisor.reloadConfig", vec![]);
    rig.get("supervisor.addProcessGroup", vec![s("t")]);
    assert!(rig.world.next_deadline().is_some());
    rig.get("supervisor.removeProcessGroup", vec![s("t")]);
    assert_eq!(rig.world.next_deadline(), None);
}

/// Nothing is made of events that nobody asked for, and they use up no number (EVT-081).
#[test]
fn evt_081_unwanted_events_are_not_counted() {
    let wanted = |world: &World, names: &[Kind]| names.iter().map(|kind| world.wants(*kind)).collect::<Vec<_>>();
    let mut rig = quiet("TICK_60,REMOTE_COMMUNICATION", &program("p", "stdout_events_enabled=true"));
    let all = [Kind::Starting, Kind::LogStdout, Kind::GroupAdded, Kind::Tick5, Kind::Tick60, Kind::Remote];
    assert_eq!(wanted(&rig.world, &all), [false, false, false, false, true, true]);
    start(&mut rig, "p");
    rig.print("p", Channel::Stdout, b"words");
    rig.remote("x");
    assert_eq!(rig.sent("l").iter().map(|message| message.serial).collect::<Vec<_>>(), [0]);
}

#[test]
fn evt_046_proc_140_listeners_and_their_own_output() {
    let more = "stdout_events_enabled=true\nstderr_events_enabled=true\nstdout_capture_maxbytes=1MB\n\
                stderr_capture_maxbytes=1MB\nbuffer_size=100";
    let text = listener("l", "PROCESS_LOG,PROCESS_COMMUNICATION", "buffer_size=100") + &listener("other", "TICK", more);
    let mut rig = Rig::listening(&text);
    rig.ready("l");
    rig.ready("other");
    // Its protocol is no output.
    rig.say("other", "<!--XSUPERVISOR:BEGIN-->x<!--XSUPERVISOR:END-->");
    assert!(rig.drained("l").is_empty());
    // EVT-111: but stderr is.
    let pid = rig.pid("other");
    rig.print("other", Channel::Stderr, b"<!--XSUPERVISOR:BEGIN-->x<!--XSUPERVISOR:END-->");
    assert_eq!(
        rig.drained("l"),
        [
            format!("PROCESS_LOG_STDERR processname:other groupname:other pid:{pid} channel:stderr\nx"),
            format!("PROCESS_COMMUNICATION_STDERR processname:other groupname:other pid:{pid}\nx")
        ]
    );
}

#[test]
fn evt_046_listeners_have_states_that_are_told() {
    let text = listener("a", "PROCESS_STATE", "buffer_size=100") + &listener("b", "TICK_60", "");
    let mut rig = Rig::listening(&text);
    rig.ready("a");
    let sent = rig.drained("a");
    for name in ["a", "b"] {
        let pid = rig.pid(name);
        let running =
            format!("PROCESS_STATE_RUNNING processname:{name} groupname:{name} from_state:STARTING pid:{pid}");
        assert!(sent.contains(&running), "{sent:?}");
    }
}
