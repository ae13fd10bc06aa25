//! Events per second through a pool of four listeners, ours and Supervisor 4.3.0 in the same run, with the same listeners:
//! `cargo bench --bench events [-- NAME...]`. `EVENTS=<n>` sends as many; the default is 100,000. `ROUNDS`
//! (3) says how often; a row shows medians, and the ratio of the medians.
//! `BESIDE=<program>` puts another build of ours, for example, in Supervisor's place.
//!
//! `simple` is one client thread with 16 connections and one call in flight on each, and listeners as most are written:
//! `RESULT`, then `READY`, and a file that is written each time. There client and listeners take more of the machine
//! than our daemon does, and that is what is measured. So in `single` (calls of one event) and `multicall` (of 1,000)
//! listeners answer in one write and keep their record in memory, and each daemon is asked in the way in which it is
//! fastest, of some that are tried first.
//!
//! There the client has one processor, and the daemon and its listeners the other, as they wait for one another all the
//! time: what wakes somebody on another processor waits until that is awake. `anywhere` is `single` without that.
//!
//! Beside them is about the most that any daemon could do here: a loop that has no client, no log and no state, and does
//! nothing but write the same events to the same listeners and read their answers.
//!
//! Fails where an event is lost or handled twice, or where a listener has a client's events out of order.

#[path = "support/processors.rs"]
mod processors;
#[path = "../tests/support/mod.rs"]
mod support;

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use support::python::python;
use support::storm::Way;
use support::{proc, storm, supervisord};

/// How a listener is run: what takes its time.
#[derive(Clone, Copy)]
enum Manner {
    /// As Supervisor's own `childutils` has it: one thing at a time, and a file that is written for each event.
    Simple,
    /// One write for both words, and the record in memory.
    Light,
}

impl Manner {
    const ALL: [(Manner, &'static str); 2] = [(Manner::Simple, "--listen-simply"), (Manner::Light, "--listen")];

    fn option(self) -> &'static str {
        Manner::ALL[self as usize].1
    }
}

/// One of those that are compared.
struct Contender {
    name: &'static str,
    program: PathBuf,
}

/// What is measured.
#[derive(Clone, Copy)]
struct Row {
    manner: Manner,
    count: u64,
    in_a_call: u64,
    /// Other programs that are looked after, and do nothing.
    others: u64,
    /// Everybody runs on whichever processor.
    anywhere: bool,
}

impl Row {
    /// The words in front of the daemon's command. This program is where it belongs from here on.
    fn place(self) -> Vec<&'static str> {
        if self.anywhere {
            processors::unpin_client();
            return Vec::new();
        }
        processors::pin_client();
        processors::prefix()
    }

    /// Events per second, and per second of the daemon's processor time.
    fn measure(self, who: &Contender, way: Way) -> (f64, f64) {
        let Row { manner, count, in_a_call, others, .. } = self;
        let prefix = self.place();
        let listener = format!("{} {}", std::env::current_exe().expect("our own path").display(), manner.option());
        let daemon = storm::setup(&listener, count, others).program(who.program.clone()).through(&prefix).start();
        let before = proc::cpu_time(daemon.pid());
        let took = storm::storm(&daemon, count, in_a_call, way).as_secs_f64();
        let own = (proc::cpu_time(daemon.pid()) - before).as_secs_f64();
        storm::check(&daemon, count, in_a_call, way);
        (count as f64 / took, count as f64 / own)
    }

    /// Measures both, each in its own way, and the loop: one after the other, `rounds` times. Shows medians.
    fn compare(self, contenders: &[Contender; 2], ways: [Way; 2], rounds: usize) {
        let rounds: Vec<[(f64, f64); 3]> = (0..rounds)
            .map(|_| {
                let [theirs, ours] = [0, 1].map(|place| self.measure(&contenders[place], ways[place]));
                let least = || least(self.count, self.manner);
                self.place();
                [theirs, ours, (if self.anywhere { least() } else { processors::as_server(least) }, 0.0)]
            })
            .collect();
        let median = |of: fn(&[(f64, f64); 3]) -> f64| {
            let mut all: Vec<f64> = rounds.iter().map(of).collect();
            all.sort_by(f64::total_cmp);
            all[all.len() / 2]
        };
        let theirs = (median(|round| round[0].0), median(|round| round[0].1));
        let ours = (median(|round| round[1].0), median(|round| round[1].1));
        let least = median(|round| round[2].0);
        for (place, (rate, by_processor)) in [theirs, ours].into_iter().enumerate() {
            println!(
                "  {:17} {rate:7.0} a second, {by_processor:7.0} for each of its processor time ({})",
                contenders[place].name,
                shown(ways[place])
            );
        }
        println!(
            "  majordomo: {:.1} times as many, {:.1} by processor time; the loop: {least:.0} a second, {:.1} times as many",
            ours.0 / theirs.0,
            ours.1 / theirs.1,
            least / theirs.0
        );
    }
}

