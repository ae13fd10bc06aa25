//! The client: one thread that keeps a number of connections busy, one question in flight on each, whatever the
//! protocol. What it sends is always the same, so every answer is as long as the first one.

use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::support::proc;

/// A question that is asked again and again.
#[derive(Clone)]
pub struct Question {
    pub bytes: Vec<u8>,
    /// Where the second segment begins, if it goes out in two.
    pub cut: Option<usize>,
    /// What the answer's bytes end with.
    pub end: Vec<u8>,
}

impl Question {
    pub fn new(bytes: impl Into<Vec<u8>>, end: impl Into<Vec<u8>>) -> Question {
        Question { bytes: bytes.into(), cut: None, end: end.into() }
    }
}

/// What a measurement gave.
pub struct Load {
    pub answers: u64,
    pub took: Duration,
    /// The server's processor time, of all its threads.
    pub cpu: Duration,
}

impl Load {
    /// Answers a second.
    pub fn rate(&self) -> f64 {
        self.answers as f64 / self.took.as_secs_f64()
    }

    /// Processor time for each answer, in microseconds.
    pub fn cpu_micros(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.answers.max(1) as f64
    }
}

/// One connection.
struct Link {
    stream: TcpStream,
    /// Bytes of the question that have gone out, and of the answer that have come in.
    sent: usize,
    got: usize,
}

/// Processor time of all threads of a process so far.
pub fn cpu(pid: i64) -> Duration {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).expect("the server");
    let of_one = |entry: std::fs::DirEntry| {
        let text = std::fs::read_to_string(entry.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<u64>().ok()
    };
    let nanos: u64 = threads.flatten().filter_map(of_one).sum();
    match nanos {
        // A kernel without these figures counts in ticks of 10 ms.
        0 => Duration::from_millis(10 * proc::cpu_ticks(pid)),
        nanos => Duration::from_nanos(nanos),
    }
}

/// Asks once on a connection of its own; the answer's length. Fails if it isn't the expected answer.
pub fn ask_once(address: SocketAddr, question: &Question) -> usize {
    let mut stream = std::net::TcpStream::connect(address).expect("a connection");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a patience");
    stream.write_all(&question.bytes).expect("a question sent");
    let mut answer = Vec::new();
    let mut piece = [0; 64 * 1024];
    while !answer.ends_with(&question.end) {
        let count = stream.read(&mut piece).expect("an answer");
        let shown = || String::from_utf8_lossy(&answer[..answer.len().min(500)]).into_owned();
        assert!(count > 0, "not the expected answer: {}", shown());
        answer.extend_from_slice(&piece[..count]);
    }
    answer.len()
}

/// Keeps `connections` busy for a while, the first quarter of which does not count.
pub fn run(address: SocketAddr, question: &Question, connections: usize, each: Duration, server: i64) -> Load {
    let expected = ask_once(address, question);
    let mut poll = Poll::new().expect("a poll");
    let mut links: Vec<Link> = Vec::new();
    for number in 0..connections {
        let stream = std::net::TcpStream::connect(address).expect("a connection");
        stream.set_nodelay(true).expect("no delay");
        stream.set_nonblocking(true).expect("no waiting");
        let mut stream = TcpStream::from_std(stream);
        let both = Interest::READABLE | Interest::WRITABLE;
        poll.registry().register(&mut stream, Token(number), both).expect("a place in the poll");
        links.push(Link { stream, sent: 0, got: 0 });
    }
    let mut events = Events::with_capacity(connections.max(16));
    let mut buffer = vec![0; 256 * 1024];
    let mut answers = 0;
    let begin = Instant::now();
    let mut counting: Option<(Instant, u64, Duration)> = None;
    for link in &mut links {
        send(link, question);
    }
    loop {
        poll.poll(&mut events, Some(Duration::from_secs(20))).expect("news");
        assert!(!events.is_empty(), "no answer for 20 s");
        for event in &events {
            let link = &mut links[event.token().0];
            if link.sent < question.bytes.len() {
                send(link, question);
            }
            if event.is_readable() {
                answers += u64::from(receive(link, question, expected, &mut buffer));
            }
        }
        let now = Instant::now();
        match counting {
            None if now - begin >= each / 4 => counting = Some((now, answers, cpu(server))),
            Some((since, before, spent)) if now - begin >= each && answers > before => {
                return Load { answers: answers - before, took: now - since, cpu: cpu(server) - spent };
            }
            _ => {}
        }
    }
}

/// Sends what goes.
fn send(link: &mut Link, question: &Question) {
    while link.sent < question.bytes.len() {
        let until = question.cut.filter(|cut| link.sent < *cut).unwrap_or(question.bytes.len());
        match link.stream.write(&question.bytes[link.sent..until]) {
            Ok(count) => link.sent += count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return,
            Err(error) => panic!("the server closed a connection: {error}"),
        }
    }
}

/// Takes in what is there, and asks again after an answer; whether there was one.
fn receive(link: &mut Link, question: &Question, expected: usize, buffer: &mut [u8]) -> bool {
    loop {
        let room = buffer.len().min(expected - link.got);
        match link.stream.read(&mut buffer[..room]) {
            Ok(0) => panic!("the server closed a connection"),
            Ok(count) => {
                link.got += count;
                if link.got < expected {
                    continue;
                }
                let end = &question.end[question.end.len().saturating_sub(count)..];
                assert!(buffer[..count].ends_with(end), "another answer than the first one");
                (link.got, link.sent) = (0, 0);
                send(link, question);
                // There can't be more yet, and if there is, the poll will tell.
                return true;
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => return false,
            Err(error) => panic!("the server broke a connection: {error}"),
        }
    }
}
