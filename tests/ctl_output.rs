//! What our `supervisorctl` prints beside the words of the published one: JSON, the twiddler's commands, and output that
//! the published one can't show.

mod support;

use std::process::{Command, Output};

use serde_json::Value;
use support::daemon::Daemon;
use support::{SERVERS, upstream_differs};

const PROGRAMS: &str = "\
[program:web]
command=sleep 1000
[program:idle]
command=sleep 1000
autostart=false
[program:odd]
command=printf 'a\\377\\033[1mb\\000\\303\\251c\\n'
autostart=false
autorestart=false
startsecs=0
";

fn run(daemon: &Daemon, words: &[&str], settings: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_supervisorctl"));
    command.arg("-c").arg(daemon.config()).args(words).envs(settings.iter().copied());
    command.output().expect("supervisorctl")
}

/// Output, errors, exit status.
fn said(daemon: &Daemon, words: &[&str]) -> (String, String, Option<i32>) {
    let output = run(daemon, words, &[]);
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
    (text(&output.stdout), text(&output.stderr), output.status.code())
}

/// The document that a command printed; its exit status must be this.
fn json(daemon: &Daemon, words: &[&str], status: i32) -> Value {
    let (out, err, code) = said(daemon, words);
    assert_eq!((err.as_str(), code), ("", Some(status)), "{words:?}");
    serde_json::from_str(&out).unwrap_or_else(|error| panic!("{words:?}: {error}: {out}"))
}

fn start() -> Daemon {
    let daemon = Daemon::start(&format!("{SERVERS}{PROGRAMS}"));
    daemon.wait_for_state("web", "RUNNING");
    daemon
}

