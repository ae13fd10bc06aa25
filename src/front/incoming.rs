//! A call as its body comes in: unpacked if it is packed, and kept as far as a line of the main log would show it.
//!
//! Knows nothing of framing; what it is given is body.

use crate::base::limits;
use crate::base::scraps::Scraps;
use crate::wire::gzip::{Coding, Unpacker};
use crate::wire::http_in::Reject;
use crate::wire::xml_read::{BadXml, Call, CallReader};

/// A call that is being read.
pub(super) struct Incoming {
    call: CallReader,
    unpacker: Option<Unpacker>,
    /// What is wrong with it so far.
    so_far: Result<(), Wrong>,
    /// Its beginning.
    shown: Vec<u8>,
}

/// Why a body is no call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Wrong {
    /// The document.
    Xml(BadXml),
    /// It can't be unpacked, or not within the limit.
    Packing(Reject),
}

impl Incoming {
    /// `limit`: bytes that a packed body may have when it is unpacked.
    pub(super) fn new(coding: Coding, limit: u64) -> Incoming {
        Incoming {
            call: CallReader::new(),
            unpacker: (coding == Coding::Gzip).then(|| Unpacker::new(limit)),
            so_far: Ok(()),
            shown: Vec::new(),
        }
    }

    /// Whether a little body can become much.
    pub(super) fn is_packed(&self) -> bool {
        self.unpacker.is_some()
    }

    /// Takes a piece of the body. Returns how many bytes of the document that were.
    pub(super) fn take(&mut self, piece: &[u8]) -> usize {
        if matches!(self.so_far, Err(Wrong::Packing(_))) {
            return 0;
        }
        let Incoming { call, unpacker, so_far, shown } = self;
        let mut count = 0;
        let mut read = |text: &[u8]| {
            count += text.len();
            let room = limits::SHOWN_BYTES - shown.len().min(limits::SHOWN_BYTES);
            shown.extend_from_slice(&text[..text.len().min(room)]);
            if so_far.is_ok() {
                *so_far = call.push(text).map_err(Wrong::Xml);
            }
        };
        match unpacker {
            None => read(piece),
            Some(unpacker) => {
                if let Err(reject) = unpacker.push(piece, &mut read) {
                    self.spoil(reject);
                    // If nothing came out, what went in says most.
                    if self.shown.is_empty() {
                        self.shown.extend_from_slice(&piece[..piece.len().min(limits::SHOWN_BYTES)]);
                    }
                }
            }
        }
        count
    }

    /// An error if the rest of the body is not worth reading.
    pub(super) fn check(&self) -> Result<(), Reject> {
        match self.so_far {
            Err(Wrong::Packing(Reject::TooLarge)) => Err(Reject::TooLarge),
            _ => Ok(()),
        }
    }

    /// The body is complete. What is wrong comes with the beginning of the document.
    pub(super) fn finish(mut self, scraps: &mut Scraps) -> Result<Call, (Wrong, Vec<u8>)> {
        if let Some(unpacker) = self.unpacker.take() {
            let mut last = Vec::new();
            match unpacker.finish(&mut |text| last.extend_from_slice(text)) {
                Ok(()) => {
                    self.take(&last);
                }
                Err(reject) => self.spoil(reject),
            }
        }
        let Incoming { call, so_far, shown, .. } = self;
        match so_far {
            Ok(()) => call.finish().map_err(|wrong| (Wrong::Xml(wrong), shown)),
            Err(wrong) => {
                call.leave(scraps);
                Err((wrong, shown))
            }
        }
    }

    /// The client has gone, or is not listened to any more.
    pub(super) fn leave(self, scraps: &mut Scraps) {
        self.call.leave(scraps);
    }

    /// What can't be unpacked matters more than what was in it.
    fn spoil(&mut self, reject: Reject) {
        self.unpacker = None;
        self.so_far = Err(Wrong::Packing(reject));
    }
}
