//! The interactive loop, and what it wants of a terminal.
//!
//! The dialogue sees the user only through [`Screen`]: `console` is the real one, and tests script a user.

use std::io;
use std::os::fd::BorrowedFd;
use std::time::Duration;

use crate::ctl::completion::Completion;
use crate::ctl::dialogue::Dialogue;
use crate::ctl::trouble::Trouble;

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
    /// Prints a line on stderr for a human: only where one is looking, so that no script ever sees it.
    fn hint(&mut self, line: &str);
    /// Whether [`Screen::hint`] reaches anybody; what only serves a hint need not be asked for otherwise.
    fn shows_hints(&self) -> bool;
    /// Whether stdout is to have colours.
    fn has_colours(&self) -> bool;
    /// Asks for a command line, with editing, history and completion where the terminal can do it (CTL-154, CTL-155).
    fn command(&mut self, prompt: &str, completion: Completion) -> Line;
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
    /// Ends the line that the terminal has shown `^C` on, if it is one.
    fn end_interrupted_line(&mut self);
}

/// Runs a shell until the user leaves (CTL-150, CTL-151). A command that fails doesn't end it (CTL-156).
pub fn run(dialogue: &mut Dialogue<'_>, prompt: &str) -> Result<(), Trouble> {
    dialogue.set_interactive();
    dialogue.screen.catch_interrupts();
    dialogue.command("status")?;
    let prompt = format!("{prompt}> ");
    while !dialogue.is_leaving() {
        match dialogue.ask_for_command(&prompt) {
            Line::Text(line) => dialogue.command(&line)?,
            Line::End => dialogue.command("EOF")?,
            Line::Interrupted => return Err(Trouble::Interrupted),
        }
    }
    Ok(())
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
}
