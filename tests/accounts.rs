//! Users and their groups, and what becomes of starts for which the system has no descriptors, processes or rights
//! left. Most of it needs root, and says so.

mod support;

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use support::daemon::{Daemon, Setup};
use support::namespaces::{is_root, with_mounts};
use support::{QUIET, supervisord, upstream_differs, wait_until};

fn with(lines: &str) -> String {
    QUIET.replace("[supervisord]\n", &format!("[supervisord]\n{lines}\n"))
}

fn only_root() -> bool {
    if !is_root() {
        println!("left out: only root can become somebody else");
    }
    is_root()
}

fn for_all(setup: &Setup) {
    std::fs::set_permissions(setup.path(), std::fs::Permissions::from_mode(0o777)).expect("a folder for all");
}

/// Runs once; leaves its output in `<name>.out` and `<name>.err`.
fn once(name: &str, settings: &str) -> String {
    format!(
        "[program:{name}]\n{settings}\nstartsecs=0\nautorestart=false
stdout_logfile=%(here)s/{name}.out\nstderr_logfile=%(here)s/{name}.err\n"
    )
}

/// Accounts of the test's own: one user whom some of four groups name.
const ACCOUNTS: &str = "cp /etc/passwd passwd && cp /etc/group group && \
    echo 'mjd-user:x:4321:4322::/nowhere:/bin/sh' >>passwd && \
    printf 'mjd-own:x:4322:\\nmjd-a:x:5001:mjd-user\\nmjd-b:x:5002:root,mjd-user\\nmjd-c:x:5003:root\\n' >>group && \
    mount --bind passwd /etc/passwd && mount --bind group /etc/group";

/// PROC-055, CFG-182, CFG-141: the primary group first, then the groups that name the user; nobody else's.
#[test]
fn supplementary_groups() {
    if !only_root() {
        return;
    }
    let Some(words) = with_mounts(ACCOUNTS) else { return };
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let shown = |name: &str, daemon: &Daemon| {
        let text = daemon.text(&format!("{name}.out"));
        let (ids, groups) = text.split_once("groups ").expect("two lines");
        let mut groups: Vec<&str> = groups.split_whitespace().collect();
        groups.sort_unstable();
        (ids.to_string(), groups.join(" "))
    };
    let command = "command=sh -c 'id -u; id -g; echo groups $(id -G); umask'";
    let wanted = ("4321\n4322\n".to_string(), "0022 4322 5001 5002".to_string());
    // A program's user, by name and by number.
    let programs = once("name", &format!("{command}\nuser=mjd-user\numask=022"))
        + &once("number", &format!("{command}\nuser=4321\numask=022"));
    let daemon = Setup::new(&format!("{QUIET}{programs}")).through(&words).start();
    for name in ["name", "number"] {
        daemon.wait_for_state(name, "EXITED");
        assert_eq!(shown(name, &daemon), wanted, "{name}");
    }
    // The daemon's, which its programs get, too; becoming oneself is no change.
    let programs =
        once("own", &format!("{command}\numask=022")) + &once("same", &format!("{command}\numask=022\nuser=mjd-user"));
    let setup = Setup::new(&format!("{}{programs}", with("user=mjd-user"))).through(&words);
    for_all(&setup);
    let daemon = setup.start();
    daemon.wait_for_log("INFO Set uid to user 4321 succeeded");
    for name in ["own", "same"] {
        daemon.wait_for_state(name, "EXITED");
        assert_eq!(shown(name, &daemon), wanted, "{name}");
    }
    let mut groups: Vec<String> = support::proc::status(daemon.pid(), "Groups")
        .expect("its groups")
        .split_whitespace()
        .map(str::to_string)
        .collect();
    groups.sort();
    assert_eq!(groups, ["4322", "5001", "5002"]);
}

/// PROC-057: why a program could not become its user, on its stderr, with status 127.
#[test]
fn a_user_that_cannot_be_become() {
    if !only_root() {
        return;
    }
    let uid = |name: &str| {
        let output = Command::new("id").args(["-u", name]).output().expect("id");
        String::from_utf8(output.stdout).expect("text").trim().to_string()
    };
    let last = "supervisor: child process was not spawned\n";
    let programs = once("other", "command=true\nuser=nobody");
    let told = |daemon: &Daemon, who: &str, reason: &str| {
        assert_eq!(daemon.wait_for_state("other", "EXITED").number("exitstatus"), 127);
        let wanted = format!("supervisor: couldn't setuid to {}: {reason}\n{last}", uid(who));
        assert_eq!(daemon.text("other.err"), wanted);
        daemon.wait_for_log("WARN exited: other (exit status 127; not expected)");
    };
    let daemon = Setup::new(&format!("{QUIET}{programs}")).through(&["setpriv", "--bounding-set=-setgid"]).start();
    told(&daemon, "nobody", "Could not set groups of effective user");
    let setup = Setup::new(&format!("{}{}", with("user=nobody"), once("other", "command=true\nuser=daemon")));
    for_all(&setup);
    told(&setup.start(), "daemon", "Can't drop privilege as nonroot user");
}

