#!/usr/bin/python3
"""austen: the six novels of Jane Austen from the package r-cran-janeaustenr as plain text; R is not needed.

  austen.py FOLDER [--rdb janeaustenr.rdb]

Writes a file for each novel: FOLDER/1-emma.txt to 5-sense.txt, and 6-persuasion.txt, which the import holds out:

    build/lockstep import text FOLDER/*.txt --test-files 1 --valid 0.05 -o runs/austen.h5

    apt-get download r-cran-janeaustenr && dpkg -x r-cran-janeaustenr_*.deb austen     # without R, which the package depends on
    tests/bench/austen.py FOLDER --rdb austen/usr/lib/R/site-library/janeaustenr/data/Rdata.rdb
"""
import argparse
import pathlib
import struct
import zlib

NOVELS = {"EMMA": "1-emma", "MANSFIELD PARK": "2-mansfield", "NORTHANGER ABBEY": "3-northanger", "PRIDE AND PREJUDICE": "4-pride",
          "SENSE AND SENSIBILITY": "5-sense", "Persuasion": "6-persuasion"}
STRINGS = 16  # the type of a vector of strings in R's serialization (R internals, section 1.8)


def objects(path):
    """The objects of a lazy-load file: each is its unpacked length, big-endian, and a zlib stream."""
    packed = path.read_bytes()
    while packed:
        length, stream = struct.unpack(">I", packed[:4])[0], zlib.decompressobj()
        plain = stream.decompress(packed[4:])
        if len(plain) != length:
            raise SystemExit(f"{path}: expected {length} bytes in an object, found {len(plain)}")
        yield plain
        packed = stream.unused_data


def strings(plain):
    """The lines of a vector of strings in R's format X (big-endian), version 3."""
    if plain[:6] != b"X\n\0\0\0\3":
        raise SystemExit(f"expected R's binary format of version 3, found {plain[:6]!r}")
    at = 14 + 4 + struct.unpack(">i", plain[14:18])[0]  # behind the versions and the name of the encoding
    kind, count = struct.unpack(">ii", plain[at:at + 8])
    if kind & 255 != STRINGS:
        raise SystemExit(f"expected a vector of strings, found R's type {kind & 255}")
    at += 8
    for _ in range(count):
        length = struct.unpack(">i", plain[at + 4:at + 8])[0]
        yield plain[at + 8:at + 8 + max(0, length)].decode()
        at += 8 + max(0, length)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--rdb", type=pathlib.Path, default="/usr/lib/R/site-library/janeaustenr/data/Rdata.rdb")
    a = parser.parse_args()
    a.folder.mkdir(parents=True, exist_ok=True)
    for plain in objects(a.rdb):
        lines = list(strings(plain))
        name = NOVELS[lines[0]]
        text = "\n".join(lines) + "\n"
        (a.folder / f"{name}.txt").write_text(text, encoding="utf-8")
        print(f"{name}: {len(text)} characters in {len(lines)} lines")


if __name__ == "__main__":
    main()
