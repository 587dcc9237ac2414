#!/usr/bin/python3
"""How good are generated pictures of Fashion-MNIST? As a LeNet sees them that was trained on the real ones.

  gan_figures.py figures --lockstep build/lockstep [--lenet runs/lenet] [--data runs/fashion.h5] NAME=ROWS.h5 ...
  gan_figures.py twin [--data runs/fashion.h5] [--epochs 25] [--seed 1] [--rows 10000] -o twin.h5

`figures` prints for each file of rows, as `lockstep generate -o` writes them, the share of each class that LeNet gives
to them, and their Frechet distance from the test rows in LeNet's features (the 84 numbers before its output):
|m - m'|^2 + trace(C + C' - 2 (C C')^(1/2)) (Heusel et al. 2017, eq. 6, there with other features). The first line is
the same of as many training rows: what perfect pictures would have. Rows from -1 to 1 count as pictures from 0 to 1.

`twin` trains DCGAN in PyTorch (Debian's python3-torch) by the recipe of launch/jobs/dcgan.yaml, and writes rows of its
generator, with its running statistics as lockstep's have.
"""
import argparse
import os
import subprocess
import sys
import tempfile
import time

import h5py
import numpy

FEATURES, CLASSES = "activation4", 10


def pictures(path, most=None):
    """Rows of a file of `generate`, of a data set's test rows, or of `twin`, as numbers from 0 to 1."""
    with h5py.File(path) as file:
        found = []
        file.visititems(lambda name, item: found.append(item) if isinstance(item, h5py.Dataset)
                        and name.split("/")[-1] in ("x", "rows", "samples") else None)
        if len(found) != 1:
            raise SystemExit(f"{path}: expected one array of rows, found {[item.name for item in found]}")
        x = found[0][:most].astype(numpy.float32) * float(found[0].attrs.get("scale", 1))
    if x.min() < -0.5:
        x = (x + 1) / 2
    return x.reshape(-1, 28, 28, 1).clip(0, 1)


def real(path, split, rows):
    with h5py.File(path) as file:
        x = file[f"{split}/x"]
        return (x[:rows].astype(numpy.float32) * x.attrs.get("scale", 1)).reshape(-1, 28, 28, 1)


class LeNet:
    """What a trained LeNet makes of pictures, by lockstep."""

    def __init__(self, lockstep, run):
        self.lockstep, self.run = lockstep, run

    def command(self, *words):
        done = subprocess.run([self.lockstep, *words], capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"{' '.join(words)}\n{done.stderr}{done.stdout}")

    def sees(self, x):
        """Classes [rows] and features [rows, 84] of pictures."""
        with tempfile.TemporaryDirectory() as folder:
            data, out = os.path.join(folder, "x.h5"), os.path.join(folder, "out.h5")
            with h5py.File(data, "w") as file:
                file["test/x"] = x
            self.command("predict", self.run, "--data", data, "--split", "test", "--as", "classes", "-o", out)
            with h5py.File(out) as file:
                classes = file["class"][()].astype(int)
            os.remove(out)
            self.command("extract", self.run, "--data", data, "--layer", FEATURES, "-o", out)
            with h5py.File(out) as file:
                return classes, file["test/x"][()].astype(numpy.float64)


def frechet(a, b):
    """Of features a and b [rows, width]."""
    c, d = numpy.cov(a, rowvar=False), numpy.cov(b, rowvar=False)
    values, vectors = numpy.linalg.eigh(c)
    root = vectors * numpy.sqrt(values.clip(0)) @ vectors.T
    shared = numpy.sqrt(numpy.linalg.eigvalsh(root @ d @ root).clip(0)).sum()
    return float(((a.mean(0) - b.mean(0)) ** 2).sum() + numpy.trace(c) + numpy.trace(d) - 2 * shared)


def print_figures(lenet, name, x, features):
    classes, seen = lenet.sees(x)
    share = numpy.bincount(classes, minlength=CLASSES) / len(classes)
    print(f"{name:20} {len(x):6} {frechet(seen, features):9.3f} {(share > 0).sum():8}  "
          + " ".join(f"{100 * s:5.1f}" for s in share), flush=True)


