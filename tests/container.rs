//! The daemon as containers run it: accounts that no file knows, folders that can't be written, descriptors that are
//! closed or lead to somebody else, no devices. It runs, and says what it can't do.

mod support;

use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use majordomo::base::value::Value;
use support::daemon::{Daemon, Guard, Setup};
use support::http::{Address, Client};
use support::namespaces::{is_root, unshare, with_mounts};
use support::{QUIET, proc, supervisord, upstream, upstream_differs, wait_for, wait_until};

/// No account has it.
const STRANGER: &str = "54321";

fn words(all: &[String]) -> Vec<&str> {
    all.iter().map(String::as_str).collect()
}

/// A daemon that a test started by itself; ends with it.
struct Running {
    process: Child,
    _guard: Guard,
}

impl Running {
    /// Starts the daemon of this folder with changes to its command.
    fn start(setup: &Setup, change: impl FnOnce(&mut Command)) -> Running {
        let mut command = setup.command();
        command.stdout(Stdio::null()).stderr(Stdio::null());
        change(&mut command);
        Running { process: command.spawn().expect("the daemon"), _guard: setup.guard() }
    }
}

fn call(socket: &Path, method: &str, params: &[Value]) -> Value {
    let address = Address::file(socket);
    let mut client = wait_for("the server", 20, || Client::connect(&address).ok());
    let reply = client.ask(&support::xmlrpc::request(method, params)).expect("an answer");
    support::xmlrpc::response(&reply.body).expect("a value")
}

/// The messages of a log, without what depends on the account and the limits of the test.
fn told(log: &str) -> Vec<String> {
    let messages = log.lines().map(|line| line.get(24..).unwrap_or(line).to_string());
    let usual = ["CRIT Supervisor is running as root.", "CRIT Server ", "INFO "];
    messages.filter(|line| !usual.iter().any(|start| line.starts_with(start))).collect()
}

/// PROC-056, CFG-182: an account that no file knows, and an environment without HOME, PATH, TZ and all else.
#[test]
fn a_user_whom_nobody_knows() {
    if upstream_differs("it is not copied") {
        return;
    }
    let ids = [format!("--reuid={STRANGER}"), format!("--regid={STRANGER}")];
    let become_one = match is_root() {
        true => Some(vec!["setpriv".to_string(), ids[0].clone(), ids[1].clone(), "--clear-groups".to_string()]),
        false => unshare(&[&format!("--map-user={STRANGER}"), &format!("--map-group={STRANGER}")]),
    };
    let Some(mut prefix) = become_one else { return };
    let program = "[program:show]\ncommand=sh -c 'id -u; id -G; env'\nstartsecs=0\nautorestart=false
stdout_logfile=%(here)s/show.out\n[program:auto]\ncommand=sleep 1000\nstartsecs=0\n";
    let setup = Setup::new(&format!("{QUIET}{program}"));
    // Whoever it is must be able to run it and to write here.
    let copied = Command::new("cp").arg(supervisord()).arg(setup.path().join("sd")).status();
    assert!(copied.expect("cp").success());
    std::fs::set_permissions(setup.path(), std::fs::Permissions::from_mode(0o777)).expect("a folder for all");
    let mark = format!("MAJORDOMO_TEST={}", setup.path().display());
    prefix.extend(["env", "-i", &mark, "sh", "-c", "shift; unset PWD; exec ./sd \"$@\"", "sh"].map(String::from));
    let mut daemon = setup.through(&words(&prefix)).start();
    daemon.wait_for_state("auto", "RUNNING");
    daemon.wait_for_state("show", "EXITED");
    let shown = daemon.text("show.out");
    assert!(shown.starts_with(&format!("{STRANGER}\n{STRANGER}\n")), "{shown}");
    assert!(!shown.contains("HOME=") && shown.contains("SUPERVISOR_ENABLED=1\n"), "{shown}");
    assert_eq!(told(&daemon.log()), [""; 0], "nothing to complain of");
    assert_eq!(daemon.text("supervisord.pid"), format!("{}\n", daemon.pid()));
    daemon.signal("TERM");
    assert_eq!(daemon.wait_for_exit().code(), Some(0));
}

/// What makes everything read-only but a folder `rw`.
const READ_ONLY: &str = "mkdir rw && mount -t tmpfs none rw && mount -o remount,ro,bind / && \
    { mount -o remount,ro,bind /tmp 2>/dev/null || true; }";

