//! Children that print much, and starts and stops without number: nothing is lost, nobody waits, nothing stays.

mod support;

use std::time::{Duration, Instant};

use majordomo::base::value::Value;
use support::daemon::{Daemon, Setup};
use support::{QUIET, SERVERS, proc, upstream_differs, wait_until, xmlrpc};

/// Writes numbered lines of 4 KiB, then what its stdout's pipe can hold into a file.
const FLOOD: &str = "\
import fcntl, os, sys
for number in range(int(sys.argv[1])):
    line = b'%020d' % number + b'a' * 4075 + b'\\n'
    while line:
        line = line[os.write(1, line):]
with open(sys.argv[2] + '.part', 'w') as file:
    file.write(str(fcntl.fcntl(1, 1032)))
os.rename(sys.argv[2] + '.part', sys.argv[2])
";

fn flood(setup: Setup) -> Setup {
    setup.file("flood.py", FLOOD)
}

/// PROC-100, LOG-070, LOG-071: a rotated log has every line in its place; the pipe of a child that floods, and of no
/// other, has been given more room.
#[test]
fn a_flood_through_a_rotated_log() {
    const LINES: usize = 16 * 1024;
    let config = format!(
        "{QUIET}[program:flood]\ncommand=python3 flood.py {LINES} size\nstartsecs=0\nautorestart=false
stdout_logfile=%(here)s/flood.log\nstdout_logfile_maxbytes=1MB\nstdout_logfile_backups=100
[program:calm]\ncommand=python3 flood.py 3 calm\nstartsecs=0\nautorestart=false\n"
    );
    let daemon = flood(Setup::new(&config)).start();
    daemon.wait_for_state("flood", "EXITED");
    daemon.wait_for_state("calm", "EXITED");
    let mut all = Vec::new();
    for backup in (0..=100).rev() {
        let name = if backup == 0 { "flood.log".to_string() } else { format!("flood.log.{backup}") };
        let bytes = std::fs::read(daemon.file(&name)).unwrap_or_default();
        // A chunk is never split: a file may be that much longer (LOG-070).
        assert!(bytes.len() < 1024 * 1024 + 128 * 1024, "{name} has {} bytes", bytes.len());
        all.extend(bytes);
    }
    assert_eq!(all.len(), LINES * 4096);
    for (number, line) in all.chunks(4096).enumerate() {
        assert!(line.starts_with(format!("{number:020}a").as_bytes()) && line.ends_with(b"a\n"), "line {number}");
    }
    if !upstream_differs("leaves pipes as they are") {
        assert_eq!(daemon.text("size"), (256 * 1024).to_string());
    }
    assert_eq!(daemon.text("calm"), (64 * 1024).to_string());
}

/// PROC-103: who floods delays neither another child's line nor an RPC.
#[test]
fn a_flood_delays_nobody() {
    let config = format!(
        "{SERVERS}[program:flood]\ncommand=python3 flood.py 1000000000 size\nstartsecs=0\nnumprocs=3
process_name=%(process_num)d\nstdout_logfile=%(here)s/flood%(process_num)d.log\nstdout_logfile_maxbytes=1MB
stdout_logfile_backups=1
[program:echo]\ncommand=cat\nstartsecs=0\nstdout_logfile=%(here)s/echo.log\n"
    );
    let daemon = flood(Setup::new(&config)).start();
    for number in 0..3 {
        wait_until("a flood", 20, || daemon.file(&format!("flood{number}.log.1")).exists());
    }
    daemon.wait_for_state("echo", "RUNNING");
    // Floods without end, and a machine that others use: generous, but an unfair loop would never get here.
    let deadline = Instant::now() + Duration::from_secs(30);
    let mut wanted = String::new();
    for number in 0..50 {
        let line = format!("line {number}\n");
        wanted.push_str(&line);
        daemon.call("supervisor.sendProcessStdin", &["echo".into(), line.into()]);
        wait_until("the line", 10, || daemon.text("echo.log") == wanted);
    }
    assert!(Instant::now() < deadline);
}

/// LOG-042, PROC-052, PROC-068: starts and stops leave no descriptor behind, whatever way the child ends.
#[test]
fn many_starts_and_stops_leave_nothing_open() {
    let config = format!(
        "{SERVERS}[program:stopped]\ncommand=sleep 1000\nautostart=false\nstartsecs=0\nstopsignal=KILL
[program:ended]\ncommand=true\nautostart=false\nautorestart=false\nstartsecs=0\nstartretries=0
[program:missing]\ncommand=/nowhere\nautostart=false\nstartretries=0
[program:pipeless]\ncommand=sleep 1000\nautostart=false\nstartsecs=0\nstopsignal=KILL\nredirect_stderr=true\n"
    );
    let daemon = Daemon::start(&config);
    let request = |method: &str, name: &str| xmlrpc::request(method, &[name.into()]);
    let cycle = |times: usize| {
        let mut client = daemon.connect();
        for _ in 0..times {
            for name in ["stopped", "ended", "missing", "pipeless"] {
                client.ask(&request("supervisor.startProcess", name)).expect("an answer");
                client.ask(&request("supervisor.stopProcess", name)).expect("an answer");
            }
        }
    };
    let open = || proc::descriptors(daemon.pid());
    cycle(3);
    let mut before = open();
    // The client's own connection goes a moment later.
    wait_until("a quiet daemon", 20, || {
        std::thread::sleep(Duration::from_millis(50));
        let last = std::mem::replace(&mut before, open());
        last == before
    });
    cycle(100);
    wait_until("the same descriptors as before", 20, || open() == before);
    assert!(proc::children(daemon.pid()).is_empty());
}

/// PROC-052: descriptors that run out fail a start, and nothing else; what was open for it is closed again.
#[test]
fn a_start_without_descriptors() {
    if upstream_differs("leaks some of them") {
        return;
    }
    let many = "[program:many]\ncommand=sleep 1000\nprocess_name=%(process_num)d\nnumprocs=40\nstartsecs=0
startretries=0\nautostart=false\n";
    let config = format!("{}{many}", QUIET.replace("[supervisord]\n", "[supervisord]\nminfds=64\n"));
    let daemon = Setup::new(&config).through(&["sh", "-c", "ulimit -n 64; exec \"$@\"", "sh"]).start();
    daemon.call("supervisor.startProcessGroup", &["many".into(), Value::Bool(false)]);
    daemon.wait_for_log("too many open files to spawn");
    let states = |state: &str| (0..40).filter(|number| daemon.info(&format!("many:{number}")).state() == state).count();
    wait_until("all to be decided", 20, || states("RUNNING") + states("FATAL") == 40);
    let running = states("RUNNING");
    assert!(running > 3 && running < 20, "{running} run");
    // Those that stop make room again.
    daemon.call("supervisor.stopProcessGroup", &["many".into()]);
    assert_eq!(daemon.call("supervisor.startProcess", &["many:39".into()]), Value::Bool(true));
}
