//! A storm of events: numbers sent as REMOTE_COMMUNICATION events to a pool of listeners that keep what they get.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use majordomo::base::value::Value;

use super::daemon::{Daemon, Setup};
use super::{QUIET, xmlrpc};

/// Listeners in the pool.
pub const LISTENERS: usize = 4;
/// Clients that send at the same time.
const CLIENTS: usize = 16;

/// The counting listener in Python: a file for the record is to follow.
pub fn python_listener() -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/counting_listener.py");
    format!("python3 {}", script.display())
}

/// A daemon with a pool of these listeners that has room for `count` events, and with so many other programs.
pub fn setup(listener: &str, count: u64, others: u64) -> Setup {
    let others = match others {
        0 => String::new(),
        count => format!("[program:o]\ncommand=sleep 100000\nnumprocs={count}\nprocess_name=o%(process_num)d\n"),
    };
    Setup::new(&format!(
        "{QUIET}[eventlistener:counters]\ncommand={listener} @DIR@/record%(process_num)d\n\
         numprocs={LISTENERS}\nprocess_name=c%(process_num)d\nevents=REMOTE_COMMUNICATION\nbuffer_size={count}\n\
         startsecs=0\n{others}"
    ))
}

/// The numbers that each listener was given, in its order.
pub fn handled(daemon: &Daemon) -> Vec<Vec<u64>> {
    let record = |number: usize| {
        let bytes = fs::read(daemon.file(&format!("record{number}"))).unwrap_or_default();
        bytes.chunks_exact(8).map(|chunk| u64::from_ne_bytes(chunk.try_into().expect("eight bytes"))).collect()
    };
    (0..LISTENERS).map(record).collect()
}

/// How many events the listeners have had.
fn count(daemon: &Daemon) -> u64 {
    let of_one = |number| Some(fs::metadata(daemon.file(&format!("record{number}"))).ok()?.len() / 8);
    (0..LISTENERS).filter_map(of_one).sum()
}

/// Sends the numbers from 0 to `total`, so many in each call, and waits until all are handled. Gives the time from the
/// first call to the last result.
pub fn storm(daemon: &Daemon, total: u64, in_a_call: u64) -> Duration {
    for number in 0..LISTENERS {
        daemon.wait_for_state(&format!("counters:c{number}"), "RUNNING");
    }
    let step = in_a_call as usize;
    let requests: Vec<Vec<u8>> =
        (0..total).step_by(step).map(|from| request(from, total.min(from + in_a_call), in_a_call)).collect();
    let mut clients: Vec<_> = (0..CLIENTS.min(requests.len())).map(|_| daemon.connect()).collect();
    // Answers are all alike; only what is new is looked into, so that the client costs little.
    let mut known: Vec<u8> = Vec::new();
    let begin = Instant::now();
    for round in requests.chunks(clients.len()) {
        for (client, request) in clients.iter_mut().zip(round) {
            client.send(request).expect("a request sent");
        }
        for client in clients.iter_mut().take(round.len()) {
            let reply = client.read_reply().expect("an answer");
            if reply.body != known {
                let all_true = match xmlrpc::response(&reply.body).expect("no fault") {
                    Value::Array(answers) => answers.iter().all(|answer| *answer == Value::Bool(true)),
                    answer => answer == Value::Bool(true),
                };
                assert!(all_true);
                known.clone_from(&reply.body);
            }
            if reply.says_close() {
                *client = daemon.connect();
            }
        }
    }
    let patience = begin + Duration::from_secs(600);
    while count(daemon) < total {
        assert!(Instant::now() < patience, "{} of {total} events were handled", count(daemon));
        std::thread::sleep(Duration::from_millis(2));
    }
    begin.elapsed()
}

/// A request that sends these numbers: one by itself, more by `system.multicall`.
fn request(from: u64, to: u64, in_a_call: u64) -> Vec<u8> {
    const METHOD: &str = "supervisor.sendRemoteCommEvent";
    let params = |number: u64| vec![Value::str("number"), Value::str(number.to_string())];
    if in_a_call == 1 {
        return xmlrpc::request(METHOD, &params(from));
    }
    let call =
        |number| xmlrpc::members(&[("methodName", Value::str(METHOD)), ("params", Value::Array(params(number)))]);
    xmlrpc::request("system.multicall", &[Value::Array((from..to).map(call).collect())])
}

/// Fails unless each number was handled once, and each listener had those of each client in order: clients that call at
/// the same time are served in any order.
pub fn check(daemon: &Daemon, total: u64, in_a_call: u64) {
    let handled = handled(daemon);
    for (listener, numbers) in handled.iter().enumerate() {
        for client in 0..CLIENTS as u64 {
            let of_client = numbers.iter().filter(|number| *number / in_a_call % CLIENTS as u64 == client);
            assert!(of_client.is_sorted(), "listener {listener} had its events out of order");
        }
    }
    let mut all: Vec<u64> = handled.concat();
    all.sort_unstable();
    assert!(all.iter().copied().eq(0..total), "{} events were handled, not each of {total} once", all.len());
    assert!(!daemon.log().contains("overflowed"));
}
