#!/usr/bin/env bash
# test_command: help, version and bad usage of every command, and `lockstep list`.
set -euo pipefail
lockstep=$BUILD/lockstep
work=$(mktemp -d)
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
expect 64 "'layers' is one word too many" "$lockstep" list models layers
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


# Before MPI starts, the environment says which process is rank 0: the others print nothing and end with the same code.
for name in OMPI_COMM_WORLD_RANK PMIX_RANK PMI_RANK SLURM_PROCID; do
    for words in "--help:0" "zzzzzz:64" "list:0" "train --zzzzzz:64" "list --help:0"; do
        code=0
        # shellcheck disable=SC2086
        env "$name=1" "$lockstep" ${words%:*} >"$work/said" 2>&1 || code=$?
        if [ -s "$work/said" ] || [ "$code" != "${words#*:}" ]; then
            echo "$name=1 lockstep ${words%:*}: expected silence and ${words#*:}, found $code and:" >&2
            cat "$work/said" >&2
            failed=1
        fi
    done
done
expect 0 "Usage" env OMPI_COMM_WORLD_RANK=0 SLURM_PROCID=3 "$lockstep" --help
exit $failed
