//! What the matrix goes through: the configuration, the commands one after the other, and where the published programs
//! say something else than ours because the contract asks us to. Every command of the contract is here.

/// The configuration at first.
pub const CONFIG: &str = "\
[unix_http_server]
file=%(here)s/supervisor.sock
[inet_http_server]
port=127.0.0.1:@PORT@
username=joe
password=secret
[supervisord]
logfile=%(here)s/supervisord.log
pidfile=%(here)s/supervisord.pid
childlogdir=%(here)s
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[rpcinterface:cache]
supervisor.rpcinterface_factory = supervisor_cache.rpcinterface:make_cache_rpcinterface
[supervisorctl]
serverurl=unix://%(here)s/supervisor.sock
prompt=ctl
[ctlplugin:cache]
supervisor.ctl_factory = supervisor_cache.controllerplugin:make_cache_controllerplugin
[program:web]
command=/bin/sh -c 'echo first; echo second; echo bad >&2; exec sleep 1000'
[program:mute]
command=cat
autostart=false
startsecs=0
stdout_logfile=NONE
[program:chat]
command=/bin/sh -c 'while :; do echo tick; sleep 0.1; done'
autostart=false
startsecs=0
[program:idle]
command=sleep 1000
autostart=false
startsecs=0
priority=5
[program:north]
command=sleep 1000
autostart=false
startsecs=0
[program:south]
command=sleep 1000
autostart=false
startsecs=0
[group:fleet]
programs=north,south
priority=7
[program:lost]
command=/nowhere/program
autostart=false
[program:locked]
command=%(here)s/locked.sh
autostart=false
[program:crash]
command=/bin/false
autostart=false
startretries=0
[program:a-name-of-more-than-thirty-characters]
command=sleep 1000
autostart=false
startsecs=0
";

