//! XML-RPC values as Python's `pprint` shows them (CTL-130 to 133), which is how the cache commands print.
//!
//! A value that fits the line is one literal. A longer list or struct takes a line for each item; a longer text is
//! cut behind blanks into pieces that fit. Pure: it never prints.

use crate::base::order;
use crate::base::text::{bytes_repr, repr};
use crate::base::value::Value;

/// Columns of a line.
pub const WIDTH: usize = 80;

/// The value as lines of at most [`WIDTH`] columns where that is possible, without a final line end.
pub fn pretty(value: &Value) -> String {
    let mut printer = Printer { out: String::new() };
    printer.write(value, Place { indent: 0, behind: 0, nested: false });
    printer.out
}

/// The value as one literal, struct keys sorted (CTL-130).
pub fn literal(value: &Value) -> String {
    match value {
        Value::Nil => "None".to_string(),
        Value::Bool(true) => "True".to_string(),
        Value::Bool(false) => "False".to_string(),
        Value::Int(number) => number.to_string(),
        Value::Big(digits) => digits.clone(),
        Value::Double(number) => float(*number),
        Value::Str(text) => repr(text),
        Value::DateTime(text) => format!("<DateTime {}>", repr(text)),
        Value::Bytes(bytes) => bytes_repr(bytes),
        Value::Array(items) => format!("[{}]", items.iter().map(literal).collect::<Vec<_>>().join(", ")),
        Value::Struct(members) => {
            let shown = sorted(members).into_iter().map(|(key, value)| format!("{}: {}", repr(key), literal(value)));
            format!("{{{}}}", shown.collect::<Vec<_>>().join(", "))
        }
    }
}

/// The shortest digits that mean this number, as Python writes them: an exponent from 1e16 on and below 1e-4.
fn float(number: f64) -> String {
    if number.is_nan() {
        return "nan".to_string();
    }
    if number.is_infinite() {
        return if number > 0.0 { "inf" } else { "-inf" }.to_string();
    }
    let scientific = format!("{number:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    match exponent.parse::<i32>().unwrap_or(0) {
        -4..=15 => format!("{number:?}"),
        exponent => format!("{digits}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs()),
    }
}

fn sorted(members: &[(String, Value)]) -> Vec<&(String, Value)> {
    let mut members: Vec<_> = members.iter().collect();
    order::sort_by(&mut members, |one, other| one.0.cmp(&other.0));
    members
}

/// Where a value stands in the lines.
#[derive(Clone, Copy)]
struct Place {
    /// The column where it begins.
    indent: usize,
    /// Columns to leave free behind its last line, for closing brackets or a comma.
    behind: usize,
    /// Within another value: a text in pieces then goes without parentheses.
    nested: bool,
}

struct Printer {
    out: String,
}

impl Printer {
    fn write(&mut self, value: &Value, place: Place) {
        let line = literal(value);
        if columns(&line) + place.indent + place.behind <= WIDTH {
            self.out.push_str(&line);
            return;
        }
        match value {
            Value::Array(items) if !items.is_empty() => {
                self.out.push('[');
                self.items(items, place, |item| (String::new(), item));
                self.out.push(']');
            }
            Value::Struct(members) if !members.is_empty() => {
                self.out.push('{');
                self.items(&sorted(members), place, |(key, value)| (format!("{}: ", repr(key)), value));
                self.out.push('}');
            }
            Value::Str(text) if !text.is_empty() => self.text(text, place),
            _ => self.out.push_str(&line),
        }
    }

    /// One item a line (CTL-131). `parts` gives the text in front of an item's value and the value.
    fn items<T>(&mut self, items: &[T], place: Place, parts: impl for<'a> Fn(&'a T) -> (String, &'a Value)) {
        let indent = place.indent + 1;
        for (i, item) in items.iter().enumerate() {
            if i > 0 {
                self.out.push(',');
                self.new_line(indent);
            }
            let (front, value) = parts(item);
            self.out.push_str(&front);
            let behind = if i + 1 == items.len() { place.behind + 1 } else { 1 };
            self.write(value, Place { indent: indent + columns(&front), behind, nested: true });
        }
    }

    /// A text in pieces (CTL-132).
    fn text(&mut self, text: &str, place: Place) {
        let (indent, behind) =
            if place.nested { (place.indent, place.behind) } else { (place.indent + 1, place.behind + 1) };
        let pieces = pieces(text, WIDTH.saturating_sub(indent), behind);
        let brackets = !place.nested && pieces.len() > 1;
        if brackets {
            self.out.push('(');
        }
        for (i, piece) in pieces.iter().enumerate() {
            if i > 0 {
                self.new_line(indent);
            }
            self.out.push_str(piece);
        }
        if brackets {
            self.out.push(')');
        }
    }

    fn new_line(&mut self, indent: usize) {
        self.out.push('\n');
        self.out.extend(std::iter::repeat_n(' ', indent));
    }
}

/// Cuts a text into quoted pieces: after each line end, and a line that is too long behind its blanks. The last
/// piece leaves `behind` columns free.
fn pieces(text: &str, width: usize, behind: usize) -> Vec<String> {
    let lines = cut_behind(text, Cut::Lines);
    let mut pieces = Vec::new();
    for (i, line) in lines.iter().enumerate() {
        let last_line = i + 1 == lines.len();
        let room = |last: bool| if last { width.saturating_sub(behind) } else { width };
        let whole = repr(line);
        if columns(&whole) <= room(last_line) {
            pieces.push(whole);
            continue;
        }
        let words = cut_behind(line, Cut::Words);
        let mut piece = String::new();
        for (j, word) in words.iter().enumerate() {
            let longer = format!("{piece}{word}");
            if columns(&repr(&longer)) <= room(last_line && j + 1 == words.len()) {
                piece = longer;
                continue;
            }
            if !piece.is_empty() {
                pieces.push(repr(&piece));
            }
            piece = word.to_string();
        }
        if !piece.is_empty() {
            pieces.push(repr(&piece));
        }
    }
    pieces
}

#[derive(Clone, Copy, PartialEq)]
enum Cut {
    /// Behind each line end, `\r\n` being one.
    Lines,
    /// Behind each run of white space.
    Words,
}

fn cut_behind(text: &str, cut: Cut) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let next = chars.peek().map(|next| next.1);
        let ends = match cut {
            Cut::Lines => is_line_end(c) && !(c == '\r' && next == Some('\n')),
            Cut::Words => is_blank(c) && !next.is_some_and(is_blank),
        };
        if ends {
            let end = at + c.len_utf8();
            parts.push(&text[start..end]);
            start = end;
        }
    }
    if start < text.len() {
        parts.push(&text[start..]);
    }
    parts
}

