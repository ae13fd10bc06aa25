//! How long a start holds the loop, seen from a client: `startProcess` without waiting, less a call that does nothing.

use std::time::{Duration, Instant};

use majordomo::base::value::Value;

use crate::contenders::{Times, Who};
use crate::support::daemon::Daemon;
use crate::support::http::Client;
use crate::support::{SERVERS, proc, xmlrpc};

const STARTS: usize = 500;
const PROGRAM: &str = "[program:a]\ncommand=/bin/sleep 100000\nautostart=false\nstartsecs=0\nstopsignal=KILL\n";

fn held(daemon: &Daemon) {
    let start = xmlrpc::request("supervisor.startProcess", &["a".into(), Value::Bool(false)]);
    let stop = xmlrpc::request("supervisor.stopProcess", &["a".into()]);
    let state = xmlrpc::request("supervisor.getState", &[]);
    let mut client = Client::connect(daemon.address()).expect("a connection");
    let mut ask = |request: &[u8]| {
        let begin = Instant::now();
        let reply = client.ask(request).expect("an answer");
        (begin.elapsed(), reply)
    };
    let (mut starts, mut nothings) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        nothings.push(ask(&state).0);
        let (took, reply) = ask(&start);
        assert_eq!(xmlrpc::response(&reply.body), Ok(Value::Bool(true)));
        starts.push(took);
        ask(&stop);
    }
    let (starts, nothings) = (Times::new(starts), Times::new(nothings));
    println!("  startProcess {starts}");
    println!("  getState     {nothings}");
    let hold = starts.percentile(50).saturating_sub(nothings.percentile(50));
    println!("  difference of the medians: {:.3} ms", hold.as_secs_f64() * 1e3);
}

pub fn run() {
    let daemon = Who::Ours.setup(&format!("{SERVERS}{PROGRAM}")).start();
    println!("{} kB", proc::status_number(daemon.pid(), "VmRSS"));
    held(&daemon);
    let megabyte = "x".repeat(1_000_000);
    for number in 0..500 {
        daemon.call("cache.store", &[format!("key{number}").into(), megabyte.as_str().into()]);
    }
    std::thread::sleep(Duration::from_millis(200));
    println!("{} kB", proc::status_number(daemon.pid(), "VmRSS"));
    held(&daemon);
}
