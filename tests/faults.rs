//! What the system refuses leaves nothing behind: no open log, nobody who waits for the next event.

mod pure;

use majordomo::base::value::Value;
use majordomo::base::words::State;
use majordomo::config::spec::LogFile;
use pure::{Rig, program, solo};

#[test]
fn proc_051_a_start_that_fails_has_no_log_open() {
    let mut rig = Rig::one(|spec| {
        spec.channels[0].logfile = LogFile::Path("/tmp/out".to_string());
        spec.channels[1].logfile = LogFile::Path("/gone/err".to_string());
    });
    let before = rig.host.files.open_count();
    rig.begin();
    assert_eq!(rig.state("p"), State::Backoff);
    assert_eq!(rig.life("p").spawnerr(), "unknown error making dispatchers for 'p': ENOENT");
    assert_eq!(rig.host.files.open_count(), before);
}

#[test]
fn proc_082_an_autostart_asked_for_while_the_turn_settles_comes_in_that_turn() {
    // The second call of a multicall is heard only when the first one is answered: no event follows it.
    let mut rig = Rig::one(|spec| spec.autostart = false);
    rig.world.configured.push(solo(program("new", |_| {})));
    let call = |method: &str, params: Vec<Value>| {
        let members = [("methodName", Value::str(method)), ("params", Value::Array(params))];
        Value::Struct(members.map(|(key, value)| (key.to_string(), value)).into())
    };
    let calls = vec![
        call("supervisor.startProcess", vec![Value::str("p")]),
        call("supervisor.addProcessGroup", vec![Value::str("new")]),
    ];
    let mut waiting = rig.wait("system.multicall", vec![Value::Array(calls)]);
    rig.pass_secs(1);
    let before = rig.world.changes();
    assert!(rig.poll(&mut waiting).is_some());
    assert_ne!(rig.world.changes(), before, "whoever settles must see that there is more to do");
    rig.settle();
    assert_eq!(rig.state("new"), State::Starting);
}
