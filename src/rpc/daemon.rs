//! `supervisor.*` about the daemon itself: who it is, how it goes, its configuration.

use crate::base::events::{Event, Kind};
use crate::base::value::Value;
use crate::base::words::{Fault, SUPERVISOR_VERSION, fault};
use crate::config::diff::differences;
use crate::config::error::ConfigError;
use crate::rpc::args::{self, Param, needs, shown};
use crate::rpc::{Answer, Call, Gate, Method, Outcome};
use crate::world::configured::Configured;

/// The version of these methods (RPC-010).
const API_VERSION: &str = "3.0";

const GROUP: Param = needs("name", args::Kind::Text, "string", "The name of a group.");

/// The rows.
pub const METHODS: &[Method] = &[
    Method {
        name: "getAPIVersion",
        params: &[],
        returns: "string",
        signature: None,
        result: "The version.",
        help: "Give the version of these methods.",
        gate: Gate::Running,
        reads: true,
        run: |_| Ok(Answer::from(API_VERSION)),
    },
    Method {
        name: "getVersion",
        params: &[],
        returns: "string",
        signature: None,
        result: "The version.",
        help: "Give the version of these methods, as getAPIVersion does.",
        gate: Gate::Running,
        reads: true,
        run: |_| Ok(Answer::from(API_VERSION)),
    },
    Method {
        name: "getSupervisorVersion",
        params: &[],
        returns: "string",
        signature: None,
        result: "The version.",
        help: "Give the version of Supervisor that this daemon stands in for.",
        gate: Gate::Running,
        reads: true,
        run: |_| Ok(Answer::from(SUPERVISOR_VERSION)),
    },
    Method {
        name: "getIdentification",
        params: &[],
        returns: "string",
        signature: None,
        result: "The identifier.",
        help: "Give the name that the configuration gives this daemon.",
        gate: Gate::Running,
        reads: true,
        run: |call| Ok(Answer::from(call.world.config.daemon.identifier.as_str())),
    },
    Method {
        name: "getState",
        params: &[],
        returns: "struct",
        signature: None,
        result: "The members statecode and statename.",
        help: "Tell what the daemon is doing.",
        gate: Gate::Running,
        reads: true,
        run: get_state,
    },
    Method {
        name: "getPID",
        params: &[],
        returns: "int",
        signature: None,
        result: "The process id.",
        help: "Give the daemon's own process id.",
        gate: Gate::Running,
        reads: true,
        run: |call| Ok(Answer::from(i64::from(call.turn.host.pid()))),
    },
    Method {
        name: "shutdown",
        params: &[],
        returns: "boolean",
        signature: None,
        result: "Always true.",
        help: "Stop all processes in order, then exit.",
        gate: Gate::Running,
        reads: false,
        run: shutdown,
    },
    Method {
        name: "restart",
        params: &[],
        returns: "boolean",
        signature: None,
        result: "Always true.",
        help: "Stop all processes in order, then begin anew with the configuration read again.",
        gate: Gate::Running,
        reads: false,
        run: restart,
    },
    Method {
        name: "reloadConfig",
        params: &[],
        returns: "array",
        signature: None,
        result: "One array of three: the names of added, changed and removed groups.",
        help: "Read the configuration again and compare it with what is active; nothing starts or stops.",
        gate: Gate::Running,
        reads: false,
        run: reload_config,
    },
    Method {
        name: "addProcessGroup",
        params: &[GROUP],
        returns: "boolean",
        signature: None,
        result: "Always true.",
        help: "Make a configured group active and start what starts by itself.",
        gate: Gate::Running,
        reads: false,
        run: add_process_group,
    },
    Method {
        name: "removeProcessGroup",
        params: &[GROUP],
        returns: "boolean",
        signature: None,
        result: "Always true.",
        help: "Take a group out whose processes are all stopped.",
        gate: Gate::Running,
        reads: false,
        run: remove_process_group,
    },
    Method {
        name: "sendRemoteCommEvent",
        params: &[
            needs("type", args::Kind::Any, "string", "The type of the event."),
            needs("data", args::Kind::Any, "string", "What it carries."),
        ],
        returns: "boolean",
        signature: None,
        result: "Always true.",
        help: "Send an event to the listeners that asked for REMOTE_COMMUNICATION.",
        gate: Gate::Open,
        reads: false,
        run: send_event,
    },
];

/// EVT-017, EVT-047.
fn send_event(call: &mut Call<'_, '_>) -> Outcome {
    if call.world.wants(Kind::Remote) {
        let (label, data) = (call.take(0), call.take(1));
        call.world.publish(Event::Remote { label: &shown(&label), data: &shown(&data) }, call.turn);
    }
    Ok(true.into())
}

fn get_state(call: &mut Call<'_, '_>) -> Outcome {
    let mood = call.world.mood();
    Ok(Value::Struct(vec![
        ("statecode".to_string(), Value::Int(i64::from(mood as i32))),
        ("statename".to_string(), Value::str(mood.name())),
    ])
    .into())
}

fn shutdown(call: &mut Call<'_, '_>) -> Outcome {
    call.world.begin_shutdown(call.turn);
    Ok(true.into())
}

fn restart(call: &mut Call<'_, '_>) -> Outcome {
    // BUG-060.
    call.world.begin_restart(call.turn).map_err(cannot_reread)?;
    Ok(true.into())
}

/// RPC-042: the message of the first mistake, word for word as clients know it.
fn cannot_reread(mistakes: Vec<ConfigError>) -> Fault {
    Fault::with(fault::CANT_REREAD, mistakes.first().map_or("", |mistake| mistake.text.as_str()))
}

fn reload_config(call: &mut Call<'_, '_>) -> Outcome {
    let config = call.turn.host.load_config().map_err(cannot_reread)?;
    let differ = differences(&config.groups, &call.world.active_specs());
    call.world.configured = Configured::new(config.groups);
    let names = [differ.added, differ.changed, differ.removed].map(Value::strings);
    Ok(Value::Array(vec![Value::Array(names.into())]).into())
}

fn add_process_group(call: &mut Call<'_, '_>) -> Outcome {
    let name = call.text(0);
    let Some(spec) = call.world.configured.get(name).cloned() else {
        return Err(Fault::with(fault::BAD_NAME, name));
    };
    if call.world.find_group(name).is_some() {
        return Err(Fault::with(fault::ALREADY_ADDED, name));
    }
    let group = call.world.add_group(&spec, call.turn).map_err(|text| Fault::with(fault::FAILED, text))?;
    call.world.autostart_group(group);
    Ok(true.into())
}

fn remove_process_group(call: &mut Call<'_, '_>) -> Outcome {
    let name = call.text(0);
    let group = call.world.find_group(name).ok_or_else(|| Fault::with(fault::BAD_NAME, name))?;
    if !call.world.is_quiet(group) {
        return Err(Fault::with(fault::STILL_RUNNING, name));
    }
    call.world.remove_group(group, call.turn);
    Ok(true.into())
}
