//! A world without a system: processes that live and die when the test says so, on a clock that moves only when told.
//!
//! Every test of a rule that the pure core decides uses these. Nothing here forks, waits or sleeps.
#![allow(dead_code)]

pub mod one;
pub mod pools;

use std::rc::Rc;
use std::time::Duration;

use majordomo::base::key::Key;
use majordomo::base::value::Value;
use majordomo::base::words::{Channel, Exit, Fault, Pid, State};
use majordomo::config::spec::{
    Autorestart, ChannelSpec, Config, GroupKind, GroupSpec, InterfaceKind, InterfaceSpec, LogFile, ProcessSpec,
};
use majordomo::rpc::{self, Access, Answer, Reply, Waiting};
use majordomo::sim::clock::Clock;
use majordomo::sim::host::{Deed, SimHost};
use majordomo::world::life::Life;
use majordomo::world::process::Process;
use majordomo::world::{Turn, World};

/// Where the main log is.
pub const MAIN_LOG: &str = "/var/log/supervisord.log";

/// A pretended daemon without connections.
pub struct Rig {
    pub world: World,
    pub host: SimHost,
    pub clock: Clock,
    seen: usize,
}

/// How a call was answered.
pub enum Asked {
    Now(Result<Value, Fault>),
    Later(Waiting),
}

impl Rig {
    /// A daemon with these groups and with all three interfaces.
    pub fn new(groups: Vec<GroupSpec>) -> Rig {
        Rig::of(config(groups))
    }

    /// A daemon with one program `p` in a group of the same name.
    pub fn one(change: impl FnOnce(&mut ProcessSpec)) -> Rig {
        Rig::new(vec![solo(program("p", change))])
    }

    /// A daemon with this configuration.
    pub fn of(config: Config) -> Rig {
        let mut host = SimHost::new(1);
        for directory in ["/var/log", "/tmp"] {
            host.files.put_directory(directory);
        }
        let clock = Clock::default();
        host.now = clock.now().mono;
        let world = World::new(config, &mut Turn { now: clock.now(), host: &mut host });
        Rig { world: world.expect("a world"), host, clock, seen: 0 }
    }

