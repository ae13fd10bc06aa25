# bash completion for supervisorctl and supervisord; made from the tables of the program: `UPDATE=1 cargo test --test generated` writes it anew

# Fills COMPREPLY with those of the words $1 that begin with the word at the cursor. bash takes a colon for the end of a
# word, so what stands in front of the last one is cut off again.
__majordomo_reply() {
    local word=$2 line
    COMPREPLY=()
    while IFS= read -r line; do
        [[ $line == "$word"* ]] && COMPREPLY+=("$line")
    done <<<"$1"
    if [[ $word == *:* && $COMP_WORDBREAKS == *:* ]]; then
        COMPREPLY=("${COMPREPLY[@]#"${word%"${word##*:}"}"}")
    fi
}

# Splits the line up to the cursor into the array words, at blanks only.
__majordomo_words() {
    local line=${COMP_LINE:0:COMP_POINT}
    read -ra words <<<"$line"
    [[ $line == *[[:space:]] ]] && words+=("")
}

_supervisorctl() {
    local -a words options=()
    __majordomo_words
    local last=$((${#words[@]} - 1)) place=1 command=""
    local word=${words[last]}
    while ((place < last)); do
        case ${words[place]} in
            -c|--configuration|-s|--serverurl|-u|--username|-p|--password|-r|--history_file|--color|--generate)
                ((place + 1 < last)) && options+=("${words[place]}" "${words[place + 1]}")
                if ((place + 1 == last)); then
                    compopt -o default 2>/dev/null
                    COMPREPLY=()
                    return
                fi
                ((place += 2))
                ;;
            -*)
                [[ ${words[place]} == @(--*=*|-[csupr]?*) ]] && options+=("${words[place]}")
                ((place += 1))
                ;;
            *)
                command=${words[place]}
                break
                ;;
        esac
    done
    local names=""
    case $command in
        "")
            if [[ $word == -* ]]; then
                names="-c --configuration -s --serverurl -u --username -p --password -r --history_file --color --generate -h --help -i --interactive --json"
            else
                names="add avail clear exit fg maintail open pid quit reload remove reread restart shutdown signal start status stop tail update version cache_clear cache_count cache_delete cache_fetch cache_keys cache_store twiddler_add twiddler_add_group twiddler_groups twiddler_remove help"
            fi
            names=${names// /$'\n'}
            ;;
        help)
            names="add avail clear exit fg maintail open pid quit reload remove reread restart shutdown signal start status stop tail update version cache_clear cache_count cache_delete cache_fetch cache_keys cache_store twiddler_add twiddler_add_group twiddler_groups twiddler_remove help"
            names=${names// /$'\n'}
            ;;
        add|remove|update|twiddler_add)
            names=$("${words[0]}" "${options[@]}" status 2>/dev/null | awk '$1 ~ /^[A-Za-z0-9_.@%+,:=-]+$/ && $2 ~ /^[A-Z]+$/ { split($1, part, ":"); if (!seen[part[1]]++) print part[1] }')
            ;;
        clear|fg|pid|restart|signal|start|status|stop|tail|twiddler_remove)
            names=$("${words[0]}" "${options[@]}" status 2>/dev/null | awk '$1 ~ /^[A-Za-z0-9_.@%+,:=-]+$/ && $2 ~ /^[A-Z]+$/ { print $1; split($1, part, ":"); if (part[2] != "" && !seen[part[1]]++) print part[1] ":*" }')
            ;;
    esac
    __majordomo_reply "$names" "$word"
}

_supervisord() {
    local -a words
    __majordomo_words
    local last=$((${#words[@]} - 1))
    case ${words[last - 1]} in
        -c|--configuration|--profile_options|-a|--minfds|--minprocs|-d|--directory|-u|--user|-m|--umask|-l|--logfile|-y|--logfile_maxbytes|-z|--logfile_backups|-e|--loglevel|-j|--pidfile|-i|--identifier|-q|--childlogdir)
            compopt -o default 2>/dev/null
            COMPREPLY=()
            return
            ;;
    esac
    local names="-c --configuration --profile_options -a --minfds --minprocs -d --directory -u --user -m --umask -l --logfile -y --logfile_maxbytes -z --logfile_backups -e --loglevel -j --pidfile -i --identifier -q --childlogdir -h --help -v --version --check --json --show-secrets --example -n --nodaemon -s --silent -k --nocleanup -t --strip_ansi"
    __majordomo_reply "${names// /$'\n'}" "${words[last]}"
}

complete -F _supervisorctl supervisorctl
complete -F _supervisord supervisord
