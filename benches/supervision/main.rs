//! Supervision measured with real programs, beside others in the same run:
//! `cargo bench --bench supervision [-- NAME…]`, where a name is a row of [`SECTIONS`]; without names all of them run.
//!
//! Needs Python 3 (for the published Supervisor, installed below the target folder). runit is measured where `runsv`
//! is on the PATH. Prints a line for each figure and judges nothing: machines differ, ratios of one run don't lie.

#[path = "../../tests/support/mod.rs"]
mod support;

mod children;
mod contenders;
mod cycles;
mod output;
mod restart;
mod start;
mod storm;
mod thousand;

/// Name, what it measures, how.
const SECTIONS: &[(&str, &str, fn())] = &[
    ("restart", "from kill -9 of a child until its replacement runs", restart::run),
    ("thousand", "1,000 programs: until all run, the daemon's memory, until all are stopped", thousand::run),
    ("output", "2 GiB through a child's stdout into a rotated log, beside `cat`", output::run),
    ("start", "how long one start holds the loop, with an empty and with a 500 MB cache", start::run),
    ("cycles", "10,000 starts and stops: descriptors and memory before and after; then idle", cycles::run),
    ("storm", "crash loops, chatter and a steady client for a minute", storm::run),
];

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    // This program is also the child of its own daemons.
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
    // These take their minutes: a trial sees that they are built, and that one is asked for by its name.
    if words.is_empty() && !std::env::args().any(|arg| arg == "--bench") {
        println!("left out in a trial; name a section to run it");
        return;
    }
    for (name, what, run) in SECTIONS {
        if words.is_empty() || words.iter().any(|word| word == name) {
            println!("== {name}: {what}");
            run();
        }
    }
}
