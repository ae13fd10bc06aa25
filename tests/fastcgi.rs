//! FastCGI programs: one listening socket for all processes of a program, there while one of them runs.

mod support;

use std::io::Read;
use std::net::TcpStream;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;

use majordomo::base::value::Value;
use support::daemon::{Daemon, Setup};
use support::{QUIET, proc, upstream_differs, wait_for, wait_until};

/// Serves at descriptor 0: tells each client who serves it and what the descriptor is. The file `end` ends it.
const SERVER: &str = "\
import os, socket, sys
listening = socket.socket(fileno=0)
print(os.environ['SUPERVISOR_PROCESS_NAME'], listening.getsockname(), flush=True)
while True:
    client, _ = listening.accept()
    if os.path.exists(sys.argv[1]):
        os._exit(3)
    client.sendall(b'%d' % os.getpid())
    client.close()
";

fn served_by(mut stream: impl Read) -> Option<i64> {
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    text.parse().ok()
}

fn at_port(daemon: &Daemon) -> Option<i64> {
    served_by(TcpStream::connect(("127.0.0.1", daemon.spare_port())).ok()?)
}

fn setup(programs: &str) -> Setup {
    Setup::new(&format!("{QUIET}{programs}")).file("server.py", SERVER)
}

/// How often a line of the main log has come.
fn count(daemon: &Daemon, line: &str) -> usize {
    daemon.messages().iter().filter(|message| *message == line).count()
}

/// PROC-130, PROC-131, PROC-132, PROC-092, PROC-133.
#[test]
fn processes_of_a_program_share_a_tcp_socket() {
    let daemon = setup(
        "[fcgi-program:pool]
command=python3 server.py end
socket=tcp://LocalHost:@SPARE@
numprocs=2
process_name=%(process_num)d
autostart=false
startsecs=0
",
    )
    .start();
    let url = format!("tcp://localhost:{}", daemon.spare_port());
    let (creating, closing) = (format!("INFO Creating socket {url}"), format!("INFO Closing socket {url}"));
    // The probe.
    assert_eq!((count(&daemon, &creating), count(&daemon, &closing)), (1, 1));
    assert_eq!(at_port(&daemon), None, "nobody listens before the first start");

    daemon.call("supervisor.startProcessGroup", &["pool".into()]);
    assert_eq!((count(&daemon, &creating), count(&daemon, &closing)), (2, 1), "one socket for both");
    let pids: Vec<i64> = ["pool:0", "pool:1"].map(|name| daemon.info(name).pid()).into();
    let mut served = std::collections::BTreeSet::new();
    wait_until("both to serve", 20, || {
        served.extend(at_port(&daemon));
        served.len() == 2
    });
    assert!(served.iter().all(|pid| pids.contains(pid)), "{served:?} {pids:?}");
    let (code, _) = daemon.fault("supervisor.sendProcessStdin", &["pool:0".into(), "text".into()]);
    assert_eq!(code, 20, "PROC-092: NO_FILE");
    let (number, what) = &proc::descriptors(pids[0])[0];
    assert!(*number == 0 && what.to_string_lossy().starts_with("socket:"), "{number}: {what:?}");

    // The socket lives on while one has it, and connections that wait are served by whoever is left.
    daemon.call("supervisor.stopProcess", &["pool:0".into()]);
    assert_eq!(count(&daemon, &closing), 1);
    assert_eq!(at_port(&daemon), Some(pids[1]));
    daemon.call("supervisor.stopProcess", &["pool:1".into()]);
    assert_eq!((count(&daemon, &creating), count(&daemon, &closing)), (2, 2));
    assert_eq!(at_port(&daemon), None);

    // And comes back.
    daemon.call("supervisor.startProcess", &["pool:1".into()]);
    assert_eq!(wait_for("an answer", 20, || at_port(&daemon)), daemon.info("pool:1").pid());
    assert_eq!(count(&daemon, &creating), 3);
}

