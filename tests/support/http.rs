//! A client that sends exactly the bytes it is given and reads answers as RFC 9112 says. It never repeats a request
//! and never hides what the server did.

use std::io::{Error, ErrorKind, Read, Result, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where a server listens.
#[derive(Clone, Debug)]
pub enum Address {
    Inet(SocketAddr),
    Unix(PathBuf),
}

impl Address {
    /// A port of this machine.
    pub fn port(port: u16) -> Address {
        Address::Inet(SocketAddr::from(([127, 0, 0, 1], port)))
    }

    /// A socket file.
    pub fn file(path: &Path) -> Address {
        Address::Unix(path.to_path_buf())
    }
}

enum Socket {
    Inet(TcpStream),
    Unix(UnixStream),
}

/// A connection.
pub struct Client {
    socket: Socket,
    /// Received, not yet taken as part of an answer.
    pub unread: Vec<u8>,
}

/// An answer.
#[derive(Clone, PartialEq, Debug)]
pub struct Reply {
    pub version: String,
    pub status: u16,
    pub reason: String,
    /// In the order received, names as written.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    /// A header's value; the name may be in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The same answer without its time of day, for comparing.
    pub fn without_date(mut self) -> Reply {
        self.headers.retain(|(key, _)| key != "Date");
        self
    }

    /// Whether the headers say that the connection ends here.
    pub fn says_close(&self) -> bool {
        self.header("Connection").is_some_and(|value| value.eq_ignore_ascii_case("close"))
    }
}

impl Client {
    /// A new connection; reading gives up after 20 s.
    pub fn connect(address: &Address) -> Result<Client> {
        let patience = Some(Duration::from_secs(20));
        let socket = match address {
            Address::Inet(address) => {
                let socket = TcpStream::connect(address)?;
                socket.set_nodelay(true)?;
                socket.set_read_timeout(patience)?;
                socket.set_write_timeout(patience)?;
                Socket::Inet(socket)
            }
            Address::Unix(path) => {
                let socket = UnixStream::connect(path)?;
                socket.set_read_timeout(patience)?;
                socket.set_write_timeout(patience)?;
                Socket::Unix(socket)
            }
        };
        Ok(Client { socket, unread: Vec::new() })
    }

    /// Sends all of it.
    pub fn send(&mut self, bytes: &[u8]) -> Result<()> {
        match &mut self.socket {
            Socket::Inet(socket) => socket.write_all(bytes),
            Socket::Unix(socket) => socket.write_all(bytes),
        }
    }

    /// Sends what goes without waiting; says how much.
    pub fn send_some(&mut self, bytes: &[u8]) -> Result<usize> {
        match &mut self.socket {
            Socket::Inet(socket) => {
                socket.set_nonblocking(true)?;
                let sent = socket.write(bytes);
                socket.set_nonblocking(false)?;
                sent
            }
            Socket::Unix(socket) => {
                socket.set_nonblocking(true)?;
                let sent = socket.write(bytes);
                socket.set_nonblocking(false)?;
                sent
            }
        }
    }

    /// No more will be sent.
    pub fn end_sending(&mut self) -> Result<()> {
        match &mut self.socket {
            Socket::Inet(socket) => socket.shutdown(Shutdown::Write),
            Socket::Unix(socket) => socket.shutdown(Shutdown::Write),
        }
    }

    /// Receives what comes next into `unread`; says how much.
    pub fn read_some(&mut self) -> Result<usize> {
        let mut piece = [0; 16 * 1024];
        let count = loop {
            let count = match &mut self.socket {
                Socket::Inet(socket) => socket.read(&mut piece),
                Socket::Unix(socket) => socket.read(&mut piece),
            };
            // A stopped and continued test goes on with what it did.
            if !count.as_ref().is_err_and(|problem| problem.kind() == ErrorKind::Interrupted) {
                break count?;
            }
        };
        self.unread.extend_from_slice(&piece[..count]);
        Ok(count)
    }

    fn need_more(&mut self) -> Result<()> {
        match self.read_some()? {
            0 => Err(Error::new(ErrorKind::UnexpectedEof, "the server closed in the middle of an answer")),
            _ => Ok(()),
        }
    }

    /// Everything until the server closes.
    pub fn read_to_end(&mut self) -> Result<Vec<u8>> {
        while self.read_some()? > 0 {}
        Ok(std::mem::take(&mut self.unread))
    }

    /// Whether the server closes without another byte.
    pub fn is_closed_now(&mut self) -> bool {
        match self.read_to_end() {
            Ok(rest) => rest.is_empty(),
            Err(problem) => problem.kind() == ErrorKind::ConnectionReset,
        }
    }

    /// The head of an answer: it has no body yet.
    pub fn read_head(&mut self) -> Result<Reply> {
        let end = loop {
            if let Some(at) = self.unread.windows(4).position(|four| four == b"\r\n\r\n") {
                break at;
            }
            self.need_more()?;
        };
        let head: Vec<u8> = self.unread.drain(..end + 4).collect();
        let head = std::str::from_utf8(&head[..end]).map_err(|_| wrong("a head that is no text"))?;
        let mut lines = head.split("\r\n");
        let mut words = lines.next().unwrap_or_default().splitn(3, ' ');
        let version = words.next().unwrap_or_default().to_string();
        let status = words.next().and_then(|word| word.parse().ok()).ok_or_else(|| wrong("a status line"))?;
        let reason = words.next().ok_or_else(|| wrong("a reason"))?.to_string();
        let mut headers = Vec::new();
        for line in lines {
            let (name, value) = line.split_once(": ").ok_or_else(|| wrong(line))?;
            headers.push((name.to_string(), value.to_string()));
        }
        Ok(Reply { version, status, reason, headers, body: Vec::new() })
    }

    /// A whole answer.
    pub fn read_reply(&mut self) -> Result<Reply> {
        let mut reply = self.read_head()?;
        if (100..200).contains(&reply.status) || reply.status == 304 {
            return Ok(reply);
        }
        if reply.header("Transfer-Encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked")) {
            while let Some(chunk) = self.read_chunk()? {
                reply.body.extend(chunk);
            }
        } else if let Some(length) = reply.header("Content-Length") {
            let length: usize = length.parse().map_err(|_| wrong("a length"))?;
            while self.unread.len() < length {
                self.need_more()?;
            }
            reply.body = self.unread.drain(..length).collect();
        } else {
            reply.body = self.read_to_end()?;
        }
        Ok(reply)
    }

    /// The next chunk of a chunked body; `None` is its end.
    pub fn read_chunk(&mut self) -> Result<Option<Vec<u8>>> {
        let end = loop {
            if let Some(at) = self.unread.windows(2).position(|two| two == b"\r\n") {
                break at;
            }
            self.need_more()?;
        };
        let line: Vec<u8> = self.unread.drain(..end + 2).collect();
        let digits = std::str::from_utf8(&line[..end]).map_err(|_| wrong("a chunk's size"))?;
        let size = usize::from_str_radix(digits, 16).map_err(|_| wrong("a chunk's size"))?;
        while self.unread.len() < size + 2 {
            self.need_more()?;
        }
        let data: Vec<u8> = self.unread.drain(..size + 2).collect();
        match (&data[size..] == b"\r\n", size) {
            (false, _) => Err(wrong("a chunk's end")),
            (true, 0) => Ok(None),
            (true, _) => Ok(Some(data[..size].to_vec())),
        }
    }

    /// One request, one answer.
    pub fn ask(&mut self, request: &[u8]) -> Result<Reply> {
        self.send(request)?;
        self.read_reply()
    }
}

fn wrong(what: &str) -> Error {
    Error::new(ErrorKind::InvalidData, format!("not an answer: {what:?}"))
}
