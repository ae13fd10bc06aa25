//! `cache.*` (cache.md).

mod pure;

use majordomo::base::value::Value;
use majordomo::config::spec::InterfaceKind;
use majordomo::wire::xml_read::CallReader;
use pure::{Rig, a, b, config, i, read, s, st, texts, yes};

/// A daemon whose cache takes any value.
fn any() -> Rig {
    let mut files = config(vec![]);
    for interface in &mut files.interfaces {
        if let InterfaceKind::Cache { any, .. } = &mut interface.kind {
            *any = true;
        }
    }
    Rig::of(files)
}

fn store(rig: &mut Rig, key: &str, value: Value) {
    assert_eq!(rig.get("cache.store", vec![s(key), value]), yes());
}

#[test]
fn cache_040_the_transcript() {
    // CACHE-011, CACHE-013, CACHE-014.
    let mut rig = Rig::new(vec![]);
    assert_eq!(rig.get("cache.getKeys", vec![]), a(vec![]));
    assert_eq!(rig.get("cache.store", vec![s("foo"), s("bar")]), yes());
    assert_eq!(rig.get("cache.fetch", vec![s("foo")]), s("bar"));
    assert_eq!(rig.get("cache.getKeys", vec![]), a(vec![s("foo")]));
}

#[test]
fn cache_010_to_016_methods() {
    // Also CACHE-012, CACHE-015, CACHE-016, CACHE-051 (getCount), CACHE-053 (sorted keys).
    let mut rig = Rig::new(vec![]);
    assert_eq!(rig.get("cache.getAPIVersion", vec![]), s("0.2"));
    for (key, value) in [("b", "1"), ("B", "2"), ("a", "3"), ("é", "4"), ("b", "5")] {
        store(&mut rig, key, s(value));
    }
    assert_eq!(rig.get("cache.fetch", vec![s("b")]), s("5"), "replaced");
    // By code point.
    assert_eq!(texts(&rig.get("cache.getKeys", vec![])), ["B", "a", "b", "é"]);
    assert_eq!(rig.get("cache.getCount", vec![]), i(4));
    assert_eq!(rig.fault("cache.fetch", vec![s("absent")]), (10, "BAD_NAME".into()));
    for _ in 0..2 {
        assert_eq!(rig.get("cache.delete", vec![s("b")]), yes());
    }
    assert_eq!(rig.get("cache.getCount", vec![]), i(3));
    assert_eq!(rig.get("cache.clear", vec![]), yes());
    assert_eq!((rig.get("cache.getCount", vec![]), rig.get("cache.getKeys", vec![])), (i(0), a(vec![])));
}

#[test]
fn cache_020_keys() {
    let mut rig = any();
    let refused = (10, "BAD_NAME: Cache key must be a non-empty string".to_string());
    for key in [s(""), i(1), Value::Nil, a(vec![]), b(true), Value::Bytes(vec![]), Value::Bytes(vec![0xff])] {
        assert_eq!(rig.fault("cache.store", vec![key.clone(), s("x")]), refused, "{key:?}");
        assert_eq!(rig.fault("cache.fetch", vec![key.clone()]), refused, "{key:?}");
        assert_eq!(rig.fault("cache.delete", vec![key.clone()]), refused, "{key:?}");
    }
    // No other limit; base64 that is text is text.
    let long = "x".repeat(100_000);
    for key in [" ", "a:b/c d\n", &long] {
        store(&mut rig, key, s(key));
        assert_eq!(rig.get("cache.fetch", vec![s(key)]), s(key));
    }
    assert_eq!(rig.get("cache.fetch", vec![Value::Bytes(b" ".to_vec())]), s(" "));
}

