//! `twiddler.*`: groups and programs added and removed while the daemon runs (contract twiddler.md).

use std::rc::Rc;

use crate::base::key::Key;
use crate::base::text::{check_name, repr};
use crate::base::value::Value;
use crate::base::words::{Fault, Level, fault};
use crate::config::error::{ConfigError, suffix};
use crate::config::read_program;
use crate::config::spec::{GroupKind, GroupSpec, InterfaceKind};
use crate::rpc::args::{Kind, Param, may, needs, parse_int, shown, to_int};
use crate::rpc::{Answer, Call, Gate, Method, Outcome};
use crate::world::group::Group;
use crate::world::lines::Line;
use crate::world::process::Process;

const GROUP: Param = needs("group_name", Kind::Text, "string", "The name of an active group.");
const PROGRAM: Param = needs("program_name", Kind::Any, "string", "The name of the new program.");
const OPTIONS: Param =
    needs("program_options", Kind::Any, "struct", "Keys of a [program:x] section, with text, numbers or booleans.");

const fn add_program(name: &'static str, help: &'static str) -> Method {
    Method {
        name,
        params: &[GROUP, PROGRAM, OPTIONS],
        returns: "boolean",
        signature: None,
        result: "Always true.",
        help,
        gate: Gate::NotShutdown,
        reads: false,
        run: add_program_to_group,
    }
}

/// The rows. The shown types are the original's (TWID-060).
pub const METHODS: &[Method] = &[
    Method {
        name: "getAPIVersion",
        params: &[],
        returns: "string",
        signature: Some(&["int"]),
        result: "The version.",
        help: "Give the version of these methods.",
        gate: Gate::NotShutdown,
        reads: true,
        run: get_api_version,
    },
    Method {
        name: "getGroupNames",
        params: &[],
        returns: "array",
        signature: None,
        result: "The names.",
        help: "List the active groups in the order in which they became active.",
        gate: Gate::NotShutdown,
        reads: true,
        run: get_group_names,
    },
    Method {
        name: "addGroup",
        params: &[
            needs("name", Kind::Text, "string", "The name of the new group."),
            needs("priority", Kind::Any, "int", "Lower starts first and stops last."),
        ],
        returns: "boolean",
        signature: None,
        result: "Always true.",
        help: "Add an empty group.",
        gate: Gate::NotShutdown,
        reads: false,
        run: add_group,
    },
    Method {
        name: "addEmptyGroup",
        params: &[
            needs("name", Kind::Text, "string", "The name of the new group."),
            needs("priority", Kind::Any, "int", "Its priority, or the word group or program."),
            may("options", Kind::Any, "struct", "With a word: may give the priority."),
        ],
        returns: "boolean",
        signature: Some(&["boolean", "string", "int"]),
        result: "Always true.",
        help: "Add an empty group, as addGroup does.",
        gate: Gate::NotShutdown,
        reads: false,
        run: add_empty_group,
    },
    add_program("addProgramToGroup", "Add a program to a group and start it, if it starts by itself."),
    add_program("addProcessToGroup", "Add a program to a group, as addProgramToGroup does."),
    Method {
        name: "removeProcessFromGroup",
        params: &[GROUP, needs("process_name", Kind::Text, "string", "The name of the process.")],
        returns: "boolean",
        signature: None,
        result: "Always true.",
        help: "Take a stopped process out of its group.",
        gate: Gate::NotShutdown,
        reads: false,
        run: remove_process_from_group,
    },
    Method {
        name: "log",
        params: &[
            needs("message", Kind::Any, "string", "What to write."),
            may("level", Kind::Any, "string|int", "A level's code or number; INFO if left out."),
        ],
        returns: "boolean",
        signature: None,
        result: "Always true.",
        help: "Write a line to the main log.",
        gate: Gate::NotShutdown,
        reads: false,
        run: log,
    },
];

