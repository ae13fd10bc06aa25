//! Tests of [`super`]: a log over pretended files.
//!
//! Compiled for `#[cfg(test)]` only.

use super::*;

#[path = "log_backup_tests.rs"]
mod backups;

type Sim = crate::sim::host::SimHost;

const NOW: Mono = Mono(1_000_000_000_000);

fn at(secs: u64) -> Mono {
    NOW + Duration::from_secs(secs)
}

fn open(max_bytes: u64, backups: u32, host: &mut Sim) -> Log {
    let mut log = Log::new("/log".into(), max_bytes, backups);
    assert_eq!(log.open(host), Ok(()));
    log
}

fn text(host: &Sim, path: &str) -> Option<String> {
    host.files.text(path).map(|bytes| String::from_utf8_lossy(bytes).into_owned())
}

fn some(text: &str) -> Option<String> {
    Some(text.to_string())
}

fn put(log: &mut Log, text: &str, host: &mut Sim) -> Wrote {
    log.write(text.as_bytes(), NOW, host)
}

#[test]
fn log_076_the_contract_s_example() {
    // LOG-070, LOG-071.
    let mut host = Sim::default();
    let mut log = open(10, 2, &mut host);
    put(&mut log, "line0\n", &mut host);
    put(&mut log, "line1\n", &mut host);
    assert_eq!((text(&host, "/log"), text(&host, "/log.1")), (some(""), some("line0\nline1\n")));
    put(&mut log, "line2\n", &mut host);
    put(&mut log, "line3\n", &mut host);
    assert_eq!(text(&host, "/log"), some(""));
    assert_eq!(text(&host, "/log.1"), some("line2\nline3\n"));
    assert_eq!(text(&host, "/log.2"), some("line0\nline1\n"));
    put(&mut log, "a long chunk is never split", &mut host);
    assert_eq!(text(&host, "/log.1"), some("a long chunk is never split"));
    assert_eq!(text(&host, "/log.2"), some("line2\nline3\n"));
    assert_eq!(text(&host, "/log.3"), None);
    assert_eq!(log.written(), 51);
    assert_eq!(host.files.open_count(), 1);
}

#[test]
fn log_071_gaps_are_skipped_and_log_074_later_ones_stay() {
    let mut host = Sim::default();
    for (path, content) in [("/log.1", "1"), ("/log.3", "3"), ("/log.4", "4"), ("/log.9", "9")] {
        host.files.put(path, content.as_bytes());
    }
    let mut log = open(1, 4, &mut host);
    put(&mut log, "new", &mut host);
    let all: Vec<_> = (1..10).map(|n| text(&host, &format!("/log.{n}")).unwrap_or_default()).collect();
    assert_eq!(all, ["new", "1", "", "3", "", "", "", "", "9"]);
    // f.3 is missing: f.4 stays.
    put(&mut log, "newer", &mut host);
    let all: Vec<_> = (1..5).map(|n| text(&host, &format!("/log.{n}")).unwrap_or_default()).collect();
    assert_eq!(all, ["newer", "new", "1", "3"]);
}

#[test]
fn log_072_without_backups_the_file_is_cut_in_place() {
    let mut host = Sim::default();
    let mut log = open(5, 0, &mut host);
    let before = host.stat("/log").unwrap().identity;
    put(&mut log, "1234", &mut host);
    assert_eq!(text(&host, "/log"), some("1234"));
    put(&mut log, "5", &mut host);
    assert_eq!(text(&host, "/log"), some(""));
    assert_eq!(host.stat("/log").unwrap().identity, before);
    put(&mut log, "6", &mut host);
    assert_eq!(text(&host, "/log"), some("6"));
}

#[test]
fn log_073_position_starts_at_the_size_and_zero_never_rotates() {
    let mut host = Sim::default();
    host.files.put("/log", b"12345678");
    let mut log = open(10, 1, &mut host);
    put(&mut log, "9a", &mut host);
    assert_eq!(text(&host, "/log.1"), some("123456789a"));
    let mut log = open(0, 1, &mut host);
    put(&mut log, &"x".repeat(1000), &mut host);
    assert_eq!(text(&host, "/log").unwrap().len(), 1000);
}

