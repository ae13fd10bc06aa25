//! A pretended page: listens to what changes, reads slowly or not at all, and knows what it was told.
//!
//! What it knows must be the truth whenever it has read all there is.

use std::collections::BTreeMap;

use crate::base::key::Key;
use crate::daemon::Input;
use crate::front::Conn;
use crate::sim::check::check_outgoing;
use crate::sim::mutant::Mutant;
use crate::sim::rules::{Checked, Rule};
use crate::sim::run::Sim;
use crate::world::World;

/// At once.
const WATCHERS: usize = 3;

/// What a page knows: of each process, by `group:name`, its state and pid as they were written.
type Known = BTreeMap<String, (String, String)>;

/// A page.
#[derive(Debug)]
pub struct Watcher {
    conn: Key<Conn>,
    /// Read to this point; the rest is no whole event yet.
    received: String,
    /// The head was read.
    begun: bool,
    known: Known,
    mood: String,
    /// How many turns it doesn't read.
    pub asleep: u64,
    /// How many events it got.
    events: u64,
}

/// The text behind `"name":`, up to the comma or bracket behind it; quotes taken off. Names here need no escapes.
fn member<'a>(json: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = json.split_once(&format!("\"{name}\":"))?;
    Some(match rest.strip_prefix('"') {
        Some(text) => text.split_once('"')?.0,
        None => rest.split([',', '}', ']']).next()?,
    })
}

impl Watcher {
    /// Takes bytes of the stream.
    fn take(&mut self, bytes: &[u8]) -> Checked {
        self.received.push_str(&String::from_utf8_lossy(bytes));
        if !self.begun {
            let Some((head, rest)) = self.received.split_once("\r\n\r\n") else { return Ok(()) };
            Rule::Watched.holds_if(head.starts_with("HTTP/1.0 200 "), || head.to_string())?;
            (self.begun, self.received) = (true, rest.to_string());
        }
        while let Some((event, rest)) = self.received.split_once("\n\n") {
            let (event, rest) = (event.to_string(), rest.to_string());
            self.learn(&event)?;
            self.received = rest;
        }
        Ok(())
    }

    fn learn(&mut self, event: &str) -> Checked {
        self.events += 1;
        if event.starts_with("event: all\n") {
            self.known.clear();
        } else if !event.starts_with("event: some\n") || self.events == 1 {
            return Rule::Watched.broken(format!("an event that can't be: {event}"));
        }
        self.mood = member(event, "state").unwrap_or_default().to_string();
        if let Some((_, gone)) = event.split_once("\"gone\":[") {
            for name in gone.split(']').next().unwrap_or_default().split(',') {
                self.known.remove(name.trim_matches('"'));
            }
        }
        for process in event.split("{\"group\":").skip(1) {
            let process = format!("\"group\":{process}");
            let part = |name| member(&process, name).unwrap_or_default().to_string();
            self.known.insert(format!("{}:{}", part("group"), part("name")), (part("state"), part("pid")));
        }
        Ok(())
    }
}

/// What a page is to know.
fn truth(world: &World) -> Known {
    let each = world.processes.iter().map(|(_, process)| {
        let pid = process.life.pid().unwrap_or(0).to_string();
        (format!("{}:{}", process.group_name, process.spec.name), (process.state().name().to_string(), pid))
    });
    each.collect()
}

impl Sim {
    /// Pages are opened, left alone for a while, and closed.
    pub(super) fn watch_something(&mut self) -> Checked {
        if self.watchers.len() < WATCHERS && self.dice.one_in(30) {
            let conn = self.connect()?;
            let (received, known, mood) = (String::new(), Known::new(), String::new());
            self.watchers.push(Watcher { conn, received, begun: false, known, mood, asleep: 0, events: 0 });
            return self.give(Input::Received { conn, bytes: b"GET /live HTTP/1.0\r\nHost: sim\r\n\r\n" });
        }
        if self.watchers.is_empty() {
            return Ok(());
        }
        let chosen = self.dice.below(self.watchers.len() as u64) as usize;
        match self.dice.below(100) {
            0 => {
                let conn = self.watchers.swap_remove(chosen).conn;
                return self.give(Input::Closed(conn));
            }
            1..5 => self.watchers[chosen].asleep = self.dice.below(60),
            _ => {}
        }
        Ok(())
    }

    /// Pages read.
    pub(super) fn let_watchers_read(&mut self) -> Checked {
        for index in (0..self.watchers.len()).rev() {
            let watcher = &mut self.watchers[index];
            let conn = watcher.conn;
            let Some(talk) = self.daemon.front.get(conn) else {
                return Rule::Watched.broken("a page's connection was forgotten before it was closed");
            };
            let waiting = talk.outgoing().to_vec();
            check_outgoing(waiting.len())?;
            // It slept for longer than the daemon has patience.
            if talk.wants_close() {
                self.watchers.swap_remove(index);
                self.give(Input::Closed(conn))?;
                continue;
            }
            if watcher.asleep > 0 {
                watcher.asleep -= 1;
                continue;
            }
            let all = waiting.len() as u64;
            let count = if self.dice.one_in(4) { self.dice.below(all + 1) } else { all } as usize;
            if count > 0 {
                let bytes = waiting[..count].to_vec();
                self.host.journal.bytes(&bytes);
                let lost = self.mutant == Some(Mutant::LosesNews) && bytes.starts_with(b"event: some");
                if !lost {
                    watcher.take(&bytes)?;
                }
                self.give(Input::Sent { conn, count })?;
            }
        }
        Ok(())
    }

    /// Whoever has read all there is knows what there is.
    pub(super) fn check_watchers(&self) -> Checked {
        let world = &self.daemon.world;
        for watcher in &self.watchers {
            let conn = self.daemon.front.get(watcher.conn);
            let waits = conn.is_none_or(|conn| !conn.outgoing().is_empty() || conn.wants_close());
            if waits || !watcher.begun {
                continue;
            }
            let truth = truth(world);
            let mood = world.mood().name();
            Rule::Watched.holds_if(watcher.known == truth && watcher.mood == mood, || {
                let wrong = truth.iter().find(|(name, what)| watcher.known.get(*name) != Some(what));
                let old = wrong.map(|(name, _)| watcher.known.get(name));
                format!("{wrong:?} is {old:?} to a page that knows {} of {}", watcher.known.len(), truth.len())
            })?;
        }
        Ok(())
    }

    /// All pages are closed.
    pub(super) fn close_watchers(&mut self) -> Checked {
        for watcher in std::mem::take(&mut self.watchers) {
            self.give(Input::Closed(watcher.conn))?;
        }
        Ok(())
    }
}
