#!/usr/bin/env bash
# slurm: a real SLURM over the hosts of hosts.sh; its state, logs and slurm.conf are in $LAB.
#
#   LAB=FOLDER slurm.sh up N       controller on host control, nodes node1 to nodeN of two cores each
#   LAB=FOLDER slurm.sh down       ends its daemons
#
# Then: SLURM_CONF=$LAB/slurm.conf hosts.sh on control sbatch ...
set -euo pipefail
hosts=$(dirname "${BASH_SOURCE[0]}")/hosts.sh
export SLURM_CONF=$LAB/slurm.conf

# cred_expire=10: a job that is queued again starts after 11 s, not 120. TmpFS with %n: PMIx needs a folder for each node.
configure() { # N
    local i
    cat >"$SLURM_CONF" <<CONF
ClusterName=lab
SlurmctldHost=control(10.77.0.254)
SlurmUser=root
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket=$LAB/munge.socket,cred_expire=10
StateSaveLocation=$LAB/state
SlurmctldPidFile=$LAB/control.pid
SlurmctldLogFile=$LAB/control.log
SlurmdSpoolDir=$LAB/spool-%n
SlurmdPidFile=$LAB/%n.pid
SlurmdLogFile=$LAB/%n.log
SlurmdParameters=config_overrides
TmpFS=$LAB/tmp-%n
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=bf_interval=1,sched_interval=1,batch_sched_delay=0,sched_min_interval=0
ReturnToService=2
SlurmdTimeout=120
MessageTimeout=60
KillWait=15
MinJobAge=3600
PartitionName=main Nodes=node[1-$1] Default=YES MaxTime=INFINITE State=UP
CONF
    echo 'CgroupAutomount=no' >"$LAB/cgroup.conf"
    for ((i = 1; i <= $1; i++)); do
        echo "NodeName=node$i NodeAddr=10.77.0.$i CPUs=2 CoresPerSocket=2 RealMemory=1000"
    done >>"$SLURM_CONF"
}

start_munge() {
    head -c 1024 /dev/urandom >"$LAB/munge.key"
    chmod 400 "$LAB/munge.key"
    munged --force --key-file="$LAB/munge.key" --socket="$LAB/munge.socket" --pid-file="$LAB/munge.pid" \
        --log-file="$LAB/munge.log" --seed-file="$LAB/munge.seed"
}

idle() { # N: so many nodes wait for work
    [ "$("$hosts" on control sinfo -h -N -t idle -o %N 2>/dev/null | wc -l)" = "$1" ]
}

up() { # N
    local i tries
    chmod 755 "$LAB"
    mkdir -p "$LAB/state"
    configure "$1"
    start_munge
    "$hosts" on control slurmctld -c
    for ((i = 1; i <= $1; i++)); do
        mkdir -p "$LAB/tmp-node$i" "$LAB/spool-node$i"
        "$hosts" on "node$i" slurmd -c -N "node$i"
    done
    for ((tries = 0; tries < 1000; tries++)); do
        idle "$1" && return
        sleep 0.1
    done
    echo "slurm.sh: the nodes are not ready after 100 s:" >&2
    "$hosts" on control sinfo -R >&2 || true
    tail -n 5 "$LAB"/*.log >&2
    return 1
}

down() {
    local file
    for file in "$LAB"/node*.pid "$LAB/control.pid" "$LAB/munge.pid"; do
        [ ! -s "$file" ] || kill "$(cat "$file")" 2>/dev/null || true
    done
}

"$@"
