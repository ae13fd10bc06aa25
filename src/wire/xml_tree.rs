//! XML elements to XML-RPC values (RPC-183 to 195). Sees element names and text, never bytes; keeps what is open on a
//! stack of its own, so depth costs no recursion.

use base64::Engine;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

use crate::base::limits;
use crate::base::scraps::Scraps;
use crate::base::value::Value;
use crate::wire::xml_members::Members;

/// The document breaks a rule or a limit.
#[derive(Debug)]
pub struct Broken;

/// What a document held, and what is open while it is read.
#[derive(Default)]
pub struct Tree {
    /// The text of `methodName`.
    pub method: Option<String>,
    /// The values of `params`.
    pub params: Vec<Value>,
    /// The value of `fault`.
    pub fault: Option<Value>,
    open: Vec<Open>,
    /// Text of the innermost element, if it may have some.
    text: String,
    /// Values seen, against [`limits::XML_VALUES`].
    values: usize,
    /// Arrays and structs that are open, against [`limits::XML_DEPTH`].
    depth: usize,
}

/// An open element.
enum Open {
    /// Whatever the root is called (RPC-183).
    Root,
    MethodName,
    Params,
    Param(Option<Value>),
    Fault,
    /// The value of its first type element.
    Value(Option<Value>),
    Scalar(Scalar),
    Array(Option<Vec<Value>>),
    Data(Vec<Value>),
    Struct(Members),
    Member(Option<String>, Option<Value>),
    Name,
    /// An element without meaning, and all within.
    Ignored,
}

/// A type whose values have no parts.
#[derive(Clone, Copy)]
pub(super) enum Scalar {
    Nil,
    Bool,
    Int,
    Double,
    Str,
    DateTime,
    Bytes,
}

impl Scalar {
    /// The type that an element of this name has.
    pub(super) fn named(name: &str) -> Option<Scalar> {
        Some(match name {
            "string" => Scalar::Str,
            "int" | "i4" | "i8" => Scalar::Int,
            "boolean" => Scalar::Bool,
            "double" => Scalar::Double,
            "dateTime.iso8601" => Scalar::DateTime,
            "base64" => Scalar::Bytes,
            "nil" => Scalar::Nil,
            _ => return None,
        })
    }
}

/// Elements nest deeper than values: a struct's item has three of them. This is beyond what XML_DEPTH allows.
const MAX_OPEN: usize = limits::XML_DEPTH * 4;

/// As lenient as the base64 readers of scripting languages, which let the last bits be anything.
const BASE64: GeneralPurpose =
    GeneralPurpose::new(&alphabet::STANDARD, GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true));

impl Tree {
    /// An element begins; `name` without prefix, so that `ex:nil` and `ex:i8` are known too.
    pub fn open(&mut self, name: &str) -> Result<(), Broken> {
        let next = match (self.open.last(), name) {
            (None, _) => Open::Root,
            (Some(Open::Root), "methodName") => Open::MethodName,
            (Some(Open::Root), "params") => {
                self.params.clear();
                Open::Params
            }
            (Some(Open::Root), "fault") => Open::Fault,
            (Some(Open::Params), "param") => Open::Param(None),
            (Some(Open::Params | Open::Param(_) | Open::Fault | Open::Data(_)), "value") => Open::Value(None),
            (Some(Open::Root | Open::Params | Open::Param(_) | Open::Fault | Open::Ignored), _) => Open::Ignored,
            (Some(Open::Value(_)), _) => match name {
                "array" => Open::Array(None),
                "struct" => Open::Struct(Members::default()),
                // upstream: RPC-189; a type nobody knows is a string too.
                _ => Open::Scalar(Scalar::named(name).unwrap_or(Scalar::Str)),
            },
            (Some(Open::Array(None)), "data") => Open::Data(Vec::new()),
            (Some(Open::Struct(_)), "member") => Open::Member(None, None),
            (Some(Open::Member(None, _)), "name") => Open::Name,
            (Some(Open::Member(_, None)), "value") => Open::Value(None),
            _ => return Err(Broken),
        };
        self.values += usize::from(matches!(next, Open::Value(_)));
        self.depth += usize::from(matches!(next, Open::Array(_) | Open::Struct(_)));
        let within = self.values <= limits::XML_VALUES && self.depth <= limits::XML_DEPTH;
        if !within || self.open.len() >= MAX_OPEN {
            return Err(Broken);
        }
        self.text.clear();
        self.open.push(next);
        Ok(())
    }

