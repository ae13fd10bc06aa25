//! Plain text between tags, taken in runs: the XML reader would look at every character four times, and values can be
//! megabytes. Whatever isn't plain is left to the XML reader, which also finds all errors.

use crate::base::scan::plain_length;

/// What stands at the front of text.
#[derive(Debug, PartialEq, Eq)]
pub enum Front<'a> {
    /// Text, and how many bytes of input it took.
    Text(&'a str, usize),
    /// The input ends here, or too soon to tell.
    Short,
    /// Markup, or something odd.
    Other,
}

/// The five entities that need no declaration.
const ENTITIES: [&str; 5] = ["&lt;", "&gt;", "&amp;", "&quot;", "&apos;"];

/// Bytes that are not text wherever they stand (in XML 1.0), besides those that are nowhere.
const ODD: [u8; 3] = [b'&', b'<', b']'];

/// Looks at the front of `input`.
pub fn front(input: &str) -> Front<'_> {
    let plain = plain_length(input.as_bytes(), ODD);
    if plain > 0 {
        return run(input, plain);
    }
    match input.as_bytes() {
        [] => Front::Short,
        [b'&', ..] => entity(input),
        // Line ends are normalised.
        [b'\r', b'\n', ..] => Front::Text("\n", 2),
        [b'\r', _, ..] => Front::Text("\n", 1),
        [b'\r'] => Front::Short,
        // `]]>` is an error in text.
        [b']', b']', b'>', ..] => Front::Other,
        [b']'] | [b']', b']'] => Front::Short,
        [b']', ..] => Front::Text("]", 1),
        // U+FFFE and U+FFFF are errors; what else begins so is three bytes long.
        [0xef, 0xbf, 0xbe | 0xbf, ..] => Front::Other,
        [0xef, ..] => run(input, 3),
        _ => Front::Other,
    }
}

/// Text that is itself. What ends it begins a character.
fn run(input: &str, length: usize) -> Front<'_> {
    Front::Text(&input[..length], length)
}

fn entity(input: &str) -> Front<'_> {
    match input.as_bytes() {
        [b'&', b'l', b't', b';', ..] => Front::Text("<", 4),
        [b'&', b'g', b't', b';', ..] => Front::Text(">", 4),
        [b'&', b'a', b'm', b'p', b';', ..] => Front::Text("&", 5),
        [b'&', b'q', b'u', b'o', b't', b';', ..] => Front::Text("\"", 6),
        [b'&', b'a', b'p', b'o', b's', b';', ..] => Front::Text("'", 6),
        _ if ENTITIES.iter().any(|entity| entity.starts_with(input)) => Front::Short,
        _ => Front::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rpc_184_189_fronts_of_text() {
        let rows: &[(&str, Front<'_>)] = &[
            ("", Front::Short),
            ("a \t\n>\"'</value>", Front::Text("a \t\n>\"'", 7)),
            ("é😀]", Front::Text("é😀", 6)),
            ("&amp;x", Front::Text("&", 5)),
            ("&apos;", Front::Text("'", 6)),
            ("&ap", Front::Short),
            ("&#65;", Front::Other),
            ("&nbsp;", Front::Other),
            ("\r\nx", Front::Text("\n", 2)),
            ("\rx", Front::Text("\n", 1)),
            ("\r", Front::Short),
            ("]x", Front::Text("]", 1)),
            ("]]x", Front::Text("]", 1)),
            ("]]]>", Front::Text("]", 1)),
            ("]]>", Front::Other),
            ("]]", Front::Short),
            ("\u{ff01}\u{ff01}", Front::Text("\u{ff01}", 3)),
            ("\u{fffd}", Front::Text("\u{fffd}", 3)),
            ("\u{fffe}", Front::Other),
            ("<b>", Front::Other),
            ("\0", Front::Other),
            ("\x1b", Front::Other),
        ];
        for (input, expected) in rows {
            assert_eq!(front(input), *expected, "{input:?}");
        }
    }
}
