//! Every line that the main log can carry, declared once: its level and its text.
//!
//! Texts are the contract's (logging.md section 2), because people grep for them. `<n>` is a process's name without
//! its group.

use std::fmt;

use crate::base::words::{Level, Pid};

macro_rules! lines {
    ($($(#[$doc:meta])* $name:ident { $($field:ident : $kind:ty),* } $level:ident $text:literal;)*) => {
        /// A line of the main log.
        #[derive(Clone, PartialEq, Eq, Debug)]
        #[allow(missing_docs)]
        pub enum Line {
            /// A line whose level and text come from elsewhere: a client's (TWID-070), or a notice of the configuration
            /// (CFG-184). What the daemon itself has to say has a row of its own.
            Free(Level, String),
            $($(#[$doc])* $name { $($field: $kind),* },)*
        }

        impl Line {
            /// Every kind of line: name, level, text with its places in braces.
            pub const TABLE: &'static [(&'static str, Level, &'static str)] =
                &[$((stringify!($name), Level::$level, $text)),*];

            /// How severe the line is.
            pub fn level(&self) -> Level {
                match self {
                    Line::Free(level, _) => *level,
                    $(Line::$name { .. } => Level::$level,)*
                }
            }
        }

        impl fmt::Display for Line {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    Line::Free(_, text) => f.write_str(text),
                    $(Line::$name { $($field),* } => write!(f, $text),)*
                }
            }
        }
    };
}

lines! {
    /// LOG-020.
    StartedSupervisor { pid: Pid } Info "supervisord started with pid {pid}";
    /// LOG-021.
    Daemonizing {} Info "daemonizing the supervisord process";
    /// LOG-022.
    ChangedDirectory { directory: String } Info "set current directory: {directory}";
    /// LOG-022.
    NoDirectory { directory: String, error: String } Critical "can't chdir into {directory}: {error}";
    /// LOG-023.
    InterfaceReady { namespace: String } Info "RPC interface '{namespace}' initialized";
    /// LOG-024.
    NoAuthentication { section: String } Critical
        "Server '{section}' running without any HTTP authentication checking";
    /// LOG-025.
    SetUid { uid: u32 } Info "Set uid to user {uid} succeeded";
    /// LOG-025.
    RaisedLimit { name: String, limit: u64 } Info "Increased {name} limit to {limit}";
    /// CFG-183.
    RunningAsRoot {} Critical
        "Supervisor is running as root.  Privileges were not dropped because no user is specified in the config \
         file.  Say user=root in [supervisord] if that is meant.";
    /// `subreaper`.
    NoSubreaper { error: String } Critical "could not become a subreaper: {error}";
    /// `cpu_affinity`.
    NoAffinity { cpus: String, error: String } Critical "could not move to processors {cpus}: {error}";
    /// LOG-027.
    NoPidFile { path: String } Critical "could not write pidfile {path}";
    /// The reason for it, and what LOG-020 would have told.
    WithoutPidFile { pid: Pid, error: String } Warn "running with pid {pid} and without a pidfile: {error}";

    /// PROC-131, PROC-132.
    CreatingSocket { url: String } Info "Creating socket {url}";
    /// PROC-131, PROC-132.
    ClosingSocket { url: String } Info "Closing socket {url}";

    /// Somebody removed its file, perhaps a cleaner of temporary folders.
    SocketMadeAgain { path: String } Warn "unix socket {path} was removed and has been made again";
    /// The same, and its folder may be gone, too.
    SocketLost { path: String, error: String } Error
        "unix socket {path} was removed, can't be made again, and is tried again until it can: {error}";
    /// Its folder was elsewhere for a while.
    SocketBack { path: String } Info "unix socket {path} is in its place again";
    /// Not ours to take it away from whoever made it.
    SocketReplaced { path: String } Error
        "unix socket {path} was replaced by something else: it doesn't lead to this supervisord any more";

    /// LOG-028.
    Spawned { name: String, pid: Pid } Info "spawned: '{name}' with pid {pid}";
    /// LOG-029.
    Success { name: String, startsecs: i64 } Info
        "success: {name} entered RUNNING state, process has stayed up for > than {startsecs} seconds (startsecs)";
    /// LOG-030.
    ExitedExpected { name: String, status: String } Info "exited: {name} ({status}; expected)";
    /// LOG-030.
    ExitedUnexpected { name: String, status: String } Warn "exited: {name} ({status}; not expected)";
    /// LOG-031: the code is in `exitcodes`.
    StoppedWell { name: String, status: String } Info "stopped: {name} ({status})";
    /// LOG-031: any other end.
    StoppedOtherwise { name: String, status: String } Warn "stopped: {name} ({status})";
    /// LOG-032.
    SpawnErr { text: String } Info "spawnerr: {text}";
    /// LOG-032.
    GaveUp { name: String } Info "gave up: {name} entered FATAL state, too many start retries too quickly";
    /// LOG-033.
    WaitingToStop { name: String } Info "waiting for {name} to stop";
    /// LOG-033.
    WaitingToDie { names: String } Info "waiting for {names} to die";
    /// LOG-034.
    Sigkill { name: String, pid: Pid } Warn "killing '{name}' ({pid}) with SIGKILL";
    /// PROC-020.
    Killing { name: String, pid: Pid, group: &'static str, signal: String } Debug
        "killing {name} (pid {pid}) {group}with signal {signal}";
    /// PROC-023.
    KillInBackoff { name: String } Debug "Attempted to kill {name}, which is in BACKOFF state.";
    /// PROC-063.
    KillNotRunning { name: String, signal: String } Debug
        "attempted to kill {name} with sig {signal} but it wasn't running";
    /// PROC-065.
    Sending { name: String, pid: Pid, signal: String } Debug "sending {name} (pid {pid}) sig {signal}";
    /// PROC-030.
    AlreadyGone { name: String, pid: Pid, error: String } Debug
        "unable to signal {name} (pid {pid}), it probably just exited on its own: {error}";
    /// PROC-025.
    UnknownKillProblem { name: String, pid: Pid, error: String } Critical
        "unknown problem killing {name} ({pid}):{error}";
    /// PROC-025.
    UnknownSignalProblem { name: String, pid: Pid, error: String } Critical
        "unknown problem sending sig {name} ({pid}):{error}";
    /// PROC-061.
    AlreadyRunning { name: String } Warn "process '{name}' already running";
    /// LOG-036, PROC-033.
    ReapedUnknown { pid: Pid, status: String } Info "reaped unknown pid {pid} ({status})";

    /// SIG-001.
    ExitRequest { signal: String } Warn "received {signal} indicating exit request";
    /// SIG-002.
    RestartRequest {} Warn "received SIGHUP indicating restart request";
    /// SIG-003.
    RestartIgnored {} Warn "ignored SIGHUP indicating restart request (shutdown in progress)";
    /// SIG-005.
    ReopenRequest {} Info "received SIGUSR2 indicating log reopen request";
    /// SIG-005.
    Reopened {} Info "supervisord logreopen";
    /// SIG-006.
    ChildSignal {} Debug "received SIGCHLD indicating a child quit";
    /// A panic that was survived, or at least outlived.
    Bug { report: String } Critical "this is a bug of supervisord, please report it: {report}";
    /// What no longer holds.
    Broken { what: String } Critical
        "supervisord can't go on after a bug ({what}): stopping all programs, then exiting with status 70";
    /// Not even that was possible.
    EndingChildren { count: usize } Critical
        "supervisord can't even stop programs in order after a bug: ending {count} of them, then exiting with status 70";

    /// BUG-060.
    CannotReload { error: String } Critical "cannot reload: {error}";

    /// RPC-102.
    ReopeningLog {} Info "reopening log file";
    /// LOG-045.
    NoCleanUp { path: String } Warn "Failed to clean up '{path}'";
    /// LOG-045.
    NoClearDirectory {} Warn "Could not clear childlog dir";
    /// LOG-044: tried again when the process starts, which goes on without if it must.
    NoAutoLog { name: String, channel: &'static str, directory: String, error: String } Warn
        "could not create an automatic log for '{name}' {channel} in {directory}: {error}; its output is not kept";
    /// LOG-053.
    LogTrouble { name: String, text: String } Error "'{name}' log: {text}";
    /// LOG-053: the end of it.
    LogRecovered { name: String, text: String } Info "'{name}' log: {text}";
    /// `supervisor_stdout`: what it is given can't be printed fast enough.
    RelayLost { bytes: u64 } Error
        "{bytes} bytes that listeners relay to standard output were lost: its reader is too slow";
    /// What logs still held when everything began anew.
    LostAtReload { bytes: usize } Error "{bytes} bytes of logs were lost at the reload, as they could not be written";
    /// LOG-037.
    Output { name: String, channel: &'static str, text: String } Debug "'{name}' {channel} output:\n{text}";
    /// EVT-062.
    EmittedBlock { name: String, channel: &'static str } Debug "'{name}' {channel} emitted a comm event";
    /// EVT-083.
    BufferOverflowed { pool: String, serial: u64 } Error
        "pool {pool} event buffer overflowed, discarding event {serial}";
    /// EVT-090.
    Rebuffering { serial: u64, pool: String, size: usize, max: u64 } Debug
        "rebuffering event {serial} for pool {pool} (buf size={size}, max={max})";
    /// EVT-086.
    EventSent { serial: u64, name: String } Debug "event {serial} sent to listener {name}";
    /// EVT-086.
    EventPipeBroken { serial: u64, name: String } Debug
        "epipe occurred while sending event {serial} to listener {name}, listener state unchanged";
    /// EVT-106.
    ListenerMoved { name: String, from: &'static str, to: &'static str } Debug "{name}: {from} -> {to}";
    /// EVT-106.
    ListenerUnknown { name: String, why: String } Warn
        "{name}: has entered the UNKNOWN state and will no longer receive events until it is started again: {why}";
    /// EVT-104.
    BadResultLine { name: String, line: String } Warn "{name}: bad result line: '{line}'";
    /// EVT-122.
    EventProcessed { name: String } Debug "{name}: event was processed";
    /// EVT-123.
    EventRejected { name: String } Warn "{name}: event was rejected";
    /// EVT-124.
    EventFailed { name: String } Warn "{name}: event caused an error";
    /// LOG-038.
    ChannelClosed { fd: i32, name: String, channel: &'static str } Debug
        "fd {fd} closed, stopped monitoring '{name}' {channel}";

    /// RPC-181, RPC-182.
    InvalidRequest { data: String, why: &'static str } Error "XML-RPC request data {data} is invalid: {why}";
    /// RPC-208.
    MethodCalled { method: String } Trace "XML-RPC method called: {method}()";
    /// RPC-208.
    MethodReturned { method: String } Trace "XML-RPC method {method}() returned successfully";
    /// RPC-208.
    MethodFault { method: String, code: i32, text: String } Trace
        "XML-RPC method {method}() returned fault: [{code}] {text}";
    /// HTTP-048: a log that is no regular file can't be followed.
    CannotFollow { host: String, path: String } Error "{host}:Server Error: {path} is no regular file";
    /// A request that a page from elsewhere made a browser send, or one by a name that is not ours.
    Foreign { host: String, method: String, path: String, why: String } Warn
        "{host}: refused {method} {path}: {why}";
    /// What was not told one by one of the last three, since there was too much of it.
    MoreComplaints { count: u64, what: &'static str } Warn "{count} more requests within a minute {what}";
    /// HTTP-049.
    Access { host: String, stamp: String, request: String, status: u16, bytes: u64 } Trace
        "{host} - - [{stamp}] \"{request}\" {status} {bytes}";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_028_to_036_texts_that_people_grep_for() {
        let name = || "web".to_string();
        for (line, level, text) in [
            (Line::Spawned { name: name(), pid: 7 }, "INFO", "spawned: 'web' with pid 7"),
            (
                Line::Success { name: name(), startsecs: 1 },
                "INFO",
                "success: web entered RUNNING state, process has stayed up for > than 1 seconds (startsecs)",
            ),
            (
                Line::ExitedUnexpected { name: name(), status: "exit status 1".into() },
                "WARN",
                "exited: web (exit status 1; not expected)",
            ),
            (
                Line::GaveUp { name: name() },
                "INFO",
                "gave up: web entered FATAL state, too many start retries too quickly",
            ),
            (Line::Sigkill { name: name(), pid: 7 }, "WARN", "killing 'web' (7) with SIGKILL"),
            (
                Line::Killing { name: name(), pid: 7, group: "process group ", signal: "SIGTERM".into() },
                "DEBG",
                "killing web (pid 7) process group with signal SIGTERM",
            ),
            // LOG-036.
            (
                Line::ReapedUnknown { pid: 7, status: "exit status 0".into() },
                "INFO",
                "reaped unknown pid 7 (exit status 0)",
            ),
        ] {
            assert_eq!(line.level().code(), level, "{line}");
            assert_eq!(line.to_string(), text);
        }
    }

    #[test]
    fn the_table_of_lines_has_no_twins() {
        for (i, (_, level, text)) in Line::TABLE.iter().enumerate() {
            assert!(!Line::TABLE[i + 1..].iter().any(|(_, l, other)| other == text && l == level), "{text}");
        }
    }
}
