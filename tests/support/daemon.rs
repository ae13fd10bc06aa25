//! A daemon in a folder of its own, with everything it starts. Dropping it ends them all, orphans included, and shows
//! its log if the test has failed. It speaks to the daemon only as a client does.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use majordomo::base::value::Value;

use super::http::{Address, Client, Reply};
use super::xmlrpc::{self, Answer};
use super::{Folder, free_port, proc, wait_for, wait_until};

/// A running daemon.
pub struct Daemon {
    setup: Setup,
    process: Child,
}

/// A folder with a configuration, before the daemon is started.
pub struct Setup {
    folder: Folder,
    config: String,
    port: u16,
    spare_port: u16,
    settings: Vec<(String, String)>,
    args: Vec<String>,
    prefix: Vec<String>,
    program: PathBuf,
    addresses: Vec<Address>,
    /// The daemon is to have bugs.
    buggy: bool,
}

/// What the main log says of a panic.
const BUG: &str = "this is a bug of supervisord";

impl Setup {
    /// The configuration; `@DIR@`, `@PORT@` and `@SPARE@` stand for the folder, the port and a second free port.
    pub fn new(config: &str) -> Setup {
        let mut setup = Setup {
            folder: Folder::new(),
            config: String::new(),
            port: free_port(),
            spare_port: free_port(),
            settings: Vec::new(),
            args: Vec::new(),
            prefix: Vec::new(),
            program: super::supervisord(),
            addresses: Vec::new(),
            buggy: false,
        };
        std::fs::create_dir(setup.folder.path().join("tmp")).expect("a folder for passing files");
        setup.configure(config);
        setup
    }

    /// Puts another configuration in its place.
    pub fn configure(&mut self, config: &str) {
        self.config = config
            .replace("@DIR@", &self.folder.path().to_string_lossy())
            .replace("@PORT@", &self.port.to_string())
            .replace("@SPARE@", &self.spare_port.to_string());
        std::fs::write(self.folder.path().join("sd.conf"), &self.config).expect("the configuration");
        self.addresses = self.addresses_in_config();
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// An environment variable for the daemon.
    pub fn env(mut self, name: &str, value: &str) -> Setup {
        self.settings.push((name.to_string(), value.to_string()));
        self
    }

    /// More words for its command line.
    pub fn args(mut self, args: &[&str]) -> Setup {
        self.args.extend(args.iter().map(|arg| arg.to_string()));
        self
    }

    /// Starts it by way of another program, given with its arguments.
    pub fn through(mut self, words: &[&str]) -> Setup {
        self.prefix = words.iter().map(|word| word.to_string()).collect();
        self
    }

    /// A daemon that panics is what the test wants; any other test fails then.
    pub fn buggy(mut self) -> Setup {
        self.buggy = true;
        self
    }

    /// Another program than the tested one.
    pub fn program(mut self, path: PathBuf) -> Setup {
        self.program = path;
        self
    }

    /// A file beside the configuration.
    pub fn file(self, name: &str, text: &str) -> Setup {
        std::fs::write(self.folder.path().join(name), text).expect("a file");
        self
    }

    /// The daemon's command, with an environment of its own.
    pub fn command(&self) -> Command {
        let mut command = self.background_command();
        command.arg("-n");
        command
    }

    /// The same for the background.
    pub fn background_command(&self) -> Command {
        let folder = self.folder.path();
        let mut words = self.prefix.iter().map(OsString::from).chain([self.program.clone().into()]);
        let mut command = Command::new(words.next().expect("a program"));
        command
            .args(words)
            .arg("-c")
            .arg(folder.join("sd.conf"))
            .args(&self.args)
            .current_dir(folder)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", folder)
            .env("TMPDIR", folder.join("tmp"))
            .envs([("LANG", "C.UTF-8"), ("LC_ALL", "C.UTF-8"), ("TZ", "UTC"), ("USER", "tester")])
            .env("MAJORDOMO_TEST", folder)
            .envs(self.settings.iter().cloned())
            .stdin(Stdio::null());
        command
    }

    /// To be kept as long as something that was started here by other means than [`Setup::start`] may run.
    pub fn guard(&self) -> Guard {
        Guard(format!("MAJORDOMO_TEST={}", self.path().display()))
    }

    /// Runs a daemon that isn't expected to serve: one that refuses its configuration. Gives status, output, errors.
    pub fn run(&self) -> (Option<i32>, String, String) {
        let done = self.command().output().expect("the daemon's program");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (done.status.code(), text(&done.stdout), text(&done.stderr))
    }

    /// Starts it and waits until all its servers take connections.
    pub fn start(self) -> Daemon {
        let process = self.spawn();
        let mut daemon = Daemon { setup: self, process };
        daemon.wait_until_ready();
        daemon
    }

    /// Starts it and waits for nothing.
    pub fn start_at_once(self) -> Daemon {
        let process = self.spawn();
        Daemon { setup: self, process }
    }

    /// The port that stands for `@PORT@`.
    pub fn port(&self) -> u16 {
        self.port
    }

    fn spawn(&self) -> Child {
        // In append mode, because a program may write there too.
        let mut options = std::fs::OpenOptions::new();
        options.create(true).append(true);
        let output = |name: &str| options.open(self.path().join(name)).expect("a file for its output");
        let mut command = self.command();
        command.stdout(output("daemon.out")).stderr(output("daemon.err"));
        command.spawn().unwrap_or_else(|problem| panic!("{}: {problem}", self.program.display()))
    }

    /// The unix socket first, if there is one.
    fn addresses_in_config(&self) -> Vec<Address> {
        let mut found = Vec::new();
        let mut section = "";
        for line in self.config.lines() {
            match (section, line.split_once('=')) {
                _ if line.starts_with('[') => section = line.trim(),
                ("[unix_http_server]", Some(("file", path))) => {
                    let path = path.trim().replace("%(here)s", &self.folder.path().to_string_lossy());
                    found.insert(0, Address::Unix(PathBuf::from(path)));
                }
                ("[inet_http_server]", Some(("port", _))) => found.push(Address::port(self.port)),
                _ => {}
            }
        }
        found
    }
}

/// Ends, when it goes, everything that was started in a folder: daemons in the background, and what a test that failed
/// left behind.
pub struct Guard(String);

impl Drop for Guard {
    fn drop(&mut self) {
        // Twice, since a daemon may have started something meanwhile.
        for signal in ["STOP", "KILL", "KILL"] {
            proc::send(&proc::marked(&self.0), signal);
        }
    }
}

impl Daemon {
    /// A daemon with this configuration (see [`Setup::new`]).
    pub fn start(config: &str) -> Daemon {
        Setup::new(config).start()
    }

