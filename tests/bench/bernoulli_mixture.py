#!/usr/bin/python3
"""bernoulli_mixture: how likely are binary rows by models that need no energies? In nats a row, beside an RBM's or a VAE's.

  bernoulli_mixture.py DATA.h5 [--components 100] [--iterations 100] [--seed 1] [--draws 1]

Independent pixels: ln p(x) = sum over i of x_i ln m_i + (1 - x_i) ln(1 - m_i). A mixture: ln sum over c of w_c p(x | m_c),
trained by expectation and maximisation (Bishop 2006, section 9.3.3), begun from means that are training rows drawn to the
overall mean, with one row of each value as a prior. The iteration that is best on the validation rows gives the figures.

Rows are made binary as `binarize=1` of an objective does it: a number is 1 with its value as the probability. Those of the
validation and test rows are the very ones that `lockstep evaluate` draws for a job of the seed --draws; training rows
are drawn anew at each iteration.
"""
import argparse

import h5py
import numpy

MASK, HALF = numpy.uint64(0xFFFFFFFF), numpy.uint64(32)
NOISE, PIXELS = 4, (1 << 24) + 1  # LS_RANDOM_NOISE and LS_STREAM_PIXELS of core/random.h
CHUNK = 1000


def philox(counter, key):
    """Philox4x32-10 (Salmon et al. 2011) of counters [4] of equal shape, as uint64 numbers below 2^32."""
    a, b, c, d = (numpy.asarray(word, numpy.uint64) for word in counter)
    left, right = (numpy.uint64(word) for word in key)
    for _ in range(10):
        first, second = a * numpy.uint64(0xD2511F53), c * numpy.uint64(0xCD9E8D57)
        a, b, c, d = second >> HALF ^ b ^ left, second & MASK, first >> HALF ^ d ^ right, first & MASK
        left, right = left + numpy.uint64(0x9E3779B9) & MASK, right + numpy.uint64(0xBB67AE85) & MASK
    return a, b, c, d


def uniform(seed, first, rows, width):
    """The numbers [rows, width] of [0, 1) that lockstep draws by the rows' numbers in evaluation (core/random.c)."""
    key = philox((0, 0, NOISE, 0xFFFFFFFE), (seed & 0xFFFFFFFF, seed >> 32))[:2]
    key = philox((0, 0, PIXELS, 0xFFFFFFFF), key)[:2]
    row, block = numpy.indices((rows, (width + 3) // 4), numpy.uint64)
    words = philox((row + numpy.uint64(first), 0 * row, block, 0 * row), key)
    bits = numpy.stack(words, 2).reshape(rows, -1)[:, :width] >> numpy.uint64(8)
    return bits.astype(numpy.float32) * numpy.float32(2**-24)


def evaluation_rows(grey, seed):
    """Grey rows [rows, width] made binary, as `lockstep evaluate` does it."""
    return numpy.concatenate([uniform(seed, i, len(grey[i:i + CHUNK]), grey.shape[1]) < grey[i:i + CHUNK]
                              for i in range(0, len(grey), CHUNK)])


class Mixture:
    """w [components], m [components, width]."""

    def __init__(self, weights, means):
        self.weights, self.means = weights, means

    def joint(self, x):
        """ln w_c p(x | m_c) [rows, components]."""
        high, low = numpy.log(self.means), numpy.log1p(-self.means)
        return x @ (high - low).T + (low.sum(1) + numpy.log(self.weights))

    def likelihood(self, x):
        """The mean of ln p(x) over binary rows."""
        total = 0.0
        for i in range(0, len(x), CHUNK):
            joint = self.joint(x[i:i + CHUNK].astype(numpy.float32))
            total += numpy.logaddexp.reduce(joint.astype(float), 1).sum()
        return total / len(x)

    def maximised(self, grey, random):
        """One iteration on rows drawn by their grey values."""
        count, ones = numpy.ones(len(self.weights)), numpy.ones(self.means.shape)
        for i in range(0, len(grey), CHUNK):
            p = grey[i:i + CHUNK]
            x = (random.random(p.shape, numpy.float32) < p).astype(numpy.float32)
            joint = self.joint(x)
            share = numpy.exp(joint - numpy.logaddexp.reduce(joint, 1)[:, None])
            count += share.sum(0)
            ones += share.T @ x
        return Mixture(count / count.sum(), (ones / (count + 1)[:, None]).astype(numpy.float32))


def begin(grey, components, random):
    rows = grey[random.choice(len(grey), components, replace=False)]
    return Mixture(numpy.full(components, 1 / components), (0.25 * rows + 0.75 * grey.mean(0)).clip(0.01, 0.99))


def grey_rows(split):
    x = split["x"]
    scale, offset = (numpy.float32(x.attrs.get(name, default)) for name, default in (("scale", 1), ("offset", 0)))
    return x[()].reshape(len(x), -1).astype(numpy.float32) * scale + offset


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("--components", type=int, default=100)
    parser.add_argument("--iterations", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1, help="of the first means and the training draws (1)")
    parser.add_argument("--draws", type=int, default=1, help="the seed of the job whose evaluation draws are taken (1)")
    a = parser.parse_args()
    with h5py.File(a.data) as file:
        train, valid, test = (grey_rows(file[split]) for split in ("train", "valid", "test"))
    valid, test = (evaluation_rows(x, a.draws) for x in (valid, test))
    random = numpy.random.default_rng(a.seed)
    single = Mixture(numpy.ones(1), ((train.sum(0) + 1) / (len(train) + 2))[None].astype(numpy.float32))
    print(f"independent pixels: valid {single.likelihood(valid):.3f}  test {single.likelihood(test):.3f}", flush=True)
    model = best = begin(train, a.components, random)
    most = model.likelihood(valid)
    for iteration in range(a.iterations):
        model = model.maximised(train, random)
        found = model.likelihood(valid)
        if found > most:
            most, best = found, model
        if (iteration + 1) % 10 == 0:
            print(f"iteration {iteration + 1}: valid {found:.3f}", flush=True)
    print(f"mixture of {a.components}: valid {most:.3f}  test {best.likelihood(test):.3f}")


if __name__ == "__main__":
    main()
