/* reduce: the sum of the ranks' gradients in a fixed order, and the update in place.
 *
 * Every rank has a gradient array in memory that the ranks of its node share. Arrays are cut into
 * slices, one for each rank of a node. In a step
 *
 *   1. each rank writes its gradient into its array;
 *   2. ls_reduce_sum: rank r of a node adds slice r of all arrays of the node into its own array,
 *      then exchanges it with the ranks r of the other nodes, until it is the sum over all ranks;
 *   3. rank r updates slice r of the parameters, which the node holds once;
 *   4. ls_reduce_end: all wait; the parameters are complete on every node.
 *
 * Nothing is copied or broadcast within a node; only sums of nodes cross the network. After 2 all
 * ranks know whether the sum is finite; if it is not, they leave out 3 and 4. */
#pragma once
#include "core/objective.h"
#include "core/squares.h"
#include "core/watch.h"
#include "dist/shared.h"
#include "dist/sum_order.h"

/* The numbers that are summed over the ranks with the gradients of one phase. Any rank may raise a
 * flag; all ranks see in the same step that a sum of flags is above 0. */
typedef struct ls_step_sums {
    ls_sums sums;    /* of the phase's objective over the batch */
    double failed;   /* a rank could not read its rows */
    double stop;     /* a signal came, or the time is up */
    double save;     /* a checkpoint is due by the clock */
    double evaluate; /* an evaluation is due by the clock */
    double samples;  /* so are pictures */
} ls_step_sums;

/* Callers read the first two members only. */
typedef struct ls_reduce {
    real *gradient;    /* this rank's gradient array, at the offsets of the params */
    ls_interval slice; /* that this rank updates, in blocks of LS_SLICE_ALIGN; may be empty */

    ls_comm *comm;
    const ls_params *params;
    ls_shared *shared;   /* holds `arrays`, `total`, `sums` and `squares`, one after the other */
    real *arrays;        /* [node_size, stride] gradient arrays of the node's ranks */
    long stride;         /* whole blocks of LS_SLICE_ALIGN: no page belongs to two ranks */
    ls_step_sums *total; /* over all ranks */
    ls_step_sums *sums;  /* [node_size] of each rank of the node */
    double *squares;     /* [ls_squares_room] */
    real **from;         /* [node_size] one block in each of the arrays */
    ls_step_sums *node_sums; /* [nodes] totals of the nodes */
    real *buffer;            /* for messages from other nodes; NULL: there is one node */
    const ls_watch *watch;   /* NULL: nobody wants to know how long this rank waits and sums */
} ls_reduce;

/* **Collective.** For the gradients of `params` (borrowed). Makes the gradient arrays, which are
 * shared. NULL and an error where there is no room. */
ls_reduce *ls_reduce_create(ls_comm *comm, const ls_params *params, ls_error *error);
void ls_reduce_destroy(ls_reduce *reduce); /* **Collective.** */
/* From now on `watch` (borrowed) hears of the time that this rank sums, and of that for which it
 * waits for others. */
void ls_reduce_watch(ls_reduce *reduce, const ls_watch *watch);
/* Bytes of shared memory that ls_reduce_create takes on a node of `node_size` ranks. */
size_t ls_reduce_bytes(const ls_params *params, int node_size);
/* Bytes of the buffer that each rank takes besides, for messages from other nodes. */
size_t ls_reduce_buffer_bytes(const ls_comm *comm);

/* **Collective.** Sums `slots` of the gradient arrays, and *sums, over all ranks. On return *sums
 * is the total on every rank, and this rank's array holds the sum in its slice.
 * norm2[params->count] is each summed slot's sum of squares (squares.h; 0 for other slots): the
 * same bits on every rank and for any number of ranks, and not finite where any number of the slot
 * is not. */
void ls_reduce_sum(ls_reduce *reduce, const ls_slots *slots, ls_step_sums *sums, double *norm2);
/* **Collective** over the node. The same sums of squares for any array at the params' offsets of
 * which each rank has its slice (parameters, directions of the update). */
void ls_reduce_norms(ls_reduce *reduce, const real *array, const ls_slots *slots, double *norm2);
/* **Collective** over the node. Waits until all ranks have updated their slices: then parameters
 * may be read, and gradient arrays written. */
void ls_reduce_end(ls_reduce *reduce);

/* **Collective.** values[count] summed into sum[count] by MPI_Allreduce, to compare with (`lockstep
 * bench reduce`). */
void ls_reduce_by_mpi(ls_comm *comm, const real *values, real *sum, long count);
