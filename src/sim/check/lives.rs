//! A model of each process, driven by the moves that the world reports: whether each was allowed, and none was missed.

use std::rc::Rc;
use std::time::Duration;

use crate::base::key::Key;
use crate::base::time::Mono;
use crate::base::words::{Mood, State};
use crate::config::spec::{Autorestart, ProcessSpec};
use crate::sim::check::{View, Watch, secs};
use crate::sim::client::Scope;
use crate::sim::host::SimHost;
use crate::sim::rules::{Checked, Rule};
use crate::world::Moved;
use crate::world::process::Process;

/// Automatic restarts are at least this far apart (PROC-019), and so are SIGKILLs (PROC-022).
const SPACING: Duration = Duration::from_secs(1);

/// What was seen of one process.
#[derive(Debug)]
pub(super) struct Seen {
    /// As it was when it came, whatever becomes of it.
    pub(super) spec: Rc<ProcessSpec>,
    pub(super) state: State,
    /// When it came into its state.
    since: Mono,
    /// When it was last STARTING.
    spawned: Option<Mono>,
    /// Failed starts in a row.
    failures: i64,
    /// Whether its last end asks for a restart.
    again: bool,
    /// The stop signal of its current child.
    pub(super) told: Option<Mono>,
    /// The last SIGKILL of its current child.
    pub(super) killed: Option<Mono>,
    pub(super) last_running: Option<Mono>,
    pub(super) last_stopped: Option<Mono>,
}

impl Seen {
    fn new(process: &Process, now: Mono) -> Seen {
        Seen {
            spec: process.spec.clone(),
            state: State::Stopped,
            since: now,
            spawned: None,
            failures: 0,
            again: false,
            told: None,
            killed: None,
            last_running: None,
            last_stopped: Some(now),
        }
    }

    /// When the next SIGKILL is due, while STOPPING.
    pub(super) fn kill_at(&self) -> Option<Mono> {
        let wait = secs(self.spec.stopwaitsecs);
        match (self.told, self.killed) {
            (_, Some(killed)) => Some(killed + wait.max(SPACING)),
            (Some(told), None) => Some(told + wait),
            (None, None) => None,
        }
    }

    /// By when this process must have left its state or been killed, if the daemon is in this mood.
    fn leaves_at(&self, mood: Mood) -> Option<Mono> {
        let running = mood == Mood::Running;
        match self.state {
            State::Starting => self.spawned.map(|at| at + secs(self.spec.startsecs)),
            State::Backoff if running => Some(self.since + secs(self.failures)),
            State::Exited if running && self.again => self.spawned.map(|at| at + SPACING),
            State::Stopped if running && self.spec.autostart && self.spawned.is_none() => Some(self.since),
            State::Stopping => self.kill_at(),
            _ => None,
        }
    }
}

/// The arrows of section 2, and no others.
fn may_follow(from: State, to: State) -> bool {
    use State::*;
    match to {
        Starting => matches!(from, Stopped | Exited | Fatal | Backoff),
        Running | Backoff => from == Starting,
        Stopping => matches!(from, Starting | Running),
        Stopped => matches!(from, Stopping | Backoff),
        Exited => from == Running,
        Fatal => from == Backoff,
        Unknown => matches!(from, Starting | Running | Stopping),
    }
}

impl Watch {
    /// What was seen of a process, from now on if nothing was.
    fn seen(&mut self, who: Key<Process>, view: &View<'_>, host: &mut SimHost) {
        if let Some(process) = view.world.processes.get(who)
            && !self.lives.contains_key(&who)
        {
            self.lives.insert(who, Seen::new(process, view.now));
            self.ledger.opened(process, &mut host.files);
        }
    }