/// LOG-027, LOG-044, LOG-082, CFG-179: one writable folder, and no place for a pid file and automatic logs: all
/// programs run, and each thing that can't be done is told with its reason.
#[test]
fn a_read_only_root() {
    if upstream_differs("a traceback: automatic logs can't be made") {
        return;
    }
    let Some(prefix) = with_mounts(READ_ONLY) else { return };
    let config = QUIET
        .replace("%(here)s/supervisor.sock", "%(here)s/rw/supervisor.sock")
        .replace("%(here)s/supervisord.log", "%(here)s/rw/supervisord.log");
    let programs = "[program:auto]\ncommand=sh -c 'echo nobody keeps this; exec sleep 1000'\nstartsecs=0
[program:kept]\ncommand=sh -c 'echo this is kept; exec sleep 1000'\nstartsecs=0\nredirect_stderr=true\nstdout_logfile=%(here)s/rw/kept.log\n";
    let setup = Setup::new(&format!("{config}{programs}")).through(&words(&prefix));
    let folder = setup.path().to_path_buf();
    let running = Running::start(&setup, |_| {});
    let seen = |name: &str| format!("/proc/{}/root{}/rw/{name}", running.process.id(), folder.display());
    let read = |name: &str| std::fs::read_to_string(seen(name)).unwrap_or_default();
    wait_until("both programs", 20, || read("supervisord.log").matches("entered RUNNING state").count() == 2);
    wait_until("the log", 20, || read("kept.log") == "this is kept\n");
    let reason = "Read-only file system";
    let folder = folder.display();
    assert_eq!(
        told(&read("supervisord.log")),
        [
            format!(
                "WARN could not create an automatic log for 'auto' stdout in {folder}: {reason}; its output is not kept"
            ),
            format!(
                "WARN could not create an automatic log for 'auto' stderr in {folder}: {reason}; its output is not kept"
            ),
            format!("CRIT could not write pidfile {folder}/supervisord.pid"),
            format!("WARN running with pid {} and without a pidfile: [Errno 30] {reason}", running.process.id()),
        ]
    );
    assert!(!read("supervisord.log").contains("supervisord started with pid"), "LOG-027");
    let info = call(Path::new(&seen("supervisor.sock")), "supervisor.getProcessInfo", &["auto".into()]);
    assert_eq!(info.member("stdout_logfile"), Some(&"".into()));
    proc::send(&[running.process.id().into()], "TERM");
    let mut running = running;
    let status = wait_for("its end", 20, || running.process.try_wait().expect("its status"));
    assert_eq!(status.code(), Some(0));
}

/// CFG-178: without a place for the main log it doesn't start, and says what would help.
#[test]
fn no_place_for_the_main_log() {
    if upstream_differs("BUG-069: a traceback") {
        return;
    }
    let Some(prefix) = with_mounts(READ_ONLY) else { return };
    let setup = Setup::new(QUIET).through(&words(&prefix));
    let (status, output, errors) = setup.run();
    let wanted = format!(
        "Error: could not open log file {}/supervisord.log: Read-only file system; name another with logfile in \
         [supervisord] or -l, or /dev/null for none\n",
        setup.path().display()
    );
    assert_eq!((status, output.as_str()), (Some(2), ""));
    assert!(errors.starts_with(&wanted), "{errors}");
    let args = ["-l", "/dev/null", "--check"];
    let setup = Setup::new(QUIET).args(&args).through(&words(&prefix));
    let (_, _, errors) = setup.run();
    assert!(!errors.contains("log file"), "{errors}");
}

/// Programs that log to the daemon's own descriptors.
const TALKERS: &str = "[program:out]\ncommand=cat\nstartsecs=0\nstdout_logfile=/dev/stdout\nredirect_stderr=true
[program:err]\ncommand=cat\nstartsecs=0\nstdout_logfile=/dev/stderr\nredirect_stderr=true\n";

fn tell(daemon: &Daemon, name: &str, text: &str) {
    assert_eq!(daemon.call("supervisor.sendProcessStdin", &[name.into(), text.into()]), Value::Bool(true));
}

