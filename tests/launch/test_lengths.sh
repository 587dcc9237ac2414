#!/usr/bin/env bash
# test_lengths: rows that are sequences of unequal length: what stands behind their ends changes no bit, nor do ranks and stops;
# what evaluate, predict and extract make of them; lengths that can't be.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

for kind in lengths lengths_nan spans spans_bad; do
    data $kind $kind.h5
done
cat >job.yaml <<'END'
data: lengths.h5
model: gru classes=3 units=8 last=1 bidirectional=1
optimizer: adam rate=0.02 clip=0.5
schedule: constant
batch: 37
steps: 12
shards: 8
evaluate: {every: 4 steps}
checkpoint: {every: 5 steps, keep: 9}
END

# --- The same bits whatever stands behind the ends, on 1 to 4 ranks, and after a stop.
expect 0 ranks 1 "$lockstep" train job.yaml run=one
wanted=$(digest --all "$(checkpoint one 12)")
for count in 1 2 3 4; do
    expect 0 ranks $count "$lockstep" train job.yaml run=on$count data=lengths_nan.h5
    same "12 steps on $count ranks" "$wanted" "$(digest --all "$(checkpoint on$count 12)")"
    same "records on $count ranks" "$(metrics_of one)" "$(metrics_of on$count)"
done
expect 0 ranks 2 "$lockstep" train job.yaml run=from5 --resume="$(checkpoint one 5)"
same 'step 12 from step 5' "$wanted" "$(digest --all "$(checkpoint from5 12)")"
for threads in 1 2; do
    expect 0 "$lockstep" train job.yaml run=threads$threads --threads $threads shards=2 steps=3
done
same 'steps of one thread and of two' "$(digest --all "$(checkpoint threads1 3)")" "$(digest --all "$(checkpoint threads2 3)")"
for file in spans spans_bad; do
    expect 0 ranks 2 "$lockstep" train job.yaml run=$file data=$file.h5 model='lstm classes=5 units=9 embed=4 bidirectional=1'
done
same 'labels of steps' "$(digest --all "$(checkpoint spans 12)")" "$(digest --all "$(checkpoint spans_bad 12)")"

# --- It learns what only the last step tells; every step that counts counts once.
expect 0 ranks 2 "$lockstep" train job.yaml run=run steps=80
expect 0 "$lockstep" evaluate run --json
"$python" -c 'import json; found = json.load(open("out")); assert found["accuracy"] > 0.95, found'
expect 0 ranks 2 "$lockstep" train job.yaml run=steps data=spans.h5 model='lstm classes=5 units=24 layers=1' steps=200
expect 0 "$lockstep" evaluate steps --json
"$python" - <<'END'
import json, h5py, numpy
found = json.load(open("out"))
length = h5py.File("spans.h5")["test/length"][()]
assert sum(map(sum, found["confusion"])) == length.sum(), found
right = sum(found["confusion"][k][k] for k in range(5)) / length.sum()
assert right > 0.8 and abs(right - found["accuracy"]) < 1e-6, found
END

# --- predict gives a line for each step that counts, the same on any number of ranks.
expect 0 ranks 2 "$lockstep" predict steps -o two.csv
expect 0 "$lockstep" predict steps -o one.h5
"$python" - <<'END'
import csv, h5py, numpy
lines = list(csv.reader(open("two.csv")))[1:]
with h5py.File("spans.h5") as data, h5py.File("one.h5") as made:
    y, length, classes = data["test/y"][()], data["test/length"][()], made["class"][()]
    counts = numpy.arange(12) < length[:, None]
    assert len(lines) == len(classes) == length.sum() and [int(line[1]) for line in lines] == list(classes)
    assert (classes == y[counts]).mean() > 0.8
END

# --- extract keeps lengths where the layer has steps, leaves them out where it has none, and makes rows of frames.
expect 0 ranks 2 "$lockstep" extract steps --layer layer1 -o layer.h5
expect 0 ranks 3 "$lockstep" extract steps --layer layer1 --frames -o frames.h5
expect 0 "$lockstep" extract run --layer layer2 -o vectors.h5
expect 64 "$lockstep" extract run --layer layer2 --frames -o no.h5
says '--frames: the output of layer2 has no steps of a sequence'
"$python" - <<'END'
import h5py, numpy
data, layer, frames, vectors = map(h5py.File, ("spans.h5", "layer.h5", "frames.h5", "vectors.h5"))
for split in ("train", "valid", "test"):
    length = data[f"{split}/length"][()]
    counts = numpy.arange(12) < length[:, None]
    x = layer[f"{split}/x"][()]
    assert x.shape == (len(length), 12, 24) and (x[~counts] == 0).all() and (x[counts] != 0).any(1).all()
    assert (layer[f"{split}/length"][()] == length).all() and (layer[f"{split}/y"][()] == data[f"{split}/y"][()]).all()
    assert (frames[f"{split}/x"][()] == x[counts]).all()
    assert (frames[f"{split}/y"][()] == data[f"{split}/y"][()][counts]).all() and frames[f"{split}/y"].attrs["classes"] == 5
    assert "length" not in vectors[split] and vectors[f"{split}/x"].shape[1:] == (16,)
