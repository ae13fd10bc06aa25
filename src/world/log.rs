//! One log file: appended to, rotated, opened again, cleared.
//!
//! Bytes once accepted are kept until the file took them, up to a bound; a full disk never stops anybody and the log
//! goes on by itself when there is room again. Only a log that is a regular file is ever rotated or removed. The log never
//! looks into the bytes and never splits a chunk over two files.

use std::time::Duration;

use crate::base::bytes::ByteQueue;
use crate::base::errno::Errno;
use crate::base::limits;
use crate::base::time::Mono;
use crate::world::host::{FileId, Host, Opened};
use crate::world::rotation::Rotation;

/// How long to wait before a failed write is tried again.
const RETRY: Duration = Duration::from_secs(1);
/// The first wait for a pipe or terminal that is full; doubled up to [`RETRY`] while nothing moves.
const FULL_PIPE: Duration = Duration::from_millis(10);
/// How far apart reports of failures are (LOG-053).
const REPORT: Duration = Duration::from_secs(60);

/// What became of a write.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Wrote {
    /// Bytes that the file took, earlier held ones included.
    pub stored: usize,
    /// Bytes given up because too many are held already.
    pub lost: usize,
}

#[derive(Debug)]
struct Open {
    id: FileId,
    regular: bool,
    identity: (u64, u64, u64),
    position: u64,
}

/// A log file and what it could not take yet.
#[derive(Debug)]
pub struct Log {
    path: String,
    max_bytes: u64,
    backups: u32,
    file: Option<Open>,
    /// Between `open` and `close`. The file can be missing then: it is opened again when there is something to write.
    wanted: bool,
    held: ByteQueue,
    retry_at: Option<Mono>,
    full_wait: Duration,
    trouble: Option<Errno>,
    unreported: bool,
    reported_at: Option<Mono>,
    rotation: Rotation,
    /// A rotation that failed and of which nobody knows yet.
    stuck: Option<Errno>,
    /// Somebody was told that the file can't be written, and not yet that it can be again.
    in_trouble: bool,
    written: u64,
    lost: u64,
    /// How many of the lost bytes [`Log::take_recovery`] has told of.
    told: u64,
    /// The last trouble ended with a loss that was told.
    told_loss: bool,
}

/// What is to be said of a log (LOG-053).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Report {
    /// It can't be written, can't be rotated, or has lost something.
    Trouble(String),
    /// It is written again, and nothing was lost.
    Recovered(String),
}

impl Log {
    /// A closed log. `max_bytes`: 0 never rotates; `backups`: 0 cuts the file instead of renaming it (LOG-072).
    pub fn new(path: String, max_bytes: u64, backups: u32) -> Log {
        Log {
            path,
            max_bytes,
            backups,
            file: None,
            wanted: false,
            held: ByteQueue::default(),
            retry_at: None,
            full_wait: FULL_PIPE,
            trouble: None,
            unreported: false,
            reported_at: None,
            rotation: Rotation::default(),
            stuck: None,
            in_trouble: false,
            written: 0,
            lost: 0,
            told: 0,
            told_loss: false,
        }
    }

    /// Where it is.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Between `open` and `close`.
    pub fn is_open(&self) -> bool {
        self.wanted
    }

    /// All bytes that the file took so far.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// All bytes given up so far.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// Bytes that wait for the file.
    pub fn held(&self) -> usize {
        self.held.len()
    }

    /// When [`Log::retry`] wants to be called; `None`: nothing waits.
    pub fn retry_at(&self) -> Option<Mono> {
        self.retry_at
    }

    /// Whether the source should wait: the log is a full pipe or terminal, and its reader sets the pace (PROC-103).
    pub fn is_choked(&self) -> bool {
        self.trouble.is_none() && self.held.len() >= limits::LOG_HELD_BYTES / 2
    }

    /// Opens the file, or leaves it open. The error is for the one who starts the process (LOG-054). A FIFO that
    /// nobody reads yet is no error: its reader may come later.
    pub fn open(&mut self, host: &mut dyn Host) -> Result<(), Errno> {
        if self.file.is_none() {
            match self.open_file(host) {
                Ok(()) | Err(Errno::EPIPE) => {}
                Err(errno) => return Err(errno),
            }
        }
        self.wanted = true;
        Ok(())
    }

