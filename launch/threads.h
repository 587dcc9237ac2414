/* threads: the option --threads of the commands that apply nets, and whether there are cores for
 * them. */
#pragma once
#include "dist/comm.h"
#include "launch/command.h"

/* The entry in a command's table of options; `member`, an int, is a member of its arguments, of
 * this type. */
#define LS_THREADS_OPTION(type, member)                                                            \
    {                                                                                              \
        "threads", 0, "T",                                                                         \
            "threads of a rank, each for a core (default 1); any number gives the same bits",      \
            LS_COMMAND_INT, offsetof(type, member), .low = 1, .high = 1024                         \
    }
/* Whether this node's ranks, of so many threads each, take turns on its cores, or on those that
 * this rank is bound to: then what to do is written into text[size]. */
bool ls_threads_crowded(const ls_comm *comm, int threads, char *text, size_t size);
