//! Requests cut, stacked and interleaved over real sockets: whatever way the bytes come, the answers are those of whole
//! requests. And what a server's limits mean to real clients.

mod support;

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use majordomo::base::value::Value;
use majordomo::sim::dice::Dice;
use support::daemon::Daemon;
use support::http::{Client, Reply};
use support::xmlrpc::{call, request, response};
use support::{SERVERS, upstream_differs, wait_until};

const SECRET: &str = "Authorization: Basic dXNlcjpvcGVuIHNlc2FtZQ==\r\n";

fn post(headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("POST /RPC2 HTTP/1.1\r\nHost: x\r\n{headers}Content-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

fn packed(body: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(body.as_bytes()).expect("into memory");
    post("Content-Encoding: gzip\r\n", &encoder.finish().expect("into memory"))
}

fn chunked(body: &str, size: usize) -> Vec<u8> {
    let mut out = b"POST /RPC2 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for piece in body.as_bytes().chunks(size) {
        out.extend_from_slice(format!("{:x};a=b\r\n", piece.len()).as_bytes());
        out.extend_from_slice(piece);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"0\r\nTrailer: x\r\n\r\n");
    out
}

/// Requests of every kind that leave the connection open and have always the same answer.
fn samples() -> Vec<Vec<u8>> {
    let fetch = call("cache.fetch", &["größe <&>".into()]);
    vec![
        post("Content-Type: text/xml\r\nAccept-Encoding: gzip\r\n", fetch.as_bytes()),
        packed(&fetch),
        chunked(&fetch, 17),
        post(SECRET, call("cache.fetch", &["long".into()]).as_bytes()),
        post("", call("supervisor.getProcessInfo", &["nobody".into()]).as_bytes()),
        post("", b"<methodCall><methodName>x</methodName>"),
        post("", b"<methodCall/>"),
        packed("<methodCall/>"),
        post("Content-Encoding: gzip\r\n", fetch.as_bytes()),
        format!("POST /RPC2 HTTP/1.0\r\nConnection: Keep-Alive\r\nContent-Length: {}\r\n\r\n{fetch}", fetch.len())
            .into(),
        b"GET /ok.html HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(),
        b"GET /images/icon.png HTTP/1.1\r\nHost: x\r\n\r\n\r\n".to_vec(),
        b"GET /images HTTP/1.1\r\nHost: x\r\nX-Folded: a\r\n\tb\r\n\r\n".to_vec(),
        b"GET /no/such%20page?q#f HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(),
        b"DELETE /RPC2 HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc".to_vec(),
    ]
}

fn start() -> Daemon {
    let daemon = Daemon::start(SERVERS);
    daemon.call("cache.store", &["größe <&>".into(), "é\n<value>".into()]);
    daemon.call("cache.store", &["long".into(), "RUNNING pid 4711, ".repeat(3000).into()]);
    daemon
}

/// The answers to whole requests, each on a connection of its own.
fn alone(daemon: &Daemon, requests: &[Vec<u8>]) -> Vec<Reply> {
    requests.iter().map(|request| daemon.ask(request).without_date()).collect()
}

/// HTTP-022, HTTP-027, HTTP-029: cut at every byte, on both kinds of socket.
#[test]
fn cut_at_every_offset() {
    if upstream_differs("BUG-031, gzip") {
        return;
    }
    let daemon = start();
    let requests = samples();
    for (request, whole) in requests.iter().zip(alone(&daemon, &requests)) {
        for address in daemon.addresses() {
            let mut client = Client::connect(address).expect("a connection");
            for at in 1..request.len() {
                client.send(&request[..at]).expect("the first part");
                client.send(&request[at..]).expect("the second part");
                let reply = client.read_reply().expect("an answer").without_date();
                assert_eq!(reply, whole, "cut at {at}: {}", String::from_utf8_lossy(request));
            }
            assert_eq!(client.unread, b"");
        }
    }
}

/// HTTP-029, HTTP-153: a hundred requests of every kind behind each other, at once and in slices.
#[test]
fn a_hundred_deep() {
    if upstream_differs("BUG-031, gzip") {
        return;
    }
    let daemon = start();
    let kinds = samples();
    let requests: Vec<Vec<u8>> = (0..100).map(|at| kinds[at * 7 % kinds.len()].clone()).collect();
    let whole = alone(&daemon, &requests);
    let bytes = requests.concat();
    for address in daemon.addresses() {
        for size in [bytes.len(), 4096, 997, 61] {
            let mut client = Client::connect(address).expect("a connection");
            bytes.chunks(size).for_each(|slice| client.send(slice).expect("a slice"));
            for (at, whole) in whole.iter().enumerate() {
                let reply = client.read_reply().expect("an answer").without_date();
                assert_eq!(reply, *whole, "answer {at} in slices of {size}");
            }
            assert_eq!(client.unread, b"");
        }
    }
}

/// HTTP-009, HTTP-029: 200 connections at once, each with ten requests of its own, whose bytes come a few at a time and
/// in any order.
#[test]
fn interleaved_over_200_connections() {
    if upstream_differs("BUG-031, gzip, BUG-100") {
        return;
    }
    let daemon = start();
    let kinds = samples();
    let whole = alone(&daemon, &kinds);
    let mut crowd: Vec<(Client, Vec<u8>, usize)> = (0..200)
        .map(|number| {
            let key = || Value::Str(format!("key {number}"));
            let mut bytes = request("cache.store", &[key(), format!("value {number}").into()]);
            (0..8).for_each(|at| bytes.extend_from_slice(&kinds[(number + at) % kinds.len()]));
            bytes.extend(request("cache.fetch", &[key()]));
            let address = &daemon.addresses()[number % daemon.addresses().len()];
            (Client::connect(address).expect("a connection"), bytes, 0)
        })
        .collect();
    let mut dice = Dice::new(7);
    let mut open: Vec<usize> = (0..crowd.len()).collect();
    while !open.is_empty() {
        let place = dice.below(open.len() as u64) as usize;
        let (client, bytes, sent) = &mut crowd[open[place]];
        let end = bytes.len().min(*sent + 1 + dice.below(300) as usize);
        client.send(&bytes[*sent..end]).expect("a few bytes");
        *sent = end;
        if end == bytes.len() {
            open.swap_remove(place);
        }
    }
    for (number, (client, ..)) in crowd.iter_mut().enumerate() {
        let mut next = || client.read_reply().expect("an answer").without_date();
        assert_eq!(response(&next().body), Ok(Value::Bool(true)), "connection {number}");
        for at in 0..8 {
            assert_eq!(next(), whole[(number + at) % kinds.len()], "connection {number}, answer {at}");
        }
        assert_eq!(response(&next().body), Ok(Value::Str(format!("value {number}"))), "connection {number}");
        assert_eq!(client.unread, b"");
    }
}

/// HTTP-110: a stream ends with the daemon that it came from, at a reload as at the end.
#[test]
fn streams_end_with_the_daemon() {
    let mut daemon = start();
    for method in ["supervisor.restart", "supervisor.shutdown"] {
        let mut followers: Vec<Client> = daemon
            .addresses()
            .iter()
            .map(|address| {
                let mut client = Client::connect(address).expect("a connection");
                client.send(b"GET /mainlogtail HTTP/1.1\r\nHost: x\r\n\r\n").expect("a request");
                assert_eq!(client.read_head().expect("a stream").status, 200);
                assert!(client.read_chunk().expect("its beginning").is_some());
                client
            })
            .collect();
        daemon.call(method, &[]);
        for client in &mut followers {
            client.read_to_end().expect("its end");
        }
        if method.ends_with("restart") {
            wait_until("the new one", 20, || {
                Client::connect(daemon.address())
                    .and_then(|mut client| client.ask(&request("supervisor.getPID", &[])))
                    .is_ok_and(|reply| reply.status == 200)
            });
        }
    }
    assert!(daemon.wait_for_exit().success());
}

/// HTTP-009, HTTP-024: what a server bears is said where it ends, and others notice nothing.
#[test]
fn limits_of_a_server() {
    if upstream_differs("has no limits") {
        return;
    }
    let keys = "port=127.0.0.1:@PORT@\nmax_connections=3\nbody_maxbytes=2KB\nrequest_timeout=1\nidle_timeout=10\n";
    let daemon = Daemon::start(&SERVERS.replace("port=127.0.0.1:@PORT@\n", keys));
    let inet = &daemon.addresses()[1];
    // The connections by which the test saw that it is up are gone.
    let mut first = support::wait_for("room", 20, || {
        let mut client = Client::connect(inet).ok()?;
        (client.ask(&request("supervisor.getPID", &[])).ok()?.status == 200).then_some(client)
    });
    let mut others: Vec<Client> = (0..2).map(|_| Client::connect(inet).expect("a connection")).collect();
    for client in &mut others {
        assert_eq!(client.ask(&request("supervisor.getPID", &[])).expect("an answer").status, 200);
    }
    let mut refused = Client::connect(inet).expect("a connection");
    let reply = refused.read_reply().expect("an answer");
    assert_eq!((reply.status, reply.reason.as_str(), reply.says_close()), (503, "Service Unavailable", true));
    assert!(refused.is_closed_now());
    assert_eq!(first.ask(&request("supervisor.getPID", &[])).expect("an answer").status, 200);
    // The other server is not full.
    daemon.call("supervisor.getPID", &[]);
    // Somebody leaves, somebody comes.
    drop(others.pop());
    wait_until("room for one", 20, || {
        let mut client = Client::connect(inet).expect("a connection");
        client.ask(&request("supervisor.getPID", &[])).is_ok_and(|reply| reply.status == 200)
    });
    // Too long.
    let reply = others[0].ask(&request("cache.store", &["k".into(), "x".repeat(3000).into()])).expect("an answer");
    assert_eq!((reply.status, reply.says_close()), (413, true));
    daemon.call("cache.store", &["k".into(), "x".repeat(3000).into()]);
    // Too slow.
    let mut slow = support::wait_for("room", 20, || {
        let mut client = Client::connect(inet).ok()?;
        (client.ask(&request("supervisor.getPID", &[])).ok()?.status == 200).then_some(client)
    });
    slow.send(b"POST /RPC2 HTTP/1.1\r\nContent-Length: 100\r\n\r\n<").expect("a beginning");
    let reply = slow.read_reply().expect("an answer");
    assert_eq!((reply.status, reply.reason.as_str(), reply.says_close()), (408, "Request Timeout", true));
    // Too quiet.
    assert!(first.is_closed_now());
}
