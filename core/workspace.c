/* workspace: the memory of one application of a net, and its forward and backward passes.
 *
 * Nothing is allocated during a step. All arrays of all layers (y, dy, and what forward keeps for
 * backward) are blocks of one *arena*, which is planned when the workspace is made. A pass through
 * n layers has 2n moments: layer i runs forward at moment i and backward at moment 2n - 1 - i. Each
 * block lives from the first moment that writes it to the last one that reads it:
 *
 *     moment            0   1   2   3   4   5          n = 3; layer i reads the y of layer i - 1
 *     forward of        0   1   2
 *     backward of                   2   1   0
 *     y of layer 0      |-------------------|          its own backward may read it
 *     y of layer 1          |-----------|
 *     dy of layer 1                 |---|              written by 2's backward, read by 1's
 *     dy of layer 0                     |---|
 *
 * Blocks whose lives do not meet may share bytes (ls_memory_plan): dy of layer 0 can lie where dy
 * of layer 2 was. The net's output lives to the end. In evaluation nothing is kept, and a y lives
 * until its last reader has run.
 *
 * A workspace may also be one of a part of the net: layers [begin, end) alone, which are numbered
 * from 0 in the plan. What reads the layer before `begin` then reads x.
 *
 * Threads (OpenMP) share a layer's work: forward and backward by rows, gradient by parameters
 * (layer.h says why). Each has a *scratch* of its own. Where the sum over the ranks goes on during
 * backward, long work is done in several rounds, between which messages move on. */
#include "core/workspace.h"

#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "core/minmax.h"

/* The blocks of the i-th layer that it runs are BLOCKS * i + one of these. */
enum { BLOCK_Y, BLOCK_DY, BLOCK_KEPT, BLOCKS };

struct ls_workspace {
    const ls_net *net;
    int first, count; /* the layers that it runs are [first, first + count) */
    ls_shape x_shape; /* of a row that it takes */
    bool training;
    long rows, capacity;
    ls_pass pass;          /* of the last forward: its numbers say what was drawn */
    const real *x;         /* of the last forward */
    const int32_t *length; /* of its rows; NULL: all have all steps */
    int32_t *steps;  /* [net's lines up to the last it runs, rows] that count of each output */
    long *all_steps; /* [the same lines + 1, x first] their sums over the whole batch; 0: unknown */
    char *arena, *scratch;
    int threads;
    size_t scratch_size; /* bytes of one thread's */
    ls_block *block;
    bool *dy_written; /* [count] during backward: some reader of the layer has written its dy */
    bool *trains;     /* [count] during backward: gradients of slots of it, or of a layer of these
                         that it depends on, are wanted */
    const ls_watch *watch; /* NULL: nobody wants to know what the layers take */
};

static int threads_of(const ls_net *net)
{
    return net->build.threads ? net->build.threads : 1;
}

static size_t claimed(const ls_claim *claim, long rows)
{
    return claim->fixed + claim->per_row * (size_t)rows;
}

/* Plans these layers: returns their blocks, which the caller frees, *arena, the bytes of all of
 * them, and *scratch, the bytes of one thread's scratch. */
static ls_block *plan(const ls_net *net, ls_interval layers, long rows, bool training,
                      size_t *arena, size_t *scratch)
{
    const int first = (int)layers.begin, n = (int)layers.end - first;
    ls_block *list = ls_alloc((size_t)(BLOCKS * n), sizeof *list);
    *scratch = 0;
    for (int i = 0; i < n; i++) {
        const ls_layer *layer = net->layers[first + i];
        size_t y = (size_t)(rows * ls_shape_count(&layer->y)) * sizeof(real);
        int reader = ls_net_last_reader(net, first + n, first + i) - first, back = 2 * n - 1 - i;
        bool output = i == n - 1;
        int y_last = output ? 2 * n : training ? back : reader;
        int dy_first = output ? n - 1 : 2 * n - 1 - reader;
        ls_block *block = &list[BLOCKS * i];
        block[BLOCK_Y] = (ls_block){.size = y, .first = i, .last = y_last};
        block[BLOCK_DY] = (ls_block){.size = training ? y : 0, .first = dy_first, .last = back};
        block[BLOCK_KEPT] = (ls_block){
            .size = claimed(&layer->kept, rows), .first = i, .last = training ? back : i};
        size_t wanted = claimed(&layer->scratch, rows);
        *scratch = wanted > *scratch ? wanted : *scratch;
    }
    *scratch = (*scratch + LS_ALIGN - 1) / LS_ALIGN * LS_ALIGN;
    *arena = ls_memory_plan(list, BLOCKS * n);
    return list;
}

