#!/usr/bin/python3
"""timing: the timing task of Gers, Schraudolph and Schmidhuber (2002): are two spikes 49 or 50 steps apart?

  timing.py -o runs/timing.h5
  timing.py -o runs/timing.h5 --lockstep build/lockstep [--seeds 5]     trains launch/jobs/timing.yaml too

A row is [75, 1]: 0, but for a spike at one of the first 25 steps, and one 49 (label 0) or 50 steps (label 1) later. Spikes have
random heights from 0.5 to 1.5, so no row of the test has been seen in training. The net is asked at the end.

With --lockstep, each seed is trained with peepholes and without, by the same job, and the accuracy on the test rows is printed.
"""
import argparse
import json
import subprocess

import h5py
import numpy

STEPS, STARTS, DELAYS = 75, 25, (49, 50)
ROWS = {"train": 2000, "valid": 500, "test": 1000}


def draw(random, rows):
    x, y = numpy.zeros((rows, STEPS, 1), numpy.float32), random.integers(0, 2, rows)
    first = random.integers(0, STARTS, rows)
    for spike in first, first + numpy.array(DELAYS)[y]:
        x[numpy.arange(rows), spike, 0] = random.uniform(0.5, 1.5, rows)
    return x, y


def write(path):
    random = numpy.random.default_rng(1)
    with h5py.File(path, "w") as file:
        for split, rows in ROWS.items():
            x, y = draw(random, rows)
            file[f"{split}/x"] = x
            file[f"{split}/y"] = y.astype(numpy.uint8)
            file[f"{split}/y"].attrs["classes"] = 2


def accuracy(a, seed, peephole):
    run = f"{a.output[:-3]}-{'with' if peephole else 'without'}-{seed}"
    common = ["mpirun", "-n", str(a.ranks), "--oversubscribe", "--bind-to", "none", a.lockstep]
    job = ["launch/jobs/timing.yaml", f"data={a.output}", f"run={run}", f"seed={seed}", *a.keys]
    if not peephole:
        job.append("model=" + open("launch/jobs/timing.yaml").read().split("model:")[1].split("\n")[0].replace("peephole=1", ""))
    subprocess.run([*common, "train", *job, "--resume=never", "--overwrite"], check=True, stdout=subprocess.DEVNULL)
    found = subprocess.run([a.lockstep, "evaluate", run, "--split", "test", "--json"], check=True, capture_output=True)
    return json.loads(found.stdout)["accuracy"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", required=True)
    parser.add_argument("--lockstep", help="the program: trains and evaluates")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--ranks", type=int, default=1)
    parser.add_argument("keys", nargs="*", help="KEY=VALUE of the job")
    a = parser.parse_args()
    write(a.output)
    for peephole in (True, False) if a.lockstep else ():
        found = [accuracy(a, seed, peephole) for seed in range(1, a.seeds + 1)]
        name = "with peepholes" if peephole else "without"
        print(f"{name:15}", *(f"{value:.4f}" for value in found), f" {sum(value >= 0.95 for value in found)} of {a.seeds} at 0.95",
              flush=True)


if __name__ == "__main__":
    main()
