//! What the XML reader reads from: text as far as it has come. The reader forgets a character that it gets in parts, so
//! only whole ones go in.

use std::io::{self, Read};

use crate::wire::xml_tree::Broken;

/// Input as far as it has come.
#[derive(Default)]
pub struct Feed {
    /// In whole characters.
    pub text: String,
    /// The reader has taken this many bytes.
    pub taken: usize,
    /// The beginning of a character behind the text.
    part: Vec<u8>,
    begun: bool,
    /// There is no more.
    pub ended: bool,
}

impl Feed {
    /// Adds a piece. An error if it isn't UTF-8 (RPC-180).
    pub fn add(&mut self, mut piece: &[u8]) -> Result<(), Broken> {
        self.text.drain(..self.taken);
        self.taken = 0;
        while let [first, behind @ ..] = piece
            && !self.part.is_empty()
        {
            self.part.push(*first);
            piece = behind;
            match std::str::from_utf8(&self.part) {
                Ok(character) => self.text.push_str(character),
                Err(error) if error.error_len().is_none() => continue,
                Err(_) => return Err(Broken),
            }
            self.part.clear();
        }
        let whole = match std::str::from_utf8(piece) {
            Ok(text) => text,
            Err(error) if error.error_len().is_none() => {
                let (whole, part) = piece.split_at(error.valid_up_to());
                self.part.extend_from_slice(part);
                std::str::from_utf8(whole).map_err(|_| Broken)?
            }
            Err(_) => return Err(Broken),
        };
        self.text.push_str(whole);
        if !self.begun && !self.text.is_empty() {
            self.begun = true;
            const BYTE_ORDER_MARK: char = '\u{feff}';
            if self.text.starts_with(BYTE_ORDER_MARK) {
                self.taken = BYTE_ORDER_MARK.len_utf8();
            }
        }
        Ok(())
    }

    /// Whether all that came was taken.
    pub fn is_empty(&self) -> bool {
        self.taken == self.text.len() && self.part.is_empty()
    }

    /// Whether the last byte taken is known to have ended a tag; that of an empty element only if `empty` is fine.
    pub fn is_behind_tag(&self, empty: bool) -> bool {
        match self.text.as_bytes()[..self.taken] {
            [.., slash, b'>'] => empty || slash != b'/',
            _ => false,
        }
    }

    /// There is no more; whether it ends with a whole character.
    pub fn end(&mut self) -> bool {
        self.ended = true;
        self.part.is_empty()
    }
}

impl Read for Feed {
    #[inline]
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = &self.text.as_bytes()[self.taken..];
        if rest.is_empty() {
            return if self.ended { Ok(0) } else { Err(io::ErrorKind::WouldBlock.into()) };
        }
        let count = buffer.len().min(rest.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.taken += count;
        Ok(count)
    }
}
