#!/usr/bin/python3
"""scaling: how well training scales to 1,024 nodes, as SimGrid and the project's own sum say; see simulate.py.

  scaling.py BUILD [RESULTS] [NET ...]      nets: resnet50, vgg16, strong; one or two hours on an idle core

A node is one of MLPerf's: two Xeon 8480+ (112 cores) train ResNet-50 at 537 images/s (MLPerf training 3.0, 16 nodes,
batch 3,264: 204 a node). Layers take the shares of a step that they take on one core for 2 rows, as many as a core of
such a node has (profiles/, measured on an EPYC with AVX-512, Zen 5); a node is so many times faster than this core that
ResNet-50 takes 204 / 537 s. VGG-16 and the rest of a step (update, packing) are faster by the same factor. Networks,
both fat trees: 100 Gbit/s with 1 microsecond a link, 10 Gbit/s with 5.

  efficiency   speed of n nodes over n times that of one; strong: of 8,192 rows over all nodes
  exposed      what a step takes longer than the computation of a node
  bound        efficiency if all but the forward pass hid the bytes, at the full speed of a link

Each line is appended to RESULTS (scaling.txt) as it is done, and runs that are there already are left out.
"""
import os
import sys

import simulate

PROFILES = os.path.join(simulate.HERE, "profiles")
NODE_ROWS, NODE_SPEED, STRONG_ROWS = 204, 537, 8192
NETWORKS = {100: 1, 10: 5}  # Gbit/s: microseconds
NODES = (16, 64, 256, 1024)
PUBLISHED = """published, weak scaling: VGG-A 0.70 at 128 nodes (Das et al. 2016); ResNet-50 0.90 at 128 and 0.83 at 256 nodes (Intel
Caffe, Dell 2018), above 0.90 at 1,024 and more (Codreanu et al. 2017); MLPerf 3.0 (2023) has 16 nodes of two Xeon 8480+ at
2 x 100 Gbit/s and no single node beside them"""


def profile(net):
    return os.path.join(PROFILES, net + ".txt")


def faster():
    return simulate.seconds_of(profile("resnet50"), NODE_ROWS) / (NODE_ROWS / NODE_SPEED)


def efficiency(net, rows, alone_rows, seconds):
    """Of nodes that each take `seconds` for `rows` of the alone_rows that one would have."""
    alone = simulate.seconds_of(profile(net), alone_rows) / faster()
    return alone / (alone_rows / rows) / seconds


def bound(net, rows, nodes, gbit, reals):
    """Seconds of a step that hides all bytes but in the forward pass."""
    _, layers, rest = simulate.read_profile(profile(net))
    forward = rows * sum(times[0] for times in layers.values()) / faster()
    backward = rows * sum(times[1] for times in layers.values()) / faster()
    return forward + max(backward, 2 * (1 - 1 / nodes) * 4 * reals / simulate.bytes_a_second(gbit)) + rest / faster()


def line(simulator, name, nodes, gbit):
    net = "resnet50" if name == "strong" else name
    rows = STRONG_ROWS // nodes if name == "strong" else NODE_ROWS
    alone_rows = STRONG_ROWS if name == "strong" else NODE_ROWS
    result = simulator.run(profile(net), nodes, rows=rows, faster=faster(), gbit=gbit, latency=NETWORKS[gbit])
    return "%-9s %5d %6d %5d %10.2f %10.2f %10.3f %7.3f" % (
        name, nodes, gbit, rows, 1e3 * result["step"], 1e3 * (result["step"] - result["compute"]),
        efficiency(net, rows, alone_rows, result["step"]),
        efficiency(net, rows, alone_rows, bound(net, rows, nodes, gbit, result["reals"])))


def main():
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    path = (sys.argv[2:3] or ["scaling.txt"])[0]
    simulator = simulate.Simulator(sys.argv[1])
    done = open(path).read().splitlines() if os.path.exists(path) else []
    head = "net       nodes Gbit/s  rows    step ms exposed ms efficiency   bound"
    print(head)
    for nodes in NODES:
        for name in sys.argv[3:] or ("resnet50", "vgg16", "strong"):
            for gbit in NETWORKS:
                known = [text for text in done if text.split()[:3] == [name, str(nodes), str(gbit)]]
                if name == "strong" and nodes > 256:
                    continue
                text = known[0] if known else line(simulator, name, nodes, gbit)
                print(text, flush=True)
                if not known:
                    with open(path, "a") as out:
                        out.write(text + "\n")
    print(PUBLISHED)


if __name__ == "__main__":
    main()
