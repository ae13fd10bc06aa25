//! What becomes of the daemon when there is a bug in it: a panic is caught, told, and its damage looked at.
//!
//! A panic in a request costs that request and its connection. Whether the rest can go on is not guessed but looked at,
//! with [`World::check`](crate::world::World::check): if something doesn't hold any more, or the panics don't end, all
//! programs are stopped in order and the daemon exits with a status of its own, so that whoever looks after it starts it
//! again. If even that fails, whoever runs the daemon has to end the children ([`Outcome::Failed`]).
//!
//! Tests want to see panics, so nothing is caught unless [`Daemon::survive_bugs`] was called.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use crate::base::limits::{BUGS_IN_A_MINUTE, ENDING_PATIENCE};
use crate::base::time::Mono;
use crate::daemon::{Daemon, Outcome};
use crate::world::Turn;
use crate::world::lines::Line;

/// How long panics outside of requests are counted together.
const MINUTE: Duration = Duration::from_secs(60);

/// What was wrong so far.
#[derive(Debug, Default)]
pub(super) struct Health {
    /// Panics are caught.
    survives: bool,
    /// Panics that no request is to blame for, since then.
    counted: (u32, Mono),
    /// Everything is being stopped because of a bug, which may take until then.
    failing: Option<Mono>,
    /// Not even that is possible.
    lost: bool,
}

/// Runs something that may panic. The error is what it said.
fn caught<R>(act: impl FnOnce() -> R) -> Result<R, String> {
    // What it leaves half done is looked at by whoever asked.
    catch_unwind(AssertUnwindSafe(act)).map_err(|payload| text_of(payload.as_ref()))
}

fn text_of(payload: &dyn Any) -> String {
    let text = payload.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic without words".to_string())
}

impl Daemon {
    /// From now on panics are caught.
    pub fn survive_bugs(&mut self) {
        self.health.survives = true;
    }

    /// Whether everything is as it should be; if not, it is on its way out.
    pub(super) fn is_well(&self) -> bool {
        self.health.failing.is_none()
    }

    /// Does something, and survives it. `None`: it panicked.
    pub(super) fn guarded<R>(
        &mut self,
        turn: &mut Turn<'_>,
        act: impl FnOnce(&mut Daemon, &mut Turn<'_>) -> R,
    ) -> Option<R> {
        if !self.health.survives {
            return Some(act(self, turn));
        }
        match caught(|| act(self, turn)) {
            Ok(result) => Some(result),
            Err(text) => {
                self.rescue(&text, turn);
                None
            }
        }
    }

    /// Tells of a panic, answers the request that it came in, and looks whether the rest can go on.
    fn rescue(&mut self, text: &str, turn: &mut Turn<'_>) {
        let report = turn.host.bug_report().unwrap_or_else(|| text.to_string());
        let Daemon { world, front, .. } = self;
        let told = caught(|| world.say(&Line::Bug { report }, turn));
        let mended = caught(|| front.mend(world, turn));
        let sound = caught(|| world.check());
        match (told, mended, sound) {
            (Ok(()), Ok(true), Ok(Ok(()))) => {}
            (Ok(()), Ok(false), Ok(Ok(()))) => {
                let (count, since) = &mut self.health.counted;
                if turn.now.mono - *since > MINUTE {
                    (*count, *since) = (0, turn.now.mono);
                }
                *count += 1;
                if *count > BUGS_IN_A_MINUTE {
                    self.fail("there is no end of bugs", turn);
                }
            }
            (_, _, Ok(Err(what))) => self.fail(&what, turn),
            (Err(what), ..) | (_, Err(what), _) | (.., Err(what)) => self.fail(&what, turn),
        }
    }

    /// The daemon can't go on: ends everything in order, once.
    fn fail(&mut self, what: &str, turn: &mut Turn<'_>) {
        if self.health.failing.is_some() {
            self.health.lost = true;
            return;
        }
        let world = &mut self.world;
        let begun = caught(|| {
            world.say(&Line::Broken { what: what.to_string() }, turn);
            world.begin_shutdown(turn);
            world.longest_end()
        });
        self.health.failing = Some(turn.now.mono + ENDING_PATIENCE + *begun.as_ref().unwrap_or(&Duration::ZERO));
        self.health.lost = begun.is_err();
    }

    /// When the ordered end after a bug has taken too long.
    pub(super) fn failing_until(&self) -> Option<Mono> {
        self.health.failing
    }

    /// How the ordered end after a bug goes, if there was one.
    pub(super) fn failed(&self, ended: bool) -> Option<Outcome> {
        self.health.failing?;
        match (self.health.lost, ended) {
            (true, _) => Some(Outcome::Failed { children: true }),
            (false, true) => Some(Outcome::Failed { children: false }),
            (false, false) => Some(Outcome::Run),
        }
    }

    /// The ordered end after a bug is given up if its time is over.
    pub(super) fn give_up_if_due(&mut self, now: Mono) {
        self.health.lost |= self.health.failing.is_some_and(|until| until <= now);
    }
}
