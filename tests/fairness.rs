//! Large calls: one client that asks for much at once leaves every other client its turn.

mod pure;
mod support;

use majordomo::base::limits::{REQUESTS_PER_TURN, SPAWN_PAUSE, SPAWNS_PER_LOOK};
use majordomo::base::value::Value;
use majordomo::base::words::State;
use majordomo::config::spec::Autorestart;
use majordomo::rpc::Waiting;
use pure::{Rig, b, done, entry, group, idle, program, s, solo, st, yes};
use support::daemon::Daemon;
use support::{QUIET, proc, upstream, wait_until};

const COUNT: usize = 3 * SPAWNS_PER_LOOK;

/// A group of so many, by name in order.
fn many() -> Rig {
    Rig::new(vec![group("g", 1, (0..COUNT).map(|number| idle(&name(number))).collect())])
}

fn name(number: usize) -> String {
    format!("p{number:03}")
}

/// Looks at an answer as the turns of an idle daemon would: at once again, as its alarm asks, until time has to pass.
fn look_at_once(rig: &mut Rig, waiting: &mut Waiting) -> (usize, Option<Value>) {
    let mut looks = 0;
    while rig.world.next_deadline().is_some_and(|at| at <= rig.clock.now().mono) {
        rig.turn(|world, turn| world.due(turn));
        looks += 1;
        if let Some(result) = rig.poll(waiting) {
            return (looks, Some(result.expect("no fault")));
        }
    }
    (looks, None)
}

/// RPC-054, RPC-059: all are started before the first is waited for, but not in one turn.
#[test]
fn a_large_group_is_started_a_few_at_a_time() {
    let mut rig = many();
    let mut waiting = rig.wait("supervisor.startProcessGroup", vec![s("g")]);
    assert_eq!(rig.spawned().len(), SPAWNS_PER_LOOK);
    assert_eq!(look_at_once(&mut rig, &mut waiting), (2, None));
    assert_eq!(rig.spawned(), (0..COUNT).map(name).collect::<Vec<_>>());
    rig.pass_secs(1);
    let all = (0..COUNT).map(|number| done("g", &name(number))).collect();
    assert_eq!(rig.poll(&mut waiting), Some(Ok(Value::Array(all))));

    // Without waiting the answer still comes, and only once all are started.
    let mut rig = many();
    let mut waiting = rig.wait("supervisor.startAllProcesses", vec![b(false)]);
    let (looks, answer) = look_at_once(&mut rig, &mut waiting);
    assert_eq!(looks, 2);
    assert!(matches!(answer, Some(Value::Array(items)) if items.len() == COUNT));
}

/// RPC-008: what the end overtakes is not started any more.
#[test]
fn a_group_that_is_being_started_stops_for_the_end() {
    let mut rig = many();
    let mut waiting = rig.wait("supervisor.startProcessGroup", vec![s("g"), b(false)]);
    rig.get("supervisor.shutdown", vec![]);
    let (_, answer) = look_at_once(&mut rig, &mut waiting);
    let expected = (0..COUNT).map(|number| match number {
        _ if number < SPAWNS_PER_LOOK => done("g", &name(number)),
        _ => entry("g", &name(number), 40, &format!("ABNORMAL_TERMINATION: g:{}", name(number))),
    });
    assert_eq!(answer, Some(Value::Array(expected.collect())));
    assert_eq!(rig.spawned().len(), SPAWNS_PER_LOOK);
}

/// A start that waits for room holds nothing else up, and wakes nobody before there may be some.
#[test]
fn without_room_starts_that_nobody_asked_for_by_name_are_put_off() {
    let again = program("again", |p| (p.startsecs, p.autorestart) = (0, Autorestart::Always));
    let slow = program("slow", |p| p.startsecs = 2);
    let mut rig = Rig::new(vec![solo(again), solo(slow), group("g", 1, (0..2).map(|n| idle(&name(n))).collect())]);
    rig.host.refusals.room = 1;
    rig.begin();
    assert_eq!(rig.spawned(), Vec::<String>::new());
    let next = rig.world.next_deadline().expect("a moment to try again");
    assert_eq!(next, rig.clock.now().mono + SPAWN_PAUSE);
    rig.host.refusals.room = 0;
    rig.pass(SPAWN_PAUSE);
    assert_eq!(rig.spawned(), ["again", "slow"]);

    // PROC-034: what isn't a start has its moment.
    rig.exit_code("again", 1);
    rig.host.refusals.room = 1;
    rig.pass_secs(2);
    assert_eq!((rig.state("again"), rig.state("slow")), (State::Exited, State::Running));
    // A group waits for room, and its answer with it; who is asked for by name doesn't.
    let mut waiting = rig.wait("supervisor.startProcessGroup", vec![s("g"), b(false)]);
    assert!(rig.world.next_deadline().expect("a moment to look again") > rig.clock.now().mono);
    rig.get("supervisor.startProcess", vec![s("g:p001"), b(false)]);
    assert_eq!(rig.spawned(), ["again", "slow", "p001"]);
    // Whoever is called off meanwhile is not started any more.
    rig.exit_code("slow", 0);
    rig.host.refusals.room = 0;
    rig.pass(SPAWN_PAUSE);
    assert_eq!(rig.spawned(), ["again", "slow", "p001", "again"]);
    assert!(matches!(rig.poll(&mut waiting), Some(Ok(Value::Array(items))) if items.len() == 2));
    assert_eq!(rig.spawned()[4..], ["p000"]);
}

/// RPC-171: in order, and not all in one turn.
#[test]
fn a_long_multicall_leaves_others_their_turn() {
    let mut rig = many();
    let call = |key: usize| {
        let params = Value::Array(vec![s(&key.to_string()), s("v")]);
        st(&[("methodName", s("cache.store")), ("params", params)])
    };
    let calls = Value::Array((0..3 * REQUESTS_PER_TURN).map(call).collect());
    let mut waiting = rig.wait("system.multicall", vec![calls]);
    let Value::Array(keys) = rig.get("cache.getKeys", vec![]) else { panic!("keys") };
    assert_eq!(keys.len(), REQUESTS_PER_TURN);
    let (looks, answer) = look_at_once(&mut rig, &mut waiting);
    assert!(looks <= 3, "{looks} looks");
    assert_eq!(answer, Some(Value::Array(vec![yes(); 3 * REQUESTS_PER_TURN])));
}

/// HTTP-108: a follower that goes is forgotten, whatever it sent behind its question and however silent the log is.
#[test]
fn a_follower_that_leaves_is_noticed() {
    if upstream() {
        return;
    }
    let daemon = Daemon::start(QUIET);
    let count = || proc::descriptors(daemon.pid()).len();
    // Whoever asked whether the daemon is up has gone once a later client has its second answer.
    let mut later = daemon.connect();
    for _ in 0..2 {
        assert_eq!(later.ask(&support::xmlrpc::request("supervisor.getPID", &[])).expect("an answer").status, 200);
    }
    let before = count() - 1;
    drop(later);
    for rest in [0, 1 << 20] {
        let mut client = daemon.connect();
        client.send(b"GET /mainlogtail HTTP/1.1\r\nHost: x\r\n\r\n").expect("a question");
        assert_eq!(client.read_head().expect("an answer").status, 200);
        client.send(&vec![b'x'; rest]).expect("it takes the rest");
        assert!(count() > before);
        drop(client);
        wait_until("the connection to be closed", 20, || count() == before);
    }
}
