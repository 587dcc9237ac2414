#!/usr/bin/env bash
# test_cluster: cluster/train.sbatch on a real SLURM of two hosts, and cluster/mpirun.sh over two hosts: a run that was cut
# by its time limit is resumed by itself, and ends with the same bits as an undisturbed one.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
PATH=$PATH:/usr/sbin:/sbin

cp -r "$tests/../cluster" "$work/the site" # everything with spaces in its name
cluster="$work/the site"

newest() { # RUN: the step of its newest checkpoint
    find "$1/checkpoints" -name 'step-*.ok' | sort | tail -n 1 | sed 's/.*step-0*//; s/.ok//'
}

newest_is_there() {
    [ "$(newest "$1")" ]
}

data images images.h5
cat >job.yaml <<'YAML'
data: images.h5
model: mlp widths=144,400,300,4 activation=tanh
optimizer: adam rate=0.0005
schedule: constant
batch: 40
steps: 100000000
evaluate: {every: never}
checkpoint: {every: never}
YAML

# First what needs no root: bad usage, and mpirun.sh on this machine, which turns the first TERM (or Ctrl-C) into a stop with a
# checkpoint and code 75; mpirun's own code would be 1.
export LOCKSTEP=$lockstep LOCKSTEP_BIND=none
expect 64 "$cluster/train.sbatch" job.yaml
says 'usage: sbatch'
expect 64 env LOCKSTEP_BIND=socket "$cluster/mpirun.sh" -n 1 true
says "LOCKSTEP_BIND is 'socket', expected core or none"
expect 0 "$cluster/mpirun.sh" --help
says 'cluster/mpirun.sh [--hostfile FILE]'
"$cluster/mpirun.sh" --oversubscribe -n 2 "$lockstep" train job.yaml run=here >"$work/out" 2>&1 </dev/null &
started=$!
wait_until test -s here/metrics.jsonl
kill -TERM "$started"
finish
[ "$code" = 75 ] || fail "TERM to mpirun.sh: expected exit code 75, found $code"
says 'stopped with a checkpoint; the same command goes on'
[ "$(newest here)" ] || fail 'expected a checkpoint after TERM'
expect 0 "$cluster/mpirun.sh" --oversubscribe -n 2 "$lockstep" train job.yaml run=here steps=$(($(newest here) + 5))

skip() {
    printf 'SKIPPED: %s; nothing of SLURM and hostfiles was tested\n' "$1" >&2
    exit 77 # ctest's word for it: tests/CMakeLists.txt
}
[ "$(id -u)" = 0 ] || skip 'making hosts as network namespaces needs root'
for tool in ip slurmctld slurmd sbatch munged; do
    command -v $tool >/dev/null || skip "there is no $tool (launch/install/packages.sh tests installs it)"
done

export LAB=$work/lockstep$$
mkdir "$LAB"
hosts=$tests/cluster/hosts.sh slurm=$tests/cluster/slurm.sh
take_down() {
    "$slurm" down
    "$hosts" down
    clean_up
}
trap take_down EXIT
"$hosts" up 2 2>"$work/out" || skip "this machine makes no network namespaces ($(head -n 1 "$work/out"))"

export SLURM_CONF=$LAB/slurm.conf

control() {
    timeout 300 "$hosts" on control "$(printf '%q ' "$@")"
}

job_is() { # JOB STATE ...: it is in one of these states
    local job=$1 state
    shift
    state=$(control scontrol show job -o "$job" | sed 's/.* JobState=\([A-Z]*\).*/\1/')
    [[ " $* " == *" $state "* ]]
}

submit() { # sbatch's arguments: submits, and sets $job and $log
    job=$(control sbatch --parsable --output=slurm-%j.log "$@")
    log=slurm-$job.log
}

# patiently COMMAND: repeats it until it succeeds or job $job has ended. SLURM looks at time limits only every 30 s.
patiently() {
    local end=$((SECONDS + 300))
    while [ $SECONDS -lt $end ]; do
        "$@" && return
        job_is "$job" COMPLETED FAILED NODE_FAIL TIMEOUT CANCELLED && break
        sleep 0.25
    done
    "$@" && return
    cp "$log" "$work/out"
    fail "job $job: waited in vain for: $*"
}

