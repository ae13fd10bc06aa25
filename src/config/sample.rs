//! The sample configuration, made from the key tables: every key, its default, what it takes and what it is for.
//!
//! Parses under Supervisor 4.3.0 and under ourselves.

use crate::base::order;
use crate::config::table::{Row, TABLES};
use crate::config::{ctl, kinds, other_keys};

/// Lines that stand in the sample without a comment mark: (section, line).
const LIVE: &[(&str, &str)] = &[
    ("unix_http_server", "file=/tmp/supervisor.sock"),
    ("rpcinterface:supervisor", "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface"),
    ("supervisorctl", "serverurl=unix:///tmp/supervisor.sock"),
];

/// Keys without a default: what the sample shows.
const EXAMPLES: &[(&str, &str)] = &[
    ("username", "user"),
    ("password", "123"),
    ("port", "127.0.0.1:9001"),
    ("file", "/tmp/supervisor.sock"),
    ("chown", "nobody:nogroup"),
    ("directory", "/tmp"),
    ("user", "nobody"),
    ("childlogdir", "/tmp"),
    ("history_file", "~/.sc_history"),
    ("command", "/bin/cat"),
    ("killasgroup", "false"),
    ("umask", "022"),
    ("environment", "A=\"1\",B=\"2\""),
    ("parent_death_signal", "KILL"),
    ("cpu_affinity", "0,2-3"),
    ("events", "EVENT"),
    ("buffer_bytes", "8MB"),
    ("socket", "unix:///tmp/fcgi.sock"),
    ("socket_backlog", "128"),
    ("socket_owner", "nobody:nogroup"),
    ("socket_mode", "0700"),
    ("programs", "progname1,progname2"),
    ("files", "conf.d/*.conf"),
    (other_keys::CTL_FACTORY, ctl::CACHE),
];

/// Further sections that a table's section is an example of: the table's, the header, its first line, its other keys.
const MORE: &[(&str, &str, &str, &[&str])] = &[
    (
        "rpcinterface:supervisor",
        "rpcinterface:twiddler",
        "supervisor.rpcinterface_factory=supervisor_twiddler.rpcinterface:make_twiddler_rpcinterface",
        &["whitelist", "api_version"],
    ),
    (
        "rpcinterface:supervisor",
        "rpcinterface:cache",
        "supervisor.rpcinterface_factory=supervisor_cache.rpcinterface:make_cache_rpcinterface",
        &["values", "maxbytes"],
    ),
];

/// The whole sample.
pub fn sample() -> String {
    let mut text = String::from(
        "; Sample configuration. Lines that begin with ';' are comments; values shown in them are the defaults, or\n\
         ; examples where there is no default. A ';' within a line begins a comment if a blank is before it.\n\
         ; Values may use %(ENV_NAME)s for variables of the environment and %(here)s for this file's directory;\n\
         ; %% is a percent sign. Keys marked 'ours' are ignored by Supervisor.\n",
    );
    for table in TABLES {
        let live: Vec<&str> =
            LIVE.iter().filter(|(section, _)| *section == table.example).map(|(_, line)| *line).collect();
        let open = !live.is_empty() || table.example == "supervisord";
        text += &format!("\n; {}\n{}[{}]\n", table.doc, if open { "" } else { ";" }, table.example);
        for line in &live {
            text += &format!("{line}\n");
        }
        let more = MORE.iter().filter(|(section, ..)| *section == table.example);
        let mut seen: Vec<&str> = live.iter().filter_map(|line| line.split('=').next()).collect();
        seen.extend(more.clone().flat_map(|(.., keys)| keys.iter()));
        let mut rows: Vec<&Row> = table.all_rows().collect();
        // What must be there comes first.
        order::sort_by(&mut rows, |one, other| (one.key != "command").cmp(&(other.key != "command")));
        for row in rows {
            if !seen.contains(&row.key) {
                text += &line(row);
            }
            seen.push(row.key);
        }
        for (_, header, first, keys) in more {
            text += &format!("\n;[{header}]\n;{first}\n");
            text.extend(table.all_rows().filter(|row| keys.contains(&row.key)).map(line));
        }
    }
    text
}

fn line(row: &Row) -> String {
    let example = || EXAMPLES.iter().find(|(key, _)| *key == row.key).map_or("", |(_, value)| *value);
    let value = row.default.filter(|value| !value.is_empty()).unwrap_or_else(example);
    let kind = kinds::WORDS.iter().find(|(kind, _)| *kind == row.kind).map_or("", |(_, words)| *words);
    let doc = row.doc.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    let default = if row.default.is_some_and(|value| !value.is_empty()) { "default" } else { "no default" };
    let ours = if row.ours { "; ours" } else { "" };
    format!(";{:<31} ; {} ({kind}; {default}{ours})\n", format!("{}={value}", row.key), doc.trim_end_matches('.'))
}
