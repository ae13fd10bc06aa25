//! The protocol between the daemon and one event listener, pure (contract events.md, sections 4 and 5).
//!
//! What the listener prints goes in, what it means comes out; and the line that goes before an event. Whoever runs
//! this sends the events and judges the results. Keeps at most one unfinished line or result.

use std::fmt;

use crate::base::bytes::ByteQueue;
use crate::base::limits::{RESULT_BYTES, RESULT_LINE_BYTES};
use crate::base::text::shown;

/// How far the conversation is. The number is the contract's code.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(i32)]
pub enum Phase {
    /// EVT-102: it waits for an event.
    Ready = 10,
    /// EVT-103: it has one.
    Busy = 20,
    /// EVT-100: it just began, or its result was taken; it will say when it is ready.
    #[default]
    Acknowledged = 30,
    /// EVT-105: it broke the protocol, and gets no more events until it is started again.
    Unknown = 40,
}

impl Phase {
    /// `READY` and so on.
    pub fn name(self) -> &'static str {
        match self {
            Phase::Ready => "READY",
            Phase::Busy => "BUSY",
            Phase::Acknowledged => "ACKNOWLEDGED",
            Phase::Unknown => "UNKNOWN",
        }
    }
}

/// What a listener's words came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Heard {
    /// It is ready for an event.
    Ready,
    /// Its result for the event that it has; to be answered with [`Listener::judged`].
    Result(Vec<u8>),
    /// It is [`Phase::Unknown`] now: instead of a result it printed this line (EVT-104).
    BadLine(String),
    /// It is [`Phase::Unknown`] now: it printed this at the wrong time (EVT-101, EVT-102).
    Noise(String),
}

/// The only word that a listener may begin with.
const READY: &[u8] = b"READY\n";
/// What a result begins with.
const RESULT: &[u8] = b"RESULT ";
/// Bytes of noise that are shown.
const SHOWN_BYTES: usize = 80;

/// One listener's side of the conversation.
#[derive(Debug, Default)]
pub struct Listener {
    phase: Phase,
    unread: ByteQueue,
    /// Bytes at the front that have no line end.
    searched: usize,
    /// How long the result is that comes now.
    expected: Option<usize>,
    /// Whether it has ever answered.
    answered: bool,
}

impl Listener {
    /// How far the conversation is.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Whether it has answered an event and not yet said that it is ready for the next one.
    pub fn is_between(&self) -> bool {
        self.phase == Phase::Acknowledged && self.answered
    }

    /// Takes what the listener printed; [`Listener::next`] says what it means.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.phase != Phase::Unknown {
            self.unread.push(bytes);
        }
    }

    /// The next thing that the listener has said; `None`: nothing, or nothing whole (EVT-108). After a result, to be
    /// called again only when that was judged.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Option<Heard> {
        let unread = self.unread.as_slice();
        match self.phase {
            Phase::Unknown => None,
            Phase::Acknowledged if unread.len() < READY.len() => None,
            Phase::Acknowledged if unread.starts_with(READY) => {
                self.unread.consume(READY.len());
                self.phase = Phase::Ready;
                Some(Heard::Ready)
            }
            Phase::Ready if unread.is_empty() => None,
            Phase::Acknowledged | Phase::Ready => {
                let noise = shown(&unread[..unread.len().min(SHOWN_BYTES)]).into_owned();
                self.give_up();
                Some(Heard::Noise(noise))
            }
            Phase::Busy => self.result(),
        }
    }

    fn result(&mut self) -> Option<Heard> {
        if self.expected.is_none() {
            let unread = self.unread.as_slice();
            let found = unread[self.searched..].iter().position(|byte| *byte == b'\n');
            let Some(end) = found.map(|at| self.searched + at) else {
                self.searched = unread.len();
                // A line that long is none.
                let end = unread.len();
                return (end > RESULT_LINE_BYTES).then(|| self.bad_line(end));
            };
            match result_length(&unread[..end]) {
                Some(length) => self.expected = Some(length),
                None => return Some(self.bad_line(end)),
            }
            self.unread.consume(end + 1);
            self.searched = 0;
        }
        let length = self.expected?;
        let result = self.unread.as_slice().get(..length)?.to_vec();
        self.unread.consume(length);
        self.expected = None;
        Some(Heard::Result(result))
    }

    fn bad_line(&mut self, end: usize) -> Heard {
        let line = shown(&self.unread.as_slice()[..end]).into_owned();
        self.give_up();
        Heard::BadLine(line)
    }

    /// An event was sent: from [`Phase::Ready`] to [`Phase::Busy`].
    pub fn sent(&mut self) {
        debug_assert_eq!(self.phase, Phase::Ready);
        self.phase = Phase::Busy;
    }

    /// The result was judged: the listener may say that it is ready again, or, if judging it failed, will never be.
    pub fn judged(&mut self, well: bool) {
        debug_assert_eq!(self.phase, Phase::Busy);
        match well {
            true => (self.phase, self.answered) = (Phase::Acknowledged, true),
            false => self.give_up(),
        }
    }

    fn give_up(&mut self) {
        *self = Listener { phase: Phase::Unknown, ..Listener::default() };
    }
}

