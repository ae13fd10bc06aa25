//! `supervisor.*` about processes: what they do now and how they are configured (rpc.md, sections 5 and 6).

use crate::base::key::Key;
use crate::base::order;
use crate::base::time::{Calendar, Now};
use crate::base::value::{Put, Value, ValueRef};
use crate::base::words::{Channel, State};
use crate::config::effective::Effective;
use crate::config::program_keys::{ProcessKeys, ProgramKeys};
use crate::rpc::args::{Kind, needs};
use crate::rpc::control::process_named;
use crate::rpc::{Answer, Call, Gate, Method, Outcome, Reply};
use crate::world::host::Host;
use crate::world::process::Process;
use crate::world::{Turn, World};

/// The rows.
pub const METHODS: &[Method] = &[
    Method {
        name: "getProcessInfo",
        params: &[needs("name", Kind::Text, "string", "A process: name or group:name.")],
        returns: "struct",
        signature: None,
        result: "State, times, pid, logs and a description.",
        help: "Tell what a process is doing.",
        gate: Gate::Running,
        reads: true,
        run: get_process_info,
    },
    Method {
        name: "getAllProcessInfo",
        params: &[],
        returns: "array",
        signature: None,
        result: "A struct for each process, as getProcessInfo gives it.",
        help: "Tell what all processes are doing, sorted by group and name.",
        gate: Gate::Running,
        reads: true,
        run: get_all_process_info,
    },
    Method {
        name: "getAllConfigInfo",
        params: &[],
        returns: "array",
        signature: None,
        result: "A struct for each configured process.",
        help: "Tell how all processes are configured, active or not, sorted by name.",
        gate: Gate::Running,
        reads: true,
        run: get_all_config_info,
    },
];

fn get_process_info(call: &mut Call<'_, '_>) -> Outcome {
    let who = process_named(call)?;
    let Some(process) = call.world.processes.get(who) else { return Ok(Value::Nil.into()) };
    let mut members = Vec::with_capacity(MEMBERS);
    let mut put = |name: &str, value: ValueRef<'_>| members.push((name.to_string(), value.into()));
    each_member(process, call.turn.now, call.turn.host, &mut put);
    Ok(Value::Struct(members).into())
}

fn get_all_process_info(call: &mut Call<'_, '_>) -> Outcome {
    Ok(Answer::Now(Ok(Reply::Structs(Structs::Infos(call.world.keys_by_name())))))
}

/// How many members [`each_member`] gives.
const MEMBERS: usize = 14;

/// What a process does now, member by member (RPC-070 to 083).
fn each_member(process: &Process, now: Now, host: &mut dyn Host, put: Put<'_>) {
    let life = &process.life;
    let text = |text| ValueRef::Str(text);
    let log = |channel| ValueRef::Str(process.log_path(channel).unwrap_or_default());
    put("name", text(&process.spec.name));
    put("group", text(&process.group_name));
    put("start", ValueRef::Int(life.start().map_or(0, |at| at.rpc_secs())));
    put("stop", ValueRef::Int(life.stop().map_or(0, |at| at.rpc_secs())));
    put("now", ValueRef::Int(now.wall.rpc_secs()));
    put("state", ValueRef::Int(i64::from(life.state() as i32)));
    put("statename", text(life.state().name()));
    put("spawnerr", text(life.spawnerr()));
    put("exitstatus", ValueRef::Int(i64::from(life.exitstatus().unwrap_or(0))));
    put("logfile", log(Channel::Stdout));
    put("stdout_logfile", log(Channel::Stdout));
    put("stderr_logfile", log(Channel::Stderr));
    put("pid", ValueRef::Int(i64::from(life.pid().unwrap_or(0))));
    put("description", text(&description(process, now, host)));
}

/// How a process does, in words (PROC-110 to 113).
pub fn description(process: &Process, now: Now, host: &mut dyn Host) -> String {
    let life = &process.life;
    match life.state() {
        State::Running => {
            let up = life.spawned().map_or(0, |spawned| (now.mono - spawned).as_secs());
            format!("pid {}, uptime {}", life.pid().unwrap_or(0), uptime(up))
        }
        State::Fatal | State::Backoff if life.spawnerr().is_empty() => {
            format!("unknown error (try \"tail {}\")", process.spec.name)
        }
        State::Fatal | State::Backoff => life.spawnerr().to_string(),
        State::Stopped | State::Exited => match life.stop() {
            None => "Not started".to_string(),
            Some(at) => Calendar::at(at.secs(), host.local_offset(at.secs())).stop_time(),
        },
        State::Starting | State::Stopping | State::Unknown => String::new(),
    }
}

