"""parity: lockstep's outputs, losses, gradients and updates against PyTorch's, on the same numbers.

    parity.py BUILD     in an empty working directory

For each case `check --dump` writes one forward and backward pass; torch_net.py computes it anew in
float64. Double must agree to 1e-8, float to 1e-4: norm of the difference over the norm, with a floor
of 1e-3 of the whole gradient's norm for the gradients."""
import subprocess
import sys

import h5py
import numpy
import torch

import torch_net

BUILD = sys.argv[1]
ROWS = 12
TOLERANCE = {"lockstep": 1e-4, "lockstep-double": 1e-8}
torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)

LENET = ("image28", "model: lenet classes=10", "cross-entropy")
MLP = ("image28", "model: mlp widths=784,256,128,100,10", "cross-entropy")
MIXED = """net: |
  conv2d out=5 kernel=3,2 stride=2,1 pad=1,0
  activation function=relu
  maxpool kernel=3,2 stride=1 pad=1
  dropout rate=0.3
  conv2d out=7 kernel=1 bias=0
  activation function=prelu
  maxpool kernel=2
  dense units=20
  activation function=elu
  dropout rate=0.5
  dense units=6
  softmax
  dense units=4"""
CASES = {"lenet": LENET, "mlp": MLP, "mixed": ("image9", MIXED, "cross-entropy")}
for function in torch_net.ACTIVATIONS:
    net = f"net: |\n  dense units=9 init=xavier\n  activation function={function}\n  dense units=4"
    CASES[function] = ("image9", net, "cross-entropy")
for loss in torch_net.LOSSES:
    net = "net: |\n  dense units=9\n  activation function=tanh\n  dense units=4"
    CASES["loss " + loss] = ("image9", net, loss)
    if loss in ("squared-error", "bce", "hinge"):
        CASES["vector targets, " + loss] = ("vector_" + loss.replace("-", "_"), net, loss)
