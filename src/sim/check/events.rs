//! Where each event of each pool is, seen from the listeners: with one of them, accepted, or else waiting or told of as
//! discarded. Never in two places, never nowhere.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::key::Key;
use crate::base::words::Pid;
use crate::sim::rules::{Checked, Rule};
use crate::sim::talk::News;
use crate::world::World;
use crate::world::group::Group;

/// What became of one pool's events.
#[derive(Debug, Default)]
struct Account {
    accepted: BTreeSet<u64>,
    hands: BTreeMap<Pid, u64>,
}

/// What became of all pools' events.
#[derive(Debug, Default)]
pub(super) struct Deliveries {
    pools: BTreeMap<Key<Group>, Account>,
}

impl Deliveries {
    /// A listener tells what happened.
    pub(super) fn told(&mut self, pid: Pid, group: Key<Group>, news: Vec<News>) -> Checked {
        let account = self.pools.entry(group).or_default();
        for news in news {
            match news {
                News::Taken(number) => {
                    let free = !account.accepted.contains(&number) && !account.hands.values().any(|n| *n == number);
                    Rule::Events.holds_if(free, || format!("event {number} is handed out twice"))?;
                    account.hands.insert(pid, number);
                }
                News::Accepted(number) => {
                    account.hands.remove(&pid);
                    account.accepted.insert(number);
                }
                News::Refused(_) => drop(account.hands.remove(&pid)),
                News::Wrong(what) => return Rule::Events.broken(format!("listener {pid}: {what}")),
            }
        }
        Ok(())
    }

    /// A child is gone.
    pub(super) fn ended(&mut self, pid: Pid) {
        for account in self.pools.values_mut() {
            account.hands.remove(&pid);
        }
    }

    /// Each event is somewhere.
    pub(super) fn check(&mut self, world: &World) -> Checked {
        self.pools.retain(|key, _| world.groups.get(*key).is_some());
        for (key, group) in world.groups.iter() {
            let Some(pool) = &group.pool else { continue };
            let account = self.pools.entry(key).or_default();
            let mut known = account.accepted.clone();
            let mut waiting = 0;
            let members = group.members.iter().filter_map(|who| world.processes.get(*who)?.listener.as_ref());
            let held = members.filter_map(|member| member.event.as_ref()).filter(|ticket| {
                // Accepted, but that was not read yet.
                !account.accepted.contains(&ticket.pool_serial)
            });
            for ticket in pool.waiting().chain(held) {
                waiting += 1;
                known.insert(ticket.pool_serial);
            }
            let twice = known.len() != account.accepted.len() + waiting;
            Rule::Events.holds_if(!twice, || format!("pool {} has an event twice", group.name))?;
            let (made, gone) = (pool.made(), pool.discarded());
            Rule::Events.holds_if(made == known.len() as u64 + gone, || {
                format!("of {made} events of pool {} {} are known and {gone} discarded", group.name, known.len())
            })?;
        }
        Ok(())
    }
}
