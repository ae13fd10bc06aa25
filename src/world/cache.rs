//! The key/value store behind `cache.*` (contract cache.md): a table that knows its size, and is never long about it.
//!
//! Linear hashing (Litwin, 1980): each entry that is added lets the table grow by one bucket, and that one takes its
//! entries from one other; so no request pays for all of them, and the table has about as many buckets as entries. It
//! shrinks the same way. 48 bytes of text take 60 bytes of memory: 56 in the slabs, 4 in the table.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

use crate::base::value::Value;
use crate::world::entries::{self, Entries, Found, NONE, Waste};

/// Values by key.
#[derive(Default, Debug)]
pub struct Cache {
    entries: Entries,
    /// The first entry of each bucket.
    heads: Vec<u32>,
    /// Keyed by chance: nobody can choose keys that all fall into one bucket.
    hasher: RandomState,
    len: usize,
    /// What they take, as [`entries::weight`] counts it.
    bytes: u64,
    /// What was cleared.
    waste: Waste,
    /// What all took when the last of that was cleared: while there is waste, entries and waste take no more than that.
    peak: u64,
}

/// Why a value is not stored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Full {
    /// All would take more than this, which is the limit.
    Bytes(u64),
    /// Entries can't be numbered any more.
    Numbers,
}

/// Where an entry is named.
#[derive(Clone, Copy)]
enum Link {
    /// At the head of a bucket.
    Head(usize),
    /// In another one.
    Next(u32),
}

impl Cache {
    /// Puts a value in, or another in its place. With a limit: only if all then takes at most `max_bytes`. The value is
    /// taken if it is kept as it is.
    pub fn store(&mut self, key: &str, value: &mut Value, max_bytes: Option<u64>) -> Result<(), Full> {
        let hash = self.hash(key.as_bytes());
        let old = self.find(hash, key);
        let own = entries::weight(key, value);
        let bytes = self.bytes - old.map_or(0, |(_, old)| self.entries.weight(old)) + own;
        // What does not add can't make it too much.
        if bytes > self.bytes
            && let Some(most) = max_bytes.filter(|most| bytes > *most)
        {
            return Err(Full::Bytes(most));
        }
        if bytes > self.bytes {
            self.waste.sweep_to(self.peak.saturating_sub(bytes));
        }
        if old.is_none_or(|(_, old)| !self.entries.replace(old, key, value, own, &mut self.waste)) {
            let new = self.entries.add(key, value, own).ok_or(Full::Numbers)?;
            // Links to it may be about to change: first the old one goes, then the new one is put in.
            match old {
                Some((link, old)) => {
                    self.entries.set_next(new, self.entries.next(old));
                    self.set(link, new);
                    self.forget(old);
                }
                None => {
                    self.len += 1;
                    if self.len > self.heads.len() {
                        self.split();
                    }
                    let bucket = self.bucket(hash);
                    self.entries.set_next(new, self.heads[bucket]);
                    self.heads[bucket] = new;
                }
            }
        }
        self.bytes = bytes;
        Ok(())
    }

