//! Commands about the configuration: avail, reread, update, add, remove.

use crate::base::order;
use crate::base::text::display_name;
use crate::base::value::Value;
use crate::base::words::{Fault, fault};
use crate::ctl::control::{items, number, text};
use crate::ctl::dialogue::{Dialogue, exit};
use crate::ctl::trouble::Trouble;

/// CTL-095, CTL-096.
pub fn avail(dialogue: &mut Dialogue<'_>, _: &[&str]) -> Result<(), Trouble> {
    let infos = match dialogue.call("getAllConfigInfo", &[]) {
        Ok(infos) => infos,
        Err(trouble) => return refuse_known(dialogue, trouble, "supervisor shutting down"),
    };
    let says =
        |info: &Value, member: &str, yes, no| if info.member(member).is_some_and(Value::is_truthy) { yes } else { no };
    if dialogue.wants_json() {
        return dialogue.say_json(&infos);
    }
    for info in items(&infos) {
        dialogue.say(&format!(
            "{:32} {:9} {:9} {}:{}",
            display_name(text(info, "group"), text(info, "name")),
            says(info, "inuse", "in use", "avail"),
            says(info, "autostart", "auto", "manual"),
            number(info, "group_prio"),
            number(info, "process_prio"),
        ))?;
    }
    Ok(())
}

/// What reloadConfig found.
struct Changes {
    added: Vec<String>,
    changed: Vec<String>,
    removed: Vec<String>,
}

impl Changes {
    fn ask(dialogue: &mut Dialogue<'_>) -> Result<Changes, Trouble> {
        let answer = dialogue.call("reloadConfig", &[])?;
        let lists = items(&answer).first().map(items).unwrap_or_default();
        let names = |place: usize| -> Vec<String> {
            let names = lists.get(place).map(items).unwrap_or_default();
            names.iter().filter_map(Value::as_text).map(String::from).collect()
        };
        Ok(Changes { added: names(0), changed: names(1), removed: names(2) })
    }
}

/// Says what is known about a refusal; anything else goes on up.
fn refuse_known(dialogue: &mut Dialogue<'_>, trouble: Trouble, shutting_down: &str) -> Result<(), Trouble> {
    match trouble {
        Trouble::Fault(said) if said.code == fault::SHUTDOWN_STATE => {
            dialogue.refuse(exit::FAILED, &format!("ERROR: {shutting_down}"))
        }
        Trouble::Fault(said) if said.code == fault::CANT_REREAD => {
            dialogue.refuse(exit::FAILED, &format!("ERROR: {}", said.text))
        }
        trouble => Err(trouble),
    }
}

/// CTL-097, CTL-098.
pub fn reread(dialogue: &mut Dialogue<'_>, _: &[&str]) -> Result<(), Trouble> {
    let changes = match Changes::ask(dialogue) {
        Ok(changes) => changes,
        Err(trouble) => return refuse_known(dialogue, trouble, "supervisor shutting down"),
    };
    let kinds = [(changes.added, "available"), (changes.changed, "changed"), (changes.removed, "disappeared")];
    let mut lines: Vec<(String, &str)> =
        kinds.into_iter().flat_map(|(names, kind)| names.into_iter().map(move |name| (name, kind))).collect();
    order::sort(&mut lines);
    if lines.is_empty() {
        return dialogue.say("No config updates to processes");
    }
    for (name, kind) in lines {
        dialogue.say(&format!("{name}: {kind}"))?;
    }
    Ok(())
}

/// CTL-110 to 115.
pub fn update(dialogue: &mut Dialogue<'_>, words: &[&str]) -> Result<(), Trouble> {
    let changes = match Changes::ask(dialogue) {
        Ok(changes) => changes,
        Err(trouble) => return refuse_known(dialogue, trouble, "already shutting down"),
    };
    let everything = words.is_empty() || words.contains(&"all");
    if !everything {
        complain_about_unknown(dialogue, &changes, words)?;
    }
    let wanted = |name: &&String| everything || words.contains(&name.as_str());
    for group in changes.removed.iter().filter(wanted) {
        let results = stop(dialogue, group)?;
        if items(&results).iter().any(|result| number(result, "status") == i64::from(fault::FAILED)) {
            dialogue.refuse(exit::FAILED, &format!("{group}: has problems; not removing"))?;
            continue;
        }
        dialogue.call("removeProcessGroup", &[Value::from(group.as_str())])?;
        dialogue.say(&format!("{group}: removed process group"))?;
    }
    for group in changes.changed.iter().filter(wanted) {
        stop(dialogue, group)?;
        dialogue.call("removeProcessGroup", &[Value::from(group.as_str())])?;
        dialogue.call("addProcessGroup", &[Value::from(group.as_str())])?;
        dialogue.say(&format!("{group}: updated process group"))?;
    }
    for group in changes.added.iter().filter(wanted) {
        dialogue.call("addProcessGroup", &[Value::from(group.as_str())])?;
        dialogue.say(&format!("{group}: added process group"))?;
    }
    Ok(())
}

