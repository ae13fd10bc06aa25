//! The published `supervisorctl` 4.3.0 against our daemon: exact output and exit status of every command that the
//! README promises. The same list is then gone through with our own `supervisorctl`.

mod support;

use std::process::Command;

use support::daemon::Daemon;
use support::python::{Python, python};
use support::{SERVERS, upstream};

const PROGRAMS: &str = "\
[program:web]
command=/bin/sh -c 'echo first; echo second; exec sleep 1000'
[program:idle]
command=sleep 1000
autostart=false
startsecs=0
";

/// The client that speaks to the daemon.
enum Client {
    Published(Python),
    Ours,
}

impl Client {
    fn run(&self, daemon: &Daemon, words: &[&str]) -> (Option<i32>, String, String) {
        let mut command = match self {
            Client::Published(python) => python.program(daemon.path(), "supervisorctl"),
            Client::Ours => Command::new(env!("CARGO_BIN_EXE_supervisorctl")),
        };
        let done = command.arg("-c").arg(daemon.config()).args(words).output().expect("supervisorctl");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (done.status.code(), text(&done.stdout), text(&done.stderr))
    }

    /// Runs a command; its exit status and its whole output must be these.
    fn expect(&self, daemon: &Daemon, words: &[&str], status: i32, output: &str) {
        let got = self.run(daemon, words);
        assert_eq!(got, (Some(status), output.to_string(), String::new()), "supervisorctl {}", words.join(" "));
    }

    /// Runs a command whose output begins like this.
    fn expect_start(&self, daemon: &Daemon, words: &[&str], status: i32, start: &str) {
        let (code, output, errors) = self.run(daemon, words);
        let fits = code == Some(status) && output.starts_with(start) && output.ends_with('\n') && errors.is_empty();
        assert!(fits, "supervisorctl {} gave {code:?} {output:?} {errors:?}", words.join(" "));
    }
}

/// A status line up to the pid (CTL-041).
fn running(name: &str) -> String {
    format!("{name:<33}RUNNING   pid ")
}

/// CTL-041, CTL-044, CTL-057, CTL-060, CTL-064, CTL-067, CTL-069.
fn control(client: &Client, daemon: &Daemon) {
    let not_started = format!("{:<33}STOPPED   Not started\n", "idle");
    let (code, output, _) = client.run(daemon, &["status"]);
    let lines: Vec<&str> = output.lines().collect();
    assert_eq!((code, lines.len()), (Some(3), 2), "{output}");
    assert_eq!(format!("{}\n", lines[0]), not_started);
    assert!(lines[1].starts_with(&running("web")) && lines[1].contains(", uptime 0:00:"), "{output}");
    client.expect(daemon, &["status", "idle"], 3, &not_started);
    client.expect_start(daemon, &["status", "web"], 0, &running("web"));
    client.expect(daemon, &["status", "ghost"], 4, "ghost: ERROR (no such process)\n");

    client.expect(daemon, &["start", "idle"], 0, "idle: started\n");
    client.expect(daemon, &["start", "idle"], 0, "idle: ERROR (already started)\n");
    client.expect_start(daemon, &["status"], 0, &running("idle"));
    client.expect(daemon, &["restart", "idle"], 0, "idle: stopped\nidle: started\n");
    client.expect(daemon, &["stop", "idle"], 0, "idle: stopped\n");
    client.expect(daemon, &["stop", "idle"], 0, "idle: ERROR (not running)\n");
    client.expect(daemon, &["start", "ghost"], 1, "ghost: ERROR (no such process)\n");
    client.expect(daemon, &["stop", "ghost"], 1, "ghost: ERROR (no such process)\n");
    client.expect(daemon, &["start", "ghost:*"], 2, "ghost: ERROR (no such group)\n");
    let (code, output, _) = client.run(daemon, &["stop", "all"]);
    assert_eq!((code, output.as_str()), (Some(0), "web: stopped\n"));
    let (code, output, _) = client.run(daemon, &["start", "all"]);
    let mut lines: Vec<&str> = output.lines().collect();
    lines.sort();
    assert_eq!((code, lines), (Some(0), vec!["idle: started", "web: started"]));
    client.expect(daemon, &["stop", "idle"], 0, "idle: stopped\n");
}

