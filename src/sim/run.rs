//! The whole daemon under a storm of chance: one seed, many steps, everything checked after each.
//!
//! Plays the reactor's part in the reactor's order, with pretended children and clients. The same seed gives the same
//! journal.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::base::time::{Mono, Now};
use crate::base::words::Mood;
use crate::config::spec::Config;
use crate::daemon::{Daemon, Input, Outcome};
use crate::sim::check::{View, Watch};
use crate::sim::client::{Client, Topic};
use crate::sim::clock::Clock;
use crate::sim::dice::Dice;
use crate::sim::host::SimHost;
use crate::sim::mutant::{Mutant, Tampered, meddle, meddle_late};
use crate::sim::rules::{Broken, Checked, Rule};
use crate::sim::setup;
use crate::sim::watcher::Watcher;
use crate::world::{Turn, World};

/// Rounds of one turn after which the loop is taken to spin.
const ROUNDS: u32 = 2_000;
/// How long the end may take: the slowest group one after the other.
const END: Duration = Duration::from_secs(1_800);
/// How long an answer may take once everybody reads and writes.
const PATIENCE: Duration = Duration::from_secs(600);

/// What a run amounted to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Summary {
    /// Of everything that happened.
    pub journal: u64,
    /// Children made.
    pub spawns: u64,
    /// SIGKILLs sent.
    pub sigkills: u64,
    /// Questions answered.
    pub answers: u64,
    /// Events that listeners accepted.
    pub events: u64,
    /// Bytes of logs compared with what children printed.
    pub logged: u64,
    /// How often the daemon began anew, after a reload or an end.
    pub beginnings: u64,
    /// Pretended time.
    pub passed: Duration,
}

/// A run that broke a rule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// Whose dice.
    pub seed: u64,
    /// Which rule, and how.
    pub broken: Broken,
    /// In which step or phase, and what came before.
    pub story: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seed {}, {}\n{}", self.seed, self.story, self.broken)
    }
}

/// A daemon and its pretended surroundings.
pub struct Sim {
    pub(super) daemon: Daemon,
    pub(super) host: SimHost,
    pub(super) clock: Clock,
    pub(super) dice: Dice,
    pub(super) clients: Vec<Client>,
    pub(super) watchers: Vec<Watcher>,
    pub(super) watch: Watch,
    /// What the cache must give: each client has a key of its own.
    pub(super) cache: BTreeMap<String, Option<String>>,
    pub(super) answers: u64,
    pub(super) stirring: bool,
    pub(super) mutant: Option<Mutant>,
    /// Of the mutant, so that without one nothing differs.
    chance: Dice,
    beginnings: u64,
}

/// Runs one seed: `steps` steps, then quiet until all is answered, then the end.
pub fn simulate(seed: u64, steps: u64) -> Result<Summary, Failure> {
    simulate_with(seed, steps, None)
}

/// As [`simulate`], with a daemon that has a fault.
pub fn simulate_with(seed: u64, steps: u64, mutant: Option<Mutant>) -> Result<Summary, Failure> {
    let failure = |broken, story| Failure { seed, broken, story };
    let mut sim = Sim::new(seed, mutant).map_err(|broken| failure(broken, "the beginning".to_string()))?;
    let begin = sim.clock.now().mono;
    let fail = |sim: &Sim, when: String, broken: Broken| {
        let at = sim.clock.now().mono - begin;
        failure(broken, format!("{when}, after {at:?}. What came before:\n{}", sim.host.journal))
    };
    for step in 0..steps {
        sim.step().map_err(|broken| fail(&sim, format!("step {step} of {steps}"), broken))?;
    }
    sim.quiet().map_err(|broken| fail(&sim, "the quiet".to_string(), broken))?;
    sim.end().map_err(|broken| fail(&sim, "the end".to_string(), broken))?;
    Ok(Summary {
        journal: sim.host.journal.hash(),
        spawns: sim.watch.spawns,
        sigkills: sim.watch.sigkills,
        answers: sim.answers,
        events: sim.watch.events,
        logged: sim.watch.logged,
        beginnings: sim.beginnings,
        passed: sim.clock.now().mono - begin,
    })
}