/// PROC-133: a unix socket with owner and mode; its file stays.
#[test]
fn a_unix_socket_with_its_mode() {
    let daemon = setup(
        "[fcgi-program:one]
command=python3 server.py end
socket=unix://%(here)s/one.sock
socket_mode=0620
startsecs=0
",
    )
    .file("one.sock", "a file in the way")
    .start();
    let path = daemon.file("one.sock");
    let served = || served_by(UnixStream::connect(&path).ok()?);
    assert_eq!(wait_for("an answer", 20, served), daemon.info("one").pid());
    let meta = std::fs::metadata(&path).expect("the socket");
    assert!(meta.file_type().is_socket());
    assert_eq!(meta.permissions().mode() & 0o777, 0o620);
    assert_eq!(meta.uid(), std::fs::metadata(daemon.path()).expect("the folder").uid());
    daemon.call("supervisor.stopProcess", &["one".into()]);
    daemon.wait_for_log(&format!("Closing socket unix://{}", path.display()));
    assert!(UnixStream::connect(&path).is_err());
    assert!(std::fs::metadata(&path).is_ok(), "the file is left behind");
}

/// BUG-060: a reload that would need a socket that somebody else has is refused before anything is stopped; one that
/// is ours already is no obstacle.
#[test]
fn a_reload_without_its_socket() {
    if upstream_differs("BUG-060") {
        return;
    }
    let program = "[fcgi-program:web]\ncommand=python3 server.py end\nsocket=tcp://localhost:@SPARE@\nstartsecs=0\n";
    let mut daemon = setup("[program:steady]\ncommand=sleep 1000\nstartsecs=0\n").start();
    let child = daemon.wait_for_state("steady", "RUNNING").pid();
    let taken = std::net::TcpListener::bind(("127.0.0.1", daemon.spare_port())).expect("the port");
    daemon.configure(&format!("{QUIET}{program}"));
    daemon.signal("HUP");
    daemon.wait_for_log("CRIT cannot reload: Could not create FastCGI socket tcp://localhost:");
    assert_eq!(daemon.info("steady").pid(), child);
    drop(taken);
    daemon.signal("HUP");
    let first = wait_for("an answer", 20, || at_port(&daemon));
    daemon.signal("HUP");
    let second = wait_for("another", 20, || at_port(&daemon).filter(|pid| *pid != first));
    assert_eq!(daemon.info("web").pid(), second);
}

/// PROC-134: the length of the queue of connections, as ss(8) and /proc/net show it: here by its effect.
#[test]
fn proc_134_backlog() {
    let daemon = setup(
        "[fcgi-program:slow]
command=sleep 1000
socket=unix://%(here)s/slow.sock
socket_backlog=1
startsecs=0
",
    )
    .start();
    daemon.wait_for_state("slow", "RUNNING");
    let script = "import socket,sys
n=0
held=[]
try:
    for _ in range(50):
        s=socket.socket(socket.AF_UNIX); s.setblocking(False); s.connect(sys.argv[1]); held.append(s); n+=1
except BlockingIOError: pass
print(n)";
    let out = std::process::Command::new("python3").args(["-c", script]).arg(daemon.file("slow.sock")).output();
    assert_eq!(String::from_utf8_lossy(&out.expect("python3").stdout).trim(), "2", "backlog + 1, as Linux counts");
}

/// PROC-135, BUG-042: a program keeps its socket in a [group:x]; other members have none.
#[test]
fn a_program_in_a_group_keeps_its_socket() {
    if upstream_differs("BUG-042") {
        return;
    }
    let daemon = setup(
        "[fcgi-program:web]
command=python3 server.py end
socket=tcp://localhost:@SPARE@
startsecs=0
[program:cat]
command=cat
startsecs=0
[group:both]
programs=web,cat
",
    )
    .start();
    assert_eq!(wait_for("an answer", 20, || at_port(&daemon)), daemon.info("both:web").pid());
    assert_eq!(daemon.call("supervisor.sendProcessStdin", &["both:cat".into(), "text".into()]), Value::Bool(true));
    daemon.call("supervisor.stopProcess", &["both:web".into()]);
    assert_eq!(at_port(&daemon), None);
}

