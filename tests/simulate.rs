//! The whole daemon under seeded storms: starts, stops, exits, signals, faults, files and time, and everything checked
//! after each step; and the same with daemons that have a fault, each of which must be caught.
//!
//! `SEED=<n>` runs that seed alone. `SEEDS=<n>` and `STEPS=<n>` run so many; the release build runs a million steps
//! unless told otherwise.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use majordomo::sim::mutant::Mutant;
use majordomo::sim::rules::{Broken, Rule};
use majordomo::sim::run::{Failure, Summary, simulate_with};

/// Seeds, and steps of each.
const SIZE: (u64, u64) = if cfg!(debug_assertions) { (60, 300) } else { (1_000, 1_000) };
/// How many seeds may pass until a fault must be caught.
const SEEDS_TO_CATCH: u64 = 40;
const STEPS_TO_CATCH: u64 = 400;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Does something for each number, on all processors; gives what came of it, in the order of the numbers.
fn for_each<R: Send>(count: u64, act: impl Fn(u64) -> R + Sync) -> Vec<R> {
    let (next, done) = (AtomicU64::new(0), Mutex::new(Vec::new()));
    let workers = std::thread::available_parallelism().map_or(1, |count| count.get());
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        return;
                    }
                    let result = act(number);
                    done.lock().expect("no worker failed").push((number, result));
                }
            });
        }
    });
    let mut done = done.into_inner().expect("no worker failed");
    done.sort_by_key(|(number, _)| *number);
    done.into_iter().map(|(_, result)| result).collect()
}

/// A run; one that panics is one that fails, and still tells its seed.
fn run(seed: u64, steps: u64, mutant: Option<Mutant>) -> Result<Summary, Failure> {
    std::panic::catch_unwind(|| simulate_with(seed, steps, mutant)).unwrap_or_else(|_| {
        let broken = Broken { rule: Rule::Sound, what: "a panic: see above".to_string() };
        Err(Failure { seed, broken, story: "some step".to_string() })
    })
}

fn must_hold(result: Result<Summary, Failure>, steps: u64) -> Summary {
    result.unwrap_or_else(|failure| {
        let release = if cfg!(debug_assertions) { "" } else { " --release" };
        let seed = failure.seed;
        panic!("{failure}\nAgain: SEED={seed} STEPS={steps} cargo test{release} --test simulate storms")
    })
}

#[test]
fn storms_break_no_rule() {
    let (seeds, steps) = (number("SEEDS").unwrap_or(SIZE.0), number("STEPS").unwrap_or(SIZE.1));
    let results = match number("SEED") {
        Some(seed) => vec![run(seed, steps, None)],
        None => for_each(seeds, |seed| run(seed, steps, None)),
    };
    let runs = results.len() as u64;
    let mut all = Summary::default();
    for result in results {
        let summary = must_hold(result, steps);
        all.spawns += summary.spawns;
        all.sigkills += summary.sigkills;
        all.answers += summary.answers;
        all.events += summary.events;
        all.logged += summary.logged;
        all.beginnings += summary.beginnings;
        all.passed += summary.passed;
    }
    println!("{runs} seeds of {steps} steps: {all:?}");
    // A storm in which nothing happens proves nothing.
    let total = runs * steps;
    let lively =
        all.spawns > total / 10 && all.sigkills > total / 500 && all.answers > total / 20 && all.events > total / 10;
    assert!(lively && all.logged > 50 * total, "{all:?}");
    assert!(runs < 20 || all.beginnings > runs / 10, "{all:?}");
}

#[test]
fn the_same_seed_gives_the_same_journal() {
    let steps = SIZE.1;
    let twice = for_each(6, |number| must_hold(run(number / 2, steps, None), steps));
    for pair in twice.chunks(2) {
        assert_eq!(pair[0], pair[1]);
    }
    assert_ne!(twice[0].journal, twice[2].journal);
    assert_ne!(must_hold(run(0, steps - 1, None), steps - 1).journal, twice[0].journal);
}

#[test]
fn every_rule_can_fail() {
    let caught = for_each(Mutant::TABLE.len() as u64, |index| {
        let (mutant, rules) = Mutant::TABLE[index as usize];
        let found = (0..SEEDS_TO_CATCH).find_map(|seed| run(seed, STEPS_TO_CATCH, Some(mutant)).err());
        match found {
            None => Err(format!("{mutant:?} was not caught within {SEEDS_TO_CATCH} seeds")),
            Some(failure) if !rules.contains(&failure.broken.rule) => {
                Err(format!("{mutant:?} was taken for something else: {failure}"))
            }
            Some(failure) => {
                println!("{mutant:?} breaks {:?} of seed {}", failure.broken.rule, failure.seed);
                Ok((mutant, failure.seed, failure.broken.rule))
            }
        }
    });
    let missed: Vec<String> = caught.iter().filter_map(|result| result.as_ref().err().cloned()).collect();
    assert!(missed.is_empty(), "{}", missed.join("\n"));
    for rule in Rule::ALL {
        let breaks =
            |result: &Result<(Mutant, u64, Rule), String>| matches!(result, Ok((_, _, broken)) if broken == rule);
        assert!(caught.iter().any(breaks), "nothing breaks {rule:?}");
    }
}
