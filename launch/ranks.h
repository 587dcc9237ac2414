/* ranks: how a subcommand that runs on several ranks starts them. */
#pragma once
#include "dist/comm.h"
#include "launch/command.h"

/* The entry in a table of options; the value goes to `member`, an int, of the struct `type`: an
 * ls_comm_sharing, for ls_comm_share. */
#define LS_SHARE_OPTION(type, member)                                                              \
    {                                                                                              \
        "share", 0, "machine|numa|none",                                                           \
            "which ranks share memory in a group, which holds parameters and optimizer state "     \
            "once: those of a machine (the default), of a NUMA domain (bind the ranks), or none; " \
            "any groups give the same bits",                                                       \
            LS_COMMAND_CHOICE, .offset = offsetof(type, member)                                    \
    }

/* **Collective.** Calls ls_comm_open. Where srun or mpirun started several tasks that are not ranks
 * of one MPI world (srun without PMIx), each would do the whole job alone: says so and what to do,
 * and exits with code 64; so it does where the ranks are not of one program with one command line,
 * which is that of argv, as ls_command_parse leaves it. */
ls_comm *ls_ranks_start(int *argc, char ***argv);
