//! Command lines: `getopt` with long options as Python has it (CFG-170 to CFG-175), and the options of `supervisord`
//! (CFG-190 to CFG-210), which come from the rows of its keys.
//!
//! Reads words; values are judged by the kinds of their keys, as those of a file are.

use std::rc::Rc;

use crate::base::text::repr;
use crate::config::daemon_keys::DaemonKeys;
use crate::config::json::Secrets;
use crate::config::reader::Override;
use crate::config::{MainFile, Surroundings, check_overrides};

/// One option of a program.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Opt {
    /// Letters of the short forms; may be empty.
    pub short: &'static str,
    /// The long form without its dashes; may be empty.
    pub long: &'static str,
    /// What the value is, for the help; empty for a flag.
    pub value: &'static str,
    /// One line for the help.
    pub help: &'static str,
    /// Ours: not found by an abbreviation, so that those of Supervisor stay unique.
    pub ours: bool,
}

/// An option found on a command line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Given {
    /// Index into the table.
    pub index: usize,
    /// As Supervisor shows it: `-c`, or the whole long form.
    pub shown: String,
    /// Its value; empty for a flag.
    pub value: String,
}

/// Splits a command line, without the program's name, into options and the words behind them. The error is
/// Supervisor's message (CFG-173).
pub fn getopt(args: &[String], table: &[Opt]) -> Result<(Vec<Given>, Vec<String>), String> {
    let mut given = Vec::new();
    let mut args = args.iter();
    loop {
        let rest = args.as_slice();
        let Some(arg) = args.next() else { return Ok((given, Vec::new())) };
        if arg == "--" {
            return Ok((given, args.as_slice().to_vec()));
        }
        if let Some(long) = arg.strip_prefix("--") {
            let (name, value) = match long.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (long, None),
            };
            let index = find_long(name, table)?;
            let Opt { long, value: wants, .. } = table[index];
            let value = match (wants.is_empty(), value) {
                (true, Some(_)) => return Err(format!("option --{long} must not have an argument")),
                (true, None) => String::new(),
                (false, Some(value)) => value.to_string(),
                (false, None) => args.next().ok_or_else(|| format!("option --{long} requires argument"))?.clone(),
            };
            given.push(Given { index, shown: format!("--{long}"), value });
        } else if arg.len() > 1 && arg.starts_with('-') {
            let mut letters = arg[1..].chars();
            while let Some(letter) = letters.next() {
                let found = table.iter().position(|opt| opt.short.contains(letter));
                let index = found.ok_or_else(|| format!("option -{letter} not recognized"))?;
                let mut value = String::new();
                if !table[index].value.is_empty() {
                    value = match letters.as_str() {
                        "" => args.next().ok_or_else(|| format!("option -{letter} requires argument"))?.clone(),
                        rest => rest.to_string(),
                    };
                    letters = "".chars();
                }
                given.push(Given { index, shown: format!("-{letter}"), value });
            }
        } else {
            return Ok((given, rest.to_vec()));
        }
    }
}

/// A long option by its name or by a beginning that no other has.
fn find_long(name: &str, table: &[Opt]) -> Result<usize, String> {
    let known = |test: &dyn Fn(&Opt) -> bool| -> Vec<usize> {
        table.iter().enumerate().filter(|(_, opt)| !opt.long.is_empty() && test(opt)).map(|(index, _)| index).collect()
    };
    if let [index] = known(&|opt| opt.long == name)[..] {
        return Ok(index);
    }
    match known(&|opt| !opt.ours && opt.long.starts_with(name))[..] {
        [] => Err(format!("option --{name} not recognized")),
        [index] => Ok(index),
        _ => Err(format!("option --{name} not a unique prefix")),
    }
}

/// The text of `--help` (CFG-171): what the program is, how it is called, one line per option.
pub fn help(about: &str, usage: &str, table: &[Opt]) -> String {
    let mut text = format!("{about}\n\nUsage: {usage}\n\nOptions:\n");
    for opt in table {
        let mut forms: Vec<String> = opt.short.chars().map(|letter| format!("-{letter}")).collect();
        if !opt.long.is_empty() {
            forms.push(format!("--{}", opt.long));
        }
        let mut forms = forms.join("/");
        if !opt.value.is_empty() {
            forms += &format!(" {}", opt.value);
        }
        let gap = if forms.len() < 32 { " ".repeat(33 - forms.len()) } else { "\n".to_string() + &" ".repeat(34) };
        text += &format!("{forms}{gap}{}{}\n", opt.help, if opt.ours { " (not in Supervisor)" } else { "" });
    }
    text
}

/// What is printed for mistakes (CFG-170): each on a line of its own, then where help is.
pub fn complaint(mistakes: &[impl std::fmt::Display], argv0: &str) -> String {
    let mut text = String::new();
    for mistake in mistakes {
        text += &format!("Error: {mistake}\n");
    }
    text + &format!("For help, use {argv0} -h\n")
}

