#!/usr/bin/python3
"""B, D or G? Syllables of synthetic voices for Waibel's task, and letters of human ones that nothing is trained on.

  bdg.py sounds DIR                     makes the sounds (espeak-ng) and lists of them, some 500 MB; 3 minutes on 2 cores
  bdg.py data DIR -o runs/bdg.h5 [--lockstep build/lockstep] [-- OPTION of import wav ...]
                                        imports them: train, valid, test; beside it bdg-{human,early,late}.h5
  bdg.py torch runs/bdg.h5 [--seed 1]   trains the net of launch/jobs/bdg.yaml in PyTorch, by the same recipe
  bdg.py test RUN ... --data runs/bdg.h5 [--lockstep build/lockstep]
                                        accuracy of trained runs on test rows, on the same 30 ms earlier and later, on human voices

A. Waibel and others (Phoneme recognition using time-delay neural networks, 1989) tell the phonemes B, D and G apart. Here a
syllable is the letter's name in one of 15 languages, or the consonant before a vowel, by one of espeak-ng's voice variants;
pitch, speed, loudness, noise and place in the window vary. Of the training rows a quarter is of flite's voices, and vocal
tract, microphone and room vary too. No voice is in two splits; settings are chosen by the validation rows.

The human voices are the letters b, d and g of klettres-data (de, en, en_GB, es, hu, it, lt, nds, pt_BR) and of
asterisk-core-sounds-*-wav (en, es, fr, it, ru): 42 sounds of about 13 speakers. Their windows begin 250 ms before the vowel
does; this rule was not chosen by their labels. Half of the training rows from 11 of festival's voices, which join recorded
human diphones, did not bring them nearer, nor did the mean over five windows 30 ms apart.
"""
import argparse
import concurrent.futures
import ctypes
import functools
import glob
import json
import os
import subprocess
import tempfile
import wave

import h5py
import numpy
import scipy.io.wavfile
import scipy.signal

RATE, SECONDS, BEFORE, SHIFT = 22050, 0.6, 0.25, 0.03
CLASSES = "bdg"
BATCH, EPOCHS = 64, 15
OPTIONS = "--rate 8000 --bands 24 --frames 58 --normalize mean".split()
LETTERS = {"en-us": "bdg", "en": "bdg", "de": "bdg", "es": "bdg", "es-419": "bdg", "it": "bdg", "hu": "bdg", "lt": "bdg",
           "pt-br": "bdg", "pt": "bdg", "fr": "bdg", "ru": "бдг", "sv": "bdg", "cs": "bdg", "fi": "bdg"}
VOWELS = {"de": ("a:", "e:", "i:", "o:", "u:", "E", "a"), "en-us": ("i:", "eI", "E", "a", "A:", "oU", "u:", "I", "3:"),
          "it": ("a", "e", "i", "o", "u"), "es": ("a", "e", "i", "o", "u")}
ODD = {"fast_test", "whisper", "female_whisper", "Half-LifeAnnouncementSystem", "Demonic"}
SPEAKERS = ("en_US_f_Allison", "es_MX_f_Allison", "fr_CA_f_June", "it_IT_m_Carlo", "ru_RU_f_IvrvoiceRU")  # of asterisk-core-sounds
SIZES = {"train": 18000, "valid": 1500, "test": 3000}


def variants():
    """The voice variants of each split, by the order of their names: 3 of 20 for validation, 4 of 20 for testing."""
    lines = subprocess.run(["espeak-ng", "--voices=variant"], capture_output=True, text=True, check=True).stdout.splitlines()
    found = sorted({line.split("!v/")[1].split("  ")[0].strip() for line in lines[1:] if line.split()[3] not in ODD})
    parts = {"train": [], "valid": [], "test": []}
    for i, name in enumerate(found):
        parts["test" if i % 5 == 2 else "valid" if i % 20 in (0, 6, 13) else "train"].append(name)
    return parts


