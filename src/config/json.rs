//! The effective configuration as JSON: every section and program with every value that counts.
//!
//! Only writes; the names are those of the keys. Used by `--check --json` and by the tests against recorded verdicts.

use std::fmt::Write;
use std::time::Duration;

use crate::base::value::Value;
use crate::base::words::Level;
use crate::config::spec::{
    AccessSpec, Address, Autorestart, Bound, Config, DaemonSpec, GroupKind, GroupSpec, InterfaceKind, InterfaceSpec,
    LenUnit, LogFile, ProcessSpec, ServerLimits, ServerSpec, UserSpec,
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

/// An object in the making. One call for each member keeps the code for so many of them small.
#[derive(Default)]
struct Object(Vec<(String, Json)>);

impl Object {
    fn put(&mut self, name: &str, value: impl Into<Json>) {
        self.add(name, value.into());
    }

    #[inline(never)]
    fn add(&mut self, name: &str, value: Json) {
        self.0.push((name.to_string(), value));
    }
}

impl From<Object> for Json {
    fn from(object: Object) -> Json {
        Json::Map(object.0)
    }
}

/// `{name: value, ...}` with names that are fields.
macro_rules! map {
    () => { Object::default() };
    ($($key:expr => $value:expr),+ $(,)?) => {{
        let mut object = Object::default();
        $(object.put($key, $value);)+
        object
    }};
}

fn environment(pairs: &[(String, String)], secrets: Secrets) -> Json {
    Json::Map(pairs.iter().map(|(key, value)| (key.clone(), secrets.show(value).into())).collect())
}

fn mode(bits: u32) -> String {
    format!("{bits:04o}")
}

/// What stands for a value that is not shown.
const HIDDEN: &str = "***";

/// Whether passwords, and what stands in `environment`, are shown. Else only that there are such.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)]
pub enum Secrets {
    Shown,
    Hidden,
}

impl Secrets {
    fn show(self, value: &str) -> &str {
        if self == Secrets::Shown { value } else { HIDDEN }
    }
}

/// The whole configuration, with a newline at the end.
pub fn effective(config: &Config, secrets: Secrets) -> String {
    let said = |wanted: Level| -> Vec<&str> {
        config.notices.iter().filter(|notice| notice.level == wanted).map(|notice| notice.text.as_str()).collect()
    };
    let json = map! {
        "supervisord" => daemon(&config.daemon, secrets),
        "servers" => config.servers.iter().map(|one| server(one, secrets)).collect::<Vec<_>>(),
        "rpcinterfaces" => config.interfaces.iter().map(interface).collect::<Vec<_>>(),
        "groups" => config.groups.iter().map(|one| group(one, secrets)).collect::<Vec<_>>(),
        "criticals" => said(Level::Critical),
        "warnings" => said(Level::Warn),
        "infos" => said(Level::Info),
    };
    let mut out = Json::from(json).to_text();
    out.push('\n');
    out
}

fn uid(user: &Option<UserSpec>) -> Option<u32> {
    user.as_ref().map(|user| user.uid)
}

fn daemon(daemon: &DaemonSpec, secrets: Secrets) -> Object {
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
        "environment" => environment(&daemon.environment, secrets),
        "identifier" => &daemon.identifier,
        "serverurl" => daemon.serverurl.as_ref(),
        "multicall_results" => if daemon.multicall_arrays { "array" } else { "bare" },
        "subreaper" => daemon.subreaper,
        "parent_death_signal" => daemon.parent_death_signal.map(i64::from),
        "cpu_affinity" => daemon.cpu_affinity.map(|cpus| cpus.to_string()),
    }
}

fn server(server: &ServerSpec, secrets: Secrets) -> Object {
    let mut json = match &server.address {
        Address::Inet { host, port } => map! { "kind" => "inet", "host" => host, "port" => *port },
        Address::Unix { path, mode: bits, chown } => {
            let chown = vec![chown.0, chown.1];
            map! { "kind" => "unix", "file" => path, "chmod" => mode(*bits), "chown" => chown }
        }
    };
    json.put("section", &server.section);
    json.put("name", server.section.split_once(':').map(|(_, name)| name));
    json.put("username", server.username.as_ref());
    json.put("password", server.password.as_deref().map(|password| secrets.show(password)));
    let AccessSpec { viewer, hosts, get_actions } = &server.access;
    json.put("viewer_username", viewer.as_ref().map(|viewer| &viewer.0));
    json.put("viewer_password", viewer.as_ref().map(|viewer| secrets.show(&viewer.1)));
    json.put("allowed_hosts", hosts.iter().collect::<Vec<_>>());
    json.put("web_get_actions", *get_actions);
    let ServerLimits { body_bytes, connections, idle, slow_request } = server.limits;
    let secs = |time: Option<Duration>| time.map_or(0, |time| time.as_secs());
    json.put("body_maxbytes", body_bytes);
    json.put("max_connections", connections as u64);
    json.put("idle_timeout", secs(idle));
    json.put("request_timeout", secs(slow_request));
    json
}