/// PROC-131: the end of the last process closes the socket, its automatic restart opens it again.
#[test]
fn a_restart_opens_the_socket_again() {
    let daemon = setup(
        "[fcgi-program:web]
command=python3 server.py end
socket=tcp://localhost:@SPARE@
startsecs=0
autorestart=true
",
    )
    .start();
    let first = wait_for("an answer", 20, || at_port(&daemon));
    std::fs::write(daemon.file("end"), "").expect("a file");
    assert_eq!(at_port(&daemon), None);
    std::fs::remove_file(daemon.file("end")).expect("the file");
    let second = wait_for("an answer", 20, || at_port(&daemon));
    assert_ne!(first, second);
    let lines: Vec<_> = daemon.messages().into_iter().filter(|line| line.contains("socket tcp")).collect();
    let words: Vec<_> = lines.iter().map(|line| line.split(' ').nth(1).unwrap_or_default()).collect();
    assert_eq!(words, ["Creating", "Closing", "Creating", "Closing", "Creating"]);
}

/// PROC-131: a failed start gives the socket back.
#[test]
fn a_program_that_is_missing_gives_the_socket_back() {
    let daemon = setup(
        "[fcgi-program:web]
command=cat
stdout_logfile=%(here)s/tmp
socket=tcp://localhost:@SPARE@
startretries=0
",
    )
    .start();
    daemon.wait_for_state("web", "FATAL");
    assert_eq!(TcpStream::connect(("127.0.0.1", daemon.spare_port())).ok().map(|_| ()), None);
    assert_eq!(count(&daemon, &format!("INFO Closing socket tcp://localhost:{}", daemon.spare_port())), 2);
}

/// PROC-132, CFG-178, BUG-069.
#[test]
fn a_socket_that_cannot_be_had() {
    if upstream_differs("CFG-178") {
        return;
    }
    let taken = |setup: &Setup| {
        let config = std::fs::read_to_string(setup.path().join("sd.conf")).expect("the configuration");
        let port = config.rsplit_once(':').expect("a port").1.trim().to_string();
        let listener = std::net::TcpListener::bind(format!("127.0.0.1:{port}")).expect("the port");
        (listener, format!("tcp://localhost:{port}"))
    };
    let program = "[fcgi-program:web]\ncommand=sleep 1000\nsocket=tcp://localhost:@SPARE@\n";
    let refused = setup(program);
    let (listener, url) = taken(&refused);
    let text = format!("Could not create FastCGI socket {url}: [Errno 98] Address already in use");
    let (status, out, err) = refused.run();
    assert_eq!(status, Some(2), "{out}");
    assert!(err.starts_with(&format!("Error: {text}\nFor help, use ")), "{err}");
    let (status, _, err) = refused.args(&["--check"]).run();
    assert!(status == Some(2) && err.contains(&text), "{err}");
    drop(listener);

    // By addProcessGroup: a fault, and no group.
    let mut daemon = setup("").start();
    daemon.configure(&format!("{QUIET}{program}"));
    let listener = std::net::TcpListener::bind(("127.0.0.1", daemon.spare_port())).expect("the port");
    daemon.call("supervisor.reloadConfig", &[]);
    let (code, text) = daemon.fault("supervisor.addProcessGroup", &["web".into()]);
    assert_eq!(code, 30);
    assert!(text.starts_with("FAILED: Could not create FastCGI socket tcp://localhost:"), "{text}");
    assert_eq!(daemon.fault("supervisor.getProcessInfo", &["web".into()]).0, 10);
    drop(listener);
    daemon.call("supervisor.addProcessGroup", &["web".into()]);
    daemon.wait_for_state("web", "RUNNING");
}
