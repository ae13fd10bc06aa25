//! Servers, namespaces, and what supervisorctl reads (CFG-098, CFG-160 to CFG-169, CTL-003 to CTL-014).
//!
//! Compiled for `#[cfg(test)]` only.

use std::path::PathBuf;
use std::rc::Rc;

use super::{bad, good, load_with, machine, notices, one_bad};
use crate::base::words::Level;
use crate::config::ctl::{CtlPlugin, CtlPluginKind, CtlSpec};
use crate::config::spec::{AccessSpec, Address, InterfaceKind, ServerLimits};
use crate::config::{Surroundings, ctl_section};

#[test]
fn cfg_160_cfg_162_servers_in_order() {
    let config = good(
        "[unix_http_server]\nfile=~/%(here)s\n[inet_http_server:b]\nport=*:2\n[unix_http_server:x]\nfile= s.sock\n\
         chmod=0770\nchown=joe:staff\n[inet_http_server]\nport=Host:1\nusername=u\npassword=p\n",
    );
    let unix = |path: &str, mode, chown| Address::Unix { path: PathBuf::from(path), mode, chown };
    let inet = |host: &str, port| Address::Inet { host: host.to_string(), port };
    let shown: Vec<_> = config.servers.iter().map(|server| (server.section.as_str(), server.address.clone())).collect();
    assert_eq!(
        shown,
        [
            ("inet_http_server:b", inet("", 2)),
            ("inet_http_server", inet("host", 1)),
            ("unix_http_server", unix("/home/joe/etc", 0o700, (-1, -1))),
            ("unix_http_server:x", unix("/base/s.sock", 0o770, (1, 50))),
        ]
    );
    assert_eq!(config.servers[1].username.as_deref(), Some("u"));
}

#[test]
fn cfg_161_cfg_163_mistakes_in_servers() {
    assert_eq!(one_bad("[inet_http_server]\n"), "section [inet_http_server] has no port value");
    assert_eq!(one_bad("[unix_http_server:a]\n"), "section [unix_http_server:a] has no file value");
    assert_eq!(one_bad("[unix_http_server]\nfile=a\nchmod=9\n"), "Invalid chmod value 9");
    assert_eq!(one_bad("[unix_http_server]\nfile=a\nchown=jim\n"), "Invalid sockchown value jim");
    let half = "Section [inet_http_server] contains incomplete authentication: If a username or a password is specified, \
                both the username and password must be specified";
    assert_eq!(one_bad("[inet_http_server]\nport=1\nusername=u\n"), half);
    assert_eq!(one_bad("[inet_http_server]\nport=1\npassword=u\n"), half);
    assert_eq!(bad("[inet_http_server]\nport=x:y\nusername=%(here)s\n").len(), 2);
    // CFG-163: both empty is nothing wrong.
    assert_eq!(good("[inet_http_server]\nport=1\nusername=\npassword=p\n").servers[0].username.as_deref(), Some(""));
}

#[test]
fn http_009_http_024_limits_of_a_server() {
    let server = |text: &str| good(&format!("[unix_http_server]\nfile=/s\n[inet_http_server]\nport=1\n{text}")).servers;
    // The defaults in the table are those that `limits` gives reasons for.
    let servers = server("");
    assert_eq!((servers[0].limits, servers[1].limits), (ServerLimits::default(), ServerLimits::default()));
    let text = "body_maxbytes=1MB\nmax_connections=1\nidle_timeout=0\nrequest_timeout=10\n";
    let limits = ServerLimits {
        body_bytes: 1 << 20,
        connections: 1,
        idle: None,
        slow_request: Some(std::time::Duration::from_secs(10)),
    };
    let servers = server(text);
    assert_eq!((servers[0].limits, servers[1].limits), (limits, ServerLimits::default()), "each has its own");
    for (line, text) in [
        ("body_maxbytes=0", "'0' is not from 1KB to 1GB"),
        ("body_maxbytes=2GB", "'2GB' is not from 1KB to 1GB"),
        ("body_maxbytes=much", "invalid literal for int() with base 10: 'much'"),
        ("max_connections=0", "0 is below lower bound (1)"),
        ("max_connections=-5", "-5 is below lower bound (1)"),
        ("idle_timeout=-1", "'-1' is not from 0 to 31536000 seconds"),
        ("request_timeout=99999999", "'99999999' is not from 0 to 31536000 seconds"),
        ("request_timeout=1.5", "invalid literal for int() with base 10: '1.5'"),
    ] {
        let mistake = one_bad(&format!("[inet_http_server]\nport=1\n{line}\n"));
        assert_eq!(mistake, text, "{line}");
    }
}

