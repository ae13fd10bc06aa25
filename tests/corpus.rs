//! A hundred configurations from public repositories: the same verdict and the same effective values as Supervisor
//! 4.3.0 gave.
//!
//! The files belong to other people and lie beside the repository, in `../shared/corpus`, or where MAJORDOMO_SHARED
//! says. Without them nothing is tested here, and the test says so.

mod machine;

use std::path::PathBuf;
use std::rc::Rc;

use machine::{Folder, Machine};
use majordomo::config::json::Secrets;
use majordomo::config::options::{Asked, complaint, parse_daemon};
use majordomo::config::spec::{Config, InterfaceKind};
use majordomo::config::table::TABLES;
use majordomo::config::{Surroundings, json, load};
use serde_json::Value;

fn corpus() -> Option<PathBuf> {
    let shared = std::env::var_os("MAJORDOMO_SHARED")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared")), PathBuf::from);
    let corpus = shared.join("corpus");
    corpus.join("verdicts.jsonl").exists().then_some(corpus)
}

/// Takes the machine out of a configuration, as the corpus' README says.
fn soften(text: &str) -> String {
    let mut out = String::new();
    let mut section = String::new();
    let mut has_daemon = false;
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(['\n', '\r']).unwrap_or(rest.len());
        let (line, tail) = rest.split_at(end);
        let ending = if tail.starts_with("\r\n") { 2 } else { tail.len().min(1) };
        if let Some(name) = header(line) {
            section = name.to_string();
            has_daemon |= section == "supervisord";
        }
        out += &soften_line(line, &section);
        out += &tail[..ending];
        rest = &tail[ending..];
    }
    if !has_daemon {
        if !out.is_empty() && !out.ends_with(['\n', '\r']) {
            out.push('\n');
        }
        out += "[supervisord]\n";
    }
    out
}

const BLANKS: [char; 4] = [' ', '\t', '\u{b}', '\u{c}'];

fn header(line: &str) -> Option<&str> {
    let inner = line.trim_start_matches(BLANKS).strip_prefix('[')?;
    let end = inner.find(']')?;
    (end > 0).then(|| &inner[..end])
}

fn soften_line(line: &str, section: &str) -> String {
    let content = line.trim_start_matches(BLANKS);
    if content.is_empty() || content.starts_with([';', '#']) || header(line).is_some() {
        return line.to_string();
    }
    let key_end = content.find(|c: char| !c.is_ascii_alphabetic() && c != '_').unwrap_or(content.len());
    let (key, after) = content.split_at(key_end);
    let Some(value) = after.trim_start_matches(BLANKS).strip_prefix(['=', ':']) else { return line.to_string() };
    if key.is_empty() {
        return line.to_string();
    }
    let value = value.trim_start_matches(BLANKS);
    let start = line.len() - value.len();
    let mut end = value.len();
    for (at, _) in value.match_indices(BLANKS) {
        if value[at + 1..].starts_with([';', '#']) {
            // The white space before the mark belongs to what follows.
            end = value[..at].trim_end_matches(BLANKS).len();
            break;
        }
    }
    let (value, rest) = value.split_at(end);
    match key.to_ascii_lowercase().as_str() {
        "user" | "chown" | "socket_owner" => String::new(),
        "logfile" | "pidfile" | "stdout_logfile" | "stderr_logfile" => match value.rfind('/') {
            Some(slash) if !value.starts_with("/dev/") && !value.starts_with("/proc/") => {
                format!("{}logs/{}{rest}", &line[..start], &value[slash + 1..])
            }
            _ => line.to_string(),
        },
        "directory" | "childlogdir" if section == "supervisord" => format!("{}logs{rest}", &line[..start]),
        _ => line.to_string(),
    }
}

/// Whether this machine gives the answers that the verdict rests on.
fn holds(verdict: &Value, around: &dyn Surroundings, here: &str) -> bool {
    let answers = |what: &str| verdict["machine"][what].as_object().cloned().unwrap_or_default();
    let dirs = answers("dirs")
        .into_iter()
        .all(|(path, there)| around.is_dir(&path.replace("<HERE>", here)) == there.as_bool().unwrap_or(false));
    let users = answers("users").into_iter().all(|(name, uid)| {
        let user = match name.parse() {
            Ok(uid) => around.user_by_id(uid),
            Err(_) => around.user_by_name(&name),
        };
        user.map(|user| u64::from(user.uid)) == uid.as_u64()
    });
    let groups = answers("groups").into_iter().all(|(name, gid)| match name.parse::<u32>() {
        Ok(number) => around.group_exists(number) != gid.is_null(),
        Err(_) => around.group_by_name(&name).map(u64::from) == gid.as_u64(),
    });
    dirs && users && groups
}

/// Effective values in the form of a verdict: without what is ours.
fn effective(config: &Config) -> Value {
    let mut value: Value = serde_json::from_str(&json::effective(config, Secrets::Shown)).unwrap();
    for row in TABLES.iter().flat_map(|table| table.all_rows()).filter(|row| row.ours) {
        value["supervisord"].as_object_mut().unwrap().remove(row.key);
    }
    for server in value["servers"].as_array_mut().unwrap() {
        let server = server.as_object_mut().unwrap();
        for row in TABLES.iter().flat_map(|table| table.all_rows()).filter(|row| row.ours) {
            server.remove(row.key);
        }
    }
    for interface in value["rpcinterfaces"].as_array_mut().unwrap() {
        interface["settings"].as_object_mut().unwrap().remove("maxbytes");
    }
    for group in value["groups"].as_array_mut().unwrap() {
        let group = group.as_object_mut().unwrap();
        group.remove("len_unit");
        group.remove("exit_status_in_events");
    }
    let is_theirs = |text: &Value| {
        let text = text.as_str().unwrap_or_default();
        !text.contains(": unknown ") && !text.starts_with("Two ")
    };
    value["warnings"].as_array_mut().unwrap().retain(is_theirs);
    value
}

