#!/usr/bin/env bash
# test_sampling: rows drawn by weights or by class are the same on any number of ranks and after a stop; bench feed reads
# them; refusals name the key.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

data images images.h5
"$python" - <<'END'
import h5py, numpy
with h5py.File("images.h5", "a") as file:
    rows = len(file["train/x"])
    file["train/weight"] = numpy.random.default_rng(1).random(rows) ** 2
END
cat >job.yaml <<'END'
data: images.h5
net: dense units=4
optimizer: momentum rate=0.02 momentum=0.9
batch: 37
epochs: 2                                  # of 6 steps
shards: 4
checkpoint: {every: 1 steps, keep: 100}
evaluate: {every: never}
END

for sampling in shuffle balanced weights; do
    for count in 1 2 3 4; do
        expect 0 ranks $count "$lockstep" train job.yaml run=$sampling-$count sampling=$sampling
        same "$sampling on $count ranks" "$(digest --all "$(checkpoint $sampling-1 12)")" \
            "$(digest --all "$(checkpoint $sampling-$count 12)")"
    done
    for step in 3 6 10; do # within an epoch, at its end, within the next
        expect 0 ranks 2 "$lockstep" train job.yaml run=$sampling-from-$step sampling=$sampling checkpoint.every=never \
            --resume="$(checkpoint $sampling-1 $step)"
        same "$sampling on from step $step" "$(digest --all "$(checkpoint $sampling-1 12)")" \
            "$(digest --all "$(checkpoint $sampling-from-$step 12)")"
    done
done
different 'shuffle and balanced' "$(digest "$(checkpoint shuffle-1 12)")" "$(digest "$(checkpoint balanced-1 12)")"
different 'balanced and weights' "$(digest "$(checkpoint balanced-1 12)")" "$(digest "$(checkpoint weights-1 12)")"
expect 0 "$lockstep" train job.yaml run=balanced-2 sampling=shuffle epochs=3
says "stages.0.sampling changed from 'balanced' to 'shuffle'"

# A row that is drawn again and again in an epoch is transformed in another way each time: so its numbers vary within a batch.
cp images.h5 single.h5
"$python" -c 'import h5py; h5py.File("single.h5", "a")["train/weight"][1:] = 0'
expect 0 "$lockstep" train job.yaml run=single data=single.h5 sampling=weights epochs=1 transform='crop size=10' \
    net=$'reshape shape=100\nbatchnorm\ndense units=4'
"$python" - "$(checkpoint single 6)" <<'END'
import sys, h5py, numpy
with h5py.File(sys.argv[1]) as file:
    found = []
    file.visititems(lambda name, node: found.append(node[()]) if name.endswith("batchnorm1/variance") else None)
    assert len(found) == 1 and found[0].max() > 0.9 ** 6 + 1e-3, found
END

# Weights have scale and offset, like all numbers of a data set.
expect 0 "$lockstep" train job.yaml run=plain sampling=weights epochs=1
cp images.h5 scaled.h5
"$python" -c '
import h5py
with h5py.File("scaled.h5", "a") as file:
    file["train/weight"][()] = 4 * file["train/weight"][()] + 3
    file["train/weight"].attrs["scale"], file["train/weight"].attrs["offset"] = 0.25, -0.75'
expect 0 "$lockstep" train job.yaml run=scaled data=scaled.h5 sampling=weights epochs=1
same 'weights by scale and offset' "$(digest "$(checkpoint plain 6)")" "$(digest "$(checkpoint scaled 6)")"

expect 64 "$lockstep" train job.yaml run=none sampling=fair
says 'sampling: expected shuffle, balanced or weights'

# Other weights are noticed: by a run that goes on, and by a rank that has another copy of the file.
mkdir -p copies/0 copies/1
cp images.h5 copies/0
cp images.h5 copies/1
"$python" -c 'import h5py; h5py.File("copies/1/images.h5", "a")["train/weight"][7] = 5'
expect 0 "$lockstep" train job.yaml run=weights-2 data=copies/1/images.h5 sampling=weights epochs=3
says 'data: train/weight of copies/1/images.h5 holds other numbers than when weights-2/checkpoints/step-00000012.h5 was written'
# shellcheck disable=SC2016 # the ranks' own shells
expect 65 ranks 2 bash -c 'cd copies/$OMPI_COMM_WORLD_RANK && "$0" train ../../job.yaml run=../two sampling=weights' "$lockstep"
says 'train/weight: digest'

cp images.h5 bad.h5
"$python" -c 'import h5py; h5py.File("bad.h5", "a")["train/weight"][5] = -1'
expect 65 ranks 2 "$lockstep" train job.yaml run=none data=bad.h5 sampling=weights
says 'sampling: bad.h5: train/weight holds -1 at row 5; expected a number, 0 or more'
"$python" -c 'import h5py; del h5py.File("bad.h5", "a")["train/weight"]'
expect 65 "$lockstep" train job.yaml run=none data=bad.h5 sampling=weights --dry-run
says 'sampling: bad.h5: has no train/weight'

# bench feed
expect 0 ranks 2 "$lockstep" bench feed --data images.h5 --batch 37 --steps 9 --transform 'crop size=10'
"$python" - "$work/out" <<'END'
import json, sys
line = json.loads(open(sys.argv[1]).read())
assert line["ranks"] == 2 and line["rows_per_second"] > 0 and line["steps"] == 9
assert abs(line["megabytes_per_second"] / line["rows_per_second"] * 1e6 - 12 * 12) < 1e-6, line
END
expect 64 "$lockstep" bench feed
says 'feed: the data set is missing: bench feed --data FILE'
expect 65 ranks 2 "$lockstep" bench feed --data none.h5
expect 64 "$lockstep" bench feed --data images.h5 --transform 'twist'
