/* pace: how fast the ranks compute a product of matrices: for a guess of the time that a run takes,
 * and to compare with what its steps reach. */
#pragma once
#include "dist/comm.h"

/* **Collective.** Operations a second of the slowest rank, with these threads, in a product of
 * matrices that all ranks compute at the same time for a tenth of a second; a multiply-add counts
 * 2. */
double ls_pace_measure(ls_comm *comm, int threads);
