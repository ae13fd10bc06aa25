//! `system.*`: what can be called, and several calls in one (rpc.md, sections 8 and 9).

mod pure;

use majordomo::base::value::Value;
use majordomo::base::words::Fault;
use majordomo::config::spec::{InterfaceKind, InterfaceSpec};
use majordomo::rpc::{Method, methods_of, system};
use pure::{Rig, a, config, i, s, solo, st, texts, twiddler, yes};

fn only_main() -> Rig {
    let mut files = config(vec![]);
    files.interfaces = vec![InterfaceSpec { namespace: "supervisor".into(), kind: InterfaceKind::Main }];
    Rig::of(files)
}

/// RPC-163.
const MAIN: &str = "addProcessGroup clearAllProcessLogs clearLog clearProcessLog clearProcessLogs getAPIVersion \
    getAllConfigInfo getAllProcessInfo getIdentification getPID getProcessInfo getState getSupervisorVersion \
    getVersion readLog readMainLog readProcessLog readProcessStderrLog readProcessStdoutLog reloadConfig \
    removeProcessGroup restart sendProcessStdin sendRemoteCommEvent shutdown signalAllProcesses signalProcess \
    signalProcessGroup startAllProcesses startProcess startProcessGroup stopAllProcesses stopProcess \
    stopProcessGroup tailProcessLog tailProcessStderrLog tailProcessStdoutLog";

const SYSTEM: [&str; 4] = ["system.listMethods", "system.methodHelp", "system.methodSignature", "system.multicall"];

#[test]
fn rpc_140_and_163_every_method_in_order() {
    let names = texts(&only_main().get("system.listMethods", vec![]));
    let mut expected: Vec<String> = MAIN.split_whitespace().map(|name| format!("supervisor.{name}")).collect();
    expected.extend(SYSTEM.map(String::from));
    assert_eq!(names, expected);
    assert_eq!(names.len(), 41);
}

#[test]
fn rpc_162_with_the_extensions() {
    // CACHE-006, TWID-061; CACHE-001, TWID-001: the namespace is the section's.
    let mut files = config(vec![]);
    files.interfaces = vec![
        InterfaceSpec { namespace: "t".into(), kind: twiddler("0.1", &[]) },
        InterfaceSpec { namespace: "c".into(), kind: InterfaceKind::Cache { any: false, max_bytes: None } },
        InterfaceSpec { namespace: "alien".into(), kind: InterfaceKind::Foreign { factory: "x:y".into() } },
    ];
    let mut rig = Rig::of(files);
    let mut expected: Vec<String> = ["clear", "delete", "fetch", "getAPIVersion", "getCount", "getKeys", "store"]
        .map(|name| format!("c.{name}"))
        .into();
    expected.extend(SYSTEM.map(String::from));
    let methods = "addEmptyGroup addGroup addProcessToGroup addProgramToGroup getAPIVersion getGroupNames log \
                   removeProcessFromGroup";
    expected.extend(methods.split_whitespace().map(|name| format!("t.{name}")));
    assert_eq!(texts(&rig.get("system.listMethods", vec![])), expected);
    // CACHE-003.
    assert_eq!(rig.fault("cache.getKeys", vec![]), (1, "UNKNOWN_METHOD".into()));
    assert_eq!(rig.get("c.getKeys", vec![]), a(vec![]));
    assert_eq!(rig.fault("supervisor.getPID", vec![]).0, 1);
}

