//! The buffer of one event listener pool, pure: which events wait, in which order, who is free to take one, and what
//! is sent (contract events.md, section 4).
//!
//! Nothing here writes to a listener or knows its protocol.

use std::collections::VecDeque;
use std::rc::Rc;

use crate::base::events::{Kind, Kinds, exit_tokens};
use crate::base::key::Key;
use crate::base::limits::EVENT_COST;
use crate::base::maps::ByNumber;
use crate::base::words::Exit;
use crate::config::spec::{Bound, LenUnit, PoolSpec, ResultHandler};
use crate::wire::listener::{Header, Listener};
use crate::world::process::Process;

/// Counts events from 0 to 2^63-1 and then from 0 again (EVT-081).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Serial(u64);

impl Serial {
    /// How many were taken, as long as they are fewer than 2^63.
    pub fn count(self) -> u64 {
        self.0
    }

    /// The number of the next event, which is taken with this.
    pub fn take(&mut self) -> u64 {
        let taken = self.0;
        self.0 = if taken >= i64::MAX as u64 { 0 } else { taken + 1 };
        taken
    }
}

/// An event as it happened, the same for all pools that have it.
#[derive(Debug)]
pub struct Notice {
    /// Its type.
    pub kind: Kind,
    /// Its number among all events.
    pub serial: u64,
    /// Made when it happened (EVT-028).
    pub payload: String,
    /// How the process ended, if that is what it is about; for pools that want to know.
    pub exit: Option<Exit>,
    /// The process that it is about, if any.
    pub about: Option<Key<Process>>,
}

/// An event in one pool.
#[derive(Clone, Debug)]
pub struct Ticket {
    /// What happened.
    pub notice: Rc<Notice>,
    /// Its number in the pool; it keeps it when it is put back.
    pub pool_serial: u64,
}

impl Ticket {
    fn bytes(&self) -> u64 {
        self.notice.payload.len() as u64 + EVENT_COST
    }
}

/// What makes a process a listener.
#[derive(Debug)]
pub struct Member {
    /// How far the conversation is.
    pub protocol: Listener,
    /// The event that it has, while it is busy.
    pub event: Option<Ticket>,
    /// Its place among the pool's members.
    pub place: usize,
}

/// What is discarded to make room: the numbers of the events, oldest first. Mostly nothing.
pub type Discarded = Vec<u64>;

/// One pool.
#[derive(Debug)]
pub struct Pool {
    spec: PoolSpec,
    waiting: VecDeque<Ticket>,
    /// What waits, in bytes.
    bytes: u64,
    serial: Serial,
    discarded: u64,
    /// Who is RUNNING and READY, by place.
    idle: ByNumber<usize, Key<Process>>,
    /// While a lost event is on its way back nothing is handed out.
    held: bool,
}

impl Pool {
    /// An empty one.
    pub fn new(spec: PoolSpec) -> Pool {
        let (waiting, idle) = (VecDeque::new(), ByNumber::default());
        Pool { spec, waiting, bytes: 0, serial: Serial::default(), discarded: 0, idle, held: false }
    }

    /// The types that it is subscribed to.
    pub fn kinds(&self) -> Kinds {
        self.spec.kinds
    }

    /// What judges its listeners' results.
    pub fn handler(&self) -> ResultHandler {
        self.spec.result_handler
    }

    /// How many events wait.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// How many events it has accepted.
    pub fn made(&self) -> u64 {
        self.serial.count()
    }

    /// How many events it has discarded.
    pub fn discarded(&self) -> u64 {
        self.discarded
    }

    /// What waits, oldest first.
    pub fn waiting(&self) -> impl Iterator<Item = &Ticket> {
        self.waiting.iter()
    }

    /// The bound, for a line of the log.
    pub fn bound(&self) -> u64 {
        match self.spec.bound {
            Bound::Count(bound) | Bound::Bytes(bound) => bound,
        }
    }

    /// Whether the buffer is within its bound. A single event may be larger than a bound in bytes.
    pub fn is_bounded(&self) -> bool {
        match self.spec.bound {
            Bound::Count(count) => self.waiting.len() as u64 <= count,
            Bound::Bytes(bytes) => self.bytes <= bytes || self.waiting.len() == 1,
        }
    }

    /// A new event, behind all others (EVT-083).
    pub fn accept(&mut self, notice: Rc<Notice>) -> Discarded {
        let ticket = Ticket { notice, pool_serial: self.serial.take() };
        let discarded = self.make_room(ticket.bytes());
        self.bytes += ticket.bytes();
        self.waiting.push_back(ticket);
        discarded
    }

