//! `supervisorctl` at a terminal: editing, completion, history, Ctrl-C and Ctrl-D, colours and advice. The terminal is
//! `tests/python/terminal.py`; what the screen shows is compared without its control sequences.

mod support;

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use support::daemon::Daemon;
use support::python::python;
use support::terminal::{CTRL_C, CTRL_D, Terminal, UP};
use support::{QUIET, free_port, upstream_differs, wait_until};

const CONFIG: &str = "\
[rpcinterface:cache]
supervisor.rpcinterface_factory = supervisor_cache.rpcinterface:make_cache_rpcinterface
[supervisorctl]
serverurl=unix://%(here)s/supervisor.sock
history_file=%(here)s/history
[ctlplugin:cache]
supervisor.ctl_factory = supervisor_cache.controllerplugin:make_cache_controllerplugin
[program:echo]
command=sh -c 'echo begin; while read line; do echo got $line; done'
startsecs=0
stopsignal=KILL
[program:north]
command=sleep 1000
autostart=false
startsecs=0
[program:south]
command=sleep 1000
autostart=false
startsecs=0
[group:fleet]
programs=north,south
";

const PROMPT: &str = "supervisor> ";

/// `supervisorctl` with these words.
fn ctl(daemon: &Daemon, words: &[&str], settings: &[(&str, &str)]) -> Terminal {
    let config = daemon.config();
    let words = [&[env!("CARGO_BIN_EXE_supervisorctl"), "-c", config.to_str().expect("a path")], words].concat();
    Terminal::start(daemon.path(), &words, settings)
}

fn start(settings: &[(&str, &str)]) -> (Daemon, Terminal) {
    let daemon = Daemon::start(&format!("{QUIET}{CONFIG}"));
    daemon.wait_for_state("echo", "RUNNING");
    let mut terminal = ctl(&daemon, &[], settings);
    terminal.wait_for(PROMPT);
    (daemon, terminal)
}

/// CTL-155: the key completes what is unique, and lists what is not.
#[test]
fn ctl_155_completion() {
    if upstream_differs("CTL-155: the terminal is our client's") {
        return;
    }
    let (daemon, mut terminal) = start(&[]);
    terminal.press("vers\t\n");
    assert!(terminal.wait_for("4.3.0\n").contains("version \n"));
    terminal.press("sta\t\t");
    assert!(terminal.wait_for("sta").ends_with("sta"));
    terminal.wait_for("start    status");
    terminal.press("rt fl\tn\t\n");
    terminal.wait_for("fleet:north: started\n");
    daemon.wait_for_state("fleet:north", "RUNNING");
    terminal.press("help cache_f\t\n");
    terminal.wait_for("cache_fetch <key>");
    terminal.press("stop fleet:*\t\n");
    terminal.wait_for("fleet:north: stopped\n");
    terminal.press("quit\n");
    assert_eq!(terminal.end().1, Some(0));
}

/// CTL-154: the arrow brings back what was typed, also in the session before; blank lines aren't kept.
#[test]
fn ctl_154_history() {
    if upstream_differs("CTL-154: the terminal is our client's") {
        return;
    }
    let (daemon, mut terminal) = start(&[]);
    terminal.press("pid ghost\n");
    terminal.wait_for("No such process ghost\n");
    terminal.press("   \nversion\n");
    terminal.wait_for("4.3.0\n");
    terminal.press(UP);
    terminal.press(UP);
    terminal.press("s\n");
    terminal.wait_for("No such process ghosts\n");
    terminal.press("exit\n");
    assert_eq!(terminal.end().1, Some(0));
    let kept = "pid ghost\nversion\npid ghosts\nexit\n";
    assert_eq!(daemon.text("history"), kept);
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(daemon.file("history")).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);

    // -r stands above the file; what is there is read, and what can't be written does no harm.
    std::fs::write(daemon.file("other"), "version\n").unwrap();
    let other = daemon.file("other");
    let mut terminal = ctl(&daemon, &["-r", other.to_str().unwrap()], &[]);
    terminal.wait_for(PROMPT);
    terminal.press(UP);
    terminal.press("\n");
    terminal.wait_for(&format!("4.3.0\n{PROMPT}"));
    terminal.press(CTRL_D);
    assert_eq!(terminal.end(), ("\n".to_string(), Some(0)));
    assert_eq!(daemon.text("other"), "version\nversion\n");
    assert_eq!(daemon.text("history"), kept);
    let mut terminal = ctl(&daemon, &["-r", "/nowhere/at/all"], &[]);
    terminal.wait_for(PROMPT);
    terminal.press("quit\n");
    assert_eq!(terminal.end().1, Some(0));
}

