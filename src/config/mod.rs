//! Configuration: text and command line in, a checked [`spec::Config`] or a list of all mistakes out.
//!
//! The way: [`options`] reads the command line, [`locate`] settles on a file, [`ini`] reads it and what it includes,
//! `reader` takes each key by its row ([`table`]), `build` and `servers` make the plain data of [`spec`]. Nothing here
//! touches the machine: what must be known of it is asked through [`Surroundings`].

pub mod build;
pub mod check;
pub mod ctl;
pub mod daemon_keys;
pub mod diff;
pub mod effective;
pub mod environment;
pub mod error;
pub mod expand;
pub mod glob;
pub mod ini;
pub mod json;
pub mod kinds;
pub mod options;
pub mod other_keys;
pub mod paths;
pub mod program_keys;
pub mod reader;
pub mod reference;
pub mod sample;
pub mod servers;
pub mod spec;
pub mod surroundings;
pub mod table;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::rc::Rc;

use crate::base::limits;
use crate::base::order;
use crate::base::text::nearest;
use crate::base::words::Level;
use daemon_keys::DaemonKeys;
use error::{ConfigError, Report};
use ini::{Ini, is_space};
use options::DaemonOptions;
use other_keys::IncludeKeys;
use reader::{Context, Reader};
use spec::{Config, DaemonSpec};

pub use build::read_program;
pub use check::check;
pub use ctl::ctl_section;
pub use diff::differences;
pub use surroundings::{FileTrouble, Surroundings};

/// The main configuration file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MainFile {
    /// As the user named it: for messages.
    pub shown: String,
    /// Absolute (CFG-009).
    pub path: String,
}

/// The places that are searched without `-c`, for a program called `argv0` (CFG-002).
pub fn search_places(argv0: &str) -> Vec<String> {
    let parent = paths::dirname(paths::dirname(argv0));
    let mut places: Vec<String> =
        ["etc/supervisord.conf", "supervisord.conf"].iter().map(|name| paths::join(parent, name)).collect();
    let others =
        ["supervisord.conf", "etc/supervisord.conf", "/etc/supervisord.conf", "/etc/supervisor/supervisord.conf"];
    places.extend(others.map(String::from));
    places
}

/// The first of the searched places where there is anything (CFG-003).
pub fn find(argv0: &str, around: &dyn Surroundings) -> Option<String> {
    search_places(argv0).into_iter().find(|place| around.exists(place))
}

/// Settles which file is meant, and where relative paths start from, for this start and all reloads (CFG-009).
/// Returns what stderr is to be told (CFG-007). The values of the command line are checked before a file is looked
/// for. Harmless to repeat.
pub fn locate(
    options: &mut DaemonOptions,
    around: &Rc<dyn Surroundings>,
) -> Result<Option<&'static str>, Vec<ConfigError>> {
    let cwd = options.start_directory.get_or_insert_with(|| around.cwd()).clone();
    if options.file.is_some() {
        return Ok(None);
    }
    check_overrides(options, around)?;
    let mut warning = None;
    let shown = match &options.configuration {
        Some(shown) => shown.clone(),
        None => {
            if around.uid() == 0 {
                warning = Some(
                    "Supervisord is running as root and it is searching for its configuration file in default \
                     locations, where others may be able to put one; name the file with -c to be safe.",
                );
            }
            find(&options.argv0, &**around).ok_or_else(|| {
                vec![ConfigError::new(format!(
                    "No config file found at default paths ({}); use the -c option to specify a config file at a \
                     different path",
                    search_places(&options.argv0).join(", ")
                ))]
            })?
        }
    };
    let path = if shown.is_empty() { String::new() } else { paths::absolute(&shown, &cwd) };
    options.file = Some(MainFile { shown, path });
    Ok(warning)
}

/// Reads the values of the command line as if the file said nothing (CFG-175), but for the user, who is looked up once
/// there is a file (CFG-195).
fn check_overrides(options: &DaemonOptions, around: &Rc<dyn Surroundings>) -> Result<(), Vec<ConfigError>> {
    let nowhere = error::Place { file: Rc::from(""), line: 0 };
    let section = ini::Section::new("supervisord", nowhere);
    let (ini, context, mut report) = (Ini::new(), Context::new(Rc::from(""), String::new(), around), Report::default());
    let mut from = Reader::new(&ini, &section, &context, &mut report);
    let overrides: Vec<_> = options.overrides.iter().filter(|over| over.key != "user").cloned().collect();
    from.overrides = &overrides;
    let read = DaemonKeys::read(&mut from);
    read.map(drop).map_err(|error::Reported| report.into_errors())
}

