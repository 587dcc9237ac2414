"""onnx_nets: what `lockstep export -o FILE.onnx` writes, run by other programs, against lockstep's own outputs.

    onnx_nets.py BUILD     in an empty folder; a line a net

Every model must pass ONNX's checker, with its inference of shapes. Whole nets are run by OpenCV; nets that together have
every layer and every option, by onnx_numpy.py, since OpenCV 4.6 lacks some operators.
"""
import pathlib
import re
import sys

import cv2
import h5py
import numpy
import onnx

import onnx_numpy
import safetensors
from vision import lockstep

random = numpy.random.default_rng(1)


def write_data(x, classes=2):
    with h5py.File("data.h5", "w") as file:
        for split in ("train", "test"):
            file[f"{split}/x"], file[f"{split}/y"] = x, (numpy.arange(len(x)) % classes).astype("u2")
            file[f"{split}/y"].attrs["classes"] = classes


def write_job(net, keys=""):
    pathlib.Path("job.yaml").write_text(f"data: data.h5\n{net}\n{keys}\n")


def train(build, program="lockstep"):
    """One step, so that no number stands at its start; batch norms get statistics."""
    lockstep(build, program, "train", "job.yaml", "run=run", "batch=4", "steps=1", "checkpoint.keep=1",
             "--resume=never", "--overwrite")


def predicted(build, *source):
    """[rows, ...]; where a row of the file is a step, these one after the other."""
    lockstep(build, "lockstep", "predict", *source, "--as", "values", "-o", "out.h5", "--force")
    with h5py.File("out.h5") as file:
        steps = 1 + max(file["step"]) if "step" in file else 0
        return file["value"][()].reshape(-1, steps, *file["value"].shape[1:]) if steps else file["value"][()]


def exported(build, *source):
    lockstep(build, "lockstep", "export", *source, "-o", "net.onnx", "--force")
    onnx.checker.check_model("net.onnx", full_check=True)
    return onnx.load("net.onnx")


def opencv(x, rows):
    """So many rows at a time."""
    net = cv2.dnn.readNetFromONNX("net.onnx")
    outputs = []
    for first in range(0, len(x), rows):
        net.setInput(x[first:first + rows])
        outputs.append(net.forward().copy())
    return numpy.concatenate(outputs)


def report(what, by, found, expected):
    error = float(abs(found - expected).max() / max(abs(expected).max(), 1e-3)) if found.shape == expected.shape else numpy.inf
    good = error <= 1e-4
    print(f"{what:70} {by:8} {error:.1e}", "" if good else f"WRONG {found.shape} {expected.shape}", flush=True)
    return good


def whole(build, model, shape, rows=4, classes=10, at_once=2):
    x = random.standard_normal((rows, *shape), dtype="f4")
    write_data(x, classes)
    write_job(f"model: {model}")
    train(build)
    expected = predicted(build, "run")
    net = exported(build, "run")
    good = report(model, "opencv", opencv(x, at_once).reshape(expected.shape), expected)
    return report(model, "numpy", onnx_numpy.run(net, x), expected) and good


def generator(build):
    """A GAN's generator, whose rows are codes; lockstep predicts with it as with a net of its own."""
    model = "dcgan filters=8 latent=20"
    write_data(random.random((8, 32, 32, 3), dtype="f4"))
    write_job(f"model: {model}")
    train(build)
    net = exported(build, "run", "--net", "generator")
    lockstep(build, "lockstep", "export", "run", "-o", "all.safetensors", "--force")
    tensors, _ = safetensors.read("all.safetensors")
    safetensors.write("generator.safetensors", {name.replace("generator/", "net/"): array for name, array in
                                                tensors.items() if name.startswith("generator/")})
    text = lockstep(build, "lockstep", "list", "--model", model, "--input", "32,32,3")
    lines = re.search(r"^generator: \|\n  input 1,1,20\n((?:  .*\n)+)", text, re.M)[1]
    z = random.standard_normal((4, 1, 1, 20), dtype="f4")
    write_data(z)
    write_job(f"net: |\n{lines}")
    expected = predicted(build, "job.yaml", "--weights", "generator.safetensors")
    good = report(f"generator of {model}", "opencv", opencv(z, 2), expected)
    return report(f"generator of {model}", "numpy", onnx_numpy.run(net, z), expected) and good


def autoencoder(build):
    """OpenCV encodes rows, and decodes the codes by the same weights, transposed."""
    model = "autoencoder widths=9,6,3 tied=1 classes=0"
    x = random.random((4, 9), dtype="f4")
    write_data(x)
    write_job(f"model: {model}")
    train(build)
    expected = predicted(build, "run")
    found = x
    for net in "encoder", "decoder":
        exported(build, "run", "--net", net)
        found = opencv(found, 2)
    return report(model, "opencv", found, expected)


