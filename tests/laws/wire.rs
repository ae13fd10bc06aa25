//! Documents and bodies: what two readers make of the same bytes, and what comes out of packed ones.

use std::fmt::Debug;

use majordomo::wire::gzip::Unpacker;
use majordomo::wire::gzip_stream::Encoder;
use majordomo::wire::http_client::ResponseReader;
use majordomo::wire::http_in::Reject;
use majordomo::wire::xml_read::{Call, read_at_once, read_response};
use majordomo::wire::xml_write::{write_fault, write_response};

use super::{pieces, read_call};

/// RPC-180 to RPC-195: the short ways, for plain text, for elements without attributes and for usual documents, tell what
/// xml-rs tells. A document that calls itself XML 1.1 goes without them, by xml-rs alone; both versions read alike but
/// for a few characters, and references to them, which are left out here.
pub fn readers(bytes: &[u8]) {
    let Some((size, input)) = pieces(bytes) else { return };
    let Ok(text) = std::str::from_utf8(input) else { return };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).trim_start();
    let declared = text.strip_prefix("<?xml").and_then(|rest| rest.split_once("?>"));
    let text = declared.map_or(text, |(_, rest)| rest);
    let differs = |sign: char| {
        matches!(sign, '\u{7f}'..='\u{9f}' | '\u{2028}') || (sign < ' ' && !matches!(sign, '\t' | '\n' | '\r'))
    };
    if text.contains("<?xml") || text.contains("&#") || text.contains(differs) {
        return;
    }
    let [old, new] = ["1.0", "1.1"].map(|version| format!("<?xml version='{version}'?>{text}").into_bytes());
    let by_xml_rs = read_call(&new, usize::MAX);
    same(&read_call(&old, usize::MAX), &by_xml_rs);
    same(&read_call(&old, size), &by_xml_rs);
    let mut at_once = Call::default();
    if read_at_once(text.as_bytes(), &mut at_once) {
        same(&Ok::<_, ()>(at_once), &by_xml_rs);
    }
}

/// By what is shown, so that a number that is none equals itself.
fn same(one: &impl Debug, other: &impl Debug) {
    assert_eq!(format!("{one:?}"), format!("{other:?}"));
}

/// RPC-200 to RPC-207: an answer that was read and is written out again is the same answer, but for carriage returns: as
/// Supervisor's they are written as they are, and read as line feeds (RPC-132, RPC-205).
pub fn answer(bytes: &[u8]) {
    let Ok(result) = read_response(bytes) else { return };
    let mut written = Vec::new();
    match &result {
        Ok(value) => write_response(&mut written, value),
        Err(fault) => write_fault(&mut written, fault),
    }
    let shown = |answer: String| answer.replace("\\r\\n", "\\n").replace("\\r", "\\n");
    let again = read_response(&written);
    assert_eq!(shown(format!("{again:?}")), shown(format!("{:?}", Ok::<_, ()>(result))));
}

fn unpack(input: &[u8], limit: u64, size: usize) -> (Vec<u8>, Result<(), Reject>) {
    let mut out = Vec::new();
    let mut unpacker = Unpacker::new(limit);
    let mut sink = |bytes: &[u8]| out.extend_from_slice(bytes);
    let read = input.chunks(size).try_for_each(|piece| unpacker.push(piece, &mut sink));
    let result = read.and_then(|()| unpacker.finish(&mut sink));
    (out, result)
}

/// HTTP-024: a packed body in pieces is what it is whole, and no more than its limit; what is packed comes out again.
pub fn gzip(bytes: &[u8]) {
    let Some((size, rest)) = pieces(bytes) else { return };
    let Some((limit, input)) = rest.split_first() else { return };
    let limit = u64::from(*limit) * 64;
    let whole = unpack(input, limit, usize::MAX);
    assert_eq!(unpack(input, limit, size), whole, "in pieces of {size}");
    assert!(whole.0.len() as u64 <= limit);
    let packed = Encoder::new(6).finish(input);
    assert_eq!(unpack(&packed, input.len() as u64, size), (input.to_vec(), Ok(())));
    if let Some(less) = (input.len() as u64).checked_sub(1) {
        assert_eq!(unpack(&packed, less, size).1, Err(Reject::TooLarge));
    }
}

/// What a client makes of an answer: its status, its body, how much was used, whether that is all, or nothing.
fn hear(input: &[u8], size: usize) -> Option<(Option<u16>, Vec<u8>, usize, bool)> {
    let mut reader = ResponseReader::new();
    let (mut body, mut used) = (Vec::new(), 0);
    while used < input.len() && !reader.is_done() {
        let piece = &input[used..input.len().min(used + size)];
        let taken = reader.push(piece, &mut |bytes| body.extend_from_slice(bytes)).ok()?;
        used += taken;
        if taken < piece.len() {
            break;
        }
    }
    let status = reader.head().map(|head| head.status);
    Some((status, body, used, reader.finish_at_eof().is_ok()))
}

/// HTTP-150: whatever a server answers, `supervisorctl` reads it to an end, in pieces as whole.
pub fn response(bytes: &[u8]) {
    let Some((size, input)) = pieces(bytes) else { return };
    assert_eq!(hear(input, size), hear(input, usize::MAX / 2), "in pieces of {size}");
}
