//! The world without a system: spawning, stopping in order, groups, stdin, signals to the daemon (process.md).

mod pure;

use majordomo::base::errno::Errno;
use majordomo::base::limits::LOG_HELD_BYTES;
use majordomo::base::words::{Channel, Exit, Mood, State};
use majordomo::config::spec::{Autorestart, LogFile};
use majordomo::world::command::environment;
use majordomo::world::host::SpawnError;
use pure::{Rig, config, group, i, idle, plain, program, s, solo};

#[test]
fn proc_070_automatic_starts_by_group_priority_then_configuration_order() {
    // PROC-010, PROC-034: at once, all in the turn that begins.
    let with = |name, priority| program(name, |spec| spec.priority = priority);
    let mut rig = Rig::new(vec![
        group("late", 1000, vec![plain("l")]),
        // A [group:x] keeps its listing order, whatever the priorities of its members.
        group("listed", 5, vec![with("z", 9), with("a", 1), idle("never")]),
        group("tie1", 999, vec![plain("t1")]),
        group("tie2", 999, vec![plain("t2")]),
        group("first", -1, vec![plain("f")]),
    ]);
    assert!(rig.spawned().is_empty());
    rig.begin();
    assert_eq!(rig.spawned(), ["f", "z", "a", "t1", "t2", "l"]);
    assert_eq!(rig.state("listed:never"), State::Stopped);
}

#[test]
fn proc_050_a_spawn_is_logged_and_stamped() {
    let mut rig = Rig::one(|_| {});
    rig.begin();
    let pid = rig.pid("p");
    assert_eq!(rig.news(), [format!("INFO spawned: 'p' with pid {pid}")]);
    assert_eq!(rig.life("p").start(), Some(rig.clock.now().wall));
    rig.pass_ms(999);
    assert_eq!(rig.state("p"), State::Starting);
    rig.pass_ms(1);
    assert_eq!(rig.state("p"), State::Running);
    assert_eq!(
        rig.news(),
        ["INFO success: p entered RUNNING state, process has stayed up for > than 1 seconds (startsecs)"]
    );
}

#[test]
fn proc_051_spawn_errors_and_their_texts() {
    // PROC-015; PROC-041, PROC-043 and PROC-044 by the command.
    let spawn_error = |error: Option<SpawnError>, command: &str, log: LogFile| {
        let mut rig = Rig::one(|spec| {
            spec.command = command.to_string();
            spec.channels[0].logfile = log;
        });
        rig.host.spawn_error = error;
        rig.begin();
        assert_eq!(rig.state("p"), State::Backoff);
        let text = rig.life("p").spawnerr().to_string();
        assert_eq!(rig.news(), [format!("INFO spawnerr: {text}")]);
        assert_eq!(rig.host.files.open_count(), 1, "only the main log stays open");
        text
    };
    let none = || LogFile::None;
    for (error, text) in [
        (SpawnError::Pipe(Errno::EMFILE), "too many open files to spawn 'p'"),
        (SpawnError::Pipe(Errno::ENFILE), "unknown error making dispatchers for 'p': ENFILE"),
        (SpawnError::Fork(Errno::EAGAIN), "Too many processes in process table to spawn 'p'"),
        (SpawnError::Fork(Errno::ENOMEM), "unknown error during fork for 'p': ENOMEM"),
    ] {
        assert_eq!(spawn_error(Some(error), "/bin/steady", LogFile::Path("/tmp/p.log".into())), text);
    }
    for (command, text) in [
        ("/bin/nothing here", "can't find command '/bin/nothing'"),
        ("nothing", "can't find command 'nothing'"),
        ("/x/directory", "command at '/x/directory' is a directory"),
        ("/x/text", "command at '/x/text' is not executable"),
        ("/x/secret", "no permission to run command '/x/secret'"),
        ("/bin/steady 'x", "can't parse command \"/bin/steady 'x\": No closing quotation"),
        ("/bin/steady \\", "can't parse command '/bin/steady \\\\': No escaped character"),
        (" ", "command is empty"),
    ] {
        assert_eq!(spawn_error(None, command, none()), text, "{command}");
    }
    // LOG-054, and a log that is a directory.
    for (path, errno) in [("/nowhere/p.log", "ENOENT"), ("/tmp", "EISDIR")] {
        let text = spawn_error(None, "/bin/steady", LogFile::Path(path.into()));
        assert_eq!(text, format!("unknown error making dispatchers for 'p': {errno}"));
    }
}

