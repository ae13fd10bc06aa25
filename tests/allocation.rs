//! A `cache.fetch` on a connection that has asked before takes nothing from the allocator: counted by an allocator of
//! this test's own, below a daemon on a pretended system.

// A global allocator can't be made without.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use majordomo::base::key::Key;
use majordomo::base::outgoing::Parts;
use majordomo::base::time::{Mono, Now, Wall};
use majordomo::base::value::Value;
use majordomo::daemon::{Daemon, Input};
use majordomo::front::{Conn, Peer};
use majordomo::sim::host::SimHost;
use majordomo::sim::setup::read;
use majordomo::wire::xml_write::write_call;
use majordomo::world::Turn;

thread_local! {
    static TAKEN: Cell<usize> = const { Cell::new(0) };
}

/// The system's allocator, which is asked so often by this thread.
struct Counting;

// SAFETY: every call goes on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        TAKEN.set(TAKEN.get() + 1);
        // SAFETY: as this function's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as this function's.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        TAKEN.set(TAKEN.get() + 1);
        // SAFETY: as this function's.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn taken(act: impl FnOnce()) -> usize {
    let before = TAKEN.get();
    act();
    TAKEN.get() - before
}

const NOW: Now = Now { mono: Mono(1_000_000_000), wall: Wall(1_700_000_000_000_000_000) };

/// A daemon with one connection.
struct Rig {
    host: SimHost,
    daemon: Daemon,
    conn: Key<Conn>,
}

impl Rig {
    fn new() -> Rig {
        let text = "[supervisord]\nlogfile=/main.log\nsilent=true\nnocleanup=true\n[inet_http_server]\nport=1\n\
                    [rpcinterface:supervisor]\n\
                    supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n\
                    [rpcinterface:cache]\n\
                    supervisor.rpcinterface_factory=supervisor_cache.rpcinterface:make_cache_rpcinterface\n";
        let mut host = SimHost::new(1);
        let mut turn = Turn { now: NOW, host: &mut host };
        let mut daemon = Daemon::new(read("/etc/s.conf", text).expect("sound"), &mut turn).expect("a daemon");
        daemon.begin(&mut turn);
        while daemon.settle(&mut turn) {}
        let conn = daemon.accept(0, Peer::Unix, &mut turn).expect("a connection");
        Rig { host, daemon, conn }
    }

    /// A turn in which these bytes come, in as many pieces; the answer ends as given.
    fn turn(&mut self, pieces: &[&[u8]], end: &str) {
        let mut turn = Turn { now: NOW, host: &mut self.host };
        for bytes in pieces {
            self.daemon.take(Input::Received { conn: self.conn, bytes }, &mut turn);
        }
        self.daemon.settle(&mut turn);
        let Parts([outgoing, ..]) = self.daemon.front.get(self.conn).map(Conn::outgoing).expect("a connection");
        assert!(outgoing.ends_with(end.as_bytes()), "{}", String::from_utf8_lossy(outgoing));
        let count = outgoing.len();
        self.daemon.take(Input::Sent { conn: self.conn, count }, &mut turn);
        self.daemon.settle(&mut turn);
        while self.daemon.front.next_changed().is_some() {}
    }
}

/// A request as Python's client sends it: head and body.
fn request(method: &str, params: &[Value]) -> (Vec<u8>, Vec<u8>) {
    let mut body = Vec::new();
    write_call(&mut body, method, params);
    let head = format!(
        "POST /RPC2 HTTP/1.1\r\nHost: localhost:9001\r\nAccept-Encoding: gzip\r\nContent-Type: text/xml\r\n\
         User-Agent: Python-xmlrpc/3.11\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    (head.into_bytes(), body)
}

#[test]
fn a_fetch_on_a_warm_connection_allocates_nothing() {
    let mut rig = Rig::new();
    let (head, body) = request("cache.store", &["greeting".into(), "hello, world".into()]);
    rig.turn(&[&head, &body], "<value><boolean>1</boolean></value>\n</param>\n</params>\n</methodResponse>\n");
    let (head, body) = request("cache.fetch", &["greeting".into()]);
    let end = "<value><string>hello, world</string></value>\n</param>\n</params>\n</methodResponse>\n";
    let whole = [head.as_slice(), &body].concat();
    for pieces in [&[whole.as_slice()][..], &[&head, &body]] {
        // Once with each way that it may come.
        rig.turn(pieces, end);
        for _ in 0..100 {
            assert_eq!(taken(|| rig.turn(pieces, end)), 0);
        }
    }
    // The counter counts.
    assert!(taken(|| rig.turn(&[&whole, &whole[..300]], end)) > taken(|| rig.turn(&[&whole[300..]], end)));
}
