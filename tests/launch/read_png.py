"""read_png: pixels of a PNG of 8 bits, grey or colours, without any library for pictures."""
import struct
import zlib

import numpy


def read_png(path):
    """[height, width, channels] of uint8; checksums must hold, and nothing but pixels may be stored."""
    with open(path, "rb") as file:
        data = file.read()
    assert data[:8] == b"\x89PNG\r\n\x1a\n", data[:8]
    at, chunks = 8, []
    while at < len(data):
        (size,) = struct.unpack(">I", data[at:at + 4])
        kind, body = data[at + 4:at + 8], data[at + 8:at + 8 + size]
        assert struct.unpack(">I", data[at + 8 + size:at + 12 + size])[0] == zlib.crc32(kind + body), kind
        chunks.append((kind, body))
        at += 12 + size
    kinds = {kind for kind, _ in chunks}
    assert kinds <= {b"IHDR", b"sRGB", b"gAMA", b"IDAT", b"IEND"}, kinds
    width, height, bits, colour, packing, filtering, interlace = struct.unpack(">IIBBBBB", chunks[0][1])
    assert (bits, packing, filtering, interlace) == (8, 0, 0, 0) and colour in (0, 2)
    channels = {0: 1, 2: 3}[colour]
    lines = numpy.frombuffer(zlib.decompress(b"".join(body for kind, body in chunks if kind == b"IDAT")), numpy.uint8)
    lines = lines.reshape(height, 1 + width * channels)
    pixels = numpy.zeros((height, width * channels), numpy.uint8)
    above = [0] * (width * channels)
    for y in range(height):
        above = unfilter(int(lines[y, 0]), lines[y, 1:].tolist(), above, channels)
        pixels[y] = above
    return pixels.reshape(height, width, channels)


def unfilter(kind, line, above, step):
    """Undoes a filter of the PNG specification, section 9.2."""
    for i, raw in enumerate(line):
        left, up, corner = (line[i - step] if i >= step else 0), above[i], (above[i - step] if i >= step else 0)
        guess = left + up - corner
        paeth = min((left, up, corner), key=lambda n: abs(guess - n))
        line[i] = (raw + (0, left, up, (left + up) // 2, paeth)[kind]) % 256
    return line


def tiles(pixels, high, wide):
    """The tiles of a grid, [lines, columns, high, wide, channels], of which each number is a square of pixels; the lines
    between them must be white."""
    for zoom in range(16, 0, -1):
        tall, broad = high * zoom + 1, wide * zoom + 1
        lines, columns = (pixels.shape[0] - 1) // tall, (pixels.shape[1] - 1) // broad
        if pixels.shape[:2] == (lines * tall + 1, columns * broad + 1) and (pixels[::tall] == 255).all():
            break
    assert (pixels[::tall] == 255).all() and (pixels[:, ::broad] == 255).all(), pixels.shape
    inner = pixels[1:, 1:].reshape(lines, tall, columns, broad, -1)[:, :-1, :, :-1].transpose(0, 2, 1, 3, 4)
    assert (inner == inner[:, :, ::zoom, ::zoom].repeat(zoom, 2).repeat(zoom, 3)).all()
    assert zoom == 16 or max(lines * tall + lines * high, columns * broad + columns * wide) >= 1000, "it could be larger"
    return inner[:, :, ::zoom, ::zoom]