#[test]
fn proc_042_the_path_of_the_program_comes_first() {
    let found = |change: fn(&mut majordomo::config::spec::ProcessSpec)| {
        let spec = program("p", change);
        let mut host = majordomo::sim::host::SimHost::new(1);
        majordomo::world::command::resolve(&spec, &mut host).map(|command| (command.path, command.argv))
    };
    let command = |path: &str, words: &[&str]| Ok((path.to_string(), words.iter().map(|w| w.to_string()).collect()));
    assert_eq!(found(|spec| spec.command = "steady 1".into()), command("/bin/steady", &["steady", "1"]));
    let own = |spec: &mut majordomo::config::spec::ProcessSpec| {
        spec.command = "steady".into();
        spec.environment = vec![("PATH".into(), "/opt/a:/opt/b".into())];
    };
    // PROC-045: argv keeps the word as written.
    assert_eq!(found(own), command("/opt/a/steady", &["steady"]));
    // The first entry that exists decides, even one that can't be run.
    let text = found(|spec| spec.command = "secret".into()).map_err(|error| error.text().to_string());
    assert_eq!(text, Err("no permission to run command '/bin/secret'".into()));
    // PROC-044, BUG-043.
    let relative = |spec: &mut majordomo::config::spec::ProcessSpec| {
        spec.command = "bin/steady".into();
        spec.directory = Some("/srv/app/".into());
    };
    assert_eq!(found(relative), command("/srv/app/bin/steady", &["bin/steady"]));
    assert_eq!(found(|spec| spec.command = "./steady".into()), command("./steady", &["./steady"]));
}

#[test]
fn proc_056_environment_of_a_child() {
    let spec = program("p", |spec| spec.environment = vec![("SUPERVISOR_ENABLED".into(), "2".into())]);
    let pairs = |spec, url| {
        environment(spec, "g", url).into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>()
    };
    assert_eq!(
        pairs(&spec, Some("http://localhost:9001")),
        [
            "SUPERVISOR_ENABLED=1",
            "SUPERVISOR_SERVER_URL=http://localhost:9001",
            "SUPERVISOR_PROCESS_NAME=p",
            "SUPERVISOR_GROUP_NAME=g",
            // Later entries win.
            "SUPERVISOR_ENABLED=2",
        ]
    );
    let own = program("p", |spec| spec.serverurl = Some("unix:///s".into()));
    assert!(pairs(&own, None).contains(&"SUPERVISOR_SERVER_URL=unix:///s".to_string()));
    assert!(!pairs(&plain("p"), None).iter().any(|pair| pair.starts_with("SUPERVISOR_SERVER_URL")));
}

#[test]
fn proc_012_and_017_the_world_retries_and_gives_up() {
    // PROC-016, PROC-028, BUG-001: each retry at its moment, with nothing in between.
    let mut rig = Rig::one(|_| {});
    rig.begin();
    let start = rig.clock.now().mono;
    let mut spawns = vec![];
    while rig.state("p") != State::Fatal {
        spawns.push((rig.life("p").spawned().expect("a spawn") - start).as_millis());
        rig.pass_ms(10);
        rig.exit_code("p", 1);
        rig.pass_secs(rig.life("p").backoff() as u64);
    }
    assert_eq!(spawns, [0, 1_010, 3_020, 6_030]);
    assert_eq!(rig.world.next_deadline(), None);
}

#[test]
fn proc_019_the_world_spaces_restarts() {
    let mut rig = Rig::one(|spec| (spec.startsecs, spec.autorestart) = (0, Autorestart::Always));
    rig.begin();
    rig.pass_ms(400);
    rig.exit_code("p", 0);
    rig.pass_ms(599);
    assert_eq!(rig.state("p"), State::Exited);
    rig.pass_ms(1);
    assert_eq!(rig.state("p"), State::Running, "startsecs=0");
    rig.pass_secs(5);
    rig.exit_code("p", 0);
    rig.pass_ms(0);
    assert_eq!(rig.spawned().len(), 3, "one that lived longer starts again at once");
}

