//! The command line (CFG-170 to CFG-175, CFG-190 to CFG-210).
//!
//! Compiled for `#[cfg(test)]` only.

use std::path::PathBuf;

use super::{load_with, machine};
use crate::base::words::Level;
use crate::config::options::*;

fn parse(words: &[&str]) -> Result<Asked, String> {
    let args: Vec<String> = ["supervisord"].iter().chain(words).map(|word| word.to_string()).collect();
    parse_daemon(&args).map_err(|usage| usage.0)
}

fn wrong(words: &[&str]) -> String {
    parse(words).unwrap_err()
}

fn run(words: &[&str]) -> DaemonOptions {
    match parse(words) {
        Ok(Asked::Run(options)) => options,
        other => panic!("{other:?}"),
    }
}

fn daemon(config: &str, words: &[&str]) -> Result<crate::config::spec::DaemonSpec, Vec<String>> {
    load_with(machine(&format!("[supervisord]\n{config}")), words).map(|config| config.daemon)
}

#[test]
fn cfg_170_what_is_printed() {
    let text = complaint(&[Usage("one".into()), Usage("two".into())], "./s");
    assert_eq!(text, "Error: one\nError: two\nFor help, use ./s -h\n");
}

#[test]
fn cfg_171_help() {
    for word in ["-h", "--help", "-?", "--he"] {
        let Ok(Asked::Help(text)) = parse(&[word]) else { panic!("{word}") };
        let mut lines = text.lines();
        assert!(lines.next().is_some_and(|line| line.starts_with("supervisord -- ")));
        assert_eq!(lines.nth(1), Some("Usage: supervisord [options]"));
        for opt in daemon_table() {
            assert!(text.contains(&format!("--{}", opt.long)), "{text}");
            assert!(opt.short.is_empty() || text.contains(&format!("-{}", &opt.short[..1])));
        }
    }
    // The whole line is checked first.
    assert_eq!(wrong(&["-h", "--foo"]), "option --foo not recognized");
}

#[test]
fn cfg_172_version() {
    assert_eq!(parse(&["-v"]), Ok(Asked::Version));
    assert_eq!(parse(&["-n", "--version"]), Ok(Asked::Version));
}

#[test]
fn cfg_173_getopt() {
    assert_eq!(wrong(&["-x"]), "option -x not recognized");
    assert_eq!(wrong(&["--foo=1"]), "option --foo not recognized");
    assert_eq!(wrong(&["-c"]), "option -c requires argument");
    assert_eq!(wrong(&["--configuration"]), "option --configuration requires argument");
    assert_eq!(wrong(&["--nodaemon=1"]), "option --nodaemon must not have an argument");
    assert_eq!(wrong(&["--log", "x"]), "option --log not a unique prefix");
    assert_eq!(run(&["--conf=x"]).configuration.as_deref(), Some("x"));
    assert_eq!(run(&["--conf", "x"]).configuration.as_deref(), Some("x"));
    // `logfile` begins three options, and is one.
    assert_eq!(run(&["--logfile", "x"]).overrides[0].key, "logfile");
    // Ours do not spoil an abbreviation.
    assert_eq!(run(&["--ch", "/tmp"]).overrides[0].key, "childlogdir");
    assert!(run(&["--check", "--json"]).check);
    assert_eq!(wrong(&["--json"]), "option --json goes with --check");
    assert_eq!(wrong(&["--example", "-n"]), "option --example goes with no other word");
}

#[test]
fn cfg_174_positional_arguments() {
    assert_eq!(wrong(&["-n", "a", "b"]), "positional arguments are not supported: ['a', 'b']");
    assert_eq!(wrong(&["--", "-n"]), "positional arguments are not supported: ['-n']");
    assert_eq!(wrong(&["-"]), "positional arguments are not supported: ['-']");
}

#[test]
fn cfg_175_values_and_repetitions() {
    assert_eq!(wrong(&["-n", "--nodaemon"]), "conflicting command line option '--nodaemon'");
    assert_eq!(wrong(&["-c", "a", "-c", "b"]), "conflicting command line option '-c'");
    let error = |words: &[&str]| daemon("loglevel=x\n", words).unwrap_err();
    assert_eq!(error(&["-e", "loud"])[0], "invalid value for -e 'loud': bad logging level name 'loud'");
    assert_eq!(
        error(&["--logfile_max", "x"])[0],
        "invalid value for --logfile_maxbytes 'x': invalid literal for int() with base 10: 'x'"
    );
    // The command line comes before the file, and before its absence.
    assert_eq!(error(&["-d", "/no", "-m", "9"]).len(), 2);
    // A mistake in the file stays one, even where the command line has the last word.
    assert_eq!(error(&["-e", "info"]), ["bad logging level name 'x'"]);
}

#[test]
fn cfg_190_209_overrides() {
    let spec = daemon(
        "loglevel=debug\nidentifier=file\n",
        &[
            "-n",
            "-s",
            "-k",
            "-t",
            "-u",
            "joe",
            "-m",
            "077",
            "-d",
            "/tmp",
            "-l",
            "logs/l",
            "-y",
            "1KB",
            "-z",
            "2",
            "-e",
            "trace",
            "-j",
            "logs/p",
            "-i",
            "me",
            "-q",
            "logs",
            "-a",
            "11",
            "--minprocs=12",
            "--profile_options=a,b",
        ],
    )
    .unwrap();
    assert!(spec.nodaemon && spec.silent && spec.nocleanup && spec.strip_ansi);
    assert_eq!(spec.user.map(|user| user.uid), Some(1));
    assert_eq!((spec.umask, spec.directory), (0o77, Some(PathBuf::from("/tmp"))));
    assert_eq!((spec.logfile, spec.pidfile), (Some(PathBuf::from("/base/logs/l")), PathBuf::from("/base/logs/p")));
    assert_eq!((spec.logfile_maxbytes, spec.logfile_backups, spec.loglevel), (1024, 2, Level::Trace));
    assert_eq!((spec.identifier.as_str(), spec.childlogdir), ("me", PathBuf::from("logs")));
    assert_eq!((spec.minfds, spec.minprocs), (11, 12));
    // CFG-195: told without the preamble.
    assert_eq!(daemon("", &["-u", "jim"]).unwrap_err(), ["Invalid user name jim"]);
    // Every long form has its key's name.
    for (long, short) in [("nodaemon", "n"), ("silent", "s"), ("user", "u"), ("minprocs", ""), ("strip_ansi", "t")] {
        assert!(daemon_table().iter().any(|opt| opt.long == long && opt.short == short), "{long}");
    }
}

#[test]
fn cfg_210_clusters() {
    let options = run(&["-nsc", "file"]);
    assert_eq!(options.configuration.as_deref(), Some("file"));
    assert_eq!(options.overrides.iter().map(|over| over.key).collect::<Vec<_>>(), ["nodaemon", "silent"]);
    assert_eq!(run(&["-nc/x"]).configuration.as_deref(), Some("/x"));
}