/// Reads the configuration that `options` name. All mistakes are reported, not only the first.
///
/// Call [`locate`] once before the first load; later loads then read the same file whatever the working directory.
pub fn load(options: &DaemonOptions, around: &Rc<dyn Surroundings>) -> Result<Config, Vec<ConfigError>> {
    let mut options = options.clone();
    locate(&mut options, around)?;
    let file = options.file.clone().unwrap_or(MainFile { shown: String::new(), path: String::new() });
    let cwd = options.start_directory.clone().unwrap_or_else(|| around.cwd());
    let mut report = Report::default();
    let Some((mut ini, mut context)) = read_main(&file, around, &mut report) else { return Err(report.into_errors()) };
    include(&mut ini, &context, &mut report);
    let config = match ini.section("supervisord") {
        None => {
            missing_section(&ini, &file.shown, &mut report);
            None
        }
        Some(section) => {
            let mut from = Reader::new(&ini, section, &context, &mut report);
            from.overrides = &options.overrides;
            let keys = DaemonKeys::read(&mut from);
            if let Ok(keys) = &keys {
                // CFG-047: later sections see them.
                context.environment = keys.environment.clone();
                for (name, value) in &keys.environment {
                    context.env.insert(name.clone(), value.clone());
                }
            }
            let interfaces = servers::interfaces(&ini, &context, &mut report);
            let groups = build::Builder { ini: &ini, context: &context, report: &mut report }.groups();
            let servers = servers::servers(&ini, &context, &cwd, &mut report);
            if let Ok(keys) = &keys {
                doubtful_identifier(&ini, &keys.identifier, &mut report);
            }
            keys.ok().map(|keys| (keys, interfaces, groups, servers))
        }
    };
    unknown(&ini, &mut report);
    let notices = report.take_notices();
    match config {
        Some((keys, interfaces, groups, servers)) if report.is_fine() => {
            let daemon = daemon(keys, &context, &cwd, servers::server_url(&servers));
            Ok(Config { daemon, servers, interfaces, groups, notices, context: Rc::new(context) })
        }
        _ => Err(report.into_errors()),
    }
}

/// Reads the main file; `None` if there is nothing to read at all.
fn read_main(file: &MainFile, around: &Rc<dyn Surroundings>, report: &mut Report) -> Option<(Ini, Context)> {
    let name: Rc<str> = Rc::from(file.shown.as_str());
    let bytes = match around.read_file(&file.path) {
        Ok(bytes) => bytes,
        Err(trouble) => {
            let what = if trouble == FileTrouble::Missing { "find" } else { "read" };
            report.error(ConfigError::new(format!("could not {what} config file {}", file.shown)));
            return None;
        }
    };
    let mut ini = Ini::new();
    read_text(&mut ini, &bytes, &name, report);
    Some((ini, Context::new(name, paths::dirname(&file.path).to_string(), around)))
}

/// Reads one file's bytes into what is there.
fn read_text(ini: &mut Ini, bytes: &[u8], name: &Rc<str>, report: &mut Report) {
    let mut fail = |text: String, line: u32, hint: &str| {
        report.error(ConfigError { file: name.to_string(), line, hint: hint.to_string(), ..ConfigError::new(text) });
    };
    if bytes.len() > limits::CONFIG_BYTES {
        return fail(format!("Source '{name}' is larger than {} bytes", limits::CONFIG_BYTES), 0, "");
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            // CFG-011.
            let line = 1 + bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count();
            return fail(format!("Source '{name}' is not UTF-8"), line.try_into().unwrap_or(0), "");
        }
    };
    if let Err(trouble) = ini.read(text, name) {
        let hint = if text.starts_with('\u{feff}') { "the file begins with a byte-order mark" } else { "" };
        fail(trouble.text(name), trouble.line(), hint);
    }
}

/// Reads what `[include]` names (CFG-090 to CFG-097).
fn include(ini: &mut Ini, context: &Context, report: &mut Report) {
    if ini.section("include").is_none() {
        return;
    }
    ini.settle_here(&context.here);
    let Some(section) = ini.section("include") else { return };
    let mut from = Reader::new(ini, section, context, report);
    let Ok(keys) = IncludeKeys::read(&mut from) else { return };
    let Some(files) = keys.files else {
        from.missing("files", ".ini file has [include] section, but no files setting");
        return;
    };
    let at = section.settings.get("files").map_or(&section.at, |setting| &setting.at).clone();
    let at = Some(&at);
    for pattern in files.split(is_space).filter(|pattern| !pattern.is_empty()) {
        let pattern = paths::join(&context.here, pattern);
        let matches = glob::glob(&pattern, &*context.around);
        if matches.is_empty() {
            report.notice(Level::Warn, format!("No file matches via include \"{pattern}\""), at);
        }
        for path in matches {
            report.notice(Level::Info, format!("Included extra file \"{path}\" during parsing"), at);
            match context.around.read_file(&path) {
                Ok(bytes) => {
                    read_text(ini, &bytes, &Rc::from(path.as_str()), report);
                    ini.settle_here(&paths::absolute(paths::dirname(&path), &context.around.cwd()));
                }
                // BUG-074.
                Err(_) => report.notice(Level::Warn, format!("Could not read included file \"{path}\""), at),
            }
        }
    }
}