#[test]
fn proc_033_somebody_elses_child() {
    let mut rig = Rig::one(|_| {});
    rig.turn(|world, turn| world.reaped(4711, Exit::Code(3), turn));
    assert_eq!(rig.news(), ["INFO reaped unknown pid 4711 (exit status 3)"]);
}

#[test]
fn proc_022_the_world_escalates() {
    let mut rig = Rig::one(|spec| {
        spec.stopwaitsecs = 3;
        spec.command = "/bin/stubborn".into();
    });
    rig.begin();
    rig.pass_secs(1);
    let pid = rig.pid("p");
    rig.get("supervisor.stopProcess", vec![s("p"), false.into()]);
    assert_eq!(rig.kills(), [(pid, 15)]);
    rig.pass_ms(2_999);
    assert_eq!(rig.kills(), []);
    rig.pass_ms(1);
    assert_eq!(rig.kills(), [(pid, 9)]);
    rig.pass_secs(3);
    assert_eq!(rig.kills(), [(pid, 9)]);
    rig.die("p", 9);
    assert_eq!(rig.log().last().map(String::as_str), Some("WARN stopped: p (terminated by SIGKILL)"));
    rig.pass_secs(60);
    assert_eq!(rig.kills(), []);
}

#[test]
fn proc_025_a_signal_that_may_not_be_sent() {
    let mut rig = Rig::one(|_| {});
    rig.begin();
    let pid = rig.pid("p");
    rig.host.kill_error = Some(Errno::EPERM);
    let text = format!("unknown problem killing p ({pid}):[Errno 1] Operation not permitted");
    assert_eq!(rig.fault("supervisor.stopProcess", vec![s("p")]), (30, format!("FAILED: {text}")));
    assert_eq!(rig.state("p"), State::Unknown);
    assert_eq!(rig.log().last(), Some(&format!("CRIT {text}")));
    rig.host.kill_error = None;
    let unknown = (30, "FAILED: p is in an unknown process state".to_string());
    assert_eq!(rig.fault("supervisor.startProcess", vec![s("p")]), unknown);
    assert_eq!(rig.fault("supervisor.stopProcess", vec![s("p")]), (70, "NOT_RUNNING: p".into()));
    rig.exit_code("p", 0);
    assert_eq!(rig.fault("supervisor.startProcess", vec![s("p")]), unknown);

    let mut rig = Rig::one(|_| {});
    rig.begin();
    let pid = rig.pid("p");
    rig.host.kill_error = Some(Errno::EPERM);
    let text = format!("unknown problem sending sig p ({pid}):[Errno 1] Operation not permitted");
    assert_eq!(rig.fault("supervisor.signalProcess", vec![s("p"), s("HUP")]), (30, format!("FAILED: {text}")));
    assert_eq!((rig.state("p"), rig.log().last()), (State::Unknown, Some(&format!("CRIT {text}"))));
}

#[test]
fn proc_030_a_child_that_is_gone_already() {
    let mut rig = Rig::one(|_| {});
    rig.begin();
    let pid = rig.pid("p");
    rig.host.children.clear();
    rig.get("supervisor.stopProcess", vec![s("p"), false.into()]);
    assert_eq!(rig.state("p"), State::Stopping);
    let gone =
        format!("DEBG unable to signal p (pid {pid}), it probably just exited on its own: [Errno 3] No such process");
    assert_eq!(rig.log().last(), Some(&gone));
    rig.exit_code("p", 0);
    assert_eq!(rig.state("p"), State::Stopped);
}

#[test]
fn proc_065_plain_signals_change_nothing() {
    let mut rig = Rig::one(|spec| (spec.stopasgroup, spec.killasgroup) = (true, true));
    rig.begin();
    let pid = rig.pid("p");
    rig.news();
    for (signal, number, shown) in [("HUP", 1, "SIGHUP"), ("0", 0, "signal 0"), ("34", 34, "SIGRTMIN")] {
        rig.get("supervisor.signalProcess", vec![s("p"), s(signal)]);
        assert_eq!(rig.news(), [format!("DEBG sending p (pid {pid}) sig {shown}")]);
        assert_eq!(rig.kills(), [(pid, number)]);
    }
    assert_eq!(rig.state("p"), State::Starting);
    assert!(!rig.host.journal.to_string().contains("group=true"), "to the single pid only");
}

