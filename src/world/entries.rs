//! Where the cache's entries lie: short texts with their keys in slabs, anything else by itself, shared with answers.
//!
//! An entry has a number, and knows the number of the next one in its bucket. When an entry goes, the last one of its
//! kind gets its number, so there are no gaps. Knows nothing of hashes.

use std::cell::OnceCell;
use std::rc::Rc;

use crate::base::limits::{CACHE_PACKED_BYTES, CACHE_SWEEP_BYTES, FREED_PARTS};
use crate::base::scraps::Scraps;
use crate::base::value::Value;
use crate::wire::xml_write;
use crate::world::slabs::{CHUNK_BITS, PAGE_BYTES, Slabs, chunk_bytes};

/// No entry.
pub const NONE: u32 = u32::MAX;
/// Numbers from here on are of entries apart, in order.
const APART: u32 = 1 << CHUNK_BITS;
/// A packed entry's number of the next one, and the lengths of its key and text. Key and text follow.
const HEAD_BYTES: usize = 8;

/// An entry that lies by itself.
#[derive(Debug)]
pub struct Apart {
    key: Box<str>,
    value: Value,
    /// As [`weight`] counts it, once: that takes its time, too.
    bytes: u64,
    /// Whether the text is written as it is; found out when it is first asked.
    plain: OnceCell<bool>,
}

impl Apart {
    /// The value.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// Frees it in steps, unless somebody else has it, too. Returns how many parts were freed at once.
    pub fn leave(self: Rc<Self>, scraps: &mut Scraps) -> usize {
        Rc::into_inner(self).map_or(0, |entry| scraps.add(entry.value))
    }

    /// The value, if it is a text.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Str(text) => Some(text),
            _ => None,
        }
    }

    /// Whether the value is a text in which XML has nothing to escape.
    pub fn is_plain(&self) -> bool {
        *self.plain.get_or_init(|| self.text().is_some_and(xml_write::is_plain))
    }
}

/// The bytes of a text; none of another value.
impl AsRef<[u8]> for Apart {
    fn as_ref(&self) -> &[u8] {
        self.text().unwrap_or_default().as_bytes()
    }
}

/// A value of the cache.
#[derive(Clone, Debug)]
pub enum Found<'a> {
    /// A short text, to be copied.
    Text(&'a str),
    /// Any value, to be shared.
    Apart(&'a Rc<Apart>),
}

/// An entry apart, and the number of the next one.
#[derive(Debug)]
struct Place {
    next: u32,
    entry: Rc<Apart>,
}

/// What was cleared, and is not given back yet.
#[derive(Default, Debug)]
pub struct Waste {
    /// Each with how many bytes of it were used.
    pages: Vec<(Box<[u8]>, usize)>,
    apart: Vec<Vec<Place>>,
    tables: Vec<Vec<u32>>,
    /// Large values, also of entries that were deleted or got another value.
    scraps: Scraps,
    /// What all of it takes, counted as [`weight`] does.
    bytes: u64,
}

impl Waste {
    /// Takes over a table with the entries that it names, which take `bytes` together.
    pub fn add(&mut self, entries: &mut Entries, table: Vec<u32>, bytes: u64) {
        self.pages.extend(entries.slabs.clear());
        self.apart.push(std::mem::take(&mut entries.apart));
        self.tables.push(table);
        self.bytes += bytes;
    }

    /// What all of it takes, in bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Gives back the next part. Returns whether there is more.
    pub fn sweep(&mut self) -> bool {
        // What a part of a value takes its time for.
        const PART: u64 = CACHE_SWEEP_BYTES / FREED_PARTS as u64;
        let mut left = CACHE_SWEEP_BYTES * self.scraps.len().max(1) as u64;
        while left > 0 {
            if !self.scraps.is_empty() {
                let freed = self.scraps.free(left.div_ceil(PART) as usize);
                left = left.saturating_sub(freed as u64 * PART);
                continue;
            }
            let Some((bytes, parts)) = self.drop_piece() else { return false };
            // Also a small one takes its time.
            left = left.saturating_sub(bytes + 1024 + parts as u64 * PART);
        }
        true
    }

    /// An entry apart is none any more.
    fn add_entry(&mut self, entry: Rc<Apart>) {
        entry.leave(&mut self.scraps);
    }

    /// Gives back as much as is more than `most` bytes.
    pub fn sweep_to(&mut self, most: u64) {
        while self.bytes > most && self.drop_piece().is_some() {}
    }

    /// Gives back a piece, large values to [`Waste::scraps`]. Returns what it took, in bytes, and how many parts of
    /// values it had; `None`: that was all.
    fn drop_piece(&mut self) -> Option<(u64, usize)> {
        let mut parts = 0;
        let piece = if let Some((_, used)) = self.pages.pop() {
            used
        } else if let Some(places) = self.apart.last_mut() {
            match places.pop() {
                Some(place) => {
                    shrink_by_pages(places);
                    let bytes = place.entry.bytes as usize - size_of::<u32>();
                    parts = place.entry.leave(&mut self.scraps);
                    bytes
                }
                None => {
                    self.apart.pop();
                    0
                }
            }
        } else if let Some(table) = self.tables.last_mut() {
            let left = table.len().saturating_sub(PAGE_BYTES / size_of::<u32>());
            let piece = (table.len() - left) * size_of::<u32>();
            table.truncate(left);
            shrink_by_pages(table);
            if left == 0 {
                self.tables.pop();
            }
            piece
        } else {
            *self = Waste { scraps: std::mem::take(&mut self.scraps), ..Waste::default() };
            return None;
        };
        self.bytes = self.bytes.saturating_sub(piece as u64);
        Some((piece as u64, parts))
    }
}

/// Gives the end of a list back that is used no more: a piece at a time, since a list of millions takes its time, too.
fn shrink_by_pages<T>(list: &mut Vec<T>) {
    if (list.capacity() - list.len()) * size_of::<T>() >= PAGE_BYTES {
        list.shrink_to_fit();
    }
}

/// All entries.
#[derive(Default, Debug)]
pub struct Entries {
    slabs: Slabs,
    apart: Vec<Place>,
}

/// The text of an entry that is packed.
fn packed<'a>(key: &str, value: &'a Value) -> Option<&'a str> {
    match value {
        Value::Str(text) if HEAD_BYTES + key.len() + text.len() <= CACHE_PACKED_BYTES => Some(text),
        _ => None,
    }
}

