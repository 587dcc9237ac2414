#!/usr/bin/env bash
# test_lengths: rows that are sequences of unequal length: what stands behind their ends changes no bit, nor do ranks and stops;
# what evaluate, predict and extract make of them; lengths that can't be.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

for kind in lengths lengths_nan spans spans_bad; do
    data $kind $kind.h5
done
sequence_job lengths.h5 'gru classes=3 units=8 last=1 bidirectional=1'

# --- The same bits whatever stands behind the ends, on 1 to 4 ranks, and after a stop: with batches of similar lengths too.
same_everywhere one
same_everywhere bucket bucket=2
different 'batches of similar lengths' "$(digest --all "$(checkpoint one 12)")" "$(digest --all "$(checkpoint bucket 12)")"
for run in one bucket; do
    bucket=0
    [ $run = one ] || bucket=2
    expect 0 ranks 2 "$lockstep" train job.yaml run=$run-nan data=lengths_nan.h5 bucket=$bucket
    same "$run with NaN behind the ends" "$(digest --all "$(checkpoint $run 12)")" "$(digest --all "$(checkpoint $run-nan 12)")"
    same 'its records' "$(metrics_of $run)" "$(metrics_of $run-nan)"
done
expect 0 "$lockstep" train job.yaml run=bucket bucket=3 steps=13
says "stages.0.bucket changed from '2' to '3'"
for file in spans spans_bad; do
    expect 0 ranks 2 "$lockstep" train job.yaml run=$file data=$file.h5 model='lstm classes=5 units=9 embed=4 bidirectional=1'
done
same 'labels of steps' "$(digest --all "$(checkpoint spans 12)")" "$(digest --all "$(checkpoint spans_bad 12)")"

# --- It learns what only the last step tells; every step that counts counts once.
expect 0 ranks 2 "$lockstep" train job.yaml run=run steps=80
expect 0 "$lockstep" evaluate run --json
"$python" -c 'import json; found = json.load(open("out")); assert found["accuracy"] > 0.95 and "steps" not in found, found'
expect 0 ranks 2 "$lockstep" train job.yaml run=steps data=spans.h5 model='lstm classes=5 units=24 layers=1' steps=200
expect 0 "$lockstep" evaluate steps --json
"$python" - <<'END'
import json, h5py, numpy
found = json.load(open("out"))
length = h5py.File("spans.h5")["test/length"][()]
assert sum(map(sum, found["confusion"])) == found["steps"] == length.sum(), found
right = sum(found["confusion"][k][k] for k in range(5)) / length.sum()
assert right > 0.8 and abs(right - found["accuracy"]) < 1e-6, found
END

# --- predict gives a line for each step that counts, the same on any number of ranks.
expect 0 "$lockstep" evaluate steps
says "steps     $("$python" -c 'import h5py; print(h5py.File("spans.h5")["test/length"][()].sum())')"
expect 0 ranks 2 "$lockstep" predict steps -o two.csv
says 'rows, class and probability of each step that counts'
expect 0 "$lockstep" predict steps -o one.h5
"$python" - <<'END'
import csv, h5py, numpy
lines = list(csv.reader(open("two.csv")))[1:]
with h5py.File("spans.h5") as data, h5py.File("one.h5") as made:
    y, length, classes = data["test/y"][()], data["test/length"][()], made["class"][()]
    counts = numpy.arange(12) < length[:, None]
    assert len(lines) == len(classes) == length.sum() and [int(line[2]) for line in lines] == list(classes)
    assert (classes == y[counts]).mean() > 0.8
    row, step = numpy.nonzero(counts)
    assert (made["row"][()] == row).all() and (made["step"][()] == step).all()
    assert ([[int(line[0]), int(line[1])] for line in lines] == numpy.stack([row, step], 1)).all()
END

# As many outputs of a row as it has steps are not taken for outputs of steps.
expect 0 "$lockstep" train job.yaml run=nine model= net=$'gru units=4 last=1\ndense units=9' steps=2
expect 0 "$lockstep" predict nine --as values -o nine.csv
same 'header and rows' "row,$(seq -s, -f 'value_%g' 0 8) 62" "$(head -n 1 nine.csv) $(wc -l <nine.csv)"

