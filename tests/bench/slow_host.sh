#!/usr/bin/env bash
# slow_host: a training on hosts of which one gets a quarter of the others' processor time: when it is named, how well its delay is
# told, and whether anything is said that is not so. The hosts are network namespaces of one rank each; all are held by control
# groups, so that they fit on one core. Needs root, iproute2 and control groups of version 1.
#
#   BUILD=build tests/bench/slow_host.sh [SECONDS]      about how long the training with a slow host takes (3600)
#
#   HOSTS=4      how many; the last is slow
#   SHARE=10     of a core, in percent, that a host gets
#
# A line:
#   named        the step at which the slow host was named: 20 at the earliest, as so many steps are compared
#   told         seconds of a step that the notice says it takes longer than the median host
#   measured     what a step took longer than without a slow host
#   alarms       warnings of the watchdog, and notices of any other host
set -Eeuo pipefail
PATH=$PATH:/usr/sbin:/sbin
tests=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
BUILD=$(cd "${BUILD:-build}" && pwd)
seconds=${1:-3600} hosts=${HOSTS:-4} share=${SHARE:-10}
groups=/sys/fs/cgroup/cpu

cannot() {
    printf 'slow_host.sh: %s\n' "$1" >&2
    exit 77
}
[ "$(id -u)" = 0 ] || cannot 'making hosts as network namespaces needs root'
[ -e "$groups/cpu.cfs_quota_us" ] || cannot "there are no control groups of version 1 in $groups"

LAB=$(mktemp -d)
export LAB
lab=$tests/cluster/hosts.sh
group=$groups/${LAB##*/}
take_down() {
    "$lab" down
    sleep 1 # until the processes have left
    rmdir "$group"-* 2>/dev/null || true # there are none yet where no hosts could be made
    rm -rf "$LAB"
}
trap take_down EXIT
"$lab" up "$hosts" 2>"$LAB/why" || cannot "this machine makes no network namespaces ($(head -n 1 "$LAB/why"))"
for ((i = 1; i <= hosts; i++)); do
    mkdir "$group-node$i"
    echo 40000 >"$group-node$i/cpu.cfs_period_us"
    echo $((400 * share)) >"$group-node$i/cpu.cfs_quota_us"
done

# What enters a host enters its control group.
cat >"$LAB/on" <<END
#!/usr/bin/env bash
while [[ \$1 == -* ]]; do shift; done
echo \$\$ >"$group-\${1/10.77.0./node}/cgroup.procs"
exec "$lab" on "\$@"
END
chmod +x "$LAB/on"
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_hwloc_base_binding_policy=none OMPI_MCA_mpi_yield_when_idle=1
export OMPI_MCA_plm=rsh OMPI_MCA_plm_rsh_agent="$LAB/on" OMPI_MCA_plm_rsh_no_tree_spawn=1
export OMPI_MCA_btl_tcp_if_include=10.77.0.0/24 OMPI_MCA_oob_tcp_if_include=10.77.0.0/24

cd "$LAB"
/usr/bin/python3 "$tests/launch/make_data.py" large images.h5
cat >job.yaml <<END
data: images.h5
net: |
  conv2d out=128 kernel=3 pad=1
  activation function=relu
  conv2d out=128 kernel=3 pad=1
  activation function=relu
  maxpool kernel=4
  dense units=10
optimizer: momentum rate=0.01 momentum=0.9
batch: 203
evaluate: {every: 100000 steps}
checkpoint: {every: never}
END

train() { # RUN STEPS: its notices go to RUN.log
    "$LAB/on" node1 "$(printf '%q ' mpirun --oversubscribe --bind-to none --host "$(seq -s, -f 'node%g:1' "$hosts")" -n "$hosts" \
        "$BUILD/lockstep" train job.yaml run="$1" steps="$2")" >"$1.log" 2>&1 || { cat "$1.log" >&2 && return 1; }
}

step_seconds() { # RUN: of its second half
    /usr/bin/python3 -c '
import json, sys
rows = [json.loads(line) for line in open(sys.argv[1] + "/metrics.jsonl")]
rows = [row for row in rows if "samples_per_second" in row]
first, last = rows[len(rows) // 2], rows[-1]
print((last["seconds"] - first["seconds"]) / (last["step"] - first["step"]))' "$1"
}

train even 60
even=$(step_seconds even)
echo $((100 * share)) >"$group-node$hosts/cpu.cfs_quota_us"
train uneven "$(/usr/bin/python3 -c "print(max(60, round($seconds / $even / 4)))")"
uneven=$(step_seconds uneven)

notice="slow: rank $((hosts - 1)) on node$hosts: "
/usr/bin/python3 - "$even" "$uneven" "$notice" <<'END'
import re
import sys

even, uneven, notice = float(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
text = open("uneven.log").read()
first = re.search(r"step (\d+): " + re.escape(notice) + r".* take ([\d.]+) s a step, .* the median \(([\d.]+) s\)", text)
if not first:
    raise SystemExit("the slow host was not named:\n" + text)
said = re.findall(r"^.*(?:slow: |no longer slower|watchdog|stall).*$", text, re.M)
alarms = [line for line in said if notice not in line]
told, measured = float(first[2]) - float(first[3]), uneven - even
print(f"step {even:.3f} s, with a slow host {uneven:.3f} s: named at step {first[1]}, delay told {told:.3f} s, measured {measured:.3f} s "
      f"({100 * (told / measured - 1):+.1f} %), {len(alarms)} false alarms")
for line in alarms:
    print(line)
raise SystemExit(abs(told / measured - 1) > 0.05 or len(alarms) > 0)
END
