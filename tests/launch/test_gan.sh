#!/usr/bin/env bash
# test_gan: adversarial nets on any number of ranks, stopped and resumed inside and between stages; what is saved, said and refused;
# and the optimum that theory proves, on rows of one number.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# --- The same bits on 1 to 4 ranks: batch norms in both nets, two optimizers, three updates of D a step. A rank with one
# shard keeps the generator's activations for its own phase; with four shards it makes them again.
data large large.h5
cat >job.yaml <<'END'
data: large.h5
transform: normalize mean=0.5 deviation=0.5
model: dcgan filters=3 latent=7
objective: gan k=3
optimizer:
  discriminator: adam rate=0.002 beta1=0.5
  generator: rmsprop rate=0.001
batch: 37
steps: 7
shards: 4
evaluate: {every: 3 steps}
checkpoint: {every: 1 steps, keep: 100}
END
for count in 1 2 3 4; do
    expect 0 ranks $count "$lockstep" train job.yaml run=on$count
done
says 'd_loss'
says 'g_loss'
says 'jsd'
first=$(digest --all "$(checkpoint on1 7)")
for count in 2 3 4; do
    same "$count ranks" "$first" "$(digest --all "$(checkpoint on$count 7)")"
    same "records of $count ranks" "$(metrics_of on1)" "$(metrics_of on$count)"
done
for step in 1 2 5; do
    expect 0 ranks $((step % 3 + 1)) "$lockstep" train job.yaml run=from$step --resume="$(checkpoint on1 $step)"
    same "resumed from step $step" "$first" "$(digest --all "$(checkpoint from$step 7)")"
done
expect 0 "$lockstep" train job.yaml run=mean optimizer.generator='adam rate=0.002 ema=0.9' evaluate.average=true
expect 0 "$lockstep" generate mean --rows 4 -o mean.png
says 'step-00000007.h5: its weights are taken; --average takes their moving average'
expect 0 "$lockstep" generate mean --rows 4 -o average.png --average
! grep 'its weights are taken' out || fail 'the average was taken'
cat >two.yaml <<'END'
data: large.h5
model: dcgan filters=3 latent=7
shards: 4
stages:
  - {objective: gan k=3, optimizer: adam rate=0.002 beta1=0.5, batch: 37, steps: 3}
  - {objective: gan loss=hinge, optimizer: rmsprop rate=0.001, train: generator, batch: 41, steps: 3}
checkpoint: {every: 1 steps, keep: 100}
END
expect 0 ranks 2 "$lockstep" train two.yaml run=two
for step in 2 3 4; do # inside the first stage, between the stages, inside the second
    expect 0 ranks $((5 - step)) "$lockstep" train two.yaml run=two$step --resume="$(checkpoint two $step)"
    same "two stages, resumed from step $step" "$(digest --all "$(checkpoint two 6)")" "$(digest --all "$(checkpoint two$step 6)")"
done
different 'steps 6 and 7' "$(digest "$(checkpoint on1 6)")" "$(digest "$(checkpoint on1 7)")"

# --- If a phase's loss is not finite every rank ends with code 70, the phase is named, and the last checkpoint stays.
wild() { # RATE ARGUMENT ...
    ranks $count "$lockstep" train job.yaml run=$run model='gan latent=5 generator=20 discriminator=20 output=linear' \
        "optimizer.generator=sgd rate=$1" "optimizer.discriminator=sgd rate=$1" "${@:2}"
}
for count in 1 2 4; do
    run=infinite$count
    expect 0 wild 0.001 steps=2
    before=$(digest --all "$(checkpoint $run 2)")
    expect 70 wild 1e6 steps=90 checkpoint.every=never
    grep -qE 'step [0-9]+, (discriminator|generator): the (loss|gradient) is not finite' out || fail 'no phase is named'
    tail -n 1 $run/metrics.jsonl | grep -q '"trouble":"step [0-9]*, .* is not finite' || fail 'no record says why it ended'
    says 'so this update was not made; no checkpoint is lost'
    same "the checkpoint kept on $count ranks" "$before" "$(digest --all "$(checkpoint $run 2)")"
done

