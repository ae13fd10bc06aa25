//! Requests and answers packed with gzip.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use majordomo::base::limits;

use crate::rig::{Rig, body, call, header, post, status, statuses};

const OK_PAGE: &str = "GET /ok.html HTTP/1.1\r\nHost: h\r\n\r\n";

fn pack(data: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(data).expect("into memory");
    encoder.finish().expect("into memory")
}

fn packed_post(document: &str, coding: &str) -> Vec<u8> {
    let packed = pack(document.as_bytes());
    let head = format!(
        "POST /RPC2 HTTP/1.1\r\nHost: h\r\nContent-Encoding: {coding}\r\nContent-Length: {}\r\n\r\n",
        packed.len()
    );
    [head.as_bytes(), &packed].concat()
}

fn chunked(packed: &[u8], size: usize) -> Vec<u8> {
    let mut out = b"POST /RPC2 HTTP/1.1\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for chunk in packed.chunks(size) {
        out.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        out.extend_from_slice(chunk);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"0\r\n\r\n");
    out
}

#[test]
fn a_packed_call_is_a_call_however_it_is_cut() {
    let mut rig = Rig::new();
    let document = call("cache.store", &["foo", "bär"]);
    let answer = rig.ask(post("/RPC2", "", &document));
    for request in [
        packed_post(&document, "gzip"),
        packed_post(&document, "X-GZip"),
        chunked(&pack(document.as_bytes()), 7),
        chunked(&pack(document.as_bytes()), 100_000),
    ] {
        for size in [1, 2, 3, 64, 65, 1000] {
            let conn = rig.connect(0);
            for piece in [&request, OK_PAGE.as_bytes()].concat().chunks(size) {
                rig.send(conn, piece);
            }
            let answers = rig.read(conn);
            assert_eq!(statuses(&answers), ["200", "200"]);
            assert!(answers.starts_with(&answer), "{answers}");
        }
    }
}

#[test]
fn a_large_packed_call_leaves_room_for_others_and_for_the_end_of_input() {
    let mut rig = Rig::new();
    let text = "x".repeat(8 << 20);
    let request = packed_post(&call("cache.store", &["big", &text]), "gzip");
    assert!(request.len() < 20_000);
    let conn = rig.connect(0);
    let mut turn = majordomo::world::Turn { now: rig.now, host: &mut rig.host };
    let (front, world) = (&mut rig.front, &mut rig.world);
    front.received(conn, &request, world, &mut turn);
    // The client has said all that it will ever say; it is answered all the same (HTTP-154).
    front.ended(conn, world, &mut turn);
    let mut turns = 0;
    while front.settle(world, &mut turn) {
        turns += 1;
    }
    assert!(turns > (8 << 20) / (3 * limits::READ_BYTES), "{turns} turns: too much at a time");
    assert_eq!(statuses(&rig.read(conn)), ["200"]);
    let answer = rig.ask(post("/RPC2", "", &call("cache.fetch", &["big"])));
    assert!(answer.contains(&text));
}

/// Nothing comes out of empty members, but each takes a new decoder: they count, too.
#[test]
fn many_empty_members_leave_room_for_others() {
    const MEMBERS: usize = 50_000;
    let mut rig = Rig::new();
    let (empty, document) = (pack(b""), pack(call("cache.getCount", &[]).as_bytes()));
    let length = MEMBERS * empty.len() + document.len();
    let head = format!("POST /RPC2 HTTP/1.1\r\nContent-Encoding: gzip\r\nContent-Length: {length}\r\n\r\n");
    let conn = rig.connect(0);
    let (front, world) = (&mut rig.front, &mut rig.world);
    let mut turn = majordomo::world::Turn { now: rig.now, host: &mut rig.host };
    front.received(conn, head.as_bytes(), world, &mut turn);
    let many = empty.repeat(5000);
    let mut visits = 0;
    for piece in (0..MEMBERS / 5000).map(|_| &many).chain([&document]) {
        front.received(conn, piece, world, &mut turn);
        visits += 1;
        while front.settle(world, &mut turn) {
            visits += 1;
        }
    }
    assert!(length / visits < 250 * empty.len(), "{visits} visits: too much at a time");
    assert_eq!(statuses(&rig.read(conn)), ["200"]);
}

/// HTTP-024: the limit is for what comes out. A bomb is refused when it passes it, and takes no memory.
#[test]
fn http_024_a_bomb_is_413() {
    let mut rig = Rig::with_server("body_maxbytes=1MB");
    for bomb in [
        packed_post(&" ".repeat(20 << 20), "gzip"),
        packed_post(&call("cache.store", &["k", &"x".repeat(1 << 20)]), "gzip"),
    ] {
        let conn = rig.connect(0);
        rig.send(conn, &bomb);
        rig.send(conn, OK_PAGE.as_bytes());
        assert_eq!(statuses(&rig.read(conn)), ["413"]);
        assert!(rig.is_over(conn));
    }
    let fits = call("cache.store", &["k", &"x".repeat((1 << 20) - 300)]);
    let conn = rig.connect(0);
    rig.send(conn, &packed_post(&fits, "gzip"));
    assert_eq!(statuses(&rig.read(conn)), ["200"]);
}

