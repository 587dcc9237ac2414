"""vision: the nets for images against torchvision's in float64, at the same weights.

    vision.py BUILD      in an empty folder; a line a net and program

One pass over two rows of 224x224 (check --dump): the net's output, the loss, every parameter's gradient, the running
statistics after it. Three steps (train) of a ResNet-18: how far parameters and running statistics have moved. The error
is the norm of the difference over the norm; a gradient's norm counts as at least 1e-3 of the whole gradient's.
"""
import pathlib
import subprocess
import sys

import h5py
import numpy
import torch
import torchvision
from torch.nn import functional as F

BOUNDS = {"lockstep-double": 1e-8, "lockstep": 1e-3}
PARAMETERS = {torch.nn.BatchNorm2d: {"scale": "weight", "shift": "bias", "mean": "running_mean",
                                     "variance": "running_var"}}
WEIGHTS = {"weight": "weight", "bias": "bias"}
STEPS, RATE, DECAY = 3, 0.01, 0.01


def draw(net):
    """No bias, scale or statistic is at its 0 or 1. Norms put most values of a channel on one side of 0, and blocks add
    little to their input."""
    for part in net.modules():
        if getattr(part, "bias", None) is not None:
            part.bias.add_(0.2 * torch.randn_like(part.bias))
        if isinstance(part, torch.nn.BatchNorm2d):
            part.weight.add_(0.2 * torch.randn_like(part.weight))
            part.bias.add_(3)
            part.running_mean.normal_()
            part.running_var.uniform_(0.5, 2)
    for block in net.modules():
        if hasattr(block, "downsample"):
            *inner, last = [part for part in block.children() if isinstance(part, torch.nn.BatchNorm2d)]
            for part in inner:
                part.bias.mul_(torch.randn_like(part.bias).sign())
            last.weight.mul_(0.1)
            last.bias.mul_(0.1)


def part_from_zero(convolution, _, y):
    """A forward hook, for nets without norms: moves each channel 4 deviations above or below 0."""
    places = (0, 2, 3)
    side = torch.randn_like(convolution.bias).sign()
    bias = (convolution.bias - y.mean(places) + 4 * side * y.std(places)).float().double()
    moved = y + (bias - convolution.bias).reshape(-1, 1, 1)
    convolution.bias.copy_(bias)
    return moved


def make(name, x, **options):
    """torchvision's net with numbers that float32 holds, far from ReLU's kink where it can be: a single value that
    rounding brings to the other side changes the gradient of a layer by 1e-3 and more."""
    net = getattr(torchvision.models, name)(**options)
    with torch.no_grad():
        draw(net)
        net.double()
        hooks = [part.register_forward_hook(part_from_zero) for part in net.modules()
                 if isinstance(part, torch.nn.Conv2d) and part.bias is not None]
        if hooks:
            net(x)
        for hook in hooks:
            hook.remove()
    return net


def layers(net):
    """torch's layers by lockstep's names. ResNet's are torch's own; others are numbered."""
    found = {name.replace(".", "_"): part for name, part in net.named_modules()
             if isinstance(part, (torch.nn.Conv2d, torch.nn.Linear, torch.nn.BatchNorm2d))}
    if isinstance(net, torchvision.models.ResNet):
        return found
    convolutions = [f"conv{k}" for k in range(1, 6)]
    if isinstance(net, torchvision.models.VGG):
        convolutions = [f"conv{g}_{k}" for g, count in enumerate((2, 2, 3, 3, 3), 1) for k in range(1, count + 1)]
    return dict(zip([*convolutions, "dense1", "dense2", "dense3"], found.values(), strict=True))


def each(net):
    """(lockstep's name, a function that brings the torch array to lockstep's order, the torch array)."""
    first = next((part for part in net.modules() if isinstance(part, torch.nn.Linear)), None)
    for layer, part in layers(net).items():
        for name, torch_name in PARAMETERS.get(type(part), WEIGHTS).items():
            values = getattr(part, torch_name)
            if values is not None:
                yield f"net/{layer}/{name}", flat_by_places if values is first.weight else lambda array: array, values


