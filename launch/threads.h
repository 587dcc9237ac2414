/* threads: the option --threads of the commands that apply nets, and whether there are cores for
 * them. */
#pragma once
#include <argp.h>

#include "dist/comm.h"

enum { LS_THREADS_KEY = 512 }; /* beyond the commands' own */

/* The entry in a table of options. */
#define LS_THREADS_OPTION                                                                          \
    {                                                                                              \
        "threads", LS_THREADS_KEY, "T", 0,                                                         \
            "threads of a rank, each for a core (default 1); any number gives the same bits", 0    \
    }
/* For `option` of ls_usage: the number, from 1 to 1024; else bad usage. */
int ls_threads_read(const struct argp_state *state, const char *text);
/* Whether this node's ranks, of so many threads each, take turns on its cores, or on those that
 * this rank is bound to: then what to do is written into text[size]. */
bool ls_threads_crowded(const ls_comm *comm, int threads, char *text, size_t size);
