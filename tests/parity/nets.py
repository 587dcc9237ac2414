"""nets: the nets of the parity tests, each line of a spec beside the same thing written in torch by hand.

Images are [rows, height, width, channels], as lockstep has them; a dense layer flattens them in that order.
"""
import types

import torch
from torch.nn import functional as F
from torch.nn.utils.spectral_norm import SpectralNorm


class Line:
    """A line of a net: `apply(x, p, draws)` with p the line's own parameters by name and draws what lockstep drew.

    x is the output of the line before, or the list of outputs of the lines that `inputs` names."""

    def __init__(self, kind, options, apply, name=None, inputs=()):
        self.kind, self.name, self.apply, self.inputs = kind, name, apply, inputs
        self.text = (f"{name}: " if name else "") + f"{kind} {'@' * bool(inputs)}{','.join(inputs)} {options}"


def images(function):
    """A torch function of [rows, channels, height, width] on lockstep's order."""
    return lambda x, p, draws: function(x.permute(0, 3, 1, 2), p).permute(0, 2, 3, 1)


def weight_of(p, dim=0):
    """With u: the weight that torch.nn.utils.spectral_norm uses in training, and as u's gradient what u moves by."""
    if "u" not in p:
        return p["weight"]
    columns = p["weight"].numel() // p["weight"].shape[dim]
    module = types.SimpleNamespace(weight_orig=p["weight"], weight_u=p["u"].detach().clone(),
                                   weight_v=torch.zeros(columns, dtype=torch.float64))
    weight = SpectralNorm(dim=dim).compute_weight(module, do_power_iteration=True)
    p["u"].grad = module.weight_u - p["u"].detach()
    return weight


def dense(units, name=None, bias=1, spectral=0):
    return Line("dense", f"units={units} bias={bias} spectral={spectral}",
                lambda x, p, draws: F.linear(x.flatten(1), weight_of(p), p.get("bias")), name)


def conv(out, kernel, stride=(1, 1), pad=(0, 0), name=None, groups=1, dilation=(1, 1), bias=1, spectral=0):
    return Line("conv2d", f"out={out} kernel={kernel[0]},{kernel[1]} stride={stride[0]},{stride[1]} "
                f"pad={pad[0]},{pad[1]} groups={groups} dilation={dilation[0]},{dilation[1]} bias={bias} "
                f"spectral={spectral}",
                images(lambda x, p: F.conv2d(x, weight_of(p), p.get("bias"), stride, pad, dilation, groups)), name)


def deconv(out, kernel, stride=(1, 1), pad=(0, 0), output_pad=(0, 0), groups=1, dilation=(1, 1), bias=1,
           spectral=0):
    return Line("deconv2d", f"out={out} kernel={kernel[0]},{kernel[1]} stride={stride[0]},{stride[1]} "
                f"pad={pad[0]},{pad[1]} output_pad={output_pad[0]},{output_pad[1]} groups={groups} "
                f"dilation={dilation[0]},{dilation[1]} bias={bias} spectral={spectral}",
                images(lambda x, p: F.conv_transpose2d(x, weight_of(p, 1), p.get("bias"), stride, pad, output_pad,
                                                       groups, dilation)))


def maxpool(kernel, stride, pad=0, ceil=0, name=None):
    return Line("maxpool", f"kernel={kernel} stride={stride} pad={pad} ceil={ceil}",
                images(lambda x, p: F.max_pool2d(x, kernel, stride, pad, ceil_mode=bool(ceil))), name)


def avgpool(kernel, stride, pad=0, ceil=0):
    return Line("avgpool", f"kernel={kernel} stride={stride} pad={pad} ceil={ceil}",
                images(lambda x, p: F.avg_pool2d(x, kernel, stride, pad, bool(ceil))))


def global_pool(kind):
    """A vector of the channels' means or largest values."""
    pool = {"avgpool": torch.mean, "maxpool": torch.amax}[kind]
    return Line(kind, "global=1", lambda x, p, draws: pool(x, (1, 2)))


def lrn(size, alpha, beta, k):
    """torch divides alpha by size."""
    return Line("lrn", f"size={size} alpha={alpha} beta={beta} k={k}",
                images(lambda x, p: F.local_response_norm(x, size, alpha * size, beta, k)))


def add(*inputs, relu=0, name=None):
    return Line("sum", f"relu={relu}", lambda x, p, draws: F.relu(sum(x)) if relu else sum(x), name, inputs)


