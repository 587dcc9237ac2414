#!/usr/bin/env bash
# test_jobs: every job of launch/jobs is one that `lockstep train` takes, with data of the shape that it is for.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# Rows of zeros and ones in turn, which pass for bits, for grey values and for rows of mean 0 once they are scaled.
"$python" - <<'END'
import h5py, numpy
shapes = {"fashion": (28, 28, 1), "mnist": (28, 28, 1), "digits": (24, 24, 1), "dna": (180,), "imagenet": (256, 256, 3), "mixture": (1,),
          "emoji": (64, 64, 3), "shapes": (64, 64, 3), "bdg": (58, 24), "bottleneck": (39,)}
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
# Text: random letters in words, and spikes for the timing task.
printf hello >hello.txt
"$python" - <<'PYTHON'
import random
random.seed(1)
letters = "abcdefghijklmnopqrst"
with open("words.txt", "w") as out:
    for i in range(3000):
        out.write(" ".join("".join(random.choices(letters, k=3)) for _ in range(9)) + "\n")
PYTHON
expect 0 "$lockstep" import text hello.txt -o hello.h5
for name in brown-chars austen; do
    expect 0 "$lockstep" import text words.txt --valid 5000 --test 5000 -o $name.h5
done
expect 0 "$lockstep" import text words.txt --level word --vocabulary 99 --valid 5000 --test 5000 -o brown-words.h5
expect 0 "$tests/bench/timing.py" -o timing.h5
"$python" - <<'PYTHON'
import h5py, numpy
with h5py.File("spam.h5", "w") as file:
    for split in "train", "valid", "test":
        file[f"{split}/x"] = numpy.arange(96 * 300, dtype=numpy.uint16).reshape(96, 300) % 10000
        file[f"{split}/length"] = numpy.arange(96, dtype=numpy.int32) + 1
        file[f"{split}/y"] = numpy.arange(96, dtype=numpy.uint8) % 2
        file[f"{split}/y"].attrs["classes"] = 2
PYTHON
for job in "$tests"/../launch/jobs/*.yaml; do
    data=$(sed -n 's/^data: *\([^ ]*\).*/\1/p' "$job")
    expect 0 "$lockstep" train "$job" data="$(basename "$data")" run=run --dry-run
    says 'dry run: job, net and structure of the data were checked'
    ! grep -q 'as they are' out || fail "$job: a notice about values of pictures or tokens that are as they should be"
done
