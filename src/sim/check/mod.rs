//! What must hold after every step, seen from outside: from what the system was asked to do, from the moves that the
//! world reports, and from what it shows.

mod events;
mod kills;
mod ledger;
mod lives;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::base::key::Key;
use crate::base::limits;
use crate::base::time::Mono;
use crate::base::words::{Exit, Mood, Pid, State};
use crate::sim::client::{Client, Scope};
use crate::sim::host::{Deed, SimHost};
use crate::sim::rules::{Checked, Rule};
use crate::sim::talk::News;
use crate::world::group::Group;
use crate::world::process::Process;
use crate::world::{Alarm, Moved, World};
use events::Deliveries;
use ledger::Ledger;
use lives::Seen;

/// The signals that stop a program; pretended clients send other ones.
pub const STOP_SIGNALS: [i32; 3] = [2, 3, 15];

/// What is looked at.
pub struct View<'a> {
    /// The world, after it took an input.
    pub world: &'a World,
    /// Whoever may have asked for something.
    pub clients: &'a [Client],
    /// This moment.
    pub now: Mono,
    /// The daemon's mood before the input.
    pub before: Mood,
}

impl View<'_> {
    /// Whether a question of a client, not answered yet, is about this process.
    fn asked(&self, process: &Process, fits: impl Fn(&Scope) -> bool) -> bool {
        let mut open = self.clients.iter().flat_map(|client| &client.open);
        open.any(|question| question.topic.scope().is_some_and(|scope| fits(scope) && scope.covers(process)))
    }

    fn name(&self, who: Key<Process>) -> String {
        self.world.processes.get(who).map_or_else(|| format!("{who:?}"), Process::display)
    }
}

/// What was seen so far.
#[derive(Debug, Default)]
pub struct Watch {
    lives: BTreeMap<Key<Process>, Seen>,
    /// Children that were made and not reaped.
    owners: BTreeMap<Pid, Key<Process>>,
    /// The child that is being reaped.
    reaped: Option<(Key<Process>, Exit)>,
    ledger: Ledger,
    deliveries: Deliveries,
    mood: Option<Mood>,
    /// How many children were made.
    pub spawns: u64,
    /// How many SIGKILLs were sent.
    pub sigkills: u64,
    /// How many bytes of logs were compared.
    pub logged: u64,
    /// How many events were accepted.
    pub events: u64,
}

fn secs(count: i64) -> Duration {
    Duration::from_secs(u64::try_from(count).unwrap_or(0))
}

impl Watch {
    /// A child printed, and the daemon is about to hear of it.
    pub fn printed(&mut self, who: Key<Process>, channel: usize, bytes: &[u8]) {
        self.ledger.printed(who, channel, bytes);
    }

    /// A listener tells what happened between it and the daemon.
    pub fn told(&mut self, pid: Pid, pool: Key<Group>, news: Vec<News>) -> Checked {
        self.events += news.iter().filter(|one| matches!(one, News::Accepted(_))).count() as u64;
        self.deliveries.told(pid, pool, news)
    }

    /// A child is about to be reaped.
    pub fn reaping(&mut self, pid: Pid, exit: Exit) {
        self.deliveries.ended(pid);
        self.reaped = self.owners.remove(&pid).map(|who| (who, exit));
    }

    /// Looks at what the daemon did while it took one input, and at the moves it reports.
    pub fn input_taken(&mut self, view: &View<'_>, moves: Vec<Moved>, host: &mut SimHost) -> Checked {
        let deeds = std::mem::take(&mut host.deeds);
        let refused = deeds.iter().any(|deed| matches!(deed, Deed::Killed { error: Some(_), .. }));
        for step in moves {
            self.moved(step, view, refused, host)?;
        }
        for deed in deeds {
            match deed {
                Deed::Spawned { who, pid } => self.spawned(who, pid, view, host)?,
                Deed::Killed { pid, signal, group, error } => self.killed(pid, signal, group, error, view)?,
            }
        }
        if let Some((who, _)) = self.reaped.take() {
            Rule::Handles.holds_if(!host.pipes.contains(&who), || format!("{} still has pipes", view.name(who)))?;
            self.logged += self.ledger.ended(who, view.world, &mut host.files)?;
        }
        ledger::check_destroyed(view, &mut host.files)?;
        host.wrong_stdin.take().map_or(Ok(()), |what| Rule::Stdin.broken(what))
    }

