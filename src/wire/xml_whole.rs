//! A whole document at once, for clients: an answer can list hundreds of processes, and the XML reader looks at each
//! character several times. Takes only plain XML 1.0, tags without attributes and text; whatever else a document has is
//! left to the XML reader, which also finds all errors.

use crate::base::limits;
use crate::wire::xml_plain::{Front, front};
use crate::wire::xml_tree::Tree;

/// Reads a plain document. `None`: it has something that isn't plain, or is broken; the XML reader is to say.
pub fn read(bytes: &[u8]) -> Option<Tree> {
    let mut rest = std::str::from_utf8(bytes).ok()?;
    if let Some(declared) = rest.strip_prefix("<?xml version=") {
        rest = declared.strip_prefix("'1.0'").or_else(|| declared.strip_prefix("\"1.0\""))?.strip_prefix("?>")?;
    }
    let mut tree = Tree::default();
    let mut open: Vec<&str> = Vec::new();
    let mut begun = false;
    while !rest.is_empty() {
        let Some(tag) = rest.strip_prefix('<') else {
            match front(rest.as_bytes()) {
                // Around the root there is nothing but blanks.
                Front::Text(text, _) if open.is_empty() && !text.trim_ascii().is_empty() => return None,
                Front::Text(text, length) => {
                    if !open.is_empty() {
                        tree.text(text);
                    }
                    rest = &rest[length..];
                }
                Front::Short | Front::Other => return None,
            }
            continue;
        };
        let (tag, after) = tag.split_once('>')?;
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            if open.pop()? != name {
                return None;
            }
            tree.close().ok()?;
            continue;
        }
        let name = tag.strip_suffix('/').unwrap_or(tag);
        let is_plain = name.starts_with(|sign: char| sign.is_ascii_alphabetic())
            && name.len() <= limits::XML_NAME_BYTES
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.');
        if !is_plain || (open.is_empty() && begun) {
            return None;
        }
        begun = true;
        tree.open(name).ok()?;
        match name.len() == tag.len() {
            true => open.push(name),
            false => tree.close().ok()?,
        }
    }
    (begun && open.is_empty()).then_some(tree)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(document: &str) -> Option<Vec<crate::base::value::Value>> {
        read(document.as_bytes()).map(|tree| tree.params)
    }

    #[test]
    fn plain_documents_are_read() {
        let value = "<value><array><data><value><int>5</int></value><value>a&amp;b</value></data></array></value>";
        for (before, after) in [("", ""), ("<?xml version='1.0'?>\n", "\n"), ("<?xml version=\"1.0\"?>", " \r\n")] {
            let document = format!("{before}<r>\n<params>\n<param>{value}</param>\n</params></r>{after}");
            assert_eq!(params(&document).map(|params| params.len()), Some(1), "{document}");
        }
        assert!(params("<r/>").is_some());
    }

    /// What is taken here the XML reader takes, too, and it means the same; whatever was done to the bytes.
    #[test]
    fn the_xml_reader_agrees() {
        use crate::base::value::Value;
        use crate::wire::xml_read::in_pieces;
        use crate::wire::xml_write::{write_fault, write_response};
        let info = Value::Struct(vec![
            ("name".into(), "a <b> & c ]] >".into()),
            ("pid".into(), 5.into()),
            ("up".into(), true.into()),
            ("load".into(), Value::Double(0.5)),
        ]);
        let mut documents = [Vec::new(), Vec::new()];
        write_response(&mut documents[0], &Value::Array(vec![info.clone(), Value::Nil, info, Value::Array(vec![])]));
        write_fault(&mut documents[1], &crate::base::words::Fault::with(10, "x"));
        let mut dice: u64 = 7;
        let mut roll = |sides: usize| {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (dice >> 33) as usize % sides
        };
        let mut taken = 0;
        for round in 0..20_000 {
            let mut bytes = documents[round % 2].clone();
            // One in ten is left as it is.
            for _ in 0..round % 10 / 4 + usize::from(round % 10 > 0) {
                let (at, what) = (roll(bytes.len()), b"<>/&;]'\" \r\nvi1.x?!"[roll(18)]);
                match roll(3) {
                    0 => bytes[at] = what,
                    1 => bytes.insert(at, what),
                    _ => drop(bytes.remove(at)),
                }
            }
            if let Some(tree) = read(&bytes) {
                taken += 1;
                let same = in_pieces(&bytes).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&bytes)));
                assert_eq!((tree.method, tree.params, tree.fault), (same.method, same.params, same.fault));
            }
        }
        assert!(taken > 2000, "only {taken} were plain");
    }

    #[test]
    fn what_is_not_plain_is_left_alone() {
        for document in [
            "",
            " ",
            "x<r/>",
            "<r/>x",
            "<r/><r/>",
            "<r></s>",
            "<r>",
            "</r>",
            "<r></r></r>",
            "<r a='b'/>",
            "<r ></r>",
            "<r></r >",
            "<x:r/>",
            "<!-- --><r/>",
            "<!DOCTYPE r><r/>",
            "<r><![CDATA[x]]></r>",
            "<r>&#65;</r>",
            "<r>]]></r>",
            "<r>\u{1}</r>",
            "<?xml version='1.1'?><r/>",
            "<?xml version='1.0' encoding='utf-8'?><r/>",
            "\u{feff}<r/>",
            "<r><params><param></param></params></r>",
        ] {
            assert!(params(document).is_none(), "{document}");
        }
        assert!(read(b"<r>\xff</r>").is_none());
    }
}
