//! What a re-read changes (CFG-222 to CFG-226).
//!
//! Compiled for `#[cfg(test)]` only.

use super::good;
use crate::config::differences;

fn compare(configured: &str, active: &str) -> [Vec<String>; 3] {
    let found = differences(&good(configured).groups, &good(active).groups);
    [found.added, found.changed, found.removed]
}

/// Whether a change of these lines of a program counts.
fn changed(one: &str, other: &str) -> bool {
    let text = |lines: &str| format!("[program:x]\ncommand=a\n{lines}\n");
    !compare(&text(one), &text(other))[1].is_empty()
}

#[test]
fn cfg_222_cfg_226_added_changed_removed() {
    let active = "[program:c]\ncommand=c\n[program:b]\ncommand=b\n[program:a]\ncommand=a\npriority=1\n";
    let configured = "[program:d]\ncommand=d\npriority=2\n[program:e]\ncommand=e\npriority=1\n[program:b]\ncommand=B\n";
    let names = |names: &[&str]| names.iter().map(|name| name.to_string()).collect::<Vec<_>>();
    assert_eq!(compare(configured, active), [names(&["e", "d"]), names(&["b"]), names(&["a", "c"])]);
    assert!(compare(active, active).iter().all(Vec::is_empty));
}

#[test]
fn cfg_223_groups_differ() {
    let is_changed = |one: &str, other: &str| compare(one, other)[1] == ["g"];
    let programs = "[program:a]\ncommand=a\n[program:b]\ncommand=b\n";
    let group = |lines: &str| format!("{programs}[group:g]\n{lines}\n");
    assert!(is_changed(&group("programs=a,b"), &group("programs=b,a")));
    assert!(is_changed(&group("programs=a"), &group("programs=a\npriority=1")));
    let pool = |lines: &str| format!("[eventlistener:g]\ncommand=a\n{lines}\n");
    assert!(!is_changed(&pool("events=TICK_5,EVENT"), &pool("events=EVENT,tick_5")));
    assert!(is_changed(&pool("events=TICK_5"), &pool("events=TICK_60")));
    assert!(is_changed(&pool("events=TICK_5"), &pool("events=TICK_5\nbuffer_size=1")));
    assert!(is_changed(&pool("events=TICK_5"), &pool("events=TICK_5\nlen_unit=bytes")));
    let handler = "result_handler=supervisor_twiddler.resulthandler:stdin_write_handler";
    assert!(is_changed(&pool("events=TICK_5"), &pool(&format!("events=TICK_5\n{handler}"))));
    let fcgi = |lines: &str| format!("[fcgi-program:g]\ncommand=a\n{lines}\n");
    assert!(is_changed(&fcgi("socket=tcp://a:1"), &fcgi("socket=tcp://a:2")));
    // BUG-063.
    assert!(is_changed(&fcgi("socket=unix:///a"), &fcgi("socket=unix:///a\nsocket_mode=0777")));
    assert!(is_changed(&fcgi("socket=unix:///a"), &fcgi("socket=unix:///a\nsocket_owner=joe")));
    assert!(is_changed(&fcgi("socket=unix:///a"), &fcgi("socket=unix:///a\nsocket_backlog=3")));
    assert!(is_changed(&fcgi("socket=unix:///a"), "[program:g]\ncommand=a\n"));
}

#[test]
fn cfg_225_automatic_logs_are_equal() {
    assert!(!changed("stdout_logfile=AUTO", ""));
    assert!(changed("stdout_logfile=AUTO", "stdout_logfile=/tmp/a"));
    assert!(changed("stdout_logfile=/tmp/a", "stdout_logfile=AUTO"));
}

#[test]
fn cfg_224_processes_differ() {
    for line in [
        "process_name=y",
        "user=joe",
        "command=b",
        "directory=/",
        "umask=1",
        "autostart=no",
        "autorestart=no",
        "startsecs=2",
        "startretries=2",
        "stdout_logfile=a",
        "stderr_logfile=none",
        "stdout_capture_maxbytes=1",
        "stderr_events_enabled=1",
        "stdout_syslog=1",
        "stdout_logfile_backups=1",
        "stderr_logfile_maxbytes=1",
        "stopsignal=1",
        "stopwaitsecs=1",
        "killasgroup=1",
        "exitcodes=1",
        "redirect_stderr=1",
        "environment=A=1",
        "serverurl=x",
        "priority=3",
    ] {
        assert!(changed(line, ""), "{line}");
        assert!(changed("", line), "{line}");
    }
    assert!(!changed("user=joe", "user=1"));
    assert!(!changed("environment=A=1,B=2", "environment=B=2,A=1"));
    assert!(!changed("serverurl=auto", ""));
    assert!(!changed("stranger=1", ""));
    // The environment of [supervisord] counts.
    let with = |environment: &str| format!("environment={environment}\n[program:x]\ncommand=a\n");
    assert_eq!(compare(&with("A=1"), &with("A=2"))[1], ["x"]);
}