size_t ls_workspace_bytes_part(const ls_net *net, ls_interval layers, long rows,
                               ls_workspace_use use)
{
    size_t arena, scratch;
    ls_free(plan(net, layers, rows, use == LS_TRAINING, &arena, &scratch));
    return arena + scratch + (size_t)layers.end * (size_t)rows * sizeof(int32_t) +
           (size_t)(layers.end + 1) * sizeof(long);
}

size_t ls_workspace_bytes(const ls_net *net, long rows, ls_workspace_use use)
{
    return ls_workspace_bytes_part(net, ls_net_all(net), rows, use);
}

size_t ls_workspace_bytes_threads(const ls_net *net, long rows)
{
    size_t arena, scratch;
    ls_free(plan(net, ls_net_all(net), rows, false, &arena, &scratch));
    return scratch * (size_t)(threads_of(net) - 1);
}

static void check_layers(const ls_workspace *space)
{
    for (int i = 0; i < space->count; i++) {
        const ls_layer *layer = space->net->layers[space->first + i];
        ls_check(layer->type->mixes_rows || layer->kept.fixed == 0,
                 "%s keeps bytes that belong to no row: threads could not share its rows",
                 layer->name);
        for (int k = 0; k < layer->inputs; k++)
            ls_check(layer->input[k] >= space->first - 1,
                     "%s reads a layer above %s, where a part of %s begins", layer->name,
                     space->net->layers[space->first]->name, space->net->name);
    }
}

ls_workspace *ls_workspace_create_part(const ls_net *net, ls_interval layers, long rows,
                                       ls_workspace_use use)
{
    ls_workspace *space = ls_alloc(1, sizeof *space);
    size_t count = (size_t)(layers.end - layers.begin), arena;
    space->net = net;
    space->first = (int)layers.begin;
    space->count = (int)count;
    space->x_shape = space->first > 0 ? net->layers[space->first - 1]->y : net->x;
    space->training = use == LS_TRAINING;
    space->capacity = rows;
    space->block = plan(net, layers, rows, space->training, &arena, &space->scratch_size);
    space->arena = ls_alloc(arena, 1);
    space->threads = threads_of(net);
    space->scratch = ls_alloc(space->scratch_size, (size_t)space->threads);
    space->dy_written = ls_alloc(count, sizeof *space->dy_written);
    space->trains = ls_alloc(count, sizeof *space->trains);
    space->steps = ls_alloc((size_t)layers.end * (size_t)ls_max(1, rows), sizeof *space->steps);
    space->all_steps = ls_alloc((size_t)layers.end + 1, sizeof *space->all_steps);
    check_layers(space);
    return space;
}

ls_workspace *ls_workspace_create(const ls_net *net, long rows, ls_workspace_use use)
{
    return ls_workspace_create_part(net, ls_net_all(net), rows, use);
}

void ls_workspace_destroy(ls_workspace *space)
{
    if (!space)
        return;
    ls_free(space->block);
    ls_free(space->arena);
    ls_free(space->scratch);
    ls_free(space->dy_written);
    ls_free(space->trains);
    ls_free(space->steps);
    ls_free(space->all_steps);
    ls_free(space);
}

static void *block_of(const ls_workspace *space, int layer, int which)
{
    return space->arena + space->block[BLOCKS * layer + which].offset;
}

/* The i-th of the layers that it runs. */
static const ls_layer *layer_of(const ls_workspace *space, int i)
{
    return space->net->layers[space->first + i];
}

/* Which of the layers that it runs is the k-th input of this one; -1: x. */
static int input_of(const ls_workspace *space, const ls_layer *layer, int k)
{
    return layer->input[k] - space->first;
}

/* The steps that count of what the i-th layer that it runs makes, [rows]; -1: of x. NULL: all do,
 * or it has no time axis. */
