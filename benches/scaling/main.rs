//! What one event costs the daemon beside 10, 100, 1,000 and 10,000 processes, keys and connections, without the kernel:
//! `cargo bench --bench scaling [-- WORD...]` measures the rows whose name has one of the words.
//!
//! A table shows nanoseconds for each event, and how many times those of ten processes that is. What is
//! looked up in trees grows with the logarithm, what no longer fits the processor's caches grows besides. Fails if an
//! event costs more than [`MOST`] times as much beside a thousand times as many processes.

#[path = "../support/host.rs"]
mod host;

use std::hint::black_box;
use std::time::{Duration, Instant};

use host::NoSystem;
use majordomo::base::key::Key;
use majordomo::base::limits::READ_BYTES;
use majordomo::base::time::{Mono, Now, Wall};
use majordomo::base::value::Value;
use majordomo::base::words::{Channel, Exit, State};
use majordomo::daemon::{Daemon, Input};
use majordomo::front::{Conn, Peer};
use majordomo::sim::setup::read;
use majordomo::wire::xml_write::write_call;
use majordomo::world::Turn;
use majordomo::world::process::Process;

/// What is allowed for caches that are too small.
const MOST: f64 = 25.0;

/// A daemon with so many programs that run, as many in one group as in groups of their own; with as many keys in its
/// cache and as many idle connections; with a pool of one listener, and one client.
struct Bench {
    host: NoSystem,
    daemon: Daemon,
    now: Now,
    conn: Key<Conn>,
    /// Those of the large group, in no order.
    many: Vec<Key<Process>>,
    names: Vec<String>,
    /// Groups of one process each.
    groups: Vec<String>,
    listener: Key<Process>,
    /// Counts events, and so chooses whom the next one is about.
    turn: usize,
}

const SECOND: u64 = 1_000_000_000;

impl Bench {
    /// With `n` processes; half of them are one program.
    fn new(n: usize) -> Bench {
        let half = n / 2;
        let mut text = format!(
            "[supervisord]\nlogfile=/main.log\nsilent=true\nnocleanup=true\nloglevel=warn\n\
             [unix_http_server]\nfile=%(here)s/supervisor.sock\nidle_timeout=0\n\
             [rpcinterface:supervisor]\n\
             supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n\
             [rpcinterface:twiddler]\n\
             supervisor.rpcinterface_factory=supervisor_twiddler.rpcinterface:make_twiddler_rpcinterface\n\
             [rpcinterface:cache]\n\
             supervisor.rpcinterface_factory=supervisor_cache.rpcinterface:make_cache_rpcinterface\n\
             [eventlistener:pool]\ncommand=/bin/listener\nevents=REMOTE_COMMUNICATION,TICK_5\nstartsecs=0\n\
             [program:many]\ncommand=/bin/steady --name %(process_num)d\nnumprocs={half}\n\
             process_name=many_%(process_num)05d\n"
        );
        let groups: Vec<String> = (0..n - half).map(|number| format!("single{number:05}")).collect();
        for name in &groups {
            text.push_str(&format!("[program:{name}]\ncommand=/bin/steady --name {name}\n"));
        }
        let config = read("/etc/s.conf", &text).expect("a configuration");
        let mut host = NoSystem::with(config.clone());
        let now = Now { mono: Mono(SECOND), wall: Wall(1_700_000_000 * SECOND as i64) };
        let mut turn = Turn { now, host: &mut host };
        let mut daemon = Daemon::new(config, &mut turn).expect("a daemon");
        daemon.begin(&mut turn);
        while daemon.settle(&mut turn) {}
        let conn = daemon.accept(0, Peer::Unix, &mut turn).expect("a connection");
        for _ in 0..n {
            daemon.accept(0, Peer::Unix, &mut turn).expect("a connection");
        }
        let find = |group: &str, name: &str| daemon.world.find_member(group, name).expect("a process");
        // A step that has no factor in common with their number goes through all of them.
        let names: Vec<String> = (0..half).map(|at| format!("many_{:05}", at * 7919 % half)).collect();
        let many = names.iter().map(|name| find("many", name)).collect();
        let listener = find("pool", "pool");
        let mut bench = Bench { host, daemon, now, conn, many, names, groups, listener, turn: 0 };
        bench.wait(2);
        bench.print(bench.listener, b"READY\n");
        for number in 0..n {
            let key = format!("key{number:05}");
            bench.ask(&request("cache.store", &[key.into(), "hello, world".into()]));
        }
        bench.look();
        bench
    }

