//! Clients that mean no good, over real sockets: while they are at it, another client is answered as usual, children
//! notice nothing, memory stays within a bound, and nothing spins when they rest.
//!
//! Each test prints its figures. The promise, nine of ten answers within 50 ms, is about the build that users run; a debug
//! build takes 30 ms to write 1 MB.

mod support;

use std::process::Command;
use std::time::{Duration, Instant};

use majordomo::base::value::Value;
use support::daemon::{Daemon, Setup};
use support::http::{Address, Client};
use support::xmlrpc::{request, response};
use support::{SERVERS, proc, upstream_differs, wait_until};

/// Within which nine of ten answers come.
const USUAL: Duration = Duration::from_millis(if cfg!(debug_assertions) { 1000 } else { 50 });
/// Within which every answer comes, on a machine that may be busy with something else.
const WORST: Duration = Duration::from_secs(3);

const CHILD: &str = "[program:child]\ncommand=sleep 1000\nstartsecs=0\n";

/// What must not change, whatever the others do.
struct Watched {
    daemon: Daemon,
    good: Client,
    child: i64,
    took: Vec<Duration>,
    memory: u64,
    descriptors: usize,
}

impl Watched {
    fn new(setup: Setup) -> Watched {
        let daemon = setup.start();
        let child = daemon.wait_for_state("child", "RUNNING").pid();
        let mut good = daemon.connect();
        good.ask(&request("supervisor.getPID", &[])).expect("an answer");
        let memory = proc::status_number(daemon.pid(), "VmRSS");
        wait_until("quiet", 20, || proc::descriptors(daemon.pid()).len() < 40);
        let descriptors = proc::descriptors(daemon.pid()).len();
        Watched { daemon, good, child, took: Vec::new(), memory, descriptors }
    }

    fn inet(&self) -> Address {
        self.daemon.addresses().iter().find(|address| matches!(address, Address::Inet(_))).expect("a port").clone()
    }

    /// The good client asks something that needs the whole daemon.
    fn ask(&mut self) {
        let begun = Instant::now();
        let reply = self.good.ask(&request("supervisor.getProcessInfo", &["child".into()])).expect("an answer");
        self.took.push(begun.elapsed());
        let info = response(&reply.body).expect("a value");
        assert_eq!(info.member("pid"), Some(&Value::Int(self.child)), "{info:?}");
    }

    /// Kilobytes more than in the beginning.
    fn grown(&self) -> u64 {
        proc::status_number(self.daemon.pid(), "VmRSS").saturating_sub(self.memory)
    }

    /// The bad ones are still there, and rest: so does the daemon.
    fn rests(&self) {
        let pid = self.daemon.pid();
        wait_until("rest", 30, || {
            let before = proc::cpu_ticks(pid);
            std::thread::sleep(Duration::from_millis(300));
            proc::cpu_ticks(pid) - before <= 1
        });
    }

    /// Judges the whole, prints the figures, and waits until nothing is left of the bad ones, which are gone.
    fn end(mut self, what: &str, load: &str, bound: u64) {
        self.ask();
        let grown = self.grown();
        self.took.sort();
        let at = |tenths: usize| self.took[(self.took.len() - 1) * tenths / 10];
        println!(
            "{what}: {load}; {} answers to others: half {:?}, nine of ten {:?}, worst {:?}; {grown} KiB more at most",
            self.took.len(),
            at(5),
            at(9),
            at(10)
        );
        assert!(at(9) < USUAL && at(10) < WORST, "{what}");
        assert!(grown < bound, "{what}: {grown} KiB more than in the beginning");
        let pid = self.daemon.pid();
        wait_until("closed descriptors", 30, || proc::descriptors(pid).len() <= self.descriptors);
        self.rests();
    }
}

fn watched() -> Watched {
    Watched::new(Setup::new(&format!("{SERVERS}{CHILD}")))
}

