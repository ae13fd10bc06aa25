//! Values that nobody needs any more, freed a few parts at a time: a tree of a million takes tens of milliseconds.

use crate::base::value::Value;

/// So many parts are freed at once: that takes less than a millisecond.
const FEW: usize = 4096;

/// What is to be freed.
#[derive(Default, Debug)]
pub struct Scraps {
    /// Not begun yet.
    whole: Vec<Value>,
    /// What is left of the one that is begun: arrays and structs, each within the one before.
    open: Vec<Parts>,
}

#[derive(Debug)]
enum Parts {
    Items(Vec<Value>),
    Members(Vec<(String, Value)>),
}

impl Parts {
    fn of(value: Value) -> Option<Parts> {
        match value {
            Value::Array(items) => Some(Parts::Items(items)),
            Value::Struct(members) => Some(Parts::Members(members)),
            _ => None,
        }
    }

    fn pop(&mut self) -> Option<Value> {
        match self {
            Parts::Items(items) => items.pop(),
            Parts::Members(members) => members.pop().map(|(_, value)| value),
        }
    }
}

impl Scraps {
    /// Frees a value at once if it has few parts, and returns how many; keeps it otherwise.
    pub fn add(&mut self, value: Value) -> usize {
        let parts = count(&value, FEW);
        if parts < FEW {
            return parts;
        }
        self.whole.push(value);
        0
    }

    /// How many values are kept: whoever adds many should free more at a time.
    pub fn len(&self) -> usize {
        self.whole.len() + usize::from(!self.open.is_empty())
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Frees at most so many parts, and returns how many there were.
    pub fn free(&mut self, most: usize) -> usize {
        let mut freed = 0;
        while freed < most {
            let Some(last) = self.open.last_mut() else {
                match self.whole.pop() {
                    Some(value) => self.open.extend(Parts::of(value)),
                    None => return freed,
                }
                continue;
            };
            match last.pop() {
                Some(value) => {
                    freed += 1;
                    self.open.extend(Parts::of(value));
                }
                None => drop(self.open.pop()),
            }
        }
        freed
    }
}

/// How many parts a value has, itself included; not further than to `most`.
fn count(value: &Value, most: usize) -> usize {
    let of_parts = |values: &mut dyn Iterator<Item = &Value>| {
        let mut sum = 1;
        while sum < most
            && let Some(value) = values.next()
        {
            sum += count(value, most - sum);
        }
        sum
    };
    match value {
        Value::Array(items) => of_parts(&mut items.iter()),
        Value::Struct(members) => of_parts(&mut members.iter().map(|(_, value)| value)),
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever their shape: none is lost, and no step frees more than it may.
    #[test]
    fn large_trees_go_in_steps() {
        let flat = |parts: usize| Value::Array(vec![Value::Int(1); parts - 1]);
        let member = |value: Value| ("n".to_string(), value);
        let nested = Value::Array(vec![Value::Array(vec![Value::str("x")]); 5000]);
        let deep = (0..100).fold(flat(FEW), |value, _| Value::Struct(vec![member(value)]));
        let wide = Value::Struct((0..10).map(|_| member(flat(1000))).collect());
        for (value, parts) in [(flat(FEW), FEW), (nested, 10_001), (deep, FEW + 100), (wide, 10_001)] {
            assert_eq!(count(&value, usize::MAX), parts);
            let mut scraps = Scraps::default();
            assert_eq!(scraps.add(value), 0);
            assert_eq!(scraps.add(flat(FEW - 1)), FEW - 1);
            assert_eq!(scraps.len(), 1);
            let mut freed = 0;
            while !scraps.is_empty() {
                let step = scraps.free(1000);
                assert!(step <= 1000);
                freed += step;
            }
            // The outermost goes with its last part.
            assert_eq!(freed, parts - 1);
            assert_eq!(scraps.free(1000), 0);
        }
    }

    #[test]
    fn several_are_freed_one_after_the_other() {
        let mut scraps = Scraps::default();
        (0..3).for_each(|_| assert_eq!(scraps.add(Value::Array(vec![Value::Nil; 2 * FEW])), 0));
        assert_eq!((scraps.len(), scraps.free(FEW), scraps.len()), (3, FEW, 3));
        assert_eq!((scraps.free(FEW), scraps.free(FEW), scraps.len()), (FEW, FEW, 2));
        assert_eq!((scraps.free(usize::MAX), scraps.len()), (3 * FEW, 0));
    }
}
