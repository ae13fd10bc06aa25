//! A system that does nothing, in constant time, but for logs, which may be real files: what is measured beside it is the
//! daemon's own work.

// Each bench uses a part of this.
#![allow(dead_code)]

use std::path::Path;

use majordomo::base::errno::Errno;
use majordomo::base::key::Key;
use majordomo::base::words::{Channel, Pid};
use majordomo::config::error::ConfigError;
use majordomo::config::spec::{Config, FastCgiSpec};
use majordomo::sys::files::{self, Sink};
use majordomo::sys::folder;
use majordomo::sys::removal::Removals;
use majordomo::world::host::{FileId, Folder, Host, Meta, Opened, Probe, SocketId, SpawnError, SpawnOrder};
use majordomo::world::process::Process;

/// Where every file is.
const FILE: Meta = Meta { size: 0, identity: (1, 1, 1), modified: 0, regular: true, null: false };

/// The system.
#[derive(Default)]
pub struct NoSystem {
    last_pid: Pid,
    last_file: u32,
    last_log: u64,
    /// What the configuration file says.
    config: Option<Config>,
    /// Logs are files of the real disk; the one that was opened last.
    disk: Option<Option<Sink>>,
}

impl NoSystem {
    /// One whose configuration file says this.
    pub fn with(config: Config) -> NoSystem {
        NoSystem { config: Some(config), ..NoSystem::default() }
    }

    /// One with a real disk, for one log at a time.
    pub fn with_disk() -> NoSystem {
        NoSystem { disk: Some(None), ..NoSystem::default() }
    }

    fn sink(&self) -> Option<&Sink> {
        self.disk.as_ref()?.as_ref()
    }
}

/// A folder of the real disk, or none.
struct NoFolder(Option<folder::Folder>);

impl Folder for NoFolder {
    fn rename(&mut self, from: &str, to: &str) -> Result<(), Errno> {
        self.0.as_ref().map_or(Ok(()), |folder| folder.rename(from.as_ref(), to.as_ref()))
    }
    fn remove(&mut self, name: &str) -> Result<(), Errno> {
        self.0.as_ref().map_or(Ok(()), |folder| Removals::default().remove_in(folder, name.as_ref()))
    }
    fn is_folder(&mut self, name: &str) -> bool {
        self.0.as_ref().is_some_and(|folder| folder.is_folder(name.as_ref()))
    }
    fn names(&mut self, most: usize, take: &mut dyn FnMut(&[u8])) -> Result<(), Errno> {
        self.0.as_ref().map_or(Ok(()), |folder| folder.names(most, take))
    }
}

impl Host for NoSystem {
    fn spawn(&mut self, _: Key<Process>, _: &SpawnOrder<'_>) -> Result<Pid, SpawnError> {
        self.last_pid += 1;
        Ok(self.last_pid)
    }
    fn has_room(&mut self) -> bool {
        true
    }
    fn kill(&mut self, _: Pid, _: i32, _: bool) -> Result<(), Errno> {
        Ok(())
    }
    fn write_stdin(&mut self, _: Key<Process>, bytes: &[u8]) -> Result<usize, Errno> {
        Ok(bytes.len())
    }
    fn pause_output(&mut self, _: Key<Process>, _: Channel, _: bool) {}
    fn open_socket(&mut self, _: &FastCgiSpec) -> Result<SocketId, String> {
        Err("no sockets here".to_string())
    }
    fn could_open_socket(&mut self, _: &FastCgiSpec) -> Result<(), String> {
        Err("no sockets here".to_string())
    }
    fn close_socket(&mut self, _: SocketId) {}
    fn close_pipes(&mut self, _: Key<Process>) {}
    fn open_log(&mut self, path: &str) -> Result<Opened, Errno> {
        self.last_file += 1;
        if let Some(disk) = &mut self.disk {
            let Sink { size, regular, identity, .. } = disk.insert(Sink::open(path)?);
            return Ok(Opened { file: FileId(self.last_file), size: *size, regular: *regular, identity: *identity });
        }
        Ok(Opened { file: FileId(self.last_file), size: 0, regular: true, identity: FILE.identity })
    }
    fn append(&mut self, _: FileId, bytes: &[u8]) -> Result<usize, Errno> {
        self.sink().map_or(Ok(bytes.len()), |sink| sink.append(bytes))
    }
    fn truncate(&mut self, _: FileId) -> Result<(), Errno> {
        self.sink().map_or(Ok(()), Sink::truncate)
    }
    fn has_name(&mut self, _: FileId) -> bool {
        true
    }
    fn close_log(&mut self, _: FileId) {}
    fn auto_log_path(&mut self, directory: &str, stem: &str) -> Result<String, Errno> {
        self.last_log += 1;
        Ok(format!("{directory}/{stem}{:08x}.log", self.last_log))
    }
    fn create_log(&mut self, _: &str) -> Result<(), Errno> {
        Ok(())
    }
    fn open_folder(&mut self, path: &str) -> Result<Box<dyn Folder + '_>, Errno> {
        let folder = self.sink().map(|_| folder::Folder::of(Path::new(path))).transpose()?;
        Ok(Box::new(NoFolder(folder.map(|(folder, _)| folder))))
    }
    fn remove(&mut self, path: &str) -> Result<(), Errno> {
        self.sink().map_or(Ok(()), |_| Removals::default().remove(path))
    }
    fn stat(&mut self, path: &str) -> Result<Meta, Errno> {
        if self.sink().is_none() {
            return Ok(FILE);
        }
        let files::Stat { size, identity, modified, regular, null } = files::stat(path)?;
        Ok(Meta { size, identity, modified, regular, null })
    }
    fn read(&mut self, _: &str, _: u64, _: usize) -> Result<Vec<u8>, Errno> {
        Ok(Vec::new())
    }
    fn list(&mut self, _: &str) -> Result<Vec<String>, Errno> {
        Ok(Vec::new())
    }
    fn probe(&mut self, _: &str) -> Probe {
        Probe::Executable
    }
    fn echo(&mut self, _: &[u8]) -> usize {
        0
    }
    fn syslog(&mut self, _: &str, _: &str) {}
    fn env(&self, _: &str) -> Option<String> {
        None
    }
    fn uid(&self) -> u32 {
        1000
    }
    fn pid(&self) -> Pid {
        1
    }
    fn local_offset(&mut self, _: i64) -> i32 {
        0
    }
    fn load_config(&mut self) -> Result<Config, Vec<ConfigError>> {
        Ok(self.config.clone().expect("a configuration"))
    }
}
