/* shards: a batch is cut into shards, which are divided among the ranks; a rank computes the
 * gradients of its shards one after the other and adds them in the order of dist/sum_order.h: the
 * sum over [0, n) is the sum over the first half plus the sum over the second half. Halving again
 * and again also gives the ranks' parts, so the bits are the same on any number of ranks. */
#pragma once
#include "core/objective.h"
#include "dist/comm.h"

enum { LS_SHARDS_LEVELS = 24 };

/* How shards are divided among ranks. BY_TREE: halved as the sum over the ranks is, so that a
 * rank's sum is a node of the tree over the shards. EVENLY: in parts that differ by one shard at
 * most; the bits are then those of these ranks and nodes, but for a power of two of ranks on equal
 * nodes. */
typedef enum { LS_SHARDS_BY_TREE, LS_SHARDS_EVENLY } ls_shards_way;

typedef struct ls_shards {
    int count;      /* of the whole batch */
    int begin, end; /* this rank's are [begin, end) */
    int most;       /* of any rank */
    ls_shards_way way;
    /* Gradient arrays with the params' offsets: [0] is the sum (borrowed); [k] holds the sum of a
     * second half until it is added to that of the first half in [k - 1]. */
    real *partial[LS_SHARDS_LEVELS];
    bool *added; /* [slots] whose partial sums are added up already */
} ls_shards;

/* Sets all but `partial` and `added`. */
void ls_shards_cut(ls_shards *shards, int count, ls_shards_way way, const ls_comm *comm);
/* The most shards that any of `ranks` ranks of one node has. */
int ls_shards_most(int count, ls_shards_way way, int ranks);
/* Into nodes of how many ranks those of `comm` should be cut, so that each rank has a shard, and
 * the busiest as few as possible: as large ones as possible. 0: the nodes stay as they are. */
int ls_shards_node_size(int count, ls_shards_way way, const ls_comm *comm);
/* Makes shards->partial and ->added; `sum` (borrowed) is the array that the gradient goes to. Free
 * with ls_shards_release. */
void ls_shards_allocate(ls_shards *shards, const ls_params *params, real *sum);
void ls_shards_release(ls_shards *shards);
/* The gradient of a phase over this rank's shards of `batch`, into the sum, and *sums. `pass` says
 * seed, step and draw, and may carry the rows of all these shards; its row, gradient and the
 * carried rows of a shard are filled in here. pass->finished hears of a slot when the last shard
 * has finished it, and its sum over this rank's shards is complete; pass->factors hears of the
 * factors of each shard, and what it takes is not added to the sum. **Collective** where
 * a layer sums over the ranks within a pass. */
void ls_shards_gradient(const ls_shards *shards, ls_objective *objective, int phase,
                        const ls_batch *batch, const ls_pass *pass, ls_sums *sums);
