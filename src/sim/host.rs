//! The pretended system behind the world's port.
//!
//! Keeps children and files in memory and writes down everything it is asked to do, so that the rules about spawning
//! and killing can be checked from outside. Faults come from here and from nowhere else.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::errno::Errno;
use crate::base::key::Key;
use crate::base::time::Mono;
use crate::base::words::{Channel, Pid};
use crate::config::error::ConfigError;
use crate::config::spec::{Config, FastCgiSpec};
use crate::sim::child::{Child, Nature};
use crate::sim::dice::Dice;
use crate::sim::files::Files;
use crate::sim::journal::Journal;
use crate::world::host::{FileId, Folder, Host, Meta, Opened, Probe, SocketId, SpawnError, SpawnOrder};
use crate::world::process::Process;

/// Something that the world did to the system.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Deed {
    /// A child was started; `None`: the system refused.
    Spawned {
        /// The process slot.
        who: Key<Process>,
        /// The new child.
        pid: Option<Pid>,
    },
    /// A signal was sent.
    Killed {
        /// To whom.
        pid: Pid,
        /// Which one.
        signal: i32,
        /// To the whole process group.
        group: bool,
        /// What the system refused it with; that there was nobody is no refusal.
        error: Option<Errno>,
    },
}

/// How often the system refuses: once in so many times, never for 0.
#[derive(Clone, Copy, Debug, Default)]
pub struct Refusals {
    /// fork and pipe.
    pub spawn: u64,
    /// Room for one more child on its way.
    pub room: u64,
    /// kill with EPERM.
    pub kill: u64,
    /// Listening sockets.
    pub socket: u64,
    /// Opening a log, the folder it is in, and making a name for one.
    pub open: u64,
    /// Appending to a log.
    pub append: u64,
    /// Renaming and removing.
    pub rename: u64,
}

/// A pretended system.
#[derive(Debug, Default)]
pub struct SimHost {
    /// How often much was freed.
    pub freed: usize,
    /// The time; set by whoever moves the clock.
    pub now: Mono,
    /// All chance of the system.
    pub dice: Dice,
    /// Its files.
    pub files: Files,
    /// Children that were not reaped yet.
    pub children: BTreeMap<Pid, Child>,
    /// How often it refuses.
    pub refusals: Refusals,
    /// What every spawn is refused with, if it is.
    pub spawn_error: Option<SpawnError>,
    /// What every signal is refused with, if it is.
    pub kill_error: Option<Errno>,
    /// What was done since somebody took it.
    pub deeds: Vec<Deed>,
    /// Records for syslog, with their ident.
    pub syslog: Vec<String>,
    /// The foreground copy of the main log, if records are kept.
    pub echoed: Vec<u8>,
    /// Whose pipes are open.
    pub pipes: BTreeSet<Key<Process>>,
    /// What was wrong with the bytes that a child got on its stdin.
    pub wrong_stdin: Option<String>,
    keeps_records: bool,
    /// What happened.
    pub journal: Journal,
    /// What the configuration file says by now.
    pub config: Option<Config>,
    /// Where it panics as if the daemon had a bug, and how many times.
    pub bug: Option<(&'static str, u32)>,
    /// Listening sockets that are open, with their URLs.
    pub sockets: BTreeMap<u32, String>,
    last_pid: Pid,
    last_socket: u32,
}

const OPEN_ERRORS: [Errno; 6] = [Errno::ENOSPC, Errno::EROFS, Errno::EACCES, Errno::EMFILE, Errno::ENOENT, Errno::EIO];

impl SimHost {
    /// A system whose chance follows from `seed`.
    pub fn new(seed: u64) -> SimHost {
        SimHost { dice: Dice::new(seed), last_pid: 1000, ..SimHost::default() }
    }

    /// A system that writes down for its checkers what happens, and so takes more memory.
    pub fn with_records(seed: u64) -> SimHost {
        let mut host = SimHost { keeps_records: true, ..SimHost::new(seed) };
        host.files.keep_records();
        host
    }

    /// Forgets what belonged to a daemon that ended: open files, pipes, and children that could not be killed.
    pub fn reset(&mut self) {
        self.files.close_all();
        self.children.clear();
        self.sockets.clear();
        self.pipes.clear();
        self.echoed.clear();
        self.syslog.clear();
        if self.keeps_records {
            self.files.keep_records();
        }
    }

    /// Whether the system refuses this time, and with which error.
    fn refuses(&mut self, once_in: u64, errors: &[Errno]) -> Result<(), Errno> {
        if self.dice.one_in(once_in) { Err(*self.dice.pick(errors)) } else { Ok(()) }
    }

    /// Panics where it is to.
    fn meet_bug(&mut self, place: &str) {
        if let Some((_, times)) = self.bug.as_mut().filter(|(asked, times)| *asked == place && *times > 0) {
            *times -= 1;
            panic!("a bug that was asked for in {place}");
        }
    }

    /// The child that has the pipes of `who`.
    pub fn child_of(&mut self, who: Key<Process>) -> Option<&mut Child> {
        self.children.values_mut().find(|child| child.who == who)
    }
}

/// A pretended folder, held open.
struct SimFolder<'a> {
    path: String,
    host: &'a mut SimHost,
}

