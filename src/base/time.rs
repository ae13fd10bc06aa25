//! Two clocks and the deadlines measured by one of them.
//!
//! [`Mono`] decides, [`Wall`] is only shown: a stepped wall clock must disturb nothing (contract PROC-120).

use std::collections::BTreeSet;
use std::ops::{Add, Sub};
use std::time::Duration;

use crate::base::maps::{ByNumber, Number};

/// A moment on the monotonic clock, in nanoseconds since some fixed start.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Hash)]
pub struct Mono(pub u64);

impl Add<Duration> for Mono {
    type Output = Mono;
    fn add(self, wait: Duration) -> Mono {
        Mono(self.0.saturating_add(u64::try_from(wait.as_nanos()).unwrap_or(u64::MAX)))
    }
}

impl Mono {
    /// Later than every moment.
    pub const NEVER: Mono = Mono(u64::MAX);
}

impl Sub for Mono {
    type Output = Duration;
    fn sub(self, earlier: Mono) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// A moment on the wall clock, in nanoseconds since 1970 UTC.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Wall(pub i64);

impl Wall {
    /// Whole seconds since 1970, rounded down.
    pub fn secs(self) -> i64 {
        self.0.div_euclid(1_000_000_000)
    }

    /// The milliseconds within the second.
    pub fn millis(self) -> u32 {
        (self.0.rem_euclid(1_000_000_000) / 1_000_000) as u32
    }

    /// Seconds since 1970 as the RPC structs carry them: never below 0, never above 2^31-1 (RPC-074).
    pub fn rpc_secs(self) -> i64 {
        self.secs().clamp(0, i64::from(i32::MAX))
    }
}

/// The one time stamp of a turn.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Now {
    /// For deadlines and life times.
    pub mono: Mono,
    /// For display.
    pub wall: Wall,
}

/// A calendar date and time of day, already shifted to the zone it is shown in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Calendar {
    /// Full year.
    pub year: i64,
    /// 1 to 12.
    pub month: u32,
    /// 1 to 31.
    pub day: u32,
    /// 0 to 23.
    pub hour: u32,
    /// 0 to 59.
    pub minute: u32,
    /// 0 to 59.
    pub second: u32,
    /// 0 is Monday.
    pub weekday: u32,
}

/// Month names as English dates abbreviate them.
pub const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/// Weekday names, Monday first.
pub const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

impl Calendar {
    /// The calendar at `secs` since 1970 UTC, shown `offset` seconds east of Greenwich.
    pub fn at(secs: i64, offset: i32) -> Calendar {
        let local = secs + i64::from(offset);
        let days = local.div_euclid(86_400);
        let of_day = local.rem_euclid(86_400) as u32;
        // Days to civil date: count from 0000-03-01 so that the leap day ends its year.
        let z = days + 719_468;
        let era = z.div_euclid(146_097);
        let doe = z.rem_euclid(146_097);
        let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
        let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
        let mp = (5 * doy + 2) / 153;
        let month = if mp < 10 { mp + 3 } else { mp - 9 } as u32;
        Calendar {
            year: yoe + era * 400 + i64::from(month <= 2),
            month,
            day: (doy - (153 * mp + 2) / 5 + 1) as u32,
            hour: of_day / 3_600,
            minute: of_day / 60 % 60,
            second: of_day % 60,
            weekday: (days + 3).rem_euclid(7) as u32,
        }
    }

    /// `Wed, 31 Jan 2024 10:20:30 GMT` (RFC 9110 5.6.7); the calendar must be at offset 0.
    pub fn http_date(&self) -> String {
        format!(
            "{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
            WEEKDAYS[self.weekday as usize],
            self.day,
            MONTHS[self.month as usize - 1],
            self.year,
            self.hour,
            self.minute,
            self.second
        )
    }

    /// `Jan 31 10:20 AM`, as descriptions show a stop time (PROC-112).
    pub fn stop_time(&self) -> String {
        let hour = match self.hour % 12 {
            0 => 12,
            hour => hour,
        };
        let half = if self.hour < 12 { "AM" } else { "PM" };
        format!("{} {:02} {:02}:{:02} {}", MONTHS[self.month as usize - 1], self.day, hour, self.minute, half)
    }

    /// `Fri Nov 20 15:07:45 2026`, the day space-padded (WEB-031).
    pub fn asctime(&self) -> String {
        format!(
            "{} {} {:2} {:02}:{:02}:{:02} {}",
            WEEKDAYS[self.weekday as usize],
            MONTHS[self.month as usize - 1],
            self.day,
            self.hour,
            self.minute,
            self.second,
            self.year
        )
    }

    /// `2024-01-31 10:20:30`, the head of a log line (LOG-001).
    pub fn log_stamp(&self) -> String {
        format!(
            "{:04}-{:02}-{:02} {:02}:{:02}:{:02}",
            self.year, self.month, self.day, self.hour, self.minute, self.second
        )
    }
}

