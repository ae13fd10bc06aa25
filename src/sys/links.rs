//! Opening files by paths in which others may have put links: a link leads nobody further than its owner could go.
//!
//! A root daemon that logs into a program's own folder would else write, rename and show its clients what that program
//! points it to. Links of root and of our own user are followed, as deployments are made of them. Somebody else's is
//! followed among the folders of a path only, to a folder where its owner may write anyway, and not out of a folder like
//! /tmp. The last part of a path is never somebody else's link.
//!
//! Nobody can change a part between the look and the step: each is opened, and looked at, from the one before.

use std::ffi::OsStr;
use std::fs::{File, Metadata};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use libc::c_int;

use super::{c_string, check, process};
use crate::base::errno::Errno;

/// As many links as the system follows.
pub(super) const LINKS: usize = 40;
/// Nobody is waited for at the other end of a FIFO, and no terminal becomes ours.
const FLAGS: c_int = libc::O_NONBLOCK | libc::O_NOCTTY | libc::O_CLOEXEC | libc::O_LARGEFILE;
/// To look at a part of a path, be it a link, and to go on from it.
const LOOK: c_int = libc::O_PATH | libc::O_NOFOLLOW | libc::O_CLOEXEC;
/// To stay in a folder.
const ENTER: c_int = libc::O_PATH | libc::O_DIRECTORY | libc::O_CLOEXEC;

/// open(2), never waiting; `ELOOP` for links that must not be followed. `mode` counts for a file that is made.
pub(super) fn open(path: &Path, flags: c_int, mode: u32) -> Result<File, Errno> {
    // Most paths have no links.
    match without_links(path, flags | FLAGS, mode) {
        Err(Errno::ELOOP | Errno::ENOSYS | Errno::EPERM | Errno::EINVAL) => {}
        result => return result.map(File::from),
    }
    Walk::from(path)?.open(path, flags | FLAGS, mode).map(File::from)
}

/// The folder that a path leads to, to act on its names.
pub(super) fn enter(folder: &Path) -> Result<OwnedFd, Errno> {
    match without_links(folder, ENTER, 0) {
        Err(Errno::ELOOP | Errno::ENOSYS | Errno::EPERM | Errno::EINVAL) => Walk::from(folder)?.reach(folder),
        result => result,
    }
}

/// open(2) of a name in an open folder, never waiting. It is followed, but for `O_NOFOLLOW` among the flags.
pub(super) fn open_in(folder: &OwnedFd, name: &OsStr, flags: c_int) -> Result<File, Errno> {
    open_at(Some(folder.as_raw_fd()), name, flags | FLAGS, 0)
}

/// openat2(2) where there is no link at all in the path; `ENOSYS`, or `EPERM` in some containers, where there is no such
/// call.
fn without_links(path: &Path, flags: c_int, mode: u32) -> Result<OwnedFd, Errno> {
    let path = c_string(path.as_os_str().as_encoded_bytes())?;
    // SAFETY: all-zero asks for nothing.
    let mut how: libc::open_how = unsafe { std::mem::zeroed() };
    how.flags = flags as u64;
    how.mode = if flags & libc::O_CREAT == 0 { 0 } else { mode.into() };
    how.resolve = libc::RESOLVE_NO_SYMLINKS;
    again(|| {
        // SAFETY: the path is a valid string, `how` is valid for its length; on success the descriptor is new and ours.
        unsafe {
            let size = std::mem::size_of::<libc::open_how>();
            let result = libc::syscall(libc::SYS_openat2, libc::AT_FDCWD, path.as_ptr(), &raw const how, size);
            Ok(OwnedFd::from_raw_fd(check(result as c_int)?))
        }
    })
}

/// openat(2).
fn open_at(folder: Option<RawFd>, name: &OsStr, flags: c_int, mode: u32) -> Result<File, Errno> {
    let name = c_string(name.as_encoded_bytes())?;
    let folder = folder.unwrap_or(libc::AT_FDCWD);
    again(|| {
        // SAFETY: the name is a valid string; on success the descriptor is new and ours alone.
        unsafe { Ok(File::from_raw_fd(check(libc::openat(folder, name.as_ptr(), flags, mode))?)) }
    })
}

/// Repeats what a signal interrupted.
fn again<T>(mut call: impl FnMut() -> Result<T, Errno>) -> Result<T, Errno> {
    loop {
        match call() {
            Err(Errno::EINTR) => {}
            result => return result,
        }
    }
}

/// A walk along a path.
struct Walk {
    /// Where it is, and what that is like.
    place: File,
    meta: Metadata,
    /// How many links were followed.
    links: usize,
    /// Whose.
    owners: Vec<u32>,
}

impl Walk {
    /// A walk that begins where `path` does.
    fn from(path: &Path) -> Result<Walk, Errno> {
        let start = if path.has_root() { "/" } else { "." };
        let place = open_at(None, OsStr::new(start), ENTER, 0)?;
        Ok(Walk { meta: place.metadata()?, place, links: 0, owners: Vec::new() })
    }

