//! Published listeners, as they come from PyPI, at work under our daemon (EVT-144): those of superlance and
//! supervisor_checks.

mod support;

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::mpsc;

use support::daemon::{Daemon, Setup};
use support::python::{Python, python};
use support::{QUIET, wait_for, wait_until};

/// A listener from a package; `NAME.err` is what it says.
fn listener(python: &Python, name: &str, events: &str, command: &str) -> String {
    let (program, words) = command.split_once(' ').unwrap_or((command, ""));
    format!(
        "[eventlistener:{name}]\ncommand={} {words}\nevents={events}\nstartsecs=0\nbuffer_size=100\n\
         stderr_logfile=@DIR@/{name}.err\nenvironment={}\n",
        python.path_of(program).display(),
        python.environment()
    )
}

fn script(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python").join(name).display().to_string()
}

/// A program `web` whose page works until the file `broken` is there.
fn web() -> String {
    format!(
        "[program:web]\ncommand=python3 {} @SPARE@ @DIR@/broken @DIR@/requests\nstartsecs=0\n\
         [program:bystander]\ncommand=sleep 1000\nstartsecs=0\n",
        script("page.py")
    )
}

/// Waits until `client` has seen the page work, breaks it, and waits for a new `web` whose page works again.
fn break_the_page(daemon: &Daemon, client: &str) {
    let seen = |status: u32| {
        let line = format!("{status}");
        let requests = daemon.text("requests");
        requests.lines().filter(|request| request.contains(client) && request.ends_with(&line)).count()
    };
    wait_until("a look at the page", 60, || seen(200) > 0);
    let [web, bystander] = ["web", "bystander"].map(|name| daemon.wait_for_state(name, "RUNNING").pid());
    std::fs::write(daemon.file("broken"), "").expect("a file");
    wait_for("a new process", 60, || {
        let info = daemon.info("web");
        (info.state() == "RUNNING" && info.pid() != web).then_some(())
    });
    assert!(seen(500) > 0);
    let before = seen(200);
    wait_until("a look at the page after that", 60, || seen(200) > before);
    assert_eq!(daemon.info("bystander").pid(), bystander);
}

/// No listener has broken the protocol, and none was refused an event.
fn all_went_well(daemon: &Daemon) {
    let bad: Vec<String> = daemon
        .messages()
        .into_iter()
        .filter(|line| line.contains("UNKNOWN") || line.contains("event was rejected"))
        .collect();
    assert!(bad.is_empty(), "{bad:?}");
}

#[test]
fn evt_144_httpok_restarts_a_program_whose_page_fails() {
    let words = "httpok -p web -t 5 http://127.0.0.1:@SPARE@/";
    let daemon = Daemon::start(&format!("{QUIET}{}{}", listener(&python(), "httpok", "TICK_5", words), web()));
    break_the_page(&daemon, "httpok");
    wait_until("its report", 20, || daemon.text("httpok.err").contains("web restarted"));
    all_went_well(&daemon);
}

#[test]
fn supervisor_checks_restarts_a_program_whose_page_fails() {
    let words = "supervisor_http_check -n check -g web -u / -p @SPARE@ -t 5 -r 1";
    let daemon = Daemon::start(&format!("{QUIET}{}{}", listener(&python(), "check", "TICK_5", words), web()));
    break_the_page(&daemon, "http_check");
    wait_until("its report", 20, || daemon.text("check.err").contains("Trying to restart"));
    all_went_well(&daemon);
}

/// Where there is no `ps`, as on small machines, one that knows what memmon asks.
const PS: &str = "#!/bin/sh\n# ps -orss= -p PID\nawk '/^VmRSS/ { print $2 }' \"/proc/$3/status\"\n";

#[test]
fn evt_144_memmon_restarts_a_program_over_its_limit() {
    let eats = "import os, sys, time\nfirst = not os.path.exists(sys.argv[1])\nopen(sys.argv[1], 'w').close()\n\
                memory = bytearray(os.urandom(1 << 20)) * (120 if first else 1)\ntime.sleep(1000)\n";
    let words = "memmon -p eater=80MB -p small=80MB -m dev@example.com -s \"/bin/sh @DIR@/sendmail\"";
    let programs = "[program:eater]\ncommand=python3 @DIR@/eater.py @DIR@/eaten\nstartsecs=0\n\
                    [program:small]\ncommand=sleep 1000\nstartsecs=0\n";
    let has_ps = std::process::Command::new("ps").arg("-V").output().is_ok();
    let path = std::env::var("PATH").unwrap_or_default();
    let path = if has_ps { path } else { format!("@DIR@:{path}") };
    let config = format!("{QUIET}{}{programs}", listener(&python(), "memmon", "TICK_5", words))
        .replace("environment=", &format!("environment=PATH=\"{path}\","));
    let setup = Setup::new(&config).file("eater.py", eats).file("ps", PS);
    let folder = setup.path().display().to_string();
    let setup = setup.file("sendmail", &format!("cat >> {folder}/mail\n"));
    let done = std::process::Command::new("chmod").arg("755").arg(setup.path().join("ps")).status();
    assert!(done.expect("chmod").success());
    let daemon = setup.start();
    let small = daemon.wait_for_state("small", "RUNNING").pid();
    let eater = daemon.wait_for_state("eater", "RUNNING").pid();
    wait_for("a new eater", 60, || {
        let info = daemon.info("eater");
        (info.state() == "RUNNING" && info.pid() != eater).then_some(())
    });
    wait_until("the mail", 20, || daemon.text("mail").contains(": process eater:eater restarted"));
    // It looks again, and lets be who eats little.
    let again = daemon.info("eater").pid();
    let looks = daemon.text("memmon.err").matches("RSS of eater:eater").count();
    wait_until("another look", 30, || daemon.text("memmon.err").matches("RSS of eater:eater").count() > looks);
    assert_eq!((daemon.info("eater").pid(), daemon.info("small").pid()), (again, small));
    assert_eq!(daemon.text("memmon.err").matches("Restarting").count(), 1);
    all_went_well(&daemon);
}

