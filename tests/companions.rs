//! `pidproxy` and `echo_supervisord_conf`, beside the published ones where those behave as one would want.

mod support;

use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};

use support::python::python;
use support::{Folder, proc, upstream, wait_for, wait_until};

const PIDPROXY: &str = env!("CARGO_BIN_EXE_pidproxy");

/// A command whose server is another process: its number is in the pid file `@/pid`, the signals it gets in `@/got`. It
/// ends with TERM.
const SERVER: &str = "\
server() {
    for name in USR1 USR2; do trap \"echo $name >>@/got\" $name; done
    trap 'echo TERM >>@/got; exit 0' TERM
    until [ -s @/pid ]; do sleep 0.01; done
    echo ready >>@/got
    while :; do sleep 0.05; done
}
";

/// A script in a folder; `@` is the folder.
fn script(folder: &Folder, name: &str, text: &str) -> String {
    let path = folder.path().join(name);
    std::fs::write(&path, text.replace('@', &folder.path().to_string_lossy())).expect("a script");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("its mode");
    path.to_string_lossy().into_owned()
}

fn got(folder: &Folder) -> String {
    std::fs::read_to_string(folder.path().join("got")).unwrap_or_default()
}

fn start(folder: &Folder, words: &[&str]) -> Child {
    let mut command = Command::new(PIDPROXY);
    command.args(words).current_dir(folder.path()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("pidproxy")
}

fn ended(child: &mut Child) -> Option<i32> {
    wait_for("the end of pidproxy", 20, || child.try_wait().expect("its status")).code()
}

/// Signals go to the process that the pid file names, and pidproxy ends when all have ended.
#[test]
fn signals_are_passed_on() {
    let folder = Folder::new();
    let command =
        script(&folder, "command", &format!("#!/bin/sh\n{SERVER}server & echo $! >@/pid\nwait $!; wait $!; wait $!\n"));
    let pid_file = folder.path().join("pid");
    let mut child = start(&folder, &[pid_file.to_str().unwrap(), &command]);
    wait_until("the server", 20, || got(&folder).contains("ready"));
    // A shell's background jobs are deaf to INT and QUIT, and to HUP if these tests run under nohup.
    for signal in ["USR1", "USR2", "TERM"] {
        proc::send(&[child.id().into()], signal);
        wait_until(signal, 20, || got(&folder).lines().last() == Some(signal));
    }
    assert_eq!(ended(&mut child), Some(0));
    assert_eq!(got(&folder), "ready\nUSR1\nUSR2\nTERM\n");
}

/// A command that goes to the background: its process is watched, though it is nobody's child.
#[test]
fn a_command_in_the_background_is_watched() {
    let folder = Folder::new();
    let command = script(&folder, "command", &format!("#!/bin/bash\n{SERVER}server & echo $! >@/pid\n"));
    let pid_file = folder.path().join("pid");
    let mut child = start(&folder, &[pid_file.to_str().unwrap(), &command]);
    wait_until("the server", 20, || got(&folder).contains("ready"));
    let server: i64 = std::fs::read_to_string(&pid_file).unwrap().trim().parse().unwrap();
    wait_until("the command's end", 20, || proc::children(child.id().into()).is_empty());
    assert!(child.try_wait().unwrap().is_none() && proc::is_alive(server));
    proc::send(&[child.id().into()], "TERM");
    assert_eq!(ended(&mut child), Some(0));
    assert!(!proc::is_alive(server));
}

/// A pid file from before the command names somebody else, whom nobody waits for.
#[test]
fn an_old_pid_file_is_not_waited_for() {
    let folder = Folder::new();
    let pid_file = folder.path().join("pid");
    std::fs::write(&pid_file, std::process::id().to_string()).unwrap();
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(60);
    std::fs::File::open(&pid_file).unwrap().set_modified(old).unwrap();
    let mut child = start(&folder, &[pid_file.to_str().unwrap(), "true"]);
    assert_eq!(ended(&mut child), Some(0));
}

/// What can't be done is said; the command goes on.
#[test]
fn without_a_pid_file_a_signal_goes_nowhere() {
    let folder = Folder::new();
    let command = script(&folder, "command", "#!/bin/sh\nwhile [ ! -e @/go ]; do sleep 0.05; done\n");
    let pid_file = folder.path().join("pid");
    let mut child = start(&folder, &[pid_file.to_str().unwrap(), &command]);
    let mut out = BufReader::new(child.stdout.take().unwrap());
    wait_until("the command", 20, || !proc::children(child.id().into()).is_empty());
    proc::send(&[child.id().into()], "TERM");
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    assert_eq!(line, format!("Can't read child pidfile {}!\n", pid_file.display()));
    std::fs::write(folder.path().join("go"), "").unwrap();
    assert_eq!(ended(&mut child), Some(0));
}

/// A name without a slash is a file of the working directory, as for the published one, or else one of the PATH.
#[test]
fn where_the_command_is() {
    let folder = Folder::new();
    script(&folder, "here", "#!/bin/sh\necho here $0 $*\n");
    for (words, said) in [(["here", "a b"], "here"), (["echo", "a b"], "a b\n")] {
        let mut child = start(&folder, &[&["pid"], &words[..]].concat());
        assert_eq!(ended(&mut child), Some(0));
        let mut out = String::new();
        child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
        assert!(out.starts_with(said) && out.ends_with("a b\n"), "{out}");
    }
    let mut child = start(&folder, &["pid", "no-such-command"]);
    assert_eq!(ended(&mut child), Some(127));
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(said.starts_with("pidproxy: can't run no-such-command: "), "{said}");
}

/// How it is used: the same line and exit status as the published one's.
#[test]
fn usage() {
    if upstream() {
        return;
    }
    let folder = Folder::new();
    for words in [&[][..], &["pid"]] {
        let ours = Command::new(PIDPROXY).args(words).output().unwrap();
        let theirs = python().program(folder.path(), "pidproxy").args(words).output().unwrap();
        assert_eq!((ours.status.code(), theirs.status.code()), (Some(1), Some(1)));
        let usage = |output: &[u8], program: &str| -> Vec<String> {
            let text = String::from_utf8_lossy(output);
            let lines = text.lines().filter(|line| line.starts_with("Usage: "));
            lines.map(|line| line.replacen(program, "", 1)).collect()
        };
        let published = theirs.stdout.clone();
        let name = String::from_utf8_lossy(&published);
        let name = name.lines().find_map(|line| line.strip_prefix("Usage: ")).unwrap().split(' ').next().unwrap();
        assert_eq!(usage(&ours.stdout, PIDPROXY), usage(&theirs.stdout, name));
        assert_eq!(usage(&ours.stdout, PIDPROXY).len(), 1);
    }
}

/// Words are ignored, as the published one ignores them; a full disk is a failure.
#[test]
fn the_sample() {
    let program = env!("CARGO_BIN_EXE_echo_supervisord_conf");
    let output = Command::new(program).args(["--help", "x"]).output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty());
    assert_eq!(output.stdout, majordomo::config::sample::sample().as_bytes());
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let failed = Command::new(program).stdout(full).output().unwrap();
    let said = "echo_supervisord_conf: No space left on device (os error 28)\n";
    assert_eq!((failed.status.code(), String::from_utf8_lossy(&failed.stderr).as_ref()), (Some(1), said));
}
