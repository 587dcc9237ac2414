# lib: the functions that all test scripts share. A script sources it, and then works in a folder of its own, $work, which
# is removed at the end.
#
#   expect CODE COMMAND ...   runs the command; its output goes to $work/out; any other exit code is a failure
#   says TEXT                 fails unless the output of the last command contains TEXT
#   ranks N COMMAND ...       runs the command on N ranks under mpirun, for at most 60 s
#   start N COMMAND ...       the same in the background; $started is the process. N = 0 starts without mpirun
#   finish                    waits for it and sets $code; its output is in $work/out
# shellcheck shell=bash
set -Eeuo pipefail
tests=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
lockstep=$BUILD/lockstep
MPIRUN=${MPIRUN:-mpirun --oversubscribe --bind-to none} # these options are Open MPI's; MPICH needs none
python=/usr/bin/python3 # Debian's, with Debian's h5py and numpy

export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_mpi_yield_when_idle=1
export OMPI_MCA_hwloc_base_binding_policy=none

work=$(mktemp -d)
TMPDIR=$(mktemp -d) # MPI's own files: jobs that end at the same time can remove each other's
export TMPDIR
started=

clean_up() {
    if [ "$started" ]; then
        kill -TERM "$started" 2>/dev/null && sleep 2
        kill -KILL "$started" 2>/dev/null
    fi
    rm -rf "$work" "$TMPDIR" || true # what still ends may write there once more
}
trap clean_up EXIT
cd "$work"

fail() {
    printf 'FAILED (%s): %s\n' "$(basename "$0"):${BASH_LINENO[${#BASH_LINENO[@]} - 2]}" "$1" >&2
    if [ -s "$work/out" ]; then
        printf 'The last command was: %s\nIt said:\n' "${last:-}" >&2
        tail -n 40 "$work/out" >&2
    fi
    exit 1
}

trap 'fail "this failed: $BASH_COMMAND"' ERR

ranks() {
    local count=$1
    shift
    # shellcheck disable=SC2086 # several words
    timeout -k 5 300 $MPIRUN -n "$count" "$@"
}

start() {
    local count=$1
    shift
    last="$*"
    if [ "$count" = 0 ]; then
        "$@" >"$work/out" 2>&1 </dev/null &
    else
        # shellcheck disable=SC2086
        MPIEXEC_TIMEOUT=300 $MPIRUN -n "$count" "$@" >"$work/out" 2>&1 </dev/null &
    fi
    started=$!
}

finish() {
    code=0
    wait "$started" 2>/dev/null || code=$?
    started=
}

expect() {
    local wanted=$1 code=0
    shift
    last="$*"
    "$@" >"$work/out" 2>&1 </dev/null || code=$?
    [ "$code" = "$wanted" ] || fail "expected exit code $wanted, found $code"
}

says() {
    grep -qF -- "$1" "$work/out" || fail "expected to read: $1"
}

# The output of the last command is this text and nothing else.
says_only() {
    [ "$(cat "$work/out")" = "$1" ] || fail "expected exactly: $1"
}

same() { # WHAT A B
    [ "$2" = "$3" ] || fail "$1: expected the same, found '$2' and '$3'"
}

different() { # WHAT A B
    [ "$2" ] && [ "$3" ] || fail "$1: expected two values, found '$2' and '$3'"
    [ "$2" != "$3" ] || fail "$1: expected two values, found '$2' twice"
}

metrics_of() { # RUN: its records, without what the clock says
    sed -E 's/,"(samples_per_second|waiting|gflops|([a-z]+_)?seconds)":([0-9.e+-]+|\[[^]]*\])//g' "$1/metrics.jsonl"
}

under_way() { # whether the training in $run is under way: the first record is written
    [ -s "$run/metrics.jsonl" ]
}

# Repeats COMMAND until it succeeds, for at most 5 minutes: a busy machine may let a test wait.
wait_until() {
    local end=$((SECONDS + 300))
    while [ $SECONDS -lt $end ]; do
        "$@" && return 0
        sleep 0.05
    done
    fail "waited 300 s in vain for: $*"
}

data() { # KIND FILE
    "$python" "$tests/launch/make_data.py" "$1" "$2"
}

digest() { # FILE ...: one SHA-256 over the parameters of each
    "$python" "$tests/launch/digest.py" "$@"
}

checkpoint() { # RUN STEP
    printf '%s/checkpoints/step-%08d.h5' "$1" "$2"
}

alike() { # A B [STEP]: the ends of both runs, their best and their records; STEP is $last_step unless given
    local step=${3:-$last_step}
    same "step $step of $1 and $2" "$(digest --all "$(checkpoint "$1" "$step")")" \
        "$(digest --all "$(checkpoint "$2" "$step")")"
    same "best of $1 and $2" "$(digest "$1/checkpoints/best.h5")" "$(digest "$2/checkpoints/best.h5")"
    same "records of $1 and $2" "$(metrics_of "$1")" "$(metrics_of "$2")"
}

normed_job() { # a job over images.h5 without its lengths; by its batch norm the shards decide the bits
    cat <<'END'
data: images.h5
net: |
  conv2d out=6 kernel=3 pad=1 bias=0
  batchnorm relu=1
  maxpool kernel=2
  dense units=40
  activation function=tanh
  dense units=4
optimizer: adam rate=0.003 clip=0.5
END
}

sequence_job() { # DATA MODEL: job.yaml, 12 steps of two epochs over rows that are sequences
    cat >job.yaml <<END
data: $1
model: $2
optimizer: adam rate=0.02 clip=0.5
schedule: constant
batch: 37
steps: 12
shards: 8
evaluate: {every: 4 steps}
checkpoint: {every: 5 steps, keep: 9}
END
}

steps_saved() { # RUN: of its newest checkpoint
    find "$1/checkpoints" -name 'step-*.ok' | sort | tail -n 1 | sed 's/.*step-0*//; s/.ok//'
}

# 12 steps of job.yaml with these keys are the same bits on 1 to 4 ranks, on 1 and 2 threads, and after a stop amid an epoch.
same_everywhere() { # RUN [KEY=VALUE ...]
    local run=$1 count step wanted
    shift
    expect 0 ranks 1 "$lockstep" train job.yaml run=$run "$@"
    wanted=$(digest --all "$(checkpoint $run 12)")
    for count in 2 3 4; do
        expect 0 ranks $count "$lockstep" train job.yaml run=$run-on$count "$@"
        same "12 steps of $run on $count ranks" "$wanted" "$(digest --all "$(checkpoint $run-on$count 12)")"
        same "records of $run on $count ranks" "$(metrics_of $run)" "$(metrics_of $run-on$count)"
    done
    for count in 1 2; do
        expect 0 "$lockstep" train job.yaml run=$run-threads$count --threads $count "$@" shards=2 steps=3
    done
    same "steps of $run of one thread and of two" "$(digest --all "$(checkpoint $run-threads1 3)")" \
        "$(digest --all "$(checkpoint $run-threads2 3)")"
    for step in 5 10; do
        expect 0 ranks 3 "$lockstep" train job.yaml run=$run-from$step "$@" --resume="$(checkpoint $run $step)"
        same "step 12 of $run from step $step" "$wanted" "$(digest --all "$(checkpoint $run-from$step 12)")"
    done
}
