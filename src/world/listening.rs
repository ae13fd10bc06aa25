//! Events on their way to listeners and results on their way back (contract events.md, sections 4 to 6).

use std::time::Duration;

use crate::base::key::Key;
use crate::base::time::Mono;
use crate::base::words::{Level, State};
use crate::config::spec::ResultHandler;
use crate::wire::listener::{Heard, Phase};
use crate::world::group::Group;
use crate::world::lines::Line;
use crate::world::pool::{Discarded, Member, Pool, Ticket, Verdict, judge};
use crate::world::process::Process;
use crate::world::{Turn, World};

/// What became of output that listeners relayed to stdout.
#[derive(Default)]
pub(crate) struct Relayed {
    /// Bytes given up and not told of.
    lost: u64,
    told_at: Option<Mono>,
}

impl World {
    pub(crate) fn pool_mut(&mut self, group: Key<Group>) -> Option<&mut Pool> {
        self.groups.get_mut(group)?.pool.as_mut()
    }

    fn member_mut(&mut self, who: Key<Process>) -> Option<&mut Member> {
        self.processes.get_mut(who)?.listener.as_mut()
    }

    /// Prints what a listener relays; what stdout can't take is counted, and told at most once a minute.
    fn relay(&mut self, bytes: &[u8], turn: &mut Turn<'_>) {
        /// As for logs (LOG-053).
        const REPORT: Duration = Duration::from_secs(60);
        self.relayed.lost += turn.host.echo(bytes) as u64;
        let quiet = self.relayed.told_at.is_some_and(|at| turn.now.mono - at < REPORT);
        if self.relayed.lost > 0 && !quiet {
            let bytes = std::mem::take(&mut self.relayed.lost);
            self.relayed.told_at = Some(turn.now.mono);
            self.say(&Line::RelayLost { bytes }, turn);
        }
    }

    pub(crate) fn say_discarded(&mut self, group: Key<Group>, discarded: Discarded, turn: &mut Turn<'_>) {
        for serial in discarded {
            let pool = self.groups.get(group).map_or(String::new(), |group| group.name.clone());
            self.say(&Line::BufferOverflowed { pool, serial }, turn);
        }
    }

    /// Hands events to listeners, oldest first, until there are none or nobody can take one (EVT-084).
    pub(crate) fn dispatch(&mut self, key: Key<Group>, turn: &mut Turn<'_>) {
        while let Some(pool) = self.groups.get(key).and_then(|group| group.pool.as_ref())
            && let Some(serial) = pool.first().map(|ticket| ticket.notice.serial)
        {
            let mut from = 0;
            let taker = loop {
                let idle = self.pool_mut(key).and_then(|pool| pool.next_idle(from));
                let Some((place, who)) = idle else { return };
                if self.send_first(key, who, turn) {
                    break who;
                }
                if self.says(Level::Debug) {
                    let line = Line::EventPipeBroken { serial, name: self.name_of(who) };
                    self.say(&line, turn);
                }
                from = place + 1;
            };
            let ticket = self.pool_mut(key).and_then(Pool::take);
            if let Some(member) = self.member_mut(taker) {
                member.protocol.sent();
                member.event = ticket;
            }
            self.look_at_listener(taker);
            if self.says(Level::Debug) {
                let name = self.name_of(taker);
                let (from, to) = (Phase::Ready.name(), Phase::Busy.name());
                self.say(&Line::ListenerMoved { name: name.clone(), from, to }, turn);
                self.say(&Line::EventSent { serial, name }, turn);
            }
        }
    }

    pub(crate) fn dispatch_to_pool_of(&mut self, who: Key<Process>, turn: &mut Turn<'_>) {
        if let Some(process) = self.processes.get(who) {
            self.dispatch(process.group, turn);
        }
    }

    /// Writes the oldest event to a listener, line and payload in one go (EVT-150); says whether that was possible.
    /// What its pipe doesn't take at once follows (BUG-087).
    fn send_first(&mut self, key: Key<Group>, who: Key<Process>, turn: &mut Turn<'_>) -> bool {
        let Some(group) = self.groups.get(key) else { return false };
        let Some((pool, ticket)) = group.pool.as_ref().and_then(|pool| Some((pool, pool.first()?))) else {
            return false;
        };
        let Some(process) = self.processes.get_mut(who).filter(|process| !process.stdin_closed) else { return false };
        pool.write(ticket, &self.config.daemon.identifier, &group.name, process.stdin.tail());
        self.pump_stdin(who, turn);
        self.processes.get(who).is_some_and(|process| !process.stdin_closed)
    }

