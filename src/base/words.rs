//! The closed vocabularies of the contract: states, fault codes, signals, log levels, channels.

/// The release of Supervisor that we are compatible with, which is what we say we are (RPC-013, CFG-172).
pub const SUPERVISOR_VERSION: &str = "4.3.0";

/// The pid of a child. Never 0.
pub type Pid = i32;

/// State of one process (PROC-001 to 008). The number is what `getProcessInfo` reports.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[repr(i32)]
#[allow(missing_docs)]
pub enum State {
    Stopped = 0,
    Starting = 10,
    Running = 20,
    Backoff = 30,
    Stopping = 40,
    Exited = 100,
    Fatal = 200,
    Unknown = 1000,
}

impl State {
    /// `RUNNING` and so on.
    pub fn name(self) -> &'static str {
        match self {
            State::Stopped => "STOPPED",
            State::Starting => "STARTING",
            State::Running => "RUNNING",
            State::Backoff => "BACKOFF",
            State::Stopping => "STOPPING",
            State::Exited => "EXITED",
            State::Fatal => "FATAL",
            State::Unknown => "UNKNOWN",
        }
    }

    /// In the "stopped" set.
    pub fn is_stopped(self) -> bool {
        matches!(self, State::Stopped | State::Exited | State::Fatal | State::Unknown)
    }

    /// In the "running" set.
    pub fn is_running(self) -> bool {
        matches!(self, State::Starting | State::Running | State::Backoff)
    }

    /// May be sent a signal.
    pub fn is_signallable(self) -> bool {
        matches!(self, State::Starting | State::Running | State::Stopping)
    }
}

/// What the supervisor itself is doing (PROC-009). The number is what `getState` reports.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(i32)]
#[allow(missing_docs)]
pub enum Mood {
    Running = 1,
    Restarting = 0,
    Shutdown = -1,
}

impl Mood {
    /// `RUNNING`, `RESTARTING` or `SHUTDOWN`.
    pub fn name(self) -> &'static str {
        match self {
            Mood::Running => "RUNNING",
            Mood::Restarting => "RESTARTING",
            Mood::Shutdown => "SHUTDOWN",
        }
    }
}

/// A child's output stream.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
#[allow(missing_docs)]
pub enum Channel {
    Stdout,
    Stderr,
}

impl Channel {
    /// `stdout` or `stderr`.
    pub fn name(self) -> &'static str {
        match self {
            Channel::Stdout => "stdout",
            Channel::Stderr => "stderr",
        }
    }

    /// 0 or 1.
    pub fn index(self) -> usize {
        self as usize
    }
}

/// How a child ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// By itself, with this status.
    Code(i32),
    /// By a signal.
    Signal {
        /// Its number.
        signal: i32,
        /// Whether it left a core file.
        core: bool,
    },
}

impl Exit {
    /// The status that `exitstatus` shows: -1 after a signal (PROC-027).
    pub fn status(self) -> i32 {
        match self {
            Exit::Code(code) => code,
            Exit::Signal { .. } => -1,
        }
    }

    /// `exit status 1`, `terminated by SIGKILL`, `terminated by SIGABRT (core dumped)` (PROC-027).
    pub fn text(self) -> String {
        match self {
            Exit::Code(code) => format!("exit status {code}"),
            Exit::Signal { signal, core } => {
                let name = signal_name(signal).map_or_else(|| format!("signal {signal}"), |name| format!("SIG{name}"));
                format!("terminated by {name}{}", if core { " (core dumped)" } else { "" })
            }
        }
    }
}

/// Log levels (LOG-003 to 010).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(i32)]
#[allow(missing_docs)]
pub enum Level {
    Blather = 3,
    Trace = 5,
    Debug = 10,
    Info = 20,
    Warn = 30,
    Error = 40,
    Critical = 50,
}

impl Level {
    /// All levels, most severe first, with the word of a configuration and the code of a log line.
    pub const TABLE: [(Level, &'static str, &'static str); 7] = [
        (Level::Critical, "critical", "CRIT"),
        (Level::Error, "error", "ERRO"),
        (Level::Warn, "warn", "WARN"),
        (Level::Info, "info", "INFO"),
        (Level::Debug, "debug", "DEBG"),
        (Level::Trace, "trace", "TRAC"),
        (Level::Blather, "blather", "BLAT"),
    ];

