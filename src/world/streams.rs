//! What runs between the world and a child: its output into logs, its stdin, plain signals; and logs reopened and
//! cleared.

use crate::base::errno::Errno;
use crate::base::events::Kind;
use crate::base::key::Key;
use crate::base::limits::STDIN_BYTES;
use crate::base::text::shown;
use crate::base::words::{Channel, Level, fault};
use crate::config::spec::LogFile;
use crate::world::life::{Step, shown_signal};
use crate::world::lines::Line;
use crate::world::log::Report;
use crate::world::output::{Effect, Effects, Output, Wants};
use crate::world::process::Process;
use crate::world::{Alarm, Turn, World};

const BOTH: [Channel; 2] = [Channel::Stdout, Channel::Stderr];

impl World {
    /// What outputs are to report.
    fn wants_of(&self, channel: Channel) -> Wants {
        let (log, block) = match channel {
            Channel::Stdout => (Kind::LogStdout, Kind::CommunicationStdout),
            Channel::Stderr => (Kind::LogStderr, Kind::CommunicationStderr),
        };
        Wants { debug: self.says(Level::Debug), logs: self.wants(log), blocks: self.wants(block) }
    }

    fn output(&mut self, who: Key<Process>, channel: Channel) -> Option<&mut Output> {
        self.processes.get_mut(who)?.outputs[channel.index()].as_mut()
    }

    /// A child printed (PROC-100).
    pub fn printed(&mut self, who: Key<Process>, channel: Channel, bytes: &[u8], turn: &mut Turn<'_>) {
        if let Some(process) = self.processes.get_mut(who)
            && std::mem::take(&mut process.silent)
        {
            self.changes += 1;
        }
        let wants = self.wants_of(channel);
        let (now, host) = (turn.now.mono, &mut *turn.host);
        let Some(effects) = self.output(who, channel).map(|output| output.feed(bytes, wants, now, host)) else {
            return;
        };
        self.carry_out(who, channel, effects, turn);
        self.look_after_log(who, channel, turn);
        if channel == Channel::Stdout {
            self.heard(who, bytes, turn);
        }
    }

    /// A child's channel came to its end (PROC-101). `fd`, the number that its descriptor had, is only said.
    pub fn channel_closed(&mut self, who: Key<Process>, channel: Channel, fd: i32, turn: &mut Turn<'_>) {
        let Some(process) = self.processes.get(who) else { return };
        if self.says(Level::Debug) {
            let line = Line::ChannelClosed { fd, name: process.spec.name.clone(), channel: channel.name() };
            self.say(&line, turn);
        }
    }

    /// The child is gone and so is all it printed: gives out what was held back, then closes the logs.
    pub(crate) fn finish_outputs(&mut self, who: Key<Process>, turn: &mut Turn<'_>) {
        for channel in BOTH {
            let wants = self.wants_of(channel);
            let (now, host) = (turn.now.mono, &mut *turn.host);
            let Some(effects) = self.output(who, channel).map(|output| output.eof(wants, now, host)) else { continue };
            self.carry_out(who, channel, effects, turn);
        }
        self.close_outputs(who, turn);
    }

    fn carry_out(&mut self, who: Key<Process>, channel: Channel, effects: Effects, turn: &mut Turn<'_>) {
        if effects.grew {
            self.log_writes += 1;
            self.note_log(who, channel);
        }
        for effect in effects.list {
            match effect {
                Effect::Say(line) => self.say(&line, turn),
                Effect::Log(bytes) => self.tell_of_output(who, channel, &shown(&bytes), turn),
                Effect::Communication(bytes) => self.tell_of_block(who, channel, &shown(&bytes), turn),
            }
        }
    }

