//! Connections without sockets: bytes of requests in, bytes of answers out.
//!
//! [`Front`] owns the connections and knows which of them somebody has to look at: those whose output changed, whose
//! input is left over, who wait for an answer, who follow a log, whose patience ends. Never reads or writes a socket.

mod answer;
mod complaints;
mod conn;
mod files;
mod incoming;
mod live;
mod origin;
mod piece;
mod route;
mod serve;
mod tail;
mod web;
mod writing;

use answer::{Answers, Request};
use complaints::Complaints;
pub use conn::Conn;
use conn::Scene;
use route::Guard;
use web::live::Memo;

use crate::base::key::{Arena, Key};
use crate::base::limits;
use crate::base::outgoing::Outgoing;
use crate::base::scraps::Scraps;
use crate::base::time::{Deadlines, Mono, Now, Wall};
use crate::config::spec::{Address, ServerLimits, ServerSpec};
use crate::wire::http_in::{Head, Version};
use crate::wire::xml_read::Call;
use crate::world::lines::Line;
use crate::world::{Turn, World};

/// Who is at the other end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Peer {
    /// Address and port.
    Inet(std::net::SocketAddr),
    /// A unix socket's client.
    Unix,
}

impl Peer {
    /// The host as log lines show it (HTTP-049).
    fn host(&self) -> String {
        match self {
            Peer::Inet(address) => address.ip().to_string(),
            Peer::Unix => "localhost".to_string(),
        }
    }

    /// The port as log lines show it (HTTP-049).
    fn port(&self) -> u16 {
        match self {
            Peer::Inet(address) => address.port(),
            Peer::Unix => 0,
        }
    }
}

/// Which lists name a connection, so that none names it twice.
#[derive(Clone, Copy, Default)]
struct Listed {
    changed: bool,
    ready: bool,
    waiting: bool,
    following: bool,
    watching: bool,
}

/// One server, as its connections see it.
struct Server {
    guard: Guard,
    limits: ServerLimits,
    /// Names by which it may be called; any if empty.
    hosts: Vec<String>,
    /// GET requests of pages may change things.
    get_actions: bool,
    /// Host and port, for clients that don't say how they call it (WEB-030).
    name: String,
    /// Connections that it has.
    open: usize,
}

/// What a server is called if nobody says.
fn server_name(address: &Address) -> String {
    match address {
        Address::Inet { host, port } => {
            let host = if host.is_empty() { "localhost" } else { host };
            if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
        }
        Address::Unix { .. } => "localhost".to_string(),
    }
}

/// All connections.
pub struct Front {
    /// By server number.
    servers: Vec<Server>,
    conns: Arena<Conn>,
    answers: Answers,
    /// What is wrong with requests, and how often that was told.
    complaints: Complaints,
    /// What open pages are told.
    memo: Memo,
    /// The room for heads and calls: there is one at a time.
    head: Option<Box<Head>>,
    call: Call,
    /// Values of calls and answers that are over.
    scraps: Scraps,
    /// To be named by [`Front::next_changed`].
    changed: Vec<Key<Conn>>,
    /// With input that only a budget held back.
    ready: Vec<Key<Conn>>,
    /// With a deferred answer.
    waiting: Vec<Key<Conn>>,
    /// With a followed log.
    following: Vec<Key<Conn>>,
    /// Of open pages.
    watching: Vec<Key<Conn>>,
    /// When a connection's patience is looked at. Bytes that move do not move it: it is coarse, and set anew when its
    /// moment comes.
    deadlines: Deadlines<Key<Conn>>,
    /// When the first client came: the date of what comes with the daemon.
    born: Option<Wall>,
    /// When followed logs are looked at although we wrote nothing to them.
    next_look: Option<Mono>,
    /// The world's count of log writes when followed logs were last looked at.
    seen_writes: u64,
    /// The world's count of news when open pages were last told.
    seen_news: u64,
    /// When last lines of logs are read for open pages.
    next_lines: Option<Mono>,
    /// Whose turn it is: after a panic, to whom it happened.
    visiting: Option<Key<Conn>>,
}

impl Front {
    /// A front for these servers.
    pub fn new(servers: &[ServerSpec]) -> Front {
        Front {
            servers: servers
                .iter()
                .map(|server| Server {
                    guard: Guard::new(server),
                    limits: server.limits,
                    hosts: server.access.hosts.clone(),
                    get_actions: server.access.get_actions,
                    name: server_name(&server.address),
                    open: 0,
                })
                .collect(),
            conns: Arena::default(),
            answers: Answers::default(),
            complaints: Complaints::default(),
            memo: Memo::default(),
            head: None,
            call: Call::default(),
            scraps: Scraps::default(),
            changed: Vec::new(),
            ready: Vec::new(),
            waiting: Vec::new(),
            following: Vec::new(),
            watching: Vec::new(),
            deadlines: Deadlines::default(),
            born: None,
            next_look: None,
            seen_writes: 0,
            seen_news: 0,
            next_lines: None,
            visiting: None,
        }
    }

