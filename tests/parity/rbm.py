"""rbm: gradients of restricted Boltzmann machines (check --dump) against numpy in float64, from the same weights and the
same draws by a Philox of our own: contrastive divergence of 1 and 3 steps and persistent chains, for all kinds of units.

    rbm.py BUILD       in the folder of the data sets; a line a case and program

Normal draws are made in single precision, in both programs. So of Gaussian units the chain's end is compared as far as
that goes, and then taken from the dump.
"""
import pathlib
import subprocess
import sys

import h5py
import numpy

from vae import philox

ROWS, HIDDEN, SEED, STEP = 9, 20, 3, 5
NOISE = 4  # the purpose of a stream
LAYER = 1 << 24
PIXELS, SAMPLES, VISIBLE, CHAINS = LAYER + 1, LAYER + 16, LAYER + 17, LAYER + 18
BOUNDS = {"lockstep-double": 1e-10, "lockstep": 2e-5}
SINGLE = 1e-6  # of what normal draws in single precision give
CASES = ["rbm", "rbm k=3", "rbm chains=7 k=2", "rbm k=2 binarize=1", "rbm sparsity=0.2 sparsity_cost=0.3",
         "rbm k=3 hidden=nrelu", "rbm chains=300 hidden=nrelu", "rbm k=2 units=gaussian", "rbm chains=7 units=gaussian",
         "rbm chains=4 units=gaussian hidden=nrelu"]


def stream(step, draw, layer):
    """The key of ls_random_stream."""
    key = philox((SEED, 0), numpy.array([[step, 0, NOISE, 0xFFFFFFFE]]))[0, :2]
    return philox(key.tolist(), numpy.array([[draw, 0, layer, 0xFFFFFFFF]]))[0, :2].tolist()


def words(key, rows, n):
    blocks = (n + 3) // 4
    counter = numpy.array([[row, 0, block, 0] for row in range(rows) for block in range(blocks)])
    return philox(key, counter).reshape(rows, blocks, 4)


def uniforms(key, rows, n):
    return ((words(key, rows, n) >> numpy.uint64(8)).astype(float) / 2**24).reshape(rows, -1)[:, :n]


def normals(key, rows, n):
    """By Box and Muller."""
    word = words(key, rows, n).astype(float)
    radius = numpy.sqrt(-2 * numpy.log((numpy.floor(word[..., ::2] / 2) + 0.5) / 2**31))
    angle = 2 * numpy.pi * word[..., 1::2] / 2**32
    return numpy.stack([radius * numpy.cos(angle), radius * numpy.sin(angle)], -1).reshape(rows, -1)[:, :n]


def logistic(x):
    return 1 / (1 + numpy.exp(-x))


def softplus(x):
    return numpy.logaddexp(0, x)


def dilogarithm(x):
    """-Li2(-e^x): the integral of ln(1 + e^t) up to x, from x - 40 on by Gauss and Legendre, below by e^t."""
    node, weight = numpy.polynomial.legendre.leggauss(160)
    low = x - 40 - numpy.abs(x)
    half = (x - low) / 2
    return numpy.exp(low) + half * (softplus(low[..., None] + half[..., None] * (node + 1)) @ weight)


