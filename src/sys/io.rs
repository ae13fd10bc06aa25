//! Reading, writing and pipes, on descriptors that others own. Never retries a call that would block.

use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use super::{check, check_size, last_errno};
use crate::base::errno::Errno;

/// Repeats a call that a signal interrupted.
fn unless_interrupted(mut call: impl FnMut() -> isize) -> Result<usize, Errno> {
    loop {
        match check_size(call()) {
            Err(Errno::EINTR) => continue,
            result => return result,
        }
    }
}

/// Reads what is there; `Ok(0)` is the end, `EAGAIN` nothing yet.
pub fn read(fd: BorrowedFd<'_>, buffer: &mut [u8]) -> Result<usize, Errno> {
    // SAFETY: the buffer is valid for its length.
    unless_interrupted(|| unsafe { libc::read(fd.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len()) })
}

/// Writes what fits; `EAGAIN` when nothing does.
pub fn write(fd: BorrowedFd<'_>, bytes: &[u8]) -> Result<usize, Errno> {
    // SAFETY: the bytes are valid for their length.
    unless_interrupted(|| unsafe { libc::write(fd.as_raw_fd(), bytes.as_ptr().cast(), bytes.len()) })
}

/// Sends what fits to a socket, which need not be non-blocking; `EAGAIN` when nothing does.
pub fn send(fd: BorrowedFd<'_>, bytes: &[u8]) -> Result<usize, Errno> {
    let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
    // SAFETY: the bytes are valid for their length.
    unless_interrupted(|| unsafe { libc::send(fd.as_raw_fd(), bytes.as_ptr().cast(), bytes.len(), flags) })
}

/// The same for bytes that lie in several places.
pub fn send_parts(fd: BorrowedFd<'_>, parts: &[&[u8]; 3]) -> Result<usize, Errno> {
    let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
    let mut vectors = parts.map(|part| libc::iovec { iov_base: part.as_ptr().cast_mut().cast(), iov_len: part.len() });
    // SAFETY: zero is a value of all its fields.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = vectors.as_mut_ptr();
    message.msg_iovlen = vectors.len() as _;
    // SAFETY: the message, its vectors and the bytes they name, which are only read, are valid for the call.
    unless_interrupted(|| unsafe { libc::sendmsg(fd.as_raw_fd(), &message, flags) })
}

/// Receives what is there; `Ok(0)` is the end, `EAGAIN` nothing yet.
pub fn recv(fd: BorrowedFd<'_>, buffer: &mut [u8]) -> Result<usize, Errno> {
    let flags = libc::MSG_DONTWAIT;
    // SAFETY: the buffer is valid for its length.
    unless_interrupted(|| unsafe { libc::recv(fd.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len(), flags) })
}

/// Ends the sending side of a connection; the other side reads an end.
pub fn shutdown_write(fd: BorrowedFd<'_>) {
    // SAFETY: a plain call; a connection that is gone already is no trouble.
    unsafe { libc::shutdown(fd.as_raw_fd(), libc::SHUT_WR) };
}

/// A pipe, reading end first, both ends close-on-exec and blocking.
pub fn pipe() -> Result<(OwnedFd, OwnedFd), Errno> {
    let mut ends: [RawFd; 2] = [-1; 2];
    // SAFETY: `ends` has room for two descriptors; on success both are new and ours alone.
    unsafe {
        check(libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC))?;
        Ok((OwnedFd::from_raw_fd(ends[0]), OwnedFd::from_raw_fd(ends[1])))
    }
}

/// Gives a pipe room for so many bytes. `EPERM` when the user has too much in pipes already.
pub fn set_pipe_size(fd: BorrowedFd<'_>, bytes: usize) -> Result<(), Errno> {
    // SAFETY: a plain call on an open descriptor.
    check(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_SETPIPE_SZ, bytes as libc::c_int) }).map(|_| ())
}

/// Makes calls on this description answer `EAGAIN` instead of waiting.
pub fn set_nonblocking(fd: BorrowedFd<'_>) -> Result<(), Errno> {
    change_flags(fd, |flags| flags | libc::O_NONBLOCK)
}

/// Makes calls on this description wait.
pub fn set_blocking(fd: BorrowedFd<'_>) -> Result<(), Errno> {
    change_flags(fd, |flags| flags & !libc::O_NONBLOCK)
}

fn change_flags(fd: BorrowedFd<'_>, change: impl Fn(libc::c_int) -> libc::c_int) -> Result<(), Errno> {
    // SAFETY: plain calls on an open descriptor.
    unsafe {
        let flags = check(libc::fcntl(fd.as_raw_fd(), libc::F_GETFL))?;
        check(libc::fcntl(fd.as_raw_fd(), libc::F_SETFL, change(flags)))?;
    }
    Ok(())
}

/// How many bytes wait in a pipe or socket; 0 when that can't be told.
pub fn bytes_waiting(fd: BorrowedFd<'_>) -> usize {
    let mut count: libc::c_int = 0;
    // SAFETY: FIONREAD writes one int.
    let result = unsafe { libc::ioctl(fd.as_raw_fd(), libc::FIONREAD, &mut count) };
    if result == -1 { 0 } else { usize::try_from(count).unwrap_or(0) }
}

/// Waits until the descriptor can be read (or written), at most `millis`. Only for start-up and exit.
pub fn wait_ready(fd: BorrowedFd<'_>, write: bool, millis: i32) -> bool {
    let events = if write { libc::POLLOUT } else { libc::POLLIN };
    let mut entry = libc::pollfd { fd: fd.as_raw_fd(), events, revents: 0 };
    // SAFETY: one valid entry.
    unsafe { libc::poll(&mut entry, 1, millis) > 0 }
}

/// Waits. Only for start-up, the end, and a reload.
pub fn pause(millis: i32) {
    // SAFETY: no entries.
    unsafe { libc::poll(std::ptr::null_mut(), 0, millis) };
}

/// A copy of a descriptor, numbered above the standard ones and close-on-exec.
pub fn duplicate(fd: RawFd) -> Result<OwnedFd, Errno> {
    // SAFETY: on success the descriptor is new and ours alone.
    unsafe {
        match libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 3) {
            -1 => Err(last_errno()),
            new => Ok(OwnedFd::from_raw_fd(new)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd;

    #[test]
    fn a_pipe_tells_how_much_waits_and_when_it_ends() {
        let (reader, writer) = pipe().unwrap();
        set_nonblocking(reader.as_fd()).unwrap();
        let mut buffer = [0; 16];
        assert_eq!(read(reader.as_fd(), &mut buffer), Err(Errno::EAGAIN));
        assert_eq!(write(writer.as_fd(), b"hello"), Ok(5));
        assert_eq!(bytes_waiting(reader.as_fd()), 5);
        assert_eq!(read(reader.as_fd(), &mut buffer), Ok(5));
        drop(writer);
        assert_eq!(read(reader.as_fd(), &mut buffer), Ok(0));
    }
}
