//! What must hold for any bytes that a client may send. The fuzz targets call these, and so does `tests/any_bytes.rs`
//! with texts made by chance and with what was found before.
//!
//! The first bytes of an input say how it comes and how it is to be read, so that a fuzzer can vary that too.

// Each user calls one of them.
#![allow(dead_code)]

pub mod pieces;
pub mod texts;
pub mod wire;

use majordomo::base::limits::RESULT_LINE_BYTES;
use majordomo::base::text::{NameSpec, check_name, display_name, shell_split};
use majordomo::base::time::{Mono, Now, Wall};
use majordomo::base::value::Value;
use majordomo::daemon::{Daemon, Input};
use majordomo::front::{Conn, Peer};
use majordomo::rpc::read::{plan_read, plan_tail};
use majordomo::sim::host::SimHost;
use majordomo::sim::setup::read;
use majordomo::wire::ansi::AnsiStrip;
use majordomo::wire::capture::{Capture, Piece};
use majordomo::wire::http_body::BodyReader;
use majordomo::wire::http_in::{Framing, Head, HeadReader, Reject, Version};
use majordomo::wire::http_out::{write_chunk, write_last_chunk};
use majordomo::wire::listener::{Heard, Listener, Phase};
use majordomo::wire::xml_read::{BadXml, Call, CallReader, read_at_once};
use majordomo::wire::xml_write::write_call;
use majordomo::world::Turn;

/// Splits off the size of pieces, 1 to 256.
fn pieces(bytes: &[u8]) -> Option<(usize, &[u8])> {
    bytes.split_first().map(|(size, rest)| (usize::from(*size) + 1, rest))
}

/// HTTP-020 to HTTP-025: a head that comes in pieces is the head that comes whole, and one that was read and is written
/// out again reads the same.
pub fn head(bytes: &[u8]) {
    let Some((size, input)) = pieces(bytes) else { return };
    let whole = HeadReader::default().read(input);
    if let Ok(Some((_, taken))) = &whole {
        assert!(*taken <= input.len());
    }
    let mut reader = HeadReader::default();
    let mut have = 0;
    let grown = loop {
        have = input.len().min(have + size);
        match reader.read(&input[..have]) {
            Ok(None) if have < input.len() => {}
            end => break end,
        }
    };
    assert_eq!(grown, whole, "in pieces of {size}");
    let Ok(Some((head, _))) = whole else { return };
    let written = write_head(&head);
    match HeadReader::default().read(&written) {
        Ok(Some((again, taken))) => {
            assert_eq!(again, head);
            assert_eq!(taken, written.len());
        }
        // What was not UTF-8 takes more room than it did.
        other => assert!(written.len() > input.len(), "{other:?}"),
    }
}

