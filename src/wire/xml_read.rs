//! XML-RPC documents, read piece by piece. Bytes become XML events here and values in `xml_tree`; a document is never
//! held as a whole, and nothing outside of it (a DTD, an entity) is ever looked at.

use std::io;

use xml::common::XmlVersion;
use xml::reader::{ErrorKind, EventReader, ParserConfig, XmlEvent};

use crate::base::limits;
use crate::base::scraps::Scraps;
use crate::base::text::is_xml;
use crate::base::value::Value;
use crate::base::words::Fault;
pub use crate::wire::xml_call::Call;
use crate::wire::xml_feed::Feed;
use crate::wire::xml_plain::{Front, front};
use crate::wire::xml_quick::{self, Quick};
use crate::wire::xml_tree::{Broken, Tree};
use crate::wire::xml_whole;

/// Why a document is no call (RPC-181, RPC-182).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BadXml {
    /// Not well-formed, empty, or with a value that can't be converted.
    Unmarshallable,
    /// Without a method name.
    NoMethodName,
}

/// Reads one call as its bytes come.
pub struct CallReader {
    document: Document,
}

impl Default for CallReader {
    fn default() -> CallReader {
        CallReader::new()
    }
}

impl CallReader {
    /// A reader that has seen nothing.
    pub fn new() -> CallReader {
        CallReader { document: Document::new() }
    }

    /// Takes the next piece, of any size. After an error every further piece is the same error.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), BadXml> {
        self.document.push(bytes).map_err(|Broken| BadXml::Unmarshallable)
    }

    /// Nobody wants to know the rest, or what it was.
    pub fn leave(self, scraps: &mut Scraps) {
        self.document.tree.leave(scraps);
    }

    /// The document is complete.
    pub fn finish(self) -> Result<Call, BadXml> {
        let tree = self.document.finish().map_err(|Broken| BadXml::Unmarshallable)?;
        let method = tree.method.filter(|method| !method.is_empty()).ok_or(BadXml::NoMethodName)?;
        Ok(Call { method, params: tree.params })
    }
}

/// Reads a call that is all there and as nearly all calls are, into one whose texts are used again. Returns whether it
/// could; if not, `call` is anything, and a [`CallReader`] is to say what the document is.
pub fn read_at_once(document: &[u8], call: &mut Call) -> bool {
    xml_whole::call(document, call).is_some() && !call.method.is_empty()
}

/// Reads a whole answer, as a client does: a value or a fault.
pub fn read_response(bytes: &[u8]) -> Result<Result<Value, Fault>, BadXml> {
    let (value, fault) = match xml_whole::answer(bytes) {
        Some(read) => read,
        None => {
            let tree = in_pieces(bytes).map_err(|Broken| BadXml::Unmarshallable)?;
            (tree.params.into_iter().next(), tree.fault)
        }
    };
    answer(value, fault)
}

/// A document by way of the XML reader.
pub(super) fn in_pieces(bytes: &[u8]) -> Result<Tree, Broken> {
    let mut document = Document::new();
    document.push(bytes).and_then(|()| document.finish())
}

/// What a document of an answer says.
fn answer(value: Option<Value>, fault: Option<Value>) -> Result<Result<Value, Fault>, BadXml> {
    if let Some(fault) = fault {
        return match (fault.member("faultCode"), fault.member("faultString").and_then(Value::as_text)) {
            (Some(Value::Int(code)), Some(text)) => {
                let code = i32::try_from(*code).map_err(|_| BadXml::Unmarshallable)?;
                Ok(Err(Fault { code, text: text.to_string() }))
            }
            _ => Err(BadXml::Unmarshallable),
        };
    }
    value.map(Ok).ok_or(BadXml::Unmarshallable)
}

/// A document that is being read.
struct Document {
    events: EventReader<Feed>,
    tree: Tree,
    quick: Quick,
    /// Input stands behind a tag, or in plain text that followed one: [`Document::take_plain`] goes on.
    plain: bool,
    /// XML 1.1, whose text follows other rules.
    modern: bool,
    broken: bool,
}

