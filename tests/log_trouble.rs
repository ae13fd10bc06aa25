//! Logs that can't be written, on real file systems: neither the daemon nor its programs stop, what was lost is
//! counted and said, and writing goes on by itself.

mod support;

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use majordomo::base::limits::LOG_HELD_BYTES;
use majordomo::base::value::Value;
use support::daemon::{Daemon, Setup};
use support::namespaces::{inside, is_root, run_inside, with_mounts};
use support::{QUIET, proc, upstream_differs, wait_for, wait_until};

/// A small disk of the daemon's own, in pages of 4 KiB.
const SMALL_DISK: &str = "mkdir disk && mount -t tmpfs -o size=1m none disk";

/// A program that repeats what it is told into a log.
fn echo(log: &str, more: &str) -> String {
    format!("[program:echo]\ncommand=cat\nstartsecs=0\nstdout_logfile=%(here)s/{log}\n{more}\n")
}

fn debug() -> String {
    QUIET.replace("[supervisord]\n", "[supervisord]\nloglevel=debug\nlogfile_maxbytes=0\n")
}

fn started(config: &str, through: Option<Vec<String>>) -> Daemon {
    let words = through.unwrap_or_default();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let daemon = Setup::new(config).through(&words).start();
    daemon.wait_for_state("echo", "RUNNING");
    daemon
}

fn tell(daemon: &Daemon, text: &str) {
    assert_eq!(daemon.call("supervisor.sendProcessStdin", &["echo".into(), text.into()]), Value::Bool(true));
}

fn read(path: &Path) -> String {
    String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned()
}

fn wait_for_text(path: &Path, wanted: &str) {
    wait_until(&format!("the {} bytes of {}", wanted.len(), path.display()), 20, || read(path) == wanted);
}

/// How many lines of the main log have `text`.
fn count(daemon: &Daemon, text: &str) -> usize {
    daemon.log().lines().filter(|line| line.contains(text)).count()
}

/// Takes all the room there is on the disk of a path.
fn fill(path: &Path) {
    let mut file = File::create(path).expect("a file that fills the disk");
    let error = wait_for("a full disk", 20, || file.write_all(&[b'f'; 4096]).err());
    assert_eq!(error.raw_os_error(), Some(28), "{error}");
}

/// LOG-053, PROC-102, BUG-049: a full disk. What doesn't fit is kept up to a bound, then counted; one line says so.
#[test]
fn a_disk_that_is_full() {
    if upstream_differs("BUG-049: loses each chunk, with a traceback") {
        return;
    }
    let Some(words) = with_mounts(SMALL_DISK) else { return };
    let daemon = started(&(debug() + &echo("disk/echo.log", "stdout_logfile_maxbytes=0")), Some(words));
    let pid = daemon.info("echo").pid();
    let log = daemon.file("disk/echo.log");
    let (seen, filler) = (inside(&daemon, &log), inside(&daemon, &daemon.file("disk/filler")));
    fill(&filler);
    tell(&daemon, "one\n");
    let trouble = format!(
        "ERRO 'echo' log: can't write to log file '{}': [Errno 28] No space left on device (4 bytes wait, 0 bytes were lost)",
        log.display()
    );
    daemon.wait_for_log(&trouble);
    // More than is kept.
    let much = "xyz\n".repeat(LOG_HELD_BYTES / 4 + 10_000);
    tell(&daemon, &much);
    let done = |daemon: &Daemon| daemon.log().bytes().filter(|byte| *byte == b'z').count();
    wait_until("all of it to be read", 30, || done(&daemon) >= much.len() / 4);
    assert_eq!((daemon.info("echo").state(), daemon.info("echo").pid()), ("RUNNING", pid));
    assert_eq!(read(&seen), "");
    assert_eq!(count(&daemon, "can't write to log file"), 1, "once a minute");
    std::fs::remove_file(&filler).expect("room again");
    let lost = 4 + much.len() - LOG_HELD_BYTES;
    daemon.wait_for_log(&format!(
        "ERRO 'echo' log: {lost} bytes of log file '{}' were lost while it could not be written",
        log.display()
    ));
    let kept = format!("one\n{}", &much[..LOG_HELD_BYTES - 4]);
    wait_for_text(&seen, &kept);
    tell(&daemon, "after\n");
    wait_for_text(&seen, &(kept + "after\n"));
    assert_eq!(daemon.info("echo").pid(), pid);
}

