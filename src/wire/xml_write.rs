//! XML-RPC documents, written (RPC-200 to 206). Never writes what an XML 1.0 reader must refuse.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::base::scan::plain_length;
use crate::base::text::{float_repr, push_decimal};
use crate::base::value::{Put, Value, ValueRef};
use crate::base::words::Fault;

/// Appends an answer that carries a value.
pub fn write_response(out: &mut Vec<u8>, value: &Value) {
    write_response_piece(out, value, &mut Place::default(), usize::MAX);
}

/// How far a value is written: places in arrays, structs and a text, the outermost last. Empty before the beginning. In a
/// struct an even one is before a member or in its name, an odd one in its value.
#[derive(Default, Debug)]
pub struct Place(Vec<usize>);

/// Appends an answer that carries a value, from `place` on. Stops between two parts of the value, or of a long text, where
/// `out` has come to `limit` bytes; then `place` is where to go on. Returns whether that was all.
pub fn write_response_piece(out: &mut Vec<u8>, value: &Value, place: &mut Place, limit: usize) -> bool {
    if place.0.is_empty() {
        put(out, RESPONSE_HEAD);
    }
    let whole = write_value_from(out, value, Style::Answer, &mut place.0, limit);
    if whole {
        put(out, RESPONSE_END);
    }
    whole
}

/// The two halves of an answer that carries a text of [`is_plain`]: what stands before it and behind it.
pub const TEXT_RESPONSE: [&str; 2] = [
    "<?xml version='1.0'?>\n<methodResponse>\n<params>\n<param>\n<value><string>",
    "</string></value>\n</param>\n</params>\n</methodResponse>\n",
];

/// Whether an answer carries a text as it is.
pub fn is_plain(text: &str) -> bool {
    let mut rest = text.as_bytes();
    loop {
        let odd = &rest[plain_length(rest, ODD)..];
        match odd {
            [] => return true,
            [0xef, 0xbf, 0xbe | 0xbf, ..] => return false,
            [b'\r' | 0xef, ..] => rest = &odd[1..],
            _ => return false,
        }
    }
}

/// The same for an array of `count` structs. `members` gives those of one of them, by its place: no tree of values is
/// made of a list that is long and asked for often.
pub fn write_structs_response(out: &mut Vec<u8>, count: usize, members: &mut dyn FnMut(usize, Put<'_>)) {
    put(out, RESPONSE_HEAD);
    put(out, "<value><array><data>\n");
    for place in 0..count {
        let before = out.len();
        put(out, "<value><struct>\n");
        members(place, &mut |name, value| write_member(out, name, value));
        put(out, "</struct></value>\n");
        if place == 0 {
            // The others are about as long.
            out.reserve((out.len() - before) * (count + count / 8) + RESPONSE_END.len());
        }
    }
    put(out, "</data></array></value>\n");
    put(out, RESPONSE_END);
}

/// In few pieces: of a list of processes this is all there is to do. Names are words of ours, with nothing to escape.
fn write_member(out: &mut Vec<u8>, name: &str, value: ValueRef<'_>) {
    debug_assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'), "{name}");
    put(out, "<member>\n<name>");
    put(out, name);
    match value {
        ValueRef::Int(number) if i32::try_from(number).is_ok() => {
            put(out, "</name>\n<value><int>");
            write_integer(out, number);
            put(out, "</int></value>\n</member>\n");
        }
        ValueRef::Int(number) => {
            put(out, "</name>\n<value><i8>");
            write_integer(out, number);
            put(out, "</i8></value>\n</member>\n");
        }
        ValueRef::Str(text) => {
            put(out, "</name>\n<value><string>");
            write_text(out, text, Style::Answer);
            put(out, "</string></value>\n</member>\n");
        }
        ValueRef::Any(value) => {
            put(out, "</name>\n");
            write_value(out, value, Style::Answer);
            put(out, "</member>\n");
        }
    }
}

const RESPONSE_HEAD: &str = "<?xml version='1.0'?>\n<methodResponse>\n<params>\n<param>\n";
const RESPONSE_END: &str = "</param>\n</params>\n</methodResponse>\n";

/// Appends an answer that carries a fault.
pub fn write_fault(out: &mut Vec<u8>, fault: &Fault) {
    write_fault_piece(out, fault, &mut Place::default(), usize::MAX);
}

/// The same in pieces, as [`write_response_piece`]: a fault may name what a client sent.
pub fn write_fault_piece(out: &mut Vec<u8>, fault: &Fault, place: &mut Place, limit: usize) -> bool {
    let begun = place.0.pop();
    if begun.is_none() {
        put(
            out,
            "<?xml version='1.0'?>\n<methodResponse>\n<fault>\n<value><struct>\n<member>\n<name>faultCode</name>\n",
        );
        write_value(out, &Value::Int(i64::from(fault.code)), Style::Answer);
        put(out, "</member>\n<member>\n<name>faultString</name>\n<value><string>");
    }
    if let Some(at) = write_text_from(out, &fault.text, Style::Answer, begun, limit) {
        place.0.push(at);
        return false;
    }
    put(out, "</string></value>\n</member>\n</struct></value>\n</fault>\n</methodResponse>\n");
    true
}

/// Appends a method call, as a client sends it. It is read as it was meant, carriage returns included.
pub fn write_call(out: &mut Vec<u8>, method: &str, params: &[Value]) {
    put(out, "<?xml version='1.0'?>\n<methodCall>\n<methodName>");
    write_text(out, method, Style::Call);
    put(out, "</methodName>\n<params>\n");
    for value in params {
        put(out, "<param>\n");
        write_value(out, value, Style::Call);
        put(out, "</param>\n");
    }
    put(out, "</params>\n</methodCall>\n");
}

/// How text is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    /// Without references to characters (RPC-205): readers make a line feed of a carriage return (RPC-132).
    Answer,
    /// A carriage return stays one.
    Call,
}

