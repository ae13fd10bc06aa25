//! What can befall a daemon on a real system: it is killed, its sockets' files are removed, children don't heed it.

mod support;

use std::path::Path;
use std::time::{Duration, Instant};

use majordomo::base::value::Value;
use support::daemon::{Daemon, Setup};
use support::http::Client;
use support::xmlrpc::{request, response};
use support::{QUIET, proc, upstream_differs, wait_for, wait_until};

fn with(lines: &str) -> String {
    QUIET.replace("[supervisord]\n", &format!("[supervisord]\n{lines}\n"))
}

fn pid(daemon: &Daemon, name: &str) -> i64 {
    daemon.wait_for_state(name, "RUNNING").pid()
}

/// The daemon ends without a chance to stop anybody.
fn kill(daemon: &mut Daemon) {
    proc::send(&[daemon.pid()], "KILL");
    daemon.wait_for_exit();
}

/// `parent_death_signal`: the kernel tells programs, also those that change their account; theirs is the choice what to
/// do. Without the key they live on, with the daemon's pipes closed.
#[test]
fn children_learn_of_the_daemon_s_death() {
    if upstream_differs("has no parent_death_signal") {
        return;
    }
    let user = if support::namespaces::is_root() { "user=nobody\n" } else { "" };
    let programs = format!(
        "[program:plain]\ncommand=sleep 1000\nstartsecs=0\n[program:other]\ncommand=sleep 1000\nstartsecs=0\n{user}\
         [program:heeds]\ncommand=sh -c 'trap \"echo last words >words; exit 0\" HUP; echo ready; while :; do sleep \
         0.05; done'\nstartsecs=0\n"
    );
    for (line, signal) in [("parent_death_signal=HUP", true), ("", false)] {
        let mut daemon = Daemon::start(&(with(line) + &programs));
        let pids = ["plain", "other", "heeds"].map(|name| pid(&daemon, name));
        let log = daemon.info("heeds").text("stdout_logfile").to_string();
        wait_until("its trap", 20, || !std::fs::read(&log).unwrap_or_default().is_empty());
        kill(&mut daemon);
        if signal {
            wait_until("the children's end", 20, || !pids.iter().any(|pid| proc::is_alive(*pid)));
            assert_eq!(daemon.text("words"), "last words\n");
            continue;
        }
        // They have another parent by now, and go on.
        wait_until("another parent", 20, || {
            let parents = pids.map(|pid| proc::stat(pid).expect("a child")[1].clone());
            parents.iter().all(|parent| *parent != daemon.pid().to_string())
        });
        assert!(pids.iter().all(|pid| proc::is_alive(*pid)));
        // The next daemon knows nothing of them: it starts its own.
        daemon.start_again();
        let others = ["plain", "other", "heeds"].map(|name| self::pid(&daemon, name));
        assert!(pids.iter().all(|pid| proc::is_alive(*pid) && !others.contains(pid)));
    }
}

/// The key is told of like any other, and a reload takes it up.
#[test]
fn parent_death_signal_at_a_reload() {
    if upstream_differs("has no parent_death_signal") {
        return;
    }
    let program = "[program:p]\ncommand=sleep 1000\nstartsecs=0\n";
    let (status, _, errors) = Setup::new(&(with("parent_death_signal=NONSENSE") + program)).run();
    assert_eq!(status, Some(2));
    assert!(errors.contains("value 'NONSENSE' is not a valid signal name"), "{errors}");
    let mut daemon = Daemon::start(&(with("") + program));
    pid(&daemon, "p");
    daemon.configure(&(with("parent_death_signal=9") + program));
    daemon.signal("HUP");
    wait_until("the new start", 20, || daemon.log().matches("supervisord started").count() == 2);
    wait_until("its server", 20, || Client::connect(daemon.address()).is_ok());
    let pid = pid(&daemon, "p");
    kill(&mut daemon);
    wait_until("the child's end", 20, || !proc::is_alive(pid));
}

