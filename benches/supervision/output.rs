//! Two gibibytes of lines through a child's stdout into a rotated log, beside `cat` into a file; a client meanwhile.

use std::io::{BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use majordomo::base::value::Value;

use crate::children::{self, LINE};
use crate::contenders::{Times, Who, median};
use crate::support::daemon::Daemon;
use crate::support::http::Client;
use crate::support::{Folder, SERVERS, proc, wait_until, xmlrpc};

const LINES: u64 = 2 * 1024 * 1024 * 1024 / LINE as u64;
const ROUNDS: usize = 5;
const BACKUPS: usize = 60;
/// Seconds in a clock tick, as Linux shows them to programs.
const TICK: f64 = 0.01;

/// Seconds of time, seconds of processor in `cat`.
fn cat() -> (f64, f64) {
    let folder = Folder::new();
    let out = folder.path().join("out");
    let script = format!("{} | cat > {}; times", children::command("child-flood", LINES), out.display());
    let begin = Instant::now();
    let mut shell = Command::new("bash").arg("-c").arg(script).stdout(Stdio::null()).spawn().expect("bash");
    // The only child of the shell that is called cat, looked at until it is gone.
    let mut ticks = 0;
    let cat = crate::support::wait_for("cat", 10, || {
        proc::children(i64::from(shell.id()))
            .into_iter()
            .find(|pid| std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.trim() == "cat"))
    });
    while let Some(fields) = proc::stat(cat).filter(|fields| fields[0] != "Z") {
        ticks = fields[11].parse::<u64>().expect("utime") + fields[12].parse::<u64>().expect("stime");
        std::thread::sleep(Duration::from_millis(5));
    }
    let took = begin.elapsed().as_secs_f64();
    shell.wait().expect("its end");
    assert_eq!(std::fs::metadata(out).expect("the copy").len(), LINES * LINE as u64);
    (took, ticks as f64 * TICK)
}

/// Every line is there, in order, over all files of the log.
fn verify(daemon: &Daemon) {
    let mut number = 0;
    let mut line = vec![0; LINE];
    for backup in (0..=BACKUPS).rev() {
        let name = if backup == 0 { "flood.log".to_string() } else { format!("flood.log.{backup}") };
        let Ok(file) = std::fs::File::open(daemon.file(&name)) else { continue };
        let mut rest = file.metadata().expect("its length").len() as usize;
        let mut file = BufReader::with_capacity(1 << 20, file);
        while rest > 0 {
            // Files begin and end anywhere: a chunk is not a line.
            let part = rest.min(LINE - (number as usize % LINE));
            let place = number as usize % LINE;
            file.read_exact(&mut line[place..place + part]).expect("a part of a line");
            number += part as u64;
            rest -= part;
            if number.is_multiple_of(LINE as u64) {
                let index = number / LINE as u64 - 1;
                assert!(line == children::line(index), "line {index} of {name}");
            }
        }
    }
    assert_eq!(number, LINES * LINE as u64, "bytes in all files");
}

/// Seconds of time, seconds of processor, and what `cache.fetch` took meanwhile.
fn ours(check: bool) -> (f64, f64, Times) {
    let program = format!(
        "[program:flood]\ncommand={}\nautostart=false\nautorestart=false\nstartsecs=0\n\
         stdout_logfile=%(here)s/flood.log\nstdout_logfile_maxbytes=50MB\nstdout_logfile_backups={BACKUPS}\n",
        children::command("child-flood", LINES)
    );
    let daemon = Who::Ours.setup(&format!("{SERVERS}{program}")).start();
    daemon.call("cache.store", &["key".into(), "value".into()]);
    let request = xmlrpc::request("cache.fetch", &["key".into()]);
    let done = AtomicBool::new(false);
    let ticks = proc::cpu_ticks(daemon.pid());
    let begin = Instant::now();
    let (took, times) = std::thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let mut client = Client::connect(daemon.address()).expect("a connection");
            let mut times = Vec::new();
            while !done.load(Ordering::Relaxed) {
                let begin = Instant::now();
                client.ask(&request).expect("an answer");
                times.push(begin.elapsed());
                std::thread::sleep(Duration::from_millis(2));
            }
            Times::new(times)
        });
        daemon.call("supervisor.startProcess", &["flood".into(), Value::Bool(false)]);
        wait_until("the end", 120, || exited(daemon.path()));
        let took = begin.elapsed().as_secs_f64();
        done.store(true, Ordering::Relaxed);
        (took, asking.join().expect("times"))
    });
    let cpu = (proc::cpu_ticks(daemon.pid()) - ticks) as f64 * TICK;
    if check {
        verify(&daemon);
    }
    (took, cpu, times)
}

fn exited(folder: &Path) -> bool {
    std::fs::read_to_string(folder.join("supervisord.log")).is_ok_and(|log| log.contains("exited: flood"))
}

pub fn run() {
    let mut ratios = Vec::new();
    for round in 0..ROUNDS {
        let (cat_took, cat_cpu) = cat();
        let (took, cpu, times) = ours(round == 0);
        let (rate, cost) = (cat_took / took, cpu / cat_cpu);
        println!(
            "cat {cat_took:.2} s, cpu {cat_cpu:.2} s; majordomo {took:.2} s, cpu {cpu:.2} s: rate {rate:.2}, cpu {cost:.2} of cat's"
        );
        println!("  cache.fetch meanwhile: {times}");
        ratios.push((rate, cost));
    }
    let rate = median(ratios.iter().map(|ratio| ratio.0).collect());
    let cost = median(ratios.iter().map(|ratio| ratio.1).collect());
    println!("medians: {rate:.2} times cat's rate, {cost:.2} of its processor time; all lines there and in order");
}
