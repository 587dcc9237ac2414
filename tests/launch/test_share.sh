#!/usr/bin/env bash
# test_share: nets whose lines share parameters: any ranks and any stop give the same bits, gradients are differences, and what a
# stage freezes, running statistics included, stays as it is.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

data images images.h5

cat >job.yaml <<'YAML'
data: images.h5
net: |
  a: conv2d out=8 kernel=3 pad=1
  b: batchnorm relu=1
  c: conv2d out=6 kernel=3 pad=1 stride=2
  activation function=tanh
  d: deconv2d out=8 kernel=3 pad=1 stride=2 output_pad=1 share=c
  batchnorm relu=1 share=b
  f: dense units=20
  activation function=tanh
  dense share=f transpose=1
  g: activation function=tanh
  dense units=4
shards: 4
stages:
  - {objective: supervised, optimizer: adam rate=0.001, schedule: constant, batch: 29, epochs: 1}
  - {objective: supervised, optimizer: adam rate=0.001, schedule: constant, batch: 29, steps: 3, train: "net/dense*, net/f/bias"}
checkpoint: {every: 1 steps, keep: 100}
YAML
expect 0 ranks 1 "$lockstep" train job.yaml run=whole
says 'stage 2 of 2 done: step 10'
wanted=$(digest --all "$(checkpoint whole 10)")
for count in 2 3; do
    expect 0 ranks $count "$lockstep" train job.yaml run=on$count
    same "$count ranks" "$wanted" "$(digest --all "$(checkpoint on$count 10)")"
done
for step in 5 9; do # within each of the stages
    expect 0 ranks 2 "$lockstep" train job.yaml run=from$step --resume="$(checkpoint whole $step)"
    same "resumed from step $step" "$wanted" "$(digest --all "$(checkpoint from$step 10)")"
done

# --- The checkpoint holds a shared parameter once; stage 2 has left alone what it freezes.
"$python" - "$(checkpoint whole 7)" "$(checkpoint whole 10)" <<'END_PYTHON'
import h5py, sys
before, after = (h5py.File(path) for path in sys.argv[1:])
same = {}
for group in "model/net", "state/net":
    before[group].visititems(lambda name, item: same.update({name: (item[...] == after[group][name][...]).all()})
                             if isinstance(item, h5py.Dataset) else None)
trained = {"f/bias", "dense2/bias", "dense3/weight", "dense3/bias"}
frozen = {"a/weight", "a/bias", "b/scale", "b/shift", "b/mean", "b/variance", "c/weight", "c/bias", "d/bias", "f/weight"}
assert same == {**dict.fromkeys(trained, False), **dict.fromkeys(frozen, True)}, same
END_PYTHON

# --- Gradients are differences (check ends with 0), through lines that share and beside frozen ones.
expect 0 "$lockstep-double" check job.yaml
says 'net/f/weight '
expect 0 "$lockstep-double" check job.yaml --stage 1
says 'net/f/bias '
! grep -q 'net/f/weight' "$work/out" || fail 'a frozen parameter is checked'

# --- A frozen batch norm takes its running statistics, in training too: so the loss is that of any shards, as it is not of
# batch norms that take the statistics of their shard.
for train in 'net/dense3' '*'; do
    for shards in 1 4; do
        expect 0 "$lockstep" train job.yaml run=of$shards --resume=never --overwrite shards=$shards stages.0.train="$train" stages.0.steps=1 \
            stages.0.batch=4 stages.1.steps=1
    done
    "$python" - "$train" of1/metrics.jsonl of4/metrics.jsonl <<'END_PYTHON'
import json, sys
loss = [next(record["loss"] for record in map(json.loads, open(path)) if "loss" in record) for path in sys.argv[2:]]
apart = abs(loss[0] - loss[1])
assert apart < 1e-6 if sys.argv[1] != "*" else apart > 1e-4, loss
END_PYTHON
done

# --- Words of a refusal.
expect 64 "$lockstep" train job.yaml run=wrong stages.1.train=net/dense22
says "'net/dense22' is the name of no parameter, line or net: did you mean net/dense2?"
expect 64 "$lockstep" train job.yaml run=wrong $'net=a: dense units=4\ndense share=b'
says 'share=b: the net net has no line b above this one'
