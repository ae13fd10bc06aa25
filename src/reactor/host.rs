//! The real system behind the world's port: log files, children and their pipes, paths, zones.
//!
//! It owns every descriptor but those of the front; it never polls, and never calls the daemon.

use std::collections::VecDeque;
use std::ffi::CString;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStringExt;
use std::path::Path;

use mio::Registry;

use super::bugs;
use super::pipes::AllPipes;
use super::ready::{Id, List, Ready, Source};
use crate::base::errno::Errno;
use crate::base::key::{Key, Slab};
use crate::base::limits::{ECHO_BYTES, ECHO_PATIENCE, TURN_WORK};
use crate::base::order;
use crate::base::time::{Calendar, Mono};
use crate::base::words::{Channel, Pid};
use crate::config::error::ConfigError;
use crate::config::spec::{Config, FastCgiSpec};
use crate::sys::child::{Account, Order, Spawner};
use crate::sys::clock::{self, LocalZone};
use crate::sys::fastcgi::FastCgi;
use crate::sys::files::{self, Executable, Sink};
use crate::sys::folder;
use crate::sys::removal::Removals;
use crate::sys::syslog::Syslog;
use crate::sys::{io, process};
use crate::world::host::{FileId, Folder, Host, Meta, Opened, Probe, SocketId, SpawnError, SpawnOrder};
use crate::world::process::Process;

/// Reads the configuration again; the error is the message.
pub type Loader = Box<dyn FnMut() -> Result<Config, Vec<ConfigError>>>;

/// The system.
pub struct RealHost {
    /// Who is ready, connections included.
    pub ready: Ready,
    /// Children's pipes.
    pub pipes: AllPipes,
    /// Children on their way to their programs.
    pub spawner: Spawner,
    /// Until when others may be started in this turn; before the first start: for ever.
    starts_until: Mono,
    /// Large files that were removed.
    pub removals: Removals,
    /// By the number in a [`FileId`].
    logs: Slab<Sink>,
    fastcgi: FastCgi,
    /// By the number in a [`SocketId`].
    sockets: Slab<OwnedFd>,
    echo: Echo,
    syslog: Syslog,
    zone: LocalZone,
    loader: Loader,
}

/// The foreground copy of the main log.
struct Echo {
    /// Opened when first needed; `None` also when stdout can't be used.
    sink: Option<(Sink, Option<Id>)>,
    tried: bool,
    /// What stdout didn't take yet.
    queue: VecDeque<u8>,
}

impl RealHost {
    /// A turn begins: takes back what children have left, and there is time for starts again.
    pub fn begin_turn(&mut self) {
        self.spawner.look();
        self.starts_until = Mono::NEVER;
    }

    /// A system without children or logs.
    pub fn new(registry: Registry, loader: Loader) -> Result<RealHost, Errno> {
        Ok(RealHost {
            ready: Ready::new(registry),
            pipes: AllPipes::default(),
            spawner: Spawner::new()?,
            starts_until: Mono::NEVER,
            removals: Removals::default(),
            logs: Slab::new(),
            fastcgi: FastCgi::default(),
            sockets: Slab::new(),
            echo: Echo { sink: None, tried: false, queue: VecDeque::new() },
            syslog: Syslog::default(),
            zone: LocalZone::default(),
            loader,
        })
    }

    /// Closes what a world that is gone had open.
    pub fn reset(&mut self) {
        self.logs.clear();
        self.sockets.clear();
        // Names may mean other addresses by now.
        self.fastcgi = FastCgi::default();
        self.pipes.close_all(&mut self.ready);
    }

    /// Stdout, full before, can take more of the foreground copy.
    pub fn continue_echo(&mut self) {
        let count = self.ready.count(List::Echo);
        for place in 0..count {
            self.ready.take(List::Echo, place);
        }
        self.ready.end_round(List::Echo, count);
        self.flush_echo();
    }

    /// Writes on what stdout didn't take before.
    fn flush_echo(&mut self) {
        let Some((sink, id)) = &mut self.echo.sink else { return };
        while !self.echo.queue.is_empty() {
            let (first, _) = self.echo.queue.as_slices();
            match sink.append(first) {
                Ok(count) if count > 0 => {
                    self.echo.queue.drain(..count);
                }
                Ok(_) | Err(Errno::EAGAIN) => {
                    if id.is_none() {
                        *id = self.ready.add(sink.fd(), Source::Echo).ok();
                    }
                    if let Some(id) = *id {
                        self.ready.write_would_block(id);
                        self.ready.want_write(id, true);
                    }
                    return;
                }
                // A broken stdout is ignored (LOG-011).
                Err(_) => self.echo.queue.clear(),
            }
        }
        if let Some(id) = *id {
            self.ready.want_write(id, false);
        }
    }

