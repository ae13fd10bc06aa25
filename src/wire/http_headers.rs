//! Header lines of HTTP messages, all in one text that is used again for the next message. Knows their form, not what
//! they mean.

use std::ops::Range;

use crate::base::limits;

/// Header lines in the order received: lower-case names, trimmed values (lossy UTF-8).
#[derive(Clone, Default, Debug)]
pub struct Headers {
    /// Names and values, and what stood between them.
    text: String,
    lines: Vec<Line>,
}

/// Where a name and its value are.
#[derive(Clone, Debug)]
struct Line {
    name: Range<usize>,
    value: Range<usize>,
}

/// What stands between does not count.
impl PartialEq for Headers {
    fn eq(&self, other: &Headers) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Headers {}

impl Headers {
    /// Reads lines up to and including the empty one in place of what was here; folded lines are joined (HTTP-023).
    /// `None`: malformed or too many.
    pub fn read(&mut self, block: &[u8]) -> Option<()> {
        /// Nearly all heads have fewer lines, and room for all that there may be takes longer to make than to read.
        const FEW: usize = 24;
        let mut few = [httparse::EMPTY_HEADER; FEW];
        match httparse::parse_headers(block, &mut few) {
            Ok(httparse::Status::Complete((_, lines))) => {
                self.take(block, lines);
                return Some(());
            }
            Err(httparse::Error::TooManyHeaders) => {
                if let Some(()) = self.read_many(block) {
                    return Some(());
                }
            }
            _ => {}
        }
        // Folding is obsolete and rare, so it is undone only when it was in the way.
        self.read_many(&unfold(block)?)
    }

    fn read_many(&mut self, block: &[u8]) -> Option<()> {
        let mut many = [httparse::EMPTY_HEADER; limits::HEAD_LINES];
        let Ok(httparse::Status::Complete((_, lines))) = httparse::parse_headers(block, &mut many) else {
            return None;
        };
        self.take(block, lines);
        Some(())
    }

    /// Takes the lines of a block.
    fn take(&mut self, block: &[u8], lines: &[httparse::Header<'_>]) {
        self.clear();
        let Ok(text) = std::str::from_utf8(block) else {
            return lines.iter().for_each(|line| self.push(line.name, line.value));
        };
        // All at once: one copy, and names and values are where they were.
        self.text.push_str(text);
        let place = |part: &[u8]| {
            let begin = (part.as_ptr() as usize).saturating_sub(block.as_ptr() as usize);
            begin..begin + part.len()
        };
        for line in lines {
            let line = Line { name: place(line.name.as_bytes()), value: place(line.value.trim_ascii()) };
            self.text[line.name.clone()].make_ascii_lowercase();
            self.lines.push(line);
        }
    }

    /// Forgets all lines.
    pub fn clear(&mut self) {
        self.text.clear();
        self.lines.clear();
    }

    /// Appends a line.
    pub fn push(&mut self, name: &str, value: &[u8]) {
        let begin = self.text.len();
        self.text.push_str(name);
        self.text[begin..].make_ascii_lowercase();
        let middle = self.text.len();
        push_lossy(&mut self.text, value.trim_ascii());
        self.lines.push(Line { name: begin..middle, value: middle..self.text.len() });
    }

    /// All lines: name and value.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.lines.iter().map(|line| (&self.text[line.name.clone()], &self.text[line.value.clone()]))
    }

    /// The values of all lines of that name, given in lower case.
    pub fn values<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        // By length first: most names differ in that.
        let is_it = move |line: &&Line| {
            line.name.len() == name.len() && self.text.as_bytes()[line.name.clone()] == *name.as_bytes()
        };
        self.lines.iter().filter(is_it).map(|line| &self.text[line.value.clone()])
    }

    /// Whether a header that is a list, such as `Connection`, names `word` (in lower case).
    pub fn lists(&self, name: &str, word: &str) -> bool {
        self.values(name).any(|list| list.split(',').any(|item| item.trim().eq_ignore_ascii_case(word)))
    }
}

/// Appends bytes that should be UTF-8.
pub fn push_lossy(out: &mut String, bytes: &[u8]) {
    match std::str::from_utf8(bytes) {
        Ok(text) => out.push_str(text),
        Err(_) => out.push_str(&String::from_utf8_lossy(bytes)),
    }
}

/// Joins each folded line to the one before it. `None`: there are none, or one whose reading two readers could
/// understand differently: it says how long the body is.
fn unfold(block: &[u8]) -> Option<Vec<u8>> {
    let mut out: Vec<u8> = Vec::with_capacity(block.len());
    let mut begun = 0;
    for line in block.split_inclusive(|byte| *byte == b'\n') {
        let is_folded = !out.is_empty() && matches!(line.first(), Some(b' ' | b'\t'));
        if !is_folded {
            begun = out.len();
        } else {
            let name = out[begun..].split(|byte| *byte == b':').next().unwrap_or_default();
            if [&b"content-length"[..], b"transfer-encoding"].iter().any(|frames| name.eq_ignore_ascii_case(frames)) {
                return None;
            }
            // No further than the line before it, which may be nothing but ends of lines.
            while out.len() > begun && matches!(out.last(), Some(b'\r' | b'\n')) {
                out.pop();
            }
        }
        out.extend_from_slice(line);
    }
    (out.len() < block.len()).then_some(out)
}
