//! Panics: their reports, and the last thing to do when the daemon can't go on.
//!
//! The hook only writes down what happened; whoever catches a panic tells it. While nothing is caught, at the start, a
//! panic is reported on stderr as in any program.

use std::backtrace::Backtrace;
use std::panic::PanicHookInfo;
use std::sync::{Mutex, PoisonError};

use super::host::RealHost;
use crate::base::limits::{BUG_REPORT_BYTES, ENDING_PATIENCE};
use crate::base::words::{Pid, SIGKILL, SIGTERM};
use crate::sys::{child, clock, io, signals};

// A panic that can't be caught would leave the children without the daemon.
#[cfg(not(panic = "unwind"))]
compile_error!("supervisord survives its bugs: build it with panic = \"unwind\"");

/// The exit status after a bug that could not be survived: EX_SOFTWARE of sysexits(3).
pub const STATUS: i32 = 70;

/// How often children that are being ended are looked after, in milliseconds.
const LOOK: i32 = 5;

/// The last report.
static LAST: Mutex<Option<String>> = Mutex::new(None);

/// From now on panics are written down instead of being reported on stderr, which may be a pipe that nobody reads.
pub fn write_down() {
    std::panic::set_hook(Box::new(|info| {
        let report = report(info);
        *LAST.lock().unwrap_or_else(PoisonError::into_inner) = Some(report);
    }));
}

/// Message, place and calls.
fn report(info: &PanicHookInfo<'_>) -> String {
    let mut text = format!("{info}\n{}", Backtrace::force_capture());
    let end = (0..=BUG_REPORT_BYTES.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    text.truncate(end.unwrap_or(0));
    text.truncate(text.trim_end().len());
    text
}

/// The last report, once.
pub fn take() -> Option<String> {
    LAST.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// Ends children without the daemon's help: SIGTERM, and after some patience SIGKILL for their whole process groups.
pub fn end_children(host: &RealHost) {
    let mut left: Vec<Pid> = host.pipes.pids().collect();
    for (signal, group) in [(SIGTERM, false), (SIGKILL, true)] {
        for pid in &left {
            // Whoever is gone already needs no signal.
            let _ = signals::kill(*pid, signal, group);
        }
        let end = clock::mono() + ENDING_PATIENCE;
        while !left.is_empty() && clock::mono() < end {
            while child::reap().is_some() {}
            // Nobody else can have the number of a child so soon.
            left.retain(|pid| signals::process_exists(*pid));
            io::pause(LOOK);
        }
    }
}

/// Panics where the environment asks for it, so that tests can see what becomes of it. Not in release builds.
#[cfg(debug_assertions)]
pub fn rehearse(place: &str) {
    if std::env::var("MAJORDOMO_BUG_IN").is_ok_and(|places| places.split(',').any(|asked| asked == place)) {
        panic!("a bug that was asked for in {place}");
    }
}

/// Nothing.
#[cfg(not(debug_assertions))]
pub fn rehearse(_: &str) {}
