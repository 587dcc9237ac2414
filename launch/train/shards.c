/* shards: divides shards among the ranks, and adds the gradients of a rank's shards. */
#include "launch/train/shards.h"

#include <string.h>

#include "core/memory.h"
#include "core/minmax.h"
#include "dist/sum_order.h"

/* The shards of one rank, of nodes of sizes[nodes] ranks. */
static ls_interval share_of(int count, ls_shards_way way, const int *sizes, int nodes, int rank)
{
    const ls_interval all = {0, count};
    int ranks = 0;
    for (int i = 0; i < nodes; i++)
        ranks += sizes[i];
    if (way == LS_SHARDS_BY_TREE)
        return ls_sum_order_part(all, sizes, nodes, rank);
    if (!(ranks & (ranks - 1))) /* halving is even; on equal nodes it is BY_TREE */
        return ls_sum_order_part(all, &ranks, 1, rank);
    return (ls_interval){(long)count * rank / ranks, (long)count * (rank + 1) / ranks};
}

/* The most shards of any rank, and whether each has one. */
static int most_of(int count, ls_shards_way way, const int *sizes, int nodes, bool *all)
{
    long most = 0, least = count;
    for (int node = 0, rank = 0; node < nodes; node++)
        for (int i = 0; i < sizes[node]; i++, rank++) {
            ls_interval share = share_of(count, way, sizes, nodes, rank);
            most = ls_max(most, share.end - share.begin);
            least = ls_min(least, share.end - share.begin);
        }
    *all = least > 0;
    return (int)most;
}

void ls_shards_cut(ls_shards *shards, int count, ls_shards_way way, const ls_comm *comm)
{
    bool all;
    ls_interval own = share_of(count, way, comm->node_sizes, comm->nodes, comm->rank);
    shards->count = count;
    shards->way = way;
    shards->begin = (int)own.begin;
    shards->end = (int)own.end;
    shards->most = most_of(count, way, comm->node_sizes, comm->nodes, &all);
}

int ls_shards_most(int count, ls_shards_way way, int ranks)
{
    bool all;
    return most_of(count, way, &ranks, 1, &all);
}

/* The largest part of a node, of up to `limit` ranks, that divides all nodes. */
static int common_part(const ls_comm *comm, int limit)
{
    for (int size = limit; size > 1; size--) {
        int i = 0;
        while (i < comm->nodes && comm->node_sizes[i] % size == 0)
            i++;
        if (i == comm->nodes)
            return size;
    }
    return 1;
}

int ls_shards_node_size(int count, ls_shards_way way, const ls_comm *comm)
{
    bool best_all;
    int best = 0, least = most_of(count, way, comm->node_sizes, comm->nodes, &best_all);
    int *sizes = ls_alloc((size_t)comm->size, sizeof *sizes);
    for (int size = comm->smallest_node + 1; size > 1;) {
        size = common_part(comm, size - 1);
        int nodes = comm->size / size;
        for (int i = 0; i < nodes; i++)
            sizes[i] = size;
        bool all;
        int most = most_of(count, way, sizes, nodes, &all);
        if (all == best_all ? most < least : all) {
            best = size;
            best_all = all;
            least = most;
        }
    }
    ls_free(sizes);
    return best;
}

void ls_shards_allocate(ls_shards *shards, const ls_params *params, real *sum)
{
    int partials = ls_sum_order_levels(shards->end - shards->begin);
    shards->partial[0] = sum;
    for (int k = 1; k <= partials; k++)
        shards->partial[k] = ls_alloc((size_t)params->size, sizeof(real));
    shards->added = ls_alloc((size_t)params->count, sizeof *shards->added);
}

void ls_shards_release(ls_shards *shards)
{
    for (int k = 1; k < LS_SHARDS_LEVELS; k++)
        ls_free(shards->partial[k]);
    ls_free(shards->added);
}

/* The arguments of add_shards that are the same for all shards. */
typedef struct gradient {
    const ls_shards *shards;
    ls_objective *objective;
    int phase;
    const ls_batch *batch;
    const ls_pass *pass;
} gradient;

/* The rows of a shard, of those that its rank carries. */
static void cut_carried(const gradient *g, int shard, ls_carried *own)
{
    const ls_row_states *states = &g->objective->row_states;
    for (int k = 0; k < states->count; k++) {
        const ls_carried *all = &g->pass->carried[k];
        const long rows = states->at[k].rows, first = rows * shard / g->shards->count;
        own[k] = (ls_carried){.first = first,
                              .rows = rows * (shard + 1) / g->shards->count - first,
                              .data = all->data + (first - all->first) * states->at[k].reals};
    }
}

