//! A storm of events: numbers sent as REMOTE_COMMUNICATION events to a pool of listeners that keep what they get.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use majordomo::base::value::Value;

use super::daemon::{Daemon, Info, Setup};
use super::http::Client;
use super::{QUIET, wait_until, xmlrpc};

/// Listeners in the pool.
pub const LISTENERS: usize = 4;

/// How a client sends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Way {
    /// Kept connections that are used at the same time.
    pub connections: usize,
    /// Calls that are sent together on each. While their answers are read, as many more are already on their way.
    pub together: usize,
}

/// Sixteen clients, each of which asks, waits for its answer and asks again.
pub const ASKING: Way = Way { connections: 16, together: 1 };

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
pub fn storm(daemon: &Daemon, total: u64, in_a_call: u64, way: Way) -> Duration {
    // All of them: programs that still start would take their share of the machine.
    wait_until("all programs", 60, || {
        let all = daemon.call("supervisor.getAllProcessInfo", &[]);
        let Value::Array(all) = all else { panic!("{all:?}") };
        all.into_iter().all(|one| Info(one).state() == "RUNNING")
    });
    // The calls of each connection, one after the other: call number n is sent on connection n modulo their number.
    let starts = |first: usize| (0..total).step_by(in_a_call as usize).skip(first).step_by(way.connections);
    let mut senders: Vec<Sender> = (0..way.connections)
        .map(|first| {
            let requests: Vec<Vec<u8>> =
                starts(first).map(|from| request(from, total.min(from + in_a_call), in_a_call)).collect();
            let batches = requests.chunks(way.together).map(|batch| (batch.concat(), batch.len())).collect();
            Sender { client: daemon.connect(), batches, sent: 0, answered: 0, answer: Vec::new() }
        })
        .filter(|sender| !sender.batches.is_empty())
        .collect();
    // With single calls one after the other, none is sent before the answer to the one before is here.
    let ahead = if way.together == 1 { 0 } else { 1 };
    let begin = Instant::now();
    while senders.iter().any(|sender| sender.answered < sender.batches.len()) {
        for sender in &mut senders {
            sender.send(ahead);
        }
        for sender in &mut senders {
            sender.receive();
        }
    }
    let patience = begin + Duration::from_secs(600);
    while count(daemon) < total {
        assert!(Instant::now() < patience, "{} of {total} events were handled", count(daemon));
        std::thread::sleep(Duration::from_millis(2));
    }
    begin.elapsed()
}

/// One connection of the client, with what it is to send.
struct Sender {
    client: Client,
    /// Calls that go out in one write, and how many they are.
    batches: Vec<(Vec<u8>, usize)>,
    sent: usize,
    answered: usize,
    /// The last answer, all of it: the next ones are mostly the same, so that the client costs little.
    answer: Vec<u8>,
}

impl Sender {
    /// Sends what may be on its way: the batch whose answers are read next, and so many more.
    fn send(&mut self, ahead: usize) {
        while self.sent <= self.answered + ahead
            && let Some((batch, _)) = self.batches.get(self.sent)
        {
            self.client.send(batch).expect("requests sent");
            self.sent += 1;
        }
    }

    /// Reads the answers to one batch. Those that are as the last one was are only compared.
    fn receive(&mut self) {
        let Some((_, count)) = self.batches.get(self.answered) else { return };
        self.answered += 1;
        let mut left = *count;
        // The last call may be a shorter one, with a shorter answer.
        let alike = self.answered < self.batches.len();
        while left > 0 {
            if alike && !self.answer.is_empty() {
                while self.client.unread.len() < self.answer.len() {
                    assert_ne!(self.client.read_some().expect("answers"), 0, "the server closed");
                }
                let answers = self.client.unread.chunks_exact(self.answer.len()).take(left);
                let same = answers.take_while(|answer| *answer == self.answer).count();
                self.client.unread.drain(..same * self.answer.len());
                left -= same;
                if same > 0 {
                    continue;
                }
            }
            self.look_at_answer();
            left -= 1;
        }
    }

    /// Reads an answer that is not as the last one was, with another time for example, and keeps it.
    fn look_at_answer(&mut self) {
        let head_end = loop {
            if let Some(at) = self.client.unread.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            assert_ne!(self.client.read_some().expect("an answer"), 0, "the server closed");
        };
        self.answer = self.client.unread[..head_end].to_vec();
        let reply = self.client.read_reply().expect("an answer");
        assert!(!reply.says_close(), "{reply:?}");
        let all_true = match xmlrpc::response(&reply.body).expect("no fault") {
            Value::Array(answers) => answers.iter().all(|answer| *answer == Value::Bool(true)),
            answer => answer == Value::Bool(true),
        };
        assert!(all_true);
        self.answer.extend_from_slice(&reply.body);
    }
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
pub fn check(daemon: &Daemon, total: u64, in_a_call: u64, way: Way) {
    let handled = handled(daemon);
    for (listener, numbers) in handled.iter().enumerate() {
        let clients = way.connections as u64;
        for client in 0..clients {
            let of_client = numbers.iter().filter(|number| *number / in_a_call % clients == client);
            assert!(of_client.is_sorted(), "listener {listener} had its events out of order");
        }
    }
    let mut all: Vec<u64> = handled.concat();
    all.sort_unstable();
    assert!(all.iter().copied().eq(0..total), "{} events were handled, not each of {total} once", all.len());
    assert!(!daemon.log().contains("overflowed"));
}
