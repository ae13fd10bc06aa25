//! The key/value store behind `cache.*` (contract cache.md): nothing but a map that knows its size.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::base::value::Value;

/// Values by key, ordered by code point (CACHE-011). Values are shared with the answers that carry them.
#[derive(Default, Debug)]
pub struct Cache {
    values: BTreeMap<String, Rc<Value>>,
}

impl Cache {
    /// Puts a value in, or another in its place.
    pub fn store(&mut self, key: String, value: Value) {
        self.values.insert(key, Rc::new(value));
    }

    /// The value, if there is one.
    pub fn fetch(&self, key: &str) -> Option<Rc<Value>> {
        self.values.get(key).cloned()
    }

    /// Takes a value out, if there is one.
    pub fn delete(&mut self, key: &str) {
        self.values.remove(key);
    }

    /// Takes all out.
    pub fn clear(&mut self) {
        self.values.clear();
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
}
