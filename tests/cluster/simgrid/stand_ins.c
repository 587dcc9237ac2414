/* stand_ins: large arrays that share one piece of memory, and additions that only take time. */
#include <mpi.h>
#include <smpi/smpi.h>

#include "cluster/simgrid/stand_ins.h"

#include <time.h>

#include "core/memory.h"
#include "core/squares.h"
#include "dist/exchange.h"
#include "dist/shared.h"
#include "dist/sum_order.h"
#include "dist/waiting.h"

enum { RANKS = 1 << 16, LARGE = 1 << 20, REGIONS = 64 };
static const double SOON = 20e-6, PAUSE = 50e-6; /* seconds: shorter times are spent together */

/* All ranks of a simulation run in one process, one at a time: they share these. */
static bool timed;
static double memory;
static double owed[RANKS]; /* seconds that a rank has still to spend */
static struct region {
    size_t bytes;
    char *at;
} regions[REGIONS];

void stand_in_begin(bool with_time, double bytes_a_second)
{
    timed = with_time;
    memory = bytes_a_second;
}

static int own_rank(void)
{
    int rank;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    return rank;
}

void stand_in_spend(double seconds)
{
    owed[own_rank()] += seconds;
}

void stand_in_settle(void)
{
    double *seconds = &owed[own_rank()];
    const struct timespec time = {(time_t)*seconds,
                                  (long)(1e9 * (*seconds - (double)(time_t)*seconds))};
    if (*seconds > 0)
        smpi_nanosleep(&time, NULL);
    *seconds = 0;
}

/* SMPI says MPI_THREAD_SINGLE, but simulated ranks may have threads that call no MPI. */
int __real_MPI_Init_thread(int *argc, char ***argv, int required, int *provided);
int __wrap_MPI_Init_thread(int *argc, char ***argv, int required, int *provided)
{
    int code = __real_MPI_Init_thread(argc, argv, required, provided);
    *provided = required;
    return code;
}

/* Every rank has a host of its own; SMPI takes them for ranks of one. */
int __wrap_MPI_Comm_split_type(MPI_Comm comm, int type, int key, MPI_Info info, MPI_Comm *part)
{
    int rank;
    MPI_Comm_rank(comm, &rank);
    return MPI_Comm_split(comm, rank, key, part);
}

/* SMPI sends a message from every rank to all after it. This adds one int of each. */
int __wrap_MPI_Scan(const void *mine, void *sum, int count, MPI_Datatype type, MPI_Op op,
                    MPI_Comm comm)
{
    int rank, size, code;
    MPI_Comm_rank(comm, &rank);
    MPI_Comm_size(comm, &size);
    int *all = ls_alloc((size_t)size, sizeof *all);
    code = MPI_Allgather(mine, 1, MPI_INT, all, 1, MPI_INT, comm);
    *(int *)sum = 0;
    for (int r = 0; r <= rank; r++)
        *(int *)sum += all[r];
    ls_free(all);
    return code;
}

/* SMPI leaves *done as it was where there is no request. */
int __real_MPI_Test(MPI_Request *request, int *done, MPI_Status *status);
int __wrap_MPI_Test(MPI_Request *request, int *done, MPI_Status *status)
{
    *done = 1;
    return *request == MPI_REQUEST_NULL ? MPI_SUCCESS : __real_MPI_Test(request, done, status);
}

/* Of each size there is one array, which all who ask for it get: what they write is lost. */
static void *common_array(size_t bytes)
{
    int i = 0;
    while (regions[i].at && regions[i].bytes != bytes)
        ls_check(++i < REGIONS, "large arrays of more than %d sizes", REGIONS);
    if (!regions[i].at)
        regions[i] = (struct region){bytes, SMPI_SHARED_MALLOC(bytes)};
    return regions[i].at;
}

static bool is_common(const void *array)
{
    for (int i = 0; i < REGIONS && regions[i].at; i++)
        if (array == regions[i].at)
            return true;
    return false;
}

