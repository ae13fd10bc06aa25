//! What a configuration says once it is checked: plain data, no text left to interpret.
//!
//! Everything downstream (world, reactor, `--check`) reads these and never the file.

use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use crate::base::cpus::Cpus;
use crate::base::events::Kinds;
use crate::base::limits;
use crate::base::words::Level;
pub use crate::config::reader::Context;

/// A whole configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// `[supervisord]`, with the command line's overrides applied.
    pub daemon: DaemonSpec,
    /// HTTP servers: inet ones in file order, then unix ones (CFG-160).
    pub servers: Vec<ServerSpec>,
    /// `[rpcinterface:…]` sections in file order.
    pub interfaces: Vec<InterfaceSpec>,
    /// Groups in ascending (priority, name) (CFG-157), names unique (CFG-158).
    pub groups: Vec<GroupSpec>,
    /// What to log once the main log is open, ordered as CFG-184 says.
    pub notices: Vec<crate::config::error::Notice>,
    /// What programs that are added later may refer to (`config::read_program`).
    pub context: Rc<Context>,
}

/// `[supervisord]`.
#[derive(Clone, Debug, PartialEq)]
pub struct DaemonSpec {
    /// The main log; `None` is syslog.
    pub logfile: Option<PathBuf>,
    /// Bytes; 0 never rotates.
    pub logfile_maxbytes: u64,
    /// How many rotated files are kept.
    pub logfile_backups: u32,
    /// The least severe level that is written.
    pub loglevel: Level,
    /// Absolute.
    pub pidfile: PathBuf,
    /// Applied when daemonizing.
    pub umask: u32,
    /// Stay in the foreground.
    pub nodaemon: bool,
    /// No main log on stdout.
    pub silent: bool,
    /// RLIMIT_NOFILE to reach.
    pub minfds: u64,
    /// RLIMIT_NPROC to reach.
    pub minprocs: u64,
    /// Keep automatic child logs of earlier runs.
    pub nocleanup: bool,
    /// Where automatic child logs go.
    pub childlogdir: PathBuf,
    /// Account to switch to.
    pub user: Option<UserSpec>,
    /// chdir when daemonizing.
    pub directory: Option<PathBuf>,
    /// Strip ANSI sequences from child logs.
    pub strip_ansi: bool,
    /// Added to every child's environment; already merged into each [`ProcessSpec`].
    pub environment: Vec<(String, String)>,
    /// Name of this supervisor.
    pub identifier: String,
    /// Directory of the configuration file, absolute: `%(here)s`.
    pub here: PathBuf,
    /// The configuration file as the user named it, for messages.
    pub file: String,
    /// What children get as SUPERVISOR_SERVER_URL unless their own `serverurl` says otherwise (CFG-165).
    pub serverurl: Option<String>,
    /// Ours: results of system.multicall are one-element arrays (DEC-011).
    pub multicall_arrays: bool,
    /// Ours: orphans of programs become our children.
    pub subreaper: bool,
    /// Ours: what the kernel sends to children when we die.
    pub parent_death_signal: Option<i32>,
    /// Ours: where we run, and programs that say nothing else.
    pub cpu_affinity: Option<Cpus>,
}

/// An account. Equal are those of one user id (CFG-224).
#[derive(Clone, Debug)]
pub struct UserSpec {
    /// Text as configured.
    pub text: String,
    /// User id.
    pub uid: u32,
    /// Primary group.
    pub gid: u32,
    /// Supplementary groups that name the user (CFG-182).
    pub groups: Vec<u32>,
}

impl PartialEq for UserSpec {
    fn eq(&self, other: &UserSpec) -> bool {
        self.uid == other.uid
    }
}

impl Eq for UserSpec {}

/// One HTTP server.
#[derive(Clone, Debug, PartialEq)]
pub struct ServerSpec {
    /// The section's name, e.g. `inet_http_server:a`.
    pub section: String,
    /// Where it listens.
    pub address: Address,
    /// Empty or absent: no authentication.
    pub username: Option<String>,
    /// Plain, or `{SHA}` and 40 hex digits.
    pub password: Option<String>,
    /// What it bears of its clients.
    pub limits: ServerLimits,
    /// Who else may come, and how.
    pub access: AccessSpec,
}

