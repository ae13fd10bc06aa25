//! Our `supervisorctl` on our `supervisord`: runs recorded from Supervisor 4.3.0, and what needs real sockets.
//!
//! With `SUPERVISORD` in the environment the daemon of that path is used instead.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

const CTL: &str = env!("CARGO_BIN_EXE_supervisorctl");
const PATIENCE: Duration = Duration::from_secs(20);

/// Asks again until it is so.
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < end, "{what} takes too long");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A daemon in a folder of its own.
struct Daemon {
    folder: PathBuf,
    child: Child,
}

impl Daemon {
    /// Starts one and waits until it answers. `config` may contain `@DIR@` and `@PORT@`.
    fn start(name: &str, config: &str, files: &[(&str, &str)]) -> Daemon {
        let folder = std::env::temp_dir().join(format!("majordomo-ctl-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(folder.join("childlogs")).unwrap();
        std::fs::create_dir_all(folder.join("tmp")).unwrap();
        for (file, text) in files {
            std::fs::write(folder.join(file), text).unwrap();
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let config = config.replace("@DIR@", folder.to_str().unwrap()).replace("@PORT@", &port.to_string());
        std::fs::write(folder.join("sd.conf"), config).unwrap();
        let program = std::env::var("SUPERVISORD").unwrap_or_else(|_| env!("CARGO_BIN_EXE_supervisord").to_string());
        let child = in_folder(Command::new(program), &folder)
            .args(["-n", "-c", "sd.conf"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut daemon = Daemon { folder, child };
        until("the socket", || {
            assert!(daemon.child.try_wait().unwrap().is_none(), "the daemon ended");
            UnixStream::connect(daemon.folder.join("s.sock")).is_ok()
        });
        daemon
    }

    fn dir(&self) -> &str {
        self.folder.to_str().unwrap()
    }

    fn edit(&self, change: impl Fn(String) -> String) {
        let path = self.folder.join("sd.conf");
        std::fs::write(&path, change(std::fs::read_to_string(&path).unwrap())).unwrap();
    }

    fn ctl(&self, words: &[&str]) -> Command {
        let mut command = in_folder(Command::new(CTL), &self.folder);
        command.args(["-c", "sd.conf"]).args(words).stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// stdout and exit status of one action.
    fn run(&self, line: &str) -> (String, i32) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let output = self.ctl(&words).output().unwrap();
        (text(&output.stdout), output.status.code().unwrap())
    }

    fn typed(&self, words: &[&str], input: &str) -> Output {
        let mut child = self.ctl(words).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.child.id().to_string()).stderr(Stdio::null()).status();
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end && matches!(self.child.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// The environment of the recordings.
fn in_folder(mut command: Command, folder: &Path) -> Command {
    let path = std::env::var_os("PATH").unwrap_or_default();
    command.current_dir(folder).env_clear().env("PATH", path).env("HOME", folder).env("TMPDIR", folder.join("tmp"));
    command.envs([("LANG", "C.UTF-8"), ("LC_ALL", "C.UTF-8"), ("TZ", "UTC"), ("USER", "tester")]);
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Whether a line is what was recorded: tokens stand for what changes from run to run, and of a help line the usage
/// in front of the tab counts.
fn line_fits(recorded: &str, line: &str) -> bool {
    if let Some((usage, _)) = recorded.split_once('\t') {
        return line.split_once('\t').is_some_and(|(ours, _)| ours == usage);
    }
    let Some((before, rest)) = recorded.split_once('@') else { return recorded == line };
    let Some(line) = line.strip_prefix(before) else { return false };
    let Some((token, rest)) = rest.split_once('@') else { return false };
    let belongs: fn(char) -> bool = match token {
        "PID" => |c| c.is_ascii_digit(),
        "UPTIME" => |c| c.is_ascii_digit() || c == ':',
        "STOPTIME" => |c| c.is_ascii_alphanumeric() || c == ' ' || c == ':',
        "ERROR" => |_| true,
        token => panic!("what is {token}?"),
    };
    let end = line.find(|c| !belongs(c)).unwrap_or(line.len());
    end > 0 && &line[..end] != "0" && line_fits(rest, &line[end..])
}

fn fits(recorded: &str, ours: &str) -> bool {
    recorded.split('\n').count() == ours.split('\n').count()
        && recorded.split('\n').zip(ours.split('\n')).all(|(recorded, ours)| line_fits(recorded, ours))
}

/// The recorded runs, in sessions with one daemon each.
fn sessions() -> Vec<Vec<Value>> {
    let mut sessions: Vec<Vec<Value>> = Vec::new();
    for line in include_str!("vectors/ctl.jsonl").lines() {
        let run: Value = serde_json::from_str(line).unwrap();
        if run["after"].as_array().unwrap().is_empty() {
            sessions.push(Vec::new());
        }
        sessions.last_mut().unwrap().push(run);
    }
    sessions
}

/// What was done between the recorded runs.
fn prepare(daemon: &mut Daemon, step: &str) {
    match step {
        "changed the file: program job is called task" => {
            daemon.edit(|config| config.replace("[program:job]", "[program:task]"));
        }
        "changed the file: it now has only [program:halfdone] without a command" => daemon.edit(|config| {
            let (head, _) = config.split_once("[program:").unwrap();
            format!("{head}[program:halfdone]\n")
        }),
        "supervisor.shutdown, and the daemon is gone" => {
            until("the shutdown", || daemon.child.try_wait().unwrap().is_some());
        }
        "the session before" => {}
        step => assert!(step.starts_with("supervisorctl "), "how do I do this: {step}"),
    }
}

/// What the contract wants instead of what was recorded.
fn wanted(name: &str, recorded: &str) -> String {
    match name {
        // The place of a mistake is said more exactly.
        "ctl-040-reread" => recorded.replace(" (file: '@DIR@/sd.conf')", ""),
        _ => recorded.to_string(),
    }
}

/// Runs the recorded session whose first run has this name.
fn replay(first: &str) {
    let session = sessions().into_iter().find(|session| session[0]["name"] == first).unwrap();
    let config = match session[0]["setup"].as_str().unwrap() {
        "configs/one.conf" => include_str!("vectors/configs/one.conf"),
        "configs/fleet.conf" => include_str!("vectors/configs/fleet.conf"),
        "configs/plain.conf" => include_str!("vectors/configs/plain.conf"),
        other => panic!("no {other}"),
    };
    let files = session[0]["files"].as_object().unwrap();
    let files: Vec<_> = files.iter().map(|(name, text)| (name.as_str(), text.as_str().unwrap())).collect();
    let mut daemon = Daemon::start(first, config, &files);
    if config.contains("[program:web]") {
        until("web", || daemon.run("status web").1 == 0);
    }
    let mut done = 0;
    for run in &session {
        let name = run["name"].as_str().unwrap();
        let after = run["after"].as_array().unwrap();
        for step in &after[done..] {
            prepare(&mut daemon, step.as_str().unwrap());
        }
        done = after.len();
        let command = run["command"].as_str().unwrap();
        let words: Vec<&str> =
            command.strip_prefix("supervisorctl -c <the same file>").unwrap().split_whitespace().collect();
        let output = match run["stdin"].as_str() {
            Some(input) => daemon.typed(&words, input),
            None => daemon.ctl(&words).output().unwrap(),
        };
        let in_place = |stream: &str| wanted(name, run[stream].as_str().unwrap()).replace("@DIR@", daemon.dir());
        let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code().map(i64::from), run["exit_code"].as_i64(), "{name}: {stdout}{stderr}");
        let cut = |ours: &str| match name {
            "ctl-040-reread" => ours.split(" (file: ").next().unwrap_or(ours).trim_end().to_string() + "\n",
            _ => ours.to_string(),
        };
        for (recorded, ours) in [(in_place("stdout"), cut(&stdout)), (in_place("stderr"), stderr)] {
            assert!(fits(&recorded, &ours), "{name}\nrecorded:\n{recorded}\nours:\n{ours}");
        }
    }
}

/// CTL-040 to CTL-081, CTL-095, CTL-103, CTL-104, CTL-106.
#[test]
fn ctl_040_recorded_processes() {
    replay("ctl-001-status-web");
}

/// CTL-042, CTL-055, CTL-079, CTL-095, CTL-099, CTL-100.
#[test]
fn ctl_055_recorded_groups() {
    replay("ctl-028-start-fleet");
}

/// CTL-097, CTL-098, CTL-110 to CTL-115.
#[test]
fn ctl_097_recorded_configuration() {
    replay("ctl-036-reread");
}

/// CTL-075, CTL-085 to CTL-087.
#[test]
fn ctl_085_recorded_logs() {
    replay("ctl-041-tail-web");
}

/// CTL-120 to CTL-127, CTL-130, CTL-150, CTL-151.
#[test]
fn ctl_120_recorded_cache_and_shell() {
    replay("ctl-049-cache-store-shape-round");
}

/// CTL-021, CTL-025, CTL-101.
#[test]
fn ctl_101_recorded_shutdown() {
    replay("ctl-058-shutdown");
}

#[test]
fn recorded_lines_are_compared_strictly() {
    assert!(line_fits("a @PID@, b @UPTIME@", "a 12, b 0:00:07"));
    for line in ["a 0, b 0:00:07", "a , b 0:00:07", "a 12, b 0:00:07 ", "a 12; b 0:00:07"] {
        assert!(!line_fits("a @PID@, b @UPTIME@", line), "{line}");
    }
    assert!(line_fits("start <name>\t\tx", "start <name>\ty"));
    assert!(!line_fits("start <name>\t\tx", "start <names>\ty"));
    assert!(!fits("a\nb\n", "a\n"));
}

const TALKING: &str = "
[supervisord]
logfile=@DIR@/main.log
pidfile=@DIR@/main.pid
childlogdir=@DIR@/childlogs
[unix_http_server]
file=@DIR@/s.sock
username=joe
password=secret
[inet_http_server]
port=127.0.0.1:@PORT@
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[rpcinterface:cache]
supervisor.rpcinterface_factory=supervisor_cache.rpcinterface:make_cache_rpcinterface
[supervisorctl]
serverurl=http://127.0.0.1:@PORT@
prompt=talk
[ctlplugin:store]
supervisor.ctl_factory=supervisor_cache.controllerplugin:make_cache_controllerplugin
[program:echo]
command=sh -c 'echo begin; while read line; do echo got $line; echo bad $line >&2; done'
startsecs=0
stdout_logfile=@DIR@/echo.out
stderr_logfile=@DIR@/echo.err
stopsignal=KILL
";

/// A daemon whose program has begun.
fn talking(name: &str) -> Daemon {
    let daemon = Daemon::start(name, TALKING, &[]);
    until("echo", || daemon.run("tail echo").0.starts_with("begin\n"));
    daemon
}

/// Reads until a line that ends so.
fn read_to(reader: &mut impl BufRead, end: &str) -> String {
    let mut read = String::new();
    while !read.ends_with(&format!("{end}\n")) {
        assert_ne!(reader.read_line(&mut read).unwrap(), 0, "{read}");
    }
    read
}

fn interrupt(child: &Child) {
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
}

/// CTL-088: what is there, what comes, and Ctrl-C.
#[test]
fn ctl_088_tail_follows() {
    let daemon = talking("follow");
    let mut child = daemon.ctl(&["tail", "-f", "echo"]).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    assert_eq!(read_to(&mut out, "begin"), "==> Press Ctrl-C to exit <==\nbegin\n");
    assert_eq!(text(&daemon.typed(&["fg", "echo"], "more\n").stderr), "");
    assert_eq!(read_to(&mut out, "more"), "got more\n");
    interrupt(&child);
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    assert_eq!((rest.as_str(), child.wait().unwrap().code()), ("\n", Some(0)));

    let output = daemon.ctl(&["tail", "-f", "ghost"]).output().unwrap();
    assert_eq!((text(&output.stdout).as_str(), output.status.code()), ("==> Press Ctrl-C to exit <==\n", Some(0)));
    let complaint = text(&output.stderr);
    assert!(complaint.starts_with("http://127.0.0.1:"), "{complaint}");
    assert!(complaint.ends_with("/logtail/ghost/stdout Cannot read, status code 404\n"), "{complaint}");
}

/// CTL-092: both channels come to the screen; the end of the input and Ctrl-C leave.
#[test]
fn ctl_092_foreground() {
    let daemon = talking("foreground");
    let mut child = daemon.ctl(&["fg", "echo"]).stdin(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    assert_eq!(read_to(&mut out, "begin"), "==> Press Ctrl-C to exit <==\nbegin\n");
    child.stdin.as_mut().unwrap().write_all(b"hello\n").unwrap();
    let mut seen = vec![read_to(&mut out, "hello"), read_to(&mut out, "hello")];
    seen.sort();
    assert_eq!(seen, ["bad hello\n", "got hello\n"]);
    interrupt(&child);
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    assert_eq!((rest.as_str(), child.wait().unwrap().code()), ("Exiting foreground\n", Some(0)));

    let output = daemon.typed(&["fg", "echo"], "last\n");
    let shown = text(&output.stdout);
    assert!(shown.starts_with("==> Press Ctrl-C to exit <==\n") && shown.ends_with("Exiting foreground\n"), "{shown}");
    until("the last line", || daemon.run("tail echo").0.contains("got last\n"));
}

/// CTL-011, CTL-026, CTL-153: who we are is asked in a shell only.
#[test]
fn ctl_153_credentials() {
    let daemon = talking("credentials");
    let url = format!("unix://{}/s.sock", daemon.dir());
    let run = |words: &[&str]| {
        let output = daemon.ctl(&[&["-s", &url], words].concat()).output().unwrap();
        (text(&output.stdout), output.status.code())
    };
    let refused = ("Server requires authentication\n".to_string(), Some(1));
    assert_eq!(run(&["pid", "ghost"]), refused);
    assert_eq!(run(&["-u", "joe", "-p", "wrong", "avail"]), refused);
    assert_eq!(run(&["-u", "joe", "-p", "secret", "pid", "ghost"]), ("No such process ghost\n".to_string(), Some(1)));
    let output = daemon.typed(&["-s", &url], "joe\nsecret\nstop echo\npid ghost\n");
    let shown = text(&output.stdout);
    let start = "Server requires authentication\nUsername:\necho ";
    let end = "\ntalk> echo: stopped\ntalk> No such process ghost\ntalk> \n";
    assert!(shown.starts_with(start) && shown.ends_with(end), "{shown}");
    assert_eq!((text(&output.stderr).as_str(), output.status.code()), ("Password:\n", Some(0)));
}

/// CACHE-041, CTL-009, CTL-131, CTL-140: the plugin over TCP, under another name.
#[test]
fn cache_041_transcript() {
    let daemon = talking("cache");
    let run = |word: &str| {
        let output = daemon.ctl(&[word]).output().unwrap();
        (text(&output.stdout), output.status.code())
    };
    let said = |text: &str| (text.to_string(), Some(0));
    assert_eq!(run("cache_keys"), said("[]\n"));
    assert_eq!(run("cache_store 'foo' 'bar baz'"), said(""));
    assert_eq!(run("cache_fetch 'foo'"), said("'bar baz'\n"));
    assert_eq!(run("cache_keys"), said("['foo']\n"));
    assert_eq!(run("cache_store ümläut 'ñandú €'"), said(""));
    assert_eq!(run("cache_fetch ümläut"), said("'ñandú €'\n"));
    assert_eq!(run("cache_count"), said("2\n"));
    let (help, _) = run("help");
    assert!(help.contains("\n\nstore commands (type help <topic>):\n===================================\n"), "{help}");
    let long = "key".repeat(18);
    assert_eq!(run(&format!("cache_store {long} x")), said(""));
    assert_eq!(run("cache_keys"), said(&format!("['foo', '{long}', 'ümläut']\n")));
    assert_eq!(run(&format!("cache_store {long}2 x")), said(""));
    assert_eq!(run("cache_keys"), said(&format!("['foo',\n '{long}',\n '{long}2',\n 'ümläut']\n")));
}

/// CTL-151: Ctrl-C at the prompt leaves with a line end and status 0.
#[test]
fn ctl_151_ctrl_c_leaves() {
    let daemon = talking("leave");
    let mut child = daemon.ctl(&[]).stdin(Stdio::piped()).spawn().unwrap();
    let mut out = child.stdout.take().unwrap();
    let mut shown = String::new();
    let mut piece = [0; 4096];
    while !shown.ends_with("talk> ") {
        let count = out.read(&mut piece).unwrap();
        assert_ne!(count, 0, "{shown}");
        shown.push_str(&text(&piece[..count]));
    }
    interrupt(&child);
    shown.clear();
    out.read_to_string(&mut shown).unwrap();
    assert_eq!((shown.as_str(), child.wait().unwrap().code()), ("\n", Some(0)));
}