/* Who hears of the backward passes of a shard. While the last shard is computed into
 * partial[depth], the sums of all others wait in partial[0] to partial[depth - 1], as the tree has
 * them. */
typedef struct listener {
    const gradient *g;
    int shard, depth;
} listener;

static bool hear_factors(void *context, const ls_layer_factors *factors)
{
    const listener *l = context;
    ls_layer_factors of_shard = *factors;
    of_shard.shard = l->shard - l->g->shards->begin;
    return l->g->pass->factors(l->g->pass->listener, &of_shard);
}

/* The gradient of the listener's shard into `gradient`; `finished` may be NULL. */
static void compute_shard(listener *l,
                          void (*finished)(void *listener, const int *slots, int count),
                          real *gradient, ls_sums *sums)
{
    const struct gradient *g = l->g;
    const int number = l->shard;
    ls_batch shard = ls_batch_shard(g->batch, number, g->shards->count);
    ls_pass pass = *g->pass;
    ls_carried own[LS_ROW_STATES];
    pass.finished = finished;
    pass.factors = pass.factors ? hear_factors : NULL;
    pass.listener = l;
    pass.row = shard.first;
    pass.gradient = gradient;
    if (pass.carried)
        cut_carried(g, number, own);
    pass.carried = pass.carried ? own : NULL;
    g->objective->type->gradient(g->objective, g->phase, &shard, &pass, sums);
}

static void add_sums(ls_sums *sums, const ls_sums *other)
{
    for (int k = 0; k < LS_SUMS; k++)
        sums->at[k] += other->at[k];
}

/* Adds what lies in partial[1] to partial[0], of these slots. */
static void add_partial(const gradient *g, const ls_interval *slots, real *const *partial)
{
    const ls_interval reals = ls_slots_reals(g->objective->task.params, slots);
    real *const halves[] = {partial[0] + reals.begin, partial[1] + reals.begin};
    ls_sum_order_add(halves[0], halves, 2, reals.end - reals.begin);
}

/* The gradient of shards [begin, end) into partial[0], with room in partial[1] and on; nobody hears
 * of it. */
static void add_shards(const gradient *g, int begin, int end, real *const *partial, ls_sums *sums)
{
    if (end - begin == 1) {
        compute_shard(&(listener){.g = g, .shard = begin}, NULL, partial[0], sums);
        return;
    }
    ls_sums other;
    int middle = begin + (end - begin) / 2;
    add_shards(g, begin, middle, partial, sums);
    add_shards(g, middle, end, partial + 1, &other);
    const ls_slots *slots = &g->objective->phase[g->phase].slots;
    for (int i = 0; i < slots->count; i++)
        add_partial(g, &slots->at[i], partial);
    add_sums(sums, &other);
}

/* Adds up the sums of a slot which the last shard has finished. */
static void add_chain(const listener *last, int slot)
{
    for (int k = last->depth - 1; k >= 0; k--)
        add_partial(last->g, &(ls_interval){slot, slot + 1}, last->g->shards->partial + k);
    last->g->shards->added[slot] = true;
}

static void hear_finished(void *context, const int *slots, int count)
{
    const listener *last = context;
    for (int k = 0; k < count; k++)
        add_chain(last, slots[k]);
    last->g->pass->finished(last->g->pass->listener, slots, count);
}

void ls_shards_gradient(const ls_shards *shards, ls_objective *objective, int phase,
                        const ls_batch *batch, const ls_pass *pass, ls_sums *sums)
{
    const gradient g = {shards, objective, phase, batch, pass};
    const ls_slots *slots = &objective->phase[phase].slots;
    listener l = {.g = &g, .shard = shards->begin};
    ls_sums all[LS_SHARDS_LEVELS];
    for (int middle; shards->end - l.shard > 1; l.shard = middle) {
        middle = l.shard + (shards->end - l.shard) / 2;
        add_shards(&g, l.shard, middle, shards->partial + l.depth, &all[l.depth]);
        l.depth++;
    }
    memset(shards->added, 0, (size_t)objective->task.params->count * sizeof *shards->added);
    compute_shard(&l, pass->finished ? hear_finished : NULL, shards->partial[l.depth],
                  &all[l.depth]);
    for (int i = 0; i < slots->count; i++)
        for (long s = slots->at[i].begin; s < slots->at[i].end; s++)
            if (!shards->added[s])
                add_chain(&l, (int)s);
    for (int k = l.depth; k > 0; k--)
        add_sums(&all[k - 1], &all[k]);
    *sums = all[0];
}
