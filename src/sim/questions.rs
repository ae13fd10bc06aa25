//! What pretended clients ask: everything that changes processes, logs, groups and the cache, and some nonsense.

use crate::base::value::Value;
use crate::sim::client::Topic;
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
    let (group, process) = names(world, dice);
    let name = Value::Str(format!("{group}:{process}"));
    let whole = Value::Str(format!("{group}:*"));
    let wait = Value::Bool(dice.one_in(2));
    let starts = |process: Option<&String>| Topic::Start { group: Some(group.clone()), process: process.cloned() };
    match dice.below(40) {
        0..=7 => Draft { topic: starts(Some(&process)), method: "supervisor.startProcess", params: vec![name, wait] },
        8..=13 => other("supervisor.stopProcess", vec![name, wait]),
        14 => Draft { topic: starts(None), method: "supervisor.startProcess", params: vec![whole, wait] },
        15 => other("supervisor.stopProcess", vec![whole, wait]),
        16 => {
            let params = vec![Value::Str(group.clone()), wait];
            Draft { topic: starts(None), method: "supervisor.startProcessGroup", params }
        }
        17 => other("supervisor.stopProcessGroup", vec![Value::Str(group), wait]),
        18 => {
            let topic = Topic::Start { group: None, process: None };
            Draft { topic, method: "supervisor.startAllProcesses", params: vec![wait] }
        }
        19 if dice.one_in(4) => other("supervisor.stopAllProcesses", vec![wait]),
        20..=21 => {
            let signal = *dice.pick(&["HUP", "USR1", "10", "SIGCONT", "WINCH", "NOPE"]);
            other("supervisor.signalProcess", vec![name, Value::str(signal)])
        }
        22 => other("supervisor.sendProcessStdin", vec![name, Value::str("x".repeat(dice.below(9_000) as usize))]),
        23 => other("supervisor.clearProcessLogs", vec![name]),
        24 => {
            let offset = Value::Int(dice.below(50) as i64 - 10);
            other("supervisor.readProcessStdoutLog", vec![name, offset, Value::Int(0)])
        }
        25 => other("supervisor.tailProcessStderrLog", vec![name, Value::Int(0), Value::Int(100)]),
        26 => other("supervisor.getAllProcessInfo", Vec::new()),
        27 => other("supervisor.getProcessInfo", vec![name]),
        28 => other("supervisor.removeProcessGroup", vec![Value::Str(group)]),
        29 => other("supervisor.addProcessGroup", vec![Value::Str(format!("p{}", dice.below(20)))]),
        30 => {
            let name = Value::Str(format!("t{}", dice.below(3)));
            other("twiddler.addGroup", vec![name, Value::Int(dice.below(1000) as i64)])
        }
        31..=32 => {
            let settings = program_settings(dice).into_iter().map(|(key, text)| (key.to_string(), Value::Str(text)));
            let group = if dice.one_in(2) { group } else { format!("t{}", dice.below(3)) };
            let name = Value::Str(format!("new{}", dice.below(10)));
            other("twiddler.addProgramToGroup", vec![Value::Str(group), name, Value::Struct(settings.collect())])
        }
        33..=34 => other("twiddler.removeProcessFromGroup", vec![Value::Str(group), Value::Str(process)]),
        35 => restart(name, starts(Some(&process))),
        36 => other("supervisor.reloadConfig", Vec::new()),
        37 => other("supervisor.readLog", vec![Value::Int(-200), Value::Int(0)]),
        38 => other("supervisor.noSuchMethod", Vec::new()),
        _ => other("supervisor.startProcess", vec![Value::Nil]),
    }
}

/// Stops and starts in one call.
fn restart(name: Value, topic: Topic) -> Draft {
    let call = |method: &str| {
        let members = [("methodName", Value::str(method)), ("params", Value::Array(vec![name.clone()]))];
        Value::Struct(members.map(|(key, value)| (key.to_string(), value)).into())
    };
    let calls = vec![call("supervisor.stopProcess"), call("supervisor.startProcess")];
    Draft { method: "system.multicall", params: vec![Value::Array(calls)], topic }
}