#[test]
fn rpc_142_and_144_to_161_signatures() {
    // Also RPC-144, RPC-145, RPC-146, RPC-147, RPC-148, RPC-149, RPC-150, RPC-151, RPC-152, RPC-153, RPC-154,
    // RPC-155, RPC-156, RPC-157, RPC-158, RPC-159, RPC-160, RPC-161.
    // CACHE-030, TWID-060.
    let table = [
        ("string", "getAPIVersion getVersion getSupervisorVersion getIdentification"),
        ("struct", "getState"),
        ("int", "getPID"),
        ("array", "getAllProcessInfo getAllConfigInfo reloadConfig clearAllProcessLogs system.listMethods"),
        ("boolean", "shutdown restart clearLog"),
        ("struct, string", "getProcessInfo"),
        ("boolean, string", "addProcessGroup removeProcessGroup clearProcessLog clearProcessLogs"),
        ("boolean, string, boolean", "startProcess stopProcess"),
        ("array, string, boolean", "startProcessGroup stopProcessGroup"),
        ("array, boolean", "startAllProcesses stopAllProcesses"),
        ("boolean, string, string", "signalProcess sendProcessStdin sendRemoteCommEvent"),
        ("array, string, string", "signalProcessGroup"),
        ("array, string", "signalAllProcesses system.methodSignature"),
        ("string, int, int", "readLog readMainLog"),
        ("string, string, int, int", "readProcessLog readProcessStdoutLog readProcessStderrLog"),
        ("array, string, int, int", "tailProcessLog tailProcessStdoutLog tailProcessStderrLog"),
        ("string, string", "system.methodHelp"),
        ("array, array", "system.multicall"),
        ("boolean", "cache.clear"),
        ("boolean, string", "cache.delete"),
        ("string, string", "cache.fetch"),
        ("string", "cache.getAPIVersion"),
        ("integer", "cache.getCount"),
        ("array", "cache.getKeys twiddler.getGroupNames"),
        ("boolean, string, string", "cache.store twiddler.removeProcessFromGroup"),
        ("int", "twiddler.getAPIVersion"),
        ("boolean, string, string|int", "twiddler.log"),
        ("boolean, string, string, struct", "twiddler.addProgramToGroup twiddler.addProcessToGroup"),
        ("boolean, string, int", "twiddler.addGroup twiddler.addEmptyGroup"),
    ];
    let mut rig = Rig::new(vec![]);
    let mut seen = 0;
    for (types, names) in table {
        for name in names.split_whitespace() {
            let name = if name.contains('.') { name.to_string() } else { format!("supervisor.{name}") };
            let signature = texts(&rig.get("system.methodSignature", vec![s(&name)]));
            assert_eq!(signature.join(", "), types, "{name}");
            seen += 1;
        }
    }
    assert_eq!(texts(&rig.get("system.listMethods", vec![])).len(), seen, "all of them");
}

#[test]
fn rpc_023_of_an_unknown_method_nothing_is_known() {
    // RPC-141, RPC-142.
    let mut rig = Rig::new(vec![]);
    for name in ["", "supervisor", "supervisor.x", "getPID", "system.getPID", "supervisor.getPID.x"] {
        for method in ["system.methodHelp", "system.methodSignature"] {
            assert_eq!(rig.fault(method, vec![s(name)]), (4, "SIGNATURE_UNSUPPORTED".into()), "{name}");
        }
    }
}

#[test]
fn rpc_141_help_carries_the_tags_that_clients_parse() {
    let mut rig = Rig::new(vec![]);
    let names = texts(&rig.get("system.listMethods", vec![]));
    assert_eq!(names.len(), 41 + 8 + 7);
    for name in names {
        let help = rig.get("system.methodHelp", vec![s(&name)]);
        let help = help.as_text().expect("a text");
        let signature = texts(&rig.get("system.methodSignature", vec![s(&name)]));
        let lines: Vec<&str> = help.lines().collect();
        assert!(lines[0].ends_with('.') && !lines[0].starts_with('@'), "{name}: a summary first");
        let tags = |tag: &str| -> Vec<Vec<&str>> {
            let with = lines.iter().filter(|line| line.starts_with(tag));
            with.map(|line| line.split_whitespace().skip(1).collect()).collect()
        };
        let (returns, params) = (tags("@return "), tags("@param "));
        assert_eq!(returns.len(), 1, "{name}");
        assert_eq!(returns[0][0], signature[0], "{name}");
        assert!(returns[0].len() > 1, "{name}: the result has a meaning");
        // Of addEmptyGroup the signature shows the older form (TWID-033).
        let shown = if name == "twiddler.addEmptyGroup" { &params[..2] } else { &params[..] };
        assert_eq!(shown.iter().map(|param| param[0]).collect::<Vec<_>>(), signature[1..], "{name}");
        assert!(params.iter().all(|param| param.len() > 2), "{name}: a name and a meaning");
    }
    assert_eq!(
        rig.get("system.methodHelp", vec![s("supervisor.stopProcess")]).as_text().map(|text| text.lines().count()),
        Some(5)
    );
}

#[test]
fn the_tables_make_sense() {
    let kinds = [InterfaceKind::Main, twiddler("0.1", &[]), InterfaceKind::Cache { any: true, max_bytes: None }];
    for rows in kinds.iter().flat_map(methods_of) {
        rows.iter().for_each(makes_sense);
    }
    system::METHODS.iter().for_each(makes_sense);
}

