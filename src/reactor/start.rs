//! From a command line to a running daemon and out again, in the order of CFG-181.
//!
//! Mistakes of the operator end in `Error:` lines on stderr and status 2 (CFG-170); nothing else is printed there.

use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use mio::Poll;

use super::host::{Loader, RealHost};
use super::obstacles::obstacles;
use super::{End, Reactor, bugs, example};
use crate::base::cpus::Cpus;
use crate::base::errno::Errno;
use crate::base::limits::{BURST_TURNS, LAST_READS, LAST_READS_IN_ALL};
use crate::base::words::SUPERVISOR_VERSION;
use crate::config::error::{ConfigError, Notice};
use crate::config::options::{self, Asked, DaemonOptions};
use crate::config::spec::{Address, Config, InterfaceKind};
use crate::config::{self, Surroundings};
use crate::daemon::Daemon;
use crate::sys::process::{self, Limit, PidFile};
use crate::sys::signals::{self, Signals};
use crate::sys::sockets::{ListenError, Listener};
use crate::sys::surroundings::System;
use crate::sys::{clock, io};
use crate::world::Turn;
use crate::world::lines::Line;

/// The exit status after a mistake of the operator (CFG-170).
const MISTAKE: i32 = 2;

/// To whoever wonders why a container ends at once.
const LAST_WORDS: &str = "Warning: process 1 goes to the background, and all other processes end with it; \
                          use -n or nodaemon=true in a container";

/// Runs `supervisord`; `args` begins with the program's name. Returns the exit status.
pub fn run(args: Vec<String>) -> i32 {
    process::give_back_large_buffers();
    process::fill_standard_descriptors();
    process::seal_inherited_descriptors();
    signals::prepare();
    let args = match example::requested(args) {
        Ok(args) => args,
        Err(error) => return complain(&[error], "supervisord"),
    };
    let argv0 = args.first().map_or("supervisord", String::as_str);
    let around: Rc<dyn Surroundings> = Rc::new(System);
    match options::parse_daemon(&args, &around) {
        Ok(Asked::Help(text)) => print(&text),
        Ok(Asked::Version) => print(&format!("{SUPERVISOR_VERSION}\n")),
        Ok(Asked::Run(options)) if options.check => check(&options, &around),
        Ok(Asked::Run(options)) => match Start::load(options, around) {
            Ok(start) => start.run().unwrap_or_else(|mistake| complain(&[mistake], argv0)),
            Err(mistakes) => complain(&mistakes, argv0),
        },
        Err(usage) => complain(&[usage], argv0),
    }
}

/// Nobody to tell if stdout or stderr are broken.
fn print(text: &str) -> i32 {
    let _ = std::io::stdout().write_all(text.as_bytes());
    0
}

/// Says what is wrong with the configuration, or what it comes to; starts nothing.
fn check(options: &DaemonOptions, around: &Rc<dyn Surroundings>) -> i32 {
    let checked = config::check(options, around, obstacles);
    let _ = std::io::stderr().write_all(checked.err.as_bytes());
    print(&checked.out);
    checked.status.into()
}

fn complain(mistakes: &[impl std::fmt::Display], argv0: &str) -> i32 {
    let _ = std::io::stderr().write_all(options::complaint(mistakes, argv0).as_bytes());
    MISTAKE
}

/// What is known before there is a daemon.
struct Start {
    options: DaemonOptions,
    around: Rc<dyn Surroundings>,
    config: Config,
}

impl Start {
    /// Reads the configuration.
    fn load(mut options: DaemonOptions, around: Rc<dyn Surroundings>) -> Result<Start, Vec<String>> {
        match config::locate(&mut options, &around) {
            Ok(Some(warning)) => {
                let _ = writeln!(std::io::stderr(), "{warning}");
            }
            Ok(None) => {}
            Err(mistakes) => return Err(mistakes.iter().map(ToString::to_string).collect()),
        }
        let config = load(&options, &around)?;
        Ok(Start { options, around, config })
    }

