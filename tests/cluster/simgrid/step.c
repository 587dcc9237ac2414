/* step: training steps of many nodes in SimGrid's simulation of MPI: the engine's own plan of
 * backward and its own sum over the nodes, with the arithmetic replaced by the time that it takes.
 *
 *     smpirun ... step FILE rows=204 cores=112 faster=71 memory=2e11 steps=2
 *     smpirun ... step FILE exact=1
 *
 * The first line of FILE is a model, as `lockstep bench` takes it. Its net is built by core, so
 * slots are as in training. Each layer gets a type of its own whose passes take the time that FILE
 * says, and core/workspace.c runs them: so backward comes to its layers, tells of complete slots,
 * and lets messages move on, in the order and as often as in training. dist/ sums. One rank is a
 * node.
 *
 * After the model there is a line `LAYER FORWARD BACKWARD` for each layer, in seconds a row on one
 * core, and one `rest SECONDS`: what a step takes besides (update, packing of weights). All is
 * divided by `faster`: how much faster a node is than that core. Additions take what moving three
 * arrays takes at `memory` bytes a second.
 *
 * With exact=1 ranks write numbers into their gradients as each layer ends, and the sum must be
 * that of sum_order.h, bit for bit: exit code 1 if it is not. Nothing of it is replaced then. */
#include <mpi.h>
#include <smpi/smpi.h>

#include "cluster/simgrid/stand_ins.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/minmax.h"
#include "core/model.h"
#include "core/workspace.h"
#include "dist/reduce.h"

typedef struct options {
    long rows, cores, steps;
    double faster, memory;
    bool exact;
} options;

static const ls_option table[] = {
    {"rows", LS_OPTION_INT, offsetof(options, rows), "1", 1, 1e9, NULL, "rows of a node"},
    {"cores", LS_OPTION_INT, offsetof(options, cores), "1", 1, 1e6, NULL, "that share them"},
    {"steps", LS_OPTION_INT, offsetof(options, steps), "2", 2, 1e6, NULL, "the last is measured"},
    {"faster", LS_OPTION_REAL, offsetof(options, faster), "1", 1e-6, 1e6, NULL, "than one core"},
    {"memory", LS_OPTION_REAL, offsetof(options, memory), "1e10", 1, 1e15, NULL, "bytes a second"},
    {"exact", LS_OPTION_BOOL, offsetof(options, exact), "0", 0, 1, NULL, "with real numbers"},
    {0}};

typedef struct simulation simulation;

/* A layer's type with its passes replaced. */
typedef struct timed_type {
    ls_layer_type type;
    const simulation *simulation;
    double forward, backward, gradient; /* seconds of all rows of the workspace */
} timed_type;

struct simulation {
    options options;
    ls_comm *comm;
    ls_params *params;
    ls_net *net;
    ls_workspace *space;
    ls_reduce *reduce;
    timed_type *types; /* [net->count] */
    double rest;       /* seconds of a step after the sum */
    double *norm2;
    long step;
};

/* Of a core: the workspace is that of one, so that long layers let messages move on as often. */
static long rows_of(const simulation *s)
{
    return (s->options.rows + s->options.cores - 1) / s->options.cores;
}

/* A number of a rank's gradient: of many sizes, so that the order of additions shows. */
static real number(int rank, long step, long at)
{
    uint64_t h = (uint64_t)at * 0x9e3779b97f4a7c15u + (uint64_t)rank * 0xc2b2ae3d27d4eb4fu +
                 (uint64_t)step * 0x165667b19e3779f9u;
    h = (h ^ h >> 31) * 0xbf58476d1ce4e5b9u;
    h ^= h >> 29;
    return (real)ldexp((double)(h >> 32) - 2147483648.0, (int)(h & 15) - 31);
}

/* The layer's slots are complete now. */
static void write_gradient(const ls_layer *layer, const simulation *s)
{
    for (int k = 0; s->options.exact && k < layer->slots; k++) {
        const ls_slot *slot = &s->params->slots[layer->slot[k]];
        for (long i = slot->offset; i < slot->offset + slot->size; i++)
            s->reduce->gradient[i] = number(s->comm->rank, s->step, i);
    }
}