def flat_by_places(weight):
    """Inputs of the first dense layer: lockstep flattens [height, width, channels], torch [channels, height, width].
    Both of torchvision's pool to squares; after a global pool there is nothing to change."""
    channels = {9216: 256, 25088: 512}.get(weight.shape[1], weight.shape[1])
    side = round((weight.shape[1] // channels) ** 0.5)
    return weight.reshape(-1, channels, side, side).permute(0, 2, 3, 1).flatten(1)


def stored(name):
    """Where weights files and checkpoints have it."""
    return ("state/" if name.endswith(("/mean", "/variance")) else "model/") + name


def rows(count, side, classes):
    """data.h5, and its rows as torch takes them. A picture repeats a pattern: that makes the windows of a pool few whose
    two largest values rounding could exchange."""
    x = torch.randn(count, 32, 32, 3).tile(1, side // 32, side // 32, 1)
    y = torch.arange(count) % classes
    with h5py.File("data.h5", "w") as file:
        file["train/x"], file["train/y"] = x.numpy(), y.numpy()
    return x.double().permute(0, 3, 1, 2), y


def write_weights(net):
    with h5py.File("weights.h5", "w") as file:
        for name, order, values in each(net):
            file[stored(name)] = order(values.detach()).float().numpy()


def norm(values):
    return float(numpy.linalg.norm(numpy.asarray(values).ravel()))


def error(found, expected, floor=1e-30):
    expected = expected.detach().numpy()
    if found.shape != expected.shape:
        return numpy.inf
    return norm(found - expected) / max(norm(expected), floor)


def lockstep(build, program, *arguments):
    return subprocess.run([build / program, *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout


def report(program, what, found):
    worst = max(found, key=lambda name: numpy.nan_to_num(found[name], nan=numpy.inf))
    good = found[worst] <= BOUNDS[program]
    print(f"{program:16} {what:22} {len(found):4} compared, worst {found[worst]:.1e} of {worst}",
          "" if good else "WRONG", flush=True)
    return good


def job(build, program, model):
    """The double program takes the model's name, the other one its lines as `list` prints them."""
    text = f"model: {model}\n" if program.endswith("double") else lockstep(build, program, "list", "--model", model)
    pathlib.Path("job.yaml").write_text("data: data.h5\n" + text.split("\n\n")[0] + "\n")
    return "job.yaml"


def errors(net, output, loss, before):
    """Of one pass, in pass.h5, whose torch side is done."""
    whole = norm([norm(p.grad) for p in net.parameters()])
    with h5py.File("pass.h5") as file:
        gradient = file["gradient"]
        names = []
        gradient.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None)
        found = {"loss": abs(file.attrs["loss"] - loss.item()) / loss.item(),
                 "output": error(file[f"output/net/{list(layers(net))[-1]}"][()], output)}
        for name, order, values in each(net):
            names.remove(name)
            if values.grad is None: # statistics: how far the step brings them
                found[name] = error(gradient[name][()], values - before[name])
            else:
                found[name] = error(gradient[name][()], order(values.grad), 1e-3 * whole)
    assert not names, f"torchvision has no {names}"
    return found


def compare_pass(build, model, name, **options):
    x, y = rows(2, 224, 1000)
    net = make(name, x, **options)
    write_weights(net)
    before = {name: values.clone() for name, _, values in each(net) if not values.requires_grad}
    output = net(x)
    loss = F.cross_entropy(output, y)
    loss.backward()
    good = True
    for program in BOUNDS:
        lockstep(build, program, "check", job(build, program, model), "--rows", "2", "--weights", "weights.h5", "--dump",
                 "pass.h5")
        good = report(program, model, errors(net, output, loss, before)) and good
    return good


def train(net, x, y):
    optimizer = torch.optim.SGD(net.parameters(), RATE, weight_decay=DECAY)
    for _ in range(STEPS):
        optimizer.zero_grad()
        F.cross_entropy(net(x), y).backward()
        optimizer.step()


def compare_steps(build, model, name):
    """A batch is all rows and one shard, as torch takes them."""
    x, y = rows(8, 64, 4)
    net = make(name, x, num_classes=4)
    write_weights(net)
    before = {name: order(values.detach()).clone() for name, order, values in each(net)}
    train(net, x, y)
    moved = {name: order(values) - before[name] for name, order, values in each(net)}
    whole = norm([norm(change.detach()) for change in moved.values()])
    good = True
    for program in BOUNDS:
        lockstep(build, program, "train", job(build, program, model), f"run={program}", "--weights", "weights.h5",
                 f"batch={len(x)}", f"steps={STEPS}", f"optimizer=sgd rate={RATE} decay={DECAY}", "schedule=constant")
        found = {}
        with h5py.File(f"{program}/checkpoints/step-{STEPS:08}.h5") as file:
            for name, change in moved.items():
                found[name] = error(file[stored(name)][()] - before[name].numpy(), change, 1e-3 * whole)
        good = report(program, f"{STEPS} steps {model}", found) and good
    return good


if __name__ == "__main__":
    torch.manual_seed(1)
    folder = pathlib.Path(sys.argv[1])
    results = [compare_steps(folder, "resnet depth=18 classes=4", "resnet18"),
               compare_pass(folder, "resnet50", "resnet50"),
               compare_pass(folder, "alexnet dropout=0", "alexnet", dropout=0),
               compare_pass(folder, "vgg16 dropout=0", "vgg16", dropout=0)]
    sys.exit(not all(results))