    /// The folder at the end of a path.
    fn reach(mut self, path: &Path) -> Result<OwnedFd, Errno> {
        self.enter(path)?;
        self.judge()?;
        Ok(self.place.into())
    }

    /// Opens what is at the end of a path.
    fn open(&mut self, path: &Path, flags: c_int, mode: u32) -> Result<OwnedFd, Errno> {
        let name = path.file_name().ok_or(Errno::EISDIR)?;
        self.enter(path.parent().unwrap_or(Path::new("")))?;
        self.judge()?;
        match open_at(Some(self.place.as_raw_fd()), name, flags | libc::O_NOFOLLOW, mode) {
            Err(Errno::ELOOP) => {}
            result => return result.map(OwnedFd::from),
        }
        let link = open_at(Some(self.place.as_raw_fd()), name, LOOK, 0)?;
        let meta = link.metadata()?;
        if self.is_in_proc() {
            return open_at(Some(self.place.as_raw_fd()), name, flags, mode).map(OwnedFd::from);
        }
        if meta.is_symlink() && !is_trusted(&meta) {
            return Err(Errno::ELOOP);
        }
        // Whoever has put something else there meanwhile can do so as often as there are links.
        let target = if meta.is_symlink() { self.follow(&link, &meta)? } else { self.count(name.into())? };
        self.open(&target, flags, mode)
    }

    /// Goes along all parts of a path.
    fn enter(&mut self, path: &Path) -> Result<(), Errno> {
        for part in path.components() {
            let next = match part {
                Component::RootDir => open_at(None, OsStr::new("/"), ENTER, 0)?,
                Component::CurDir | Component::Prefix(_) => continue,
                Component::ParentDir => open_at(Some(self.place.as_raw_fd()), OsStr::new(".."), ENTER, 0)?,
                Component::Normal(name) => {
                    let next = open_at(Some(self.place.as_raw_fd()), name, LOOK, 0)?;
                    let meta = next.metadata()?;
                    if !meta.is_symlink() {
                        next
                    } else if self.is_in_proc() {
                        self.count(PathBuf::new())?;
                        open_at(Some(self.place.as_raw_fd()), name, ENTER, 0)?
                    } else {
                        let target = self.follow(&next, &meta)?;
                        self.enter(&target)?;
                        continue;
                    }
                }
            };
            self.meta = next.metadata()?;
            if !self.meta.is_dir() {
                return Err(Errno::ENOTDIR);
            }
            self.place = next;
        }
        Ok(())
    }

    /// Where a link leads to that lies here, if it may be followed.
    fn follow(&mut self, link: &File, meta: &Metadata) -> Result<PathBuf, Errno> {
        if !is_trusted(meta) {
            // As the kernel does with its `protected_symlinks`.
            if self.meta.mode() & libc::S_IWOTH != 0 && self.meta.uid() != meta.uid() {
                return Err(Errno::ELOOP);
            }
            self.owners.push(meta.uid());
        }
        let mut target = vec![0; libc::PATH_MAX as usize];
        // SAFETY: an open descriptor of the link itself, and a buffer that is valid for its length.
        let size = super::check_size(unsafe {
            libc::readlinkat(link.as_raw_fd(), c"".as_ptr(), target.as_mut_ptr().cast(), target.len())
        })?;
        target.truncate(size);
        self.count(std::ffi::OsString::from_vec(target).into())
    }

    /// One more link, unless there were too many.
    fn count(&mut self, target: PathBuf) -> Result<PathBuf, Errno> {
        self.links += 1;
        if self.links > LINKS { Err(Errno::ELOOP) } else { Ok(target) }
    }

    /// Refuses the place if somebody's link has led here who may not write here.
    fn judge(&self) -> Result<(), Errno> {
        // Its group says nothing: that of a new link may be its folder's, which its owner need not be in.
        let open_to_all = self.meta.mode() & libc::S_IWOTH != 0;
        let may = |owner: &u32| *owner == self.meta.uid() || open_to_all;
        if self.owners.iter().all(may) { Ok(()) } else { Err(Errno::ELOOP) }
    }

    /// Whether links that lie here are the kernel's, which may lead to what has no name.
    fn is_in_proc(&self) -> bool {
        // SAFETY: all-zero is a valid `statfs`.
        let mut kind: libc::statfs = unsafe { std::mem::zeroed() };
        // SAFETY: an open descriptor, and a structure to fill.
        let result = unsafe { libc::fstatfs(self.place.as_raw_fd(), &mut kind) };
        // Their types differ from one machine to the next.
        #[allow(clippy::unnecessary_cast)]
        let is_proc = kind.f_type as i64 == libc::PROC_SUPER_MAGIC as i64;
        result == 0 && is_proc
    }
}

/// Whether a link was made by root, or by us.
fn is_trusted(link: &Metadata) -> bool {
    link.uid() == 0 || link.uid() == process::effective_uid()
}

#[cfg(test)]
#[path = "links_tests.rs"]
mod tests;
