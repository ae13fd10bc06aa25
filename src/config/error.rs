//! What can be wrong with a configuration, and where: one value per mistake, all of them collected.
//!
//! The text is Supervisor's own, so that whoever searches for it finds it; place and hint follow it.

use std::fmt;
use std::rc::Rc;

use crate::base::maps::ByName;
use crate::base::order;
use crate::base::words::Level;

/// A line of a file.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Place {
    /// As in messages: as the user named it.
    pub file: Rc<str>,
    /// From 1; 0 is the file as a whole.
    pub line: u32,
}

/// What is told of a mistake in `environment` where the text itself is not.
const HIDDEN: &str = "can't read the value, which is not shown as it may hold secrets; `supervisord --check` shows it";

/// One mistake in a configuration or on a command line.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ConfigError {
    /// Supervisor's message.
    pub text: String,
    /// The file, as named by the user; empty for the command line.
    pub file: String,
    /// From 1; 0 if no line is to blame.
    pub line: u32,
    /// The section, if the mistake is in one.
    pub section: String,
    /// The key, if one is to blame.
    pub key: String,
    /// What may have been meant.
    pub hint: String,
}

impl ConfigError {
    /// The same for ears other than the operator's own terminal: what stands in `environment` may be secret, and its
    /// mistakes quote it.
    pub fn discreet(self) -> ConfigError {
        match &*self.key {
            "environment" => ConfigError { text: HIDDEN.to_string(), ..self },
            _ => self,
        }
    }

    /// A mistake without a place.
    pub fn new(text: impl Into<String>) -> ConfigError {
        ConfigError { text: text.into(), ..ConfigError::default() }
    }
}

impl fmt::Display for ConfigError {
    /// `<text> (file: 'f', line 3, section [s], key k; <hint>)`. What the text says already at its end (CFG-121) is
    /// not said twice.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        let mut parts = Vec::new();
        let said = self.text.ends_with(&suffix(&self.section, &self.file));
        if !self.file.is_empty() && !said {
            parts.push(format!("file: '{}'", self.file));
        }
        if self.line > 0 {
            parts.push(format!("line {}", self.line));
        }
        if !self.section.is_empty() && !said {
            parts.push(format!("section [{}]", self.section));
        }
        if !self.key.is_empty() {
            parts.push(format!("key {}", self.key));
        }
        let mut place = parts.join(", ");
        if !self.hint.is_empty() {
            place += if place.is_empty() { "" } else { "; " };
            place += &self.hint;
        }
        if place.is_empty() { Ok(()) } else { write!(f, " ({place})") }
    }
}

/// What Supervisor adds to errors of programs (CFG-121).
pub fn suffix(section: &str, file: &str) -> String {
    format!(" in section {} (file: {})", crate::base::text::repr(section), crate::base::text::repr(file))
}

/// Something that is no mistake but is to be told: logged once the main log is open (CFG-184).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Notice {
    /// How severe.
    pub level: Level,
    /// The line of the log.
    pub text: String,
    /// What it is about, if that is a line of a file.
    pub at: Option<Place>,
}

/// Said already; what remains is to stop.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reported;

/// Collects mistakes and notices.
#[derive(Debug, Default)]
pub struct Report {
    errors: Vec<ConfigError>,
    /// Where or how it was said: file, line, key and, if these do not tell it from others, the words.
    seen: ByName<()>,
    notices: Vec<Notice>,
}

impl Report {
    /// Notes a mistake, unless one of the same key in the same line, or of the same words, is known.
    pub fn error(&mut self, error: ConfigError) -> Reported {
        let words = if error.line == 0 || error.key.is_empty() { &error.text } else { "" };
        let what = [&error.file, &*error.line.to_string(), &error.key, words].join("\0");
        if self.seen.insert(what, ()).is_none() {
            self.errors.push(error);
        }
        Reported
    }

    /// Notes something to log once the main log is open (CFG-184).
    pub fn notice(&mut self, level: Level, text: impl Into<String>, at: Option<&Place>) {
        self.notices.push(Notice { level, text: text.into(), at: at.cloned() });
    }

    /// Whether nothing is wrong so far.
    pub fn is_fine(&self) -> bool {
        self.errors.is_empty()
    }

    /// The mistakes, those of the command line first, as it is read first; else in the order found.
    pub fn into_errors(mut self) -> Vec<ConfigError> {
        order::sort_by(&mut self.errors, |one, other| other.file.is_empty().cmp(&one.file.is_empty()));
        self.errors
    }

    /// The notices: critical, then warnings, then the rest (CFG-184).
    pub fn take_notices(&mut self) -> Vec<Notice> {
        let mut notices = std::mem::take(&mut self.notices);
        order::sort_by(&mut notices, |one, other| other.level.cmp(&one.level));
        notices
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cfg_121_the_place_is_said_once() {
        let mut error = ConfigError {
            text: "bad".into(),
            file: "c.conf".into(),
            line: 3,
            section: "program:x".into(),
            key: "user".into(),
            hint: String::new(),
        };
        assert_eq!(error.to_string(), "bad (file: 'c.conf', line 3, section [program:x], key user)");
        error.text += &suffix("program:x", "c.conf");
        error.hint = "did you mean 'y'?".into();
        assert_eq!(
            error.to_string(),
            "bad in section 'program:x' (file: 'c.conf') (line 3, key user; did you mean 'y'?)"
        );
        assert_eq!(ConfigError::new("x").to_string(), "x");
    }

    #[test]
    fn cfg_184_notices_are_ordered_and_errors_said_once() {
        let mut report = Report::default();
        report.notice(Level::Info, "i", None);
        report.notice(Level::Warn, "w1", None);
        report.notice(Level::Critical, "c", None);
        report.notice(Level::Warn, "w2", None);
        let texts: Vec<String> = report.take_notices().into_iter().map(|notice| notice.text).collect();
        assert_eq!(texts, ["c", "w1", "w2", "i"]);
        let error = ConfigError { file: "f".into(), line: 1, key: "k".into(), ..ConfigError::new("once") };
        report.error(error.clone());
        report.error(ConfigError { text: "again, in other words".into(), ..error });
        report.error(ConfigError::new("of the command line"));
        assert!(!report.is_fine());
        let texts: Vec<String> = report.into_errors().into_iter().map(|error| error.text).collect();
        assert_eq!(texts, ["of the command line", "once"]);
    }
}