    /// From the switch of user on; returns the exit status at the end of the daemon. The error is the operator's
    /// mistake.
    fn run(self) -> Result<i32, String> {
        let Start { options, around, mut config } = self;
        switch_user(&mut config)?;
        raise_limits(&mut config)?;
        let poll = Poll::new().map_err(|error| trouble("make a poll", error.into()))?;
        let registry = poll.registry().try_clone().map_err(|error| trouble("make a poll", error.into()))?;
        let loader: Loader = Box::new(move || {
            let discreet = |all: Vec<ConfigError>| all.into_iter().map(ConfigError::discreet).collect::<Vec<_>>();
            let config = config::load(&options, &around).map_err(discreet)?;
            may_switch_user(&config).map(|()| config).map_err(|text| vec![ConfigError::new(text)])
        });
        let mut host = RealHost::new(registry, loader).map_err(|error| trouble("map a stack", error))?;

        let (mut daemon, listeners) = open(config, &mut host, false)?;
        let signals = Signals::install().map_err(|error| trouble("take signals", error))?;
        let foreground =
            if daemon.world.config.daemon.nodaemon { None } else { Some(go_to_background(&mut daemon, &mut host)?) };
        let mut reactor =
            Reactor::new(poll, signals, &mut host).map_err(|error| trouble("watch for signals", error))?;
        let pid_file = begin(&mut reactor, &mut daemon, listeners, &mut host)?;
        if let Some(foreground) = foreground {
            foreground.release();
        }
        let result = serve(&mut reactor, daemon, pid_file, &mut host);
        host.finish_echo();
        result
    }
}

/// Runs the daemon, and after each reload the next one. Returns the exit status.
fn serve(
    reactor: &mut Reactor,
    mut daemon: Daemon,
    mut pid_file: Option<PidFile>,
    host: &mut RealHost,
) -> Result<i32, String> {
    bugs::write_down();
    loop {
        daemon.survive_bugs();
        // What the daemon does is caught in there, what the loop does is not.
        let run = AssertUnwindSafe(|| reactor.run(&mut daemon, host));
        let end = catch_unwind(run).unwrap_or_else(|_| {
            let report = bugs::take().unwrap_or_default();
            say_if_possible(&mut daemon, Line::Bug { report }, host);
            Ok(End::Failed(true))
        });
        if matches!(end, Ok(End::Failed(true))) {
            say_if_possible(&mut daemon, Line::EndingChildren { count: host.pipes.pids().count() }, host);
            bugs::end_children(host);
        }
        reactor.close_servers(host);
        let lost = finish_logs(&mut daemon, host);
        if let Some(file) = pid_file.take() {
            file.remove();
        }
        match end {
            Ok(End::Exit) => return Ok(0),
            Ok(End::Failed(_)) => return Ok(bugs::STATUS),
            Ok(End::Reload(mut config)) => {
                host.reset();
                switch_user(&mut config)?;
                let (mut new, listeners) = open(*config, host, true)?;
                new.world.follow(&daemon.world);
                daemon = new;
                if lost > 0 {
                    say(&mut daemon, Line::LostAtReload { bytes: lost }, host);
                }
                pid_file = begin(reactor, &mut daemon, listeners, host)?;
            }
            Err(error) => return Err(trouble("poll", error)),
        }
    }
}

/// The last chance of readers to take what their logs hold: as long as they take something, within bounds. Returns how
/// many bytes are lost all the same.
fn finish_logs(daemon: &mut Daemon, host: &mut RealHost) -> usize {
    /// How often is looked, in milliseconds.
    const LOOK: i32 = 5;
    let begun = clock::mono();
    let (mut moved, mut least) = (begun, usize::MAX);
    loop {
        let now = clock::now();
        let waiting = daemon.world.flush_logs(&mut Turn { now, host });
        if waiting < least {
            (moved, least) = (now.mono, waiting);
        }
        if waiting == 0 || now.mono - moved > LAST_READS || now.mono - begun > LAST_READS_IN_ALL {
            return waiting;
        }
        io::pause(LOOK);
    }
}

