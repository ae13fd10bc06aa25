//! Daemons with one fault each, to show that every rule can fail: a check that nothing breaks proves nothing.
//!
//! The fault lies between the daemon and its pretended surroundings, or is done to the world behind its back. What the
//! checks see is what they would see of a daemon with a bug of that kind. Adding a rule asks for a mutant here
//! (tests/simulate.rs).

use std::rc::Rc;
use std::time::Duration;

use crate::base::errno::Errno;
use crate::base::key::Key;
use crate::base::time::Now;
use crate::base::value::Value;
use crate::base::words::{Channel, Mood, Pid, SIGKILL, State};
use crate::config::error::ConfigError;
use crate::config::spec::{Config, FastCgiSpec, ProcessSpec};
use crate::sim::check::STOP_SIGNALS;
use crate::sim::child::Nature;
use crate::sim::client::{Question, Reply, Topic};
use crate::sim::dice::Dice;
use crate::sim::host::SimHost;
use crate::sim::rules::Rule;
use crate::world::host::{FileId, Folder, Host, Meta, Opened, Probe, SocketId, SpawnError, SpawnOrder};
use crate::world::life::{Life, Step};
use crate::world::process::Process;
use crate::world::{Alarm, Moved, Turn, World};

macro_rules! mutants {
    ($($name:ident $text:literal breaks $($rule:ident)|+;)*) => {
        /// A fault.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Mutant { $(#[doc = $text] $name),* }

        impl Mutant {
            /// Every fault, and the rules of which it breaks one.
            pub const TABLE: &'static [(Mutant, &'static [Rule])] = &[$((Mutant::$name, &[$(Rule::$rule),+])),*];
        }
    };
}

mutants! {
    LostAlarm "A deadline is not armed." breaks Sound;
    Overflow "A queue has no bound." breaks Sound | Events;
    Jump "A state changes without a word." breaks Moves;
    OddMove "A state that can't follow is reported." breaks Moves;
    StartsUnasked "Somebody starts who was not to." breaks Asked;
    StopsUnasked "Somebody is stopped who was not to be." breaks Asked;
    RunsEarly "RUNNING comes before startsecs are over." breaks Startsecs;
    RestartsEarly "An automatic restart comes at once." breaks Spacing;
    RetriesEarly "A retry comes before its pause is over." breaks Pauses;
    RetriesMore "There is a retry too many." breaks Retries;
    Sleeps "Deadlines are slept through." breaks Overdue;
    WallClock "The wall clock decides." breaks Overdue | Startsecs | Pauses | Patience | Spacing | Spins;
    SpawnsTwice "Two children are made for one." breaks OneChild;
    LosesExits "Exits are overheard." breaks Exits;
    StopsTwice "The stop signal is sent twice." breaks StopSignal;
    WrongSignal "The stop signal is another one." breaks StopSignal;
    WrongGroup "Process and process group are mixed up." breaks StopSignal;
    KillsEarly "SIGKILL follows the stop signal at once." breaks Patience;
    KillsTwice "SIGKILL is sent twice." breaks Patience;
    KillsNever "SIGKILL is not sent." breaks Overdue;
    StartsAtTheEnd "Something starts while the daemon goes." breaks NoStarts;
    GroupsAtOnce "A group stops before its turn." breaks Order;
    NeverEnds "The daemon stays when all is over." breaks Ends;
    ChangesItsMind "The end is called off." breaks Mood;
    RemovesLive "A group with live processes is removed." breaks Removal;
    LosesAnswers "An answer is not sent." breaks Answers | Ends;
    AnswersTwice "An answer is sent twice." breaks Answers;
    MixesCache "The cache gives another key's value." breaks Answers;
    Lies "A failed request is called done." breaks Waits;
    LosesNews "News for a page are not sent." breaks Watched;
    Hoards "Output to a client is not bounded." breaks Bounds;
    DropsByte "A byte is not written, and nobody counts it." breaks Bytes;
    SwapsBytes "Two bytes are written in the wrong order." breaks Bytes;
    WritesTwice "Bytes are written twice." breaks Bytes;
    CutsOutput "The end of what a child printed is not looked at." breaks Bytes;
    RemovesBackup "Rotation removes what it should rename." breaks Rotation;
    ShufflesBackups "Rotation gives the backups wrong numbers." breaks Rotation;
    MixesStdin "Bytes for a child arrive backwards." breaks Stdin;
    LosesEvents "An event that waits is forgotten." breaks Events;
    RepeatsEvents "An event that waits is there twice." breaks Events;
    SendsTwice "An event is sent twice." breaks Events;
    LeaksFiles "Logs are not closed." breaks Handles;
    LeaksPipes "Pipes are not closed." breaks Handles;
    LeaksSockets "Sockets are not closed." breaks Sockets;
    Spins "There is always something more to do." breaks Spins;
    WakesForNobody "A client that is gone is waited for." breaks Idle;
}