/// Who may come to a server besides those who may do everything, and how.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccessSpec {
    /// Ours: name and password, as for the other account, of who may look and change nothing.
    pub viewer: Option<(String, String)>,
    /// Ours: names that a `Host` header may have; all if empty.
    pub hosts: Vec<String>,
    /// Ours: GET requests of the web page change things, as Supervisor's do.
    pub get_actions: bool,
}

impl Default for AccessSpec {
    fn default() -> AccessSpec {
        AccessSpec { viewer: None, hosts: Vec::new(), get_actions: true }
    }
}

/// What a server bears of its clients.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ServerLimits {
    /// Bytes of a request's body, and of what is packed in it.
    pub body_bytes: u64,
    /// Connections at once.
    pub connections: usize,
    /// Of a connection without a request in progress; `None`: for ever.
    pub idle: Option<Duration>,
    /// Of a request that was begun; `None`: for ever.
    pub slow_request: Option<Duration>,
}

impl Default for ServerLimits {
    fn default() -> ServerLimits {
        ServerLimits {
            body_bytes: limits::BODY_BYTES,
            connections: limits::CONNECTIONS,
            idle: Some(limits::IDLE),
            slow_request: Some(limits::SLOW_REQUEST),
        }
    }
}

/// Where a server listens.
#[derive(Clone, Debug, PartialEq)]
pub enum Address {
    /// TCP. An empty host is every IPv4 interface.
    Inet {
        /// Lower-cased host name or address.
        host: String,
        /// 1 to 65535.
        port: u16,
    },
    /// A unix socket.
    Unix {
        /// Absolute.
        path: PathBuf,
        /// Permission bits.
        mode: u32,
        /// New owner and group; -1 leaves one as it is.
        chown: (i64, i64),
    },
}

/// An XML-RPC namespace.
#[derive(Clone, Debug, PartialEq)]
pub struct InterfaceSpec {
    /// The part of the section's name behind the colon.
    pub namespace: String,
    /// What stands behind it.
    pub kind: InterfaceKind,
}

/// The built-in interfaces, by their Python factory.
#[derive(Clone, Debug, PartialEq)]
pub enum InterfaceKind {
    /// `supervisor.rpcinterface:make_main_rpcinterface`.
    Main,
    /// `supervisor_twiddler.rpcinterface:make_twiddler_rpcinterface`.
    Twiddler {
        /// What getAPIVersion answers.
        api_version: String,
        /// Methods allowed; empty allows all.
        whitelist: Vec<String>,
    },
    /// `supervisor_cache.rpcinterface:make_cache_rpcinterface`.
    Cache {
        /// Any XML-RPC type, not only strings.
        any: bool,
        /// How much keys and values may take together (CACHE-025).
        max_bytes: Option<u64>,
    },
    /// Something that is not built in: said in one CRIT line, and without methods.
    Foreign {
        /// As configured.
        factory: String,
    },
}

/// A process group.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupSpec {
    /// Unique.
    pub name: String,
    /// Lower starts first and stops last.
    pub priority: i64,
    /// What kind of group.
    pub kind: GroupKind,
    /// Members in configuration order.
    pub processes: Vec<Rc<ProcessSpec>>,
}

/// Kinds of group.
#[derive(Clone, Debug, PartialEq)]
pub enum GroupKind {
    /// `[program:x]` or `[group:x]`.
    Plain,
    /// `[eventlistener:x]`.
    Pool(PoolSpec),
    /// `[fcgi-program:x]`.
    FastCgi(FastCgiSpec),
}

/// What listeners are told of, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct PoolSpec {
    /// Subscribed types, upper case, sorted, unique.
    pub events: Vec<String>,
    /// The same as a set of the types that are sent.
    pub kinds: Kinds,
    /// How much may wait for a listener.
    pub bound: Bound,
    /// What judges the listeners' results.
    pub result_handler: ResultHandler,
    /// Ours: what `len` counts.
    pub len_unit: LenUnit,
    /// Ours: PROCESS_STATE_EXITED says the exit status and the signal.
    pub exit_status: bool,
}

/// How much may wait in a pool's buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// So many events; at least one.
    Count(u64),
    /// Ours: so many bytes; at least one.
    Bytes(u64),
}

