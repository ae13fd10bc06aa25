//! Connections of open pages: each is told what changed, at once, and never more than it reads.
//!
//! A reader who is slow gets later what is new by then; what waits for it is one event at most. Nothing is made while
//! nothing changes.

use crate::base::outgoing::Outgoing;
use crate::front::conn::{Conn, Scene, State};
use crate::front::web::live::Wanted;
use crate::rpc::Access;
use crate::wire::http_in::Version;
use crate::wire::http_out;

/// A page that is told what changes.
pub(super) struct Live {
    /// What comes next for it.
    next: Wanted,
    may_change: bool,
    /// The stream is framed (HTTP/1.1), not raw.
    chunked: bool,
}

impl Live {
    /// Ends the stream.
    pub(super) fn end(&self, out: &mut Outgoing) {
        if self.chunked {
            http_out::write_last_chunk(out.tail());
        }
    }
}

impl Conn {
    /// Begins to tell a page everything.
    pub(super) fn begin_live(&mut self, scene: &mut Scene<'_, '_>) {
        let chunked = self.request.version == Version::Http11;
        // The end of a raw body is the end of the connection.
        self.request.keep_alive &= chunked;
        let size = scene.answers.live(&mut self.output, &self.request, scene.turn.now.wall);
        self.log_access(200, size, scene);
        let may_change = self.access == Access::Full;
        scene.world.watch(scene.turn);
        self.state = State::Watching(Live { next: Wanted::All { may_change }, may_change, chunked });
        self.tell(scene);
    }

    /// Tells what is new, unless it has not read yet what it was told before. Returns whether there was anything.
    pub(super) fn tell(&mut self, scene: &mut Scene<'_, '_>) -> bool {
        let State::Watching(live) = &mut self.state else { return false };
        let begins = matches!(live.next, Wanted::All { .. });
        if !self.output.is_empty() && !begins {
            return false;
        }
        if let Wanted::Since(from) = live.next
            && scene.world.news_since(from).is_none()
        {
            live.next = Wanted::All { may_change: live.may_change };
        }
        let event = scene.memo.event(live.next, scene.world, scene.turn);
        let news = !event.is_empty();
        if live.chunked {
            http_out::write_chunk(self.output.tail(), event);
        } else {
            self.output.push(event);
        }
        live.next = Wanted::Since(scene.world.news_end());
        news
    }
}
