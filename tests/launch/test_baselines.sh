#!/usr/bin/env bash
# test_baselines: what README's figures are measured on and against: OpenCV's digits, mails and the splice junctions as data
# sets, the mixture of Bernoulli distributions, which sees the very rows that lockstep draws, and scikit-learn's example.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
export PYTHONDONTWRITEBYTECODE=1
bench=$tests/bench

# --- Digits: a picture in which the pixels of a digit say which class, line and column it is of.
"$python" - <<'END'
import numpy
from PIL import Image
cells = numpy.zeros((50, 20, 100, 20), numpy.uint8)
cells[:, 2:18, :, 2:18] = 1
cells[:, 5, :, 5] = numpy.arange(50)[:, None]
cells[:, 5, :, 6] = numpy.arange(100)
Image.fromarray(cells.reshape(1000, 2000)).save("picture.png")
Image.fromarray(cells.reshape(1000, 2000)[:, :400]).save("narrow.png")
END
expect 0 "$bench/digits.py" --image picture.png --valid 50 -o digits.h5
expect 0 "$bench/digits.py" --image picture.png --deskew --margin 2 -o upright.h5
"$python" - <<'END'
import h5py, numpy
file = h5py.File("digits.h5")
seen = set()
for split, rows, columns in ("train", 2000, range(50)), ("valid", 500, range(50)), ("test", 2500, range(50, 100)):
    x, y = file[f"{split}/x"][()], file[f"{split}/y"][()]
    assert x.shape == (rows, 20, 20, 1) and list(y) == [i % 10 for i in range(rows)], split
    assert (x[:, 5, 5, 0] // 5 == y).all(), f"{split}: a digit has another class's label"
    assert set(x[:, 5, 6, 0]) <= set(columns), f"{split}: a digit of the other half"
    seen |= {(line, column) for line, column in x[:, 5, 5:7, 0]}
assert len(seen) == 5000, "a digit is missing, or there twice"
assert h5py.File("upright.h5")["train/x"].shape == (2500, 24, 24, 1) and "valid" not in h5py.File("upright.h5")
END
expect 1 "$bench/digits.py" --image narrow.png -o narrow.h5
says 'narrow.png: expected a picture of 2000x1000 pixels, found 400x1000'
expect 1 "$bench/digits.py" --image picture.png --valid 250 -o none.h5
says '--valid 250: expected 0 to 249, of 250 digits a class'

# A stroke that leans is upright afterwards, and one that is upright stays as it is.
"$python" - "$bench" <<'END'
import sys, numpy
sys.path.insert(0, sys.argv[1])
import digits
strokes = numpy.zeros((1, 2, 20, 20), numpy.uint8)
for line in range(3, 18):
    strokes[0, 0, line, 9:11] = 200
    strokes[0, 1, line, [14 - line // 2, 15 - line // 2]] = 200
upright = digits.deskew(strokes).astype(float)
columns = numpy.arange(20)
means = (upright[0, :, 3:18] * columns).sum(2) / upright[0, :, 3:18].sum(2)
assert (upright[0, 0] == strokes[0, 0]).all()
assert means[1].std() < 0.3 < (strokes[0, 1, 3:18].astype(float) * columns).sum(1).std() / 400, means[1].std()
END

# --- The mixture. Its uniform numbers are Random123's (the known answer of philox4x32-10 for zeros), and the rows of an
# evaluation are those that lockstep draws.
cat >vae.yaml <<'END'
data: large.h5
model: vae widths=784,20 latent=3
objective: vae binarize=1
seed: 4294967299
END
data large large.h5
expect 0 "$lockstep" check vae.yaml --rows 20 --dump pass.h5
"$python" - "$bench" <<'END'
import sys, h5py, numpy
sys.path.insert(0, sys.argv[1])
import bernoulli_mixture as mixture
words = [int(word) for word in mixture.philox((0, 0, 0, 0), (0, 0))]
assert words == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8], words
with h5py.File("pass.h5") as file:
    grey, drawn = (file[name][()].reshape(20, -1) for name in ("input", "draws/pixels"))
mixture.CHUNK = 7
assert (mixture.evaluation_rows(grey, 4294967299) == drawn).all(), "other pixels than lockstep's"

# Its probabilities of all rows of 8 bits sum to 1, and it finds two clusters that independent pixels cannot have.
random = numpy.random.default_rng(1)
clusters = numpy.where(random.random((3000, 1)) < 0.3, [0.9] * 4 + [0.1] * 4, [0.2] * 4 + [0.8] * 4).astype(numpy.float32)
model = mixture.begin(clusters, 5, random)
for _ in range(30):
    model = model.maximised(clusters, random)
every = numpy.indices([2] * 8).reshape(8, -1).T.astype(numpy.float32)
total = numpy.exp(numpy.logaddexp.reduce(model.joint(every).astype(float), 1)).sum()
assert abs(total - 1) < 1e-5, total
x = random.random(clusters.shape) < clusters
true = mixture.Mixture(numpy.array([0.3, 0.7]), numpy.array([[0.9] * 4 + [0.1] * 4, [0.2] * 4 + [0.8] * 4]))
single = mixture.Mixture(numpy.ones(1), clusters.mean(0)[None])
assert single.likelihood(x) + 0.3 < model.likelihood(x) < true.likelihood(x) + 0.02, "the clusters were not found"
END

# --- scikit-learn's example of an RBM: features of lockstep's are as good, to 0.01 of accuracy.
if "$python" -c 'import sklearn' 2>/dev/null; then
    OMP_NUM_THREADS=1 expect 0 "$bench/rbm_sklearn.py" --lockstep "$lockstep" --seeds 2
    "$python" - out <<'END'
import re, sys
theirs, ours = map(float, re.search(r"seed 2: scikit-learn (\S+)  lockstep (\S+)", open(sys.argv[1]).read()).groups())
assert ours > theirs - 0.01 and theirs > 0.9, f"scikit-learn {theirs}, lockstep {ours}"
END
fi

# --- Mails: what stands in headers, tags and twice is no part of the rows; each split has the mails of its digits.
"$python" - <<'END'
import os
for folder in "easy-ham-1", "easy-ham-2", "hard-ham-1", "spam-1", "spam-2":
    os.makedirs(f"mails/{folder}")
    for i in range(16):
        for name in f"{i:05d}.{i:x}0", f"{i + 100:05d}.{(i + 1) % 16:x}1":   # its words are those of the first, in another split
            with open(f"mails/{folder}/{name}.txt", "wb") as file:
                words = "buy now" if "spam" in folder else "the list"
                file.write(f"Received: secret\nSubject: =?iso-8859-1?Q?caf=E9?=\nContent-Type: text/html; charset=nobodys\n"
                           f"Content-Transfer-Encoding: quoted-printable\n\n<b x=3D'hidden'>{words}</b> &amp; \\ 1{i},50 "
                           f"{folder.replace('-', ' ')} {'abcdefghijklmnop'[i]}x".encode())
END
if "$python" -c 'import sklearn' 2>/dev/null; then
    OMP_NUM_THREADS=1 expect 0 "$bench/spam.py" --mails mails --words 9 -o spam.h5
    says 'train: 30 mails, 10 of them spam'
    says 'logistic regression, the first 9 words: valid 1.0000  test 1.0000'
    "$python" - <<'END'
import h5py, numpy
with h5py.File("spam.h5") as file:
    words = bytes(file["vocabulary"]).decode().split("\n")[:-1]
    assert [len(file[f"{split}/x"]) for split in ("train", "valid", "test")] == [30, 6, 12]
    assert set(file["train/length"][()]) == {9} and file["train/x"].shape == (30, 9)
    said = [words[i] for i in file["test/x"][0]]
    assert said == ["café", "the", "list", "&", "\\x5c", "0", "easy", "ham", "0"], said
END
    sed 's/vocabulary=10000/vocabulary=23/' "$tests/../launch/jobs/spam.yaml" >spam.yaml
    expect 0 "$lockstep" train spam.yaml data=spam.h5 run=spam epochs=1
fi
expect 1 "$bench/spam.py" --mails . -o none.h5
says '.: expected the folders easy-ham-1, easy-ham-2, hard-ham-1, spam-1, spam-2 with mails, found 0 mails'

# --- A bottleneck of pictures, its linear classifier, and that of principal components.
"$python" - <<'END'
import h5py, numpy
with h5py.File("images.h5", "w") as file:
    for split in "train", "valid", "test":
        file[f"{split}/x"] = numpy.random.default_rng(1).integers(0, 256, (200, 28, 28, 1), dtype=numpy.uint8)
        file[f"{split}/x"].attrs["scale"] = 1 / 255
        file[f"{split}/y"] = numpy.arange(200, dtype=numpy.uint8) % 10
        file[f"{split}/y"].attrs["classes"] = 10
END
expect 0 "$bench/bottleneck.py" --data images.h5 --seeds 1 --lockstep "$lockstep" epochs=1
for name in net narrow components; do says "$name-1"; done

# --- The splice junctions: StatLog's 2,000 and 1,186 rows, by the numbers of their classes.
echo 'no workspace' | xz >not.rda
expect 1 "$bench/dna.py" --rda not.rda -o not.h5
says "not.rda: expected R's workspace format"
rda=/usr/lib/R/site-library/mlbench/data/DNA.rda
[ -e $rda ] || exit 0
expect 0 "$bench/dna.py" --rda $rda -o dna.h5
"$python" - <<'END'
import h5py, numpy
with h5py.File("dna.h5") as file:
    x = numpy.concatenate([file[f"{split}/x"][()] for split in ("train", "valid", "test")])
    y = [file[f"{split}/y"][()] for split in ("train", "valid", "test")]
assert list(numpy.bincount(numpy.concatenate(y[:2]))) == [464, 485, 1051] and list(numpy.bincount(y[2])) == [303, 280, 603]
letters = x.reshape(-1, 60, 3).sum(2)
assert x.shape == (3186, 180) and set(letters.flat) == {0, 1}, "a letter has at most one bit"
splice = x.reshape(-1, 60, 3)[numpy.concatenate(y) == 0, 30:32] # a donor site is GT, behind the junction
assert (splice[:, 0, 2] == 1).mean() > 0.95 and (splice[:, 1].sum(1) == 0).mean() > 0.95, "no GT behind exons"
END
