//! Tests of a pool by itself: buffer, bounds, serials, messages, handlers.

use super::*;

fn spec(bound: Bound) -> PoolSpec {
    PoolSpec {
        events: vec!["EVENT".to_string()],
        kinds: Kinds::of("EVENT").unwrap(),
        bound,
        result_handler: ResultHandler::Default,
        len_unit: LenUnit::Characters,
        exit_status: false,
    }
}

fn notice(serial: u64, payload: &str) -> Rc<Notice> {
    Rc::new(Notice { kind: Kind::Remote, serial, payload: payload.to_string(), exit: None, about: None })
}

fn serials(pool: &Pool) -> Vec<u64> {
    pool.waiting().map(|ticket| ticket.notice.serial).collect()
}

fn written(pool: &Pool, ticket: &Ticket) -> String {
    let mut out = Vec::new();
    pool.write(ticket, "supervisor", "p", &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn evt_081_serials_wrap_behind_63_bits() {
    let mut serial = Serial::default();
    assert_eq!([serial.take(), serial.take()], [0, 1]);
    let mut serial = Serial(i64::MAX as u64 - 1);
    assert_eq!([serial.take(), serial.take(), serial.take()], [i64::MAX as u64 - 1, i64::MAX as u64, 0]);
}

#[test]
fn evt_083_a_full_buffer_drops_the_oldest() {
    let mut pool = Pool::new(spec(Bound::Count(2)));
    for serial in [10, 11] {
        assert!(pool.accept(notice(serial, "")).is_empty());
    }
    assert_eq!(pool.accept(notice(12, "")), [10]);
    assert_eq!(serials(&pool), [11, 12]);
    // The numbers of the pool go on, whatever was dropped.
    assert_eq!(pool.waiting().map(|ticket| ticket.pool_serial).collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn evt_090_what_comes_back_is_the_first() {
    let mut pool = Pool::new(spec(Bound::Count(3)));
    for serial in 0..3 {
        pool.accept(notice(serial, ""));
    }
    let first = pool.take().unwrap();
    assert!(pool.put_back(first).is_empty());
    assert_eq!(serials(&pool), [0, 1, 2]);
    // Into a full buffer: the oldest goes, then it comes in before all others, with its numbers (EVT-081).
    let first = pool.take().unwrap();
    pool.accept(notice(3, ""));
    assert_eq!(pool.put_back(first), [1]);
    assert_eq!(serials(&pool), [0, 2, 3]);
    assert_eq!(pool.waiting().next().unwrap().pool_serial, 0);
}

#[test]
fn evt_083_bounds_in_bytes() {
    let bound = 3 * EVENT_COST + 10;
    let mut pool = Pool::new(spec(Bound::Bytes(bound)));
    assert_eq!(pool.bound(), bound);
    for serial in 0..3 {
        assert!(pool.accept(notice(serial, "123")).is_empty());
    }
    // Too many by far; one event makes room.
    assert_eq!(pool.accept(notice(3, "1234")), [0]);
    assert!(pool.is_bounded());
    // Larger than all that may wait: it is kept, alone.
    assert_eq!(pool.accept(notice(4, &"x".repeat(5000))), [1, 2, 3]);
    assert_eq!((serials(&pool), pool.is_bounded()), (vec![4], true));
    let large = pool.take().unwrap();
    assert_eq!(pool.bytes, 0);
    pool.accept(notice(5, ""));
    assert_eq!(pool.put_back(large), [5]);
    assert_eq!(serials(&pool), [4]);
}

#[test]
fn evt_084_members_in_their_order() {
    let [one, two] = [Key::from_bits(1), Key::from_bits(2)];
    let mut pool = Pool::new(spec(Bound::Count(1)));
    assert_eq!(pool.next_idle(0), None);
    pool.set_idle(5, two, true);
    pool.set_idle(3, one, true);
    assert_eq!(pool.next_idle(0), Some((3, one)));
    assert_eq!(pool.next_idle(4), Some((5, two)));
    assert_eq!(pool.next_idle(6), None);
    pool.set_idle(3, one, false);
    assert_eq!((pool.next_idle(0), pool.idle_count()), (Some((5, two)), 1));
    // While an event is on its way back nothing is handed out.
    pool.accept(notice(0, ""));
    pool.hold(true);
    assert!(pool.first().is_none());
    pool.hold(false);
    assert!(pool.first().is_some());
}

#[test]
fn evt_086_087_088_089_messages() {
    let mut pool = Pool::new(spec(Bound::Count(9)));
    pool.accept(notice(7, "type:x\ncafé"));
    let ticket = pool.take().unwrap();
    let line = "ver:3.0 server:supervisor serial:7 pool:p poolserial:0 eventname:REMOTE_COMMUNICATION";
    // EVT-088: characters.
    assert_eq!(written(&pool, &ticket), format!("{line} len:11\ntype:x\ncafé"));
    // BUG-082: bytes, for those who asked.
    let bytes = Pool::new(PoolSpec { len_unit: LenUnit::Bytes, ..spec(Bound::Count(9)) });
    assert_eq!(written(&bytes, &ticket), format!("{line} len:12\ntype:x\ncafé"));
}

#[test]
fn exits_are_told_to_those_who_asked() {
    let exited = Notice {
        kind: Kind::Exited,
        exit: Some(Exit::Code(3)),
        payload: "processname:a expected:0".to_string(),
        serial: 1,
        about: None,
    };
    let ticket = Ticket { notice: Rc::new(exited), pool_serial: 2 };
    let line = "ver:3.0 server:supervisor serial:1 pool:p poolserial:2 eventname:PROCESS_STATE_EXITED";
    let mut pool = Pool::new(spec(Bound::Count(9)));
    assert_eq!(written(&pool, &ticket), format!("{line} len:24\nprocessname:a expected:0"));
    pool.spec.exit_status = true;
    let tokens = " exitstatus:3 signal:0";
    assert_eq!(written(&pool, &ticket), format!("{line} len:46\nprocessname:a expected:0{tokens}"));
}

#[test]
fn evt_120_the_default_handler() {
    let judged = |text: &str| judge(ResultHandler::Default, text.as_bytes().to_vec());
    assert_eq!(judged("OK"), Verdict::Accepted);
    for other in ["", "ok", "OK\n", "FAIL", "STDIN:x"] {
        assert_eq!(judged(other), Verdict::Rejected, "{other}");
    }
}

#[test]
fn evt_121_bug_084_the_stdin_handler() {
    let judged = |bytes: &[u8]| judge(ResultHandler::StdinWrite, bytes.to_vec());
    assert_eq!(judged(b"OK"), Verdict::Accepted);
    assert_eq!(judged(b"STDIN:a\nSTDIN:\xff"), Verdict::Feed(b"a\nSTDIN:\xff".to_vec()));
    assert_eq!(judged(b"STDIN:"), Verdict::Feed(Vec::new()));
    for other in [b"STDIN".as_slice(), b"stdin:x", b"FAIL", b""] {
        assert_eq!(judged(other), Verdict::Rejected);
    }
}

#[test]
fn evt_124_the_relaying_handler() {
    let judged = |text: &str| judge(ResultHandler::Stdout, text.as_bytes().to_vec());
    let printed = |text: &str| Verdict::Print(text.as_bytes().to_vec());
    let line = "processname:web groupname:site pid:7 channel:stderr";
    assert_eq!(judged(&format!("{line}\none\n")), printed("web stderr | one\n"));
    assert_eq!(judged(&format!("{line}\none\n\ntwo")), printed("web stderr | one\nweb stderr | \nweb stderr | two\n"));
    assert_eq!(judged(&format!("{line}\n")), printed(""));
    for bad in ["OK", "", "when:5\n", "processname:web\nx", "channel:stdout\nx"] {
        assert_eq!(judged(bad), Verdict::Failed, "{bad}");
    }
}
