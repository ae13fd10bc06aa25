//! What must hold in the world after every turn: asserted in debug builds, and by the simulation after each step.

use crate::base::key::Key;
use crate::base::limits::{LOG_WAITING_BYTES, STDIN_BYTES};
use crate::base::words::{Mood, State};
use crate::world::process::Process;
use crate::world::{Alarm, World};

impl World {
    /// `Err` says what doesn't hold.
    pub fn check(&self) -> Result<(), String> {
        for (who, process) in self.processes.iter() {
            let broken = self.broken_life(who, process).or_else(|| self.broken_slot(who, process));
            if let Some(what) = broken {
                return Err(format!("{} is {}: {what}", process.display(), process.state().name()));
            }
        }
        self.check_groups()?;
        self.check_alarms()?;
        self.check_pools()?;
        for (pid, who) in self.pids.iter() {
            // A child in UNKNOWN outlives its process (PROC-081).
            if self.processes.get(who).is_some_and(|process| process.life.pid() != Some(pid)) {
                return Err(format!("pid {pid} is known, but not to its process"));
            }
        }
        Ok(())
    }

    /// The state machine: a pid exactly in the states that have one, a deadline exactly where one is needed.
    fn broken_life(&self, who: Key<Process>, process: &Process) -> Option<&'static str> {
        let (state, life) = (process.state(), &process.life);
        let lives = matches!(state, State::Starting | State::Running | State::Stopping);
        let must = matches!(state, State::Starting | State::Stopping | State::Backoff);
        // EXITED may wait for its restart.
        let may = must || state == State::Exited;
        if lives && life.pid().is_none() {
            Some("no pid")
        } else if !lives && state != State::Unknown && life.pid().is_some() {
            Some("a pid")
        } else if must && life.deadline().is_none() {
            Some("no deadline")
        } else if !may && life.deadline().is_some() {
            Some("a deadline")
        } else if self.alarms.get(Alarm::Life(who)) != life.deadline() && !self.restarts.contains(&who) {
            Some("its alarm is not its deadline")
        } else if life.pid().is_some_and(|pid| self.pids.get(pid) != Some(who)) {
            Some("its pid is not known")
        } else {
            None
        }
    }

    /// What belongs to a process: its place in a group, its queues, its logs.
    fn broken_slot(&self, who: Key<Process>, process: &Process) -> Option<&'static str> {
        let logs = || process.outputs.iter().flatten().filter_map(|output| output.log());
        if self.groups.get(process.group).is_none_or(|group| !group.members.contains(&who)) {
            Some("its group doesn't know it")
        } else if process.listener.is_none() && process.stdin.len() > STDIN_BYTES {
            // A listener has one event at a time, of any size.
            Some("too much waits for its stdin")
        } else if !process.stdin.is_empty() && (process.stdin_closed || process.life.pid().is_none()) {
            Some("bytes wait for a stdin that is closed")
        } else if logs().any(|log| log.held() > LOG_WAITING_BYTES) {
            Some("too much waits for its log")
        } else if logs().any(|log| log.is_open()) && process.life.pid().is_none() {
            Some("a log is open without a child")
        } else if logs().any(|log| log.held() > 0 && log.retry_at().is_none()) {
            Some("bytes wait for its log, which is never tried again")
        } else if self.alarms.get(Alarm::Log(who)) != logs().filter_map(|log| log.retry_at()).min() {
            Some("the alarm for its logs is not when they are tried again")
        } else {
            None
        }
    }

    fn check_groups(&self) -> Result<(), String> {
        let count = self.groups.len();
        let named =
            self.group_names.iter().filter(|(name, key)| self.groups.get(**key).is_some_and(|g| g.name == **name));
        let ordered = self.group_order.iter().filter(|key| self.groups.get(**key).is_some());
        if (self.group_names.len(), named.count()) != (count, count) {
            return Err("groups and their names differ".to_string());
        }
        if (self.group_order.len(), ordered.count()) != (count, count) {
            return Err("groups and their order differ".to_string());
        }
        for (key, group) in self.groups.iter() {
            let own = |who: &Key<Process>| self.processes.get(*who).is_some_and(|process| process.group == key);
            if !group.members.iter().all(own) {
                return Err(format!("group {} has a member that is not its own", group.name));
            }
            let name = |who: &Key<Process>| self.processes.get(*who).map(|process| process.spec.name.as_str());
            if group.by_name.len() != group.members.len()
                || !group.by_name.iter().all(own)
                || !group.by_name.is_sorted_by(|one, other| name(one) < name(other))
            {
                return Err(format!("group {} doesn't have its members by name", group.name));
            }
        }
        Ok(())
    }

    /// Whoever is woken has a reason: an idle world has no deadline.
    fn check_alarms(&self) -> Result<(), String> {
        for (alarm, at) in self.alarms.iter() {
            let founded = match alarm {
                // Compared with what it is for above, if the process is still there.
                Alarm::Life(who) | Alarm::Log(who) => self.processes.get(who).is_some(),
                Alarm::MainLog => self.main_log.log().is_some_and(|log| log.retry_at() == Some(at)),
                Alarm::Ending => self.mood != Mood::Running && !self.has_ended(),
                // Somebody who waited may be gone by now; it is not set again then.
                Alarm::Waiters => true,
                // `check_pools` looks whether somebody asked for them.
                Alarm::Tick => true,
            };
            if !founded {
                return Err(format!("an alarm without a reason: {alarm:?}"));
            }
        }
        let main = self.main_log.log().filter(|log| log.held() > 0);
        match main {
            Some(log) if log.held() > LOG_WAITING_BYTES => Err("too much waits for the main log".to_string()),
            Some(_) if self.alarms.get(Alarm::MainLog).is_none() => {
                Err("bytes wait for the main log, which is never tried again".to_string())
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