    /// The value, if there is one.
    pub fn fetch(&self, key: &str) -> Option<Found<'_>> {
        self.find(self.hash(key.as_bytes()), key).map(|(_, entry)| self.entries.get(entry))
    }

    /// Takes a value out, if there is one.
    pub fn delete(&mut self, key: &str) {
        let Some((link, old)) = self.find(self.hash(key.as_bytes()), key) else { return };
        self.bytes -= self.entries.weight(old);
        self.len -= 1;
        self.set(link, self.entries.next(old));
        self.forget(old);
        // Two for one, so that it comes down from any size.
        for _ in 0..2 {
            if self.heads.len() > 2 * self.len {
                self.merge();
            }
        }
        if self.heads.len() < self.heads.capacity() / 4 {
            self.heads.shrink_to(2 * self.heads.len());
        }
    }

    /// Takes all out. The memory comes back with [`Cache::sweep`]; until then what is stored takes the place of waste, so
    /// that a limit holds for both together.
    pub fn clear(&mut self) {
        self.peak = self.bytes + self.waste.bytes();
        self.waste.add(&mut self.entries, std::mem::take(&mut self.heads), self.bytes);
        self.len = 0;
        self.bytes = 0;
    }

    /// Gives back the next part of the memory of what was cleared. Returns whether there is more.
    pub fn sweep(&mut self) -> bool {
        self.waste.sweep()
    }

    /// All keys, ordered by code point (CACHE-011).
    pub fn keys(&self) -> Vec<&str> {
        let mut keys: Vec<&str> = self.entries.keys().collect();
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

    /// What the entries take, in bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    fn hash(&self, key: &[u8]) -> usize {
        self.hasher.hash_one(key) as usize
    }

    /// The bucket of a hash: of as many bits as name all buckets, or of one less where there is none yet. There must be
    /// buckets.
    fn bucket(&self, hash: usize) -> usize {
        let mask = self.heads.len().next_power_of_two() - 1;
        match hash & mask {
            bucket if bucket < self.heads.len() => bucket,
            bucket => bucket & (mask >> 1),
        }
    }

    /// An entry, and where it is named.
    fn find(&self, hash: usize, key: &str) -> Option<(Link, u32)> {
        if self.heads.is_empty() {
            return None;
        }
        self.search(hash, |entry| self.entries.key(entry) == key.as_bytes())
    }

    /// The first entry of a hash's bucket that is wanted, and where it is named.
    fn search(&self, hash: usize, wanted: impl Fn(u32) -> bool) -> Option<(Link, u32)> {
        let bucket = self.bucket(hash);
        let (mut link, mut entry) = (Link::Head(bucket), self.heads[bucket]);
        while entry != NONE {
            if wanted(entry) {
                return Some((link, entry));
            }
            (link, entry) = (Link::Next(entry), self.entries.next(entry));
        }
        None
    }

    fn set(&mut self, link: Link, entry: u32) {
        match link {
            Link::Head(bucket) => self.heads[bucket] = entry,
            Link::Next(before) => self.entries.set_next(before, entry),
        }
    }

    /// Gives back the room of an entry that is named nowhere any more.
    fn forget(&mut self, entry: u32) {
        if let Some(moved) = self.entries.remove(entry, &mut self.waste)
            && let Some((link, _)) = self.search(self.hash(self.entries.key(entry)), |named| named == moved)
        {
            self.set(link, entry);
        }
    }

    /// One bucket more.
    fn split(&mut self) {
        let new = self.heads.len();
        self.heads.push(NONE);
        if let Some(bits) = new.checked_ilog2() {
            self.put_again(new - (1 << bits));
        }
    }

    /// One bucket less.
    fn merge(&mut self) {
        let last = self.heads.len() - 1;
        match last.checked_ilog2() {
            Some(bits) => {
                // The entries of both, one behind the other, then each where it belongs.
                let mut end = Link::Head(last);
                let mut entry = self.heads[last];
                while entry != NONE {
                    (end, entry) = (Link::Next(entry), self.entries.next(entry));
                }
                let other = last - (1 << bits);
                self.set(end, self.heads[other]);
                self.heads[other] = self.heads[last];
                self.heads.pop();
            }
            None => drop(self.heads.pop()),
        }
    }

    /// Puts the entries of a bucket where they belong now.
    fn put_again(&mut self, bucket: usize) {
        let mut left = std::mem::replace(&mut self.heads[bucket], NONE);
        while left != NONE {
            let next = self.entries.next(left);
            let bucket = self.bucket(self.hash(self.entries.key(left)));
            self.entries.set_next(left, self.heads[bucket]);
            self.heads[bucket] = left;
            left = next;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::limits::CACHE_PACKED_BYTES;
    use crate::world::entries::weight;

    fn store(cache: &mut Cache, key: &str, value: impl Into<Value>, most: Option<u64>) -> Result<(), Full> {
        cache.store(key, &mut value.into(), most)
    }

    #[test]
    fn cache_025_what_is_kept_is_counted() {
        let mut cache = Cache::default();
        // 16 and 32 bytes, 8 that hold them, 4 in the table.
        store(&mut cache, "0123456789abcdef", "x".repeat(32), None).unwrap();
        assert_eq!(cache.bytes(), 60);
        // Chunks are of a few sizes.
        store(&mut cache, "0123456789abcdef", "x".repeat(33), None).unwrap();
        let one = cache.bytes();
        assert_eq!(one, 68);
        let list = Value::Array(vec![Value::Struct(vec![("k".into(), Value::Bytes(vec![0; 50]))]), Value::Nil]);
        store(&mut cache, "list", list, None).unwrap();
        cache.delete("list");
        cache.delete("list");
        assert_eq!(cache.bytes(), one);
        store(&mut cache, "long", "x".repeat(1 << 20), None).unwrap();
        assert!((1 << 20..(1 << 20) + 200).contains(&(cache.bytes() - one)), "{}", cache.bytes());
        store(&mut cache, "long", "short", None).unwrap();
        assert_eq!(cache.bytes(), one + 28);
        cache.delete("long");
        assert_eq!(store(&mut cache, "b", "x", Some(one + 19)), Err(Full::Bytes(one + 19)));
        assert_eq!(store(&mut cache, "b", "x", Some(one + 20)), Ok(()));
        // Over a limit that came later: less is fine, more is not.
        assert_eq!(store(&mut cache, "b", "0123456789", Some(1)), Err(Full::Bytes(1)));
        assert_eq!(store(&mut cache, "b", "", Some(1)), Ok(()));
        cache.clear();
        assert_eq!((cache.bytes(), cache.len()), (0, 0));
    }

    fn value_of(found: Found<'_>) -> Value {
        match found {
            Found::Text(text) => text.into(),
            Found::Apart(entry) => entry.value().clone(),
        }
    }

    /// Against a plain map: short and long texts and keys, other values; it grows, and shrinks again.
    #[test]
    fn cache_011_to_016_it_is_a_map() {
        const MOST: u64 = 1000;
        let mut cache = Cache::default();
        let mut model = std::collections::BTreeMap::new();
        let mut dice = 1_u64;
        let mut roll = |sides: u64| {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (dice >> 33) % sides
        };
        for step in 0..60 * MOST {
            let number = roll(MOST);
            let key = match number % 5 {
                0 => format!("é{number}\u{10ffff}"),
                1 if number < 50 => format!("{number}{}", "k".repeat(0x1_0000)),
                _ => number.to_string(),
            };
            let value = match roll(9) {
                0 => Value::Int(step as i64),
                1 => Value::str("x".repeat(CACHE_PACKED_BYTES)),
                2 => Value::str(""),
                3 => Value::str("y".repeat(step as usize % 1100)),
                _ => Value::str(format!("{step} ü")),
            };
            match roll(8) {
                0 if step % 9_000 == 0 => {
                    cache.clear();
                    model.clear();
                    while cache.sweep() {}
                }
                // It grows, and then it shrinks.
                sides if sides < if step % (20 * MOST) < 10 * MOST { 1 } else { 7 } => {
                    cache.delete(&key);
                    model.remove(&key);
                }
                _ => {
                    store(&mut cache, &key, value.clone(), None).unwrap();
                    model.insert(key.clone(), value);
                }
            }
            assert_eq!(cache.fetch(&key).map(value_of), model.get(&key).cloned());
            assert_eq!((cache.len(), cache.is_empty()), (model.len(), model.is_empty()));
            // As many buckets as there were entries at most, at least half as many as were deleted down to.
            assert!(cache.heads.len() >= cache.len());
            if step % 1000 == 0 {
                assert!(cache.keys().into_iter().eq(model.keys()));
                assert!(model.iter().all(|(key, value)| cache.fetch(key).map(value_of).as_ref() == Some(value)));
                assert_eq!(cache.bytes(), model.iter().map(|(key, value)| weight(key, value)).sum::<u64>());
            }
        }
        for key in model.keys() {
            cache.delete(key);
        }
        assert_eq!((cache.bytes(), cache.len(), cache.heads.len()), (0, 0, 0));
    }

    #[test]
    fn the_table_follows_the_number_of_entries() {
        let mut cache = Cache::default();
        let keys: Vec<String> = (0..10_000).map(|number| number.to_string()).collect();
        for (count, key) in keys.iter().enumerate() {
            store(&mut cache, key, "x", None).unwrap();
            assert_eq!(cache.heads.len(), count + 1);
        }
        let longest = |cache: &Cache| {
            let length = |head: &u32| {
                let is_one = |entry: &u32| *entry != NONE;
                std::iter::successors(Some(*head).filter(is_one), |entry| {
                    Some(cache.entries.next(*entry)).filter(is_one)
                })
                .count()
            };
            cache.heads.iter().map(length).max().unwrap()
        };
        assert!(longest(&cache) < 16);
        for key in &keys[100..] {
            cache.delete(key);
        }
        assert!((100..=200).contains(&cache.heads.len()) && cache.heads.capacity() <= 800);
        assert!(longest(&cache) < 16);
        assert!(keys[..100].iter().all(|key| cache.fetch(key).is_some()));
    }

    /// What was cleared goes a bounded part at a time, and what answers share stays.
    #[test]
    fn clearing_is_spread_out() {
        let mut cache = Cache::default();
        for number in 0..3 {
            store(&mut cache, &format!("large{number}"), "x".repeat(3 << 20), None).unwrap();
        }
        for number in 0..100_000 {
            store(&mut cache, &number.to_string(), "x".repeat(200), None).unwrap();
        }
        let Some(Found::Apart(kept)) = cache.fetch("large1") else { panic!("not apart") };
        let kept = kept.clone();
        cache.clear();
        let mut parts = 1;
        while cache.sweep() {
            parts += 1;
        }
        assert!((7..15).contains(&parts), "{parts}");
        assert!(!cache.sweep());
        assert_eq!(std::rc::Rc::strong_count(&kept), 1);
        assert_eq!(kept.as_ref().as_ref().len(), 3 << 20);
    }

    /// CACHE-025: a limit is one for what is stored and what was cleared together; nothing is refused for waste.
    #[test]
    fn cache_025_what_was_cleared_counts_until_it_is_given_back() {
        const MOST: u64 = 8 << 20;
        let mut cache = Cache::default();
        let mut held = 0;
        for round in 0..20 {
            let mut number = 0;
            loop {
                // Short ones, and some of up to half a MiB.
                let length = if number % 50 == 0 { (round * 31_071 + number * 977) % 500_000 } else { number % 900 };
                if store(&mut cache, &number.to_string(), "x".repeat(length), Some(MOST)).is_err() {
                    break;
                }
                held = cache.bytes() + cache.waste.bytes();
                assert!(held <= MOST, "{held} in round {round}");
                number += 1;
            }
            // It was full of what is stored, not of waste.
            assert!(cache.bytes() > MOST - 600_000, "{}", cache.bytes());
            // Some are cleared when they are full, others when they are less so.
            for key in 0..(round % 3) * number / 3 {
                cache.delete(&key.to_string());
            }
            cache.clear();
            assert!(cache.bytes() == 0 && cache.waste.bytes() <= held);
            if round % 2 == 1 {
                cache.sweep();
            }
        }
        while cache.sweep() {}
        assert_eq!(cache.waste.bytes(), 0);
    }

    /// Large values, and many that are less so, are freed a bounded number of parts at a time, however they went; what an
    /// answer shares is left to it.
    #[test]
    fn large_trees_go_in_steps() {
        let tree = |parts: usize| Value::Array(vec![Value::Array(vec!["x".into()]); parts / 2]);
        let mut cache = Cache::default();
        let steps = |cache: &mut Cache| std::iter::repeat_with(|| cache.sweep()).take_while(|more| *more).count();
        store(&mut cache, "a", tree(200_000), None).unwrap();
        store(&mut cache, "a", tree(200_000), None).unwrap();
        assert!((12..20).contains(&steps(&mut cache)));
        store(&mut cache, "a", "short", None).unwrap();
        assert!((12..20).contains(&steps(&mut cache)));
        store(&mut cache, "b", tree(200_000), None).unwrap();
        cache.delete("b");
        assert!((12..20).contains(&steps(&mut cache)));
        (0..200).for_each(|number| store(&mut cache, &number.to_string(), tree(1_000), None).unwrap());
        cache.clear();
        assert!((12..20).contains(&steps(&mut cache)));
        // Several at once take no longer than one.
        (0..5).for_each(|number| store(&mut cache, &number.to_string(), tree(200_000), None).unwrap());
        (0..5).for_each(|number| cache.delete(&number.to_string()));
        assert!((12..30).contains(&steps(&mut cache)));
        store(&mut cache, "a", tree(200_000), None).unwrap();
        let Some(Found::Apart(kept)) = cache.fetch("a") else { panic!("not apart") };
        let kept = kept.clone();
        cache.clear();
        assert!(steps(&mut cache) <= 1);
        assert_eq!(*kept.value(), tree(200_000));
    }

    /// Also without a limit: who fills and clears again and again gets no further than the first time.
    #[test]
    fn waste_does_not_pile_up() {
        let mut cache = Cache::default();
        let mut most = 0;
        for _ in 0..50 {
            for number in 0..5_000 {
                store(&mut cache, &number.to_string(), "x".repeat(300), None).unwrap();
                most = most.max(cache.bytes() + cache.waste.bytes());
            }
            cache.clear();
            assert_eq!(most, cache.peak);
            assert_eq!(cache.waste.bytes(), most);
        }
        // Few bytes in pages of their own leave few pages.
        for _ in 0..1_000 {
            for length in [10, 100, 1_000] {
                store(&mut cache, &length.to_string(), "x".repeat(length), None).unwrap();
            }
            cache.clear();
        }
        let mut parts = 0;
        while cache.sweep() {
            parts += 1;
        }
        assert!(parts <= 1, "{parts}");
    }
}
