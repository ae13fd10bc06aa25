//! A system that does nothing, in constant time: what is measured beside it is the daemon's own work.

use majordomo::base::errno::Errno;
use majordomo::base::key::Key;
use majordomo::base::words::{Channel, Pid};
use majordomo::config::error::ConfigError;
use majordomo::config::spec::{Config, FastCgiSpec};
use majordomo::world::host::{FileId, Host, Meta, Opened, Probe, SocketId, SpawnError, SpawnOrder};
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
}

impl NoSystem {
    /// One whose configuration file says this.
    pub fn with(config: Config) -> NoSystem {
        NoSystem { config: Some(config), ..NoSystem::default() }
    }
}

impl Host for NoSystem {
    fn spawn(&mut self, _: Key<Process>, _: &SpawnOrder<'_>) -> Result<Pid, SpawnError> {
        self.last_pid += 1;
        Ok(self.last_pid)
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
    fn open_log(&mut self, _: &str) -> Result<Opened, Errno> {
        self.last_file += 1;
        Ok(Opened { file: FileId(self.last_file), size: 0, regular: true, identity: FILE.identity })
    }
    fn append(&mut self, _: FileId, bytes: &[u8]) -> Result<usize, Errno> {
        Ok(bytes.len())
    }
    fn truncate(&mut self, _: FileId) -> Result<(), Errno> {
        Ok(())
    }
    fn close_log(&mut self, _: FileId) {}
    fn auto_log_path(&mut self, directory: &str, stem: &str) -> Result<String, Errno> {
        self.last_log += 1;
        Ok(format!("{directory}/{stem}{:08x}.log", self.last_log))
    }
    fn create_log(&mut self, _: &str) -> Result<(), Errno> {
        Ok(())
    }
    fn rename(&mut self, _: &str, _: &str) -> Result<(), Errno> {
        Ok(())
    }
    fn remove(&mut self, _: &str) -> Result<(), Errno> {
        Ok(())
    }
    fn stat(&mut self, _: &str) -> Result<Meta, Errno> {
        Ok(FILE)
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
