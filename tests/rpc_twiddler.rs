//! `twiddler.*` (twiddler.md).

mod pure;

use majordomo::base::value::Value;
use majordomo::base::words::{Channel, Level, State};
use majordomo::config::spec::{Config, InterfaceKind};
use pure::{Rig, a, b, config, done, field, group, i, idle, plain, read, s, solo, st, texts, twiddler, yes};

const ADD: &str = "twiddler.addProgramToGroup";
const REMOVE: &str = "twiddler.removeProcessFromGroup";

fn with(kind: InterfaceKind) -> Config {
    let mut files = config(vec![solo(plain("p"))]);
    for interface in files.interfaces.iter_mut().filter(|interface| interface.namespace == "twiddler") {
        interface.kind = kind.clone();
    }
    files
}

/// A daemon with a group `g` whose only process is `a`.
fn one() -> Rig {
    Rig::new(vec![group("g", 5, vec![idle("a")])])
}

fn options(pairs: &[(&str, &str)]) -> Value {
    let pairs: Vec<_> = pairs.iter().map(|(name, value)| (*name, s(value))).collect();
    st(&pairs)
}

/// Options of a program that only waits.
fn still() -> Value {
    options(&[("command", "/bin/steady"), ("autostart", "false")])
}

fn bad(text: &str) -> (i32, String) {
    (2, format!("INCORRECT_PARAMETERS: {text}"))
}

#[test]
fn twid_090_the_transcript() {
    // TWID-091: the output of what has just ended can be read at once.
    let mut rig = Rig::new(vec![]);
    assert_eq!(rig.get("twiddler.getAPIVersion", vec![]), s("0.1"));
    assert_eq!(rig.get("twiddler.addGroup", vec![s("dynamic_procs"), i(999)]), yes());
    let settings = [("command", "/bin/brief -l"), ("autostart", "false"), ("autorestart", "false"), ("startsecs", "0")];
    assert_eq!(rig.get(ADD, vec![s("dynamic_procs"), s("ls"), options(&settings)]), yes());
    assert_eq!(rig.get("supervisor.startProcess", vec![s("dynamic_procs:ls")]), yes());
    // A read that comes before the first words waits for them.
    let params = vec![s("dynamic_procs:ls"), i(0), i(50)];
    let mut reading = rig.wait("supervisor.readProcessLog", params.clone());
    let listing = format!("total 4\n{}\n", "x".repeat(100));
    rig.print("dynamic_procs:ls", Channel::Stdout, listing.as_bytes());
    assert_eq!(rig.poll(&mut reading), Some(Ok(s(&listing[..50]))));
    rig.exit_code("dynamic_procs:ls", 0);
    assert_eq!(rig.state("dynamic_procs:ls"), State::Exited);
    assert_eq!(rig.get("supervisor.readProcessLog", params), s(&listing[..50]));
}

#[test]
fn twid_092_in_an_empty_group_of_the_file() {
    let mut files = read("[group:dynamic_procs]\nprograms=\n").expect("sound");
    files.interfaces = config(vec![]).interfaces;
    let mut rig = Rig::of(files);
    assert_eq!(texts(&rig.get("twiddler.getGroupNames", vec![])), ["dynamic_procs"]);
    assert_eq!(rig.get(ADD, vec![s("dynamic_procs"), s("ls"), still()]), yes());
    assert_eq!(rig.state("dynamic_procs:ls"), State::Stopped);
}

#[test]
fn twid_002_and_030_the_version_is_what_the_section_says() {
    // Also TWID-030.
    // TWID-100: any of history's.
    for version in ["0.1", "0.3", "1.0", "my own"] {
        let mut rig = Rig::of(with(twiddler(version, &[])));
        assert_eq!(rig.get("twiddler.getAPIVersion", vec![]), s(version));
        assert!(rig.call("twiddler.addGroup", vec![s("x"), i(1)]).is_ok(), "it changes nothing else");
    }
}

