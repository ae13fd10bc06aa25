//! Commands for the twiddler: groups and programs that come and go while supervisord runs. Supervisor has no such
//! commands; where its server has the namespace they work there, too.

use crate::base::text::{NameSpec, display_name, nearest};
use crate::base::value::Value;
use crate::base::words::{Fault, fault};
use crate::config::program_keys::{ProcessKeys, ProgramKeys};
use crate::ctl::control::items;
use crate::ctl::dialogue::{Dialogue, exit};
use crate::ctl::trouble::Trouble;

/// The priority of a group that is given none: the default of configured ones.
const PRIORITY: i64 = 999;

/// `Ok(Err(…))`: the server refused, and this is to be said.
fn call(dialogue: &mut Dialogue<'_>, method: &str, params: &[Value]) -> Result<Result<Value, Fault>, Trouble> {
    match dialogue.remote.call(&format!("twiddler.{method}"), params) {
        Ok(value) => Ok(Ok(value)),
        Err(Trouble::Fault(said)) => Ok(Err(said)),
        Err(trouble) => Err(trouble),
    }
}

/// Says why the server refused, if it is nothing that the command knows better.
fn refused(dialogue: &mut Dialogue<'_>, said: &Fault) -> Result<(), Trouble> {
    let why = match said.code {
        fault::UNKNOWN_METHOD => "supervisord has no twiddler: its configuration has no [rpcinterface:twiddler]",
        fault::SHUTDOWN_STATE => "shutting down",
        _ => &said.text,
    };
    dialogue.refuse(exit::FAILED, &format!("ERROR: {why}"))
}

/// `twiddler_groups`: one a line.
pub fn groups(dialogue: &mut Dialogue<'_>, _: &[&str]) -> Result<(), Trouble> {
    let groups = match call(dialogue, "getGroupNames", &[])? {
        Ok(groups) => groups,
        Err(said) => return refused(dialogue, &said),
    };
    if dialogue.wants_json() {
        return dialogue.say_json(&groups);
    }
    items(&groups).iter().filter_map(Value::as_text).try_for_each(|group| dialogue.say(group))
}

/// `twiddler_add_group <gname> [<priority>]`.
pub fn add_group(dialogue: &mut Dialogue<'_>, words: &[&str]) -> Result<(), Trouble> {
    let Some((group, more)) = words.split_first() else { return Ok(()) };
    let Ok(priority) = more.first().map_or(Ok(PRIORITY), |text| text.parse::<i64>()) else {
        return dialogue.refuse(exit::BAD_ARGUMENTS, &format!("ERROR: the priority is no number: {}", more[0]));
    };
    match call(dialogue, "addGroup", &[Value::from(*group), Value::from(priority)])? {
        Ok(_) => dialogue.say(&format!("{group}: added process group")),
        Err(said) if said.code == fault::BAD_NAME => {
            dialogue.refuse(exit::FAILED, "ERROR: process group already active")
        }
        Err(said) => refused(dialogue, &said),
    }
}

/// `twiddler_add <gname> <program> <key>=<value>…`. A key that no program has is refused here, since the server
/// ignores it (TWID-051).
pub fn add(dialogue: &mut Dialogue<'_>, words: &[&str]) -> Result<(), Trouble> {
    let [group, program, settings @ ..] = words else { return Ok(()) };
    let known: Vec<&str> = ProgramKeys::ROWS.iter().chain(ProcessKeys::ROWS).map(|row| row.key).collect();
    let mut options = Vec::new();
    for setting in settings {
        let Some((key, value)) = setting.split_once('=') else {
            let why = format!("ERROR: not <key>=<value>: {setting} (a value with blanks goes in quotes)");
            return dialogue.refuse(exit::BAD_ARGUMENTS, &why);
        };
        let key = key.to_lowercase();
        if !known.contains(&key.as_str()) {
            let meant = nearest(&key, known.iter().copied()).map(|key| format!("; did you mean {key}?"));
            let why = format!("ERROR: a program has no key {key}{}", meant.unwrap_or_default());
            return dialogue.refuse(exit::BAD_ARGUMENTS, &why);
        }
        options.push((key, Value::from(value)));
    }
    let params = [Value::from(*group), Value::from(*program), Value::Struct(options)];
    match call(dialogue, "addProgramToGroup", &params)? {
        Ok(_) => dialogue.say(&format!("{}: added", display_name(group, program))),
        Err(said)
            if said.code == fault::BAD_NAME && said.text == Fault::with(said.code, format!("group: {group}")).text =>
        {
            dialogue.refuse(exit::FAILED, &format!("ERROR: no such group: {group}"))?;
            dialogue.suggest_group(group);
            Ok(())
        }
        Err(said) if said.code == fault::BAD_NAME => {
            dialogue.refuse(exit::FAILED, &format!("{}: ERROR (already there)", display_name(group, program)))
        }
        Err(said) => refused(dialogue, &said),
    }
}

