//! Backups that can't be moved: nothing is written over.

use super::*;

#[test]
fn a_rename_that_fails_is_not_tried_with_each_write() {
    let mut host = Sim::default();
    host.files.faults.rename = Some(Errno::EACCES);
    let mut log = open(3, 1, &mut host);
    put(&mut log, "abc", &mut host);
    let opened = host.files.opens();
    put(&mut log, "d", &mut host);
    assert_eq!(host.files.opens(), opened);
    assert_eq!(text(&host, "/log"), some("abcd"));
    let report = "can't rotate log file '/log', which grows on: [Errno 13] Permission denied";
    assert_eq!(log.take_report(NOW), Some(Report::Trouble(report.into())));
    put(&mut log, "ef", &mut host);
    assert_eq!(log.take_report(at(59)), None, "once a minute");
    host.files.faults.rename = None;
    put(&mut log, "ghi", &mut host);
    assert_eq!(text(&host, "/log.1"), some("abcdefghi"));
    assert_eq!(log.take_report(at(60)), None, "it rotates again");
}

#[test]
fn a_backup_that_cannot_be_moved_is_not_written_over() {
    let mut host = Sim::default();
    host.files.put("/log.1", b"one");
    // In the place of /log.2.
    host.files.put_directory("/log.2");
    let mut log = open(3, 2, &mut host);
    put(&mut log, "abc", &mut host);
    assert_eq!((text(&host, "/log"), text(&host, "/log.1")), (some("abc"), some("one")));
    assert!(log.take_report(NOW).is_some());
}

#[test]
fn backups_that_are_out_of_reach_for_a_moment_are_not_written_over() {
    let mut host = Sim::default();
    host.files.put("/log.1", b"two");
    host.files.put("/log.2", b"one");
    let mut log = open(3, 9, &mut host);
    // Their folder has another name for a moment, in the middle of a rotation: until it is the turn of the log itself.
    (host.files.faults.rename, host.files.faults.renames) = (Some(Errno::ENOENT), 8);
    put(&mut log, "abc", &mut host);
    let all = |host: &Sim| ["/log.3", "/log.2", "/log.1", "/log"].map(|name| text(host, name));
    assert_eq!(all(&host), [None, some("one"), some("two"), some("abc")]);
    put(&mut log, "def", &mut host);
    assert_eq!(all(&host), [some("one"), some("two"), some("abcdef"), some("")]);
}
