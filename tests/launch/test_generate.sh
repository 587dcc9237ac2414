#!/usr/bin/env bash
# test_generate: rows that a trained model makes, by lockstep generate and as pictures of a run: the same on any number of
# ranks, from the checkpoint alone; what cannot be made or drawn is said.
# shellcheck source=tests/launch/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# compare PICTURE FILE.h5 PAIRS: whether the tiles of a picture are the rows of a file (PAIRS: beside those of the data).
cat >compare.py <<'END'
"""compare: tiles of a picture beside the rows in a data set."""
import sys

import h5py, numpy
import numpy

tests, picture, rows = sys.argv[1:4]
sys.path.insert(0, f"{tests}/launch")
from read_png import read_png, tiles

with h5py.File(rows) as file:
    x = file["train/x"][()].astype(float).reshape(-1, 12, 12)
found = tiles(read_png(picture), 12, 12)
assert found.shape[4] == 1
found = found.reshape(-1, 12, 12)
assert (found[len(x):] == 255).all()
least, most = min(0, x.min()), max(1, x.max())
assert abs(found[:len(x)] - 255 * (x - least) / (most - least)).max() < 0.51
assert x.std(0).max() > 1e-3, "all rows are the same"
END

data images data.h5
cat >gan.yaml <<'END'
data: data.h5
run: gan
model: gan latent=8 generator=32 discriminator=32 output=logistic
shards: 3
stages: [{batch: 20, epochs: 4}]
samples: {every: 2 epochs, rows: 30}
END

# A run writes a picture every 2 epochs, the same ones on any number of ranks.
expect 0 "$lockstep" train gan.yaml
expect 0 ranks 3 "$lockstep" train gan.yaml run=gan3
same 'pictures of the run' "$(cd gan/samples && echo *)" 'step-00000022-prior.png step-00000044-prior.png'
for picture in step-00000022-prior.png step-00000044-prior.png; do
    cmp "gan/samples/$picture" "gan3/samples/$picture" || fail "3 ranks drew another $picture"
