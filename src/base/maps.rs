//! Two ordered maps, by number and by name, in place of a map for each pair of types.
//!
//! A `BTreeMap` is made anew, 8 KB of code, for each pair of types. Of these two there is one each, whatever is kept, and
//! the set of pairs of numbers that the former is serves [`Deadlines`](crate::base::time::Deadlines), too.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::marker::PhantomData;

use crate::base::key::{Key, Slab};
use crate::base::words::Pid;

/// What can stand as one number; its order is that of the numbers.
pub trait Number: Copy {
    /// The number.
    fn to_number(self) -> u64;
    /// The inverse, for numbers that came from [`Number::to_number`].
    fn from_number(number: u64) -> Self;
}

impl Number for usize {
    fn to_number(self) -> u64 {
        self as u64
    }

    fn from_number(number: u64) -> usize {
        number as usize
    }
}

/// Those of processes, which are positive.
impl Number for Pid {
    fn to_number(self) -> u64 {
        self as u64
    }

    fn from_number(number: u64) -> Pid {
        number as Pid
    }
}

impl<T> Number for Key<T> {
    fn to_number(self) -> u64 {
        self.to_bits()
    }

    fn from_number(number: u64) -> Self {
        Key::from_bits(number)
    }
}

/// A map from one kind of number to another, in the order of the former.
pub struct ByNumber<K, V> {
    /// Pairs, of which no two begin alike.
    all: BTreeSet<(u64, u64)>,
    of: PhantomData<fn() -> (K, V)>,
}

impl<K, V> Default for ByNumber<K, V> {
    fn default() -> Self {
        ByNumber { all: BTreeSet::new(), of: PhantomData }
    }
}

impl<K: Number, V: Number> ByNumber<K, V> {
    /// Returns what was there.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        let before = self.remove(key);
        self.all.insert((key.to_number(), value.to_number()));
        before
    }

    /// Returns what was there.
    pub fn remove(&mut self, key: K) -> Option<V> {
        let before = self.get(key)?;
        self.all.remove(&(key.to_number(), before.to_number()));
        Some(before)
    }

    /// What is there.
    pub fn get(&self, key: K) -> Option<V> {
        first_from(&self.all, key.to_number())
            .filter(|pair| pair.0 == key.to_number())
            .map(|pair| V::from_number(pair.1))
    }

    /// The first from this key on.
    pub fn first_from(&self, key: K) -> Option<(K, V)> {
        first_from(&self.all, key.to_number()).map(pair)
    }

    /// All, in order.
    pub fn iter(&self) -> impl Iterator<Item = (K, V)> {
        self.all.iter().copied().map(pair)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.all.clear();
    }
}

/// The first pair that begins with `key` or more.
fn first_from(all: &BTreeSet<(u64, u64)>, key: u64) -> Option<(u64, u64)> {
    all.range((key, 0)..).next().copied()
}

fn pair<K: Number, V: Number>((key, value): (u64, u64)) -> (K, V) {
    (K::from_number(key), V::from_number(value))
}

impl<K: Number + fmt::Debug, V: Number + fmt::Debug> fmt::Debug for ByNumber<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

/// A map from names to anything, in the order of the names' bytes.
#[derive(Clone)]
pub struct ByName<V> {
    places: BTreeMap<String, usize>,
    values: Slab<V>,
}

impl<V> Default for ByName<V> {
    fn default() -> Self {
        ByName { places: BTreeMap::new(), values: Slab::new() }
    }
}

impl<V> ByName<V> {
    /// Returns what was there.
    pub fn insert(&mut self, name: String, value: V) -> Option<V> {
        match self.get_mut(&name) {
            Some(known) => Some(std::mem::replace(known, value)),
            None => {
                let place = self.values.insert(value);
                self.places.insert(name, place);
                None
            }
        }
    }

    /// Returns what was there.
    pub fn remove(&mut self, name: &str) -> Option<V> {
        self.places.remove(name).and_then(|place| self.values.try_remove(place))
    }

    /// What is there.
    pub fn get(&self, name: &str) -> Option<&V> {
        self.values.get(*self.places.get(name)?)
    }

    /// What is there.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut V> {
        self.values.get_mut(*self.places.get(name)?)
    }

    /// All, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &V)> {
        self.places.iter().filter_map(|(name, place)| Some((name, self.values.get(*place)?)))
    }

    /// All names, in order.
    pub fn names(&self) -> impl Iterator<Item = &String> {
        self.places.keys()
    }

    /// All values, in no order.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.values.iter_mut().map(|(_, value)| value)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }
}

impl<V> FromIterator<(String, V)> for ByName<V> {
    /// Of equal names the last wins.
    fn from_iter<I: IntoIterator<Item = (String, V)>>(items: I) -> Self {
        let mut all = ByName::default();
        for (name, value) in items {
            all.insert(name, value);
        }
        all
    }
}

impl<V: PartialEq> PartialEq for ByName<V> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}
impl<V: Eq> Eq for ByName<V> {}

impl<V: fmt::Debug> fmt::Debug for ByName<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_in_order_and_come_back_as_they_were() {
        let mut all: ByNumber<Pid, Key<()>> = ByNumber::default();
        let key = |number: u64| Key::from_bits(number << 40 | 7);
        assert_eq!([30, 10, 20].map(|pid| all.insert(pid, key(pid as u64))), [None; 3]);
        assert_eq!(all.insert(10, key(11)), Some(key(10)));
        assert_eq!(all.iter().collect::<Vec<_>>(), [(10, key(11)), (20, key(20)), (30, key(30))]);
        assert_eq!((all.first_from(11), all.first_from(31)), (Some((20, key(20))), None));
        assert_eq!(
            (all.remove(20), all.remove(20), all.get(20), all.get(30)),
            (Some(key(20)), None, None, Some(key(30)))
        );
        assert_eq!((all.len(), all.is_empty()), (2, false));
        all.clear();
        assert_eq!((all.len(), all.is_empty(), all.iter().next()), (0, true, None));
    }

    #[test]
    fn names_are_in_order_and_can_go() {
        let pairs = [("b", 1), ("a", 2), ("c", 3), ("b", 4)].map(|(name, value)| (name.to_string(), value));
        let mut all: ByName<i32> = pairs.into_iter().collect();
        assert_eq!(format!("{all:?}"), r#"{"a": 2, "b": 4, "c": 3}"#);
        let copy = all.clone();
        assert_eq!((all.remove("a"), all.remove("a"), all.get("a")), (Some(2), None, None));
        assert_ne!(all, copy);
        assert_eq!(all.insert("a".to_string(), 0), None);
        *all.get_mut("a").unwrap() += 2;
        assert_eq!(all, copy);
        for value in all.values_mut() {
            *value = 0;
        }
        assert_eq!(all.iter().map(|(name, value)| format!("{name}{value}")).collect::<String>(), "a0b0c0");
        assert_eq!((all.names().count(), all.len(), all.is_empty()), (3, 3, false));
    }
}
