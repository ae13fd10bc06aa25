//! Listening sockets, against the standard library's clients.
//!
//! Compiled for `#[cfg(test)]` only.

use super::*;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("sockets-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn names(&self) -> Vec<String> {
        crate::sys::files::list(self.0.to_str().unwrap()).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn http_002_tcp() {
    let port = free_port();
    let listener = Listener::inet("127.0.0.1", port).unwrap();
    assert_eq!(listener.accept().err(), Some(Errno::EAGAIN));
    let mut client = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let (fd, name) = listener.accept().unwrap();
    assert_eq!(name, Some(client.local_addr().unwrap()));
    // Inherited from the listener, which spares a call for each connection.
    for (level, option, expected) in [
        (libc::IPPROTO_TCP, libc::TCP_NODELAY, 1),
        (libc::SOL_SOCKET, libc::SO_KEEPALIVE, 1),
        (libc::IPPROTO_TCP, libc::TCP_KEEPIDLE, KEEPALIVE_IDLE_SECS),
    ] {
        let mut value: libc::c_int = 0;
        let mut length = std::mem::size_of::<libc::c_int>() as libc::socklen_t;
        // SAFETY: one int.
        unsafe {
            let pointer = ptr::from_mut(&mut value).cast();
            libc::getsockopt(fd.as_raw_fd(), level, option, pointer, &mut length);
        }
        assert_eq!(value, expected, "{option}");
    }
    assert_eq!(io::recv(fd.as_fd(), &mut [0]), Err(Errno::EAGAIN));
    assert_eq!(io::send(fd.as_fd(), b"hi"), Ok(2));
    io::shutdown_write(fd.as_fd());
    let mut got = String::new();
    client.read_to_string(&mut got).unwrap();
    assert_eq!(got, "hi");
    // CFG-176.
    let error = Listener::inet("127.0.0.1", port).unwrap_err();
    assert_eq!(error, ListenError::InUse);
    assert!(error.to_string().starts_with("Another program is already listening on a port that one of our HTTP "));
}

#[test]
fn http_002_every_interface() {
    for host in ["", "*"] {
        let port = free_port();
        let listener = Listener::inet(host, port).unwrap();
        let client = TcpStream::connect(("127.0.0.1", port)).unwrap();
        assert_eq!(listener.accept().unwrap().1, Some(client.local_addr().unwrap()));
    }
}

#[test]
fn tcp_over_ipv6() {
    let port = free_port();
    // A machine without IPv6 has nothing to test.
    if std::net::TcpListener::bind("[::1]:0").is_err() {
        return;
    }
    for host in ["::1", "[::1]"] {
        let listener = Listener::inet(host, port).unwrap();
        let client = TcpStream::connect(("::1", port)).unwrap();
        assert_eq!(listener.accept().unwrap().1, Some(client.local_addr().unwrap()));
    }
}

#[test]
fn cfg_176_other_errors_are_named() {
    assert_eq!(
        ListenError::from(Errno::ENOENT).to_string(),
        "Cannot open an HTTP server: socket.error reported errno.ENOENT (2)"
    );
    assert_eq!(ListenError::Resolver(-2).to_string(), "Cannot open an HTTP server: socket.error reported -2");
    // Not an address of this machine (RFC 5737).
    assert_eq!(Listener::inet("192.0.2.1", 1).unwrap_err(), ListenError::Failed(Errno::EADDRNOTAVAIL));
    assert!(matches!(Listener::inet("no host at all", 1).unwrap_err(), ListenError::Resolver(_)));
    // HTTP-007.
    let missing = Path::new("/nonexistent/s.sock");
    assert_eq!(Listener::unix(missing, 0o700, (-1, -1)).unwrap_err(), ListenError::Failed(Errno::ENOENT));
}

#[test]
fn a_mode_is_not_given_to_what_a_link_leads_to() {
    let folder = Folder::new("mode");
    let (file, link, socket) = (folder.0.join("file"), folder.0.join("link"), folder.0.join("socket"));
    std::fs::write(&file, "").unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::os::unix::fs::symlink(&file, &link).unwrap();
    assert_eq!([set_mode(&link, 0o777), set_mode(&file, 0o777)], [Err(Errno::EEXIST); 2]);
    assert_eq!(std::fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
    let _listener = UnixListener::bind(&socket).unwrap();
    for mode in [0o600, 0o777, 0o777] {
        assert_eq!(set_mode(&socket, mode), Ok(()));
        assert_eq!(std::fs::metadata(&socket).unwrap().mode() & 0o777, mode);
    }
}

#[test]
fn http_003_a_unix_socket_appears_with_its_mode_and_goes() {
    let folder = Folder::new("unix");
    let path = folder.0.join("s.sock");
    // SAFETY: cannot fail.
    let own = i64::from(unsafe { libc::getuid() });
    let listener = Listener::unix(&path, 0o642, (own, -1)).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o642);
    assert_eq!(folder.names(), ["s.sock"]);
    let _client = UnixStream::connect(&path).unwrap();
    assert_eq!(listener.accept().unwrap().1, None);
    drop(listener);
    // HTTP-006.
    assert_eq!(folder.names(), [""; 0]);
}

#[test]
fn http_006_a_socket_of_another_instance_stays() {
    let folder = Folder::new("other");
    let path = folder.0.join("s.sock");
    let listener = Listener::unix(&path, 0o700, (-1, -1)).unwrap();
    std::fs::remove_file(&path).unwrap();
    let _other = UnixListener::bind(&path).unwrap();
    drop(listener);
    assert_eq!(folder.names(), ["s.sock"]);
}

#[test]
fn http_004_a_stale_socket_gives_way() {
    let folder = Folder::new("stale");
    let path = folder.0.join("s.sock");
    drop(UnixListener::bind(&path).unwrap());
    // What an instance with our process id left behind.
    drop(UnixListener::bind(format!("{}.{}", path.display(), process::pid())).unwrap());
    let _listener = Listener::unix(&path, 0o700, (-1, -1)).unwrap();
    let _client = UnixStream::connect(&path).unwrap();
    assert_eq!(folder.names(), ["s.sock"]);
}

#[test]
fn http_004_a_socket_that_answers_is_in_use() {
    let folder = Folder::new("live");
    let path = folder.0.join("s.sock");
    let other = UnixListener::bind(&path).unwrap();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = other.accept().unwrap();
        let mut asked = [0; 18];
        stream.read_exact(&mut asked).unwrap();
        stream.write_all(b"H").unwrap();
        asked
    });
    assert_eq!(Listener::unix(&path, 0o700, (-1, -1)).unwrap_err(), ListenError::InUse);
    assert_eq!(&server.join().unwrap(), b"GET / HTTP/1.0\r\n\r\n");
    assert_eq!(folder.names(), ["s.sock"]);
}