/// Whether somebody is served at the socket.
fn is_served(daemon: &Daemon) -> bool {
    let asked = Client::connect(daemon.address()).and_then(|mut client| client.ask(&request("supervisor.getPID", &[])));
    asked.is_ok_and(|reply| response(&reply.body) == Ok(Value::Int(daemon.pid())))
}

/// How many processor ticks and context switches it takes to do nothing for a while.
fn spent_idle(daemon: &Daemon) -> (u64, u64) {
    let spent = || (proc::cpu_ticks(daemon.pid()), proc::switches(daemon.pid()));
    let before = spent();
    std::thread::sleep(Duration::from_millis(700));
    let after = spent();
    (after.0 - before.0, after.1 - before.1)
}

/// The file of a unix socket is removed, with its folder, too, or replaced: it is made again as soon as it can be, with
/// its mode; who was connected stays so; nothing ticks.
#[test]
fn a_socket_s_file_goes() {
    if upstream_differs("stays unreachable") {
        return;
    }
    let config = QUIET.replace("%(here)s/supervisor.sock\n", "%(here)s/run/supervisor.sock\nchmod=0750\n");
    let setup = Setup::new(&config);
    let folder = setup.path().join("run");
    std::fs::create_dir(&folder).expect("a folder");
    let daemon = setup.start();
    let path = folder.join("supervisor.sock");
    let mode = |path: &Path| {
        use std::os::unix::fs::PermissionsExt;
        std::fs::metadata(path).expect("a socket").permissions().mode() & 0o777
    };
    let mut old = daemon.connect();
    old.ask(&request("supervisor.getPID", &[])).expect("an answer");
    let before = proc::descriptors(daemon.pid()).len();
    for round in 1..=3 {
        std::fs::remove_file(&path).expect("the socket");
        wait_until("a new socket", 20, || is_served(&daemon));
        assert_eq!(daemon.log().matches("supervisor.sock was removed and has been made again").count(), round);
        assert_eq!(mode(&path), 0o750);
    }
    // Other names, owners and modes are nobody's business.
    std::fs::hard_link(&path, folder.join("other")).expect("another name");
    std::fs::rename(&path, folder.join("moved")).expect("a move");
    wait_until("a new socket", 20, || is_served(&daemon));
    // The socket may come back before its folder goes.
    wait_until("the folder's end", 20, || std::fs::remove_dir_all(&folder).is_ok());
    daemon.wait_for_log("was removed, can't be made again, and is tried again until it can: Cannot open");
    assert_eq!(spent_idle(&daemon).0, 0, "waits without work");
    std::fs::create_dir(&folder).expect("a folder");
    wait_until("a new socket", 40, || is_served(&daemon));
    assert_eq!(daemon.log().matches("can't be made again").count(), 1, "told once");
    // Somebody else's file stays; it is told once.
    std::fs::remove_file(&path).ok();
    wait_until("a new socket", 20, || is_served(&daemon));
    std::fs::write(folder.join("file"), "mine").expect("a file");
    std::fs::rename(folder.join("file"), &path).expect("in its place");
    daemon.wait_for_log("supervisor.sock was replaced by something else");
    assert_eq!(std::fs::read_to_string(&path).expect("a file"), "mine");
    std::fs::remove_file(&path).expect("the file");
    // Who was connected all the time was never touched.
    let reply = old.ask(&request("supervisor.getPID", &[])).expect("an answer");
    assert_eq!(response(&reply.body), Ok(Value::Int(daemon.pid())));
    let open = || proc::descriptors(daemon.pid());
    let end = Instant::now() + Duration::from_secs(10);
    while open().len() > before {
        assert!(Instant::now() < end, "{:?}", open());
    }
    assert!(spent_idle(&daemon).1 <= 2, "nothing ticks");
    let mut daemon = daemon;
    daemon.signal("TERM");
    assert!(daemon.wait_for_exit().success());
}