    fn wait_until_ready(&mut self) {
        for address in self.setup.addresses.clone() {
            wait_until("the daemon's servers", 20, || {
                if let Ok(Some(status)) = self.process.try_wait() {
                    panic!("the daemon ended at once: {status}");
                }
                Client::connect(&address).is_ok()
            });
        }
    }

    /// Starts it once more where it has ended.
    pub fn start_again(&mut self) {
        self.process = self.setup.spawn();
        self.wait_until_ready();
    }

    /// Puts another configuration in place of the one it was started with; it isn't told.
    pub fn configure(&mut self, config: &str) {
        self.setup.configure(config);
    }

    /// The port of its TCP server, if it has one.
    pub fn port(&self) -> u16 {
        self.setup.port
    }

    /// The second free port.
    pub fn spare_port(&self) -> u16 {
        self.setup.spare_port
    }

    /// Its folder.
    pub fn path(&self) -> &Path {
        self.setup.path()
    }

    /// A file in its folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// The text of a file in its folder; empty if there is none.
    pub fn text(&self, name: &str) -> String {
        String::from_utf8_lossy(&std::fs::read(self.file(name)).unwrap_or_default()).into_owned()
    }

    /// Its configuration file.
    pub fn config(&self) -> PathBuf {
        self.file("sd.conf")
    }

    /// Its process id.
    pub fn pid(&self) -> i64 {
        self.process.id().into()
    }

    /// Its main log.
    pub fn log(&self) -> String {
        self.text("supervisord.log")
    }

    /// The messages of the main log: level and text, without the time.
    pub fn messages(&self) -> Vec<String> {
        self.log().lines().map(|line| line.get(24..).unwrap_or(line).to_string()).collect()
    }

    /// Waits until a line of the main log has `text`.
    pub fn wait_for_log(&self, text: &str) {
        wait_until(&format!("{text:?} in the log"), 20, || self.log().contains(text));
    }

    /// The address of its unix server, or of the one it has.
    pub fn address(&self) -> &Address {
        self.setup.addresses.first().expect("a server")
    }

