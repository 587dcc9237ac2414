/* factors: blocks, their messages, and the products.
 *
 * A block is written by its rank alone, from ls_factors_begin until it is sent. Those of other
 * nodes are received in place, by the rank that has their rank's number. Of each weight, it notes
 * for its node the step in which they arrived, stored with release and read with acquire: who sees
 * the step sees the blocks. No rank of a node begins a step before all have added up the last. */
#include <mpi.h>

#include "dist/comm_internal.h"
#include "dist/factors.h"

#include <string.h>

#include "core/available.h"
#include "core/kernels/matrix.h"
#include "core/memory.h"
#include "core/minmax.h"
#include "dist/shared.h"
#include "dist/sum_order.h"

enum {
    TAG = (1 << 14) + 1, /* of the first weight: above those of exchange.c and gather.c */
    /* Of a weight, what a thread sums at a time: so the sums of all levels stay in a near cache. */
    OUTS = 2 * LS_PANEL,
    INS = 512
};

/* The levels of the sum, from the root on. */
typedef enum level { NODES, RANKS, SHARDS, LEVELS } level;

typedef struct piece {
    int32_t shard, rows;
} piece;

/* The beginning of what a rank sends: behind it are x [rows, in] and dy [rows, out] of each piece,
 * from the next multiple of LS_ALIGN bytes after the last piece that there is room for. */
typedef struct block {
    int32_t shards, pieces;
    piece piece[];
} block;

typedef struct weight {
    ls_factors_weight most;
    char *blocks; /* [nodes, node_size], `bytes` each */
    size_t bytes;
    size_t used; /* bytes of this rank's block that are written */
    int left;    /* messages that are not through */
    long next;   /* part from which on the sum is still to be made */
} weight;

struct ls_factors {
    ls_comm *comm;
    ls_factors_load load;
    ls_shared *shared;
    char *arrived; /* [node_size, count] uint64_t, in whole cache lines: the last step in which all
                      messages of a rank for a weight were through */
    uint64_t step;
    int count;
    weight *weight;
    MPI_Request *request; /* [count, 2 * (nodes - 1)] */
    int *through; /* [count, 2 * (nodes - 1)] the numbers of the requests that MPI says are done */
    real *room;   /* [threads] sums, a level of the tree each, and scratch of products */
    long room_reals, sums_reals; /* of `room`, for a thread: all, and those of the sums */
};

static size_t align(size_t bytes)
{
    return (bytes + LS_ALIGN - 1) / LS_ALIGN * LS_ALIGN;
}

static size_t header_bytes(const ls_factors_weight *w)
{
    return align(sizeof(block) + (size_t)w->pieces * sizeof(piece));
}

size_t ls_factors_bytes(const ls_factors_weight *w)
{
    return header_bytes(w) + align((size_t)(w->rows * (w->in + w->out)) * sizeof(real));
}

/* Bytes of what a rank notes of arrivals. */
static size_t notes_bytes(int count)
{
    return align((size_t)count * sizeof(uint64_t));
}

/* Allocates, for each thread, the sums of OUTS outputs by INS inputs, one a level, and scratch. */
static void make_room(ls_factors *f)
{
    const int levels = 1 + ls_sum_order_levels(f->comm->nodes) +
                       ls_sum_order_levels(f->comm->node_size) +
                       ls_sum_order_levels(f->load.most_shards);
    long scratch = 0;
    for (int k = 0; k < f->count; k++) {
        const ls_matrix m = {OUTS, ls_min(INS, f->weight[k].most.in)};
        f->sums_reals = ls_max(f->sums_reals, levels * ls_panel_size(m.out, m.in));
        scratch = ls_max(scratch, ls_matrix_gradient_scratch(&m));
    }
    const long line = LS_ALIGN / sizeof(real); /* each thread's begins at a cache line */
    f->room_reals = (f->sums_reals + scratch + line - 1) / line * line;
    f->room = ls_alloc((size_t)(f->load.threads * f->room_reals), sizeof *f->room);
}

/* Whether this machine has twice as much memory free as its nodes take with so many bytes each. */
static bool is_affordable(const ls_comm *comm, double bytes)
{
    return 2 * bytes * comm->machine_nodes <= ls_available_machine() &&
           2 * bytes <= ls_available_process();
}