/// CTL-111.
fn complain_about_unknown(dialogue: &mut Dialogue<'_>, changes: &Changes, words: &[&str]) -> Result<(), Trouble> {
    let infos = dialogue.call("getAllProcessInfo", &[])?;
    for (place, word) in words.iter().enumerate() {
        let changing = [&changes.added, &changes.changed, &changes.removed];
        let known = changing.iter().any(|names| names.iter().any(|name| name == word))
            || items(&infos).iter().any(|info| text(info, "group") == *word);
        if !known && !words[..place].contains(word) {
            dialogue.refuse(exit::FAILED, &format!("ERROR: no such group: {word}"))?;
            dialogue.suggest_group(word);
        }
    }
    Ok(())
}

/// Stops a group and says so, whether anything ran or not (CTL-115).
fn stop(dialogue: &mut Dialogue<'_>, group: &str) -> Result<Value, Trouble> {
    let results = dialogue.call("stopProcessGroup", &[Value::from(group)])?;
    dialogue.say(&format!("{group}: stopped"))?;
    Ok(results)
}

/// CTL-099, CTL-105.
pub fn add(dialogue: &mut Dialogue<'_>, words: &[&str]) -> Result<(), Trouble> {
    for group in words {
        match dialogue.call("addProcessGroup", &[Value::from(*group)]) {
            Ok(_) => dialogue.say(&format!("{group}: added process group"))?,
            Err(Trouble::Fault(Fault { code, .. })) if code == fault::SHUTDOWN_STATE => {
                dialogue.refuse(exit::FAILED, "ERROR: shutting down")?;
            }
            Err(Trouble::Fault(Fault { code, .. })) if code == fault::ALREADY_ADDED => {
                dialogue.say("ERROR: process group already active")?;
            }
            Err(Trouble::Fault(Fault { code, .. })) if code == fault::BAD_NAME => {
                dialogue.refuse(exit::FAILED, &format!("ERROR: no such process/group: {group}"))?;
                dialogue.suggest_configured(group);
            }
            Err(trouble) => return Err(trouble),
        }
    }
    Ok(())
}