logged() { # TEXT: the job's log has it
    cp "$log" "$work/out"
    says "$1"
}

logs() { # TEXT: the job's log has it by now
    [ -e "$log" ] && grep -qF "$1" "$log"
}

queued_again() {
    logs 'goes back into the queue'
}

# ends_at RUN STEP: the parameters are those of an undisturbed run
ends_at() {
    expect 0 ranks 2 "$lockstep" train job.yaml run="$1-whole" steps="$2"
    same "parameters of $1" "$(digest "$(checkpoint "$1-whole" "$2")")" "$(digest "$(checkpoint "$1" "$2")")"
}

# On the hosts of a hostfile: USR1 to mpirun.sh stops with a checkpoint, and the same command resumes.
printf 'node1 slots=1\nnode2 slots=1\n' >hosts.txt
over_hosts() {
    timeout 300 "$hosts" on node1 "$(printf '%q ' "$cluster/mpirun.sh" --hostfile hosts.txt "$@")"
}
start_over_hosts() {
    last="$*"
    "$hosts" on node1 "$(printf '%q ' exec "$cluster/mpirun.sh" --hostfile hosts.txt "$@")" >"$work/out" 2>&1 </dev/null &
    started=$!
}
expect 0 over_hosts hostname
# mpirun itself may warn beside that: setpgid() of its rsh agent comes too late when the machine is busy.
same 'the hosts of the hostfile' 'node1 node2 ' "$(grep -x 'node[0-9]*' "$work/out" | sort | tr '\n' ' ')"
start_over_hosts "$lockstep" train job.yaml run=hostfile
wait_until test -s hostfile/metrics.jsonl
kill -USR1 "$started"
finish
[ "$code" = 75 ] || fail "USR1 to mpirun.sh: expected exit code 75, found $code"
says 'stopped with a checkpoint; the same command goes on'
steps=$(($(newest hostfile) + 20))
expect 0 over_hosts "$lockstep" train job.yaml run=hostfile steps=$steps
says "goes on   from $(checkpoint hostfile $((steps - 20)))"
ends_at hostfile $steps

# In the first start of a job fsync() waits, so that a job with a checkpoint a step makes few steps: ends_at repeats them all,
# on a machine that may be busy. With BLOCKS fsync() never ends once there is a checkpoint.
cat >slow.c <<'END'
#include <glob.h>
#include <stdlib.h>
#include <unistd.h>
int fsync(int file) {
    glob_t found;
    usleep(50000);
    while (getenv("BLOCKS") && glob("a run/checkpoints/step-*.ok", 0, NULL, &found) == 0) usleep(50000);
    return fdatasync(file);
}
END
cc -shared -fPIC -o slow.so slow.c

