//! How often requests that went wrong are told one by one in the main log: whoever can send them could fill the disk.
//!
//! Counts only; who is counted, says.

use std::time::Duration;

use crate::base::limits::COMPLAINTS_IN_A_MINUTE;
use crate::base::time::Mono;

const MINUTE: Duration = Duration::from_secs(60);

/// What may be wrong with a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Complaint {
    /// A page from elsewhere makes a browser send it.
    Foreign,
    /// It calls us by a name that is not ours.
    Misdirected,
    /// It is no call that can be read.
    Unreadable,
    /// It wants to follow what is no file.
    NoFile,
}

impl Complaint {
    const ALL: [Complaint; 4] = [Complaint::Foreign, Complaint::Misdirected, Complaint::Unreadable, Complaint::NoFile];

    /// What all of a kind have in common, after "more requests".
    pub(super) fn text(self) -> &'static str {
        match self {
            Complaint::Foreign => "were refused because of the page that they come from",
            Complaint::Misdirected => "were refused because their Host is not in allowed_hosts",
            Complaint::Unreadable => "had XML-RPC request data that is invalid",
            Complaint::NoFile => "were for a log that is no regular file",
        }
    }
}

/// What was told of one kind since a moment, and what was only counted.
#[derive(Clone, Copy, Default)]
struct Tally {
    since: Mono,
    told: u32,
    kept: u64,
}

/// Counts for each kind.
#[derive(Default)]
pub(super) struct Complaints {
    tallies: [Tally; Complaint::ALL.len()],
}

impl Complaints {
    /// Whether one more is told by itself. If not, it is counted.
    pub(super) fn may_tell(&mut self, what: Complaint, now: Mono) -> bool {
        let tally = &mut self.tallies[what as usize];
        if tally.kept == 0 && now - tally.since >= MINUTE {
            *tally = Tally { since: now, ..Tally::default() };
        }
        let may = tally.told < COMPLAINTS_IN_A_MINUTE;
        tally.told += u32::from(may);
        tally.kept += u64::from(!may);
        may
    }

    /// When there is something to sum up.
    pub(super) fn next_deadline(&self) -> Option<Mono> {
        self.tallies.iter().filter(|tally| tally.kept > 0).map(|tally| tally.since + MINUTE).min()
    }

    /// A kind whose minute is over, and how many of it were only counted.
    pub(super) fn sum_up(&mut self, now: Mono) -> Option<(Complaint, u64)> {
        let over = |what: &Complaint| {
            let tally = &self.tallies[*what as usize];
            tally.kept > 0 && tally.since + MINUTE <= now
        };
        let what = Complaint::ALL.into_iter().find(over)?;
        let tally = std::mem::replace(&mut self.tallies[what as usize], Tally { since: now, ..Tally::default() });
        Some((what, tally.kept))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_a_minute_are_told_and_the_rest_is_counted() {
        let at = |secs: u64| Mono(secs * 1_000_000_000);
        let mut complaints = Complaints::default();
        let mut told = |what, secs, count: u32| (0..count).filter(|_| complaints.may_tell(what, at(secs))).count();
        assert_eq!((told(Complaint::Foreign, 100, 4), told(Complaint::Foreign, 120, 996)), (4, 6));
        // Other kinds have their own ten.
        assert_eq!(told(Complaint::NoFile, 130, 12), 10);
        assert_eq!(complaints.next_deadline(), Some(at(160)));
        assert_eq!(complaints.sum_up(at(159)), None);
        assert_eq!(complaints.sum_up(at(160)), Some((Complaint::Foreign, 990)));
        assert_eq!(complaints.sum_up(at(160)), None);
        assert_eq!(complaints.next_deadline(), Some(at(190)));
        assert_eq!(complaints.sum_up(at(500)), Some((Complaint::NoFile, 2)));
        // Nothing waits, so nothing wakes the daemon.
        assert_eq!(complaints.next_deadline(), None);
        // A minute begins with its first one.
        let mut told =
            |secs, count: u32| (0..count).filter(|_| complaints.may_tell(Complaint::Foreign, at(secs))).count();
        assert_eq!((told(600, 9), told(661, 9), told(662, 9)), (9, 9, 1));
    }
}
