#!/usr/bin/env bash
# kill_checkpoints: kills rank 0 by -9 at random times while it writes checkpoints. The checkpoint committed last always
# loads, and at the end the run equals one that was never killed.
#
#   tests/kill_checkpoints.sh [ROUNDS]     200 rounds take about 10 minutes; BUILD=FOLDER holds the program (build)
BUILD=${BUILD:-$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)/build}
source "$(dirname "${BASH_SOURCE[0]}")/launch/lib.sh"
rounds=${1:-200}

data images images.h5
cat >job.yaml <<'END'
data: images.h5
model: mlp widths=144,1000,200,4 dropout=0.1
optimizer: momentum rate=0.001
schedule: constant
batch: 10
steps: 100000000
shards: 2
evaluate: {every: never}
checkpoint: {every: 1 steps, keep: 2}
run: run
END

committed() { # the step of the newest .ok file; 0 if there is none
    find run/checkpoints -name 'step-*.ok' 2>/dev/null | sort | tail -n 1 | sed 's/.*step-0*//; s/.ok//' | grep . || echo 0
}

wrote_one() { # whether a checkpoint was committed since this start, or the program has ended by itself
    [ "$(committed)" != "$before" ] || ! kill -0 "$started" 2>/dev/null
}

unfinished=0
for ((round = 1; round <= rounds; round++)); do
    before=$(committed)
    start $((1 + round % 2)) "$lockstep" train job.yaml
    wait_until wrote_one
    sleep "0.$(printf %03d $((RANDOM % 300)))"
    kill -KILL "$(pgrep -P "$started" -f 'lockstep train' | head -n 1)"
    finish
    [ $code = 137 ] || fail "round $round: expected mpirun's 137 for a rank that was killed, found $code"
    [ -z "$(find run/checkpoints -name '*.tmp*')" ] || unfinished=$((unfinished + 1))

    step=$(committed)
    [ "$step" -gt "$before" ] || fail "round $round: step $step was committed last, and $before before it"
    expect 0 "$lockstep" evaluate run --json
    says "\"step\":$step,"
done

last_step=$(($(committed) + 1))
expect 0 "$lockstep" train job.yaml steps=$last_step --resume=required
expect 0 "$lockstep" train job.yaml steps=$last_step run=peace checkpoint.every=never
same "step $last_step after $rounds kills" "$(digest --all "$(checkpoint peace $last_step)")" \
    "$(digest --all "$(checkpoint run $last_step)")"
echo "$rounds kills of rank 0 by step $last_step, $unfinished of them in the middle of a file: nothing was lost"
