//! Reading and clearing logs by XML-RPC (rpc.md, section 7).

mod pure;

use majordomo::base::errno::Errno;
use majordomo::base::value::Value;
use majordomo::base::words::Channel;
use majordomo::config::spec::{LogFile, ProcessSpec};
use pure::{MAIN_LOG, Rig, a, b, config, done, entry, group, i, idle, plain, program, s, solo, yes};

/// A program with a log of each channel.
fn logged(name: &str) -> ProcessSpec {
    program(name, |spec| {
        spec.channels[0].logfile = LogFile::Path(format!("/tmp/{name}.out"));
        spec.channels[1].logfile = LogFile::Path(format!("/tmp/{name}.err"));
        spec.autostart = false;
    })
}

#[test]
fn rpc_100_101_and_102_the_main_log() {
    // Also RPC-101.
    let mut rig = Rig::new(vec![]);
    rig.get("twiddler.log", vec![s("0123456789")]);
    for method in ["supervisor.readLog", "supervisor.readMainLog"] {
        assert_eq!(rig.get(method, vec![i(-6), i(0)]), s("56789\n"));
        assert_eq!(rig.get(method, vec![i(0), i(4)]), s("2024"));
        assert_eq!(rig.fault(method, vec![i(-1), i(1)]), (3, "BAD_ARGUMENTS".into()));
    }
    rig.host.files.put("/var/log/supervisord.log.1", b"old");
    assert_eq!(rig.get("supervisor.clearLog", vec![]), yes());
    // What is said about it goes into the old file; backups stay.
    assert_eq!(rig.host.files.text(MAIN_LOG), Some(&b""[..]));
    assert!(rig.host.files.text("/var/log/supervisord.log.1").is_some());
    rig.get("twiddler.log", vec![s("new")]);
    assert_eq!(rig.log(), ["INFO new"]);
    rig.host.files.faults.remove = Some(Errno::EACCES);
    assert_eq!(rig.fault("supervisor.clearLog", vec![]), (30, "FAILED".into()));
    rig.host.files.faults.remove = None;
    rig.turn(|_, turn| turn.host.remove(MAIN_LOG)).expect("removed");
    assert_eq!(rig.fault("supervisor.clearLog", vec![]), (20, "NO_FILE".into()));
    assert_eq!(rig.fault("supervisor.readLog", vec![i(0), i(0)]), (20, format!("NO_FILE: {MAIN_LOG}")));
    // LOG-060: syslog is no file.
    let mut files = config(vec![]);
    files.daemon.logfile = None;
    let mut rig = Rig::of(files);
    assert_eq!(rig.fault("supervisor.clearLog", vec![]), (20, "NO_FILE".into()));
    for params in [[i(0), i(0)], [i(-1), i(1)], [s("x"), Value::Nil]] {
        for method in ["supervisor.readLog", "supervisor.readMainLog"] {
            assert_eq!(rig.fault(method, params.to_vec()), (20, "NO_FILE: syslog".into()));
        }
    }
}