#[test]
fn twid_001_to_004_sections() {
    // Also TWID-003, TWID-004.
    let section = |rest: &str| {
        format!(
            "[rpcinterface:tw]\nsupervisor.rpcinterface_factory = \
             supervisor_twiddler.rpcinterface:make_twiddler_rpcinterface\n{rest}\n"
        )
    };
    let mut rig = Rig::of(read(&section("")).expect("sound"));
    assert_eq!(rig.get("tw.getAPIVersion", vec![]), s("0.1"));
    let mut rig = Rig::of(read(&section("whitelist = log , addGroup\napi_version=1.0")).expect("sound"));
    assert_eq!(rig.get("tw.log", vec![s("x")]), yes());
    assert_eq!(rig.get("tw.addGroup", vec![s("x"), i(1)]), yes());
    assert_eq!(rig.fault("tw.getAPIVersion", vec![]), (230, "UNKNOWN: getAPIVersion".into()));
    let mut rig = Rig::of(read(&section("whitelist =")).expect("sound"));
    assert_eq!(rig.get("tw.getAPIVersion", vec![]), s("0.1"));
    let errors = read(&section("color = red")).err().unwrap_or_default();
    assert_eq!(errors.len(), 1);
    assert!(errors[0].starts_with("Could not make tw rpc interface"), "{errors:?}");
}

#[test]
fn twid_020_to_022_the_gate_and_the_whitelist() {
    // Also TWID-022.
    // RPC-037; BUG-103: the text of the fault.
    let mut rig = Rig::of(with(twiddler("0.1", &["addProgramToGroup", "log"])));
    rig.begin();
    let refused = |method: &str| (230, format!("UNKNOWN: {method}"));
    assert_eq!(rig.fault("twiddler.getGroupNames", vec![]), refused("getGroupNames"));
    // By the name as called: an alias must be listed itself. Before kinds and values.
    let params = vec![i(1), i(2), i(3)];
    assert_eq!(rig.fault("twiddler.addProcessToGroup", params.clone()), refused("addProcessToGroup"));
    assert_eq!(rig.fault(ADD, params.clone()).0, 2);
    // The count comes first.
    assert_eq!(rig.fault("twiddler.getGroupNames", vec![i(1)]), (2, "INCORRECT_PARAMETERS".into()));
    assert!(texts(&rig.get("system.listMethods", vec![])).contains(&"twiddler.getGroupNames".to_string()));
    // Restarting is not gated; shutting down is, before the whitelist.
    rig.host.config = Some(config(vec![]));
    rig.get("supervisor.restart", vec![]);
    assert_eq!(rig.get("twiddler.log", vec![s("x")]), yes());
    rig.turn(|world, turn| world.signalled(15, turn));
    for method in ["twiddler.getGroupNames", "twiddler.getAPIVersion"] {
        assert_eq!(rig.fault(method, vec![]), (6, "SHUTDOWN_STATE".into()));
    }
    assert_eq!(rig.fault("twiddler.getGroupNames", vec![i(1)]).0, 2);
}

#[test]
fn twid_031_and_044_names_of_groups() {
    // Also TWID-044.
    let mut rig = Rig::new(vec![group("z", 1, vec![]), solo(plain("p"))]);
    rig.get("twiddler.addGroup", vec![s("a"), i(0)]);
    assert_eq!(texts(&rig.get("twiddler.getGroupNames", vec![])), ["z", "p", "a"], "in order of activation");
}

#[test]
fn twid_032_040_and_041_add_group() {
    // Also TWID-040, TWID-041.
    let mut rig = one();
    let add = "twiddler.addGroup";
    assert_eq!(rig.fault(add, vec![s("g"), s("bogus")]), (10, "BAD_NAME: g".into()));
    let literal = |text: &str| bad(&format!("invalid literal for int() with base 10: {text}"));
    assert_eq!(rig.fault(add, vec![s("x"), s("5.5")]), literal("'5.5'"));
    assert_eq!(rig.fault(add, vec![s("x"), s("")]), literal("''"));
    for odd in [Value::Nil, a(vec![]), st(&[])] {
        assert_eq!(rig.fault(add, vec![s("x"), odd]), (2, "INCORRECT_PARAMETERS".into()));
    }
    for (name, why) in [
        ("a:b", "'a:b' because of character: ':'"),
        ("a b", "'a b' because of character: ' '"),
        ("a/b", "'a/b' because of character: '/'"),
        ("", "'' because it is empty"),
    ] {
        assert_eq!(rig.fault(add, vec![s(name), i(1)]), bad(&format!("Invalid name: {why}")));
    }
    assert_eq!(texts(&rig.get("twiddler.getGroupNames", vec![])), ["g"]);
    assert_eq!(rig.get(add, vec![s("low"), s(" -1 ")]), yes());
    assert_eq!(rig.get(add, vec![s("mid"), i(5)]), yes());
    // TWID-042: ordering by priority; ties by activation.
    for name in ["low", "mid"] {
        rig.get(ADD, vec![s(name), s("x"), still()]);
    }
    let mut waiting = rig.wait("supervisor.startAllProcesses", vec![b(false)]);
    assert!(rig.poll(&mut waiting).is_some());
    assert_eq!(rig.spawned(), ["x", "a", "x"]);
    let all = rig.get("supervisor.stopAllProcesses", vec![b(false)]);
    assert_eq!(all, a(vec![done("low", "x"), done("g", "a"), done("mid", "x")]));
}

