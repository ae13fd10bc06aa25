//! Each thing that `World::check` asserts can fail: a sound world, one thing broken, its words.

use super::*;
use crate::base::time::{Mono, Now};
use crate::sim::host::SimHost;
use crate::sim::setup::read;
use crate::world::Turn;
use crate::world::life::{Life, Step};
use crate::world::log::Log;

const TEXT: &str = "[supervisord]\nlogfile=/tmp/s.log\n[program:a]\ncommand=/x/steady\nstdout_logfile=/tmp/a.log\n\
    stderr_logfile=NONE\n[program:b]\ncommand=/x/steady\nautostart=false\nstdout_logfile=NONE\nstderr_logfile=NONE\n";
const SOON: Option<Mono> = Some(Mono(9_000_000_000));

/// A world with a process that starts, breaks it, and says what is found.
fn broken(breaks: impl FnOnce(&mut World, Key<Process>, &mut Turn<'_>)) -> String {
    let mut host = SimHost::new(1);
    host.files.put_directory("/tmp");
    let mut turn = Turn { now: Now::default(), host: &mut host };
    let config = read("/tmp/s.conf", TEXT).expect("a sound configuration");
    let mut world = World::new(config, &mut turn).expect("a world");
    let who = world.find_member("a", "a").expect("a process");
    world.drive(who, Step::Start, &mut turn);
    assert_eq!(world.check(), Ok(()));
    breaks(&mut world, who, &mut turn);
    world.check().expect_err("it is broken")
}

/// The process gets this life, and the alarm that goes with it.
fn with_life(state: State, pid: bool, deadline: Option<Mono>) -> String {
    broken(|world, who, _| {
        let pid = world.processes.get(who).and_then(|process| process.life.pid()).filter(|_| pid);
        if pid.is_none() {
            world.pids.clear();
        }
        world.process(who).life = Life::doctored(state, pid, deadline);
        world.alarms.set(Alarm::Life(who), deadline);
    })
}

impl World {
    fn process(&mut self, who: Key<Process>) -> &mut Process {
        self.processes.get_mut(who).expect("a process")
    }
}

#[test]
fn a_pid_exactly_in_the_states_that_have_one() {
    for state in [State::Starting, State::Running, State::Stopping] {
        let deadline = SOON.filter(|_| state != State::Running);
        assert_eq!(with_life(state, false, deadline), format!("a is {}: no pid", state.name()));
    }
    for state in [State::Stopped, State::Exited, State::Fatal, State::Backoff] {
        let deadline = SOON.filter(|_| state == State::Backoff);
        assert_eq!(with_life(state, true, deadline), format!("a is {}: a pid", state.name()));
    }
}

#[test]
fn a_deadline_exactly_where_one_is_needed() {
    for (state, pid) in [(State::Starting, true), (State::Stopping, true), (State::Backoff, false)] {
        assert_eq!(with_life(state, pid, None), format!("a is {}: no deadline", state.name()));
    }
    for (state, pid) in [(State::Stopped, false), (State::Running, true), (State::Fatal, false), (State::Unknown, true)]
    {
        assert_eq!(with_life(state, pid, SOON), format!("a is {}: a deadline", state.name()));
    }
}

#[test]
fn alarms_have_reasons_and_reasons_have_alarms() {
    let text = broken(|world, who, _| world.alarms.set(Alarm::Life(who), None));
    assert_eq!(text, "a is STARTING: its alarm is not its deadline");
    let text = broken(|world, who, _| world.alarms.set(Alarm::Log(who), SOON));
    assert_eq!(text, "a is STARTING: the alarm for its logs is not when they are tried again");
    for alarm in [Alarm::MainLog, Alarm::Ending, Alarm::Life(Key::from_bits(77)), Alarm::Log(Key::from_bits(77))] {
        let text = broken(|world, _, _| world.alarms.set(alarm, SOON));
        assert_eq!(text, format!("an alarm without a reason: {alarm:?}"));
    }
}

#[test]
fn pids_and_processes_know_each_other() {
    assert_eq!(broken(|world, _, _| world.pids.clear()), "a is STARTING: its pid is not known");
    let text = broken(|world, who, _| {
        world.pids.insert(5, who);
    });
    assert_eq!(text, "pid 5 is known, but not to its process");
}

#[test]
fn groups_members_names_and_order_agree() {
    let text = broken(|world, who, _| {
        let group = world.process(who).group;
        world.groups.get_mut(group).expect("a group").members.clear();
    });
    assert_eq!(text, "a is STARTING: its group doesn't know it");
    let text = broken(|world, who, _| {
        let group = world.process(who).group;
        world.groups.get_mut(group).expect("a group").by_name.clear();
    });
    assert_eq!(text, "group a doesn't have its members by name");
    let text = broken(|world, _, _| {
        let other = world.find_member("b", "b").expect("a process");
        world.processes.remove(other);
    });
    assert_eq!(text, "group b has a member that is not its own");
    let text = broken(|world, _, _| {
        let other = world.find_group("b").expect("a group");
        world.group_names.insert("a".to_string(), other);
    });
    assert_eq!(text, "groups and their names differ");
    let text = broken(|world, _, _| {
        world.group_order.pop();
    });
    assert_eq!(text, "groups and their order differ");
}

#[test]
fn queues_are_bounded_and_go_with_the_child() {
    let text = broken(|world, who, _| world.process(who).stdin.push(&vec![0; STDIN_BYTES + 1]));
    assert_eq!(text, "a is STARTING: too much waits for its stdin");
    let text = broken(|world, who, _| {
        world.process(who).stdin.push(b"x");
        world.process(who).stdin_closed = true;
    });
    assert_eq!(text, "a is STARTING: bytes wait for a stdin that is closed");
}

#[test]
fn what_logs_hold_is_bounded_and_tried_again() {
    let held = |bytes, retry_at| {
        broken(move |world, who, _| {
            let log = world.process(who).outputs[0].as_mut().and_then(|output| output.log_mut());
            *log.expect("a log") = Log::doctored(bytes, retry_at);
            world.alarms.set(Alarm::Log(who), retry_at);
        })
    };
    assert_eq!(held(LOG_WAITING_BYTES + 1, SOON), "a is STARTING: too much waits for its log");
    assert_eq!(held(1, None), "a is STARTING: bytes wait for its log, which is never tried again");
    let main = |bytes| broken(move |world, _, _| *world.main_log.file().expect("a file") = Log::doctored(bytes, SOON));
    assert_eq!(main(LOG_WAITING_BYTES + 1), "too much waits for the main log");
    assert_eq!(main(1), "bytes wait for the main log, which is never tried again");
}

#[test]
fn logs_close_with_the_child() {
    let text = broken(|world, who, turn| {
        world.drive(who, Step::Stop, turn);
        let pid = world.process(who).life.pid().expect("a child");
        world.pids.remove(pid);
        world.drive(who, Step::Exited(crate::base::words::Exit::Code(0)), turn);
    });
    assert_eq!(text, "a is STOPPED: a log is open without a child");
}
