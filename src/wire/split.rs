//! For tests: cuts input in every way that the readers must not notice. Never part of the programs.

/// Every way to cut `bytes` in two, then pieces of every constant size from 1 to 64.
pub fn cuts(bytes: &[u8]) -> impl Iterator<Item = Vec<&[u8]>> {
    let halves = (0..=bytes.len()).map(|at| vec![&bytes[..at], &bytes[at..]]);
    let slices = (1..=64).map(|size| bytes.chunks(size).collect());
    halves.chain(slices)
}
