//! Crash loops, chatter and a steady client, all at once, for a minute.

use std::io::Read;
use std::time::{Duration, Instant};

use majordomo::base::value::Value;

use crate::children::{self, LINE};
use crate::contenders::{Times, Who};
use crate::support::daemon::Daemon;
use crate::support::http::Client;
use crate::support::{SERVERS, proc, wait_until, xmlrpc};

const SECONDS: u64 = 60;
const CRASHERS: usize = 200;
const CHATTERS: usize = 100;
/// Requests a second.
const RATE: u64 = 1000;

fn config() -> String {
    let servers = SERVERS.replace("[supervisord]\n", "[supervisord]\nminfds=8192\n");
    format!(
        "{servers}[program:crash]\ncommand=/bin/sh -c 'echo crashed; exit 1'\nstartsecs=0\nautorestart=true\n\
         process_name=%(process_num)03d\nnumprocs={CRASHERS}\nstdout_logfile_maxbytes=0\n\
         [program:chat]\ncommand={}\nautostart=false\nstartsecs=0\nprocess_name=%(process_num)03d\n\
         numprocs={CHATTERS}\nstdout_logfile=%(here)s/chat%(process_num)03d.log\nstdout_logfile_maxbytes=0\n",
        children::command("child-chatter", SECONDS)
    )
}

/// Calls at a steady rate; what each took from the moment it was due.
fn ask(daemon: &Daemon) -> Times {
    let request = xmlrpc::request("cache.fetch", &["key".into()]);
    let mut client = Client::connect(daemon.address()).expect("a connection");
    let begin = Instant::now();
    let times = (0..SECONDS * RATE).map(|number| {
        let due = Duration::from_secs(number) / RATE as u32;
        std::thread::sleep(due.saturating_sub(begin.elapsed()));
        let reply = client.ask(&request).expect("an answer");
        assert_eq!(xmlrpc::response(&reply.body), Ok("value".into()));
        begin.elapsed() - due
    });
    Times::new(times.collect())
}

/// Every line of every chatter, in order.
fn verify(daemon: &Daemon) {
    for number in 0..CHATTERS {
        let mut bytes = Vec::new();
        let path = daemon.file(&format!("chat{number:03}.log"));
        std::fs::File::open(path).expect("a log").read_to_end(&mut bytes).expect("its bytes");
        assert_eq!(bytes.len() as u64, SECONDS * 250 * LINE as u64, "chat{number:03}");
        for (index, line) in bytes.chunks(LINE).enumerate() {
            assert!(line == children::line(index as u64), "line {index} of chat{number:03}");
        }
    }
}

pub fn run() {
    let daemon = Who::Ours.setup(&config()).start();
    daemon.call("cache.store", &["key".into(), "value".into()]);
    daemon.call("supervisor.startProcessGroup", &["chat".into(), Value::Bool(false)]);
    wait_until("all chatters", 30, || proc::children(daemon.pid()).len() >= CHATTERS);
    let sample = || (proc::descriptors(daemon.pid()).len(), proc::status_number(daemon.pid(), "VmRSS"));
    let (times, samples) = std::thread::scope(|scope| {
        let asking = scope.spawn(|| ask(&daemon));
        let mut samples = Vec::new();
        while !asking.is_finished() {
            std::thread::sleep(Duration::from_secs(5));
            samples.push(sample());
        }
        (asking.join().expect("times"), samples)
    });
    println!("cache.fetch at {RATE} a second: {times}");
    let spawned = daemon.log().matches(" INFO spawned: ").count();
    println!("{spawned} starts; descriptors and kB every 5 s: {samples:?}");
    let bytes = || -> u64 {
        let length =
            |number| std::fs::metadata(daemon.file(&format!("chat{number:03}.log"))).map_or(0, |meta| meta.len());
        (0..CHATTERS).map(length).sum()
    };
    wait_until("the last lines", 60, || bytes() == CHATTERS as u64 * SECONDS * 250 * LINE as u64);
    verify(&daemon);
    println!("{} MB of lines there and in order", bytes() / 1_000_000);
}
