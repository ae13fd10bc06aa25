//! What becomes of the daemon when it has a bug: a panic in a request costs that request, another one costs what it was
//! about, and only if something doesn't hold any more, all programs are stopped in order.
//!
//! A debug build panics where the environment asks for it; a release build has no such place.

mod support;

use std::time::Duration;

use majordomo::base::key::Key;
use majordomo::base::time::{Mono, Now, Wall};
use majordomo::base::words::{Channel, State};
use majordomo::daemon::{Daemon as Pure, Input, Outcome};
use majordomo::front::{Conn, Peer};
use majordomo::sim::host::SimHost;
use majordomo::sim::setup::read;
use majordomo::world::Turn;
use support::daemon::{Daemon, Setup};
use support::http::Client;
use support::xmlrpc::{request, response};
use support::{QUIET, proc, upstream_differs, wait_for, wait_until};

const BUG: &str = "CRIT this is a bug of supervisord, please report it: ";
const FAULT: &str = "FAILED: a bug of supervisord; its log says more";

/// A whole daemon over a pretended system.
struct Rig {
    daemon: Pure,
    host: SimHost,
    now: Now,
}

impl Rig {
    fn new() -> Rig {
        let mut rig = Rig::without_care();
        rig.daemon.survive_bugs();
        rig
    }

    /// One that dies of its bugs.
    fn without_care() -> Rig {
        let text = "[supervisord]\nlogfile=/main.log\nsilent=true\nnocleanup=true\n[inet_http_server]\nport=1\n\
            [rpcinterface:supervisor]\nsupervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n\
            [program:p]\ncommand=/bin/steady\nstdout_logfile=/p.log\nstopwaitsecs=7\nstartsecs=0\n";
        let mut host = SimHost::new(1);
        let now = Now { mono: Mono(1_000_000_000), wall: Wall(1_700_000_000_000_000_000) };
        let daemon = Pure::new(read("/etc/s.conf", text).expect("sound"), &mut Turn { now, host: &mut host });
        let mut rig = Rig { daemon: daemon.expect("a daemon"), host, now };
        rig.turn(|daemon, turn| daemon.begin(turn));
        assert_eq!(rig.state(), State::Running);
        rig
    }

    fn turn<R>(&mut self, act: impl FnOnce(&mut Pure, &mut Turn<'_>) -> R) -> R {
        let mut turn = Turn { now: self.now, host: &mut self.host };
        let result = act(&mut self.daemon, &mut turn);
        for _ in 0..100 {
            let busy = self.daemon.settle(&mut turn);
            if self.daemon.next_deadline().is_some_and(|at| at <= self.now.mono) {
                self.daemon.take(Input::Due, &mut turn);
            } else if !busy {
                break;
            }
        }
        result
    }

    fn connect(&mut self) -> Key<Conn> {
        self.turn(|daemon, turn| daemon.accept(0, Peer::Unix, turn)).expect("a connection")
    }

    /// What is to be sent, once everything came in.
    fn ask(&mut self, conn: Key<Conn>, bytes: &[u8]) -> String {
        self.turn(|daemon, turn| daemon.take(Input::Received { conn, bytes }, turn));
        self.out(conn)
    }

    fn out(&mut self, conn: Key<Conn>) -> String {
        let bytes = self.daemon.front.get(conn).expect("a connection").outgoing().to_vec();
        self.turn(|daemon, turn| daemon.take(Input::Sent { conn, count: bytes.len() }, turn));
        String::from_utf8(bytes).expect("text")
    }

    fn closes(&self, conn: Key<Conn>) -> bool {
        self.daemon.front.get(conn).is_none_or(|conn| conn.wants_close() || conn.wants_shutdown())
    }

    fn print(&mut self, bytes: &[u8]) {
        let who = self.daemon.world.find_member("p", "p").expect("a process");
        self.turn(|daemon, turn| daemon.take(Input::Output { who, channel: Channel::Stdout, bytes }, turn));
    }

    fn state(&self) -> State {
        let who = self.daemon.world.find_member("p", "p").expect("a process");
        self.daemon.world.processes.get(who).expect("a process").state()
    }

    fn log(&self) -> String {
        String::from_utf8(self.host.files.text("/main.log").unwrap_or_default().to_vec()).expect("text")
    }

    fn bugs(&self) -> usize {
        self.log().matches(BUG).count()
    }
}

fn read_log() -> Vec<u8> {
    request("supervisor.readLog", &[0.into(), 0.into()])
}

fn state() -> Vec<u8> {
    request("supervisor.getState", &[])
}

#[test]
fn a_bug_in_a_call_costs_that_call() {
    let mut rig = Rig::new();
    let (first, second) = (rig.connect(), rig.connect());
    rig.host.bug = Some(("read", 1));
    // Those before it are answered, those behind it are not: their connection is closed.
    let answers = rig.ask(first, &[state(), read_log(), state()].concat());
    let parts: Vec<&str> = answers.split("HTTP/1.1 ").skip(1).collect();
    assert_eq!(parts.len(), 2, "{answers}");
    assert!(parts[0].contains("RUNNING") && !parts[0].contains("Connection: close"), "{answers}");
    assert!(parts[1].starts_with("200 OK") && parts[1].contains(FAULT), "{answers}");
    assert!(parts[1].contains("Connection: close") && rig.closes(first), "{answers}");
    assert_eq!(rig.bugs(), 1);
    assert!(rig.log().contains(&format!("{BUG}a bug that was asked for in read\n")), "{}", rig.log());
    assert!(rig.ask(second, &read_log()).contains("CRIT"), "it goes on");
    assert!(matches!(rig.daemon.outcome(), Outcome::Run));
    assert_eq!((rig.state(), rig.daemon.world.check()), (State::Running, Ok(())));
}

#[test]
fn a_bug_in_a_page_is_status_500_and_a_stream_just_ends() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    rig.print(b"hello\n");
    rig.host.bug = Some(("read", 1));
    let answer = rig.ask(conn, b"GET /tail.html?processname=p HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 500 Internal Server Error") && rig.closes(conn), "{answer}");

    let (follower, other) = (rig.connect(), rig.connect());
    let beginning = rig.ask(follower, b"GET /logtail/p HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(beginning.contains("chunked"), "{beginning}");
    assert!(rig.ask(other, b"GET /logtail/p HTTP/1.1\r\nHost: x\r\n\r\n").contains("chunked"));
    rig.host.bug = Some(("read", 1));
    rig.print(b"news\n");
    // One of the two had the bug; the other one was in the same round, and is not forgotten.
    let gone = [follower, other].into_iter().filter(|conn| rig.closes(*conn)).count();
    assert_eq!(gone, 1);
    rig.print(b"again\n");
    let seen = [follower, other].map(|conn| rig.out(conn));
    assert!(seen.iter().any(|text| text.contains("again")), "{seen:?}");
    assert_eq!(rig.bugs(), 2);
}

