#!/usr/bin/env bash
# test_rbm: restricted Boltzmann machines from a job to pictures: contrastive divergence is the same on any ranks, a run that
# stops before momentum switches is the one that does not stop, Gibbs chains are the same on any ranks, bad inputs are refused.
# shellcheck source=tests/launch/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

data images images.h5
cat >job.yaml <<'END'
data: images.h5
run: whole
model: rbm visible=144 hidden=30 k=2 binarize=1
batch: 37
epochs: 4
optimizer: momentum start=0.5 switch=2 momentum=0.9 rate=0.05 decay=1e-3 decay_all=0
seed: 3
shards: 5
checkpoint: {every: 1 steps, keep: 100}
samples: {every: 4 epochs, rows: 9}
END

# --- 203 rows in batches of 37, on 5 shards: the last batch of an epoch has 18. Two epochs of 0.5, two of 0.9.
expect 0 "$lockstep" train job.yaml
says 'pseudo_likelihood'
for count in 2 3 4; do
    expect 0 ranks $count "$lockstep" train job.yaml run=on$count
    for step in 1 12 24; do
        same "step $step on $count ranks" "$(digest "$(checkpoint whole $step)")" "$(digest "$(checkpoint on$count $step)")"
    done
done
expect 0 ranks 2 "$lockstep" train job.yaml run=stopped epochs=2
expect 0 ranks 3 "$lockstep" train job.yaml run=stopped
same 'resumed where momentum switches' "$(digest "$(checkpoint whole 24)")" "$(digest "$(checkpoint stopped 24)")"
# Where the weight is summed by inputs and errors, their room is for whole batches, also if the first has few rows.
for chains in 0 50; do
    model="model=rbm visible=144 hidden=30 k=2 binarize=1 chains=$chains"
    expect 0 "$lockstep" train job.yaml run=chains "$model"
    digest "$(checkpoint chains 24)" >wanted
    expect 0 ranks 4 env LOCKSTEP_FACTORS=always LOCKSTEP_RANKS_PER_NODE=2 "$lockstep" train job.yaml run=chains "$model" \
        --resume="$(checkpoint chains 5)" --overwrite
    grep -q 'micro-kernel blas' out || says '1 weight is summed over the nodes by inputs and errors'
    same "$chains chains by inputs and errors" "$(cat wanted)" "$(digest "$(checkpoint chains 24)")"
    rm -r chains
done
expect 0 "$lockstep" train job.yaml run=late optimizer='momentum start=0.5 switch=3 momentum=0.9 rate=0.05 decay=1e-3 decay_all=0'
same 'before the switch' "$(digest "$(checkpoint whole 12)")" "$(digest "$(checkpoint late 12)")"
[ "$(digest "$(checkpoint whole 24)")" != "$(digest "$(checkpoint late 24)")" ] || fail 'the switch changes nothing'
for picture in prior rebuilt; do
    [ -s "whole/samples/step-00000024-$picture.png" ] || fail "no picture $picture"
    cmp "whole/samples/step-00000024-$picture.png" "on3/samples/step-00000024-$picture.png" || fail "3 ranks drew another"
done

# --- What a trained machine gives: features, predictions of rows, chains, filters.
expect 0 "$lockstep" extract whole --layer activation1 -o features.h5
"$python" - <<'END'
import h5py, numpy
with h5py.File("features.h5") as file, h5py.File("whole/checkpoints/best.h5") as run, h5py.File("images.h5") as data:
    w, b, a = (run[f"model/net/dense1/{name}"][()] for name in ("weight", "bias", "visible_bias"))
    x = data["test/x"][()].reshape(-1, 144) / 255
    means = 1 / (1 + numpy.exp(-(x @ w.T + b)))
    found = file["test/x"][()].reshape(len(x), -1)
    assert abs(found - means).max() < 1e-4, "extract gives no hidden probabilities"
    assert abs(a).min() > 0, "the visible bias did not learn"
END
expect 0 "$lockstep" generate whole --rows 30 --steps 20 -o prior.h5
expect 0 ranks 3 "$lockstep" generate whole --rows 700 --steps 20 -o more.h5
expect 0 "$lockstep" generate whole --from 0,5,9 --rows 12 --steps 4 -o from.h5
expect 0 ranks 2 "$lockstep" generate whole --from 0,5,9 --rows 12 --steps 4 -o from2.h5
# One chain of several chunks, each of which goes on from the end of one before.
expect 0 "$lockstep" generate whole --chains 1 --rows 8000 --steps 1 -o long.h5
expect 0 ranks 3 "$lockstep" generate whole --chains 1 --rows 8000 --steps 1 -o long3.h5
expect 0 "$lockstep" generate whole --chains 4 -o chains.png
says 'wrote chains.png: 64 rows'
"$python" - <<'END'
import h5py, numpy
def rows(name):
    with h5py.File(name) as file:
        return file["train/x"][()].reshape(-1, 144)
