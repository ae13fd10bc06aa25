//! Log files and what is asked of paths. Never waits for whoever is at the other end of a FIFO, socket or terminal.

use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use super::{c_string, check, io, links};
use crate::base::errno::Errno;

/// The 37 characters of an automatic log's random part (LOG-044).
const AUTO_ALPHABET: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789_";
/// Its length.
const AUTO_LENGTH: usize = 8;
/// What every pipe with any room at all takes in one piece (`PIPE_BUF`, pipe(7)).
const ATOMIC_BYTES: usize = 4096;

/// What is at a path, links followed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stat {
    /// Bytes.
    pub size: u64,
    /// Device, inode and birth in nanoseconds (0 where the file system doesn't know): the number of a removed file is
    /// often given to the next one.
    pub identity: (u64, u64, u64),
    /// Seconds since 1970.
    pub modified: i64,
    /// A regular file.
    pub regular: bool,
    /// The null device.
    pub null: bool,
}

/// What stands in the way of executing a path, in the order of PROC-043.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)]
pub enum Executable {
    Missing,
    Directory,
    /// No x bit at all.
    NotExecutable,
    /// x bits, but none for us.
    Denied,
    Yes,
}

/// How bytes get into an open sink without waiting.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Way {
    /// A regular file, or a description of our own that answers `EAGAIN`.
    Write,
    /// A socket.
    Send,
    /// A description that others share, whose flags are not ours to change: asked before each small write.
    Careful,
}

/// Something that takes log bytes.
#[derive(Debug)]
pub struct Sink {
    fd: OwnedFd,
    way: Way,
    /// A regular file, which can be rotated (LOG-052).
    pub regular: bool,
    /// Bytes already in it.
    pub size: u64,
    /// As [`Stat::identity`].
    pub identity: (u64, u64, u64),
}

impl Sink {
    /// Opens a log to append to, made with mode 0666 less umask (LOG-015, LOG-049).
    pub fn open(path: &str) -> Result<Sink, Errno> {
        match own_descriptor(path) {
            Some(number) => Sink::own(number),
            None => Sink::of(open_to_append(path)?, Way::Write),
        }
    }

    /// Our own descriptor `number`, also where the system can't open it a second time: a socket, or a terminal that
    /// belongs to the user we were (LOG-051). Never to be rotated, since its name is not ours.
    pub fn own(number: RawFd) -> Result<Sink, Errno> {
        let shared = Sink::of(io::duplicate(number)?, Way::Careful)?;
        let sink = match shared.way {
            Way::Careful => open_to_append(&format!("/proc/self/fd/{number}"))
                .and_then(|file| Sink::of(file, Way::Write))
                .unwrap_or(shared),
            // The place to write at is shared, too: a second opening would write over the first.
            Way::Write | Way::Send => shared,
        };
        Ok(Sink { regular: false, size: 0, ..sink })
    }

    fn of(fd: OwnedFd, way: Way) -> Result<Sink, Errno> {
        let file = File::from(fd);
        let meta = file.metadata()?;
        let kind = meta.file_type();
        let way = if kind.is_socket() {
            Way::Send
        } else if kind.is_file() {
            Way::Write
        } else {
            way
        };
        let size = if kind.is_file() { meta.len() } else { 0 };
        Ok(Sink { fd: file.into(), way, regular: kind.is_file(), size, identity: identity(&meta) })
    }

    /// Appends what fits; `EAGAIN` when nothing does.
    pub fn append(&self, bytes: &[u8]) -> Result<usize, Errno> {
        match self.way {
            Way::Write => io::write(self.fd.as_fd(), bytes),
            Way::Send => io::send(self.fd.as_fd(), bytes),
            Way::Careful if io::wait_ready(self.fd.as_fd(), true, 0) => {
                io::write(self.fd.as_fd(), &bytes[..bytes.len().min(ATOMIC_BYTES)])
            }
            Way::Careful => Err(Errno::EAGAIN),
        }
    }

    /// Cuts a file to nothing: at once, 3 ms for 50 MB, as a cut in steps would be seen by whoever reads it.
    pub fn truncate(&self) -> Result<(), Errno> {
        // SAFETY: a plain call on an open descriptor.
        check(unsafe { libc::ftruncate(self.fd.as_raw_fd(), 0) }).map(|_| ())
    }

    /// Whether it is a file with a name, wherever that is now.
    pub fn has_name(&self) -> bool {
        // SAFETY: all-zero is a valid `stat`.
        let mut there: libc::stat = unsafe { std::mem::zeroed() };
        // SAFETY: an open descriptor, and a structure to fill.
        check(unsafe { libc::fstat(self.fd.as_raw_fd(), &mut there) }).is_ok() && there.st_nlink > 0
    }

