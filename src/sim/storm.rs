//! What happens to the daemon by itself: time, signals, faults, children that print, live and die.

use std::time::Duration;

use crate::base::errno::Errno;
use crate::base::limits;
use crate::base::words::{Channel, Exit, Pid};
use crate::daemon::Input;
use crate::sim::child::{Child, Nature};
use crate::sim::mutant::Mutant;
use crate::sim::rules::Checked;
use crate::sim::run::Sim;
use crate::sim::setup;

const BOTH: [Channel; 2] = [Channel::Stdout, Channel::Stderr];

impl Sim {
    /// Time passes and things happen.
    pub(super) fn stir(&mut self) -> Checked {
        self.pass_time();
        self.change_weather();
        self.send_signals()?;
        if self.dice.one_in(150) {
            self.massacre();
        }
        for _ in 0..self.dice.below(3) {
            self.let_a_child_speak()?;
        }
        self.let_listeners_speak()
    }

    /// Listeners go on with their conversations, each or not.
    fn let_listeners_speak(&mut self) -> Checked {
        let listens = |child: &&Child| child.nature == Nature::Listener;
        let pids: Vec<Pid> = self.host.children.values().filter(listens).map(|child| child.pid).collect();
        for pid in pids {
            if self.dice.one_in(3) {
                continue;
            }
            let Some(child) = self.host.children.get_mut(&pid) else { continue };
            child.converse(self.host.now, &mut self.dice);
            let (who, news) = (child.who, std::mem::take(&mut child.talk.news));
            let fed = std::mem::take(&mut child.stdin_awaited);
            if fed {
                child.stdin_room = child.stdin_room.map(|room| room + 4_096);
            }
            let paused = child.paused[0];
            if let Some(process) = self.daemon.world.processes.get(who) {
                self.watch.told(pid, process.group, news)?;
            }
            if !paused && self.dice.one_in(2) {
                self.read(pid, Channel::Stdout)?;
            }
            if fed {
                self.give(Input::StdinReady(who))?;
            }
        }
        Ok(())
    }

    fn pass_time(&mut self) {
        match self.dice.below(100) {
            0..60 => self.clock.pass(Duration::from_millis(self.dice.below(60))),
            60..90 => self.leap(),
            // Woken late: the machine was busy or asleep.
            90..97 => self.clock.pass(Duration::from_millis(self.dice.below(12_000))),
            97 => {
                // By hours, or by ten years.
                let most = *self.dice.pick(&[100_000, 315_000_000]);
                let secs = self.dice.between(0, 2 * most) as i64 - most as i64;
                self.host.journal.note(format!("the wall clock is set by {secs} s"));
                self.clock.step_wall(secs);
            }
            _ => {}
        }
        self.host.now = self.clock.now().mono;
    }

    /// Faults come and go.
    fn change_weather(&mut self) {
        if !self.dice.one_in(40) {
            return;
        }
        if self.dice.one_in(4) {
            // Somebody edits the configuration file, and may make a mess of it.
            self.host.config = if self.dice.one_in(4) { None } else { setup::config(&mut self.dice).ok() };
        }
        let refusals = &mut self.host.refusals;
        refusals.spawn = *self.dice.pick(&[0, 0, 20, 3]);
        refusals.room = *self.dice.pick(&[0, 0, 5, 2]);
        refusals.kill = *self.dice.pick(&[0, 0, 0, 50]);
        refusals.socket = *self.dice.pick(&[0, 0, 0, 3]);
        refusals.open = *self.dice.pick(&[0, 0, 0, 10, 2]);
        refusals.append = *self.dice.pick(&[0, 0, 0, 10, 2]);
        refusals.rename = *self.dice.pick(&[0, 0, 0, 5, 1]);
        self.host.files.faults.room = *self.dice.pick(&[None, None, None, Some(5_000), Some(0)]);
        self.host.files.faults.read = *self.dice.pick(&[None, None, None, None, Some(Errno::EIO)]);
        self.host.files.put_pipe("/dev/stdout", *self.dice.pick(&[1_000_000, 100]));
    }