#[test]
fn a_bug_outside_of_requests_is_survived_a_few_times() {
    let mut rig = Rig::new();
    rig.host.bug = Some(("append", 16));
    for _ in 0..16 {
        rig.print(b"bug\n");
        assert!(matches!(rig.daemon.outcome(), Outcome::Run));
    }
    rig.print(b"well\n");
    assert_eq!(rig.state(), State::Running);
    assert_eq!(rig.bugs(), 16);
    // A minute later it counts anew; what never ends is an end.
    rig.now.mono = rig.now.mono + Duration::from_secs(61);
    rig.host.bug = Some(("append", 17));
    for _ in 0..17 {
        assert_eq!(rig.state(), State::Running);
        rig.print(b"bug\n");
    }
    assert_eq!(rig.state(), State::Stopping);
    assert!(rig.log().contains("(there is no end of bugs): stopping all programs"), "{}", rig.log());
    assert!(matches!(rig.daemon.outcome(), Outcome::Run), "in order");
}

/// A stop that has begun, and nobody knows how far it came.
fn half_stopped(bugs: u32) -> Rig {
    let mut rig = Rig::new();
    let conn = rig.connect();
    rig.host.bug = Some(("kill", bugs));
    let answer = rig.ask(conn, &request("supervisor.stopProcess", &["p".into(), false.into()]));
    assert!(answer.contains(FAULT), "{answer}");
    assert!(rig.log().contains("supervisord can't go on after a bug (p is STOPPING: its alarm"), "{}", rig.log());
    rig
}

#[test]
fn what_no_longer_holds_ends_everything_in_order() {
    let mut rig = half_stopped(1);
    assert!(matches!(rig.daemon.outcome(), Outcome::Run));
    let pid = *rig.host.children.keys().next().expect("a child");
    rig.host.children.clear();
    let exit = majordomo::base::words::Exit::Code(0);
    rig.turn(|daemon, turn| daemon.take(Input::Exited { pid, exit }, turn));
    assert!(matches!(rig.daemon.outcome(), Outcome::Failed { children: false }));
}

#[test]
fn an_end_that_does_not_come_is_given_up() {
    let mut rig = half_stopped(1);
    // The alarm that would have brought SIGKILL was lost with the bug.
    let until = loop {
        let due = rig.daemon.next_deadline().expect("a deadline");
        rig.now.mono = due;
        rig.turn(|daemon, turn| daemon.take(Input::Due, turn));
        if !matches!(rig.daemon.outcome(), Outcome::Run) {
            break due;
        }
    };
    assert!(matches!(rig.daemon.outcome(), Outcome::Failed { children: true }));
    assert_eq!(until - Mono(1_000_000_000), Duration::from_secs(7 + 10));
}

#[test]
fn a_bug_on_the_way_out_leaves_the_rest_to_the_loop() {
    let mut rig = half_stopped(1);
    rig.host.bug = Some(("append", 1));
    rig.print(b"bug\n");
    assert!(matches!(rig.daemon.outcome(), Outcome::Failed { children: true }));
}

#[test]
#[should_panic(expected = "asked for in read")]
fn tests_see_panics() {
    let mut rig = Rig::without_care();
    let conn = rig.connect();
    rig.host.bug = Some(("read", 1));
    rig.ask(conn, &read_log());
}

