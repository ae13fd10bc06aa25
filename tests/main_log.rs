//! The main log: its levels and lines, where they go, and what becomes of them on a full disk.

mod pure;
mod support;

use std::os::unix::net::UnixDatagram;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use majordomo::base::limits::LOG_HELD_BYTES;
use majordomo::base::value::Value;
use majordomo::base::words::Level;
use majordomo::world::lines::Line;
use pure::{Rig, plain, solo};
use support::daemon::{Daemon, Setup};
use support::namespaces::with_mounts;
use support::{QUIET, SERVERS, upstream_differs, wait_until};

const TWIDDLER: &str = "[rpcinterface:twiddler]
supervisor.rpcinterface_factory = supervisor_twiddler.rpcinterface:make_twiddler_rpcinterface\n";

/// Code, number and word of each level.
const LEVELS: [(&str, i64, &str); 7] = [
    ("CRIT", 50, "critical"),
    ("ERRO", 40, "error"),
    ("WARN", 30, "warn"),
    ("INFO", 20, "info"),
    ("DEBG", 10, "debug"),
    ("TRAC", 5, "trace"),
    ("BLAT", 3, "blather"),
];

/// LOG-003, LOG-004, LOG-005, LOG-006, LOG-007, LOG-008, LOG-009, LOG-010: the words of the configuration, the codes
/// in the log, and that a line is written from its level on.
#[test]
fn levels() {
    for (place, (_, _, word)) in LEVELS.iter().enumerate() {
        let daemon =
            Daemon::start(&(QUIET.replace("[supervisord]\n", &format!("[supervisord]\nloglevel={word}\n")) + TWIDDLER));
        for (code, number, name) in LEVELS {
            daemon.call("twiddler.log", &[format!("by code {name}").into(), code.into()]);
            daemon.call("twiddler.log", &[format!("by number {name}").into(), number.into()]);
        }
        let messages = daemon.messages();
        let found: Vec<&String> = messages.iter().filter(|line| line[5..].starts_with("by ")).collect();
        let wanted: Vec<String> = LEVELS[..=place]
            .iter()
            .flat_map(|(code, _, name)| [format!("{code} by code {name}"), format!("{code} by number {name}")])
            .collect();
        assert_eq!(found, wanted.iter().collect::<Vec<_>>(), "{word}");
    }
}

/// LOG-002: only the first line of a message has a stamp; LOG-001: which is that of all.
#[test]
fn a_message_of_several_lines() {
    let daemon = Daemon::start(&(QUIET.to_string() + TWIDDLER));
    daemon.call("twiddler.log", &["one\n  two\n\nfour".into(), "WARN".into()]);
    daemon.call("twiddler.log", &["after".into(), "INFO".into()]);
    let log = daemon.log();
    let lines: Vec<&str> = log.lines().collect();
    let at = lines.iter().position(|line| line.ends_with(" WARN one")).expect("the message");
    assert_eq!(lines[at + 1..at + 4], ["  two", "", "four"]);
    assert!(lines[at + 4].ends_with(" INFO after"));
    assert_eq!(lines[at].len(), "2026-01-01 00:00:00,000 WARN one".len());
}

/// LOG-086, LOG-011, LOG-012: `silent` takes the copy on stdout away and nothing else, whichever way it is said.
#[test]
fn silent() {
    let program = "[program:echo]\ncommand=/bin/sh -c 'echo from the program'\nstartsecs=0\nautorestart=false
stdout_logfile=/dev/stdout\nstdout_logfile_maxbytes=0\n";
    let setting = QUIET.replace("[supervisord]\n", "[supervisord]\nsilent=true\n") + program;
    let plain = QUIET.to_string() + program;
    for (config, args, is_silent) in
        [(&setting, &[][..], true), (&plain, &["-s"], true), (&plain, &["--silent"], true), (&plain, &[], false)]
    {
        let daemon = Setup::new(config).args(args).start();
        daemon.wait_for_state("echo", "EXITED");
        wait_until("the program's output", 20, || daemon.text("daemon.out").contains("from the program\n"));
        daemon.wait_for_log("INFO exited: echo (exit status 0; expected)");
        if is_silent {
            assert_eq!(daemon.text("daemon.out"), "from the program\n", "{args:?}");
        } else {
            let without = daemon.text("daemon.out").replace("from the program\n", "");
            assert_eq!(without, daemon.log(), "{args:?}");
        }
        assert_eq!(daemon.text("daemon.err"), "");
    }
}

