/* hosts: which hosts a run has, how many ranks each of them, and in what they differ: a few lines,
 * however many hosts there are. */
#pragma once
#include <stdio.h>

#include "launch/doctor/host.h"

/* **Collective.** What every rank finds, in the order of the ranks, so that the ranks of a host
 * follow each other: [comm->size] on rank 0, which frees it by ls_free; NULL on the others. */
ls_host *ls_hosts_gather(ls_comm *comm, int threads);
/* Writes "2 hosts of 4 to 8 cores" into text[size]; returns text. */
const char *ls_hosts_text(const ls_host *all, int ranks, char *text, size_t size);
/* Writes "2 cores a rank as bound, 1 thread" into text[size]; returns text. */
const char *ls_hosts_rank_text(const ls_host *all, int ranks, char *text, size_t size);
/* Of several hosts: a line with the ranks of each, and a line for each thing in which they differ
 * and should not. */
void ls_hosts_print(const ls_host *all, int ranks, FILE *out);
