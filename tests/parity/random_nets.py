"""random_nets: random nets of one to four lines over small inputs, images from 1 x 1 pixel on, against torch in
float64; every second one with the plain instruction set.

    random_nets.py BUILD [--nets 300] [--seed S]     in a folder of its own; a line a net

The seed gives the nets: without one, today's date does, so that each night sees others.
"""
import argparse
import datetime
import os
import pathlib
import random
import sys

import h5py
import numpy
import torch

import nets
from parity import Vacuous, compare


class Impossible(Exception):
    """What was drawn does not fit its input."""


def pair(draw, low, high):
    return draw.randint(low, high), draw.randint(low, high)


def sizes(draw, shape, out_of):
    """Kernel, stride, pad and dilation that leave a pixel in each direction."""
    kernel, stride = pair(draw, 1, 4), pair(draw, 1, 4)
    pad, dilation = pair(draw, 0, 2), draw.choice([(1, 1), (1, 1), pair(draw, 1, 3)])
    out = tuple(map(out_of, shape, kernel, stride, pad, dilation))
    if min(out) < 1:
        raise Impossible
    return kernel, stride, pad, dilation, out


def convolved(size, kernel, stride, pad, dilation):
    return (size + 2 * pad - dilation * (kernel - 1) - 1) // stride + 1


def spread(size, kernel, stride, pad, dilation):
    return (size - 1) * stride - 2 * pad + dilation * (kernel - 1) + 1


def channels(draw, shape):
    """Groups that divide the input's channels, and channels of the output."""
    groups = draw.choice([g for g in range(1, shape[2] + 1) if shape[2] % g == 0])
    return groups, groups * draw.choice([1, 1, 2, 3, 5, 9, 17])


def conv(draw, shape):
    kernel, stride, pad, dilation, out = sizes(draw, shape, convolved)
    groups, width = channels(draw, shape)
    return nets.conv(width, kernel, stride, pad, None, groups, dilation, draw.randint(0, 1),
                     draw.randint(0, 1)), (*out, width)


def deconv(draw, shape):
    kernel, stride, pad, dilation, out = sizes(draw, shape, spread)
    more = tuple(draw.randrange(max(s, d)) for s, d in zip(stride, dilation))
    groups, width = channels(draw, shape)
    return (nets.deconv(width, kernel, stride, pad, more, groups, dilation, draw.randint(0, 1),
                        draw.randint(0, 1)),
            (out[0] + more[0], out[1] + more[1], width))


