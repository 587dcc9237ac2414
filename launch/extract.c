/* extract: any layer's output for every row of every split, as a data set again: y and attributes
 * kept. */
#include <string.h>

#include "core/memory.h"
#include "launch/chunks.h"
#include "launch/command.h"
#include "launch/forward.h"
#include "launch/ranks.h"

enum { OPTION_DATA = 256, OPTION_LAYER, OPTION_FORCE };

typedef struct arguments {
    char *from, *data, *output, *layer;
    bool force;
} arguments;

static const struct argp_option options[] = {
    {"layer", OPTION_LAYER, "NAME", 0, "whose output; NET/NAME where there are several nets", 0},
    {"data", OPTION_DATA, "FILE", 0, "a data set in place of the one that the job names", 0},
    {"output", 'o', "FILE", 0, "the data set to write: features.h5", 0},
    {"force", OPTION_FORCE, NULL, 0, "overwrite the output", 0},
    {0}};

static error_t option(int key, char *argument, struct argp_state *state)
{
    arguments *a = state->input;
    switch (key) {
    case OPTION_LAYER:
        a->layer = argument;
        return 0;
    case OPTION_DATA:
        a->data = argument;
        return 0;
    case 'o':
        a->output = argument;
        return 0;
    case OPTION_FORCE:
        a->force = true;
        return 0;
    case ARGP_KEY_ARG:
        a->from = argument;
        return 0;
    case ARGP_KEY_SUCCESS:
        if (!a->layer || !a->output)
            argp_error(state, "%s",
                       a->layer ? "name the output: -o features.h5"
                                : "name the layer: --layer NAME");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const ls_usage ls_usage_extract = {
    .options = options,
    .option = option,
    .arguments = "RUN|CHECKPOINT",
    .about =
        "The output of one layer of a trained net for every row of every split of a data set, "
        "alone or under mpirun: a data set that train takes, with the same y. The data needs no "
        "y. Of a run directory it takes best.h5, else the newest checkpoint.",
    .more = "Example:\n"
            "  lockstep extract runs/lenet --layer dense1 --data new.h5 -o features.h5",
    .arguments_min = 1,
    .arguments_max = 1,
};

typedef struct work {
    const ls_net *net;
    int layer;
    ls_run *run;
    ls_rowfile *file; /* rank 0 */
} work;

static void apply(void *context, const ls_batch *batch, long chunk, real *results)
{
    (void)chunk;
    work *w = context;
    const ls_pass pass = {.row = batch->first};
    long width = ls_shape_count(&w->net->layers[w->layer]->y);
    ls_run_forward(w->run, &pass, batch->x, batch->rows);
    memcpy(results, ls_run_output(w->run, w->layer),
           (size_t)(batch->rows * width) * sizeof *results);
}

static bool take(void *context, long rows, const real *results, ls_error *error)
{
    work *w = context;
    return ls_rowfile_add(w->file, rows, &results, error);
}

/* All layers' names, with the nearest to the one that there is not. */
static bool no_layer(const ls_task *task, const char *asked, ls_error *error)
{
    int count = 0;
    const char *nearest = NULL;
    char list[1024] = "";
    for (int n = 0; n < task->nets; n++) {
        const ls_net *net = task->net[n];
        const char **names = ls_alloc((size_t)net->count, sizeof *names);
        for (int i = 0; i < net->count; i++) {
            names[i] = net->layers[i]->name;
            snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s%s%s",
                     count++ ? ", " : "", task->nets > 1 ? net->name : "",
                     task->nets > 1 ? "/" : "", names[i]);
        }
        nearest = nearest ? nearest : ls_nearest(asked, names, net->count, sizeof *names);
        ls_free(names);
    }
    return ls_error_set(error, LS_USAGE, "there is no layer %s%s%s%s The layers are %s", asked,
                        nearest ? ": did you mean " : "", nearest ? nearest : "",
                        nearest ? "?" : ".", list);
}

/* "conv1", or "net/conv1". */
static bool find_layer(const ls_task *task, const char *asked, work *w, ls_error *error)
{
    const char *slash = strchr(asked, '/');
    for (int n = 0; n < task->nets; n++) {
        const ls_net *net = task->net[n];
        size_t length = strlen(net->name);
        bool named =
            slash && (size_t)(slash - asked) == length && strncmp(net->name, asked, length) == 0;
        w->net = net;
        w->layer = ls_net_find(net, named ? slash + 1 : asked);
        if (w->layer < 0)
            continue;
        return ls_shape_equal(&net->x, &task->x) ||
               ls_error_set(error, LS_USAGE,
                            "the net %s of layer %s does not take rows of the data", net->name,
                            net->layers[w->layer]->name);
    }
    return no_layer(task, asked, error);
}

/* Rank 0: the split's x, without numbers yet. */
static bool begin_split(ls_forward *f, const work *w, const ls_split *split, ls_error *error)
{
    const ls_layer *layer = w->net->layers[w->layer];
    char path[64];
    snprintf(path, sizeof path, "%s/x", split->name);
    const ls_rowfile_array array = {path, layer->y, false};
    return ls_rowfile_begin(f->file, &array, 1, split->x.rows, error) &&
           ls_rowfile_text(f->file, path, "layer", layer->name, error);
}

/* Rank 0: what is kept of the source. */
static bool end_split(ls_forward *f, const ls_split *split, ls_error *error)
{
    const char *source = ls_dataset_path(f->saved.session.data);
    char y[64];
    snprintf(y, sizeof y, "%s/y", split->name);
    return (!split->has_y || ls_rowfile_copy(f->file, source, split->y.path, y, error)) &&
           ls_rowfile_copy_attributes(f->file, source, split->name, error);
}

/* **Collective.** */
static bool extract_split(ls_forward *f, work *w, ls_split_id id, ls_error *error)
{
    const ls_split *split = ls_dataset_split(f->saved.session.data, id);
    bool first = ls_comm_rank(f->comm) == 0;
    const ls_chunks chunks = {.data = f->saved.session.data,
                              .split = id,
                              .size = ls_forward_chunk(w->net, true),
                              .context = w,
                              .apply = apply,
                              .width = ls_shape_count(&w->net->layers[w->layer]->y),
                              .take = take};
    if (!split->present)
        return true;
    if (!ls_comm_agree(f->comm, !first || begin_split(f, w, split, error), error) ||
        !ls_chunks_run(&chunks, f->comm, error) ||
        !ls_comm_agree(f->comm, !first || end_split(f, split, error), error))
        return false;
    if (first)
        printf("  %-5s  %ld rows\n", split->name, split->x.rows);
    return true;
}

/* Rank 0. */
static bool begin(ls_forward *f, const arguments *a, ls_error *error)
{
    const char *source = ls_dataset_path(f->saved.session.data);
    f->file = ls_rowfile_open(a->output, error);
    return f->file && ls_forward_put_origin(f, error) &&
           ls_rowfile_copy_attributes(f->file, source, "/", error);
}

/* **Collective.** */
static bool extract(ls_forward *f, ls_comm *comm, const arguments *a, ls_error *error)
{
    char shape[96];
    bool first = ls_comm_rank(comm) == 0;
    bool allowed = !first || ls_rowfile_allowed(a->output, false, a->force, error);
    *f = (ls_forward){.comm = comm};
    if (!ls_comm_agree(comm, allowed, error) || !ls_forward_open(f, comm, a->from, a->data, error))
        return false;
    work w = {.layer = -1};
    if (!find_layer(&f->saved.session.task, a->layer, &w, error) ||
        !ls_comm_agree(comm, !first || begin(f, a, error), error))
        return false;
    const ls_layer *layer = w.net->layers[w.layer];
    if (first)
        printf("%s: %s of %s (step %ld), %s a row\n", a->output, layer->name, f->saved.path,
               f->saved.step, ls_shape_text(&layer->y, shape, sizeof shape));
    w.run = ls_run_create(w.net, ls_forward_chunk(w.net, true), true);
    w.file = f->file;
    bool ok = true;
    for (int id = 0; ok && id < LS_SPLITS; id++)
        ok = extract_split(f, &w, (ls_split_id)id, error);
    ls_run_destroy(w.run);
    return ok;
}

int ls_command_extract(int argc, char **argv)
{
    arguments a = {0};
    ls_error error = {0};
    ls_forward forward;
    ls_command_parse(&ls_usage_extract, argc, argv, &a);
    ls_comm *comm = ls_ranks_start(&argc, &argv);
    bool first = ls_comm_rank(comm) == 0, ok = extract(&forward, comm, &a, &error);
    ok = ls_forward_close(&forward, ok, &error);
    int code = ok ? 0 : ls_fail(first, &error);
    ls_comm_close(comm);
    return code;
}
