//! Listening sockets: TCP and unix ones, how they come, answer to a second instance, and go.
//!
//! Opening may block: for a look-up of a configured host name, and up to 5 s for an unknown owner of a unix socket.
//! Accepting never does.

use std::fs::OpenOptions;
use std::net::{SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::ptr;

use super::{c_string, check, io, process};
use crate::base::errno::Errno;

/// HTTP-002.
const BACKLOG: libc::c_int = 1024;
/// How long the owner of an existing unix socket may take to answer (HTTP-005).
const PROBE_MILLIS: i32 = 5_000;
/// HTTP-004.
const STALE_PAUSE_MILLIS: i32 = 300;
/// A client of whom nothing was heard for so long is asked whether it is there,
const KEEPALIVE_IDLE_SECS: libc::c_int = 120;
/// and again after so long,
const KEEPALIVE_INTERVAL_SECS: libc::c_int = 30;
/// and given up after so many questions: in all within five minutes.
const KEEPALIVE_PROBES: libc::c_int = 5;
/// A socket that is stale again and again belongs to somebody after all.
const STALE_TRIES: usize = 3;

/// Why there is no listener.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ListenError {
    /// Somebody listens there already.
    InUse,
    /// The host name can't be resolved, with the number that getaddrinfo(3) gives.
    Resolver(i32),
    /// Anything else.
    Failed(Errno),
    /// Owner and group of a unix socket can't be changed.
    Chown {
        /// The socket.
        path: String,
        /// Configured.
        uid: i64,
        /// Configured.
        gid: i64,
    },
}

impl From<Errno> for ListenError {
    fn from(error: Errno) -> ListenError {
        if error == Errno::EADDRINUSE { ListenError::InUse } else { ListenError::Failed(error) }
    }
}

impl std::fmt::Display for ListenError {
    /// CFG-176 and CFG-177.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const FAILED: &str = "Cannot open an HTTP server: socket.error reported";
        match self {
            ListenError::InUse => f.write_str(
                "Another program is already listening on a port that one of our HTTP servers is configured to use.  \
                 End it, or choose another port or file, before starting supervisord.",
            ),
            ListenError::Resolver(number) => write!(f, "{FAILED} {number}"),
            ListenError::Failed(error) => match error.symbol() {
                Some(symbol) => write!(f, "{FAILED} errno.{symbol} ({})", error.0),
                None => write!(f, "{FAILED} {}", error.0),
            },
            ListenError::Chown { path, uid, gid } => write!(
                f,
                "Not permitted to chown {path} to uid/gid ({uid}, {gid}); give \"chown\" in the configuration file an \
                 owner that the current user may hand the socket to",
            ),
        }
    }
}

/// A socket that listens. Closed, and removed if it is a file of our making, when dropped (HTTP-006).
#[derive(Debug)]
pub struct Listener {
    fd: OwnedFd,
    file: Option<SocketFile>,
}

/// What is where a unix socket was made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// It is there; or it has no path.
    Own,
    /// Nothing any more.
    Nothing,
    /// Something else, or something that we may not look at.
    Other,
}

/// A file that is removed when this is dropped, if it is still the same.
#[derive(Debug)]
struct SocketFile {
    path: PathBuf,
    identity: (u64, u64),
}

