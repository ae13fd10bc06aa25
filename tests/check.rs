//! `supervisord --check`: says what is wrong and where, agrees with what a start would do, and touches nothing.

mod support;

use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use majordomo::base::value::Value;
use serde_json::Value as Json;
use support::daemon::{Daemon, Setup};
use support::{QUIET, SERVERS, upstream_differs};

/// Inode, size, mode, times of change in nanoseconds, and content.
type Facts = (u64, u64, u32, [i64; 2], Option<Vec<u8>>);

/// Everything in a folder: what it is, whose, how large, when changed, and what is in it.
fn tree(folder: &Path) -> BTreeMap<PathBuf, Facts> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(&folder).expect("a folder").flatten().map(|entry| entry.path()).chain([folder]) {
            let meta = std::fs::symlink_metadata(&path).expect("what is there");
            let bytes = if meta.is_file() { std::fs::read(&path).ok() } else { None };
            let nanos = |seconds: i64, rest: i64| seconds * 1_000_000_000 + rest;
            let times = [nanos(meta.mtime(), meta.mtime_nsec()), nanos(meta.ctime(), meta.ctime_nsec())];
            let known = found.insert(path.clone(), (meta.ino(), meta.len(), meta.mode(), times, bytes));
            if meta.is_dir() && known.is_none() {
                folders.push(path);
            }
        }
    }
    found
}

/// What a check answers; the folder must be the same before and after.
fn check(setup: Setup, more: &[&str]) -> (Setup, Option<i32>, String, String) {
    let setup = setup.args(&["--check"]).args(more);
    let before = tree(setup.path());
    let (status, output, errors) = setup.run();
    assert_eq!(tree(setup.path()), before, "something was touched");
    (setup, status, output, errors)
}

fn checked(config: &str) -> (Option<i32>, String, String) {
    let (_, status, output, errors) = check(Setup::new(config), &[]);
    (status, output, errors)
}

fn with(lines: &str) -> String {
    SERVERS.replace("[supervisord]\n", &format!("[supervisord]\n{lines}\n"))
}

fn left_out() -> bool {
    upstream_differs("there is no --check")
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").expect("/proc").uid() == 0
}

#[test]
fn a_good_file_is_no_news() {
    if left_out() {
        return;
    }
    let config = format!("{SERVERS}[program:x]\ncommand=true\n[group:g]\nprograms=x\n");
    assert_eq!(checked(&config), (Some(0), String::new(), String::new()));
    // Even where files of an earlier run are: nothing is cleared, cut or replaced.
    let setup = Setup::new(&config)
        .file("supervisord.log", "old\n")
        .file("supervisord.pid", "1\n")
        .file("x-stdout---supervisor-abcdefgh.log", "old\n");
    let socket = setup.path().join("supervisor.sock");
    drop(std::os::unix::net::UnixListener::bind(&socket).expect("a socket"));
    let (_, status, output, errors) = check(setup, &[]);
    assert_eq!((status, output.as_str(), errors.as_str()), (Some(0), "", ""), "also beside a stale socket");
}

#[test]
fn the_effective_configuration() {
    if left_out() {
        return;
    }
    let config = format!(
        "{}[program:two]\ncommand=echo %(process_num)d\nnumprocs=2\nprocess_name=%(program_name)s_%(process_num)d
environment=A=\"1\"\nstopsignal=HUP\nstdout_logfile_maxbytes=1KB\n[group:g]\nprograms=two\npriority=7\n",
        with("identifier=me\nloglevel=debug")
    );
    let (_, status, output, errors) = check(Setup::new(&config), &["--json", "--show-secrets", "-i", "by hand"]);
    assert_eq!((status, errors.as_str()), (Some(0), ""));
    let all: Json = serde_json::from_str(&output).expect("JSON");
    assert_eq!(all["supervisord"]["identifier"], "by hand");
    assert_eq!((&all["supervisord"]["loglevel"], &all["supervisord"]["minfds"]), (&"debug".into(), &1024.into()));
    assert_eq!(all["servers"].as_array().map(Vec::len), Some(2));
    let names: Vec<_> = all["rpcinterfaces"].as_array().expect("a list").iter().map(|one| &one["name"]).collect();
    assert_eq!(names, ["supervisor", "twiddler", "cache"]);
    // A value is shown as it is written.
    assert_eq!(all["rpcinterfaces"][2]["settings"]["values"], "string");
    let group = &all["groups"][0];
    assert_eq!((&group["name"], &group["priority"]), (&"g".into(), &7.into()));
    let process = &group["processes"][1];
    assert_eq!((&process["name"], &process["command"]), (&"two_1".into(), &"echo 1".into()));
    assert_eq!((&process["stopsignal"], &process["stdout_logfile_maxbytes"]), (&1.into(), &1024.into()));
    assert_eq!((&process["environment"]["A"], &process["autorestart"]), (&"1".into(), &"unexpected".into()));
    // Every key of a program that is a value of its own has its place.
    for row in majordomo::config::program_keys::ProgramKeys::ROWS
        .iter()
        .chain(majordomo::config::program_keys::ProcessKeys::ROWS)
    {
        let elsewhere = [("numprocs", "name"), ("numprocs_start", "name"), ("process_name", "name"), ("user", "uid")];
        let name = elsewhere.iter().find(|(key, _)| *key == row.key).map_or(row.key, |(_, place)| place);
        assert!(process.get(name).is_some(), "{name}");
    }
    for row in majordomo::config::daemon_keys::DaemonKeys::ROWS {
        assert!(all["supervisord"].get(row.key).is_some(), "{}", row.key);
    }
}

