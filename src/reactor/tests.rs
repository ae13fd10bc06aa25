//! Readiness and children's pipes, with a real poll. Whole turns are tested from outside, with a real daemon.

use std::time::{Duration, Instant};

use mio::{Events, Poll};

use super::host::RealHost;
use super::pipes::Read;
use super::ready::{List, Source};
use crate::base::errno::Errno;
use crate::base::key::Key;
use crate::base::limits::TURN_WORK;
use crate::base::words::Channel;
use crate::sys::io;
use crate::world::host::{Host, SpawnOrder};
use crate::world::process::Process;

const WHO: u64 = 7;

fn who() -> Key<Process> {
    Key::from_bits(WHO)
}

struct Rig {
    poll: Poll,
    events: Events,
    host: RealHost,
}

impl Rig {
    fn new() -> Rig {
        let poll = Poll::new().unwrap();
        let registry = poll.registry().try_clone().unwrap();
        let host = RealHost::new(registry, Box::new(|| Err(Vec::new()))).unwrap();
        Rig { poll, events: Events::with_capacity(8), host }
    }

    /// Starts a program with pipes.
    fn spawn(&mut self, argv: &[&str], environment: &[(&str, &str)]) {
        let argv: Vec<String> = argv.iter().map(ToString::to_string).collect();
        let pairs: Vec<(String, String)> =
            environment.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        let order = SpawnOrder {
            socket: None,
            name: "p",
            path: &argv[0],
            argv: &argv,
            environment: &pairs,
            directory: None,
            umask: None,
            cpus: None,
            user: None,
            redirect_stderr: false,
            parent_death_signal: None,
        };
        self.host.spawn(who(), &order).unwrap();
    }

    /// As the loop does it: whoever waits longer looks after children that are on their way first.
    fn poll(&mut self, timeout: Duration) {
        self.host.begin_turn();
        let on_the_way = self.host.spawner.next_look().is_some();
        let timeout = if on_the_way { timeout.min(Duration::from_millis(1)) } else { timeout };
        match self.poll.poll(&mut self.events, Some(timeout)) {
            // A child of another test has ended.
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => return,
            result => result.unwrap(),
        }
        for event in &self.events {
            self.host.ready.note(event);
        }
    }

    /// Polls until the list has somebody, and takes them.
    fn wait_for(&mut self, list: List) -> Vec<Source> {
        let end = Instant::now() + Duration::from_secs(10);
        while self.host.ready.count(list) == 0 {
            assert!(Instant::now() < end, "nobody in {list:?}");
            self.poll(Duration::from_millis(100));
        }
        let count = self.host.ready.count(list);
        let taken = (0..count).filter_map(|place| self.host.ready.take(list, place)).collect::<Vec<_>>();
        self.host.ready.end_round(list, count);
        for (id, _) in &taken {
            self.host.ready.served(*id);
        }
        taken.into_iter().map(|(_, source)| source).collect()
    }

    fn read(&mut self, channel: Channel, buffer: &mut [u8]) -> Read {
        self.host.pipes.read(who(), channel, buffer, &mut self.host.ready)
    }

    /// All output until the end, as a loop would read it.
    fn read_to_end(&mut self, channel: Channel) -> String {
        let mut all = Vec::new();
        let mut buffer = [0; 100];
        loop {
            match self.read(channel, &mut buffer) {
                Read::Bytes(count) => all.extend_from_slice(&buffer[..count]),
                Read::Nothing => self.poll(Duration::from_secs(10)),
                Read::End(_) => return String::from_utf8(all).unwrap(),
            }
        }
    }
}

#[test]
fn proc_056_later_entries_win_over_our_own_environment() {
    let mut rig = Rig::new();
    let path = std::env::var("PATH").unwrap();
    rig.spawn(&["/usr/bin/env"], &[("COLOUR", "red"), ("HOME", "/h"), ("COLOUR", "blue")]);
    let out = rig.read_to_end(Channel::Stdout);
    let lines: Vec<&str> = out.lines().collect();
    for line in ["COLOUR=blue", "HOME=/h", &format!("PATH={path}")] {
        assert_eq!(lines.iter().filter(|other| **other == line).count(), 1, "{line}");
    }
    assert!(!lines.contains(&"COLOUR=red"));
}

#[test]
fn proc_101_an_end_is_served_once_and_nobody_spins() {
    let mut rig = Rig::new();
    // stdout is closed long before the program ends.
    rig.spawn(&["/bin/sh", "-c", "echo hello; exec >&-; read line"], &[]);
    assert_eq!(rig.read_to_end(Channel::Stdout), "hello\n");
    assert_eq!(rig.read(Channel::Stdout, &mut [0; 10]), Read::Nothing);
    rig.poll(Duration::ZERO);
    let count = rig.host.ready.count(List::Output);
    rig.host.ready.end_round(List::Output, count);
    rig.poll(Duration::ZERO);
    assert!(!rig.host.ready.any());
    rig.host.close_pipes(who());
}

