/* reduce: the sum of the ranks' gradients, in place.
 *
 * The ranks of a node share the parameters, their gradient arrays, each rank's step sums, the total
 * of these, sums of squares (squares.h), and a counter of each rank. There are no locks. What is
 * summed lies in buckets, in an order that is the same on all ranks, and rank r owns its runs of
 * each (buckets.h). A rank *publishes* a bucket when all slots in it, and all buckets before it,
 * are complete in its array: it counts its counter up. Its step sums are published last, as one
 * more bucket. Counters never go back: step after step they grow by buckets + 1 on every rank.
 * Besides, two barriers divide a step, B in ls_reduce_finish, C in ls_reduce_end.
 *
 *   before bucket b is published   Rank r writes bucket b of its array.
 *   when all ranks of the node     Rank r reads its runs of bucket b in all arrays, writes them in
 *   have published bucket b        its own, lets them be exchanged with other nodes, and writes
 *                                  their squares.
 *   when all have published all    Rank 0 reads all step sums and writes their total.
 *   B to C     All ranks read the total and the squares. Rank r reads its runs of its own array,
 *              and updates its runs of the parameters.
 *   after C    All ranks read the parameters. The next step begins.
 *
 * Why no rank reads what another may still be writing:
 *
 *   Gradients   The counter is stored with release and read with acquire: who sees that a bucket is
 *       published sees what is in it. From then on until B its owner alone writes each run, in the
 *       own array of the owner, and the owner alone reads it in any array. After B no rank reads
 *       another's array until it is published anew, so each may write its own again.
 *   Total and squares   They are complete before B, and read after it. They are written again when
 *       all ranks of the node have published a bucket of the next step, and a rank does so only
 *       after it has read them. So it is with step sums: read before B, written after it.
 *   Parameters   They are complete before any of them is read, which is after C. They are written
 *       again after the next B, and a rank gets there only after it has read them.
 *
 * A step that is given up after the sum goes without C: no parameter was written, so there is
 * nothing to wait for.
 *
 * ls_reduce_norms, called between B and C, writes the squares anew. It has two barriers of its own:
 * after the first no rank reads the old squares; after the second the new ones are complete.
 *
 * Bits. Each number is the tree over the ranks of a node, then the tree over the nodes. How buckets
 * are cut, when they leave, and which rank adds them changes when two numbers are added, never
 * which two. Norms are sums over pieces that no cut divides. Step sums are added by rank 0 alone.
 *
 * Weights that go by factors (factoring.h) have buckets of their own. Such a bucket is published
 * like others; then each rank sends its factors of it, and computes the sum of its own runs, in
 * ls_reduce_finish, once the factors of all ranks are there. In a phase's second sum,
 * ls_factoring_end computes sums so after B, to compare; a barrier of its own follows.
 *
 * All other sums of gradients between nodes happen in `advance`, which never waits: it is called
 * during backward by ls_reduce_ready, and then by ls_reduce_finish until all is done. With one node
 * nothing would be gained by adding early: there ls_reduce_ready does nothing. */
#include <mpi.h>

#include "dist/comm_internal.h"
#include "dist/reduce.h"

#include <sched.h>
#include <string.h>

#include "core/memory.h"
#include "core/minmax.h"
#include "dist/gather.h"

enum { COUNT = LS_SUMS + 5 }; /* doubles of the step sums */

/* On a cache line of its own: others read it again and again while it stays as it is. */
typedef struct ls_reduce_counter {
    _Alignas(LS_ALIGN) uint64_t published; /* buckets and step sums so far, of all steps */
} counter;

typedef struct ls_reduce_phase {
    ls_slots slots;
    ls_buckets *buckets;     /* NULL: the phase was not set */
    bool learning, ran;      /* the order is not known yet; there was a sum */
    ls_factoring *factoring; /* NULL: one node, or nobody tells factors */
    int *told, tells;        /* [tells] the slots that this rank was told while it was learning */
    /* Of the sum that runs: */
    long factored;               /* of the buckets before this one, those of factors are summed */
    int *missing;                /* [buckets] how many of its slots are not complete */
    bool *complete;              /* [params->count] */
    long published, added, done; /* buckets */
    bool gathering;              /* the step sums of all nodes are being gathered, or are */
} phase;

