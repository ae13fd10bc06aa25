//! The start of the daemon: its account, limits, files and addresses, and what it says when one of them can't be had.

mod support;

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::Command;

use majordomo::base::value::Value;
use support::daemon::{Daemon, Setup};
use support::http::{Address, Client};
use support::{QUIET, SERVERS, proc, upstream, upstream_differs, xmlrpc};

/// What `id` prints.
fn id(words: &[&str]) -> String {
    let output = Command::new("id").args(words).output().expect("id");
    String::from_utf8(output.stdout).expect("text").trim().to_string()
}

fn is_root() -> bool {
    id(&["-u"]) == "0"
}

/// Says that a part of a test needs root.
fn only_root() -> bool {
    if !is_root() {
        println!("left out: only root can do this");
    }
    is_root()
}

/// More lines for `[supervisord]`.
fn with(lines: &str) -> String {
    QUIET.replace("[supervisord]\n", &format!("[supervisord]\n{lines}\n"))
}

/// `user=nobody` where somebody can be become, so that limits hold.
fn powerless() -> &'static str {
    if is_root() { "user=nobody" } else { "" }
}

/// The message of a daemon that must refuse to start.
fn refusal(setup: &Setup) -> String {
    let (status, output, errors) = setup.run();
    assert!(status == Some(2) && !output.contains("Error"), "{status:?} {errors}");
    assert!(errors.starts_with("Error: ") && errors.ends_with(" -h\n") && errors.lines().count() == 2, "{errors}");
    let left = ["supervisord.pid", "supervisor.sock"].into_iter().find(|name| setup.path().join(name).exists());
    // The published program leaves a socket that it couldn't give away.
    assert!(left.is_none() || (upstream() && left == Some("supervisor.sock")), "{left:?}");
    errors.lines().next().expect("a line")["Error: ".len()..].to_string()
}

/// The limits of a process, soft and hard, as /proc tells them.
fn limits(pid: i64, name: &str) -> (String, String) {
    let text = std::fs::read_to_string(format!("/proc/{pid}/limits")).expect("limits");
    let line = text.lines().find_map(|line| line.strip_prefix(name)).expect("that limit");
    let mut words = line.split_whitespace().map(str::to_string);
    (words.next().expect("a soft limit"), words.next().expect("a hard limit"))
}

/// Started with limits that the words of `ulimit` set.
fn limited(setup: Setup, limits: &str) -> Setup {
    setup.through(&["bash", "-c", &format!("{limits}; exec \"$@\""), "bash"])
}

/// CFG-180, LOG-025: the soft limits are raised to what is asked for, and never lowered.
#[test]
fn limits_are_raised() {
    let setup = limited(Setup::new(&with("minfds=600\nminprocs=3000")), "ulimit -Sn 500; ulimit -Su 2000");
    let daemon = setup.start();
    daemon.wait_for_log("INFO Increased RLIMIT_NOFILE limit to 600");
    daemon.wait_for_log("INFO Increased RLIMIT_NPROC limit to 3000");
    assert_eq!(limits(daemon.pid(), "Max open files").0, "600");
    assert_eq!(limits(daemon.pid(), "Max processes").0, "3000");

    let daemon = limited(Setup::new(&with("minfds=400\nminprocs=100")), "ulimit -Sn 500; ulimit -Su 2000").start();
    daemon.wait_for_log("INFO supervisord started");
    assert!(!daemon.log().contains("Increased"), "{}", daemon.log());
    assert_eq!(limits(daemon.pid(), "Max open files").0, "500");
    assert_eq!(limits(daemon.pid(), "Max processes").0, "2000");
}