fn interface(interface: &InterfaceSpec) -> Object {
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

fn group(group: &GroupSpec, secrets: Secrets) -> Object {
    let (kind, of_processes) = match &group.kind {
        GroupKind::Plain => ("ProcessGroupConfig", "ProcessConfig"),
        GroupKind::Pool(_) => ("EventListenerPoolConfig", "EventListenerConfig"),
        GroupKind::FastCgi(_) => ("FastCGIGroupConfig", "FastCGIProcessConfig"),
    };
    let processes = group.processes.iter().map(|process| self::process(process, of_processes, secrets));
    let mut json = map! {
        "kind" => kind,
        "name" => &group.name,
        "priority" => group.priority,
        "processes" => processes.collect::<Vec<_>>(),
    };
    match &group.kind {
        GroupKind::Plain => {}
        GroupKind::Pool(pool) => {
            json.put("events", pool.events.iter().collect::<Vec<_>>());
            match pool.bound {
                Bound::Count(count) => json.put("buffer_size", count),
                Bound::Bytes(bytes) => json.put("buffer_bytes", bytes),
            }
            json.put("result_handler", pool.result_handler.name());
            let unit = match pool.len_unit {
                LenUnit::Characters => "characters",
                LenUnit::Bytes => "bytes",
            };
            json.put("len_unit", unit);
            json.put("exit_status_in_events", pool.exit_status);
        }
        GroupKind::FastCgi(socket) => {
            let bits = socket.url.starts_with("unix://").then(|| mode(socket.mode));
            let owner = socket.owner.map(|(uid, gid)| vec![uid, gid]);
            let socket = map! { "url" => &socket.url, "backlog" => socket.backlog, "mode" => bits, "owner" => owner };
            json.put("socket", socket);
        }
    }
    json
}

fn process(process: &ProcessSpec, kind: &str, secrets: Secrets) -> Object {
    let mut json = map! {
        "kind" => if process.socket.is_some() { "FastCGIProcessConfig" } else { kind },
        "name" => &process.name,
        "command" => &process.command,
        "directory" => process.directory.as_ref(),
        "uid" => uid(&process.user),
        "umask" => process.umask.map(mode),
        "cpu_affinity" => process.cpu_affinity.as_ref().map(|cpus| cpus.to_string()),
        "priority" => process.priority,
        "autostart" => process.autostart,
        "autorestart" => match process.autorestart {
            Autorestart::Always => true.into(),
            Autorestart::Never => false.into(),
            Autorestart::Unexpected => Json::from("unexpected"),
        },
        "startsecs" => process.startsecs,
        "startretries" => process.startretries,
        "exitcodes" => process.exitcodes.clone(),
        "stopsignal" => process.stopsignal,
        "stopwaitsecs" => process.stopwaitsecs,
        "stopasgroup" => process.stopasgroup,
        "killasgroup" => process.killasgroup,
        "redirect_stderr" => process.redirect_stderr,
        "environment" => environment(&process.environment, secrets),
        "serverurl" => process.serverurl.as_ref(),
    };
    for (name, channel) in ["stdout", "stderr"].into_iter().zip(&process.channels) {
        let logfile = match &channel.logfile {
            LogFile::None => Json::Null,
            LogFile::Auto => "AUTO".into(),
            LogFile::Path(path) => path.into(),
        };
        let Object(members) = map! {
            "logfile" => logfile,
            "logfile_maxbytes" => channel.maxbytes,
            "logfile_backups" => channel.backups,
            "capture_maxbytes" => channel.capture_maxbytes,
            "events_enabled" => channel.events,
            "syslog" => channel.syslog,
        };
        json.0.extend(members.into_iter().map(|(key, value)| (format!("{name}_{key}"), value)));
    }
    json
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_escaped_and_laid_out() {
        let json: Json = map! { "a\n" => "\"\\\u{1}é", "b" => vec![1, 2], "c" => map! {}, "d" => None::<u32> }.into();
        let out = json.to_text();
        let expected =
            "{\n  \"a\\n\": \"\\\"\\\\\\u0001é\",\n  \"b\": [\n    1,\n    2\n  ],\n  \"c\": {},\n  \"d\": null\n}";
        assert_eq!(out, expected);
    }
}
