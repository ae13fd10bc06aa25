//! Commands about processes: status, start, stop, restart, signal, clear, pid.

use crate::base::text::{NameSpec, display_name};
use crate::base::value::Value;
use crate::base::words::{Fault, fault};
use crate::ctl::dialogue::{Dialogue, exit};
use crate::ctl::trouble::Trouble;

/// The shortest width of the column of names (CTL-041).
const NAME_WIDTH: usize = 30;
/// The width of the column of states (CTL-041).
const STATE_WIDTH: usize = 10;
/// States after which `status` exits with 3 (CTL-044): STOPPED, EXITED, FATAL, UNKNOWN.
const NOT_RUNNING: [i64; 4] = [0, 100, 200, 1000];

/// The text member of a struct; empty if it is missing.
pub fn text<'v>(info: &'v Value, member: &str) -> &'v str {
    info.member(member).and_then(Value::as_text).unwrap_or("")
}

/// The integer member of a struct; 0 if it is missing.
pub fn number(info: &Value, member: &str) -> i64 {
    match info.member(member) {
        Some(Value::Int(number)) => *number,
        _ => 0,
    }
}

/// The items of an array; none of anything else.
pub fn items(value: &Value) -> &[Value] {
    match value {
        Value::Array(items) => items,
        _ => &[],
    }
}

fn shown_name(info: &Value) -> String {
    display_name(text(info, "group"), text(info, "name"))
}

/// CTL-040 to 044.
pub fn status(dialogue: &mut Dialogue<'_>, words: &[&str]) -> Result<(), Trouble> {
    let all = dialogue.call("getAllProcessInfo", &[])?;
    let all = items(&all);
    let mut shown: Vec<&Value> = Vec::new();
    if words.is_empty() || words.contains(&"all") {
        shown.extend(all);
    } else {
        for word in words {
            let spec = NameSpec::parse(word);
            let before = shown.len();
            shown.extend(all.iter().filter(|info| {
                text(info, "group") == spec.group && spec.process.is_none_or(|name| text(info, "name") == name)
            }));
            if shown.len() == before {
                let line = match spec.process {
                    Some(_) => format!("{word}: ERROR (no such process)"),
                    None => format!("{}: ERROR (no such group)", spec.group),
                };
                dialogue.refuse(exit::UNKNOWN, &line)?;
                dialogue.suggest_process(word);
            }
        }
    }
    if dialogue.wants_json() {
        let shown: Vec<Value> = shown.iter().copied().cloned().collect();
        fail_if_not_running(dialogue, &shown);
        return dialogue.say_json(&Value::Array(shown));
    }
    let names: Vec<String> = shown.iter().map(|info| shown_name(info)).collect();
    let width = 3 + names.iter().map(|name| name.chars().count()).max().unwrap_or(0).max(NAME_WIDTH);
    let mut lines = Vec::with_capacity(names.len());
    for (name, info) in names.iter().zip(&shown) {
        let state = text(info, "statename");
        let state = match colour_of(state).filter(|_| dialogue.screen.has_colours()) {
            Some(colour) => format!("\x1b[{colour}m{state}\x1b[0m{:1$}", "", STATE_WIDTH.saturating_sub(state.len())),
            None => format!("{state:STATE_WIDTH$}"),
        };
        lines.push(format!("{name:width$}{state}{}", text(info, "description")));
    }
    if !lines.is_empty() {
        dialogue.say(&lines.join("\n"))?;
    }
    fail_if_not_running(dialogue, shown);
    Ok(())
}

/// CTL-044.
fn fail_if_not_running<'v>(dialogue: &mut Dialogue<'_>, infos: impl IntoIterator<Item = &'v Value>) {
    if infos.into_iter().any(|info| NOT_RUNNING.contains(&number(info, "state"))) {
        dialogue.fail(exit::UNIMPLEMENTED);
    }
}

/// The SGR parameter (ECMA-48) that a state is shown with: green for fine, yellow for on its way, red for trouble.
fn colour_of(state: &str) -> Option<u8> {
    match state {
        "RUNNING" => Some(32),
        "STARTING" | "BACKOFF" | "STOPPING" => Some(33),
        "FATAL" | "UNKNOWN" => Some(31),
        _ => None,
    }
}

