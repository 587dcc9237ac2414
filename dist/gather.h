/* gather: a few numbers of every node, on all nodes. */
#pragma once
#include "dist/comm.h"
#include "dist/waiting.h"

/* **Collective** over the ranks of all nodes that have this node_rank, of which every node must
 * have one. mine[count] of each node, in the order of the nodes, into all[nodes * count]; `all` has
 * room for twice as many, which are needed on the way. */
void ls_gather_nodes(const ls_comm *comm, ls_waiting *waiting, const double *mine, int count,
                     double *all);
