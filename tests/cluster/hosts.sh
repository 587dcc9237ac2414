#!/usr/bin/env bash
# hosts: several hosts on one machine: network namespaces with their own addresses and host names. Needs root.
#
#   LAB=FOLDER hosts.sh up N                node1 (10.77.0.1) to nodeN, and control (10.77.0.254), on one switch
#   LAB=FOLDER hosts.sh shape N MBIT        lets their links carry so much, each way (tc)
#   LAB=FOLDER hosts.sh on HOST COMMAND...  runs it there, joining the words as ssh does: can be MPI's plm_rsh_agent
#   LAB=FOLDER hosts.sh down                ends all processes on them and removes them
#
# The name of FOLDER tells one set of hosts from another.
set -euo pipefail
lab=$(basename "$LAB")

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

# MPI names its files in TMPDIR and in /dev/shm after the host, so each host has its own name and TMPDIR. Entering by
# nsenter leaves /sys as it is, which SLURM's daemons need.
on() { # HOST COMMAND...
    while [[ $1 == -* ]]; do shift; done # ssh's options
    local host=${1/10.77.0./node}
    shift
    mkdir -p "$LAB/tmp-$host"
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
}

"$@"
