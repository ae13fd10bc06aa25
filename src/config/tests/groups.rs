//! Groups, listeners, FastCGI (CFG-150 to CFG-158).
//!
//! Compiled for `#[cfg(test)]` only.

use super::{bad, good, group, names, notices, one_bad};
use crate::base::events::Kinds;
use crate::base::limits::EVENT_BYTES;
use crate::base::words::Level;
use crate::config::spec::{Bound, FastCgiSpec, GroupKind, LenUnit, PoolSpec, ResultHandler};

#[test]
fn cfg_150_cfg_151_groups_of_programs() {
    let config = good(
        "[program:b]\ncommand=b\nnumprocs=2\nprocess_name=b%(process_num)d\n[program:a]\ncommand=a\n[program:c]\n\
         command=c\n[group:g]\nprograms = b, a\npriority=5\n[group:h]\nprograms=a\n[group:empty]\n",
    );
    let shown: Vec<_> = config.groups.iter().map(|group| (group.name.as_str(), group.priority, names(group))).collect();
    assert_eq!(
        shown,
        [("g", 5, vec!["b0", "b1", "a"]), ("c", 999, vec!["c"]), ("empty", 999, vec![]), ("h", 999, vec!["a"]),]
    );
    assert_eq!(one_bad("[group:g]\nprograms=no\n"), "[group:g] names unknown program or fcgi-program no");
    let both = "[group:g]\nprograms=x\n[program:x]\ncommand=a\n[fcgi-program:x]\ncommand=a\nsocket=tcp://a:1\n";
    assert_eq!(one_bad(both), "[group:g] name x is ambiguous (exists as program and fcgi-program)");
    assert_eq!(one_bad("[group:a b]\n"), "Invalid name: 'a b' because of character: ' '");
}

#[test]
fn cfg_152_event_listeners() {
    let pool = group("[eventlistener:l]\ncommand=l\nevents=tick_60, PROCESS_STATE,TICK_60\nbuffer_size=3\n");
    assert_eq!(pool.priority, -1);
    assert_eq!(pool.processes[0].priority, 999);
    let GroupKind::Pool(spec) = pool.kind else { panic!() };
    // EVT-030: in any case; EVT-080: as one set.
    assert_eq!(spec.events, ["PROCESS_STATE", "TICK_60"]);
    assert_eq!(Some(spec.kinds), Kinds::of("PROCESS_STATE").zip(Kinds::of("TICK_60")).map(|(a, b)| a.and(b)));
    assert_eq!((spec.bound, spec.result_handler), (Bound::Count(3), ResultHandler::Default));
    assert_eq!((spec.len_unit, spec.exit_status), (LenUnit::Characters, false));
    let listener = |lines: &str| bad(&format!("[eventlistener:l]\ncommand=l\n{lines}"));
    assert_eq!(listener(""), ["[eventlistener:l] section requires an \"events\" line"]);
    assert_eq!(listener("events=TICK_5,\n"), ["Unknown event type  in [eventlistener:l] events"]);
    assert_eq!(listener("events=sunrise\n"), ["Unknown event type SUNRISE in [eventlistener:l] events"]);
    assert_eq!(listener("events=TICK_5\nbuffer_size=0\n"), ["[eventlistener:l] section sets invalid buffer_size (0)"]);
}

fn pool(lines: &str) -> PoolSpec {
    let group = group(&format!("[eventlistener:l]\ncommand=l\nevents=EVENT\n{lines}"));
    let GroupKind::Pool(spec) = group.kind else { panic!() };
    spec
}

#[test]
fn cfg_152_bug_082_bug_086_keys_of_ours() {
    assert_eq!(pool("").bound, Bound::Count(10));
    assert_eq!(pool("buffer_size=AUTO\n").bound, Bound::Bytes(EVENT_BYTES));
    // For a file that Supervisor reads, too: it knows nothing of the second key.
    assert_eq!(pool("buffer_size=100\nbuffer_bytes=1MB\n").bound, Bound::Bytes(1 << 20));
    assert_eq!(pool("len_unit=Bytes\n").len_unit, LenUnit::Bytes);
    assert!(pool("exit_status_in_events=true\n").exit_status);
    let listener = |lines: &str| bad(&format!("[eventlistener:l]\ncommand=l\nevents=EVENT\n{lines}"));
    assert_eq!(listener("buffer_size=automatic\n"), ["invalid literal for int() with base 10: 'automatic'"]);
    assert_eq!(listener("buffer_bytes=0\n"), ["[eventlistener:l] section sets invalid buffer_bytes (0)"]);
    assert_eq!(listener("len_unit=lines\n"), ["not a unit of lengths (characters or bytes): 'lines'"]);
}

#[test]
fn evt_140_an_identifier_that_listeners_misread() {
    let said = |identifier: &str, rest: &str| {
        let config = good(&format!("identifier={identifier}\n{rest}"));
        notices(&config, Level::Warn).into_iter().map(String::from).collect::<Vec<_>>()
    };
    let listener = "[eventlistener:l]\ncommand=l\nevents=EVENT\n";
    for bad in ["a b", "a:b"] {
        let warning =
            format!("identifier={bad} has a blank or a colon: event listeners will not understand the events they get");
        assert_eq!(said(bad, listener), [warning]);
        assert!(said(bad, "[program:p]\ncommand=p\n").is_empty());
    }
    assert!(said("a-b", listener).is_empty());
    // A pool's name has neither, since its processes bear it.
    assert!(one_bad("[eventlistener:a:b]\ncommand=l\nevents=EVENT\n").starts_with("Invalid name: 'a:b' because of"));
}

