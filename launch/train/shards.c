/* shards: cuts shards over the ranks and adds the gradients of a rank's own in tree order. */
#include "launch/train/shards.h"

#include "core/memory.h"
#include "dist/sum_order.h"

void ls_shards_cut(ls_shards *shards, int count, int rank, int ranks)
{
    shards->count = count;
    shards->begin = (int)((long)count * rank / ranks);
    shards->end = (int)((long)count * (rank + 1) / ranks);
    if (ranks & (ranks - 1))
        return;
    /* A power of two of ranks takes the halves of the tree itself. */
    shards->begin = 0;
    shards->end = count;
    for (int half = ranks / 2; half > 0; half /= 2) {
        int middle = shards->begin + (shards->end - shards->begin) / 2;
        *(rank & half ? &shards->begin : &shards->end) = middle;
    }
}

int ls_shards_most(int count, int ranks)
{
    return (count + ranks - 1) / ranks;
}

int ls_shards_partials(int most)
{
    int partials = 0;
    while (1 << partials < most)
        partials++;
    return partials;
}

void ls_shards_allocate(ls_shards *shards, const ls_params *params, int ranks, real *sum)
{
    int partials = ls_shards_partials(ls_shards_most(shards->count, ranks));
    shards->partial[0] = sum;
    for (int k = 1; k <= partials; k++)
        shards->partial[k] = ls_alloc((size_t)params->size, sizeof(real));
}

void ls_shards_release(ls_shards *shards)
{
    for (int k = 1; k < LS_SHARDS_LEVELS; k++)
        ls_free(shards->partial[k]);
}

/* One gradient to compute: what stays the same for all of its shards. */
typedef struct gradient {
    const ls_shards *shards;
    ls_objective *objective;
    int phase;
    const ls_batch *batch;
    const ls_pass *pass;
} gradient;

static void shard_gradient(const gradient *g, int number, real *array, ls_sums *sums)
{
    ls_batch shard = ls_batch_shard(g->batch, number, g->shards->count);
    ls_pass pass = *g->pass;
    pass.row = shard.first;
    pass.gradient = array;
    g->objective->type->gradient(g->objective, g->phase, &shard, &pass, sums);
}

/* The gradient of shards [begin, end) into partial[level]. */
static void tree_gradient(const gradient *g, int begin, int end, int level, ls_sums *sums)
{
    real *const *partial = g->shards->partial;
    if (end - begin == 1) {
        shard_gradient(g, begin, partial[level], sums);
        return;
    }
    ls_sums other;
    int middle = begin + (end - begin) / 2;
    tree_gradient(g, begin, middle, level, sums);
    tree_gradient(g, middle, end, level + 1, &other);
    const ls_slots *slots = &g->objective->phase[g->phase].slots;
    for (int i = 0; i < slots->count; i++) {
        ls_interval reals = ls_slots_reals(g->objective->task.params, &slots->at[i]);
        real *const halves[] = {partial[level] + reals.begin, partial[level + 1] + reals.begin};
        ls_sum_order_add(halves[0], halves, 2, reals.end - reals.begin);
    }
    for (int k = 0; k < LS_SUMS; k++)
        sums->at[k] += other.at[k];
}

void ls_shards_gradient(const ls_shards *shards, ls_objective *objective, int phase,
                        const ls_batch *batch, const ls_pass *pass, ls_sums *sums)
{
    const gradient g = {shards, objective, phase, batch, pass};
    tree_gradient(&g, shards->begin, shards->end, 0, sums);
}
