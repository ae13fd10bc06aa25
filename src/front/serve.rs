//! What becomes of a request: admission, its body, and the answer that the route gives.
//!
//! The second half of [`Conn`]: here a request is known, there only bytes are. Never touches input.

use crate::base::limits;
use crate::base::scraps::Scraps;
use crate::base::text::repr;
use crate::base::time::{Calendar, MONTHS};
use crate::base::words::{Fault, Level, fault};
use crate::front::answer::Request;
use crate::front::complaints::Complaint;
use crate::front::conn::{Conn, Job, Open, Rest, Scene, State};
use crate::front::files::File;
use crate::front::incoming::Wrong;
use crate::front::origin;
use crate::front::route::{self, Route, Verdict};
use crate::front::tail::Tail;
use crate::front::web::action::Doing;
use crate::front::web::text::{Form, quote};
use crate::front::web::{self, Page};
use crate::front::writing::{Writing, Written};
use crate::rpc::{self, Access, Answer, Reply};
use crate::wire::gzip::Coding;
use crate::wire::http_in::{BodyReader, Framing, Head, Reject, Version};
use crate::wire::http_out;
use crate::wire::xml_read::BadXml;
use crate::world::lines::Line;

/// What a client is told whose question met a bug.
const BUG: &str = "a bug of supervisord; its log says more";

/// A page that somebody asked for.
pub(super) struct Visit {
    page: Page,
    /// How the client calls this server.
    base: String,
    /// What the query says.
    form: Form,
    /// What the body says, not read yet.
    pub(super) body: Vec<u8>,
}

impl Conn {
    /// A head is complete: decides what becomes of the body, and whether there is an answer at all.
    pub(super) fn begin(&mut self, head: &Head, scene: &mut Scene<'_, '_>) {
        self.request = Request::new(head, scene.world.says(Level::Trace));
        self.began = None;
        self.asked_at = Some(self.output.len());
        let length_missing = head.framing.is_none() && head.method == "POST";
        let Some(server) = scene.servers.get(self.server) else { return self.give_up(401, Rest::Unknown, scene) };
        let verdict = server.guard.check(head.header("authorization"));
        let route = route::route(head);
        let form = head.query.as_deref().map(Form::of_query).unwrap_or_default();
        let acts_by_get = head.method == "GET" && route == Route::Page(Page::Status) && form.may_change();
        self.request.call = route == Route::Rpc;
        let coding = head.coding;
        let refused = match verdict {
            Verdict::Unreadable => Some(400),
            Verdict::Stranger => Some(401),
            Verdict::Welcome(access) => {
                self.access = access;
                let misdirected = origin::misdirected(head, &server.hosts);
                let misdirected = misdirected.map(|why| (421, Complaint::Misdirected, why));
                let harm = route.harm(head.method == "POST" || acts_by_get);
                let foreign = || origin::foreign(head, harm).map(|why| (403, Complaint::Foreign, why));
                match misdirected.or_else(foreign) {
                    Some((status, what, why)) => {
                        self.say_refused(head, what, why, scene);
                        Some(status)
                    }
                    None if acts_by_get && !server.get_actions => Some(405),
                    None if length_missing && route.reads_body() => Some(411),
                    None if length_missing => Some(400),
                    None if coding == Coding::Unknown && route == Route::Rpc => Some(415),
                    None => None,
                }
            }
        };
        let framing = head.framing.unwrap_or(Framing::Empty);
        let reader = BodyReader::new(framing, self.limits.body_bytes);
        if let Some(status) = refused {
            let rest = match reader {
                Ok(reader) if !length_missing && !head.expects_continue => Rest::Body(reader),
                _ => Rest::Unknown,
            };
            return self.give_up(status, rest, scene);
        }
        match reader {
            Err(reject) => self.reject(reject, scene),
            Ok(reader) => {
                if head.expects_continue && !reader.is_done() {
                    self.output.push(http_out::CONTINUE);
                }
                let job = match route {
                    Route::Rpc => Job::NewCall(coding),
                    Route::Page(page) => {
                        let base = self.base(head, scene);
                        Job::Form(Box::new(Visit { page, base, form, body: Vec::new() }))
                    }
                    other => Job::Then(other),
                };
                self.state = State::Body { reader, job };
            }
        }
    }

