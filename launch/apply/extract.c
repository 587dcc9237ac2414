/* extract: the output of one layer for every row of every split, as a data set; whatever else the
 * source holds about each row is copied, and so are its attributes. Of sequences of unequal length
 * `length` is that of the layer's output. With --frames each step that counts becomes a row. */
#include <string.h>

#include "core/memory.h"
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
                                            {"frames", 0, NULL,
                                             "of sequences: make each step that counts a row of "
                                             "the new data set, with its label or that of its row",
                                             LS_FORWARD_AT(frames)},
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

/* What is written of a split. */
typedef struct extraction {
    ls_dataset *data;
    ls_split_id id;
    const ls_split *split;
    const ls_layer *layer;
    bool frames;
    long steps;      /* of a row of the layer's output; 0: it has no time axis */
    int32_t *length; /* [rows] of these, those that count; NULL: all do */
} extraction;

/* The steps of a row that are rows of the new data set. */
static long frames_of(const extraction *e, long row)
{
    return !e->frames ? 1 : e->length ? e->length[row] : e->steps;
}

static bool add_rows(const extraction *e, const ls_forward_outputs *o, long rows, const real *x,
                     ls_error *error)
{
    real *length = ls_alloc((size_t)rows, sizeof *length);
    for (long r = 0; e->length && r < rows; r++)
        length[r] = (real)e->length[o->row + r];
    const real *const values[] = {x, length};
    const bool ok = ls_rowfile_add(o->file, rows, values, error);
    ls_free(length);
    return ok;
}

/* Whether targets are of the steps, each with one of its own. Where rows have no lengths, targets
 * [steps] are a vector of the row. */
static bool targets_of_steps(const extraction *e)
{
    const ls_shape *y = &e->split->y.shape;
    const bool row_vector = !e->split->labelled && !e->split->length;
    return y->rank > row_vector && y->at[0] == e->steps;
}

/* Writes the steps that count of a row of the data, each with its target: y is the row's. */
static bool add_frames(const extraction *e, const ls_forward_outputs *o, long row, const real *x,
                       const real *y, ls_error *error)
{
    const long n = frames_of(e, row), numbers = ls_shape_count(&e->split->y.shape);
    real *repeated = ls_alloc((size_t)(n * numbers), sizeof *repeated);
    for (long t = 0; e->split->has_y && t < n; t++)
        memcpy(repeated + t * numbers, y, (size_t)numbers * sizeof *y);
    const real *const values[] = {x, targets_of_steps(e) ? y : repeated};
    const bool ok = ls_rowfile_add(o->file, n, values, error);
    ls_free(repeated);
    return ok;
}

static bool add_rows_of_frames(const extraction *e, const ls_forward_outputs *o, long rows,
                               const real *x, ls_error *error)
{
    const long numbers = ls_shape_count(&e->split->y.shape);
    real *y = ls_alloc((size_t)(rows * numbers), sizeof *y);
    int64_t *row = ls_alloc((size_t)rows, sizeof *row);
    for (long r = 0; r < rows; r++)
        row[r] = o->row + r;
    bool ok = !e->split->has_y || ls_dataset_read(e->data, e->id, row, rows, NULL, NULL, y, error);
    for (long r = 0; ok && r < rows; r++)
        ok = add_frames(e, o, o->row + r, x + r * o->width, y + r * numbers, error);
    ls_free(row);
    ls_free(y);
    return ok;
}

