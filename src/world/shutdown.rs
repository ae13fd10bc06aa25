//! The ordered end: groups stop one after the other, highest priority first (PROC-073 to 077).

use std::time::Duration;

use crate::base::events::Event;
use crate::base::key::Key;
use crate::base::limits::LISTENERS_LAST;
use crate::base::time::Mono;
use crate::base::words::{Mood, State};
use crate::wire::listener::Phase;
use crate::world::group::Group;
use crate::world::life::Step;
use crate::world::lines::Line;
use crate::world::{Alarm, Turn, World};

/// How often "waiting for … to die" is said (PROC-075).
const REPORT_SPACING: Duration = Duration::from_secs(3);

/// How far the ordered end has come.
pub struct Ending {
    /// Groups that have not been told yet; the next one last.
    waiting: Vec<Key<Group>>,
    /// The group that is being waited for.
    current: Option<Key<Group>>,
    /// When the next report is due.
    report_at: Mono,
    /// How long the next group, a pool, may work on events; while it does.
    patience: Option<Mono>,
}

impl World {
    /// Begins the end: from here on nothing starts.
    pub(crate) fn begin_ending(&mut self, mood: Mood, turn: &mut Turn<'_>) {
        self.mood = mood;
        self.note_mood();
        self.autostarts.clear();
        if self.ending.is_none() {
            // PROC-076, EVT-042.
            self.publish(Event::SupervisorStopping {}, turn);
            let (waiting, report_at) = (self.groups_by_priority(), turn.now.mono);
            self.ending = Some(Ending { waiting, current: None, report_at, patience: None });
            // Its first step is taken when the turn settles, after the answer to whoever asked.
            self.changes += 1;
        }
    }

    /// How long the ordered end takes if every program takes as long as it may.
    pub(crate) fn longest_end(&self) -> Duration {
        let mut all = Duration::ZERO;
        for (_, group) in self.groups.iter() {
            let members = group.members.iter().filter_map(|&key| self.processes.get(key));
            let longest = members.map(|process| process.spec.stopwaitsecs).max().unwrap_or(0);
            all = all.saturating_add(Duration::from_secs(longest.max(0).unsigned_abs()));
            if group.pool.is_some() {
                all = all.saturating_add(LISTENERS_LAST);
            }
        }
        all
    }

    /// Whether the end was begun and no process is left.
    pub fn has_ended(&self) -> bool {
        self.ending.as_ref().is_some_and(|ending| ending.waiting.is_empty() && ending.current.is_none())
    }

    /// Takes the end as far as it goes now. Groups without live processes cost no time (PROC-074).
    pub(crate) fn continue_ending(&mut self, turn: &mut Turn<'_>) {
        loop {
            let Some(ending) = &mut self.ending else { return };
            if let Some(current) = ending.current {
                let members = self.groups.get(current).map(|group| group.members.as_slice()).unwrap_or_default();
                let stopped = |&key: &Key<_>| self.processes.get(key).is_none_or(|p| p.state().is_stopped());
                if !members.iter().all(stopped) {
                    return self.report_ending(turn);
                }
                ending.current = None;
            }
            let (patience, Some(&next)) = (ending.patience, ending.waiting.last()) else {
                self.alarms.set(Alarm::Ending, None);
                return;
            };
            let works = self.works_on_events(next);
            let Some(ending) = &mut self.ending else { return };
            let until = patience.unwrap_or(turn.now.mono + LISTENERS_LAST);
            if works && turn.now.mono < until {
                ending.patience = Some(until);
                return self.report_ending(turn);
            }
            ending.patience = None;
            ending.waiting.pop();
            ending.current = Some(next);
            // Reverse of ascending member priority (PROC-073).
            for who in self.members_by_priority(next).into_iter().rev() {
                let step = match self.processes.get(who).map(|process| process.state()) {
                    Some(State::Backoff | State::Exited) => Step::GiveUp,
                    Some(State::Starting | State::Running) => Step::Stop,
                    _ => continue,
                };
                self.drive(who, step, turn);
            }
            // Behind the signals: who gave up is not waited for.
            self.report_ending(turn);
        }
    }

    /// Whether listeners of a pool have events, or are about to take those that wait: most are told of the end just
    /// before it is their turn, and would hardly have read that (EVT-042).
    fn works_on_events(&self, group: Key<Group>) -> bool {
        let Some(group) = self.groups.get(group) else { return false };
        let Some(pool) = &group.pool else { return false };
        let members = group.members.iter().filter_map(|&key| self.processes.get(key));
        members.filter(|process| process.state() == State::Running).any(|process| {
            process.listener.as_ref().is_some_and(|member| {
                member.protocol.phase() == Phase::Busy || member.protocol.is_between() && !pool.is_empty()
            })
        })
    }

    /// PROC-075: who is being waited for, at once and then every 3 s.
    pub(crate) fn report_ending(&mut self, turn: &mut Turn<'_>) {
        let Some(ending) = &mut self.ending else { return };
        if turn.now.mono < ending.report_at {
            let next = ending.patience.map_or(ending.report_at, |until| until.min(ending.report_at));
            self.alarms.set(Alarm::Ending, Some(next));
            return;
        }
        let names: Vec<&str> = self
            .group_order
            .iter()
            .filter_map(|&key| self.groups.get(key))
            .flat_map(|group| &group.members)
            .filter_map(|&key| self.processes.get(key))
            .filter(|process| !process.state().is_stopped())
            .map(|process| process.spec.name.as_str())
            .collect();
        if names.is_empty() {
            return;
        }
        let line = Line::WaitingToDie { names: names.join(", ") };
        ending.report_at = turn.now.mono + REPORT_SPACING;
        let next = ending.patience.map_or(ending.report_at, |until| until.min(ending.report_at));
        self.alarms.set(Alarm::Ending, Some(next));
        self.say(&line, turn);
    }
}
