/* workspace: the memory of one application of a net, and its forward and backward passes.
 *
 * Times for the plan of the arena: forward of layer i is time i, its backward time 2n - 1 - i, so
 * buffers whose lives do not meet share bytes. Threads (OpenMP) share a layer's work: see layer.h.
 */
#include "core/workspace.h"

#include <string.h>

#include "core/clock.h"
#include "core/memory.h"

/* Blocks of layer i in the plan, from 4 * i. */
enum { BLOCK_Y, BLOCK_DY, BLOCK_KEPT, BLOCKS };

struct ls_workspace {
    const ls_net *net;
    int count; /* layers that it runs, from the first */
    bool training;
    long rows, capacity;
    const real *x; /* of the last forward */
    char *arena, *scratch;
    int threads;
    size_t scratch_size; /* of a thread */
    ls_block *block;
    bool *dy_written; /* [layers] during backward: dy holds something */
    bool *trains;     /* [layers] it or a layer before it has parameters */
    double *seconds;  /* profile, or NULL */
};

static int threads_of(const ls_net *net)
{
    return net->build.threads ? net->build.threads : 1;
}

static size_t claimed(const ls_claim *claim, long rows)
{
    return claim->fixed + claim->per_row * (size_t)rows;
}

static int last_reader(const ls_net *net, int n, int i)
{
    int last = i;
    for (int j = i + 1; j < n; j++)
        for (int k = 0; k < net->layers[j]->inputs; k++)
            last = net->layers[j]->input[k] == i ? j : last;
    return last;
}

/* Fills the blocks' sizes and lives for the first n layers; returns the arena's size and *scratch,
 * of a thread. */
static size_t plan(const ls_net *net, int n, long rows, bool training, ls_block *block,
                   size_t *scratch)
{
    *scratch = 0;
    for (int i = 0; i < n; i++) {
        const ls_layer *layer = net->layers[i];
        size_t y = (size_t)(rows * ls_shape_count(&layer->y)) * sizeof(real);
        int reader = last_reader(net, n, i), back = 2 * n - 1 - i;
        bool output = i == n - 1;
        int y_last = training ? back : output ? 2 * n : reader;
        int dy_first = output ? n - 1 : 2 * n - 1 - reader;
        ls_block *at = &block[BLOCKS * i];
        at[BLOCK_Y] = (ls_block){.size = y, .first = i, .last = output ? 2 * n : y_last};
        at[BLOCK_DY] = (ls_block){.size = training ? y : 0, .first = dy_first, .last = back};
        at[BLOCK_KEPT] = (ls_block){
            .size = claimed(&layer->kept, rows), .first = i, .last = training ? back : i};
        size_t wanted = claimed(&layer->scratch, rows);
        *scratch = wanted > *scratch ? wanted : *scratch;
    }
    *scratch = (*scratch + LS_ALIGN - 1) / LS_ALIGN * LS_ALIGN;
    return ls_memory_plan(block, BLOCKS * n);
}

/* The arena, and the scratch of each thread. */
static size_t bytes(const ls_net *net, long rows, bool training, size_t *scratch)
{
    ls_block *block = ls_alloc((size_t)(BLOCKS * net->count), sizeof *block);
    size_t arena = plan(net, net->count, rows, training, block, scratch);
    ls_free(block);
    return arena;
}

size_t ls_workspace_bytes(const ls_net *net, long rows, bool training)
{
    size_t scratch, arena = bytes(net, rows, training, &scratch);
    return arena + scratch;
}

size_t ls_workspace_bytes_threads(const ls_net *net, long rows)
{
    size_t scratch;
    bytes(net, rows, false, &scratch);
    return scratch * (size_t)(threads_of(net) - 1);
}

