//! What the system says about processes: reads `/proc`, and sends signals by way of the shell. Never changes anything
//! but the processes it is told to signal.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

/// One line of `/proc/<pid>/status`, without its name.
pub fn status(pid: i64, key: &str) -> Option<String> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = text.lines().find(|line| line.split(':').next() == Some(key))?;
    Some(line[key.len() + 1..].trim().to_string())
}

/// The same as a number; a unit behind it is ignored.
pub fn status_number(pid: i64, key: &str) -> u64 {
    let line = status(pid, key).unwrap_or_else(|| panic!("process {pid} has no {key}"));
    line.split_whitespace().next().and_then(|word| word.parse().ok()).expect("a number")
}

/// The same as a set of signals.
pub fn signal_set(pid: i64, key: &str) -> u64 {
    u64::from_str_radix(&status(pid, key).expect("a set of signals"), 16).expect("hexadecimal")
}

/// The fields of `/proc/<pid>/stat` from the state on; number 0 is the state, 1 the parent, 2 the process group.
pub fn stat(pid: i64) -> Option<Vec<String>> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let rest = &text[text.rfind(')')? + 1..];
    Some(rest.split_whitespace().map(str::to_string).collect())
}

/// Whether the process is there and no zombie.
pub fn is_alive(pid: i64) -> bool {
    stat(pid).is_some_and(|fields| fields[0] != "Z" && fields[0] != "X")
}

/// The process group.
pub fn group_of(pid: i64) -> i64 {
    stat(pid).expect("the process")[2].parse().expect("a number")
}

/// User and system time so far, in clock ticks.
pub fn cpu_ticks(pid: i64) -> u64 {
    let fields = stat(pid).expect("the process");
    fields[11].parse::<u64>().expect("utime") + fields[12].parse::<u64>().expect("stime")
}

/// Time on a processor so far, of a process with one thread: finer than clock ticks.
pub fn cpu_time(pid: i64) -> Duration {
    let text = std::fs::read_to_string(format!("/proc/{pid}/schedstat")).expect("the process");
    let nanos = text.split_whitespace().next().and_then(|word| word.parse().ok());
    Duration::from_nanos(nanos.expect("a number"))
}

/// Context switches so far, of both kinds.
pub fn switches(pid: i64) -> u64 {
    status_number(pid, "voluntary_ctxt_switches") + status_number(pid, "nonvoluntary_ctxt_switches")
}

/// The open descriptors and what they point to.
pub fn descriptors(pid: i64) -> Vec<(i64, PathBuf)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(format!("/proc/{pid}/fd")).expect("the process's descriptors").flatten() {
        let number = entry.file_name().to_string_lossy().parse().expect("a number");
        found.push((number, std::fs::read_link(entry.path()).unwrap_or_default()));
    }
    found.sort();
    found
}

/// The processes whose parent is `pid`, zombies included.
pub fn children(pid: i64) -> Vec<i64> {
    let is_child = |other: &i64| stat(*other).is_some_and(|fields| fields[1] == pid.to_string());
    all().into_iter().filter(is_child).collect()
}

/// How many those are, looked up without a look at all others where the kernel has a list.
pub fn child_count(pid: i64) -> u64 {
    match std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")) {
        Ok(list) => list.split_whitespace().count() as u64,
        Err(_) => children(pid).len() as u64,
    }
}

/// Every process.
pub fn all() -> Vec<i64> {
    let entries = std::fs::read_dir("/proc").expect("/proc");
    entries.flatten().filter_map(|entry| entry.file_name().to_string_lossy().parse().ok()).collect()
}

/// The processes that were started with `mark` in their environment, however far they have wandered off since.
pub fn marked(mark: &str) -> Vec<i64> {
    let mark = mark.as_bytes();
    let has_mark = |pid: &i64| {
        std::fs::read(format!("/proc/{pid}/environ"))
            .is_ok_and(|environment| environment.split(|byte| *byte == 0).any(|entry| entry == mark))
    };
    all().into_iter().filter(has_mark).collect()
}

/// Sends a signal, by name without `SIG`. One that finds nobody is no mistake.
pub fn send(pids: &[i64], signal: &str) {
    if pids.is_empty() {
        return;
    }
    let list: Vec<String> = pids.iter().map(i64::to_string).collect();
    let script = format!("for pid in {}; do kill -s {signal} $pid 2>/dev/null; done; :", list.join(" "));
    let done = Command::new("/bin/sh").arg("-c").arg(script).status().expect("a shell");
    assert!(done.success());
}