#[test]
fn who_may_look_and_which_names_lead_here() {
    let access = |text: &str| good(&format!("[inet_http_server]\nport=1\n{text}")).servers[0].access.clone();
    assert_eq!(access(""), AccessSpec::default());
    let login = "username=u\npassword=p\n";
    let set = access(&format!("{login}viewer_username=v\nviewer_password={{SHA}}x\nweb_get_actions=off\n"));
    let viewer = Some(("v".to_string(), "{SHA}x".to_string()));
    assert_eq!(set, AccessSpec { viewer, hosts: Vec::new(), get_actions: false });
    let hosts = "box, *.example.com:443,[::1]:9001 ,*,127.0.0.1";
    let expected = ["box", "*.example.com:443", "[::1]:9001", "*", "127.0.0.1"];
    assert_eq!(access(&format!("allowed_hosts={hosts}\n")).hosts, expected);
    for bad in ["a b", "http://box", "box/", "b*x", "*.", "[::g]", "box:port", "box:70000", "a,,b", ":80", "<b>"] {
        let mistake = one_bad(&format!("[inet_http_server]\nport=1\nallowed_hosts={bad}\n"));
        assert!(mistake.contains("is no host name such as"), "{bad}: {mistake}");
    }
    for (lines, text) in [
        ("viewer_username=v\n", "Section [inet_http_server] has viewer_username and no viewer_password"),
        ("viewer_password=v\n", "Section [inet_http_server] has viewer_password and no viewer_username"),
        (
            "viewer_username=u\nviewer_password=x\n",
            "Section [inet_http_server]: viewer_username is the same as username",
        ),
    ] {
        assert_eq!(one_bad(&format!("[inet_http_server]\nport=1\n{login}{lines}")), text);
    }
    // Where nobody is asked, nobody only looks.
    let open = "Section [inet_http_server] has viewer_username, but no username and password";
    for login in ["", "username=\npassword=\n"] {
        let lines = format!("[inet_http_server]\nport=1\n{login}viewer_username=v\nviewer_password=x\n");
        assert_eq!(one_bad(&lines), open);
    }
}

#[test]
fn cfg_164_cfg_165_the_url_for_children() {
    let url = |text: &str| good(text).daemon.serverurl;
    assert_eq!(url(""), None);
    assert_eq!(url("[inet_http_server]\nport=1\n").as_deref(), Some("http://localhost:1"));
    assert_eq!(url("[inet_http_server]\nport=[::1]:1\n").as_deref(), Some("http://[::1]:1"));
    assert_eq!(url("[inet_http_server]\nport=a:1\n[unix_http_server]\nfile=/s\n").as_deref(), Some("unix:///s"));
}

#[test]
fn cfg_166_cfg_167_namespaces() {
    // CFG-168
    assert!(good("").interfaces.is_empty());
    let config = good(
        "[rpcinterface:main]\nsupervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface\n\
         [rpcinterface:t]\nsupervisor.rpcinterface_factory=supervisor_twiddler.rpcinterface:make_twiddler_rpcinterface\n\
         whitelist=a, b\napi_version=%(ENV_X)s\n\
         [rpcinterface:c]\nsupervisor.rpcinterface_factory=supervisor_cache.rpcinterface:make_cache_rpcinterface\n\
         values=any\nother=x\n[rpcinterface:f]\nsupervisor.rpcinterface_factory=a.b:c\nextra=x\n",
    );
    let kinds: Vec<_> =
        config.interfaces.iter().map(|interface| (interface.namespace.as_str(), interface.kind.clone())).collect();
    let whitelist = ["a", "b"].map(String::from).to_vec();
    assert_eq!(
        kinds,
        [
            ("main", InterfaceKind::Main),
            ("t", InterfaceKind::Twiddler { api_version: "envX".into(), whitelist }),
            ("c", InterfaceKind::Cache { any: true, max_bytes: None }),
            ("f", InterfaceKind::Foreign { factory: "a.b:c".into() }),
        ]
    );
    let [critical] = notices(&config, Level::Critical)[..] else { panic!() };
    assert!(critical.starts_with("a.b:c cannot be resolved within [rpcinterface:f]"), "{critical}");
    assert!(critical.contains("supervisor_twiddler.rpcinterface:make_twiddler_rpcinterface"), "{critical}");
    assert!(notices(&config, Level::Warn).is_empty());
}