class Machine:
    def __init__(self, dump, objective):
        words_of = dict(word.split("=") for word in objective.split()[1:])
        self.w, self.b, self.a = (dump[f"value/net/dense1/{name}"] for name in ("weight", "bias", "visible_bias"))
        self.gaussian, self.rectified = words_of.get("units") == "gaussian", words_of.get("hidden") == "nrelu"
        self.k, self.chains = int(words_of.get("k", 1)), int(words_of.get("chains", 0))
        self.binarize = "binarize" in words_of
        self.target, self.cost = float(words_of.get("sparsity", 0.1)), float(words_of.get("sparsity_cost", 0))

    def inputs(self, v):
        return self.b + v @ self.w.T

    def means(self, v):
        return softplus(self.inputs(v)) if self.rectified else logistic(self.inputs(v))

    def energies(self, v):
        own = ((v - self.a)**2).sum(1) / 2 if self.gaussian else -v @ self.a
        return own - (dilogarithm if self.rectified else softplus)(self.inputs(v)).sum(1)

    def sample(self, v, t):
        """One step of Gibbs sampling."""
        rows, x = len(v), self.inputs(v)
        if self.rectified:
            h = numpy.maximum(0, x + numpy.sqrt(logistic(x)) * normals(stream(STEP, t, SAMPLES), rows, HIDDEN))
        else:
            h = (uniforms(stream(STEP, t, SAMPLES), rows, HIDDEN) < logistic(x)).astype(float)
        y, n = self.a + h @ self.w, len(self.a)
        if self.gaussian:
            return y + normals(stream(STEP, t, VISIBLE), rows, n)
        return (uniforms(stream(STEP, t, VISIBLE), rows, n) < logistic(y)).astype(float)

    def begin(self, v):
        if self.chains == 0:
            return v
        key, n = stream(0, 0, CHAINS), len(self.a)
        return normals(key, self.chains, n) if self.gaussian else (uniforms(key, self.chains, n) < 0.5).astype(float)

    def gradient(self, v, end):
        """The loss and its derivatives, means over the rows."""
        h, g = self.means(v), self.means(end)
        slope = -h + self.cost * (h - self.target)
        sparsity = self.cost * (softplus(self.inputs(v)) - self.target * self.inputs(v)).sum(1).mean() if self.cost else 0
        return {"loss": self.energies(v).mean() - self.energies(end).mean() + sparsity,
                "gradient/net/dense1/weight": slope.T @ v / len(v) + g.T @ end / len(end),
                "gradient/net/dense1/bias": slope.mean(0) + g.mean(0),
                "gradient/net/dense1/visible_bias": end.mean(0) - v.mean(0)}


def error(found, expected):
    return numpy.linalg.norm(found - expected) / max(numpy.linalg.norm(expected), 1e-3)


def read(path):
    found = {}
    with h5py.File(path) as file:
        file.visititems(lambda name, item: found.update({name: item[()].astype(float)})
                        if isinstance(item, h5py.Dataset) else None)
        found["loss"] = numpy.array(file.attrs["loss"])
    return found


def check(build, program, objective, *options):
    pathlib.Path("pass.h5").unlink(missing_ok=True)
    subprocess.run([build / program, "check", "parity.yaml", "data=images.h5", f"model=rbm visible=144 hidden={HIDDEN} hidden_units={'nrelu' if 'nrelu' in objective else 'bernoulli'}",
                    f"objective={objective}", "--rows", str(ROWS), "--step", str(STEP), "--force", "--dump", "pass.h5", *options],
                   stdout=subprocess.DEVNULL, check=True)
    return read("pass.h5")


def write_weights(dump):
    random = numpy.random.default_rng(5)
    with h5py.File("weights.h5", "w") as file:
        for name in [name for name in dump if name.startswith("value/")]:
            file["model/" + name[len("value/"):]] = 0.2 * random.standard_normal(dump[name].shape)


def compare(build, program, objective):
    write_weights(check(build, program, objective))
    dump = check(build, program, objective, "--weights", "weights.h5")
    m = Machine(dump, objective)
    v = dump["input"].reshape(ROWS, -1)
    if m.binarize:
        v = (uniforms(stream(STEP, 0, PIXELS), ROWS, v.shape[1]) < v).astype(float)
    end = m.begin(v)
    for t in range(m.k):
        end = m.sample(end, t)
    bound, found = BOUNDS[program], {"visible": error(dump["draws/visible"].reshape(ROWS, -1), v)}
    if m.chains == 0:
        chain = dump["draws/chain"].reshape(ROWS, -1)
        assert error(chain, end) < (20 * SINGLE if m.gaussian else 1e-30), f"{objective}: another chain"
        end = chain
    elif m.gaussian:
        bound = max(bound, SINGLE)
    for name, values in m.gradient(v, end).items():
        found[name] = error(dump[name], values)
    worst = max(found, key=lambda what: numpy.nan_to_num(found[what], nan=numpy.inf))
    good = found[worst] <= bound
    print(f"{program:16} {objective:44} {len(found)} compared, worst {found[worst]:.1e} of {worst}", "" if good else "WRONG")
    return good


if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[1])
    sys.exit(not all([compare(folder, program, objective) for program in BOUNDS for objective in CASES]))
