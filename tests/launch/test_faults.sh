#!/usr/bin/env bash
# test_faults: the tool that lets system calls fail does what it says; what failed so ends as it should. It needs ptrace.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
fault=$BUILD/tests/fault
"$fault" -- true || {
    echo "fault can't trace here: skipped"
    exit 77
}

# The tool does what it says.
printf 'some text\n' >a
expect 1 "$fault" --fail open@*/a:1:EMFILE -- cat a
says 'Too many open files'
expect 0 "$fault" --fail 'read@*/a:1:short' -- head -n 1 a
says_only 'some text'
expect 0 "$fault" --fail 'read@*/a:1+:zero' -- head -n 1 a
says_only ''
expect 1 "$fault" --fail 'rename:1:late-EIO' -- mv a b
same 'the name after a rename whose answer was lost' "$(ls)" $'b\nout'
expect 137 "$fault" --fail 'rename:1:kill' -- sh -c 'mv b c; echo more >d'
same 'what was done before the kill' "$(ls)" $'c\nout'
expect 0 "$fault" --log calls -- cat c
grep -q $'^open\t1\t.*/c\t$' calls || fail 'expected the open of c in the log'

# Shared memory that can't be had ends all ranks with a reason.
data flat flat.h5
printf 'data: flat.h5\nmodel: mlp widths=6,4,3\nepochs: 1\nbatch: 20\n' >job.yaml
expect 70 ranks 2 "$fault" --under /dev/shm --fail 'truncate@*osc_sm*:1:ENOSPC' -- "$lockstep" train job.yaml
says "the ranks of this machine can't have"
says 'look for a full /dev/shm'

# A file that can't be closed is no reason to crash at exit.
expect 0 "$fault" --fail 'close@*/flat.h5:3:EIO' -- "$lockstep" train job.yaml
says results:

# Whichever read of a data set fails, it is told as a read that failed, not as something that the file lacks. The 12th is
# that of the index of chunks, whose size alone is asked for.
"$python" - <<'END'
import h5py, numpy
with h5py.File("chunked.h5", "w") as file:
    file.create_dataset("train/x", data=numpy.ones((100, 6), "f4"), chunks=(50, 6), compression="gzip")
    file["train/x"].attrs["scale"] = 2.0
    file["train/y"] = numpy.arange(100, dtype="f4") % 4
    file["train/y"].attrs["classes"] = 4
END
plan=("$lockstep" train job.yaml data=chunked.h5 run=chunked 'model=mlp widths=6,4,4' --dry-run)
expect 0 "$fault" --log calls -- "${plan[@]}"
for call in open pread; do
    count=$(grep -c "^$call.*/chunked.h5" calls)
    for ((n = 1; n <= count; n++)); do
        last="$call $n of $count"
        code=0
        "$fault" --fail "$call@*/chunked.h5:$n:EIO" -- "${plan[@]}" >out 2>&1 || code=$?
        [ "$code" = 74 ] || [ "$code$call" = 0pread ] || fail "expected exit code 74, found $code"
        [ "$code" = 0 ] || says ': Input/output error'
    done
done

# A write that HDF5 puts off until a data set is closed, or makes while it copies one, is not forgotten.
printf '%s\n' 1,2,a 2,1,b 3,2,a 4,1,b >table.csv
keeps() { # NAME OUTPUT COMMAND ...: the command ends with 74 at each of its first writes, and leaves the old output
    local name=$1 output=$2 n
    for n in 1 2 3 4; do
        echo old >"$output"
        expect 74 "$fault" --fail "pwrite@*/$output*:$n:ENOSPC" -- "$lockstep" "${@:3}" --force -o "$output"
        says 'No space left on device'
        same "$name: the old output" "$(cat "$output")" old
    done
}
keeps import table.h5 import csv table.csv
keeps extract features.h5 extract runs/job --layer dense1

# What can't be read now is no reason to take something else: another checkpoint, an empty job.
keeps_out() { # FAULT COMMAND ...: the command ends with 74 and the old output stays
    echo old >rows.csv
    expect 74 "$fault" --fail "$1" -- "$lockstep" "${@:2}"
    says 'Input/output error'
    same 'the old output' "$(cat rows.csv)" old
}
for at in open@*/best.h5 open@*/best.ok pread@*/best.ok stat@*/runs/job; do
    keeps_out "$at:1:EIO" predict runs/job --split train --force -o rows.csv
done
keeps_out open@*/job.yaml:1:EIO train job.yaml
keeps_out read@*/job.yaml:1:EIO train job.yaml
keeps_out open@*/runs/job/job.yaml:1:EIO train job.yaml epochs=2
[ ! -e runs/job/resolved.yaml ] || fail 'a job.yaml that could not be read counted as that of a person'
keeps_out access@*/best.h5:1:EIO train job.yaml run=other --weights runs/job/checkpoints/best.h5
expect 0 "$fault" --fail read@*/job.yaml:1:EINTR -- "$lockstep" train job.yaml

# verify tells what can't be read from what is damaged; inspect does not print half of a run as if it were all.
expect 74 "$fault" --fail 'pread@*/step-*.ok:1:EIO' -- "$lockstep" verify runs/job
says "CAN'T BE READ"
says "Input/output error"
expect 74 "$fault" --fail 'access@*/best.h5:1:EIO' -- "$lockstep" verify runs/job
says "Input/output error"
expect 74 "$fault" --fail 'pread@*/step-*.ok:1:EIO' -- "$lockstep" inspect runs/job
says "CAN'T BE READ: "
expect 74 "$fault" --fail 'open@*/metrics.jsonl:1:EIO' -- "$lockstep" inspect runs/job
says 'metrics.jsonl: '

# A table that can't be read on is no damaged one.
expect 74 "$fault" --fail 'read@*/table.csv:1:EIO' -- "$lockstep" import csv table.csv --force -o table.h5
says 'table.csv:1: can'"'"'t be read on: Input/output error'
expect 74 "$fault" --fail 'open@*/table.csv:1:ESTALE' -- "$lockstep" import csv table.csv --force -o table.h5
says 'table.csv: can'"'"'t open: Stale file handle'

# Some of the points of the sweep, and those that were faults once.
expect 0 "$tests/faults/sweep.py" --share "${LOCKSTEP_FAULTS:-0.004}" \
    train resume import_csv import_idx predict_csv extract plot
tail -n 1 out
