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
