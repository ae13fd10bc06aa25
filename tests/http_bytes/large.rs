//! Large values of the cache, which are sent from where they lie: the same bytes as of any other answer.

use std::io::Read;
use std::time::Duration;

use crate::rig::{Rig, call, post, status};
use majordomo::base::key::Key;
use majordomo::base::limits;
use majordomo::front::Conn;
use majordomo::world::Turn;

/// An answer behind its head.
fn document(text: &str) -> String {
    format!(
        "<?xml version='1.0'?>\n<methodResponse>\n<params>\n<param>\n<value><string>{text}</string></value>\n\
         </param>\n</params>\n</methodResponse>\n"
    )
}

fn store(rig: &mut Rig, key: &str, text: &str) {
    assert_eq!(status(&rig.ask(post("/RPC2", "", &call("cache.store", &[key, text])))), "200");
}

fn fetch(key: &str) -> String {
    post("/RPC2", "", &call("cache.fetch", &[key]))
}

fn text(bytes: usize) -> String {
    "all work and no play, café\n".chars().cycle().take(bytes).collect()
}

/// The head of an answer with such a document.
fn check(answer: &str, expected: &str) {
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    assert!(head.contains(&format!("\r\nContent-Length: {}", expected.len())), "{head}");
    assert!(body == expected, "{} bytes instead of {}", body.len(), expected.len());
}

/// CACHE-026, RPC-205: whatever is in it, it comes as a short one would.
#[test]
fn cache_026_large_values_come_as_they_were_stored() {
    let mut rig = Rig::new();
    for bytes in [limits::SHARED_BYTES - 1, limits::SHARED_BYTES, 300_000] {
        for (last, shown) in [("", ""), ("\u{ffc0}]]", "\u{ffc0}]]"), ("&lt;", "&lt;"), ("\u{fffd}", "\u{fffd}")] {
            let text = text(bytes);
            store(&mut rig, "k", &format!("{text}{last}"));
            let conn = rig.connect(0);
            rig.send(conn, fetch("k").as_bytes());
            rig.pass(Duration::ZERO);
            check(&rig.read(conn), &document(&format!("{text}{shown}")));
            rig.front.closed(conn);
        }
    }
}

#[test]
fn an_answer_stays_what_it_was_whatever_happens_to_the_key() {
    for portion in [1_000, 99_999, 400_000] {
        let mut rig = Rig::new();
        let old = text(300_000);
        store(&mut rig, "k", &old);
        let conn = rig.connect(0);
        rig.send(conn, fetch("k").as_bytes());
        let mut answer = rig.take(conn, portion);
        store(&mut rig, "k", &text(200_000));
        answer.extend(rig.take(conn, portion));
        assert_eq!(status(&rig.ask(post("/RPC2", "", &call("cache.delete", &["k"])))), "200");
        assert_eq!(status(&rig.ask(post("/RPC2", "", &call("cache.clear", &[])))), "200");
        loop {
            let more = rig.take(conn, portion);
            if more.is_empty() {
                break;
            }
            answer.extend(more);
        }
        check(std::str::from_utf8(&answer).expect("text"), &document(&old));
    }
}

/// Several in one segment: the first one is shared, the others wait behind it.
#[test]
fn answers_behind_each_other_keep_their_order() {
    let mut rig = Rig::new();
    let values = [text(100_000), "short".to_string(), text(150_000), text(20_000)];
    let mut questions = String::new();
    for (number, value) in values.iter().enumerate() {
        store(&mut rig, &number.to_string(), value);
        questions += &fetch(&number.to_string());
    }
    let conn = rig.connect(0);
    rig.send(conn, questions.as_bytes());
    let answers = rig.read(conn);
    let mut rest = answers.as_str();
    for value in &values {
        let (answer, behind) = rest.split_at(rest.find("</methodResponse>\n").expect("an end") + 18);
        check(answer, &document(value));
        rest = behind;
    }
    assert_eq!(rest, "");
}

/// A multicall that fetches so many times.
fn fetches(key: &str, count: usize, headers: &str) -> String {
    let call = format!(
        "<value><struct><member><name>methodName</name><value>cache.fetch</value></member>\
         <member><name>params</name><value><array><data><value>{key}</value></data></array></value></member>\
         </struct></value>"
    );
    let body = format!(
        "<methodCall><methodName>system.multicall</methodName><params><param><value><array><data>{}</data></array>\
         </value></param></params></methodCall>",
        call.repeat(count)
    );
    post("/RPC2", headers, &body)
}

/// Its answer.
fn fetched(text: &str, count: usize) -> String {
    let items = format!("<value><string>{text}</string></value>\n").repeat(count);
    format!(
        "<?xml version='1.0'?>\n<methodResponse>\n<params>\n<param>\n<value><array><data>\n{items}</data></array>\
         </value>\n</param>\n</params>\n</methodResponse>\n"
    )
}

