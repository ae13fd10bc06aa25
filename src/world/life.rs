//! The life of one process: Supervisor's state machine, pure (contract process.md, section 2).
//!
//! A step and a moment go in, acts come out; nothing here forks, kills, writes or asks a clock. The table is total:
//! every step has a written meaning in every state, and most meanings are "nothing".

use std::time::Duration;

use crate::base::errno::Errno;
use crate::base::time::{Mono, Now, Wall};
use crate::base::words::{Exit, Mood, Pid, SIGKILL, State, signal_name};
use crate::config::spec::{Autorestart, ProcessSpec};
use crate::world::lines::Line;

/// What can happen to a process.
#[derive(Clone, PartialEq, Debug)]
pub enum Step {
    /// The daemon starts what starts by itself (PROC-010).
    Autostart,
    /// Somebody asks for a start (PROC-013).
    Start,
    /// The system made a child, in answer to [`Act::Spawn`].
    Spawned(Pid),
    /// There is no child, in answer to [`Act::Spawn`]; with the text for `spawnerr`.
    SpawnFailed(String),
    /// Somebody asks for a stop (PROC-020, 023).
    Stop,
    /// The daemon goes: what waits for a retry gives up (PROC-024).
    GiveUp,
    /// The system refused [`Act::Kill`].
    KillFailed(Errno),
    /// The system refused a plain signal.
    SignalFailed,
    /// The child ended.
    Exited(Exit),
    /// The moment of [`Life::deadline`] has come.
    Due,
}

/// What is to be done, in order.
#[derive(Clone, PartialEq, Debug)]
pub enum Act {
    /// Make a child; answered at once by [`Step::Spawned`] or [`Step::SpawnFailed`].
    Spawn,
    /// Send a signal; answered at once by [`Step::KillFailed`] if the system refuses.
    Kill {
        /// To whom.
        pid: Pid,
        /// The signal.
        signal: i32,
        /// To the whole process group.
        group: bool,
    },
    /// The state changed: what an event and whoever waits want to know.
    Moved {
        /// The state left.
        from: State,
        /// The state entered.
        to: State,
        /// Failed starts in a row by then.
        tries: i64,
    },
    /// Say so in the main log.
    Say(Line),
}

/// Automatic restarts are at least this far from the spawn before (PROC-019).
const RESTART_SPACING: Duration = Duration::from_secs(1);
/// SIGKILL is repeated at most this often, also with `stopwaitsecs=0` (PROC-022).
const KILL_SPACING: Duration = Duration::from_secs(1);

/// One process's life.
#[derive(Clone, Debug)]
pub struct Life {
    state: State,
    pid: Option<Pid>,
    /// The last spawn, for life times.
    spawned: Option<Mono>,
    /// The last spawn, for display.
    start: Option<Wall>,
    /// The last exit, for display.
    stop: Option<Wall>,
    deadline: Option<Mono>,
    backoff: i64,
    spawnerr: String,
    exitstatus: Option<i32>,
}

impl Default for Life {
    fn default() -> Self {
        Life {
            state: State::Stopped,
            pid: None,
            spawned: None,
            start: None,
            stop: None,
            deadline: None,
            backoff: 0,
            spawnerr: String::new(),
            exitstatus: None,
        }
    }
}

/// Configured seconds as a length of time; negative ones are none.
fn secs(count: i64) -> Duration {
    Duration::from_secs(u64::try_from(count).unwrap_or(0))
}

impl Life {
    /// The state.
    pub fn state(&self) -> State {
        self.state
    }
    /// The child, while there is one.
    pub fn pid(&self) -> Option<Pid> {
        self.pid
    }
    /// The last spawn on the wall clock.
    pub fn start(&self) -> Option<Wall> {
        self.start
    }
    /// The last exit on the wall clock.
    pub fn stop(&self) -> Option<Wall> {
        self.stop
    }
    /// The last spawn on the monotonic clock.
    pub fn spawned(&self) -> Option<Mono> {
        self.spawned
    }
    /// When [`Step::Due`] is wanted.
    pub fn deadline(&self) -> Option<Mono> {
        self.deadline
    }
    /// Whether [`Step::Due`] is a start.
    pub fn waits_to_start(&self, mood: Mood) -> bool {
        mood == Mood::Running && self.deadline.is_some() && matches!(self.state, State::Backoff | State::Exited)
    }
    /// Failed starts in a row.
    pub fn backoff(&self) -> i64 {
        self.backoff
    }
    /// Why the last start failed, or what was odd about the last exit; empty if nothing.
    pub fn spawnerr(&self) -> &str {
        &self.spawnerr
    }
    /// The last exit's status: -1 after a signal.
    pub fn exitstatus(&self) -> Option<i32> {
        self.exitstatus
    }

