//! Being told that files have gone or changed, instead of looking again and again (inotify(7)).

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::path::Path;

use super::{c_string, check, io};
use crate::base::errno::Errno;

/// A removed name changes the count of names (IN_ATTRIB) of a file that is still open somewhere.
const GONE: u32 = libc::IN_ATTRIB | libc::IN_DELETE_SELF | libc::IN_MOVE_SELF;

/// Watches files.
pub struct Watch {
    fd: OwnedFd,
}

impl Watch {
    /// Nothing yet.
    pub fn new() -> Result<Watch, Errno> {
        // SAFETY: on success the descriptor is new and ours alone.
        unsafe {
            let fd = check(libc::inotify_init1(libc::IN_NONBLOCK | libc::IN_CLOEXEC))?;
            Ok(Watch { fd: OwnedFd::from_raw_fd(fd) })
        }
    }

    /// From now on something may be read here when the file at `path` got other names, none, or another owner or mode,
    /// which ends with the file, or when a folder on the way to it got another name, as far as we may look at those.
    pub fn add(&self, path: &Path) -> Result<(), Errno> {
        self.add_one(path, GONE | libc::IN_DONT_FOLLOW)?;
        for folder in path.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty()) {
            let _ = self.add_one(folder, libc::IN_MOVE_SELF | libc::IN_ONLYDIR);
        }
        Ok(())
    }

    fn add_one(&self, path: &Path, mask: u32) -> Result<(), Errno> {
        let path = c_string(path.as_os_str().as_encoded_bytes())?;
        // SAFETY: the path is a valid string.
        check(unsafe { libc::inotify_add_watch(self.fd.as_raw_fd(), path.as_ptr(), mask) }).map(|_| ())
    }

    /// To watch for input.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// Reads all that happened, and forgets it: whoever is told looks for itself.
    pub fn clear(&self) {
        let mut buffer = [0; 4096];
        while io::read(self.fd.as_fd(), &mut buffer).is_ok_and(|count| count > 0) {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_an_open_file_s_name_is_told() {
        let path = std::env::temp_dir().join(format!("watch-{}", std::process::id()));
        let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
        let watch = Watch::new().unwrap();
        let told = || io::wait_ready(watch.fd(), false, 0);
        watch.add(&path).unwrap();
        assert!(!told());
        std::fs::remove_file(&path).unwrap();
        assert!(told());
        watch.clear();
        assert!(!told());
        assert_eq!(watch.add(&path), Err(Errno::ENOENT));
        drop(listener);
        watch.clear();
        // With a folder, also one further up.
        let folder = path.with_extension("folder");
        std::fs::create_dir_all(folder.join("in")).unwrap();
        std::fs::write(folder.join("in/file"), "").unwrap();
        watch.add(&folder.join("in/file")).unwrap();
        std::fs::write(folder.join("in/other"), "").unwrap();
        assert!(!told());
        std::fs::rename(&folder, path.with_extension("moved")).unwrap();
        assert!(told());
        std::fs::remove_dir_all(path.with_extension("moved")).unwrap();
    }
}
