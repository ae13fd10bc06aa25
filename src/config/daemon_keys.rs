//! The keys of `[supervisord]` (CFG-100 to CFG-116), in the order in which they are read.

use crate::base::cpus::Cpus;
use crate::base::words::Level;
use crate::config::table::keys;

keys! {
    /// `[supervisord]`, as read: paths not yet absolute.
    pub struct DaemonKeys {
        /// How many file descriptors must be available; the soft limit is raised to it.
        minfds: i64 = integer or "1024", HERE => "a";
        /// How many processes must be available; the soft limit is raised to it.
        minprocs: i64 = integer or "200", HERE => "";
        /// Where to change to when daemonizing.
        directory: String = directory or none, HERE => "d";
        /// The account to switch to when started as root.
        user: crate::config::spec::UserSpec = user or none, HERE => "u";
        /// File mode mask of the daemon, set when daemonizing.
        umask: u32 = octal or "022", HERE => "m";
        /// The main log, or `syslog`.
        logfile: String = path_in_directory or "supervisord.log", HERE => "l";
        /// The main log is rotated when it has grown to this; 0 is never.
        logfile_maxbytes: u64 = size or "50MB", HERE => "y";
        /// How many rotated main logs are kept.
        logfile_backups: u32 = count or "10", HERE => "z";
        /// The least severe level that is logged.
        loglevel: Level = level or "info", HERE => "e";
        /// Where the process id is written.
        pidfile: String = path_in_directory or "supervisord.pid", HERE => "j";
        /// The name of this supervisor, in events and in names of automatic logs.
        identifier: String = text or "supervisor", HERE => "i";
        /// Stay in the foreground.
        nodaemon: bool = boolean or "false", HERE => "n";
        /// No copy of the main log on standard output in the foreground.
        silent: bool = boolean or "false", HERE => "s";
        /// Where automatic logs of programs go; the system's directory for temporary files if absent.
        childlogdir: String = directory or none, HERE => "q";
        /// Keep the automatic logs of earlier runs.
        nocleanup: bool = boolean or "false", HERE => "k";
        /// Remove ANSI escape sequences from logs of programs.
        strip_ansi: bool = boolean or "false", HERE => "t";
        /// Variables for every program.
        environment: Vec<(String, String)> = environment or "", HERE;
        /// What a result of system.multicall looks like: the bare value, or an array with the value in it.
        multicall_results: bool = results_form or "bare", HERE, ours;
        /// Take in the orphans of programs, as process 1 does: children that outlive their parents are reaped here.
        subreaper: bool = boolean or "false", HERE, ours;
        /// What programs get when supervisord dies without having stopped them, as by SIGKILL or a crash; nothing if
        /// absent, so that they live on. Not those whose executable changes the user (setuid), nor children of theirs.
        parent_death_signal: i32 = signal or none, HERE, ours;
        /// The processors on which supervisord runs, and programs without a cpu_affinity of their own.
        cpu_affinity: Cpus = cpus or none, HERE, ours;
    }
}
