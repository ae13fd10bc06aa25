//! Sockets of connections. The front has the conversation, this the descriptor, under one key.
//!
//! Nothing here knows what is said: bytes go to the daemon as they come, and out as the front queues them.

use std::os::fd::{AsFd, OwnedFd};

use super::host::RealHost;
use super::ready::{Id, List, Source};
use crate::base::errno::Errno;
use crate::base::key::Key;
use crate::base::limits::{ACCEPTS_PER_TURN, WRITE_BYTES};
use crate::base::time::Now;
use crate::daemon::{Daemon, Input};
use crate::front::{Conn, Peer};
use crate::sys::io;
use crate::sys::sockets::Listener;
use crate::world::Turn;

/// The socket of one connection.
struct Link {
    conn: Key<Conn>,
    fd: OwnedFd,
    id: Id,
    /// The other side sends no more.
    ended: bool,
    /// We send no more.
    shut: bool,
    /// The round in which it was last written to.
    round: u64,
}

/// The sockets of all connections.
#[derive(Default)]
pub struct Conns {
    /// By the connection's slot number.
    slots: Vec<Option<Link>>,
    round: u64,
    /// Something was sent in this round.
    sent: bool,
}

/// Whether a listening socket has to rest.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Accepted {
    /// All that was fair was accepted.
    Done,
    /// There are no descriptors left.
    Exhausted,
}

impl Conns {
    fn get(&mut self, conn: Key<Conn>) -> Option<&mut Link> {
        self.slots.get_mut(conn.index())?.as_mut().filter(|link| link.conn == conn)
    }

    /// Accepts who is there, up to a bound.
    pub fn accept(
        &mut self,
        listener: &Listener,
        server: usize,
        id: Id,
        daemon: &mut Daemon,
        now: Now,
        host: &mut RealHost,
    ) -> Accepted {
        let mut came = 0;
        for _ in 0..ACCEPTS_PER_TURN {
            match listener.accept() {
                Ok((fd, client)) => {
                    came += 1;
                    let peer = client.map_or(Peer::Unix, Peer::Inet);
                    match daemon.accept(server, peer, &mut Turn { now, host }) {
                        Ok(conn) => self.adopt(conn, fd, daemon, now, host),
                        // A new socket takes a few hundred bytes; if not, it is closed without them.
                        Err(last_words) => {
                            let _ = io::send(fd.as_fd(), &last_words);
                            // To close with a request unread would destroy the answer on its way (RFC 9112 9.6).
                            let _ = io::recv(fd.as_fd(), &mut [0; 4096]);
                        }
                    }
                }
                Err(Errno::EAGAIN) => {
                    host.ready.read_would_block(id);
                    return Accepted::Done;
                }
                Err(Errno::EMFILE | Errno::ENFILE | Errno::ENOBUFS | Errno::ENOMEM) => {
                    host.ready.read_would_block(id);
                    return Accepted::Exhausted;
                }
                // Whoever it was has gone again (accept(2) reports errors of the new connection).
                Err(_) => {}
            }
        }
        if came == 0 {
            // So many can't have gone: nobody is let in, whatever the reason.
            host.ready.read_would_block(id);
            return Accepted::Exhausted;
        }
        host.ready.served(id);
        Accepted::Done
    }

    fn adopt(&mut self, conn: Key<Conn>, fd: OwnedFd, daemon: &mut Daemon, now: Now, host: &mut RealHost) {
        let Ok(id) = host.ready.add(fd.as_fd(), Source::Conn(conn)) else {
            return daemon.take(Input::Closed(conn), &mut Turn { now, host });
        };
        if self.slots.len() <= conn.index() {
            self.slots.resize_with(conn.index() + 1, || None);
        }
        self.slots[conn.index()] = Some(Link { conn, fd, id, ended: false, shut: false, round: 0 });
    }

    /// Reads from all connections that have something, once each.
    pub fn read_all(&mut self, buffer: &mut [u8], daemon: &mut Daemon, now: Now, host: &mut RealHost) {
        let count = host.ready.count(List::Input);
        for place in 0..count {
            if let Some((id, Source::Conn(conn))) = host.ready.take(List::Input, place) {
                self.read(conn, buffer, daemon, now, host);
                host.ready.served(id);
            }
        }
        host.ready.end_round(List::Input, count);
    }

