//! What a program at a terminal needs and the standard library lacks: Ctrl-C as something to wait for, together with
//! several inputs, and typing without echo. Used by `supervisorctl` only; the daemon never calls it.

use std::io::{self, Read};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

/// A byte in it for each Ctrl-C that nobody has noticed: the end that the handler writes to, and ours. A flag would
/// not do, for the signal may come just before we begin to wait.
static INTERRUPTS: OnceLock<(UnixStream, UnixStream)> = OnceLock::new();
/// The descriptor that the handler writes to.
static HANDLER_END: AtomicI32 = AtomicI32::new(-1);

extern "C" fn note_interrupt(_: libc::c_int) {
    // SAFETY: write(2) may be called in a handler and gets one byte of static memory. errno is put back.
    unsafe {
        let errno = libc::__errno_location();
        let before = *errno;
        libc::write(HANDLER_END.load(Ordering::Relaxed), b"!".as_ptr().cast(), 1);
        *errno = before;
    }
}

/// From here on Ctrl-C (SIGINT) no longer ends the program, but a wait of [`wait_for_input`].
pub fn catch_interrupts() -> io::Result<()> {
    if INTERRUPTS.get().is_some() {
        return Ok(());
    }
    let (handler_end, our_end) = UnixStream::pair()?;
    handler_end.set_nonblocking(true)?;
    our_end.set_nonblocking(true)?;
    HANDLER_END.store(handler_end.as_raw_fd(), Ordering::Relaxed);
    if INTERRUPTS.set((handler_end, our_end)).is_err() {
        return Ok(());
    }
    // SAFETY: the action is fully initialised, and its handler does only what a handler may.
    let done = unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = note_interrupt as extern "C" fn(libc::c_int) as libc::sighandler_t;
        action.sa_flags = libc::SA_RESTART;
        libc::sigemptyset(&mut action.sa_mask);
        libc::sigaction(libc::SIGINT, &action, std::ptr::null_mut())
    };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// What ended a wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Woken {
    /// The input with this number has bytes or has ended.
    Input(usize),
    /// Ctrl-C was pressed, now or since the last wait.
    Interrupted,
    /// Nothing came for as long as we had patience.
    Nothing,
}

/// Waits until one of the inputs has bytes or has ended.
pub fn wait_for_input(inputs: &[BorrowedFd<'_>], patience: Option<Duration>) -> io::Result<Woken> {
    wait(inputs, libc::POLLIN, patience)
}

/// Waits until a socket can be written to: until it is connected, or its buffer has room, or it is broken.
pub fn wait_for_room(socket: BorrowedFd<'_>, patience: Option<Duration>) -> io::Result<Woken> {
    wait(&[socket], libc::POLLOUT, patience)
}

fn wait(inputs: &[BorrowedFd<'_>], events: libc::c_short, patience: Option<Duration>) -> io::Result<Woken> {
    // Rounded up, so that the time is over afterwards.
    let round = |patience: Duration| patience.as_nanos().div_ceil(1_000_000).try_into().unwrap_or(i32::MAX);
    let millis = patience.map_or(-1, round);
    let interrupts = INTERRUPTS.get().map(|ends| &ends.1);
    let polled = |fd: BorrowedFd<'_>, events| libc::pollfd { fd: fd.as_raw_fd(), events, revents: 0 };
    let first = interrupts.map(|end| polled(end.as_fd(), libc::POLLIN));
    let mut polled: Vec<libc::pollfd> = first.into_iter().chain(inputs.iter().map(|fd| polled(*fd, events))).collect();
    loop {
        // SAFETY: the pointer and the length describe `polled`, which outlives the call.
        let ready = unsafe { libc::poll(polled.as_mut_ptr(), polled.len() as libc::nfds_t, millis) };
        if ready >= 0 {
            break;
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
    let ready = polled.iter().position(|fd| fd.revents != 0);
    Ok(match (ready, interrupts) {
        (None, _) => Woken::Nothing,
        (Some(0), Some(mut end)) => {
            // However often it was pressed, it counts once.
            let _ = end.read(&mut [0; 64]);
            Woken::Interrupted
        }
        (Some(place), Some(_)) => Woken::Input(place - 1),
        (Some(place), None) => Woken::Input(place),
    })
}

/// A terminal that doesn't show what is typed, until this is dropped.
pub struct Hidden<'a> {
    terminal: BorrowedFd<'a>,
    before: libc::termios,
}

impl<'a> Hidden<'a> {
    /// Switches the echo off. Fails if this is no terminal.
    pub fn new(terminal: BorrowedFd<'a>) -> io::Result<Hidden<'a>> {
        // SAFETY: `before` is filled in by tcgetattr before it is read; both calls get valid pointers.
        unsafe {
            let mut before: libc::termios = std::mem::zeroed();
            if libc::tcgetattr(terminal.as_raw_fd(), &mut before) != 0 {
                return Err(io::Error::last_os_error());
            }
            let mut hidden = before;
            hidden.c_lflag &= !libc::ECHO;
            hidden.c_lflag |= libc::ECHONL;
            if libc::tcsetattr(terminal.as_raw_fd(), libc::TCSAFLUSH, &hidden) != 0 {
                return Err(io::Error::last_os_error());
            }
            Ok(Hidden { terminal, before })
        }
    }
}

impl Drop for Hidden<'_> {
    fn drop(&mut self) {
        // SAFETY: `before` came from tcgetattr on this terminal.
        unsafe {
            libc::tcsetattr(self.terminal.as_raw_fd(), libc::TCSAFLUSH, &self.before);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn the_input_with_bytes_is_found() {
        let (quiet, _other) = UnixStream::pair().unwrap();
        let (busy, mut far) = UnixStream::pair().unwrap();
        far.write_all(b"x").unwrap();
        let both = [quiet.as_fd(), busy.as_fd()];
        assert_eq!(wait_for_input(&both, None).unwrap(), Woken::Input(1));
        drop(far);
        assert_eq!(wait_for_input(&both, None).unwrap(), Woken::Input(1));
        assert_eq!(wait_for_input(&both[..1], Some(Duration::ZERO)).unwrap(), Woken::Nothing);
    }

    #[test]
    fn a_socket_is_no_terminal() {
        let (one, _other) = UnixStream::pair().unwrap();
        assert!(Hidden::new(one.as_fd()).is_err());
    }
}
