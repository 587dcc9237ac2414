#!/usr/bin/python3
"""ngram: n-grams with modified Kneser-Ney smoothing (Chen and Goodman 1998) on the tokens of a data set of `import text`.

  ngram.py DATA.h5 [--most 10]

Prints bits a token and perplexity on valid and test for n = 1 to MOST; the n that is best on valid is marked. What is counted is
what `lockstep evaluate` counts: all tokens of the split but its first, whose contexts begin with the split.

With c(hw) counts of n-grams, h' the history h without its first token and N_k(h) the tokens w with c(hw) = k (3: and more):

    p(w | h) = (c(hw) - D(c(hw))) / c(h) + (D_1 N_1(h) + D_2 N_2(h) + D_3 N_3(h)) / c(h) * p(w | h')
    D_k = k - (k + 1) n_1 / (n_1 + 2 n_2) n_(k+1) / n_k,        n_k: n-grams that come k times

Where so few n-grams are there that D_k is not between 0 and k, it is k / 2. At the highest n c are counts; below, of how many different tokens stand before the n-gram. A history that was not seen leaves
p(w | h') as it is. Below n = 1 all tokens of the vocabulary are equally probable.
"""
import argparse

import h5py
import numpy

SPLITS = "train", "valid", "test"


def discounts(count):
    """D_0 to D_3 for n-grams that come 0, 1, 2, 3 and more times."""
    n = [numpy.count_nonzero(count == k) for k in range(1, 5)]
    y = n[0] / (n[0] + 2 * n[1]) if n[0] else 0
    found = [k - (k + 1) * y * n[k] / n[k - 1] if n[k - 1] else 0 for k in (1, 2, 3)]
    return numpy.array([0, *(d if 0 < d < k else k / 2 for k, d in zip((1, 2, 3), found))])


class Level:
    """The n-grams of one length: count[id] in train, and the history of each that comes there."""

    def __init__(self, count, history, histories):
        seen = count > 0
        d = discounts(count)
        cut = numpy.minimum(count, 3)
        self.total = numpy.bincount(history[seen], weights=count[seen], minlength=histories)
        self.rest = numpy.bincount(history[seen], weights=d[cut[seen]], minlength=histories)
        self.kept = count - d[cut]

    def mix(self, ids, histories, lower):
        total = self.total[histories]
        known = total > 0
        whole = numpy.where(known, total, 1)
        mixed = (self.kept[ids] + self.rest[histories] * lower) / whole
        return numpy.where(known, mixed, lower)


def evaluate(tokens, vocabulary, most):
    """bits[n - 1][split] for valid and test; tokens: a list of three arrays."""
    everything = numpy.concatenate(tokens).astype(numpy.int64)
    border = numpy.cumsum([0, *(len(part) for part in tokens)])
    place = numpy.concatenate([numpy.arange(len(part)) for part in tokens])  # within its split
    train = border[1]
    judged = [numpy.arange(border[k] + 1, border[k + 1]) for k in (1, 2)]
    lower = [numpy.full(len(at), 1 / vocabulary) for at in judged]
    before = numpy.zeros(len(everything), numpy.int64)  # the id of the n-gram of length n - 1 that ends there
    bits = []
    for n in range(1, most + 1):
        history = numpy.concatenate([[0], before[:-1]]) if n > 1 else before
        histories = int(before.max()) + 1
        _, ids = numpy.unique(history * vocabulary + everything, return_inverse=True)
        inside = numpy.flatnonzero(place[:train] >= n - 1)  # n-grams that lie within train
        count = numpy.bincount(ids[inside], minlength=int(ids.max()) + 1)
        of = numpy.zeros(len(count), numpy.int64)
        of[ids[inside]] = history[inside]
        highest = Level(count, of, histories)
        # The n-grams one longer, each once, say how many tokens stand before each of these.
        longer = numpy.flatnonzero(place[:train] >= n)
        pairs = numpy.unique(ids[longer] * vocabulary + everything[longer - n])
        continued = Level(numpy.bincount(pairs // vocabulary, minlength=len(count)), of, histories)
        row = []
        for k, at in enumerate(judged):
            far = place[at] >= n - 1
            asked = at[far]
            p = lower[k].copy()
            p[far] = highest.mix(ids[asked], history[asked], lower[k][far])
            row.append(float(-numpy.log2(p).mean()) if len(p) else float("nan"))
            lower[k][far] = continued.mix(ids[asked], history[asked], lower[k][far])
        bits.append(row)
        before = ids
    return bits


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("--most", type=int, default=10)
    a = parser.parse_args()
    with h5py.File(a.data) as file:
        vocabulary = int(file["train/x"].attrs["classes"])
        tokens = [file[f"{split}/x"][:] if split in file else numpy.zeros(0, int) for split in SPLITS]
    bits = evaluate(tokens, vocabulary, a.most)
    judge = 0 if len(tokens[1]) > 1 else 1
    best = min(range(len(bits)), key=lambda n: bits[n][judge])
    print(f"{a.data}: {len(tokens[0])} tokens of {vocabulary}; bits (perplexity) a token")
    for n, (valid, test) in enumerate(bits):
        mark = "  best on " + SPLITS[1 + judge] if n == best else ""
        print(f"n = {n + 1:2}   valid {valid:.4f} ({2 ** valid:.2f})   test {test:.4f} ({2 ** test:.2f}){mark}")


if __name__ == "__main__":
    main()
