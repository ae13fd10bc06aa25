//! What the world wants to be woken for.

use crate::base::key::Key;
use crate::base::maps::Number;
use crate::world::process::Process;

/// Who may want to be woken. Ordered so that equal moments are served in this order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Alarm {
    /// A process's [`crate::world::life::Life::deadline`].
    Life(Key<Process>),
    /// A process's log that could not be written.
    Log(Key<Process>),
    /// The main log, which could not be written.
    MainLog,
    /// The next report of the ordered end.
    Ending,
    /// A moment that a deferred answer asked for.
    Waiters,
    /// The end of a slice of time that TICK events tell of.
    Tick,
}

/// The kind above the key, whose slot is far below 2^29.
impl Number for Alarm {
    fn to_number(self) -> u64 {
        let of = |kind: u64, who: Key<Process>| kind << 61 | who.to_bits() >> 32 << 29 | who.index() as u64;
        match self {
            Alarm::Life(who) => of(0, who),
            Alarm::Log(who) => of(1, who),
            Alarm::MainLog => 2 << 61,
            Alarm::Ending => 3 << 61,
            Alarm::Waiters => 4 << 61,
            Alarm::Tick => 5 << 61,
        }
    }

    fn from_number(number: u64) -> Alarm {
        let slot = number & ((1 << 29) - 1);
        let who = Key::from_bits(number << 3 >> 32 << 32 | slot);
        match number >> 61 {
            0 => Alarm::Life(who),
            1 => Alarm::Log(who),
            2 => Alarm::MainLog,
            3 => Alarm::Ending,
            4 => Alarm::Waiters,
            _ => Alarm::Tick,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_for_alarms_in_their_order() {
        let keys = [0, 5, (1 << 29) - 1, 1 << 32, u64::from(u32::MAX) << 32 | 7].map(Key::from_bits);
        let of_all = |alarm: fn(Key<Process>) -> Alarm| keys.map(alarm);
        let others = [Alarm::MainLog, Alarm::Ending, Alarm::Waiters, Alarm::Tick];
        let all = [&of_all(Alarm::Life)[..], &of_all(Alarm::Log), &others].concat();
        assert!(all.is_sorted() && all.iter().map(|alarm| alarm.to_number()).is_sorted());
        assert!(all.iter().all(|alarm| Alarm::from_number(alarm.to_number()) == *alarm));
    }
}
