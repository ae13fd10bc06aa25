//! `[supervisord]`, names in values, includes, notices (CFG-037, CFG-045 to CFG-054, CFG-090 to CFG-116).
//!
//! Compiled for `#[cfg(test)]` only.

use std::path::PathBuf;

use super::{good, load_with, machine, notices, one_bad, read};
use crate::base::words::Level;
use crate::config::spec::DaemonSpec;

#[test]
fn cfg_100_to_116_defaults() {
    let daemon = good("").daemon;
    // CFG-100, CFG-101, CFG-102, CFG-103
    assert_eq!(daemon.logfile, Some(PathBuf::from("/base/supervisord.log")));
    assert_eq!((daemon.logfile_maxbytes, daemon.logfile_backups), (50 << 20, 10));
    assert_eq!(daemon.loglevel, Level::Info);
    // CFG-104, CFG-105
    assert_eq!(daemon.pidfile, PathBuf::from("/base/supervisord.pid"));
    assert_eq!(daemon.umask, 0o22);
    // CFG-106, CFG-107, CFG-110, CFG-114
    assert_eq!((daemon.nodaemon, daemon.silent, daemon.nocleanup, daemon.strip_ansi), (false, false, false, false));
    // CFG-108, CFG-109, CFG-111
    assert_eq!((daemon.minfds, daemon.minprocs), (1024, 200));
    assert_eq!(daemon.childlogdir, PathBuf::from("/tmp"));
    // CFG-112, CFG-113, CFG-115, CFG-116
    assert_eq!((daemon.user, daemon.directory, daemon.serverurl), (None, None, None));
    assert!(daemon.environment.is_empty());
    assert_eq!(daemon.identifier, "supervisor");
    assert_eq!(daemon.here, PathBuf::from("/etc"));
    assert_eq!(daemon.file, "/etc/c.conf");
    assert!(!daemon.multicall_arrays);
    assert!(!daemon.subreaper);
}

/// What `[supervisord]` with this line comes to, and the message for another value of its key.
fn line(right: &str, wrong: &str) -> (DaemonSpec, String) {
    let (key, _) = right.split_once('=').unwrap();
    (
        good(&format!("{right}\n")).daemon,
        if wrong.is_empty() { String::new() } else { one_bad(&format!("{key}={wrong}\n")) },
    )
}

#[test]
fn cfg_101_logfile_maxbytes() {
    let (daemon, error) = line("logfile_maxbytes=1 KB", "1TB");
    assert_eq!((daemon.logfile_maxbytes, error.as_str()), (1024, "invalid literal for int() with base 10: '1tb'"));
    // A number below zero switches rotation off, as 0 does.
    assert_eq!(line("logfile_maxbytes=-1", "").0.logfile_maxbytes, 0);
}

#[test]
fn cfg_102_logfile_backups() {
    let (daemon, error) = line("logfile_backups=0", "few");
    assert_eq!((daemon.logfile_backups, error.as_str()), (0, "invalid literal for int() with base 10: 'few'"));
}

#[test]
fn cfg_103_loglevel() {
    let (daemon, error) = line("loglevel=DEBUG", "warning");
    assert_eq!((daemon.loglevel, error.as_str()), (Level::Debug, "bad logging level name 'warning'"));
}

#[test]
fn cfg_104_pidfile() {
    let (daemon, error) = line("pidfile=~/p", "/no/p");
    assert_eq!(daemon.pidfile, PathBuf::from("/home/joe/p"));
    assert_eq!(error, "The directory named as part of the path /no/p does not exist");
}

#[test]
fn cfg_105_umask() {
    let (daemon, error) = line("umask=077", "8");
    assert_eq!((daemon.umask, error.as_str()), (0o77, "8 can not be converted to an octal type"));
}

#[test]
fn flags_of_the_daemon() {
    let unfit = "not a valid boolean value: 'maybe'";
    // CFG-106
    let (daemon, error) = line("nodaemon=yes", "maybe");
    assert_eq!((daemon.nodaemon, error.as_str()), (true, unfit));
    // CFG-107
    let (daemon, error) = line("silent=1", "maybe");
    assert_eq!((daemon.silent, error.as_str()), (true, unfit));
    // CFG-110
    let (daemon, error) = line("nocleanup=on", "maybe");
    assert_eq!((daemon.nocleanup, error.as_str()), (true, unfit));
    // CFG-114
    let (daemon, error) = line("strip_ansi=true", "maybe");
    assert_eq!((daemon.strip_ansi, error.as_str()), (true, unfit));
}

