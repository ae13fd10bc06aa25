//! The keys of programs, event listeners, FastCGI programs and groups (CFG-120 to CFG-156).
//!
//! Keys of processes may refer to the process's number; they are read once for each process. The order of rows is the
//! order of reading, and so of messages.

use crate::base::cpus::Cpus;
use crate::base::words::Channel;
use crate::config::effective::{self, numbers, size, text, uid};
use crate::config::kinds::LogChoice;
use crate::config::spec::{Autorestart, LenUnit, UserSpec};
use crate::config::table::keys;

keys! {
    /// What is read once for a program.
    pub struct ProgramKeys {
        /// Programs with lower numbers start first and stop last.
        priority: i64 = integer or "999", PROGRAM
            -> process_prio |of| of.spec.priority.into();
        /// Start with the daemon.
        autostart: bool = boolean or "true", PROGRAM
            -> autostart |of| of.spec.autostart.into();
        /// Whether to start again after an exit.
        autorestart: Autorestart = autorestart or "unexpected", PROGRAM
            -> autorestart |of| effective::autorestart(of.spec.autorestart);
        /// Seconds to stay up to count as started.
        startsecs: i64 = integer or "1", PROGRAM
            -> startsecs |of| of.spec.startsecs.into();
        /// Failed starts in a row before giving up.
        startretries: i64 = integer or "3", PROGRAM
            -> startretries |of| of.spec.startretries.into();
        /// The signal that asks to stop.
        stopsignal: i32 = signal or "TERM", PROGRAM
            -> stopsignal |of| i64::from(of.spec.stopsignal).into();
        /// Seconds from that signal to SIGKILL.
        stopwaitsecs: i64 = integer or "10", PROGRAM
            -> stopwaitsecs |of| of.spec.stopwaitsecs.into();
        /// Send the stop signal to the whole process group.
        stopasgroup: bool = boolean or "false", PROGRAM;
        /// Send SIGKILL to the whole process group; as stopasgroup if absent.
        killasgroup: bool = boolean or none, PROGRAM
            -> killasgroup |of| of.spec.killasgroup.into();
        /// Exit statuses that are expected.
        exitcodes: Vec<i32> = exitcodes or "0", PROGRAM
            -> exitcodes |of| numbers(&of.spec.exitcodes);
        /// Standard error goes where standard output goes.
        redirect_stderr: bool = boolean or "false", PROGRAM
            -> redirect_stderr |of| of.spec.redirect_stderr.into();
        /// How many processes.
        numprocs: i64 = integer or "1", PROGRAM;
        /// The number of the first process.
        numprocs_start: i64 = integer or "0", PROGRAM;
        /// Variables for this program, over those of [supervisord]. May refer to the process's number.
        environment: String = text or "", RAW;
        /// Bytes kept of what stands between capture marks on standard output; 0 is no capture.
        stdout_capture_maxbytes: u64 = size or "0", PROGRAM
            -> stdout_capture_maxbytes |of| size(of.spec.channels[0].capture_maxbytes);
        /// Send an event for each piece of standard output.
        stdout_events_enabled: bool = boolean or "false", PROGRAM
            -> stdout_events_enabled |of| of.spec.channels[0].events.into();
        /// Bytes kept of what stands between capture marks on standard error; 0 is no capture.
        stderr_capture_maxbytes: u64 = size or "0", PROGRAM
            -> stderr_capture_maxbytes |of| size(of.spec.channels[1].capture_maxbytes);
        /// Send an event for each piece of standard error.
        stderr_events_enabled: bool = boolean or "false", PROGRAM
            -> stderr_events_enabled |of| of.spec.channels[1].events.into();
        /// What the program is told as SUPERVISOR_SERVER_URL; AUTO is the first of our servers.
        serverurl: Option<String> = url_or_auto or "AUTO", PROGRAM
            -> serverurl |of| text(of.spec.serverurl.as_deref());
        /// The account to run as.
        user: UserSpec = user or none, PROGRAM
            -> uid |of| uid(of.spec.user.as_ref());
        /// File mode mask; the daemon's if absent.
        umask: u32 = octal or none, PROGRAM;
        /// Name of the process; with %(process_num)d if there are several.
        process_name: String = name or "%(program_name)s", RAW;
    }
}

