//! How events come about: what happens in the world is offered to the pools that asked for it.
//!
//! Whether anybody asked is known before anything is made of an event: one set of types for all pools. TICK events
//! have an alarm only while somebody asked for them.

use std::rc::Rc;
use std::time::Duration;

use crate::base::events::{Event, Kind, Kinds};
use crate::base::key::Key;
use crate::base::limits::TICK_CHECK;
use crate::base::time::Now;
use crate::base::words::{Channel, Exit, Pid, State};
use crate::world::group::Group;
use crate::world::pool::{Notice, Serial};
use crate::world::process::Process;
use crate::world::{Alarm, Moved, Turn, World};

/// What the pools have in common.
#[derive(Debug, Default)]
pub struct Bus {
    /// Counts the events that somebody asked for.
    serial: Serial,
    /// What any pool is subscribed to.
    kinds: Kinds,
    /// In the order of activation.
    pools: Vec<Key<Group>>,
    /// For each of [`TICKS`] that somebody asked for, the beginning of the slice of time that was last seen.
    slices: [Option<i64>; 3],
}

/// The TICK types with their periods in seconds, in the order in which they are sent (EVT-044).
const TICKS: [(Kind, i64); 3] = [(Kind::Tick5, 5), (Kind::Tick60, 60), (Kind::Tick3600, 3600)];

/// A process that changes its state: what events say about that.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Move {
    pub from: State,
    pub to: State,
    /// Failed starts in a row.
    pub tries: i64,
    /// The child before the step.
    pub pid: Option<Pid>,
    /// How it ended, if it did.
    pub exit: Option<Exit>,
}

impl World {
    /// The beginning: tells of the groups, one after the other, and that the daemon runs; then queues what it starts by
    /// itself (EVT-040, EVT-041).
    pub fn begin(&mut self, turn: &mut Turn<'_>) {
        for group in self.group_order.clone() {
            self.announce(group, turn);
        }
        self.publish(Event::SupervisorRunning {}, turn);
        self.queue_autostarts();
    }

    /// Goes on counting events where another world ended (EVT-082).
    pub fn follow(&mut self, before: &World) {
        self.bus.serial = before.bus.serial;
    }

    /// Whether anybody asked for a type of event.
    pub fn wants(&self, kind: Kind) -> bool {
        self.bus.kinds.has(kind)
    }

    /// Offers an event to the pools (EVT-080).
    pub fn publish(&mut self, event: Event<'_>, turn: &mut Turn<'_>) {
        self.publish_about(event, None, None, turn);
    }

    fn publish_about(
        &mut self,
        event: Event<'_>,
        about: Option<Key<Process>>,
        exit: Option<Exit>,
        turn: &mut Turn<'_>,
    ) {
        let kind = event.kind();
        if !self.wants(kind) {
            return;
        }
        let serial = self.bus.serial.take();
        let notice = Rc::new(Notice { kind, serial, payload: event.to_string(), exit, about });
        for place in 0..self.bus.pools.len() {
            let group = self.bus.pools[place];
            let Some(pool) = self.pool_mut(group).filter(|pool| pool.kinds().has(kind)) else { continue };
            let discarded = pool.accept(notice.clone());
            self.say_discarded(group, discarded, turn);
            self.dispatch(group, turn);
        }
    }

    /// A group is active: it may subscribe, and is told of (EVT-041, EVT-043).
    pub(crate) fn announce(&mut self, key: Key<Group>, turn: &mut Turn<'_>) {
        let Some(group) = self.groups.get(key) else { return };
        let name = group.name.clone();
        if group.pool.is_some() {
            self.bus.pools.push(key);
            self.subscriptions_changed(turn.now);
        }
        self.publish(Event::GroupAdded { group: &name }, turn);
    }

    /// A group is gone: it has no subscription, and is told of (EVT-043).
    pub(crate) fn denounce(&mut self, key: Key<Group>, name: &str, turn: &mut Turn<'_>) {
        if self.bus.pools.contains(&key) {
            self.bus.pools.retain(|other| *other != key);
            self.subscriptions_changed(turn.now);
        }
        self.publish(Event::GroupRemoved { group: name }, turn);
    }

    fn subscriptions_changed(&mut self, now: Now) {
        self.bus.kinds = self.all_subscriptions();
        for (at, (kind, period)) in TICKS.into_iter().enumerate() {
            let slice = &mut self.bus.slices[at];
            *slice = self.bus.kinds.has(kind).then(|| slice.unwrap_or_else(|| slice_at(now, period)));
        }
        self.arm_ticks(now);
    }

    fn all_subscriptions(&self) -> Kinds {
        let pools = self.bus.pools.iter().filter_map(|key| self.groups.get(*key)?.pool.as_ref());
        pools.fold(Kinds::default(), |all, pool| all.and(pool.kinds()))
    }

    /// The alarm for the next moment at which a slice of time ends.
    fn arm_ticks(&mut self, now: Now) {
        let asked = TICKS.into_iter().zip(self.bus.slices).filter(|(_, slice)| slice.is_some());
        let wait = asked.map(|((_, period), _)| until_next_slice(now, period)).min();
        self.alarms.set(Alarm::Tick, wait.map(|wait| now.mono + wait.min(TICK_CHECK)));
    }

    /// A slice of time may have ended (EVT-044). Those that were slept through are not made up for.
    pub(crate) fn tick(&mut self, turn: &mut Turn<'_>) {
        for (at, (kind, period)) in TICKS.into_iter().enumerate() {
            let Some(before) = self.bus.slices[at] else { continue };
            let when = slice_at(turn.now, period);
            if when == before {
                continue;
            }
            self.bus.slices[at] = Some(when);
            let event = match kind {
                Kind::Tick5 => Event::Tick5 { when },
                Kind::Tick60 => Event::Tick60 { when },
                _ => Event::Tick3600 { when },
            };
            self.publish(event, turn);
        }
        self.arm_ticks(turn.now);
    }

