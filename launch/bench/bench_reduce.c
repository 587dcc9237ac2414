/* bench_reduce: the sum of gradients over the ranks, beside MPI_Allreduce. */
#include "launch/bench/bench_reduce.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/memory.h"
#include "core/minmax.h"
#include "core/print.h"
#include "dist/reduce.h"

typedef struct bench {
    ls_comm *comm;
    ls_params *params; /* one slot */
    ls_reduce *reduce;
    long floats;
    real *values, *sum; /* the numbers of this rank, the result of MPI_Allreduce */
} bench;

/* Milliseconds that the slowest rank takes for one sum. */
static double measure(const bench *b, bool by_mpi)
{
    ls_step_sums sums = {.failed = 0};
    double norm2;
    ls_comm_barrier(b->comm);
    double start = ls_clock_now();
    if (by_mpi) {
        ls_reduce_by_mpi(b->comm, b->values, b->sum, b->floats);
    } else {
        ls_reduce_begin(b->reduce, 0);
        ls_reduce_finish(b->reduce, &sums, &norm2);
        ls_reduce_end(b->reduce);
    }
    return 1e3 * ls_comm_max(b->comm, ls_clock_now() - start);
}

static double median(double *values, long count)
{
    qsort(values, (size_t)count, sizeof *values, ls_ascending);
    return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

bool ls_bench_reduce(ls_comm *comm, const ls_bench_arguments *arguments, ls_error *error)
{
    const long floats = arguments->floats, steps = arguments->steps;
    bench b = {.comm = comm, .params = ls_params_create(), .floats = floats};
    ls_params_claim(b.params, "all", LS_SLOT_WEIGHT, &(ls_shape){1, {floats}}, &(ls_initializer){0},
                    NULL);
    b.reduce = ls_reduce_create(comm, b.params, error);
    if (!b.reduce) {
        ls_params_destroy(b.params);
        return false;
    }
    const ls_slots all = ls_slots_all(b.params);
    ls_reduce_set_phase(b.reduce, 0, &all);
    b.values = ls_alloc((size_t)floats, sizeof *b.values);
    b.sum = ls_alloc((size_t)floats, sizeof *b.sum);
    double *our = ls_alloc((size_t)steps, sizeof *our);
    double *their = ls_alloc((size_t)steps, sizeof *their);
    for (long i = 0; i < floats; i++)
        b.values[i] = (real)(i % 1000 - 500) / (real)(1000 + comm->rank);
    measure(&b, false); /* the first use of memory and connections is slow: not counted */
    measure(&b, true);
    for (long i = 0; i < steps; i++) {
        memcpy(b.reduce->gradient, b.values, (size_t)floats * sizeof *b.values);
        our[i] = measure(&b, false);
        their[i] = measure(&b, true);
    }
    double a = median(our, steps), m = median(their, steps);
    if (comm->rank == 0)
        ls_print(stdout,
                 "{\"bench\": \"reduce\", \"type\": \"%s\", \"floats\": %ld, \"ranks\": %d, "
                 "\"nodes\": %d, \"rounds\": %ld, \"milliseconds\": %.4f, "
                 "\"mpi_allreduce_milliseconds\": %.4f, \"ratio\": %.3f}\n",
                 LS_REAL_NAME, floats, comm->size, comm->nodes, steps, a, m, m / a);
    ls_free(their);
    ls_free(our);
    ls_free(b.sum);
    ls_free(b.values);
    ls_reduce_destroy(b.reduce);
    ls_params_destroy(b.params);
    return true;
}
