//! Completion of the command lines of `supervisorctl` and `supervisord` in bash, zsh and fish, made from the tables of
//! commands and options. Names of processes come from `supervisorctl status`, asked with the options typed so far.
//!
//! Only text; a test compares the scripts with those in `docs/completions`, and runs them where the shell is there.

use crate::config::options::{Opt, daemon_table};
use crate::ctl::options::OPTIONS;
use crate::ctl::table::{COMMANDS, Command, Completes};

const MADE: &str = "made from the tables of the program: `UPDATE=1 cargo test --test generated` writes it anew";

/// The commands that help knows.
fn commands() -> impl Iterator<Item = &'static Command> {
    COMMANDS.iter().filter(|row| !row.usage.is_empty())
}

fn names(test: impl Fn(&Command) -> bool, between: &str) -> String {
    commands().filter(|row| test(row)).map(|row| row.name).collect::<Vec<_>>().join(between)
}

/// What a command does: the first description of its help.
fn about(command: &Command) -> &'static str {
    command.usage.iter().map(|line| line.1).find(|text| !text.is_empty()).unwrap_or("")
}

/// All forms of options, with or without value.
fn forms(table: &[Opt], with_value: bool) -> Vec<String> {
    let wanted = table.iter().filter(|opt| opt.value.is_empty() != with_value);
    let forms = wanted.flat_map(|opt| {
        let short = opt.short.chars().filter(|letter| *letter != '?').map(|letter| format!("-{letter}"));
        short.chain((!opt.long.is_empty()).then(|| format!("--{}", opt.long)))
    });
    forms.collect()
}

/// The awk program that turns `status` lines into names; a line without a state is a message.
const AWK_NAMES: &str = "$2 ~ /^[A-Z]+$/ { print $1; split($1, part, \":\"); if (part[2] != \"\" && !seen[part[1]]++) \
                         print part[1] \":*\" }";
/// The same for groups.
const AWK_GROUPS: &str = "$2 ~ /^[A-Z]+$/ { split($1, part, \":\"); if (!seen[part[1]]++) print part[1] }";

/// bash inserts a candidate as it is, so a name that has a meaning for the shell must not be one. zsh and fish quote
/// what they insert.
const AWK_HARMLESS: &str = "$1 ~ /^[A-Za-z0-9_.@%+,:=-]+$/ && ";

