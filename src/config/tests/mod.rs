//! Tests of whole configurations, rule by rule, on a pretended machine.
//!
//! Compiled for `#[cfg(test)]` only.

mod daemon;
mod diff;
mod groups;
mod kinds;
mod locating;
mod options;
mod programs;
mod sample;
mod servers;

use std::rc::Rc;

use crate::base::words::Level;
use crate::config::options::{Asked, parse_daemon};
use crate::config::spec::{Config, GroupSpec, ProcessSpec, UserSpec};
use crate::config::surroundings::Pretended;
use crate::config::{Surroundings, load};

/// A machine with `/etc/c.conf`, two users, and a few directories.
pub fn machine(config: &str) -> Pretended {
    let user = |text: &str, uid| UserSpec { text: text.to_string(), uid, gid: uid + 1000, groups: vec![7] };
    let directories = ["/", "/etc", "/etc/d", "/tmp", "/base", "/base/logs", "/home/joe"];
    Pretended {
        files: [("/etc/c.conf".to_string(), config.as_bytes().to_vec())].into(),
        directories: directories.map(String::from).into(),
        users: vec![user("root", 0), user("joe", 1)],
        groups: vec![("staff".to_string(), 50)],
        env: [("HOME", "/home/joe"), ("X", "envX"), ("PERCENT", "%(here)s%"), ("N", "3")]
            .map(|(name, value)| (name.to_string(), value.to_string()))
            .to_vec(),
        host_name: "node".to_string(),
        cwd: "/base".to_string(),
        uid: 0,
    }
}

/// Loads with these words behind `supervisord -c /etc/c.conf`. A mistake is told as text.
pub fn load_with(machine: Pretended, words: &[&str]) -> Result<Config, Vec<String>> {
    let args: Vec<String> =
        ["/opt/bin/supervisord", "-c", "/etc/c.conf"].iter().chain(words).map(|word| word.to_string()).collect();
    let around: Rc<dyn Surroundings> = Rc::new(machine);
    let asked = parse_daemon(&args, &around).map_err(|usage| vec![usage.0])?;
    let Asked::Run(options) = asked else { return Err(vec!["not run".to_string()]) };
    load(&options, &around).map_err(|errors| errors.into_iter().map(|error| error.text).collect())
}

/// Loads a text with `[supervisord]` in front.
pub fn read(config: &str) -> Result<Config, Vec<String>> {
    load_with(machine(&format!("[supervisord]\n{config}")), &[])
}

/// The configuration of a text that is fine.
pub fn good(config: &str) -> Config {
    read(config).unwrap_or_else(|errors| panic!("{errors:?}"))
}

/// The messages for a text that is not.
pub fn bad(config: &str) -> Vec<String> {
    read(config).map(|_| ()).expect_err(config)
}

/// The only message.
pub fn one_bad(config: &str) -> String {
    let mut errors = bad(config);
    assert_eq!(errors.len(), 1, "{errors:?}");
    errors.remove(0)
}

/// The only group.
pub fn group(config: &str) -> GroupSpec {
    let mut groups = good(config).groups;
    assert_eq!(groups.len(), 1);
    groups.remove(0)
}

/// The only process of a program with these lines.
pub fn program(lines: &str) -> ProcessSpec {
    let processes = group(&format!("[program:x]\ncommand=/bin/x\n{lines}")).processes;
    assert_eq!(processes.len(), 1);
    (*processes[0]).clone()
}

/// The only message for a program with these lines, without the suffix of CFG-121.
pub fn bad_program(lines: &str) -> String {
    let error = one_bad(&format!("[program:x]\ncommand=/bin/x\n{lines}"));
    error.strip_suffix(" in section 'program:x' (file: '/etc/c.conf')").unwrap_or_else(|| panic!("{error}")).to_string()
}

/// Names of processes.
pub fn names(group: &GroupSpec) -> Vec<&str> {
    group.processes.iter().map(|process| process.name.as_str()).collect()
}

/// Notices of a level.
pub fn notices(config: &Config, level: Level) -> Vec<&str> {
    config.notices.iter().filter(|notice| notice.level == level).map(|notice| notice.text.as_str()).collect()
}
