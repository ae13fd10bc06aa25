//! Groups and processes come and go: at the start, by `addProcessGroup`, by twiddler; with their automatic logs.

use std::borrow::Cow;
use std::rc::Rc;

use crate::base::errno::Errno;
use crate::base::key::Key;
use crate::base::limits::{LOGS_PER_TURN, STALE_LOGS_PER_TURN};
use crate::base::words::Channel;
use crate::config::spec::{ChannelSpec, GroupKind, GroupSpec, LogFile, ProcessSpec};
use crate::world::group::Group;
use crate::world::life::Life;
use crate::world::lines::Line;
use crate::world::output::Output;
use crate::world::pool::{Member, Pool};
use crate::world::process::Process;
use crate::world::{Alarm, Turn, World};

impl World {
    /// Makes a group active with all its members and their automatic logs (PROC-082), and tells of it. Its name must be
    /// free. The error is that of a FastCGI socket that can't be had (PROC-132); then there is no group.
    pub fn add_group(&mut self, spec: &GroupSpec, turn: &mut Turn<'_>) -> Result<Key<Group>, String> {
        let key = self.make_group(spec, turn)?;
        self.announce(key, turn);
        Ok(key)
    }

    /// As [`World::add_group`], without telling of it.
    pub(crate) fn make_group(&mut self, spec: &GroupSpec, turn: &mut Turn<'_>) -> Result<Key<Group>, String> {
        let sockets = self.probe_sockets(spec, turn)?;
        let pool = match &spec.kind {
            GroupKind::Pool(pool) => Some(Pool::new(pool.clone())),
            GroupKind::Plain | GroupKind::FastCgi(_) => None,
        };
        let listens = pool.is_some();
        let key = self.groups.insert(Group {
            name: spec.name.clone(),
            priority: spec.priority,
            kind: spec.kind.clone(),
            pool,
            members: Vec::new(),
            by_name: Vec::new(),
            sockets,
        });
        self.group_names.insert(spec.name.clone(), key);
        self.group_order.push(key);
        self.put_members(key, &spec.processes, listens, turn);
        Ok(key)
    }

    /// Puts processes into a group. Their names must be free in it. In a pool, too, they are no listeners.
    pub fn add_members(
        &mut self,
        group: Key<Group>,
        specs: &[Rc<ProcessSpec>],
        turn: &mut Turn<'_>,
    ) -> Vec<Key<Process>> {
        self.put_members(group, specs, false, turn)
    }

    fn put_members(
        &mut self,
        group: Key<Group>,
        specs: &[Rc<ProcessSpec>],
        listen: bool,
        turn: &mut Turn<'_>,
    ) -> Vec<Key<Process>> {
        let Some(name) = self.groups.get(group).map(|group| Rc::<str>::from(group.name.as_str())) else {
            return Vec::new();
        };
        let mut keys = Vec::with_capacity(specs.len());
        for (place, spec) in specs.iter().enumerate() {
            let later = !self.begun;
            let mut make = |channel, protocol| match later {
                true => self.name_output(spec, channel, protocol, turn),
                false => self.make_output_anyway(spec, channel, protocol, None, turn),
            };
            let stdout = Some(make(Channel::Stdout, listen));
            let stderr = (!spec.redirect_stderr).then(|| make(Channel::Stderr, false));
            let key = self.processes.insert(Process {
                spec: spec.clone(),
                group,
                group_name: name.clone(),
                life: Life::default(),
                outputs: [stdout, stderr],
                stdin: Default::default(),
                stdin_closed: true,
                listener: listen.then(|| Member { protocol: Default::default(), event: None, place }),
                silent: false,
                stop_reported: None,
                logs_due: later,
            });
            if later {
                self.logs_due.push_back(key);
            }
            keys.push(key);
        }
        self.join(group, &keys);
        for key in &keys {
            self.note_process(*key);
        }
        keys
    }

    /// Starts what starts by itself among new processes, as soon as the turn settles.
    pub fn autostart(&mut self, keys: impl IntoIterator<Item = Key<Process>>) {
        self.autostarts.extend(keys);
        // Who asked may have been heard only while the turn settled: it must settle once more.
        self.changes += 1;
    }

    /// Starts what starts by itself in a new group.
    pub fn autostart_group(&mut self, group: Key<Group>) {
        let members = self.groups.get(group).map(|group| group.members.clone()).unwrap_or_default();
        self.autostart(members);
    }

    /// Whether every member is in the "stopped" set (PROC-081).
    pub fn is_quiet(&self, group: Key<Group>) -> bool {
        self.groups.get(group).is_none_or(|group| {
            group.members.iter().all(|&key| self.processes.get(key).is_none_or(|p| p.state().is_stopped()))
        })
    }