static bool collect(void *outputs, long rows, const real *y, ls_error *error)
{
    ls_forward_outputs *o = outputs;
    const extraction *e = o->context;
    const bool ok = (e->frames ? add_rows_of_frames : add_rows)(e, o, rows, y, error);
    o->row += rows;
    return ok;
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

/* The steps of the layer's output that count, of a row that has `length`. */
static long steps_after(const ls_net *net, int layer, int32_t length)
{
    int32_t *steps = ls_alloc((size_t)layer + 1, sizeof *steps);
    ls_net_steps(net, layer + 1, 1, &length, steps);
    const long after = steps[layer];
    ls_free(steps);
    return after;
}

/* Finds the steps of the layer's output. Free e->length. */
static bool find_steps(extraction *e, const ls_net *net, int layer, ls_error *error)
{
    const ls_shape *x = &e->split->row;
    const bool labelled = e->split->labelled && e->split->y.shape.rank > 0;
    e->steps = x->rank > 0 ? steps_after(net, layer, (int32_t)x->at[0]) : 0;
    if (e->split->length && e->steps)
        e->length = ls_alloc((size_t)e->split->x.rows, sizeof *e->length);
    for (long r = 0; e->length && r < e->split->x.rows; r++)
        e->length[r] = (int32_t)steps_after(net, layer, e->split->length[r]);
    if (e->frames && !e->steps)
        return ls_error_set(error, LS_USAGE,
                            "--frames: the output of %s has no steps of a sequence: leave it out",
                            e->layer->name);
    return !e->frames || !labelled || targets_of_steps(e) ||
           ls_error_set(error, LS_USAGE,
                        "--frames: %s holds labels of %ld steps, but the output of %s has %ld",
                        e->split->y.path, e->split->y.shape.at[0], e->layer->name, e->steps);
}

/* Makes the split's x and length, whose numbers come later, and copies everything else that the
 * source has in this split. */
static bool begin_rows(const ls_forward *f, const extraction *e, const char *x, const char *length,
                       ls_error *error)
{
    const ls_split *split = e->split;
    const char *source = ls_dataset_path(e->data);
    const ls_rowfile_array arrays[] = {{x, e->layer->y, false}, {length, {.rank = 0}, true}};
    return ls_rowfile_begin(f->file, arrays, e->length ? 2 : 1, split->x.rows, error) &&
           ls_rowfile_text(f->file, x, "layer", e->layer->name, error) &&
           ls_rowfile_copy_beside(f->file, source, &split->x, split->name,
                                  split->length ? "length" : NULL, error) &&
           ls_rowfile_copy_attributes(f->file, source, split->name, split->name, error);
}

/* Makes x and y of frames. */
static bool begin_frames(const ls_forward *f, const extraction *e, const char *x, const char *y,
                         ls_error *error)
{
    const ls_split *split = e->split;
    ls_shape frame = {.rank = e->layer->y.rank - 1}, target = split->y.shape;
    memcpy(frame.at, e->layer->y.at + 1, (size_t)frame.rank * sizeof frame.at[0]);
    if (targets_of_steps(e))
        memmove(target.at, target.at + 1, (size_t)--target.rank * sizeof target.at[0]);
    const ls_rowfile_array arrays[] = {{x, frame, false}, {y, target, split->labelled}};
    long rows = 0;
    for (long r = 0; r < split->x.rows; r++)
        rows += frames_of(e, r);
    return ls_rowfile_begin(f->file, arrays, split->has_y ? 2 : 1, rows, error) &&
           ls_rowfile_text(f->file, x, "layer", e->layer->name, error) &&
           (!split->labelled ||
            ls_rowfile_copy_attributes(f->file, ls_dataset_path(e->data), split->y.path, y, error));
}

/* On rank 0. */
static bool begin_split(const ls_forward *f, const extraction *e, ls_error *error)
{
    char x[64], other[64];
    snprintf(x, sizeof x, "%s/x", e->split->name);
    snprintf(other, sizeof other, "%s/%s", e->split->name, e->frames ? "y" : "length");
    return (e->frames ? begin_frames : begin_rows)(f, e, x, other, error);
}

/* **Collective.** */
static bool extract_split(ls_forward *f, ls_forward_outputs *outputs, ls_split_id id,
                          ls_error *error)
{
    ls_dataset *data = f->saved.session.data;
    extraction e = {.data = data,
                    .id = id,
                    .split = ls_dataset_split(data, id),
                    .layer = outputs->net->layers[outputs->layer],
                    .frames = f->arguments.frames};
    outputs->split = id;
    outputs->context = &e;
    outputs->row = 0;
    const bool ok =
        !e.split->present ||
        (find_steps(&e, outputs->net, outputs->layer, error) &&
         ls_comm_agree(f->comm, f->comm->rank != 0 || begin_split(f, &e, error), error) &&
         ls_forward_rows(f, outputs, error));
    ls_free(e.length);
    return ok;
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
    for (int id = 0; ok && id < LS_SPLITS; id++)
        ok = extract_split(f, &outputs, (ls_split_id)id, error);
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
