//! `fg`: what a process prints comes to the screen, what the user types goes to its stdin.

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use crate::base::value::Value;
use crate::base::words::fault;
use crate::ctl::client::LogStream;
use crate::ctl::control::number;
use crate::ctl::dialogue::{Dialogue, exit};
use crate::ctl::help::usage;
use crate::ctl::logs::{HOW_TO_LEAVE, log_path, open_stream};
use crate::ctl::shell::{Heard, Line};
use crate::ctl::trouble::Trouble;

/// The number of RUNNING.
const RUNNING: i64 = 20;
/// How long we go on after the end of the input, so that the answer to the last line is shown. A process that prints
/// all the time gets no more.
const LAST_WORDS: Duration = Duration::from_millis(300);

/// CTL-091, CTL-092.
pub fn fg(dialogue: &mut Dialogue<'_>, words: &[&str]) -> Result<(), Trouble> {
    let name = match words {
        [] => {
            let help = dialogue.find("fg").map(usage).unwrap_or_default();
            return dialogue.refuse(exit::FAILED, &format!("ERROR: no process name supplied\n{help}"));
        }
        [name] => *name,
        _ => return dialogue.refuse(exit::FAILED, "ERROR: too many process names supplied"),
    };
    match dialogue.call("getProcessInfo", &[Value::from(name)]) {
        Ok(info) if number(&info, "state") == RUNNING => {}
        Ok(_) => return dialogue.refuse(exit::FAILED, "ERROR: process not running"),
        Err(trouble) if trouble.is_fault(fault::BAD_NAME) => {
            dialogue.refuse(exit::FAILED, "ERROR: bad process name supplied")?;
            dialogue.suggest_process(name);
            return Ok(());
        }
        // upstream: no failure.
        Err(Trouble::Fault(said)) => return dialogue.say(&format!("ERROR: {}", Trouble::Fault(said))),
        Err(trouble) => return Err(trouble),
    }
    dialogue.screen.catch_interrupts();
    dialogue.say(HOW_TO_LEAVE)?;
    match attend(dialogue, name) {
        // Wherever Ctrl-C comes from here on, it is how one leaves. The terminal shows `^C`; what follows begins a line.
        Err(Trouble::Interrupted) => dialogue.screen.end_interrupted_line(),
        ended => ended?,
    }
    dialogue.say("Exiting foreground")
}

/// Goes on until the user leaves or the process is gone. When the input ends, what the process still answers is
/// shown first.
fn attend(dialogue: &mut Dialogue<'_>, name: &str) -> Result<(), Trouble> {
    let mut streams = Vec::new();
    for channel in ["stdout", "stderr"] {
        streams.extend(open_stream(dialogue, &log_path(name, channel))?);
    }
    // Set at the end of the input.
    let mut deadline: Option<Instant> = None;
    loop {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) {
            return Ok(());
        }
        let heard = match streams.iter().position(LogStream::is_ready) {
            Some(stream) => Heard::Other(stream),
            None => {
                let others: Vec<_> = streams.iter().map(LogStream::as_fd).collect();
                match left {
                    None => dialogue.screen.wait(&others),
                    Some(left) => dialogue.screen.wait_for_others(&others, left),
                }
            }
        };
        match heard {
            Heard::Other(stream) => match streams.get_mut(stream).map(LogStream::next) {
                Some(Ok(Some(bytes))) => dialogue.screen.write(&bytes).map_err(|_| Trouble::OutputClosed)?,
                Some(Err(trouble @ Trouble::Interrupted)) => return Err(trouble),
                Some(_) => drop(streams.remove(stream)),
                None => return Ok(()),
            },
            Heard::Line(Line::Text(line)) => {
                let sent = dialogue.call("sendProcessStdin", &[Value::from(name), Value::from(format!("{line}\n"))]);
                match sent {
                    Ok(_) if is_running(dialogue, name)? => {}
                    Ok(_) => return dialogue.say("Process got killed"),
                    Err(trouble) if trouble.is_fault(fault::NOT_RUNNING) => return dialogue.say("Process got killed"),
                    Err(Trouble::Fault(said)) => return dialogue.say(&format!("ERROR: {}", Trouble::Fault(said))),
                    Err(trouble) => return Err(trouble),
                }
            }
            Heard::Line(Line::Interrupted) => return Err(Trouble::Interrupted),
            Heard::Line(Line::End) => deadline = Some(Instant::now() + LAST_WORDS),
            Heard::Nobody => return Ok(()),
        }
    }
}

