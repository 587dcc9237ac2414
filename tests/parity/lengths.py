"""lengths: rows that are sequences of unequal length against torch's packed sequences, time delays against its conv1d: outputs,
loss and gradients of one pass, as parity.py compares them.

    lengths.py BUILD       in the folder of lengths_nan.h5 and images.h5; a line a net and program
"""
import pathlib
import sys

import h5py
import torch
from torch.nn import functional as F
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from nets import Case, Line, activation, concat, dense, steps
from parity import BOUNDS, compare

ROWS, STEPS = 31, 9
FUNCTIONS = {"lstm": torch.lstm, "gru": torch.gru, "rnn": torch.rnn_tanh}
length = torch.full((ROWS,), STEPS)


def counts(x):
    return (torch.arange(x.shape[1]) < length[:, None])[..., None]


def packed(kind, units, options="", reverse=0, last=0, name=None, inputs=()):
    """One direction of a bidirectional torch module whose directions have the same weights."""
    def apply(x, p, draws):
        x = x[0] if inputs and isinstance(x, list) else x
        zeros = torch.zeros(p["recurrent"].shape[0], dtype=torch.float64)
        inner = torch.cat([zeros[units:], p["recurrent_bias"]]) if "recurrent_bias" in p else zeros
        weights = [p["weight"], p["recurrent"], p.get("bias", zeros), inner]
        rows = pack_padded_sequence(x, length, True, False)
        state = torch.zeros(2, len(x), units, dtype=torch.float64)
        y, h = FUNCTIONS[kind](rows.data, rows.batch_sizes, (state, state) if kind == "lstm" else state, 2 * weights, True,
                               1, 0.0, False, True)[:2]
        y = pad_packed_sequence(PackedSequence(y, *rows[1:]), True, total_length=x.shape[1])[0]
        return h[reverse][rows.unsorted_indices] if last else y[..., reverse * units:(reverse + 1) * units]
    return Line(kind, f"units={units} reverse={reverse} last={last} {options}", apply, name, inputs)


def each(line):
    """A line that treats each step alone: its outputs behind the ends of rows are 0."""
    apply = line.apply
    line.apply = lambda x, p, draws: apply(x, p, draws) * counts(x)
    return line


def delays(units, kernel, dilation=1, stride=1, pad=0, groups=1):
    return Line("tdnn", f"units={units} kernel={kernel} dilation={dilation} stride={stride} pad={pad} groups={groups}",
                lambda x, p, draws: F.conv1d(x.transpose(1, 2), p["weight"].squeeze(2), p["bias"], stride, pad, dilation,
                                             groups).transpose(1, 2))


def timepool(kind):
    def apply(x, p, draws):
        there = counts(x) if len(x) == ROWS and x.shape[1] == STEPS else torch.ones_like(x[..., :1], dtype=torch.bool)
        n = there.sum(1)
        mean = (x * there).sum(1) / n
        if kind == "stat":
            return torch.cat([mean, ((((x - mean[:, None]) * there) ** 2).sum(1) / n + 1e-5).sqrt()], 1)
        return {"mean": mean, "sum": mean * n, "max": x.masked_fill(~there, -1e30).amax(1)}[kind]
    return Line("timepool", f"type={kind}", apply)


def recurrent_case(kind, options=""):
    return Case("lengths_nan", "cross-entropy", [
        packed(kind, 6, options, name="x"), packed(kind, 33, options, name="a", inputs=("x",)),
        packed(kind, 9, options, 1, name="b", inputs=("x",)), concat("a", "b"), packed(kind, 7, options, 1), packed(kind, 8, options, 0, 1), dense(3)], rows=ROWS)


CASES = {
    "lengths: rnn": recurrent_case("rnn"),
    "lengths: lstm": recurrent_case("lstm"),
    "lengths: gru": recurrent_case("gru", "reset=after"),
    "lengths: last, reversed": Case("lengths_nan", "cross-entropy", [packed("lstm", 9), packed("gru", 8, "reset=after", 1, 1),
                                                                     dense(3)], rows=ROWS),
    "conv1d": Case("images", "cross-entropy", [
        steps(16, 9), delays(64, 3, 2, pad=1), activation("tanh"), delays(64, 3, 3, pad=3), activation("tanh"),
        delays(33, 3), activation("tanh"), delays(8, 2, stride=2), activation("tanh"),
        delays(6, 3, groups=2), timepool("sum"), dense(4)]),
}
for kind in ("sum", "mean", "max", "stat"):
    CASES[f"lengths: pool {kind}"] = Case("lengths_nan", "cross-entropy", [
        each(delays(12, 3, pad=1)), each(activation("tanh")), packed("lstm", 5), timepool(kind), dense(3)], rows=ROWS)

if __name__ == "__main__":
    torch.set_num_threads(1)
    length = torch.tensor(h5py.File("lengths_nan.h5")["train/length"][:ROWS].astype("int64"))
    folder = pathlib.Path(sys.argv[1])
    results = [compare(folder, program, name, case) for program in BOUNDS for name, case in CASES.items()]
    sys.exit(not all(results))
