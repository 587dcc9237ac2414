"""vision: the nets for images against torchvision's in float64, at the same weights.

    vision.py BUILD      in an empty folder; a line a net and program

One pass over two rows of 224x224 (check --dump): the net's output, the loss, every parameter's gradient, the running
statistics after it. Three steps (train) of a ResNet-18, in double (in float values cross kinks, and each step adds to
it): how far parameters and running statistics have moved. The error is the norm of the difference over the norm, which
for a gradient and a move counts as at least 1e-3 of the whole one's.
"""
import contextlib
import pathlib
import subprocess
import sys

import h5py
import numpy
import torch
import torchvision
from torch.nn import functional as F

# program, keys of the job, the error allowed: Winograd's own rounding may move one more value across a kink
PROGRAMS = [("lockstep-double", [], 1e-8), ("lockstep", ["exact_conv=true"], 1e-3), ("lockstep", [], 1e-2)]
PARAMETERS = {torch.nn.BatchNorm2d: {"scale": "weight", "shift": "bias", "mean": "running_mean",
                                     "variance": "running_var"}}
WEIGHTS = {"weight": "weight", "bias": "bias"}
STEPS, RATE, DECAY = 3, 0.01, 0.01


def make(name, **options):
    """torchvision's net, randomized, in double."""
    return randomize(getattr(torchvision.models, name)(**options)).double()


def randomize(net):
    """The net with numbers that float32 holds; no bias, scale or statistic is at its 0 or 1."""
    with torch.no_grad():
        for part in net.modules():
            if getattr(part, "bias", None) is not None:
                part.bias.add_(0.2 * torch.randn_like(part.bias))
            if isinstance(part, torch.nn.BatchNorm2d):
                part.weight.add_(0.2 * torch.randn_like(part.weight))
                part.running_mean.normal_()
                part.running_var.uniform_(0.5, 2)
            if isinstance(part, torch.nn.ReLU):
                part.inplace = False # follow() wants its input
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
    """(lockstep's name, a function that brings the torch array to lockstep's order, the torch array). The first dense
    layer flattens [height, width, channels], in torch [channels, height, width]."""
    side = net.avgpool.output_size
    first = next(part for part in net.modules() if isinstance(part, torch.nn.Linear))
    for layer, part in layers(net).items():
        for name, torch_name in PARAMETERS.get(type(part), WEIGHTS).items():
            values = getattr(part, torch_name)
            if values is not None:
                flat = values is first.weight
                yield f"net/{layer}/{name}", lambda array, flat=flat: (
                    array.unflatten(1, (-1, *side)).permute(0, 2, 3, 1).flatten(1) if flat else array), values


def stored(name):
    """Where weights files and checkpoints have it."""
    return ("state/" if name.endswith(("/mean", "/variance")) else "model/") + name


def write(net, rows, side, classes):
    """weights.h5 and data.h5; the rows as torch takes them."""
    x = torch.randn(rows, side, side, 3)
    y = torch.arange(rows) % classes
    with h5py.File("weights.h5", "w") as file:
        for name, order, values in each(net):
            file[stored(name)] = order(values.detach()).float().numpy()
    with h5py.File("data.h5", "w") as file:
        file["train/x"], file["train/y"] = x.numpy(), y.numpy()
    return x.double().permute(0, 3, 1, 2), y


def rectified(net):
    """lockstep's names of the layers that end with ReLU, in the order of torch's calls."""
    if isinstance(net, torchvision.models.ResNet):
        return [layer for layer, part in layers(net).items()
                if isinstance(part, torch.nn.BatchNorm2d) and "downsample" not in layer]
    return [f"activation{k}" for k in range(1, 1 + sum(isinstance(part, torch.nn.ReLU) for part in net.modules()))]


@contextlib.contextmanager
def follow(net, outputs):
    """Lets torch's ReLUs and pools take the side that lockstep's outputs say. In float, rounding decides where a value
    is nearly 0 or two of a window are nearly equal, and a single such place changes the gradient of a layer by 1e-3 and
    more."""
    names, seen = iter(rectified(net)), []

    def relu(part, x, _):
        seen.append(torch.tensor(outputs[next(names)][()]))
        if seen[-1].dim() == 4:
            seen[-1] = seen[-1].permute(0, 3, 1, 2)
        return x[0] * (seen[-1] > 0)

    def pool(part, x, _):
        places = F.max_pool2d(seen[-1], part.kernel_size, part.stride, part.padding, return_indices=True)[1]
        return x[0].flatten(2).gather(2, places.flatten(2)).view_as(places)

    hooks = [part.register_forward_hook(relu if isinstance(part, torch.nn.ReLU) else pool) for part in net.modules()
             if isinstance(part, (torch.nn.ReLU, torch.nn.MaxPool2d))]
    yield
    for hook in hooks:
        hook.remove()


