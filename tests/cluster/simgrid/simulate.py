#!/usr/bin/python3
"""simulate: training on many nodes under SimGrid, by the project's own sum over the nodes (step.c).

  simulate.py BUILD PROFILE NODES [KEY=VALUE ...]      one run: NODES nodes, key=value as below

PROFILE is what `lockstep bench MODEL --batch B --threads 1 --profile` printed. What is assumed, and the keys
that change it:

  rows=204      rows of a node in a step
  cores=112     of a node; a layer's work on the rows of one core decides how often messages move on
  faster=F      how much faster a node computes than the core of PROFILE (55: see scaling.py)
  memory=200    GB/s of a node, for additions of what came: two arrays are read, one is written
  gbit=100      of each link, each way; 1448 of 1514 bits are data, as in frames of Ethernet
  latency=1     microseconds of each link and each end: 4 links to a node of another leaf, 2 within a leaf
  A message costs the processor nothing. A rank that has nothing to do but to wait looks for messages every
  50 microseconds. Layers take no longer while messages move. All nodes are equally fast.
  Messages that end within 10 microseconds of one another end together: so the simulation of many nodes takes minutes.
  The network is a fat tree with full bisection: leaves of 32 nodes (one switch for up to 32).
"""
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.normpath(os.path.join(HERE, "../../.."))
# Calls that stand_ins.c answers.
WRAPPED = ["ls_alloc", "ls_free", "ls_sum_order_add", "ls_squares_measure", "ls_exchange_full",
           "ls_exchange_start", "ls_exchange_take", "ls_waiting_pause", "MPI_Init_thread", "MPI_Comm_split_type",
           "MPI_Scan", "MPI_Test"]
# Of dist, what a node of one rank does not need.
UNUSED = ["shared.c", "watchdog.c", "inquiry.c", "stall.c", "vitals.c"]
PRESET = {"rows": 204, "cores": 112, "faster": 55, "memory": 200, "gbit": 100, "latency": 1, "steps": 2}


def build(tree, program):
    """Compiles dist as it is, by smpicc. core knows no MPI: its objects are those of the build tree."""
    core = [os.path.join(folder, f) for folder, _, files in
            os.walk(os.path.join(tree, "CMakeFiles/lockstep_lib.dir/core")) for f in files if f.endswith(".o")]
    own = [os.path.join(HERE, f) for f in ("step.c", "stand_ins.c")]
    dist = [os.path.join(ROOT, "dist", f) for f in sorted(os.listdir(os.path.join(ROOT, "dist")))
            if f.endswith(".c") and f not in UNUSED]
    subprocess.run(["smpicc", "-std=gnu11", "-O2", "-D_GNU_SOURCE", "-ffp-contract=fast", "-Wall", "-Wextra", "-Werror",
                    "-Wno-unused-parameter", "-I" + ROOT, "-I" + os.path.join(ROOT, "tests"),
                    *("-Wl,--wrap=" + name for name in WRAPPED), "-o", program, *own, *dist, *core, "-fopenmp",
                    "-lxxhash", "-lm", "-ldl"], check=True)


def read_profile(path):
    """Returns the model, {layer: (forward, backward)} in seconds a row, and the seconds of a step that no layer has."""
    text = open(path).read()
    batch = int(re.search(r'"batch":(\d+)', text)[1])
    layers = {m[1]: (float(m[2]) / 1e3 / batch, float(m[3]) / 1e3 / batch) for m in re.finditer(
        r"^(\S+) +forward +([\d.]+) ms .* backward +([\d.]+) ms", text, re.M)}
    m = re.search(r"^all layers ([\d.]+) ms of a step's ([\d.]+) ms", text, re.M)
    return re.search(r'"model":"([^"]+)"', text)[1], layers, (float(m[2]) - float(m[1])) / 1e3


def seconds_of(path, rows):
    """Of a step of so many rows on the core of the profile."""
    _, layers, rest = read_profile(path)
    return rows * sum(map(sum, layers.values())) + rest