    fn name_of(&self, who: Key<Process>) -> String {
        self.processes.get(who).map_or(String::new(), |process| process.spec.name.clone())
    }

    /// Notes whether a listener can be given an event: it runs, and is ready (EVT-084).
    pub(crate) fn look_at_listener(&mut self, who: Key<Process>) {
        let Some(process) = self.processes.get(who) else { return };
        let Some(member) = &process.listener else { return };
        let (idle, place) = (is_idle(process), member.place);
        let group = process.group;
        if let Some(pool) = self.pool_mut(group) {
            pool.set_idle(place, who, idle);
        }
    }

    /// A listener printed: takes in what that means (EVT-100 to EVT-108).
    pub(crate) fn heard(&mut self, who: Key<Process>, bytes: &[u8], turn: &mut Turn<'_>) {
        let Some(member) = self.member_mut(who) else { return };
        member.protocol.push(bytes);
        let mut before = member.protocol.phase();
        while let Some(member) = self.member_mut(who)
            && let Some(heard) = member.protocol.next()
        {
            match heard {
                Heard::Ready => self.say_phase(who, before, turn),
                Heard::Result(result) => self.judge(who, result, turn),
                Heard::BadLine(line) => {
                    let name = self.name_of(who);
                    self.say(&Line::BadResultLine { name, line: line.clone() }, turn);
                    self.say_phase(who, before, turn);
                    self.say_unknown(who, format!("instead of a result it said {}", quoted(&line)), turn);
                    self.take_back(who, turn);
                }
                Heard::Noise(noise) => {
                    self.say_phase(who, before, turn);
                    let what = match before {
                        Phase::Ready => "while it waited for an event it said",
                        _ => "instead of READY it said",
                    };
                    self.say_unknown(who, format!("{what} {}", quoted(&noise)), turn);
                }
            }
            before = self.member_mut(who).map_or(before, |member| member.protocol.phase());
        }
        self.look_at_listener(who);
        self.dispatch_to_pool_of(who, turn);
    }

    /// EVT-106.
    fn say_phase(&mut self, who: Key<Process>, before: Phase, turn: &mut Turn<'_>) {
        if !self.says(Level::Debug) {
            return;
        }
        let Some(after) = self.member_mut(who).map(|member| member.protocol.phase()) else { return };
        let line = Line::ListenerMoved { name: self.name_of(who), from: before.name(), to: after.name() };
        self.say(&line, turn);
    }

    fn say_unknown(&mut self, who: Key<Process>, why: String, turn: &mut Turn<'_>) {
        let name = self.name_of(who);
        self.say(&Line::ListenerUnknown { name, why }, turn);
    }

    /// EVT-120 to EVT-124.
    fn judge(&mut self, who: Key<Process>, result: Vec<u8>, turn: &mut Turn<'_>) {
        let Some(process) = self.processes.get(who) else { return };
        let (name, group) = (process.spec.name.clone(), process.group);
        let about = process.listener.as_ref().and_then(|member| member.event.as_ref()?.notice.about);
        let handler = self.pool_mut(group).map_or(ResultHandler::Default, |pool| pool.handler());
        let verdict = judge(handler, result);
        match &verdict {
            Verdict::Accepted => {}
            Verdict::Feed(bytes) => self.feed_subject(about, bytes, turn),
            Verdict::Print(bytes) => self.relay(bytes, turn),
            Verdict::Rejected => self.say(&Line::EventRejected { name: name.clone() }, turn),
            Verdict::Failed => self.say(&Line::EventFailed { name: name.clone() }, turn),
        }
        if let Some(member) = self.member_mut(who) {
            member.protocol.judged(verdict != Verdict::Failed);
        }
        match verdict {
            Verdict::Accepted | Verdict::Feed(_) | Verdict::Print(_) => {
                if let Some(member) = self.member_mut(who) {
                    member.event = None;
                }
                if self.says(Level::Debug) {
                    self.say(&Line::EventProcessed { name }, turn);
                    self.say_phase(who, Phase::Busy, turn);
                }
            }
            Verdict::Rejected => {
                self.say_phase(who, Phase::Busy, turn);
                self.take_back(who, turn);
            }
            Verdict::Failed => {
                self.say_phase(who, Phase::Busy, turn);
                self.say_unknown(who, format!("{} can do nothing with its result", handler.name()), turn);
                self.take_back(who, turn);
            }
        }
    }

