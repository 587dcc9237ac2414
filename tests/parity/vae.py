"""vae: one pass of a variational autoencoder (check --dump) against torch in float64, from the same weights and the same
noise: the loss, the output of every layer, the gradient of every parameter. Then its log-likelihood (evaluate --samples)
against numpy, from the same draws by a Philox of our own.

    vae.py BUILD       in the folder of the data sets; a line a case and program
"""
import json
import pathlib
import subprocess
import sys

import h5py
import numpy
import torch
from torch.nn import functional as F

from parity import BOUNDS, error, read, tensor, under, write_weights

ROWS, LATENT, SIGMA, BETA = 8, 3, 0.7, 0.6
MODEL = f"model=vae widths=144,20,12 latent={LATENT}"
CASES = [("relu", "vae"), ("glu", f"vae beta={BETA}"), ("tanh", "vae binarize=1"),
         ("tanh", f"vae output=gaussian sigma={SIGMA} beta={BETA}"), ("glu", "vae output=gaussian")]
HIDDEN = {"relu": F.relu, "tanh": torch.tanh, "glu": F.glu}


def apply(p, net, x, activation, outputs):
    """The last of three dense lines has no activation."""
    for i in (1, 2, 3):
        x = outputs[f"{net}/dense{i}"] = F.linear(x, p[f"{net}/dense{i}/weight"], p[f"{net}/dense{i}/bias"])
        if i < 3:
            kind = "glu" if activation == "glu" else "activation"
            x = outputs[f"{net}/{kind}{i}"] = HIDDEN[activation](x)
    return x


def option(objective, key, default):
    return dict(word.split("=") for word in objective.split()[1:]).get(key, default)


def distances(objective, y, x):
    """-ln p(x|z) of each row."""
    if option(objective, "output", "") == "gaussian":
        return -torch.distributions.Normal(y, float(option(objective, "sigma", 1))).log_prob(x).sum(1)
    return F.binary_cross_entropy_with_logits(y, x, reduction="none").sum(1)


def loss_of(p, dump, activation, objective, outputs):
    x = dump["input"].flatten(1)
    if "binarize" in objective:
        pixels = dump["draws/pixels"].flatten(1)
        assert set(pixels.unique().tolist()) == {0, 1} and (pixels[x < 1e-9] == 0).all()
        assert abs((pixels - x).mean()) < 0.05, "pixels are drawn with other probabilities"
        x = pixels
    mean, logvar = apply(p, "encoder", x, activation, outputs).split(LATENT, 1)
    z = mean + torch.exp(0.5 * logvar) * dump["draws/noise"]
    y = apply(p, "decoder", z, activation, outputs)
    q = torch.distributions.Normal(mean, torch.exp(0.5 * logvar))
    divergence = torch.distributions.kl_divergence(q, torch.distributions.Normal(0.0, 1.0)).sum(1)
    return (distances(objective, y, x) + float(option(objective, "beta", 1)) * divergence).mean()


def errors(dump, activation, objective):
    """The error of everything that was dumped."""
    p, outputs = {name: values.requires_grad_() for name, values in under(dump, "value/").items()}, {}
    value = loss_of(p, dump, activation, objective, outputs)
    value.backward()
    found = {"loss": abs(value.item() - dump["loss"]) / abs(value.item())}
    whole = torch.cat([values.grad.flatten() for values in p.values()]).norm().item()
    for name, values in under(dump, "output/").items():
        found[f"output {name}"] = error(values, outputs.pop(name).detach(), 1e-30)
    for name, values in under(dump, "gradient/").items():
        found[f"gradient {name}"] = error(values, p.pop(name).grad, 1e-3 * whole)
    assert not outputs and not p, f"the dump lacks {[*outputs, *p]}"
    return found


def job(activation, objective):
    return ["parity.yaml", "data=images.h5", f"{MODEL} activation={activation}", f"objective={objective}"]


def check(build, program, case, *options):
    pathlib.Path("pass.h5").unlink(missing_ok=True)
    subprocess.run([build / program, "check", *job(*case), "--rows", str(ROWS), "--force", "--dump", "pass.h5", *options],
                   stdout=subprocess.DEVNULL, check=True)
    return read("pass.h5")


def compare(build, program, case):
    write_weights(check(build, program, case))
    found = errors(check(build, program, case, "--weights", "weights.h5"), *case)
    worst = max(found, key=lambda what: numpy.nan_to_num(found[what], nan=numpy.inf))
    good = found[worst] <= BOUNDS[program]
    print(f"{program:16} {case[0]:4} {case[1]:40} {len(found):3} compared, worst {found[worst]:.1e} of {worst}",
          "" if good else "WRONG")
    return good


