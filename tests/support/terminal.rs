//! Programs at a terminal: `tests/python/terminal.py` makes it, and what the screen shows is looked at without its
//! control sequences. Waits for what it shows, with a deadline.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use super::python::python;
use super::wait_until;

/// The key that interrupts.
pub const CTRL_C: &str = "\x03";
/// The key that ends the input.
pub const CTRL_D: &str = "\x04";
/// The key that goes back in the history.
pub const UP: &str = "\x1b[A";

/// A program at a terminal.
pub struct Terminal {
    child: Child,
    keys: Option<ChildStdin>,
    output: Receiver<Vec<u8>>,
    /// All that came, control sequences included.
    pub raw: String,
    /// How much of the screen's text has been looked at.
    seen: usize,
}

impl Terminal {
    /// Runs these words in a folder, with more for its environment.
    pub fn start(folder: &Path, words: &[&str], settings: &[(&str, &str)]) -> Terminal {
        let mut command = python().script(folder, "terminal.py");
        command.args(words).env("TERM", "xterm").envs(settings.iter().copied());
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the terminal");
        let mut out = child.stdout.take().expect("its output");
        let (sender, output) = channel();
        std::thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(count @ 1..) = out.read(&mut piece) {
                if sender.send(piece[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        let keys = child.stdin.take();
        Terminal { child, keys, output, raw: String::new(), seen: 0 }
    }

    /// Presses keys.
    pub fn press(&mut self, keys: &str) {
        self.keys.as_mut().expect("a keyboard").write_all(keys.as_bytes()).expect("a keyboard");
    }

    /// What the screen shows since the last look.
    pub fn text(&self) -> String {
        plain(&self.raw)[self.seen..].to_string()
    }

    /// Waits until the screen shows `wanted`, and gives what it shows up to there.
    pub fn wait_for(&mut self, wanted: &str) -> String {
        let deadline = Instant::now() + Duration::from_secs(60);
        while Instant::now() < deadline {
            if let Some(at) = self.text().find(wanted) {
                let end = at + wanted.len();
                let shown = self.text()[..end].to_string();
                self.seen += end;
                return shown;
            }
            if let Ok(piece) = self.output.recv_timeout(Duration::from_millis(5)) {
                self.raw.push_str(&String::from_utf8_lossy(&piece));
            }
        }
        panic!("waited in vain for {wanted:?}; the screen shows {:?} of {:?}", self.text(), self.raw);
    }

    /// Waits for the end: the rest of the screen, and the exit status.
    pub fn end(mut self) -> (String, Option<i32>) {
        let mut status = None;
        wait_until("the program's end", 60, || {
            status = self.child.try_wait().expect("its status");
            status.is_some()
        });
        while let Ok(piece) = self.output.recv_timeout(Duration::from_secs(5)) {
            self.raw.push_str(&String::from_utf8_lossy(&piece));
        }
        (self.text(), status.and_then(|status| status.code()))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // The end of its input ends the program.
        self.keys = None;
        let _ = self.child.wait();
    }
}

/// Text without control sequences (ECMA-48) and bells; carriage returns are gone, so lines are as written.
fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text.chars();
    while let Some(sign) = rest.next() {
        match sign {
            '\x1b' => {
                rest.next();
                rest.by_ref().find(|sign| sign.is_ascii_alphabetic());
            }
            '\r' | '\x07' => {}
            sign => out.push(sign),
        }
    }
    out
}
