//! Whatever the bytes, requests are read to an end, and in pieces as they are whole (see `laws`).
//!
//! Inputs are those that a fuzzer began with or found, and texts made by chance from what has a meaning; a seed gives
//! the same texts every time. `FUZZ_SECONDS=600 cargo test --release --test any_bytes` goes on for as long, with a seed
//! of its own. With coverage: `cd fuzz && cargo fuzz run -s none http_head` (or another
//! target).

mod laws;

use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use majordomo::sim::dice::Dice;

/// Every input that is kept for a fuzz target.
fn kept(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let files = std::fs::read_dir(&folder).unwrap_or_else(|problem| panic!("{}: {problem}", folder.display()));
    let inputs: Vec<Vec<u8>> = files.map(|file| std::fs::read(file.expect("a file").path()).expect("bytes")).collect();
    assert!(!inputs.is_empty());
    inputs
}

/// Texts from pieces, and kept inputs with changes.
fn by_chance(target: &str, pieces: &[&str], law: fn(&[u8])) {
    let kept = kept(target);
    kept.iter().for_each(|input| law(input));
    let seconds = std::env::var("FUZZ_SECONDS").ok().and_then(|text| text.parse().ok());
    let seed = match seconds {
        Some(_) => SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(1, |time| time.as_secs()),
        None => 1,
    };
    let begun = Instant::now();
    let mut dice = Dice::new(seed);
    let mut round = 0;
    while seconds.map_or(round < 3000, |seconds| begun.elapsed() < Duration::from_secs(seconds)) {
        round += 1;
        let mut input = vec![dice.below(256) as u8, dice.below(256) as u8, dice.below(256) as u8];
        if dice.below(2) == 0 {
            for _ in 0..dice.below(60) {
                input.extend_from_slice(pieces[dice.below(pieces.len() as u64) as usize].as_bytes());
            }
        } else {
            input.clone_from(&kept[dice.below(kept.len() as u64) as usize]);
            for _ in 0..=dice.below(4) {
                change(&mut input, pieces, &mut dice);
            }
        }
        law(&input);
    }
}

/// One byte, one piece or one part is changed.
fn change(input: &mut Vec<u8>, pieces: &[&str], dice: &mut Dice) {
    let at = dice.below(input.len() as u64 + 1) as usize;
    match dice.below(4) {
        0 if at < input.len() => input[at] = dice.below(256) as u8,
        1 => {
            let piece = pieces[dice.below(pieces.len() as u64) as usize].bytes();
            input.splice(at..at, piece);
        }
        2 => {
            let end = (at + dice.below(20) as usize).min(input.len());
            input.drain(at..end);
        }
        _ => input.truncate(at.max(1)),
    }
}

const HEAD: &[&str] = &[
    "GET",
    "POST",
    "HEAD",
    " ",
    "/",
    "/RPC2",
    "%",
    "%41",
    "%zz",
    "?",
    ";",
    "#",
    "http://h",
    "HTTP/1.1",
    "HTTP/1.0",
    "HTTP/2",
    "\r\n",
    "\n",
    "\r",
    "\r\n\r\n",
    "\n\n",
    ":",
    ": ",
    "Content-Length",
    "Transfer-Encoding",
    "chunked",
    "5",
    "-1",
    "18446744073709551616",
    "Connection",
    "close",
    "keep-alive",
    ",",
    "Expect",
    "100-continue",
    "\t",
    "\0",
    "é",
    "\u{7f}",
    "Authorization: Basic dTpw",
    "Content-Encoding: gzip",
    "x",
    "\r\n ",
    "\r\n\t",
];

const BODY: &[&str] = &[
    "0",
    "1",
    "5",
    "f",
    "F",
    "10",
    "\r\n",
    "\n",
    "\r",
    ";",
    "=",
    "\"",
    " ",
    "\t",
    "hello",
    "0\r\n\r\n",
    "5\r\nhello\r\n",
    "ffffffffffffffff",
    "00000000000000001",
    "X: y\r\n",
    "\0",
    "é",
    "-",
    "0x",
];

