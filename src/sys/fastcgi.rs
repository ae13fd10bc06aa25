//! The listening sockets that FastCGI programs get as descriptor 0 (PROC-133, PROC-134).
//!
//! Opening may block for the first look-up of a configured host name, when its group is made; never again.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener, ToSocketAddrs};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::Path;

use super::sockets::{bind_unix, set_mode};
use super::{check, files, io};
use crate::base::errno::Errno;
use crate::base::maps::ByName;
use crate::config::spec::FastCgiSpec;

/// Opens sockets, and remembers the addresses of hosts.
#[derive(Default)]
pub struct FastCgi {
    hosts: ByName<Ipv4Addr>,
}

impl FastCgi {
    /// A socket that listens, blocking for its programs and close-on-exec for the daemon. The error is its text.
    pub fn open(&mut self, spec: &FastCgiSpec) -> Result<OwnedFd, String> {
        let fd = match spec.url.strip_prefix("unix://") {
            Some(path) => unix(Path::new(path), spec)?,
            None => self.inet(spec.url.strip_prefix("tcp://").unwrap_or_default())?,
        };
        let backlog = spec.backlog.map_or(libc::SOMAXCONN, |backlog| backlog as libc::c_int);
        // SAFETY: a plain call on an open descriptor; to listen again only changes the backlog.
        check(unsafe { libc::listen(fd.as_raw_fd(), backlog) }).map_err(|error| error.to_string())?;
        Ok(fd)
    }

    /// Whether [`FastCgi::open`] is likely to succeed; makes and removes no file.
    pub fn could_open(&mut self, spec: &FastCgiSpec) -> Result<(), String> {
        match spec.url.strip_prefix("unix://") {
            Some(path) => files::could_create(path).map_err(|error| error.to_string()),
            None => self.open(spec).map(|_| ()),
        }
    }

    /// The library sets SO_REUSEADDR.
    fn inet(&mut self, address: &str) -> Result<OwnedFd, String> {
        let (host, port) = address.rsplit_once(':').unwrap_or_default();
        let port: u16 = port.parse().unwrap_or_default();
        let ip = match self.hosts.get(host) {
            Some(ip) => *ip,
            None => {
                let mut found = (host, port).to_socket_addrs().map_err(|error| error.to_string())?;
                let ip = found.find_map(|address| match address {
                    SocketAddr::V4(v4) => Some(*v4.ip()),
                    SocketAddr::V6(_) => None,
                });
                ip.ok_or_else(|| format!("{host} has no IPv4 address"))?
            }
        };
        self.hosts.insert(host.to_string(), ip);
        let listener = TcpListener::bind(SocketAddrV4::new(ip, port));
        Ok(listener.map_err(|error| Errno::from(error).to_string())?.into())
    }
}

/// Whatever is at the path makes room; owner and mode are right before anybody can connect.
fn unix(path: &Path, spec: &FastCgiSpec) -> Result<OwnedFd, String> {
    match std::fs::remove_file(path).map_err(Errno::from) {
        Ok(()) | Err(Errno::ENOENT) => {}
        Err(error) => return Err(error.to_string()),
    }
    let fd = bind_unix(path, spec.mode).map_err(|error| error.to_string())?;
    io::set_blocking(fd.as_fd()).map_err(|error| error.to_string())?;
    if let Some((uid, gid)) = spec.owner {
        let wanted = |id: i64| u32::try_from(id).ok();
        std::os::unix::fs::lchown(path, wanted(uid), wanted(gid))
            .map_err(|error| format!("Could not change ownership of socket file: {}", Errno::from(error)))?;
    }
    set_mode(path, spec.mode).map_err(|error| format!("Could not change permissions of socket file: {error}"))?;
    Ok(fd)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
    use std::os::unix::net::UnixStream;

    fn spec(url: &str) -> FastCgiSpec {
        FastCgiSpec { url: url.to_string(), backlog: Some(3), owner: None, mode: 0o640 }
    }

    #[test]
    fn proc_133_a_unix_socket_takes_the_place_of_what_was_there() {
        let path = std::env::temp_dir().join(format!("fastcgi-{}", std::process::id()));
        std::fs::write(&path, "in the way").unwrap();
        let spec = spec(&format!("unix://{}", path.display()));
        let fd = FastCgi::default().open(&spec).unwrap();
        let meta = std::fs::metadata(&path).unwrap();
        assert!(meta.file_type().is_socket());
        assert_eq!(meta.permissions().mode() & 0o777, 0o640);
        UnixStream::connect(&path).unwrap();
        // SAFETY: asks only.
        let flags = unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_GETFL) };
        assert_eq!(flags & libc::O_NONBLOCK, 0, "programs wait in accept(2)");
        drop(fd);
        // The file is left behind, and nobody listens.
        assert!(std::fs::metadata(&path).unwrap().uid() == super::super::process::uid());
        assert!(UnixStream::connect(&path).is_err());
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn proc_133_errors_name_their_cause() {
        let there = |url: &str| FastCgi::default().open(&spec(url)).map(|_| ());
        assert_eq!(there("unix:///nowhere/at/all"), Err(Errno::ENOENT.to_string()));
        assert_eq!(there("unix:///proc"), Err(Errno::EISDIR.to_string()));
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("tcp://localhost:{}", taken.local_addr().unwrap().port());
        assert_eq!(there(&url), Err(Errno::EADDRINUSE.to_string()));
    }
}
