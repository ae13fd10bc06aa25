//! What can go wrong with a command, and how it is said (CTL-030).
//!
//! Scripts look at the class names, so they are those that users of Supervisor know, whatever ours are called.

use std::fmt;
use std::io;

use crate::base::errno::Errno;
use crate::base::text::repr;
use crate::base::words::Fault;

/// Why a command was given up.
#[derive(Clone, PartialEq, Debug)]
pub enum Trouble {
    /// The server answered with a fault.
    Fault(Fault),
    /// The server answered with an HTTP status other than 200.
    Status {
        /// The status.
        code: u16,
        /// Its reason phrase.
        reason: String,
    },
    /// The server's answer makes no sense; the text says why.
    BadAnswer(String),
    /// The server hung up before it answered.
    HungUp,
    /// The system refused.
    Os(Errno),
    /// A host name without address: the resolver's number and text.
    Resolver(i32, String),
    /// What the user gave makes no sense.
    Value(String),
    /// The input ended where an answer was expected.
    EndOfInput,
    /// The user pressed Ctrl-C.
    Interrupted,
    /// Nobody reads our output any more.
    OutputClosed,
}

impl Trouble {
    /// Whether it is a fault with this code.
    pub fn is_fault(&self, code: i32) -> bool {
        matches!(self, Trouble::Fault(fault) if fault.code == code)
    }

    /// The class that users see (CTL-030).
    pub fn class(&self) -> &'static str {
        match self {
            Trouble::Fault(_) => "xmlrpc.client.Fault",
            Trouble::Status { .. } => "xmlrpc.client.ProtocolError",
            Trouble::BadAnswer(_) => "xmlrpc.client.ResponseError",
            Trouble::HungUp => "http.client.RemoteDisconnected",
            Trouble::Os(Errno::ENOENT) => "FileNotFoundError",
            Trouble::Os(Errno::ECONNREFUSED) => "ConnectionRefusedError",
            Trouble::Os(Errno::ECONNRESET) => "ConnectionResetError",
            Trouble::Os(Errno::EPIPE) | Trouble::OutputClosed => "BrokenPipeError",
            Trouble::Os(Errno::EACCES | Errno::EPERM) => "PermissionError",
            Trouble::Os(Errno::ETIMEDOUT) => "TimeoutError",
            Trouble::Os(_) => "OSError",
            Trouble::Resolver(..) => "socket.gaierror",
            Trouble::Value(_) => "ValueError",
            Trouble::EndOfInput => "EOFError",
            Trouble::Interrupted => "KeyboardInterrupt",
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trouble::Fault(fault) => write!(f, "<Fault {}: {}>", fault.code, repr(&fault.text)),
            Trouble::Status { code, reason } => write!(f, "<ProtocolError for 127.0.0.1/RPC2: {code} {reason}>"),
            Trouble::BadAnswer(why) => f.write_str(why),
            Trouble::HungUp => f.write_str("Remote end closed connection without response"),
            Trouble::Os(errno) => errno.fmt(f),
            Trouble::OutputClosed => Errno::EPIPE.fmt(f),
            Trouble::Resolver(number, text) => write!(f, "[Errno {number}] {text}"),
            Trouble::Value(text) => f.write_str(text),
            Trouble::EndOfInput => f.write_str("EOF when reading a line"),
            Trouble::Interrupted => Ok(()),
        }
    }
}

/// What the C library says about names that it can't resolve, with its numbers.
const RESOLVER: &[(i32, &str)] = &[
    (-2, "Name or service not known"),
    (-3, "Temporary failure in name resolution"),
    (-4, "Non-recoverable failure in name resolution"),
    (-5, "No address associated with hostname"),
    (-8, "Servname not supported for ai_socktype"),
];

impl From<io::Error> for Trouble {
    /// An error of a socket. The resolver's errors come without number: their text tells.
    fn from(error: io::Error) -> Trouble {
        if let Some(number) = error.raw_os_error() {
            return Trouble::Os(Errno(number));
        }
        let text = error.to_string();
        match RESOLVER.iter().find(|row| text.ends_with(row.1)) {
            Some((number, text)) => Trouble::Resolver(*number, text.to_string()),
            None => Trouble::BadAnswer(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ctl_030_classes_and_values() {
        let shown = |trouble: Trouble| format!("<class '{}'>, {trouble}", trouble.class());
        let fault = Fault::with(10, "it's");
        for (trouble, text) in [
            (Trouble::Fault(fault), r#"<class 'xmlrpc.client.Fault'>, <Fault 10: "BAD_NAME: it's">"#),
            (
                Trouble::Status { code: 500, reason: "Internal Server Error".into() },
                "<class 'xmlrpc.client.ProtocolError'>, <ProtocolError for 127.0.0.1/RPC2: 500 Internal Server Error>",
            ),
            (
                io::Error::from_raw_os_error(111).into(),
                "<class 'ConnectionRefusedError'>, [Errno 111] Connection refused",
            ),
            (
                io::Error::from_raw_os_error(2).into(),
                "<class 'FileNotFoundError'>, [Errno 2] No such file or directory",
            ),
            (
                io::Error::other("failed to lookup address information: Name or service not known").into(),
                "<class 'socket.gaierror'>, [Errno -2] Name or service not known",
            ),
            (Trouble::Value("No closing quotation".into()), "<class 'ValueError'>, No closing quotation"),
            (Trouble::EndOfInput, "<class 'EOFError'>, EOF when reading a line"),
        ] {
            assert_eq!(shown(trouble), text);
        }
    }
}
