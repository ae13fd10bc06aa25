//! Tests that need a system of their own: mounts, process numbers or accounts that nobody else has. Root may make
//! them; others only where the system lets them become root in a namespace.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::daemon::Daemon;

/// Whether the test runs as root.
pub fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output().expect("id");
    output.stdout == b"0\n"
}

/// The words that start a program with these namespaces of its own (options of unshare(1)); `None`, and says so, where
/// the system refuses them.
pub fn unshare(options: &[&str]) -> Option<Vec<String>> {
    let own: &[&str] = if is_root() { &[] } else { &["-U", "-r"] };
    let words: Vec<String> = ["unshare"].iter().chain(own).chain(options).map(|word| word.to_string()).collect();
    let tried = Command::new("unshare").args(&words[1..]).arg("true").output();
    if !tried.as_ref().is_ok_and(|done| done.status.success()) {
        println!("left out: `{}` is refused here ({tried:?})", words.join(" "));
        return None;
    }
    Some(words)
}

/// The words that start a program with mounts of its own, which `script` makes first, in the folder where it starts.
pub fn with_mounts(script: &str) -> Option<Vec<String>> {
    let mut words = unshare(&["-m"])?;
    words.extend(["sh", "-c", &format!("{script} && exec \"$@\""), "sh"].map(String::from));
    Some(words)
}

/// A path as the daemon sees it.
pub fn inside(daemon: &Daemon, path: &Path) -> PathBuf {
    PathBuf::from(format!("/proc/{}/root{}", daemon.pid(), path.display()))
}

/// Runs a shell command among the mounts of the daemon, in its folder.
pub fn run_inside(daemon: &Daemon, script: &str) {
    let user: &[&str] = if is_root() { &[] } else { &["-U", "--preserve-credentials"] };
    let target = daemon.pid().to_string();
    let script = format!("cd '{}' && {script}", daemon.path().display());
    let done = Command::new("nsenter").args(["-t", &target, "-m"]).args(user).args(["sh", "-c", &script]).output();
    let done = done.expect("nsenter");
    assert!(done.status.success(), "{script}: {done:?}");
}
