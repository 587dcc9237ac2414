#!/usr/bin/env python3
"""shapes: draws pictures of 10 shapes in 10 folders, for `lockstep import images` and a small ResNet.

    tests/bench/shapes.py runs/shapes [COUNT]          COUNT pictures of each shape (600), JPEG and PNG, 64 to 160 pixels
    lockstep import images runs/shapes --size 64 --valid 0.1 --test 0.2 -o runs/shapes.h5
    lockstep train launch/jobs/shapes.yaml

Size, place, turn, colours and thickness vary, and so do gradients and noise behind the shape.
"""
import math
import os
import sys

import numpy
from PIL import Image, ImageDraw


def regular(corners, inner=1.0):
    """Corners of a regular polygon; with `inner`, those between at that share of the radius: a star."""
    steps = corners * (1 if inner == 1 else 2)
    return [(r * math.sin(2 * math.pi * i / steps), -r * math.cos(2 * math.pi * i / steps))
            for i in range(steps) for r in [1 if i % 2 == 0 or inner == 1 else inner]]


def ring(start, end, radius, count=40):
    return [(radius * math.cos(start + (end - start) * i / count), radius * math.sin(start + (end - start) * i / count))
            for i in range(count + 1)]


TURN = 2 * math.pi
SHAPES = {
    "arrow": [(-1, -0.25), (0.2, -0.25), (0.2, -0.7), (1, 0), (0.2, 0.7), (0.2, 0.25), (-1, 0.25)],
    "circle": ring(0, TURN, 1),
    "cross": [(-0.3, -1), (0.3, -1), (0.3, -0.3), (1, -0.3), (1, 0.3), (0.3, 0.3), (0.3, 1), (-0.3, 1), (-0.3, 0.3), (-1, 0.3),
              (-1, -0.3), (-0.3, -0.3)],
    "crescent": ring(0.7, TURN - 0.7, 1) + [(0.35 + 0.75 * x, 0.75 * y) for x, y in ring(TURN - 1.1, 1.1, 1)],
    "hexagon": regular(6),
    "ring": ring(0, TURN, 1) + ring(TURN, 0, 0.6),
    "square": regular(4),
    "star": regular(5, 0.42),
    "triangle": regular(3),
    "u": [(-1, -1), (-0.4, -1), (-0.4, 0.4), (0.4, 0.4), (0.4, -1), (1, -1), (1, 1), (-1, 1)],
}


def draw(name, chance):
    size, zoom = int(chance.integers(64, 161)), 3
    ends = (chance.integers(40, 216, 3) + chance.integers(-40, 41, (2, 2, 3))).astype(numpy.uint8)
    ground = numpy.asarray(Image.fromarray(ends).resize((size * zoom, size * zoom), Image.BICUBIC)).astype(int)
    colour = chance.integers(0, 256, 3)
    while abs(colour - ground.mean((0, 1))).sum() < 150:
        colour = chance.integers(0, 256, 3)
    picture = Image.fromarray(ground.clip(0, 255).astype("uint8"))
    radius, angle = chance.uniform(0.28, 0.45) * size * zoom, chance.uniform(0, TURN)
    across, down = chance.uniform(radius, size * zoom - radius, 2)
    tall = chance.uniform(0.8, 1.2)
    points = [(across + radius * 0.95 * (x * math.cos(angle) - tall * y * math.sin(angle)),
               down + radius * 0.95 * (x * math.sin(angle) + tall * y * math.cos(angle))) for x, y in SHAPES[name]]
    ImageDraw.Draw(picture).polygon(points, fill=tuple(map(int, colour)))
    small = numpy.asarray(picture.resize((size, size), Image.BOX)).astype(int)
    noisy = small + chance.normal(0, chance.uniform(0, 25), small.shape)
    return Image.fromarray(noisy.clip(0, 255).astype("uint8"))


def main():
    folder, count = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 600
    for k, name in enumerate(SHAPES):
        os.makedirs(f"{folder}/{name}", exist_ok=True)
        for i in range(count):
            draw(name, numpy.random.default_rng((k, i))).save(f"{folder}/{name}/{i:05d}.{'png' if i % 4 == 0 else 'jpg'}")


main()
