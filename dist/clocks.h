/* clocks: by how much the clocks of machines differ. Each machine's ls_clock_now() counts from a
 * moment of its own. */
#pragma once
#include "dist/comm.h"

/* **Collective.** What must be added to this rank's ls_clock_now() for the time of rank 0's, in
 * seconds. 0 on rank 0's node; elsewhere as exact as half of the fastest of several messages there
 * and back: some microseconds in a local network. */
double ls_clocks_offset(ls_comm *comm);
