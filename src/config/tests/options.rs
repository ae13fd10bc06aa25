//! The command line (CFG-170 to CFG-175, CFG-190 to CFG-210).
//!
//! Compiled for `#[cfg(test)]` only.

use std::path::PathBuf;
use std::rc::Rc;

use super::{load_with, machine};
use crate::base::words::Level;
use crate::config::Surroundings;
use crate::config::options::*;
use crate::config::spec::DaemonSpec;

fn parse(words: &[&str]) -> Result<Asked, String> {
    let args: Vec<String> = ["supervisord"].iter().chain(words).map(|word| word.to_string()).collect();
    let around: Rc<dyn Surroundings> = Rc::new(machine(""));
    parse_daemon(&args, &around).map_err(|usage| usage.0)
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

fn daemon(config: &str, words: &[&str]) -> Result<DaemonSpec, Vec<String>> {
    load_with(machine(&format!("[supervisord]\n{config}")), words).map(|config| config.daemon)
}

#[test]
fn cfg_170_what_is_printed() {
    let text = complaint(&[Usage("one".into()), Usage("two".into())], "./s");
    assert_eq!(text, "Error: one\nError: two\nFor help, use ./s -h\n");
}

#[test]
fn cfg_171_cfg_193_help() {
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
    assert_eq!(wrong(&["-h", "a"]), "positional arguments are not supported: ['a']");
    // Then from left to right.
    let loud = "invalid value for -e 'loud': bad logging level name 'loud'";
    assert_eq!(wrong(&["-e", "loud", "-h"]), loud);
    assert_eq!(wrong(&["-e", "loud", "-n", "-n", "-v"]), loud);
    assert_eq!(wrong(&["-n", "-n", "-e", "loud", "-v"]), "conflicting command line option '-n'");
    assert!(matches!(parse(&["-u", "jim", "-h", "-e", "loud"]), Ok(Asked::Help(_))));
}

#[test]
fn cfg_172_cfg_194_version() {
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
    assert_eq!(wrong(&["--check", "--show-secrets"]), "option --show-secrets goes with --json");
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

/// Each option in both forms, and what of the result shows that it counted.
#[test]
fn cfg_190_209_each_option_overrides_its_key() {
    type Shows = fn(&DaemonSpec) -> bool;
    let rows: &[(&[&str], Shows)] = &[
        // CFG-191
        (&["-n", "--nodaemon"], |spec| spec.nodaemon),
        // CFG-192
        (&["-s", "--silent"], |spec| spec.silent),
        // CFG-195
        (&["-ujoe", "--user=joe", "--us=1"], |spec| spec.user.as_ref().is_some_and(|user| user.uid == 1)),
        // CFG-196
        (&["-m077", "--umask=077"], |spec| spec.umask == 0o77),
        // CFG-197
        (&["-d/tmp", "--directory=/tmp"], |spec| spec.directory == Some(PathBuf::from("/tmp"))),
        // CFG-198
        (&["-llogs/l", "--logfile=logs/l"], |spec| spec.logfile == Some(PathBuf::from("/base/logs/l"))),
        // CFG-199
        (&["-y1KB", "--logfile_maxbytes=1KB"], |spec| spec.logfile_maxbytes == 1024),
        // CFG-200
        (&["-z2", "--logfile_backups=2"], |spec| spec.logfile_backups == 2),
        // CFG-201
        (&["-etrace", "--loglevel=TRACE"], |spec| spec.loglevel == Level::Trace),
        // CFG-202
        (&["-jlogs/p", "--pidfile=logs/p"], |spec| spec.pidfile.as_os_str() == "/base/logs/p"),
        // CFG-203
        (&["-ime", "--identifier=me"], |spec| spec.identifier == "me"),
        // CFG-204
        (&["-qlogs", "--childlogdir=logs"], |spec| spec.childlogdir.as_os_str() == "logs"),
        // CFG-205
        (&["-k", "--nocleanup"], |spec| spec.nocleanup),
        // CFG-206
        (&["-a11", "--minfds=11"], |spec| spec.minfds == 11),
        // CFG-207
        (&["--minprocs=12"], |spec| spec.minprocs == 12),
        // CFG-208
        (&["-t", "--strip_ansi"], |spec| spec.strip_ansi),
    ];
    for (forms, shows) in rows {
        assert!(!shows(&daemon("", &[]).unwrap()), "{forms:?}");
        for form in *forms {
            assert!(shows(&daemon("", &[form]).unwrap()), "{form}");
        }
    }
    // Over the file.
    assert_eq!(daemon("identifier=file\n", &["-i", "me"]).unwrap().identifier, "me");
    // CFG-209: accepted, and that is all.
    assert!(daemon("", &["--profile_options=a,b"]).is_ok());
    // CFG-195: told without the preamble.
    assert_eq!(daemon("", &["-u", "jim"]).unwrap_err(), ["Invalid user name jim"]);
}

#[test]
fn cfg_190_the_file() {
    for form in [&["-c", "x"][..], &["-cx"], &["--configuration", "x"], &["--configuration=x"]] {
        assert_eq!(run(form).configuration.as_deref(), Some("x"));
    }
}

#[test]
fn cfg_210_clusters() {
    let options = run(&["-nsc", "file"]);
    assert_eq!(options.configuration.as_deref(), Some("file"));
    assert_eq!(options.overrides.iter().map(|over| over.key).collect::<Vec<_>>(), ["nodaemon", "silent"]);
    assert_eq!(run(&["-nc/x"]).configuration.as_deref(), Some("/x"));
}
