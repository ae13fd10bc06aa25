//! Logs of real programs: where they are, how they turn over, how they are cleared, reopened, read and followed.

mod support;

use majordomo::base::value::Value;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use support::daemon::Daemon;
use support::http::Client;
use support::{QUIET, SERVERS, upstream, upstream_differs, wait_until};

/// A program that repeats what it is told into its log.
fn echo(more: &str) -> String {
    format!("[program:echo]\ncommand=cat\nstartsecs=0\nstdout_logfile=%(here)s/echo.log\n{more}")
}

fn started(programs: &str) -> Daemon {
    let daemon = Daemon::start(&format!("{QUIET}{programs}"));
    daemon.wait_for_state("echo", "RUNNING");
    daemon
}

fn tell(daemon: &Daemon, text: &str) {
    assert_eq!(daemon.call("supervisor.sendProcessStdin", &["echo".into(), text.into()]), Value::Bool(true));
}

/// Tells it and waits until `file` is `wanted`.
fn tell_until(daemon: &Daemon, text: &str, file: &str, wanted: &str) {
    tell(daemon, text);
    wait_until(&format!("{wanted:?} in {file}"), 20, || daemon.file(file).exists() && daemon.text(file) == wanted);
}

/// LOG-070, LOG-071, LOG-073, LOG-076: the contract's example, with a real program.
#[test]
fn rotation() {
    let daemon = started(&echo("stdout_logfile_maxbytes=10\nstdout_logfile_backups=2\n"));
    tell_until(&daemon, "line0\n", "echo.log", "line0\n");
    tell_until(&daemon, "line1\n", "echo.log.1", "line0\nline1\n");
    assert_eq!(daemon.text("echo.log"), "");
    tell_until(&daemon, "line2\n", "echo.log", "line2\n");
    tell_until(&daemon, "line3\n", "echo.log.1", "line2\nline3\n");
    assert_eq!((daemon.text("echo.log"), daemon.text("echo.log.2")), (String::new(), "line0\nline1\n".to_string()));
    tell_until(&daemon, "0123456789\n", "echo.log.1", "0123456789\n");
    assert_eq!(daemon.text("echo.log.2"), "line2\nline3\n");
    assert!(!daemon.file("echo.log.3").exists());
}

/// LOG-072: without backups the file is emptied in place.
#[test]
fn rotation_without_backups() {
    let daemon = started(&echo("stdout_logfile_maxbytes=10\nstdout_logfile_backups=0\n"));
    tell_until(&daemon, "short\n", "echo.log", "short\n");
    let inode = std::fs::metadata(daemon.file("echo.log")).expect("the log").ino();
    tell_until(&daemon, "longer\n", "echo.log", "");
    assert_eq!(std::fs::metadata(daemon.file("echo.log")).expect("the log").ino(), inode);
    assert!(!daemon.file("echo.log.1").exists());
}

/// LOG-015, LOG-044, LOG-047, LOG-049: modes; files are appended to, and stay the same over restarts.
#[test]
fn files_and_their_modes() {
    let daemon = started(&(echo("") + "[program:auto]\ncommand=sleep 1000\nautostart=false\n"));
    tell_until(&daemon, "one\n", "echo.log", "one\n");
    let mode = |path: &std::path::Path| std::fs::metadata(path).expect("a log").permissions().mode() & 0o777;
    let auto = daemon.info("auto");
    assert_eq!(mode(std::path::Path::new(auto.text("stdout_logfile"))), 0o600, "made though never started");
    assert_eq!(mode(std::path::Path::new(auto.text("stderr_logfile"))), 0o600);
    assert_eq!(mode(&daemon.file("echo.log")), mode(&daemon.file("supervisord.log")));
    daemon.call("supervisor.stopProcess", &["echo".into()]);
    daemon.call("supervisor.startProcess", &["echo".into()]);
    tell_until(&daemon, "two\n", "echo.log", "one\ntwo\n");
    for _ in 0..2 {
        daemon.call("supervisor.startProcess", &["auto".into()]);
        assert_eq!(daemon.info("auto").text("stdout_logfile"), auto.text("stdout_logfile"));
        daemon.call("supervisor.stopProcess", &["auto".into()]);
    }
}