# --- A net that train: leaves out stays as it is, batch statistics included, and its phase still gives its figures.
for count in 1 3; do
    expect 0 ranks $count "$lockstep" train job.yaml run=alone$count train=generator --weights "$(checkpoint on1 7)"
done
same 'one net alone, on 3 ranks' "$(digest --all "$(checkpoint alone1 7)")" "$(digest --all "$(checkpoint alone3 7)")"
"$python" - "$(checkpoint on1 7)" "$(checkpoint alone1 7)" <<'END'
import h5py, json, math, sys
before, after = (h5py.File(path)["model"] for path in sys.argv[1:])
moved = {"discriminator": set(), "generator": set()}
before.visititems(lambda name, item: moved[name.split("/")[0]].add(bool((item[...] != after[name][...]).any()))
                  if isinstance(item, h5py.Dataset) else None)
assert moved == {"discriminator": {False}, "generator": {True}}, moved
records = [json.loads(line) for line in open("alone1/metrics.jsonl")]
assert all(math.isfinite(r["d_loss"]) and math.isfinite(r["g_loss"]) for r in records if "d_loss" in r), records
END

# --- An epoch of 6 batches ends within a step of 4: three epochs are 18 batches, 5 steps. Each phase has its own rate.
expect 0 "$lockstep" train job.yaml run=epochs 'objective=gan k=4' epochs=3 evaluate.every='1 epoch'
says '5 steps, 1.5 an epoch'
says 'epoch 3/3  step 5/5'
says '(-ln 4: -1.3863)'
says 'stage 1 of 1 done: step 5'
"$python" - <<'END'
import json
records = [json.loads(line) for line in open("epochs/metrics.jsonl")]
assert [(r["step"], round(6 * r["epoch"])) for r in records if "valid" in r] == [(2, 8), (3, 12), (5, 20)], records
rates = [(r["rate_discriminator"], r["rate_generator"]) for r in records if "d_loss" in r]
assert rates and set(rates) == {(0.002, 0.001)}, rates
END

# --- Dense nets with dropout: each pass of D in a step drops others, on any ranks the same.
dense='model=gan latent=5 generator=20 discriminator=20 batchnorm=1 dropout=0.4'
for count in 1 3; do
    expect 0 ranks $count "$lockstep" train job.yaml "$dense" run=dense$count 'objective=gan loss=hinge'
done
same '3 ranks, with dropout' "$(digest --all "$(checkpoint dense1 7)")" "$(digest --all "$(checkpoint dense3 7)")"

# --- Nets of the job's own, the discriminator with spectral norms.
data images small.h5
cat >nets.yaml <<'END'
data: small.h5
nets:
  generator: |
    input 1,1,5
    deconv2d out=6 kernel=3 bias=0
    batchnorm relu=1
    deconv2d out=1 kernel=4 stride=4
    activation function=logistic
  discriminator: |
    conv2d out=5 kernel=4 stride=2 pad=1 spectral=1
    activation function=leaky-relu alpha=0.2
    dense units=1 spectral=1
objective: gan loss=wasserstein k=2
optimizer: rmsprop rate=0.0005 bound=0.05
batch: 30
steps: 4
shards: 2
END
for count in 1 2; do
    expect 0 ranks $count "$lockstep" train nets.yaml run=nets$count
done
says 'distance'
! grep -q 'nothing keeps' out || fail 'doubts a critic that is kept smooth'
expect 0 "$lockstep" train nets.yaml run=rough --dry-run optimizer='rmsprop rate=0.0005' "nets.discriminator=dense units=1"
says 'loss=wasserstein: nothing keeps the line dense1 of the net discriminator smooth, without which the distance means nothing'
expect 0 "$lockstep" train nets.yaml run=rough --dry-run optimizer='rmsprop rate=0.0005' \
    $'nets.discriminator=dense units=4 spectral=1\ndense units=1'
