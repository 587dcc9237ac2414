/* host: the machine as a rank finds it: cores, instruction set, memory, speed. */
#pragma once
#include <sched.h>

#include "dist/comm.h"

typedef struct ls_host {
    char name[256], processor[80];
    int machine;   /* its number, from 0: two machines may have one name */
    char set[256]; /* the instruction sets of the library's loops and of its micro-kernel */
    int cores, hyperthreads;    /* cores of the machine; processors of a core: 1 or 2 */
    double mhz;                 /* the clock: the most that Linux knows of; 0: unknown */
    int threads;                /* of this rank, as --threads says */
    cpu_set_t bound;            /* processors that this rank may run on */
    double allowed;             /* cores that the container may use; infinite without a limit */
    double load;                /* runnable threads over the last minute */
    double memory, memory_free; /* bytes */
    char pages[16];             /* huge pages: always, madvise, never */
    /* Of matrix products on this rank, while all other ranks compute too; 0: OpenBLAS is not there.
     */
    double gflops;
} ls_host;

/* Fills the members up to `bound`, for a rank of so many threads; the others are 0. */
void ls_host_describe(ls_host *host, const ls_comm *comm, int threads);
/* **Collective.** Fills all members, in about 0.2 s. */
void ls_host_read(ls_host *host, ls_comm *comm, int threads);
/* Writes the numbers of the processors into text[size]: "0-3,7". */
void ls_host_processors(const cpu_set_t *set, char *text, size_t size);
