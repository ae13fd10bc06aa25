//! A daemon under mixed load by chance, with everything going wrong that may, for as long as one likes: no byte of a log
//! is lost, every call is answered, no descriptor leaks, and memory stays flat.
//!
//! `SOAK_SECS=1800 cargo test --release --test soak -- --nocapture` is the long form; `SOAK_SEED` picks other dice. Prints
//! its figures.

mod support;

use std::path::{Path, PathBuf};
use std::sync::RwLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use majordomo::base::value::Value;
use majordomo::sim::dice::Dice;
use support::daemon::{Daemon, Setup};
use support::http::{Address, Client};
use support::python::python;
use support::xmlrpc::{request, response};
use support::{SERVERS, proc, upstream_differs, wait_until};

/// Prints bursts of lines, each with its run, its number, some text and a checksum, and says at its end how many.
const CHATTY: &str = "\
import os, random, signal, sys, time, zlib
stop = []
signal.signal(signal.SIGTERM, lambda *_: stop.append(1))
run, number = time.time_ns(), 0
def put(data):
    while data:
        data = data[os.write(1, data):]
while not stop:
    lines = []
    for _ in range(random.choice([1, 1, 1, 5, 200])):
        text = b'%d %d %s' % (run, number, b'x' * random.randrange(120))
        lines.append(text + b' %d\\n' % zlib.crc32(text))
        number += 1
    put(b''.join(lines))
    time.sleep(random.random() * float(sys.argv[1]))
text = b'%d END %d' % (run, number)
put(text + b' %d\\n' % zlib.crc32(text))
";

/// Takes events, rejects one now and then, and dies now and then.
const LISTENER: &str = "\
import os, random, sys
while True:
    os.write(1, b'READY\\n')
    head = sys.stdin.readline()
    if not head:
        break
    sys.stdin.read(int(dict(pair.split(':') for pair in head.split())['len']))
    chance = random.random()
    if chance < 0.01:
        sys.exit(1)
    os.write(1, b'RESULT 4\\nFAIL' if chance < 0.1 else b'RESULT 2\\nOK')
";

const CHATTIES: usize = 3;

fn config() -> String {
    let chatty =
        "stdout_logfile_maxbytes=128KB\nstdout_logfile_backups=100000\nstopwaitsecs=60\nredirect_stderr=true\n";
    let python = python().interpreter();
    format!(
        "{SERVERS}[program:chatty]\ncommand={python} chatty.py 0.2\nnumprocs={CHATTIES}\nprocess_name=%(process_num)d\n\
         startsecs=0\nstdout_logfile=%(here)s/logs/%(process_num)d.log\n{chatty}\
         [program:crashes]\ncommand=sh -c 'echo x; sleep 0.2; exit 3'\nstartsecs=0\nautorestart=true\n\
         [program:fails]\ncommand=sh -c 'exit 1'\nstartsecs=1\nstartretries=1000000\n\
         [program:victim]\ncommand=sleep 1000\nstartsecs=0\nautorestart=true\n\
         [program:echo]\ncommand=cat\nstartsecs=0\nstdout_logfile_maxbytes=64KB\nstdout_logfile_backups=1\n\
         [eventlistener:hears]\ncommand={python} listener.py\nevents=PROCESS_STATE,PROCESS_LOG,REMOTE_COMMUNICATION,TICK_5\n\
         numprocs=2\nprocess_name=%(process_num)d\nbuffer_size=100\nstartsecs=0\n"
    )
}

/// What all threads share.
struct Soak {
    addresses: Vec<Address>,
    /// Held for writing while the daemon begins anew.
    up: RwLock<()>,
    over: AtomicBool,
    answers: AtomicU64,
    faults: AtomicU64,
    slowest: AtomicU64,
    bad: AtomicU64,
}

impl Soak {
    fn goes_on(&self) -> bool {
        !self.over.load(Ordering::Relaxed)
    }

    fn address(&self, dice: &mut Dice) -> &Address {
        &self.addresses[dice.below(self.addresses.len() as u64) as usize]
    }

    /// One call, which must be answered.
    fn ask(&self, client: &mut Client, method: &str, params: &[Value]) -> Result<Value, (i64, String)> {
        let begun = Instant::now();
        let reply = client.ask(&request(method, params)).unwrap_or_else(|problem| panic!("{method}: {problem}"));
        assert_eq!(reply.status, 200, "{method}");
        self.slowest.fetch_max(begun.elapsed().as_millis() as u64, Ordering::Relaxed);
        self.answers.fetch_add(1, Ordering::Relaxed);
        let result = response(&reply.body);
        self.faults.fetch_add(u64::from(result.is_err()), Ordering::Relaxed);
        result
    }

