//! Answers that come later, as data: kept by their connection, asked again when a process changed its state.
//!
//! Nothing here is a callback; dropping a [`Waiting`] drops the question, and what it started goes on (RPC-007).

use std::time::Duration;

use crate::base::key::Key;
use crate::base::limits;
use crate::base::time::Mono;
use crate::base::value::Value;
use crate::base::words::{Channel, Fault, Mood, State, fault};
use crate::rpc::control::launch;
use crate::rpc::logs::is_about_to_speak;
use crate::rpc::read::read_log;
use crate::rpc::{Access, Answer, Outcome, Reply, carry_out};
use crate::world::entries::size;
use crate::world::lines::Line;
use crate::world::process::Process;
use crate::world::{Turn, World};

/// How often "waiting for … to stop" is said of one process (PROC-064).
const STOP_REPORT_SPACING: Duration = Duration::from_secs(2);

/// What a call waits for.
pub enum Waiting {
    /// A process to be RUNNING, or to fail (RPC-053). `name` is for the fault.
    Started {
        /// The process.
        who: Key<Process>,
        /// As in the fault.
        name: String,
    },
    /// A process to be in the "stopped" set (RPC-056).
    Stopped {
        /// The process.
        who: Key<Process>,
        /// When it was started before the stop: somebody may start it again before we look.
        spawned: Option<Mono>,
    },
    /// A process that has just started to print something, for a read of its log (TWID-091).
    FirstWords {
        /// The process.
        who: Key<Process>,
        /// Which log is read.
        channel: Channel,
        /// As given.
        offset: i64,
        /// As given.
        length: i64,
    },
    /// Several processes, whose results are collected as they come (RPC-059).
    Each {
        /// Results so far, in order of completion.
        done: Vec<Value>,
        /// Who is still waited for.
        open: Vec<(Member, Waiting)>,
        /// Whether those that are started are then waited for.
        wait: bool,
        /// Those not started yet: a few at a time, all of them before the first is waited for (PROC-071).
        left: std::vec::IntoIter<Key<Process>>,
    },
    /// The calls of a multicall, one after the other (RPC-171).
    Calls {
        /// Results so far.
        done: Vec<Value>,
        /// What they take in memory, in bytes.
        bytes: u64,
        /// The call that is being waited for.
        open: Option<Box<Waiting>>,
        /// What the client may do.
        access: Access,
        /// Successes are arrays of one, as Python's MultiCall wants them (DEC-011).
        arrays: bool,
        /// Those not begun: method and arguments, or the fault that takes their place.
        left: std::vec::IntoIter<Result<(String, Vec<Value>), Fault>>,
    },
}

/// Whose result an entry of an array is.
#[derive(Clone, Debug)]
pub struct Member {
    /// Process name.
    pub name: String,
    /// Group name.
    pub group: String,
}

impl Member {
    /// Who a process is: for its entry, and as shown in faults.
    pub fn of(world: &World, who: Key<Process>) -> Option<(Member, String)> {
        let process = world.processes.get(who)?;
        let member = Member { name: process.spec.name.clone(), group: process.group_name.to_string() };
        Some((member, process.display()))
    }

    /// Puts what came of a request where it belongs: to the results, or to those who are waited for.
    pub fn decide(self, outcome: Outcome, done: &mut Vec<Value>, open: &mut Vec<(Member, Waiting)>) {
        match outcome {
            Ok(Answer::Later(waiting)) => open.push((self, waiting)),
            Ok(Answer::Now(outcome)) => done.push(self.result(outcome.map(|_| ()))),
            Err(fault) => done.push(self.result(Err(fault))),
        }
    }

    /// The struct of RPC-060.
    pub fn result(&self, outcome: Result<(), Fault>) -> Value {
        let (status, description) = match outcome {
            Ok(()) => (fault::SUCCESS, "OK".to_string()),
            Err(fault) => (fault.code, fault.text),
        };
        Value::Struct(vec![
            ("name".to_string(), Value::str(&self.name)),
            ("group".to_string(), Value::str(&self.group)),
            ("status".to_string(), Value::Int(i64::from(status))),
            ("description".to_string(), Value::Str(description)),
        ])
    }
}

