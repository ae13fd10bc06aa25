//! The clients of a simulated daemon: they ask, read when they like, go when they like, and are answered.

use crate::base::key::Key;
use crate::base::limits;
use crate::base::value::Value;
use crate::base::words::{Mood, fault};
use crate::daemon::Input;
use crate::front::{Conn, Peer};
use crate::sim::check::check_outgoing;
use crate::sim::client::{Client, Question, Reply, Scope, Topic};
use crate::sim::mutant::{Mutant, forge};
use crate::sim::questions;
use crate::sim::rules::{Checked, Rule};
use crate::sim::run::Sim;

/// At once.
const CLIENTS: usize = 8;

impl Sim {
    pub(super) fn ask_something(&mut self) -> Checked {
        if self.clients.len() < CLIENTS && self.dice.one_in(20) {
            let conn = self.connect()?;
            self.clients.push(Client::new(conn));
        }
        if self.clients.is_empty() || !self.dice.one_in(2) {
            return Ok(());
        }
        let chosen = self.dice.below(self.clients.len() as u64) as usize;
        let waits = self.clients[chosen].waits_for().is_some();
        if self.dice.one_in(if waits { 15 } else { 60 }) {
            // Gone without a word.
            let client = self.clients.swap_remove(chosen);
            self.host.journal.note(format!("{:?} is gone", client.conn));
            return self.give(Input::Closed(client.conn));
        }
        let now = self.host.now;
        let client = &mut self.clients[chosen];
        if client.ended {
            return Ok(());
        }
        match self.dice.below(30) {
            0 => client.asleep = self.dice.below(100),
            1 => client.ended = true,
            2..5 => {
                let key = format!("{:?}", client.conn);
                let text = self.dice.bits().to_string();
                client.ask("cache.store", &[Value::str(&key), Value::str(&text)], Topic::Other, now);
                self.cache.insert(key, Some(text));
            }
            5..8 => {
                let key = format!("{:?}", client.conn);
                let expected = self.cache.get(&key).cloned().flatten();
                client.ask("cache.fetch", &[Value::str(&key)], Topic::Fetch(expected), now);
            }
            _ => {
                let draft = questions::about_processes(&self.daemon.world, &mut self.dice);
                self.host.journal.note(format!("{now:?} {:?} asks {} {:?}", client.conn, draft.method, draft.params));
                client.ask(draft.method, &draft.params, draft.topic, now);
            }
        }
        Ok(())
    }

    pub(super) fn let_clients_send(&mut self) -> Checked {
        for index in 0..self.clients.len() {
            let client = &mut self.clients[index];
            let conn = client.conn;
            let Some(wants) = self.daemon.front.get(conn).map(|conn| conn.wants_input()) else {
                return Rule::Answers.broken("a connection was forgotten before it was closed");
            };
            if wants && client.has_more() {
                let bytes = client.send(&mut self.dice);
                self.give(Input::Received { conn, bytes: &bytes })?;
            } else if wants && client.ended {
                self.give(Input::Ended(conn))?;
            }
        }
        Ok(())
    }

    /// Takes what connections have to send, and closes those that are done.
    pub(super) fn flush(&mut self) -> Checked {
        while self.daemon.front.next_changed().is_some() {}
        let mut gone = Vec::new();
        for index in 0..self.clients.len() {
            let client = &mut self.clients[index];
            let Some(conn) = self.daemon.front.get(client.conn) else { continue };
            let waiting = conn.outgoing().to_vec();
            let hoard = if self.mutant == Some(Mutant::Hoards) { 3 * limits::OUT_BYTES } else { 0 };
            check_outgoing(waiting.len() + hoard)?;
            if client.asleep > 0 {
                client.asleep -= 1;
                continue;
            }
            let all = waiting.len() as u64;
            let count = if self.dice.one_in(3) { self.dice.below(all + 1) } else { all } as usize;
            if count > 0 {
                self.host.journal.bytes(&waiting[..count]);
                let bytes = match self.mutant {
                    Some(Mutant::LosesAnswers) => Vec::new(),
                    Some(Mutant::AnswersTwice) => waiting[..count].repeat(2),
                    _ => waiting[..count].to_vec(),
                };
                let mut answers = client.take(&bytes)?;
                answers.iter_mut().for_each(|(question, reply)| forge(self.mutant, question, reply));
                self.answers += answers.len() as u64;
                answers.iter().try_for_each(|(question, reply)| self.check_answer(question, reply))?;
                let conn = self.clients[index].conn;
                self.give(Input::Sent { conn, count })?;
            }
            let conn = self.clients[index].conn;
            let done = self.daemon.front.get(conn).is_some_and(|conn| conn.wants_close() && conn.outgoing().is_empty());
            if done {
                gone.push(index);
            }
        }
        for index in gone.into_iter().rev() {
            let client = self.clients.swap_remove(index);
            if let Some(question) = client.waits_for() {
                let what = format!("a connection was closed before the answer to {}", question.method);
                return Rule::Answers.broken(what);
            }
            self.give(Input::Closed(client.conn))?;
        }
        Ok(())
    }

    pub(super) fn connect(&mut self) -> Checked<Key<Conn>> {
        let server = self.dice.below(2) as usize;
        let mut turn = crate::world::Turn { now: self.clock.now(), host: &mut self.host };
        match self.daemon.accept(server, Peer::Unix, &mut turn) {
            Ok(conn) => Ok(conn),
            Err(_) => Rule::Answers.broken("a connection was refused"),
        }
    }

    fn check_answer(&self, question: &Question, reply: &Reply) -> Checked {
        let fits = match (&question.topic, reply) {
            (Topic::Fetch(Some(text)), Ok(Value::Str(given))) => text == given,
            (Topic::Fetch(None), Err(_)) => true,
            // The store is closed by then.
            (Topic::Fetch(_), Err(fault)) if fault.code == fault::SHUTDOWN_STATE => {
                self.daemon.world.mood() == Mood::Shutdown
            }
            (Topic::Fetch(_), _) => false,
            (Topic::Processes(scope), Ok(Value::Bool(true))) if scope.waits => return self.check_wait(question, scope),
            (Topic::Processes(_) | Topic::Other, _) => true,
        };
        Rule::Answers.holds_if(fits, || format!("the answer to {} is {reply:?}", question.method))
    }

    /// RPC-053, RPC-056: whoever waited for a process was told that it runs, or has stopped; then it did, since.
    fn check_wait(&self, question: &Question, scope: &Scope) -> Checked {
        let (Some(group), Some(name)) = (&scope.group, &scope.process) else { return Ok(()) };
        let seen = self.daemon.world.find_member(group, name).and_then(|who| self.watch.last_seen(who));
        // It may have been removed since, and so may its like have come.
        let Some((running, stopped)) = seen else { return Ok(()) };
        let at = if scope.starts { running } else { stopped };
        let told = at.is_some_and(|at| at >= question.asked);
        Rule::Waits.holds_if(told, || format!("{} of {group}:{name} at {:?}: {at:?}", question.method, question.asked))
    }
}
