//! A front over a real world over a pretended system, and a client that reads what comes out of it.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use majordomo::base::key::Key;
use majordomo::base::time::{Mono, Now, Wall};
use majordomo::base::words::{Exit, Level};
use majordomo::config::spec::Config;
use majordomo::front::{Conn, Front, Peer};
use majordomo::sim::host::SimHost;
use majordomo::sim::setup::read;
use majordomo::world::{Turn, World};

/// The main log's path.
pub const MAIN_LOG: &str = "/var/log/supervisord.log";
/// The log of the program `web`.
pub const WEB_LOG: &str = "/var/log/web.log";
/// Server 0 takes everybody, server 1 asks for `user` and `secret`.
pub const GUARDED: usize = 1;

/// Everything, and the moment.
pub struct Rig {
    pub world: World,
    pub front: Front,
    pub host: SimHost,
    pub now: Now,
}

impl Rig {
    pub fn new() -> Rig {
        Rig::with_level(Level::Info)
    }

    /// With these lines in the section of server 0.
    pub fn with_server(lines: &str) -> Rig {
        Rig::of(config(Level::Info, lines))
    }

    /// With these sections, too.
    pub fn with_sections(text: &str) -> Rig {
        Rig::of(read("/etc/s.conf", &(config_text(Level::Info, "") + text)).unwrap())
    }

    pub fn with_level(level: Level) -> Rig {
        Rig::of(config(level, ""))
    }

    /// With a main log at another place, or `syslog`.
    pub fn with_main_log(place: &str) -> Rig {
        let mut config = config(Level::Info, "");
        config.daemon.logfile = (place != "syslog").then(|| place.into());
        Rig::of(config)
    }

    fn of(config: Config) -> Rig {
        let mut host = SimHost::new(1);
        host.files.put_directory("/var/log");
        // Wed, 31 Jan 2024 10:20:30 GMT.
        let now = Now { mono: Mono(1_000_000_000), wall: Wall(1_706_696_430_000_000_000) };
        let front = Front::new(&config.servers);
        let world = World::new(config, &mut Turn { now, host: &mut host }).unwrap();
        let mut rig = Rig { world, front, host, now };
        rig.settle();
        rig
    }

    /// A new client of server number `server`.
    pub fn connect(&mut self, server: usize) -> Key<Conn> {
        let peer = match server {
            0 => Peer::Inet(SocketAddr::from((Ipv4Addr::new(10, 0, 0, 7), 4242))),
            _ => Peer::Unix,
        };
        self.front.accept(server, peer, self.now).unwrap()
    }