/// `twiddler_remove <gname>:<name>…`, one after the other.
pub fn remove(dialogue: &mut Dialogue<'_>, words: &[&str]) -> Result<(), Trouble> {
    for word in words {
        let NameSpec { group, process: Some(process) } = NameSpec::parse(word) else {
            dialogue
                .refuse(exit::BAD_ARGUMENTS, &format!("{word}: ERROR (name one process; `remove` is for groups)"))?;
            continue;
        };
        let shown = display_name(group, process);
        match call(dialogue, "removeProcessFromGroup", &[Value::from(group), Value::from(process)])? {
            Ok(_) => dialogue.say(&format!("{shown}: removed"))?,
            Err(said) if said.code == fault::BAD_NAME => {
                dialogue.refuse(exit::FAILED, &format!("{shown}: ERROR (no such process)"))?;
                dialogue.suggest_process(word);
            }
            Err(said) if said.code == fault::STILL_RUNNING => {
                dialogue.refuse(exit::FAILED, &format!("{shown}: ERROR (still running)"))?;
            }
            Err(said) => refused(dialogue, &said)?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ctl::scripted::{Script, fault as failing, one_shot};

    const GROUP: &str = "twiddler.addGroup";
    const ADD: &str = "twiddler.addProgramToGroup";
    const REMOVE: &str = "twiddler.removeProcessFromGroup";

    fn run(line: &str, answers: Vec<(&'static str, Result<Value, Trouble>)>) -> (String, i32, Vec<String>) {
        let mut script = Script::new(answers);
        let (out, status) = one_shot(&mut script, line);
        (out, status, script.calls)
    }

    fn said(code: i32, detail: &str) -> Result<Value, Trouble> {
        Err(Trouble::Fault(Fault::with(code, detail)))
    }

    #[test]
    fn groups_are_added_and_listed() {
        let yes = || Ok(Value::Bool(true));
        let (out, status, calls) = run("twiddler_add_group jobs", vec![(GROUP, yes())]);
        assert_eq!((out.as_str(), status), ("jobs: added process group\n", 0));
        assert_eq!(calls, ["twiddler.addGroup('jobs', 999)"]);
        assert_eq!(run("twiddler_add_group jobs 5", vec![(GROUP, yes())]).2, ["twiddler.addGroup('jobs', 5)"]);
        let (out, status, _) = run("twiddler_add_group jobs high", vec![]);
        assert_eq!((out.as_str(), status), ("ERROR: the priority is no number: high\n", 2));
        let (out, status, _) = run("twiddler_add_group jobs", vec![(GROUP, said(10, "jobs"))]);
        assert_eq!((out.as_str(), status), ("ERROR: process group already active\n", 1));
        let (out, _, _) = run("twiddler_add_group a:b", vec![(GROUP, said(2, "Invalid name"))]);
        assert_eq!(out, "ERROR: INCORRECT_PARAMETERS: Invalid name\n");
        let names = || vec![("twiddler.getGroupNames", Ok(Value::strings(["a", "b"])))];
        assert_eq!(run("twiddler_groups", names()).0, "a\nb\n");
        assert_eq!(run("twiddler_groups --json", names()).0, "[\n  \"a\",\n  \"b\"\n]\n");
        let (out, status, _) = run("twiddler_groups", vec![("twiddler.getGroupNames", failing(1))]);
        assert!(out.starts_with("ERROR: supervisord has no twiddler: ") && status == 1, "{out}");
    }

    #[test]
    fn programs_are_added() {
        let yes = || vec![(ADD, Ok(Value::Bool(true)))];
        let (out, status, calls) = run("twiddler_add jobs ls command='ls -l' STARTSECS=0", yes());
        assert_eq!((out.as_str(), status), ("jobs:ls: added\n", 0));
        assert_eq!(calls, ["twiddler.addProgramToGroup('jobs', 'ls', {'command': 'ls -l', 'startsecs': '0'})"]);
        for (line, message) in [
            (
                "twiddler_add jobs ls command=ls -l",
                "ERROR: not <key>=<value>: -l (a value with blanks goes in quotes)\n",
            ),
            ("twiddler_add jobs ls comand=ls", "ERROR: a program has no key comand; did you mean command?\n"),
        ] {
            let (out, status, _) = run(line, vec![]);
            assert_eq!((out.as_str(), status), (message, 2));
        }
        for line in ["twiddler_add", "twiddler_add jobs ls"] {
            let (out, status, _) = run(line, vec![]);
            assert!(out.starts_with("twiddler_add <gname> <program> <key>=<value> [...]\t") && status == 2, "{out}");
        }
        for (answer, message) in [
            (said(10, "group: jobs"), "ERROR: no such group: jobs\n"),
            (said(10, "ls"), "jobs:ls: ERROR (already there)\n"),
            (said(2, "bad"), "ERROR: INCORRECT_PARAMETERS: bad\n"),
            (failing(6), "ERROR: shutting down\n"),
        ] {
            let (out, status, _) = run("twiddler_add jobs ls command=ls", vec![(ADD, answer)]);
            assert_eq!((out.as_str(), status), (message, 1));
        }
    }

    #[test]
    fn processes_are_removed() {
        let answers = vec![(REMOVE, Ok(Value::Bool(true))), (REMOVE, failing(10)), (REMOVE, failing(91))];
        let (out, status, calls) = run("twiddler_remove jobs:ls jobs:x web", answers);
        assert_eq!(out, "jobs:ls: removed\njobs:x: ERROR (no such process)\nweb: ERROR (still running)\n");
        assert_eq!((status, calls[0].as_str()), (1, "twiddler.removeProcessFromGroup('jobs', 'ls')"));
        let (out, status, _) = run("twiddler_remove jobs:*", vec![]);
        assert_eq!((out.as_str(), status), ("jobs:*: ERROR (name one process; `remove` is for groups)\n", 2));
    }
}
