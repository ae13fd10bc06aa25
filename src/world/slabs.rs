//! Short pieces of memory of a few sizes, in pages, as memcached keeps them: without the allocator's header for each,
//! and whatever else is allocated meanwhile, they lie close together.
//!
//! The chunks of each size fill their pages without a gap: into the place of one that goes the last one moves, and a
//! page that became empty goes back to the system at once, but for one. Knows nothing of what is kept.

use std::ops::Range;

use crate::base::limits::CACHE_PACKED_BYTES;

/// Bytes of a page: large enough for the allocator to get each from the system and give it back, less what it adds.
pub const PAGE_BYTES: usize = 256 * 1024 - 64;
/// How a chunk's number tells its place in its page from the page's number.
const SLOT_BITS: u32 = 14;
/// The bits of a chunk's number that tell its place in its page.
const SLOTS: u32 = (1 << SLOT_BITS) - 1;
/// The least chunk: with smaller ones a page had more places than that tells.
const LEAST_BYTES: usize = 16;
/// Numbers of chunks have so many bits: with more than 32 GiB in pages there are none left.
pub const CHUNK_BITS: u32 = 31;

const _: () = assert!(PAGE_BYTES / LEAST_BYTES <= 1 << SLOT_BITS);

/// Sizes of chunks: each eight bytes, then each eighth, so that at most a ninth is lost.
const SIZES: [usize; 34] = sizes();

const fn sizes() -> [usize; 34] {
    let mut sizes = [LEAST_BYTES; 34];
    let mut place = 1;
    while place < sizes.len() {
        let eighth = sizes[place - 1] / 64 * 8;
        sizes[place] = sizes[place - 1] + if eighth > 8 { eighth } else { 8 };
        place += 1;
    }
    sizes
}

/// The longest chunk, in bytes.
pub const MOST_BYTES: usize = SIZES[SIZES.len() - 1];

const _: () = assert!(MOST_BYTES == CACHE_PACKED_BYTES);

/// How long a chunk is that holds so many bytes, which are at most [`MOST_BYTES`].
pub fn chunk_bytes(bytes: usize) -> usize {
    SIZES[class(bytes)]
}

fn class(bytes: usize) -> usize {
    SIZES.partition_point(|size| *size < bytes).min(SIZES.len() - 1)
}

/// The page of a chunk of so many bytes, and where it lies there.
fn spot(chunk: u32, size: usize) -> (usize, Range<usize>) {
    let begin = (chunk & SLOTS) as usize * size;
    ((chunk >> SLOT_BITS) as usize, begin..begin + size)
}

/// A page and the size of its chunks, as a place in [`SIZES`]. Without bytes: one that is not.
#[derive(Debug)]
struct Page {
    class: usize,
    bytes: Box<[u8]>,
}

/// The pages of one size.
#[derive(Clone, Default, Debug)]
struct Class {
    /// Numbers of the pages: all but the last one are full.
    pages: Vec<u32>,
    /// Chunks in the last one.
    last: usize,
}

impl Class {
    /// The pages, each with how many chunks of this size are in it.
    fn counts(&self, size: usize) -> impl Iterator<Item = (u32, usize)> {
        let count = move |index| if index + 1 == self.pages.len() { self.last } else { PAGE_BYTES / size };
        self.pages.iter().enumerate().map(move |(index, page)| (*page, count(index)))
    }
}

/// Chunks of all sizes.
#[derive(Default, Debug)]
pub struct Slabs {
    pages: Vec<Page>,
    /// Numbers of pages that are not.
    unused: Vec<u32>,
    /// By size; none at first.
    classes: Vec<Class>,
    /// An empty page, for the next one that is wanted: a chunk that comes and goes shall not cost a page each time.
    spare: Option<Box<[u8]>>,
}

impl Slabs {
    /// A new chunk for so many bytes, which are at most [`MOST_BYTES`]; what is in it is anything. `None`: there are
    /// too many.
    pub fn add(&mut self, bytes: usize) -> Option<u32> {
        if self.classes.is_empty() {
            self.classes.resize(SIZES.len(), Class::default());
        }
        let place = class(bytes);
        let class = &mut self.classes[place];
        let full = PAGE_BYTES / SIZES[place];
        if class.pages.is_empty() || class.last == full {
            let number = match self.unused.pop() {
                Some(number) => number,
                None if self.pages.len() >> (CHUNK_BITS - SLOT_BITS) > 0 => return None,
                None => {
                    self.pages.push(Page { class: 0, bytes: Box::default() });
                    (self.pages.len() - 1) as u32
                }
            };
            // Fresh from the system it takes no memory before it is written to.
            let bytes = self.spare.take().unwrap_or_else(|| vec![0; PAGE_BYTES].into_boxed_slice());
            self.pages[number as usize] = Page { class: place, bytes };
            class.pages.push(number);
            class.last = 0;
        }
        class.last += 1;
        class.pages.last().map(|page| page << SLOT_BITS | (class.last - 1) as u32)
    }

