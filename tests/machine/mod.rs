//! The real machine with another environment and working directory, and folders to try things in.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use majordomo::config::spec::UserSpec;
use majordomo::config::{FileTrouble, Surroundings};
use majordomo::sys::surroundings::System;

/// The real machine, but for environment and working directory.
#[derive(Debug)]
pub struct Machine {
    /// All variables.
    pub env: Vec<(String, String)>,
    /// What relative paths start from.
    pub cwd: String,
}

impl Machine {
    fn at(&self, path: &str) -> String {
        majordomo::config::paths::join(&self.cwd, path)
    }
}

impl Surroundings for Machine {
    fn read_file(&self, path: &str) -> Result<Vec<u8>, FileTrouble> {
        if path.is_empty() { Err(FileTrouble::Missing) } else { System.read_file(&self.at(path)) }
    }
    fn exists(&self, path: &str) -> bool {
        System.exists(&self.at(path))
    }
    fn is_dir(&self, path: &str) -> bool {
        !path.is_empty() && System.is_dir(&self.at(path))
    }
    fn list(&self, directory: &str) -> Vec<String> {
        System.list(&self.at(directory))
    }
    fn user_by_name(&self, name: &str) -> Option<UserSpec> {
        System.user_by_name(name)
    }
    fn user_by_id(&self, uid: u32) -> Option<UserSpec> {
        System.user_by_id(uid)
    }
    fn home_of(&self, name: &str) -> Option<String> {
        System.home_of(name)
    }
    fn group_by_name(&self, name: &str) -> Option<u32> {
        System.group_by_name(name)
    }
    fn group_exists(&self, gid: u32) -> bool {
        System.group_exists(gid)
    }
    fn env(&self) -> Vec<(String, String)> {
        self.env.clone()
    }
    fn host_name(&self) -> String {
        "<HOST>".to_string()
    }
    fn cwd(&self) -> String {
        self.cwd.clone()
    }
    fn uid(&self) -> u32 {
        System.uid()
    }
}

/// A new, empty folder, gone when dropped.
pub struct Folder(pub PathBuf);

impl Folder {
    /// Makes one.
    pub fn new() -> Folder {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("majordomo-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().canonicalize().unwrap().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    /// Its path.
    pub fn path(&self) -> String {
        self.0.to_str().unwrap().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