/// What start, stop, signal and clear do to processes.
struct Verb {
    /// Methods for one process, for a group and for all.
    one: &'static str,
    group: Option<&'static str>,
    all: &'static str,
    /// Exit status if there is no such group (CTL-055).
    no_group: i32,
    /// Each status code with what is said behind `<name>: ` and the exit status (CTL-060 to 077). A code that is not
    /// listed can't be made sense of (CTL-078).
    outcomes: &'static [(i32, &'static str, Option<i32>)],
}

/// Instead of a text: the fault's own.
const ITS_TEXT: &str = "";
const NO_PROCESS: (i32, &str, Option<i32>) = (fault::BAD_NAME, "ERROR (no such process)", Some(exit::FAILED));

const START: Verb = Verb {
    one: "startProcess",
    group: Some("startProcessGroup"),
    all: "startAllProcesses",
    no_group: exit::BAD_ARGUMENTS,
    outcomes: &[
        (fault::SUCCESS, "started", None),
        NO_PROCESS,
        (fault::NO_FILE, "ERROR (no such file)", Some(exit::FAILED)),
        (fault::NOT_EXECUTABLE, "ERROR (file is not executable)", Some(exit::FAILED)),
        (fault::ALREADY_STARTED, "ERROR (already started)", None),
        (fault::SPAWN_ERROR, "ERROR (spawn error)", Some(exit::NOT_RUNNING)),
        (fault::ABNORMAL_TERMINATION, "ERROR (abnormal termination)", Some(exit::NOT_RUNNING)),
    ],
};

const STOP: Verb = Verb {
    one: "stopProcess",
    group: Some("stopProcessGroup"),
    all: "stopAllProcesses",
    no_group: exit::FAILED,
    outcomes: &[
        (fault::SUCCESS, "stopped", None),
        NO_PROCESS,
        (fault::NOT_RUNNING, "ERROR (not running)", None),
        (fault::FAILED, ITS_TEXT, Some(exit::FAILED)),
    ],
};

const SIGNAL: Verb = Verb {
    one: "signalProcess",
    group: Some("signalProcessGroup"),
    all: "signalAllProcesses",
    no_group: exit::FAILED,
    outcomes: &[
        (fault::SUCCESS, "signalled", None),
        NO_PROCESS,
        (fault::BAD_SIGNAL, "ERROR (bad signal name)", Some(exit::FAILED)),
        (fault::NOT_RUNNING, "ERROR (not running)", Some(exit::NOT_RUNNING)),
        (fault::FAILED, ITS_TEXT, Some(exit::FAILED)),
    ],
};

const CLEAR: Verb = Verb {
    one: "clearProcessLogs",
    group: None,
    all: "clearAllProcessLogs",
    no_group: exit::FAILED,
    outcomes: &[(fault::SUCCESS, "cleared", None), NO_PROCESS, (fault::FAILED, "ERROR (failed)", Some(exit::FAILED))],
};

/// CTL-060 to 066.
pub fn start(dialogue: &mut Dialogue<'_>, words: &[&str]) -> Result<(), Trouble> {
    each(dialogue, &START, words, &[])
}

/// CTL-067 to 070.
pub fn stop(dialogue: &mut Dialogue<'_>, words: &[&str]) -> Result<(), Trouble> {
    each(dialogue, &STOP, words, &[])
}

/// CTL-056.
pub fn restart(dialogue: &mut Dialogue<'_>, words: &[&str]) -> Result<(), Trouble> {
    stop(dialogue, words)?;
    start(dialogue, words)
}

/// CTL-070 to 074, CTL-081.
pub fn signal(dialogue: &mut Dialogue<'_>, words: &[&str]) -> Result<(), Trouble> {
    let Some((signal, names)) = words.split_first() else { return Ok(()) };
    each(dialogue, &SIGNAL, names, &[Value::from(*signal)])
}

/// CTL-075 to 077.
pub fn clear(dialogue: &mut Dialogue<'_>, words: &[&str]) -> Result<(), Trouble> {
    each(dialogue, &CLEAR, words, &[])
}

