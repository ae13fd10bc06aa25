//! The manual pages and completion scripts in the repository are those that the tables give, and they are good: pages
//! render without a warning, scripts complete in the shells that are here.

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use majordomo::ctl::pages::{PROGRAMS, documents};
use support::daemon::Daemon;
use support::terminal::Terminal;
use support::{Folder, QUIET, upstream};

const CTL: &str = env!("CARGO_BIN_EXE_supervisorctl");

/// Where a document lies in the repository.
fn path_of(name: &str) -> PathBuf {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    match name {
        "bash" => docs.join("completions/supervisorctl.bash"),
        "zsh" => docs.join("completions/_supervisorctl"),
        "fish" => docs.join("completions/supervisorctl.fish"),
        page => docs.join("man").join(page),
    }
}

/// A program, or a line that says what is left out without it. `.ci/run` installs all, and says so with MAJORDOMO_CI.
fn is_here(program: &str) -> bool {
    let here = Command::new(program).arg("--version").output().is_ok();
    if !here {
        println!("SKIPPED: no {program} here");
        assert!(std::env::var_os("MAJORDOMO_CI").is_none(), "{program} is missing");
    }
    here
}

#[test]
fn documents_are_up_to_date() {
    let mut stale = Vec::new();
    for (name, text) in documents() {
        let path = path_of(&name);
        if std::env::var_os("UPDATE").is_some() {
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("the folder");
            std::fs::write(&path, text()).expect("the document");
        }
        if std::fs::read_to_string(&path).unwrap_or_default() != text() {
            stale.push(name.clone());
        }
        let printed = Command::new(CTL).args(["--generate", &name]).output().expect("supervisorctl");
        assert!(printed.status.success() && printed.stdout == text().as_bytes(), "{name}");
    }
    assert!(stale.is_empty(), "{stale:?}: run `UPDATE=1 cargo test --test generated`");
}

#[test]
fn there_is_a_page_for_every_program() {
    for program in ["supervisord", "supervisorctl", "echo_supervisord_conf", "pidproxy"] {
        assert!(PROGRAMS.iter().any(|row| row.name == program), "{program}");
        assert!(documents().iter().any(|(name, _)| name.starts_with(&format!("{program}."))), "{program}");
    }
}

/// All words of `--help` and `help` are on the page, for they come from the same rows.
#[test]
fn the_page_of_supervisorctl_has_all_of_help() {
    let page = documents().into_iter().find(|(name, _)| name == "supervisorctl.1").expect("the page").1();
    let page = page.replace("\\-", "-").replace("\\e", "\\").replace('\n', " ");
    let said = |args: &[&str]| {
        let output = Command::new(CTL).args(args).output().expect("supervisorctl");
        String::from_utf8(output.stdout).expect("text")
    };
    let help = said(&["--help"]);
    let mut actions =
        help.lines().skip_while(|line| *line != "Actions:").skip(1).take_while(|line| !line.starts_with('`'));
    assert!(actions.clone().count() > 20);
    assert!(actions.all(|line| page.contains(&format!(" .B {}", line.split_whitespace().next().unwrap()))));
    for action in ["start", "tail", "open", "restart", "twiddler_add", "help"] {
        for line in said(&["-s", "http://localhost:1", "help", action]).lines().flat_map(|line| line.split('\t')) {
            assert!(page.contains(line.trim()), "{action}: {line}");
        }
    }
}

#[test]
fn pages_render_without_warnings() {
    let pages = || documents().into_iter().filter(|(name, _)| name.contains('.')).map(|(name, _)| path_of(&name));
    assert_eq!(pages().count(), 4);
    if is_here("mandoc") {
        for page in pages() {
            let lint = Command::new("mandoc").args(["-T", "lint"]).arg(&page).output().expect("mandoc");
            let said = String::from_utf8_lossy(&lint.stdout).into_owned() + &String::from_utf8_lossy(&lint.stderr);
            assert!(lint.status.success() && said.is_empty(), "{}: {said}", page.display());
        }
    }
}

/// The names that a shell offers for a command line, sorted.
fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names.dedup();
    names
}

const PROGRAMS_CONFIG: &str = "\
[supervisorctl]
serverurl=unix://%(here)s/supervisor.sock
[program:web]
command=sleep 1000
[program:north]
command=sleep 1000
autostart=false
[program:south]
command=sleep 1000
autostart=false
[group:fleet]
programs=north,south
";

/// Command lines, and what each can go on with. `@` is the configuration file.
const LINES: &[(&str, &[&str])] = &[
    ("supervisorctl sta", &["start", "status"]),
    ("supervisorctl -c @ rest", &["restart"]),
    ("supervisorctl -c @ stop we", &["web"]),
    ("supervisorctl -c @ stop web fl", &["fleet:*", "fleet:north", "fleet:south"]),
    ("supervisorctl -c @ stop fleet:n", &["fleet:north"]),
    ("supervisorctl -c@ stop fleet:n", &["fleet:north"]),
    ("supervisorctl --configuration=@ stop fleet:n", &["fleet:north"]),
    ("supervisorctl -c @ update ", &["fleet", "web"]),
    ("supervisorctl -c @ help up", &["update"]),
    ("supervisorctl --hist", &["--history_file"]),
    ("supervisord --pid", &["--pidfile"]),
];

/// A folder whose `bin` has our programs, for the `PATH`.
fn programs() -> Folder {
    let folder = Folder::new();
    std::os::unix::fs::symlink(CTL, folder.path().join("supervisorctl")).expect("a link");
    folder
}

fn path_with(folder: &Folder) -> String {
    format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap_or_default())
}