#[test]
fn twid_042_a_new_group_is_a_group() {
    // TWID-005: nothing of it is in the file.
    let mut rig = one();
    rig.host.config = Some(config(vec![group("g", 5, vec![idle("a")])]));
    rig.get("twiddler.addGroup", vec![s("new"), i(1)]);
    assert_eq!(rig.get("supervisor.startProcessGroup", vec![s("new")]), a(vec![]));
    let removed = a(vec![a(vec![a(vec![]), a(vec![]), a(vec![s("new")])])]);
    assert_eq!(rig.get("supervisor.reloadConfig", vec![]), removed);
    assert_eq!(rig.get("supervisor.removeProcessGroup", vec![s("new")]), yes());
    assert_eq!(rig.fault("supervisor.addProcessGroup", vec![s("new")]), (10, "BAD_NAME: new".into()));
}

#[test]
fn twid_033_and_043_add_empty_group() {
    // Also TWID-043.
    // BUG-104.
    let add = "twiddler.addEmptyGroup";
    let priority = |params: Vec<Value>| {
        let mut rig = one();
        let answer = rig.call(add, [vec![s("new")], params].concat());
        answer.map_err(|fault| fault.code).map(|_| {
            let group = rig.world.groups().find(|group| group.name == "new").expect("the group");
            (group.priority, group.members.len())
        })
    };
    assert_eq!(priority(vec![i(7)]), Ok((7, 0)));
    assert_eq!(priority(vec![s("8")]), Ok((8, 0)));
    for kind in ["group", "program"] {
        assert_eq!(priority(vec![s(kind)]), Ok((999, 0)));
        assert_eq!(priority(vec![s(kind), options(&[("programs", "a,b")])]), Ok((999, 0)));
        assert_eq!(priority(vec![s(kind), options(&[("priority", "3")])]), Ok((3, 0)));
        assert_eq!(priority(vec![s(kind), st(&[("priority", i(4))])]), Ok((4, 0)));
        assert_eq!(priority(vec![s(kind), s("x")]), Err(2));
        assert_eq!(priority(vec![s(kind), options(&[("priority", "x")])]), Err(2));
    }
    assert_eq!(priority(vec![s("eventlistener")]), Err(2));
    assert_eq!(priority(vec![s("eventlistener"), st(&[])]), Err(2));
    assert_eq!(one().fault(add, vec![s("g"), i(1)]), (10, "BAD_NAME: g".into()));
}

#[test]
fn twid_034_035_050_and_052_what_is_refused() {
    // Also TWID-035, TWID-050, TWID-052.
    for method in [ADD, "twiddler.addProcessToGroup"] {
        let mut rig = one();
        // The group comes first.
        assert_eq!(rig.fault(method, vec![s("no"), s("x"), i(5)]), (10, "BAD_NAME: group: no".into()));
        for odd in [i(5), s("x"), Value::Nil, b(true), a(vec![s("x")]), a(vec![a(vec![s("command")])])] {
            assert_eq!(rig.fault(method, vec![s("g"), s("x"), odd]), (2, "INCORRECT_PARAMETERS".into()));
        }
        // TWID-055: an existing name; nothing is added then.
        assert_eq!(rig.fault(method, vec![s("g"), s("a"), still()]), (10, "BAD_NAME: a".into()));
        let several = options(&[
            ("command", "/bin/steady"),
            ("numprocs", "2"),
            ("process_name", "%(process_num)s"),
            ("autostart", "false"),
        ]);
        assert_eq!(rig.get(method, vec![s("g"), s("x"), several.clone()]), yes());
        rig.get(REMOVE, vec![s("g"), s("0")]);
        assert_eq!(rig.fault(method, vec![s("g"), s("x"), several]), (10, "BAD_NAME: 1".into()));
        assert!(rig.world.find_member("g", "0").is_none());
    }
}

