#!/usr/bin/python3
"""Bottleneck features of speech frames: a linear classifier on 39 of them, beside the net that they are cut from, and beside 39
principal components.

  bottleneck_speech.py [--lockstep build/lockstep] [--sentences 500] [--folder DIR]

espeak-ng reads sentences of README.md by voices of the training, validation or test rows, no voice in two of them, and says
when each phoneme begins; `lockstep import wav --segments` makes frames with a label each of that, and each frame with its
neighbours becomes a row. A net with a layer of 39 units is trained on the rows; `lockstep extract` cuts the features; a
classifier of one dense layer learns from them, and from 39 principal components of the frames.
"""
import argparse
import ctypes
import os
import re
import subprocess

import h5py
import numpy

import bdg
import bottleneck

CONTEXT, BANDS, PHONEMES = 5, 24, 40
ROWS = {"train": 60000, "valid": 6000, "test": 12000}
JOB = """
data: {data}
seed: 1
net: |
{net}
optimizer: adam rate=0.001
schedule: cosine
batch: 256
epochs: {epochs}
evaluate: {{every: 1 epoch, split: valid}}
checkpoint: {{every: 100 epoch, keep: 1}}
"""


class Event(ctypes.Structure):
    """espeak_EVENT of espeak-ng's speak_lib.h."""
    _fields_ = [("type", ctypes.c_int), ("identifier", ctypes.c_uint), ("position", ctypes.c_int), ("length", ctypes.c_int),
                ("milliseconds", ctypes.c_int), ("sample", ctypes.c_int), ("user", ctypes.c_void_p),
                ("name", ctypes.c_char * 8)]


class Reader(bdg.Speaker):
    """Notes when each phoneme begins."""
    PHONEME_EVENTS, PHONEME = 1, 7

    def __init__(self):
        super().__init__(self.PHONEME_EVENTS)
        self.begun = []

    def add(self, samples, count, events):
        event = ctypes.cast(events, ctypes.POINTER(Event))
        for i in range(10000):
            if event[i].type == 0:
                break
            if event[i].type == self.PHONEME:
                self.begun.append((event[i].milliseconds / 1000, event[i].name.decode("utf-8", "replace")))
        return super().add(samples, count, events)


def read_aloud(folder, sentences):
    """Sounds and segments of each split, by voices of its own."""
    reader, voices = Reader(), bdg.variants()
    with open(os.path.join(os.path.dirname(__file__), "..", "..", "README.md"), encoding="utf-8") as file:
        words = re.findall(r"[a-z]{2,12}", file.read().lower())
    for split in ROWS:
        random = numpy.random.default_rng([len(split), ord(split[1])])
        os.makedirs(f"{folder}/{split}", exist_ok=True)
        count = sentences if split == "train" else sentences // 4
        for i in range(count):
            reader.begun = []
            at = random.integers(len(words) - 8)
            sound = reader.say(f"en-us+{random.choice(voices[split])}", " ".join(words[at:at + 8]), random.integers(20, 80),
                               random.integers(130, 200))
            sound = sound + 1e-3 * random.normal(size=len(sound))
            bdg.save(f"{folder}/{split}/{i:05d}.wav", sound, bdg.RATE)
            ends = [begin for begin, _ in reader.begun[1:]] + [len(sound) / bdg.RATE]
            with open(f"{folder}/{split}/{i:05d}.lab", "w", encoding="utf-8") as file:
                file.writelines(f"{begin} {end} {name}\n" for (begin, name), end in zip(reader.begun, ends)
                                if name.strip() and end > begin)
        with open(f"{folder}/{split}.list", "w", encoding="utf-8") as file:
            file.writelines(f"{split}/{i:05d}.wav\n" for i in range(count))


def frames(path):
    """Rows, names of their labels."""
    with h5py.File(path) as file:
        x, y, length = file["train/x"], file["train/y"], file["train/length"][:]
        names = y.attrs["class_names"]
        names = (names.decode() if isinstance(names, bytes) else names).split("\n")
        inside = numpy.arange(x.shape[1]) < length[:, None]
        return x[:][inside], numpy.array(names)[y[:][inside]]


def make_rows(folder, lockstep):
    """One data set of frames, those of the most frequent phonemes."""
    found = {}
    for split in ROWS:
        subprocess.run([lockstep, "import", "wav", f"{folder}/{split}.list", "-o", f"{folder}/{split}.h5", "--force",
                        "--segments", "lab", "--bands", str(BANDS), "--rate", "16000", "--normalize", "variance",
                        "--context", str(CONTEXT)], check=True, stdout=subprocess.DEVNULL)
        found[split] = frames(f"{folder}/{split}.h5")
    names, counts = numpy.unique(found["train"][1], return_counts=True)
    frequent = [name for _, name in sorted(zip(counts, names), reverse=True) if name != "none"]
    chosen = sorted(frequent[:PHONEMES])
    with h5py.File(f"{folder}/frames.h5", "w") as file:
        for split, (x, y) in found.items():
            kept = numpy.isin(y, chosen).nonzero()[0]
            kept = numpy.random.default_rng(1).permutation(kept)[:ROWS[split]]
            file[f"{split}/x"] = x[kept]
            file[f"{split}/y"] = numpy.searchsorted(chosen, y[kept]).astype("int32")
            file[f"{split}/y"].attrs["classes"] = len(chosen)
            print(f"{split}: {len(kept)} frames of {len(chosen)} phonemes")
    return len(chosen)


def speech(folder, arguments):
    lockstep = arguments.lockstep
    read_aloud(folder, arguments.sentences)
    classes = make_rows(folder, lockstep)

    def train_net(name, data, lines, epochs):
        job = f"{folder}/{name}.yaml"
        with open(job, "w", encoding="utf-8") as file:
            file.write(JOB.format(data=f"{folder}/{data}", epochs=epochs, net="\n".join("  " + line for line in lines)))
        bottleneck.train(lockstep, f"{folder}/{name}", job)

    train_net("net", "frames.h5",
              ["batchnorm", "dense units=512", "batchnorm relu=1", "dropout rate=0.2", "dense units=512", "batchnorm relu=1",
               f"narrow: dense units={bottleneck.WIDTH}", "batchnorm", "dense units=256", "batchnorm relu=1",
               f"dense units={classes}"],
              12)
    bottleneck.extract(lockstep, f"{folder}/net", f"{folder}/narrow.h5")
    bottleneck.principal_components(f"{folder}/frames.h5", f"{folder}/components.h5")
    linear = ["batchnorm", f"dense units={classes}"]
    train_net("bottleneck", "narrow.h5", linear, 40)
    train_net("components", "components.h5", linear, 40)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lockstep", default="build/lockstep")
    parser.add_argument("--sentences", type=int, default=500)
    parser.add_argument("--folder", help="where sounds and runs are kept; without it, nothing is")
    arguments = parser.parse_args()
    bottleneck.in_folder(arguments.folder, speech, arguments)


if __name__ == "__main__":
    main()
