//! The listening sockets that FastCGI programs share (contract process.md, section 12).
//!
//! A socket is open exactly while a process that was given it has a child. Who has one is looked up, never counted,
//! so that no end of a process can be missed.

use std::rc::Rc;

use crate::base::key::Key;
use crate::config::error::ConfigError;
use crate::config::spec::{Config, FastCgiSpec, GroupSpec};
use crate::world::group::Group;
use crate::world::host::SocketId;
use crate::world::lines::Line;
use crate::world::{Turn, World};

/// A socket of a group.
pub struct SharedSocket {
    /// As configured. The processes whose spec has an equal one share it.
    spec: Rc<FastCgiSpec>,
    open: Option<SocketId>,
}

/// CFG-178; also the `spawnerr` of a process whose socket can't be had.
pub fn cannot_create_socket(url: &str, error: &str) -> String {
    format!("Could not create FastCGI socket {url}: {error}")
}

impl World {
    /// The different sockets of a group to be, each opened and closed once to see whether it can be had (PROC-132).
    pub(crate) fn probe_sockets(
        &mut self,
        group: &GroupSpec,
        turn: &mut Turn<'_>,
    ) -> Result<Vec<SharedSocket>, String> {
        let mut sockets: Vec<SharedSocket> = Vec::new();
        // PROC-135: also of a program that was put into a [group:x].
        for spec in group.processes.iter().filter_map(|process| process.socket.as_ref()) {
            if sockets.iter().any(|socket| socket.spec == *spec) {
                continue;
            }
            let id = self.create_socket(spec, turn)?;
            self.close_socket(&spec.url, id, turn);
            sockets.push(SharedSocket { spec: spec.clone(), open: None });
        }
        Ok(sockets)
    }

    /// The open socket for a process that is about to start: the first one opens it (PROC-131).
    pub(crate) fn take_socket(
        &mut self,
        group: Key<Group>,
        spec: &FastCgiSpec,
        turn: &mut Turn<'_>,
    ) -> Result<Option<SocketId>, String> {
        let Some(place) = self.groups.get(group).and_then(|group| group.socket(spec)) else { return Ok(None) };
        let open = self.groups.get(group).and_then(|group| group.sockets[place].open);
        let id = match open {
            Some(id) => id,
            None => self.create_socket(spec, turn)?,
        };
        if let Some(group) = self.groups.get_mut(group) {
            group.sockets[place].open = Some(id);
        }
        Ok(Some(id))
    }

    /// Closes the sockets of a group that none of its children has any more (PROC-131).
    pub(crate) fn close_idle_sockets(&mut self, key: Key<Group>, turn: &mut Turn<'_>) {
        let Some(group) = self.groups.get(key) else { return };
        let processes = &self.processes;
        let in_use = |socket: &SharedSocket| {
            let mut members = group.members.iter().filter_map(|&member| processes.get(member));
            members.any(|process| process.life.pid().is_some() && process.spec.socket.as_ref() == Some(&socket.spec))
        };
        let idle: Vec<usize> = (0..group.sockets.len())
            .filter(|&place| group.sockets[place].open.is_some() && !in_use(&group.sockets[place]))
            .collect();
        for place in idle {
            let Some(socket) = self.groups.get_mut(key).map(|group| &mut group.sockets[place]) else { return };
            let (url, open) = (socket.spec.url.clone(), socket.open.take());
            if let Some(id) = open {
                self.close_socket(&url, id, turn);
            }
        }
    }

    /// Closes what a group that is gone had open.
    pub(crate) fn close_sockets(&mut self, sockets: Vec<SharedSocket>, turn: &mut Turn<'_>) {
        for socket in sockets {
            if let Some(id) = socket.open {
                self.close_socket(&socket.spec.url, id, turn);
            }
        }
    }

    /// A configuration to begin anew with, unless it has a FastCGI socket that can't be had: then everything stays as
    /// it is (BUG-060). Those that are ours already will be free.
    pub(crate) fn could_have_sockets(&self, config: Config, turn: &mut Turn<'_>) -> Result<Config, Vec<ConfigError>> {
        let ours = |url: &str| self.groups().flat_map(|group| &group.sockets).any(|socket| socket.spec.url == url);
        let processes = config.groups.iter().flat_map(|group| &group.processes);
        let mut sockets: Vec<&FastCgiSpec> = processes.filter_map(|process| process.socket.as_deref()).collect();
        sockets.dedup();
        sockets.retain(|spec| !ours(&spec.url));
        let wrong = |spec: &FastCgiSpec, error: String| ConfigError::new(cannot_create_socket(&spec.url, &error));
        let mistakes: Vec<ConfigError> = sockets
            .into_iter()
            .filter_map(|spec| Some(wrong(spec, turn.host.could_open_socket(spec).err()?)))
            .collect();
        if mistakes.is_empty() { Ok(config) } else { Err(mistakes) }
    }

    fn create_socket(&mut self, spec: &FastCgiSpec, turn: &mut Turn<'_>) -> Result<SocketId, String> {
        self.say(&Line::CreatingSocket { url: spec.url.clone() }, turn);
        turn.host.open_socket(spec).map_err(|error| cannot_create_socket(&spec.url, &error))
    }

    fn close_socket(&mut self, url: &str, id: SocketId, turn: &mut Turn<'_>) {
        self.say(&Line::ClosingSocket { url: url.to_string() }, turn);
        turn.host.close_socket(id);
    }
}

impl Group {
    /// The place of the socket with this spec.
    fn socket(&self, spec: &FastCgiSpec) -> Option<usize> {
        self.sockets.iter().position(|socket| *socket.spec == *spec)
    }
}
