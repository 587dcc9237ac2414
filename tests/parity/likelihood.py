"""likelihood: what `evaluate --samples` finds of restricted Boltzmann machines, against numpy in double: Z as the sum over
all states of one side, for Bernoulli and Gaussian visible units, and as annealed importance sampling finds it with the
same random numbers, by a Philox of our own; the log-likelihood of the rows.

    likelihood.py BUILD       in the folder of the data sets; a line a case and program
"""
import json
import pathlib
import subprocess
import sys

import h5py
import numpy

from rbm import PIXELS, logistic, softplus, stream, uniforms

RUNS, ANNEALING = 7, 1 << 25
BOUNDS = {"lockstep-double": 1e-12, "lockstep": 2e-6}


def states(n):
    return (numpy.arange(2**n)[:, None] >> numpy.arange(n) & 1).astype(float)


def log_sum(x):
    return float(numpy.logaddexp.reduce(numpy.sort(x)))


class Machine:
    def __init__(self, run, gaussian):
        with h5py.File(run / "checkpoints/best.h5") as file:
            line = file["model/net/dense1"]
            self.w, self.b, self.a = (line[name][()].astype(float) for name in ("weight", "bias", "visible_bias"))
        self.gaussian = gaussian

    def free_energy(self, v):
        visible = ((v - self.a) ** 2).sum(1) / 2 if self.gaussian else -v @ self.a
        return visible - softplus(v @ self.w.T + self.b).sum(1)

    def over_visible(self):
        return log_sum(-self.free_energy(states(len(self.a))))

    def over_hidden(self):
        h = states(len(self.b))
        z = self.a + h @ self.w
        others = (z**2 - self.a**2 + numpy.log(2 * numpy.pi)) / 2 if self.gaussian else softplus(z)
        return log_sum(h @ self.b + others.sum(1))

    def annealed(self, x, runs, temperatures, reverse):
        """Salakhutdinov and Murray's algorithm 1, from a base model with the means of the training rows x and W = 0, b = 0.
        In reverse, from what Metropolis's rule leaves of four runs upwards."""
        a0 = numpy.log((x.sum(0) + 1) / (len(x) - x.sum(0) + 1))
        at = numpy.arange(temperatures + 1) / temperatures * 14500
        t = numpy.interp(at, [0, 500, 4500, 14500], [0, 0.5, 0.9, 1])
        path, step = list(zip(t[:-1], t[1:])), 0
        draw = lambda kind, n: uniforms(stream(step, kind, ANNEALING), runs, n)

        def anneal(v, path):
            nonlocal step
            weight = numpy.zeros(runs)
            for low, high in path:
                step += 1
                x = v @ self.w.T + self.b
                weight += (high - low) * v @ (self.a - a0) + (softplus(high * x) - softplus(low * x)).sum(1)
                h = draw(0, len(self.b)) < logistic(high * x)
                v = (draw(1, len(self.a)) < logistic(a0 + high * (self.a - a0 + h @ self.w))).astype(float)
            return v, weight

        kept = numpy.full(runs, -numpy.inf)
        end = numpy.zeros((runs, len(self.a)))
        for _ in range(4 if reverse else 1):
            step += 1
            v, weight = anneal((draw(1, len(self.a)) < logistic(a0)).astype(float), path)
            better = numpy.log(draw(2, 1)[:, 0]) < weight - kept
            end[better], kept[better] = v[better], weight[better]
        if reverse:
            weight = anneal(end, [(high, low) for low, high in path[::-1]])[1]
        base = len(self.b) * numpy.log(2) + softplus(a0).sum()
        mean = log_sum(weight) - numpy.log(runs)
        ratio = numpy.exp(weight - mean)
        return {"log_z": base - mean if reverse else base + mean, "log_z_error": ratio.std(ddof=1) / numpy.sqrt(runs),
                "effective_runs": runs**2 / (ratio**2).sum()}


def rows_of(data, split, binarize=False):
    with h5py.File(data) as file:
        name = f"{split}/x" if f"{split}/x" in file else f"x_{split}"
        x = file[name][()].reshape(len(file[name]), -1).astype(float) * file[name].attrs.get("scale", 1.0)
    return (uniforms(stream(0, 0, PIXELS), *x.shape) < x).astype(float) if binarize else x


def annealed(temperatures, reverse):
    return lambda machine: machine.annealed(rows_of("images.h5", "train"), RUNS, temperatures, reverse)


# Data, hidden units, the objective's options; options of evaluate; what computes Z.
CASES = [
    ("images.h5", 12, "binarize=1", [], Machine.over_hidden),
    ("images.h5", 12, "", [], Machine.over_hidden),
    ("flat.h5", 12, "units=gaussian", [], Machine.over_hidden),
    ("codes.h5", 40, "", [], Machine.over_visible),
    ("codes.h5", 4, "", [], Machine.over_hidden),
    ("images.h5", 12, "binarize=1", ["--temperatures", "60"], annealed(60, False)),
    ("images.h5", 33, "binarize=1", ["--temperatures", "20", "--reverse"], annealed(20, True)),
]


def evaluate(build, program, case, run):
    data, hidden, options, how, _ = case
    subprocess.run([build / program, "train", "parity.yaml", f"data={data}", f"objective=rbm {options}", f"run={run}",
                    f"net=dense units={hidden} visible=1 init=normal scale=0.5", "optimizer=momentum rate=0.05", "batch=29",
                    "steps=60", "schedule=constant"], check=True, stdout=subprocess.DEVNULL)
    return json.loads(subprocess.run([build / program, "evaluate", run, "--samples", str(RUNS), "--json", *how],
                                     check=True, capture_output=True).stdout)


def compare(build, program, number, case):
    data, hidden, options, how, z_of = case
    run = pathlib.Path(f"likelihood-{program}-{number}")
    found = evaluate(build, program, case, run)
    machine = Machine(run, "gaussian" in options)
    expected = z_of(machine)
    expected = expected if isinstance(expected, dict) else {"log_z": expected, "log_z_error": 0}
    energy = machine.free_energy(rows_of(data, "test", "binarize" in options)).mean()
    expected["log_likelihood"] = -energy - expected["log_z"]
    off = {name: abs(found[name] - value) / max(abs(value), 1) for name, value in expected.items()}
    worst = max(off, key=lambda what: numpy.nan_to_num(off[what], nan=numpy.inf))
    good = off[worst] <= BOUNDS[program] and found["exact"] == (not how) and numpy.abs(machine.w).max() > 0.5
    print(f"{program:16} {data:10} {hidden:3} hidden {options:16} {' '.join(how):30} ln Z {expected['log_z']:9.4f}, "
          f"worst off by {off[worst]:.1e}: {worst}", "" if good else "WRONG")
    return good


if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[1])
    # In float, a sample falls to the other side now and then, and all that follows differs.
    results = [compare(folder, program, number, case) for program in BOUNDS for number, case in enumerate(CASES)
               if program == "lockstep-double" or not case[3]]
    sys.exit(not all(results))
