/* buckets: cuts the slots of a phase into buckets, and these among the ranks of a node. */
#include "dist/buckets.h"

#include <stdlib.h>

#include "core/memory.h"
#include "core/minmax.h"

/* Buckets that are being made. */
typedef struct cutter {
    ls_buckets *buckets;
    const ls_params *params;
    const ls_slots *slots;
    const ls_buckets_cut *cut;
    long left;         /* reals that are in no bucket yet, but perhaps in that */
    long limit;        /* reals of the bucket that is being filled */
    ls_interval *list; /* [listed] its reals */
    long listed, filled;
    int whole; /* slots in it */
    long runs; /* so far, of all buckets */
} cutter;

static long length(ls_interval reals)
{
    return reals.end - reals.begin;
}

static int by_begin(const void *a, const void *b)
{
    long x = ((const ls_interval *)a)->begin, y = ((const ls_interval *)b)->begin;
    return (x > y) - (x < y);
}

/* Sorts a list of intervals, and joins those that touch. Returns how many are left. */
static long join(ls_interval *list, long count)
{
    long joined = 0;
    qsort(list, (size_t)count, sizeof *list, by_begin);
    for (long i = 0; i < count; i++)
        if (joined > 0 && list[joined - 1].end == list[i].begin)
            list[joined - 1].end = list[i].end;
        else
            list[joined++] = list[i];
    return joined;
}

/* The first border at or after real number `number` of the list: of a block, or of an interval. */
static long border(const ls_interval *list, long count, long number)
{
    long before = 0;
    for (long i = 0; i < count; before += length(list[i++])) {
        if (number >= before + length(list[i]))
            continue;
        long at = list[i].begin + number - before;
        if (at > list[i].begin)
            at = ls_min((at + LS_SLICE_ALIGN - 1) / LS_SLICE_ALIGN * LS_SLICE_ALIGN, list[i].end);
        return before + at - list[i].begin;
    }
    return before;
}

/* Appends this rank's runs of the bucket that is full. */
static ls_runs own_runs(cutter *c)
{
    ls_interval *own = c->buckets->runs + c->runs;
    const long ranks = c->cut->ranks, rank = c->cut->rank;
    long first = border(c->list, c->listed, c->filled * ls_min(rank, ranks) / ranks);
    long end = border(c->list, c->listed, c->filled * ls_min(rank + 1, ranks) / ranks);
    long count = 0, before = 0;
    for (long i = 0; i < c->listed; before += length(c->list[i++])) {
        ls_interval run = {c->list[i].begin + ls_max(first - before, 0),
                           c->list[i].begin + ls_min(end - before, length(c->list[i]))};
        if (run.begin < run.end)
            own[count++] = run;
    }
    c->runs += count;
    return (ls_runs){count, own};
}

/* Reals of a bucket, where so many are left. */
static long limit_of(long left, const ls_buckets_cut *cut)
{
    const long least = (long)LS_BUCKET_LEAST * cut->ranks, most = (long)LS_BUCKET_MOST * cut->ranks;
    return cut->whole ? ls_max(left, least) : ls_min(ls_max(left / LS_BUCKET_PARTS, least), most);
}

/* A cut is moved to a border, by less than a block. */
long ls_buckets_share(const ls_params *params, int ranks)
{
    const ls_buckets_cut cut = {.ranks = ranks};
    return ls_min(limit_of(params->size, &cut) / ranks + LS_SLICE_ALIGN, params->size);
}

static void close_bucket(cutter *c)
{
    if (c->listed == 0)
        return;
    ls_bucket *bucket = &c->buckets->at[c->buckets->count++];
    c->listed = join(c->list, c->listed);
    bucket->slots = c->whole;
    bucket->alone = -1;
    bucket->own = own_runs(c);
    c->left -= c->filled;
    c->limit = limit_of(c->left, c->cut);
    c->listed = c->filled = c->whole = 0;
}

