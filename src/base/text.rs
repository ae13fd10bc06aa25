//! Small readings and writings of text that more than one floor needs.

use std::borrow::Cow;
use std::string::FromUtf8Error;

use crate::base::scan::plain_length;

/// A name that a client gives: one process or a whole group (PROC-080).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NameSpec<'a> {
    /// The group.
    pub group: &'a str,
    /// The process, or `None` for all of the group.
    pub process: Option<&'a str>,
}

impl<'a> NameSpec<'a> {
    /// Reads `name`, `group:process`, `group:*` or `group:`.
    pub fn parse(text: &'a str) -> NameSpec<'a> {
        match text.split_once(':') {
            None => NameSpec { group: text, process: Some(text) },
            Some((group, "" | "*")) => NameSpec { group, process: None },
            Some((group, process)) => NameSpec { group, process: Some(process) },
        }
    }
}

/// A section's, group's or process's name: trimmed, and free of what name specs are made of (CFG-060, BUG-073).
pub fn check_name(text: &str) -> Result<String, String> {
    let name = text.trim();
    if name.is_empty() {
        return Err("Invalid name: '' because it is empty".to_string());
    }
    match [' ', ':', '/'].into_iter().find(|&c| name.contains(c)) {
        Some(c) => Err(format!("Invalid name: {} because of character: {}", repr(name), repr(&c.to_string()))),
        None => Ok(name.to_string()),
    }
}

/// The display form of a process: the name alone where group and process are named alike (PROC-080).
pub fn display_name(group: &str, process: &str) -> String {
    if group == process { process.to_string() } else { format!("{group}:{process}") }
}

/// Splits a command line into words as a POSIX shell does, without its expansions (PROC-040). The error is the
/// reason of PROC-041.
pub fn shell_split(line: &str) -> Result<Vec<String>, &'static str> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\t' | '\r' | '\n' => words.extend(word.take()),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next().ok_or("No closing quotation")? {
                        '\'' => break,
                        c => word.push(c),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next().ok_or("No closing quotation")? {
                        '"' => break,
                        '\\' => match chars.next().ok_or("No escaped character")? {
                            c @ ('"' | '\\') => word.push(c),
                            c => word.extend(['\\', c]),
                        },
                        c => word.push(c),
                    }
                }
            }
            '\\' => word.get_or_insert_default().push(chars.next().ok_or("No escaped character")?),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

/// Text as Python's `repr` shows it: the form in which errors and log lines quote values.
pub fn repr(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut out = String::with_capacity(text.len() + 2);
    out.push(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => out.extend(['\\', c]),
            c if !is_printable(c) => match c as u32 {
                code @ 0..=0xff => out.push_str(&format!("\\x{code:02x}")),
                code @ 0..=0xffff => out.push_str(&format!("\\u{code:04x}")),
                code => out.push_str(&format!("\\U{code:08x}")),
            },
            c => out.push(c),
        }
    }
    out.push(quote);
    out
}

/// Close to Python's `str.isprintable`: controls, separators other than the blank, and format characters are not.
fn is_printable(c: char) -> bool {
    !(c.is_control()
        || (c.is_whitespace() && c != ' ')
        || matches!(c as u32,
            0xad | 0x600..=0x605 | 0x61c | 0x6dd | 0x70f | 0x180e | 0x200b..=0x200f | 0x202a..=0x202e
            | 0x2060..=0x206f | 0xe000..=0xf8ff | 0xfeff | 0xfff0..=0xfffb | 0xfffe | 0xffff | 0xe0000..=0x10ffff))
}

/// Bytes as event payloads and log lines show them (EVT-031).
pub fn shown(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(format!("Undecodable: {}", bytes_repr(bytes))),
    }
}

/// Bytes as a Python byte-string literal, `b'…'` (EVT-031).
pub fn bytes_repr(bytes: &[u8]) -> String {
    let quote = if bytes.contains(&b'\'') && !bytes.contains(&b'"') { b'"' } else { b'\'' };
    let mut out = String::with_capacity(bytes.len() + 3);
    out.extend(['b', char::from(quote)]);
    for &byte in bytes {
        match byte {
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            byte if byte == quote => out.extend(['\\', char::from(byte)]),
            0x20..=0x7e => out.push(char::from(byte)),
            byte => out.push_str(&format!("\\x{byte:02x}")),
        }
    }
    out.push(char::from(quote));
    out
}