/// A program that ends unexpectedly, one that ends as expected, and one that never comes up.
const ENDS: &str = "[program:bad]\ncommand=/bin/sh -c 'exit 3'\nstartsecs=0\nautostart=false\nautorestart=false\n\
                    [program:good]\ncommand=/bin/sh -c 'exit 0'\nstartsecs=0\nautostart=false\nautorestart=false\n\
                    [program:never]\ncommand=/bin/sh -c 'exit 1'\nstartsecs=5\nstartretries=0\nautostart=false\n";

fn start_all(daemon: &Daemon) {
    for name in ["good", "bad", "never"] {
        daemon.call("supervisor.startProcess", &[name.into(), false.into()]);
    }
    daemon.wait_for_state("never", "FATAL");
}

#[test]
fn evt_144_crashmail_writes_of_unexpected_ends() {
    let words = "crashmail -a -m dev@example.com -o box -s \"/bin/sh @DIR@/sendmail\"";
    let setup = Setup::new(&format!("{QUIET}{}{ENDS}", listener(&python(), "crashmail", "PROCESS_STATE", words)));
    let folder = setup.path().display().to_string();
    let daemon = setup.file("sendmail", &format!("cat >> {folder}/mail\necho >> {folder}/mail\n")).start();
    daemon.wait_for_state("crashmail", "RUNNING");
    start_all(&daemon);
    let mail = wait_for("a mail", 30, || Some(daemon.text("mail")).filter(|mail| mail.contains("from state")));
    assert!(mail.starts_with("To: dev@example.com\nSubject: box: bad crashed at "), "{mail}");
    assert!(mail.contains("\n\nProcess bad in group bad exited unexpectedly (pid "), "{mail}");
    assert!(mail.contains(") from state RUNNING"), "{mail}");
    wait_until("its report", 20, || daemon.text("crashmail.err").contains("Mailed:"));
    assert!(!daemon.text("mail").contains("good"));
    all_went_well(&daemon);
}

/// A mail server for one test: what it was given, mail by mail.
fn mail_server() -> (u16, mpsc::Receiver<String>) {
    let server = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = server.local_addr().expect("its address").port();
    let (sender, mails) = mpsc::channel();
    std::thread::spawn(move || {
        for connection in server.incoming() {
            let Ok(connection) = connection else { return };
            let sender = sender.clone();
            std::thread::spawn(move || serve_mail(connection, &sender));
        }
    });
    (port, mails)
}

fn serve_mail(connection: std::net::TcpStream, mails: &mpsc::Sender<String>) {
    let mut out = connection.try_clone().expect("a connection");
    let mut say = move |line: &str| out.write_all(format!("{line}\r\n").as_bytes()).is_ok();
    say("220 test");
    let mut mail: Option<String> = None;
    for line in BufReader::new(connection).lines().map_while(Result::ok) {
        let line = line.trim_end();
        match (&mut mail, line) {
            (Some(text), ".") => {
                let _ = mails.send(std::mem::take(text));
                mail = None;
                say("250 taken");
            }
            (Some(text), line) => {
                text.push_str(line);
                text.push('\n');
            }
            (None, "data" | "DATA") => {
                mail = Some(String::new());
                say("354 go on");
            }
            (None, "quit" | "QUIT") => {
                say("221 bye");
                return;
            }
            (None, _) => {
                say("250 fine");
            }
        }
    }
}

/// crashmailbatch, crashsms and fatalmailbatch: they gather what happens and send it at a TICK.
#[test]
fn evt_144_batches_of_mail() {
    let python = python();
    let (port, mails) = mail_server();
    let rest = format!("-t dev@example.com -f me@example.com -H 127.0.0.1:{port} -e TICK_5 -i 0.05");
    let section = |name: &str, event: &str, subject: &str| {
        let words = format!("{name} {rest} -s {subject}");
        listener(&python, name, &format!("TICK_5,{event}"), &words)
    };
    let listeners = section("crashmailbatch", "PROCESS_STATE", "batch")
        + &section("crashsms", "PROCESS_STATE", "sms")
        + &section("fatalmailbatch", "PROCESS_STATE", "fatal");
    let daemon = Daemon::start(&format!("{QUIET}{listeners}{ENDS}"));
    for name in ["crashmailbatch", "crashsms", "fatalmailbatch"] {
        daemon.wait_for_state(name, "RUNNING");
    }
    start_all(&daemon);
    let mut texts = Vec::new();
    for _ in 0..3 {
        texts.push(mails.recv_timeout(std::time::Duration::from_secs(60)).expect("a mail"));
    }
    let has = |subject: &str, words: &str| {
        let mail = texts.iter().find(|text| text.contains(&format!("Subject: {subject}\n")));
        let mail = mail.unwrap_or_else(|| panic!("no {subject} in {texts:?}"));
        assert!(mail.replace("=\n", "").contains(words), "{mail}");
    };
    has("batch", "Process bad:bad (pid ");
    has("sms", "[bad:bad](");
    has("fatal", "Process never:never failed to start too many times");
    all_went_well(&daemon);
}