    /// A request is complete: answers it, or begins to.
    pub(super) fn finish(&mut self, job: Job, scene: &mut Scene<'_, '_>) {
        match job {
            Job::Call(incoming) => match incoming.finish(scene.scraps) {
                Ok(call) => {
                    *scene.call = call;
                    self.carry_out(scene);
                }
                Err((Wrong::Packing(Reject::TooLarge), _)) => self.reject(Reject::TooLarge, scene),
                Err((wrong, shown)) => {
                    let why = match wrong {
                        Wrong::Xml(BadXml::Unmarshallable) => "unmarshallable",
                        Wrong::Xml(BadXml::NoMethodName) => "no method name",
                        Wrong::Packing(_) => "not gzip",
                    };
                    if scene.complaints.may_tell(Complaint::Unreadable, scene.turn.now.mono) {
                        let data = repr(&String::from_utf8_lossy(&shown));
                        scene.world.say(&Line::InvalidRequest { data, why }, scene.turn);
                    }
                    self.give_error(400, scene);
                }
            },
            Job::Form(visit) => self.visit(*visit, scene),
            Job::Then(Route::File(file, known)) => self.give_file(file, known, scene),
            Job::Then(Route::Moved(location)) => {
                let wall = scene.turn.now.wall;
                let size = scene.answers.moved(&mut self.output, &self.request, &location, wall);
                self.answered(301, size, scene);
            }
            Job::Then(Route::Log(name)) => {
                let path = name.and_then(|(name, channel)| scene.world.log_path(&name, channel));
                self.follow(path, true, scene);
            }
            Job::Then(Route::MainLog) => {
                let path = scene.world.main_log_path();
                self.follow(path, false, scene);
            }
            Job::Then(Route::Read(asked)) => self.give_log(&asked, scene),
            Job::Then(Route::Live) => self.begin_live(scene),
            Job::Then(Route::Refused(status)) => self.give_error(status, scene),
            // Every call is Job::Call by now, a page Job::Form.
            Job::NewCall(_) | Job::Then(Route::Rpc | Route::Page(_)) => self.give_error(400, scene),
        }
    }

    /// Carries out the call that was read.
    pub(super) fn carry_out(&mut self, scene: &mut Scene<'_, '_>) {
        let answer = rpc::call(scene.world, scene.turn, self.access, &scene.call.method, &mut scene.call.params);
        scene.call.give_back(scene.scraps);
        match answer {
            Answer::Now(result) => {
                if let Some(Ok(Reply::Value(value))) = self.give_result(result, scene) {
                    scene.call.use_again(value);
                }
            }
            Answer::Later(waiting) => self.state = State::Waiting { open: Open::Call(waiting), asked: None },
        }
    }

    /// Asks for a deferred answer. Returns whether it came.
    pub(super) fn ask(&mut self, scene: &mut Scene<'_, '_>) -> bool {
        let State::Waiting { open, asked } = &mut self.state else { return false };
        *asked = Some(scene.world.changes());
        match open {
            Open::Call(waiting) => {
                let Some(result) = waiting.poll(scene.world, scene.turn) else { return false };
                self.give_result(result.map(Reply::Value), scene);
                if self.is_waiting() {
                    return false;
                }
            }
            Open::Answer(writing) => {
                let wall = scene.turn.now.wall;
                match scene.answers.go_on(&mut self.output, &self.request, writing, wall) {
                    Some(size) => {
                        writing.leave(scene.scraps);
                        self.answered(200, size, scene);
                    }
                    None => {
                        scene.world.wake_waiters(scene.turn.now.mono);
                        return false;
                    }
                }
            }
            Open::Action(doing, base) => {
                let Some(message) = doing.poll(scene.world, scene.turn) else { return false };
                let location = format!("{base}{}", quote(&message));
                self.give_message(&location, scene);
            }
        }
        self.resume(scene);
        true
    }

