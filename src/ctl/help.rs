//! `help`, made from the table of commands (CTL-140 to 144), and leaving.

use crate::ctl::dialogue::Dialogue;
use crate::ctl::table::{COMMANDS, Command, Family};
use crate::ctl::trouble::Trouble;

/// Columns of the list of commands.
const WIDTH: usize = 79;
/// Descriptions begin at a multiple of this, and tabs lead there.
const TAB: usize = 8;

/// `help`: all commands; `help <topic>`: one.
pub fn help(dialogue: &mut Dialogue<'_>, words: &[&str]) -> Result<(), Trouble> {
    if words.is_empty() {
        let plugins = dialogue.plugins().to_vec();
        for (name, family) in plugins {
            dialogue.say(&list(&name, family))?;
        }
        return Ok(());
    }
    let topic = words.join(" ");
    match dialogue.find(&topic).filter(|command| !command.usage.is_empty()) {
        Some(command) => dialogue.say(&usage(command)),
        None => {
            dialogue.say(&format!("*** No help on {topic}"))?;
            dialogue.suggest_command(&topic);
            Ok(())
        }
    }
}

/// `exit`, `quit` and the end of the input (CTL-151).
pub fn leave(dialogue: &mut Dialogue<'_>, _: &[&str]) -> Result<(), Trouble> {
    dialogue.leave();
    dialogue.say("")
}

/// The lines of a command's help, tabs between a form and its description (CTL-143).
pub fn usage(command: &Command) -> String {
    let forms = command.usage.iter().filter(|line| !line.1.is_empty()).map(|line| line.0.len());
    let column = forms.max().map_or(0, |longest| (longest / TAB + 1) * TAB);
    let lines = command.usage.iter().map(|(form, description)| match *description {
        "" => form.to_string(),
        description => format!("{form}{}{description}", "\t".repeat((column - form.len()).div_ceil(TAB))),
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// One plugin's commands under a head (CTL-140).
fn list(plugin: &str, family: Family) -> String {
    let head = format!("{plugin} commands (type help <topic>):");
    let names: Vec<_> = COMMANDS.iter().filter(|row| row.family == family).map(|row| row.name).collect();
    format!("\n{head}\n{}\n{}\n", "=".repeat(head.chars().count()), columns(&names, WIDTH).join("\n"))
}

/// Names in columns, read downwards, in as few rows as the width allows.
fn columns(names: &[&str], width: usize) -> Vec<String> {
    for rows in 1..names.len() {
        let widths: Vec<usize> =
            names.chunks(rows).map(|column| column.iter().map(|name| name.len()).max().unwrap_or(0)).collect();
        if widths.iter().sum::<usize>() + 2 * (widths.len() - 1) > width {
            continue;
        }
        let line = |row: usize| {
            let cells = names.chunks(rows).zip(&widths).filter_map(|(column, width)| {
                let name = column.get(row)?;
                Some(format!("{name:width$}"))
            });
            cells.collect::<Vec<_>>().join("  ")
        };
        return (0..rows).map(line).collect();
    }
    names.iter().map(|name| name.to_string()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ctl_140_ctl_142_the_list_has_its_exact_form() {
        assert_eq!(
            list("default", Family::Default),
            "
default commands (type help <topic>):
=====================================
add    exit      open  reload  restart   start   tail   
avail  fg        pid   remove  shutdown  status  update 
clear  maintail  quit  reread  signal    stop    version
"
        );
        // CTL-141: a plugin is called what its section calls it.
        assert_eq!(
            list("store", Family::Cache),
            "
store commands (type help <topic>):
===================================
cache_clear  cache_count  cache_delete  cache_fetch  cache_keys  cache_store
"
        );
    }

    #[test]
    fn ctl_140_columns_of_any_number() {
        assert_eq!(columns(&["a", "bb", "c", "d", "e"], 8), ["a   c  e", "bb  d"]);
        assert_eq!(columns(&["a", "bb", "c", "d", "e"], 7), ["a   d", "bb  e", "c "]);
        assert_eq!(columns(&["too long", "for it"], 4), ["too long", "for it"]);
        assert_eq!(columns(&["one"], 79), ["one"]);
    }

    #[test]
    fn ctl_143_tabs_lead_to_one_column() {
        let row = |name: &str| COMMANDS.iter().find(|row| row.name == name).unwrap();
        let column = |line: &str| {
            line.chars().fold(
                (0, 0),
                |(at, end), c| {
                    if c == '\t' { ((at / 8 + 1) * 8, (at / 8 + 1) * 8) } else { (at + 1, end) }
                },
            )
        };
        for name in ["start", "signal", "pid", "open", "cache_store"] {
            let text = usage(row(name));
            let ends: Vec<_> = text.lines().map(|line| column(line).1).collect();
            assert!(ends.iter().all(|end| *end == ends[0] && *end > 0), "{text}");
        }
        assert_eq!(usage(row("quit")), "quit\tLeave this shell");
        assert!(
            usage(row("restart"))
                .ends_with("\nNote: restart does not read configuration files again; reread and update do.")
        );
    }
}
