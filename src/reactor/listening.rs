//! Listening sockets: who connects, and what becomes of a unix socket whose file somebody removes.
//!
//! Cleaners of temporary folders do that. Nobody can connect any more then, so the socket is made again, under its name
//! and with its mode. So it is when a folder of its path gets another name, and takes it along. The kernel tells when it
//! happens; nothing here looks by itself.

use super::conns::{Accepted, Conns};
use super::host::RealHost;
use super::ready::{Id, List, Source};
use crate::base::errno::Errno;
use crate::base::limits::{ACCEPT_PAUSE, SOCKET_PAUSE};
use crate::base::time::{Mono, Now};
use crate::config::spec::Address;
use crate::daemon::Daemon;
use crate::sys::sockets::{Listener, Place};
use crate::sys::watch::Watch;
use crate::world::Turn;
use crate::world::lines::Line;

/// A listening socket.
struct Socket {
    listener: Listener,
    id: Id,
    /// What became of its file was said.
    told: bool,
}

/// All listening sockets.
#[derive(Default)]
pub struct Listening {
    /// By the server's place in the configuration.
    sockets: Vec<Socket>,
    /// Tells when something happens to the files of unix sockets; `None` without any, or where there is no such thing.
    watch: Option<(Watch, Id)>,
    /// When accepting goes on, after there were no descriptors left.
    resting: Option<Mono>,
    /// When a socket that could not be made again is tried once more.
    retry: Option<Mono>,
    /// How often that was tried.
    tries: u32,
}

impl Listening {
    /// Watches these listening sockets.
    pub fn listen(&mut self, listeners: Vec<Listener>, host: &mut RealHost) -> Result<(), Errno> {
        for listener in listeners {
            let id = host.ready.add(listener.fd(), Source::Listener(self.sockets.len()))?;
            self.watch_file(&listener, host);
            self.sockets.push(Socket { listener, id, told: false });
        }
        Ok(())
    }

    /// Sees to it that the end of a unix socket's file is told. A daemon that isn't works as well.
    fn watch_file(&mut self, listener: &Listener, host: &mut RealHost) {
        let Some(path) = listener.path() else { return };
        if self.watch.is_none() {
            let made = Watch::new().ok();
            self.watch = made.and_then(|watch| host.ready.add(watch.fd(), Source::Files).ok().map(|id| (watch, id)));
        }
        if let Some((watch, _)) = &self.watch {
            // If it is gone already, somebody is quick: the next reload finds out.
            let _ = watch.add(path);
        }
    }

    /// Closes all of them.
    pub fn close(&mut self, host: &mut RealHost) {
        for socket in self.sockets.drain(..) {
            host.ready.remove(socket.id);
        }
        if let Some((_, id)) = self.watch.take() {
            host.ready.remove(id);
        }
        *self = Listening::default();
    }

    /// When the loop has to come by although nothing happens.
    pub fn deadline(&self) -> Option<Mono> {
        [self.resting, self.retry].into_iter().flatten().min()
    }

    /// Accepts who is there.
    pub fn accept(&mut self, conns: &mut Conns, daemon: &mut Daemon, now: Now, host: &mut RealHost) {
        if self.resting.is_some_and(|at| at <= now.mono) {
            self.resting = None;
            for socket in &self.sockets {
                host.ready.retry_read(socket.id);
            }
        }
        let count = host.ready.count(List::Listeners);
        for place in 0..count {
            if let Some((id, Source::Listener(server))) = host.ready.take(List::Listeners, place)
                && let Some(socket) = self.sockets.get(server)
                && conns.accept(&socket.listener, server, id, daemon, now, host) == Accepted::Exhausted
            {
                self.resting = Some(now.mono + ACCEPT_PAUSE);
            }
        }
        host.ready.end_round(List::Listeners, count);
    }

    /// Looks after the files of unix sockets, if there was news of one.
    pub fn look_after_files(&mut self, daemon: &mut Daemon, now: Now, host: &mut RealHost) {
        let count = host.ready.count(List::Files);
        for place in 0..count {
            if let Some((id, _)) = host.ready.take(List::Files, place)
                && let Some((watch, _)) = &self.watch
            {
                watch.clear();
                host.ready.read_would_block(id);
            }
        }
        host.ready.end_round(List::Files, count);
        if count == 0 && self.retry.is_none_or(|at| at > now.mono) {
            return;
        }
        self.retry = None;
        for server in 0..self.sockets.len() {
            match self.sockets[server].listener.place() {
                Place::Own => self.find_again(server, daemon, now, host),
                Place::Nothing => self.make_again(server, daemon, now, host),
                Place::Other => {
                    let Some(path) = self.sockets[server].listener.path() else { continue };
                    let line = Line::SocketReplaced { path: path.display().to_string() };
                    self.tell(server, line, daemon, now, host);
                }
            }
        }
    }

    /// A socket is where it should be; if it was missed, that is over.
    fn find_again(&mut self, server: usize, daemon: &mut Daemon, now: Now, host: &mut RealHost) {
        let Socket { listener, told, .. } = &mut self.sockets[server];
        if std::mem::take(told)
            && let Some(path) = listener.path()
        {
            self.tries = 0;
            let path = path.display().to_string();
            daemon.world.say(&Line::SocketBack { path }, &mut Turn { now, host });
        }
    }

    fn make_again(&mut self, server: usize, daemon: &mut Daemon, now: Now, host: &mut RealHost) {
        let address = daemon.world.config.servers.get(server).map(|server| server.address.clone());
        let Some(Address::Unix { path, mode, chown }) = address else { return };
        let shown = path.display().to_string();
        let made = Listener::unix_again(&path, mode, chown).map_err(|error| error.to_string()).and_then(|listener| {
            let id = host.ready.add(listener.fd(), Source::Listener(server)).map_err(|error| error.to_string())?;
            Ok((listener, id))
        });
        match made {
            Ok((listener, id)) => {
                self.watch_file(&listener, host);
                host.ready.remove(self.sockets[server].id);
                self.sockets[server] = Socket { listener, id, told: false };
                self.tries = 0;
                daemon.world.say(&Line::SocketMadeAgain { path: shown }, &mut Turn { now, host });
            }
            Err(error) => {
                let pause = SOCKET_PAUSE.start().saturating_mul(1 << self.tries.min(16)).min(*SOCKET_PAUSE.end());
                self.tries += 1;
                self.retry = Some(now.mono + pause);
                self.tell(server, Line::SocketLost { path: shown, error }, daemon, now, host);
            }
        }
    }

    /// Says something of a socket's file, once.
    fn tell(&mut self, server: usize, line: Line, daemon: &mut Daemon, now: Now, host: &mut RealHost) {
        if !std::mem::replace(&mut self.sockets[server].told, true) {
            daemon.world.say(&line, &mut Turn { now, host });
        }
    }
}