/* Puts a slot, however large, into a bucket of its own. */
static void add_alone(cutter *c, int slot)
{
    close_bucket(c);
    c->list[c->listed++] = ls_slots_reals(c->params, &(ls_interval){slot, slot + 1});
    c->filled = length(c->list[0]);
    c->whole = 1;
    c->buckets->of[slot] = (ls_interval){c->buckets->count, c->buckets->count + 1};
    close_bucket(c);
    c->buckets->at[c->buckets->count - 1].alone = slot;
}

/* Puts a slot into the bucket that is being filled, and what has no room there into new ones. */
static void add_slot(cutter *c, int slot)
{
    if (c->cut->alone && c->cut->alone[slot]) {
        add_alone(c, slot);
        return;
    }
    ls_interval reals = ls_slots_reals(c->params, &(ls_interval){slot, slot + 1});
    ls_interval *of = &c->buckets->of[slot];
    while (reals.begin < reals.end) {
        long end = ls_min(reals.end, reals.begin + c->limit - c->filled);
        if (end < reals.end)
            end = end / LS_SLICE_ALIGN * LS_SLICE_ALIGN;
        if (end <= reals.begin) {
            close_bucket(c);
            continue;
        }
        if (of->begin == of->end)
            of->begin = c->buckets->count;
        c->list[c->listed++] = (ls_interval){reals.begin, end};
        c->filled += end - reals.begin;
        c->whole++;
        of->end = c->buckets->count + 1;
        reals.begin = end;
    }
}

static void add_slots(cutter *c, const int *order, int ordered)
{
    bool *added = ls_alloc((size_t)c->params->count, sizeof *added);
    for (int k = 0; k < ordered; k++) {
        add_slot(c, order[k]);
        added[order[k]] = true;
    }
    for (int s = c->params->count - 1; s >= 0; s--)
        if (!added[s] && ls_slots_contain(c->slots, s))
            add_slot(c, s);
    close_bucket(c);
    ls_free(added);
}

ls_buckets *ls_buckets_create(const ls_params *params, const ls_slots *slots, const int *order,
                              int ordered, const ls_buckets_cut *cut)
{
    ls_buckets *buckets = ls_alloc(1, sizeof *buckets);
    long total = 0;
    for (int i = 0; i < slots->count; i++)
        total += length(ls_slots_reals(params, &slots->at[i]));
    cutter c = {.buckets = buckets,
                .params = params,
                .slots = slots,
                .cut = cut,
                .left = total,
                .limit = limit_of(total, cut)};
    /* Each but the last is full up to less than a block, or closed by a slot that has its own. Of
     * every bucket, at most one slot goes on in the next. */
    size_t most = (size_t)(total / (limit_of(cut->whole ? total : 0, cut) - LS_SLICE_ALIGN) + 1);
    for (int s = 0; cut->alone && s < params->count; s++)
        most += cut->alone[s] ? 2 : 0;
    size_t runs = (size_t)params->count + most;
    buckets->at = ls_alloc(most, sizeof *buckets->at);
    buckets->of = ls_alloc((size_t)params->count, sizeof *buckets->of);
    buckets->runs = ls_alloc(runs, sizeof *buckets->runs);
    buckets->joined = ls_alloc(runs, sizeof *buckets->joined);
    c.list = ls_alloc(runs, sizeof *c.list);
    add_slots(&c, order, ordered);
    for (long i = 0; i < c.runs; i++)
        buckets->joined[i] = buckets->runs[i];
    buckets->own = (ls_runs){join(buckets->joined, c.runs), buckets->joined};
    ls_free(c.list);
    return buckets;
}

void ls_buckets_destroy(ls_buckets *buckets)
{
    if (!buckets)
        return;
    ls_free(buckets->at);
    ls_free(buckets->of);
    ls_free(buckets->runs);
    ls_free(buckets->joined);
    ls_free(buckets);
}