    /// Appends a chunk; rotates afterwards if it is time (LOG-070). A log that is not open loses it.
    pub fn write(&mut self, bytes: &[u8], now: Mono, host: &mut dyn Host) -> Wrote {
        if !self.wanted || bytes.is_empty() {
            // Nobody's loss: told of nowhere.
            self.lost += bytes.len() as u64;
            self.told += bytes.len() as u64;
            return Wrote { stored: 0, lost: bytes.len() };
        }
        let mut stored = self.flush_held(now, host);
        let mut rest = bytes;
        if self.held.is_empty() {
            let count = self.append(rest, now, host);
            stored += count;
            rest = &rest[count..];
        }
        let bound = if self.trouble.is_some() { limits::LOG_HELD_BYTES } else { limits::LOG_WAITING_BYTES };
        let kept = rest.len().min(bound.saturating_sub(self.held.len()));
        self.held.push(&rest[..kept]);
        let lost = rest.len() - kept;
        self.lost += lost as u64;
        self.unreported |= lost > 0;
        self.rotate_if_due(host);
        Wrote { stored, lost }
    }

    /// Tries what is held again, once [`Log::retry_at`] has come.
    pub fn retry(&mut self, now: Mono, host: &mut dyn Host) -> Wrote {
        self.retry_at = None;
        if self.wanted && self.file.is_none() && self.open_again(now, host).is_ok() {
            self.trouble = None;
        }
        let stored = self.flush_held(now, host);
        self.rotate_if_due(host);
        if !self.wanted && self.held.is_empty() {
            self.close_file(host);
        }
        Wrote { stored, lost: 0 }
    }

    /// What is to be said now: that writing or rotating fails, at most once a minute (LOG-053), or that it is over.
    pub fn take_report(&mut self, now: Mono) -> Option<Report> {
        let next = self.reported_at.map(|at| at + REPORT);
        let quiet = next.is_some_and(|at| now < at);
        if self.trouble.is_none() && self.held.is_empty() && (self.in_trouble || self.lost > self.told) {
            if self.lost > self.told {
                if self.told_loss && quiet {
                    // A file that has room for a moment, again and again: told together.
                    self.retry_at = next;
                    return None;
                }
                self.reported_at = Some(now);
            }
            return Some(self.take_recovery());
        }
        if quiet || !(self.unreported || self.stuck.is_some()) {
            return None;
        }
        self.reported_at = Some(now);
        if !std::mem::take(&mut self.unreported) {
            let reason = self.stuck.take()?;
            return Some(Report::Trouble(format!("can't rotate log file '{}', which grows on: {reason}", self.path)));
        }
        self.in_trouble = true;
        let reason = match self.trouble {
            Some(Errno::EPIPE) => "nobody reads it".to_string(),
            Some(errno) => errno.to_string(),
            None => "its reader is too slow".to_string(),
        };
        Some(Report::Trouble(format!(
            "can't write to log file '{}': {reason} ({} bytes wait, {} bytes were lost)",
            self.path,
            self.held.len(),
            self.lost - self.told
        )))
    }

    fn take_recovery(&mut self) -> Report {
        self.in_trouble = false;
        self.unreported = false;
        self.told_loss = self.lost > self.told;
        let lost = self.lost - std::mem::replace(&mut self.told, self.lost);
        match lost {
            0 => Report::Recovered(format!("log file '{}' is written again, nothing was lost", self.path)),
            _ => Report::Trouble(format!(
                "{lost} bytes of log file '{}' were lost while it could not be written",
                self.path
            )),
        }
    }

    /// Closes the file and opens it again by name (LOG-040). Nothing for a closed log (LOG-043) and for what is not
    /// a file of its own (LOG-041).
    pub fn reopen(&mut self, now: Mono, host: &mut dyn Host) -> Result<(), Errno> {
        if !self.wanted || self.is_device() || self.file.as_ref().is_some_and(|file| !file.regular) {
            return Ok(());
        }
        self.flush_held(now, host);
        self.close_file(host);
        self.open_again(now, host)
    }