class Speaker:
    """espeak-ng's library in this process: starting the program anew would take ten times as long."""
    SYNCHRONOUS, CHARACTER, PHONEMES, UTF8, RATE, PITCH = 2, 1, 0x100, 1, 1, 3

    def __init__(self, options=0):
        self.library = ctypes.CDLL("libespeak-ng.so.1")
        assert self.library.espeak_Initialize(self.SYNCHRONOUS, 0, None, options) == RATE
        self.blocks = []
        kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
        self.callback = kind(self.add)  # kept: the library holds a pointer to it
        self.library.espeak_SetSynthCallback(self.callback)

    def add(self, samples, count, events):
        if count > 0:
            self.blocks.append(numpy.ctypeslib.as_array(samples, (count,)).copy())
        return 0

    def say(self, voice, text, pitch, speed):
        """Numbers from -1 to 1 at RATE."""
        self.blocks = []
        if self.library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise SystemExit(f"espeak-ng has no voice {voice}")
        self.library.espeak_SetParameter(self.RATE, int(speed), 0)
        self.library.espeak_SetParameter(self.PITCH, int(pitch), 0)
        said = text.encode()
        self.library.espeak_Synth(said, len(said) + 1, 0, self.CHARACTER, 0, self.UTF8 | self.PHONEMES, None, None)
        return numpy.concatenate(self.blocks) / 32768.0