# --- extract keeps lengths where the layer has steps, leaves them out where it has none, and makes rows of frames.
expect 0 ranks 2 "$lockstep" extract steps --layer layer1 -o layer.h5
expect 0 ranks 3 "$lockstep" extract steps --layer layer1 --frames -o frames.h5
says ', 24 a row'
says "test   $("$python" -c 'import h5py; print(h5py.File("spans.h5")["test/length"][()].sum())') rows"
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
    row, step = numpy.nonzero(counts)
    assert (frames[f"{split}/row"][()] == row).all() and (frames[f"{split}/step"][()] == step).all()
    assert (frames[f"{split}/y"][()] == data[f"{split}/y"][()][counts]).all() and frames[f"{split}/y"].attrs["classes"] == 5
    assert "length" not in vectors[split] and vectors[f"{split}/x"].shape[1:] == (16,)
END
expect 0 "$lockstep" train job.yaml run=again data=layer.h5 model='gru classes=5 units=9' steps=2
expect 0 "$lockstep" train job.yaml run=linear data=frames.h5 model= net='dense units=5' steps=2

# --- Labels that are `ignore` count nothing: of a net that looks only back, as steps behind the end.
"$python" - <<'END'
import h5py, numpy
with h5py.File("spans.h5") as data, h5py.File("ignored.h5", "w") as made:
    for split in data:
        counts = numpy.arange(12) < data[f"{split}/length"][()][:, None]
        made[f"{split}/x"], made[f"{split}/y"] = data[f"{split}/x"][()], numpy.where(counts, data[f"{split}/y"][()], -100)
        made[f"{split}/y"].attrs["classes"] = 5
END
expect 65 "$lockstep" train job.yaml run=no data=ignored.h5 model='lstm classes=5 units=9'
says "expected whole numbers from 0 to 4. If it stands for no label, let y.attrs['ignore'] be this number"
"$python" -c '
import h5py
with h5py.File("ignored.h5", "a") as data:
    for split in data:
        data[f"{split}/y"].attrs["ignore"] = -100'
for data in spans ignored; do
    expect 0 ranks 2 "$lockstep" train job.yaml run=$data-back data=$data.h5 model='lstm classes=5 units=9'
    expect 0 "$lockstep" evaluate $data-back --json
    mv out $data.json
done
expect 0 "$lockstep" extract ignored-back --layer layer1 --frames -o ignored-frames.h5
expect 0 "$lockstep" train job.yaml run=ignored-linear data=ignored-frames.h5 model= net='dense units=5' sampling=balanced steps=4
expect 0 "$lockstep" evaluate ignored-linear
says "labels    $("$python" -c 'import h5py; print(h5py.File("spans.h5")["test/length"][()].sum())')"
"$python" - <<'END' # labels of which none counts, and nothing says how many classes there are
import h5py
with h5py.File("ignored-frames.h5") as data, h5py.File("none.h5", "w") as made:
    for split in data:
        made[f"{split}/x"], made[f"{split}/y"] = data[f"{split}/x"][()], 0 * data[f"{split}/y"][()].astype("i4") - 1
        made[f"{split}/y"].attrs["ignore"] = -1
END
expect 0 "$lockstep" predict ignored-linear --data none.h5 -o none.csv
says 'class and probability'
expect 65 "$lockstep" evaluate ignored-linear --data none.h5
says 'none.h5: no row of test/y has a label to evaluate by: all are ignore=-1'
expect 0 "$lockstep" train job.yaml run=none data=none.h5 model= net='dense units=5' steps=1 evaluate.every=never
says 'loss -  accuracy -'
expect 65 "$lockstep" train job.yaml run=no data=none.h5 model= net='dense units=5' sampling=balanced
says 'none.h5: no row of train/y has a label to balance by: all of '
expect 65 "$lockstep" train job.yaml run=no data=none.h5 model= net='dense units=5' steps=9
says 'none.h5: no row of valid/y has a label to evaluate by: all are ignore=-1'
! grep 'step ' out || fail 'expected the refusal before the first step'
"$python" - <<'END'
import json, h5py
a, b = json.load(open("spans.json")), json.load(open("ignored.json"))
assert "steps" not in b and a["steps"] == b["labels"] == sum(map(sum, b["confusion"])) and abs(a["loss"] - b["loss"]) < 1e-5, (a, b)
END
"$python" -c '
import h5py
with h5py.File("ignored.h5", "a") as data:
    data["train/y"][:37] = -100'
expect 0 ranks 2 "$lockstep" train job.yaml run=no-labels data=ignored.h5 model='lstm classes=5 units=9' sampling=shuffle rows=37 steps=1

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
    expect 0 "$lockstep" predict numbers$behind -o numbers$behind-values.h5
    expect 0 "$lockstep" predict numbers$behind -o numbers$behind-values.csv
