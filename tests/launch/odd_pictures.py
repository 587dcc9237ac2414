#!/usr/bin/env python3
"""odd_pictures: makes a tree of pictures of all kinds and broken ones, and compares what was imported of it with PIL.

    odd_pictures.py make FOLDER [COUNT]            COUNT good pictures (60) of 3 classes, and broken ones in FOLDER-broken
    odd_pictures.py compare FOLDER FILE.h5 H,W [stretch] [grey]       to one grey level
"""
import os
import struct
import sys
import zlib

import h5py
import numpy
from PIL import Image, ImageOps

WIDE = 1  # grey levels that a pixel may differ by


def picture(width, height, chance):
    """Smooth blots with noise on them, so that a wrong filter, a shift or a turn shows."""
    blots = chance.integers(0, 256, (max(1, height // 8), max(1, width // 8), 3), dtype=numpy.uint8)
    smooth = numpy.asarray(Image.fromarray(blots).resize((width, height), Image.BICUBIC)).astype(int)
    return Image.fromarray((smooth + chance.integers(-20, 21, smooth.shape)).clip(0, 255).astype("uint8"))


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, depth, colour, rows, interlace=0):
    """A PNG file with these bytes as rows, each with its filter byte before it."""
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace))
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def save(path, picture, kind, orientation):
    exif = Image.Exif()
    exif[0x112] = orientation
    alpha = Image.fromarray(numpy.arange(picture.width * picture.height).reshape(picture.size[::-1]).astype("uint8"))
    kinds = {
        "png": lambda p: picture.save(p, "PNG", exif=exif),
        "grey": lambda p: picture.convert("L").save(p, "JPEG", exif=exif),
        "444": lambda p: picture.save(p, "JPEG", quality=90, subsampling=0, exif=exif),
        "422": lambda p: picture.save(p, "JPEG", quality=85, subsampling=1),
        "420": lambda p: picture.save(p, "JPEG", quality=80, subsampling=2, exif=exif),
        "progressive": lambda p: picture.save(p, "JPEG", progressive=True, exif=exif),
        "rgba": lambda p: Image.merge("RGBA", (*picture.split(), alpha)).save(p, "PNG"),
        "greya": lambda p: Image.merge("LA", (picture.convert("L"), alpha)).save(p, "PNG"),
        "palette": lambda p: picture.quantize(40).save(p, "PNG"),
        "transparent": lambda p: picture.quantize(40).save(p, "PNG", transparency=3),
        "bits": lambda p: picture.convert("1").save(p, "PNG"),
        "cmyk": lambda p: picture.convert("CMYK").save(p, "JPEG", quality=95),
        "animated": lambda p: picture.save(p, "PNG", save_all=True, append_images=[ImageOps.invert(picture)]),
    }
    names = list(kinds)
    kinds[names[kind % len(names)]](path)


def make(folder, count):
    chance = numpy.random.default_rng(7)
    # Names of all sorts; none tells what is in the file.
    odd = ["a b.jpg", "-rf", "it's \"odd\".PNG", "line\nbreak.jpg", "\udcff\udcfe.png", "ünïcode.txt", "tab\t.gif", "%s%n.jpeg", "x"]
    for i in range(count):
        place = os.path.join(folder, ("ant", "bee hive", "cat")[i % 3], "deep/er" if i % 7 == 3 else "")
        os.makedirs(place, exist_ok=True)
        size = [int(round(numpy.exp(chance.uniform(0, numpy.log(most))))) for most in (400, 300)]
        name = odd[i] if i < len(odd) else f"{i:05d}.jpg"
        save(os.path.join(place, name), picture(*size, chance), i, 1 + i // 13 % 8)
    open(os.path.join(folder, "cat", ".hidden"), "w").write("no picture")
    make_broken(folder + "-broken", chance)


def make_broken(folder, chance):
    """The same good picture, and around it one of each kind that is refused."""
    os.makedirs(folder + "/a", exist_ok=True)
    good = picture(50, 40, chance)
    good.save(folder + "/a/good.jpg", quality=90)
    good.save(folder + "/a/good.png")
    jpeg, whole = (open(f"{folder}/a/good.{kind}", "rb").read() for kind in ("jpg", "png"))
    good.save(folder + "/a/gif.jpg", "GIF", save_all=True, append_images=[good])
    good.save(folder + "/a/progressive.jpg", progressive=True)
    slow = open(folder + "/a/progressive.jpg", "rb").read()
    os.remove(folder + "/a/progressive.jpg")
    files = {
        "empty.jpg": b"", "one byte.png": b"\x89", "cut.jpg": jpeg[:len(jpeg) // 2], "cut.png": whole[:len(whole) // 2],
        "head only.jpg": jpeg[:3], "head only.png": whole[:8], "text.jpg": b"<html>404</html>", "zeros.png": bytes(1000),
        "cut progressive.jpg": slow[:len(slow) // 2],
        "huge.png": png(60000, 60000, 8, 2, b"\0"), "wide.png": png(2**31 - 1, 1, 8, 2, b"\0"), "none.png": png(0, 0, 8, 2, b""),
        "huge.jpg": jpeg.replace(struct.pack(">HH", 40, 50), struct.pack(">HH", 65000, 65000), 1),
        "short rows.png": png(50, 40, 8, 2, bytes(500)), "wrong crc.png": whole[:40] + b"\xff" + whole[41:],
        "bad code.jpg": jpeg[:-200] + b"\xff\xd9" + jpeg[-198:],
    }
    for name, content in files.items():
        open(f"{folder}/a/{name}", "wb").write(content)


def reference(path, height, width, stretch, grey):
    with Image.open(path) as file:
        seen = ImageOps.exif_transpose(file)
        if seen.mode in ("RGBA", "LA", "PA") or "transparency" in seen.info:
            seen = seen.convert("RGBA")
            seen = Image.alpha_composite(Image.new("RGBA", seen.size, "white"), seen)
        seen = seen.convert("RGB")
    seen = seen.convert("L") if grey else seen
    w, h = seen.size
    if stretch:
        return numpy.asarray(seen.resize((width, height), Image.BILINEAR))
    across, down = (width, max(height, h * width // w)) if width * h >= height * w else (max(width, w * height // h), height)
    left, top = (across - width) // 2, (down - height) // 2
    return numpy.asarray(seen.resize((across, down), Image.BILINEAR).crop((left, top, left + width, top + height)))


def compare(folder, path, size, options):
    height, width = map(int, size.split(","))
    names = sorted((os.fsencode(os.path.relpath(os.path.join(place, file), folder)) for place, _, files in os.walk(folder)
                    for file in files if not file.startswith(".")))
    with h5py.File(path) as file:
        x, y = file["train/x"], file["train/y"]
        assert y.attrs["class_names"].split("\n") == ["ant", "bee hive", "cat"] and x.attrs["layout"] == "NHWC"
        assert [["ant", "bee hive", "cat"].index(os.fsdecode(name).split("/")[0]) for name in names] == list(y)
        for name, row in zip(names, x, strict=True):
            wanted = reference(os.path.join(os.fsencode(folder), name), height, width, "stretch" in options, "grey" in options)
            apart = abs(wanted.reshape(row.shape).astype(int) - row)
            assert apart.max() <= WIDE, (name, apart.max(), (apart > WIDE).mean())
    print(f"{len(names)} pictures are as PIL has them")


if sys.argv[1] == "make":
    make(sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 60)
else:
    compare(sys.argv[2], sys.argv[3], sys.argv[4], sys.argv[5:])
