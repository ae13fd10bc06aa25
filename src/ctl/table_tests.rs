//! Tests of the table of commands.

use crate::ctl::table::*;

#[test]
fn the_table_is_sorted_and_complete() {
    for family in [Family::Default, Family::Cache, Family::Twiddler] {
        let names: Vec<_> = COMMANDS.iter().filter(|row| row.family == family).map(|row| row.name).collect();
        assert!(names.is_sorted());
    }
    for (i, row) in COMMANDS.iter().enumerate() {
        assert!(COMMANDS[..i].iter().all(|earlier| earlier.name != row.name), "{} twice", row.name);
        assert!(row.name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'));
        assert!(row.name == "EOF" || !row.usage.is_empty());
    }
}

/// CTL-141 and CTL-143: the names and usage forms that users and scripts know.
#[test]
fn ctl_143_usage_forms() {
    let forms = |name: &str| -> Vec<&str> {
        let row = COMMANDS.iter().find(|row| row.name == name).unwrap();
        row.usage.iter().map(|line| line.0).filter(|form| !form.is_empty()).collect()
    };
    for name in ["start", "stop"] {
        let all = ["<name>", "<gname>:*", "<name> <name>", "all"].map(|form| format!("{name} {form}"));
        assert_eq!(forms(name), all);
    }
    assert_eq!(forms("restart")[..4], ["restart <name>", "restart <gname>:*", "restart <name> <name>", "restart all"]);
    assert_eq!(
        forms("signal"),
        ["<name>", "<gname>:*", "<name> <name>", "all"].map(|form| format!("signal <signal name> {form}"))
    );
    assert_eq!(forms("status"), ["status <name>", "status <gname>:*", "status <name> <name>", "status"]);
    assert_eq!(forms("clear"), ["clear <name>", "clear <name> <name>", "clear all"]);
    assert_eq!(forms("pid"), ["pid", "pid <name>", "pid all"]);
    assert_eq!(forms("tail")[0], "tail [-f] <name> [stdout|stderr] (default stdout)");
    assert_eq!(forms("maintail"), ["maintail -f", "maintail -100", "maintail"]);
    assert_eq!(forms("update"), ["update", "update all", "update <gname> [...]"]);
    assert_eq!(forms("add"), ["add <name> [...]"]);
    assert_eq!(forms("remove"), ["remove <name> [...]"]);
    assert_eq!(forms("open"), ["open <url>"]);
    assert_eq!(forms("fg"), ["fg <process>"]);
    for name in ["avail", "exit", "quit", "reload", "reread", "shutdown", "version"] {
        assert_eq!(forms(name), [name]);
    }
    // CTL-126.
    assert_eq!(forms("cache_store"), ["cache_store <key> <value>"]);
    assert_eq!(forms("cache_fetch"), ["cache_fetch <key>"]);
    assert_eq!(forms("cache_delete"), ["cache_delete <key>"]);
}
