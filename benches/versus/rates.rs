//! Small requests over kept connections: `cache.fetch` and `cache.store`, and what they are elsewhere.

use std::process::{Command, Stdio};

use majordomo::base::value::Value;

use crate::Plan;
use crate::load::{self, Question};
use crate::peers::{Peer, Server};
use crate::processors::find;
use crate::support::xmlrpc;
use crate::table::{Column, Table};

pub const KEY: &str = "greeting";
pub const VALUE: &str = "hello, world";

const COLUMNS: &[Column] =
    &[Column { name: "requests/s", digits: 0 }, Column { name: "server CPU us/request", digits: 2 }];
const CONNECTIONS: [usize; 3] = [1, 16, 256];
/// What the published figure of redis comes from.
const REDIS_BENCHMARK: &str = "redis-benchmark";

/// Which of the two is asked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Fetch,
    Store,
}

pub fn fetch(plan: &Plan) {
    let everybody = [Peer::Ours, Peer::Supervisor, Peer::Nginx, Peer::Redis, Peer::Memcached];
    measure(plan, Kind::Fetch, &everybody, &CONNECTIONS, false);
}

pub fn store(plan: &Plan) {
    let everybody = [Peer::Ours, Peer::Supervisor, Peer::Nginx, Peer::Redis, Peer::Memcached];
    measure(plan, Kind::Store, &everybody, &CONNECTIONS, false);
}

pub fn apart(plan: &Plan) {
    measure(plan, Kind::Fetch, &[Peer::Ours, Peer::Supervisor, Peer::Nginx], &[1, 16], true);
}

/// A call as Python's client sends it, and where its body begins. `packs`: it asks for packed answers, as Python's does;
/// with large ones that would measure the packing.
pub fn request(method: &str, params: &[Value], packs: bool) -> (Vec<u8>, usize) {
    let body = xmlrpc::call(method, params);
    let head = format!(
        "POST /RPC2 HTTP/1.1\r\nHost: localhost:9001\r\n{}Content-Type: text/xml\r\n\
         User-Agent: Python-xmlrpc/3.11\r\nContent-Length: {}\r\n\r\n",
        if packs { "Accept-Encoding: gzip\r\n" } else { "" },
        body.len()
    );
    let cut = head.len();
    ((head + &body).into_bytes(), cut)
}

/// What an answer's document is.
pub fn response(value: &str) -> String {
    format!(
        "<?xml version='1.0'?>\n<methodResponse>\n<params>\n<param>\n<value>{value}</value>\n</param>\n</params>\n\
         </methodResponse>\n"
    )
}

fn answered(kind: Kind) -> String {
    response(&match kind {
        Kind::Fetch => format!("<string>{VALUE}</string>"),
        Kind::Store => "<boolean>1</boolean>".to_string(),
    })
}

fn question(kind: Kind, peer: Peer) -> Question {
    let (key, value) = (KEY, VALUE);
    match (peer, kind) {
        (Peer::Ours | Peer::Supervisor | Peer::Nginx, _) => {
            let (bytes, cut) = match kind {
                Kind::Fetch => request("cache.fetch", &[key.into()], true),
                Kind::Store => request("cache.store", &[key.into(), value.into()], true),
            };
            Question { bytes, cut: Some(cut), end: answered(kind).into_bytes() }
        }
        (Peer::Redis, Kind::Fetch) => Question::new(
            format!("*2\r\n$3\r\nGET\r\n${}\r\n{key}\r\n", key.len()),
            format!("${}\r\n{value}\r\n", value.len()),
        ),
        (Peer::Redis, Kind::Store) => {
            let text = format!("*3\r\n$3\r\nSET\r\n${}\r\n{key}\r\n${}\r\n{value}\r\n", key.len(), value.len());
            Question::new(text, "+OK\r\n")
        }
        (Peer::Memcached, Kind::Fetch) => Question::new(format!("get {key}\r\n"), format!("{value}\r\nEND\r\n")),
        (Peer::Memcached, Kind::Store) => {
            Question::new(format!("set {key} 0 0 {}\r\n{value}\r\n", value.len()), "STORED\r\n")
        }
    }
}

/// What a client of ours asks in other parts.
pub fn fetch_question() -> Question {
    Question { cut: None, ..question(Kind::Fetch, Peer::Ours) }
}

/// Puts the value there that will be fetched, by the server that will be asked: the published one has a cache for each.
pub fn prepare(peer: Peer, server: &Server) {
    if peer != Peer::Nginx {
        load::ask_once(server.address, &question(Kind::Store, peer));
    }
}

fn measure(plan: &Plan, kind: Kind, everybody: &[Peer], connections: &[usize], apart: bool) {
    let servers: Vec<(Peer, Result<Server, String>)> =
        everybody.iter().map(|peer| (*peer, peer.start(&answered(kind)))).collect();
    let mut tables: Vec<Table> = connections.iter().map(|_| Table::new(COLUMNS)).collect();
    for (peer, server) in &servers {
        if let Ok(server) = server {
            prepare(*peer, server);
        }
    }
    for _ in 0..plan.rounds {
        for (count, table) in connections.iter().zip(&mut tables) {
            for (peer, server) in &servers {
                let mut question = question(kind, *peer);
                question.cut = question.cut.filter(|_| apart);
                let figures = server.as_ref().map_err(String::clone).map(|server| {
                    let load = load::run(server.address, &question, *count, plan.each, server.pid);
                    vec![load.rate(), load.cpu_micros()]
                });
                table.add(peer.name(), figures);
                if *peer == Peer::Redis {
                    let figures = server.as_ref().map_err(String::clone);
                    table.add(REDIS_BENCHMARK, figures.and_then(|server| redis_benchmark(kind, server, *count, plan)));
                }
            }
        }
    }
    for (count, table) in connections.iter().zip(&tables) {
        table.print(&format!("{count} connections"));
    }
}

/// Requests a second as `redis-benchmark` counts them, unpipelined; it is told how many to send.
fn redis_benchmark(kind: Kind, server: &Server, connections: usize, plan: &Plan) -> Result<Vec<f64>, String> {
    let program = find(REDIS_BENCHMARK).ok_or("not found: redis-benchmark is not installed")?;
    let per_second = if connections == 1 { 25_000 } else { 120_000 };
    let requests = (per_second * plan.each.as_millis() as u64 / 1000).max(1000);
    let test = match kind {
        Kind::Fetch => "get",
        Kind::Store => "set",
    };
    let before = load::cpu(server.pid);
    let done = Command::new(program)
        .args(["-h", "127.0.0.1", "-p", &server.address.port().to_string(), "--csv", "-P", "1", "-d", "12"])
        .args(["-c", &connections.to_string(), "-n", &requests.to_string(), "-t", test])
        .stderr(Stdio::null())
        .output()
        .map_err(|error| format!("not found: redis-benchmark: {error}"))?;
    let spent = load::cpu(server.pid) - before;
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    // "GET","123456.79",...
    let row = text.lines().find(|line| line.to_lowercase().starts_with(&format!("\"{test}\"")));
    let rate = row.and_then(|row| row.split(',').nth(1)?.trim_matches('"').parse().ok());
    let rate: f64 = rate.ok_or_else(|| format!("redis-benchmark said {text:?}"))?;
    Ok(vec![rate, spent.as_secs_f64() * 1e6 / requests as f64])
}
