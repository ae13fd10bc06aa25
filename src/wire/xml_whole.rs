//! A whole document at once, as nearly all of them are written: the elements of XML-RPC without attributes, in their
//! usual order, with nothing but blanks between them. Most calls come so, in one piece, and the XML reader would spend
//! more on them than everything else together.
//!
//! Whatever a document has besides, and every mistake, is left to the XML reader: `None` says no more than that.

use crate::base::limits;
use crate::base::value::Value;
use crate::wire::xml_members::Members;
use crate::wire::xml_plain::{Front, front};
use crate::wire::xml_read::Call;
use crate::wire::xml_tree::{Scalar, convert};

/// Arrays and structs within each other that are followed here.
const DEPTH: usize = 16;

/// How a declaration may say so.
const UTF_8: [&str; 3] = [" encoding=\"UTF-8\"", " encoding=\"utf-8\"", " encoding='utf-8'"];

/// Reads a call into `call`, whose texts it uses again; if it can't, `call` is anything.
pub fn call(document: &[u8], call: &mut Call) -> Option<()> {
    let mut reader = Reader::new(document)?;
    reader.need("<methodCall>")?;
    reader.blanks();
    reader.need("<methodName>")?;
    call.method.clear();
    reader.text(&mut call.method)?;
    reader.need("</methodName>")?;
    reader.blanks();
    let mut count = 0;
    if reader.eat("<params>") {
        reader.blanks();
        while reader.eat("<param>") {
            if count == call.params.len() {
                call.params.push(Value::Nil);
            }
            reader.blanks();
            reader.value(&mut call.params[count])?;
            count += 1;
            reader.blanks();
            reader.need("</param>")?;
            reader.blanks();
        }
        reader.need("</params>")?;
        reader.blanks();
    }
    call.params.truncate(count);
    reader.need("</methodCall>")?;
    reader.end()
}

/// Reads an answer: the first of its values, and that of its fault.
pub fn answer(document: &[u8]) -> Option<(Option<Value>, Option<Value>)> {
    let mut reader = Reader::new(document)?;
    reader.need("<methodResponse>")?;
    reader.blanks();
    let mut value = Value::Nil;
    let is_fault = reader.eat("<fault>");
    if !is_fault {
        reader.need("<params>")?;
        reader.blanks();
        reader.need("<param>")?;
    }
    reader.blanks();
    reader.value(&mut value)?;
    reader.blanks();
    if !is_fault {
        reader.need("</param>")?;
        reader.blanks();
    }
    reader.need(if is_fault { "</fault>" } else { "</params>" })?;
    reader.blanks();
    reader.need("</methodResponse>")?;
    reader.end()?;
    Some(if is_fault { (None, Some(value)) } else { (Some(value), None) })
}

/// What is left of a document.
struct Reader<'a> {
    rest: &'a str,
    /// Values seen, against [`limits::XML_VALUES`].
    values: usize,
    /// Arrays and structs that are open.
    depth: usize,
}