static ls_workspace *create(const ls_net *net, int layers, long rows, bool training)
{
    ls_workspace *run = ls_alloc(1, sizeof *run);
    size_t count = (size_t)layers;
    run->net = net;
    run->count = layers;
    run->training = training;
    run->capacity = rows;
    run->block = ls_alloc(BLOCKS * count, sizeof *run->block);
    run->arena = ls_alloc(plan(net, layers, rows, training, run->block, &run->scratch_size), 1);
    run->threads = threads_of(net);
    run->scratch = ls_alloc(run->scratch_size, (size_t)run->threads);
    run->dy_written = ls_alloc(count, sizeof *run->dy_written);
    run->trains = ls_alloc(count, sizeof *run->trains);
    for (int i = 0; i < layers; i++) {
        const ls_layer *layer = net->layers[i];
        ls_check(layer->type->mixes_rows || layer->kept.fixed == 0,
                 "%s keeps what is not of a row: threads could not share its rows", layer->name);
        run->trains[i] = layer->slots > 0;
        for (int k = 0; k < net->layers[i]->inputs; k++) {
            int input = net->layers[i]->input[k];
            run->trains[i] = run->trains[i] || (input >= 0 && run->trains[input]);
        }
    }
    return run;
}

ls_workspace *ls_workspace_create(const ls_net *net, long rows, bool training)
{
    return create(net, net->count, rows, training);
}

ls_workspace *ls_workspace_create_until(const ls_net *net, long rows, int last)
{
    return create(net, last + 1, rows, false);
}

void ls_workspace_destroy(ls_workspace *run)
{
    if (!run)
        return;
    ls_free(run->block);
    ls_free(run->arena);
    ls_free(run->scratch);
    ls_free(run->dy_written);
    ls_free(run->trains);
    ls_free(run);
}

static void *block_at(const ls_workspace *run, int layer, int which)
{
    return run->arena + run->block[BLOCKS * layer + which].offset;
}

/* What layer i sees, without dx. */
static ls_layer_args io_of(const ls_workspace *run, int i)
{
    const ls_layer *layer = run->net->layers[i];
    ls_layer_args args = {.rows = run->rows,
                          .y = block_at(run, i, BLOCK_Y),
                          .dy = block_at(run, i, BLOCK_DY),
                          .kept = block_at(run, i, BLOCK_KEPT),
                          .threads = run->threads};
    for (int k = 0; k < layer->inputs; k++)
        args.x[k] = layer->input[k] < 0 ? run->x : block_at(run, layer->input[k], BLOCK_Y);
    return args;
}

typedef void step(const ls_layer *layer, const ls_pass *pass, const ls_layer_args *args);

/* What there is to do at a layer, for all rows. */
typedef struct task {
    const ls_workspace *run;
    const ls_layer *layer;
    const ls_pass *pass;
    step *step;
    bool by_rows; /* a part is of the rows; else the step knows what its part is */
    ls_layer_args args;
} task;

/* A pass and layer arguments that see rows [rows * part / parts, rows * (part + 1) / parts) only.
 */
static void cut_rows(const ls_layer *layer, ls_pass *pass, ls_layer_args *args)
{
    long first = args->rows * args->part / args->parts;
    size_t y = (size_t)first * (size_t)ls_shape_count(&layer->y);
    pass->row += first;
    args->rows = args->rows * (args->part + 1) / args->parts - first;
    args->y += y;
    args->dy = args->dy ? args->dy + y : NULL;
    args->kept = (char *)args->kept + layer->kept.per_row * (size_t)first;
    for (int k = 0; k < layer->inputs; k++) {
        size_t x = (size_t)first * (size_t)ls_shape_count(&layer->x[k]);
        args->x[k] += x;
        args->dx[k] = args->dx[k] ? args->dx[k] + x : NULL;
    }
}

static void take_part(const task *task, int part, int parts)
{
    ls_pass pass = *task->pass;
    ls_layer_args args = task->args;
    args.scratch = task->run->scratch + (size_t)part * task->run->scratch_size;
    args.part = part;
    args.parts = parts;
    if (task->by_rows)
        cut_rows(task->layer, &pass, &args);
    task->step(task->layer, &pass, &args);
}

