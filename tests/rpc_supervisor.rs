//! `supervisor.*` but for starting and stopping (rpc.md, sections 1 to 7).

mod pure;

use majordomo::base::value::Value;
use majordomo::base::words::{Channel, Level, State};
use majordomo::config::spec::{Autorestart, LogFile, ProcessSpec};
use pure::{Rig, a, b, config, field, group, i, idle, plain, program, read, s, solo, st, texts, yes};

/// A program with a log of each channel.
fn logged(name: &str) -> ProcessSpec {
    program(name, |spec| {
        spec.channels[0].logfile = LogFile::Path(format!("/tmp/{name}.out"));
        spec.channels[1].logfile = LogFile::Path(format!("/tmp/{name}.err"));
        spec.autostart = false;
    })
}

#[test]
fn rpc_001_and_002_only_known_names_are_methods() {
    // Also RPC-002.
    // RPC-020.
    let mut rig = Rig::new(vec![]);
    for name in [
        "",
        "supervisor",
        "supervisor.",
        ".getPID",
        "supervisor.getPID.x",
        "supervisor.getpid",
        " supervisor.getPID",
        "supervisor.getPID ",
        "supervisor._update",
        "supervisor.__init__",
        "supervisor.supervisord",
        "nobody.getPID",
        "system.getPID",
        "getPID",
    ] {
        assert_eq!(rig.fault(name, vec![]), (1, "UNKNOWN_METHOD".into()), "{name}");
    }
}

#[test]
fn rpc_003_numbers_of_arguments() {
    // RPC-021.
    let mut rig = Rig::one(|_| {});
    let few = (2, "INCORRECT_PARAMETERS".to_string());
    for (method, params) in [
        ("supervisor.getPID", vec![s("x")]),
        ("supervisor.getProcessInfo", vec![]),
        ("supervisor.getProcessInfo", vec![s("p"), s("p")]),
        ("supervisor.startProcess", vec![]),
        ("supervisor.startProcess", vec![s("p"), b(true), b(true)]),
        ("supervisor.readLog", vec![i(0)]),
        ("supervisor.sendRemoteCommEvent", vec![s("a")]),
        ("system.multicall", vec![]),
    ] {
        assert_eq!(rig.fault(method, params), few, "{method}");
    }
    // Before gating, and unknown names before that.
    rig.get("supervisor.shutdown", vec![]);
    assert_eq!(rig.fault("supervisor.getPID", vec![s("x")]), few);
    assert_eq!(rig.fault("supervisor.nothing", vec![]).0, 1);
}

#[test]
fn rpc_004_kinds_of_arguments() {
    // BUG-016.
    let mut rig = Rig::new(vec![solo(logged("p"))]);
    let odd = (2, "INCORRECT_PARAMETERS".to_string());
    for (method, params) in [
        ("supervisor.getProcessInfo", vec![i(5)]),
        ("supervisor.readLog", vec![s("x"), i(1)]),
        ("supervisor.readLog", vec![i(0), Value::Nil]),
        ("supervisor.stopProcess", vec![a(vec![])]),
        ("supervisor.addProcessGroup", vec![b(true)]),
        ("supervisor.tailProcessLog", vec![s("p"), s("1.5"), i(1)]),
        ("supervisor.startProcess", vec![Value::Bytes(vec![0xff])]),
    ] {
        assert_eq!(rig.fault(method, params), odd, "{method}");
    }
    rig.host.files.put("/tmp/p.out", b"0123456789");
    let read = "supervisor.readProcessLog";
    for (offset, length, text) in [
        (s("3"), b(true), "3"),
        (Value::Double(2.9), s(" 4 "), "2345"),
        (b(false), Value::Double(1.0), "0"),
        (s("-2"), i(0), "89"),
    ] {
        assert_eq!(rig.get(read, vec![Value::Bytes(b"p".to_vec()), offset, length]), s(text));
    }
    // `wait` by its truth.
    for (wait, waits) in [
        (i(0), false),
        (s(""), false),
        (a(vec![]), false),
        (st(&[]), false),
        (Value::Nil, false),
        (b(false), false),
        (s("0"), true),
        (i(-1), true),
        (a(vec![Value::Nil]), true),
    ] {
        let asked = rig.ask("supervisor.startProcess", vec![s("p"), wait.clone()]);
        assert_eq!(matches!(asked, pure::Asked::Later(_)), waits, "{wait:?}");
        rig.get("supervisor.stopProcess", vec![s("p"), b(false)]);
        rig.die("p", 15);
    }
}

