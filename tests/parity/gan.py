"""gan: steps of generative adversarial nets against torch in float64: D's updates and G's, all parameters after each step.

    gan.py BUILD      in the folder of the data sets; a line a case and program

A batch holds all rows, so their order does not matter. The noise of each update is what `check --dump` says was drawn.
Held against each other after every step, for each net: how far its parameters and running statistics have moved, norm of
the difference over the norm.
"""
import pathlib
import subprocess
import sys

import numpy
import torch
from torch.nn import functional as F

from nets import Case, Line, activation, batchnorm, conv, deconv, dense
from parity import BOUNDS, read, under

ROWS = 203


def softplus(y):
    return torch.logaddexp(y, torch.zeros_like(y))


# D's loss of a real row and of a fake one, G's of a fake one (Goodfellow 2014, Miyato 2018, Arjovsky 2017).
LOSSES = {
    "minimax": (lambda y: softplus(-y), softplus, lambda y: -softplus(y)),
    "nonsaturating": (lambda y: softplus(-y), softplus, lambda y: softplus(-y)),
    "hinge": (lambda y: F.relu(1 - y), lambda y: F.relu(1 + y), lambda y: -y),
    "wasserstein": (lambda y: -y, lambda y: y, lambda y: -y),
}
OPTIMIZERS = {
    "adam rate=0.002 beta1=0.5": lambda p: torch.optim.Adam(p, 0.002, (0.5, 0.999)),
    "rmsprop rate=0.001": lambda p: torch.optim.RMSprop(p, 0.001),
}
ADAM, RMSPROP = OPTIMIZERS
STATE = ("mean", "variance", "u")


class Net:
    """A net of a case, with its parameters by name, which torch's optimizer updates in place."""

    def __init__(self, name, lines, dump, optimizer):
        self.name, self.lines, self.names = name, lines, Case(None, None, lines).names()
        self.values = {key: value.clone().requires_grad_() for key, value in under(dump, f"value/{name}/").items()}
        self.state = [key for key in self.values if key.split("/")[-1] in STATE]
        self.optimizer = OPTIMIZERS[optimizer]([p for key, p in self.values.items() if key not in self.state])
        self.start = self.flat()

    def __call__(self, x):
        for line, name in zip(self.lines, self.names):
            x = line.apply(x, under(self.values, f"{name}/"), None)
        self.moves = {key: self.values[key].grad for key in self.state}
        return x

    def update(self, loss, *moves):
        """Of what it learns by its optimizer; running statistics move by each of these passes in turn, of which `moves`
        says where from the start they would lead. To spectral norm's u all of them say the same."""
        for p in self.values.values():
            p.grad = None
        loss.backward()
        self.optimizer.step()
        with torch.no_grad():
            for key in self.state:
                kept = 0 if key.endswith("/u") else 1 - 0.1  # batch norm's momentum
                moved = 0
                for move in moves:
                    moved = kept * moved + move[key]
                self.values[key] += moved

    def flat(self):
        return torch.cat([p.detach().flatten() for p in self.values.values()])


def step(g, d, loss, x, noise):
    """One update of D for each z of `noise`, then one of G from the last of them (algorithm 1)."""
    real, fake, generator = LOSSES[loss]
    for z in noise:
        of_real = real(d(x).flatten()).mean()
        moves = d.moves
        of_fake = fake(d(g(z).detach().reshape(x.shape)).flatten()).mean()
        d.update(of_real + of_fake, moves, d.moves)
    g.update(generator(d(g(z).reshape(x.shape)).flatten()).mean(), g.moves)


def leaky():
    return Line("activation", "function=leaky-relu alpha=0.2", lambda x, p, draws: F.leaky_relu(x, 0.2))


def up(out, kernel=(4, 4), stride=(2, 2), pad=(1, 1)):
    return [deconv(out, kernel, stride, pad, bias=0), batchnorm(relu=True)]


def down(out, kernel=(4, 4)):
    return [conv(out, kernel, (2, 2), (1, 1), bias=0), batchnorm(), leaky()]


