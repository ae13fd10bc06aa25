//! Open pages on the real daemon: fifty that look at a thousand processes cost nothing while nothing happens, and see
//! at once what does. This test measures, so it lives alone in its file.

mod support;

use std::time::{Duration, Instant};

use serde_json::Value;
use support::daemon::{Daemon, Setup};
use support::http::Client;
use support::{SERVERS, proc, upstream_differs, wait_for, wait_until};

const PROCESSES: usize = 1000;
const PAGES: usize = 50;
const MEASURE: Duration = Duration::from_secs(10);
/// A state change is visible within this.
const LATENCY: Duration = Duration::from_millis(100);

/// A page that is open.
struct Page {
    client: Client,
    /// What came and is no whole event yet.
    text: String,
}

impl Page {
    fn open(daemon: &Daemon) -> Page {
        Page::try_open(daemon).expect("a stream")
    }

    /// `None`: nobody listens, or not for long.
    fn try_open(daemon: &Daemon) -> Option<Page> {
        let mut client = daemon.connect_if_it_listens()?;
        client.send(b"GET /live HTTP/1.1\r\nHost: h\r\n\r\n").ok()?;
        let head = client.read_head().ok()?;
        assert_eq!((head.status, head.header("Content-Type")), (200, Some("text/event-stream")));
        Some(Page { client, text: String::new() })
    }

    /// The next event: its name and data. Waits for it.
    fn next(&mut self) -> (String, Value) {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let (name, data) = event.split_once('\n').expect("two lines");
                let name = name.strip_prefix("event: ").expect("a name").to_string();
                let data = serde_json::from_str(data.strip_prefix("data: ").expect("data")).expect("JSON");
                self.text = rest.to_string();
                return (name, data);
            }
            let chunk = self.client.read_chunk().expect("a chunk").expect("no end");
            self.text.push_str(std::str::from_utf8(&chunk).expect("UTF-8"));
        }
    }

    /// Waits until a process is told to be other than with this child.
    fn wait_for_other(&mut self, name: &str, pid: i64) {
        loop {
            let (_, data) = self.next();
            let mut all = data["processes"].as_array().into_iter().flatten();
            if all.any(|process| process["name"] == name && process["pid"] != pid) {
                return;
            }
        }
    }
}

#[test]
fn fifty_pages_and_a_thousand_processes() {
    if upstream_differs("it has no such stream") {
        return;
    }
    let servers = SERVERS.replace("[supervisord]\n", "[supervisord]\nminfds=5000\n");
    let daemon = Setup::new(&format!(
        "{servers}[program:p]\ncommand=sleep 1000\nprocess_name=p%(process_num)04d\nnumprocs={PROCESSES}\nstartsecs=0\n\
         autorestart=true\nstdout_logfile=NONE\nstderr_logfile=NONE\n\
         [program:speaker]\ncommand=/bin/sh -c 'while read line; do echo \"$line\"; done'\nstartsecs=0\n\
         stdout_logfile=%(here)s/speaker.log\n"
    ))
    .start();
    // It comes last.
    daemon.wait_for_state(&format!("p:p{:04}", PROCESSES - 1), "RUNNING");
    daemon.wait_for_state("speaker", "RUNNING");
    let alone = proc::status_number(daemon.pid(), "VmRSS");

    let mut pages: Vec<Page> = (0..PAGES).map(|_| Page::open(&daemon)).collect();
    for page in &mut pages {
        let (name, data) = page.next();
        assert_eq!((name.as_str(), data["processes"].as_array().map(Vec::len)), ("all", Some(PROCESSES + 1)));
    }
    let spent = || (proc::switches(daemon.pid()), proc::cpu_ticks(daemon.pid()));
    let before = wait_for("the daemon to settle", 30, || {
        let before = spent();
        std::thread::sleep(Duration::from_secs(1));
        (spent() == before).then_some(before)
    });
    std::thread::sleep(MEASURE);
    let after = spent();
    let watched = proc::status_number(daemon.pid(), "VmRSS");
    println!(
        "{PAGES} pages, {PROCESSES} processes, {MEASURE:?}: {} context switches, {} clock ticks; {alone} KiB before, \
         {watched} KiB with them",
        after.0 - before.0,
        after.1 - before.1
    );
    assert_eq!(after, before, "context switches and clock ticks");

    // Children are killed; all pages see it, and the last of them soon.
    let mut waits: Vec<Duration> = Vec::new();
    for number in 0..21 {
        let name = format!("p{number:04}");
        let pid = daemon.info(&format!("p:{name}")).pid();
        let killed = Instant::now();
        proc::send(&[pid], "KILL");
        for page in &mut pages {
            page.wait_for_other(&name, pid);
        }
        waits.push(killed.elapsed());
    }
    waits.sort();
    println!("from the kill to the last of {PAGES} pages: median {:?}, worst {:?}", waits[10], waits[20]);
    assert!(waits[10] < LATENCY, "{waits:?}");

    // The last line of a log, too, within the pause between two.
    let words = ["speaker", "hello <world>\n"].map(majordomo::base::value::Value::str);
    daemon.call("supervisor.sendProcessStdin", &words);
    let line = wait_for("the line", 5, || {
        let (_, data) = pages[1].next();
        data["lines"].as_array().and_then(|lines| lines.iter().find(|line| line[0] == "speaker:speaker").cloned())
    });
    assert_eq!(line[1], "hello <world>");

    // Whoever goes is forgotten, with all that was kept for them.
    let open = proc::descriptors(daemon.pid()).len();
    drop(pages);
    wait_until("closed connections", 20, || proc::descriptors(daemon.pid()).len() + PAGES <= open);
}

/// An open page keeps neither a reload nor the end from coming, and sees both.
#[test]
fn streams_end_with_the_daemon() {
    if upstream_differs("it has no such stream") {
        return;
    }
    let mut daemon = Daemon::start(&format!("{SERVERS}[program:p]\ncommand=sleep 1000\nstartsecs=0\n"));
    daemon.wait_for_state("p", "RUNNING");
    let mut page = Page::open(&daemon);
    page.next();
    daemon.signal("HUP");
    assert_eq!(page.next().1["state"], "RESTARTING");
    page.client.read_to_end().expect("the end");
    let mut page = wait_for("the daemon again", 20, || Page::try_open(&daemon));
    assert_eq!(page.next().1["state"], "RUNNING");
    daemon.signal("TERM");
    while page.next().1["state"] != "SHUTDOWN" {}
    assert_eq!(daemon.wait_for_exit().code(), Some(0));
    page.client.read_to_end().expect("the end");
}