fn trouble(what: &str, error: Errno) -> String {
    format!("could not {what}: {}", error.text())
}

fn load(options: &DaemonOptions, around: &Rc<dyn Surroundings>) -> Result<Config, Vec<String>> {
    config::load(options, around).map_err(|mistakes| mistakes.iter().map(ToString::to_string).collect())
}

/// Adds to what is logged once there is a log, at its place by severity (CFG-184).
fn note(config: &mut Config, line: &Line) {
    let place = config.notices.iter().position(|notice| notice.level < line.level());
    let notice = Notice { level: line.level(), text: line.to_string(), at: None };
    config.notices.insert(place.unwrap_or(config.notices.len()), notice);
}

/// CFG-182, CFG-183.
pub(super) fn switch_user(config: &mut Config) -> Result<(), String> {
    match config.daemon.user.clone() {
        Some(user) => {
            process::switch_user(user.uid, user.gid, &user.groups)?;
            note(config, &Line::SetUid { uid: user.uid });
        }
        None if process::uid() == 0 => note(config, &Line::RunningAsRoot {}),
        None => {}
    }
    Ok(())
}

/// Whether [`switch_user`] could do what a configuration says that is to replace the present one (BUG-060).
fn may_switch_user(config: &Config) -> Result<(), String> {
    match &config.daemon.user {
        Some(user) if process::uid() != 0 && process::uid() != user.uid => {
            Err("Can't drop privilege as nonroot user".to_string())
        }
        _ => Ok(()),
    }
}

/// CFG-180.
pub(super) fn raise_limits(config: &mut Config) -> Result<(), String> {
    let wanted = [
        (Limit::OpenFiles, config.daemon.minfds, "minfds", "file descriptors required to run this process"),
        (Limit::Processes, config.daemon.minprocs, "minprocs", "available processes required to run this program"),
    ];
    for (limit, least, key, what) in wanted {
        match limit.raise(least) {
            Ok(false) => {}
            Ok(true) => note(config, &Line::RaisedLimit { name: limit.name().to_string(), limit: least }),
            Err(hard) => {
                return Err(format!(
                    "The minimum number of {what} is {least} as per the \"{key}\" command-line argument or config \
                     file setting. The current environment allows at most {hard} ({} hard limit): raise that, or \
                     lower {key}.",
                    limit.name()
                ));
            }
        }
    }
    Ok(())
}

/// The main log, the groups, the servers (CFG-181), and the lines about them (HTTP-008). After a reload (`again`)
/// there may be nobody at stderr any more, so the log says why there is no server (CFG-176).
fn open(config: Config, host: &mut RealHost, again: bool) -> Result<(Daemon, Vec<Listener>), String> {
    let now = clock::now();
    let mut daemon = Daemon::new(config, &mut Turn { now, host })?;
    let mut listeners = Vec::new();
    for server in daemon.world.config.servers.clone() {
        match listen(&server.address) {
            Ok(listener) => listeners.push(listener),
            Err(error) => {
                let error = error.to_string();
                if again {
                    say(&mut daemon, Line::CannotReload { error: error.clone() }, host);
                }
                return Err(error);
            }
        }
        for interface in daemon.world.config.interfaces.clone() {
            if !matches!(interface.kind, InterfaceKind::Foreign { .. }) {
                say(&mut daemon, Line::InterfaceReady { namespace: interface.namespace }, host);
            }
        }
        if server.username.is_none_or(|name| name.is_empty()) {
            say(&mut daemon, Line::NoAuthentication { section: server.section }, host);
        }
    }
    Ok((daemon, listeners))
}

fn listen(address: &Address) -> Result<Listener, ListenError> {
    match address {
        Address::Inet { host, port } => Listener::inet(host, *port),
        Address::Unix { path, mode, chown } => Listener::unix(path, *mode, *chown),
    }
}