END
expect 0 "$lockstep" train job.yaml run=again data=layer.h5 model='gru classes=5 units=9' steps=2
expect 0 "$lockstep" train job.yaml run=linear data=frames.h5 model= net='dense units=5' steps=2

# --- Targets [rows, steps], a number a step: those behind the ends enter no loss, and make no frames.
"$python" - <<'END'
import h5py, numpy
for behind in (0, 100):
    with h5py.File("lengths_nan.h5") as data, h5py.File(f"numbers{behind}.h5", "w") as made:
        for split in data:
            x = made[f"{split}/x"] = data[f"{split}/x"][()]
            length = made[f"{split}/length"] = data[f"{split}/length"][()]
            y = numpy.where(numpy.arange(9) < length[:, None], x.sum(2), behind)
            made[f"{split}/y"] = y.astype(numpy.float32)
END
for behind in 0 100; do
    expect 0 ranks 2 "$lockstep" train job.yaml run=numbers$behind data=numbers$behind.h5 model= net=$'gru units=8\ndense units=1 each=1' \
        objective='supervised loss=squared-error'
    expect 0 "$lockstep" extract numbers$behind --layer gru1 --frames -o numbers$behind-frames.h5
done
same 'targets of steps' "$(digest --all "$(checkpoint numbers0 12)")" "$(digest --all "$(checkpoint numbers100 12)")"
same 'their records' "$(metrics_of numbers0)" "$(metrics_of numbers100)"
"$python" - <<'END'
import h5py, numpy
with h5py.File("numbers100.h5") as data, h5py.File("numbers100-frames.h5") as made:
    counts = numpy.arange(9) < data["test/length"][()][:, None]
    assert (made["test/y"][()].ravel() == data["test/y"][()][counts]).all()
END

# --- What can't be is named.
"$python" -c 'import h5py; h5py.File("lengths.h5", "a")["train/length"][7] = 0'
expect 65 "$lockstep" train job.yaml run=no
says 'lengths.h5: the length of row 7 of train is 0; expected 1 to 9, for a row has 9 steps'
expect 64 "$lockstep" train job.yaml run=no data=lengths_nan.h5 model='mlp widths=27,8,3' objective=autoencoder
says 'takes rows of one length, but the data has `length`'
"$python" - <<'END'
import h5py
with h5py.File("spans.h5") as data, h5py.File("short.h5", "w") as made:
    for split in data:
        made[f"{split}/x"], made[f"{split}/length"] = data[f"{split}/x"][()], data[f"{split}/length"][()]
        made[f"{split}/y"] = data[f"{split}/y"][:, 2:]
        made[f"{split}/y"].attrs["classes"] = 5
END
expect 64 "$lockstep" train job.yaml run=no data=short.h5 model= net=$'embedding width=4 vocabulary=5\ntdnn units=5 kernel=3'
says 'the output of the net net has 10 steps, but rows have 12, of which `length` says how many count'
for line in 'conv2d out=4 kernel=2' 'maxpool kernel=2' 'avgpool global=1' 'deconv2d out=2 kernel=2'; do
    expect 64 "$lockstep" train job.yaml run=no data=lengths_nan.h5 model= net=$'dense units=4 each=1\n'"$line"$'\ndense units=3'
    says "net/${line%% *}1: ${line%% *} is for images, and would take what stands behind the ends of rows for part of them"
done
expect 64 "$lockstep" train job.yaml run=no data=lengths_nan.h5 transform=flip
says 'flip is for images, but rows of lengths_nan.h5 are sequences of unequal length'
expect 0 "$lockstep-double" check job.yaml data=lengths_nan.h5 --rows 6
says 'net/backward2/weight '
expect 0 "$lockstep-double" check job.yaml data=spans_bad.h5 --rows 6 model='lstm classes=5 units=6 embed=3 bidirectional=1'
says 'net/backward2/weight '
