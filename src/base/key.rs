//! Arenas whose keys go stale instead of pointing at somebody else.
//!
//! All relations in the daemon are keys, looked up late. A key to something that is gone finds nothing; it never
//! finds the newcomer that took the slot.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

pub use slab::Slab;

/// Names one item of an [`Arena`]. `Copy`, 8 bytes, and only ever found in the arena that made it.
pub struct Key<T> {
    index: u32,
    generation: u32,
    of: PhantomData<fn() -> T>,
}

impl<T> Key<T> {
    /// The slot number, for side tables that live and die with the arena's item.
    pub fn index(self) -> usize {
        self.index as usize
    }

    /// The key as one number, for tokens of a poll.
    pub fn to_bits(self) -> u64 {
        u64::from(self.generation) << 32 | u64::from(self.index)
    }

    /// The inverse of [`Key::to_bits`].
    pub fn from_bits(bits: u64) -> Self {
        Key { index: bits as u32, generation: (bits >> 32) as u32, of: PhantomData }
    }
}

impl<T> Clone for Key<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Key<T> {}
impl<T> PartialEq for Key<T> {
    fn eq(&self, other: &Self) -> bool {
        self.to_bits() == other.to_bits()
    }
}
impl<T> Eq for Key<T> {}
impl<T> PartialOrd for Key<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<T> Ord for Key<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.to_bits().cmp(&other.to_bits())
    }
}
impl<T> Hash for Key<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.to_bits().hash(state);
    }
}
impl<T> fmt::Debug for Key<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}.{}", self.index, self.generation)
    }
}

/// Owns items of one kind.
pub struct Arena<T> {
    slots: Slab<(u32, T)>,
    next_generation: u32,
}

impl<T> Default for Arena<T> {
    fn default() -> Self {
        Arena { slots: Slab::new(), next_generation: 0 }
    }
}

impl<T> Arena<T> {
    /// Takes an item in and names it.
    pub fn insert(&mut self, item: T) -> Key<T> {
        let generation = self.next_generation;
        self.next_generation = self.next_generation.wrapping_add(1);
        let index = self.slots.insert((generation, item)) as u32;
        Key { index, generation, of: PhantomData }
    }

    /// The item, unless it is gone.
    pub fn get(&self, key: Key<T>) -> Option<&T> {
        self.slots.get(key.index()).filter(|slot| slot.0 == key.generation).map(|slot| &slot.1)
    }

    /// The item to change, unless it is gone.
    pub fn get_mut(&mut self, key: Key<T>) -> Option<&mut T> {
        self.slots.get_mut(key.index()).filter(|slot| slot.0 == key.generation).map(|slot| &mut slot.1)
    }

    /// Takes the item out; its key is stale from here on.
    pub fn remove(&mut self, key: Key<T>) -> Option<T> {
        self.get(key)?;
        Some(self.slots.remove(key.index()).1)
    }

    /// How many items there are.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// All items, by slot.
    pub fn iter(&self) -> impl Iterator<Item = (Key<T>, &T)> {
        self.slots.iter().map(|(index, (generation, item))| {
            (Key { index: index as u32, generation: *generation, of: PhantomData }, item)
        })
    }

    /// All items to change, by slot.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (Key<T>, &mut T)> {
        self.slots.iter_mut().map(|(index, (generation, item))| {
            (Key { index: index as u32, generation: *generation, of: PhantomData }, item)
        })
    }

    /// All keys, in a list of their own, so that the arena may change while it is walked.
    pub fn keys(&self) -> Vec<Key<T>> {
        self.iter().map(|(key, _)| key).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_key_does_not_find_the_newcomer() {
        let mut arena = Arena::default();
        let first = arena.insert('a');
        assert_eq!(arena.remove(first), Some('a'));
        let second = arena.insert('b');
        assert_eq!(first.index(), second.index());
        assert_eq!(arena.get(first), None);
        assert_eq!(arena.get_mut(first), None);
        assert_eq!(arena.remove(first), None);
        assert_eq!(arena.get(second), Some(&'b'));
        assert_eq!(Key::from_bits(second.to_bits()), second);
    }
}