    /// Takes a step. `acts` are appended, to be carried out in order.
    pub fn on(&mut self, step: Step, spec: &ProcessSpec, now: Now, mood: Mood, acts: &mut Vec<Act>) {
        use State::*;
        match (self.state, step) {
            // PROC-010: once, and only if it never ran.
            (Stopped, Step::Autostart) if self.start.is_none() && spec.autostart && mood == Mood::Running => {
                self.begin(now, acts);
            }
            (_, Step::Autostart) => {}

            // PROC-013, PROC-032.
            (Stopped | Exited | Fatal | Backoff, Step::Start) if mood == Mood::Running => {
                self.backoff = 0;
                self.begin(now, acts);
            }
            (Stopped | Exited | Fatal | Backoff, Step::Start) => {}
            // PROC-061.
            (Starting | Running | Stopping | Unknown, Step::Start) if self.pid.is_some() => {
                acts.push(Act::Say(Line::AlreadyRunning { name: spec.name.clone() }));
            }
            (Starting | Running | Stopping | Unknown, Step::Start) => {}

            // Answers to a question that only STARTING asks, and only once.
            (_, Step::Spawned(_) | Step::SpawnFailed(_)) if self.state != Starting || self.pid.is_some() => {}
            (_, Step::Spawned(pid)) => {
                self.pid = Some(pid);
                self.deadline = Some(now.mono + secs(spec.startsecs));
                acts.push(Act::Say(Line::Spawned { name: spec.name.clone(), pid }));
            }
            // PROC-015.
            (_, Step::SpawnFailed(text)) => {
                acts.push(Act::Say(Line::SpawnErr { text: text.clone() }));
                self.spawnerr = text;
                self.back_off(spec, now, acts, None);
            }

            // PROC-020, PROC-062.
            (Starting | Running, Step::Stop) => {
                let Some(pid) = self.pid else { return };
                let group = spec.stopasgroup;
                acts.push(Act::Say(Line::Killing {
                    name: spec.name.clone(),
                    pid,
                    group: if group { "process group " } else { "" },
                    signal: shown_signal(spec.stopsignal),
                }));
                self.deadline = Some(now.mono + secs(spec.stopwaitsecs));
                self.enter(Stopping, acts);
                acts.push(Act::Kill { pid, signal: spec.stopsignal, group });
            }
            // PROC-023.
            (Backoff, Step::Stop) => {
                acts.push(Act::Say(Line::KillInBackoff { name: spec.name.clone() }));
                self.deadline = None;
                self.enter(Stopped, acts);
            }
            // PROC-069: the signal is not sent again.
            (Stopping | Unknown, Step::Stop) => {}
            // PROC-063; an automatic restart that waits is called off.
            (Stopped | Exited | Fatal, Step::Stop) => {
                self.deadline = None;
                let (name, signal) = (spec.name.clone(), shown_signal(spec.stopsignal));
                acts.push(Act::Say(Line::KillNotRunning { name, signal }));
            }

            // PROC-024.
            (Backoff, Step::GiveUp) => {
                self.backoff = 0;
                self.deadline = None;
                self.enter(Fatal, acts);
            }
            (Exited, Step::GiveUp) => self.deadline = None,
            (Stopped | Starting | Running | Stopping | Fatal | Unknown, Step::GiveUp) => {}

            // PROC-030, PROC-025: the answer to a kill, which only STOPPING asks for.
            (Stopping, Step::KillFailed(error)) => {
                let Some(pid) = self.pid else { return };
                let name = spec.name.clone();
                if error == Errno::ESRCH {
                    acts.push(Act::Say(Line::AlreadyGone { name, pid, error: error.to_string() }));
                } else {
                    acts.push(Act::Say(Line::UnknownKillProblem { name, pid, error: error.to_string() }));
                    self.deadline = None;
                    self.enter(Unknown, acts);
                }
            }

            (_, Step::KillFailed(_)) => {}

            (Starting | Running | Stopping, Step::SignalFailed) if self.pid.is_some() => {
                self.deadline = None;
                self.enter(Unknown, acts);
            }
            (_, Step::SignalFailed) => {}

            // Nobody can end who has not begun.
            (_, Step::Exited(_)) if self.pid.is_none() => {}
            (Starting, Step::Exited(exit)) => self.ended_while_starting(exit, spec, now, mood, acts),
            (Running, Step::Exited(exit)) => self.ended_by_itself(exit, spec, now, mood, acts),
            // PROC-021.
            (Stopping, Step::Exited(exit)) => {
                self.gone(now);
                self.exitstatus = Some(exit.status());
                self.deadline = None;
                self.enter(Stopped, acts);
                let (name, status) = (spec.name.clone(), exit.text());
                acts.push(Act::Say(if spec.exitcodes.contains(&exit.status()) {
                    Line::StoppedWell { name, status }
                } else {
                    Line::StoppedOtherwise { name, status }
                }));
            }
            // PROC-025: a dead end, but without a child.
            (Unknown, Step::Exited(exit)) => {
                self.gone(now);
                self.exitstatus = Some(exit.status());
            }
            (Stopped | Backoff | Exited | Fatal, Step::Exited(_)) => {}

            // Asked too early, or not asked for.
            (_, Step::Due) if self.deadline.is_none_or(|at| now.mono < at) => {}
            // PROC-014. The spawn is stamped before the fork and the poll never wakes before its deadline.
            (Starting, Step::Due) => {
                self.backoff = 0;
                self.deadline = None;
                self.enter(Running, acts);
                acts.push(Act::Say(Line::Success { name: spec.name.clone(), startsecs: spec.startsecs }));
            }
            // PROC-012; PROC-032: while the daemon goes, it is only looked at again.
            (Backoff, Step::Due) if mood == Mood::Running => self.begin(now, acts),
            (Backoff, Step::Due) => self.deadline = Some(now.mono + RESTART_SPACING),
            // PROC-022.
            (Stopping, Step::Due) => {
                let Some(pid) = self.pid else { return };
                let (name, group) = (spec.name.clone(), spec.killasgroup);
                acts.push(Act::Say(Line::Sigkill { name: name.clone(), pid }));
                acts.push(Act::Say(Line::Killing {
                    name,
                    pid,
                    group: if group { "process group " } else { "" },
                    signal: shown_signal(SIGKILL),
                }));
                self.deadline = Some(now.mono + secs(spec.stopwaitsecs).max(KILL_SPACING));
                acts.push(Act::Kill { pid, signal: SIGKILL, group });
            }
            // PROC-011.
            (Exited, Step::Due) if mood == Mood::Running => self.begin(now, acts),
            (Exited, Step::Due) => self.deadline = None,
            (Stopped | Running | Fatal | Unknown, Step::Due) => self.deadline = None,
        }
    }