/// A command line of `supervisord`, read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DaemonOptions {
    /// How the program was called.
    pub argv0: String,
    /// `-c`, as given.
    pub configuration: Option<String>,
    /// Keys that the command line overrides, in its order.
    pub overrides: Vec<Override>,
    /// Ours: only check the configuration.
    pub check: bool,
    /// Ours: print the effective configuration.
    pub json: bool,
    /// Ours: with what is secret in it.
    pub show_secrets: bool,
    /// The file that was settled on at first start (`config::locate`).
    pub file: Option<MainFile>,
    /// The working directory at first start: what relative paths start from.
    pub start_directory: Option<String>,
}

impl DaemonOptions {
    /// What `--json` prints of secrets.
    pub fn secrets(&self) -> Secrets {
        if self.show_secrets { Secrets::Shown } else { Secrets::Hidden }
    }
}

/// What a command line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Print this and exit with 0.
    Help(String),
    /// Print the version and exit with 0.
    Version,
    /// Run.
    Run(DaemonOptions),
}

/// A command line that can't be read: the text for [`complaint`], exit status 2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Usage(pub String);

impl std::fmt::Display for Usage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

const fn flag(short: &'static str, long: &'static str, help: &'static str) -> Opt {
    Opt { short, long, value: "", help, ours: false }
}

/// What help calls the value of an option by the kind of its key; empty for a flag.
fn value_word(kind: &str) -> &'static str {
    match kind {
        "boolean" => "",
        "integer" | "count" => "NUMBER",
        "octal" => "MASK",
        "size" => "SIZE",
        "user" => "USER",
        "level" => "LEVEL",
        "directory" => "DIRECTORY",
        "logfile" | "path_in_directory" => "FILENAME",
        _ => "TEXT",
    }
}

/// What `supervisord` is, in a line.
pub const DAEMON_ABOUT: &str = "run a set of programs as daemons";

/// The options of `supervisord`; those of its keys are taken from their rows.
pub fn daemon_table() -> Vec<Opt> {
    let mut table = vec![
        Opt { value: "FILENAME", ..flag("c", "configuration", "The configuration file; else it is looked for.") },
        flag("h?", "help", "Print this and exit."),
        flag("v", "version", "Print the version and exit."),
        Opt { value: "LIST", ..flag("", "profile_options", "Accepted, without effect.") },
        Opt { ours: true, ..flag("", "check", "Check the configuration, change nothing, and exit.") },
        Opt { ours: true, ..flag("", "json", "With --check: print the effective configuration.") },
        Opt { ours: true, ..flag("", "show-secrets", "With --json: print passwords and environment, too.") },
        Opt { ours: true, ..flag("", "example", "Run an example from ./majordomo-example, in the foreground.") },
    ];
    for row in DaemonKeys::ROWS {
        if let Some(short) = row.flag {
            let value = value_word(row.kind);
            let help = row.doc.lines().next().unwrap_or_default().trim();
            table.push(Opt { short, long: row.key, value, help, ours: row.ours });
        }
    }
    table
}

/// Reads the command line of `supervisord`; the first word is the program's name. Whatever stands to the left of a
/// `-h` or `-v` must be right; other values are looked at when the configuration is located.
pub fn parse_daemon(args: &[String], around: &Rc<dyn Surroundings>) -> Result<Asked, Usage> {
    let (argv0, args) = args.split_first().map_or(("supervisord", args), |(argv0, args)| (argv0.as_str(), args));
    let table = daemon_table();
    let (given, words) = getopt(args, &table).map_err(Usage)?;
    if !words.is_empty() {
        let words: Vec<String> = words.iter().map(|word| repr(word)).collect();
        return Err(Usage(format!("positional arguments are not supported: [{}]", words.join(", "))));
    }
    let mut options = DaemonOptions { argv0: argv0.to_string(), ..DaemonOptions::default() };
    let checked = |options: &DaemonOptions| {
        check_overrides(options, around)
            .map_err(|mistakes| Usage(mistakes.first().map_or_else(String::new, ToString::to_string)))
    };
    let mut seen = Vec::new();
    for Given { index, shown, value } in given {
        let long = table[index].long;
        match long {
            "help" => {
                checked(&options)?;
                let about = format!("supervisord -- {DAEMON_ABOUT}.");
                return Ok(Asked::Help(help(&about, &format!("{argv0} [options]"), &table)));
            }
            "version" => return checked(&options).map(|()| Asked::Version),
            _ => {}
        }
        if seen.contains(&index) {
            checked(&options)?;
            return Err(Usage(format!("conflicting command line option {}", repr(&shown))));
        }
        seen.push(index);
        match long {
            "configuration" => options.configuration = Some(value),
            "profile_options" => {}
            "check" => options.check = true,
            "json" => options.json = true,
            "show-secrets" => options.show_secrets = true,
            // Whoever starts the daemon looks for it first.
            "example" => return Err(Usage("option --example goes with no other word".to_string())),
            _ => {
                let row = DaemonKeys::ROWS.iter().find(|row| row.key == long);
                let Some(row) = row else { continue };
                let value = if table[index].value.is_empty() { "true".to_string() } else { value };
                options.overrides.push(Override { key: row.key, option: shown, value });
            }
        }
    }
    if options.json && !options.check {
        return Err(Usage("option --json goes with --check".to_string()));
    }
    if options.show_secrets && !options.json {
        return Err(Usage("option --show-secrets goes with --json".to_string()));
    }
    Ok(Asked::Run(options))
}