    fn read(&mut self, conn: Key<Conn>, buffer: &mut [u8], daemon: &mut Daemon, now: Now, host: &mut RealHost) {
        let Some(link) = self.get(conn) else { return };
        // What it wants may have changed since it was last asked.
        if !daemon.front.get(conn).is_some_and(Conn::wants_input) {
            return host.ready.want_read(link.id, false);
        }
        let input = match io::recv(link.fd.as_fd(), buffer) {
            Ok(0) => {
                link.ended = true;
                host.ready.read_would_block(link.id);
                host.ready.want_read(link.id, false);
                Input::Ended(conn)
            }
            Ok(count) => {
                host.ready.has_read(link.id, count, buffer.len());
                Input::Received { conn, bytes: &buffer[..count] }
            }
            Err(Errno::EAGAIN) => return host.ready.read_would_block(link.id),
            Err(_) => return self.close(conn, daemon, now, host),
        };
        daemon.take(input, &mut Turn { now, host });
    }

    /// Writes what there is to connections that have it, once each, and closes those that are done. Returns whether
    /// anything was sent.
    pub fn flush_all(&mut self, daemon: &mut Daemon, now: Now, host: &mut RealHost) -> bool {
        self.round += 1;
        self.sent = false;
        let count = host.ready.count(List::Flush);
        for place in 0..count {
            if let Some((_, Source::Conn(conn))) = host.ready.take(List::Flush, place) {
                self.flush(conn, daemon, now, host);
            }
        }
        host.ready.end_round(List::Flush, count);
        while let Some(conn) = daemon.front.next_changed() {
            self.flush(conn, daemon, now, host);
        }
        self.sent
    }

    fn flush(&mut self, conn: Key<Conn>, daemon: &mut Daemon, now: Now, host: &mut RealHost) {
        let round = self.round;
        let Some(link) = self.get(conn) else { return };
        let Some(talk) = daemon.front.get(conn) else { return self.forget(conn, host) };
        let outgoing = talk.outgoing();
        if !outgoing.is_empty() && host.ready.is_writable(link.id) {
            if link.round == round {
                // It had its turn; being ready, it gets the next.
                return host.ready.want_write(link.id, true);
            }
            link.round = round;
            let parts = outgoing.first(WRITE_BYTES);
            let sent = match parts.0 {
                [bytes, [], []] => io::send(link.fd.as_fd(), bytes),
                _ => io::send_parts(link.fd.as_fd(), &parts.0),
            };
            match sent {
                Ok(count) => {
                    if count < parts.len() {
                        host.ready.write_would_block(link.id);
                    }
                    self.sent = true;
                    daemon.take(Input::Sent { conn, count }, &mut Turn { now, host });
                }
                Err(Errno::EAGAIN) => host.ready.write_would_block(link.id),
                Err(_) => return self.close(conn, daemon, now, host),
            }
        }
        self.adjust(conn, daemon, now, host);
    }

    /// Follows what the connection wants now.
    fn adjust(&mut self, conn: Key<Conn>, daemon: &mut Daemon, now: Now, host: &mut RealHost) {
        let Some(link) = self.get(conn) else { return };
        let Some(talk) = daemon.front.get(conn) else { return self.forget(conn, host) };
        let empty = talk.outgoing().is_empty();
        if empty && talk.wants_close() || link.ended && host.ready.is_dead(link.id) {
            return self.close(conn, daemon, now, host);
        }
        if empty && talk.wants_shutdown() && !link.shut {
            // The other side sees the end of its last answer now; what it still sends is read and dropped.
            link.shut = true;
            io::shutdown_write(link.fd.as_fd());
        }
        host.ready.want_write(link.id, !empty);
        host.ready.want_read(link.id, talk.wants_input() && !link.ended);
    }

    /// Closes the socket and tells the daemon.
    fn close(&mut self, conn: Key<Conn>, daemon: &mut Daemon, now: Now, host: &mut RealHost) {
        self.forget(conn, host);
        daemon.take(Input::Closed(conn), &mut Turn { now, host });
    }

    /// Closes the socket of a connection that is no more.
    fn forget(&mut self, conn: Key<Conn>, host: &mut RealHost) {
        if let Some(link) = self.get(conn) {
            host.ready.remove(link.id);
            self.slots[conn.index()] = None;
        }
    }

    /// Closes all sockets, without telling anybody.
    pub fn clear(&mut self, host: &mut RealHost) {
        for link in std::mem::take(&mut self.slots).into_iter().flatten() {
            host.ready.remove(link.id);
        }
    }
}