    /// Takes a group with all its members out. They must be quiet.
    pub fn remove_group(&mut self, key: Key<Group>, turn: &mut Turn<'_>) {
        let Some(group) = self.groups.remove(key) else { return };
        self.group_names.remove(&group.name);
        if let Some(place) = self.group_order.iter().position(|&other| other == key) {
            self.group_order.remove(place);
        }
        for member in group.members {
            self.forget(member, turn);
        }
        self.close_sockets(group.sockets, turn);
        self.denounce(key, &group.name, turn);
    }

    /// Takes a process out of its group; an automatic restart that waits is called off (TWID-065).
    pub fn remove_member(&mut self, key: Key<Process>, turn: &mut Turn<'_>) {
        let Some(process) = self.processes.get(key) else { return };
        let group = process.group;
        self.leave(key);
        let Some(process) = self.processes.get(key) else { return };
        let place = process.listener.as_ref().map(|member| member.place);
        if let Some(pool) = self.pool_mut(group)
            && let Some(place) = place
        {
            pool.set_idle(place, key, false);
        }
        self.forget(key, turn);
        self.close_idle_sockets(group, turn);
    }

    fn forget(&mut self, key: Key<Process>, turn: &mut Turn<'_>) {
        // Also of a child in UNKNOWN, which may live on: nobody reads its pipes any more.
        turn.host.close_pipes(key);
        if let Some(mut process) = self.processes.remove(key) {
            self.note_gone(key, &process.group_name, &process.spec.name);
            for output in process.outputs.iter_mut().flatten() {
                output.abandon(turn.now.mono, turn.host);
                let report = output.log_mut().and_then(|log| log.take_report(turn.now.mono));
                self.report_log(&process.spec.name, report, turn);
            }
        }
        self.alarms.set(Alarm::Life(key), None);
        self.alarms.set(Alarm::Log(key), None);
        // Whoever waits for it must look again.
        self.changes += 1;
    }

    /// A path for an automatic log (LOG-044).
    fn auto_log_path(&self, spec: &ProcessSpec, channel: Channel, turn: &mut Turn<'_>) -> Result<String, Errno> {
        let daemon = &self.config.daemon;
        let stem = format!("{}-{}---{}-", spec.name, channel.name(), daemon.identifier);
        turn.host.auto_log_path(&daemon.childlogdir.display().to_string(), &stem)
    }

    /// A channel whose automatic log has a path, but no file yet: [`World::make_due_logs`].
    fn name_output(&self, spec: &ProcessSpec, channel: Channel, protocol: bool, turn: &mut Turn<'_>) -> Output {
        let settings = &settings(spec, channel, protocol);
        let path = match &settings.logfile {
            LogFile::None => None,
            LogFile::Path(path) => Some(path.clone()),
            LogFile::Auto => self.auto_log_path(spec, channel, turn).ok(),
        };
        Output::new(settings, &spec.name, channel, self.config.daemon.strip_ansi, path)
    }

    /// A channel with its log; an automatic log gets its file (LOG-044), at `path` if it has that already. A listener's
    /// stdout (`protocol`) is logged, no more (EVT-046, EVT-110).
    pub(crate) fn make_output(
        &mut self,
        spec: &ProcessSpec,
        channel: Channel,
        protocol: bool,
        path: Option<String>,
        turn: &mut Turn<'_>,
    ) -> Result<Output, Errno> {
        /// Nobody has so many files of one stem.
        const TRIES: usize = 100;
        let settings = &settings(spec, channel, protocol);
        let path = match &settings.logfile {
            LogFile::None => None,
            LogFile::Path(path) => Some(path.clone()),
            LogFile::Auto => {
                let mut path = path.map_or_else(|| self.auto_log_path(spec, channel, turn), Ok)?;
                let mut tries = 1;
                while let Err(error) = turn.host.create_log(&path) {
                    if error != Errno::EEXIST || tries == TRIES {
                        return Err(error);
                    }
                    path = self.auto_log_path(spec, channel, turn)?;
                    tries += 1;
                }
                Some(path)
            }
        };
        Ok(Output::new(settings, &spec.name, channel, self.config.daemon.strip_ansi, path))
    }

    /// As [`World::make_output`]; without a file if none can be made now: a start tries again.
    fn make_output_anyway(
        &mut self,
        spec: &ProcessSpec,
        channel: Channel,
        protocol: bool,
        path: Option<String>,
        turn: &mut Turn<'_>,
    ) -> Output {
        self.make_output(spec, channel, protocol, path, turn).unwrap_or_else(|error| {
            let directory = self.config.daemon.childlogdir.display().to_string();
            let (name, channel_name) = (spec.name.clone(), channel.name());
            let line = Line::NoAutoLog { name, channel: channel_name, directory, error: error.text() };
            self.say(&line, turn);
            let settings = &settings(spec, channel, protocol);
            Output::new(settings, &spec.name, channel, self.config.daemon.strip_ansi, None)
        })
    }

