/* exchange: sums over the nodes, exchanged between pairs of them. */
#pragma once
#include "core/params.h"
#include "dist/comm.h"

/* The reals of an array that are summed: in ascending order, not touching. A *position* counts
 * these reals alone, without the gaps between the intervals, from 0 to `total`. */
typedef struct ls_intervals {
    int count;
    ls_interval at[LS_INTERVALS];
    long total;
} ls_intervals;

/* Reals of one message, and messages on their way at a time; reals of the buffer for them. */
enum {
    LS_EXCHANGE_MESSAGE = 1 << 18,
    LS_EXCHANGE_DEPTH = 16,
    LS_EXCHANGE_BUFFER = LS_EXCHANGE_DEPTH * LS_EXCHANGE_MESSAGE
};

/* **Collective** over the ranks of all nodes that have this node_rank. Adds the nodes' arrays in
 * the order of sum_order.h over the nodes; then every node's array holds the sum in its intervals.
 * buffer[LS_EXCHANGE_BUFFER]. */
void ls_exchange_sum(const ls_comm *comm, real *array, const ls_intervals *intervals, real *buffer);