fn check(shell: &str, mut offered: impl FnMut(&str) -> Vec<String>, daemon: &Daemon) {
    for (line, names) in LINES {
        let line = line.replace('@', daemon.config().to_str().expect("a path"));
        assert_eq!(
            sorted(offered(&line)),
            sorted(names.iter().map(|name| name.to_string()).collect()),
            "{shell}: {line}"
        );
    }
}

fn lines(output: std::process::Output) -> Vec<String> {
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text").lines().map(|line| line.trim_end().to_string()).collect()
}

/// What bash offers for a line, with the programs of `bin`.
fn bash_offers(bin: &Folder, line: &str) -> Vec<String> {
    // What the shell does when the key is pressed: the line, split also at colons, and the cursor at its end.
    let driver = r#"source "$1"; COMP_LINE=$2; COMP_POINT=${#2}; COMP_WORDBREAKS=$' \t\n"\'><=;|&(:'
        read -ra COMP_WORDS <<<"$2"; COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        _${COMP_WORDS[0]}; [[ ${#COMPREPLY[@]} -gt 0 ]] && printf '%s\n' "${COMPREPLY[@]}"; :"#;
    let mut bash = Command::new("bash");
    bash.args(["--norc", "-c", driver, "bash"]).arg(path_of("bash")).arg(line).env("PATH", path_with(bin));
    let names = lines(bash.output().expect("bash"));
    // bash has the part in front of the last colon already.
    let word = line.rsplit(' ').next().unwrap_or("");
    let before = word.rfind(':').map_or("", |at| &word[..=at]);
    names.into_iter().map(|name| format!("{before}{name}")).collect()
}

#[test]
fn bash_completes() {
    if upstream() || !is_here("bash") {
        return;
    }
    let daemon = Daemon::start(&format!("{QUIET}{PROGRAMS_CONFIG}"));
    let bin = programs();
    check("bash", |line| bash_offers(&bin, line), &daemon);
}

/// bash inserts candidates as they are: names that would be more than a word to it are not offered.
#[test]
fn bash_offers_no_shell_syntax() {
    if upstream() || !is_here("bash") {
        return;
    }
    let bin = Folder::new();
    let (harmless, harmful) = (
        ["web", "a.b-c_d@1%+,=2", "fleet:north"],
        [
            "x;reboot", "$(id)", "`id`", "a|b", "a&b", "a>b", "a'b", "a\"b", "a\\b", "a~b", "g;h:i", "*", "a!b", "a#",
            "a(b",
        ],
    );
    let status: String = harmless.iter().chain(&harmful).map(|name| format!("{name:<33}RUNNING   pid 1\n")).collect();
    std::fs::write(bin.path().join("status"), status).expect("a file");
    let fake = bin.path().join("supervisorctl");
    std::fs::write(&fake, "#!/bin/sh\nexec cat \"${0%/*}/status\"\n").expect("a script");
    std::fs::set_permissions(&fake, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("a mode");
    for (line, names) in [
        ("supervisorctl stop ", &["web", "a.b-c_d@1%+,=2", "fleet:north", "fleet:*"][..]),
        ("supervisorctl update ", &["web", "a.b-c_d@1%+,=2", "fleet"]),
    ] {
        let names: Vec<String> = names.iter().map(|name| name.to_string()).collect();
        assert_eq!(bash_offers(&bin, line), names, "{line}");
    }
}

#[test]
fn fish_completes() {
    if upstream() || !is_here("fish") {
        return;
    }
    let daemon = Daemon::start(&format!("{QUIET}{PROGRAMS_CONFIG}"));
    let bin = programs();
    let offered = |line: &str| {
        let mut fish = Command::new("fish");
        fish.args(["--no-config", "-c", "source $argv[1]; complete -C $argv[2]"]).arg(path_of("fish")).arg(line);
        fish.env("PATH", path_with(&bin)).env("HOME", daemon.path()).env("TERM", "dumb");
        let offered = lines(fish.output().expect("fish"));
        offered.iter().map(|line| line.split('\t').next().unwrap_or("").to_string()).collect()
    };
    check("fish", offered, &daemon);
}

/// The shell itself at a terminal: its completion works nowhere else. What is unique is filled in, several are listed.
#[test]
fn zsh_completes() {
    if upstream() || !is_here("zsh") {
        return;
    }
    let daemon = Daemon::start(&format!("{QUIET}{PROGRAMS_CONFIG}"));
    let bin = programs();
    let functions = path_of("zsh");
    let functions = functions.parent().expect("a folder").display();
    let mut terminal = Terminal::start(daemon.path(), &["zsh", "-f", "-i"], &[("PATH", &path_with(&bin))]);
    terminal.press(&format!(
        "PS1='Z> ' PROMPT_EOL_MARK=; setopt no_beep; fpath=({functions} $fpath); autoload -U compinit; compinit -u -D; \
         echo rea''dy\n"
    ));
    terminal.wait_for("ready");
    terminal.wait_for("Z> ");
    for (line, wanted) in [
        ("supervisorctl sta", &["start   -- Start a process", "status  -- State of a process"][..]),
        ("supervisorctl -c sd.conf rest", &["restart "]),
        ("supervisorctl -c sd.conf stop we", &["web "]),
        ("supervisorctl -c sd.conf stop fleet:n", &["fleet:north "]),
        ("supervisorctl --configuration=sd.conf update ", &["fleet  web"]),
        ("supervisorctl -c sd.conf help up", &["update "]),
        ("supervisorctl --js", &["--json "]),
        ("supervisord --pidf", &["--pidfile"]),
    ] {
        terminal.press(&format!("{line}\t"));
        for text in wanted {
            terminal.wait_for(text);
        }
        // Ctrl-U empties the line.
        terminal.press("\x15");
    }
}
