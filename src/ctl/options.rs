//! The command line of `supervisorctl`, and what comes of it (CTL-001 to 006).

use std::rc::Rc;

use crate::base::text::repr;
use crate::config::Surroundings;
use crate::config::ctl::{CtlPluginKind, CtlSpec, ctl_section};
use crate::config::options::{Opt, complaint, getopt, help};
use crate::ctl::client::Client;
use crate::ctl::console::{Colours, Console};
use crate::ctl::dialogue::{Dialogue, exit};
use crate::ctl::pages::{CTL, documents};
use crate::ctl::shell::{self, Screen};
use crate::ctl::table::{COMMANDS, Command, Family};
use crate::ctl::trouble::Trouble;
use crate::sys::surroundings::System;

const fn option(short: &'static str, long: &'static str, value: &'static str, help: &'static str) -> Opt {
    Opt { short, long, value, help, ours: false }
}

const fn ours(long: &'static str, value: &'static str, help: &'static str) -> Opt {
    Opt { short: "", long, value, help, ours: true }
}

/// CTL-002, and ours.
pub const OPTIONS: &[Opt] = &[
    option("c", "configuration", "FILENAME", "The configuration file; else it is looked for."),
    option("h?", "help", "", "Print this and exit."),
    option("i", "interactive", "", "Start a shell; the default without an action."),
    option("s", "serverurl", "URL", "The server: http://host:port or unix:///path."),
    option("u", "username", "NAME", "To log in with."),
    option("p", "password", "TEXT", "To log in with."),
    option("r", "history_file", "FILENAME", "Where the shell keeps its history."),
    ours("json", "", "Print JSON instead of text, for actions that show values."),
    ours("color", "WHEN", "States in colours: auto (at a terminal), always or never."),
    ours("generate", "NAME", "Print a completion script (bash, zsh, fish) or manual page (supervisorctl.1, ...)."),
];

/// The exit status of mistakes on the command line or in the configuration (CFG-170).
const MISTAKE: i32 = 2;
/// The exit status after Ctrl-C.
const INTERRUPTED: i32 = 130;

/// What a command line asks for.
#[derive(Debug, PartialEq)]
enum Asked {
    /// Print this and exit with 0.
    Print(String),
    /// Run an action, or without one a shell.
    Run { spec: CtlSpec, action: Vec<String>, json: bool, colours: Colours },
}

/// Runs `supervisorctl` with the arguments of this process; gives its exit status.
pub fn main() -> i32 {
    let args: Vec<String> = std::env::args_os().map(|arg| arg.to_string_lossy().into_owned()).collect();
    let argv0 = args.first().map_or("supervisorctl", String::as_str);
    let around: Rc<dyn Surroundings> = Rc::new(System);
    let mut console = Console::new();
    match read(argv0, args.get(1..).unwrap_or_default(), &around) {
        Err(mistakes) => {
            console.complain(complaint(&mistakes, argv0).trim_end());
            MISTAKE
        }
        Ok(Asked::Print(text)) => i32::from(console.write(text.as_bytes()).is_err()),
        Ok(Asked::Run { spec, action, json, colours }) => {
            console.set_colours(colours);
            run(spec, &action, json, &mut console)
        }
    }
}