/// Does something to the world behind its back, if it is there to be done.
pub fn meddle(mutant: Mutant, world: &mut World, now: Now, host: &mut SimHost, dice: &mut Dice) {
    let chosen = {
        let keys = world.processes.keys();
        if keys.is_empty() {
            return;
        }
        *dice.pick(&keys)
    };
    let Some(process) = world.processes.get_mut(chosen) else { return };
    let (state, deadline) = (process.state(), process.life.deadline().filter(|at| *at > now.mono));
    let running = world.mood == Mood::Running;
    // As if it were later than it is.
    let mut early = |world: &mut World, which: State| {
        if let Some(at) = deadline.filter(|_| state == which) {
            let later = Now { mono: at + Duration::from_secs(60), ..now };
            world.drive(chosen, Step::Due, &mut Turn { now: later, host });
        }
    };
    match mutant {
        Mutant::RunsEarly => early(world, State::Starting),
        Mutant::RestartsEarly => early(world, State::Exited),
        Mutant::RetriesEarly => early(world, State::Backoff),
        Mutant::RetriesMore => {
            let spec = ProcessSpec { startretries: process.spec.startretries + 1, ..(*process.spec).clone() };
            if world.autostarts.is_empty() && process.spec.startretries < 5 {
                process.spec = Rc::new(spec);
            }
        }
        Mutant::StartsUnasked if running && state.is_stopped() && process.life.start().is_some() => {
            world.drive(chosen, Step::Start, &mut Turn { now, host });
        }
        Mutant::StopsUnasked if running && state == State::Running => {
            world.drive(chosen, Step::Stop, &mut Turn { now, host });
        }
        Mutant::StartsAtTheEnd if !running && state == State::Stopped => {
            let mood = std::mem::replace(&mut world.mood, Mood::Running);
            world.drive(chosen, Step::Start, &mut Turn { now, host });
            world.mood = mood;
        }
        Mutant::GroupsAtOnce if !running && state == State::Running => {
            world.drive(chosen, Step::Stop, &mut Turn { now, host });
        }
        Mutant::RemovesLive if state == State::Running => {
            let group = process.group;
            world.remove_group(group, &mut Turn { now, host });
        }
        _ => {}
    }
}

/// As [`meddle`], but behind the back of the assertions that debug builds have in every turn.
pub fn meddle_late(mutant: Mutant, world: &mut World, now: Now, dice: &mut Dice) {
    let pools = world.groups.iter_mut().filter_map(|(_, group)| group.pool.as_mut());
    if let Some(pool) = pools.into_iter().find(|pool| !pool.is_empty()) {
        match mutant {
            Mutant::LosesEvents => drop(pool.take()),
            Mutant::RepeatsEvents => {
                if let Some(ticket) = pool.first().cloned() {
                    pool.put_back(ticket);
                }
            }
            _ => {}
        }
    }
    let keys = world.processes.keys();
    let Some(chosen) = (!keys.is_empty()).then(|| *dice.pick(&keys)) else { return };
    let Some(process) = world.processes.get_mut(chosen) else { return };
    match mutant {
        Mutant::LostAlarm if process.life.deadline().is_some() => world.alarms.set(Alarm::Life(chosen), None),
        Mutant::Overflow if process.listener.is_none() => process.stdin.push(b"for nobody"),
        Mutant::Jump if process.state() == State::Running => process.life = Life::default(),
        Mutant::WakesForNobody => world.wake_waiters(now.mono + Duration::from_secs(1)),
        Mutant::ChangesItsMind => world.mood = Mood::Running,
        Mutant::OddMove => {
            let odd = Moved { who: chosen, from: process.state(), to: process.state() };
            world.trail.get_or_insert_default().push(odd);
        }
        _ => {}
    }
}

