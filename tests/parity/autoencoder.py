"""autoencoder: one pass of an autoencoder (check --dump) against torch in float64, from the same weights and the same
noise: the loss, the output of every layer, the gradient of every parameter.

    autoencoder.py BUILD       in the folder of the data sets; a line a case and program
"""
import itertools
import pathlib
import subprocess
import sys

import numpy
import torch
from torch.nn import functional as F

from parity import BOUNDS, error, read, under, write_weights

ROWS = 8
LOSSES = {"squared-error": lambda y, t: 0.5 * F.mse_loss(y, t, reduction="sum") / len(y),
          "bce": lambda y, t: F.binary_cross_entropy_with_logits(y, t, reduction="sum") / len(y)}
CASES = [*itertools.product(["squared-error"], (1, 0), (0, 0.3), (0, 1, 2)), *itertools.product(["bce"], (1, 0), (0.3,), (0, 1))]


def encode(layer, p, x):
    """The outputs of layer 1 or 2: of its dense line, and after the activation."""
    z = F.linear(x, p[f"encoder/dense{layer}/weight"], p[f"encoder/dense{layer}/bias"])
    return z, torch.tanh(z) if layer == 1 else F.prelu(z, p["encoder/activation2/alpha"].reshape(1))


def decode(layer, p, x, tied):
    weight = p[f"encoder/dense{layer}/weight"].T if tied else p[f"decoder/dense{layer}/weight"]
    z = F.linear(x, weight, p[f"decoder/dense{layer}/bias"])
    return z, torch.tanh(z) if layer == 2 else z


def corrupt(x, seen, noise):
    """x with 0 where lockstep put it: nothing else may have changed, and about as much as was asked for."""
    kept = seen != 0
    assert torch.allclose(seen, x * kept, atol=1e-5), "noise changes a number to what is not 0"
    assert abs((~kept)[x != 0].double().mean() - noise) < 0.07, "another share of the numbers is 0"
    return x * kept


def apply(p, dump, tied, noise, pair):
    """Outputs by layer, what is rebuilt, and what that is compared with."""
    outputs, layers = {}, [pair] if pair else [1, 2]
    x = goal = encode(1, p, dump["input"].flatten(1))[1].detach() if pair == 2 else dump["input"].flatten(1)
    if noise:
        x = corrupt(x, dump["draws/corrupted"].flatten(1), noise)
    for layer in layers:
        outputs[f"encoder/dense{layer}"], x = encode(layer, p, x)
        outputs[f"encoder/activation{layer}"] = x
    for layer in reversed(layers):
        outputs[f"decoder/dense{layer}"], x = decode(layer, p, x, tied)
        if layer == 2:
            outputs["decoder/activation1"] = x
    return outputs, x, goal


def errors(dump, loss, tied, noise, pair):
    """The error of everything that was dumped."""
    p = {name: values.requires_grad_() for name, values in under(dump, "value/").items()}
    outputs, rebuilt, goal = apply(p, dump, tied, noise, pair)
    value = LOSSES[loss](rebuilt, goal)
    value.backward()
    found = {"loss": abs(value.item() - dump["loss"]) / value.item()}
    whole = torch.cat([values.grad.flatten() for values in p.values() if values.grad is not None]).norm().item()
    for name, values in under(dump, "output/").items():
        found[f"output {name}"] = error(values, outputs.pop(name).detach(), 1e-30)
    for name, values in under(dump, "gradient/").items():
        found[f"gradient {name}"] = error(values, p.pop(name).grad, 1e-3 * whole)
    assert not outputs, f"the dump lacks {list(outputs)}"
    assert all(values.grad is None for values in p.values()), "the dump lacks a gradient"
    return found


def check(build, program, loss, tied, noise, pair, *options):
    pathlib.Path("pass.h5").unlink(missing_ok=True)
    subprocess.run([build / program, "check", "parity.yaml", "data=images.h5", "--rows", str(ROWS), "--force", "--dump", "pass.h5",
                    f"model=autoencoder widths=144,40,12 activation=tanh code=prelu tied={tied} classes=0",
                    f"objective=autoencoder loss={loss} noise={noise} pair={pair}", *options],
                   stdout=subprocess.DEVNULL, check=True)
    return read("pass.h5")


def compare(build, program, *case):
    write_weights(check(build, program, *case))
    found = errors(check(build, program, *case, "--weights", "weights.h5"), *case)
    worst = max(found, key=lambda what: numpy.nan_to_num(found[what], nan=numpy.inf))
    good = found[worst] <= BOUNDS[program]
    print(f"{program:16} loss={case[0]:13} tied={case[1]} noise={case[2]:3} pair={case[3]} {len(found):3} compared, "
          f"worst {found[worst]:.1e} of {worst}", "" if good else "WRONG")
    return good


if __name__ == "__main__":
    torch.set_num_threads(1)
    results = [compare(pathlib.Path(sys.argv[1]), program, *case) for program in BOUNDS for case in CASES]
    sys.exit(not all(results))