    /// PROC-050: the parent's part of a start, up to asking for a child.
    fn begin(&mut self, now: Now, acts: &mut Vec<Act>) {
        self.spawnerr.clear();
        self.exitstatus = None;
        self.spawned = Some(now.mono);
        self.start = Some(now.wall);
        self.deadline = None;
        self.enter(State::Starting, acts);
        acts.push(Act::Spawn);
    }

    /// PROC-015, 016, 017, 028, 029: one failed start more.
    fn back_off(&mut self, spec: &ProcessSpec, now: Now, acts: &mut Vec<Act>, line: Option<Line>) {
        self.backoff += 1;
        self.deadline = Some(now.mono + secs(self.backoff));
        self.enter(State::Backoff, acts);
        acts.extend(line.map(Act::Say));
        if self.backoff > spec.startretries {
            self.backoff = 0;
            self.deadline = None;
            self.enter(State::Fatal, acts);
            acts.push(Act::Say(Line::GaveUp { name: spec.name.clone() }));
        }
    }

    fn ended_while_starting(&mut self, exit: Exit, spec: &ProcessSpec, now: Now, mood: Mood, acts: &mut Vec<Act>) {
        let lived = self.spawned.map_or(Duration::MAX, |spawned| now.mono - spawned);
        if lived >= secs(spec.startsecs) {
            // PROC-026: it ran, only nobody had said so yet.
            self.enter(State::Running, acts);
            return self.ended_by_itself(exit, spec, now, mood, acts);
        }
        // PROC-016.
        self.gone(now);
        self.exitstatus = None;
        self.spawnerr = "Exited too quickly (process log may have details)".to_string();
        let line = Line::ExitedUnexpected { name: spec.name.clone(), status: exit.text() };
        self.back_off(spec, now, acts, Some(line));
    }

    /// PROC-018, and PROC-011 prepared.
    fn ended_by_itself(&mut self, exit: Exit, spec: &ProcessSpec, now: Now, mood: Mood, acts: &mut Vec<Act>) {
        self.gone(now);
        self.backoff = 0;
        self.exitstatus = Some(exit.status());
        let expected = spec.exitcodes.contains(&exit.status());
        let again = match spec.autorestart {
            Autorestart::Never => false,
            Autorestart::Always => true,
            Autorestart::Unexpected => !expected,
        };
        let earliest = self.spawned.map_or(now.mono, |spawned| spawned + RESTART_SPACING);
        self.deadline = (again && mood == Mood::Running).then_some(earliest.max(now.mono));
        self.enter(State::Exited, acts);
        let (name, status) = (spec.name.clone(), exit.text());
        acts.push(Act::Say(if expected {
            Line::ExitedExpected { name, status }
        } else {
            self.spawnerr = format!("Bad exit code {}", exit.status());
            Line::ExitedUnexpected { name, status }
        }));
    }

    fn gone(&mut self, now: Now) {
        self.pid = None;
        self.stop = Some(now.wall);
    }

    fn enter(&mut self, to: State, acts: &mut Vec<Act>) {
        let from = std::mem::replace(&mut self.state, to);
        if from != to {
            acts.push(Act::Moved { from, to, tries: self.backoff });
        }
    }
}

/// A signal as log lines show it.
pub fn shown_signal(number: i32) -> String {
    signal_name(number).map_or_else(|| format!("signal {number}"), |name| format!("SIG{name}"))
}

#[cfg(test)]
impl Life {
    /// A life that no step leads to, to see that somebody notices.
    pub fn doctored(state: State, pid: Option<Pid>, deadline: Option<Mono>) -> Life {
        Life { state, pid, deadline, ..Life::default() }
    }
}
