//! The daemon's ends of its children's pipes.
//!
//! A pair of machine and pipes is twins under one key: the world has the process, this the descriptors.

use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};

use super::ready::{Id, Ready, Source};
use crate::base::errno::Errno;
use crate::base::key::Key;
use crate::base::limits::{FLOOD_READS, LARGE_PIPE_BYTES, LARGE_PIPES};
use crate::base::maps::ByNumber;
use crate::base::words::{Channel, Pid};
use crate::sys::io;
use crate::world::process::Process;

/// One end of a pipe.
struct End {
    fd: OwnedFd,
    id: Id,
    /// How many times in a row it was found full.
    full: u8,
    /// It was given, or refused, more room.
    large: bool,
}

/// What pipes hold until they are given more room (pipe(7)).
const USUAL_PIPE_BYTES: usize = 64 * 1024;

/// The pipes of one child.
struct Pipes {
    who: Key<Process>,
    stdin: Option<End>,
    /// stdout, stderr.
    outputs: [Option<End>; 2],
}

/// The child's ends, closed in the daemon once the child has copies.
pub struct ChildEnds {
    /// `None` where a socket takes its place.
    stdin: Option<OwnedFd>,
    stdout: OwnedFd,
    stderr: Option<OwnedFd>,
}

impl ChildEnds {
    /// What become descriptors 0, 1 and 2 (PROC-054); `socket` is the first if there is no pipe for it.
    pub fn fds(&self, socket: RawFd) -> [RawFd; 3] {
        let stderr = self.stderr.as_ref().unwrap_or(&self.stdout);
        [self.stdin.as_ref().map_or(socket, OwnedFd::as_raw_fd), self.stdout.as_raw_fd(), stderr.as_raw_fd()]
    }
}

/// What a read brought.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Read {
    /// So many bytes.
    Bytes(usize),
    /// Nothing for now.
    Nothing,
    /// The end. The pipe, whose descriptor had this number, is closed.
    End(RawFd),
}

/// The pipes of all children.
#[derive(Default)]
pub struct AllPipes {
    /// By the process's slot number.
    slots: Vec<Option<Pipes>>,
    pids: ByNumber<Pid, Key<Process>>,
    /// How many pipes were given more room, or refused it.
    large: usize,
}

impl AllPipes {
    /// Makes the pipes of a child to be (PROC-052): none for stdin unless `feedable`, none for stderr if `shared`.
    pub fn open(
        &mut self,
        who: Key<Process>,
        feedable: bool,
        shared: bool,
        ready: &mut Ready,
    ) -> Result<ChildEnds, Errno> {
        // Nobody is left there: a process that is forgotten has its pipes closed.
        self.close(who, ready);
        let pipe_if =
            |wanted: bool| if wanted { io::pipe().map(|(a, b)| (Some(a), Some(b))) } else { Ok((None, None)) };
        let (child_stdin, stdin) = pipe_if(feedable)?;
        let (stdout, child_stdout) = io::pipe()?;
        let (stderr, child_stderr) = pipe_if(!shared)?;
        let mut pipes = Pipes { who, stdin: None, outputs: [None, None] };
        let result = (|| {
            if let Some(stdin) = stdin {
                pipes.stdin = Some(End::of(stdin, Source::Stdin(who), ready)?);
            }
            pipes.outputs[0] = Some(End::of(stdout, Source::Output(who, Channel::Stdout), ready)?);
            if let Some(stderr) = stderr {
                pipes.outputs[1] = Some(End::of(stderr, Source::Output(who, Channel::Stderr), ready)?);
            }
            Ok(())
        })();
        if self.slots.len() <= who.index() {
            self.slots.resize_with(who.index() + 1, || None);
        }
        self.slots[who.index()] = Some(pipes);
        if let Err(error) = result {
            self.close(who, ready);
            return Err(error);
        }
        Ok(ChildEnds { stdin: child_stdin, stdout: child_stdout, stderr: child_stderr })
    }

    /// Notes whose child `pid` is.
    pub fn started(&mut self, who: Key<Process>, pid: Pid) {
        self.pids.insert(pid, who);
    }

    /// The children that are not known to have ended.
    pub fn pids(&self) -> impl Iterator<Item = Pid> {
        self.pids.iter().map(|(pid, _)| pid)
    }

    /// Whose child has ended; `None` for one that isn't managed. To be asked once.
    pub fn ended(&mut self, pid: Pid) -> Option<Key<Process>> {
        self.pids.remove(pid)
    }