/* Reals from one gradient array to the next. */
static long stride_of(const ls_params *params)
{
    return (params->size + LS_SLICE_ALIGN - 1) / LS_SLICE_ALIGN * LS_SLICE_ALIGN;
}

size_t ls_reduce_bytes(const ls_params *params, int node_size)
{
    return (size_t)(stride_of(params) * node_size) * sizeof(real) +
           (size_t)node_size * sizeof(counter) + (size_t)(1 + node_size) * sizeof(ls_step_sums) +
           (size_t)ls_squares_room(params) * sizeof(double);
}

size_t ls_reduce_buffer_bytes(const ls_comm *comm, const ls_params *params)
{
    return comm->nodes > 1 ? ls_exchange_bytes(comm, ls_buckets_share(params, comm->smallest_node))
                           : 0;
}

static void place_arrays(ls_reduce *reduce)
{
    int size = reduce->comm->node_size;
    reduce->arrays = ls_shared_data(reduce->shared);
    reduce->gradient = reduce->arrays + reduce->comm->node_rank * reduce->stride;
    reduce->counters = (counter *)(reduce->arrays + size * reduce->stride);
    reduce->total = (ls_step_sums *)(reduce->counters + size);
    reduce->sums = reduce->total + 1;
    reduce->squares = (double *)(reduce->sums + size);
}

ls_reduce *ls_reduce_create(ls_comm *comm, const ls_params *params, ls_error *error)
{
    ls_reduce *reduce = ls_alloc(1, sizeof *reduce);
    reduce->comm = comm;
    reduce->params = params;
    reduce->stride = stride_of(params);
    reduce->from = ls_alloc((size_t)comm->node_size, sizeof *reduce->from);
    reduce->phase = ls_alloc(LS_PHASES, sizeof *reduce->phase);
    reduce->shared = ls_shared_create(comm, ls_reduce_bytes(params, comm->node_size), error);
    if (!ls_comm_agree(comm, reduce->shared, error)) {
        ls_reduce_destroy(reduce);
        return NULL;
    }
    place_arrays(reduce);
    if (comm->nodes > 1 && comm->node_rank == 0)
        reduce->gather = ls_gather_create(comm, COUNT);
    if (comm->nodes > 1 && comm->node_rank < comm->smallest_node)
        reduce->exchange = ls_exchange_create(comm, reduce->gradient,
                                              ls_buckets_share(params, comm->smallest_node));
    return reduce;
}

static void release_phase(phase *phase)
{
    ls_buckets_destroy(phase->buckets);
    ls_factoring_destroy(phase->factoring);
    ls_free(phase->told);
    ls_free(phase->missing);
    ls_free(phase->complete);
}

void ls_reduce_destroy(ls_reduce *reduce)
{
    if (!reduce)
        return;
    for (int p = 0; p < LS_PHASES; p++)
        release_phase(&reduce->phase[p]);
    ls_exchange_destroy(reduce->exchange);
    ls_shared_destroy(reduce->shared);
    ls_free(reduce->phase);
    ls_gather_destroy(reduce->gather);
    ls_free(reduce->from);
    ls_free(reduce);
}

void ls_reduce_watch(ls_reduce *reduce, const ls_watch *watch)
{
    reduce->watch = watch;
}

/* Cuts the phase's slots into buckets, by the order in which they were told. All nodes are cut
 * alike, for as many ranks as the smallest node has; in larger nodes the last ranks own nothing. */
static void cut_phase(ls_reduce *reduce, phase *phase)
{
    const ls_comm *comm = reduce->comm;
    const ls_buckets_cut cut = {.ranks = comm->smallest_node,
                                .rank = comm->node_rank,
                                .whole = comm->nodes == 1,
                                .alone =
                                    phase->factoring ? ls_factoring_slots(phase->factoring) : NULL};
    ls_buckets_destroy(phase->buckets);
    phase->buckets =
        ls_buckets_create(reduce->params, &phase->slots, phase->told, phase->tells, &cut);
    phase->missing = ls_realloc(phase->missing, (size_t)phase->buckets->count, sizeof(int));
    for (long b = 0; reduce->exchange && b < phase->buckets->count; b++)
        ls_exchange_reserve(reduce->exchange, phase->buckets->at[b].own.count);
}

