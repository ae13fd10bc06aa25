//! The whole daemon under a storm of chance: one seed, many steps, everything checked after each.
//!
//! Plays the reactor's part in the reactor's order, with pretended children and clients. The same seed gives the same
//! journal.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::base::key::Key;
use crate::base::limits;
use crate::base::time::Mono;
use crate::base::value::Value;
use crate::base::words::{Channel, Exit, Mood, Pid};
use crate::daemon::{Daemon, Input, Outcome};
use crate::front::{Conn, Peer};
use crate::sim::check::Watch;
use crate::sim::child::Child;
use crate::sim::client::{Client, Question, Reply, Topic};
use crate::sim::clock::Clock;
use crate::sim::dice::Dice;
use crate::sim::host::SimHost;
use crate::sim::{questions, setup};
use crate::world::Turn;

/// Rounds of one turn after which the loop is taken to spin.
const ROUNDS: u32 = 10_000;
/// How long the end may take: the slowest group one after the other.
const END: Duration = Duration::from_secs(1_800);
/// How long an answer may take once everybody reads and writes.
const PATIENCE: Duration = Duration::from_secs(600);
const CLIENTS: usize = 8;

/// What a run amounted to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Summary {
    /// Of everything that happened.
    pub journal: u64,
    /// Children made.
    pub spawns: u64,
    /// SIGKILLs sent.
    pub sigkills: u64,
    /// Questions answered.
    pub answers: u64,
    /// Pretended time.
    pub passed: Duration,
}

/// A daemon and its pretended surroundings.
pub struct Sim {
    daemon: Daemon,
    host: SimHost,
    clock: Clock,
    dice: Dice,
    clients: Vec<Client>,
    watch: Watch,
    /// What the cache must give: each client has a key of its own.
    cache: BTreeMap<String, Option<String>>,
    answers: u64,
    stirring: bool,
}

/// Runs one seed: `steps` steps, then quiet until all is answered, then the end. The error says what went wrong, when,
/// and what came before.
pub fn simulate(seed: u64, steps: u64) -> Result<Summary, String> {
    let mut sim = Sim::new(seed).map_err(|error| format!("seed {seed}: {error}"))?;
    let begin = sim.clock.now().mono;
    let fail = |sim: &Sim, when: String, what: String| {
        let at = sim.clock.now().mono - begin;
        format!("seed {seed}, {when}, after {at:?}: {what}\nWhat came before:\n{}", sim.host.journal)
    };
    for step in 0..steps {
        sim.step().map_err(|what| fail(&sim, format!("step {step} of {steps}"), what))?;
    }
    sim.quiet().map_err(|what| fail(&sim, "the quiet".to_string(), what))?;
    sim.end().map_err(|what| fail(&sim, "the end".to_string(), what))?;
    Ok(Summary {
        journal: sim.host.journal.hash(),
        spawns: sim.watch.spawns,
        sigkills: sim.watch.sigkills,
        answers: sim.answers,
        passed: sim.clock.now().mono - begin,
    })
}

impl Sim {
    fn new(seed: u64) -> Result<Sim, String> {
        let mut dice = Dice::new(seed);
        let mut host = SimHost::new(dice.bits());
        host.files.put_directory("/sim");
        host.files.put_pipe("/dev/stdout", 1_000);
        let config = setup::config(&mut dice)?;
        host.config = Some(config.clone());
        let clock = Clock::default();
        host.now = clock.now().mono;
        let mut turn = Turn { now: clock.now(), host: &mut host };
        let mut daemon = Daemon::new(config, &mut turn)?;
        daemon.begin(&mut turn);
        Ok(Sim {
            daemon,
            host,
            clock,
            dice,
            clients: Vec::new(),
            watch: Watch::default(),
            cache: BTreeMap::new(),
            answers: 0,
            stirring: true,
        })
    }

    /// Gives the daemon one input and looks at what it did.
    fn give(&mut self, input: Input<'_>) -> Result<(), String> {
        let before = self.daemon.world.mood();
        let mut turn = Turn { now: self.clock.now(), host: &mut self.host };
        self.daemon.take(input, &mut turn);
        self.watch.deeds(before, &self.daemon.world, &mut self.host, &self.clients)
    }