ls_factors *ls_factors_create(ls_comm *comm, const ls_factors_weight *weights, int count,
                              const ls_factors_load *load)
{
    ls_error ignored = {0};
    size_t bytes = (size_t)comm->node_size * notes_bytes(count);
    for (int k = 0; k < count; k++)
        bytes += (size_t)comm->size * ls_factors_bytes(&weights[k]);
    if (!ls_shared_room(comm, bytes, &ignored) ||
        !ls_comm_agree(comm, is_affordable(comm, (double)bytes), NULL))
        return NULL;
    ls_factors *f = ls_alloc(1, sizeof *f);
    const size_t messages = 2 * (size_t)(comm->nodes - 1) * (size_t)count;
    f->comm = comm;
    f->load = *load;
    f->count = count;
    f->weight = ls_alloc((size_t)count, sizeof *f->weight);
    f->request = ls_alloc(messages, sizeof *f->request);
    f->through = ls_alloc(messages, sizeof *f->through);
    f->shared = ls_shared_create(comm, bytes, &ignored);
    if (!ls_comm_agree(comm, f->shared, &ignored)) {
        ls_factors_destroy(f);
        return NULL;
    }
    f->arrived = ls_shared_data(f->shared);
    char *next = f->arrived + (size_t)comm->node_size * notes_bytes(count);
    for (int k = 0; k < count; k++) {
        f->weight[k] =
            (weight){.most = weights[k], .blocks = next, .bytes = ls_factors_bytes(&weights[k])};
        next += (size_t)comm->size * f->weight[k].bytes;
    }
    make_room(f);
    return f;
}

void ls_factors_destroy(ls_factors *f)
{
    if (!f)
        return;
    ls_shared_destroy(f->shared);
    ls_free(f->weight);
    ls_free(f->request);
    ls_free(f->through);
    ls_free(f->room);
    ls_free(f);
}

static block *block_of(const ls_factors *f, const weight *w, long node, long rank)
{
    return (block *)(w->blocks + (size_t)(node * f->comm->node_size + rank) * w->bytes);
}

static block *own_block(const ls_factors *f, const weight *w)
{
    return block_of(f, w, f->comm->node_index, f->comm->node_rank);
}

/* The node of message i: all but this one, in order. */
static int other_node(const ls_factors *f, int i)
{
    return i < f->comm->node_index ? i : i + 1;
}

/* [2 * (nodes - 1)] the requests of a weight: receives, then sends. */
static MPI_Request *requests_of(const ls_factors *f, int number)
{
    return f->request + 2 * (f->comm->nodes - 1) * number;
}

void ls_factors_begin(ls_factors *f)
{
    const int others = f->comm->nodes - 1;
    f->step++;
    for (int k = 0; k < f->count; k++) {
        weight *w = &f->weight[k];
        MPI_Request *request = requests_of(f, k);
        block *own = own_block(f, w);
        own->shards = f->load.shards;
        own->pieces = 0;
        w->used = header_bytes(&w->most);
        w->next = 0;
        w->left = 2 * others;
        for (int i = 0; i < others; i++) {
            const int node = other_node(f, i);
            ls_mpi(MPI_Irecv(block_of(f, w, node, f->comm->node_rank), (int)w->bytes, MPI_BYTE,
                             node, TAG + k, f->comm->mpi->peers, &request[i]));
            request[others + i] = MPI_REQUEST_NULL;
        }
    }
}

void ls_factors_keep(ls_factors *f, int number, const ls_layer_factors *p)
{
    weight *w = &f->weight[number];
    block *own = own_block(f, w);
    const size_t x = (size_t)(p->rows * p->in) * sizeof(real);
    const size_t dy = (size_t)(p->rows * p->out) * sizeof(real);
    ls_check(own->pieces < w->most.pieces && w->used + x + dy <= w->bytes,
             "factors of %d pieces and %zu bytes, where room is for %ld and %zu; "
             "LOCKSTEP_FACTORS=never does without them",
             own->pieces + 1, w->used + x + dy, w->most.pieces, w->bytes);
    own->piece[own->pieces++] = (piece){.shard = p->shard, .rows = (int32_t)p->rows};
    memcpy((char *)own + w->used, p->x, x);
    memcpy((char *)own + w->used + x, p->dy, dy);
    w->used += x + dy;
}

