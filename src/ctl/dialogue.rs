//! A dialogue with one server: takes command lines, finds their row in the table, checks what the row asks for, runs
//! it, and says what went wrong. Keeps the exit status. Never reads a descriptor itself.

use crate::base::errno::Errno;
use crate::base::text::shell_split;
use crate::base::value::Value;
use crate::base::words::fault;
use crate::ctl::client::Remote;
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
}

impl<'a> Dialogue<'a> {
    /// A dialogue that has done nothing. `plugins` are the names and families of the plugins.
    pub fn new(remote: &'a mut dyn Remote, screen: &'a mut dyn Screen, plugins: Vec<(String, Family)>) -> Self {
        let mut all = vec![("default".to_string(), Family::Default)];
        all.extend(plugins);
        Dialogue { remote, screen, plugins: all, interactive: false, status: 0, leaving: false, lines: 0 }
    }

    /// Runs one command line (CTL-007, CTL-008). Only what ends the whole dialogue is an error: Ctrl-C and an output
    /// that nobody reads.
    pub fn command(&mut self, line: &str) -> Result<(), Trouble> {
        self.lines += 1;
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
                self.say(&format!("*** Unknown syntax: {line}"))
            }
        }
    }

    fn run(&mut self, command: &Command, rest: &str) -> Result<(), Trouble> {
        let words: Vec<&str> = rest.split_whitespace().collect();
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
            Args::Quoted(count) => {
                let words = shell_split(rest).map_err(|why| Trouble::Value(why.to_string()))?;
                if words.len() != count {
                    return self.say(&help::usage(command));
                }
                let words: Vec<&str> = words.iter().map(String::as_str).collect();
                return (command.run)(self, &words);
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
        self.fail(exit);
        self.say(&format!("Error: {} {what}\n{}", command.name, help::usage(command)))
    }

    /// Asks the server for its version, as far as `check` wants that (CTL-020 to 025).
    fn is_up(&mut self, check: UpCheck) -> Result<bool, Trouble> {
        if check == UpCheck::No {
            return Ok(true);
        }
        let url = self.remote.url().to_string();
        let (status, why) = match self.call("getVersion", &[]) {
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
            Err(trouble) => return Err(trouble),
        };
        self.fail(if let UpCheck::Exit(fixed) = check { fixed } else { status });
        self.say(&why)?;
        Ok(false)
    }

    /// The server wants to know who we are (CTL-026, CTL-153). True: try again.
    fn log_in(&mut self) -> Result<bool, Trouble> {
        self.say("Server requires authentication")?;
        if !self.interactive {
            self.fail(exit::FAILED);
            return Ok(false);
        }
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
        self.fail(exit::FAILED);
        let place = if self.interactive { "<stdin>" } else { "<arguments>" };
        self.say(&format!("error: <class '{}'>, {trouble}: file: {place} line: {}", trouble.class(), self.lines))
    }

    /// `status` of everything, as at the start of a shell (CTL-106, CTL-150).
    pub fn show_status(&mut self) -> Result<(), Trouble> {
        self.attempt("status")
    }

    /// The command of this name that is offered here.
    pub fn find(&self, name: &str) -> Option<&'static Command> {
        let offered = |family| family == Family::Unlisted || self.plugins.iter().any(|plugin| plugin.1 == family);
        COMMANDS.iter().find(|command| command.name == name && offered(command.family))
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

    /// Fails with a message.
    pub fn refuse(&mut self, status: i32, message: &str) -> Result<(), Trouble> {
        self.fail(status);
        self.say(message)
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

fn text_of(line: Line) -> Result<String, Trouble> {
    match line {
        Line::Text(text) => Ok(text),
        Line::End => Err(Trouble::EndOfInput),
        Line::Interrupted => Err(Trouble::Interrupted),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ctl::scripted::{Script, User, fault as failing, one_shot};

    const VERSION: &str = "supervisor.getVersion";

    #[test]
    fn ctl_007_ctl_008_lines() {
        for line in ["", "  "] {
            assert_eq!(one_shot(&mut Script::new([]), line), (String::new(), 0));
        }
        for line in ["frob", "#x", "!ls", "STATUS"] {
            assert_eq!(one_shot(&mut Script::new([]), line), (format!("*** Unknown syntax: {line}\n"), 1));
        }
        assert_eq!(one_shot(&mut Script::new([]), " frob  x "), ("*** Unknown syntax: frob  x\n".to_string(), 1));
        // What is no letter, digit or `_` ends the command's word.
        let (out, status) = one_shot(&mut Script::new([]), "version-x");
        assert!(out.starts_with("Error: version accepts no arguments\n"));
        assert_eq!(status, 1);
    }

    #[test]
    fn ctl_050_to_054_arguments_are_required() {
        for (line, message, status) in [
            ("start", "Error: start requires a process name\nstart <name>\t", 2),
            ("stop", "Error: stop requires a process name\nstop <name>\t", 1),
            ("restart", "Error: restart requires a process name\nrestart <name>\t", 1),
            ("signal", "Error: signal requires a signal name and a process name\nsignal <signal name> <name>\t", 1),
            ("signal HUP", "Error: signal requires a signal name and a process name\nsignal <signal name> <name>\t", 1),
            ("clear", "Error: clear requires a process name\nclear <name>\t", 1),
        ] {
            let (out, exit) = one_shot(&mut Script::new([]), line);
            assert!(out.starts_with(message), "{out}");
            assert_eq!(exit, status);
        }
    }

    #[test]
    fn ctl_104_no_arguments_accepted() {
        for name in ["avail", "reread", "reload", "shutdown", "version"] {
            let (out, exit) = one_shot(&mut Script::new([]), &format!("{name} x"));
            assert!(out.starts_with(&format!("Error: {name} accepts no arguments\n{name}\t")), "{out}");
            assert_eq!(exit, 1);
        }
    }

    /// CTL-020 to CTL-025.
    #[test]
    fn ctl_020_the_server_is_away() {
        for (answer, start, status) in [
            (Err(Trouble::Os(Errno::ECONNREFUSED)), "unix:///s.sock refused connection\n", 4),
            (Err(Trouble::Os(Errno::ENOENT)), "unix:///s.sock no such file\n", 7),
            (
                Ok(Value::from("2.0")),
                "Sorry, this version of supervisorctl expects to talk to a server with API version 3.0, but the remote \
                 version is 2.0",
                5,
            ),
            (failing(1), "Sorry, supervisord responded but did not recognize the supervisor namespace commands", 3),
        ] {
            // Before the arguments are looked at.
            for line in
                ["start", "stop", "restart x", "signal", "tail", "maintail x y", "clear", "version", "fg", "pid"]
            {
                let (out, exit) = one_shot(&mut Script::new([(VERSION, answer.clone())]), line);
                assert!(out.starts_with(start) && out.lines().count() == 1, "{line}: {out}");
                assert_eq!(exit, status, "{line}");
            }
            let (out, exit) = one_shot(&mut Script::new([(VERSION, answer.clone())]), "status");
            assert!(out.starts_with(start));
            assert_eq!(exit, 4);
        }
        // CTL-024.
        let (out, exit) = one_shot(&mut Script::new([(VERSION, failing(6))]), "status");
        assert!(out.starts_with("error: <class 'xmlrpc.client.Fault'>, <Fault 6: 'SHUTDOWN_STATE'>: file: "), "{out}");
        assert_eq!(exit, 1);
    }

    /// CTL-031: these don't ask first.
    #[test]
    fn ctl_031_without_up_check() {
        for (line, method) in [
            ("avail", "supervisor.getAllConfigInfo"),
            ("reread", "supervisor.reloadConfig"),
            ("add x", "supervisor.addProcessGroup"),
            ("remove x", "supervisor.removeProcessGroup"),
            ("update", "supervisor.reloadConfig"),
            ("reload", "supervisor.restart"),
            ("cache_keys", "cache.getKeys"),
        ] {
            let mut script = Script::new([(method, Err(Trouble::Os(Errno::ECONNREFUSED)))]);
            let (out, exit) = one_shot(&mut script, line);
            let message = "error: <class 'ConnectionRefusedError'>, [Errno 111] Connection refused: file: ";
            assert!(out.starts_with(message) && out.contains(" line: "), "{out}");
            assert_eq!(exit, 1);
        }
    }

    #[test]
    fn ctl_026_authentication_once() {
        let refused = || Err(Trouble::Status { code: 401, reason: "Unauthorized".to_string() });
        for (line, method) in [("status", VERSION), ("avail", "supervisor.getAllConfigInfo")] {
            let out = one_shot(&mut Script::new([(method, refused())]), line);
            assert_eq!(out, ("Server requires authentication\n".to_string(), 1));
        }
    }

    #[test]
    fn ctl_032_a_later_failure_overwrites_and_success_doesn_t_reset() {
        let mut script = Script::new([
            ("supervisor.startProcess", failing(50)),
            ("supervisor.startProcess", failing(10)),
            ("supervisor.startProcess", Ok(true.into())),
        ]);
        assert_eq!(one_shot(&mut script, "start a b c").1, 1);
    }

    #[test]
    fn ctl_120_cache_commands_come_with_the_plugin() {
        let (mut script, mut user) = (Script::new([]), User::default());
        let mut dialogue = Dialogue::new(&mut script, &mut user, Vec::new());
        for line in ["cache_keys", "help cache_keys", "help"] {
            dialogue.command(line).unwrap();
        }
        assert_eq!(dialogue.status(), 1);
        let start =
            "*** Unknown syntax: cache_keys\n*** No help on cache_keys\n\ndefault commands (type help <topic>):\n";
        assert!(user.out.starts_with(start));
        assert!(!user.out.contains("cache commands"));
    }

    #[test]
    fn ctl_144_help_topics() {
        let help = |line| one_shot(&mut Script::new([]), line);
        for (line, topic) in [("help nix", "nix"), ("? a b", "a b"), ("help EOF", "EOF"), ("help default", "default")] {
            assert_eq!(help(line), (format!("*** No help on {topic}\n"), 0));
        }
        let (out, status) = help("help help");
        assert!(out.starts_with("help\t") && out.contains("\nhelp <action>\t") && out.lines().count() == 2, "{out}");
        assert_eq!(status, 0);
        // BUG-091: once, and without a complaint.
        for line in ["help cache_keys", "?cache_keys", "? cache_keys"] {
            assert_eq!(help(line), ("cache_keys\tShow the keys of all items in the cache.\n".to_string(), 0));
        }
        assert!(help("?").0.starts_with("\ndefault commands (type help <topic>):\n====="));
    }
}
