//! A store that grows: memory for each entry, the slowest request on the way, and what is left when it was cleared.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use majordomo::base::value::Value;

use crate::Plan;
use crate::load;
use crate::peers::{Peer, Server};
use crate::rates::{request, response};
use crate::support::{proc, xmlrpc};
use crate::table::{Column, Table};

const COLUMNS: &[Column] = &[
    Column { name: "bytes/entry", digits: 1 },
    Column { name: "left after clear", digits: 1 },
    Column { name: "stores/s", digits: 0 },
    Column { name: "slowest batch, ms", digits: 2 },
    Column { name: "slowest beside idle ones, ms", digits: 2 },
    Column { name: "most CPU of 64 stores, ms", digits: 2 },
];
/// 16 bytes of key, 32 of value.
const VALUE: &str = "0123456789abcdef0123456789abcdef";
/// Requests that are sent at once, one behind the other: none of them waits longer than its batch.
const BATCH: u64 = 16;
/// How often the server's processor time is looked at, in batches: a stop of its own shows there, whoever else has the
/// processor meanwhile.
const CPU_EVERY: u64 = 4;
/// Batches that store nothing new: how late the machine itself is.
const IDLE: u64 = 5_000;
/// Calls of one multicall.
const CALLS: u64 = 1_000;

/// In no order, as hashes and identifiers are.
fn key(number: u64) -> String {
    format!("{:016x}", number.wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// Asks to store an entry, and how the answer ends.
fn question(peer: Peer, number: u64) -> (Vec<u8>, Vec<u8>) {
    let key = key(number);
    match peer {
        Peer::Redis => {
            (format!("*3\r\n$3\r\nSET\r\n$16\r\n{key}\r\n$32\r\n{VALUE}\r\n").into_bytes(), b"+OK\r\n".into())
        }
        Peer::Memcached => (format!("set {key} 0 0 32\r\n{VALUE}\r\n").into_bytes(), b"STORED\r\n".into()),
        _ => {
            let (bytes, _) = request("cache.store", &[key.into(), VALUE.into()], false);
            (bytes, response("<boolean>1</boolean>").into_bytes())
        }
    }
}

/// Asks to store many in one call, from `first` on.
fn many(first: u64) -> (Vec<u8>, Vec<u8>) {
    let one = |number| {
        let params = Value::Array(vec![key(number).into(), VALUE.into()]);
        xmlrpc::members(&[("methodName", "cache.store".into()), ("params", params)])
    };
    let calls = (first..first + CALLS).map(one).collect();
    let (bytes, _) = request("system.multicall", &[Value::Array(calls)], false);
    (bytes, b"<boolean>1</boolean></value>\n</data></array></value>\n</param>\n</params>\n</methodResponse>\n".into())
}

/// Asks to forget everything.
fn clear(peer: Peer) -> (Vec<u8>, Vec<u8>) {
    match peer {
        Peer::Redis => (b"FLUSHALL\r\n".into(), b"+OK\r\n".into()),
        Peer::Memcached => (b"flush_all\r\n".into(), b"OK\r\n".into()),
        _ => (request("cache.clear", &[], false).0, response("<boolean>1</boolean>").into_bytes()),
    }
}

/// One connection.
struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    fn new(server: &Server) -> Client {
        let stream = TcpStream::connect(server.address).expect("a connection");
        stream.set_nodelay(true).expect("no delay");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a patience");
        Client { stream, buffer: vec![0; 256 * 1024] }
    }

    /// Sends questions, and waits for answers that end so and are so long in all, if that is known. Returns how long
    /// they are, and how long it took.
    fn ask(&mut self, bytes: &[u8], end: &[u8], length: Option<usize>) -> (usize, Duration) {
        let begin = Instant::now();
        self.stream.write_all(bytes).expect("questions sent");
        let mut got = 0;
        while length.is_some_and(|length| got < length) || !self.buffer[..got].ends_with(end) {
            let count = self.stream.read(&mut self.buffer[got..]).expect("an answer");
            assert!(count > 0, "the server closed the connection");
            got += count;
        }
        assert!(length.is_none_or(|length| got == length), "other answers than the first one");
        (got, begin.elapsed())
    }
}

/// What storing took.
struct Took {
    all: Duration,
    slowest: Duration,
    /// The slowest of some that stored nothing new.
    late: Duration,
    /// The most processor time that the server spent between two looks.
    cpu: Duration,
}

/// Stores entries one by one, some at a time.
fn one_by_one(peer: Peer, server: &Server, client: &mut Client, entries: u64, batch: u64) -> Took {
    let (bytes, end) = question(peer, 0);
    let (one, _) = client.ask(&bytes, &end, None);
    let mut ask = |numbers: &mut dyn Iterator<Item = u64>| {
        let (mut count, mut bytes) = (0, Vec::new());
        for number in numbers {
            bytes.extend(question(peer, number).0);
            count += 1;
        }
        client.ask(&bytes, &end, Some(count * one)).1
    };
    let (mut times, mut cpu, mut before) = (Vec::new(), Duration::ZERO, load::cpu(server.pid));
    for turn in 0..entries / batch {
        times.push(ask(&mut (turn * batch..(turn + 1) * batch)));
        if turn % CPU_EVERY == 0 {
            let now = load::cpu(server.pid);
            cpu = cpu.max(now - before);
            before = now;
        }
    }
    let late = (0..IDLE.min(entries)).map(|_| ask(&mut (0..batch))).max().unwrap_or_default();
    Took { all: times.iter().sum(), slowest: times.into_iter().max().unwrap_or_default(), late, cpu }
}

/// Stores entries, many in one call.
fn by_many(server: &Server, client: &mut Client, entries: u64) -> Took {
    let (mut times, mut cpu, mut before) = (Vec::new(), Duration::ZERO, load::cpu(server.pid));
    for turn in 0..entries / CALLS {
        let (bytes, end) = many(turn * CALLS);
        times.push(client.ask(&bytes, &end, None).1);
        let now = load::cpu(server.pid);
        cpu = cpu.max(now - before);
        before = now;
    }
    let slowest = times.iter().max().copied().unwrap_or_default();
    Took { all: times.iter().sum(), slowest, late: Duration::ZERO, cpu }
}

fn measure(peer: Peer, server: &Server, entries: u64, calls: u64) -> Vec<f64> {
    let mut client = Client::new(server);
    let resident = || proc::status_number(server.pid, "VmRSS") as f64 * 1024.0;
    let (bytes, end) = question(peer, 0);
    client.ask(&bytes, &end, None);
    let before = resident();
    let took = match calls {
        1 => {
            let batch = if peer == Peer::Supervisor { 1 } else { BATCH };
            one_by_one(peer, server, &mut client, entries, batch)
        }
        _ => by_many(server, &mut client, entries),
    };
    let grown = resident() - before;
    let (bytes, end) = clear(peer);
    client.ask(&bytes, &end, None);
    // Some give memory back a little later.
    std::thread::sleep(Duration::from_millis(500));
    let left = resident() - before;
    let entries = entries as f64;
    let [slowest, late, cpu] = [took.slowest, took.late, took.cpu].map(|time| time.as_secs_f64() * 1e3);
    vec![grown / entries, left / entries, entries / took.all.as_secs_f64(), slowest, late, cpu]
}

pub fn run(plan: &Plan) {
    let entries = if plan.trial { 1_000 } else { 1_000_000 };
    let mut table = Table::new(COLUMNS);
    for _ in 0..plan.rounds {
        for peer in [Peer::Ours, Peer::Supervisor, Peer::Redis, Peer::Memcached] {
            // The published one takes 0.1 ms for each.
            let entries = if peer == Peer::Supervisor { entries / 50 } else { entries };
            let figures = peer.start("").map(|server| measure(peer, &server, entries, 1));
            table.add(peer.name(), figures);
        }
        // A thousand in one call, whose parts come and go meanwhile.
        let figures = Peer::Ours.start("").map(|server| measure(Peer::Ours, &server, entries, CALLS));
        table.add("ours, 1,000 in a call", figures);
    }
    table.print(&format!("{entries} entries"));
}