#[test]
fn rpc_005_and_006_gates() {
    // RPC-024, CACHE-024, TWID-020.
    let supervisor = |rig: &mut Rig| {
        let names = texts(&rig.get("system.listMethods", vec![]));
        names.into_iter().filter(|name| name.starts_with("supervisor.")).collect::<Vec<_>>()
    };
    for restarting in [false, true] {
        let mut rig = Rig::one(|_| {});
        rig.host.config = Some(config(vec![]));
        rig.begin();
        rig.get(if restarting { "supervisor.restart" } else { "supervisor.shutdown" }, vec![]);
        let mut gated = 0;
        for name in supervisor(&mut rig) {
            let arity = texts(&rig.get("system.methodSignature", vec![s(&name)])).len() - 1;
            // Before names and kinds: nil is neither.
            let answer = rig.call(&name, vec![Value::Nil; arity]);
            if name == "supervisor.sendRemoteCommEvent" {
                assert_eq!(answer, Ok(yes()));
            } else {
                assert_eq!(answer.map_err(|fault| (fault.code, fault.text)), Err((6, "SHUTDOWN_STATE".into())));
                gated += 1;
            }
        }
        assert_eq!(gated, 36);
        for (method, params) in [("cache.getCount", vec![]), ("twiddler.getGroupNames", vec![])] {
            assert_eq!(rig.call(method, params).is_ok(), restarting, "{method}");
        }
        assert_eq!(rig.fault("cache.fetch", vec![i(1)]).0, if restarting { 10 } else { 6 });
    }
}

#[test]
fn rpc_010_to_015_who_it_is() {
    // Also RPC-011, RPC-012, RPC-013, RPC-014, RPC-015.
    let mut files = config(vec![]);
    files.daemon.identifier = "front-1".into();
    let mut rig = Rig::of(files);
    for (method, value) in [
        ("getAPIVersion", s("3.0")),
        ("getVersion", s("3.0")),
        ("getIdentification", s("front-1")),
        ("getSupervisorVersion", s("4.3.0")),
        // PROC-009.
        ("getState", st(&[("statecode", i(1)), ("statename", s("RUNNING"))])),
        ("getPID", i(1000)),
    ] {
        assert_eq!(rig.get(&format!("supervisor.{method}"), vec![]), value, "{method}");
    }
}