#[test]
fn every_mistake_and_warning_with_its_place() {
    if left_out() {
        return;
    }
    let config = "[supervisord]\nloglevel=loud\nlogfil=x\n[include]\nfiles=*.inc no.*\n[program:a]\ncomand=/bin/cat\n";
    let included = "[program:b]\ncommand=x\n\nstartsecs=soon\nautostart=maybe\n";
    let (setup, status, output, errors) = check(Setup::new(config).file("b.inc", included), &["--json"]);
    let (here, file) = (setup.path().display(), setup.path().join("sd.conf"));
    assert_eq!((status, output.as_str()), (Some(2), ""));
    let wanted = [
        format!("{}:2: error: bad logging level name 'loud' (", file.display()),
        format!("{}:6: error: program section program:a does not specify a command in section", file.display()),
        format!("{here}/b.inc:4: error: invalid literal for int() with base 10: 'soon' in section 'program:b'"),
        format!("{here}/b.inc:5: error: not a valid boolean value: 'maybe' in section 'program:b'"),
    ];
    assert_eq!(errors.lines().count(), wanted.len(), "{errors}");
    for wanted in wanted {
        assert_eq!(errors.lines().filter(|line| line.starts_with(&wanted)).count(), 1, "{wanted}\n{errors}");
    }
    assert!(errors.contains("line 7 has 'comand'; did you mean 'command'?"), "{errors}");

    // Warnings alone are no reason not to start.
    let config = format!(
        "{QUIET}[include]\nfiles=no.*\n[program:x]\ncommand=true\nredirect_stderr=1\nstderr_logfile=%(here)s/x\n\
         stdout_logfile=syslog\nnumproc=2\n[rpcinterface:mine]\nsupervisor.rpcinterface_factory=a:b\n[cesi]\n"
    );
    let (setup, status, output, errors) = check(Setup::new(&config), &[]);
    assert_eq!((status, output.as_str()), (Some(0), ""), "{errors}");
    let file = setup.path().join("sd.conf").display().to_string();
    for (line, text) in [
        ("files=no.*", "No file matches via include \""),
        ("stderr_logfile=%(here)s/x", "For [program:x], redirect_stderr=true but stderr_logfile has also been set"),
        ("stdout_logfile=syslog", "For [program:x], stdout_logfile=syslog but this is deprecated"),
        ("numproc=2", "unknown key 'numproc' in section [program:x] is ignored; did you mean 'numprocs'?"),
        ("[rpcinterface:mine]", "a:b cannot be resolved within [rpcinterface:mine]"),
        ("[cesi]", "unknown section [cesi] is ignored"),
    ] {
        let number = config.lines().position(|other| other == line).expect(line) + 1;
        assert!(errors.contains(&format!("{file}:{number}: warning: {text}")), "{text}\n{errors}");
    }
    assert_eq!(errors.lines().count(), 6, "{errors}");
}

