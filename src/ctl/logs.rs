//! Commands that show logs: tail and maintail. `fg` shares their streams.

use crate::base::value::Value;
use crate::base::words::fault;
use crate::ctl::client::{FollowError, LogStream};
use crate::ctl::dialogue::{Dialogue, exit};
use crate::ctl::help::usage;
use crate::ctl::trouble::Trouble;

/// Bytes shown without a number.
const TAIL_BYTES: i64 = 1600;
/// Said above what is followed.
pub const HOW_TO_LEAVE: &str = "==> Press Ctrl-C to exit <==";

/// What the word with the dash asks for.
enum Amount {
    /// `-f`: what is there and whatever comes.
    Follow,
    /// `-<bytes>`: so many from the end.
    Last(i64),
}

impl Amount {
    fn parse(word: &str) -> Option<Amount> {
        match word.strip_prefix('-')? {
            "f" => Some(Amount::Follow),
            digits => digits.parse().ok().map(Amount::Last),
        }
    }
}

fn count_is_wrong(dialogue: &mut Dialogue<'_>, command: &str, what: &str) -> Result<(), Trouble> {
    let help = dialogue.find(command).map(usage).unwrap_or_default();
    dialogue.refuse(exit::FAILED, &format!("Error: {what}\n{help}"))
}

/// CTL-085 to 088.
pub fn tail(dialogue: &mut Dialogue<'_>, words: &[&str]) -> Result<(), Trouble> {
    match words.len() {
        0 => return count_is_wrong(dialogue, "tail", "too few arguments"),
        1..=3 => {}
        _ => return count_is_wrong(dialogue, "tail", "too many arguments"),
    }
    let (modifier, words) = match words.split_first() {
        Some((modifier, rest)) if modifier.starts_with('-') => (Some(*modifier), rest),
        _ => (None, words),
    };
    let Some(name) = words.first() else {
        return dialogue.refuse(exit::FAILED, "Error: tail requires process name");
    };
    // upstream: CTL-086: of three words without a modifier the middle one is ignored.
    let channel = if words.len() > 1 { words[words.len() - 1].to_lowercase() } else { "stdout".to_string() };
    let method = match channel.as_str() {
        "stdout" => "readProcessStdoutLog",
        "stderr" => "readProcessStderrLog",
        _ => return dialogue.refuse(exit::FAILED, &format!("Error: bad channel '{channel}'")),
    };
    let Some(amount) = modifier.map_or(Some(Amount::Last(TAIL_BYTES)), Amount::parse) else {
        return dialogue.refuse(exit::FAILED, &format!("Error: bad argument {}", modifier.unwrap_or("")));
    };
    match amount {
        Amount::Follow => {
            if !follow(dialogue, &log_path(name, &channel))? {
                dialogue.suggest_process(name);
            }
            Ok(())
        }
        Amount::Last(bytes) => show(dialogue, name, method, vec![Value::from(*name)], bytes),
    }
}

/// CTL-089.
pub fn maintail(dialogue: &mut Dialogue<'_>, words: &[&str]) -> Result<(), Trouble> {
    if words.len() > 1 {
        return count_is_wrong(dialogue, "maintail", "too many arguments");
    }
    let Some(amount) = words.first().map_or(Some(Amount::Last(TAIL_BYTES)), |word| Amount::parse(word)) else {
        return dialogue.refuse(exit::FAILED, &format!("Error: bad argument {}", words.join(" ")));
    };
    match amount {
        Amount::Follow => follow(dialogue, "/mainlogtail").map(drop),
        Amount::Last(bytes) => show(dialogue, "supervisord", "readLog", Vec::new(), bytes),
    }
}

/// The end of a log and a line end (CTL-085), or what is wrong with it (CTL-087).
fn show(
    dialogue: &mut Dialogue<'_>,
    name: &str,
    method: &str,
    mut params: Vec<Value>,
    bytes: i64,
) -> Result<(), Trouble> {
    params.extend([Value::from(bytes.wrapping_neg()), Value::from(0)]);
    let said = match dialogue.call(method, &params) {
        Ok(text) => return dialogue.say(text.as_text().unwrap_or("")),
        Err(Trouble::Fault(said)) => said,
        Err(trouble) => return Err(trouble),
    };
    let why = match said.code {
        fault::NO_FILE => "no log file",
        fault::FAILED => "unknown error reading log",
        fault::BAD_NAME => "no such process name",
        _ => return Err(Trouble::Fault(said)),
    };
    dialogue.refuse(exit::FAILED, &format!("{name}: ERROR ({why})"))?;
    if said.code == fault::BAD_NAME && method != "readLog" {
        dialogue.suggest_process(name);
    }
    Ok(())
}

/// Where the daemon streams a log (HTTP-100); bytes that mean something else in a path are written as `%XX`.
pub fn log_path(name: &str, channel: &str) -> String {
    let mut path = "/logtail/".to_string();
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b':' | b'*' | b'+' | b'@' | b',' => {
                path.push(char::from(byte));
            }
            byte => path.push_str(&format!("%{byte:02X}")),
        }
    }
    path + "/" + channel
}

