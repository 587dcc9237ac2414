/* ranks: how a subcommand that runs on several ranks starts them. */
#pragma once
#include "dist/comm.h"

/* **Collective.** Calls ls_comm_open. Where srun or mpirun started several tasks that are not ranks
 * of one MPI world (srun without PMIx), each would do the whole job alone: says so and what to do,
 * and exits with code 64; so it does where the ranks are not of one program with one command line,
 * which is that of argv, as ls_command_parse leaves it. */
ls_comm *ls_ranks_start(int *argc, char ***argv);
