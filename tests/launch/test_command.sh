#!/usr/bin/env bash
# test_command: help, version and bad usage of every command, and `lockstep list`.
set -euo pipefail
lockstep=$BUILD/lockstep
work=$(mktemp -d)
export TMPDIR=$work # MPI's own files: jobs that end at the same time can remove each other's
trap 'rm -rf "$work"' EXIT
failed=0

# expect CODE TEXT COMMAND...: the exit code, and TEXT somewhere in what the command says.
expect() {
    local code=$1 text=$2 found=0
    shift 2
    "$@" >"$work/said" 2>&1 || found=$?
    if [ "$found" != "$code" ] || ! grep -qF -- "$text" "$work/said"; then
        echo "$*: expected exit code $code and \"$text\", found exit code $found and:" >&2
        cat "$work/said" >&2
        failed=1
    fi
}

expect 0 "Usage: lockstep COMMAND" "$lockstep" --help
expect 0 "Usage: lockstep COMMAND" "$lockstep" help
expect 0 "lockstep 0." "$lockstep" --version
expect 0 "(float64)" "$BUILD/lockstep-double" --version
expect 64 "Usage: lockstep COMMAND" "$lockstep"
expect 64 "there is no command 'trian': did you mean 'train'?" "$lockstep" trian
expect 64 "there is no command 'zzzzzz' (" "$lockstep" zzzzzz

# Every command that --help names has its own --help, in the same form, and refuses unknown options.
commands=$("$lockstep" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p')
[ "$(echo "$commands" | wc -w)" -ge 6 ] || failed=1
for command in $commands; do
    expect 0 "Usage: lockstep $command" "$lockstep" "$command" --help
    expect 0 "--usage" "$lockstep" "$command" --help
    expect 64 "lockstep $command: unrecognized option '--zzzzzz'" "$lockstep" "$command" --zzzzzz
    expect 64 "Try \`lockstep $command --help'" "$lockstep" "$command" --zzzzzz
done

expect 64 "lockstep train: expected JOB.yaml" "$lockstep" train
expect 64 "there is no list of 'optimiser': did you mean 'optimizers'?" "$lockstep" list optimiser
expect 64 "'layers' is one word too many: expected at most 1" "$lockstep" list models layers
expect 64 "--input goes with --model" "$lockstep" list --input 3
expect 64 "lenet" "$lockstep" list --model lenett
expect 64 "--input" "$lockstep" list --model lenet --input 28x28
expect 0 "61706" "$lockstep" list --model 'lenet classes=10'
expect 0 "conv1: conv2d out=6 kernel=5 pad=2" "$lockstep" list --model lenet
for section in keys models layers activations losses objectives optimizers schedules initializers; do
    expect 0 "${section^} (" "$lockstep" list $section
    "$lockstep" list $section >"$work/part"
    "$lockstep" list >"$work/whole"
    while IFS= read -r line; do
        grep -qxF -- "$line" "$work/whole" || failed=1
    done <"$work/part"
    if awk 'length > 100' "$work/part" | grep .; then
        echo "list $section: the lines above are wider than 100 columns" >&2
        failed=1
    fi
done
expect 0 "rate=X" "$lockstep" list optimizers
expect 0 "default 0.9)" "$lockstep" list optimizers


# Before MPI starts, the environment says which process is rank 0: of what needs MPI, the others print nothing and end with
# the same code. What needs none is each task's own work, which may be another one than its neighbour's.
for name in OMPI_COMM_WORLD_RANK MV2_COMM_WORLD_RANK PMIX_RANK PMI_RANK PALS_RANKID SLURM_PROCID; do
    code=0
    env "$name=1" "$lockstep" train --zzzzzz >"$work/said" 2>&1 || code=$?
    if [ -s "$work/said" ] || [ $code != 64 ]; then
        echo "$name=1 lockstep train --zzzzzz: expected silence and 64, found $code and:" >&2
        cat "$work/said" >&2
        failed=1
    fi
    for words in "--help:0" "zzzzzz:64" "list:0" "list --help:0" "man:0" "--version:0" "verify nothing.h5:65" \
        "inspect nothing.h5:65" "import synthetic --rows 4 -o $work/$name.h5:0" "list --zzzzzz:64"; do
        code=0
        # shellcheck disable=SC2086
        env "$name=1" "$lockstep" ${words%:*} >"$work/said" 2>&1 || code=$?
        if [ ! -s "$work/said" ] || [ "$code" != "${words##*:}" ]; then
            echo "$name=1 lockstep ${words%:*}: expected words and ${words##*:}, found $code and:" >&2
            cat "$work/said" >&2
            failed=1
        fi
    done
    [ -s "$work/$name.h5" ] || failed=1
done
expect 0 "Usage" env OMPI_COMM_WORLD_RANK=0 SLURM_PROCID=3 "$lockstep" --help
expect 0 "Usage" env OMPI_COMM_WORLD_RANK=3 "$lockstep" --help

# Where mpirun started this program itself, with one command line, rank 0 does the work of what needs no MPI; where a shell
# stands between, or there are two command lines, each rank does its own.
times() { # COUNT TEXT ARGUMENT ...: of mpirun's words, so many hold TEXT
    local count=$1 text=$2
    shift 2
    mpirun --oversubscribe --bind-to none "$@" >"$work/said" 2>&1 || true
    if [ "$(grep -cF -- "$text" "$work/said")" != "$count" ]; then
        echo "mpirun $*: expected $count times '$text', found:" >&2
        cat "$work/said" >&2
        failed=1
    fi
}
times 1 'Losses (objective:' -n 3 "$lockstep" list losses
times 1 'this takes one rank: all others leave it to rank 0' -n 3 "$lockstep" list losses
times 1 'Usage: lockstep COMMAND' -n 2 "$lockstep" --help
times 2 'Losses (objective:' -n 2 bash -c "$lockstep list losses"
times 1 'Losses (objective:' -n 1 "$lockstep" list losses : -n 1 "$lockstep" list schedules
times 1 'Schedules (' -n 1 "$lockstep" list losses : -n 1 "$lockstep" list schedules
exit $failed
