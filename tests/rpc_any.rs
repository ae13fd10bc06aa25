//! Every method with arguments of every kind: an orderly answer, whatever they are.

mod pure;

use majordomo::base::value::Value;
use majordomo::sim::dice::Dice;
use pure::{Asked, Rig, a, b, config, group, i, idle, plain, s, solo, st, texts};

/// Values of every kind, and those that mean something.
fn values() -> Vec<Value> {
    let texts =
        ["", "p", "g", "g:a", "g:*", "*", ":", "nobody", "HUP", "-5", "0", "9", "x y", "supervisor.getPID", "é\0"];
    let mut all: Vec<Value> = texts.map(s).into();
    all.extend([0, 1, -1, 15, 64, 1 << 40, i64::MAX, i64::MIN].map(i));
    all.extend([0.0, -0.5, 1e300, f64::NAN, f64::INFINITY, f64::NEG_INFINITY].map(Value::Double));
    all.extend(["99999999999999999999", "-99999999999999999999"].map(|text| Value::integer(text).expect("a number")));
    all.extend([Value::Nil, b(true), b(false), Value::DateTime("20240131T10:20:30".into())]);
    all.extend([Value::Bytes(vec![]), Value::Bytes(vec![0xff, 0]), Value::Bytes(b"p".to_vec())]);
    let call = |method: &str, params: Value| st(&[("methodName", s(method)), ("params", params)]);
    all.extend([
        a(vec![]),
        a(vec![i(1), Value::Nil]),
        a(vec![call("supervisor.getPID", a(vec![])), call("system.multicall", a(vec![a(vec![])])), st(&[])]),
        a(vec![call("supervisor.readLog", a(vec![s("x"), Value::Nil])), call("x", i(5)), i(5)]),
        st(&[]),
        st(&[("command", s("/bin/steady")), ("autostart", b(false)), ("numprocs", i(-1))]),
        st(&[("command", Value::Nil), ("priority", s("much"))]),
        st(&[("priority", Value::Double(f64::NAN))]),
    ]);
    all
}

/// A fault that a client can make sense of.
fn is_orderly(code: i32) -> bool {
    [1, 2, 3, 4, 10, 11, 20, 21, 30, 40, 50, 60, 70, 90, 91, 92, 230].contains(&code)
}

/// RPC-009: a call that fails inside would be status 500 and one critical line. None does: there is no value that a
/// handler can't take or refuse. RPC-004, BUG-016: what is refused is refused with a fault; RPC-175.
#[test]
fn rpc_009_no_call_fails_inside() {
    let files = config(vec![group("g", 5, vec![idle("a"), plain("c")]), solo(plain("p"))]);
    let fresh = files.clone();
    let mut rig = Rig::of(files);
    let methods = texts(&rig.get("system.listMethods", vec![]));
    assert_eq!(methods.len(), 56);
    let values = values();
    let mut dice = Dice::new(1);
    for round in 0..12_000 {
        if round % 100 == 0 {
            assert!(!rig.log().iter().any(|line| line.starts_with("CRIT")), "{:?}", rig.log());
            rig = Rig::of(fresh.clone());
            rig.host.config = Some(fresh.clone());
            rig.begin();
        }
        let method = dice.pick(&methods).clone();
        if ["supervisor.shutdown", "supervisor.restart"].contains(&method.as_str()) {
            continue;
        }
        let params: Vec<Value> = (0..dice.below(4)).map(|_| dice.pick(&values).clone()).collect();
        match rig.ask(&method, params.clone()) {
            Asked::Now(Ok(_)) | Asked::Later(_) => {}
            Asked::Now(Err(fault)) => {
                assert!(is_orderly(fault.code), "{method} {params:?}: {fault:?}");
                let name = fault.text.split(':').next().unwrap_or_default();
                let upper = name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
                assert!(upper && !name.is_empty(), "{method} {params:?}: {fault:?}");
            }
        }
        rig.pass_ms(dice.below(300));
    }
}
