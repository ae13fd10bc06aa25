//! The real machine, as the configuration asks about it.

use std::ffi::CStr;
use std::fs;
use std::io::ErrorKind;

use crate::config::spec::UserSpec;
use crate::config::surroundings::{FileTrouble, Surroundings};
use crate::sys::accounts;

/// The machine that we run on.
#[derive(Debug, Default)]
pub struct System;

impl Surroundings for System {
    fn read_file(&self, path: &str) -> Result<Vec<u8>, FileTrouble> {
        fs::read(path).map_err(|error| match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => FileTrouble::Missing,
            _ => FileTrouble::Unreadable,
        })
    }

    fn exists(&self, path: &str) -> bool {
        fs::metadata(path).is_ok()
    }

    fn is_dir(&self, path: &str) -> bool {
        fs::metadata(path).is_ok_and(|meta| meta.is_dir())
    }

    fn list(&self, directory: &str) -> Vec<String> {
        let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
        entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect()
    }

    fn user_by_name(&self, name: &str) -> Option<UserSpec> {
        accounts::user_by_name(name)
    }

    fn user_by_id(&self, uid: u32) -> Option<UserSpec> {
        accounts::user_by_id(uid)
    }

    fn home_of(&self, name: &str) -> Option<String> {
        accounts::home_of(name)
    }

    fn group_by_name(&self, name: &str) -> Option<u32> {
        accounts::group_by_name(name)
    }

    fn group_exists(&self, gid: u32) -> bool {
        accounts::group_exists(gid)
    }

    fn env(&self) -> Vec<(String, String)> {
        let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
        std::env::vars_os().map(|(name, value)| (text(name), text(value))).collect()
    }

    fn host_name(&self) -> String {
        // SAFETY: a `utsname` is arrays of characters, for which zero is a value.
        let mut names: libc::utsname = unsafe { std::mem::zeroed() };
        // SAFETY: names lives through the call.
        if unsafe { libc::uname(&mut names) } != 0 {
            return String::new();
        }
        // SAFETY: uname has put the end of the string within the array.
        unsafe { CStr::from_ptr(names.nodename.as_ptr()) }.to_string_lossy().into_owned()
    }

    fn cwd(&self) -> String {
        std::env::current_dir().map_or_else(|_| "/".to_string(), |path| path.to_string_lossy().into_owned())
    }

    fn uid(&self) -> u32 {
        // SAFETY: has no arguments and can't fail.
        unsafe { libc::getuid() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cfg_003_006_files_and_directories() {
        let directory = std::env::temp_dir().join(format!("majordomo-surroundings-{}", std::process::id()));
        fs::create_dir_all(directory.join("d")).unwrap();
        fs::write(directory.join("f"), "x").unwrap();
        let at = directory.to_str().unwrap();
        let mut names = System.list(at);
        names.sort();
        assert_eq!(names, ["d", "f"]);
        assert!(System.list(&format!("{at}/f")).is_empty());
        assert_eq!(System.read_file(&format!("{at}/f")), Ok(b"x".to_vec()));
        assert_eq!(System.read_file(at), Err(FileTrouble::Unreadable));
        assert_eq!(System.read_file(&format!("{at}/nothing")), Err(FileTrouble::Missing));
        assert!(System.is_dir(at) && System.exists(at) && !System.is_dir(""));
        fs::remove_dir_all(&directory).unwrap();
    }

    #[test]
    fn cfg_051_the_node_name() {
        assert_eq!(System.host_name(), fs::read_to_string("/proc/sys/kernel/hostname").unwrap().trim_end());
    }
}