fn makes_sense(row: &Method) {
    let name = row.name;
    assert!(!name.starts_with('_') && !row.help.is_empty() && !row.result.is_empty(), "{name}");
    assert!(row.params.iter().all(|param| !param.name.is_empty() && !param.help.is_empty()), "{name}");
    // Those with a default come last.
    assert!(row.params.iter().is_sorted_by_key(|param| param.optional), "{name}");
}

fn call(method: &str, params: Vec<Value>) -> Value {
    st(&[("methodName", s(method)), ("params", a(params))])
}

fn bad(code: i64, text: &str) -> Value {
    st(&[("faultCode", i(code)), ("faultString", s(text))])
}

#[test]
fn rpc_143_and_170_to_174_multicall() {
    // Also RPC-171, RPC-174.
    // RPC-172: bare values. RPC-173: a fault doesn't end it.
    let mut rig = Rig::new(vec![]);
    let calls = a(vec![
        call("cache.store", vec![s("k"), s("v")]),
        call("cache.fetch", vec![s("k")]),
        // RPC-170: params may be left out.
        st(&[("methodName", s("supervisor.getPID"))]),
        st(&[("params", a(vec![]))]),
        st(&[]),
        st(&[("methodName", Value::Nil)]),
        st(&[("methodName", i(5))]),
        call("", vec![]),
        call("cache.nothing", vec![]),
        call("cache.fetch", vec![s("absent")]),
        call("cache.fetch", vec![]),
        call("system.multicall", vec![a(vec![])]),
        st(&[("methodName", s("supervisor.getPID")), ("params", s("x"))]),
        call("cache.getKeys", vec![]),
        st(&[("other", i(1)), ("params", a(vec![s("k")])), ("methodName", Value::Bytes(b"cache.delete".to_vec()))]),
        call("cache.getCount", vec![]),
    ]);
    let answer = rig.get("system.multicall", vec![calls]);
    let none = || bad(2, "INCORRECT_PARAMETERS: No methodName");
    assert_eq!(
        answer,
        a(vec![
            yes(),
            s("v"),
            i(1000),
            none(),
            none(),
            none(),
            bad(2, "INCORRECT_PARAMETERS"),
            bad(1, "UNKNOWN_METHOD"),
            bad(1, "UNKNOWN_METHOD"),
            bad(10, "BAD_NAME"),
            bad(2, "INCORRECT_PARAMETERS"),
            bad(2, "INCORRECT_PARAMETERS: Recursive system.multicall forbidden"),
            bad(2, "INCORRECT_PARAMETERS"),
            a(vec![s("k")]),
            yes(),
            i(0),
        ])
    );
}

#[test]
fn rpc_020_to_037_faults_and_their_names() {
    for (code, name) in [
        (1, "UNKNOWN_METHOD"),        // RPC-020
        (2, "INCORRECT_PARAMETERS"),  // RPC-021
        (3, "BAD_ARGUMENTS"),         // RPC-022
        (4, "SIGNATURE_UNSUPPORTED"), // RPC-023
        (6, "SHUTDOWN_STATE"),        // RPC-024
        (10, "BAD_NAME"),             // RPC-025
        (11, "BAD_SIGNAL"),           // RPC-026
        (20, "NO_FILE"),              // RPC-027
        (21, "NOT_EXECUTABLE"),       // RPC-027
        (30, "FAILED"),               // RPC-028
        (40, "ABNORMAL_TERMINATION"), // RPC-029
        (50, "SPAWN_ERROR"),          // RPC-030
        (60, "ALREADY_STARTED"),      // RPC-031
        (70, "NOT_RUNNING"),          // RPC-032
        (80, "SUCCESS"),              // RPC-033
        (90, "ALREADY_ADDED"),        // RPC-034
        (91, "STILL_RUNNING"),        // RPC-035
        (92, "CANT_REREAD"),          // RPC-036
        (230, "UNKNOWN"),             // RPC-037
        (5, "UNKNOWN"),
    ] {
        assert_eq!(Fault::new(code).text, name);
        assert_eq!(Fault::with(code, "why").text, format!("{name}: why"));
    }
}