#[test]
fn cfg_153_cfg_154_result_handler_and_redirect() {
    let pool = group(
        "[eventlistener:l]\ncommand=l\nevents=EVENT\nresult_handler=supervisor_twiddler.resulthandler:stdin_write_handler\n",
    );
    // TWID-080: whether or not there is the RPC interface.
    let GroupKind::Pool(spec) = pool.kind else { panic!() };
    assert_eq!(spec.result_handler, ResultHandler::StdinWrite);
    let errors = bad("[eventlistener:l]\nevents=X\nresult_handler=a:b\nbuffer_size=0\nredirect_stderr=1\n");
    assert_eq!(
        errors,
        [
            "[eventlistener:l] section sets invalid buffer_size (0)",
            "a:b cannot be resolved within [eventlistener:l]",
            "Unknown event type X in [eventlistener:l] events",
            "[eventlistener:l] section sets redirect_stderr=true but this is not allowed because it will interfere with \
             the eventlistener protocol",
            "program section eventlistener:l does not specify a command in section 'eventlistener:l' (file: \
             '/etc/c.conf')",
        ]
    );
}

#[test]
fn cfg_155_cfg_156_fastcgi_sockets() {
    let socket = |lines: &str| match group(&format!("[fcgi-program:f]\ncommand=f\n{lines}")).kind {
        GroupKind::FastCgi(socket) => socket,
        other => panic!("{other:?}"),
    };
    let plain = FastCgiSpec { url: "unix:///tmp/f.sock".into(), backlog: None, owner: None, mode: 0o700 };
    assert_eq!(socket("socket=unix:///tmp//%(program_name)s.sock\n"), plain);
    // The program's user owns it, if it is another than ours.
    assert_eq!(socket("socket=unix:///tmp/f.sock\nuser=joe\n").owner, Some((1, 1001)));
    assert_eq!(socket("socket=unix:///tmp/f.sock\nuser=root\n").owner, None);
    let full =
        socket("socket=unix:///tmp/f.sock\nsocket_owner=joe:staff\nsocket_mode=0777\nsocket_backlog=5\nuser=root\n");
    assert_eq!((full.owner, full.mode, full.backlog), (Some((1, 50)), 0o777, Some(5)));
    assert_eq!(socket("socket=tcp://LocalHost:1\nuser=joe\n").url, "tcp://localhost:1");
    assert_eq!(socket("socket=tcp://LocalHost:1\nuser=joe\n").owner, None);
}

#[test]
fn cfg_155_cfg_156_fastcgi_mistakes() {
    let wrong = |lines: &str| one_bad(&format!("[fcgi-program:f]\ncommand=f\n{lines}"));
    assert_eq!(wrong(""), "[fcgi-program:f] section requires a \"socket\" line");
    assert_eq!(wrong("socket=\n"), "[fcgi-program:f] section requires a \"socket\" line");
    assert_eq!(wrong("socket=unix://a/b\n"), "Unix socket path a/b is not an absolute path in [fcgi-program:f] socket");
    for text in ["udp://a:1", "tcp://a", "tcp://:1", "tcp://a:x", "tcp://a b:1"] {
        assert_eq!(wrong(&format!("socket={text}\n")), format!("Bad socket format {text} in [fcgi-program:f] socket"));
    }
    assert_eq!(wrong("socket=tcp://a:70000\n"), "70000 is above upper bound (65535) in [fcgi-program:f] socket");
    assert_eq!(wrong("socket=tcp://a:1\nsocket_backlog=0\n"), "Invalid socket_backlog value 0");
    assert_eq!(wrong("socket=unix:///a\nsocket_owner=jim\n"), "Invalid socket_owner value jim");
    assert_eq!(wrong("socket=unix:///a\nsocket_mode=9\n"), "Invalid socket_mode value 9");
    assert_eq!(
        wrong("socket=tcp://a:1\nsocket_mode=7\n"),
        "socket_owner and socket_mode params should only be used with a Unix domain socket in [fcgi-program:f] socket"
    );
}

#[test]
fn bug_042_a_fastcgi_program_keeps_its_socket_in_a_group() {
    let config =
        good("[group:g]\nprograms=f,p\n[fcgi-program:f]\ncommand=f\nsocket=tcp://a:1\n[program:p]\ncommand=p\n");
    let group = &config.groups[0];
    assert_eq!((config.groups.len(), &group.kind), (1, &GroupKind::Plain));
    assert_eq!(group.processes[0].socket.as_ref().map(|socket| socket.url.as_str()), Some("tcp://a:1"));
    assert_eq!(group.processes[1].socket, None);
}

#[test]
fn cfg_157_cfg_158_order_and_equal_names() {
    let config = good(
        "[program:x]\ncommand=a\npriority=2\n[eventlistener:x]\ncommand=b\nevents=EVENT\n[program:w]\ncommand=c\npriority=2\n",
    );
    let shown: Vec<_> = config.groups.iter().map(|group| (group.name.as_str(), group.priority)).collect();
    assert_eq!(shown, [("x", -1), ("w", 2)]);
    assert_eq!(
        notices(&config, Level::Warn),
        ["Two groups are named x; the one with the higher priority number is ignored"]
    );
}
