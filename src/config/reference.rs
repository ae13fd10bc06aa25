//! The reference page `docs/configuration.md`, made from the key tables: every section and key, what it takes, its
//! default, and what its value may refer to.
//!
//! Only text; a test compares the page with the one in the repository.

use crate::base::events;
use crate::config::kinds;
use crate::config::options::daemon_table;
use crate::config::program_keys::{ProcessKeys, ProgramKeys};
use crate::config::servers::FACTORIES;
use crate::config::spec::ResultHandler;
use crate::config::table::{Named, PROCESS, Row, Scope, TABLES, Table};

const HEAD: &str = "\
# Configuration

Every section and key that `supervisord` and `supervisorctl` read. This page is made from the tables that the program
reads by (`src/config/*_keys.rs`); `UPDATE=1 cargo test --test reference` writes it anew. `echo_supervisord_conf` prints
the same as a sample file, `supervisord --check -c FILE` says what is wrong with a file and where, and with `--json` what
it comes to.

Files for Supervisor 4.3.0 mean the same here. Keys marked **ours** are ignored by Supervisor. Sections and keys that
neither knows are ignored by both; majordomo names them once in a warning when it starts.

## The file

`-c FILE` names it. Without `-c` the first of these is taken, where `<P>` is the parent of the folder of the program:
`<P>/etc/supervisord.conf`, `<P>/supervisord.conf`, `./supervisord.conf`, `./etc/supervisord.conf`,
`/etc/supervisord.conf`, `/etc/supervisor/supervisord.conf`.

- UTF-8. A line is `[section]`, `key = value` or `key: value`; keys may be in any case, sections may not.
- A line that begins with `;` or `#` is a comment. So is the rest of a line behind a blank and `;` or `#`, also within
  quotes.
- A line that is indented deeper than the key it follows goes on with that key's value.
- Of a key given twice the last counts; a section given twice is one section, also across files.
- `[DEFAULT]` has values for all sections that don't have the key themselves.
- Quotes belong to the value, but in `command` and `environment`.

## References

`%(name)s` in a value stands for a name that the value may refer to; `%%` is a percent sign. Numbers can be formatted:
`%(process_num)02d`. The last column of each table lists the names besides `ENV_X`, which is the variable `X` of the
daemon's own environment or of `[supervisord] environment` and may be used in every value.

- `here`: the folder of the configuration file. Where there is an `[include]` section it works in every key, and means
  the folder of the file that it is written in.
- `host_node_name`: the name of the machine.
- `program_name`, `group_name`: of the program, and of the group that it is in.
- `process_num`, `numprocs`: the number of the process, and how many there are. Keys that may refer to them may also
  refer to the variables of the program's own `environment`.

## Kinds of values

- Numbers are whole, with a sign if need be. true is `yes`, `true`, `on` or `1`, false is `no`, `false`, `off` or `0`, in
  any case.
- Sizes are bytes, or a number with `KB`, `MB` or `GB`, which are powers of 1024.
- Lists have commas between their words.
- `environment` is a list of `KEY=\"value\"`; a value without quotes may have letters, digits and `_/.+-():`.
- Signals are names with or without `SIG`, or numbers.
";

/// The whole page.
pub fn reference() -> String {
    let mut page = HEAD.to_string();
    for table in TABLES {
        page += &section(table);
    }
    page + &command_line()
}

fn section(table: &Table) -> String {
    let name = match table.name {
        Named::Exactly(name) => format!("`[{name}]`"),
        Named::Starting(start) if start.ends_with(':') => format!("`[{start}x]`"),
        Named::Starting(start) => format!("`[{start}]` and `[{start}:x]`"),
    };
    let mut text = format!("\n## {name}\n\n{}\n", table.doc);
    if table.rows.concat().iter().any(|row| row.key == crate::config::other_keys::RPC_FACTORY) {
        text += "\nThe factories that are built in:\n\n";
        text.extend(FACTORIES.iter().map(|factory| format!("- `{factory}`\n")));
    }
    if table.rows.concat().iter().any(|row| row.key == "result_handler") {
        text += "\nThe result handlers that are built in:\n\n";
        text.extend(ResultHandler::TABLE.iter().map(|(_, name)| format!("- `{name}`\n")));
        text += &event_types();
    }
    text += "\n| Key | Takes | Default | May refer to | |\n| --- | --- | --- | --- | --- |\n";
    let mut seen = Vec::new();
    for row in own_rows(table) {
        // What is read for the group and for its processes is one key.
        if !seen.contains(&row.key) {
            text += &line(row);
            seen.push(row.key);
        }
    }
    text
}

