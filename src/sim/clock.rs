//! Two clocks that move only when told to.

use std::time::Duration;

use crate::base::time::{Mono, Now, Wall};

/// The clocks of a pretended system.
#[derive(Clone, Debug)]
pub struct Clock {
    now: Now,
}

impl Default for Clock {
    fn default() -> Clock {
        // An arbitrary start: noon on a winter day, an hour after boot.
        Clock { now: Now { mono: Mono(3_600_000_000_000), wall: Wall(1_706_702_400_000_000_000) } }
    }
}

impl Clock {
    /// Both clocks.
    pub fn now(&self) -> Now {
        self.now
    }

    /// Time passes on both.
    pub fn pass(&mut self, wait: Duration) {
        let ns = i64::try_from(wait.as_nanos()).unwrap_or(i64::MAX);
        self.now.mono = self.now.mono + wait;
        self.now.wall.0 = self.now.wall.0.saturating_add(ns);
    }

    /// Leaps forward to a moment; one in the past changes nothing.
    pub fn leap_to(&mut self, moment: Mono) {
        self.pass(moment - self.now.mono);
    }

    /// Somebody sets the wall clock.
    pub fn step_wall(&mut self, secs: i64) {
        self.now.wall.0 = self.now.wall.0.saturating_add(secs.saturating_mul(1_000_000_000));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_wall_clock_can_be_set_back() {
        let mut clock = Clock::default();
        let before = clock.now();
        clock.step_wall(-50);
        assert_eq!(clock.now().mono, before.mono);
        assert_eq!(clock.now().wall.secs(), before.wall.secs() - 50);
        clock.leap_to(Mono(0));
        assert_eq!(clock.now().mono, before.mono);
        clock.leap_to(before.mono + Duration::from_secs(9));
        assert_eq!(clock.now().wall.secs(), before.wall.secs() - 41);
    }
}
