//! A server at the other end of a socket: XML-RPC calls, and logs as they grow.
//!
//! One connection serves the calls of one command line (HTTP-141). Nothing is sent twice: a call that may have
//! arrived is not repeated.
//!
//! Sockets don't block: we connect, send and receive in waits that Ctrl-C ends, and that a deadline ends where there is
//! one.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::base::errno::Errno;
use crate::base::limits;
use crate::base::value::Value;
use crate::ctl::dial::{Deadline, Server, Stream};
use crate::ctl::trouble::Trouble;
use crate::sys::terminal;
use crate::wire::http_client::{ResponseReader, write_request};
use crate::wire::xml_read::read_response;
use crate::wire::xml_write::write_call;

/// What a dialogue needs of a server. Tests have a pretended one.
pub trait Remote {
    /// The server's URL as the user knows it.
    fn url(&self) -> &str;
    /// Calls a method and waits for the answer.
    fn call(&mut self, method: &str, params: &[Value]) -> Result<Value, Trouble>;
    /// Begins to read a log stream (HTTP-100).
    fn follow(&mut self, path: &str) -> Result<LogStream, FollowError>;
    /// Another server from here on.
    fn open(&mut self, url: &str);
    /// These credentials from here on.
    fn log_in(&mut self, username: String, password: String);
    /// Closes the connection; the next call makes a new one.
    fn hang_up(&mut self);
    /// Another connection to the same server in the same name, for questions by the way: it doesn't wait for ever.
    fn twin(&self) -> Box<dyn Remote>;
}

/// Why a log can't be followed.
#[derive(Debug)]
pub enum FollowError {
    /// The server answered with this HTTP status.
    Status(u16),
    /// The server can't be asked.
    Trouble(Trouble),
}

impl<T: Into<Trouble>> From<T> for FollowError {
    fn from(trouble: T) -> FollowError {
        FollowError::Trouble(trouble.into())
    }
}

/// The real server.
pub struct Client {
    url: String,
    username: Option<String>,
    password: Option<String>,
    connection: Option<Connection>,
    /// How long a call may take, connecting included; `None`: for ever.
    patience: Option<Duration>,
}

impl Client {
    /// Connects to nothing yet. Credentials are sent if both are there (CTL-011).
    pub fn new(url: String, username: Option<String>, password: Option<String>) -> Client {
        Client { url, username, password, connection: None, patience: None }
    }

    fn deadline(&self) -> Deadline {
        Deadline::after(self.patience)
    }

    fn connect(&self, deadline: Deadline) -> Result<Connection, Trouble> {
        let (stream, host) = Server::parse(&self.url)?.connect(deadline)?;
        Ok(Connection { stream, host, deadline })
    }

    fn authorization(&self) -> Option<String> {
        let (username, password) = (self.username.as_ref()?, self.password.as_ref()?);
        Some(format!("Basic {}", STANDARD.encode(format!("{username}:{password}"))))
    }

    fn exchange(&mut self, mut connection: Connection, body: &[u8]) -> Result<Vec<u8>, Trouble> {
        let authorization = self.authorization();
        let mut headers = vec![
            ("Host", connection.host.as_str()),
            ("User-Agent", concat!("majordomo-supervisorctl/", env!("CARGO_PKG_VERSION"))),
            ("Content-Type", "text/xml"),
            ("Accept", "text/xml"),
        ];
        headers.extend(authorization.as_deref().map(|value| ("Authorization", value)));
        let mut request = Vec::with_capacity(body.len() + 256);
        write_request(&mut request, "POST", "/RPC2", &headers, body);
        connection.send(&request)?;
        let mut answer = Vec::new();
        let mut reader = ResponseReader::new();
        while connection.receive(&mut reader, &mut answer)? {}
        let Some(head) = reader.head() else { return Err(Trouble::HungUp) };
        if head.status != 200 {
            return Err(Trouble::Status { code: head.status, reason: head.reason.clone() });
        }
        let closes = head.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
        if !closes && head.header("content-length").is_some() {
            self.connection = Some(connection);
        }
        Ok(answer)
    }
}

impl Remote for Client {
    fn url(&self) -> &str {
        &self.url
    }

