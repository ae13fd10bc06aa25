//! The rules that no storm may break, declared once; each has a mutant that breaks it (`sim::mutant`).

use std::fmt;

macro_rules! rules {
    ($($name:ident $text:literal;)*) => {
        /// Something that must hold after every step.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        pub enum Rule { $(#[doc = $text] $name),* }

        impl Rule {
            /// All of them.
            pub const ALL: &'static [Rule] = &[$(Rule::$name),*];

            /// What it says.
            pub fn text(self) -> &'static str {
                match self { $(Rule::$name => $text),* }
            }
        }
    };
}

rules! {
    Sound "the world agrees with itself: pids, deadlines, alarms, groups, queues (World::check)";
    Moves "states change along the contract's arrows, each change is reported, and for a reason (process.md 2)";
    Asked "nobody is started, stopped or called off whom neither the configuration nor a client wants so (PROC-010 to 013)";
    Startsecs "STARTING lasts for startsecs, and who ended before that failed (PROC-014, PROC-016, PROC-026)";
    Spacing "automatic restarts are a second apart (PROC-019)";
    Pauses "the pauses before retries are 1, 2, 3, ... seconds (PROC-028)";
    Retries "there are startretries + 1 attempts, then FATAL at once (PROC-017, PROC-028, PROC-029)";
    Overdue "what is to happen at a moment has happened when its turn is over (PROC-034)";
    OneChild "a process has one child at most";
    Exits "who was reaped has no pid, who lives is not forgotten (PROC-018, PROC-021)";
    StopSignal "one stop signal, the right one, to the process or its group as configured (PROC-062, 065, 069)";
    Patience "SIGKILL comes after stopwaitsecs, and is repeated no sooner (PROC-022)";
    NoStarts "nothing starts while the daemon goes (PROC-032)";
    Order "at the end groups stop one after the other, and members, by descending priority (PROC-073)";
    Ends "once told to, the daemon ends as soon as no child is left (PROC-074, PROC-077)";
    Mood "RUNNING, then RESTARTING or SHUTDOWN, and never back (SIG-004)";
    Removal "only what is stopped can be removed (PROC-081)";
    Answers "each question gets one answer, in order, or its connection is gone";
    Waits "who waited for a start or a stop is told the truth (RPC-053, RPC-056)";
    Watched "an open page that has read all there is knows all there is";
    Bounds "what waits for a client is bounded";
    Bytes "each byte that a child printed is in its log in order, held, or counted as lost; the main log's, too";
    Rotation "rotation destroys nothing but the oldest backup, and keeps their order (LOG-070 to 075)";
    Stdin "what is sent to a child arrives in order and whole (PROC-090)";
    Events "each event of a pool is accepted once, with one listener, waiting or discarded with a word (EVT-083 to 090)";
    Handles "no log file and no pipe stays open without a reason";
    Sockets "a FastCGI socket is open exactly while a child has it (PROC-131)";
    Spins "a turn comes to its end";
    Idle "nobody is woken for a client that is gone";
}

/// A rule was broken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Broken {
    /// Which one.
    pub rule: Rule,
    /// By whom and how.
    pub what: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\nThe rule {:?}: {}", self.what, self.rule, self.rule.text())
    }
}

/// What a check comes to.
pub type Checked<T = ()> = Result<T, Broken>;

impl Rule {
    /// It is broken.
    pub fn broken<T>(self, what: impl Into<String>) -> Checked<T> {
        Err(Broken { rule: self, what: what.into() })
    }

    /// It is broken unless `holds`.
    pub fn holds_if(self, holds: bool, what: impl FnOnce() -> String) -> Checked {
        if holds { Ok(()) } else { self.broken(what()) }
    }
}