def pool(draw, shape):
    """torch takes at most half of a kernel as pad."""
    kernel, stride, ceil = draw.randint(1, 4), draw.randint(1, 4), draw.randint(0, 1)
    pad = draw.randint(0, kernel // 2)
    if min(shape[:2]) + 2 * pad < kernel:
        raise Impossible
    outs = []
    for size in shape[:2]:
        out = (size + 2 * pad - kernel + (stride - 1) * ceil) // stride + 1
        outs.append(out - (ceil and (out - 1) * stride >= size + pad))
    return draw.choice([nets.maxpool, nets.avgpool])(kernel, stride, pad, ceil), (*outs, shape[2])


def global_pool(draw, shape):
    return nets.global_pool(draw.choice(["avgpool", "maxpool"])), (shape[2],)


def lrn(draw, shape):
    return nets.lrn(draw.choice([1, 3, 5]), draw.choice([1e-4, 0.3]), draw.choice([0.75, 0.5]), draw.choice([1, 2])), shape


def dense(draw, shape):
    units = draw.choice([1, 2, 3, 7, 31, 33, 70])
    return nets.dense(units, bias=draw.randint(0, 1), spectral=draw.randint(0, 1)), (units,)


def activation(draw, shape):
    return nets.activation(draw.choice(list(nets.ACTIVATIONS))), shape


def dropout(draw, shape):
    return nets.dropout(draw.choice([0.1, 0.5])), shape


def batchnorm(draw, shape):
    return nets.batchnorm("", draw.choice([0.1, 0.4]), draw.choice([1e-5, 1e-2]), draw.random() < 0.3), shape


def softmax(draw, shape):
    return nets.softmax(), shape


def recurrent(draw, shape):
    kind, units = draw.choice(["rnn", "lstm", "gru"]), draw.choice([1, 3, 7, 31, 33, 70])
    options = f"bias={draw.randint(0, 1)}" + (" reset=after" if kind == "gru" else "")
    reverse, last = draw.randint(0, 1), draw.randint(0, 1)
    return nets.recurrent(kind, units, options, reverse, last), (units,) if last else (shape[0], units)


EVERYWHERE = [dense, activation, dropout, batchnorm, softmax]
ON_SEQUENCES = 3 * [recurrent] + EVERYWHERE
ON_IMAGES = 3 * [conv, deconv] + [pool, pool, global_pool, lrn] + EVERYWHERE


def draw_lines(draw, shape):
    lines = []
    for _ in range(draw.randint(1, 3)):
        line, shape = draw.choice({2: ON_SEQUENCES, 3: ON_IMAGES}.get(len(shape), EVERYWHERE))(draw, shape)
        lines.append(line)
        if max(shape) > 400:
            raise Impossible
    if len(shape) == 2:  # outputs of each step would want targets of each
        line, shape = dense(draw, shape)
        lines.append(line)
    return lines, int(numpy.prod(shape))


def has_parameters(lines):
    return any(line.kind in ("dense", "conv2d", "deconv2d", "batchnorm", "rnn", "lstm", "gru") for line in lines)


def draw_case(draw):
    """Lines over a new data set random.h5 whose targets fit their output."""
    rows = draw.randint(4, 12)
    shape = draw.choice([(draw.randint(1, 9),), pair(draw, 1, 7), 3 * (1,)] + 4 * [(*pair(draw, 1, 6), draw.choice([1, 2, 3, 4, 6, 12, 32]))])
    lines, width = draw_lines(draw, shape)
    losses = ["squared-error", "bce"] + 3 * (["cross-entropy"] if width > 1 else [])
    losses += ["hinge"] * (lines[-1].kind != "activation")  # steps end at its kink
    loss = draw.choice(losses)
    if not has_parameters(lines):
        raise Impossible
    numbers = numpy.random.default_rng(draw.randrange(2**32))
    targets = {"squared-error": lambda: numbers.standard_normal((rows, width)),
               "bce": lambda: numbers.random((rows, width)),
               "hinge": lambda: numbers.choice([-1.0, 1.0], (rows, width)),
               "cross-entropy": lambda: numbers.integers(0, width, rows)}[loss]()
    with h5py.File("random.h5", "w") as file:
        file["train/x"], file["train/y"] = numbers.standard_normal((rows, *shape)), targets
        if loss == "cross-entropy":
            file["train/y"].attrs["classes"] = width
    return nets.Case("random", loss, lines, rows), f"{'x'.join(map(str, shape))} | " + "; ".join(
        " ".join(line.text.split()) for line in lines) + f" | {loss}"


def draw_cases(seed, count):
    draw = random.Random(seed)
    while count > 0:
        try:
            yield draw_case(draw)
            count -= 1
        except Impossible:
            pass


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--nets", type=int, default=300)
    parser.add_argument("--seed", type=int, default=datetime.date.today().toordinal())
    asked = parser.parse_args()
    torch.set_num_threads(1)
    pathlib.Path("parity.yaml").write_text("seed: 3\n")
    wrong = vacuous = 0
    for number, (case, text) in enumerate(draw_cases(asked.seed, asked.nets)):
        os.environ.pop("LOCKSTEP_INSTRUCTIONS", None)
        if number % 2:
            os.environ["LOCKSTEP_INSTRUCTIONS"] = "plain"
        print(f"net {number} of seed {asked.seed}: {text}")
        try:
            wrong += not compare(asked.build, "lockstep-double", f"net {number}", case)
        except Vacuous:
            vacuous += 1
    print(f"{asked.nets} nets of seed {asked.seed}: {wrong} wrong, {vacuous} with a gradient of 0 here and in torch")
    sys.exit(wrong > 0)
