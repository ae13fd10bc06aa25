//! A folder that is held open: what is done to its names is done in this one, wherever its path leads meanwhile.

use std::ffi::OsStr;
use std::fs::File;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;

use libc::c_int;

use super::{c_string, check, check_size, links};
use crate::base::errno::Errno;

/// Bytes of the list of names that the system gives at once.
const LIST_BYTES: usize = 32 * 1024;

/// An open folder. Its names are single parts of paths, and none is followed if it is a link.
#[derive(Debug)]
pub struct Folder {
    fd: OwnedFd,
}

impl Folder {
    /// The folder that a path's last part is in, and that part. `ELOOP` for links that must not be followed.
    pub fn of(path: &Path) -> Result<(Folder, &OsStr), Errno> {
        let name = path.file_name().ok_or(Errno::EISDIR)?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Ok((Folder { fd: links::enter(folder)? }, name))
    }

    /// renameat2(2), over nothing that is there: `EEXIST`, but `ENOENT` if there is nothing to rename either. Where a
    /// file system can't promise that, renameat(2).
    pub fn rename(&self, from: &OsStr, to: &OsStr) -> Result<(), Errno> {
        let (old, new) = (c_string(from.as_encoded_bytes())?, c_string(to.as_encoded_bytes())?);
        let fd = self.fd.as_raw_fd();
        // SAFETY: an open descriptor, and names that are valid strings.
        let moved =
            unsafe { libc::syscall(libc::SYS_renameat2, fd, old.as_ptr(), fd, new.as_ptr(), libc::RENAME_NOREPLACE) };
        match check(moved as c_int) {
            // Some file systems, and old filters of system calls.
            Err(Errno::EINVAL | Errno::ENOSYS | Errno::EPERM) => {
                self.look(from)?;
                match self.look(to) {
                    Ok(_) => Err(Errno::EEXIST),
                    // SAFETY: as above.
                    Err(_) => check(unsafe { libc::renameat(fd, old.as_ptr(), fd, new.as_ptr()) }),
                }
            }
            moved => moved,
        }
        .map(|_| ())
    }

    /// unlink(2); `EISDIR` for a folder.
    pub fn remove(&self, name: &OsStr) -> Result<(), Errno> {
        let name = c_string(name.as_encoded_bytes())?;
        // SAFETY: an open descriptor, and a name that is a valid string.
        check(unsafe { libc::unlinkat(self.fd.as_raw_fd(), name.as_ptr(), 0) }).map(|_| ())
    }

    /// Whether a name is a folder's.
    pub fn is_folder(&self, name: &OsStr) -> bool {
        self.look(name).is_ok_and(|there| there.st_mode & libc::S_IFMT == libc::S_IFDIR)
    }

    /// Bytes of a regular file.
    pub(super) fn size_of_file(&self, name: &OsStr) -> Option<u64> {
        let there = self.look(name).ok().filter(|there| there.st_mode & libc::S_IFMT == libc::S_IFREG)?;
        u64::try_from(there.st_size).ok()
    }

    /// open(2), never waiting.
    pub(super) fn open(&self, name: &OsStr, flags: c_int) -> Result<File, Errno> {
        links::open_in(&self.fd, name, flags | libc::O_NOFOLLOW)
    }

    /// Hands all names to `take`, in no order, `.` and `..` among them. `E2BIG` as soon as there are more than `most`.
    pub fn names(&self, most: usize, take: &mut dyn FnMut(&[u8])) -> Result<(), Errno> {
        // What is held open is only good for its names.
        let list = links::open_in(&self.fd, OsStr::new("."), libc::O_RDONLY | libc::O_DIRECTORY)?;
        let mut buffer = vec![0_u8; LIST_BYTES];
        let mut left = most;
        loop {
            // SAFETY: an open descriptor, and a buffer that is valid for its length.
            let size = check_size(unsafe {
                libc::syscall(libc::SYS_getdents64, list.as_raw_fd(), buffer.as_mut_ptr(), buffer.len())
            } as isize)?;
            if size == 0 {
                return Ok(());
            }
            let mut entries = &buffer[..size];
            while let Some((name, rest)) = first_name(entries) {
                left = left.checked_sub(1).ok_or(Errno::E2BIG)?;
                take(name);
                entries = rest;
            }
        }
    }

    /// lstat(2).
    fn look(&self, name: &OsStr) -> Result<libc::stat, Errno> {
        let name = c_string(name.as_encoded_bytes())?;
        // SAFETY: all-zero is a valid `stat`.
        let mut there: libc::stat = unsafe { std::mem::zeroed() };
        // SAFETY: an open descriptor, a name that is a valid string, and a structure to fill.
        check(unsafe { libc::fstatat(self.fd.as_raw_fd(), name.as_ptr(), &mut there, libc::AT_SYMLINK_NOFOLLOW) })?;
        Ok(there)
    }
}

/// The first entry of what getdents64(2) gave: its name, and what follows.
fn first_name(entries: &[u8]) -> Option<(&[u8], &[u8])> {
    /// Where an entry has its length, two bytes, and its name, which ends with a zero.
    const LENGTH: usize = 16;
    const NAME: usize = 19;
    let length = usize::from(u16::from_ne_bytes(*entries.get(LENGTH..)?.first_chunk()?));
    let (entry, rest) = entries.split_at_checked(length)?;
    let name = entry.get(NAME..)?;
    Some((name.split(|byte| *byte == 0).next()?, rest))
}

#[cfg(test)]
#[path = "folder_tests.rs"]
mod tests;