/// A folder on the way to a unix socket gets another name: the socket is made anew where it belongs, once it can be, or is
/// found again.
#[test]
fn a_socket_s_folder_is_moved() {
    if upstream_differs("stays unreachable") {
        return;
    }
    let config = QUIET.replace("%(here)s/supervisor.sock\n", "%(here)s/a/run/supervisor.sock\n");
    let setup = Setup::new(&config);
    std::fs::create_dir_all(setup.path().join("a/run")).expect("a folder");
    let daemon = setup.start();
    let moved = |from: &str, to: &str| std::fs::rename(daemon.file(from), daemon.file(to)).expect("a move");
    for (away, back) in [(["a", "away"], ["away", "a"]), (["a/run", "away"], ["away", "a/run"])] {
        moved(away[0], away[1]);
        daemon.wait_for_log("was removed, can't be made again, and is tried again until it can");
        assert_eq!(spent_idle(&daemon).0, 0, "waits without work");
        moved(back[0], back[1]);
        wait_until("the socket", 20, || is_served(&daemon));
    }
    daemon.wait_for_log("supervisor.sock is in its place again");
    // For good, and another folder takes its place.
    moved("a", "away");
    std::fs::create_dir_all(daemon.file("a/run")).expect("a folder");
    wait_until("a new socket", 40, || is_served(&daemon));
    daemon.wait_for_log("supervisor.sock was removed and has been made again");
}

/// PROC-021, PROC-022: a stopped child does not heed the stop signal, and gets SIGKILL, which it can't ignore.
#[test]
fn a_child_that_was_stopped_ends_all_the_same() {
    let program = "[program:p]\ncommand=sleep 1000\nstartsecs=0\nstopwaitsecs=1\n";
    let mut daemon = Daemon::start(&(QUIET.to_string() + program));
    let first = pid(&daemon, "p");
    proc::send(&[first], "STOP");
    wait_until("a stopped child", 20, || proc::stat(first).is_some_and(|fields| fields[0] == "T"));
    // A stopped child is no ended one.
    assert_eq!(daemon.info("p").state(), "RUNNING");
    let begun = Instant::now();
    assert_eq!(daemon.call("supervisor.stopProcess", &["p".into()]), Value::Bool(true));
    assert!(begun.elapsed() >= Duration::from_millis(900), "it had its second");
    assert!(!proc::is_alive(first));
    assert!(daemon.log().contains(&format!("killing 'p' ({first}) with SIGKILL")));
    // The same at the daemon's end.
    daemon.call("supervisor.startProcess", &["p".into()]);
    let second = pid(&daemon, "p");
    proc::send(&[second], "STOP");
    daemon.signal("TERM");
    assert!(daemon.wait_for_exit().success());
    assert!(!proc::is_alive(second));
}

/// The daemon itself is stopped for a while: when it goes on, it finds out what happened meanwhile.
#[test]
fn a_daemon_that_was_stopped_catches_up() {
    let program = "[program:p]\ncommand=sleep 1000\nstartsecs=0\n[program:echo]\ncommand=cat\nstartsecs=0\n\
                   stdout_logfile=%(here)s/echo.log\n";
    let daemon = Daemon::start(&(QUIET.to_string() + program));
    let first = pid(&daemon, "p");
    pid(&daemon, "echo");
    daemon.call("supervisor.sendProcessStdin", &["echo".into(), "before\n".into()]);
    daemon.signal("STOP");
    proc::send(&[first], "KILL");
    let mut client = daemon.connect();
    client.send(&request("supervisor.sendProcessStdin", &["echo".into(), "meanwhile\n".into()])).expect("a request");
    std::thread::sleep(Duration::from_millis(300));
    daemon.signal("CONT");
    assert_eq!(client.read_reply().expect("an answer").status, 200);
    wait_for("another child", 20, || {
        Some(daemon.info("p")).filter(|info| info.state() == "RUNNING" && info.pid() != first)
    });
    wait_until("both lines", 20, || daemon.text("echo.log") == "before\nmeanwhile\n");
}
