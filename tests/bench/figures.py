#!/usr/bin/python3
"""figures: trains jobs of launch/jobs to the end for several seeds, one after the other, and notes what they reach on test.

  tests/bench/figures.py --lockstep build/lockstep [--seeds 1,2,3] [--ranks 2] [-o runs/figures.txt] NAME[:TAG] [KEY=VALUE ...]

NAME is a job, as in `rbm` for launch/jobs/rbm.yaml. The head of a job has the commands that make its data and that measure
its figure. Those before `lockstep train` are run where the data set is missing; those with `lockstep evaluate` are run after
each training, or `evaluate --split test` where there are none. A run has the folder runs/NAME-TAG-SEED, and TAG tells runs with
other KEY=VALUEs apart. Started again, the script goes on: trainings continue from their checkpoints, and what the file of
results has is not run again.
"""
import argparse
import os
import re
import shlex
import subprocess

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
FASHION = "/usr/share/datasets/fashion-mnist"
IDX = [f"{FASHION}/{name}.gz" for name in ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte",
                                           "t10k-labels-idx1-ubyte")]


def read_job(name):
    """The text of a job, and the commands of its head: indented comments, joined where a line ends in a backslash."""
    text = open(os.path.join(ROOT, "launch/jobs", name + ".yaml")).read()
    head = "".join(re.findall(r"^#   (.*\n)", text, re.M)).replace("\\\n", "")
    return text, [re.sub(r"\s+# .*", "", line).strip() for line in head.splitlines()]


def value(text, key):
    return re.search(rf"^{key}: *(\S+)", text, re.M)[1]


def make_data(text, commands, a):
    """Runs what stands before the first training, unless the data set is there."""
    data = value(text, "data")
    if os.path.exists(data):
        return
    if data == "runs/fashion.h5":
        subprocess.run([a.lockstep, "import", "idx", *IDX, "--valid", "5000", "-o", data], check=True)
    for command in commands:
        if "lockstep train" in command:
            break
        subprocess.run(["bash", "-ec", command.replace("build/lockstep", a.lockstep)], check=True)


def measure(name, seed, text, commands, a):
    """Trains one run to the end, and returns what the evaluations of the head print."""
    run = "-".join(["runs/" + name.replace(":", "-"), str(seed)])
    mpirun = ["mpirun", "-n", str(a.ranks)]
    job = os.path.join(ROOT, "launch/jobs", name.split(":")[0] + ".yaml")
    subprocess.run([*mpirun, a.lockstep, "train", job, f"run={run}", f"seed={seed}", "shards=2", *a.keys], check=True)
    evaluations = [shlex.split(command) for command in commands if "lockstep evaluate" in command and "--stage" not in command]
    found = []
    for words in evaluations or [["evaluate", run]]:
        options = words[words.index("evaluate") + 2:]
        split = [] if "--split" in options else ["--split", "test"]
        done = subprocess.run([*mpirun, a.lockstep, "evaluate", run, *options, *split], check=True, text=True, capture_output=True)
        found += re.findall(r"^(\S+) +(-?[\d.]+\S*)$", done.stdout, re.M)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lockstep", required=True, help="the program")
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("-o", "--output", default="runs/figures.txt")
    parser.add_argument("name")
    parser.add_argument("keys", nargs="*")
    a = parser.parse_args()
    os.makedirs("runs", exist_ok=True)
    text, commands = read_job(a.name.split(":")[0])
    make_data(text, commands, a)
    for seed in a.seeds.split(","):
        done = open(a.output).read() if os.path.exists(a.output) else ""
        known = re.search(rf"^{re.escape(a.name)} +{seed} .*$", done, re.M)
        line = known[0] if known else f"{a.name} {seed} " + " ".join(
            "=".join(pair) for pair in measure(a.name, seed, text, commands, a))
        print(line, flush=True)
        if not known:
            with open(a.output, "a") as out:
                out.write(line + "\n")


if __name__ == "__main__":
    main()