/// LOG-022: a folder that can't be entered is told; the daemon stays where it is.
#[test]
fn a_directory_that_cannot_be_entered() {
    let user = if is_root() { "user=nobody\n" } else { "" };
    let setup = Setup::new(&with(&format!("{user}directory=%(here)s/closed")));
    std::fs::create_dir(setup.path().join("closed")).expect("a folder");
    std::fs::set_permissions(setup.path().join("closed"), std::fs::Permissions::from_mode(0o000)).expect("its mode");
    for_all(&setup);
    let _guard = setup.guard();
    let done = setup.background_command().output().expect("the daemon");
    let log = || std::fs::read_to_string(setup.path().join("supervisord.log")).unwrap_or_default();
    let wanted = format!(
        " CRIT can't chdir into '{}/closed': [Errno 13] Permission denied: '{}/closed'\n",
        setup.path().display(),
        setup.path().display()
    );
    wait_until("its start", 20, || log().contains("supervisord started with pid"));
    let pid: i64 =
        std::fs::read_to_string(setup.path().join("supervisord.pid")).expect("a pid").trim().parse().expect("a number");
    let folder = std::fs::read_link(format!("/proc/{pid}/cwd"));
    std::fs::set_permissions(setup.path().join("closed"), std::fs::Permissions::from_mode(0o700)).expect("its mode");
    assert_eq!(done.status.code(), Some(0));
    assert!(log().contains(&wanted), "{wanted}\n{}", log());
    assert_eq!(folder.expect("where it is"), setup.path());
}

/// PROC-051, PROC-015: no descriptor is left: the start is tried again, and the daemon goes on.
#[test]
fn no_descriptors_left() {
    if upstream_differs("it needs other numbers of them") {
        return;
    }
    let programs: String = (0..8)
        .map(|number| {
            format!("[program:p{number}]\ncommand=sleep 1000\nstartsecs=0\nstdout_logfile=NONE\nstderr_logfile=NONE\n")
        })
        .collect();
    let daemon = Setup::new(&format!("{}{programs}", with("minfds=24")))
        .through(&["bash", "-c", "ulimit -n 24; exec \"$@\"", "bash"])
        .start();
    daemon.wait_for_log("INFO spawnerr: too many open files to spawn 'p");
    daemon.wait_for_log("INFO success: p0 entered RUNNING state");
    // Others make room, and who waits for a descriptor to serve a client gets one.
    support::proc::send(&support::proc::children(daemon.pid()), "KILL");
    daemon.wait_for_log("(terminated by SIGKILL; not expected)");
    assert!(support::proc::is_alive(daemon.pid()));
}

/// PROC-051: no process is left for its user.
#[test]
fn no_processes_left() {
    if !only_root() || upstream_differs("it is not copied") {
        return;
    }
    let programs: String =
        (0..3).map(|number| format!("[program:p{number}]\ncommand=sleep 1000\nstartsecs=0\n")).collect();
    let setup = Setup::new(&format!("{}{programs}", with("minprocs=1")));
    let copied = Command::new("cp").arg(supervisord()).arg(setup.path().join("sd")).status();
    assert!(copied.expect("cp").success());
    for_all(&setup);
    // A user of the test's own, since all processes of a user count.
    let user = format!("{}", 40_000 + std::process::id() % 10_000);
    let ids = [format!("--reuid={user}"), format!("--regid={user}")];
    let words = [
        "prlimit",
        "--nproc=2",
        "setpriv",
        &ids[0],
        &ids[1],
        "--clear-groups",
        "sh",
        "-c",
        "shift; exec ./sd \"$@\"",
        "sh",
    ];
    let daemon = setup.through(&words).start();
    daemon.wait_for_log("INFO spawnerr: Too many processes in process table to spawn 'p");
    daemon.wait_for_log("INFO success: p0 entered RUNNING state");
    assert_eq!(daemon.info("p2").text("spawnerr"), "Too many processes in process table to spawn 'p2'");
    // There is room again.
    daemon.call("supervisor.stopProcess", &["p0".into()]);
    let runs = |name: &str| daemon.info(name).state() == "RUNNING";
    wait_until("one of the others to run", 20, || runs("p1") || runs("p2"));
}
