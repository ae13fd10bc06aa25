//! A process slot: a [`Life`] with its outputs and its stdin.

use std::rc::Rc;

use crate::base::bytes::ByteQueue;
use crate::base::key::Key;
use crate::base::text::display_name;
use crate::base::time::Mono;
use crate::base::words::{Channel, State};
use crate::config::spec::ProcessSpec;
use crate::world::group::Group;
use crate::world::life::Life;
use crate::world::output::Output;
use crate::world::pool::Member;

/// A process slot.
pub struct Process {
    /// As configured.
    pub spec: Rc<ProcessSpec>,
    /// Where it belongs.
    pub group: Key<Group>,
    /// The name of where it belongs.
    pub group_name: Rc<str>,
    /// States, times and counters.
    pub life: Life,
    /// stdout and stderr; stderr is absent when redirected.
    pub outputs: [Option<Output>; 2],
    /// Bytes on their way to the child's stdin.
    pub stdin: ByteQueue,
    /// The child has closed its stdin, or there is no child (PROC-091).
    pub stdin_closed: bool,
    /// What makes it a listener: its stdout is the listener protocol.
    pub listener: Option<Member>,
    /// The child has printed nothing yet.
    pub silent: bool,
    /// When "waiting for … to stop" was last said (PROC-064).
    pub stop_reported: Option<Mono>,
    /// Its automatic logs have paths, but no files yet.
    pub logs_due: bool,
}

impl Process {
    /// The state.
    pub fn state(&self) -> State {
        self.life.state()
    }

    /// How the process is shown (PROC-080).
    pub fn display(&self) -> String {
        display_name(&self.group_name, &self.spec.name)
    }

    /// The log of a channel: its configured or generated path. `None`: there is no log, or no name for it yet.
    pub fn log_path(&self, channel: Channel) -> Option<&str> {
        self.outputs[channel.index()].as_ref().and_then(Output::path)
    }
}