#[test]
fn rpc_103_to_106_logs_of_a_process() {
    // Also RPC-104, RPC-105, RPC-106, RPC-111, RPC-121.
    // RPC-110 to RPC-123 by the first and the aliases.
    let mut rig = Rig::new(vec![group("g", 1, vec![logged("p"), idle("none")])]);
    rig.host.files.put("/tmp/p.out", "0123456789éabc".as_bytes());
    rig.host.files.put("/tmp/p.err", b"errors");
    let p = |offset, length| vec![s("g:p"), i(offset), i(length)];
    for method in ["supervisor.readProcessLog", "supervisor.readProcessStdoutLog"] {
        assert_eq!(rig.get(method, p(10, 2)), s("é"));
        assert_eq!(rig.get(method, p(10, 1)), s("\u{fffd}"));
        assert_eq!(rig.fault(method, p(-5, 5)), (3, "BAD_ARGUMENTS".into()));
        assert_eq!(rig.fault(method, p(0, -1)), (3, "BAD_ARGUMENTS".into()));
    }
    assert_eq!(rig.get("supervisor.readProcessStderrLog", p(0, 3)), s("err"));
    for method in ["supervisor.tailProcessLog", "supervisor.tailProcessStdoutLog"] {
        assert_eq!(rig.get(method, p(0, 5)), a(vec![s("éabc"), i(15), b(true)]));
    }
    assert_eq!(rig.get("supervisor.tailProcessStderrLog", p(0, 3)), a(vec![s("ors"), i(6), b(true)]));
    // RPC-004, RPC-118: names come before numbers.
    for odd in [s("x"), Value::Nil, a(vec![])] {
        for kind in ["readProcessLog", "tailProcessStderrLog"] {
            let method = format!("supervisor.{kind}");
            let name = (10, "BAD_NAME: nobody".to_string());
            assert_eq!(rig.fault(&method, vec![s("nobody"), odd.clone(), odd.clone()]), name);
            let number = (2, "INCORRECT_PARAMETERS".to_string());
            assert_eq!(rig.fault(&method, vec![s("g:p"), i(0), odd.clone()]), number);
            assert_eq!(rig.fault(&method, vec![s("g:p"), odd.clone(), i(0)]), number);
        }
    }
    // RPC-116, RPC-118, RPC-122.
    for kind in ["ProcessLog", "ProcessStdoutLog", "ProcessStderrLog"] {
        let (read, tail) = (format!("supervisor.read{kind}"), format!("supervisor.tail{kind}"));
        let none = vec![s("g:none"), i(0), i(0)];
        assert_eq!(rig.fault(&read, none.clone()), (20, "NO_FILE".into()));
        assert_eq!(rig.get(&tail, none), a(vec![s(""), i(0), b(false)]));
        for name in ["nobody", "g:*", "g:", "g"] {
            for method in [&read, &tail] {
                let fault = rig.fault(method, vec![s(name), i(0), i(0)]);
                assert_eq!(fault, (10, format!("BAD_NAME: {name}")));
            }
        }
    }
    rig.turn(|_, turn| turn.host.remove("/tmp/p.out")).expect("removed");
    assert_eq!(rig.fault("supervisor.readProcessLog", p(0, 0)), (20, "NO_FILE: /tmp/p.out".into()));
    // RPC-117: never a wait.
    rig.host.files.put_pipe("/tmp/p.out", 100);
    assert_eq!(rig.fault("supervisor.readProcessLog", p(0, 0)), (30, "FAILED".into()));
    assert_eq!(rig.get("supervisor.tailProcessLog", p(7, 5)), a(vec![s(""), i(7), b(false)]));
}

#[test]
fn rpc_107_logs_are_cleared() {
    for method in ["supervisor.clearProcessLog", "supervisor.clearProcessLogs"] {
        let mut rig = Rig::new(vec![solo(logged("p"))]);
        for name in ["nobody", "p:*"] {
            assert_eq!(rig.fault(method, vec![s(name)]), (10, format!("BAD_NAME: {name}")));
        }
        // BUG-047: also of a stopped process, and backups stay.
        for path in ["/tmp/p.out", "/tmp/p.err", "/tmp/p.out.1"] {
            rig.host.files.put(path, b"old");
        }
        assert_eq!(rig.get(method, vec![s("p")]), yes());
        let texts = ["/tmp/p.out", "/tmp/p.err", "/tmp/p.out.1"].map(|path| rig.host.files.text(path));
        assert_eq!(texts, [Some(&b""[..]), Some(&b""[..]), Some(&b"old"[..])]);
        rig.get("supervisor.startProcess", vec![s("p"), b(false)]);
        rig.print("p", Channel::Stdout, b"new");
        assert_eq!(rig.get(method, vec![s("p")]), yes());
        rig.print("p", Channel::Stdout, b"newer");
        assert_eq!(rig.host.files.text("/tmp/p.out"), Some(&b"newer"[..]));
        rig.host.files.faults.remove = Some(Errno::EACCES);
        assert_eq!(rig.fault(method, vec![s("p")]), (30, "FAILED: p".into()));
    }
}

/// BUG-005: all at once, and answered at once.
#[test]
fn rpc_108_all_logs_are_cleared_by_priority() {
    let mut rig = Rig::new(vec![
        group("g", 9, vec![logged("one"), program("zero", |spec| spec.priority = 1)]),
        group("first", 1, vec![logged("p")]),
        solo(plain("none")),
    ]);
    for path in ["/tmp/one.out", "/tmp/p.out"] {
        rig.host.files.put(path, b"old");
    }
    let all = rig.get("supervisor.clearAllProcessLogs", vec![]);
    assert_eq!(all, a(vec![done("first", "p"), done("g", "zero"), done("g", "one"), done("none", "none")]));
    assert_eq!(rig.host.files.text("/tmp/one.out"), Some(&b""[..]));
    rig.host.files.faults.remove = Some(Errno::EACCES);
    let Value::Array(all) = rig.get("supervisor.clearAllProcessLogs", vec![]) else { panic!() };
    assert_eq!(all[2], entry("g", "one", 30, "FAILED: g:one"));
}
