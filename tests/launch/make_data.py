"""make_data: small data sets for the tests, seeded: make_data.py KIND FILE.h5"""
import sys

import h5py
import numpy

random = numpy.random.default_rng(1)
SIZES = {"train": 203, "valid": 57, "test": 61}


def images(file, side=12, classes=4):
    """Each class has a pattern, in noise: it can be learned. Bytes, as pictures have them."""
    patterns = random.uniform(0, 255, (classes, side, side, 1))
    for split, rows in SIZES.items():
        labels = random.integers(0, classes, rows)
        x = 0.4 * patterns[labels] + 0.6 * random.uniform(0, 255, (rows, side, side, 1))
        file[f"{split}/x"] = x.astype(numpy.uint8)
        file[f"{split}/x"].attrs["scale"] = 1 / 255
        file[f"{split}/y"] = labels.astype(numpy.uint8)


def large(file):
    """Pictures of LeNet's size."""
    images(file, 28, 10)


def black(file):
    """Black pictures: behind a bias of 0 they put ReLU at its kink."""
    images(file)
    for split in SIZES:
        file[f"{split}/x"][:, 3:] = 0


def unlabelled(file):
    """Pictures without y."""
    images(file)
    for split in SIZES:
        del file[f"{split}/y"]


def wide(file):
    images(file, 13)


def nan(file):
    """One training row holds what is no number."""
    images(file)
    x = file["train/x"][()].astype(numpy.float32) / 255
    del file["train/x"]
    x[150, 3, 4, 0] = numpy.nan
    file["train/x"] = x


def flat(file):
    """As numpy has them, at the root: float32 rows and int64 labels, no attributes."""
    for split, rows in SIZES.items():
        x = random.standard_normal((rows, 6)).astype(numpy.float32)
        file[f"x_{split}"] = x
        file[f"y_{split}"] = (x[:, 0] > 0).astype(numpy.int64) + (x[:, 1] > 0)


def regression(file):
    """Two real targets a row."""
    for split, rows in SIZES.items():
        x = random.standard_normal((rows, 5)).astype(numpy.float32)
        file[f"{split}/x"] = x
        file[f"{split}/y"] = numpy.stack([x[:, 0] * x[:, 1], numpy.tanh(x[:, 2])], 1).astype(numpy.float32)


def binary(file):
    """Labels 0 and 1."""
    for split, rows in SIZES.items():
        x = random.standard_normal((rows, 5)).astype(numpy.float32)
        file[f"{split}/x"] = x
        file[f"{split}/y"] = (x[:, 0] + x[:, 1] > 0).astype(numpy.uint8)


def signs(file):
    """Targets of -1 and 1, three a row."""
    for split, rows in SIZES.items():
        x = random.standard_normal((rows, 5)).astype(numpy.float32)
        file[f"{split}/x"] = x
        file[f"{split}/y"] = numpy.where(x[:, :3] > 0, 1, -1).astype(numpy.float32)


def mixture(file):
    """Rows of one number, from two Gaussians."""
    for split, rows in {"train": 30000, "valid": 10000}.items():
        low = random.random((rows, 1)) < 0.4
        file[f"{split}/x"] = numpy.where(low, random.normal(-1.5, 0.4, low.shape),
                                         random.normal(1, 0.7, low.shape)).astype(numpy.float32)


def codes(file):
    """Rows of ten numbers, 0 or 1: noisy copies of three patterns."""
    patterns = random.random((3, 10)) < 0.5
    for split, rows in SIZES.items():
        x = patterns[random.integers(0, 3, rows)] ^ (random.random((rows, 10)) < 0.1)
        file[f"{split}/x"] = x.astype(numpy.uint8)


def tokens(file):
    """Rows of 12 tokens, each one or two further on than the last; y is the next one."""
    for split, rows in SIZES.items():
        walk = random.integers(0, 5, (rows, 1)) + random.integers(1, 3, (rows, 1)) * numpy.arange(13)
        file[f"{split}/x"] = (walk[:, :-1] % 5).astype(numpy.uint8)
        file[f"{split}/y"] = (walk[:, 1:] % 5).astype(numpy.uint8)
        file[f"{split}/y"].attrs["classes"] = 5


def marks(file):
    """Sequences of 3 features in noise; the class is the feature that the first step marks."""
    for split, rows in SIZES.items():
        labels = random.integers(0, 3, rows)
        x = 0.3 * random.standard_normal((rows, 9, 3))
        x[:, 0] += 2 * numpy.eye(3)[labels]
        file[f"{split}/x"], file[f"{split}/y"] = x.astype(numpy.float32), labels.astype(numpy.uint8)


def lengths(file, behind=0):
    """Sequences of 1 to 9 steps of 3 features in noise; the class is the feature that the last step marks. `behind` stands
    behind their ends."""
    for split, rows in SIZES.items():
        labels, length = random.integers(0, 3, rows), random.integers(1, 10, rows)
        x = 0.3 * random.standard_normal((rows, 9, 3))
        x[numpy.arange(rows), length - 1] += 2 * numpy.eye(3)[labels]
        x[numpy.arange(9) >= length[:, None]] = behind
        file[f"{split}/x"], file[f"{split}/y"] = x.astype(numpy.float32), labels.astype(numpy.uint8)
        file[f"{split}/length"] = length.astype(numpy.uint8)


def lengths_nan(file):
    """The same with NaN behind the ends."""
    lengths(file, numpy.nan)


def spans(file, behind=0):
    """Rows of 1 to 12 tokens with a label each: the token before. Other tokens and labels stand behind the ends."""
    for split, rows in SIZES.items():
        x, length = random.integers(0, 5, (rows, 13)), random.integers(1, 13, rows)
        ends = numpy.arange(12) >= length[:, None]
        file[f"{split}/x"] = numpy.where(ends, behind, x[:, 1:]).astype(numpy.int16)
        file[f"{split}/y"] = numpy.where(ends, behind, x[:, :-1]).astype(numpy.int16)
        file[f"{split}/y"].attrs["classes"] = 5
        file[f"{split}/length"] = length.astype(numpy.int64)


def spans_bad(file):
    """The same with numbers behind the ends that are neither tokens nor labels."""
    spans(file, -7)


kinds = {make.__name__: make for make in (images, large, black, unlabelled, wide, nan, flat, regression, binary, signs,
                                          mixture, codes, tokens, marks, lengths, lengths_nan, spans,
                                          spans_bad)}
with h5py.File(sys.argv[2], "w") as file:
    kinds[sys.argv[1]](file)