impl Document {
    fn new() -> Document {
        let config = ParserConfig::new()
            // A pause in the input is not its end.
            .ignore_end_of_stream(true)
            // Text is text, however it is written.
            .whitespace_to_characters(true)
            .cdata_to_characters(true)
            .allow_multiple_root_elements(false)
            // The declaration may say what it likes: the bytes are UTF-8 (RPC-180).
            .override_encoding(Some(xml::Encoding::Utf8))
            .ignore_invalid_encoding_declarations(true)
            .max_name_length(limits::XML_NAME_BYTES)
            .max_attributes(limits::XML_ATTRIBUTES)
            .max_attribute_length(limits::XML_ATTRIBUTE_BYTES)
            // As long as its body may be.
            .max_data_length(usize::MAX);
        Document {
            events: EventReader::new_with_config(Feed::default(), config),
            tree: Tree::default(),
            quick: Quick::default(),
            plain: false,
            modern: false,
            broken: false,
        }
    }

    fn push(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        if self.broken {
            return Err(Broken);
        }
        self.quick.forget();
        let result = self.take(bytes);
        self.broken = result.is_err();
        result
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        let mut rest = bytes;
        // The middle of a long text needs no copy.
        if self.plain
            && self.events.source().is_empty()
            && let Ok(text) = std::str::from_utf8(bytes)
        {
            let mut taken = 0;
            let stops = take_plain(&mut self.quick, &mut self.tree, text, &mut taken)?;
            self.plain = stops == Stop::Short;
            rest = &bytes[taken..];
            self.quick.forget();
        }
        self.events.source_mut().add(rest)?;
        self.take_events()
    }

    fn finish(mut self) -> Result<Tree, Broken> {
        if self.broken || !self.events.source_mut().end() {
            return Err(Broken);
        }
        self.take_events()?;
        Ok(self.tree)
    }

    /// Takes events until the input pauses or ends.
    fn take_events(&mut self) -> Result<(), Broken> {
        loop {
            if self.plain && !self.take_plain()? {
                return Ok(());
            }
            match self.events.next() {
                Ok(XmlEvent::StartElement { name, namespace, .. }) => {
                    if namespace.0.len() > limits::XML_NAMESPACES {
                        return Err(Broken);
                    }
                    self.tree.open(&name.local_name)?;
                    // Of an empty element the end is still to be told.
                    self.plain = !self.modern && self.events.source().is_behind_tag(false);
                }
                Ok(XmlEvent::EndElement { .. }) => {
                    self.tree.close()?;
                    self.plain = !self.modern && self.tree.is_open() && self.events.source().is_behind_tag(true);
                }
                // XML 1.1 lets references name characters that no answer could carry (RPC-131).
                Ok(XmlEvent::Characters(text)) if self.modern && !is_xml(&text) => {
                    return Err(Broken);
                }
                Ok(XmlEvent::Characters(text)) => self.tree.text(&text),
                Ok(XmlEvent::EndDocument) => return Ok(()),
                Ok(XmlEvent::StartDocument { version, .. }) => self.modern = version == XmlVersion::Version11,
                Ok(XmlEvent::Doctype { .. }) => return Err(Broken), // RPC-185
                Ok(_) => {}
                Err(error) => match error.kind() {
                    ErrorKind::Io(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                    _ => return Err(Broken),
                },
            }
        }
    }

    /// Lets what is plain go past the XML reader. Returns whether the reader is to go on; otherwise more input is needed.
    fn take_plain(&mut self) -> Result<bool, Broken> {
        let Feed { text, taken, ended, .. } = self.events.source_mut();
        let stops = take_plain(&mut self.quick, &mut self.tree, text, taken)?;
        let goes_on = stops == Stop::Other || *ended;
        self.plain = !goes_on;
        Ok(goes_on)
    }
}

/// What comes next is not plain.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stop {
    /// Or it is too short to tell.
    Short,
    Other,
}

