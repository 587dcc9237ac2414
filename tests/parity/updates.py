"""updates: five training steps of each optimizer against torch.optim, or numpy after the papers, in float64.

    updates.py BUILD      in the folder of the data sets; a line an optimizer and program

A batch holds all rows, so their order does not matter. Held against each other after every step: how far the
parameters have moved, norm of the difference over the norm; with ema= also the average, from the start.
"""
import pathlib
import subprocess
import sys

import numpy
import torch

from nets import LOSSES, Case, activation, dense
from parity import BOUNDS, apply, read, under

ROWS, STEPS = 203, 5
CASE = Case("flat", "cross-entropy", [dense(20), activation("tanh"), dense(3)], rows=ROWS)
NESTEROV = {"momentum": 0.8, "nesterov": True}


class Papers:
    """What LARS and LAMB share: a step of each parameter, a numpy array; a vector is a bias or a norm's."""

    def __init__(self, parameters, rate, decay=0.0, everywhere=False):
        self.parameters, self.rate, self.decay, self.everywhere = parameters, rate, decay, everywhere
        self.first = [numpy.zeros(p.shape) for p in parameters]
        self.second = [numpy.zeros(p.shape) for p in parameters]
        self.t = 0

    def zero_grad(self):
        for p in self.parameters:
            p.grad = None

    def step(self):
        self.t += 1
        for k, p in enumerate(self.parameters):
            spared = p.ndim == 1 and not self.everywhere
            w = p.detach().numpy()
            w -= self.change(k, w, p.grad.numpy(), 0.0 if spared else self.decay, spared)


class Lars(Papers):
    """You, Gitman, Ginsburg 2017, algorithm 1."""
    trust, momentum = 0.02, 0.8

    def change(self, k, w, g, decay, spared):
        ratio = self.trust * norm(w) / (norm(g) + decay * norm(w) + 1e-8)
        if spared or norm(w) == 0 or norm(g) == 0:
            ratio = 1
        self.first[k] = self.momentum * self.first[k] + self.rate * ratio * (g + decay * w)
        return self.first[k]


class Lamb(Papers):
    """You et al. 2020, algorithm 2, with phi(z) = z."""

    def change(self, k, w, g, decay, spared):
        self.first[k] = 0.8 * self.first[k] + 0.2 * g
        self.second[k] = 0.95 * self.second[k] + 0.05 * g * g
        mean, square = self.first[k] / (1 - 0.8**self.t), self.second[k] / (1 - 0.95**self.t)
        r = mean / (numpy.sqrt(square) + 1e-6) + decay * w
        return self.rate * (1 if spared or norm(w) == 0 or norm(r) == 0 else norm(w) / norm(r)) * r


def norm(x):
    return float(numpy.sqrt(numpy.sum(x * x)))


OPTIMIZERS = {
    "sgd rate=0.3 decay=0.01": lambda p: torch.optim.SGD(p, 0.3, weight_decay=0.01),
    "sgd rate=0.3 clip=0.05": lambda p: torch.optim.SGD(p, 0.3),
    "momentum rate=0.1 momentum=0.8 decay=0.01": lambda p: torch.optim.SGD(p, 0.1, 0.8, weight_decay=0.01),
    "nesterov rate=0.1 momentum=0.8 decay=0.01": lambda p: torch.optim.SGD(p, 0.1, weight_decay=0.01, **NESTEROV),
    "adam rate=0.01 decay=0.01": lambda p: torch.optim.Adam(p, 0.01, weight_decay=0.01),
    "adam rate=0.01 beta1=0.8 beta2=0.9 epsilon=1e-3": lambda p: torch.optim.Adam(p, 0.01, (0.8, 0.9), 1e-3),
    "adamw rate=0.01": lambda p: torch.optim.AdamW(p, 0.01),
    "adamw rate=0.01 beta1=0.8 beta2=0.9 clip=0.05 decay=0.3":
        lambda p: torch.optim.AdamW(p, 0.01, (0.8, 0.9), weight_decay=0.3),
    "rmsprop rate=0.01 alpha=0.9 decay=0.01": lambda p: torch.optim.RMSprop(p, 0.01, 0.9, weight_decay=0.01),
    "rmsprop rate=0.01 bound=0.2": lambda p: torch.optim.RMSprop(p, 0.01),
    "lars rate=1 momentum=0.8 trust=0.02 decay=0.01": lambda p: Lars(p, 1, 0.01),
    "lars rate=1 momentum=0.8 trust=0.02 clip=0.05 decay=0.01 decay_all=1 adapt_all=1 ema=0.1":
        lambda p: Lars(p, 1, 0.01, everywhere=True),
    "lamb rate=0.01 beta1=0.8 beta2=0.95 decay=0.01 ema=0.99": lambda p: Lamb(p, 0.01, 0.01),
    "lamb rate=0.01 beta1=0.8 beta2=0.95 clip=0.05 decay=0.01 decay_all=1 adapt_all=1":
        lambda p: Lamb(p, 0.01, 0.01, everywhere=True),
}


