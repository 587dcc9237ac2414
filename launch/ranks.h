/* ranks: how a subcommand that runs on several ranks starts them. */
#pragma once
#include "dist/comm.h"

/* **Collective.** ls_comm_open; where the tasks of one srun or mpirun are no ranks of one MPI world
 * (srun without PMIx), so that each would do the whole job alone: says so and what to do, and ends
 * with code 64. */
ls_comm *ls_ranks_start(int *argc, char ***argv);
