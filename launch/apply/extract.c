/* extract: the output of one layer for every row of every split, as a data set; whatever else the
 * source holds about each row is copied, and so are its attributes. */
#include <string.h>

#include "core/memory.h"
#include "core/print.h"
#include "launch/apply/forward.h"

static void check_arguments(const void *context, const struct argp_state *state)
{
    const ls_forward_arguments *a = context;
    if (!a->layer)
        argp_error(state, "name the layer: --layer NAME");
    if (!a->output)
        argp_error(state, "name the output: -o features.h5");
}

static const ls_command_option options[] = {{"layer", 0, "NAME",
                                             "the layer; NET/NAME where there are several nets",
                                             LS_COMMAND_TEXT, LS_FORWARD_AT(layer)},
                                            LS_FORWARD_COMMON,
                                            LS_FORWARD_OUTPUT("the data set to write: features.h5"),
                                            {.name = NULL}};

const ls_usage ls_usage_extract = {
    .options = options,
    .check = check_arguments,
    .arguments = "RUN|CHECKPOINT",
    .about = "Writes the output of one layer of a trained net for every row of every split as "
             "the x of a new data set, alone or under mpirun. Everything else that the source "
             "holds about each row (y, length) and its attributes are copied, so that train "
             "takes the new data set. The source needs no y. " LS_FORWARD_SOURCE,
    .more = "Example:\n"
            "  lockstep extract runs/lenet --layer dense1 --data new.h5 -o features.h5",
    .arguments_min = 1,
    .arguments_max = 1,
};

static bool collect(void *outputs, long rows, const real *y, ls_error *error)
{
    return ls_rowfile_add(((ls_forward_outputs *)outputs)->file, rows, &y, error);
}

/* Finds a layer by its name, "conv1" or "net/conv1"; the error names all layers, and the nearest.
 */
static bool find_layer(const ls_task *task, const char *asked, ls_forward_outputs *found,
                       ls_error *error)
{
    const char *nearest = NULL;
    char list[1024] = "";
    found->layer = -1;
    for (int n = 0; n < task->nets && found->layer < 0; n++) {
        const ls_net *net = found->net = task->net[n];
        const char **names = ls_alloc((size_t)net->count, sizeof *names);
        for (int i = 0; i < net->count; i++) {
            char full[2 * LS_WORD];
            names[i] = net->layers[i]->name;
            snprintf(full, sizeof full, "%s/%s", net->name, names[i]);
            ls_format_join(list, sizeof list, task->nets > 1 ? full : names[i]);
            if (strcmp(asked, full) == 0 || strcmp(asked, names[i]) == 0)
                found->layer = i;
        }
        nearest = nearest ? nearest : ls_nearest(asked, names, net->count, sizeof *names);
        ls_free(names);
    }
    if (found->layer >= 0)
        return ls_shape_equal(&found->net->x, &task->x) ||
               ls_error_set(error, LS_USAGE,
                            "the net %s of layer %s does not take rows of the data",
                            found->net->name, found->net->layers[found->layer]->name);
    return ls_error_set(error, LS_USAGE, "there is no layer %s%s%s%s The layers are %s%s", asked,
                        nearest ? ": did you mean " : "", nearest ? nearest : "",
                        nearest ? "?" : ".", list,
                        strlen(list) + 1 < sizeof list ? "" : " ... (`inspect` has them all)");
}

/* On rank 0: makes the split's x, whose numbers come later, and copies everything else that the
 * source has in this split. */
static bool begin_split(const ls_forward *f, const ls_layer *layer, const ls_split *split,
                        ls_error *error)
{
    const char *source = ls_dataset_path(f->saved.session.data);
    char path[64];
    snprintf(path, sizeof path, "%s/x", split->name);
    const ls_rowfile_array array = {path, layer->y, false};
    return ls_rowfile_begin(f->file, &array, 1, split->x.rows, error) &&
           ls_rowfile_text(f->file, path, "layer", layer->name, error) &&
           ls_rowfile_copy_beside(f->file, source, &split->x, split->name, error) &&
           ls_rowfile_copy_attributes(f->file, source, split->name, error);
}

static void print(const ls_forward *f, const ls_layer *layer)
{
    char shape[96];
    ls_print(stdout, "%s: %s of %s (step %ld), %s a row\n", f->arguments.output, layer->name,
             f->saved.path, f->saved.step, ls_shape_text(&layer->y, shape, sizeof shape));
    for (int id = 0; id < LS_SPLITS; id++) {
        const ls_split *split = ls_dataset_split(f->saved.session.data, (ls_split_id)id);
        if (split->present)
            ls_print(stdout, "  %-5s  %ld rows\n", split->name, split->x.rows);
    }
}

static bool extract(ls_forward *f, ls_error *error)
{
    ls_forward_outputs outputs = {.collect = collect};
    const ls_dataset *data = f->saved.session.data;
    bool first = f->comm->rank == 0;
    if (!find_layer(&f->saved.session.task, f->arguments.layer, &outputs, error))
        return false;
    const ls_layer *layer = outputs.net->layers[outputs.layer];
    bool begun = !first || (ls_forward_begin(f, error) &&
                            ls_rowfile_copy_attributes(f->file, ls_dataset_path(data), "/", error));
    bool ok = ls_comm_agree(f->comm, begun, error);
    for (int id = 0; ok && id < LS_SPLITS; id++) {
        const ls_split *split = ls_dataset_split(data, (ls_split_id)id);
        outputs.split = (ls_split_id)id;
        ok = !split->present ||
             (ls_comm_agree(f->comm, !first || begin_split(f, layer, split, error), error) &&
              ls_forward_rows(f, &outputs, error));
    }
    ok = ok && ls_forward_finish(f, error);
    if (ok && first)
        print(f, layer);
    return ok;
}

int ls_command_extract(int argc, char **argv)
{
    static const ls_forward_command command = {.usage = &ls_usage_extract, .run = extract};
    return ls_forward_main(&command, argc, argv);
}
