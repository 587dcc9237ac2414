#!/usr/bin/env bash
# test_completion: bash completion in an interactive bash, as the TAB key calls it.
# shellcheck source=tests/launch/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

mkdir -p runs/lenet jobs
touch jobs/a.yaml jobs/b.yml jobs/c.txt data.h5 'two words.h5'
cat >ask.sh <<'END'
# ask WORDS...: prints the completions after these words, one a line.
source "$COMPLETION"
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
function=$(complete -p "${1##*/}" | sed -E 's/.*-F ([^ ]*) .*/\1/')
"$function" "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\n' "${COMPREPLY[@]}"
END
export COMPLETION=$tests/../launch/install/completion.bash

# offers WORDS... : OFFERED...   ('' for the word that is just begun)
offers() {
    local words=() wanted
    while [ "$1" != : ]; do
        words+=("$1")
        shift
    done
    shift
    wanted=$(printf '%s\n' "$@" | sort)
    last="${words[*]}"
    bash --norc -i ask.sh "$lockstep" "${words[@]}" 2>err </dev/null | sort >out || fail "completion failed: $(cat err)"
    [ "$(cat out)" = "$wanted" ] || fail "expected after '$last': $wanted"
}

mapfile -t commands < <("$lockstep" --help | sed -nE '/^Commands:/,/^$/s/^  ([a-z]+) .*/\1/p')
offers '' : "${commands[@]}" --help --version
offers tr : train
offers nothing : ''
offers train --res : --resume=
offers train --d : --dry-run
offers evaluate -- : --average --weights= --data= --split= --stage= --json --samples= --temperatures= --reverse --stall-abort= --stall-warn= --threads= --help --usage
offers train --resume = : auto required never
offers train --resume = r : required
offers evaluate --split = t : train test
offers train jobs/ : jobs/a.yaml jobs/b.yml
offers train j : jobs
offers train jobs/a.yaml ba : batch=
offers train jobs/a.yaml evaluate.s : evaluate.split= evaluate.stop_after=
offers train jobs/a.yaml model = le : lenet
offers train jobs/a.yaml optimizer = ad : adam adamw
offers train jobs/a.yaml schedule = co : constant cosine
offers train jobs/a.yaml transform = s : scale-crop
offers train jobs/a.yaml data = : data.h5 'two words.h5' jobs runs
offers train jobs/a.yaml run = ru : runs
offers train jobs/a.yaml batch = : ''
offers list '' : keys models layers activations losses objectives optimizers schedules initializers transforms
offers list op : optimizers
offers list models '' : ''
offers plot ru : runs
offers plot runs/ : runs/lenet
offers plot --x = : step epoch time
offers import id : idx
offers import im : images

# Completion offers every job key, and no option that --help does not list.
mapfile -t keys < <("$lockstep" man --keys | sed 's/$/=/')
offers check jobs/a.yaml '' : "${keys[@]}"

# It is installed where bash-completion looks for a command of this name.
grep -qE 'completion.bash RENAME lockstep' "$tests/../CMakeLists.txt" || fail 'expected completion.bash to be installed'
