//! Logs as files (RFC 9110, 14): a piece at once, or all of it as fast as it is read.
//!
//! Holds no descriptor and never more than a slice: each look is a stat and a read. The bytes are those of the log.

use crate::base::limits;
use crate::base::outgoing::Outgoing;
use crate::base::words::Channel;
use crate::front::conn::{Conn, Scene, State};
use crate::front::web::text::quote;
use crate::world::host::{Host, Meta};

/// A log that somebody asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Asked {
    /// Which one.
    pub(super) which: Which,
    /// The `Range` header.
    pub(super) range: Option<String>,
    /// It is to be kept as a file.
    pub(super) download: bool,
}

/// Which log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Which {
    /// The daemon's own.
    Main,
    /// A process's; `None` if no such log can be meant.
    Of(Option<(String, Channel)>),
}

/// Which part of a file is wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Part {
    /// All of it: nobody said otherwise, or not in a way that we know.
    Whole,
    /// So many bytes from there: at least one.
    Piece { from: u64, length: u64 },
    /// Nothing that there is.
    Nothing,
}

/// Reads a `Range` of a file of `size` bytes; at most [`limits::PIECE_BYTES`] of it. Of the last bytes it is the last.
fn part(range: Option<&str>, size: u64) -> Part {
    let number = |text: &str| match text.bytes().all(|byte| byte.is_ascii_digit()) {
        // What no number can hold is past every end.
        true if !text.is_empty() => Some(text.parse().unwrap_or(u64::MAX)),
        _ => None,
    };
    // Units and forms that we don't know, and several ranges, may be ignored (RFC 9110, 14.2).
    let asked = range.and_then(|range| range.trim().strip_prefix("bytes=")).and_then(|range| range.split_once('-'));
    let ends = asked.and_then(|(from, to)| match (from, to) {
        ("", last) => number(last).map(|last| (size.saturating_sub(last.min(limits::PIECE_BYTES)), u64::MAX)),
        (from, "") => Some((number(from)?, u64::MAX)),
        (from, to) => Some((number(from)?, number(to)?)).filter(|(from, to)| from <= to),
    });
    match ends {
        None => Part::Whole,
        Some((from, _)) if from >= size => Part::Nothing,
        Some((from, to)) => Part::Piece { from, length: (to.min(size - 1) - from + 1).min(limits::PIECE_BYTES) },
    }
}

/// A whole log on its way.
pub(super) struct Whole {
    path: String,
    identity: (u64, u64, u64),
    offset: u64,
    /// What was announced.
    end: u64,
}

impl Whole {
    /// Appends a slice, unless much is waiting already. The error: there is less than was announced.
    fn pump(&mut self, out: &mut Outgoing, host: &mut dyn Host) -> Result<(), ()> {
        if out.len() >= limits::READ_BYTES || self.offset == self.end {
            return Ok(());
        }
        // A rotation renames the file.
        let names = [self.path.clone(), format!("{}.1", self.path)];
        let same = |meta: &Meta| meta.identity == self.identity;
        let path = names.iter().find(|path| host.stat(path).is_ok_and(|meta| same(&meta))).ok_or(())?;
        let length = (self.end - self.offset).min(limits::READ_BYTES as u64);
        let bytes = host.read(path, self.offset, length as usize).map_err(|_| ())?;
        if bytes.is_empty() {
            return Err(());
        }
        self.offset += bytes.len() as u64;
        out.push(&bytes);
        Ok(())
    }
}

