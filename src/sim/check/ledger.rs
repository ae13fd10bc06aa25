//! Accounts of bytes: what children printed, against what the pretended disk took.
//!
//! What a log must get is worked out here from all that a child printed, at once, by plain search; the daemon works
//! it out from pieces. The two must come to the same, byte for byte and in order.

use std::collections::BTreeMap;

use crate::base::key::Key;
use crate::base::words::Channel;
use crate::config::spec::{LogFile, ProcessSpec};
use crate::sim::check::View;
use crate::sim::client::Scope;
use crate::sim::files::{Files, Loss};
use crate::sim::host::SimHost;
use crate::sim::rules::{Checked, Rule};
use crate::wire::capture::{BEGIN, END};
use crate::world::World;
use crate::world::log::Log;
use crate::world::process::Process;

const ESC: u8 = 0x1b;
/// Several processes may write to logs of such paths: there, order is nobody's promise.
pub const SHARED: &str = "shared";

/// One log's account.
#[derive(Debug, Default)]
struct Account {
    /// What it must get.
    expected: Vec<u8>,
    /// What it got.
    appended: Vec<u8>,
    /// How many lost bytes are settled.
    lost: u64,
    /// It was cleared, so that nobody knows what it should hold.
    cleared: bool,
}

/// All accounts.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// What was printed by the current child.
    streams: BTreeMap<(Key<Process>, usize), Vec<u8>>,
    logs: BTreeMap<(Key<Process>, usize), Account>,
    main: Account,
}

/// Whether a log is its process's own.
fn is_own(spec: &ProcessSpec, channel: usize) -> bool {
    match &spec.channels[channel].logfile {
        LogFile::None => false,
        LogFile::Auto => true,
        LogFile::Path(path) => !path.starts_with("/dev/") && !path.contains(SHARED),
    }
}

impl Account {
    /// Compares what came since with what should have come.
    fn settle(&mut self, log: &Log, whose: &str) -> Checked<u64> {
        let lost = log.lost() - self.lost;
        let held = log.held();
        if self.cleared {
            if held == 0 {
                *self = Account { lost: log.lost(), ..Account::default() };
            }
            return Ok(0);
        }
        let (expected, appended) = (self.expected.len(), self.appended.len());
        Rule::Bytes.holds_if(expected as u64 == (appended + held) as u64 + lost, || {
            format!("{whose}: of {expected} bytes {appended} are in {}, {held} held, {lost} lost", log.path())
        })?;
        let ordered = match lost {
            0 => self.expected.starts_with(&self.appended),
            _ => is_within(&self.appended, &self.expected),
        };
        Rule::Bytes.holds_if(ordered, || {
            let at = self.expected.iter().zip(&self.appended).take_while(|(one, other)| one == other).count();
            let near = |bytes: &[u8]| String::from_utf8_lossy(&bytes[at..bytes.len().min(at + 40)]).into_owned();
            let (due, found) = (near(&self.expected), near(&self.appended));
            format!("{whose}: {} differs at byte {at}: {found:?}, not {due:?}", log.path())
        })?;
        if held == 0 {
            self.lost = log.lost();
            self.expected.clear();
            self.appended.clear();
        } else if lost == 0 {
            self.expected.drain(..appended);
            self.appended.clear();
        }
        Ok(appended as u64)
    }
}

impl Ledger {
    /// A process came: what was in its log before is not its own.
    pub(super) fn opened(&mut self, process: &Process, files: &mut Files) {
        for channel in [Channel::Stdout, Channel::Stderr] {
            if let Some(path) = process.log_path(channel) {
                files.take_appended(path);
                files.take_removed(path);
            }
        }
    }

    pub(super) fn printed(&mut self, who: Key<Process>, channel: usize, bytes: &[u8]) {
        self.streams.entry((who, channel)).or_default().extend_from_slice(bytes);
    }

    /// A child was reaped: nothing of what it printed is on its way any more.
    pub(super) fn ended(&mut self, who: Key<Process>, world: &World, files: &mut Files) -> Checked<u64> {
        let mut compared = 0;
        for channel in [0, 1] {
            let stream = self.streams.remove(&(who, channel)).unwrap_or_default();
            let Some(process) = world.processes.get(who) else { continue };
            let Some(log) = process.outputs[channel].as_ref().and_then(|output| output.log()) else { continue };
            if !is_own(&process.spec, channel) {
                continue;
            }
            let capture = process.spec.channels[channel].capture_maxbytes > 0;
            let account = self.logs.entry((who, channel)).or_default();
            account.expected.extend(logged(stream, world.config.daemon.strip_ansi, capture));
            account.appended.extend(files.take_appended(log.path()));
            account.cleared |= files.take_removed(log.path());
            compared += account.settle(log, &process.display())?;
            let order = files.ages(log.path());
            Rule::Rotation.holds_if(order.is_sorted_by(|one, other| one > other), || {
                format!("the backups of {} are in disorder: {order:?}", log.path())
            })?;
        }
        Ok(compared)
    }

