//! What a human at a terminal is told beside the message that scripts know: the nearest name, and what to do about a
//! server that is away. Goes to stderr, and only where somebody looks; asks the server only then.

use crate::base::errno::Errno;
use crate::base::text::{display_name, nearest};
use crate::base::value::Value;
use crate::base::words::SIGNALS;
use crate::ctl::control::{items, text};
use crate::ctl::dialogue::Dialogue;
use crate::ctl::trouble::Trouble;

impl Dialogue<'_> {
    /// The command that was perhaps meant.
    pub fn suggest_command(&mut self, word: &str) {
        let names: Vec<String> = self.commands().map(|command| command.name.to_string()).collect();
        let lower = word.to_lowercase();
        if !self.suggest_among(&lower, names) {
            self.screen.hint("`help` lists the commands.");
        }
    }

    /// The process, or group written `group:*`, that was perhaps meant.
    pub fn suggest_process(&mut self, word: &str) {
        let whole = word.ends_with(":*") || word.ends_with(':');
        let names =
            self.names(
                "getAllProcessInfo",
                |group, name| {
                    if whole { format!("{group}:*") } else { display_name(group, name) }
                },
            );
        self.suggest_among(word, names);
    }

    /// The active group that was perhaps meant.
    pub fn suggest_group(&mut self, word: &str) {
        let names = self.names("getAllProcessInfo", |group, _| group.to_string());
        self.suggest_among(word, names);
    }

    /// The group of the configuration that was perhaps meant.
    pub fn suggest_configured(&mut self, word: &str) {
        let names = self.names("getAllConfigInfo", |group, _| group.to_string());
        self.suggest_among(word, names);
    }

    /// The signal that was perhaps meant.
    pub fn suggest_signal(&mut self, word: &str) {
        let upper = word.to_uppercase();
        let word = upper.strip_prefix("SIG").unwrap_or(&upper);
        self.suggest_among(word, SIGNALS.iter().map(|row| row.0.trim_start_matches("SIG").to_string()).collect());
    }

    /// One of these that is near enough. False: none is.
    pub fn suggest_among(&mut self, word: &str, names: Vec<String>) -> bool {
        match nearest(word, names.iter().map(String::as_str)) {
            Some(name) => {
                self.screen.hint(&format!("Did you mean `{name}`?"));
                true
            }
            None => false,
        }
    }

    /// Names of all that a method lists; none where nobody would see them.
    fn names(&mut self, method: &str, shown: impl Fn(&str, &str) -> String) -> Vec<String> {
        if !self.screen.shows_hints() {
            return Vec::new();
        }
        let infos = self.call(method, &[]).unwrap_or(Value::Nil);
        items(&infos).iter().map(|info| shown(text(info, "group"), text(info, "name"))).collect()
    }

    /// What to do about a server that can't be asked.
    pub fn advise(&mut self, trouble: &Trouble) {
        let is_unix = self.remote.url().starts_with("unix://");
        let advice = match trouble {
            Trouble::Os(Errno::ENOENT | Errno::ECONNREFUSED) => {
                let what = match trouble {
                    Trouble::Os(Errno::ENOENT) => "There is no such socket",
                    _ if is_unix => "The socket is there, but nobody listens to it",
                    _ => "Nobody listens there",
                };
                let start = match self.file() {
                    Some(file) => format!("supervisord -c {file}"),
                    None => "supervisord".to_string(),
                };
                let file = match self.file() {
                    Some(file) => format!("serverurl in {file}"),
                    None => "a configuration file (-c FILE; none was found)".to_string(),
                };
                format!("{what}: is supervisord running? `{start}` starts it. -s URL or {file} says where it listens.")
            }
            Trouble::Os(Errno::EACCES | Errno::EPERM) => "You may not use this socket: try as its owner or as root. \
                                                          chmod and chown in [unix_http_server] say who may."
                .to_string(),
            Trouble::Resolver(..) => "Is the name of the host right?".to_string(),
            Trouble::Status { code: 401, .. } => {
                "Give -u NAME and -p PASSWORD, or username and password in [supervisorctl].".to_string()
            }
            _ => return,
        };
        self.screen.hint(&advice);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ctl::scripted::{Script, User, fault};

    /// What a human is told about a line, and what everybody sees.
    fn told(line: &str, answers: Vec<(&'static str, Result<Value, Trouble>)>, looking: bool) -> (String, String) {
        let mut script = Script::new(answers);
        let mut user = User { hints: looking.then(String::new), ..User::default() };
        let mut dialogue = Dialogue::new(&mut script, &mut user, Vec::new());
        dialogue.set_file(Some("sd.conf".to_string()));
        dialogue.command(line).unwrap();
        assert!(script.answers.is_empty(), "left: {:?}", script.answers);
        assert_eq!(user.err, "");
        (user.hints.unwrap_or_default(), user.out)
    }

    fn infos() -> Result<Value, Trouble> {
        let info = |group: &str, name: &str| {
            Value::Struct(vec![
                ("group".into(), group.into()),
                ("name".into(), name.into()),
                ("state".into(), 20.into()),
            ])
        };
        Ok(Value::Array(vec![info("web", "web"), info("fleet", "north")]))
    }

    #[test]
    fn a_wrong_name_suggests_the_nearest() {
        const ALL: &str = "supervisor.getAllProcessInfo";
        let meant = |name: &str| format!("Did you mean `{name}`?\n");
        for (line, method, name) in [
            ("stop wbe", "supervisor.stopProcess", "web"),
            ("start fleet:nroth", "supervisor.startProcess", "fleet:north"),
            ("start fleed:*", "supervisor.startProcessGroup", "fleet:*"),
            ("clear wep", "supervisor.clearProcessLogs", "web"),
            ("pid webb", "supervisor.getProcessInfo", "web"),
            ("tail wep", "supervisor.readProcessStdoutLog", "web"),
            ("fg wep", "supervisor.getProcessInfo", "web"),
            ("signal HUP wep", "supervisor.signalProcess", "web"),
            ("remove fleed", "supervisor.removeProcessGroup", "fleet"),
        ] {
            let (hint, out) = told(line, vec![(method, fault(10)), (ALL, infos())], true);
            assert_eq!(hint, meant(name), "{line}");
            // Nobody looks: the same words, and not one question more.
            assert_eq!(told(line, vec![(method, fault(10))], false), (String::new(), out), "{line}");
        }
        assert_eq!(told("status wep", vec![(ALL, infos()), (ALL, infos())], true).0, meant("web"));
        let add = vec![("supervisor.addProcessGroup", fault(10)), ("supervisor.getAllConfigInfo", infos())];
        assert_eq!(told("add wep", add, true).0, meant("web"));
        assert_eq!(told("signal SIGHPU web", vec![("supervisor.signalProcess", fault(11))], true).0, meant("HUP"));
        assert_eq!(told("stauts", vec![], true).0, meant("status"));
        assert_eq!(told("Status", vec![], true).0, meant("status"));
        assert_eq!(told("help strat", vec![], true).0, meant("start"));
        assert_eq!(told("frobnicate", vec![], true).0, "`help` lists the commands.\n");
        // Nothing is near.
        assert_eq!(told("stop x", vec![("supervisor.stopProcess", fault(10)), (ALL, infos())], true).0, "");
    }

    #[test]
    fn a_dead_socket_says_what_to_do() {
        let away = |errno| Err(Trouble::Os(errno));
        for (line, method) in [("status", "supervisor.getVersion"), ("avail", "supervisor.getAllConfigInfo")] {
            for (errno, start) in [
                (Errno::ENOENT, "There is no such socket: is supervisord running? `supervisord -c sd.conf` starts it."),
                (Errno::ECONNREFUSED, "The socket is there, but nobody listens to it: is supervisord running?"),
                (Errno::EACCES, "You may not use this socket:"),
            ] {
                let (hint, out) = told(line, vec![(method, away(errno))], true);
                assert!(hint.starts_with(start) && hint.lines().count() == 1, "{hint}");
                assert_eq!(told(line, vec![(method, away(errno))], false), (String::new(), out));
            }
        }
        let (hint, _) = told("shutdown", vec![("supervisor.shutdown", away(Errno::ENOENT))], true);
        assert!(hint.starts_with("There is no such socket"), "{hint}");
        let refused = Err(Trouble::Status { code: 401, reason: "Unauthorized".to_string() });
        assert!(told("avail", vec![("supervisor.getAllConfigInfo", refused)], true).0.starts_with("Give -u NAME"));
    }
}