def concat(*inputs):
    return Line("concat", "", lambda x, p, draws: torch.cat(x, -1), inputs=inputs)


def dropout(rate):
    return Line("dropout", f"rate={rate}", lambda x, p, draws: x * draws)


def softmax():
    return Line("softmax", "", lambda x, p, draws: torch.softmax(x, -1))


def batchnorm(options="", momentum=0.1, epsilon=1e-5, relu=False, inputs=()):
    """The second input is added. The gradient of a running statistic is what it moves by."""
    def apply(x, p, draws):
        x, other = x if inputs else (x, 0)
        running = [p[name].detach().clone() for name in ("mean", "variance")]
        y = F.batch_norm(x.movedim(-1, 1), *running, p["scale"], p["shift"], True, momentum, epsilon).movedim(1, -1)
        p["mean"].grad, p["variance"].grad = running[0] - p["mean"].detach(), running[1] - p["variance"].detach()
        return F.relu(y + other) if relu else y + other
    return Line("batchnorm", f"momentum={momentum} epsilon={epsilon} relu={int(relu)} {options}", apply, inputs=inputs)


def each(units):
    """A dense line over each step."""
    return Line("dense", f"units={units} each=1", lambda x, p, draws: F.linear(x, p["weight"], p["bias"]))


def embedding(vocabulary, width):
    return Line("embedding", f"vocabulary={vocabulary} width={width}", lambda x, p, draws: F.embedding(x.long(), p["weight"]))


def onehot(vocabulary):
    return Line("onehot", f"vocabulary={vocabulary}", lambda x, p, draws: F.one_hot(x.long(), vocabulary).double())


def steps(t, features):
    """Pictures as sequences: a line of pixels is a step."""
    return Line("reshape", f"shape={t},{features}", lambda x, p, draws: x.reshape(-1, t, features))


def recurrent(kind, units, options="", reverse=0, last=0, name=None, inputs=()):
    """What torch.nn.RNN, LSTM and GRU call: a gru with reset=after. The bias is torch's of the inputs; the other one is the
    candidate's alone, where there is one."""
    def apply(x, p, draws):
        x = x[0] if inputs else x
        rows = p["recurrent"].shape[0]
        zeros = torch.zeros(rows, dtype=torch.float64)
        inner = torch.cat([zeros[units:], p["recurrent_bias"]]) if "recurrent_bias" in p else zeros
        weights = [p["weight"], p["recurrent"], p.get("bias", zeros), inner]
        state = torch.zeros(1, len(x), units, dtype=torch.float64)
        function = {"lstm": torch.lstm, "gru": torch.gru, "rnn": torch.rnn_relu if "relu" in options else torch.rnn_tanh}[kind]
        y = function(x.flip(1) if reverse else x, (state, state) if kind == "lstm" else state, weights, True, 1, 0.0, False,
                     False, True)[0]
        return y[:, -1] if last else y.flip(1) if reverse else y
    return Line(kind, f"units={units} reverse={reverse} last={last} {options}", apply, name, inputs)


def unrolled(kind, units, options, step, reverse=0, last=0):
    """A recurrent layer by its formulas: step(sums of x, p, h, c) -> h, c. With recurrent dropout p["mask"] is drawn."""
    def apply(x, p, draws):
        h = c = torch.zeros(len(x), units, dtype=torch.float64)
        p = {"mask": 1 if draws is None else draws, **p}
        a, outputs = F.linear(x, p["weight"], p.get("bias")), {}
        order = range(x.shape[1])
        for t in reversed(order) if reverse else order:
            h, c = step(a[:, t], p, h, c)
            outputs[t] = h
        return h if last else torch.stack([outputs[t] for t in order], 1)
    return Line(kind, f"units={units} reverse={reverse} last={last} {options}", apply)


def rnn_step(a, p, h, c):
    return torch.tanh(a + (p["mask"] * h) @ p["recurrent"].T), c


def gru_step(a, p, h, c):
    """The reset gate before the product; z weighs the new state."""
    ar, az, an = a.chunk(3, 1)
    rr, rz, rn = p["recurrent"].chunk(3)
    r, z = torch.sigmoid(ar + (p["mask"] * h) @ rr.T), torch.sigmoid(az + (p["mask"] * h) @ rz.T)
    return (1 - z) * h + z * torch.tanh(an + (p["mask"] * r * h) @ rn.T), c