/// A `/dev` with a system log that the test reads.
const DEVICES: &str = "mkdir dev && mount -t tmpfs none dev && touch dev/null dev/urandom && \
    mount --bind /dev/null dev/null && mount --bind /dev/urandom dev/urandom && \
    ln -s \"$PWD/syslog\" dev/log && mount --rbind dev /dev";

/// Reads a system log as fast as it can, since the system keeps only a few records for who is slow.
fn read_records(socket: UnixDatagram) -> Receiver<String> {
    let (sender, records) = channel();
    std::thread::spawn(move || {
        let mut buffer = [0; 8192];
        while let Ok(count) = socket.recv(&mut buffer) {
            let record = String::from_utf8(buffer[..count].to_vec()).expect("UTF-8");
            // The published program sends the end of the line, too.
            if sender.send(record.trim_end_matches('\n').to_string()).is_err() {
                return;
            }
        }
    });
    records
}

/// LOG-060, LOG-061, LOG-062, LOG-063, BUG-054: lines of programs and of the daemon in the system's log, beside files;
/// whatever becomes of that log, everybody goes on.
#[test]
fn the_system_s_log() {
    let Some(words) = with_mounts(DEVICES) else { return };
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let programs = "[program:talk]\ncommand=cat\nstartsecs=0\nstdout_syslog=true\nstdout_logfile=%(here)s/talk.log\n";
    let setup = Setup::new(&(SERVERS.replace("%(here)s/supervisord.log", "syslog") + programs)).through(&words);
    let path = setup.path().join("syslog");
    let records = read_records(UnixDatagram::bind(&path).expect("a system log"));
    let next = || records.recv_timeout(Duration::from_secs(20)).expect("a record");
    // Behind priority, date and ident.
    let text = |record: String| {
        let (head, text) = record.split_at("<14>Jan  1 00:00:00 supervisord: ".len());
        assert!(head.starts_with("<14>") && head.ends_with(" supervisord: "), "{head:?}");
        text.to_string()
    };
    let until = |end: &str| loop {
        let text = text(next());
        if text.ends_with(end) {
            return text;
        }
    };
    let daemon = setup.start();
    let spawned = until(&format!(" INFO spawned: 'talk' with pid {}", daemon.wait_for_state("talk", "RUNNING").pid()));
    assert_eq!(spawned.find(" INFO"), Some("2026-01-01 00:00:00,000".len()), "{spawned}");
    until("has stayed up for > than 0 seconds (startsecs)");
    if upstream_differs("BUG-054: cuts lines where reads end") {
        return;
    }
    // A line in two pieces, one that is no UTF-8 (LOG-063), an unfinished one.
    let tell = |text: &[u8]| {
        let text = text.iter().map(|byte| char::from(*byte)).collect::<String>();
        daemon.call("supervisor.sendProcessStdin", &["talk".into(), text.as_str().into()])
    };
    tell(b"first ");
    wait_until("the first piece", 20, || daemon.text("talk.log") == "first ");
    tell(b"line\nsecond");
    assert_eq!(text(next()), "talk first line");
    daemon.call("twiddler.log", &["one\ntwo".into(), "WARN".into()]);
    assert!(text(next()).ends_with(" WARN one"));
    assert_eq!(text(next()), "two", "line by line");
    assert_eq!(daemon.fault("supervisor.readLog", &[0.into(), 0.into()]).0, 20, "no file");

    // Nobody reads: records are lost, nothing else.
    drop(records);
    std::fs::remove_file(&path).expect("no system log");
    // The reader ends with the next record that it gets.
    let socket = UnixDatagram::bind(&path).expect("a system log");
    for _ in 0..200 {
        tell(b"+\n");
    }
    let all = format!("first line\nsecond{}", "+\n".repeat(200));
    wait_until("all in the file", 20, || daemon.text("talk.log") == all);
    drop(socket);
    std::fs::remove_file(&path).expect("no system log");
    tell(b"alone\n");
    wait_until("the line in the file", 20, || daemon.text("talk.log").ends_with("alone\n"));
    // Started again, the first record finds the new one.
    let receive = |text: &[u8], wanted: &[u8]| {
        let _ = std::fs::remove_file(&path);
        let socket = UnixDatagram::bind(&path).expect("a system log");
        socket.set_read_timeout(Some(Duration::from_secs(20))).expect("a time to wait");
        tell(text);
        let mut buffer = [0; 8192];
        let count = socket.recv(&mut buffer).expect("a record");
        assert!(buffer[..count].ends_with(wanted), "{}", String::from_utf8_lossy(&buffer[..count]));
    };
    receive(b"one\n", b" supervisord: talk one");
    receive(b"two\n", b" supervisord: talk two");
    std::fs::remove_file(&path).expect("no system log");
    // And again; what stood at the end is given out when the program ends.
    let records = read_records(UnixDatagram::bind(&path).expect("a system log"));
    tell(b"unfinished");
    wait_until("the rest in the file", 20, || daemon.text("talk.log").ends_with("unfinished"));
    assert_eq!(daemon.call("supervisor.stopProcess", &["talk".into()]), Value::Bool(true));
    wait_until("the rest", 20, || records.recv().expect("a record").ends_with(" supervisord: talk unfinished"));
}

