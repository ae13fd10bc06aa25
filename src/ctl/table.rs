//! The commands, one row each. Dispatch, argument checks, the check of the connection and help read these rows;
//! nothing about a command is written down anywhere else.

use crate::ctl::dialogue::Dialogue;
use crate::ctl::trouble::Trouble;
use crate::ctl::{cache, control, foreground, groups, help, logs, server};

/// Which set a command belongs to. A set is there once for each plugin that provides it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Family {
    /// Always there; listed as `default`.
    Default,
    /// Comes with the cache plugin; listed under the plugin's name.
    Cache,
    /// Always there, not listed by `help`.
    Unlisted,
}

/// What a command's arguments must be. `Nothing` is looked at before the connection is checked, the others after.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Args {
    /// None may be given (CTL-104).
    Nothing,
    /// Words; the command judges them itself.
    Free,
    /// At least `count` words; else `Error: <command> requires <what>`, its help, and the exit status (CTL-050..054).
    Needs {
        /// How many.
        count: usize,
        /// What they are.
        what: &'static str,
        /// Exit status without them.
        exit: i32,
    },
    /// Exactly so many words, quoted as in a shell; else its help, and no failure (CTL-126).
    Quoted(usize),
}

/// Whether the server is asked for its version before the command runs (CTL-020..025).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UpCheck {
    /// It is not.
    No,
    /// It is.
    Yes,
    /// It is, and every failure of the check exits with this status.
    Exit(i32),
}

