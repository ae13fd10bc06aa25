//! Answers: XML-RPC results, error pages and streams' heads, written at the end of a connection's queue.
//!
//! A body is made first, because its length stands before it: a call's where it is sent from, with room for the head in
//! front, others and what comes behind another answer in a buffer that all connections share. Never decides what to
//! answer.

use crate::base::limits;
use crate::base::outgoing::{Outgoing, Shared};
use crate::base::time::{Calendar, Mono, Wall};
use crate::base::value::{Put, Value};
use crate::base::words::Fault;
use crate::front::files::File;
use crate::front::writing::{Writing, Written, write_piece};
use crate::rpc::Reply;
use crate::wire::gzip;
use crate::wire::http_in::{Head, Version};
use crate::wire::http_out::{self, ResponseHead};
use crate::wire::xml_write::{self, Place};
use crate::world::{Turn, World};

/// A header.
type Header<'a> = (&'a str, &'a str);

/// What browsers may do with what comes from here: nothing from elsewhere, nothing inline, no guessing at types.
pub(super) const GUARDS: [Header<'static>; 3] = [
    (
        "Content-Security-Policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
         form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
];

/// What pages are made of changes all the time (WEB-001).
const UNCACHED: [Header<'static>; 3] =
    [("Pragma", "no-cache"), ("Cache-Control", "no-cache"), ("Expires", "Thu, 01 Jan 1970 00:00:00 GMT")];

/// What an answer has to know of its question.
pub(super) struct Request {
    /// Echoed.
    pub(super) version: Version,
    /// Whether the client lets the connection stay open; cleared when we don't.
    pub(super) keep_alive: bool,
    /// The client asks for packed answers.
    packs: bool,
    /// HEAD: an answer without its body.
    pub(super) head_only: bool,
    /// It is a call: what is wrong with it is a fault, not a page.
    pub(super) call: bool,
    /// The request line, if somebody reads the access log.
    pub(super) line: Option<String>,
}

impl Request {
    /// What a head says; its first line, too, if `logged`.
    pub(super) fn new(head: &Head, logged: bool) -> Request {
        let version = match head.version {
            Version::None => "",
            Version::Http10 => " HTTP/1.0",
            Version::Http11 => " HTTP/1.1",
        };
        Request {
            version: head.version,
            keep_alive: head.keep_alive,
            packs: head.accepts_gzip,
            head_only: head.method == "HEAD",
            call: false,
            line: logged.then(|| format!("{} {}{version}", head.method, head.target)),
        }
    }

    /// A request that could not be read, or none yet.
    pub(super) fn unreadable(version: Version) -> Request {
        Request { version, keep_alive: false, packs: false, head_only: false, call: false, line: None }
    }
}

/// What the top of an answer says of it.
struct Top<'a> {
    status: u16,
    headers: &'a [(&'a str, &'a str)],
    /// See [`ResponseHead::kind`].
    kind: Option<&'a str>,
}

/// That of a call's answer.
fn call_top(packed: bool) -> Top<'static> {
    const HEADERS: [Header<'static>; 2] = [("Content-Type", "text/xml"), ("Content-Encoding", "gzip")];
    Top { status: 200, headers: if packed { &HEADERS } else { &HEADERS[..1] }, kind: None }
}

/// Whether an answer will take much room.
fn is_large(result: &Result<Reply, Fault>) -> bool {
    /// Processes, say, of which each takes 900 bytes.
    const MANY: usize = 100;
    match result {
        Ok(Reply::Value(Value::Array(items))) => items.len() > MANY,
        Ok(Reply::Shared(entry)) => matches!(entry.value(), Value::Str(text) if text.len() > limits::KEEP_BODY_BYTES),
        Ok(Reply::Structs(structs)) => structs.len() > MANY,
        Ok(Reply::Value(_)) | Err(_) => false,
    }
}

/// More than the head of a call's answer takes.
const HEAD_ROOM: usize = 256;

/// Writes answers.
#[derive(Default)]
pub(super) struct Answers {
    body: Vec<u8>,
    /// A head that is put before its body.
    head: Vec<u8>,
    /// Where large answers were, for the next ones.
    rooms: Vec<Vec<u8>>,
    /// When they are given back.
    rooms_until: Option<Mono>,
    /// The `Date` header and the second it was made for.
    date: String,
    date_secs: Option<i64>,
    /// Whether a piece of a large answer may be written yet: one in each round, of whosever.
    pub(super) may_write: bool,
    /// The head of the usual answer to a call, up to its body's length, with this date; empty: not made yet.
    usual: Vec<u8>,
}

impl Answers {
    /// Takes the room of a large answer that was sent.
    pub(super) fn keep(&mut self, room: Vec<u8>, now: Mono) {
        let kept: usize = self.rooms.iter().map(Vec::capacity).sum();
        if kept + room.capacity() <= limits::KEEP_LARGE_BYTES {
            self.rooms.push(room);
            self.rooms_until = Some(now + limits::KEEP_LARGE);
        }
    }

    /// When [`Answers::give_back`] has something to do.
    pub(super) fn next_deadline(&self) -> Option<Mono> {
        self.rooms_until
    }

    /// Gives back what was kept, if it was for long enough.
    pub(super) fn give_back(&mut self, now: Mono) {
        if self.rooms_until.is_some_and(|until| until <= now) {
            (self.rooms, self.rooms_until) = (Vec::new(), None);
        }
    }

    /// The result of a call (HTTP-151, RPC-207); of a large one its beginning.
    pub(super) fn result(
        &mut self,
        out: &mut Outgoing,
        request: &Request,
        result: &Result<Reply, Fault>,
        world: &World,
        turn: &mut Turn<'_>,
    ) -> Written {
        let wall = turn.now.wall;
        if out.can_share()
            && let Ok(Reply::Shared(entry)) = result
            && entry.text().is_some_and(|text| {
                text.len() >= limits::SHARED_BYTES && !(request.packs && limits::PACK_BYTES.contains(&text.len()))
            })
            && entry.is_plain()
        {
            return Written::Whole(self.shared(out, request, entry.clone(), wall));
        }
        // The body goes where it is sent from, if it can; a large one isn't copied for its head.
        let alone = out.is_empty();
        if alone
            && is_large(result)
            && let Some(room) = self.rooms.pop()
        {
            out.use_room(room);
        }
        let body = if alone { out.behind_room(HEAD_ROOM) } else { &mut self.body };
        let begin = body.len();
        let (mut place, limit) = (Place::default(), begin + limits::ANSWER_PIECE_BYTES);
        let whole = match result {
            Ok(Reply::Structs(structs)) => {
                let mut members = |place, put: Put<'_>| {
                    structs.each_member(place, world, turn, put);
                };
                xml_write::write_structs_response(body, structs.len(), &mut members);
                true
            }
            of_parts => write_piece(body, of_parts, &mut place, limit),
        };
        if !whole {
            let body = if alone {
                out.take_room()
            } else {
                let mut body = std::mem::take(&mut self.body);
                body.splice(..0, [0; HEAD_ROOM]);
                body
            };
            return Written::Part(place, body);
        }
        let packed = if request.packs { gzip::pack(&body[begin..]) } else { None };
        if packed.is_none() && alone {
            return Written::Whole(self.put_head(out, request, wall));
        }
        if alone {
            out.clear();
        }
        Written::Whole(self.body_behind(out, request, packed, wall))
    }

    /// The next piece of a large answer, if it may be written now. Returns its size once it is whole.
    pub(super) fn go_on(
        &mut self,
        out: &mut Outgoing,
        request: &Request,
        writing: &mut Writing,
        wall: Wall,
    ) -> Option<usize> {
        if !std::mem::take(&mut self.may_write) {
            return None;
        }
        let Writing { result, place, body } = writing;
        let limit = body.len() + limits::ANSWER_PIECE_BYTES;
        if !write_piece(body, result, place, limit) {
            return None;
        }
        let mut body = std::mem::take(body);
        let packed = if request.packs { gzip::pack(&body[HEAD_ROOM..]) } else { None };
        if packed.is_none() && out.is_empty() {
            out.put_room(body, HEAD_ROOM);
            return Some(self.put_head(out, request, wall));
        }
        body.drain(..HEAD_ROOM);
        self.body = body;
        Some(self.body_behind(out, request, packed, wall))
    }

    /// Puts the head before the body of a call's answer that is all there is to send. Returns the answer's size.
    fn put_head(&mut self, out: &mut Outgoing, request: &Request, wall: Wall) -> usize {
        let mut head = std::mem::take(&mut self.head);
        self.write_call_head(&mut head, request, &call_top(false), out.len(), wall);
        out.put_before(&head);
        head.clear();
        self.head = head;
        out.len()
    }

    /// Sends the body of a call's answer, or what it was packed to, behind what waits. Returns the answer's size.
    fn body_behind(&mut self, out: &mut Outgoing, request: &Request, packed: Option<Vec<u8>>, wall: Wall) -> usize {
        let top = call_top(packed.is_some());
        if let Some(packed) = packed {
            self.body = packed;
        }
        self.send(out, request, &top, wall)
    }

    /// A large text, which the cache keeps, too, and which is sent from where it lies.
    fn shared(&mut self, out: &mut Outgoing, request: &Request, text: Shared, wall: Wall) -> usize {
        let before = out.len();
        let [begin, end] = xml_write::TEXT_RESPONSE;
        let length = begin.len() + (*text).as_ref().len() + end.len();
        self.write_call_head(out.tail(), request, &call_top(false), length, wall);
        out.push(begin.as_bytes());
        out.share(text);
        out.push(end.as_bytes());
        out.len() - before
    }

    /// A page that says what is wrong (HTTP-043), with the headers that the status needs.
    pub(super) fn error(&mut self, out: &mut Outgoing, request: &Request, status: u16, wall: Wall) -> usize {
        self.body.extend_from_slice(http_out::error_body(status).as_bytes());
        let headers: &[(&str, &str)] = match status {
            401 => &[("WWW-Authenticate", "Basic realm=\"default\"")],
            405 => &[("Allow", "POST")],
            // What there could be instead (RFC 9110, 15.5.16).
            415 => &[("Accept-Encoding", "gzip")],
            _ => &[],
        };
        self.send(out, request, &Top { status, headers, kind: Some("text/html") }, wall)
    }

    /// A page in HTML (WEB-001); packed, if the client asks for it.
    pub(super) fn page(&mut self, out: &mut Outgoing, request: &Request, body: Vec<u8>, wall: Wall) -> usize {
        let mut headers = vec![("Content-Type", "text/html;charset=utf-8")];
        headers.extend(UNCACHED.iter().chain(&GUARDS));
        self.body = body;
        if let Some(packed) = if request.packs { gzip::pack(&self.body) } else { None } {
            self.body = packed;
            headers.push(("Content-Encoding", "gzip"));
        }
        self.send(out, request, &Top { status: 200, headers: &headers, kind: None }, wall)
    }

    /// A short text for programs (WEB-043).
    pub(super) fn text(&mut self, out: &mut Outgoing, request: &Request, text: &str, wall: Wall) -> usize {
        self.body.extend_from_slice(text.as_bytes());
        self.send(out, request, &Top { status: 200, headers: &[("Content-Type", "text/plain")], kind: None }, wall)
    }

    /// A page that says where to go instead (HTTP-124).
    pub(super) fn moved(&mut self, out: &mut Outgoing, request: &Request, location: &str, wall: Wall) -> usize {
        self.body.extend_from_slice(http_out::error_body(301).as_bytes());
        let top = Top { status: 301, headers: &[("Location", location)], kind: Some("text/html") };
        self.send(out, request, &top, wall)
    }

    /// A page that says where to go on after an action: to the status page, with a message there (WEB-032).
    pub(super) fn message(&mut self, out: &mut Outgoing, request: &Request, location: &str, wall: Wall) -> usize {
        self.body.extend_from_slice(http_out::error_body(301).as_bytes());
        let headers = [&[("Location", location), ("Content-Type", "text/html")], &UNCACHED[..]].concat();
        self.send(out, request, &Top { status: 301, headers: &headers, kind: None }, wall)
    }

    /// A file of `modified`, in seconds since 1970 (HTTP-123); only its date if the client has it (HTTP-125).
    pub(super) fn file(
        &mut self,
        out: &mut Outgoing,
        request: &Request,
        file: &File,
        modified: i64,
        known: bool,
        wall: Wall,
    ) -> usize {
        let date = Calendar::at(modified, 0).http_date();
        let mut headers = vec![("Last-Modified", date.as_str())];
        // Another daemon may have other files: a browser is to ask each time.
        headers.push(("Cache-Control", "no-cache"));
        headers.extend(&GUARDS);
        if file.packs() {
            headers.push(("Vary", "Accept-Encoding"));
        }
        if !known && file.write(&mut self.body, request.packs) {
            headers.push(("Content-Encoding", "gzip"));
        }
        let status = if known { 304 } else { 200 };
        self.send(out, request, &Top { status, headers: &headers, kind: Some(file.kind) }, wall)
    }

    /// The head of a log's stream (HTTP-103), whose bytes will follow; `modified` in seconds since 1970. Returns its
    /// size.
    pub(super) fn stream(
        &mut self,
        out: &mut Outgoing,
        request: &Request,
        modified: i64,
        unbuffered: bool,
        wall: Wall,
    ) -> usize {
        let modified = Calendar::at(modified, 0).http_date();
        let headers = [
            ("Last-Modified", modified.as_str()),
            ("Content-Type", "text/plain;charset=utf-8"),
            ("X-Accel-Buffering", "no"),
        ];
        let own = if unbuffered { &headers[..] } else { &headers[..2] };
        let headers = [own, &GUARDS].concat();
        let before = out.len();
        self.write_head(out.tail(), request, &Top { status: 200, headers: &headers, kind: None }, None, wall);
        out.len() - before
    }

    /// The head of a stream of server-sent events, which will follow. Returns its size.
    pub(super) fn live(&mut self, out: &mut Outgoing, request: &Request, wall: Wall) -> usize {
        let mut headers =
            vec![("Content-Type", "text/event-stream"), ("Cache-Control", "no-store"), ("X-Accel-Buffering", "no")];
        headers.extend(&GUARDS);
        let before = out.len();
        self.write_head(out.tail(), request, &Top { status: 200, headers: &headers, kind: None }, None, wall);
        out.len() - before
    }

    /// The head of a whole log of `length` bytes, which will follow. Returns its size.
    pub(super) fn log_head(
        &mut self,
        out: &mut Outgoing,
        request: &Request,
        headers: &[Header<'_>],
        length: u64,
        wall: Wall,
    ) -> usize {
        let headers = [headers, &GUARDS].concat();
        let before = out.len();
        self.write_head(out.tail(), request, &Top { status: 200, headers: &headers, kind: None }, Some(length), wall);
        out.len() - before
    }

    /// A piece of a log, or that there is none.
    pub(super) fn log_piece(
        &mut self,
        out: &mut Outgoing,
        request: &Request,
        status: u16,
        headers: &[Header<'_>],
        piece: Vec<u8>,
        wall: Wall,
    ) -> usize {
        let headers = [headers, &GUARDS].concat();
        self.body = piece;
        self.send(out, request, &Top { status, headers: &headers, kind: None }, wall)
    }

    /// Sends head and prepared body.
    fn send(&mut self, out: &mut Outgoing, request: &Request, top: &Top<'_>, wall: Wall) -> usize {
        let before = out.len();
        self.write_head(out.tail(), request, top, Some(self.body.len() as u64), wall);
        if !request.head_only {
            out.push(&self.body);
        }
        if self.body.capacity() > limits::KEEP_BODY_BYTES {
            self.body = Vec::new();
        } else {
            self.body.clear();
        }
        out.len() - before
    }

    /// The head of a call's answer. Nearly all of one second differ in the length only.
    fn write_call_head(&mut self, out: &mut Vec<u8>, request: &Request, top: &Top<'_>, length: usize, wall: Wall) {
        let is_usual = request.version == Version::Http11 && request.keep_alive && top.headers.len() == 1;
        self.set_date(wall);
        if is_usual && !self.usual.is_empty() {
            return http_out::write_like(out, &self.usual, length as u64);
        }
        let begin = out.len();
        self.write_head(out, request, top, Some(length as u64), wall);
        if is_usual && let Some(place) = http_out::length_place(&out[begin..]) {
            self.usual.extend_from_slice(&out[begin..begin + place]);
        }
    }

    fn set_date(&mut self, wall: Wall) {
        let secs = wall.secs();
        if self.date_secs != Some(secs) {
            self.date = Calendar::at(secs, 0).http_date();
            self.date_secs = Some(secs);
            self.usual.clear();
        }
    }

    fn write_head(&mut self, out: &mut Vec<u8>, request: &Request, top: &Top<'_>, length: Option<u64>, wall: Wall) {
        self.set_date(wall);
        let head = ResponseHead {
            version: request.version,
            status: top.status,
            date: &self.date,
            headers: top.headers,
            kind: top.kind,
            length,
            keep_alive: request.keep_alive,
        };
        http_out::write_head(out, &head);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_of_large_answers_is_bounded_and_for_a_moment() {
        let mut answers = Answers::default();
        let kept = |answers: &Answers| answers.rooms.iter().map(Vec::capacity).sum::<usize>();
        answers.keep(Vec::with_capacity(limits::KEEP_LARGE_BYTES + 1), Mono(1));
        assert_eq!((kept(&answers), answers.next_deadline()), (0, None));
        (0..20).for_each(|_| answers.keep(Vec::with_capacity(1 << 20), Mono(1)));
        assert_eq!(kept(&answers), limits::KEEP_LARGE_BYTES);
        let until = answers.next_deadline().unwrap();
        answers.give_back(Mono(until.0 - 1));
        assert_eq!(kept(&answers), limits::KEEP_LARGE_BYTES);
        answers.give_back(until);
        assert_eq!((kept(&answers), answers.next_deadline()), (0, None));
    }
}
