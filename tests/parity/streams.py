"""streams: twenty steps of truncated back-propagation along streams of tokens against torch, whose states are detached
between the steps, in float64.

    streams.py BUILD      in a folder of its own files; a line a net and program

An epoch has 13 steps, so the states begin anew within the run. Held against each other: how far the parameters have moved
and the states that are carried, norm of the difference over the norm.
"""
import pathlib
import subprocess
import sys

import h5py
import numpy
import torch

from parity import BOUNDS, read, tensor, under

VOCABULARY, STEPS, BATCH, WINDOWS, WINDOW = 5, 20, 6, 13, 7
RATE, MOMENTUM, CLIP = 0.3, 0.8, 0.4
NETS = {"lstm": (9, 4), "gru": (33, 4), "rnn": (9, 40)}  # units of each layer


def write_tokens(path):
    """A few tokens more than fill the streams."""
    random = numpy.random.default_rng(5)
    with h5py.File(path, "w") as data:
        data["train/x"] = random.integers(0, VOCABULARY, BATCH * WINDOWS * WINDOW + 5).astype("uint8")
        data["train/x"].attrs["classes"] = VOCABULARY
        return tensor(data["train/x"][()]).long()


def job_of(kind, units):
    more = " reset=after" if kind == "gru" else ""
    layers = "".join(f"\n{kind} units={n} carry=1{more}" for n in units)
    return [f"net=embedding vocabulary={VOCABULARY} width=3{layers}\ndense units={VOCABULARY} each=1",
            "data=stream.h5", f"unroll={WINDOW}", f"batch={BATCH}", f"steps={STEPS}", "schedule=constant", "shards=3",
            f"optimizer=momentum rate={RATE} momentum={MOMENTUM} clip={CLIP}", "checkpoint.every=1 steps", "checkpoint.keep=99"]


def begin(kind, units):
    zero = [torch.zeros(1, BATCH, n, dtype=torch.float64) for n in units]
    return [(state, state) if kind == "lstm" else (state,) for state in zero]


def layer(kind, p, x, state):
    """The outputs and the last state; a second bias is torch's own, 0 but for the gru's candidate."""
    second = torch.zeros_like(p["bias"])
    if "recurrent_bias" in p:
        second = torch.cat([second[:-len(p["recurrent_bias"])], p["recurrent_bias"]])
    weights = [p["weight"], p["recurrent"], p["bias"], second]
    function = {"lstm": torch.lstm, "gru": torch.gru, "rnn": torch.rnn_tanh}[kind]
    y, *after = function(x, state if kind == "lstm" else state[0], weights, True, 1, 0.0, False, False, True)
    return y, tuple(s.detach() for s in after)


def clip(parameters):
    norm = torch.cat([p.grad.flatten() for p in parameters]).norm().item()
    for p in parameters:
        p.grad *= min(1, CLIP / norm)


def expected_steps(kind, units, values, tokens):
    """After each step the parameters, by name, and what the streams carry [BATCH, numbers]."""
    parameters = {name: v.clone().requires_grad_() for name, v in values.items()}
    optimizer = torch.optim.SGD(parameters.values(), RATE, MOMENTUM)
    for step in range(STEPS):
        if step % WINDOWS == 0:
            states = begin(kind, units)
        first = [(row * WINDOWS + step % WINDOWS) * WINDOW for row in range(BATCH)]
        x, y = (torch.stack([tokens[f + k:f + k + WINDOW] for f in first]) for k in (0, 1))
        out = parameters["net/embedding1/weight"][x]
        for i in range(len(units)):
            out, states[i] = layer(kind, under(parameters, f"net/{kind}{i + 1}/"), out, states[i])
        out = out @ parameters["net/dense1/weight"].T + parameters["net/dense1/bias"]
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(out.flatten(0, 1), y.flatten()).backward()
        clip(parameters.values())
        optimizer.step()
        yield parameters, torch.cat([s[0] for state in states for s in state], 1)


def apart(found, expected):
    return float((found - expected).norm() / expected.norm())


def compare(build, program, kind, tokens):
    units, run = NETS[kind], pathlib.Path(f"{program}-{kind}")
    job, quiet = ["parity.yaml", *job_of(kind, units)], {"check": True, "stdout": subprocess.DEVNULL}
    subprocess.run([build / program, "check", *job, "--rows", "2", "--force", "--dump", "pass.h5"], **quiet)
    subprocess.run([build / program, "train", *job, f"run={run}"], **quiet)
    values = under(read("pass.h5"), "value/")
    worst = 0
    for step, (parameters, states) in enumerate(expected_steps(kind, units, values, tokens), 1):
        checkpoint = read(run / f"checkpoints/step-{step:08}.h5")
        moved = [torch.cat([(p[name] - values[name]).detach().flatten() for name in values])
                 for p in (under(checkpoint, "model/"), parameters)]
        worst = float(numpy.max([worst, apart(*moved), apart(checkpoint["rows/streams"], states)]))
    ok = worst < BOUNDS[program]
    print(f"{program:15} {kind:5} {worst:.1e} {'ok' if ok else 'WRONG'}")
    return ok


def main():
    build = pathlib.Path(sys.argv[1])
    tokens = write_tokens("stream.h5")
    sys.exit(not all([compare(build, program, kind, tokens) for program in BOUNDS for kind in NETS]))


if __name__ == "__main__":
    main()
