//! Connecting without blocking, for a client that waits in its own way. Used by `supervisorctl` only.

use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::ptr;

use super::check;
use super::sockets::{socket, unix_address};
use crate::base::errno::Errno;

/// Begins to connect to a TCP server. It is over when the socket can be written to; `take_error` tells how it ended.
pub fn begin_inet(address: SocketAddr) -> Result<TcpStream, Errno> {
    let port = address.port().to_be();
    match address {
        SocketAddr::V4(address) => {
            // SAFETY: all-zero is a valid address.
            let mut raw: libc::sockaddr_in = unsafe { std::mem::zeroed() };
            raw.sin_family = libc::AF_INET as libc::sa_family_t;
            raw.sin_port = port;
            raw.sin_addr.s_addr = u32::from(*address.ip()).to_be();
            begin(libc::AF_INET, &raw)
        }
        SocketAddr::V6(address) => {
            // SAFETY: all-zero is a valid address.
            let mut raw: libc::sockaddr_in6 = unsafe { std::mem::zeroed() };
            raw.sin6_family = libc::AF_INET6 as libc::sa_family_t;
            raw.sin6_port = port;
            raw.sin6_addr.s6_addr = address.ip().octets();
            raw.sin6_scope_id = address.scope_id();
            begin(libc::AF_INET6, &raw)
        }
    }
    .map(TcpStream::from)
}

/// Connects to a unix socket. `EAGAIN`: the server's queue is full now.
pub fn unix(path: &Path) -> Result<UnixStream, Errno> {
    let (address, _) = unix_address(path)?;
    begin(libc::AF_UNIX, &address).map(UnixStream::from)
}

/// A socket of a family and the beginning of its connection; `address` is the family's kind of address. (Any other is
/// refused by the kernel, which only reads it.)
fn begin<T>(family: libc::c_int, address: &T) -> Result<OwnedFd, Errno> {
    let fd = socket(family)?;
    let length = std::mem::size_of::<T>() as libc::socklen_t;
    // SAFETY: the address is valid for its length.
    match check(unsafe { libc::connect(fd.as_raw_fd(), ptr::from_ref(address).cast(), length) }) {
        // Interrupted is no less under way.
        Ok(_) | Err(Errno::EINPROGRESS | Errno::EINTR) => Ok(fd),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::io;
    use std::net::TcpListener;
    use std::os::fd::AsFd;

    fn connected(address: &str) {
        let listener = TcpListener::bind(address).unwrap();
        let stream = begin_inet(listener.local_addr().unwrap()).unwrap();
        assert!(io::wait_ready(stream.as_fd(), true, 10_000));
        assert!(stream.take_error().unwrap().is_none());
        assert_eq!(stream.peer_addr().unwrap(), listener.local_addr().unwrap());
    }

    #[test]
    fn both_kinds_of_addresses_work() {
        connected("127.0.0.1:0");
        // Not every machine has it.
        if TcpListener::bind("[::1]:0").is_ok() {
            connected("[::1]:0");
        }
    }

    #[test]
    fn nobody_there() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        // Told at once, or in the end.
        if let Ok(stream) = begin_inet(address) {
            assert!(io::wait_ready(stream.as_fd(), true, 10_000));
            assert!(stream.take_error().unwrap().is_some());
        }
        assert_eq!(unix(Path::new("/nowhere/at/all")).err(), Some(Errno::ENOENT));
    }
}