/// Appends a number in decimal digits: without the library's machinery for numbers of all forms, which takes ten times
/// as long.
pub fn push_decimal(out: &mut Vec<u8>, number: u64) {
    /// No number has more.
    const DIGITS: usize = 20;
    let mut digits = [0; DIGITS];
    let mut begin = DIGITS;
    let mut left = number;
    loop {
        begin -= 1;
        digits[begin] = b'0' + (left % 10) as u8;
        left /= 10;
        if left == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[begin..]);
}

/// Whether XML 1.0 can carry this text: all but most controls, U+FFFE and U+FFFF.
pub fn is_xml(text: &str) -> bool {
    no_xml(text).is_none()
}

/// Where the first character stands that XML 1.0 can't carry, and how many bytes it has.
fn no_xml(text: &str) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    let mut at = 0;
    loop {
        at += plain_length(&bytes[at..], [0; 3]);
        match bytes[at..] {
            [] => return None,
            // Of a carriage return or another character that begins as those two do.
            [b'\r', ..] => at += 1,
            [0..0x20, ..] => return Some((at, 1)),
            [_, 0xbf, 0xbe | 0xbf, ..] => return Some((at, 3)),
            _ => at += 1,
        }
    }
}

/// Bytes as text that any XML reader takes: broken UTF-8 and characters that XML can't carry become U+FFFD
/// (RPC-130, RPC-131). What is such a text is not copied.
pub fn xml_text(bytes: Vec<u8>) -> String {
    let lossy = |error: FromUtf8Error| String::from_utf8_lossy(error.as_bytes()).into_owned();
    let text = String::from_utf8(bytes).unwrap_or_else(lossy);
    let Some(mut odd) = no_xml(&text) else { return text };
    let (mut out, mut rest) = (String::with_capacity(text.len()), text.as_str());
    loop {
        out.push_str(&rest[..odd.0]);
        out.push('\u{fffd}');
        rest = &rest[odd.0 + odd.1..];
        match no_xml(rest) {
            Some(next) => odd = next,
            None => return out + rest,
        }
    }
}

/// A number as Python shows it: the shortest digits that read back as the same number, laid out as `1.25`, `1e+300`,
/// `inf` (RPC-203).
pub fn float_repr(number: f64) -> String {
    let scientific = format!("{number:e}");
    let Some((digits, exponent)) = scientific.split_once('e') else {
        return if number.is_nan() { "nan".to_string() } else { scientific };
    };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    match exponent {
        -4..=15 if number.fract() == 0.0 => format!("{number}.0"),
        -4..=15 => number.to_string(),
        _ => format!("{digits}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.unsigned_abs()),
    }
}

/// Decodes `%XX`; anything else stays as it is. The result may be no UTF-8.
pub fn percent_decode(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = |i: usize| bytes.get(i).and_then(|b| char::from(*b).to_digit(16));
        match (bytes[at], hex(at + 1), hex(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 3;
            }
            (byte, ..) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    out
}

/// Compares two secrets in a time that depends on their lengths only (HTTP-082).
pub fn same_secret(ours: &[u8], theirs: &[u8]) -> bool {
    let mut differ = ours.len() ^ theirs.len();
    for (i, byte) in theirs.iter().enumerate() {
        differ |= usize::from(byte ^ ours.get(i).copied().unwrap_or(0));
    }
    differ == 0
}

/// How many single-character edits lie between two words, two neighbours swapped being one: for "did you mean".
pub fn edit_distance(one: &str, other: &str) -> usize {
    let one: Vec<char> = one.chars().collect();
    let other: Vec<char> = other.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, b) in other.iter().enumerate() {
            let mut best = (row[j] + usize::from(a != b)).min(row[j + 1] + 1).min(next[j] + 1);
            if i > 0 && j > 0 && a != b && *a == other[j - 1] && one[i - 1] == *b {
                best = best.min(before[j - 1] + 1);
            }
            next.push(best);
        }
        before = std::mem::replace(&mut row, next);
    }
    row[other.len()]
}

/// The candidate nearest to a mistyped `word`, if one is near enough to be meant.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    nearest_of(word, &mut candidates.into_iter())
}

