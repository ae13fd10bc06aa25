//! The key/value store behind `cache.*` (contract cache.md): nothing but a map that knows its size.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::base::value::Value;

/// Values by key, ordered by code point (CACHE-011). Values are shared with the answers that carry them.
#[derive(Default, Debug)]
pub struct Cache {
    values: BTreeMap<String, Rc<Value>>,
    /// What keys and values take, as [`weight`] counts it.
    bytes: u64,
}

impl Cache {
    /// Puts a value in, or another in its place. With a limit: only if all then takes at most `max_bytes`; says whether
    /// it does.
    pub fn store(&mut self, key: String, value: Value, max_bytes: Option<u64>) -> bool {
        let old = self.values.get(&key).map_or(0, |old| weight(&key, old));
        let bytes = self.bytes - old + weight(&key, &value);
        // What does not add can't make it too much.
        if bytes > self.bytes && max_bytes.is_some_and(|most| bytes > most) {
            return false;
        }
        self.bytes = bytes;
        self.values.insert(key, Rc::new(value));
        true
    }

    /// The value, if there is one.
    pub fn fetch(&self, key: &str) -> Option<Rc<Value>> {
        self.values.get(key).cloned()
    }

    /// Takes a value out, if there is one.
    pub fn delete(&mut self, key: &str) {
        if let Some(old) = self.values.remove(key) {
            self.bytes -= weight(key, &old);
        }
    }

    /// Takes all out.
    pub fn clear(&mut self) {
        self.values.clear();
        self.bytes = 0;
    }

    /// All keys in order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// What keys and values take, in bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

/// What an entry takes in memory, about: the text and what holds it.
fn weight(key: &str, value: &Value) -> u64 {
    (key.len() + size_of::<String>() + size_of::<Rc<Value>>()) as u64 + size(value)
}

/// What a value takes in memory, about, in bytes.
pub fn size(value: &Value) -> u64 {
    let own = size_of::<Value>() as u64;
    own + match value {
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
        assert!(cache.store("a".into(), Value::str("x".repeat(100)), None));
        let one = cache.bytes();
        assert!((101..250).contains(&one), "{one}");
        assert!(cache.store("a".into(), Value::str("x"), None));
        assert_eq!(cache.bytes(), one - 99);
        let list = Value::Array(vec![Value::Struct(vec![("k".into(), Value::Bytes(vec![0; 50]))]), Value::Nil]);
        assert!(cache.store("b".into(), list, None));
        cache.delete("b");
        cache.delete("b");
        assert_eq!(cache.bytes(), one - 99);
        assert!(!cache.store("b".into(), Value::str("x"), Some(one - 99)));
        assert!(cache.store("b".into(), Value::str("x"), Some(2 * one)));
        // Over a limit that came later: less is fine, more is not.
        assert!(!cache.store("a".into(), Value::str("xx"), Some(1)));
        assert!(cache.store("a".into(), Value::str(""), Some(1)));
        cache.clear();
        assert_eq!((cache.bytes(), cache.len()), (0, 0));
    }
}