    fn call(&mut self, method: &str, params: &[Value]) -> Result<Value, Trouble> {
        let mut body = Vec::new();
        write_call(&mut body, method, params);
        let deadline = self.deadline();
        let connection = match self.connection.take() {
            Some(connection) => Connection { deadline, ..connection },
            None => self.connect(deadline)?,
        };
        let answer = self.exchange(connection, &body)?;
        match read_response(&answer) {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(fault)) => Err(Trouble::Fault(fault)),
            Err(_) => Err(Trouble::BadAnswer("the server's answer is no XML-RPC".to_string())),
        }
    }

    fn follow(&mut self, path: &str) -> Result<LogStream, FollowError> {
        let mut connection = self.connect(self.deadline())?;
        let authorization = self.authorization();
        let mut headers = vec![("Host", connection.host.as_str()), ("Accept", "*/*")];
        headers.extend(authorization.as_deref().map(|value| ("Authorization", value)));
        let mut request = Vec::new();
        write_request(&mut request, "GET", path, &headers, b"");
        connection.send(&request)?;
        let mut reader = ResponseReader::new();
        let mut first = Vec::new();
        while reader.head().is_none() {
            if !connection.receive(&mut reader, &mut first)? {
                break;
            }
        }
        match reader.head() {
            Some(head) if head.status == 200 => Ok(LogStream { connection, reader, first }),
            Some(head) => Err(FollowError::Status(head.status)),
            None => Err(Trouble::HungUp.into()),
        }
    }

    fn open(&mut self, url: &str) {
        self.hang_up();
        self.url = url.to_string();
    }

    fn log_in(&mut self, username: String, password: String) {
        self.hang_up();
        (self.username, self.password) = (Some(username), Some(password));
    }

    fn hang_up(&mut self) {
        self.connection = None;
    }

    fn twin(&self) -> Box<dyn Remote> {
        let twin = Client::new(self.url.clone(), self.username.clone(), self.password.clone());
        Box::new(Client { patience: Some(limits::COMPLETION_PATIENCE), ..twin })
    }
}

/// A log that is being followed.
pub struct LogStream {
    connection: Connection,
    reader: ResponseReader,
    first: Vec<u8>,
}

impl LogStream {
    /// Waits for more of the log; `None`: there won't be more.
    pub fn next(&mut self) -> Result<Option<Vec<u8>>, Trouble> {
        let mut bytes = std::mem::take(&mut self.first);
        while bytes.is_empty() {
            match self.connection.receive(&mut self.reader, &mut bytes) {
                Ok(true) => {}
                Ok(false) | Err(Trouble::HungUp) => break,
                Err(trouble) => return Err(trouble),
            }
        }
        Ok(Some(bytes).filter(|bytes| !bytes.is_empty()))
    }

    /// Whether [`LogStream::next`] has something at once.
    pub fn is_ready(&self) -> bool {
        !self.first.is_empty()
    }
}

impl AsFd for LogStream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.connection.stream.as_fd()
    }
}

struct Connection {
    stream: Box<dyn Stream>,
    host: String,
    deadline: Deadline,
}

impl Connection {
    fn send(&mut self, mut bytes: &[u8]) -> Result<(), Trouble> {
        while !bytes.is_empty() {
            match self.stream.write(bytes) {
                Ok(0) => return Err(Trouble::HungUp),
                Ok(count) => bytes = &bytes[count..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.deadline.heed(|patience| terminal::wait_for_room(self.stream.as_fd(), patience))?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Takes the next piece of an answer and adds what belongs to its body to `body`. False: the answer is complete.
    fn receive(&mut self, reader: &mut ResponseReader, body: &mut Vec<u8>) -> Result<bool, Trouble> {
        if reader.is_done() {
            return Ok(false);
        }
        let mut piece = vec![0; limits::READ_BYTES];
        // A server that always has a little more is no better than one that says nothing.
        if self.deadline.is_over() {
            return Err(Trouble::Os(Errno::ETIMEDOUT));
        }
        self.deadline.heed(|patience| terminal::wait_for_input(&[self.stream.as_fd()], patience))?;
        let count = match self.stream.read(&mut piece) {
            Ok(count) => count,
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {
                return Ok(true);
            }
            Err(error) => return Err(error.into()),
        };
        if count == 0 {
            reader.finish_at_eof().map_err(|_| Trouble::HungUp)?;
            return Ok(false);
        }
        reader
            .push(&piece[..count], &mut |bytes| body.extend_from_slice(bytes))
            .map_err(|_| Trouble::BadAnswer("the server's answer is no HTTP".to_string()))?;
        Ok(!reader.is_done())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn ctl_011_credentials_need_both_halves() {
        let with = |username: Option<&str>, password: Option<&str>| {
            Client::new(String::new(), username.map(String::from), password.map(String::from)).authorization()
        };
        assert_eq!(with(Some("joe"), Some("secret")).as_deref(), Some("Basic am9lOnNlY3JldA=="));
        assert_eq!(with(Some("joe"), None), None);
        assert_eq!(with(None, Some("secret")), None);
    }

    /// CTL-155: a completion waits for an answer so long and no longer, also if a little of it comes all the time.
    #[test]
    fn ctl_155_patience_is_for_the_whole_exchange() {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let (mut stream, _) = listener.accept().unwrap();
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nX: ");
                // Until the client hangs up.
                for _ in 0..1000 {
                    if stream.write_all(b"x").is_err() {
                        return;
                    }
                    std::thread::sleep(Duration::from_millis(10));
                }
                panic!("it listened for 10 s");
            });
            let client = Client::new(url, None, None);
            let mut client = Client { patience: Some(Duration::from_millis(100)), ..client };
            let answer = client.call("supervisor.getAllProcessInfo", &[]);
            assert_eq!(answer, Err(Trouble::Os(Errno::ETIMEDOUT)));
        });
    }
}
