//! `supervisor.*` that reads and clears logs (rpc.md, section 7).

use crate::base::key::Key;
use crate::base::limits;
use crate::base::text::NameSpec;
use crate::base::time::Mono;
use crate::base::value::Value;
use crate::base::words::{Channel, Fault, Mood, fault};
use crate::rpc::args::{Kind, Param, needs};
use crate::rpc::control::process_named;
use crate::rpc::read::{read_log, tail_log};
use crate::rpc::waiting::Member;
use crate::rpc::{Call, Gate, Method, Outcome, Waiting};
use crate::world::process::Process;
use crate::world::{Turn, World};

const PROCESS: Param = needs("name", Kind::Text, "string", "A process: name or group:name.");
const OFFSET: Param = needs("offset", Kind::Int, "int", "The first byte; if negative, so many bytes from the end.");
const LENGTH: Param = needs("length", Kind::Int, "int", "How many bytes; 0 is all.");
const WINDOW: Param = needs("length", Kind::Int, "int", "How many bytes at most.");
const READ: &[Param] = &[PROCESS, OFFSET, LENGTH];
const TAIL: &[Param] = &[PROCESS, OFFSET, WINDOW];

const fn main_log(name: &'static str) -> Method {
    Method {
        name,
        params: &[OFFSET, LENGTH],
        returns: "string",
        signature: None,
        result: "The text.",
        help: "Read a part of the main log.",
        gate: Gate::Running,
        reads: true,
        run: read_main_log,
    }
}

const fn reads(name: &'static str, help: &'static str, run: fn(&mut Call<'_, '_>) -> Outcome) -> Method {
    Method {
        name,
        params: READ,
        returns: "string",
        signature: None,
        result: "The text.",
        help,
        gate: Gate::Running,
        reads: true,
        run,
    }
}

const fn tails(name: &'static str, help: &'static str, run: fn(&mut Call<'_, '_>) -> Outcome) -> Method {
    Method {
        name,
        params: TAIL,
        returns: "array",
        signature: None,
        result: "The text, the log's size, and whether the log is longer than what was asked for.",
        help,
        gate: Gate::Running,
        reads: true,
        run,
    }
}

const fn clears(name: &'static str) -> Method {
    Method {
        name,
        params: &[PROCESS],
        returns: "boolean",
        signature: None,
        result: "Always true.",
        help: "Empty the logs of a process.",
        gate: Gate::Running,
        reads: false,
        run: clear_process_logs,
    }
}

const STDOUT: &str = "Read a part of what a process printed to its standard output.";
const STDERR: &str = "Read a part of what a process printed to its standard error.";
const TAIL_STDOUT: &str = "Read the end of what a process printed to its standard output.";
const TAIL_STDERR: &str = "Read the end of what a process printed to its standard error.";

/// The rows.
pub const METHODS: &[Method] = &[
    main_log("readLog"),
    main_log("readMainLog"),
    Method {
        name: "clearLog",
        params: &[],
        returns: "boolean",
        signature: None,
        result: "Always true.",
        help: "Empty the main log.",
        gate: Gate::Running,
        reads: false,
        run: clear_main_log,
    },
    reads("readProcessLog", STDOUT, |call| read_process_log(call, Channel::Stdout)),
    reads("readProcessStdoutLog", STDOUT, |call| read_process_log(call, Channel::Stdout)),
    reads("readProcessStderrLog", STDERR, |call| read_process_log(call, Channel::Stderr)),
    tails("tailProcessLog", TAIL_STDOUT, |call| tail_process_log(call, Channel::Stdout)),
    tails("tailProcessStdoutLog", TAIL_STDOUT, |call| tail_process_log(call, Channel::Stdout)),
    tails("tailProcessStderrLog", TAIL_STDERR, |call| tail_process_log(call, Channel::Stderr)),
    clears("clearProcessLog"),
    clears("clearProcessLogs"),
    Method {
        name: "clearAllProcessLogs",
        params: &[],
        returns: "array",
        signature: None,
        result: "A struct for each process: name, group, status, description.",
        help: "Empty the logs of all processes.",
        gate: Gate::Running,
        reads: false,
        run: clear_all_process_logs,
    },
];