/// CFG-180, BUG-072, CFG-181: a limit that can't be raised is told with the real hard limit, after the change of user
/// and before there is a log.
#[test]
fn limits_that_cannot_be_raised() {
    for (key, lower, what) in [
        ("minfds", "ulimit -n 777", "The minimum number of file descriptors required to run this process is 7000"),
        ("minprocs", "ulimit -u 777", "The minimum number of available processes required to run this program is 7000"),
    ] {
        let setup = limited(Setup::new(&with(&format!("{}\n{key}=7000", powerless()))), lower);
        let text = refusal(&setup);
        assert!(text.starts_with(what), "{text}");
        assert!(
            text.contains(&format!("as per the \"{key}\" command-line argument or config file setting.")),
            "{text}"
        );
        assert!(text.contains("777") || upstream_differs("BUG-072"), "{text}");
        assert!(!setup.path().join("supervisord.log").exists());
    }
}

/// CFG-178, CFG-181, BUG-069: a main log that can't be opened; the servers are not reached.
#[test]
fn the_log_cannot_be_opened() {
    if upstream_differs("BUG-069: a traceback and status 1") {
        return;
    }
    let setup = Setup::new(&QUIET.replace("%(here)s/supervisord.log", "%(here)s/tmp"));
    let text = refusal(&setup);
    let wanted = format!("could not open log file {}: ", setup.path().join("tmp").display());
    assert!(text.starts_with(&wanted), "{text}");
}

/// CFG-181: the log is open, and old logs are cleared, when a server turns out to be impossible.
#[test]
fn the_log_comes_before_the_servers() {
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let port = taken.local_addr().expect("its address").port();
    let setup = Setup::new(&format!("{QUIET}[inet_http_server]\nport=127.0.0.1:{port}\n[program:x]\ncommand=true\n"));
    let old = setup.path().join("old-stdout---supervisor-abcdefgh.log");
    std::fs::write(&old, "old").expect("a file");
    let text = refusal(&setup);
    assert!(text.starts_with("Another program is already listening on a port"), "{text}");
    assert!(setup.path().join("supervisord.log").exists());
    assert!(!old.exists(), "CFG-181: cleared before the servers");
    assert!(!std::fs::read_to_string(setup.path().join("supervisord.log")).expect("the log").contains("spawned"));
}

/// CFG-179, LOG-027, LOG-082: without a pid file it runs all the same.
#[test]
fn the_pid_file_cannot_be_written() {
    let daemon = Daemon::start(&QUIET.replace("%(here)s/supervisord.pid", "%(here)s/tmp"));
    daemon.wait_for_log(&format!("CRIT could not write pidfile {}\n", daemon.file("tmp").display()));
    if !upstream() {
        let reason = format!("WARN running with pid {} and without a pidfile: [Errno 21] Is a directory", daemon.pid());
        daemon.wait_for_log(&reason);
    }
    assert!(!daemon.log().contains("supervisord started with pid"), "LOG-027");
    assert_eq!(daemon.call("supervisor.getPID", &[]), Value::Int(daemon.pid()));
}

/// CFG-182, CFG-183: the account and its groups, before anything is made; nothing is said of root then.
#[test]
fn another_user() {
    if !only_root() {
        return;
    }
    let setup = Setup::new(&with("user=nobody"));
    std::fs::set_permissions(setup.path(), std::fs::Permissions::from_mode(0o777)).expect("a folder for all");
    let daemon = setup.start();
    let [uid, gid, groups] = ["-u", "-g", "-G"].map(|option| id(&[option, "nobody"]));
    daemon.wait_for_log(&format!("INFO Set uid to user {uid} succeeded"));
    daemon.wait_for_log("INFO supervisord started");
    for (key, wanted) in [("Uid", &uid), ("Gid", &gid)] {
        let all = proc::status(daemon.pid(), key).expect("ids");
        assert!(all.split_whitespace().all(|one| one == wanted), "{key} {all}");
    }
    assert_eq!(proc::status(daemon.pid(), "Groups").as_deref(), Some(groups.as_str()));
    for name in ["supervisord.log", "supervisord.pid", "supervisor.sock"] {
        let owner = std::fs::metadata(daemon.file(name)).expect(name).uid();
        assert_eq!(owner.to_string(), uid, "{name}");
    }
    assert!(!daemon.log().contains("running as root"), "{}", daemon.log());
}