fn shown(way: Way) -> String {
    format!("{} connections, {} calls together", way.connections, way.together)
}

/// The way in which a daemon is fastest, of some that are tried with fewer events.
fn best(who: &Contender, row: Row, connections: &[usize], togethers: &[usize]) -> Way {
    let mut tried: Vec<(f64, Way)> = Vec::new();
    for &connections in connections {
        for &together in togethers {
            let way = Way { connections, together };
            tried.push((row.measure(who, way).0, way));
        }
    }
    let list: Vec<String> =
        tried.iter().map(|(rate, way)| format!("{}x{}: {rate:.0}", way.connections, way.together)).collect();
    println!("  {:17} connections x calls together: a second: {}", who.name, list.join(", "));
    tried.into_iter().max_by(|one, other| one.0.total_cmp(&other.0)).expect("some were tried").1
}

/// Events per second of the loop that does nothing else.
fn least(count: u64, manner: Manner) -> f64 {
    let folder = std::env::temp_dir().join(format!("events-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let mut poll = Poll::new().expect("a poll");
    let mut children = Vec::new();
    for number in 0..storm::LISTENERS {
        let mut child = Command::new(std::env::current_exe().expect("our own path"))
            .arg(manner.option())
            .arg(folder.join(format!("record{number}")))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a listener");
        let (stdin, stdout) = (child.stdin.take().expect("a pipe"), child.stdout.take().expect("a pipe"));
        let source = stdout.as_raw_fd();
        poll.registry().register(&mut SourceFd(&source), Token(number), Interest::READABLE).expect("registered");
        children.push((child, stdin, stdout));
    }
    let begin = Instant::now();
    let (mut sent, mut handled) = (0_u64, 0_u64);
    let mut ready = Events::with_capacity(storm::LISTENERS);
    let mut piece = [0; 4096];
    while handled < count {
        poll.poll(&mut ready, None).expect("polled");
        for event in &ready {
            let (_, stdin, stdout) = &mut children[event.token().0];
            let got = stdout.read(&mut piece).expect("an answer");
            handled += piece[..got].iter().filter(|byte| **byte == b'K').count() as u64;
            if piece[..got].ends_with(b"READY\n") && sent < count {
                let payload = format!("type:number\n{sent}");
                let line = format!(
                    "ver:3.0 server:supervisor serial:{sent} pool:counters poolserial:{sent} \
                     eventname:REMOTE_COMMUNICATION len:{}\n{payload}",
                    payload.len()
                );
                stdin.write_all(line.as_bytes()).expect("written");
                sent += 1;
            }
        }
    }
    let rate = count as f64 / begin.elapsed().as_secs_f64();
    for (mut child, stdin, _) in children {
        drop(stdin);
        child.wait().expect("it ends");
    }
    std::fs::remove_dir_all(folder).expect("removed");
    rate
}

/// An event listener that accepts everything and keeps the numbers it was given, as
/// `tests/python/counting_listener.py` does, but costs next to nothing.
fn listen(path: &str, manner: Manner) {
    let record = File::create(path).expect("a record");
    // Without the buffers of the standard library: a word is a write.
    let open = |fd: BorrowedFd<'_>| File::from(fd.try_clone_to_owned().expect("a copy"));
    let (mut stdin, mut stdout) = (open(std::io::stdin().as_fd()), open(std::io::stdout().as_fd()));
    let (mut unread, mut count) = (Vec::new(), 0_u64);
    let mut say = |words: &[u8]| stdout.write_all(words).expect("stdout");
    // What is not in the file yet: another thread writes it now and then.
    let kept: Arc<Mutex<Vec<u8>>> = Arc::default();
    if let Manner::Light = manner {
        let (kept, mut record) = (kept.clone(), record.try_clone().expect("the record"));
        std::thread::spawn(move || {
            loop {
                std::thread::sleep(Duration::from_millis(2));
                let new = std::mem::take(&mut *kept.lock().expect("the record"));
                record.write_all(&new).expect("the record");
            }
        });
    }
    let mut piece = [0; 4096];
    say(b"READY\n");
    loop {
        let got = stdin.read(&mut piece).expect("stdin");
        if got == 0 {
            return;
        }
        unread.extend_from_slice(&piece[..got]);
        while let Some(line) = unread.iter().position(|byte| *byte == b'\n') {
            let header = std::str::from_utf8(&unread[..line]).expect("a header");
            let length: usize = header.rsplit(':').next().and_then(|text| text.parse().ok()).expect("a length");
            let Some(payload) = unread.get(line + 1..line + 1 + length) else { break };
            let number: u64 = std::str::from_utf8(payload)
                .ok()
                .and_then(|text| text.rsplit('\n').next()?.parse().ok())
                .expect("a number");
            unread.drain(..line + 1 + length);
            match manner {
                Manner::Simple => {
                    record.write_all_at(&number.to_ne_bytes(), 8 * count).expect("the record");
                    count += 1;
                    say(b"RESULT 2\nOK");
                    say(b"READY\n");
                }
                Manner::Light => {
                    kept.lock().expect("the record").extend_from_slice(&number.to_ne_bytes());
                    say(b"RESULT 2\nOKREADY\n");
                }
            }
        }
    }
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    if let [_, option, record] = args.as_slice()
        && let Some((manner, _)) = Manner::ALL.into_iter().find(|(_, known)| known == option)
    {
        return listen(record, manner);
    }
    // `cargo test --benches` only wants to know that it runs; `cargo bench` says so.
    let trial = !args.iter().any(|arg| arg == "--bench");
    let count = std::env::var("EVENTS").ok().and_then(|text| text.parse().ok());
    let count = count.unwrap_or(if trial { 300 } else { 100_000 });
    let rounds = std::env::var("ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(if trial { 1 } else { 3 });
    let parts: Vec<&String> = args[1..].iter().filter(|arg| !arg.starts_with("--")).collect();
    let wanted = |name: &str| parts.is_empty() || parts.iter().any(|part| *part == name);
    let other = match std::env::var_os("BESIDE") {
        Some(program) => Contender { name: "the other", program: program.into() },
        None => Contender { name: "Supervisor 4.3.0", program: python().path_of("supervisord") },
    };
    let contenders = [other, Contender { name: "majordomo", program: supervisord() }];
    println!("{count} events through a pool of {} listeners; {}", storm::LISTENERS, processors::pin_client());
    for in_a_call in [1, 1_000] {
        if wanted("simple") {
            println!("simple client and listeners, {in_a_call} in a call");
            let row = Row { manner: Manner::Simple, count, in_a_call, others: 0, anywhere: false };
            row.compare(&contenders, [storm::ASKING; 2], rounds);
        }
    }
    // Supervisor answers no second multicall that comes before it has answered the first.
    let parts: [(_, _, &[usize], _); 3] =
        [("single", 1, &[1, 8, 64], false), ("multicall", 1_000, &[1], false), ("anywhere", 1, &[1, 8, 64], true)];
    for (name, in_a_call, togethers, anywhere) in parts {
        if !wanted(name) {
            continue;
        }
        println!("{name}: {in_a_call} in a call, the fastest way for each");
        let row = Row { manner: Manner::Light, count, in_a_call, others: 0, anywhere };
        // Supervisor slows down with the number of events that wait: a tenth shows that, too.
        let connections: &[usize] = if trial { &[4] } else { &[1, 4, 16] };
        let ways = contenders.each_ref().map(|who| best(who, Row { count: count / 10, ..row }, connections, togethers));
        let others: &[u64] = if trial { &[0] } else { &[0, 50, 200] };
        for &others in others {
            println!("{name} beside {others} other programs");
            Row { others, ..row }.compare(&contenders, ways, rounds);
        }
    }
}
