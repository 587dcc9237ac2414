#!/usr/bin/python3
"""The VAE of launch/jobs/vae.yaml trained by PyTorch, and its test likelihood by the same estimate.

    vae_torch.py FASHION.h5 [--epochs 400] [--draws 5000] [--threads 2] ...

Prints a line an evaluation, then the importance-weighted likelihood of the test rows (Burda et al. 2016, eq. 8) with
its bound. The recipe is that of the job: Adam under a cosine after one epoch of warm-up, beta that rises evenly over
--warmup epochs, pixels drawn anew at each sight, and the weights of the best evaluation on the validation rows.
"""
import argparse
import copy
import math
import time

import h5py
import numpy
import torch
import torch.nn as nn
import torch.nn.functional as F


def stack(widths, activation):
    """Hidden layers with their activation, then a layer without one."""
    parts = []
    for here, to in zip(widths[:-1], widths[1:-1]):
        parts += [nn.Linear(here, 2 * to), nn.GLU()] if activation == "glu" else [nn.Linear(here, to), activation()]
    return nn.Sequential(*parts, nn.Linear(*widths[-2:]))


def initialize(net):
    """As lockstep's dense lines begin: He's normal weights, biases of 0."""
    for part in net.modules():
        if isinstance(part, nn.Linear):
            nn.init.normal_(part.weight, std=math.sqrt(2 / part.in_features))
            nn.init.zeros_(part.bias)


class Vae(nn.Module):
    def __init__(self, hidden, latent, activation):
        super().__init__()
        self.latent = latent
        self.encoder = stack([784, *hidden, 2 * latent], activation)
        self.decoder = stack([latent, *hidden[::-1], 784], activation)
        initialize(self)

    def code(self, x):
        mean, logvar = self.encoder(x).split(self.latent, 1)
        return mean, logvar

    def forward(self, x):
        """Reconstruction and divergence of each row, in nats."""
        mean, logvar = self.code(x)
        z = mean + torch.randn_like(mean) * torch.exp(0.5 * logvar)
        reconstruction = F.binary_cross_entropy_with_logits(self.decoder(z), x, reduction="none").sum(1)
        return reconstruction, -0.5 * (1 + logvar - mean**2 - logvar.exp()).sum(1)


@torch.no_grad()
def bound(model, x):
    reconstruction, divergence = model(x)
    return float((reconstruction + divergence).mean())


@torch.no_grad()
def likelihood(model, x, draws, chunk=500):
    """ln 1/K sum p(x|z) p(z) / q(z|x), the mean over the rows."""
    total = 0.0
    for row in x:
        mean, logvar = model.code(row[None])
        weights = []
        for begin in range(0, draws, chunk):
            noise = torch.randn(min(chunk, draws - begin), model.latent)
            z = mean + noise * torch.exp(0.5 * logvar)
            y = model.decoder(z)
            given = (row * y - F.softplus(y)).sum(1)
            weights.append(given + 0.5 * (noise**2 - z**2 + logvar).sum(1))
        total += float(torch.logsumexp(torch.cat(weights).double(), 0)) - math.log(draws)
    return total / len(x)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("data")
    ap.add_argument("--hidden", default="300,300")
    ap.add_argument("--latent", type=int, default=40)
    ap.add_argument("--activation", choices=["glu", "relu", "tanh"], default="glu")
    ap.add_argument("--epochs", type=int, default=400)
    ap.add_argument("--batch", type=int, default=250)
    ap.add_argument("--rate", type=float, default=1e-3)
    ap.add_argument("--warmup", type=int, default=40)
    ap.add_argument("--every", type=int, default=5)
    ap.add_argument("--draws", type=int, default=5000)
    ap.add_argument("--rows", type=int, default=10000, help="of the test rows")
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--threads", type=int, default=2)
    a = ap.parse_args()
    torch.manual_seed(a.seed)
    torch.set_num_threads(a.threads)
    with h5py.File(a.data) as file:
        train, valid, test = (torch.tensor(file[f"{split}/x"][()].reshape(-1, 784), dtype=torch.float32) / 255
                              for split in ("train", "valid", "test"))
    activation = {"glu": "glu", "relu": nn.ReLU, "tanh": nn.Tanh}[a.activation]
    model = Vae([int(width) for width in a.hidden.split(",")], a.latent, activation)
    best, least = None, math.inf
    adam = torch.optim.Adam(model.parameters(), a.rate)
    steps = len(train) // a.batch
    valid = torch.bernoulli(valid)
    start, t = time.time(), 0
    for epoch in range(a.epochs):
        beta = min(1, (epoch + 1) / (a.warmup + 1))
        order = torch.randperm(len(train))
        for step in range(steps):
            t += 1
            rise = min(1, t / steps)
            adam.param_groups[0]["lr"] = a.rate * rise * 0.5 * (1 + math.cos(math.pi * (t - 1) / (a.epochs * steps)))
            adam.zero_grad()
            reconstruction, divergence = model(torch.bernoulli(train[order[step * a.batch:(step + 1) * a.batch]]))
            (reconstruction + beta * divergence).mean().backward()
            adam.step()
        if (epoch + 1) % a.every == 0 or epoch + 1 == a.epochs:
            found = bound(model, valid)
            if found < least:
                least, best = found, copy.deepcopy(model)
            print(f"epoch {epoch + 1}: valid bound {found:.3f}, {time.time() - start:.0f} s", flush=True)
    test = torch.bernoulli(test[:a.rows])
    print(f"test bound {bound(best, test):.3f}", flush=True)
    print(f"test likelihood by {a.draws} draws {likelihood(best, test, a.draws):.3f}, {time.time() - start:.0f} s")


if __name__ == "__main__":
    main()
