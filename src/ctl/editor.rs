//! Command lines with editing, history and completion (CTL-154, CTL-155), where stdin and stdout are a terminal.
//!
//! The history file is a line per command, as readline writes it, so that it can be shared with other programs: each
//! command is added to its end, and what is there stays as it is.

use std::cell::Cell;
use std::fs;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustyline::config::Builder;
use rustyline::error::{ReadlineError, Signal};
use rustyline::history::MemHistory;
use rustyline::{Behavior, CompletionType, Context};

use crate::base::limits;
use crate::ctl::completion::Completion;
use crate::ctl::shell::Line;

/// A line editor with its history.
pub struct Editor {
    lines: rustyline::Editor<Helper, MemHistory>,
    history_file: Option<PathBuf>,
}

impl Editor {
    /// Reads the history; a file that can't be read is an empty one (CTL-154). `None`: the terminal can't do it.
    pub fn new(history_file: Option<&str>) -> Option<Editor> {
        if ["dumb", "cons25", "emacs"].iter().any(|poor| std::env::var_os("TERM").is_some_and(|term| term == *poor)) {
            return None;
        }
        let config = Builder::new()
            .behavior(Behavior::Stdio)
            .bracketed_paste(false)
            .completion_type(CompletionType::List)
            .max_history_size(limits::HISTORY_LINES)
            .and_then(|builder| builder.history_ignore_dups(false))
            .ok()?
            .build();
        let history = MemHistory::with_config(&config);
        let mut lines = rustyline::Editor::with_history(config, history).ok()?;
        let history_file = history_file.map(PathBuf::from);
        let past = history_file.as_ref().and_then(|path| fs::read(path).ok()).unwrap_or_default();
        for line in String::from_utf8_lossy(&past).lines() {
            let _ = lines.add_history_entry(line);
        }
        lines.set_helper(Some(Helper(Cell::new(None))));
        Some(Editor { lines, history_file })
    }

    /// Asks for a command line; `completion` serves it and no other. The history gets it at once (errors are ignored,
    /// CTL-154), so that it is there also if the terminal goes away.
    pub fn command(&mut self, prompt: &str, completion: Completion) -> Line {
        let line = self.line(prompt, Some(completion));
        if let Line::Text(text) = &line
            && !text.trim().is_empty()
        {
            let _ = self.lines.add_history_entry(text.as_str());
            if let Some(path) = &self.history_file {
                let _ = append(path, text);
            }
        }
        line
    }

    /// Asks for something that is no command: without completion, and the history doesn't get it. What was typed
    /// ahead is in the editor's hands, so only the editor can ask.
    pub fn ask(&mut self, question: &str) -> Line {
        self.line(question, None)
    }

    fn line(&mut self, prompt: &str, completion: Option<Completion>) -> Line {
        if let Some(helper) = self.lines.helper_mut() {
            helper.0.set(completion);
        }
        loop {
            return match self.lines.readline(prompt) {
                Ok(line) => Line::Text(line),
                // The window's size changed at an awkward moment.
                Err(ReadlineError::Signal(Signal::Resize)) => continue,
                Err(ReadlineError::Interrupted | ReadlineError::Signal(_)) => Line::Interrupted,
                Err(_) => Line::End,
            };
        }
    }
}

/// Adds a line to a file, which is made if need be, readable for its owner only. An unfinished last line is finished
/// first.
fn append(path: &Path, line: &str) -> io::Result<()> {
    let mut file = fs::OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)?;
    let mut last = [b'\n'];
    if file.seek(SeekFrom::End(-1)).is_ok() {
        file.read_exact(&mut last)?;
    }
    let begin = if last == [b'\n'] { "" } else { "\n" };
    file.write_all(format!("{begin}{line}\n").as_bytes())
}

/// What completes the line that is being edited. The editor lends itself out only as shared, hence the cell.
struct Helper(Cell<Option<Completion>>);

impl rustyline::completion::Completer for Helper {
    type Candidate = String;

    fn complete(&self, line: &str, at: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<String>)> {
        let mut completion = self.0.take();
        let found = completion.as_mut().map(|completion| completion.complete(line.get(..at).unwrap_or(line)));
        self.0.set(completion);
        Ok(found.unwrap_or_default())
    }
}

impl rustyline::hint::Hinter for Helper {
    type Hint = String;
}
impl rustyline::highlight::Highlighter for Helper {}
impl rustyline::validate::Validator for Helper {}
impl rustyline::Helper for Helper {}
