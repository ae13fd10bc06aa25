//! A dialogue with one server: takes command lines, finds their row in the table, checks what the row asks for, runs
//! it, and says what went wrong. Keeps the exit status. Never reads a descriptor itself.

use crate::base::errno::Errno;
use crate::base::text::shell_split;
use crate::base::value::Value;
use crate::base::words::fault;
use crate::config::json::Json;
use crate::ctl::client::Remote;
use crate::ctl::completion::Completion;
use crate::ctl::help;
use crate::ctl::shell::{Line, Screen};
use crate::ctl::table::{Args, COMMANDS, Command, Family, UpCheck};
use crate::ctl::trouble::Trouble;

/// Exit statuses (CTL-032).
pub mod exit {
    /// Something went wrong.
    pub const FAILED: i32 = 1;
    /// Arguments that make no sense.
    pub const BAD_ARGUMENTS: i32 = 2;
    /// `status`: something isn't running. Else: the server lacks something.
    pub const UNIMPLEMENTED: i32 = 3;
    /// The server can't be asked.
    pub const UNKNOWN: i32 = 4;
    /// The server speaks another version.
    pub const OTHER_VERSION: i32 = 5;
    /// Not running.
    pub const NOT_RUNNING: i32 = 7;

    /// All of them, for the manual page.
    pub const TABLE: &[(&str, &str)] = &[
        ("0", "All went well."),
        ("1", "Something went wrong; a message says what."),
        ("2", "A mistake on the command line or in the configuration file, or arguments that make no sense."),
        ("3", "status: a process shown is STOPPED, EXITED, FATAL or UNKNOWN. Else: the server lacks the commands."),
        ("4", "The server can't be asked. status: also that there is no such process."),
        ("5", "The server speaks another version of the interface."),
        ("7", "A process doesn't run, or the server doesn't."),
    ];
}

/// The API version that a server must have (CTL-022).
const API_VERSION: &str = "3.0";

/// Everything a command may use.
pub struct Dialogue<'a> {
    /// The server.
    pub remote: &'a mut dyn Remote,
    /// The user.
    pub screen: &'a mut dyn Screen,
    plugins: Vec<(String, Family)>,
    interactive: bool,
    status: i32,
    leaving: bool,
    lines: u64,
    always_json: bool,
    json: bool,
    file: Option<String>,
}

impl<'a> Dialogue<'a> {
    /// A dialogue that has done nothing. `plugins` are the names and families of the plugins.
    pub fn new(remote: &'a mut dyn Remote, screen: &'a mut dyn Screen, plugins: Vec<(String, Family)>) -> Self {
        let mut all = vec![("default".to_string(), Family::Default)];
        all.extend(plugins);
        Dialogue {
            remote,
            screen,
            plugins: all,
            interactive: false,
            status: 0,
            leaving: false,
            lines: 0,
            always_json: false,
            json: false,
            file: None,
        }
    }

    /// Runs one command line (CTL-007, CTL-008). Only what ends the whole dialogue is an error: Ctrl-C and an output
    /// that nobody reads.
    pub fn command(&mut self, line: &str) -> Result<(), Trouble> {
        self.lines += 1;
        self.json = false;
        loop {
            self.remote.hang_up();
            let trouble = match self.attempt(line.trim()) {
                Ok(()) => return Ok(()),
                Err(trouble) => trouble,
            };
            let trouble = match trouble {
                Trouble::Interrupted | Trouble::OutputClosed => return Err(trouble),
                Trouble::Status { code: 401, .. } => match self.log_in() {
                    Ok(true) => continue,
                    Ok(false) => return Ok(()),
                    Err(trouble) => trouble,
                },
                trouble => trouble,
            };
            return self.report(&trouble);
        }
    }

    fn attempt(&mut self, line: &str) -> Result<(), Trouble> {
        let (word, rest) = match line.strip_prefix('?') {
            Some(topic) => ("help", topic),
            None => line.split_at(line.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(line.len())),
        };
        if line.is_empty() {
            return Ok(());
        }
        match self.find(word) {
            Some(command) => self.run(command, rest),
            None => {
                self.fail(exit::FAILED);
                self.say(&format!("*** Unknown syntax: {line}"))?;
                self.suggest_command(word);
                Ok(())
            }
        }
    }