/// CTL-088, CTL-092, CTL-151, CTL-156: Ctrl-C ends what runs, then the shell.
#[test]
fn ctl_151_ctrl_c_and_ctrl_d() {
    if upstream_differs("CTL-151: the terminal is our client's") {
        return;
    }
    let (_daemon, mut terminal) = start(&[]);
    terminal.press("tail -f echo\n");
    terminal.wait_for("==> Press Ctrl-C to exit <==\nbegin\n");
    terminal.press(CTRL_C);
    terminal.wait_for(&format!("^C\n{PROMPT}"));
    terminal.press("fg echo\n");
    terminal.wait_for("==> Press Ctrl-C to exit <==\nbegin\n");
    terminal.press("hello\n");
    terminal.wait_for("got hello\n");
    terminal.press(CTRL_C);
    terminal.wait_for(&format!("^C\nExiting foreground\n{PROMPT}"));
    terminal.press("fg echo\n");
    terminal.wait_for("got hello\n");
    terminal.press(CTRL_D);
    terminal.wait_for(&format!("Exiting foreground\n{PROMPT}"));
    // A failing command leaves the shell as it is.
    terminal.press("stop ghost\n");
    terminal.wait_for(&format!("ghost: ERROR (no such process)\n{PROMPT}"));
    terminal.press("half a line");
    terminal.press(CTRL_C);
    let (rest, status) = terminal.end();
    assert!(rest.ends_with("half a line\n") && !rest.ends_with("\n\n"), "{rest:?}");
    assert_eq!(status, Some(0));

    let (_daemon, mut terminal) = start(&[]);
    terminal.press(CTRL_D);
    assert_eq!(terminal.end(), ("\n".to_string(), Some(0)));
}

/// CTL-152: the question is asked at a terminal as on a pipe, and its answer is no command of the history.
#[test]
fn ctl_152_questions() {
    if upstream_differs("CTL-152: the terminal is our client's") {
        return;
    }
    let (mut daemon, mut terminal) = start(&[]);
    terminal.press("shutdown\n");
    terminal.wait_for("Really shut the remote supervisord process down y/N? ");
    terminal.press("n\n");
    terminal.wait_for(PROMPT);
    terminal.press("shutdown\n");
    terminal.wait_for("Really shut the remote supervisord process down y/N? ");
    terminal.press("y\n");
    terminal.wait_for(&format!("Shut down\n{PROMPT}"));
    assert!(daemon.wait_for_exit().success());
    terminal.press("status\n");
    terminal.wait_for(" no such file\n");
    terminal.wait_for("is supervisord running?");
    terminal.press("quit\n");
    assert_eq!(terminal.end().1, Some(0));
    assert_eq!(daemon.text("history"), "shutdown\nshutdown\nstatus\nquit\n");
}

/// States have colours, unless the user or the terminal does not want them; a pipe never has.
#[test]
fn colours_are_for_terminals() {
    if upstream_differs("colours: the terminal is our client's") {
        return;
    }
    let daemon = Daemon::start(&format!("{QUIET}{CONFIG}"));
    daemon.wait_for_state("echo", "RUNNING");
    let green = format!("{:<33}\x1b[32mRUNNING\x1b[0m   pid ", "echo");
    let none = format!("{:<33}RUNNING   pid ", "echo");
    for (words, settings, line) in [
        (&["status"][..], &[][..], &green),
        (&["status"], &[("NO_COLOR", "1")], &none),
        (&["status"], &[("NO_COLOR", "")], &green),
        (&["status"], &[("TERM", "dumb")], &none),
        (&["--color=never", "status"], &[], &none),
        (&["--color", "always", "status"], &[("NO_COLOR", "1")], &green),
    ] {
        let mut terminal = ctl(&daemon, words, settings);
        terminal.wait_for("uptime");
        assert!(terminal.raw.contains(line.as_str()), "{words:?} {settings:?}: {:?}", terminal.raw);
        assert_eq!(terminal.end().1, Some(3));
    }
    let piped = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_supervisorctl"));
        let output = command.arg("-c").arg(daemon.config()).args(words).output().expect("supervisorctl");
        assert!(output.stderr.is_empty());
        String::from_utf8(output.stdout).expect("text")
    };
    assert!(piped(&["status"]).contains(&none));
    assert!(piped(&["--color=always", "status"]).contains(&green));
    // A name that is nearly right: advice at a terminal, not a word of it elsewhere.
    assert_eq!(piped(&["stop", "ecoh"]), "ecoh: ERROR (no such process)\n");
    let terminal = ctl(&daemon, &["stop", "ecoh"], &[]);
    assert_eq!(terminal.end(), ("ecoh: ERROR (no such process)\nDid you mean `echo`?\n".to_string(), Some(1)));
}

/// A terminal that can't move its cursor gets plain lines, and no control sequence.
#[test]
fn a_dumb_terminal_has_a_shell_too() {
    if upstream_differs("CTL-150: the terminal is our client's") {
        return;
    }
    let (_daemon, mut terminal) = start(&[("TERM", "dumb")]);
    terminal.press("version\n");
    terminal.wait_for(&format!("version\n4.3.0\n{PROMPT}"));
    assert!(!terminal.raw.contains('\x1b'), "{:?}", terminal.raw);
    terminal.press(CTRL_D);
    assert_eq!(terminal.end().1, Some(0));
}