/// Heads and bodies that come a byte at a time.
#[test]
fn slow_loris() {
    if upstream_differs("is not measured") {
        return;
    }
    let keys = "port=127.0.0.1:@PORT@\nrequest_timeout=3\n";
    let mut watched = Watched::new(Setup::new(&format!("{SERVERS}{CHILD}").replace("port=127.0.0.1:@PORT@\n", keys)));
    let inet = watched.inet();
    let head =
        b"POST /RPC2 HTTP/1.1\r\nHost: x\r\nX-Long: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa".to_vec();
    let body = b"<methodCall><methodName>supervisor.getPID</methodName><params>                              ".to_vec();
    let announced = b"POST /RPC2 HTTP/1.1\r\nContent-Length: 100000\r\n\r\n";
    let mut bad: Vec<(Client, bool)> =
        (0..600).map(|number| (Client::connect(&inet).expect("a connection"), number % 2 == 0)).collect();
    for (client, in_head) in &mut bad {
        if !*in_head {
            client.send(announced).expect("a head");
        }
    }
    for at in 0..40 {
        for (client, in_head) in &mut bad {
            let bytes = if *in_head { &head } else { &body };
            client.send(&bytes[at..at + 1]).expect("a byte");
        }
        watched.ask();
    }
    assert!(watched.grown() < 4 * 1024, "{} KiB", watched.grown());
    watched.rests();
    // Their time is over in the end, and they are told.
    for (client, _) in &mut bad {
        assert_eq!(client.read_reply().expect("an answer").status, 408);
    }
    drop(bad);
    watched.end("slow loris", "600 connections, a byte each 40 times", 4 * 1024);
}

/// As many as the machine lets the test have, up to 10,000.
#[test]
fn ten_thousand_idle_connections() {
    if upstream_differs("is not measured") {
        return;
    }
    let limit = |kind: &str| {
        let output = Command::new("sh").args(["-c", &format!("ulimit -{kind}n")]).output().expect("a shell");
        String::from_utf8_lossy(&output.stdout).trim().parse::<usize>().unwrap_or(1_000_000)
    };
    let hard = limit("H");
    // This process has the other ends, and those of the tests beside this one.
    let wanted = hard.saturating_sub(2500).min(10_000);
    let own = std::process::id().to_string();
    let raised = Command::new("prlimit").args(["--pid", &own, &format!("--nofile={}:", wanted + 2500)]).status();
    let count =
        if raised.is_ok_and(|status| status.success()) { wanted } else { limit("S").saturating_sub(900).min(10_000) };
    let config = format!("{SERVERS}{CHILD}");
    let config = config.replace("[supervisord]\n", &format!("[supervisord]\nminfds={}\n", count + 200));
    let mut watched = Watched::new(Setup::new(&config));
    let inet = watched.inet();
    let mut idle = Vec::new();
    for number in 0..count {
        idle.push(Client::connect(&inet).unwrap_or_else(|problem| panic!("connection {number}: {problem}")));
        if number % 100 == 0 {
            watched.ask();
        }
    }
    // A connection or two of the beginning may have been counted that have gone since.
    wait_until("all of them", 60, || proc::descriptors(watched.daemon.pid()).len() + 4 >= watched.descriptors + count);
    (0..100).for_each(|_| watched.ask());
    let each = watched.grown() as f64 / count as f64;
    assert!(each < 3.0, "{each} KiB for each connection");
    watched.rests();
    // They are connections like any other.
    for client in idle.iter_mut().step_by(97) {
        assert_eq!(client.ask(&request("supervisor.getPID", &[])).expect("an answer").status, 200);
    }
    drop(idle);
    let load = format!("{count} connections, {each:.2} KiB each");
    watched.end("idle connections", &load, 3 * count as u64);
}

/// 100 MB of answers asked for by each of ten clients, and none of it read.
#[test]
fn replies_that_nobody_reads() {
    if upstream_differs("keeps all of it") {
        return;
    }
    let mut watched = watched();
    watched.daemon.call("cache.store", &["big".into(), Value::Str("x".repeat(1 << 20))]);
    let fetch = request("cache.fetch", &["big".into()]);
    let inet = watched.inet();
    let mut bad: Vec<Client> = (0..10).map(|_| Client::connect(&inet).expect("a connection")).collect();
    for client in &mut bad {
        client.send(&fetch.repeat(100)).expect("a hundred requests");
        watched.ask();
    }
    (0..50).for_each(|_| watched.ask());
    let grown = watched.grown();
    // A queue of one answer or two and the kernel's buffers for each.
    assert!(grown < 10 * 4 * 1024, "{grown} KiB for ten of them");
    watched.rests();
    drop(bad);
    watched.end("replies never read", &format!("10 x 100 MB asked for, {grown} KiB held"), 8 * 1024);
}