/// What ends a line for Python's `splitlines`.
fn is_line_end(c: char) -> bool {
    matches!(c, '\n'..='\r' | '\x1c'..='\x1e' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// What Python's `\s` matches.
fn is_blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\x1c'..='\x1f')
}

fn columns(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> String {
        pretty(&Value::from(text))
    }

    #[test]
    fn ctl_130_one_line_literals() {
        for (shown, literal) in [
            (text(""), "''"),
            (text("bar baz"), "'bar baz'"),
            (text("it's"), "\"it's\""),
            (text("it's \"quoted\" \\ x"), r#"'it\'s "quoted" \\ x'"#),
            (text("a\tb\rc\x07\u{200b}é€"), r"'a\tb\rc\x07\u200bé€'"),
            (pretty(&Value::Nil), "None"),
            (pretty(&Value::Bool(true)), "True"),
            (pretty(&Value::Int(-5)), "-5"),
            (pretty(&Value::Bytes(b"a\xff".to_vec())), r"b'a\xff'"),
            (pretty(&Value::strings(Vec::<String>::new())), "[]"),
            (pretty(&Value::strings(["foo"])), "['foo']"),
            (pretty(&Value::strings(["a", "it's"])), "['a', \"it's\"]"),
            (pretty(&Value::Struct(vec![])), "{}"),
            (
                pretty(&Value::Struct(vec![
                    ("k".into(), Value::Int(1)),
                    ("B".into(), Value::Array(vec![Value::Bool(false), Value::Nil])),
                ])),
                "{'B': [False, None], 'k': 1}",
            ),
        ] {
            assert_eq!(shown, literal);
        }
        // The longest that still fits, and one more.
        assert_eq!(text(&format!("{} {}", "x".repeat(38), "y".repeat(39))).lines().count(), 1);
        assert_eq!(text(&format!("{} {}", "x".repeat(39), "y".repeat(39))).lines().count(), 2);
    }

    #[test]
    fn ctl_130_floats() {
        for (number, shown) in [
            (1.5, "1.5"),
            (-0.0, "-0.0"),
            (0.1, "0.1"),
            (100.0, "100.0"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (1.25e22, "1.25e+22"),
            (1e300, "1e+300"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (f64::INFINITY, "inf"),
            (f64::NAN, "nan"),
        ] {
            assert_eq!(pretty(&Value::Double(number)), shown);
        }
    }

    #[test]
    fn ctl_131_one_item_a_line() {
        let keys =
            ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu"];
        // CTL-133.
        let shown = pretty(&Value::strings(keys));
        assert_eq!(shown.lines().count(), keys.len());
        assert!(shown.starts_with("['alpha',\n 'beta',\n"));
        assert!(shown.ends_with("\n 'mu']"));
        let long = "0123456789".repeat(4);
        let nested = Value::Struct(vec![
            ("b".into(), Value::strings([long.as_str(), "x", long.as_str()])),
            ("a".into(), Value::Int(1)),
        ]);
        assert_eq!(pretty(&nested), format!("{{'a': 1,\n 'b': ['{long}',\n       'x',\n       '{long}']}}"));
    }

    #[test]
    fn ctl_132_long_texts_in_pieces() {
        let fox = "the quick brown fox jumps over the lazy dog";
        assert_eq!(
            text(&format!("{fox} {fox}")),
            "('the quick brown fox jumps over the lazy dog the quick brown fox jumps over '\n 'the lazy dog')"
        );
        assert_eq!(text(&format!("{fox}\nshort\r\n{fox}")), format!("('{fox}\\n'\n 'short\\r\\n'\n '{fox}')"));
        // A piece that can't be cut is printed plain, however long.
        let solid = "x".repeat(100);
        assert_eq!(text(&solid), format!("'{solid}'"));
        // Within a list without parentheses.
        let listed = pretty(&Value::strings([format!("{fox} {fox}"), "x".to_string()]));
        let cut =
            "['the quick brown fox jumps over the lazy dog the quick brown fox jumps over '\n 'the lazy dog',\n 'x']";
        assert_eq!(listed, cut);
    }
}
