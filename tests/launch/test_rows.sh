#!/usr/bin/env bash
# test_rows: rows that an objective carries from step to step (persistent chains of rbm): the same on any ranks, kept in
# checkpoints, dealt out again on a resume; and the gap between evaluated and training rows, which may end a stage.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

data images images.h5
cat >job.yaml <<'END'
data: images.h5
net: |
  dense1: dense units=20 visible=1
stages:
  - objective: rbm k=2 chains=7 binarize=1
    optimizer: momentum rate=0.05 decay=1e-3
    batch: 37
    steps: 7
  - objective: rbm chains=3 binarize=1
    optimizer: sgd rate=0.02
    batch: 3
    steps: 5
seed: 3
shards: 5
evaluate: {every: 3 steps}
checkpoint: {every: 1 steps, keep: 100}
END
all() { # RUN STEP ...: of each checkpoint, a digest of all arrays and of where the run stands
    local run=$1 step files=()
    shift
    for step in "$@"; do files+=("$(checkpoint "$run" "$step")"); done
    digest --all "${files[@]}"
}
keeps_chains() {
    ! grep -q 'begin anew' out || fail 'the chains began anew'
}

# --- On 1 to 4 ranks and several nodes: 7 chains on 5 shards, then 3 of which 2 shards have none, in batches of 3 rows.
expect 0 ranks 2 "$lockstep" train job.yaml run=whole
says 'stage 2 of 2 done: step 12'
whole=$(all whole 1 6 7 8 12)
for count in 1 3 4; do
    expect 0 ranks $count "$lockstep" train job.yaml run=on$count
    same "on $count ranks" "$whole" "$(all on$count 1 6 7 8 12)"
done
expect 0 ranks 4 env LOCKSTEP_RANKS_PER_NODE=1,3 "$lockstep" train job.yaml run=nodes
same 'on nodes of 1 and 3 ranks' "$whole" "$(all nodes 1 6 7 8 12)"

# --- What stands in the files: all chains, which move on; none where no stage has begun them, and none in best.h5.
"$python" - <<'END'
import h5py, numpy
def rows(name):
    with h5py.File(f"whole/checkpoints/{name}.h5") as file:
        return {k: v[()] for k, v in file["rows"].items()} if "rows" in file else None
first, second = rows("step-00000001"), rows("step-00000002")
assert list(first) == ["chains"] and first["chains"].shape == (7, 144) and first["chains"].dtype == numpy.float32, first
assert len(numpy.unique(first["chains"], axis=0)) == 7, "chains are the same"
assert ((first["chains"] != second["chains"]).any(axis=1)).all(), "a chain does not move"
assert rows("step-00000007") is None and rows("best") is None
assert rows("step-00000008")["chains"].shape == (3, 144)
assert rows("step-00000012")["chains"].shape == (3, 144), "more steps go on with the chains"
END
expect 0 "$lockstep" inspect "$(checkpoint whole 12)"
says 'rows/chains'
expect 0 "$lockstep" verify whole

# --- Resumed from each step, on other ranks.
for ((step = 1; step < 12; step++)); do
    count=$((1 + step % 4))
    expect 0 ranks $count "$lockstep" train job.yaml run=from$step checkpoint.every=never \
        --resume="$(checkpoint whole $step)"
    keeps_chains
    same "from step $step, on $count ranks" "$(all whole 12)" "$(all from$step 12)"
done

# --- Rank 0 killed at any moment, three times. A run that was done before the signal came is begun anew.
long=(train job.yaml stages.0.steps=1200 checkpoint.every='3 steps' checkpoint.keep=2)
committed() { find killed/checkpoints -name 'step-*.ok' 2>/dev/null | sort | tail -n 1 || true; }
wrote_one() { [ "$(committed)" != "$before" ] || ! kill -0 "$started" 2>/dev/null; }
expect 0 ranks 2 "$lockstep" "${long[@]}" run=calm
counts=(3 1 2) kills=0
for ((starts = 0; starts < 20 && kills < 3; starts++)); do
    before=$(committed)
    start ${counts[kills]} "$lockstep" "${long[@]}" run=killed
    wait_until wrote_one
    sleep "0.$(printf %03d $((RANDOM % 300)))"
    victim=$(pgrep -P "$started" -f 'lockstep train' | head -n 1 || true)
    kill -KILL "${victim:-none}" 2>/dev/null || true
    finish
    if [ $code = 0 ]; then
        rm -r killed
        kills=0
    else
        same "mpirun's code where a rank was killed" 137 $code
        kills=$((kills + 1))
    fi