    /// The last chance of the foreground copy before the daemon exits.
    pub fn finish_echo(&mut self) {
        let end = clock::mono() + ECHO_PATIENCE;
        while !self.echo.queue.is_empty() && clock::mono() < end {
            self.flush_echo();
            if let Some((sink, _)) = &self.echo.sink
                && !self.echo.queue.is_empty()
            {
                io::wait_ready(sink.fd(), true, 50);
            }
        }
    }

    fn socket(&self, socket: SocketId) -> Result<RawFd, Errno> {
        self.sockets.get(socket.0 as usize).map(|fd| fd.as_raw_fd()).ok_or(Errno::EBADF)
    }

    fn log(&self, file: FileId) -> Result<&Sink, Errno> {
        self.logs.get(file.0 as usize).ok_or(Errno::EBADF)
    }
}

/// The daemon's own environment with `over` laid on it, later entries winning (PROC-056).
fn environment(over: &[(String, String)]) -> Result<Vec<CString>, Errno> {
    let own = std::env::vars_os().map(|(name, value)| (name.into_vec(), value.into_vec()));
    let over = over.iter().map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec()));
    // The last of each name, in the order of names.
    let mut all: Vec<(Vec<u8>, Vec<u8>)> = own.chain(over).collect();
    all.reverse();
    order::sort_by(&mut all, |one, other| one.0.cmp(&other.0));
    all.dedup_by(|later, first| later.0 == first.0);
    let joined = all.into_iter().map(|(name, value)| [name, value].join(&b'='));
    joined.map(|text| CString::new(text).map_err(|_| Errno::EINVAL)).collect()
}

/// An open folder, and who removes what is large.
struct OpenFolder<'a> {
    folder: folder::Folder,
    removals: &'a mut Removals,
}

impl Folder for OpenFolder<'_> {
    fn rename(&mut self, from: &str, to: &str) -> Result<(), Errno> {
        self.folder.rename(from.as_ref(), to.as_ref())
    }

    fn remove(&mut self, name: &str) -> Result<(), Errno> {
        self.removals.remove_in(&self.folder, name.as_ref())
    }

    fn is_folder(&mut self, name: &str) -> bool {
        self.folder.is_folder(name.as_ref())
    }

    fn names(&mut self, most: usize, take: &mut dyn FnMut(&[u8])) -> Result<(), Errno> {
        self.folder.names(most, take)
    }
}

impl Host for RealHost {
    fn spawn(&mut self, who: Key<Process>, order: &SpawnOrder<'_>) -> Result<Pid, SpawnError> {
        let environment = environment(order.environment).map_err(SpawnError::Fork)?;
        let socket = match order.socket {
            Some(id) => self.socket(id).map_err(SpawnError::Pipe)?,
            None => -1,
        };
        let ends = self
            .pipes
            .open(who, order.socket.is_none(), order.redirect_stderr, &mut self.ready)
            .map_err(SpawnError::Pipe)?;
        let result = self.spawner.spawn(Order {
            path: order.path,
            argv: order.argv,
            environment,
            directory: order.directory,
            umask: order.umask,
            cpus: order.cpus,
            account: order.user.map(|user| Account { uid: user.uid, gid: user.gid, groups: &user.groups }),
            fds: ends.fds(socket),
            parent_death_signal: order.parent_death_signal,
        });
        match result {
            Ok(pid) => {
                self.pipes.started(who, pid);
                Ok(pid)
            }
            Err(error) => {
                self.pipes.close(who, &mut self.ready);
                // clone needs no descriptor, but what is before it.
                let descriptors = matches!(error, Errno::EMFILE | Errno::ENFILE);
                Err(if descriptors { SpawnError::Pipe(error) } else { SpawnError::Fork(error) })
            }
        }
    }

    fn has_room(&mut self) -> bool {
        let now = clock::mono();
        self.starts_until = self.starts_until.min(now + TURN_WORK);
        now < self.starts_until && self.spawner.has_room()
    }

    fn kill(&mut self, pid: Pid, signal: i32, group: bool) -> Result<(), Errno> {
        bugs::rehearse("kill");
        self.spawner.signal(pid, signal, group)
    }

    fn write_stdin(&mut self, who: Key<Process>, bytes: &[u8]) -> Result<usize, Errno> {
        self.pipes.write(who, bytes, &mut self.ready)
    }

