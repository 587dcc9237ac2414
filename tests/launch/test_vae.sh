#!/usr/bin/env bash
# test_vae: variational autoencoders on any number of ranks, stopped and resumed inside and between stages; which
# evaluation is the best; the likelihood on any ranks; what is made, said and refused.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# --- The same bits on 1 to 4 ranks, and from any step on: noise and pixels are functions of seed, step and row; beta
# rises over two epochs of the first stage and over one of the second. 203 and 57 rows are no multiples of anything.
data images images.h5
cat >job.yaml <<'END'
data: images.h5
model: vae widths=144,20 latent=3 activation=glu
shards: 4
checkpoint: {every: 1 steps, keep: 100}
evaluate: {every: 4 steps}
stages:
  - objective: vae binarize=1 warmup=2
    optimizer: adam rate=0.003 ema=0.9
    batch: 37
    epochs: 2
  - objective: vae output=gaussian sigma=0.3 beta=0.5 warmup=1
    optimizer: adam rate=0.001 ema=0.9
    batch: 50
    epochs: 1
END
for count in 1 2 3 4; do
    expect 0 ranks $count "$lockstep" train job.yaml run=on$count
done
for word in bound reconstruction kl; do
    says "$word"
done
last_step=17 # 6 and 6 steps of 37 rows, then 5 of 50
first=$(digest --all "$(checkpoint on1 $last_step)")
for count in 2 3 4; do
    same "$count ranks" "$first" "$(digest --all "$(checkpoint on$count $last_step)")"
    same "records of $count ranks" "$(metrics_of on1)" "$(metrics_of on$count)"
done
for step in 1 8 12 14; do
    expect 0 ranks $((step % 3 + 1)) "$lockstep" train job.yaml run=from$step --resume="$(checkpoint on1 $step)"
    same "resumed from step $step" "$first" "$(digest --all "$(checkpoint from$step $last_step)")"
done
different 'steps 11 and 12' "$(digest "$(checkpoint on1 11)")" "$(digest "$(checkpoint on1 12)")"

# --- best.h5 is the evaluation with the smallest bound: with a small beta it is not that with the smallest loss.
cat >one.yaml <<'END'
data: images.h5
model: vae widths=144,20 latent=3
objective: vae beta=0.5
batch: 50
steps: 24
evaluate: {every: 3 steps}
END
expect 0 "$lockstep" train one.yaml run=best optimizer='adam rate=0.002'
expect 0 "$lockstep" train one.yaml run=away objective='vae beta=0.001' optimizer='adam rate=0.02' schedule=constant \
    steps=60
"$python" - best away <<'END'
import h5py, json, sys
for run in sys.argv[1:]:
    found = [line for line in map(json.loads, open(f"{run}/metrics.jsonl")) if "valid" in line]
    least, loss = (min(found, key=lambda line: line["valid"][name]) for name in ("bound", "loss"))
    with h5py.File(f"{run}/checkpoints/best.h5") as file:
        assert int(file.attrs["step"]) == least["step"], (run, int(file.attrs["step"]), least)
    assert len(found) >= 8 and (run == "best" or least["step"] < loss["step"]), (least, loss)
END

# --- The likelihood, by the same draws on any ranks: above minus the bound, and higher with more draws.
for count in 1 3; do
    expect 0 ranks $count "$lockstep" evaluate best --samples 200 --json
    cp out samples$count.json
done
same 'the likelihood on 3 ranks' "$(cat samples1.json)" "$(cat samples3.json)"
expect 0 "$lockstep" evaluate best --samples 1 --json
"$python" - samples1.json out <<'END'
import json, sys
many, one = (json.load(open(path)) for path in sys.argv[1:])
assert many["samples"] == 200 and one["samples"] == 1
assert one["log_likelihood"] < many["log_likelihood"] < 0, (one, many)
assert -many["bound"] < many["log_likelihood"] < -many["bound"] + 20, many
END
expect 0 "$lockstep" evaluate best --samples 7
says 'by 7 draws a row'
says 'standard error over the rows'
expect 64 "$lockstep" evaluate best --samples 7 --temperatures 9
says '--temperatures: the objective vae anneals nothing; rbm does: leave it out'
expect 64 "$lockstep" evaluate best --samples 7 --reverse
says '--reverse: the objective vae anneals nothing; rbm does: leave it out'
expect 64 "$lockstep" evaluate best --reverse
says '--reverse goes with --samples=K'
expect 64 "$lockstep" evaluate best --samples 0
cat >plain.yaml <<'END'
data: images.h5
model: mlp widths=144,5,4
batch: 50
steps: 2
END
expect 0 "$lockstep" train plain.yaml run=plain
expect 64 "$lockstep" evaluate plain --samples 5
says '--samples: the objective supervised has no estimate of a likelihood; vae and rbm have one'

# --- Rebuilt rows are probabilities; rows are made of the prior and on a walk, not over a plane of three dimensions.
expect 0 "$lockstep" predict best -o alone.h5
expect 0 ranks 2 "$lockstep" predict best -o on2.h5
"$python" - alone.h5 on2.h5 <<'END'
import h5py, sys
import numpy
found = []
for path in sys.argv[1:]:
    with h5py.File(path) as file:
        file.visititems(lambda name, item: found.append(item[()])
                        if isinstance(item, h5py.Dataset) and item.ndim > 1 else None)