/// Another answer than the daemon gave.
pub fn forge(mutant: Option<Mutant>, question: &Question, reply: &mut Reply) {
    match (mutant, &question.topic) {
        (Some(Mutant::MixesCache), Topic::Fetch(Some(text))) => *reply = Ok(Value::Str(format!("{text}0"))),
        (Some(Mutant::Lies), Topic::Processes(scope)) if scope.waits && reply.is_err() => {
            *reply = Ok(Value::Bool(true))
        }
        _ => {}
    }
}

/// The pretended system, as a daemon with a fault would use it.
pub struct Tampered<'a> {
    /// The system.
    pub host: &'a mut SimHost,
    /// The fault.
    pub mutant: Option<Mutant>,
}

impl Tampered<'_> {
    fn has(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }
}

/// A folder of the pretended system.
struct TamperedFolder<'a> {
    folder: Box<dyn Folder + 'a>,
    mutant: Option<Mutant>,
}

impl Folder for TamperedFolder<'_> {
    fn rename(&mut self, from: &str, to: &str) -> Result<(), Errno> {
        let second = to.strip_suffix(".1").map(|log| format!("{log}.2"));
        match (self.mutant, second) {
            (Some(Mutant::RemovesBackup), _) => self.folder.remove(from),
            (Some(Mutant::ShufflesBackups), Some(second)) if self.folder.rename(&second, to).is_ok() => {
                self.folder.rename(from, &second)
            }
            _ => self.folder.rename(from, to),
        }
    }

    fn remove(&mut self, name: &str) -> Result<(), Errno> {
        self.folder.remove(name)
    }

    fn is_folder(&mut self, name: &str) -> bool {
        self.folder.is_folder(name)
    }

    fn names(&mut self, most: usize, take: &mut dyn FnMut(&[u8])) -> Result<(), Errno> {
        self.folder.names(most, take)
    }
}