#[test]
fn cache_021_and_022_only_strings() {
    // Also CACHE-022.
    let mut rig = Rig::new(vec![]);
    let refused = (2, "INCORRECT_PARAMETERS: Cache data must be a string".to_string());
    let odd = [i(1), b(true), Value::Nil, Value::Double(1.5), a(vec![]), st(&[]), Value::Bytes(vec![0xff])];
    for value in odd.into_iter().chain([Value::DateTime("20240131T10:20:30".into())]) {
        assert_eq!(rig.fault("cache.store", vec![s("k"), value]), refused);
    }
    assert_eq!(rig.get("cache.getCount", vec![]), i(0));
    // The key comes first.
    assert_eq!(rig.fault("cache.store", vec![s(""), i(1)]).0, 10);
    store(&mut rig, "empty", s(""));
    assert_eq!(rig.get("cache.fetch", vec![s("empty")]), s(""));
    store(&mut rig, "text", Value::Bytes("é".into()));
    assert_eq!(rig.get("cache.fetch", vec![s("text")]), s("é"));
}

#[test]
fn cache_023_any_value_comes_back_as_it_was() {
    // Also CACHE-054.
    // DEC-010, BUG-105.
    let mut rig = any();
    let all = [
        i(-5),
        i(1 << 40),
        Value::integer("123456789012345678901234567890").expect("a number"),
        b(false),
        Value::Double(1.25),
        s("x\ty"),
        Value::DateTime("20240131T10:20:30".into()),
        Value::Bytes(b"text".to_vec()),
        Value::Bytes(vec![0, 0xff]),
        Value::Nil,
        a(vec![i(1), a(vec![]), st(&[("b", Value::Nil), ("a", s(""))])]),
    ];
    for value in all {
        store(&mut rig, "k", value.clone());
        assert_eq!(rig.get("cache.fetch", vec![s("k")]), value);
    }
}

#[test]
fn cache_024_the_gate_comes_first_but_for_the_count() {
    let mut rig = Rig::one(|_| {});
    rig.begin();
    rig.host.config = Some(config(vec![]));
    rig.get("supervisor.restart", vec![]);
    store(&mut rig, "k", s("v"));
    rig.turn(|world, turn| world.signalled(15, turn));
    for (method, params) in [
        ("cache.store", vec![s(""), i(1)]),
        ("cache.fetch", vec![i(1)]),
        ("cache.delete", vec![s("k")]),
        ("cache.clear", vec![]),
        ("cache.getKeys", vec![]),
        ("cache.getCount", vec![]),
        ("cache.getAPIVersion", vec![]),
    ] {
        assert_eq!(rig.fault(method, params), (6, "SHUTDOWN_STATE".into()), "{method}");
    }
    assert_eq!(rig.fault("cache.store", vec![s("k")]), (2, "INCORRECT_PARAMETERS".into()));
}

#[test]
fn cache_001_and_004_sections() {
    // Also CACHE-004.
    let section = |name: &str, rest: &str| {
        format!(
            "[rpcinterface:{name}]\nsupervisor.rpcinterface_factory = \
             supervisor_cache.rpcinterface:make_cache_rpcinterface\n{rest}\n"
        )
    };
    for (rest, takes_any) in [("", false), ("values=String", false), ("values = ANY", true), ("color=red", false)] {
        let mut rig = Rig::of(read(&section("box", rest)).expect("sound"));
        assert_eq!(rig.call("box.store", vec![s("k"), i(1)]).is_ok(), takes_any, "{rest}");
    }
    let errors = read(&section("box", "values=ints")).err().unwrap_or_default();
    assert_eq!(errors.len(), 1);
    assert!(errors[0].contains("rpcinterface:box") && errors[0].contains("ints"), "{errors:?}");
    // CACHE-005: one store for each namespace.
    let mut rig = Rig::of(read(&(section("one", "") + &section("two", ""))).expect("sound"));
    rig.get("one.store", vec![s("k"), s("v")]);
    assert_eq!((rig.get("one.getCount", vec![]), rig.get("two.getCount", vec![])), (i(1), i(0)));
}