OPENCV = [ # as NETS, run by OpenCV too
    ((7, 8, 2), "avgpool kernel=4 stride=3 pad=2; dense units=3"),
    ((8, 9, 2), "avgpool kernel=3 stride=2 ceil=1; dense units=3"),
    ((6,), "a: dense units=6; dense share=a; dense share=a transpose=1; dense units=3"),
]
NETS = [ # shape of x, lines
    ((6, 5, 3), "conv2d out=4 kernel=3,2 pad=1 dilation=2,1; activation function=tanh; conv2d out=6 kernel=2 stride=2,1 "
                "groups=2 bias=0; batchnorm; activation function=leaky-relu; lrn alpha=0.1; maxpool kernel=2 ceil=1; "
                "dense units=4"),
    ((5, 6), "conv2d out=3 kernel=2; activation function=prelu alpha=0.3; avgpool kernel=3 stride=2 pad=1 ceil=1; "
             "conv2d out=3 kernel=1 spectral=1; softmax; dense units=3 spectral=1"),
    ((7, 6, 2), "a: conv2d out=4 kernel=3 pad=1; b: conv2d @input out=4 kernel=1; c: batchnorm @a,b relu=1; "
                "d: sum @a,b,c relu=1; e: concat @d,a; glu; avgpool kernel=3,2 stride=2,1 pad=1; maxpool global=1"),
    ((3, 4, 2), "deconv2d out=4 kernel=3,2 stride=2,3 pad=1,0 output_pad=1,2; activation function=elu alpha=0.5; "
                "deconv2d out=6 kernel=2 groups=2 bias=0 dilation=2; activation function=softplus; "
                "deconv2d out=1 kernel=3 stride=2 spectral=1"),
    ((4, 6, 2), "a: conv2d out=3 kernel=3; activation function=logistic; deconv2d out=2 kernel=3 share=a; "
                "maxpool kernel=3 stride=2 pad=1; batchnorm; softmax; reshape shape=2,6; dense each=1 units=3; glu_in: "
                "dense each=1 units=4; glu; dropout rate=0.5; dense units=5"),
    ((6,), "a: dense units=4; activation function=arctan; dense share=a transpose=1; batchnorm relu=1; "
           "activation function=piecewise-linear; reshape shape=2,1,3; conv2d out=4 kernel=1; batchnorm; dense units=6; "
           "lrn size=3 alpha=0.3; dense share=a transpose=0 units=4; activation function=identity"),
    ((5, 3), "a: lstm units=4 peephole=1; b: lstm @input units=4 reverse=1 bias=0; concat @a,b; gru units=5; "
             "gru units=4 reset=after reverse=1; rnn units=3 activation=relu; rnn units=4 activation=logistic reverse=1; "
             "batchnorm; lrn size=3 alpha=0.2; lstm units=3 last=1; activation function=linear"),
    ((5, 3), "a: gru units=4 last=1 reverse=1; b: rnn @input units=3 last=1; c: gru @input units=2 reset=after last=1 "
             "bias=0; d: lstm @input units=2 last=1 reverse=1 peephole=1 bias=0; concat @a,b,c,d; dense units=3"),
    ((9, 4), "tdnn units=6 kernel=3 dilation=2 stride=2 pad=1 groups=2; activation function=tanh; tdnn units=5 delays=-1,0,1 "
             "bias=0; batchnorm; timepool type=stat; dense units=3"),
    ((8, 3), "a: tdnn units=4 kernel=2 pad=1; b: tdnn units=4 delays=3,0 spectral=1; c: timepool @a type=sum; "
             "d: timepool @b type=max; e: timepool @input; concat @c,d,e; dense units=2"),
    ((6, 3), "tdnn units=3 kernel=3 pad=1; tdnn share=tdnn1 units=3 kernel=3 pad=1; softmax; dense units=2"),
    ((2, 3, 4), "dense each=1 units=5; activation function=tanh; conv2d out=3 kernel=1; activation function=relu; "
                "dense each=1 units=2"),
    ((2, 2, 3, 2), "activation function=tanh; batchnorm; softmax; dense each=1 units=4; lrn size=3; dense units=3"),
    ((9,), "a: activation function=unit-step surrogate=ste; b: activation @input function=binary-step surrogate=ste; "
           "c: activation @input function=sign surrogate=ste; concat @a,b,c; dense units=3"),
]
TOKENS = [
    ((4,), "embedding vocabulary=7 width=3; lstm units=5 last=1; dense units=2"),
    ((4,), "a: onehot vocabulary=7; b: embedding @input vocabulary=7 width=2; concat @a,b; rnn units=4; dense units=2"),
]
TRANSFORMS = [
    ((8, 9, 2), "crop size=7,5 pad=1\nflip\nnormalize mean=0.1,0.2 deviation=0.5,2\nerase rate=0.5"),
    ((9, 10, 3), "scale-crop size=5,4 center=0.7\nnormalize mean=0.3 deviation=0.9"),
    ((7, 8), "crop size=6 pad=2\nscale-crop size=8 center=1"),
    ((46, 46, 1), "scale-crop size=28 center=1"),  # of which 46 * float(28 / 46) is less than 28
    ((12, 14, 3), "scale-crop size=7 center=1\nscale-crop size=5,4 center=0.8"),
]


