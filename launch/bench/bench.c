/* bench: whole training steps of a model on synthetic data, as one JSON line; the reduction alone;
 * the passes of single layers. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/memory.h"
#include "core/minmax.h"
#include "core/model.h"
#include "core/objective.h"
#include "core/optimizer.h"
#include "core/random.h"
#include "core/step.h"
#include "dist/reduce.h"
#include "launch/bench/bench_kernels.h"
#include "launch/bench/bench_reduce.h"
#include "launch/command.h"
#include "launch/ranks.h"
#include "launch/threads.h"

typedef struct arguments {
    ls_words words;
    const char *model;
    long batch; /* 0: the preset of what is measured */
    long steps, floats;
    int threads, shapes;
    bool profile;
    const char **shape;
} arguments;

static void read_shape(void *context, const char *text, const struct argp_state *state)
{
    (void)state;
    arguments *a = context;
    a->shape[a->shapes++] = text;
}

static const ls_command_option options[] = {
    {"batch", 0, "B", "rows over all ranks (default 128); bench kernels: of a rank (8)",
     LS_COMMAND_LONG, offsetof(arguments, batch), .low = 1, .high = 1 << 24},
    {"steps", 0, "N", "timed steps, after one to warm up (default 20)", LS_COMMAND_LONG,
     offsetof(arguments, steps), .low = 1, .high = 1 << 24},
    LS_THREADS_OPTION(arguments, threads),
    {"profile", 0, NULL, "also the time, Gflop/s and GB/s of each layer and pass on rank 0",
     .offset = offsetof(arguments, profile)},
    {"floats", 0, "N", "length of the array (default 25557032)", LS_COMMAND_LONG,
     offsetof(arguments, floats), .low = 1, .high = 1L << 40, .with = "reduce"},
    {"shape", 0, "INPUT|LAYER",
     "this layer, and others by more such options, in place of those of known nets", LS_COMMAND_OWN,
     .with = "kernels", .read = read_shape},
    {NULL}};

const ls_usage ls_usage_bench = {
    .options = options,
    .arguments = "MODEL|reduce|kernels",
    .about =
        "Measure whole training steps (forward, backward, sum over the ranks, momentum update) "
        "on synthetic data, the sum over the ranks beside MPI_Allreduce, or single layers beside "
        "OpenBLAS.",
    .more =
        "MODEL is a name of `lockstep list models`, measured with its usual options, or a whole "
        "spec: 'mlp widths=784,256,10'. With --profile, GB/s are those of the bytes that must move "
        "at least: forward the input, the output and the parameters, backward the input, its "
        "slope, the output's slope, the parameters and their gradients, each once.\n\n"
        "`bench kernels` takes about a minute for the layers of ResNet-50, VGG-16, AlexNet and "
        "LeNet, and tells of each pass Gflop/s, their share of what the micro-kernel reaches in "
        "the first cache, and the error against double. Its passes are forward (with the preparing "
        "of the weights), the gradient of the input (data), and that of the weights. Examples:\n"
        "  lockstep bench kernels --shape '56,56,64 | conv2d out=64 kernel=3 pad=1'\n"
        "  lockstep bench kernels --batch=32 --shape '9216 | dense units=4096'",
    .arguments_min = 1,
    .arguments_max = 1,
};

/* The net of a model, without a job, a data set or files. */
typedef struct bench {
    ls_comm *comm;
    ls_params *params;
    ls_net *net;
    ls_shared *values, *momentum, *prepared;
    ls_reduce *reduce;
    ls_objective *objective;
    ls_optimizer optimizer;
    ls_batch batch; /* this rank's rows */
    real *x, *y;
    double *norm2; /* [slots] of the gradient */
} bench;

static bool build(bench *b, const char *text, int threads, ls_error *error)
{
    ls_spec spec;
    ls_shape input = {0};
    ls_model_nets nets;
    if (!ls_spec_parse(text, &spec, error))
        return false;
    const ls_model_type *type = ls_model_find(spec.type);
    bool by_name = type && spec.keys == 0 && type->bench;
    if (type && !ls_shape_parse("input", type->input, &input, error))
        return false;
    if (!ls_model_write(by_name ? type->bench : text, &input, &nets, error))
        return false;
    b->params = ls_params_create();
    const ls_build build = {.threads = threads};
    b->net = ls_net_build(b->params, &build, nets.name[0], nets.lines[0], &input, error);
    ls_model_release(&nets);
    if (!b->net)
        return false;
    ls_task task = {.params = b->params,
                    .nets = 1,
                    .net = &b->net,
                    .x = input,
                    .has_y = true,
                    .classes = ls_shape_count(&b->net->y)};
    b->objective = ls_objective_create("supervised loss=cross-entropy", &task, error);
    return b->objective &&
           ls_optimizer_parse("momentum rate=0.01 momentum=0.9", &b->optimizer, error);
}