/// The length in a line `RESULT <length>` (EVT-107). Blanks around the number are let pass, as Python's `int` does.
fn result_length(line: &[u8]) -> Option<usize> {
    let number = std::str::from_utf8(line.strip_prefix(RESULT)?).ok()?.trim_ascii();
    let digits = number.strip_prefix('+').unwrap_or(number);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok().filter(|length| *length <= RESULT_BYTES)
}

/// The line before an event (EVT-087).
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub struct Header<'a> {
    pub server: &'a str,
    pub serial: u64,
    pub pool: &'a str,
    pub pool_serial: u64,
    pub event_name: &'a str,
    /// Of the payload: characters, or bytes where the pool asked for that (EVT-088).
    pub len: usize,
}

impl fmt::Display for Header<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Header { server, serial, pool, pool_serial, event_name, len } = self;
        writeln!(
            f,
            "ver:3.0 server:{server} serial:{serial} pool:{pool} poolserial:{pool_serial} eventname:{event_name} len:{len}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::split::cuts;

    /// A listener that has got as far as this phase.
    fn at(phase: Phase) -> Listener {
        let mut listener = Listener::default();
        if phase != Phase::Acknowledged {
            listener.push(b"READY\n");
            assert_eq!(listener.next(), Some(Heard::Ready));
        }
        if phase == Phase::Busy {
            listener.sent();
        }
        assert_eq!(listener.phase(), phase);
        listener
    }

    /// Everything that a listener has said by now; results are taken as good, and events sent at once.
    fn all(listener: &mut Listener) -> Vec<Heard> {
        let mut all = Vec::new();
        while let Some(heard) = listener.next() {
            match heard {
                Heard::Ready => listener.sent(),
                Heard::Result(_) => listener.judged(true),
                Heard::BadLine(_) | Heard::Noise(_) => {}
            }
            all.push(heard);
        }
        all
    }

    fn after(phase: Phase, bytes: &[u8]) -> (Vec<Heard>, Phase) {
        let mut listener = at(phase);
        listener.push(bytes);
        (all(&mut listener), listener.phase())
    }

    fn result(text: &str) -> Heard {
        Heard::Result(text.as_bytes().to_vec())
    }

    #[test]
    fn evt_100_ready_makes_it_ready() {
        let mut listener = Listener::default();
        assert_eq!(listener.phase() as i32, 30);
        listener.push(b"READY\n");
        assert_eq!(listener.next(), Some(Heard::Ready));
        assert_eq!((listener.phase(), listener.next()), (Phase::Ready, None));
    }

    #[test]
    fn evt_101_six_other_bytes_break_it() {
        assert_eq!(after(Phase::Acknowledged, b"hello"), (vec![], Phase::Acknowledged));
        let noise = |text: &str| vec![Heard::Noise(text.to_string())];
        assert_eq!(after(Phase::Acknowledged, b"hello\n"), (noise("hello\n"), Phase::Unknown));
        assert_eq!(after(Phase::Acknowledged, b"\nREADY\n"), (noise("\nREADY\n"), Phase::Unknown));
        assert_eq!(after(Phase::Acknowledged, b"ready\nREADY\n").1, Phase::Unknown);
        // What is shown of it is short.
        let (heard, _) = after(Phase::Acknowledged, &[b'x'; 1000]);
        assert_eq!(heard, noise(&"x".repeat(80)));
        assert_eq!(after(Phase::Acknowledged, b"\xff\n....").0, noise("Undecodable: b'\\xff\\n....'"));
    }

    #[test]
    fn evt_102_a_ready_listener_says_nothing() {
        let mut listener = at(Phase::Ready);
        assert_eq!(listener.phase() as i32, 10);
        listener.push(b"R");
        assert_eq!(listener.next(), Some(Heard::Noise("R".to_string())));
        assert_eq!(listener.phase(), Phase::Unknown);
        // Also in the same breath, before an event could be sent.
        let mut listener = Listener::default();
        listener.push(b"READY\nREADY\n");
        assert_eq!(listener.next(), Some(Heard::Ready));
        assert_eq!(listener.next(), Some(Heard::Noise("READY\n".to_string())));
    }

    #[test]
    fn evt_103_a_result_and_what_follows() {
        assert_eq!(at(Phase::Busy).phase() as i32, 20);
        assert_eq!(after(Phase::Busy, b"RESULT 2\nOK"), (vec![result("OK")], Phase::Acknowledged));
        let (heard, phase) = after(Phase::Busy, b"RESULT 4\nFA\nLREADY\nRESULT 0\n");
        assert_eq!(heard, [result("FA\nL"), Heard::Ready, result("")]);
        assert_eq!(phase, Phase::Acknowledged);
        // EVT-124: judging it failed.
        let mut listener = at(Phase::Busy);
        listener.push(b"RESULT 1\nxREADY\n");
        assert_eq!(listener.next(), Some(result("x")));
        listener.judged(false);
        assert_eq!((listener.phase(), listener.next()), (Phase::Unknown, None));
    }

    #[test]
    fn evt_104_any_other_line_breaks_it() {
        let bad = |text: &str| (vec![Heard::BadLine(text.to_string())], Phase::Unknown);
        assert_eq!(after(Phase::Busy, b"DONE\nREADY\n"), bad("DONE"));
        assert_eq!(after(Phase::Busy, b"\n"), bad(""));
        assert_eq!(after(Phase::Busy, b"\xfe\n"), bad("Undecodable: b'\\xfe'"));
        // A line that doesn't end is none; before that it is waited for.
        assert_eq!(after(Phase::Busy, &[b'x'; RESULT_LINE_BYTES]), (vec![], Phase::Busy));
        assert_eq!(after(Phase::Busy, &[b'x'; RESULT_LINE_BYTES + 1]).1, Phase::Unknown);
    }

    #[test]
    fn evt_105_unknown_is_deaf() {
        let mut listener = at(Phase::Ready);
        listener.push(b"x");
        assert!(matches!(listener.next(), Some(Heard::Noise(_))));
        assert_eq!(listener.phase() as i32, 40);
        for bytes in [b"READY\n".as_slice(), b"RESULT 2\nOK", &[0; 100_000]] {
            listener.push(bytes);
            assert_eq!((listener.next(), listener.phase()), (None, Phase::Unknown));
        }
        assert!(listener.unread.is_empty());
    }

    #[test]
    fn evt_107_lengths() {
        // BUG-083: only what begins so, only numbers from 0 on, and 0 is complete at once.
        for (line, length) in [
            ("RESULT 0", Some(0)),
            ("RESULT 2", Some(2)),
            ("RESULT 002", Some(2)),
            ("RESULT  2 \r", Some(2)),
            ("RESULT +2", Some(2)),
            ("RESULT -1", None),
            ("RESULT", None),
            ("RESULT ", None),
            ("RESULT x", None),
            ("RESULT 2 3", None),
            ("RESULT 1_0", None),
            ("RESULT ++2", None),
            ("RESULT 0x2", None),
            ("result 2", None),
            ("1234567 2", None),
            ("RESULTS 2", None),
            ("RESULT 99999999999999999999999", None),
        ] {
            assert_eq!(result_length(line.as_bytes()), length, "{line}");
        }
        // A result that nobody could keep is refused before it comes.
        assert_eq!(result_length(format!("RESULT {RESULT_BYTES}").as_bytes()), Some(RESULT_BYTES));
        assert_eq!(result_length(format!("RESULT {}", RESULT_BYTES + 1).as_bytes()), None);
        let (heard, phase) = after(Phase::Busy, b"RESULT 0\n");
        assert_eq!((heard, phase), (vec![result("")], Phase::Acknowledged));
    }

    #[test]
    fn evt_108_any_pieces_mean_the_same() {
        let words = b"READY\nRESULT 2\nOKREADY\nRESULT 12\nRESULT 1\nx\n\nREADY\nnonsense\n";
        let whole = after(Phase::Acknowledged, words);
        assert_eq!(whole.0.len(), 6);
        for pieces in cuts(words) {
            let mut listener = Listener::default();
            let mut heard = Vec::new();
            for piece in pieces {
                listener.push(piece);
                heard.extend(all(&mut listener));
            }
            assert_eq!((heard, listener.phase()), whole);
        }
    }

    #[test]
    fn evt_087_the_header() {
        let header =
            Header { server: "supervisor", serial: 7, pool: "mails", pool_serial: 3, event_name: "TICK_5", len: 15 };
        let line = "ver:3.0 server:supervisor serial:7 pool:mails poolserial:3 eventname:TICK_5 len:15\n";
        assert_eq!(header.to_string(), line);
    }
}
