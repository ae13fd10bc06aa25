//! One connection: from the bytes of its requests to the bytes of its answers, one question in flight at a time.
//!
//! Knows nothing of sockets and of other connections. Input that can't be used yet waits in a bounded queue; so does
//! output that the client has not taken yet, and while much of it waits no further question is looked at.

use std::time::Duration;

use crate::base::bytes::ByteQueue;
use crate::base::limits;
use crate::base::outgoing::{Outgoing, Parts};
use crate::base::scraps::Scraps;
use crate::base::time::{Mono, Now, Wall};
use crate::config::spec::ServerLimits;
use crate::front::answer::{Answers, Request};
use crate::front::complaints::Complaints;
use crate::front::incoming::Incoming;
use crate::front::live::Live;
use crate::front::piece::Whole;
use crate::front::route::Route;
use crate::front::serve::Visit;
use crate::front::tail::Tail;
use crate::front::web::action::Doing;
use crate::front::web::live::Memo;
use crate::front::writing::Writing;
use crate::front::{Peer, Server};
use crate::rpc::{Access, Waiting};
use crate::wire::gzip::Coding;
use crate::wire::http_in::{BodyReader, Head, HeadReader, Reject, Version, blank_lines};
use crate::wire::xml_read::{Call, read_at_once};
use crate::world::{Turn, World};

/// What a connection needs of its surroundings to go on.
pub(super) struct Scene<'a, 'h> {
    pub(super) answers: &'a mut Answers,
    pub(super) complaints: &'a mut Complaints,
    pub(super) memo: &'a mut Memo,
    /// The head that is read, and the call that is carried out, in room that is used again.
    pub(super) head: &'a mut Option<Box<Head>>,
    pub(super) call: &'a mut Call,
    /// What is to be freed.
    pub(super) scraps: &'a mut Scraps,
    pub(super) servers: &'a [Server],
    /// The date of what comes with the daemon.
    pub(super) born: Wall,
    pub(super) world: &'a mut World,
    pub(super) turn: &'a mut Turn<'h>,
}

/// A connection.
pub struct Conn {
    /// Which of the servers was asked.
    pub(super) server: usize,
    /// What that server bears.
    pub(super) limits: ServerLimits,
    pub(super) peer: Peer,
    pub(super) state: State,
    heads: HeadReader,
    /// What whoever asked it may do.
    pub(super) access: Access,
    /// The question in flight, or the last one.
    pub(super) request: Request,
    /// Received, not yet looked at.
    input: ByteQueue,
    pub(super) output: Outgoing,
    /// How much of `output` was there before the question in flight; `None`: there is none.
    pub(super) asked_at: Option<usize>,
    /// The client sends no more.
    ended: bool,
    /// There is input that only the budget of a visit held back.
    more: bool,
    /// When bytes last moved.
    active: Mono,
    /// When the first bytes of an incomplete request were seen.
    pub(super) began: Option<Mono>,
    /// The lists of [`super::Front`] that name this connection.
    pub(super) listed: super::Listed,
    /// When [`super::Front`] will look at this connection's patience.
    pub(super) armed: Mono,
}

pub(super) enum State {
    /// Between requests, or within a head.
    Head,
    /// A body comes in.
    Body { reader: BodyReader, job: Job },
    /// A call or an action goes on; `asked`: the world's count of changes when its answer was last asked for.
    Waiting { open: Open, asked: Option<u64> },
    /// A log is followed.
    Following(Tail),
    /// A page is told what changes.
    Watching(Live),
    /// A whole log is sent, as fast as it is read.
    Sending(Whole),
    /// The last answer is written. What still comes in is read and dropped until `until`, because closing a socket
    /// with unread input would destroy the answer on its way (RFC 9112 9.6, HTTP-085).
    Lingering { until: Mono, rest: Rest },
    /// Nothing more to do but sending what is left.
    Closed,
}

/// What goes on.
pub(super) enum Open {
    /// A call.
    Call(Waiting),
    /// The writing of a call's large answer.
    Answer(Box<Writing>),
    /// An action of a page, and what goes before the message in the address that follows.
    Action(Box<Doing>, String),
}

