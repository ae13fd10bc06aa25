//! What the tests share that drive real programs: a daemon in a folder of its own, clients that speak bytes, and
//! Python with the published packages. Never guesses how long something takes: it waits for a condition, with a
//! deadline. Knows nothing of the daemon's own code but the tree of values.

// Each test file is a program of its own and uses a part of this.
#![allow(dead_code)]

pub mod daemon;
pub mod http;
pub mod namespaces;
pub mod packages;
pub mod proc;
pub mod python;
pub mod refusals;
pub mod storm;
pub mod terminal;
pub mod xmlrpc;

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// The two sockets and the three namespaces, as a user writes them; programs are appended.
pub const SERVERS: &str = "\
[unix_http_server]
file=%(here)s/supervisor.sock
[inet_http_server]
port=127.0.0.1:@PORT@
[supervisord]
logfile=%(here)s/supervisord.log
pidfile=%(here)s/supervisord.pid
childlogdir=%(here)s
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[rpcinterface:twiddler]
supervisor.rpcinterface_factory = supervisor_twiddler.rpcinterface:make_twiddler_rpcinterface
[rpcinterface:cache]
supervisor.rpcinterface_factory = supervisor_cache.rpcinterface:make_cache_rpcinterface
[supervisorctl]
serverurl=unix://%(here)s/supervisor.sock
[ctlplugin:cache]
supervisor.ctl_factory = supervisor_cache.controllerplugin:make_cache_controllerplugin
";

/// One socket and the main namespace, for tests of programs; they are appended.
pub const QUIET: &str = "\
[unix_http_server]
file=%(here)s/supervisor.sock
[supervisord]
logfile=%(here)s/supervisord.log
pidfile=%(here)s/supervisord.pid
childlogdir=%(here)s
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
";

/// The daemon that is tested: ours, or the one that `MAJORDOMO_SUPERVISORD` names. The second way is for checking a
/// test against the published program.
pub fn supervisord() -> PathBuf {
    match std::env::var_os("MAJORDOMO_SUPERVISORD") {
        Some(path) => path.into(),
        None => built("supervisord", env!("CARGO_BIN_EXE_supervisord")),
    }
}

/// Our client, from where the daemon comes.
pub fn supervisorctl() -> PathBuf {
    built("supervisorctl", env!("CARGO_BIN_EXE_supervisorctl"))
}

/// The program of the folder that `MAJORDOMO_BINARIES` names, so that what users build is tested without being built
/// once more for each test; else the one that was built with the test.
pub fn built(name: &str, with_the_test: &str) -> PathBuf {
    match std::env::var_os("MAJORDOMO_BINARIES") {
        Some(folder) => PathBuf::from(folder).join(name),
        None => with_the_test.into(),
    }
}

/// Whether the published program is tested instead of ours.
pub fn upstream() -> bool {
    std::env::var_os("MAJORDOMO_SUPERVISORD").is_some()
}

/// Whether to leave a test out because upstream does what `rule` forbids. Says so when it does.
pub fn upstream_differs(rule: &str) -> bool {
    if upstream() {
        println!("left out for the published program: {rule}");
    }
    upstream()
}

/// Waits until `ready` gives something, for at most `seconds`; then fails and says what was missed.
pub fn wait_for<T>(what: &str, seconds: u64, mut ready: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(seconds);
    loop {
        if let Some(found) = ready() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited {seconds} s in vain: {what}");
        std::thread::sleep(Duration::from_millis(3));
    }
}

/// Waits until `ready` is true, for at most `seconds`.
pub fn wait_until(what: &str, seconds: u64, mut ready: impl FnMut() -> bool) {
    wait_for(what, seconds, || ready().then_some(()));
}

/// A port that nobody listens on. Below the range that the system hands out to clients, so that none of them takes it
/// between now and its use.
pub fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    for _ in 0..10_000 {
        let step = NEXT.fetch_add(1, Ordering::Relaxed) + std::process::id().wrapping_mul(37);
        let port = 12_000 + (step % 18_000) as u16;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no free port");
}

/// A folder that is gone afterwards. Its path is short, because a unix socket's may have 107 bytes.
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// A new empty folder.
    pub fn new() -> Folder {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("mjd-{}-{number}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).expect("a folder for the test");
        Folder { path: path.canonicalize().expect("its real path") }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if std::env::var_os("MAJORDOMO_KEEP").is_none() {
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}
