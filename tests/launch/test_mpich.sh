#!/usr/bin/env bash
# test_mpich: MPICH, too, builds the library and the program, beside another MPI that the system prefers: its ranks pass the tests
# of dist, and train the same bits; signals and exit codes are as ever; mpirun of the one does not start programs of the other.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

skip() {
    printf 'SKIPPED: %s; nothing was tested with MPICH\n' "$1" >&2
    exit 77
}
command -v mpicc.mpich mpiexec.mpich >/dev/null || skip 'there is no mpicc.mpich (Debian: libmpich-dev, mpich)'
[[ $MPIRUN == *--oversubscribe* ]] || skip 'this build is of MPICH'

mpich=$BUILD/mpich
# gcc 12 takes MPICH's MPI_STATUSES_IGNORE, which is the address 1, for an array without room.
cmake -S "$tests/.." -B "$mpich" -DMPI_EXECUTABLE_SUFFIX=.mpich -DCMAKE_BUILD_TYPE=Release -DLOCKSTEP_WERROR=ON \
    -DCMAKE_C_FLAGS=-Wno-stringop-overflow >cmake.log ||
    fail "$(tail cmake.log)"
cmake --build "$mpich" -j "$(nproc)" --target lockstep test_dist >cmake.log 2>&1 || fail "$(tail cmake.log)"
ours() { # RANKS COMMAND ...
    timeout -k 5 300 mpiexec.mpich -n "$@"
}

# More ranks than cores take longer: while it makes a window, MPICH does not give its core away.
expect 0 ours 2 "$mpich/tests/test_dist"
says '[  PASSED  ]'
expect 0 env LOCKSTEP_RANKS_PER_NODE=1 mpiexec.mpich -n 2 "$mpich/tests/test_dist" --gtest_filter='Comm.*:Reduce.*:Carry.*:Overlap.*:Gather.*'
expect 0 env LOCKSTEP_RANKS_PER_NODE=3 mpiexec.mpich -n 4 "$mpich/tests/test_dist" --gtest_filter='Comm.*:Tree.*:Reduce.*'

data images images.h5
{ normed_job && cat <<'END'; } >job.yaml
batch: 32
shards: 4
steps: 6
evaluate: {every: 3 steps}
checkpoint: {every: 3 steps}
END
last_step=6
expect 0 ranks 4 "$lockstep" train job.yaml run=theirs
expect 0 ours 4 "$mpich/lockstep" train job.yaml run=four
alike theirs four
expect 0 env LOCKSTEP_RANKS_PER_NODE=3,1 mpiexec.mpich -n 4 "$mpich/lockstep" train job.yaml run=nodes
alike theirs nodes
expect 0 ours 2 "$mpich/lockstep" train job.yaml run=two steps=3
expect 0 ranks 2 "$lockstep" train job.yaml run=two # goes on where MPICH stopped
same 'a run begun by MPICH' "$(digest --all "$(checkpoint theirs 6)")" "$(digest --all "$(checkpoint two 6)")"

expect 0 ours 2 "$mpich/lockstep" doctor .
says 'MPICH Version: '
says ', 2 ranks'
says "host $(hostname): 2 ranks"
expect 64 ours 2 "$mpich/lockstep" train job.yaml run=none epochs=never
[ "$(grep -c 'epochs' out)" = 1 ] || fail 'expected the reason once'
MPIEXEC_TIMEOUT=300 mpiexec.mpich -n 2 "$mpich/lockstep" train job.yaml run=stopped steps=100000000 checkpoint.every=never >out 2>&1 </dev/null &
started=$!
wait_until test -s stopped/metrics.jsonl
kill -USR1 "$started"
finish
# Once a signal has come, MPICH's mpiexec returns 0 at times, whatever the ranks ended with.
[[ $code == 75 || $code == 0 ]] || fail "USR1 to mpiexec: expected exit code 75, found $code"
says 'checkpoint written; the same command goes on'

mkdir bin
ln -s "$(command -v mpiexec.mpich)" bin/mpirun
expect 64 env PATH="$work/bin:$PATH" "$tests/../cluster/mpirun.sh" -n 2 "$mpich/lockstep" train job.yaml
says "expected the mpirun of Open MPI, found $work/bin/mpirun"

# A program of one MPI under the starter of the other: ranks that do not know each other.
expect 64 ours 2 "$lockstep" train job.yaml run=none
says '2 tasks were started, but MPI knows of 1: each would train alone'
expect 64 ranks 2 "$mpich/lockstep" train job.yaml run=none
says 'the mpirun of the MPI that this program was built with (MPICH Version: '
says 'srun --mpi=pmi2'