def norm(values):
    return float(numpy.linalg.norm(numpy.asarray(values).ravel()))


def error(found, expected, floor=1e-30):
    expected = expected.detach().numpy()
    if found.shape != expected.shape:
        return numpy.inf
    return norm(found - expected) / max(norm(expected), floor)


def lockstep(build, program, *arguments):
    return subprocess.run([build / program, *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout


def report(program, what, found, bound):
    worst = max(found, key=lambda name: numpy.nan_to_num(found[name], nan=numpy.inf))
    good = found[worst] <= bound
    print(f"{program:16} {what:33} {len(found):4} compared, worst {found[worst]:.1e} of {worst}",
          "" if good else "WRONG", flush=True)
    return good


def job(build, program, model):
    """The double program takes the model's name, the other one its lines as `list` prints them."""
    text = f"model: {model}\n" if program.endswith("double") else lockstep(build, program, "list", "--model", model)
    pathlib.Path("job.yaml").write_text("data: data.h5\n" + text.split("\n\n")[0] + "\n")
    return "job.yaml"


def errors(net, x, y, file):
    """Of the pass in the file. Statistics have a gradient too: how far the step brings them."""
    before = {name: values.clone() for name, _, values in each(net) if not values.requires_grad}
    found_output = file[f"output/net/{list(layers(net))[-1]}"][()]
    net.zero_grad()
    with follow(net, file["output/net"]) if found_output.dtype == numpy.float32 else contextlib.nullcontext():
        output = net(x)
    loss = F.cross_entropy(output, y)
    loss.backward()
    whole = norm([norm(p.grad) for p in net.parameters()])
    found = {"loss": abs(file.attrs["loss"] - loss.item()) / loss.item(),
             "output": error(found_output, output)}
    for name, order, values in each(net):
        gradient = file[f"gradient/{name}"][()]
        if name in before:
            found[name] = error(gradient, values - before[name])
            values.copy_(before[name])
        else:
            found[name] = error(gradient, order(values.grad), 1e-3 * whole)
    return found


def compare_pass(build, model, name, **options):
    net = make(name, **options)
    x, y = write(net, 2, 224, 1000)
    good = True
    for program, keys, bound in PROGRAMS:
        lockstep(build, program, "check", job(build, program, model), *keys, "--rows", "2", "--weights", "weights.h5",
                 "--force", "--dump", "pass.h5")
        with h5py.File("pass.h5") as file:
            good = report(program, " ".join([model, *keys]), errors(net, x, y, file), bound) and good
    return good


def train(net, x, y):
    optimizer = torch.optim.SGD(net.parameters(), RATE, weight_decay=DECAY)
    for _ in range(STEPS):
        optimizer.zero_grad()
        F.cross_entropy(net(x), y).backward()
        optimizer.step()


def compare_steps(build, model, name):
    """A batch is all rows and one shard, as torch takes them."""
    net = make(name, num_classes=8)
    x, y = write(net, 8, 64, 8)
    before = {name: order(values.detach()).clone() for name, order, values in each(net)}
    train(net, x, y)
    moved = {name: order(values) - before[name] for name, order, values in each(net)}
    whole = norm([norm(change.detach()) for change in moved.values()])
    program = "lockstep-double"
    lockstep(build, program, "train", job(build, program, model), "run=run", "--weights", "weights.h5",
             f"batch={len(x)}", f"steps={STEPS}", f"optimizer=sgd rate={RATE} decay={DECAY}", "schedule=constant")
    found = {}
    with h5py.File(f"run/checkpoints/step-{STEPS:08}.h5") as file:
        for name, change in moved.items():
            found[name] = error(file[stored(name)][()] - before[name].numpy(), change, 1e-3 * whole)
    return report(program, f"{STEPS} steps {model}", found, PROGRAMS[0][2])


if __name__ == "__main__":
    torch.manual_seed(1)
    folder = pathlib.Path(sys.argv[1])
    results = [compare_steps(folder, "resnet depth=18 classes=8", "resnet18"),
               compare_pass(folder, "resnet50", "resnet50"),
               compare_pass(folder, "alexnet dropout=0", "alexnet", dropout=0),
               compare_pass(folder, "vgg16 dropout=0", "vgg16", dropout=0)]
    sys.exit(not all(results))