/// SIG-005, LOG-040, LOG-042: a renamed file is written on until the signal.
#[test]
fn reopening() {
    let daemon = started(&echo(""));
    tell_until(&daemon, "one\n", "echo.log", "one\n");
    for name in ["echo.log", "supervisord.log"] {
        std::fs::rename(daemon.file(name), daemon.file(&format!("{name}.old"))).expect("a new name");
    }
    tell_until(&daemon, "two\n", "echo.log.old", "one\ntwo\n");
    assert!(!daemon.file("echo.log").exists());
    daemon.signal("USR2");
    wait_until("the new files", 20, || daemon.file("echo.log").exists() && daemon.file("supervisord.log").exists());
    let old = daemon.text("supervisord.log.old");
    let ends = ["INFO received SIGUSR2 indicating log reopen request", "INFO supervisord logreopen"];
    let lines: Vec<&str> = old.lines().rev().take(2).filter_map(|line| line.get(24..)).collect();
    assert_eq!(lines, [ends[1], ends[0]]);
    tell_until(&daemon, "three\n", "echo.log", "three\n");
}

/// RPC-102, RPC-107, RPC-108, LOG-077, BUG-047.
#[test]
fn clearing() {
    let daemon = started(&echo(""));
    tell_until(&daemon, "one\n", "echo.log", "one\n");
    assert_eq!(daemon.call("supervisor.clearProcessLogs", &["echo".into()]), Value::Bool(true));
    assert_eq!(daemon.text("echo.log"), "");
    tell_until(&daemon, "two\n", "echo.log", "two\n");
    let Value::Array(results) = daemon.call("supervisor.clearAllProcessLogs", &[]) else { panic!("no array") };
    assert_eq!((results.len(), results[0].member("status")), (1, Some(&Value::Int(80))));
    tell_until(&daemon, "three\n", "echo.log", "three\n");
    if !upstream() {
        daemon.call("supervisor.stopProcess", &["echo".into()]);
        assert_eq!(daemon.call("supervisor.clearProcessLogs", &["echo".into()]), Value::Bool(true));
        assert_eq!(daemon.text("echo.log"), "", "BUG-047");
    }
    assert!(daemon.log().contains("spawned"));
    assert_eq!(daemon.call("supervisor.clearLog", &[]), Value::Bool(true));
    assert!(!daemon.log().contains("spawned"));
}

/// RPC-100, RPC-101, RPC-103, RPC-104, RPC-110, RPC-111, RPC-112, RPC-113, RPC-114, RPC-115, RPC-116, RPC-118,
/// RPC-120, RPC-121, RPC-122, RPC-123: the contract's examples.
#[test]
fn reading() {
    let others = "[program:silent]\ncommand=cat\nautostart=false\nstdout_logfile=NONE
[program:later]\ncommand=cat\nautostart=false\nstdout_logfile=%(here)s/later.log\n";
    let daemon = started(&(echo("") + others));
    let all = "0123456789\u{e9}abc";
    assert_eq!(all.len(), 15);
    tell_until(&daemon, all, "echo.log", all);
    let read = |offset: i64, length: i64| {
        daemon.try_call("supervisor.readProcessStdoutLog", &["echo".into(), offset.into(), length.into()])
    };
    for (offset, length, wanted) in [
        (0, 5, "01234"),
        (3, 0, "3456789\u{e9}abc"),
        (-5, 0, "\u{e9}abc"),
        (-100, 0, all),
        (100, 0, ""),
        (15, 3, ""),
        (10, 2, "\u{e9}"),
    ] {
        assert_eq!(read(offset, length), Ok(wanted.into()), "({offset}, {length})");
    }
    if !upstream() {
        assert_eq!(read(10, 1), Ok("\u{fffd}".into()), "BUG-010");
    }
    for (offset, length) in [(-5, 5), (0, -1)] {
        assert_eq!(read(offset, length), Err((3, "BAD_ARGUMENTS".to_string())));
    }
    let tail = |offset: i64, length: i64| {
        daemon.call("supervisor.tailProcessStdoutLog", &["echo".into(), offset.into(), length.into()])
    };
    for (offset, length, text, overflow) in [
        (0, 100, all, false),
        (0, 5, "\u{e9}abc", true),
        (5, 3, "abc", true),
        (10, 10, "56789\u{e9}abc", false),
        (15, 5, "", false),
        (100, 5, "", false),
        (0, 0, "", true),
        (-5, 10, "56789\u{e9}abc", true),
        (0, 14, "123456789\u{e9}abc", true),
    ] {
        let wanted = Value::Array(vec![text.into(), Value::Int(15), Value::Bool(overflow)]);
        assert_eq!(tail(offset, length), wanted, "({offset}, {length})");
    }
    let none = ["silent".into(), 0.into(), 0.into()];
    assert_eq!(daemon.fault("supervisor.readProcessLog", &none), (20, "NO_FILE".to_string()));
    let missing = daemon.fault("supervisor.readProcessLog", &["later".into(), 0.into(), 0.into()]);
    assert_eq!(missing, (20, format!("NO_FILE: {}", daemon.file("later.log").display())));
    for name in ["ghost", "echo:*"] {
        let unknown = daemon.fault("supervisor.readProcessLog", &[name.into(), 0.into(), 0.into()]);
        assert_eq!(unknown, (10, format!("BAD_NAME: {name}")));
    }
    let nothing = Value::Array(vec!["".into(), Value::Int(0), Value::Bool(false)]);
    assert_eq!(daemon.call("supervisor.tailProcessLog", &none), nothing);
    let log = daemon.call("supervisor.readLog", &[0.into(), 0.into()]);
    assert_eq!(log.as_text().expect("text"), daemon.log());
    assert_eq!(daemon.call("supervisor.readMainLog", &[(-5).into(), 0.into()]).as_text().map(str::len), Some(5));
}