    /// One turn in which something happens, and its end. Panics if it never settles.
    pub fn turn<T>(&mut self, act: impl FnOnce(&mut Front, &mut World, &mut Turn<'_>) -> T) -> T {
        let result = act(&mut self.front, &mut self.world, &mut Turn { now: self.now, host: &mut self.host });
        self.settle();
        result
    }

    fn settle(&mut self) {
        let mut turn = Turn { now: self.now, host: &mut self.host };
        for _ in 0..1000 {
            let busy = self.world.settle(&mut turn) | self.front.settle(&mut self.world, &mut turn);
            if !busy {
                self.world.check().unwrap();
                return;
            }
        }
        panic!("the front never comes to rest");
    }

    /// Time passes; whoever wanted to be woken is, at the moment they named.
    pub fn pass(&mut self, time: Duration) {
        let end = self.now.mono + time;
        loop {
            let next = [self.world.next_deadline(), self.front.next_deadline()].into_iter().flatten().min();
            let Some(next) = next.filter(|next| *next <= end) else { break };
            self.now.mono = self.now.mono.max(next);
            self.turn(|front, world, turn| {
                world.due(turn);
                front.due(world, turn);
            });
        }
        self.now.mono = end;
    }

    /// The client sends bytes.
    pub fn send(&mut self, conn: Key<Conn>, bytes: &[u8]) {
        self.turn(|front, world, turn| front.received(conn, bytes, world, turn));
    }

    /// The client shuts down its sending side.
    pub fn end(&mut self, conn: Key<Conn>) {
        self.turn(|front, world, turn| front.ended(conn, world, turn));
    }

    /// The client reads at most `count` bytes.
    pub fn take(&mut self, conn: Key<Conn>, count: usize) -> Vec<u8> {
        let bytes = self.front.get(conn).map(|conn| conn.outgoing().first(count).to_vec()).unwrap_or_default();
        self.turn(|front, world, turn| front.sent(conn, bytes.len(), world, turn));
        bytes
    }

    /// The client reads all there is, as text.
    pub fn read(&mut self, conn: Key<Conn>) -> String {
        let mut all = Vec::new();
        loop {
            let bytes = self.take(conn, usize::MAX);
            if bytes.is_empty() {
                return String::from_utf8_lossy(&all).into_owned();
            }
            all.extend(bytes);
        }
    }

    /// What a new client of the open server gets for these bytes.
    pub fn ask(&mut self, bytes: impl AsRef<[u8]>) -> String {
        let conn = self.connect(0);
        self.send(conn, bytes.as_ref());
        let answer = self.read(conn);
        self.front.closed(conn);
        answer
    }

    /// Whether the client sees the end of what the server sends.
    pub fn is_over(&self, conn: Key<Conn>) -> bool {
        self.front.get(conn).unwrap().wants_shutdown()
    }

    /// Whether the socket may be closed.
    pub fn is_closed(&self, conn: Key<Conn>) -> bool {
        self.front.get(conn).unwrap().wants_close()
    }

    /// The program `web` ends.
    pub fn web_exits(&mut self) {
        self.exits("web", Exit::Code(0));
    }

    /// The child of a process ends.
    pub fn exits(&mut self, name: &str, exit: Exit) {
        let who = self.world.find_member(name, name).expect("a process");
        let pid = self.world.processes.get(who).and_then(|process| process.life.pid()).expect("a child");
        self.host.children.remove(&pid);
        self.turn(|_, world, turn| world.reaped(pid, exit, turn));
    }

    /// Somebody else appends to a file, which is made if it is absent.
    pub fn grow(&mut self, path: &str, bytes: impl AsRef<[u8]>) {
        let mut all = self.host.files.text(path).unwrap_or_default().to_vec();
        all.extend_from_slice(bytes.as_ref());
        self.host.files.put(path, &all);
    }

    /// Somebody else renames a file.
    pub fn rename(&mut self, from: &str, to: &str) {
        self.host.files.rename(from, to).expect("another name");
        self.settle();
    }

    /// The main log.
    pub fn main_log(&self) -> String {
        String::from_utf8_lossy(self.host.files.text(MAIN_LOG).unwrap_or_default()).into_owned()
    }
}

/// A call's document.
pub fn call(method: &str, params: &[&str]) -> String {
    let params: String = params.iter().map(|p| format!("<param><value><string>{p}</string></value></param>")).collect();
    format!("<?xml version='1.0'?><methodCall><methodName>{method}</methodName><params>{params}</params></methodCall>")
}

/// A POST over HTTP/1.1 with these header lines, each with its line end.
pub fn post(path: &str, headers: &str, body: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nHost: h\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len())
}

/// The status of the first answer.
pub fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or_default()
}

/// A header of the first answer.
pub fn header<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    let head = answer.split("\r\n\r\n").next().unwrap_or_default();
    let mut lines = head.split("\r\n").filter_map(|line| line.split_once(": "));
    lines.find(|line| line.0.eq_ignore_ascii_case(name)).map(|line| line.1)
}

/// The body of the only answer.
pub fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").map_or("", |parts| parts.1)
}

/// The statuses of answers that all have a length.
pub fn statuses(mut answers: &str) -> Vec<String> {
    let mut all = Vec::new();
    while !answers.is_empty() {
        all.push(status(answers).to_string());
        let length: usize = header(answers, "Content-Length").unwrap().parse().unwrap();
        answers = &body(answers)[length..];
    }
    all
}

/// Undoes chunked coding. Returns the data and whether it ended.
pub fn unchunk(mut text: &str) -> (String, bool) {
    let mut data = String::new();
    while let Some((size, rest)) = text.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap();
        if size == 0 {
            assert_eq!(rest, "\r\n");
            return (data, true);
        }
        data.push_str(&rest[..size]);
        text = rest[size..].strip_prefix("\r\n").unwrap();
    }
    assert_eq!(text, "");
    (data, false)
}

fn config(level: Level, server: &str) -> Config {
    read("/etc/s.conf", &config_text(level, server)).unwrap()
}

fn config_text(level: Level, server: &str) -> String {
    format!(
        "[supervisord]\nlogfile={MAIN_LOG}\nlogfile_maxbytes=0\nloglevel={}\nsilent=true\nnocleanup=true\n\
         [inet_http_server:0]\nport=9001\n{server}\n\
         [inet_http_server:1]\nport=9002\nusername=user\npassword=secret\n\
         [rpcinterface:supervisor]\n\
         supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n\
         [rpcinterface:cache]\n\
         supervisor.rpcinterface_factory=supervisor_cache.rpcinterface:make_cache_rpcinterface\n\
         [program:web]\ncommand=/bin/steady\nautostart=false\nautorestart=false\nstartsecs=0\n\
         stdout_logfile={WEB_LOG}\nstdout_logfile_maxbytes=0\nstderr_logfile=NONE\n\
         [program:mute]\ncommand=/bin/mute\nautostart=false\nstdout_logfile=/dev/null\nstderr_logfile=NONE\n",
        level.word()
    )
}
