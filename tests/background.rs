//! The daemon in the background, as a system's start scripts run it.

mod support;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use majordomo::base::value::Value;
use support::daemon::Setup;
use support::http::{Address, Client};
use support::{QUIET, proc, upstream, wait_until};

fn call(socket: &Path, method: &str) -> Value {
    let mut client = Client::connect(&Address::file(socket)).expect("a connection");
    let reply = client.ask(&support::xmlrpc::request(method, &[])).expect("an answer");
    support::xmlrpc::response(&reply.body).expect("a value")
}

/// LOG-015, LOG-021, LOG-022, LOG-080, LOG-081, LOG-083, LOG-084, HTTP-157, CFG-105, CFG-106, CFG-113, BUG-078.
#[test]
fn it_serves_before_its_parent_exits() {
    let config = QUIET.replace("[supervisord]\n", "[supervisord]\ndirectory=/usr\numask=027\n");
    let program = "[program:show]\ncommand=/bin/sh -c 'pwd; umask'\nstartsecs=0\nautorestart=false\nstdout_logfile=%(here)s/out\n";
    let setup = Setup::new(&format!("{config}{program}"));
    let folder = setup.path().to_path_buf();
    let _guard = setup.guard();
    let done = setup.background_command().output().expect("the daemon");
    assert_eq!((done.status.code(), done.stderr.as_slice()), (Some(0), b"".as_slice()));

    let socket = folder.join("supervisor.sock");
    let Value::Int(pid) = call(&socket, "supervisor.getPID") else { panic!("no pid") };
    let pid_file = folder.join("supervisord.pid");
    if upstream() {
        wait_until("the pid file", 20, || pid_file.exists());
    }
    assert_eq!(std::fs::read_to_string(&pid_file).expect("the pid file"), format!("{pid}\n"));
    assert_eq!(std::fs::metadata(&pid_file).expect("the pid file").permissions().mode() & 0o777, 0o640);

    let stat = proc::stat(pid).expect("the daemon");
    assert_eq!((stat[2].parse(), stat[3].parse()), (Ok(pid), Ok(pid)), "leads a group and has left the terminal");
    for (number, target) in proc::descriptors(pid).into_iter().filter(|(number, _)| *number < 3) {
        assert_eq!(target, Path::new("/dev/null"), "descriptor {number}");
    }
    wait_until("the program's output", 20, || folder.join("out").exists());
    wait_until("all of it", 20, || {
        std::fs::read_to_string(folder.join("out")).is_ok_and(|text| text == "/usr\n0027\n")
    });
    let log = std::fs::read_to_string(folder.join("supervisord.log")).expect("the log");
    for line in ["INFO daemonizing the supervisord process", "INFO set current directory: '/usr'"] {
        assert!(log.contains(line), "{log}");
    }
    proc::send(&[pid], "TERM");
    wait_until("its end", 20, || !proc::is_alive(pid));
    assert!(!pid_file.exists() && !socket.exists());
}