    fn get(&mut self, who: Key<Process>) -> Option<&mut Pipes> {
        self.slots.get_mut(who.index())?.as_mut().filter(|pipes| pipes.who == who)
    }

    /// Reads a child's output. An end closes the pipe.
    pub fn read(&mut self, who: Key<Process>, channel: Channel, buffer: &mut [u8], ready: &mut Ready) -> Read {
        let room_for_large = self.large < LARGE_PIPES;
        let Some(pipes) = self.get(who) else { return Read::Nothing };
        let Some(end) = &mut pipes.outputs[channel.index()] else { return Read::Nothing };
        match io::read(end.fd.as_fd(), buffer) {
            Ok(count) if count > 0 => {
                ready.has_read(end.id, count, buffer.len());
                end.full = if count >= USUAL_PIPE_BYTES { end.full.saturating_add(1) } else { 0 };
                if end.full >= FLOOD_READS && !end.large && room_for_large {
                    // Refused is refused for good: it is only about speed.
                    let _ = io::set_pipe_size(end.fd.as_fd(), LARGE_PIPE_BYTES);
                    end.large = true;
                    self.large += 1;
                }
                Read::Bytes(count)
            }
            Err(Errno::EAGAIN) => {
                ready.read_would_block(end.id);
                Read::Nothing
            }
            Ok(_) | Err(_) => {
                let fd = end.fd.as_raw_fd();
                let was_large = close(&mut pipes.outputs[channel.index()], ready);
                self.large -= usize::from(was_large);
                Read::End(fd)
            }
        }
    }

    /// How many bytes of a child's output wait in its pipe.
    pub fn waiting(&mut self, who: Key<Process>, channel: Channel) -> usize {
        let end = self.get(who).and_then(|pipes| pipes.outputs[channel.index()].as_ref());
        end.map_or(0, |end| io::bytes_waiting(end.fd.as_fd()))
    }

    /// As `Host::write_stdin`.
    pub fn write(&mut self, who: Key<Process>, bytes: &[u8], ready: &mut Ready) -> Result<usize, Errno> {
        let Some(pipes) = self.get(who) else { return Err(Errno::EPIPE) };
        let Some(end) = &pipes.stdin else { return Err(Errno::EPIPE) };
        let result = if ready.is_writable(end.id) { io::write(end.fd.as_fd(), bytes) } else { Err(Errno::EAGAIN) };
        match result {
            Ok(count) => {
                if count < bytes.len() {
                    ready.write_would_block(end.id);
                    ready.want_write(end.id, true);
                }
                Ok(count)
            }
            Err(Errno::EAGAIN) => {
                ready.write_would_block(end.id);
                ready.want_write(end.id, true);
                Ok(0)
            }
            Err(error) => {
                close(&mut pipes.stdin, ready);
                Err(error)
            }
        }
    }

    /// As `Host::pause_output`.
    pub fn pause(&mut self, who: Key<Process>, channel: Channel, paused: bool, ready: &mut Ready) {
        if let Some(end) = self.get(who).and_then(|pipes| pipes.outputs[channel.index()].as_ref()) {
            ready.want_read(end.id, !paused);
        }
    }

    /// Closes all pipes of a child.
    pub fn close(&mut self, who: Key<Process>, ready: &mut Ready) {
        let Some(pipes) = self.get(who) else { return };
        close(&mut pipes.stdin, ready);
        let [stdout, stderr] = pipes.outputs.each_mut().map(|output| close(output, ready));
        self.large -= usize::from(stdout) + usize::from(stderr);
        self.slots[who.index()] = None;
    }

    /// Closes all pipes of all children.
    pub fn close_all(&mut self, ready: &mut Ready) {
        let keys: Vec<Key<Process>> = self.slots.iter().flatten().map(|pipes| pipes.who).collect();
        for who in keys {
            self.close(who, ready);
        }
        self.pids.clear();
    }
}

impl End {
    fn of(fd: OwnedFd, source: Source, ready: &mut Ready) -> Result<End, Errno> {
        io::set_nonblocking(fd.as_fd())?;
        let id = ready.add(fd.as_fd(), source)?;
        Ok(End { fd, id, full: 0, large: false })
    }
}

/// Returns whether the pipe was a large one.
fn close(end: &mut Option<End>, ready: &mut Ready) -> bool {
    let Some(end) = end.take() else { return false };
    ready.remove(end.id);
    end.large
}