static bool take_memory(bench *b, ls_error *error)
{
    size_t bytes = (size_t)b->params->size * sizeof(real);
    ls_shared_make_room(b->comm, 2 * bytes + (size_t)b->params->prepared_size * sizeof(real) +
                                     ls_reduce_bytes(b->params, ls_comm_node_size(b->comm)));
    b->values = ls_shared_create(b->comm, bytes, error);
    b->momentum = b->values ? ls_shared_create(b->comm, bytes, error) : NULL;
    b->prepared =
        b->momentum
            ? ls_shared_create(b->comm, (size_t)b->params->prepared_size * sizeof(real), error)
            : NULL;
    if (!ls_comm_agree(b->comm, b->prepared != NULL, error))
        return false;
    b->reduce = ls_reduce_create(b->comm, b->params, error);
    if (!b->reduce)
        return false;
    ls_params_commit(b->params, ls_shared_data(b->values), ls_shared_data(b->prepared));
    if (ls_comm_node_rank(b->comm) == 0)
        ls_params_initialize(b->params, 1, NULL);
    ls_comm_node_barrier(b->comm);
    b->norm2 = ls_alloc((size_t)b->params->count, sizeof *b->norm2);
    return true;
}

static void make_rows(bench *b, long total)
{
    int rank = ls_comm_rank(b->comm), ranks = ls_comm_size(b->comm);
    long first = total * rank / ranks, rows = total * (rank + 1) / ranks - first;
    long width = ls_shape_count(&b->net->x);
    ls_random stream = ls_random_stream(1, LS_RANDOM_SYNTHETIC, 0, 0, 0);
    b->x = ls_alloc((size_t)(rows * width), sizeof *b->x);
    b->y = ls_alloc((size_t)rows, sizeof *b->y);
    for (long r = 0; r < rows; r++) {
        ls_random_uniform(stream, (uint64_t)(first + r), b->x + r * width, width);
        b->y[r] = (real)((first + r) % ls_shape_count(&b->net->y));
    }
    b->batch = (ls_batch){
        .rows = rows, .first = first, .total = total, .x_shape = b->net->x, .x = b->x, .y = b->y};
    b->objective->type->compile(b->objective, rows, 0);
}

static void prepare(bench *b)
{
    if (b->params->prepared_size == 0)
        return;
    ls_net_prepare(b->net, ls_comm_node_rank(b->comm), ls_comm_node_size(b->comm));
    ls_comm_node_barrier(b->comm);
}

