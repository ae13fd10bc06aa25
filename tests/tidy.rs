//! Rules about the source that no compiler checks: who may use whom, sizes, heads, banned things, rule ids that exist.
//! Reads files only.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Longest file that one can hold in one's head.
const MAX_LINES: usize = 500;

/// For each floor: the floors it may use, and the crates that are its own business.
const FLOORS: &[(&str, &[&str], &[&str])] = &[
    ("base", &[], &["slab"]),
    ("wire", &["base"], &["httparse", "xml", "base64", "crc32fast", "miniz_oxide"]),
    ("config", &["base"], &[]),
    ("world", &["base", "wire", "config"], &[]),
    ("rpc", &["base", "config", "world"], &[]),
    ("front", &["base", "wire", "config", "world", "rpc"], &["base64", "sha1_smol"]),
    ("daemon", &["base", "config", "world", "rpc", "front"], &[]),
    ("sys", &["base", "config"], &["libc"]),
    ("reactor", &["base", "config", "world", "front", "daemon", "sys"], &["mio"]),
    ("ctl", &["base", "wire", "config", "sys"], &["base64", "rustyline"]),
    ("sim", &["base", "wire", "config", "world", "rpc", "front", "daemon"], &[]),
    ("bin", &["base", "config", "ctl", "daemon", "reactor", "sys"], &[]),
];

const CRATES: &[&str] =
    &["slab", "libc", "sha1_smol", "base64", "httparse", "xml", "crc32fast", "miniz_oxide", "mio", "rustyline"];

/// A text file of the project.
struct Source {
    /// Relative to the project, with `/`.
    name: String,
    text: String,
}

impl Source {
    /// The floor of a file in `src`: its first folder, or the name of a file that is a floor by itself.
    fn floor(&self) -> Option<&str> {
        let inside = self.name.strip_prefix("src/")?;
        let floor = inside.split('/').next()?;
        (floor != "lib.rs").then(|| floor.strip_suffix(".rs").unwrap_or(floor))
    }

    /// The lines of code before the file's own tests: number from 1 and text, without comments.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().enumerate().map(|(index, line)| (index + 1, line));
        let own = lines.take_while(|(_, line)| line.trim() != "#[cfg(test)]");
        own.filter(|(_, line)| !line.trim_start().starts_with("//"))
            .map(|(number, line)| (number, line.split(" // ").next().unwrap_or(line)))
    }

    /// Whether the file is a test's, which may do what the daemon may not.
    fn is_test(&self) -> bool {
        !self.name.starts_with("src/") || self.name.ends_with("tests.rs") || self.name.contains("/tests/")
    }
}

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The project's files under these folders (or these files) whose names end in one of `kinds`.
fn sources(tops: &[&str], kinds: &[&str]) -> Vec<Source> {
    let mut found = Vec::new();
    let mut open: Vec<PathBuf> = tops.iter().map(|top| project().join(top)).collect();
    while let Some(path) = open.pop() {
        if path.is_dir() {
            let inside = fs::read_dir(&path).expect("a folder").flatten().map(|entry| entry.path());
            open.extend(inside);
        } else if kinds.iter().any(|kind| path.to_string_lossy().ends_with(kind)) && path.is_file() {
            let name = path.strip_prefix(project()).expect("inside").to_string_lossy().replace('\\', "/");
            found.push(Source { name, text: fs::read_to_string(&path).expect("a text file") });
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    assert!(!found.is_empty(), "nothing in {tops:?}");
    found
}

fn rust() -> Vec<Source> {
    let mut all = sources(&["src", "tests"], &[".rs"]);
    if project().join("benches").is_dir() {
        all.extend(sources(&["benches"], &[".rs"]));
    }
    all
}

/// Fails with all of them at once.
fn none(problems: Vec<String>) {
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

fn is_word(sign: char) -> bool {
    sign.is_alphanumeric() || sign == '_'
}

/// Whether `word` stands in the line as a word of its own.
fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word)
        .any(|(at, _)| !line[..at].ends_with(is_word) && !line[at + word.len()..].starts_with(is_word))
}

/// The floors that a line names as `crate::floor` or `majordomo::floor`, also in braces.
fn floors_named(line: &str) -> Vec<&str> {
    let mut named = Vec::new();
    for start in ["crate::", "majordomo::"] {
        for (at, _) in line.match_indices(start) {
            let rest = &line[at + start.len()..];
            let parts = rest.strip_prefix('{').map_or_else(|| vec![rest], outer_parts);
            named.extend(parts.iter().filter_map(|part| part.trim().split(|sign| !is_word(sign)).next()));
        }
    }
    named
}

/// What stands between the commas of a brace that was just opened, inner braces left whole.
fn outer_parts(list: &str) -> Vec<&str> {
    let mut depth = 0;
    let mut parts = Vec::new();
    let mut begin = 0;
    for (at, sign) in list.char_indices() {
        match sign {
            '{' => depth += 1,
            '}' if depth == 0 => {
                parts.push(&list[begin..at]);
                return parts;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&list[begin..at]);
                begin = at + 1;
            }
            _ => {}
        }
    }
    parts
}