impl Conn {
    /// Answers with a log, or a part of it.
    pub(super) fn give_log(&mut self, asked: &Asked, scene: &mut Scene<'_, '_>) {
        let (path, name) = match &asked.which {
            Which::Main => (scene.world.main_log_path(), "supervisord.log".to_string()),
            Which::Of(None) => (None, String::new()),
            Which::Of(Some((name, channel))) => {
                (scene.world.log_path(name, *channel), format!("{name}-{}.log", channel.name()))
            }
        };
        let found = path.and_then(|path| scene.turn.host.stat(&path).ok().map(|meta| (path, meta)));
        // What is no file has no pieces: nobody can tell how long it is.
        let Some((path, meta)) = found.filter(|(_, meta)| meta.regular || meta.null) else {
            return self.give_error(404, scene);
        };
        let (a, b, c) = meta.identity;
        let tag = format!("W/\"{a:x}-{b:x}-{c:x}\"");
        let size = if meta.regular { meta.size } else { 0 };
        // RFC 9110, 14.2: ranges are for GET only.
        let range = asked.range.as_deref().filter(|_| !self.request.head_only);
        let mut headers = vec![("Content-Type", "text/plain;charset=utf-8"), ("ETag", tag.as_str())];
        headers.extend([("Accept-Ranges", "bytes"), ("Cache-Control", "no-store")]);
        let disposition = format!("attachment; filename*=UTF-8''{}", quote(&name).replace('/', "%2F"));
        if asked.download {
            headers.push(("Content-Disposition", &disposition));
        }
        let wall = scene.turn.now.wall;
        let (status, range, body) = match part(range, size) {
            Part::Whole => {
                let written = scene.answers.log_head(&mut self.output, &self.request, &headers, size, wall);
                self.log_access(200, written, scene);
                let end = if self.request.head_only { 0 } else { size };
                self.state = State::Sending(Whole { path, identity: meta.identity, offset: 0, end });
                return self.pump_whole(scene);
            }
            Part::Nothing => (416, format!("bytes */{size}"), Vec::new()),
            Part::Piece { from, length } => match scene.turn.host.read(&path, from, length as usize) {
                Ok(bytes) if !bytes.is_empty() => {
                    (206, format!("bytes {from}-{}/{size}", from + bytes.len() as u64 - 1), bytes)
                }
                _ => return self.give_error(404, scene),
            },
        };
        headers.push(("Content-Range", &range));
        let written = scene.answers.log_piece(&mut self.output, &self.request, status, &headers, body, wall);
        self.answered(status, written, scene);
    }

    /// The client took some of a whole log: sends the next slice. Returns whether anything changed.
    pub(super) fn send_more(&mut self, scene: &mut Scene<'_, '_>) -> bool {
        self.pump_whole(scene);
        if matches!(self.state, State::Sending(_)) {
            return !self.output.is_empty();
        }
        self.resume(scene);
        true
    }

    fn pump_whole(&mut self, scene: &mut Scene<'_, '_>) {
        let State::Sending(whole) = &mut self.state else { return };
        match whole.pump(&mut self.output, scene.turn.host) {
            // The client was told how much would come: only the end of the connection says that it doesn't.
            Err(()) => self.state = State::Closed,
            Ok(()) if whole.offset == whole.end => self.over(scene),
            Ok(()) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_a_file() {
        let piece = |from, length| Part::Piece { from, length };
        let cases = [
            ("bytes=0-0", piece(0, 1)),
            ("bytes=0-99", piece(0, 100)),
            ("bytes=10-19", piece(10, 10)),
            ("bytes=90-", piece(90, 10)),
            ("bytes=90-1000", piece(90, 10)),
            ("bytes=99-99999999999999999999999", piece(99, 1)),
            ("bytes=-10", piece(90, 10)),
            ("bytes=-1000", piece(0, 100)),
            ("bytes=100-", Part::Nothing),
            ("bytes=100-200", Part::Nothing),
            ("bytes=99999999999999999999999-", Part::Nothing),
            ("bytes=-0", Part::Nothing),
            // Not understood, so ignored.
            ("bytes=10-9", Part::Whole),
            ("bytes=200-100", Part::Whole),
            ("bytes=0-1,5-6", Part::Whole),
            ("bytes=-", Part::Whole),
            ("bytes=a-b", Part::Whole),
            ("bytes=+1-2", Part::Whole),
            ("bytes=1", Part::Whole),
            ("lines=0-1", Part::Whole),
            ("", Part::Whole),
        ];
        for (range, expected) in cases {
            assert_eq!(part(Some(range), 100), expected, "{range}");
        }
        assert_eq!(part(None, 100), Part::Whole);
        for range in ["bytes=0-", "bytes=0-0", "bytes=-1"] {
            assert_eq!(part(Some(range), 0), Part::Nothing, "{range}");
        }
        let most = limits::PIECE_BYTES;
        assert_eq!(part(Some("bytes=5-"), 10 * most), piece(5, most));
        assert_eq!(part(Some("bytes=5-99999999"), 10 * most), piece(5, most));
        assert_eq!(part(Some("bytes=-99999999"), 10 * most), piece(9 * most, most));
        assert_eq!(part(Some(&format!("bytes=0-{}", u64::MAX)), u64::MAX), piece(0, most));
    }
}