done
same 'targets of steps' "$(digest --all "$(checkpoint numbers0 12)")" "$(digest --all "$(checkpoint numbers100 12)")"
same 'their records' "$(metrics_of numbers0)" "$(metrics_of numbers100)"
"$python" - <<'END'
import h5py, numpy
with h5py.File("numbers100.h5") as data, h5py.File("numbers100-frames.h5") as made:
    counts = numpy.arange(9) < data["test/length"][()][:, None]
    assert (made["test/y"][()].ravel() == data["test/y"][()][counts]).all()
with h5py.File("numbers0-values.h5") as made:
    row, step = numpy.nonzero(counts)
    assert (made["row"][()] == row).all() and (made["step"][()] == step).all() and made["value"].shape == (counts.sum(), 1)
    lines = [line.split(",") for line in open("numbers0-values.csv").read().split()]
    assert lines[0] == ["row", "step", "value_0"] and len(lines) == 1 + counts.sum()
    assert [numpy.float32(line[2]) for line in lines[1:]] == list(made["value"][()].ravel())
END
cmp numbers0-values.csv numbers100-values.csv

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
expect 65 ranks 2 "$lockstep" train job.yaml run=no data=frames.h5 model= net='dense units=5' bucket=4
says 'command line: bucket: frames.h5 has no train/length by which rows could be sorted: leave bucket out'
expect 64 "$lockstep" train job.yaml run=no data=lengths_nan.h5 sampling=balanced bucket=4
says 'command line: bucket: with sampling=balanced rows are drawn one by one; expected shuffle, or no bucket'
for line in 'conv2d out=4 kernel=2' 'maxpool kernel=2' 'avgpool global=1' 'deconv2d out=2 kernel=2'; do
    expect 64 "$lockstep" train job.yaml run=no data=lengths_nan.h5 model= net=$'dense units=4 each=1\n'"$line"$'\ndense units=3'
    says "net/${line%% *}1: ${line%% *} is for images, and would take what stands behind the ends of rows for part of them"
done
expect 64 "$lockstep" train job.yaml run=no data=lengths_nan.h5 transform=flip
says 'flip is for images, but rows of lengths_nan.h5 are sequences of unequal length'
expect 0 "$lockstep" verify lengths_nan.h5
"$python" -c '
import h5py, shutil
shutil.copy("lengths_nan.h5", "broken.h5")
with h5py.File("broken.h5", "a") as file:
    file["test/x"][60, 0, 2] = float("nan")'
expect 65 "$lockstep" verify broken.h5
says 'broken.h5: test/x holds nan at row 60; expected finite float32 numbers'
expect 0 "$lockstep-double" check job.yaml data=lengths_nan.h5 --rows 6
says 'net/backward2/weight '
expect 0 "$lockstep-double" check job.yaml data=spans_bad.h5 --rows 6 model='lstm classes=5 units=6 embed=3 bidirectional=1'
says 'net/backward2/weight '

# --- Batch norm, accumulated shards, time delays by their other name: what is saved has their own.
below=$'batchnorm relu=1\nlstm units=5 reverse=1\ntimepool type=stat\ndense units=3'
delays=("$lockstep" train job.yaml data=lengths_nan.h5 bucket=2 model=)
for count in 1 2 3 4; do
    expect 0 ranks $count "${delays[@]}" net="conv1d units=6 kernel=3"$'\n'"$below" run=delays$count
    same "time delays on $count ranks" "$(digest --all "$(checkpoint delays1 12)")" "$(digest --all "$(checkpoint delays$count 12)")"
done
grep -q '^  tdnn units=6 kernel=3$' delays1/job.yaml || fail "$(cat delays1/job.yaml)"
expect 0 ranks 2 "${delays[@]}" net="tdnn units=6 kernel=3"$'\n'"$below" run=delays1 steps=14
for count in 8 18; do # rows of the smallest shard: 1, which may be that of a single step; or 2
    code=0
    [ $count = 18 ] || code=64
    expect $code "${delays[@]}" net="tdnn units=6 kernel=3"$'\n'"$below" run=few shards=8 batch=$count steps=5 --dry-run
done
says 'a batch has 18 rows in 8 shards, which is 2 values per channel if they are the shortest: mean and deviation of so few are rough'
grep -v shards job.yaml >plain.yaml
expect 0 ranks 2 "${delays[@]/job.yaml/plain.yaml}" net="tdnn units=6 kernel=3"$'\n'"$below" run=delays5 accumulate=4
same 'accumulated shards' "$(digest --all "$(checkpoint delays2 12)")" "$(digest --all "$(checkpoint delays5 12)")"
expect 0 "$lockstep" list layers
says 'a convolution over the steps of a sequence; also called conv1d'