def peephole_step(a, p, h, c):
    """Gers and Schmidhuber 2000: the input and forget gates see the old cell, the output gate the new one."""
    ai, af, az, ao = (a + (p["mask"] * h) @ p["recurrent"].T).chunk(4, 1)
    pi, pf, po = p["peephole"]
    i, f = torch.sigmoid(ai + pi * c), torch.sigmoid(af + pf * c)
    c = c * f + i * torch.tanh(az)
    return torch.tanh(c) * torch.sigmoid(ao + po * c), c


def norm_step(a, p, h, c):
    """Layer normalization of each gate's sums, and of the cell on its way into h."""
    def norm(x, k):
        return F.layer_norm(x, x.shape[1:], p["scale"][k], p["shift"][k] if "shift" in p else None)
    i, f, z, o = (norm(x, k) for k, x in enumerate((a + (p["mask"] * h) @ p["recurrent"].T).chunk(4, 1)))
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(z)
    return torch.sigmoid(o) * torch.tanh(norm(c, 4)), c


def straight(step):
    """A step whose gradient is passed through as it is."""
    return lambda x, p: x + (step(x) - x).detach()


ACTIVATIONS = {
    "linear": lambda x, p: x,
    "piecewise-linear": lambda x, p: (x + 0.5).clamp(0, 1),
    "logistic": lambda x, p: torch.sigmoid(x),
    "tanh": lambda x, p: torch.tanh(x),
    "arctan": lambda x, p: torch.atan(x),
    "relu": lambda x, p: F.relu(x),
    "prelu": lambda x, p: F.prelu(x, p["alpha"].reshape(1)),
    "leaky-relu": lambda x, p: F.leaky_relu(x, 0.01),
    "elu": lambda x, p: F.elu(x),
    "softplus": lambda x, p: F.softplus(x),
    "unit-step surrogate=ste": straight(lambda x: torch.heaviside(x, torch.tensor(0.5, dtype=x.dtype))),
    "sign surrogate=ste": straight(torch.sign),
    "binary-step surrogate=ste": straight(lambda x: (x >= 0).to(x.dtype)),
}


def activation(function):
    return Line("activation", f"function={function}", lambda x, p, draws: ACTIVATIONS[function](x, p))


def one_hot(labels, width):
    labels = labels.long()
    return labels.reshape(-1, 1).double() if width == 1 else F.one_hot(labels, width).double()


def vectors(target, width):
    return target if target.dim() == 2 else one_hot(target, width)


# Sums over the outputs, the mean over the rows.
LOSSES = {
    "cross-entropy": lambda y, t: F.cross_entropy(y.reshape(t.numel(), -1), t.flatten().long()),  # of rows, or of steps
    "cross-entropy smoothing=0.1": lambda y, t: F.cross_entropy(y, t.long(), label_smoothing=0.1),
    "squared-error": lambda y, t: 0.5 * (vectors(t, y.shape[1]) - y).square().sum() / len(y),
    "bce": lambda y, t: F.binary_cross_entropy_with_logits(y, vectors(t, y.shape[1]), reduction="sum") / len(y),
    "hinge": lambda y, t: (1 - y * (t if t.dim() == 2 else 2 * vectors(t, y.shape[1]) - 1)).clamp(min=0).sum() / len(y),
}


class Case:
    def __init__(self, data, loss, lines, rows=8, model=None):
        self.data, self.loss, self.lines, self.rows, self.model = data, loss, lines, rows, model

    def job(self):
        net = f"model={self.model}" if self.model else "net=" + "\n".join(line.text for line in self.lines)
        return [f"data={self.data}.h5", net, f"objective=supervised loss={self.loss}"]

    def names(self):
        """Lines without a name are numbered by kind."""
        count, names = {}, []
        for line in self.lines:
            count[line.kind] = count.get(line.kind, 0) + 1
            names.append(line.name or f"{line.kind}{count[line.kind]}")
        return names


def mlp(*widths):
    lines = [dense(widths[0])]
    for width in widths[1:]:
        lines += [activation("relu"), dense(width)]
    return lines


LENET = [conv(6, (5, 5), pad=(2, 2), name="conv1"), activation("tanh"), avgpool(2, 2), conv(16, (5, 5), name="conv2"),
         activation("tanh"), avgpool(2, 2), dense(120, "dense1"), activation("tanh"), dense(84, "dense2"),
         activation("tanh"), dense(10, "dense3")]