    /// EVT-121: words for the process that an event is about. That there is none, or that it takes none, is no failure.
    fn feed_subject(&mut self, about: Option<Key<Process>>, bytes: &[u8], turn: &mut Turn<'_>) {
        let Some(who) = about else { return };
        if self.processes.get(who).is_some_and(|process| process.state() != State::Stopping) {
            let _ = self.feed_stdin(who, bytes, turn);
        }
    }

    /// A listener won't finish its event: the pool has it again (EVT-090).
    fn take_back(&mut self, who: Key<Process>, turn: &mut Turn<'_>) {
        let event = self.member_mut(who).and_then(|member| member.event.take());
        if let Some(event) = event
            && let Some(process) = self.processes.get(who)
        {
            self.put_back(process.group, event, turn);
        }
    }

    fn put_back(&mut self, group: Key<Group>, event: Ticket, turn: &mut Turn<'_>) {
        let serial = event.notice.serial;
        let Some(pool) = self.pool_mut(group) else { return };
        let (size, max) = (pool.len(), pool.bound());
        let discarded = pool.put_back(event);
        if self.says(Level::Debug) {
            let pool = self.groups.get(group).map_or(String::new(), |group| group.name.clone());
            self.say(&Line::Rebuffering { serial, pool, size, max }, turn);
        }
        self.say_discarded(group, discarded, turn);
    }

    /// A child is about to be known as ended: the event that it had, if it was a listener, goes back to its pool, which
    /// waits for it (EVT-109). To be followed by [`World::listener_ended`].
    pub(crate) fn listener_ends(&mut self, who: Key<Process>) -> Option<Ticket> {
        let event = self.member_mut(who)?.event.take()?;
        let group = self.processes.get(who)?.group;
        self.pool_mut(group)?.hold(true);
        Some(event)
    }

    /// The end of a listener has been told of; its event is the first to be handed out.
    pub(crate) fn listener_ended(&mut self, who: Key<Process>, event: Option<Ticket>, turn: &mut Turn<'_>) {
        let Some(event) = event else { return };
        let Some(group) = self.processes.get(who).map(|process| process.group) else { return };
        if let Some(pool) = self.pool_mut(group) {
            pool.hold(false);
        }
        self.put_back(group, event, turn);
        self.dispatch(group, turn);
    }

    /// What must hold for a pool's members.
    pub(crate) fn check_members(&self, group: &Group) -> Result<(), String> {
        let Some(pool) = &group.pool else { return Ok(()) };
        let mut idle = 0;
        let mut open = false;
        for (key, process) in group.members.iter().filter_map(|&key| Some((key, self.processes.get(key)?))) {
            let Some(member) = &process.listener else { continue };
            let alive = process.life.pid().is_some();
            if alive && member.event.is_some() != (member.protocol.phase() == Phase::Busy) {
                return Err(format!(
                    "{} is {} with {:?}",
                    process.spec.name,
                    member.protocol.phase().name(),
                    member.event
                ));
            }
            if !alive && member.event.is_some() {
                return Err(format!("{} has gone with {:?}", process.spec.name, member.event));
            }
            if is_idle(process) {
                idle += 1;
                open |= !process.stdin_closed;
                if pool.next_idle(member.place) != Some((member.place, key)) {
                    return Err(format!("{} is idle, and nobody knows", process.spec.name));
                }
            }
        }
        if pool.idle_count() != idle {
            return Err(format!("{} members are taken for idle, {idle} are", pool.idle_count()));
        }
        if open && pool.first().is_some() {
            return Err("an event waits, and so does a listener (EVT-085)".to_string());
        }
        Ok(())
    }
}

/// RUNNING and READY.
fn is_idle(process: &Process) -> bool {
    let ready = process.listener.as_ref().is_some_and(|member| member.protocol.phase() == Phase::Ready);
    ready && process.state() == State::Running
}

/// As a line of the log shows it: on one line.
fn quoted(text: &str) -> String {
    crate::base::text::repr(text)
}