/// PROC-053, LOG-011, LOG-051: descriptors 0 to 2 closed at the start: nothing of the daemon's own gets these numbers,
/// so no log is written into a socket.
#[test]
fn no_standard_descriptors() {
    let closed = ["sh", "-c", "exec \"$@\" <&- >&- 2>&-", "sh"];
    if upstream_differs("writes its log into whatever gets descriptor 1") {
        return;
    }
    let daemon = Setup::new(&format!("{QUIET}{TALKERS}")).through(&closed).start();
    for name in ["out", "err"] {
        daemon.wait_for_state(name, "RUNNING");
        tell(&daemon, name, "to nobody\n");
    }
    let standard: Vec<_> = proc::descriptors(daemon.pid()).into_iter().filter(|(number, _)| *number < 3).collect();
    assert!(standard.len() == 3 && standard.iter().all(|(_, target)| target == Path::new("/dev/null")), "{standard:?}");
    for child in proc::children(daemon.pid()) {
        let pipes = proc::descriptors(child);
        assert!(pipes.len() == 3 && pipes.iter().all(|(_, target)| target.to_string_lossy().starts_with("pipe:")));
    }
    assert_eq!(daemon.call("supervisor.getPID", &[]), Value::Int(daemon.pid()));
    assert_eq!(daemon.text("daemon.out") + &daemon.text("daemon.err"), "");
    assert_eq!(told(&daemon.log()), [""; 0]);
}

/// LOG-080: it goes to the background without devices, too.
#[test]
fn to_the_background_without_devices() {
    if upstream_differs("a traceback") {
        return;
    }
    let Some(prefix) = with_mounts("mount -t tmpfs none /dev") else { return };
    let setup = Setup::new(QUIET).through(&words(&prefix));
    let _guard = setup.guard();
    let done = setup.background_command().output().expect("the daemon");
    let errors = String::from_utf8_lossy(&done.stderr).into_owned();
    let pid = call(&setup.path().join("supervisor.sock"), "supervisor.getPID", &[]);
    assert_eq!((done.status.code(), errors.as_str()), (Some(0), ""));
    let written = std::fs::read_to_string(setup.path().join("supervisord.pid")).expect("its pid file");
    assert_eq!(Value::Int(written.trim().parse().expect("a number")), pid);
}

/// LOG-011, LOG-051: stdout and stderr are sockets, as with an attached container runtime. They can't be opened by
/// name.
#[test]
fn a_socket_as_output() {
    if upstream_differs("its log can't open a socket") {
        return;
    }
    let setup = Setup::new(&format!("{QUIET}{TALKERS}"));
    let (ours, theirs) = UnixStream::pair().expect("a pair of sockets");
    let errors = theirs.try_clone().expect("a copy");
    let running = Running::start(&setup, |command| {
        command.stdout(std::os::fd::OwnedFd::from(theirs)).stderr(std::os::fd::OwnedFd::from(errors));
    });
    let mut lines = BufReader::new(ours).lines().map(|line| line.expect("a line"));
    assert!(lines.any(|line| line.contains(" INFO supervisord started with pid ")));
    assert!(lines.any(|line| line.contains(" INFO spawned: 'out' with pid ")));
    let socket = setup.path().join("supervisor.sock");
    for name in ["out", "err"] {
        let text = format!("{name} speaks\n");
        wait_until("its start", 20, || {
            let info = call(&socket, "supervisor.getProcessInfo", &[name.into()]);
            info.member("statename") == Some(&"RUNNING".into())
        });
        call(&socket, "supervisor.sendProcessStdin", &[name.into(), text.as_str().into()]);
        assert!(lines.any(|line| format!("{line}\n") == text));
    }
    drop(running);
}

/// LOG-011, LOG-053, PROC-102: whoever reads stdout goes away in the middle.
#[test]
fn a_reader_that_goes_away() {
    if upstream_differs("BUG-049: a traceback for each chunk") {
        return;
    }
    let setup = Setup::new(&format!("{QUIET}{TALKERS}"));
    let mut running = Running::start(&setup, |command| {
        command.stdout(Stdio::piped());
    });
    let output = running.process.stdout.take().expect("its stdout");
    let mut lines = BufReader::new(output).lines().map(|line| line.expect("a line"));
    assert!(lines.any(|line| line.contains(" INFO success: out entered RUNNING state")));
    drop(lines);
    let socket = setup.path().join("supervisor.sock");
    let pid = |name: &str| call(&socket, "supervisor.getProcessInfo", &[name.into()]).member("pid").cloned();
    let before = pid("out");
    call(&socket, "supervisor.sendProcessStdin", &["out".into(), "anybody?\n".into()]);
    let log = || std::fs::read_to_string(setup.path().join("supervisord.log")).expect("the log");
    let wanted =
        "ERRO 'out' log: can't write to log file '/dev/stdout': nobody reads it (9 bytes wait, 0 bytes were lost)";
    wait_until("a line about it", 20, || log().contains(wanted));
    assert_eq!(pid("out"), before);
    assert!(running.process.try_wait().expect("its status").is_none());
    proc::send(&[running.process.id().into()], "TERM");
    let status = wait_for("its end", 20, || running.process.try_wait().expect("its status"));
    assert_eq!(status.code(), Some(0));
    assert!(log().contains(" stopped: out (terminated by SIGTERM)\n"), "{}", log());
}