#[test]
fn log_075_outsiders_may_take_the_file_away() {
    let mut host = Sim::default();
    let mut log = open(4, 1, &mut host);
    host.files.put("/log.1", b"old");
    host.remove("/log").unwrap();
    put(&mut log, "gone", &mut host);
    assert_eq!(text(&host, "/log"), some(""));
    assert_eq!(text(&host, "/log.1"), some("old"));
    put(&mut log, "more", &mut host);
    assert_eq!(text(&host, "/log.1"), some("more"));
    assert_eq!(log.take_report(NOW), None);
}

#[test]
fn log_075_what_outsiders_took_away_is_theirs() {
    // Without backups, too: the file is not emptied under its new name, and there is another one.
    let mut host = Sim::default();
    let mut log = open(4, 0, &mut host);
    host.files.rename("/log", "/saved").unwrap();
    put(&mut log, "kept", &mut host);
    assert_eq!((text(&host, "/saved"), text(&host, "/log")), (some("kept"), some("")));
    put(&mut log, "new", &mut host);
    assert_eq!((text(&host, "/saved"), text(&host, "/log")), (some("kept"), some("new")));
}

#[test]
fn log_052_files_in_shared_memory_are_ordinary_ones() {
    let mut host = Sim::default();
    host.files.put_directory("/dev/shm");
    let mut log = Log::new("/dev/shm/log".into(), 4, 1);
    log.open(&mut host).unwrap();
    put(&mut log, "full", &mut host);
    assert_eq!((text(&host, "/dev/shm/log"), text(&host, "/dev/shm/log.1")), (some(""), some("full")));
    put(&mut log, "x", &mut host);
    assert_eq!(log.clear(NOW, &mut host), Ok(()));
    assert_eq!(text(&host, "/dev/shm/log"), some(""));
}

#[test]
fn log_052_a_pipe_is_never_rotated_or_removed() {
    // BUG-048.
    let mut host = Sim::default();
    host.files.put_pipe("/fifo", 1000);
    let mut log = Log::new("/fifo".into(), 1, 3);
    log.open(&mut host).unwrap();
    put(&mut log, "hello", &mut host);
    assert_eq!(log.clear(NOW, &mut host), Ok(()));
    assert_eq!(log.reopen(NOW, &mut host), Ok(()));
    log.close(NOW, &mut host);
    assert_eq!(log.clear(NOW, &mut host), Ok(()));
    assert_eq!(text(&host, "/fifo"), some("hello"));
    assert!(host.stat("/fifo.1").is_err());
}

#[test]
fn log_041_052_devices_keep_their_names_even_with_a_file_behind() {
    let mut host = Sim::default();
    host.files.put("/dev/stdout", b"");
    let mut log = Log::new("/dev/stdout".into(), 3, 1);
    log.open(&mut host).unwrap();
    put(&mut log, "hello", &mut host);
    assert_eq!(log.clear(NOW, &mut host), Ok(()));
    assert_eq!(text(&host, "/dev/stdout"), some("hello"));
    assert!(host.stat("/dev/stdout.1").is_err());
}

#[test]
fn log_070_a_file_that_somebody_cut_has_room_again() {
    // As logrotate's copytruncate does.
    let mut host = Sim::default();
    let mut log = open(10, 1, &mut host);
    put(&mut log, "12345678", &mut host);
    host.files.put("/log", b"");
    put(&mut log, "abcde", &mut host);
    assert_eq!((text(&host, "/log"), text(&host, "/log.1")), (some("abcde"), None));
    put(&mut log, "fghij", &mut host);
    assert_eq!((text(&host, "/log"), text(&host, "/log.1")), (some(""), some("abcdefghij")));
}

#[test]
fn log_075_what_somebody_put_in_its_place_is_not_rotated_away() {
    // Two writers of one file, each with a rotation of its own.
    let mut host = Sim::default();
    let mut one = open(10, 3, &mut host);
    let mut two = open(10, 3, &mut host);
    put(&mut one, "1111", &mut host);
    put(&mut two, "22222", &mut host);
    put(&mut one, "11111111", &mut host);
    assert_eq!((text(&host, "/log"), text(&host, "/log.1")), (some(""), some("11112222211111111")));
    // It still has the old file, and comes over when it would rotate.
    put(&mut two, "22222", &mut host);
    assert_eq!(text(&host, "/log.1"), some("1111222221111111122222"));
    put(&mut two, "2", &mut host);
    assert_eq!((text(&host, "/log"), text(&host, "/log.2")), (some("2"), None));
}

