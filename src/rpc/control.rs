//! `supervisor.*` that starts, stops and signals (rpc.md, section 4).

use crate::base::errno::Errno;
use crate::base::key::Key;
use crate::base::text::NameSpec;
use crate::base::value::Value;
use crate::base::words::{Fault, State, fault, parse_signal};
use crate::rpc::args::{Kind, Param, may, needs, shown, to_int};
use crate::rpc::waiting::Member;
use crate::rpc::{Call, Gate, Method, Outcome, Waiting};
use crate::world::command::{self, CommandError};
use crate::world::life::Step;
use crate::world::lines::Line;
use crate::world::process::Process;
use crate::world::{Turn, World};

const PROCESS: Param = needs("name", Kind::Text, "string", "A process: name, group:name, or group:* for a group.");
const GROUP: Param = needs("name", Kind::Text, "string", "The name of a group.");
const WAIT: Param = may("wait", Kind::Truth, "boolean", "Answer when it is done (the default), or at once.");
const SIGNAL: Param = needs("signal", Kind::Signal, "string", "A signal's name or number.");

/// The rows.
pub const METHODS: &[Method] = &[
    Method {
        name: "startProcess",
        params: &[PROCESS, WAIT],
        returns: "boolean",
        signature: None,
        result: "Always true; for a group as startProcessGroup.",
        help: "Start a process.",
        gate: Gate::Running,
        reads: false,
        run: |call| one_or_group(call, start_one, |call, members| start_members(call, members, 1)),
    },
    Method {
        name: "startProcessGroup",
        params: &[GROUP, WAIT],
        returns: "array",
        signature: None,
        result: "A struct for each process: name, group, status, description.",
        help: "Start the processes of a group that are not running.",
        gate: Gate::Running,
        reads: false,
        run: |call| group_named(call).and_then(|members| start_members(call, members, 1)),
    },
    Method {
        name: "startAllProcesses",
        params: &[WAIT],
        returns: "array",
        signature: None,
        result: "A struct for each process: name, group, status, description.",
        help: "Start every process that is not running.",
        gate: Gate::Running,
        reads: false,
        run: |call| {
            let all = call.world.all_by_priority();
            start_members(call, all, 0)
        },
    },
    Method {
        name: "stopProcess",
        params: &[PROCESS, WAIT],
        returns: "boolean",
        signature: None,
        result: "Always true; for a group as stopProcessGroup.",
        help: "Stop a process.",
        gate: Gate::Running,
        reads: false,
        run: |call| one_or_group(call, stop_one, |call, members| stop_members(call, members, 1)),
    },
    Method {
        name: "stopProcessGroup",
        params: &[GROUP, WAIT],
        returns: "array",
        signature: None,
        result: "A struct for each process: name, group, status, description.",
        help: "Stop the running processes of a group.",
        gate: Gate::Running,
        reads: false,
        run: |call| group_named(call).and_then(|members| stop_members(call, members, 1)),
    },
    Method {
        name: "stopAllProcesses",
        params: &[WAIT],
        returns: "array",
        signature: None,
        result: "A struct for each process: name, group, status, description.",
        help: "Stop every running process.",
        gate: Gate::Running,
        reads: false,
        run: |call| {
            let all = call.world.all_by_priority();
            stop_members(call, all, 0)
        },
    },
    Method {
        name: "signalProcess",
        params: &[PROCESS, SIGNAL],
        returns: "boolean",
        signature: None,
        result: "Always true; for a group as signalProcessGroup.",
        help: "Send a signal to a process.",
        gate: Gate::Running,
        reads: false,
        run: |call| one_or_group(call, signal_one, signal_members),
    },
    Method {
        name: "signalProcessGroup",
        params: &[GROUP, SIGNAL],
        returns: "array",
        signature: None,
        result: "A struct for each process: name, group, status, description.",
        help: "Send a signal to every process of a group that can take one.",
        gate: Gate::Running,
        reads: false,
        run: |call| group_named(call).and_then(|members| signal_members(call, members)),
    },
    Method {
        name: "signalAllProcesses",
        params: &[SIGNAL],
        returns: "array",
        signature: None,
        result: "A struct for each process: name, group, status, description.",
        help: "Send a signal to every process that can take one.",
        gate: Gate::Running,
        reads: false,
        run: |call| {
            let all = call.world.all_by_priority();
            signal_members(call, all)
        },
    },
    Method {
        name: "sendProcessStdin",
        params: &[PROCESS, needs("chars", Kind::Any, "string", "What to send: text, or base64 for any bytes.")],
        returns: "boolean",
        signature: None,
        result: "Always true.",
        help: "Send text to a process's standard input.",
        gate: Gate::Running,
        reads: false,
        run: send_stdin,
    },
];

