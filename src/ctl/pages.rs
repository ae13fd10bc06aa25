//! The four programs: what each is, and its manual page in the format of man(7), made from the tables of commands and
//! options.
//!
//! Only text. The pages are in `docs/man`, where a test compares them, and `supervisorctl --generate` prints them.

use crate::config::options::{DAEMON_ABOUT, Opt, daemon_table};
use crate::ctl::completions;
use crate::ctl::dialogue::exit;
use crate::ctl::options::OPTIONS;
use crate::ctl::table::{COMMANDS, Command, Family};

/// A program, as `--help` and its manual page tell of it.
pub struct Program {
    /// Its name.
    pub name: &'static str,
    /// The section of the manual.
    section: u8,
    /// What it does, in a line without a full stop.
    pub about: &'static str,
    /// What follows the name on a command line.
    pub synopsis: &'static [&'static str],
    /// The paragraphs of the description; the first one is for `--help`, too.
    pub description: &'static [&'static str],
    /// Its options.
    options: fn() -> Vec<Opt>,
    /// Further sections, each with paragraphs.
    more: &'static [(&'static str, &'static [&'static str])],
    /// Exit statuses and what they mean.
    exits: &'static [(&'static str, &'static str)],
}

/// `supervisorctl`.
pub const CTL: Program = Program {
    name: "supervisorctl",
    section: 1,
    about: "control programs that supervisord runs",
    synopsis: &["[options] [action [arguments]]"],
    description: &[
        "An action is one of the commands below. Without an action a shell asks for one after the other.",
        "The server and how to log in are in section [supervisorctl] of the configuration file; options stand above \
         the file. Output on a pipe is the text that supervisorctl of Supervisor 4.3 prints; colours and advice are \
         for terminals only.",
    ],
    options: || OPTIONS.to_vec(),
    more: &[
        (
            "NAMES",
            &["A process is called group:name, or name alone where its group has the same name. group:* is all \
             processes of a group, all is every process."],
        ),
        (
            "THE SHELL",
            &[
                "The tabulator key completes commands and names. The arrow keys walk through the history, Ctrl-R searches \
             it; it is kept in history_file, if one is configured. Ctrl-C ends tail -f and fg; at the prompt it \
             leaves, as do Ctrl-D, exit and quit. The exit status of a shell is 0.",
            ],
        ),
        (
            "JSON",
            &[
                "With --json, in front of the action or behind it, the commands marked so print one JSON document: status \
             and avail an array of what XML-RPC getAllProcessInfo and getAllConfigInfo answer, cache_fetch the value. \
             Errors go to standard error then. The exit status is the same.",
            ],
        ),
        (
            "ENVIRONMENT",
            &["NO_COLOR: no colours, if it is set and not empty. TERM: dumb has neither colours nor editing."],
        ),
    ],
    exits: exit::TABLE,
};

/// All programs.
pub const PROGRAMS: &[Program] = &[
    Program {
        name: "supervisord",
        section: 8,
        about: DAEMON_ABOUT,
        synopsis: &["[options]"],
        description: &[
            "Starts the programs of its configuration file, keeps them running, writes their output to log files, and \
             takes commands over XML-RPC. It goes to the background unless -n is given.",
            "Configuration files are those of Supervisor 4.3. Without -c the first of these is taken: \
             ../etc/supervisord.conf and ../supervisord.conf beside the folder of the program, ./supervisord.conf, \
             ./etc/supervisord.conf, /etc/supervisord.conf, /etc/supervisor/supervisord.conf. \
             echo_supervisord_conf prints a sample with every key.",
            "Options other than those about the start itself stand above the configuration file, also after a reload. \
             Long options may be shortened.",
        ],
        options: daemon_table,
        more: &[(
            "SIGNALS",
            &[
                "TERM, INT, QUIT: stop all programs and exit. HUP: read the configuration again and restart all programs. \
             USR2: open the log files again.",
            ],
        )],
        exits: &[
            ("0", "It ended as it was asked to, or went to the background."),
            ("2", "A mistake on the command line or in the configuration; nothing was started."),
        ],
    },
    CTL,
    Program {
        name: "echo_supervisord_conf",
        section: 1,
        about: "print a sample configuration for supervisord",
        synopsis: &["> supervisord.conf"],
        description: &[
            "Prints a configuration file with every section and key, its default and what it is for. Most of it are \
             comments.",
        ],
        options: Vec::new,
        more: &[],
        exits: &[("0", "It was printed."), ("1", "It could not be written.")],
    },
    PIDPROXY,
];

/// `pidproxy`.
pub const PIDPROXY: Program = Program {
    name: "pidproxy",
    section: 1,
    about: "run a command, passing signals on to the process in its pid file",
    synopsis: &["<pidfile name> <command> [<cmdarg1> ...]"],
    description: &[
        "For programs whose first process is not the one to be signalled: those that start a server and leave its \
         number in a pid file.",
        "HUP, INT, QUIT, USR1, USR2 and TERM go to the process whose number is in the file when they come. It ends when \
         the command has ended and no process of that number runs; a file that is older than the command is not \
         waited for.",
    ],
    options: Vec::new,
    more: &[("EXAMPLE", &["A program of supervisord: command=pidproxy /run/mysqld/mysqld.pid mysqld_safe"])],
    exits: &[
        ("0", "The command and the process have ended."),
        ("1", "Too few words."),
        ("127", "The command can't be run."),
    ],
};