    /// All addresses.
    pub fn addresses(&self) -> &[Address] {
        &self.setup.addresses
    }

    /// A new connection.
    pub fn connect(&self) -> Client {
        Client::connect(self.address()).expect("a connection")
    }

    /// A new connection, unless the servers are closed, as during a reload.
    pub fn connect_if_it_listens(&self) -> Option<Client> {
        Client::connect(self.address()).ok()
    }

    /// One request on a new connection.
    pub fn ask(&self, request: &[u8]) -> Reply {
        self.connect().ask(request).expect("an answer")
    }

    /// One call on a new connection; a fault is status 200 too (HTTP-151, RPC-207).
    pub fn try_call(&self, method: &str, params: &[Value]) -> Answer {
        let reply = self.ask(&xmlrpc::request(method, params));
        assert_eq!((reply.status, reply.header("Content-Type")), (200, Some("text/xml")), "{method}: {reply:?}");
        xmlrpc::response(&reply.body)
    }

    /// One call that gives a value.
    pub fn call(&self, method: &str, params: &[Value]) -> Value {
        self.try_call(method, params).unwrap_or_else(|(code, text)| panic!("{method}: fault {code} {text}"))
    }

    /// One call that gives a fault.
    pub fn fault(&self, method: &str, params: &[Value]) -> (i64, String) {
        match self.try_call(method, params) {
            Err(fault) => fault,
            Ok(value) => panic!("{method} gave {value:?}, not a fault"),
        }
    }

    /// What getProcessInfo says.
    pub fn info(&self, name: &str) -> Info {
        Info(self.call("supervisor.getProcessInfo", &[name.into()]))
    }

    /// Waits for a state, and gives what getProcessInfo says then.
    pub fn wait_for_state(&self, name: &str, state: &str) -> Info {
        wait_for(&format!("{name} {state}"), 30, || Some(self.info(name)).filter(|info| info.state() == state))
    }

    /// Sends the daemon a signal, by name without `SIG`, when it handles signals: its servers are open before that.
    pub fn signal(&self, signal: &str) {
        const TERM: u64 = 1 << 14;
        let handles = |key| {
            let set = proc::status(self.pid(), key).and_then(|text| u64::from_str_radix(&text, 16).ok());
            set.is_none_or(|set| set & TERM != 0)
        };
        wait_until("signals to be handled", 20, || handles("SigBlk") || handles("SigCgt"));
        proc::send(&[self.pid()], signal);
    }

    /// Waits until the daemon has ended by itself.
    pub fn wait_for_exit(&mut self) -> ExitStatus {
        let process = &mut self.process;
        wait_for("the daemon's end", 40, || process.try_wait().expect("its status"))
    }

    /// The mark that all its processes carry.
    fn mark(&self) -> String {
        format!("MAJORDOMO_TEST={}", self.path().display())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Stopped first, so that it starts nothing while the others go.
        proc::send(&[self.pid()], "STOP");
        proc::send(&proc::marked(&self.mark()), "KILL");
        let _ = self.process.wait();
        proc::send(&proc::marked(&self.mark()), "KILL");
        if std::thread::panicking() {
            for name in ["daemon.err", "supervisord.log", "main.log"] {
                let text = self.text(name);
                let tail: Vec<&str> = text.lines().rev().take(60).collect();
                if !text.is_empty() {
                    println!("--- {name}, the end of it");
                    tail.iter().rev().for_each(|line| println!("{line}"));
                }
            }
        } else if let Some(at) = self.log().find(BUG).filter(|_| !self.setup.buggy) {
            panic!("the daemon survived a bug of its own: {}", &self.log()[at..]);
        }
    }
}

/// What getProcessInfo says about a process.
#[derive(Clone, PartialEq, Debug)]
pub struct Info(pub Value);

impl Info {
    /// A member that is text.
    pub fn text(&self, name: &str) -> &str {
        match self.0.member(name) {
            Some(Value::Str(text)) => text,
            other => panic!("{name} is {other:?}"),
        }
    }

    /// A member that is a number.
    pub fn number(&self, name: &str) -> i64 {
        match self.0.member(name) {
            Some(Value::Int(number)) => *number,
            other => panic!("{name} is {other:?}"),
        }
    }

    /// The state's name.
    pub fn state(&self) -> &str {
        self.text("statename")
    }

    /// The process id, 0 if there is none.
    pub fn pid(&self) -> i64 {
        self.number("pid")
    }
}
