//! What a command line can go on with (CTL-155). Asks the server for names at most once per line, and only if the
//! command takes names.

use crate::base::maps::ByName;
use crate::base::text::display_name;
use crate::base::value::Value;
use crate::ctl::client::Remote;
use crate::ctl::control::{items, text};
use crate::ctl::table::{COMMANDS, Completes, Family};

/// Completes one command line.
pub struct Completion {
    remote: Box<dyn Remote>,
    families: Vec<Family>,
    /// Group and name of all processes, once they have been asked for.
    processes: Option<Vec<(String, String)>>,
}

impl Completion {
    /// For a line that may have the commands of these families; names come from `remote`.
    pub fn new(remote: Box<dyn Remote>, families: Vec<Family>) -> Completion {
        Completion { remote, families, processes: None }
    }

    /// Where the last word of `line` begins, and what it can become. Each candidate ends with a blank.
    pub fn complete(&mut self, line: &str) -> (usize, Vec<String>) {
        let start =
            line.rfind(char::is_whitespace).map_or(0, |at| at + line[at..].chars().next().map_or(1, char::len_utf8));
        let word = &line[start..];
        let candidates = match line[..start].split_whitespace().next() {
            None => self.commands(),
            Some("help" | "?") => self.commands(),
            Some(command) => match self.takes(command) {
                Completes::Nothing => Vec::new(),
                Completes::Groups => self.groups(),
                Completes::Processes => self.names(word.contains(':')),
            },
        };
        let fitting = candidates.into_iter().filter(|candidate| candidate.starts_with(word));
        (start, fitting.map(|candidate| candidate + " ").collect())
    }

    fn commands(&self) -> Vec<String> {
        let offered = COMMANDS.iter().filter(|row| self.families.contains(&row.family));
        let mut names: Vec<String> = offered.map(|row| row.name.to_string()).collect();
        names.push("help".to_string());
        names
    }

    fn takes(&self, command: &str) -> Completes {
        COMMANDS.iter().find(|row| row.name == command).map_or(Completes::Nothing, |row| row.completes)
    }

    /// All processes; none if the server can't be asked.
    fn processes(&mut self) -> &[(String, String)] {
        let remote = &mut self.remote;
        self.processes.get_or_insert_with(|| {
            let infos = remote.call("supervisor.getAllProcessInfo", &[]).unwrap_or(Value::Nil);
            let pair = |info: &Value| (text(info, "group").to_string(), text(info, "name").to_string());
            items(&infos).iter().map(pair).collect()
        })
    }

    fn groups(&mut self) -> Vec<String> {
        let mut groups: Vec<String> = self.processes().iter().map(|(group, _)| group.clone()).collect();
        let mut seen = ByName::default();
        groups.retain(|group| seen.insert(group.clone(), ()).is_none());
        groups
    }

    /// Processes, and whole groups where their processes are called differently or the user has typed a colon.
    fn names(&mut self, with_groups: bool) -> Vec<String> {
        let mut names = Vec::new();
        for (group, name) in self.processes() {
            if !with_groups && group == name {
                names.push(display_name(group, name));
                continue;
            }
            names.push(format!("{group}:{name}"));
            let whole = format!("{group}:*");
            if !names.contains(&whole) {
                names.push(whole);
            }
        }
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ctl::scripted::Script;
    use crate::ctl::trouble::Trouble;

    fn processes() -> Result<Value, Trouble> {
        let info =
            |group: &str, name: &str| Value::Struct(vec![("group".into(), group.into()), ("name".into(), name.into())]);
        Ok(Value::Array(vec![info("web", "web"), info("fleet", "north"), info("fleet", "south")]))
    }

    /// The candidates for a line, each without its blank, and where they begin.
    fn completed(line: &str, answers: Vec<(&'static str, Result<Value, Trouble>)>) -> (usize, Vec<String>) {
        let remote = Box::new(Script::new(answers));
        let mut completion = Completion::new(remote, vec![Family::Default, Family::Cache]);
        let first = completion.complete(line);
        // Asked once: the second time the script would have no answer.
        assert_eq!(completion.complete(line), first);
        let stripped = |word: String| word.strip_suffix(' ').expect("a blank").to_string();
        (first.0, first.1.into_iter().map(stripped).collect())
    }

    #[test]
    fn ctl_155_commands() {
        let words = |line: &str| completed(line, vec![]);
        let (start, all) = words("");
        assert_eq!((start, all.len()), (0, 21 + 6 + 1));
        assert_eq!(words("st"), (0, vec!["start".into(), "status".into(), "stop".into()]));
        assert_eq!(words("  sta"), (2, vec!["start".into(), "status".into()]));
        assert_eq!(words("help cache_f"), (5, vec!["cache_fetch".into()]));
        assert_eq!(words("h"), (0, vec!["help".into()]));
        assert_eq!(words("help ").1, all);
        for line in ["frob ", "version ", "open h", "quit ", "reread x"] {
            assert_eq!(words(line).1, Vec::<String>::new(), "{line}");
        }
    }

    #[test]
    fn ctl_155_names() {
        let words = |line: &str| completed(line, vec![("supervisor.getAllProcessInfo", processes())]);
        for command in ["clear", "fg", "pid", "restart", "signal", "start", "status", "stop", "tail"] {
            let all = ["web", "fleet:north", "fleet:*", "fleet:south"].map(String::from);
            assert_eq!(words(&format!("{command} ")), (command.len() + 1, all.to_vec()));
        }
        for command in ["add", "remove", "update"] {
            assert_eq!(words(&format!("{command} ")).1, ["web", "fleet"]);
            assert_eq!(words(&format!("{command} f")).1, ["fleet"]);
        }
        assert_eq!(words("stop web f"), (9, vec!["fleet:north".into(), "fleet:*".into(), "fleet:south".into()]));
        assert_eq!(words("stop web:"), (5, vec!["web:web".into(), "web:*".into()]));
        assert_eq!(words("stop fleet:s").1, ["fleet:south"]);
        assert_eq!(words("stop fleet:*").1, ["fleet:*"]);
    }

    #[test]
    fn ctl_155_a_server_that_is_away_has_no_names() {
        let away = Err(Trouble::HungUp);
        assert_eq!(completed("stop w", vec![("supervisor.getAllProcessInfo", away)]).1, Vec::<String>::new());
    }
}