    fn row(self) -> &'static (Level, &'static str, &'static str) {
        Self::TABLE.iter().find(|row| row.0 == self).unwrap_or(&Self::TABLE[0])
    }

    /// `INFO`.
    pub fn code(self) -> &'static str {
        self.row().2
    }

    /// `info`.
    pub fn word(self) -> &'static str {
        self.row().1
    }

    /// The level of a configuration word, any case (CFG-072).
    pub fn from_word(word: &str) -> Option<Level> {
        Self::TABLE.iter().find(|row| row.1.eq_ignore_ascii_case(word)).map(|row| row.0)
    }

    /// The level of a log code, any case (TWID-070).
    pub fn from_code(code: &str) -> Option<Level> {
        Self::TABLE.iter().find(|row| row.2.eq_ignore_ascii_case(code)).map(|row| row.0)
    }

    /// The level of a number (TWID-070).
    pub fn from_number(number: i64) -> Option<Level> {
        Self::TABLE.iter().find(|row| i64::from(row.0 as i32) == number).map(|row| row.0)
    }
}

/// What went wrong with a call, as XML-RPC reports it (RPC-020 to 037).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// The number clients test.
    pub code: i32,
    /// `<NAME>` or `<NAME>: <detail>`.
    pub text: String,
}

macro_rules! faults {
    ($($(#[$doc:meta])* $name:ident = $code:literal;)*) => {
        /// The registered fault codes.
        pub mod fault { $($(#[$doc])* pub const $name: i32 = $code;)* }
        const FAULTS: &[(i32, &str)] = &[$(($code, stringify!($name))),*];
    };
}

faults! {
    /// No such method.
    UNKNOWN_METHOD = 1;
    /// Wrong number or kind of arguments.
    INCORRECT_PARAMETERS = 2;
    /// Arguments of the right kind with values that make no sense.
    BAD_ARGUMENTS = 3;
    /// Nothing is known of the method asked about.
    SIGNATURE_UNSUPPORTED = 4;
    /// Refused because the supervisor is on its way out.
    SHUTDOWN_STATE = 6;
    /// No such process, group or key.
    BAD_NAME = 10;
    /// No such signal.
    BAD_SIGNAL = 11;
    /// No such file.
    NO_FILE = 20;
    /// A command that can't be run.
    NOT_EXECUTABLE = 21;
    /// The system refused.
    FAILED = 30;
    /// A start that ended otherwise.
    ABNORMAL_TERMINATION = 40;
    /// A start that failed.
    SPAWN_ERROR = 50;
    /// Nothing to start.
    ALREADY_STARTED = 60;
    /// Nothing to stop.
    NOT_RUNNING = 70;
    /// Only as a status within results.
    SUCCESS = 80;
    /// The group is active.
    ALREADY_ADDED = 90;
    /// The group has a live member.
    STILL_RUNNING = 91;
    /// The configuration is broken.
    CANT_REREAD = 92;
}

impl Fault {
    /// The registered name of a code; `UNKNOWN` for others (TWID-021).
    pub fn name_of(code: i32) -> &'static str {
        FAULTS.iter().find(|row| row.0 == code).map_or("UNKNOWN", |row| row.1)
    }

    /// A fault without detail.
    pub fn new(code: i32) -> Fault {
        Fault { code, text: Self::name_of(code).to_string() }
    }

    /// A fault with detail.
    pub fn with(code: i32, detail: impl AsRef<str>) -> Fault {
        Fault { code, text: format!("{}: {}", Self::name_of(code), detail.as_ref()) }
    }
}

/// Linux signals: the name without `SIG`, and the number. The first name of a number is the one shown.
pub const SIGNALS: &[(&str, i32)] = &[
    ("HUP", 1),
    ("INT", 2),
    ("QUIT", 3),
    ("ILL", 4),
    ("TRAP", 5),
    ("ABRT", 6),
    ("BUS", 7),
    ("FPE", 8),
    ("KILL", 9),
    ("USR1", 10),
    ("SEGV", 11),
    ("USR2", 12),
    ("PIPE", 13),
    ("ALRM", 14),
    ("TERM", 15),
    ("STKFLT", 16),
    ("CHLD", 17),
    ("CONT", 18),
    ("STOP", 19),
    ("TSTP", 20),
    ("TTIN", 21),
    ("TTOU", 22),
    ("URG", 23),
    ("XCPU", 24),
    ("XFSZ", 25),
    ("VTALRM", 26),
    ("PROF", 27),
    ("WINCH", 28),
    ("POLL", 29),
    ("PWR", 30),
    ("SYS", 31),
    ("RTMIN", 34),
    ("RTMAX", 64),
    ("IOT", 6),
    ("CLD", 17),
    ("IO", 29),
];

/// SIGKILL.
pub const SIGKILL: i32 = 9;
/// SIGTERM.
pub const SIGTERM: i32 = 15;

/// The shown name of a signal, without `SIG` (PROC-027).
pub fn signal_name(number: i32) -> Option<&'static str> {
    SIGNALS.iter().find(|row| row.1 == number).map(|row| row.0)
}

/// Reads a signal as configuration and RPC take it: a number, or a name with or without `SIG`, any case, trimmed
/// (CFG-066). Whether 0 is acceptable is the caller's decision: it is read here.
pub fn parse_signal(text: &str) -> Option<i32> {
    let text = text.trim();
    if let Ok(number) = text.parse::<i32>() {
        return (number == 0 || signal_name(number).is_some()).then_some(number);
    }
    let upper = text.to_ascii_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    SIGNALS.iter().find(|row| row.0 == name).map(|row| row.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cfg_066_signals_by_number_and_name() {
        for (text, number) in [("TERM", 15), ("sigterm", 15), (" 9 ", 9), ("IOT", 6), ("CLD", 17), ("RTMAX", 64)] {
            assert_eq!(parse_signal(text), Some(number), "{text}");
        }
        for text in ["", "SIG", "32", "33", "65", "-1", "_DFL", "NOPE"] {
            assert_eq!(parse_signal(text), None, "{text}");
        }
    }

    #[test]
    fn proc_027_exit_texts() {
        assert_eq!(Exit::Code(3).text(), "exit status 3");
        assert_eq!(Exit::Signal { signal: 9, core: false }.text(), "terminated by SIGKILL");
        assert_eq!(Exit::Signal { signal: 6, core: true }.text(), "terminated by SIGABRT (core dumped)");
        assert_eq!(Exit::Signal { signal: 29, core: false }.text(), "terminated by SIGPOLL");
        assert_eq!(Exit::Signal { signal: 40, core: false }.text(), "terminated by signal 40");
        assert_eq!(Exit::Signal { signal: 9, core: false }.status(), -1);
    }

    #[test]
    fn proc_001_sets_of_states() {
        use State::*;
        // PROC-001, PROC-002, PROC-003, PROC-004, PROC-005, PROC-006, PROC-007, PROC-008.
        for (state, code, stopped, running, signallable) in [
            (Stopped, 0, true, false, false),
            (Starting, 10, false, true, true),
            (Running, 20, false, true, true),
            (Backoff, 30, false, true, false),
            (Stopping, 40, false, false, true),
            (Exited, 100, true, false, false),
            (Fatal, 200, true, false, false),
            (Unknown, 1000, true, false, false),
        ] {
            assert_eq!(state as i32, code);
            assert_eq!(state.is_stopped(), stopped, "{state:?}");
            assert_eq!(state.is_running(), running, "{state:?}");
            assert_eq!(state.is_signallable(), signallable, "{state:?}");
        }
    }

    #[test]
    fn twid_021_a_code_without_a_name_is_unknown() {
        assert_eq!(Fault::with(230, "log").text, "UNKNOWN: log");
        assert_eq!(Fault::new(fault::BAD_NAME).text, "BAD_NAME");
    }
}