fn put(out: &mut Vec<u8>, markup: &str) {
    out.extend_from_slice(markup.as_bytes());
}

/// A number in decimal digits.
fn write_integer(out: &mut Vec<u8>, number: i64) {
    if number < 0 {
        out.push(b'-');
    }
    push_decimal(out, number.unsigned_abs());
}

/// One value with its line end (RPC-203, 204, 206).
fn write_value(out: &mut Vec<u8>, value: &Value, style: Style) {
    write_value_from(out, value, style, &mut Vec::new(), usize::MAX);
}

/// The same from `place` on, whose last one is that within this value; see [`write_response_piece`].
fn write_value_from(out: &mut Vec<u8>, value: &Value, style: Style, place: &mut Vec<usize>, limit: usize) -> bool {
    let begun = place.pop();
    if begun.is_none() {
        put(out, "<value>");
    }
    match value {
        Value::Nil => put(out, "<nil/>"),
        Value::Bool(truth) => put(out, if *truth { "<boolean>1</boolean>" } else { "<boolean>0</boolean>" }),
        Value::Int(number) => {
            let (open, close) = match i32::try_from(*number) {
                Ok(_) => ("<int>", "</int>"),
                Err(_) => ("<i8>", "</i8>"),
            };
            put(out, open);
            write_integer(out, *number);
            put(out, close);
        }
        // Clients that know no bounds read it.
        Value::Big(digits) => {
            put(out, "<i8>");
            put(out, digits);
            put(out, "</i8>");
        }
        Value::Double(number) => {
            put(out, "<double>");
            put(out, &float_repr(*number));
            put(out, "</double>");
        }
        Value::Str(text) => {
            if begun.is_none() {
                put(out, "<string>");
            }
            if let Some(at) = write_text_from(out, text, style, begun, limit) {
                place.push(at);
                return false;
            }
            put(out, "</string>");
        }
        Value::DateTime(text) => {
            put(out, "<dateTime.iso8601>");
            write_text(out, text, style);
            put(out, "</dateTime.iso8601>");
        }
        Value::Bytes(bytes) => {
            if begun.is_none() {
                put(out, "<base64>");
            }
            if let Some(at) = write_base64_from(out, bytes, begun, limit) {
                place.push(at);
                return false;
            }
            put(out, "</base64>");
        }
        Value::Array(items) => {
            if begun.is_none() {
                put(out, "<array><data>\n");
            }
            for (number, item) in items.iter().enumerate().skip(begun.unwrap_or(0)) {
                if !write_value_from(out, item, style, place, limit) {
                    place.push(number);
                    return false;
                }
                if out.len() >= limit {
                    place.push(number + 1);
                    return false;
                }
            }
            put(out, "</data></array>");
        }
        Value::Struct(members) => {
            if begun.is_none() {
                put(out, "<struct>\n");
            }
            for (number, (name, value)) in members.iter().enumerate().skip(begun.unwrap_or(0) / 2) {
                if begun != Some(2 * number + 1) {
                    let in_name = place.pop();
                    if in_name.is_none() {
                        put(out, "<member>\n<name>");
                    }
                    if let Some(at) = write_text_from(out, name, style, in_name, limit) {
                        place.extend([at, 2 * number]);
                        return false;
                    }
                    put(out, "</name>\n");
                }
                if !write_value_from(out, value, style, place, limit) {
                    place.push(2 * number + 1);
                    return false;
                }
                put(out, "</member>\n");
                if out.len() >= limit {
                    place.push(2 * (number + 1));
                    return false;
                }
            }
            put(out, "</struct>");
        }
    }
    put(out, "</value>\n");
    true
}

