//! What must hold after every step, seen from outside: from what the system was asked to do and what the world shows.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::base::key::Key;
use crate::base::limits;
use crate::base::time::Mono;
use crate::base::words::{Mood, Pid, SIGKILL, State};
use crate::sim::client::{Client, Topic};
use crate::sim::host::{Deed, SimHost};
use crate::world::World;
use crate::world::process::Process;

/// Automatic restarts are at least this far apart (PROC-019).
const SPACING: Duration = Duration::from_secs(1);
/// The signals that stop a program; pretended clients send other ones.
pub const STOP_SIGNALS: [i32; 3] = [2, 3, 15];

/// What was seen so far.
#[derive(Debug, Default)]
pub struct Watch {
    spawned: BTreeMap<Key<Process>, (Mono, Option<Pid>)>,
    owners: BTreeMap<Pid, Key<Process>>,
    told_to_stop: BTreeMap<Pid, Mono>,
    /// How many children were made.
    pub spawns: u64,
    /// How many SIGKILLs were sent.
    pub sigkills: u64,
}

fn secs(count: i64) -> Duration {
    Duration::from_secs(u64::try_from(count).unwrap_or(0))
}

impl Watch {
    /// Looks at what the daemon did while it took one input. `before`: its mood until then.
    pub fn deeds(&mut self, before: Mood, world: &World, host: &mut SimHost, clients: &[Client]) -> Result<(), String> {
        let now = host.now;
        for deed in std::mem::take(&mut host.deeds) {
            match deed {
                Deed::Spawned { who, pid } => {
                    if before != Mood::Running {
                        return Err(format!("a spawn while {} (PROC-032)", before.name()));
                    }
                    self.spawned(who, pid, now, world, host, clients)?;
                }
                Deed::Killed { pid, signal, .. } => self.killed(pid, signal, now, world)?,
            }
        }
        Ok(())
    }

    fn spawned(
        &mut self,
        who: Key<Process>,
        pid: Option<Pid>,
        now: Mono,
        world: &World,
        host: &SimHost,
        clients: &[Client],
    ) -> Result<(), String> {
        if host.children.values().filter(|child| child.who == who).count() > 1 {
            return Err(format!("two children for {}", shown(world, who)));
        }
        if let Some((before, _)) = self.spawned.insert(who, (now, pid))
            && now - before < SPACING
            && !clients.iter().any(|client| asks_start(client, world, who))
        {
            return Err(format!("{} started again after {:?} (PROC-019)", shown(world, who), now - before));
        }
        if let Some(pid) = pid {
            self.spawns += 1;
            self.owners.insert(pid, who);
        }
        Ok(())
    }

    fn killed(&mut self, pid: Pid, signal: i32, now: Mono, world: &World) -> Result<(), String> {
        let Some(process) = self.owners.get(&pid).and_then(|who| world.processes.get(*who)) else {
            return Err(format!("signal {signal} to {pid}, which is no child of a process"));
        };
        let name = process.display();
        if signal == SIGKILL {
            self.sigkills += 1;
            let told = self.told_to_stop.get(&pid).ok_or_else(|| format!("{name}: SIGKILL before a stop signal"))?;
            if now - *told < secs(process.spec.stopwaitsecs) {
                return Err(format!("{name}: SIGKILL after {:?}, before stopwaitsecs (PROC-022)", now - *told));
            }
        } else if STOP_SIGNALS.contains(&signal) {
            if signal != process.spec.stopsignal || self.told_to_stop.insert(pid, now).is_some() {
                return Err(format!("{name}: a stop signal {signal} too many (PROC-069)"));
            }
            if world.mood() != Mood::Running {
                return in_order(world, process);
            }
        }
        Ok(())
    }

    /// Looks at everything once a step is over.
    pub fn all(&self, world: &World, host: &SimHost) -> Result<(), String> {
        world.check()?;
        // The main log is one.
        let mut open_files = 1;
        for (who, process) in world.processes.iter() {
            let life = &process.life;
            let wrong = |what: String| Err(format!("{} is {}: {what}", process.display(), process.state().name()));
            if let Some(pid) = life.pid()
                && host.children.get(&pid).is_none_or(|child| child.who != who)
            {
                return wrong(format!("pid {pid} is not its child"));
            }
            if process.state() == State::Running {
                let age = self.spawned.get(&who).map(|(at, _)| host.now - *at);
                if age.is_none_or(|age| age < secs(process.spec.startsecs)) {
                    return wrong(format!("after {age:?}, before startsecs (PROC-014)"));
                }
            }
            if life.backoff() > process.spec.startretries + 1 {
                return wrong(format!("backoff {} (PROC-017)", life.backoff()));
            }
            if process.stdin.len() > limits::STDIN_BYTES {
                return wrong(format!("{} bytes for stdin", process.stdin.len()));
            }
            for log in process.outputs.iter().flatten().filter_map(|output| output.log()) {
                if log.is_open() && life.pid().is_none() {
                    return wrong(format!("{} is open without a child", log.path()));
                }
                open_files += usize::from(log.is_open() || log.held() > 0);
                if log.held() > limits::LOG_WAITING_BYTES {
                    return wrong(format!("{} bytes for {}", log.held(), log.path()));
                }
            }
        }
        if host.files.open_count() > open_files {
            return Err(format!("{} files are open, {open_files} are known", host.files.open_count()));
        }
        for child in host.children.values() {
            let process = world.processes.get(child.who);
            let known = process.is_none_or(|p| p.life.pid() == Some(child.pid) || p.state() == State::Unknown);
            if !known {
                return Err(format!("child {} is forgotten by {}", child.pid, shown(world, child.who)));
            }
        }
        Ok(())
    }

    /// The daemon began anew: the keys of its processes mean nothing any more.
    pub fn begin_anew(&mut self) {
        *self = Watch { spawns: self.spawns, sigkills: self.sigkills, ..Watch::default() };
    }

    /// A child was reaped.
    pub fn reaped(&mut self, pid: Pid) {
        self.owners.remove(&pid);
        self.told_to_stop.remove(&pid);
    }
}

fn shown(world: &World, who: Key<Process>) -> String {
    world.processes.get(who).map_or_else(|| format!("{who:?}"), Process::display)
}

/// Whether a question of this client, not answered yet, may start `who`.
fn asks_start(client: &Client, world: &World, who: Key<Process>) -> bool {
    let Some(process) = world.processes.get(who) else { return false };
    client.open.iter().any(|question| match &question.topic {
        Topic::Start { group, process: name } => {
            group.as_ref().is_none_or(|group| **group == *process.group_name)
                && name.as_ref().is_none_or(|name| *name == process.spec.name)
        }
        _ => false,
    })
}

/// PROC-073: whoever is told to stop at the end has nobody live in groups that stop before its own.
fn in_order(world: &World, process: &Process) -> Result<(), String> {
    let order = world.groups_by_priority();
    for later in order.into_iter().rev().take_while(|group| *group != process.group) {
        if !world.is_quiet(later) {
            return Err(format!("{} is stopped out of order (PROC-073)", process.display()));
        }
    }
    Ok(())
}