    fn run(&mut self, command: &Command, rest: &str) -> Result<(), Trouble> {
        let mut words: Vec<String> = match command.args {
            Args::Quoted { most, .. } if most > 0 => {
                shell_split(rest).map_err(|why| Trouble::Value(why.to_string()))?
            }
            _ => rest.split_whitespace().map(String::from).collect(),
        };
        self.json = command.json && (take_json(command.args, &mut words) || self.always_json);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        if command.args == Args::Nothing && !words.is_empty() {
            return self.misuse(command, exit::FAILED, "accepts no arguments");
        }
        if !self.is_up(command.up_check)? {
            return Ok(());
        }
        match command.args {
            Args::Needs { count, what, exit } if words.len() < count => {
                return self.misuse(command, exit, &format!("requires {what}"));
            }
            Args::Quoted { least, most, exit } if !(least..=most).contains(&words.len()) => {
                if exit != 0 {
                    self.fail(exit);
                }
                return self.say(&help::usage(command));
            }
            _ => {}
        }
        if let Some(question) = command.question.filter(|_| self.interactive) {
            let answer = self.answer(question)?;
            if !answer.starts_with(['y', 'Y']) {
                return Ok(());
            }
        }
        (command.run)(self, &words)
    }

    /// Says that a command was given wrongly, and how to give it.
    fn misuse(&mut self, command: &Command, exit: i32, what: &str) -> Result<(), Trouble> {
        self.refuse(exit, &format!("Error: {} {what}\n{}", command.name, help::usage(command)))
    }

    /// Asks the server for its version, as far as `check` wants that (CTL-020 to 025).
    fn is_up(&mut self, check: UpCheck) -> Result<bool, Trouble> {
        if check == UpCheck::No {
            return Ok(true);
        }
        let url = self.remote.url().to_string();
        let answer = self.call("getVersion", &[]);
        let (status, why) = match &answer {
            Ok(version) if version.as_text() == Some(API_VERSION) => return Ok(true),
            Ok(version) => (
                exit::OTHER_VERSION,
                format!(
                    "Sorry, this version of supervisorctl expects to talk to a server with API version {API_VERSION}, \
                     but the remote version is {}.",
                    version.as_text().unwrap_or("unknown")
                ),
            ),
            Err(trouble) if trouble.is_fault(fault::UNKNOWN_METHOD) => (
                exit::UNIMPLEMENTED,
                "Sorry, supervisord responded but did not recognize the supervisor namespace commands that \
                 supervisorctl needs. Is there an [rpcinterface:supervisor] section in its configuration file?"
                    .to_string(),
            ),
            Err(Trouble::Os(Errno::ECONNREFUSED)) => (exit::UNKNOWN, format!("{url} refused connection")),
            Err(Trouble::Os(Errno::ENOENT)) => (exit::NOT_RUNNING, format!("{url} no such file")),
            Err(_) => return answer.map(|_| false),
        };
        self.refuse(if let UpCheck::Exit(fixed) = check { fixed } else { status }, &why)?;
        if let Err(trouble) = &answer {
            self.advise(trouble);
        }
        Ok(false)
    }

    /// The server wants to know who we are (CTL-026, CTL-153). True: try again.
    fn log_in(&mut self) -> Result<bool, Trouble> {
        const WANTED: &str = "Server requires authentication";
        if !self.interactive {
            self.refuse(exit::FAILED, WANTED)?;
            self.advise(&Trouble::Status { code: 401, reason: String::new() });
            return Ok(false);
        }
        self.say(WANTED)?;
        let username = self.answer("Username:")?;
        let password = text_of(self.screen.secret("Password:"))?;
        self.say("")?;
        self.remote.log_in(username, password);
        Ok(true)
    }

    fn answer(&mut self, question: &str) -> Result<String, Trouble> {
        text_of(self.screen.ask(question))
    }

