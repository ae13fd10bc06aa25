//! The ordered end (PROC-032, PROC-072 to 077, PROC-081).

mod pure;

use majordomo::base::words::{Mood, State};
use majordomo::config::spec::{AccessSpec, Address, Autorestart, ProcessSpec, ServerSpec};
use majordomo::daemon::{Daemon, Input};
use majordomo::front::Peer;
use majordomo::sim::clock::Clock;
use majordomo::sim::host::SimHost;
use majordomo::world::Turn;
use pure::{Rig, config, group, idle, plain, program, s, solo};

fn with(name: &str, priority: i64) -> ProcessSpec {
    program(name, |spec| spec.priority = priority)
}

/// Whom the signals sent since the last look went to, by name.
fn told(rig: &mut Rig, names: &[&str]) -> Vec<String> {
    let pids: Vec<_> = names.iter().map(|name| (rig.life(name).pid(), name.to_string())).collect();
    let name = |pid| pids.iter().find(|entry| entry.0 == Some(pid)).map_or("?".to_string(), |entry| entry.1.clone());
    rig.kills().into_iter().map(|(pid, _)| name(pid)).collect()
}

fn go(rig: &mut Rig) {
    rig.turn(|world, turn| world.signalled(15, turn));
    rig.settle();
}

#[test]
fn proc_073_groups_end_one_after_the_other() {
    let mut rig = Rig::new(vec![
        group("pool", -1, vec![plain("l")]),
        group("mid", 5, vec![with("m2", 2), with("m1", 1), with("m2b", 2)]),
        group("x", 999, vec![plain("x")]),
        group("y", 999, vec![plain("y")]),
    ]);
    rig.begin();
    rig.pass_secs(1);
    rig.kills();
    let all = ["pool:l", "mid:m2", "mid:m1", "mid:m2b", "x", "y"];
    go(&mut rig);
    assert_eq!(rig.world.mood(), Mood::Shutdown);
    // On ties the one that became active last goes first.
    assert_eq!(told(&mut rig, &all), ["y"]);
    rig.die("y", 15);
    assert_eq!(told(&mut rig, &all), ["x"]);
    rig.die("x", 15);
    // Reverse of ascending member priority.
    assert_eq!(told(&mut rig, &all), ["mid:m2b", "mid:m2", "mid:m1"]);
    rig.die("mid:m1", 15);
    rig.die("mid:m2b", 15);
    assert_eq!(told(&mut rig, &all), Vec::<String>::new(), "the next waits for every member");
    rig.die("mid:m2", 15);
    assert_eq!(told(&mut rig, &all), ["pool:l"]);
    assert!(!rig.world.has_ended());
    rig.news();
    rig.die("pool:l", 15);
    // PROC-077: no final line.
    assert_eq!(rig.news(), ["WARN stopped: l (terminated by SIGTERM)"]);
    assert!(rig.world.has_ended());
    assert_eq!(rig.world.next_deadline(), None);
}

#[test]
fn proc_074_idle_groups_cost_no_time() {
    // BUG-004.
    let mut groups = vec![solo(plain("p"))];
    groups.extend((0..50).map(|n| solo(idle(&format!("idle{n}")))));
    let mut rig = Rig::new(groups);
    rig.begin();
    rig.kills();
    go(&mut rig);
    assert_eq!(rig.kills().len(), 1, "in the same turn");
    let mut rig = Rig::new(vec![solo(idle("a")), solo(idle("b"))]);
    rig.begin();
    go(&mut rig);
    assert!(rig.world.has_ended());
}

#[test]
fn proc_075_who_is_waited_for() {
    let mut rig = Rig::new(vec![
        group("b", 1, vec![plain("b1"), plain("b2")]),
        solo(idle("off")),
        group("a", 2, vec![plain("a1")]),
    ]);
    rig.begin();
    rig.pass_secs(1);
    rig.news();
    let (a1, b1, b2) = (rig.pid("a:a1"), rig.pid("b:b1"), rig.pid("b:b2"));
    go(&mut rig);
    assert_eq!(
        rig.news(),
        [
            "WARN received SIGTERM indicating exit request".to_string(),
            "INFO waiting for b1, b2, a1 to die".to_string(),
            format!("DEBG killing a1 (pid {a1}) with signal SIGTERM"),
        ]
    );
    rig.pass_ms(2_999);
    assert_eq!(rig.news(), [] as [&str; 0]);
    rig.pass_ms(1);
    assert_eq!(rig.news(), ["INFO waiting for b1, b2, a1 to die"]);
    rig.pass_secs(1);
    rig.die("a:a1", 15);
    assert_eq!(
        rig.news(),
        [
            "WARN stopped: a1 (terminated by SIGTERM)".to_string(),
            format!("DEBG killing b2 (pid {b2}) with signal SIGTERM"),
            format!("DEBG killing b1 (pid {b1}) with signal SIGTERM"),
        ],
        "at most every 3 s"
    );
    rig.pass_secs(2);
    assert_eq!(rig.news(), ["INFO waiting for b1, b2 to die"]);
}

#[test]
fn proc_024_who_waits_for_a_retry_gives_up() {
    let mut rig = Rig::new(vec![solo(plain("p")), solo(plain("q"))]);
    rig.begin();
    rig.exit_code("q", 1);
    rig.pass_ms(500);
    rig.news();
    let pid = rig.pid("p");
    go(&mut rig);
    assert_eq!(rig.state("q"), State::Fatal);
    assert_eq!(
        rig.news(),
        [
            "WARN received SIGTERM indicating exit request".to_string(),
            // Behind the signals of the first group: q has given up, without a line.
            "INFO waiting for p to die".to_string(),
            format!("DEBG killing p (pid {pid}) with signal SIGTERM"),
        ]
    );
}