/// What an entry takes in memory, its place in the table included.
pub fn weight(key: &str, value: &Value) -> u64 {
    match packed(key, value) {
        Some(text) => packed_weight(HEAD_BYTES + key.len() + text.len()),
        None => apart_weight(key, value),
    }
}

fn packed_weight(bytes: usize) -> u64 {
    (chunk_bytes(bytes) + size_of::<u32>()) as u64
}

fn apart_weight(key: &str, value: &Value) -> u64 {
    // Two counts stand before what is shared.
    const HOLDS: usize = size_of::<u32>() + size_of::<Place>() + 2 * size_of::<usize>() + size_of::<Apart>();
    (HOLDS + key.len()) as u64 + size(value) - size_of::<Value>() as u64
}

/// What a value takes in memory, about, in bytes.
pub fn size(value: &Value) -> u64 {
    size_of::<Value>() as u64
        + match value {
            Value::Nil | Value::Bool(_) | Value::Int(_) | Value::Double(_) => 0,
            Value::Str(text) | Value::DateTime(text) | Value::Big(text) => text.len() as u64,
            Value::Bytes(bytes) => bytes.len() as u64,
            Value::Array(items) => items.iter().map(size).sum(),
            Value::Struct(members) => {
                members.iter().map(|(name, value)| (name.len() + size_of::<String>()) as u64 + size(value)).sum()
            }
        }
}

/// The parts of a packed entry: the number of the next one, key, text.
fn unpack(chunk: &[u8]) -> (u32, &[u8], &[u8]) {
    let Some((&[a, b, c, d, e, f, g, h], rest)) = chunk.split_first_chunk::<HEAD_BYTES>() else {
        return (NONE, &[], &[]);
    };
    let (key, rest) = rest.split_at(usize::from(u16::from_ne_bytes([e, f])));
    (u32::from_ne_bytes([a, b, c, d]), key, &rest[..usize::from(u16::from_ne_bytes([g, h]))])
}

/// Writes key and text of a packed entry.
fn pack(chunk: &mut [u8], key: &str, text: &str) {
    // Both are shorter than a chunk.
    chunk[4..6].copy_from_slice(&(key.len() as u16).to_ne_bytes());
    chunk[6..8].copy_from_slice(&(text.len() as u16).to_ne_bytes());
    let texts = &mut chunk[HEAD_BYTES..];
    texts[..key.len()].copy_from_slice(key.as_bytes());
    texts[key.len()..][..text.len()].copy_from_slice(text.as_bytes());
}

