//! A queue of bytes that owns its length: bytes go in at the end and leave from the front.

/// Bytes waiting for somebody slower than their source.
#[derive(Default, Debug)]
pub struct ByteQueue {
    buffer: Vec<u8>,
    start: usize,
}

/// An emptied queue gives memory back when it had grown past this many bytes.
const KEEP_BYTES: usize = 64 * 1024;

impl ByteQueue {
    /// How many bytes wait.
    pub fn len(&self) -> usize {
        self.buffer.len() - self.start
    }

    /// Whether none wait.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends.
    pub fn push(&mut self, bytes: &[u8]) {
        self.tail().extend_from_slice(bytes);
    }

    /// All that waits, in order.
    pub fn as_slice(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    /// Gives direct access to the end, for a writer that formats in place. It may only append.
    pub fn tail(&mut self) -> &mut Vec<u8> {
        // What has left is cut off once it is the greater part: a queue that is never quite empty must not grow.
        if self.start > 0 && self.start >= self.buffer.len() / 2 {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        &mut self.buffer
    }

    /// The same for an empty queue, with room left in front for [`ByteQueue::put_before`].
    pub fn behind_room(&mut self, room: usize) -> &mut Vec<u8> {
        debug_assert!(self.is_empty());
        self.buffer.clear();
        self.buffer.resize(room, 0);
        self.start = room;
        &mut self.buffer
    }

    /// Puts bytes in front of all others.
    pub fn put_before(&mut self, bytes: &[u8]) {
        match self.start.checked_sub(bytes.len()) {
            Some(start) => {
                self.buffer[start..self.start].copy_from_slice(bytes);
                self.start = start;
            }
            None => {
                self.buffer.splice(..self.start, bytes.iter().copied());
                self.start = 0;
            }
        }
    }

    /// Takes `count` bytes from the front; more than there are takes all.
    pub fn consume(&mut self, count: usize) {
        drop(self.consume_for_room(count));
    }

    /// The same; gives the memory that the queue doesn't keep, for somebody else.
    pub fn consume_for_room(&mut self, count: usize) -> Option<Vec<u8>> {
        self.start += count.min(self.len());
        if !self.is_empty() {
            return None;
        }
        self.start = 0;
        self.buffer.clear();
        (self.buffer.capacity() > KEEP_BYTES).then(|| std::mem::take(&mut self.buffer))
    }

    /// Gives an empty queue memory to use.
    pub fn use_room(&mut self, room: Vec<u8>) {
        debug_assert!(self.is_empty());
        (self.buffer, self.start) = (room, 0);
        self.buffer.clear();
    }

    /// Takes away what [`ByteQueue::behind_room`] gave, with what was written to it.
    pub fn take_room(&mut self) -> Vec<u8> {
        self.start = 0;
        std::mem::take(&mut self.buffer)
    }

    /// The inverse: puts it into an empty queue. `room` is what was left in front.
    pub fn put_room(&mut self, bytes: Vec<u8>, room: usize) {
        debug_assert!(self.is_empty());
        (self.buffer, self.start) = (bytes, room);
    }

    /// Takes back what was appended behind the first `length` bytes that wait.
    pub fn truncate(&mut self, length: usize) {
        self.buffer.truncate(self.start + length);
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.consume(usize::MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_leave_in_the_order_they_came() {
        let mut queue = ByteQueue::default();
        queue.push(b"hello ");
        queue.consume(4);
        queue.push(b"world");
        assert_eq!(queue.as_slice(), b"o world");
        assert_eq!(queue.len(), 7);
        queue.push(b"!!");
        queue.truncate(8);
        assert_eq!(queue.as_slice(), b"o world!");
        queue.truncate(100);
        assert_eq!(queue.len(), 8);
        queue.consume(100);
        assert!(queue.is_empty());
        queue.push(b"x");
        assert_eq!(queue.as_slice(), b"x");
    }

    #[test]
    fn what_comes_last_can_stand_first() {
        for room in [0, 3, 10] {
            let mut queue = ByteQueue::default();
            queue.push(b"gone");
            queue.clear();
            queue.behind_room(room).extend_from_slice(b"world");
            assert_eq!(queue.as_slice(), b"world");
            queue.put_before(b"hello ");
            queue.push(b"!");
            assert_eq!(queue.as_slice(), b"hello world!");
            // The same with a stay elsewhere.
            queue.clear();
            queue.behind_room(room).extend_from_slice(b"wor");
            let mut bytes = queue.take_room();
            assert!(queue.is_empty());
            bytes.extend_from_slice(b"ld");
            queue.put_room(bytes, room);
            queue.put_before(b"hello ");
            assert_eq!(queue.as_slice(), b"hello world");
        }
    }

    #[test]
    fn a_large_queue_gives_its_memory_back() {
        let mut queue = ByteQueue::default();
        queue.push(&vec![0; 1 << 20]);
        queue.consume(1 << 20);
        assert!(queue.buffer.capacity() <= KEEP_BYTES);
        // To the next one, if that is wanted.
        queue.push(&vec![0; 1 << 20]);
        assert!(queue.consume_for_room(1).is_none());
        let room = queue.consume_for_room(1 << 20).expect("a large room");
        let mut other = ByteQueue::default();
        other.use_room(room);
        assert!(other.is_empty() && other.buffer.capacity() >= 1 << 20);
    }
}
