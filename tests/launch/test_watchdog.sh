#!/usr/bin/env bash
# test_watchdog: a run that has halted is told and ended with code 71, by the right rank, host and cause, and goes on from its
# checkpoint; long evaluations and steps are no halt.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
PATH=$PATH:/usr/sbin:/sbin
host=$(hostname)
limits=(--stall-warn=1s --stall-abort=2s)

"$lockstep" import synthetic --rows 4000 --valid 36000 --test 10 -o glyphs.h5 >/dev/null
cat >job.yaml <<'END'
data: glyphs.h5
model: mlp widths=784,100,10
optimizer: momentum rate=0.01
batch: 40
steps: 100000000
evaluate: {every: never}
checkpoint: {every: 20 steps}
END

# Where a file stall-CALL is, rank $STALLS waits in that call: of fsync for a pipe that gives nothing (state S), of pread for a
# child of vfork that does so (state D, as for a disk). fsync does nothing else: a true one would
# raise an alarm where it takes a second, because other tests write.
cat >stall.c <<'END'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>
static int stalls(const char *name)
{
    const char *rank = getenv("OMPI_COMM_WORLD_RANK"), *who = getenv("STALLS");
    return who && strcmp(rank ? rank : "0", who) == 0 && access(name, F_OK) == 0;
}
static void wait_for_pipe(void)
{
    char byte;
    (void)!read(open("pipe", O_RDWR), &byte, 1);
}
int fsync(int file)
{
    if (stalls("stall-fsync"))
        wait_for_pipe();
    (void)file;
    return 0;
}
ssize_t pread(int file, void *to, size_t size, off_t at)
{
    if (stalls("stall-pread") && vfork() == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        wait_for_pipe();
        _exit(0);
    }
    return ((ssize_t(*)(int, void *, size_t, off_t))dlsym(RTLD_NEXT, "pread"))(file, to, size, at);
}
END
cc -shared -fPIC -o stall.so stall.c -ldl
export LD_PRELOAD=$work/stall.so
mkfifo pipe

process_of() { # RANK ...: of the run that is under way
    local process rank
    for process in $(pgrep -x lockstep); do
        for rank in "$@"; do
            grep -qzxF "TMPDIR=$TMPDIR" "/proc/$process/environ" 2>/dev/null || continue
            ! grep -qzxF "OMPI_COMM_WORLD_RANK=$rank" "/proc/$process/environ" 2>/dev/null || echo "$process"
        done
    done
}

nobody_left() {
    [ -z "$(process_of 0 1 2 3)" ]
}

wait_for_word() { # TEXT: the run that is under way says it
    wait_until grep -qF -- "$1" "$work/out"
}

newest() { # RUN: the step of its newest checkpoint
    find "$1/checkpoints" -name 'step-*.ok' 2>/dev/null | sort | tail -n 1 | sed 's/.*step-0*//; s/.ok//'
}

newest_is_there() {
    [ "$(newest "$run")" ]
}

# ended WHO: the run ended with code 71, nothing is left of it, and it said so of WHO alone
ended() {
    finish
    [ $code = 71 ] || fail "expected exit code 71, found $code"
    says 'the job is ended in '
    says "lockstep:   $1"
    says 'the job ends with exit code 71: start the same command again; checkpoints stay'
    wait_until nobody_left
}

# goes_on RUN RANKS: the same command does
goes_on() {
    local step
    step=$(newest "$1")
    expect 0 ranks "$2" "$lockstep" train job.yaml run="$1" steps=$((step + 5)) "${limits[@]}"
    says "goes on   from $(checkpoint "$1" "$step")"
    ! grep -q 'made progress' out || fail 'a run that goes on gave an alarm'
}

# A rank is stopped in a step, with all ranks on one node, or on two.
for nodes in 4 2; do
    run=stopped$nodes
    LOCKSTEP_RANKS_PER_NODE=$nodes start 4 "$lockstep" train job.yaml run=$run "${limits[@]}"
    wait_until newest_is_there
    kill -STOP "$(process_of 3)"
    ended "rank 3 on $host: step "
    says 'stopped by a signal (state T): kill -CONT '
    says "lockstep:   rank 0 on $host waits for "
    says "lockstep: rank 3 on $host is here:"
    says 'ls_trainer_run'
    goes_on $run 4
done

# All ranks of a node: nobody there can answer. They go on when they are woken.
run=silent
LOCKSTEP_RANKS_PER_NODE=2 start 4 "$lockstep" train job.yaml run=$run --stall-warn=1s --stall-abort=never
wait_until newest_is_there
stopped=$(process_of 2 3)
kill -STOP $stopped
wait_for_word 'the job is not ended (--stall-abort)'
says "lockstep:   ranks 2 to 3 on $host: no answer; stopped, or its machine or network is down"
kill -CONT $stopped
wait_for_word 'lockstep: the ranks make progress again, after '
kill -USR1 "$started"
finish
[ $code = 75 ] || fail "expected exit code 75, found $code"

# The node that would speak for all is stopped: the next one does.
run=first
LOCKSTEP_RANKS_PER_NODE=1 start 4 "$lockstep" train job.yaml run=$run "${limits[@]}"
wait_until newest_is_there
kill -STOP "$(process_of 0)"
ended "rank 0 on $host: no answer; stopped, or its machine or network is down"
! grep -qE 'lockstep:   rank [123] .*: no answer' out || fail 'expected one rank that does not answer'