#[test]
fn proc_062_the_group_is_asked_of_the_system() {
    let mut rig = Rig::one(|spec| spec.stopasgroup = true);
    rig.begin();
    let pid = rig.pid("p");
    rig.get("supervisor.stopProcess", vec![s("p"), false.into()]);
    assert!(rig.host.journal.to_string().contains(&format!("kill {pid} 15 group=true: Ok")));
    rig.pass_secs(10);
    assert!(rig.host.journal.to_string().contains(&format!("kill {pid} 9 group=false: Ok")));
}

#[test]
fn proc_067_output_comes_before_the_exit() {
    // PROC-100, PROC-101, LOG-038.
    let mut rig = Rig::one(|spec| {
        spec.channels[0].logfile = LogFile::Path("/tmp/p.log".into());
        spec.autorestart = Autorestart::Never;
    });
    rig.begin();
    rig.pass_secs(1);
    rig.news();
    rig.print("p", Channel::Stdout, b"last words\n");
    let who = rig.who("p");
    rig.turn(|world, turn| world.channel_closed(who, Channel::Stdout, 9, turn));
    assert_eq!(rig.state("p"), State::Running, "not ended until reaped");
    rig.exit_code("p", 0);
    assert_eq!(
        rig.news(),
        [
            "DEBG 'p' stdout output:",
            "last words",
            "",
            "DEBG fd 9 closed, stopped monitoring 'p' stdout",
            "INFO exited: p (exit status 0; expected)"
        ]
    );
    assert_eq!(rig.host.files.text("/tmp/p.log"), Some(&b"last words\n"[..]));
}

#[test]
fn proc_102_a_full_disk_stops_nobody() {
    let mut rig = Rig::one(|spec| spec.channels[0].logfile = LogFile::Path("/tmp/p.log".into()));
    rig.begin();
    rig.host.files.faults.room = Some(0);
    rig.print("p", Channel::Stdout, b"one\n");
    assert_eq!(rig.state("p"), State::Starting);
    rig.host.files.faults.room = None;
    rig.pass_secs(2);
    rig.print("p", Channel::Stdout, b"two\n");
    assert_eq!(rig.host.files.text("/tmp/p.log"), Some(&b"one\ntwo\n"[..]));
    assert_eq!(rig.state("p"), State::Running);
}

#[test]
fn proc_103_only_the_reader_of_its_output_holds_a_child_up() {
    let mut rig = Rig::one(|spec| spec.channels[0].logfile = LogFile::Path("/dev/stdout".into()));
    rig.host.files.put_pipe("/dev/stdout", 0);
    rig.begin();
    let who = rig.who("p");
    let paused = |rig: &mut Rig| rig.host.child_of(who).map(|child| child.paused);
    rig.print("p", Channel::Stdout, &vec![b'x'; LOG_HELD_BYTES / 2 - 1]);
    assert_eq!(paused(&mut rig), Some([false, false]));
    rig.print("p", Channel::Stdout, b"x");
    assert_eq!(paused(&mut rig), Some([true, false]), "the pipe behind its log is full");
    rig.host.files.put_pipe("/dev/stdout", LOG_HELD_BYTES);
    rig.pass_secs(2);
    assert_eq!(paused(&mut rig), Some([false, false]));
    assert_eq!(rig.host.files.text("/dev/stdout").map(<[u8]>::len), Some(LOG_HELD_BYTES / 2));
}

#[test]
fn a_child_that_outlives_its_group_is_nobodys() {
    // PROC-025, PROC-081: UNKNOWN is in the "stopped" set, so the group may go while its child lives.
    let mut rig = Rig::one(|_| {});
    rig.begin();
    let pid = rig.pid("p");
    rig.host.kill_error = Some(Errno::EPERM);
    rig.fault("supervisor.stopProcess", vec![s("p")]);
    rig.get("supervisor.removeProcessGroup", vec![s("p")]);
    assert_eq!(rig.host.children[&pid].stdin_room, None, "its pipes are closed");
    rig.news();
    // PROC-033.
    rig.turn(|world, turn| world.reaped(pid, Exit::Code(0), turn));
    assert_eq!(rig.news(), [format!("INFO reaped unknown pid {pid} (exit status 0)")]);
}