#[test]
fn twid_056_057_and_rpc_094_what_was_added_is_like_any_other() {
    // Also TWID-057.
    // TWID-058.
    let mut rig = one();
    rig.host.config = Some(config(vec![group("g", 5, vec![idle("a")])]));
    let settings =
        options(&[("command", "/bin/steady"), ("numprocs", "2"), ("process_name", "%(program_name)s%(process_num)d")]);
    assert_eq!(rig.get("twiddler.addProcessToGroup", vec![s("g"), s("x"), settings]), yes());
    // Started at once, with automatic logs.
    for name in ["g:x0", "g:x1"] {
        assert_eq!(rig.state(name), State::Starting);
        let path = rig.process(name).log_path(Channel::Stdout).map(str::to_string).unwrap_or_default();
        assert!(path.starts_with("/tmp/x") && rig.host.files.text(&path).is_some(), "{path}");
    }
    let configured = |rig: &mut Rig| {
        let Value::Array(all) = rig.get("supervisor.getAllConfigInfo", vec![]) else { panic!() };
        texts(&a(all.iter().map(|info| field(info, "name")).collect()))
    };
    assert_eq!(configured(&mut rig), ["a", "x0", "x1"]);
    assert_eq!(field(&rig.get("supervisor.getProcessInfo", vec![s("g:x1")]), "group"), s("g"));
    // The group differs from the file now; a re-read forgets the configuration, not the processes.
    let changed = a(vec![a(vec![a(vec![]), a(vec![s("g")]), a(vec![])])]);
    assert_eq!(rig.get("supervisor.reloadConfig", vec![]), changed);
    assert_eq!(configured(&mut rig), ["a"]);
    assert_eq!(rig.state("g:x0"), State::Starting);
    // Also of a group that is in no file.
    rig.get("twiddler.addGroup", vec![s("new"), i(1)]);
    rig.get(ADD, vec![s("new"), s("n"), still()]);
    assert_eq!(configured(&mut rig), ["a", "n"]);
    // Removed, it is neither there nor configured; nor is what the file had, read before or after.
    assert_eq!(rig.get(REMOVE, vec![s("new"), s("n")]), yes());
    assert_eq!(configured(&mut rig), ["a"]);
    assert_eq!(rig.get(REMOVE, vec![s("g"), s("a")]), yes());
    assert_eq!(configured(&mut rig), [""; 0]);
}

#[test]
fn twid_059_names_of_programs() {
    let mut rig = one();
    assert_eq!(rig.get(ADD, vec![s("g"), i(5), still()]), yes());
    assert_eq!(rig.state("g:5"), State::Stopped);
    // As long as it likes.
    let digits = "123456789012345678901234567890";
    assert_eq!(rig.get(ADD, vec![s("g"), Value::Big(digits.into()), still()]), yes());
    assert_eq!(rig.state(&format!("g:{digits}")), State::Stopped);
    for odd in [Value::Nil, b(true), a(vec![]), Value::Double(1.0)] {
        assert_eq!(rig.fault(ADD, vec![s("g"), odd, still()]), (2, "INCORRECT_PARAMETERS".into()));
    }
}

#[test]
fn twid_036_and_062_to_064_removal() {
    // Also TWID-062, TWID-064.
    let mut rig = Rig::new(vec![group("g", 5, vec![plain("a"), idle("b")])]);
    assert_eq!(rig.fault(REMOVE, vec![s("no"), s("a")]), (10, "BAD_NAME: group: no".into()));
    assert_eq!(rig.fault(REMOVE, vec![s("g"), s("no")]), (10, "BAD_NAME: no".into()));
    rig.begin();
    let running = (91, "STILL_RUNNING: a".to_string());
    assert_eq!(rig.fault(REMOVE, vec![s("g"), s("a")]), running);
    rig.exit_code("g:a", 1);
    assert_eq!(rig.fault(REMOVE, vec![s("g"), s("a")]), running, "BACKOFF");
    rig.get("supervisor.stopProcess", vec![s("g:a")]);
    // From the file, too; the group stays, even empty.
    for name in ["a", "b"] {
        assert_eq!(rig.get(REMOVE, vec![s("g"), s(name)]), yes());
    }
    assert_eq!(rig.get("supervisor.getAllConfigInfo", vec![]), a(vec![]));
    assert_eq!(rig.get("supervisor.getAllProcessInfo", vec![]), a(vec![]));
    assert_eq!(texts(&rig.get("twiddler.getGroupNames", vec![])), ["g"]);
    assert_eq!(rig.get(ADD, vec![s("g"), s("a"), still()]), yes());
}