/// The process that argument 0 names; a group or nobody is BAD_NAME.
pub(super) fn process_named(call: &Call<'_, '_>) -> Result<Key<Process>, Fault> {
    let name = call.text(0);
    let spec = NameSpec::parse(name);
    let found = spec.process.and_then(|process| call.world.find_member(spec.group, process));
    found.ok_or_else(|| Fault::with(fault::BAD_NAME, name))
}

/// The members, by priority, of the group that argument 0 names.
fn group_named(call: &Call<'_, '_>) -> Result<Vec<Key<Process>>, Fault> {
    members_of(call, call.text(0))
}

/// The fault shows the name as it was given: `nobody:*`.
fn members_of(call: &Call<'_, '_>, group: &str) -> Result<Vec<Key<Process>>, Fault> {
    let key = call.world.find_group(group).ok_or_else(|| Fault::with(fault::BAD_NAME, call.text(0)))?;
    Ok(call.world.members_by_priority(key))
}

type One = fn(&mut Call<'_, '_>, Key<Process>, &str) -> Outcome;
type Many = fn(&mut Call<'_, '_>, Vec<Key<Process>>) -> Outcome;

/// `group:*` goes to the whole group, any other name to one process (RPC-050, 056, 061).
fn one_or_group(call: &mut Call<'_, '_>, one: One, many: Many) -> Outcome {
    let name = call.text(0).to_string();
    let spec = NameSpec::parse(&name);
    if spec.process.is_none() {
        let members = members_of(call, spec.group)?;
        return many(call, members);
    }
    let who = process_named(call)?;
    one(call, who, &name)
}

fn state_of(call: &Call<'_, '_>, who: Key<Process>) -> State {
    call.world.processes.get(who).map_or(State::Unknown, Process::state)
}

/// RPC-050 to 053. `name` is what faults show.
fn start_one(call: &mut Call<'_, '_>, who: Key<Process>, name: &str) -> Outcome {
    let wait = call.truth(1, true);
    launch(call.world, call.turn, who, name, wait)
}

/// Starts a process that isn't running (RPC-050 to 053). `name` is what faults show.
pub(super) fn launch(world: &mut World, turn: &mut Turn<'_>, who: Key<Process>, name: &str, wait: bool) -> Outcome {
    let Some(process) = world.processes.get(who) else { return Err(Fault::with(fault::BAD_NAME, name)) };
    let spec = process.spec.clone();
    command::resolve(&spec, turn.host).map_err(|error| match error {
        CommandError::Missing(text) => Fault::with(fault::NO_FILE, text),
        CommandError::Unusable(text) => Fault::with(fault::NOT_EXECUTABLE, text),
    })?;
    match world.processes.get(who).map_or(State::Unknown, Process::state) {
        State::Starting | State::Running | State::Backoff => return Err(Fault::with(fault::ALREADY_STARTED, name)),
        State::Unknown => {
            return Err(Fault::with(fault::FAILED, format!("{name} is in an unknown process state")));
        }
        // BUG-041.
        State::Stopping => return Err(Fault::with(fault::ABNORMAL_TERMINATION, name)),
        State::Stopped | State::Exited | State::Fatal => {}
    }
    world.drive(who, Step::Start, turn);
    // startsecs=0 has passed already (PROC-014).
    let passed = |process: &Process| {
        process.state() == State::Starting && process.life.deadline().is_some_and(|at| at <= turn.now.mono)
    };
    if world.processes.get(who).is_some_and(passed) {
        world.drive(who, Step::Due, turn);
    }
    if world.processes.get(who).is_some_and(|process| !process.life.spawnerr().is_empty()) {
        return Err(Fault::with(fault::SPAWN_ERROR, name));
    }
    if !wait {
        return Ok(true.into());
    }
    Ok(Waiting::Started { who, name: name.to_string() }.or_now(world, turn))
}

/// RPC-054, RPC-055. `wait_at`: which argument says whether to wait.
fn start_members(call: &mut Call<'_, '_>, members: Vec<Key<Process>>, wait_at: usize) -> Outcome {
    let wait = call.truth(wait_at, true);
    let idle: Vec<_> = members.into_iter().filter(|&who| !state_of(call, who).is_running()).collect();
    let starts = Waiting::Each { done: Vec::new(), open: Vec::new(), wait, left: idle.into_iter() };
    Ok(starts.or_now(call.world, call.turn))
}

/// RPC-056.
fn stop_one(call: &mut Call<'_, '_>, who: Key<Process>, name: &str) -> Outcome {
    let wait = call.truth(1, true);
    halt(call, who, name, wait)
}