    /// A new connection to server number `server`; when there are too many, what to send before it is closed.
    pub fn accept(&mut self, server: usize, peer: Peer, now: Now) -> Result<Key<Conn>, Vec<u8>> {
        let Some(Server { limits, open, .. }) = self.servers.get_mut(server) else { return Err(Vec::new()) };
        if *open >= limits.connections {
            let mut out = Outgoing::default();
            self.answers.error(&mut out, &Request::unreadable(Version::None), 503, now.wall);
            return Err(out.parts().to_vec());
        }
        *open += 1;
        self.born.get_or_insert(now.wall);
        let conn = Conn::new(server, *limits, peer, now);
        let armed = conn.armed;
        let key = self.conns.insert(conn);
        self.deadlines.set(key, Some(armed).filter(|at| *at != Mono::NEVER));
        Ok(key)
    }

    /// A connection, if it is still there.
    pub fn get(&self, conn: Key<Conn>) -> Option<&Conn> {
        self.conns.get(conn)
    }

    /// Bytes came in.
    pub fn received(&mut self, conn: Key<Conn>, bytes: &[u8], world: &mut World, turn: &mut Turn<'_>) {
        self.visit(conn, world, turn, |conn, scene| {
            conn.received(bytes, scene);
            true
        });
    }

    /// The client has shut down its sending side (HTTP-154).
    pub fn ended(&mut self, conn: Key<Conn>, world: &mut World, turn: &mut Turn<'_>) {
        self.visit(conn, world, turn, |conn, scene| {
            conn.ended(scene);
            true
        });
    }

    /// So many bytes of `outgoing` were sent.
    pub fn sent(&mut self, conn: Key<Conn>, count: usize, world: &mut World, turn: &mut Turn<'_>) {
        self.visit(conn, world, turn, |conn, scene| conn.sent(count, scene));
    }

    /// The socket is closed: by a reset, an error, or because the connection wanted it. Forgets the connection.
    pub fn closed(&mut self, conn: Key<Conn>) {
        self.deadlines.set(conn, None);
        let Some(gone) = self.conns.remove(conn) else { return };
        if let Some(server) = self.servers.get_mut(gone.server) {
            server.open -= 1;
        }
        for (listed, list) in [
            (gone.listed.ready, &mut self.ready),
            (gone.listed.waiting, &mut self.waiting),
            (gone.listed.following, &mut self.following),
            (gone.listed.watching, &mut self.watching),
        ] {
            if listed {
                list.retain(|key| *key != conn);
            }
        }
        gone.leave(&mut self.scraps);
        if self.following.is_empty() {
            self.next_look = None;
        }
        if self.watching.is_empty() {
            self.next_lines = None;
        }
    }

    /// After a panic: the connection that it happened to gets an answer that says so, and is closed; lists that were
    /// being gone through are made anew. Returns whether there was such a connection.
    pub(crate) fn mend(&mut self, world: &mut World, turn: &mut Turn<'_>) -> bool {
        let broken = self.visiting.take();
        self.answers = Answers::default();
        (self.head, self.call) = (None, Call::default());
        self.memo.clear();
        for list in [&mut self.changed, &mut self.ready, &mut self.waiting, &mut self.following, &mut self.watching] {
            list.clear();
        }
        for key in self.conns.keys() {
            let Some(conn) = self.conns.get_mut(key) else { continue };
            conn.listed = Listed::default();
            conn.armed = Mono::NEVER;
            self.visit(key, world, turn, |conn, scene| {
                if broken == Some(key) {
                    conn.fail(scene);
                }
                true
            });
        }
        broken.is_some()
    }

    /// Answers that were waited for, logs that are followed, requests left over from earlier input. Returns whether
    /// anybody is still ready (so that the poll must not wait).
    pub fn settle(&mut self, world: &mut World, turn: &mut Turn<'_>) -> bool {
        for key in std::mem::take(&mut self.ready) {
            self.visit(key, world, turn, |conn, scene| {
                conn.listed.ready = false;
                conn.resume(scene);
                true
            });
        }
        let changes = world.changes();
        if self.waiting.iter().any(|key| self.may_be_answered(*key, changes)) {
            let mut wrote = None;
            self.answers.may_write = true;
            for key in std::mem::take(&mut self.waiting) {
                self.visit(key, world, turn, |conn, scene| {
                    conn.listed.waiting = false;
                    conn.ask(scene)
                });
                // Whoever wrote a piece comes last in the next round.
                if !self.answers.may_write && wrote.is_none() {
                    wrote = Some(key);
                    self.waiting.pop_if(|last| *last == key);
                }
            }
            let still = wrote.filter(|key| self.conns.get(*key).is_some_and(Conn::is_waiting));
            self.waiting.extend(still);
        }
        // Last, so that what was logged just now is seen.
        if !self.following.is_empty() && world.log_writes() != self.seen_writes {
            self.look_at_logs(world, turn);
        }
        self.look_at_news(world, turn);
        let changes = world.changes();
        if self.waiting.is_empty() {
            // An idle daemon sleeps for ever.
            world.forget_waiters();
        }
        if !self.scraps.is_empty() {
            self.scraps.free(limits::FREED_PARTS * self.scraps.len());
            turn.host.freed();
        }
        !self.scraps.is_empty()
            || !self.ready.is_empty()
            || self.waiting.iter().any(|key| self.may_be_answered(*key, changes))
    }

