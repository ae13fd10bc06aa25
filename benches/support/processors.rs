//! A processor for the client, and one for the server and all that it starts, where there are two and `taskset` is to be
//! had. With `TOGETHER=1` it is the same one, so that nobody has to wake another processor.

// Each bench uses a part of this.
#![allow(dead_code)]

use std::path::PathBuf;
use std::process::{Command, Stdio};

/// The client's processor, if there are two.
const CLIENT: &str = "0";
/// The other one.
const OTHER: &str = "1";

/// The processor of servers and their children.
fn server() -> &'static str {
    match std::env::var("TOGETHER") {
        Ok(text) if text == "1" => CLIENT,
        _ => OTHER,
    }
}

/// The path of an installed program.
pub fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    folders.map(|folder| folder.join(name)).find(|path| path.is_file())
}

/// Binds this program to the client's processor. Says how it is measured.
pub fn pin_client() -> String {
    match is_pinned() && pin(CLIENT) {
        true => format!("client on processor {CLIENT}, servers and their children on processor {}", server()),
        false => "client and servers on whichever processor: no taskset, or only one processor".to_string(),
    }
}

/// Runs this with the program on the server's processor, and with it what is started in the meantime.
pub fn as_server<T>(run: impl FnOnce() -> T) -> T {
    if !is_pinned() {
        return run();
    }
    pin(server());
    let result = run();
    pin(CLIENT);
    result
}

/// Lets this program, and what it starts from here on, run anywhere.
pub fn unpin_client() {
    if is_pinned() {
        pin(&format!("{CLIENT},{OTHER}"));
    }
}

/// All threads of this program.
fn pin(processors: &str) -> bool {
    let own = std::process::id().to_string();
    let done = Command::new("taskset").args(["-a", "-p", "-c", processors, &own]).stdout(Stdio::null()).status();
    done.is_ok_and(|status| status.success())
}

fn is_pinned() -> bool {
    // How many there are, not how many this thread may use now.
    let processors = std::fs::read_dir("/sys/devices/system/cpu").map_or(1, |entries| {
        let is_one = |name: &str| name.strip_prefix("cpu").is_some_and(|rest| rest.parse::<u32>().is_ok());
        entries.flatten().filter(|entry| is_one(&entry.file_name().to_string_lossy())).count()
    });
    processors > 1 && find("taskset").is_some()
}

/// The words in front of a server's command.
pub fn prefix() -> Vec<&'static str> {
    if is_pinned() { vec!["taskset", "-c", server()] } else { Vec::new() }
}