    /// Removes the file and makes a new one; backups stay (LOG-077). Works for a closed log, too (BUG-047); a file
    /// that is missing then is not made. What is no regular file stays as it is. After a failure what is held still is.
    pub fn clear(&mut self, now: Mono, host: &mut dyn Host) -> Result<(), Errno> {
        let result = self.replace_file(now, host);
        if result.is_ok() {
            self.held.clear();
            self.retry_at = None;
        }
        if !self.wanted {
            self.close_file(host);
        }
        result
    }

    fn replace_file(&mut self, now: Mono, host: &mut dyn Host) -> Result<(), Errno> {
        let regular = match (&self.file, host.stat(&self.path)) {
            (Some(file), _) => file.regular,
            (None, Ok(meta)) => meta.regular,
            (None, Err(_)) => true,
        };
        if !regular || self.is_device() {
            return Ok(());
        }
        match host.remove(&self.path) {
            Err(Errno::ENOENT) if !self.wanted => return Ok(()),
            Ok(()) | Err(Errno::ENOENT) => {}
            Err(errno) => return Err(errno),
        }
        self.close_file(host);
        self.open_again(now, host)
    }

    /// Closes the log. What is held is tried once more; if that fails, the file stays open for it until
    /// [`Log::retry`] gets rid of it.
    pub fn close(&mut self, now: Mono, host: &mut dyn Host) {
        self.wanted = false;
        self.retry(now, host);
    }

    /// Closes the log for good: nobody will call [`Log::retry`]. What is held is tried once more, then lost.
    pub fn abandon(&mut self, now: Mono, host: &mut dyn Host) {
        self.close(now, host);
        self.lost += self.held.len() as u64;
        self.held.clear();
        self.retry_at = None;
        // No more than what is lost is to be said of it, and that at once.
        (self.trouble, self.in_trouble, self.told_loss) = (None, false, false);
        self.close_file(host);
    }

    /// Things in /dev and /proc are never renamed or removed, even if a regular file is behind them. In /dev/shm there
    /// are ordinary files, in memory.
    fn is_device(&self) -> bool {
        let in_dev = self.path.starts_with("/dev/") && !self.path.starts_with("/dev/shm/");
        in_dev || self.path.starts_with("/proc/")
    }

    fn open_file(&mut self, host: &mut dyn Host) -> Result<(), Errno> {
        let opened = host.open_log(&self.path)?;
        let Opened { file: id, size: position, regular, identity } = opened;
        self.file = Some(Open { id, regular, identity, position });
        Ok(())
    }

    /// Opens an open log's file anew, and later if it can't be now. A FIFO without a reader waits for something to say.
    fn open_again(&mut self, now: Mono, host: &mut dyn Host) -> Result<(), Errno> {
        match self.open_file(host) {
            Err(Errno::EPIPE) if self.held.is_empty() => Ok(()),
            result => result.inspect_err(|errno| self.failed(*errno, now)),
        }
    }

    fn close_file(&mut self, host: &mut dyn Host) {
        if let Some(file) = self.file.take() {
            host.close_log(file.id);
        }
    }

    fn note(&mut self, errno: Errno) {
        self.trouble = Some(errno);
        self.unreported = true;
    }

    fn failed(&mut self, errno: Errno, now: Mono) {
        self.note(errno);
        self.retry_at = Some(now + RETRY);
    }

    fn flush_held(&mut self, now: Mono, host: &mut dyn Host) -> usize {
        if self.held.is_empty() {
            return 0;
        }
        let held = std::mem::take(&mut self.held);
        let count = self.append(held.as_slice(), now, host);
        self.held = held;
        self.held.consume(count);
        count
    }