/// What a body is for.
pub(super) enum Job {
    /// It is a call, of which nothing has come yet.
    NewCall(Coding),
    /// It is a call that comes in pieces, or is an unusual one.
    Call(Box<Incoming>),
    /// It is a form, for a page.
    Form(Box<Visit>),
    /// Dropped; then this answers.
    Then(Route),
}

impl Job {
    /// How much of the body's input to take at a time, when so much of the document came out in this visit; for how many
    /// bytes of a document that counts at least; and whether the rest is for the next visit.
    fn portion<'a>(&self, input: &'a [u8], unpacked: usize) -> (&'a [u8], usize, bool) {
        match self {
            Job::Call(call) if call.is_packed() => {
                let piece = &input[..input.len().min(limits::PACKED_BLOCK_BYTES)];
                (piece, limits::PACKED_BLOCK_COST, piece.len() < input.len() && unpacked >= limits::READ_BYTES)
            }
            _ => (input, 0, false),
        }
    }

    /// Takes a piece of the body. Returns how many bytes of a document that were.
    fn take(&mut self, piece: &[u8]) -> usize {
        match self {
            Job::Call(call) => call.take(piece),
            Job::Form(visit) => {
                visit.body.extend_from_slice(piece);
                0
            }
            Job::NewCall(_) | Job::Then(_) => 0,
        }
    }

    /// An error if the rest of the body is not worth reading.
    fn check(&self) -> Result<(), Reject> {
        match self {
            Job::Call(call) => call.check(),
            Job::Form(visit) if visit.body.len() > limits::FORM_BYTES => Err(Reject::TooLarge),
            Job::Form(_) | Job::NewCall(_) | Job::Then(_) => Ok(()),
        }
    }
}

/// What may still come in although the last answer is written.
pub(super) enum Rest {
    /// Nothing, unless more is already here.
    Nothing,
    /// The rest of a body.
    Body(BodyReader),
    /// Anything.
    Unknown,
}

impl Conn {
    pub(super) fn new(server: usize, limits: ServerLimits, peer: Peer, now: Now) -> Conn {
        Conn {
            server,
            limits,
            peer,
            state: State::Head,
            heads: HeadReader::default(),
            access: Access::View,
            request: Request::unreadable(Version::None),
            input: ByteQueue::default(),
            output: Outgoing::default(),
            asked_at: None,
            ended: false,
            more: false,
            active: now.mono,
            began: None,
            listed: super::Listed::default(),
            armed: later(now.mono, limits.idle),
        }
    }

