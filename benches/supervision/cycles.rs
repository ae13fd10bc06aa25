//! Ten thousand starts and stops leave nothing behind; and an idle daemon makes no system call.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::contenders::Who;
use crate::support::daemon::Daemon;
use crate::support::http::Client;
use crate::support::{SERVERS, proc, wait_until, xmlrpc};

const CYCLES: usize = 10_000;
const IDLE: Duration = Duration::from_secs(5);

fn descriptors(daemon: &Daemon) -> Vec<(i64, PathBuf)> {
    proc::descriptors(daemon.pid())
}

/// System calls during some idle seconds, as strace(1) counts them; `None` where there is no strace.
fn idle_calls(daemon: &Daemon) -> Option<String> {
    let out = daemon.file("strace.out");
    let mut strace = Command::new("strace")
        .args(["-f", "-p", &daemon.pid().to_string(), "-o"])
        .arg(&out)
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let attached = || proc::status_number(daemon.pid(), "TracerPid") != 0;
    wait_until("strace to attach", 10, attached);
    std::thread::sleep(IDLE);
    let _ = majordomo::sys::signals::kill(strace.id() as i32, 15, false);
    let _ = strace.wait();
    Some(std::fs::read_to_string(out).unwrap_or_default())
}

pub fn run() {
    let program = "[program:a]\ncommand=/bin/sleep 100000\nautostart=false\nstartsecs=0\nstopsignal=KILL\n";
    let quiet = SERVERS.replace("[supervisord]\n", "[supervisord]\nloglevel=warn\n");
    let daemon = Who::Ours.setup(&format!("{quiet}{program}")).start();
    let start = xmlrpc::request("supervisor.startProcess", &["a".into()]);
    let stop = xmlrpc::request("supervisor.stopProcess", &["a".into()]);
    let cycle = |times: usize| {
        let mut client = Client::connect(daemon.address()).expect("a connection");
        for _ in 0..times {
            client.ask(&start).expect("an answer");
            client.ask(&stop).expect("an answer");
        }
    };
    cycle(10);
    let open = |daemon: &Daemon| -> usize { descriptors(daemon).len() };
    let settled = || {
        let mut count = open(&daemon);
        wait_until("descriptors that stay", 10, || {
            std::thread::sleep(Duration::from_millis(100));
            let before = std::mem::replace(&mut count, open(&daemon));
            before == count
        });
        (descriptors(&daemon), proc::status_number(daemon.pid(), "VmRSS"))
    };
    let (before, memory) = settled();
    cycle(CYCLES);
    let (after, memory_after) = settled();
    println!(
        "descriptors before {}, after {}: {}",
        before.len(),
        after.len(),
        if before == after { "the same" } else { "OTHERS" }
    );
    if before != after {
        println!("before {before:?}\nafter {after:?}");
    }
    println!("memory before {memory} kB, after {memory_after} kB");
    daemon.call("supervisor.startProcess", &["a".into()]);
    std::thread::sleep(Duration::from_millis(200));
    match idle_calls(&daemon) {
        Some(text) => println!("idle for {} s with a child, strace shows: {text:?}", IDLE.as_secs()),
        None => println!("idle: no strace here"),
    }
}
