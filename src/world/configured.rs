//! The groups that the configuration has by now, active or not, in its order and by name.

use crate::base::maps::ByName;
use crate::config::spec::GroupSpec;

/// The groups of the last (re)read configuration (CFG-221), with what twiddler added (RPC-094).
#[derive(Default)]
pub struct Configured {
    groups: Vec<GroupSpec>,
    places: ByName<usize>,
}

impl Configured {
    /// What was read.
    pub fn new(groups: Vec<GroupSpec>) -> Configured {
        let mut configured = Configured::default();
        groups.into_iter().for_each(|group| configured.push(group));
        configured
    }

    /// A further group, behind the others. Its name should be new: of two that are called the same, the first is found.
    pub fn push(&mut self, group: GroupSpec) {
        if self.places.get(&group.name).is_none() {
            self.places.insert(group.name.clone(), self.groups.len());
        }
        self.groups.push(group);
    }

    /// All, in order.
    pub fn groups(&self) -> &[GroupSpec] {
        &self.groups
    }

    /// The group of this name.
    pub fn get(&self, name: &str) -> Option<&GroupSpec> {
        self.groups.get(*self.places.get(name)?)
    }

    /// The same, to be changed in all but its name.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut GroupSpec> {
        self.groups.get_mut(*self.places.get(name)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::spec::GroupKind;

    #[test]
    fn groups_are_found_by_name_and_stay_in_order() {
        let group = |name: &str, priority| {
            let (name, processes) = (name.to_string(), Vec::new());
            GroupSpec { name, priority, kind: GroupKind::Plain, processes }
        };
        let mut configured = Configured::new(vec![group("b", 1), group("a", 2), group("b", 3)]);
        configured.push(group("c", 4));
        let priorities: Vec<i64> = configured.groups().iter().map(|group| group.priority).collect();
        assert_eq!(priorities, [1, 2, 3, 4]);
        configured.get_mut("c").expect("a group").priority = 5;
        let found = ["a", "b", "c", "d"].map(|name| configured.get(name).map(|group| group.priority));
        assert_eq!(found, [Some(2), Some(1), Some(5), None]);
    }
}