/// Reads a date of RFC 9110 5.6.7 in its usual form, as [`Calendar::http_date`] writes it: seconds since 1970. `None`
/// for anything else, which is a date that nobody knows.
pub fn parse_http_date(text: &str) -> Option<i64> {
    let number = |word: &str, digits: usize| {
        (word.len() == digits && word.bytes().all(|byte| byte.is_ascii_digit())).then(|| word.parse::<i64>().ok())?
    };
    let mut words = text.trim().split_once(", ")?.1.split(' ');
    let day = number(words.next()?, 2)?;
    let month = words.next().and_then(|word| MONTHS.iter().position(|known| *known == word))? as i64 + 1;
    let year = number(words.next()?, 4)?;
    let mut clock = words.next()?.splitn(3, ':').map(|part| part.parse::<u32>().ok());
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    if words.next() != Some("GMT") || words.next().is_some() || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    // Civil date to days, counted from 0000-03-01 (see `Calendar::at`).
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let era = y.div_euclid(400);
    let yoe = y.rem_euclid(400);
    let doe = yoe * 365 + yoe / 4 - yoe / 100 + (153 * m + 2) / 5 + day - 1;
    let days = era * 146_097 + doe - 719_468;
    Some(days * 86_400 + i64::from(hour * 3_600 + minute * 60 + second))
}

/// Who wants to be woken when. At most one moment a name; the earliest is found at once.
pub struct Deadlines<K> {
    by_time: BTreeSet<(u64, u64)>,
    by_name: ByNumber<K, Mono>,
}

impl Number for Mono {
    fn to_number(self) -> u64 {
        self.0
    }

    fn from_number(number: u64) -> Mono {
        Mono(number)
    }
}

impl<K> Default for Deadlines<K> {
    fn default() -> Self {
        Deadlines { by_time: BTreeSet::new(), by_name: ByNumber::default() }
    }
}

impl<K: Number> Deadlines<K> {
    /// Sets, moves or (with `None`) clears the moment of `name`.
    pub fn set(&mut self, name: K, at: Option<Mono>) {
        let before = match at {
            Some(at) => self.by_name.insert(name, at),
            None => self.by_name.remove(name),
        };
        if before == at {
            return;
        }
        if let Some(before) = before {
            self.by_time.remove(&(before.to_number(), name.to_number()));
        }
        if let Some(at) = at {
            self.by_time.insert((at.to_number(), name.to_number()));
        }
    }

    /// The earliest moment.
    pub fn next(&self) -> Option<Mono> {
        self.by_time.first().map(|(at, _)| Mono(*at))
    }

    /// Takes out one name whose moment has come, earliest first.
    pub fn pop_due(&mut self, now: Mono) -> Option<K> {
        let &(at, name) = self.by_time.first()?;
        if Mono(at) > now {
            return None;
        }
        let name = K::from_number(name);
        self.set(name, None);
        Some(name)
    }

    /// Every name with its moment.
    pub fn iter(&self) -> impl Iterator<Item = (K, Mono)> {
        self.by_name.iter()
    }

    /// The moment of `name`, if it has one.
    pub fn get(&self, name: K) -> Option<Mono> {
        self.by_name.get(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calendar_knows_leap_years_and_weekdays() {
        // PROC-112 and LOG-001 print these.
        let date = Calendar::at(951_782_400, 0);
        assert_eq!((date.year, date.month, date.day, date.weekday), (2000, 2, 29, 1));
        assert_eq!(Calendar::at(1_706_696_430, 0).http_date(), "Wed, 31 Jan 2024 10:20:30 GMT");
        assert_eq!(Calendar::at(1_706_696_430, 3_600).log_stamp(), "2024-01-31 11:20:30");
        assert_eq!(Calendar::at(1_706_696_430 + 12 * 3_600, 0).stop_time(), "Jan 31 10:20 PM");
        assert_eq!(Calendar::at(0, 0).stop_time(), "Jan 01 12:00 AM");
        // WEB-031
        assert_eq!(Calendar::at(1_706_696_430, 3_600).asctime(), "Wed Jan 31 11:20:30 2024");
        assert_eq!(Calendar::at(0, 0).asctime(), "Thu Jan  1 00:00:00 1970");
        assert_eq!(Calendar::at(-1, 0).log_stamp(), "1969-12-31 23:59:59");
    }

    #[test]
    fn http_125_dates_read_as_they_were_written() {
        for secs in [0, 951_782_399, 951_782_400, 1_706_696_430, 1_709_251_199, 4_102_444_800] {
            assert_eq!(parse_http_date(&Calendar::at(secs, 0).http_date()), Some(secs));
        }
        for bad in [
            "",
            "now",
            "Wed, 31 Jan 2024 10:20:30",
            "Wed, 31 Jan 2024 10:20:30 CET",
            "Wed, 31 Jan 2024 10:20 GMT",
            "Wed, 31 Jan 2024 25:20:30 GMT",
            "Wed, 3x Jan 2024 10:20:30 GMT",
            "Wed, 31 Foo 2024 10:20:30 GMT",
            "Wed, 31 Jan 24 10:20:30 GMT",
            "Wednesday, 31-Jan-24 10:20:30 GMT",
            "Wed, 31 Jan 2024 10:20:30 GMT x",
        ] {
            assert_eq!(parse_http_date(bad), None, "{bad}");
        }
    }

    #[test]
    fn deadlines_come_in_order_and_can_move() {
        let mut all = Deadlines::default();
        all.set(1_usize, Some(Mono(30)));
        all.set(2, Some(Mono(10)));
        all.set(2, Some(Mono(40)));
        all.set(3, Some(Mono(20)));
        all.set(3, None);
        assert_eq!(all.next(), Some(Mono(30)));
        assert_eq!(all.pop_due(Mono(29)), None);
        assert_eq!(all.pop_due(Mono(50)), Some(1));
        assert_eq!(all.pop_due(Mono(50)), Some(2));
        assert_eq!(all.pop_due(Mono(50)), None);
    }
}