#[test]
fn cfg_166_cfg_167_mistakes_in_namespaces() {
    assert_eq!(
        one_bad("[rpcinterface:x]\n"),
        "section [rpcinterface:x] does not specify a supervisor.rpcinterface_factory"
    );
    let main = "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n";
    assert_eq!(one_bad(&format!("[rpcinterface:x]\n{main}a=b\n")), "Could not make x rpc interface");
    let twiddler = "supervisor.rpcinterface_factory=supervisor_twiddler.rpcinterface:make_twiddler_rpcinterface\n";
    assert_eq!(one_bad(&format!("[rpcinterface:t]\n{twiddler}a=b\n")), "Could not make t rpc interface");
    assert!(one_bad(&format!("[rpcinterface:x]\n{main}a=%(here)s\n")).contains("'rpcinterface:x.a'"));
}

fn ctl(text: &str) -> Result<CtlSpec, Vec<String>> {
    let around: Rc<dyn Surroundings> = Rc::new(machine(text));
    ctl_section(Some("/etc/c.conf"), "supervisorctl", &around)
        .map_err(|errors| errors.into_iter().map(|error| error.text).collect())
}

#[test]
fn ctl_003_010_014_defaults() {
    let around: Rc<dyn Surroundings> = Rc::new(machine(""));
    // CFG-005: nothing found is no mistake.
    let nothing = ctl_section(None, "supervisorctl", &around).unwrap();
    let found = ctl("[supervisorctl]\n").unwrap();
    for spec in [&nothing, &found] {
        assert_eq!((spec.serverurl.as_str(), spec.prompt.as_str()), ("http://localhost:9001", "supervisor"));
        assert_eq!((&spec.username, &spec.password, &spec.history_file), (&None, &None, &None));
    }
    assert_eq!((nothing.file, found.file.as_deref()), (None, Some("/etc/c.conf")));
}

#[test]
fn ctl_010_013_values_and_cfg_169_plugins() {
    let spec = ctl(
        "[supervisorctl]\nserverurl=unix://%(here)s/../s\nusername=%(ENV_X)s\npassword=p\nprompt=q\nhistory_file=~/h\n\
         [ctlplugin:cache]\nsupervisor.ctl_factory = supervisor_cache.controllerplugin:make_cache_controllerplugin\n\
         [ctlplugin:f]\nsupervisor.ctl_factory=a:b\n[include]\nfiles=/x\n",
    )
    .unwrap();
    assert_eq!(spec.serverurl, "unix:///s");
    assert_eq!((spec.username.as_deref(), spec.password.as_deref()), (Some("envX"), Some("p")));
    assert_eq!((spec.prompt.as_str(), spec.history_file.as_deref()), ("q", Some("/home/joe/h")));
    assert_eq!(
        spec.plugins,
        [
            CtlPlugin { name: "cache".into(), kind: CtlPluginKind::Cache },
            CtlPlugin { name: "f".into(), kind: CtlPluginKind::Foreign("a:b".into()) },
        ]
    );
    assert_eq!(ctl("[supervisorctl]\nserverurl=unix://s\n").unwrap().serverurl, "unix:///base/s");
}

#[test]
fn ctl_004_cfg_098_mistakes() {
    assert_eq!(ctl("[supervisord]\n").unwrap_err(), [".ini file does not include supervisorctl section"]);
    assert_eq!(
        ctl("[supervisorctl]\n[ctlplugin:x]\n").unwrap_err(),
        ["section [ctlplugin:x] does not specify a supervisor.ctl_factory"]
    );
    // BUG-096.
    assert!(ctl("[supervisorctl]\nx\n").unwrap_err()[0].starts_with("Source contains parsing errors: '/etc/c.conf'"));
    // The daemon does not read the plugins.
    assert!(load_with(machine("[supervisord]\n[ctlplugin:x]\n"), &[]).is_ok());
}