/// Does `verb` to all, or to one name after the other (CTL-055). `more`: arguments behind the name.
fn each(dialogue: &mut Dialogue<'_>, verb: &Verb, names: &[&str], more: &[Value]) -> Result<(), Trouble> {
    if names.contains(&"all") {
        let results = dialogue.call(verb.all, more)?;
        return outcomes(dialogue, verb, &results);
    }
    for name in names {
        let spec = NameSpec::parse(name);
        let mut params = vec![Value::from(*name)];
        params.extend_from_slice(more);
        match (spec.process, verb.group) {
            (None, Some(method)) => {
                params[0] = Value::from(spec.group);
                match dialogue.call(method, &params) {
                    Ok(results) => outcomes(dialogue, verb, &results)?,
                    Err(trouble) if trouble.is_fault(fault::BAD_NAME) => {
                        dialogue.refuse(verb.no_group, &format!("{}: ERROR (no such group)", spec.group))?;
                        dialogue.suggest_process(name);
                    }
                    Err(trouble) => return Err(trouble),
                }
            }
            (process, _) => {
                let shown = match process {
                    Some(process) => display_name(spec.group, process),
                    None => format!("{}:*", spec.group),
                };
                match dialogue.call(verb.one, &params) {
                    Ok(_) => outcome(dialogue, verb, &shown, fault::SUCCESS, "")?,
                    Err(Trouble::Fault(Fault { code, text })) => {
                        outcome(dialogue, verb, &shown, code, &text)?;
                        match (code, more) {
                            (fault::BAD_NAME, _) => dialogue.suggest_process(name),
                            (fault::BAD_SIGNAL, [signal]) => dialogue.suggest_signal(signal.as_text().unwrap_or("")),
                            _ => {}
                        }
                    }
                    Err(trouble) => return Err(trouble),
                }
            }
        }
    }
    Ok(())
}

/// One line for each result of a group or of all (RPC results: name, group, status, description).
fn outcomes(dialogue: &mut Dialogue<'_>, verb: &Verb, results: &Value) -> Result<(), Trouble> {
    for result in items(results) {
        let status = i32::try_from(number(result, "status")).unwrap_or(fault::FAILED);
        outcome(dialogue, verb, &shown_name(result), status, text(result, "description"))?;
    }
    Ok(())
}

fn outcome(dialogue: &mut Dialogue<'_>, verb: &Verb, name: &str, code: i32, description: &str) -> Result<(), Trouble> {
    match verb.outcomes.iter().find(|row| row.0 == code) {
        None => Err(Trouble::Value(format!("Unknown result code {code} for {name}"))),
        Some((_, text, status)) => {
            if let Some(status) = status {
                dialogue.fail(*status);
            }
            match *text {
                ITS_TEXT => dialogue.say(description),
                text => dialogue.say(&format!("{name}: {text}")),
            }
        }
    }
}

