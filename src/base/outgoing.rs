//! What is to be sent to a client: a queue of bytes, of which a piece may be shared with whoever keeps it.
//!
//! A large value lies where it is, and stands in the queue without a copy. There is one such piece at a time: what
//! clients that don't read can hold is bounded by the answers they may have waiting.

use std::rc::Rc;

use crate::base::bytes::ByteQueue;

/// Bytes that somebody else keeps, too.
pub type Shared = Rc<dyn AsRef<[u8]>>;

/// Bytes waiting for a client.
#[derive(Default)]
pub struct Outgoing {
    /// Without the piece that is shared.
    own: ByteQueue,
    piece: Option<Piece>,
}

struct Piece {
    bytes: Shared,
    /// What has left of it, and where it ends.
    start: usize,
    end: usize,
    /// So much of the queue comes before it.
    before: usize,
}

/// The bytes of an [`Outgoing`], in order: in up to three parts.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'a>(pub [&'a [u8]; 3]);

impl Parts<'_> {
    /// How many bytes there are.
    pub fn len(&self) -> usize {
        self.0.iter().map(|part| part.len()).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All of them, copied.
    pub fn to_vec(&self) -> Vec<u8> {
        self.0.concat()
    }

    /// The first `count` of them.
    pub fn first(self, count: usize) -> Self {
        let mut left = count;
        Parts(self.0.map(|part| {
            let part = &part[..part.len().min(left)];
            left -= part.len();
            part
        }))
    }
}

impl Outgoing {
    /// How many bytes wait.
    pub fn len(&self) -> usize {
        self.own.len() + self.piece.as_ref().map_or(0, |piece| piece.end - piece.start)
    }

    /// Whether none wait.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All that waits, in order.
    pub fn parts(&self) -> Parts<'_> {
        let own = self.own.as_slice();
        match &self.piece {
            None => Parts([own, &[], &[]]),
            Some(piece) => {
                let (before, behind) = own.split_at(piece.before);
                Parts([before, &(*piece.bytes).as_ref()[piece.start..piece.end], behind])
            }
        }
    }

    /// Appends.
    pub fn push(&mut self, bytes: &[u8]) {
        self.own.push(bytes);
    }

    /// Whether [`Outgoing::share`] may be called: no shared piece waits.
    pub fn can_share(&self) -> bool {
        self.piece.is_none()
    }

    /// Appends bytes without a copy of them.
    pub fn share(&mut self, bytes: Shared) {
        debug_assert!(self.can_share());
        let (end, before) = ((*bytes).as_ref().len(), self.own.len());
        self.piece = Some(Piece { bytes, start: 0, end, before });
    }

    /// The end, for a writer that formats in place. It may only append.
    pub fn tail(&mut self) -> &mut Vec<u8> {
        self.own.tail()
    }

    /// See [`ByteQueue::behind_room`]; nothing may wait.
    pub fn behind_room(&mut self, room: usize) -> &mut Vec<u8> {
        debug_assert!(self.is_empty());
        self.own.behind_room(room)
    }

    /// See [`ByteQueue::put_before`]; nothing that is shared may wait.
    pub fn put_before(&mut self, bytes: &[u8]) {
        debug_assert!(self.can_share());
        self.own.put_before(bytes);
    }

    /// See [`ByteQueue::take_room`].
    pub fn take_room(&mut self) -> Vec<u8> {
        self.own.take_room()
    }

    /// See [`ByteQueue::put_room`]; nothing may wait.
    pub fn put_room(&mut self, bytes: Vec<u8>, room: usize) {
        debug_assert!(self.is_empty());
        self.own.put_room(bytes, room);
    }

    /// See [`ByteQueue::use_room`].
    pub fn use_room(&mut self, room: Vec<u8>) {
        self.own.use_room(room);
    }

    /// Takes `count` bytes from the front; gives the memory that the queue doesn't keep, for somebody else.
    pub fn consume_for_room(&mut self, count: usize) -> Option<Vec<u8>> {
        let mut left = count;
        if let Some(piece) = &mut self.piece {
            let before = left.min(piece.before);
            piece.before -= before;
            let shared = (left - before).min(piece.end - piece.start);
            piece.start += shared;
            left -= shared;
            if piece.start == piece.end {
                self.piece = None;
            }
        }
        self.own.consume_for_room(left)
    }

    /// Takes back what was appended behind the first `length` bytes that wait.
    pub fn truncate(&mut self, length: usize) {
        let Some(piece) = &mut self.piece else { return self.own.truncate(length) };
        let (begin, size) = (piece.before, piece.end - piece.start);
        if length > begin + size {
            return self.own.truncate(length - size);
        }
        self.own.truncate(begin.min(length));
        piece.end = piece.start + length.saturating_sub(begin);
        if piece.start == piece.end {
            self.piece = None;
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.piece = None;
        self.own.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue() -> Outgoing {
        let mut queue = Outgoing::default();
        queue.push(b"xxhead ");
        queue.consume_for_room(2);
        let shared: Shared = Rc::new("shared".to_string());
        queue.share(shared);
        queue.push(b" tail");
        queue
    }

    const ALL: &[u8] = b"head shared tail";

    #[test]
    fn bytes_leave_in_order_whoever_keeps_them() {
        assert_eq!(queue().parts().0, [&b"head "[..], b"shared", b" tail"]);
        for first in 0..=ALL.len() {
            let mut queue = queue();
            assert!(!queue.can_share());
            assert_eq!(queue.parts().first(first).to_vec(), ALL[..first]);
            queue.consume_for_room(first);
            assert_eq!(queue.parts().to_vec(), ALL[first..]);
            assert_eq!((queue.len(), queue.is_empty()), (ALL.len() - first, first == ALL.len()));
            // The piece is let go of when it is through.
            assert_eq!(queue.can_share(), first >= 11);
            queue.push(b"!");
            queue.consume_for_room(3);
            let then = [&ALL[first..], b"!"].concat();
            assert_eq!(queue.parts().to_vec(), then[3.min(then.len())..]);
            queue.clear();
            assert!(queue.is_empty() && queue.can_share());
        }
    }

    #[test]
    fn the_end_can_be_taken_back() {
        for gone in 0..ALL.len() {
            for length in 0..ALL.len() + 2 {
                let mut queue = queue();
                queue.consume_for_room(gone);
                queue.truncate(length);
                let left = &ALL[gone..];
                assert_eq!(queue.parts().to_vec(), left[..length.min(left.len())], "{gone} gone, {length} left");
                queue.push(b"!");
                assert!(queue.parts().to_vec().ends_with(b"!"));
            }
        }
    }
}