says 'nothing keeps the line dense2 of the net discriminator smooth' # one line with spectral=1 is not all of them
same 'own nets on 2 ranks' "$(digest --all "$(checkpoint nets1 4)")" "$(digest --all "$(checkpoint nets2 4)")"
expect 0 "$lockstep-double" check nets.yaml # gradients of both phases are differences, through spectral norms too
says 'discriminator/conv2d1/weight '
expect 64 "$lockstep" train nets.yaml run=wrong $'nets.generator=input 5\ndense units=100\n'
says 'the net generator makes rows of 100, but a row of the data is 12x12x1: let its last line make that, or a vector of 144 numbers'

# --- D gives logits, whose probabilities the loss makes by itself. The generator's numbers are held against the data's.
expect 64 "$lockstep" train nets.yaml run=wrong $'nets.discriminator=dense units=1\nactivation function=logistic'
says 'command line: nets.discriminator: the net discriminator ends in numbers from 0 to 1 (activation1), but gan takes any numbers'
expect 0 "$lockstep" train nets.yaml run=range --dry-run
! grep -q 'ends in\|no line' out || fail 'a generator that fits the data is told of'
expect 0 "$lockstep" train nets.yaml run=range --dry-run transform='normalize mean=0.5 deviation=0.5'
says 'the net generator ends in numbers from 0 to 1 (activation1), but those of the first training rows are from -0.99'
expect 0 "$lockstep" train nets.yaml run=range --dry-run transform='normalize mean=0.5 deviation=0.5' \
    $'nets.generator=dense units=144\nactivation function=relu\nreshape shape=12,12,1'
says 'the net generator ends in numbers from 0 on (reshape1), but those of the first training rows are from -0.99'
says 'the net generator has no line `input`, so it gets noise of the shape of a row, 12x12x1: `input 64` as its first line'
# bench trains on random rows, of whose range there is nothing to say.
expect 0 "$lockstep" bench gan --batch 8 --steps 1
! grep 'training rows' out || fail 'advice on random rows'
expect 0 "$lockstep" train job.yaml run=range --dry-run transform='normalize mean=0 deviation=1'
says 'the net generator ends in numbers from -1 to 1 (activation1), but those of the first training rows are from 0 to 0.99'

# --- One optimizer in place of one of each phase: options change, the type does not.
cat >phases.yaml <<'END'
data: large.h5
model: gan latent=4 generator=16 discriminator=16
optimizer: {discriminator: adam rate=2e-4, generator: adam rate=2e-4}
batch: 50
steps: 2
END
expect 0 "$lockstep" train phases.yaml
expect 0 "$lockstep" train phases.yaml optimizer='adam rate=1e-4' steps=3
says "stages.0.optimizer.generator changed from 'adam rate=2e-4' to 'adam rate=1e-4'"
expect 64 "$lockstep" train phases.yaml optimizer='sgd rate=1e-4' steps=4
says 'keeps its kind of optimizer'

# --- One checkpoint holds both nets, and the state of each net's own optimizer.
"$python" - "$(checkpoint on1 7)" <<'END'
import h5py, sys
found = {}
with h5py.File(sys.argv[1]) as file:
    file["optimizer"].visititems(lambda name, item: found.setdefault(name.split("/")[0], set()).add(name.split("/")[1])
                                 if isinstance(item, h5py.Dataset) else None)
    nets = set(file["model"])
assert nets == {"discriminator", "generator"}, nets
assert found == {"mean": {"discriminator"}, "square": {"discriminator", "generator"}}, found
END

# --- What the commands say of it.
expect 0 "$lockstep" evaluate on1 --split test
for word in d_loss g_loss real fake value jsd; do
    says $word
done
expect 0 "$lockstep" predict on1 -o predicted.csv
same 'the lines of predicted.csv' 62 "$(wc -l <predicted.csv)"
"$python" -c 'import csv
assert all(0 <= float(row[-1]) <= 1 for row in list(csv.reader(open("predicted.csv")))[1:])'
expect 0 "$lockstep" extract on1 --layer discriminator/conv2d3 -o features.h5
"$python" -c 'import h5py; assert h5py.File("features.h5")["test/x"].shape == (61, 4, 4, 12)'
expect 64 "$lockstep" extract on1 --layer generator/deconv2d1 -o none.h5
says 'the net generator of layer deconv2d1 does not take rows of the data'
expect 64 "$lockstep" train job.yaml run=wrong data=small.h5
says 'dcgan: takes images height x width x channels of at least 28x28, but a row of the data is 12x12x1'
expect 64 "$lockstep" train job.yaml run=wrong 'net=dense units=1'
says "the objective gan wants a net named"