/// What `len` in the line before an event counts (EVT-088).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum LenUnit {
    Characters,
    Bytes,
}

/// What judges the results of listeners: the Python result handlers that are built in (CFG-153).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResultHandler {
    /// EVT-120: `OK` or not.
    Default,
    /// EVT-121: may answer with words for the process that the event is about.
    StdinWrite,
    /// As the PyPI package supervisor-stdout: results that repeat a PROCESS_LOG payload are printed.
    Stdout,
}

impl ResultHandler {
    /// All of them, by the name that files give them.
    pub const TABLE: [(ResultHandler, &str); 3] = [
        (ResultHandler::Default, "supervisor.dispatchers:default_handler"),
        (ResultHandler::StdinWrite, "supervisor_twiddler.resulthandler:stdin_write_handler"),
        (ResultHandler::Stdout, "supervisor_stdout:event_handler"),
    ];

    /// The handler that a file names.
    pub fn named(name: &str) -> Option<ResultHandler> {
        Self::TABLE.iter().find(|row| row.1 == name).map(|row| row.0)
    }

    /// Its name in a file.
    pub fn name(self) -> &'static str {
        Self::TABLE.iter().find(|row| row.0 == self).map_or("", |row| row.1)
    }
}

/// The socket that FastCGI members share.
#[derive(Clone, Debug, PartialEq)]
pub struct FastCgiSpec {
    /// `unix:///path` or `tcp://host:port`.
    pub url: String,
    /// listen(2) backlog; `None` is SOMAXCONN.
    pub backlog: Option<u32>,
    /// Unix: owner and group of the socket file.
    pub owner: Option<(i64, i64)>,
    /// Unix: permission bits.
    pub mode: u32,
}

/// `autorestart`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Autorestart {
    Never,
    Always,
    /// Unless the exit status is in `exitcodes`.
    Unexpected,
}

/// Where a child's output goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogFile {
    /// Nowhere.
    None,
    /// A generated file in `childlogdir`.
    Auto,
    /// This file; a relative name is relative to the daemon's directory.
    Path(String),
}

/// One output stream's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelSpec {
    /// The file.
    pub logfile: LogFile,
    /// Bytes; 0 never rotates.
    pub maxbytes: u64,
    /// How many rotated files are kept.
    pub backups: u32,
    /// Bytes of the capture buffer; 0 is capture off.
    pub capture_maxbytes: u64,
    /// Emit PROCESS_LOG events.
    pub events: bool,
    /// Copy lines to syslog.
    pub syslog: bool,
}

/// One process, as configured. Equality is what `reread` calls unchanged (CFG-224).
#[derive(Clone, Debug, PartialEq)]
pub struct ProcessSpec {
    /// Unique in its group.
    pub name: String,
    /// Expanded, not yet split into words.
    pub command: String,
    /// Account to run as.
    pub user: Option<UserSpec>,
    /// Working directory.
    pub directory: Option<String>,
    /// File mode mask.
    pub umask: Option<u32>,
    /// Ours: the processors on which it runs.
    pub cpu_affinity: Option<Rc<Cpus>>,
    /// Order within the group.
    pub priority: i64,
    /// Start with the daemon.
    pub autostart: bool,
    /// Start again after an exit.
    pub autorestart: Autorestart,
    /// Seconds to stay up to count as started.
    pub startsecs: i64,
    /// Failed starts before giving up.
    pub startretries: i64,
    /// Expected exit statuses.
    pub exitcodes: Vec<i32>,
    /// First signal of a stop.
    pub stopsignal: i32,
    /// Seconds until SIGKILL.
    pub stopwaitsecs: i64,
    /// Stop the whole process group.
    pub stopasgroup: bool,
    /// SIGKILL the whole process group.
    pub killasgroup: bool,
    /// stderr goes where stdout goes.
    pub redirect_stderr: bool,
    /// stdout, stderr.
    pub channels: [ChannelSpec; 2],
    /// Program environment over `[supervisord] environment`, sorted by name.
    pub environment: Vec<(String, String)>,
    /// `SUPERVISOR_SERVER_URL`; `None` is computed (CFG-165).
    pub serverurl: Option<String>,
    /// The socket of a FastCGI program, which it keeps in any group (PROC-135).
    pub socket: Option<Rc<FastCgiSpec>>,
}
