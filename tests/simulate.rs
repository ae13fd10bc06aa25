//! The whole daemon under seeded storms: starts, stops, exits, signals, faults and time, and everything checked after
//! each step. `SEED=<n>` runs that seed alone; `SEEDS=<n>` runs as many.

use majordomo::sim::run::simulate;

const STEPS: u64 = 400;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn storms_break_no_rule() {
    let seeds = match number("SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("SEEDS").unwrap_or(40),
    };
    let (mut runs, mut spawns, mut sigkills, mut answers) = (0, 0, 0, 0);
    for seed in seeds {
        let summary = simulate(seed, STEPS).unwrap_or_else(|what| panic!("{what}\nAgain: SEED={seed}"));
        runs += 1;
        spawns += summary.spawns;
        sigkills += summary.sigkills;
        answers += summary.answers;
    }
    // A storm in which nothing happens proves nothing.
    assert!(spawns > 50 * runs && sigkills > runs && answers > 50 * runs, "{runs} {spawns} {sigkills} {answers}");
}

#[test]
fn the_same_seed_gives_the_same_journal() {
    for seed in [1, 2, 3] {
        assert_eq!(simulate(seed, STEPS), simulate(seed, STEPS));
    }
    assert_ne!(simulate(1, 50).map(|summary| summary.journal), simulate(2, 50).map(|summary| summary.journal));
}
