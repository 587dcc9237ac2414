#!/usr/bin/env bash
# test_groups: --share: the ranks share memory in groups of a machine, of a NUMA domain, or not at all; the bits are the same.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

data images images.h5
{ normed_job && cat <<'END'; } >job.yaml
batch: 32
shards: 8
steps: 4
evaluate: {every: 2 steps}
checkpoint: {every: 4 steps}
END

last_step=4

expect 0 "$lockstep" train job.yaml run=one --share none
says 'ranks     1 on 1 host'
expect 0 ranks 4 "$lockstep" train job.yaml run=machine --share machine
says '; shared: '
alike one machine
expect 0 ranks 3 "$lockstep" train job.yaml run=none --share=none
says ' in 3 groups; '
! grep 'group shares' out || fail 'expected no word about shared memory'
alike one none
expect 0 ranks 2 "$lockstep" bench reduce --floats=10000 --steps=1 --share=none
says '"groups": 2'
expect 64 env LOCKSTEP_RANKS_PER_NODE=2,none "$lockstep" train job.yaml
says 'LOCKSTEP_RANKS_PER_NODE is "2,none", expected a number of ranks, 1 or more, or up to 64 of them: 3,1'
expect 0 ranks 2 "$lockstep" bench 'mlp widths=784,10,2' --steps=1 --share=none
expect 64 "$lockstep" train job.yaml --share=socket
says 'write one of machine, numa, none'

# --- A machine of two domains, of a processor each: what Linux says of this one is covered by folders of ours.
skip() {
    printf 'SKIPPED: %s; --share=numa was not tested\n' "$1" >&2
    exit 77
}
[ "$(nproc)" -ge 2 ] || skip 'there is one processor'
mkdir -p domains/node0 domains/node1
echo 0 >domains/node0/cpulist
echo 1 >domains/node1/cpulist
with_domains() {
    unshare --mount bash -c 'mount --bind domains /sys/devices/system/node && exec "$@"' bash "$@"
}
with_domains true 2>out || skip "the folders of /sys can't be covered ($(head -n 1 out))"

# Ranks are dealt out to the domains like cards.
cat >bound.sh <<'BASH'
exec taskset -c $((${OMPI_COMM_WORLD_RANK:-$PMI_RANK} % 2)) "$@"
BASH
domains() { # RANKS ARGUMENT ...
    # shellcheck disable=SC2086 # several words
    with_domains timeout -k 5 300 $MPIRUN -n "$1" "${@:2}"
}
expect 0 domains 4 bash bound.sh "$lockstep" train job.yaml run=numa --share=numa
says 'ranks     4 on 1 host'
says ' in 2 groups; 1 core a rank as bound, 1 thread; 8 shards; a group shares '
alike one numa
expect 0 domains 5 bash bound.sh "$lockstep" train job.yaml run=unequal --share=numa
alike one unequal
expect 64 domains 2 "$lockstep" train job.yaml run=unbound --share=numa
says 'NUMA domains are to share memory, but this rank may run in several of them: bind each rank to cores (mpirun --bind-to core'
[ "$(grep -c 'NUMA' out)" = 1 ] || fail 'expected the reason once'
