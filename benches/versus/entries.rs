//! A store that grows: memory for each entry, and the slowest request on the way.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::Plan;
use crate::contenders::Times;
use crate::peers::{Peer, Server};
use crate::rates::{request, response};
use crate::support::proc;
use crate::table::{Column, Table};

const COLUMNS: &[Column] = &[
    Column { name: "bytes/entry", digits: 1 },
    Column { name: "slowest store, ms", digits: 2 },
    Column { name: "99.99 % of stores, ms", digits: 3 },
    Column { name: "slowest beside idle ones, ms", digits: 2 },
];
/// 16 bytes of key, 32 of value.
const VALUE: &str = "0123456789abcdef0123456789abcdef";

/// Asks to store an entry, and how the answer ends.
fn question(peer: Peer, number: u64) -> (Vec<u8>, Vec<u8>) {
    // In no order, as hashes and identifiers are.
    let key = format!("{:016x}", number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
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

/// How long each request takes; of the same number of requests that store nothing new, the slowest.
fn grow(peer: Peer, server: &Server, entries: u64) -> (Times, Duration) {
    let mut stream = TcpStream::connect(server.address).expect("a connection");
    stream.set_nodelay(true).expect("no delay");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a patience");
    let mut buffer = [0; 4096];
    let mut ask = |number| {
        let (bytes, end) = question(peer, number);
        let begin = Instant::now();
        stream.write_all(&bytes).expect("a question sent");
        let mut got = 0;
        loop {
            let count = stream.read(&mut buffer[got..]).expect("an answer");
            assert!(count > 0, "the server closed the connection");
            got += count;
            if buffer[..got].ends_with(&end) {
                return begin.elapsed();
            }
        }
    };
    let times: Vec<Duration> = (0..entries).map(&mut ask).collect();
    // What the machine itself is late: nothing grows any more.
    let late = (0..entries).map(|_| ask(0)).max().unwrap_or_default();
    (Times::new(times), late)
}

pub fn run(plan: &Plan) {
    let entries = if plan.trial { 1_000 } else { 1_000_000 };
    let mut table = Table::new(COLUMNS);
    for _ in 0..plan.rounds {
        for peer in [Peer::Ours, Peer::Supervisor, Peer::Redis, Peer::Memcached] {
            // The published one takes 0.1 ms for each.
            let entries = if peer == Peer::Supervisor { entries / 10 } else { entries };
            let figures = peer.start("").map(|server| {
                let before = proc::status_number(server.pid, "VmRSS");
                let (times, late) = grow(peer, &server, entries);
                let grown = (proc::status_number(server.pid, "VmRSS") - before) as f64 * 1024.0;
                let ms = |time: Duration| time.as_secs_f64() * 1e3;
                vec![grown / entries as f64, ms(times.part(10_000)), ms(times.part(9_999)), ms(late)]
            });
            table.add(peer.name(), figures);
        }
    }
    table.print(&format!("{entries} entries"));
}
