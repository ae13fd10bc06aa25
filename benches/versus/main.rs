//! Ours beside Supervisor 4.3.0, nginx, redis and memcached, in one run and with one client:
//! `cargo bench --bench versus [-- NAME…]`, where a name is a row of [`SECTIONS`]; without names all of them run.
//!
//! Needs Python 3 (for the published Supervisor, installed below the target folder); the others are measured where they
//! are installed (Debian: `apt-get install nginx-light redis-server redis-tools memcached`), and a table says who was
//! not. Rounds are interleaved, and client and server have a processor each where `taskset` is to be had, or the same one
//! with `TOGETHER=1`. Prints medians, with the least and the most in brackets, and ratios; judges nothing. `ROUNDS=<n>`
//! and `MILLIS=<n>` say how often and how long each is measured; with `--test` everything runs once, for a moment.
//!
//! Another part is a file with a `run(&Plan)` and a row below. [`peers`] starts the programs, [`load`] is the client,
//! [`table`] shows what each round gave.

#[path = "../supervision/children.rs"]
mod children;
#[path = "../supervision/contenders.rs"]
mod contenders;
#[path = "../support/processors.rs"]
mod processors;
#[path = "../../tests/support/mod.rs"]
mod support;

mod entries;
mod idle;
mod info;
mod large;
mod load;
mod multicall;
mod peers;
mod rates;
mod start;
mod storm;
mod table;

use std::time::Duration;

/// How much is measured.
pub struct Plan {
    /// Each contender is measured so often.
    pub rounds: usize,
    /// For so long.
    pub each: Duration,
    /// Only to see that it runs.
    pub trial: bool,
}

/// Name, what it measures, how.
type Section = (&'static str, &'static str, fn(&Plan));

const SECTIONS: &[Section] = &[
    ("fetch", "cache.fetch over kept connections", rates::fetch),
    ("store", "cache.store over kept connections", rates::store),
    ("apart", "cache.fetch with head and body in segments of their own, as Python's client sends them", rates::apart),
    ("multicall", "1,000 fetches in one call", multicall::run),
    ("large", "values of 1 MiB over 4 connections", large::run),
    ("info", "getAllProcessInfo of 10 to 10,000 processes", info::run),
    ("storm", "cache.fetch at 2,000 a second while 200 children crash-loop and one floods its log", storm::run),
    ("entries", "a store that grows to a million entries", entries::run),
    ("idle", "memory with idle children", idle::run),
    ("start", "from the start to the first answer", start::run),
];

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    // `cargo test --benches` only wants to know that it runs; `cargo bench` says so.
    let trial = !args.iter().any(|arg| arg == "--bench");
    let words: Vec<String> = args.into_iter().filter(|word| !word.starts_with('-')).collect();
    // This program is also the child of the daemons.
    if let Some((name, rest)) = words.split_first()
        && children::run(name, rest)
    {
        return;
    }
    if let Some(unknown) = words.iter().find(|word| !SECTIONS.iter().any(|(name, ..)| name == word)) {
        let names: Vec<&str> = SECTIONS.iter().map(|(name, ..)| *name).collect();
        eprintln!("no section {unknown}; there are {}", names.join(", "));
        std::process::exit(2);
    }
    let plan = Plan {
        rounds: number("ROUNDS").map_or(if trial { 1 } else { 3 }, |rounds| rounds as usize),
        each: Duration::from_millis(number("MILLIS").unwrap_or(if trial { 50 } else { 1000 })),
        trial,
    };
    println!("{}", processors::pin_client());
    for (name, what, run) in SECTIONS {
        if words.is_empty() || words.iter().any(|word| word == name) {
            println!("\n== {name}: {what}");
            run(&plan);
        }
    }
}