/// LOG-063: what is no UTF-8 comes as the sign for that.
#[test]
fn bytes_that_are_no_text() {
    if upstream_differs("BUG-054: a traceback") {
        return;
    }
    let Some(words) = with_mounts(DEVICES) else { return };
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let programs = "[program:raw]\ncommand=printf 'a\\377b\\n'\nstartsecs=0\nautorestart=false\nstdout_syslog=true\nstdout_logfile=%(here)s/raw.log\n";
    let setup = Setup::new(&(QUIET.to_string() + programs)).through(&words);
    let socket = UnixDatagram::bind(setup.path().join("syslog")).expect("a system log");
    socket.set_read_timeout(Some(Duration::from_secs(20))).expect("a time to wait");
    let daemon = setup.start();
    let mut buffer = [0; 8192];
    let count = socket.recv(&mut buffer).expect("a record");
    assert!(buffer[..count].ends_with("supervisord: raw a\u{fffd}b".as_bytes()));
    daemon.wait_for_state("raw", "EXITED");
    assert_eq!(std::fs::read(daemon.file("raw.log")).expect("its log"), b"a\xffb\n");
    assert_eq!(daemon.text("daemon.err"), "");
}

/// LOG-053: what the main log lost is told once it can be written again.
#[test]
fn what_the_main_log_lost_is_said_once_it_can_be_written() {
    let mut rig = Rig::new(vec![solo(plain("p"))]);
    rig.news();
    rig.host.files.faults.room = Some(0);
    let line = "x".repeat(LOG_HELD_BYTES / 2);
    for _ in 0..3 {
        rig.turn(|world, turn| world.say(&Line::Free(Level::Error, line.clone()), turn));
    }
    rig.pass_secs(5);
    assert_eq!(rig.news(), [""; 0]);
    rig.host.files.faults.room = None;
    rig.pass_secs(2);
    // Three lines and the one that tells of the trouble, with their dates and ends, less what is kept.
    let stamp = "2026-01-01 00:00:00,000 ERRO \n".len();
    let waits = line.len() + stamp;
    let trouble = format!(
        "can't write to log file '/var/log/supervisord.log': [Errno 28] No space left on device ({waits} bytes wait, 0 \
         bytes were lost)"
    );
    let lost = 3 * (line.len() + stamp) + trouble.len() + stamp - LOG_HELD_BYTES;
    let log = rig.news().concat();
    assert!(log.contains(&format!("xERRO {trouble}")), "at its place");
    let text =
        format!("ERRO {lost} bytes of log file '/var/log/supervisord.log' were lost while it could not be written");
    assert!(log.ends_with(&text), "{:?}", log.get(log.len().saturating_sub(200)..));
    // Once.
    rig.pass_secs(100);
    assert_eq!(rig.news(), [""; 0]);
}