/// `0:00:05`, `1 day, 0:00:00`, `2 days, 7:33:20` (PROC-110).
fn uptime(secs: u64) -> String {
    let (days, hours, minutes, secs) = (secs / 86_400, secs / 3_600 % 24, secs / 60 % 60, secs % 60);
    let clock = format!("{hours}:{minutes:02}:{secs:02}");
    match days {
        0 => clock,
        1 => format!("1 day, {clock}"),
        days => format!("{days} days, {clock}"),
    }
}

fn get_all_config_info(call: &mut Call<'_, '_>) -> Outcome {
    let groups = call.world.configured.groups();
    let places = |at: usize| (0..groups[at].processes.len()).map(move |process| (at, process));
    let mut all: Vec<(usize, usize)> = (0..groups.len()).flat_map(places).collect();
    // RPC-090: stable.
    let name = |(group, process): (usize, usize)| &groups[group].processes[process].name;
    order::sort_by(&mut all, |one, other| name(*one).cmp(name(*other)));
    Ok(Answer::Now(Ok(Reply::Structs(Structs::Configs(all)))))
}

/// How a process is configured (RPC-091 to 093): what its group says, then what the rows of the keys show. `at`: the places
/// of the group and of the process in it.
fn each_setting(at: (usize, usize), world: &World, put: Put<'_>) {
    let Some(group) = world.configured.groups().get(at.0) else { return };
    let Some(spec) = group.processes.get(at.1) else { return };
    let process = world.find_member(&group.name, &spec.name).and_then(|key| world.processes.get(key));
    let log = |channel| process.and_then(|process| process.log_path(channel));
    let of = Effective { spec, logs: [log(Channel::Stdout), log(Channel::Stderr)] };
    put("name", ValueRef::Str(&spec.name));
    put("group", ValueRef::Str(&group.name));
    put("group_prio", ValueRef::Int(group.priority));
    put("inuse", ValueRef::Any(&Value::Bool(world.find_group(&group.name).is_some())));
    for (name, show) in ProgramKeys::ROWS.iter().chain(ProcessKeys::ROWS).filter_map(|row| row.shown) {
        put(name, ValueRef::Any(&show(&of)));
    }
}

/// A list of structs that are not made before they are written: they are many, and asked for often.
#[derive(Clone, Debug)]
pub enum Structs {
    /// What these processes do.
    Infos(Vec<Key<Process>>),
    /// How processes are configured: the places of their groups among all configured ones, and theirs in those.
    Configs(Vec<(usize, usize)>),
}

impl Structs {
    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Structs::Infos(all) => all.len(),
            Structs::Configs(all) => all.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Gives the members of one of them. For one whose process is gone there are none.
    pub fn each_member(&self, place: usize, world: &World, turn: &mut Turn<'_>, put: Put<'_>) {
        match self {
            Structs::Infos(all) => {
                if let Some(process) = all.get(place).and_then(|who| world.processes.get(*who)) {
                    each_member(process, turn.now, turn.host, put);
                }
            }
            Structs::Configs(all) => {
                if let Some(&at) = all.get(place) {
                    each_setting(at, world, put);
                }
            }
        }
    }

    /// The list as a value.
    pub fn to_value(&self, world: &World, turn: &mut Turn<'_>) -> Value {
        let one = |place| {
            let mut members = Vec::new();
            self.each_member(place, world, turn, &mut |name, value| members.push((name.to_string(), value.into())));
            Value::Struct(members)
        };
        Value::Array((0..self.len()).map(one).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proc_110_uptime() {
        for (secs, text) in
            [(5, "0:00:05"), (86_399, "23:59:59"), (86_400, "1 day, 0:00:00"), (2 * 86_400 + 27_200, "2 days, 7:33:20")]
        {
            assert_eq!(uptime(secs), text);
        }
    }
}
