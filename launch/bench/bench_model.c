/* bench_model: lets the trainer train a model on random rows in memory. */
#include "launch/bench/bench_model.h"

#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/memory.h"
#include "core/minmax.h"
#include "core/print.h"
#include "core/random.h"
#include "launch/job/job_read.h"
#include "launch/json.h"
#include "launch/threads.h"
#include "launch/train/pace.h"
#include "launch/train/trainer_run.h"

/* What the passes through a layer took, forward or backward, and of how many rows. */
typedef struct layer_time {
    double seconds, rows;
} layer_time;

/* What is added up of one run of a net. */
typedef struct profile {
    ls_watch watch;
    const ls_workspace *run; /* NULL: there is none */
    layer_time *time;        /* [2 * layers] forward and backward, in all steps of rank 0 */
} profile;

/* A training run over a data set in memory, and what is measured of it. */
typedef struct bench {
    const ls_bench_arguments *arguments;
    ls_job *job;
    uint8_t *x;   /* rows of the data set: one batch over all ranks, as bytes, like pictures */
    real *tokens; /* in place of x, for a net that reads tokens */
    real *y;      /* their labels */
    ls_dataset *data;
    ls_trainer trainer;
    int warm;        /* steps before those that are measured */
    double last;     /* when the step before ended */
    double *seconds; /* [steps] */
    profile profile[LS_VIEWS];
    ls_bench_step step;
} bench;

/* What a row of the data set is. */
typedef struct row {
    ls_shape x, y;
    long vocabulary; /* of tokens; 0: x are any numbers */
    long classes;
} row;

/* By the last net: outputs of each step of a sequence stand for classes, else all do. */
static row row_of(const ls_shape *input, const ls_net *net)
{
    row r = {.x = *input, .vocabulary = ls_net_vocabulary(net)};
    const bool steps = net->y.rank == 2;
    if (steps)
        r.y = (ls_shape){1, {net->y.at[0]}};
    r.classes = ls_max(2, steps ? ls_shape_last(&net->y) : ls_shape_count(&net->y));
    return r;
}

/* Finds the spec that is measured, and what a row of its data is. */
static bool read_model(const char *text, const char *shape, const char **spec, row *r,
                       ls_error *error)
{
    ls_shape input = {0};
    ls_spec parsed;
    ls_model_nets nets;
    if (!ls_spec_parse(text, &parsed, error))
        return false;
    const ls_model_type *type = ls_model_find(parsed.type);
    *spec = type && parsed.keys == 0 && type->bench ? type->bench : text;
    if (!ls_model_write_rows(*spec, shape, &input, &nets, error))
        return false;
    bool ok = true;
    ls_params *params = ls_params_create();
    ls_net *net[LS_MODEL_NETS] = {NULL};
    for (int i = 0; ok && i < nets.count; i++) { /* a net may share lines of one before */
        net[i] = ls_net_build(params, NULL, nets.name[i], nets.lines[i], &input, error);
        ok = net[i] != NULL;
        *r = ok ? row_of(&input, net[i]) : *r;
    }
    for (int i = 0; i < nets.count; i++)
        ls_net_destroy(net[i]);
    ls_params_destroy(params);
    ls_model_release(&nets);
    return ok;
}

/* Makes one batch of random rows, each with a label, or one a step. */
static ls_dataset *make_data(bench *b, const row *r, ls_error *error)
{
    const long rows = b->arguments->batch, width = ls_shape_count(&r->x);
    const long labels = rows * ls_shape_count(&r->y);
    ls_random stream = ls_random_stream(1, LS_RANDOM_SYNTHETIC, 0, 0, 0);
    b->x = r->vocabulary ? NULL : ls_alloc((size_t)(rows * width), sizeof *b->x);
    b->tokens = r->vocabulary ? ls_alloc((size_t)(rows * width), sizeof *b->tokens) : NULL;
    b->y = ls_alloc((size_t)labels, sizeof *b->y);
    real *numbers = ls_alloc((size_t)width, sizeof *numbers);
    for (long i = 0; i < rows * width; i++) {
        if (i % width == 0)
            ls_random_uniform(stream, (uint64_t)(i / width), numbers, width);
        if (b->x)
            b->x[i] = (uint8_t)(256 * numbers[i % width]);
        else
            b->tokens[i] = (real)(long)(numbers[i % width] * (real)r->vocabulary);
    }
    for (long i = 0; i < labels; i++)
        b->y[i] = (real)(i % r->classes);
    ls_free(numbers);
    const ls_dataset_rows splits[LS_SPLITS] = {[LS_TRAIN] = {.rows = rows,
                                                             .x = b->tokens,
                                                             .x_bytes = b->x,
                                                             .y = b->y,
                                                             .x_shape = r->x,
                                                             .y_shape = r->y,
                                                             .classes = r->classes}};
    return ls_dataset_open_rows("random rows", splits, error);
}

