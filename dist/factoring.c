/* factoring: learns which weights have factors, proves that they give the same bits, and times both
 * ways. */
#include <mpi.h>

#include "dist/comm_internal.h"
#include "dist/factoring.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/kernels/tile.h"
#include "core/memory.h"
#include "core/minmax.h"
#include "dist/waiting.h"

static const char variable[] = "LOCKSTEP_FACTORS";
static const char *const modes[] = {"auto", "always", "never", NULL};
typedef enum mode { AUTO, ALWAYS, NEVER } mode;

/* What a sum is for, in this order. */
typedef enum stage { LEARN, PROVE, BY_GRADIENTS, BY_FACTORS, SETTLED } stage;

enum { TIMED = 3 };              /* sums of each way */
static const double worth = 0.5; /* below this part of the gradients' bytes factors are tried */
_Static_assert(LS_FACTORING_SUMS == 2 + 2 * TIMED, "learn, prove, and the timed ones");

/* What is learned of a slot, of this rank; then the most of all ranks. 0: backward told nothing. */
typedef struct lesson {
    long out, in;
    long most;   /* rows of a piece, at most */
    long pieces; /* of a step */
} lesson;

struct ls_factoring {
    ls_comm *comm;
    const ls_params *params;
    ls_factors_load load;
    stage stage;
    int sums;                 /* begun in this stage */
    mode mode;                /* that of rank 0 */
    lesson *lesson;           /* [params->count] */
    ls_factors *factors;      /* NULL: there are no candidates, or no longer */
    int count;                /* candidates */
    int *number;              /* [params->count] a candidate's number in `factors` */
    bool *slots;              /* [params->count] whether a slot is a candidate */
    bool active;              /* this sum goes by factors */
    bool same;                /* what this rank found in the second sum */
    char notice[160];         /* "": there is none */
    double began;             /* when this sum began */
    double seconds[2][TIMED]; /* of the sums by gradients, by factors */
    double median[2];         /* of these, the largest of all ranks */
};

static int find_mode(void)
{
    const char *text = getenv(variable);
    for (int k = 0; modes[k]; k++)
        if (!text || strcmp(text, modes[k]) == 0)
            return k;
    return -1;
}

bool ls_factoring_check_environment(ls_error *error)
{
    return find_mode() >= 0 ||
           ls_error_set(error, LS_USAGE, "%s is '%s', expected auto, always or never", variable,
                        getenv(variable));
}

ls_factoring *ls_factoring_create(ls_comm *comm, const ls_params *params,
                                  const ls_factors_load *load)
{
    ls_factoring *f = ls_alloc(1, sizeof *f);
    const size_t count = (size_t)params->count;
    f->comm = comm;
    f->params = params;
    f->load = *load;
    f->lesson = ls_alloc(count, sizeof *f->lesson);
    f->number = ls_alloc(count, sizeof *f->number);
    f->slots = ls_alloc(count, sizeof *f->slots);
    return f;
}

void ls_factoring_destroy(ls_factoring *f)
{
    if (!f)
        return;
    ls_factors_destroy(f->factors);
    ls_free(f->lesson);
    ls_free(f->number);
    ls_free(f->slots);
    ls_free(f);
}

/* Of a shard of this rank, at most. */
static long shard_pieces(const ls_factoring *f, const lesson *l)
{
    const long shards = ls_max(1, f->load.shards);
    return (l->pieces + shards - 1) / shards;
}

static bool is_candidate(const ls_factoring *f, const ls_factors_weight *w)
{
    const double nodes = f->comm->nodes, bytes = (double)ls_factors_bytes(w);
    const double reals = (double)w->out * (double)w->in / f->comm->node_size;
    const double by_factors = (nodes - 1) * bytes;
    const double by_gradients = 2 * (nodes - 1) / nodes * reals * sizeof(real);
    return w->out > 0 && bytes <= INT_MAX &&
           (f->mode == ALWAYS || by_factors < worth * by_gradients);
}

/* Whether all ranks compute a product by the same kernel, so that it has the same bits everywhere.
 * Those of OpenBLAS depend on how a product is cut. **Collective.** */
static bool same_kernels(ls_comm *comm)
{
    char kernel[256];
    ls_error ignored;
    ls_tile_describe(kernel, sizeof kernel);
    return ls_comm_same(comm, &(ls_comm_given){.what = "kernel", .text = kernel, .advice = ""},
                        &ignored) &&
           strncmp(kernel, "blas", strlen("blas")) != 0;
}

/* From the lessons of all ranks. **Collective.** */
static void find_candidates(ls_factoring *f)
{
    ls_error error;
    ls_comm *comm = f->comm;
    const int count = f->params->count, fields = sizeof *f->lesson / sizeof(long);
    for (int s = 0; s < count; s++)
        f->lesson[s].pieces = shard_pieces(f, &f->lesson[s]) * f->load.most_shards;
    ls_check(comm->rank > 0 || ls_factoring_check_environment(&error), "%s", error.text);
    f->mode = (mode)find_mode();
    ls_comm_broadcast(comm, &f->mode, sizeof f->mode);
    ls_mpi_wait(comm, LS_BOARD_ALL,
                MPI_Allreduce(MPI_IN_PLACE, f->lesson, count * fields, MPI_LONG, MPI_MAX,
                              comm->mpi->world));
    if (f->mode == NEVER || comm->smallest_node * comm->nodes != comm->size || !same_kernels(comm))
        return;
    ls_factors_weight *list = ls_alloc((size_t)count, sizeof *list);
    for (int s = count - 1; s >= 0; s--) { /* about as backward finishes them */
        const lesson *l = &f->lesson[s];
        const ls_factors_weight w = {l->out, l->in, l->pieces * l->most, l->pieces};
        if (!is_candidate(f, &w))
            continue;
        f->slots[s] = true;
        f->number[s] = f->count;
        list[f->count++] = w;
    }
    if (f->count > 0)
        f->factors = ls_factors_create(f->comm, list, f->count, &f->load);
    ls_free(list);
}

