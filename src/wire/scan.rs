//! Where plain text ends: eight bytes at a time, because values can be megabytes.

/// A byte eight times.
const fn eight(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

/// How many bytes at the front are neither one of `odd` nor a control, but for tabulators and line feeds.
pub fn plain_length<const N: usize>(bytes: &[u8], odd: [u8; N]) -> usize {
    /// Short texts end within so many bytes; longer ones are then looked at in blocks.
    const SHORT: usize = 32;
    const BLOCK: usize = 64;
    let is_odd = |byte: u8| {
        (byte < 0x20) & (byte != b'\t') & (byte != b'\n') | odd.iter().fold(false, |or, odd| or | (byte == *odd))
    };
    let mut at = 0;
    loop {
        if at >= SHORT {
            // Without a branch, so that it becomes a few instructions on many bytes each.
            while let Some(block) = bytes[at..].first_chunk::<BLOCK>()
                && !block.iter().fold(false, |any, byte| any | is_odd(*byte))
            {
                at += BLOCK;
            }
        }
        let Some(word) = bytes[at..].first_chunk() else { break };
        let word = u64::from_le_bytes(*word);
        // The top bit of each byte that is less than `bound`; of those above the first such byte, perhaps falsely.
        let below = |word: u64, bound: u8| word.wrapping_sub(eight(bound)) & !word;
        let hits = odd.iter().fold(below(word, 0x20), |hits, byte| hits | below(word ^ eight(*byte), 1));
        match (hits & eight(0x80)).trailing_zeros() as usize / 8 {
            8 => at += 8,
            within if is_odd(bytes[at + within]) => return at + within,
            // A line feed or tabulator.
            within => at += within + 1,
        }
    }
    at + bytes[at..].iter().position(|byte| is_odd(*byte)).unwrap_or(bytes.len() - at)
}

/// Where a byte stands first.
pub fn find(bytes: &[u8], byte: u8) -> Option<usize> {
    let mut at = 0;
    while let Some(word) = bytes[at..].first_chunk() {
        let word = u64::from_le_bytes(*word) ^ eight(byte);
        let hits = word.wrapping_sub(eight(1)) & !word & eight(0x80);
        if hits != 0 {
            return Some(at + hits.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
    bytes[at..].iter().position(|here| *here == byte).map(|place| at + place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_is_found_where_it_stands_first() {
        for first in 0..=255 {
            for at in 0..24 {
                let mut bytes = [first ^ 0x80; 24];
                bytes[(at + 1) % 24] = first ^ 1;
                assert_eq!(find(&bytes, first), None);
                bytes[23] = first;
                bytes[at] = first;
                assert_eq!(find(&bytes, first), Some(at));
                assert_eq!(find(&bytes[..at], first), None);
            }
        }
    }

    #[test]
    fn the_first_odd_byte_is_found_wherever_it_stands() {
        const ODD: [u8; 4] = [b'&', b'<', b']', 0xef];
        let by_one = |bytes: &[u8]| {
            let is_odd = |byte: &u8| *byte < 0x20 && !matches!(byte, 9 | 10) || ODD.contains(byte);
            bytes.iter().position(is_odd).unwrap_or(bytes.len())
        };
        for first in 0..=255 {
            for (at, then) in [(0, b'x'), (3, first), (7, 0), (8, b'\n'), (13, b'<'), (23, 0xff)] {
                let mut bytes = [b'a'; 24];
                bytes[5] = b'\n';
                bytes[6] = 0x80;
                bytes[at] = first;
                bytes[(at + 1) % 24] = then;
                for end in 0..=24 {
                    assert_eq!(plain_length(&bytes[..end], ODD), by_one(&bytes[..end]), "{:?}", &bytes[..end]);
                }
                for before in [31, 32, 95, 96, 97, 300] {
                    let long = [&vec![b'l'; before][..], &bytes, &[b'r'; 100]].concat();
                    assert_eq!(plain_length(&long, ODD), by_one(&long), "{long:?}");
                }
            }
        }
    }
}
