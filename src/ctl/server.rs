//! Commands about the server as a whole: version, shutdown, reload, open.

use crate::base::errno::Errno;
use crate::base::words::fault;
use crate::ctl::dialogue::{Dialogue, exit};
use crate::ctl::trouble::Trouble;

/// CTL-103.
pub fn version(dialogue: &mut Dialogue<'_>, _: &[&str]) -> Result<(), Trouble> {
    let version = dialogue.call("getSupervisorVersion", &[])?;
    dialogue.say(version.as_text().unwrap_or("unknown"))
}

/// CTL-101.
pub fn shutdown(dialogue: &mut Dialogue<'_>, _: &[&str]) -> Result<(), Trouble> {
    let url = dialogue.remote.url().to_string();
    match dialogue.call("shutdown", &[]) {
        Ok(_) => dialogue.say("Shut down"),
        Err(trouble) if trouble.is_fault(fault::SHUTDOWN_STATE) => dialogue.say("ERROR: already shutting down"),
        Err(Trouble::Os(errno @ (Errno::ECONNREFUSED | Errno::ENOENT))) => {
            let what = if errno == Errno::ENOENT { "no such file" } else { "refused connection" };
            dialogue.refuse(exit::FAILED, &format!("ERROR: {url} {what} (already shut down?)"))?;
            dialogue.advise(&Trouble::Os(errno));
            Ok(())
        }
        Err(trouble) => Err(trouble),
    }
}

/// CTL-102.
pub fn reload(dialogue: &mut Dialogue<'_>, _: &[&str]) -> Result<(), Trouble> {
    match dialogue.call("restart", &[]) {
        Ok(_) => dialogue.say("Restarted supervisord"),
        Err(trouble) if trouble.is_fault(fault::SHUTDOWN_STATE) => {
            dialogue.refuse(exit::FAILED, "ERROR: already shutting down")
        }
        Err(Trouble::Fault(said)) if said.code == fault::CANT_REREAD => {
            dialogue.refuse(exit::FAILED, &format!("ERROR: {}", said.text))
        }
        Err(trouble) => Err(trouble),
    }
}

/// CTL-106.
pub fn open(dialogue: &mut Dialogue<'_>, words: &[&str]) -> Result<(), Trouble> {
    let url = words.first().copied().unwrap_or("");
    let scheme = url.split_once("://").map_or("", |parts| parts.0);
    if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("unix") {
        return dialogue.refuse(exit::FAILED, "ERROR: url must be http:// or unix://");
    }
    dialogue.remote.open(url);
    let before = dialogue.status();
    dialogue.show_status()?;
    dialogue.fail(before);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::value::Value;
    use crate::base::words::Fault;
    use crate::ctl::scripted::{Script, fault as failing, one_shot};

    #[test]
    fn ctl_101_to_103_the_server_itself() {
        let run = |method, answer, line| one_shot(&mut Script::new([(method, answer)]), line);
        let text = |text: &str, status| (text.to_string(), status);
        let version = Ok(Value::from("4.3.0"));
        assert_eq!(run("supervisor.getSupervisorVersion", version, "version"), text("4.3.0\n", 0));
        let shutdown = "supervisor.shutdown";
        assert_eq!(run(shutdown, Ok(true.into()), "shutdown"), text("Shut down\n", 0));
        assert_eq!(run(shutdown, failing(6), "shutdown"), text("ERROR: already shutting down\n", 0));
        let away = "ERROR: unix:///s.sock refused connection (already shut down?)\n";
        assert_eq!(run(shutdown, Err(Trouble::Os(Errno::ECONNREFUSED)), "shutdown"), text(away, 1));
        let gone = "ERROR: unix:///s.sock no such file (already shut down?)\n";
        assert_eq!(run(shutdown, Err(Trouble::Os(Errno::ENOENT)), "shutdown"), text(gone, 1));
        let restart = "supervisor.restart";
        assert_eq!(run(restart, Ok(true.into()), "reload"), text("Restarted supervisord\n", 0));
        assert_eq!(run(restart, failing(6), "reload"), text("ERROR: already shutting down\n", 1));
        let broken = Err(Trouble::Fault(Fault::with(92, "no good")));
        assert_eq!(run(restart, broken, "reload"), text("ERROR: CANT_REREAD: no good\n", 1));
    }

    #[test]
    fn ctl_106_open_shows_the_other_server() {
        for line in ["open", "open x", "open gopher://x"] {
            let out = "ERROR: url must be http:// or unix://\n".to_string();
            assert_eq!(one_shot(&mut Script::new([]), line), (out, 1));
        }
        let mut script = Script::new([("supervisor.getAllProcessInfo", Ok(Value::Array(vec![])))]);
        let (out, status) = one_shot(&mut script, "open http://elsewhere:9001");
        assert_eq!((out, status), (String::new(), 0));
        assert_eq!(script.url, "http://elsewhere:9001");
    }
}
