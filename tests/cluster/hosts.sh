#!/usr/bin/env bash
# hosts: several hosts on one machine: network namespaces with their own addresses and host names. Needs root.
#
#   LAB=FOLDER hosts.sh up N                node1 (10.77.0.1) to nodeN, and control (10.77.0.254), on one switch
#   LAB=FOLDER hosts.sh shape N MBIT        lets their links carry so much, each way (tc)
#   LAB=FOLDER hosts.sh limit HOST PERCENT  lets it have so much of a core's time (control groups of version 1)
#   LAB=FOLDER hosts.sh on HOST COMMAND...  runs it there, joining the words as ssh does; mpirun reaches the other hosts from it
#   LAB=FOLDER hosts.sh down                ends all processes on them and removes them
#
# The name of FOLDER tells one set of hosts from another.
set -euo pipefail
PATH=$PATH:/usr/sbin:/sbin
lab=$(basename "$LAB")

# Open MPI reaches the hosts by this script, and talks over their network. They share this machine's cores, so nothing is bound.
OMPI_MCA_plm_rsh_agent="$(realpath "${BASH_SOURCE[0]}") on"
export OMPI_MCA_plm_rsh_agent OMPI_MCA_plm_rsh_no_tree_spawn=1
export OMPI_MCA_btl_tcp_if_include=10.77.0.0/24 OMPI_MCA_oob_tcp_if_include=10.77.0.0/24
export OMPI_MCA_hwloc_base_binding_policy=none OMPI_MCA_mpi_yield_when_idle=1
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1

space() { # HOST: the name of its namespace
    echo "$lab-$1"
}

join() { # HOST ADDRESS PORT: a cable from its eth0 to the switch
    ip netns add "$(space "$1")"
    ip -n "$(space "$1")" link set lo up
    ip -n "$(space "$1")" link add eth0 type veth peer name "$3" netns "$(space switch)"
    ip -n "$(space "$1")" addr add "$2/24" dev eth0
    ip -n "$(space "$1")" link set eth0 up
    ip -n "$(space switch)" link set "$3" master switch up
}

up() { # N
    local i
    ip netns add "$(space switch)"
    ip -n "$(space switch)" link add switch type bridge
    ip -n "$(space switch)" link set switch up
    join control 10.77.0.254 port0
    for ((i = 1; i <= $1; i++)); do
        join "node$i" "10.77.0.$i" "port$i"
    done
}

shape() { # N MBIT: both ends of the cable of each node
    local i name device
    for ((i = 1; i <= $1; i++)); do
        while read -r name device; do
            tc -n "$(space "$name")" qdisc del dev "$device" root 2>/dev/null || true # of an earlier rate
            tc -n "$(space "$name")" qdisc add dev "$device" root handle 1: htb default 1
            tc -n "$(space "$name")" class add dev "$device" parent 1: classid 1:1 htb rate "$2mbit" burst 64kb
        done <<<"node$i eth0
switch port$i"
    done
}

group() { # HOST: the folder of its control group
    echo "/sys/fs/cgroup/cpu/$lab-$1"
}

limit() { # HOST PERCENT: before anything runs there, or to change its limit
    [ -d "$(group "$1")" ] || mkdir "$(group "$1")"
    echo 40000 >"$(group "$1")/cpu.cfs_period_us"
    echo $((400 * $2)) >"$(group "$1")/cpu.cfs_quota_us"
}

# MPI names its files in TMPDIR and in /dev/shm after the host, so each host has its own name and TMPDIR. Entering by
# nsenter leaves /sys as it is, which SLURM's daemons need.
on() { # HOST COMMAND...
    while [[ $1 == -* ]]; do shift; done # ssh's options
    local host=${1/10.77.0./node}
    shift
    mkdir -p "$LAB/tmp-$host"
    [ ! -d "$(group "$host")" ] || echo $$ >"$(group "$host")/cgroup.procs"
    exec nsenter --net="/run/netns/$(space "$host")" unshare --uts \
        bash -c "hostname $host; export TMPDIR='$LAB/tmp-$host'; $*"
}

down() {
    local name process
    for name in $(ip netns list | cut -d' ' -f1 | grep -- "^$lab-" || true); do
        for process in $(ip netns pids "$name"); do
            kill -KILL "$process" 2>/dev/null || true
        done
        ip netns del "$name"
    done
    for name in "$(group '')"*; do
        [ ! -d "$name" ] || until rmdir "$name" 2>/dev/null; do sleep 0.1; done # its processes are gone soon
    done
}

"$@"
