//! Real listeners with a real daemon: what a listener's pipe gets, words for a program's stdin, lines for our stdout,
//! calls while busy, and a listener that sleeps.

mod support;

use std::path::Path;

use majordomo::base::value::Value;
use serde_json::Value as Json;
use support::daemon::{Daemon, Setup};
use support::{QUIET, proc, upstream_differs, wait_for, wait_until};

/// A section of a listener that runs `tests/python/listener.py` with these replies and records what passes in `record`.
fn listener(events: &str, replies: &str, more: &str) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/listener.py");
    format!(
        "[eventlistener:l]\ncommand=python3 {} @DIR@/record {replies}\nevents={events}\nstartsecs=0\n\
         autorestart=true\nstdout_logfile=@DIR@/l.out\nstderr_logfile=@DIR@/l.err\n{more}\n",
        script.display()
    )
}

/// What was sent to the listener so far: header and payload of each message.
fn sent(daemon: &Daemon) -> Vec<(String, String)> {
    let record = daemon.text("record");
    let entries = record.lines().filter_map(|line| serde_json::from_str::<Json>(line).ok());
    let messages = entries.filter_map(|entry| Some(entry.get("to_listener")?.as_str()?.to_string()));
    messages.map(|text| text.split_once('\n').map(|(a, b)| (a.into(), b.into())).expect("a header")).collect()
}

fn wait_for_sent(daemon: &Daemon, count: usize) -> Vec<(String, String)> {
    wait_for(&format!("{count} events"), 30, || Some(sent(daemon)).filter(|sent| sent.len() >= count))
}

fn remote(daemon: &Daemon, data: &str) {
    daemon.call("supervisor.sendRemoteCommEvent", &["t".into(), data.into()]);
}

