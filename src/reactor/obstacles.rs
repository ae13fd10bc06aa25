//! What a start would run into although the configuration is right: for `--check`.
//!
//! Goes through the first steps of a start in their order (CFG-181), as this process will end at once. Makes, changes
//! and removes no file; TCP ports are held only while it looks.

use crate::base::errno::Errno;
use crate::base::words::Level;
use crate::config::error::Notice;
use crate::config::spec::{Address, Config, LogFile};
use crate::sys::fastcgi::FastCgi;
use crate::sys::files;
use crate::sys::sockets::{ListenError, Listener};
use crate::world::fastcgi::cannot_create_socket;
use crate::world::lines::Line;

use super::start::{move_to, raise_limits, switch_user};

/// All obstacles: errors, and warnings where the daemon would start all the same.
pub fn obstacles(config: &Config) -> Vec<Notice> {
    let mut config = config.clone();
    // Whoever can't become the user can't tell what the user could do.
    if let Err(text) = switch_user(&mut config) {
        return vec![notice(Level::Error, text)];
    }
    let limits = raise_limits(&mut config).err().map(|text| notice(Level::Error, text));
    limits
        .into_iter()
        .chain(main_log(&config))
        .chain(automatic_logs(&config))
        .chain(processors(&config))
        .chain(servers(&config))
        .chain(fastcgi_sockets(&config))
        .chain(pid_file(&config))
        .collect()
}

fn notice(level: Level, text: String) -> Notice {
    Notice { level, text, at: None }
}

/// CFG-178.
fn main_log(config: &Config) -> Option<Notice> {
    let path = config.daemon.logfile.as_ref()?.display().to_string();
    let error = files::could_append(&path).err()?;
    Some(notice(Level::Error, crate::world::cannot_open_log(&path, error)))
}

/// Programs run without them.
fn automatic_logs(config: &Config) -> Option<Notice> {
    let processes = config.groups.iter().flat_map(|group| &group.processes);
    let mut logs = processes.flat_map(|process| process.channels.iter().map(|channel| &channel.logfile));
    logs.find(|log| **log == LogFile::Auto)?;
    let directory = config.daemon.childlogdir.display().to_string();
    let error = files::could_create(&format!("{directory}/log")).err()?;
    Some(notice(Level::Warn, format!("automatic logs can't be made in {directory}: {}", error.text())))
}

/// Where the daemon stays where it is, and programs don't start.
fn processors(config: &Config) -> Vec<Notice> {
    let own = config.daemon.cpu_affinity.iter().map(|cpus| ("supervisord", cpus));
    let processes = config.groups.iter().flat_map(|group| &group.processes);
    let theirs = processes.filter_map(|process| Some((process.name.as_str(), process.cpu_affinity.as_deref()?)));
    let wrong = own.chain(theirs).filter_map(|(name, cpus)| Some((name, move_to(cpus).err()?)));
    wrong.map(|(name, line)| notice(Level::Warn, format!("{name} {line}"))).collect()
}

/// CFG-176, CFG-177.
fn servers(config: &Config) -> Vec<Notice> {
    let mut held = Vec::new();
    let mut found = Vec::new();
    for (index, server) in config.servers.iter().enumerate() {
        let result = match &server.address {
            Address::Inet { host, port } => Listener::inet(host, *port).map(|listener| held.push(listener)),
            Address::Unix { path, chown, .. } => {
                let again = config.servers[..index].iter().any(|other| match &other.address {
                    Address::Unix { path: other, .. } => other == path,
                    Address::Inet { .. } => false,
                });
                if again { Err(ListenError::InUse) } else { Listener::could_unix(path, *chown) }
            }
        };
        if let Err(error) = result {
            found.push(notice(Level::Error, format!("{error} (section [{}])", server.section)));
        }
    }
    found
}

/// CFG-178.
fn fastcgi_sockets(config: &Config) -> Vec<Notice> {
    let mut opener = FastCgi::default();
    let processes = config.groups.iter().flat_map(|group| &group.processes);
    let mut sockets: Vec<_> = processes.filter_map(|process| process.socket.clone()).collect();
    sockets.dedup();
    let wrong = sockets.iter().filter_map(|spec| Some((spec, opener.could_open(spec).err()?)));
    wrong.map(|(spec, error)| notice(Level::Error, cannot_create_socket(&spec.url, &error))).collect()
}

/// CFG-179: told, and no more.
fn pid_file(config: &Config) -> Option<Notice> {
    let path = config.daemon.pidfile.display().to_string();
    let error: Errno = files::could_append(&path).err()?;
    Some(notice(Level::Warn, format!("{}: {}", Line::NoPidFile { path }, error.text())))
}
