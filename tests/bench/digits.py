#!/usr/bin/python3
"""digits: the 5,000 handwritten digits of OpenCV's tutorials as a data set.

  digits.py -o runs/digits.h5 [--valid 50] [--deskew] [--margin 2] [--image digits.png]

The picture (Debian's package opencv-doc: `launch/install/packages.sh figures`) has 50 lines of 100 digits of 20x20 pixels,
five lines for each class in turn. OpenCV's tutorials train on the left half of every line and test on the right half: 250
digits a class each. --valid takes that many of a class, the last ones, out of the training half. --deskew shears each digit
upright by its moments, as the tutorial does before it trains its support vector machine (0.94). --margin puts a border of
zeros around the digits, room for regions of other sizes (the transform scale-crop).

The rows of a split go through the classes in turn: 0, 1, ..., 9, 0, 1, ... So the first 250 training rows (`rows: 250` in
a stage) are 25 of each class.

    apt-get download opencv-doc && dpkg -x opencv-doc_*.deb opencv       # where dpkg leaves documentation out
    tests/bench/digits.py --image opencv/usr/share/doc/opencv-doc/examples/data/digits.png -o runs/digits.h5
"""
import argparse

import h5py
import numpy
from PIL import Image

SIDE, CLASSES, LINES, COLUMNS = 20, 10, 5, 100


def halves(path):
    """The digits [class, digit of the class, height, width] of the left half and of the right half."""
    with Image.open(path) as image:
        pixels = numpy.asarray(image.convert("L"))
    expected = (CLASSES * LINES * SIDE, COLUMNS * SIDE)
    if pixels.shape != expected:
        raise SystemExit(f"{path}: expected a picture of {expected[1]}x{expected[0]} pixels, found "
                         f"{pixels.shape[1]}x{pixels.shape[0]}: give digits.png of OpenCV's samples")
    cells = pixels.reshape(CLASSES, LINES, SIDE, COLUMNS, SIDE).swapaxes(2, 3)  # [class, line, column, height, width]
    return [half.reshape(CLASSES, -1, SIDE, SIDE) for half in (cells[:, :, :COLUMNS // 2], cells[:, :, COLUMNS // 2:])]


def deskew(digits):
    """Digits [..., height, width], each sheared about the picture's middle so that its rows' means lie below each other."""
    lines = numpy.arange(SIDE)
    flat = digits.reshape(-1, SIDE, SIDE).astype(float)
    mass = flat.sum((1, 2))
    y = lines[:, None] - ((flat.sum(2) * lines).sum(1) / mass)[:, None, None]
    x = lines - ((flat.sum(1) * lines).sum(1) / mass)[:, None, None]
    skew = (flat * x * y).sum((1, 2)) / (flat * y * y).sum((1, 2))
    for digit, slope in zip(flat, skew):
        for line in lines:
            digit[line] = numpy.interp(lines + slope * (line - SIDE / 2), lines, digit[line], 0, 0)
    return flat.round().astype(numpy.uint8).reshape(digits.shape)


def write(file, split, digits):
    """Digits [class, digit of the class, height, width] as rows that go through the classes in turn."""
    _, count, height, width = digits.shape
    file[f"{split}/x"] = digits.swapaxes(0, 1).reshape(-1, height, width, 1)
    file[f"{split}/x"].attrs["scale"] = 1 / 255
    file[f"{split}/y"] = numpy.tile(numpy.arange(CLASSES, dtype=numpy.uint8), count)
    file[f"{split}/y"].attrs["classes"] = CLASSES


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--image", default="/usr/share/doc/opencv-doc/examples/data/digits.png")
    parser.add_argument("--valid", type=int, default=0, help="digits of a class that are kept for validation (0)")
    parser.add_argument("--deskew", action="store_true")
    parser.add_argument("--margin", type=int, default=0, help="pixels of zero around each digit (0)")
    parser.add_argument("-o", "--output", required=True)
    a = parser.parse_args()
    train, test = (deskew(half) if a.deskew else half for half in halves(a.image))
    border = ((0, 0), (0, 0), (a.margin, a.margin), (a.margin, a.margin))
    train, test = (numpy.pad(half, border) for half in (train, test))
    keep = train.shape[1] - a.valid
    if a.valid < 0 or keep < 1:
        raise SystemExit(f"--valid {a.valid}: expected 0 to {train.shape[1] - 1}, of {train.shape[1]} digits a class")
    with h5py.File(a.output, "w") as file:
        write(file, "train", train[:, :keep])
        if a.valid:
            write(file, "valid", train[:, keep:])
        write(file, "test", test)


if __name__ == "__main__":
    main()