    /// Makes the automatic logs of a process that so far only has their paths.
    pub(crate) fn make_due_logs(&mut self, who: Key<Process>, turn: &mut Turn<'_>) {
        let Some(process) = self.processes.get_mut(who).filter(|process| process.logs_due) else { return };
        process.logs_due = false;
        let (spec, listens) = (process.spec.clone(), process.listener.is_some());
        for channel in [Channel::Stdout, Channel::Stderr] {
            let Some(output) = self.processes.get(who).and_then(|process| process.outputs[channel.index()].as_ref())
            else {
                continue;
            };
            if spec.channels[channel.index()].logfile == LogFile::Auto {
                let path = output.path().map(str::to_string);
                let protocol = listens && channel == Channel::Stdout;
                let made = self.make_output_anyway(&spec, channel, protocol, path, turn);
                if let Some(process) = self.processes.get_mut(who) {
                    process.outputs[channel.index()] = Some(made);
                }
            }
        }
    }

    /// Finds the automatic logs that an earlier run left (LOG-045), and removes the first; the others follow soon.
    pub(crate) fn find_stale_logs(&mut self, turn: &mut Turn<'_>) {
        let daemon = &self.config.daemon;
        if daemon.nocleanup {
            return;
        }
        let (directory, identifier) = (daemon.childlogdir.display().to_string(), daemon.identifier.clone());
        let Ok(names) = turn.host.list(&directory) else {
            return self.say(&Line::NoClearDirectory {}, turn);
        };
        let stale = names.iter().filter(|name| is_auto_log(name, &identifier));
        self.stale_logs = stale.map(|name| format!("{}/{name}", directory.trim_end_matches('/'))).collect();
        self.remove_stale_logs(turn);
    }

    /// Removes some of them.
    fn remove_stale_logs(&mut self, turn: &mut Turn<'_>) {
        for _ in 0..STALE_LOGS_PER_TURN {
            let Some(path) = self.stale_logs.pop() else { break };
            if turn.host.remove(&path).is_err() {
                self.say(&Line::NoCleanUp { path }, turn);
            }
        }
    }

    /// Takes a few steps of what the beginning has put off, so that clients are answered meanwhile: automatic logs of
    /// an earlier run are removed, and new ones made. Returns whether there is more.
    pub(crate) fn catch_up(&mut self, turn: &mut Turn<'_>) -> bool {
        self.remove_stale_logs(turn);
        for _ in 0..LOGS_PER_TURN {
            let Some(who) = self.logs_due.pop_front() else { break };
            self.make_due_logs(who, turn);
        }
        !self.stale_logs.is_empty() || !self.logs_due.is_empty()
    }
}

/// What a channel does with what it is given.
fn settings(spec: &ProcessSpec, channel: Channel, protocol: bool) -> Cow<'_, ChannelSpec> {
    let settings = &spec.channels[channel.index()];
    match protocol {
        true => Cow::Owned(ChannelSpec { capture_maxbytes: 0, events: false, syslog: false, ..settings.clone() }),
        false => Cow::Borrowed(settings),
    }
}

/// Whether a file name is that of an automatic log of a daemon with this identifier:
/// `?*---<identifier>-<non-blank>.log`, optionally `.` and up to 4 digits behind it (LOG-045).
fn is_auto_log(name: &str, identifier: &str) -> bool {
    let stem = match name.rsplit_once('.') {
        Some((stem, digits)) if digits.len() <= 4 && digits.bytes().all(|b| b.is_ascii_digit()) => stem,
        _ => name,
    };
    let Some(stem) = stem.strip_suffix(".log") else { return false };
    let mark = format!("---{identifier}-");
    stem.match_indices(&mark).any(|(at, _)| {
        let random = &stem[at + mark.len()..];
        at > 0 && !random.is_empty() && !random.contains(char::is_whitespace)
    })
}

#[cfg(test)]
mod tests {
    use super::is_auto_log;

    #[test]
    fn log_045_only_automatic_logs_of_this_daemon_are_cleared() {
        // BUG-075: the identifier is text, not a pattern, and the whole name must fit.
        for name in ["web-stdout---supervisor-a1b2c3d4.log", "x---supervisor-abc.log.1", "x---supervisor-abc.log.1234"]
        {
            assert!(is_auto_log(name, "supervisor"), "{name}");
        }
        for name in [
            "---supervisor-abc.log",
            "web-stdout---other-abc.log",
            "web-stdout---supervisor-.log",
            "web-stdout---supervisor-a b.log",
            "web-stdout---supervisor-abc.log.12345",
            "web-stdout---supervisor-abc.log.x",
            "web-stdout---supervisor-abc.txt",
        ] {
            assert!(!is_auto_log(name, "supervisor"), "{name}");
        }
        assert!(!is_auto_log("x---superXvisor-abc.log", "super.visor"));
    }
}