/// Reads the command line, then the configuration, over which it wins (CTL-014).
fn read(argv0: &str, args: &[String], around: &Rc<dyn Surroundings>) -> Result<Asked, Vec<String>> {
    let (given, action) = getopt(args, OPTIONS).map_err(|mistake| vec![mistake])?;
    let mut values: Vec<Option<String>> = vec![None; OPTIONS.len()];
    for option in given {
        let value = &mut values[option.index];
        match OPTIONS[option.index].long {
            "help" => {
                let about = format!("{} -- {}.\n\n{}", CTL.name, CTL.about, CTL.description[0]);
                let options = help(&about, &format!("{argv0} {}", CTL.synopsis[0]), OPTIONS);
                return Ok(Asked::Print(options + &actions()));
            }
            "generate" => {
                let documents = documents();
                if let Some((_, text)) = documents.iter().find(|(name, _)| *name == option.value) {
                    return Ok(Asked::Print(text()));
                }
                let names: Vec<&str> = documents.iter().map(|(name, _)| name.as_str()).collect();
                let given = repr(&option.value);
                return Err(vec![format!("invalid value for --generate {given}: choose from {}", names.join(", "))]);
            }
            "serverurl" if !is_url(&option.value) => {
                let shown = repr(&option.value);
                return Err(vec![format!("invalid value for {} {shown}: value {shown} is not a URL", option.shown)]);
            }
            _ if value.is_some() => {
                return Err(vec![format!("conflicting command line option {}", repr(&option.shown))]);
            }
            _ => *value = Some(option.value),
        }
    }
    let json = values[place("json")].is_some();
    let command = action.first().and_then(|word| COMMANDS.iter().find(|row| row.name == word));
    if json && command.is_some_and(|row| !row.json) {
        let able: Vec<&str> = COMMANDS.iter().filter(|row| row.json).map(|row| row.name).collect();
        return Err(vec![format!("option --json goes with {}", able.join(", "))]);
    }
    let colours = match values[place("color")].as_deref() {
        None | Some("auto") => Colours::Auto,
        Some("always") => Colours::Always,
        Some("never") => Colours::Never,
        Some(other) => {
            return Err(vec![format!("invalid value for --color {}: choose from auto, always, never", repr(other))]);
        }
    };
    let mut value = |long: &str| values[place(long)].take();
    let mut spec = ctl_section(value("configuration").as_deref(), argv0, around)
        .map_err(|mistakes| mistakes.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    if let Some(url) = value("serverurl") {
        spec.serverurl = url;
    }
    spec.username = value("username").or(spec.username);
    spec.password = value("password").or(spec.password);
    spec.history_file = value("history_file").or(spec.history_file);
    Ok(Asked::Run { spec, action, json, colours })
}

fn place(long: &str) -> usize {
    OPTIONS.iter().position(|option| option.long == long).expect("a long option of the table")
}

/// The actions, for `--help`: a line each, from the table.
fn actions() -> String {
    let mut text = "\nActions:\n".to_string();
    for row in COMMANDS.iter().filter(|row| row.family == Family::Default) {
        let about = row.usage.iter().map(|line| line.1).find(|text| !text.is_empty()).unwrap_or("");
        text += &format!("{:<33}{about}\n", row.name);
    }
    text + "`help <action>` says more. Plugins have further actions, which `help` lists.\n"
}

/// The command line that the words of an action make: joined with blanks, as they are (CTL-001). The twiddler's are
/// quoted again, so that `command='ls -l'` means what it says.
fn line_of(action: &[String]) -> String {
    let is_twiddler = |row: &Command| row.family == Family::Twiddler && row.name == action[0];
    if action.len() > 1 && COMMANDS.iter().any(is_twiddler) {
        let quoted = |word: &String| format!("'{}'", word.replace('\'', "'\"'\"'"));
        let words: Vec<String> = action[1..].iter().map(quoted).collect();
        return format!("{} {}", action[0], words.join(" "));
    }
    action.join(" ")
}

/// CTL-006: a scheme, and something behind it.
fn is_url(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
        && !rest.is_empty()
        && !rest.starts_with(['?', '#'])
}

fn run(spec: CtlSpec, action: &[String], json: bool, console: &mut Console) -> i32 {
    let mut plugins = Vec::new();
    for plugin in spec.plugins {
        match plugin.kind {
            CtlPluginKind::Cache => plugins.push((plugin.name, Family::Cache)),
            CtlPluginKind::Foreign(factory) => console
                .complain(&format!("Warning: no commands of [ctlplugin:{}]: {factory} is not built in", plugin.name)),
        }
    }
    if spec.twiddler {
        plugins.push(("twiddler".to_string(), Family::Twiddler));
    }
    if action.is_empty() {
        console.edit_lines(spec.history_file.as_deref());
    }
    let mut client = Client::new(spec.serverurl, spec.username, spec.password);
    let mut dialogue = Dialogue::new(&mut client, console, plugins);
    dialogue.set_file(spec.file);
    if json {
        dialogue.set_json();
    }
    if action.is_empty() {
        let ended = shell::run(&mut dialogue, &spec.prompt);
        // CTL-151: a failure of the output has nobody to be told to.
        if ended == Err(Trouble::Interrupted) {
            let _ = dialogue.say("");
        }
        return 0;
    }
    match dialogue.command(&line_of(action)) {
        Ok(()) => dialogue.status(),
        Err(Trouble::Interrupted) => INTERRUPTED,
        Err(_) => exit::FAILED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistakes(args: &[&str]) -> Vec<String> {
        let args: Vec<String> = args.iter().map(|arg| arg.to_string()).collect();
        let around: Rc<dyn Surroundings> = Rc::new(System);
        read("supervisorctl", &args, &around).expect_err("mistakes")
    }

    #[test]
    fn ctl_002_mistakes() {
        for (args, text) in [
            (&["-x"][..], "option -x not recognized"),
            (&["--foo"], "option --foo not recognized"),
            (&["-s"], "option -s requires argument"),
            (&["--interactive=2"], "option --interactive must not have an argument"),
            (&["-u", "a", "-u", "b"], "conflicting command line option '-u'"),
            (&["-s", "x", "-h"], "invalid value for -s 'x': value 'x' is not a URL"),
            (&["-c", "/nowhere/at all"], "could not find config file /nowhere/at all"),
            (&["--color", "red"], "invalid value for --color 'red': choose from auto, always, never"),
            // Ours are not found by an abbreviation.
            (&["--jso"], "option --jso not recognized"),
        ] {
            assert_eq!(mistakes(args), [text]);
        }
    }

    /// CTL-012 the prompt, CTL-013 the history; CTL-014: the command line wins, and the environment has no say.
    #[test]
    fn ctl_014_what_counts() {
        use crate::config::surroundings::Pretended;
        let file = "[supervisorctl]\nprompt=there\nusername=joe\nhistory_file=~/past\ntwiddler=true\n";
        let mut machine = Pretended { cwd: "/here".to_string(), ..Pretended::default() };
        machine.files.insert("/here/sd.conf".to_string(), file.into());
        machine.env = [("HOME", "/home/joe"), ("SUPERVISORCTL_PROMPT", "x"), ("SUPERVISOR_SERVER_URL", "http://x")]
            .map(|(name, value)| (name.to_string(), value.to_string()))
            .to_vec();
        let around: Rc<dyn Surroundings> = Rc::new(machine);
        let read = |args: &[&str]| {
            let args: Vec<String> = args.iter().map(|arg| arg.to_string()).collect();
            match super::read("supervisorctl", &args, &around) {
                Ok(Asked::Run { spec, .. }) => spec,
                other => panic!("{other:?}"),
            }
        };
        let spec = read(&["-c", "sd.conf", "status"]);
        assert_eq!((spec.prompt.as_str(), spec.serverurl.as_str()), ("there", "http://localhost:9001"));
        assert_eq!((spec.username.as_deref(), spec.password), (Some("joe"), None));
        assert_eq!((spec.history_file.as_deref(), spec.twiddler), (Some("/home/joe/past"), true));
        let spec = read(&["-c", "sd.conf", "-u", "ann", "-p", "x", "-r", "other", "-s", "unix:///s.sock"]);
        assert_eq!((spec.username.as_deref(), spec.password.as_deref()), (Some("ann"), Some("x")));
        assert_eq!((spec.history_file.as_deref(), spec.serverurl.as_str()), (Some("other"), "unix:///s.sock"));
        // CTL-003: without a file.
        let spec = read(&["status"]);
        assert_eq!((spec.prompt.as_str(), spec.history_file, spec.twiddler), ("supervisor", None, false));
    }

    #[test]
    fn json_is_for_commands_that_can() {
        let text = mistakes(&["--json", "stop", "all"]).join("\n");
        assert!(text.starts_with("option --json goes with avail, status, cache_count, "), "{text}");
        let text = mistakes(&["--generate", "csh"]).join("\n");
        assert!(text.starts_with("invalid value for --generate 'csh': choose from bash, zsh, fish, supervisord.8, "));
    }

    #[test]
    fn ctl_001_words_make_a_line() {
        let line = |words: &[&str]| line_of(&words.iter().map(|word| word.to_string()).collect::<Vec<_>>());
        assert_eq!(line(&["cache_store", "foo", "bar baz"]), "cache_store foo bar baz");
        assert_eq!(line(&["twiddler_groups"]), "twiddler_groups");
        assert_eq!(line(&["twiddler_add g ls command='ls -l'"]), "twiddler_add g ls command='ls -l'");
        let line = line(&["twiddler_add", "g", "it's", "command=ls -l"]);
        let words = crate::base::text::shell_split(&line);
        assert_eq!(words.unwrap(), ["twiddler_add", "g", "it's", "command=ls -l"]);
    }

    #[test]
    fn ctl_006_urls() {
        for url in ["http://x", "unix:///s", "unix:s", "gopher://x", "localhost:9001"] {
            assert!(is_url(url), "{url}");
        }
        for url in ["", "x", "http:", "http://", "://x", "1a://x", "http://?x"] {
            assert!(!is_url(url), "{url}");
        }
    }
}
