//! XML-RPC as a client writes and reads it. Shares no code with the daemon's own reader and writer, so that a mistake
//! there can't hide here; accepts only what the specification allows, plus nil and i8.

use majordomo::base::value::Value;
use xml::reader::{EventReader, ParserConfig, XmlEvent};

/// What a call gave: a value, or a fault's code and text.
pub type Answer = Result<Value, (i64, String)>;

/// A call's document.
pub fn call(method: &str, params: &[Value]) -> String {
    let mut text =
        format!("<?xml version='1.0'?>\n<methodCall>\n<methodName>{}</methodName>\n<params>\n", escaped(method));
    for param in params {
        text.push_str("<param>\n");
        write(&mut text, param);
        text.push_str("</param>\n");
    }
    text.push_str("</params>\n</methodCall>\n");
    text
}

/// A call's document in a request to `/RPC2`.
pub fn request(method: &str, params: &[Value]) -> Vec<u8> {
    request_with(&call(method, params))
}

/// Any document in a request to `/RPC2`.
pub fn request_with(body: &str) -> Vec<u8> {
    format!(
        "POST /RPC2 HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn write(out: &mut String, value: &Value) {
    out.push_str("<value>");
    match value {
        Value::Nil => out.push_str("<nil/>"),
        Value::Bool(truth) => out.push_str(&format!("<boolean>{}</boolean>", i32::from(*truth))),
        Value::Int(number) => out.push_str(&format!("<int>{number}</int>")),
        Value::Big(digits) => out.push_str(&format!("<int>{digits}</int>")),
        Value::Double(number) => out.push_str(&format!("<double>{number}</double>")),
        Value::Str(text) => out.push_str(&format!("<string>{}</string>", escaped(text))),
        Value::DateTime(text) => out.push_str(&format!("<dateTime.iso8601>{text}</dateTime.iso8601>")),
        Value::Bytes(_) => panic!("no test sends base64 from here"),
        Value::Array(items) => {
            out.push_str("<array><data>\n");
            items.iter().for_each(|item| write(out, item));
            out.push_str("</data></array>");
        }
        Value::Struct(members) => {
            out.push_str("<struct>\n");
            for (name, member) in members {
                out.push_str(&format!("<member>\n<name>{}</name>\n", escaped(name)));
                write(out, member);
                out.push_str("</member>\n");
            }
            out.push_str("</struct>");
        }
    }
    out.push_str("</value>\n");
}

/// A struct's value.
pub fn members(pairs: &[(&str, Value)]) -> Value {
    Value::Struct(pairs.iter().map(|(name, value)| (name.to_string(), value.clone())).collect())
}

/// One element with its text and children: all the structure a response needs.
struct Element {
    name: String,
    text: String,
    inside: Vec<Element>,
}

/// Reads a response. Panics with the document when it is none.
pub fn response(body: &[u8]) -> Answer {
    let shown = || String::from_utf8_lossy(body).into_owned();
    let root = tree(body).unwrap_or_else(|problem| panic!("{problem} in:\n{}", shown()));
    assert_eq!(root.name, "methodResponse", "{}", shown());
    let [only] = root.inside.as_slice() else { panic!("not one element in the response:\n{}", shown()) };
    match only.name.as_str() {
        "params" => Ok(value(child(child(only, "param"), "value"))),
        "fault" => {
            let fault = value(child(only, "value"));
            match (fault.member("faultCode"), fault.member("faultString")) {
                (Some(Value::Int(code)), Some(Value::Str(text))) => Err((*code, text.clone())),
                _ => panic!("no fault:\n{}", shown()),
            }
        }
        other => panic!("<{other}> in a response:\n{}", shown()),
    }
}

fn child<'a>(element: &'a Element, name: &str) -> &'a Element {
    match element.inside.as_slice() {
        [only] if only.name == name => only,
        _ => panic!("<{}> must have exactly one <{name}>", element.name),
    }
}

fn tree(body: &[u8]) -> Result<Element, String> {
    let config = ParserConfig::new().whitespace_to_characters(true).cdata_to_characters(true);
    let mut open = vec![Element { name: String::new(), text: String::new(), inside: Vec::new() }];
    for event in EventReader::new_with_config(body, config) {
        match event.map_err(|problem| problem.to_string())? {
            XmlEvent::StartElement { name, .. } => {
                open.push(Element { name: name.local_name, text: String::new(), inside: Vec::new() });
            }
            XmlEvent::EndElement { .. } => {
                let done = open.pop().ok_or("one end too many")?;
                open.last_mut().ok_or("one end too many")?.inside.push(done);
            }
            XmlEvent::Characters(text) => open.last_mut().ok_or("text outside")?.text.push_str(&text),
            _ => {}
        }
    }
    open.pop().and_then(|mut outside| outside.inside.pop()).ok_or_else(|| "no element".to_string())
}

fn value(element: &Element) -> Value {
    let [typed] = element.inside.as_slice() else {
        assert!(element.inside.is_empty(), "a value has one type");
        return Value::Str(element.text.clone());
    };
    let text = || typed.text.clone();
    match typed.name.as_str() {
        "nil" => Value::Nil,
        "boolean" => match typed.text.as_str() {
            "0" => Value::Bool(false),
            "1" => Value::Bool(true),
            other => panic!("{other:?} is no boolean"),
        },
        "int" | "i4" => Value::Int(typed.text.parse::<i32>().expect("32 bits").into()),
        "i8" => Value::Int(typed.text.parse().expect("64 bits")),
        "double" => Value::Double(typed.text.parse().expect("a double")),
        "string" => Value::Str(text()),
        "dateTime.iso8601" => Value::DateTime(text()),
        "array" => Value::Array(child(typed, "data").inside.iter().map(value).collect()),
        "struct" => Value::Struct(typed.inside.iter().map(member).collect()),
        other => panic!("no test expects <{other}>"),
    }
}

fn member(element: &Element) -> (String, Value) {
    match element.inside.as_slice() {
        [name, content] if name.name == "name" && content.name == "value" => (name.text.clone(), value(content)),
        _ => panic!("a member is a name and a value"),
    }
}
