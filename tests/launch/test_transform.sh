#!/usr/bin/env bash
# test_transform: a job's transform gives the same bits on any rank count and after a stop; evaluate, predict and check
# agree with numpy and PyTorch; refusals.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

data images images.h5
cat >job.yaml <<'END'
data: images.h5
transform: |
  crop size=14 pad=2                       # of 12x12
  flip rate=0.4
  scale-crop size=10,11 area=0.3,1
  normalize mean=0.45 deviation=0.25
  erase rate=0.5
net: |
  conv2d out=4 kernel=3
  activation function=relu
  dense units=4
optimizer: momentum rate=0.02 momentum=0.9
batch: 37
epochs: 3                                  # of 6 steps
shards: 4
checkpoint: {every: 1 steps, keep: 100}
evaluate: {every: 9 steps}
END

train() { # RUN RANKS ARGUMENT ...
    local start=(ranks "$2")
    [ "$2" != 1 ] || start=()
    expect 0 "${start[@]}" "$lockstep" train job.yaml run="$1" "${@:3}"
}
train one 1
says 'train 203 rows, valid 57 rows, test 61 rows, 10x11x1'
train two 2 checkpoint.every=never
train four 4 checkpoint.every=never
whole=$(digest --all "$(checkpoint one 18)")
same 'two ranks' "$whole" "$(digest --all "$(checkpoint two 18)")"
same 'four ranks' "$whole" "$(digest --all "$(checkpoint four 18)")"

# Resumed from the middle and from the end of an epoch, on another number of ranks.
for step in 3 6 14; do
    train from$step $((1 + step % 2)) checkpoint.every=never --resume="$(checkpoint one $step)"
    same "on from step $step" "$whole" "$(digest --all "$(checkpoint from$step 18)")"
done

# The comparison above can fail: each line of the transform changes the bits, and so do the draws of the second epoch.
for line in crop flip scale-crop normalize erase; do
    train "without-$line" 1 checkpoint.every=never "transform=$(sed -nE '/^transform/,/^net/s/^  (.*)/\1/p' job.yaml | grep -v "^$line" |
        case $line in scale-crop) sed 's/^crop size=14/crop size=10,11/' ;; *) cat ;; esac)"
    different "without $line" "$(digest "$(checkpoint one 18)")" "$(digest "$(checkpoint "without-$line" 18)")"
done

# A run may be resumed with another transform, with a notice, but not with one that gives another shape.
expect 0 "$lockstep" train job.yaml run=two epochs=4 'transform=crop size=10,11'
says "transform changed from 'crop size=14 pad=2 "
expect 65 "$lockstep" train job.yaml run=four epochs=4 transform=flip
says 'net/dense1/weight has shape [4, 288]; expected [4, 400]'

# evaluate, predict and extract do the part without chance: the middle of the picture, less the mean.
cat >plain.yaml <<'END'
data: images.h5
run: plain
transform: |
  flip rate=1
  crop size=8,6
  erase rate=1
  normalize mean=0.45 deviation=0.25
net: "out: dense units=4"
optimizer: adam rate=0.01
batch: 50
epochs: 3
END
expect 0 ranks 2 "$lockstep" train plain.yaml
"$python" - <<'END'
import h5py, numpy
with h5py.File("new.h5", "w") as file:
    file["test/x"] = numpy.random.default_rng(5).uniform(0, 255, (300, 13, 12, 1)).astype("u1")
    file["test/x"].attrs["scale"] = 1 / 255
