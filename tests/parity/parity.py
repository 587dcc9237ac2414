"""parity: one forward and backward pass of lockstep (check --dump) against torch in float64: the loss, the output of
every layer, the gradient of every parameter.

    parity.py BUILD       in the folder of the data sets; a line a net and program

The error is the norm of the difference over the norm, which counts as at least 1e-3 of the whole gradient's norm.
"""
import pathlib
import subprocess
import sys

import h5py
import numpy
import torch

from nets import CASES, LOSSES

BOUNDS = {"lockstep-double": 1e-8, "lockstep": 1e-4}


class Vacuous(Exception):
    """The loss does not depend on anything that the net learns: both gradients are 0, but for rounding."""


def tensor(values):
    return torch.tensor(numpy.asarray(values), dtype=torch.float64)


def read(path):
    """The dump as tensors by name."""
    found = {}
    with h5py.File(path) as file:
        file.visititems(lambda name, item: found.update({name: tensor(item[()])})
                        if isinstance(item, h5py.Dataset) else None)
        found["loss"] = float(file.attrs.get("loss", numpy.nan))
    return found


def under(dump, top):
    return {name[len(top):]: values for name, values in dump.items() if name.startswith(top)}


def error(found, expected, floor):
    if found.shape != expected.shape:
        return numpy.inf
    return float((found - expected).norm() / max(float(expected.norm()), floor))


def apply(case, dump, parameters):
    """Outputs by layer, in torch."""
    x, outputs = dump["input"], {}
    for line, name in zip(case.lines, case.names()):
        x = [outputs[f"net/{source}"] for source in line.inputs] or x
        x = line.apply(x, under(parameters, f"net/{name}/"), dump.get(f"draws/net/{name}"))
        outputs[f"net/{name}"] = x
    return outputs


def errors(case, dump):
    """The error of everything that was dumped."""
    parameters = {name: values.requires_grad_() for name, values in under(dump, "value/").items()}
    outputs = apply(case, dump, parameters)
    last = list(outputs.values())[-1]
    loss = LOSSES[case.loss](last.flatten(1), dump["target"])
    loss.backward()
    whole = torch.cat([p.grad.flatten() for p in parameters.values()]).norm().item()
    if max(whole, *(values.norm() for values in under(dump, "gradient/").values())) < 1e-12:
        raise Vacuous

    found = {"loss": abs(loss.item() - dump["loss"]) / abs(loss.item())}
    for name, values in under(dump, "output/").items():
        found[f"output {name}"] = error(values, outputs[name].detach(), 1e-30)
    for name, values in under(dump, "gradient/").items():
        found[f"gradient {name}"] = error(values, parameters[name].grad, max(1e-3 * whole, 1e-30))
    assert len(outputs) == len(under(dump, "output/")), "the dump lacks a layer"
    assert len(parameters) == len(under(dump, "gradient/")), "the dump lacks a gradient"
    return found


def check(build, program, case, *options):
    """The double program then also checks against differences, which straight-through gradients do not pass."""
    pathlib.Path("pass.h5").unlink(missing_ok=True)
    subprocess.run([build / program, "check", "parity.yaml", *case.job(), "--rows", str(case.rows), "--force", "--dump", "pass.h5",
                    *options], stdout=subprocess.DEVNULL)
    return read("pass.h5")


def write_weights(dump):
    """Weights as another program writes them, none of them 0: drawn ones begin with biases of 0."""
    random = numpy.random.default_rng(5)
    with h5py.File("weights.h5", "w") as file:
        for name, values in under(dump, "value/").items():
            kind = "state" if name.endswith(("/mean", "/variance", "/u")) else "model"
            file[f"{kind}/{name}"] = values.numpy() + 0.05 * random.standard_normal(values.shape)


def compare(build, program, name, case):
    write_weights(check(build, program, case))
    found = errors(case, check(build, program, case, "--weights", "weights.h5"))
    worst = max(found, key=lambda what: numpy.nan_to_num(found[what], nan=numpy.inf))
    good = found[worst] <= BOUNDS[program]
    print(f"{program:16} {name:26} {len(found):3} compared, worst {found[worst]:.1e} of {worst}", "" if good else "WRONG")
    return good


if __name__ == "__main__":
    torch.set_num_threads(1)
    folder = pathlib.Path(sys.argv[1])
    results = [compare(folder, program, name, case) for program in BOUNDS for name, case in CASES.items()]
    sys.exit(not all(results))