static const int32_t *steps_of(const ls_workspace *space, int i)
{
    const int line = space->first + i;
    if (!space->length || space->rows == 0)
        return NULL;
    if (line < 0)
        return space->net->own_input ? NULL : space->length;
    const int32_t *steps = space->steps + line * space->rows;
    return steps[0] ? steps : NULL;
}

/* Zeroes `a`, of the shape of what the i-th layer makes (-1: x), behind the end of each row. */
static void clear_ends(const ls_workspace *space, int i, real *a)
{
    const int32_t *steps = a ? steps_of(space, i) : NULL;
    const ls_shape *shape = i < 0 ? &space->x_shape : &space->net->layers[space->first + i]->y;
    const long all = ls_shape_count(shape), width = steps ? all / shape->at[0] : 0;
    for (long r = 0; steps && r < space->rows; r++)
        memset(a + r * all + steps[r] * width, 0, (size_t)(all - steps[r] * width) * sizeof *a);
}

/* The arguments of the i-th layer, without dx. */
static ls_layer_args args_of(const ls_workspace *space, int i)
{
    const ls_layer *layer = layer_of(space, i);
    ls_layer_args args = {.rows = space->rows,
                          .y = block_of(space, i, BLOCK_Y),
                          .dy = block_of(space, i, BLOCK_DY),
                          .kept = block_of(space, i, BLOCK_KEPT),
                          .steps = layer->x[0].rank > 1 /* tokens: each is treated alone */
                                       ? steps_of(space, input_of(space, layer, 0))
                                       : NULL,
                          .threads = space->threads};
    args.all_steps = args.steps ? space->all_steps[layer->input[0] + 1] : 0;
    for (int k = 0; k < layer->inputs; k++) {
        const int input = input_of(space, layer, k);
        args.x[k] = input < 0 ? space->x : block_of(space, input, BLOCK_Y);
    }
    return args;
}

typedef void step(const ls_layer *layer, const ls_pass *pass, const ls_layer_args *args);

/* A step of one layer for all rows, to be shared among threads. */
typedef struct task {
    const ls_workspace *space;
    const ls_layer *layer;
    const ls_pass *pass;
    step *step;
    bool by_rows; /* a thread gets some of the rows; else the step cuts its work by args.part */
    ls_layer_args args;
} task;

/* Narrows pass and arguments to rows [rows * part / parts, rows * (part + 1) / parts). */
static void cut_rows(const ls_layer *layer, ls_pass *pass, ls_layer_args *args)
{
    long first = args->rows * args->part / args->parts;
    size_t y = (size_t)first * (size_t)ls_shape_count(&layer->y);
    pass->row += first;
    pass->length = pass->length ? pass->length + first : NULL;
    args->steps = args->steps ? args->steps + first : NULL;
    args->rows = args->rows * (args->part + 1) / args->parts - first;
    args->y += y;
    args->dy = args->dy ? args->dy + y : NULL;
    args->kept = (char *)args->kept + layer->kept.per_row * (size_t)first;
    for (int k = 0; k < layer->inputs; k++) {
        size_t x = (size_t)first * (size_t)ls_shape_count(&layer->x[k]);
        args->x[k] = args->x[k] ? args->x[k] + x : NULL;
        args->dx[k] = args->dx[k] ? args->dx[k] + x : NULL;
    }
}

static void run_part(const task *task, int thread, int part, int parts)
{
    ls_pass pass = *task->pass;
    ls_layer_args args = task->args;
    args.scratch = task->space->scratch + (size_t)thread * task->space->scratch_size;
    args.part = part;
    args.parts = parts;
    if (task->by_rows)
        cut_rows(task->layer, &pass, &args);
    task->step(task->layer, &pass, &args);
}

/* Lets the sum over the ranks move on, where one runs. */
static void tell_nothing(const ls_pass *pass)
{
    if (pass->finished)
        pass->finished(pass->listener, NULL, 0);
}

/* Runs round `round` of `rounds`, shared among the threads. One part is called directly: a parallel
 * region of one thread would make OpenMP end its idle workers. */
static void run_round(const task *task, int threads, int round, int rounds)
{
    if (threads == 1)
        run_part(task, 0, round, rounds);
    else
#pragma omp parallel for num_threads(threads) schedule(static, 1)
        for (int t = 0; t < threads; t++)
            run_part(task, t, round * threads + t, rounds * threads);
}