/// TWID-021.
pub(super) fn check_whitelist(whitelist: &[String], method: &str) -> Result<(), Fault> {
    /// Has no registered name; clients test the number.
    const NOT_IN_WHITELIST: i32 = 230;
    if whitelist.is_empty() || whitelist.iter().any(|allowed| allowed == method) {
        return Ok(());
    }
    Err(Fault::with(NOT_IN_WHITELIST, method))
}

fn bad(detail: impl AsRef<str>) -> Fault {
    Fault::with(fault::INCORRECT_PARAMETERS, detail)
}

fn get_api_version(call: &mut Call<'_, '_>) -> Outcome {
    let kind = call.interface.and_then(|index| call.world.interfaces.get(index)).map(|interface| &interface.kind);
    match kind {
        Some(InterfaceKind::Twiddler { api_version, .. }) => Ok(api_version.as_str().into()),
        _ => Err(Fault::new(fault::UNKNOWN_METHOD)),
    }
}

fn get_group_names(call: &mut Call<'_, '_>) -> Outcome {
    let names = Value::strings(call.world.groups().map(|group| group.name.as_str()));
    Ok(names.into())
}

/// TWID-040: a priority as Python's `int()` takes it.
fn priority(value: &Value) -> Result<i64, Fault> {
    match value {
        Value::Int(_) | Value::Big(_) | Value::Bool(_) => Ok(to_int(value).unwrap_or_default()),
        value => {
            let text = value.as_text().ok_or_else(|| Fault::new(fault::INCORRECT_PARAMETERS))?;
            parse_int(text).ok_or_else(|| bad(format!("invalid literal for int() with base 10: {}", repr(text))))
        }
    }
}

fn add_group(call: &mut Call<'_, '_>) -> Outcome {
    let priority = call.args.get(1).map_or(Ok(999), priority);
    add_plain_group(call, priority)
}

/// TWID-043: the second argument is a priority or a type.
fn add_empty_group(call: &mut Call<'_, '_>) -> Outcome {
    let priority = match (call.args.get(1).and_then(Value::as_text), call.args.get(2)) {
        (Some("group" | "program"), None) => Ok(999),
        (Some("group" | "program"), Some(options @ Value::Struct(_))) => {
            options.member("priority").map_or(Ok(999), priority)
        }
        (_, None) => call.args.get(1).map_or(Ok(999), priority),
        _ => Err(Fault::new(fault::INCORRECT_PARAMETERS)),
    };
    add_plain_group(call, priority)
}

fn add_plain_group(call: &mut Call<'_, '_>, priority: Result<i64, Fault>) -> Outcome {
    let name = call.text(0).to_string();
    if call.world.find_group(&name).is_some() {
        return Err(Fault::with(fault::BAD_NAME, name));
    }
    let priority = priority?;
    // TWID-041.
    let name = check_name(&name).map_err(bad)?;
    if call.world.find_group(&name).is_some() {
        return Err(Fault::with(fault::BAD_NAME, name));
    }
    let group = GroupSpec { name, priority, kind: GroupKind::Plain, processes: Vec::new() };
    call.world.add_group(&group, call.turn).map_err(|text| Fault::with(fault::FAILED, text))?;
    Ok(true.into())
}

/// The group that argument 0 names (TWID-050).
fn group_named(call: &Call<'_, '_>) -> Result<Key<Group>, Fault> {
    let name = call.text(0);
    call.world.find_group(name).ok_or_else(|| Fault::with(fault::BAD_NAME, format!("group: {name}")))
}

fn add_program_to_group(call: &mut Call<'_, '_>) -> Outcome {
    let group = group_named(call)?;
    let program = match call.args.get(1) {
        // TWID-059, however long.
        Some(value @ (Value::Int(_) | Value::Big(_))) => shown(value),
        Some(value) => value.as_text().ok_or_else(|| Fault::new(fault::INCORRECT_PARAMETERS))?.to_string(),
        None => return Err(Fault::new(fault::INCORRECT_PARAMETERS)),
    };
    let options = options_of(call.take(2))?;
    let specs = read_program(&program, &options, call.text(0), &call.world.config.context).map_err(mistake)?;
    // TWID-055: all or nothing.
    for spec in &specs {
        if call.world.find_member(call.text(0), &spec.name).is_some() {
            return Err(Fault::with(fault::BAD_NAME, &spec.name));
        }
    }
    let added = call.world.add_members(group, &specs, call.turn);
    // RPC-094: shown by getAllConfigInfo until the next re-read.
    let name = call.text(0).to_string();
    match call.world.configured.get_mut(&name) {
        Some(configured) => configured.processes.extend(specs),
        None => {
            if let Some(active) = call.world.active_spec(group) {
                call.world.configured.push(active);
            }
        }
    }
    call.world.autostart(added);
    Ok(true.into())
}