static void give_up(ls_factoring *f)
{
    ls_factors_destroy(f->factors);
    f->factors = NULL;
}

/* **Collective.** */
static bool is_faster(ls_factoring *f)
{
    for (int k = 0; k < 2; k++)
        f->median[k] = ls_comm_max(f->comm, ls_median(f->seconds[k], TIMED));
    return f->median[1] < f->median[0];
}

/* The candidates stay. */
static void keep(ls_factoring *f)
{
    int at = snprintf(f->notice, sizeof f->notice,
                      "%d weight%s summed over the nodes by inputs and errors, not by gradients",
                      f->count, f->count == 1 ? " is" : "s are");
    if (f->mode == AUTO)
        snprintf(f->notice + at, sizeof f->notice - (size_t)at, ": %.1f ms a step in place of %.1f",
                 1e3 * f->median[1], 1e3 * f->median[0]);
}

/* What follows on a stage. **Collective.** */
static stage next_stage(ls_factoring *f)
{
    switch (f->stage) {
    case LEARN:
        find_candidates(f);
        return f->factors ? PROVE : SETTLED;
    case PROVE:
        if (!ls_comm_agree(f->comm, f->same, NULL)) {
            snprintf(f->notice, sizeof f->notice,
                     "sums of weights by inputs and errors have other bits than by gradients, and "
                     "are left out");
            give_up(f);
        } else if (f->mode == ALWAYS) {
            keep(f);
        }
        return f->factors && f->mode == AUTO ? BY_GRADIENTS : SETTLED;
    case BY_GRADIENTS:
        return BY_FACTORS;
    default:
        if (is_faster(f))
            keep(f);
        else
            give_up(f);
        return SETTLED;
    }
}

bool ls_factoring_begin(ls_factoring *f)
{
    static const int sums[] = {1, 1, TIMED, TIMED, INT_MAX}; /* of a stage */
    const bool was = f->active;
    if (f->stage != SETTLED && f->sums == sums[f->stage]) {
        f->stage = next_stage(f);
        f->sums = 0;
    }
    f->sums += f->stage != SETTLED;
    f->active = f->factors && f->stage >= BY_FACTORS;
    if (f->active || f->stage == PROVE)
        ls_factors_begin(f->factors);
    f->began = ls_clock_now();
    return f->active != was;
}

const bool *ls_factoring_slots(const ls_factoring *f)
{
    return f->active ? f->slots : NULL;
}

ls_factors *ls_factoring_factors(const ls_factoring *f)
{
    return f->active ? f->factors : NULL;
}

int ls_factoring_number(const ls_factoring *f, int slot)
{
    return f->number[slot];
}

bool ls_factoring_hear(ls_factoring *f, const ls_layer_factors *told)
{
    lesson *l = &f->lesson[told->slot];
    if (f->stage == LEARN) {
        l->pieces++;
        if (told->rows > 0) /* else lengths of sequences are not known */
            *l = (lesson){told->out, told->in, ls_max(l->most, told->most), l->pieces};
        return false;
    }
    const bool kept = f->slots[told->slot] && (f->active || f->stage == PROVE);
    if (kept && told->rows > 0) /* a shard without rows adds nothing */
        ls_factors_keep(f->factors, f->number[told->slot], told);
    return f->slots[told->slot] && f->active;
}

bool ls_factoring_notice(ls_factoring *f, char *text, size_t size)
{
    const bool any = f->notice[0];
    if (any)
        snprintf(text, size, "%s", f->notice);
    f->notice[0] = 0;
    return any;
}

/* Sums by factors what was summed by gradients, and compares. **Collective.** */
static void prove(ls_factoring *f, const ls_runs *own, const real *array)
{
    ls_waiting waiting = {0};
    f->same = true;
    for (int k = 0; k < f->count; k++)
        ls_factors_send(f->factors, k);
    for (int s = 0; s < f->params->count; s++) {
        const int k = f->number[s];
        if (!f->slots[s])
            continue;
        while (!ls_factors_arrived(f->factors, k)) {
            ls_board_wait(f->comm->board, ls_factors_waits_for(f->factors, k));
            if (ls_factors_progress(f->factors))
                waiting.looked = 0;
            else
                ls_waiting_pause(&waiting);
        }
        ls_board_go_on(f->comm->board);
        f->same &= ls_factors_same(f->factors, k, own, f->params->slots[s].offset, array);
    }
    ls_comm_node_barrier(f->comm); /* blocks are free again */
}

void ls_factoring_end(ls_factoring *f, const ls_runs *own, const real *array)
{
    if (f->stage == PROVE)
        prove(f, own, array);
    if (f->stage == BY_GRADIENTS || f->stage == BY_FACTORS)
        f->seconds[f->stage == BY_FACTORS][f->sums - 1] = ls_clock_now() - f->began;
}