void ls_reduce_set_phase(ls_reduce *reduce, int number, const ls_slots *slots,
                         const ls_factors_load *load)
{
    phase *phase = &reduce->phase[number];
    const size_t count = (size_t)reduce->params->count;
    release_phase(phase);
    *phase = (struct ls_reduce_phase){.slots = *slots,
                                      .learning = reduce->comm->nodes > 1,
                                      .told = ls_alloc(count, sizeof *phase->told),
                                      .complete = ls_alloc(count, sizeof *phase->complete)};
    if (load && reduce->comm->nodes > 1)
        phase->factoring = ls_factoring_create(reduce->comm, reduce->params, load);
    cut_phase(reduce, phase);
}

/* All ranks take the order that the first of them was told which was told any slot: a rank without
 * rows is told none. **Collective.** */
static void settle_order(ls_reduce *reduce, phase *phase)
{
    const ls_comm *comm = reduce->comm;
    int mine = phase->tells > 0 ? comm->rank : comm->size - 1, first;
    ls_mpi_wait(comm, LS_BOARD_ALL,
                MPI_Allreduce(&mine, &first, 1, MPI_INT, MPI_MIN, comm->mpi->world));
    ls_mpi_wait(comm, LS_BOARD_ALL, MPI_Bcast(&phase->tells, 1, MPI_INT, first, comm->mpi->world));
    ls_mpi_wait(comm, LS_BOARD_ALL,
                MPI_Bcast(phase->told, phase->tells, MPI_INT, first, comm->mpi->world));
    phase->learning = false;
    cut_phase(reduce, phase);
}

void ls_reduce_begin(ls_reduce *reduce, int number)
{
    phase *phase = &reduce->phase[number];
    ls_check(phase->buckets, "the sum of phase %d, which was not set", number);
    if (phase->learning && phase->ran)
        settle_order(reduce, phase);
    if (phase->factoring && ls_factoring_begin(phase->factoring))
        cut_phase(reduce, phase);
    reduce->now = phase;
    reduce->own = phase->buckets->own;
    phase->ran = true;
    phase->published = phase->added = phase->done = phase->factored = 0;
    phase->gathering = false;
    memset(phase->complete, 0, (size_t)reduce->params->count * sizeof *phase->complete);
    for (long b = 0; b < phase->buckets->count; b++)
        phase->missing[b] = phase->buckets->at[b].slots;
}

/* Adds the node's arrays into this rank's own, block by block. With `measure`, the squares of a
 * block are summed while it is in the cache. */
static void sum_node(ls_reduce *reduce, const ls_runs *runs, bool measure)
{
    int size = reduce->comm->node_size;
    real *own = reduce->gradient;
    for (long i = 0; i < runs->count; i++) {
        long end = runs->at[i].end;
        for (long begin = runs->at[i].begin, next; begin < end; begin = next) {
            next = ls_min((begin / LS_SLICE_ALIGN + 1) * LS_SLICE_ALIGN, end);
            for (int r = 0; r < size; r++)
                reduce->from[r] = reduce->arrays + r * reduce->stride + begin;
            ls_sum_order_add(own + begin, reduce->from, size, next - begin);
            if (measure)
                ls_squares_measure(reduce->params, own, begin, next, reduce->squares);
        }
    }
}

static void measure_squares(const ls_reduce *reduce, const ls_runs *runs, const real *array)
{
    for (long i = 0; i < runs->count; i++)
        ls_squares_measure(reduce->params, array, runs->at[i].begin, runs->at[i].end,
                           reduce->squares);
}

/* Publishes the first `count` buckets of this step; one more than there are: the step sums too. */
static void publish(const ls_reduce *reduce, long count)
{
    __atomic_store_n(&reduce->counters[reduce->comm->node_rank].published,
                     reduce->before + (uint64_t)count, __ATOMIC_RELEASE);
}