/// The date of the pages: when their wording last changed much.
const DATE: &str = "2026-11-25";

/// What can be generated: the name, and the text.
pub fn documents() -> Vec<(String, fn() -> String)> {
    let mut all: Vec<(String, fn() -> String)> = vec![
        ("bash".to_string(), completions::bash),
        ("zsh".to_string(), completions::zsh),
        ("fish".to_string(), completions::fish),
    ];
    let pages: [fn() -> String; 4] =
        [|| page(&PROGRAMS[0]), || page(&PROGRAMS[1]), || page(&PROGRAMS[2]), || page(&PROGRAMS[3])];
    all.extend(
        PROGRAMS.iter().zip(pages).map(|(program, text)| (format!("{}.{}", program.name, program.section), text)),
    );
    all
}

/// A manual page.
fn page(program: &Program) -> String {
    let title = program.name.to_uppercase();
    let mut out = format!(
        ".\\\" Made from the tables of the program; to write it anew:\n.\\\" UPDATE=1 cargo test --test generated\n.TH {title} \
         {} {DATE} \"majordomo {}\"\n",
        program.section,
        env!("CARGO_PKG_VERSION"),
    );
    out += &format!(".SH NAME\n{} \\- {}\n.SH SYNOPSIS\n", program.name, escaped(program.about));
    for words in program.synopsis {
        out += &format!(".B {}\n{}\n", program.name, escaped(words));
    }
    out += ".SH DESCRIPTION\n";
    out += &paragraphs(program.description);
    let options = (program.options)();
    if !options.is_empty() {
        out += ".SH OPTIONS\n";
        out.extend(options.iter().map(option));
    }
    if program.name == CTL.name {
        out += &commands();
    }
    for (title, text) in program.more {
        out += &format!(".SH {title}\n{}", paragraphs(text));
    }
    out += ".SH EXIT STATUS\n";
    for (status, meaning) in program.exits {
        out += &format!(".TP\n.B {status}\n{}\n", text(meaning));
    }
    let others: Vec<&Program> = PROGRAMS.iter().filter(|other| other.name != program.name).collect();
    out += ".SH SEE ALSO\n";
    for (place, other) in others.iter().enumerate() {
        let comma = if place + 1 < others.len() { "," } else { "" };
        out += &format!(".BR {} ({}){comma}\n", other.name, other.section);
    }
    out
}

fn paragraphs(texts: &[&str]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| format!("{}\n", self::text(text))).collect();
    texts.join(".PP\n")
}

fn option(opt: &Opt) -> String {
    let mut forms: Vec<String> = opt.short.chars().map(|letter| format!("\\fB\\-{letter}\\fR")).collect();
    if !opt.long.is_empty() {
        forms.push(format!("\\fB\\-\\-{}\\fR", escaped(opt.long)));
    }
    let value = if opt.value.is_empty() { String::new() } else { format!(" \\fI{}\\fR", opt.value) };
    let ours = if opt.ours { " (not in Supervisor)" } else { "" };
    format!(".TP\n{}{value}\n{}\n", forms.join(", "), text(&format!("{}{ours}", opt.help)))
}

/// The commands under the name of where they come from.
fn commands() -> String {
    let mut out = ".SH COMMANDS\n".to_string();
    for (family, head) in [
        (Family::Default, ""),
        (Family::Unlisted, ""),
        (Family::Cache, "With section [ctlplugin:cache] in the configuration file"),
        (Family::Twiddler, "For servers with [rpcinterface:twiddler] (not in Supervisor)"),
    ] {
        if !head.is_empty() {
            out += &format!(".SS {}\n", escaped(head));
        }
        for command in COMMANDS.iter().filter(|row| row.family == family && !row.usage.is_empty()) {
            out += &usage(command);
        }
    }
    out
}

fn usage(command: &Command) -> String {
    let mut out = String::new();
    for (form, description) in command.usage {
        match (form.is_empty(), description.is_empty()) {
            (false, false) => out += &format!(".TP\n.B {}\n{}\n", escaped(form), text(description)),
            (false, true) if form.starts_with(command.name) && out.is_empty() => {
                out += &format!(".TP\n.B {}\n", escaped(form));
            }
            (false, true) => out += &format!(".br\n{}\n", text(form)),
            (true, false) => out += &format!("{}\n", text(description)),
            (true, true) => {}
        }
    }
    if command.json {
        out += ".br\nWith \\-\\-json as JSON.\n";
    }
    out
}

/// Text as roff takes it for what it is: a dash is a minus, and no line begins with a control character.
fn escaped(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-");
    match text.starts_with(['.', '\'']) {
        true => format!("\\&{text}"),
        false => text,
    }
}

/// Text in lines.
fn text(text: &str) -> String {
    wrapped(&escaped(text))
}

/// Lines of at most 78 columns.
fn wrapped(text: &str) -> String {
    let mut out = String::new();
    let mut column = 0;
    for word in text.split(' ') {
        let room = column + 1 + word.len() <= 78;
        if column > 0 {
            out.push(if room { ' ' } else { '\n' });
        }
        column = if column > 0 && room { column + 1 + word.len() } else { word.len() };
        // A line must not begin with a control character.
        if !room && word.starts_with(['.', '\'']) {
            out.push_str("\\&");
        }
        out.push_str(word);
    }
    out
}