/// For bash 4 and later.
pub fn bash() -> String {
    let attached: String =
        OPTIONS.iter().filter(|opt| !opt.value.is_empty()).map(|opt| opt.short).collect::<Vec<_>>().concat();
    let ctl_values = forms(OPTIONS, true).join("|");
    let ctl_all = [forms(OPTIONS, true), forms(OPTIONS, false)].concat().join(" ");
    let daemon = daemon_table();
    let daemon_values = forms(&daemon, true).join("|");
    let daemon_all = [forms(&daemon, true), forms(&daemon, false)].concat().join(" ");
    let commands = names(|_| true, " ");
    let groups = names(|row| row.completes == Completes::Groups, "|");
    let processes = names(|row| row.completes == Completes::Processes, "|");
    format!(
        r#"# bash completion for supervisorctl and supervisord; {MADE}

# Fills COMPREPLY with those of the words $1 that begin with the word at the cursor. bash takes a colon for the end of a
# word, so what stands in front of the last one is cut off again.
__majordomo_reply() {{
    local word=$2 line
    COMPREPLY=()
    while IFS= read -r line; do
        [[ $line == "$word"* ]] && COMPREPLY+=("$line")
    done <<<"$1"
    if [[ $word == *:* && $COMP_WORDBREAKS == *:* ]]; then
        COMPREPLY=("${{COMPREPLY[@]#"${{word%"${{word##*:}}"}}"}}")
    fi
}}

# Splits the line up to the cursor into the array words, at blanks only.
__majordomo_words() {{
    local line=${{COMP_LINE:0:COMP_POINT}}
    read -ra words <<<"$line"
    [[ $line == *[[:space:]] ]] && words+=("")
}}

_supervisorctl() {{
    local -a words options=()
    __majordomo_words
    local last=$((${{#words[@]}} - 1)) place=1 command=""
    local word=${{words[last]}}
    while ((place < last)); do
        case ${{words[place]}} in
            {ctl_values})
                ((place + 1 < last)) && options+=("${{words[place]}}" "${{words[place + 1]}}")
                if ((place + 1 == last)); then
                    compopt -o default 2>/dev/null
                    COMPREPLY=()
                    return
                fi
                ((place += 2))
                ;;
            -*)
                [[ ${{words[place]}} == @(--*=*|-[{attached}]?*) ]] && options+=("${{words[place]}}")
                ((place += 1))
                ;;
            *)
                command=${{words[place]}}
                break
                ;;
        esac
    done
    local names=""
    case $command in
        "")
            if [[ $word == -* ]]; then
                names="{ctl_all}"
            else
                names="{commands}"
            fi
            names=${{names// /$'\n'}}
            ;;
        help)
            names="{commands}"
            names=${{names// /$'\n'}}
            ;;
        {groups})
            names=$("${{words[0]}}" "${{options[@]}}" status 2>/dev/null | awk '{AWK_HARMLESS}{AWK_GROUPS}')
            ;;
        {processes})
            names=$("${{words[0]}}" "${{options[@]}}" status 2>/dev/null | awk '{AWK_HARMLESS}{AWK_NAMES}')
            ;;
    esac
    __majordomo_reply "$names" "$word"
}}

_supervisord() {{
    local -a words
    __majordomo_words
    local last=$((${{#words[@]}} - 1))
    case ${{words[last - 1]}} in
        {daemon_values})
            compopt -o default 2>/dev/null
            COMPREPLY=()
            return
            ;;
    esac
    local names="{daemon_all}"
    __majordomo_reply "${{names// /$'\n'}}" "${{words[last]}}"
}}

complete -F _supervisorctl supervisorctl
complete -F _supervisord supervisord
"#
    )
}

/// In single quotes of a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// The `_arguments` of zsh for a table of options.
fn zsh_options(table: &[Opt]) -> String {
    let mut out = String::new();
    for opt in table {
        // Within a specification `[`, `]` and `:` have a meaning.
        let help = opt.help.replace('[', r"\[").replace(']', r"\]").replace(':', r"\:");
        let short = opt.short.chars().filter(|letter| *letter != '?').map(|letter| format!("-{letter}"));
        let all: Vec<String> = short.chain((!opt.long.is_empty()).then(|| format!("--{}", opt.long))).collect();
        for form in &all {
            let value = match opt.value {
                "" => String::new(),
                "FILENAME" => ":file:_files".to_string(),
                "DIRECTORY" => ":folder:_files -/".to_string(),
                word => format!(":{}: ", word.to_lowercase()),
            };
            let long = if form.starts_with("--") && !opt.value.is_empty() { "=" } else { "" };
            let others = if all.len() > 1 { format!("({})", all.join(" ")) } else { String::new() };
            out += &format!("        {} \\\n", quoted(&format!("{others}{form}{long}[{help}]{value}")));
        }
    }
    out
}

/// For zsh 5 and later: a file of the `fpath`.
pub fn zsh() -> String {
    let described: String = commands()
        .map(|row| format!("        {}\n", quoted(&format!("{}:{}", row.name, about(row).replace(':', r"\:")))))
        .collect();
    let groups = names(|row| row.completes == Completes::Groups, "|");
    let processes = names(|row| row.completes == Completes::Processes, "|");
    let ctl = zsh_options(OPTIONS);
    let daemon = zsh_options(&daemon_table());
    format!(
        r#"#compdef supervisorctl supervisord
# zsh completion; {MADE}

# The names that `supervisorctl status` shows, through the awk program $1, asked with the options typed so far.
__majordomo_names() {{
    local -a asked found
    local place
    asked=("$words_before[1]")
    for ((place = 2; place < command_at; place++)); do
        asked+=("$words_before[place]")
    done
    found=(${{(f)"$("${{(@Q)asked}}" status 2>/dev/null | awk "$1")"}})
    compadd -a found
}}

__majordomo_ctl() {{
    local context state state_descr line
    typeset -A opt_args
    local -a described words_before
    local command_at
    words_before=("${{words[@]}}")
    _arguments -C \
{ctl}        '1:action:->action' \
        '*::argument:->argument'
    case $state in
        action)
            described=(
{described}            )
            _describe action described
            ;;
        argument)
            command_at=${{words_before[(i)$words[1]]}}
            case $words[1] in
                help)
                    described=(
{described}                    )
                    _describe action described
                    ;;
                {groups})
                    __majordomo_names {groups_awk}
                    ;;
                {processes})
                    __majordomo_names {names_awk}
                    ;;
            esac
            ;;
    esac
}}

__majordomo_daemon() {{
    _arguments \
{daemon}        '*: :'
}}

case $service in
    supervisorctl) __majordomo_ctl ;;
    supervisord) __majordomo_daemon ;;