/// HTTP-005, BUG-034: somebody who takes the connection and says nothing is in use, and not waited for without end.
#[test]
fn http_005_a_socket_that_is_silent_is_in_use() {
    let folder = Folder::new("mute");
    let path = folder.0.join("s.sock");
    let _mute = UnixListener::bind(&path).unwrap();
    let begun = std::time::Instant::now();
    assert_eq!(Listener::unix(&path, 0o700, (-1, -1)).unwrap_err(), ListenError::InUse);
    let waited = begun.elapsed().as_secs_f32();
    assert!((4.5..30.0).contains(&waited), "{waited} s");
    assert_eq!(folder.names(), ["s.sock"]);
}

#[test]
fn http_005_only_sockets_are_ever_removed() {
    let folder = Folder::new("file");
    let path = folder.0.join("s.sock");
    std::fs::write(&path, "precious").unwrap();
    // BUG-033.
    assert_eq!(Listener::unix(&path, 0o700, (-1, -1)).unwrap_err(), ListenError::Failed(Errno::EEXIST));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
    std::fs::remove_file(&path).unwrap();
    // Somebody who can't be asked is alive.
    let _datagrams = UnixDatagram::bind(&path).unwrap();
    assert_eq!(Listener::unix(&path, 0o700, (-1, -1)).unwrap_err(), ListenError::InUse);
    assert_eq!(folder.names(), ["s.sock"]);
}

#[test]
fn cfg_177_an_owner_that_is_refused() {
    let error = ListenError::Chown { path: "/s".to_string(), uid: 1, gid: -1 };
    assert!(error.to_string().starts_with("Not permitted to chown /s to uid/gid (1, -1);"));
    // SAFETY: cannot fail.
    if unsafe { libc::getuid() } != 0 {
        let folder = Folder::new("chown");
        let path = folder.0.join("s.sock");
        let error = Listener::unix(&path, 0o700, (0, -1)).unwrap_err();
        assert!(matches!(error, ListenError::Chown { uid: 0, gid: -1, .. }));
        assert_eq!(folder.names(), [""; 0]);
    }
}
