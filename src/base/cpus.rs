//! Sets of processors, as `0,2-3` names them.

use std::fmt;

/// How many processors a set can tell of: as many as Linux can be built for. The kernel gives its mask only to who has
/// room for all processors that the machine may have.
pub const MOST: usize = 8192;

/// Words of the kernel's mask.
const WORDS: usize = MOST / u64::BITS as usize;

/// Processors by number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cpus([u64; WORDS]);

/// None.
impl Default for Cpus {
    fn default() -> Self {
        Cpus([0; WORDS])
    }
}

impl Cpus {
    /// Numbers and ranges with commas between, in any order; `None` for anything else.
    pub fn parse(text: &str) -> Option<Cpus> {
        let mut mask = [0; WORDS];
        for part in text.split(',') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last) = (number(first)?, number(last)?);
            if first > last {
                return None;
            }
            (first..=last).for_each(|cpu| mask[cpu / 64] |= 1 << (cpu % 64));
        }
        Some(Cpus(mask))
    }

    /// From the kernel's mask: the lowest bit of the first word is processor 0.
    pub fn from_mask(mask: [u64; WORDS]) -> Cpus {
        Cpus(mask)
    }

    /// The kernel's mask.
    pub fn mask(&self) -> &[u64; WORDS] {
        &self.0
    }

    /// Whether it has this one.
    pub fn has(&self, cpu: usize) -> bool {
        self.0.get(cpu / 64).is_some_and(|word| word >> (cpu % 64) & 1 == 1)
    }
}

fn number(text: &str) -> Option<usize> {
    let text = text.trim_matches(' ');
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| digits && *number < MOST)
}

/// As [`Cpus::parse`] reads it: in order, and as short as it can be said.
impl fmt::Display for Cpus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut comma = "";
        let mut cpu = 0;
        while cpu < MOST {
            let length = (cpu..MOST).take_while(|cpu| self.has(*cpu)).count();
            match length {
                0 => {}
                1 => write!(f, "{comma}{cpu}")?,
                _ => write!(f, "{comma}{cpu}-{}", cpu + length - 1)?,
            }
            if length > 0 {
                comma = ",";
            }
            cpu += length + 1;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_read_and_shown() {
        for (text, shown) in [
            ("0", "0"),
            ("8191", "8191"),
            ("3,1, 2 ,0", "0-3"),
            ("0-1,63-64,5", "0-1,5,63-64"),
            ("7-7,7", "7"),
            ("0-8191", "0-8191"),
        ] {
            let cpus = Cpus::parse(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(cpus.to_string(), shown);
            assert_eq!(Cpus::parse(shown), Some(cpus));
            assert_eq!(Cpus::from_mask(*cpus.mask()), cpus);
        }
        let cpus = Cpus::parse("1,64").expect("a set");
        assert_eq!((0..MOST + 100).filter(|cpu| cpus.has(*cpu)).collect::<Vec<_>>(), [1, 64]);
    }

    #[test]
    fn what_is_no_set() {
        for text in
            ["", " ", ",", "1,", "-", "1-", "-1", "3-1", "8192", "0-8192", "+1", "a", "0x1", "1 2", "1-2-3", "٣"]
        {
            assert_eq!(Cpus::parse(text), None, "{text}");
        }
        assert_eq!(Cpus::parse("99999999999999999999999"), None);
    }
}
