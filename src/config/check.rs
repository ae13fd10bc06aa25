//! `supervisord --check`: what is wrong with a configuration, and what it comes to, without starting anything.
//!
//! Writes no file; the caller prints.

use std::rc::Rc;

use crate::base::words::Level;
use crate::config::error::{ConfigError, Notice};
use crate::config::options::DaemonOptions;
use crate::config::spec::Config;
use crate::config::{Surroundings, json, load, locate};

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

/// Checks what `options` name. If the configuration is fine, `obstacles` says what a start would run into: warnings
/// and mistakes without a place, by severity.
pub fn check(
    options: &DaemonOptions,
    around: &Rc<dyn Surroundings>,
    obstacles: impl FnOnce(&Config) -> Vec<Notice>,
) -> Checked {
    let mut options = options.clone();
    let mut lines = Vec::new();
    let loaded = locate(&mut options, around).and_then(|warning| {
        lines.extend(warning.map(|text| format!("warning: {text}")));
        load(&options, around)
    });
    let mut out = String::new();
    let fine = match loaded {
        Ok(config) => {
            let obstacles = obstacles(&config);
            let told = config.notices.iter().filter(|notice| notice.level > Level::Info);
            lines.extend(told.chain(&obstacles).map(notice_line));
            let fine = obstacles.iter().all(|notice| notice.level < Level::Error);
            if fine && options.json {
                out = json::effective(&config, options.secrets());
            }
            fine
        }
        Err(errors) => {
            lines.extend(errors.iter().map(line));
            false
        }
    };
    Checked { out, err: lines.iter().map(|line| format!("{line}\n")).collect(), status: if fine { 0 } else { 2 } }
}

/// `file:line: warning: text`. A critical notice of the configuration is a warning here: the daemon starts.
fn notice_line(notice: &Notice) -> String {
    let word = if notice.level == Level::Error { "error" } else { "warning" };
    match &notice.at {
        None => format!("{word}: {}", notice.text),
        Some(at) => {
            let place = format!("{}:{}: ", at.file, at.line);
            format!("{place}{word}: {}", notice.text.strip_prefix(&place).unwrap_or(&notice.text))
        }
    }
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
        check(&options, &around, |_| Vec::new())
    }

    #[test]
    fn a_check_prints_mistakes_and_warnings_with_their_place() {
        let fine = checked("[supervisord]\n", false);
        assert_eq!(fine, Checked { out: String::new(), err: String::new(), status: 0 });
        let warned = checked("[supervisord]\n[x]\n", false);
        assert_eq!(
            (warned.err.as_str(), warned.status),
            ("/etc/c.conf:2: warning: unknown section [x] is ignored\n", 0)
        );
        let wrong = checked("[supervisord]\nminfds=x\numask=9\n", true);
        assert_eq!((wrong.out.as_str(), wrong.status), ("", 2));
        assert_eq!(wrong.err.lines().count(), 2);
        assert!(wrong.err.starts_with("/etc/c.conf:2: error: invalid literal for int() with base 10: 'x' (file:"));
        let again = checked("[supervisord]\n[program:x]\ncommand=a\nredirect_stderr=1\nstderr_logfile=/tmp/x\n", false);
        assert!(
            again.err.starts_with("/etc/c.conf:5: warning: For [program:x], redirect_stderr=true"),
            "{}",
            again.err
        );
        assert!(checked("[supervisord]\nidentifier=me\n", true).out.contains("\"identifier\": \"me\""));
    }

    #[test]
    fn secrets_are_shown_to_who_asks_for_them() {
        let config = "[supervisord]\nenvironment=A=one\n[inet_http_server]\nport=1\nusername=joe\npassword=two\n\
            viewer_username=ann\nviewer_password=three\n[program:p]\ncommand=x\nenvironment=B=four\n";
        let shown = |show_secrets: bool| {
            let options = DaemonOptions {
                configuration: Some("/etc/c.conf".into()),
                json: true,
                show_secrets,
                ..DaemonOptions::default()
            };
            let around: Rc<dyn Surroundings> = Rc::new(machine(config));
            check(&options, &around, |_| Vec::new()).out
        };
        let (hidden, all) = (shown(false), shown(true));
        for (key, secret) in [("A", "one"), ("password", "two"), ("viewer_password", "three"), ("B", "four")] {
            assert!(all.contains(&format!("\"{key}\": \"{secret}\"")), "{all}");
            assert!(hidden.contains(&format!("\"{key}\": \"***\"")) && !hidden.contains(secret), "{hidden}");
        }
        // Where there is none, that is told.
        assert!(checked("[supervisord]\n[inet_http_server]\nport=1\n", true).out.contains("\"password\": null"));
    }
}