/* Runs all of it, in so many rounds. */
static void share(const task *task, int rounds)
{
    const int threads = task->layer->type->mixes_rows ? 1 : task->space->threads;
    for (int round = 0; round < rounds; round++) {
        run_round(task, threads, round, rounds);
        if (round + 1 < rounds)
            tell_nothing(task->pass);
    }
}

/* In how many rounds backward does a layer, and then its gradient. Rows that are no images are
 * left together: products of few of them would read the whole weight for little work. */
static int rounds_of(const ls_workspace *space, const ls_layer *layer, const ls_pass *pass)
{
    enum { MOST = 9, IMAGE = 3 };
    const double long_work = 2e9; /* operations of a thread: some hundredths of a second */
    const double work = layer->flops * (double)space->rows / space->threads;
    if (!pass->finished || layer->type->mixes_rows || layer->y.rank != IMAGE)
        return 1;
    return (int)fmin(fmin(MOST, 1 + (double)space->rows / space->threads), 1 + work / long_work);
}

void ls_workspace_enter(ls_workspace *space, const real *x, long rows)
{
    ls_check(rows <= space->capacity, "%ld rows in a workspace for %ld", rows, space->capacity);
    space->x = x;
    space->rows = rows;
    space->length = NULL;
}

/* Counts the steps of each line's output: of each row, and for layers that mix rows of all rows of
 * the batch. */
static void count_steps(ls_workspace *space, const ls_pass *pass)
{
    const int lines = space->first + space->count;
    bool mixes = false;
    for (int i = 0; i < space->count; i++)
        mixes |= layer_of(space, i)->type->mixes_rows;
    memset(space->all_steps, 0, (size_t)(lines + 1) * sizeof *space->all_steps);
    for (long r = 0; mixes && pass->all_length && r < pass->total; r++) {
        ls_net_steps(space->net, lines, 1, &pass->all_length[r], space->steps);
        space->all_steps[0] += pass->all_length[r];
        for (int i = 0; i < lines; i++)
            space->all_steps[i + 1] += space->steps[i];
    }
    ls_net_steps(space->net, lines, space->rows, pass->length, space->steps);
}

const real *ls_workspace_forward(ls_workspace *space, const ls_pass *pass, const real *x, long rows)
{
    ls_workspace_enter(space, x, rows);
    space->pass = *pass;
    space->length = pass->length;
    if (pass->length)
        count_steps(space, pass);
    for (int i = 0; i < space->count; i++) {
        const ls_layer *layer = layer_of(space, i);
        const task forward = {space, layer, pass, layer->type->forward, true, args_of(space, i)};
        const double begin = ls_watch_begin(space->watch);
        share(&forward, 1);
        clear_ends(space, i, forward.args.y);
        ls_watch_end_of(space->watch, LS_SPAN_FORWARD, space->first + i, begin);
    }
    return block_of(space, space->count - 1, BLOCK_Y);
}

/* Whether the gradient of one of the layer's slots is wanted. */
static bool learns(const ls_layer *layer, const ls_pass *pass)
{
    bool any = false;
    for (int k = 0; k < layer->slots; k++)
        any |= ls_layer_gradient(layer, pass, k) != NULL;
    return any;
}

static void mark_trains(ls_workspace *space, const ls_pass *pass)
{
    for (int i = 0; i < space->count; i++) {
        const ls_layer *layer = layer_of(space, i);
        space->trains[i] = learns(layer, pass);
        for (int k = 0; k < layer->inputs; k++) {
            const int input = input_of(space, layer, k);
            space->trains[i] |= input >= 0 && space->trains[input];
        }
    }
}

/* Tells which slots have their whole gradient after this layer's backward. */
static void tell_finished(const ls_layer *layer, const ls_pass *pass)
{
    int slots[LS_LAYER_SLOTS], count = 0;
    for (int k = 0; k < layer->share.firsts; k++)
        if (layer->params->slots[layer->share.first[k]].kind != LS_SLOT_ASIDE &&
            (!pass->frozen || !ls_slots_contain(pass->frozen, layer->share.first[k])))
            slots[count++] = layer->share.first[k];
    if (count > 0)
        pass->finished(pass->listener, slots, count);
}