    /// Calls of all kinds, on connections that stay for a while.
    fn call(&self, number: u64, seed: u64) {
        let mut dice = Dice::new(seed + number);
        let text = |dice: &mut Dice| "é<&>x".repeat(dice.below(400) as usize);
        while self.goes_on() {
            let _up = self.up.read().expect("nobody panicked");
            // The socket's file may be gone for a moment.
            let Ok(mut client) = Client::connect(self.address(&mut dice)) else { continue };
            for _ in 0..dice.below(60) {
                let chatty = format!("chatty:{}", dice.below(CHATTIES as u64));
                let key = format!("{number} {}", dice.below(50));
                let (offset, length) = (dice.below(100_000) as i64 - 50_000, dice.below(3000) as i64);
                let (method, params): (&str, Vec<Value>) = match dice.below(22) {
                    0 => ("supervisor.startProcess", vec!["victim".into(), dice.one_in(2).into()]),
                    1 => ("supervisor.stopProcess", vec!["victim".into(), dice.one_in(2).into()]),
                    2 => ("supervisor.signalProcess", vec!["victim".into(), "KILL".into()]),
                    3 => ("supervisor.readProcessStdoutLog", vec![chatty.into(), offset.into(), length.into()]),
                    4 => ("supervisor.tailProcessStdoutLog", vec![chatty.into(), offset.into(), length.into()]),
                    5 => ("supervisor.readLog", vec![offset.into(), length.into()]),
                    6 => ("supervisor.getAllProcessInfo", vec![]),
                    7 => ("supervisor.reloadConfig", vec![]),
                    8 => ("supervisor.sendProcessStdin", vec!["echo".into(), text(&mut dice).into()]),
                    9 => ("supervisor.sendRemoteCommEvent", vec!["kind".into(), text(&mut dice).into()]),
                    10 => ("twiddler.addGroup", vec![format!("g{number}").into(), 999.into()]),
                    11 => {
                        let options = [("command", "sh -c 'echo y; sleep 0.3'"), ("startsecs", "0")];
                        let options = options.map(|(key, value)| (key.to_string(), value.into()));
                        let name = format!("p{}", dice.below(5));
                        (
                            "twiddler.addProgramToGroup",
                            vec![format!("g{number}").into(), name.into(), Value::Struct(options.into())],
                        )
                    }
                    12 => {
                        let name = format!("p{}", dice.below(5));
                        ("twiddler.removeProcessFromGroup", vec![format!("g{number}").into(), name.into()])
                    }
                    13 => ("supervisor.removeProcessGroup", vec![format!("g{number}").into()]),
                    14 => ("supervisor.clearProcessLogs", vec!["echo".into()]),
                    15 => ("supervisor.nonsense", vec![]),
                    16 => ("system.listMethods", vec![]),
                    _ => {
                        // What was stored is there.
                        let value = Value::Str(text(&mut dice));
                        let stored = self.ask(&mut client, "cache.store", &[key.clone().into(), value.clone()]);
                        assert_eq!(stored, Ok(Value::Bool(true)));
                        assert_eq!(self.ask(&mut client, "cache.fetch", &[key.into()]), Ok(value));
                        continue;
                    }
                };
                let _ = self.ask(&mut client, method, &params);
            }
        }
    }

    /// Clients that are slow, greedy, rude, or follow a log for a while.
    fn annoy(&self, seed: u64) {
        let mut dice = Dice::new(seed);
        while self.goes_on() {
            let mut held = Vec::new();
            {
                let _up = self.up.read().expect("nobody panicked");
                for _ in 0..dice.below(20) {
                    let Ok(mut client) = Client::connect(self.address(&mut dice)) else { continue };
                    let whole = request("supervisor.getAllProcessInfo", &[]);
                    let bytes = match dice.below(5) {
                        0 => whole[..dice.below(whole.len() as u64) as usize].to_vec(),
                        1 => whole.repeat(200),
                        2 => (0..dice.below(500)).map(|_| dice.below(256) as u8).collect(),
                        3 => b"GET /logtail/chatty:0 HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(),
                        _ => b"POST /RPC2 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\nxx".to_vec(),
                    };
                    let _ = client.send_some(&bytes);
                    held.push(client);
                    self.bad.fetch_add(1, Ordering::Relaxed);
                }
            }
            std::thread::sleep(Duration::from_millis(dice.below(300)));
        }
    }
}