/// An answer with many parts is written in pieces: others are answered meanwhile, and it is the same as in one.
#[test]
fn rpc_200_large_answers_leave_others_their_turn() {
    let mut rig = Rig::new();
    let text = text(9_000);
    store(&mut rig, "k", &text);
    for count in [1, 20, 40, 200, 400] {
        let bytes = fetched(&text, count).len();
        // Before it another answer that nobody has taken yet, or none; behind it one more.
        for before in [false, true] {
            let conn = rig.connect(0);
            if before {
                rig.send(conn, fetch("k").as_bytes());
            }
            rig.send(conn, (fetches("k", count, "") + &fetch("k")).as_bytes());
            let others = rig.ask(fetch("k"));
            check(&others, &document(&text));
            let is_here = |rig: &Rig| rig.front.get(conn).expect("a connection").outgoing().len() > bytes;
            // Each turn writes a piece.
            let pieces = bytes / limits::ANSWER_PIECE_BYTES;
            assert!(is_here(&rig) == (pieces == 0) || (1..6).contains(&pieces), "{count}");
            rig.pass(Duration::ZERO);
            assert!(is_here(&rig));
            let answers = rig.read(conn);
            let mut rest = answers.as_str();
            if before {
                let (answer, behind) = rest.split_at(rest.find("</methodResponse>\n").expect("an end") + 18);
                check(answer, &document(&text));
                rest = behind;
            }
            let (answer, behind) = rest.split_at(rest.find("</methodResponse>\n").expect("an end") + 18);
            check(answer, &fetched(&text, count));
            check(behind, &document(&text));
            rig.front.closed(conn);
        }
    }
}

/// The same for clients that take packed answers, and for one that goes.
#[test]
fn large_answers_are_packed_and_may_be_left() {
    let mut rig = Rig::new();
    let text = text(9_000);
    store(&mut rig, "k", &text);
    let conn = rig.connect(0);
    rig.send(conn, fetches("k", 40, "Accept-Encoding: gzip\r\n").as_bytes());
    rig.pass(Duration::ZERO);
    let answer = rig.take(conn, usize::MAX);
    let head_end = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("a head") + 4;
    let head = String::from_utf8_lossy(&answer[..head_end]).into_owned();
    assert!(head.contains("\r\nContent-Encoding: gzip"), "{head}");
    assert!(head.contains(&format!("\r\nContent-Length: {}", answer.len() - head_end)), "{head}");
    let mut unpacked = String::new();
    flate2::read::GzDecoder::new(&answer[head_end..]).read_to_string(&mut unpacked).expect("gzip");
    assert!(unpacked == fetched(&text, 40));

    let gone = rig.connect(0);
    rig.send(gone, fetches("k", 400, "").as_bytes());
    rig.front.closed(gone);
    rig.pass(Duration::ZERO);
    check(&rig.ask(fetch("k")), &document(&text));
}

/// A text in which all has to be escaped, and a fault that names what the client sent, are written in pieces, too.
#[test]
fn rpc_202_205_long_texts_leave_others_their_turn() {
    let mut rig = Rig::new();
    let (hard, escaped) = ("&lt;".repeat(500_000), "&lt;".repeat(500_000));
    store(&mut rig, "k", &hard);
    store(&mut rig, "short", "x");
    let fault = format!(
        "<?xml version='1.0'?>\n<methodResponse>\n<fault>\n<value><struct>\n<member>\n<name>faultCode</name>\n\
         <value><int>10</int></value>\n</member>\n<member>\n<name>faultString</name>\n\
         <value><string>BAD_NAME: {escaped}</string></value>\n</member>\n</struct></value>\n</fault>\n\
         </methodResponse>\n"
    );
    for (question, expected) in [
        (fetch("k"), document(&escaped)),
        (post("/RPC2", "", &call("supervisor.startProcess", &[&hard])), fault),
        (fetches("k", 1, ""), fetched(&escaped, 1)),
    ] {
        let conn = rig.connect(0);
        rig.send(conn, question.as_bytes());
        assert!(rig.front.get(conn).expect("a connection").outgoing().is_empty());
        check(&rig.ask(fetch("short")), &document("x"));
        rig.pass(Duration::ZERO);
        check(&rig.read(conn), &expected);
        rig.front.closed(conn);
    }
}