#[test]
fn a_paused_channel_is_left_unread_and_nothing_is_lost() {
    let mut rig = Rig::new();
    rig.spawn(&["/bin/sh", "-c", "echo one; echo two >&2; read line"], &[]);
    rig.host.pause_output(who(), Channel::Stdout, true);
    assert_eq!(rig.wait_for(List::Output), [Source::Output(who(), Channel::Stderr)]);
    assert_eq!(rig.read(Channel::Stderr, &mut [0; 10]), Read::Bytes(4));
    // What is known to be there is remembered through the pause.
    let end = Instant::now() + Duration::from_secs(10);
    while rig.host.pipes.waiting(who(), Channel::Stdout) < 4 {
        assert!(Instant::now() < end);
        rig.poll(Duration::from_millis(10));
    }
    rig.poll(Duration::ZERO);
    rig.host.pause_output(who(), Channel::Stdout, false);
    assert!(rig.wait_for(List::Output).contains(&Source::Output(who(), Channel::Stdout)));
    assert_eq!(rig.read(Channel::Stdout, &mut [0; 10]), Read::Bytes(4));
    rig.host.close_pipes(who());
}

#[test]
fn bug_087_a_full_stdin_is_told_of_when_it_has_room() {
    let mut rig = Rig::new();
    // Reads nothing before it is told to.
    let go = std::env::temp_dir().join(format!("majordomo-stdin-{}", std::process::id()));
    let script = "while [ ! -e \"$GO\" ]; do sleep 0.01; done; exec cat > /dev/null";
    rig.spawn(&["/bin/sh", "-c", script], &[("GO", go.to_str().unwrap())]);
    let bytes = vec![b'x'; 1 << 20];
    let first = rig.host.write_stdin(who(), &bytes).unwrap();
    assert!(first > 0 && first < bytes.len());
    assert_eq!(rig.host.write_stdin(who(), &bytes), Ok(0));
    rig.poll(Duration::ZERO);
    assert_eq!(rig.host.ready.count(List::Stdin), 0);
    std::fs::write(&go, "").unwrap();
    assert_eq!(rig.wait_for(List::Stdin), [Source::Stdin(who())]);
    std::fs::remove_file(&go).unwrap();
    assert!(rig.host.write_stdin(who(), &bytes).unwrap() > 0);
    rig.host.close_pipes(who());
    assert_eq!(rig.host.write_stdin(who(), b"x"), Err(Errno::EPIPE));
}

#[test]
fn proc_091_a_closed_stdin_is_a_broken_pipe() {
    let mut rig = Rig::new();
    rig.spawn(&["/bin/sh", "-c", "exec <&-; echo closed; exec >&-; sleep 1"], &[]);
    assert_eq!(rig.read_to_end(Channel::Stdout), "closed\n");
    assert_eq!(rig.host.write_stdin(who(), b"x"), Err(Errno::EPIPE));
    // PROC-092 looks the same: there is no pipe any more.
    assert_eq!(rig.host.write_stdin(who(), b"x"), Err(Errno::EPIPE));
    rig.host.close_pipes(who());
}

#[test]
fn late_news_of_somebody_gone_reach_nobody_else() {
    let mut rig = Rig::new();
    let (reader, writer) = io::pipe().unwrap();
    use std::os::fd::AsFd;
    let old = rig.host.ready.add(reader.as_fd(), Source::Listener(1)).unwrap();
    io::write(writer.as_fd(), b"x").unwrap();
    rig.poll.poll(&mut rig.events, Some(Duration::from_secs(10))).unwrap();
    assert!(!rig.events.is_empty());
    rig.host.ready.remove(old);
    let (other, _writer) = io::pipe().unwrap();
    let new = rig.host.ready.add(other.as_fd(), Source::Listener(2)).unwrap();
    assert_ne!(old, new);
    for event in &rig.events {
        rig.host.ready.note(event);
    }
    assert_eq!(rig.host.ready.count(List::Listeners), 0);
}

#[test]
fn log_files_keep_their_numbers() {
    let mut rig = Rig::new();
    let path = |name: &str| std::env::temp_dir().join(format!("reactor-{name}-{}", std::process::id()));
    let (one, two) = (path("one"), path("two"));
    let first = rig.host.open_log(one.to_str().unwrap()).unwrap();
    let second = rig.host.open_log(two.to_str().unwrap()).unwrap();
    rig.host.close_log(first.file);
    assert_eq!(rig.host.append(first.file, b"x"), Err(Errno::EBADF));
    assert_eq!(rig.host.append(second.file, b"two"), Ok(3));
    let third = rig.host.open_log(one.to_str().unwrap()).unwrap();
    assert_ne!(third.file, second.file);
    assert_eq!(rig.host.append(third.file, b"one"), Ok(3));
    rig.host.reset();
    assert_eq!(rig.host.append(second.file, b"x"), Err(Errno::EBADF));
    assert_eq!(std::fs::read(&one).unwrap(), b"one");
    assert_eq!(std::fs::read(&two).unwrap(), b"two");
    for path in [one, two] {
        std::fs::remove_file(path).unwrap();
    }
}

/// Each start may take long, as its child and others want the processor: clients have their turn between two.
#[test]
fn a_turn_has_only_so_much_time_for_starts() {
    let mut host = Rig::new().host;
    for _ in 0..3 {
        let begin = Instant::now();
        host.begin_turn();
        // The first is started however long the turn took before.
        assert!(host.has_room());
        while host.has_room() {
            assert!(begin.elapsed() < Duration::from_secs(10), "it goes on for ever");
        }
        assert!(begin.elapsed() >= TURN_WORK);
    }
}