/// The flag stands in front of the action or behind it; the exit status is that of the text.
#[test]
fn json_of_values() {
    if upstream_differs("--json is ours") {
        return;
    }
    let daemon = start();
    let all = json(&daemon, &["--json", "status"], 3);
    let names: Vec<&str> = all.as_array().unwrap().iter().map(|info| info["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["idle", "odd", "web"]);
    let web = json(&daemon, &["status", "web", "--json"], 0);
    assert_eq!(
        (&web[0]["group"], &web[0]["state"], &web[0]["statename"]),
        (&"web".into(), &20.into(), &"RUNNING".into())
    );
    assert_eq!(web[0]["pid"].as_i64(), Some(daemon.info("web").pid()));
    let avail = json(&daemon, &["avail", "--json"], 0);
    let row = |name: &str| avail.as_array().unwrap().iter().find(|info| info["name"] == name).cloned().unwrap();
    assert_eq!((&row("web")["inuse"], &row("idle")["autostart"]), (&true.into(), &false.into()));
    json(&daemon, &["status", "--json", "idle"], 3);

    assert_eq!(json(&daemon, &["--json", "cache_keys"], 0), Value::Array(vec![]));
    assert_eq!(said(&daemon, &["cache_store", "k", "'it''s \"é\"'"]).2, Some(0));
    assert_eq!(json(&daemon, &["--json", "cache_fetch", "k"], 0), "its \"é\"");
    assert_eq!(json(&daemon, &["cache_keys", "--json"], 0)[0], "k");
    assert_eq!(json(&daemon, &["cache_count", "--json"], 0), 1);

    // What is wrong goes elsewhere, so that the document stays one.
    let (out, err, code) = said(&daemon, &["--json", "status", "ghost", "web"]);
    assert_eq!((err.as_str(), code), ("ghost: ERROR (no such process)\n", Some(4)));
    assert_eq!(serde_json::from_str::<Value>(&out).unwrap().as_array().unwrap().len(), 1);
    let (out, err, code) = said(&daemon, &["--json", "cache_fetch", "nothing"]);
    assert!(out.is_empty() && err.starts_with("error: <class 'xmlrpc.client.Fault'>, <Fault 10: 'BAD_NAME'>"), "{err}");
    assert_eq!(code, Some(1));
    let (out, err, code) = said(&daemon, &["--json", "-s", "unix:///nowhere/at.sock", "status"]);
    assert_eq!((out.as_str(), err.as_str(), code), ("", "unix:///nowhere/at.sock no such file\n", Some(4)));
    let (out, err, code) = said(&daemon, &["--json", "stop", "web"]);
    assert!(out.is_empty() && err.starts_with("Error: option --json goes with avail, status, "), "{err}");
    assert_eq!(code, Some(2));
}

/// Groups and programs come and go; words keep their blanks, as a shell's user expects.
#[test]
fn twiddler_commands() {
    if upstream_differs("twiddler_* are ours") {
        return;
    }
    let daemon = start();
    let ok = |words: &[&str], out: &str| {
        assert_eq!(said(&daemon, words), (out.to_string(), String::new(), Some(0)), "{words:?}");
    };
    ok(&["twiddler_add_group", "jobs"], "jobs: added process group\n");
    ok(&["twiddler_groups"], "idle\nodd\nweb\njobs\n");
    ok(&["twiddler_add", "jobs", "say", "command=sh -c 'echo \"two  words\"'", "startsecs=0"], "jobs:say: added\n");
    daemon.wait_for_state("jobs:say", "EXITED");
    ok(&["tail", "jobs:say"], "two  words\n\n");
    ok(&["twiddler_add jobs nap command='sleep 1000' autostart=false"], "jobs:nap: added\n");
    assert_eq!(said(&daemon, &["status", "jobs:nap"]).2, Some(3));
    ok(&["twiddler_remove", "jobs:say", "jobs:nap"], "jobs:say: removed\njobs:nap: removed\n");
    ok(&["remove", "jobs"], "jobs: removed process group\n");
    let no_group = ("ERROR: no such group: jobs\n".to_string(), String::new(), Some(1));
    assert_eq!(said(&daemon, &["twiddler_add", "jobs", "x", "command=x"]), no_group);
    let running = ("web: ERROR (still running)\n".to_string(), String::new(), Some(1));
    assert_eq!(said(&daemon, &["twiddler_remove", "web"]), running);

    // Help lists them where the configuration says so (CTL-140); help about one is there anyway.
    let (help, _, _) = said(&daemon, &["help"]);
    assert!(!help.contains("twiddler"), "{help}");
    assert!(said(&daemon, &["help", "twiddler_groups"]).0.starts_with("twiddler_groups\t"));
    let mut daemon = daemon;
    let config = format!("{SERVERS}{PROGRAMS}").replace("[supervisorctl]\n", "[supervisorctl]\ntwiddler=true\n");
    daemon.configure(&config);
    let (help, _, _) = said(&daemon, &["help"]);
    assert!(
        help.contains("\n\ntwiddler commands (type help <topic>):\n=====") && help.contains("twiddler_add  "),
        "{help}"
    );
}

/// BUG-093: a log with bytes that are no UTF-8, and with control characters, is shown. CTL-090: whatever the locale says,
/// output is UTF-8, without a warning.
#[test]
fn bug_093_ctl_090_odd_bytes() {
    if upstream_differs("BUG-093") {
        return;
    }
    let daemon = start();
    assert_eq!(said(&daemon, &["start", "odd"]).0, "odd: started\n");
    daemon.wait_for_state("odd", "EXITED");
    for locale in ["C", "POSIX", "C.UTF-8", "de_DE.ISO-8859-1"] {
        let output =
            run(&daemon, &["tail", "odd"], &[("LC_ALL", locale), ("LANG", locale), ("PYTHONIOENCODING", "ascii")]);
        let out = String::from_utf8(output.stdout).expect("UTF-8");
        assert!(out.starts_with("a\u{fffd}") && out.ends_with("éc\n\n") && out.lines().count() == 2, "{out:?}");
        assert!(output.status.success() && output.stderr.is_empty());
    }
}

/// BUG-094, CTL-005: `-i` with an action ends behind the action, and asks nothing.
#[test]
fn bug_094_interactive_with_an_action() {
    if upstream_differs("CTL-152: the published one asks here") {
        return;
    }
    let mut daemon = start();
    assert_eq!(said(&daemon, &["-i", "version"]), ("4.3.0\n".to_string(), String::new(), Some(0)));
    assert_eq!(said(&daemon, &["-i", "shutdown"]), ("Shut down\n".to_string(), String::new(), Some(0)));
    assert!(daemon.wait_for_exit().success());
}
