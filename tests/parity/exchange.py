"""exchange: torchvision's nets in lockstep, and lockstep's in torchvision, by safetensors files.

    exchange.py BUILD      in an empty folder; a line a net

A net of random weights is saved as PyTorch users do, under torchvision's names; lockstep predicts with it, and must give
torchvision's outputs. What lockstep exports of it must be the same tensors bit for bit. The other way, lockstep trains a
net, and torchvision loads what it exports.
"""
import pathlib
import sys

import h5py
import numpy
import torch
import torchvision

import safetensors
from vision import lockstep, make, randomize

SIDE = 224


def write_job(model, keys=""):
    pathlib.Path("job.yaml").write_text(f"data: data.h5\nmodel: {model}\n{keys}")


def write_data(rows, side=SIDE, classes=1000):
    x = torch.randn(rows, side, side, 3)
    with h5py.File("data.h5", "w") as file:
        for split in ("train", "test"):
            file[f"{split}/x"], file[f"{split}/y"] = x.numpy(), (numpy.arange(rows) % classes).astype("u2")
            file[f"{split}/y"].attrs["classes"] = classes
    return x.permute(0, 3, 1, 2)


def predicted(build, program, source, *options):
    lockstep(build, program, "predict", source, *options, "--as", "values", "-o", "out.h5", "--force")
    with h5py.File("out.h5") as file:
        return file["value"][()].astype("f8")


def outputs(net, x):
    with torch.no_grad():
        return net.eval()(x).numpy()


def apart(found, expected):
    return float(abs(found - expected).max() / abs(expected).max())


def report(what, error, bound, equal=True):
    good = error <= bound and equal
    print(f"{what:50} {error:.1e}", "" if equal else "tensors differ", "" if good else "WRONG", flush=True)
    return good


def brain(values):
    """The upper half of each float, rounded to the nearest."""
    return ((values.astype("<f4").view("<u4") + 0x8000) >> 16).astype("<u2")


def from_brain(upper):
    return (upper.astype("<u4") << 16).view("<f4")


def small_vgg():
    """vgg11_bn with an eighth of its channels and hidden units."""
    plan = [8, "M", 16, "M", 32, 32, "M", 64, 64, "M", 64, 64, "M"]
    net = torchvision.models.VGG(torchvision.models.vgg.make_layers(plan, batch_norm=True))
    for place, (units, inputs) in {0: (512, 64 * 49), 3: (512, 512), 6: (1000, 512)}.items():
        net.classifier[place] = torch.nn.Linear(inputs, units)
    return net


def both_ways(build, model, net, program="lockstep", bound=1e-4):
    x = write_data(2)
    state = {key: value.numpy() for key, value in net.state_dict().items()}
    safetensors.write("theirs.safetensors", state)
    write_job(model)
    source = ["job.yaml", "--weights", "theirs.safetensors"]
    error = apart(predicted(build, program, *source), outputs(net.double(), x.double()))
    lockstep(build, program, "export", *source, "-o", "ours.safetensors", "--force", "--names", "torchvision")
    ours, _ = safetensors.read("ours.safetensors")
    net.load_state_dict({key: torch.tensor(value) for key, value in ours.items()}, strict=True)
    expected = {key: value for key, value in state.items() if not key.endswith(".num_batches_tracked")}
    equal = list(sorted(ours)) == list(sorted(expected)) and all((ours[key] == expected[key]).all() for key in ours)
    return report(f"{program} {model}", error, bound, equal)


def types(build):
    """The same numbers in other types: lockstep reads what they are rounded to."""
    net = make("resnet18").float()
    x = write_data(1)
    write_job("resnet depth=18")
    state = {key: value.numpy() for key, value in net.state_dict().items()}
    floats = [key for key, value in state.items() if value.dtype == numpy.float32]
    kinds = {"F16": (lambda v: v.astype("<f2"), lambda v: v.astype("<f4")),
             "BF16": (lambda v: (brain(v), "BF16"), lambda v: from_brain(v[0])),
             "F64": (lambda v: v.astype("<f8"), lambda v: v.astype("<f4"))}
    good = True
    for kind, (store, load) in kinds.items():
        stored = {key: store(state[key]) if key in floats else state[key] for key in state}
        safetensors.write("theirs.safetensors", stored)
        net.load_state_dict({key: torch.tensor(load(stored[key]) if key in floats else stored[key]) for key in stored})
        found = predicted(build, "lockstep", "job.yaml", "--weights", "theirs.safetensors")
        good = report(f"lockstep resnet depth=18, stored as {kind}", apart(found, outputs(net.float(), x)), 1e-4) and good
    return good


def trained(build):
    """What lockstep has trained, in torchvision; and fine-tuning of it for other classes."""
    x = write_data(8, 64, 8)
    write_job("resnet depth=18 classes=8", "run: run\nbatch: 8\nsteps: 3\n")
    lockstep(build, "lockstep", "train", "job.yaml")
    lockstep(build, "lockstep", "export", "run", "-o", "run.safetensors", "--names", "torchvision")
    net = torchvision.models.resnet18(num_classes=8)
    net.load_state_dict({key: torch.tensor(value) for key, value in safetensors.read("run.safetensors")[0].items()})
    good = report("a run of resnet depth=18", apart(predicted(build, "lockstep", "run"), outputs(net, x)), 1e-4)
    write_data(8, 64, 5)
    write_job("resnet depth=18 classes=5", "run: fine\nbatch: 8\nsteps: 2\ntrain: fc\n")
    lockstep(build, "lockstep", "train", "job.yaml", "--weights", "run.safetensors", "--except", "fc")
    lockstep(build, "lockstep", "export", "fine", "-o", "fine.safetensors", "--names", "torchvision")
    before, after = safetensors.read("run.safetensors")[0], safetensors.read("fine.safetensors")[0]
    kept = all((before[key] == after[key]).all() for key in before if not key.startswith("fc."))
    return report("its layers in a net of 5 classes", 0, 0, kept and after["fc.weight"].shape == (5, 512)) and good


if __name__ == "__main__":
    torch.manual_seed(1)
    folder = pathlib.Path(sys.argv[1])
    results = [both_ways(folder, "resnet50", make("resnet50").float()),
               both_ways(folder, "alexnet", make("alexnet").float()),
               both_ways(folder, "vgg16 dropout=0", make("vgg16").float()),
               both_ways(folder, "vgg depth=11 batchnorm=1 width=0.125", randomize(small_vgg())),
               both_ways(folder, "resnet depth=34", make("resnet34").float(), "lockstep-double", 1e-9),
               types(folder), trained(folder)]
    sys.exit(not all(results))
