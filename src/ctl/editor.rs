//! Command lines with editing, history and completion (CTL-154, CTL-155), where stdin and stdout are a terminal.
//!
//! The history file is a line per command, as readline writes it, so that it can be shared with other programs.

use std::cell::Cell;
use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use rustyline::config::Builder;
use rustyline::error::ReadlineError;
use rustyline::history::{History, MemHistory, SearchDirection};
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

    /// Asks for a line; `completion` serves it and no other.
    pub fn line(&mut self, prompt: &str, completion: Completion) -> Line {
        if let Some(helper) = self.lines.helper_mut() {
            helper.0.set(Some(completion));
        }
        match self.lines.readline(prompt) {
            Ok(line) => {
                if !line.trim().is_empty() {
                    let _ = self.lines.add_history_entry(line.as_str());
                }
                Line::Text(line)
            }
            Err(ReadlineError::Interrupted | ReadlineError::Signal(_)) => Line::Interrupted,
            Err(_) => Line::End,
        }
    }

    /// Writes the history, readable for its owner only. Errors are ignored (CTL-154).
    pub fn save(&self) {
        let Some(path) = &self.history_file else { return };
        let history = self.lines.history();
        let lines = (0..history.len()).filter_map(|at| history.get(at, SearchDirection::Forward).ok().flatten());
        let text: String = lines.map(|line| format!("{}\n", line.entry)).collect();
        let mut options = fs::OpenOptions::new();
        let _ = options
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(path)
            .and_then(|mut file| file.write_all(text.as_bytes()));
    }
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