/// LOG-053, LOG-070, LOG-071: the same with rotation: nothing is lost, doubled or out of order.
#[test]
fn a_full_disk_and_rotation() {
    if upstream_differs("BUG-049: loses each chunk, with a traceback") {
        return;
    }
    let Some(words) = with_mounts(SMALL_DISK) else { return };
    let more = "stdout_logfile_maxbytes=4096\nstdout_logfile_backups=40";
    let daemon = started(&(debug() + &echo("disk/echo.log", more)), Some(words));
    let folder = inside(&daemon, &daemon.file("disk"));
    let mut all = String::new();
    let say = |all: &mut String, lines: usize| {
        for _ in 0..lines {
            let line = format!("line number {}\n", all.lines().count());
            tell(&daemon, &line);
            all.push_str(&line);
        }
    };
    let written = || {
        let name = |number| if number == 0 { "echo.log".to_string() } else { format!("echo.log.{number}") };
        (0..=40).rev().map(|number| read(&folder.join(name(number)))).collect::<String>()
    };
    say(&mut all, 500);
    wait_until("what fits", 20, || written() == all);
    assert!(folder.join("echo.log.1").exists());
    fill(&folder.join("filler"));
    say(&mut all, 500);
    daemon.wait_for_log("ERRO 'echo' log: can't write to log file");
    std::fs::remove_file(folder.join("filler")).expect("room again");
    daemon.wait_for_log(" is written again, nothing was lost");
    wait_until("all of it", 20, || written() == all);
    say(&mut all, 500);
    wait_until("what follows", 20, || written() == all);
    // It rotates right after what it writes.
    wait_until("the last rotation", 20, || read(&folder.join("echo.log")).len() < 4096);
}

/// LOG-011, LOG-053: the main log on a full disk. Who looks at stdout sees it at once; the file has every line in the
/// end.
#[test]
fn a_full_disk_under_the_main_log() {
    if upstream_differs("BUG-049: loses the lines, with a traceback") {
        return;
    }
    let Some(words) = with_mounts(SMALL_DISK) else { return };
    let config = QUIET.replace("%(here)s/supervisord.log", "%(here)s/disk/supervisord.log");
    let daemon = started(&(config + &echo("echo.log", "")), Some(words));
    let seen = inside(&daemon, &daemon.file("disk/supervisord.log"));
    let filler = inside(&daemon, &daemon.file("disk/filler"));
    fill(&filler);
    let wanted = format!(
        "ERRO can't write to log file '{}': [Errno 28] No space left on device (",
        daemon.file("disk/supervisord.log").display()
    );
    // The last page has some room yet.
    wait_until("a line on stdout", 30, || {
        daemon.call("supervisor.stopProcess", &["echo".into()]);
        daemon.call("supervisor.startProcess", &["echo".into()]);
        daemon.text("daemon.out").contains(&wanted)
    });
    daemon.call("supervisor.stopProcess", &["echo".into()]);
    assert!(read(&seen).len() < daemon.text("daemon.out").len());
    std::fs::remove_file(&filler).expect("room again");
    wait_until("the end of it", 20, || daemon.text("daemon.out").contains("is written again, nothing was lost"));
    wait_until("every line in the file", 20, || read(&seen) == daemon.text("daemon.out"));
    assert_eq!(daemon.text("daemon.out").matches(&wanted).count(), 1);
}

/// LOG-054, LOG-053: a file system that can be read only: a start fails and is tried again; a running program goes on.
#[test]
fn a_file_system_that_became_read_only() {
    if upstream_differs("BUG-049: a traceback for each chunk") {
        return;
    }
    let Some(words) = with_mounts(SMALL_DISK) else { return };
    let daemon = started(&(debug() + &echo("disk/echo.log", "startretries=20")), Some(words));
    let log = daemon.file("disk/echo.log");
    let seen = inside(&daemon, &log);
    tell(&daemon, "one\n");
    wait_for_text(&seen, "one\n");
    // A system doesn't let go of a file that is open, so another one comes over it.
    run_inside(&daemon, "mount -t tmpfs -o ro none disk");
    daemon.signal("USR2");
    daemon.wait_for_log("[Errno 30] Read-only file system (0 bytes wait, 0 bytes were lost)");
    tell(&daemon, "two\n");
    let pid = daemon.info("echo").pid();
    let ticks = proc::cpu_ticks(daemon.pid());
    run_inside(&daemon, "sleep 2; umount disk");
    assert!(proc::cpu_ticks(daemon.pid()) - ticks < 50, "a busy loop");
    wait_for_text(&seen, "one\ntwo\n");
    daemon.wait_for_log("is written again, nothing was lost");
    assert_eq!(daemon.info("echo").pid(), pid);

    daemon.call("supervisor.stopProcess", &["echo".into()]);
    run_inside(&daemon, "mount -o remount,bind,ro disk");
    assert_eq!(daemon.fault("supervisor.startProcess", &["echo".into()]), (50, "SPAWN_ERROR: echo".to_string()));
    daemon.wait_for_log("INFO spawnerr: unknown error making dispatchers for 'echo': EROFS");
    run_inside(&daemon, "mount -o remount,bind,rw disk");
    daemon.wait_for_state("echo", "RUNNING");
}