# --- Nets of the job's own in place of the model's: where all are, any data will do.
own=$'nets.generator=input 7\ndense units=144\nactivation function=tanh'
expect 0 ranks 2 "$lockstep" train job.yaml run=own data=small.h5 "$own" 'nets.discriminator=dense units=1'
expect 0 "$lockstep" evaluate own --split test
expect 64 "$lockstep" train job.yaml run=own data=small.h5 "$own" 'nets.discriminator=dense units=2'
says 'command line: nets.generator, with job.yaml:4:12: objective: the net discriminator gives 2 for a row'
expect 0 "$lockstep" train job.yaml run=mixed "$dense" 'nets.discriminator=dense units=1' --dry-run
says "$(printf '  %-20s %-12s 5' input '')"
says "$(printf '  %-20s %-12s %-16s %12d' discriminator 'in all' '' 785)"
expect 64 "$lockstep" train job.yaml run=mixed 'nets.discriminater=dense units=1'
says 'job.yaml:3:8: model: dcgan has no net discriminater: did you mean discriminator? (its nets are: generator discriminator)'

# --- A discriminator that can learn nothing is told: its weights are cut to nearly 0.
expect 0 "$lockstep" train job.yaml run=constant "$dense" optimizer.discriminator='sgd rate=0.1 bound=1e-30'
says 'the discriminator is constant: it gives all rows the same number'
"$python" -c '
import json
records = [json.loads(line) for line in open("constant/metrics.jsonl")]
told = [part for record in records for part in (record, record.get("valid", {})) if "trouble" in part]
assert told and all(part["trouble"].startswith("the discriminator is constant") for part in told)
assert any("d_loss" in record for record in told) and not any("trouble" in part for part in map(
    json.loads, open("on1/metrics.jsonl")))' || fail 'metrics.jsonl does not tell that the discriminator is constant'
expect 0 "$lockstep" plot constant -o constant.svg

# --- Where the discriminator is at its optimum, V(D, G) is -ln 4 + 2 JSD: on a mixture of two Gaussians, with 50 updates
# of D a step, G comes to the data. V within 0.05 of -ln 4; JSD of the two histograms below 0.02.
data mixture mixture.h5
cat >mixture.yaml <<'END'
data: mixture.h5
run: mixture
model: gan latent=4 generator=32,32 discriminator=32,32 output=linear
objective: gan k=50
optimizer:
  discriminator: adam rate=0.002 beta1=0.5
  generator: adam rate=0.003 beta1=0.5
schedule: constant
batch: 256
steps: 400
evaluate: {every: 100 steps}
samples: {every: 200 steps, rows: 4096}
END
expect 0 "$lockstep" train mixture.yaml
says 'step 400: the histogram of 4096 samples is 0.0'
for step in 200 400; do
    same "the picture of step $step" PNG "$(head -c 4 mixture/samples/step-00000$step-prior.png | tail -c 3)"
done
expect 0 "$lockstep" generate mixture --rows 10000 -o fake.h5
"$python" - <<'END'
import h5py, json, math, numpy
figures = [json.loads(line)["valid"] for line in open("mixture/metrics.jsonl") if '"valid"' in line]
first, last = figures[0], figures[-1]
assert abs(last["value"] + math.log(4)) < 0.05, last
assert last["jsd"] < 0.02 < first["jsd"], (first, last)
with h5py.File("mixture.h5") as data, h5py.File("fake.h5") as fake:
    real, made = data["valid/x"][:, 0], fake["train/x"][:, 0]
bins = numpy.linspace(min(real.min(), made.min()), max(real.max(), made.max()), 61)
p, q = (numpy.histogram(x, bins)[0] / len(x) for x in (real, made))
entropy = lambda p: -sum(p[p > 0] * numpy.log(p[p > 0]))
jsd = entropy((p + q) / 2) - (entropy(p) + entropy(q)) / 2
assert jsd < 0.02, jsd
END
