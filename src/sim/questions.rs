//! What pretended clients ask: everything that changes processes, logs, groups and the cache, and some nonsense.

use crate::base::value::Value;
use crate::sim::child::Frames;
use crate::sim::client::{Scope, Topic};
use crate::sim::dice::Dice;
use crate::sim::setup::program_settings;
use crate::world::World;

/// A question to be asked.
pub struct Draft {
    /// The method's full name.
    pub method: &'static str,
    /// Its arguments.
    pub params: Vec<Value>,
    /// What it is about.
    pub topic: Topic,
}

fn other(method: &'static str, params: Vec<Value>) -> Draft {
    Draft { method, params, topic: Topic::Other }
}

fn about(method: &'static str, params: Vec<Value>, scope: Scope) -> Draft {
    Draft { method, params, topic: Topic::Processes(scope) }
}

/// The names of some process and its group; now and then names that nobody has.
fn names(world: &World, dice: &mut Dice) -> (String, String) {
    let keys = world.processes.keys();
    if keys.is_empty() || dice.one_in(30) {
        return ("nobody".to_string(), "nothing".to_string());
    }
    match world.processes.get(*dice.pick(&keys)) {
        Some(process) => (process.group_name.to_string(), process.spec.name.clone()),
        None => ("nobody".to_string(), "nothing".to_string()),
    }
}

/// One question about processes.
pub fn about_processes(world: &World, dice: &mut Dice) -> Draft {
    match dice.below(12) {
        0..=5 => control(world, dice),
        6..=7 => streams_and_logs(world, dice),
        8..=9 => groups(world, dice),
        10 => at_once(world, dice),
        _ => the_daemon(world, dice),
    }
}

/// Starts and stops: of one, of a group, of all; waited for or not.
fn control(world: &World, dice: &mut Dice) -> Draft {
    let (group, process) = names(world, dice);
    let waits = dice.one_in(2);
    let wait = Value::Bool(waits);
    let one = Value::Str(format!("{group}:{process}"));
    let whole = Value::Str(format!("{group}:*"));
    let named = Value::Str(group.clone());
    let of_one = Scope { group: Some(group.clone()), process: Some(process), waits, ..Scope::default() };
    let of_group = Scope { group: Some(group), ..Scope::default() };
    let start = |scope| Scope { starts: true, ..scope };
    let stop = |scope| Scope { stops: true, ..scope };
    match dice.below(24) {
        0..=8 => about("supervisor.startProcess", vec![one, wait], start(of_one)),
        9..=15 => about("supervisor.stopProcess", vec![one, wait], stop(of_one)),
        16 => about("supervisor.startProcess", vec![whole, wait], start(of_group)),
        17 => about("supervisor.stopProcess", vec![whole, wait], stop(of_group)),
        18 => about("supervisor.startProcessGroup", vec![named, wait], start(of_group)),
        19 => about("supervisor.stopProcessGroup", vec![named, wait], stop(of_group)),
        20 => about("supervisor.startAllProcesses", vec![wait], start(Scope::default())),
        21 if dice.one_in(4) => about("supervisor.stopAllProcesses", vec![wait], stop(Scope::default())),
        _ => {
            let signal = Value::str(*dice.pick(&["HUP", "USR1", "10", "SIGCONT", "WINCH", "NOPE"]));
            match dice.below(4) {
                0 => other("supervisor.signalProcessGroup", vec![named, signal]),
                1 => other("supervisor.signalAllProcesses", vec![signal]),
                _ => other("supervisor.signalProcess", vec![one, signal]),
            }
        }
    }
}