    /// The next connection whose `outgoing`, `wants_input` or `wants_close` may have changed. Each is named once.
    pub fn next_changed(&mut self) -> Option<Key<Conn>> {
        while let Some(key) = self.changed.pop() {
            if let Some(conn) = self.conns.get_mut(key) {
                conn.listed.changed = false;
                return Some(key);
            }
        }
        None
    }

    /// When [`Front::due`] wants to be called.
    pub fn next_deadline(&self) -> Option<Mono> {
        let (answers, complaints) = (self.answers.next_deadline(), self.complaints.next_deadline());
        [self.deadlines.next(), self.next_look, self.next_lines, answers, complaints].into_iter().flatten().min()
    }

    /// Timeouts whose moment has come.
    pub fn due(&mut self, world: &mut World, turn: &mut Turn<'_>) {
        let now = turn.now.mono;
        self.answers.give_back(now);
        while let Some((what, count)) = self.complaints.sum_up(now) {
            world.say(&Line::MoreComplaints { count, what: what.text() }, turn);
        }
        while let Some(key) = self.deadlines.pop_due(now) {
            self.visit(key, world, turn, |conn, scene| {
                conn.expire(scene);
                conn.armed = Mono::NEVER;
                true
            });
        }
        if self.next_look.is_some_and(|at| at <= now) {
            self.next_look = None;
            self.look_at_logs(world, turn);
        }
        if self.next_lines.is_some_and(|at| at <= now) {
            self.look_at_news(world, turn);
        }
    }

    fn may_be_answered(&self, key: Key<Conn>, changes: u64) -> bool {
        self.conns.get(key).is_some_and(|conn| conn.may_be_answered(changes))
    }

    fn look_at_logs(&mut self, world: &mut World, turn: &mut Turn<'_>) {
        self.seen_writes = world.log_writes();
        for key in std::mem::take(&mut self.following) {
            self.visit(key, world, turn, |conn, scene| {
                conn.listed.following = false;
                conn.pump(scene)
            });
        }
    }

    /// Tells open pages what is new.
    fn look_at_news(&mut self, world: &mut World, turn: &mut Turn<'_>) {
        if self.watching.is_empty() {
            return world.forget_watchers();
        }
        world.read_lines(turn);
        self.next_lines = world.lines_due();
        if world.news_end() != self.seen_news {
            self.seen_news = world.news_end();
            for key in std::mem::take(&mut self.watching) {
                self.visit(key, world, turn, |conn, scene| {
                    conn.listed.watching = false;
                    conn.tell(scene)
                });
            }
        }
        self.memo.clear();
    }

    /// Lets a connection do something, then sees to it that the right lists name it. `act` returns whether the socket's
    /// owner has to look at the connection.
    fn visit(
        &mut self,
        key: Key<Conn>,
        world: &mut World,
        turn: &mut Turn<'_>,
        act: impl FnOnce(&mut Conn, &mut Scene<'_, '_>) -> bool,
    ) {
        let now = turn.now.mono;
        let born = self.born.unwrap_or_default();
        let Some(conn) = self.conns.get_mut(key) else { return };
        self.visiting = Some(key);
        let Front { answers, complaints, memo, head, call, scraps, servers, .. } = self;
        let changed =
            act(conn, &mut Scene { answers, complaints, memo, head, call, scraps, servers, born, world, turn });
        self.visiting = None;

        let before = conn.listed;
        conn.listed = Listed {
            changed: before.changed || changed,
            ready: before.ready || conn.has_more(),
            waiting: before.waiting || conn.is_waiting(),
            following: before.following || conn.is_following(),
            watching: before.watching || conn.is_watching(),
        };
        if conn.listed.changed && !before.changed {
            self.changed.push(key);
        }
        if conn.listed.ready && !before.ready {
            self.ready.push(key);
        }
        if conn.listed.waiting && !before.waiting {
            self.waiting.push(key);
        }
        if conn.listed.following && !before.following {
            self.following.push(key);
        }
        if conn.listed.watching && !before.watching {
            self.watching.push(key);
        }
        if conn.listed.following && self.next_look.is_none() {
            self.next_look = Some(now + limits::FOLLOW_CHECK);
        }
        let patience = conn.patience();
        if patience < conn.armed {
            conn.armed = patience;
            self.deadlines.set(key, Some(patience));
        }
    }
}