/// RPC-181: what can't be unpacked is 400, is logged, and the connection goes on.
#[test]
fn rpc_181_what_is_not_gzip_is_400() {
    let mut rig = Rig::new();
    let document = call("cache.getCount", &[]);
    let packed = pack(document.as_bytes());
    let mut broken = packed.clone();
    *broken.last_mut().expect("bytes") ^= 1;
    for data in [document.as_bytes(), &packed[..packed.len() - 1], &broken, b"x"] {
        let head = format!("POST /RPC2 HTTP/1.1\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", data.len());
        let conn = rig.connect(0);
        rig.send(conn, &[head.as_bytes(), data, OK_PAGE.as_bytes()].concat());
        assert_eq!(statuses(&rig.read(conn)), ["400", "200"]);
        assert!(rig.main_log().ends_with(" is invalid: not gzip\n"), "{}", rig.main_log());
    }
    // A document that is not packed at all is shown as it is.
    let document = call("cache.fetch", &["a key that is long enough"]);
    let conn = rig.connect(0);
    rig.send(conn, post("/RPC2", "Content-Encoding: gzip\r\n", &document).as_bytes());
    assert_eq!(statuses(&rig.read(conn)), ["400"]);
    let line = rig.main_log().lines().last().unwrap_or_default().to_string();
    assert!(line.contains("XML-RPC request data \"<?xml version='1.0'?><methodCall>"), "{line}");
    // Sound gzip that holds no call.
    let conn = rig.connect(0);
    rig.send(conn, &packed_post("<methodCall><x", "gzip"));
    assert_eq!(statuses(&rig.read(conn)), ["400"]);
    assert!(rig.main_log().ends_with("XML-RPC request data '<methodCall><x' is invalid: unmarshallable\n"));
}

/// RFC 9110, 15.5.16: a coding that we don't know is named as the reason; a word that is none says nothing.
#[test]
fn rfc_9110_15_5_16_unknown_codings() {
    let mut rig = Rig::new();
    let document = call("cache.getCount", &[]);
    for (coding, code) in
        [("br", "415"), ("deflate", "415"), ("gzip, gzip", "415"), ("utf-8", "200"), ("identity", "200")]
    {
        let answer = rig.ask(post("/RPC2", &format!("Content-Encoding: {coding}\r\n"), &document) + OK_PAGE);
        assert_eq!(status(&answer), code, "{coding}");
        if code == "415" {
            assert!(answer.starts_with("HTTP/1.1 415 Unsupported Media Type\r\n"), "{answer}");
            assert_eq!(header(&answer, "Accept-Encoding"), Some("gzip"));
        }
    }
}

/// HTTP-140: packed for those who ask, if it is worth it; otherwise byte for byte as ever.
#[test]
fn http_140_answers_are_packed_for_those_who_ask() {
    let mut rig = Rig::new();
    let long = "worker_0001 RUNNING pid 4711\n".repeat(5000);
    for (key, text) in [("short", "x"), ("long", &long)] {
        rig.ask(post("/RPC2", "", &call("cache.store", &[key, text])));
    }
    let mut fetch = |key: &str, headers: &str| {
        let conn = rig.connect(0);
        rig.send(conn, post("/RPC2", headers, &call("cache.fetch", &[key])).as_bytes());
        rig.take(conn, usize::MAX)
    };
    let plain = fetch("long", "");
    let text = String::from_utf8(plain.clone()).expect("text");
    assert_eq!(header(&text, "Content-Encoding"), None);
    for asks in ["gzip", "deflate, gzip;q=0.1"] {
        let answer = fetch("long", &format!("Accept-Encoding: {asks}\r\n"));
        let at = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("a head") + 4;
        let head = String::from_utf8(answer[..at].to_vec()).expect("text");
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
        assert_eq!(header(&head, "Content-Type"), Some("text/xml"), "HTTP-151");
        assert_eq!(header(&head, "Content-Encoding"), Some("gzip"));
        assert_eq!(header(&head, "Content-Length"), Some((answer.len() - at).to_string().as_str()));
        assert!(answer.len() < plain.len() / 10);
        let mut unpacked = String::new();
        MultiGzDecoder::new(&answer[at..]).read_to_string(&mut unpacked).expect("gzip");
        assert_eq!(unpacked, body(&text));
    }
    for asks in ["", "Accept-Encoding: gzip;q=0\r\n", "Accept-Encoding: *\r\n", "Accept-Encoding: br\r\n"] {
        assert!(fetch("long", asks) == plain, "{asks}");
    }
    assert!(fetch("short", "Accept-Encoding: gzip\r\n") == fetch("short", ""));
}