#[test]
fn rpc_176_what_is_no_list_of_calls() {
    // BUG-017.
    let mut rig = Rig::new(vec![]);
    for odd in [s("x"), st(&[]), i(1), Value::Nil, a(vec![s("x")]), a(vec![st(&[]), a(vec![])])] {
        assert_eq!(rig.fault("system.multicall", vec![odd]), (2, "INCORRECT_PARAMETERS".into()));
    }
    assert_eq!(rig.get("system.multicall", vec![a(vec![])]), a(vec![]));
}

#[test]
fn rpc_172_arrays_of_one_by_choice() {
    // DEC-011, BUG-037.
    let mut files = config(vec![]);
    files.daemon.multicall_arrays = true;
    let mut rig = Rig::of(files);
    let answer = rig.get("system.multicall", vec![a(vec![call("supervisor.getPID", vec![]), call("x.y", vec![])])]);
    assert_eq!(answer, a(vec![a(vec![i(1000)]), bad(1, "UNKNOWN_METHOD")]));
}

/// What one multicall may give is bounded, and so is what it does before others get their turn.
#[test]
fn rpc_171_long_results_are_refused_and_leave_others_their_turn() {
    use majordomo::base::limits::{MULTICALL_BYTES, MULTICALL_BYTES_PER_LOOK};
    let mut rig = Rig::new(vec![]);
    let text = "x".repeat(12 << 20);
    assert!(text.len() as u64 > MULTICALL_BYTES_PER_LOOK);
    rig.host.files.put(pure::MAIN_LOG, text.as_bytes());
    let mut calls = vec![call("supervisor.readLog", vec![i(0), i(0)]); 20];
    calls.push(call("cache.store", vec![s("k"), s("v")]));
    calls.push(st(&[]));
    let mut waiting = rig.wait("system.multicall", vec![a(calls)]);
    // One at a time, until they are refused.
    let fits = usize::try_from(MULTICALL_BYTES).expect("small") / text.len() + 1;
    let mut looks = 1;
    let answer = loop {
        if let Some(answer) = rig.poll(&mut waiting) {
            break answer.expect("results");
        }
        looks += 1;
        assert!(looks < 100);
    };
    assert!(looks >= fits, "{looks} looks");
    let Value::Array(results) = answer else { panic!("results") };
    assert_eq!(results.len(), 22);
    assert!(results[..fits].iter().all(|result| matches!(result, Value::Str(read) if *read == text)));
    let refused = "FAILED: not carried out: results before it take 67108864 bytes; make this call in another multicall";
    assert!(results[fits..21].iter().all(|result| *result == bad(30, refused)));
    // What is no call is told so.
    assert_eq!(results[21], bad(2, "INCORRECT_PARAMETERS: No methodName"));
    assert_eq!(rig.get("cache.getCount", vec![]), i(0));
}

#[test]
fn rpc_177_each_call_is_gated_for_itself() {
    // RPC-006: system is open.
    let mut rig = Rig::new(vec![solo(pure::plain("p"))]);
    rig.begin();
    let calls = vec![
        call("supervisor.getPID", vec![]),
        call("supervisor.shutdown", vec![]),
        call("supervisor.getPID", vec![]),
        call("cache.getCount", vec![]),
        call("supervisor.sendRemoteCommEvent", vec![s("a"), s("b")]),
        call("system.methodSignature", vec![s("supervisor.getPID")]),
    ];
    let gated = || bad(6, "SHUTDOWN_STATE");
    let answer = rig.get("system.multicall", vec![a(calls)]);
    assert_eq!(answer, a(vec![i(1000), yes(), gated(), gated(), yes(), a(vec![s("int")])]));
    assert_eq!(texts(&rig.get("system.listMethods", vec![])).len(), 56);
}

/// What an account that may only look may call.
#[test]
fn methods_that_only_read() {
    let rows = |kind: &InterfaceKind| methods_of(kind).iter().copied().flatten().collect::<Vec<_>>();
    let twiddler = InterfaceKind::Twiddler { api_version: String::new(), whitelist: Vec::new() };
    let cache = InterfaceKind::Cache { any: false, max_bytes: None };
    let mut all: Vec<&Method> = [InterfaceKind::Main, twiddler, cache].iter().flat_map(rows).collect();
    all.extend(system::METHODS);
    let words = ["get", "read", "tail", "list", "method", "fetch"];
    for method in all {
        // The names say it; what is in a multicall is looked at by itself.
        let expected = words.iter().any(|word| method.name.starts_with(word)) || method.name == "multicall";
        assert_eq!(method.reads, expected, "{}", method.name);
    }
}
