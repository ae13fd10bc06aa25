//! Tests of the dialogue with a scripted server and user.

use crate::base::errno::Errno;
use crate::base::value::Value;
use crate::ctl::dialogue::*;
use crate::ctl::scripted::{Script, User, fault as failing, one_shot};
use crate::ctl::trouble::Trouble;

const VERSION: &str = "supervisor.getVersion";

#[test]
fn ctl_007_ctl_008_lines() {
    for line in ["", "  "] {
        assert_eq!(one_shot(&mut Script::new([]), line), (String::new(), 0));
    }
    for line in ["frob", "#x", "!ls", "STATUS"] {
        assert_eq!(one_shot(&mut Script::new([]), line), (format!("*** Unknown syntax: {line}\n"), 1));
    }
    assert_eq!(one_shot(&mut Script::new([]), " frob  x "), ("*** Unknown syntax: frob  x\n".to_string(), 1));
    // What is no letter, digit or `_` ends the command's word.
    let (out, status) = one_shot(&mut Script::new([]), "version-x");
    assert!(out.starts_with("Error: version accepts no arguments\n"));
    assert_eq!(status, 1);
}

#[test]
fn ctl_050_ctl_051_ctl_052_ctl_053_ctl_054_arguments_are_required() {
    for (line, message, status) in [
        ("start", "Error: start requires a process name\nstart <name>\t", 2),
        ("stop", "Error: stop requires a process name\nstop <name>\t", 1),
        ("restart", "Error: restart requires a process name\nrestart <name>\t", 1),
        ("signal", "Error: signal requires a signal name and a process name\nsignal <signal name> <name>\t", 1),
        ("signal HUP", "Error: signal requires a signal name and a process name\nsignal <signal name> <name>\t", 1),
        ("clear", "Error: clear requires a process name\nclear <name>\t", 1),
    ] {
        let (out, exit) = one_shot(&mut Script::new([]), line);
        assert!(out.starts_with(message), "{out}");
        assert_eq!(exit, status);
    }
}

#[test]
fn ctl_104_no_arguments_accepted() {
    for name in ["avail", "reread", "reload", "shutdown", "version"] {
        let (out, exit) = one_shot(&mut Script::new([]), &format!("{name} x"));
        assert!(out.starts_with(&format!("Error: {name} accepts no arguments\n{name}\t")), "{out}");
        assert_eq!(exit, 1);
    }
}

/// CTL-020, CTL-021, CTL-022, CTL-023, CTL-025.
#[test]
fn ctl_020_the_server_is_away() {
    for (answer, start, status) in [
        (Err(Trouble::Os(Errno::ECONNREFUSED)), "unix:///s.sock refused connection\n", 4),
        (Err(Trouble::Os(Errno::ENOENT)), "unix:///s.sock no such file\n", 7),
        (
            Ok(Value::from("2.0")),
            "Sorry, this version of supervisorctl expects to talk to a server with API version 3.0, but the remote \
             version is 2.0",
            5,
        ),
        (failing(1), "Sorry, supervisord responded but did not recognize the supervisor namespace commands", 3),
    ] {
        // Before the arguments are looked at.
        for line in ["start", "stop", "restart x", "signal", "tail", "maintail x y", "clear", "version", "fg", "pid"] {
            let (out, exit) = one_shot(&mut Script::new([(VERSION, answer.clone())]), line);
            assert!(out.starts_with(start) && out.lines().count() == 1, "{line}: {out}");
            assert_eq!(exit, status, "{line}");
        }
        let (out, exit) = one_shot(&mut Script::new([(VERSION, answer.clone())]), "status");
        assert!(out.starts_with(start));
        assert_eq!(exit, 4);
    }
    // CTL-024.
    let (out, exit) = one_shot(&mut Script::new([(VERSION, failing(6))]), "status");
    assert!(out.starts_with("error: <class 'xmlrpc.client.Fault'>, <Fault 6: 'SHUTDOWN_STATE'>: file: "), "{out}");
    assert_eq!(exit, 1);
}

/// CTL-031: these don't ask first.
#[test]
fn ctl_031_without_up_check() {
    for (line, method) in [
        ("avail", "supervisor.getAllConfigInfo"),
        ("reread", "supervisor.reloadConfig"),
        ("add x", "supervisor.addProcessGroup"),
        ("remove x", "supervisor.removeProcessGroup"),
        ("update", "supervisor.reloadConfig"),
        ("reload", "supervisor.restart"),
        ("cache_keys", "cache.getKeys"),
    ] {
        let mut script = Script::new([(method, Err(Trouble::Os(Errno::ECONNREFUSED)))]);
        let (out, exit) = one_shot(&mut script, line);
        let message = "error: <class 'ConnectionRefusedError'>, [Errno 111] Connection refused: file: ";
        assert!(out.starts_with(message) && out.contains(" line: "), "{out}");
        assert_eq!(exit, 1);
    }
}

#[test]
fn ctl_026_authentication_once() {
    let refused = || Err(Trouble::Status { code: 401, reason: "Unauthorized".to_string() });
    for (line, method) in [("status", VERSION), ("avail", "supervisor.getAllConfigInfo")] {
        let out = one_shot(&mut Script::new([(method, refused())]), line);
        assert_eq!(out, ("Server requires authentication\n".to_string(), 1));
    }
}

#[test]
fn ctl_032_a_later_failure_overwrites_and_success_doesn_t_reset() {
    let mut script = Script::new([
        ("supervisor.startProcess", failing(50)),
        ("supervisor.startProcess", failing(10)),
        ("supervisor.startProcess", Ok(true.into())),
    ]);
    assert_eq!(one_shot(&mut script, "start a b c").1, 1);
}

#[test]
fn ctl_120_cache_commands_come_with_the_plugin() {
    let (mut script, mut user) = (Script::new([]), User::default());
    let mut dialogue = Dialogue::new(&mut script, &mut user, Vec::new());
    for line in ["cache_keys", "help cache_keys", "help"] {
        dialogue.command(line).unwrap();
    }
    assert_eq!(dialogue.status(), 1);
    let start = "*** Unknown syntax: cache_keys\n*** No help on cache_keys\n\ndefault commands (type help <topic>):\n";
    assert!(user.out.starts_with(start));
    assert!(!user.out.contains("cache commands"));
}

#[test]
fn ctl_144_help_topics() {
    let help = |line| one_shot(&mut Script::new([]), line);
    for (line, topic) in [("help nix", "nix"), ("? a b", "a b"), ("help EOF", "EOF"), ("help default", "default")] {
        assert_eq!(help(line), (format!("*** No help on {topic}\n"), 0));
    }
    let (out, status) = help("help help");
    assert!(out.starts_with("help\t") && out.contains("\nhelp <action>\t") && out.lines().count() == 2, "{out}");
    assert_eq!(status, 0);
    // BUG-091: once, and without a complaint.
    for line in ["help cache_keys", "?cache_keys", "? cache_keys"] {
        assert_eq!(help(line), ("cache_keys\tShow the keys of all items in the cache.\n".to_string(), 0));
    }
    assert!(help("?").0.starts_with("\ndefault commands (type help <topic>):\n====="));
}
