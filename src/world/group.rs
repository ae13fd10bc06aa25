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
        group.members.iter().copied().find(|&key| self.processes.get(key).is_some_and(|p| p.spec.name == process))
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
        let name = |key: Key<Process>| self.processes.get(key).map(|process| process.spec.name.as_str());
        let mut all = Vec::with_capacity(self.processes.len());
        for (_, &key) in self.group_names.iter() {
            let Some(group) = self.groups.get(key) else { continue };
            let start = all.len();
            all.extend(&group.members);
            order::sort_by(&mut all[start..], |a, b| name(*a).cmp(&name(*b)));
        }
        all
    }

    /// The active groups as configurations, for comparison with what a file says (CFG-223, CFG-227).
    pub fn active_specs(&self) -> Vec<GroupSpec> {
        self.groups()
            .map(|group| GroupSpec {
                name: group.name.clone(),
                priority: group.priority,
                kind: group.kind.clone(),
                processes: group
                    .members
                    .iter()
                    .filter_map(|&key| self.processes.get(key))
                    .map(|process| process.spec.clone())
                    .collect(),
            })
            .collect()
    }
}
