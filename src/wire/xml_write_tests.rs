//! Tests of [`super`]: answers, calls and values as they are written, whole and in pieces.
//!
//! Compiled for `#[cfg(test)]` only.

use super::*;
use crate::base::words::fault;
use crate::sim::dice::Dice;

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

/// A value by chance: arrays and structs within each other, long and short texts with all that is odd.
fn any_value(dice: &mut Dice, depth: u64) -> Value {
    const SIGNS: [&str; 12] =
        ["a", "b c", "&", "<", ">", "\r\n", "\u{1}", "\u{e9}", "\u{fffe}", "\u{ffff}", "\u{20ac}", "\u{1f600}"];
    fn text(dice: &mut Dice) -> String {
        let length = if dice.one_in(3) { dice.below(400) } else { dice.below(6) };
        (0..length).map(|_| *dice.pick(&SIGNS)).collect()
    }
    match dice.below(if depth == 0 { 8 } else { 14 }) {
        0 => Value::Nil,
        1 => Value::Bool(dice.one_in(2)),
        2 => Value::Int(dice.below(u64::MAX) as i64),
        3 => Value::Big("12345678901234567890123".to_string()),
        4 => Value::Double(dice.below(1000) as f64 / 8.0),
        5 => Value::Bytes((0..dice.below(300)).map(|_| dice.below(256) as u8).collect()),
        6..=7 => Value::Str(text(dice)),
        8..=10 => Value::Array((0..dice.below(7)).map(|_| any_value(dice, depth - 1)).collect()),
        _ => Value::Struct((0..dice.below(7)).map(|_| (text(dice), any_value(dice, depth - 1))).collect()),
    }
}

/// RPC-200: by chance, in pieces of every size, of which none is much longer than it may be; so are faults.
#[test]
fn rpc_200_202_any_answer_is_the_same_in_pieces() {
    // Markup between two stops, and a slice of a text.
    const MORE: usize = 500;
    let mut dice = Dice::new(7);
    let (mut stops, mut in_texts) = (0, 0);
    for _ in 0..3000 {
        let value = any_value(&mut dice, 5);
        let fault = Fault::with(fault::FAILED, if let Value::Str(text) = &value { text } else { "<&>" });
        for of_fault in [false, true] {
            let write = |out: &mut Vec<u8>, place: &mut Place, limit| match of_fault {
                true => write_fault_piece(out, &fault, place, limit),
                false => write_response_piece(out, &value, place, limit),
            };
            let mut whole = Vec::new();
            assert!(write(&mut whole, &mut Place::default(), usize::MAX));
            let (mut out, mut place) = (b"before".to_vec(), Place::default());
            let most = *dice.pick(&[1, 60, 2000]);
            loop {
                let before = out.len();
                let limit = before + dice.below(most) as usize;
                let is_whole = write(&mut out, &mut place, limit);
                assert!(out.len() <= limit + MORE && (is_whole || out.len() >= limit), "{}", out.len() - limit);
                if is_whole {
                    break;
                }
                assert!(out.len() > before || limit == before);
                stops += 1;
                in_texts += usize::from(!out.ends_with(b">\n"));
            }
            assert_eq!(String::from_utf8_lossy(&out[6..]), String::from_utf8_lossy(&whole));
        }
    }
    assert!(stops > 20_000 && in_texts > 5_000, "{stops}, {in_texts} of them within texts");
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
