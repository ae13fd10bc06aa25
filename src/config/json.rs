//! The effective configuration as JSON: every section and program with every value that counts.
//!
//! Only writes; the names are those of the keys. Used by `--check --json` and by the tests against recorded verdicts.

use std::fmt::Write;
use std::time::Duration;

use crate::base::value::Value;
use crate::base::words::Level;
use crate::config::spec::{
    AccessSpec, Address, Autorestart, Bound, ChannelSpec, Config, DaemonSpec, GroupKind, GroupSpec, InterfaceKind,
    InterfaceSpec, LenUnit, LogFile, ProcessSpec, ServerLimits, ServerSpec, UserSpec,
};

/// A JSON value (RFC 8259).
pub enum Json {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i128),
    /// Any number; what is none in JSON is `null`.
    Real(f64),
    /// A string.
    Text(String),
    /// An array.
    List(Vec<Json>),
    /// An object, in the order given.
    Map(Vec<(String, Json)>),
}

impl Json {
    /// The text, indented by two blanks for each level, without a newline at the end.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        self.write(0, &mut text);
        text
    }

    fn write(&self, indent: usize, out: &mut String) {
        match self {
            Json::Null => out.push_str("null"),
            Json::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            // Writing to a String can't fail.
            Json::Int(value) => drop(write!(out, "{value}")),
            Json::Real(value) if value.is_finite() => drop(write!(out, "{value:?}")),
            Json::Real(_) => out.push_str("null"),
            Json::Text(text) => write_text(text, out),
            Json::List(items) => write_all(('[', ']'), items.iter().map(|item| (None, item)), indent, out),
            Json::Map(items) => {
                write_all(('{', '}'), items.iter().map(|(key, item)| (Some(key), item)), indent, out);
            }
        }
    }
}

fn write_all<'a>(
    (open, close): (char, char),
    items: impl ExactSizeIterator<Item = (Option<&'a String>, &'a Json)>,
    indent: usize,
    out: &mut String,
) {
    out.push(open);
    let empty = items.len() == 0;
    for (at, (key, item)) in items.enumerate() {
        out.push_str(if at == 0 { "\n" } else { ",\n" });
        out.push_str(&"  ".repeat(indent + 1));
        if let Some(key) = key {
            write_text(key, out);
            out.push_str(": ");
        }
        item.write(indent + 1, out);
    }
    if !empty {
        out.push('\n');
        out.push_str(&"  ".repeat(indent));
    }
    out.push(close);
}

fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c if c.is_control() => drop(write!(out, "\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
}

macro_rules! from {
    ($($type:ty: $value:ident => $json:expr;)*) => {
        $(impl From<$type> for Json { fn from($value: $type) -> Json { $json } })*
    };
}

from! {
    bool: value => Json::Bool(value);
    u16: value => Json::Int(value.into());
    u32: value => Json::Int(value.into());
    u64: value => Json::Int(value.into());
    i32: value => Json::Int(value.into());
    i64: value => Json::Int(value.into());
    &str: value => Json::Text(value.to_string());
    String: value => Json::Text(value);
    &String: value => Json::Text(value.clone());
    &std::path::PathBuf: value => Json::Text(value.to_string_lossy().into_owned());
}

/// Values of XML-RPC: bytes as text, replacing what is no UTF-8; times as they were sent.
impl From<&Value> for Json {
    fn from(value: &Value) -> Json {
        match value {
            Value::Nil => Json::Null,
            Value::Bool(value) => Json::Bool(*value),
            Value::Int(value) => Json::Int((*value).into()),
            Value::Double(value) => Json::Real(*value),
            // A number of any size is text to most who read JSON.
            Value::Str(text) | Value::DateTime(text) | Value::Big(text) => Json::Text(text.clone()),
            Value::Bytes(bytes) => Json::Text(String::from_utf8_lossy(bytes).into_owned()),
            Value::Array(items) => Json::List(items.iter().map(Json::from).collect()),
            Value::Struct(members) => {
                Json::Map(members.iter().map(|(name, value)| (name.clone(), value.into())).collect())
            }
        }
    }
}

impl<T: Into<Json>> From<Option<T>> for Json {
    fn from(value: Option<T>) -> Json {
        value.map_or(Json::Null, Into::into)
    }
}

impl<T: Into<Json>> From<Vec<T>> for Json {
    fn from(items: Vec<T>) -> Json {
        Json::List(items.into_iter().map(Into::into).collect())
    }
}

/// `{name: value, ...}` with names that are fields.
macro_rules! map {
    ($($key:expr => $value:expr),* $(,)?) => { Json::Map(vec![$(($key.to_string(), Json::from($value))),*]) };
}

fn pairs(pairs: &[(String, String)]) -> Json {
    Json::Map(pairs.iter().map(|(key, value)| (key.clone(), value.into())).collect())
}

fn mode(bits: u32) -> String {
    format!("{bits:04o}")
}

/// The whole configuration, with a newline at the end.
pub fn effective(config: &Config) -> String {
    let said = |wanted: Level| -> Vec<&str> {
        config.notices.iter().filter(|notice| notice.level == wanted).map(|notice| notice.text.as_str()).collect()
    };
    let json = map! {
        "supervisord" => daemon(&config.daemon),
        "servers" => config.servers.iter().map(server).collect::<Vec<_>>(),
        "rpcinterfaces" => config.interfaces.iter().map(interface).collect::<Vec<_>>(),
        "groups" => config.groups.iter().map(group).collect::<Vec<_>>(),
        "criticals" => said(Level::Critical),
        "warnings" => said(Level::Warn),
        "infos" => said(Level::Info),
    };
    let mut out = String::new();
    json.write(0, &mut out);
    out.push('\n');
    out
}

fn uid(user: &Option<UserSpec>) -> Option<u32> {
    user.as_ref().map(|user| user.uid)
}

fn daemon(daemon: &DaemonSpec) -> Json {
    map! {
        "logfile" => daemon.logfile.as_ref().map_or(Json::from("syslog"), Json::from),
        "logfile_maxbytes" => daemon.logfile_maxbytes,
        "logfile_backups" => daemon.logfile_backups,
        "loglevel" => daemon.loglevel.word(),
        "pidfile" => &daemon.pidfile,
        "umask" => mode(daemon.umask),
        "nodaemon" => daemon.nodaemon,
        "silent" => daemon.silent,
        "minfds" => daemon.minfds,
        "minprocs" => daemon.minprocs,
        "nocleanup" => daemon.nocleanup,
        "childlogdir" => &daemon.childlogdir,
        "user" => daemon.user.as_ref().map(|user| &user.text),
        "uid" => uid(&daemon.user),
        "gid" => daemon.user.as_ref().map(|user| user.gid),
        "directory" => daemon.directory.as_ref(),
        "strip_ansi" => daemon.strip_ansi,
        "environment" => pairs(&daemon.environment),
        "identifier" => &daemon.identifier,
        "serverurl" => daemon.serverurl.as_ref(),
        "multicall_results" => if daemon.multicall_arrays { "array" } else { "bare" },
        "subreaper" => daemon.subreaper,
        "parent_death_signal" => daemon.parent_death_signal.map(i64::from),
    }
}

fn server(server: &ServerSpec) -> Json {
    let mut fields = match &server.address {
        Address::Inet { host, port } => {
            vec![("kind", Json::from("inet")), ("host", host.into()), ("port", (*port).into())]
        }
        Address::Unix { path, mode: bits, chown } => vec![
            ("kind", Json::from("unix")),
            ("file", path.into()),
            ("chmod", mode(*bits).into()),
            ("chown", vec![chown.0, chown.1].into()),
        ],
    };
    fields.push(("section", (&server.section).into()));
    fields.push(("name", server.section.split_once(':').map(|(_, name)| name).into()));
    fields.push(("username", server.username.as_ref().into()));
    fields.push(("password", server.password.as_ref().into()));
    let AccessSpec { viewer, hosts, get_actions } = &server.access;
    fields.push(("viewer_username", viewer.as_ref().map(|viewer| &viewer.0).into()));
    fields.push(("viewer_password", viewer.as_ref().map(|viewer| &viewer.1).into()));
    fields.push(("allowed_hosts", hosts.iter().collect::<Vec<_>>().into()));
    fields.push(("web_get_actions", (*get_actions).into()));
    let ServerLimits { body_bytes, connections, idle, slow_request } = server.limits;
    let secs = |time: Option<Duration>| time.map_or(0, |time| time.as_secs());
    fields.push(("body_maxbytes", body_bytes.into()));
    fields.push(("max_connections", (connections as u64).into()));
    fields.push(("idle_timeout", secs(idle).into()));
    fields.push(("request_timeout", secs(slow_request).into()));
    Json::Map(fields.into_iter().map(|(key, value)| (key.to_string(), value)).collect())
}

fn interface(interface: &InterfaceSpec) -> Json {
    let settings = match &interface.kind {
        InterfaceKind::Main => map! {},
        InterfaceKind::Twiddler { api_version, whitelist } => {
            map! { "api_version" => api_version, "whitelist" => whitelist.iter().collect::<Vec<_>>() }
        }
        InterfaceKind::Cache { any, max_bytes } => {
            map! { "values" => if *any { "any" } else { "string" }, "maxbytes" => max_bytes.unwrap_or(0) }
        }
        InterfaceKind::Foreign { factory } => map! { "cannot_be_loaded" => factory },
    };
    map! { "name" => &interface.namespace, "settings" => settings }
}

fn group(group: &GroupSpec) -> Json {
    let (kind, of_processes) = match &group.kind {
        GroupKind::Plain => ("ProcessGroupConfig", "ProcessConfig"),
        GroupKind::Pool(_) => ("EventListenerPoolConfig", "EventListenerConfig"),
        GroupKind::FastCgi(_) => ("FastCGIGroupConfig", "FastCGIProcessConfig"),
    };
    let processes: Vec<Json> = group.processes.iter().map(|process| self::process(process, of_processes)).collect();
    let mut fields = vec![
        ("kind", Json::from(kind)),
        ("name", (&group.name).into()),
        ("priority", group.priority.into()),
        ("processes", processes.into()),
    ];
    match &group.kind {
        GroupKind::Plain => {}
        GroupKind::Pool(pool) => {
            fields.push(("events", pool.events.iter().collect::<Vec<_>>().into()));
            fields.push(match pool.bound {
                Bound::Count(count) => ("buffer_size", count.into()),
                Bound::Bytes(bytes) => ("buffer_bytes", bytes.into()),
            });
            fields.push(("result_handler", pool.result_handler.name().into()));
            let unit = match pool.len_unit {
                LenUnit::Characters => "characters",
                LenUnit::Bytes => "bytes",
            };
            fields.push(("len_unit", unit.into()));
            fields.push(("exit_status_in_events", pool.exit_status.into()));
        }
        GroupKind::FastCgi(socket) => {
            let bits = socket.url.starts_with("unix://").then(|| mode(socket.mode));
            let owner = socket.owner.map(|(uid, gid)| vec![uid, gid]);
            let socket = map! { "url" => &socket.url, "backlog" => socket.backlog, "mode" => bits, "owner" => owner };
            fields.push(("socket", socket));
        }
    }
    Json::Map(fields.into_iter().map(|(key, value)| (key.to_string(), value)).collect())
}

fn process(process: &ProcessSpec, kind: &str) -> Json {
    let mut fields = vec![
        ("kind", Json::from(if process.socket.is_some() { "FastCGIProcessConfig" } else { kind })),
        ("name", (&process.name).into()),
        ("command", (&process.command).into()),
        ("directory", process.directory.as_ref().into()),
        ("uid", uid(&process.user).into()),
        ("umask", process.umask.map(mode).into()),
        ("priority", process.priority.into()),
        ("autostart", process.autostart.into()),
        (
            "autorestart",
            match process.autorestart {
                Autorestart::Always => true.into(),
                Autorestart::Never => false.into(),
                Autorestart::Unexpected => "unexpected".into(),
            },
        ),
        ("startsecs", process.startsecs.into()),
        ("startretries", process.startretries.into()),
        ("exitcodes", process.exitcodes.clone().into()),
        ("stopsignal", process.stopsignal.into()),
        ("stopwaitsecs", process.stopwaitsecs.into()),
        ("stopasgroup", process.stopasgroup.into()),
        ("killasgroup", process.killasgroup.into()),
        ("redirect_stderr", process.redirect_stderr.into()),
        ("environment", pairs(&process.environment)),
        ("serverurl", process.serverurl.as_ref().into()),
    ];
    let [stdout, stderr] = &process.channels;
    let mut fields: Vec<(String, Json)> = fields.drain(..).map(|(key, value)| (key.to_string(), value)).collect();
    fields.extend(channel("stdout", stdout));
    fields.extend(channel("stderr", stderr));
    Json::Map(fields)
}

fn channel(name: &str, channel: &ChannelSpec) -> [(String, Json); 6] {
    let logfile = match &channel.logfile {
        LogFile::None => Json::Null,
        LogFile::Auto => "AUTO".into(),
        LogFile::Path(path) => path.into(),
    };
    [
        ("logfile", logfile),
        ("logfile_maxbytes", channel.maxbytes.into()),
        ("logfile_backups", channel.backups.into()),
        ("capture_maxbytes", channel.capture_maxbytes.into()),
        ("events_enabled", channel.events.into()),
        ("syslog", channel.syslog.into()),
    ]
    .map(|(key, value)| (format!("{name}_{key}"), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_escaped_and_laid_out() {
        let json = map! { "a\n" => "\"\\\u{1}é", "b" => vec![1, 2], "c" => map! {}, "d" => None::<u32> };
        let mut out = String::new();
        json.write(0, &mut out);
        let expected =
            "{\n  \"a\\n\": \"\\\"\\\\\\u0001é\",\n  \"b\": [\n    1,\n    2\n  ],\n  \"c\": {},\n  \"d\": null\n}";
        assert_eq!(out, expected);
    }
}