    /// All must run, and nothing wait: before and after each row.
    fn look(&self) {
        let world = &self.daemon.world;
        let idle = world.processes.iter().find(|(_, process)| process.state() != State::Running);
        assert!(idle.is_none(), "{} is {:?}", idle.unwrap().1.spec.name, idle.unwrap().1.state());
        assert_eq!(world.check(), Ok(()));
        assert_eq!(world.processes.len(), self.many.len() + self.groups.len() + 1);
    }

    /// Takes one input in, and ends the turn.
    fn take(&mut self, input: Input<'_>) {
        let mut turn = Turn { now: self.now, host: &mut self.host };
        self.daemon.take(input, &mut turn);
        while self.daemon.settle(&mut turn) {}
    }

    fn print(&mut self, who: Key<Process>, bytes: &[u8]) {
        self.take(Input::Output { who, channel: Channel::Stdout, bytes });
    }

    /// Time passes, and with it what is due.
    fn wait(&mut self, seconds: u64) {
        self.now.mono = Mono(self.now.mono.0 + seconds * SECOND);
        self.now.wall = Wall(self.now.wall.0 + (seconds * SECOND) as i64);
        while self.daemon.next_deadline().is_some_and(|at| at <= self.now.mono) {
            self.take(Input::Due);
        }
    }

    /// Sends a request as a socket would, and takes its answer away.
    fn ask(&mut self, request: &[u8]) -> usize {
        let conn = self.conn;
        for bytes in request.chunks(READ_BYTES) {
            self.take(Input::Received { conn, bytes });
        }
        let answer = black_box(self.daemon.front.get(conn).expect("a connection").outgoing());
        debug_assert!(!answer.to_vec().windows(7).any(|part| part == b"<fault>"), "{answer:?}");
        let count = answer.len();
        self.take(Input::Sent { conn, count });
        while self.daemon.front.next_changed().is_some() {}
        assert!(count > 0);
        count
    }

    /// Whom the next event is about.
    fn next(&mut self) -> usize {
        self.turn += 1;
        self.turn % self.many.len()
    }

    fn end_child(&mut self, who: Key<Process>) {
        let pid = self.daemon.world.processes.get(who).and_then(|process| process.life.pid()).expect("a child");
        self.take(Input::Exited { pid, exit: Exit::Code(1) });
    }
}