CASES = {
    "lenet": Case("large", "cross-entropy", LENET, rows=16, model="lenet classes=10"),
    "mlp": Case("large", "cross-entropy", mlp(256, 128, 100, 10), rows=16, model="mlp widths=784,256,128,100,10"),
    "strides": Case("images", "cross-entropy", [
        conv(6, (3, 2), (2, 1), (1, 0)), activation("relu"), maxpool(3, 2, 1), conv(7, (2, 3), (1, 2), (1, 1)),
        activation("elu"), avgpool(2, 1), dense(4, bias=0)]),
    "groups": Case("images", "cross-entropy", [
        conv(6, (3, 3), pad=(1, 1)), activation("tanh"), conv(8, (3, 2), (2, 1), (1, 1), groups=2), activation("relu"),
        conv(8, (3, 3), (1, 2), (1, 0), groups=8), activation("elu"), conv(12, (1, 1), groups=4), activation("relu"),
        dense(4)]),
    "dilation": Case("images", "cross-entropy", [
        conv(20, (3, 3), pad=(2, 1), dilation=(2, 1)), activation("elu"),
        conv(20, (2, 3), (2, 1), (1, 3), dilation=(3, 2), groups=5), activation("elu"),
        conv(20, (3, 2), dilation=(1, 2), groups=20), activation("elu"), conv(6, (1, 1), (2, 2)), dense(4)]),
    "deconv": Case("images", "cross-entropy", [
        conv(32, (3, 3), (2, 2)), activation("tanh"), deconv(16, (4, 4), (2, 2), (1, 1)), activation("elu"),
        deconv(16, (3, 3), pad=(1, 1)), activation("elu"),
        deconv(12, (2, 3), (2, 1), (1, 0), (2, 1), groups=4, dilation=(3, 2)), activation("elu"),
        deconv(12, (3, 2), (1, 2), (1, 1), (0, 1), groups=12, bias=0), activation("elu"), deconv(5, (3, 3), pad=(2, 1)),
        maxpool(4, 4), dense(4)]),
    "pools": Case("images", "cross-entropy", [
        conv(9, (3, 3), pad=(1, 1)), maxpool(3, 2, ceil=1), conv(8, (3, 3), pad=(1, 1)), activation("elu"),
        avgpool(3, 2, 1, ceil=1), conv(11, (2, 2)), activation("relu"), global_pool("avgpool"), dense(4)]),
    "global maximum": Case("images", "cross-entropy", [conv(9, (3, 3)), global_pool("maxpool"), dense(4)]),
    "lrn": Case("images", "cross-entropy", [
        conv(9, (3, 3)), activation("relu"), lrn(5, 1e-4, 0.75, 2), maxpool(3, 2), conv(12, (3, 3)), activation("relu"),
        lrn(3, 0.4, 0.6, 1), maxpool(2, 1), dense(4)]),
    "residual": Case("images", "cross-entropy", [
        conv(6, (3, 3), name="stem"), conv(6, (3, 3), pad=(1, 1), name="a"), add("a", "stem", relu=1, name="block"),
        conv(6, (1, 1), name="b"), add("b", "block", "stem", "block"), dense(4)]),
    "inception": Case("images", "cross-entropy", [
        conv(6, (3, 3), name="stem"), maxpool(3, 1, 1, name="a"), conv(3, (3, 3), pad=(1, 1), name="b"),
        concat("stem", "a", "b", "stem"), activation("elu"), dense(4)]),
    "dropout": Case("images", "squared-error", [
        conv(5, (3, 3)), dropout(0.3), activation("softplus"), maxpool(2, 2), dropout(0.6), dense(11), dropout(0.2),
        dense(4), softmax()]),
    "batch norm": Case("images", "cross-entropy", [
        conv(6, (3, 3), bias=0, name="a"), batchnorm(relu=True), conv(6, (3, 3), pad=(1, 1), bias=0, name="b"),
        batchnorm(relu=True, inputs=("b", "a")), conv(20, (2, 2), (2, 2), bias=0), batchnorm("sync=1", 0.3, 1e-3),
        activation("tanh"), dense(9, bias=0), batchnorm(), dense(4)]),
    "spectral norm": Case("images", "cross-entropy", [
        conv(40, (3, 3), pad=(1, 1), spectral=1), activation("leaky-relu"),
        deconv(12, (4, 3), (2, 1), (1, 0), groups=4, spectral=1), activation("tanh"),
        conv(36, (3, 2), (2, 1), (1, 0), groups=2, bias=0, spectral=1), activation("relu"), dense(33, spectral=1),
        activation("elu"), dense(4, bias=0, spectral=1)]),
    "rnn": Case("images", "cross-entropy", [
        steps(12, 12), recurrent("rnn", 33), recurrent("rnn", 7, "activation=relu bias=0", reverse=1, last=1), dense(4)]),
    "lstm": Case("images", "cross-entropy", [
        steps(12, 12), recurrent("lstm", 33), recurrent("lstm", 7, reverse=1), recurrent("lstm", 40, "bias=0", last=1),
        dense(4)]),
    "gru": Case("images", "cross-entropy", [
        steps(16, 9), recurrent("gru", 33, "reset=after"), recurrent("gru", 7, "reset=after bias=0", reverse=1),
        recurrent("gru", 40, "reset=after", reverse=1, last=1), dense(4)]),
    "gru reset before": Case("images", "cross-entropy", [
        steps(12, 12), unrolled("gru", 33, "", gru_step), unrolled("gru", 7, "bias=0", gru_step, reverse=1, last=1),
        dense(4)]),
    "lstm peephole": Case("images", "cross-entropy", [
        steps(12, 12), unrolled("lstm", 33, "peephole=1", peephole_step),
        unrolled("lstm", 7, "peephole=1 bias=0", peephole_step, reverse=1, last=1), dense(4)]),
    "lstm norm": Case("images", "cross-entropy", [
        steps(12, 12), unrolled("lstm", 33, "norm=1 recurrent_dropout=0.3", norm_step),
        unrolled("lstm", 7, "norm=1 bias=0", norm_step, reverse=1, last=1), dense(4)]),
    "recurrent dropout": Case("images", "cross-entropy", [
        steps(12, 12), unrolled("lstm", 33, "peephole=1 recurrent_dropout=0.3", peephole_step),
        unrolled("gru", 9, "recurrent_dropout=0.5", gru_step, reverse=1),
        unrolled("rnn", 7, "recurrent_dropout=0.2", rnn_step, last=1), dropout(0.3), dense(4)]),
    "next tokens": Case("tokens", "cross-entropy", [
        embedding(5, 7), recurrent("lstm", 33), dropout(0.3), each(5)], rows=31),
    "one-hot tokens": Case("tokens", "cross-entropy", [onehot(5), recurrent("gru", 8, "reset=after"), each(5)], rows=31),
    "label smoothing": Case("flat", "cross-entropy smoothing=0.1", [dense(9), activation("tanh"), dense(3)], rows=31),
    "regression": Case("regression", "squared-error", [dense(9), activation("tanh"), dense(2)], rows=31),
    "squared labels": Case("flat", "squared-error", [dense(9), activation("logistic"), dense(3)], rows=31),
    "bce one output": Case("binary", "bce", [dense(9), activation("relu"), dense(1)], rows=31),
    "bce labels": Case("flat", "bce", [dense(9), activation("relu"), dense(3)], rows=31),
    "hinge one output": Case("binary", "hinge", [dense(9), activation("relu"), dense(1)], rows=31),
    "hinge labels": Case("flat", "hinge", [dense(9), activation("tanh"), dense(3)], rows=31),
    "hinge signs": Case("signs", "hinge", [dense(9), activation("tanh"), dense(3)], rows=31),
}
for kind, options in ("rnn", ""), ("gru", "reset=after"), ("lstm", ""):
    CASES[f"{kind} in both directions"] = Case("images", "cross-entropy", [
        steps(9, 16), recurrent(kind, 9, options, name="a", inputs=("reshape1",)),
        recurrent(kind, 9, options, reverse=1, name="b", inputs=("reshape1",)), concat("a", "b"),
        recurrent(kind, 5, options, last=1, name="c", inputs=("concat1",)),
        recurrent(kind, 5, options, reverse=1, last=1, name="d", inputs=("concat1",)), concat("c", "d"), dense(4)])
for function in ACTIVATIONS:
    CASES[function] = Case("flat", "cross-entropy", [dense(9), activation(function), dense(7), activation(function),
                                                     dense(3)], rows=31)