def option(spec, key):
    return dict(word.split("=") for word in spec.split()[1:]).get(key)


def clip(parameters, spec):
    """Brings the norm of the whole gradient under the spec's clip."""
    limit = option(spec, "clip")
    norm = torch.cat([p.grad.flatten() for p in parameters]).norm().item()
    if limit:
        assert norm > float(limit), "this clip is never reached"
        for p in parameters:
            p.grad *= float(limit) / norm


def bound(parameters, spec):
    """Weight clipping: what an update leaves is cut to [-bound, bound]."""
    most = option(spec, "bound")
    if most:
        assert max(p.abs().max() for p in parameters) > float(most), "this bound is never reached"
        for p in parameters:
            p.data.clamp_(-float(most), float(most))


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
        bound(parameters.values(), spec)
        yield torch.cat([p.detach().flatten() for p in parameters.values()])


def averages(steps, ema):
    """Of parameters after 0, 1, ... steps: min(ema, (t - 1) / (t + 9)) of the last average is kept at step t."""
    average = steps[0]
    for t, now in enumerate(steps):
        kept = min(ema, (t - 1) / (t + 9)) if t else 0
        average = kept * average + (1 - kept) * now
        yield average


def checkpoint(run, step, top):
    model = under(read(run / f"checkpoints/step-{step:08}.h5"), top)
    return torch.cat([values.flatten() for values in model.values()])


def compare(build, program, number, spec):
    run = pathlib.Path(f"{program}{number}")
    quiet = {"check": True, "stdout": subprocess.DEVNULL}
    job = ["parity.yaml", *CASE.job(), f"optimizer={spec}", f"batch={ROWS}", f"steps={STEPS}"]
    subprocess.run([build / program, "check", *job, "--rows", str(ROWS), "--force", "--dump", "pass.h5"], **quiet)
    subprocess.run([build / program, "train", *job, f"run={run}", "schedule=constant", "shards=2",
                    "checkpoint.every=1 steps", "checkpoint.keep=9"], **quiet)
    expected = list(expected_steps(read("pass.h5"), spec))
    wanted = {"model/": expected}
    if option(spec, "ema"):
        wanted["optimizer/average/"] = list(averages(expected, float(option(spec, "ema"))))
    worst = float(numpy.max([float((checkpoint(run, k, top) - steps[k]).norm() / (steps[k] - steps[0]).norm())
                             for top, steps in wanted.items() for k in range(1, STEPS + 1)]))
    good = worst <= BOUNDS[program]
    print(f"{program:16} {spec:86} worst step {worst:.1e}", "" if good else "WRONG")
    return good


if __name__ == "__main__":
    torch.set_num_threads(1)
    folder = pathlib.Path(sys.argv[1])
    results = [compare(folder, program, number, spec) for program in BOUNDS for number, spec in enumerate(OPTIMIZERS)]
    sys.exit(not all(results))