#[test]
fn a_fifo_that_nobody_reads_holds_nobody_up() {
    let mut host = Sim::default();
    host.files.put_pipe("/fifo", 100);
    host.files.faults.open = Some(Errno::EPIPE);
    let mut log = Log::new("/fifo".into(), 0, 0);
    assert_eq!(log.open(&mut host), Ok(()));
    put(&mut log, "early", &mut host);
    let report = "can't write to log file '/fifo': nobody reads it (5 bytes wait, 0 bytes were lost)";
    assert_eq!(log.take_report(NOW), Some(Report::Trouble(report.into())));
    host.files.faults.open = None;
    log.retry(at(1), &mut host);
    assert_eq!(text(&host, "/fifo"), some("early"));
    // Nor does it wake anybody while there is nothing to say, whoever has it opened again.
    host.files.faults.open = Some(Errno::EPIPE);
    let mut log = Log::new("/fifo".into(), 0, 0);
    log.open(&mut host).unwrap();
    assert_eq!(log.reopen(NOW, &mut host), Ok(()));
    assert_eq!((log.retry_at(), log.take_report(NOW)), (None, None));
}

#[test]
fn log_053_losses_again_and_again_are_told_together() {
    let mut host = Sim::default();
    let mut log = open(0, 0, &mut host);
    let lost = |count: usize| {
        let text = format!("{count} bytes of log file '/log' were lost while it could not be written");
        Some(Report::Trouble(text))
    };
    let mut lose = |log: &mut Log, second: u64| {
        host.files.faults.room = Some(0);
        log.write(&vec![b'x'; limits::LOG_HELD_BYTES + 7], at(second), &mut host);
        host.files.faults.room = None;
        log.retry(at(second), &mut host);
        log.take_report(at(second))
    };
    assert_eq!(lose(&mut log, 0), lost(7), "the first at once");
    assert_eq!(lose(&mut log, 5), None);
    assert_eq!(lose(&mut log, 10), None);
    assert_eq!(log.retry_at(), Some(at(60)), "it is not forgotten");
    let mut host = Sim::default();
    log.retry(at(60), &mut host);
    assert_eq!(log.take_report(at(60)), lost(14));
    assert_eq!(log.retry_at(), None);
}

#[test]
fn log_053_a_full_disk_keeps_what_it_can_and_reports_once_a_minute() {
    // BUG-049, PROC-102.
    let mut host = Sim::default();
    let mut log = open(0, 0, &mut host);
    host.files.faults.room = Some(3);
    assert_eq!(put(&mut log, "abcdef", &mut host), Wrote { stored: 3, lost: 0 });
    assert_eq!(log.retry_at(), Some(at(1)));
    assert!(!log.is_choked());
    let full = |waits, lost| {
        let text = format!(
            "can't write to log file '/log': [Errno 28] No space left on device ({waits} bytes wait, {lost} bytes were lost)"
        );
        Some(Report::Trouble(text))
    };
    assert_eq!(log.take_report(NOW), full(3, 0));
    assert_eq!(put(&mut log, "g", &mut host), Wrote { stored: 0, lost: 0 });
    assert_eq!(log.take_report(at(59)), None);
    assert_eq!(log.take_report(at(60)), full(4, 0));
    // Past the bound.
    let big = vec![b'x'; limits::LOG_HELD_BYTES];
    assert_eq!(log.write(&big, at(1), &mut host), Wrote { stored: 0, lost: 4 });
    assert_eq!((log.held(), log.lost()), (limits::LOG_HELD_BYTES, 4));
    assert_eq!(log.take_report(at(120)), full(limits::LOG_HELD_BYTES, 4));
    // Room again: it resumes by itself, in order.
    host.files.faults.room = None;
    let wrote = log.retry(at(2), &mut host);
    assert_eq!(wrote.stored, limits::LOG_HELD_BYTES);
    assert_eq!((log.retry_at(), log.held()), (None, 0));
    assert!(text(&host, "/log").unwrap().starts_with("abcdefgxxx"));
    // What was lost is told at the end, once, and whatever the minute; also what came after the last report.
    let lost = Report::Trouble("4 bytes of log file '/log' were lost while it could not be written".into());
    assert_eq!((log.take_report(at(121)), log.take_report(at(500))), (Some(lost), None));
    // Another time, without a loss.
    host.files.faults.room = Some(0);
    put(&mut log, "h", &mut host);
    assert_eq!(log.take_report(at(122)), None, "within a minute of the last");
    host.files.faults.room = None;
    log.retry(at(123), &mut host);
    assert_eq!(log.take_report(at(123)), None, "nobody knew of it");
    host.files.faults.room = Some(0);
    log.write(b"i", at(200), &mut host);
    assert_eq!(log.take_report(at(200)), full(1, 0));
    host.files.faults.room = None;
    log.retry(at(201), &mut host);
    let well = Report::Recovered("log file '/log' is written again, nothing was lost".into());
    assert_eq!((log.take_report(at(201)), log.take_report(at(500))), (Some(well), None));
}