    /// An event that a listener rejected or lost, before all others (EVT-090).
    pub fn put_back(&mut self, ticket: Ticket) -> Discarded {
        let discarded = self.make_room(ticket.bytes());
        self.bytes += ticket.bytes();
        self.waiting.push_front(ticket);
        discarded
    }

    fn make_room(&mut self, bytes: u64) -> Discarded {
        let mut discarded = Vec::new();
        while match self.spec.bound {
            Bound::Count(count) => self.waiting.len() as u64 >= count,
            Bound::Bytes(bound) => self.bytes + bytes > bound,
        } {
            let Some(oldest) = self.take() else { break };
            self.discarded += 1;
            discarded.push(oldest.notice.serial);
        }
        discarded
    }

    /// The oldest event, if it may be handed out now.
    pub fn first(&self) -> Option<&Ticket> {
        self.waiting.front().filter(|_| !self.held)
    }

    /// Takes the oldest event out.
    pub fn take(&mut self) -> Option<Ticket> {
        let ticket = self.waiting.pop_front()?;
        self.bytes -= ticket.bytes();
        Some(ticket)
    }

    /// Hands nothing out until told otherwise.
    pub fn hold(&mut self, held: bool) {
        self.held = held;
    }

    /// Notes whether a member can be given an event.
    pub fn set_idle(&mut self, place: usize, who: Key<Process>, idle: bool) {
        match idle {
            true => self.idle.insert(place, who),
            false => self.idle.remove(place),
        };
    }

    /// The first member from this place on that can be given an event (EVT-084), and its place.
    pub fn next_idle(&self, from: usize) -> Option<(usize, Key<Process>)> {
        self.idle.first_from(from)
    }

    /// How many members can be given an event.
    pub fn idle_count(&self) -> usize {
        self.idle.len()
    }

    /// Appends an event as a listener reads it: its line and its payload (EVT-086 to EVT-089).
    pub fn write(&self, ticket: &Ticket, server: &str, pool: &str, out: &mut Vec<u8>) {
        use std::io::Write;
        let Notice { kind, serial, payload, exit, .. } = &*ticket.notice;
        let tokens = exit.filter(|_| self.spec.exit_status).map(exit_tokens).unwrap_or_default();
        let len = match self.spec.len_unit {
            LenUnit::Bytes => payload.len(),
            LenUnit::Characters => payload.chars().count(),
        };
        let header = Header {
            server,
            serial: *serial,
            pool,
            pool_serial: ticket.pool_serial,
            event_name: kind.name(),
            len: len + tokens.len(),
        };
        // Writing to a Vec can't fail.
        let _ = write!(out, "{header}{payload}{tokens}");
    }
}

/// What a handler makes of a result.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// EVT-122.
    Accepted,
    /// Accepted; this goes to the stdin of the process that the event is about (EVT-121).
    Feed(Vec<u8>),
    /// Accepted; this goes to the daemon's own stdout.
    Print(Vec<u8>),
    /// EVT-123.
    Rejected,
    /// EVT-124: the handler can do nothing with it.
    Failed,
}

/// Judges a result (contract events.md, section 6).
pub fn judge(handler: ResultHandler, mut result: Vec<u8>) -> Verdict {
    const STDIN: &[u8] = b"STDIN:";
    match handler {
        ResultHandler::Default | ResultHandler::StdinWrite if result == b"OK" => Verdict::Accepted,
        ResultHandler::StdinWrite if result.starts_with(STDIN) => {
            result.drain(..STDIN.len());
            Verdict::Feed(result)
        }
        ResultHandler::Default | ResultHandler::StdinWrite => Verdict::Rejected,
        ResultHandler::Stdout => relayed(&result).map_or(Verdict::Failed, Verdict::Print),
    }
}

/// A PROCESS_LOG payload as `supervisor_stdout` shows it: each line with the process and the channel in front. A last
/// line without an end gets one, since the next words may be another program's.
fn relayed(result: &[u8]) -> Option<Vec<u8>> {
    let end = result.iter().position(|byte| *byte == b'\n')?;
    let (line, data) = (std::str::from_utf8(&result[..end]).ok()?, &result[end + 1..]);
    let token = |name: &str| line.split_whitespace().find_map(|token| token.strip_prefix(name)?.strip_prefix(':'));
    let prefix = format!("{} {} | ", token("processname")?, token("channel")?);
    let mut out = Vec::with_capacity(data.len() + 2 * prefix.len());
    for line in data.split_inclusive(|byte| *byte == b'\n') {
        out.extend_from_slice(prefix.as_bytes());
        out.extend_from_slice(line);
    }
    if !data.is_empty() && !data.ends_with(b"\n") {
        out.push(b'\n');
    }
    Some(out)
}

#[cfg(test)]
#[path = "pool_tests.rs"]
mod tests;