impl<'a> Reader<'a> {
    /// A document behind its declaration.
    fn new(document: &'a [u8]) -> Option<Reader<'a>> {
        let mut reader = Reader { rest: std::str::from_utf8(document).ok()?, values: 0, depth: 0 };
        if reader.eat("<?xml version=") {
            let is_known = reader.eat("'1.0'") || reader.eat("\"1.0\"");
            // It is UTF-8 whatever it says.
            let _ = UTF_8.iter().any(|said| reader.eat(said));
            reader.need("?>").filter(|()| is_known)?;
        }
        reader.blanks();
        Some(reader)
    }

    fn eat(&mut self, markup: &str) -> bool {
        let rest = self.rest.strip_prefix(markup);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn need(&mut self, markup: &str) -> Option<()> {
        self.eat(markup).then_some(())
    }

    fn blanks(&mut self) {
        let blanks = self.rest.bytes().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')).count();
        self.rest = &self.rest[blanks..];
    }

    /// Blanks, and then nothing.
    fn end(mut self) -> Option<()> {
        self.blanks();
        self.rest.is_empty().then_some(())
    }

    /// Appends text up to a tag.
    fn text(&mut self, out: &mut String) -> Option<()> {
        while !self.rest.starts_with('<') {
            let Front::Text(text, length) = front(self.rest) else { return None };
            out.push_str(text);
            self.rest = &self.rest[length..];
        }
        Some(())
    }

    /// Reads a value in place of another one.
    fn value(&mut self, slot: &mut Value) -> Option<()> {
        self.values += 1;
        self.need("<value>").filter(|()| self.values <= limits::XML_VALUES)?;
        // Text without a type; a type may have blanks around it.
        let mut text = room(slot);
        self.text(&mut text)?;
        if self.eat("</value>") {
            *slot = self.string(text);
            return Some(());
        }
        if !text.trim_ascii().is_empty() {
            return None;
        }
        text.clear();
        *slot = if self.eat("<string>") {
            self.text(&mut text)?;
            self.need("</string>")?;
            self.string(text)
        } else {
            self.typed(text)?
        };
        self.blanks();
        self.need("</value>")
    }

    /// A text as a value: within another one it stays as it is, so it gives back the room it grew for.
    fn string(&self, mut text: String) -> Value {
        if self.depth > 0 {
            text.shrink_to_fit();
        }
        Value::Str(text)
    }

    /// Reads the element of a type.
    fn typed(&mut self, mut text: String) -> Option<Value> {
        let (name, rest) = self.rest.strip_prefix('<')?.split_once('>')?;
        let scalar = match name {
            "nil/" => {
                self.rest = rest;
                return Some(Value::Nil);
            }
            "array" | "struct" if self.depth == DEPTH => return None,
            "array" | "struct" => {
                self.rest = rest;
                self.depth += 1;
                let value = if name == "array" { self.items()? } else { self.members()? };
                self.depth -= 1;
                return Some(value);
            }
            _ => Scalar::named(name)?,
        };
        self.rest = rest;
        self.text(&mut text)?;
        self.need("</")?;
        self.need(name)?;
        self.need(">")?;
        convert(scalar, text).ok()
    }

    fn items(&mut self) -> Option<Value> {
        let mut items = Vec::new();
        self.blanks();
        self.need("<data>")?;
        self.blanks();
        while !self.eat("</data>") {
            let mut item = Value::Nil;
            self.value(&mut item)?;
            items.push(item);
            self.blanks();
        }
        self.blanks();
        self.need("</array>")?;
        Some(Value::Array(items))
    }

    fn members(&mut self) -> Option<Value> {
        let mut members = Members::default();
        self.blanks();
        while !self.eat("</struct>") {
            let (mut name, mut value) = (String::new(), Value::Nil);
            self.need("<member>")?;
            self.blanks();
            self.need("<name>")?;
            self.text(&mut name)?;
            self.need("</name>")?;
            self.blanks();
            self.value(&mut value)?;
            members.push(name, value);
            self.blanks();
            self.need("</member>")?;
            self.blanks();
        }
        Some(Value::Struct(members.into_all()))
    }
}

/// The room of a text that is not needed any more.
fn room(slot: &mut Value) -> String {
    match std::mem::replace(slot, Value::Nil) {
        Value::Str(mut text) => {
            text.clear();
            text
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::words::Fault;
    use crate::wire::xml_read::{CallReader, in_pieces};
    use crate::wire::xml_write::{write_call, write_fault, write_response};

    fn params(document: &str) -> Option<Vec<Value>> {
        let mut read = Call::default();
        call(document.as_bytes(), &mut read).map(|()| read.params)
    }

    #[test]
    fn calls_as_clients_write_them() {
        let value = "<value><array><data><value><int>5</int></value><value>a&amp;b</value></data></array></value>";
        let method = "<methodCall>\n<methodName>m</methodName>";
        let expected = Some(vec![Value::Array(vec![Value::Int(5), Value::str("a&b")])]);
        for declaration in [
            "",
            "<?xml version='1.0'?>\n",
            "<?xml version=\"1.0\"?>",
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n",
            "<?xml version='1.0' encoding='utf-8'?>",
        ] {
            for after in ["", "\n", " \r\n"] {
                let rest = format!("<params>\n<param>\t{value}</param>\n</params></methodCall>{after}");
                assert_eq!(params(&format!("{declaration}{method}\n{rest}")), expected, "{declaration}{after}");
            }
        }
        assert_eq!(params(&format!("{method}</methodCall>")), Some(vec![]));
        assert_eq!(params(&format!("{method}<params></params></methodCall>")), Some(vec![]));
    }

    /// What another call left behind is gone.
    #[test]
    fn a_call_is_read_into_another() {
        let mut read = Call::default();
        for (method, given) in [
            ("a.b", vec![Value::str("a long text"), Value::Int(1), Value::str("")]),
            ("c", vec![Value::str("short"), Value::str("x")]),
            ("a.b.c", vec![]),
            ("a", vec![Value::Struct(vec![("n".into(), Value::Nil)])]),
            ("a", vec![Value::str("")]),
        ] {
            let mut document = Vec::new();
            write_call(&mut document, method, &given);
            assert_eq!(call(&document, &mut read), Some(()));
            assert_eq!((read.method.as_str(), &read.params), (method, &given));
        }
    }

    /// What is taken here the XML reader takes, too, and it means the same; whatever was done to the bytes.
    #[test]
    fn the_xml_reader_agrees() {
        let info = Value::Struct(vec![
            ("name".into(), "a <b> & c ]] >".into()),
            ("pid".into(), 5.into()),
            ("up".into(), true.into()),
            ("load".into(), Value::Double(0.5)),
        ]);
        let list = Value::Array(vec![info.clone(), Value::Nil, info, Value::Array(vec![])]);
        let mut documents = [Vec::new(), Vec::new(), Vec::new()];
        write_response(&mut documents[0], &list);
        write_fault(&mut documents[1], &Fault::with(10, "x"));
        write_call(&mut documents[2], "a.b", &[list, "x".into(), Value::Bytes(vec![1, 2])]);
        let mut dice: u64 = 7;
        let mut roll = |sides: usize| {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (dice >> 33) as usize % sides
        };
        let mut taken = [0; 3];
        let mut read = Call::default();
        for round in 0..30_000 {
            let mut bytes = documents[round % 3].clone();
            // One in ten is left as it is.
            for _ in 0..round % 10 / 4 + usize::from(round % 10 > 0) {
                let (at, what) = (roll(bytes.len()), b"<>/&;]'\" \r\nvi1.x?!"[roll(18)]);
                match roll(3) {
                    0 => bytes[at] = what,
                    1 => bytes.insert(at, what),
                    _ => drop(bytes.remove(at)),
                }
            }
            let shown = || String::from_utf8_lossy(&bytes).into_owned();
            if let Some((value, fault)) = answer(&bytes) {
                taken[round % 3] += 1;
                let same = in_pieces(&bytes).unwrap_or_else(|_| panic!("{}", shown()));
                assert_eq!((value, fault), (same.params.into_iter().next(), same.fault), "{}", shown());
            }
            if call(&bytes, &mut read).is_some() && !read.method.is_empty() {
                taken[round % 3] += 1;
                let mut slow = CallReader::new();
                let same = slow.push(&bytes).and_then(|()| slow.finish());
                assert_eq!(same.as_ref(), Ok(&read), "{}", shown());
            }
        }
        assert!(taken.iter().all(|taken| *taken > 1200), "only {taken:?} were plain");
    }

    #[test]
    fn what_is_unusual_is_left_alone() {
        let around = |value: &str| {
            format!("<methodCall><methodName>m</methodName><params><param>{value}</param></params></methodCall>")
        };
        assert!(params(&around("<value>x</value>")).is_some());
        let deep = |depth: usize| {
            let (open, close) = ("<value><array><data>".repeat(depth), "</data></array></value>".repeat(depth));
            around(&format!("{open}{close}"))
        };
        assert!(params(&deep(DEPTH)).is_some());
        for document in [
            String::new(),
            " ".to_string(),
            "x".to_string() + &around("<value>x</value>"),
            around("<value>x</value>") + "x",
            "\u{feff}".to_string() + &around("<value>x</value>"),
            "<?xml version='1.1'?>".to_string() + &around("<value>x</value>"),
            "<?xml version='1.0' encoding='latin-1'?>".to_string() + &around("<value>x</value>"),
            "<!-- -->".to_string() + &around("<value>x</value>"),
            "<!DOCTYPE r>".to_string() + &around("<value>x</value>"),
            "<r/>".to_string(),
            around(""),
            around("<value/>"),
            around("<value>x"),
            around("<value>x</valu>"),
            around("<value a='b'>x</value>"),
            around("<value>x</value >"),
            around("<value>x<int>5</int></value>"),
            around("<value><int>5</int>x</value>"),
            around("<value><int>5</i4></value>"),
            around("<value><int>x</int></value>"),
            around("<value><odd>x</odd></value>"),
            around("<value><x:nil/></value>"),
            around("<value><![CDATA[x]]></value>"),
            around("<value>&#65;</value>"),
            around("<value>]]></value>"),
            around("<value>\u{1}</value>"),
            around("<value><struct><member><value>1</value><name>n</name></member></struct></value>"),
            deep(DEPTH + 1),
        ] {
            assert!(params(&document).is_none(), "{document}");
        }
        assert!(call(around("<value>x</value>").replace('x', "\u{e9}").as_bytes(), &mut Call::default()).is_some());
        let mut latin = around("<value>x</value>").into_bytes();
        latin.iter_mut().filter(|byte| **byte == b'x').for_each(|byte| *byte = 0xe9);
        assert!(call(&latin, &mut Call::default()).is_none());
    }
}