#[test]
fn each_floor_uses_only_those_below_it() {
    let mut problems = Vec::new();
    for source in sources(&["src"], &[".rs"]) {
        let Some(floor) = source.floor() else { continue };
        let Some((_, allowed, crates)) = FLOORS.iter().find(|row| row.0 == floor) else {
            problems.push(format!("{}: {floor} is no floor", source.name));
            continue;
        };
        if source.is_test() {
            continue;
        }
        for (number, line) in source.code() {
            if line.ends_with("crate::{") {
                problems.push(format!("{}:{number}: name each floor on a line of its own", source.name));
            }
            for named in floors_named(line) {
                let is_floor = FLOORS.iter().any(|row| row.0 == named);
                if is_floor && named != floor && !allowed.contains(&named) {
                    problems.push(format!("{}:{number}: {floor} must not use {named}", source.name));
                }
            }
            for krate in CRATES.iter().filter(|krate| !crates.contains(krate)) {
                let path = format!("{krate}::");
                let used = line.match_indices(&path).any(|(at, _)| {
                    let before = &line[..at];
                    !before.ends_with(is_word) && (!before.ends_with("::") || before.ends_with(" ::"))
                });
                if used {
                    problems.push(format!("{}:{number}: {floor} must not use the crate {krate}", source.name));
                }
            }
        }
    }
    none(problems);
}

#[test]
fn files_are_short_and_say_what_they_are_for() {
    let mut problems = Vec::new();
    for source in rust() {
        let lines = source.text.lines().count();
        if lines > MAX_LINES {
            problems.push(format!("{}: {lines} lines", source.name));
        }
        if !source.text.starts_with("//! ") {
            problems.push(format!("{}: no head", source.name));
        }
    }
    none(problems);
}

/// The daemon has one clock, in `sys`; the client and the small companion are programs of their own.
fn may_ask_the_time(source: &Source) -> bool {
    ["src/sys/", "src/ctl/", "src/bin/pidproxy.rs"].iter().any(|place| source.name.starts_with(place))
}

#[test]
fn banned_things_are_absent() {
    // What, and which files may have it.
    type Allowed = fn(&Source) -> bool;
    let rows: &[(&str, Allowed)] = &[
        ("RefCell", |_| false),
        ("unsafe", |source| source.name.starts_with("src/sys/")),
        ("Instant::now", may_ask_the_time),
        ("SystemTime::now", may_ask_the_time),
        ("thread::spawn", |_| false),
        ("todo!", |_| false),
        ("unimplemented!", |_| false),
        ("dbg!", |_| false),
        ("static mut", |_| false),
    ];
    let mut problems = Vec::new();
    for source in sources(&["src"], &[".rs"]).iter().filter(|source| !source.is_test()) {
        for (number, line) in source.code() {
            for (banned, allowed) in rows {
                let word = banned.trim_end_matches('!');
                if line.contains(banned) && has_word(line, word) && !allowed(source) {
                    problems.push(format!("{}:{number}: {banned}", source.name));
                }
            }
        }
    }
    none(problems);
}

#[test]
fn nothing_is_left_undone_or_switched_off() {
    // In two parts, so that this file doesn't have them.
    let words = [["TO", "DO"], ["FIX", "ME"], ["XX", "X"], ["#[ig", "nore"]].map(|parts| parts.concat());
    let mut problems = Vec::new();
    for source in rust() {
        for (index, line) in source.text.lines().enumerate() {
            if words.iter().any(|word| line.contains(word.as_str()) && !line.contains(&format!("{word}X"))) {
                problems.push(format!("{}:{}: {}", source.name, index + 1, line.trim()));
            }
        }
    }
    none(problems);
}

#[test]
fn no_word_that_does_not_belong() {
    let words = [["sub", "agent"], ["Clau", "de"], ["Anthro", "pic"], ["C", "EO"], ["/wo", "rk/"], ["/ro", "ot/"]];
    let words = words.map(|parts| parts.concat());
    let mut all = rust();
    all.extend(sources(
        &["README.md", "ARCHITECTURE.md", "CHANGELOG.md", "Cargo.toml", "tests", ".ci"],
        &[".md", ".toml", ".py", ".txt", "run"],
    ));
    let mut problems = Vec::new();
    for source in all {
        for (index, line) in source.text.lines().enumerate() {
            for word in words.iter().filter(|word| line.contains(word.as_str())) {
                if word.starts_with('/') || has_word(line, word) {
                    problems.push(format!("{}:{}: {word}", source.name, index + 1));
                }
            }
        }
    }
    none(problems);
}

const PREFIXES: &[&str] =
    &["CFG", "PROC", "SIG", "RPC", "HTTP", "WEB", "EVT", "LOG", "CTL", "CACHE", "TWID", "BUG", "DEC"];

