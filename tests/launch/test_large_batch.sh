#!/usr/bin/env bash
# test_large_batch: LARS, LAMB, moving averages, accumulation and batch norm give the same bits on any rank count and after
# any stop; batch norm with sync=1; parameters without weight decay; refusals.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

data images images.h5
cat >job.yaml <<'END'
data: images.h5
net: |
  conv2d out=6 kernel=3 pad=1 bias=0
  batchnorm relu=1
  maxpool kernel=2
  dense units=40
  norm: batchnorm
  activation function=tanh
  dense units=4
optimizer: lars rate=0.5 trust=0.02 decay=1e-3 clip=2 ema=0.9
schedule: cosine warmup=0.5
batch: 36
steps: 12
shards: 4
evaluate: {every: 4 steps, average: 1}
checkpoint: {every: 1 steps, keep: 100}
END
lamb='optimizer=lamb rate=0.01 decay=1e-3 ema=0.9'

job=job.yaml
train() { # RUN RANKS ARGUMENT ...
    local run=$1 count=$2
    shift 2
    expect 0 ranks "$count" "$lockstep" train $job run="$run" "$@"
}

last_step=12

# --- The same bits on 1, 2 and 4 ranks and on several nodes.
train lars 1
says 'evaluation and best.h5 are of the moving average of the weights'
says 'a rank takes 4 shards a step in turn, and adds their gradients'
train lars2 2
train lars4 4
expect 0 ranks 4 env LOCKSTEP_RANKS_PER_NODE=2 "$lockstep" train job.yaml run=lars2x2
for run in lars2 lars4 lars2x2; do alike lars $run; done
train lamb 1 "$lamb"
train lamb4 4 "$lamb"
expect 0 ranks 2 env LOCKSTEP_RANKS_PER_NODE=1 "$lockstep" train job.yaml run=lamb1x1 "$lamb"
for run in lamb4 lamb1x1; do alike lamb $run; done
train plain 1 'optimizer=momentum rate=0.5 decay=1e-3 clip=2 ema=0.9'
different 'LARS and momentum' "$(digest "$(checkpoint lars 12)")" "$(digest "$(checkpoint plain 12)")"

# --- A run that is resumed on another number of ranks equals one that never stopped.
for step in 1 5 11; do
    expect 0 ranks $((1 << step % 3)) "$lockstep" train job.yaml run=from$step "$lamb" --resume="$(checkpoint lamb $step)"
    same "end from step $step" "$(digest --all "$(checkpoint lamb 12)")" "$(digest --all "$(checkpoint from$step 12)")"
    same "best from step $step" "$(digest lamb/checkpoints/best.h5)" "$(digest from$step/checkpoints/best.h5)"
done

# --- Evaluation takes the moving average during training, and with --average; else the weights.
loss_of() { # ARGUMENT ...
    expect 0 "$lockstep" evaluate "$@" --split valid --json
    sed -E 's/.*"loss":([0-9.]+)[0-9]{6},.*/\1/' out
}
recorded=$(grep '"step":12,.*"valid"' lamb/metrics.jsonl | sed -E 's/.*"valid":\{"loss":([0-9.]+).*/\1/')
averaged=$(loss_of "$(checkpoint lamb 12)" --average)
same 'the recorded loss is of the average' 1 "$(awk "BEGIN { print ($recorded - $averaged)^2 < 1e-14 }")"
different 'weights and average' "$averaged" "$(loss_of "$(checkpoint lamb 12)")"
same '--average of a run' "$averaged" "$(loss_of lamb --average)"
train raw 1 "$lamb" evaluate.average=0
same 'the weights, whatever is evaluated' "$(digest "$(checkpoint lamb 12)")" "$(digest "$(checkpoint raw 12)")"
different 'best of weights and of averages' "$(digest lamb/checkpoints/best.h5)" "$(digest raw/checkpoints/best.h5)"
"$python" - <<'END'
import h5py
with h5py.File("lamb/checkpoints/step-00000012.h5") as file, h5py.File("lamb/checkpoints/best.h5") as best:
    best_step = int(file.attrs["best_step"])
    with h5py.File(f"lamb/checkpoints/step-{best_step:08}.h5") as then:
        for name in ("model/net/norm/scale", "state/net/norm/variance", "model/net/dense2/weight"):
            average = then["optimizer/average/" + name.split("/", 1)[1]][()]
            assert (best[name][()] == average).all(), name
            assert (then[name][()] != average).any(), name
END
expect 64 "$lockstep" train job.yaml run=none 'optimizer=lars rate=0.5'
says 'evaluate.average: there is no average to evaluate in stage 1: give its optimizer ema=0.999'
expect 65 "$lockstep" evaluate lamb/checkpoints/best.h5 --average
says 'holds no moving average of the weights'
train half 1 steps=6 evaluate.average=0
expect 64 "$lockstep" train job.yaml run=half evaluate.average=0 'optimizer=lars rate=0.5 trust=0.02 clip=2'
says 'the running stage keeps its moving average (ema=), or keeps none'

