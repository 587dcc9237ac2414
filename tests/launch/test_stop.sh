#!/usr/bin/env bash
# test_stop: signals and --max-time end with a checkpoint and code 75; numbers that are not finite and data that cannot be
# read end all ranks with the same code, and the last good checkpoint is kept.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

data images images.h5
cat >job.yaml <<'END'
data: images.h5
model: mlp widths=144,200,4
optimizer: momentum rate=0.01
batch: 50
steps: 100000000
evaluate: {every: never}
checkpoint: {every: never}
END

# stopped RUN [WHY]: it ended with 75, said so, and resumes from the checkpoint
stopped() {
    [ $code = 75 ] || fail "expected exit code 75, found $code"
    says "${2:+$2: }stopped after step $(steps_saved "$1"), checkpoint written; the same command goes on"
    expect 0 "$lockstep" train job.yaml run="$1" steps=$(($(steps_saved "$1") + 1)) --resume=required
    says "goes on   from $(checkpoint "$1" $(($(steps_saved "$1") - 1)))"
}

# Each signal, to a program without mpirun.
for signal in INT TERM USR1; do
    run=alone$signal
    # A shell starts what runs in the background with INT ignored; a program may still ask for it.
    start 0 "$lockstep" train job.yaml run=$run
    wait_until under_way
    kill -$signal "$started"
    finish
    stopped $run SIG$signal
done

# A signal to mpirun, which forwards it; and to one rank alone: all ranks stop.
run=passed
start 2 "$lockstep" train job.yaml run=$run
wait_until under_way
kill -USR1 "$started"
finish
stopped $run

for signal in INT TERM USR1; do
    run=one$signal
    start 2 "$lockstep" train job.yaml run=$run
    wait_until under_way
    kill -$signal "$(pgrep -P "$started" -f 'lockstep train' | tail -n 1)"
    finish
    [ $code = 75 ] || fail "SIG$signal to one rank: expected exit code 75, found $code"
    says "stopped after step $(steps_saved $run), checkpoint written"
done

# TERM to mpirun: it waits so many seconds, forwards TERM, waits as long again, kills the rest, and its own code is
# always 1.
run=terminated
start 2 --mca odls_base_sigkill_timeout 5 "$lockstep" train job.yaml run=$run
wait_until under_way
kill -TERM "$started"
finish
[ $code = 1 ] || fail "expected mpirun's code 1, found $code"
[ "$(steps_saved $run)" ] || fail 'expected a checkpoint after TERM'

# A second INT ends the program at once, in the middle of a step: rank 1 is stopped by SIGSTOP, so the step cannot end.
run=twice
start 2 "$lockstep" train job.yaml run=$run
wait_until under_way
mapfile -t processes < <(pgrep -P "$started" -f 'lockstep train')
kill -STOP "${processes[1]}"
sleep 0.2
kill -INT "${processes[0]}"
sleep 0.5
kill -0 "${processes[0]}" 2>/dev/null || fail 'the first INT ended a rank at once'
wait_until grep -qx $'ShdPnd:\t0*' "/proc/${processes[0]}/status" # the first has come: two that wait are one
kill -INT "${processes[0]}"
finish
[ $code = 130 ] || fail "expected exit code 130, found $code"
[ -z "$(steps_saved $run)" ] || fail "expected no checkpoint"

# --max-time, on one rank and on two ranks of two nodes.
expect 75 "$lockstep" train job.yaml run=brief --max-time=1s
says "--max-time is over: stopped after step $(steps_saved brief), checkpoint written"
expect 75 ranks 2 env LOCKSTEP_RANKS_PER_NODE=1 "$lockstep" train job.yaml run=brief2 --max-time=0:00:01
says "--max-time is over: stopped after step $(steps_saved brief2), checkpoint written"
expect 75 "$lockstep" train job.yaml run=brief --max-time=0.01m
says 'the same command goes on'
expect 75 "$lockstep" train job.yaml run=brief --max-time=0.01m "--resume=$(checkpoint brief "$(steps_saved brief)")"
says 'the same command without --resume goes on'
expect 64 "$lockstep" train job.yaml run=brief --max-time=soon
says '--max-time=soon: write 90s, 30m, 11.5h or HH:MM:SS'
expect 64 "$lockstep" train job.yaml run=brief --max-time 2
says '--max-time=2: the unit is missing: write 90s, 30m, 11.5h or HH:MM:SS'
for none in never 0:00:00 -1:00:00 infs; do # a script's "no time is left" is not "no limit"
    expect 64 "$lockstep" train job.yaml run=brief --max-time=$none
