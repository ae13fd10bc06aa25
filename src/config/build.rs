//! From sections to groups: programs and their processes, heterogeneous groups, event listeners, FastCGI programs
//! (CFG-120 to CFG-158).

use std::rc::Rc;

use crate::base::events::{self, Kinds};
use crate::base::limits;
use crate::base::maps::ByName;
use crate::base::order;
use crate::base::text::nearest;
use crate::base::words::Level;
use crate::config::error::{ConfigError, Report, Reported};
use crate::config::ini::{Ini, Section, is_space};
use crate::config::kinds::{self, LogChoice};
use crate::config::program_keys::{
    GroupKeys, ListenerKeys, ListenerRedirect, OwnGroupKeys, ProcessKeys, ProgramKeys, SocketKeys,
};
use crate::config::reader::{Context, Names, Reader};
use crate::config::spec::{
    Bound, ChannelSpec, FastCgiSpec, GroupKind, GroupSpec, LogFile, PoolSpec, ProcessSpec, ResultHandler,
};
use crate::config::table::PROCESS;
use crate::config::{environment, paths};

/// Builds groups from sections.
pub struct Builder<'a> {
    /// The sections.
    pub ini: &'a Ini,
    /// What values may refer to.
    pub context: &'a Context,
    /// Where mistakes and warnings go.
    pub report: &'a mut Report,
}

impl<'a> Builder<'a> {
    /// All groups, in the order of CFG-157, with unique names (CFG-158). Sections with mistakes are left out.
    pub fn groups(&mut self) -> Vec<GroupSpec> {
        let ini = self.ini;
        let mut groups = Vec::new();
        let mut listed = ByName::default();
        for (section, name) in starting(ini, "group:") {
            groups.extend(self.group(section, name, &mut listed));
        }
        let alone = |section: &Section| listed.get(&section.name).is_none();
        for (section, name) in starting(ini, "program:").filter(|(section, _)| alone(section)) {
            groups.extend(self.own_group(section, name));
        }
        for (section, name) in starting(ini, "eventlistener:") {
            groups.extend(self.pool(section, name));
        }
        for (section, name) in starting(ini, "fcgi-program:").filter(|(section, _)| alone(section)) {
            groups.extend(self.fcgi_group(section, name));
        }
        order::sort_by(&mut groups, |a, b| (a.priority, &a.name).cmp(&(b.priority, &b.name)));
        self.unique(groups)
    }

    /// Only the first group of each name stays (CFG-158).
    fn unique(&mut self, groups: Vec<GroupSpec>) -> Vec<GroupSpec> {
        let mut kept: Vec<GroupSpec> = Vec::with_capacity(groups.len());
        let mut names = ByName::default();
        for group in groups {
            if names.insert(group.name.clone(), ()).is_none() {
                kept.push(group);
            } else {
                let text =
                    format!("Two groups are named {}; the one with the higher priority number is ignored", group.name);
                let named =
                    |section: &&Section| section.name.split_once(':').is_some_and(|(_, name)| name == group.name);
                let at = self.ini.sections().iter().rev().find(named).map(|section| &section.at);
                self.report.notice(Level::Warn, text, at);
            }
        }
        kept
    }