/// CACHE-025: a limit of its own, past which nothing is stored and nothing is lost.
#[test]
fn cache_025_a_full_cache() {
    let section = "[rpcinterface:cache]\nsupervisor.rpcinterface_factory = \
                   supervisor_cache.rpcinterface:make_cache_rpcinterface\n";
    let mut rig = Rig::of(read(&format!("{section}maxbytes = 1KB\n")).expect("sound"));
    store(&mut rig, "a", s(&"x".repeat(700)));
    let full = (30, "FAILED: the cache is full: maxbytes is 1024; delete something".to_string());
    assert_eq!(rig.fault("cache.store", vec![s("b"), s(&"x".repeat(300))]), full);
    assert_eq!(rig.fault("cache.store", vec![s("a"), s(&"x".repeat(1100))]), full);
    assert_eq!(rig.get("cache.fetch", vec![s("a")]), s(&"x".repeat(700)), "what was there stays");
    assert_eq!(texts(&rig.get("cache.getKeys", vec![])), ["a"]);
    // What makes room makes room.
    store(&mut rig, "a", s("x"));
    store(&mut rig, "b", s(&"x".repeat(700)));
    rig.get("cache.delete", vec![s("b")]);
    store(&mut rig, "c", s(&"x".repeat(700)));
    rig.get("cache.clear", vec![]);
    store(&mut rig, "d", s(&"x".repeat(800)));
    // Without the key there is none: far more than 256 MiB would fit, and one is not tried here.
    let mut rig = Rig::of(read(section).expect("sound"));
    store(&mut rig, "a", s(&"x".repeat(1 << 20)));
    for bad in ["much", "1TB"] {
        let errors = read(&format!("{section}maxbytes = {bad}\n")).err().unwrap_or_default();
        assert_eq!(errors.len(), 1);
        assert!(errors[0].contains("maxbytes of [rpcinterface:cache]"), "{errors:?}");
    }
}

/// What getAPIVersion, getCount, keys and values were in each release; all of it is what 1.1.0 does, but for the type
/// of values: CACHE-050 (0.1: strings only, as here by default), CACHE-051 (0.2: getCount), CACHE-053 (1.0: sorted
/// keys), CACHE-054 (1.1: any type, as here with `values=any`). CACHE-052 (0.5) is about supervisorctl: its arguments
/// are read as a shell reads them, see `ctl::cache`.
#[test]
fn cache_050_to_054_history() {
    let mut rig = Rig::new(vec![]);
    // A client of 0.1 finds all it knew.
    for (method, params) in [("store", vec![s("k"), s("v")]), ("fetch", vec![s("k")]), ("getKeys", vec![])] {
        assert!(rig.call(&format!("cache.{method}"), params).is_ok(), "{method}");
    }
    assert_eq!(rig.fault("cache.store", vec![s("k"), i(1)]).0, 2, "CACHE-050");
    assert_eq!(rig.get("cache.getCount", vec![]), i(1), "CACHE-051");
    assert_eq!(rig.get("cache.getAPIVersion", vec![]), s("0.2"), "CACHE-051");
    store(&mut rig, "a", s("v"));
    assert_eq!(texts(&rig.get("cache.getKeys", vec![])), ["a", "k"], "CACHE-053");
    assert_eq!(any().call("cache.store", vec![s("k"), i(1)]), Ok(yes()), "CACHE-054");
}

#[test]
fn cache_005_a_reload_empties_the_store() {
    let mut rig = Rig::new(vec![]);
    store(&mut rig, "k", s("v"));
    let mut rig = Rig::of(rig.world.config.clone());
    assert_eq!(rig.get("cache.getKeys", vec![]), a(vec![]));
}

#[test]
fn cache_026_line_ends_as_xml_reads_them() {
    // RPC-183: the root's name is not checked.
    let mut reader = CallReader::new();
    let call = "<anything><methodName>cache.store</methodName><params><param><value>k</value></param><param>\
                <value><string> a\r\nb\rc\t</string></value></param></params></anything>";
    reader.push(call.as_bytes()).expect("sound");
    let call = reader.finish().expect("a call");
    let mut rig = Rig::new(vec![]);
    rig.get(&call.method, call.params);
    assert_eq!(rig.get("cache.fetch", vec![s("k")]), s(" a\nb\nc\t"));
    let mut reader = CallReader::new();
    reader.push(b"<x><methodName>cache.getCount</methodName></x>").expect("sound");
    let call = reader.finish().expect("a call");
    assert_eq!(rig.get(&call.method, call.params), i(1), "absent params are none");
}