#[test]
fn proc_081_and_082_groups_come_and_go() {
    let mut files = config(vec![]);
    files.groups = vec![solo(program("p", |spec| spec.channels[0].logfile = LogFile::Auto))];
    let mut rig = Rig::of(files);
    // LOG-044: the automatic log is there at once, whether or not anything starts; before, it has its path.
    let path = rig.process("p").log_path(Channel::Stdout).map(str::to_string).expect("a log");
    assert!(path.starts_with("/tmp/p-stdout---supervisor-") && path.ends_with(".log"), "{path}");
    rig.begin();
    assert_eq!(rig.process("p").log_path(Channel::Stdout), Some(&*path));
    assert_eq!(rig.host.files.text(&path), Some(&b""[..]));
    let refused = (91, "STILL_RUNNING: p".to_string());
    assert_eq!(rig.fault("supervisor.removeProcessGroup", vec![s("p")]), refused);
    rig.exit_code("p", 1);
    assert_eq!(rig.state("p"), State::Backoff);
    assert_eq!(rig.fault("supervisor.removeProcessGroup", vec![s("p")]), refused);
    rig.pass_secs(1);
    rig.get("supervisor.stopProcess", vec![s("p"), false.into()]);
    assert_eq!(rig.state("p"), State::Stopping);
    assert_eq!(rig.fault("supervisor.removeProcessGroup", vec![s("p")]), refused);
    rig.die("p", 15);
    rig.get("supervisor.removeProcessGroup", vec![s("p")]);
    assert!(rig.host.files.text(&path).is_some(), "LOG-046");
    assert_eq!(rig.world.next_deadline(), None);
    rig.get("supervisor.addProcessGroup", vec![s("p")]);
    assert_eq!(rig.state("p"), State::Starting, "autostart follows at once");
    assert_ne!(rig.process("p").log_path(Channel::Stdout), Some(path.as_str()));
}

#[test]
fn proc_090_to_093_stdin() {
    // Also PROC-093.
    let mut rig = Rig::one(|_| {});
    let send = |bytes: &str| vec![s("p"), s(bytes)];
    assert_eq!(rig.fault("supervisor.sendProcessStdin", send("x")), (70, "NOT_RUNNING: p".into()));
    rig.begin();
    let who = rig.who("p");
    rig.host.child_of(who).expect("a child").stdin_room = Some(3);
    rig.get("supervisor.sendProcessStdin", send("hello"));
    assert_eq!(rig.process("p").stdin.as_slice(), b"lo", "BUG-087: a full pipe keeps the rest");
    rig.host.child_of(who).expect("a child").stdin_room = Some(100);
    rig.turn(|world, turn| world.pump_stdin(who, turn));
    assert!(rig.process("p").stdin.is_empty());
    // The queue has a bound.
    rig.host.child_of(who).expect("a child").stdin_room = Some(0);
    let much = "x".repeat(16 << 20);
    rig.get("supervisor.sendProcessStdin", send(&much));
    assert_eq!(rig.fault("supervisor.sendProcessStdin", send("x")), (30, "FAILED: p".into()));
    // PROC-091: closed by the child, then and later.
    rig.host.child_of(who).expect("a child").stdin_room = None;
    rig.turn(|world, turn| world.pump_stdin(who, turn));
    assert!(rig.process("p").stdin.is_empty());
    for _ in 0..2 {
        assert_eq!(rig.fault("supervisor.sendProcessStdin", send("x")), (20, "NO_FILE: p".into()));
    }
    // While it is being stopped.
    rig.get("supervisor.stopProcess", vec![s("p"), false.into()]);
    assert_eq!(rig.fault("supervisor.sendProcessStdin", send("x")), (70, "NOT_RUNNING: p".into()));
    // The next child begins with a stdin of its own.
    rig.die("p", 15);
    rig.get("supervisor.startProcess", vec![s("p"), false.into()]);
    rig.host.child_of(who).expect("a child").stdin_room = Some(100);
    rig.get("supervisor.sendProcessStdin", send("x"));
}

