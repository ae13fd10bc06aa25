//! A pretended client: asks by HTTP in pieces of any size, reads slowly or not at all, and checks that each question
//! gets one answer, in order.

use std::collections::VecDeque;

use crate::base::key::Key;
use crate::base::time::Mono;
use crate::base::value::Value;
use crate::base::words::Fault;
use crate::front::Conn;
use crate::sim::dice::Dice;
use crate::sim::rules::{Checked, Rule};
use crate::wire::xml_read::read_response;
use crate::wire::xml_write::write_call;
use crate::world::process::Process;

/// Which processes a question is about, and what it wants of them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Scope {
    /// The group; `None` is all.
    pub group: Option<String>,
    /// The process; `None` is all.
    pub process: Option<String>,
    /// They are to start.
    pub starts: bool,
    /// They are to stop.
    pub stops: bool,
    /// Their logs are cleared, or the main log is.
    pub clears: bool,
    /// The answer comes when it is done.
    pub waits: bool,
}

impl Scope {
    /// Whether a process is meant.
    pub fn covers(&self, process: &Process) -> bool {
        self.group.as_ref().is_none_or(|group| **group == *process.group_name)
            && self.process.as_ref().is_none_or(|name| *name == process.spec.name)
    }

    /// Whether they are to start.
    pub fn starts(&self) -> bool {
        self.starts
    }

    /// Whether they are to stop.
    pub fn stops(&self) -> bool {
        self.stops
    }
}

/// What a question is about, as far as a rule depends on it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Topic {
    /// Processes.
    Processes(Scope),
    /// A value that the cache must give: its text, or `None` for a fault.
    Fetch(Option<String>),
    /// Anything else.
    Other,
}

impl Topic {
    /// Which processes, if it is about any.
    pub fn scope(&self) -> Option<&Scope> {
        match self {
            Topic::Processes(scope) => Some(scope),
            Topic::Fetch(_) | Topic::Other => None,
        }
    }
}

/// A question without an answer yet.
#[derive(Debug)]
pub struct Question {
    /// For messages.
    pub method: String,
    /// What it is about.
    pub topic: Topic,
    /// When it was asked.
    pub asked: Mono,
    /// How many bytes the client has sent once all of it is sent.
    end: usize,
}

/// What an answer says.
pub type Reply = Result<Value, Fault>;

/// A client.
#[derive(Debug)]
pub struct Client {
    /// Its connection.
    pub conn: Key<Conn>,
    /// Questions without an answer, oldest first.
    pub open: VecDeque<Question>,
    /// Answers were read to this point; the rest is not a whole answer yet.
    received: Vec<u8>,
    unsent: VecDeque<u8>,
    sent: usize,
    /// Asked to send no more.
    pub ended: bool,
    /// How many turns it doesn't read.
    pub asleep: u64,
}

impl Client {
    /// A client that has asked nothing.
    pub fn new(conn: Key<Conn>) -> Client {
        Client {
            conn,
            open: VecDeque::new(),
            received: Vec::new(),
            unsent: VecDeque::new(),
            sent: 0,
            ended: false,
            asleep: 0,
        }
    }

    /// Asks, as soon as the bytes before are sent.
    pub fn ask(&mut self, method: &str, params: &[Value], topic: Topic, asked: Mono) {
        let mut body = Vec::new();
        write_call(&mut body, method, params);
        let head = format!("POST /RPC2 HTTP/1.1\r\nHost: sim\r\nContent-Length: {}\r\n\r\n", body.len());
        self.unsent.extend(head.as_bytes());
        self.unsent.extend(&body);
        let end = self.sent + self.unsent.len();
        self.open.push_back(Question { method: method.to_string(), topic, asked, end });
    }

    /// Whether it has something to send.
    pub fn has_more(&self) -> bool {
        !self.unsent.is_empty()
    }

    /// The next bytes that it sends: a few, or all of them.
    pub fn send(&mut self, dice: &mut Dice) -> Vec<u8> {
        let all = self.unsent.len() as u64;
        let count = if dice.one_in(2) { all } else { dice.between(1, all.min(400)) };
        self.sent += count as usize;
        self.unsent.drain(..count as usize).collect()
    }

    /// The oldest question without an answer, if all of it was sent.
    pub fn waits_for(&self) -> Option<&Question> {
        self.open.front().filter(|question| question.end <= self.sent)
    }

    /// Takes bytes of answers; gives the whole ones, each with its question.
    pub fn take(&mut self, bytes: &[u8]) -> Checked<Vec<(Question, Reply)>> {
        self.received.extend_from_slice(bytes);
        let mut answers = Vec::new();
        while let Some((body, used)) = split_answer(&self.received).or_else(|what| Rule::Answers.broken(what))? {
            let Ok(reply) = read_response(body) else { return Rule::Answers.broken("an answer that is no XML-RPC") };
            let Some(question) = self.open.pop_front() else {
                return Rule::Answers.broken("an answer without a question");
            };
            answers.push((question, reply));
            self.received.drain(..used);
        }
        Ok(answers)
    }
}

/// The body of the first answer in `bytes` and how many bytes the answer took, once it is whole.
fn split_answer(bytes: &[u8]) -> Result<Option<(&[u8], usize)>, String> {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
    let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
    if !head.starts_with("http/1.1 200 ") {
        return Err(format!("an answer that is not 200: {head}"));
    }
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
    let length = length.ok_or_else(|| format!("an answer without a length: {head}"))?;
    let used = end + 4 + length;
    Ok(bytes.get(end + 4..used).map(|body| (body, used)))
}
