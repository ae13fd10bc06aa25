//! The form of the key tables: one row per key, from which come the reader, the defaults, the warnings about unknown
//! keys, the command line, the sample and the reference.
//!
//! The rows are in `daemon_keys`, `program_keys` and `other_keys`.

use crate::config::effective::Show;
use crate::config::{daemon_keys, other_keys, program_keys};

/// Which names a value may use besides `ENV_…` (CFG-049).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Scope {
    /// Not expanded where it is read.
    pub raw: bool,
    /// `here`.
    pub here: bool,
    /// `host_node_name`.
    pub host: bool,
    /// `program_name`.
    pub program: bool,
    /// `group_name`.
    pub group: bool,
    /// `process_num`, `numprocs`, and `ENV_…` of the program's own `environment`.
    pub process: bool,
    /// What was expanded is expanded once more, if that can be done (CFG-053).
    pub twice: bool,
}

/// Nothing but `ENV_…`.
pub const ENV: Scope =
    Scope { raw: false, here: false, host: false, program: false, group: false, process: false, twice: false };
/// As it is written; expanded later, if at all.
pub const RAW: Scope = Scope { raw: true, ..ENV };
/// `here`.
pub const HERE: Scope = Scope { here: true, ..ENV };
/// `[include] files`.
pub const INCLUDE: Scope = Scope { host: true, ..HERE };
/// `[fcgi-program:x] socket`.
pub const SOCKET: Scope = Scope { program: true, ..HERE };
/// Program keys that are read once.
pub const PROGRAM: Scope = Scope { host: true, group: true, ..SOCKET };
/// Program keys that are read for each process.
pub const PROCESS: Scope = Scope { process: true, ..PROGRAM };
/// Log files of programs.
pub const LOGFILE: Scope = Scope { twice: true, ..PROCESS };

/// One key.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// As written in a file.
    pub key: &'static str,
    /// The reader in `kinds`.
    pub kind: &'static str,
    /// The text read where the key is absent.
    pub default: Option<&'static str>,
    /// What a value may refer to.
    pub scope: Scope,
    /// For sample and reference; may have several lines.
    pub doc: &'static str,
    /// The letter of the command line option that overrides it, empty for a long form alone.
    pub flag: Option<&'static str>,
    /// Ours: Supervisor ignores it.
    pub ours: bool,
    /// The field of `getAllConfigInfo` that shows what the key has come to (RPC-091).
    pub shown: Option<(&'static str, Show)>,
}