#[test]
fn proc_110_to_113_descriptions() {
    // Also PROC-111.
    let mut rig = Rig::new(vec![solo(idle("p"))]);
    let shown = |rig: &mut Rig| {
        let info = rig.get("supervisor.getProcessInfo", vec![s("p")]);
        pure::field(&info, "description")
    };
    assert_eq!(shown(&mut rig), s("Not started"));
    rig.get("supervisor.startProcess", vec![s("p"), false.into()]);
    assert_eq!(shown(&mut rig), s(""), "PROC-113: STARTING");
    rig.pass_secs(5);
    let pid = rig.pid("p");
    assert_eq!(shown(&mut rig), s(&format!("pid {pid}, uptime 0:00:05")));
    rig.pass_secs(86_400);
    assert_eq!(shown(&mut rig), s(&format!("pid {pid}, uptime 1 day, 0:00:05")));
    rig.get("supervisor.stopProcess", vec![s("p"), false.into()]);
    assert_eq!(shown(&mut rig), s(""), "PROC-113: STOPPING");
    rig.die("p", 15);
    // The pretended zone is an hour east; the clock began at noon, 31 January 2024 UTC.
    assert_eq!(shown(&mut rig), s("Feb 01 01:00 PM"));
    rig.get("supervisor.startProcess", vec![s("p"), false.into()]);
    rig.exit_code("p", 3);
    assert_eq!(shown(&mut rig), s("Exited too quickly (process log may have details)"));
}

#[test]
fn proc_120_a_wall_clock_that_is_set_back_disturbs_nothing() {
    let mut rig = Rig::one(|_| {});
    rig.begin();
    rig.clock.step_wall(-86_400);
    rig.pass_secs(1);
    assert_eq!(rig.state("p"), State::Running);
    let info = rig.get("supervisor.getProcessInfo", vec![s("p")]);
    let pid = rig.pid("p");
    assert_eq!(pure::field(&info, "description"), s(&format!("pid {pid}, uptime 0:00:01")));
    assert_eq!(pure::field(&info, "now"), i(rig.clock.now().wall.secs()));
}

#[test]
fn sig_001_to_005_signals_to_the_daemon() {
    let mut rig = Rig::one(|_| {});
    rig.begin();
    rig.pass_secs(1);
    rig.news();
    // BUG-060: a configuration that can't be read stops nothing.
    rig.turn(|world, turn| world.signalled(1, turn));
    assert_eq!(
        rig.news(),
        [
            "WARN received SIGHUP indicating restart request",
            "CRIT cannot reload: could not read the configuration file"
        ]
    );
    assert_eq!(rig.world.mood(), Mood::Running);
    // SIG-005.
    rig.turn(|world, turn| world.signalled(12, turn));
    assert_eq!(rig.news(), ["INFO received SIGUSR2 indicating log reopen request", "INFO supervisord logreopen"]);
    // SIG-002.
    rig.host.config = Some(config(vec![]));
    rig.turn(|world, turn| world.signalled(1, turn));
    assert_eq!(rig.world.mood(), Mood::Restarting);
    // SIG-004.
    rig.turn(|world, turn| world.signalled(2, turn));
    assert_eq!(rig.world.mood(), Mood::Shutdown);
    // SIG-003.
    rig.turn(|world, turn| world.signalled(1, turn));
    assert_eq!(rig.world.mood(), Mood::Shutdown);
    // SIG-001: again for each later one.
    rig.turn(|world, turn| world.signalled(3, turn));
    assert_eq!(
        rig.news(),
        [
            "WARN received SIGHUP indicating restart request",
            "WARN received SIGINT indicating exit request",
            "WARN ignored SIGHUP indicating restart request (shutdown in progress)",
            "WARN received SIGQUIT indicating exit request"
        ]
    );
    rig.settle();
    rig.die("p", 15);
    assert!(rig.world.has_ended());
    assert!(rig.world.take_next_config().is_none(), "an exit, no restart");
}
