/* buckets: what a phase trains, cut into buckets, each of which is summed as soon as it is
 * complete.
 *
 * Backward finishes the last layers first. Their slots are the first bucket, those before them the
 * second, and so on; a large slot is several buckets, unless it has one for itself (cut->alone):
 *
 *     array     | conv1 | conv2 |        dense1        | dense2 |
 *     buckets   |   bucket 2    |  bucket 1  |     bucket 0     |
 *     ranks     | 0 | 1 | 2 | 3 |0 | 1 | 2 |3| 0  | 1  | 2 | 3  |     of a node
 *
 * Each bucket is cut evenly among the ranks of a node, so that all of them add and update whatever
 * a phase trains, and begin with a bucket at the same time. Cuts are at borders of blocks of
 * LS_SLICE_ALIGN reals or of what is trained: so no piece of a norm (squares.h) is cut in two. */
#pragma once
#include "core/params.h"

enum {
    /* Reals of a bucket that no slot has for itself, for each rank of a node: within these limits,
     * 1 / LS_BUCKET_PARTS of those that backward has still to finish. Messages move on between
     * layers only, so that as many of them must be under way as the network carries meanwhile: the
     * first buckets are large. What is finished last is waited for: the last buckets are small. */
    LS_BUCKET_LEAST = 1 << 15,
    LS_BUCKET_MOST = 1 << 21,
    LS_BUCKET_PARTS = 8
};

typedef struct ls_bucket {
    int slots;   /* that lie in it, whole or in part */
    int alone;   /* the slot that has it for itself, as cut->alone asks; -1: no slot has */
    ls_runs own; /* of it, what this rank adds up */
} ls_bucket;

typedef struct ls_buckets {
    long count;
    ls_bucket *at;   /* [count] in the order in which they are summed */
    ls_interval *of; /* [params->count] the buckets that a slot lies in; empty: it is not trained */
    ls_runs own;     /* of all buckets, what this rank adds up and updates */
    ls_interval *runs, *joined; /* that the lists above point into */
} ls_buckets;

/* How the ranks of a node share buckets: those from `ranks` on have nothing of their own. */
typedef struct ls_buckets_cut {
    int ranks, rank;
    bool whole;        /* there is one bucket: where nothing is summed early */
    const bool *alone; /* [params->count] slots that have a bucket of their own; NULL: none has */
} ls_buckets_cut;

/* The buckets of `slots`, which backward finishes in the order order[ordered]; those that are not
 * in this list follow, the last first. Free with ls_buckets_destroy. */
ls_buckets *ls_buckets_create(const ls_params *params, const ls_slots *slots, const int *order,
                              int ordered, const ls_buckets_cut *cut);
void ls_buckets_destroy(ls_buckets *buckets);
/* More reals than any of so many ranks of a node has of a bucket that no slot has for itself. */
long ls_buckets_share(const ls_params *params, int ranks);
