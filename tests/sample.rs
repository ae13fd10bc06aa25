//! What `echo_supervisord_conf` prints, under the published Supervisor 4.3.0: it parses, as printed and with every
//! line switched on, and it has every key that the published sample has.

mod support;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use majordomo::config::table::TABLES;
use support::Folder;
use support::python::{python, shown};

/// Has Supervisor parse a file; prints what it made of it.
const PARSE: &str = "\
import sys
from supervisor.options import ServerOptions
options = ServerOptions()
options.realize(['-c', sys.argv[1]])
print(sorted(group.name for group in options.process_group_configs))
print(sorted(name for name, factory, settings in options.rpcinterface_factories))
print(sorted(server['section'] for server in options.server_configs))
print(options.parse_warnings)
";

fn sample() -> String {
    let done = Command::new(env!("CARGO_BIN_EXE_echo_supervisord_conf")).output().expect("the program");
    assert!(done.status.success() && done.stderr.is_empty());
    String::from_utf8(done.stdout).expect("text")
}

/// A line that is switched off, switched on; others as they are.
fn on(line: &str) -> &str {
    let is_setting = |text: &str| text.split('=').next().is_some_and(|key| text.contains('=') && !key.contains(' '));
    line.strip_prefix(';').filter(|rest| rest.starts_with('[') || is_setting(rest)).unwrap_or(line)
}

/// Every `section.key` of a sample, switched on or not. Names behind a colon don't count.
fn keys(sample: &str) -> BTreeSet<String> {
    let mut section = "";
    let mut found = BTreeSet::new();
    for line in sample.lines().map(on) {
        if let Some(header) = line.strip_prefix('[') {
            section = header.split([':', ']']).next().unwrap_or_default();
        } else if let Some((key, _)) = line.split_once('=').filter(|(key, _)| !key.contains([' ', ';'])) {
            found.insert(format!("{section}.{key}"));
        }
    }
    found
}

fn parsed(text: &str, folder: &Path) -> Vec<String> {
    let path = folder.join("sample.conf");
    std::fs::write(&path, text).expect("the sample");
    let done = python().command(folder).arg("-c").arg(PARSE).arg(path).output().expect("Python");
    assert!(done.status.success(), "{}", shown(&done));
    String::from_utf8_lossy(&done.stdout).lines().map(String::from).collect()
}

#[test]
fn the_sample_parses_under_the_published_program() {
    let folder = Folder::new();
    let all = parsed(&sample(), folder.path());
    assert_eq!(all, ["[]", "['supervisor']", "['unix_http_server']", "[]"]);
    // With everything on: the example of a group names its programs.
    let mut text: String = sample().lines().map(|line| format!("{}\n", on(line))).collect();
    text = text.replace("programs=progname1,progname2", "programs=theprogramname");
    let all = parsed(&text, folder.path());
    assert_eq!(all[0], "['theeventlistenername', 'thefcgiprogramname', 'thegroupname']");
    assert_eq!(all[1], "['cache', 'supervisor', 'twiddler']");
    assert_eq!(all[2], "['inet_http_server', 'unix_http_server']");
}

#[test]
fn the_sample_has_every_key() {
    let ours = keys(&sample());
    let folder = Folder::new();
    let done = python().program(folder.path(), "echo_supervisord_conf").output().expect("Python");
    assert!(done.status.success(), "{}", shown(&done));
    let published = keys(&String::from_utf8_lossy(&done.stdout));
    assert!(published.len() > 60, "{published:?}");
    let missing: Vec<_> = published.difference(&ours).collect();
    assert!(missing.is_empty(), "{missing:?}");
    // And every key of the tables; ours are marked.
    for table in TABLES {
        for row in table.all_rows() {
            let section = table.example.split(':').next().unwrap_or_default();
            assert!(ours.contains(&format!("{section}.{}", row.key)), "{section}.{}", row.key);
        }
    }
    for row in TABLES.iter().flat_map(|table| table.all_rows()) {
        let start = format!("{}=", row.key);
        let marked = sample().lines().filter(|line| on(line).starts_with(&start)).any(|line| line.contains("; ours)"));
        assert_eq!(marked, row.ours, "{}", row.key);
    }
}
