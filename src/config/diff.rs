//! What a re-read changes: configured groups against active ones (CFG-222 to CFG-227).

use crate::base::maps::ByName;
use crate::config::spec::GroupSpec;

/// Names of groups.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Differences {
    /// Configured, not active; in the order of the configuration.
    pub added: Vec<String>,
    /// Both, but not alike; in the order of the configuration.
    pub changed: Vec<String>,
    /// Active, not configured; in the order of activation.
    pub removed: Vec<String>,
}

/// Compares. What counts is the equality of [`GroupSpec`] (CFG-223) and of its processes (CFG-224).
pub fn differences(configured: &[GroupSpec], active: &[GroupSpec]) -> Differences {
    let places = |groups: &[GroupSpec]| -> ByName<usize> {
        groups.iter().enumerate().map(|(place, group)| (group.name.clone(), place)).collect()
    };
    let mut found = Differences::default();
    let known = places(active);
    for group in configured {
        match known.get(&group.name) {
            None => found.added.push(group.name.clone()),
            Some(&place) if active[place] != *group => found.changed.push(group.name.clone()),
            Some(_) => {}
        }
    }
    let known = places(configured);
    let gone = active.iter().filter(|group| known.get(&group.name).is_none());
    found.removed = gone.map(|group| group.name.clone()).collect();
    found
}