fn write_head(head: &Head) -> Vec<u8> {
    let version = match head.version {
        Version::None => "",
        Version::Http10 => " HTTP/1.0",
        Version::Http11 => " HTTP/1.1",
    };
    let mut out = format!("{} {}{version}\r\n", head.method, head.target).into_bytes();
    for (name, value) in head.headers.iter() {
        out.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    out.extend_from_slice(b"\r\n");
    out
}

type Read = Result<(Vec<u8>, usize, bool), (Vec<u8>, Reject)>;

fn read_body(framing: Framing, limit: u64, input: &[u8], size: usize) -> Read {
    let mut body = Vec::new();
    let mut reader = BodyReader::new(framing, limit).map_err(|reject| (Vec::new(), reject))?;
    let mut used = 0;
    while used < input.len() && !reader.is_done() {
        let piece = &input[used..input.len().min(used + size)];
        match reader.push(piece, &mut |bytes| body.extend_from_slice(bytes)) {
            Ok(count) => {
                assert!(count == piece.len() || reader.is_done(), "bytes left over of a body that goes on");
                used += count;
            }
            Err(reject) => return Err((body, reject)),
        }
    }
    Ok((body, used, reader.is_done()))
}

/// HTTP-026, HTTP-027: a body that comes in pieces is the body that comes whole and never more than its limit; a body
/// in chunks that is put into other chunks is the same body.
pub fn body(bytes: &[u8]) {
    let Some((size, rest)) = pieces(bytes) else { return };
    let Some(([kind, limit], input)) = rest.split_first_chunk() else { return };
    let framing = match kind {
        0 => Framing::Empty,
        1..=63 => Framing::Length(u64::from(*kind) * 7),
        _ => Framing::Chunked,
    };
    let limit = u64::from(*limit) * 16;
    let whole = read_body(framing, limit, input, usize::MAX / 2);
    assert_eq!(read_body(framing, limit, input, size), whole, "in pieces of {size}");
    let body = match &whole {
        Ok((body, ..)) | Err((body, _)) => body,
    };
    assert!(body.len() as u64 <= limit);
    if let Ok((body, used, true)) = whole {
        assert!(used <= input.len());
        let mut chunks = Vec::new();
        body.chunks(size).for_each(|data| write_chunk(&mut chunks, data));
        write_last_chunk(&mut chunks);
        assert_eq!(read_body(Framing::Chunked, limit, &chunks, size), Ok((body, chunks.len(), true)));
    }
}

fn read_call(input: &[u8], size: usize) -> Result<Call, BadXml> {
    let mut reader = CallReader::new();
    for piece in input.chunks(size) {
        reader.push(piece)?;
    }
    reader.finish()
}

/// RPC-180 to RPC-195: a document that comes in pieces is the document that comes whole, the short way for usual ones
/// tells what the XML reader tells, and a call that was read and is written out again is the same call.
pub fn call(bytes: &[u8]) {
    let Some((size, input)) = pieces(bytes) else { return };
    let whole = read_call(input, usize::MAX);
    same(&read_call(input, size), &whole);
    let mut at_once = Call { method: "of another call".into(), params: vec![Value::str("its text"); size % 4] };
    if read_at_once(input, &mut at_once) {
        same(&Ok(at_once), &whole);
    }
    if let Ok(call) = &whole {
        let mut written = Vec::new();
        write_call(&mut written, &call.method, &call.params);
        same(&read_call(&written, usize::MAX), &whole);
        // What we write is as usual as can be, but for depth, and carriage returns, which it names by number.
        let mut again = Call::default();
        if read_at_once(&written, &mut again) {
            same(&Ok(again), &whole);
        }
    }
}

/// By what is shown, so that a number that is none equals itself.
fn same(one: &Result<Call, BadXml>, other: &Result<Call, BadXml>) {
    assert_eq!(format!("{one:?}"), format!("{other:?}"));
}

/// What a client gets for bytes that come in pieces of `size`, in a daemon of its own.
fn converse(input: &[u8], size: usize) -> Vec<u8> {
    let text = "[supervisord]\nlogfile=/main.log\nsilent=true\nnocleanup=true\n[inet_http_server]\nport=1\nbody_maxbytes=4KB\n\
                [rpcinterface:cache]\nsupervisor.rpcinterface_factory=supervisor_cache.rpcinterface:make_cache_rpcinterface\n";
    let mut host = SimHost::new(1);
    let now = Now { mono: Mono(1_000_000_000), wall: Wall(1_700_000_000_000_000_000) };
    let mut turn = Turn { now, host: &mut host };
    let mut daemon = Daemon::new(read("/etc/s.conf", text).expect("sound"), &mut turn).expect("a daemon");
    let conn = daemon.accept(0, Peer::Unix, &mut turn).expect("a connection");
    let mut answers = Vec::new();
    let mut take = |input: Input<'_>, daemon: &mut Daemon, turn: &mut Turn<'_>| {
        daemon.take(input, turn);
        loop {
            let busy = daemon.settle(turn);
            let outgoing = daemon.front.get(conn).map(|conn| conn.outgoing().to_vec()).unwrap_or_default();
            answers.extend_from_slice(&outgoing);
            let count = outgoing.len();
            daemon.take(Input::Sent { conn, count }, turn);
            while daemon.front.next_changed().is_some() {}
            if !busy && count == 0 {
                break;
            }
        }
    };
    for bytes in input.chunks(size) {
        take(Input::Received { conn, bytes }, &mut daemon, &mut turn);
    }
    take(Input::Ended(conn), &mut daemon, &mut turn);
    assert!(daemon.front.get(conn).is_some_and(Conn::wants_close), "nothing more can come of it");
    answers
}

/// HTTP-029: whatever a client sends, and in whatever pieces, it gets the same answers. Followed logs are left out: they
/// show what this does to them.
pub fn connection(bytes: &[u8]) {
    let Some((size, input)) = pieces(bytes) else { return };
    if input.windows(7).any(|seven| seven.eq_ignore_ascii_case(b"logtail")) || input.contains(&b'%') {
        return;
    }
    let whole = converse(input, usize::MAX);
    let cut = converse(input, size);
    assert_eq!(String::from_utf8_lossy(&cut), String::from_utf8_lossy(&whole), "in pieces of {size}");
}

/// What a listener's words came to. Of noise and lines that never end only the kind: how much was there when it was
/// noticed depends on the pieces.
fn hear(input: &[u8], size: usize) -> (Vec<String>, Phase) {
    let mut listener = Listener::default();
    let mut heard = Vec::new();
    for piece in input.chunks(size) {
        listener.push(piece);
        while let Some(what) = listener.next() {
            heard.push(match what {
                Heard::Ready => {
                    listener.sent();
                    "ready".to_string()
                }
                Heard::Result(bytes) => {
                    listener.judged(true);
                    format!("result {bytes:?}")
                }
                Heard::BadLine(line) if line.len() > RESULT_LINE_BYTES => "a line without end".to_string(),
                Heard::BadLine(line) => format!("bad line {line}"),
                Heard::Noise(_) => "noise".to_string(),
            });
        }
    }
    (heard, listener.phase())
}

/// EVT-100 to EVT-108: a listener's words in pieces mean what they mean whole, and each event has one end at most.
pub fn listener(bytes: &[u8]) {
    let Some((size, input)) = pieces(bytes) else { return };
    let whole = hear(input, usize::MAX);
    assert_eq!(hear(input, size), whole, "in pieces of {size}");
    let (heard, phase) = whole;
    for pair in heard.windows(2) {
        let broken = |what: &str| what.starts_with("bad") || what == "noise" || what == "a line without end";
        assert!(!broken(&pair[0]), "nothing follows on {pair:?}");
        assert!((pair[0] == "ready") != (pair[1] == "ready") || broken(&pair[1]), "{pair:?}");
    }
    assert_ne!(phase, Phase::Ready, "it got an event at once");
}

/// What capturing made of a stream: plain text, captured bytes, blocks.
fn capture_in(input: &[u8], max: u64, size: usize) -> (Vec<u8>, Vec<u8>, Vec<Vec<u8>>) {
    let mut capture = Capture::new(max);
    let (mut plain, mut captured, mut blocks) = (Vec::new(), Vec::new(), Vec::new());
    let mut sink = |piece: Piece<'_>| match piece {
        Piece::Plain(bytes) => plain.extend_from_slice(bytes),
        Piece::Captured(bytes) => captured.extend_from_slice(bytes),
        Piece::Block(bytes) => blocks.push(bytes),
    };
    for piece in input.chunks(size) {
        capture.push(piece, &mut sink);
    }
    capture.finish(&mut sink);
    (plain, captured, blocks)
}