/// CTL-092: at the end of the input `fg` leaves, however much the process prints.
#[test]
fn ctl_092_fg_leaves_at_the_end_of_input() {
    if upstream_differs("CTL-092: what comes behind the end of the input is shown by our client only") {
        return;
    }
    // One process that never pauses for long: a shell with `sleep` may, on a busy machine.
    let chatter = "[program:chatter]\nstartsecs=0\n\
        command=python3 -uc \"import time; [(print(n), time.sleep(0.01)) for n in range(6000)]\"\n";
    let daemon = Daemon::start(&format!("{QUIET}{CONFIG}{chatter}"));
    daemon.wait_for_state("chatter", "RUNNING");
    let mut fg = Command::new(env!("CARGO_BIN_EXE_supervisorctl"));
    fg.arg("-c").arg(daemon.config()).args(["fg", "chatter"]).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut fg = fg.spawn().expect("supervisorctl");
    let mut out = fg.stdout.take().expect("its output");
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        out.read_to_string(&mut text).map(|_| text)
    });
    let mut status = None;
    wait_until("fg to leave", 20, || {
        status = fg.try_wait().expect("its status");
        if status.is_none() {
            std::thread::sleep(Duration::from_millis(20))
        }
        status.is_some()
    });
    let text = reader.join().expect("a reader").expect("text");
    assert!(text.starts_with("==> Press Ctrl-C to exit <==\n") && text.ends_with("Exiting foreground\n"), "{text}");
    assert_eq!(status.and_then(|status| status.code()), Some(0));
}

/// CTL-152: what is typed ahead answers the question.
#[test]
fn ctl_152_answers_typed_ahead() {
    if upstream_differs("CTL-152: the terminal is our client's") {
        return;
    }
    let (mut daemon, mut terminal) = start(&[]);
    terminal.press("shutdown\nn\nversion\nshutdown\ny\nquit\n");
    terminal.wait_for("Really shut the remote supervisord process down y/N? n\n");
    terminal.wait_for("version\n4.3.0\n");
    terminal.wait_for("Really shut the remote supervisord process down y/N? y\nShut down\n");
    assert_eq!(terminal.end().1, Some(0));
    assert!(daemon.wait_for_exit().success());
    assert_eq!(daemon.text("history"), "shutdown\nversion\nshutdown\nquit\n");
}

/// CTL-154: a history that other programs write to loses nothing.
#[test]
fn ctl_154_a_shared_history() {
    if upstream_differs("CTL-154: the terminal is our client's") {
        return;
    }
    let daemon = Daemon::start(&format!("{QUIET}{CONFIG}"));
    // More than we remember, bytes that are no text, and no end of the last line.
    let mut kept = b"old \xff\n".repeat(1500);
    kept.extend_from_slice(b"last");
    std::fs::write(daemon.file("history"), &kept).expect("a file");
    let mut terminal = ctl(&daemon, &[], &[]);
    terminal.wait_for(PROMPT);
    terminal.press("version\n");
    terminal.wait_for(&format!("4.3.0\n{PROMPT}"));
    kept.extend_from_slice(b"\nversion\n");
    // Kept at once.
    assert!(std::fs::read(daemon.file("history")).expect("a file") == kept);
    let mut other = std::fs::OpenOptions::new().append(true).open(daemon.file("history")).expect("a file");
    other.write_all(b"elsewhere\n").expect("a file");
    terminal.press("quit\n");
    assert_eq!(terminal.end().1, Some(0));
    kept.extend_from_slice(b"elsewhere\nquit\n");
    assert!(std::fs::read(daemon.file("history")).expect("a file") == kept);
}

/// A server that nobody gets through to, until this is dropped.
struct FullServer(Child);

impl FullServer {
    fn start(daemon: &Daemon, url: &str) -> FullServer {
        let mut command = python().script(daemon.path(), "full_server.py");
        match url.strip_prefix("unix://") {
            Some(path) => command.args(["unix", path]),
            None => command.args(["inet", url.rsplit(':').next().expect("a port")]),
        };
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("python");
        let mut said = [0; 5];
        child.stdout.as_mut().expect("its output").read_exact(&mut said).expect("a word");
        FullServer(child)
    }
}

impl Drop for FullServer {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// CTL-155, CTL-156: a server that doesn't let us in holds up neither completion nor Ctrl-C.
#[test]
fn ctl_155_a_server_that_lets_nobody_in() {
    if upstream_differs("CTL-155: the terminal is our client's") {
        return;
    }
    let daemon = Daemon::start(&format!("{QUIET}{CONFIG}"));
    let path = format!("unix://{}", daemon.file("full.sock").display());
    for url in [path, format!("http://127.0.0.1:{}", free_port())] {
        let mut terminal = ctl(&daemon, &["-s", &url], &[]);
        terminal.wait_for(PROMPT);
        let _full = FullServer::start(&daemon, &url);
        terminal.press("stop w\t");
        terminal.press("\x15version x\n");
        terminal.wait_for("Error: version accepts no arguments\n");
        terminal.wait_for(PROMPT);
        // By then the wait for the server is all there is.
        terminal.press("version\n");
        terminal.wait_for("version\n");
        terminal.press(CTRL_C);
        assert_eq!(terminal.end().1, Some(0), "{url}");
    }
}