/* The first rank of the node that has not published the first `count` buckets of this step;
 * LS_BOARD_NOBODY: all have. */
static int late_rank(const ls_reduce *reduce, long count)
{
    const ls_comm *comm = reduce->comm;
    for (int r = 0; r < comm->node_size; r++)
        if (__atomic_load_n(&reduce->counters[r].published, __ATOMIC_ACQUIRE) <
            reduce->before + (uint64_t)count)
            return comm->rank - comm->node_rank + r;
    return LS_BOARD_NOBODY;
}

/* Starts the sum over the nodes of a bucket that the whole node has published: sends this rank's
 * factors of it, or adds the node's arrays and lets the result be exchanged. */
static void start(ls_reduce *reduce, const ls_bucket *bucket)
{
    const ls_factoring *factoring = reduce->now->factoring;
    if (bucket->alone >= 0) {
        ls_factors_send(ls_factoring_factors(factoring),
                        ls_factoring_number(factoring, bucket->alone));
        return;
    }
    sum_node(reduce, &bucket->own, false);
    ls_exchange_start(reduce->exchange, &bucket->own);
}

/* The factors that sums go by now; NULL: none do. */
static ls_factors *factors_of(const phase *phase)
{
    return phase->factoring ? ls_factoring_factors(phase->factoring) : NULL;
}

/* Moves the sum over several nodes on, without waiting: starts buckets that the whole node has
 * published, and takes those whose exchange is done. Returns whether anything moved. */
static bool advance(ls_reduce *reduce)
{
    phase *phase = reduce->now;
    ls_exchange *exchange = reduce->exchange;
    const ls_runs *sum;
    bool moved = false;
    while (phase->added < phase->buckets->count && !ls_exchange_full(exchange) &&
           late_rank(reduce, phase->added + 1) == LS_BOARD_NOBODY) {
        start(reduce, &phase->buckets->at[phase->added++]);
        moved = true;
    }
    moved |= ls_exchange_progress(exchange);
    if (factors_of(phase))
        moved |= ls_factors_progress(factors_of(phase));
    while ((sum = ls_exchange_take(exchange))) {
        measure_squares(reduce, sum, reduce->gradient);
        phase->done++;
    }
    return moved;
}

/* Notes that slots are complete. Returns whether this rank has more buckets to publish. */
static bool note_complete(ls_reduce *reduce, const int *slots, int count)
{
    phase *phase = reduce->now;
    const long before = phase->published;
    for (int k = 0; k < count; k++) {
        const int s = slots[k];
        if (!ls_slots_contain(&phase->slots, s))
            continue;
        ls_check(!phase->complete[s], "%s was said to be complete twice in a step",
                 reduce->params->slots[s].name);
        phase->complete[s] = true;
        if (phase->learning)
            phase->told[phase->tells++] = s;
        for (long b = phase->buckets->of[s].begin; b < phase->buckets->of[s].end; b++)
            phase->missing[b]--;
    }
    while (phase->published < phase->buckets->count && phase->missing[phase->published] == 0)
        phase->published++;
    return phase->published > before;
}

bool ls_reduce_factors(ls_reduce *reduce, const ls_layer_factors *factors)
{
    const phase *phase = reduce->now;
    return phase->factoring && ls_slots_contain(&phase->slots, factors->slot) &&
           ls_factoring_hear(phase->factoring, factors);
}

void ls_reduce_ready(ls_reduce *reduce, const int *slots, int count)
{
    if (reduce->comm->nodes == 1)
        return;
    const double begin = ls_watch_begin(reduce->watch);
    const bool more = note_complete(reduce, slots, count);
    bool moved = false;
    if (reduce->now->learning)
        return;
    if (more)
        publish(reduce, reduce->now->published);
    while (reduce->exchange && advance(reduce))
        moved = true;
    if (moved)
        ls_watch_end(reduce->watch, LS_SPAN_SUM, begin);
}

