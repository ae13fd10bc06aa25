//! The command line of `supervisorctl`, and what comes of it (CTL-001 to 006).

use std::rc::Rc;

use crate::base::text::repr;
use crate::config::Surroundings;
use crate::config::ctl::{CtlPluginKind, CtlSpec, ctl_section};
use crate::config::options::{Opt, complaint, getopt, help};
use crate::ctl::client::Client;
use crate::ctl::dialogue::{Dialogue, exit};
use crate::ctl::shell::{self, Console, Screen};
use crate::ctl::table::Family;
use crate::ctl::trouble::Trouble;
use crate::sys::surroundings::System;

const fn option(short: &'static str, long: &'static str, value: &'static str, help: &'static str) -> Opt {
    Opt { short, long, value, help, ours: false }
}

/// CTL-002.
const OPTIONS: &[Opt] = &[
    option("c", "configuration", "FILENAME", "The configuration file; else it is looked for."),
    option("h?", "help", "", "Print this and exit."),
    option("i", "interactive", "", "Start a shell; the default without an action."),
    option("s", "serverurl", "URL", "The server: http://host:port or unix:///path."),
    option("u", "username", "NAME", "To log in with."),
    option("p", "password", "TEXT", "To log in with."),
    option("r", "history_file", "FILENAME", "Where the shell keeps its history."),
];

/// The exit status of mistakes on the command line or in the configuration (CFG-170).
const MISTAKE: i32 = 2;
/// The exit status after Ctrl-C.
const INTERRUPTED: i32 = 130;

/// What a command line asks for.
#[derive(Debug, PartialEq)]
enum Asked {
    Help(String),
    Run { spec: CtlSpec, action: Vec<String> },
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
        Ok(Asked::Help(text)) => i32::from(console.write(text.as_bytes()).is_err()),
        Ok(Asked::Run { spec, action }) => run(spec, &action, &mut console),
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
                let about = "supervisorctl -- control programs that supervisord runs.\n\n\
                             An action is a command such as `status` or `stop web`; `help` lists them.";
                return Ok(Asked::Help(help(about, &format!("{argv0} [options] [action [arguments]]"), OPTIONS)));
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
    let mut value = |long: &str| OPTIONS.iter().position(|option| option.long == long).and_then(|at| values[at].take());
    let mut spec = ctl_section(value("configuration").as_deref(), argv0, around)
        .map_err(|mistakes| mistakes.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    if let Some(url) = value("serverurl") {
        spec.serverurl = url;
    }
    spec.username = value("username").or(spec.username);
    spec.password = value("password").or(spec.password);
    spec.history_file = value("history_file").or(spec.history_file);
    Ok(Asked::Run { spec, action })
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

fn run(spec: CtlSpec, action: &[String], console: &mut Console) -> i32 {
    let mut plugins = Vec::new();
    for plugin in spec.plugins {
        match plugin.kind {
            CtlPluginKind::Cache => plugins.push((plugin.name, Family::Cache)),
            CtlPluginKind::Foreign(factory) => console
                .complain(&format!("Warning: no commands of [ctlplugin:{}]: {factory} is not built in", plugin.name)),
        }
    }
    let mut client = Client::new(spec.serverurl, spec.username, spec.password);
    let mut dialogue = Dialogue::new(&mut client, console, plugins);
    if action.is_empty() {
        let ended = shell::run(&mut dialogue, &spec.prompt);
        // CTL-151: a failure of the output has nobody to be told to.
        if ended == Err(Trouble::Interrupted) {
            let _ = dialogue.say("");
        }
        return 0;
    }
    match dialogue.command(&action.join(" ")) {
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
        ] {
            assert_eq!(mistakes(args), [text]);
        }
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
