//! Signals: which, to whom, when, and in which order at the end.

use crate::base::errno::Errno;
use crate::base::words::{Mood, Pid, SIGKILL};
use crate::sim::check::{STOP_SIGNALS, View, Watch};
use crate::sim::client::Scope;
use crate::sim::rules::{Checked, Rule};
use crate::world::process::Process;

impl Watch {
    pub(super) fn killed(
        &mut self,
        pid: Pid,
        signal: i32,
        group: bool,
        error: Option<Errno>,
        view: &View<'_>,
    ) -> Checked {
        let owner = self.owners.get(&pid).and_then(|who| Some((*who, view.world.processes.get(*who)?)));
        let Some((who, process)) = owner else {
            return Rule::StopSignal.broken(format!("signal {signal} to {pid}, which is no child of a process"));
        };
        let Some(seen) = self.lives.get_mut(&who) else { return Ok(()) };
        let name = process.display();
        let expected = match signal {
            SIGKILL => seen.spec.killasgroup,
            signal if STOP_SIGNALS.contains(&signal) => seen.spec.stopasgroup,
            _ => false,
        };
        if signal == SIGKILL {
            self.sigkills += 1;
            let at = seen.kill_at();
            Rule::Patience.holds_if(at.is_some_and(|at| view.now >= at), || {
                format!("{name}: SIGKILL at {:?}, not before {at:?}", view.now)
            })?;
            seen.killed = Some(view.now);
        }
        Rule::StopSignal.holds_if(group == expected, || format!("{name}: signal {signal}, to the group: {group}"))?;
        if STOP_SIGNALS.contains(&signal) {
            let right = signal == seen.spec.stopsignal && seen.told.is_none();
            Rule::StopSignal.holds_if(right, || format!("{name}: a stop signal {signal} too many ({error:?})"))?;
            seen.told = Some(view.now);
            // A client may have asked for both, the stop and then the end, at once.
            let by_client = view.before == Mood::Running && view.asked(process, Scope::stops);
            if view.world.mood() != Mood::Running && !by_client {
                return self.in_order(view, process);
            }
        }
        Ok(())
    }

    /// Whoever is told to stop at the end has nobody live in groups that stop before its own, nor in its own group
    /// somebody of a higher priority who was not told.
    fn in_order(&self, view: &View<'_>, process: &Process) -> Checked {
        let order = view.world.groups_by_priority();
        let mut earlier = order.into_iter().rev().take_while(|group| *group != process.group);
        let quiet = earlier.all(|group| view.world.is_quiet(group));
        Rule::Order.holds_if(quiet, || format!("{} is stopped before its group's turn", process.display()))?;
        let untold = view.world.processes.iter().find(|(who, mate)| {
            let told = self.lives.get(who).is_some_and(|seen| seen.told.is_some());
            mate.group == process.group
                && mate.spec.priority > process.spec.priority
                && mate.state().is_signallable()
                && !told
        });
        Rule::Order.holds_if(untold.is_none(), || {
            let mate = untold.map(|(_, mate)| mate.display());
            format!("{} is stopped before {}", process.display(), mate.unwrap_or_default())
        })
    }
}