/// What is done, one after the other.
pub enum Step {
    /// A command line, its words parted at blanks. `@PORT@` is the port, `@DIR@` the folder.
    Run(&'static str),
    /// A shell, or an action that asks, with these lines typed.
    Typed(&'static str, &'static str),
    /// A command that is interrupted once it has printed this line.
    Interrupted(&'static str, &'static str),
    /// Another configuration file.
    Configure(fn(&str) -> String),
    /// Wait for a state.
    State(&'static str, &'static str),
    /// Wait until the daemon takes calls again after a reload.
    Reloaded,
    /// Wait until the daemon is gone.
    Gone,
}
pub use Step::{Configure, Gone, Interrupted, Reloaded, Run, State, Typed};

fn without_idle(config: &str) -> String {
    let (before, rest) = config.split_once("[program:idle]").expect("idle");
    let (_, after) = rest.split_once("[program:north]").expect("what follows");
    format!("{before}[program:north]{after}")
}

fn changed(config: &str) -> String {
    let added = "[program:new]\ncommand=sleep 1000\nautostart=false\nstartsecs=0\n";
    without_idle(config).replace("priority=7", "priority=8") + added
}

/// Without those that can't start: of several failures the last counts, and which is last is chance.
fn healthy(config: &str) -> String {
    let config = changed(config);
    let (before, rest) = config.split_once("[program:lost]").expect("lost");
    let (_, after) = rest.split_once("[program:a-name").expect("what follows");
    format!("{before}[program:a-name{after}")
}

fn broken(config: &str) -> String {
    format!("{config}[program:broken]\n")
}

/// All steps.
pub const STEPS: &[Step] = &[
    State("web", "RUNNING"),
    // CTL-040 to CTL-044.
    Run("status"),
    Run("status all"),
    Run("status web"),
    Run("status web idle web"),
    Run("status fleet:*"),
    Run("status fleet: web:"),
    Run("status fleet:north"),
    Run("status ghost"),
    Run("status ghost ghosts:* web"),
    // CTL-050 to CTL-054, CTL-104, CTL-105: arguments.
    Run("start"),
    Run("stop"),
    Run("restart"),
    Run("signal"),
    Run("signal HUP"),
    Run("clear"),
    Run("tail"),
    Run("tail a b c d"),
    Run("tail -f"),
    Run("tail -x web"),
    Run("tail web log"),
    Run("maintail x"),
    Run("maintail -x"),
    Run("maintail 1 2"),
    Run("fg"),
    Run("fg a b"),
    Run("avail x"),
    Run("reread x"),
    Run("reload x"),
    Run("shutdown x"),
    Run("version x"),
    Run("add"),
    Run("remove"),
    Run("open"),
    Run("open gopher://x"),
    // CTL-006 to CTL-008.
    Run("frobnicate web"),
    Run("EOF"),
    Run("-s gopher://x status"),
    Run("-s http://127.0.0.1:1 status"),
    Run("-s http://127.0.0.1:1 version"),
    Run("-s http://127.0.0.1:1 avail"),
    Run("-s http://127.0.0.1:1 shutdown"),
    Run("-s unix:///nowhere/at.sock status"),
    Run("-s unix:///nowhere/at.sock pid"),
    Run("-s unix:///nowhere/at.sock update"),
    Run("-s http://127.0.0.1:@PORT@ -u joe -p secret pid idle"),
    Run("-s http://127.0.0.1:@PORT@ -u joe -p wrong pid"),
    Run("-s http://127.0.0.1:@PORT@ avail"),
    // CTL-060 to CTL-081.
    Run("start idle"),
    Run("start idle"),
    Run("start lost"),
    Run("start locked"),
    Run("start crash"),
    Run("start ghost"),
    Run("start ghosts:*"),
    Run("start fleet:*"),
    Run("start fleet:*"),
    Run("start fleet:north ghost idle"),
    Run("stop fleet:south"),
    Run("stop fleet:*"),
    Run("stop ghost"),
    Run("stop ghosts:"),
    Run("stop idle"),
    Run("stop idle"),
    Run("restart idle"),
    Run("restart ghost"),
    Run("restart fleet:*"),
    Run("signal CONT idle"),
    Run("signal CONT idle lost"),
    Run("signal TICKLE idle"),
    Run("signal CONT ghost"),
    Run("signal CONT ghosts:*"),
    Run("signal CONT fleet:*"),
    Run("signal CONT all"),
    Run("status idle crash lost"),
    Run("pid"),
    Run("pid idle"),
    Run("pid lost"),
    Run("pid ghost"),
    Run("pid all"),
    Run("start a-name-of-more-than-thirty-characters"),
    Run("status"),
    Run("stop a-name-of-more-than-thirty-characters"),
    // CTL-085 to CTL-092.
    Run("tail web"),
    Run("tail -7 web"),
    Run("tail -0 web"),
    Run("tail web stderr"),
    Run("tail web STDOUT"),
    Run("tail -4 web stderr"),
    Run("tail mute"),
    Run("tail ghost"),
    Run("tail -f ghost"),
    Interrupted("tail -f web", "second"),
    Interrupted("tail -f web stderr", "bad"),
    Run("maintail -1"),
    Interrupted("maintail -f", "==> Press Ctrl-C to exit <=="),
    Run("fg ghost"),
    Run("fg mute"),
    Run("start chat"),
    Interrupted("fg chat", "tick"),
    Run("stop chat"),
    Run("clear web"),
    Run("tail web"),
    Run("clear ghost"),
    Run("clear ghosts:*"),
    Run("clear web ghost"),
    Run("clear all"),
    // CTL-120 to CTL-133.
    Run("cache_keys"),
    Run("cache_store foo 'bar baz'"),
    Run("cache_store quote \"it's\""),
    Run("cache_fetch foo"),
    Run("cache_fetch quote"),
    Run("cache_keys"),
    Run("cache_count"),
    Run("cache_store"),
    Run("cache_store foo"),
    Run("cache_fetch"),
    Run("cache_delete"),
    Run("cache_keys x"),
    Run("cache_keys '"),
    Run("cache_fetch 'foo"),
    Run("cache_fetch nothing"),
    Run("cache_fetch ''"),
    Run("cache_delete foo"),
    Run("cache_delete foo"),
    Run("cache_store long 'the quick brown fox jumps over the lazy dog and the quick brown fox jumps over it again'"),
    Run("cache_fetch long"),
    Run("cache_store a-key-that-is-so-long-that-it-does-not-fit-the-line-with-the-other-two-together 'ü'"),
    Run("cache_keys"),
    Run("cache_fetch a-key-that-is-so-long-that-it-does-not-fit-the-line-with-the-other-two-together"),
    Run("cache_clear"),
    Run("cache_count"),
    // CTL-095 to CTL-115.
    Run("version"),
    Run("avail"),
    Run("reread"),
    Run("update"),
    Run("add ghost"),
    Run("add web"),
    Run("remove ghost"),
    Run("remove web"),
    Run("remove locked"),
    Run("avail"),
    Run("add locked"),
    Configure(changed),
    Run("reread"),
    Run("update ghost"),
    Run("update new ghost"),
    Run("update"),
    Run("reread"),
    Run("update all"),
    Run("status fleet:* new"),
    Configure(broken),
    Run("reread"),
    Run("update"),
    Configure(changed),
    Run("update"),
    // CTL-140 to CTL-144.
    Run("help"),
    Run("?"),
    Run("help help"),
    Run("help nonsense"),
    Run("help add avail"),
    Run("help add"),
    Run("help avail"),
    Run("help clear"),
    Run("help exit"),
    Run("help fg"),
    Run("help maintail"),
    Run("help open"),
    Run("help pid"),
    Run("help quit"),
    Run("help reload"),
    Run("help remove"),
    Run("help reread"),
    Run("help restart"),
    Run("help shutdown"),
    Run("help signal"),
    Run("help start"),
    Run("help status"),
    Run("help stop"),
    Run("help tail"),
    Run("help update"),
    Run("help version"),
    Run("help cache_clear"),
    Run("help cache_count"),
    Run("help cache_delete"),
    Run("help cache_fetch"),
    Run("help cache_keys"),
    Run("help cache_store"),
    // CTL-150 to CTL-156.
    Typed("", "version\n\nfrob\nstop ghost\nstatus web\nquit\n"),
    Typed("", "start\nhelp\n"),
    Typed("-i", "exit\n"),
    Typed("-i version", "exit\n"),
    Typed("", "shutdown\nn\nreload\n\nEOF\n"),
    Run("exit"),
    Run("quit"),
    Run("open unix:///nowhere/at.sock"),
    Run("open unix://@DIR@/supervisor.sock"),
    Configure(healthy),
    Run("update"),
    Run("stop all"),
    Run("start idle all"),
    State("web", "RUNNING"),
    Run("restart all"),
    Run("stop fleet:* idle"),
    // CTL-102, CTL-101.
    Run("reload"),
    Reloaded,
    State("web", "RUNNING"),
    Run("avail"),
    Typed("", "shutdown\ny\n"),
    Gone,
    Run("status"),
    Run("version"),
    Run("start web"),
    Run("avail"),
    Run("shutdown"),
    Typed("", "status\nquit\n"),
];

/// Commands where the published client or daemon says something else than ours, because the contract asks us to.
pub struct Difference {
    /// What asks for it.
    pub rule: &'static str,
    /// The command; with `*` at its end all that begin so.
    pub line: &'static str,
    /// Whose published part it is.
    pub by_client: bool,
    /// Makes of the published output what the rule wants; the exit status is the same.
    pub cure: fn(&str) -> String,
}

/// All differences; each must be there.
pub const DIFFERENCES: &[Difference] = &[
    // With a plugin the published client ends in a traceback.
    Difference {
        rule: "CTL-006",
        line: "-s gopher://x status",
        by_client: true,
        cure: |_| "error: <class 'ValueError'>, Unknown protocol for serverurl gopher://x\n".to_string(),
    },
    Difference { rule: "BUG-090", line: "-s http://127.0.0.1:@PORT@ *", by_client: true, cure: without_error },
    Difference { rule: "BUG-091", line: "help *", by_client: true, cure: with_one_complaint },
    Difference {
        rule: "BUG-092",
        line: "clear ghosts:*",
        by_client: true,
        cure: |out| out.replace("ghosts:None:", "ghosts:*:"),
    },
    Difference { rule: "BUG-095", line: "update", by_client: true, cure: without_class },
];

/// Without the error line that follows a refused login.
fn without_error(out: &str) -> String {
    out.lines().filter(|line| !line.starts_with("error: ")).map(|line| format!("{line}\n")).collect()
}

/// The complaint about a topic once, and not at all if there is help.
fn with_one_complaint(out: &str) -> String {
    let (complaints, help): (Vec<&str>, Vec<&str>) =
        out.split_inclusive('\n').partition(|line| line.starts_with("*** No help on "));
    if help.is_empty() { complaints[0].to_string() } else { help.concat() }
}

/// The text of a fault alone.
fn without_class(out: &str) -> String {
    match out.split_once("<Fault 92: \"").and_then(|parts| parts.1.split_once("\">")) {
        Some((text, _)) => format!("ERROR: {text}\n"),
        None => out.to_string(),
    }
}