/// Takes whole elements and plain text past the XML reader, which has just told of a tag and holds nothing back.
fn take_plain(quick: &mut Quick, tree: &mut Tree, input: &str, taken: &mut usize) -> Result<Stop, Broken> {
    // A piece of a large text is looked at once.
    let rest = &input[*taken..];
    if let Front::Text(text, length) = front(rest)
        && length == rest.len()
    {
        tree.text(text);
        *taken += length;
        return Ok(Stop::Short);
    }
    // Behind the last tag is no element.
    let last = input.rfind('<');
    loop {
        let rest = &input[*taken..];
        if last.is_some_and(|last| *taken <= last)
            && let Some(end) = quick.run_at(input, *taken)
        {
            xml_quick::take(&input[*taken..end], tree)?;
            *taken = end;
            continue;
        }
        match front(rest) {
            Front::Text(text, length) => {
                tree.text(text);
                *taken += length;
            }
            Front::Short => return Ok(Stop::Short),
            Front::Other => return Ok(Stop::Other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::split::cuts;
    use crate::wire::xml_write::{write_call, write_fault, write_response};

    fn read(pieces: &[&[u8]]) -> Result<Call, BadXml> {
        let mut reader = CallReader::new();
        for piece in pieces {
            reader.push(piece)?;
        }
        reader.finish()
    }

    fn method(document: &str) -> Result<String, BadXml> {
        read(&[document.as_bytes()]).map(|call| call.method)
    }

    fn everything() -> Vec<Value> {
        vec![
            Value::Nil,
            Value::Bool(true),
            Value::Int(i64::MIN),
            Value::Big("123456789012345678901234567890".to_string()),
            Value::Double(1.5e-7),
            Value::str("<a> & é😀\n ]]> \" '/;=-?"),
            Value::str(""),
            Value::str("  "),
            Value::DateTime("20200229T03:04:05".to_string()),
            Value::Bytes((0..=255).collect()),
            Value::Array(vec![Value::Array(vec![]), Value::Struct(vec![])]),
            Value::Struct(vec![("ключ".to_string(), Value::Array(vec![Value::Int(1)])), (String::new(), Value::Nil)]),
        ]
    }

    #[test]
    fn rpc_180_encodings() {
        let with = |declaration: &str| method(&format!("{declaration}<c><methodName>é</methodName></c>"));
        for declaration in [
            "",
            "<?xml version='1.0'?>",
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n",
            "<?xml version='1.0' encoding='latin1'?>",
            "<?xml version='1.0' encoding='US-ASCII' standalone='yes'?>",
            "<?xml version='1.0' encoding='utf-16'?>",
            "<?xml version='1.0' encoding='no-such-thing'?>",
            "<?xml version='1.1'?>",
            "\u{feff}<?xml version='1.0'?>",
            "\u{feff}",
            " \n ",
            "<!-- é -->",
        ] {
            assert_eq!(with(declaration).as_deref(), Ok("é"), "{declaration}");
        }
        let bytes = |bytes: &[u8]| read(&[b"<c><methodName>", bytes, b"</methodName></c>"]);
        assert_eq!(bytes("é".as_bytes()).map(|call| call.method).as_deref(), Ok("é"));
        for bad in [&b"\xff"[..], b"\xc3", b"\xe9 ", b"\xf0\x9f\x98", b"\xed\xa0\x80", b"\xc0\x80"] {
            assert_eq!(bytes(bad), Err(BadXml::Unmarshallable), "{bad:?}");
        }
        assert_eq!(read(&[b"<c><methodName>a</methodName></c>\xc3"]), Err(BadXml::Unmarshallable));
    }

    #[test]
    fn rpc_181_not_well_formed() {
        for document in [
            "",
            " ",
            "\u{feff}",
            "x",
            "<methodCall><methodName>supervisor.getState",
            "<c><methodName>a</methodName>",
            "<c><methodName>a</c></methodName>",
            "<c><methodName>a</methodName></c>x",
            "<c><methodName>a</methodName></c><c/>",
            "<c><methodName>a</methodName></c><",
            "<c><methodName>a</methodName></c><!-- ",
            "<c><methodName>a</methodName></c>&amp;",
            "<c><methodName>a</methodName></c",
            "<c><methodName>a\u{1}</methodName></c>",
            "<c><methodName>a&#1;</methodName></c>",
            "<c><methodName>a&</methodName></c>",
            "<c><methodName>a]]></methodName></c>",
            "<c><x:methodName>a</x:methodName></c>",
            " <?xml version='1.0'?><c><methodName>a</methodName></c>",
        ] {
            assert_eq!(method(document), Err(BadXml::Unmarshallable), "{document}");
        }
        assert_eq!(method("<c><methodName>a</methodName></c> <!-- x --><?p i?>\r\n").as_deref(), Ok("a"));
    }

    #[test]
    fn rpc_181_errors_stay() {
        let mut reader = CallReader::new();
        assert_eq!(reader.push(b"<c></d>"), Err(BadXml::Unmarshallable));
        assert_eq!(reader.push(b"<methodName>a</methodName></c>"), Err(BadXml::Unmarshallable));
        assert_eq!(reader.finish(), Err(BadXml::Unmarshallable));
    }

    #[test]
    fn rpc_185_no_dtd_no_entities() {
        let body = "<c><methodName>a&x;</methodName></c>";
        for document in [
            body.to_string(),
            format!("<!DOCTYPE c>{}", body.replace("&x;", "")),
            format!("<!DOCTYPE c [<!ENTITY x 'y'>]>{body}"),
            format!("<?xml version='1.0'?><!DOCTYPE c SYSTEM 'file:///etc/passwd'>{body}"),
            body.replace("&x;", "&nbsp;"),
        ] {
            assert_eq!(method(&document), Err(BadXml::Unmarshallable), "{document}");
        }
    }

    #[test]
    fn rpc_185_markup_limits() {
        let root = |attributes: String| method(&format!("<c{attributes}><methodName>a</methodName></c>"));
        assert!(root(" a='b' xmlns='urn:x' xmlns:y='urn:y'".to_string()).is_ok());
        assert!(root((0..100).map(|at| format!(" a{at}=''")).collect()).is_err());
        assert!(root(format!(" a='{}'", "x".repeat(limits::XML_ATTRIBUTE_BYTES + 2))).is_err());
        assert!(root("x".repeat(limits::XML_NAME_BYTES + 2)).is_err());
        let spaces: String = (0..64).map(|at| format!("<c xmlns:n{at}='urn:x'>")).collect();
        assert_eq!(CallReader::new().push(spaces.as_bytes()), Err(BadXml::Unmarshallable));
    }

    #[test]
    fn rpc_186_195_what_we_write_reads_back() {
        let mut document = Vec::new();
        write_call(&mut document, "a.b", &everything());
        assert_eq!(read(&[&document]), Ok(Call { method: "a.b".to_string(), params: everything() }));
    }

    #[test]
    fn rpc_201_202_answers_read_back() {
        for value in everything() {
            let mut document = Vec::new();
            write_response(&mut document, &value);
            assert_eq!(read_response(&document), Ok(Ok(value)));
        }
        let fault = Fault { code: -3, text: "a < b".to_string() };
        let mut document = Vec::new();
        write_fault(&mut document, &fault);
        assert_eq!(read_response(&document), Ok(Err(fault)));
        for bad in ["", "<r/>", "<r><params/></r>", "<r><fault/></r>", "<r><fault><value>x</value></fault></r>"] {
            assert_eq!(read_response(bad.as_bytes()), Err(BadXml::Unmarshallable), "{bad}");
        }
    }

    #[test]
    fn rpc_180_195_every_split_reads_the_same() {
        let mut ours = Vec::new();
        write_call(&mut ours, "a.b", &everything());
        let others: [&str; 6] = [
            // Node's xmlrpc, PHP's xmlrpc_encode_request, Perl's RPC::XML, Apache's client.
            "<?xml version=\"1.0\"?><methodCall><methodName>cache.fetch</methodName><params><param><value><string>k\
             </string></value></param><param><value><string><![CDATA[a&b]]></string></value></param></params></methodCall>",
            "<?xml version=\"1.0\" encoding=\"iso-8859-1\"?>\r\n<methodCall>\r\n<methodName>cache.fetch</methodName>\r\n\
             <params>\r\n <param>\r\n  <value>\r\n   <string>caf&#233;</string>\r\n  </value>\r\n </param>\r\n</params>\r\n\
             </methodCall>\r\n",
            "<?xml version=\"1.0\" encoding=\"us-ascii\"?><methodCall><methodName>system.listMethods</methodName></methodCall>",
            "\u{feff}<?xml version=\"1.0\" encoding=\"UTF-8\"?><methodCall xmlns:ex=\"http://ws.apache.org/xmlrpc/namespaces/\
             extensions\"><methodName>a.b</methodName><params><param><value><ex:nil/></value></param><param><value>x\ry\r\n\r\
             </value></param></params></methodCall>",
            "<c><methodName>a</methodName><!-- - ]] -- ></c>",
            "<c><methodName>a</methodName><params><param><value><int>x</int></value></param></params></c>",
        ];
        for document in others.iter().map(|text| text.as_bytes()).chain([&*ours]) {
            let whole = read(&[document]);
            for cut in cuts(document) {
                assert_eq!(read(&cut), whole);
            }
        }
        assert_eq!(read(&[others[1].as_bytes()]).map(|call| call.params), Ok(vec![Value::str("café")]));
        assert_eq!(read(&[others[3].as_bytes()]).map(|call| call.params), Ok(vec![Value::Nil, Value::str("x\ny\n\n")]));
    }

    #[test]
    fn rpc_181_damaged_documents_read_the_same_in_any_pieces() {
        let mut sound = Vec::new();
        write_call(&mut sound, "a.b", &everything());
        sound.extend_from_slice(b"<!-- x --> <?p i?>\r\n");
        const SCRAPS: [&[u8]; 14] = [
            b"<",
            b">",
            b"/",
            b"&",
            b"&lt;",
            b"]",
            b"]]>",
            b"<!--",
            b"<![CDATA[",
            b"\r\n",
            b"\r",
            b"'",
            b"\xef\xbf\xbe",
            b"<a/>",
        ];
        // Any generator will do; this one is xorshift.
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let mut dice = |sides: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state % sides as u64) as usize
        };
        for _ in 0..200 {
            let mut document = sound.clone();
            for _ in 0..dice(3) {
                let at = dice(document.len());
                let end = (at + dice(4)).min(document.len());
                document.splice(at..end, SCRAPS[dice(SCRAPS.len())].iter().copied());
            }
            let bytes: Vec<&[u8]> = document.chunks(1).collect();
            let (front, back) = document.split_at(dice(document.len()));
            let whole = read(&[&document]);
            assert_eq!(read(&bytes), whole, "{}", String::from_utf8_lossy(&document));
            assert_eq!(read(&[front, back]), whole, "{}", String::from_utf8_lossy(&document));
        }
    }

    #[test]
    fn http_024_a_large_string_is_one_value() {
        let text = "all work & no play ".repeat(60_000);
        let mut document = Vec::new();
        write_call(&mut document, "cache.store", &[Value::str("k"), Value::str(text.clone())]);
        let pieces: Vec<&[u8]> = document.chunks(4096).collect();
        let call = read(&pieces).unwrap();
        assert_eq!(call.params.last(), Some(&Value::Str(text)));
    }
}
