/* pace: how fast the ranks compute, measured before a run, for a guess of its time. */
#pragma once
#include "dist/comm.h"

/* **Collective.** Operations a second of the slowest rank, with these threads, in a product of
 * matrices that all ranks compute at the same time for a tenth of a second; a multiply-add counts
 * 2. */
double ls_pace_measure(ls_comm *comm, int threads);
