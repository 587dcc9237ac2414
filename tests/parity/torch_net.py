"""torch_net: a net of spec lines in PyTorch: the same graph, written down anew from what each line means.

Images stay NHWC between the lines, as lockstep has them, so weights need no permutation after them."""
import re

import torch
import torch.nn.functional as F

ACTIVATIONS = {
    "linear": lambda z: z,
    "identity": lambda z: z,
    "piecewise-linear": lambda z: torch.clamp(z + 0.5, 0, 1),
    "logistic": torch.sigmoid,
    "tanh": torch.tanh,
    "arctan": torch.atan,
    "relu": torch.relu,
    "leaky-relu": lambda z: F.leaky_relu(z, 0.01),
    "elu": F.elu,
    "softplus": lambda z: F.softplus(z, threshold=1e9),
}


def one_hot(target, width):
    if target.dim() > 1:
        return target
    return F.one_hot(target.long(), width).to(torch.get_default_dtype()) if width > 1 else target[:, None]


def hinge(y, target):
    sign = one_hot(target, y.shape[1]) * 2 - 1 if target.dim() == 1 else target
    return torch.clamp(1 - sign * y, min=0).sum()


LOSSES = {
    "cross-entropy": lambda y, target: F.cross_entropy(y, target.long(), reduction="sum"),
    "squared-error": lambda y, target: 0.5 * ((one_hot(target, y.shape[1]) - y) ** 2).sum(),
    "bce": lambda y, target: F.binary_cross_entropy_with_logits(y, one_hot(target, y.shape[1]), reduction="sum"),
    "hinge": hinge,
}


def pair(text):
    numbers = [int(n) for n in text.split(",")]
    return (numbers * 2)[:2]


def images(function):
    """Applies an NCHW function to NHWC."""
    def apply(x, *rest):
        return function(x.permute(0, 3, 1, 2), *rest).permute(0, 2, 3, 1)
    return apply


def layer(kind, options, x, parameters, draws):
    if kind == "dense":
        return F.linear(x.flatten(1), parameters["weight"], parameters.get("bias"))
    if kind == "conv2d":
        return images(lambda z: F.conv2d(z, parameters["weight"], parameters.get("bias"),
                                         pair(options.get("stride", "1")), pair(options.get("pad", "0"))))(x)
    if kind in ("maxpool", "avgpool"):
        pool = F.max_pool2d if kind == "maxpool" else F.avg_pool2d
        kernel = pair(options["kernel"])
        stride = pair(options["stride"]) if "stride" in options else kernel
        return images(lambda z: pool(z, kernel, stride, pair(options.get("pad", "0"))))(x)
    if kind == "activation" and options["function"] == "prelu":
        return F.prelu(x, parameters["alpha"])
    if kind == "activation":
        return ACTIVATIONS[options["function"]](x)
    if kind == "dropout":
        return x * draws
    if kind == "softmax":
        return torch.softmax(x, -1)
    raise KeyError(f"parity knows no layer {kind}")


def forward(lines, x, parameters, draws):
    """Outputs by layer name, in order. `parameters` by "layer/parameter", `draws` by layer."""
    outputs, numbers, last = {}, {}, x
    for line in lines.splitlines():
        words = line.split("#")[0].split()
        if not words:
            continue
        name = words.pop(0)[:-1] if words[0].endswith(":") else None
        kind = words.pop(0)
        numbers[kind] = numbers.get(kind, 0) + 1
        name = name or f"{kind}{numbers[kind]}"
        options = dict(word.split("=") for word in words if not word.startswith("@"))
        own = {key.split("/")[1]: value for key, value in parameters.items() if key.split("/")[0] == name}
        last = outputs[name] = layer(kind, options, last, own, draws.get(name))
    return outputs


def model_lines(text):
    """The lines that `lockstep list --model` prints below net: |"""
    return "\n".join(re.findall(r"^  (\S.*)$", text.split("\n\n")[0], re.M))
