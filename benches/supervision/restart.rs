//! From kill -9 of a child until its replacement says that it runs.

use std::fs::{File, OpenOptions};
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use majordomo::sys::signals;

use crate::contenders::{Times, Who};
use crate::support::{Folder, QUIET};

/// How many kills of each.
const KILLS: usize = 200;
/// A child that ran for longer than a second is replaced at once (PROC-019), by runit too.
const SPACING: Duration = Duration::from_millis(1_050);

/// A pipe with a name, through which children say their process id.
fn fifo(folder: &Path) -> File {
    let path = folder.join("fifo");
    assert!(Command::new("mkfifo").arg(&path).status().expect("mkfifo").success());
    OpenOptions::new().read(true).write(true).open(path).expect("the fifo")
}

fn child(folder: &Path) -> String {
    format!("echo $$ > {}/fifo; exec sleep 100000", folder.display())
}

fn next_pid(fifo: &mut File) -> i32 {
    let mut bytes = [0; 32];
    let count = fifo.read(&mut bytes).expect("a process id");
    std::str::from_utf8(&bytes[..count]).ok().and_then(|text| text.trim().parse().ok()).expect("a process id")
}

fn kills(fifo: &mut File) -> Times {
    let mut pid = next_pid(fifo);
    let mut times = Vec::new();
    for _ in 0..KILLS {
        std::thread::sleep(SPACING);
        let begin = Instant::now();
        signals::kill(pid, 9, false).expect("the child");
        pid = next_pid(fifo);
        times.push(begin.elapsed());
    }
    Times::new(times)
}

fn supervised(who: Who) -> Times {
    let setup = who.setup(QUIET);
    let mut fifo = fifo(setup.path());
    let program = format!("[program:a]\ncommand=/bin/sh -c '{}'\nautorestart=true\nstartsecs=0\n", child(setup.path()));
    let mut setup = setup;
    setup.configure(&format!("{QUIET}{program}"));
    let _daemon = setup.start();
    kills(&mut fifo)
}

fn runit() -> Option<Times> {
    let folder = Folder::new();
    let mut fifo = fifo(folder.path());
    let service = folder.path().join("sv");
    std::fs::create_dir(&service).expect("a folder");
    let run = service.join("run");
    std::fs::write(&run, format!("#!/bin/sh\n{}\n", child(folder.path()))).expect("a script");
    assert!(Command::new("chmod").arg("755").arg(&run).status().expect("chmod").success());
    let mut runsv = Command::new("runsv").arg(&service).stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()?;
    let times = kills(&mut fifo);
    // It ends its child, too.
    let _ = signals::kill(runsv.id() as i32, 15, false);
    let _ = runsv.wait();
    Some(times)
}

/// All side by side, so that they see the same machine.
pub fn run() {
    std::thread::scope(|scope| {
        let ours = scope.spawn(|| supervised(Who::Ours));
        std::thread::sleep(SPACING / 3);
        let runit = scope.spawn(runit);
        std::thread::sleep(SPACING / 3);
        let published = scope.spawn(|| supervised(Who::Published));
        println!("{:18} {}", Who::Ours.name(), ours.join().expect("times"));
        match runit.join().expect("times") {
            Some(times) => println!("{:18} {times}", "runit"),
            None => println!("{:18} not here: no runsv on the PATH", "runit"),
        }
        println!("{:18} {}", Who::Published.name(), published.join().expect("times"));
    });
}