/// LOG-042, LOG-053, LOG-075: the folder of a log goes away and comes back.
#[test]
fn a_folder_that_is_gone() {
    if upstream_differs("BUG-049: a traceback for each chunk") {
        return;
    }
    let setup = Setup::new(&(debug() + &echo("logs/echo.log", "stdout_logfile_maxbytes=20\nstdout_logfile_backups=1")));
    std::fs::create_dir(setup.path().join("logs")).expect("a folder");
    let daemon = setup.start();
    daemon.wait_for_state("echo", "RUNNING");
    let pid = daemon.info("echo").pid();
    tell(&daemon, "before\n");
    wait_for_text(&daemon.file("logs/echo.log"), "before\n");
    std::fs::remove_dir_all(daemon.file("logs")).expect("no folder");
    // Into the file without a name, which is full then.
    tell(&daemon, "lost with the folder\n");
    daemon.wait_for_log("[Errno 2] No such file or directory");
    tell(&daemon, "kept\n");
    daemon.wait_for_log("kept\n");
    std::fs::create_dir(daemon.file("logs")).expect("a folder");
    wait_for_text(&daemon.file("logs/echo.log"), "kept\n");
    assert_eq!(daemon.info("echo").pid(), pid);
    // The same for both logs at a reopening; nobody writes meanwhile, and nobody is busy.
    std::fs::remove_dir_all(daemon.file("logs")).expect("no folder");
    daemon.signal("USR2");
    daemon.wait_for_log("INFO supervisord logreopen");
    let (ticks, switches) = (proc::cpu_ticks(daemon.pid()), proc::switches(daemon.pid()));
    std::thread::sleep(std::time::Duration::from_millis(2_500));
    assert!(proc::cpu_ticks(daemon.pid()) - ticks < 50 && proc::switches(daemon.pid()) - switches < 100, "a busy loop");
    std::fs::create_dir(daemon.file("logs")).expect("a folder");
    wait_until("the file", 20, || daemon.file("logs/echo.log").exists());
}

fn fifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().expect("mkfifo").success());
}

/// The reading end of a FIFO.
fn reader(path: &Path) -> File {
    /// `O_NONBLOCK`.
    const NONBLOCK: i32 = 0o4000;
    OpenOptions::new().read(true).custom_flags(NONBLOCK).open(path).expect("a FIFO")
}

/// Reads until `wanted` bytes have come.
fn take(file: &mut File, wanted: usize) -> String {
    let mut got = Vec::new();
    wait_until("the bytes in the pipe", 30, || {
        let _ = file.read_to_end(&mut got);
        got.len() >= wanted
    });
    String::from_utf8(got).expect("text")
}

/// LOG-052, LOG-053, PROC-103, BUG-048: a FIFO as a log, with the default `maxbytes`. Without a reader nobody waits; a
/// slow one sets the pace.
#[test]
fn a_fifo_whose_reader_comes_and_goes() {
    if upstream_differs("waits for the reader of a FIFO") {
        return;
    }
    let setup = Setup::new(&(debug() + &echo("fifo", "")));
    fifo(&setup.path().join("fifo"));
    let daemon = setup.start();
    daemon.wait_for_state("echo", "RUNNING");
    let path = daemon.file("fifo");
    tell(&daemon, "early\n");
    let nobody = "': nobody reads it (6 bytes wait, 0 bytes were lost)";
    daemon.wait_for_log(nobody);
    let mut file = reader(&path);
    assert_eq!(take(&mut file, 6), "early\n");
    daemon.wait_for_log("is written again, nothing was lost");

    // It doesn't read: nothing is lost, the program waits, and everybody else is served.
    let much = "0123456789abcde\n".repeat(100_000);
    tell(&daemon, &much);
    assert_eq!(daemon.info("echo").state(), "RUNNING");
    let got = take(&mut file, much.len());
    assert!(got == much, "{} of {} bytes", got.len(), much.len());
    // Nor what it leaves in its pipe when it ends.
    tell(&daemon, &much);
    daemon.call("supervisor.signalProcess", &["echo".into(), "KILL".into()]);
    daemon.wait_for_log("exited: echo (terminated by SIGKILL; not expected)");
    let came = daemon.log().matches("0123456789abcde").count() * 16 - much.len();
    let got = take(&mut file, came);
    assert!(got == much[..came], "{} of {came} bytes", got.len());

    drop(file);
    tell(&daemon, "between\n");
    daemon.wait_for_log("stdout output:\nbetween\n");
    let mut file = reader(&path);
    assert_eq!(take(&mut file, 8), "between\n");
    assert_eq!(count(&daemon, " bytes of log file "), 0);
    assert!(!daemon.file("fifo.1").exists());
}