    fn reader(&mut self, section: &'a Section) -> Reader<'_> {
        Reader::new(self.ini, section, self.context, self.report)
    }

    fn checked_name(&mut self, section: &'a Section, name: &str) -> Result<String, Reported> {
        let around = &*self.context.around;
        kinds::name(name, around).map_err(|wrong| self.reader(section).fail("", wrong))
    }

    /// `[group:x]` (CFG-150, CFG-151).
    fn group(&mut self, section: &'a Section, name: &str, listed: &mut ByName<()>) -> Result<GroupSpec, Reported> {
        let name = self.checked_name(section, name);
        let keys = GroupKeys::read(&mut self.reader(section));
        let (name, keys) = (name?, keys?);
        let mut processes = Vec::new();
        let mut wrong = None;
        for member in &keys.programs {
            let program = self.ini.section(&format!("program:{member}"));
            let fcgi = self.ini.section(&format!("fcgi-program:{member}"));
            for section in program.iter().chain(&fcgi) {
                listed.insert(section.name.clone(), ());
            }
            let made = match (program, fcgi) {
                (Some(program), None) => self.processes(program, &name, None),
                (None, Some(fcgi)) => match self.socket(fcgi) {
                    Ok((_, socket)) => self.processes(fcgi, &name, Some(Rc::new(socket))),
                    Err(reported) => Err(reported),
                },
                (Some(_), Some(_)) => {
                    let text =
                        format!("[{}] name {member} is ambiguous (exists as program and fcgi-program)", section.name);
                    Err(self.reader(section).fail("programs", text))
                }
                (None, None) => {
                    let known = self.ini.sections().iter().filter_map(|section| {
                        section.name.strip_prefix("program:").or_else(|| section.name.strip_prefix("fcgi-program:"))
                    });
                    let hint = nearest(member, known).map_or(String::new(), |name| format!("did you mean '{name}'?"));
                    let text = format!("[{}] names unknown program or fcgi-program {member}", section.name);
                    Err(self.reader(section).fail_with("programs", text, hint))
                }
            };
            match made {
                Ok(made) => processes.extend(made),
                Err(reported) => wrong = Some(reported),
            }
        }
        let processes = self.unique_processes(&name, processes);
        wrong.map_or(Ok(GroupSpec { name, priority: keys.priority, kind: GroupKind::Plain, processes }), Err)
    }

    /// `[program:x]` by itself.
    fn own_group(&mut self, section: &'a Section, name: &str) -> Result<GroupSpec, Reported> {
        let name = self.checked_name(section, name)?;
        let keys = OwnGroupKeys::read(&mut self.reader(section));
        let processes = self.processes(section, &name, None)?;
        Ok(GroupSpec { name, priority: keys?.priority, kind: GroupKind::Plain, processes })
    }

    /// `[eventlistener:x]` (CFG-152 to CFG-154).
    fn pool(&mut self, section: &'a Section, name: &str) -> Result<GroupSpec, Reported> {
        let keys = ListenerKeys::read(&mut self.reader(section))?;
        let mut from = self.reader(section);
        let mut fine = Ok(());
        if let Some(size) = keys.buffer_size.filter(|size| *size < 1) {
            let text = format!("[{}] section sets invalid buffer_size ({size})", section.name);
            fine = Err(from.fail("buffer_size", text));
        }
        if keys.buffer_bytes == Some(0) {
            let text = format!("[{}] section sets invalid buffer_bytes (0)", section.name);
            fine = Err(from.fail("buffer_bytes", text));
        }
        let bound = match (keys.buffer_bytes, keys.buffer_size) {
            (Some(bytes), _) => Bound::Bytes(bytes),
            (None, None) => Bound::Bytes(limits::EVENT_BYTES),
            (None, Some(size)) => Bound::Count(size.unsigned_abs()),
        };
        let handler = ResultHandler::named(&keys.result_handler);
        if handler.is_none() {
            let text = format!("{} cannot be resolved within [{}]", keys.result_handler, section.name);
            let hint = format!("built in are {}", ResultHandler::TABLE.map(|row| row.1).join(", "));
            fine = Err(from.fail_with("result_handler", text, hint));
        }
        let mut events: Vec<String> = keys.events.iter().map(|event| event.to_ascii_uppercase()).collect();
        if events.is_empty() {
            fine = Err(from.missing("events", format!("[{}] section requires an \"events\" line", section.name)));
        }
        let mut kinds = Kinds::default();
        for event in &events {
            let Some(known) = Kinds::of(event) else {
                let hint = nearest(event, events::names());
                let hint = hint.map_or(String::new(), |name| format!("did you mean '{name}'?"));
                let text = format!("Unknown event type {event} in [{}] events", section.name);
                fine = Err(from.fail_with("events", text, hint));
                continue;
            };
            kinds = kinds.and(known);
        }
        order::sort(&mut events);
        events.dedup();
        if ListenerRedirect::read(&mut from)?.redirect_stderr {
            let text = format!(
                "[{}] section sets redirect_stderr=true but this is not allowed because it will interfere with the \
                 eventlistener protocol",
                section.name
            );
            fine = Err(from.fail("redirect_stderr", text));
        }
        let processes = self.processes(section, name, None)?;
        fine?;
        let result_handler = handler.ok_or(Reported)?;
        let (len_unit, exit_status) = (keys.len_unit, keys.exit_status_in_events);
        let kind = GroupKind::Pool(PoolSpec { events, kinds, bound, result_handler, len_unit, exit_status });
        // upstream: CFG-060: the pool's name is taken as it is, only its processes' names are trimmed.
        Ok(GroupSpec { name: name.to_string(), priority: keys.priority, kind, processes })
    }

    /// `[fcgi-program:x]` by itself.
    fn fcgi_group(&mut self, section: &'a Section, name: &str) -> Result<GroupSpec, Reported> {
        let name = self.checked_name(section, name)?;
        let keys = OwnGroupKeys::read(&mut self.reader(section));
        let (_, socket) = self.socket(section)?;
        let processes = self.processes(section, &name, Some(Rc::new(socket.clone())))?;
        Ok(GroupSpec { name, priority: keys?.priority, kind: GroupKind::FastCgi(socket), processes })
    }

    /// The socket of a FastCGI program, and the program's name (CFG-155, CFG-156).
    fn socket(&mut self, section: &'a Section) -> Result<(String, FastCgiSpec), Reported> {
        let (_, name) = section.name.split_once(':').unwrap_or_default();
        let name = self.checked_name(section, name)?;
        let around = &*self.context.around;
        let context = self.context;
        let mut from = self.reader(section);
        from.names = Names { program: Some((&name, &name)), ..Names::common(context) };
        let keys = SocketKeys::read(&mut from)?;
        let mut fine = Ok(());
        let backlog = match keys.socket_backlog.map(|backlog| (backlog, u16::try_from(backlog))) {
            None => None,
            Some((_, Ok(backlog))) if backlog > 0 => Some(u32::from(backlog)),
            Some((backlog, _)) => {
                fine = Err(from.fail("socket_backlog", format!("Invalid socket_backlog value {backlog}")));
                None
            }
        };
        let owner = keys.socket_owner.as_ref().map(|text| {
            let wrong = |_| from.fail("socket_owner", format!("Invalid socket_owner value {text}"));
            kinds::owner(text, around).map_err(wrong)
        });
        let mode = keys.socket_mode.as_ref().map(|text| {
            let wrong = |_| from.fail("socket_mode", format!("Invalid socket_mode value {text}"));
            kinds::octal(text, around).map_err(wrong)
        });
        let (owner, mode) = (owner.transpose(), mode.transpose());
        let Some(text) = keys.socket.filter(|text| !text.is_empty()) else {
            return Err(from.missing("socket", format!("[{}] section requires a \"socket\" line", section.name)));
        };
        let wrong = |what: &str| format!("{what} in [{}] socket", section.name);
        let url = if let Some(path) = text.strip_prefix("unix://") {
            if !path.starts_with('/') {
                return Err(from.fail("socket", wrong(&format!("Unix socket path {path} is not an absolute path"))));
            }
            format!("unix://{}", paths::normal(path))
        } else if keys.socket_owner.is_some() || keys.socket_mode.is_some() {
            let what = "socket_owner and socket_mode params should only be used with a Unix domain socket";
            return Err(from.fail("socket", wrong(what)));
        } else if let Some((host, port)) = tcp_address(&text) {
            let port = kinds::port(port, around).map_err(|what| from.fail("socket", wrong(&what)))?;
            format!("tcp://{host}:{port}")
        } else {
            return Err(from.fail("socket", wrong(&format!("Bad socket format {text}"))));
        };
        // The socket belongs to whom the program runs as (CFG-156).
        let of_user = match keys.user {
            Some(user) if url.starts_with("unix://") && user.uid != around.uid() => {
                Some((user.uid.into(), user.gid.into()))
            }
            _ => None,
        };
        fine?;
        Ok((name, FastCgiSpec { url, backlog, owner: owner?.or(of_user), mode: mode?.unwrap_or(0o700) }))
    }

    /// The processes of a program (CFG-120 to CFG-146), sorted as CFG-157 says.
    pub fn processes(
        &mut self,
        section: &'a Section,
        group: &str,
        socket: Option<Rc<FastCgiSpec>>,
    ) -> Result<Vec<Rc<ProcessSpec>>, Reported> {
        let (_, name) = section.name.split_once(':').unwrap_or_default();
        let context = self.context;
        let mut from = self.reader(section);
        from.suffixed = true;
        let name = kinds::name(name, &*context.around).map_err(|wrong| from.fail("", wrong))?;
        from.names = Names { program: Some((&name, group)), ..Names::common(context) };
        let Ok(program) = ProgramKeys::read(&mut from) else {
            // There will be no process, but its keys may have mistakes too.
            let names = Names { process: Some((0, 1)), ..from.names.clone() };
            let environment = from.ini.get(section, "environment").map_or("", |setting| &setting.value);
            let _ = process_keys(&mut from, names, environment);
            return Err(Reported);
        };
        let killasgroup = program.killasgroup.unwrap_or(program.stopasgroup);
        let mut fine = Ok(());
        if program.numprocs > 1 && !program.process_name.contains("%(process_num)") {
            let text = "%(process_num) must be present within process_name when numprocs > 1";
            fine = Err(from.fail("numprocs", text));
        }
        if program.numprocs > limits::PROCESSES {
            let text = format!("{} is above upper bound ({})", program.numprocs, limits::PROCESSES);
            fine = Err(from.fail("numprocs", text));
        }
        if program.stopasgroup && !killasgroup {
            fine = Err(from.fail("killasgroup", "Cannot set stopasgroup=true and killasgroup=false"));
        }
        fine?;
        let mut processes = Vec::new();
        for number in 0..program.numprocs {
            let number = program.numprocs_start.saturating_add(number);
            let names = Names { process: Some((number, program.numprocs)), ..from.names.clone() };
            processes.push(Rc::new(process(&mut from, names, &program, killasgroup, socket.clone())?));
        }
        // All have one priority.
        order::sort_by(&mut processes, |a, b| a.name.cmp(&b.name));
        Ok(self.unique_processes(group, processes))
    }

    /// Of processes with one name, the last stays (BUG-056).
    fn unique_processes(&mut self, group: &str, processes: Vec<Rc<ProcessSpec>>) -> Vec<Rc<ProcessSpec>> {
        let mut places: ByName<usize> = ByName::default();
        let mut kept: Vec<Rc<ProcessSpec>> = Vec::with_capacity(processes.len());
        for process in processes {
            match places.get(&process.name) {
                None => {
                    places.insert(process.name.clone(), kept.len());
                    kept.push(process);
                }
                Some(place) => {
                    let text =
                        format!("Two processes of group {group} are named {}; the last one is taken", process.name);
                    let at = self.ini.section(&format!("group:{group}")).map(|section| &section.at);
                    self.report.notice(Level::Warn, text, at);
                    kept[*place] = process;
                }
            }
        }
        kept
    }
}

/// Sections whose name starts so, with the rest of it.
fn starting<'a>(ini: &'a Ini, start: &'static str) -> impl Iterator<Item = (&'a Section, &'a str)> + use<'a> {
    ini.sections().iter().filter_map(move |section| Some((section, section.name.strip_prefix(start)?)))
}

/// Host, in lower case, and port of `tcp://host:port`.
fn tcp_address(url: &str) -> Option<(String, &str)> {
    let (host, port) = url.strip_prefix("tcp://")?.split_once(':')?;
    let digits = !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
    (digits && !host.is_empty() && !host.contains(is_space)).then(|| (host.to_ascii_lowercase(), port))
}

/// The keys of one process, with its own variables and its name's names.
fn process_keys(
    from: &mut Reader<'_>,
    names: Names<'_>,
    environment: &str,
) -> Result<(Vec<(String, String)>, ProcessKeys), Reported> {
    let mut from =
        Reader { ini: from.ini, section: from.section, names, report: from.report, suffixed: true, overrides: &[] };
    let text = from.expand(environment, "environment", "environment", PROCESS)?;
    let own = environment::parse(&text).map_err(|wrong| from.fail("environment", wrong))?;
    let mut from = Reader { names: Names { own: &own, ..from.names.clone() }, ..from };
    let keys = ProcessKeys::read(&mut from);
    if keys.as_ref().is_ok_and(|keys| keys.command.is_none()) {
        let text = format!("program section {} does not specify a command", from.section.name);
        return Err(from.missing("command", text));
    }
    keys.map(|keys| (own, keys))
}

/// One process.
fn process(
    from: &mut Reader<'_>,
    names: Names<'_>,
    program: &ProgramKeys,
    killasgroup: bool,
    socket: Option<Rc<FastCgiSpec>>,
) -> Result<ProcessSpec, Reported> {
    let context = names.context;
    let (own, keys) = process_keys(from, names.clone(), &program.environment)?;
    let mut from = Reader {
        ini: from.ini,
        section: from.section,
        names: Names { own: &own, ..names },
        report: from.report,
        suffixed: true,
        overrides: &[],
    };
    let name = from.expand(&program.process_name, "process_name", "process_name", PROCESS)?;
    let stdout = ChannelSpec {
        logfile: LogFile::None,
        maxbytes: keys.stdout_logfile_maxbytes,
        backups: keys.stdout_logfile_backups,
        capture_maxbytes: program.stdout_capture_maxbytes,
        events: program.stdout_events_enabled,
        syslog: keys.stdout_syslog,
    };
    let stderr = ChannelSpec {
        logfile: LogFile::None,
        maxbytes: keys.stderr_logfile_maxbytes,
        backups: keys.stderr_logfile_backups,
        capture_maxbytes: program.stderr_capture_maxbytes,
        events: program.stderr_events_enabled,
        syslog: keys.stderr_syslog,
    };
    let stdout = with_log(&mut from, "stdout", stdout, keys.stdout_logfile);
    let mut stderr = with_log(&mut from, "stderr", stderr, keys.stderr_logfile);
    if program.redirect_stderr {
        if matches!(stderr.logfile, LogFile::Path(_)) {
            let text = format!(
                "For [{}], redirect_stderr=true but stderr_logfile has also been set to a filename, the filename has \
                 been ignored",
                from.section.name
            );
            from.notice("stderr_logfile", text);
        }
        stderr.logfile = LogFile::None;
    }
    Ok(ProcessSpec {
        name,
        command: keys.command.unwrap_or_default(),
        user: program.user.clone(),
        directory: keys.directory,
        umask: program.umask,
        cpu_affinity: keys.cpu_affinity.map(Rc::new),
        priority: program.priority,
        autostart: program.autostart,
        autorestart: program.autorestart,
        startsecs: program.startsecs,
        startretries: program.startretries,
        exitcodes: program.exitcodes.clone(),
        stopsignal: program.stopsignal,
        stopwaitsecs: program.stopwaitsecs,
        stopasgroup: program.stopasgroup,
        killasgroup,
        redirect_stderr: program.redirect_stderr,
        channels: [stdout, stderr],
        environment: environment::merge(&context.environment, &own),
        serverurl: program.serverurl.clone(),
        socket,
    })
}

/// Gives an output stream its log, with the warnings that belong to it (CFG-122, CFG-123).
fn with_log(from: &mut Reader<'_>, name: &str, channel: ChannelSpec, choice: LogChoice) -> ChannelSpec {
    let section = &from.section.name;
    match choice {
        LogChoice::Syslog => {
            let text = format!(
                "For [{section}], {name}_logfile=syslog but this is deprecated and will be removed.  Use \
                 {name}_syslog=true to enable syslog instead."
            );
            from.notice(&format!("{name}_logfile"), text);
            ChannelSpec { logfile: LogFile::None, syslog: true, ..channel }
        }
        LogChoice::File(logfile) => {
            if logfile == LogFile::Auto && channel.maxbytes == 0 {
                let text = format!(
                    "For [{section}], AUTO logging used for {name}_logfile without rollover, set maxbytes > 0 to avoid \
                     filling up filesystem unintentionally"
                );
                from.notice(&format!("{name}_logfile_maxbytes"), text);
            }
            ChannelSpec { logfile, ..channel }
        }
    }
}

/// Reads a program that no file has (TWID-051 to TWID-054). Mistakes have Supervisor's messages with their suffix.
pub fn read_program(
    name: &str,
    options: &[(String, String)],
    group: &str,
    context: &Context,
) -> Result<Vec<Rc<ProcessSpec>>, Vec<ConfigError>> {
    let place = crate::config::error::Place { file: context.file.clone(), line: 0 };
    let mut section = Section::new(&format!("program:{name}"), place.clone());
    for (key, value) in options {
        let setting = crate::config::ini::Setting { value: value.clone(), at: place.clone() };
        section.settings.insert(key.to_ascii_lowercase(), setting);
    }
    let mut report = Report::default();
    let ini = Ini::new();
    let made = Builder { ini: &ini, context, report: &mut report }.processes(&section, group, None);
    made.map_err(|Reported| report.into_errors())
}
