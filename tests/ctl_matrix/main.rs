//! The cross matrix: our `supervisorctl` and the published one (4.3.0), each on our daemon and on the published one,
//! go through the same commands. Standard output and exit status must be the same everywhere, but for the differences
//! that the contract asks for, which are listed in `steps` and must be there.

mod steps;
#[path = "../support/mod.rs"]
mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};

use steps::{CONFIG, Configure, DIFFERENCES, Gone, Interrupted, Reloaded, Run, STEPS, State, Typed};
use support::daemon::{Daemon, Setup};
use support::python::python;
use support::{proc, upstream, wait_until};

/// Who plays a part.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Side {
    Ours,
    Published,
}
use Side::{Ours, Published};

/// What one command gave: everything that changes from run to run is masked.
#[derive(Clone, PartialEq, Debug)]
struct Said {
    line: String,
    out: String,
    status: Option<i32>,
}

/// The client's command.
fn client(side: Side, daemon: &Daemon, words: &str) -> Command {
    let mut command = match side {
        Published => python().program(daemon.path(), "supervisorctl"),
        Ours => {
            let mut command = Command::new(env!("CARGO_BIN_EXE_supervisorctl"));
            command.env_clear().envs([("LANG", "C.UTF-8"), ("LC_ALL", "C.UTF-8")]).env("HOME", daemon.path());
            command
        }
    };
    let words = words.replace("@PORT@", &daemon.port().to_string()).replace("@DIR@", &daemon.path().to_string_lossy());
    command.current_dir(daemon.path()).arg("-c").arg(daemon.config()).args(words.split_whitespace());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

fn finish(mut child: Child, daemon: &Daemon, line: &str, before: String) -> Said {
    wait_until(line, 60, || child.try_wait().expect("its status").is_some());
    let output = child.wait_with_output().expect("the client's output");
    let out = before + &String::from_utf8(output.stdout).expect("text");
    Said { line: line.to_string(), out: masked(&out, daemon, line), status: output.status.code() }
}

/// The output without what changes from run to run.
fn masked(out: &str, daemon: &Daemon, line: &str) -> String {
    let out = out.replace(&*daemon.path().to_string_lossy(), "@DIR@").replace(&daemon.port().to_string(), "@PORT@");
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let mask = |text: &str| -> String {
        // Of help the usage counts; of an error what stands in front of the place.
        if let Some((usage, _)) = text.split_once('\t') {
            return format!("{}\t", usage.trim_end());
        }
        if text.starts_with("Note: ") {
            return "Note: ".to_string();
        }
        // What the main log has is another matter.
        if line == "maintail -f" && !text.starts_with("==>") {
            return String::new();
        }
        if let Some((error, _)) = text.split_once(": file: ").filter(|_| text.starts_with("error: ")) {
            return error.to_string();
        }
        let is_pid = |word: &str| digits(word) && word != "0";
        if line.starts_with("pid") && is_pid(text) {
            return "@PID@".to_string();
        }
        match text.split_once("pid ") {
            Some((name, _)) if text.contains(", uptime ") => format!("{name}pid @PID@, uptime @UPTIME@"),
            // `Nov 25 10:41 PM`
            _ if text.ends_with(" AM") || text.ends_with(" PM") => text[..text.len() - 15].to_string() + "@STOPTIME@",
            _ => text.to_string(),
        }
    };
    let mut lines: Vec<String> = out.split('\n').map(mask).collect();
    if line == "maintail -f" {
        lines.dedup();
    }
    // Which of several is ready first is chance; what is stopped comes before what is started.
    let several = line.ends_with(" all") || line.contains("fleet:*");
    if several && !line.starts_with("status") && !line.starts_with("pid") {
        lines.sort_by_key(|text| (text.ends_with(": started"), text.clone()));
    }
    lines.join("\n")
}

/// Waits until a process waits itself: the published client forgets an interrupt that comes while it is at work.
fn rest_a_moment(pid: i64) {
    wait_until("a process at rest", 60, || {
        let before = proc::switches(pid);
        std::thread::sleep(std::time::Duration::from_millis(30));
        proc::switches(pid) == before && proc::stat(pid).is_some_and(|fields| fields[0] == "S")
    });
}

/// Goes through all steps.
fn play(client_side: Side, daemon_side: Side) -> Vec<Said> {
    let program = match daemon_side {
        Ours => env!("CARGO_BIN_EXE_supervisord").into(),
        Published => python().path("supervisord"),
    };
    let mut daemon = Setup::new(CONFIG).file("locked.sh", "#!/bin/sh\n").program(program).start();
    let mut said = Vec::new();
    for step in STEPS {
        match step {
            Run(line) => {
                let child = client(client_side, &daemon, line).spawn().expect("the client");
                said.push(finish(child, &daemon, line, String::new()));
            }
            Typed(line, input) => {
                let mut child = client(client_side, &daemon, line).stdin(Stdio::piped()).spawn().expect("the client");
                // One that doesn't ask may have ended already.
                let _ = child.stdin.take().expect("its input").write_all(input.as_bytes());
                said.push(finish(child, &daemon, &format!("{line} < {input:?}"), String::new()));
            }
            Interrupted(line, last) => {
                // An input without end: `fg` reads it.
                let mut child = client(client_side, &daemon, line).stdin(Stdio::piped()).spawn().expect("the client");
                let input = child.stdin.take();
                let mut out = BufReader::new(child.stdout.take().expect("its output"));
                let mut shown = String::new();
                while !shown.ends_with(&format!("{last}\n")) {
                    assert_ne!(out.read_line(&mut shown).expect("a line"), 0, "{line}: {shown}");
                }
                rest_a_moment(child.id().into());
                proc::send(&[child.id().into()], "INT");
                let mut rest = String::new();
                out.read_to_string(&mut rest).expect("the rest");
                drop(input);
                // How often it was said by then is chance.
                shown.push_str(&rest);
                let mut lines: Vec<&str> = shown.split('\n').collect();
                lines.dedup_by(|one, other| one == other && *one == *last);
                said.push(finish(child, &daemon, line, lines.join("\n")));
            }
            Configure(change) => daemon.configure(&change(CONFIG)),
            State(name, state) => drop(daemon.wait_for_state(name, state)),
            Reloaded => wait_until("the reload", 40, || {
                daemon.log().matches("supervisord started with pid").count() > 1
                    && client(client_side, &daemon, "pid").status().is_ok_and(|status| status.success())
            }),
            Gone => assert!(daemon.wait_for_exit().success()),
        }
    }
    said
}

/// BUG-090 to BUG-096 and the others that are listed are the only differences.
#[test]
fn the_same_words_everywhere() {
    if upstream() {
        println!("left out for the published program: the matrix has both");
        return;
    }
    // Made once, before all want it.
    drop(python());
    let pairs = [(Ours, Ours), (Published, Ours), (Ours, Published), (Published, Published)];
    let played: Vec<_> = pairs.map(|(client, daemon)| std::thread::spawn(move || play(client, daemon))).into();
    let played: Vec<Vec<Said>> = played.into_iter().map(|player| player.join().expect("a whole run")).collect();
    let mut wrong = Vec::new();
    let mut used = vec![false; DIFFERENCES.len()];
    for ((client, daemon), said) in pairs.iter().zip(&played).skip(1) {
        for (ours, theirs) in played[0].iter().zip(said) {
            let mut cured = theirs.clone();
            for (place, known) in DIFFERENCES.iter().enumerate() {
                let side = if known.by_client { client } else { daemon };
                let fits = match known.line.strip_suffix('*') {
                    Some(start) if !start.ends_with(':') => ours.line.starts_with(start),
                    _ => ours.line == known.line,
                };
                if fits && *side == Published {
                    cured.out = (known.cure)(&cured.out);
                    used[place] |= cured != *theirs;
                }
            }
            if *ours != cured {
                wrong.push(format!(
                    "client {client:?}, daemon {daemon:?}: {}\n  {:?} {:?}\n  {:?} {:?}",
                    ours.line, ours.status, ours.out, theirs.status, theirs.out
                ));
            }
        }
    }
    for (known, _) in DIFFERENCES.iter().zip(&used).filter(|(_, used)| !**used) {
        wrong.push(format!("{}: {} does not differ", known.rule, known.line));
    }
    assert!(wrong.is_empty(), "{} of {}\n{}", wrong.len(), played[0].len(), wrong.join("\n"));
}