    /// Opens the logs for a start (PROC-050). An automatic one that could not be made before is made now, if it can
    /// be: where nothing can be written, programs run all the same.
    pub(crate) fn open_outputs(&mut self, who: Key<Process>, turn: &mut Turn<'_>) -> Result<(), Errno> {
        self.make_due_logs(who, turn);
        for channel in BOTH {
            if let Some(process) = self.processes.get(who)
                && process.spec.channels[channel.index()].logfile == LogFile::Auto
                && process.outputs[channel.index()].as_ref().is_some_and(|output| output.path().is_none())
            {
                let spec = process.spec.clone();
                let protocol = process.listener.is_some() && channel == Channel::Stdout;
                if let Ok(made) = self.make_output(&spec, channel, protocol, None, turn)
                    && let Some(process) = self.processes.get_mut(who)
                {
                    process.outputs[channel.index()] = Some(made);
                }
            }
            if let Some(output) = self.output(who, channel)
                && let Err(error) = output.open(turn.host)
            {
                self.close_outputs(who, turn);
                return Err(error);
            }
        }
        Ok(())
    }

    pub(crate) fn close_outputs(&mut self, who: Key<Process>, turn: &mut Turn<'_>) {
        for channel in BOTH {
            let (now, host) = (turn.now.mono, &mut *turn.host);
            if let Some(output) = self.output(who, channel) {
                output.close(now, host);
            }
            self.look_after_log(who, channel, turn);
        }
    }

    /// After something was written: arms the next try of a log that could not take it, says so now and then, and
    /// lets the child wait while its reader sets the pace (PROC-103).
    pub(crate) fn look_after_log(&mut self, who: Key<Process>, channel: Channel, turn: &mut Turn<'_>) {
        let Some(process) = self.processes.get_mut(who) else { return };
        let log = process.outputs[channel.index()].as_mut().and_then(Output::log_mut);
        let Some(log) = log else { return };
        let report = log.take_report(turn.now.mono);
        let name = report.as_ref().map(|_| process.spec.name.clone()).unwrap_or_default();
        turn.host.pause_output(who, channel, log.is_choked());
        let retry = process.outputs.iter().flatten().filter_map(|output| output.log()?.retry_at()).min();
        self.alarms.set(Alarm::Log(who), retry);
        self.report_log(&name, report, turn);
    }

    pub(crate) fn report_log(&mut self, name: &str, report: Option<Report>, turn: &mut Turn<'_>) {
        let name = name.to_string();
        match report {
            Some(Report::Trouble(text)) => self.say(&Line::LogTrouble { name, text }, turn),
            Some(Report::Recovered(text)) => self.say(&Line::LogRecovered { name, text }, turn),
            None => {}
        }
    }

    pub(crate) fn retry_logs(&mut self, who: Key<Process>, turn: &mut Turn<'_>) {
        for channel in BOTH {
            let (now, host) = (turn.now.mono, &mut *turn.host);
            let grew = self.output(who, channel).is_some_and(|output| output.retry(now, host));
            if grew {
                self.log_writes += 1;
                self.note_log(who, channel);
            }
            self.look_after_log(who, channel, turn);
        }
    }

    /// After the main log was written: arms its next try, and says what is the matter with it. While it can't be
    /// written, only the foreground copy shows that at once; in the file it comes at its place, if there was room.
    pub(crate) fn look_after_main_log(&mut self, turn: &mut Turn<'_>) {
        let log = self.main_log.file();
        let (report, retry) = log.map_or((None, None), |log| (log.take_report(turn.now.mono), log.retry_at()));
        self.alarms.set(Alarm::MainLog, retry);
        match report {
            Some(Report::Trouble(text)) => self.say(&Line::Free(Level::Error, text), turn),
            Some(Report::Recovered(text)) => self.say(&Line::Free(Level::Info, text), turn),
            None => {}
        }
    }

    pub(crate) fn retry_main_log(&mut self, turn: &mut Turn<'_>) {
        if let Some(log) = self.main_log.file() {
            log.retry(turn.now.mono, turn.host);
        }
        self.look_after_main_log(turn);
    }

    /// Tries once more to write what logs hold, and says how much still waits: for the end, when no alarm comes any more.
    pub fn flush_logs(&mut self, turn: &mut Turn<'_>) -> usize {
        let outputs = self.processes.iter_mut().flat_map(|(_, process)| process.outputs.iter_mut().flatten());
        let logs = outputs.filter_map(Output::log_mut).chain(self.main_log.file());
        let mut waiting = 0;
        for log in logs.filter(|log| log.held() > 0) {
            log.retry(turn.now.mono, turn.host);
            waiting += log.held();
        }
        waiting
    }