impl Host for Tampered<'_> {
    fn spawn(&mut self, who: Key<Process>, order: &SpawnOrder<'_>) -> Result<Pid, SpawnError> {
        if self.has(Mutant::SpawnsTwice) {
            let _ = self.host.spawn(who, order);
        }
        self.host.spawn(who, order)
    }

    fn has_room(&mut self) -> bool {
        self.host.has_room()
    }

    fn kill(&mut self, pid: Pid, signal: i32, group: bool) -> Result<(), Errno> {
        let stops = STOP_SIGNALS.contains(&signal);
        match self.mutant {
            Some(Mutant::WrongGroup) => return self.host.kill(pid, signal, !group),
            Some(Mutant::WrongSignal) if stops => return self.host.kill(pid, if signal == 15 { 2 } else { 15 }, group),
            Some(Mutant::KillsNever) if signal == SIGKILL => return Ok(()),
            Some(Mutant::StopsTwice) if stops => drop(self.host.kill(pid, signal, group)),
            Some(Mutant::KillsTwice) if signal == SIGKILL => drop(self.host.kill(pid, signal, group)),
            Some(Mutant::KillsEarly) if stops => {
                let result = self.host.kill(pid, signal, group);
                let _ = self.host.kill(pid, SIGKILL, group);
                return result;
            }
            _ => {}
        }
        self.host.kill(pid, signal, group)
    }

    fn write_stdin(&mut self, who: Key<Process>, bytes: &[u8]) -> Result<usize, Errno> {
        if self.has(Mutant::SendsTwice) && bytes.starts_with(b"ver:3.0 ") {
            let _ = self.host.write_stdin(who, bytes);
        }
        let listens = self.host.child_of(who).is_some_and(|child| child.nature == Nature::Listener);
        if self.has(Mutant::MixesStdin) && !listens {
            let mixed: Vec<u8> = bytes.iter().rev().copied().collect();
            return self.host.write_stdin(who, &mixed);
        }
        self.host.write_stdin(who, bytes)
    }

    fn pause_output(&mut self, who: Key<Process>, channel: Channel, paused: bool) {
        self.host.pause_output(who, channel, paused);
    }

    fn could_open_socket(&mut self, spec: &FastCgiSpec) -> Result<(), String> {
        self.host.could_open_socket(spec)
    }

    fn open_socket(&mut self, spec: &FastCgiSpec) -> Result<SocketId, String> {
        self.host.open_socket(spec)
    }

    fn close_socket(&mut self, socket: SocketId) {
        if !self.has(Mutant::LeaksSockets) {
            self.host.close_socket(socket);
        }
    }

    fn close_pipes(&mut self, who: Key<Process>) {
        if !self.has(Mutant::LeaksPipes) {
            self.host.close_pipes(who);
        }
    }

    fn open_log(&mut self, path: &str) -> Result<Opened, Errno> {
        self.host.open_log(path)
    }

    fn append(&mut self, file: FileId, bytes: &[u8]) -> Result<usize, Errno> {
        match self.mutant {
            Some(Mutant::DropsByte) if bytes.len() > 1 => self.host.append(file, &bytes[1..]).map(|count| count + 1),
            Some(Mutant::SwapsBytes) if bytes.len() > 1 => {
                let mut swapped = bytes.to_vec();
                swapped.swap(0, bytes.len() - 1);
                self.host.append(file, &swapped)
            }
            Some(Mutant::WritesTwice) => {
                let _ = self.host.append(file, bytes);
                self.host.append(file, bytes)
            }
            _ => self.host.append(file, bytes),
        }
    }

    fn truncate(&mut self, file: FileId) -> Result<(), Errno> {
        self.host.truncate(file)
    }

    fn has_name(&mut self, file: FileId) -> bool {
        self.host.has_name(file)
    }

    fn close_log(&mut self, file: FileId) {
        if !self.has(Mutant::LeaksFiles) {
            self.host.close_log(file);
        }
    }

    fn auto_log_path(&mut self, directory: &str, stem: &str) -> Result<String, Errno> {
        self.host.auto_log_path(directory, stem)
    }

    fn create_log(&mut self, path: &str) -> Result<(), Errno> {
        self.host.create_log(path)
    }

    fn open_folder(&mut self, path: &str) -> Result<Box<dyn Folder + '_>, Errno> {
        let folder = self.host.open_folder(path)?;
        Ok(Box::new(TamperedFolder { folder, mutant: self.mutant }))
    }

    fn remove(&mut self, path: &str) -> Result<(), Errno> {
        self.host.remove(path)
    }

    fn stat(&mut self, path: &str) -> Result<Meta, Errno> {
        self.host.stat(path)
    }

    fn read(&mut self, path: &str, offset: u64, length: usize) -> Result<Vec<u8>, Errno> {
        self.host.read(path, offset, length)
    }

    fn list(&mut self, directory: &str) -> Result<Vec<String>, Errno> {
        self.host.list(directory)
    }

    fn probe(&mut self, path: &str) -> Probe {
        self.host.probe(path)
    }

    fn echo(&mut self, bytes: &[u8]) -> usize {
        self.host.echo(bytes)
    }

    fn syslog(&mut self, ident: &str, text: &str) {
        self.host.syslog(ident, text);
    }

    fn env(&self, name: &str) -> Option<String> {
        self.host.env(name)
    }

    fn uid(&self) -> u32 {
        self.host.uid()
    }

    fn pid(&self) -> Pid {
        self.host.pid()
    }

    fn local_offset(&mut self, secs: i64) -> i32 {
        self.host.local_offset(secs)
    }

    fn load_config(&mut self) -> Result<Config, Vec<ConfigError>> {
        self.host.load_config()
    }
}