impl Waiting {
    /// The answer, once there is one.
    pub fn poll(&mut self, world: &mut World, turn: &mut Turn<'_>) -> Option<Result<Value, Fault>> {
        match self {
            Waiting::Started { who, name } => started(world, *who, name),
            Waiting::Stopped { who, spawned } => stopped(world, *who, *spawned, turn),
            Waiting::FirstWords { who, channel, offset, length } => {
                let now = turn.now.mono;
                let process = world.processes.get(*who);
                if is_about_to_speak(world, *who, now) {
                    let started = process.and_then(|process| process.life.spawned()).unwrap_or(now);
                    world.wake_waiters(started + limits::FIRST_WORDS);
                    return None;
                }
                let path = process.and_then(|process| process.log_path(*channel)).map(str::to_string);
                Some(read_log(path.as_deref(), *offset, *length, turn.host))
            }
            Waiting::Each { done, open, wait, left } => {
                for _ in 0..limits::SPAWNS_PER_LOOK {
                    // At the end nothing is started that needed room.
                    if world.mood() == Mood::Running && !left.as_slice().is_empty() && !world.may_start(turn) {
                        break;
                    }
                    let Some(who) = left.next() else { break };
                    let Some((member, name)) = Member::of(world, who) else { continue };
                    let outcome = match world.mood() {
                        Mood::Running => launch(world, turn, who, &name, *wait),
                        // The end has begun meanwhile: as for those that it stops while they start (RPC-008).
                        _ => Err(Fault::with(fault::ABNORMAL_TERMINATION, &name)),
                    };
                    member.decide(outcome, done, open);
                }
                if !left.as_slice().is_empty() {
                    world.wake_waiters(turn.now.mono.max(world.starts_from()));
                    return None;
                }
                open.retain_mut(|(member, waiting)| match waiting.poll(world, turn) {
                    None => true,
                    Some(outcome) => {
                        done.push(member.result(outcome.map(|_| ())));
                        false
                    }
                });
                open.is_empty().then(|| Ok(Value::Array(std::mem::take(done))))
            }
            Waiting::Calls { done, bytes, open, access, arrays, left } => {
                let before = *bytes;
                for _ in 0..limits::REQUESTS_PER_TURN {
                    let outcome = match (open.as_mut(), left.as_slice().is_empty()) {
                        (Some(waiting), _) => waiting.poll(world, turn)?,
                        (None, true) => return Some(Ok(Value::Array(std::mem::take(done)))),
                        (None, false) if *bytes - before >= limits::MULTICALL_BYTES_PER_LOOK => break,
                        (None, false) => match left.next()? {
                            Err(fault) => Err(fault),
                            Ok(_) if *bytes >= limits::MULTICALL_BYTES => Err(too_much()),
                            Ok((method, mut params)) => match carry_out(world, turn, *access, &method, &mut params) {
                                Answer::Now(outcome) => outcome.map(|reply| reply.into_value(world, turn)),
                                Answer::Later(waiting) => {
                                    *open = Some(Box::new(waiting));
                                    continue;
                                }
                            },
                        },
                    };
                    *open = None;
                    let entry = entry(outcome, *arrays);
                    *bytes += size(&entry);
                    done.push(entry);
                }
                // A hundred thousand calls in one, or a few with long results, must not keep others waiting.
                world.wake_waiters(turn.now.mono);
                None
            }
        }
    }

    /// Asks once; what isn't ready waits.
    pub fn or_now(mut self, world: &mut World, turn: &mut Turn<'_>) -> Answer {
        match self.poll(world, turn) {
            Some(outcome) => Answer::Now(outcome.map(Reply::Value)),
            None => Answer::Later(self),
        }
    }
}

/// RPC-053.
fn started(world: &World, who: Key<Process>, name: &str) -> Option<Result<Value, Fault>> {
    let Some(process) = world.processes.get(who) else {
        return Some(Err(Fault::with(fault::ABNORMAL_TERMINATION, name)));
    };
    match process.state() {
        State::Running => Some(Ok(Value::Bool(true))),
        // A first failure is the answer, although retries go on.
        _ if !process.life.spawnerr().is_empty() => Some(Err(Fault::with(fault::SPAWN_ERROR, name))),
        State::Starting => None,
        // It ran and ended well between two looks.
        State::Exited => Some(Ok(Value::Bool(true))),
        State::Stopped | State::Backoff | State::Stopping | State::Fatal | State::Unknown => {
            Some(Err(Fault::with(fault::ABNORMAL_TERMINATION, name)))
        }
    }
}

/// RPC-056.
fn stopped(
    world: &mut World,
    who: Key<Process>,
    spawned: Option<Mono>,
    turn: &mut Turn<'_>,
) -> Option<Result<Value, Fault>> {
    let Some(process) = world.processes.get(who) else {
        return Some(Ok(Value::Bool(true)));
    };
    if process.state().is_stopped() || process.life.spawned() != spawned {
        return Some(Ok(Value::Bool(true)));
    }
    if process.state() == State::Stopping {
        let now = turn.now.mono;
        let reported = process.stop_reported.filter(|&at| now < at + STOP_REPORT_SPACING);
        world.wake_waiters(reported.unwrap_or(now) + STOP_REPORT_SPACING);
        if reported.is_none()
            && let Some(process) = world.processes.get_mut(who)
        {
            process.stop_reported = Some(now);
            let line = Line::WaitingToStop { name: process.spec.name.clone() };
            world.say(&line, turn);
        }
    }
    None
}

/// What a call of a multicall gets that is not begun any more.
fn too_much() -> Fault {
    let most = limits::MULTICALL_BYTES;
    Fault::with(
        fault::FAILED,
        format!("not carried out: results before it take {most} bytes; make this call in another multicall"),
    )
}

/// One result of a multicall: the bare value, or a struct for a fault (RPC-172, RPC-173).
fn entry(outcome: Result<Value, Fault>, arrays: bool) -> Value {
    match outcome {
        Ok(value) if arrays => Value::Array(vec![value]),
        // upstream: RPC-172, BUG-037: a success is not wrapped in an array of one.
        Ok(value) => value,
        Err(fault) => Value::Struct(vec![
            ("faultCode".to_string(), Value::Int(i64::from(fault.code))),
            ("faultString".to_string(), Value::Str(fault.text)),
        ]),
    }
}
