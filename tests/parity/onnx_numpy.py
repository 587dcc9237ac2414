"""onnx_numpy: what the operators of ONNX compute, for models that OpenCV cannot run: its version 4.6 lacks some of the
operators, or takes them for images alone. By torch's functions and numpy; LSTM, GRU and RNN step by step, from the
formulas of ONNX's Operators.md.

    run(model, x) -> y
    run_all(model, {name of an input: array}) -> {name of an output: array}
"""
import numpy
import onnx
import torch
from onnx import numpy_helper
from torch.nn import functional as F


def sigmoid(x):
    return 1 / (1 + numpy.exp(-x))


def padded(x, pads, value=0):
    return F.pad(x, (pads[1], pads[3], pads[0], pads[2]), value=value)


def conv(x, w, b=None, *, pads, strides, dilations, group, kernel_shape):
    if x.dim() == 3:
        return F.conv1d(F.pad(x, pads), w, b, strides, 0, dilations, group)
    return F.conv2d(padded(x, pads), w, b, strides, 0, dilations, group)


def conv_transpose(x, w, b=None, *, pads, strides, dilations, group, kernel_shape, output_padding):
    y = F.conv_transpose2d(x, w, b, strides, 0, 0, group, dilations)
    y = padded(y, (0, 0, *output_padding)) if b is None else padded(y - b[:, None, None], (0, 0, *output_padding)) + b[:, None, None]
    return y[:, :, pads[0]:y.shape[2] - pads[2], pads[1]:y.shape[3] - pads[3]]


def max_pool(x, *, kernel_shape, strides, pads):
    return F.max_pool2d(padded(x, pads, -numpy.inf), kernel_shape, strides)


def average_pool(x, *, kernel_shape, strides):
    return F.avg_pool2d(x, kernel_shape, strides)


def batch_normalization(x, scale, shift, mean, variance, *, epsilon):
    return F.batch_norm(x, mean, variance, scale, shift, False, 0, epsilon)


def resize(x, roi, scales, *, mode, coordinate_transformation_mode):
    size = [int(n * s) for n, s in zip(x.shape[2:], scales[2:].tolist())]
    return F.interpolate(x, size, mode="bilinear", align_corners=False)


def gemm(a, b, c=0, *, transB):
    return a @ (b.T if transB else b) + c


def one_hot(x, depth, values, *, axis):
    return values[F.one_hot(x, int(depth))]


def slices(x, begins, ends, axes):
    for begin, end, axis in zip(begins.tolist(), ends.tolist(), axes.tolist()):
        x = x.narrow(axis, begin, end - begin)
    return x


def pad(x, pads):
    pads = pads.tolist()
    return torch.tensor(numpy.pad(x.numpy(), list(zip(pads[:x.dim()], pads[x.dim():]))))


def reduce_max(x, *, axes, keepdims):
    return x.amax(axes, keepdim=bool(keepdims))


def reduce_mean(x, *, axes, keepdims):
    return x.mean(axes, keepdim=bool(keepdims))


FUNCTIONS = {"Tanh": numpy.tanh, "Relu": lambda x: numpy.maximum(x, 0), "Sigmoid": sigmoid}


def recurrent(cell):
    """Runs a cell over x [time, batch, features] in the direction that the node says: Y, Y_h and Y_c."""
    def run(x, w, r, b=None, lengths=None, h0=None, c0=None, p=None, *, hidden_size, direction, **options):
        x, w, r = x.numpy(), w[0].numpy(), r[0].numpy()
        gates = len(w) // hidden_size
        b = numpy.zeros(2 * len(w), "f8") if b is None else b[0].numpy()
        wb, rb = b[:len(w)], b[len(w):]
        zeros = numpy.zeros((x.shape[1], hidden_size))
        h, c = (zeros if state is None else state[0].numpy() for state in (h0, c0))
        y = numpy.zeros((len(x), 1, *h.shape))
        for t in range(len(x))[::1 if direction == "forward" else -1]:
            h, c = cell(numpy.split(x[t] @ w.T + wb, gates, 1), numpy.split(r, gates), numpy.split(rb, gates), h, c,
                        None if p is None else numpy.split(p[0].numpy(), 3), **options)
            y[t, 0] = h
        return torch.tensor(y), torch.tensor(h[None]), None if c is None else torch.tensor(c[None])
    return run