static void forward(const ls_layer *layer, const ls_pass *pass, const ls_layer_args *args)
{
    const timed_type *timed = (const timed_type *)layer->type;
    stand_in_spend(timed->forward * args->rows / ls_workspace_rows(timed->simulation->space));
}

static void backward(const ls_layer *layer, const ls_pass *pass, const ls_layer_args *args)
{
    const timed_type *timed = (const timed_type *)layer->type;
    stand_in_spend(timed->backward * args->rows / ls_workspace_rows(timed->simulation->space));
    if (!layer->type->gradient)
        write_gradient(layer, timed->simulation);
}

static void gradient(const ls_layer *layer, const ls_pass *pass, const ls_layer_args *args)
{
    const timed_type *timed = (const timed_type *)layer->type;
    stand_in_spend(timed->gradient / args->parts);
    if (args->part + 1 == args->parts)
        write_gradient(layer, timed->simulation);
}

/* Gives the layer of that name the passes of that time. A backward of a layer that has a gradient
 * too is half of it: the two are about the same products. */
static bool set_times(simulation *s, const char *name, double forward_time, double backward_time)
{
    const int i = ls_net_find(s->net, name);
    if (i < 0)
        return false;
    timed_type *timed = &s->types[i];
    const double share = timed->type.gradient ? 0.5 : 1;
    timed->forward = forward_time;
    timed->backward = share * backward_time;
    timed->gradient = (1 - share) * backward_time;
    return true;
}

static void replace_types(simulation *s)
{
    s->types = ls_alloc((size_t)s->net->count, sizeof *s->types);
    for (int i = 0; i < s->net->count; i++) {
        ls_layer *layer = s->net->layers[i];
        timed_type *timed = &s->types[i];
        *timed = (timed_type){.type = *layer->type, .simulation = s};
        timed->type.forward = forward;
        timed->type.backward = backward;
        timed->type.gradient = layer->type->gradient ? gradient : NULL;
        layer->type = &timed->type;
    }
}

static bool read_times(simulation *s, FILE *file, ls_error *error)
{
    const double scale = (double)s->options.rows / s->options.faster;
    char name[LS_WORD];
    double first, second;
    int layers = 0;
    while (fscanf(file, "%47s %lf", name, &first) == 2)
        if (strcmp(name, "rest") == 0)
            s->rest = first / s->options.faster;
        else if (fscanf(file, "%lf", &second) == 1)
            layers += set_times(s, name, scale * first, scale * second);
    return layers == s->net->count ||
           ls_error_set(error, LS_DATA, "the file has times of %d layers of the net, which has %d",
                        layers, s->net->count);
}

static bool build_net(simulation *s, FILE *file, ls_error *error)
{
    char model[512];
    ls_spec spec;
    ls_shape input;
    ls_model_nets nets;
    if (!fgets(model, sizeof model, file) || !ls_spec_parse(model, &spec, error))
        return false;
    model[strcspn(model, "\n")] = 0;
    const ls_model_type *type = ls_model_find(spec.type);
    if (!type || !type->input)
        return ls_error_set(error, LS_USAGE, "%s is no model of a known input", model);
    if (!ls_shape_parse("input", type->input, &input, error) ||
        !ls_model_write(spec.keys == 0 && type->bench ? type->bench : model, &input, &nets, error))
        return false;
    s->params = ls_params_create();
    s->net = ls_net_build(s->params, NULL, nets.name[0], nets.lines[0], &input, error);
    ls_model_release(&nets);
    return s->net != NULL;
}

static bool build(simulation *s, const char *path, ls_error *error)
{
    FILE *file = fopen(path, "r");
    if (!file)
        return ls_error_set(error, LS_IO, "%s: there is no such file", path);
    bool ok = build_net(s, file, error);
    if (ok)
        replace_types(s);
    ok = ok && (s->options.exact || read_times(s, file, error));
    fclose(file);
    if (!ok)
        return false;
    s->space = ls_workspace_create(s->net, rows_of(s), LS_TRAINING);
    s->norm2 = ls_alloc((size_t)s->params->count, sizeof *s->norm2);
    s->reduce = ls_reduce_create(s->comm, s->params, error);
    return s->reduce != NULL;
}

static void hear_finished(void *reduce, const int *slots, int count)
{
    stand_in_settle();
    ls_reduce_ready(reduce, slots, count);
}