#[test]
fn cfg_108_minfds_and_cfg_109_minprocs() {
    let unfit = "invalid literal for int() with base 10: 'all'";
    let (daemon, error) = line("minfds=5", "all");
    assert_eq!((daemon.minfds, error.as_str()), (5, unfit));
    let (daemon, error) = line("minprocs=6", "all");
    assert_eq!((daemon.minprocs, error.as_str()), (6, unfit));
}

#[test]
fn cfg_111_childlogdir() {
    let (daemon, error) = line("childlogdir=logs", "/no");
    // Not made absolute.
    assert_eq!((daemon.childlogdir, error.as_str()), (PathBuf::from("logs"), "/no is not an existing directory"));
}

#[test]
fn cfg_112_user() {
    let (daemon, error) = line("user=joe", "jim");
    assert_eq!(daemon.user.map(|user| (user.uid, user.gid)), Some((1, 1001)));
    assert_eq!(error, "Invalid user name jim");
}

#[test]
fn cfg_113_directory() {
    let (daemon, error) = line("directory=/tmp", "/no");
    assert_eq!((daemon.directory, error.as_str()), (Some(PathBuf::from("/tmp")), "/no is not an existing directory"));
}

#[test]
fn cfg_115_environment_and_cfg_116_identifier() {
    let (daemon, error) = line("environment=A=1", "A");
    assert_eq!(daemon.environment, [("A".to_string(), "1".to_string())]);
    assert_eq!(error, "Unexpected end of key/value pairs in value 'A'");
    assert_eq!(line("identifier=i d", "").0.identifier, "i d");
    assert!(line("multicall_results=array", "").0.multicall_arrays);
    assert!(line("subreaper=true", "").0.subreaper);
}

#[test]
fn cfg_100_the_log_and_the_one_special_name() {
    assert_eq!(good("logfile=logs/../x.log\n").daemon.logfile, Some(PathBuf::from("/base/x.log")));
    assert_eq!(good("logfile=syslog\n").daemon.logfile, None);
    assert_eq!(good("logfile=NONE\n").daemon.logfile, Some(PathBuf::from("/base/NONE")));
}

#[test]
fn cfg_111_the_directory_for_temporary_files() {
    let mut around = machine("[supervisord]\nenvironment=TMPDIR=/home/joe\n");
    around.env.push(("TEMP".into(), "/nowhere".into()));
    around.env.push(("TMP".into(), "logs".into()));
    assert_eq!(load_with(around, &[]).unwrap().daemon.childlogdir, PathBuf::from("/base/logs"));
}

#[test]
fn cfg_037_the_section_must_be_there() {
    let error = load_with(machine("[supervisrod]\n[program:x]\ncommand=x\n"), &[]).unwrap_err();
    assert_eq!(error, [".ini file does not include supervisord section"]);
}

#[test]
fn cfg_045_cfg_046_cfg_049_names_in_the_daemon_section() {
    let config = good("identifier=%(ENV_X)s-%(here)s-%(ENV_PERCENT)s-%%\n");
    assert_eq!(config.daemon.identifier, "envX-/etc-%(here)s%-%");
    assert_eq!(
        one_bad("loglevel=%(host_node_name)s\n"),
        "Format string '%(host_node_name)s' for 'supervisord.loglevel' contains names ('host_node_name') which cannot be \
         expanded. Available names: ENV_HOME, ENV_N, ENV_PERCENT, ENV_X, here"
    );
}

#[test]
fn cfg_047_cfg_054_the_environment_is_expanded_once_and_seen_later() {
    let config = good(
        "environment=A=\"100%%\",X=\"new-%(ENV_X)s\"\n[program:x]\ncommand=%(ENV_X)s %(ENV_A)s\n[inet_http_server]\n\
         port=1\nusername=%(ENV_X)s\npassword=p\n",
    );
    assert_eq!(config.groups[0].processes[0].command, "new-envX 100%");
    assert_eq!(config.servers[0].username.as_deref(), Some("new-envX"));
}

#[test]
fn cfg_033_unknown_keys_and_sections_are_harmless_but_named_once() {
    let config =
        good("logfil=%(nothing)s\n[programm:x]\na=%\n[program:x]\ncommand=a\ncomandd=b\n[cesi:x]\n[group:g]\n");
    assert_eq!(
        notices(&config, Level::Warn),
        [
            "/etc/c.conf:2: unknown key 'logfil' in section [supervisord] is ignored; did you mean 'logfile'?",
            "/etc/c.conf:3: unknown section [programm:x] is ignored; did you mean [program:x]?",
            "/etc/c.conf:7: unknown key 'comandd' in section [program:x] is ignored; did you mean 'command'?",
            "/etc/c.conf:8: unknown section [cesi:x] is ignored",
        ]
    );
}