    /// The client has gone, perhaps within a large call, or while its answer was being written.
    pub(super) fn leave(self, scraps: &mut Scraps) {
        match self.state {
            State::Waiting { open: Open::Answer(mut writing), .. } => writing.leave(scraps),
            State::Body { job: Job::Call(incoming), .. } => incoming.leave(scraps),
            _ => {}
        }
    }

    /// Shows a page.
    fn visit(&mut self, mut visit: Visit, scene: &mut Scene<'_, '_>) {
        visit.form.add_body(&visit.body);
        if visit.page == Page::Status && visit.form.action.is_some() {
            return self.act(&visit, scene);
        }
        let body = match visit.page {
            Page::Ok => {
                let size = scene.answers.text(&mut self.output, &self.request, "OK", scene.turn.now.wall);
                return self.answered(200, size, scene);
            }
            Page::Status => web::status::render(&web::status(
                scene.world,
                visit.form.message,
                self.access == Access::Full,
                scene.turn,
            )),
            Page::Tail => web::tail::render(&web::tail(visit.form, scene.world, scene.turn)),
        };
        let size = scene.answers.page(&mut self.output, &self.request, body, scene.turn.now.wall);
        self.answered(200, size, scene);
    }

    /// Does what a page was asked to do (WEB-020 to WEB-028).
    fn act(&mut self, visit: &Visit, scene: &mut Scene<'_, '_>) {
        match Doing::new(&visit.form) {
            Ok(_) if self.access == Access::View && visit.form.may_change() => self.give_error(403, scene),
            Err(status) => self.give_error(status, scene),
            Ok(doing) => {
                let open = Open::Action(Box::new(doing), format!("{}/?message=", visit.base));
                self.state = State::Waiting { open, asked: None };
            }
        }
    }

    /// Says that a request was refused because of where it comes from.
    fn say_refused(&self, head: &Head, what: Complaint, why: String, scene: &mut Scene<'_, '_>) {
        if !scene.complaints.may_tell(what, scene.turn.now.mono) {
            return;
        }
        let path = head.path.chars().take(limits::SHOWN_PATH_CHARS).collect::<String>();
        let (host, method, path) = (self.peer.host(), head.method.clone(), repr(&path));
        scene.world.say(&Line::Foreign { host, method, path, why }, scene.turn);
    }

    /// How the client calls this server (WEB-030).
    fn base(&self, head: &Head, scene: &Scene<'_, '_>) -> String {
        let name = scene.servers.get(self.server).map_or("localhost", |server| &server.name);
        route::base_url(head, name)
    }

    /// Sends the client to the status page, with a message there.
    pub(super) fn give_message(&mut self, location: &str, scene: &mut Scene<'_, '_>) {
        let size = scene.answers.message(&mut self.output, &self.request, location, scene.turn.now.wall);
        self.answered(301, size, scene);
    }

    /// Begins to follow the log at `path` (HTTP-100 to HTTP-104).
    fn follow(&mut self, path: Option<String>, unbuffered: bool, scene: &mut Scene<'_, '_>) {
        let Some((path, meta)) = path.and_then(|path| scene.turn.host.stat(&path).ok().map(|meta| (path, meta))) else {
            return self.give_error(404, scene);
        };
        if !meta.regular && !meta.null {
            if scene.complaints.may_tell(Complaint::NoFile, scene.turn.now.mono) {
                scene.world.say(&Line::CannotFollow { host: self.peer.host(), path }, scene.turn);
            }
            return self.give_error(500, scene);
        }
        let chunked = self.request.version == Version::Http11;
        // The end of a raw body is the end of the connection (HTTP-108).
        self.request.keep_alive &= chunked;
        let wall = scene.turn.now.wall;
        let size = scene.answers.stream(&mut self.output, &self.request, meta.modified, unbuffered, wall);
        self.log_access(200, size, scene);
        self.state = State::Following(Tail::new(path, &meta, chunked));
        self.pump(scene);
    }