    /// One step: time passes, things happen, a turn is taken to its end.
    fn step(&mut self) -> Result<(), String> {
        self.pass_time();
        self.change_weather();
        if self.dice.one_in(700) {
            self.host.journal.note("signal USR2".to_string());
            self.give(Input::Signal(12))?;
        }
        if self.dice.one_in(1_500) {
            self.host.journal.note("signal HUP".to_string());
            self.give(Input::Signal(1))?;
        }
        for _ in 0..self.dice.below(3) {
            self.let_a_child_print()?;
        }
        self.ask_something()?;
        self.turn()
    }

    /// A turn: exits, deadlines, connections, settle, flush; again until nobody is ready.
    fn turn(&mut self) -> Result<(), String> {
        self.reap()?;
        for _ in 0..ROUNDS {
            if self.daemon.next_deadline().is_some_and(|at| at <= self.host.now) {
                self.give(Input::Due)?;
            }
            self.let_clients_send()?;
            let before = self.daemon.world.mood();
            let mut turn = Turn { now: self.clock.now(), host: &mut self.host };
            let ready = self.daemon.settle(&mut turn);
            self.watch.deeds(before, &self.daemon.world, &mut self.host, &self.clients)?;
            self.flush()?;
            let due = self.daemon.next_deadline().is_some_and(|at| at <= self.host.now);
            if !ready && !due {
                self.watch.all(&self.daemon.world, &self.host)?;
                return Ok(());
            }
        }
        Err("the loop spins: there is always something ready".to_string())
    }

    fn pass_time(&mut self) {
        match self.dice.below(100) {
            0..60 => self.clock.pass(Duration::from_millis(self.dice.below(60))),
            60..90 => self.leap(),
            // Woken late: the machine was busy or asleep.
            90..97 => self.clock.pass(Duration::from_millis(self.dice.below(12_000))),
            97 => {
                let secs = self.dice.between(0, 200_000) as i64 - 100_000;
                self.host.journal.note(format!("the wall clock is set by {secs} s"));
                self.clock.step_wall(secs);
            }
            _ => {}
        }
        self.host.now = self.clock.now().mono;
    }

    /// To the next moment at which anything happens by itself.
    fn leap(&mut self) {
        let ends = self.host.children.values().filter_map(|child| child.ends.map(|(at, _)| at)).min();
        if let Some(at) = self.daemon.next_deadline().into_iter().chain(ends).min() {
            // Clients that are at it stay at it: nobody's patience ends.
            let busy = self.clients.iter().any(|client| client.has_more() || !client.open.is_empty());
            let latest = if busy { self.host.now + Duration::from_secs(30) } else { at };
            self.clock.leap_to(at.min(latest));
            self.host.now = self.clock.now().mono;
        }
    }

    /// Faults come and go.
    fn change_weather(&mut self) {
        if !self.dice.one_in(40) {
            return;
        }
        if self.dice.one_in(4) {
            // Somebody edits the configuration file, and may make a mess of it.
            self.host.config = if self.dice.one_in(4) { None } else { setup::config(&mut self.dice).ok() };
        }
        self.host.refusals.spawn = *self.dice.pick(&[0, 0, 20, 3]);
        self.host.refusals.kill = *self.dice.pick(&[0, 0, 0, 50]);
        self.host.files.faults.room = *self.dice.pick(&[None, None, None, Some(5_000), Some(0)]);
        self.host.files.put_pipe("/dev/stdout", *self.dice.pick(&[1_000_000, 100]));
    }

    fn let_a_child_print(&mut self) -> Result<(), String> {
        let pids: Vec<Pid> = self.host.children.keys().copied().collect();
        let Some(child) = (!pids.is_empty()).then(|| *self.dice.pick(&pids)) else { return Ok(()) };
        let Some(child) = self.host.children.get(&child).cloned() else { return Ok(()) };
        let channel = if self.dice.one_in(3) { Channel::Stderr } else { Channel::Stdout };
        if !child.paused[channel.index()] {
            self.print(&child, channel)?;
        }
        if child.stdin_awaited && self.dice.one_in(2) {
            if let Some(child) = self.host.children.get_mut(&child.pid) {
                child.stdin_awaited = false;
                child.stdin_room = child.stdin_room.map(|room| room + 4_096);
            }
            self.give(Input::StdinReady(child.who))?;
        }
        Ok(())
    }

