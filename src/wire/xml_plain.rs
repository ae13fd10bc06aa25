//! Plain text between tags, taken in runs: the XML reader would look at every character four times, and values can be
//! megabytes. Whatever isn't plain is left to the XML reader, which also finds all errors.

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
const ENTITIES: [(&[u8], &str); 5] =
    [(b"&lt;", "<"), (b"&gt;", ">"), (b"&amp;", "&"), (b"&quot;", "\""), (b"&apos;", "'")];

/// Whether a byte is text wherever it stands (in XML 1.0).
fn is_plain(byte: u8) -> bool {
    !matches!(byte, b'&' | b'<' | b']' | b'\r' | 0..=8 | 11 | 12 | 14..=31 | 0xef)
}

/// Looks at the front of `input`, which ends with a whole character.
pub fn front(input: &[u8]) -> Front<'_> {
    let plain = input.iter().position(|byte| !is_plain(*byte)).unwrap_or(input.len());
    if plain > 0 {
        return run(input, plain);
    }
    match input {
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
        [0xef, _, _, ..] => run(input, 3),
        _ => Front::Other,
    }
}

fn run(input: &[u8], length: usize) -> Front<'_> {
    std::str::from_utf8(&input[..length]).map_or(Front::Other, |text| Front::Text(text, length))
}

fn entity(input: &[u8]) -> Front<'_> {
    for (entity, text) in ENTITIES {
        if input.starts_with(entity) {
            return Front::Text(text, entity.len());
        }
        if entity.starts_with(input) {
            return Front::Short;
        }
    }
    Front::Other
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rpc_184_189_fronts_of_text() {
        let rows: &[(&[u8], Front<'_>)] = &[
            (b"", Front::Short),
            (b"a \t\n>\"'</value>", Front::Text("a \t\n>\"'", 7)),
            ("é😀]".as_bytes(), Front::Text("é😀", 6)),
            (b"&amp;x", Front::Text("&", 5)),
            (b"&apos;", Front::Text("'", 6)),
            (b"&ap", Front::Short),
            (b"&#65;", Front::Other),
            (b"&nbsp;", Front::Other),
            (b"\r\nx", Front::Text("\n", 2)),
            (b"\rx", Front::Text("\n", 1)),
            (b"\r", Front::Short),
            (b"]x", Front::Text("]", 1)),
            (b"]]x", Front::Text("]", 1)),
            (b"]]]>", Front::Text("]", 1)),
            (b"]]>", Front::Other),
            (b"]]", Front::Short),
            ("\u{ff01}\u{ff01}".as_bytes(), Front::Text("\u{ff01}", 3)),
            ("\u{fffd}".as_bytes(), Front::Text("\u{fffd}", 3)),
            ("\u{fffe}".as_bytes(), Front::Other),
            (b"<b>", Front::Other),
            (b"\0", Front::Other),
            (b"\x1b", Front::Other),
        ];
        for (input, expected) in rows {
            assert_eq!(front(input), *expected, "{input:?}");
        }
    }
}