assert len(found) == 2 and numpy.array_equal(*found), [item.shape for item in found]
assert found[0].shape[0] == 61 and 0 < found[0].min() < found[0].max() < 1, found[0].shape
END
expect 0 "$lockstep" generate best -o prior.h5 --rows 9
expect 0 "$lockstep" generate best -o walk.h5 --walk 3,4
expect 0 "$lockstep" export best -o best.safetensors # which says nothing of the rows: the data do
cp images.h5 moved.h5
sed 's/images.h5/away.h5/' one.yaml >away.yaml
expect 65 "$lockstep" generate away.yaml --weights best.safetensors -o again.h5 --rows 9
expect 0 "$lockstep" generate away.yaml --weights best.safetensors -o again.h5 --rows 9 --data moved.h5
expect 64 "$lockstep" generate best -o again.h5 --rows 9 --data moved.h5 --force
says 'no row of it is read'
expect 64 "$lockstep" generate best -o plane.h5 --plane

# --- Targets are not read, so no matter what they are; with an encoder that is frozen only the decoder learns.
"$python" - <<'END'
import h5py, numpy
with h5py.File("images.h5") as old, h5py.File("unknown.h5", "w") as new:
    for split in ("train", "valid", "test"):
        new[f"{split}/x"] = old[f"{split}/x"][()]
        new[f"{split}/x"].attrs.update(old[f"{split}/x"].attrs)
        new[f"{split}/y"] = numpy.full((len(old[f"{split}/x"]), 1), numpy.nan, numpy.float32)
END
expect 0 ranks 2 "$lockstep" train one.yaml run=known
expect 0 ranks 2 "$lockstep" train one.yaml run=unknown data=unknown.h5
same 'with targets that are no numbers' "$(digest "$(checkpoint known 24)")" "$(digest "$(checkpoint unknown 24)")"
expect 0 "$lockstep" evaluate unknown --split test
expect 0 ranks 2 "$lockstep" train one.yaml run=frozen train=decoder --weights "$(checkpoint known 24)"
"$python" - "$(checkpoint known 24)" "$(checkpoint frozen 24)" <<'END'
import h5py, sys
moved = {"encoder": set(), "decoder": set()}
with h5py.File(sys.argv[1]) as before, h5py.File(sys.argv[2]) as after:
    before["model"].visititems(lambda name, item: moved[name.split("/")[0]].add(
        bool((item[...] != after["model"][name][...]).any())) if isinstance(item, h5py.Dataset) else None)
assert moved == {"encoder": {False}, "decoder": {True}}, moved
END
expect 0 "$lockstep-double" check one.yaml # gradients are differences
says 'encoder/dense1/weight '

# --- Own nets beside the model's stage: an encoder of convolutions, a decoder that begins with a code of 2.
encoder=$'nets.encoder=conv2d out=3 kernel=3 stride=2\nactivation function=tanh\ndense units=4'
expect 0 ranks 2 "$lockstep" train one.yaml run=own "$encoder" $'nets.decoder=input 2\ndense units=144'
expect 0 "$lockstep" generate own -o plane.h5 --plane --rows 16
expect 0 "$lockstep" train one.yaml run=none objective='vae warmup=40' --dry-run
says 'warmup=40, but the stage has '
expect 64 "$lockstep" train one.yaml run=wrong "$encoder" $'nets.decoder=input 3\ndense units=144'
says 'the net encoder gives 4 numbers for a row, but a code of the 3 numbers that the net decoder takes has 6'
expect 64 "$lockstep" train one.yaml run=wrong model='vae widths=100,20'
says 'vae: widths= begins with 100, but a row of the data has 144 numbers'

expect 64 "$lockstep" train one.yaml run=wrong "$encoder" $'nets.decoder=input 2\ndense units=144\nactivation function=logistic'
says 'the net decoder ends in numbers from 0 to 1 (activation1), but vae takes any numbers (logits, scores)'

# --- Pixels outside of [0, 1] are refused with row and value, also those that a transform makes.
"$python" - <<'END'
import h5py, numpy
with h5py.File("images.h5") as old, h5py.File("bytes.h5", "w") as new:
    for split in ("train", "valid"):
        x = numpy.minimum(old[f"{split}/x"][()], 1)
        x[17, 3, 3, 0] = 255 if split == "train" else 1
        new[f"{split}/x"] = x
END
expect 65 "$lockstep" train one.yaml run=bytes data=bytes.h5
says 'bytes.h5: train/x holds 255 at row 17, but an output of probabilities takes numbers from 0 to 1'
for read in 'predict on1 -o no.h5' 'generate on1 --walk 2,17 -o no.png'; do
    # shellcheck disable=SC2086 # several words
    expect 65 "$lockstep" $read --stage 0 --data bytes.h5 --split train
    says 'bytes.h5: train/x holds 255 at row 17, but an output of probabilities takes numbers from 0 to 1'
done
expect 0 "$lockstep" train one.yaml run=gaussian data=bytes.h5 objective='vae output=gaussian'
expect 65 "$lockstep" train one.yaml run=shifted transform='normalize mean=0.5 deviation=0.5'
says ' as transformed, but an output of probabilities takes numbers from 0 to 1'

# --- A code that carries nothing is told.
expect 0 "$lockstep" train one.yaml run=collapsed objective='vae beta=1000' optimizer='adam rate=0.02' \
    schedule=constant steps=150 evaluate.every='50 steps'
says 'collapsed'