#[test]
fn rpc_016_and_070_to_083_process_info() {
    // Also RPC-070, RPC-071, RPC-072, RPC-073, RPC-074, RPC-075, RPC-076, RPC-077, RPC-078, RPC-079, RPC-080,
    // RPC-081, RPC-082, RPC-083.
    let mut rig = Rig::new(vec![group("g", 1, vec![logged("p")])]);
    for name in ["nobody", "p", "g:*", "g:", "g", "x:p"] {
        assert_eq!(rig.fault("supervisor.getProcessInfo", vec![s(name)]), (10, format!("BAD_NAME: {name}")));
    }
    let began = rig.clock.now().wall.secs();
    let expect = |now, rest: [Value; 8]| {
        let [start, stop, state, statename, spawnerr, exitstatus, pid, description] = rest;
        // In this order.
        st(&[
            ("name", s("p")),
            ("group", s("g")),
            ("start", start),
            ("stop", stop),
            ("now", i(now)),
            ("state", state),
            ("statename", statename),
            ("spawnerr", spawnerr),
            ("exitstatus", exitstatus),
            ("logfile", s("/tmp/p.out")),
            ("stdout_logfile", s("/tmp/p.out")),
            ("stderr_logfile", s("/tmp/p.err")),
            ("pid", pid),
            ("description", description),
        ])
    };
    let never = expect(began, [i(0), i(0), i(0), s("STOPPED"), s(""), i(0), i(0), s("Not started")]);
    assert_eq!(rig.get("supervisor.getProcessInfo", vec![s("g:p")]), never);
    rig.get("supervisor.startProcess", vec![s("g:p"), b(false)]);
    rig.pass_secs(2);
    let pid = rig.pid("g:p");
    let up = s(&format!("pid {pid}, uptime 0:00:02"));
    let runs = expect(began + 2, [i(began), i(0), i(20), s("RUNNING"), s(""), i(0), i(pid.into()), up]);
    assert_eq!(rig.get("supervisor.getProcessInfo", vec![s("g:p")]), runs);
    rig.get("supervisor.stopProcess", vec![s("g:p"), b(false)]);
    rig.die("g:p", 15);
    let ended = s("Jan 31 01:00 PM");
    let stopped = expect(began + 2, [i(began), i(began + 2), i(0), s("STOPPED"), s(""), i(-1), i(0), ended]);
    assert_eq!(rig.get("supervisor.getProcessInfo", vec![s("g:p")]), stopped);
}

#[test]
fn rpc_074_times_are_capped() {
    let mut rig = Rig::one(|_| {});
    rig.clock.step_wall(3_000_000_000);
    rig.begin();
    let info = rig.get("supervisor.getProcessInfo", vec![s("p")]);
    assert_eq!((field(&info, "now"), field(&info, "start")), (i(2_147_483_647), i(2_147_483_647)));
}

#[test]
fn rpc_017_all_processes_by_name() {
    let mut rig = Rig::new(vec![
        group("b", 1, vec![plain("z"), plain("a"), plain("B")]),
        group("a", 9, vec![plain("x")]),
        group("Z", 5, vec![plain("y")]),
        group("empty", 0, vec![]),
    ]);
    let all = rig.get("supervisor.getAllProcessInfo", vec![]);
    let Value::Array(items) = all else { panic!("{all:?}") };
    let names: Vec<_> = items
        .iter()
        .map(|info| format!("{}:{}", texts(&a(vec![field(info, "group")]))[0], texts(&a(vec![field(info, "name")]))[0]))
        .collect();
    assert_eq!(names, ["Z:y", "a:x", "b:B", "b:a", "b:z"]);
    assert_eq!(items[1], rig.get("supervisor.getProcessInfo", vec![s("a:x")]));
}

#[test]
fn rpc_018_and_090_to_093_configurations() {
    // Also RPC-090.
    let mut rig = Rig::new(vec![
        group("two", 7, vec![program("b", |spec| spec.channels[0].logfile = LogFile::Auto), logged("same")]),
        group("one", 8, vec![logged("same"), idle("a")]),
    ]);
    rig.get("supervisor.removeProcessGroup", vec![s("one")]);
    let Value::Array(all) = rig.get("supervisor.getAllConfigInfo", vec![]) else { panic!() };
    let names = |name| texts(&a(all.iter().map(|info| field(info, name)).collect()));
    assert_eq!(names("name"), ["a", "b", "same", "same"]);
    // Stable: in the order of the configuration.
    assert_eq!(names("group"), ["one", "two", "two", "one"]);
    let in_use: Vec<_> = all.iter().map(|info| field(info, "inuse")).collect();
    assert_eq!(in_use, [b(false), b(true), b(true), b(false)]);
    // RPC-092: an active group's automatic log has a name.
    let path = names("stdout_logfile")[1].clone();
    assert!(path.starts_with("/tmp/b-stdout---supervisor-"), "{path}");
    rig.get("supervisor.removeProcessGroup", vec![s("two")]);
    let Value::Array(all) = rig.get("supervisor.getAllConfigInfo", vec![]) else { panic!() };
    assert_eq!(field(&all[1], "stdout_logfile"), s("auto"));
}