static ls_job *make_job(const bench *b, const char *model, ls_error *error)
{
    const ls_bench_arguments *a = b->arguments;
    ls_job_stage stage = {.optimizer = {{.spec = "momentum rate=1e-6 momentum=0.9"}},
                          .optimizers = 1,
                          .schedule = "constant",
                          .batch = a->batch,
                          .steps = a->steps + b->warm};
    return ls_job_create(&(ls_job){.path = "bench",
                                   .data = "random rows",
                                   .run = "none",
                                   .model = model,
                                   .seed = 1,
                                   .stages = 1,
                                   .stage = &stage,
                                   .evaluate.every.unit = LS_EVERY_NEVER},
                         error);
}

static const ls_objective *objective_of(const bench *b)
{
    return b->trainer.session.stage[0].objective;
}

static void add_pass(void *context, const ls_span *span)
{
    const profile *p = context;
    layer_time *time = &p->time[2 * span->index + (span->kind == LS_SPAN_BACKWARD)];
    time->seconds += span->end - span->begin;
    time->rows += (double)ls_workspace_rows(p->run);
}

static void start_profile(bench *b)
{
    const ls_objective *objective = objective_of(b);
    for (int v = 0; v < objective->views; v++) {
        ls_workspace *run = objective->view[v].run;
        profile *p = &b->profile[v];
        if (!run)
            continue;
        *p = (profile){.watch = {add_pass, p}, .run = run};
        p->time = ls_alloc((size_t)(2 * ls_workspace_net(run)->count), sizeof *p->time);
        ls_workspace_watch(run, &p->watch);
    }
}

/* Bytes that must move at least in forward and in backward: see ls_usage_bench. */
static void count_bytes(const ls_layer *layer, long rows, double bytes[2])
{
    double y = (double)(rows * ls_shape_count(&layer->y)), x = 0, dx = 0, parameters = 0;
    for (int k = 0; k < layer->inputs; k++) {
        double count = (double)(rows * ls_shape_count(&layer->x[k]));
        x += count;
        dx += layer->input[k] < 0 ? 0 : count; /* the gradient of the net's input is not computed */
    }
    for (int k = 0; k < layer->slots; k++) {
        const ls_slot *slot = &layer->params->slots[layer->slot[k]];
        if (slot->kind == LS_SLOT_WEIGHT || slot->kind == LS_SLOT_BIAS)
            parameters += (double)slot->size;
    }
    bytes[0] = (x + y + parameters) * sizeof(real);
    bytes[1] = (x + dx + y + 2 * parameters) * sizeof(real);
}

/* Prints a line for each layer of a net; returns the seconds of all of them. */
static double print_layers(const ls_net *net, const layer_time *times, long steps)
{
    int width = 0;
    double sum = 0;
    for (int i = 0; i < net->count; i++)
        width = (int)ls_max(width, (long)strlen(net->layers[i]->name));
    for (int i = 0; i < net->count; i++) {
        const ls_layer *layer = net->layers[i];
        ls_print(stdout, "%-*s", width, layer->name);
        for (int pass = 0; pass < 2; pass++) {
            const layer_time *time = &times[2 * i + pass];
            const double rows = time->rows / (double)steps, seconds = time->seconds / (double)steps;
            const int products = pass && layer->input[0] >= 0 ? 2 : 1; /* dx, if it is computed */
            double bytes[2];
            count_bytes(layer, (long)rows, bytes);
            ls_print(stdout, "   %s %9.3f ms %7.1f Gflop/s %6.1f GB/s",
                     pass ? "backward" : "forward", 1e3 * seconds,
                     seconds > 0 ? 1e-9 * products * layer->flops * rows / seconds : 0,
                     seconds > 0 ? 1e-9 * bytes[pass] / seconds : 0);
            sum += seconds;
        }
        ls_print(stdout, "\n");
    }
    return sum;
}

/* Prints the means over all steps of each layer of each net, and of a step. */
static void print_profile(const bench *b)
{
    long steps = b->arguments->steps;
    double sum = 0, whole = 0;
    const ls_objective *objective = objective_of(b);
    for (int v = 0; v < objective->views; v++) {
        if (!b->profile[v].run)
            continue;
        if (objective->views > 1)
            ls_print(stdout, "%s\n", objective->view[v].name);
        sum += print_layers(ls_workspace_net(b->profile[v].run), b->profile[v].time, steps);
    }
    for (long i = 0; i < steps; i++)
        whole += b->seconds[i] / (double)steps;
    ls_print(stdout, "all layers %.3f ms of a step's %.3f ms\n", 1e3 * sum, 1e3 * whole);
}

