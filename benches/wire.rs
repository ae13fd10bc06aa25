//! What reading and writing cost: `cargo bench --bench wire`.
// The macros of criterion write functions without documentation.
#![allow(missing_docs)]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use majordomo::base::value::Value;
use majordomo::wire::http_in::HeadReader;
use majordomo::wire::xml_read::{Call, CallReader, read_at_once, read_response};
use majordomo::wire::xml_write::{write_call, write_response};

const HEAD: &[u8] =
    b"POST /RPC2 HTTP/1.1\r\nHost: localhost:9001\r\nAccept-Encoding: gzip\r\nContent-Type: text/xml\r\n\
    User-Agent: Python-xmlrpc/3.11\r\nAuthorization: Basic dXNlcjpwYXNz\r\nContent-Length: 167\r\n\r\n";

/// Pieces of the size in which a socket is read.
const PIECE: usize = 64 * 1024;

fn read_call(document: &[u8]) {
    let mut reader = CallReader::new();
    for piece in document.chunks(PIECE) {
        reader.push(piece).unwrap();
    }
    black_box(reader.finish().unwrap());
}

fn wire(c: &mut Criterion) {
    let mut fetch = Vec::new();
    write_call(&mut fetch, "cache.fetch", &[Value::str("greeting")]);
    let answer = Value::str("hello, world");
    let mut answered = Vec::new();
    write_response(&mut answered, &answer);
    let mut store = Vec::new();
    write_call(&mut store, "cache.store", &[Value::str("page"), Value::str("all work & no play ".repeat(55_189))]);
    let mut out = Vec::with_capacity(1024);

    c.bench_function("fetch: read call", |b| b.iter(|| read_call(black_box(&fetch))));
    let mut call = Call::default();
    c.bench_function("fetch: read call at once", |b| b.iter(|| assert!(read_at_once(black_box(&fetch), &mut call))));
    c.bench_function("fetch: write answer", |b| {
        b.iter(|| {
            out.clear();
            write_response(&mut out, black_box(&answer));
        })
    });
    c.bench_function("fetch: read answer", |b| b.iter(|| black_box(read_response(black_box(&answered)))));
    c.bench_function("head: read", |b| b.iter(|| black_box(HeadReader::default().read(black_box(HEAD)))));
    let mut group = c.benchmark_group("store 1 MiB");
    group.throughput(Throughput::Bytes(store.len() as u64)).sample_size(20);
    group.bench_function("read call", |b| b.iter(|| read_call(black_box(&store))));
    group.finish();
}

criterion_group!(benches, wire);
criterion_main!(benches);