    /// Gives a file, unless the client has it already (HTTP-125).
    fn give_file(&mut self, file: &File, known: Option<i64>, scene: &mut Scene<'_, '_>) {
        let wall = scene.turn.now.wall;
        let modified = scene.born.secs();
        let known = known.is_some_and(|known| known >= modified);
        let size = scene.answers.file(&mut self.output, &self.request, file, modified, known, wall);
        self.answered(if known { 304 } else { 200 }, size, scene);
    }

    /// Writes the result of a call, or begins to. Gives it back if it is written.
    pub(super) fn give_result(
        &mut self,
        result: Result<Reply, Fault>,
        scene: &mut Scene<'_, '_>,
    ) -> Option<Result<Reply, Fault>> {
        match (scene.answers.result(&mut self.output, &self.request, &result, scene.world, scene.turn), result) {
            (Written::Part(place, body), result) => {
                let open = Open::Answer(Box::new(Writing::new(result, place, body)));
                self.state = State::Waiting { open, asked: None };
                scene.world.wake_waiters(scene.turn.now.mono);
                None
            }
            (Written::Whole(size), result) => {
                self.answered(200, size, scene);
                Some(result)
            }
        }
    }

    /// Writes an error page.
    pub(super) fn give_error(&mut self, status: u16, scene: &mut Scene<'_, '_>) {
        let size = scene.answers.error(&mut self.output, &self.request, status, scene.turn.now.wall);
        self.answered(status, size, scene);
    }

    /// An answer is written.
    pub(super) fn answered(&mut self, status: u16, size: usize, scene: &mut Scene<'_, '_>) {
        self.log_access(status, size, scene);
        self.over(scene);
    }

    /// All of an answer is queued: the next request, or the end.
    pub(super) fn over(&mut self, scene: &mut Scene<'_, '_>) {
        self.asked_at = None;
        self.state = if self.request.keep_alive {
            State::Head
        } else {
            State::Lingering { until: scene.turn.now.mono + limits::LINGER, rest: Rest::Nothing }
        };
    }

    /// Writes an error page and closes, although input may still come.
    pub(super) fn give_up(&mut self, status: u16, rest: Rest, scene: &mut Scene<'_, '_>) {
        self.request.keep_alive = false;
        self.give_error(status, scene);
        self.state = State::Lingering { until: scene.turn.now.mono + limits::LINGER, rest };
    }

    /// Says that there was a bug, and closes.
    pub(super) fn give_bug(&mut self, scene: &mut Scene<'_, '_>) {
        if self.request.call {
            self.request.keep_alive = false;
            self.give_result(Err(Fault::with(fault::FAILED, BUG)), scene);
            self.state = State::Lingering { until: scene.turn.now.mono + limits::LINGER, rest: Rest::Unknown };
        } else {
            self.give_up(500, Rest::Unknown, scene);
        }
    }

    pub(super) fn reject(&mut self, reject: Reject, scene: &mut Scene<'_, '_>) {
        let status = match reject {
            Reject::BadRequest => 400,
            Reject::TooLarge => 413,
        };
        self.give_up(status, Rest::Unknown, scene);
    }

    /// Writes the access log's line (HTTP-049).
    pub(super) fn log_access(&mut self, status: u16, size: usize, scene: &mut Scene<'_, '_>) {
        let Some(request) = self.request.line.take() else { return };
        let secs = scene.turn.now.wall.secs();
        let offset = scene.turn.host.local_offset(secs);
        let Calendar { year, month, day, hour, minute, second, .. } = Calendar::at(secs, offset);
        let month = MONTHS[month as usize - 1];
        let sign = if offset < 0 { '-' } else { '+' };
        let (zone_hours, zone_minutes) = (offset.abs() / 3600, offset.abs() / 60 % 60);
        let stamp = format!(
            "{day:02}/{month}/{year:04}:{hour:02}:{minute:02}:{second:02} {sign}{zone_hours:02}{zone_minutes:02}"
        );
        let host = format!("{}:{}", self.peer.host(), self.peer.port());
        scene.world.say(&Line::Access { host, stamp, request, status, bytes: size as u64 }, scene.turn);
    }
}