    /// Text within the innermost element; a part of it, perhaps.
    pub fn text(&mut self, text: &str) {
        if matches!(self.open.last(), Some(Open::MethodName | Open::Value(None) | Open::Scalar(_) | Open::Name)) {
            self.text.push_str(text);
        }
    }

    /// Whether an element is open.
    pub fn is_open(&self) -> bool {
        !self.open.is_empty()
    }

    /// The innermost element ends.
    pub fn close(&mut self) -> Result<(), Broken> {
        match self.open.pop().ok_or(Broken)? {
            Open::Root | Open::Params | Open::Fault | Open::Ignored => {}
            Open::MethodName => self.method = Some(self.take_text()),
            Open::Param(value) => self.params.push(value.ok_or(Broken)?),
            Open::Value(value) => {
                let value = value.unwrap_or_else(|| Value::Str(self.take_text()));
                return self.deliver(value);
            }
            Open::Scalar(kind) => {
                let value = convert(kind, self.take_text())?;
                return self.typed(value);
            }
            Open::Array(items) => {
                self.depth -= 1;
                return self.typed(Value::Array(items.ok_or(Broken)?));
            }
            Open::Data(items) => match self.open.last_mut() {
                Some(Open::Array(slot)) => *slot = Some(items),
                _ => return Err(Broken),
            },
            Open::Struct(members) => {
                self.depth -= 1;
                return self.typed(Value::Struct(members.into_all()));
            }
            Open::Member(Some(name), Some(value)) => match self.open.last_mut() {
                Some(Open::Struct(members)) => members.push(name, value),
                _ => return Err(Broken),
            },
            Open::Member(..) => return Err(Broken),
            Open::Name => {
                let text = self.take_text();
                match self.open.last_mut() {
                    Some(Open::Member(name, _)) => *name = Some(text),
                    _ => return Err(Broken),
                }
            }
        }
        Ok(())
    }

    /// Is given up: what has been read so far is freed in steps.
    pub fn leave(self, scraps: &mut Scraps) {
        let open = self.open.into_iter().filter_map(|open| match open {
            Open::Param(value) | Open::Value(value) | Open::Member(_, value) => value,
            Open::Array(items) => items.map(Value::Array),
            Open::Data(items) => Some(Value::Array(items)),
            Open::Struct(members) => Some(Value::Struct(members.into_all())),
            Open::Root | Open::MethodName | Open::Params | Open::Fault => None,
            Open::Scalar(_) | Open::Name | Open::Ignored => None,
        });
        for value in self.params.into_iter().chain(open) {
            scraps.add(value);
        }
    }

    /// The text collected, without the room it grew for.
    fn take_text(&mut self) -> String {
        let mut text = std::mem::take(&mut self.text);
        text.shrink_to_fit();
        text
    }

    /// A type element ended: its value belongs to the `value` around it. Of several the first counts.
    fn typed(&mut self, value: Value) -> Result<(), Broken> {
        match self.open.last_mut() {
            Some(Open::Value(slot)) => {
                slot.get_or_insert(value);
                Ok(())
            }
            _ => Err(Broken),
        }
    }

    /// A `value` ended: it belongs to what it stands in.
    fn deliver(&mut self, value: Value) -> Result<(), Broken> {
        match self.open.last_mut() {
            Some(Open::Params) => self.params.push(value),
            Some(Open::Param(slot)) => {
                slot.get_or_insert(value);
            }
            Some(Open::Fault) => self.fault = Some(value),
            Some(Open::Data(items)) => items.push(value),
            Some(Open::Member(_, slot)) => *slot = Some(value),
            _ => return Err(Broken),
        }
        Ok(())
    }
}