    fn print(&mut self, child: &Child, channel: Channel) -> Result<(), String> {
        const SCRAPS: [&str; 8] = [
            "a line\n",
            "half a line ",
            "<!--XSUPERVISOR:BEGIN-->",
            "<!--XSUPERVISOR:END-->",
            "<!--XSUPER",
            "\x1b[31mred",
            "\x1b[",
            "é\n",
        ];
        let mut bytes = Vec::new();
        for _ in 0..self.dice.between(1, 6) {
            bytes.extend_from_slice(self.dice.pick(&SCRAPS).as_bytes());
        }
        if self.dice.one_in(200) {
            bytes.resize(limits::READ_BYTES, b'\xff');
        }
        self.give(Input::Output { who: child.who, channel, bytes: &bytes })
    }

    /// Children that ended are reaped, most of them at once; their last words first.
    fn reap(&mut self) -> Result<(), String> {
        let now = self.host.now;
        let ended: Vec<Child> = self.host.children.values().filter(|child| child.has_ended(now)).cloned().collect();
        if !ended.is_empty() {
            self.give(Input::ChildSignal)?;
        }
        for child in ended {
            if self.stirring && self.dice.one_in(10) {
                continue;
            }
            for channel in [Channel::Stdout, Channel::Stderr] {
                if self.dice.one_in(2) {
                    self.print(&child, channel)?;
                }
                if self.dice.one_in(2) {
                    self.give(Input::OutputClosed { who: child.who, channel, fd: 9 })?;
                }
            }
            let Some((_, exit)) = child.ends else { continue };
            self.host.journal.note(format!("{now:?} reap {}: {exit:?}", child.pid));
            self.host.children.remove(&child.pid);
            self.give(Input::Exited { pid: child.pid, exit })?;
            self.watch.reaped(child.pid);
        }
        if self.dice.one_in(300) {
            // PROC-033: somebody else's child.
            self.give(Input::Exited { pid: 77, exit: Exit::Code(0) })?;
        }
        Ok(())
    }

