# fish completion for supervisorctl and supervisord; made from the tables of the program: `UPDATE=1 cargo test --test generated` writes it anew

# The words in front of the cursor: the options with their values first, then a line `--`, then the action and so on.
function __majordomo_split
    set -l words (commandline -opc)
    set -l place 2
    while test $place -le (count $words)
        switch $words[$place]
            case -c --configuration -s --serverurl -u --username -p --password -r --history_file --color --generate
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
complete -c supervisorctl -n __majordomo_action -a add -d 'Activate process groups that the last reread found'
complete -c supervisorctl -n '__majordomo_action help' -a add -d 'Activate process groups that the last reread found'
complete -c supervisorctl -n __majordomo_action -a avail -d 'List the configured processes and whether they are active'
complete -c supervisorctl -n '__majordomo_action help' -a avail -d 'List the configured processes and whether they are active'
complete -c supervisorctl -n __majordomo_action -a clear -d 'Empty the log files of a process'
complete -c supervisorctl -n '__majordomo_action help' -a clear -d 'Empty the log files of a process'
complete -c supervisorctl -n __majordomo_action -a exit -d 'Leave this shell'
complete -c supervisorctl -n '__majordomo_action help' -a exit -d 'Leave this shell'
complete -c supervisorctl -n __majordomo_action -a fg -d 'Show what a process prints and send it what you type'
complete -c supervisorctl -n '__majordomo_action help' -a fg -d 'Show what a process prints and send it what you type'
complete -c supervisorctl -n __majordomo_action -a maintail -d 'Follow the log of supervisord (Ctrl-C ends)'
complete -c supervisorctl -n '__majordomo_action help' -a maintail -d 'Follow the log of supervisord (Ctrl-C ends)'
complete -c supervisorctl -n __majordomo_action -a open -d 'Talk to another supervisord from here on'
complete -c supervisorctl -n '__majordomo_action help' -a open -d 'Talk to another supervisord from here on'
complete -c supervisorctl -n __majordomo_action -a pid -d 'Process id of supervisord'
complete -c supervisorctl -n '__majordomo_action help' -a pid -d 'Process id of supervisord'
complete -c supervisorctl -n __majordomo_action -a quit -d 'Leave this shell'
complete -c supervisorctl -n '__majordomo_action help' -a quit -d 'Leave this shell'
complete -c supervisorctl -n __majordomo_action -a reload -d 'Restart supervisord: stop everything and begin anew'
complete -c supervisorctl -n '__majordomo_action help' -a reload -d 'Restart supervisord: stop everything and begin anew'
complete -c supervisorctl -n __majordomo_action -a remove -d 'Deactivate stopped process groups'
complete -c supervisorctl -n '__majordomo_action help' -a remove -d 'Deactivate stopped process groups'
complete -c supervisorctl -n __majordomo_action -a reread -d 'Read the configuration files again and say what changed, without acting on it'
complete -c supervisorctl -n '__majordomo_action help' -a reread -d 'Read the configuration files again and say what changed, without acting on it'
complete -c supervisorctl -n __majordomo_action -a restart -d 'Stop and start a process'
complete -c supervisorctl -n '__majordomo_action help' -a restart -d 'Stop and start a process'
complete -c supervisorctl -n __majordomo_action -a shutdown -d 'Stop all processes and end supervisord'
complete -c supervisorctl -n '__majordomo_action help' -a shutdown -d 'Stop all processes and end supervisord'
complete -c supervisorctl -n __majordomo_action -a signal -d 'Send a signal to a process'
complete -c supervisorctl -n '__majordomo_action help' -a signal -d 'Send a signal to a process'
complete -c supervisorctl -n __majordomo_action -a start -d 'Start a process'
complete -c supervisorctl -n '__majordomo_action help' -a start -d 'Start a process'
complete -c supervisorctl -n __majordomo_action -a status -d 'State of a process'
complete -c supervisorctl -n '__majordomo_action help' -a status -d 'State of a process'
complete -c supervisorctl -n __majordomo_action -a stop -d 'Stop a process'
complete -c supervisorctl -n '__majordomo_action help' -a stop -d 'Stop a process'
complete -c supervisorctl -n __majordomo_action -a tail -d 'Follow the stdout of a process'
complete -c supervisorctl -n '__majordomo_action help' -a tail -d 'Follow the stdout of a process'
complete -c supervisorctl -n __majordomo_action -a update -d 'Read the configuration files again and make the processes match, restarting what changed'
complete -c supervisorctl -n '__majordomo_action help' -a update -d 'Read the configuration files again and make the processes match, restarting what changed'
complete -c supervisorctl -n __majordomo_action -a version -d 'Version of supervisord'
complete -c supervisorctl -n '__majordomo_action help' -a version -d 'Version of supervisord'
complete -c supervisorctl -n __majordomo_action -a cache_clear -d 'Delete everything in the cache.'
complete -c supervisorctl -n '__majordomo_action help' -a cache_clear -d 'Delete everything in the cache.'
complete -c supervisorctl -n __majordomo_action -a cache_count -d 'Number of items in the cache.'
complete -c supervisorctl -n '__majordomo_action help' -a cache_count -d 'Number of items in the cache.'
complete -c supervisorctl -n __majordomo_action -a cache_delete -d 'Delete what is cached at <key>.'
complete -c supervisorctl -n '__majordomo_action help' -a cache_delete -d 'Delete what is cached at <key>.'
complete -c supervisorctl -n __majordomo_action -a cache_fetch -d 'Show what is cached at <key>.'
complete -c supervisorctl -n '__majordomo_action help' -a cache_fetch -d 'Show what is cached at <key>.'
complete -c supervisorctl -n __majordomo_action -a cache_keys -d 'Show the keys of all items in the cache.'
complete -c supervisorctl -n '__majordomo_action help' -a cache_keys -d 'Show the keys of all items in the cache.'
complete -c supervisorctl -n __majordomo_action -a cache_store -d 'Keep the text <value> in the cache at <key>.'
complete -c supervisorctl -n '__majordomo_action help' -a cache_store -d 'Keep the text <value> in the cache at <key>.'
complete -c supervisorctl -n __majordomo_action -a twiddler_add -d 'Add a program to a group until supervisord restarts'
complete -c supervisorctl -n '__majordomo_action help' -a twiddler_add -d 'Add a program to a group until supervisord restarts'
complete -c supervisorctl -n __majordomo_action -a twiddler_add_group -d 'Add an empty group (priority 999 if not given)'
complete -c supervisorctl -n '__majordomo_action help' -a twiddler_add_group -d 'Add an empty group (priority 999 if not given)'
complete -c supervisorctl -n __majordomo_action -a twiddler_groups -d 'List the groups, empty ones too, one a line'
complete -c supervisorctl -n '__majordomo_action help' -a twiddler_groups -d 'List the groups, empty ones too, one a line'
complete -c supervisorctl -n __majordomo_action -a twiddler_remove -d 'Remove stopped processes from their groups'
complete -c supervisorctl -n '__majordomo_action help' -a twiddler_remove -d 'Remove stopped processes from their groups'
complete -c supervisorctl -n __majordomo_action -a help -d 'List the commands'
complete -c supervisorctl -n '__majordomo_action help' -a help -d 'List the commands'
complete -c supervisorctl -n '__majordomo_action add remove update twiddler_add' -a "(__majordomo_names '\$2 ~ /^[A-Z]+\$/ { split(\$1, part, \":\"); if (!seen[part[1]]++) print part[1] }')"
complete -c supervisorctl -n '__majordomo_action clear fg pid restart signal start status stop tail twiddler_remove' -a "(__majordomo_names '\$2 ~ /^[A-Z]+\$/ { print \$1; split(\$1, part, \":\"); if (part[2] != \"\" && !seen[part[1]]++) print part[1] \":*\" }')"
complete -c supervisorctl -s c -l configuration -r -F -d 'The configuration file; else it is looked for.'
complete -c supervisorctl -s h -l help -d 'Print this and exit.'
complete -c supervisorctl -s i -l interactive -d 'Start a shell; the default without an action.'
complete -c supervisorctl -s s -l serverurl -x -d 'The server: http://host:port or unix:///path.'
complete -c supervisorctl -s u -l username -x -d 'To log in with.'
complete -c supervisorctl -s p -l password -x -d 'To log in with.'
complete -c supervisorctl -s r -l history_file -r -F -d 'Where the shell keeps its history.'
complete -c supervisorctl -l json -d 'Print JSON instead of text, for actions that show values.'
complete -c supervisorctl -l color -x -d 'States in colours: auto (at a terminal), always or never.'
complete -c supervisorctl -l generate -x -d 'Print a completion script (bash, zsh, fish) or manual page (supervisorctl.1, ...).'
complete -c supervisord -f
complete -c supervisord -s c -l configuration -r -F -d 'The configuration file; else it is looked for.'
complete -c supervisord -s h -l help -d 'Print this and exit.'
complete -c supervisord -s v -l version -d 'Print the version and exit.'
complete -c supervisord -l profile_options -x -d 'Accepted, without effect.'
complete -c supervisord -l check -d 'Check the configuration, change nothing, and exit.'
complete -c supervisord -l json -d 'With --check: print the effective configuration.'
complete -c supervisord -l show-secrets -d 'With --json: print passwords and environment, too.'
complete -c supervisord -l example -d 'Run an example from ./majordomo-example, in the foreground.'
complete -c supervisord -s a -l minfds -x -d 'How many file descriptors must be available; the soft limit is raised to it.'
complete -c supervisord -l minprocs -x -d 'How many processes must be available; the soft limit is raised to it.'
complete -c supervisord -s d -l directory -r -F -d 'Where to change to when daemonizing.'
complete -c supervisord -s u -l user -x -d 'The account to switch to when started as root.'
complete -c supervisord -s m -l umask -x -d 'File mode mask of the daemon, set when daemonizing.'
complete -c supervisord -s l -l logfile -r -F -d 'The main log, or `syslog`.'
complete -c supervisord -s y -l logfile_maxbytes -x -d 'The main log is rotated when it has grown to this; 0 is never.'
complete -c supervisord -s z -l logfile_backups -x -d 'How many rotated main logs are kept.'
complete -c supervisord -s e -l loglevel -x -d 'The least severe level that is logged.'
complete -c supervisord -s j -l pidfile -r -F -d 'Where the process id is written.'
complete -c supervisord -s i -l identifier -x -d 'The name of this supervisor, in events and in names of automatic logs.'
complete -c supervisord -s n -l nodaemon -d 'Stay in the foreground.'
complete -c supervisord -s s -l silent -d 'No copy of the main log on standard output in the foreground.'
complete -c supervisord -s q -l childlogdir -r -F -d 'Where automatic logs of programs go; the system\'s directory for temporary files if absent.'
complete -c supervisord -s k -l nocleanup -d 'Keep the automatic logs of earlier runs.'
complete -c supervisord -s t -l strip_ansi -d 'Remove ANSI escape sequences from logs of programs.'
