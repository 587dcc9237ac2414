#!/usr/bin/env bash
# test_jobs: every job of launch/jobs is one that `lockstep train` takes, with data of the shape that it is for.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# Rows of zeros and ones in turn, which pass for bits, for grey values and for rows of mean 0 once they are scaled.
"$python" - <<'END'
import h5py, numpy
shapes = {"fashion": (28, 28, 1), "mnist": (28, 28, 1), "digits": (24, 24, 1), "dna": (180,), "imagenet": (256, 256, 3), "mixture": (1,),
          "emoji": (64, 64, 3), "shapes": (64, 64, 3), "bdg": (58, 24)}
for name, shape in shapes.items():
    rows, classes = {"imagenet": (20, 1000), "emoji": (300, 9), "bdg": (2600, 3)}.get(name, (2600, 10))
    with h5py.File(f"{name}.h5", "w") as file:
        for split in "train", "valid", "test":
            x = numpy.zeros((rows, *shape), numpy.uint8)
            x[::2] = 255
            x = file.create_dataset(f"{split}/x", data=x)
            x.attrs["scale"] = 1 / 255
            y = file.create_dataset(f"{split}/y", data=numpy.arange(rows, dtype=numpy.uint16) % classes)
            y.attrs["classes"] = classes
END
for job in "$tests"/../launch/jobs/*.yaml; do
    data=$(sed -n 's/^data: *\([^ ]*\).*/\1/p' "$job")
    expect 0 "$lockstep" train "$job" data="$(basename "$data")" run=run --dry-run
    says 'dry run: job, net and structure of the data were checked'
done