esac
"#,
        groups_awk = quoted(AWK_GROUPS),
        names_awk = quoted(AWK_NAMES),
    )
}

/// One `complete` line of fish for each option.
fn fish_options(program: &str, table: &[Opt]) -> String {
    let mut out = String::new();
    for opt in table {
        out += &format!("complete -c {program}");
        for letter in opt.short.chars().filter(|letter| *letter != '?') {
            out += &format!(" -s {letter}");
        }
        if !opt.long.is_empty() {
            out += &format!(" -l {}", opt.long);
        }
        out += match opt.value {
            "" => "",
            "FILENAME" | "DIRECTORY" => " -r -F",
            _ => " -x",
        };
        out += &format!(" -d {}\n", fish_quoted(opt.help));
    }
    out
}

fn fish_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', r"\\").replace('\'', r"\'"))
}

/// For fish 3 and later.
pub fn fish() -> String {
    let values = forms(OPTIONS, true).join(" ");
    let groups = names(|row| row.completes == Completes::Groups, " ");
    let processes = names(|row| row.completes == Completes::Processes, " ");
    let mut out = format!(
        r#"# fish completion for supervisorctl and supervisord; {MADE}

# The words in front of the cursor: the options with their values first, then a line `--`, then the action and so on.
function __majordomo_split
    set -l words (commandline -opc)
    set -l place 2
    while test $place -le (count $words)
        switch $words[$place]
            case {values}
                echo -- $words[$place]
                set place (math $place + 1)
                test $place -le (count $words); and echo -- $words[$place]
            case '-*'
                echo -- $words[$place]
            case '*'
                echo -- --
                printf '%s\n' $words[$place..-1]
                return
        end
        set place (math $place + 1)
    end
    echo -- --
end

# Whether the action is one of these; without any: whether there is none yet.
function __majordomo_action
    set -l words (__majordomo_split)
    set -l place (math (contains -i -- -- $words) + 1)
    if test (count $argv) -eq 0
        test $place -gt (count $words)
    else
        test $place -le (count $words); and contains -- $words[$place] $argv
    end
end

# The names that `supervisorctl status` shows, through the awk program given, asked with the options typed so far.
function __majordomo_names
    set -l words (commandline -opc)
    set -l split (__majordomo_split)
    set -l options $split[1..(contains -i -- -- $split)]
    set -e options[-1]
    command $words[1] $options status 2>/dev/null | awk $argv[1]
end

complete -c supervisorctl -f
"#
    );
    for row in commands() {
        out += &format!(
            "complete -c supervisorctl -n __majordomo_action -a {} -d {}\n",
            row.name,
            fish_quoted(about(row))
        );
        out += &format!(
            "complete -c supervisorctl -n '__majordomo_action help' -a {} -d {}\n",
            row.name,
            fish_quoted(about(row))
        );
    }
    for (commands, awk) in [(groups, AWK_GROUPS), (processes, AWK_NAMES)] {
        out += &format!(
            "complete -c supervisorctl -n '__majordomo_action {commands}' -a \"(__majordomo_names {})\"\n",
            fish_quoted(awk).replace('$', "\\$").replace('"', "\\\"")
        );
    }
    out += &fish_options("supervisorctl", OPTIONS);
    out += "complete -c supervisord -f\n";
    out + &fish_options("supervisord", &daemon_table())
}
