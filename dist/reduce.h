/* reduce: the sum of the ranks' gradients in a fixed order.
 *
 * Every rank has a gradient array in memory shared by its node. Rank r of a node sums slice r of
 * all of the node's arrays in tree order straight out of them, into its own; the ranks of all nodes
 * that have the same slice exchange it by recursive doubling with vector halving (the nearest
 * partner first: tree order; see exchange.c), and each then updates its slice of the node's shared
 * parameters. No copy, no broadcast. The order is that of tree.h over the ranks of a node, then
 * over nodes: 2^k equal nodes, and nodes of one rank each, give the same bits as one node of all
 * ranks.
 *
 *   gradient -> ls_reduce_sum -> (stop here where not finite) -> (ls_reduce_norms, where the update
 *   wants norms of more) -> update of slice -> ls_reduce_end
 */
#pragma once
#include "core/squares.h"
#include "dist/shared.h"
#include "dist/sum_order.h"

typedef struct ls_reduce ls_reduce;

/* **Collective.** For the gradients of `params` (borrowed). Makes the gradient arrays (shared).
 * NULL and an error where there is no room. */
ls_reduce *ls_reduce_create(ls_comm *comm, const ls_params *params, ls_error *error);
void ls_reduce_destroy(ls_reduce *reduce); /* **Collective.** */
/* This rank's array, with the params' offsets. */
real *ls_reduce_gradient(ls_reduce *reduce);
/* Shared bytes a node that ls_reduce_create takes, with `node_size` ranks. */
size_t ls_reduce_bytes(const ls_params *params, int node_size);
/* Bytes that each rank takes for itself: messages on their way between nodes. */
size_t ls_reduce_own_bytes(const ls_comm *comm);

/* **Collective.** Sums `slots` of the arrays and tail[LS_TAIL] over all ranks. On return tail is
 * the sum, on every rank; norm2[params->count] the sums of squares of the summed slots (squares.h;
 * 0 of others), the same bits on every rank and any rank count; not finite where any number of the
 * slot is not. This rank's array holds the sum in its slice only. */
void ls_reduce_sum(ls_reduce *reduce, const ls_slots *slots, double *tail, double *norm2);
/* **Collective** over the node. The same norms of any array with the params' offsets that is
 * complete in each rank's slice (values, directions). */
void ls_reduce_norms(ls_reduce *reduce, const real *array, const ls_slots *slots, double *norm2);
/* The slice that this rank updates, in reals, cut at multiples of LS_SLICE_ALIGN; may be empty. */
ls_interval ls_reduce_slice(const ls_reduce *reduce);
/* **Collective** over the node. All ranks have updated: the parameters may be read, the arrays
 * written. */
void ls_reduce_end(ls_reduce *reduce);

/* **Collective.** MPI_Allreduce, for `bench reduce` to compare with: sums `values` into `sum`. */
void ls_reduce_by_mpi(ls_comm *comm, const real *values, real *sum, long count);
