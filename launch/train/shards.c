/* shards: divides shards among the ranks, and adds the gradients of a rank's shards. */
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
    /* A power of two of ranks: the shards are halved until each rank has one part. */
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

/* The arguments of add_shards that are the same for all shards. */
typedef struct gradient {
    const ls_shards *shards;
    ls_objective *objective;
    int phase;
    const ls_batch *batch;
    const ls_pass *pass;
} gradient;

/* The gradient of shards [begin, end) into partial[0], with room in partial[1] and on. */
static void add_shards(const gradient *g, int begin, int end, real *const *partial, ls_sums *sums)
{
    if (end - begin == 1) {
        ls_batch shard = ls_batch_shard(g->batch, begin, g->shards->count);
        ls_pass pass = *g->pass;
        pass.row = shard.first;
        pass.gradient = partial[0];
        g->objective->type->gradient(g->objective, g->phase, &shard, &pass, sums);
        return;
    }
    ls_sums other;
    int middle = begin + (end - begin) / 2;
    add_shards(g, begin, middle, partial, sums);
    add_shards(g, middle, end, partial + 1, &other);
    const ls_slots *slots = &g->objective->phase[g->phase].slots;
    for (int i = 0; i < slots->count; i++) {
        ls_interval reals = ls_slots_reals(g->objective->task.params, &slots->at[i]);
        real *const halves[] = {partial[0] + reals.begin, partial[1] + reals.begin};
        ls_sum_order_add(halves[0], halves, 2, reals.end - reals.begin);
    }
    for (int k = 0; k < LS_SUMS; k++)
        sums->at[k] += other.at[k];
}

void ls_shards_gradient(const ls_shards *shards, ls_objective *objective, int phase,
                        const ls_batch *batch, const ls_pass *pass, ls_sums *sums)
{
    const gradient g = {shards, objective, phase, batch, pass};
    add_shards(&g, shards->begin, shards->end, shards->partial, sums);
}