/// Connections that are reset in the middle of an answer: closed with bytes unread.
#[test]
fn resets_in_the_middle_of_answers() {
    if upstream_differs("is not measured") {
        return;
    }
    let mut watched = watched();
    watched.daemon.call("cache.store", &["big".into(), Value::Str("x".repeat(1 << 20))]);
    let fetch = request("cache.fetch", &["big".into()]);
    for round in 0..200 {
        let address = watched.daemon.addresses()[round % 2].clone();
        let mut client = Client::connect(&address).expect("a connection");
        client.send(&fetch.repeat(2)).expect("a request");
        client.read_some().expect("a beginning");
        drop(client);
        watched.ask();
    }
    watched.end("resets", "200 in the middle of 1 MB", 8 * 1024);
}

/// Half-open connections: the other side went without a word. What they had begun is given up in time, and so are those
/// that said nothing.
#[test]
fn half_open_connections() {
    if upstream_differs("keeps them") {
        return;
    }
    let keys = "port=127.0.0.1:@PORT@\nrequest_timeout=1\nidle_timeout=2\n";
    let mut watched = Watched::new(Setup::new(&format!("{SERVERS}{CHILD}").replace("port=127.0.0.1:@PORT@\n", keys)));
    let inet = watched.inet();
    let mut silent: Vec<Client> = Vec::new();
    for number in 0..300 {
        let mut client = Client::connect(&inet).expect("a connection");
        match number % 3 {
            0 => {}
            1 => client.send(b"POST /RPC2 HTT").expect("a part"),
            _ => client.send(b"POST /RPC2 HTTP/1.1\r\nContent-Length: 999\r\n\r\n<").expect("a part"),
        }
        silent.push(client);
    }
    let pid = watched.daemon.pid();
    let begun = Instant::now();
    while proc::descriptors(pid).len() > watched.descriptors {
        watched.ask();
        assert!(begun.elapsed() < Duration::from_secs(20), "they are kept");
        std::thread::sleep(Duration::from_millis(20));
    }
    let load = format!("300 silent ones, closed after {:.1} s", begun.elapsed().as_secs_f32());
    watched.end("half-open", &load, 4 * 1024);
    drop(silent);
}

/// Eight clients that try passwords as fast as they can, on connections of their own and on open ones.
#[test]
fn a_flood_of_bad_passwords() {
    if upstream_differs("is not measured") {
        return;
    }
    let keys = "port=127.0.0.1:@PORT@\nusername=u\npassword={SHA}5baa61e4c9b93f3f0682250b6cf8331b7ee68fd8\n";
    let mut watched = Watched::new(Setup::new(&format!("{SERVERS}{CHILD}").replace("port=127.0.0.1:@PORT@\n", keys)));
    let inet = watched.inet();
    let log = watched.daemon.log().len();
    let until = Instant::now() + Duration::from_millis(1500);
    let tried: usize = std::thread::scope(|scope| {
        let attackers: Vec<_> = (0..8)
            .map(|number| {
                let inet = inet.clone();
                scope.spawn(move || {
                    let ask = b"POST /RPC2 HTTP/1.1\r\nAuthorization: Basic dTp4eHh4\r\nContent-Length: 0\r\n\r\n";
                    let mut client = Client::connect(&inet).expect("a connection");
                    let mut tried = 0;
                    while Instant::now() < until {
                        let reply = client.ask(ask).expect("an answer");
                        assert_eq!(reply.status, 401);
                        if number % 2 == 0 || reply.says_close() {
                            client = Client::connect(&inet).expect("a connection");
                        }
                        tried += 1;
                    }
                    tried
                })
            })
            .collect();
        while Instant::now() < until {
            watched.ask();
            std::thread::sleep(Duration::from_millis(5));
        }
        attackers.into_iter().map(|attacker| attacker.join().expect("its count")).sum()
    });
    assert_eq!(watched.daemon.log().len(), log, "the log can't be filled by strangers");
    watched.end("bad passwords", &format!("{tried} tries of 8 clients"), 4 * 1024);
}

