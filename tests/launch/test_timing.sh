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
expect 0 timeout 300 mpirun --oversubscribe -n 1 "${train[@]}" : -n 1 env LOCKSTEP_INSTRUCTIONS=plain "${train[@]}"
says 'slow: rank 1 on '
says ' times the median ('
! grep -q 'slow: rank 0 on ' out || fail 'the faster rank was called slow'
says '  ms: compute '
says ' Gflop/s a rank ('
"$python" - <<'END_PYTHON'
import json

steps = [r for r in map(json.loads, open("runs/job/metrics.jsonl")) if "samples_per_second" in r]
assert steps
for r in steps:
    for part in "compute", "wait", "data", "sum", "update":
        least, median, most = r[part + "_seconds"]
        assert 0 <= least <= median <= most < 60, r
    reached, product = r["gflops"]
    assert reached > 0 and product > 0, r
apart = sorted(r["compute_seconds"][2] / r["compute_seconds"][0] for r in steps)
assert apart[len(apart) // 2] > 1.2, apart
END_PYTHON

# --- One node: nothing to compare. One rank: the line has no figures of ranks.
unset LOCKSTEP_RANKS_PER_NODE
expect 0 ranks 2 "${train[@]}" run=node
! grep -q 'slow' out || fail 'one node was called slow'
expect 0 "${train[@]}" run=alone
! grep -q ' ms: ' out || fail 'one rank has no figures of ranks'

# --- A timeline: JSON, whose events of a rank lie one in another or apart, and fill its steps.
expect 0 ranks 2 "${train[@]}" run=traced steps=30 evaluate.every='20 steps' checkpoint.every='10 steps' --timeline=trace.json
says 'timeline: trace.json, of the last 30 of 30 steps'
cat >check_trace.py <<'END_PYTHON'
"""check_trace: FILE STEPS RANKS [MORE]: checks a timeline; steps STEPS - MORE + 1 to STEPS must be there, where MORE is given."""
import collections
import json
import sys

steps, ranks = int(sys.argv[2]), int(sys.argv[3])
trace = json.load(open(sys.argv[1]))
events = collections.defaultdict(list)
for e in trace:
    if e["ph"] == "X":
        events[e["tid"]].append(e)
    else:
        assert e["ph"] == "M" and e["args"]["name"], e
assert sorted(events) == list(range(ranks)), sorted(events)
for rank, mine in events.items():
    covered, whole, open_ones = 0, 0, []
    mine.sort(key=lambda e: (e["ts"], -e["dur"]))
    for e in mine:
        assert e["ts"] >= 0 and e["dur"] >= 0, e
        while open_ones and open_ones[-1]["ts"] + open_ones[-1]["dur"] <= e["ts"] + 1e-2:
            open_ones.pop()
        if open_ones:  # ends before what it lies in; times have three digits
            assert e["ts"] + e["dur"] <= open_ones[-1]["ts"] + open_ones[-1]["dur"] + 1e-2, (e, open_ones[-1])
            covered += e["dur"] if len(open_ones) == 1 and open_ones[0]["cat"] == "step" else 0
        whole += e["dur"] if e["cat"] == "step" else 0
        open_ones.append(e)
    assert covered > 0.8 * whole, (rank, covered, whole)
    numbers = [int(e["name"].split()[1]) for e in mine if e["cat"] == "step"]
    assert numbers == list(range(numbers[0], steps + 1)), numbers
    print(rank, len(numbers), sorted({e["cat"] for e in mine}))
    for e in "dense1 forward", "dense3 backward", "gradient", "update", "sum":
        assert sum(e == other["name"] for other in mine) == len(numbers), e
END_PYTHON
expect 0 "$python" check_trace.py trace.json 30 2
same 'the trace' "0 30 ['checkpoint', 'compute', 'data', 'evaluation', 'step', 'sum', 'wait'] 1 30 ['checkpoint', 'compute', 'data', 'evaluation', 'step', 'sum', 'wait']" \
    "$(tr '\n' ' ' <out | sed 's/ $//')"

# --- Of a long run, as many of the last steps as a ring holds; a stage's end is no end of the trace.
expect 0 "${train[@]}" run=long model='mlp widths=144,2,2,2,2,2,2,2,4' batch=4 steps=2500 --timeline=long.json
says ' of 2500 steps'
sed -n 's/.*of the last \([0-9]*\) of 2500 steps/\1/p' out >kept
expect 0 "$python" -c "
import json
steps = [int(e['name'].split()[1]) for e in json.load(open('long.json')) if e.get('cat') == 'step']
assert 500 < len(steps) == int(open('kept').read()) < 2500, len(steps)
assert steps == list(range(2501 - len(steps), 2501))"

# --- A file that can't be written is told before the first step.
expect 74 "${train[@]}" run=none --timeline=nowhere/trace.json
says 'nowhere/trace.json'
[ ! -e none/metrics.jsonl ] || fail 'trained though the timeline has no place'

# --- An earlier timeline is replaced; any other file is refused and stays.
expect 0 "${train[@]}" run=again steps=3 --timeline=trace.json
says 'timeline: trace.json, of the last 3 of 3 steps'
before=$(sha256sum images.h5)
expect 64 "${train[@]}" run=none --timeline=images.h5
says '--timeline=images.h5: the file that is there is no timeline of an earlier run'
same 'the data set' "$before" "$(sha256sum images.h5)"
[ ! -e none/metrics.jsonl ] || fail 'trained though the timeline has no place'
expect 0 "${train[@]}" run=new steps=3 --timeline=new/metrics.jsonl
says 'there is no timeline'
grep -q '"final"' new/metrics.jsonl || fail 'the timeline has replaced a file of the run'
