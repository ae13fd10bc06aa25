//! Where a URL leads, and the way there: sockets that don't block, connected in a wait that Ctrl-C ends, and that a
//! deadline ends where there is one. Only the look-up of a host name can't be ended.

use std::io::{self, Read, Write};
use std::net::ToSocketAddrs;
use std::os::fd::AsFd;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::base::errno::Errno;
use crate::ctl::trouble::Trouble;
use crate::sys::connect;
use crate::sys::terminal::{self, Woken};

/// When to knock again at a unix socket with a full queue.
const FULL_PAUSE: Duration = Duration::from_millis(20);

/// Where a URL leads (CTL-009, CTL-010).
#[derive(Debug, PartialEq)]
pub enum Server {
    /// TCP: name or address, and port.
    Inet { host: String, port: u16 },
    /// A unix socket.
    Unix { path: String },
}

impl Server {
    /// Path, user and password of an `http` URL say nothing (CTL-009).
    pub fn parse(url: &str) -> Result<Server, Trouble> {
        let unknown = || Trouble::Value(format!("Unknown protocol for serverurl {url}"));
        if let Some(path) = url.strip_prefix("unix://") {
            return Ok(Server::Unix { path: path.to_string() });
        }
        let rest = url.strip_prefix("http://").ok_or_else(unknown)?;
        let authority = rest.split(['/', '?', '#']).next().unwrap_or("");
        let address = authority.rsplit_once('@').map_or(authority, |parts| parts.1);
        let (host, port) = match address.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, port),
            _ => (address, ""),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let port = if port.is_empty() { Some(80) } else { port.parse().ok() };
        match port {
            _ if host.is_empty() => Err(Trouble::Value(format!("no host in serverurl {url}"))),
            None => Err(Trouble::Value(format!("no port number in serverurl {url}"))),
            Some(port) => Ok(Server::Inet { host: host.to_string(), port }),
        }
    }

    /// A connected socket, and what the Host header says.
    pub fn connect(&self, deadline: Deadline) -> Result<(Box<dyn Stream>, String), Trouble> {
        match self {
            Server::Unix { path } => Ok((connect_unix(path, deadline)?, "localhost".to_string())),
            Server::Inet { host, port } => {
                let stream = connect_inet(host, *port, deadline)?;
                let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
                Ok((stream, format!("{host}:{port}")))
            }
        }
    }
}

/// Tries the addresses of a host one after the other; all of them have the one deadline.
fn connect_inet(host: &str, port: u16, deadline: Deadline) -> Result<Box<dyn Stream>, Trouble> {
    let mut refused = Trouble::Value(format!("no address of {host}"));
    for address in (host, port).to_socket_addrs()? {
        let stream = match connect::begin_inet(address) {
            Ok(stream) => stream,
            Err(error) => {
                refused = Trouble::Os(error);
                continue;
            }
        };
        deadline.heed(|patience| terminal::wait_for_room(stream.as_fd(), patience))?;
        match stream.take_error()? {
            Some(error) => refused = error.into(),
            None => {
                stream.set_nodelay(true)?;
                return Ok(Box::new(stream));
            }
        }
    }
    Err(refused)
}

fn connect_unix(path: &str, deadline: Deadline) -> Result<Box<dyn Stream>, Trouble> {
    loop {
        match connect::unix(Path::new(path)) {
            Ok(stream) => return Ok(Box::new(stream)),
            // The server's queue is full, and nothing tells when it has room again.
            Err(Errno::EAGAIN) => {
                if deadline.is_over() {
                    return Err(Trouble::Os(Errno::ETIMEDOUT));
                }
                if terminal::wait_for_input(&[], Some(FULL_PAUSE))? == Woken::Interrupted {
                    return Err(Trouble::Interrupted);
                }
            }
            Err(error) => return Err(Trouble::Os(error)),
        }
    }
}

/// Until when a server may keep us waiting; `None`: for ever.
#[derive(Clone, Copy)]
pub struct Deadline(Option<Instant>);

impl Deadline {
    /// So long from now.
    pub fn after(patience: Option<Duration>) -> Deadline {
        Deadline(patience.map(|patience| Instant::now() + patience))
    }

    /// Waits for a socket, by a function that gets how long it may take.
    pub fn heed(self, wait: impl FnOnce(Option<Duration>) -> io::Result<Woken>) -> Result<(), Trouble> {
        match wait(self.0.map(|deadline| deadline.saturating_duration_since(Instant::now())))? {
            Woken::Interrupted => Err(Trouble::Interrupted),
            Woken::Nothing => Err(Trouble::Os(Errno::ETIMEDOUT)),
            Woken::Input(_) => Ok(()),
        }
    }

    /// Whether it has passed.
    pub fn is_over(self) -> bool {
        self.0.is_some_and(|deadline| deadline <= Instant::now())
    }
}

/// Either kind of socket.
pub trait Stream: Read + Write + AsFd {}
impl<T: Read + Write + AsFd> Stream for T {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ctl_009_urls() {
        let inet = |host: &str, port| Ok(Server::Inet { host: host.to_string(), port });
        for (url, server) in [
            ("http://localhost:9001", inet("localhost", 9001)),
            ("http://example.org", inet("example.org", 80)),
            ("http://example.org/some/path", inet("example.org", 80)),
            ("http://me:pw@127.0.0.1:9001/x?y", inet("127.0.0.1", 9001)),
            ("http://[::1]:9001", inet("::1", 9001)),
            ("http://[::1]", inet("::1", 80)),
            ("unix:///run/s.sock", Ok(Server::Unix { path: "/run/s.sock".to_string() })),
        ] {
            assert_eq!(Server::parse(url), server, "{url}");
        }
        // CTL-006.
        for url in ["gopher://x", "HTTP://x", "x", "unix:/x", ""] {
            assert_eq!(Server::parse(url), Err(Trouble::Value(format!("Unknown protocol for serverurl {url}"))));
        }
        for url in ["http://", "http://:80", "http://x:y", "http://x:99999"] {
            assert!(matches!(Server::parse(url), Err(Trouble::Value(_))), "{url}");
        }
    }
}
