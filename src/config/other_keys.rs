//! The keys of servers, plugins, `[include]` and `[supervisorctl]` (CFG-090, CFG-160 to CFG-169, CTL-010 to CTL-014).

use crate::config::table::{ENV, Row, keys};

/// The key of a `[rpcinterface:x]` that names what is behind it.
pub const RPC_FACTORY: &str = "supervisor.rpcinterface_factory";
/// The key of a `[ctlplugin:x]` that names what is behind it.
pub const CTL_FACTORY: &str = "supervisor.ctl_factory";
/// What `twiddler.getAPIVersion` answers.
pub const API_VERSION: &str = "0.1";

const fn plugin(key: &'static str, kind: &'static str, default: Option<&'static str>, doc: &'static str) -> Row {
    Row { key, kind, default, scope: ENV, doc, flag: None, ours: false, shown: None }
}

/// `[rpcinterface:x]`: which keys there may be depends on the factory, so `servers` reads them one by one.
pub const RPC_ROWS: &[Row] = &[
    plugin(RPC_FACTORY, "factory", None, "What is behind the namespace."),
    plugin("whitelist", "list", Some(""), "For twiddler: methods that may be called; all if empty."),
    plugin("api_version", "text", Some(API_VERSION), "For twiddler: what getAPIVersion answers."),
    Row {
        ours: true,
        ..plugin("values", "values_form", Some("string"), "For cache: 'any' stores values of all types.")
    },
    Row {
        ours: true,
        ..plugin(
            "maxbytes",
            "size",
            Some("0"),
            "For cache: how much memory all entries may take, with what holds them; 0 is no limit.",
        )
    },
];

/// `[ctlplugin:x]`.
pub const CTL_ROWS: &[Row] = &[plugin(CTL_FACTORY, "factory", None, "What is behind the commands.")];

keys! {
    /// What both kinds of server have.
    pub struct Login {
        /// With a password: clients must show both.
        username: String = text or none, ENV;
        /// Plain, or {SHA} and the hexadecimal SHA-1 of it.
        password: String = text or none, ENV;
    }
}

keys! {
    /// What both kinds of server have for browsers, and for those who may only look.
    pub struct AccessKeys {
        /// With a password: another account, which sees everything and changes nothing. Needs username and password.
        viewer_username: String = text or none, ENV, ours;
        /// Plain, or {SHA} and the hexadecimal SHA-1 of it.
        viewer_password: String = text or none, ENV, ours;
        /// Names by which browsers may call this server, such as box, *.example.com or [::1]:9001; any if empty.
        allowed_hosts: Vec<String> = hosts or "", ENV, ours;
        /// Whether links that do something, such as index.html?action=stopall, do it; the page's own buttons use POST.
        web_get_actions: bool = boolean or "true", ENV, ours;
    }
}

keys! {
    /// What both kinds of server bear of their clients; the defaults and their reasons are in `base::limits`.
    pub struct ServerLimits {
        /// How long the body of a request may be; a longer one is answered with 413.
        body_maxbytes: u64 = body_size or "64MB", ENV, ours;
        /// How many clients may be connected at once; one more is answered with 503.
        max_connections: usize = connections or "16384", ENV, ours;
        /// Seconds until a connection without a request in progress is closed; 0 is never.
        idle_timeout: std::time::Duration = timeout or "2700", ENV, ours;
        /// Seconds in which a request that was begun must be complete, or it is answered with 408; 0 is no limit.
        request_timeout: std::time::Duration = timeout or "300", ENV, ours;
    }
}

keys! {
    /// `[inet_http_server]`.
    pub struct InetServer {
        /// host:port, or a port alone for all IPv4 interfaces.
        port: (String, u16) = inet_address or none, ENV;
    }
}

keys! {
    /// `[unix_http_server]`: the path.
    pub struct UnixServer {
        /// Path of the socket.
        file: String = text or none, HERE;
    }
}

keys! {
    /// `[unix_http_server]`: who may use it.
    pub struct UnixMode {
        /// Permission bits of the socket.
        chmod: String = text or "0700", ENV;
        /// Owner of the socket, user or user:group.
        chown: String = text or none, ENV;
    }
}

keys! {
    /// `[include]`.
    pub struct IncludeKeys {
        /// Patterns of file names, with blanks between; relative ones start from this file's directory.
        files: String = text or none, INCLUDE;
    }
}

keys! {
    /// `[supervisorctl]`.
    pub struct CtlKeys {
        /// Where the daemon listens: http://host:port or unix:///path.
        serverurl: String = text or "http://localhost:9001", HERE;
        /// To log in with.
        username: String = text or none, ENV;
        /// To log in with.
        password: String = text or none, ENV;
        /// What the shell shows.
        prompt: String = text or "supervisor", ENV;
        /// Where the shell keeps what was typed; nowhere if absent.
        history_file: String = text or none, HERE;
        /// List the twiddler commands in help and completion; they work in any case.
        twiddler: bool = boolean or "false", ENV, ours;
    }
}
