#!/usr/bin/python3
"""How fast do sounds become features? `lockstep import wav` beside the same formulas in numpy (tests/parity/speech.py).

  sounds.py [--lockstep build/lockstep] [--minutes 100] [--rate 16000]

Makes minutes of noise in files of 20 s, imports them on one thread, and prints seconds of work for a second of sound (the
real-time factor of a core), and the peak of memory; then the same of numpy, which reads a tenth of them.
"""
import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time

import numpy

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "parity"))
import speech

SECONDS = 20


def by_numpy(files):
    """One process of numpy; returns seconds of work."""
    begin = time.process_time()
    for path in files:
        speech.features(*speech.load(path)).astype("float32")
    return time.process_time() - begin


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lockstep", default="build/lockstep")
    parser.add_argument("--minutes", type=int, default=100)
    parser.add_argument("--rate", type=int, default=16000)
    arguments = parser.parse_args()
    random = numpy.random.default_rng(1)
    count = arguments.minutes * 60 // SECONDS
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(f"{folder}/sounds")
        files = [f"{folder}/sounds/{i:06d}.wav" for i in range(count)]
        for path in files:
            speech.save(path, random.normal(size=(SECONDS * arguments.rate, 1)) * 3000, arguments.rate)
        for threads, options in ((1, []), (2, []), (1, ["--rate", "8000"])):
            before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.time()
            subprocess.run([arguments.lockstep, "import", "wav", f"{folder}/sounds", "-o", f"{folder}/sounds.h5", "--force",
                            "--threads", str(threads), *options], check=True, stdout=subprocess.DEVNULL)
            after, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.time() - begin
            work = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            print(f"lockstep, {threads} thread(s) {' '.join(options):12} {work / count / SECONDS:.6f} s of a core for a "
                  f"second of sound, {wall:.2f} s in all, {after.ru_maxrss / 1024:.0f} MiB at most")
        part = files[:max(1, count // 10)]
        print(f"numpy                            {by_numpy(part) / len(part) / SECONDS:.6f} s")


if __name__ == "__main__":
    main()