OPTIMIZERS = {
    "sgd rate=0.5 decay=0.01": lambda p: torch.optim.SGD(p, 0.5, weight_decay=0.01),
    "momentum rate=0.1 momentum=0.8 decay=0.02": lambda p: torch.optim.SGD(p, 0.1, 0.8, weight_decay=0.02),
    "nesterov rate=0.1 momentum=0.8": lambda p: torch.optim.SGD(p, 0.1, 0.8, nesterov=True),
    "adam rate=0.02 decay=0.01": lambda p: torch.optim.Adam(p, 0.02, weight_decay=0.01),
    "rmsprop rate=0.01": lambda p: torch.optim.RMSprop(p, 0.01),
}


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\nended with {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def make_data():
    random = numpy.random.default_rng(3)
    for name, shape, classes in (("image28", (28, 28, 1), 10), ("image9", (9, 8, 3), 4)):
        with h5py.File(name + ".h5", "w") as file:
            file["train/x"] = random.normal(0, 1, (ROWS, *shape)).astype(numpy.float32)
            file["train/y"] = random.integers(0, classes, ROWS)
            file["train/y"].attrs["classes"] = classes
    targets = {"squared_error": random.normal(0, 1, (ROWS, 4)), "bce": random.uniform(0, 1, (ROWS, 4)),
               "hinge": random.choice([-1.0, 1.0], (ROWS, 4))}
    for name, y in targets.items():
        with h5py.File(f"vector_{name}.h5", "w") as file:
            file["train/x"] = random.normal(0, 1, (ROWS, 6)).astype(numpy.float32)
            file["train/y"] = y.astype(numpy.float32)


def write_job(data, net, loss, optimizer="sgd rate=0.1"):
    with open("job.yaml", "w") as job:
        job.write(f"data: {data}.h5\nrun: run\n{net}\nobjective: supervised loss={loss}\n"
                  f"optimizer: {optimizer}\nbatch: {ROWS}\nsteps: 5\ncheckpoint: {{every: 1 step, keep: 9}}\n")


def spec_lines(net):
    if net.startswith("model: "):
        return torch_net.model_lines(run(BUILD + "/lockstep", "list", "--model", net[7:], "--input", "28,28,1"))
    return net.replace("net: |\n", "")


def arrays(group):
    """Every data set below a group, by its path."""
    found = {}
    group.visititems(lambda name, item: found.update({name: item}) if isinstance(item, h5py.Dataset) else None)
    return {name: torch.tensor(item[()].astype(numpy.float64)) for name, item in found.items()}


def error(found, expected, floor=0.0):
    return (torch.linalg.vector_norm(found - expected) / max(torch.linalg.vector_norm(expected), floor, 1e-300)).item()


def compare_case(program, net, loss_name):
    """Largest error by kind: loss, outputs, gradients."""
    run(f"{BUILD}/{program}", "check", "job.yaml", "--dump", "dump.h5", "--rows", str(ROWS))
    with h5py.File("dump.h5") as dump:
        x, target = arrays(dump)["input"], arrays(dump)["target"]
        values = {name[4:]: value.requires_grad_() for name, value in arrays(dump["value"]).items()}
        gradients = {name[4:]: value for name, value in arrays(dump["gradient"]).items()}
        outputs = {name[4:]: value for name, value in arrays(dump["output"]).items()}
        draws = {name[4:]: value for name, value in arrays(dump["draws"]).items()} if "draws" in dump else {}
        loss = float(dump.attrs["loss"])
    expected = torch_net.forward(spec_lines(net), x, values, draws)
    assert set(expected) == set(outputs), (set(expected), set(outputs))
    y = list(expected.values())[-1]
    mean = torch_net.LOSSES[loss_name](y, target) / ROWS
    mean.backward()
    floor = 1e-3 * torch.sqrt(sum((value.grad ** 2).sum() for value in values.values())).item()
    assert floor > 0
    return {
        "loss": abs(loss - mean.item()) / abs(mean.item()),
        "outputs": max(error(outputs[name].reshape(value.shape), value.detach()) for name, value in expected.items()),
        "gradients": max(error(gradients[name], value.grad, floor) for name, value in values.items()),
    }


def compare_optimizer(program, spec, make):
    """Five steps on all rows from the dump's parameters: largest error of a parameter after each step."""
    net = "net: |\n  dense units=9\n  activation function=tanh\n  dense units=4"
    write_job("image9", net, "cross-entropy", spec)
    run(f"{BUILD}/{program}", "check", "job.yaml", "--dump", "dump.h5", "--rows", str(ROWS))
    run(f"{BUILD}/{program}", "train", "job.yaml", "--resume=never", "--overwrite")
    with h5py.File("dump.h5") as dump:
        x, target = arrays(dump)["input"], arrays(dump)["target"]
        values = {name[4:]: value.requires_grad_() for name, value in arrays(dump["value"]).items()}
    optimizer, worst = make(list(values.values())), 0
    for step in range(1, 6):
        optimizer.zero_grad()
        y = list(torch_net.forward(spec_lines(net), x, values, {}).values())[-1]
        (torch_net.LOSSES["cross-entropy"](y, target) / ROWS).backward()
        optimizer.step()
        with h5py.File(f"run/checkpoints/step-{step:08d}.h5") as file:
            for name, found in arrays(file["model/net"]).items():
                worst = max(worst, error(found, values[name].detach()))
    return {"updates": worst}


def main():
    make_data()
    failed = 0
    for program, tolerance in TOLERANCE.items():
        for name, (data, net, loss) in CASES.items():
            write_job(data, net, loss)
            failed += report(program, name, compare_case(program, net, loss), tolerance)
        for spec, make in OPTIMIZERS.items():
            failed += report(program, spec, compare_optimizer(program, spec, make), tolerance)
    print(f"{failed} cases failed")
    sys.exit(failed > 0)


def report(program, name, errors, tolerance):
    good = all(e <= tolerance for e in errors.values())
    print(f"{program:16} {name:42} " + "  ".join(f"{kind} {e:.1e}" for kind, e in errors.items())
          + ("" if good else f"   WRONG: above {tolerance}"))
    return not good


if __name__ == "__main__":
    main()
