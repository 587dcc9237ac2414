/* bench_reduce: the sum of gradients over the ranks, and with it a momentum update of as many
 * parameters, beside MPI_Allreduce and an update of all of them by each rank. */
#include "launch/bench/bench_reduce.h"

#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/memory.h"
#include "core/minmax.h"
#include "core/optimizer.h"
#include "core/print.h"
#include "dist/reduce.h"

/* What one way of summing updates. */
typedef struct side {
    ls_params *params; /* one slot */
    real *velocity;
} side;

typedef struct bench {
    ls_comm *comm;
    ls_optimizer optimizer;
    side ours, theirs; /* shared by the ranks of a node; of this rank alone */
    ls_shared *shared; /* the values and the velocity of `ours` */
    ls_reduce *reduce;
    long floats;
    real *values, *sum; /* the numbers of this rank, the result of MPI_Allreduce */
} bench;

static void update(const bench *b, const side *s, ls_runs runs, real *gradient)
{
    const ls_slots all = ls_slots_all(s->params);
    real *const state[LS_OPTIMIZER_STATES] = {s->velocity};
    double norm2 = 0;
    const ls_update now = {.optimizer = &b->optimizer,
                           .params = s->params,
                           .slots = &all,
                           .runs = runs,
                           .gradient = gradient,
                           .state = state,
                           .gradient2 = &norm2,
                           .value2 = &norm2,
                           .rate = b->optimizer.rate,
                           .count = 1};
    ls_optimizer_step(&now, b->comm->size);
}

/* Milliseconds that the slowest rank takes for one sum, and for the update if it `updates`. */
static double measure(const bench *b, bool by_mpi, bool updates)
{
    ls_step_sums sums = {.failed = 0};
    double norm2;
    const ls_interval all = {0, b->theirs.params->size};
    memcpy(b->reduce->gradient, b->values, (size_t)b->floats * sizeof *b->values);
    ls_comm_barrier(b->comm);
    const double start = ls_clock_now();
    if (by_mpi) {
        ls_reduce_by_mpi(b->comm, b->values, b->sum, b->floats);
        if (updates)
            update(b, &b->theirs, (ls_runs){1, &all}, b->sum);
    } else {
        ls_reduce_begin(b->reduce, 0);
        ls_reduce_finish(b->reduce, &sums, &norm2);
        if (updates)
            update(b, &b->ours, b->reduce->own, b->reduce->gradient);
        ls_reduce_end(b->reduce);
    }
    return 1e3 * ls_comm_max(b->comm, ls_clock_now() - start);
}

static ls_params *create_params(long floats)
{
    ls_params *params = ls_params_create();
    ls_params_claim(params, "all", LS_SLOT_WEIGHT, &(ls_shape){1, {floats}}, &(ls_initializer){0},
                    NULL);
    return params;
}

/* Fills the bench in. What it makes is destroyed by `destroy` whether this succeeds or fails. */
static bool create(bench *b, ls_error *error)
{
    const size_t floats = (size_t)b->floats;
    b->ours.params = create_params(b->floats);
    b->theirs.params = create_params(b->floats);
    const size_t size = (size_t)b->ours.params->size, updated = 2 * size * sizeof(real);
    ls_shared_make_room(b->comm, ls_reduce_bytes(b->ours.params, b->comm->node_size) + updated);
    b->reduce = ls_reduce_create(b->comm, b->ours.params, error);
    b->shared = b->reduce ? ls_shared_create(b->comm, updated, error) : NULL;
    if (!ls_comm_agree(b->comm, b->shared != NULL, error) ||
        !ls_optimizer_parse("momentum rate=1e-6 momentum=0.9", &b->optimizer, error))
        return false;
    ls_params_commit(b->ours.params, ls_shared_data(b->shared), NULL);
    b->ours.velocity = b->ours.params->values + size;
    ls_params_commit(b->theirs.params, ls_alloc(size, sizeof(real)), NULL);
    b->theirs.velocity = ls_alloc(size, sizeof(real));
    b->values = ls_alloc(floats, sizeof *b->values);
    b->sum = ls_alloc(size, sizeof *b->sum);
    for (long i = 0; i < b->floats; i++)
        b->values[i] = (real)(i % 1000 - 500) / (real)(1000 + b->comm->rank);
    const ls_slots all = ls_slots_all(b->ours.params);
    ls_reduce_set_phase(b->reduce, 0, &all, NULL);
    return true;
}

static void destroy(bench *b)
{
    ls_free(b->sum);
    ls_free(b->values);
    ls_free(b->theirs.velocity);
    ls_free(b->theirs.params->values);
    ls_shared_destroy(b->shared);
    ls_reduce_destroy(b->reduce);
    ls_params_destroy(b->theirs.params);
    ls_params_destroy(b->ours.params);
}

enum { OURS, OURS_UPDATED, THEIRS, THEIRS_UPDATED, WAYS };

bool ls_bench_reduce(ls_comm *comm, const ls_bench_arguments *arguments, ls_error *error)
{
    const long steps = arguments->steps;
    bench b = {.comm = comm, .floats = arguments->floats};
    const bool ok = create(&b, error);
    double *times = ls_alloc((size_t)(WAYS * steps), sizeof *times), ms[WAYS];
    for (long i = -1; ok && i < steps; i++) /* the first use of memory and connections is slow */
        for (int way = 0; way < WAYS; way++) {
            const double taken = measure(&b, way >= THEIRS, way % 2);
            if (i >= 0)
                times[way * steps + i] = taken;
        }
    for (int way = 0; ok && way < WAYS; way++)
        ms[way] = ls_median(times + way * steps, steps);
    if (ok && comm->rank == 0)
        ls_print(stdout,
                 "{\"bench\": \"reduce\", \"type\": \"%s\", \"floats\": %ld, \"ranks\": %d, "
                 "\"groups\": %d, \"rounds\": %ld, \"milliseconds\": %.4f, "
                 "\"mpi_allreduce_milliseconds\": %.4f, \"ratio\": %.3f, "
                 "\"updated_milliseconds\": %.4f, \"mpi_allreduce_updated_milliseconds\": %.4f, "
                 "\"updated_ratio\": %.3f}\n",
                 LS_REAL_NAME, b.floats, comm->size, comm->nodes, steps, ms[OURS], ms[THEIRS],
                 ms[THEIRS] / ms[OURS], ms[OURS_UPDATED], ms[THEIRS_UPDATED],
                 ms[THEIRS_UPDATED] / ms[OURS_UPDATED]);
    ls_free(times);
    destroy(&b);
    return ok;
}
