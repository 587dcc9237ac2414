#!/usr/bin/python3
"""Bottleneck features: a linear classifier on 39 of them, beside the net that they are cut from, and beside 39 principal
components. bottleneck_speech.py does so with frames of speech.

  bottleneck.py --data runs/fashion.h5 [--seeds 3] [--lockstep build/lockstep] [--folder DIR] [KEY=VALUE...]

runs the jobs bottleneck.yaml and bottleneck-linear.yaml for each seed.
"""
import argparse
import json
import os
import subprocess
import tempfile

import h5py
import numpy

JOBS = os.path.join(os.path.dirname(__file__), "..", "..", "launch", "jobs")
WIDTH = 39
SPLITS = "train", "valid", "test"


def principal_components(data, output):
    """The first 39 of the training rows, each with deviation 1."""
    with h5py.File(data) as file, h5py.File(output, "w") as out:
        rows = {split: file[f"{split}/x"][:].reshape(len(file[f"{split}/x"]), -1).astype("float64") for split in SPLITS}
        mean = rows["train"].mean(0)
        variances, basis = numpy.linalg.eigh(numpy.cov((rows["train"] - mean).T))
        basis = (basis / numpy.sqrt(numpy.maximum(variances, 1e-12)))[:, ::-1][:, :WIDTH]
        for split, x in rows.items():
            out[f"{split}/x"] = ((x - mean) @ basis).astype("float32")
            file.copy(f"{split}/y", out[split], "y")


def train(lockstep, run, job, *keys):
    """Accuracy on the test rows."""
    subprocess.run([lockstep, "train", job, f"run={run}", *keys, "--resume=never", "--overwrite"], check=True,
                   stdout=subprocess.DEVNULL)
    said = subprocess.run([lockstep, "evaluate", run, "--split", "test", "--json"], check=True, capture_output=True, text=True)
    accuracy = json.loads(said.stdout)["accuracy"]
    print(f"{os.path.basename(run):10} accuracy {accuracy:.4f} on test rows", flush=True)


def extract(lockstep, run, output):
    subprocess.run([lockstep, "extract", run, "--layer", "narrow", "-o", output, "--force"], check=True,
                   stdout=subprocess.DEVNULL)


def pictures(folder, arguments):
    lockstep = arguments.lockstep
    principal_components(arguments.data, f"{folder}/components.h5")
    for seed in range(1, arguments.seeds + 1):
        keys = f"seed={seed}", *arguments.keys
        train(lockstep, f"{folder}/net-{seed}", f"{JOBS}/bottleneck.yaml", f"data={arguments.data}", *keys)
        extract(lockstep, f"{folder}/net-{seed}", f"{folder}/narrow.h5")
        for name in "narrow", "components":
            train(lockstep, f"{folder}/{name}-{seed}", f"{JOBS}/bottleneck-linear.yaml", f"data={folder}/{name}.h5", *keys)


def in_folder(folder, run, *arguments):
    """run(folder, ...); without a folder in one that is removed."""
    if folder:
        os.makedirs(folder, exist_ok=True)
        run(folder, *arguments)
    else:
        with tempfile.TemporaryDirectory() as folder:
            run(folder, *arguments)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="the data set of launch/jobs/bottleneck.yaml")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--lockstep", default="build/lockstep")
    parser.add_argument("--folder", help="where runs are kept; without it, nothing is")
    parser.add_argument("keys", nargs="*", help="KEY=VALUE of the jobs")
    arguments = parser.parse_args()
    in_folder(arguments.folder, pictures, arguments)


if __name__ == "__main__":
    main()
