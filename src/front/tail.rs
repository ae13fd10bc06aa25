//! A log that somebody follows (HTTP-100 to HTTP-110): a path, and how far it was read.
//!
//! Holds no descriptor: each look is a stat and at most one slice. Never reads ahead of a reader that doesn't read.

use crate::base::limits;
use crate::base::outgoing::Outgoing;
use crate::wire::http_out;
use crate::world::host::{Host, Meta};

/// How much of a log is shown at once when somebody begins to follow it (HTTP-104).
const FIRST_BYTES: u64 = 1024;
/// Said when the file became shorter than what was read of it (HTTP-106).
const TRUNCATED: &[u8] = b"==> File truncated <==\n";

/// A followed log.
pub(super) struct Tail {
    path: String,
    offset: u64,
    identity: (u64, u64, u64),
    chunked: bool,
}

impl Tail {
    /// Follows the log at `path`, which has just been found to be `meta`, from its last 1024 bytes. `chunked`: the
    /// stream is framed (HTTP/1.1), not raw.
    pub(super) fn new(path: String, meta: &Meta, chunked: bool) -> Tail {
        Tail { path, offset: meta.size.saturating_sub(FIRST_BYTES), identity: meta.identity, chunked }
    }

    /// Appends one slice of what is new, unless much is waiting already: the reader's progress brings the next one.
    /// Returns whether there was anything.
    pub(super) fn pump(&mut self, out: &mut Outgoing, host: &mut dyn Host) -> bool {
        if out.len() >= limits::READ_BYTES {
            return false;
        }
        let found = host.stat(&self.path);
        let before = out.len();
        if !found.as_ref().is_ok_and(|meta| meta.identity == self.identity) {
            // A rotation renames the file: what it gets until its writer opens the new one is still to be sent.
            let rotated = format!("{}.1", self.path);
            let old = host.stat(&rotated).ok().filter(|old| old.identity == self.identity);
            if old.is_some_and(|old| self.slice(&rotated, old.size, out, host)) {
                return true;
            }
        }
        // upstream: HTTP-105, a log that vanished is waited for.
        let Ok(meta) = found else { return false };
        if meta.identity != self.identity {
            self.identity = meta.identity;
            self.offset = 0;
        } else if meta.size < self.offset {
            self.put(TRUNCATED, out);
            self.offset = 0;
        }
        let path = std::mem::take(&mut self.path);
        self.slice(&path, meta.size, out, host);
        self.path = path;
        out.len() > before
    }

    /// Ends the stream.
    pub(super) fn end(&self, out: &mut Outgoing) {
        if self.chunked {
            http_out::write_last_chunk(out.tail());
        }
    }

    /// Appends the next bytes of the file at `path`, which is `size` bytes long.
    fn slice(&mut self, path: &str, size: u64, out: &mut Outgoing, host: &mut dyn Host) -> bool {
        let length = size.saturating_sub(self.offset).min(limits::READ_BYTES as u64);
        if length == 0 {
            return false;
        }
        let bytes = host.read(path, self.offset, length as usize).unwrap_or_default();
        self.offset += bytes.len() as u64;
        self.put(&bytes, out);
        !bytes.is_empty()
    }

    fn put(&self, bytes: &[u8], out: &mut Outgoing) {
        if self.chunked {
            http_out::write_chunk(out.tail(), bytes);
        } else {
            out.push(bytes);
        }
    }
}