fn is_running(dialogue: &mut Dialogue<'_>, name: &str) -> Result<bool, Trouble> {
    let info = dialogue.call("getProcessInfo", &[Value::from(name)])?;
    Ok(number(&info, "state") == RUNNING)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ctl::scripted::{Script, User, fault as failing, one_shot};

    const INFO: &str = "supervisor.getProcessInfo";
    const SEND: &str = "supervisor.sendProcessStdin";

    fn in_state(state: i64) -> (&'static str, Result<Value, Trouble>) {
        (INFO, Ok(Value::Struct(vec![("state".into(), state.into())])))
    }

    #[test]
    fn ctl_091_fg_of_nonsense() {
        let (out, status) = one_shot(&mut Script::new([]), "fg");
        assert!(out.starts_with("ERROR: no process name supplied\nfg <process>\t"), "{out}");
        assert_eq!(status, 1);
        for (line, answer, message) in [
            ("fg a b", None, "ERROR: too many process names supplied\n"),
            ("fg ghost", Some((INFO, failing(10))), "ERROR: bad process name supplied\n"),
            ("fg a", Some(in_state(0)), "ERROR: process not running\n"),
        ] {
            assert_eq!(one_shot(&mut Script::new(answer), line), (message.to_string(), 1));
        }
        // As the oracle: said, but no failure.
        let answer = [(INFO, failing(6))];
        let said = ("ERROR: <Fault 6: 'SHUTDOWN_STATE'>\n".to_string(), 0);
        assert_eq!(one_shot(&mut Script::new(answer), "fg a"), said);
    }

    #[test]
    fn ctl_092_lines_go_to_the_process() {
        let run = |lines: &[&'static str], answers: Vec<(&'static str, Result<Value, Trouble>)>| {
            let mut script = Script::new(answers);
            let mut user = User { lines: lines.iter().copied().collect(), ..User::default() };
            let mut dialogue = Dialogue::new(&mut script, &mut user, Vec::new());
            dialogue.command("fg g:a").unwrap();
            assert_eq!(dialogue.status(), 0);
            let sent: Vec<String> = script.calls.iter().filter(|call| call.starts_with(SEND)).cloned().collect();
            (user.out, sent.len())
        };
        let begin = format!("{HOW_TO_LEAVE}\n");
        let yes = || (SEND, Ok(Value::Bool(true)));
        let end = format!("{begin}Exiting foreground\n");
        let alive = || in_state(20);
        assert_eq!(run(&["one", "two"], vec![alive(), yes(), alive(), yes(), alive()]), (end.clone(), 2));
        let killed = format!("{begin}Process got killed\nExiting foreground\n");
        assert_eq!(run(&["one", "two"], vec![alive(), (SEND, failing(70))]), (killed.clone(), 1));
        assert_eq!(run(&["one", "two"], vec![alive(), yes(), in_state(100)]), (killed, 1));
        let broken = format!("{begin}ERROR: <Fault 20: 'NO_FILE'>\nExiting foreground\n");
        assert_eq!(run(&["one", "two"], vec![in_state(20), (SEND, failing(20))]), (broken, 1));
        assert_eq!(run(&["^C", "two"], vec![alive()]), (end.clone(), 0));
        // Ctrl-C while the server is being asked.
        assert_eq!(run(&["one", "two"], vec![alive(), (SEND, Err(Trouble::Interrupted))]), (end.clone(), 1));
        assert_eq!(run(&["one", "two"], vec![alive(), yes(), (INFO, Err(Trouble::Interrupted))]), (end, 1));
    }
}