prior, more, first, second = (rows(name) for name in ("prior.h5", "more.h5", "from.h5", "from2.h5"))
assert (prior == more[:30]).all() and (first == second).all(), "another number of ranks made other rows"
assert (rows("long.h5") == rows("long3.h5")).all(), "a long chain is another one on three ranks"
assert len(numpy.unique(prior, axis=0)) == 30 and 0 <= prior.min() and prior.max() <= 1
assert set(numpy.unique(first[::4])) == {0, 1}, "chains begin at the pixels that are drawn"
assert len(numpy.unique(first, axis=0)) == 12
END
expect 0 "$lockstep" plot whole --weights dense1 -o filters.png
expect 0 "$lockstep" train job.yaml --dry-run
expect 0 "$lockstep" bench 'rbm visible=784 hidden=30' --batch 20 --steps 3 --profile
says 'dense1 '
says '"model":"rbm visible=784 hidden=30"'

# --- Refusals.
expect 65 "$lockstep" train job.yaml run=no model='rbm visible=144 hidden=30 units=gaussian'
says 'objective (default): units=gaussian is of visible units with variance 1: expected numbers of mean 0 and deviation 1, but'
says 'training rows of images.h5 have the mean 0.4'
advice=$(grep -o 'normalize mean=[^`]*' out)
expect 0 "$lockstep" train job.yaml run=gaussian model='rbm visible=144 hidden=30 units=gaussian' transform="$advice" \
    optimizer='momentum rate=0.001'
expect 65 "$lockstep" train job.yaml run=no model='rbm visible=144 hidden=30' transform="$advice"
says 'units=gaussian (rbm)'
"$python" - <<'END' # the numbers of all columns together have mean 0 and deviation 1
import h5py, numpy
x = numpy.random.default_rng(1).normal(size=(300, 4))
x[:, 2:] = [1, -1] + 0.05 * x[:, 2:]
for name, columns in ("columns.h5", x), ("constant.h5", x * [1, 1, 0, 0] + [0, 0, 0, 7]):
    with h5py.File(name, "w") as file:
        file["train/x"] = columns.astype("f4")
END
columns() { # DATA
    "$lockstep" train job.yaml data="$1" run=columns model="rbm visible=4 hidden=3 units=gaussian" optimizer="momentum rate=0.001"
}
expect 65 columns columns.h5
says 'but those of column 4 of 4 in 300 training rows of columns.h5 have the mean -1.003'
says '`normalize mean=... deviation=...`, each with a number for each column, in transform:'
expect 0 columns constant.h5
says '2 of 4 columns of the data are the same number in 300 training rows, such as column 3, which is 0: there is nothing to'
"$python" - <<'END' # standard by all rows, but not by a sample: a feature that few rows have, and 65 columns
import h5py, numpy
random = numpy.random.default_rng(1)
x = random.normal(size=(20000, 66))
x[:, 1] = 0
x[[0, 9, 19], 1] = 1
x = ((x - x.mean(0)) / x.std(0)).astype("f4")
for name, off in ("rare.h5", 0), ("off.h5", 2):
    with h5py.File(name, "w") as file:
        file["train/x"] = x + off
END
wide() { # DATA
    "$lockstep" train job.yaml data="$1" run=wide model="rbm visible=66 hidden=3 units=gaussian" optimizer="momentum rate=0.001" steps=1
}
expect 0 wide rare.h5
expect 65 wide off.h5
says 'in 20000 training rows of off.h5 have the mean 2 and the deviation 1: store each column so, as `lockstep import csv --scale'
expect 64 "$lockstep" train job.yaml run=no model='rbm visible=145'
says 'rbm: visible=145, but a row of the data has 144 numbers'
expect 64 "$lockstep" train job.yaml run=no model='rbm visible=144 k=0'
says 'k'
expect 64 "$lockstep" train job.yaml run=no model='mlp widths=144,9,4' objective=rbm
says 'no line that is a restricted Boltzmann machine: `dense units=N visible=1`'
expect 64 "$lockstep" generate whole --from 3,70 -o no.png
says '--from=3,70: test of images.h5 has the rows 0 to 60'
expect 64 "$lockstep" generate whole --from 3,x -o no.png
says '--from=3,x: expected the numbers of up to 64 rows of the data'
expect 64 "$lockstep" generate whole --chains 3 --rows 10 -o no.png
says '--rows=10: expected as many for each of the 3 chains'
expect 64 "$lockstep" generate whole --plane -o no.png
says "of this model it makes samples, chains (--from, --chains)"