/// The rule ids in a text: a known prefix, a dash (or `_` in a lower-case name), three digits.
fn rule_ids(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for prefix in PREFIXES {
        for form in [format!("{prefix}-"), format!("{}_", prefix.to_lowercase())] {
            for (at, _) in text.match_indices(&form) {
                let before = text[..at].chars().next_back();
                let digits: String = text[at + form.len()..].chars().take_while(char::is_ascii_digit).collect();
                let starts_here = !before.is_some_and(|sign| sign.is_ascii_alphanumeric());
                if digits.len() == 3 && starts_here {
                    found.insert(format!("{prefix}-{digits}"));
                }
            }
        }
    }
    found
}

#[test]
fn cited_rules_exist() {
    let contract = project().join("../shared/contract");
    if !contract.is_dir() {
        println!("left out: the contract is not here");
        return;
    }
    let mut declared = BTreeSet::new();
    for page in fs::read_dir(contract).expect("the contract").flatten() {
        let text = fs::read_to_string(page.path()).expect("a page");
        let cells = text.lines().flat_map(|line| line.split('|'));
        let opening = cells.filter_map(|cell| cell.trim_start_matches([' ', '-', '*']).get(..9).or(Some(cell.trim())));
        declared.extend(opening.flat_map(rule_ids));
    }
    assert!(declared.len() > 500, "only {} rules found", declared.len());
    let mut problems = Vec::new();
    for source in rust() {
        for (index, line) in source.text.lines().enumerate() {
            for id in rule_ids(line).difference(&declared) {
                problems.push(format!("{}:{}: there is no {id}", source.name, index + 1));
            }
        }
    }
    none(problems);
}

#[test]
fn the_scanners_see_what_they_must() {
    assert_eq!(floors_named("use crate::{base::{key::Key, time::Now}, world::Turn};"), ["base", "world"]);
    assert_eq!(floors_named("fn f(x: crate::wire::Head) -> majordomo::sys::Pid"), ["wire", "sys"]);
    assert!(has_word("let x = unsafe { y };", "unsafe") && !has_word("#![allow(unsafe_code)]", "unsafe"));
    assert_eq!(rule_ids("CFG-031, // PROC-1 cfg_032_x HTTP-1500"), ["CFG-031", "CFG-032"].map(String::from).into());
}

/// The packages of a lock file: name and where it comes from, which is nowhere for our own.
fn locked(file: &str) -> Vec<(String, String)> {
    let text = fs::read_to_string(project().join(file)).expect("a lock file");
    let value = |package: &str, key: &str| {
        let line = package.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = "));
        line.unwrap_or_default().trim_matches('"').to_string()
    };
    text.split("[[package]]").skip(1).map(|package| (value(package, "name"), value(package, "source"))).collect()
}

/// What `deny.toml` says of sources, for those who have no `cargo deny`: crates.io, with a checksum, and nothing else.
#[test]
fn crates_come_from_where_all_crates_come_from() {
    for file in ["Cargo.lock", "fuzz/Cargo.lock"] {
        let packages = locked(file);
        let own = packages.iter().filter(|(name, _)| name.starts_with("majordomo"));
        assert!(packages.len() > 20 && own.clone().count() > 0, "{file}");
        assert!(own.clone().all(|(_, source)| source.is_empty()), "{file}");
        let known = "registry+https://github.com/rust-lang/crates.io-index";
        let strange = packages.iter().filter(|(name, source)| !name.starts_with("majordomo") && source != known);
        none(strange.map(|(name, source)| format!("{file}: {name} comes from {source:?}")).collect());
        let text = fs::read_to_string(project().join(file)).expect("a lock file");
        assert_eq!(text.matches("\nchecksum = ").count(), packages.len() - own.count(), "{file}");
    }
}

/// Each dependency has its line in ARCHITECTURE.md, which says what it is for, and each line there its dependency.
#[test]
fn dependencies_have_their_reasons() {
    let manifest = fs::read_to_string(project().join("Cargo.toml")).expect("a manifest");
    let page = fs::read_to_string(project().join("ARCHITECTURE.md")).expect("a page");
    let section = |title: &str| {
        let lines = manifest.split_once(&format!("\n[{title}]\n")).expect(title).1;
        let lines = lines.lines().take_while(|line| !line.starts_with('['));
        lines.filter_map(|line| Some(line.split_once(" = ")?.0.to_string())).collect::<BTreeSet<_>>()
    };
    let (linked, tested) = (section("dependencies"), section("dev-dependencies"));
    let table = page.split_once("\n## Dependencies\n").expect("a table").1.split("\n## ").next().unwrap_or_default();
    let (mut linked_told, mut tested_told) = (BTreeSet::new(), BTreeSet::new());
    for line in table.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| crate ")) {
        let names = line.split('|').nth(1).unwrap_or_default();
        let (names, told) = match names.split_once('(') {
            Some((names, _)) => (names, &mut tested_told),
            None => (names, &mut linked_told),
        };
        told.extend(names.split(',').map(|name| name.trim().to_string()));
    }
    assert_eq!((linked_told, tested_told), (linked, tested));
}
