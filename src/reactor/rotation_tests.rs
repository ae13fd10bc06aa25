//! Rotation of real files, with many backups and with what is no file among them.
//!
//! Compiled for `#[cfg(test)]` only.

use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use mio::Poll;

use super::RealHost;
use crate::base::errno::Errno;
use crate::base::time::Mono;
use crate::world::log::{Log, Report};

struct Rig {
    folder: PathBuf,
    host: RealHost,
    log: Log,
}

impl Rig {
    /// An open log that is full after three bytes.
    fn new(name: &str, backups: u32) -> Rig {
        let folder = std::env::temp_dir().join(format!("rotation-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let poll = Poll::new().unwrap();
        let loader = Box::new(|| Err(Vec::new()));
        let mut host = RealHost::new(poll.registry().try_clone().unwrap(), loader).unwrap();
        let mut log = Log::new(folder.join("log").to_str().unwrap().into(), 3, backups);
        log.open(&mut host).unwrap();
        Rig { folder, host, log }
    }

    fn put(&self, name: &str, text: &str) {
        std::fs::write(self.folder.join(name), text).unwrap();
    }

    fn write(&mut self, text: &str) -> Duration {
        let begun = Instant::now();
        self.log.write(text.as_bytes(), Mono(1), &mut self.host);
        begun.elapsed()
    }

    fn texts(&self, names: &[&str]) -> Vec<String> {
        names.iter().map(|name| std::fs::read_to_string(self.folder.join(name)).unwrap_or_default()).collect()
    }

    fn trouble(&mut self) -> Option<String> {
        match self.log.take_report(Mono(1))? {
            Report::Trouble(text) | Report::Recovered(text) => Some(text),
        }
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// The time for one of them grows with the backups that exist, not with those that there may be.
#[test]
fn log_071_many_backups_are_no_matter_until_they_exist() {
    let took = |configured: u32, existing: u32| {
        let mut rig = Rig::new(&format!("{configured}-{existing}"), configured);
        (1..=existing).for_each(|number| rig.put(&format!("log.{number}"), &number.to_string()));
        // Some may come at a moment when others are busy.
        let fastest = (0..9).map(|_| rig.write("abc")).min().unwrap();
        let last = (existing + 9).min(configured);
        let oldest = existing.min(configured - 9).to_string();
        assert_eq!(rig.texts(&["log", "log.1", "log.9", &format!("log.{last}")]), ["", "abc", "abc", &oldest]);
        assert!(!rig.folder.join(format!("log.{}", last + 1)).exists());
        println!("    {configured} backups, {existing} of them there: {fastest:?} at best");
        fastest
    };
    let few = [took(10, 3), took(1000, 3), took(100_000, 3)];
    // To try all names takes several hundred times as long.
    assert!(few[2] < 20 * few[0] + Duration::from_millis(5), "{few:?}");
    took(1000, 1000);
}

/// A link is a backup like others, whether it leads anywhere or not; what it leads to is left alone.
#[test]
fn log_071_links_among_the_backups() {
    let mut rig = Rig::new("links", 3);
    rig.put("precious", "precious");
    symlink("nowhere", rig.folder.join("log.2")).unwrap();
    symlink("precious", rig.folder.join("log.3")).unwrap();
    rig.put("log.1", "one");
    rig.write("abc");
    assert_eq!(rig.texts(&["log", "log.1", "log.2"]), ["", "abc", "one"]);
    assert_eq!(std::fs::read_link(rig.folder.join("log.3")).unwrap(), PathBuf::from("nowhere"));
    rig.write("def");
    assert_eq!(rig.texts(&["log.1", "log.2", "log.3", "precious"]), ["def", "abc", "one", "precious"]);
    assert_eq!(rig.trouble(), None);
    assert!(std::fs::symlink_metadata(rig.folder.join("nowhere")).is_err());
}

/// No backup is removed for a folder, and no folder for a backup: the log grows on until that is out of the way.
#[test]
fn log_071_a_folder_among_the_backups() {
    let mut rig = Rig::new("folders", 3);
    std::fs::create_dir(rig.folder.join("log.2")).unwrap();
    rig.put("log.3", "three");
    rig.put("log.1", "one");
    rig.write("abc");
    rig.write("def");
    assert_eq!(rig.texts(&["log", "log.1", "log.3"]), ["abcdef", "one", "three"]);
    let told = rig.trouble().expect("a report");
    assert!(told.ends_with(&format!("which grows on: {}", Errno::EISDIR)), "{told}");
    std::fs::remove_dir(rig.folder.join("log.2")).unwrap();
    rig.write("ghi");
    assert_eq!(rig.texts(&["log", "log.1", "log.2", "log.3"]), ["", "abcdefghi", "one", "three"]);
}

/// A folder that is away for a moment takes no byte with it: the open file gets what is written.
#[test]
fn log_075_a_folder_that_is_away_when_a_rotation_is_due() {
    let mut rig = Rig::new("away", 2);
    let away = rig.folder.with_extension("away");
    std::fs::rename(&rig.folder, &away).unwrap();
    // More than a log holds back.
    let much = "x".repeat(300_000);
    rig.write(&much);
    rig.write(&much);
    let told = rig.trouble().expect("a report");
    assert!(told.ends_with(&format!("which grows on: {}", Errno::ENOENT)), "{told}");
    std::fs::rename(&away, &rig.folder).unwrap();
    rig.write("abc");
    assert_eq!(rig.texts(&["log", "log.1"]), ["".to_string(), format!("{much}{much}abc")]);
    // Another one comes in its place.
    std::fs::rename(&rig.folder, &away).unwrap();
    rig.write("def");
    std::fs::create_dir(&rig.folder).unwrap();
    rig.write("gh");
    assert_eq!(std::fs::read_to_string(away.join("log")).unwrap(), "defgh");
    rig.write("i");
    assert_eq!(rig.texts(&["log", "log.1"]), ["i", ""]);
    std::fs::remove_dir_all(away).unwrap();
    // What is removed with everything in it takes nothing more: it is kept for the next one.
    std::fs::remove_dir_all(&rig.folder).unwrap();
    rig.write("jk");
    rig.write("lm");
    std::fs::create_dir(&rig.folder).unwrap();
    rig.write("n");
    assert_eq!(rig.texts(&["log", "log.1"]), ["", "lmn"]);
}
