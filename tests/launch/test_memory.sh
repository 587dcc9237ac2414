#!/usr/bin/env bash
# test_memory: --dry-run's plan against the memory (PSS) that the ranks take at most while they train: within 5%.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
[ -r /proc/self/smaps_rollup ] || exit 77 # this system does not say

data large large.h5
cat >job.yaml <<'END'
data: large.h5
net: |
  conv2d out=24 kernel=3 pad=1 bias=0
  a: batchnorm relu=1
  b: conv2d out=24 kernel=3 pad=1 bias=0
  batchnorm @b,a relu=1
  maxpool kernel=2
  dense units=800
  activation function=relu
  dense units=10
objective: supervised
optimizer: adam rate=0.001
batch: 200
steps: 4
evaluate: {every: 2 steps}
checkpoint: {every: 3 steps}
END

family() { # PID: the ranks under mpirun; itself where it has no children
    local children
    children=$(cat "/proc/$1/task/$1/children" 2>/dev/null) || true
    echo "${children:-$1}"
}

# Watches until the job ends; $peak is the largest memory of its processes together, in KiB.
watch() {
    local now pid files
    peak=0
    while kill -0 "$started" 2>/dev/null; do
        files=()
        for pid in $(family "$started"); do files+=("/proc/$pid/smaps_rollup"); done
        now=$(awk '/^Pss:/ {sum += $2} END {print sum + 0}' "${files[@]}" 2>/dev/null) || true
        [ "${now:-0}" -le "$peak" ] || peak=$now
        sleep 0.02
    done
    finish
    same 'exit code' 0 "$code"
}

plan_holds() { # RANKS KEY=VALUE ...
    local count=$1 planned
    shift
    expect 0 ranks "$count" "$lockstep" train job.yaml --dry-run "$@"
    planned=$(sed -nE 's/^memory .* ([0-9.]+) MiB on this host in all.*/\1/p' out)
    start "$count" "$lockstep" train job.yaml "$@"
    watch
    awk -v peak="$peak" -v planned="$planned" 'BEGIN {
        found = peak / 1024
        printf "planned %s MiB, found %.1f MiB\n", planned, found
        exit !(planned > 200 && found < 1.05 * planned && found > 0.95 * planned)
    }'
}

# A shared library counts for less where more programs use it, and this shell may be too late to see the peak: three tries.
compare() { # RANKS RUN KEY=VALUE ...
    local try
    for try in 1 2 3; do
        if plan_holds "$1" run="$2$try" "${@:3}"; then return; fi
    done
    fail "$1 ranks, run $2: the plan is off by more than 5%"
}

compare 1 one
compare 2 two shards=4
compare 2 unjudged evaluate.every=never

# Persistent chains: each rank's own, and all of them gathered on rank 0.
compare 2 chains 'net=dense units=20 visible=1' 'objective=rbm chains=40001' shards=4 evaluate.every=never

# Pictures: many samples, of which rank 0 holds all.
sed -i '/^net/,/^objective/d' job.yaml
compare 2 pictures 'model=vae widths=784,1500,1500 latent=20' shards=4 'samples.every=2 steps' samples.rows=4096
