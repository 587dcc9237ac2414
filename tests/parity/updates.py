"""updates: five training steps of each optimizer against torch.optim in float64.

    updates.py BUILD      in the folder of the data sets; a line an optimizer and program

A batch holds all rows, so their order does not matter. Held against each other after every step: how far the
parameters have moved, norm of the difference over the norm.
"""
import pathlib
import subprocess
import sys

import torch

from nets import LOSSES, Case, activation, dense
from parity import BOUNDS, apply, read, under

ROWS, STEPS = 203, 5
CASE = Case("flat", "cross-entropy", [dense(20), activation("tanh"), dense(3)], rows=ROWS)
NESTEROV = {"momentum": 0.8, "nesterov": True}
OPTIMIZERS = {
    "sgd rate=0.3 decay=0.01": lambda p: torch.optim.SGD(p, 0.3, weight_decay=0.01),
    "sgd rate=0.3 clip=0.05": lambda p: torch.optim.SGD(p, 0.3),
    "momentum rate=0.1 momentum=0.8 decay=0.01": lambda p: torch.optim.SGD(p, 0.1, 0.8, weight_decay=0.01),
    "nesterov rate=0.1 momentum=0.8 decay=0.01": lambda p: torch.optim.SGD(p, 0.1, weight_decay=0.01, **NESTEROV),
    "adam rate=0.01 decay=0.01": lambda p: torch.optim.Adam(p, 0.01, weight_decay=0.01),
    "adam rate=0.01 beta1=0.8 beta2=0.9 epsilon=1e-3": lambda p: torch.optim.Adam(p, 0.01, (0.8, 0.9), 1e-3),
    "rmsprop rate=0.01 alpha=0.9 decay=0.01": lambda p: torch.optim.RMSprop(p, 0.01, 0.9, weight_decay=0.01),
}


def clip(parameters, spec):
    """Brings the norm of the whole gradient under the spec's clip."""
    limit = dict(word.split("=") for word in spec.split()[1:]).get("clip")
    norm = torch.cat([p.grad.flatten() for p in parameters]).norm().item()
    if limit:
        assert norm > float(limit), "this clip is never reached"
        for p in parameters:
            p.grad *= float(limit) / norm


def expected_steps(dump, spec):
    """The parameters, flat, after 0, 1, ... steps in torch."""
    parameters = {name: values.clone().requires_grad_() for name, values in under(dump, "value/").items()}
    optimizer = OPTIMIZERS[spec](list(parameters.values()))
    yield torch.cat([p.detach().flatten() for p in parameters.values()])
    for _ in range(STEPS):
        optimizer.zero_grad()
        outputs = apply(CASE, dump, parameters)
        LOSSES[CASE.loss](list(outputs.values())[-1], dump["target"]).backward()
        clip(parameters.values(), spec)
        optimizer.step()
        yield torch.cat([p.detach().flatten() for p in parameters.values()])


def checkpoint(run, step):
    model = under(read(run / f"checkpoints/step-{step:08}.h5"), "model/")
    return torch.cat([values.flatten() for values in model.values()])


def compare(build, program, number, spec):
    run = pathlib.Path(f"{program}{number}")
    quiet = {"check": True, "stdout": subprocess.DEVNULL}
    job = ["parity.yaml", *CASE.job(), f"optimizer={spec}", f"batch={ROWS}", f"steps={STEPS}"]
    subprocess.run([build / program, "check", *job, "--rows", str(ROWS), "--dump", "pass.h5"], **quiet)
    subprocess.run([build / program, "train", *job, f"run={run}", "schedule=constant", "shards=2",
                    "checkpoint.every=1 steps", "checkpoint.keep=9"], **quiet)
    expected = list(expected_steps(read("pass.h5"), spec))
    worst = max(float((checkpoint(run, k) - expected[k]).norm() / (expected[k] - expected[0]).norm())
                for k in range(1, STEPS + 1))
    good = worst <= BOUNDS[program]
    print(f"{program:16} {spec:50} worst step {worst:.1e}", "" if good else "WRONG")
    return good


if __name__ == "__main__":
    torch.set_num_threads(1)
    folder = pathlib.Path(sys.argv[1])
    results = [compare(folder, program, number, spec) for program in BOUNDS for number, spec in enumerate(OPTIMIZERS)]
    sys.exit(not all(results))