/// What [`write_text`] looks at, besides what is odd in all texts.
const ODD: [u8; 3] = [b'&', b'<', b'>'];

/// Text with its three escapes (RPC-205). What XML 1.0 can't carry becomes U+FFFD: controls, U+FFFE and U+FFFF.
fn write_text(out: &mut Vec<u8>, text: &str, style: Style) {
    let mut rest = text.as_bytes();
    loop {
        let (plain, odd) = rest.split_at(plain_length(rest, ODD));
        out.extend_from_slice(plain);
        let (length, instead): (usize, &[u8]) = match odd {
            [] => return,
            [b'&', ..] => (1, b"&amp;"),
            [b'<', ..] => (1, b"&lt;"),
            [b'>', ..] => (1, b"&gt;"),
            [b'\r', ..] if style == Style::Call => (1, b"&#13;"),
            [b'\r', ..] => (1, b"\r"),
            [0..=0x1f, ..] => (1, "\u{fffd}".as_bytes()),
            [_, 0xbf, 0xbe | 0xbf, ..] => (3, "\u{fffd}".as_bytes()),
            // Another character that begins as those two do.
            _ => (1, &odd[..1]),
        };
        out.extend_from_slice(instead);
        rest = &odd[length..];
    }
}

/// How many bytes of a text, or of what becomes base64, are written before it is looked whether that is enough.
fn slice_length(out: &[u8], limit: usize) -> usize {
    limit.saturating_sub(out.len()).clamp(16, 16 * 1024)
}

/// [`write_text`] from a byte on that was returned before. Returns where to go on, if `out` comes to `limit` before the end.
#[inline]
fn write_text_from(out: &mut Vec<u8>, text: &str, style: Style, begun: Option<usize>, limit: usize) -> Option<usize> {
    /// Nearly all texts are no longer, and written without a look at the limit.
    const SHORT: usize = 64;
    if text.len() > SHORT {
        return write_long_text(out, text, style, begun.unwrap_or(0), limit);
    }
    write_text(out, text, style);
    None
}

#[inline(never)]
fn write_long_text(out: &mut Vec<u8>, text: &str, style: Style, begun: usize, limit: usize) -> Option<usize> {
    let mut at = begun;
    loop {
        let mut end = text.len().min(at + slice_length(out, limit));
        while !text.is_char_boundary(end) {
            end += 1;
        }
        write_text(out, &text[at..end], style);
        at = end;
        if at == text.len() {
            return None;
        }
        if out.len() >= limit {
            return Some(at);
        }
    }
}

/// The same for bytes: threes of them become four letters.
fn write_base64_from(out: &mut Vec<u8>, bytes: &[u8], begun: Option<usize>, limit: usize) -> Option<usize> {
    let mut at = begun.unwrap_or(0);
    loop {
        let end = bytes.len().min(at + slice_length(out, limit).next_multiple_of(3));
        write_base64(out, &bytes[at..end]);
        at = end;
        if at == bytes.len() {
            return None;
        }
        if out.len() >= limit {
            return Some(at);
        }
    }
}

fn write_base64(out: &mut Vec<u8>, bytes: &[u8]) {
    let start = out.len();
    out.resize(start + bytes.len().div_ceil(3) * 4, 0);
    let length = BASE64.encode_slice(bytes, &mut out[start..]).unwrap_or(0);
    out.truncate(start + length);
}

#[cfg(test)]
#[path = "xml_write_tests.rs"]
mod tests;
