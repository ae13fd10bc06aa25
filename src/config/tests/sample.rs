//! The sample is a configuration, and names every key.
//!
//! Compiled for `#[cfg(test)]` only.

use super::{load_with, machine};
use crate::config::sample::sample;
use crate::config::table::TABLES;

#[test]
fn the_sample_is_fine_and_whole() {
    let config = load_with(machine(&sample()), &[]).unwrap();
    assert_eq!((config.servers.len(), config.interfaces.len(), config.groups.len()), (1, 1, 0));
    assert!(config.notices.is_empty(), "{:?}", config.notices);
    for row in TABLES.iter().flat_map(|table| table.all_rows()) {
        let line = sample()
            .lines()
            .find(|line| line.trim_start_matches(';').starts_with(&format!("{}=", row.key)))
            .map(String::from);
        let line = line.unwrap_or_else(|| panic!("{}", row.key));
        assert_eq!(line.contains("; ours)"), row.ours, "{line}");
    }
}

#[test]
fn the_sample_with_everything_switched_on_is_fine() {
    let on = |line: &str| match line.strip_prefix(';') {
        Some(rest) if rest.starts_with('[') || rest.split('=').next().is_some_and(|key| !key.contains(' ')) => {
            rest.to_string()
        }
        _ => line.to_string(),
    };
    let text: Vec<String> = sample().lines().map(on).filter(|line| !line.starts_with("programs=")).collect();
    let text = text.join("\n").replace("nobody:nogroup", "joe:staff").replace("nobody", "joe");
    let config = load_with(machine(&text), &[]).unwrap_or_else(|errors| panic!("{errors:?}"));
    assert_eq!((config.servers.len(), config.interfaces.len(), config.groups.len()), (2, 3, 4));
}