/// CFG-037.
fn missing_section(ini: &Ini, file: &str, report: &mut Report) {
    let strangers = ini.sections().iter().filter(|section| table::table_of(&section.name).is_none());
    let near = nearest("supervisord", strangers.map(|section| section.name.as_str()));
    let hint = near.and_then(|name| ini.section(name)).map_or(String::new(), |section| {
        format!("line {} has [{}]; did you mean [supervisord]?", section.at.line, section.name)
    });
    let text = ".ini file does not include supervisord section";
    report.error(ConfigError { file: file.to_string(), hint, ..ConfigError::new(text) });
}

/// Listeners take the line before an event apart at its blanks and colons (EVT-140).
fn doubtful_identifier(ini: &Ini, identifier: &str, report: &mut Report) {
    let listens = ini.sections().iter().any(|section| section.name.starts_with("eventlistener:"));
    if listens && identifier.contains(|c: char| c == ':' || c.is_whitespace()) {
        let section = ini.section("supervisord");
        let at = section.map(|section| section.settings.get("identifier").map_or(&section.at, |setting| &setting.at));
        let text = format!(
            "identifier={identifier} has a blank or a colon: event listeners will not understand the events they get"
        );
        report.notice(Level::Warn, text, at);
    }
}

/// Warns of sections and keys that nobody reads; Supervisor ignores them without a word (CFG-033).
fn unknown(ini: &Ini, report: &mut Report) {
    let suggest = |found: Option<&str>, open: &str, close: &str| {
        found.map_or(String::new(), |name| format!("; did you mean {open}{name}{close}?"))
    };
    for section in ini.sections() {
        let Some(table) = table::table_of(&section.name) else {
            let (start, rest) = section.name.split_once(':').unwrap_or((&section.name, ""));
            let starts = table::TABLES.iter().map(|table| table.name.start().trim_end_matches(':'));
            let near = nearest(start.trim_matches(is_space), starts).map(|start| match rest {
                "" => start.to_string(),
                rest => format!("{start}:{rest}"),
            });
            let hint = suggest(near.as_deref(), "[", "]");
            let at = &section.at;
            let text = format!("{}:{}: unknown section [{}] is ignored{hint}", at.file, at.line, section.name);
            report.notice(Level::Warn, text, Some(at));
            continue;
        };
        if table.open {
            continue;
        }
        let mut strangers: Vec<_> =
            section.settings.iter().filter(|(key, _)| table.all_rows().all(|row| row.key != *key)).collect();
        order::sort_by(&mut strangers, |one, other| one.1.at.cmp(&other.1.at));
        for (key, setting) in strangers {
            let hint = suggest(nearest(key, table.all_rows().map(|row| row.key)), "'", "'");
            let at = &setting.at;
            let text =
                format!("{}:{}: unknown key '{key}' in section [{}] is ignored{hint}", at.file, at.line, section.name);
            report.notice(Level::Warn, text, Some(at));
        }
    }
}

/// `[supervisord]` with paths made absolute.
fn daemon(keys: DaemonKeys, context: &Context, cwd: &str, serverurl: Option<String>) -> DaemonSpec {
    let around = &*context.around;
    let absolute = |path: &str| PathBuf::from(paths::absolute(&paths::expand_user(path, around), cwd));
    let count = |number: i64| number.max(0).unsigned_abs();
    DaemonSpec {
        logfile: (keys.logfile != "syslog").then(|| absolute(&keys.logfile)),
        logfile_maxbytes: keys.logfile_maxbytes,
        logfile_backups: keys.logfile_backups,
        loglevel: keys.loglevel,
        pidfile: absolute(&keys.pidfile),
        umask: keys.umask,
        nodaemon: keys.nodaemon,
        silent: keys.silent,
        minfds: count(keys.minfds),
        minprocs: count(keys.minprocs),
        nocleanup: keys.nocleanup,
        childlogdir: keys.childlogdir.map_or_else(|| temporary_directory(context, cwd), PathBuf::from),
        user: keys.user,
        directory: keys.directory.map(PathBuf::from),
        strip_ansi: keys.strip_ansi,
        environment: keys.environment,
        identifier: keys.identifier,
        here: PathBuf::from(&context.here),
        file: context.file.to_string(),
        serverurl,
        multicall_arrays: keys.multicall_results,
        subreaper: keys.subreaper,
        parent_death_signal: keys.parent_death_signal,
        cpu_affinity: keys.cpu_affinity,
    }
}

/// The system's directory for temporary files (CFG-111).
fn temporary_directory(context: &Context, cwd: &str) -> PathBuf {
    // Our own environment decides, not what `[supervisord] environment` put over it.
    let own = context.around.env();
    let named = ["TMPDIR", "TEMP", "TMP"].iter().filter_map(|name| own.iter().find(|(other, _)| other == name));
    let named = named.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty());
    let places = named.chain(["/tmp", "/var/tmp", "/usr/tmp"]).map(|place| paths::absolute(place, cwd));
    PathBuf::from(places.into_iter().find(|place| context.around.is_dir(place)).unwrap_or_else(|| cwd.to_string()))
}