#[test]
fn proc_032_while_the_daemon_goes_nothing_starts() {
    let mut rig = Rig::new(vec![
        group("low", 1, vec![plain("retry"), program("again", |spec| spec.autorestart = Autorestart::Always)]),
        group("high", 2, vec![program("slow", |spec| spec.command = "/bin/stubborn".into())]),
    ]);
    rig.begin();
    rig.exit_code("low:retry", 1);
    rig.pass_secs(1);
    rig.pass_ms(500);
    rig.exit_code("low:retry", 1);
    let before = rig.spawned().len();
    go(&mut rig);
    // EXITED while an earlier group is waited for.
    rig.exit_code("low:again", 0);
    rig.pass_secs(9);
    assert_eq!(rig.spawned().len(), before);
    assert_eq!(rig.state("low:retry"), State::Backoff, "until its group's turn");
    rig.pass_secs(1);
    assert_eq!(rig.kills().last().map(|kill| kill.1), Some(9));
    rig.die("high:slow", 9);
    assert_eq!((rig.state("low:retry"), rig.state("low:again")), (State::Fatal, State::Exited));
    assert!(rig.world.has_ended());
}

#[test]
fn proc_077_a_restart_ends_with_the_new_configuration() {
    let mut rig = Rig::new(vec![solo(plain("p"))]);
    rig.begin();
    rig.host.config = Some(config(vec![solo(plain("other"))]));
    assert_eq!(rig.call("supervisor.restart", vec![]), Ok(true.into()));
    assert_eq!(rig.world.mood(), Mood::Restarting);
    assert!(rig.world.take_next_config().is_some_and(|config| config.groups[0].name == "other"));
    rig.die("p", 15);
    assert!(rig.world.has_ended());
}

#[test]
fn rpc_008_who_waits_is_answered_although_the_daemon_goes() {
    let mut rig = Rig::new(vec![solo(idle("p")), solo(plain("q"))]);
    rig.begin();
    rig.pass_secs(1);
    let mut start = rig.wait("supervisor.startProcess", vec![s("p")]);
    let mut stop = rig.wait("supervisor.stopProcess", vec![s("q")]);
    go(&mut rig);
    assert!(rig.poll(&mut start).is_none() && rig.poll(&mut stop).is_none());
    rig.die("q", 15);
    assert_eq!(rig.poll(&mut stop), Some(Ok(true.into())));
    // Now the end has come to p.
    let answer = rig.poll(&mut start).map(|answer| answer.map_err(|fault| fault.text));
    assert_eq!(answer, Some(Err("ABNORMAL_TERMINATION: p".into())));
}

#[test]
fn rpc_007_and_008_all_answers_of_a_turn_are_given_in_it() {
    // One client waits for a start, another ends the daemon: both are answered before the turn is over.
    let mut files = config(vec![solo(idle("p"))]);
    files.servers = vec![ServerSpec {
        section: "inet_http_server".into(),
        address: Address::Inet { host: "localhost".into(), port: 9001 },
        username: None,
        password: None,
        limits: Default::default(),
        access: AccessSpec::default(),
    }];
    let mut host = SimHost::new(1);
    host.files.put_directory("/var/log");
    let clock = Clock::default();
    let mut turn = Turn { now: clock.now(), host: &mut host };
    let mut daemon = Daemon::new(files, &mut turn).expect("a daemon");
    let ask = |daemon: &mut Daemon, turn: &mut Turn<'_>, method: &str, param: &str| {
        let body = format!("<methodCall><methodName>{method}</methodName><params>{param}</params></methodCall>");
        let head = format!("POST /RPC2 HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", body.len());
        let conn = daemon.accept(0, Peer::Unix, turn).expect("a connection");
        daemon.take(Input::Received { conn, bytes: (head + &body).as_bytes() }, turn);
        conn
    };
    let answer = |daemon: &Daemon, conn| {
        let bytes = daemon.front.get(conn).map(|conn| conn.outgoing().to_vec()).unwrap_or_default();
        String::from_utf8(bytes).expect("text")
    };
    let param = "<param><value>p</value></param>";
    let waits = ask(&mut daemon, &mut turn, "supervisor.startProcess", param);
    daemon.settle(&mut turn);
    assert_eq!(answer(&daemon, waits), "", "withheld");
    // Others go on being served.
    let other = ask(&mut daemon, &mut turn, "supervisor.getPID", "");
    assert!(answer(&daemon, other).contains("<int>1000</int>"));
    let ends = ask(&mut daemon, &mut turn, "supervisor.shutdown", "");
    daemon.settle(&mut turn);
    assert!(answer(&daemon, ends).contains("<boolean>1</boolean>"));
    let fault = answer(&daemon, waits);
    assert!(fault.contains("ABNORMAL_TERMINATION: p"));
    // RPC-207.
    assert!(fault.starts_with("HTTP/1.1 200 OK\r\n"), "{fault}");
    // SIG-006.
    daemon.take(Input::ChildSignal, &mut turn);
    let log = String::from_utf8_lossy(host.files.text(pure::MAIN_LOG).unwrap_or_default()).into_owned();
    assert!(log.ends_with(" DEBG received SIGCHLD indicating a child quit\n"), "{log}");
}

#[test]
fn rpc_007_the_action_goes_on_without_its_client() {
    let mut rig = Rig::new(vec![solo(idle("p"))]);
    drop(rig.wait("supervisor.startProcess", vec![s("p")]));
    rig.pass_secs(1);
    assert_eq!(rig.state("p"), State::Running);
}