void *__real_ls_alloc(size_t count, size_t size);
void *__wrap_ls_alloc(size_t count, size_t size)
{
    return timed && count * size >= LARGE ? common_array(count * size)
                                          : __real_ls_alloc(count, size);
}

void __real_ls_free(void *pointer);
void __wrap_ls_free(void *pointer)
{
    if (!is_common(pointer))
        __real_ls_free(pointer);
}

/* So many reals are read or written. */
static void move_reals(double reals)
{
    stand_in_spend(reals * sizeof(real) / memory);
    if (owed[own_rank()] > SOON)
        stand_in_settle();
}

void __real_ls_sum_order_add(real *to, real *const *from, int count, long n);
void __wrap_ls_sum_order_add(real *to, real *const *from, int count, long n)
{
    if (!timed)
        __real_ls_sum_order_add(to, from, count, n);
    else if (count > 1)
        move_reals((double)(count + 1) * (double)n);
}

void __real_ls_squares_measure(const ls_params *params, const real *array, long begin, long end,
                               double *pieces);
void __wrap_ls_squares_measure(const ls_params *params, const real *array, long begin, long end,
                               double *pieces)
{
    if (timed)
        move_reals((double)(end - begin));
    else
        __real_ls_squares_measure(params, array, begin, end, pieces);
}

/* A rank that waits calls this before it asks anew whether messages have come. */
void __wrap_ls_waiting_pause(ls_waiting *waiting)
{
    stand_in_spend(PAUSE);
    stand_in_settle();
}

/* While `silent`, parts are passed on as if they had been exchanged. */
enum { PARTS = 16 };
typedef struct queue {
    const ls_runs *part[PARTS];
    int first, count;
} queue;
static bool silent;
static queue parts[RANKS];

void stand_in_silence(bool quiet)
{
    silent = quiet && timed;
}

bool __real_ls_exchange_full(const ls_exchange *x);
bool __wrap_ls_exchange_full(const ls_exchange *x)
{
    return silent ? parts[own_rank()].count == PARTS : __real_ls_exchange_full(x);
}

void __real_ls_exchange_start(ls_exchange *x, const ls_runs *part);
void __wrap_ls_exchange_start(ls_exchange *x, const ls_runs *part)
{
    queue *q = &parts[own_rank()];
    if (silent)
        q->part[(q->first + q->count++) % PARTS] = part;
    else
        __real_ls_exchange_start(x, part);
}

const ls_runs *__real_ls_exchange_take(ls_exchange *x);
const ls_runs *__wrap_ls_exchange_take(ls_exchange *x)
{
    queue *q = &parts[own_rank()];
    if (!silent)
        return __real_ls_exchange_take(x);
    return q->count-- > 0 ? q->part[q->first++ % PARTS] : (q->count = 0, NULL);
}

/* In place of MPI's shared windows: a node has one rank here. */
struct ls_shared {
    void *data;
};

/* Counters, sums and squares, which count, come after the gradient array, which does not. */
ls_shared *ls_shared_create(ls_comm *comm, size_t bytes, ls_error *error)
{
    ls_shared *shared = ls_alloc(1, sizeof *shared);
    const size_t own = bytes / 512 + LARGE;
    ls_check(comm->node_size == 1, "a node of %d ranks is simulated", comm->node_size);
    if (!timed || bytes < 2 * own)
        shared->data = __real_ls_alloc(bytes, 1);
    else
        shared->data =
            SMPI_PARTIAL_SHARED_MALLOC(bytes, ((size_t[]){0, (bytes - own) / LARGE * LARGE}), 1);
    return shared;
}

bool ls_shared_room(ls_comm *comm, size_t bytes, ls_error *error)
{
    return true;
}

void *ls_shared_data(const ls_shared *shared)
{
    return shared->data;
}

void ls_shared_destroy(ls_shared *shared)
{
    ls_free(shared); /* the array lasts as long as the simulation */
}