/// LOG-052, BUG-048: a terminal as a log, with the default `maxbytes`.
#[test]
fn a_terminal() {
    if upstream_differs("BUG-048: complains on every line") {
        return;
    }
    let script = "import os, pty, sys\nours, theirs = pty.openpty()\nprint(os.ttyname(theirs), flush=True)\n\
                  while True: os.write(1, os.read(ours, 4096))";
    let mut terminal = Command::new("python3").args(["-c", script]).stdout(Stdio::piped()).spawn().expect("a terminal");
    let mut shown = terminal.stdout.take().expect("what it shows");
    let mut until = |end: &str| {
        let mut text = String::new();
        let mut byte = [0];
        while !text.ends_with(end) && shown.read(&mut byte).is_ok_and(|count| count == 1) {
            text.push(char::from(byte[0]));
        }
        text
    };
    let name = until("\n");
    let config = debug() + &echo("x", "").replace("%(here)s/x", name.trim());
    let daemon = started(&config, None);
    tell(&daemon, "on the screen\n");
    assert_eq!(until("screen\r\n"), "on the screen\r\n");
    assert_eq!(count(&daemon, "ERRO"), 0);
    // It doesn't become the daemon's own.
    assert_eq!(proc::stat(daemon.pid()).expect("the daemon")[4], proc::stat(std::process::id().into()).expect("us")[4]);
    terminal.kill().expect("no terminal any more");
    terminal.wait().expect("its end");
    tell(&daemon, "into the dark\n");
    daemon.wait_for_log("ERRO 'echo' log: can't write to log file");
    assert_eq!(daemon.info("echo").state(), "RUNNING");
}

/// LOG-042, LOG-070, LOG-075: logrotate, with `create` and with `copytruncate`.
#[test]
fn somebody_else_turns_the_log_over() {
    let more = "stdout_logfile_maxbytes=40\nstdout_logfile_backups=3";
    let daemon = started(&(debug() + &echo("echo.log", more)), None);
    let file = |name: &str| daemon.file(name);
    tell(&daemon, "0123456789 123456789\n");
    wait_for_text(&file("echo.log"), "0123456789 123456789\n");
    std::fs::copy(file("echo.log"), file("copy")).expect("a copy");
    OpenOptions::new().write(true).open(file("echo.log")).expect("the log").set_len(0).expect("an empty log");
    // Written where the file ends now, and with room for so much.
    tell(&daemon, "abcdefghij bcdefghij\n");
    wait_for_text(&file("echo.log"), "abcdefghij bcdefghij\n");
    assert!(!file("echo.log.1").exists());
    tell(&daemon, "ABCDEFGHIJ BCDEFGHIJ\n");
    wait_for_text(&file("echo.log.1"), "abcdefghij bcdefghij\nABCDEFGHIJ BCDEFGHIJ\n");

    std::fs::rename(file("echo.log"), file("moved")).expect("another name");
    std::fs::write(file("echo.log"), "").expect("a new file");
    tell(&daemon, "goes on\n");
    wait_for_text(&file("moved"), "goes on\n");
    assert_eq!(daemon.text("echo.log"), "");
    if upstream_differs("at its next rotation it turns over the other's file") {
        return;
    }
    tell(&daemon, "until this would be turned over\n");
    wait_for_text(&file("moved"), "goes on\nuntil this would be turned over\n");
    tell(&daemon, "here again\n");
    wait_for_text(&file("echo.log"), "here again\n");
    assert!(!file("echo.log.2").exists());
}