/// TWID-053: the file's own message for the first mistake, and which option it is about, unless the message says so.
fn mistake(errors: Vec<ConfigError>) -> Fault {
    let Some(error) = errors.into_iter().next() else { return bad("Invalid program") };
    let ConfigError { text, key, section, file, .. } = error;
    // The program or the file may be called like the option.
    let words = text.strip_suffix(&suffix(&section, &file)).unwrap_or(&text);
    let named = key.is_empty() || words.contains(&key);
    bad(if named { text } else { format!("{text}; the option is {key}") })
}

/// TWID-051: a struct, or pairs, of text, numbers and booleans.
fn options_of(value: Value) -> Result<Vec<(String, String)>, Fault> {
    let refuse = || Fault::new(fault::INCORRECT_PARAMETERS);
    let members = match value {
        Value::Struct(members) => members,
        Value::Array(pairs) => pairs
            .into_iter()
            .map(|pair| match pair {
                Value::Array(pair) => match <[Value; 2]>::try_from(pair) {
                    Ok([name, value]) => Ok((name.as_text().ok_or_else(refuse)?.to_string(), value)),
                    Err(_) => Err(refuse()),
                },
                _ => Err(refuse()),
            })
            .collect::<Result<_, _>>()?,
        _ => return Err(refuse()),
    };
    members
        .into_iter()
        .map(|(name, value)| {
            let text = match &value {
                Value::Bool(truth) => truth.to_string(),
                Value::Int(_) | Value::Big(_) => shown(&value),
                Value::Double(number) if number.is_finite() => format!("{:.0}", number.trunc()),
                value => value
                    .as_text()
                    .ok_or_else(|| bad(format!("option {} is neither text, a number nor a boolean", repr(&name))))?
                    .to_string(),
            };
            Ok((name, text))
        })
        .collect()
}

fn remove_process_from_group(call: &mut Call<'_, '_>) -> Outcome {
    group_named(call)?;
    let name = call.text(1).to_string();
    let Some(who) = call.world.find_member(call.text(0), &name) else {
        return Err(Fault::with(fault::BAD_NAME, name));
    };
    let quiet = |process: &&Process| process.life.pid().is_none() && process.state().is_stopped();
    let Some(process) = call.world.processes.get(who).filter(quiet) else {
        return Err(Fault::with(fault::STILL_RUNNING, name));
    };
    let spec = process.spec.clone();
    call.world.remove_member(who, call.turn);
    let group = call.text(0).to_string();
    if let Some(configured) = call.world.configured.get_mut(&group) {
        // It is mostly the very same, so that no name need be looked at, unless the file was read again meanwhile.
        let all = &mut configured.processes;
        let place = all.iter().rposition(|other| Rc::ptr_eq(other, &spec));
        if let Some(place) = place.or_else(|| all.iter().position(|other| other.name == name)) {
            all.remove(place);
        }
    }
    Ok(true.into())
}

/// TWID-070, TWID-071.
fn log(call: &mut Call<'_, '_>) -> Outcome {
    let level = match call.args.get(1) {
        None => Some(Level::Info),
        Some(Value::Int(number)) => Level::from_number(*number),
        Some(value) => value.as_text().and_then(Level::from_code),
    };
    let level = level.ok_or_else(|| Fault::new(fault::INCORRECT_PARAMETERS))?;
    let message = shown(&call.take(0));
    call.world.say(&Line::Free(level, message), call.turn);
    Ok(Answer::from(true))
}
