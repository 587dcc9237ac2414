# env.sh: what every start on a cluster needs; train.sbatch and mpirun.sh source it. Make it yours: modules, networks.
#
# What you set before it wins:
#   LOCKSTEP          the program                           (build/lockstep beside this folder, else the one in PATH)
#   LOCKSTEP_THREADS  cores of a rank, and its threads      (what SLURM gives a task, else 1)
#   LOCKSTEP_BIND     core: each rank on cores of its own; none: the system moves them about           (core)
#   LOCKSTEP_LEAD     seconds before the time limit at which train.sbatch stops with a checkpoint      (300)
# shellcheck shell=bash

# module load openmpi openblas hdf5

# Which network MPI uses, where it takes the wrong one (`ip -brief address` names them):
# export OMPI_MCA_btl_tcp_if_include=10.0.0.0/24 OMPI_MCA_oob_tcp_if_include=10.0.0.0/24

lockstep_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
if [ -z "${LOCKSTEP:-}" ]; then
    LOCKSTEP=$lockstep_root/build/lockstep
    [ -x "$LOCKSTEP" ] || LOCKSTEP=lockstep
fi
export LOCKSTEP
export LOCKSTEP_THREADS=${LOCKSTEP_THREADS:-${SLURM_CPUS_PER_TASK:-1}}
export LOCKSTEP_BIND=${LOCKSTEP_BIND:-core} LOCKSTEP_LEAD=${LOCKSTEP_LEAD:-300}

# OpenBLAS keeps to one thread: the order of its sums, and so the bits, must not depend on the machine.
export OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=$LOCKSTEP_THREADS
# From SLURM 22.05 on, srun does not take over what sbatch was told.
export SRUN_CPUS_PER_TASK=$LOCKSTEP_THREADS
