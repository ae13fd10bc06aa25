//! What the daemon costs while nobody wants anything: no wake-up, no time, little memory. This test measures, so it
//! is the one that lets time pass; it lives alone in its file because `cargo test` runs one file at a time.

mod support;

use std::time::Duration;

use support::daemon::Daemon;
use support::{SERVERS, proc, upstream_differs, wait_for, wait_until};

const MEASURE: Duration = Duration::from_secs(20);

/// What has been spent so far: context switches and clock ticks.
fn spent(pid: i64) -> (u64, u64) {
    (proc::switches(pid), proc::cpu_ticks(pid))
}

/// PROC-034 and BUG-001: idle is idle.
#[test]
fn ten_children_cost_nothing_while_idle() {
    if upstream_differs("BUG-001: wakes up once a second") {
        return;
    }
    let programs: String = (0..10).map(|number| format!("[program:p{number}]\ncommand=sleep 1000\n")).collect();
    let daemon = Daemon::start(&format!("{SERVERS}{programs}"));
    for number in 0..10 {
        daemon.wait_for_state(&format!("p{number}"), "RUNNING");
    }
    let children = proc::children(daemon.pid());
    assert_eq!(children.len(), 10);
    for child in children {
        let numbers: Vec<i64> = proc::descriptors(child).iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, [0, 1, 2]);
    }

    // The last client has to be let go first: settled is when two seconds pass without a switch.
    let before = wait_for("the daemon to settle", 30, || {
        let before = spent(daemon.pid());
        std::thread::sleep(Duration::from_secs(2));
        (spent(daemon.pid()) == before).then_some(before)
    });
    std::thread::sleep(MEASURE);
    let after = spent(daemon.pid());
    println!("in {MEASURE:?}: {} context switches, {} clock ticks", after.0 - before.0, after.1 - before.1);
    assert_eq!(after, before, "context switches and clock ticks");

    let memory = proc::status_number(daemon.pid(), "VmRSS");
    println!(
        "resident: {memory} KiB, its share {} KiB, its own {} KiB",
        rollup(daemon.pid(), "Pss"),
        own(daemon.pid())
    );
    if !is_users_build() {
        assert!(memory <= 6 * 1024, "{memory} KiB resident");
        return;
    }
    assert!(memory <= 2500, "{memory} KiB resident");
    assert!(rollup(daemon.pid(), "Pss") <= 1200, "{} KiB is its share", rollup(daemon.pid(), "Pss"));
    assert!(own(daemon.pid()) <= 600, "{} KiB are its own", own(daemon.pid()));
}

/// The promises are about the build that users run; `.ci/run` measures that one too.
fn is_users_build() -> bool {
    !cfg!(debug_assertions) || std::env::var_os("MAJORDOMO_BINARIES").is_some()
}

/// A number of KiB from /proc/pid/smaps_rollup.
fn rollup(pid: i64, name: &str) -> i64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).expect("the sums of a process's memory");
    let mut fields = text.lines().filter_map(|line| line.split_once(':'));
    let (_, number) = fields.find(|(field, _)| *field == name).expect("the sum");
    let number = number.trim().strip_suffix(" kB").expect("KiB");
    number.parse().expect("a number")
}

/// KiB that no file has: what was written to. Pages of a file that was just built can be dirty, too.
fn own(pid: i64) -> i64 {
    rollup(pid, "Anonymous")
}

/// The same for clients that stay connected and say nothing, as metrics collectors do.
#[test]
fn silent_clients_cost_nothing() {
    if upstream_differs("BUG-001: wakes up once a second") {
        return;
    }
    let daemon = Daemon::start(SERVERS);
    let mut clients: Vec<_> = (0..100).map(|_| daemon.connect()).collect();
    let ask = support::xmlrpc::request("supervisor.getPID", &[]);
    // A burst: what it brought into memory goes when it is over.
    for round in 0..4 {
        for client in &mut clients {
            assert_eq!(client.ask(&ask).expect("an answer").status, 200, "in round {round}");
        }
    }
    let busy = rollup(daemon.pid(), "Pss");
    let before = wait_for("the daemon to settle", 30, || {
        let before = spent(daemon.pid());
        std::thread::sleep(Duration::from_secs(2));
        (spent(daemon.pid()) == before).then_some(before)
    });
    std::thread::sleep(MEASURE / 4);
    assert_eq!(spent(daemon.pid()), before, "context switches and clock ticks");
    let quiet = rollup(daemon.pid(), "Pss");
    println!("its share after a burst: {busy} KiB, then {quiet} KiB");
    if is_users_build() {
        assert!(quiet <= 1200 && quiet + 200 <= busy, "{busy} KiB, then {quiet} KiB");
    }
    for client in &mut clients {
        assert_eq!(client.ask(&ask).expect("an answer").status, 200);
    }
    let open = proc::descriptors(daemon.pid()).len();
    drop(clients);
    wait_until("closed connections", 20, || proc::descriptors(daemon.pid()).len() + 100 <= open);
}