    /// Appends what the file takes now; sets `retry_at` if that is not all.
    fn append(&mut self, bytes: &[u8], now: Mono, host: &mut dyn Host) -> usize {
        if self.file.is_none()
            && let Err(errno) = self.open_file(host)
        {
            self.failed(errno, now);
            return 0;
        }
        let Some(file) = &mut self.file else { return 0 };
        let mut done = 0;
        let stopped = loop {
            if done == bytes.len() {
                break None;
            }
            match host.append(file.id, &bytes[done..]) {
                Ok(0) => break Some(Errno::EAGAIN),
                Ok(count) => done += count.min(bytes.len() - done),
                Err(errno) => break Some(errno),
            }
        };
        file.position += done as u64;
        self.written += done as u64;
        if done > 0 {
            self.full_wait = FULL_PIPE;
        }
        match stopped {
            None => {
                self.trouble = None;
                self.retry_at = None;
            }
            Some(Errno::EAGAIN) => {
                self.trouble = None;
                self.retry_at = Some(now + self.full_wait);
                self.full_wait = (self.full_wait * 2).min(RETRY);
            }
            Some(errno) => self.failed(errno, now),
        }
        done
    }

    /// What is held belongs to the chunk before it, so that nothing is split.
    fn rotate_if_due(&mut self, host: &mut dyn Host) {
        let due = self.file.as_ref().is_some_and(|file| file.regular && file.position >= self.max_bytes);
        if !due || self.max_bytes == 0 || !self.held.is_empty() || self.is_device() {
            return;
        }
        let there = host.stat(&self.path);
        match (&mut self.file, there) {
            // Somebody cut it meanwhile: there is room in it again.
            (Some(file), Ok(meta)) if meta.identity == file.identity && meta.size < self.max_bytes => {
                file.position = meta.size;
                return;
            }
            _ => {}
        }
        let is_ours = match (&self.file, there) {
            // Somebody has put another file there, such as the other process that shares this log.
            (Some(file), Ok(meta)) => meta.identity == file.identity,
            // Somebody took it away: what is in it is theirs (LOG-075).
            (_, there) => there != Err(Errno::ENOENT),
        };
        if !is_ours {
            if there.is_err() && self.backups > 0 {
                let _ = self.shift_backups(host);
            }
            return self.change_file(host);
        }
        let result = match &self.file {
            Some(file) if self.backups == 0 => host.truncate(file.id),
            _ => self.shift_backups(host),
        };
        self.stuck = result.err();
        if result.is_ok() && self.backups > 0 {
            self.renew_file(host);
        } else if let Some(file) = &mut self.file {
            // After a failure it grows on, and the next try comes another max_bytes later. It stays open, since what can't
            // be rotated may be what can't be opened again, with no descriptor left or in a folder out of reach.
            file.position = 0;
        }
    }

    /// Opens what is there by the log's name now instead of what was.
    fn change_file(&mut self, host: &mut dyn Host) {
        let old = self.file.take();
        let opened = self.open_file(host);
        self.stuck = None;
        match (opened, old) {
            (Ok(()), Some(old)) => host.close_log(old.id),
            // Its folder is away: it may come back with the file in it, which takes what comes until then.
            (Err(Errno::ENOENT), Some(old)) if host.has_name(old.id) => {
                (self.file, self.stuck) = (Some(old), Some(Errno::ENOENT));
            }
            (_, old) => {
                self.file = old;
                self.renew_file(host);
            }
        }
    }

    /// Closes the file and opens what is there by its name now.
    fn renew_file(&mut self, host: &mut dyn Host) {
        self.close_file(host);
        if let Err(errno) = self.open_file(host) {
            // The next write opens it.
            self.note(errno);
        }
    }

    /// In one folder, whatever its path leads to meanwhile.
    fn shift_backups(&mut self, host: &mut dyn Host) -> Result<(), Errno> {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        let mut folder = host.open_folder(&self.path)?;
        self.rotation.shift(name, self.backups, folder.as_mut())
    }
}

#[cfg(test)]
impl Log {
    /// An open log that holds bytes which no write led to, to see that somebody notices.
    pub fn doctored(held: usize, retry_at: Option<Mono>) -> Log {
        let mut log = Log::new("/tmp/doctored".to_string(), 0, 0);
        log.wanted = true;
        log.held.push(&vec![b'x'; held]);
        log.retry_at = retry_at;
        log
    }
}

#[cfg(test)]
#[path = "log_tests.rs"]
mod tests;