/// Declares a struct with one field per key, its rows, and its reader.
///
/// `field: Type = kind or "default", SCOPE;` is a key with a default; with `or none` the field is an `Option`.
/// `=> "x"` gives a command line option with that letter; `ours` marks a key that Supervisor does not have;
/// `-> field |of| value` is how clients see what it has come to.
macro_rules! keys {
    (
        $(#[doc = $about:literal])*
        pub struct $name:ident {
            $( $(#[doc = $doc:literal])* $field:ident : $type:ty = $kind:ident or $default:tt, $scope:ident
               $(=> $flag:literal)? $(, $ours:ident)? $(-> $shown:ident $show:expr)? ; )*
        }
    ) => {
        $(#[doc = $about])*
        #[derive(Clone, Debug)]
        pub struct $name {
            $( $(#[doc = $doc])* pub $field: keys!(@type $default, $type), )*
        }

        impl $name {
            /// One row per key.
            pub const ROWS: &'static [$crate::config::table::Row] = &[
                $( $crate::config::table::Row {
                    key: stringify!($field),
                    kind: stringify!($kind),
                    default: keys!(@default $default),
                    scope: $crate::config::table::$scope,
                    doc: concat!($($doc, "\n"),*),
                    flag: keys!(@flag $($flag)?),
                    ours: keys!(@ours $($ours)?),
                    shown: keys!(@shown $($shown $show)?),
                }, )*
            ];

            /// Reads all keys; what is wrong is in the reader's report.
            pub fn read(
                from: &mut $crate::config::reader::Reader<'_>,
            ) -> Result<$name, $crate::config::error::Reported> {
                let mut rows = Self::ROWS.iter();
                $( let $field = from.next(&mut rows, $crate::config::kinds::$kind); )*
                Ok($name { $( $field: keys!(@value $default, $field), )* })
            }
        }
    };
    (@type none, $type:ty) => { Option<$type> };
    (@type $default:literal, $type:ty) => { $type };
    (@default none) => { None };
    (@default $default:literal) => { Some($default) };
    (@flag) => { None };
    (@flag $flag:literal) => { Some($flag) };
    (@ours) => { false };
    (@ours ours) => { true };
    (@shown) => { None };
    (@shown $shown:ident $show:expr) => {{
        const SHOW: $crate::config::effective::Show = $show;
        Some((stringify!($shown), SHOW))
    }};
    (@value none, $field:ident) => { $field? };
    (@value $default:literal, $field:ident) => { $field?.ok_or($crate::config::error::Reported)? };
}
pub(crate) use keys;

/// How a section is named.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Named {
    /// Exactly so.
    Exactly(&'static str),
    /// So, or with anything behind it, `:name` as a rule.
    Starting(&'static str),
}

impl Named {
    /// The fixed part.
    pub fn start(self) -> &'static str {
        match self {
            Named::Exactly(name) | Named::Starting(name) => name,
        }
    }
}

/// One kind of section.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// Its name.
    pub name: Named,
    /// The name in the sample.
    pub example: &'static str,
    /// Its rows, in groups.
    pub rows: &'static [&'static [Row]],
    /// Keys that aren't in the rows belong to somebody else and are no mistake.
    pub open: bool,
    /// What it is for.
    pub doc: &'static str,
}

impl Table {
    /// All rows.
    pub fn all_rows(&self) -> impl Iterator<Item = &'static Row> + use<> {
        self.rows.iter().flat_map(|rows| rows.iter())
    }
}

/// Every kind of section, in the order of the sample.
pub const TABLES: &[Table] = &[
    Table {
        name: Named::Starting("unix_http_server"),
        example: "unix_http_server",
        rows: &[
            other_keys::UnixServer::ROWS,
            other_keys::UnixMode::ROWS,
            other_keys::Login::ROWS,
            other_keys::AccessKeys::ROWS,
            other_keys::ServerLimits::ROWS,
        ],
        open: false,
        doc: "An HTTP server on a unix socket; more of them as [unix_http_server:name].",
    },
    Table {
        name: Named::Starting("inet_http_server"),
        example: "inet_http_server",
        rows: &[
            other_keys::InetServer::ROWS,
            other_keys::Login::ROWS,
            other_keys::AccessKeys::ROWS,
            other_keys::ServerLimits::ROWS,
        ],
        open: false,
        doc: "An HTTP server on a TCP port; more of them as [inet_http_server:name].",
    },
    Table {
        name: Named::Exactly("supervisord"),
        example: "supervisord",
        rows: &[daemon_keys::DaemonKeys::ROWS],
        open: false,
        doc: "The daemon itself. This section must be there.",
    },
    Table {
        name: Named::Starting("rpcinterface:"),
        example: "rpcinterface:supervisor",
        rows: &[other_keys::RPC_ROWS],
        open: true,
        doc: "A namespace of XML-RPC methods; without this one supervisorctl can do nothing.",
    },
    Table {
        name: Named::Exactly("supervisorctl"),
        example: "supervisorctl",
        rows: &[other_keys::CtlKeys::ROWS],
        open: false,
        doc: "For supervisorctl; the daemon does not read it.",
    },
    Table {
        name: Named::Starting("ctlplugin:"),
        example: "ctlplugin:cache",
        rows: &[other_keys::CTL_ROWS],
        open: true,
        doc: "More commands for supervisorctl.",
    },
    Table {
        name: Named::Starting("program:"),
        example: "program:theprogramname",
        rows: &[program_keys::ProcessKeys::ROWS, program_keys::ProgramKeys::ROWS],
        open: false,
        doc: "A program to run, in one or more processes.",
    },
    Table {
        name: Named::Starting("eventlistener:"),
        example: "eventlistener:theeventlistenername",
        rows: &[program_keys::ListenerKeys::ROWS, program_keys::ProcessKeys::ROWS, program_keys::ProgramKeys::ROWS],
        open: false,
        doc: "A program that is told of events; it has the keys of a program too.",
    },
    Table {
        name: Named::Starting("fcgi-program:"),
        example: "fcgi-program:thefcgiprogramname",
        rows: &[program_keys::SocketKeys::ROWS, program_keys::ProcessKeys::ROWS, program_keys::ProgramKeys::ROWS],
        open: false,
        doc: "A program whose processes share a listening socket; it has the keys of a program too.",
    },
    Table {
        name: Named::Starting("group:"),
        example: "group:thegroupname",
        rows: &[program_keys::GroupKeys::ROWS],
        open: false,
        doc: "Programs that are started and stopped together.",
    },
    Table {
        name: Named::Exactly("include"),
        example: "include",
        rows: &[other_keys::IncludeKeys::ROWS],
        open: false,
        doc: "More files with sections.",
    },
];

/// The table of a section, if its name is known.
pub fn table_of(section: &str) -> Option<&'static Table> {
    TABLES.iter().find(|table| match table.name {
        Named::Exactly(name) => section == name,
        Named::Starting(start) => section.starts_with(start),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::kinds;

    #[test]
    fn every_row_is_whole() {
        for table in TABLES {
            let mut keys = std::collections::BTreeSet::new();
            for row in table.all_rows() {
                assert!(!row.doc.trim().is_empty(), "{}", row.key);
                assert!(kinds::WORDS.iter().any(|(kind, _)| *kind == row.kind), "{} {}", row.key, row.kind);
                // These are read once for the group and once for its processes.
                let twice = ["priority", "user"].contains(&row.key);
                assert!(keys.insert(row.key) || twice, "{} twice in {}", row.key, table.example);
                assert_eq!(row.key, row.key.to_lowercase());
            }
            assert!(table_of(table.example).is_some_and(|found| found.example == table.example));
        }
    }
}