done
same 'kills in time' 3 $kills
expect 0 ranks 4 "$lockstep" "${long[@]}" run=killed
keeps_chains
same 'the end after kills' "$(all calm 1205)" "$(all killed 1205)"

# --- Another number of chains begins them anew, aloud; other shards keep them.
from=$(checkpoint whole 4)
expect 0 ranks 2 "$lockstep" train job.yaml run=more --resume="$from" \
    'stages.0.objective=rbm k=2 chains=9 binarize=1' stages.0.steps=6
says "stages.0.objective changed from 'rbm k=2 chains=7 binarize=1' to 'rbm k=2 chains=9 binarize=1'"
says "chains: $from holds 7 rows of 144 numbers, the job has 9 of 144: they begin anew"
expect 0 "$lockstep" train job.yaml run=none --resume="$from" 'stages.0.objective=rbm k=2 binarize=1'
says "chains: $from holds 7 rows, the job has none: they are left out"
expect 64 "$lockstep" train job.yaml run=other --resume="$from" 'stages.0.objective=rbm k=2 chains=7'
says 'the running stage keeps its objective'
expect 0 ranks 2 "$lockstep" train job.yaml run=shards --resume="$from" shards=4
keeps_chains

# --- The plan counts them, in the checkpoint and in memory.
plan() { # ARGUMENT ...: MiB of memory and of a checkpoint
    expect 0 "$lockstep" train job.yaml run=plan --dry-run "$@"
    sed -nE 's/^memory .* ([0-9.]+) ([MG])iB on this .* checkpoint ([0-9.]+) ([KM])iB.*/\1 \2 \3 \4/p' out |
        awk '{print int($1 * ($2 == "G" ? 1024 : 1)), int($3 / ($4 == "K" ? 1024 : 1))}'
}
read -r memory file < <(plan)
read -r more_memory more_file < <(plan 'stages.0.objective=rbm chains=200000 binarize=1')
mib=$((200000 * 144 * 4 >> 20))
[ $((more_file - file)) -ge $((mib - 1)) ] || fail "the chains are $mib MiB, but the checkpoint $more_file, and $file without"
# The rank's own, and gathered; what the process itself takes is measured, and differs by some MiB from start to start.
[ $((more_memory - memory)) -ge $((2 * mib - 30)) ] ||
    fail "the chains are $mib MiB twice, but the memory $more_memory, and $memory without"

# --- The gap: only evaluations have it; the difference of the mean free energies of the 57 rows of valid and of as many of
# the first training rows, or of the 10 that the stage takes; 0 where the training rows themselves are evaluated.
cat >gap.yaml <<'END'
data: images.h5
net: |
  dense1: dense units=20 visible=1
stages:
  - {objective: rbm binarize=1, optimizer: sgd rate=0.2, rows: 10, batch: 5, steps: 200}
  - {objective: rbm chains=5 binarize=1, optimizer: sgd rate=0.2, rows: 10, batch: 5, steps: 50}
shards: 2
evaluate: {every: 10 steps}
END
expect 0 ranks 2 "$lockstep" train gap.yaml run=all stages.0.steps=20 stages.0.rows=0 stages.1.rows=0 evaluate.metric=gap
expect 0 ranks 2 "$lockstep" train gap.yaml run=ten
says 'stage 1 of 2 done: step 200'
"$python" - <<'END'
import h5py, json
for rows in 57, 10:
    with h5py.File("images.h5") as data, h5py.File(f"first{rows}.h5", "w") as first:
        for split in "train", "test":
            first[f"{split}/x"] = data["train/x"][:rows]
            first[f"{split}/x"].attrs["scale"] = 1 / 255
