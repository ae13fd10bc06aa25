//! The port through which the world asks the system for what its next state depends on.
//!
//! The reactor implements it with real system calls, the simulation with pretended ones. Streams (sockets, pipes)
//! are not here: their bytes arrive as `daemon::Input` and leave through queues.

use crate::base::cpus::Cpus;
use crate::base::errno::Errno;
use crate::base::key::Key;
use crate::base::words::{Channel, Pid};
use crate::config::error::ConfigError;
use crate::config::spec::{Config, FastCgiSpec, UserSpec};
use crate::world::process::Process;

/// An open log file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct FileId(pub u32);

/// An open listening socket for FastCGI programs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SocketId(pub u32);

/// What is at a path.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Meta {
    /// Bytes.
    pub size: u64,
    /// Device, inode and birth: the file's identity.
    pub identity: (u64, u64, u64),
    /// Seconds since 1970.
    pub modified: i64,
    /// A regular file, which may be read at an offset and rotated.
    pub regular: bool,
    /// The null device: no regular file, but read without waiting, and always empty.
    pub null: bool,
}

/// Whether a path can be executed (PROC-043).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)]
pub enum Probe {
    Missing,
    Directory,
    /// No x bit at all.
    NotExecutable,
    /// x bits, but none for us.
    Denied,
    Executable,
}

/// A log just opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Opened {
    /// To write with.
    pub file: FileId,
    /// Bytes already in it.
    pub size: u64,
    /// A regular file, which can be rotated (LOG-052).
    pub regular: bool,
    /// As [`Meta::identity`].
    pub identity: (u64, u64, u64),
}

/// Everything that a child needs, prepared before the fork.
#[derive(Debug)]
pub struct SpawnOrder<'a> {
    /// For messages.
    pub name: &'a str,
    /// Resolved executable.
    pub path: &'a str,
    /// All words; the first as written (PROC-045).
    pub argv: &'a [String],
    /// What is set over the daemon's own environment, later entries win (PROC-056).
    pub environment: &'a [(String, String)],
    /// Working directory.
    pub directory: Option<&'a str>,
    /// File mode mask.
    pub umask: Option<u32>,
    /// The processors on which it runs, if they are others than the daemon's.
    pub cpus: Option<&'a Cpus>,
    /// Account, if it is another than the daemon's.
    pub user: Option<&'a UserSpec>,
    /// stderr shares stdout's pipe.
    pub redirect_stderr: bool,
    /// What becomes stdin instead of a pipe (PROC-130).
    pub socket: Option<SocketId>,
    /// What it gets when the daemon dies.
    pub parent_death_signal: Option<i32>,
}

/// Why there is no child. The world words it (PROC-051).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SpawnError {
    /// A pipe could not be made.
    Pipe(Errno),
    /// fork failed.
    Fork(Errno),
}

/// A folder, open until it is dropped. Names are those in it, and links among them are not followed.
pub trait Folder {
    /// rename(2), but over nothing that is there: `EEXIST`, unless there is nothing to rename either (`ENOENT`).
    fn rename(&mut self, from: &str, to: &str) -> Result<(), Errno>;
    /// unlink(2); `EISDIR` for a folder.
    fn remove(&mut self, name: &str) -> Result<(), Errno>;
    /// Whether a name is a folder's.
    fn is_folder(&mut self, name: &str) -> bool;
    /// Hands all names to `take`, in no order. `E2BIG` as soon as there are more than `most`.
    fn names(&mut self, most: usize, take: &mut dyn FnMut(&[u8])) -> Result<(), Errno>;
}