/* The next bucket that goes by factors, of those that are on their way; NULL: there is none. */
static const ls_bucket *next_factored(phase *phase)
{
    const ls_bucket *at = phase->buckets->at;
    while (phase->factored < phase->added && at[phase->factored].alone < 0)
        phase->factored++;
    return phase->factored < phase->added ? &at[phase->factored] : NULL;
}

/* Computes a part of what goes by factors, if they are there. Returns whether it did. */
static bool multiply(ls_reduce *reduce)
{
    phase *phase = reduce->now;
    ls_factors *factors = factors_of(phase);
    const ls_bucket *bucket = next_factored(phase);
    if (!bucket)
        return false;
    const int number = ls_factoring_number(phase->factoring, bucket->alone);
    if (!ls_factors_arrived(factors, number))
        return false;
    if (ls_factors_sum(factors, number, &bucket->own, reduce->params->slots[bucket->alone].offset,
                       reduce->gradient)) {
        measure_squares(reduce, &bucket->own, reduce->gradient);
        phase->factored++;
        phase->done++;
    }
    return true;
}

/* Adds step sums into the total, in the order of sum_order.h. */
static void add_step_sums(ls_reduce *reduce, const void *from, int count)
{
    _Static_assert(sizeof(ls_step_sums) == COUNT * sizeof(double), "added as doubles");
    ls_sum_order_add_doubles((double *)reduce->total, from, count, COUNT);
}

/* Whether this rank has gathered the step sums of all nodes, if it is to. */
static bool has_total(const ls_reduce *reduce)
{
    return !reduce->gather || (reduce->now->gathering && ls_gather_numbers(reduce->gather));
}

/* Moves the step sums on, on the first rank of a node: adds those of the node once all of its ranks
 * have published them, and gathers those of all nodes. Returns whether anything moved. */
static bool gather_sums(ls_reduce *reduce)
{
    phase *phase = reduce->now;
    if (!reduce->gather || has_total(reduce))
        return false;
    if (phase->gathering)
        return ls_gather_progress(reduce->gather);
    if (late_rank(reduce, phase->buckets->count + 1) != LS_BOARD_NOBODY)
        return false;
    add_step_sums(reduce, reduce->sums, reduce->comm->node_size);
    ls_gather_start(reduce->gather, (const double *)reduce->total);
    phase->gathering = true;
    return true;
}

/* Whether anything of this rank is on its way to other nodes, or from them. */
static bool is_under_way(const ls_reduce *reduce)
{
    return reduce->now->added > reduce->now->done || (reduce->now->gathering && !has_total(reduce));
}

/* The rank whose messages this one waits for, or LS_BOARD_NOBODY. */
static int waits_for(ls_reduce *reduce)
{
    phase *phase = reduce->now;
    const int whom = ls_exchange_waits_for(reduce->exchange);
    const ls_bucket *bucket = next_factored(phase);
    if (whom != LS_BOARD_NOBODY)
        return whom;
    if (bucket)
        return ls_factors_waits_for(factors_of(phase),
                                    ls_factoring_number(phase->factoring, bucket->alone));
    return reduce->gather ? ls_gather_waits_for(reduce->gather) : LS_BOARD_NOBODY;
}

/* Gives the core away for a moment, and lets MPI do what it still has to do: another rank may wait
 * for a message that this one has sent. */
static void pause_waiting(const ls_comm *comm)
{
    int any;
    ls_mpi(MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, comm->mpi->node, &any, MPI_STATUS_IGNORE));
    sched_yield();
}

/* Waits until all ranks of the node have published all buckets and their step sums. */
static void wait_published(const ls_reduce *reduce)
{
    const double begin = ls_watch_begin(reduce->watch);
    int late;
    while ((late = late_rank(reduce, reduce->now->buckets->count + 1)) != LS_BOARD_NOBODY) {
        ls_board_wait(reduce->comm->board, late);
        pause_waiting(reduce->comm);
    }
    ls_board_go_on(reduce->comm->board);
    ls_watch_end(reduce->watch, LS_SPAN_WAIT, begin);
}

