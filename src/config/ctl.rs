//! What `supervisorctl` reads of a configuration: its own section and its plugins (CTL-003, CTL-004, CTL-010 to
//! CTL-014, CFG-169). Includes are not followed (CFG-098).

use std::rc::Rc;

use crate::config::error::{ConfigError, Report};
use crate::config::other_keys::{CTL_FACTORY as FACTORY, CtlKeys};
use crate::config::reader::Reader;
use crate::config::surroundings::Surroundings;
use crate::config::table::ENV;
use crate::config::{find, paths, read_main};

/// The plugin that is built in.
pub const CACHE: &str = "supervisor_cache.controllerplugin:make_cache_controllerplugin";

/// `[supervisorctl]` and `[ctlplugin:…]`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CtlSpec {
    /// `http://…` or `unix://` with an absolute path.
    pub serverurl: String,
    /// To log in with.
    pub username: Option<String>,
    /// To log in with.
    pub password: Option<String>,
    /// Without the `> ` behind it.
    pub prompt: String,
    /// Absolute.
    pub history_file: Option<String>,
    /// In file order.
    pub plugins: Vec<CtlPlugin>,
    /// Ours: whether help lists the twiddler commands.
    pub twiddler: bool,
    /// What was read, as the user named it; `None` if there is no file.
    pub file: Option<String>,
}

/// A `[ctlplugin:…]`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CtlPlugin {
    /// What stands behind the colon.
    pub name: String,
    /// What it is.
    pub kind: CtlPluginKind,
}

/// Kinds of plugins.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CtlPluginKind {
    /// The commands of the cache.
    Cache,
    /// Python code that can't be loaded.
    Foreign(String),
}

/// Reads for supervisorctl. `path` is what `-c` says, else the places of CFG-002 are searched with `argv0`; nothing
/// found gives the defaults (CTL-003).
pub fn ctl_section(
    path: Option<&str>,
    argv0: &str,
    around: &Rc<dyn Surroundings>,
) -> Result<CtlSpec, Vec<ConfigError>> {
    let defaults = CtlSpec {
        serverurl: "http://localhost:9001".to_string(),
        username: None,
        password: None,
        prompt: "supervisor".to_string(),
        history_file: None,
        plugins: Vec::new(),
        twiddler: false,
        file: None,
    };
    let found = path.map(String::from).or_else(|| find(argv0, &**around));
    let Some(file) = found else { return Ok(defaults) };
    let cwd = around.cwd();
    let mut report = Report::default();
    let place = crate::config::MainFile { shown: file.clone(), path: paths::join(&cwd, &file) };
    let Some((ini, context)) = read_main(&place, around, &mut report) else { return Err(report.into_errors()) };
    let mut spec = CtlSpec { file: Some(file.clone()), ..defaults };
    match ini.section("supervisorctl") {
        None => {
            let text = ".ini file does not include supervisorctl section";
            report.error(ConfigError { file: file.clone(), ..ConfigError::new(text) });
        }
        Some(section) => {
            if let Ok(keys) = CtlKeys::read(&mut Reader::new(&ini, section, &context, &mut report)) {
                let absolute = |path: &str| paths::absolute(&paths::expand_user(path, &**around), &cwd);
                spec.serverurl = match keys.serverurl.strip_prefix("unix://") {
                    Some(path) => format!("unix://{}", absolute(path)),
                    None => keys.serverurl,
                };
                spec.username = keys.username;
                spec.password = keys.password;
                spec.prompt = keys.prompt;
                spec.twiddler = keys.twiddler;
                spec.history_file = keys.history_file.map(|path| absolute(&path));
            }
        }
    }
    for section in ini.sections() {
        let Some(name) = section.name.strip_prefix("ctlplugin:") else { continue };
        let mut from = Reader::new(&ini, section, &context, &mut report);
        match ini.get(section, FACTORY) {
            None => {
                from.missing(FACTORY, format!("section [{}] does not specify a {FACTORY}", section.name));
            }
            Some(setting) => {
                let label = format!("{}.{FACTORY}", section.name);
                if let Ok(factory) = from.expand(&setting.value, FACTORY, &label, ENV) {
                    let kind = if factory == CACHE { CtlPluginKind::Cache } else { CtlPluginKind::Foreign(factory) };
                    spec.plugins.push(CtlPlugin { name: name.to_string(), kind });
                }
            }
        }
    }
    if report.is_fine() { Ok(spec) } else { Err(report.into_errors()) }
}