/// A daemon with bugs and three programs, one of which doesn't heed SIGTERM; `None` for a release build, which has to be
/// without these bugs.
fn buggy(places: &str) -> Option<Daemon> {
    if upstream_differs("has other bugs") {
        return None;
    }
    if !cfg!(debug_assertions) {
        let program = std::fs::read(env!("CARGO_BIN_EXE_supervisord")).expect("the program");
        assert!(!program.windows(16).any(|bytes| bytes == b"MAJORDOMO_BUG_IN"), "bugs on demand in a release build");
        return None;
    }
    let config = format!(
        "{QUIET}[program:calm]\ncommand=sleep 1000\nstartsecs=0\n[program:wild]\ncommand=sh -c 'trap \"\" TERM; echo up; \
         while :; do sleep 1; done'\nstartsecs=0\nstopwaitsecs=2\nkillasgroup=true\n[program:echo]\ncommand=cat\n\
         startsecs=0\nstdout_logfile=%(here)s/echo.log\n"
    );
    let daemon = Setup::new(&config).env("MAJORDOMO_BUG_IN", places).buggy().start();
    for name in ["calm", "wild", "echo"] {
        daemon.wait_for_state(name, "RUNNING");
    }
    // It ignores the signal from here on.
    wait_until("its trap", 20, || !std::fs::read(log_of(&daemon, "wild")).unwrap_or_default().is_empty());
    Some(daemon)
}

fn log_of(daemon: &Daemon, name: &str) -> String {
    daemon.info(name).text("stdout_logfile").to_string()
}

fn pids(daemon: &Daemon) -> [i64; 3] {
    ["calm", "wild", "echo"].map(|name| daemon.info(name).pid())
}

#[test]
fn a_real_bug_in_a_call() {
    let Some(daemon) = buggy("read") else { return };
    let before = pids(&daemon);
    let open = proc::descriptors(daemon.pid()).len();
    for turn in 1..=40 {
        let mut client = daemon.connect();
        let reply = client.ask(&read_log()).expect("an answer");
        assert_eq!(response(&reply.body), Err((30, FAULT.to_string())));
        assert!(reply.says_close() && client.is_closed_now());
        assert_eq!(daemon.log().matches(BUG).count(), turn);
    }
    // Place, message and calls, on lines of their own behind the first one.
    let log = daemon.log();
    assert!(log.contains("panicked at src/reactor/bugs.rs:") && log.contains("asked for in read"), "{log}");
    assert!(log.contains("majordomo::rpc::logs::") && log.contains("majordomo::front::Front::received"), "{log}");
    assert_eq!(daemon.text("daemon.err"), "", "told once, in the log");
    assert_eq!(pids(&daemon), before);
    wait_until("closed connections", 20, || proc::descriptors(daemon.pid()).len() <= open);
}

/// The mark of a program that was started: everything that runs but the daemon.
fn are_gone(pids: &[i64]) {
    wait_until("the children's end", 20, || !pids.iter().any(|pid| proc::is_alive(*pid)));
}

#[test]
fn a_real_bug_outside_of_requests() {
    let Some(mut daemon) = buggy("append") else { return };
    let before = pids(&daemon);
    for number in 1..=16 {
        daemon.call("supervisor.sendProcessStdin", &["echo".into(), "bug\n".into()]);
        wait_until("its report", 20, || daemon.log().matches(BUG).count() == number);
        assert_eq!(pids(&daemon), before);
    }
    daemon.call("supervisor.sendProcessStdin", &["echo".into(), "bug\n".into()]);
    // The seventeenth within a minute: in order, so that the one that doesn't heed SIGTERM gets its two seconds.
    assert_eq!(daemon.wait_for_exit().code(), Some(70));
    let log = daemon.log();
    for line in ["can't go on after a bug (there is no end of bugs)", "killing 'wild' (", "stopped: calm (terminated"] {
        assert!(log.contains(line), "{line}: {log}");
    }
    are_gone(&before);
    assert!(!daemon.file("supervisor.sock").exists() && !daemon.file("supervisord.pid").exists());
}

#[test]
fn a_real_bug_that_leaves_nothing_to_rely_on() {
    let Some(mut daemon) = buggy("kill") else { return };
    let before = pids(&daemon);
    let mut client = daemon.connect();
    client.send(&request("supervisor.stopProcess", &["calm".into()])).expect("a request");
    assert_eq!(daemon.wait_for_exit().code(), Some(70));
    let log = daemon.log();
    assert!(log.contains("can't even stop programs in order after a bug: ending 3 of them"), "{log}");
    are_gone(&before);
    assert!(!daemon.file("supervisor.sock").exists() && !daemon.file("supervisord.pid").exists());
}

#[test]
fn a_real_bug_in_the_loop() {
    let Some(mut daemon) = buggy("reap") else { return };
    let before = pids(&daemon);
    proc::send(&before[..1], "KILL");
    assert_eq!(daemon.wait_for_exit().code(), Some(70));
    are_gone(&before);
    assert!(wait_for("its report", 5, || Some(daemon.log())).contains("asked for in reap"));
    assert!(Client::connect(daemon.address()).is_err());
}