    /// Bytes to send, in order.
    pub fn outgoing(&self) -> Parts<'_> {
        self.output.parts()
    }

    /// Whether more input is wanted now; if not, the socket is left unread.
    pub fn wants_input(&self) -> bool {
        match self.state {
            State::Closed => false,
            State::Lingering { .. } => true,
            _ => !self.ended && self.input.len() < limits::IN_BYTES,
        }
    }

    /// Whether the socket can be closed once `outgoing` is empty; the reactor then calls [`super::Front::closed`].
    /// Not before input that comes after an early close is over: the connection reads and drops that itself.
    pub fn wants_close(&self) -> bool {
        matches!(self.state, State::Closed)
    }

    /// Whether the sending side can be shut down once `outgoing` is empty although input is still read: the client
    /// then sees the end of its last answer at once, and its own end ends the lingering.
    pub fn wants_shutdown(&self) -> bool {
        matches!(self.state, State::Lingering { .. } | State::Closed)
    }

    pub(super) fn has_more(&self) -> bool {
        self.more
    }

    pub(super) fn is_following(&self) -> bool {
        matches!(self.state, State::Following(_))
    }

    pub(super) fn is_watching(&self) -> bool {
        matches!(self.state, State::Watching(_))
    }

    pub(super) fn is_waiting(&self) -> bool {
        matches!(self.state, State::Waiting { .. })
    }

    /// Whether a deferred answer may have come since it was last asked for.
    pub(super) fn may_be_answered(&self, changes: u64) -> bool {
        matches!(self.state, State::Waiting { asked, .. } if asked != Some(changes))
    }

    /// Bytes came in.
    pub(super) fn received(&mut self, bytes: &[u8], scene: &mut Scene<'_, '_>) {
        self.active = scene.turn.now.mono;
        // The usual request lies in one piece and is read where it lies.
        if self.input.is_empty() {
            let used = self.advance(bytes, scene);
            self.input.push(&bytes[used..]);
        } else {
            self.input.push(bytes);
            if !self.more {
                self.resume(scene);
            }
        }
        self.note_begin(scene.turn.now.mono);
    }

    /// The client sends no more; what it has asked is answered (HTTP-154).
    pub(super) fn ended(&mut self, scene: &mut Scene<'_, '_>) {
        self.ended = true;
        match &self.state {
            State::Following(_) => drop(self.pump(scene)),
            State::Watching(live) => {
                // A client that went away looks the same.
                live.end(&mut self.output);
                self.state = State::Closed;
            }
            _ => self.resume(scene),
        }
    }

    /// The client took `count` bytes of output. Returns whether that changed anything else.
    pub(super) fn sent(&mut self, count: usize, scene: &mut Scene<'_, '_>) -> bool {
        self.active = scene.turn.now.mono;
        if let Some(room) = self.output.consume_for_room(count) {
            scene.answers.keep(room, self.active);
        }
        self.asked_at = self.asked_at.map(|before| before.saturating_sub(count));
        if self.is_following() {
            self.pump(scene)
        } else if self.is_watching() {
            self.tell(scene)
        } else if matches!(self.state, State::Sending(_)) {
            self.send_more(scene)
        } else if !self.input.is_empty() {
            self.resume(scene);
            true
        } else {
            self.output.is_empty() && self.wants_shutdown()
        }
    }

    /// Goes on with input that waits.
    pub(super) fn resume(&mut self, scene: &mut Scene<'_, '_>) {
        let mut input = std::mem::take(&mut self.input);
        let used = self.advance(input.as_slice(), scene);
        input.consume(used);
        self.input = input;
        self.note_begin(scene.turn.now.mono);
        // Whatever is incomplete now stays so.
        let stuck = match self.state {
            State::Head => self.input.is_empty() || !self.more && self.output.len() < limits::OUT_BYTES,
            State::Body { .. } => !self.more,
            State::Lingering { .. } => true,
            State::Following(_) | State::Watching(_) | State::Sending(_) | State::Waiting { .. } | State::Closed => {
                false
            }
        };
        if self.ended && stuck {
            self.state = State::Closed;
        }
    }

    /// Sends what is new in the followed log. Returns whether there was anything.
    pub(super) fn pump(&mut self, scene: &mut Scene<'_, '_>) -> bool {
        let State::Following(tail) = &mut self.state else { return false };
        let news = tail.pump(&mut self.output, scene.turn.host);
        if self.ended {
            // A client that went away looks the same, and nobody could tell it from one that still reads.
            tail.end(&mut self.output);
            self.state = State::Closed;
        }
        news || self.ended
    }

    /// When patience with the client ends, if nothing moves until then.
    pub(super) fn patience(&self) -> Mono {
        match (&self.state, self.began) {
            (State::Lingering { until, .. }, _) => *until,
            (State::Head | State::Body { .. }, Some(began)) => later(began, self.limits.slow_request),
            _ => later(self.active, self.limits.idle),
        }
    }

    /// The moment of [`Conn::patience`] may have come.
    pub(super) fn expire(&mut self, scene: &mut Scene<'_, '_>) {
        let now = scene.turn.now.mono;
        if self.patience() > now {
            return;
        }
        match self.state {
            // An answer may take as long as it likes, and a log may be silent.
            State::Waiting { .. } | State::Following(_) | State::Watching(_) if self.output.is_empty() => {}
            State::Head | State::Body { .. } if self.began.is_some() => {
                if matches!(self.state, State::Head) {
                    self.request = Request::unreadable(HeadReader::version(self.input.as_slice()));
                }
                self.give_up(408, Rest::Unknown, scene);
            }
            _ => {
                if later(self.active, self.limits.idle) <= now {
                    // Nobody reads.
                    self.output.clear();
                }
                self.state = State::Closed;
            }
        }
        self.active = now;
    }

    /// A panic came in between: the answer in the making is replaced by one that says so, and the connection closed.
    pub(super) fn fail(&mut self, scene: &mut Scene<'_, '_>) {
        self.input.clear();
        self.more = false;
        self.began = None;
        match (&self.state, self.asked_at.take()) {
            // The end of a stream says nothing, and what was answered before is still to be sent.
            (State::Following(_) | State::Watching(_) | State::Sending(_), _) => self.state = State::Closed,
            (State::Lingering { .. } | State::Closed, _) => self.state = State::Closed,
            (_, Some(before)) => {
                self.output.truncate(before);
                self.give_bug(scene);
            }
            (_, None) => {
                self.request = Request::unreadable(Version::None);
                self.give_bug(scene);
            }
        }
    }

    /// Notes when an incomplete request began.
    fn note_begin(&mut self, now: Mono) {
        let begun = match self.state {
            State::Head => !self.more && !self.input.is_empty() && self.output.len() < limits::OUT_BYTES,
            State::Body { .. } => true,
            _ => false,
        };
        self.began = begun.then(|| self.began.unwrap_or(now));
    }

    /// Uses input as far as it goes now, and says how many bytes that were.
    fn advance(&mut self, input: &[u8], scene: &mut Scene<'_, '_>) -> usize {
        let mut used = 0;
        let mut answered = 0;
        let mut unpacked = 0;
        self.more = false;
        loop {
            let rest = &input[used..];
            match &mut self.state {
                State::Head => {
                    // Some clients send one line end too many (HTTP-155): nothing has begun yet.
                    used += blank_lines(rest);
                    let rest = &input[used..];
                    if rest.is_empty() || self.output.len() >= limits::OUT_BYTES {
                        return used;
                    }
                    if answered == limits::REQUESTS_PER_TURN {
                        self.more = true;
                        return used;
                    }
                    let mut head = scene.head.take().unwrap_or_default();
                    let read = self.heads.read_into(rest, &mut head);
                    if let Ok(Some(taken)) = read {
                        used += taken;
                        answered += 1;
                        self.begin(&head, scene);
                    }
                    *scene.head = Some(head);
                    if let Err(reject) = read {
                        self.request = Request::unreadable(HeadReader::version(rest));
                        self.reject(reject, scene);
                    } else if read == Ok(None) {
                        return used;
                    }
                }
                State::Body { reader, job } => {
                    if let Job::NewCall(coding) = *job {
                        // Many clients send the body behind the head, in one piece.
                        if rest.is_empty() && !reader.is_done() {
                            return used;
                        }
                        if coding == Coding::Plain
                            && let Some(body) = reader.whole(rest)
                            && read_at_once(body, scene.call)
                        {
                            used += body.len();
                            self.carry_out(scene);
                            continue;
                        }
                        *job = Job::Call(Box::new(Incoming::new(coding, self.limits.body_bytes)));
                    }
                    let (piece, cost, waits) = job.portion(rest, unpacked);
                    let least = unpacked + cost;
                    let taken = reader.push(piece, &mut |piece| unpacked += job.take(piece));
                    unpacked = unpacked.max(least);
                    match taken.and_then(|taken| job.check().map(|()| taken)) {
                        Ok(taken) => {
                            used += taken;
                            if reader.is_done() {
                                if let State::Body { job, .. } = std::mem::replace(&mut self.state, State::Head) {
                                    self.finish(job, scene);
                                }
                            } else if waits {
                                self.more = true;
                                return used;
                            } else if used == input.len() {
                                return used;
                            }
                        }
                        Err(reject) => self.reject(reject, scene),
                    }
                }
                State::Lingering { rest: owed, .. } => match owed {
                    Rest::Nothing if rest.is_empty() => self.state = State::Closed,
                    Rest::Nothing => *owed = Rest::Unknown,
                    Rest::Body(reader) => match reader.push(rest, &mut |_| ()) {
                        Ok(taken) => {
                            used += taken;
                            if !reader.is_done() {
                                return used;
                            }
                            *owed = Rest::Nothing;
                        }
                        Err(_) => *owed = Rest::Unknown,
                    },
                    Rest::Unknown => return input.len(),
                },
                State::Waiting { .. } | State::Sending(_) => return used,
                // A stream ends with its connection: what is sent behind it is never answered, and keeping it
                // would hide that the client has gone.
                State::Following(_) | State::Watching(_) | State::Closed => return input.len(),
            }
        }
    }
}

/// The end of a patience that may have none.
fn later(since: Mono, patience: Option<Duration>) -> Mono {
    patience.map_or(Mono::NEVER, |patience| since + patience)
}