    /// The main log against its foreground copy.
    pub(super) fn main_log(&mut self, world: &World, host: &mut SimHost) -> Checked<u64> {
        let Some(log) = world.main_log.log() else { return Ok(0) };
        self.main.expected.append(&mut host.echoed);
        self.main.appended.extend(host.files.take_appended(log.path()));
        self.main.cleared |= host.files.take_removed(log.path());
        self.main.settle(log, "the main log")
    }

    /// Forgets the accounts of those who are gone.
    pub(super) fn retain(&mut self, stays: impl Fn(&Key<Process>) -> bool) {
        self.streams.retain(|(who, _), _| stays(who));
        self.logs.retain(|(who, _), _| stays(who));
    }
}

/// Nothing but the oldest backup of a log is destroyed, unless a client asked for it.
pub(super) fn check_destroyed(view: &View<'_>, files: &mut Files) -> Checked {
    for Loss { path, truncated } in files.take_losses() {
        let (base, number) = match path.rsplit_once('.') {
            Some((base, number)) if number.parse::<u32>().is_ok() => (base, number.parse().unwrap_or(0)),
            _ => (path.as_str(), 0),
        };
        if base.contains(SHARED) {
            continue;
        }
        let daemon = &view.world.config.daemon;
        let is_main = view.world.main_log.path() == Some(base);
        let own = |(_, process): &(Key<Process>, &Process)| {
            let channel = [Channel::Stdout, Channel::Stderr].into_iter().find(|c| process.log_path(*c) == Some(base));
            channel.map(|channel| process.spec.channels[channel.index()].backups)
        };
        let backups = if is_main {
            Some(daemon.logfile_backups)
        } else {
            view.world.processes.iter().find_map(|entry| own(&entry))
        };
        let clears = |scope: &Scope| scope.clears;
        let asked = view.clients.iter().flat_map(|c| &c.open).any(|q| q.topic.scope().is_some_and(clears));
        // Nobody's any more: an automatic log of an earlier run.
        let Some(backups) = backups else { continue };
        let fits = match (number, truncated) {
            (0, true) => backups == 0,
            (0, false) => asked,
            (number, _) => number == backups,
        };
        Rule::Rotation.holds_if(fits, || format!("{path} was destroyed, of a log with {backups} backups"))?;
    }
    Ok(())
}

/// Whether `part` is what is left of `whole` if some of its bytes are taken out.
fn is_within(part: &[u8], whole: &[u8]) -> bool {
    let mut whole = whole.iter();
    part.iter().all(|byte| whole.any(|other| other == byte))
}

/// What of a child's whole output belongs into its log (LOG-050, EVT-060 to 068).
fn logged(stream: Vec<u8>, strip: bool, capture: bool) -> Vec<u8> {
    let text = if strip && stream.contains(&ESC) { without_sequences(&stream) } else { stream };
    if !capture {
        return text;
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_slice();
    loop {
        let Some(begin) = find(rest, BEGIN) else {
            out.extend_from_slice(rest);
            return out;
        };
        out.extend_from_slice(&rest[..begin]);
        rest = &rest[begin + BEGIN.len()..];
        let Some(end) = find(rest, END) else { return out };
        rest = &rest[end + END.len()..];
    }
}

fn find(text: &[u8], tag: &[u8]) -> Option<usize> {
    // Floods have none, and are long.
    if !text.contains(&tag[0]) {
        return None;
    }
    (0..text.len()).find(|at| text[*at] == tag[0] && text[*at..].starts_with(tag))
}

fn without_sequences(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        if !text[at..].starts_with(b"\x1b[") {
            out.push(text[at]);
            at += 1;
            continue;
        }
        at += 2;
        while at < text.len() {
            if text[at..].starts_with(b"\x1b[") {
                break;
            }
            at += 1;
            if (0x40..=0x7e).contains(&text[at - 1]) && !(text[at - 1] == b'[' && at >= 2 && text[at - 2] == ESC) {
                break;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_belongs_into_a_log() {
        let text = |strip, capture| {
            logged(b"a\x1b[1mb<!--XSUPERVISOR:BEGIN-->c<!--XSUPERVISOR:END-->d\x1b".to_vec(), strip, capture)
        };
        assert_eq!(text(true, true), b"abd\x1b");
        assert_eq!(text(false, true), b"a\x1b[1mbd\x1b");
        assert_eq!(text(true, false), b"ab<!--XSUPERVISOR:BEGIN-->c<!--XSUPERVISOR:END-->d\x1b");
        assert_eq!(logged(b"x<!--XSUPERVISOR:BEGIN-->lost".to_vec(), false, true), b"x");
        assert_eq!(logged(b"x\x1b[3\x1b[31mred\x1b[12".to_vec(), true, false), b"xred");
    }

    #[test]
    fn what_is_left_of_a_text() {
        assert!(is_within(b"ace", b"abcde") && is_within(b"", b"x"));
        assert!(!is_within(b"eca", b"abcde") && !is_within(b"aa", b"a"));
    }
}