/// CTL-080.
pub fn pid(dialogue: &mut Dialogue<'_>, words: &[&str]) -> Result<(), Trouble> {
    if words.is_empty() {
        let pid = dialogue.call("getPID", &[])?;
        return dialogue.say(&crate::ctl::pprint::literal(&pid));
    }
    if words.contains(&"all") {
        let all = dialogue.call("getAllProcessInfo", &[])?;
        for info in items(&all) {
            dialogue.say(&number(info, "pid").to_string())?;
        }
        return Ok(());
    }
    for word in words {
        match dialogue.call("getProcessInfo", &[Value::from(*word)]) {
            Ok(info) => {
                let pid = number(&info, "pid");
                if pid == 0 {
                    dialogue.fail(exit::NOT_RUNNING);
                }
                dialogue.say(&pid.to_string())?;
            }
            Err(trouble) if trouble.is_fault(fault::BAD_NAME) => {
                dialogue.refuse(exit::FAILED, &format!("No such process {word}"))?;
                dialogue.suggest_process(word);
            }
            Err(trouble) => return Err(trouble),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ctl::scripted::{Script, fault as failing, one_shot};

    fn info(group: &str, name: &str, state: (i64, &str), description: &str, pid: i64) -> Value {
        Value::Struct(vec![
            ("name".into(), name.into()),
            ("group".into(), group.into()),
            ("state".into(), state.0.into()),
            ("statename".into(), state.1.into()),
            ("description".into(), description.into()),
            ("pid".into(), pid.into()),
        ])
    }

    fn three() -> Value {
        Value::Array(vec![
            info("web", "web", (20, "RUNNING"), "pid 7, uptime 0:00:01", 7),
            info("fleet", "north", (10, "STARTING"), "", 0),
            info("fleet", "south", (100, "EXITED"), "Jan 01 00:00 AM", 0),
        ])
    }

    fn status_of(line: &str) -> (String, i32) {
        one_shot(&mut Script::new([("supervisor.getAllProcessInfo", Ok(three()))]), line)
    }

    #[test]
    fn ctl_040_to_042_status_lines() {
        let web = "web                              RUNNING   pid 7, uptime 0:00:01\n";
        let north = "fleet:north                      STARTING  \n";
        let south = "fleet:south                      EXITED    Jan 01 00:00 AM\n";
        for line in ["status", "status all", "status ghost all"] {
            assert_eq!(status_of(line), (format!("{web}{north}{south}"), 3));
        }
        assert_eq!(status_of("status web fleet:north web"), (format!("{web}{north}{web}"), 0));
        assert_eq!(status_of("status fleet:* web:"), (format!("{north}{south}{web}"), 3));
    }

    #[test]
    fn ctl_043_unknown_names_come_first() {
        let web = "web                              RUNNING   pid 7, uptime 0:00:01\n";
        let south = "fleet:south                      EXITED    Jan 01 00:00 AM\n";
        let ghosts = "ghost: ERROR (no such process)\nghosts: ERROR (no such group)\n";
        assert_eq!(status_of("status web ghost ghosts:*"), (format!("{ghosts}{web}"), 4));
        // CTL-044.
        assert_eq!(status_of("status ghost ghosts: fleet:south"), (format!("{ghosts}{south}"), 3));
    }

    #[test]
    fn ctl_041_a_long_name_widens_the_column() {
        let long = "a-name-of-more-than-thirty-characters";
        let infos =
            Value::Array(vec![info(long, long, (20, "RUNNING"), "x", 1), info("ü", "ü", (20, "RUNNING"), "x", 1)]);
        let (out, _) = one_shot(&mut Script::new([("supervisor.getAllProcessInfo", Ok(infos))]), "status");
        assert_eq!(out, format!("{long}   RUNNING   x\nü{}RUNNING   x\n", " ".repeat(39)));
    }

    /// A rule, and a status code with the line and the exit status that come of it.
    type Outcome = (&'static str, i32, &'static str, i32);

    /// Each status as a fault of one process and as a result within all.
    #[test]
    fn ctl_057_outcomes_of_every_verb() {
        let rows: &[(&str, &str, &str, &[Outcome])] = &[
            (
                "start",
                "startProcess",
                "startAllProcesses",
                &[
                    ("CTL-060", 80, "a: started", 0),
                    ("CTL-061", 10, "a: ERROR (no such process)", 1),
                    ("CTL-062", 20, "a: ERROR (no such file)", 1),
                    ("CTL-063", 21, "a: ERROR (file is not executable)", 1),
                    ("CTL-064", 60, "a: ERROR (already started)", 0),
                    ("CTL-065", 50, "a: ERROR (spawn error)", 7),
                    ("CTL-066", 40, "a: ERROR (abnormal termination)", 7),
                ],
            ),
            (
                "stop",
                "stopProcess",
                "stopAllProcesses",
                &[
                    ("CTL-067", 80, "a: stopped", 0),
                    ("CTL-068", 10, "a: ERROR (no such process)", 1),
                    ("CTL-069", 70, "a: ERROR (not running)", 0),
                    ("CTL-070", 30, "FAILED", 1),
                ],
            ),
            (
                "signal HUP",
                "signalProcess",
                "signalAllProcesses",
                &[
                    ("CTL-071", 80, "a: signalled", 0),
                    ("CTL-072", 10, "a: ERROR (no such process)", 1),
                    ("CTL-073", 11, "a: ERROR (bad signal name)", 1),
                    ("CTL-074", 70, "a: ERROR (not running)", 7),
                    ("CTL-070", 30, "FAILED", 1),
                ],
            ),
            (
                "clear",
                "clearProcessLogs",
                "clearAllProcessLogs",
                &[
                    ("CTL-075", 80, "a: cleared", 0),
                    ("CTL-076", 10, "a: ERROR (no such process)", 1),
                    ("CTL-077", 30, "a: ERROR (failed)", 1),
                ],
            ),
        ];
        for (verb, one, all, outcomes) in rows {
            let (one, all) = (Box::leak(format!("supervisor.{one}").into_boxed_str()), format!("supervisor.{all}"));
            let all: &'static str = Box::leak(all.into_boxed_str());
            for (rule, code, line, status) in *outcomes {
                let answer = if *code == 80 { Ok(Value::Bool(true)) } else { failing(*code) };
                let expected = (format!("{line}\n"), *status);
                assert_eq!(one_shot(&mut Script::new([(&*one, answer)]), &format!("{verb} a")), expected, "{rule}");
                let result = Value::Struct(vec![
                    ("name".into(), "a".into()),
                    ("group".into(), "a".into()),
                    ("status".into(), i64::from(*code).into()),
                    ("description".into(), Fault::name_of(*code).into()),
                ]);
                let answer = Ok(Value::Array(vec![result]));
                assert_eq!(one_shot(&mut Script::new([(all, answer)]), &format!("{verb} b all c")), expected, "{rule}");
            }
            // CTL-078.
            let (out, status) = one_shot(&mut Script::new([(&*one, failing(6))]), &format!("{verb} a b"));
            assert!(out.starts_with("error: <class 'ValueError'>, Unknown result code 6 for a: file: "), "{out}");
            assert_eq!(status, 1);
        }
    }

    #[test]
    fn ctl_055_groups() {
        for (verb, method, status) in [
            ("start", "supervisor.startProcessGroup", 2),
            ("stop", "supervisor.stopProcessGroup", 1),
            ("signal HUP", "supervisor.signalProcessGroup", 1),
        ] {
            for name in ["ghosts:*", "ghosts:"] {
                let mut script = Script::new([(method, failing(10))]);
                let expected = ("ghosts: ERROR (no such group)\n".to_string(), status);
                assert_eq!(one_shot(&mut script, &format!("{verb} {name}")), expected);
                assert!(script.calls[0].starts_with(&format!("{method}('ghosts'")));
            }
        }
        // CTL-076, BUG-092.
        let mut script = Script::new([("supervisor.clearProcessLogs", failing(10))]);
        assert_eq!(one_shot(&mut script, "clear g:*"), ("g:*: ERROR (no such process)\n".to_string(), 1));
    }

    #[test]
    fn ctl_056_restart_stops_all_then_starts_all() {
        let mut script = Script::new([
            ("supervisor.stopProcess", failing(70)),
            ("supervisor.stopProcess", Ok(true.into())),
            ("supervisor.startProcess", Ok(true.into())),
            ("supervisor.startProcess", failing(50)),
        ]);
        let out = "a: ERROR (not running)\ng:b: stopped\na: started\ng:b: ERROR (spawn error)\n";
        assert_eq!(one_shot(&mut script, "restart a g:b"), (out.to_string(), 7));
    }

    #[test]
    fn ctl_080_pids() {
        let mut script = Script::new([("supervisor.getPID", Ok(42.into()))]);
        assert_eq!(one_shot(&mut script, "pid"), ("42\n".to_string(), 0));
        let mut script = Script::new([("supervisor.getAllProcessInfo", Ok(three()))]);
        assert_eq!(one_shot(&mut script, "pid a all"), ("7\n0\n0\n".to_string(), 0));
        let one = info("web", "web", (20, "RUNNING"), "", 7);
        let none = info("a", "a", (0, "STOPPED"), "", 0);
        let method = "supervisor.getProcessInfo";
        let mut script = Script::new([(method, failing(10)), (method, Ok(none)), (method, Ok(one))]);
        assert_eq!(one_shot(&mut script, "pid x a web"), ("No such process x\n0\n7\n".to_string(), 7));
    }
}