fn read_main_log(call: &mut Call<'_, '_>) -> Outcome {
    // upstream: RPC-116, the place that is configured is named, and looked at before the numbers.
    let path = call.world.main_log_path().ok_or_else(|| Fault::with(fault::NO_FILE, "syslog"))?;
    let (offset, length) = (call.int(0)?, call.int(1)?);
    Ok(read_log(Some(&path), offset, length, call.turn.host)?.into())
}

fn clear_main_log(call: &mut Call<'_, '_>) -> Outcome {
    match call.world.clear_main_log(call.turn) {
        None => Err(Fault::new(fault::NO_FILE)),
        Some(Err(_)) => Err(Fault::new(fault::FAILED)),
        Some(Ok(())) => Ok(true.into()),
    }
}

fn log_path(call: &Call<'_, '_>, channel: Channel) -> Result<Option<String>, Fault> {
    let who = process_named(call)?;
    Ok(call.world.processes.get(who).and_then(|process| process.log_path(channel)).map(str::to_string))
}

/// RPC-103, RPC-104. A read that would find nothing, of a process that started a moment ago and has printed nothing
/// yet, waits for its first words, its end, or [`limits::FIRST_WORDS`] after the start (TWID-091).
fn read_process_log(call: &mut Call<'_, '_>, channel: Channel) -> Outcome {
    let path = log_path(call, channel)?;
    let (offset, length) = (call.int(1)?, call.int(2)?);
    let value = read_log(path.as_deref(), offset, length, call.turn.host)?;
    let who = process_named(call)?;
    if value.is_truthy() || !is_about_to_speak(call.world, who, call.turn.now.mono) {
        return Ok(value.into());
    }
    Ok(Waiting::FirstWords { who, channel, offset, length }.or_now(call.world, call.turn))
}

/// The last bytes of a process's stdout log as text, at most `length`, at once (WEB-040). `name` as in PROC-080.
pub fn read_end(world: &World, turn: &mut Turn<'_>, name: &str, length: u64) -> Result<String, Fault> {
    if world.mood() != Mood::Running {
        return Err(Fault::new(fault::SHUTDOWN_STATE));
    }
    let spec = NameSpec::parse(name);
    let who = spec.process.and_then(|process| world.find_member(spec.group, process));
    let process = who.and_then(|who| world.processes.get(who)).ok_or_else(|| Fault::with(fault::BAD_NAME, name))?;
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    let text = read_log(process.log_path(Channel::Stdout), -length, 0, turn.host)?;
    Ok(text.as_text().unwrap_or_default().to_string())
}

/// Whether a process started a moment ago and has printed nothing yet.
pub(super) fn is_about_to_speak(world: &World, who: Key<Process>, now: Mono) -> bool {
    world.processes.get(who).is_some_and(|process| {
        process.silent
            && process.life.pid().is_some()
            && process.life.spawned().is_some_and(|spawned| now < spawned + limits::FIRST_WORDS)
    })
}

fn tail_process_log(call: &mut Call<'_, '_>, channel: Channel) -> Outcome {
    let path = log_path(call, channel)?;
    let (offset, length) = (call.int(1)?, call.int(2)?);
    Ok(tail_log(path.as_deref(), offset, length, call.turn.host).into())
}

fn clear(call: &mut Call<'_, '_>, who: Key<Process>, name: &str) -> Result<(), Fault> {
    call.world.clear_logs(who, call.turn).map_err(|_| Fault::with(fault::FAILED, name))
}

fn clear_process_logs(call: &mut Call<'_, '_>) -> Outcome {
    let who = process_named(call)?;
    let name = call.text(0).to_string();
    clear(call, who, &name)?;
    Ok(Value::Bool(true).into())
}

fn clear_all_process_logs(call: &mut Call<'_, '_>) -> Outcome {
    let mut results = Vec::new();
    for who in call.world.all_by_priority() {
        let Some(process) = call.world.processes.get(who) else { continue };
        let member = Member { name: process.spec.name.clone(), group: process.group_name.to_string() };
        let name = process.display();
        results.push(member.result(clear(call, who, &name)));
    }
    Ok(Value::Array(results).into())
}