#[test]
fn rpc_091_every_field_of_a_configuration() {
    let mut rig = Rig::of(
        read("[program:p]\ncommand=/bin/steady --x %(program_name)s\nautostart=false\nexitcodes=0,2\nstdout_logfile=NONE\n")
            .expect("sound"),
    );
    let expected = |rest: &[(&str, Value)]| {
        let mut members = vec![
            ("autostart", b(false)),
            // RPC-093, BUG-057.
            ("autorestart", s("unexpected")),
            ("directory", s("none")),
            ("uid", s("none")),
            ("command", s("/bin/steady --x p")),
            ("exitcodes", a(vec![i(0), i(2)])),
            ("group", s("p")),
            ("group_prio", i(999)),
            ("inuse", b(true)),
            ("killasgroup", b(false)),
            ("name", s("p")),
            ("process_prio", i(999)),
            ("redirect_stderr", b(false)),
            ("startretries", i(3)),
            ("startsecs", i(1)),
            ("stdout_capture_maxbytes", i(0)),
            ("stdout_events_enabled", b(false)),
            ("stdout_logfile", s("none")),
            ("stdout_logfile_backups", i(10)),
            ("stdout_logfile_maxbytes", i(50 << 20)),
            ("stdout_syslog", b(false)),
            ("stopsignal", i(15)),
            ("stopwaitsecs", i(10)),
            ("stderr_capture_maxbytes", i(0)),
            ("stderr_events_enabled", b(false)),
            ("stderr_logfile", s("none")),
            ("stderr_logfile_backups", i(10)),
            ("stderr_logfile_maxbytes", i(50 << 20)),
            ("stderr_syslog", b(false)),
            ("serverurl", s("none")),
        ];
        for (name, value) in rest {
            members.iter_mut().filter(|member| member.0 == *name).for_each(|member| member.1 = value.clone());
        }
        members
    };
    let stderr = rig.process("p").log_path(Channel::Stderr).map(s).expect("an automatic log");
    let Value::Array(all) = rig.get("supervisor.getAllConfigInfo", vec![]) else { panic!("an array") };
    let [Value::Struct(info)] = all.as_slice() else { panic!("one struct: {all:?}") };
    // Each field once; their order carries no meaning.
    let by_name = |members: &[(String, Value)]| {
        let mut members = members.to_vec();
        members.sort_by(|one, other| one.0.cmp(&other.0));
        Value::Struct(members)
    };
    let Value::Struct(wanted) = st(&expected(&[("stderr_logfile", stderr)])) else { panic!("a struct") };
    assert_eq!(by_name(info), by_name(&wanted));
    for (autorestart, shown) in [(Autorestart::Never, b(false)), (Autorestart::Always, b(true))] {
        let mut rig = Rig::one(|spec| {
            spec.autorestart = autorestart;
            spec.redirect_stderr = true;
            spec.channels[1].logfile = LogFile::Auto;
            spec.directory = Some("/srv".into());
            spec.serverurl = Some("http://x".into());
        });
        let Value::Array(all) = rig.get("supervisor.getAllConfigInfo", vec![]) else { panic!() };
        assert_eq!(field(&all[0], "autorestart"), shown);
        // LOG-048: there is no file.
        assert_eq!(field(&all[0], "stderr_logfile"), s("none"));
        assert_eq!((field(&all[0], "directory"), field(&all[0], "serverurl")), (s("/srv"), s("http://x")));
    }
}

#[test]
fn rpc_040_and_041_the_end() {
    let mut rig = Rig::one(|_| {});
    assert_eq!(rig.get("supervisor.shutdown", vec![]), yes());
    assert_eq!(rig.world.mood().name(), "SHUTDOWN");
    let mut rig = Rig::one(|_| {});
    // BUG-060, RPC-036.
    let broken = (92, "CANT_REREAD: could not read the configuration file".to_string());
    rig.news();
    assert_eq!(rig.fault("supervisor.restart", vec![]), broken);
    assert_eq!(rig.news(), ["CRIT cannot reload: could not read the configuration file"]);
    assert_eq!(rig.fault("supervisor.reloadConfig", vec![]), broken);
    assert_eq!(rig.world.mood().name(), "RUNNING");
    rig.host.config = Some(config(vec![]));
    assert_eq!(rig.get("supervisor.restart", vec![]), yes());
    assert_eq!(rig.world.mood().name(), "RESTARTING");
}

