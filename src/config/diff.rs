//! What a re-read changes: configured groups against active ones (CFG-222 to CFG-227).

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
    let mut found = Differences::default();
    for group in configured {
        match active.iter().find(|other| other.name == group.name) {
            None => found.added.push(group.name.clone()),
            Some(other) if other != group => found.changed.push(group.name.clone()),
            Some(_) => {}
        }
    }
    let gone = active.iter().filter(|group| !configured.iter().any(|other| other.name == group.name));
    found.removed = gone.map(|group| group.name.clone()).collect();
    found
}