impl Sim {
    fn new(seed: u64, mutant: Option<Mutant>) -> Checked<Sim> {
        let mut dice = Dice::new(seed);
        let mut host = SimHost::with_records(dice.bits());
        host.files.put_directory("/sim");
        host.files.put_pipe("/dev/stdout", 1_000);
        let config = setup::config(&mut dice).or_else(|what| Rule::Sound.broken(what))?;
        host.config = Some(config.clone());
        let clock = Clock::default();
        host.now = clock.now().mono;
        let daemon = begin(config, clock.now(), &mut host, mutant, None)?;
        Ok(Sim {
            daemon,
            host,
            clock,
            chance: Dice::new(seed),
            dice,
            clients: Vec::new(),
            watchers: Vec::new(),
            watch: Watch::default(),
            cache: BTreeMap::new(),
            answers: 0,
            stirring: true,
            mutant,
            beginnings: 0,
        })
    }

    /// The moment as the daemon is told it.
    fn now(&self) -> Now {
        let now = self.clock.now();
        match self.mutant {
            Some(Mutant::WallClock) => Now { mono: Mono(now.wall.0.max(0) as u64), ..now },
            _ => now,
        }
    }

    /// Lets the daemon do something, and looks at what it did.
    fn act<R>(&mut self, what: impl FnOnce(&mut Daemon, &mut Turn<'_>) -> R) -> Checked<R> {
        let before = self.daemon.world.mood();
        let now = self.now();
        let mut host = Tampered { host: &mut self.host, mutant: self.mutant };
        let result = what(&mut self.daemon, &mut Turn { now, host: &mut host });
        let moves = self.daemon.world.trail.as_mut().map(std::mem::take).unwrap_or_default();
        let view = View { world: &self.daemon.world, clients: &self.clients, now: self.host.now, before };
        self.watch.input_taken(&view, moves, &mut self.host)?;
        Ok(result)
    }

    /// Gives the daemon one input and looks at what it did.
    pub(super) fn give(&mut self, input: Input<'_>) -> Checked {
        self.act(|daemon, turn| daemon.take(input, turn))
    }

    /// One step: time passes, things happen, a turn is taken to its end.
    fn step(&mut self) -> Checked {
        self.stir()?;
        self.ask_something()?;
        self.watch_something()?;
        if let Some(mutant) = self.mutant.filter(|_| self.chance.one_in(2)) {
            let now = self.now();
            meddle(mutant, &mut self.daemon.world, now, &mut self.host, &mut self.chance);
        }
        self.turn()
    }

    fn is_due(&self) -> bool {
        let sleeps = self.mutant == Some(Mutant::Sleeps);
        self.daemon.next_deadline().is_some_and(|at| at <= self.now().mono) && !sleeps
    }

    /// A turn: exits, deadlines, connections, settle, flush; again until nobody is ready.
    fn turn(&mut self) -> Checked {
        self.reap()?;
        for _ in 0..ROUNDS {
            if self.is_due() {
                self.give(Input::Due)?;
            }
            self.let_clients_send()?;
            let ready = self.act(|daemon, turn| daemon.settle(turn))? | (self.mutant == Some(Mutant::Spins));
            self.flush()?;
            self.let_watchers_read()?;
            // The first turn of a new beginning never waits.
            let anew = self.begin_anew()?;
            // What pages read may have let more come.
            let ready = ready | self.daemon.front.next_changed().is_some();
            if !ready && !anew && !self.is_due() {
                return self.turn_over();
            }
        }
        let world = &self.daemon.world;
        let due: Vec<_> = world.alarms.iter().filter(|(_, at)| *at <= self.host.now).collect();
        let changes = world.changes();
        self.act(|daemon, turn| daemon.settle(turn))?;
        let changes = self.daemon.world.changes() - changes;
        Rule::Spins.broken(format!("the loop spins; due: {due:?}, changes in one round: {changes}"))
    }

    fn turn_over(&mut self) -> Checked {
        self.host.syslog.clear();
        if let Some(mutant) = self.mutant.filter(|_| self.chance.one_in(8)) {
            let now = self.now();
            meddle_late(mutant, &mut self.daemon.world, now, &mut self.chance);
            self.act(|_, _| ())?;
        }
        let before = self.daemon.world.mood();
        let view = View { world: &self.daemon.world, clients: &self.clients, now: self.host.now, before };
        self.watch.turn_over(&view, &mut self.host)?;
        self.check_watchers()
    }

    fn outcome(&mut self) -> Outcome {
        match self.mutant {
            Some(Mutant::NeverEnds) => Outcome::Run,
            _ => self.daemon.outcome(),
        }
    }

    /// To the next moment at which anything happens by itself.
    pub(super) fn leap(&mut self) {
        let ends = self.host.children.values().filter_map(|child| child.ends.map(|(at, _)| at)).min();
        if let Some(at) = self.daemon.next_deadline().into_iter().chain(ends).min() {
            // Clients that are at it stay at it: nobody's patience ends.
            let busy = self.clients.iter().any(|client| client.has_more() || !client.open.is_empty());
            let latest = if busy { self.host.now + Duration::from_secs(30) } else { at };
            self.clock.leap_to(at.min(latest));
            self.host.now = self.clock.now().mono;
        }
    }

    /// After a reload everything but the files is new. After an end in the middle of a storm somebody starts the
    /// daemon again.
    fn begin_anew(&mut self) -> Checked<bool> {
        let config = match self.outcome() {
            Outcome::Run => return Ok(false),
            Outcome::Failed { .. } => return Rule::Sound.broken("the daemon gives itself up".to_string()),
            Outcome::Exit if !self.stirring => return Ok(false),
            Outcome::Reload(config) => *config,
            Outcome::Exit => match setup::config(&mut self.dice) {
                Ok(config) => config,
                Err(what) => return Rule::Sound.broken(what),
            },
        };
        self.host.journal.note(format!("begins anew, {} are left", self.clients.len()));
        self.beginnings += 1;
        for client in std::mem::take(&mut self.clients) {
            self.give(Input::Closed(client.conn))?;
        }
        self.close_watchers()?;
        self.cache.clear();
        self.host.reset();
        self.watch.begin_anew();
        let (now, before) = (self.now(), Some(&self.daemon.world));
        self.daemon = begin(config, now, &mut self.host, self.mutant, before)?;
        Ok(true)
    }

    /// Nobody asks anything new, everybody reads: every question must be answered.
    fn quiet(&mut self) -> Checked {
        self.stirring = false;
        self.host.refusals = Default::default();
        self.host.files.faults.room = None;
        self.host.files.put_pipe("/dev/stdout", usize::MAX);
        let until = self.host.now + PATIENCE;
        loop {
            for client in &mut self.clients {
                client.asleep = 0;
            }
            for watcher in &mut self.watchers {
                watcher.asleep = 0;
            }
            self.turn()?;
            let Some(open) = self.clients.iter().flat_map(|client| &client.open).next() else { return Ok(()) };
            if self.host.now > until {
                return Rule::Answers.broken(format!("no answer to {}, asked at {:?}", open.method, open.asked));
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
    fn end(&mut self) -> Checked {
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
            let over = matches!(self.outcome(), Outcome::Exit);
            let open = self.clients.iter().find_map(Client::waits_for);
            if open.is_none() && self.daemon.world.has_ended() {
                Rule::Ends.holds_if(over, || "nobody is left, and the daemon stays".to_string())?;
                break;
            }
            if self.host.now > until {
                let open =
                    open.map_or(String::new(), |question| format!(", nor is there an answer to {}", question.method));
                return Rule::Ends.broken(format!("the daemon doesn't end{open}"));
            }
            self.leap_a_little();
        }
        let left = self.daemon.world.processes.iter().find(|(_, process)| !process.state().is_stopped());
        Rule::Ends.holds_if(left.is_none(), || "somebody is still there after the end".to_string())
    }
}

/// A daemon that begins, after another one if there was one.
fn begin(
    config: Config,
    now: Now,
    host: &mut SimHost,
    mutant: Option<Mutant>,
    before: Option<&World>,
) -> Checked<Daemon> {
    // The main log must open (CFG-178): the storm waits for that.
    let refusals = std::mem::take(&mut host.refusals);
    let mut tampered = Tampered { host: &mut *host, mutant };
    let daemon = Daemon::new(config, &mut Turn { now, host: &mut tampered });
    host.refusals = refusals;
    let mut daemon = daemon.or_else(|what| Rule::Sound.broken(what))?;
    daemon.world.trail = Some(Vec::new());
    if let Some(before) = before {
        daemon.world.follow(before);
    }
    daemon.begin(&mut Turn { now, host: &mut Tampered { host, mutant } });
    Ok(daemon)
}
