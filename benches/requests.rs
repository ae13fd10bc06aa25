//! What a whole request costs inside the daemon, without the kernel: `cargo bench --bench requests`.
//!
//! Bytes of a request in, bytes of its answer out: reading, dispatch and writing, on a pretended system.
// The macros of criterion write functions without documentation.
#![allow(missing_docs)]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use majordomo::base::key::Key;
use majordomo::base::limits::READ_BYTES;
use majordomo::base::time::{Mono, Now, Wall};
use majordomo::base::value::Value;
use majordomo::config::spec::Config;
use majordomo::daemon::{Daemon, Input};
use majordomo::front::{Conn, Peer};
use majordomo::sim::host::SimHost;
use majordomo::sim::setup::read;
use majordomo::wire::xml_write::write_call;
use majordomo::world::Turn;

/// A daemon with one connection.
struct Bench {
    host: SimHost,
    daemon: Daemon,
    conn: Key<Conn>,
}

const NOW: Now = Now { mono: Mono(1_000_000_000), wall: Wall(1_700_000_000_000_000_000) };

impl Bench {
    fn new(processes: usize) -> Bench {
        let mut host = SimHost::new(1);
        let mut turn = Turn { now: NOW, host: &mut host };
        let mut daemon = Daemon::new(config(processes), &mut turn).unwrap();
        daemon.begin(&mut turn);
        while daemon.settle(&mut turn) {}
        let conn = daemon.accept(0, Peer::Unix, &mut turn).unwrap();
        Bench { host, daemon, conn }
    }

    /// Sends a request as a socket would and takes its answer away; returns the answer's size.
    fn ask(&mut self, request: &[u8]) -> usize {
        let mut turn = Turn { now: NOW, host: &mut self.host };
        for bytes in request.chunks(READ_BYTES) {
            self.daemon.take(Input::Received { conn: self.conn, bytes }, &mut turn);
            self.daemon.settle(&mut turn);
        }
        let count = black_box(self.daemon.front.get(self.conn).unwrap().outgoing()).len();
        self.daemon.take(Input::Sent { conn: self.conn, count }, &mut turn);
        while self.daemon.front.next_changed().is_some() {}
        count
    }
}

fn request(method: &str, params: &[Value]) -> Vec<u8> {
    let mut body = Vec::new();
    write_call(&mut body, method, params);
    let mut request = format!(
        "POST /RPC2 HTTP/1.1\r\nHost: localhost:9001\r\nAccept-Encoding: gzip\r\nContent-Type: text/xml\r\n\
         User-Agent: Python-xmlrpc/3.11\r\nContent-Length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    request.extend_from_slice(&body);
    request
}

/// One group of so many processes that keep running, read as a file is.
fn config(processes: usize) -> Config {
    let text = format!(
        "[supervisord]\nlogfile=/main.log\nsilent=true\nnocleanup=true\n\
         [unix_http_server]\nfile=%(here)s/supervisor.sock\n\
         [rpcinterface:supervisor]\n\
         supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n\
         [rpcinterface:cache]\n\
         supervisor.rpcinterface_factory=supervisor_cache.rpcinterface:make_cache_rpcinterface\n\
         [program:worker]\ncommand=/bin/steady\nnumprocs={processes}\n\
         process_name=worker_%(process_num)04d\nstdout_logfile=NONE\nstderr_logfile=NONE\n"
    );
    read("/etc/s.conf", &text).unwrap()
}

fn requests(c: &mut Criterion) {
    let mut bench = Bench::new(10);
    bench.ask(&request("cache.store", &["greeting".into(), "hello, world".into()]));
    let fetch = request("cache.fetch", &["greeting".into()]);
    c.bench_function("cache.fetch", |b| b.iter(|| bench.ask(black_box(&fetch))));

    let store = request("cache.store", &["page".into(), "all work & no play ".repeat(55_189).into()]);
    let mut group = c.benchmark_group("cache.store 1 MiB");
    group.throughput(Throughput::Bytes(store.len() as u64)).sample_size(20);
    group.bench_function("whole", |b| b.iter(|| bench.ask(black_box(&store))));
    group.finish();

    let mut bench = Bench::new(1000);
    let all = request("supervisor.getAllProcessInfo", &[]);
    let mut group = c.benchmark_group("getAllProcessInfo");
    group.sample_size(20);
    group.bench_function("1,000 processes", |b| b.iter(|| bench.ask(black_box(&all))));
    group.finish();
}

criterion_group!(benches, requests);
criterion_main!(benches);
