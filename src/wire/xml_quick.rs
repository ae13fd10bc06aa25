//! Whole elements past the XML reader: runs of tags without attributes, blanks or prefixes, and the plain text within.
//!
//! The reader spends more on a short call than everything else together. What it doesn't get to see here is complete
//! in itself: elements that begin and end within what is there, so the reader's own state stays true. Anything else,
//! and every mistake, is left to it.

use std::collections::VecDeque;

use crate::base::limits;
use crate::wire::xml_plain::{Front, front};
use crate::wire::xml_tree::{Broken, Tree};

/// Elements within each other that are followed; deeper ones are the reader's.
const DEPTH: usize = 64;

/// A piece of input that needs no reader.
enum Piece<'a> {
    Open(&'a str),
    Close(&'a str),
    Empty(&'a str),
    Text(&'a str),
}

/// The piece at the front of `input`, and its length; `None`: it is for the reader, or not all there.
fn piece(input: &str) -> Option<(Piece<'_>, usize)> {
    let bytes = input.as_bytes();
    if bytes.first() != Some(&b'<') {
        return match front(input) {
            Front::Text(text, length) => Some((Piece::Text(text), length)),
            Front::Short | Front::Other => None,
        };
    }
    let closes = bytes.get(1) == Some(&b'/');
    let begin = 1 + usize::from(closes);
    let rest = &bytes[begin..];
    let length = rest.iter().take(limits::XML_NAME_BYTES + 1).position(|byte| !NAME[usize::from(*byte)])?;
    rest.first().filter(|byte| byte.is_ascii_alphabetic())?;
    let until = begin + length;
    let name = &input[begin..until];
    match (closes, &bytes[until..]) {
        (true, [b'>', ..]) => Some((Piece::Close(name), until + 1)),
        (false, [b'>', ..]) => Some((Piece::Open(name), until + 1)),
        (false, [b'/', b'>', ..]) => Some((Piece::Empty(name), until + 2)),
        _ => None,
    }
}

/// Which bytes names are made of here.
static NAME: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < table.len() {
        table[byte] = (byte as u8).is_ascii_alphanumeric() || matches!(byte as u8, b'.' | b'_' | b'-');
        byte += 1;
    }
    table
};

/// Where runs of whole elements are, as far as the input was looked at.
#[derive(Default)]
pub struct Quick {
    /// Begin and end of each, in order.
    runs: VecDeque<(usize, usize)>,
    /// Up to here the input was looked at: once is enough.
    seen: usize,
}

impl Quick {
    /// The input is another one.
    pub fn forget(&mut self) {
        self.runs.clear();
        self.seen = 0;
    }

    /// The end of the run of whole elements that begins at `at`, right behind a tag; `None` if there is none.
    pub fn run_at(&mut self, input: &str, at: usize) -> Option<usize> {
        if at >= self.seen {
            self.look(input, at);
        }
        while self.runs.front().is_some_and(|(begin, _)| *begin < at) {
            self.runs.pop_front();
        }
        self.runs.front().filter(|(begin, _)| *begin == at).map(|(_, end)| *end)
    }

    /// Follows elements from `at` on. Whatever is whole within one that isn't is a run of its own.
    fn look(&mut self, input: &str, at: usize) {
        // What is around all this; then each open element: its name, where its content begins, and where what is whole
        // in it ends.
        let mut around = (at, at);
        let mut open: Vec<(&str, usize, usize)> = Vec::new();
        let mut place = at;
        while let Some((piece, length)) = piece(&input[place..]) {
            let before = place;
            place += length;
            match piece {
                Piece::Text(_) => {}
                Piece::Open(_) if open.len() >= DEPTH => {
                    place = before;
                    break;
                }
                Piece::Open(name) => open.push((name, place, place)),
                Piece::Empty(_) => *open.last_mut().map_or(&mut around.1, |last| &mut last.2) = place,
                Piece::Close(name) if open.last().is_some_and(|last| last.0 == name) => {
                    open.pop();
                    *open.last_mut().map_or(&mut around.1, |last| &mut last.2) = place;
                }
                // Of the element around all this, or of none.
                Piece::Close(_) => {
                    place = before;
                    break;
                }
            }
        }
        self.seen = place.max(at + 1);
        let runs = std::iter::once(around).chain(open.into_iter().map(|(_, begin, end)| (begin, end)));
        self.runs = runs.filter(|(begin, end)| begin < end).collect();
    }
}

/// Gives a run of whole elements to the tree.
pub fn take(mut run: &str, tree: &mut Tree) -> Result<(), Broken> {
    while let Some((piece, length)) = piece(run) {
        match piece {
            Piece::Text(text) => tree.text(text),
            Piece::Open(name) => tree.open(name)?,
            Piece::Close(_) => tree.close()?,
            Piece::Empty(name) => {
                tree.open(name)?;
                tree.close()?;
            }
        }
        run = &run[length..];
    }
    debug_assert!(run.is_empty());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::xml_read::{BadXml, Call, CallReader};

    fn runs(input: &str, at: usize) -> Vec<&str> {
        let mut quick = Quick::default();
        quick.run_at(input, at);
        quick.runs.iter().map(|(begin, end)| &input[*begin..*end]).collect()
    }

    #[test]
    fn rpc_183_runs_of_whole_elements() {
        assert_eq!(runs("<a>b</a>c<d/>e</x>", 0), ["<a>b</a>c<d/>"]);
        assert_eq!(runs("<a>1</a><b><c>2</c><d><e/>", 0), ["<a>1</a>", "<c>2</c>", "<e/>"]);
        // Up to whatever is odd.
        assert_eq!(runs("<a/><b x='1'/><c/>", 0), ["<a/>"]);
        assert_eq!(runs("<a/><b><!-- --></b>", 0), ["<a/>"]);
        assert_eq!(runs("<a/><b>&#65;</b>", 0), ["<a/>"]);
        assert_eq!(runs("<a/><b></c></b>", 0), ["<a/>"]);
        for odd in ["", "text", "<a>", "<a></b>", "<a ></a>", "<a></a >", "<x:a/>", "<1/>", "<a>]]></a>", "<", "<a"] {
            assert!(runs(odd, 0).is_empty(), "{odd}");
        }
        let deep = format!("{}x{}", "<a>".repeat(DEPTH + 1), "</a>".repeat(DEPTH + 1));
        assert!(runs(&deep, 0).is_empty());
        let long = "n".repeat(limits::XML_NAME_BYTES + 1);
        assert!(runs(&format!("<{long}/>"), 0).is_empty());
    }

    #[test]
    fn input_is_looked_at_once() {
        let input = "<a>1</a><b><c>2</c><d><e/>";
        let mut quick = Quick::default();
        assert_eq!(quick.run_at(input, 0), Some(8));
        let seen = quick.seen;
        assert_eq!((quick.run_at(input, 8), quick.seen), (None, seen));
        assert_eq!(quick.run_at(input, 11), Some(19));
        assert_eq!(quick.run_at(input, 22), Some(26));
        assert_eq!(quick.seen, seen);
    }

    fn read<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Result<Call, BadXml> {
        let mut reader = CallReader::new();
        for piece in pieces {
            reader.push(piece)?;
        }
        reader.finish()
    }

    /// In single bytes there are no whole elements to be seen, so that the XML reader does it all: both ways must agree,
    /// on good documents and on bad ones.
    #[test]
    fn rpc_180_to_195_with_and_without_the_reader() {
        const SCRAPS: [&str; 40] = [
            "<value>",
            "</value>",
            "<value>",
            "</value>",
            "<string>",
            "</string>",
            "<int>",
            "</int>",
            "<i4>7</i4>",
            "<value><int>5</int></value>",
            "<value>text &amp; more</value>",
            "<value><nil/></value>",
            "<array>",
            "</array>",
            "<data>",
            "</data>",
            "<data/>",
            "<struct>",
            "</struct>",
            "<member>",
            "</member>",
            "<name>n</name>",
            "<param>",
            "</param>",
            "<params>",
            "</params>",
            "<boolean>1</boolean>",
            "12",
            "\r\n",
            " ",
            "\u{e9}",
            "&lt;",
            "&#65;",
            "]]>",
            "]",
            "<!-- c -->",
            "<![CDATA[x]]>",
            "<x y='z'/>",
            "<ex:i8>3</ex:i8>",
            "<value ><string >a</string ></value >",
        ];
        let mut dice: u64 = 88172645463325252;
        let mut below = |count: usize| {
            dice ^= dice << 13;
            dice ^= dice >> 7;
            dice ^= dice << 17;
            (dice % count as u64) as usize
        };
        let (mut good, mut bad) = (0, 0);
        for _ in 0..4_000 {
            let mut value = String::new();
            // Now and then whole values in each other, so that some documents are good.
            for _ in 0..below(6) {
                value = match below(5) {
                    0 => format!("<value><array><data>{value}{value}</data></array></value>"),
                    1 => format!("<value><struct><member><name>a</name>{value}</member></struct></value>"),
                    _ => value + "<value><string>s\r\n&gt;</string></value>",
                };
            }
            let scraps: String = (0..below(5)).map(|_| SCRAPS[below(SCRAPS.len())]).collect();
            let value = if below(2) == 0 { value } else { value + &scraps };
            let text = format!(
                "<?xml version='1.0'?>\n<methodCall><methodName>m</methodName><params><param>{value}</param>\n\
                 <param><value>2</value></param></params></methodCall>"
            );
            let whole = read(std::iter::once(text.as_bytes()));
            assert_eq!(whole, read(text.as_bytes().chunks(1)), "{text}");
            assert_eq!(whole, read(text.as_bytes().chunks(1 + below(60))), "{text}");
            if whole.is_ok() { good += 1 } else { bad += 1 }
        }
        assert!(good > 300 && bad > 300, "{good} {bad}");
    }
}