/// One command.
pub struct Command {
    /// Its word.
    pub name: &'static str,
    /// The set it belongs to.
    pub family: Family,
    /// Help: a usage form and what it does. Without description the form is a line of its own; without form the
    /// description goes on.
    pub usage: &'static [(&'static str, &'static str)],
    /// What its arguments must be.
    pub args: Args,
    /// Whether the server must answer first.
    pub up_check: UpCheck,
    /// What an interactive user must agree to (CTL-152).
    pub question: Option<&'static str>,
    /// Does it, with the words behind the command.
    pub run: fn(&mut Dialogue<'_>, &[&str]) -> Result<(), Trouble>,
}

/// What most rows leave as it is.
const PLAIN: Command = Command {
    name: "",
    family: Family::Default,
    usage: &[],
    args: Args::Free,
    up_check: UpCheck::No,
    question: None,
    run: |_, _| Ok(()),
};

const fn needs(count: usize, what: &'static str, exit: i32) -> Args {
    Args::Needs { count, what, exit }
}

/// All commands, sorted by name within their family.
pub const COMMANDS: &[Command] = &[
    Command {
        name: "add",
        usage: &[("add <name> [...]", "Activate process groups that the last reread found")],
        run: groups::add,
        ..PLAIN
    },
    Command {
        name: "avail",
        usage: &[("avail", "List the configured processes and whether they are active")],
        args: Args::Nothing,
        run: groups::avail,
        ..PLAIN
    },
    Command {
        name: "clear",
        usage: &[
            ("clear <name>", "Empty the log files of a process"),
            ("clear <name> <name>", "Empty the log files of several processes"),
            ("clear all", "Empty the log files of all processes"),
        ],
        args: needs(1, "a process name", 1),
        up_check: UpCheck::Yes,
        run: control::clear,
        ..PLAIN
    },
    Command { name: "exit", usage: &[("exit", "Leave this shell")], run: help::leave, ..PLAIN },
    Command {
        name: "fg",
        usage: &[("fg <process>", "Show what a process prints and send it what you type"), ("", "(Ctrl-C leaves)")],
        up_check: UpCheck::Yes,
        run: foreground::fg,
        ..PLAIN
    },
    Command {
        name: "maintail",
        usage: &[
            ("maintail -f", "Follow the log of supervisord (Ctrl-C ends)"),
            ("maintail -100", "Last 100 bytes of the log of supervisord"),
            ("maintail", "Last 1600 bytes of the log of supervisord"),
        ],
        up_check: UpCheck::Yes,
        run: logs::maintail,
        ..PLAIN
    },
    Command {
        name: "open",
        usage: &[("open <url>", "Talk to another supervisord from here on"), ("", "(a unix socket is unix:///path)")],
        run: server::open,
        ..PLAIN
    },
    Command {
        name: "pid",
        usage: &[
            ("pid", "Process id of supervisord"),
            ("pid <name>", "Process id of a process, 0 if it has none"),
            ("pid all", "Process ids of all processes, one a line"),
        ],
        up_check: UpCheck::Yes,
        run: control::pid,
        ..PLAIN
    },
    Command { name: "quit", usage: &[("quit", "Leave this shell")], run: help::leave, ..PLAIN },
    Command {
        name: "reload",
        usage: &[("reload", "Restart supervisord: stop everything and begin anew")],
        args: Args::Nothing,
        question: Some("Really restart the remote supervisord process y/N? "),
        run: server::reload,
        ..PLAIN
    },
    Command {
        name: "remove",
        usage: &[("remove <name> [...]", "Deactivate stopped process groups")],
        run: groups::remove,
        ..PLAIN
    },
    Command {
        name: "reread",
        usage: &[("reread", "Read the configuration files again and say what changed, without acting on it")],
        args: Args::Nothing,
        run: groups::reread,
        ..PLAIN
    },
    Command {
        name: "restart",
        usage: &[
            ("restart <name>", "Stop and start a process"),
            ("restart <gname>:*", "Stop and start all processes of a group"),
            ("restart <name> <name>", "Stop and start several processes or groups"),
            ("restart all", "Stop and start all processes"),
            ("Note: restart does not read configuration files again; reread and update do.", ""),
        ],
        args: needs(1, "a process name", 1),
        up_check: UpCheck::Yes,
        run: control::restart,
        ..PLAIN
    },
    Command {
        name: "shutdown",
        usage: &[("shutdown", "Stop all processes and end supervisord")],
        args: Args::Nothing,
        question: Some("Really shut the remote supervisord process down y/N? "),
        run: server::shutdown,
        ..PLAIN
    },
    Command {
        name: "signal",
        usage: &[
            ("signal <signal name> <name>", "Send a signal to a process"),
            ("signal <signal name> <gname>:*", "Send a signal to all processes of a group"),
            ("signal <signal name> <name> <name>", "Send a signal to several processes or groups"),
            ("signal <signal name> all", "Send a signal to all processes"),
        ],
        args: needs(2, "a signal name and a process name", 1),
        up_check: UpCheck::Yes,
        run: control::signal,
        ..PLAIN
    },
    Command {
        name: "start",
        usage: &[
            ("start <name>", "Start a process"),
            ("start <gname>:*", "Start all processes of a group"),
            ("start <name> <name>", "Start several processes or groups"),
            ("start all", "Start all processes"),
        ],
        args: needs(1, "a process name", 2),
        up_check: UpCheck::Yes,
        run: control::start,
        ..PLAIN
    },
    Command {
        name: "status",
        usage: &[
            ("status <name>", "State of a process"),
            ("status <gname>:*", "State of all processes of a group"),
            ("status <name> <name>", "State of several processes or groups"),
            ("status", "State of all processes"),
        ],
        up_check: UpCheck::Exit(4),
        run: control::status,
        ..PLAIN
    },
    Command {
        name: "stop",
        usage: &[
            ("stop <name>", "Stop a process"),
            ("stop <gname>:*", "Stop all processes of a group"),
            ("stop <name> <name>", "Stop several processes or groups"),
            ("stop all", "Stop all processes"),
        ],
        args: needs(1, "a process name", 1),
        up_check: UpCheck::Yes,
        run: control::stop,
        ..PLAIN
    },
    Command {
        name: "tail",
        usage: &[
            ("tail [-f] <name> [stdout|stderr] (default stdout)", ""),
            ("Ex:", ""),
            ("tail -f <name>", "Follow the stdout of a process (Ctrl-C ends)"),
            ("tail -100 <name>", "Last 100 bytes of the stdout of a process"),
            ("tail <name> stderr", "Last 1600 bytes of the stderr of a process"),
        ],
        up_check: UpCheck::Yes,
        run: logs::tail,
        ..PLAIN
    },
    Command {
        name: "update",
        usage: &[
            ("update", "Read the configuration files again and make the processes match, restarting what changed"),
            ("update all", "The same"),
            ("update <gname> [...]", "The same for these groups only"),
        ],
        run: groups::update,
        ..PLAIN
    },
    Command {
        name: "version",
        usage: &[("version", "Version of supervisord")],
        args: Args::Nothing,
        up_check: UpCheck::Yes,
        run: server::version,
        ..PLAIN
    },
    Command {
        name: "cache_clear",
        family: Family::Cache,
        usage: &[("cache_clear", "Delete everything in the cache.")],
        args: Args::Quoted(0),
        run: cache::clear,
        ..PLAIN
    },
    Command {
        name: "cache_count",
        family: Family::Cache,
        usage: &[("cache_count", "Number of items in the cache.")],
        args: Args::Quoted(0),
        run: cache::count,
        ..PLAIN
    },
    Command {
        name: "cache_delete",
        family: Family::Cache,
        usage: &[("cache_delete <key>", "Delete what is cached at <key>.")],
        args: Args::Quoted(1),
        run: cache::delete,
        ..PLAIN
    },
    Command {
        name: "cache_fetch",
        family: Family::Cache,
        usage: &[("cache_fetch <key>", "Show what is cached at <key>.")],
        args: Args::Quoted(1),
        run: cache::fetch,
        ..PLAIN
    },
    Command {
        name: "cache_keys",
        family: Family::Cache,
        usage: &[("cache_keys", "Show the keys of all items in the cache.")],
        args: Args::Quoted(0),
        run: cache::keys,
        ..PLAIN
    },
    Command {
        name: "cache_store",
        family: Family::Cache,
        usage: &[("cache_store <key> <value>", "Keep the text <value> in the cache at <key>.")],
        args: Args::Quoted(2),
        run: cache::store,
        ..PLAIN
    },
    Command { name: "EOF", family: Family::Unlisted, run: help::leave, ..PLAIN },
    Command {
        name: "help",
        family: Family::Unlisted,
        usage: &[("help", "List the commands"), ("help <action>", "Say how to use <action>")],
        run: help::help,
        ..PLAIN
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_complete() {
        for family in [Family::Default, Family::Cache] {
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
        assert_eq!(
            forms("restart")[..4],
            ["restart <name>", "restart <gname>:*", "restart <name> <name>", "restart all"]
        );
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
}