/* Stores how long the step took, if it is to be measured. */
static void note_step(void *context, const ls_figures *figures)
{
    bench *b = context;
    double now = ls_clock_now();
    if (figures->step > b->warm)
        b->seconds[figures->step - b->warm - 1] = now - b->last;
    else if (figures->step == b->warm && b->arguments->profile)
        start_profile(b);
    if (figures->step == figures->steps) {
        b->step.flops = objective_of(b)->type->flops(objective_of(b)) * (double)b->arguments->batch;
        b->step.bytes = ls_memory_process();
        b->step.reals = (double)b->trainer.session.params->size;
        if (b->arguments->profile && b->trainer.comm->rank == 0)
            print_profile(b); /* now: the runs of the nets end with the stage */
    }
    b->last = ls_clock_now();
}

static void print_notice(void *context, const char *text)
{
    ls_print(stderr, "note: %s\n", text);
}

/* **Collective.** Trains b->warm + steps steps. */
static bool measure(bench *b, ls_comm *comm, ls_error *error)
{
    const ls_bench_arguments *a = b->arguments;
    bool first = comm->rank == 0;
    int ranks = comm->size;
    char crowded[256];
    const ls_train_options options = {
        .no_files = true,
        .threads = a->threads,
        .data = b->data,
        .listener = {.context = b, .notice = first ? print_notice : NULL, .step = note_step}};
    if (a->batch < ranks)
        return ls_error_set(error, LS_USAGE,
                            "--batch=%ld: expected a row for each rank: %d or more", a->batch,
                            ranks);
    if (ls_threads_crowded(comm, a->threads, crowded, sizeof crowded) && first)
        print_notice(NULL, crowded);
    if (!ls_trainer_open(&b->trainer, comm, b->job, &options, error))
        return false;
    b->seconds = ls_alloc((size_t)a->steps, sizeof *b->seconds);
    if (ls_trainer_run(&b->trainer, error) == LS_OUTCOME_FAILED)
        return false;
    ls_comm_sum(comm, &b->step.bytes, 1);
    b->step.median = ls_median(b->seconds, a->steps);
    b->step.least = b->seconds[0];
    return true;
}

bool ls_bench_model_measure(ls_comm *comm, const ls_bench_arguments *a, const char *text,
                            ls_bench_step *step, ls_error *error)
{
    bench *b = ls_alloc(1, sizeof *b);
    const char *model;
    row r = {.classes = 2};
    b->arguments = a;
    b->warm = comm->size > 1 ? LS_FACTORING_SUMS + 1 : 1; /* until it is known how sums go */
    bool ok = read_model(text, a->input, &model, &r, error) &&
              (b->data = make_data(b, &r, error)) && (b->job = make_job(b, model, error));
    ok = ls_comm_agree(comm, ok, error) && measure(b, comm, error);
    *step = b->step;
    ls_trainer_close(&b->trainer);
    ls_dataset_close(b->data);
    ls_job_destroy(b->job);
    for (int v = 0; v < LS_VIEWS; v++)
        ls_free(b->profile[v].time);
    ls_free(b->seconds);
    ls_free(b->x);
    ls_free(b->tokens);
    ls_free(b->y);
    ls_free(b);
    return ok;
}

bool ls_bench_model(ls_comm *comm, const ls_bench_arguments *a, ls_error *error)
{
    ls_bench_step step;
    const char *model = a->words.at[0];
    if (!ls_bench_model_measure(comm, a, model, &step, error))
        return false;
    const double pace = ls_pace_measure(comm, a->threads);
    if (comm->rank == 0)
        ls_json_print(json_pack("{s:s, s:o, s:i, s:i, s:I, s:{s:f, s:f}, s:f, s:f, s:f, s:f}",
                                "peer", "lockstep " LS_VERSION, "model", ls_json_text(model),
                                "ranks", comm->size, "threads", a->threads, "batch",
                                (json_int_t)a->batch, "step_seconds", "median", step.median, "min",
                                step.least, "samples_per_second", (double)a->batch / step.median,
                                "gflops", 1e-9 * step.flops / step.median / comm->size,
                                "product_gflops", 1e-9 * pace, "pss_bytes", step.bytes));
    return true;
}