    fn send_signals(&mut self) -> Checked {
        for (signal, name, once_in) in [(12, "USR2", 500), (1, "HUP", 1_000), (15, "TERM", 2_000), (2, "INT", 3_000)] {
            if self.dice.one_in(once_in) {
                self.host.journal.note(format!("signal {name}"));
                self.give(Input::Signal(signal))?;
            }
        }
        Ok(())
    }

    /// Somebody kills many children at once.
    fn massacre(&mut self) {
        self.host.journal.note("many children are killed".to_string());
        let now = self.host.now;
        for child in self.host.children.values_mut() {
            if !self.dice.one_in(4) {
                child.ends = Some((now, Exit::Signal { signal: 9, core: false }));
            }
        }
    }

    fn let_a_child_speak(&mut self) -> Checked {
        let pids: Vec<Pid> = self.host.children.keys().copied().collect();
        let Some(pid) = (!pids.is_empty()).then(|| *self.dice.pick(&pids)) else { return Ok(()) };
        let channel = if self.dice.one_in(3) { Channel::Stderr } else { Channel::Stdout };
        let Some(child) = self.host.children.get_mut(&pid) else { return Ok(()) };
        child.print(channel, &mut self.dice);
        let (who, closes) = (child.who, child.nature == Nature::Closed);
        let fed = child.stdin_awaited && self.dice.one_in(2);
        if fed {
            child.stdin_awaited = false;
            child.stdin_room = child.stdin_room.map(|room| room + 4_096);
        }
        let closed = &mut child.closed[channel.index()];
        let closes = closes && child.pipes[channel.index()].is_empty() && !std::mem::replace(closed, true);
        if !child.paused[channel.index()] {
            self.read(pid, channel)?;
        }
        if closes {
            self.give(Input::OutputClosed { who, channel, fd: 9 })?;
        }
        if fed { self.give(Input::StdinReady(who)) } else { Ok(()) }
    }

    /// One read of a child's channel, if there is anything.
    fn read(&mut self, pid: Pid, channel: Channel) -> Checked {
        let Some(child) = self.host.children.get_mut(&pid) else { return Ok(()) };
        if child.pipes[channel.index()].is_empty() {
            return Ok(());
        }
        let who = child.who;
        let bytes = child.read(channel, &mut self.dice);
        self.watch.printed(who, channel.index(), &bytes);
        for part in bytes.chunks(limits::READ_BYTES) {
            let part = match self.mutant {
                Some(Mutant::CutsOutput) => &part[..part.len() - 1],
                _ => part,
            };
            self.give(Input::Output { who, channel, bytes: part })?;
        }
        Ok(())
    }

    /// Children that ended are reaped, most of them at once; their last words first.
    pub(super) fn reap(&mut self) -> Checked {
        let now = self.host.now;
        let ended: Vec<Child> = self.host.children.values().filter(|child| child.has_ended(now)).cloned().collect();
        if !ended.is_empty() {
            self.give(Input::ChildSignal)?;
        }
        for child in ended {
            if self.stirring && self.dice.one_in(10) {
                continue;
            }
            for channel in BOTH {
                if let Some(child) = self.host.children.get_mut(&child.pid)
                    && self.dice.one_in(2)
                {
                    child.print(channel, &mut self.dice);
                }
                while self.host.children.get(&child.pid).is_some_and(|c| !c.pipes[channel.index()].is_empty()) {
                    self.read(child.pid, channel)?;
                }
                if self.dice.one_in(2) && !child.closed[channel.index()] {
                    self.give(Input::OutputClosed { who: child.who, channel, fd: 9 })?;
                }
            }
            let Some((_, exit)) = child.ends else { continue };
            self.host.journal.note(format!("{now:?} reap {}: {exit:?}", child.pid));
            self.host.children.remove(&child.pid);
            if self.mutant != Some(Mutant::LosesExits) {
                self.watch.reaping(child.pid, exit);
                self.give(Input::Exited { pid: child.pid, exit })?;
            }
        }
        if self.dice.one_in(300) {
            // PROC-033: somebody else's child.
            self.give(Input::Exited { pid: 77, exit: Exit::Code(0) })?;
        }
        Ok(())
    }
}