done
! cmp -s gan/samples/* || fail 'the pictures of two steps are the same'

# Pictures that are due at the step of a stop are made.
expect 75 "$lockstep" train gan.yaml run=halted samples.every='1 steps' --max-time=0.0001m
[ -e "halted/samples/step-$(printf %08d "$(steps_saved halted)")-prior.png" ] || fail 'expected a picture of the last step'

# From the checkpoint alone, on 1 rank and 2: the same rows, whatever their number; other seeds give others.
mv data.h5 away.h5
expect 0 "$lockstep" generate gan --rows 30
says 'wrote generated.png: 30 rows of gan/checkpoints/step-00000044.h5 (step 44), seed 1'
cmp generated.png gan/samples/step-00000044-prior.png || fail 'expected the samples of the run'
expect 64 "$lockstep" generate gan
says 'generated.png: is there already; --force overwrites it'
expect 0 "$lockstep" generate gan --rows 30 -o some.h5
expect 0 ranks 2 "$lockstep" generate gan --rows 700 -o many.h5
expect 0 "$lockstep" generate gan --rows 30 --seed 2 -o other.h5
"$python" compare.py "$tests" generated.png some.h5 || fail 'the picture does not show the rows'
"$python" -c '
import h5py, numpy
some, many, other = (h5py.File(name)["train/x"][()] for name in ("some.h5", "many.h5", "other.h5"))
assert some.shape == (30, 12, 12, 1) and len(numpy.unique(many.reshape(700, 144), axis=0)) == 700
assert (some == many[:30]).all() and (some == other).mean() < 0.01
assert dict(h5py.File("other.h5").attrs)["seed"] == "2"' || fail 'rows are no function of seed and number'

# What is made is a data set.
expect 0 "$lockstep" train gan.yaml data=many.h5 run=again epochs=1

# It has the values of the data set, and not those that transforms make of them: from 0.5 to 1, where the net makes 0 to 1.
expect 0 "$lockstep" train gan.yaml data=many.h5 run=normalized epochs=1 'transform=normalize mean=0.5 deviation=0.5'
expect 0 ranks 2 "$lockstep" generate normalized --rows 300 -o normalized.h5
"$python" -c '
import h5py
x = h5py.File("normalized.h5")["train/x"][()]
assert x.min() >= 0.5 and x.max() <= 1 and x.std() > 0.001' || fail 'generated rows are not in the units of the data'

# Pictures show these values too, those of the run and those made afterwards.
expect 0 "$lockstep" train gan.yaml data=many.h5 run=normalized epochs=2 'transform=normalize mean=0.5 deviation=0.5' \
    'samples.every=1 epochs'
newest=$(ls normalized/samples/*-prior.png | tail -1)
expect 0 "$lockstep" generate normalized --rows 30 -o normalized.png
cmp normalized.png "$newest" || fail 'expected the samples of the run'
expect 0 "$lockstep" generate normalized --rows 30 -o drawn.h5
"$python" compare.py "$tests" normalized.png drawn.h5 || fail 'the picture does not show values of the data'

# What a model can't make, and what can't be drawn, is said.
expect 64 "$lockstep" generate gan --plane -o plane.png
says "gan can't make a plane (--plane), which needs codes of two numbers: of this model it makes samples"
expect 64 "$lockstep" generate gan --plane --rows 20 -o plane.png
says '--rows=20: a plane is a square of codes: --rows 16'
expect 65 "$lockstep" generate gan --walk 1,2 -o walk.png
says 'the data set of the run is not there'
expect 64 "$lockstep" generate gan --walk 1,b -o walk.png
says '--walk=1,b: expected the numbers of two rows of the data, from 0: --walk 3,17'
expect 64 "$lockstep" generate gan --walk 1,2 --plane -o walk.png
says '--walk, --plane, --from and --chains are pictures of their own: give one of them'
expect 64 "$lockstep" generate gan --split valid -o walk.png
says '--split names the rows to begin with: it goes with --walk A,B or --from A,B,...'
expect 64 "$lockstep" generate gan --steps 3 -o steps.png
says '--steps=3 is of chains of Gibbs sampling, which the objective gan has none of: leave it out'
expect 64 "$lockstep" generate gan --chains 3 -o chains.png
says "gan can't make chains (--from, --chains), which need a restricted Boltzmann machine: of this model it makes samples"
expect 64 "$lockstep" generate gan -o rows.csv
says 'rows.csv: expected an output that ends in .png or .h5'
expect 64 "$lockstep" generate gan --rows 100000000 -o large.png
says 'large.png: the picture would be 130001 pixels wide'
expect 65 "$lockstep" generate some.h5 -o x.png
says 'some.h5 is a data set; expected a trained net'
cat >mlp.yaml <<'END'
data: away.h5
run: mlp
model: mlp widths=144,4
stages: [{batch: 20, epochs: 1}]
samples: {every: 1 epoch}
END
expect 0 "$lockstep" train mlp.yaml
says 'no pictures are written (samples.every=): no objective of this job makes rows of its own, or rebuilds them'
[ ! -e mlp/samples ] || fail 'a run without pictures made their folder'
expect 64 "$lockstep" generate mlp -o x.png
says 'the objective supervised makes no rows; those that do: '
grep -q 'those that do: .*gan' out || fail 'expected the objective gan among those that make rows'

# Rows of one number are drawn as a histogram, those of five are not.
"$python" -c '
import h5py, numpy
draw = numpy.random.default_rng(1).normal
for name, shape in (("one.h5", 400), ("five.h5", (400, 5))):
    with h5py.File(name, "w") as file:
        file["train/x"] = draw(3, 2, shape).astype("f4")'
expect 0 "$lockstep" train gan.yaml data=one.h5 run=one model='gan latent=2 generator=8 discriminator=8 output=linear' epochs=2
expect 0 "$lockstep" generate one --rows 30 -o one.png
says " nats from that of 30 rows of the data (Jensen-Shannon)"
"$python" -c '
import sys
sys.path.insert(0, sys.argv[1] + "/launch")
from read_png import read_png
ours, made = read_png("one/samples/step-00000040-prior.png"), read_png("one.png")
assert ours.shape == made.shape == (340, 660, 3)
blue, orange = (158, 202, 225), (217, 72, 1)
count = lambda pixels, colour: (pixels == colour).all(2).sum()
assert count(ours, blue) > 5000 and count(ours, orange) > 500, "data and samples"
assert (ours == made).all()' "$tests" || fail 'no histogram of rows of one number beside those of the data'
mv one.h5 gone.h5
expect 0 "$lockstep" generate one -o alone.png
mv gone.h5 one.h5
expect 65 "$lockstep" generate one -o none.png --data none.h5
says "none.h5: can't open"
expect 65 "$lockstep" generate one -o none.png --data five.h5
says 'five.h5: has rows of 5 in '
expect 64 "$lockstep" generate one -o none.h5 --data one.h5
says '--data=one.h5: no row of it is read: it goes with --walk A,B or --from A,B,...; leave it out'
"$python" -c '
import sys
sys.path.insert(0, sys.argv[1] + "/launch")
from read_png import read_png
made, blue, orange = read_png("alone.png"), (158, 202, 225), (217, 72, 1)
count = lambda pixels, colour: (pixels == colour).all(2).sum()
assert count(made, blue) == 0 and count(made, orange) > 500' "$tests" || fail 'no histogram without the data'
expect 0 "$lockstep" train gan.yaml data=five.h5 run=five model='gan latent=2 generator=8 discriminator=8 output=linear' epochs=1
says 'no pictures are written (samples.every=): rows of x have the shape 5; expected height x width'
[ ! -e five/samples ] || fail 'a run without pictures made their folder'
expect 64 "$lockstep" generate five -o five.png
says 'five.png: rows of the shape 5 are no pictures; write them as a data set: -o rows.h5'

# A picture that can't be written ends no training.
mkdir stuck
: >stuck/samples
expect 0 "$lockstep" train gan.yaml data=away.h5 run=stuck
says 'no pictures of step 22: stuck/samples: expected a folder'
says 'no pictures of step 44: '

# Reconstructions: each of the first rows of evaluate.split on the left of what `predict` gives for it, logits as pixels.
cat >pairs.py <<'END'
"""pairs: tiles of a picture beside rows of the data and what predict made of them."""
import sys

import h5py, numpy
import numpy

tests, picture, data, predicted, count = sys.argv[1:]
count = int(count)
sys.path.insert(0, f"{tests}/launch")
from read_png import read_png, tiles

with h5py.File(data) as file, h5py.File(predicted) as made:
    x = file["valid/x"][:count].reshape(-1, 12, 12) / 255
    y = made["value"][:count].reshape(-1, 12, 12)
found = tiles(read_png(picture), 12, 12)
assert found.shape[1] == 2 * numpy.ceil(count**0.5), found.shape
found = found.reshape(-1, 12, 12)[:2 * count]
assert abs(found[::2] - 255 * x).max() < 0.51 and abs(found[1::2] - 255 * y).max() < 0.51
END
cat >pairs.yaml <<'END'
data: away.h5
run: pairs
model: autoencoder widths=144,32,16 loss=bce
stages: [{objective: autoencoder loss=bce, optimizer: adam rate=0.01, batch: 20, epochs: 2}]
samples: {every: 1 epoch, rows: 21}
END
expect 0 ranks 2 "$lockstep" train pairs.yaml shards=3
expect 0 "$lockstep" train pairs.yaml shards=3 run=pairs1
cmp pairs/samples/step-00000022-rebuilt.png pairs1/samples/step-00000022-rebuilt.png || fail '2 ranks rebuilt other rows'
expect 0 "$lockstep" predict pairs/checkpoints/step-00000022.h5 --split valid -o values.h5
"$python" pairs.py "$tests" pairs/samples/step-00000022-rebuilt.png away.h5 values.h5 21 || fail 'no pairs of rows and reconstructions'

# A stage ends with pictures, also where evaluations end it.
expect 0 "$lockstep" train pairs.yaml shards=3 run=stopped stages.0.epochs=9 'stages.0.optimizer=sgd rate=0' \
    evaluate.stop_after=1 'samples.every=100 epochs'
same 'pictures of a stage that stopped early' "$(cd stopped/samples && echo *)" step-00000022-rebuilt.png

# A walk leads from one reconstruction to the other, on any number of ranks.
expect 0 "$lockstep" generate pairs/checkpoints/step-00000022.h5 --walk 3,9 --split valid --rows 5 -o walk.h5
expect 0 ranks 3 "$lockstep" generate pairs/checkpoints/step-00000022.h5 --walk 3,9 --split valid -o walk.png
"$python" -c '
import sys, h5py
sys.path.insert(0, sys.argv[1] + "/launch")
from read_png import read_png, tiles
walk, rebuilt = h5py.File("walk.h5")["train/x"][()].reshape(5, 144), h5py.File("values.h5")["value"][()].reshape(-1, 144)
assert abs(walk[0] - rebuilt[3]).max() < 1e-5 and abs(walk[4] - rebuilt[9]).max() < 1e-5
assert abs(walk[2] - walk[0]).max() > 1e-3 and abs(walk[2] - walk[4]).max() > 1e-3
picture = tiles(read_png("walk.png"), 12, 12)
assert picture.shape[:2] == (1, 16)
assert abs(picture[0, 15].reshape(144) - 255 * rebuilt[9]).max() < 0.52' "$tests" || fail 'the walk does not lead from row 3 to row 9'
expect 64 "$lockstep" generate pairs --walk 3,57 --split valid -o far.png
says '--walk=3,57: valid of away.h5 has the rows 0 to 56'
expect 64 "$lockstep" generate pairs -o samples.png
says "autoencoder can't make samples, which need a distribution that codes are drawn from: of this model it makes a walk (--walk)"

# A variational autoencoder makes all kinds: both pictures in a run, and a plane of two latent numbers.
cat >vae.yaml <<'END'
data: away.h5
run: vae
model: vae widths=144,16 latent=2
stages: [{optimizer: adam rate=0.01, batch: 20, epochs: 1}]
samples: {every: 5 steps, rows: 20}
END
expect 0 "$lockstep" train vae.yaml
same 'pictures of the run' "$(cd vae/samples && echo *)" \
    "$(for step in 05 10 11; do printf 'step-000000%s-prior.png step-000000%s-rebuilt.png ' $step $step; done | sed 's/ $//')"
expect 0 "$lockstep" generate vae --plane -o plane.h5
expect 0 ranks 3 "$lockstep" generate vae --plane -o plane.png
"$python" compare.py "$tests" plane.png plane.h5 || fail 'the picture does not show the plane'
for rows in 1 5; do expect 0 "$lockstep" generate vae --walk 3,9 --split valid --rows $rows -o walk$rows.h5; done
"$python" -c '
import h5py
one, five = (h5py.File(name)["train/x"][()] for name in ("walk1.h5", "walk5.h5"))
assert one.shape == (1, 12, 12, 1) and abs(one - five[:1]).max() < 1e-5' || fail 'a walk of one row does not stand at row 3'
expect 0 "$lockstep" generate vae --rows 20 -o prior.png
cmp prior.png vae/samples/step-00000011-prior.png || fail 'expected the samples of the run'
