"""speech: the features of `lockstep import wav` against the same formulas in numpy, on speech, noise, tones and clicks.

    speech.py LOCKSTEP       in an empty folder; prints the largest difference of each case; code 1 if one is above 1e-4

The formulas stand in io/audio: Kaldi's log-mel and mfcc without dither, HTK's deltas.
"""
import subprocess
import sys
import wave

import h5py
import numpy

TAPERS = {
    "povey": lambda c: (0.5 - 0.5 * c) ** 0.85,
    "hamming": lambda c: 0.54 - 0.46 * c,
    "hann": lambda c: 0.5 - 0.5 * c,
}


def mel(frequency):
    return 1127 * numpy.log(1 + frequency / 700)


def filters(rate, n, bands):
    """[bands, n/2 + 1] weights of the triangles."""
    edges = numpy.linspace(mel(20), mel(rate / 2), bands + 2)
    m = mel(numpy.arange(n // 2 + 1) * rate / n)
    bank = [numpy.minimum((m - left) / (middle - left), (right - m) / (right - middle))
            for left, middle, right in zip(edges, edges[1:], edges[2:])]
    bank = numpy.maximum(bank, 0)
    bank[:, -1] = 0
    return bank


def deltas(x):
    padded = numpy.pad(x, ((2, 2), (0, 0)), "edge")
    return (padded[3:-1] - padded[1:-3] + 2 * (padded[4:] - padded[:-4])) / 10


def features(sound, rate, kind="logmel", taper="povey", bands=40, cepstra=13, order=0, context=0, norm="none",
             window=25, hop=10):
    """sound [samples, channels] as 16-bit numbers -> [frames, features]"""
    sound = sound.astype("float64").mean(axis=1)
    window, hop = rate * window // 1000, rate * hop // 1000
    n = 1 << (window - 1).bit_length()
    cosine = numpy.cos(2 * numpy.pi * numpy.arange(window) / (window - 1))
    frames = numpy.stack([sound[at:at + window] for at in range(0, len(sound) - window + 1, hop)])
    frames = frames - frames.mean(axis=1, keepdims=True)
    before = numpy.concatenate([frames[:, :1], frames[:, :-1]], axis=1)
    spectrum = numpy.fft.rfft((frames - 0.97 * before) * TAPERS[taper](cosine), n)
    x = numpy.log(numpy.maximum(numpy.abs(spectrum) ** 2 @ filters(rate, n, bands).T, 2.0 ** -23))
    if kind == "mfcc":
        i, b = numpy.arange(cepstra)[:, None], numpy.arange(bands)
        dct = numpy.sqrt(numpy.where(i == 0, 1, 2) / bands) * numpy.cos(numpy.pi * i * (b + 0.5) / bands)
        x = x @ (dct * (1 + 11 * numpy.sin(numpy.pi * i / 22))).T
    if norm != "none":
        x = x - x.mean(axis=0)
    if norm == "variance":
        deviation = x.std(axis=0)
        x = numpy.where(deviation > 1e-8, x / numpy.where(deviation > 1e-8, deviation, 1), 0)
    parts = [x]
    for _ in range(order):
        parts.append(deltas(parts[-1]))
    x = numpy.concatenate(parts, axis=1)
    padded = numpy.pad(x, ((context, context), (0, 0)), "edge")
    return numpy.concatenate([padded[k:len(padded) - 2 * context + k] for k in range(2 * context + 1)], axis=1)


def save(path, sound, rate):
    with wave.open(path, "wb") as file:
        file.setnchannels(sound.shape[1])
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(sound.astype("<i2").tobytes())


def load(path):
    with wave.open(path) as file:
        shape = (-1, file.getnchannels())
        return numpy.frombuffer(file.readframes(1 << 30), "<i2").reshape(shape), file.getframerate()


def cases():
    """(name, sound [samples, channels], rate, options of import wav, the same for `features`)"""
    random = numpy.random.default_rng(1)
    subprocess.run(["espeak-ng", "-v", "en", "-w", "said.wav", "bad dogs dig good beds"], check=True)
    said, rate = load("said.wav")
    yield "speech", said, rate, [], {}
    yield ("speech, mfcc, deltas", said, rate, ["--features", "mfcc", "--deltas", "2", "--normalize", "variance"],
           {"kind": "mfcc", "order": 2, "norm": "variance"})
    yield ("speech, hamming, context", said, rate,
           ["--taper", "hamming", "--context", "3", "--normalize", "mean", "--bands", "23", "--window", "32", "--hop", "16"],
           {"taper": "hamming", "context": 3, "norm": "mean", "bands": 23, "window": 32, "hop": 16})
    for rate in (8000, 11025, 16000, 44100, 48000):
        mono = random.normal(size=(rate, 1)) * 3000
        yield f"noise, {rate} Hz", mono, rate, ["--taper", "hann"], {"taper": "hann"}
        stereo = random.normal(size=(rate // 2, 2)) * [100, 9000]
        yield (f"stereo, mfcc, {rate} Hz", stereo, rate, ["--features", "mfcc", "--cepstra", "20", "--deltas", "1"],
               {"kind": "mfcc", "cepstra": 20, "order": 1})
    yield "silence", numpy.zeros((8000, 1)), 16000, ["--normalize", "variance"], {"norm": "variance"}
    yield "quiet", random.integers(-1, 2, (8000, 1)), 8000, [], {}


def main():
    worst = 0
    for name, sound, rate, options, same in cases():
        sound = numpy.round(sound).clip(-32768, 32767)
        save("a.wav", sound, rate)
        with open("list", "w", encoding="utf-8") as file:
            file.write("a.wav\n")
        subprocess.run([sys.argv[1], "import", "wav", "list", "-o", "a.h5", "--force", *options], check=True, stdout=subprocess.DEVNULL)
        expected = features(sound, rate, **same)
        with h5py.File("a.h5") as data:
            x, length = data["train/x"][0], data["train/length"][0]
        if x.shape != expected.shape or length != len(expected):
            sys.exit(f"{name}: expected {expected.shape}, found {x.shape} and length {length}")
        difference = numpy.abs(x - expected).max()
        print(f"{name:28} {x.shape[0]:4} frames of {x.shape[1]:3}: differ by {difference:.1e} at most")
        worst = numpy.max([worst, difference])
    return 0 if worst < 1e-4 else 1


if __name__ == "__main__":
    sys.exit(main())