    /// A process changed its state.
    pub(crate) fn moved(&mut self, who: Key<Process>, step: Move, turn: &mut Turn<'_>) {
        self.changes += 1;
        if let Some(trail) = &mut self.trail {
            trail.push(Moved { who, from: step.from, to: step.to });
        }
        // A listener that no longer runs is not to be told of that.
        let listens = self.processes.get(who).is_some_and(|process| process.listener.is_some());
        if listens && step.to != State::Running {
            self.look_at_listener(who);
        }
        self.tell_of_move(who, step, turn);
        if listens && step.to == State::Running {
            self.look_at_listener(who);
            self.dispatch_to_pool_of(who, turn);
        }
    }

    fn tell_of_move(&mut self, who: Key<Process>, step: Move, turn: &mut Turn<'_>) {
        if !self.wants(kind_of(step.to)) {
            return;
        }
        let Some(process) = self.processes.get(who) else { return };
        let (spec, group) = (process.spec.clone(), process.group_name.clone());
        let pid = process.life.pid().or(step.pid).unwrap_or(0);
        let (process, group, from, tries) = (spec.name.as_str(), &*group, step.from.name(), step.tries);
        let event = match step.to {
            State::Starting => Event::Starting { process, group, from, tries },
            State::Backoff => Event::Backoff { process, group, from, tries },
            State::Running => Event::Running { process, group, from, pid },
            State::Stopping => Event::Stopping { process, group, from, pid },
            State::Stopped => Event::Stopped { process, group, from, pid },
            State::Exited => {
                let expected = step.exit.is_some_and(|exit| spec.exitcodes.contains(&exit.status()));
                Event::Exited { process, group, from, expected: u8::from(expected), pid }
            }
            State::Fatal => Event::Fatal { process, group, from },
            State::Unknown => Event::Unknown { process, group, from },
        };
        let exit = step.exit.filter(|_| step.to == State::Exited);
        self.publish_about(event, Some(who), exit, turn);
    }

    /// A process printed (EVT-012, EVT-013): what is shown of it.
    pub(crate) fn tell_of_output(&mut self, who: Key<Process>, channel: Channel, data: &str, turn: &mut Turn<'_>) {
        let Some(process) = self.processes.get(who) else { return };
        let (spec, group, pid) = (process.spec.clone(), process.group_name.clone(), process.life.pid().unwrap_or(0));
        let (process, group) = (spec.name.as_str(), &*group);
        let event = match channel {
            Channel::Stdout => Event::LogStdout { process, group, pid, data },
            Channel::Stderr => Event::LogStderr { process, group, pid, data },
        };
        self.publish_about(event, Some(who), None, turn);
    }

    /// A process printed a tagged block (EVT-015, EVT-016): what is shown of it.
    pub(crate) fn tell_of_block(&mut self, who: Key<Process>, channel: Channel, data: &str, turn: &mut Turn<'_>) {
        let Some(process) = self.processes.get(who) else { return };
        let (spec, group, pid) = (process.spec.clone(), process.group_name.clone(), process.life.pid().unwrap_or(0));
        let (process, group) = (spec.name.as_str(), &*group);
        let event = match channel {
            Channel::Stdout => Event::CommunicationStdout { process, group, pid, data },
            Channel::Stderr => Event::CommunicationStderr { process, group, pid, data },
        };
        self.publish_about(event, Some(who), None, turn);
    }

    /// What must hold for pools after every turn.
    pub(crate) fn check_pools(&self) -> Result<(), String> {
        if self.bus.kinds != self.all_subscriptions() {
            return Err("what all pools want is not what each wants".to_string());
        }
        if self.alarms.get(Alarm::Tick).is_some() != TICKS.iter().any(|(kind, _)| self.wants(*kind)) {
            return Err("the alarm for TICK events is not what pools want".to_string());
        }
        for (key, group) in self.groups.iter() {
            let Some(pool) = &group.pool else { continue };
            let wrong = |what: &str| Err(format!("pool {}: {what}", group.name));
            if !pool.is_bounded() {
                return wrong("more waits than may");
            }
            if !self.bus.pools.contains(&key) && !pool.is_empty() {
                return wrong("events without a subscription");
            }
            self.check_members(group).or_else(|what| wrong(&what))?;
        }
        Ok(())
    }
}

/// The type of event that tells of a state.
fn kind_of(state: State) -> Kind {
    match state {
        State::Starting => Kind::Starting,
        State::Backoff => Kind::Backoff,
        State::Running => Kind::Running,
        State::Stopping => Kind::Stopping,
        State::Stopped => Kind::Stopped,
        State::Exited => Kind::Exited,
        State::Fatal => Kind::Fatal,
        State::Unknown => Kind::Unknown,
    }
}

/// The largest multiple of the period that is not above now, in seconds since 1970.
fn slice_at(now: Now, period: i64) -> i64 {
    now.wall.secs().div_euclid(period) * period
}

/// How long the wall clock needs to the next multiple of the period. At least a millisecond: who is woken a little
/// early must not spin.
fn until_next_slice(now: Now, period: i64) -> Duration {
    let period = period * 1_000_000_000;
    let left = period - now.wall.0.rem_euclid(period);
    Duration::from_nanos(left.unsigned_abs()).max(Duration::from_millis(1))
}
