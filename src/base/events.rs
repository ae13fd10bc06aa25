//! Every event type, declared once: name, parent and payload (contract events.md, section 1).
//!
//! Payloads are made here and nowhere else. Whether anybody wants one is asked before, by its [`Kind`].

use std::fmt;

use crate::base::words::{Exit, Pid};

/// The types that are never sent, only asked for: each stands for all below it. Name and parent (EVT-029).
pub const ABSTRACT: &[(&str, Option<&str>)] = &[
    ("EVENT", None),
    ("PROCESS_STATE", Some("EVENT")),
    ("PROCESS_LOG", Some("EVENT")),
    ("PROCESS_COMMUNICATION", Some("EVENT")),
    ("SUPERVISOR_STATE_CHANGE", Some("EVENT")),
    ("TICK", Some("EVENT")),
    ("PROCESS_GROUP", Some("EVENT")),
];

/// A type that is sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Row {
    /// What `eventname` says.
    pub name: &'static str,
    /// The type that stands for it, too.
    pub parent: &'static str,
    /// The payload, with its values in braces.
    pub payload: &'static str,
}

macro_rules! events {
    ($($(#[$doc:meta])* $kind:ident { $($field:ident : $type:ty),* } $name:literal in $parent:literal $payload:literal;)*) => {
        /// An event: its type, and the values that its payload has.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[allow(missing_docs)]
        pub enum Event<'a> {
            $($(#[$doc])* $kind { $($field: $type),* },)*
        }

        /// The type of an event that is sent.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u8)]
        #[allow(missing_docs)]
        pub enum Kind { $($(#[$doc])* $kind,)* }

        /// Every type that is sent, in the order of [`Kind`].
        pub const TABLE: &[Row] = &[$(Row { name: $name, parent: $parent, payload: $payload }),*];

        impl Event<'_> {
            /// The type.
            pub fn kind(&self) -> Kind {
                match self {
                    $(Event::$kind { .. } => Kind::$kind,)*
                }
            }
        }

        /// The payload.
        impl fmt::Display for Event<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Event::$kind { $($field),* } => write!(f, $payload),)*
                }
            }
        }
    };
}

events! {
    /// EVT-003, EVT-026.
    Starting { process: &'a str, group: &'a str, from: &'static str, tries: i64 }
        "PROCESS_STATE_STARTING" in "PROCESS_STATE"
        "processname:{process} groupname:{group} from_state:{from} tries:{tries}";
    /// EVT-004.
    Backoff { process: &'a str, group: &'a str, from: &'static str, tries: i64 }
        "PROCESS_STATE_BACKOFF" in "PROCESS_STATE"
        "processname:{process} groupname:{group} from_state:{from} tries:{tries}";
    /// EVT-005.
    Running { process: &'a str, group: &'a str, from: &'static str, pid: Pid }
        "PROCESS_STATE_RUNNING" in "PROCESS_STATE"
        "processname:{process} groupname:{group} from_state:{from} pid:{pid}";
    /// EVT-006.
    Stopping { process: &'a str, group: &'a str, from: &'static str, pid: Pid }
        "PROCESS_STATE_STOPPING" in "PROCESS_STATE"
        "processname:{process} groupname:{group} from_state:{from} pid:{pid}";
    /// EVT-007.
    Stopped { process: &'a str, group: &'a str, from: &'static str, pid: Pid }
        "PROCESS_STATE_STOPPED" in "PROCESS_STATE"
        "processname:{process} groupname:{group} from_state:{from} pid:{pid}";
    /// EVT-008.
    Exited { process: &'a str, group: &'a str, from: &'static str, expected: u8, pid: Pid }
        "PROCESS_STATE_EXITED" in "PROCESS_STATE"
        "processname:{process} groupname:{group} from_state:{from} expected:{expected} pid:{pid}";
    /// EVT-009.
    Fatal { process: &'a str, group: &'a str, from: &'static str }
        "PROCESS_STATE_FATAL" in "PROCESS_STATE"
        "processname:{process} groupname:{group} from_state:{from}";
    /// EVT-010.
    Unknown { process: &'a str, group: &'a str, from: &'static str }
        "PROCESS_STATE_UNKNOWN" in "PROCESS_STATE"
        "processname:{process} groupname:{group} from_state:{from}";
    /// EVT-012.
    LogStdout { process: &'a str, group: &'a str, pid: Pid, data: &'a str }
        "PROCESS_LOG_STDOUT" in "PROCESS_LOG"
        "processname:{process} groupname:{group} pid:{pid} channel:stdout\n{data}";
    /// EVT-013.
    LogStderr { process: &'a str, group: &'a str, pid: Pid, data: &'a str }
        "PROCESS_LOG_STDERR" in "PROCESS_LOG"
        "processname:{process} groupname:{group} pid:{pid} channel:stderr\n{data}";
    /// EVT-015.
    CommunicationStdout { process: &'a str, group: &'a str, pid: Pid, data: &'a str }
        "PROCESS_COMMUNICATION_STDOUT" in "PROCESS_COMMUNICATION"
        "processname:{process} groupname:{group} pid:{pid}\n{data}";
    /// EVT-016.
    CommunicationStderr { process: &'a str, group: &'a str, pid: Pid, data: &'a str }
        "PROCESS_COMMUNICATION_STDERR" in "PROCESS_COMMUNICATION"
        "processname:{process} groupname:{group} pid:{pid}\n{data}";
    /// EVT-017.
    Remote { label: &'a str, data: &'a str }
        "REMOTE_COMMUNICATION" in "EVENT"
        "type:{label}\n{data}";
    /// EVT-019.
    SupervisorRunning {}
        "SUPERVISOR_STATE_CHANGE_RUNNING" in "SUPERVISOR_STATE_CHANGE"
        "";
    /// EVT-020.
    SupervisorStopping {}
        "SUPERVISOR_STATE_CHANGE_STOPPING" in "SUPERVISOR_STATE_CHANGE"
        "";
    /// EVT-022.
    Tick5 { when: i64 }
        "TICK_5" in "TICK"
        "when:{when}";
    /// EVT-022.
    Tick60 { when: i64 }
        "TICK_60" in "TICK"
        "when:{when}";
    /// EVT-022.
    Tick3600 { when: i64 }
        "TICK_3600" in "TICK"
        "when:{when}";
    /// EVT-024.
    GroupAdded { group: &'a str }
        "PROCESS_GROUP_ADDED" in "PROCESS_GROUP"
        "groupname:{group}\n";
    /// EVT-025.
    GroupRemoved { group: &'a str }
        "PROCESS_GROUP_REMOVED" in "PROCESS_GROUP"
        "groupname:{group}\n";
}

// A set of kinds is 32 bits.
const _: () = assert!(TABLE.len() <= 32);

impl Kind {
    /// What `eventname` says.
    pub fn name(self) -> &'static str {
        TABLE[self as usize].name
    }
}

/// Every name that a listener may ask for, parents before what they stand for.
pub fn names() -> impl Iterator<Item = &'static str> {
    let below = |parent: &'static str| TABLE.iter().filter(move |row| row.parent == parent).map(|row| row.name);
    let of = move |(name, _): &(&'static str, _)| std::iter::once(*name).chain(below(name));
    ABSTRACT.iter().flat_map(of)
}

/// What [`Event::Exited`] says behind its payload to listeners that asked for it with `exit_status_in_events` (ours):
/// the status as `getProcessInfo` has it, -1 after a signal, and the signal's number, 0 if there was none.
pub fn exit_tokens(exit: Exit) -> String {
    let signal = match exit {
        Exit::Code(_) => 0,
        Exit::Signal { signal, .. } => signal,
    };
    format!(" exitstatus:{} signal:{signal}", exit.status())
}

/// A set of types.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Kinds(u32);

impl Kinds {
    /// All types that a name stands for (EVT-080); `None` if there is no such name. Names are upper case (EVT-030).
    pub fn of(name: &str) -> Option<Kinds> {
        if !names().any(|known| known == name) {
            return None;
        }
        let parent = |of: &str| ABSTRACT.iter().find(|row| row.0 == of).and_then(|row| row.1);
        let stands_for = |row: &Row| row.name == name || row.parent == name || parent(row.parent) == Some(name);
        let bits = TABLE.iter().enumerate().filter(|(_, row)| stands_for(row)).map(|(bit, _)| 1 << bit);
        Some(Kinds(bits.sum()))
    }

    /// Whether a type is in the set.
    pub fn has(self, kind: Kind) -> bool {
        self.0 & (1 << kind as u8) != 0
    }

    /// What is in this set or in the other.
    pub fn and(self, other: Kinds) -> Kinds {
        Kinds(self.0 | other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds_of(name: &str) -> Vec<&'static str> {
        let kinds = Kinds::of(name).unwrap();
        TABLE.iter().enumerate().filter(|(bit, _)| kinds.0 & (1 << bit) != 0).map(|(_, row)| row.name).collect()
    }

    #[test]
    fn evt_001_abstract_names_stand_for_all_below_them() {
        // EVT-002, EVT-011, EVT-014, EVT-018, EVT-021, EVT-023.
        assert_eq!(kinds_of("EVENT").len(), TABLE.len());
        assert_eq!(kinds_of("PROCESS_STATE").len(), 8);
        assert_eq!(kinds_of("PROCESS_LOG"), ["PROCESS_LOG_STDOUT", "PROCESS_LOG_STDERR"]);
        assert_eq!(kinds_of("PROCESS_COMMUNICATION"), ["PROCESS_COMMUNICATION_STDOUT", "PROCESS_COMMUNICATION_STDERR"]);
        assert_eq!(
            kinds_of("SUPERVISOR_STATE_CHANGE"),
            ["SUPERVISOR_STATE_CHANGE_RUNNING", "SUPERVISOR_STATE_CHANGE_STOPPING"]
        );
        assert_eq!(kinds_of("TICK"), ["TICK_5", "TICK_60", "TICK_3600"]);
        assert_eq!(kinds_of("PROCESS_GROUP"), ["PROCESS_GROUP_ADDED", "PROCESS_GROUP_REMOVED"]);
        assert_eq!(kinds_of("REMOTE_COMMUNICATION"), ["REMOTE_COMMUNICATION"]);
        assert_eq!(Kinds::of("SUNRISE"), None);
        assert_eq!(Kinds::of(""), None);
    }

    #[test]
    fn evt_029_a_type_that_is_sent_has_nothing_below_it() {
        // And every parent is declared, and every name once.
        for row in TABLE {
            assert!(ABSTRACT.iter().any(|(name, _)| *name == row.parent), "{}", row.name);
            assert!(TABLE.iter().all(|other| other.parent != row.name), "{}", row.name);
        }
        let all: Vec<_> = names().collect();
        assert_eq!(all.len(), TABLE.len() + ABSTRACT.len());
        assert!(all.iter().enumerate().all(|(at, name)| !all[at + 1..].contains(name)));
        assert_eq!(all[..3], ["EVENT", "REMOTE_COMMUNICATION", "PROCESS_STATE"]);
    }

    #[test]
    fn evt_003_to_025_payloads() {
        // EVT-004, EVT-005, EVT-006, EVT-007, EVT-008, EVT-009, EVT-010, EVT-012, EVT-013, EVT-015, EVT-016, EVT-017,
        // EVT-019, EVT-020, EVT-022, EVT-024, EVT-025. EVT-141: tokens with a colon, blanks between.
        let (process, group, from, pid) = ("web", "site", "STARTING", 42);
        for (event, name, payload) in [
            (
                Event::Starting { process, group, from: "BACKOFF", tries: 2 },
                "PROCESS_STATE_STARTING",
                "processname:web groupname:site from_state:BACKOFF tries:2",
            ),
            (
                Event::Backoff { process, group, from, tries: 1 },
                "PROCESS_STATE_BACKOFF",
                "processname:web groupname:site from_state:STARTING tries:1",
            ),
            (
                Event::Running { process, group, from, pid },
                "PROCESS_STATE_RUNNING",
                "processname:web groupname:site from_state:STARTING pid:42",
            ),
            (
                Event::Stopping { process, group, from: "RUNNING", pid },
                "PROCESS_STATE_STOPPING",
                "processname:web groupname:site from_state:RUNNING pid:42",
            ),
            (
                Event::Stopped { process, group, from: "STOPPING", pid },
                "PROCESS_STATE_STOPPED",
                "processname:web groupname:site from_state:STOPPING pid:42",
            ),
            (
                Event::Exited { process, group, from: "RUNNING", expected: 0, pid },
                "PROCESS_STATE_EXITED",
                "processname:web groupname:site from_state:RUNNING expected:0 pid:42",
            ),
            (
                Event::Fatal { process, group, from: "BACKOFF" },
                "PROCESS_STATE_FATAL",
                "processname:web groupname:site from_state:BACKOFF",
            ),
            (
                Event::Unknown { process, group, from: "STOPPING" },
                "PROCESS_STATE_UNKNOWN",
                "processname:web groupname:site from_state:STOPPING",
            ),
            (
                Event::LogStdout { process, group, pid, data: "a\nb" },
                "PROCESS_LOG_STDOUT",
                "processname:web groupname:site pid:42 channel:stdout\na\nb",
            ),
            (
                Event::LogStderr { process, group, pid, data: "a\n" },
                "PROCESS_LOG_STDERR",
                "processname:web groupname:site pid:42 channel:stderr\na\n",
            ),
            (
                Event::CommunicationStdout { process, group, pid, data: "a" },
                "PROCESS_COMMUNICATION_STDOUT",
                "processname:web groupname:site pid:42\na",
            ),
            (
                Event::CommunicationStderr { process, group, pid, data: "" },
                "PROCESS_COMMUNICATION_STDERR",
                "processname:web groupname:site pid:42\n",
            ),
            (Event::Remote { label: "a b", data: "c\n" }, "REMOTE_COMMUNICATION", "type:a b\nc\n"),
            (Event::SupervisorRunning {}, "SUPERVISOR_STATE_CHANGE_RUNNING", ""),
            (Event::SupervisorStopping {}, "SUPERVISOR_STATE_CHANGE_STOPPING", ""),
            (Event::Tick5 { when: 1_700_000_005 }, "TICK_5", "when:1700000005"),
            (Event::Tick60 { when: 60 }, "TICK_60", "when:60"),
            (Event::Tick3600 { when: 0 }, "TICK_3600", "when:0"),
            (Event::GroupAdded { group }, "PROCESS_GROUP_ADDED", "groupname:site\n"),
            (Event::GroupRemoved { group }, "PROCESS_GROUP_REMOVED", "groupname:site\n"),
        ] {
            assert_eq!(event.kind().name(), name);
            assert_eq!(event.to_string(), payload, "{name}");
        }
    }

    #[test]
    fn exits_in_numbers() {
        assert_eq!(exit_tokens(Exit::Code(3)), " exitstatus:3 signal:0");
        assert_eq!(exit_tokens(Exit::Signal { signal: 9, core: false }), " exitstatus:-1 signal:9");
    }
}
