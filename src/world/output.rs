//! One output channel of one process: where its bytes go, in which form.
//!
//! ANSI sequences out, tagged blocks out, the rest to the log file and to syslog. What is to be said in the main log
//! and what listeners may want is returned, never sent from here. Keeps at most a held log, an unfinished block, an
//! unfinished line for syslog and an unfinished tag.

use std::borrow::Cow;

use crate::base::errno::Errno;
use crate::base::limits;
use crate::base::text::shown;
use crate::base::time::Mono;
use crate::base::words::Channel;
use crate::config::spec::ChannelSpec;
use crate::wire::ansi::AnsiStrip;
use crate::wire::capture::{Capture, Piece};
use crate::world::host::Host;
use crate::world::lines::Line;
use crate::world::log::Log;
use crate::world::mainlog::SYSLOG_IDENT;

/// What a piece of output asks of the world.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Effect {
    /// A line of the main log (LOG-037, EVT-062).
    Say(Line),
    /// A PROCESS_LOG event with these bytes (EVT-045).
    Log(Vec<u8>),
    /// A PROCESS_COMMUNICATION event with these bytes (EVT-062).
    Communication(Vec<u8>),
}

/// Everything that came of some output.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Effects {
    /// In order.
    pub list: Vec<Effect>,
    /// Whether the log file grew: those who follow it have something to read.
    pub grew: bool,
}

/// What the world wants to hear of.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Wants {
    /// DEBG lines: the main log takes them.
    pub debug: bool,
    /// PROCESS_LOG events: somebody listens. They also need the channel's own setting.
    pub logs: bool,
    /// PROCESS_COMMUNICATION events: somebody listens.
    pub blocks: bool,
}

/// One channel.
#[derive(Debug)]
pub struct Output {
    strip: Option<AnsiStrip>,
    capture: Option<Capture>,
    sinks: Sinks,
}

/// Where output ends up once it is in pieces.
#[derive(Debug)]
struct Sinks {
    name: String,
    channel: Channel,
    log_events: bool,
    log: Option<Log>,
    /// The unfinished line, if lines go there.
    syslog: Option<Vec<u8>>,
}

/// What one piece of work is done with, and what came of it.
struct Pass<'a> {
    wants: Wants,
    now: Mono,
    host: &'a mut dyn Host,
    effects: Effects,
}

impl Output {
    /// A channel of the process `name`. `path`: its log file, the generated one for AUTO; `None` for no file.
    pub fn new(spec: &ChannelSpec, name: &str, channel: Channel, strip_ansi: bool, path: Option<String>) -> Output {
        Output {
            strip: strip_ansi.then(AnsiStrip::default),
            capture: (spec.capture_maxbytes > 0).then(|| Capture::new(spec.capture_maxbytes)),
            sinks: Sinks {
                name: name.to_string(),
                channel,
                log_events: spec.events,
                log: path.map(|path| Log::new(path, spec.maxbytes, spec.backups)),
                syslog: spec.syslog.then(Vec::new),
            },
        }
    }

    /// The log file's path, if there is one.
    pub fn path(&self) -> Option<&str> {
        self.log().map(Log::path)
    }

    /// The log file, if there is one: for its deadline, its counters and whether it is choked.
    pub fn log(&self) -> Option<&Log> {
        self.sinks.log.as_ref()
    }

    /// The log file, to open, reopen or close it, to try it again and to take its reports.
    pub fn log_mut(&mut self) -> Option<&mut Log> {
        self.sinks.log.as_mut()
    }

    /// Opens the log file for a process that is about to start. The error fails the start (LOG-054).
    pub fn open(&mut self, host: &mut dyn Host) -> Result<(), Errno> {
        self.log_mut().map_or(Ok(()), |log| log.open(host))
    }

    /// Takes what one read gave.
    pub fn feed(&mut self, bytes: &[u8], wants: Wants, now: Mono, host: &mut dyn Host) -> Effects {
        let mut pass = Pass { wants, now, host, effects: Effects::default() };
        let bytes = match &mut self.strip {
            Some(strip) => strip.push(bytes),
            None => Cow::Borrowed(bytes),
        };
        self.sinks.split(&mut self.capture, &bytes, &mut pass);
        pass.effects
    }

    /// The stream ended: gives out what was held back (EVT-064, LOG-061). The log file stays open.
    pub fn eof(&mut self, wants: Wants, now: Mono, host: &mut dyn Host) -> Effects {
        let mut pass = Pass { wants, now, host, effects: Effects::default() };
        let rest = self.strip.as_mut().map_or(&[] as &[u8], AnsiStrip::finish);
        self.sinks.split(&mut self.capture, rest, &mut pass);
        if let Some(capture) = &mut self.capture {
            capture.finish(&mut |piece| self.sinks.take(piece, &mut pass));
        }
        self.sinks.end_line(&mut pass);
        pass.effects
    }

