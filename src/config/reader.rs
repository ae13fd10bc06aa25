//! Reads the keys of one section by the rows of a table: finds the text, expands it, hands it to its reader, and
//! reports what is wrong with its place.

use std::rc::Rc;

use crate::base::maps::ByName;
use crate::base::text::nearest;
use crate::base::words::Level;
use crate::config::error::{ConfigError, Place, Report, Reported, suffix};
use crate::config::expand::{Lookup, Value, expand};
use crate::config::ini::{Ini, Section};
use crate::config::kinds::Kind;
use crate::config::surroundings::Surroundings;
use crate::config::table::{Row, Scope, table_of};

/// What all values of a configuration may refer to, and whom to ask.
#[derive(Clone, Debug)]
pub struct Context {
    /// Directory of the main file, absolute.
    pub here: String,
    /// The main file as the user named it.
    pub file: Rc<str>,
    /// `host_node_name`.
    pub host_name: String,
    /// `ENV_…`: our own environment, and over it `[supervisord] environment` once that is read (CFG-046, CFG-047).
    pub env: ByName<String>,
    /// `[supervisord] environment`.
    pub environment: Vec<(String, String)>,
    /// The machine.
    pub around: Rc<dyn Surroundings>,
}

impl Context {
    /// The names of a file in the directory `here`, before anything is read from it.
    pub fn new(file: Rc<str>, here: String, around: &Rc<dyn Surroundings>) -> Context {
        let env = around.env().into_iter().collect();
        let around = around.clone();
        Context { here, file, host_name: around.host_name(), env, environment: Vec::new(), around }
    }
}

/// The names that values of one section, or of one process, may use.
#[derive(Clone, Debug)]
pub struct Names<'a> {
    /// What is the same everywhere.
    pub context: &'a Context,
    /// Program and group.
    pub program: Option<(&'a str, &'a str)>,
    /// `process_num` and `numprocs`.
    pub process: Option<(i64, i64)>,
    /// The program's own `environment`.
    pub own: &'a [(String, String)],
}

impl<'a> Names<'a> {
    /// The names outside of programs.
    pub fn common(context: &'a Context) -> Names<'a> {
        Names { context, program: None, process: None, own: &[] }
    }
}

/// Names, as far as a scope lets them be seen.
pub struct Scoped<'a> {
    /// All of them.
    pub names: &'a Names<'a>,
    /// Which.
    pub scope: Scope,
}

impl Lookup for Scoped<'_> {
    fn value(&self, name: &str) -> Option<Value<'_>> {
        let Names { context, program, process, own } = self.names;
        if let Some(variable) = name.strip_prefix("ENV_") {
            let own = own.iter().rev().find(|(name, _)| self.scope.process && name == variable).map(|(_, value)| value);
            return own.or_else(|| context.env.get(variable)).map(|value| Value::Text(value));
        }
        match name {
            "here" if self.scope.here => Some(Value::Text(&context.here)),
            "host_node_name" if self.scope.host => Some(Value::Text(&context.host_name)),
            "program_name" if self.scope.program => program.map(|(program, _)| Value::Text(program)),
            "group_name" if self.scope.group => program.map(|(_, group)| Value::Text(group)),
            "process_num" if self.scope.process => process.map(|(number, _)| Value::Number(number)),
            "numprocs" if self.scope.process => process.map(|(_, count)| Value::Number(count)),
            _ => None,
        }
    }

    fn names(&self) -> Vec<String> {
        let fixed = ["here", "host_node_name", "program_name", "group_name", "process_num", "numprocs"];
        let fixed = fixed.into_iter().filter(|name| self.value(name).is_some()).map(String::from);
        let own = self.names.own.iter().filter(|_| self.scope.process).map(|(name, _)| name);
        fixed.chain(own.chain(self.names.context.env.names()).map(|name| format!("ENV_{name}"))).collect()
    }
}

/// A value from the command line that stands over a key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Override {
    /// The key.
    pub key: &'static str,
    /// The option as Supervisor shows it, `-l` or `--logfile`.
    pub option: String,
    /// Its value.
    pub value: String,
}

/// Takes a text for a value; the error is what is wrong with it.
type Take<'a> = &'a mut dyn FnMut(&str, &dyn Surroundings) -> Result<(), String>;

/// Reads one section.
pub struct Reader<'a> {
    /// All sections, for `[DEFAULT]`.
    pub ini: &'a Ini,
    /// This one.
    pub section: &'a Section,
    /// What its values may refer to.
    pub names: Names<'a>,
    /// Where mistakes go.
    pub report: &'a mut Report,
    /// Whether messages end as CFG-121 says.
    pub suffixed: bool,
    /// The command line's word.
    pub overrides: &'a [Override],
}

