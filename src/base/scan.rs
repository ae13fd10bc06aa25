//! Where plain text ends: many bytes at a time, because values can be megabytes.

/// A byte eight times.
const fn eight(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

/// Begins U+FFFE and U+FFFF, which are no characters of XML, and others.
const HIGH: u8 = 0xef;

/// How many bytes at the front are neither one of `odd`, which are ASCII, nor [`HIGH`], nor a control, but for
/// tabulators and line feeds.
pub fn plain_length(bytes: &[u8], odd: [u8; 3]) -> usize {
    let is_odd = |byte: u8| match byte {
        b'\t' | b'\n' => false,
        0..0x20 | HIGH => true,
        _ => odd.contains(&byte),
    };
    let [one, two, three] = odd.map(eight);
    let mut at = 0;
    while let Some(word) = bytes[at..].first_chunk() {
        let word = u64::from_le_bytes(*word);
        // The top bit of each byte that is less than `bound`, and of some that are 0x80 or more; of those above the first
        // such byte, perhaps falsely.
        let below = |word: u64, bound: u8| word.wrapping_sub(eight(bound));
        let low = below(word, 0x20) | below(word ^ one, 1) | below(word ^ two, 1) | below(word ^ three, 1);
        let high = below(word ^ eight(HIGH), 1);
        match ((low & !word | high & word) & eight(0x80)).trailing_zeros() as usize / 8 {
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
        const ODD: [u8; 3] = [b'&', b'<', b']'];
        let by_one = |bytes: &[u8]| {
            let is_odd = |byte: &u8| *byte < 0x20 && !matches!(byte, 9 | 10) || ODD.contains(byte) || *byte == 0xef;
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
