/* host: what a rank finds on its machine: cores, instruction set, memory, speed. For `doctor`. */
#pragma once
#include <sched.h>

#include "dist/comm.h"

typedef struct ls_host {
    char name[64], processor[80];
    char set[48];               /* the instruction set that the engine's loops run */
    int cores, hyperthreads;    /* cores of the machine; processors of a core: 1 or 2 */
    int threads;                /* that this rank is to compute with; 1 */
    cpu_set_t bound;            /* processors that this rank may run on */
    double allowed;             /* cores that a container grants; infinite: all */
    double load;                /* runnable threads over the last minute */
    double memory, memory_free; /* bytes */
    char pages[16];             /* huge pages: always, madvise, never */
    double gflops;              /* of one product on this rank, while all ranks compute */
} ls_host;

/* **Collective.** Takes about 0.2 s. */
void ls_host_read(ls_host *host, ls_comm *comm);
/* "0-3,7": processors. Into text[size]. */
void ls_host_processors(const cpu_set_t *set, char *text, size_t size);