fn request(method: &str, params: &[Value]) -> Vec<u8> {
    let mut body = Vec::new();
    write_call(&mut body, method, params);
    let mut request = format!(
        "POST /RPC2 HTTP/1.1\r\nHost: localhost:9001\r\nContent-Type: text/xml\r\nContent-Length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    request.extend_from_slice(&body);
    request
}

/// A row: its name, and what does it once.
type Row = (&'static str, fn(&mut Bench));

const ROWS: &[Row] = &[
    ("a line of output, logged", |bench| {
        let who = bench.one();
        bench.print(who, b"GET /index.html 200 1234 0.003\n");
    }),
    ("a child's end, restart, success", |bench| {
        let who = bench.one();
        bench.end_child(who);
        bench.wait(0);
        bench.wait(2);
    }),
    ("a child's end too early, BACKOFF, restart, success", |bench| {
        let who = bench.one();
        bench.end_child(who);
        bench.wait(0);
        bench.end_child(who);
        bench.wait(2);
        bench.wait(2);
    }),
    ("TICK_5 to a listener, its answer", |bench| {
        bench.wait(5);
        bench.print(bench.listener, b"RESULT 2\nOKREADY\n");
    }),
    ("sendRemoteCommEvent to a listener, its answer", |bench| {
        bench.ask(&request("supervisor.sendRemoteCommEvent", &["type".into(), "data".into()]));
        bench.print(bench.listener, b"RESULT 2\nOKREADY\n");
    }),
    ("cache.fetch, of as many keys", |bench| {
        let key = format!("key{:05}", bench.next());
        bench.ask(&request("cache.fetch", &[key.into()]));
    }),
    ("getProcessInfo, of a large group", |bench| {
        let name = bench.member();
        bench.ask(&request("supervisor.getProcessInfo", &[name]));
    }),
    ("getProcessInfo, of many groups", |bench| {
        let name = bench.single();
        bench.ask(&request("supervisor.getProcessInfo", &[name]));
    }),
    ("stopProcess, its end, startProcess, success", |bench| {
        let at = bench.next();
        let (who, name) = (bench.many[at], Value::Str(format!("many:{}", bench.names[at])));
        bench.ask(&request("supervisor.stopProcess", &[name.clone(), false.into()]));
        bench.end_child(who);
        bench.ask(&request("supervisor.startProcess", &[name, false.into()]));
        bench.wait(2);
    }),
    ("addProgramToGroup, removeProcessFromGroup", |bench| {
        let options = [("command", "/bin/steady"), ("autostart", "false")];
        let options = options.map(|(name, value)| (name.to_string(), Value::str(value))).to_vec();
        bench.ask(&request("twiddler.addProgramToGroup", &["many".into(), "guest".into(), Value::Struct(options)]));
        bench.ask(&request("twiddler.removeProcessFromGroup", &["many".into(), "guest".into()]));
    }),
    ("stopProcess, removeProcessGroup, addProcessGroup", |bench| {
        let name = bench.single();
        let who = bench.daemon.world.find_member(name.as_text().expect("a name"), name.as_text().expect("a name"));
        bench.ask(&request("supervisor.stopProcess", &[name.clone(), false.into()]));
        bench.end_child(who.expect("a process"));
        let name = [name];
        bench.ask(&request("supervisor.removeProcessGroup", &name));
        bench.ask(&request("supervisor.addProcessGroup", &name));
        bench.wait(2);
    }),
];

/// Rows whose event is about all processes: shown for each of them.
const ROWS_FOR_EACH: &[Row] = &[
    ("getAllProcessInfo, each process", |bench| {
        bench.ask(&request("supervisor.getAllProcessInfo", &[]));
    }),
    ("getAllConfigInfo, each process", |bench| {
        bench.ask(&request("supervisor.getAllConfigInfo", &[]));
    }),
    ("reloadConfig without a change, each process", |bench| {
        bench.ask(&request("supervisor.reloadConfig", &[]));
    }),
];

impl Bench {
    /// The next process of the large group.
    fn one(&mut self) -> Key<Process> {
        let at = self.next();
        self.many[at]
    }

    /// The name of the next process of the large group.
    fn member(&mut self) -> Value {
        let at = self.next();
        Value::Str(format!("many:{}", self.names[at]))
    }

    /// The name of the next group of one.
    fn single(&mut self) -> Value {
        self.turn += 1;
        Value::str(&self.groups[self.turn * 7919 % self.groups.len()])
    }

    /// Nanoseconds that an event takes, in the mean of so much time.
    fn measure(&mut self, event: fn(&mut Bench), time: Duration) -> f64 {
        let (begin, mut count) = (Instant::now(), 0_u64);
        while count == 0 || begin.elapsed() < time {
            event(self);
            count += 1;
        }
        begin.elapsed().as_nanos() as f64 / count as f64
    }
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let trial = !args.iter().any(|arg| arg == "--bench");
    let words: Vec<&String> = args.iter().filter(|arg| !arg.starts_with('-')).collect();
    let wanted = |name: &str| words.is_empty() || words.iter().any(|word| name.contains(word.as_str()));
    let sizes: &[usize] = if trial { &[10, 100] } else { &[10, 100, 1_000, 10_000] };
    let (time, rounds) = if trial { (Duration::from_millis(1), 1) } else { (Duration::from_millis(25), 15) };
    let mut benches: Vec<Bench> = sizes.iter().map(|size| Bench::new(*size)).collect();
    let shown: Vec<String> = sizes.iter().map(|size| format!("{size:>9}      ")).collect();
    println!("{:52}{}", "ns for each event, beside so many processes", shown.concat());
    let mut too_much = Vec::new();
    for (rows, for_each) in [(ROWS, false), (ROWS_FOR_EACH, true)] {
        for (name, event) in rows.iter().filter(|(name, _)| wanted(name)) {
            // Whatever else the machine does, it does to all sizes; the least is what was disturbed least.
            let mut costs = vec![f64::MAX; sizes.len()];
            for _ in 0..rounds {
                for ((cost, bench), size) in costs.iter_mut().zip(&mut benches).zip(sizes) {
                    let parts = if for_each { *size as f64 } else { 1.0 };
                    *cost = cost.min(bench.measure(*event, time) / parts);
                }
            }
            benches.iter().for_each(Bench::look);
            let shown: Vec<String> =
                costs.iter().map(|cost| format!("{cost:>9.0} {:>4.1}x", cost / costs[0])).collect();
            println!("{name:52}{}", shown.join(""));
            too_much.extend(costs.iter().any(|cost| cost / costs[0] > MOST && !trial).then_some(*name));
        }
    }
    assert!(too_much.is_empty(), "these cost too much beside many processes: {too_much:?}");
}
