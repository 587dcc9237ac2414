#!/usr/bin/python3
"""validate: what the simulator says of a few hosts, beside what they do: network namespaces with shaped links.

  validate.py BUILD [MODEL[:BATCH[:STEPS]]] [MBIT]      mlp:64:60, 1000; as root, on an idle machine

`lockstep bench MODEL` runs on 2, 4 and 8 hosts of one rank. The simulator is given nothing of these runs: only how
long the layers take for a host's rows on one rank of one core (measured here first), and the links: MBIT, 50
microseconds. The hosts share this machine's cores, and come to a layer at the same time, so each has cores / hosts of
one. The model must compute little beside what it sends: for the system, too, takes of the cores what it needs to carry
the messages, which is not simulated.
"""
import json
import os
import subprocess
import sys
import tempfile

import simulate

HOSTS = os.path.join(simulate.HERE, "../hosts.sh")


def hosts(*words):
    done = subprocess.run([HOSTS, *words], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise SystemExit("hosts.sh %s:\n%s%s" % (" ".join(words), done.stdout, done.stderr))
    return done.stdout


def measure(command, count, mbit):
    """Seconds of a step on so many hosts."""
    hosts("up", str(count))
    try:
        hosts("shape", str(count), str(mbit))
        names = ",".join("node%d:1" % (i + 1) for i in range(count))
        out = hosts("on", "node1", "mpirun --oversubscribe --bind-to none --host %s -n %d %s" % (names, count, command))
    finally:
        hosts("down")
    return json.loads([line for line in out.splitlines() if line.startswith("{")][-1])["step_seconds"]["median"]


def main():
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    tree = os.path.abspath(sys.argv[1])
    model, batch, steps = (*(sys.argv[2:3] or ["mlp"])[0].split(":"), "", "")[:3]
    batch, steps, mbit = int(batch or 64), steps or "60", int((sys.argv[3:4] or ["1000"])[0])
    command = "%s/lockstep bench %s --batch %%d --steps %s --threads 1" % (tree, model, steps)
    simulator = simulate.Simulator(tree)
    with tempfile.TemporaryDirectory() as lab:
        os.environ["LAB"] = lab
        print("hosts  measured ms  simulated ms  ratio")
        for count in (2, 4, 8):
            with open(simulator.path("profile"), "w") as out:
                subprocess.run([*(command % (batch // count)).split(), "--profile"], stdout=out, check=True)
            measured = measure(command % batch, count, mbit)
            simulated = simulator.run(simulator.path("profile"), count, rows=batch // count, cores=1,
                                      faster=min(1, os.cpu_count() / count), memory=10,
                                      gbit=mbit * 1e-3, latency=25)["step"]
            print("%5d %12.2f %13.2f %6.3f" % (count, 1e3 * measured, 1e3 * simulated, simulated / measured), flush=True)


if __name__ == "__main__":
    main()