# The job file never opens.
mkfifo late.yaml
start 2 "$lockstep" train late.yaml "${limits[@]}"
ended "rank 1 on $host: opening, for "
says 'is asleep (state S): a file or its file system does not answer'

# Rows do not come; then the disk does not take a checkpoint, and the rank that writes it is stopped besides.
run=rows
STALLS=1 start 2 "$lockstep" train job.yaml run=$run "${limits[@]}"
wait_until newest_is_there
touch stall-pread
ended "rank 1 on $host: step "
rm stall-pread
grep -q 'rank 1 on .*, reading rows, for .* is in disk sleep (state D): its file system does not answer' out ||
    fail 'expected a rank that reads rows from a slow disk'
goes_on $run 2

run=disk
STALLS=0 start 2 "$lockstep" train job.yaml run=$run --stall-warn=1s --stall-abort=15s
wait_until newest_is_there
stopped=$(process_of 0)
touch stall-fsync
wait_for_word 'is asleep (state S): its file system does not take the checkpoint'
kill -STOP "$stopped"
ended "rank 0 on $host: step "
rm stall-fsync
grep -q "checkpointing, for .* s; stopped by a signal (state T)" out || fail "expected a rank that is stopped in a checkpoint"
goes_on $run 2

# An evaluation, and then a step, that take several times as long as the limits. In a later evaluation a rank is stopped.
sed 's/^evaluate:.*/evaluate: {every: 1 steps}/; /^model:/d' job.yaml >long.yaml
cat >>long.yaml <<'END'
net: |
  conv2d out=64 kernel=3 pad=1
  conv2d out=64 kernel=3 pad=1
  dense units=10
END
run=long
start 2 "$lockstep" train long.yaml run=$run "${limits[@]}"
wait_for_word 'step 1: valid'
sleep 0.5
! grep -q 'made progress' out || fail 'a long evaluation gave an alarm'
"$python" -c '
import json
judged = next(row for row in map(json.loads, open("long/metrics.jsonl")) if "valid" in row)
assert judged["seconds"] > 1.3, ("the evaluation was too short to give an alarm", judged)'
kill -STOP "$(process_of 1)"
ended "rank 1 on $host: step "
grep -qE 'step [0-9]+, evaluating, for .* s; stopped by a signal' out || fail 'expected a rank that is stopped in an evaluation'
expect 0 ranks 2 "$lockstep" train long.yaml run=step batch=1000 steps=1 evaluate.every=never "${limits[@]}"
! grep -q 'made progress' out || fail 'a long step gave an alarm'

# A disk gives no rows to a rank of another command.
touch stall-pread
STALLS=1 start 2 "$lockstep" evaluate rows --split valid "${limits[@]}"
ended "rank 1 on $host: "
rm stall-pread
expect 0 ranks 2 "$lockstep" evaluate rows --split valid "${limits[@]}"

expect 64 "$lockstep" train job.yaml --stall-warn=soon
says '--stall-warn=soon: write 90s, 30m, 11.5h, HH:MM:SS or never'
expect 0 "$lockstep" train job.yaml run=rows steps=$(($(newest rows) + 1)) --stall-warn=0 --stall-abort=never

skip() {
    printf 'SKIPPED: %s; no stop on another host was tested\n' "$1" >&2
    exit 0
}
[ "$(id -u)" = 0 ] || skip 'making hosts as network namespaces needs root'
command -v ip >/dev/null || skip 'there is no ip'
export LAB=$work/watchdog$$
mkdir "$LAB"
hosts=$tests/cluster/hosts.sh
take_down() {
    "$hosts" down
    clean_up
}
trap take_down EXIT
"$hosts" up 3 2>"$work/out" || skip "this machine makes no network namespaces ($(head -n 1 "$work/out"))"

on() { # HOST ...: the processes of the ranks there
    local host process
    for host in "$@"; do
        for process in $(ip netns pids "$(basename "$LAB")-$host"); do
            [ "$(cat "/proc/$process/comm" 2>/dev/null)" != lockstep ] || echo "$process"
        done
    done
}

no_host_left() {
    [ -z "$(on node1 node2 node3)" ]
}

# On four ranks of three hosts the only one of the last is stopped, in a step and in an evaluation.
for job in job long; do
    run=on-hosts-$job
    last="$job on hosts"
    "$hosts" on node1 "$(printf '%q ' exec mpirun --timeout 300 --host node1:2,node2:1,node3:1 "$lockstep" train $job.yaml \
        run=$run "${limits[@]}")" >"$work/out" 2>&1 </dev/null &
    started=$!
    if [ $job = job ]; then
        wait_until newest_is_there
    else
        wait_for_word 'step 1: valid'
        sleep 0.5
    fi
    kill -STOP "$(on node3)"
    ended 'rank 3 on node3: no answer; stopped, or its machine or network is down'
    wait_until no_host_left
    # What a rank gave to the evaluation before it was stopped may take the others into the next step.
    [ $job = job ] || grep -qE 'waits for .*: step [0-9]+, (evaluating|summing)' out ||
        fail 'expected ranks that wait in an evaluation or the step after it'
done