impl<'a> Reader<'a> {
    /// For a section outside of programs.
    pub fn new(ini: &'a Ini, section: &'a Section, context: &'a Context, report: &'a mut Report) -> Reader<'a> {
        Reader { ini, section, names: Names::common(context), report, suffixed: false, overrides: &[] }
    }

    /// The key of the next row: `None` if it is absent and has no default.
    pub fn next<T>(&mut self, rows: &mut std::slice::Iter<'static, Row>, kind: Kind<T>) -> Result<Option<T>, Reported> {
        let mut value = None;
        let read = self.read(rows, &mut |text, around| kind(text, around).map(|read| value = Some(read)));
        read.map(|()| value)
    }

    /// What [`Reader::next`] does, whatever the type: only `take` knows that.
    fn read(&mut self, rows: &mut std::slice::Iter<'static, Row>, take: Take<'_>) -> Result<(), Reported> {
        let row = rows.next().ok_or(Reported)?;
        let read = self.read_written(row, take);
        // A value in the file is checked even where the command line has its own.
        match self.overrides.iter().find(|over| over.key == row.key) {
            Some(over) => self.read_override(over, take),
            None => read,
        }
    }

    fn read_written(&mut self, row: &Row, take: Take<'_>) -> Result<(), Reported> {
        let written = self.ini.get(self.section, row.key).map(|setting| setting.value.as_str());
        let Some(text) = written.or(row.default) else { return Ok(()) };
        let text = if row.scope.raw {
            text.to_string()
        } else {
            let label = format!("{}.{}", self.section.name, row.key);
            self.expand(text, row.key, &label, row.scope)?
        };
        // upstream: CFG-053: log files are expanded twice; what can't be expanded again stays (BUG-065).
        let again = row.scope.twice.then(|| expand(&text, row.key, &Scoped { names: &self.names, scope: row.scope }));
        let text = again.and_then(Result::ok).unwrap_or(text);
        take(&text, &*self.names.context.around).map_err(|wrong| self.fail(row.key, wrong))
    }

    fn read_override(&mut self, over: &Override, take: Take<'_>) -> Result<(), Reported> {
        take(&over.value, &*self.names.context.around).map_err(|wrong| {
            // upstream: CFG-195: the user is looked up after the options were read, hence without the preamble.
            let text = match over.key {
                "user" => wrong,
                _ => format!("invalid value for {} {}: {wrong}", over.option, crate::base::text::repr(&over.value)),
            };
            self.report.error(ConfigError::new(text))
        })
    }

    /// Expands a text of a key, named `label` in messages (CFG-045).
    pub fn expand(&mut self, text: &str, key: &str, label: &str, scope: Scope) -> Result<String, Reported> {
        expand(text, label, &Scoped { names: &self.names, scope }).map_err(|wrong| self.fail(key, wrong))
    }

    /// Warns about a key, or about the section if the key is absent.
    pub fn notice(&mut self, key: &str, text: String) {
        let at = self.ini.get(self.section, key).map_or(&self.section.at, |setting| &setting.at);
        self.report.notice(Level::Warn, text, Some(at));
    }

    /// Reports a mistake of a key, or of the section if `key` is empty.
    pub fn fail(&mut self, key: &str, text: impl Into<String>) -> Reported {
        self.fail_at(key, text.into(), String::new())
    }

    /// The same, with a hint.
    pub fn fail_with(&mut self, key: &str, text: impl Into<String>, hint: String) -> Reported {
        self.fail_at(key, text.into(), hint)
    }

    fn fail_at(&mut self, key: &str, mut text: String, hint: String) -> Reported {
        if self.suffixed {
            // CFG-097: the file that the section began in, not that of the key.
            text += &suffix(&self.section.name, &self.section.at.file);
        }
        let setting = self.ini.get(self.section, key);
        let Place { file, line } = setting.map_or(&self.section.at, |setting| &setting.at).clone();
        let section = self.section.name.clone();
        self.report.error(ConfigError { text, file: file.to_string(), line, section, key: key.to_string(), hint })
    }

    /// Reports that a key is missing; if something like it is there, says where.
    pub fn missing(&mut self, key: &str, text: impl Into<String>) -> Reported {
        let hint = misspelt(self.section, key).unwrap_or_default();
        self.fail_with(key, text, hint)
    }
}

/// A key of the section that nobody reads and that looks like `key`.
fn misspelt(section: &Section, key: &str) -> Option<String> {
    let table = table_of(&section.name)?;
    let is_known = |other: &str| table.all_rows().any(|row| row.key == other);
    let strangers = section.settings.names().map(String::as_str).filter(|other| !is_known(other));
    let found = nearest(key, strangers)?;
    let line = section.settings.get(found)?.at.line;
    Some(format!("line {line} has '{found}'; did you mean '{key}'?"))
}