#[test]
fn rpc_042_043_and_044_groups_by_a_new_configuration() {
    // Also RPC-043.
    let mut rig = Rig::new(vec![solo(plain("same")), solo(plain("gone")), solo(plain("other"))]);
    rig.host.config =
        Some(config(vec![solo(plain("same")), solo(plain("new")), solo(program("other", |spec| spec.startsecs = 9))]));
    let names = |texts: &[&str]| a(texts.iter().map(|text| s(text)).collect());
    let answer = rig.get("supervisor.reloadConfig", vec![]);
    assert_eq!(answer, a(vec![a(vec![names(&["new"]), names(&["other"]), names(&["gone"])])]));
    // LOG-039: nothing was said, and nothing started or stopped.
    assert_eq!(rig.log(), [] as [&str; 0]);
    assert_eq!(rig.fault("supervisor.addProcessGroup", vec![s("gone")]), (10, "BAD_NAME: gone".into()));
    assert_eq!(rig.fault("supervisor.addProcessGroup", vec![s("same")]), (90, "ALREADY_ADDED: same".into()));
    assert_eq!(rig.get("supervisor.addProcessGroup", vec![s("new")]), yes());
    assert_eq!(rig.state("new"), State::Starting);
    assert_eq!(rig.fault("supervisor.removeProcessGroup", vec![s("new")]), (91, "STILL_RUNNING: new".into()));
    assert_eq!(rig.fault("supervisor.removeProcessGroup", vec![s("nobody")]), (10, "BAD_NAME: nobody".into()));
    // The new settings count from when the group is added again.
    assert_eq!(rig.process("other").spec.startsecs, 1);
    for method in ["supervisor.removeProcessGroup", "supervisor.addProcessGroup"] {
        assert_eq!(rig.get(method, vec![s("other")]), yes());
    }
    assert_eq!(rig.process("other").spec.startsecs, 9);
    assert_eq!(rig.get("supervisor.removeProcessGroup", vec![s("gone")]), yes());
    let answer = rig.get("supervisor.reloadConfig", vec![]);
    assert_eq!(answer, a(vec![a(vec![a(vec![]), a(vec![]), a(vec![])])]));
}

#[test]
fn rpc_065_remote_communication_is_always_well() {
    let mut rig = Rig::new(vec![]);
    for data in [s("x"), i(5), Value::Nil] {
        assert_eq!(rig.get("supervisor.sendRemoteCommEvent", vec![s("type"), data]), yes());
    }
}

#[test]
fn rpc_208_calls_leave_lines_at_trace() {
    let mut files = config(vec![solo(idle("p"))]);
    files.daemon.loglevel = Level::Trace;
    let mut rig = Rig::of(files);
    rig.get("supervisor.getPID", vec![]);
    rig.fault("supervisor.getProcessInfo", vec![s("x")]);
    let inner = st(&[("methodName", s("supervisor.getPID"))]);
    rig.get("system.multicall", vec![a(vec![inner])]);
    assert_eq!(
        rig.news(),
        [
            "TRAC XML-RPC method called: supervisor.getPID()",
            "TRAC XML-RPC method supervisor.getPID() returned successfully",
            "TRAC XML-RPC method called: supervisor.getProcessInfo()",
            "TRAC XML-RPC method supervisor.getProcessInfo() returned fault: [10] BAD_NAME: x",
            "TRAC XML-RPC method called: system.multicall()",
            "TRAC XML-RPC method system.multicall() returned successfully",
        ]
    );
    rig.wait("supervisor.startProcess", vec![s("p")]);
    let news = rig.news();
    assert_eq!(
        news.last().map(String::as_str),
        Some("TRAC XML-RPC method supervisor.startProcess() returned successfully")
    );
}
