//! The members of a struct while it is read: each name once, found without looking through all of them, and without a
//! moment at the end in which hundreds of thousands are put in order.

use std::hash::{BuildHasher, RandomState};

use crate::base::maps::ByNumber;
use crate::base::value::Value;

/// Up to so many are looked through.
const FEW: usize = 16;

/// Members with each name once: the place of the first, the value of the last (RPC-194).
#[derive(Default)]
pub(super) struct Members {
    all: Vec<(String, Value)>,
    /// Where they are, once they are more than [`FEW`].
    places: Option<Box<Places>>,
}

/// Places by hashes of names. A name whose hash another one has is found at the next number that is free.
#[derive(Default)]
struct Places {
    hasher: RandomState,
    by_hash: ByNumber<usize, usize>,
}

impl Members {
    /// The next one.
    pub fn push(&mut self, name: String, value: Value) {
        let known = match &mut self.places {
            None => self.all.iter().position(|(known, _)| *known == name),
            Some(places) => places.find_or_add(&self.all, &name, self.all.len()),
        };
        match known {
            Some(place) => self.all[place].1 = value,
            None => self.all.push((name, value)),
        }
        if self.places.is_none() && self.all.len() > FEW {
            let mut places = Box::<Places>::default();
            for (place, (name, _)) in self.all.iter().enumerate() {
                places.find_or_add(&self.all, name, place);
            }
            self.places = Some(places);
        }
    }

    /// All of them.
    pub fn into_all(self) -> Vec<(String, Value)> {
        self.all
    }
}

impl Places {
    /// Where this name is; if nowhere, it will be at `place`.
    fn find_or_add(&mut self, all: &[(String, Value)], name: &str, place: usize) -> Option<usize> {
        self.find_or_add_at(self.hasher.hash_one(name) as usize, all, name, place)
    }

    fn find_or_add_at(&mut self, hash: usize, all: &[(String, Value)], name: &str, place: usize) -> Option<usize> {
        let mut number = hash;
        while let Some(known) = self.by_hash.get(number) {
            if all[known].0 == name {
                return Some(known);
            }
            number = number.wrapping_add(1);
        }
        self.by_hash.insert(number, place);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RPC-194, however many there are.
    #[test]
    fn rpc_194_each_name_once() {
        for count in [0, 1, FEW, FEW + 1, 1000] {
            let mut members = Members::default();
            for round in 0..2 {
                for number in 0..count {
                    members.push(format!("n{number}"), Value::Int((round * 10_000 + number) as i64));
                }
            }
            let wanted = (0..count).map(|number| (format!("n{number}"), Value::Int(10_000 + number as i64)));
            assert_eq!(members.into_all(), wanted.collect::<Vec<_>>());
        }
    }

    #[test]
    fn names_with_the_same_hash_are_told_apart() {
        let all: Vec<(String, Value)> = ["a", "b", "c"].map(|name| (name.to_string(), Value::Nil)).into();
        let mut places = Places::default();
        for hash in [7, usize::MAX] {
            places.by_hash.clear();
            let found = |places: &mut Places| {
                [0, 1, 2].map(|place| places.find_or_add_at(hash, &all[..], ["a", "b", "c"][place], place))
            };
            assert_eq!(found(&mut places), [None; 3]);
            assert_eq!(found(&mut places), [Some(0), Some(1), Some(2)]);
        }
    }
}