/// Each of these is refused by a check and by a start, in the same words.
#[test]
fn what_a_start_would_run_into() {
    if left_out() {
        return;
    }
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let port = taken.local_addr().expect("its address").port();
    let mut configs = vec![
        SERVERS.replace("%(here)s/supervisord.log", "%(here)s/tmp"),
        with("user=nobody-of-that-name"),
        with("minfds=1099511627776"),
        with("directory=%(here)s/none"),
        SERVERS.replace("@PORT@", &port.to_string()),
        SERVERS.replace("127.0.0.1:@PORT@", "no.such.host.invalid:80"),
        SERVERS.replace("supervisor.sock", &"long".repeat(40)),
        SERVERS.replace("%(here)s/supervisor.sock", "%(here)s/tmp"),
        SERVERS.replace("%(here)s/supervisor.sock", "%(here)s/none/s.sock"),
        format!("{SERVERS}[unix_http_server:again]\nfile=%(here)s/supervisor.sock\n"),
        format!("{SERVERS}[inet_http_server:again]\nport=127.0.0.1:@PORT@\n"),
    ];
    if is_root() {
        let nobody = with("user=nobody").replace("%(here)s/supervisord.log", "syslog");
        configs.push(nobody.clone());
        configs.push(nobody.replace("file=%(here)s/", "chown=root:root\nfile=/tmp/mjd-check-"));
    } else {
        configs.push(with("user=root"));
        configs.push(SERVERS.replace("[unix_http_server]\n", "[unix_http_server]\nchown=root:root\n"));
    }
    for config in configs {
        let (status, output, errors) = checked(&config);
        assert_eq!((status, output.as_str()), (Some(2), ""), "{config}{errors}");
        assert_eq!(errors.lines().filter(|line| line.contains("error: ")).count(), 1, "{config}{errors}");
        let (real, _, told) = Setup::new(&config).run();
        assert_eq!(real, Some(2), "{config}{told}");
        // The folder has another name each time.
        let words = |text: &str| {
            let text = text.split("Error: ").nth(1).unwrap_or(text).lines().next().unwrap_or_default().to_string();
            text.split_whitespace().filter(|word| !word.contains("mjd-")).take(8).collect::<Vec<_>>().join(" ")
        };
        assert!(words(&errors.replace("error: ", "Error: ")) == words(&told), "{errors}\n{told}");
    }
}

#[test]
fn a_missing_file_and_one_that_cannot_be_written() {
    if left_out() {
        return;
    }
    let setup = Setup::new(QUIET);
    std::fs::remove_file(setup.path().join("sd.conf")).expect("the file");
    let (setup, status, _, errors) = check(setup, &[]);
    assert_eq!(status, Some(2));
    assert_eq!(errors, format!("error: could not find config file {}\n", setup.path().join("sd.conf").display()));
    // Without a pid file the daemon runs all the same.
    let (_, status, _, errors) = check(Setup::new(&QUIET.replace("%(here)s/supervisord.pid", "%(here)s/tmp")), &[]);
    assert!(status == Some(0) && errors.starts_with("warning: could not write pidfile "), "{errors}");
    // A log that can be written stays as it is, one that can't is told.
    let setup = Setup::new(QUIET).file("supervisord.log", "old");
    std::fs::set_permissions(setup.path().join("supervisord.log"), std::fs::Permissions::from_mode(0o444))
        .expect("mode");
    let (_, status, _, errors) = check(setup, &[]);
    assert_eq!(status, Some(if is_root() { 0 } else { 2 }), "{errors}");
}

/// A check beside a running daemon says that its addresses are taken, and doesn't disturb it.
#[test]
fn a_running_daemon_is_not_disturbed() {
    if left_out() {
        return;
    }
    let daemon = Daemon::start(&format!("{SERVERS}[program:x]\ncommand=sleep 1000\nstartsecs=0\n"));
    let child = daemon.wait_for_state("x", "RUNNING").pid();
    let mut command = std::process::Command::new(support::supervisord());
    let done = command.arg("-c").arg(daemon.config()).args(["--check", "--json"]).output().expect("a check");
    let errors = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(2));
    assert_eq!(errors.matches("error: Another program is already listening on a port").count(), 2, "{errors}");
    assert_eq!(daemon.call("supervisor.getPID", &[]), Value::Int(daemon.pid()));
    assert_eq!(daemon.info("x").pid(), child);
    for name in ["supervisor.sock", "supervisord.pid", "supervisord.log"] {
        assert!(daemon.file(name).exists(), "{name}");
    }
}
