/* ranks: how a subcommand that runs on several ranks starts them. */
#pragma once
#include "dist/comm.h"
#include "dist/watchdog.h"
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

/* Entries in a table of options; the values go to `member`, an ls_watchdog_plan, of the struct
 * `type`, which begins as ls_stall_usual; `words` is ls_command_option's `with`. */
#define LS_STALL_OPTIONS(type, member, words)                                                      \
    {"stall-warn",                                                                                 \
     0,                                                                                            \
     "TIME",                                                                                       \
     "when no rank has made progress for TIME (1m; 90s, 30m, HH:MM:SS or never), say which is "    \
     "late",                                                                                       \
     LS_COMMAND_TIME,                                                                              \
     .offset = offsetof(type, member.warn),                                                        \
     .with = words},                                                                               \
    {                                                                                              \
        "stall-abort", 0, "TIME",                                                                  \
            "when none has for TIME (10m; or as above), end with exit code 71", LS_COMMAND_TIME,   \
            .offset = offsetof(type, member.abort), .with = words                                  \
    }

extern const ls_watchdog_plan ls_stall_usual;

/* **Collective.** Calls ls_comm_open. Where srun or mpirun started several tasks that are not ranks
 * of one MPI world (srun without PMIx), each would do the whole job alone: says so and what to do,
 * and exits with code 64; so it does where the ranks are not of one program with one command line,
 * which is that of argv, as ls_command_parse leaves it. */
ls_comm *ls_ranks_start(int *argc, char ***argv);
/* **Collective.** Calls ls_watchdog_start, and says on stderr if that fails. Behind ls_comm_share,
 * if that is called; NULL will do for ls_watchdog_stop. */
ls_watchdog *ls_ranks_watch(ls_comm *comm, const ls_watchdog_plan *plan);