    /// SIGUSR2: the main log and the logs of running processes are opened again by name (LOG-040).
    pub(crate) fn reopen_logs(&mut self, turn: &mut Turn<'_>) {
        if let Some(log) = self.main_log.file() {
            // A failure is kept by the log itself, which tries again.
            let _ = log.reopen(turn.now.mono, turn.host);
        }
        self.look_after_main_log(turn);
        for who in self.processes.keys() {
            for channel in BOTH {
                let (now, host) = (turn.now.mono, &mut *turn.host);
                if let Some(output) = self.output(who, channel) {
                    let _ = output.reopen(now, host);
                }
                self.look_after_log(who, channel, turn);
            }
        }
        self.log_writes += 1;
    }

    /// Empties both logs of a process (RPC-107).
    pub fn clear_logs(&mut self, who: Key<Process>, turn: &mut Turn<'_>) -> Result<(), Errno> {
        let mut result = Ok(());
        for channel in BOTH {
            let (now, host) = (turn.now.mono, &mut *turn.host);
            if let Some(output) = self.output(who, channel) {
                result = result.and(output.clear(now, host));
            }
            self.look_after_log(who, channel, turn);
        }
        self.note_cleared(who);
        self.log_writes += 1;
        result
    }

    /// Empties the main log; `None` if there is no file (RPC-102).
    pub fn clear_main_log(&mut self, turn: &mut Turn<'_>) -> Option<Result<(), Errno>> {
        let path = self.main_log_path()?;
        turn.host.stat(&path).ok()?;
        self.say(&Line::ReopeningLog {}, turn);
        let result = self.main_log.file().map(|log| log.clear(turn.now.mono, turn.host));
        self.look_after_main_log(turn);
        self.log_writes += 1;
        result
    }

    /// Sends bytes to a child's stdin; what doesn't fit now follows later (PROC-090). The error is a fault code.
    pub fn feed_stdin(&mut self, who: Key<Process>, bytes: &[u8], turn: &mut Turn<'_>) -> Result<(), i32> {
        let Some(process) = self.processes.get_mut(who) else { return Err(fault::BAD_NAME) };
        if process.stdin_closed {
            return Err(fault::NO_FILE);
        }
        if process.stdin.len() + bytes.len() > STDIN_BYTES {
            return Err(fault::FAILED);
        }
        process.stdin.push(bytes);
        self.pump_stdin(who, turn);
        match self.processes.get(who) {
            // PROC-091.
            Some(process) if process.stdin_closed => Err(fault::NO_FILE),
            _ => Ok(()),
        }
    }

    /// Writes what a child's stdin takes now.
    pub fn pump_stdin(&mut self, who: Key<Process>, turn: &mut Turn<'_>) {
        let Some(process) = self.processes.get_mut(who) else { return };
        while !process.stdin.is_empty() {
            match turn.host.write_stdin(who, process.stdin.as_slice()) {
                Ok(0) | Err(Errno::EAGAIN) => return,
                Ok(count) => process.stdin.consume(count),
                Err(_) => {
                    process.stdin.clear();
                    process.stdin_closed = true;
                }
            }
        }
    }

    /// Sends a signal without a change of state (PROC-065). The error is the text of the fault.
    pub fn signal(&mut self, who: Key<Process>, signal: i32, turn: &mut Turn<'_>) -> Result<(), String> {
        let Some(process) = self.processes.get(who) else { return Ok(()) };
        let (name, shown) = (process.spec.name.clone(), shown_signal(signal));
        let Some(pid) = process.life.pid() else {
            let line = Line::KillNotRunning { name, signal: shown };
            let text = line.to_string();
            self.say(&line, turn);
            return Err(text);
        };
        self.say(&Line::Sending { name: name.clone(), pid, signal: shown }, turn);
        match turn.host.kill(pid, signal, false) {
            Ok(()) => Ok(()),
            Err(Errno::ESRCH) => {
                self.say(&Line::AlreadyGone { name, pid, error: Errno::ESRCH.to_string() }, turn);
                Ok(())
            }
            Err(error) => {
                let line = Line::UnknownSignalProblem { name, pid, error: error.to_string() };
                self.say(&line, turn);
                self.drive(who, Step::SignalFailed, turn);
                Err(line.to_string())
            }
        }
    }
}
