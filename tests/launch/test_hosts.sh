#!/usr/bin/env bash
# test_hosts: ranks on several hosts, which are network namespaces: a run has the bits of one rank there, whatever the hosts'
# ranks are and in whatever order mpirun deals them out; the start-up block names the hosts.
#
#   LOCKSTEP_HOSTS=8 LOCKSTEP_HOST_RANKS=8 BUILD=$PWD/build bash tests/launch/test_hosts.sh     the long form: 64 ranks
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
PATH=$PATH:/usr/sbin:/sbin
hosts=${LOCKSTEP_HOSTS:-3} each=${LOCKSTEP_HOST_RANKS:-2}
all=$((hosts * each))

skip() {
    printf 'SKIPPED: %s; nothing was tested on several hosts\n' "$1" >&2
    exit 77
}
[ "$(id -u)" = 0 ] || skip 'making hosts as network namespaces needs root'
command -v ip >/dev/null || skip 'there is no ip (launch/install/packages.sh tests installs it)'
[[ $MPIRUN == *--oversubscribe* ]] || skip 'the options are those of Open MPI'

export LAB=$work/hosts$$
mkdir "$LAB"
lab=$tests/cluster/hosts.sh
take_down() {
    "$lab" down
    clean_up
}
trap take_down EXIT
"$lab" up "$hosts" 2>"$work/out" || skip "this machine makes no network namespaces ($(head -n 1 "$work/out"))"

over_hosts() { # SLOTS-OF-EACH-HOST,... ARGUMENT-OF-MPIRUN ...
    local host=0 slots list=
    for slots in ${1//,/ }; do
        list+=node$((++host)):$slots,
    done
    timeout -k 5 "$((300 + 3 * all))" "$lab" on node1 \
        "$(printf '%q ' mpirun --oversubscribe --bind-to none --host "${list%,}" "${@:2}")"
}

data images images.h5
{ normed_job && cat <<END; } >job.yaml
batch: $((4 * all))
shards: $all
steps: 4
evaluate: {every: 2 steps}
checkpoint: {every: 4 steps}
END

last_step=4

# --- All ranks, in the order of the hosts and dealt out like cards: as one rank that takes all shards in turn.
slots=$(printf "$each,%.0s" $(seq "$hosts"))
expect 0 "$lockstep" train job.yaml run=one
for order in slot node; do
    expect 0 over_hosts "$slots" -n $all --map-by "$order" "$lockstep" train job.yaml run=by_$order
    says "ranks     $all on $hosts hosts of $(nproc) cores in "
    says "          $each ranks a host on node1-$hosts"
    alike one by_$order
done
[ "${LOCKSTEP_HOSTS:-}" ] && exit 0

# --- Hosts of 3 ranks and 1.
expect 0 over_hosts 3,1 -n 4 "$lockstep" train job.yaml run=uneven shards=4 batch=24
says '3 ranks a host on node1; 1 rank a host on node2'
expect 0 "$lockstep" train job.yaml run=four shards=4 batch=24
alike four uneven

# --- Ranks that are dealt out like cards are numbered host by host all the same, with one rank a group too.
expect 0 over_hosts 2,2 -n 4 --map-by node -x LOCKSTEP_RANKS_PER_NODE=1 "$BUILD/tests/test_dist" --gtest_filter='Comm.RanksAre*:Comm.NodesAre*'
expect 0 over_hosts 2,2 -n 4 --map-by node -x LOCKSTEP_RANKS_PER_NODE=1 "$lockstep" train job.yaml run=apart shards=4 batch=24
says 'ranks     4 on 2 hosts of '
says ' in 4 groups'
alike four apart

# --- What hosts differ in and should not.
cat >other.sh <<'BASH'
[ "$(hostname)" = node1 ] || export LOCKSTEP_INSTRUCTIONS=plain
exec "$@"
BASH
expect 0 over_hosts 1,1,1 -n 3 bash other.sh "$lockstep" train job.yaml run=mixed --dry-run
says 'micro-kernel plain'
says ' on node2-3: equal bits are promised on one of them only'
