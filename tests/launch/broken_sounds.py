#!/usr/bin/python3
"""broken_sounds: sound files that are odd or broken, each with what `lockstep import wav` should say of it.

    broken_sounds.py      in an empty folder; makes broken/ with a file of each kind, broken.txt: a line "name<tab>words" for each
                          that can't be imported, and good.txt: the names of the others, the plain one first
"""
import os
import struct
import subprocess

import numpy

RATE, SECONDS = 16000, 0.5
random = numpy.random.default_rng(1)
SOUND = (random.normal(size=int(RATE * SECONDS)) * 3000).round().astype("<i2")


def riff(data, channels=1, rate=RATE, bits=16, kind=1, claim=None, align=None):
    """A wav file whose header says what the arguments say, true or not."""
    align = channels * bits // 8 if align is None else align
    claim = len(data) if claim is None else claim
    body = b"WAVE" + b"fmt " + struct.pack("<IHHIIHH", 16, kind, channels, rate, (rate * align) & 0xffffffff, align, bits)
    body += b"data" + struct.pack("<I", claim) + data
    return b"RIFF" + struct.pack("<I", min(claim + 36, 0xffffffff)) + body


def tagged(sound):
    """The same file with many texts before its data."""
    texts = b"INFO" + (b"ICMT" + struct.pack("<I", 500) + b"a long comment. ".ljust(500, b"-")) * 60
    return sound[:36] + b"LIST" + struct.pack("<I", len(texts)) + texts + sound[36:]


def rf64(data):
    """The form of files above 4 GiB: the sizes stand in the chunk ds64."""
    sizes = b"ds64" + struct.pack("<IQQQI", 28, len(data) + 72, len(data), len(data) // 2, 0)
    return b"RF64" + b"\xff" * 4 + b"WAVE" + sizes + riff(data, claim=0xffffffff)[12:]


def wide(samples, size):
    """16-bit numbers as the high bytes of `size` bytes."""
    out = numpy.zeros((len(samples), size), "u1")
    out[:, size - 2:] = samples.view("u1").reshape(-1, 2)
    return out.tobytes()


plain = riff(SOUND.tobytes())
broken = {  # name: (bytes, words)
    "empty.wav": (b"", "is an empty file"),
    "text.wav": (b"hello, this is no sound\n" * 50, "no sound that libsndfile can read"),
    "picture.wav": (b"\x89PNG\r\n\x1a\n" + bytes(100), "is a PNG picture"),
    "page.wav": (b"<!DOCTYPE html><html>404</html>", "is an HTML or XML page"),
    "cut_header.wav": (plain[:20], "no sound that libsndfile can read"),
    "no_samples.wav": (plain[:40] + struct.pack("<I", 0), "holds no samples"),
    "truncated.wav": (plain[:len(plain) // 2], "is cut off: its header promises 16000 bytes of sound, 7978 are there"),
    "truncated_tagged.wav": (tagged(plain)[:-8000], "is cut off: its header promises 16000 bytes of sound, 8000 are there"),
    "truncated_large.wav": (riff(SOUND.tobytes(), claim=0xc0000000), "is cut off: its header promises 3221225472 bytes"),
    "truncated_rf64.wav": (rf64(SOUND.tobytes())[:-1000], "is cut off: its header promises 16000 bytes of sound, 15000 are"),
    "liar.wav": (riff(SOUND.tobytes(), claim=10 * SOUND.nbytes), "is cut off: its header promises 160000 bytes"),
    "one.wav": (riff(SOUND[:1].tobytes()), "is shorter than a window of 400 samples"),
    "short.wav": (riff(SOUND[:399].tobytes()), "is shorter than a window of 400 samples"),
    "no_channels.wav": (riff(SOUND.tobytes(), channels=0), ""),
    "no_rate.wav": (riff(SOUND.tobytes(), rate=0), ""),
    "channels.wav": (riff(SOUND.tobytes(), channels=1000), "has 1000 channels"),
    "a_fast.wav": (riff(SOUND.tobytes(), rate=2147483647), "of 2147483647 samples a second; expected 1 to 256 channels of up to"),
    "unknown.wav": (riff(SOUND.tobytes(), kind=0x1234), "no sound that libsndfile can read"),
    "nan.wav": (riff(numpy.where(numpy.arange(8000) == 5000, numpy.nan, 0.1).astype("<f4").tobytes(), bits=32, kind=3),
                "sample 5001 is not finite"),
    "sun.au": (b".snd" + struct.pack(">IIIII", 24, SOUND.nbytes, 3, RATE, 1) + SOUND.byteswap().tobytes(),
               "is of the kind AU (Sun/NeXT); expected wav, flac or ogg"),
    "infinite.wav": (riff(numpy.full(8000, numpy.inf, "<f4").tobytes(), bits=32, kind=3), "sample 1 is not finite"),
}
good = {  # the same sound in other forms, but for the last
    "plain.wav": plain,
    "bits24.wav": riff(wide(SOUND, 3), bits=24),
    "bits32.wav": riff(wide(SOUND, 4), bits=32),
    "float.wav": riff((SOUND / 32768).astype("<f4").tobytes(), bits=32, kind=3),
    "channels8.wav": riff(numpy.repeat(SOUND, 8).tobytes(), channels=8),
    "piped.wav": riff(SOUND.tobytes(), claim=0x7ffff000),
    "piped32.wav": riff(SOUND.tobytes(), claim=0xffffffff),
    "rf64.wav": rf64(SOUND.tobytes()),
    "tagged.wav": tagged(plain),
    "wrong_name.mp3": plain,
    "name with blanks and 'quotes'.wav": plain,
    "silent.wav": riff(bytes(16000)),
}

os.mkdir("broken")
for name, content in {**{name: content for name, (content, _) in broken.items()}, **good}.items():
    with open(f"broken/{name}", "wb") as file:
        file.write(content)
for ending in ("flac", "ogg"):
    subprocess.run(["sndfile-convert", "broken/plain.wav", f"broken/good.{ending}"], check=True, capture_output=True)
with open("broken/good.flac", "rb") as flac, open("broken/good.ogg", "rb") as ogg:
    packed, pages = flac.read(), ogg.read()
for name, content, words in (("truncated.flac", packed[:len(packed) * 2 // 3], "is damaged after sample"),
                             ("damaged.flac", packed[:6000] + bytes(3000) + packed[9000:], "is damaged after sample"),
                             ("truncated.ogg", pages[:len(pages) * 2 // 3], "")):
    with open(f"broken/{name}", "wb") as file:
        file.write(content)
    broken[name] = (content, words)
os.symlink("nowhere", "broken/.hidden.wav")
with open("broken.txt", "w", encoding="utf-8") as file:
    file.writelines(f"{name}\t{words}\n" for name, (_, words) in sorted(broken.items()))
with open("good.txt", "w", encoding="utf-8") as file:
    file.writelines(f"{name}\n" for name in (*good, "good.flac", "good.ogg"))