/// CFG-182: the user it is already; CFG-183: root, and nobody said so.
#[test]
fn the_same_user() {
    let setup = Setup::new(&with(&format!("user={}", id(&["-un"]))));
    let daemon = setup.start();
    daemon.wait_for_log(&format!("INFO Set uid to user {} succeeded", id(&["-u"])));
    daemon.wait_for_log("INFO supervisord started");
    assert!(!daemon.log().contains("Supervisor is running as root"));
    let daemon = Daemon::start(QUIET);
    daemon.wait_for_log("INFO supervisord started");
    let told = "CRIT Supervisor is running as root.  Privileges were not dropped because no user is specified in the \
                config file.";
    assert_eq!(daemon.messages().iter().filter(|line| line.starts_with(told)).count(), usize::from(is_root()));
    assert!(!daemon.log().contains("Set uid"));
}

/// CFG-182: what stands in the way of another user.
#[test]
fn another_user_is_refused() {
    let nonroot = "Can't drop privilege as nonroot user";
    if !is_root() {
        assert!(refusal(&Setup::new(&with("user=root"))).starts_with(nonroot));
        return;
    }
    // Root without the right to change groups.
    let setup = Setup::new(&with("user=nobody")).through(&["setpriv", "--bounding-set=-setgid"]);
    assert!(refusal(&setup).starts_with("Could not set groups of effective user"));
    if upstream_differs("its program can't be copied") {
        return;
    }
    // Another user may not be able to run the program where it is.
    let setup = Setup::new(&with("user=root"));
    let copy = setup.path().join("supervisord");
    // By another program: a descriptor of ours to write it with could be in some other test's child, and keep the copy
    // from being run.
    let copied = Command::new("cp").arg(support::supervisord()).arg(&copy).status();
    assert!(copied.expect("cp").success());
    std::fs::set_permissions(setup.path(), std::fs::Permissions::from_mode(0o777)).expect("a folder for all");
    let mut command = Command::new("setpriv");
    command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups"]).arg(copy).args(["-n", "-c", "sd.conf"]);
    let done = command.current_dir(setup.path()).output().expect("setpriv");
    let errors = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(2));
    assert!(errors.starts_with(&format!("Error: {nonroot}\n")), "{errors}");
    assert!(!setup.path().join("supervisord.log").exists(), "CFG-181: before the log");
}

/// CFG-177: a socket that can't be given away.
#[test]
fn the_socket_cannot_be_given_away() {
    let config = with(powerless()).replace("[unix_http_server]\n", "[unix_http_server]\nchown=root:root\n");
    let setup = Setup::new(&config);
    std::fs::set_permissions(setup.path(), std::fs::Permissions::from_mode(0o777)).expect("a folder for all");
    let text = refusal(&setup);
    let socket = setup.path().join("supervisor.sock");
    let wanted = format!("Not permitted to chown {} to uid/gid (0, 0);", socket.display());
    assert!(text.starts_with(&wanted), "{text}");
}