/// CTL-080, CTL-085, CTL-087, CTL-103.
fn questions(client: &Client, daemon: &Daemon) {
    client.expect(daemon, &["version"], 0, "4.3.0\n");
    client.expect(daemon, &["pid"], 0, &format!("{}\n", daemon.pid()));
    client.expect(daemon, &["pid", "web"], 0, &format!("{}\n", daemon.info("web").pid()));
    client.expect(daemon, &["pid", "idle"], 7, "0\n");
    client.expect(daemon, &["pid", "ghost"], 1, "No such process ghost\n");
    let log = daemon.info("web").text("logfile").to_string();
    let log = std::fs::read_to_string(log).expect("the log of web");
    assert!(log.ends_with("first\nsecond\n"), "{log:?}");
    client.expect(daemon, &["tail", "web"], 0, &format!("{log}\n"));
    client.expect(daemon, &["tail", "-7", "web"], 0, "second\n\n");
    client.expect(daemon, &["tail", "web", "stderr"], 0, "\n");
    client.expect(daemon, &["tail", "ghost"], 1, "ghost: ERROR (no such process name)\n");
}

/// CTL-120, CTL-121, CTL-122, CTL-123, CTL-124, CTL-125, CTL-126, CTL-127, CACHE-002, CACHE-041.
fn cache(client: &Client, daemon: &Daemon) {
    client.expect(daemon, &["cache_keys"], 0, "[]\n");
    client.expect(daemon, &["cache_store", "foo", "'bar baz'"], 0, "");
    client.expect(daemon, &["cache_store", "empty", "''"], 0, "");
    client.expect(daemon, &["cache_fetch", "foo"], 0, "'bar baz'\n");
    client.expect(daemon, &["cache_fetch", "empty"], 0, "''\n");
    client.expect(daemon, &["cache_keys"], 0, "['empty', 'foo']\n");
    client.expect(daemon, &["cache_count"], 0, "2\n");
    client.expect(daemon, &["cache_delete", "foo"], 0, "");
    client.expect(daemon, &["cache_delete", "foo"], 0, "");
    let missing = "error: <class 'xmlrpc.client.Fault'>, <Fault 10: 'BAD_NAME'>: file: ";
    client.expect_start(daemon, &["cache_fetch", "foo"], 1, missing);
    client.expect(daemon, &["cache_clear"], 0, "");
    client.expect(daemon, &["cache_count"], 0, "0\n");
    client.expect_start(daemon, &["cache_store", "foo"], 0, "cache_store <key> <value>\t");
}

/// CTL-101, CTL-021, CTL-025.
fn shutdown(client: &Client, daemon: &mut Daemon) {
    client.expect(daemon, &["shutdown"], 0, "Shut down\n");
    assert_eq!(daemon.wait_for_exit().code(), Some(0));
    let url = format!("unix://{}", daemon.file("supervisor.sock").display());
    client.expect(daemon, &["status"], 4, &format!("{url} no such file\n"));
    client.expect(daemon, &["version"], 7, &format!("{url} no such file\n"));
    client.expect(daemon, &["shutdown"], 1, &format!("ERROR: {url} no such file (already shut down?)\n"));
}

fn everything(client: &Client) {
    let mut daemon = Daemon::start(&format!("{SERVERS}{PROGRAMS}"));
    daemon.wait_for_state("web", "RUNNING");
    control(client, &daemon);
    questions(client, &daemon);
    cache(client, &daemon);
    shutdown(client, &mut daemon);
}

/// HTTP-141, RPC-011, CTL-030 and those above.
#[test]
fn the_published_supervisorctl() {
    everything(&Client::Published(python()));
}

#[test]
fn our_supervisorctl() {
    if !upstream() {
        everything(&Client::Ours);
    }
}

/// HTTP-081, CTL-011, CTL-026.
#[test]
fn the_published_supervisorctl_with_a_password() {
    let protected = SERVERS
        .replace("supervisor.sock\n[inet", "supervisor.sock\nusername=user\npassword=open:sesame\n[inet")
        .replace("[supervisorctl]\n", "[supervisorctl]\nusername=user\npassword=open:sesame\n");
    let daemon = Daemon::start(&format!("{protected}{PROGRAMS}"));
    let client = Client::Published(python());
    client.expect(&daemon, &["version"], 0, "4.3.0\n");
    let (code, output, _) = client.run(&daemon, &["-p", "wrong", "version"]);
    assert_eq!((code, output.lines().next()), (Some(1), Some("Server requires authentication")));
}
