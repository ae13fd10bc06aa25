//! The interactive loop, and the terminal it talks to.
//!
//! The dialogue sees the user only through [`Screen`], so an editor with history and completion can take the place of
//! [`Console`], and tests can script a user.

use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use crate::ctl::dialogue::Dialogue;
use crate::ctl::trouble::Trouble;
use crate::sys::terminal::{self, Woken};

/// What came of asking for a line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Line {
    /// A line, without its end.
    Text(String),
    /// The input ended.
    End,
    /// The user pressed Ctrl-C.
    Interrupted,
}

/// What ended a wait for the user or for somebody else.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Heard {
    /// The user.
    Line(Line),
    /// The other input with this number.
    Other(usize),
    /// Nobody, for as long as we had patience.
    Nobody,
}

/// The user.
pub trait Screen {
    /// Prints bytes on stdout, at once.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Prints a line on stderr.
    fn complain(&mut self, line: &str);
    /// Asks for a command line. The place for editing, history and completion.
    fn command(&mut self, prompt: &str) -> Line;
    /// Asks for something else.
    fn ask(&mut self, question: &str) -> Line;
    /// Asks for something that must not be shown.
    fn secret(&mut self, question: &str) -> Line;
    /// Waits for a line from the user or for one of the others.
    fn wait(&mut self, others: &[BorrowedFd<'_>]) -> Heard;
    /// Waits for one of the others, so long and no longer. Of the user it hears Ctrl-C only.
    fn wait_for_others(&mut self, others: &[BorrowedFd<'_>], patience: Duration) -> Heard;
    /// From here on Ctrl-C ends a wait, not the program.
    fn catch_interrupts(&mut self);
}

/// Runs a shell until the user leaves (CTL-150, CTL-151). A command that fails doesn't end it (CTL-156).
pub fn run(dialogue: &mut Dialogue<'_>, prompt: &str) -> Result<(), Trouble> {
    dialogue.set_interactive();
    dialogue.screen.catch_interrupts();
    dialogue.command("status")?;
    let prompt = format!("{prompt}> ");
    while !dialogue.is_leaving() {
        match dialogue.screen.command(&prompt) {
            Line::Text(line) => dialogue.command(&line)?,
            Line::End => dialogue.command("EOF")?,
            Line::Interrupted => return Err(Trouble::Interrupted),
        }
    }
    Ok(())
}

/// Standard input, output and error.
pub struct Console {
    /// A second descriptor of standard input, unbuffered, so that waiting for it sees every byte. `None`: it is
    /// closed.
    input: Option<File>,
    /// Bytes read behind the last line that was handed out.
    typed: Vec<u8>,
    ended: bool,
}

impl Console {
    /// Takes standard input over: nobody else may read it.
    pub fn new() -> Console {
        let input = io::stdin().as_fd().try_clone_to_owned().ok().map(File::from);
        Console { ended: input.is_none(), input, typed: Vec::new() }
    }

    /// The next line, if it was read already. At the end of the input an unfinished line is one too.
    fn take_line(&mut self) -> Option<Line> {
        let (length, end) = match self.typed.iter().position(|byte| *byte == b'\n') {
            Some(at) => (at, at + 1),
            None if self.ended && self.typed.is_empty() => {
                // At a terminal there may be more behind an end (Ctrl-D).
                self.ended = false;
                return Some(Line::End);
            }
            None if self.ended => (self.typed.len(), self.typed.len()),
            None => return None,
        };
        let text = String::from_utf8_lossy(&self.typed[..length]).into_owned();
        self.typed.drain(..end);
        Some(Line::Text(text))
    }

    /// Reads once.
    fn read_more(&mut self) {
        let mut piece = [0; 4096];
        // An input that can't be read has ended.
        let count = self.input.as_mut().and_then(|input| input.read(&mut piece).ok()).unwrap_or(0);
        self.typed.extend_from_slice(&piece[..count]);
        self.ended = count == 0;
    }

    fn line(&mut self) -> Line {
        loop {
            match self.wait(&[]) {
                Heard::Line(line) => return line,
                Heard::Other(_) | Heard::Nobody => {}
            }
        }
    }

    fn prompt(&mut self, prompt: &str) -> Line {
        match self.write(prompt.as_bytes()) {
            Ok(()) => self.line(),
            Err(_) => Line::End,
        }
    }
}

impl Screen for Console {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut out = io::stdout().lock();
        out.write_all(bytes)?;
        out.flush()
    }

    fn complain(&mut self, line: &str) {
        // Nobody is left to tell if this fails.
        let _ = writeln!(io::stderr(), "{line}");
    }

    fn command(&mut self, prompt: &str) -> Line {
        self.prompt(prompt)
    }

    fn ask(&mut self, question: &str) -> Line {
        self.prompt(question)
    }

    fn secret(&mut self, question: &str) -> Line {
        let _ = io::stderr().write_all(question.as_bytes());
        let stdin = io::stdin();
        let _hidden = terminal::Hidden::new(stdin.as_fd());
        let line = self.line();
        if !stdin.is_terminal() {
            let _ = io::stderr().write_all(b"\n");
        }
        line
    }

    fn wait(&mut self, others: &[BorrowedFd<'_>]) -> Heard {
        loop {
            if let Some(line) = self.take_line() {
                return Heard::Line(line);
            }
            let Some(input) = &self.input else {
                self.ended = true;
                continue;
            };
            let inputs = [&[input.as_fd()], others].concat();
            match terminal::wait_for_input(&inputs, None) {
                Ok(Woken::Input(0)) => self.read_more(),
                Ok(Woken::Input(other)) => return Heard::Other(other - 1),
                Ok(Woken::Interrupted) => return Heard::Line(Line::Interrupted),
                Ok(Woken::Nothing) => {}
                Err(_) => self.ended = true,
            }
        }
    }

    fn wait_for_others(&mut self, others: &[BorrowedFd<'_>], patience: Duration) -> Heard {
        match terminal::wait_for_input(others, Some(patience)) {
            Ok(Woken::Input(other)) => Heard::Other(other),
            Ok(Woken::Interrupted) => Heard::Line(Line::Interrupted),
            Ok(Woken::Nothing) | Err(_) => Heard::Nobody,
        }
    }

    fn catch_interrupts(&mut self) {
        // Without it Ctrl-C ends the program: worse manners, nothing lost.
        let _ = terminal::catch_interrupts();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::value::Value;
    use crate::ctl::scripted::{Script, fault, shell};

    const STATUS: (&str, Result<Value, Trouble>) = ("supervisor.getAllProcessInfo", Ok(Value::Array(Vec::new())));

    #[test]
    fn ctl_150_ctl_151_a_dialogue() {
        let version = || ("supervisor.getSupervisorVersion", Ok(Value::from("4.3.0")));
        let (out, ended) = shell(&mut Script::new([STATUS, version()]), &["", "version", "frob"]);
        assert_eq!(out, "supervisor> supervisor> 4.3.0\nsupervisor> *** Unknown syntax: frob\nsupervisor> \n");
        assert_eq!(ended, Ok(()));
        for word in ["quit", "exit now", "EOF"] {
            let lines: &[&'static str] = match word {
                "quit" => &["quit", "version"],
                "EOF" => &["EOF", "version"],
                _ => &["exit now", "version"],
            };
            assert_eq!(shell(&mut Script::new([STATUS]), lines).0, "supervisor> \n");
        }
        assert_eq!(shell(&mut Script::new([STATUS]), &["^C"]).1, Err(Trouble::Interrupted));
    }

    #[test]
    fn ctl_152_questions() {
        let ask = "Really shut the remote supervisord process down y/N? ";
        for (answer, proceeds) in [("y", true), ("Yes", true), ("n", false), ("", false), ("oy", false)] {
            let done = ("supervisor.shutdown", Ok(Value::Bool(true)));
            let mut script = if proceeds { Script::new([STATUS, done]) } else { Script::new([STATUS]) };
            let lines: &[&'static str] = match answer {
                "y" => &["shutdown", "y"],
                "Yes" => &["shutdown", "Yes"],
                "n" => &["shutdown", "n"],
                "oy" => &["shutdown", "oy"],
                _ => &["shutdown", ""],
            };
            let said = if proceeds { "Shut down\n" } else { "" };
            assert_eq!(shell(&mut script, lines).0, format!("supervisor> {ask}{said}supervisor> \n"));
        }
        let (out, _) = shell(&mut Script::new([STATUS, ("supervisor.restart", fault(6))]), &["reload", "y"]);
        let ask = "Really restart the remote supervisord process y/N? ";
        assert_eq!(out, format!("supervisor> {ask}ERROR: already shutting down\nsupervisor> \n"));
        let (out, _) = shell(&mut Script::new([STATUS]), &["reload"]);
        assert!(out.starts_with(&format!("supervisor> {ask}error: <class 'EOFError'>, EOF when reading a line: ")));
    }

    #[test]
    fn ctl_153_credentials_stay_in_use() {
        let refused = ("supervisor.getVersion", Err(Trouble::Status { code: 401, reason: "Unauthorized".to_string() }));
        let mut script = Script::new([refused, STATUS]);
        let (out, _) = shell(&mut script, &["joe", "secret"]);
        assert_eq!(out, "Server requires authentication\nUsername:Password:\nsupervisor> \n");
        assert_eq!(script.login, Some(("joe".to_string(), "secret".to_string())));
    }

    #[test]
    fn lines_come_out_whole() {
        let mut console = Console { input: None, typed: b"one\ntwo\r\n\nlast".to_vec(), ended: false };
        let mut next = || console.line();
        for line in ["one", "two\r", "", "last"] {
            assert_eq!(next(), Line::Text(line.to_string()));
        }
        assert_eq!(next(), Line::End);
        assert_eq!(next(), Line::End);
    }
}