fn say(daemon: &mut Daemon, line: Line, host: &mut RealHost) {
    daemon.world.say(&line, &mut Turn { now: clock::now(), host });
}

/// The same for a daemon that is broken: the next step is not to be missed whatever this does.
fn say_if_possible(daemon: &mut Daemon, line: Line, host: &mut RealHost) {
    let _ = catch_unwind(AssertUnwindSafe(|| say(daemon, line, host)));
}

/// LOG-080 to LOG-084. What goes wrong after the fork is in the log, as there is nobody to be told otherwise.
fn go_to_background(daemon: &mut Daemon, host: &mut RealHost) -> Result<process::Foreground, String> {
    if process::pid() == 1 {
        // Its log may be in what goes away with it.
        let _ = writeln!(std::io::stderr(), "{LAST_WORDS}");
    }
    say(daemon, Line::Daemonizing {}, host);
    let spec = daemon.world.config.daemon.clone();
    let foreground = process::fork_to_background().map_err(|error| trouble("fork", error))?;
    if let Some(directory) = &spec.directory {
        let shown = crate::base::text::repr(&directory.to_string_lossy());
        match std::env::set_current_dir(directory) {
            Ok(()) => say(daemon, Line::ChangedDirectory { directory: shown }, host),
            Err(error) => {
                let error = format!("{}: {shown}", Errno::from(error));
                say(daemon, Line::NoDirectory { directory: shown, error }, host);
            }
        }
    }
    process::detach(spec.umask).map_err(|error| trouble("leave the terminal", error))?;
    Ok(foreground)
}

/// Moves us, and with us the programs to come, to these processors; if none are wanted, back to those of `before`. The
/// error is what there is to tell: we stay where we are.
fn move_to_processors(wanted: Option<Cpus>, before: &mut Option<Cpus>) -> Result<(), Line> {
    let now = process::cpus().ok();
    let Some(cpus) = wanted.or(*before) else { return Ok(()) };
    move_to(&cpus)?;
    *before = wanted.and(before.or(now));
    Ok(())
}

/// The same, whatever was before.
pub(super) fn move_to(cpus: &Cpus) -> Result<(), Line> {
    process::move_to(cpus).map_err(|error| {
        let none = error == Errno::EINVAL;
        let error = if none { "none of them may be used here".to_string() } else { error.to_string() };
        Line::NoAffinity { cpus: cpus.to_string(), error }
    })
}

/// The pid file, the sockets' place in the poll, and the first programs.
fn begin(
    reactor: &mut Reactor,
    daemon: &mut Daemon,
    listeners: Vec<Listener>,
    host: &mut RealHost,
) -> Result<Option<PidFile>, String> {
    reactor.listen(listeners, host).map_err(|error| trouble("watch the servers", error))?;
    // Not before the fork to the background, which would undo it; and not undone unless it was done here.
    let wanted = daemon.world.config.daemon.subreaper;
    if wanted != reactor.subreaper {
        match process::be_subreaper(wanted) {
            Ok(()) => reactor.subreaper = wanted,
            Err(error) => say(daemon, Line::NoSubreaper { error: error.to_string() }, host),
        }
    }
    if let Err(line) = move_to_processors(daemon.world.config.daemon.cpu_affinity, &mut reactor.cpus_before) {
        say(daemon, line, host);
    }
    let path = daemon.world.config.daemon.pidfile.clone();
    let pid_file = PidFile::write(&path);
    match &pid_file {
        Ok(_) => say(daemon, Line::StartedSupervisor { pid: process::pid() }, host),
        Err(error) => {
            say(daemon, Line::NoPidFile { path: path.display().to_string() }, host);
            say(daemon, Line::WithoutPidFile { pid: process::pid(), error: error.to_string() }, host);
        }
    }
    daemon.begin(&mut Turn { now: clock::now(), host });
    reactor.turns = BURST_TURNS;
    Ok(pid_file.ok())
}
