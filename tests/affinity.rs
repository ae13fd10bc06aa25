//! `cpu_affinity`: where the daemon and its programs run.

mod support;

use majordomo::base::cpus::{Cpus, MOST};
use majordomo::base::value::Value;
use support::daemon::{Daemon, Setup};
use support::{QUIET, proc, upstream_differs, wait_until};

/// The processors that this test may use, by number.
fn usable() -> Vec<usize> {
    let own = allowed(i64::from(std::process::id()));
    let own = Cpus::parse(&own).expect("processors");
    (0..MOST).filter(|cpu| own.has(*cpu)).collect()
}

/// As the kernel has them.
fn allowed(pid: i64) -> String {
    proc::status(pid, "Cpus_allowed_list").expect("a status").trim().to_string()
}

fn with(own: &str) -> String {
    QUIET.replace("[supervisord]\n", &format!("[supervisord]\n{own}\n"))
}

fn program(name: &str, settings: &str) -> String {
    format!("[program:{name}]\ncommand=sleep 1000\nstartsecs=0\n{settings}\n")
}

/// Where a program runs, once it is one.
fn of(daemon: &Daemon, name: &str) -> String {
    let pid = daemon.wait_for_state(name, "RUNNING").pid();
    wait_until("the program", 20, || proc::status(pid, "Name").is_some_and(|name| name == "sleep"));
    allowed(pid)
}

fn reload(daemon: &Daemon, round: usize) {
    daemon.signal("HUP");
    wait_until("the new start", 20, || daemon.log().matches("supervisord started").count() == round);
    wait_until("its server", 20, || support::http::Client::connect(daemon.address()).is_ok());
}

/// The daemon's processors are those of its programs, unless they have their own. A reload takes that up, also that there
/// is nothing of it any more.
#[test]
fn who_runs_where() {
    if upstream_differs("has no cpu_affinity") {
        return;
    }
    let before = allowed(i64::from(std::process::id()));
    let usable = usable();
    let (first, last) = (usable[0], usable[usable.len() - 1]);
    let programs = program("plain", "") + &program("own", &format!("cpu_affinity={last}"));
    let programs = programs + &program("all", "cpu_affinity = 0-8191");
    let mut daemon = Daemon::start(&(with(&format!("cpu_affinity={first}")) + &programs));
    let pid = daemon.pid();
    assert_eq!(of(&daemon, "plain"), first.to_string());
    assert_eq!(allowed(pid), first.to_string());
    assert_eq!(of(&daemon, "own"), last.to_string());
    assert_eq!(of(&daemon, "all"), before);

    daemon.configure(&(with(&format!("cpu_affinity={last}")) + &programs));
    reload(&daemon, 2);
    assert_eq!((allowed(pid), of(&daemon, "plain")), (last.to_string(), last.to_string()));

    daemon.configure(&(QUIET.to_string() + &programs));
    reload(&daemon, 3);
    assert_eq!((allowed(pid), of(&daemon, "plain")), (before.clone(), before));
    assert_eq!(of(&daemon, "own"), last.to_string());
}

/// A processor for each process of a program, and one for what twiddler adds.
#[test]
fn one_for_each() {
    if upstream_differs("has no cpu_affinity") {
        return;
    }
    let usable = usable();
    let (first, count) = (usable[0], usable.iter().zip(usable[0]..).take_while(|(one, next)| *one == next).count());
    let many = program(
        "many",
        &format!(
            "numprocs={count}\nnumprocs_start={first}\nprocess_name=n%(process_num)d\ncpu_affinity=%(process_num)d"
        ),
    );
    let twiddler = "[rpcinterface:twiddler]\n\
                    supervisor.rpcinterface_factory=supervisor_twiddler.rpcinterface:make_twiddler_rpcinterface\n";
    let daemon = Daemon::start(&format!("{QUIET}{twiddler}{many}"));
    for number in first..first + count {
        assert_eq!(of(&daemon, &format!("many:n{number}")), number.to_string());
    }
    let options = support::xmlrpc::members(&[
        ("command", "sleep 1000".into()),
        ("startsecs", "0".into()),
        ("cpu_affinity", first.to_string().as_str().into()),
    ]);
    daemon.call("twiddler.addProgramToGroup", &["many".into(), "more".into(), options]);
    assert_eq!(of(&daemon, "many:more"), first.to_string());
}

/// Processors that are not there: the daemon stays where it is and says so, a program doesn't start and says so, and
/// `--check` tells of both before.
#[test]
fn processors_that_are_not_there() {
    if upstream_differs("has no cpu_affinity") {
        return;
    }
    let log = "startretries=0\nstderr_logfile=%(here)s/err";
    let lost = program("lost", &format!("cpu_affinity=1000,8191\n{log}")).replace("startsecs=0", "startsecs=1");
    let config = with("cpu_affinity=1001") + &lost + &program("plain", "");
    let (status, output, errors) = Setup::new(&config).args(&["--check"]).run();
    let told = output + &errors;
    assert_eq!(status, Some(0), "{told}");
    for line in [
        "supervisord could not move to processors 1001: none of them may be used here",
        "lost could not move to processors 1000,8191: none of them may be used here",
    ] {
        assert!(told.contains(line), "{told}");
    }
    let daemon = Daemon::start(&config);
    let before = allowed(i64::from(std::process::id()));
    daemon.wait_for_log("CRIT could not move to processors 1001: none of them may be used here\n");
    assert_eq!((allowed(daemon.pid()), of(&daemon, "plain")), (before.clone(), before));
    daemon.wait_for_state("lost", "FATAL");
    let reason = "supervisor: couldn't move to processors 1000,8191: EINVAL\n";
    assert_eq!(daemon.text("err"), format!("{reason}supervisor: child process was not spawned\n"));
}

/// What is wrong is named with file, line and key; what has changed is a change.
#[test]
fn the_key_is_read_as_others_are() {
    if upstream_differs("has no cpu_affinity") {
        return;
    }
    let (status, _, errors) = Setup::new(&(with("cpu_affinity=3-1"))).run();
    assert_eq!(status, Some(2));
    assert!(errors.contains("'3-1' names no processors, such as 1 or 0,2-3, from 0 to 8191"), "{errors}");
    let first = usable()[0];
    let mut daemon = Daemon::start(&(QUIET.to_string() + &program("p", "")));
    daemon.configure(&(QUIET.to_string() + &program("p", &format!("cpu_affinity={first}"))));
    let changes = daemon.call("supervisor.reloadConfig", &[]);
    let list = |names: &[&str]| Value::Array(names.iter().map(|name| Value::str(*name)).collect());
    assert_eq!(changes, Value::Array(vec![Value::Array(vec![list(&[]), list(&["p"]), list(&[])])]));
}
