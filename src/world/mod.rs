//! All state but connections: processes, groups, logs, the cache.
//!
//! The world owns everything and hands out keys. Machines ([`life::Life`], outputs) are pure; [`World::drive`] is the
//! one place that carries out what they ask for. The world asks the system only through [`host::Host`], and never
//! knows a descriptor.

mod alarm;
pub mod bus;
pub mod cache;
mod check;
pub mod command;
pub mod configured;
pub mod entries;
pub mod fastcgi;
pub mod group;
pub mod host;
pub mod life;
pub mod lines;
pub mod listening;
pub mod log;
pub mod mainlog;
pub mod members;
pub mod news;
pub mod output;
pub mod pool;
pub mod process;
mod rotation;
pub mod shutdown;
mod slabs;
pub mod starts;
pub mod streams;

use std::collections::VecDeque;

use crate::base::errno::Errno;
use crate::base::key::{Arena, Key};
use crate::base::limits::ALARMS_PER_TURN;
use crate::base::maps::{ByName, ByNumber};
use crate::base::text::NameSpec;
use crate::base::time::{Deadlines, Mono, Now};
use crate::base::words::{Channel, Exit, Level, Mood, Pid, State, signal_name};
use crate::config::error::ConfigError;
use crate::config::spec::{Config, InterfaceKind};
pub(crate) use alarm::Alarm;
use bus::{Bus, Move};
use cache::Cache;
use configured::Configured;
use group::Group;
use host::{Host, SpawnError, SpawnOrder};
use life::{Act, Step};
use lines::Line;
use log::Log;
use mainlog::MainLog;
use news::News;
use process::Process;
use shutdown::Ending;

/// One turn of the loop: a moment and the system.
pub struct Turn<'h> {
    /// Stamped once.
    pub now: Now,
    /// The system.
    pub host: &'h mut dyn Host,
}

/// A process changed its state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Moved {
    /// Which process.
    pub who: Key<Process>,
    /// The state left.
    pub from: State,
    /// The state entered.
    pub to: State,
}

/// An XML-RPC namespace.
pub struct Interface {
    /// What method names begin with.
    pub namespace: String,
    /// What stands behind it.
    pub kind: InterfaceKind,
    /// The store, for `cache` (CACHE-005).
    pub cache: Cache,
}

/// The world.
pub struct World {
    /// What it was made from; `configured` is newer after a re-read.
    pub config: Config,
    /// The groups of the last (re)read configuration (CFG-221), with what twiddler added (RPC-094).
    pub configured: Configured,
    /// XML-RPC namespaces.
    pub interfaces: Vec<Interface>,
    /// All processes.
    pub processes: Arena<Process>,
    pub(crate) groups: Arena<Group>,
    pub(crate) group_names: ByName<Key<Group>>,
    pub(crate) group_order: Vec<Key<Group>>,
    pids: ByNumber<Pid, Key<Process>>,
    pub(crate) alarms: Deadlines<Alarm>,
    pub(crate) bus: Bus,
    /// Processes that the daemon is about to start by itself, a few each turn.
    pub(crate) autostarts: VecDeque<Key<Process>>,
    /// Processes whose moment to start again has come, a few each turn. They have no alarm meanwhile.
    pub(crate) restarts: VecDeque<Key<Process>>,
    /// The beginning is over: from now on automatic logs are made with their process.
    pub(crate) begun: bool,
    /// Processes of the beginning whose automatic logs are made soon, a few each turn.
    pub(crate) logs_due: VecDeque<Key<Process>>,
    /// Paths of automatic logs of an earlier run that are removed soon.
    pub(crate) stale_logs: Vec<String>,
    pub(crate) main_log: MainLog,
    pub(crate) mood: Mood,
    ending: Option<Ending>,
    /// What to begin anew with after the end.
    next: Option<Config>,
    pub(crate) changes: u64,
    pub(crate) relayed: listening::Relayed,
    /// Starts that were tried so far.
    spawns: u64,
    /// Until then nothing is started that nobody waits for by name: there is no room.
    starts_from: Mono,
    pub(crate) log_writes: u64,
    pub(crate) news: News,
    /// Every change of a state since somebody took them; `None`: nobody does. The simulation looks whether each is one
    /// of the contract's.
    pub trail: Option<Vec<Moved>>,
}

/// CFG-178.
pub fn cannot_open_log(path: &str, error: Errno) -> String {
    format!(
        "could not open log file {path}: {}; name another with logfile in [supervisord] or -l, or /dev/null for none",
        error.text()
    )
}