def layers(build):
    good = True
    for nets, tokens in ((OPENCV, False), (NETS, False), (TOKENS, True)):
        for shape, text in nets:
            x = random.integers(0, 7, (6, *shape)).astype("u1") if tokens else \
                random.standard_normal((6, *shape), dtype="f4")
            if "step" in text:
                x[0, :3] = 0
            write_data(x, 2)
            lines = "\n".join("  " + line.strip() for line in text.split(";"))
            write_job(f"net: |\n{lines}")
            train(build)
            net, expected = exported(build, "run"), predicted(build, "run")
            good = report(text[:70], "numpy", onnx_numpy.run(net, x.astype("f4")), expected) and good
            if nets is OPENCV:
                good = report(text[:70], "opencv", opencv(x, 2), expected) and good
    return good


STREAMS = ["embedding vocabulary=7 width=3; a: lstm units=4 carry=1 peephole=1 recurrent_dropout=0.2; gru units=5 carry=1; rnn units=6 carry=1; "
           "dense each=1 units=7",
           "onehot vocabulary=7; gru units=4 carry=1 reset=after bias=0 recurrent_dropout=0.2; lstm units=5 carry=1; dense each=1 units=7"]


def streams(build):
    """Two windows of 4 tokens, the second from the states of the first, are a window of 8."""
    good = True
    tokens = random.integers(0, 7, 2 * 64 * 8 + 1).astype("u1")
    with h5py.File("data.h5", "w") as file:
        file["train/x"] = file["test/x"] = tokens
    for text in STREAMS:
        lines = "\n".join("  " + line.strip() for line in text.split(";"))
        write_job(f"net: |\n{lines}", "unroll: 4\nevaluate: {every: never}")
        train(build)
        lockstep(build, "lockstep", "export", "run", "-o", "run.safetensors", "--force")
        net = exported(build, "run")
        write_job(f"net: |\n{lines}", "unroll: 8")
        expected = predicted(build, "job.yaml", "--weights", "run.safetensors")
        x = tokens[:len(tokens) // 8 * 8].reshape(-1, 8)[:len(expected)].astype("f4")
        found = {state.name.replace("/initial_", "/Y_"): numpy.zeros((len(x), state.type.tensor_type.shape.dim[1].dim_value))
                 for state in net.graph.input[1:]}
        parts = []
        for window in (x[:, :4], x[:, 4:]):
            states = {name.replace("/Y_", "/initial_"): array for name, array in found.items() if name != "y"}
            found = onnx_numpy.run_all(net, {"x": window, **states})
            parts.append(found["y"])
        good = report(text[:70], "numpy", numpy.concatenate(parts, 1), expected) and good
    return good


def transforms(build):
    good = True
    for shape, text in TRANSFORMS:
        x = random.random((6, *shape), dtype="f4")
        write_data(x, 2)
        lines = "\n".join("  " + line for line in text.split("\n"))
        write_job(f"net: |\n  conv2d out=2 kernel=2\n  dense units=3\ntransform: |\n{lines}")
        train(build)
        net = exported(build, "run", "--transforms")
        good = report(text.replace("\n", "; ")[:70], "numpy", onnx_numpy.run(net, x), predicted(build, "run")) and good
    return good


if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[1])
    results = [whole(folder, "lenet", (28, 28, 1)),
               whole(folder, "alexnet classes=10 dropout=0", (224, 224, 3), 2),
               whole(folder, "resnet50 classes=10", (224, 224, 3), 2),
               # Of three dimensions OpenCV takes the last for channels, unless it is larger than 512; and it gives an LSTM
               # one row at a time, whatever the batch.
               whole(folder, "lstm classes=10 units=32 layers=2 last=1", (7, 600), at_once=1),
               whole(folder, "tdnn classes=10 widths=8,6", (15, 600)), generator(folder), autoencoder(folder),
               layers(folder), streams(folder), transforms(folder)]
    sys.exit(not all(results))
