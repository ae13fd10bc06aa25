//! The two clocks, and the distance of the local zone from Greenwich. Never sleeps.

use crate::base::time::{Mono, Now, Wall};

/// Offsets change on the quarter hour at the earliest, in every zone there is or was since 1970.
const QUARTER_SECS: i64 = 900;

/// Both clocks, read one after the other.
pub fn now() -> Now {
    Now { mono: mono(), wall: Wall(read(libc::CLOCK_REALTIME)) }
}

/// The monotonic clock alone.
pub fn mono() -> Mono {
    Mono(u64::try_from(read(libc::CLOCK_MONOTONIC)).unwrap_or(0))
}

/// A clock in nanoseconds.
fn read(clock: libc::clockid_t) -> i64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is valid for writing; both clocks exist on every Linux.
    unsafe { libc::clock_gettime(clock, &mut time) };
    // Both are 32 bits wide on some machines.
    #[allow(clippy::unnecessary_cast)]
    let (secs, nanos) = (time.tv_sec as i64, time.tv_nsec as i64);
    secs.saturating_mul(1_000_000_000).saturating_add(nanos)
}

/// The local zone, with the answer of the last quarter hour at hand.
#[derive(Default)]
pub struct LocalZone {
    known: Option<(i64, i32)>,
}

impl LocalZone {
    /// Seconds that the local zone is east of Greenwich at `secs` since 1970; 0 when the system doesn't know.
    pub fn offset_at(&mut self, secs: i64) -> i32 {
        let quarter = secs.div_euclid(QUARTER_SECS);
        match self.known {
            Some((known, offset)) if known == quarter => offset,
            _ => {
                let offset = look_up(secs);
                self.known = Some((quarter, offset));
                offset
            }
        }
    }
}

fn look_up(secs: i64) -> i32 {
    let time = secs as libc::time_t;
    // SAFETY: all-zero is a valid `tm`; `localtime_r` fills it or answers null.
    unsafe {
        let mut parts: libc::tm = std::mem::zeroed();
        if libc::localtime_r(&time, &mut parts).is_null() { 0 } else { parts.tm_gmtoff as i32 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proc_120_the_monotonic_clock_never_steps_back() {
        let first = now();
        let second = now();
        assert!(second.mono >= first.mono);
        assert!(first.wall.secs() > 1_600_000_000);
    }

    #[test]
    fn an_offset_is_kept_for_its_quarter_hour_only() {
        let mut zone = LocalZone { known: Some((2, 12_345)) };
        assert_eq!(zone.offset_at(1_800), 12_345);
        assert_eq!(zone.offset_at(2_699), 12_345);
        assert_eq!(zone.offset_at(2_700), look_up(2_700));
    }
}