/// Reads a chatty's logs, oldest first: runs whose lines are all there, in order and whole, each to its end. Gives how
/// many runs, lines and bytes.
fn verify(folder: &Path, number: usize) -> (u64, u64, u64) {
    // A rotation that the folder's absence interrupts leaves a number out.
    let backup_of = |name: &str| match name.strip_prefix(&format!("{number}.log"))? {
        "" => Some(0),
        rest => rest.strip_prefix('.')?.parse().ok(),
    };
    let names = std::fs::read_dir(folder).expect("the folder").map(|entry| entry.expect("a name").file_name());
    let mut backups: Vec<(u64, PathBuf)> =
        names.filter_map(|name| Some((backup_of(name.to_str()?)?, folder.join(name)))).collect();
    backups.sort_unstable();
    let bytes: Vec<u8> = backups.iter().rev().flat_map(|(_, path)| std::fs::read(path).expect("a log")).collect();
    assert!(bytes.ends_with(b"\n"), "{number}: the last line is whole");
    let text = std::str::from_utf8(&bytes).expect("text");
    let (mut runs, mut lines) = (0_u64, 0_u64);
    let mut next: Option<(&str, u64)> = None;
    for line in text.lines() {
        let (body, sum) = line.rsplit_once(' ').unwrap_or_else(|| panic!("{number}: {line:?}"));
        assert_eq!(sum.parse(), Ok(crc32(body.as_bytes())), "{number}: {line:?}");
        let mut words = body.split(' ');
        let (run, place) = (words.next().expect("a run"), words.next().expect("a number"));
        if place == "END" {
            let count: u64 = words.next().and_then(|word| word.parse().ok()).expect("a count");
            assert_eq!(next.take(), Some((run, count)), "{number}: {line:?}");
            runs += 1;
        } else {
            let place: u64 = place.parse().expect("a number");
            let expected = next.unwrap_or((run, 0));
            assert_eq!(
                (run, place),
                expected,
                "{number}: lines are missing or doubled, after {runs} runs, {lines} lines"
            );
            next = Some((run, place + 1));
            lines += 1;
        }
    }
    assert_eq!(next, None, "{number}: the last run has no end");
    (runs, lines, bytes.len() as u64)
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc: u32, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 })
    })
}

/// Does something to the daemon from outside. Says what.
fn befall(daemon: &Daemon, soak: &Soak, dice: &mut Dice) -> &'static str {
    match dice.below(12) {
        0..=2 => {
            // Nobody asks meanwhile: who had asked before is answered before it ends.
            let _down = soak.up.write().expect("nobody panicked");
            let starts = daemon.log().matches("supervisord started").count();
            daemon.signal("HUP");
            wait_until("a new start", 90, || daemon.log().matches("supervisord started").count() > starts);
            wait_until("its servers", 20, || soak.addresses.iter().all(|address| Client::connect(address).is_ok()));
            "reload"
        }
        3..=5 => {
            let victims = proc::children(daemon.pid());
            let is_victim = |pid: &&i64| {
                let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
                !String::from_utf8_lossy(&line).contains("chatty")
            };
            let victims: Vec<i64> = victims.iter().filter(is_victim).copied().collect();
            proc::send(&victims, "KILL");
            "all but the chatties killed"
        }
        6 | 7 => {
            daemon.signal("STOP");
            std::thread::sleep(Duration::from_millis(dice.below(300)));
            daemon.signal("CONT");
            "stopped for a while"
        }
        8 | 9 => {
            let _ = std::fs::remove_file(daemon.file("supervisor.sock"));
            "socket removed"
        }
        10 => {
            daemon.signal("USR2");
            "logs reopened"
        }
        _ => {
            // New backups can't be made, and what is printed goes on into the same file: a folder in the way.
            let _ = std::fs::remove_file(daemon.file("logs/in-the-way"));
            let away = daemon.file("logs-away");
            std::fs::rename(daemon.file("logs"), &away).expect("the folder");
            std::thread::sleep(Duration::from_millis(dice.below(1500)));
            std::fs::rename(&away, daemon.file("logs")).expect("the folder");
            "log folder gone for a while"
        }
    }
}