    /// Does something at this moment, and checks what must always hold.
    pub fn turn<R>(&mut self, act: impl FnOnce(&mut World, &mut Turn<'_>) -> R) -> R {
        self.host.now = self.clock.now().mono;
        let result = act(&mut self.world, &mut Turn { now: self.clock.now(), host: &mut self.host });
        assert_eq!(self.world.check(), Ok(()));
        result
    }

    /// The end of a turn.
    pub fn settle(&mut self) {
        while self.turn(|world, turn| world.settle(turn)) {}
    }

    /// Starts what starts by itself.
    pub fn begin(&mut self) {
        self.turn(|world, turn| world.begin(turn));
        self.settle();
    }

    /// Time passes; every alarm on the way is served in its own turn.
    pub fn pass(&mut self, wait: Duration) {
        let end = self.clock.now().mono + wait;
        while let Some(at) = self.world.next_deadline().filter(|at| *at <= end) {
            self.clock.leap_to(at);
            self.turn(|world, turn| world.due(turn));
            self.settle();
        }
        self.clock.leap_to(end);
    }

    pub fn pass_secs(&mut self, secs: u64) {
        self.pass(Duration::from_secs(secs));
    }

    pub fn pass_ms(&mut self, ms: u64) {
        self.pass(Duration::from_millis(ms));
    }

    /// A process: `name`, or `group:name`.
    pub fn who(&self, name: &str) -> Key<Process> {
        let (group, process) = name.split_once(':').unwrap_or((name, name));
        self.world.find_member(group, process).unwrap_or_else(|| panic!("{name} is a process"))
    }

    pub fn process(&self, name: &str) -> &Process {
        self.world.processes.get(self.who(name)).expect("a process")
    }

    pub fn life(&self, name: &str) -> &Life {
        &self.process(name).life
    }

    pub fn state(&self, name: &str) -> State {
        self.process(name).state()
    }

    pub fn pid(&self, name: &str) -> Pid {
        self.life(name).pid().unwrap_or_else(|| panic!("{name} has a pid"))
    }

    /// The child of a process ends now.
    pub fn exit(&mut self, name: &str, exit: Exit) {
        let pid = self.pid(name);
        self.host.children.remove(&pid);
        self.turn(|world, turn| world.reaped(pid, exit, turn));
        self.settle();
    }

    /// The child of a process ends with a status.
    pub fn exit_code(&mut self, name: &str, code: i32) {
        self.exit(name, Exit::Code(code));
    }

    /// The child of a process ends by a signal.
    pub fn die(&mut self, name: &str, signal: i32) {
        self.exit(name, Exit::Signal { signal, core: false });
    }

    /// The child of a process prints.
    pub fn print(&mut self, name: &str, channel: Channel, bytes: &[u8]) {
        let who = self.who(name);
        self.turn(|world, turn| world.printed(who, channel, bytes, turn));
    }

    /// Calls a method.
    pub fn ask(&mut self, method: &str, mut params: Vec<Value>) -> Asked {
        let answer = self.turn(|world, turn| rpc::call(world, turn, Access::Full, method, &mut params));
        self.settle();
        match answer {
            Answer::Now(result) => {
                let value = |reply: Reply| self.turn(|world, turn| reply.into_value(world, turn));
                Asked::Now(result.map(value))
            }
            Answer::Later(waiting) => Asked::Later(waiting),
        }
    }

    /// Calls a method that answers at once.
    pub fn call(&mut self, method: &str, params: Vec<Value>) -> Result<Value, Fault> {
        match self.ask(method, params) {
            Asked::Now(result) => result,
            Asked::Later(_) => panic!("{method} waits"),
        }
    }

    /// Calls a method that answers at once and well.
    pub fn get(&mut self, method: &str, params: Vec<Value>) -> Value {
        self.call(method, params).unwrap_or_else(|fault| panic!("{method}: {fault:?}"))
    }

    /// Calls a method that answers at once with a fault.
    pub fn fault(&mut self, method: &str, params: Vec<Value>) -> (i32, String) {
        match self.call(method, params) {
            Ok(value) => panic!("{method} gave {value:?}"),
            Err(fault) => (fault.code, fault.text),
        }
    }

    /// Calls a method that answers later.
    pub fn wait(&mut self, method: &str, params: Vec<Value>) -> Waiting {
        match self.ask(method, params) {
            Asked::Later(waiting) => waiting,
            Asked::Now(result) => panic!("{method} answers at once: {result:?}"),
        }
    }

    /// Asks for an answer that comes later.
    pub fn poll(&mut self, waiting: &mut Waiting) -> Option<Result<Value, Fault>> {
        let answer = self.turn(|world, turn| waiting.poll(world, turn));
        self.settle();
        answer
    }

    /// The whole main log, a line each without its date: `INFO spawned: 'p' with pid 1001`.
    pub fn log(&self) -> Vec<String> {
        let bytes = self.host.files.text(MAIN_LOG).unwrap_or_default();
        let text = String::from_utf8(bytes.to_vec()).expect("a main log in UTF-8");
        // A line begins with a date of 23 characters and a blank.
        text.lines().map(|line| line.get(24..).unwrap_or(line).to_string()).collect()
    }

    /// What the main log says since this was last asked.
    pub fn news(&mut self) -> Vec<String> {
        let log = self.log();
        let news = log[self.seen.min(log.len())..].to_vec();
        self.seen = log.len();
        news
    }

    /// Signals sent since this was last asked: to whom, and which.
    pub fn kills(&mut self) -> Vec<(Pid, i32)> {
        let deeds = std::mem::take(&mut self.host.deeds);
        let killed = |deed| match deed {
            Deed::Killed { pid, signal, .. } => Some((pid, signal)),
            Deed::Spawned { .. } => None,
        };
        deeds.into_iter().filter_map(killed).collect()
    }

    /// Names of the processes spawned so far, in order: the main log tells.
    pub fn spawned(&self) -> Vec<String> {
        let name = |line: &String| Some(line.strip_prefix("INFO spawned: '")?.split('\'').next()?.to_string());
        self.log().iter().filter_map(name).collect()
    }
}

/// A program that runs until it is told to end; `change` makes it another.
pub fn program(name: &str, change: impl FnOnce(&mut ProcessSpec)) -> ProcessSpec {
    let channel = || ChannelSpec {
        logfile: LogFile::None,
        maxbytes: 50 << 20,
        backups: 10,
        capture_maxbytes: 0,
        events: false,
        syslog: false,
    };
    let mut spec = ProcessSpec {
        name: name.to_string(),
        command: "/bin/steady".to_string(),
        user: None,
        directory: None,
        umask: None,
        cpu_affinity: None,
        priority: 999,
        autostart: true,
        autorestart: Autorestart::Unexpected,
        startsecs: 1,
        startretries: 3,
        exitcodes: vec![0],
        stopsignal: 15,
        stopwaitsecs: 10,
        stopasgroup: false,
        killasgroup: false,
        redirect_stderr: false,
        channels: [channel(), channel()],
        environment: Vec::new(),
        serverurl: None,
        socket: None,
    };
    change(&mut spec);
    spec
}

/// A program as it comes.
pub fn plain(name: &str) -> ProcessSpec {
    program(name, |_| {})
}

/// A program that does not start by itself.
pub fn idle(name: &str) -> ProcessSpec {
    program(name, |spec| spec.autostart = false)
}

/// A program alone in a group of its name.
pub fn solo(spec: ProcessSpec) -> GroupSpec {
    group(&spec.name.clone(), 999, vec![spec])
}

pub fn group(name: &str, priority: i64, members: Vec<ProcessSpec>) -> GroupSpec {
    let processes = members.into_iter().map(Rc::new).collect();
    GroupSpec { name: name.to_string(), priority, kind: GroupKind::Plain, processes }
}

/// The part of a configuration that all tests share.
const BASE: &str = "
[supervisord]
logfile=/var/log/supervisord.log
logfile_maxbytes=0
loglevel=debug
pidfile=/var/log/supervisord.pid
nodaemon=true
silent=true
childlogdir=/tmp
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
";

/// A configuration with everything in the main log, and all three interfaces.
pub fn config(groups: Vec<GroupSpec>) -> Config {
    let interface = |namespace: &str, kind| InterfaceSpec { namespace: namespace.to_string(), kind };
    let interfaces = vec![
        interface("supervisor", InterfaceKind::Main),
        interface("twiddler", twiddler("0.1", &[])),
        interface("cache", InterfaceKind::Cache { any: false, max_bytes: None }),
    ];
    Config { groups, interfaces, ..read("").expect("a sound configuration") }
}

/// A configuration from the text of a file, behind the part that all share.
pub fn read(text: &str) -> Result<Config, Vec<String>> {
    majordomo::sim::setup::read("/etc/s.conf", &format!("{BASE}{text}"))
}

pub fn twiddler(api_version: &str, whitelist: &[&str]) -> InterfaceKind {
    let whitelist = whitelist.iter().map(|name| name.to_string()).collect();
    InterfaceKind::Twiddler { api_version: api_version.to_string(), whitelist }
}

/// Short for a string value.
pub fn s(text: &str) -> Value {
    Value::str(text)
}

pub fn i(number: i64) -> Value {
    Value::Int(number)
}

pub fn b(truth: bool) -> Value {
    Value::Bool(truth)
}

pub fn a(items: Vec<Value>) -> Value {
    Value::Array(items)
}

pub fn st(members: &[(&str, Value)]) -> Value {
    Value::Struct(members.iter().map(|(name, value)| (name.to_string(), value.clone())).collect())
}

/// An entry of an array of results (RPC-060).
pub fn entry(group: &str, name: &str, status: i64, description: &str) -> Value {
    st(&[("name", s(name)), ("group", s(group)), ("status", i(status)), ("description", s(description))])
}

/// An entry of an array of results that went well.
pub fn done(group: &str, name: &str) -> Value {
    entry(group, name, 80, "OK")
}

/// `true` as an answer.
pub fn yes() -> Value {
    Value::Bool(true)
}

/// The member of a struct.
pub fn field(value: &Value, name: &str) -> Value {
    value.member(name).unwrap_or_else(|| panic!("{value:?} has {name}")).clone()
}

/// The texts of an array.
pub fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().map(|item| item.as_text().expect("a text").to_string()).collect(),
        other => panic!("{other:?} is no array"),
    }
}
