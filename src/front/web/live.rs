//! What a page is told while it is open, as server-sent events (WHATWG HTML, 9.2) with JSON (RFC 8259) in them.
//!
//! `all` has everything, `some` what changed since. The text depends on the world and on what was told before, not on
//! who reads it, so it is made once for all who know the same.

use super::row_logs;
use super::text::json_text as text;
use crate::base::key::Key;
use crate::base::order;
use crate::base::time::Mono;
use crate::base::words::SUPERVISOR_VERSION;
use crate::rpc::info::description;
use crate::world::news::Item;
use crate::world::process::Process;
use crate::world::{Turn, World};

/// What a reader is told next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::front) enum Wanted {
    /// Everything; whether the reader may change anything is part of it.
    All {
        /// See [`super::Status::may_change`].
        may_change: bool,
    },
    /// What changed since the news with this number.
    Since(u64),
}

/// The last text, for the next reader who wants the same at the same moment.
#[derive(Default)]
pub(in crate::front) struct Memo {
    of: Option<(Wanted, u64, Mono)>,
    text: Vec<u8>,
}

impl Memo {
    /// Gives the memory back.
    pub(in crate::front) fn clear(&mut self) {
        *self = Memo::default();
    }

    /// The event that a reader gets who wants this; empty if there is nothing to tell.
    pub(in crate::front) fn event(&mut self, wanted: Wanted, world: &mut World, turn: &mut Turn<'_>) -> &[u8] {
        let of = Some((wanted, world.news_end(), turn.now.mono));
        if self.of != of {
            self.of = of;
            self.text.clear();
            match wanted {
                Wanted::All { may_change } => all(&mut self.text, may_change, world, turn),
                Wanted::Since(from) => some(&mut self.text, from, world, turn),
            }
        }
        &self.text
    }
}

fn all(out: &mut Vec<u8>, may_change: bool, world: &mut World, turn: &mut Turn<'_>) {
    begin(out, "all", world, turn);
    put(out, ",\"identifier\":");
    text(out, &world.config.daemon.identifier);
    put(out, &format!(",\"version\":\"{SUPERVISOR_VERSION}\",\"mayChange\":{may_change},\"processes\":["));
    for (place, who) in world.keys_by_name().into_iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        process(out, who, world, turn);
    }
    put(out, "]}\n\n");
}

fn some(out: &mut Vec<u8>, from: u64, world: &mut World, turn: &mut Turn<'_>) {
    let (mut changed, mut spoken, mut gone) = (Vec::new(), Vec::new(), Vec::new());
    let mut mood = false;
    for item in world.news_since(from).into_iter().flatten() {
        match item {
            Item::Process(who) => changed.push(*who),
            Item::Line(who) => spoken.push(*who),
            Item::Gone(group, name) => gone.push((group.clone(), name.clone())),
            Item::Mood => mood = true,
        }
    }
    each_once(&mut changed);
    each_once(&mut spoken);
    each_once(&mut gone);
    changed.retain(|who| world.processes.get(*who).is_some());
    spoken.retain(|who| world.processes.get(*who).is_some() && changed.binary_search(who).is_err());
    // Somebody else of that name may have come.
    gone.retain(|(group, name)| world.find_member(group, name).is_none());
    if changed.is_empty() && spoken.is_empty() && gone.is_empty() && !mood {
        return;
    }
    begin(out, "some", world, turn);
    list(out, "processes", changed, |out, who| process(out, who, world, turn));
    list(out, "gone", gone, |out, (group, name)| text(out, &format!("{group}:{name}")));
    list(out, "lines", spoken, |out, who| {
        let Some(process) = world.processes.get(who) else { return };
        let name = format!("{}:{}", process.group_name, process.spec.name);
        out.push(b'[');
        text(out, &name);
        out.push(b',');
        text(out, &world.last_line(who));
        out.push(b']');
    });
    put(out, "}\n\n");
}

/// In order, without repetitions.
fn each_once<T: Ord>(items: &mut Vec<T>) {
    order::sort(items);
    items.dedup();
}

/// An event's name and what every event has.
fn begin(out: &mut Vec<u8>, name: &str, world: &World, turn: &Turn<'_>) {
    let wall = turn.now.wall;
    let (secs, millis, mood) = (wall.secs(), wall.millis(), world.mood().name());
    put(out, &format!("event: {name}\ndata: {{\"now\":{secs}.{millis:03},\"state\":\"{mood}\""));
}

/// A member that is an array, unless it is empty.
fn list<T>(out: &mut Vec<u8>, name: &str, items: Vec<T>, mut each: impl FnMut(&mut Vec<u8>, T)) {
    if items.is_empty() {
        return;
    }
    put(out, &format!(",\"{name}\":"));
    for (place, item) in items.into_iter().enumerate() {
        out.push(if place == 0 { b'[' } else { b',' });
        each(out, item);
    }
    out.push(b']');
}

/// A process, as a struct.
fn process(out: &mut Vec<u8>, who: Key<Process>, world: &mut World, turn: &mut Turn<'_>) {
    let line = world.last_line(who);
    let Some(process) = world.processes.get(who) else { return };
    let life = &process.life;
    put(out, "{\"group\":");
    text(out, &process.group_name);
    put(out, ",\"name\":");
    text(out, &process.spec.name);
    put(out, ",\"spec\":");
    text(out, &process.display());
    let (state, pid) = (life.state().name(), life.pid().unwrap_or(0));
    let [start, stop] = [life.start(), life.stop()].map(|at| at.map_or(0, |at| at.rpc_secs()));
    put(out, &format!(",\"state\":\"{state}\",\"pid\":{pid},\"start\":{start},\"stop\":{stop},\"description\":"));
    text(out, &description(process, turn.now, turn.host));
    match life.exitstatus() {
        Some(status) => put(out, &format!(",\"exit\":{status},\"error\":")),
        None => put(out, ",\"exit\":null,\"error\":"),
    }
    text(out, life.spawnerr());
    let [stdout, stderr] = row_logs(process);
    put(out, &format!(",\"out\":{stdout},\"err\":{stderr},\"line\":"));
    text(out, &line);
    out.push(b'}');
}

fn put(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}