    fn ask_something(&mut self) -> Result<(), String> {
        if self.clients.len() < CLIENTS && self.dice.one_in(20) {
            let conn = self.connect()?;
            self.clients.push(Client::new(conn));
        }
        if self.clients.is_empty() || !self.dice.one_in(2) {
            return Ok(());
        }
        let chosen = self.dice.below(self.clients.len() as u64) as usize;
        if self.dice.one_in(60) {
            // Gone without a word.
            let client = self.clients.swap_remove(chosen);
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

    fn let_clients_send(&mut self) -> Result<(), String> {
        for index in 0..self.clients.len() {
            let client = &mut self.clients[index];
            let conn = client.conn;
            let Some(wants) = self.daemon.front.get(conn).map(|conn| conn.wants_input()) else {
                return Err("a connection was forgotten before it was closed".to_string());
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
    fn flush(&mut self) -> Result<(), String> {
        while self.daemon.front.next_changed().is_some() {}
        let mut gone = Vec::new();
        for index in 0..self.clients.len() {
            let client = &mut self.clients[index];
            let Some(conn) = self.daemon.front.get(client.conn) else { continue };
            let waiting = conn.outgoing();
            // One answer may go past the bound.
            if waiting.len() > 2 * limits::OUT_BYTES {
                return Err(format!("{} bytes wait for a client", waiting.len()));
            }
            if client.asleep > 0 {
                client.asleep -= 1;
                continue;
            }
            let all = waiting.len() as u64;
            let count = if self.dice.one_in(3) { self.dice.below(all + 1) } else { all } as usize;
            if count > 0 {
                self.host.journal.bytes(&waiting[..count]);
                let answers = client.take(&waiting[..count])?;
                self.answers += answers.len() as u64;
                answers.iter().try_for_each(|(question, reply)| check_answer(question, reply))?;
                let conn = client.conn;
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
                return Err(format!("a connection was closed before the answer to {}", question.method));
            }
            self.give(Input::Closed(client.conn))?;
        }
        self.begin_anew()
    }

    /// After a restart everything but the children's world is new.
    fn begin_anew(&mut self) -> Result<(), String> {
        let Outcome::Reload(config) = self.daemon.outcome() else { return Ok(()) };
        self.host.journal.note("begins anew".to_string());
        for client in std::mem::take(&mut self.clients) {
            self.give(Input::Closed(client.conn))?;
        }
        self.cache.clear();
        self.host.reset();
        let mut turn = Turn { now: self.clock.now(), host: &mut self.host };
        let mut daemon = Daemon::new(*config, &mut turn)?;
        daemon.world.follow(&self.daemon.world);
        daemon.begin(&mut turn);
        self.daemon = daemon;
        self.watch.begin_anew();
        Ok(())
    }

    /// Nobody asks anything new, everybody reads: every question must be answered.
    fn quiet(&mut self) -> Result<(), String> {
        self.stirring = false;
        self.host.refusals = Default::default();
        self.host.files.faults.room = None;
        self.host.files.put_pipe("/dev/stdout", usize::MAX);
        let until = self.host.now + PATIENCE;
        loop {
            for client in &mut self.clients {
                client.asleep = 0;
            }
            self.turn()?;
            let Some(open) = self.clients.iter().flat_map(|client| &client.open).next() else { return Ok(()) };
            if self.host.now > until {
                return Err(format!("no answer to {}, asked at {:?}", open.method, open.asked));
            }
            self.leap_a_little();
        }
    }

    /// To the next moment, or a little further: somebody may still be reading.
    fn leap_a_little(&mut self) {
        let before: Mono = self.host.now;
        self.leap();
        if self.host.now == before {
            self.clock.pass(Duration::from_millis(5));
            self.host.now = self.clock.now().mono;
        }
    }

    /// The daemon is told to go, and must; whoever asked before gets an answer.
    fn end(&mut self) -> Result<(), String> {
        // While restarting, the method is refused (RPC-005), but not the signal.
        if self.daemon.world.mood() != Mood::Running || self.dice.one_in(2) {
            self.host.journal.note("signal TERM".to_string());
            self.give(Input::Signal(15))?;
        } else {
            let mut client = Client::new(self.connect()?);
            client.ask("supervisor.shutdown", &[], Topic::Other, self.host.now);
            self.clients.push(client);
        }
        let until = self.host.now + END;
        loop {
            self.turn()?;
            let open = self.clients.iter().find_map(Client::waits_for);
            if matches!(self.daemon.outcome(), Outcome::Exit) && open.is_none() {
                break;
            }
            if self.host.now > until {
                let open =
                    open.map_or(String::new(), |question| format!(", nor is there an answer to {}", question.method));
                return Err(format!("the daemon doesn't end (PROC-077){open}"));
            }
            self.leap_a_little();
        }
        let left = self.daemon.world.processes.iter().find(|(_, process)| !process.state().is_stopped());
        left.map_or(Ok(()), |(_, process)| Err(format!("{} is still there after the end", process.display())))
    }

    fn connect(&mut self) -> Result<Key<Conn>, String> {
        let server = self.dice.below(2) as usize;
        let mut turn = Turn { now: self.clock.now(), host: &mut self.host };
        self.daemon.accept(server, Peer::Unix, &mut turn).map_err(|_| "a connection was refused".to_string())
    }
}

fn check_answer(question: &Question, reply: &Reply) -> Result<(), String> {
    let fits = match (&question.topic, reply) {
        (Topic::Fetch(Some(text)), Ok(Value::Str(given))) => text == given,
        (Topic::Fetch(None), Err(_)) => true,
        (Topic::Fetch(_), _) => false,
        (Topic::Start { .. } | Topic::Other, _) => true,
    };
    if fits { Ok(()) } else { Err(format!("the answer to {} is {reply:?}", question.method)) }
}
