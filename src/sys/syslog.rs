//! Records to the system's log, as datagrams to `/dev/log`. Never waits: without a log, or with one that is too slow,
//! records are lost (LOG-062).

use std::os::unix::net::UnixDatagram;

use crate::base::time::{Calendar, MONTHS};

/// Facility user, priority info (LOG-060).
const PRIORITY: u32 = 14;
const SOCKET: &str = "/dev/log";

/// The way to the system's log, opened when first needed.
#[derive(Default)]
pub struct Syslog {
    socket: Option<UnixDatagram>,
}

impl Syslog {
    /// One record for each line of `text`, dated `at`.
    pub fn write(&mut self, ident: &str, text: &str, at: &Calendar) {
        for line in text.lines() {
            self.send(record(ident, line, at).as_bytes());
        }
    }

    fn send(&mut self, record: &[u8]) {
        // A log that was started again has a new socket: worth one more try.
        for _ in 0..2 {
            if self.socket.is_none() {
                self.socket = open();
            }
            let Some(socket) = &self.socket else { return };
            match socket.send(record) {
                Ok(_) => return,
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return,
                Err(_) => self.socket = None,
            }
        }
    }
}

fn open() -> Option<UnixDatagram> {
    let socket = UnixDatagram::unbound().ok()?;
    socket.set_nonblocking(true).ok()?;
    socket.connect(SOCKET).ok()?;
    Some(socket)
}

/// As syslog(3) writes it: `<14>Jan  5 03:04:05 ident: text`.
fn record(ident: &str, line: &str, at: &Calendar) -> String {
    let month = MONTHS[at.month.clamp(1, 12) as usize - 1];
    format!("<{PRIORITY}>{month} {:2} {:02}:{:02}:{:02} {ident}: {line}", at.day, at.hour, at.minute, at.second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_060_facility_user_and_priority_info() {
        assert_eq!(record("supervisord", "hello", &Calendar::at(363_845, 0)), "<14>Jan  5 05:04:05 supervisord: hello");
    }
}
