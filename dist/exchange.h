/* exchange: sums over the nodes, exchanged between pairs of them. */
#pragma once
#include "core/params.h"
#include "dist/comm.h"

/* The reals of an array that are summed, in ascending order. A *position* counts these reals alone,
 * from 0 to `total`, without the gaps between the intervals. */
typedef struct ls_intervals {
    int count;
    ls_interval at[LS_INTERVALS];
    long total;
} ls_intervals;

enum {
    LS_EXCHANGE_MESSAGE = 1 << 18, /* reals of a message */
    LS_EXCHANGE_DEPTH = 16,        /* messages that are on their way at a time, in each direction */
    LS_EXCHANGE_BUFFER = LS_EXCHANGE_DEPTH * LS_EXCHANGE_MESSAGE
};

/* **Collective** over the ranks of all nodes that have this node_rank. Adds their arrays in the
 * order of sum_order.h; then each of the arrays holds the sum in the intervals.
 * buffer[LS_EXCHANGE_BUFFER]. */
void ls_exchange_sum(const ls_comm *comm, real *array, const ls_intervals *intervals, real *buffer);