/// EVT-060 to EVT-067: marks are found in any pieces; what is not between them is as it was, but for them.
pub fn capture(bytes: &[u8]) {
    let Some((size, rest)) = pieces(bytes) else { return };
    let Some((max, input)) = rest.split_first() else { return };
    let whole = capture_in(input, u64::from(*max), usize::MAX);
    assert_eq!(capture_in(input, u64::from(*max), size), whole, "in pieces of {size}");
    let (plain, captured, blocks) = whole;
    const BEGIN: &[u8] = b"<!--XSUPERVISOR:BEGIN-->";
    assert!(blocks.iter().all(|block| block.len() <= usize::from(*max)));
    if !input.windows(BEGIN.len()).any(|mark| mark == BEGIN) {
        assert_eq!((plain.as_slice(), captured.len(), blocks.len()), (input, 0, 0));
    } else {
        assert!(plain.len() + captured.len() + BEGIN.len() <= input.len());
    }
}

/// LOG-050: sequences are found in any pieces; what has none is as it was, and nothing is made up.
pub fn ansi(bytes: &[u8]) {
    let Some((size, input)) = pieces(bytes) else { return };
    let strip = |size: usize| {
        let mut strip = AnsiStrip::default();
        let mut out: Vec<u8> = input.chunks(size).flat_map(|piece| strip.push(piece).into_owned()).collect();
        out.extend_from_slice(strip.finish());
        out
    };
    let whole = strip(usize::MAX);
    assert_eq!(strip(size), whole, "in pieces of {size}");
    let mut left = input.iter();
    assert!(whole.iter().all(|byte| left.any(|other| other == byte)), "in order, and nothing new");
    if !input.windows(2).any(|two| two == b"\x1b[") {
        assert_eq!(whole, input);
    }
}

