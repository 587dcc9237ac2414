/* extract: the output of one layer for every row of every split, as a data set; whatever else the
 * source holds about each row is copied, and so are its attributes. */
#include <string.h>

#include "core/print.h"
#include "launch/apply/forward.h"
#include "launch/session/layer_name.h"

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
    .arguments = "RUN|CHECKPOINT|JOB.yaml",
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

/* The layer that --layer names, of a net that takes rows of the data. */
static bool find_layer(const ls_task *task, const char *asked, ls_forward_outputs *found,
                       ls_error *error)
{
    ls_named_layer named;
    if (!ls_layer_name_find(task, asked, &named, error))
        return false;
    found->net = named.net;
    found->layer = named.number;
    return ls_shape_equal(&found->net->x, &task->x) ||
           ls_error_set(error, LS_USAGE, "the net %s of layer %s does not take rows of the data",
                        named.net->name, named.layer->name);
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
           ls_rowfile_copy_attributes(f->file, source, split->name, split->name, error);
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
    bool begun =
        !first || (ls_forward_begin(f, error) &&
                   ls_rowfile_copy_attributes(f->file, ls_dataset_path(data), "/", "/", error));
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