done

# Two jobs cannot use the same run directory.
run=shared
start 0 "$lockstep" train job.yaml run=$run
wait_until under_way
holder=$started
second=$work/second
code=0
"$lockstep" train job.yaml run=$run >"$second" 2>&1 || code=$?
[ $code = 73 ] || fail "a second job on one run directory: expected exit code 73, found $code"
grep -qF "shared: is in use by process $holder on host $(hostname)" "$second" ||
    fail "the second job does not name the first, process $holder: $(cat "$second")"
code=0
ranks 2 "$lockstep" train job.yaml run=$run >"$second" 2>&1 || code=$?
[ $code = 73 ] || fail "a second job on two ranks: expected exit code 73, found $code"
kill -KILL "$holder" # the lock ends with the process
finish
expect 0 "$lockstep" train job.yaml run=$run steps=2

# If a loss is not finite nothing is updated, every rank ends with code 70, and the last checkpoint stays valid.
cat >finite.yaml <<'END'
data: images.h5
model: mlp widths=144,40,4 activation=linear
objective: supervised loss=squared-error
optimizer: sgd rate=0.001
batch: 50
steps: 3
END
for count in 1 2 4; do
    run=infinite$count
    expect 0 ranks $count "$lockstep" train finite.yaml run=$run
    before=$(digest --all "$(checkpoint $run 3)")
    expect 70 ranks $count "$lockstep" train finite.yaml run=$run steps=50 'optimizer=sgd rate=1e6'
    says 'is not finite'
    says 'so this update was not made; no checkpoint is lost: lower rate=, set clip= or a warm-up'
    same "the checkpoint kept on $count ranks" "$before" "$(digest --all "$(checkpoint $run 3)")"
    expect 0 ranks $count "$lockstep" evaluate "$(checkpoint $run 3)" --json
done

# Parameters that an update has broken are never the best, though their accuracy is a number; the first step from their
# checkpoint says that it is broken, and how to go back; what applies them says so.
deep=(objective='supervised loss=cross-entropy' model='mlp widths=144,40,40,40,40,40,40,40,40,4 activation=linear')
broken() { ranks 2 "$lockstep" train finite.yaml run=broken "${deep[@]}" "$@"; }
expect 0 broken steps=1
expect 0 broken steps=2 optimizer='sgd rate=1e6'
same 'best.h5' "$(digest "$(checkpoint broken 1)")" "$(digest broken/checkpoints/best.h5)"
expect 0 broken run=spoilt steps=1 optimizer='sgd rate=1e6'
! grep -q 'best so far' out || fail 'the best has a loss that is not finite'
[ ! -e spoilt/checkpoints/best.h5 ] || fail 'the best parameters have a loss that is not finite'
expect 70 broken steps=3
says "it is the first from $(checkpoint broken 2), whose parameters are broken themselves: go back with --resume=PATH"
expect 0 ranks 2 "$lockstep" evaluate "$(checkpoint broken 2)"
says "lockstep: the loss is not finite: the parameters of $(checkpoint broken 2) are broken"
expect 0 ranks 2 "$lockstep" predict "$(checkpoint broken 2)" -o broken.h5
says 'lockstep: the outputs of 61 of 61 rows of test are not finite: the parameters of'
same 'lines about broken outputs' 1 "$(grep -c 'not finite' out)"
expect 0 broken steps=3 --resume="$(checkpoint broken 1)" --overwrite
says 'stage 1 of 1 done: step 3'
expect 0 "$lockstep" predict broken -o whole.h5
! grep -q 'not finite' out || fail 'outputs that are finite were called broken'

# A NaN in the data is read by one rank only: all ranks end with code 65, and the row is named.
for count in 1 2 4; do
    [ -e nan.h5 ] || data nan nan.h5
    expect 65 ranks $count "$lockstep" train finite.yaml data=nan.h5 run=nan$count steps=50
    says 'nan.h5'
    says 'row 150'
done
