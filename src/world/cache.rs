//! The key/value store behind `cache.*` (contract cache.md): a table that knows its size, and is never long about it.
//!
//! Most entries are short texts under short keys, so those lie in one allocation each, key and value together: with the
//! table's part, 48 bytes of text take about 117 bytes of memory. Once there are many entries they are spread over
//! [`SHARDS`] tables by a hash, because a table that grows moves all that it has.

use std::borrow::Borrow;
use std::collections::HashSet;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hash, Hasher};
use std::rc::Rc;

use crate::base::limits::{CACHE_PACKED_BYTES, CACHE_SPREAD_ENTRIES};
use crate::base::value::Value;

/// Tables of a cache that has many entries.
const SHARDS: usize = 256;

/// Values by key.
#[derive(Default, Debug)]
pub struct Cache {
    /// None at first, then one, then [`SHARDS`].
    tables: Vec<HashSet<Entry, RandomState>>,
    /// Chooses the table; another hash than theirs, lest each of them use a part of its places only.
    spread: RandomState,
    len: usize,
    /// What keys and values take, as [`weight`] counts it.
    bytes: u64,
    /// What was cleared, and is given back a table at a time.
    waste: Vec<HashSet<Entry, RandomState>>,
}

/// An entry, which answers may share.
#[derive(Clone, Debug)]
enum Entry {
    /// A text: the length of the key in bytes as one character, the key, the value.
    Packed(Rc<str>),
    /// Anything else.
    Apart(Rc<(Box<str>, Value)>),
}

impl Entry {
    fn new(key: &str, value: Value) -> Entry {
        if let Value::Str(text) = &value
            && key.len() + text.len() <= CACHE_PACKED_BYTES
            && let Some(length) = u32::try_from(key.len()).ok().and_then(char::from_u32)
        {
            let mut packed = String::with_capacity(length.len_utf8() + key.len() + text.len());
            packed.push(length);
            packed.push_str(key);
            packed.push_str(text);
            return Entry::Packed(packed.into());
        }
        Entry::Apart(Rc::new((key.into(), value)))
    }

    /// Key and value of a packed entry.
    fn unpack(packed: &str) -> (&str, &str) {
        let mut chars = packed.chars();
        let length = chars.next().map_or(0, |length| length as usize);
        chars.as_str().split_at(length)
    }

    fn key(&self) -> &str {
        match self {
            Entry::Packed(packed) => Entry::unpack(packed).0,
            Entry::Apart(entry) => &entry.0,
        }
    }

    fn weight(&self) -> u64 {
        match self {
            Entry::Packed(packed) => {
                let (key, text) = Entry::unpack(packed);
                weight(key, VALUE + text.len() as u64)
            }
            Entry::Apart(entry) => weight(&entry.0, size(&entry.1)),
        }
    }
}

// A set of entries is a map from their keys.
impl Borrow<str> for Entry {
    fn borrow(&self) -> &str {
        self.key()
    }
}

impl Hash for Entry {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Entry) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Entry {}

/// A value of the cache, shared with it.
#[derive(Clone, Debug)]
pub struct Cached(Entry);

/// What a [`Cached`] is.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum CachedRef<'a> {
    /// A text.
    Text(&'a str),
    /// Any value, perhaps a text.
    Value(&'a Value),
}

impl Cached {
    /// To look at.
    pub fn get(&self) -> CachedRef<'_> {
        match &self.0 {
            Entry::Packed(packed) => CachedRef::Text(Entry::unpack(packed).1),
            Entry::Apart(entry) => CachedRef::Value(&entry.1),
        }
    }

    /// A copy.
    pub fn to_value(&self) -> Value {
        match self.get() {
            CachedRef::Text(text) => Value::str(text),
            CachedRef::Value(value) => value.clone(),
        }
    }
}

impl Cache {
    /// Puts a value in, or another in its place. With a limit: only if all then takes at most `max_bytes`; says whether
    /// it does.
    pub fn store(&mut self, key: &str, value: Value, max_bytes: Option<u64>) -> bool {
        let old = self.find(key).map_or(0, Entry::weight);
        let entry = Entry::new(key, value);
        let bytes = self.bytes - old + entry.weight();
        // What does not add can't make it too much.
        if bytes > self.bytes && max_bytes.is_some_and(|most| bytes > most) {
            return false;
        }
        self.bytes = bytes;
        if self.tables.is_empty() {
            self.tables.push(HashSet::default());
        } else if self.tables.len() == 1 && self.len >= CACHE_SPREAD_ENTRIES {
            self.spread_out();
        }
        let place = self.place(key);
        if self.tables[place].replace(entry).is_none() {
            self.len += 1;
        }
        true
    }

    fn spread_out(&mut self) {
        let few = std::mem::take(&mut self.tables);
        self.tables.resize_with(SHARDS, HashSet::default);
        for entry in few.into_iter().flatten() {
            let place = self.place(entry.key());
            self.tables[place].insert(entry);
        }
    }