    fn pause_output(&mut self, who: Key<Process>, channel: Channel, paused: bool) {
        self.pipes.pause(who, channel, paused, &mut self.ready);
    }

    fn open_socket(&mut self, spec: &FastCgiSpec) -> Result<SocketId, String> {
        let fd = self.fastcgi.open(spec)?;
        Ok(SocketId(self.sockets.insert(fd) as u32))
    }

    fn could_open_socket(&mut self, spec: &FastCgiSpec) -> Result<(), String> {
        FastCgi::default().could_open(spec)
    }

    fn close_socket(&mut self, socket: SocketId) {
        self.sockets.try_remove(socket.0 as usize);
    }

    fn close_pipes(&mut self, who: Key<Process>) {
        self.pipes.close(who, &mut self.ready);
    }

    fn open_log(&mut self, path: &str) -> Result<Opened, Errno> {
        let sink = Sink::open(path)?;
        let (size, regular, identity) = (sink.size, sink.regular, sink.identity);
        let place = self.logs.insert(sink);
        Ok(Opened { file: FileId(place as u32), size, regular, identity })
    }

    fn append(&mut self, file: FileId, bytes: &[u8]) -> Result<usize, Errno> {
        if bytes.starts_with(b"bug") {
            bugs::rehearse("append");
        }
        self.log(file)?.append(bytes)
    }

    fn truncate(&mut self, file: FileId) -> Result<(), Errno> {
        self.log(file)?.truncate()
    }

    fn has_name(&mut self, file: FileId) -> bool {
        self.log(file).is_ok_and(|log| log.has_name())
    }

    fn close_log(&mut self, file: FileId) {
        self.logs.try_remove(file.0 as usize);
    }

    fn auto_log_path(&mut self, directory: &str, stem: &str) -> Result<String, Errno> {
        files::auto_log_path(directory, stem)
    }

    fn create_log(&mut self, path: &str) -> Result<(), Errno> {
        files::create_log(path)
    }

    fn open_folder(&mut self, path: &str) -> Result<Box<dyn Folder + '_>, Errno> {
        let (folder, _) = folder::Folder::of(Path::new(path))?;
        Ok(Box::new(OpenFolder { folder, removals: &mut self.removals }))
    }

    fn remove(&mut self, path: &str) -> Result<(), Errno> {
        self.removals.remove(path)
    }

    fn stat(&mut self, path: &str) -> Result<Meta, Errno> {
        let files::Stat { size, identity, modified, regular, null } = files::stat(path)?;
        Ok(Meta { size, identity, modified, regular, null })
    }

    fn read(&mut self, path: &str, offset: u64, length: usize) -> Result<Vec<u8>, Errno> {
        bugs::rehearse("read");
        files::read_slice(path, offset, length)
    }

    fn list(&mut self, directory: &str) -> Result<Vec<String>, Errno> {
        files::list(directory)
    }

    fn probe(&mut self, path: &str) -> Probe {
        match files::probe(path) {
            Executable::Missing => Probe::Missing,
            Executable::Directory => Probe::Directory,
            Executable::NotExecutable => Probe::NotExecutable,
            Executable::Denied => Probe::Denied,
            Executable::Yes => Probe::Executable,
        }
    }

    fn echo(&mut self, bytes: &[u8]) -> usize {
        if !self.echo.tried {
            self.echo.tried = true;
            self.echo.sink = Sink::own(1).ok().map(|sink| (sink, None));
        }
        let waiting = !self.echo.queue.is_empty();
        if self.echo.sink.is_none() || waiting && self.echo.queue.len() + bytes.len() > ECHO_BYTES {
            return bytes.len();
        }
        self.echo.queue.extend(bytes);
        // While older bytes wait, the poll will tell when to go on.
        if !waiting {
            self.flush_echo();
        }
        0
    }

    fn syslog(&mut self, ident: &str, text: &str) {
        let secs = clock::now().wall.secs();
        let at = Calendar::at(secs, self.zone.offset_at(secs));
        self.syslog.write(ident, text, &at);
    }

    fn env(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn uid(&self) -> u32 {
        process::uid()
    }

    fn pid(&self) -> Pid {
        process::pid()
    }

    fn local_offset(&mut self, secs: i64) -> i32 {
        self.zone.offset_at(secs)
    }

    fn load_config(&mut self) -> Result<Config, Vec<ConfigError>> {
        (self.loader)()
    }

    fn freed(&mut self) {
        process::put_together();
    }

    fn bug_report(&mut self) -> Option<String> {
        bugs::take()
    }
}

#[cfg(test)]
#[path = "rotation_tests.rs"]
mod rotation_tests;
