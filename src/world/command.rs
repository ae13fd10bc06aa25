//! Which file a command names, and with what environment it runs (contract process.md, sections 3 and 4).

use crate::base::text::{repr, shell_split};
use crate::config::spec::ProcessSpec;
use crate::world::host::{Host, Probe};

/// A command ready to run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Command {
    /// What is executed.
    pub path: String,
    /// All words, the first as written (PROC-045).
    pub argv: Vec<String>,
}

/// Why a command can't be run: the text of PROC-041 and PROC-043.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CommandError {
    /// There is no such file (fault NO_FILE).
    Missing(String),
    /// Anything else (fault NOT_EXECUTABLE).
    Unusable(String),
}

impl CommandError {
    /// The text.
    pub fn text(&self) -> &str {
        match self {
            CommandError::Missing(text) | CommandError::Unusable(text) => text,
        }
    }
}

/// Where commands are looked for when nobody says (PROC-042).
const DEFAULT_PATH: &str = "/bin:/usr/bin:/usr/local/bin";

/// Splits the command and finds its file (PROC-040 to 045).
pub fn resolve(spec: &ProcessSpec, host: &mut dyn Host) -> Result<Command, CommandError> {
    let argv = shell_split(&spec.command)
        .map_err(|why| CommandError::Unusable(format!("can't parse command {}: {why}", repr(&spec.command))))?;
    let Some(word) = argv.first() else {
        return Err(CommandError::Unusable("command is empty".to_string()));
    };
    let (path, probe) = if word.contains('/') {
        // BUG-043: a relative name is relative to where the program will run.
        let path = match &spec.directory {
            Some(directory) if !word.starts_with('/') => format!("{}/{word}", directory.trim_end_matches('/')),
            _ => word.clone(),
        };
        let probe = host.probe(&path);
        (path, probe)
    } else {
        search(word, spec, host)
    };
    let shown = repr(&path);
    match probe {
        Probe::Executable => Ok(Command { path, argv }),
        Probe::Missing => Err(CommandError::Missing(format!("can't find command {shown}"))),
        Probe::Directory => Err(CommandError::Unusable(format!("command at {shown} is a directory"))),
        Probe::NotExecutable => Err(CommandError::Unusable(format!("command at {shown} is not executable"))),
        Probe::Denied => Err(CommandError::Unusable(format!("no permission to run command {shown}"))),
    }
}

/// PROC-042: the first entry that exists decides, whatever it is.
fn search(word: &str, spec: &ProcessSpec, host: &mut dyn Host) -> (String, Probe) {
    let own = spec.environment.iter().rev().find(|(name, _)| name == "PATH").map(|(_, value)| value.clone());
    let path = own.or_else(|| host.env("PATH")).unwrap_or_else(|| DEFAULT_PATH.to_string());
    for directory in path.split(':') {
        let candidate = match directory {
            "" => word.to_string(),
            directory => format!("{}/{word}", directory.trim_end_matches('/')),
        };
        let probe = host.probe(&candidate);
        if probe != Probe::Missing {
            return (candidate, probe);
        }
    }
    (word.to_string(), Probe::Missing)
}

/// What is set over the daemon's own environment; later entries win (PROC-056).
pub fn environment(spec: &ProcessSpec, group: &str, serverurl: Option<&str>) -> Vec<(String, String)> {
    let mut all = vec![("SUPERVISOR_ENABLED".to_string(), "1".to_string())];
    if let Some(url) = spec.serverurl.as_deref().or(serverurl) {
        all.push(("SUPERVISOR_SERVER_URL".to_string(), url.to_string()));
    }
    all.push(("SUPERVISOR_PROCESS_NAME".to_string(), spec.name.clone()));
    all.push(("SUPERVISOR_GROUP_NAME".to_string(), group.to_string()));
    all.extend(spec.environment.iter().cloned());
    all
}