impl SocketFile {
    /// Takes responsibility for what is at `path`.
    fn adopt(path: &Path) -> Result<SocketFile, Errno> {
        Ok(SocketFile { path: path.to_path_buf(), identity: identity(path)? })
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if identity(&self.path) == Ok(self.identity) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn identity(path: &Path) -> Result<(u64, u64), Errno> {
    let meta = std::fs::symlink_metadata(path)?;
    Ok((meta.dev(), meta.ino()))
}

/// Who has connected; `None` for a unix socket's client, which has no name.
pub type Client = Option<SocketAddr>;

impl Listener {
    /// Listens on TCP. An empty host, or `*`, is every IPv4 interface; a name's IPv4 address is preferred (HTTP-002).
    /// Connections have Nagle's delay off from the start.
    pub fn inet(host: &str, port: u16) -> Result<Listener, ListenError> {
        let addresses = Addresses::resolve(host, port)?;
        let address = addresses.best().ok_or(ListenError::Resolver(libc::EAI_NONAME))?;
        let fd = socket(address.ai_family)?;
        set_option(fd.as_fd(), libc::SOL_SOCKET, libc::SO_REUSEADDR)?;
        set_option(fd.as_fd(), libc::IPPROTO_TCP, libc::TCP_NODELAY)?;
        keep_alive(fd.as_fd());
        // SAFETY: the address comes from the system and lives in `addresses`.
        unsafe {
            check(libc::bind(fd.as_raw_fd(), address.ai_addr, address.ai_addrlen))?;
            check(libc::listen(fd.as_raw_fd(), BACKLOG))?;
        }
        Ok(Listener { fd, file: None })
    }

    /// Listens on a unix socket that appears under its name at once and with its mode (HTTP-003 to 005). A number -1
    /// in `chown` leaves owner or group as it is.
    pub fn unix(path: &Path, mode: u32, chown: (i64, i64)) -> Result<Listener, ListenError> {
        for _ in 0..STALE_TRIES {
            match Listener::unix_again(path, mode, chown) {
                Err(ListenError::Failed(Errno::EEXIST)) => give_way(path)?,
                result => return result,
            }
        }
        Err(ListenError::InUse)
    }

    /// The same where there was one before. Never waits: what is there already is `EEXIST`.
    pub fn unix_again(path: &Path, mode: u32, chown: (i64, i64)) -> Result<Listener, ListenError> {
        let mut name = path.as_os_str().to_os_string();
        name.push(format!(".{}", process::pid()));
        let name = PathBuf::from(name);
        remove_socket(&name)?;
        // Owner and mode are right before anybody can connect: until it listens, nobody can.
        let fd = bind_unix(&name, mode)?;
        let temporary = SocketFile::adopt(&name)?;
        set_mode(&name, mode)?;
        change_owner(&name, path, chown)?;
        // SAFETY: a plain call.
        check(unsafe { libc::listen(fd.as_raw_fd(), BACKLOG) })?;
        std::fs::hard_link(&name, path).map_err(Errno::from)?;
        // Both names are one file: only the lasting one is given up later.
        let file = SocketFile { path: path.to_path_buf(), identity: temporary.identity };
        drop(temporary);
        Ok(Listener { fd, file: Some(file) })
    }

    /// Its path, if it is a file.
    pub fn path(&self) -> Option<&Path> {
        self.file.as_ref().map(|file| file.path.as_path())
    }

    /// What is at its path now.
    pub fn place(&self) -> Place {
        match self.file.as_ref().map(|file| identity(&file.path).map(|identity| identity == file.identity)) {
            None | Some(Ok(true)) => Place::Own,
            Some(Err(Errno::ENOENT | Errno::ENOTDIR)) => Place::Nothing,
            Some(Ok(false) | Err(_)) => Place::Other,
        }
    }

    /// Whether [`Listener::unix`] would succeed; makes and removes nothing. Whoever listens there is asked as at a
    /// start.
    pub fn could_unix(path: &Path, (uid, gid): (i64, i64)) -> Result<(), ListenError> {
        let text = path.to_string_lossy();
        unix_address(Path::new(&format!("{text}.{}", process::pid())))?;
        match std::fs::symlink_metadata(path) {
            Ok(meta) if !meta.file_type().is_socket() => return Err(ListenError::Failed(Errno::EEXIST)),
            Ok(_) if is_alive(path) => return Err(ListenError::InUse),
            _ => super::files::could_create(&format!("{text}.{}", process::pid()))?,
        }
        match process::may_give_away(uid, gid) {
            true => Ok(()),
            false => Err(ListenError::Chown { path: text.into_owned(), uid, gid }),
        }
    }

    /// The next connection, non-blocking; `EAGAIN` when there is none, `EMFILE` when there is no descriptor left.
    pub fn accept(&self) -> Result<(OwnedFd, Client), Errno> {
        // SAFETY: the address is valid for its length; on success the descriptor is new and ours alone.
        unsafe {
            let mut address: libc::sockaddr_storage = std::mem::zeroed();
            let mut length = std::mem::size_of::<libc::sockaddr_storage>() as libc::socklen_t;
            let flags = libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
            let pointer = ptr::from_mut(&mut address).cast();
            let fd = check(libc::accept4(self.fd.as_raw_fd(), pointer, &mut length, flags))?;
            Ok((OwnedFd::from_raw_fd(fd), client(&address)))
        }
    }

    /// To watch for connections.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Asks whoever owns the socket at `path` for a sign of life; removes it if there is none (HTTP-004, HTTP-005).
fn give_way(path: &Path) -> Result<(), ListenError> {
    let is_socket = match std::fs::symlink_metadata(path) {
        Ok(meta) => meta.file_type().is_socket(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Errno::from(error).into()),
    };
    if !is_socket {
        return Err(ListenError::Failed(Errno::EEXIST));
    }
    if is_alive(path) {
        return Err(ListenError::InUse);
    }
    eprintln!("Unlinking stale socket {}", path.display());
    remove_socket(path)?;
    io::pause(STALE_PAUSE_MILLIS);
    Ok(())
}

/// Whether somebody answers at a unix socket. Whoever is silent for too long, or forbids to ask, is taken for alive.
fn is_alive(path: &Path) -> bool {
    let (Ok(fd), Ok(address)) = (socket(libc::AF_UNIX), unix_address(path)) else { return true };
    let (pointer, length) = (ptr::from_ref(&address.0).cast(), address.1);
    // SAFETY: the address is valid for its length.
    match check(unsafe { libc::connect(fd.as_raw_fd(), pointer, length) }) {
        Ok(_) => {}
        Err(Errno::ECONNREFUSED | Errno::ENOENT) => return false,
        Err(_) => return true,
    }
    if io::send(fd.as_fd(), b"GET / HTTP/1.0\r\n\r\n").is_err() {
        return false;
    }
    if !io::wait_ready(fd.as_fd(), false, PROBE_MILLIS) {
        return true;
    }
    io::recv(fd.as_fd(), &mut [0]).is_ok_and(|count| count > 0)
}

/// Removes a socket, and nothing but a socket.
fn remove_socket(path: &Path) -> Result<(), Errno> {
    match std::fs::symlink_metadata(path) {
        Ok(meta) if meta.file_type().is_socket() => Ok(std::fs::remove_file(path)?),
        // Binding to a name that is taken says so.
        _ => Ok(()),
    }
}

/// Gives a socket its mode, where the umask has taken something away. A link that somebody has put in its place would
/// lead to a file of theirs or of root's: it is not followed.
pub(super) fn set_mode(path: &Path, mode: u32) -> Result<(), Errno> {
    let socket = OpenOptions::new().read(true).custom_flags(libc::O_PATH | libc::O_NOFOLLOW).open(path)?;
    let meta = socket.metadata()?;
    if !meta.file_type().is_socket() {
        return Err(Errno::EEXIST);
    }
    if meta.mode() & 0o7777 == mode {
        return Ok(());
    }
    // By way of the descriptor, which can't be exchanged.
    let open = format!("/proc/self/fd/{}", socket.as_raw_fd());
    Ok(std::fs::set_permissions(open, std::fs::Permissions::from_mode(mode))?)
}

/// Gives the socket at `place`, which is `path` in messages, to its owner.
fn change_owner(place: &Path, path: &Path, (uid, gid): (i64, i64)) -> Result<(), ListenError> {
    if (uid, gid) == (-1, -1) {
        return Ok(());
    }
    let wanted = |id: i64| u32::try_from(id).ok();
    match std::os::unix::fs::lchown(place, wanted(uid), wanted(gid)).map_err(Errno::from) {
        Ok(()) => Ok(()),
        Err(Errno::EPERM) => Err(ListenError::Chown { path: path.display().to_string(), uid, gid }),
        Err(error) => Err(error.into()),
    }
}

/// A stream socket, non-blocking and close-on-exec.
pub(super) fn socket(family: libc::c_int) -> Result<OwnedFd, Errno> {
    let kind = libc::SOCK_STREAM | libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
    // SAFETY: on success the descriptor is new and ours alone.
    unsafe { Ok(OwnedFd::from_raw_fd(check(libc::socket(family, kind, 0))?)) }
}

fn set_option(fd: BorrowedFd<'_>, level: libc::c_int, option: libc::c_int) -> Result<(), Errno> {
    set_option_to(fd, level, option, 1)
}

/// Has the kernel find out who is gone without a word: who only listens is never written to. What is accepted inherits
/// it. Where that can't be had, it is done without.
fn keep_alive(fd: BorrowedFd<'_>) {
    let _ = set_option(fd, libc::SOL_SOCKET, libc::SO_KEEPALIVE);
    for (option, value) in [
        (libc::TCP_KEEPIDLE, KEEPALIVE_IDLE_SECS),
        (libc::TCP_KEEPINTVL, KEEPALIVE_INTERVAL_SECS),
        (libc::TCP_KEEPCNT, KEEPALIVE_PROBES),
    ] {
        let _ = set_option_to(fd, libc::IPPROTO_TCP, option, value);
    }
}

fn set_option_to(fd: BorrowedFd<'_>, level: i32, option: i32, value: libc::c_int) -> Result<(), Errno> {
    let length = std::mem::size_of::<libc::c_int>() as libc::socklen_t;
    // SAFETY: the value is one int.
    check(unsafe { libc::setsockopt(fd.as_raw_fd(), level, option, ptr::from_ref(&value).cast(), length) }).map(|_| ())
}

/// A socket at this path, with at most this mode from the beginning: the umask takes away from it.
pub(super) fn bind_unix(path: &Path, mode: u32) -> Result<OwnedFd, Errno> {
    let fd = socket(libc::AF_UNIX)?;
    let address = unix_address(path)?;
    // SAFETY: a plain call. Where it is refused, the umask alone decides until the mode is set.
    unsafe { libc::fchmod(fd.as_raw_fd(), mode as libc::mode_t) };
    // SAFETY: the address is valid for its length.
    check(unsafe { libc::bind(fd.as_raw_fd(), ptr::from_ref(&address.0).cast(), address.1) })?;
    Ok(fd)
}

/// The address of a path, and its length; `ENAMETOOLONG` for more than about 107 bytes.
pub(super) fn unix_address(path: &Path) -> Result<(libc::sockaddr_un, libc::socklen_t), Errno> {
    let bytes = c_string(path.as_os_str().as_encoded_bytes())?.into_bytes_with_nul();
    // SAFETY: all-zero is a valid address.
    let mut address: libc::sockaddr_un = unsafe { std::mem::zeroed() };
    address.sun_family = libc::AF_UNIX as libc::sa_family_t;
    if bytes.len() > address.sun_path.len() {
        return Err(Errno::ENAMETOOLONG);
    }
    for (to, from) in address.sun_path.iter_mut().zip(bytes) {
        *to = from as libc::c_char;
    }
    Ok((address, std::mem::size_of::<libc::sockaddr_un>() as libc::socklen_t))
}

/// A list of addresses from getaddrinfo(3).
struct Addresses {
    first: *mut libc::addrinfo,
}

impl Addresses {
    fn resolve(host: &str, port: u16) -> Result<Addresses, ListenError> {
        let everywhere = host.is_empty() || host == "*";
        let host = c_string(host.trim_start_matches('[').trim_end_matches(']'))?;
        let service = c_string(port.to_string())?;
        // SAFETY: all-zero hints are valid; names are valid strings; on success the list is ours to free.
        unsafe {
            let mut hints: libc::addrinfo = std::mem::zeroed();
            hints.ai_family = if everywhere { libc::AF_INET } else { libc::AF_UNSPEC };
            hints.ai_socktype = libc::SOCK_STREAM;
            hints.ai_flags = libc::AI_PASSIVE | libc::AI_NUMERICSERV;
            let node = if everywhere { ptr::null() } else { host.as_ptr() };
            let mut first = ptr::null_mut();
            match libc::getaddrinfo(node, service.as_ptr(), &hints, &mut first) {
                0 => Ok(Addresses { first }),
                libc::EAI_SYSTEM => Err(super::last_errno().into()),
                number => Err(ListenError::Resolver(number)),
            }
        }
    }

    fn iter(&self) -> impl Iterator<Item = &libc::addrinfo> {
        // SAFETY: the list is valid until it is dropped.
        std::iter::successors(unsafe { self.first.as_ref() }, |entry| unsafe { entry.ai_next.as_ref() })
    }

    /// The first IPv4 address, or the first of all.
    fn best(&self) -> Option<&libc::addrinfo> {
        self.iter().find(|entry| entry.ai_family == libc::AF_INET).or_else(|| self.iter().next())
    }
}

impl Drop for Addresses {
    fn drop(&mut self) {
        // SAFETY: the list came from getaddrinfo and is freed once.
        unsafe { libc::freeaddrinfo(self.first) };
    }
}

/// Reads an address that accept(2) has written.
fn client(address: &libc::sockaddr_storage) -> Client {
    // SAFETY: each family says which of the smaller structures the storage holds; it is large and aligned enough.
    unsafe {
        match libc::c_int::from(address.ss_family) {
            libc::AF_INET => {
                let inet = &*ptr::from_ref(address).cast::<libc::sockaddr_in>();
                let ip = u32::from_be(inet.sin_addr.s_addr).into();
                Some(SocketAddrV4::new(ip, u16::from_be(inet.sin_port)).into())
            }
            libc::AF_INET6 => {
                let inet = &*ptr::from_ref(address).cast::<libc::sockaddr_in6>();
                let ip = inet.sin6_addr.s6_addr.into();
                Some(SocketAddrV6::new(ip, u16::from_be(inet.sin6_port), 0, inet.sin6_scope_id).into())
            }
            _ => None,
        }
    }
}

#[cfg(test)]
#[path = "sockets_tests.rs"]
mod tests;