#[test]
fn cfg_032_default_reaches_every_section() {
    let config = load_with(machine("[DEFAULT]\nstartsecs=7\n[supervisord]\n[program:x]\ncommand=a\n"), &[]).unwrap();
    assert_eq!(config.groups[0].processes[0].startsecs, 7);
    assert!(config.notices.is_empty());
}

#[test]
fn cfg_090_cfg_091_cfg_092_cfg_096_includes() {
    let mut around = machine(
        "[supervisord]\n[include]\nfiles=d/*.conf %(here)s/%(ENV_X)s.conf\n nothing.*\n /base/w.conf /base/w.conf\n\
         [program:x]\ncommand=%(here)s %(here)s\nuser=joe\n",
    );
    around.files.insert("/etc/d/b.conf".into(), b"[program:b]\ncommand=%(here)s\nserverurl=%(here)s\n".to_vec());
    around.files.insert("/etc/d/a.conf".into(), b"[program:x]\nuser=root\n[include]\nfiles=/etc/d/c\n".to_vec());
    around.files.insert("/etc/d/.c.conf".into(), b"broken".to_vec());
    around.files.insert("/etc/envX.conf".into(), b"[supervisord]\nidentifier=%(here)s\n".to_vec());
    around.directories.insert("/base/w.conf".into());
    let config = load_with(around, &[]).unwrap();
    assert_eq!(config.daemon.identifier, "/etc");
    let process = |name: &str| config.groups.iter().find(|group| group.name == name).unwrap().processes[0].clone();
    // CFG-031, CFG-050: the include overrides; `here` is the directory of each file.
    assert_eq!(process("x").user.as_ref().map(|user| user.uid), Some(0));
    assert_eq!(process("x").command, "/etc /etc");
    assert_eq!((process("b").command.as_str(), process("b").serverurl.as_deref()), ("/etc/d", Some("/etc/d")));
    // CFG-094
    assert_eq!(
        notices(&config, Level::Info),
        [
            "Included extra file \"/etc/d/a.conf\" during parsing",
            "Included extra file \"/etc/d/b.conf\" during parsing",
            "Included extra file \"/etc/envX.conf\" during parsing",
            "Included extra file \"/base/w.conf\" during parsing",
            "Included extra file \"/base/w.conf\" during parsing",
        ]
    );
    // CFG-093
    assert_eq!(
        notices(&config, Level::Warn)[..2],
        ["No file matches via include \"/etc/nothing.*\"", "Could not read included file \"/base/w.conf\""]
    );
}

#[test]
fn cfg_090_include_without_files() {
    assert_eq!(one_bad("[include]\n"), ".ini file has [include] section, but no files setting");
    assert_eq!(
        one_bad("[include]\nfiles=%(program_name)s\n"),
        "Format string '%(program_name)s' for 'include.files' contains names ('program_name') which cannot be expanded. \
         Available names: ENV_HOME, ENV_N, ENV_PERCENT, ENV_X, here, host_node_name"
    );
}

#[test]
fn cfg_095_cfg_097_mistakes_in_included_files() {
    let mut around = machine("[supervisord]\n[include]\nfiles=d/*\n[program:x]\ncommand=a\n");
    around.files.insert("/etc/d/a".into(), b"[program:x]\nstartsecs=b\n[program:y]\ncommand\n".to_vec());
    assert_eq!(
        load_with(around, &[]).unwrap_err(),
        [
            "Source contains parsing errors: '/etc/d/a'\n\t[line  4]: 'command\\n'",
            // The file that opened the section.
            "invalid literal for int() with base 10: 'b' in section 'program:x' (file: '/etc/c.conf')",
            "program section program:y does not specify a command in section 'program:y' (file: '/etc/d/a')",
        ]
    );
}

#[test]
fn cfg_011_the_encoding() {
    let mut around = machine("");
    around.files.insert("/etc/c.conf".into(), b"[supervisord]\nidentifier=\xff\n".to_vec());
    assert_eq!(load_with(around, &[]).unwrap_err()[0], "Source '/etc/c.conf' is not UTF-8");
    let marked = load_with(machine("\u{feff}[supervisord]\n"), &[]).unwrap_err();
    assert!(marked[0].starts_with("File contains no section headers.\nfile: '/etc/c.conf', line: 1\n"), "{marked:?}");
}

#[test]
fn cfg_170_all_mistakes_are_told() {
    let errors = read("loglevel=x\nminfds=y\n[program:a]\n[program:b]\ncommand=b\nuser=jim\n[group:g]\nprograms=c\n")
        .unwrap_err();
    assert_eq!(errors.len(), 5, "{errors:?}");
}