/* All parts, shared among the threads. No parallel region is for one thread: the others would end.
 */
static void share(const task *task)
{
    const int threads = task->run->threads;
    if (threads == 1 || task->layer->type->mixes_rows) {
        take_part(task, 0, 1);
        return;
    }
#pragma omp parallel for num_threads(threads) schedule(static, 1)
    for (int t = 0; t < threads; t++)
        take_part(task, t, threads);
}

const real *ls_workspace_forward(ls_workspace *run, const ls_pass *pass, const real *x, long rows)
{
    ls_check(rows <= run->capacity, "%ld rows in a run for %ld", rows, run->capacity);
    run->x = x;
    run->rows = rows;
    for (int i = 0; i < run->count; i++) {
        const ls_layer *layer = run->net->layers[i];
        const task forward = {run, layer, pass, layer->type->forward, true, io_of(run, i)};
        double start = run->seconds ? ls_clock_now() : 0;
        share(&forward);
        if (run->seconds)
            run->seconds[2 * i] += ls_clock_now() - start;
    }
    return ls_workspace_output(run, run->count - 1);
}

static void backward_layer(ls_workspace *run, const ls_pass *pass, int i, const real *dy, real *dx,
                           bool *dx_written)
{
    const ls_layer *layer = run->net->layers[i];
    task backward = {run, layer, pass, layer->type->backward, true, io_of(run, i)};
    ls_layer_args *args = &backward.args;
    args->dy = dy;
    for (int k = 0; k < layer->inputs; k++) {
        int input = layer->input[k];
        bool *written = input < 0 ? dx_written : &run->dy_written[input];
        bool wanted = input < 0 ? dx != NULL : dx || (pass->gradient && run->trains[input]);
        if (!wanted)
            continue;
        args->dx[k] = input < 0 ? dx : block_at(run, input, BLOCK_DY);
        args->add[k] = *written;
        *written = true;
    }
    double start = run->seconds ? ls_clock_now() : 0;
    share(&backward);
    if (pass->gradient && layer->type->gradient) {
        const task gradient = {run, layer, pass, layer->type->gradient, false, *args};
        share(&gradient);
    }
    if (run->seconds)
        run->seconds[2 * i + 1] += ls_clock_now() - start;
    if (pass->gradient && pass->finished && layer->slots)
        pass->finished(pass->context,
                       (ls_interval){layer->slot[0], layer->slot[layer->slots - 1] + 1});
}

void ls_workspace_backward(ls_workspace *run, const ls_pass *pass, const real *dy, real *dx)
{
    const ls_net *net = run->net;
    int last = net->count - 1;
    bool dx_written = false;
    ls_check(run->training, "backward of a run of %s that keeps nothing", net->name);
    memset(run->dy_written, 0, (size_t)net->count * sizeof *run->dy_written);
    run->dy_written[last] = true;
    for (int i = last; i >= 0; i--)
        if (run->dy_written[i])
            backward_layer(run, pass, i, i == last ? dy : block_at(run, i, BLOCK_DY), dx,
                           &dx_written);
    if (dx && !dx_written) /* no line reads the input */
        memset(dx, 0, (size_t)(run->rows * ls_shape_count(&net->x)) * sizeof *dx);
}

real *ls_workspace_dy(ls_workspace *run)
{
    return block_at(run, run->count - 1, BLOCK_DY);
}

const real *ls_workspace_output(const ls_workspace *run, int layer)
{
    ls_check(layer < run->count, "layer %d of a run of %d", layer, run->count);
    return block_at(run, layer, BLOCK_Y);
}

const real *ls_workspace_draws(const ls_workspace *run, int layer)
{
    const ls_layer *at = run->net->layers[layer];
    ls_layer_args args = io_of(run, layer);
    return at->type->draws ? at->type->draws(at, &args) : NULL;
}

void ls_workspace_profile(ls_workspace *run, double *seconds)
{
    run->seconds = seconds;
}