# --- The moving average of a stage begins with the weights at its start, which the stage before has learned.
sed -E '/^(optimizer|schedule|batch|steps):/d' job.yaml >stages.yaml
cat >>stages.yaml <<'END'
stages:
  - {optimizer: sgd rate=0.1 ema=0.9, steps: 3, batch: 36}
  - {optimizer: sgd rate=0.1 ema=0.5, steps: 2, batch: 36}
END
expect 0 "$lockstep" train stages.yaml run=stages
"$python" - <<'END'
import h5py, numpy
def read(step):
    with h5py.File(f"stages/checkpoints/step-{step:08}.h5") as file:
        average = file.get("optimizer/average/net/dense2/weight")
        return file["model/net/dense2/weight"][()], None if average is None else average[()]
(four, first), (five, second) = read(4), read(5)
assert (first == four).all()
kept = 1 / 11
assert numpy.allclose(second, kept * first + (1 - kept) * five, atol=1e-7)
END

# --- accumulate=K on N ranks gives the bits of K * N ranks; the checkpoint keeps the number of shards.
sed '/^shards/d' job.yaml >free.yaml
job=free.yaml
train whole 4
train accumulated 1 accumulate=4
says 'a rank takes 4 shards a step in turn'
train halved 2 accumulate=2
for run in accumulated halved; do alike whole $run; done
train other 1 accumulate=2
different 'accumulate=2 and accumulate=4' "$(digest "$(checkpoint whole 12)")" "$(digest "$(checkpoint other 12)")"
train later 2 accumulate=4 --resume="$(checkpoint accumulated 7)"
same 'accumulation resumed on two ranks' "$(digest --all "$(checkpoint whole 12)")" \
    "$(digest --all "$(checkpoint later 12)")"
job=job.yaml

# --- With sync=1 two ranks have the statistics of one rank with the whole batch; refused if there are more shards than ranks.
sync="$(sed -n '/^net/,/^opt/p' job.yaml | sed -e '1d;$d' -e 's/batchnorm/batchnorm sync=1/')"
train batch 1 shards=1 "net=$sync"
train synced 2 shards=2 "net=$sync"
train again 2 shards=2 "net=$sync"
alike synced again
expect 0 ranks 2 env LOCKSTEP_RANKS_PER_NODE=1 "$lockstep" train job.yaml run=synced1x1 shards=2 "net=$sync"
alike synced synced1x1
train apart 2 shards=2
near() { awk "BEGIN { exit !($(digest --distance "$(checkpoint "$1" 1)" "$(checkpoint "$2" 1)") < 1e-5) }"; }
near synced batch || fail 'sync=1 on two ranks is not one rank with the whole batch'
! near apart batch || fail 'the shards of a batch have the statistics of the whole: the test sees nothing'
expect 64 ranks 2 "$lockstep" train job.yaml run=refused shards=4 "net=$sync"
says 'net/batchnorm1: statistics over all ranks (sync=1) need one shard a rank, but the run has 4 shards on 2 ranks: give shards=2'
expect 64 ranks 2 "$lockstep" train job.yaml run=refused accumulate=2 "net=$sync"
says 'give shards=2 in place of accumulate'

# --- decay_all=0 exempts biases and batch norm's scale and shift from weight decay; for LARS and LAMB it is the default.
for optimizer in 'sgd rate=0.1' 'lars rate=0.1' 'lamb rate=0.1'; do
    all=$([[ $optimizer == sgd* ]] && echo decay_all=0 || true)
    n=${optimizer%% *}
    for kind in none '' spared; do
        decay=$([ "$kind" = none ] || echo decay=0.1)
        [ "$kind" != '' ] || decay+=' decay_all=1'
        train "decay_$n$kind" 1 steps=1 evaluate.average=0 schedule=constant \
            "optimizer=$optimizer $decay $([ "$kind" != spared ] || echo "$all")"
    done
    "$python" - "$n" <<'END'
import sys, h5py
none, everywhere, spared = (h5py.File(f"decay_{sys.argv[1]}{kind}/checkpoints/step-00000001.h5")["model/net"]
                            for kind in ("none", "", "spared"))
for name in ("norm/scale", "dense1/bias", "dense2/bias", "norm/shift", "batchnorm1/scale"):
    assert (none[name][()] == spared[name][()]).all(), name
assert (none["norm/scale"][()] != everywhere["norm/scale"][()]).any()
for name in ("dense1/weight", "dense2/weight", "conv2d1/weight"):
    assert (none[name][()] != spared[name][()]).any(), name
END
done