#[test]
fn held_bytes_go_out_with_the_next_write_and_are_not_split_by_rotation() {
    let mut host = Sim::default();
    let mut log = open(5, 1, &mut host);
    host.files.faults.room = Some(5);
    put(&mut log, "abcdefg", &mut host);
    assert_eq!(text(&host, "/log.1"), None, "a chunk must not be split");
    host.files.faults.room = None;
    put(&mut log, "h", &mut host);
    assert_eq!(text(&host, "/log.1"), some("abcdefgh"));
}

#[test]
fn proc_103_a_full_pipe_sets_the_pace() {
    let mut host = Sim::default();
    host.files.put_pipe("/dev/stdout", 10);
    let mut log = Log::new("/dev/stdout".into(), 0, 0);
    log.open(&mut host).unwrap();
    let big = vec![b'x'; limits::LOG_HELD_BYTES / 2 + 10];
    assert_eq!(log.write(&big, NOW, &mut host), Wrote { stored: 10, lost: 0 });
    assert!(log.is_choked());
    assert_eq!(log.take_report(NOW), None);
    // One read and what was left in the pipe at its end have room, no more.
    let rest = vec![b'y'; limits::OUTPUT_READ_BYTES + limits::LARGE_PIPE_BYTES];
    assert_eq!(log.write(&rest, NOW, &mut host), Wrote { stored: 0, lost: 0 });
    assert_eq!(log.write(b"more than that", NOW, &mut host), Wrote { stored: 0, lost: 14 });
    let report = log.take_report(NOW);
    assert!(matches!(&report, Some(Report::Trouble(text)) if text.contains("its reader is too slow")), "{report:?}");
    // The first wait is short, later ones grow to a second.
    let mut now = NOW;
    for _ in 0..10 {
        now = log.retry_at().unwrap();
        log.retry(now, &mut host);
    }
    assert_eq!(log.retry_at().unwrap() - now, Duration::from_secs(1));
    host.files.put_pipe("/dev/stdout", 1 << 22);
    log.retry(now, &mut host);
    assert!(!log.is_choked());
    assert_eq!(log.retry_at(), None);
}

#[test]
fn log_040_042_043_reopen() {
    let mut host = Sim::default();
    let mut log = open(0, 0, &mut host);
    host.files.rename("/log", "/moved").unwrap();
    put(&mut log, "old", &mut host);
    assert_eq!(text(&host, "/moved"), some("old"));
    log.reopen(NOW, &mut host).unwrap();
    put(&mut log, "new", &mut host);
    assert_eq!(text(&host, "/log"), some("new"));
    log.close(NOW, &mut host);
    assert_eq!(host.files.open_count(), 0);
    log.reopen(NOW, &mut host).unwrap();
    assert_eq!(host.files.open_count(), 0);
    // LOG-043: appended to at the next start.
    log.open(&mut host).unwrap();
    put(&mut log, "+", &mut host);
    assert_eq!(text(&host, "/log"), some("new+"));
}

#[test]
fn a_reopen_that_fails_is_made_good_by_a_later_write() {
    let mut host = Sim::default();
    let mut log = open(0, 0, &mut host);
    host.files.faults.open = Some(Errno::EACCES);
    assert_eq!(log.reopen(NOW, &mut host), Err(Errno::EACCES));
    put(&mut log, "abc", &mut host);
    assert!(log.take_report(NOW).is_some());
    host.files.faults.open = None;
    log.retry(at(1), &mut host);
    assert_eq!(text(&host, "/log"), some("abc"));
}

#[test]
fn a_reopen_that_fails_is_made_good_without_a_write() {
    let mut host = Sim::default();
    let mut log = open(0, 0, &mut host);
    host.files.faults.open = Some(Errno::ENOENT);
    assert_eq!(log.reopen(NOW, &mut host), Err(Errno::ENOENT));
    assert_eq!(log.retry_at(), Some(at(1)));
    log.retry(at(1), &mut host);
    assert_eq!(log.retry_at(), Some(at(2)), "never in the past, which would be a busy loop");
    host.files.faults.open = None;
    log.retry(at(2), &mut host);
    assert_eq!((log.retry_at(), host.files.open_count()), (None, 1));
}

