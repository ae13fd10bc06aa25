//! XML-RPC documents, written (RPC-200 to 206). Never writes what an XML 1.0 reader must refuse.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::base::text::{float_repr, push_decimal};
use crate::base::value::{Put, Value, ValueRef};
use crate::base::words::Fault;
use crate::wire::scan::plain_length;

/// Appends an answer that carries a value.
pub fn write_response(out: &mut Vec<u8>, value: &Value) {
    write_response_piece(out, value, &mut Place::default(), usize::MAX);
}

/// How far a value is written: places in arrays and structs, the outermost last. Empty before the beginning.
#[derive(Default, Debug)]
pub struct Place(Vec<usize>);

/// Appends an answer that carries a value, from `place` on. Stops between two parts of the value where `out` has come to
/// `limit` bytes; then `place` is where to go on. Returns whether that was all.
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
    put(out, "<?xml version='1.0'?>\n<methodResponse>\n<fault>\n<value><struct>\n<member>\n<name>faultCode</name>\n");
    write_value(out, &Value::Int(i64::from(fault.code)), Style::Answer);
    put(out, "</member>\n<member>\n<name>faultString</name>\n<value><string>");
    write_text(out, &fault.text, Style::Answer);
    put(out, "</string></value>\n</member>\n</struct></value>\n</fault>\n</methodResponse>\n");
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
            put(out, "<string>");
            write_text(out, text, style);
            put(out, "</string>");
        }
        Value::DateTime(text) => {
            put(out, "<dateTime.iso8601>");
            write_text(out, text, style);
            put(out, "</dateTime.iso8601>");
        }
        Value::Bytes(bytes) => {
            put(out, "<base64>");
            write_base64(out, bytes);
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
            for (number, (name, value)) in members.iter().enumerate().skip(begun.unwrap_or(0)) {
                // Unless it stopped within the value.
                if place.is_empty() {
                    put(out, "<member>\n<name>");
                    write_text(out, name, style);
                    put(out, "</name>\n");
                }
                if !write_value_from(out, value, style, place, limit) {
                    place.push(number);
                    return false;
                }
                put(out, "</member>\n");
                if out.len() >= limit {
                    place.push(number + 1);
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

fn write_base64(out: &mut Vec<u8>, bytes: &[u8]) {
    let start = out.len();
    out.resize(start + bytes.len().div_ceil(3) * 4, 0);
    let length = BASE64.encode_slice(bytes, &mut out[start..]).unwrap_or(0);
    out.truncate(start + length);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(value: &Value) -> String {
        let mut out = Vec::new();
        write_value(&mut out, value, Style::Answer);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn rpc_200_201_answers() {
        let mut out = b"before".to_vec();
        write_response(&mut out, &Value::str("3.0"));
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "before<?xml version='1.0'?>\n<methodResponse>\n<params>\n<param>\n<value><string>3.0</string></value>\n\
             </param>\n</params>\n</methodResponse>\n"
        );
        let mut out = Vec::new();
        write_response(&mut out, &Value::str("plain"));
        assert_eq!(out, TEXT_RESPONSE.join("plain").as_bytes());
    }

    /// Whatever the pieces, they make the same answer.
    #[test]
    fn rpc_200_answers_in_pieces() {
        let few = || Value::Struct(vec![("a<".to_string(), Value::Int(1)), ("b".to_string(), Value::Array(vec![]))]);
        let deep = Value::Array(vec![few(), Value::Struct(vec![]), Value::Array(vec![few(), "x".into()]), few()]);
        for value in [Value::Nil, Value::Array(vec![]), few(), deep] {
            let mut whole = Vec::new();
            write_response(&mut whole, &value);
            for piece in [1, 20, 50, 100, 1000] {
                let (mut out, mut place, mut pieces) = (Vec::new(), Place::default(), 1);
                while {
                    let limit = out.len() + piece;
                    !write_response_piece(&mut out, &value, &mut place, limit)
                } {
                    pieces += 1;
                }
                assert_eq!(String::from_utf8_lossy(&out), String::from_utf8_lossy(&whole));
                assert!(pieces > 1 || piece > 1 || matches!(value, Value::Nil | Value::Array(_)), "{value:?}");
                assert!(pieces == 1 || piece < 1000);
            }
        }
    }

    #[test]
    fn rpc_202_faults() {
        let mut out = Vec::new();
        write_fault(&mut out, &Fault { code: 10, text: "BAD_NAME: <x>".to_string() });
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "<?xml version='1.0'?>\n<methodResponse>\n<fault>\n<value><struct>\n<member>\n<name>faultCode</name>\n\
             <value><int>10</int></value>\n</member>\n<member>\n<name>faultString</name>\n\
             <value><string>BAD_NAME: &lt;x&gt;</string></value>\n</member>\n</struct></value>\n</fault>\n\
             </methodResponse>\n"
        );
    }

    #[test]
    fn rpc_180_calls_as_python_writes_them() {
        let mut out = Vec::new();
        write_call(&mut out, "cache.fetch", &[Value::str("k"), Value::Int(1)]);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "<?xml version='1.0'?>\n<methodCall>\n<methodName>cache.fetch</methodName>\n<params>\n<param>\n\
             <value><string>k</string></value>\n</param>\n<param>\n<value><int>1</int></value>\n</param>\n</params>\n\
             </methodCall>\n"
        );
    }

    #[test]
    fn rpc_203_scalars() {
        assert_eq!(value(&Value::Int(-5)), "<value><int>-5</int></value>\n");
        assert_eq!(value(&Value::Bool(true)), "<value><boolean>1</boolean></value>\n");
        assert_eq!(value(&Value::Bool(false)), "<value><boolean>0</boolean></value>\n");
        assert_eq!(value(&Value::str("")), "<value><string></string></value>\n");
        assert_eq!(
            value(&Value::DateTime("20200102T03:04:05".to_string())),
            "<value><dateTime.iso8601>20200102T03:04:05</dateTime.iso8601></value>\n"
        );
    }

    #[test]
    fn rpc_204_containers() {
        assert_eq!(value(&Value::Array(vec![])), "<value><array><data>\n</data></array></value>\n");
        assert_eq!(
            value(&Value::Array(vec![Value::Int(1), Value::Array(vec![])])),
            "<value><array><data>\n<value><int>1</int></value>\n<value><array><data>\n</data></array></value>\n\
             </data></array></value>\n"
        );
        assert_eq!(value(&Value::Struct(vec![])), "<value><struct>\n</struct></value>\n");
        assert_eq!(
            value(&Value::Struct(vec![("a<".to_string(), Value::Int(1))])),
            "<value><struct>\n<member>\n<name>a&lt;</name>\n<value><int>1</int></value>\n</member>\n\
             </struct></value>\n"
        );
    }

    #[test]
    fn structs_are_written_as_values_are() {
        let some = Value::Array(vec![Value::Nil]);
        let member = |place: usize| {
            let (number, large) = (ValueRef::Int(place as i64 - 1), ValueRef::Int(i64::MAX - place as i64));
            [("a", number), ("a_2", large), ("b", ValueRef::Str("x & y\u{1}")), ("c", ValueRef::Any(&some))]
        };
        for count in 0..4 {
            let mut out = b"before".to_vec();
            write_structs_response(&mut out, count, &mut |place, put| {
                member(place).into_iter().for_each(|(name, value)| put(name, value));
            });
            let of = |place| member(place).map(|(name, value)| (name.to_string(), Value::from(value))).to_vec();
            let mut expected = b"before".to_vec();
            write_response(&mut expected, &Value::Array((0..count).map(of).map(Value::Struct).collect()));
            assert_eq!(String::from_utf8(out), String::from_utf8(expected));
        }
    }

    #[test]
    fn rpc_205_escapes_and_what_xml_cannot_carry() {
        let text = |text: &str| {
            let mut out = Vec::new();
            write_text(&mut out, text, Style::Answer);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(text("<café & co>\"'\t\r\n"), "&lt;café &amp; co&gt;\"'\t\r\n");
        assert_eq!(text("a\0\u{1b}[\u{fffe}\u{ffff}]"), "a\u{fffd}\u{fffd}[\u{fffd}\u{fffd}]");
        assert_eq!(text("\u{fffd}\u{ffc0}\u{7f}\u{85}😊"), "\u{fffd}\u{ffc0}\u{7f}\u{85}😊");
        assert_eq!(text("&&"), "&amp;&amp;");
        assert_eq!(text(""), "");
        // What is written as it is is known beforehand.
        let filler = "plain text ".repeat(20);
        for odd in ["", "\t\n", "\r", "\r\n\r", "\u{fffd}", "\u{ffc0}", "\u{f8ff}", "é\u{85}😊", "\u{7f}", "]]"] {
            assert!(is_plain(odd) && is_plain(&format!("{filler}{odd}{filler}")), "{odd:?}");
            assert_eq!(text(odd), odd);
        }
        for odd in ["<", ">", "&", "\0", "\u{1b}", "\u{fffe}", "\u{ffff}", "\r\u{1}", "\u{ffc0}&"] {
            assert!(!is_plain(odd) && !is_plain(&format!("{filler}{odd}{filler}")), "{odd:?}");
        }
    }

    #[test]
    fn rpc_206_beyond_the_old_types() {
        assert_eq!(value(&Value::Int(2_147_483_647)), "<value><int>2147483647</int></value>\n");
        for number in [0, -1, 10, 99, 100, i64::from(i32::MIN), i64::MIN, i64::MAX] {
            let tag = if i32::try_from(number).is_ok() { "int" } else { "i8" };
            assert_eq!(value(&Value::Int(number)), format!("<value><{tag}>{number}</{tag}></value>\n"));
        }
        assert_eq!(value(&Value::Int(2_147_483_648)), "<value><i8>2147483648</i8></value>\n");
        assert_eq!(value(&Value::Int(-2_147_483_649)), "<value><i8>-2147483649</i8></value>\n");
        let big = Value::integer("-99999999999999999999").unwrap();
        assert_eq!(value(&big), "<value><i8>-99999999999999999999</i8></value>\n");
        assert_eq!(value(&Value::Nil), "<value><nil/></value>\n");
        assert_eq!(value(&Value::Bytes(b"\xff\x00\x01\x02".to_vec())), "<value><base64>/wABAg==</base64></value>\n");
        assert_eq!(value(&Value::Bytes(vec![])), "<value><base64></base64></value>\n");
    }
}
