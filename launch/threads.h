/* threads: the option --threads, and whether there are enough cores for the threads. */
#pragma once
#include "dist/comm.h"
#include "launch/command.h"

/* The entry in a table of options; the value goes to `member`, an int, of the struct `type`. */
#define LS_THREADS_OPTION(type, member)                                                            \
    {                                                                                              \
        "threads", 0, "T",                                                                         \
            "threads of a rank, each for a core (default 1); any number gives the same bits, but " \
            "with LOCKSTEP_INSTRUCTIONS=blas",                                                     \
            LS_COMMAND_INT, offsetof(type, member), .low = 1, .high = 1024                         \
    }
/* Whether the ranks of this machine, of so many threads each, have too few cores, or this rank is
 * bound to too few; then writes what to do into text[size]. */
bool ls_threads_crowded(const ls_comm *comm, int threads, char *text, size_t size);