    /// A move is one of the contract's, and has one of its reasons. `refused`: a signal was refused meanwhile.
    pub(super) fn moved(&mut self, step: Moved, view: &View<'_>, refused: bool, host: &mut SimHost) -> Checked {
        let Moved { who, from, to } = step;
        self.seen(who, view, host);
        let (now, name) = (view.now, view.name(who));
        let Some(seen) = self.lives.get_mut(&who) else { return Ok(()) };
        let known = seen.state;
        Rule::Moves.holds_if(known == from && may_follow(from, to), || {
            format!("{name}, {}, goes from {} to {}", known.name(), from.name(), to.name())
        })?;
        let stands = to != State::Starting || view.before == Mood::Running;
        Rule::NoStarts.holds_if(stands, || format!("{name} starts"))?;
        let reaped = self.reaped.filter(|(whose, _)| *whose == who).map(|(_, exit)| exit);
        let process = view.world.processes.get(who);
        let asked = |fits: fn(&Scope) -> bool| process.is_none_or(|process| view.asked(process, fits));
        let ending = view.world.mood() != Mood::Running;
        let age = seen.spawned.map_or(Duration::MAX, |at| now - at);
        match (from, to) {
            (State::Backoff, State::Starting) => {
                let waited = now - seen.since;
                Rule::Retries.holds_if(seen.failures <= seen.spec.startretries, || {
                    format!("{name} tries again after {} failures", seen.failures)
                })?;
                Rule::Pauses.holds_if(waited >= secs(seen.failures), || {
                    format!("{name} tries again {waited:?} after failure {}", seen.failures)
                })?;
            }
            (State::Exited, State::Starting) if seen.again && !asked(Scope::starts) => {
                Rule::Spacing.holds_if(age >= SPACING, || format!("{name} is restarted after {age:?}"))?;
            }
            (_, State::Starting) => {
                let first = from == State::Stopped && seen.spawned.is_none() && seen.spec.autostart;
                Rule::Asked.holds_if(first || asked(Scope::starts), || format!("{name} starts"))?;
                seen.failures = 0;
            }
            (_, State::Running) => {
                Rule::Startsecs.holds_if(age >= secs(seen.spec.startsecs), || format!("{name} runs after {age:?}"))?;
                seen.failures = 0;
                seen.last_running = Some(now);
            }
            (_, State::Backoff) => {
                let early = reaped.is_none() || age < secs(seen.spec.startsecs);
                Rule::Startsecs.holds_if(early, || format!("{name} failed after {age:?}"))?;
                seen.failures += 1;
            }
            (_, State::Stopping) => {
                Rule::Asked.holds_if(ending || asked(Scope::stops), || format!("{name} is stopped"))?;
            }
            (State::Backoff, State::Stopped) => {
                Rule::Asked.holds_if(asked(Scope::stops), || format!("{name} is called off"))?;
            }
            (_, State::Stopped | State::Exited) => {
                let Some(exit) = reaped else { return Rule::Moves.broken(format!("{name} ended, but was not reaped")) };
                seen.again = match seen.spec.autorestart {
                    Autorestart::Never => false,
                    Autorestart::Always => true,
                    Autorestart::Unexpected => !seen.spec.exitcodes.contains(&exit.status()),
                };
            }
            (_, State::Fatal) => {
                let given_up = seen.failures == seen.spec.startretries.max(0) + 1 || ending;
                Rule::Retries.holds_if(given_up, || format!("{name} gives up after {} failures", seen.failures))?;
            }
            (_, State::Unknown) => {
                Rule::Moves.holds_if(refused, || format!("{name} is UNKNOWN, but no signal was refused"))?;
            }
        }
        if to == State::Starting {
            (seen.spawned, seen.told, seen.killed) = (Some(now), None, None);
        }
        if from.is_stopped() || to.is_stopped() {
            seen.last_stopped = Some(now);
        }
        (seen.state, seen.since) = (to, now);
        Ok(())
    }

    /// Whoever is shown is as it was seen to become, and did in time what it had to; who is gone was stopped.
    pub(super) fn check_lives(&mut self, view: &View<'_>, host: &mut SimHost) -> Checked {
        let mood = view.world.mood();
        for (who, process) in view.world.processes.iter() {
            self.seen(who, view, host);
            let Some(seen) = self.lives.get_mut(&who) else { continue };
            let state = process.state();
            let shown = |state: State| format!("{} is {}", process.display(), state.name());
            Rule::Moves.holds_if(state == seen.state, || {
                format!("{}, and nobody saw it leave {}", shown(state), seen.state.name())
            })?;
            let given_up = state != State::Backoff || seen.failures <= seen.spec.startretries.max(0);
            Rule::Retries.holds_if(given_up, || format!("{} after {} failures", shown(state), seen.failures))?;
            // Starts are put off, but not for long, while there is no room for them.
            let starts = matches!(state, State::Stopped | State::Exited | State::Backoff);
            let put_off = starts && view.world.starts_from() > view.now;
            let in_time = put_off || seen.leaves_at(mood).is_none_or(|at| view.now < at);
            Rule::Overdue.holds_if(in_time, || format!("{} since {:?}", shown(state), view.now - seen.since))?;
            if state == State::Running {
                seen.last_running = Some(view.now);
            }
            if state.is_stopped() {
                seen.last_stopped = Some(view.now);
            }
        }
        if self.lives.len() == view.world.processes.len() {
            return Ok(());
        }
        for (who, seen) in &self.lives {
            let left = view.world.processes.get(*who).is_none() && !seen.state.is_stopped();
            Rule::Removal.holds_if(!left, || format!("{} was removed while {}", seen.spec.name, seen.state.name()))?;
        }
        self.lives.retain(|who, _| view.world.processes.get(*who).is_some());
        let lives = &self.lives;
        self.ledger.retain(|who| lives.contains_key(who));
        Ok(())
    }
}