void ls_factors_send(ls_factors *f, int number)
{
    weight *w = &f->weight[number];
    const int others = f->comm->nodes - 1;
    MPI_Request *request = requests_of(f, number) + others;
    for (int i = 0; i < others; i++)
        ls_mpi(MPI_Isend(own_block(f, w), (int)w->used, MPI_BYTE, other_node(f, i), TAG + number,
                         f->comm->mpi->peers, &request[i]));
}

static uint64_t *note_of(const ls_factors *f, int rank, int weight)
{
    return (uint64_t *)(f->arrived + (size_t)rank * notes_bytes(f->count)) + weight;
}

bool ls_factors_progress(ls_factors *f)
{
    const int messages = 2 * (f->comm->nodes - 1);
    int count;
    ls_mpi(MPI_Testsome(messages * f->count, f->request, &count, f->through, MPI_STATUSES_IGNORE));
    for (int i = 0; i < count; i++) { /* of no messages it is MPI_UNDEFINED, below 0 */
        const int k = f->through[i] / messages;
        if (--f->weight[k].left == 0)
            __atomic_store_n(note_of(f, f->comm->node_rank, k), f->step, __ATOMIC_RELEASE);
    }
    return count > 0;
}

/* The first rank of the node that has messages of the weight which are not through; -1: none has.
 */
static int busy_rank(const ls_factors *f, int weight)
{
    for (int r = 0; r < f->comm->node_size; r++)
        if (__atomic_load_n(note_of(f, r, weight), __ATOMIC_ACQUIRE) != f->step)
            return r;
    return -1;
}

bool ls_factors_arrived(const ls_factors *f, int weight)
{
    return busy_rank(f, weight) < 0;
}

int ls_factors_waits_for(const ls_factors *f, int weight)
{
    const int late = busy_rank(f, weight), own = f->comm->node_rank, others = f->comm->nodes - 1;
    const MPI_Request *request = requests_of(f, weight);
    if (late < 0)
        return LS_BOARD_NOBODY;
    for (int i = 0; late == own && i < 2 * others; i++)
        if (request[i] != MPI_REQUEST_NULL)
            return ls_comm_peer(f->comm, other_node(f, i % others));
    return f->comm->rank - own + late;
}

/* A part of a sum: of the gradients between some outputs and some inputs of the weight. */
typedef struct part {
    const ls_factors *f;
    const weight *w;
    ls_interval out, in;
    long reals;      /* from the sum of a level to that of the next */
    long at[LEVELS]; /* the node, rank and shard whose products are made */
    real *scratch;
} part;

/* The gradient of one shard into `to`. */
static void multiply(const part *p, real *to)
{
    const ls_factors_weight *most = &p->w->most;
    const block *b = block_of(p->f, p->w, p->at[NODES], p->at[RANKS]);
    const real *x = (const real *)((const char *)b + header_bytes(most));
    const ls_matrix m = {p->out.end - p->out.begin, p->in.end - p->in.begin};
    memset(to, 0, (size_t)p->reals * sizeof *to);
    for (int i = 0; i < b->pieces; i++) {
        const long rows = b->piece[i].rows;
        const real *dy = x + rows * most->in;
        if (b->piece[i].shard == p->at[SHARDS])
            ls_matrix_gradient(&m, &(ls_outer){.rows = rows,
                                               .x = x + p->in.begin,
                                               .dy = dy + p->out.begin,
                                               .x_row = most->in,
                                               .dy_row = most->out,
                                               .part = {0, m.out},
                                               .dweight = to,
                                               .scratch = p->scratch});
        x = dy + rows * most->out;
    }
}

