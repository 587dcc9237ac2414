#!/usr/bin/env bash
# test_doctor: `lockstep doctor` names what runs and where, and finds what is wrong, with exit code 65: too many ranks, a
# binding that makes them take turns, little shared memory, a run directory that can't be written or locked.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cores=$(nproc)

# If ranks and cores match, nothing is to be done; remarks about other programs may still appear.
mkdir run
expect 0 ranks 1 "$lockstep" doctor run
says "lockstep 0."
says "Open MPI v"
says "BLAS      OpenBLAS"
says ", 1 thread"
says "OpenMP    version of 20"
says "serial, thread-safe"
says "host $(hostname): 1 rank"
says "$cores cores"
says "rank 0 on processors"
says "Gflop/s a rank"
says "run       $work/run ($(findmnt -n -o FSTYPE -T "$work")), "
says "locks hold"
says "Nothing to do."
[ -z "$(ls -A run)" ] || fail 'doctor left something in the run directory'

# For a run directory that does not exist yet, doctor looks at the folder that will contain it.
expect 0 "$lockstep" doctor run/later/deep
says "run       $work/run ("
expect 0 "$lockstep" doctor
says "run       $work ("

# The set of instructions is the one that /proc/cpuinfo allows.
if grep -qw avx512vl /proc/cpuinfo; then says AVX-512; elif grep -qw avx2 /proc/cpuinfo; then says AVX2; fi

# The binding that the system gave, and ranks that share cores.
expect 0 taskset -c 0 "$lockstep" doctor run
says "rank 0 on processors 0"
expect 65 ranks $((cores + 1)) "$lockstep" doctor run
says "$(hostname): $((cores + 1)) ranks on $cores cores take turns: start at most $cores there"
if [ "$cores" -ge 2 ]; then
    expect 65 taskset -c 0 mpirun --oversubscribe --bind-to none -n 2 "$lockstep" doctor run
    says "ranks 0-1 on processors 0"
    says "$(hostname): 2 ranks bound to 1 of $cores cores take turns: bind each to one of its own"
    expect 0 mpirun --bind-to core -n 2 "$lockstep" doctor run
    says "rank 0 on processors 0; rank 1 on processors 1"
fi

# Threads need cores as ranks do.
expect 65 ranks "$cores" "$lockstep" doctor --threads=2 run
says ", 2 threads a rank"
says " of 2 threads on $cores cores take turns: start at most $((cores > 1 ? cores / 2 : 1)) there"
says ", or give each fewer threads"
if [ "$cores" -ge 2 ]; then
    expect 0 "$lockstep" doctor --threads 2 run
    says "host $(hostname): 1 rank of 2 threads"
    expect 65 taskset -c 0 "$lockstep" doctor --threads=2 run
    says "$(hostname): 1 rank of 2 threads bound to 1 of $cores cores take turns: bind each to cores of its own \
(mpirun --map-by slot:PE=2 --bind-to core"
fi

# Too little shared memory, as in a container.
[ "$cores" -lt 2 ] || expect 65 ranks 2 env LOCKSTEP_SHARED_LIMIT=64e6 "$lockstep" doctor run
[ "$cores" -lt 2 ] || says "64 MB of shared memory are free in"

# A run directory in which no file can be created.
expect 65 ranks 1 "$lockstep" doctor /proc
says "/proc: can't write there: "
says "not writable"

# A file system that refuses locks; a preloaded library plays it.
cat >nolocks.c <<'END'
#include <errno.h>
#include <fcntl.h>
int fcntl64(int file, int command, ...) { (void)file, (void)command; return errno = ENOLCK, -1; }
int fcntl(int file, int command, ...) { (void)file, (void)command; return errno = ENOLCK, -1; }
END
cc -shared -fPIC -o nolocks.so nolocks.c
expect 65 env LD_PRELOAD="$work/nolocks.so" "$lockstep" doctor run
says "no locks"
says "locks are refused, so that nothing keeps a second job out of a run directory"

# Tasks of an srun without PMIx are noticed before MPI starts; only the first prints the message.
expect 64 env SLURM_STEP_NUM_TASKS=4 SLURM_PROCID=0 "$lockstep" doctor
says_only "lockstep: srun started 4 tasks without PMI, so that MPI can't join them: each would work alone. Start them \
with \`srun --mpi=pmix\` (\`srun --mpi=list\` must name pmix), or with mpirun inside the allocation \
(\`LOCKSTEP_START=mpirun sbatch cluster/train.sbatch ...\`)"
expect 64 env SLURM_STEP_NUM_TASKS=4 SLURM_PROCID=3 "$lockstep" doctor
says_only ""
expect 0 env SLURM_STEP_NUM_TASKS=1 "$lockstep" doctor

expect 64 "$lockstep" doctor one two
says "'two' is one word too many"