def recorded(letter, random):
    """A syllable of flite, whose voices are pieces of human recordings (of five speakers, none of them in the human test)."""
    word = random.choice({"b": ("b", "bee", "bay", "bah", "boo", "bet", "bow", "buy"),
                          "d": ("d", "dee", "day", "dah", "do", "debt", "doe", "die"),
                          "g": ("g", "gee", "gay", "gah", "goo", "get", "go", "guy", "jay")}[letter])
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        subprocess.run(["flite", "-voice", random.choice(["kal", "kal16", "awb", "rms", "slt"]), "--setf",
                        f"duration_stretch={random.uniform(0.8, 1.5):.2f}", "-t", word, "-o", file.name], check=True)
        rate, sound = scipy.io.wavfile.read(file.name)
    return scipy.signal.resample(sound / 32768.0, len(sound) * RATE // rate)


@functools.lru_cache
def speaker():
    return Speaker()


def onset(sound, rate):
    """The sample from which on 40 ms have a sixteenth of the energy of the loudest 40 ms: where the vowel begins. Clicks, breath
    and the hum before a voiced stop have less."""
    step = rate // 200
    energy = numpy.square(sound[:len(sound) // step * step]).reshape(-1, step).sum(1)
    energy = numpy.convolve(energy, numpy.ones(8))[7:]
    return int(numpy.argmax(energy > energy.max() / 16)) * step


def equalize(sound, random):
    """The spectrum times a random curve, smooth over some hundred Hz, deviation 5 dB."""
    spectrum = numpy.fft.rfft(sound)
    knots = random.normal(size=24) * 5
    curve = numpy.interp(numpy.linspace(0, 23, len(spectrum)) ** 0.5 * 23 ** 0.5, numpy.arange(24), knots)
    return numpy.fft.irfft(spectrum * 10 ** (curve / 20), len(sound))


def spoil(sound, random):
    """Another vocal tract, another microphone, a room, noise."""
    factor = random.uniform(0.85, 1.18)
    sound = numpy.interp(numpy.arange(0, len(sound) - 1, factor), numpy.arange(len(sound)), sound)
    tilt = random.uniform(-0.5, 0.5)
    sound = sound - tilt * numpy.concatenate([[0], sound[:-1]])
    sound = equalize(sound, random)
    if random.random() < 0.5:
        length = int(RATE * random.uniform(0.02, 0.15))
        room = random.normal(size=length) * numpy.exp(-6 * numpy.arange(length) / length)
        room *= random.uniform(0.05, 0.3) / numpy.sqrt(numpy.square(room).sum())
        room[0] = 1
        sound = scipy.signal.fftconvolve(sound, room)
    return sound


def noise(samples, random):
    """White, pink or brown noise."""
    spectrum = numpy.fft.rfft(random.normal(size=samples))
    spectrum /= numpy.maximum(numpy.arange(len(spectrum)), 20) ** random.choice([0, 0.5, 1])
    made = numpy.fft.irfft(spectrum, samples)
    return made / made.std()


def save(path, sound, rate):
    with wave.open(path, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((numpy.clip(sound, -1, 1) * 32767).round().astype("<i2").tobytes())


def window(sound, start, random):
    """SECONDS of the sound, from sample `start` (below 0: noise first), with noise."""
    samples = int(RATE * SECONDS)
    background = noise(samples, random) * numpy.abs(sound).max() * 10 ** (-random.uniform(35, 65) / 20)
    whole = numpy.concatenate([numpy.zeros(samples), sound, numpy.zeros(samples)])
    return whole[samples + start:2 * samples + start] + background


def make_one(task):
    """Makes sound `index` of a split; in the test split also 30 ms earlier and later."""
    folder, split, index, voices = task
    random = numpy.random.default_rng([ord(split[1]), index])
    label = index % 3
    if random.random() < 0.6:
        language = random.choice(list(LETTERS))
        text = LETTERS[language][label]
    else:
        language = random.choice(list(VOWELS))
        text = f"[[{CLASSES[label]}'{random.choice(VOWELS[language])}]]"
    if split == "train" and random.random() < 0.25:
        sound = recorded(CLASSES[label], random)
    else:
        sound = speaker().say(f"{language}+{random.choice(voices)}", text, random.integers(15, 90), random.integers(110, 230))
    if split == "train":
        sound = spoil(sound, random)
    sound = sound / numpy.abs(sound).max() * random.uniform(0.1, 0.9)
    place = onset(sound, RATE) - int(RATE * random.uniform(BEFORE - 0.06, BEFORE + 0.06))
    state = random.bit_generator.state
    for name, move in (("", 0), ("early", SHIFT), ("late", -SHIFT)):
        if name and split != "test":
            continue
        random.bit_generator.state = state
        save(f"{folder}/{name or split}/{index:05d}.wav", window(sound, place + int(RATE * move), random), RATE)
    return label


def human(folder):
    """The letters of human voices, windows of the same length."""
    found = []
    for path in glob.glob("/usr/share/klettres/*/alpha/*.ogg"):
        letter = os.path.basename(path)[:-4].lower()
        if letter in tuple(CLASSES):
            found.append((path, letter, path.split("/")[4]))
    for voice in SPEAKERS:  # asterisk-prompt-* put others beside them
        found += [(path, os.path.basename(path)[0], voice)
                  for path in glob.glob(f"/usr/share/asterisk/sounds/{voice}/letters/[bdg].wav")]
    lines = []
    for path, letter, voice in sorted(found):
        name = f"human/{voice}-{letter}.wav"
        plain = f"{folder}/human/plain.wav"
        if path.endswith(".ogg"):
            subprocess.run(["sndfile-convert", "-pcm16", path, plain], check=True, capture_output=True)
        rate, sound = scipy.io.wavfile.read(plain if path.endswith(".ogg") else path)
        sound = (sound if sound.ndim == 1 else sound.mean(1)) / 32768.0
        start, samples = onset(sound, rate) - int(rate * BEFORE), int(rate * SECONDS)
        quiet = numpy.concatenate([numpy.zeros(samples), sound, numpy.zeros(samples)])
        quiet = quiet[samples + start:2 * samples + start]
        quiet += noise(samples, numpy.random.default_rng(0)) * numpy.abs(quiet).max() * 10 ** (-50 / 20)
        save(f"{folder}/{name}", quiet / numpy.abs(quiet).max() * 0.7, rate)
        lines.append(f"{name}\t{letter}\n")
    if os.path.exists(f"{folder}/human/plain.wav"):
        os.remove(f"{folder}/human/plain.wav")
    return lines


def sounds(folder):
    for name in (*SIZES, "early", "late", "human"):
        os.makedirs(f"{folder}/{name}", exist_ok=True)
    voices = variants()
    print({split: len(names) for split, names in voices.items()}, "voices")
    with concurrent.futures.ProcessPoolExecutor() as pool:
        for split, size in SIZES.items():
            labels = list(pool.map(make_one, [(folder, split, i, voices[split]) for i in range(size)], chunksize=50))
            for name in (split, "early", "late") if split == "test" else (split,):
                with open(f"{folder}/{name}.list", "w", encoding="utf-8") as file:
                    file.writelines(f"{name}/{i:05d}.wav\t{CLASSES[label]}\n" for i, label in enumerate(labels))
            print(f"{split}: {size} sounds", flush=True)
    lines = human(folder)
    with open(f"{folder}/human.list", "w", encoding="utf-8") as file:
        file.writelines(lines)
    print(f"human: {len(lines)} sounds")


def data(arguments):
    """Imports the lists, and joins them: train, valid and test by their voices."""
    options = arguments.options or OPTIONS
    folder, stem = arguments.folder, arguments.output[:-3]
    for name in (*SIZES, "early", "late", "human"):
        subprocess.run([arguments.lockstep, "import", "wav", f"{folder}/{name}.list", "-o", f"{folder}/{name}.h5", "--force",
                        *options], check=True)
    for output, parts in ((arguments.output, {name: name for name in SIZES}),
                          *((f"{stem}-{name}.h5", {"test": name}) for name in ("early", "late", "human"))):
        with h5py.File(output, "w") as joined:
            for split, name in parts.items():
                with h5py.File(f"{folder}/{name}.h5") as part:
                    part.copy("train", joined, split)
        print("wrote", output)


def sets(path):
    """Name and path of the data sets that are tested."""
    return {"test": path, **{name: f"{path[:-3]}-{name}.h5" for name in ("early", "late", "human")}}


def test(arguments):
    for run in arguments.runs:
        right = {}
        for name, path in sets(arguments.data).items():
            said = subprocess.run([arguments.lockstep, "evaluate", run, "--data", path, "--split", "test", "--json"],
                                  check=True, capture_output=True, text=True).stdout
            right[name] = json.loads(said)["accuracy"]
        print(f"{run:20}", "  ".join(f"{name} {value:.4f}" for name, value in right.items()), flush=True)


def train_torch(arguments):
    """The net of launch/jobs/bdg.yaml by its recipe; the best epoch of the validation rows is tested."""
    import torch
    torch.manual_seed(arguments.seed)
    torch.set_num_threads(1)

    def block(inputs, outputs, kernel, dilation=1):
        return [torch.nn.Conv1d(inputs, outputs, kernel, dilation=dilation), torch.nn.BatchNorm1d(outputs), torch.nn.ReLU()]

    def load(path, split):
        with h5py.File(path) as file:
            return (torch.tensor(file[f"{split}/x"][:]).transpose(1, 2).contiguous(),
                    torch.tensor(file[f"{split}/y"][:], dtype=torch.long))

    def accuracy(x, y):
        net.eval()
        with torch.no_grad():
            return float((torch.cat([net(part) for part in x.split(500)]).argmax(1) == y).float().mean())

    x, y = load(arguments.data, "train")
    width = 96
    net = torch.nn.Sequential(torch.nn.BatchNorm1d(x.shape[1]), *block(x.shape[1], width, 3), *block(width, width, 5),
                              *block(width, width, 5, 2), torch.nn.Dropout(0.2), *block(width, width, 5, 2),
                              torch.nn.AdaptiveMaxPool1d(1), torch.nn.Flatten(), torch.nn.Dropout(0.3),
                              torch.nn.Linear(width, 3))
    steps = len(x) // BATCH
    optimizer = torch.optim.Adam(net.parameters(), lr=0.002, weight_decay=1e-3)
    ramp = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1, (step + 1) / steps) * 0.5 * (
        1 + numpy.cos(numpy.pi * max(0, step - steps) / (steps * (EPOCHS - 1)))))
    valid, best, kept = load(arguments.data, "valid"), 0, None
    for epoch in range(EPOCHS):
        net.train()
        for rows in torch.randperm(len(x))[:steps * BATCH].split(BATCH):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(net(x[rows]), y[rows]).backward()
            optimizer.step()
            ramp.step()
        found = accuracy(*valid)
        print(f"epoch {epoch + 1}: valid accuracy {found:.4f}", flush=True)
        if found > best:
            best, kept = found, {name: value.clone() for name, value in net.state_dict().items()}
    net.load_state_dict(kept)
    print(f"torch, seed {arguments.seed}    ",
          "  ".join(f"{name} {accuracy(*load(path, 'test')):.4f}" for name, path in sets(arguments.data).items()))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    part = commands.add_parser("sounds")
    part.add_argument("folder")
    part.set_defaults(run=lambda arguments: sounds(arguments.folder))
    part = commands.add_parser("data")
    part.add_argument("folder")
    part.add_argument("-o", dest="output", required=True)
    part.add_argument("--lockstep", default="build/lockstep")
    part.add_argument("options", nargs="*", help="of import wav, after --, in place of: " + " ".join(OPTIONS))
    part.set_defaults(run=data)
    part = commands.add_parser("torch")
    part.add_argument("data")
    part.add_argument("--seed", type=int, default=1)
    part.set_defaults(run=train_torch)
    part = commands.add_parser("test")
    part.add_argument("runs", nargs="+")
    part.add_argument("--data", required=True)
    part.add_argument("--lockstep", default="build/lockstep")
    part.set_defaults(run=test)
    arguments = parser.parse_args()
    arguments.run(arguments)


if __name__ == "__main__":
    main()
