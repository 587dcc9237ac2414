# env.sh: the environment of every start on a cluster; train.sbatch and mpirun.sh source it. Edit it for your site:
# modules to load, the network to use.
#
# A variable that is set already keeps its value (the defaults stand in parentheses):
#   LOCKSTEP          the program                           (build/lockstep beside this folder, else the one in PATH)
#   LOCKSTEP_THREADS  cores of a rank, and its threads      (SLURM's --cpus-per-task, else 1)
#   LOCKSTEP_BIND     core: each rank stays on its own cores; none: the system may move ranks          (core)
#   LOCKSTEP_LEAD     seconds before the time limit at which train.sbatch stops with a checkpoint      (300)
#   LOCKSTEP_PMI      srun's --mpi=, by which train.sbatch starts ranks; pmi2 if built with MPICH      (pmix)
# shellcheck shell=bash

# module load openmpi openblas hdf5

# If MPI chooses the wrong network, name the right one here (`ip -brief address` lists them):
# export OMPI_MCA_btl_tcp_if_include=10.0.0.0/24 OMPI_MCA_oob_tcp_if_include=10.0.0.0/24

lockstep_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
if [ -z "${LOCKSTEP:-}" ]; then
    LOCKSTEP=$lockstep_root/build/lockstep
    [ -x "$LOCKSTEP" ] || LOCKSTEP=lockstep
fi
export LOCKSTEP
export LOCKSTEP_THREADS=${LOCKSTEP_THREADS:-${SLURM_CPUS_PER_TASK:-1}}
export LOCKSTEP_BIND=${LOCKSTEP_BIND:-core} LOCKSTEP_LEAD=${LOCKSTEP_LEAD:-300} LOCKSTEP_PMI=${LOCKSTEP_PMI:-pmix}

export OMP_NUM_THREADS=$LOCKSTEP_THREADS
# Since SLURM 22.05 srun no longer inherits sbatch's --cpus-per-task; this variable tells it.
export SRUN_CPUS_PER_TASK=$LOCKSTEP_THREADS