/// Where two values differ, for a person to read.
fn differences(wanted: &Value, got: &Value, path: &str, out: &mut Vec<String>) {
    match (wanted, got) {
        (Value::Object(one), Value::Object(other)) => {
            let keys: std::collections::BTreeSet<&String> = one.keys().chain(other.keys()).collect();
            for key in keys {
                differences(&wanted[key], &got[key], &format!("{path}.{key}"), out);
            }
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            for (at, (one, other)) in one.iter().zip(other).enumerate() {
                differences(one, other, &format!("{path}[{at}]"), out);
            }
        }
        _ if wanted == got => {}
        _ => out.push(format!("    {path}: wanted {wanted}, got {got}")),
    }
}

/// The part of Supervisor's message that ours must contain.
fn essential(error: &str) -> String {
    let text = error.strip_prefix("Error: ").unwrap_or(error);
    let text = text.split("\nFor help").next().unwrap_or(text);
    // The words behind this are Python's own.
    if let Some(at) = text.find("is badly formatted: ") {
        return text[..at].to_string();
    }
    // BUG-068.
    if let Some(rest) = text.strip_prefix("('Bad socket format %s', '") {
        return format!("Bad socket format {}", rest.replace("')", ""));
    }
    text.to_string()
}

/// Judges one file in one way; the result says what is wrong, or `None` if the machine is another.
fn judge(text: &str, verdict: &Value) -> Option<Vec<String>> {
    let folder = Folder::new();
    let here = folder.path();
    std::fs::create_dir(folder.0.join("logs")).unwrap();
    std::fs::write(folder.0.join("supervisord.conf"), text).unwrap();
    let env = verdict["env"].as_object().unwrap();
    let env = env.iter().map(|(name, value)| (name.clone(), value.as_str().unwrap().to_string())).collect();
    let around: Rc<dyn Surroundings> = Rc::new(Machine { env, cwd: here.clone() });
    if !holds(verdict, &*around, &here) {
        return None;
    }
    let args = ["supervisord", "-c", "supervisord.conf"].map(String::from);
    let Ok(Asked::Run(options)) = parse_daemon(&args, &around) else { panic!("not run") };
    let mut wrong = Vec::new();
    match (load(&options, &around), verdict.get("error")) {
        (Ok(config), None) => {
            let text = effective(&config).to_string().replace(&here, "<HERE>");
            differences(&verdict["ok"], &serde_json::from_str(&text).unwrap(), "ok", &mut wrong);
        }
        (Err(errors), Some(error)) => {
            let ours = complaint(&errors, "supervisord").replace(&here, "<HERE>");
            let wanted = essential(error.as_str().unwrap());
            if !ours.contains(&wanted) {
                wrong.push(format!("    wanted {wanted}\n    got    {ours}"));
            }
        }
        (Ok(config), Some(error)) => {
            let foreign = config.interfaces.iter().find_map(|interface| match &interface.kind {
                InterfaceKind::Foreign { factory } => Some(factory),
                _ => None,
            });
            // A factory that is not built in is no mistake for us: a critical line says so. And a result handler that
            // was not installed where the verdicts were made is built in.
            let known = ["supervisor_stdout:event_handler"].into_iter().chain(foreign.map(String::as_str));
            let error_text = error.as_str().unwrap_or_default();
            let expected =
                known.into_iter().any(|name| error_text.starts_with(&format!("Error: {name} cannot be resolved")));
            if !expected {
                wrong.push(format!("    accepted, wanted {error}"));
            }
        }
        (Err(errors), None) => wrong.push(format!("    refused: {}", complaint(&errors, "supervisord"))),
    }
    Some(wrong)
}

#[test]
fn every_file_gets_the_recorded_verdict() {
    let Some(corpus) = corpus() else {
        println!("SKIPPED: no corpus at ../shared/corpus, nothing was compared (MAJORDOMO_SHARED can name its parent)");
        return;
    };
    let mut wrong = Vec::new();
    let (mut judged, mut skipped) = (0, 0);
    for line in std::fs::read_to_string(corpus.join("verdicts.jsonl")).unwrap().lines() {
        let verdicts: Value = serde_json::from_str(line).unwrap();
        let file = verdicts["file"].as_str().unwrap();
        let text = std::fs::read_to_string(corpus.join(file)).unwrap();
        let softened = soften(&text);
        for (variant, text) in [("a", &text), ("b", &text), ("c", &softened), ("d", &softened)] {
            let Some(verdict) = verdicts.get(variant) else { continue };
            match judge(text, verdict) {
                None => skipped += 1,
                Some(what) => {
                    judged += 1;
                    if !what.is_empty() {
                        wrong.push(format!("{file} {variant}\n{}", what.join("\n")));
                    }
                }
            }
        }
    }
    println!("{judged} verdicts compared, {skipped} skipped because this machine is another");
    assert!(judged > 150, "only {judged} verdicts could be compared");
    assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong.join("\n"));
}