    /// Looks at everything once a turn is over.
    pub fn turn_over(&mut self, view: &View<'_>, host: &mut SimHost) -> Checked {
        self.check_mood(view)?;
        self.check_lives(view, host)?;
        view.world.check().or_else(|what| Rule::Sound.broken(what))?;
        self.check_children(view, host)?;
        self.deliveries.check(view.world)?;
        check_waiters(view)?;
        check_handles(view.world, host)?;
        check_sockets(view.world, host)?;
        self.logged += self.ledger.main_log(view.world, host)?;
        Ok(())
    }

    /// The daemon begins anew: the keys of its processes mean nothing any more.
    pub fn begin_anew(&mut self) {
        let Watch { spawns, sigkills, logged, events, .. } = *self;
        *self = Watch { spawns, sigkills, logged, events, ..Watch::default() };
    }

    /// When a process was last RUNNING and last in the "stopped" set, if it was at all.
    pub fn last_seen(&self, who: Key<Process>) -> Option<(Option<Mono>, Option<Mono>)> {
        self.lives.get(&who).map(|seen| (seen.last_running, seen.last_stopped))
    }

    fn spawned(&mut self, who: Key<Process>, pid: Option<Pid>, view: &View<'_>, host: &SimHost) -> Checked {
        Rule::NoStarts.holds_if(view.before == Mood::Running, || format!("{} was spawned", view.name(who)))?;
        let children = host.children.values().filter(|child| child.who == who).count();
        Rule::OneChild.holds_if(children <= 1, || format!("{} has {children} children", view.name(who)))?;
        if let Some(pid) = pid {
            self.spawns += 1;
            self.owners.insert(pid, who);
        }
        Ok(())
    }

    /// Each pid that is shown is a child's; each child is shown.
    fn check_children(&self, view: &View<'_>, host: &SimHost) -> Checked {
        for child in host.children.values() {
            let process = view.world.processes.get(child.who);
            let known = process.is_none_or(|p| p.life.pid() == Some(child.pid) || p.state() == State::Unknown);
            Rule::Exits.holds_if(known, || format!("child {} is forgotten by {}", child.pid, view.name(child.who)))?;
        }
        for (who, process) in view.world.processes.iter() {
            let own = process.life.pid().is_none_or(|pid| host.children.get(&pid).is_some_and(|c| c.who == who));
            Rule::Exits.holds_if(own, || format!("the pid of {} is not its child", process.display()))?;
        }
        Ok(())
    }

    fn check_mood(&mut self, view: &View<'_>) -> Checked {
        let mood = view.world.mood();
        let fits = match self.mood.replace(mood) {
            None | Some(Mood::Running) => true,
            Some(Mood::Restarting) => mood != Mood::Running,
            Some(Mood::Shutdown) => mood == Mood::Shutdown,
        };
        Rule::Mood.holds_if(fits, || format!("back to {}", mood.name()))?;
        let gone = view.world.processes.iter().all(|(_, process)| process.state().is_stopped());
        let over = mood == Mood::Running || !gone || view.world.has_ended();
        Rule::Ends.holds_if(over, || "all are stopped, and the end doesn't come".to_string())
    }
}

/// With every deadline of the world's own founded (World::check), a daemon that nobody asks sleeps until one of them.
fn check_waiters(view: &View<'_>) -> Checked {
    let asked = view.clients.iter().any(|client| !client.open.is_empty());
    let at = view.world.alarms.get(Alarm::Waiters);
    Rule::Idle.holds_if(asked || at.is_none(), || format!("woken at {at:?}, but nobody waits"))
}

fn check_handles(world: &World, host: &SimHost) -> Checked {
    // The main log is one.
    let mut known = 1;
    for (_, process) in world.processes.iter() {
        let logs = process.outputs.iter().flatten().filter_map(|output| output.log());
        known += logs.filter(|log| log.is_open() || log.held() > 0).count();
    }
    let open = host.files.open_count();
    Rule::Handles.holds_if(open <= known, || format!("{open} files are open, {known} are known"))
}

fn check_sockets(world: &World, host: &SimHost) -> Checked {
    let live = world.processes.iter().filter(|(_, process)| process.life.pid().is_some());
    let used: BTreeSet<_> =
        live.filter_map(|(_, process)| Some((process.group, process.spec.socket.as_ref()?.url.as_str()))).collect();
    let open = host.sockets.len();
    Rule::Sockets.holds_if(open == used.len(), || format!("{open} sockets are open, used are {used:?}"))
}

/// What waits for a client. One answer may go past the bound.
pub fn check_outgoing(waiting: usize) -> Checked {
    Rule::Bounds.holds_if(waiting <= 2 * limits::OUT_BYTES, || format!("{waiting} bytes wait for a client"))
}