    /// To watch until it can take more.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// `EPIPE`: a FIFO that nobody reads.
fn open_to_append(path: &str) -> Result<OwnedFd, Errno> {
    let opened = links::open(Path::new(path), libc::O_WRONLY | libc::O_APPEND | libc::O_CREAT, 0o666);
    opened.map(OwnedFd::from).map_err(|error| unread(path, error))
}

/// The folder that a path is in.
fn folder_of(path: &Path) -> Result<PathBuf, Errno> {
    match path.parent() {
        Some(folder) if folder.as_os_str().is_empty() => Ok(".".into()),
        Some(folder) => Ok(folder.to_path_buf()),
        None => Err(Errno::EISDIR),
    }
}

/// Tells a FIFO without a reader from other things that can't be opened.
fn unread(path: &str, error: Errno) -> Errno {
    let is_fifo = || std::fs::metadata(path).is_ok_and(|meta| meta.file_type().is_fifo());
    if error == Errno::ENXIO && is_fifo() { Errno::EPIPE } else { error }
}

fn identity(meta: &std::fs::Metadata) -> (u64, u64, u64) {
    let since = |born: SystemTime| born.duration_since(UNIX_EPOCH).ok();
    let born = meta.created().ok().and_then(since).map_or(0, |age| age.as_nanos() as u64);
    (meta.dev(), meta.ino(), born)
}

/// The number of our own descriptor that a path means.
fn own_descriptor(path: &str) -> Option<RawFd> {
    match path {
        "/dev/stdout" => Some(1),
        "/dev/stderr" => Some(2),
        _ => path.strip_prefix("/dev/fd/").or_else(|| path.strip_prefix("/proc/self/fd/"))?.parse().ok(),
    }
}

/// Whether [`Sink::open`] would succeed; makes and changes nothing.
pub fn could_append(path: &str) -> Result<(), Errno> {
    if own_descriptor(path).is_some() {
        return Sink::open(path).map(|_| ());
    }
    match links::open(Path::new(path), libc::O_WRONLY | libc::O_APPEND, 0) {
        Err(Errno::ENOENT) => could_create(path),
        Err(error) if unread(path, error) == Errno::EPIPE => Ok(()),
        result => result.map(|_| ()),
    }
}

/// Whether a file could be made at a path where there is none, through links that lead nowhere.
pub fn could_create(path: &str) -> Result<(), Errno> {
    let mut path = PathBuf::from(path);
    for _ in 0..links::LINKS {
        let folder = folder_of(&path)?;
        match std::fs::read_link(&path) {
            Ok(target) => path = folder.join(target),
            Err(_) => {
                let folder = c_string(folder.as_os_str().as_encoded_bytes())?;
                // SAFETY: the name is a valid string.
                return check(unsafe { libc::access(folder.as_ptr(), libc::W_OK | libc::X_OK) }).map(|_| ());
            }
        }
    }
    Err(Errno::ELOOP)
}

/// The path `<directory>/<stem><8 of [a-z0-9_]>.log`, by chance (LOG-044).
pub fn auto_log_path(directory: &str, stem: &str) -> Result<String, Errno> {
    Ok(format!("{}/{stem}{}.log", directory.trim_end_matches('/'), random_name()?))
}

/// Makes a new, empty file with mode 0600; `EEXIST` if there is anything at the path, a link included.
pub fn create_log(path: &str) -> Result<(), Errno> {
    links::open(Path::new(path), libc::O_WRONLY | libc::O_CREAT | libc::O_EXCL, 0o600).map(|_| ())
}

fn random_name() -> Result<String, Errno> {
    let mut bytes = [0_u8; AUTO_LENGTH];
    // SAFETY: the buffer is valid for its length; so few bytes come whole or not at all.
    super::check_size(unsafe { libc::getrandom(bytes.as_mut_ptr().cast(), bytes.len(), libc::GRND_NONBLOCK) })?;
    Ok(bytes.iter().map(|byte| char::from(AUTO_ALPHABET[usize::from(*byte) % AUTO_ALPHABET.len()])).collect())
}

/// stat(2).
pub fn stat(path: &str) -> Result<Stat, Errno> {
    let meta = std::fs::metadata(path)?;
    let null = meta.file_type().is_char_device() && meta.rdev() == libc::makedev(1, 3);
    Ok(Stat { size: meta.len(), identity: identity(&meta), modified: meta.mtime(), regular: meta.is_file(), null })
}

/// At most `length` bytes of a regular file from `offset`; `ESPIPE` for anything else, which is not even opened.
pub fn read_slice(path: &str, offset: u64, length: usize) -> Result<Vec<u8>, Errno> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(Errno::ESPIPE);
    }
    let file = links::open(Path::new(path), libc::O_RDONLY, 0)?;
    // Asked again: somebody may have put something else there meanwhile.
    let meta = file.metadata()?;
    if !meta.is_file() {
        return Err(Errno::ESPIPE);
    }
    let there = usize::try_from(meta.len().saturating_sub(offset)).unwrap_or(usize::MAX);
    let mut bytes = vec![0; length.min(there)];
    let mut filled = 0;
    while filled < bytes.len() {
        match file.read_at(&mut bytes[filled..], offset + filled as u64) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

/// Names in a directory, but for those that are not UTF-8.
pub fn list(directory: &str) -> Result<Vec<String>, Errno> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        names.extend(entry?.file_name().into_string());
    }
    Ok(names)
}

/// Whether a path can be executed (PROC-043).
pub fn probe(path: &str) -> Executable {
    let (Ok(meta), Ok(name)) = (std::fs::metadata(path), c_string(path)) else { return Executable::Missing };
    if meta.is_dir() {
        return Executable::Directory;
    }
    if meta.permissions().mode() & 0o111 == 0 {
        return Executable::NotExecutable;
    }
    // SAFETY: the name is a valid string.
    match unsafe { libc::access(name.as_ptr(), libc::X_OK) } {
        0 => Executable::Yes,
        _ => Executable::Denied,
    }
}

#[cfg(test)]
#[path = "files_tests.rs"]
mod tests;
