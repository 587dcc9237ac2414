#!/usr/bin/env bash
# test_timing: what the ranks spend their steps on, in metrics.jsonl and on the progress line; the machine that is slower than
# the others is named.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

data images images.h5
train=("$lockstep" train job.yaml)
cat >job.yaml <<'YAML'
data: images.h5
model: mlp widths=144,1024,1024,4
optimizer: momentum rate=0.001
batch: 64
steps: 60
evaluate: {every: never}
YAML

# --- Two nodes of one rank, one of which computes without vectors; then two that compute alike.
export LOCKSTEP_RANKS_PER_NODE=1
expect 0 timeout 60 mpirun --oversubscribe -n 1 "${train[@]}" : -n 1 env LOCKSTEP_INSTRUCTIONS=plain "${train[@]}"
says 'slow: rank 1 on '
says ' times the median ('
! grep -q 'slow: rank 0 on ' out || fail 'the faster rank was called slow'
says '  ms: compute '
"$python" - <<'END_PYTHON'
import json

steps = [r for r in map(json.loads, open("runs/job/metrics.jsonl")) if "samples_per_second" in r]
assert steps
for r in steps:
    for part in "compute", "wait", "data", "sum", "update":
        least, median, most = r[part + "_seconds"]
        assert 0 <= least <= median <= most < 60, r
apart = sorted(r["compute_seconds"][2] / r["compute_seconds"][0] for r in steps)
assert apart[len(apart) // 2] > 1.2, apart
END_PYTHON

# --- One node: nothing to compare. One rank: the line has no figures of ranks.
unset LOCKSTEP_RANKS_PER_NODE
expect 0 ranks 2 "${train[@]}" run=node
! grep -q 'slow' out || fail 'one node was called slow'
expect 0 "${train[@]}" run=alone
! grep -q ' ms: ' out || fail 'one rank has no figures of ranks'