/// Requests behind each other without end, which are answered and read, and bytes that are no requests.
#[test]
fn pipelining_without_end() {
    if upstream_differs("is not measured") {
        return;
    }
    let mut watched = watched();
    let inet = watched.inet();
    let until = Instant::now() + Duration::from_millis(1500);
    let sent: usize = std::thread::scope(|scope| {
        let attackers: Vec<_> = (0..4)
            .map(|number| {
                let inet = inet.clone();
                scope.spawn(move || {
                    let mut client = Client::connect(&inet).expect("a connection");
                    let many = request("supervisor.getState", &[]).repeat(200);
                    let mut sent = 0;
                    while Instant::now() < until {
                        match number {
                            // Nobody reads: it goes as far as the buffers do.
                            0 => sent += client.send_some(&many).map_or(0, |count| count * 200 / many.len()),
                            1 => {
                                let mut client = Client::connect(&inet).expect("a connection");
                                let _ = client.send(&[0x16, 3, 1, 2, 0, 1, 0xff, 0xfe].repeat(500));
                                let _ = client.read_to_end();
                            }
                            _ => {
                                client.send(&many).expect("many");
                                for _ in 0..200 {
                                    assert_eq!(client.read_reply().expect("an answer").status, 200);
                                }
                                sent += 200;
                            }
                        }
                    }
                    sent
                })
            })
            .collect();
        while Instant::now() < until {
            watched.ask();
            std::thread::sleep(Duration::from_millis(5));
        }
        attackers.into_iter().map(|attacker| attacker.join().expect("its count")).sum()
    });
    watched.end("pipelining", &format!("{sent} requests of 4 clients"), 8 * 1024);
}

/// RLIMIT_NOFILE 64 and 200 who want in: who is in is served, who isn't waits until somebody leaves, and the daemon
/// doesn't spin meanwhile.
#[test]
fn no_descriptors_left() {
    if upstream_differs("spins") {
        return;
    }
    let late = "[program:late]\ncommand=sleep 1000\nstartsecs=0\nstartretries=0\nautostart=false\n";
    let config = format!("{SERVERS}{CHILD}{late}").replace("[supervisord]\n", "[supervisord]\nminfds=64\n");
    let setup = Setup::new(&config).through(&["bash", "-c", "ulimit -n 64; exec \"$@\"", "bash"]);
    let mut watched = Watched::new(setup);
    let inet = watched.inet();
    let mut crowd: Vec<Client> = (0..200).map(|_| Client::connect(&inet).expect("the kernel's queue")).collect();
    let pid = watched.daemon.pid();
    wait_until("a full table", 20, || proc::descriptors(pid).iter().filter(|(number, _)| *number < 64).count() >= 63);
    let before = proc::cpu_ticks(pid);
    for _ in 0..100 {
        watched.ask();
        std::thread::sleep(Duration::from_millis(10));
    }
    let ticks = proc::cpu_ticks(pid) - before;
    assert!(ticks <= 20, "{ticks} ticks in a second");
    // Nothing can be started now; it is told, and what runs goes on.
    let mut ask = |method: &str| {
        let reply = watched.good.ask(&request(&format!("supervisor.{method}"), &["late".into()])).expect("an answer");
        response(&reply.body)
    };
    assert_eq!(ask("startProcess"), Err((50, "SPAWN_ERROR: late".to_string())));
    let info = ask("getProcessInfo").expect("its state");
    assert_eq!(info.member("spawnerr"), Some(&"too many open files to spawn 'late'".into()));
    // Everybody has a turn, in the order in which they came.
    for mut client in crowd.drain(..) {
        assert_eq!(client.ask(&request("supervisor.getPID", &[])).expect("an answer").status, 200);
    }
    watched.end("no descriptors", &format!("200 clients for 64, {ticks} ticks in a second"), 4 * 1024);
}
