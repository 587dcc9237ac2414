#!/usr/bin/env bash
# test_exchange: torchvision's AlexNet, VGG and ResNets in lockstep and back, by safetensors files; the words for files
# that do not fit.
source "$(dirname "${BASH_SOURCE[0]}")/../launch/lib.sh"

export PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$tests/parity
"$python" "$tests/parity/exchange.py" "$BUILD"

# --- What does not fit is named: file, tensor, what was expected, what was found.
cat >small.py <<'END'
import sys

import h5py
import numpy
import safetensors

random = numpy.random.default_rng(1)
with h5py.File("small.h5", "w") as data:
    for split in ("train", "test"):
        data[split + "/x"] = random.random((8, 3), dtype="f4")
        data[split + "/y"] = (numpy.arange(8) % 2).astype("u1")
tensors = {f"net/{line}/{name}": random.random(shape, dtype="f4")
           for line, units, inputs in (("dense1", 4, 3), ("dense2", 2, 4))
           for name, shape in (("weight", (units, inputs)), ("bias", (units,)))}
change = {"good": {}, "shape": {"net/dense2/weight": numpy.zeros((5, 4), "f4")},
          "type": {"net/dense1/bias": numpy.zeros(4, "i8")}, "missing": {"net/dense2/bias": None},
          "parallel": {name: None for name in tensors} | {f"module.{name}": value for name, value in tensors.items()},
          "more": {"net/dense3/bias": numpy.zeros(3, "f4")},
          "nan": {"net/dense1/bias": numpy.array([0, 1, numpy.nan, 2], "f4")}}
for name, changes in change.items():
    safetensors.write(f"{name}.safetensors", {k: v for k, v in {**tensors, **changes}.items() if v is not None})
safetensors.write("theirs.safetensors", {"fc.weight": numpy.zeros((5, 4), "f4")})
END
"$python" small.py
cat >small.yaml <<'END'
data: small.h5
run: small
net: |
  dense units=4
  activation function=tanh
  dense units=2
batch: 8
steps: 1
END
refuses() { # CODE FILE MESSAGE
    expect "$1" "$lockstep" evaluate small.yaml --weights "$2"
    says "lockstep: $3"
}
expect 0 "$lockstep" evaluate small.yaml --weights good.safetensors
says 'good.safetensors (step 0) on test of small.h5'
refuses 65 shape.safetensors 'shape.safetensors: tensor net/dense2/weight has the shape 5x4; expected 2x4, as net/dense2/weight has in this model (to leave it as it is, train takes --except dense2)'
refuses 65 type.safetensors 'type.safetensors: tensor net/dense1/bias is of type I64; expected F32, F16, BF16 or F64'
refuses 65 parallel.safetensors "parallel.safetensors: all its names begin with 'module.', before net/dense1/weight too: take that off"
refuses 65 missing.safetensors 'missing.safetensors: holds no tensor net/dense2/bias, which net/dense2/bias of this model is read from; the nearest name is net/dense1/bias'
refuses 65 more.safetensors 'more.safetensors: holds 1 tensor(s) that this model does not have, one of them net/dense3/bias; it is of another model'
refuses 65 nan.safetensors 'nan.safetensors: tensor net/dense1/bias holds nan at place 2; expected finite numbers'
refuses 64 theirs.safetensors 'theirs.safetensors: has no name of lockstep'"'"'s (NET/LINE/weight): torchvision has names for the models alexnet, vgg and resnet alone, but the job has a net of its own'
refuses 65 none.safetensors 'none.safetensors: can'"'"'t open: No such file or directory'
expect 64 "$lockstep" evaluate small.yaml
says 'small.yaml is a job, not a trained net: name its run directory, or give parameters by --weights FILE'
expect 64 "$lockstep" evaluate small.yaml --weights good.safetensors --average
says '--average takes parameters of a run, and --weights those of a file: give one of them'
expect 64 "$lockstep" train small.yaml --except dense2
says '--except goes with --weights FILE'
expect 64 "$lockstep" train small.yaml --weights shape.safetensors --except net/dens2
says "--except: 'net/dens2' is the name of no parameter, line or net: did you mean net/dense2?"