def rnn(x, r, rb, h, c, p, activations):
    return FUNCTIONS[activations[0].decode()](x[0] + h @ r[0].T + rb[0]), None


def gru(x, r, rb, h, c, p, linear_before_reset):
    z, reset = (sigmoid(x[k] + h @ r[k].T + rb[k]) for k in range(2))
    if linear_before_reset:
        n = numpy.tanh(x[2] + reset * (h @ r[2].T + rb[2]))
    else:
        n = numpy.tanh(x[2] + (reset * h) @ r[2].T + rb[2])
    return (1 - z) * n + z * h, None


def lstm(x, r, rb, h, c, p):
    i, o, f, z = (x[k] + h @ r[k].T + rb[k] for k in range(4))
    p = p or (0, 0, 0)
    i, f = sigmoid(i + p[0] * c), sigmoid(f + p[2] * c)
    c = f * c + i * numpy.tanh(z)
    return sigmoid(o + p[1] * c) * numpy.tanh(c), c


OPERATORS = {
    "Add": lambda a, b: a + b, "Sub": lambda a, b: a - b, "Mul": lambda a, b: a * b, "Div": lambda a, b: a / b,
    "Atan": torch.atan, "AveragePool": average_pool, "BatchNormalization": batch_normalization,
    "Cast": lambda x, *, to: x.long() if to == onnx.TensorProto.INT64 else x.double(), "Clip": torch.clip,
    "Concat": lambda *x, axis: torch.cat(x, axis), "Conv": conv, "ConvTranspose": conv_transpose,
    "Elu": lambda x, *, alpha: F.elu(x, alpha), "Flatten": lambda x, *, axis: x.flatten(axis), "GRU": recurrent(gru),
    "Gather": lambda x, at, *, axis: x[at], "Gemm": gemm, "GlobalAveragePool": lambda x: x.mean((2, 3), keepdim=True),
    "GlobalMaxPool": lambda x: x.amax((2, 3), keepdim=True), "GreaterOrEqual": lambda a, b: a >= b,
    "Identity": lambda x: x, "LRN": lambda x, *, size, alpha, beta, bias: F.local_response_norm(x, size, alpha, beta, bias),
    "LSTM": recurrent(lstm), "LeakyRelu": lambda x, *, alpha: F.leaky_relu(x, alpha), "MatMul": torch.matmul,
    "MaxPool": max_pool, "OneHot": one_hot, "PRelu": lambda x, slope: torch.where(x < 0, slope * x, x), "Pad": pad,
    "RNN": recurrent(rnn), "ReduceMax": reduce_max, "ReduceMean": reduce_mean, "Relu": torch.relu,
    "Reshape": lambda x, shape: x.reshape(shape.tolist()), "Resize": resize,
    "Sigmoid": torch.sigmoid, "Sign": torch.sign, "Slice": slices, "Sqrt": torch.sqrt,
    "Softmax": lambda x, *, axis: x.softmax(axis),
    "Softplus": F.softplus, "Split": lambda x, *, axis: x.chunk(2, axis),
    "Squeeze": lambda x, axes: x.squeeze(int(axes)), "Tanh": torch.tanh,
    "Transpose": lambda x, *, perm: x.permute(perm), "Unsqueeze": lambda x, axes: x.unsqueeze(int(axes)),
}


def run_all(model, inputs):
    values = {"": None, **{name: torch.tensor(array).double() for name, array in inputs.items()}}
    for tensor in model.graph.initializer:
        array = torch.tensor(numpy_helper.to_array(tensor))
        values[tensor.name] = array.double() if array.is_floating_point() else array
    for node in model.graph.node:
        options = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        options = {name: value.decode() if isinstance(value, bytes) else value for name, value in options.items()}
        made = OPERATORS[node.op_type](*(values[name] for name in node.input), **options)
        values.update(zip(node.output, made if isinstance(made, tuple) else (made,)))
        values[""] = None
    return {output.name: values[output.name].numpy() for output in model.graph.output}


def run(model, x):
    return run_all(model, {"x": x})["y"]