MODELS = {  # data, generator, discriminator; what is no model stands for a job's own nets
    "dcgan filters=3 latent=7": (
        "large", [*up(12, stride=(1, 1), pad=(0, 0)), *up(6, (3, 3)), *up(3), deconv(1, (4, 4), (2, 2), (1, 1), bias=0),
                  activation("tanh")],
        [conv(3, (4, 4), (2, 2), (1, 1), bias=0), leaky(), *down(6), *down(12, (3, 3)), conv(1, (4, 4), bias=0)]),
    "dcgan filters=3 latent=7 spectral=1 output=logistic": (
        "large", [*up(12, stride=(1, 1), pad=(0, 0)), *up(6, (3, 3)), *up(3), deconv(1, (4, 4), (2, 2), (1, 1), bias=0),
                  activation("logistic")],
        [conv(3, (4, 4), (2, 2), (1, 1), spectral=1), leaky(), conv(6, (4, 4), (2, 2), (1, 1), spectral=1), leaky(),
         conv(12, (3, 3), (2, 2), (1, 1), spectral=1), leaky(), conv(1, (4, 4), spectral=1)]),
    "gan latent=3 generator=9 discriminator=11,8 output=linear": (
        "flat", [dense(9), leaky(), dense(6)], [dense(11), leaky(), dense(8), leaky(), dense(1)]),
    "gan latent=3 generator=9 discriminator=11 activation=tanh output=elu batchnorm=1": (
        "flat", [dense(9, bias=0), batchnorm(), activation("tanh"), dense(6), activation("elu")],
        [dense(11), activation("tanh"), dense(1)]),
    "own": (
        "flat", [dense(9, bias=0, spectral=1), batchnorm(), activation("tanh"), dense(6)],
        [dense(11, spectral=1), leaky(), dense(8, bias=0, spectral=1), batchnorm(), leaky(), dense(1, spectral=1)]),
}
PICTURES, SPECTRAL, VECTORS, NORMED, BOTH = MODELS
CASES = [  # model, loss, k, optimizers of D and G, steps
    (PICTURES, "nonsaturating", 2, ADAM, RMSPROP, 2),
    (SPECTRAL, "hinge", 2, ADAM, RMSPROP, 2),
    (NORMED, "minimax", 4, RMSPROP, ADAM, 5),
    (BOTH, "nonsaturating", 2, ADAM, RMSPROP, 3),
    (VECTORS, "hinge", 1, ADAM, ADAM, 3),
    (VECTORS, "wasserstein", 2, RMSPROP, RMSPROP, 3),
]


def run(command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def compare(build, program, number, case):
    model, loss, k, of_d, of_g, steps = case
    data, generator, discriminator = MODELS[model]
    folder, dumps = pathlib.Path(f"gan-{program}{number}"), []
    nets = [f"model={model}"] if model != BOTH else [
        "nets.generator=input 3\n" + "\n".join(line.text for line in generator),
        "nets.discriminator=" + "\n".join(line.text for line in discriminator)]
    job = ["parity.yaml", f"data={data}.h5", *nets, f"objective=gan loss={loss} k={k}", f"batch={ROWS}",
           f"optimizer.discriminator={of_d}", f"optimizer.generator={of_g}", f"steps={steps}", "schedule=constant"]
    run([build / program, "train", *job, f"run={folder}", "evaluate.every=never", "checkpoint.every=1 steps",
         "checkpoint.keep=9"])
    for s in range(steps):
        pathlib.Path("pass.h5").unlink(missing_ok=True)
        run([build / program, "check", *job, "--rows", str(ROWS), "--step", str(s), "--force", "--dump", "pass.h5"])
        dumps.append(read("pass.h5"))
    g, d = Net("generator", generator, dumps[0], of_g), Net("discriminator", discriminator, dumps[0], of_d)
    worst = 0
    for s, dump in enumerate(dumps, 1):
        step(g, d, loss, dump["input"], [dump[f"discriminator.{repeat}/draws/noise"] for repeat in range(k)])
        saved = read(folder / f"checkpoints/step-{s:08}.h5")
        for net in (g, d):
            found = torch.cat([saved[f"{'state' if key in net.state else 'model'}/{net.name}/{key}"].flatten()
                               for key in net.values])
            worst = float(numpy.max([worst, (found - net.flat()).norm() / (net.flat() - net.start).norm()]))
    good = worst <= BOUNDS[program]
    print(f"{program:16} {model.split()[0]:5} {loss:13} k={k} {of_d.split()[0]:7} {of_g.split()[0]:7} {steps} steps, "
          f"worst {worst:.1e}", "" if good else "WRONG")
    return good


if __name__ == "__main__":
    torch.set_num_threads(1)
    folder = pathlib.Path(sys.argv[1])
    results = [compare(folder, program, number, case) for program in BOUNDS for number, case in enumerate(CASES)]
    sys.exit(not all(results))