fn nearest_of<'a>(word: &str, candidates: &mut dyn Iterator<Item = &'a str>) -> Option<&'a str> {
    let count = word.chars().count();
    let enough = 1 + count / 4;
    // A word so much shorter or longer needs more edits.
    let may_be = |other: &&str| other.chars().count().abs_diff(count) <= enough;
    let (distance, best) = candidates.filter(may_be).map(|c| (edit_distance(word, c), c)).min()?;
    (distance <= enough).then_some(best)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rpc_203_doubles_as_python_shows_them() {
        let rows: [(f64, &str); 18] = [
            (1.25, "1.25"),
            (1e300, "1e+300"),
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (-2.5, "-2.5"),
            (0.1, "0.1"),
            (0.1 + 0.2, "0.30000000000000004"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (123456789012345680.0, "1.2345678901234568e+17"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (1.5e-7, "1.5e-07"),
            (5e-324, "5e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
        ];
        for (number, shown) in rows {
            assert_eq!(float_repr(number), shown);
        }
        assert_eq!(float_repr(-f64::NAN), "nan");
    }

    #[test]
    fn proc_080_name_specs() {
        let spec = |text| {
            let spec = NameSpec::parse(text);
            (spec.group, spec.process)
        };
        assert_eq!(spec("a"), ("a", Some("a")));
        assert_eq!(spec("g:a"), ("g", Some("a")));
        assert_eq!(spec("g:*"), ("g", None));
        assert_eq!(spec("g:"), ("g", None));
        assert_eq!(display_name("a", "a"), "a");
        assert_eq!(display_name("g", "a"), "g:a");
    }

    #[test]
    fn proc_040_shell_words() {
        let split = |line| shell_split(line).unwrap();
        assert_eq!(split("a  b\n c\t"), ["a", "b", "c"]);
        assert_eq!(
            split(r#"sh -c 'x "y" \z' "a\"b\\c\d" e\ f """#),
            ["sh", "-c", r#"x "y" \z"#, r#"a"b\c\d"#, "e f", ""]
        );
        assert_eq!(split("a#b # c $X *"), ["a#b", "#", "c", "$X", "*"]);
        assert!(split(" \n").is_empty());
    }

    #[test]
    fn proc_041_split_errors() {
        assert_eq!(shell_split("a 'b"), Err("No closing quotation"));
        assert_eq!(shell_split("a \"b"), Err("No closing quotation"));
        assert_eq!(shell_split("a \\"), Err("No escaped character"));
    }

    #[test]
    fn repr_quotes_as_python_does() {
        assert_eq!(repr("a"), "'a'");
        assert_eq!(repr("it's"), "\"it's\"");
        assert_eq!(repr("it's \"x\""), "'it\\'s \"x\"'");
        assert_eq!(repr("\u{1}\n\u{a0}é\u{200b}"), "'\\x01\\n\\xa0é\\u200b'");
        assert_eq!(bytes_repr(b"a'\xff\n"), "b\"a'\\xff\\n\"");
    }

    #[test]
    fn rpc_130_131_text_that_xml_can_carry() {
        let text = |bytes: &[u8]| xml_text(bytes.to_vec());
        assert_eq!(text(b"ok\t\r\n"), "ok\t\r\n");
        assert_eq!(text(b"a\x00\x1b[1m\xff\xc3"), "a\u{fffd}\u{fffd}[1m\u{fffd}\u{fffd}");
        assert_eq!(text("\u{fffe}é".as_bytes()), "\u{fffd}é");
        // Each character, wherever it stands.
        let is_odd = |c: char| match c {
            '\t' | '\n' | '\r' => false,
            c => c < ' ' || c == '\u{fffe}' || c == '\u{ffff}',
        };
        for c in ('\0'..='\u{200}').chain('\u{f000}'..='\u{10010}') {
            for before in ["", "abc", "seven b", "\u{ffc0}\r\u{feff}"] {
                let given = format!("{before}{c}{c}\u{1f600}");
                let shown = if is_odd(c) { format!("{before}\u{fffd}\u{fffd}\u{1f600}") } else { given.clone() };
                assert_eq!((is_xml(&given), text(given.as_bytes())), (!is_odd(c), shown));
            }
        }
    }

    #[test]
    fn percent_and_secrets() {
        assert_eq!(percent_decode("/a%3Ab%2"), b"/a:b%2");
        assert!(same_secret(b"abc", b"abc"));
        assert!(!same_secret(b"abc", b"abd"));
        assert!(!same_secret(b"abc", b"ab"));
        assert!(!same_secret(b"ab", b"abc"));
        assert!(!same_secret(b"ab", b"ab\0"));
    }

    #[test]
    fn nearest_suggests_only_what_may_be_meant() {
        assert_eq!(nearest("comand", ["command", "umask"]), Some("command"));
        assert_eq!(nearest("zzz", ["command", "umask"]), None);
        for (one, other, distance) in [("", "ab", 2), ("web", "wbe", 1), ("ca", "abc", 3), ("kitten", "sitting", 3)] {
            assert_eq!(edit_distance(one, other), distance);
            assert_eq!(edit_distance(other, one), distance);
        }
    }
}