const CALL: &[&str] = &[
    "<?xml version='1.0'?>",
    "<?xml version='1.1'?>",
    "<methodCall>",
    "</methodCall>",
    "<methodName>",
    "</methodName>",
    "a.b",
    "<params>",
    "</params>",
    "<param>",
    "</param>",
    "<value>",
    "</value>",
    "<value/>",
    "<string>",
    "</string>",
    "<int>",
    "</int>",
    "<i8>",
    "</i8>",
    "<boolean>",
    "</boolean>",
    "<double>",
    "</double>",
    "<dateTime.iso8601>",
    "</dateTime.iso8601>",
    "<base64>",
    "</base64>",
    "<nil/>",
    "<array>",
    "<data>",
    "</data>",
    "</array>",
    "<struct>",
    "<member>",
    "<name>",
    "</name>",
    "</member>",
    "</struct>",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "&amp;",
    "&lt;",
    "&#13;",
    "&#x1;",
    "&#0;",
    "&#xFFFE;",
    "&x;",
    "<!DOCTYPE a>",
    "<x xmlns:y='z'>",
    "</x>",
    "\r\n",
    "\r",
    "\n",
    " ",
    "1",
    "-5",
    "1.5",
    "nan",
    "inf",
    "20240131T10:20:30",
    "aGk=",
    "é",
    "😀",
    "\u{85}",
    "\u{2028}",
    "\u{feff}",
    "\0",
    "]",
];

const LISTENER: &[&str] = &[
    "READY\n",
    "READY",
    "RESULT 2\nOK",
    "RESULT 4\nFAIL",
    "RESULT ",
    "RESULT",
    "OK",
    "\n",
    "0",
    "9",
    "+",
    "-",
    " ",
    "RESULT 0\n",
    "RESULT 10\n0123456789",
    "\r\n",
    "é",
    "\0",
    "x",
];

const STREAM: &[&str] = &[
    "<!--XSUPERVISOR:BEGIN-->",
    "<!--XSUPERVISOR:END-->",
    "<!--XSUPERVISOR:",
    "<!--",
    "<",
    "BEGIN-->",
    "-->",
    "x",
    "\u{1b}[",
    "\u{1b}",
    "[",
    "31m",
    "m",
    ";",
    "0",
    "\u{1b}[0m",
    "\n",
    "\0",
    "é",
];

const WORDS: &[&str] = &["'", "\"", "\\", " ", "\t", "\n", "a", ":", "*", "/", "g:p", "é", "\0", "--x=y", "$X", "''"];

#[test]
fn evt_100_to_108_listeners() {
    by_chance("listener", LISTENER, laws::listener);
}

#[test]
fn evt_060_to_067_captures() {
    by_chance("capture", STREAM, laws::capture);
}

#[test]
fn log_050_sequences() {
    by_chance("ansi", STREAM, laws::ansi);
}

#[test]
fn proc_080_names() {
    by_chance("namespec", WORDS, laws::namespec);
}

#[test]
fn proc_040_words() {
    by_chance("words", WORDS, laws::words);
}

#[test]
fn rpc_110_to_121_offsets() {
    by_chance("offsets", &["\0\0\0\0\0\0\0\0", "\u{7f}", "\0", "12345678", "\u{1}"], laws::offsets);
}

#[test]
fn http_020_to_025_heads() {
    by_chance("http_head", HEAD, laws::head);
}

#[test]
fn http_026_and_027_bodies() {
    by_chance("http_body", BODY, laws::body);
}

#[test]
fn http_029_connections() {
    by_chance("connection", HEAD, laws::connection);
}

#[test]
fn rpc_180_to_195_calls() {
    by_chance("xml_rpc", CALL, laws::call);
}