keys! {
    /// What is read for each process.
    pub struct ProcessKeys {
        /// Working directory.
        directory: String = text or none, PROCESS
            -> directory |of| text(of.spec.directory.as_deref());
        /// Log of standard output: a file, AUTO or NONE.
        stdout_logfile: LogChoice = logfile or "AUTO", LOGFILE
            -> stdout_logfile |of| of.log(Channel::Stdout);
        /// How many rotated logs are kept.
        stdout_logfile_backups: u32 = count or "10", PROCESS
            -> stdout_logfile_backups |of| i64::from(of.spec.channels[0].backups).into();
        /// The log is rotated when it has grown to this; 0 is never.
        stdout_logfile_maxbytes: u64 = size or "50MB", PROCESS
            -> stdout_logfile_maxbytes |of| size(of.spec.channels[0].maxbytes);
        /// Send standard output to syslog too.
        stdout_syslog: bool = boolean or "false", PROCESS
            -> stdout_syslog |of| of.spec.channels[0].syslog.into();
        /// Log of standard error: a file, AUTO or NONE.
        stderr_logfile: LogChoice = logfile or "AUTO", LOGFILE
            -> stderr_logfile |of| of.log(Channel::Stderr);
        /// How many rotated logs are kept.
        stderr_logfile_backups: u32 = count or "10", PROCESS
            -> stderr_logfile_backups |of| i64::from(of.spec.channels[1].backups).into();
        /// The log is rotated when it has grown to this; 0 is never.
        stderr_logfile_maxbytes: u64 = size or "50MB", PROCESS
            -> stderr_logfile_maxbytes |of| size(of.spec.channels[1].maxbytes);
        /// Send standard error to syslog too.
        stderr_syslog: bool = boolean or "false", PROCESS
            -> stderr_syslog |of| of.spec.channels[1].syslog.into();
        /// What to run, with arguments; no shell is involved.
        command: String = text or none, PROCESS
            -> command |of| of.spec.command.as_str().into();
        /// The processors on which it runs; the daemon's if absent. May refer to the process's number.
        cpu_affinity: Cpus = cpus or none, PROCESS, ours;
    }
}

keys! {
    /// What is read once more for the group of a program that is listed in no other.
    pub struct OwnGroupKeys {
        /// Order among groups.
        priority: i64 = integer or "999", HERE;
    }
}

keys! {
    /// `[group:x]`.
    pub struct GroupKeys {
        /// Groups with lower numbers start first and stop last.
        priority: i64 = integer or "999", HERE;
        /// The members.
        programs: Vec<String> = list or "", HERE;
    }
}

keys! {
    /// What `[eventlistener:x]` has besides the keys of a program.
    pub struct ListenerKeys {
        /// Order among groups: by default before all programs.
        priority: i64 = integer or "-1", HERE;
        /// How many events may wait for a listener; what is too much pushes out the oldest. With auto, which is ours,
        /// it is as if buffer_bytes were 8MB. Supervisor refuses auto: a file for both has buffer_bytes instead.
        buffer_size: Option<i64> = count_or_auto or "10", HERE;
        /// How many bytes of events may wait for a listener, however many events that is; buffer_size does not count
        /// then.
        buffer_bytes: u64 = size or none, HERE, ours;
        /// What judges the listener's results.
        result_handler: String = text or "supervisor.dispatchers:default_handler", HERE;
        /// The events to be told of.
        events: Vec<String> = list or "", HERE;
        /// What len in the line before an event counts.
        len_unit: LenUnit = len_unit or "characters", HERE, ours;
        /// Events of the type PROCESS_STATE_EXITED also say exitstatus (-1 after a signal) and signal (0 if there was
        /// none), both in numbers.
        exit_status_in_events: bool = boolean or "false", HERE, ours;
    }
}

keys! {
    /// The one key that a listener must not switch on.
    pub struct ListenerRedirect {
        /// Standard error goes where standard output goes.
        redirect_stderr: bool = boolean or "false", HERE;
    }
}

keys! {
    /// What `[fcgi-program:x]` has besides the keys of a program.
    pub struct SocketKeys {
        /// Length of the queue of connections; the system's limit if absent.
        socket_backlog: i64 = integer or none, HERE;
        /// The account to run as; a unix socket is given to it.
        user: UserSpec = user or none, HERE;
        /// Owner of a unix socket; the program's user if absent.
        socket_owner: String = text or none, HERE;
        /// Permission bits of a unix socket; 0700 if absent.
        socket_mode: String = text or none, HERE;
        /// unix:///path or tcp://host:port.
        socket: String = text or none, SOCKET;
    }
}