/* The sum over [begin, end) of a level into `to`, with room for those of lower levels behind it. */
static void add_up(part *p, level level, long begin, long end, real *to)
{
    const long middle = begin + (end - begin) / 2;
    if (end - begin > 1) {
        add_up(p, level, begin, middle, to);
        add_up(p, level, middle, end, to + p->reals);
        ls_sum_order_add(to, (real *[]){to, to + p->reals}, 2, p->reals);
        return;
    }
    p->at[level] = begin;
    if (begin == end) /* a rank without a shard */
        memset(to, 0, (size_t)p->reals * sizeof *to);
    else if (level == SHARDS)
        multiply(p, to);
    else if (level == RANKS)
        add_up(p, SHARDS, 0, block_of(p->f, p->w, p->at[NODES], begin)->shards, to);
    else
        add_up(p, RANKS, 0, p->f->comm->node_size, to);
}

/* Where a sum goes, or what it is compared with; both have the params' offsets. */
typedef struct target {
    const ls_runs *own; /* the runs that are wanted */
    long offset;        /* at which the weight begins */
    real *to;           /* NULL: the sum is compared with `with` */
    const real *with;
} target;

/* Writes what `sum` has of the runs, or compares it; NULL: only finds out whether it has any.
 * False: it has none, or a bit differs. */
static bool deliver(const part *p, const real *sum, const target *t)
{
    const long panel = (p->in.end - p->in.begin) * LS_PANEL; /* reals of it in `sum` */
    bool any = false, same = true;
    for (long o = p->out.begin; o < p->out.end; o += LS_PANEL, sum += sum ? panel : 0) {
        const long first = t->offset + o * p->w->most.in + p->in.begin * LS_PANEL;
        for (long i = 0; i < t->own->count; i++) {
            const long begin = ls_max(t->own->at[i].begin, first);
            const long end = ls_min(t->own->at[i].end, first + panel);
            if (begin >= end)
                continue;
            const size_t bytes = (size_t)(end - begin) * sizeof *sum;
            any = true;
            if (sum && t->to)
                memcpy(t->to + begin, sum + begin - first, bytes);
            else if (sum)
                same &= memcmp(t->with + begin, sum + begin - first, bytes) == 0;
        }
    }
    return any && same;
}

static long in_parts(const weight *w)
{
    return (w->most.in + INS - 1) / INS;
}

static long parts_of(const weight *w)
{
    return (w->most.out + OUTS - 1) / OUTS * in_parts(w);
}

/* Makes a part, if some of it is wanted. False: a bit differs. */
static bool run_part(const ls_factors *f, const weight *w, long number, int thread, const target *t)
{
    const long out = number / in_parts(w) * OUTS, in = number % in_parts(w) * INS;
    real *sum = f->room + thread * f->room_reals;
    part p = {.f = f,
              .w = w,
              .out = {out, ls_min(out + OUTS, w->most.out)},
              .in = {in, ls_min(in + INS, w->most.in)},
              .scratch = sum + f->sums_reals};
    p.reals = ls_panel_size(p.out.end - p.out.begin, p.in.end - p.in.begin);
    if (!deliver(&p, NULL, t))
        return true;
    add_up(&p, NODES, 0, f->comm->nodes, sum);
    return deliver(&p, sum, t);
}

/* Makes the next parts, one a thread. False: a bit differs. */
static bool run_parts(ls_factors *f, weight *w, const target *to)
{
    const int threads = f->load.threads;
    const long parts = ls_min(threads, parts_of(w) - w->next);
    bool same = true;
    if (parts == 1) /* fewer threads than before would make OpenMP end the others */
        same = run_part(f, w, w->next, 0, to);
    else
#pragma omp parallel for num_threads(threads) schedule(static, 1) reduction(&& : same)
        for (int t = 0; t < threads; t++)
            same = (t >= parts || run_part(f, w, w->next + t, t, to)) && same;
    w->next += parts;
    return same;
}

bool ls_factors_sum(ls_factors *f, int number, const ls_runs *own, long offset, real *array)
{
    weight *w = &f->weight[number];
    run_parts(f, w, &(target){.own = own, .offset = offset, .to = array});
    return w->next >= parts_of(w);
}

bool ls_factors_same(ls_factors *f, int number, const ls_runs *own, long offset, const real *array)
{
    weight *w = &f->weight[number];
    bool same = true;
    while (w->next < parts_of(w))
        same &= run_parts(f, w, &(target){.own = own, .offset = offset, .with = array});
    return same;
}