/* **Collective** over the node. */
static void wait_node(const ls_reduce *reduce)
{
    const double begin = ls_watch_begin(reduce->watch);
    ls_comm_node_barrier(reduce->comm);
    ls_watch_end(reduce->watch, LS_SPAN_WAIT, begin);
}

/* Sums all buckets, of one node. */
static void finish_node(ls_reduce *reduce)
{
    wait_published(reduce);
    const double begin = ls_watch_begin(reduce->watch);
    sum_node(reduce, &reduce->own, true);
    ls_watch_end(reduce->watch, LS_SPAN_SUM, begin);
}

/* Sums the buckets that are left, of several nodes. Where none is under way, this rank waits for
 * others of its node to publish the next. */
static void finish_nodes(ls_reduce *reduce)
{
    const phase *phase = reduce->now;
    ls_board *board = reduce->comm->board;
    ls_span_kind kind = LS_SPAN_SUM;
    ls_waiting *waiting = &reduce->waiting;
    waiting->looked = 0;
    double begin = ls_watch_begin(reduce->watch);
    while (phase->done < phase->buckets->count || !has_total(reduce)) {
        const ls_span_kind next = is_under_way(reduce) ? LS_SPAN_SUM : LS_SPAN_WAIT;
        if (advance(reduce) || gather_sums(reduce) || multiply(reduce)) {
            ls_board_go_on(board);
            waiting->looked = 0;
        } else if (next == LS_SPAN_SUM) {
            ls_board_wait(board, waits_for(reduce));
            ls_waiting_pause(waiting);
        } else {
            ls_board_wait(board, late_rank(reduce, phase->added + 1));
            pause_waiting(reduce->comm);
        }
        if (next == kind)
            continue;
        ls_watch_end(reduce->watch, kind, begin);
        begin = ls_watch_begin(reduce->watch);
        kind = next;
    }
    ls_board_go_on(board);
    ls_watch_end(reduce->watch, kind, begin);
}

void ls_reduce_finish(ls_reduce *reduce, ls_step_sums *sums, double *norm2)
{
    phase *phase = reduce->now;
    reduce->sums[reduce->comm->node_rank] = *sums;
    publish(reduce, phase->buckets->count + 1);
    if (reduce->comm->nodes == 1)
        finish_node(reduce);
    else if (reduce->exchange)
        finish_nodes(reduce);
    if (reduce->gather) {
        add_step_sums(reduce, ls_gather_numbers(reduce->gather), reduce->comm->nodes);
    } else if (reduce->comm->node_rank == 0) {
        wait_published(reduce);
        add_step_sums(reduce, reduce->sums, reduce->comm->node_size);
    }
    wait_node(reduce); /* B */
    *sums = *reduce->total;
    ls_squares_add(reduce->params, &phase->slots, reduce->squares, norm2);
    reduce->before += (uint64_t)phase->buckets->count + 1;
    if (phase->factoring)
        ls_factoring_end(phase->factoring, &reduce->own, reduce->gradient);
}

bool ls_reduce_notice(ls_reduce *reduce, char *text, size_t size)
{
    ls_factoring *factoring = reduce->now->factoring;
    return factoring && ls_factoring_notice(factoring, text, size);
}

void ls_reduce_norms(ls_reduce *reduce, const real *array, double *norm2)
{
    wait_node(reduce);
    measure_squares(reduce, &reduce->own, array);
    wait_node(reduce);
    ls_squares_add(reduce->params, &reduce->now->slots, reduce->squares, norm2);
}

void ls_reduce_end(ls_reduce *reduce)
{
    wait_node(reduce); /* C */
}

void ls_reduce_by_mpi(ls_comm *comm, const real *values, real *sum, long count)
{
    enum { MOST = 1 << 28 }; /* the counts of MPI's calls are int */
    for (long done = 0; done < count; done += MOST)
        ls_mpi(MPI_Allreduce(values + done, sum + done, (int)ls_min(count - done, MOST),
                             sizeof(real) == sizeof(double) ? MPI_DOUBLE : MPI_FLOAT, MPI_SUM,
                             comm->mpi->world));
}
