#!/usr/bin/env python3
"""pictures: speed and memory of `lockstep import images` beside a script with PIL and as many processes.

    tests/bench/pictures.py make FOLDER [COUNT]     COUNT JPEGs (10000) of 1x1 to 4000x3000 in 10 folders: about 0.5 GB
    tests/bench/pictures.py compare FOLDER [--lockstep build/lockstep] [--size 224] [--processes 2] [--rounds 3]

Sides are drawn evenly in their logarithms; the pictures are smooth blots with noise. Both make the same HDF5 file, in
turns; the first round only fills the system's cache. Memory is the largest sum of the proportional set sizes of all
processes. Pixels are compared in the end.
"""
import argparse
import math
import multiprocessing
import os
import subprocess
import sys
import threading
import time

import h5py
import numpy
from PIL import Image

FORMS = [{"quality": 75, "subsampling": 2}, {"quality": 90, "subsampling": 0}, {"quality": 85, "progressive": True}]


def make_one(job):
    folder, i = job
    chance = numpy.random.default_rng(i)
    width, height = (round(math.exp(chance.uniform(0, math.log(most)))) for most in (4000, 3000))
    blots = chance.integers(0, 256, (max(1, height // 16), max(1, width // 16), 3), dtype=numpy.uint8)
    smooth = numpy.asarray(Image.fromarray(blots).resize((width, height), Image.BILINEAR)).astype(numpy.int16)
    noise = chance.integers(-12, 13, (height, width, 1), dtype=numpy.int16)
    picture = Image.fromarray((smooth + noise).clip(0, 255).astype(numpy.uint8))
    picture.save(f"{folder}/{i % 10}/{i:06d}.jpg", "JPEG", **FORMS[i % 3])


def make(folder, count):
    for k in range(10):
        os.makedirs(f"{folder}/{k}", exist_ok=True)
    with multiprocessing.Pool() as pool:
        pool.map(make_one, [(folder, i) for i in range(count)], chunksize=64)


def read_one(job):
    """Makes only the pixels of the crop: torchvision's Resize and CenterCrop scale all of a picture first."""
    path, size = job
    picture = Image.open(path).convert("RGB")
    w, h = picture.size
    across, down = (size, h * size // w) if h >= w else (w * size // h, size)
    left, top = (across - size) // 2, (down - size) // 2
    box = (left * w / across, top * h / down, (left + size) * w / across, (top + size) * h / down)
    return numpy.asarray(picture.resize((size, size), Image.BILINEAR, box=box))


def with_pil(folder, output, size, processes):
    classes = sorted(os.listdir(folder))
    names = [(os.path.join(folder, name, file), k) for k, name in enumerate(classes)
             for file in sorted(os.listdir(os.path.join(folder, name)))]
    with h5py.File(output, "w") as file, multiprocessing.Pool(processes) as pool:
        x = file.create_dataset("train/x", (len(names), size, size, 3), "u1")
        file["train/y"] = numpy.array([k for _, k in names], "i4")
        for i, row in enumerate(pool.imap(read_one, [(path, size) for path, _ in names], chunksize=16)):
            x[i] = row


def tree_memory(root):
    """Bytes that a process and all below it take."""
    total, left = 0, [root]
    while left:
        pid = left.pop()
        try:
            with open(f"/proc/{pid}/smaps_rollup") as file:
                total += sum(1024 * int(line.split()[1]) for line in file if line.startswith("Pss:"))
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/children") as file:
                    left += map(int, file.read().split())
        except OSError:
            pass # it has ended
    return total


def timed(command):
    start, most = time.time(), 0
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    while child.poll() is None:
        most = max(most, tree_memory(child.pid))
        time.sleep(0.05)
    if child.returncode:
        sys.exit(f"{command} ended with code {child.returncode}")
    return time.time() - start, most


def compare(options):
    folder, size, processes = options.folder, options.size, options.processes
    out = os.path.join(os.environ.get("TMPDIR", "/tmp"), f"pictures-{os.getpid()}-")
    commands = {
        "lockstep": [options.lockstep, "import", "images", folder, "--size", str(size), "--threads", str(processes), "--force",
                     "-o", out + "lockstep.h5"],
        "PIL": [sys.executable, __file__, "pil", folder, "--output", out + "PIL.h5", "--size", str(size),
                "--processes", str(processes)]}
    count = sum(len(files) for _, _, files in os.walk(folder))
    best = {name: (math.inf, 0) for name in commands}
    for turn in range(options.rounds + 1):
        for name, command in commands.items():
            seconds, memory = timed(command)
            if turn > 0 or options.rounds == 0:
                best[name] = (min(best[name][0], seconds), max(best[name][1], memory))
    for name, (seconds, memory) in best.items():
        print(f"{name}: {count / seconds:.0f} pictures/s, {memory / 1e6:.0f} MB")
    print(f"ratio {best['PIL'][0] / best['lockstep'][0]:.2f}")
    with h5py.File(out + "lockstep.h5") as a, h5py.File(out + "PIL.h5") as b:
        apart = 0
        for first in range(0, count, 256):
            x, y = (file["train/x"][first:first + 256].astype(numpy.int16) for file in (a, b))
            apart = max(apart, abs(x - y).max())
    print(f"pixels differ by at most {apart}")
    for name in commands:
        os.remove(f"{out}{name}.h5")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("make", "compare", "pil"))
    parser.add_argument("folder")
    parser.add_argument("count", nargs="?", type=int, default=10000)
    parser.add_argument("--lockstep", default="build/lockstep")
    parser.add_argument("--output")
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    if options.what == "make":
        make(options.folder, options.count)
    elif options.what == "pil":
        with_pil(options.folder, options.output, options.size, options.processes)
    else:
        compare(options)


if __name__ == "__main__":
    main()