END
expect 0 ranks 2 "$lockstep" evaluate plain --json
grep '^{' out >evaluation.json
expect 0 ranks 3 "$lockstep" predict plain --data new.h5 -o new_out.h5
expect 0 "$lockstep" extract plain --layer out -o features.h5
expect 0 "$python" - <<'END'
import h5py, json, numpy
weights = h5py.File("plain/checkpoints/best.h5")["model/net/out"]
def outputs(x):
    h, w = x.shape[1:3]
    part = x[:, (h - 8) // 2:(h - 8) // 2 + 8, (w - 6) // 2:(w - 6) // 2 + 6] / 255
    return ((part - 0.45) / 0.25).reshape(len(x), -1) @ weights["weight"][()].T.astype("f8") + weights["bias"][()]
data = h5py.File("images.h5")
y, label = outputs(data["test/x"][()].astype("f8")), data["test/y"][()].astype(int)
loss = (numpy.log(numpy.exp(y).sum(1)) - y[numpy.arange(len(y)), label]).mean()
found = json.load(open("evaluation.json"))
assert abs(found["loss"] - loss) < 1e-5, (found, loss)
assert abs(found["accuracy"] - (y.argmax(1) == label).mean()) < 1e-12, found
features = h5py.File("features.h5")
assert numpy.abs(features["test/x"][()] - y).max() < 1e-4
assert numpy.abs(features["train/x"][()] - outputs(data["train/x"][()].astype("f8"))).max() < 1e-4
y = outputs(h5py.File("new.h5")["test/x"][()].astype("f8"))
p = numpy.exp(y) / numpy.exp(y).sum(1, keepdims=True)
assert numpy.abs(h5py.File("new_out.h5")["probability"][()] - p).max() < 1e-5
END

# scale-crop agrees with PyTorch's interpolate on wide, tall, larger and smaller pictures; check --dump holds its rows.
"$python" - <<'END'
import h5py, numpy
with h5py.File("wide.h5", "w") as file:
    file["train/x"] = numpy.random.default_rng(6).standard_normal((4, 40, 57, 3)).astype("f4")
    file["train/y"] = [0, 1, 0, 1]
END
printf 'data: wide.h5\nnet: "dense units=2"\n' >wide.yaml
cat >interpolate.py <<'END'
import h5py, sys, torch
height, width, share = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
x = torch.from_numpy(h5py.File("wide.h5")["train/x"][()]).double().permute(0, 3, 1, 2)
found = torch.from_numpy(h5py.File("dump.h5")["input"][()]).double().reshape(4, height, width, 3)
h, w = round(share * min(40, 57 * height / width)), round(share * min(57, 40 * width / height))
top, left = (40 - h) // 2, (57 - w) // 2
wanted = torch.nn.functional.interpolate(x[:, :, top:top + h, left:left + w], size=(height, width), mode="bilinear",
                                         align_corners=False).permute(0, 2, 3, 1)
assert (found - wanted).abs().max() < 1e-5, (found - wanted).abs().max()
END
for size in 24,24,0.875 35,50,0.875 64,64,1 100,7,0.5; do
    IFS=, read -r height width share <<<"$size"
    rm -f dump.h5
    expect 0 "$lockstep" check wide.yaml --rows 4 --force --dump dump.h5 \
        "transform=scale-crop size=$height,$width center=$share"
    expect 0 "$python" interpolate.py "$height" "$width" "$share"
done

# Refusals name the line of the key, on one rank and on two.
printf 'data: images.h5\ntransform: |\n  flip\n  crop size=15\nnet: "dense units=4"\n' >bad.yaml
printf 'data: flat.h5\ntransform: flip\nnet: "dense units=4"\n' >flat.yaml
data flat flat.h5
for count in 1 2; do
    expect 64 ranks "$count" "$lockstep" train bad.yaml
    says "bad.yaml:2:12: transform: line 2: 'crop size=15': crop: size 15,15 is larger than the image of 12x12 with pad=0"
    expect 64 ranks "$count" "$lockstep" train flat.yaml
    says "transform: line 1: 'flip': flip takes images, height x width x channels or height x width, but a row here is 6"
    expect 64 ranks "$count" "$lockstep" train flat.yaml transform='normalise mean=0 deviation=1'
    says "command line: transform: line 1: 'normalise mean=0 deviation=1': there is no transform normalise: did you mean"
done
# What a line moves in x it does not move in targets of places: they are refused.
"$python" -c '
import h5py
with h5py.File("images.h5") as old, h5py.File("masks.h5", "w") as new:
    for split in ("train", "valid"):
        new[f"{split}/x"] = old[f"{split}/x"][()]
        new[f"{split}/y"] = old[f"{split}/x"][()].astype("f4") / 255'
cat >masks.yaml <<'END'
data: masks.h5
net: dense units=144
objective: supervised loss=squared-error
optimizer: sgd rate=0.01
batch: 20
steps: 1
END
for line in flip 'crop pad=2' 'scale-crop size=12'; do
    expect 64 "$lockstep" train masks.yaml transform="$line"
    says "transform: ${line%% *} moves what lies in a row of x, but not in its targets, which are 12x12x1"
done
expect 0 "$lockstep" train masks.yaml transform='erase rate=0.5'
sed -e 's/^net.*/model: autoencoder widths=144,20 classes=0/' -e '/^objective/d' masks.yaml >rebuilt.yaml
expect 0 "$lockstep" train rebuilt.yaml transform=flip # it takes no targets
expect 0 "$lockstep" list transforms
says 'scale-crop  '
says 'mean=X,X,...'