/// What the world may ask of the system. No call blocks for longer than a local disk does.
pub trait Host {
    /// Starts a child with pipes to `who`; its end arrives as `Input::Exited` with the returned pid. Doesn't wait until
    /// it is its program: if it can't be, it says so on its stderr and ends (PROC-057).
    fn spawn(&mut self, who: Key<Process>, order: &SpawnOrder<'_>) -> Result<Pid, SpawnError>;
    /// Whether there is room for one more child on its way to its program, and time for it in this turn.
    /// [`Host::spawn`] works without, but then takes a processor from those who wait for one.
    fn has_room(&mut self) -> bool;
    /// Sends a signal, to the process group of `pid` if `group`.
    fn kill(&mut self, pid: Pid, signal: i32, group: bool) -> Result<(), Errno>;
    /// Writes to a child's stdin what fits now. `Ok(0)`: the pipe is full, `Input::StdinReady` will follow.
    /// `EPIPE`: the child closed it, or there is none.
    fn write_stdin(&mut self, who: Key<Process>, bytes: &[u8]) -> Result<usize, Errno>;
    /// Stops reading a child's channel (its log can't take more), or goes on.
    fn pause_output(&mut self, who: Key<Process>, channel: Channel, paused: bool);
    /// Opens the listening socket of FastCGI programs (PROC-133, PROC-134). The error is for the operator.
    fn open_socket(&mut self, spec: &FastCgiSpec) -> Result<SocketId, String>;
    /// Whether it could be opened; makes and removes no file.
    fn could_open_socket(&mut self, spec: &FastCgiSpec) -> Result<(), String>;
    /// Closes the daemon's copy of it; a unix socket's file stays (PROC-133).
    fn close_socket(&mut self, socket: SocketId);
    /// Closes all pipes of a child that has ended.
    fn close_pipes(&mut self, who: Key<Process>);

    /// Opens a log to append to, made with mode 0666 less umask. Never blocks on a FIFO: `EPIPE` when nobody reads it.
    fn open_log(&mut self, path: &str) -> Result<Opened, Errno>;
    /// Appends; may take only part. `Ok(0)` or `EAGAIN`: try later.
    fn append(&mut self, file: FileId, bytes: &[u8]) -> Result<usize, Errno>;
    /// Cuts an open log to nothing.
    fn truncate(&mut self, file: FileId) -> Result<(), Errno>;
    /// Whether an open log still has a name, be it another one: if not, what is written to it is gone with it.
    fn has_name(&mut self, file: FileId) -> bool;
    /// Closes a log.
    fn close_log(&mut self, file: FileId);
    /// The path `<directory>/<stem><8 of [a-z0-9_]>.log`, by chance (LOG-044).
    fn auto_log_path(&mut self, directory: &str, stem: &str) -> Result<String, Errno>;
    /// Makes a new, empty file with mode 0600; `EEXIST` if there is anything at the path.
    fn create_log(&mut self, path: &str) -> Result<(), Errno>;
    /// Opens the folder that a path's last part is in, to do something to its names.
    fn open_folder(&mut self, path: &str) -> Result<Box<dyn Folder + '_>, Errno>;
    /// unlink(2).
    fn remove(&mut self, path: &str) -> Result<(), Errno>;
    /// stat(2).
    fn stat(&mut self, path: &str) -> Result<Meta, Errno>;
    /// At most `length` bytes of a regular file from `offset`; anything else is an error, never a wait (RPC-117).
    fn read(&mut self, path: &str, offset: u64, length: usize) -> Result<Vec<u8>, Errno>;
    /// Names in a directory.
    fn list(&mut self, directory: &str) -> Result<Vec<String>, Errno>;
    /// Whether a path can be executed.
    fn probe(&mut self, path: &str) -> Probe;

    /// A piece of text for the foreground's stdout: the copy of the main log, or what a listener relays. Errors are
    /// ignored (LOG-011). Returns how many bytes were given up, as too much waits already: all or none.
    fn echo(&mut self, bytes: &[u8]) -> usize;
    /// One record to syslog; its absence disturbs nothing (LOG-062).
    fn syslog(&mut self, ident: &str, text: &str);

    /// A variable of the daemon's own environment.
    fn env(&self, name: &str) -> Option<String>;
    /// The daemon's user id.
    fn uid(&self) -> u32;
    /// The daemon's process id.
    fn pid(&self) -> Pid;
    /// Seconds that the local zone is east of Greenwich at this moment (seconds since 1970).
    fn local_offset(&mut self, secs: i64) -> i32;
    /// Reads the configuration again, with the command line it was first read with. The error is every mistake in
    /// it, at least one.
    fn load_config(&mut self) -> Result<Config, Vec<ConfigError>>;
    /// Much that is small was freed, and more is going to be.
    fn freed(&mut self) {}
    /// What is known of the last panic, once: message, place and calls. `None`: only the message is.
    fn bug_report(&mut self) -> Option<String> {
        None
    }
}