impl SimFolder<'_> {
    fn path(&self, name: &str) -> String {
        format!("{}/{name}", self.path)
    }
}

impl Folder for SimFolder<'_> {
    fn rename(&mut self, from: &str, to: &str) -> Result<(), Errno> {
        let errors = [Errno::EROFS, Errno::EACCES, Errno::ENOSPC, Errno::EXDEV, Errno::EIO];
        self.host.refuses(self.host.refusals.rename, &errors)?;
        self.host.files.rename(&self.path(from), &self.path(to))
    }

    fn remove(&mut self, name: &str) -> Result<(), Errno> {
        self.host.remove(&self.path(name))
    }

    fn is_folder(&mut self, name: &str) -> bool {
        self.host.files.is_folder(&self.path(name))
    }

    fn names(&mut self, most: usize, take: &mut dyn FnMut(&[u8])) -> Result<(), Errno> {
        self.host.refuses(self.host.refusals.open, &OPEN_ERRORS)?;
        let names = self.host.files.list(if self.path.is_empty() { "/" } else { &self.path })?;
        names.iter().take(most).for_each(|name| take(name.as_bytes()));
        if names.len() > most { Err(Errno::E2BIG) } else { Ok(()) }
    }
}

impl Host for SimHost {
    fn freed(&mut self) {
        self.freed += 1;
    }

    fn spawn(&mut self, who: Key<Process>, order: &SpawnOrder<'_>) -> Result<Pid, SpawnError> {
        let refused = self.spawn_error.or_else(|| {
            let any = [
                SpawnError::Fork(Errno::EAGAIN),
                SpawnError::Fork(Errno::ENOMEM),
                SpawnError::Pipe(Errno::EMFILE),
                SpawnError::Pipe(Errno::ENFILE),
            ];
            self.dice.one_in(self.refusals.spawn).then(|| *self.dice.pick(&any))
        });
        if let Some(error) = refused {
            self.journal.note(format!("{:?} spawn {} refused: {error:?}", self.now, order.name));
            self.deeds.push(Deed::Spawned { who, pid: None });
            return Err(error);
        }
        self.last_pid += 1;
        let pid = self.last_pid;
        self.journal.note(format!("{:?} spawn {} {who:?}: pid {pid}", self.now, order.name));
        let nature = Nature::of(order.path).unwrap_or(Nature::Steady);
        self.pipes.insert(who);
        let mut child = Child::new(pid, who, nature, self.now, &mut self.dice);
        child.redirect_stderr = order.redirect_stderr;
        self.children.insert(pid, child);
        self.deeds.push(Deed::Spawned { who, pid: Some(pid) });
        Ok(pid)
    }

    fn has_room(&mut self) -> bool {
        !self.dice.one_in(self.refusals.room)
    }

    fn kill(&mut self, pid: Pid, signal: i32, group: bool) -> Result<(), Errno> {
        self.meet_bug("kill");
        let result = match (self.children.get_mut(&pid), self.kill_error) {
            (_, Some(error)) => Err(error),
            (None, _) => Err(Errno::ESRCH),
            (Some(_), _) if self.dice.one_in(self.refusals.kill) => Err(Errno::EPERM),
            (Some(child), _) => {
                child.signal(signal, self.now, &mut self.dice);
                Ok(())
            }
        };
        self.journal.note(format!("{:?} kill {pid} {signal} group={group}: {result:?}", self.now));
        let error = result.err().filter(|error| *error != Errno::ESRCH);
        self.deeds.push(Deed::Killed { pid, signal, group, error });
        result
    }

    fn write_stdin(&mut self, who: Key<Process>, bytes: &[u8]) -> Result<usize, Errno> {
        let checks = self.keeps_records;
        let child = self.child_of(who).ok_or(Errno::EPIPE)?;
        let room = child.stdin_room.as_mut().ok_or(Errno::EPIPE)?;
        let count = bytes.len().min(*room);
        *room -= count;
        child.stdin_awaited |= count < bytes.len();
        child.heard.extend_from_slice(&bytes[..count]);
        // What a listener gets is no frames; it looks at that itself.
        let checks = checks && child.nature != Nature::Listener;
        let wrong = if checks { child.stdin.take(&bytes[..count]).err() } else { None };
        let pid = child.pid;
        self.wrong_stdin = wrong.map(|what| format!("stdin of {pid}: {what}")).or(self.wrong_stdin.take());
        self.journal.bytes(&bytes[..count]);
        Ok(count)
    }

    fn pause_output(&mut self, who: Key<Process>, channel: Channel, paused: bool) {
        if let Some(child) = self.child_of(who) {
            child.paused[channel.index()] = paused;
        }
    }

    fn open_socket(&mut self, spec: &FastCgiSpec) -> Result<SocketId, String> {
        if self.dice.one_in(self.refusals.socket) {
            return Err(Errno::EADDRINUSE.to_string());
        }
        self.last_socket += 1;
        self.sockets.insert(self.last_socket, spec.url.clone());
        self.journal.note(format!("{:?} socket {} open: {}", self.now, self.last_socket, spec.url));
        Ok(SocketId(self.last_socket))
    }