fn streams_and_logs(world: &World, dice: &mut Dice) -> Draft {
    let (group, process) = names(world, dice);
    let name = Value::Str(format!("{group}:{process}"));
    let clears = Scope { clears: true, ..Scope::default() };
    let key = world.find_member(&group, &process);
    let listens = key.and_then(|key| world.processes.get(key)).is_some_and(|process| process.listener.is_some());
    match dice.below(10) {
        // A listener would take it for a part of an event.
        0..=3 if listens => other("supervisor.sendRemoteCommEvent", vec![name, Value::str("\u{e9}\n")]),
        0..=3 => {
            let (number, length) = (dice.below(1_000), dice.below(9_000));
            other("supervisor.sendProcessStdin", vec![name, Value::Str(Frames::frame(number, length))])
        }
        4 => about("supervisor.clearProcessLogs", vec![name], clears),
        5 if dice.one_in(5) => about("supervisor.clearAllProcessLogs", Vec::new(), clears),
        5 => other("supervisor.readLog", vec![Value::Int(-200), Value::Int(0)]),
        6 if dice.one_in(5) => about("supervisor.clearLog", Vec::new(), clears),
        6..=7 => {
            let offset = Value::Int(dice.below(50) as i64 - 10);
            other("supervisor.readProcessStdoutLog", vec![name, offset, Value::Int(0)])
        }
        8 => other("supervisor.tailProcessStderrLog", vec![name, Value::Int(0), Value::Int(100)]),
        _ => other("twiddler.log", vec![Value::str("a client's line"), Value::str("INFO")]),
    }
}

/// Groups and members come and go, in whatever state they are.
fn groups(world: &World, dice: &mut Dice) -> Draft {
    let (group, process) = names(world, dice);
    match dice.below(10) {
        0..=1 => other("supervisor.removeProcessGroup", vec![Value::Str(group)]),
        2..=3 => other("supervisor.addProcessGroup", vec![Value::Str(format!("p{}", dice.below(20)))]),
        4 => {
            let name = Value::Str(format!("t{}", dice.below(3)));
            other("twiddler.addGroup", vec![name, Value::Int(dice.below(1000) as i64)])
        }
        5..=6 => {
            let settings = program_settings(dice).into_iter().map(|(key, text)| (key.to_string(), Value::Str(text)));
            let group = if dice.one_in(2) { group } else { format!("t{}", dice.below(3)) };
            let name = Value::Str(format!("new{}", dice.below(10)));
            other("twiddler.addProgramToGroup", vec![Value::Str(group), name, Value::Struct(settings.collect())])
        }
        _ => other("twiddler.removeProcessFromGroup", vec![Value::Str(group), Value::Str(process)]),
    }
}

/// Several calls in one: a stop and a start of one process, or whatever comes.
/// One call of a multicall.
fn call(method: &str, params: Vec<Value>) -> Value {
    let members = [("methodName", Value::str(method)), ("params", Value::Array(params))];
    Value::Struct(members.map(|(key, value)| (key.to_string(), value)).into())
}

fn at_once(world: &World, dice: &mut Dice) -> Draft {
    let (calls, group, process) = if dice.one_in(2) {
        let (group, process) = names(world, dice);
        let name = Value::Str(format!("{group}:{process}"));
        let calls =
            ["supervisor.stopProcess", "supervisor.startProcess"].map(|method| call(method, vec![name.clone()]));
        (calls.to_vec(), Some(group), Some(process))
    } else {
        let mut calls = Vec::new();
        for _ in 0..dice.between(2, 5) {
            let draft = if dice.one_in(2) { control(world, dice) } else { groups(world, dice) };
            calls.push(call(draft.method, draft.params));
        }
        (calls, None, None)
    };
    let scope = Scope { group, process, starts: true, stops: true, clears: false, waits: false };
    about("system.multicall", vec![Value::Array(calls)], scope)
}

fn the_daemon(world: &World, dice: &mut Dice) -> Draft {
    let (group, process) = names(world, dice);
    match dice.below(40) {
        // Once in a while: the answer is long.
        0..=3 => other("supervisor.getAllProcessInfo", Vec::new()),
        4..=19 => other("supervisor.getProcessInfo", vec![Value::Str(format!("{group}:{process}"))]),
        20..=25 => other("supervisor.reloadConfig", Vec::new()),
        26 => other("supervisor.getAllConfigInfo", Vec::new()),
        // So long that it is written in pieces.
        27 if dice.one_in(4) => {
            let call = call("system.listMethods", Vec::new());
            other("system.multicall", vec![Value::Array(vec![call; 120])])
        }
        27..=31 => other("supervisor.noSuchMethod", Vec::new()),
        32 => other("supervisor.restart", Vec::new()),
        33 => other("supervisor.shutdown", Vec::new()),
        _ => other("supervisor.startProcess", vec![Value::Nil]),
    }
}