/// HTTP-100, HTTP-101, HTTP-103, HTTP-104, HTTP-105, HTTP-106, HTTP-107, HTTP-108, HTTP-143, HTTP-156: a log
/// as a stream over HTTP, chunk by chunk.
#[test]
fn following() {
    let daemon = Daemon::start(&format!("{SERVERS}{}", echo("")));
    daemon.wait_for_state("echo", "RUNNING");
    tell_until(&daemon, "before\n", "echo.log", "before\n");
    for address in daemon.addresses() {
        let before = daemon.text("echo.log");
        let mut client = Client::connect(address).expect("a connection");
        client.send(b"GET /logtail/echo/stdout HTTP/1.1\r\nHost: x\r\n\r\n").expect("a request");
        let head = client.read_head().expect("a head");
        assert_eq!((head.status, head.header("Transfer-Encoding")), (200, Some("chunked")));
        assert_eq!(head.header("Content-Type"), Some("text/plain;charset=utf-8"));
        let mut next = || client.read_chunk().expect("a chunk").map(|chunk| String::from_utf8(chunk).expect("text"));
        assert_eq!(next(), Some(before));
        for number in 0..3 {
            let line = format!("line {number}\n");
            tell(&daemon, &line);
            assert_eq!(next(), Some(line));
        }
        if upstream() {
            // It hangs up when it looks while a log is being replaced.
            continue;
        }
        // A new file in its place, and the same file cut short.
        daemon.call("supervisor.clearProcessLogs", &["echo".into()]);
        tell(&daemon, "anew\n");
        assert_eq!(next(), Some("anew\n".to_string()));
        let log = std::fs::OpenOptions::new().write(true).open(daemon.file("echo.log")).expect("the log");
        log.set_len(0).expect("an empty log");
        assert_eq!(next(), Some("==> File truncated <==\n".to_string()));
        tell(&daemon, "after\n");
        assert_eq!(next(), Some("after\n".to_string()));
    }
    let get = |path: &str| daemon.ask(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).status;
    for path in ["/logtail/ghost", "/logtail/echo/stdnone", "/logtail/echo:*"] {
        assert_eq!(get(path), 404, "{path}");
    }
    if !upstream_differs("BUG-023: held back until there are 64 KiB") {
        let mut client = daemon.connect();
        client.send(b"GET /mainlogtail HTTP/1.0\r\n\r\n").expect("a request");
        let head = client.read_head().expect("a head");
        assert_eq!((head.status, head.version.as_str()), (200, "HTTP/1.0"));
        daemon.call("supervisor.stopProcess", &["echo".into()]);
        wait_until("the line in the stream", 20, || {
            client.read_some().expect("more of the log");
            String::from_utf8_lossy(&client.unread).contains(" stopped: echo ")
        });
    }
}

/// LOG-051, LOG-052, BUG-048: a program's log may be the daemon's own output; it isn't rotated.
#[test]
fn output_of_the_daemon_itself() {
    if upstream_differs("BUG-048: complains on every line when it is a pipe") {
        return;
    }
    let daemon = Daemon::start(&format!(
        "{QUIET}[program:echo]\ncommand=cat\nstartsecs=0\nstdout_logfile=/dev/stdout\nstdout_logfile_maxbytes=0\n"
    ));
    daemon.wait_for_state("echo", "RUNNING");
    tell(&daemon, "on stdout\n");
    wait_until("the line", 20, || daemon.text("daemon.out").contains("on stdout\n"));
    assert_eq!(daemon.text("daemon.err"), "");
}