def figures(a):
    lenet = LeNet(a.lockstep, a.lenet)
    _, features = lenet.sees(real(a.data, "test", None))
    print(f"{'':20} {'rows':>6} {'Frechet':>9} {'classes':>8}  % of each class")
    print_figures(lenet, "training rows", real(a.data, "train", len(features)), features)
    for item in a.rows_of:
        name, path = item.split("=", 1)
        print_figures(lenet, name, pictures(path), features)


def twin(a):
    import torch
    from torch import nn

    def start(module):
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(module.weight, 0, 0.02)

    def up(i, o, k, s, p):
        return [nn.ConvTranspose2d(i, o, k, s, p, bias=False), nn.BatchNorm2d(o), nn.ReLU(True)]

    def down(i, o, k, s, p):
        return [nn.Conv2d(i, o, k, s, p, bias=False), nn.BatchNorm2d(o), nn.LeakyReLU(0.2, True)]

    torch.manual_seed(a.seed)
    torch.set_num_threads(a.threads)
    f, latent, batch = 64, 100, 128
    g = nn.Sequential(*up(latent, 4 * f, 4, 1, 0), *up(4 * f, 2 * f, 3, 2, 1), *up(2 * f, f, 4, 2, 1),
                      nn.ConvTranspose2d(f, 1, 4, 2, 1, bias=False), nn.Tanh()).apply(start)
    d = nn.Sequential(nn.Conv2d(1, f, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, True), *down(f, 2 * f, 4, 2, 1),
                      *down(2 * f, 4 * f, 3, 2, 1), nn.Conv2d(4 * f, 1, 4, 1, 0, bias=False)).apply(start)
    x = torch.tensor(real(a.data, "train", None)).permute(0, 3, 1, 2) * 2 - 1
    adam_g, adam_d = (torch.optim.Adam(net.parameters(), 2e-4, (0.5, 0.999)) for net in (g, d))
    loss = nn.functional.binary_cross_entropy_with_logits
    begin = time.time()
    for epoch in range(a.epochs):
        for rows in torch.randperm(len(x)).split(batch):
            n = len(rows)
            one, zero = torch.ones(n), torch.zeros(n)
            fake = g(torch.randn(n, latent, 1, 1))
            adam_d.zero_grad()
            d_loss = loss(d(x[rows]).flatten(), one) + loss(d(fake.detach()).flatten(), zero)
            d_loss.backward()
            adam_d.step()
            adam_g.zero_grad()
            g_loss = loss(d(fake).flatten(), one)
            g_loss.backward()
            adam_g.step()
        print(f"epoch {epoch + 1} d_loss {d_loss:.4f} g_loss {g_loss:.4f} {time.time() - begin:.0f} s", file=sys.stderr)
    g.eval()
    with torch.no_grad(), h5py.File(a.output, "w") as file:
        made = torch.cat([g(torch.randn(min(500, a.rows - i), latent, 1, 1)) for i in range(0, a.rows, 500)])
        file["x"] = made.permute(0, 2, 3, 1).numpy()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    one = commands.add_parser("figures")
    one.add_argument("--lockstep", required=True)
    one.add_argument("--lenet", default="runs/lenet", help="a run that was trained on the data")
    one.add_argument("--data", default="runs/fashion.h5")
    one.add_argument("rows_of", nargs="*", metavar="NAME=ROWS.h5")
    one.set_defaults(run=figures)
    two = commands.add_parser("twin")
    two.add_argument("--data", default="runs/fashion.h5")
    two.add_argument("--epochs", type=int, default=25)
    two.add_argument("--seed", type=int, default=1)
    two.add_argument("--threads", type=int, default=2)
    two.add_argument("--rows", type=int, default=10000)
    two.add_argument("-o", "--output", required=True)
    two.set_defaults(run=twin)
    a = parser.parse_args()
    a.run(a)


if __name__ == "__main__":
    main()
