//! A read of a log that directly follows the start: the first words of the program are what it is about (TWID-091).

mod pure;

use majordomo::base::value::Value;
use majordomo::base::words::Channel;
use majordomo::config::spec::LogFile;
use pure::{Asked, Rig};

fn rig() -> Rig {
    let mut rig = Rig::one(|spec| {
        spec.startsecs = 0;
        spec.autostart = false;
        spec.channels[0].logfile = LogFile::Path("/var/log/p.log".to_string());
    });
    assert_eq!(rig.get("supervisor.startProcess", vec!["p".into()]), Value::Bool(true));
    rig
}

fn read() -> Vec<Value> {
    vec!["p".into(), Value::Int(0), Value::Int(50)]
}

fn text(text: &str) -> Option<Result<Value, majordomo::base::words::Fault>> {
    Some(Ok(Value::str(text)))
}

#[test]
fn twid_091_a_read_waits_for_the_first_words() {
    let mut rig = rig();
    let mut waiting = rig.wait("supervisor.readProcessLog", read());
    assert_eq!(rig.poll(&mut waiting), None);
    let before = rig.world.changes();
    rig.print("p", Channel::Stdout, b"total 0\n");
    assert!(rig.world.changes() > before, "whoever waits is asked again");
    assert_eq!(rig.poll(&mut waiting), text("total 0\n"));
    // From here on a read never waits.
    assert_eq!(rig.get("supervisor.readProcessLog", vec!["p".into(), Value::Int(8), Value::Int(0)]), Value::str(""));
}

#[test]
fn twid_091_a_read_waits_for_the_end_of_a_silent_program() {
    let mut rig = rig();
    let mut waiting = rig.wait("supervisor.readProcessLog", read());
    rig.exit_code("p", 0);
    assert_eq!(rig.poll(&mut waiting), text(""));
    assert_eq!(rig.get("supervisor.readProcessLog", read()), Value::str(""));
}

#[test]
fn twid_091_no_read_waits_longer_than_a_second_after_the_start() {
    let mut rig = rig();
    rig.pass_ms(400);
    let mut waiting = rig.wait("supervisor.readProcessLog", read());
    let before = rig.world.changes();
    rig.pass_ms(599);
    assert_eq!((rig.world.changes(), rig.poll(&mut waiting)), (before, None));
    rig.pass_ms(1);
    assert!(rig.world.changes() > before, "the moment wakes whoever waits");
    assert_eq!(rig.poll(&mut waiting), text(""));
    assert_eq!(rig.world.next_deadline(), None, "and nobody after that");
}

#[test]
fn rpc_103_a_read_that_finds_something_never_waits() {
    let mut rig = rig();
    rig.print("p", Channel::Stdout, b"old\n");
    rig.exit_code("p", 0);
    assert_eq!(rig.get("supervisor.startProcess", vec!["p".into()]), Value::Bool(true));
    assert_eq!(rig.get("supervisor.readProcessLog", read()), Value::str("old\n"));
    // RPC-104: the other channel is as silent, and so is its log.
    assert!(matches!(rig.ask("supervisor.readProcessStderrLog", read()), Asked::Later(_) | Asked::Now(Err(_))));
    // Tails never wait (RPC-122).
    assert!(matches!(rig.ask("supervisor.tailProcessLog", read()), Asked::Now(Ok(_))));
}
