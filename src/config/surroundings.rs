//! The port through which the configuration asks about the machine: files, accounts, environment.
//!
//! Nothing in `config` makes a system call; `sys::surroundings` answers with the real machine, tests with a pretended
//! one. Answers are asked for again on every reload.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::config::spec::UserSpec;

/// Why a file has no bytes for us.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FileTrouble {
    /// There is nothing at the path.
    Missing,
    /// A directory, or no permission, or an error of the disk.
    Unreadable,
}

/// What the configuration may ask. Relative paths are relative to the working directory.
pub trait Surroundings: fmt::Debug {
    /// All bytes of a file.
    fn read_file(&self, path: &str) -> Result<Vec<u8>, FileTrouble>;
    /// Whether stat(2) finds anything at all there (CFG-003).
    fn exists(&self, path: &str) -> bool;
    /// Whether it is a directory, links followed.
    fn is_dir(&self, path: &str) -> bool;
    /// The names in a directory, in any order; none if it can't be read.
    fn list(&self, directory: &str) -> Vec<String>;
    /// The account of that name, with its supplementary groups (CFG-182).
    fn user_by_name(&self, name: &str) -> Option<UserSpec>;
    /// The account of that number.
    fn user_by_id(&self, uid: u32) -> Option<UserSpec>;
    /// The home directory in the account database.
    fn home_of(&self, name: &str) -> Option<String>;
    /// The number of the group of that name.
    fn group_by_name(&self, name: &str) -> Option<u32>;
    /// Whether there is a group of that number.
    fn group_exists(&self, gid: u32) -> bool;
    /// The variables of our own environment.
    fn env(&self) -> Vec<(String, String)>;
    /// The node name of uname(2) (CFG-051).
    fn host_name(&self) -> String;
    /// The working directory, absolute.
    fn cwd(&self) -> String;
    /// Our user id.
    fn uid(&self) -> u32;
}

/// A machine that exists only as these fields: for tests and simulations.
#[derive(Clone, Debug, Default)]
pub struct Pretended {
    /// Text by absolute path.
    pub files: BTreeMap<String, Vec<u8>>,
    /// Absolute paths.
    pub directories: BTreeSet<String>,
    /// Accounts by name; their home is `/home/<name>`.
    pub users: Vec<UserSpec>,
    /// Groups.
    pub groups: Vec<(String, u32)>,
    /// The environment.
    pub env: Vec<(String, String)>,
    /// The node name.
    pub host_name: String,
    /// The working directory.
    pub cwd: String,
    /// The user id.
    pub uid: u32,
}

impl Pretended {
    fn at(&self, path: &str) -> String {
        crate::config::paths::absolute(path, &self.cwd)
    }
}

impl Surroundings for Pretended {
    fn read_file(&self, path: &str) -> Result<Vec<u8>, FileTrouble> {
        match self.files.get(&self.at(path)) {
            _ if path.is_empty() => Err(FileTrouble::Missing),
            Some(bytes) => Ok(bytes.clone()),
            None if self.is_dir(path) => Err(FileTrouble::Unreadable),
            None => Err(FileTrouble::Missing),
        }
    }

    fn exists(&self, path: &str) -> bool {
        self.files.contains_key(&self.at(path)) || self.is_dir(path)
    }

    fn is_dir(&self, path: &str) -> bool {
        self.directories.contains(&self.at(path))
    }

    fn list(&self, directory: &str) -> Vec<String> {
        let directory = self.at(directory);
        let name = |path: &String| {
            let inside = crate::config::paths::dirname(path) == directory && *path != directory;
            inside.then(|| path.rsplit('/').next().unwrap_or_default().to_string())
        };
        self.files.keys().chain(&self.directories).filter_map(name).collect()
    }

    fn user_by_name(&self, name: &str) -> Option<UserSpec> {
        self.users.iter().find(|user| user.text == name).cloned()
    }

    fn user_by_id(&self, uid: u32) -> Option<UserSpec> {
        self.users.iter().find(|user| user.uid == uid).cloned()
    }

    fn home_of(&self, name: &str) -> Option<String> {
        self.user_by_name(name).map(|user| format!("/home/{}", user.text))
    }

    fn group_by_name(&self, name: &str) -> Option<u32> {
        self.groups.iter().find(|group| group.0 == name).map(|group| group.1)
    }

    fn group_exists(&self, gid: u32) -> bool {
        self.groups.iter().any(|group| group.1 == gid)
    }

    fn env(&self) -> Vec<(String, String)> {
        self.env.clone()
    }

    fn host_name(&self) -> String {
        self.host_name.clone()
    }

    fn cwd(&self) -> String {
        self.cwd.clone()
    }

    fn uid(&self) -> u32 {
        self.uid
    }
}
