/* bench_scale: trains on the first ranks while the others sleep, and compares with one rank.
 *
 * Efficiency is the speed of n ranks over n times that of one. Its bound follows from what must be
 * done at least, with t the seconds of one rank for the rows that each of the n has:
 *
 *     t / max(t + m, w)
 *
 * m: in a node of g ranks, which share memory, each reads g parts of the gradient of P reals, each
 * of P / g, and writes one: P (1 + 1/g) reals, at the speed of memory. w: between k nodes a rank
 * sends, and receives, 2 (1 - 1/k) P / g reals; at best all of it while it computes. A rank that
 * sends inputs and errors of dense lines (dist/factors.h) sends less, and may pass the bound. */
#include "launch/bench/bench_scale.h"

#include <math.h>

#include "core/clock.h"
#include "core/memory.h"
#include "core/minmax.h"
#include "core/print.h"
#include "dist/sum_order.h"
#include "dist/wire.h"
#include "io/atomic_file.h"
#include "launch/bench/bench_model.h"
#include "launch/bench/scale_chart.h"

enum { RUNS = 32, MEMORY_REALS = 1 << 22, MEMORY_ROUNDS = 8 };

/* **Collective.** Bytes a second of a rank that adds an array to another, of 16 MiB each (in
 * float), while all others do the same: two are read, one is written. */
static double measure_memory(ls_comm *comm)
{
    double seconds = INFINITY;
    real *array = ls_alloc(2 * (size_t)MEMORY_REALS, sizeof *array);
    real *const two[] = {array, array + MEMORY_REALS};
    for (int i = 0; i < MEMORY_ROUNDS; i++) {
        ls_comm_barrier(comm);
        const double start = ls_clock_now();
        ls_sum_order_add(array, two, 2, MEMORY_REALS);
        seconds = fmin(seconds, ls_comm_max(comm, ls_clock_now() - start));
    }
    ls_free(array);
    return 3.0 * MEMORY_REALS * sizeof(real) / seconds;
}

/* What is measured of the run on so many ranks. */
typedef struct run {
    int ranks, nodes, node_size; /* node_size: ranks of a node that add up */
    long rows[LS_SCALINGS];      /* of a step */
    double seconds[LS_SCALINGS];
    double memory, wire; /* bytes a second of a rank; 0: no bytes go there */
    double reals;        /* of the gradient */
} run;

/* **Collective** over the part. */
static bool measure(ls_comm *part, const ls_bench_arguments *a, run *r, ls_error *error)
{
    for (int s = 0; s < LS_SCALINGS; s++) {
        ls_bench_arguments now = *a;
        ls_bench_step step;
        now.batch = r->rows[s];
        now.profile = false;
        if (s > 0 && r->rows[s] == r->rows[0]) {
            r->seconds[s] = r->seconds[0];
            continue;
        }
        if (!ls_bench_model_measure(part, &now, a->words.at[1], &step, error))
            return false;
        r->seconds[s] = step.median;
        r->reals = step.reals;
    }
    r->nodes = part->nodes; /* into which the training has cut them */
    r->node_size = part->smallest_node;
    r->memory = measure_memory(part);
    r->wire = ls_wire_measure(part);
    return true;
}

/* The speed of n ranks over n times that of one, as it is and as it could be. */
static ls_scale_point efficiency(const run *one, const run *r, ls_scaling s)
{
    const double speed = (double)r->rows[s] / r->seconds[s];
    const double alone = (double)one->rows[s] / one->seconds[s];
    const double compute = (double)r->rows[s] / r->ranks / alone;
    const double g = r->node_size, bytes = r->reals * sizeof(real);
    const double memory = g > 1 ? bytes * (1 + 1 / g) / r->memory : 0;
    const double wire = r->nodes > 1 ? 2 * (1 - 1.0 / r->nodes) * bytes / g / r->wire : 0;
    return (ls_scale_point){.ranks = r->ranks,
                            .measured = speed / r->ranks / alone,
                            .bound = compute / fmax(compute + memory, wire)};
}

static void print_run(const run *r, const ls_scale_point *point)
{
    ls_print(stdout, "%5d %5d", r->ranks, r->nodes);
    for (int s = 0; s < LS_SCALINGS; s++)
        ls_print(stdout, "   %7ld %10.3f %10.1f %10.3f %6.3f", r->rows[s], 1e3 * r->seconds[s],
                 (double)r->rows[s] / r->seconds[s], point[s].measured, point[s].bound);
    if (r->node_size > 1)
        ls_print(stdout, "   memory %.3g GB/s", 1e-9 * r->memory);
    if (r->nodes > 1)
        ls_print(stdout, "   wire %.3g GB/s", 1e-9 * r->wire);
    ls_print(stdout, "\n");
}

static void print_head(const ls_bench_arguments *a)
{
    ls_print(stdout, "lockstep %s (%s), %s, %d thread%s a rank\n", LS_VERSION, LS_REAL_NAME,
             a->words.at[1], a->threads, a->threads > 1 ? "s" : "");
    ls_print(stdout, "           ");
    for (int s = 0; s < LS_SCALINGS; s++)
        ls_print(stdout, "   %-47s", ls_scale_names[s]);
    ls_print(stdout, "   of each rank\nranks nodes");
    for (int s = 0; s < LS_SCALINGS; s++)
        ls_print(stdout, "   %7s %10s %10s %10s %6s", "rows", "ms/step", "samples/s", "efficiency",
                 "bound");
    ls_print(stdout, "\n");
}

/* **Collective.** Runs on the first ranks; the others sleep. */
static bool run_part(ls_comm *comm, const ls_bench_arguments *a, run *r, ls_error *error)
{
    ls_comm *part = ls_comm_part(comm, r->ranks);
    const bool ok = !part || measure(part, a, r, error);
    ls_comm_leave(part);
    ls_comm_rest(comm);
    return ls_comm_agree(comm, ok, error);
}

bool ls_bench_scale(ls_comm *comm, const ls_bench_arguments *a, ls_error *error)
{
    run runs[RUNS];
    ls_scale_point point[LS_SCALINGS][RUNS];
    int count = 0;
    if (a->batch < comm->size)
        return ls_error_set(error, LS_USAGE,
                            "--batch=%ld: expected a row for each rank: %d or more", a->batch,
                            comm->size);
    const bool draws = a->output && comm->rank == 0;
    if (!ls_comm_agree(comm, !draws || a->force || ls_atomic_file_absent(a->output, error), error))
        return false;
    for (int ranks = 1, last = 0; last < comm->size; ranks *= 2, count++) {
        last = (int)ls_min(ranks, comm->size);
        run *r = &runs[count];
        *r = (run){.ranks = last,
                   .rows = {[LS_SCALING_WEAK] =
                                last < comm->size ? a->batch / comm->size * last : a->batch,
                            [LS_SCALING_STRONG] = a->batch}};
        if (!run_part(comm, a, r, error))
            return false;
        if (comm->rank != 0)
            continue;
        ls_scale_point now[LS_SCALINGS];
        for (int s = 0; s < LS_SCALINGS; s++)
            point[s][count] = now[s] = efficiency(&runs[0], r, (ls_scaling)s);
        if (count == 0)
            print_head(a);
        print_run(r, now);
    }
    const ls_scale_chart chart = {
        .title = a->words.at[1], .point = {point[0], point[1]}, .count = count};
    const bool ok = !draws || ls_scale_chart_write(a->output, &chart, error);
    if (ok && draws)
        ls_print(stdout, "wrote %s\n", a->output);
    return ls_comm_agree(comm, ok, error);
}