    fn could_open_socket(&mut self, _spec: &FastCgiSpec) -> Result<(), String> {
        match self.dice.one_in(self.refusals.socket) {
            true => Err(Errno::EADDRINUSE.to_string()),
            false => Ok(()),
        }
    }

    fn close_socket(&mut self, socket: SocketId) {
        self.journal.note(format!("{:?} socket {} closed", self.now, socket.0));
        self.sockets.remove(&socket.0);
    }

    fn close_pipes(&mut self, who: Key<Process>) {
        self.pipes.remove(&who);
        if let Some(child) = self.child_of(who) {
            child.stdin_room = None;
        }
    }

    fn open_log(&mut self, path: &str) -> Result<Opened, Errno> {
        self.refuses(self.refusals.open, &OPEN_ERRORS)?;
        self.files.open_log(path)
    }

    fn append(&mut self, file: FileId, bytes: &[u8]) -> Result<usize, Errno> {
        if bytes.starts_with(b"bug") {
            self.meet_bug("append");
        }
        self.refuses(self.refusals.append, &[Errno::EIO, Errno::ENOSPC, Errno::EROFS, Errno::EDQUOT])?;
        let part = match self.refusals.append {
            // Also, a disk that has trouble takes less than all.
            1.. if bytes.len() > 1 && self.dice.one_in(4) => self.dice.between(1, bytes.len() as u64 - 1) as usize,
            _ => bytes.len(),
        };
        let count = self.files.append(file, &bytes[..part])?;
        self.journal.bytes(&bytes[..count]);
        Ok(count)
    }

    fn truncate(&mut self, file: FileId) -> Result<(), Errno> {
        self.refuses(self.refusals.rename, &[Errno::EIO, Errno::EROFS])?;
        self.files.truncate(file)
    }

    fn has_name(&mut self, file: FileId) -> bool {
        self.files.has_name(file)
    }

    fn close_log(&mut self, file: FileId) {
        self.files.close(file);
    }

    fn auto_log_path(&mut self, directory: &str, stem: &str) -> Result<String, Errno> {
        Ok(format!("{}/{stem}{:08x}.log", directory.trim_end_matches('/'), self.dice.bits() as u32))
    }

    fn create_log(&mut self, path: &str) -> Result<(), Errno> {
        self.refuses(self.refusals.open, &OPEN_ERRORS)?;
        // Somebody may have been faster.
        self.refuses(self.refusals.open, &[Errno::EEXIST])?;
        if self.files.stat(path).is_ok() {
            return Err(Errno::EEXIST);
        }
        let opened = self.files.open_log(path)?;
        self.files.close(opened.file);
        Ok(())
    }

    fn open_folder(&mut self, path: &str) -> Result<Box<dyn Folder + '_>, Errno> {
        self.refuses(self.refusals.open, &OPEN_ERRORS)?;
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        if !folder.is_empty() && !self.files.is_folder(folder) {
            return Err(Errno::ENOENT);
        }
        Ok(Box::new(SimFolder { path: folder.to_string(), host: self }))
    }

    fn remove(&mut self, path: &str) -> Result<(), Errno> {
        self.refuses(self.refusals.rename, &[Errno::EROFS, Errno::EACCES, Errno::EIO])?;
        self.files.remove(path)
    }

    fn stat(&mut self, path: &str) -> Result<Meta, Errno> {
        self.files.stat(path)
    }

    fn read(&mut self, path: &str, offset: u64, length: usize) -> Result<Vec<u8>, Errno> {
        self.meet_bug("read");
        self.files.read(path, offset, length)
    }

    fn list(&mut self, directory: &str) -> Result<Vec<String>, Errno> {
        self.files.list(directory)
    }

    fn probe(&mut self, path: &str) -> Probe {
        match Nature::of(path) {
            Some(_) => Probe::Executable,
            None if path.ends_with("/directory") => Probe::Directory,
            None if path.ends_with("/text") => Probe::NotExecutable,
            None if path.ends_with("/secret") => Probe::Denied,
            None => Probe::Missing,
        }
    }

    fn echo(&mut self, bytes: &[u8]) -> usize {
        self.journal.bytes(bytes);
        if self.keeps_records {
            self.echoed.extend_from_slice(bytes);
        }
        0
    }

    fn syslog(&mut self, ident: &str, text: &str) {
        self.journal.bytes(text.as_bytes());
        self.syslog.push(format!("{ident} {text}"));
    }

    fn env(&self, name: &str) -> Option<String> {
        (name == "PATH").then(|| "/bin:/usr/bin".to_string())
    }

    fn uid(&self) -> u32 {
        1000
    }

    fn pid(&self) -> Pid {
        1000
    }

    fn local_offset(&mut self, _secs: i64) -> i32 {
        3600
    }

    fn load_config(&mut self) -> Result<Config, Vec<ConfigError>> {
        self.config.clone().ok_or_else(|| vec![ConfigError::new("could not read the configuration file")])
    }
}