    /// Takes a chunk out. Returns the number of the one that now has this number, if one had to move.
    pub fn remove(&mut self, chunk: u32) -> Option<u32> {
        let place = self.pages[(chunk >> SLOT_BITS) as usize].class;
        let class = &mut self.classes[place];
        let page = *class.pages.last()?;
        class.last -= 1;
        let last = page << SLOT_BITS | class.last as u32;
        if class.last == 0 {
            class.pages.pop();
            class.last = if class.pages.is_empty() { 0 } else { PAGE_BYTES / SIZES[place] };
        }
        let moves = last != chunk;
        if moves {
            let (from, to) = (spot(last, SIZES[place]), spot(chunk, SIZES[place]));
            match self.pages.get_disjoint_mut([from.0, to.0]) {
                Ok([source, target]) => target.bytes[to.1].copy_from_slice(&source.bytes[from.1]),
                // They are in one page.
                Err(_) => self.pages[to.0].bytes.copy_within(from.1, to.1.start),
            }
        }
        if last & SLOTS == 0 {
            self.unused.push(page);
            self.spare = Some(std::mem::take(&mut self.pages[page as usize].bytes));
        }
        moves.then_some(last)
    }

    /// The bytes of a chunk.
    pub fn get(&self, chunk: u32) -> &[u8] {
        let (page, bytes) = spot(chunk, SIZES[self.pages[(chunk >> SLOT_BITS) as usize].class]);
        &self.pages[page].bytes[bytes]
    }

    /// The same, to write to.
    pub fn get_mut(&mut self, chunk: u32) -> &mut [u8] {
        let (page, bytes) = spot(chunk, SIZES[self.pages[(chunk >> SLOT_BITS) as usize].class]);
        &mut self.pages[page].bytes[bytes]
    }

    /// All chunks.
    pub fn chunks(&self) -> impl Iterator<Item = u32> {
        self.classes.iter().zip(SIZES).flat_map(|(class, size)| {
            class.counts(size).flat_map(|(page, count)| (0..count as u32).map(move |slot| page << SLOT_BITS | slot))
        })
    }

    /// Takes everything out: the pages, which are given back when they are dropped, each with how many bytes of it were
    /// used.
    pub fn clear(&mut self) -> Vec<(Box<[u8]>, usize)> {
        let Slabs { mut pages, classes, spare, .. } = std::mem::take(self);
        let mut all = Vec::with_capacity(pages.len() + 1);
        for (class, size) in classes.iter().zip(SIZES) {
            all.extend(class.counts(size).map(|(page, count)| {
                let bytes = std::mem::take(&mut pages[page as usize].bytes);
                (bytes, count * size)
            }));
        }
        all.extend(spare.map(|bytes| (bytes, 0)));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_grow_by_little() {
        assert!(
            SIZES.windows(2).all(|two| two[1] % 8 == 0 && two[0] < two[1] && two[1] - two[0] <= (two[0] / 8).max(8))
        );
        for bytes in 1..=MOST_BYTES {
            let chunk = chunk_bytes(bytes);
            assert!(chunk >= bytes && chunk - bytes < (bytes / 8).max(16), "{bytes} in {chunk}");
        }
    }

    /// Chunks of several sizes come and go by chance; each keeps what was written, and pages are full but for the last.
    #[test]
    fn chunks_keep_what_they_hold_and_leave_no_gap() {
        let mut slabs = Slabs::default();
        let mut model: Vec<(u32, Vec<u8>)> = Vec::new();
        let mut dice = 1_u64;
        let mut roll = |sides: u64| {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (dice >> 33) % sides
        };
        for step in 0..30_000_u64 {
            // It grows, then shrinks.
            if model.is_empty() || roll(10) < if step < 15_000 { 8 } else { 2 } {
                let size = [20, 55, 1000][roll(3) as usize];
                let chunk = slabs.add(size).unwrap();
                slabs.get_mut(chunk)[..size].fill(step as u8);
                model.push((chunk, vec![step as u8; size]));
            } else {
                let (gone, _) = model.swap_remove(roll(model.len() as u64) as usize);
                if let Some(moved) = slabs.remove(gone) {
                    model.iter_mut().find(|(chunk, _)| *chunk == moved).expect("a chunk").0 = gone;
                }
            }
            if step % 1000 == 0 {
                assert!(model.iter().all(|(chunk, bytes)| slabs.get(*chunk).starts_with(bytes)));
                let mut chunks: Vec<u32> = slabs.chunks().collect();
                let mut known: Vec<u32> = model.iter().map(|(chunk, _)| *chunk).collect();
                chunks.sort_unstable();
                known.sort_unstable();
                assert_eq!(chunks, known);
                let pages = slabs.pages.iter().filter(|page| !page.bytes.is_empty()).count();
                let least: usize = slabs.classes.iter().map(|class| class.pages.len()).sum();
                assert_eq!(pages, least);
            }
        }
        while slabs.chunks().count() > 0 {
            let chunk = slabs.chunks().next().expect("a chunk");
            slabs.remove(chunk);
        }
        assert_eq!(slabs.chunks().count(), 0);
        assert!(slabs.pages.iter().all(|page| page.bytes.is_empty()));
        assert!(matches!(slabs.clear()[..], [(_, 0)]), "the spare one");
        // What is used of full pages and of others.
        let (small, large) = (PAGE_BYTES / 24 + 2, 3);
        (0..small).for_each(|_| assert!(slabs.add(20).is_some()));
        (0..large).for_each(|_| assert!(slabs.add(1000).is_some()));
        let used: Vec<usize> = slabs.clear().iter().map(|(bytes, used)| (bytes.len() / PAGE_BYTES) * used).collect();
        assert_eq!(used, [(small - 2) * 24, 2 * 24, large * chunk_bytes(1000)]);
        assert!(slabs.clear().is_empty());
    }
}
