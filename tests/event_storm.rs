//! Many events through a pool of four real listeners: none lost, none twice, in order; also where listeners die or fail
//! in the middle. `cargo bench --bench events` measures the same.

mod support;

use std::collections::BTreeMap;
use std::path::Path;

use support::daemon::Daemon;
use support::{QUIET, storm, wait_until};

#[test]
fn a_hundred_thousand_events_are_handled_once_and_in_order() {
    const COUNT: u64 = 100_000;
    let daemon = storm::setup(&storm::python_listener(), COUNT, 0).start();
    let took = storm::storm(&daemon, COUNT, 1_000, storm::ASKING);
    println!("{COUNT} events in {took:?}");
    storm::check(&daemon, COUNT, 1_000, storm::ASKING);
}

#[test]
fn one_call_for_each_event() {
    const COUNT: u64 = 5_000;
    let daemon = storm::setup(&storm::python_listener(), COUNT, 0).start();
    storm::storm(&daemon, COUNT, 1, storm::ASKING);
    storm::check(&daemon, COUNT, 1, storm::ASKING);
}

#[test]
fn calls_sent_without_waiting_for_answers() {
    const COUNT: u64 = 5_000;
    let way = storm::Way { connections: 3, together: 16 };
    let daemon = storm::setup(&storm::python_listener(), COUNT, 0).start();
    storm::storm(&daemon, COUNT, 1, way);
    storm::check(&daemon, COUNT, 1, way);
}

/// EVT-081, EVT-090, EVT-104, EVT-109, EVT-123: whatever a listener does with an event, short of accepting it, the event
/// comes again, with the same numbers.
#[test]
fn evt_109_listeners_that_die_or_fail_in_the_middle() {
    const COUNT: usize = 600;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/chaos_listener.py");
    let daemon = Daemon::start(&format!(
        "{QUIET}[eventlistener:l]\ncommand=python3 {} @DIR@/record\nevents=REMOTE_COMMUNICATION\nnumprocs=4\n\
         process_name=l%(process_num)d\nbuffer_size={COUNT}\nstartsecs=0\nautorestart=true\n",
        script.display()
    ));
    for number in 0..COUNT {
        daemon.call("supervisor.sendRemoteCommEvent", &["number".into(), number.to_string().into()]);
    }
    let accepted = || daemon.text("record").lines().filter(|line| line.starts_with("ok ")).count();
    wait_until("all events accepted", 120, || accepted() >= COUNT);
    let record = daemon.text("record");
    let mut by_number: BTreeMap<usize, Vec<(&str, &str)>> = BTreeMap::new();
    for line in record.lines() {
        let mut words = line.splitn(3, ' ');
        let mut word = || words.next().expect("three words");
        let (fate, number, serials) = (word(), word().parse().expect("a number"), word());
        by_number.entry(number).or_default().push((fate, serials));
    }
    assert!(by_number.keys().copied().eq(0..COUNT), "{} of {COUNT} events", by_number.len());
    for (number, tries) in &by_number {
        let accepted = tries.iter().filter(|(fate, _)| *fate == "ok").count();
        assert_eq!((accepted, tries.last().map(|(fate, _)| *fate)), (1, Some("ok")), "{number}: {tries:?}");
        // Both numbers are those of its place, whoever had it.
        assert!(tries.iter().all(|(_, serials)| *serials == format!("{number} {number}")), "{number}: {tries:?}");
    }
    for fate in ["die", "cut", "noise", "fail"] {
        assert!(record.contains(fate), "nothing had the fate {fate}");
    }
    let lines = daemon.messages();
    let count = |text: &str| lines.iter().filter(|line| line.contains(text)).count();
    assert_eq!(count("event was rejected"), record.matches("fail ").count());
    assert_eq!(count("bad result line: 'WHAT?'"), record.matches("noise ").count());
    assert_eq!(count("overflowed"), 0);
}
