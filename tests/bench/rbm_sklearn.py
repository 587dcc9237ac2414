#!/usr/bin/python3
"""rbm_sklearn: features of an RBM on scikit-learn's own example, by scikit-learn's BernoulliRBM and by lockstep.

  rbm_sklearn.py --lockstep build/lockstep [--seeds 1,2,3]

The example is "Restricted Boltzmann Machine features for digit classification" of scikit-learn's gallery: 1,797 digits of
8x8 pixels, each with four copies that are moved by a pixel, a fifth of all of them for testing, an RBM of 100 hidden
units (rate 0.06, batches of 10, 10 passes) and logistic regression (C = 6000) on its hidden probabilities. lockstep trains
on the same rows with the same rate, batch and passes, and as BernoulliRBM does it: by persistent chains, as many as
rows of a batch, with one Gibbs step each. Both features go through the same logistic regression. Prints the test accuracy
of each seed. Needs Debian's python3-sklearn (`launch/install/packages.sh figures`).
"""
import argparse
import os
import subprocess
import tempfile

import h5py
import numpy
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neural_network import BernoulliRBM
from sklearn.preprocessing import minmax_scale

HIDDEN, RATE, BATCH, EPOCHS = 100, 0.06, 10, 10
JOB = f"""
data: digits.h5
run: run
model: rbm visible=64 hidden={HIDDEN}
objective: rbm k=1 chains={BATCH}
optimizer: sgd rate={RATE}
schedule: constant
batch: {BATCH}
epochs: {EPOCHS}
evaluate: {{every: never}}
checkpoint: {{every: {EPOCHS} epochs, keep: 1}}
"""


def nudged(x, y):
    """The rows, then those moved up, left, right and down by a pixel, with zeros behind them, as the example does it."""
    padded = numpy.pad(x.reshape(-1, 8, 8), ((0, 0), (1, 1), (1, 1)))
    moves = [(1, 1), (2, 1), (1, 2), (1, 0), (0, 1)]
    moved = [padded[:, down:down + 8, right:right + 8].reshape(-1, 64) for down, right in moves]
    return numpy.concatenate(moved), numpy.tile(y, len(moves))


def split():
    x, y = nudged(*load_digits(return_X_y=True))
    x = minmax_scale(x.astype(numpy.float32), feature_range=(0, 1))
    return train_test_split(x, y, test_size=0.2, random_state=0)


def theirs(seed, train, test):
    rbm = BernoulliRBM(n_components=HIDDEN, learning_rate=RATE, batch_size=BATCH, n_iter=EPOCHS, random_state=seed)
    return rbm.fit_transform(train), rbm.transform(test)


def ours(lockstep, seed, train, test):
    with tempfile.TemporaryDirectory() as folder:
        def command(*words):
            done = subprocess.run([lockstep, *words], cwd=folder, capture_output=True, text=True)
            if done.returncode:
                raise SystemExit(f"{' '.join(words)}\n{done.stderr}{done.stdout}")

        with h5py.File(os.path.join(folder, "digits.h5"), "w") as file:
            file["train/x"], file["test/x"] = train, test
        with open(os.path.join(folder, "job.yaml"), "w") as file:
            file.write(JOB)
        command("train", "job.yaml", f"seed={seed}")
        command("extract", "run", "--layer", "activation1", "-o", "features.h5")
        with h5py.File(os.path.join(folder, "features.h5")) as file:
            return file["train/x"][()], file["test/x"][()]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lockstep", required=True)
    parser.add_argument("--seeds", default="1,2,3")
    a = parser.parse_args()
    lockstep = os.path.abspath(a.lockstep)
    x_train, x_test, y_train, y_test = split()
    logistic = LogisticRegression(solver="newton-cg", tol=1, C=6000)

    def accuracy(train, test):
        return clone(logistic).fit(train, y_train).score(test, y_test)

    print(f"raw pixels: {accuracy(x_train, x_test):.4f}")
    for seed in map(int, a.seeds.split(",")):
        print(f"seed {seed}: scikit-learn {accuracy(*theirs(seed, x_train, x_test)):.4f}  "
              f"lockstep {accuracy(*ours(lockstep, seed, x_train, x_test)):.4f}", flush=True)


if __name__ == "__main__":
    main()
