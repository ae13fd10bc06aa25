//! One life without a world: its specification, its mood and its time.

use majordomo::base::time::{Mono, Now, Wall};
use majordomo::base::words::{Mood, State};
use majordomo::config::spec::ProcessSpec;
use majordomo::world::life::{Act, Life, Step};

use super::program;

/// A life and its time in milliseconds.
pub struct One {
    pub life: Life,
    pub spec: ProcessSpec,
    pub mood: Mood,
    pub ms: u64,
}

impl One {
    pub fn new(change: impl FnOnce(&mut ProcessSpec)) -> One {
        One { life: Life::default(), spec: program("p", change), mood: Mood::Running, ms: 50_000 }
    }

    pub fn now(&self) -> Now {
        Now { mono: Mono(self.ms * 1_000_000), wall: Wall(1_700_000_000_000_000_000 + self.ms as i64 * 1_000_000) }
    }

    pub fn acts(&mut self, step: Step) -> Vec<Act> {
        let mut acts = Vec::new();
        let now = self.now();
        self.life.on(step, &self.spec, now, self.mood, &mut acts);
        acts
    }

    /// What a step does, a text each: `STOPPED>STARTING`, `spawn`, `kill 7 15`, `INFO …`.
    pub fn step(&mut self, step: Step) -> Vec<String> {
        self.acts(step).iter().map(shown).collect()
    }

    /// Starts a child with pid 7.
    pub fn start(&mut self) {
        assert_eq!(self.step(Step::Start).last().map(String::as_str), Some("spawn"));
        self.step(Step::Spawned(7));
        assert_eq!(self.life.state(), State::Starting);
    }

    /// A child with pid 7 that has stayed up.
    pub fn run(&mut self) {
        self.start();
        self.ms += 1000 * self.spec.startsecs.max(0) as u64;
        self.step(Step::Due);
        assert_eq!(self.life.state(), State::Running);
    }

    pub fn due_in_ms(&self) -> Option<u128> {
        self.life.deadline().map(|at| (at - self.now().mono).as_millis())
    }
}

/// An act as a text.
fn shown(act: &Act) -> String {
    match act {
        Act::Spawn => "spawn".to_string(),
        Act::Kill { pid, signal, group: false } => format!("kill {pid} {signal}"),
        Act::Kill { pid, signal, group: true } => format!("kill group {pid} {signal}"),
        Act::Moved { from, to, .. } => format!("{}>{}", from.name(), to.name()),
        Act::Say(line) => format!("{} {line}", line.level().code()),
    }
}