/// The types of events and their payloads.
fn event_types() -> String {
    let mut text =
        "\nThe types of events with their payloads; `\\n` is a line end. A name without a payload stands for all \
                    that have it as their parent.\n\n| Type | Parent | Payload |\n| --- | --- | --- |\n"
            .to_string();
    for name in events::names() {
        let (parent, payload) = match events::TABLE.iter().find(|row| row.name == name) {
            Some(row) => (Some(row.parent), if row.payload.is_empty() { "empty" } else { row.payload }),
            None => (events::ABSTRACT.iter().find(|row| row.0 == name).and_then(|row| row.1), ""),
        };
        let parent = parent.map_or(String::new(), |parent| format!("`{parent}`"));
        let payload = match payload {
            "" | "empty" => payload.to_string(),
            payload => format!("`{}`", payload.replace('\n', "\\n")),
        };
        text += &format!("| `{name}` | {parent} | {payload} |\n");
    }
    text
}

/// The rows of a section; those of `[program:x]` stand there only.
fn own_rows(table: &Table) -> impl Iterator<Item = &'static Row> {
    let keys = |rows: &[Row]| rows.iter().map(|row| row.key).collect::<Vec<_>>();
    let shared = [keys(ProcessKeys::ROWS), keys(ProgramKeys::ROWS)];
    let is_program = table.example.starts_with("program:");
    table.rows.iter().filter(move |rows| is_program || !shared.contains(&keys(rows))).flat_map(|rows| rows.iter())
}

fn line(row: &Row) -> String {
    let kind = kinds::WORDS.iter().find(|(kind, _)| *kind == row.kind).map_or("", |(_, words)| *words);
    let default = match row.default {
        None => String::new(),
        Some("") => "empty".to_string(),
        Some(text) => format!("`{text}`"),
    };
    // What is read as it is written is expanded once the process is known.
    let scope = if row.scope.raw { PROCESS } else { row.scope };
    let doc: Vec<&str> = row.doc.lines().map(str::trim).collect();
    let ours = if row.ours { " **Ours.**" } else { "" };
    let cells = [format!("`{}`", row.key), kind.to_string(), default, names(scope), doc.join(" ") + ours];
    format!("| {} |\n", cells.map(|cell| cell.replace('|', "\\|")).join(" | "))
}

/// The names besides `ENV_X`.
fn names(scope: Scope) -> String {
    let all: [(bool, &[&str]); 5] = [
        (scope.here, &["here"]),
        (scope.host, &["host_node_name"]),
        (scope.program, &["program_name"]),
        (scope.group, &["group_name"]),
        (scope.process, &["process_num", "numprocs"]),
    ];
    let seen: Vec<String> = all
        .iter()
        .filter(|(visible, _)| *visible)
        .flat_map(|(_, names)| *names)
        .map(|name| format!("`{name}`"))
        .collect();
    seen.join(", ")
}

/// The options of `supervisord`, which stand over the file.
fn command_line() -> String {
    let mut text = "\n## Command line of `supervisord`\n\nWhat it says counts, whatever the file says, also after a \
                    reload. Long options may be shortened.\n\n| Short | Long | |\n| --- | --- | --- |\n"
        .to_string();
    for opt in daemon_table() {
        let short: Vec<String> = opt.short.chars().map(|letter| format!("`-{letter}`")).collect();
        let value = if opt.value.is_empty() { String::new() } else { format!("={}", opt.value) };
        let ours = if opt.ours { " **Ours.**" } else { "" };
        text += &format!("| {} | `--{}{value}` | {}{ours} |\n", short.join(", "), opt.long, opt.help);
    }
    text
}
