//! The main log: lines with a stamp and a level, to a file or syslog, and in the foreground also to stdout
//! (contract logging.md, section 1).

use crate::base::time::{Calendar, Now};
use crate::base::words::Level;
use crate::world::host::Host;
use crate::world::lines::Line;
use crate::world::log::Log;

/// The name under which everything goes to syslog (LOG-060, LOG-061).
pub const SYSLOG_IDENT: &str = "supervisord";

/// Where the daemon speaks.
pub struct MainLog {
    level: Level,
    file: Option<Log>,
    echo: bool,
    /// The second that `stamp` was made for: a burst of lines formats its date once.
    second: i64,
    stamp: String,
}

impl MainLog {
    /// `file`: `None` is syslog (LOG-060). `echo`: every line goes to stdout, too (LOG-011).
    pub fn new(level: Level, file: Option<Log>, echo: bool) -> MainLog {
        MainLog { level, file, echo, second: i64::MIN, stamp: String::new() }
    }

    /// Whether lines of this level are written.
    pub fn says(&self, level: Level) -> bool {
        level >= self.level
    }

    /// Writes a line.
    pub fn say(&mut self, line: &Line, now: Now, host: &mut dyn Host) {
        if !self.says(line.level()) {
            return;
        }
        let second = now.wall.secs();
        if second != self.second {
            self.stamp = Calendar::at(second, host.local_offset(second)).log_stamp();
            self.second = second;
        }
        let record = format!("{},{:03} {} {line}\n", self.stamp, now.wall.millis(), line.level().code());
        if self.echo {
            // What the copy gives up is in the file.
            let _ = host.echo(record.as_bytes());
        }
        match &mut self.file {
            Some(file) => {
                file.write(record.as_bytes(), now.mono, host);
            }
            None => record.lines().for_each(|line| host.syslog(SYSLOG_IDENT, line)),
        }
    }

    /// The file, unless the log goes to syslog.
    pub fn file(&mut self) -> Option<&mut Log> {
        self.file.as_mut()
    }

    /// The file to look at, unless the log goes to syslog.
    pub fn log(&self) -> Option<&Log> {
        self.file.as_ref()
    }

    /// The file's path, unless the log goes to syslog.
    pub fn path(&self) -> Option<&str> {
        self.file.as_ref().map(Log::path)
    }
}
