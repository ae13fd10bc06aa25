//! Events per second through a pool of four listeners, ours and Supervisor 4.3.0 in the same run, with the same client
//! and the same listeners: `cargo bench --bench events`. On a small machine client and listeners cost more than our
//! daemon, so the daemon's own processor time is shown, too. `EVENTS=<n>` sends as many; the default is 100,000.
//!
//! Beside them is about the most that any daemon could do here: a loop that has no client, no log and no state, and does nothing
//! but write the same events to the same listeners and read their answers.
//!
//! Fails where an event is lost or handled twice, or where a listener has a client's events out of order.

#[path = "../tests/support/mod.rs"]
mod support;

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Instant;

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use support::python::python;
use support::{proc, storm, supervisord};

/// Events per second, and per second of the daemon's processor time: so many in a call, beside so many other programs.
fn measure(name: &str, program: PathBuf, count: u64, in_a_call: u64, others: u64) -> (f64, f64) {
    let listener = format!("{} --listen", std::env::current_exe().expect("our own path").display());
    let daemon = storm::setup(&listener, count, others).program(program).start();
    let ticks = proc::cpu_ticks(daemon.pid());
    let took = storm::storm(&daemon, count, in_a_call).as_secs_f64();
    // A tick is 10 ms.
    let own = (proc::cpu_ticks(daemon.pid()) - ticks).max(1) as f64 / 100.0;
    storm::check(&daemon, count, in_a_call);
    println!(
        "{name:17} {in_a_call:4} in a call, {others:3} other programs: {:6.0} a second in {took:6.3} s; {:6.0} for each second \
         of its processor time",
        count as f64 / took,
        count as f64 / own
    );
    (count as f64 / took, count as f64 / own)
}

/// Events per second of the loop that does nothing else.
fn least(count: u64) -> f64 {
    let folder = std::env::temp_dir().join(format!("events-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let mut poll = Poll::new().expect("a poll");
    let mut children = Vec::new();
    for number in 0..storm::LISTENERS {
        let mut child = Command::new(std::env::current_exe().expect("our own path"))
            .arg("--listen")
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
            handled += piece[..got].windows(2).filter(|two| two == b"OK").count() as u64;
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
    println!("a loop that only writes events and reads answers: {rate:6.0} a second");
    rate
}

/// An event listener that accepts everything and keeps the numbers it was given, as
/// `tests/python/counting_listener.py` does, but costs next to nothing.
fn listen(record: &str) {
    let record = File::create(record).expect("a record");
    let (mut stdin, mut stdout) = (std::io::stdin().lock(), std::io::stdout().lock());
    let (mut unread, mut count) = (Vec::new(), 0_u64);
    let mut say = |words: &[u8]| stdout.write_all(words).and_then(|()| stdout.flush()).expect("stdout");
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
            record.write_all_at(&number.to_ne_bytes(), 8 * count).expect("the record");
            count += 1;
            unread.drain(..line + 1 + length);
            // As Supervisor's own `childutils` does: one thing at a time.
            say(b"RESULT 2\nOK");
            say(b"READY\n");
        }
    }
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    if let [_, listening, record] = args.as_slice()
        && listening == "--listen"
    {
        return listen(record);
    }
    // `cargo test --benches` only wants to know that it runs.
    let trial = args.iter().any(|arg| arg == "--test");
    let count = std::env::var("EVENTS").ok().and_then(|text| text.parse().ok());
    let count = count.unwrap_or(if trial { 1_000 } else { 100_000 });
    println!("{count} events through a pool of {} listeners", storm::LISTENERS);
    for others in [0, 50, 200] {
        for in_a_call in [1, 1_000] {
            let theirs = measure("Supervisor 4.3.0", python().path_of("supervisord"), count, in_a_call, others);
            let ours = measure("majordomo", supervisord(), count, in_a_call, others);
            let least = least(count);
            println!(
                "majordomo: {:.1} times as many as Supervisor, {:.1} by processor time; the loop: {:.1} times",
                ours.0 / theirs.0,
                ours.1 / theirs.1,
                least / theirs.0
            );
        }
    }
}