#[test]
fn log_077_clear_makes_a_new_file_and_leaves_backups() {
    let mut host = Sim::default();
    host.files.put("/log.1", b"backup");
    let mut log = open(0, 2, &mut host);
    put(&mut log, "abc", &mut host);
    let before = host.stat("/log").unwrap().identity;
    assert_eq!(log.clear(NOW, &mut host), Ok(()));
    assert_eq!(text(&host, "/log"), some(""));
    assert_ne!(host.stat("/log").unwrap().identity, before);
    put(&mut log, "d", &mut host);
    assert_eq!(text(&host, "/log"), some("d"));
    // BUG-047: also when nobody has it open.
    log.close(NOW, &mut host);
    assert_eq!(log.clear(NOW, &mut host), Ok(()));
    assert_eq!((text(&host, "/log"), host.files.open_count()), (some(""), 0));
    assert_eq!(text(&host, "/log.1"), some("backup"));
    // Missing is fine, any other reason is not (RPC-107).
    host.remove("/log").unwrap();
    assert_eq!(log.clear(NOW, &mut host), Ok(()));
    assert_eq!(text(&host, "/log"), None);
    host.files.put("/log", b"x");
    host.files.faults.remove = Some(Errno::EPERM);
    assert_eq!(log.clear(NOW, &mut host), Err(Errno::EPERM));
    assert_eq!(text(&host, "/log"), some("x"));
}

#[test]
fn log_054_a_missing_directory_is_said_at_opening() {
    let mut host = Sim::default();
    let mut log = Log::new("/gone/log".into(), 0, 0);
    assert_eq!(log.open(&mut host), Err(Errno::ENOENT));
    assert!(!log.is_open());
    assert_eq!(put(&mut log, "x", &mut host), Wrote { stored: 0, lost: 1 });
}

#[test]
fn bytes_held_at_the_close_still_get_there() {
    let mut host = Sim::default();
    let mut log = open(0, 0, &mut host);
    host.files.faults.room = Some(0);
    put(&mut log, "last words", &mut host);
    log.close(NOW, &mut host);
    assert_eq!((log.is_open(), host.files.open_count()), (false, 1));
    let due = log.retry_at().unwrap();
    host.files.faults.room = None;
    log.retry(due, &mut host);
    assert_eq!(text(&host, "/log"), some("last words"));
    assert_eq!((log.retry_at(), host.files.open_count()), (None, 0));
}

#[test]
fn an_abandoned_log_leaves_no_file_open() {
    let mut host = Sim::default();
    let mut log = open(0, 0, &mut host);
    host.files.faults.room = Some(2);
    put(&mut log, "abc", &mut host);
    log.abandon(NOW, &mut host);
    assert_eq!((log.lost(), log.retry_at(), host.files.open_count()), (1, None, 0));
    let lost = Report::Trouble("1 bytes of log file '/log' were lost while it could not be written".into());
    assert_eq!((log.take_report(NOW), log.take_report(NOW)), (Some(lost), None));
}

#[test]
fn clearing_a_log_that_held_something_at_its_close_closes_the_file() {
    let mut host = Sim::default();
    let mut log = open(0, 0, &mut host);
    host.files.faults.room = Some(0);
    put(&mut log, "abc", &mut host);
    log.close(NOW, &mut host);
    host.remove("/log").unwrap();
    assert_eq!(log.clear(NOW, &mut host), Ok(()));
    assert_eq!((log.held(), log.retry_at(), host.files.open_count()), (0, None, 0));
}

#[test]
fn log_077_a_log_that_can_t_be_cleared_loses_nothing() {
    let mut host = Sim::default();
    let mut log = open(0, 0, &mut host);
    host.files.faults.room = Some(2);
    put(&mut log, "abcd", &mut host);
    host.files.faults.remove = Some(Errno::EROFS);
    assert_eq!(log.clear(NOW, &mut host), Err(Errno::EROFS));
    assert_eq!(log.held(), 2);
    host.files.faults.room = None;
    log.retry(at(1), &mut host);
    assert_eq!(text(&host, "/log"), some("abcd"));
}