fn halt(call: &mut Call<'_, '_>, who: Key<Process>, name: &str, wait: bool) -> Outcome {
    if !state_of(call, who).is_running() {
        return Err(Fault::with(fault::NOT_RUNNING, name));
    }
    if let Some(process) = call.world.processes.get_mut(who) {
        process.stop_reported = None;
    }
    if let Some(error) = call.world.drive(who, Step::Stop, call.turn) {
        return Err(Fault::with(fault::FAILED, kill_problem(call, who, error)));
    }
    if !wait {
        return Ok(true.into());
    }
    let spawned = call.world.processes.get(who).and_then(|process| process.life.spawned());
    Ok(Waiting::Stopped { who, spawned }.or_now(call.world, call.turn))
}

/// The text of PROC-025: the fault says what the main log says.
fn kill_problem(call: &Call<'_, '_>, who: Key<Process>, error: Errno) -> String {
    let Some(process) = call.world.processes.get(who) else { return error.to_string() };
    let (name, pid) = (process.spec.name.clone(), process.life.pid().unwrap_or(0));
    Line::UnknownKillProblem { name, pid, error: error.to_string() }.to_string()
}

/// RPC-057, RPC-058.
fn stop_members(call: &mut Call<'_, '_>, members: Vec<Key<Process>>, wait_at: usize) -> Outcome {
    let wait = call.truth(wait_at, true);
    let live: Vec<_> = members.into_iter().filter(|&who| state_of(call, who).is_running()).collect();
    each(call, live, |call, who, name| halt(call, who, name, wait))
}

/// Does the same to many: first all of them, then the waiting (PROC-071, PROC-072).
fn each(
    call: &mut Call<'_, '_>,
    members: Vec<Key<Process>>,
    mut act: impl FnMut(&mut Call<'_, '_>, Key<Process>, &str) -> Outcome,
) -> Outcome {
    let (mut done, mut open) = (Vec::new(), Vec::new());
    for who in members {
        let Some((member, name)) = Member::of(call.world, who) else { continue };
        member.decide(act(call, who, &name), &mut done, &mut open);
    }
    Ok(Waiting::Each { done, open, wait: false, left: Vec::new().into_iter() }.or_now(call.world, call.turn))
}

/// The signal: the last argument (RPC-061, CFG-066).
fn signal_of(call: &Call<'_, '_>) -> Result<i32, Fault> {
    let value = call.args.last().unwrap_or(&Value::Nil);
    let number = match value {
        Value::Str(_) | Value::Bytes(_) => value.as_text().and_then(parse_signal),
        // upstream: what is no text is made a number first, so 1.5 is SIGHUP.
        Value::Int(_) | Value::Bool(_) | Value::Double(_) => {
            to_int(value).and_then(|number| parse_signal(&number.to_string()))
        }
        Value::Big(_) => None,
        Value::Nil | Value::DateTime(_) | Value::Array(_) | Value::Struct(_) => {
            return Err(Fault::new(fault::INCORRECT_PARAMETERS));
        }
    };
    number.ok_or_else(|| Fault::with(fault::BAD_SIGNAL, shown(value)))
}

fn signal_one(call: &mut Call<'_, '_>, who: Key<Process>, name: &str) -> Outcome {
    let signal = signal_of(call)?;
    if !state_of(call, who).is_signallable() {
        return Err(Fault::with(fault::NOT_RUNNING, name));
    }
    call.world.signal(who, signal, call.turn).map_err(|text| Fault::with(fault::FAILED, text))?;
    Ok(true.into())
}

/// RPC-062, RPC-063: only those that can take a signal are in the result.
fn signal_members(call: &mut Call<'_, '_>, members: Vec<Key<Process>>) -> Outcome {
    let live: Vec<_> = members.into_iter().filter(|&who| state_of(call, who).is_signallable()).collect();
    each(call, live, signal_one)
}

/// RPC-064.
fn send_stdin(call: &mut Call<'_, '_>) -> Outcome {
    let bytes = match call.take(1) {
        Value::Str(text) => text.into_bytes(),
        Value::Bytes(bytes) => bytes,
        // upstream: nothing has no text.
        Value::Nil => return Err(Fault::new(fault::INCORRECT_PARAMETERS)),
        other => return Err(Fault::with(fault::INCORRECT_PARAMETERS, shown(&other))),
    };
    let who = process_named(call)?;
    let name = call.text(0).to_string();
    let live = |process: &Process| process.life.pid().is_some() && process.state() != State::Stopping;
    if !call.world.processes.get(who).is_some_and(live) {
        return Err(Fault::with(fault::NOT_RUNNING, name));
    }
    call.world.feed_stdin(who, &bytes, call.turn).map_err(|code| Fault::with(code, &name))?;
    Ok(true.into())
}
