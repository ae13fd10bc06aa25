//! The recorded conversations of event listeners, held by our daemon and a real listener (`tests/python/listener.py`).
//! `tests/vectors/README.md` says how they were recorded.

mod support;

use std::fs;
use std::path::Path;

use majordomo::base::value::Value;
use serde_json::Value as Json;
use support::daemon::{Daemon, Setup};
use support::{QUIET, wait_for};

fn vectors() -> Vec<Json> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/events.jsonl");
    let text = fs::read_to_string(path).expect("the recorded conversations");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn text(json: &Json) -> &str {
    json.as_str().expect("a text")
}

fn texts(json: &Json) -> Vec<&str> {
    json.as_array().expect("an array").iter().map(text).collect()
}

/// The command line word for a recorded reply: `ok`, `fail` or `'raw:DONE\n'`.
fn reply(recorded: &str) -> String {
    format!("\"{}\"", recorded.trim_matches('\'').replace('\\', "\\\\"))
}

fn start(vector: &Json) -> Daemon {
    let listener = &vector["listener"];
    let replies: Vec<String> = texts(&listener["replies"]).into_iter().map(reply).collect();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/listener.py");
    let section = format!(
        "[eventlistener:{}]\ncommand=python3 {} @DIR@/record {}\nevents={}\nstartsecs=0\n{}\n",
        text(&listener["name"]),
        script.display(),
        replies.join(" "),
        text(&listener["events"]),
        texts(&listener["settings"]).join("\n")
    );
    Setup::new(&format!("{QUIET}{section}{}", text(&vector["programs"]))).start()
}

/// `method[arguments]`, or `waited for NAME to be STATE`.
fn act(daemon: &Daemon, action: &str) {
    if let Some(rest) = action.strip_prefix("waited for ") {
        let (name, state) = rest.split_once(" to be ").expect("a state");
        daemon.wait_for_state(name, state);
        return;
    }
    let (method, arguments) = action.split_at(action.find('[').expect("arguments"));
    let arguments: Json = serde_json::from_str(arguments).expect("JSON");
    let arguments: Vec<Value> = arguments
        .as_array()
        .expect("an array")
        .iter()
        .map(|argument| match argument {
            Json::Bool(truth) => Value::Bool(*truth),
            other => Value::str(text(other)),
        })
        .collect();
    daemon.call(&format!("supervisor.{method}"), &arguments);
}

/// A message with its pid masked; the length then says nothing, so it is checked here and masked, too.
fn masked(message: &str, checks: bool) -> String {
    let Some((header, payload)) = message.split_once('\n').filter(|(header, _)| header.starts_with("ver:")) else {
        return message.to_string();
    };
    let Some(at) = payload.find(" pid:").map(|at| at + 5) else { return message.to_string() };
    if checks {
        assert!(header.ends_with(&format!(" len:{}", payload.chars().count())), "{message}");
    }
    let rest = payload[at..].trim_start_matches(|sign: char| sign.is_ascii_digit());
    let rest = rest.strip_prefix("@PID@").unwrap_or(rest);
    let header = header.rsplit_once(" len:").expect("a length").0;
    format!("{header}\n{}@PID@{rest}", &payload[..at])
}

/// EVT-003 to EVT-009, EVT-012, EVT-015, EVT-017, EVT-019, EVT-024, EVT-025, EVT-087, EVT-088, EVT-090, EVT-104, EVT-106,
/// EVT-123.
#[test]
fn recorded_conversations() {
    let mut wrong = Vec::new();
    let vectors = vectors();
    assert!(vectors.len() >= 12);
    for vector in &vectors {
        let name = text(&vector["name"]);
        let daemon = start(vector);
        daemon.wait_for_state(text(&vector["listener"]["name"]), "RUNNING");
        texts(&vector["actions"]).into_iter().for_each(|action| act(&daemon, action));
        let wanted: Vec<(String, String)> = lines(&vector["conversation"], false);
        let got = wait_for(&format!("{name}: {} messages", wanted.len()), 30, || {
            let record = daemon.text("record");
            let whole = record.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
            let got = lines(&Json::Array(whole), true);
            (got.len() >= wanted.len()).then_some(got)
        });
        if got != wanted {
            wrong.push(format!("{name}\n  wanted {wanted:#?}\n  got {got:#?}"));
        }
        let lines = wait_for(&format!("{name}: lines of the log"), 20, || {
            let said =
                daemon.messages().into_iter().filter(|line| line.starts_with("WARN") || line.starts_with("ERRO"));
            let said: Vec<String> = said.filter(|line| line.contains("watcher")).collect();
            (said.len() >= texts(&vector["log"]).len()).then_some(said)
        });
        let wanted = texts(&vector["log"]);
        if lines.len() != wanted.len() || lines.iter().zip(&wanted).any(|(line, start)| !line.starts_with(start)) {
            wrong.push(format!("{name}\n  wanted in the log {wanted:#?}\n  got {lines:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Who speaks, and what.
fn lines(conversation: &Json, checks: bool) -> Vec<(String, String)> {
    let entries = conversation.as_array().expect("an array").iter();
    let pairs = entries.flat_map(|entry| entry.as_object().expect("an object"));
    pairs.map(|(who, words)| (who.clone(), masked(text(words), checks))).collect()
}
