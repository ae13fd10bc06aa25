//! Text on its way into pages and addresses, and out of forms: nothing that comes from outside goes in unescaped.

use crate::base::text::percent_decode;

/// Appends text, escaped for HTML: between tags, and within attributes in double or single quotes.
pub(in crate::front) fn escape(out: &mut Vec<u8>, text: &str) {
    for &byte in text.as_bytes() {
        match byte {
            b'&' => out.extend_from_slice(b"&amp;"),
            b'<' => out.extend_from_slice(b"&lt;"),
            b'>' => out.extend_from_slice(b"&gt;"),
            b'"' => out.extend_from_slice(b"&quot;"),
            b'\'' => out.extend_from_slice(b"&#39;"),
            byte => out.push(byte),
        }
    }
}

/// Text for a query or a path: everything but letters, digits and `_.-~/` as `%XX` (WEB-005, WEB-030). The result needs
/// no further escaping in HTML.
pub(in crate::front) fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for &byte in text.as_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'.' | b'-' | b'~' | b'/' => out.push(char::from(byte)),
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// Appends text as a JSON string (RFC 8259, 7), on one line, and inert should anybody take it for HTML.
pub(in crate::front) fn json_text(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    for &byte in text.as_bytes() {
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            0..0x20 | b'<' | 0x7f => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            byte => out.push(byte),
        }
    }
    out.push(b'"');
}

/// The fields of a query or a form (`application/x-www-form-urlencoded`) that pages know. Empty ones count as absent.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(in crate::front) struct Form {
    /// A process, as PROC-080 names it.
    pub(in crate::front) processname: Option<String>,
    /// What to do with it.
    pub(in crate::front) action: Option<String>,
    /// What to show on the status page.
    pub(in crate::front) message: Option<String>,
    /// How many bytes of a log to show.
    pub(in crate::front) limit: Option<String>,
}

impl Form {
    /// Reads a query: of a field that comes twice, the first.
    pub(in crate::front) fn of_query(query: &str) -> Form {
        let mut form = Form::default();
        for (name, value) in pairs(query) {
            if let Some(field) = form.field(&name) {
                field.get_or_insert(value);
            }
        }
        form
    }

    /// Adds a body's fields: they win over the query's, and of one that comes twice the last.
    pub(in crate::front) fn add_body(&mut self, body: &[u8]) {
        for (name, value) in pairs(&String::from_utf8_lossy(body)) {
            if let Some(field) = self.field(&name) {
                *field = Some(value);
            }
        }
    }

    /// Whether it asks for an action that may change something: any but the refresh, also one that nobody knows.
    pub(in crate::front) fn may_change(&self) -> bool {
        self.action.as_deref().is_some_and(|action| action != "refresh")
    }

    fn field(&mut self, name: &str) -> Option<&mut Option<String>> {
        match name {
            "processname" => Some(&mut self.processname),
            "action" => Some(&mut self.action),
            "message" => Some(&mut self.message),
            "limit" => Some(&mut self.limit),
            _ => None,
        }
    }
}

fn pairs(text: &str) -> impl Iterator<Item = (String, String)> {
    let decode = |part: &str| String::from_utf8_lossy(&percent_decode(&part.replace('+', " "))).into_owned();
    let split = text.split('&').filter_map(|pair| pair.split_once('='));
    split.filter(|(_, value)| !value.is_empty()).map(move |(name, value)| (decode(name), decode(value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn web_008_nothing_is_a_tag_once_it_is_escaped() {
        let mut out = Vec::new();
        escape(&mut out, "<script>alert('1' & \"2\")</script>é");
        let text = String::from_utf8(out).expect("UTF-8");
        assert_eq!(text, "&lt;script&gt;alert(&#39;1&#39; &amp; &quot;2&quot;)&lt;/script&gt;é");
    }

    #[test]
    fn json_carries_any_text() {
        let mut out = Vec::new();
        let text = "a\"b\\c\nd\r\0\u{7f}</script>é\u{1f600}";
        json_text(&mut out, text);
        let json = String::from_utf8(out).expect("UTF-8");
        assert_eq!(json, "\"a\\\"b\\\\c\\u000ad\\u000d\\u0000\\u007f\\u003c/script>é\u{1f600}\"");
        assert_eq!(serde_json::from_str::<String>(&json).ok().as_deref(), Some(text));
    }

    #[test]
    fn web_005_web_030_addresses_carry_any_text() {
        assert_eq!(quote("a_.-~/9Z"), "a_.-~/9Z");
        assert_eq!(quote("g:p é\r\n%&+<\"'"), "g%3Ap%20%C3%A9%0D%0A%25%26%2B%3C%22%27");
        for text in ["", "a b", "g:p é\r\n%&+<\"'=?#", "\u{1f600}"] {
            let form = Form::of_query(&format!("message={}", quote(text)));
            assert_eq!(form.message.unwrap_or_default(), text);
        }
    }

    #[test]
    fn web_020_fields_of_query_and_body() {
        let mut form = Form::of_query("action=start&processname=a%3Ab+c&action=stop&limit=&x=1&message&processname");
        assert_eq!(form.action.as_deref(), Some("start"));
        assert_eq!(form.processname.as_deref(), Some("a:b c"));
        assert_eq!((&form.limit, &form.message), (&None, &None));
        form.add_body(b"action=restart&action=clearlog&limit=10\xff");
        assert_eq!(form.action.as_deref(), Some("clearlog"), "the body wins, and its last");
        assert_eq!(form.processname.as_deref(), Some("a:b c"));
        assert_eq!(form.limit.as_deref(), Some("10\u{fffd}"));
    }
}
