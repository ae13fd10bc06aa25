//! A thousand programs: until all run, and until all are stopped. Each has two automatic logs, and making those costs what
//! the file system takes for it; with `TMPDIR=/dev/shm` that is nothing.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::contenders::{Times, Who, median};
use crate::support::daemon::Daemon;
use crate::support::http::Client;
use crate::support::{QUIET, proc, wait_until, xmlrpc};

const PROGRAMS: usize = 1000;
const ROUNDS: usize = 3;

fn config(programs: usize) -> String {
    let quiet = QUIET.replace("[supervisord]\n", "[supervisord]\nminfds=8192\n");
    match programs {
        0 => quiet,
        _ => format!(
            "{quiet}[program:a]\ncommand=sleep 100000\nprocess_name=%(process_num)04d\nnumprocs={programs}\n\
             startsecs=0\n"
        ),
    }
}

/// Asks something small again and again until told to stop.
fn ask_until(done: &AtomicBool, daemon: &Daemon) -> Times {
    let request = xmlrpc::request("supervisor.getState", &[]);
    let mut client = Client::connect(daemon.address()).expect("a connection");
    let mut times = Vec::new();
    while !done.load(Ordering::Relaxed) {
        let begin = Instant::now();
        if client.ask(&request).is_err() {
            // The published one answers nobody for longer than a client waits.
            client = Client::connect(daemon.address()).expect("a connection");
        }
        times.push(begin.elapsed());
        std::thread::sleep(Duration::from_millis(5));
    }
    Times::new(times)
}

/// Seconds to start, seconds to stop, kB of memory.
fn programs(who: Who, count: usize) -> (f64, f64, f64, Option<Times>) {
    let setup = who.setup(&config(count));
    let begin = Instant::now();
    let mut daemon = setup.start();
    let done = AtomicBool::new(false);
    let (started, times) = std::thread::scope(|scope| {
        let asking = scope.spawn(|| ask_until(&done, &daemon));
        wait_until("all programs", 120, || proc::children(daemon.pid()).len() >= count);
        let started = begin.elapsed().as_secs_f64();
        done.store(true, Ordering::Relaxed);
        (started, asking.join().expect("times"))
    });
    let running = |daemon: &Daemon| daemon.log().matches(" entered RUNNING state").count();
    wait_until("all RUNNING", 120, || running(&daemon) >= count);
    let memory = proc::status_number(daemon.pid(), "VmRSS") as f64;
    let begin = Instant::now();
    daemon.signal("TERM");
    daemon.wait_for_exit();
    (started, begin.elapsed().as_secs_f64(), memory, Some(times).filter(|_| count > 0))
}

/// The least that anybody could do: make children, one after the other.
fn bare() -> f64 {
    let begin = Instant::now();
    let mut children: Vec<_> = (0..PROGRAMS)
        .map(|_| {
            let mut command = Command::new("/bin/sleep");
            command.arg("100000").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            command.spawn().expect("sleep")
        })
        .collect();
    let took = begin.elapsed().as_secs_f64();
    for child in &mut children {
        child.kill().expect("a child");
        child.wait().expect("its end");
    }
    took
}

pub fn run() {
    let mut rows: Vec<[f64; 3]> = Vec::new();
    for _ in 0..ROUNDS {
        let bare = bare();
        let (_, _, empty, _) = programs(Who::Ours, 0);
        let (started, stopped, memory, times) = programs(Who::Ours, PROGRAMS);
        let (theirs, their_end, their_memory, their_times) = programs(Who::Published, PROGRAMS);
        println!("bare vfork and exec  {bare:.3} s");
        let each = (memory - empty) / PROGRAMS as f64;
        println!(
            "{:18} started {started:.3} s, stopped {stopped:.3} s, {memory} kB, {each:.2} kB a process",
            Who::Ours.name()
        );
        println!("{:18} meanwhile getState: {}", "", times.expect("times"));
        println!("{:18} started {theirs:.3} s, stopped {their_end:.3} s, {their_memory} kB", Who::Published.name());
        println!("{:18} meanwhile getState: {}", "", their_times.expect("times"));
        rows.push([started / bare, theirs / started, each]);
    }
    let column = |place: usize| median(rows.iter().map(|row| row[place]).collect());
    println!(
        "medians: {:.2} times bare, Supervisor takes {:.1} times as long, {:.2} kB a process",
        column(0),
        column(1),
        column(2)
    );
}
