//! Whose turn it is to start: a few each turn, and only while children find room on their way to their programs.
//!
//! More of them at once would only take each other's processor, and that of who serves clients. A start that somebody
//! asked for by name doesn't wait.

use crate::base::limits::{SPAWN_PAUSE, SPAWNS_PER_TURN};
use crate::base::time::Mono;
use crate::world::life::Step;
use crate::world::{Turn, World};

impl World {
    /// What the daemon starts by itself, in order (PROC-010, PROC-070).
    pub(crate) fn queue_autostarts(&mut self) {
        for group in self.groups_by_priority() {
            let members = self.groups.get(group).map(|group| group.members.clone()).unwrap_or_default();
            self.autostarts.extend(members);
        }
    }

    /// Whether somebody is to be started as soon as there is room.
    pub(crate) fn wants_to_start(&self) -> bool {
        // A log that is to be removed may have the path that a program's has.
        !self.restarts.is_empty() || self.stale_logs.is_empty() && !self.autostarts.is_empty()
    }

    /// From when on something may be started that nobody waits for by name; a moment that has passed: now.
    pub fn starts_from(&self) -> Mono {
        self.starts_from
    }

    /// Whether something may be started now that nobody waits for by name. If not, [`World::starts_from`] is soon.
    pub fn may_start(&mut self, turn: &mut Turn<'_>) -> bool {
        if turn.now.mono < self.starts_from {
            return false;
        }
        let room = turn.host.has_room();
        if !room {
            self.starts_from = turn.now.mono + SPAWN_PAUSE;
        }
        room
    }

    /// Starts a few of those that wait for their turn. Returns whether there is more to do at once.
    pub(crate) fn start_some(&mut self, turn: &mut Turn<'_>) -> bool {
        let enough = self.spawns + SPAWNS_PER_TURN;
        while self.spawns < enough && self.wants_to_start() && self.may_start(turn) {
            if let Some(who) = self.restarts.pop_front() {
                self.drive(who, Step::Due, turn);
            } else if let Some(who) = self.autostarts.pop_front() {
                self.drive(who, Step::Autostart, turn);
            }
        }
        self.wants_to_start() && self.starts_from <= turn.now.mono
    }
}
