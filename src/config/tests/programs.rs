//! `[program:x]` (CFG-120 to CFG-146) and programs that are added later (TWID-051 to TWID-055).
//!
//! Compiled for `#[cfg(test)]` only.

use super::{bad_program, good, group, names, notices, one_bad, program};
use crate::base::words::Level;
use crate::config::read_program;
use crate::config::spec::{Autorestart, ChannelSpec, LogFile};

#[test]
fn cfg_120_to_146_defaults() {
    let process = program("");
    assert_eq!((process.name.as_str(), process.command.as_str()), ("x", "/bin/x"));
    assert_eq!((&process.user, &process.directory, process.umask), (&None, &None, None));
    assert_eq!((process.priority, process.autostart, process.autorestart), (999, true, Autorestart::Unexpected));
    assert_eq!((process.startsecs, process.startretries, process.stopwaitsecs), (1, 3, 10));
    assert_eq!((&process.exitcodes, process.stopsignal), (&vec![0], 15));
    assert!(!process.stopasgroup && !process.killasgroup && !process.redirect_stderr);
    for channel in &process.channels {
        assert_eq!(channel.logfile, LogFile::Auto);
        assert_eq!((channel.maxbytes, channel.backups, channel.capture_maxbytes), (50 << 20, 10, 0));
        assert!(!channel.events && !channel.syslog);
    }
    assert!(process.environment.is_empty());
    assert_eq!((process.serverurl, process.socket), (None, None));
}

#[test]
fn cfg_120_the_command_must_be_there() {
    let error = one_bad("[program:x]\ncomand=x\n");
    assert_eq!(
        error,
        "program section program:x does not specify a command in section 'program:x' (file: '/etc/c.conf')"
    );
    assert_eq!(program("command=\n").command, "");
}

#[test]
fn cfg_121_the_suffix_and_where_it_is_not() {
    assert_eq!(bad_program("startsecs=a\n"), "invalid literal for int() with base 10: 'a'");
    assert_eq!(one_bad("[program:x]\ncommand=a\npriority=a\n"), "invalid literal for int() with base 10: 'a'");
    assert_eq!(one_bad("[program:x y]\ncommand=a\n"), "Invalid name: 'x y' because of character: ' '");
}

/// A key of both output streams: what a line comes to, for standard output first.
fn both<T>(line: &str, value: fn(&ChannelSpec) -> T) -> [T; 2] {
    ["stdout", "stderr"].map(|name| {
        let [stdout, stderr] = program(&format!("{name}_{line}\n")).channels;
        value(if name == "stdout" { &stdout } else { &stderr })
    })
}

/// The message for a value of such a key.
fn both_bad(line: &str) -> String {
    let [one, other] = ["stdout", "stderr"].map(|name| bad_program(&format!("{name}_{line}\n")));
    assert_eq!(one, other);
    one
}

const NO_NUMBER: &str = "invalid literal for int() with base 10: 'x'";
const NO_FLAG: &str = "not a valid boolean value: 'x'";

#[test]
fn cfg_122_log_files() {
    let x = LogFile::Path("logs/x".to_string());
    assert_eq!(both("logfile=logs/%(program_name)s", |channel| channel.logfile.clone()), [x.clone(), x]);
    assert_eq!(both("logfile=none", |channel| channel.logfile.clone()), [LogFile::None, LogFile::None]);
    assert_eq!(both_bad("logfile=/no/x"), "The directory named as part of the path /no/x does not exist");
}

#[test]
fn cfg_123_maxbytes_and_cfg_124_backups() {
    assert_eq!(both("logfile_maxbytes=1KB", |channel| channel.maxbytes), [1024, 1024]);
    assert_eq!(both_bad("logfile_maxbytes=x"), NO_NUMBER);
    assert_eq!(both("logfile_backups=3", |channel| channel.backups), [3, 3]);
    // Less than none is none.
    assert_eq!(both("logfile_backups=-1", |channel| channel.backups), [0, 0]);
    assert_eq!(both_bad("logfile_backups=x"), NO_NUMBER);
}

#[test]
fn cfg_125_capture_cfg_126_events_cfg_127_syslog() {
    assert_eq!(both("capture_maxbytes=2KB", |channel| channel.capture_maxbytes), [2048, 2048]);
    assert_eq!(both_bad("capture_maxbytes=x"), NO_NUMBER);
    assert_eq!(both("events_enabled=1", |channel| channel.events), [true, true]);
    assert_eq!(both_bad("events_enabled=x"), NO_FLAG);
    // Whatever the file is.
    assert_eq!(
        both("syslog=yes", |channel| (channel.syslog, channel.logfile.clone())),
        [(true, LogFile::Auto), (true, LogFile::Auto)]
    );
    assert_eq!(both_bad("syslog=x"), NO_FLAG);
}