def philox(key, counter):
    """Philox4x32-10 (Salmon et al. 2011) of counters [n, 4]."""
    c, key, low = counter.astype(numpy.uint64), list(key), numpy.uint64(0xFFFFFFFF)
    for _ in range(10):
        first, second = c[:, 0] * numpy.uint64(0xD2511F53), c[:, 2] * numpy.uint64(0xCD9E8D57)
        half = numpy.uint64(32)
        c = numpy.stack([(second >> half) ^ c[:, 1] ^ numpy.uint64(key[0]), second & low,
                         (first >> half) ^ c[:, 3] ^ numpy.uint64(key[1]), first & low], 1)
        key = [(key[0] + 0x9E3779B9) & 0xFFFFFFFF, (key[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return c


def stream(seed, purpose, layer):
    """The key of ls_random_stream at step 0, draw 0."""
    key = philox((seed, 0), numpy.array([[0, 0, purpose, 0xFFFFFFFE]]))[0, :2]
    return philox(key.tolist(), numpy.array([[0, 0, layer, 0xFFFFFFFF]]))[0, :2].tolist()


def noise_of(key, row, draws):
    """N(0, 1) numbers [draws, LATENT]: those of counter row << 32 | draw, by Box and Muller."""
    blocks = (LATENT + 3) // 4
    counter = numpy.array([[k, row, block, 0] for k in range(draws) for block in range(blocks)])
    words = philox(key, counter).astype(float)
    radius = numpy.sqrt(-2 * numpy.log((numpy.floor(words[:, ::2] / 2) + 0.5) / 2**31))
    angle = 2 * numpy.pi * words[:, 1::2] / 2**32
    numbers = numpy.stack([radius * numpy.cos(angle), radius * numpy.sin(angle)], 2)
    return tensor(numbers.reshape(draws, 4 * blocks)[:, :LATENT])


def likelihood(p, x, activation, objective, seed, draws):
    """The mean over rows of ln 1/K sum of p(x|z) p(z) / q(z|x)."""
    noise_purpose, draws_layer, total = 4, (1 << 24) + 2, 0
    key, normal = stream(seed, noise_purpose, draws_layer), torch.distributions.Normal
    for row, pixels in enumerate(x):
        mean, logvar = apply(p, "encoder", pixels[None], activation, {}).split(LATENT, 1)
        deviation = torch.exp(0.5 * logvar)
        z = mean + deviation * noise_of(key, row, draws)
        weight = normal(0.0, 1.0).log_prob(z).sum(1) - normal(mean, deviation).log_prob(z).sum(1)
        weight = weight - distances(objective, apply(p, "decoder", z, activation, {}), pixels.expand(draws, -1))
        total += float(torch.logsumexp(weight, 0)) - numpy.log(draws)
    return total / len(x)


def compare_likelihood(build, program, case, draws=37):
    """Noise is made in single precision, in both programs."""
    run = pathlib.Path(f"likelihood-{program}-{case[0]}")
    quiet = {"check": True, "stdout": subprocess.DEVNULL}
    subprocess.run([build / program, "train", *job(*case), f"run={run}", "batch=29", "steps=20", "schedule=constant"], **quiet)
    found = json.loads(subprocess.run([build / program, "evaluate", run, "--samples", str(draws), "--json"], check=True,
                                      capture_output=True).stdout)
    p = under(read(run / "checkpoints/best.h5"), "model/")
    with h5py.File("images.h5") as file:
        x = tensor(file["test/x"][()]).flatten(1) / 255
    expected = likelihood(p, x, *case, 3, draws)
    off = abs(found["log_likelihood"] - expected) / abs(expected)
    good = off <= (1e-7 if program == "lockstep-double" else 1e-5) and found["log_likelihood"] > -found["bound"]
    print(f"{program:16} {case[0]:4} {case[1]:40} likelihood of {draws} draws, off by {off:.1e}", "" if good else "WRONG")
    return good


if __name__ == "__main__":
    torch.set_num_threads(1)
    folder = pathlib.Path(sys.argv[1])
    results = [compare(folder, program, case) for program in BOUNDS for case in CASES]
    results += [compare_likelihood(folder, program, case) for program in BOUNDS for case in (CASES[1], CASES[3])]
    sys.exit(not all(results))
