//! Process groups: who belongs together, and in which order groups start and stop.

use crate::base::key::Key;
use crate::base::order;
use crate::config::spec::{GroupKind, GroupSpec};
use crate::world::World;
use crate::world::fastcgi::SharedSocket;
use crate::world::pool::Pool;
use crate::world::process::Process;

/// An active group.
pub struct Group {
    /// Unique among the active ones.
    pub name: String,
    /// Lower starts first and stops last.
    pub priority: i64,
    /// What kind of group.
    pub kind: GroupKind,
    /// The events that wait, if its members are listeners.
    pub pool: Option<Pool>,
    /// In configuration order.
    pub members: Vec<Key<Process>>,
    /// The same by name, byte-wise.
    pub(crate) by_name: Vec<Key<Process>>,
    /// What its FastCGI programs listen at.
    pub sockets: Vec<SharedSocket>,
}

impl World {
    /// An active group by name.
    pub fn find_group(&self, name: &str) -> Option<Key<Group>> {
        self.group_names.get(name).copied()
    }

    /// A process by the names of its group and its own.
    pub fn find_member(&self, group: &str, process: &str) -> Option<Key<Process>> {
        let group = self.groups.get(self.find_group(group)?)?;
        let place = self.place_by_name(&group.by_name, process).ok()?;
        group.by_name.get(place).copied()
    }

    fn name_in_group(&self, who: Key<Process>) -> &str {
        self.processes.get(who).map_or("", |process| process.spec.name.as_str())
    }

    /// Where a process of this name stands among those that are in the order of their names, or would stand.
    fn place_by_name(&self, by_name: &[Key<Process>], name: &str) -> Result<usize, usize> {
        by_name.binary_search_by(|&who| self.name_in_group(who).cmp(name))
    }

    /// New members of a group. To move a few places for each is cheap, to sort all of them is not.
    pub(crate) fn join(&mut self, group: Key<Group>, new: &[Key<Process>]) {
        let Some(mut by_name) = self.groups.get_mut(group).map(|group| std::mem::take(&mut group.by_name)) else {
            return;
        };
        if new.len() == 1 {
            let place = self.place_by_name(&by_name, self.name_in_group(new[0])).unwrap_or_else(|place| place);
            by_name.insert(place, new[0]);
        } else {
            by_name.extend(new);
            order::sort_by(&mut by_name, |one, other| self.name_in_group(*one).cmp(self.name_in_group(*other)));
        }
        if let Some(group) = self.groups.get_mut(group) {
            group.members.extend(new);
            group.by_name = by_name;
        }
    }

    /// A process is no member of its group any more.
    pub(crate) fn leave(&mut self, who: Key<Process>) {
        let Some(process) = self.processes.get(who) else { return };
        let Some(group) = self.groups.get(process.group) else { return };
        let place = self.place_by_name(&group.by_name, &process.spec.name);
        let key = process.group;
        if let Some(group) = self.groups.get_mut(key) {
            if let Ok(place) = place {
                group.by_name.remove(place);
            }
            if let Some(place) = group.members.iter().position(|&other| other == who) {
                group.members.remove(place);
            }
        }
    }

    /// Active groups in the order in which they became so.
    pub fn groups(&self) -> impl Iterator<Item = &Group> {
        self.group_order.iter().filter_map(|&key| self.groups.get(key))
    }

    /// Active groups by ascending priority; the order of activation decides ties (PROC-070, 071).
    pub fn groups_by_priority(&self) -> Vec<Key<Group>> {
        let mut keys = self.group_order.clone();
        let priority = |key: &Key<Group>| self.groups.get(*key).map(|group| group.priority);
        order::sort_by(&mut keys, |one, other| priority(one).cmp(&priority(other)));
        keys
    }

    /// A group's members by ascending priority, ties in configuration order (PROC-071).
    pub fn members_by_priority(&self, group: Key<Group>) -> Vec<Key<Process>> {
        let mut keys = self.groups.get(group).map(|group| group.members.clone()).unwrap_or_default();
        let priority = |key: &Key<Process>| self.processes.get(*key).map(|process| process.spec.priority);
        order::sort_by(&mut keys, |one, other| priority(one).cmp(&priority(other)));
        keys
    }

    /// Every process, groups and members by ascending priority (PROC-071).
    pub fn all_by_priority(&self) -> Vec<Key<Process>> {
        self.groups_by_priority().into_iter().flat_map(|group| self.members_by_priority(group)).collect()
    }

    /// Every process by the names of its group and its own, byte-wise (RPC-017).
    pub fn all_by_name(&self) -> Vec<&Process> {
        self.keys_by_name().into_iter().filter_map(|key| self.processes.get(key)).collect()
    }

    /// As [`World::all_by_name`], by key.
    pub fn keys_by_name(&self) -> Vec<Key<Process>> {
        let groups = self.group_names.iter().filter_map(|(_, &key)| self.groups.get(key));
        groups.flat_map(|group| &group.by_name).copied().collect()
    }

    /// The active groups as configurations, for comparison with what a file says (CFG-223, CFG-227).
    pub fn active_specs(&self) -> Vec<GroupSpec> {
        self.group_order.iter().filter_map(|&key| self.active_spec(key)).collect()
    }

    /// The same of one group.
    pub fn active_spec(&self, key: Key<Group>) -> Option<GroupSpec> {
        let group = self.groups.get(key)?;
        let members = group.members.iter().filter_map(|&who| self.processes.get(who));
        Some(GroupSpec {
            name: group.name.clone(),
            priority: group.priority,
            kind: group.kind.clone(),
            processes: members.map(|process| process.spec.clone()).collect(),
        })
    }
}