/// LOG-051, PROC-067, PROC-103: whoever reads slowly gets everything, also what waits for it when the daemon ends.
#[test]
fn a_slow_reader_gets_the_last_words() {
    if upstream_differs("BUG-048: waits for the reader, or loses it") {
        return;
    }
    let config = QUIET.replace("[supervisord]\n", "[supervisord]\nsilent=true\nloglevel=debug\nlogfile_maxbytes=0\n");
    let program = "[program:out]\ncommand=cat big\nstartsecs=0\nautorestart=false\nstdout_logfile=/dev/stdout\n";
    let setup = Setup::new(&format!("{config}{program}")).file("big", &"xyz\n".repeat(100_000));
    let mut running = Running::start(&setup, |command| {
        command.stdout(Stdio::piped());
    });
    let mut output = running.process.stdout.take().expect("its stdout");
    let log = || std::fs::read_to_string(setup.path().join("supervisord.log")).unwrap_or_default();
    let logged = || log().matches("xyz").count() * 4;
    // More than a pipe holds and less than the program has to say: it waits.
    wait_until("a full pipe", 20, || logged() > 128 * 1024);
    let reader = std::thread::spawn(move || {
        let (mut got, mut buffer) = (Vec::new(), [0; 4096]);
        loop {
            match output.read(&mut buffer).expect("more of it") {
                0 => return got,
                count => got.extend_from_slice(&buffer[..count]),
            }
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
    });
    proc::send(&[running.process.id().into()], "TERM");
    let status = wait_for("its end", 20, || running.process.try_wait().expect("its status"));
    assert_eq!(status.code(), Some(0));
    let got = reader.join().expect("what came");
    assert!(logged() >= 128 * 1024);
    // A chunk may end within a line.
    assert!(
        got.len().abs_diff(logged()) < 4 * log().matches("stdout output").count().max(1),
        "{} of {}",
        got.len(),
        logged()
    );
}

/// LOG-051: stdout is a pipe of another user, which can't be opened by its name.
#[test]
fn the_pipe_of_another_user() {
    if !is_root() {
        println!("left out: only root can become somebody else");
        return;
    }
    let config = QUIET.replace("[supervisord]\n", "[supervisord]\nuser=nobody\n");
    let setup = Setup::new(&format!("{config}{TALKERS}"));
    std::fs::set_permissions(setup.path(), std::fs::Permissions::from_mode(0o777)).expect("a folder for all");
    let mut running = Running::start(&setup, |command| {
        command.stdout(Stdio::piped());
    });
    if upstream() {
        return;
    }
    let mut output = running.process.stdout.take().expect("its stdout");
    let socket = setup.path().join("supervisor.sock");
    wait_until("its start", 20, || {
        let info = call(&socket, "supervisor.getProcessInfo", &["out".into()]);
        info.member("statename") == Some(&"RUNNING".into())
    });
    // More than a pipe holds: the program waits, the daemon doesn't.
    let much = "0123456789abcde\n".repeat(20_000);
    call(&socket, "supervisor.sendProcessStdin", &["out".into(), much.as_str().into()]);
    let mut got = Vec::new();
    let mut buffer = vec![0; 65_536];
    while String::from_utf8_lossy(&got).matches("bcde").count() < much.len() / 16 {
        let count = output.read(&mut buffer).expect("more of it");
        got.extend_from_slice(&buffer[..count]);
    }
    // Nothing of it is missing, though lines of the daemon may stand between pieces.
    let line = |line: &&str| *line == "0123456789abcde";
    assert!(String::from_utf8(got).expect("text").lines().filter(line).count() > 19_900);
}

/// LOG-080: process 1 in the background takes the container with it, which would be a riddle without a word.
#[test]
fn process_1_in_the_background() {
    if upstream_differs("says nothing") {
        return;
    }
    let Some(prefix) = unshare(&["--pid", "--fork", "--mount-proc"]) else { return };
    let setup = Setup::new(QUIET).through(&words(&prefix));
    let done = setup.background_command().output().expect("the daemon");
    let errors = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(0), "{errors}");
    assert!(errors.starts_with("Warning: process 1 goes to the background") && errors.contains("nodaemon"), "{errors}");
    assert_eq!(proc::marked(&format!("MAJORDOMO_TEST={}", setup.path().display())), [0; 0]);
}