    /// Which table has a key, or would have it. 0 if there is none yet.
    fn place(&self, key: &str) -> usize {
        match self.tables.len() {
            0 | 1 => 0,
            count => self.spread.hash_one(key) as usize % count,
        }
    }

    fn find(&self, key: &str) -> Option<&Entry> {
        self.tables.get(self.place(key))?.get(key)
    }

    /// The value, if there is one.
    pub fn fetch(&self, key: &str) -> Option<Cached> {
        self.find(key).cloned().map(Cached)
    }

    /// Takes a value out, if there is one.
    pub fn delete(&mut self, key: &str) {
        let place = self.place(key);
        if let Some(old) = self.tables.get_mut(place).and_then(|table| table.take(key)) {
            self.len -= 1;
            self.bytes -= old.weight();
        }
    }

    /// Takes all out. The memory comes back with [`Cache::sweep`].
    pub fn clear(&mut self) {
        self.waste.append(&mut self.tables);
        self.len = 0;
        self.bytes = 0;
    }

    /// Gives back the next part of the memory of what was cleared. Returns whether there is more.
    pub fn sweep(&mut self) -> bool {
        self.waste.pop();
        if self.waste.is_empty() {
            self.waste = Vec::new();
        }
        !self.waste.is_empty()
    }

    /// All keys, ordered by code point (CACHE-011).
    pub fn keys(&self) -> Vec<&str> {
        let mut keys: Vec<&str> = self.tables.iter().flatten().map(Entry::key).collect();
        keys.sort_unstable();
        keys
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// What keys and values take, in bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

/// What a value takes besides what it points to.
const VALUE: u64 = size_of::<Value>() as u64;

/// What an entry takes in memory, about: the text, what holds it, and the value's size.
fn weight(key: &str, value: u64) -> u64 {
    (key.len() + size_of::<String>() + size_of::<Rc<Value>>()) as u64 + value
}

/// What a value takes in memory, about, in bytes.
pub fn size(value: &Value) -> u64 {
    VALUE
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cache_025_what_is_kept_is_counted() {
        let mut cache = Cache::default();
        assert!(cache.store("a", Value::str("x".repeat(100)), None));
        let one = cache.bytes();
        assert!((101..250).contains(&one), "{one}");
        assert!(cache.store("a", Value::str("x"), None));
        assert_eq!(cache.bytes(), one - 99);
        let list = Value::Array(vec![Value::Struct(vec![("k".into(), Value::Bytes(vec![0; 50]))]), Value::Nil]);
        assert!(cache.store("b", list, None));
        cache.delete("b");
        cache.delete("b");
        assert_eq!(cache.bytes(), one - 99);
        assert!(!cache.store("b", Value::str("x"), Some(one - 99)));
        assert!(cache.store("b", Value::str("x"), Some(2 * one)));
        // Over a limit that came later: less is fine, more is not.
        assert!(!cache.store("a", Value::str("xx"), Some(1)));
        assert!(cache.store("a", Value::str(""), Some(1)));
        cache.clear();
        assert_eq!((cache.bytes(), cache.len()), (0, 0));
    }

    /// Against a plain map: short and long texts and keys, other values, few and many entries.
    #[test]
    fn cache_011_to_016_it_is_a_map() {
        let mut cache = Cache::default();
        let mut model = std::collections::BTreeMap::new();
        let mut dice = 1_u64;
        let mut roll = |sides: u64| {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (dice >> 33) % sides
        };
        let most = 2 * CACHE_SPREAD_ENTRIES as u64;
        for step in 0..20 * most {
            let number = roll(most);
            let key = match number % 5 {
                0 => format!("é{number}\u{10ffff}"),
                // The length of such a key is no character.
                1 if number < 50 => format!("{number}{}", "k".repeat(0xd800)),
                _ => number.to_string(),
            };
            let value = match roll(9) {
                0 => Value::Int(step as i64),
                1 => Value::str("x".repeat(CACHE_PACKED_BYTES)),
                2 => Value::str(""),
                _ => Value::str(format!("{step} ü")),
            };
            match roll(8) {
                0 => {
                    cache.delete(&key);
                    model.remove(&key);
                }
                1 if step % 9_000 == 0 => {
                    cache.clear();
                    model.clear();
                    while cache.sweep() {}
                }
                _ => {
                    assert!(cache.store(&key, value.clone(), None));
                    model.insert(key.clone(), value);
                }
            }
            assert_eq!(cache.fetch(&key).map(|cached| cached.to_value()), model.get(&key).cloned());
            assert_eq!((cache.len(), cache.is_empty()), (model.len(), model.is_empty()));
        }
        assert!(cache.tables.len() > 1 || model.len() < CACHE_SPREAD_ENTRIES);
        assert!(cache.keys().into_iter().eq(model.keys()));
        let weights: u64 = model.iter().map(|(key, value)| weight(key, size(value))).sum();
        assert_eq!(cache.bytes(), weights);
        for key in model.keys() {
            cache.delete(key);
        }
        assert_eq!((cache.bytes(), cache.len()), (0, 0));
    }
}