/// What an entry apart is made of; the value is taken.
fn share(key: &str, value: &mut Value, bytes: u64) -> Rc<Apart> {
    let mut value = std::mem::replace(value, Value::Nil);
    if let Value::Str(text) = &mut value {
        text.shrink_to_fit();
    }
    Rc::new(Apart { key: key.into(), value, bytes, plain: OnceCell::new() })
}

fn text(bytes: &[u8]) -> &str {
    // It was text when it came.
    std::str::from_utf8(bytes).unwrap_or_default()
}

impl Entries {
    /// A new entry of such a [`weight`] that has no next one; the value is taken if it is not packed. `None`: there are
    /// too many.
    pub fn add(&mut self, key: &str, value: &mut Value, bytes: u64) -> Option<u32> {
        let Some(text) = packed(key, value) else {
            let number = APART + u32::try_from(self.apart.len()).ok().filter(|count| *count < NONE - APART)?;
            self.apart.push(Place { next: NONE, entry: share(key, value, bytes) });
            return Some(number);
        };
        let number = self.slabs.add(HEAD_BYTES + key.len() + text.len())?;
        pack(self.slabs.get_mut(number), key, text);
        self.set_next(number, NONE);
        Some(number)
    }

    /// Puts another value in the place of one, if it fits there without loss; it is taken as by [`Entries::add`].
    pub fn replace(&mut self, entry: u32, key: &str, value: &mut Value, bytes: u64, waste: &mut Waste) -> bool {
        match (packed(key, value), self.apart_place(entry)) {
            (None, Some(place)) => {
                let new = share(key, value, bytes);
                waste.add_entry(std::mem::replace(&mut self.apart[place].entry, new));
                true
            }
            (Some(text), None) => {
                let chunk = self.slabs.get_mut(entry);
                let fits = chunk_bytes(HEAD_BYTES + key.len() + text.len()) == chunk.len();
                if fits {
                    pack(chunk, key, text);
                }
                fits
            }
            _ => false,
        }
    }

    /// Takes an entry out. Returns the number of the one that now has its number, if there is one.
    pub fn remove(&mut self, entry: u32, waste: &mut Waste) -> Option<u32> {
        let Some(place) = self.apart_place(entry) else { return self.slabs.remove(entry) };
        waste.add_entry(self.apart.swap_remove(place).entry);
        if self.apart.len() < self.apart.capacity() / 4 {
            self.apart.shrink_to(self.apart.len() * 2);
        }
        let last = APART + self.apart.len() as u32;
        (last != entry).then_some(last)
    }

    fn apart_place(&self, entry: u32) -> Option<usize> {
        entry.checked_sub(APART).map(|place| place as usize)
    }

    /// The key, in UTF-8.
    pub fn key(&self, entry: u32) -> &[u8] {
        match self.apart_place(entry) {
            Some(place) => self.apart[place].entry.key.as_bytes(),
            None => unpack(self.slabs.get(entry)).1,
        }
    }

    /// The value.
    pub fn get(&self, entry: u32) -> Found<'_> {
        match self.apart_place(entry) {
            Some(place) => Found::Apart(&self.apart[place].entry),
            None => Found::Text(text(unpack(self.slabs.get(entry)).2)),
        }
    }

    /// What it takes in memory.
    pub fn weight(&self, entry: u32) -> u64 {
        match self.apart_place(entry) {
            Some(place) => self.apart[place].entry.bytes,
            None => packed_weight(self.slabs.get(entry).len()),
        }
    }

    /// The next entry of its bucket, or [`NONE`].
    pub fn next(&self, entry: u32) -> u32 {
        match self.apart_place(entry) {
            Some(place) => self.apart[place].next,
            None => unpack(self.slabs.get(entry)).0,
        }
    }

    /// Says which entry is the next one.
    pub fn set_next(&mut self, entry: u32, next: u32) {
        match self.apart_place(entry) {
            Some(place) => self.apart[place].next = next,
            None => self.slabs.get_mut(entry)[..4].copy_from_slice(&next.to_ne_bytes()),
        }
    }

    /// All keys, in no order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        let packed = self.slabs.chunks().map(|chunk| text(unpack(self.slabs.get(chunk)).1));
        packed.chain(self.apart.iter().map(|place| &*place.entry.key))
    }
}