#[test]
fn cfg_053_log_files_are_expanded_twice_if_that_can_be() {
    let file = |text: &str| match &program(&format!("stdout_logfile={text}\n")).channels[0].logfile {
        LogFile::Path(path) => path.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(file("a%%%%b"), "a%b");
    assert_eq!(file("a%%b"), "a%b");
    assert_eq!(file("a%%(program_name)s"), "ax");
}

#[test]
fn cfg_122_cfg_123_cfg_144_warnings() {
    let config = good(
        "[program:x]\ncommand=a\nstdout_logfile=Syslog\nstderr_logfile=a\nredirect_stderr=yes\n[program:y]\ncommand=b\n\
         stderr_logfile_maxbytes=0\nnumprocs=2\nprocess_name=%(process_num)d\n",
    );
    let auto = "For [program:y], AUTO logging used for stderr_logfile without rollover, set maxbytes > 0 to avoid filling \
                up filesystem unintentionally";
    assert_eq!(
        notices(&config, Level::Warn),
        [
            "For [program:x], stdout_logfile=syslog but this is deprecated and will be removed.  Use stdout_syslog=true \
             to enable syslog instead.",
            "For [program:x], redirect_stderr=true but stderr_logfile has also been set to a filename, the filename has \
             been ignored",
            auto,
            auto,
        ]
    );
    let [stdout, stderr] = &config.groups[0].processes[0].channels;
    assert_eq!((&stdout.logfile, stdout.syslog, &stderr.logfile), (&LogFile::None, true, &LogFile::None));
}

#[test]
fn cfg_128_cfg_129_cfg_130_numbers_and_names() {
    let lines = "[program:x]\ncommand=a %(process_num)d/%(numprocs)d\nnumprocs=3\nnumprocs_start=9\n\
                 process_name=%(program_name)s_%(process_num)02d\n";
    let group = group(lines);
    assert_eq!(names(&group), ["x_09", "x_10", "x_11"]);
    assert_eq!(group.processes[1].command, "a 10/3");
    // CFG-157: names are compared as text.
    let group = super::group(&lines.replace("02d", "d"));
    assert_eq!(names(&group), ["x_10", "x_11", "x_9"]);
    assert_eq!(bad_program("numprocs=2\n"), "%(process_num) must be present within process_name when numprocs > 1");
    assert!(super::group("[program:x]\nnumprocs=0\n").processes.is_empty());
    assert_eq!(bad_program("process_name=a/b\n"), "Invalid name: 'a/b' because of character: '/'");
    // The name is checked before it is expanded, not after.
    assert_eq!(program("process_name=%(here)s\n").name, "/etc");
    assert!(bad_program("numprocs=999999999\nprocess_name=%(process_num)d\n").contains("above upper bound"));
}

#[test]
fn keys_that_are_flags() {
    // CFG-132
    assert!(!program("autostart=no\n").autostart);
    assert_eq!(bad_program("autostart=x\n"), NO_FLAG);
    // CFG-139
    assert!(program("stopasgroup=yes\n").stopasgroup);
    assert_eq!(bad_program("stopasgroup=x\n"), NO_FLAG);
    // CFG-140: killasgroup follows stopasgroup.
    assert!(program("stopasgroup=yes\n").killasgroup);
    assert!(program("killasgroup=yes\n").killasgroup);
    assert_eq!(bad_program("stopasgroup=yes\nkillasgroup=no\n"), "Cannot set stopasgroup=true and killasgroup=false");
    // CFG-144
    assert!(program("redirect_stderr=yes\n").redirect_stderr);
}

#[test]
fn keys_that_are_numbers() {
    // CFG-131
    assert_eq!(program("priority=-3\n").priority, -3);
    assert_eq!(group("[program:x]\ncommand=a\npriority=-3\n").priority, -3);
    // CFG-134
    assert_eq!(program("startsecs=-1\n").startsecs, -1);
    assert_eq!(bad_program("startsecs=x\n"), NO_NUMBER);
    // CFG-135
    assert_eq!(program("startretries=0\n").startretries, 0);
    assert_eq!(bad_program("startretries=x\n"), NO_NUMBER);
    // CFG-138
    assert_eq!(program("stopwaitsecs=77\n").stopwaitsecs, 77);
    assert_eq!(bad_program("stopwaitsecs=x\n"), NO_NUMBER);
    // CFG-130
    assert_eq!(bad_program("numprocs_start=x\n"), NO_NUMBER);
}

#[test]
fn cfg_133_autorestart_cfg_136_exitcodes_cfg_137_stopsignal() {
    assert_eq!(program("autorestart=true\n").autorestart, Autorestart::Always);
    assert_eq!(bad_program("autorestart=X\n"), "invalid 'autorestart' value 'x'");
    assert_eq!(program("exitcodes=1,2\n").exitcodes, [1, 2]);
    assert_eq!(bad_program("exitcodes=x\n"), "not a valid list of exit codes: 'x'");
    assert_eq!(program("stopsignal=USR1\n").stopsignal, 10);
    assert_eq!(bad_program("stopsignal=x\n"), "value 'x' is not a valid signal name");
}

#[test]
fn cfg_141_cfg_142_cfg_143_user_umask_directory() {
    let process = program("user=1\numask=002\ndirectory=~/%(process_num)d\n");
    assert_eq!(process.user.map(|user| (user.uid, user.gid, user.groups)), Some((1, 1001, vec![7])));
    assert_eq!((process.umask, process.directory.as_deref()), (Some(2), Some("~/0")));
    assert_eq!(bad_program("user=jim\n"), "Invalid user name jim");
    assert_eq!(bad_program("umask=9\n"), "9 can not be converted to an octal type");
}

#[test]
fn cfg_146_serverurl() {
    assert_eq!(program("serverurl=AUTO\n").serverurl, None);
    assert_eq!(program("serverurl=http://a\n").serverurl.as_deref(), Some("http://a"));
}

#[test]
fn cfg_048_cfg_087_cfg_145_the_environment_of_a_program() {
    let config = good(
        "environment=A=\"1\",B=\"2\"\n[program:x]\ncommand=%(ENV_B)s %(ENV_C)s\ndirectory=%(ENV_C)s\nstdout_logfile=%(ENV_C)s\n\
         environment=B=\"%(ENV_A)s3\",C=\"%(program_name)s%(process_num)d\"\nprocess_name=%(ENV_C)s\n",
    );
    let process = &config.groups[0].processes[0];
    assert_eq!(process.command, "13 x0");
    assert_eq!((process.directory.as_deref(), process.name.as_str()), (Some("x0"), "x0"));
    let pairs = [("A", "1"), ("B", "13"), ("C", "x0")].map(|(name, value)| (name.to_string(), value.to_string()));
    assert_eq!(process.environment, pairs);
    // Keys that are read once don't see it.
    assert!(bad_program("environment=U=joe\nuser=%(ENV_U)s\n").contains("contains names ('ENV_U')"));
    assert!(bad_program("environment=%(x)s\n").starts_with("Format string '%(x)s' for 'environment' contains names"));
    assert!(bad_program("process_name=%(x)s\n").starts_with("Format string '%(x)s' for 'process_name' contains names"));
}

#[test]
fn cfg_049_cfg_051_cfg_052_names_in_programs() {
    let config = good(
        "[group:g]\nprograms=x\n[program:x]\ncommand=%(here)s %(host_node_name)s %(group_name)s:%(program_name)s\n",
    );
    assert_eq!(config.groups[0].processes[0].command, "/etc node g:x");
    let error = bad_program("startsecs=%(process_num)d\n");
    assert!(error.ends_with(
        "Available names: ENV_HOME, ENV_N, ENV_PERCENT, ENV_X, group_name, here, host_node_name, program_name"
    ));
    assert_eq!(program("startsecs=%(ENV_N)s\n").startsecs, 3);
    // Read for the group first, where there is no program yet.
    assert!(one_bad("[program:x]\ncommand=a\npriority=%(program_name)s\n").ends_with("ENV_X, here"));
}

#[test]
fn bug_056_of_equal_names_the_last_wins() {
    let config = good(
        "[group:g]\nprograms=x,y\n[program:x]\ncommand=a\nprocess_name=z\n[program:y]\ncommand=b\nprocess_name=z\n",
    );
    assert_eq!(names(&config.groups[0]), ["z"]);
    assert_eq!(config.groups[0].processes[0].command, "b");
    assert_eq!(notices(&config, Level::Warn), ["Two processes of group g are named z; the last one is taken"]);
}

#[test]
fn twid_051_054_programs_that_are_added_later() {
    let config = good("environment=A=\"1\"\n");
    let options = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect()
    };
    let read = |name: &str, pairs: &[(&str, &str)]| read_program(name, &options(pairs), "g", &config.context);
    let made = read(
        "ls",
        &[
            ("Command", "ls %(here)s %(group_name)s %(ENV_A)s"),
            ("environment", "B=2"),
            ("whatever", "%"),
            ("NUMPROCS", "2"),
            ("process_name", "%(program_name)s%(process_num)d"),
        ],
    )
    .unwrap();
    assert_eq!(made.iter().map(|process| process.name.as_str()).collect::<Vec<_>>(), ["ls0", "ls1"]);
    assert_eq!(made[0].command, "ls /etc g 1");
    assert_eq!(made[0].environment.len(), 2);
    assert_eq!(
        read("x", &[]).unwrap_err()[0].text,
        "program section program:x does not specify a command in section 'program:x' (file: '/etc/c.conf')"
    );
    assert_eq!(
        read("a b", &[("command", "x")]).unwrap_err()[0].text,
        "Invalid name: 'a b' because of character: ' ' in section 'program:a b' (file: '/etc/c.conf')"
    );
}