/// EVT-121, TWID-080, BUG-084: a program asks in a tagged block, the listener's result goes to its stdin.
#[test]
fn evt_121_a_program_asks_and_is_answered() {
    if upstream_differs("BUG-084: every result sends the listener to UNKNOWN") {
        return;
    }
    let asking = "#!/bin/sh\nprintf '<!--XSUPERVISOR:BEGIN-->who am I?<!--XSUPERVISOR:END-->'\nread answer\n\
                  read more\necho \"$answer, $more\"\nexec sleep 1000\n";
    let handler = "result_handler=supervisor_twiddler.resulthandler:stdin_write_handler";
    let config = listener("PROCESS_COMMUNICATION", r#""result:STDIN:you are café\\nSTDIN:no. 6\\n""#, handler);
    let program = "[program:asking]\ncommand=/bin/sh @DIR@/asking.sh\nautostart=false\nstdout_capture_maxbytes=1MB\n\
                   stdout_logfile=@DIR@/asking.out\n";
    let daemon = Setup::new(&format!("{QUIET}{config}{program}")).file("asking.sh", asking).start();
    daemon.wait_for_state("l", "RUNNING");
    daemon.call("supervisor.startProcess", &["asking".into()]);
    wait_until("the answer", 20, || daemon.text("asking.out") == "you are café, STDIN:no. 6\n");
    let pid = daemon.info("asking").pid();
    let (_, payload) = &wait_for_sent(&daemon, 1)[0];
    assert_eq!(*payload, format!("processname:asking groupname:asking pid:{pid}\nwho am I?"));
    assert!(daemon.messages().iter().all(|line| !line.contains("UNKNOWN")));
}

/// supervisor-stdout's handler: results that repeat a payload come out of the daemon's stdout, with the program's name.
#[test]
fn output_is_relayed_to_the_daemons_stdout() {
    if upstream_differs("the package supervisor-stdout does not run with Python 3") {
        return;
    }
    let config = listener("PROCESS_LOG", "echo", "result_handler=supervisor_stdout:event_handler\nbuffer_size=100");
    let program = "[program:web]\ncommand=/bin/sh -c 'echo one; echo two >&2; exec sleep 1000'\nautostart=false\n\
                   stdout_events_enabled=true\nstderr_events_enabled=true\n";
    let daemon = Daemon::start(&format!("{QUIET}{config}{program}"));
    daemon.wait_for_state("l", "RUNNING");
    daemon.call("supervisor.startProcess", &["web".into()]);
    let lines = ["web stdout | one\n", "web stderr | two\n"];
    wait_until("both lines", 20, || lines.iter().all(|line| daemon.text("daemon.out").contains(line)));
}

/// EVT-110, EVT-111: what a listener says is in its log, as it said it.
#[test]
fn evt_110_the_conversation_is_logged() {
    let daemon = Daemon::start(&format!("{QUIET}{}", listener("REMOTE_COMMUNICATION", "ok", "")));
    remote(&daemon, "a");
    wait_until("the log", 20, || daemon.text("l.out") == "READY\nRESULT 2\nOKREADY\n");
}

/// EVT-150: a listener that reads once and takes what it got for the whole message.
const READS_ONCE: &str = "\
import os, sys
while True:
    os.write(1, b'READY\\n')
    message = os.read(0, 65536)
    header, payload = message.split(b'\\n', 1)
    length = int(header.rsplit(b':', 1)[1])
    os.write(2, b'whole\\n' if len(payload) == length else b'cut\\n')
    os.write(1, b'RESULT 2\\nOK')
";

#[test]
fn evt_150_a_message_comes_in_one_piece() {
    let config = "[eventlistener:l]\ncommand=python3 @DIR@/once.py\nevents=REMOTE_COMMUNICATION\nstartsecs=0\n\
                  buffer_size=1000\nstderr_logfile=@DIR@/l.err\n";
    let daemon = Setup::new(&format!("{QUIET}{config}")).file("once.py", READS_ONCE).start();
    daemon.wait_for_state("l", "RUNNING");
    for number in 0..300 {
        remote(&daemon, &"x".repeat(number * 100));
    }
    wait_until("all events", 60, || daemon.text("l.err").lines().count() == 300);
    assert!(!daemon.text("l.err").contains("cut"));
}

/// EVT-143, BUG-087: a listener that sleeps while a large event is on its way hinders nobody, and gets all of it.
#[test]
fn evt_143_a_listener_that_sleeps_hinders_nobody() {
    if upstream_differs("BUG-087") {
        return;
    }
    let daemon = Daemon::start(&format!("{QUIET}{}", listener("REMOTE_COMMUNICATION", "ok", "")));
    remote(&daemon, "first");
    wait_for_sent(&daemon, 1);
    let pid = daemon.wait_for_state("l", "RUNNING").pid();
    wait_until("READY", 20, || daemon.text("l.out").matches("READY").count() == 2);
    proc::send(&[pid], "STOP");
    // More than a pipe takes, and characters of two bytes.
    let large = "é".repeat(1 << 20);
    remote(&daemon, &large);
    remote(&daemon, "last");
    for _ in 0..20 {
        assert_eq!(daemon.call("supervisor.getState", &[]).member("statename"), Some(&Value::str("RUNNING")));
    }
    proc::send(&[pid], "CONT");
    let sent = wait_for_sent(&daemon, 3);
    assert_eq!(sent[1].1, format!("type:t\n{large}"));
    assert_eq!(sent[2].1, "type:t\nlast");
}

/// EVT-142, EVT-143: a listener finds the daemon by its environment, and calls it while it has an event.
const CALLS: &str = "\
import os, sys
sys.stdout.write('READY\\n'); sys.stdout.flush()
header = dict(token.split(':') for token in sys.stdin.readline().split())
sys.stdin.read(int(header['len']))
import http.client, socket, base64
url = os.environ['SUPERVISOR_SERVER_URL']
assert url.startswith('unix://'), url
assert os.environ['SUPERVISOR_GROUP_NAME'] == 'l' and os.environ['SUPERVISOR_ENABLED'] == '1'
login = os.environ['SUPERVISOR_USERNAME'] + ':' + os.environ['SUPERVISOR_PASSWORD']
connection = http.client.HTTPConnection('localhost')
connection.sock = socket.socket(socket.AF_UNIX)
connection.sock.connect(url[len('unix://'):])
body = '<methodCall><methodName>supervisor.stopProcess</methodName><params><param><value>p</value></param></params></methodCall>'
headers = {'Content-Type': 'text/xml', 'Authorization': 'Basic ' + base64.b64encode(login.encode()).decode()}
connection.request('POST', '/RPC2', body, headers)
print(connection.getresponse().read().decode(), file=sys.stderr)
sys.stderr.flush()
sys.stdout.write('RESULT 2\\nOK'); sys.stdout.flush()
sys.stdin.read()
";

#[test]
fn evt_142_a_listener_calls_while_it_is_busy() {
    let config = "[unix_http_server]\nfile=%(here)s/supervisor.sock\nusername=me\npassword=secret\n\
                  [supervisord]\nlogfile=%(here)s/supervisord.log\npidfile=%(here)s/supervisord.pid\n\
                  childlogdir=%(here)s\nloglevel=debug\n[rpcinterface:supervisor]\n\
                  supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n\
                  [eventlistener:l]\ncommand=python3 @DIR@/calls.py\nevents=PROCESS_STATE_RUNNING\nstartsecs=0\n\
                  environment=SUPERVISOR_USERNAME=\"me\",SUPERVISOR_PASSWORD=\"secret\"\nstderr_logfile=@DIR@/l.err\n\
                  [program:p]\ncommand=sleep 1000\nstartsecs=0\n";
    let daemon = Setup::new(config).file("calls.py", CALLS).start();
    daemon.wait_for_log("stopped: p");
    wait_until("its answer", 20, || daemon.text("l.err").contains("<boolean>1</boolean>"));
    daemon.wait_for_log("l: event was processed");
}

/// Takes a moment for what it is told, as one that sends a mail does.
const FAREWELL: &str = "\
import os, sys, time
while True:
    os.write(1, b'READY\\n')
    header = sys.stdin.readline()
    sys.stdin.read(int(header.rsplit(':', 1)[1]))
    time.sleep(0.2)
    os.write(2, ('did ' + header.split('eventname:')[1].split()[0] + '\\n').encode())
    os.write(1, b'RESULT 2\\nOK')
";

/// EVT-042: the end is told to a listener that has the time to do something about it.
#[test]
fn evt_042_a_listener_acts_on_the_end() {
    let config = "[eventlistener:l]\ncommand=python3 @DIR@/farewell.py\nevents=SUPERVISOR_STATE_CHANGE\nstartsecs=0\n\
                  stdout_logfile=@DIR@/l.out\nstderr_logfile=@DIR@/l.err\n[program:p]\ncommand=sleep 1000\nstartsecs=0\n";
    let daemon = Setup::new(&format!("{QUIET}{config}")).file("farewell.py", FAREWELL).start();
    wait_until("the beginning", 20, || daemon.text("l.out").matches("READY").count() == 2);
    daemon.signal("TERM");
    wait_until("the end", 20, || daemon.text("l.err").contains("did SUPERVISOR_STATE_CHANGE_STOPPING"));
    daemon.wait_for_log("stopped: l");
}

/// EVT-082: a reload goes on counting.
#[test]
fn evt_082_serials_after_a_reload() {
    let daemon = Daemon::start(&format!("{QUIET}{}", listener("REMOTE_COMMUNICATION", "ok", "")));
    for text in ["a", "b"] {
        remote(&daemon, text);
    }
    wait_for_sent(&daemon, 2);
    let before = daemon.info("l").pid();
    daemon.call("supervisor.restart", &[]);
    wait_for("a new listener", 30, || {
        let answer =
            daemon.connect_if_it_listens()?.ask(&support::xmlrpc::request("supervisor.getProcessInfo", &["l".into()]));
        let info = support::xmlrpc::response(&answer.ok()?.body).ok()?;
        let info = support::daemon::Info(info);
        (info.state() == "RUNNING" && info.pid() != before).then_some(())
    });
    remote(&daemon, "c");
    let sent = wait_for_sent(&daemon, 3);
    let numbers = |header: &str| {
        let token = |name: &str| {
            let value = header.split(' ').find_map(|token| token.strip_prefix(name)?.strip_prefix(':'));
            value.and_then(|value| value.parse::<u64>().ok()).expect("a number")
        };
        (token("serial"), token("poolserial"))
    };
    assert_eq!(sent.iter().map(|(header, _)| numbers(header)).collect::<Vec<_>>(), [(0, 0), (1, 1), (2, 0)]);
}

/// A handler that isn't built in: refused at the start, with the names of those that are (CFG-153).
#[test]
fn cfg_153_an_unknown_handler_is_refused() {
    if upstream_differs("the hint is ours") {
        return;
    }
    let setup = Setup::new(&format!("{QUIET}{}", listener("TICK_5", "ok", "result_handler=mine:handler")));
    let (status, out, err) = setup.run();
    assert_eq!((status, out.as_str()), (Some(2), ""));
    assert!(err.contains("mine:handler cannot be resolved within [eventlistener:l]"), "{err}");
    for name in [
        "supervisor.dispatchers:default_handler",
        "supervisor_twiddler.resulthandler:stdin_write_handler",
        "supervisor_stdout:event_handler",
    ] {
        assert!(err.contains(name), "{err}");
    }
}
