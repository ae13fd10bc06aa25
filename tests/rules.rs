//! Which rules of the contract have a test. The contract lies beside the repository, in `../shared/contract`, or where
//! MAJORDOMO_SHARED says; without it nothing is compared here, and the test says so. Reads files only.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// All prefixes, and whether every rule must have a test already.
const PREFIXES: &[(&str, bool)] = &[
    ("CFG", true),
    ("PROC", true),
    ("SIG", true),
    ("RPC", true),
    ("HTTP", true),
    ("WEB", true),
    ("EVT", true),
    ("LOG", true),
    ("CTL", true),
    ("CACHE", true),
    ("TWID", true),
    ("BUG", true),
];

/// The rule that a text begins with: `CFG-010`, or `cfg_010` where `tests` may name them so.
fn rule_at(text: &str, in_tests: bool) -> Option<String> {
    let (prefix, _) = PREFIXES.iter().find(|(prefix, _)| {
        let start = text.get(..prefix.len()).unwrap_or_default();
        start == *prefix || (in_tests && start.eq_ignore_ascii_case(prefix))
    })?;
    let rest = &text[prefix.len()..];
    let number = rest.strip_prefix('-').or_else(|| rest.strip_prefix('_').filter(|_| in_tests))?;
    let digits = number.bytes().take_while(u8::is_ascii_digit).count();
    (digits == 3).then(|| format!("{prefix}-{}", &number[..3]))
}

/// Rules are declared where they open a line, a bullet or a cell of a table.
fn declared(contract: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(contract).expect("the contract").flatten() {
        let name = entry.file_name();
        if name == "README.md" || !name.to_string_lossy().ends_with(".md") {
            continue;
        }
        let page = fs::read_to_string(entry.path()).expect("a page");
        for line in page.lines().filter(|line| !line.contains("withdrawn")) {
            found.extend(line.split('|').filter_map(|cell| rule_at(cell.trim_start_matches([' ', '-', '*']), false)));
        }
    }
    found
}

/// All rules that a text names.
fn named(text: &str) -> impl Iterator<Item = String> {
    let begins = |at: usize| !text[..at].ends_with(|sign: char| sign.is_ascii_alphabetic());
    text.char_indices().filter(move |(at, _)| begins(*at)).filter_map(|(at, _)| rule_at(&text[at..], true))
}

/// The rules that a test names: in `tests`, and in the part of a source file behind its first test.
fn tested(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            tested(&path, found);
        } else if path.extension().is_some_and(|kind| kind == "rs") && !path.ends_with("tests/rules.rs") {
            let text = fs::read_to_string(&path).expect("a source file");
            // A file may be all tests, like `log_tests.rs`.
            let is_test = path.starts_with(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests"))
                || path.to_string_lossy().ends_with("_tests.rs");
            match text.split_once("#[cfg(test)]") {
                _ if is_test => found.extend(named(&text)),
                Some((_, tests)) => found.extend(named(tests)),
                None => {}
            }
        }
    }
}

#[test]
fn every_rule_has_a_test() {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let shared = std::env::var_os("MAJORDOMO_SHARED").map_or_else(|| project.join("../shared"), PathBuf::from);
    let contract = shared.join("contract");
    if !contract.is_dir() {
        println!("SKIPPED: no contract at ../shared/contract (MAJORDOMO_SHARED can name its parent)");
        return;
    }
    let declared = declared(&contract);
    assert!(declared.len() > 500, "only {} rules found", declared.len());
    let mut have = BTreeSet::new();
    tested(&project.join("tests"), &mut have);
    tested(&project.join("src"), &mut have);
    let mut missing: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for rule in declared.difference(&have) {
        let (prefix, _) = rule.split_once('-').expect("a prefix");
        missing.entry(prefix).or_default().push(rule);
    }
    let mut wrong = Vec::new();
    for (prefix, must_be_whole) in PREFIXES {
        let all = declared.iter().filter(|rule| rule.starts_with(&format!("{prefix}-"))).count();
        let without = missing.remove(prefix).unwrap_or_default();
        println!("{prefix:5} {all:4} rules, without a test: {}", without.join(" "));
        if *must_be_whole && (!without.is_empty() || all == 0) {
            wrong.push(format!("{prefix}: {all} rules, without a test: {}", without.join(" ")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn rules_are_recognised() {
    let all = |text: &str| named(text).collect::<Vec<_>>();
    assert_eq!(all("/// CFG-001, LOG-1 (PROC-0023)"), ["CFG-001"]);
    assert_eq!(all("fn cfg_002_cfg_003_x() xcfg_004 // BUG-070."), ["CFG-002", "CFG-003", "BUG-070"]);
    assert_eq!(rule_at("CFG-001 | x", false).as_deref(), Some("CFG-001"));
    assert_eq!(rule_at("cfg_001", false), None);
}