    /// Says what went wrong, in the one line that scripts look for (CTL-030).
    fn report(&mut self, trouble: &Trouble) -> Result<(), Trouble> {
        let place = if self.interactive { "<stdin>" } else { "<arguments>" };
        let class = trouble.class();
        self.refuse(exit::FAILED, &format!("error: <class '{class}'>, {trouble}: file: {place} line: {}", self.lines))?;
        self.advise(trouble);
        Ok(())
    }

    /// `status` of everything, as at the start of a shell (CTL-106, CTL-150).
    pub fn show_status(&mut self) -> Result<(), Trouble> {
        self.attempt("status")
    }

    /// The command of this name that is offered here.
    pub fn find(&self, name: &str) -> Option<&'static Command> {
        self.commands().find(|command| command.name == name)
    }

    /// All commands that are offered here, listed or not.
    pub fn commands(&self) -> impl Iterator<Item = &'static Command> {
        let offered = |family| {
            matches!(family, Family::Unlisted | Family::Twiddler)
                || self.plugins.iter().any(|plugin| plugin.1 == family)
        };
        COMMANDS.iter().filter(move |command| offered(command.family))
    }

    /// Names and families of the plugins, `default` first.
    pub fn plugins(&self) -> &[(String, Family)] {
        &self.plugins
    }

    /// Calls a method of the `supervisor` namespace.
    pub fn call(&mut self, method: &str, params: &[Value]) -> Result<Value, Trouble> {
        self.remote.call(&format!("supervisor.{method}"), params)
    }

    /// Prints a message and a line end.
    pub fn say(&mut self, message: &str) -> Result<(), Trouble> {
        self.screen.write(format!("{message}\n").as_bytes()).map_err(|_| Trouble::OutputClosed)
    }

    /// Sets the exit status; later failures overwrite it.
    pub fn fail(&mut self, status: i32) {
        self.status = status;
    }

    /// Fails with a message; with `--json` it goes to stderr, as stdout is for JSON alone.
    pub fn refuse(&mut self, status: i32, message: &str) -> Result<(), Trouble> {
        self.fail(status);
        if self.json {
            self.screen.complain(message);
            return Ok(());
        }
        self.say(message)
    }

    /// Whether the command is to print JSON.
    pub fn wants_json(&self) -> bool {
        self.json
    }

    /// Prints a value as JSON.
    pub fn say_json(&mut self, value: &Value) -> Result<(), Trouble> {
        self.say(&Json::from(value).to_text())
    }

    /// From here on every command that can prints JSON.
    pub fn set_json(&mut self) {
        self.always_json = true;
    }

    /// The configuration file that was read, for advice about it.
    pub fn set_file(&mut self, file: Option<String>) {
        self.file = file;
    }

    /// The configuration file that was read.
    pub fn file(&self) -> Option<&str> {
        self.file.as_deref()
    }

    /// Asks for a command line, with completion.
    pub fn ask_for_command(&mut self, prompt: &str) -> Line {
        let families = self.plugins.iter().map(|plugin| plugin.1).collect();
        self.screen.command(prompt, Completion::new(self.remote.twin(), families))
    }

    /// The exit status so far.
    pub fn status(&self) -> i32 {
        self.status
    }

    /// From here on the user is asked.
    pub fn set_interactive(&mut self) {
        self.interactive = true;
    }

    /// No more command lines, please.
    pub fn leave(&mut self) {
        self.leaving = true;
    }

    /// Whether the dialogue is to end.
    pub fn is_leaving(&self) -> bool {
        self.leaving
    }
}

/// Whether `--json` is among the words of a command that knows it; it is taken away. Where words are counted it must
/// be one too many, so that a key may be called so.
fn take_json(args: Args, words: &mut Vec<String>) -> bool {
    let counted = matches!(args, Args::Quoted { most, .. } if words.len() <= most);
    match words.iter().position(|word| word == "--json") {
        Some(place) if !counted => {
            words.remove(place);
            true
        }
        _ => false,
    }
}

fn text_of(line: Line) -> Result<String, Trouble> {
    match line {
        Line::Text(text) => Ok(text),
        Line::End => Err(Trouble::EndOfInput),
        Line::Interrupted => Err(Trouble::Interrupted),
    }
}