#[test]
fn twid_063_unknown_with_a_child_is_still_running() {
    let mut rig = Rig::new(vec![group("g", 5, vec![plain("a")])]);
    rig.begin();
    rig.host.kill_error = Some(majordomo::base::errno::Errno::EPERM);
    rig.fault("supervisor.stopProcess", vec![s("g:a")]);
    assert_eq!(rig.state("g:a"), State::Unknown);
    assert_eq!(rig.fault(REMOVE, vec![s("g"), s("a")]), (91, "STILL_RUNNING: a".into()));
    rig.exit_code("g:a", 0);
    assert_eq!(rig.get(REMOVE, vec![s("g"), s("a")]), yes());
}

#[test]
fn twid_065_a_removed_process_does_not_start_again() {
    // BUG-102.
    let mut rig = Rig::new(vec![group("g", 5, vec![plain("a")])]);
    rig.begin();
    rig.pass_ms(1_000);
    rig.exit_code("g:a", 1);
    assert_eq!(rig.state("g:a"), State::Exited);
    let before = rig.spawned().len();
    assert_eq!(rig.get(REMOVE, vec![s("g"), s("a")]), yes());
    rig.pass_secs(10);
    assert_eq!((rig.spawned().len(), rig.world.next_deadline()), (before, None));
    // Nor does one whose automatic start has not come yet.
    let calls = a(vec![
        st(&[("methodName", s(ADD)), ("params", a(vec![s("g"), s("x"), options(&[("command", "/bin/steady")])]))]),
        st(&[("methodName", s(REMOVE)), ("params", a(vec![s("g"), s("x")]))]),
    ]);
    assert_eq!(rig.get("system.multicall", vec![calls]), a(vec![yes(), yes()]));
    assert_eq!(rig.spawned().len(), before);
}

#[test]
fn twid_037_070_and_071_log() {
    // Also TWID-070, TWID-071.
    let mut files = config(vec![]);
    files.daemon.loglevel = Level::Blather;
    let mut rig = Rig::of(files);
    let log = |rig: &mut Rig, params: Vec<Value>| {
        rig.news();
        let answer = rig.call("twiddler.log", params).map_err(|fault| (fault.code, fault.text));
        // What calls say at TRAC is of no interest here.
        let said: Vec<_> = rig.news().into_iter().filter(|line| !line.starts_with("TRAC XML-RPC")).collect();
        answer.map(|value| (value, said))
    };
    for (level, code) in [
        (s("CRIT"), "CRIT"),
        (s("erro"), "ERRO"),
        (s("Warn"), "WARN"),
        (s("INFO"), "INFO"),
        (s("debg"), "DEBG"),
        (s("TRAC"), "TRAC"),
        (s("blat"), "BLAT"),
        (i(50), "CRIT"),
        (i(40), "ERRO"),
        (i(30), "WARN"),
        (i(20), "INFO"),
        (i(10), "DEBG"),
        (i(5), "TRAC"),
        (i(3), "BLAT"),
    ] {
        let said = vec![format!("{code} 100 %s %")];
        assert_eq!(log(&mut rig, vec![s("100 %s %"), level]), Ok((yes(), said)));
    }
    for odd in [s("debug"), s("critical"), s("10"), s(""), i(0), i(15), Value::Nil, b(true), a(vec![])] {
        assert_eq!(log(&mut rig, vec![s("x"), odd]), Err((2, "INCORRECT_PARAMETERS".into())));
    }
    // INFO if left out; anything in its text form.
    for (message, text) in [
        (s("x"), "x"),
        (i(5), "5"),
        (Value::Nil, "None"),
        (b(true), "True"),
        (Value::Double(1.5), "1.5"),
        (Value::Bytes(b"abc".to_vec()), "abc"),
        (a(vec![s("a'b"), i(1)]), "[\"a'b\", 1]"),
        (st(&[("a", b(false))]), "{'a': False}"),
    ] {
        assert_eq!(log(&mut rig, vec![message]), Ok((yes(), vec![format!("INFO {text}")])));
    }
    let mut files = config(vec![]);
    files.daemon.loglevel = Level::Warn;
    let mut rig = Rig::of(files);
    rig.get("twiddler.log", vec![s("quiet")]);
    rig.get("twiddler.log", vec![s("loud"), s("warn")]);
    assert_eq!(rig.log(), ["WARN loud"]);
}

#[test]
fn what_was_added_comes_back_with_its_group() {
    // As with Supervisor: removing and adding a group again keeps what twiddler changed in it.
    let mut rig = one();
    rig.get(ADD, vec![s("g"), s("x"), still()]);
    rig.get("supervisor.removeProcessGroup", vec![s("g")]);
    rig.get("supervisor.addProcessGroup", vec![s("g")]);
    assert_eq!((rig.state("g:a"), rig.state("g:x")), (State::Stopped, State::Stopped));
}
