//! Who can be read or written: edges of the poll, remembered.
//!
//! Every descriptor is registered once for reading, and once for writing should a write ever have to wait; that is
//! never undone. The poll tells when something became possible, and it is remembered here until a call would have
//! blocked: nobody arms anything by hand, and a request costs no call beyond its own read and write. Somebody who is
//! ready stays in a list and is served once a round, so that nobody is forgotten and nobody is favoured. This file
//! never reads or writes.

use std::os::fd::{AsRawFd, BorrowedFd, RawFd};

use mio::event::Event;
use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};

use crate::base::errno::Errno;
use crate::base::key::{Arena, Key};
use crate::base::words::Channel;
use crate::front::Conn;
use crate::world::process::Process;

/// What a registered descriptor is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// Signals to the daemon.
    Signals,
    /// A listening socket, by its place in the configuration.
    Listener(usize),
    /// A connection.
    Conn(Key<Conn>),
    /// The reading end of a child's stdout or stderr.
    Output(Key<Process>, Channel),
    /// The writing end of a child's stdin.
    Stdin(Key<Process>),
    /// The foreground copy of the main log.
    Echo,
    /// News of the files of unix sockets.
    Files,
}

/// The lists in which somebody who is ready waits to be served.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum List {
    /// Signals to be read.
    Signals,
    /// Children's output to be read.
    Output,
    /// Children's stdin that can take more.
    Stdin,
    /// Connections to be accepted.
    Listeners,
    /// Connections to be read.
    Input,
    /// Connections that can take more.
    Flush,
    /// The foreground copy can take more.
    Echo,
    /// News of files to be read.
    Files,
}

/// How many lists there are.
const LISTS: usize = 8;

/// What is known of one descriptor.
#[derive(Debug)]
pub struct Entry {
    source: Source,
    fd: RawFd,
    /// Registered for reading, for writing.
    armed: [bool; 2],
    readable: bool,
    writable: bool,
    /// The other side has ended: after the rest there is an end to be read.
    read_closed: bool,
    /// Both directions are over.
    dead: bool,
    /// Somebody wants to read.
    reads: bool,
    /// Somebody waits for room to write.
    writes: bool,
    /// In its list for reading, in its list for writing.
    listed: [bool; 2],
}

/// Names a registered descriptor. Goes stale with it, so that late news of it reach nobody else.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Id(Key<Entry>);

// A poll's token carries a whole key.
const _: () = assert!(usize::BITS >= 64);

impl Id {
    fn token(self) -> Token {
        Token(self.0.to_bits() as usize)
    }
}

/// All registered descriptors.
pub struct Ready {
    registry: Registry,
    entries: Arena<Entry>,
    lists: [Vec<Id>; LISTS],
}

impl Ready {
    /// Nobody yet.
    pub fn new(registry: Registry) -> Ready {
        Ready { registry, entries: Arena::default(), lists: Default::default() }
    }

    /// Takes a descriptor in. It is taken for writable until a call says otherwise, and a connection for readable,
    /// too: whoever connects has something to say.
    ///
    /// Closing the descriptor ends its registration: nobody else has a copy of it, but perhaps a child for the moment in
    /// which it copies the lowest ones. News of one that was closed meanwhile reach nobody.
    pub fn add(&mut self, fd: BorrowedFd<'_>, source: Source) -> Result<Id, Errno> {
        let reads = !matches!(source, Source::Stdin(_) | Source::Echo);
        let fd = fd.as_raw_fd();
        let id = Id(self.entries.insert(Entry {
            source,
            fd,
            armed: [reads, false],
            readable: matches!(source, Source::Conn(_)),
            writable: true,
            read_closed: false,
            dead: false,
            reads,
            writes: false,
            listed: [false; 2],
        }));
        if reads && let Err(error) = self.registry.register(&mut SourceFd(&fd), id.token(), Interest::READABLE) {
            self.remove(id);
            return Err(error.into());
        }
        self.relist(id);
        Ok(id)
    }

    /// Forgets a descriptor that is about to be closed.
    pub fn remove(&mut self, id: Id) {
        self.entries.remove(id.0);
    }

    /// Takes in what the poll says.
    pub fn note(&mut self, event: &Event) {
        let id = Id(Key::from_bits(event.token().0 as u64));
        let Some(entry) = self.entries.get_mut(id.0) else { return };
        let broken = event.is_error();
        entry.readable |= event.is_readable() || event.is_read_closed() || broken;
        entry.writable |= event.is_writable() || event.is_write_closed() || broken;
        entry.read_closed |= event.is_read_closed() || broken;
        entry.dead |= event.is_write_closed() || broken;
        self.relist(id);
    }

