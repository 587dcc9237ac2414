#!/usr/bin/env bash
# test_simgrid: the sum over nodes under SimGrid's MPI: its bits on numbers of nodes that no machine here has, and what 16 nodes
# take by its clock, against bounds that follow from the bytes. tests/cluster/simgrid/scaling.py is the long form.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
if ! command -v smpicc >/dev/null; then
    echo 'SKIPPED: there is no SimGrid (launch/install/packages.sh tests installs it); nothing was simulated' >&2
    exit 77
fi

cat >check.py <<'END2'
"""check: runs the simulator; each assertion says what must hold of its times."""
import sys

tests, tree = sys.argv[1:]
sys.path.insert(0, tests + "/cluster/simgrid")
import scaling
import simulate

simulator = simulate.Simulator(tree)
for nodes in (1, 2, 3, 7, 12, 64):
    assert simulator.run_exact(nodes, "mlp widths=784,200,10")["same"] == 1, nodes

# net, rows of a node, Gbit/s, and by how much a step may be longer than it must be
for net, rows, gbit, most in (("resnet50", 204, 100, 1.015), ("resnet50", 204, 10, 1.02), ("mlp", 4, 1, 1.1)):
    profile = scaling.profile(net)
    _, layers, rest = simulate.read_profile(profile)
    faster = scaling.faster() if net == "resnet50" else 1
    forward, backward = (rows / faster * sum(times[k] for times in layers.values()) for k in (0, 1))
    one = simulator.run(profile, 16, rows=rows, faster=faster, gbit=gbit, latency=scaling.NETWORKS.get(gbit, 25))
    # Forward hides nothing, for the sums are of this step.
    wire = 2 * 15 / 16 * 4 * one["reals"] / simulate.bytes_a_second(gbit)
    least = forward + max(backward, wire) + rest / faster
    assert abs(one["compute"] / (forward + backward + rest / faster) - 1) < 1e-3, one
    print("%s at %g Gbit/s: %.1f ms, at least %.1f ms" % (net, gbit, 1e3 * one["step"], 1e3 * least))
    assert least * 0.999 < one["step"] < least * most, (one, least)
END2
expect 0 "$python" check.py "$tests" "$BUILD"
cat out
