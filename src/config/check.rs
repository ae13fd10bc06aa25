//! `supervisord --check`: what is wrong with a configuration, and what it comes to, without starting anything.
//!
//! Writes no file; the caller prints.

use std::rc::Rc;

use crate::base::words::Level;
use crate::config::error::ConfigError;
use crate::config::options::DaemonOptions;
use crate::config::{Surroundings, json, load};

/// The outcome of a check.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checked {
    /// For standard output: empty, or the effective configuration as JSON if that was asked for.
    pub out: String,
    /// For standard error: one line per mistake and warning.
    pub err: String,
    /// Exit status: 0, or 2 if there is a mistake.
    pub status: u8,
}

/// Checks what `options` name.
pub fn check(options: &DaemonOptions, around: &Rc<dyn Surroundings>) -> Checked {
    let (out, lines, status) = match load(options, around) {
        Ok(config) => {
            let warnings = config.notices.iter().filter(|(level, _)| *level > Level::Info);
            let lines: Vec<String> = warnings.map(|(_, text)| format!("warning: {text}")).collect();
            let out = if options.json { json::effective(&config) } else { String::new() };
            (out, lines, 0)
        }
        Err(errors) => (String::new(), errors.iter().map(line).collect(), 2),
    };
    Checked { out, err: lines.iter().map(|line| format!("{line}\n")).collect(), status }
}

/// `file:line: error: text`, as compilers write it.
fn line(error: &ConfigError) -> String {
    let place = match (error.file.as_str(), error.line) {
        ("", _) => String::new(),
        (file, 0) => format!("{file}: "),
        (file, line) => format!("{file}:{line}: "),
    };
    format!("{place}error: {error}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::machine;

    fn checked(config: &str, json: bool) -> Checked {
        let options = DaemonOptions { configuration: Some("/etc/c.conf".into()), json, ..DaemonOptions::default() };
        let around: Rc<dyn Surroundings> = Rc::new(machine(config));
        check(&options, &around)
    }

    #[test]
    fn a_check_prints_mistakes_and_warnings_with_their_place() {
        let fine = checked("[supervisord]\n", false);
        assert_eq!(fine, Checked { out: String::new(), err: String::new(), status: 0 });
        let warned = checked("[supervisord]\n[x]\n", false);
        assert_eq!(
            (warned.err.as_str(), warned.status),
            ("warning: /etc/c.conf:2: unknown section [x] is ignored\n", 0)
        );
        let wrong = checked("[supervisord]\nminfds=x\numask=9\n", true);
        assert_eq!((wrong.out.as_str(), wrong.status), ("", 2));
        assert_eq!(wrong.err.lines().count(), 2);
        assert!(wrong.err.starts_with("/etc/c.conf:2: error: invalid literal for int() with base 10: 'x' (file:"));
        assert!(checked("[supervisord]\nidentifier=me\n", true).out.contains("\"identifier\": \"me\""));
    }
}