records = [json.loads(line) for line in open("all/metrics.jsonl")]
steps, found = [r for r in records if "rate" in r], [r for r in records if "valid" in r]
assert all("gap" not in r and "pseudo_likelihood" not in r and "energy" in r for r in steps), steps[0]
assert len(found) == 7 and all("gap" in r["valid"] for r in found), found
best = min(found, key=lambda r: r["valid"]["gap"])
with h5py.File("all/checkpoints/best.h5") as file: # judged by the gap
    assert abs(file.attrs["best"] / best["valid"]["gap"] - 1) < 1e-7 and int(file.attrs["step"]) == best["step"], best
    assert file.attrs["gap"] == 0 # of the stage's last evaluation: no file of weights has it, or it could not be written again
END
for rows in 57 10; do
    run=all
    [ $rows = 57 ] || run=ten
    for count in 1 3; do
        expect 0 ranks $count "$lockstep" evaluate $run --split valid --json
        cp out valid$count.json
    done
    same "the evaluation of $run on 3 ranks" "$(cat valid1.json)" "$(cat valid3.json)"
    expect 0 "$lockstep" evaluate $run --data first$rows.h5 --json
    cp out first.json
    expect 0 "$lockstep" evaluate $run --split train --json
    "$python" - $run <<'END'
import json, sys
valid, first, train = (json.load(open(name)) for name in ("valid1.json", "first.json", "out"))
off = valid["gap"] - (valid["energy"] - first["energy"])
assert abs(off) < 1e-9 and abs(valid["gap"]) > 1e-3, (valid, first)
assert train["gap"] == 0 and train["energy"] != valid["energy"], train
records = [json.loads(line) for line in open(f"{sys.argv[1]}/metrics.jsonl")]
told = [r["valid"]["gap"] for r in records if "valid" in r and r["step"] == valid["step"]]
assert told and abs(told[-1] - valid["gap"]) < 1e-6 * abs(valid["gap"]), (told, valid)
END
done

# --- A gap above evaluate.gap ends a stage, and that is remembered; a larger limit goes on.
limited() { # RUN ARGUMENT ...
    local run=$1
    shift
    ranks 2 "$lockstep" train gap.yaml run="$run" evaluate.gap=2.5 checkpoint.keep=100 "$@"
}
expect 0 limited early
says 'stage 1 of 2 stopped early (gap 2.'
says ', evaluate.gap=2.5): step '
says 'stage 2 of 2 stopped early (gap '
end=$(basename "$(find early/checkpoints -name 'step-*.h5' | sort | tail -n 1)" .h5)
end=$((10#${end#step-}))
[ $end -lt 250 ] || fail "expected an early end, found step $end"
expect 0 limited early
says "nothing to do: the run is complete after $end steps (it stopped early: a larger evaluate.gap= goes on)"
"$python" - $end <<'END'
import json, sys
records = [json.loads(line) for line in open("early/metrics.jsonl")]
for stage in 0, 1:
    gaps = [r["valid"]["gap"] for r in records if r["stage"] == stage and "valid" in r]
    assert gaps[-1] > 2.5 and all(gap <= 2.5 for gap in gaps[:-1]), gaps
    final = [r["final"] for r in records if r["stage"] == stage and "final" in r]
    assert len(final) == 1 and final[0].startswith("stopped early (gap "), final
END
for step in 4 10 $((end - 2)); do
    expect 0 limited after$step --resume="$(checkpoint early $step)"
    same "the early end, resumed from step $step" "$(all early $end)" "$(all after$step $end)"
done
expect 0 ranks 2 "$lockstep" train gap.yaml run=early evaluate.gap=1000000
says 'stage 2 of 2 done: step '
refused() { # MESSAGE ARGUMENT ...
    local message=$1
    shift
    expect 64 "$lockstep" train gap.yaml run=refused "$@"
    says "$message"
}
refused 'command line: evaluate.gap: the training rows themselves are evaluated, so the gap is always 0' \
    evaluate.gap=2 evaluate.split=train
refused 'command line: evaluate.gap: nothing is evaluated (evaluate.every=never)' evaluate.gap=2 evaluate.every=never
refused 'command line: evaluate.gap: the data has no rows of evaluate.split' evaluate.gap=2 data=first10.h5
refused 'command line: evaluate.gap: expected a number, 0 or more' evaluate.gap=-1