/// The value that a text means.
pub(super) fn convert(kind: Scalar, text: String) -> Result<Value, Broken> {
    Ok(match kind {
        Scalar::Nil => Value::Nil,
        Scalar::Bool => Value::Bool(text == "1"), // upstream: RPC-188
        Scalar::Int => Value::integer(text.trim()).ok_or(Broken)?,
        Scalar::Double => Value::Double(text.trim().parse().map_err(|_| Broken)?),
        Scalar::Str => Value::Str(text),
        Scalar::DateTime if is_date_time(text.as_bytes()) => Value::DateTime(text),
        Scalar::DateTime => return Err(Broken),
        Scalar::Bytes => {
            let mut packed = text.into_bytes();
            let bytes = BASE64.decode(&packed).or_else(|_| {
                // Line breaks, say. To look for them first takes as long again.
                packed.retain(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='));
                BASE64.decode(&packed)
            });
            Value::Bytes(bytes.map_err(|_| Broken)?)
        }
    })
}

/// `YYYYMMDDTHH:MM:SS`, and a day that exists (RPC-191).
fn is_date_time(text: &[u8]) -> bool {
    let shape = text.len() == 17
        && text.iter().enumerate().all(|(at, byte)| match at {
            8 => *byte == b'T',
            11 | 14 => *byte == b':',
            _ => byte.is_ascii_digit(),
        });
    let number = |from: usize, to: usize| text[from..to].iter().fold(0, |sum, byte| sum * 10 + u32::from(byte - b'0'));
    shape && {
        let (year, month, day) = (number(0, 4), number(4, 6), number(6, 8));
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let days = match month {
            2 => 28 + u32::from(leap),
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => 0,
        };
        let clock = number(9, 11) < 24 && number(12, 14) < 60 && number(15, 17) < 60;
        year > 0 && (1..=days).contains(&day) && clock
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::xml_read::{BadXml, Call, CallReader};

    fn call(document: &str) -> Result<Call, BadXml> {
        let mut reader = CallReader::new();
        reader.push(document.as_bytes())?;
        reader.finish()
    }

    /// The only argument, written as `xml`.
    fn arg(xml: &str) -> Option<Value> {
        let document = format!("<c><methodName>m</methodName><params><param>{xml}</param></params></c>");
        let mut call = call(&document).ok()?;
        assert!(call.params.len() == 1);
        call.params.pop()
    }

    fn typed(kind: &str, text: &str) -> Option<Value> {
        arg(&format!("<value>\n <{kind}>{text}</{kind}>\n</value>"))
    }

    fn str(text: &str) -> Option<Value> {
        Some(Value::str(text))
    }

    #[test]
    fn rpc_182_183_methods_and_params() {
        let method = |xml: &str| call(xml).map(|call| (call.method, call.params.len()));
        assert_eq!(method("<any><methodName> a b </methodName></any>"), Ok((" a b ".to_string(), 0)));
        assert_eq!(method("<c>x<methodName>a</methodName><params/>y</c>"), Ok(("a".to_string(), 0)));
        assert_eq!(method("<c><params>\n</params><methodName>a</methodName></c>"), Ok(("a".to_string(), 0)));
        assert_eq!(method("<c><methodName>a</methodName><other><x>y</x></other></c>"), Ok(("a".to_string(), 0)));
        assert_eq!(method("<c><methodName/></c>"), Err(BadXml::NoMethodName));
        assert_eq!(method("<methodCall><params></params></methodCall>"), Err(BadXml::NoMethodName));
        assert_eq!(method("<c><methodName>a<b/></methodName></c>"), Err(BadXml::Unmarshallable));
        assert_eq!(method("<c><methodName>a</methodName><params><param/></params></c>"), Err(BadXml::Unmarshallable));
    }

    #[test]
    fn rpc_184_values_without_type() {
        assert_eq!(arg("<value/>"), str(""));
        assert_eq!(arg("<value> x </value>"), str(" x "));
        assert_eq!(arg("<value> \n </value>"), str(" \n "));
        assert_eq!(arg("<value>a\r\nb\rc&#13;d</value>"), str("a\nb\nc\rd"));
        assert_eq!(arg("<value><![CDATA[<a>]]>x<!-- c -->y&amp;<?p i?>z</value>"), str("<a>xy&z"));
        assert_eq!(arg("<value>&#233;&#x1F600;&quot;&apos;&lt;&gt;</value>"), str("é😀\"'<>"));
        assert_eq!(arg("<value>beside<int>5</int>it</value>"), Some(Value::Int(5)));
        assert_eq!(arg("<value><int>5</int><int>6</int></value>"), Some(Value::Int(5)));
        assert_eq!(arg("<value>5</value><value>6</value>"), str("5"));
    }

    #[test]
    fn rpc_185_depth_and_count() {
        let nested = |open: &str, close: &str, depth| {
            arg(&format!("{}<value>x</value>{}", open.repeat(depth), close.repeat(depth)))
        };
        let array = ("<value><array><data>", "</data></array></value>");
        let member = ("<value><struct><member><name>a</name>", "</member></struct></value>");
        for (open, close) in [array, member] {
            assert!(nested(open, close, 64).is_some());
            assert!(nested(open, close, limits::XML_DEPTH).is_some());
            assert!(nested(open, close, limits::XML_DEPTH + 1).is_none());
        }
        let ignored = format!("<c><methodName>m</methodName>{}{}</c>", "<x>".repeat(5000), "</x>".repeat(5000));
        assert_eq!(call(&ignored), Err(BadXml::Unmarshallable));
        let mut tree = Tree::default();
        tree.open("c").and_then(|()| tree.open("params")).unwrap();
        for _ in 0..limits::XML_VALUES {
            tree.open("value").and_then(|()| tree.close()).unwrap();
        }
        assert!(tree.open("value").is_err());
    }

    #[test]
    fn rpc_186_187_integers() {
        for kind in ["int", "i4", "i8"] {
            assert_eq!(typed(kind, " 5\n"), Some(Value::Int(5)));
            assert_eq!(typed(kind, "+5"), Some(Value::Int(5)));
            assert_eq!(typed(kind, "-9223372036854775808"), Some(Value::Int(i64::MIN)));
            // Any size.
            let big = |text: &str| Some(Value::Big(text.to_string()));
            assert_eq!(typed(kind, "9223372036854775807"), Some(Value::Int(i64::MAX)));
            assert_eq!(typed(kind, " 9223372036854775808 "), big("9223372036854775808"));
            assert_eq!(typed(kind, "-009223372036854775809"), big("-9223372036854775809"));
            assert_eq!(typed(kind, &format!("+{}1", "0".repeat(50))), Some(Value::Int(1)));
            for bad in ["", "1.0", "five", "0x5", "- 5", "+-9223372036854775808", "99999999999999999999x", "-"] {
                assert_eq!(typed(kind, bad), None, "{bad}");
            }
        }
        let prefixed = "<value><ex:i8 xmlns:ex='http://ws.apache.org/xmlrpc/namespaces/extensions'>7</ex:i8></value>";
        assert_eq!(arg(prefixed), Some(Value::Int(7)));
    }

    #[test]
    fn rpc_188_booleans() {
        assert_eq!(typed("boolean", "1"), Some(Value::Bool(true)));
        for other in ["0", "", "true", " 1 ", "2"] {
            assert_eq!(typed("boolean", other), Some(Value::Bool(false)));
        }
    }

    #[test]
    fn rpc_189_strings() {
        assert_eq!(typed("string", ""), str(""));
        assert_eq!(typed("string", " a "), str(" a "));
        assert_eq!(typed("unknown", "x"), str("x"));
        assert_eq!(typed("string", "a<b>c</b>"), None);
    }

    #[test]
    fn rpc_190_doubles() {
        assert_eq!(typed("double", " -1.5 "), Some(Value::Double(-1.5)));
        assert_eq!(typed("double", "1e3"), Some(Value::Double(1000.0)));
        assert_eq!(typed("double", "7"), Some(Value::Double(7.0)));
        assert_eq!(typed("double", "inf"), Some(Value::Double(f64::INFINITY)));
        for bad in ["", "x", "1,5", "1.5 2"] {
            assert_eq!(typed("double", bad), None, "{bad}");
        }
    }

    #[test]
    fn rpc_191_dates() {
        for good in ["20200229T03:04:05", "19991231T23:59:59", "20000229T00:00:00"] {
            assert_eq!(typed("dateTime.iso8601", good), Some(Value::DateTime(good.to_string())));
        }
        for bad in [
            "",
            " 20200102T03:04:05",
            "20200102T03:04:05Z",
            "2020-01-02T03:04:05",
            "20201302T03:04:05",
            "20200001T03:04:05",
            "20200230T03:04:05",
            "19000229T03:04:05",
            "20200431T03:04:05",
            "20200100T03:04:05",
            "00000101T03:04:05",
            "20200102T24:04:05",
            "20200102T03:60:05",
            "20200102 03:04:05",
            "2020010éT03:04:05",
        ] {
            assert_eq!(typed("dateTime.iso8601", bad), None, "{bad}");
        }
    }

    #[test]
    fn rpc_192_base64() {
        assert_eq!(typed("base64", "\naGVs\nbG8=\n"), Some(Value::Bytes(b"hello".to_vec())));
        assert_eq!(typed("base64", "/wABAg=="), Some(Value::Bytes(b"\xff\x00\x01\x02".to_vec())));
        assert_eq!(typed("base64", "aGV*sbG8="), Some(Value::Bytes(b"hello".to_vec())));
        assert_eq!(typed("base64", ""), Some(Value::Bytes(vec![])));
        assert_eq!(typed("base64", "aGVsbG8"), None);
        assert_eq!(typed("base64", "a"), None);
    }

    #[test]
    fn rpc_193_arrays() {
        let array = |xml: &str| arg(&format!("<value><array>{xml}</array></value>"));
        assert_eq!(
            array(" <data> <value>1</value>\n<value> <i4>2</i4> </value> </data> "),
            Some(Value::Array(vec![Value::str("1"), Value::Int(2)]))
        );
        assert_eq!(array("<data/>"), Some(Value::Array(vec![])));
        for bad in ["", "<value>1</value>", "<data><int>1</int></data>", "<data/><data/>", "<x/>"] {
            assert_eq!(array(bad), None, "{bad}");
        }
    }

    #[test]
    fn rpc_194_structs() {
        let structure = |xml: &str| arg(&format!("<value><struct>{xml}</struct></value>"));
        let member = |name: &str, value: &str| format!("<member><name>{name}</name><value>{value}</value></member>\n");
        let pair = |name: &str, value: &str| (name.to_string(), Value::str(value));
        assert_eq!(structure(""), Some(Value::Struct(vec![])));
        assert_eq!(
            structure(&[member("a", "1"), member(" b ", "2"), member("", "4"), member("a", "3")].concat()),
            Some(Value::Struct(vec![pair("a", "3"), pair(" b ", "2"), pair("", "4")]))
        );
        let many: String = (0..40).map(|at| member(&format!("n{}", at % 20), &at.to_string())).collect();
        let last: Vec<_> = (0..20).map(|at| pair(&format!("n{at}"), &(at + 20).to_string())).collect();
        assert_eq!(structure(&many), Some(Value::Struct(last)));
        let swapped = "<member><value>1</value><name>a</name></member>";
        assert_eq!(structure(swapped), Some(Value::Struct(vec![pair("a", "1")])));
        for bad in [
            "<member/>",
            "<member><name>a</name></member>",
            "<member><value>a</value></member>",
            "<member><name>a</name><name>b</name><value>1</value></member>",
            "<member><name>a</name><value>1</value><value>2</value></member>",
            "<x/>",
        ] {
            assert_eq!(structure(bad), None, "{bad}");
        }
    }

    #[test]
    fn rpc_195_nil() {
        assert_eq!(arg("<value><nil/></value>"), Some(Value::Nil));
        assert_eq!(arg("<value><nil></nil></value>"), Some(Value::Nil));
        assert_eq!(arg("<value><x:nil xmlns:x='urn:x'/></value>"), Some(Value::Nil));
    }
}
