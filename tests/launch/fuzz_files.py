#!/usr/bin/env python3
"""fuzz_files: damages data sets, features and checkpoints, by seed, and gives them to the commands that read files.

    LSAN_OPTIONS=... fuzz_files.py LOCKSTEP [FIRST [COUNT]]      seeds FIRST, FIRST + 1, ... (0 100)

Run it in an empty folder. A command may take a damaged file or refuse it (65, 74), but not end by a signal, by a
sanitizer or by a failed check, and not hang. Each failure is told with its seed, its file stays as seed-N.h5; code 1.
"""
import os
import pathlib
import random
import shutil
import subprocess
import sys

import h5py
import numpy

ROWS, SECONDS = 24, 300
CODES = {0, 64, 65, 74}  # as DESIGN.md has them; 70 only where damaged numbers are no longer finite
JOB = "{data: data.h5, net: dense units=4, optimizer: momentum rate=0.01, run: run, steps: 2, shards: 1}\n"


def run(lockstep, arguments, **options):
    return subprocess.run([lockstep, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=SECONDS, **options)


def fill(file, **storage):
    """A data set with all that people put beside the numbers: texts and lists of texts of varying and fixed length."""
    numbers = numpy.random.default_rng(1)
    file.attrs["source"] = "a table"
    for split in ("train", "test"):
        group = file.create_group(split)
        group.attrs["about"] = split + " rows"
        x = group.create_dataset("x", data=numbers.random((ROWS, 6), dtype="f4"), **storage)
        y = group.create_dataset("y", data=numpy.arange(ROWS) % 4)
        if not storage:
            group["names"] = [f"row {row}" for row in range(ROWS)]
        x.attrs.update({"scale": 2.0, "layout": "features", "columns": list("abcdef"), "fixed": numpy.bytes_("as it is")})
        y.attrs.update({"classes": 4, "class_names": "ant\nbee\ncat\ndog"})
    file["notes"] = ["one", "two"]


def fill_oddly(file):
    """What HDF5 knows besides, in a data set that all commands read: order of names, records, lists, types with names."""
    numbers = numpy.random.default_rng(2)
    file["types/real"] = numpy.dtype("f8")
    group = file.create_group("train", track_order=True)
    group.create_dataset("x", data=numbers.random((ROWS, 6)), dtype=file["types/real"], track_order=True)
    group["y"] = numpy.arange(ROWS) % 4
    for i in range(40):
        group["x"].attrs[f"attribute {i}"] = [f"text {i}"] * 2 if i % 3 else i
    file["records"] = numpy.zeros(5, [("name", "S8"), ("where", "f4", 3), ("inner", [("a", "i2"), ("b", "u1")])])
    lists = file.create_dataset("lists", (4,), h5py.vlen_dtype("i4"))
    for i in range(4):
        lists[i] = range(i)
    file["soft"] = h5py.SoftLink("/train/x")


def make_samples(lockstep):
    """{name: bytes}, and the model and run that other files are read with."""
    storages = {"data": {}, "gzip": {"chunks": (7, 3), "compression": "gzip", "shuffle": True}, "latest": {}}
    for name, storage in storages.items():
        with h5py.File(name + ".h5", "w", libver="latest" if name == "latest" else "earliest") as file:
            fill(file, **storage)
    with h5py.File("odd.h5", "w", libver="latest", track_order=True) as file:
        fill_oddly(file)
    with h5py.File("paged.h5", "w", fs_strategy="page", fs_page_size=512, fs_persist=True) as file:
        fill_oddly(file)
    pathlib.Path("job.yaml").write_text(JOB)
    for arguments in (["train", "job.yaml"],
                      ["extract", "run", "--layer", "dense1", "--data", "data.h5", "-o", "features.h5"]):
        done = run(lockstep, arguments)
        if done.returncode:
            sys.exit(f"the samples can't be made: {' '.join(arguments)}: {done.stdout.decode()}")
    shutil.copy("run/checkpoints/step-00000002.h5", "checkpoint.h5")
    return {name: pathlib.Path(name + ".h5").read_bytes() for name in (*storages, "odd", "paged", "features", "checkpoint")}


def commands(name, file):
    """What reads a sample of this kind, with the file in its place."""
    always = [["inspect", file], ["verify", file], ["inspect", "--diff", name + ".h5", file]]
    if name == "checkpoint":
        return always + [["train", "job.yaml", f"run=run-{file}", "--weights", file]]
    if name == "features":
        return always + [["train", "job.yaml", f"run=run-{file}", f"data={file}"]]
    return always + [["train", "job.yaml", f"run=run-{file}", f"data={file}"],
                     ["predict", "run", "--data", file, "-o", f"{file}.csv"],
                     ["import", "h5", file, "-o", f"import-{file}"],
                     ["extract", "run", "--layer", "dense1", "--data", file, "-o", f"out-{file}"]]


def damage(whole, chance):
    """One to four wounds: bytes, blocks, numbers that mean much in sizes and addresses, pieces of elsewhere, the end."""
    file = bytearray(whole)
    telling = [0, 1, 2, 7, 8, 0x7F, 0xFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, len(file), len(file) - 8, 2**32, 2**63 - 1, 2**64 - 1]
    places = [at for at in range(len(file)) if file[at]]  # what is not zero says something
    for _ in range(chance.choice((1, 1, 2, 4))):
        kind, at = chance.randrange(6), chance.choice(places)
        if kind == 0:
            file[at] ^= 1 << chance.randrange(8)
        elif kind == 1:
            file[at] = chance.randrange(256)
        elif kind == 2:
            size = chance.choice((1, 2, 4, 8))
            file[at:at + size] = (chance.choice(telling) % 256**size).to_bytes(size, "little")
        elif kind == 3:
            size = chance.randrange(1, 65)
            file[at:at + size] = chance.choice((bytes(size), b"\xff" * size, chance.randbytes(size)))
        elif kind == 4:
            start, size = chance.choice(places), chance.randrange(1, 513)
            file[at:at + size] = file[start:start + size]
        elif chance.random() < 0.3:
            del file[at:]
        del file[len(whole):]
        places = [at for at in places if at < len(file)]
        if not places:
            break
    return bytes(file)


def complaint(lockstep, arguments):
    """What is wrong with how a command ended, or None."""
    try:
        done = run(lockstep, arguments)
    except subprocess.TimeoutExpired:
        return f"still ran after {SECONDS} s"
    said = done.stdout.decode(errors="replace")
    if done.returncode in CODES or (done.returncode == 70 and "is not finite" in said):
        return None
    return f"code {done.returncode}: {said[-1500:]}"


def main():
    lockstep, first, count = sys.argv[1], *map(int, (sys.argv[2:] + ["0", "100"][len(sys.argv) - 2:])[:2])
    os.environ["TMPDIR"] = os.getcwd()  # MPI's own files: other jobs that end can take away those in /tmp
    os.environ["ASAN_OPTIONS"] = "detect_leaks=0:exitcode=99:" + os.environ.get("ASAN_OPTIONS", "")
    samples = make_samples(lockstep)
    failures = 0
    for seed in range(first, first + count):
        name = list(samples)[seed % len(samples)]
        file = f"seed-{seed}.h5"
        pathlib.Path(file).write_bytes(damage(samples[name], random.Random(seed)))
        wrong = [(arguments, text) for arguments in commands(name, file) if (text := complaint(lockstep, arguments))]
        for arguments, text in wrong:
            print(f"seed {seed} ({name}): lockstep {' '.join(arguments)}: {text}", flush=True)
        failures += bool(wrong)
        shutil.rmtree("run-" + file, ignore_errors=True)
        for left in (f"{file}.csv", f"out-{file}", f"import-{file}", *([] if wrong else [file])):
            pathlib.Path(left).unlink(missing_ok=True)
    print(f"{count} damaged files from seed {first}, {failures} of them not borne")
    sys.exit(failures > 0)


main()