#[test]
fn soak() {
    if upstream_differs("is not soaked") {
        return;
    }
    let number = |name: &str, or: u64| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(or);
    let (secs, seed) = (number("SOAK_SECS", 10), number("SOAK_SEED", 1));
    let setup = Setup::new(&config()).file("chatty.py", CHATTY).file("listener.py", LISTENER);
    std::fs::create_dir(setup.path().join("logs")).expect("a folder");
    let mut daemon = setup.start();
    let (pid, addresses) = (daemon.pid(), daemon.addresses().to_vec());
    let soak = Soak {
        addresses,
        up: RwLock::new(()),
        over: AtomicBool::new(false),
        answers: AtomicU64::new(0),
        faults: AtomicU64::new(0),
        slowest: AtomicU64::new(0),
        bad: AtomicU64::new(0),
    };
    let begun = Instant::now();
    let mut samples: Vec<(f32, u64, usize)> = Vec::new();
    let mut befell: Vec<&'static str> = Vec::new();
    std::thread::scope(|scope| {
        /// Ends the others also when one fails.
        struct Over<'a>(&'a AtomicBool);
        impl Drop for Over<'_> {
            fn drop(&mut self) {
                self.0.store(true, Ordering::Relaxed);
            }
        }
        let over = || Over(&soak.over);
        for number in 0..3 {
            let (soak, over) = (&soak, over());
            let work = move || {
                let over = over;
                soak.call(number, seed);
                std::mem::forget(over);
            };
            scope.spawn(work);
        }
        let annoying = &soak;
        scope.spawn(move || annoying.annoy(seed));
        let over = over();
        let mut dice = Dice::new(seed);
        while begun.elapsed() < Duration::from_secs(secs) && soak.goes_on() {
            std::thread::sleep(Duration::from_millis(500 + dice.below(1000)));
            let at = begun.elapsed().as_secs_f32();
            samples.push((at, proc::status_number(pid, "VmRSS"), proc::descriptors(pid).len()));
            befell.push(befall(&daemon, &soak, &mut dice));
            assert!(proc::is_alive(pid));
        }
        drop(over);
    });
    // Quiet: everybody has gone but the programs, as in the beginning. Of descriptors there are as many as the
    // configured programs need, whatever came and went.
    let starts = daemon.log().matches("supervisord started").count();
    daemon.signal("HUP");
    wait_until("a new start", 90, || daemon.log().matches("supervisord started").count() > starts);
    wait_until("its servers", 20, || Client::connect(daemon.address()).is_ok());
    for name in ["chatty:0", "victim", "echo"] {
        daemon.wait_for_state(name, "RUNNING");
    }
    let open = || proc::descriptors(pid).len();
    let settled = support::wait_for("few descriptors", 30, || Some(open()).filter(|count| *count < 64));
    let memory = proc::status_number(pid, "VmRSS");
    daemon.signal("TERM");
    assert!(daemon.wait_for_exit().success());

    let logs = daemon.file("logs");
    let verified = || (0..CHATTIES).map(|number| verify(&logs, number)).collect::<Vec<_>>();
    let sums = std::panic::catch_unwind(verified).unwrap_or_else(|problem| {
        let kept = std::env::temp_dir().join(format!("soak-logs-{pid}"));
        println!("the logs stay in {}: {:?}", kept.display(), std::fs::rename(&logs, &kept));
        std::panic::resume_unwind(problem)
    });
    let sum = |pick: fn(&(u64, u64, u64)) -> u64| sums.iter().map(pick).sum::<u64>();
    let warm: Vec<u64> = samples.iter().filter(|(at, ..)| *at > secs as f32 / 6.0).map(|sample| sample.1).collect();
    let part = |share: &[u64]| share.iter().sum::<u64>() / share.len().max(1) as u64;
    let (first, last) = (part(&warm[..warm.len() / 3]), part(&warm[warm.len() * 2 / 3..]));
    let most = samples.iter().map(|sample| sample.2).max().unwrap_or(0);
    let count = |what: &str| befell.iter().filter(|other| **other == what).count();
    let log = daemon.log();
    println!(
        "soak: {secs} s, seed {seed}: {} calls answered ({} faults), slowest {} ms; {} bad clients; {} runs, {} lines, {} \
         bytes of logs, all there; {} programs started by the last log; memory {first} KiB in the first third, {last} KiB \
         in the last, {memory} KiB at the end; descriptors at most {most}, {settled} at the end",
        soak.answers.load(Ordering::Relaxed),
        soak.faults.load(Ordering::Relaxed),
        soak.slowest.load(Ordering::Relaxed),
        soak.bad.load(Ordering::Relaxed),
        sum(|s| s.0),
        sum(|s| s.1),
        sum(|s| s.2),
        log.matches("spawned: '").count(),
    );
    let mut kinds = befell.clone();
    kinds.sort_unstable();
    kinds.dedup();
    kinds.iter().for_each(|what| println!("    {} times: {what}", count(what)));
    assert!(soak.answers.load(Ordering::Relaxed) > 20 * secs, "there was load");
    // What waits while its folder is gone is told, too.
    let lost: Vec<&str> =
        log.lines().filter(|line| line.contains("were lost") && !line.contains(" 0 bytes were lost")).collect();
    assert_eq!(lost, Vec::<&str>::new(), "nothing is said to be lost");
    // In a short run each third depends on a few answers; what is left when all is quiet doesn't.
    if secs >= 300 {
        assert!(last < first + first / 10 + 1024, "memory grows: {samples:?}");
    }
    assert!(memory < 16 * 1024, "{memory} KiB are left: {samples:?}");
}