/// Many of them at once take no longer turns than one, and each gets on: a small one doesn't wait for all others.
#[test]
fn large_answers_are_written_in_turns() {
    const MANY: usize = 30;
    let mut rig = Rig::new();
    let text = text(9_000);
    store(&mut rig, "k", &text);
    let mut conns: Vec<_> = (0..MANY).map(|_| rig.connect(0)).collect();
    let small = rig.connect(0);
    conns.push(small);
    for conn in &conns {
        // 1.8 MB, that is seven pieces, or two.
        rig.send(*conn, fetches("k", if *conn == small { 40 } else { 200 }, "").as_bytes());
    }
    let is_here = |rig: &Rig, conn: Key<Conn>| !rig.front.get(conn).expect("a connection").outgoing().is_empty();
    let mut rounds = 0;
    let mut before_small = 0;
    while conns.iter().any(|conn| !is_here(&rig, *conn)) {
        let mut turn = Turn { now: rig.now, host: &mut rig.host };
        rig.world.due(&mut turn);
        rig.front.settle(&mut rig.world, &mut turn);
        rounds += 1;
        if !is_here(&rig, small) {
            before_small = conns.iter().filter(|conn| is_here(&rig, **conn)).count();
        }
        assert!(rounds < 1000);
    }
    assert!(rounds >= 5 * MANY, "{rounds}");
    assert!(before_small < MANY / 4, "{before_small}");
    for conn in conns {
        check(&rig.read(conn), &fetched(&text, if conn == small { 40 } else { 200 }));
    }
    // Nothing is left to be woken for.
    rig.pass(Duration::ZERO);
    assert!(rig.world.next_deadline().is_none_or(|at| at > rig.now.mono));
}

/// What is over is freed in steps: what a call carried in vain, and what an answer did, sent or not.
#[test]
fn large_calls_and_answers_are_freed_in_steps() {
    const PARTS: usize = 200_000;
    let mut rig = Rig::with_sections(
        "[rpcinterface:any]\nsupervisor.rpcinterface_factory=supervisor_cache.rpcinterface:make_cache_rpcinterface\n\
         values=any\n",
    );
    let large = format!("<array><data>{}</data></array>", "<value><int>1</int></value>".repeat(PARTS));
    let ask = |method: &str, params: &[&str]| {
        let params: String = params.iter().map(|value| format!("<param><value>{value}</value></param>")).collect();
        let body = format!("<methodCall><methodName>{method}</methodName><params>{params}</params></methodCall>");
        post("/RPC2", "", &body)
    };
    // How many rounds it takes until nothing is left to do, but for waking who waits.
    let rounds = |rig: &mut Rig| {
        let mut turn = Turn { now: rig.now, host: &mut rig.host };
        std::iter::repeat_with(|| rig.front.settle(&mut rig.world, &mut turn)).take_while(|busy| *busy).count()
    };
    let expected = PARTS / limits::FREED_PARTS..2 * PARTS / limits::FREED_PARTS;
    let conn = rig.connect(0);
    for question in [ask("any.getCount", &[&large]), ask("any.fetch", &[&large]), ask("any.store", &["k", &large])] {
        let stored = question.contains("store");
        let mut turn = Turn { now: rig.now, host: &mut rig.host };
        rig.front.received(conn, question.as_bytes(), &mut rig.world, &mut turn);
        let rounds = rounds(&mut rig);
        assert!(if stored { rounds == 0 } else { expected.contains(&rounds) }, "{rounds}");
        assert!(rig.read(conn).contains(if stored { "<boolean>1" } else { "<fault>" }));
    }
    // What can't be read, and what the client gives up.
    let broken = ask("any.getCount", &[&large]).replace("</data>", "</date>");
    for (question, whole) in [(broken.as_str(), true), (&ask("any.getCount", &[&large])[..PARTS * 20], false)] {
        let conn = rig.connect(0);
        let mut turn = Turn { now: rig.now, host: &mut rig.host };
        rig.front.received(conn, question.as_bytes(), &mut rig.world, &mut turn);
        if !whole {
            rig.front.closed(conn);
        }
        let rounds = rounds(&mut rig);
        assert!((PARTS / limits::FREED_PARTS / 2..expected.end).contains(&rounds), "{rounds}");
        assert!(!whole || rig.read(conn).starts_with("HTTP/1.1 400 "));
    }
    for gone in [false, true] {
        assert_eq!(status(&rig.ask(ask("any.store", &["k", &large]))), "200");
        let conn = rig.connect(0);
        rig.send(conn, ask("any.fetch", &["k"]).as_bytes());
        assert_eq!(status(&rig.ask(ask("any.delete", &["k"]))), "200");
        let mut turn = Turn { now: rig.now, host: &mut rig.host };
        while !gone && rig.front.get(conn).expect("a connection").outgoing().is_empty() {
            rig.world.due(&mut turn);
            rig.front.settle(&mut rig.world, &mut turn);
        }
        if gone {
            rig.front.closed(conn);
        }
        let rounds = rounds(&mut rig);
        assert!(expected.contains(&(rounds + 1)), "{rounds}");
    }
    // The cache does so, too, and each step is told.
    assert_eq!(status(&rig.ask(ask("any.store", &["k", &large]))), "200");
    let before = rig.host.freed;
    assert!(before >= 5 * expected.start, "{before}");
    assert_eq!(status(&rig.ask(ask("any.delete", &["k"]))), "200");
    assert!(expected.contains(&(rig.host.freed - before)), "{}", rig.host.freed - before);
}
