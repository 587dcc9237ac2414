/* reduce: the sum of the ranks' gradients in a fixed order, and the update in place.
 *
 * Every rank has a gradient array in memory that the ranks of its node share. What a phase trains
 * is cut into buckets, and these among the ranks of a node (buckets.h). In a step
 *
 *   1. ls_reduce_begin; then each rank writes its gradient into its array. Where there are several
 *      nodes it tells by ls_reduce_ready which slots are complete, and so the sum begins: a rank
 *      adds its runs of a bucket over all arrays of the node into its own array, then exchanges
 *      them with the ranks of the other nodes that have the same runs;
 *   2. ls_reduce_finish: the rest, until each rank has in its own runs the sum over all ranks;
 *   3. each rank updates its runs of the parameters, which the node holds once;
 *   4. ls_reduce_end: all wait; the parameters are complete on every node.
 *
 * Nothing is copied or broadcast within a node; only sums of nodes cross the network, or
 * factors (factoring.h). After 2 all
 * ranks know whether the sum is finite; if it is not, they leave out 3. */
#pragma once
#include "core/objective.h"
#include "core/squares.h"
#include "core/watch.h"
#include "dist/buckets.h"
#include "dist/exchange.h"
#include "dist/factoring.h"
#include "dist/gather.h"
#include "dist/shared.h"
#include "dist/sum_order.h"
#include "dist/waiting.h"

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
    real *gradient; /* this rank's gradient array, at the offsets of the params */
    ls_runs own;    /* of the phase that was begun last, what this rank adds up and updates */

    ls_comm *comm;
    const ls_params *params;
    ls_shared *shared; /* holds the next five, one after the other */
    real *arrays;      /* [node_size, stride] gradient arrays of the node's ranks */
    struct ls_reduce_counter *counters; /* [node_size] buckets that each rank has published */
    ls_step_sums *total;                /* over all ranks */
    ls_step_sums *sums;                 /* [node_size] of each rank of the node */
    double *squares;                    /* [ls_squares_room] */
    long stride;           /* whole blocks of LS_SLICE_ALIGN: no page belongs to two ranks */
    real **from;           /* [node_size] one block in each of the arrays */
    ls_gather *gather;     /* of step sums; NULL: one node, or not its first rank */
    ls_exchange *exchange; /* NULL: there is one node, or this rank adds nothing */
    struct ls_reduce_phase *phase; /* [LS_PHASES] */
    struct ls_reduce_phase *now;   /* that was begun last; NULL: none was */
    ls_waiting waiting;            /* for other nodes */
    uint64_t before;               /* what the counters were when it began */
    const ls_watch *watch; /* NULL: nobody wants to know how long this rank waits and sums */
} ls_reduce;

/* **Collective.** For the gradients of `params` (borrowed). Makes the gradient arrays, which are
 * shared. NULL and an error where there is no room. */
ls_reduce *ls_reduce_create(ls_comm *comm, const ls_params *params, ls_error *error);
void ls_reduce_destroy(ls_reduce *reduce); /* **Collective.** */
/* From now on `watch` (borrowed) hears of the time that this rank sums, or waits for messages of
 * other nodes, and of that for which it waits for ranks of its node. */
void ls_reduce_watch(ls_reduce *reduce, const ls_watch *watch);
/* Bytes of shared memory that ls_reduce_create takes on a node of `node_size` ranks. */
size_t ls_reduce_bytes(const ls_params *params, int node_size);
/* Bytes of the buffers that each rank takes besides, for messages from other nodes. */
size_t ls_reduce_buffer_bytes(const ls_comm *comm, const ls_params *params);

/* **Collective** over the node, to be called by all ranks: from now on phase `phase` (below
 * LS_PHASES) trains these slots. With a load (NULL: none), which says how the ranks compute them,
 * weights may be summed over the nodes by their factors. */
void ls_reduce_set_phase(ls_reduce *reduce, int phase, const ls_slots *slots,
                         const ls_factors_load *load);
/* **Collective.** Begins the sum of a phase; then the ranks may write its slots of their gradient
 * arrays. A phase's first sum learns the order in which they are finished; later ones go by that of
 * the first rank that was told any. */
void ls_reduce_begin(ls_reduce *reduce, int phase);
/* These slots of this rank's gradient array are complete, and stay as they are: moves the sum on as
 * far as it goes without waiting. Slots that the phase does not train are passed over; one that is
 * told twice is a bug. With count 0 it only moves on. Not collective: ranks may tell slots in any
 * order, and leave out any. */
void ls_reduce_ready(ls_reduce *reduce, const int *slots, int count);
/* What a gradient of a weight is a product of, before the weight is told to be complete. True: the
 * sum goes by these factors, and nobody reads this rank's gradient of the weight (factoring.h). Not
 * collective. */
bool ls_reduce_factors(ls_reduce *reduce, const ls_layer_factors *factors);
/* **Collective.** All slots are complete. Sums what is left, and *sums, over all ranks. On return
 * *sums is the total on every rank, and this rank's array holds the sum in its own runs.
 * norm2[params->count] is each summed slot's sum of squares (squares.h; 0 for other slots): the
 * same bits on every rank and for any number of ranks, and not finite where any number of the slot
 * is not. */
void ls_reduce_finish(ls_reduce *reduce, ls_step_sums *sums, double *norm2);
/* Writes into text[size] what was found out about the sums of this phase, a line for a person. True
 * once; the same on all ranks. */
bool ls_reduce_notice(ls_reduce *reduce, char *text, size_t size);
/* **Collective** over the node. The same sums of squares, of the slots that were summed last, for
 * any array at the params' offsets of which each rank has its own runs (parameters, directions of
 * the update). */
void ls_reduce_norms(ls_reduce *reduce, const real *array, double *norm2);
/* **Collective** over the node. Waits until all ranks have updated their runs: then parameters may
 * be read, and the next sum begun. A step that is given up may leave it out. */
void ls_reduce_end(ls_reduce *reduce);

/* **Collective.** values[count] summed into sum[count] by MPI_Allreduce, to compare with (`lockstep
 * bench reduce`). */
void ls_reduce_by_mpi(ls_comm *comm, const real *values, real *sum, long count);
