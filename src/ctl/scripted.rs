//! A pretended server and user, for tests: answers and input lines are scripts, and everything is written down.

use std::collections::VecDeque;
use std::io;
use std::os::fd::BorrowedFd;
use std::time::Duration;

use crate::base::value::Value;
use crate::base::words::Fault;
use crate::ctl::client::{FollowError, LogStream, Remote};
use crate::ctl::completion::Completion;
use crate::ctl::dialogue::Dialogue;
use crate::ctl::shell::{self, Heard, Line, Screen};
use crate::ctl::table::Family;
use crate::ctl::trouble::Trouble;

/// A server whose answers are given. `getVersion` is answered by itself unless the script begins with it.
#[derive(Default)]
pub struct Script {
    pub answers: VecDeque<(&'static str, Result<Value, Trouble>)>,
    pub calls: Vec<String>,
    pub login: Option<(String, String)>,
    pub url: String,
}

impl Script {
    pub fn new(answers: impl IntoIterator<Item = (&'static str, Result<Value, Trouble>)>) -> Script {
        Script { answers: answers.into_iter().collect(), url: "unix:///s.sock".to_string(), ..Script::default() }
    }
}

impl Remote for Script {
    fn url(&self) -> &str {
        &self.url
    }

    fn call(&mut self, method: &str, params: &[Value]) -> Result<Value, Trouble> {
        if method == "supervisor.getVersion" && self.answers.front().is_none_or(|next| next.0 != method) {
            return Ok(Value::from("3.0"));
        }
        let shown: Vec<_> = params.iter().map(crate::ctl::pprint::literal).collect();
        self.calls.push(format!("{method}({})", shown.join(", ")));
        let (expected, answer) = self.answers.pop_front().unwrap_or_else(|| panic!("no answer to {method}"));
        assert_eq!(method, expected);
        answer
    }

    fn follow(&mut self, path: &str) -> Result<LogStream, FollowError> {
        self.calls.push(format!("GET {path}"));
        Err(FollowError::Status(404))
    }

    fn open(&mut self, url: &str) {
        self.url = url.to_string();
    }

    fn log_in(&mut self, username: String, password: String) {
        self.login = Some((username, password));
    }

    fn hang_up(&mut self) {}

    fn twin(&self) -> Box<dyn Remote> {
        Box::new(Script::default())
    }
}

/// A user who types these lines and then ends the input. `hints`: what a human at a terminal would be told, if there
/// is one.
#[derive(Default)]
pub struct User {
    pub lines: VecDeque<&'static str>,
    pub out: String,
    pub err: String,
    pub hints: Option<String>,
    pub colours: bool,
}

impl User {
    fn line(&mut self, prompt: &str) -> Line {
        self.out.push_str(prompt);
        match self.lines.pop_front() {
            Some("^C") => Line::Interrupted,
            Some(line) => Line::Text(line.to_string()),
            None => Line::End,
        }
    }
}

impl Screen for User {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.push_str(std::str::from_utf8(bytes).unwrap());
        Ok(())
    }

    fn complain(&mut self, line: &str) {
        self.err.push_str(line);
        self.err.push('\n');
    }

    fn hint(&mut self, line: &str) {
        if let Some(hints) = &mut self.hints {
            hints.push_str(line);
            hints.push('\n');
        }
    }

    fn shows_hints(&self) -> bool {
        self.hints.is_some()
    }

    fn has_colours(&self) -> bool {
        self.colours
    }

    fn command(&mut self, prompt: &str, _: Completion) -> Line {
        self.line(prompt)
    }

    fn ask(&mut self, question: &str) -> Line {
        self.line(question)
    }

    fn secret(&mut self, question: &str) -> Line {
        self.line(question)
    }

    fn wait(&mut self, _: &[BorrowedFd<'_>]) -> Heard {
        Heard::Line(self.line(""))
    }

    fn wait_for_others(&mut self, _: &[BorrowedFd<'_>], _: Duration) -> Heard {
        Heard::Nobody
    }

    fn catch_interrupts(&mut self) {}

    fn end_interrupted_line(&mut self) {}
}

pub fn fault(code: i32) -> Result<Value, Trouble> {
    Err(Trouble::Fault(Fault::new(code)))
}

fn plugins() -> Vec<(String, Family)> {
    vec![("cache".to_string(), Family::Cache)]
}

/// Runs one command line; gives stdout and the exit status. All answers of the script must have been asked for.
pub fn one_shot(script: &mut Script, line: &str) -> (String, i32) {
    let mut user = User::default();
    let mut dialogue = Dialogue::new(script, &mut user, plugins());
    dialogue.command(line).unwrap();
    let status = dialogue.status();
    assert!(script.answers.is_empty(), "left: {:?}", script.answers);
    (user.out, status)
}

/// Runs a shell; gives stdout and how it ended.
pub fn shell(script: &mut Script, lines: &[&'static str]) -> (String, Result<(), Trouble>) {
    let mut user = User { lines: lines.iter().copied().collect(), ..User::default() };
    let mut dialogue = Dialogue::new(script, &mut user, plugins());
    let ended = shell::run(&mut dialogue, "supervisor");
    assert!(script.answers.is_empty(), "left: {:?}", script.answers);
    (user.out, ended)
}