/// CTL-100, CTL-105.
pub fn remove(dialogue: &mut Dialogue<'_>, words: &[&str]) -> Result<(), Trouble> {
    for group in words {
        match dialogue.call("removeProcessGroup", &[Value::from(*group)]) {
            Ok(_) => dialogue.say(&format!("{group}: removed process group"))?,
            Err(Trouble::Fault(Fault { code, .. })) if code == fault::STILL_RUNNING => {
                dialogue.refuse(exit::FAILED, &format!("ERROR: process/group still running: {group}"))?;
            }
            Err(Trouble::Fault(Fault { code, .. })) if code == fault::BAD_NAME => {
                dialogue.refuse(exit::FAILED, &format!("ERROR: no such process/group: {group}"))?;
                dialogue.suggest_group(group);
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

    type Answers = Vec<(&'static str, Result<Value, Trouble>)>;

    fn run(line: &str, answers: Answers) -> (String, i32) {
        one_shot(&mut Script::new(answers), line)
    }

    fn text(text: &str, status: i32) -> (String, i32) {
        (text.to_string(), status)
    }

    fn changes(added: &[&str], changed: &[&str], removed: &[&str]) -> Result<Value, Trouble> {
        let lists = [added, changed, removed].map(|names| Value::strings(names.iter().copied()));
        Ok(Value::Array(vec![Value::Array(lists.to_vec())]))
    }

    const RELOAD: &str = "supervisor.reloadConfig";
    const STOP: &str = "supervisor.stopProcessGroup";
    const ADD: &str = "supervisor.addProcessGroup";
    const REMOVE: &str = "supervisor.removeProcessGroup";

    fn yes() -> Result<Value, Trouble> {
        Ok(Value::Bool(true))
    }

    fn stopped(status: i64) -> Result<Value, Trouble> {
        Ok(Value::Array(vec![Value::Struct(vec![("status".into(), status.into())])]))
    }

    #[test]
    fn ctl_095_avail_lines() {
        let info = |group: &str, name: &str, inuse: bool, auto: bool| {
            Value::Struct(vec![
                ("name".into(), name.into()),
                ("group".into(), group.into()),
                ("inuse".into(), inuse.into()),
                ("autostart".into(), auto.into()),
                ("group_prio".into(), 70.into()),
                ("process_prio".into(), 999.into()),
            ])
        };
        let infos = Value::Array(vec![info("fleet", "north", true, false), info("web", "web", false, true)]);
        let out = "fleet:north                      in use    manual    70:999\n\
                   web                              avail     auto      70:999\n";
        assert_eq!(run("avail", vec![("supervisor.getAllConfigInfo", Ok(infos))]), text(out, 0));
        // CTL-096.
        let refused = text("ERROR: supervisor shutting down\n", 1);
        assert_eq!(run("avail", vec![("supervisor.getAllConfigInfo", failing(6))]), refused);
    }

    #[test]
    fn ctl_097_reread_sorts_by_name() {
        let out = "a: changed\nb: available\nc: disappeared\nd: available\n";
        assert_eq!(run("reread", vec![(RELOAD, changes(&["d", "b"], &["a"], &["c"]))]), text(out, 0));
        let none = text("No config updates to processes\n", 0);
        assert_eq!(run("reread", vec![(RELOAD, changes(&[], &[], &[]))]), none);
        // CTL-098.
        assert_eq!(run("reread", vec![(RELOAD, failing(6))]), text("ERROR: supervisor shutting down\n", 1));
        let broken = Err(Trouble::Fault(Fault::with(92, "no good")));
        assert_eq!(run("reread", vec![(RELOAD, broken)]), text("ERROR: CANT_REREAD: no good\n", 1));
    }

    #[test]
    fn ctl_110_update_that_can_t_read() {
        assert_eq!(run("update", vec![(RELOAD, failing(6))]), text("ERROR: already shutting down\n", 1));
        let broken = Err(Trouble::Fault(Fault::with(92, "no good")));
        assert_eq!(run("update", vec![(RELOAD, broken)]), text("ERROR: CANT_REREAD: no good\n", 1));
    }

    /// CTL-112 what was removed, CTL-113 what was changed, CTL-114 what was added; CTL-115 `stopped` in any case.
    #[test]
    fn ctl_112_update_in_three_phases() {
        for line in ["update", "update all", "update x all"] {
            let answers = vec![
                (RELOAD, changes(&["new"], &["other"], &["old"])),
                (STOP, stopped(80)),
                (REMOVE, yes()),
                (STOP, Ok(Value::Array(vec![]))),
                (REMOVE, yes()),
                (ADD, yes()),
                (ADD, yes()),
            ];
            let out = "old: stopped\nold: removed process group\nother: stopped\nother: updated process group\n\
                       new: added process group\n";
            assert_eq!(run(line, answers), text(out, 0));
        }
        let stuck = vec![
            (RELOAD, changes(&[], &[], &["old", "older"])),
            (STOP, stopped(30)),
            (STOP, stopped(80)),
            (REMOVE, yes()),
        ];
        let out = "old: stopped\nold: has problems; not removing\nolder: stopped\nolder: removed process group\n";
        assert_eq!(run("update", stuck), text(out, 1));
        assert_eq!(run("update", vec![(RELOAD, changes(&[], &[], &[]))]), text("", 0));
    }

    #[test]
    fn ctl_111_update_of_some_groups() {
        let web = Value::Struct(vec![("group".into(), "web".into())]);
        let answers = vec![
            (RELOAD, changes(&["new", "newer"], &[], &["old"])),
            ("supervisor.getAllProcessInfo", Ok(Value::Array(vec![web]))),
            (ADD, yes()),
        ];
        let out = "ERROR: no such group: ghost\nnew: added process group\n";
        assert_eq!(run("update ghost web new ghost", answers), text(out, 1));
    }

    #[test]
    fn ctl_099_add() {
        let answers = vec![(ADD, yes()), (ADD, failing(90)), (ADD, failing(10)), (ADD, failing(6))];
        let out = "a: added process group\nERROR: process group already active\nERROR: no such process/group: c\n\
                   ERROR: shutting down\n";
        assert_eq!(run("add a b c d", answers), text(out, 1));
        assert_eq!(run("add b", vec![(ADD, failing(90))]), text("ERROR: process group already active\n", 0));
        // CTL-105.
        assert_eq!(run("add", vec![]), text("", 0));
    }

    #[test]
    fn ctl_100_remove() {
        let answers = vec![(REMOVE, failing(91)), (REMOVE, failing(10)), (REMOVE, yes())];
        let out = "ERROR: process/group still running: a\nERROR: no such process/group: b\nc: removed process group\n";
        assert_eq!(run("remove a b c", answers), text(out, 1));
        assert_eq!(run("remove", vec![]), text("", 0));
    }
}
