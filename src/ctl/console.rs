//! Standard input, output and error: the real [`Screen`].
//!
//! Lines come from an [`Editor`] where there is a terminal that it can work with, else plainly, as they are.

use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use crate::ctl::completion::Completion;
use crate::ctl::editor::Editor;
use crate::ctl::shell::{Heard, Line, Screen};
use crate::sys::terminal::{self, Woken};

/// When stdout gets colours.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Colours {
    /// At a terminal that has them, unless `NO_COLOR` is set and not empty (<https://no-color.org>).
    Auto,
    /// Wherever it goes.
    Always,
    /// Not at all.
    Never,
}

/// Standard input, output and error.
pub struct Console {
    /// A second descriptor of standard input, unbuffered, so that waiting for it sees every byte. `None`: it is
    /// closed.
    input: Option<File>,
    /// Bytes read behind the last line that was handed out.
    typed: Vec<u8>,
    ended: bool,
    editor: Option<Editor>,
    /// The editor has moved to a new line already, which whoever speaks next does not know.
    line_is_fresh: bool,
    colours: bool,
}

impl Console {
    /// Takes standard input over: nobody else may read it.
    pub fn new() -> Console {
        let input = io::stdin().as_fd().try_clone_to_owned().ok().map(File::from);
        let ended = input.is_none();
        Console { input, typed: Vec::new(), ended, editor: None, line_is_fresh: false, colours: false }
    }

    /// Chooses about colours.
    pub fn set_colours(&mut self, wanted: Colours) {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        self.colours = match wanted {
            Colours::Always => true,
            Colours::Never => false,
            Colours::Auto => {
                let has_them = set("TERM").is_some_and(|term| term != "dumb");
                has_them && set("NO_COLOR").is_none() && io::stdout().is_terminal()
            }
        };
    }

    /// From here on command lines can be edited, if stdin and stdout are a terminal. The history is read from
    /// `history_file`, if one is named.
    pub fn edit_lines(&mut self, history_file: Option<&str>) {
        if io::stdin().is_terminal() && io::stdout().is_terminal() {
            self.editor = Editor::new(history_file);
        }
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

impl Console {
    /// Asks with the editor, if there is one. What we have read ourselves already comes first.
    ///
    /// What is typed ahead of the editor's questions, the editor has, and gives only as answers to it: a password and
    /// the lines of `fg` are read without it, and must be typed when they are asked for.
    fn edit(&mut self, prompt: &str, ask: impl FnOnce(&mut Editor) -> Line) -> Line {
        match (&mut self.editor, self.typed.is_empty()) {
            (Some(editor), true) => {
                let line = ask(editor);
                self.line_is_fresh = !matches!(line, Line::Text(_));
                line
            }
            _ => self.prompt(prompt),
        }
    }
}

impl Screen for Console {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if std::mem::take(&mut self.line_is_fresh) && bytes == b"\n" {
            return Ok(());
        }
        let mut out = io::stdout().lock();
        out.write_all(bytes)?;
        out.flush()
    }

    fn complain(&mut self, line: &str) {
        // Nobody is left to tell if this fails.
        let _ = writeln!(io::stderr(), "{line}");
    }

    fn hint(&mut self, line: &str) {
        if self.shows_hints() {
            self.complain(line);
        }
    }

    fn shows_hints(&self) -> bool {
        io::stderr().is_terminal()
    }

    fn has_colours(&self) -> bool {
        self.colours
    }

    fn command(&mut self, prompt: &str, completion: Completion) -> Line {
        self.edit(prompt, |editor| editor.command(prompt, completion))
    }

    fn ask(&mut self, question: &str) -> Line {
        self.edit(question, |editor| editor.ask(question))
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

    fn end_interrupted_line(&mut self) {
        if io::stdin().is_terminal() && io::stdout().is_terminal() {
            let _ = self.write(b"\n");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_out_whole() {
        let mut console = Console::new();
        (console.input, console.typed) = (None, b"one\ntwo\r\n\nlast".to_vec());
        let mut next = || console.line();
        for line in ["one", "two\r", "", "last"] {
            assert_eq!(next(), Line::Text(line.to_string()));
        }
        assert_eq!(next(), Line::End);
        assert_eq!(next(), Line::End);
    }

    #[test]
    fn colours_can_be_forced() {
        let mut console = Console::new();
        for (wanted, has) in [(Colours::Always, true), (Colours::Never, false)] {
            console.set_colours(wanted);
            assert_eq!(console.has_colours(), has);
        }
    }
}