static void one_step(bench *b, long step)
{
    ls_step_sums sums = {.failed = 0};
    const ls_slots *slots = &b->objective->phase[0].slots;
    real *const state[LS_OPTIMIZER_STATES] = {ls_shared_data(b->momentum), NULL};
    ls_pass pass = {.training = true,
                    .step = (uint64_t)step,
                    .row = b->batch.first,
                    .gradient = ls_reduce_gradient(b->reduce)};
    b->objective->type->gradient(b->objective, 0, &b->batch, &pass, &sums.sums);
    ls_reduce_sum(b->reduce, slots, &sums, b->norm2);
    ls_check(isfinite(ls_squares_total(b->params, b->norm2)),
             "the gradient of the benchmark is not finite");
    const ls_step update = {.optimizer = &b->optimizer,
                            .params = b->params,
                            .slots = slots,
                            .part = ls_reduce_slice(b->reduce),
                            .gradient = pass.gradient,
                            .state = state,
                            .gradient2 = b->norm2};
    ls_step_update(&update, b->optimizer.rate, sums.sums.at[LS_SUM_WEIGHT], step);
    ls_reduce_end(b->reduce);
    prepare(b);
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void print_result(const bench *b, const arguments *a, double *seconds, double pss)
{
    qsort(seconds, (size_t)a->steps, sizeof *seconds, compare_doubles);
    double median = seconds[a->steps / 2];
    json_t *line = json_pack(
        "{s:s, s:s, s:i, s:I, s:I, s:{s:f, s:f}, s:f, s:f}", "peer", "lockstep " LS_VERSION,
        "model", a->model, "ranks", ls_comm_size(b->comm), "threads", (json_int_t)a->threads,
        "batch", (json_int_t)a->batch, "step_seconds", "median", median, "min", seconds[0],
        "samples_per_second", (double)a->batch / median, "pss_bytes", pss);
    ls_check(line, "the result can't be written as JSON");
    json_dumpf(line, stdout, JSON_REAL_PRECISION(8));
    printf("\n");
    json_decref(line);
}

/* Bytes that must move at least in forward, and in backward: see ls_usage_bench. */
static void count_bytes(const ls_layer *layer, long rows, double *forward, double *backward)
{
    double y = (double)(rows * ls_shape_count(&layer->y)), x = 0, dx = 0, parameters = 0;
    for (int k = 0; k < layer->inputs; k++) {
        double count = (double)(rows * ls_shape_count(&layer->x[k]));
        x += count;
        dx += layer->input[k] < 0 ? 0 : count; /* nobody wants that of the net's input */
    }
    for (int k = 0; k < layer->slots; k++)
        if (layer->params->slots[layer->slot[k]].kind != LS_SLOT_STATE)
            parameters += (double)layer->params->slots[layer->slot[k]].size;
    *forward = (x + y + parameters) * sizeof(real);
    *backward = (x + dx + y + 2 * parameters) * sizeof(real);
}

static void print_pass(const char *name, double seconds, double gflop, double bytes)
{
    printf("   %s %9.3f ms %7.1f Gflop/s %6.1f GB/s", name, 1e3 * seconds, gflop / seconds,
           1e-9 * bytes / seconds);
}

/* layer_seconds: of all steps, [layers][forward, backward]; seconds: of each of `steps` steps. */
static void print_profile(const bench *b, const double *layer_seconds, const double *seconds,
                          long steps)
{
    int width = 0;
    double sum = 0, whole = 0;
    for (int i = 0; i < b->net->count; i++)
        width = (int)ls_max(width, (long)strlen(b->net->layers[i]->name));
    for (int i = 0; i < b->net->count; i++) {
        const ls_layer *layer = b->net->layers[i];
        double gflop = 1e-9 * layer->flops * (double)b->batch.rows, forward_bytes, backward_bytes;
        double forward = layer_seconds[2 * i] / (double)steps;
        double backward = layer_seconds[2 * i + 1] / (double)steps;
        count_bytes(layer, b->batch.rows, &forward_bytes, &backward_bytes);
        printf("%-*s", width, layer->name);
        print_pass("forward", forward, gflop, forward_bytes);
        print_pass("backward", backward, 2 * gflop, backward_bytes);
        printf("\n");
        sum += forward + backward;
    }
    for (long i = 0; i < steps; i++)
        whole += seconds[i] / (double)steps;
    printf("all layers %.3f ms of a step's %.3f ms\n", 1e3 * sum, 1e3 * whole);
}

static bool run(bench *b, const arguments *a, ls_error *error)
{
    if (!ls_comm_agree(b->comm, build(b, a->model, a->threads, error), error) ||
        !take_memory(b, error))
        return false;
    if (a->batch < ls_comm_size(b->comm))
        return ls_error_set(error, LS_USAGE,
                            "--batch=%ld: expected a row for each rank: %d or more", a->batch,
                            ls_comm_size(b->comm));
    char crowded[256];
    if (ls_threads_crowded(b->comm, a->threads, crowded, sizeof crowded) &&
        ls_comm_rank(b->comm) == 0)
        fprintf(stderr, "note: %s\n", crowded);
    make_rows(b, a->batch);
    prepare(b);
    double *seconds = ls_alloc((size_t)a->steps, sizeof *seconds);
    double *layers = ls_alloc((size_t)(2 * b->net->count), sizeof *layers);
    one_step(b, 1);
    if (a->profile)
        ls_workspace_profile(b->objective->training, layers);
    for (long i = 0; i < a->steps; i++) {
        double start = ls_clock_now();
        one_step(b, i + 2);
        seconds[i] = ls_clock_now() - start;
    }
    double pss = ls_memory_process();
    ls_comm_sum(b->comm, &pss, 1);
    if (ls_comm_rank(b->comm) == 0) {
        if (a->profile)
            print_profile(b, layers, seconds, a->steps);
        print_result(b, a, seconds, pss);
    }
    ls_free(layers);
    ls_free(seconds);
    return true;
}

static void release(bench *b)
{
    ls_objective_destroy(b->objective);
    ls_net_destroy(b->net);
    ls_params_destroy(b->params);
    ls_free(b->x);
    ls_free(b->y);
    ls_free(b->norm2);
    if (b->reduce)
        ls_reduce_destroy(b->reduce);
    ls_shared_destroy(b->prepared);
    ls_shared_destroy(b->momentum);
    ls_shared_destroy(b->values);
}

static bool run_kernels(ls_comm *comm, const arguments *a, ls_error *error)
{
    const ls_bench_kernels_plan plan = {.shapes = a->shape,
                                        .count = a->shapes,
                                        .rows = a->batch,
                                        .threads = a->threads,
                                        .prints = ls_comm_rank(comm) == 0};
    return ls_bench_kernels(&plan, error);
}

int ls_command_bench(int argc, char **argv)
{
    arguments a = {.steps = 20,
                   .threads = 1,
                   .floats = 25557032,
                   .shape = ls_alloc((size_t)argc, sizeof(char *))};
    ls_error error = {0};
    ls_command_parse(&ls_usage_bench, argc, argv, &a.words);
    a.model = a.words.at[0];
    bench b = {.comm = ls_ranks_start(&argc, &argv)};
    int code = 0;
    bool kernels = strcmp(a.model, "kernels") == 0;
    if (a.batch == 0)
        a.batch = kernels ? 8 : 128;
    if (strcmp(a.model, "reduce") == 0)
        code = ls_bench_reduce(b.comm, a.floats, (int)a.steps);
    else if (!(kernels ? run_kernels(b.comm, &a, &error) : run(&b, &a, &error)))
        code = ls_command_fail(ls_comm_rank(b.comm), &error);
    release(&b);
    ls_free(a.shape);
    ls_comm_close(b.comm);
    return code;
}