def bytes_a_second(gbit):
    return gbit * 1e9 / 8 * 1448 / 1514


def write_platform(path, nodes, gbit, latency):
    tree = "1;%d;1;1" % nodes if nodes <= 32 else "2;32,%d;1,16;1,2" % (nodes // 32)
    with open(path, "w") as out:
        out.write('<?xml version="1.0"?><!DOCTYPE platform SYSTEM "https://simgrid.org/simgrid.dtd">\n'
                  '<platform version="4.1"><cluster id="tree" prefix="n" suffix="" radical="0-%d" speed="1Tf" '
                  'bw="%gBps" lat="%gus" topology="FAT_TREE" topo_parameters="%s"/></platform>\n'
                  % (nodes - 1, bytes_a_second(gbit), latency, tree))


class Simulator:
    """A compiled simulator in a folder of its own."""

    def __init__(self, tree):
        self.folder = tempfile.TemporaryDirectory()
        self.program = self.path("step")
        build(tree, self.program)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def start(self, nodes, words, gbit, latency):
        """Runs `step FILE words` on so many nodes; returns its numbers as a dict."""
        write_platform(self.path("platform.xml"), nodes, gbit, latency)
        with open(self.path("hosts"), "w") as out:
            out.write("".join("n%d\n" % i for i in range(nodes)))
        settings = {"smpi/simulate-computation": "no", "smpi/host-speed": "1Tf", "smpi/bw-factor": "0:1",
                    "smpi/lat-factor": "0:1", "network/crosstraffic": "0", "surf/precision": "1e-5", "smpi/test": "0",
                    "smpi/iprobe": "0", "smpi/coll-selector": "ompi", "smpi/shared-malloc-blocksize": "33554432",
                    "contexts/stack-size": "1024", "smpi/tmpdir": self.folder.name}
        done = subprocess.run(
            ["smpirun", "-no-privatize", "-np", str(nodes), "-platform", self.path("platform.xml"), "-hostfile",
             self.path("hosts"), "--log=root.thres:critical", *("--cfg=%s:%s" % s for s in settings.items()),
             self.program, self.path("model"), *words], capture_output=True, text=True, cwd=self.folder.name)
        found = re.findall(r"(\w+)=([\d.]+)", done.stdout)
        if done.returncode or not found:
            raise SystemExit("the simulator ended with code %d:\n%s%s" % (done.returncode, done.stdout, done.stderr))
        return {key: float(value) for key, value in found}

    def run(self, profile, nodes, **keys):
        """Simulated seconds of a step (`step`), of what one node computes of it (`compute`), and more."""
        keys = {**PRESET, **keys}
        model, layers, rest = read_profile(profile)
        with open(self.path("model"), "w") as out:
            out.write("%s\nrest %.9g\n" % (model, rest))
            out.write("".join("%s %.9g %.9g\n" % (name, *times) for name, times in layers.items()))
        words = ["%s=%d" % (key, keys[key]) for key in ("rows", "cores", "steps")]
        words += ["faster=%.9g" % keys["faster"], "memory=%.9g" % (1e9 * keys["memory"])]
        return self.start(nodes, words, keys["gbit"], keys["latency"])

    def run_exact(self, nodes, model):
        """A few steps with real numbers; ends this program if the sum has other bits than sum_order.h says."""
        with open(self.path("model"), "w") as out:
            out.write(model + "\n")
        return self.start(nodes, ["exact=1", "steps=3"], 100, 1)


if __name__ == "__main__":
    if len(sys.argv) < 4:
        raise SystemExit(__doc__)
    given = {key: float(value) for key, value in (word.split("=") for word in sys.argv[4:])}
    if set(given) - set(PRESET):
        raise SystemExit("expected one of %s, found %s" % (", ".join(PRESET), ", ".join(set(given) - set(PRESET))))
    print(Simulator(sys.argv[1]).run(sys.argv[2], int(sys.argv[3]), **given))
