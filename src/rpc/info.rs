//! `supervisor.*` about processes: what they do now and how they are configured (rpc.md, sections 5 and 6).

use crate::base::order;
use crate::base::time::{Calendar, Now};
use crate::base::value::Value;
use crate::base::words::{Channel, State};
use crate::config::effective::Effective;
use crate::config::program_keys::{ProcessKeys, ProgramKeys};
use crate::config::spec::ProcessSpec;
use crate::rpc::args::{Kind, needs};
use crate::rpc::control::process_named;
use crate::rpc::{Call, Gate, Method, Outcome};
use crate::world::host::Host;
use crate::world::process::Process;

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
    let now = call.turn.now;
    let info = call.world.processes.get(who).map(|process| info(process, now, call.turn.host));
    Ok(info.unwrap_or(Value::Nil).into())
}

fn get_all_process_info(call: &mut Call<'_, '_>) -> Outcome {
    let now = call.turn.now;
    let all = call.world.all_by_name();
    let host = &mut *call.turn.host;
    let infos: Vec<Value> = all.into_iter().map(|process| info(process, now, host)).collect();
    Ok(Value::Array(infos).into())
}

fn fields<const N: usize>(members: [(&str, Value); N]) -> Value {
    Value::Struct(members.into_iter().map(|(name, value)| (name.to_string(), value)).collect())
}

/// RPC-070 to 083.
fn info(process: &Process, now: Now, host: &mut dyn Host) -> Value {
    let life = &process.life;
    let log = |channel| Value::str(process.log_path(channel).unwrap_or_default());
    fields([
        ("name", Value::str(&process.spec.name)),
        ("group", Value::str(&*process.group_name)),
        ("start", Value::Int(life.start().map_or(0, |at| at.rpc_secs()))),
        ("stop", Value::Int(life.stop().map_or(0, |at| at.rpc_secs()))),
        ("now", Value::Int(now.wall.rpc_secs())),
        ("state", Value::Int(i64::from(life.state() as i32))),
        ("statename", Value::str(life.state().name())),
        ("spawnerr", Value::str(life.spawnerr())),
        ("exitstatus", Value::Int(i64::from(life.exitstatus().unwrap_or(0)))),
        ("logfile", log(Channel::Stdout)),
        ("stdout_logfile", log(Channel::Stdout)),
        ("stderr_logfile", log(Channel::Stderr)),
        ("pid", Value::Int(i64::from(life.pid().unwrap_or(0)))),
        ("description", Value::Str(description(process, now, host))),
    ])
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
    let world = &*call.world;
    let mut all = Vec::new();
    for group in &world.configured {
        let active = world.find_group(&group.name).is_some();
        for spec in &group.processes {
            let process = world.find_member(&group.name, &spec.name).and_then(|key| world.processes.get(key));
            all.push((&spec.name, config_info(spec, (&group.name, group.priority, active), process)));
        }
    }
    // RPC-090: stable.
    order::sort_by(&mut all, |a, b| a.0.cmp(b.0));
    let infos: Vec<Value> = all.into_iter().map(|(_, value)| value).collect();
    Ok(Value::Array(infos).into())
}

/// RPC-091 to 093: what the group says, then what the rows of the keys show.
fn config_info(spec: &ProcessSpec, (group, priority, active): (&str, i64, bool), process: Option<&Process>) -> Value {
    let log = |channel| process.and_then(|process| process.log_path(channel));
    let of = Effective { spec, logs: [log(Channel::Stdout), log(Channel::Stderr)] };
    let of_group = [
        ("name", spec.name.as_str().into()),
        ("group", group.into()),
        ("group_prio", priority.into()),
        ("inuse", active.into()),
    ];
    let rows = ProgramKeys::ROWS.iter().chain(ProcessKeys::ROWS);
    let of_keys = rows.filter_map(|row| row.shown).map(|(name, show)| (name, show(&of)));
    Value::Struct(of_group.into_iter().chain(of_keys).map(|(name, value)| (name.to_string(), value)).collect())
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
