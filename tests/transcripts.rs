//! The two conversations of the original READMEs, held by Python's own client over both kinds of socket, again and
//! again. Their text is in `tests/python/transcripts.py`.

mod support;

use support::daemon::Daemon;
use support::python::{python, shown};
use support::{SERVERS, upstream_differs};

const WEB: &str = "[program:web]\ncommand=python3 -m http.server @SPARE@ --bind 127.0.0.1\n";

fn hold(rounds: u32) {
    let daemon = Daemon::start(&format!("{SERVERS}{WEB}"));
    let socket = daemon.file("supervisor.sock");
    let mut script = python().script(daemon.path(), "transcripts.py");
    let output = script.arg(daemon.port().to_string()).arg(socket).arg(rounds.to_string()).output().expect("Python");
    assert!(output.status.success(), "{}", shown(&output));
    assert_eq!(String::from_utf8_lossy(&output.stdout), format!("{rounds} rounds\n"));
    assert_eq!(daemon.wait_for_state("web", "RUNNING").text("group"), "web");
}

/// CACHE-040, TWID-090, TWID-091, HTTP-140, HTTP-141, HTTP-150, CACHE-005, BUG-100.
#[test]
fn both_transcripts_on_both_sockets() {
    if !upstream_differs("BUG-100, HTTP-150, TWID-002: one cache, any path, API 0.1") {
        hold(1);
    }
}

/// The same without a flake.
#[test]
fn both_transcripts_a_hundred_times() {
    if !upstream_differs("BUG-100, HTTP-150, TWID-002: one cache, any path, API 0.1") {
        hold(100);
    }
}
