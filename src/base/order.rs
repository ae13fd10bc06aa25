//! One stable sort for everything that is sorted here.
//!
//! The library's sort is made anew, 5 KB of code each time, for every type and every comparison. Here only places are
//! sorted, by one piece of code that asks which of two comes first. Lists are short, and most are in order already.

use std::cmp::Ordering;

/// Asks how the items at two places compare.
type Compare<'a> = &'a mut dyn FnMut(usize, usize) -> Ordering;

/// Sorts `items`; equal ones keep their order.
pub fn sort_by<T>(items: &mut [T], mut compare: impl FnMut(&T, &T) -> Ordering) {
    let places = sorted_places(items.len(), &mut |one, other| compare(&items[one], &items[other]));
    arrange(places, &mut |one, other| items.swap(one, other));
}

/// Sorts `items` by what they have.
pub fn sort<T: Ord>(items: &mut [T]) {
    sort_by(items, T::cmp);
}

/// Puts items where they belong by exchanging two at a time; `places` says which item comes first, which second.
fn arrange(mut places: Vec<usize>, exchange: &mut dyn FnMut(usize, usize)) {
    // Each round puts all items of one cycle where they belong.
    for start in 0..places.len() {
        let mut at = start;
        loop {
            let from = std::mem::replace(&mut places[at], at);
            if from == start {
                break;
            }
            exchange(at, from);
            at = from;
        }
    }
}

/// Which item comes first, which second, and so on: runs of doubling length are merged.
fn sorted_places(count: usize, compare: Compare<'_>) -> Vec<usize> {
    let mut places: Vec<usize> = (0..count).collect();
    let mut left = Vec::new();
    let mut run = 1;
    while run < count {
        for start in (0..count - run).step_by(2 * run) {
            let end = count.min(start + 2 * run);
            merge(&mut places[start..end], run, &mut left, compare);
        }
        run *= 2;
    }
    places
}

/// Makes one sorted run of two, of which the second begins at `middle`; `left` is room.
fn merge(places: &mut [usize], middle: usize, left: &mut Vec<usize>, compare: Compare<'_>) {
    if compare(places[middle - 1], places[middle]).is_le() {
        return;
    }
    left.clear();
    left.extend_from_slice(&places[..middle]);
    let (mut to, mut right) = (0, middle);
    for &place in left.iter() {
        while right < places.len() && compare(places[right], place).is_lt() {
            places[to] = places[right];
            (to, right) = (to + 1, right + 1);
        }
        places[to] = place;
        to += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorts_as_the_library_does_and_keeps_equals_in_order() {
        let mut state = 1_u64;
        for count in 0..200 {
            let items: Vec<(u64, usize)> = (0..count)
                .map(|number| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    ((state >> 33) % (1 + number as u64 / 2), number)
                })
                .collect();
            let (mut ours, mut theirs) = (items.clone(), items);
            sort_by(&mut ours, |one, other| one.0.cmp(&other.0));
            theirs.sort_by_key(|item| item.0);
            assert_eq!(ours, theirs);
            sort_by(&mut ours, |one, other| other.1.cmp(&one.1));
            assert!(ours.iter().rev().map(|item| item.1).eq(0..count));
        }
        let mut words = ["b", "c", "", "a"];
        sort(&mut words);
        assert_eq!(words, ["", "a", "b", "c"]);
    }

    #[test]
    fn what_is_in_order_is_looked_at_once() {
        let mut items: Vec<usize> = (0..1024).collect();
        let mut count = 0;
        sort_by(&mut items, |one, other| {
            count += 1;
            one.cmp(other)
        });
        assert_eq!(count, 1023);
        assert!(items.into_iter().eq(0..1024));
    }
}