impl World {
    /// Opens the main log, finds old automatic logs, makes the groups (CFG-181). Starts nothing yet: [`World::begin`].
    /// The error, for the operator, says why the main log or a FastCGI socket can't be opened (CFG-178).
    pub fn new(config: Config, turn: &mut Turn<'_>) -> Result<World, String> {
        let daemon = &config.daemon;
        let file = match &daemon.logfile {
            None => None,
            Some(path) => {
                let path = path.display().to_string();
                let mut log = Log::new(path.clone(), daemon.logfile_maxbytes, daemon.logfile_backups);
                log.open(turn.host).map_err(|error| cannot_open_log(&path, error))?;
                Some(log)
            }
        };
        let main_log = MainLog::new(daemon.loglevel, file, daemon.nodaemon && !daemon.silent);
        let interfaces = config
            .interfaces
            .iter()
            .filter(|interface| !matches!(interface.kind, InterfaceKind::Foreign { .. }))
            .map(|interface| Interface {
                namespace: interface.namespace.clone(),
                kind: interface.kind.clone(),
                cache: Cache::default(),
            })
            .collect();
        let mut world = World {
            configured: Configured::new(config.groups.clone()),
            config,
            interfaces,
            processes: Arena::default(),
            groups: Arena::default(),
            group_names: ByName::default(),
            group_order: Vec::new(),
            pids: ByNumber::default(),
            alarms: Deadlines::default(),
            bus: Bus::default(),
            autostarts: VecDeque::new(),
            restarts: VecDeque::new(),
            begun: false,
            logs_due: VecDeque::new(),
            stale_logs: Vec::new(),
            main_log,
            mood: Mood::Running,
            ending: None,
            next: None,
            changes: 0,
            relayed: Default::default(),
            spawns: 0,
            starts_from: Mono::default(),
            log_writes: 0,
            news: News::default(),
            trail: None,
        };
        for notice in std::mem::take(&mut world.config.notices) {
            world.say(&Line::Free(notice.level, notice.text), turn);
        }
        world.find_stale_logs(turn);
        for group in world.config.groups.clone() {
            if let Err(text) = world.make_group(&group, turn) {
                // After a reload nobody else may be there to be told.
                world.say(&Line::Free(Level::Critical, text.clone()), turn);
                return Err(text);
            }
        }
        world.begun = true;
        world.catch_up(turn);
        Ok(world)
    }

    /// What the supervisor is doing.
    pub fn mood(&self) -> Mood {
        self.mood
    }

    /// Counts changes of process states: somebody who waits looks again only when this moved.
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// Counts writes to logs: somebody who follows looks again only when this moved.
    pub fn log_writes(&self) -> u64 {
        self.log_writes
    }

    /// Writes a line to the main log.
    pub fn say(&mut self, line: &Line, turn: &mut Turn<'_>) {
        if self.main_log.says(line.level()) {
            self.log_writes += 1;
            self.main_log.say(line, turn.now, turn.host);
            self.look_after_main_log(turn);
        }
    }

    /// Whether lines of this level are written: spares the making of those that aren't.
    pub fn says(&self, level: Level) -> bool {
        self.main_log.says(level)
    }

    /// The path of a process's log, `name` as in PROC-080; `None` for an unknown name, a whole group, no log.
    pub fn log_path(&self, name: &str, channel: Channel) -> Option<String> {
        let spec = NameSpec::parse(name);
        let process = self.processes.get(self.find_member(spec.group, spec.process?)?)?;
        process.log_path(channel).map(str::to_string)
    }

    /// The path of the main log, unless it goes to syslog.
    pub fn main_log_path(&self) -> Option<String> {
        self.main_log.path().map(str::to_string)
    }

