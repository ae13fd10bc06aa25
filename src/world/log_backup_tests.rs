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

#[test]
fn a_folder_that_can_t_be_opened_costs_no_backup_and_no_line() {
    let mut host = Sim::default();
    host.files.put("/log.1", b"two");
    host.files.put("/log.2", b"one");
    let mut log = open(3, 2, &mut host);
    // No descriptor is left, which is as much as to say that the log itself couldn't be opened again.
    host.refusals.open = 1;
    let before = host.files.opens();
    for (chunk, whole) in [("abc", "abc"), ("d", "abcd"), ("ef", "abcdef")] {
        assert_eq!(put(&mut log, chunk, &mut host), Wrote { stored: chunk.len(), lost: 0 });
        assert_eq!(text(&host, "/log"), some(whole));
    }
    let all = |host: &Sim| ["/log.2", "/log.1", "/log"].map(|name| text(host, name));
    assert_eq!(all(&host), [some("one"), some("two"), some("abcdef")]);
    assert_eq!((host.files.opens(), host.files.open_count(), log.held()), (before, 1, 0));
    let Some(Report::Trouble(told)) = log.take_report(NOW) else { panic!("nothing is told") };
    assert!(told.starts_with("can't rotate log file '/log', which grows on: "), "{told}");
    host.refusals.open = 0;
    put(&mut log, "ghi", &mut host);
    assert_eq!(all(&host), [some("two"), some("abcdefghi"), some("")]);
}

#[test]
fn what_fails_half_way_costs_one_backup_however_often_it_fails() {
    let mut host = Sim::default();
    for (path, text) in [("/log.1", "three"), ("/log.2", "two"), ("/log.3", "one")] {
        host.files.put(path, text.as_bytes());
    }
    let mut log = open(3, 3, &mut host);
    (host.files.faults.rename, host.files.faults.renamed) = (Some(Errno::EIO), Some("/log.1".into()));
    for chunk in ["abc", "def", "ghi"] {
        put(&mut log, chunk, &mut host);
    }
    let all = |host: &Sim| ["/log.3", "/log.2", "/log.1", "/log"].map(|name| text(host, name));
    assert_eq!(all(&host), [some("two"), None, some("three"), some("abcdefghi")]);
    host.files.faults.rename = None;
    put(&mut log, "jkl", &mut host);
    assert_eq!(all(&host), [some("two"), some("three"), some("abcdefghijkl"), some("")]);
}
