#!/usr/bin/python3
"""dna: the splice junctions of the package r-cran-mlbench as a data set of 180 bits a row; R is not needed.

  dna.py -o runs/dna.h5 [--rda DNA.rda]

Rows are 60 letters of DNA of 3 bits each (A 100, C 010, G 001, T 000), and one of three classes. The file holds the 3,186
rows of StatLog's version (Michie, Spiegelhalter, Taylor 1994) in StatLog's order: the classes of its first 2,000 and last
1,186 rows are as many as published for training and test (464, 485, 1051 and 303, 280, 603). Larochelle, Bengio and Turian (2010)
and Larochelle and Murray (2011) train on 1,400 rows of the 2,000, validate on 600 and test on the 1,186, as LIBSVM's
files dna.scale.tr, .val and .t do. The test rows here are theirs. Which 600 of the 2,000 are LIBSVM's validation rows cannot
be read from the package: here they are the last 600.

    apt-get download r-cran-mlbench && dpkg -x r-cran-mlbench_*.deb mlbench      # without R, which the package depends on
    tests/bench/dna.py --rda mlbench/usr/lib/R/site-library/mlbench/data/DNA.rda -o runs/dna.h5
"""
import argparse
import lzma
import struct

import h5py
import numpy

SPLITS = {"train": slice(0, 1400), "valid": slice(1400, 2000), "test": slice(2000, 3186)}
HEADER = b"RDX2\nX\n"  # a saved workspace, in big-endian binary
# Types of R's serialization (R internals, section 1.8), as far as a data frame of factors has them.
NONE, REFERENCE, SYMBOL, PAIRS, STRING, LOGICALS, INTEGERS, REALS, STRINGS, LIST = 254, 255, 1, 2, 9, 10, 13, 14, 16, 19
HAS_ATTRIBUTES, HAS_TAG = 0x200, 0x400


class Workspace:
    """What R's save() wrote. `item` gives the next object: pairs as a dict of tags, vectors as (values, attributes)."""

    def __init__(self, path):
        with lzma.open(path) as file:
            self.bytes = file.read()
        if not self.bytes.startswith(HEADER):
            raise SystemExit(f"{path}: expected R's workspace format {HEADER!r} in xz, found {self.bytes[:7]!r}")
        self.at = len(HEADER) + 3 * 4  # versions of the format, of the writer, and of the oldest reader
        self.symbols = []

    def integer(self):
        self.at += 4
        return struct.unpack_from(">i", self.bytes, self.at - 4)[0]

    def numbers(self, kind, size):
        count = self.integer()
        self.at += count * size
        return numpy.frombuffer(self.bytes, kind, count, self.at - count * size)

    def text(self):
        length = self.integer()
        if length < 0:
            return None
        self.at += length
        return self.bytes[self.at - length:self.at].decode()

    def pairs(self, flags):
        found = {}
        while flags & 255 != NONE:
            if flags & HAS_ATTRIBUTES:
                self.item()
            tag = self.item() if flags & HAS_TAG else None
            found[tag] = self.item()
            flags = self.integer()
        return found

    def vector(self, kind):
        if kind in (LOGICALS, INTEGERS):
            return self.numbers(">i4", 4)
        if kind == REALS:
            return self.numbers(">f8", 8)
        if kind in (STRINGS, LIST):
            return [self.item() for _ in range(self.integer())]
        raise SystemExit(f"byte {self.at}: an object of R's type {kind}, which this script cannot read")

    def item(self):
        flags = self.integer()
        kind = flags & 255
        if kind == NONE:
            return None
        if kind == REFERENCE:
            return self.symbols[(flags >> 8) - 1]
        if kind == SYMBOL:
            self.symbols.append(self.item())
            return self.symbols[-1]
        if kind == STRING:
            return self.text()
        if kind == PAIRS:
            return self.pairs(flags)
        values = self.vector(kind)
        return values, (self.item() or {}) if flags & HAS_ATTRIBUTES else {}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rda", default="/usr/lib/R/site-library/mlbench/data/DNA.rda")
    parser.add_argument("-o", "--output", required=True)
    a = parser.parse_args()
    columns, _ = Workspace(a.rda).item()["DNA"]
    codes = numpy.stack([values - 1 for values, _ in columns], 1).astype(numpy.uint8)  # R counts levels from 1
    expected = (SPLITS["test"].stop, 181)
    if codes.shape != expected:
        raise SystemExit(f"{a.rda}: expected {expected[0]} rows of 180 bits and a class, found {codes.shape}")
    with h5py.File(a.output, "w") as file:
        for split, rows in SPLITS.items():
            file[f"{split}/x"] = codes[rows, :-1]
            file[f"{split}/y"] = codes[rows, -1]
            file[f"{split}/y"].attrs["classes"] = 3


if __name__ == "__main__":
    main()