# --- Lines that --except names begin as drawn, from a file of either kind; the others are those of the file.
expect 0 "$lockstep" train small.yaml --weights shape.safetensors --except dense2 --dry-run
expect 0 "$lockstep" train small.yaml --weights shape.safetensors --except dense2 train=dense2
expect 0 "$lockstep" train small.yaml run=again net='dense units=4
activation function=tanh
dense units=5' --weights small/checkpoints/step-00000001.h5 --except dense2 train=dense2
cat >kept.py <<'END'
import h5py
import safetensors

theirs = safetensors.read("shape.safetensors")[0]
for run in ("small", "again"):
    with h5py.File(f"{run}/checkpoints/step-00000001.h5") as file:
        for name in ("weight", "bias"):
            assert (file[f"model/net/dense1/{name}"][()] == theirs[f"net/dense1/{name}"]).all(), (run, name)
        assert not (file["model/net/dense2/weight"][0] == theirs["net/dense2/weight"][0]).any()
END
"$python" kept.py

# --- What is exported is what the checkpoint holds, the same bytes on any number of ranks; --weights takes it again.
expect 0 "$lockstep" export small -o a.safetensors
says_only "a.safetensors: 4 tensors of 26 numbers, lockstep's names, of small/checkpoints/step-00000001.h5 (step 1)"
expect 0 ranks 2 "$lockstep" export small -o b.safetensors
cmp a.safetensors b.safetensors
expect 0 "$lockstep" export small.yaml --weights a.safetensors -o c.safetensors
cmp a.safetensors c.safetensors
expect 64 "$lockstep" export small.yaml --weights a.safetensors --stage 0 -o f.safetensors
says '--stage takes parameters of a run, and --weights those of a file: give one of them'
expect 0 "$lockstep" evaluate small --json
loss=$(grep -o '"loss":[^,]*' out)
expect 0 ranks 2 "$lockstep" evaluate small.yaml --weights a.safetensors --json
says "$loss"
expect 64 "$lockstep" export small -o a.safetensors
says 'a.safetensors: is there already; --force overwrites it'
expect 64 "$lockstep" export small -o a.h5
says 'a.h5: expected an output that ends in .safetensors'
expect 64 "$lockstep" export small -o d.safetensors --names torchvision
says 'torchvision has names for the models alexnet, vgg and resnet alone, but the job has a net of its own'
"$python" -c '
import h5py, numpy
with h5py.File("tiny.h5", "w") as file:
    file["train/x"], file["train/y"] = numpy.ones((8, 64, 64, 3), "u1"), numpy.arange(8) % 4'
printf 'data: tiny.h5\nmodel: vgg depth=11 width=0.125 classes=4\noptimizer: sgd rate=0.001\nbatch: 4\nsteps: 1\n' >tiny.yaml
expect 0 "$lockstep" train tiny.yaml run=tiny evaluate.every=never
expect 64 "$lockstep" export tiny -o e.safetensors --names torchvision
says "torchvision's model pools its maps to 7x7 before dense1, but here they are 2x2"
expect 64 "$lockstep" export small
says 'name the output: -o FILE.safetensors'
[ ! -e d.safetensors ] || fail 'a refused export left a file'

# --- A variance below 0, of which batch norm would make NaN, is named with its place, in files of either kind.
cat >norm.yaml <<'END'
data: small.h5
run: norm
net: |
  dense units=4
  batchnorm
  dense units=2
batch: 8
steps: 1
END
expect 0 "$lockstep" train norm.yaml
expect 0 "$lockstep" export norm -o norm.safetensors
cp "$(checkpoint norm 1)" norm.h5
"$python" - <<'END'
import h5py, safetensors
tensors, _ = safetensors.read("norm.safetensors")
below = {name: array.copy() for name, array in tensors.items()}
below["net/batchnorm1/variance"][2] = -0.5
safetensors.write("below.safetensors", below)
with h5py.File("norm.h5", "r+") as file:
    file["state/net/batchnorm1/variance"][2] = -0.5
END
expect 0 "$lockstep" evaluate norm.yaml --weights norm.safetensors
expect 65 "$lockstep" evaluate norm.yaml --weights below.safetensors
says 'below.safetensors: tensor net/batchnorm1/variance holds -0.5 at place 2; expected finite numbers, 0 or more'
expect 65 "$lockstep" evaluate norm.yaml --weights norm.h5
says 'norm.h5: state/net/batchnorm1/variance holds -0.5 at place 2; expected finite numbers, 0 or more'