/* Runs the layer's gradient, without that of a weight whose factors the listener takes. */
static void run_gradient(const task *backward, int rounds)
{
    const ls_workspace *space = backward->space;
    const ls_layer *layer = backward->layer;
    ls_pass pass = *backward->pass;
    ls_layer_factors factors;
    if (pass.factors && layer->type->factors && ls_layer_gradient(layer, &pass, 0) &&
        layer->type->factors(layer, &backward->args, &factors)) {
        factors.slot = layer->slot[0];
        factors.most = space->capacity * factors.per_row;
        pass.taken = pass.factors(pass.listener, &factors) ? &factors : NULL;
    }
    const task gradient = {backward->space,       layer, &pass,
                           layer->type->gradient, false, backward->args};
    share(&gradient, rounds);
}

/* What a layer does in backward: nothing, if its slots are frozen and no dx is wanted of it. */
static void backward_layer(ls_workspace *space, const ls_pass *pass, int i, const real *dy,
                           real *dx, bool *dx_written)
{
    const ls_layer *layer = layer_of(space, i);
    task backward = {space, layer, pass, layer->type->backward, true, args_of(space, i)};
    ls_layer_args *args = &backward.args;
    const bool learning = learns(layer, pass);
    bool needed = learning;
    args->dy = dy;
    for (int k = 0; k < layer->inputs; k++) {
        const int input = input_of(space, layer, k);
        bool *written = input < 0 ? dx_written : &space->dy_written[input];
        bool wanted = dx || (input >= 0 && space->trains[input]);
        if (!wanted)
            continue;
        needed = true;
        args->dx[k] = input < 0 ? dx : block_of(space, input, BLOCK_DY);
        args->add[k] = *written;
        *written = true;
    }
    if (!needed)
        return;
    const double begin = ls_watch_begin(space->watch);
    const int rounds = rounds_of(space, layer, pass);
    share(&backward, rounds);
    for (int k = 0; k < layer->inputs; k++)
        clear_ends(space, input_of(space, layer, k), args->dx[k]);
    tell_nothing(pass);
    if (learning && layer->type->gradient)
        run_gradient(&backward, rounds);
    ls_watch_end_of(space->watch, LS_SPAN_BACKWARD, space->first + i, begin);
    if (learning && pass->finished)
        tell_finished(layer, pass);
}

void ls_workspace_backward(ls_workspace *space, const ls_pass *pass, const real *dy, real *dx)
{
    const int last = space->count - 1;
    bool dx_written = false;
    ls_check(space->training, "backward of a workspace of %s that keeps nothing", space->net->name);
    mark_trains(space, pass);
    memset(space->dy_written, 0, (size_t)space->count * sizeof *space->dy_written);
    space->dy_written[last] = true;
    for (int i = last; i >= 0; i--)
        if (space->dy_written[i])
            backward_layer(space, pass, i, i == last ? dy : block_of(space, i, BLOCK_DY), dx,
                           &dx_written);
    if (dx && !dx_written) /* no layer reads x */
        memset(dx, 0, (size_t)(space->rows * ls_shape_count(&space->x_shape)) * sizeof *dx);
}

long ls_workspace_rows(const ls_workspace *space)
{
    return space->rows;
}

const ls_net *ls_workspace_net(const ls_workspace *space)
{
    return space->net;
}

real *ls_workspace_dy(ls_workspace *space)
{
    return block_of(space, space->count - 1, BLOCK_DY);
}

ls_interval ls_workspace_layers(const ls_workspace *space)
{
    return (ls_interval){space->first, space->first + space->count};
}

/* Where a layer of the net is among those that it runs. */
static int index_of(const ls_workspace *space, int layer)
{
    ls_check(layer >= space->first && layer < space->first + space->count,
             "layer %d of a workspace of layers %d to %d", layer, space->first,
             space->first + space->count - 1);
    return layer - space->first;
}

const real *ls_workspace_output(const ls_workspace *space, int layer)
{
    return block_of(space, index_of(space, layer), BLOCK_Y);
}

ls_shape ls_workspace_draws(const ls_workspace *space, int layer, real *draws)
{
    const ls_layer *at = layer_of(space, index_of(space, layer));
    return at->type->draws ? at->type->draws(at, &space->pass, space->rows, draws)
                           : (ls_shape){.rank = 0};
}

void ls_workspace_watch(ls_workspace *space, const ls_watch *watch)
{
    space->watch = watch;
}
