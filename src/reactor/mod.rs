//! The poll loop: the one place that waits, and the owner of every descriptor.
//!
//! It turns what the system reports into [`Input`]s, in one order each turn, and sends what the front has queued. It
//! decides nothing: what an input means is the daemon's business. With nobody ready and no deadline it sleeps for
//! ever; nothing here ticks.

mod bugs;
mod conns;
mod example;
mod host;
mod listening;
mod obstacles;
mod pipes;
mod ready;
mod start;

use std::time::Duration;

use mio::{Events, Poll};

use crate::base::cpus::Cpus;
use crate::base::errno::Errno;
use crate::base::key::Key;
use crate::base::limits::{
    BURST_TURNS, OUTPUT_BYTES_PER_TURN, OUTPUT_READ_BYTES, POLL_WAIT, QUIET, READ_BYTES, REAPS_PER_TURN, TURN_WORK,
};
use crate::base::time::Now;
use crate::base::words::Channel;
use crate::config::spec::Config;
use crate::daemon::{Daemon, Input, Outcome};
use crate::sys::signals::{self, Signals};
use crate::sys::sockets::Listener;
use crate::sys::{child, clock, process};
use crate::world::Turn;
use crate::world::process::Process;
use conns::Conns;
use host::RealHost;
use listening::Listening;
use pipes::Read;
use ready::{List, Source};

pub use start::run;

/// Events taken from the system at once.
const EVENTS: usize = 256;

/// Why the loop was left.
enum End {
    /// Exit with status 0.
    Exit,
    /// Begin anew with this configuration.
    Reload(Box<Config>),
    /// A bug; `true`: children are left.
    Failed(bool),
}

/// The loop and what it watches. The host is beside it, because the daemon borrows that while the loop goes on.
struct Reactor {
    poll: Poll,
    events: Events,
    signals: Signals,
    listening: Listening,
    conns: Conns,
    /// What is read goes through here, one descriptor after the other.
    buffer: Box<[u8]>,
    /// Children may have ended.
    to_reap: bool,
    /// We asked the system to be given orphans.
    subreaper: bool,
    /// Where we ran before we moved to other processors.
    cpus_before: Option<Cpus>,
    /// Turns since code was let go of that is not used while idle; so many at first that the start counts as a burst.
    turns: u32,
}

impl Reactor {
    /// A loop that watches for signals only.
    fn new(poll: Poll, signals: Signals, host: &mut RealHost) -> Result<Reactor, Errno> {
        host.ready.add(signals.fd(), Source::Signals)?;
        Ok(Reactor {
            poll,
            events: Events::with_capacity(EVENTS),
            signals,
            listening: Listening::default(),
            conns: Conns::default(),
            buffer: vec![0; OUTPUT_READ_BYTES.max(READ_BYTES)].into_boxed_slice(),
            // Whoever ran before us in this process may have left children.
            to_reap: true,
            subreaper: false,
            cpus_before: None,
            turns: BURST_TURNS,
        })
    }

    /// Watches these listening sockets.
    fn listen(&mut self, listeners: Vec<Listener>, host: &mut RealHost) -> Result<(), Errno> {
        self.listening.listen(listeners, host)
    }

    /// Closes all listening sockets and connections.
    fn close_servers(&mut self, host: &mut RealHost) {
        self.conns.clear(host);
        self.listening.close(host);
    }

    /// Runs until the daemon has come to an end. The error is that of the poll, which has no way to go on.
    fn run(&mut self, daemon: &mut Daemon, host: &mut RealHost) -> Result<End, Errno> {
        // The first turn must not wait: there may be programs to start.
        let mut busy = true;
        loop {
            self.wait(busy, daemon, host)?;
            let now = clock::now();
            host.begin_turn();
            host.removals.step();
            self.take_signals(daemon, now, host);
            self.read_outputs(daemon, now, host);
            self.feed_stdins(daemon, now, host);
            self.reap(daemon, now, host);
            // A child that has ended but was not taken in yet must not be called started (PROC-031).
            if !self.to_reap && daemon.next_deadline().is_some_and(|at| at <= now.mono) {
                daemon.take(Input::Due, &mut Turn { now, host });
            }
            self.listening.accept(&mut self.conns, daemon, now, host);
            self.listening.look_after_files(daemon, now, host);
            self.conns.read_all(&mut self.buffer[..READ_BYTES], daemon, now, host);
            busy = daemon.settle(&mut Turn { now, host });
            if self.conns.flush_all(daemon, now, host) {
                // Room for answers may have let further questions in.
                busy |= daemon.settle(&mut Turn { now, host });
                busy |= self.conns.flush_all(daemon, now, host);
            }
            if host.ready.count(List::Echo) > 0 {
                host.continue_echo();
            }
            match daemon.outcome() {
                Outcome::Run => {}
                Outcome::Exit => return Ok(End::Exit),
                Outcome::Reload(config) => return Ok(End::Reload(config)),
                Outcome::Failed { children } => return Ok(End::Failed(children)),
            }
        }
    }

