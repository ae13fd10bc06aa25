//! System error numbers as values, with the symbolic names that log lines and faults carry.

use std::fmt;

/// An `errno` of Linux.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct Errno(pub i32);

macro_rules! errnos {
    ($($name:ident $number:literal $text:literal;)*) => {
        #[allow(missing_docs)]
        impl Errno { $(pub const $name: Errno = Errno($number);)* }
        const TABLE: &[(i32, &str, &str)] = &[$(($number, stringify!($name), $text)),*];
    };
}

errnos! {
    EPERM 1 "Operation not permitted";
    ENOENT 2 "No such file or directory";
    ESRCH 3 "No such process";
    EINTR 4 "Interrupted system call";
    EIO 5 "Input/output error";
    ENXIO 6 "No such device or address";
    E2BIG 7 "Argument list too long";
    ENOEXEC 8 "Exec format error";
    EBADF 9 "Bad file descriptor";
    ECHILD 10 "No child processes";
    EAGAIN 11 "Resource temporarily unavailable";
    ENOMEM 12 "Cannot allocate memory";
    EACCES 13 "Permission denied";
    EFAULT 14 "Bad address";
    EBUSY 16 "Device or resource busy";
    EEXIST 17 "File exists";
    EXDEV 18 "Invalid cross-device link";
    ENODEV 19 "No such device";
    ENOTDIR 20 "Not a directory";
    EISDIR 21 "Is a directory";
    EINVAL 22 "Invalid argument";
    ENFILE 23 "Too many open files in system";
    EMFILE 24 "Too many open files";
    ENOTTY 25 "Inappropriate ioctl for device";
    ETXTBSY 26 "Text file busy";
    EFBIG 27 "File too large";
    ENOSPC 28 "No space left on device";
    ESPIPE 29 "Illegal seek";
    EROFS 30 "Read-only file system";
    EMLINK 31 "Too many links";
    EPIPE 32 "Broken pipe";
    ENAMETOOLONG 36 "File name too long";
    ENOSYS 38 "Function not implemented";
    ENOTEMPTY 39 "Directory not empty";
    ELOOP 40 "Too many levels of symbolic links";
    EPROTO 71 "Protocol error";
    EOVERFLOW 75 "Value too large for defined data type";
    ELIBBAD 80 "Accessing a corrupted shared library";
    ENOTSOCK 88 "Socket operation on non-socket";
    EAFNOSUPPORT 97 "Address family not supported by protocol";
    EADDRINUSE 98 "Address already in use";
    EADDRNOTAVAIL 99 "Cannot assign requested address";
    ENETUNREACH 101 "Network is unreachable";
    ECONNABORTED 103 "Software caused connection abort";
    ECONNRESET 104 "Connection reset by peer";
    ENOBUFS 105 "No buffer space available";
    ENOTCONN 107 "Transport endpoint is not connected";
    ETIMEDOUT 110 "Connection timed out";
    ECONNREFUSED 111 "Connection refused";
    EHOSTUNREACH 113 "No route to host";
    EINPROGRESS 115 "Operation now in progress";
    EDQUOT 122 "Disk quota exceeded";
}

impl Errno {
    fn row(self) -> Option<&'static (i32, &'static str, &'static str)> {
        TABLE.iter().find(|row| row.0 == self.0)
    }

    /// `ENOENT`, without allocating; `None` for a number without a name.
    pub fn symbol(self) -> Option<&'static str> {
        self.row().map(|row| row.1)
    }

    /// `ENOENT`; a number without a name is shown as `errno <n>`.
    pub fn name(self) -> String {
        self.row().map_or_else(|| format!("errno {}", self.0), |row| row.1.to_string())
    }

    /// `No such file or directory`.
    pub fn text(self) -> String {
        self.row().map_or_else(|| format!("Unknown error {}", self.0), |row| row.2.to_string())
    }
}

impl fmt::Display for Errno {
    /// `[Errno 2] No such file or directory`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[Errno {}] {}", self.0, self.text())
    }
}

impl From<std::io::Error> for Errno {
    fn from(error: std::io::Error) -> Errno {
        Errno(error.raw_os_error().unwrap_or(Errno::EIO.0))
    }
}