/// Prints a log as it grows, until Ctrl-C or the server's end (CTL-088). False: it could not even begin.
fn follow(dialogue: &mut Dialogue<'_>, path: &str) -> Result<bool, Trouble> {
    // First, for whoever reads the line may press it at once.
    dialogue.screen.catch_interrupts();
    dialogue.say(HOW_TO_LEAVE)?;
    let mut stream = match open_stream(dialogue, path) {
        Ok(Some(stream)) => stream,
        Ok(None) => return Ok(false),
        Err(Trouble::Interrupted) => return dialogue.say("").map(|()| true),
        Err(trouble) => return Err(trouble),
    };
    loop {
        match stream.next() {
            Ok(Some(bytes)) => dialogue.screen.write(&bytes).map_err(|_| Trouble::OutputClosed)?,
            Ok(None) => return Ok(true),
            Err(Trouble::Interrupted) => return dialogue.say("").map(|()| true),
            Err(trouble) => return Err(trouble),
        }
    }
}

/// Begins a stream. What stands in the way goes to stderr and is no failure.
pub fn open_stream(dialogue: &mut Dialogue<'_>, path: &str) -> Result<Option<LogStream>, Trouble> {
    let complaint = match dialogue.remote.follow(path) {
        Ok(stream) => return Ok(Some(stream)),
        Err(FollowError::Status(status)) => format!("Cannot read, status code {status}"),
        Err(FollowError::Trouble(Trouble::Interrupted)) => return Err(Trouble::Interrupted),
        Err(FollowError::Trouble(trouble)) => {
            format!("Cannot connect, error: <class '{}'> ({trouble})", trouble.class())
        }
    };
    let url = format!("{}{path}", dialogue.remote.url());
    dialogue.screen.complain(&format!("{url} {complaint}"));
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ctl::scripted::{Script, fault as failing, one_shot};

    const OUT: &str = "supervisor.readProcessStdoutLog";
    const ERR: &str = "supervisor.readProcessStderrLog";

    #[test]
    fn ctl_085_tail_asks_for_the_end() {
        for (line, method, call) in [
            ("tail web", OUT, "('web', -1600, 0)"),
            ("tail -9 g:web", OUT, "('g:web', -9, 0)"),
            ("tail -0 web", OUT, "('web', 0, 0)"),
            ("tail web StdErr", ERR, "('web', -1600, 0)"),
            ("tail -7 web stderr", ERR, "('web', -7, 0)"),
            ("tail web ignored stderr", ERR, "('web', -1600, 0)"),
        ] {
            let mut script = Script::new([(method, Ok(Value::from("text\n")))]);
            assert_eq!(one_shot(&mut script, line), ("text\n\n".to_string(), 0));
            assert_eq!(script.calls, [format!("{method}{call}")]);
        }
    }

    #[test]
    fn ctl_086_tail_of_nonsense() {
        for (line, message) in [
            ("tail", "Error: too few arguments\ntail [-f] <name>"),
            ("tail a b c d", "Error: too many arguments\ntail [-f] <name>"),
            ("tail -f", "Error: tail requires process name\n"),
            ("tail web LOG", "Error: bad channel 'log'\n"),
            ("tail -x web log", "Error: bad channel 'log'\n"),
            ("tail -x web", "Error: bad argument -x\n"),
            ("tail - web", "Error: bad argument -\n"),
            ("maintail web", "Error: bad argument web\n"),
            ("maintail -x", "Error: bad argument -x\n"),
            ("maintail -1 -2", "Error: too many arguments\nmaintail -f"),
        ] {
            let (out, status) = one_shot(&mut Script::new([]), line);
            assert!(out.starts_with(message), "{line}: {out}");
            assert_eq!(status, 1);
        }
    }

    /// CTL-087 and CTL-089.
    #[test]
    fn ctl_087_faults() {
        for (code, why) in [(20, "no log file"), (30, "unknown error reading log"), (10, "no such process name")] {
            let out = one_shot(&mut Script::new([(OUT, failing(code))]), "tail g:web");
            assert_eq!(out, (format!("g:web: ERROR ({why})\n"), 1));
            let out = one_shot(&mut Script::new([("supervisor.readLog", failing(code))]), "maintail");
            assert_eq!(out, (format!("supervisord: ERROR ({why})\n"), 1));
        }
        let mut script = Script::new([("supervisor.readLog", Ok(Value::from("x")))]);
        assert_eq!(one_shot(&mut script, "maintail -5"), ("x\n".to_string(), 0));
        assert_eq!(script.calls, ["supervisor.readLog(-5, 0)"]);
    }

    #[test]
    fn ctl_088_following_what_isn_t_there_is_no_failure() {
        let mut script = Script::new([]);
        let out = format!("{HOW_TO_LEAVE}\n");
        assert_eq!(one_shot(&mut script, "tail -f g:we%b/x stderr"), (out.clone(), 0));
        assert_eq!(one_shot(&mut script, "maintail -f"), (out, 0));
        assert_eq!(script.calls, ["GET /logtail/g:we%25b%2Fx/stderr", "GET /mainlogtail"]);
    }
}