    /// Waits until something happens, unless somebody is ready or a deadline has come, and notes who became ready.
    fn wait(&mut self, busy: bool, daemon: &Daemon, host: &mut RealHost) -> Result<(), Errno> {
        let busy = busy || self.to_reap || host.ready.any() || !host.removals.is_empty();
        let deadlines = [daemon.next_deadline(), self.listening.deadline(), host.spawner.next_look()];
        let deadline = deadlines.into_iter().flatten().min();
        self.turns = self.turns.saturating_add(1);
        loop {
            let timeout = match deadline {
                _ if busy => Some(Duration::ZERO),
                // The poll rounds up to milliseconds, so that it never returns just before the deadline.
                Some(at) => Some((at - clock::mono()).min(POLL_WAIT)),
                None => None,
            };
            // The start or a burst is over when nothing has happened for so long: one wake-up, and none after it.
            let quiet = self.turns > BURST_TURNS && timeout.is_none_or(|timeout| timeout >= QUIET);
            match self.poll.poll(&mut self.events, if quiet { Some(QUIET) } else { timeout }) {
                // No turn for that: it would bring back what was let go.
                Ok(()) if quiet && self.events.is_empty() => {
                    self.turns = 0;
                    process::release_code();
                    continue;
                }
                Err(error) if error.kind() != std::io::ErrorKind::Interrupted => return Err(error.into()),
                _ => break,
            }
        }
        for event in &self.events {
            host.ready.note(event);
        }
        Ok(())
    }

    fn take_signals(&mut self, daemon: &mut Daemon, now: Now, host: &mut RealHost) {
        let count = host.ready.count(List::Signals);
        for place in 0..count {
            let Some((id, _)) = host.ready.take(List::Signals, place) else { continue };
            while let Some(signal) = self.signals.take() {
                let input = if signal == signals::CHLD {
                    self.to_reap = true;
                    Input::ChildSignal
                } else {
                    Input::Signal(signal)
                };
                daemon.take(input, &mut Turn { now, host });
            }
            host.ready.read_would_block(id);
        }
        host.ready.end_round(List::Signals, count);
    }

    fn read_outputs(&mut self, daemon: &mut Daemon, now: Now, host: &mut RealHost) {
        let count = host.ready.count(List::Output);
        let (mut served, mut bytes) = (0, 0);
        // Whoever is left over comes first in the next turn.
        while served < count && bytes < OUTPUT_BYTES_PER_TURN && (served == 0 || clock::mono() - now.mono < TURN_WORK) {
            if let Some((id, Source::Output(who, channel))) = host.ready.take(List::Output, served) {
                bytes += self.read_output(who, channel, OUTPUT_READ_BYTES, daemon, now, host);
                host.ready.served(id);
            }
            served += 1;
        }
        host.ready.end_round(List::Output, served);
    }

    /// Reads once, at most `room` bytes, and passes on what came. Returns how much that was.
    fn read_output(
        &mut self,
        who: Key<Process>,
        channel: Channel,
        room: usize,
        daemon: &mut Daemon,
        now: Now,
        host: &mut RealHost,
    ) -> usize {
        let room = room.min(self.buffer.len());
        match host.pipes.read(who, channel, &mut self.buffer[..room], &mut host.ready) {
            Read::Bytes(count) => {
                daemon.take(Input::Output { who, channel, bytes: &self.buffer[..count] }, &mut Turn { now, host });
                count
            }
            Read::End(fd) => {
                daemon.take(Input::OutputClosed { who, channel, fd }, &mut Turn { now, host });
                0
            }
            Read::Nothing => 0,
        }
    }

    fn feed_stdins(&mut self, daemon: &mut Daemon, now: Now, host: &mut RealHost) {
        let count = host.ready.count(List::Stdin);
        for place in 0..count {
            if let Some((id, Source::Stdin(who))) = host.ready.take(List::Stdin, place) {
                host.ready.want_write(id, false);
                daemon.take(Input::StdinReady(who), &mut Turn { now, host });
            }
        }
        host.ready.end_round(List::Stdin, count);
    }

    /// Takes in the children that have ended, each after the rest of its output (PROC-067).
    fn reap(&mut self, daemon: &mut Daemon, now: Now, host: &mut RealHost) {
        if !self.to_reap {
            return;
        }
        for _ in 0..REAPS_PER_TURN {
            let Some((pid, exit)) = child::reap() else {
                self.to_reap = false;
                return;
            };
            bugs::rehearse("reap");
            host.spawner.ended(pid);
            if let Some(who) = host.pipes.ended(pid) {
                for channel in [Channel::Stdout, Channel::Stderr] {
                    // Only what is there now: a grandchild that holds the pipe could go on for ever.
                    let mut left = host.pipes.waiting(who, channel);
                    while left > 0 {
                        match self.read_output(who, channel, left, daemon, now, host) {
                            0 => break,
                            count => left -= count.min(left),
                        }
                    }
                }
            }
            daemon.take(Input::Exited { pid, exit }, &mut Turn { now, host });
            if clock::mono() - now.mono >= TURN_WORK {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests;
