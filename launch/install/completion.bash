# completion: bash completion for lockstep. What it offers comes from the program itself: commands, options and their
# values from --help, job keys from `lockstep man --keys`, names of models and the like from `lockstep list`.
# shellcheck shell=bash

_lockstep_commands() { # PROGRAM
    "$1" --help 2>/dev/null | sed -nE '/^Commands:/,/^$/s/^  ([a-z][a-z0-9-]*) .*/\1/p'
}

# --name, or --name= where it takes a value.
_lockstep_options() { # PROGRAM COMMAND
    "$1" "$2" --help 2>/dev/null | sed -nE 's/^ +(-[^ ], )?(--[a-z0-9-]+)(=|  |$).*/\2\3/p' | tr -d ' '
}

# The values of an option that --help gives as a|b|c.
_lockstep_values() { # PROGRAM COMMAND OPTION
    "$1" "$2" --help 2>/dev/null | sed -nE "s/^ +(-[^ ], )?$3=([^ ]*\|[^ ]*).*/\2/p" | tr '|' '\n' | grep -x '[a-z-]*'
}

# The words that may stand first after the command, where its usage line gives them as [a|b|c].
_lockstep_words() { # PROGRAM COMMAND
    "$1" "$2" --help 2>/dev/null |
        sed -nE '1{/\[OPTION\.\.\.\]$/{N;s/\n +/ /}; s/.*\[OPTION\.\.\.\] ?([^ ]*).*/\1/p}' |
        tr -d '[]' | tr '|' '\n' | grep -xE '[a-z]+'
}

_lockstep_listed() { # PROGRAM SECTION
    "$1" list "$2" 2>/dev/null | sed -nE 's/^  ([a-z][a-z0-9-]*).*/\1/p'
}

# Files that end so, and folders; all files without an ending.
_lockstep_files() { # WORD [ENDING]
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(
        compgen -d -- "$1"
        compgen -f -X "!*${2:-}" -- "$1" | while IFS= read -r file; do [ -d "$file" ] || echo "$file"; done
    )
}

_lockstep_offer() { # WORD WORDS
    mapfile -t COMPREPLY < <(compgen -W "$2" -- "$1")
    [[ ${#COMPREPLY[@]} -gt 0 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null
    return 0
}

# After the = of an option or a job key.
_lockstep_after_equals() { # PROGRAM COMMAND NAME WORD
    local values
    case $3 in
    -*)
        values=$(_lockstep_values "$1" "$2" "$3")
        _lockstep_offer "$4" "$values"
        [ ${#COMPREPLY[@]} -gt 0 ] || _lockstep_files "$4"
        ;;
    data) _lockstep_files "$4" .h5 ;;
    run) _lockstep_files "$4" / ;;
    evaluate.split) _lockstep_offer "$4" 'train valid test' ;;
    model | transform | *objective | *optimizer | *schedule) _lockstep_offer "$4" "$(_lockstep_listed "$1" "${3##*.}s")" ;;
    esac
}

_lockstep_argument() { # PROGRAM COMMAND WORD
    local given="${COMP_WORDS[*]:2:COMP_CWORD-2}" words
    case $2 in
    train | check)
        if [[ $given == *.yaml* || $given == *.yml* ]]; then
            _lockstep_offer "$3" "$("$1" man --keys 2>/dev/null | sed 's/$/=/')"
        else
            _lockstep_files "$3" .y*ml
        fi
        ;;
    *)
        [ "$COMP_CWORD" -gt 2 ] || words=$(_lockstep_words "$1" "$2")
        [ "${words:-}" ] && _lockstep_offer "$3" "$words"
        [ "$2" = list ] || [ ${#COMPREPLY[@]} -gt 0 ] || _lockstep_files "$3"
        ;;
    esac
}

_lockstep() {
    local program=${1/#\~/$HOME} word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    local command=${COMP_WORDS[1]}
    COMPREPLY=()
    if [ "$COMP_CWORD" = 1 ]; then
        _lockstep_offer "$word" "$(_lockstep_commands "$program") --help --version"
    elif [ "$word" = = ]; then
        _lockstep_after_equals "$program" "$command" "$before" ''
    elif [ "$before" = = ]; then
        _lockstep_after_equals "$program" "$command" "${COMP_WORDS[COMP_CWORD - 2]}" "$word"
    elif [[ $word == -* ]]; then
        _lockstep_offer "$word" "$(_lockstep_options "$program" "$command")"
    else
        _lockstep_argument "$program" "$command" "$word"
    fi
}
complete -F _lockstep lockstep lockstep-double
