//! Turning a log over: `f.(N-1)` becomes `f.N`, and so on down to `f`, which becomes `f.1` (LOG-071).
//!
//! Nothing is written over, and nothing is lost but the oldest backup, and that only once the next one can't have its
//! name otherwise. A rotation that fails half way is taken up again where it ended: to begin anew would remove one more
//! each time. The work grows with the backups that exist, not with those that there may be: all of them move, also those
//! behind a missing number, so to find them without trying every number the folder has to be read.
//!
//! A backup is a name. A link is moved and removed as such, wherever it leads. A folder is moved, too, as Supervisor
//! does, but no backup is removed for it, nor is it ever removed itself: then the log grows on, and that is told.

use std::cmp::Reverse;

use crate::base::errno::Errno;
use crate::base::limits::{BACKUPS_GUESSED, BACKUPS_TRIED, NAMES_PER_BACKUP};
use crate::base::order;
use crate::world::host::Folder;

/// How far the rotation of one log has come.
#[derive(Debug, Default)]
pub struct Rotation {
    /// The backup (0: the log itself) that could not be moved last time: those above have moved.
    stopped_at: Option<u32>,
}

impl Rotation {
    /// Moves a log and its backups, at least one of which there may be, up by one. A missing one is skipped (LOG-071,
    /// LOG-075), and those beyond stay (LOG-074). Ends at the first that can't be moved, as the next one would take its
    /// place.
    pub fn shift(&mut self, log: &str, backups: u32, folder: &mut dyn Folder) -> Result<(), Errno> {
        let highest = self.stopped_at.take().unwrap_or(backups.saturating_sub(1));
        for number in numbers(log, highest, folder) {
            match move_up(log, number, number + 1 == backups, folder) {
                Ok(()) | Err(Errno::ENOENT) => {}
                // Somebody has put another one there: a new beginning makes room for it.
                Err(Errno::EEXIST) => return Err(Errno::EEXIST),
                Err(errno) => {
                    self.stopped_at = Some(number);
                    return Err(errno);
                }
            }
        }
        Ok(())
    }
}

fn name(log: &str, number: u32) -> String {
    if number == 0 { log.to_string() } else { format!("{log}.{number}") }
}

/// Which numbers to move, those that are missing included or not, highest first.
fn numbers(log: &str, highest: u32, folder: &mut dyn Folder) -> Vec<u32> {
    if highest >= BACKUPS_TRIED {
        let mut found = Vec::new();
        let mut note = |name: &[u8]| found.extend(backup_number(log, name).filter(|number| *number <= highest));
        if folder.names(highest.min(BACKUPS_GUESSED) as usize * NAMES_PER_BACKUP, &mut note).is_ok() {
            found.push(0);
            order::sort_by(&mut found, |one, other| Reverse(one).cmp(&Reverse(other)));
            return found;
        }
    }
    (0..=highest.min(BACKUPS_GUESSED)).rev().collect()
}

/// The number of a log's backup, by its name.
fn backup_number(log: &str, name: &[u8]) -> Option<u32> {
    let digits = name.strip_prefix(log.as_bytes())?.strip_prefix(b".")?;
    // As they are written by [`name`].
    if !matches!(digits, [b'1'..=b'9', rest @ ..] if rest.iter().all(u8::is_ascii_digit)) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

fn move_up(log: &str, number: u32, to_last: bool, folder: &mut dyn Folder) -> Result<(), Errno> {
    let (from, to) = (name(log, number), name(log, number + 1));
    match folder.rename(&from, &to) {
        Err(Errno::EEXIST) if to_last => {}
        result => return result,
    }
    if folder.is_folder(&from) {
        return Err(Errno::EISDIR);
    }
    // Not by renaming over it, which makes ext4 write the other one out.
    match folder.remove(&to) {
        Ok(()) | Err(Errno::ENOENT) => folder.rename(&from, &to),
        Err(errno) => Err(errno),
    }
}

#[cfg(test)]
#[path = "rotation_tests.rs"]
mod tests;
