#!/usr/bin/env bash
# slow_host: a training on hosts of which one gets a quarter of the others' processor time: when it is named, how well its delay is
# told, and whether anything is said that is not so. The hosts are network namespaces of one rank each; all are held by control
# groups, so that they fit on one core. Needs root, iproute2 and control groups of version 1.
#
#   BUILD=build tests/bench/slow_host.sh [SECONDS]      about how long the training with a slow host takes (3600)
#
#   HOSTS=4      how many; the last is slow
#   SHARE=5      of a core, in percent, that the slow host gets; the others get four times as much
#
# A line:
#   named        the step at which the slow host was named: 20 at the earliest, as so many steps are compared
#   told         seconds of a step that the notice says it takes longer than the median host
#   measured     what a step took longer than without a slow host
#   alarms       warnings of the watchdog, and notices of any other host
set -Eeuo pipefail
tests=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
BUILD=$(cd "${BUILD:-build}" && pwd)
seconds=${1:-3600} hosts=${HOSTS:-4} share=${SHARE:-5}

cannot() {
    printf 'slow_host.sh: %s\n' "$1" >&2
    exit 77
}
[ "$(id -u)" = 0 ] || cannot 'making hosts as network namespaces needs root'

LAB=$(mktemp -d)
export LAB
lab=$tests/cluster/hosts.sh
take_down() {
    "$lab" down
    rm -rf "$LAB"
}
trap take_down EXIT
"$lab" up "$hosts" 2>"$LAB/why" || cannot "this machine makes no network namespaces ($(head -n 1 "$LAB/why"))"
for ((i = 1; i <= hosts; i++)); do
    "$lab" limit "node$i" $((4 * share)) 2>"$LAB/why" || cannot "this machine limits no host's time ($(tail -n 1 "$LAB/why"))"
done

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
    "$lab" on node1 "$(printf '%q ' mpirun --oversubscribe --bind-to none --host "$(seq -s, -f 'node%g:1' "$hosts")" -n "$hosts" \
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
"$lab" limit "node$hosts" "$share"
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