/// LOG-071: the folder can't be written although the file can: it grows, that is told, and nothing is lost.
#[test]
fn a_folder_that_may_not_be_changed() {
    if upstream_differs("a traceback, and the log is closed") {
        return;
    }
    let user = if is_root() { "user=nobody\n" } else { "" };
    let config = debug().replace("[supervisord]\n", &format!("[supervisord]\n{user}"));
    let setup = Setup::new(&(config + &echo("logs/echo.log", "stdout_logfile_maxbytes=10\nstdout_logfile_backups=2")));
    let mode = |path: PathBuf, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode));
    mode(setup.path().to_path_buf(), 0o777).expect("a folder for all");
    std::fs::create_dir(setup.path().join("logs")).expect("a folder");
    std::fs::write(setup.path().join("logs/echo.log"), "").expect("a log");
    mode(setup.path().join("logs/echo.log"), 0o666).expect("a log for all");
    mode(setup.path().join("logs"), 0o555).expect("a folder for nobody");
    let daemon = setup.start();
    daemon.wait_for_state("echo", "RUNNING");
    let log = daemon.file("logs/echo.log");
    for number in 0..5 {
        tell(&daemon, "a line of it\n");
        wait_for_text(&log, &"a line of it\n".repeat(number + 1));
    }
    let told = format!(
        "ERRO 'echo' log: can't rotate log file '{}', which grows on: [Errno 13] Permission denied",
        log.display()
    );
    assert_eq!(count(&daemon, &told), 1, "once a minute\n{}", daemon.log());
    mode(daemon.file("logs"), 0o777).expect("a folder for all");
    tell(&daemon, "the last one\n");
    wait_for_text(&daemon.file("logs/echo.log.1"), &("a line of it\n".repeat(5) + "the last one\n"));
}

/// LOG-071: something else stands where a backup belongs.
#[test]
fn a_folder_in_the_place_of_a_backup() {
    if upstream_differs("a traceback, and the log is closed") {
        return;
    }
    let daemon = started(&(debug() + &echo("echo.log", "stdout_logfile_maxbytes=5\nstdout_logfile_backups=2")), None);
    tell(&daemon, "first\n");
    wait_for_text(&daemon.file("echo.log.1"), "first\n");
    std::fs::create_dir(daemon.file("echo.log.2")).expect("a folder");
    for number in 1..4 {
        tell(&daemon, "more\n");
        wait_for_text(&daemon.file("echo.log"), &"more\n".repeat(number));
    }
    assert_eq!(daemon.text("echo.log.1"), "first\n", "not written over");
    assert_eq!(count(&daemon, "which grows on: [Errno 21] Is a directory"), 1);
    std::fs::remove_dir(daemon.file("echo.log.2")).expect("its place");
    tell(&daemon, "last\n");
    wait_for_text(&daemon.file("echo.log.1"), "more\nmore\nmore\nlast\n");
    assert_eq!(daemon.text("echo.log.2"), "first\n");
}

/// LOG-071: two programs with one log between them, both of which turn it over: every line is there, each program's
/// in its order.
#[test]
fn two_programs_with_one_log() {
    if upstream_differs("each turns the other's new file over") {
        return;
    }
    let program = |name: &str| {
        format!(
            "[program:{name}]\ncommand=/bin/sh -c 'i=0; while [ $i -lt 300 ]; do echo {name} $i; i=$((i+1)); done'
startsecs=0\nautorestart=false\nstdout_logfile=%(here)s/both.log\nstdout_logfile_maxbytes=300
stdout_logfile_backups=60\n"
        )
    };
    let daemon = Daemon::start(&format!("{QUIET}{}{}", program("one"), program("two")));
    for name in ["one", "two"] {
        daemon.wait_for_state(name, "EXITED");
    }
    let name = |number| if number == 0 { "both.log".to_string() } else { format!("both.log.{number}") };
    let all: String = (0..=60).rev().map(|number| daemon.text(&name(number))).collect();
    for name in ["one", "two"] {
        let found: Vec<&str> = all.lines().filter(|line| line.starts_with(name)).collect();
        let wanted: Vec<String> = (0..300).map(|number| format!("{name} {number}")).collect();
        assert_eq!(found, wanted);
    }
    assert!(std::fs::metadata(daemon.file("both.log.1")).expect("a backup").size() > 0);
    assert_eq!(daemon.messages().iter().filter(|line| line.starts_with("ERRO")).count(), 0);
}
