#!/usr/bin/env bash
# wires: training over a network, beside PyTorch's DistributedDataParallel over gloo: hosts that are network namespaces, of one
# rank each, whose links are shaped. Needs root, iproute2 and Debian's python3-torch; an idle machine.
#
#   BUILD=build tests/bench/wires.sh [MODEL[:BATCH[:STEPS]] ...]     mlp:256:40 lenet:256:100 resnet50:16:3 in place of none
#
#   HOSTS=4      how many
#   RATES=1000,10000      Mbit/s of each link, each way
#   ROUNDS=3     lockstep and PyTorch in turn; each figure is the median of the rounds
#
# A line a model and rate:
#   lockstep, torch   median milliseconds of a step
#   ratio             above 1: lockstep is faster
#   least             the fastest step of lockstep
#   here              a step of as many ranks on one host, where the sum needs no network
#   sum               the sum of as many numbers over the network alone (bench reduce)
#   wire              what a sum takes at the bytes a second that the links were set to: 2 (n - 1) / n of the parameters, with
#                     the frames' headers
#   hidden            how much of the sum over the network the step hides: 1 - (lockstep - here) / sum
# A step that sends inputs and errors in place of gradients may take less than `sum` and `wire`; LOCKSTEP_FACTORS=never sends
# gradients alone.
set -Eeuo pipefail
tests=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
BUILD=$(cd "${BUILD:-build}" && pwd)
hosts=${HOSTS:-4} rates=${RATES:-1000,10000} rounds=${ROUNDS:-3}
[ $# -gt 0 ] || set -- mlp:256:40 lenet:256:100 resnet50:16:3

cannot() {
    printf 'wires.sh: %s\n' "$1" >&2
    exit 77
}
[ "$(id -u)" = 0 ] || cannot 'making hosts as network namespaces needs root'
mpirun --version | grep -q 'Open MPI' || cannot 'the options are those of Open MPI'
/usr/bin/python3 -c 'import torch, torchvision' 2>/dev/null || cannot 'there is no PyTorch: install python3-torch and python3-torchvision'

LAB=$(mktemp -d)
export LAB
lab=$tests/cluster/hosts.sh
take_down() {
    "$lab" down
    rm -rf "$LAB"
}
trap take_down EXIT
"$lab" up "$hosts" 2>"$LAB/why" || cannot "this machine makes no network namespaces ($(head -n 1 "$LAB/why"))"

lockstep() { # HOSTS-AND-SLOTS ARGUMENT ...: the JSON line of lockstep bench
    local list=$1
    "$lab" on node1 "$(printf '%q ' mpirun --oversubscribe --bind-to none --host "$list" -n "$hosts" "$BUILD/lockstep" bench "${@:2}")" \
        2>"$LAB/error" | grep '^{' || { cat "$LAB/error" >&2 && return 1; }
}

torch() { # MODEL BATCH STEPS: the JSON line of PyTorch's rank 0
    local r pids=()
    for ((r = 0; r < hosts; r++)); do
        "$lab" on "node$((r + 1))" env OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MASTER_ADDR=10.77.0.1 MASTER_PORT=29700 \
            "WORLD_SIZE=$hosts" "RANK=$r" GLOO_SOCKET_IFNAME=eth0 /usr/bin/python3 "$tests/bench/torch_bench.py" "$1" --batch "$2" \
            --steps "$3" >"$LAB/torch$r" 2>"$LAB/error$r" &
        pids+=($!)
    done
    wait "${pids[@]}" || { cat "$LAB/error0" >&2 && return 1; }
    grep "^{.*\"ranks\": $hosts," "$LAB/torch0" || { echo 'wires.sh: PyTorch did not train with all hosts' >&2 && return 1; }
}

get() { # KEY: the median of a number of the JSON lines on standard input
    /usr/bin/python3 -c '
import json, statistics, sys
rows = [json.loads(line) for line in sys.stdin]
step = lambda row: {**row, **row.get("step_seconds", {})}
print(statistics.median(step(row)[sys.argv[1]] for row in rows))' "$1"
}

each=$(seq -s, -f 'node%g:1' "$hosts")
printf '%-10s %6s %6s %9s %9s %6s %9s %9s %9s %9s %7s\n' model batch Mbit/s lockstep torch ratio least here sum wire hidden
for work in "$@"; do
    IFS=: read -r model batch steps <<<"$work"
    batch=${batch:-256} steps=${steps:-20}
    lockstep "node1:$hosts" "$model" --batch "$batch" --steps "$steps" >"$LAB/here"
    floats=$(/usr/bin/python3 -c 'import sys
sys.path.insert(0, sys.argv[1])
import torch_bench
print(sum(p.numel() for p in torch_bench.MODELS[sys.argv[2]]().parameters()))' "$tests/bench" "$model")
    for rate in ${rates//,/ }; do
        "$lab" shape "$hosts" "$rate" 2>"$LAB/why" || cannot "this machine shapes no links ($(tail -n 1 "$LAB/why"))"
        : >"$LAB/ours"
        : >"$LAB/theirs"
        for ((k = 0; k < rounds; k++)); do
            lockstep "$each" "$model" --batch "$batch" --steps "$steps" >>"$LAB/ours"
            torch "$model" "$batch" "$steps" >>"$LAB/theirs"
        done
        lockstep "$each" reduce --floats "$floats" --steps 5 >"$LAB/sum"
        awk -v ours="$(get median <"$LAB/ours")" -v least="$(get min <"$LAB/ours")" -v theirs="$(get median <"$LAB/theirs")" \
            -v here="$(get median <"$LAB/here")" -v sum="$(get milliseconds <"$LAB/sum")" -v n="$hosts" -v rate="$rate" \
            -v floats="$floats" -v model="$model" -v batch="$batch" 'BEGIN {
                wire = 2 * (n - 1) / n * floats * 4 * 8 / (rate * 1e3) * 1514 / 1448
                printf "%-10s %6d %6d %9.2f %9.2f %6.2f %9.2f %9.2f %9.2f %9.2f %6.0f%%\n", model, batch, rate, 1e3 * ours, 1e3 * theirs,
                    theirs / ours, 1e3 * least, 1e3 * here, sum, wire, 100 * (1 - (1e3 * (ours - here)) / sum) }'
    done
done
