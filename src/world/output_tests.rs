//! Tests of [`super`]: one channel over a pretended system.
//!
//! Compiled for `#[cfg(test)]` only.

use super::*;
use crate::config::spec::LogFile;

const ALL: Wants = Wants { debug: true, logs: true, blocks: true };
const NOW: Mono = Mono(0);

type Sim = crate::sim::host::SimHost;

fn spec() -> ChannelSpec {
    ChannelSpec {
        logfile: LogFile::Path("/log".into()),
        maxbytes: 0,
        backups: 0,
        capture_maxbytes: 0,
        events: false,
        syslog: false,
    }
}

fn open(spec: &ChannelSpec, strip: bool, host: &mut Sim) -> Output {
    let mut output = Output::new(spec, "p", Channel::Stderr, strip, Some("/log".into()));
    assert_eq!(output.open(host), Ok(()));
    output
}

fn said(text: &str) -> Effect {
    Effect::Say(Line::Output { name: "p".into(), channel: "stderr", text: text.into() })
}

#[test]
fn log_037_and_evt_045_say_each_chunk() {
    let mut host = Sim::default();
    let mut output = open(&ChannelSpec { events: true, ..spec() }, false, &mut host);
    let effects = output.feed(b"one\n", ALL, NOW, &mut host);
    assert_eq!(effects.list, [said("one\n"), Effect::Log(b"one\n".to_vec())]);
    assert!(effects.grew);
    let effects = output.feed(b"", ALL, NOW, &mut host);
    assert_eq!(effects, Effects::default());
    let effects = output.feed(b"two\n", Wants::default(), NOW, &mut host);
    assert_eq!(effects.list, []);
    assert_eq!(host.files.text("/log"), Some(b"one\ntwo\n".as_slice()));
}

#[test]
fn evt_031_undecodable_bytes() {
    assert_eq!(shown("é'\"".as_bytes()), "é'\"");
    assert_eq!(shown(b"a\xff'\n"), "Undecodable: b\"a\\xff'\\n\"");
    let mut host = Sim::default();
    let mut output = open(&spec(), false, &mut host);
    let effects = output.feed(b"\xc3", ALL, NOW, &mut host);
    assert_eq!(effects.list, [said("Undecodable: b'\\xc3'")]);
    assert_eq!(host.files.text("/log"), Some(b"\xc3".as_slice()));
}

#[test]
fn log_050_stripped_everywhere() {
    let mut host = Sim::default();
    let mut output = open(&ChannelSpec { events: true, syslog: true, ..spec() }, true, &mut host);
    assert_eq!(output.feed(b"\x1b[3", ALL, NOW, &mut host), Effects::default());
    let effects = output.feed(b"1mred\n\x1b", ALL, NOW, &mut host);
    assert_eq!(effects.list, [said("red\n"), Effect::Log(b"red\n".to_vec())]);
    output.eof(ALL, NOW, &mut host);
    assert_eq!(host.files.text("/log"), Some(b"red\n\x1b".as_slice()));
    assert_eq!(host.syslog, ["supervisord p red", "supervisord p \x1b"]);
}

#[test]
fn evt_061_062_blocks_go_to_listeners_only() {
    let mut host = Sim::default();
    let mut output = open(&ChannelSpec { capture_maxbytes: 100, syslog: true, ..spec() }, false, &mut host);
    let text = b"a\n<!--XSUPERVISOR:BEGIN-->x\n<!--XSUPERVISOR:END-->b\n";
    let effects = output.feed(text, ALL, NOW, &mut host);
    assert_eq!(
        effects.list,
        [
            said("a\n"),
            said("x\n"),
            Effect::Communication(b"x\n".to_vec()),
            Effect::Say(Line::EmittedBlock { name: "p".into(), channel: "stderr" }),
            said("b\n"),
        ]
    );
    assert_eq!(host.files.text("/log"), Some(b"a\nb\n".as_slice()));
    assert_eq!(host.syslog, ["supervisord p a", "supervisord p b"]);
}

#[test]
fn evt_064_067_eof_flushes_and_clear_empties() {
    let mut host = Sim::default();
    let mut output = open(&ChannelSpec { capture_maxbytes: 100, ..spec() }, false, &mut host);
    output.feed(b"bye<!--X", ALL, NOW, &mut host);
    assert_eq!(host.files.text("/log"), Some(b"bye".as_slice()));
    assert!(output.eof(ALL, NOW, &mut host).grew);
    assert_eq!(host.files.text("/log"), Some(b"bye<!--X".as_slice()));
    output.feed(b"<!--XSUPERVISOR:BEGIN-->old", ALL, NOW, &mut host);
    assert_eq!(output.clear(NOW, &mut host), Ok(()));
    let effects =
        output.feed(b"new<!--XSUPERVISOR:END-->", Wants { debug: false, logs: true, blocks: true }, NOW, &mut host);
    assert_eq!(effects.list, [Effect::Communication(b"new".to_vec())]);
    assert_eq!(host.files.text("/log"), Some(b"".as_slice()));
}

#[test]
fn log_061_063_lines_for_syslog() {
    // BUG-054.
    let mut host = Sim::default();
    let mut output = Output::new(&ChannelSpec { syslog: true, ..spec() }, "p", Channel::Stdout, false, None);
    output.feed(b"he", ALL, NOW, &mut host);
    output.feed(b"llo\n\n\xffx", ALL, NOW, &mut host);
    assert_eq!(host.syslog, ["supervisord p hello", "supervisord p "]);
    output.eof(ALL, NOW, &mut host);
    assert_eq!(host.syslog[2], "supervisord p \u{fffd}x");
    host.syslog.clear();
    // A line without end stays bounded.
    output.feed(&vec![b'a'; limits::SYSLOG_LINE_BYTES * 2 + 5], ALL, NOW, &mut host);
    assert_eq!(host.syslog.len(), 2);
    output.feed(b"b\n", ALL, NOW, &mut host);
    assert_eq!(host.syslog[2], "supervisord p aaaaab");
}