/// CFG-184, CFG-033, LOG-025, LOG-026: what was found while parsing is logged first, the severest first; each stranger once, with what
/// may have been meant.
#[test]
fn what_parsing_found_is_logged() {
    let config = format!(
        "{}[programm:y]\n[include]\nfiles=no.* more.conf\n[program:x]\ncommand=true\nautostart=false\n\
         redirect_stderr=true\nstderr_logfile=%(here)s/x.err\ncomand=x\n",
        with("logfil=x")
    );
    let daemon = Setup::new(&config).file("more.conf", "[supervisord]\nidentifier=more\n").start();
    daemon.wait_for_log("INFO supervisord started");
    let messages = daemon.messages();
    let found = messages.iter().take_while(|line| !line.contains("RPC interface"));
    let ranks: Vec<_> =
        found.map(|line| ["CRIT", "WARN", "INFO"].iter().position(|level| line.starts_with(level))).collect();
    assert!(ranks.is_sorted() && ranks.contains(&Some(1)) && ranks.last() == Some(&Some(2)), "{messages:?}");
    let lines = |text: &str| daemon.messages().iter().filter(|line| line.contains(text)).count();
    assert_eq!(lines("INFO Included extra file \""), 1);
    assert_eq!(lines("WARN No file matches via include \""), 1);
    assert_eq!(lines("WARN For [program:x], redirect_stderr=true but stderr_logfile has also been set"), 1);
    if !upstream_differs("CFG-033: ignores them without a word") {
        let file = daemon.config().display().to_string();
        let line = |text: &str| config.lines().position(|line| line == text).expect(text) + 1;
        for (at, text) in [
            ("logfil=x", "unknown key 'logfil' in section [supervisord] is ignored; did you mean 'logfile'?"),
            ("[programm:y]", "unknown section [programm:y] is ignored; did you mean [program:y]?"),
            ("comand=x", "unknown key 'comand' in section [program:x] is ignored; did you mean 'command'?"),
        ] {
            assert_eq!(lines(&format!("WARN {file}:{}: {text}", line(at))), 1, "{text}\n{}", daemon.log());
            assert_eq!(lines(text), 1);
        }
    }
}

/// CFG-160, CFG-075, HTTP-001: several servers, also on IPv6, each with its own password.
#[test]
fn several_servers() {
    if upstream_differs("no IPv6, one server of each kind") {
        return;
    }
    if std::net::TcpListener::bind(("::1", 0)).is_err() {
        println!("left out: this machine has no IPv6");
        return;
    }
    let more = "[inet_http_server:six]\nport=[::1]:@SPARE@\n[unix_http_server:second]\nfile=%(here)s/second.sock\n\
                chmod=0777\nusername=u\npassword=p\n";
    let mut daemon = Daemon::start(&format!("{SERVERS}{more}"));
    let spare = daemon.spare_port();
    let ask = |address: &Address| {
        let reply = Client::connect(address).expect("a connection").ask(&xmlrpc::request("supervisor.getPID", &[]));
        reply.map(|reply| (reply.status, xmlrpc::response(&reply.body).ok())).expect("an answer")
    };
    let six = Address::Inet(std::net::SocketAddr::from((std::net::Ipv6Addr::LOCALHOST, spare)));
    let fine = (200, Some(Value::Int(daemon.pid())));
    for address in daemon.addresses().iter().chain([&six]) {
        assert_eq!(ask(address), fine, "{address:?}");
    }
    let mut second = Client::connect(&Address::file(&daemon.file("second.sock"))).expect("a connection");
    let reply = second.ask(&xmlrpc::request("supervisor.getPID", &[])).expect("an answer");
    assert_eq!(reply.status, 401);
    assert_eq!(std::fs::metadata(daemon.file("second.sock")).expect("the socket").permissions().mode() & 0o777, 0o777);
    // Of these two the first tells that nobody asks for a password, the second does not.
    let open = |section: &str| format!("CRIT Server '{section}' running without any HTTP authentication checking");
    assert!(daemon.log().contains(&open("inet_http_server")), "{}", daemon.log());
    assert!(!daemon.log().contains(&open("unix_http_server:second")));
    // CFG-176, IPv6 too.
    let other = QUIET.replace("[supervisord]\n", &format!("[inet_http_server]\nport=[::1]:{spare}\n[supervisord]\n"));
    assert!(refusal(&Setup::new(&other)).starts_with("Another program is already listening on a port"));
    daemon.signal("TERM");
    assert_eq!(daemon.wait_for_exit().code(), Some(0));
    assert!(!daemon.file("second.sock").exists());
}
