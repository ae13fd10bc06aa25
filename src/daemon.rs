//! The world and its front in one turn, in one order.
//!
//! A turn is: every [`Input`] (signals, child output, exits, deadlines, connections: in this order), then
//! [`Daemon::settle`], then whoever runs the daemon flushes what connections have to send. Nothing here knows a
//! descriptor or a clock. What becomes of the daemon when it has a bug is in `rescue`.

mod rescue;

use crate::base::key::Key;
use crate::base::time::Mono;
use crate::base::words::{Channel, Exit, Pid};
use crate::config::spec::Config;
use crate::front::{Conn, Front, Peer};
use crate::world::lines::Line;
use crate::world::process::Process;
use crate::world::{Turn, World};

/// Everything that can wake the daemon.
#[allow(missing_docs)]
#[derive(Debug)]
pub enum Input<'a> {
    /// A signal to the daemon itself: the number of TERM, INT, QUIT, HUP or USR2 (SIG-001 to 005).
    Signal(i32),
    /// SIGCHLD came (SIG-006); the exits follow one by one.
    ChildSignal,
    /// A child printed.
    Output { who: Key<Process>, channel: Channel, bytes: &'a [u8] },
    /// A child's channel came to its end.
    OutputClosed { who: Key<Process>, channel: Channel, fd: i32 },
    /// A child's stdin, full before, can take more (or was closed: writing will tell).
    StdinReady(Key<Process>),
    /// A child ended. Its remaining output was given before.
    Exited { pid: Pid, exit: Exit },
    /// A connection sent bytes.
    Received { conn: Key<Conn>, bytes: &'a [u8] },
    /// A connection sends no more.
    Ended(Key<Conn>),
    /// A connection took so many bytes.
    Sent { conn: Key<Conn>, count: usize },
    /// A connection's socket is closed.
    Closed(Key<Conn>),
    /// The moment that [`Daemon::next_deadline`] named has come.
    Due,
}

/// What is to become of the daemon.
#[derive(Debug)]
pub enum Outcome {
    /// Go on.
    Run,
    /// All children are gone: exit 0 (PROC-077).
    Exit,
    /// All children are gone: begin anew with this configuration (CFG-220).
    Reload(Box<Config>),
    /// There was a bug, and the daemon can't go on: exit with a status that says so. `children`: they could not be
    /// stopped, and are to be ended first.
    Failed {
        /// Whether there may be children left.
        children: bool,
    },
}

/// Everything but descriptors.
pub struct Daemon {
    /// All state but connections.
    pub world: World,
    /// Connections.
    pub front: Front,
    health: rescue::Health,
}

impl Daemon {
    /// Opens the main log, finds old automatic logs, makes the groups (CFG-181). Starts nothing yet. The error, for
    /// the operator, says why the main log or a FastCGI socket can't be opened.
    pub fn new(config: Config, turn: &mut Turn<'_>) -> Result<Daemon, String> {
        let front = Front::new(&config.servers);
        Ok(Daemon { world: World::new(config, turn)?, front, health: Default::default() })
    }

    /// The servers are open and the pid file is written: tells of the beginning, and starts what starts by itself, a few
    /// each turn.
    pub fn begin(&mut self, turn: &mut Turn<'_>) {
        self.guarded(turn, |daemon, turn| daemon.world.begin(turn));
    }

    /// Takes in one thing that happened.
    pub fn take(&mut self, input: Input<'_>, turn: &mut Turn<'_>) {
        self.guarded(turn, |daemon, turn| daemon.take_in(input, turn));
    }

    fn take_in(&mut self, input: Input<'_>, turn: &mut Turn<'_>) {
        if matches!(input, Input::Due) {
            self.give_up_if_due(turn.now.mono);
        }
        let Daemon { world, front, .. } = self;
        match input {
            Input::Signal(signal) => world.signalled(signal, turn),
            Input::ChildSignal => world.say(&Line::ChildSignal {}, turn),
            Input::Output { who, channel, bytes } => world.printed(who, channel, bytes, turn),
            Input::OutputClosed { who, channel, fd } => world.channel_closed(who, channel, fd, turn),
            Input::StdinReady(who) => world.pump_stdin(who, turn),
            Input::Exited { pid, exit } => world.reaped(pid, exit, turn),
            Input::Received { conn, bytes } => front.received(conn, bytes, world, turn),
            Input::Ended(conn) => front.ended(conn, world, turn),
            Input::Sent { conn, count } => front.sent(conn, count, world, turn),
            Input::Closed(conn) => front.closed(conn),
            Input::Due => {
                world.due(turn);
                if front.next_deadline().is_some_and(|at| at <= turn.now.mono) {
                    front.due(world, turn);
                }
            }
        }
    }

    /// A new connection to server number `server`; the error is what to send before it is closed.
    pub fn accept(&mut self, server: usize, peer: Peer, turn: &mut Turn<'_>) -> Result<Key<Conn>, Vec<u8>> {
        // With nobody in it a connection that a bug cost is closed without a word.
        self.guarded(turn, |daemon, turn| daemon.front.accept(server, peer, turn.now)).unwrap_or(Err(Vec::new()))
    }

    /// The end of a turn, after all inputs and before flushing. Returns whether anybody is still ready, so that the
    /// poll must not wait.
    pub fn settle(&mut self, turn: &mut Turn<'_>) -> bool {
        // After a bug there may be more to do.
        self.guarded(turn, Daemon::settle_in).unwrap_or(true)
    }

    fn settle_in(&mut self, turn: &mut Turn<'_>) -> bool {
        /// An answer may begin the end, and the end may be what another answer waited for: that is all settled
        /// before anybody sees the outcome. Further rounds are further turns.
        const ROUNDS: usize = 4;
        let mut more = false;
        for _ in 0..ROUNDS {
            let starting = self.world.settle(turn);
            let before = self.world.changes();
            let asking = self.front.settle(&mut self.world, turn);
            more = starting | asking | (self.world.changes() != before);
            if self.world.changes() == before {
                break;
            }
        }
        if self.is_well() {
            debug_assert_eq!(self.world.check(), Ok(()));
        }
        more
    }

    /// When to wake up although nothing happens; `None`: never.
    pub fn next_deadline(&self) -> Option<Mono> {
        [self.world.next_deadline(), self.front.next_deadline(), self.failing_until()].into_iter().flatten().min()
    }

    /// What is to become of the daemon. Asked after each settle; `Reload` hands its configuration out once.
    pub fn outcome(&mut self) -> Outcome {
        let ended = self.world.has_ended();
        if let Some(outcome) = self.failed(ended) {
            return outcome;
        }
        if !ended {
            return Outcome::Run;
        }
        match self.world.take_next_config() {
            Some(config) => Outcome::Reload(Box::new(config)),
            None => Outcome::Exit,
        }
    }
}
