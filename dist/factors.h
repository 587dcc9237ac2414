/* factors: sums of a weight's gradients over the nodes by what they are products of.
 *
 * The gradient of a dense line's weight is dy^T x (core/layer.h). Of 64 rows and a weight of
 * 1024 x 1024, x and dy are 131,072 numbers, and the gradient a million. Where there are few nodes
 * it is less to send x and dy to all of them than to exchange gradients, and every node computes
 * the products of all ranks (Xie et al. 2016, "Lighter-communication distributed machine learning
 * via sufficient factor broadcasting"). They are added in the order of sum_order.h, shard by shard,
 * rank by rank, node by node: the same bits as by an exchange of gradients.
 *
 * What a rank sends of a weight is its *block*: x and dy of each *piece*, which is one application
 * of the line to one shard. The blocks of all ranks lie in memory that the ranks of a node share; a
 * rank receives those of the ranks of other nodes that have its number in their node, and adds up
 * its own runs. */
#pragma once
#include "core/layer.h"
#include "dist/comm.h"

typedef struct ls_factors ls_factors;

/* A weight, and the most of a step that one rank has of it. */
typedef struct ls_factors_weight {
    long out, in;
    long rows, pieces; /* rows of x; pieces; of all its shards */
} ls_factors_weight;

/* The threads and shards by which ranks compute. */
typedef struct ls_factors_load {
    int threads;     /* of a rank */
    int shards;      /* of this rank */
    int most_shards; /* of any rank */
} ls_factors_load;

/* Bytes that a rank sends of a weight to one node. */
size_t ls_factors_bytes(const ls_factors_weight *weight);
/* **Collective.** For nodes of equal sizes. `comm` is borrowed. The arguments must be the same on
 * all ranks, but for load->shards. NULL, on all ranks, where a node has no room, or a
 * machine would be left less than half of its free memory. Free with
 * ls_factors_destroy. */
ls_factors *ls_factors_create(ls_comm *comm, const ls_factors_weight *weights, int count,
                              const ls_factors_load *load);
void ls_factors_destroy(ls_factors *factors); /* **Collective** over the node. */

/* Below, a weight is told by its number among those of ls_factors_create. */
/* Begins a step: all ranks of the node must have ended the one before. */
void ls_factors_begin(ls_factors *factors);
/* Copies a piece into this rank's block; before it is sent. More pieces or rows than were announced
 * are a bug, which ends all ranks. */
void ls_factors_keep(ls_factors *factors, int weight, const ls_layer_factors *piece);
/* Sends this rank's block. The weights of a step may be sent in any order, the same on all ranks.
 */
void ls_factors_send(ls_factors *factors, int weight);
/* Moves messages on without waiting; whether anything has moved. */
bool ls_factors_progress(ls_factors *factors);
/* Whether the blocks of all ranks are there, and those of this node are sent. */
bool ls_factors_arrived(const ls_factors *factors, int weight);
/* The rank of another node whose message this rank waits for; or the first of its own node that
 * waits for one; or LS_BOARD_NOBODY. */
int ls_factors_waits_for(const ls_factors *factors, int weight);
/* Computes the next part of a sum whose blocks are there into these runs of `array`, which has the
 * params' offsets, and in which the weight begins at `offset`. True: it was the last part. */
bool ls_factors_sum(ls_factors *factors, int weight, const ls_runs *own, long offset, real *array);
/* Whether these runs of `array` hold the sum, bit for bit. */
bool ls_factors_same(ls_factors *factors, int weight, const ls_runs *own, long offset,
                     const real *array);