    /// Lets a process take a step and carries out what it asks for, answers included. Returns why a signal could
    /// not be sent, if so.
    pub fn drive(&mut self, who: Key<Process>, step: Step, turn: &mut Turn<'_>) -> Option<Errno> {
        let mut refused = None;
        let mut next = Some(step);
        let mut acts = Vec::new();
        while let Some(step) = next.take() {
            let process = self.processes.get_mut(who)?;
            let spec = process.spec.clone();
            let pid = process.life.pid();
            let exit = if let Step::Exited(exit) = step { Some(exit) } else { None };
            process.life.on(step, &spec, turn.now, self.mood, &mut acts);
            for act in acts.drain(..) {
                match act {
                    Act::Say(line) => self.say(&line, turn),
                    Act::Moved { from, to, tries } => self.moved(who, Move { from, to, tries, pid, exit }, turn),
                    Act::Spawn => {
                        next = Some(match self.spawn(who, turn) {
                            Ok(pid) => Step::Spawned(pid),
                            Err(text) => Step::SpawnFailed(text),
                        });
                    }
                    Act::Kill { pid, signal, group } => {
                        if let Err(error) = turn.host.kill(pid, signal, group) {
                            refused = Some(error).filter(|&error| error != Errno::ESRCH);
                            next = Some(Step::KillFailed(error));
                        }
                    }
                }
            }
        }
        if let Some(process) = self.processes.get(who) {
            let (deadline, group, shares) = (process.life.deadline(), process.group, process.spec.socket.is_some());
            self.alarms.set(Alarm::Life(who), deadline);
            self.note_process(who);
            if shares {
                self.close_idle_sockets(group, turn);
            }
        }
        refused
    }

    /// PROC-050 to 056: opens the logs and makes the child. The error is the text for `spawnerr`.
    fn spawn(&mut self, who: Key<Process>, turn: &mut Turn<'_>) -> Result<Pid, String> {
        self.spawns += 1;
        let Some(process) = self.processes.get(who) else { return Err(String::new()) };
        let (spec, group, group_name) = (process.spec.clone(), process.group, process.group_name.clone());
        let name = &spec.name;
        let command = command::resolve(&spec, turn.host).map_err(|error| error.text().to_string())?;
        let dispatchers = |error: Errno| match error {
            Errno::EMFILE => format!("too many open files to spawn '{name}'"),
            error => format!("unknown error making dispatchers for '{name}': {}", error.name()),
        };
        let socket = match &spec.socket {
            Some(socket) => self.take_socket(group, socket, turn)?,
            None => None,
        };
        self.open_outputs(who, turn).map_err(dispatchers)?;
        let environment = command::environment(&spec, &group_name, self.config.daemon.serverurl.as_deref());
        let own = turn.host.uid();
        let order = SpawnOrder {
            name,
            path: &command.path,
            argv: &command.argv,
            environment: &environment,
            directory: spec.directory.as_deref(),
            umask: spec.umask,
            cpus: spec.cpu_affinity.as_deref(),
            user: spec.user.as_ref().filter(|user| user.uid != own),
            redirect_stderr: spec.redirect_stderr,
            socket,
            parent_death_signal: self.config.daemon.parent_death_signal,
        };
        let made = turn.host.spawn(who, &order);
        match made {
            Ok(pid) => {
                self.pids.insert(pid, who);
                // A log may still hold much of what the child before printed: then this one waits, too.
                for channel in [Channel::Stdout, Channel::Stderr] {
                    self.look_after_log(who, channel, turn);
                }
                if let Some(process) = self.processes.get_mut(who) {
                    process.stdin.clear();
                    // PROC-092.
                    process.stdin_closed = socket.is_some();
                    process.silent = true;
                    if let Some(member) = &mut process.listener {
                        // PROC-142.
                        member.protocol = Default::default();
                    }
                    process.stop_reported = None;
                }
                Ok(pid)
            }
            Err(error) => {
                self.close_outputs(who, turn);
                Err(match error {
                    SpawnError::Pipe(error) => dispatchers(error),
                    SpawnError::Fork(Errno::EAGAIN) => {
                        format!("Too many processes in process table to spawn '{name}'")
                    }
                    SpawnError::Fork(error) => format!("unknown error during fork for '{name}': {}", error.name()),
                })
            }
        }
    }

    /// A child ended, its output has been read (PROC-067).
    pub fn reaped(&mut self, pid: Pid, exit: Exit, turn: &mut Turn<'_>) {
        let Some(who) = self.pids.remove(pid).filter(|who| self.processes.get(*who).is_some()) else {
            return self.say(&Line::ReapedUnknown { pid, status: exit.text() }, turn);
        };
        turn.host.close_pipes(who);
        self.finish_outputs(who, turn);
        if let Some(process) = self.processes.get_mut(who) {
            process.stdin.clear();
            process.stdin_closed = true;
        }
        let event = self.listener_ends(who);
        self.drive(who, Step::Exited(exit), turn);
        self.listener_ended(who, event, turn);
    }

