//! The commands, one row each. Dispatch, argument checks, the check of the connection and help read these rows;
//! nothing about a command is written down anywhere else.

use crate::ctl::dialogue::{Dialogue, exit};
use crate::ctl::trouble::Trouble;
use crate::ctl::{cache, control, foreground, groups, help, logs, server, twiddler};

/// Which set a command belongs to. A set is there once for each plugin that provides it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Family {
    /// Always there; listed as `default`.
    Default,
    /// Comes with the cache plugin; listed under the plugin's name.
    Cache,
    /// Always there, but listed only where the configuration asks for it: Supervisor has no such commands.
    Twiddler,
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
    /// So many words, quoted as in a shell; else its help. For the cache that is no failure (CTL-126).
    Quoted {
        /// At least so many.
        least: usize,
        /// At most so many.
        most: usize,
        /// Exit status of another number.
        exit: i32,
    },
}

/// What completes the words behind a command (CTL-155).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Completes {
    /// Nothing does.
    Nothing,
    /// Names of groups.
    Groups,
    /// Names of processes, and of whole groups.
    Processes,
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
    /// What completes its arguments.
    pub completes: Completes,
    /// Whether it can print JSON (`--json`).
    pub json: bool,
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
    completes: Completes::Nothing,
    json: false,
    run: |_, _| Ok(()),
};

const fn needs(count: usize, what: &'static str, exit: i32) -> Args {
    Args::Needs { count, what, exit }
}

/// Exactly so many words for the cache.
const fn quoted(count: usize) -> Args {
    Args::Quoted { least: count, most: count, exit: 0 }
}

/// So many words for the twiddler.
const fn words(least: usize, most: usize) -> Args {
    Args::Quoted { least, most, exit: exit::BAD_ARGUMENTS }
}

/// All commands, sorted by name within their family.
pub const COMMANDS: &[Command] = &[
    Command {
        name: "add",
        usage: &[("add <name> [...]", "Activate process groups that the last reread found")],
        completes: Completes::Groups,
        run: groups::add,
        ..PLAIN
    },
    Command {
        name: "avail",
        usage: &[("avail", "List the configured processes and whether they are active")],
        args: Args::Nothing,
        json: true,
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
        completes: Completes::Processes,
        run: control::clear,
        ..PLAIN
    },
    Command { name: "exit", usage: &[("exit", "Leave this shell")], run: help::leave, ..PLAIN },
    Command {
        name: "fg",
        usage: &[("fg <process>", "Show what a process prints and send it what you type"), ("", "(Ctrl-C leaves)")],
        up_check: UpCheck::Yes,
        completes: Completes::Processes,
        run: foreground::fg,
        ..PLAIN
    },
    Command {
        name: "maintail",
        usage: &[
            ("maintail -f", "Follow the log of supervisord (Ctrl-C ends)"),
            ("maintail -100", "Last 100 bytes of the log of supervisord"),
            ("maintail", "Last 1600 bytes of the log of supervisord"),
            // upstream: CTL-143: an empty line follows.
            ("", ""),
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
        completes: Completes::Processes,
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
        completes: Completes::Groups,
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
        completes: Completes::Processes,
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
        completes: Completes::Processes,
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
        completes: Completes::Processes,
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
        completes: Completes::Processes,
        json: true,
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
        completes: Completes::Processes,
        run: control::stop,
        ..PLAIN
    },
    Command {
        name: "tail",
        usage: &[
            ("tail [-f] <name> [stdout|stderr] (default stdout)", ""),
            ("Ex:", ""),
            ("tail -f <name>", "Follow the stdout of a process"),
            ("", "(Ctrl-C ends)"),
            ("tail -100 <name>", "Last 100 bytes of the stdout of a process"),
            ("tail <name> stderr", "Last 1600 bytes of the stderr of a process"),
        ],
        up_check: UpCheck::Yes,
        completes: Completes::Processes,
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
        completes: Completes::Groups,
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
        args: quoted(0),
        run: cache::clear,
        ..PLAIN
    },
    Command {
        name: "cache_count",
        family: Family::Cache,
        usage: &[("cache_count", "Number of items in the cache.")],
        args: quoted(0),
        json: true,
        run: cache::count,
        ..PLAIN
    },
    Command {
        name: "cache_delete",
        family: Family::Cache,
        usage: &[("cache_delete <key>", "Delete what is cached at <key>.")],
        args: quoted(1),
        run: cache::delete,
        ..PLAIN
    },
    Command {
        name: "cache_fetch",
        family: Family::Cache,
        usage: &[("cache_fetch <key>", "Show what is cached at <key>.")],
        args: quoted(1),
        json: true,
        run: cache::fetch,
        ..PLAIN
    },
    Command {
        name: "cache_keys",
        family: Family::Cache,
        usage: &[("cache_keys", "Show the keys of all items in the cache.")],
        args: quoted(0),
        json: true,
        run: cache::keys,
        ..PLAIN
    },
    Command {
        name: "cache_store",
        family: Family::Cache,
        usage: &[("cache_store <key> <value>", "Keep the text <value> in the cache at <key>.")],
        args: quoted(2),
        run: cache::store,
        ..PLAIN
    },
    Command {
        name: "twiddler_add",
        family: Family::Twiddler,
        usage: &[
            (
                "twiddler_add <gname> <program> <key>=<value> [...]",
                "Add a program to a group until supervisord restarts",
            ),
            ("Ex:", ""),
            ("twiddler_add jobs ls command='ls -l' startsecs=0", ""),
            ("twiddler_add jobs cat command=cat autostart=false", ""),
        ],
        args: words(3, usize::MAX),
        completes: Completes::Groups,
        run: twiddler::add,
        ..PLAIN
    },
    Command {
        name: "twiddler_add_group",
        family: Family::Twiddler,
        usage: &[("twiddler_add_group <gname> [<priority>]", "Add an empty group (priority 999 if not given)")],
        args: words(1, 2),
        run: twiddler::add_group,
        ..PLAIN
    },
    Command {
        name: "twiddler_groups",
        family: Family::Twiddler,
        usage: &[("twiddler_groups", "List the groups, empty ones too, one a line")],
        args: words(0, 0),
        json: true,
        run: twiddler::groups,
        ..PLAIN
    },
    Command {
        name: "twiddler_remove",
        family: Family::Twiddler,
        usage: &[("twiddler_remove <gname>:<name> [...]", "Remove stopped processes from their groups")],
        args: words(1, usize::MAX),
        completes: Completes::Processes,
        run: twiddler::remove,
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
