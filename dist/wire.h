/* wire: how fast data comes from node to node. */
#pragma once
#include "dist/comm.h"

/* **Collective.** Bytes a second that each rank sends to the rank of the same number on the next
 * node while it receives as many from the node before, and all others do the same; the slowest
 * rank's. 0: there is one node. */
double ls_wire_measure(ls_comm *comm);