    /// The deadline of [`Log::retry_at`] has come. Says whether the file grew.
    pub fn retry(&mut self, now: Mono, host: &mut dyn Host) -> bool {
        self.log_mut().is_some_and(|log| log.retry(now, host).stored > 0)
    }

    /// Opens the file again by name (LOG-040).
    pub fn reopen(&mut self, now: Mono, host: &mut dyn Host) -> Result<(), Errno> {
        self.log_mut().map_or(Ok(()), |log| log.reopen(now, host))
    }

    /// Empties the log file (LOG-077) and an unfinished block (EVT-067).
    pub fn clear(&mut self, now: Mono, host: &mut dyn Host) -> Result<(), Errno> {
        if let Some(capture) = &mut self.capture {
            capture.clear();
        }
        self.log_mut().map_or(Ok(()), |log| log.clear(now, host))
    }

    /// Closes the log file: the process ended.
    pub fn close(&mut self, now: Mono, host: &mut dyn Host) {
        if let Some(log) = self.log_mut() {
            log.close(now, host);
        }
    }

    /// Closes the log file for good: the process is forgotten.
    pub fn abandon(&mut self, now: Mono, host: &mut dyn Host) {
        if let Some(log) = self.log_mut() {
            log.abandon(now, host);
        }
    }
}

impl Sinks {
    fn split(&mut self, capture: &mut Option<Capture>, bytes: &[u8], pass: &mut Pass<'_>) {
        match capture {
            _ if bytes.is_empty() => {}
            Some(capture) => capture.push(bytes, &mut |piece| self.take(piece, pass)),
            None => self.take(Piece::Plain(bytes), pass),
        }
    }

    fn take(&mut self, piece: Piece<'_>, pass: &mut Pass<'_>) {
        let (name, channel) = (&self.name, self.channel.name());
        let bytes = match piece {
            Piece::Plain(bytes) => bytes,
            Piece::Captured(bytes) => bytes,
            Piece::Block(bytes) => {
                if pass.wants.blocks {
                    pass.effects.list.push(Effect::Communication(bytes));
                }
                if pass.wants.debug {
                    pass.effects.list.push(Effect::Say(Line::EmittedBlock { name: name.clone(), channel }));
                }
                return;
            }
        };
        if pass.wants.debug {
            let text = shown(bytes).into_owned();
            pass.effects.list.push(Effect::Say(Line::Output { name: name.clone(), channel, text }));
        }
        // upstream: EVT-045, also for what stands between tags (BUG-085).
        if pass.wants.logs && self.log_events {
            pass.effects.list.push(Effect::Log(bytes.to_vec()));
        }
        if let Piece::Plain(bytes) = piece {
            self.put_lines(bytes, pass);
            if let Some(log) = &mut self.log {
                pass.effects.grew |= log.write(bytes, pass.now, pass.host).stored > 0;
            }
        }
    }

    /// Complete lines go to syslog, the rest waits (BUG-054).
    fn put_lines(&mut self, bytes: &[u8], pass: &mut Pass<'_>) {
        let Some(line) = &mut self.syslog else { return };
        let mut lines = bytes.split(|byte| *byte == b'\n').peekable();
        while let Some(part) = lines.next() {
            line.extend_from_slice(part);
            if lines.peek().is_some() {
                send_line(&self.name, line, pass.host);
                line.clear();
            } else if line.len() > limits::SYSLOG_LINE_BYTES {
                let whole = line.len() - line.len() % limits::SYSLOG_LINE_BYTES;
                send_line(&self.name, &line[..whole], pass.host);
                line.drain(..whole);
            }
        }
    }

    fn end_line(&mut self, pass: &mut Pass<'_>) {
        let line = self.syslog.as_mut().map(std::mem::take).unwrap_or_default();
        if !line.is_empty() {
            send_line(&self.name, &line, pass.host);
        }
    }
}

/// LOG-061, LOG-063. An empty line is a record, too.
fn send_line(name: &str, line: &[u8], host: &mut dyn Host) {
    for start in (0..line.len().max(1)).step_by(limits::SYSLOG_LINE_BYTES) {
        let part = &line[start..line.len().min(start + limits::SYSLOG_LINE_BYTES)];
        host.syslog(SYSLOG_IDENT, &format!("{name} {}", String::from_utf8_lossy(part)));
    }
}

#[cfg(test)]
#[path = "output_tests.rs"]
mod tests;
