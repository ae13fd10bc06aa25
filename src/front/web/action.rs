//! What the buttons and links of the status page do, and what they say afterwards (WEB-020 to WEB-028).
//!
//! An action is one or two calls of the main namespace. It is data, like the [`Waiting`] within it: kept by its
//! connection and asked again; dropping it drops the message, and what it began goes on.

use crate::base::text::NameSpec;
use crate::base::time::Calendar;
use crate::base::value::Value;
use crate::base::words::{Fault, fault};
use crate::front::web::text::Form;
use crate::rpc::{self, Answer, Waiting};
use crate::world::{Turn, World};

/// One kind of action.
#[derive(Debug)]
struct Row {
    /// As forms and links call it.
    word: &'static str,
    /// Whether it is about one process.
    of_one: bool,
    /// The methods that do it, in order.
    steps: &'static [&'static str],
    /// What is said when it is done; `@` stands for the name or the moment.
    done: &'static str,
    /// What becomes of a method's fault.
    fails: Fails,
}

/// What becomes of a fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fails {
    /// It is said.
    Plainly,
    /// It is said in the words of a start (WEB-023).
    AsStart,
    /// It isn't said (WEB-022, WEB-025), unless nothing can be done at all.
    Silently,
}

const ACTIONS: &[Row] = &[
    Row { word: "refresh", of_one: false, steps: &[], done: "Page refreshed at @", fails: Fails::Silently },
    Row {
        word: "stopall",
        of_one: false,
        steps: &["stopAllProcesses"],
        done: "All stopped at @",
        fails: Fails::Plainly,
    },
    Row {
        word: "restartall",
        of_one: false,
        steps: &["stopAllProcesses", "startAllProcesses"],
        done: "All restarted at @",
        fails: Fails::Silently,
    },
    Row { word: "start", of_one: true, steps: &["startProcess"], done: "Process @ started", fails: Fails::AsStart },
    Row { word: "stop", of_one: true, steps: &["stopProcess"], done: "Process @ stopped", fails: Fails::Plainly },
    Row {
        word: "restart",
        of_one: true,
        steps: &["stopProcess", "startProcess"],
        done: "Process @ restarted",
        fails: Fails::Silently,
    },
    Row {
        word: "clearlog",
        of_one: true,
        steps: &["clearProcessLogs"],
        done: "Log for @ cleared",
        fails: Fails::Plainly,
    },
];

/// An action that goes on.
pub(in crate::front) struct Doing {
    row: &'static Row,
    /// Empty for those that are about all.
    name: String,
    left: std::slice::Iter<'static, &'static str>,
    open: Option<Waiting>,
}

impl Doing {
    /// What a form asks for. The error is a status (WEB-028).
    pub(in crate::front) fn new(form: &Form) -> Result<Doing, u16> {
        let word = form.action.as_deref().unwrap_or_default();
        let row = ACTIONS.iter().find(|row| row.word == word).ok_or(400_u16)?;
        let name = match row.of_one {
            true => form.processname.clone().ok_or(400_u16)?,
            false => String::new(),
        };
        Ok(Doing { row, name, left: row.steps.iter(), open: None })
    }

    /// Goes on as far as it can. Once it is over, what to say.
    pub(in crate::front) fn poll(&mut self, world: &mut World, turn: &mut Turn<'_>) -> Option<String> {
        let begins = self.open.is_none() && self.left.len() == self.row.steps.len();
        if self.row.of_one && begins && !exists(world, &self.name) {
            return Some(format!("No such process named {}", self.name));
        }
        loop {
            let result = match &mut self.open {
                Some(waiting) => waiting.poll(world, turn)?.map(|_| ()),
                None => {
                    let Some(method) = self.left.next() else { return Some(self.done(turn)) };
                    let args = if self.row.of_one { vec![Value::str(&self.name)] } else { Vec::new() };
                    match rpc::own_call(world, turn, method, args) {
                        Answer::Now(result) => result.map(|_| ()),
                        Answer::Later(waiting) => {
                            self.open = Some(waiting);
                            continue;
                        }
                    }
                }
            };
            self.open = None;
            if let Err(fault) = result
                && let Some(text) = self.failed(&fault)
            {
                return Some(text);
            }
        }
    }

    fn done(&self, turn: &mut Turn<'_>) -> String {
        if self.row.of_one {
            return self.row.done.replace('@', &self.name);
        }
        let secs = turn.now.wall.secs();
        self.row.done.replace('@', &Calendar::at(secs, turn.host.local_offset(secs)).asctime())
    }

    fn failed(&self, fault: &Fault) -> Option<String> {
        let plain = || format!("unexpected rpc fault [{}] {}", fault.code, fault.text);
        let why = match (self.row.fails, fault.code) {
            (Fails::Plainly, _) => return Some(plain()),
            // BUG-027.
            (Fails::Silently, fault::SHUTDOWN_STATE) => return Some(plain()),
            (Fails::Silently, _) => return None,
            (Fails::AsStart, fault::NO_FILE) => "no such file".to_string(),
            (Fails::AsStart, fault::NOT_EXECUTABLE) => "file not executable".to_string(),
            (Fails::AsStart, fault::ALREADY_STARTED) => "already started".to_string(),
            (Fails::AsStart, fault::SPAWN_ERROR) => "spawn error".to_string(),
            (Fails::AsStart, fault::ABNORMAL_TERMINATION) => "abnormal termination".to_string(),
            (Fails::AsStart, _) => plain(),
        };
        Some(format!("ERROR: Process {}: {why}", self.name))
    }
}

/// Whether there is one process of that name; a group is none (WEB-027).
fn exists(world: &World, name: &str) -> bool {
    let spec = NameSpec::parse(name);
    spec.process.is_some_and(|process| world.find_member(spec.group, process).is_some())
}