# The program of a job that begins again: the first start trains on and on, the next one 20 steps beyond the newest checkpoint.
{
    printf '#!/bin/bash\nlockstep=%q slow=%q\n' "$lockstep" "$work/slow.so"
    cat <<'BASH'
[ "${SLURM_RESTART_COUNT:-0}" != 0 ] || LD_PRELOAD=$slow exec "$lockstep" "$@"
run='a run' # if the job file alone says it
for word in "$@"; do [ "${word#run=}" = "$word" ] || run=${word#run=}; done
newest=$(find "$run/checkpoints" -name 'step-*.ok' | sort | tail -n 1)
newest=${newest##*step-}
exec "$lockstep" "$@" steps=$((10#${newest%.ok} + 20))
BASH
} >more.sh
chmod +x more.sh

# goes_on RUN START: job $job, whose program is more.sh, wrote a checkpoint, was queued again, and went on from there
goes_on() {
    patiently queued_again
    patiently job_is "$job" COMPLETED
    local steps
    steps=$(newest "$1")
    logged "train.sbatch: job $job, start 1: 2 ranks on node[1-2] by $2, cores a rank: 1"
    logged 'checkpoint written; the same command goes on'
    logged "train.sbatch: job $job, start 2: 2 ranks on node[1-2] by $2, cores a rank: 1"
    logged "goes on   from $(checkpoint "$1" $((steps - 20)))"
    ends_at "$1" $steps
}

"$slurm" up 2

# Writing a checkpoint takes longer than LOCKSTEP_LEAD and the time limit.
sed 's/checkpoint:.*/checkpoint: {every: 50 steps}/' job.yaml >slow.yaml
echo 'run: "a run"   # of one rank' >>slow.yaml
BLOCKS=1 LOCKSTEP=$work/more.sh LOCKSTEP_LEAD=5 submit -w node1 -n 1 -t 1 "$cluster/train.sbatch" slow.yaml shards=2
slow=$job

# A start that writes no checkpoint and ignores all signals.
printf '#!/bin/bash\ntrap "" USR1 TERM\nwhile :; do sleep 1; done\n' >deaf.sh
printf '#!/bin/bash\ntouch early.there\nexec sleep 600\n' >early.sh
printf '#!/bin/bash\n[ ! -e late/checkpoints ] || exit 0\nmkdir -p late/checkpoints\ntouch late/checkpoints/step-00000009.ok\nexec sleep 600\n' >late.sh
chmod +x deaf.sh early.sh late.sh
LOCKSTEP=$work/deaf.sh LOCKSTEP_LEAD=5 submit -w node2 -n 1 -t 1 "$cluster/train.sbatch" job.yaml run=deaf
deaf=$job

# Started by srun, and stopped before a time limit of one minute.
sed 's/checkpoint:.*/checkpoint: {every: 1 steps}/' job.yaml >'by srun.yaml'
LOCKSTEP=$work/more.sh LOCKSTEP_LEAD=15 submit -N 2 --ntasks-per-node=1 -t 1 "$cluster/train.sbatch" 'by srun.yaml' run='by srun'
goes_on 'by srun' srun
logged 'stopped after step'

# Started by mpirun inside the allocation, on all cores of the nodes, and stopped by USR1.
cp 'by srun.yaml' 'by mpirun.yaml'
LOCKSTEP=$work/more.sh LOCKSTEP_START=mpirun submit -N 2 "$cluster/train.sbatch" 'by mpirun.yaml' run='by mpirun'
patiently test -s 'by mpirun/metrics.jsonl'
control scancel --batch --signal=USR1 "$job"
goes_on 'by mpirun' mpirun

# All cores of the nodes, by either starter: four ranks, two a node. An array is refused.
for starter in srun mpirun; do
    SLURM_TIME_FORMAT='%a %T' LOCKSTEP_START=$starter submit -N 2 --exclusive "$cluster/train.sbatch" job.yaml run=whole-nodes-$starter steps=20
    patiently job_is "$job" COMPLETED
    logged "train.sbatch: job $job, start 1: 4 ranks on node[1-2] by $starter, cores a rank: 1"
    logged 'ranks     4 on '
    [ ! -e whole-nodes-$starter/.slurm-"$job" ] || fail 'expected no note of a job that is done'
done
submit -n 1 "$cluster/train.sbatch" epochs=3
patiently logs 'which run is to be trained?'
submit --array=1-2 --output=array-%a.log -n 1 "$cluster/train.sbatch" job.yaml run=array
log=array-2.log
patiently logs 'a job array would train one run several times at once'

# What a requeued job begins with: all that it was given, until there is a checkpoint that it has written.
mkdir -p noted/checkpoints
touch noted/checkpoints/step-00000001.ok
printf '#!/bin/bash\necho "$*" >>starts\nexec sleep 600\n' >noted.sh
chmod +x noted.sh
given='train --threads=1 job.yaml run=noted --resume elsewhere.h5'
LOCKSTEP=$work/noted.sh submit -n 1 "$cluster/train.sbatch" job.yaml run=noted --resume elsewhere.h5 --overwrite
started_so_often() { # TIMES
    [ -e starts ] && [ "$(wc -l <starts)" = "$1" ]
}
patiently started_so_often 1
control scontrol requeue "$job"
patiently started_so_often 2
touch noted/checkpoints/step-00000001.ok # the same step as before, trained anew
control scontrol requeue "$job"
patiently started_so_often 3
same 'arguments of the starts' "$given --overwrite|$given --overwrite|${given% --resume*}|" "$(tr '\n' '|' <starts)"
control scancel "$job"

# A rank is stopped: the watchdog ends the training, and the job is queued again.
on_node2() { # the process of the rank there
    local process
    for process in $(ip netns pids "$(basename "$LAB")-node2"); do
        [ "$(cat "/proc/$process/comm" 2>/dev/null)" != lockstep ] || echo "$process"
    done
}
submit -N 2 --ntasks-per-node=1 "$cluster/train.sbatch" job.yaml run=halted checkpoint.every='50 steps' --stall-warn=2s \
    --stall-abort=15s
patiently test -s halted/metrics.jsonl
patiently newest_is_there halted
kill -STOP "$(on_node2)"
patiently queued_again
logged 'lockstep:   rank 1 on node2: no answer; stopped, or its machine or network is down'
logged 'train.sbatch: the training had halted and was ended'
control scancel "$job"

# Jobs that would be queued again and again are refused, or end after the first start.
submit -n 1 -t 1 "$cluster/train.sbatch" job.yaml
patiently job_is "$job" FAILED
logged "until its time limit, of which LOCKSTEP_LEAD keeps 300 s for the last checkpoint, more than half"
LOCKSTEP_LEAD=5m submit -n 1 "$cluster/train.sbatch" job.yaml
patiently job_is "$job" FAILED
logged "LOCKSTEP_LEAD is '5m', expected seconds"
mkdir alone
cp "$cluster/train.sbatch" alone
submit -n 1 alone/train.sbatch job.yaml
patiently job_is "$job" FAILED
logged "found no env.sh in '$work/alone'"
LOCKSTEP=$work/early.sh submit -n 1 "$cluster/train.sbatch" job.yaml run=early
patiently test -e early.there
control scancel --batch --signal=USR1 "$job"
patiently job_is "$job" FAILED
logged 'no checkpoint was written since this start'
# The signal kills the starter of ranks that may have done all: the next start finds out.
LOCKSTEP=$work/late.sh submit -n 1 "$cluster/train.sbatch" job.yaml run=late
wait_until test -e late/checkpoints/step-00000009.ok
sleep 1
control scancel --batch --signal=USR1 "$job"
patiently queued_again
logged 'the signal came as the ranks ended'
patiently job_is "$job" COMPLETED

# scancel ends the job with a checkpoint.
submit -N 2 --ntasks-per-node=1 "$cluster/train.sbatch" job.yaml run=cancelled
wait_until test -s cancelled/metrics.jsonl
control scancel "$job"
stopped() {
    grep -q 'checkpoint written; the same command goes on' "$log" && ! control squeue -h -j "$job" 2>/dev/null | grep -q .
}
wait_until stopped
[ "$(newest cancelled)" ] || fail 'expected a checkpoint after scancel'
job_is "$job" CANCELLED || fail "expected job $job to be cancelled"
! queued_again || fail 'a cancelled job went back into the queue'

# At the time limit: the job whose checkpoint was not finished is queued again; the one that wrote nothing is not.
job=$deaf log=slurm-$deaf.log
patiently job_is "$job" TIMEOUT
logged 'no checkpoint was written since this start'
! queued_again || fail 'a job that got no further went back into the queue'
job=$slow log=slurm-$slow.log
patiently queued_again
logged 'the time limit came before the last checkpoint was written'
patiently job_is "$job" COMPLETED
ends_at 'a run' 70

# doctor prints a block for each host; both hosts see the same run directory and its lock.
expect 0 control srun -N 2 -n 2 --mpi=pmix "$lockstep" doctor .
says 'host node1: 1 rank'
says 'host node2: 1 rank'
[ "$(grep -c 'locks hold$' "$work/out")" = 2 ] || fail 'expected two hosts that see the lock'

# doctor notices a run directory that is a different one on each host.
mkdir apart
cat >apart.sh <<'BASH'
[ "$(hostname)" = node1 ] || exec unshare --mount bash -c "mount -t tmpfs none apart && exec $LOCKSTEP doctor apart"
exec "$LOCKSTEP" doctor apart
BASH
expect 65 control srun -N 2 -n 2 --mpi=pmix bash apart.sh
says "node2: $work/apart (tmpfs): what rank 0 writes there is not seen: put the run directory and the data on a file system"

# Without PMIx each task would train by itself: the program says so, once, and what to do.
expect 64 control srun -N 2 -n 2 --mpi=none "$lockstep" doctor
says 'lockstep: srun started 2 tasks without PMI,'
says 'srun --mpi=pmix'
[ "$(grep -c 'without PMI,' "$work/out")" = 1 ] || fail 'expected the reason once'