/// PROC-080: a name that was read and is written again is the same name.
pub fn namespec(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let spec = NameSpec::parse(&text);
    let again = match spec.process {
        Some(process) => display_name(spec.group, process),
        None => format!("{}:*", spec.group),
    };
    assert_eq!(NameSpec::parse(&again), spec, "{text:?}");
    if let Ok(name) = check_name(&text) {
        assert_eq!(NameSpec::parse(&name), NameSpec { group: &name, process: Some(&name) });
        assert_eq!(check_name(&name), Ok(name.clone()));
    }
}

/// PROC-040: words that were split off and are quoted are the same words.
pub fn words(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let Ok(words) = shell_split(&text) else { return };
    let quoted: Vec<String> = words.iter().map(|word| format!("'{}'", word.replace('\'', "'\\''"))).collect();
    assert_eq!(shell_split(&quoted.join(" ")), Ok(words.clone()), "{text:?}");
    let signs = |text: &str| text.chars().filter(|sign| !" \t\r\n'\"\\".contains(*sign)).collect::<String>();
    assert_eq!(signs(&words.concat()), signs(&text), "no sign is lost");
}

/// RPC-110 to RPC-121: whatever offset and length a client gives, what it gets lies within the file.
pub fn offsets(bytes: &[u8]) {
    let mut numbers = bytes.chunks_exact(8).map(|eight| eight.try_into().expect("eight"));
    let (Some(size), Some(offset), Some(length)) = (numbers.next(), numbers.next(), numbers.next()) else { return };
    let (size, offset, length) = (u64::from_le_bytes(size), i64::from_le_bytes(offset), i64::from_le_bytes(length));
    if let Some(slice) = plan_read(size, offset, length) {
        let end = slice.offset.checked_add(slice.length).expect("a place");
        assert!(end <= size, "{slice:?} of {size}");
        assert!(offset < 0 || length == 0 || slice.length <= length.unsigned_abs());
    }
    let tail = plan_tail(size, offset, length);
    let end = tail.slice.offset.checked_add(tail.slice.length).expect("a place");
    assert!(end <= size && tail.offset == size, "{tail:?} of {size}");
    assert!(tail.slice.length <= u64::try_from(length).unwrap_or(0));
}