    /// A signal to the daemon (SIG-001 to 005).
    pub fn signalled(&mut self, signal: i32, turn: &mut Turn<'_>) {
        match signal_name(signal).unwrap_or_default() {
            "TERM" | "INT" | "QUIT" => {
                self.say(&Line::ExitRequest { signal: life::shown_signal(signal) }, turn);
                self.begin_ending(Mood::Shutdown, turn);
            }
            "HUP" if self.mood == Mood::Shutdown => self.say(&Line::RestartIgnored {}, turn),
            "HUP" => {
                self.say(&Line::RestartRequest {}, turn);
                // Nobody waits for the mistakes: they are in the log.
                let _ = self.begin_restart(turn);
            }
            "USR2" => {
                self.say(&Line::ReopenRequest {}, turn);
                self.say(&Line::Reopened {}, turn);
                self.reopen_logs(turn);
            }
            _ => {}
        }
    }

    /// Reads the configuration and, if it is sound, begins the end that comes before a new beginning. If it isn't,
    /// says so and stops nothing, whoever asked (BUG-060).
    pub fn begin_restart(&mut self, turn: &mut Turn<'_>) -> Result<(), Vec<ConfigError>> {
        if self.mood != Mood::Running {
            return Ok(());
        }
        let loaded = turn.host.load_config().and_then(|config| self.could_have_sockets(config, turn));
        match loaded {
            Ok(config) => {
                self.next = Some(config);
                self.begin_ending(Mood::Restarting, turn);
                Ok(())
            }
            Err(mistakes) => {
                let error = mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
                self.say(&Line::CannotReload { error }, turn);
                Err(mistakes)
            }
        }
    }

    /// Begins the end.
    pub fn begin_shutdown(&mut self, turn: &mut Turn<'_>) {
        self.begin_ending(Mood::Shutdown, turn);
    }

    /// After the end: the configuration to begin anew with, if a restart was asked for.
    pub fn take_next_config(&mut self) -> Option<Config> {
        self.next.take().filter(|_| self.mood == Mood::Restarting)
    }

    /// When [`World::due`] is wanted.
    pub fn next_deadline(&self) -> Option<Mono> {
        let starts = self.wants_to_start().then_some(self.starts_from);
        [self.alarms.next(), starts].into_iter().flatten().min()
    }

    /// Sees to it that deferred answers are asked for again at this moment, if not before.
    pub fn wake_waiters(&mut self, at: Mono) {
        let earliest = self.alarms.get(Alarm::Waiters).map_or(at, |set| set.min(at));
        self.alarms.set(Alarm::Waiters, Some(earliest));
    }

    /// Nobody waits for a deferred answer any more.
    pub fn forget_waiters(&mut self) {
        self.alarms.set(Alarm::Waiters, None);
    }

    /// Serves the alarms whose moment has come; at most so many that clients get their turn.
    pub fn due(&mut self, turn: &mut Turn<'_>) {
        for _ in 0..ALARMS_PER_TURN {
            match self.alarms.pop_due(turn.now.mono) {
                None => return,
                Some(Alarm::Life(who)) => {
                    // Starts have to wait for their turn, everything else is done at once.
                    if self.processes.get(who).is_some_and(|process| process.life.waits_to_start(self.mood)) {
                        self.restarts.push_back(who);
                    } else {
                        self.drive(who, Step::Due, turn);
                    }
                }
                Some(Alarm::Log(who)) => self.retry_logs(who, turn),
                Some(Alarm::MainLog) => self.retry_main_log(turn),
                Some(Alarm::Waiters) => self.changes += 1,
                Some(Alarm::Ending) => self.report_ending(turn),
                Some(Alarm::Tick) => self.tick(turn),
            }
        }
    }

    /// The end of a turn: starts a few of those that wait, and takes the ordered end further. Returns whether there
    /// is more to do at once.
    pub fn settle(&mut self, turn: &mut Turn<'_>) -> bool {
        let late = self.catch_up(turn);
        let starting = self.start_some(turn);
        self.continue_ending(turn);
        let sweeping = self.interfaces.iter_mut().fold(false, |more, interface| interface.cache.sweep() | more);
        if sweeping {
            turn.host.freed();
        }
        sweeping || late || starting
    }

    /// Which of [`World::interfaces`] is the namespace `name`; `None`: none of them.
    pub fn interface(&self, name: &str) -> Option<usize> {
        self.interfaces.iter().position(|interface| interface.namespace == name)
    }
}