static void run_step(simulation *s)
{
    const long rows = rows_of(s);
    const ls_pass pass = {.training = true,
                          .total = rows,
                          .gradient = s->reduce->gradient,
                          .finished = s->comm->nodes > 1 ? hear_finished : NULL,
                          .listener = s->reduce};
    ls_step_sums sums = {.failed = 0};
    ls_reduce_begin(s->reduce, 0);
    ls_workspace_forward(s->space, &pass, NULL, rows);
    ls_workspace_backward(s->space, &pass, ls_workspace_dy(s->space), NULL);
    stand_in_settle();
    ls_reduce_finish(s->reduce, &sums, s->norm2);
    stand_in_spend(s->rest);
    stand_in_settle();
    ls_reduce_end(s->reduce);
}

/* Whether this rank's array holds the sum over all ranks. Of many ranks, each looks at every few
 * numbers, of which all come to have been looked at by four. */
static bool is_sum(const simulation *s)
{
    const long few = 1 + s->comm->size / 4;
    bool same = true;
    real *all = ls_alloc((size_t)s->comm->size, sizeof *all);
    real **from = ls_alloc((size_t)s->comm->size, sizeof *from);
    for (int i = 0; i < s->params->count; i++) {
        const ls_slot *slot = &s->params->slots[i];
        for (long at = slot->offset + s->comm->rank % few; at < slot->offset + slot->size;
             at += few) {
            real sum;
            for (int r = 0; r < s->comm->size; r++) {
                all[r] = number(r, s->step, at);
                from[r] = &all[r];
            }
            ls_sum_order_add(&sum, from, s->comm->size, 1);
            same &= memcmp(&sum, &s->reduce->gradient[at], sizeof sum) == 0;
        }
    }
    ls_free(from);
    ls_free(all);
    return same;
}

/* Seconds of the last step. */
static double run(simulation *s, bool *same)
{
    const ls_slots all = ls_slots_all(s->params);
    double begin = 0;
    ls_reduce_set_phase(s->reduce, 0, &all, NULL);
    *same = true;
    for (s->step = 0; s->step < s->options.steps; s->step++) {
        stand_in_silence(s->step == 0);
        ls_comm_barrier(s->comm);
        begin = MPI_Wtime();
        run_step(s);
        *same &= !s->options.exact || is_sum(s);
    }
    return ls_comm_max(s->comm, MPI_Wtime() - begin);
}

static double compute_seconds(const simulation *s)
{
    double sum = s->rest;
    for (int i = 0; i < s->net->count; i++)
        sum += s->types[i].forward + s->types[i].backward + s->types[i].gradient;
    return sum;
}

/* Reads key=value words into s->options. */
static bool read_options(simulation *s, int argc, char **argv, ls_error *error)
{
    char line[512] = "step";
    ls_spec spec;
    for (int i = 2; i < argc; i++)
        snprintf(line + strlen(line), sizeof line - strlen(line), " %s", argv[i]);
    return (argc > 1 || ls_error_set(error, LS_USAGE, "usage: step FILE [key=value ...]")) &&
           ls_spec_parse_plain(line, &spec, error) &&
           ls_spec_read(&spec, table, NULL, &s->options, error);
}

int main(int argc, char **argv)
{
    ls_error error;
    simulation s = {.comm = ls_comm_open(&argc, &argv)};
    bool same = false;
    bool ok = read_options(&s, argc, argv, &error);
    stand_in_begin(ok && !s.options.exact, s.options.memory);
    ok = ls_comm_agree(s.comm, ok && build(&s, argv[1], &error), &error);
    if (ok) {
        const double seconds = run(&s, &same);
        if (s.comm->rank == 0)
            printf("nodes=%d compute=%.6f step=%.6f reals=%ld same=%d\n", s.comm->nodes,
                   compute_seconds(&s), seconds, s.params->size, same);
    } else if (s.comm->rank == 0) {
        fprintf(stderr, "step: %s\n", error.text);
    }
    ls_reduce_destroy(s.reduce);
    ls_workspace_destroy(s.space);
    ls_net_destroy(s.net);
    ls_params_destroy(s.params);
    ls_free(s.types);
    ls_free(s.norm2);
    ls_comm_close(s.comm);
    return ok && same ? 0 : 1;
}
