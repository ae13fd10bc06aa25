//! The state machine is total and sound: every step in every state that can be reached, with what must always hold.

mod pure;

use std::collections::BTreeSet;
use std::time::Duration;

use majordomo::base::errno::Errno;
use majordomo::base::words::{Exit, Mood, State};
use majordomo::config::spec::Autorestart;
use majordomo::world::life::{Act, Life, Step};
use pure::one::One;

const CODE_0: Step = Step::Exited(Exit::Code(0));
const CODE_1: Step = Step::Exited(Exit::Code(1));
const KILLED: Step = Step::Exited(Exit::Signal { signal: 9, core: false });

/// All that decides what comes next: times count from now, and none longer ago than the longest that matters.
fn key(one: &One) -> String {
    let (life, now) = (&one.life, one.now().mono);
    let due = life.deadline().map(|at| (at - now).min(Duration::from_secs(4)));
    let age = life.spawned().map(|at| (now - at).min(Duration::from_secs(2)));
    format!("{:?} {:?} {due:?} {age:?} {} {}", life.state(), life.pid(), life.backoff(), life.start().is_some())
}

#[test]
fn every_step_has_a_sound_meaning_in_every_state_that_can_be_reached() {
    let steps = |pid| {
        vec![
            Step::Autostart,
            Step::Start,
            Step::Spawned(pid),
            Step::SpawnFailed("no".into()),
            Step::Stop,
            Step::GiveUp,
            Step::KillFailed(Errno::ESRCH),
            Step::KillFailed(Errno::EPERM),
            Step::SignalFailed,
            CODE_0,
            CODE_1,
            KILLED,
            Step::Due,
        ]
    };
    let mut reached = [false; 8];
    let mut tried = 0;
    for variant in 0..24_i64 {
        let first = One::new(|spec| {
            spec.startretries = variant % 2;
            spec.startsecs = variant / 2 % 2;
            spec.stopwaitsecs = variant / 4 % 2;
            spec.autorestart = [Autorestart::Never, Autorestart::Always, Autorestart::Unexpected][variant as usize / 8];
        });
        let mut seen = BTreeSet::new();
        let mut open = vec![(first.life.clone(), first.ms)];
        while let Some((life, ms)) = open.pop() {
            for (wait, mood) in
                [0, 1_000].into_iter().flat_map(|w| [Mood::Running, Mood::Restarting, Mood::Shutdown].map(|m| (w, m)))
            {
                for step in steps(9) {
                    let mut one = One { life: life.clone(), spec: first.spec.clone(), mood, ms: ms + wait };
                    let acts = one.acts(step.clone());
                    tried += 1;
                    check_acts(&acts, mood, &step);
                    let asked = acts.contains(&Act::Spawn);
                    // A question for a child is answered at once, by either answer.
                    let answers = if asked {
                        vec![Some(Step::Spawned(9)), Some(Step::SpawnFailed("no".into()))]
                    } else {
                        vec![None]
                    };
                    for answer in answers {
                        let mut next = One { life: one.life.clone(), spec: one.spec.clone(), mood, ms: one.ms };
                        if let Some(answer) = answer {
                            // Nothing else has a meaning in between.
                            for odd in [CODE_0, Step::Due, Step::Stop, Step::KillFailed(Errno::EPERM), Step::Start] {
                                let acts = next.acts(odd.clone());
                                assert!(acts.is_empty(), "{odd:?} before the answer: {acts:?}");
                            }
                            check_acts(&next.acts(answer.clone()), mood, &answer);
                        }
                        check_life(&next.life, &step);
                        reached[[0, 10, 20, 30, 40, 100, 200, 1000]
                            .iter()
                            .position(|code| *code == next.life.state() as i32)
                            .unwrap_or_default()] = true;
                        if seen.insert(key(&next)) {
                            open.push((next.life, next.ms));
                        }
                    }
                }
            }
        }
    }
    assert_eq!(reached, [true; 8]);
    assert!(tried > 10_000, "{tried}");
}

fn check_acts(acts: &[Act], mood: Mood, step: &Step) {
    let spawns = acts.iter().filter(|act| **act == Act::Spawn).count();
    assert!(spawns <= 1, "{step:?}: {acts:?}");
    assert!(spawns == 0 || mood == Mood::Running, "{step:?} starts while {mood:?}");
    for act in acts {
        match act {
            Act::Kill { pid, .. } => assert_eq!(*pid, 9, "{step:?}"),
            Act::Moved { from, to, .. } => assert!(may_follow(*from, *to), "{step:?}: {from:?} to {to:?}"),
            Act::Spawn | Act::Say(_) => {}
        }
    }
}

/// The arrows of section 2, and no others.
fn may_follow(from: State, to: State) -> bool {
    use State::*;
    match to {
        Starting => matches!(from, Stopped | Exited | Fatal | Backoff),
        Running => from == Starting,
        Backoff => from == Starting,
        Stopping => matches!(from, Starting | Running),
        Stopped => matches!(from, Stopping | Backoff),
        Exited => from == Running,
        Fatal => from == Backoff,
        Unknown => matches!(from, Starting | Running | Stopping),
    }
}

fn check_life(life: &Life, step: &Step) {
    let state = life.state();
    let lives = matches!(state, State::Starting | State::Running | State::Stopping);
    assert!(state == State::Unknown || life.pid().is_some() == lives, "{step:?}: {life:?}");
    if matches!(state, State::Starting | State::Stopping | State::Backoff) {
        assert!(life.deadline().is_some(), "{step:?}: {life:?}");
    }
    if matches!(state, State::Stopped | State::Running | State::Fatal | State::Unknown) {
        assert_eq!(life.deadline(), None, "{step:?}: {life:?}");
    }
    assert!(life.backoff() == 0 || !matches!(state, State::Running | State::Exited | State::Fatal), "{life:?}");
}