    /// Puts an entry into the lists it belongs to.
    fn relist(&mut self, id: Id) {
        let Some(entry) = self.entries.get_mut(id.0) else { return };
        let (read, write) = match entry.source {
            Source::Signals => (List::Signals, List::Signals),
            Source::Listener(_) => (List::Listeners, List::Listeners),
            Source::Conn(_) => (List::Input, List::Flush),
            Source::Output(..) => (List::Output, List::Output),
            Source::Stdin(_) => (List::Stdin, List::Stdin),
            Source::Echo => (List::Echo, List::Echo),
            Source::Files => (List::Files, List::Files),
        };
        if entry.readable && entry.reads && !entry.listed[0] {
            entry.listed[0] = true;
            self.lists[read as usize].push(id);
        }
        if entry.writable && entry.writes && !entry.listed[1] {
            entry.listed[1] = true;
            self.lists[write as usize].push(id);
        }
    }

    /// Whether anybody is ready, so that the poll must not wait.
    pub fn any(&self) -> bool {
        self.lists.iter().any(|list| !list.is_empty())
    }

    /// How many are in a list now: as many are to be served this round.
    pub fn count(&self, list: List) -> usize {
        self.lists[list as usize].len()
    }

    /// Takes the next one to be served, of the `count` that were in the list at the round's beginning. Whoever is
    /// still ready after being served is put back by [`Ready::served`]. `None` for somebody who has gone meanwhile.
    pub fn take(&mut self, list: List, place: usize) -> Option<(Id, Source)> {
        let id = *self.lists[list as usize].get(place)?;
        let entry = self.entries.get_mut(id.0)?;
        let side = usize::from(matches!(list, List::Stdin | List::Flush | List::Echo));
        if !entry.listed[side] {
            return None;
        }
        entry.listed[side] = false;
        let wanted = if side == 0 { entry.readable && entry.reads } else { entry.writable && entry.writes };
        wanted.then_some((id, entry.source))
    }

    /// Ends a round of a list: the first `count`, which were taken, leave it.
    pub fn end_round(&mut self, list: List, count: usize) {
        self.lists[list as usize].drain(..count);
    }

    /// Puts somebody back who was taken, if still ready.
    pub fn served(&mut self, id: Id) {
        self.relist(id);
    }

    /// A read brought `count` bytes where `asked` would have fitted: less means that there are no more for now,
    /// unless an end is still to be read.
    pub fn has_read(&mut self, id: Id, count: usize, asked: usize) {
        if let Some(entry) = self.entries.get_mut(id.0)
            && count < asked
            && !entry.read_closed
        {
            entry.readable = false;
        }
    }

    /// Reading would have blocked.
    pub fn read_would_block(&mut self, id: Id) {
        if let Some(entry) = self.entries.get_mut(id.0) {
            entry.readable = false;
        }
    }

    /// Writing would have blocked, or took less than was there. The first time, this registers for writing.
    pub fn write_would_block(&mut self, id: Id) {
        let Some(entry) = self.entries.get_mut(id.0) else { return };
        entry.writable = false;
        if entry.armed[1] {
            return;
        }
        let (fd, token) = (entry.fd, id.token());
        let result = if entry.armed[0] {
            self.registry.reregister(&mut SourceFd(&fd), token, Interest::READABLE | Interest::WRITABLE)
        } else {
            self.registry.register(&mut SourceFd(&fd), token, Interest::WRITABLE)
        };
        entry.armed[1] = true;
        // Nobody would ever tell when it can go on.
        entry.dead |= result.is_err();
    }

    /// Whether a write may be tried.
    pub fn is_writable(&self, id: Id) -> bool {
        self.entries.get(id.0).is_some_and(|entry| entry.writable)
    }

    /// Whether the other side is gone for good: nothing that is written will be read.
    pub fn is_dead(&self, id: Id) -> bool {
        self.entries.get(id.0).is_some_and(|entry| entry.dead)
    }

    /// Whether somebody wants to read, from now on.
    pub fn want_read(&mut self, id: Id, wanted: bool) {
        if let Some(entry) = self.entries.get_mut(id.0) {
            entry.reads = wanted;
            self.relist(id);
        }
    }

    /// Whether somebody waits for room to write, from now on.
    pub fn want_write(&mut self, id: Id, wanted: bool) {
        if let Some(entry) = self.entries.get_mut(id.0) {
            entry.writes = wanted;
            self.relist(id);
        }
    }

    /// Tries a descriptor again whose reading was given up for a while.
    pub fn retry_read(&mut self, id: Id) {
        if let Some(entry) = self.entries.get_mut(id.0) {
            entry.readable = true;
            self.relist(id);
        }
    }
}
