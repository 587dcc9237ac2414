/* extract: the output of one layer for every row of every split, as a data set; whatever else the
 * source holds about each row is copied, and so are its attributes. Of sequences of unequal length
 * `length` is that of the layer's output. With --frames each step that counts becomes a row, with
 * `row` and `step`, its place in the source. Of a stream of tokens each window is a row, and y the
 * tokens that follow. */
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
    bool frames, y;
    long steps;      /* of a row of the layer's output; 0: it has no time axis */
    int32_t *length; /* [rows] of these, those that count; NULL: all do */
    long rows;       /* of the new data set */
} extraction;

/* The steps of a row that are rows of the new data set. */
static long frames_of(const extraction *e, long row)
{
    return !e->frames ? 1 : e->length ? e->length[row] : e->steps;
}

/* Whether targets are of the steps, each with one of its own. Where rows have no lengths, targets
 * [steps] are a vector of the row. */
static bool has_targets_of_steps(const extraction *e)
{
    const ls_shape *y = &e->split->y.shape;
    const bool row_vector = !e->split->labelled && !e->split->length;
    return y->rank > row_vector && y->at[0] == e->steps;
}

/* Whether y is made here, not copied: that of frames, and of a stream, whose labels are tokens. */
static bool makes_y(const extraction *e)
{
    return e->frames ? e->split->has_y : e->split->tokens && has_targets_of_steps(e);
}

static bool add_rows(const extraction *e, const ls_forward_outputs *o, long rows, const real *x,
                     const real *y, ls_error *error)
{
    int64_t *length = ls_alloc((size_t)rows, sizeof *length);
    for (long r = 0; e->length && r < rows; r++)
        length[r] = e->length[o->row + r];
    const void *const values[] = {x, e->length ? (const void *)length : y, y};
    const bool ok = ls_rowfile_add(o->file, rows, values, error);
    ls_free(length);
    return ok;
}

/* Writes the steps that count of a row of the data, each with its target: y is the row's. */
static bool add_row_of_frames(const extraction *e, const ls_forward_outputs *o, long row,
                              const real *x, const real *y, ls_error *error)
{
    const long n = frames_of(e, row), numbers = ls_shape_count(&e->split->y.shape);
    int64_t *rows = ls_alloc((size_t)n, sizeof *rows), *step = ls_alloc((size_t)n, sizeof *step);
    real *repeated = ls_alloc((size_t)(n * numbers), sizeof *repeated);
    for (long t = 0; t < n; t++) {
        rows[t] = row;
        step[t] = t;
        if (e->split->has_y)
            memcpy(repeated + t * numbers, y, (size_t)numbers * sizeof *y);
    }
    const void *const values[] = {x, rows, step, has_targets_of_steps(e) ? y : repeated};
    const bool ok = ls_rowfile_add(o->file, n, values, error);
    ls_free(repeated);
    ls_free(step);
    ls_free(rows);
    return ok;
}

static bool add_frames(const extraction *e, const ls_forward_outputs *o, long rows, const real *x,
                       const real *y, ls_error *error)
{
    const long numbers = ls_shape_count(&e->split->y.shape);
    bool ok = true;
    for (long r = 0; ok && r < rows; r++)
        ok = add_row_of_frames(e, o, o->row + r, x + r * o->width, y + r * numbers, error);
    return ok;
}

static bool collect(void *outputs, long rows, const real *x, ls_error *error)
{
    ls_forward_outputs *o = outputs;
    const extraction *e = o->context;
    real *y = ls_alloc((size_t)(rows * ls_shape_count(&e->split->y.shape)), sizeof *y);
    int64_t *row = ls_alloc((size_t)rows, sizeof *row);
    for (long r = 0; r < rows; r++)
        row[r] = o->row + r;
    const bool ok =
        (!makes_y(e) || ls_dataset_read(e->data, e->id, row, rows, NULL, NULL, y, error)) &&
        (e->frames ? add_frames : add_rows)(e, o, rows, x, y, error);
    o->row += rows;
    ls_free(row);
    ls_free(y);
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

/* Finds the steps of the layer's output. Free e->length. */
static bool find_steps(extraction *e, const ls_net *net, int layer, ls_error *error)
{
    const ls_shape *x = &e->split->row;
    const bool labelled = e->split->labelled && e->split->y.shape.rank > 0;
    e->steps = x->rank > 0 ? ls_net_steps_after(net, layer, x->at[0]) : 0;
    if (e->split->length && e->steps)
        e->length = ls_alloc((size_t)e->split->x.rows, sizeof *e->length);
    for (long r = 0; e->length && r < e->split->x.rows; r++)
        e->length[r] = (int32_t)ls_net_steps_after(net, layer, e->split->length[r]);
    for (long r = 0; (e->steps || !e->frames) && r < e->split->x.rows; r++)
        e->rows += frames_of(e, r);
    if (e->frames && !e->steps)
        return ls_error_set(error, LS_USAGE,
                            "--frames: the output of %s has no steps of a sequence: leave it out",
                            e->layer->name);
    return !e->frames || !labelled || has_targets_of_steps(e) ||
           ls_error_set(error, LS_USAGE,
                        "--frames: %s holds labels of %ld steps, but the output of %s has %ld",
                        e->split->y.path, e->split->y.shape.at[0], e->layer->name, e->steps);
}

/* Makes the arrays whose numbers come later, in the order of add_rows, and copies everything else
 * that the source has in this split. */
static bool begin_rows(const ls_forward *f, const extraction *e, const char *x, const char *y,
                       ls_error *error)
{
    const ls_split *split = e->split;
    const char *source = ls_dataset_path(e->data);
    char path[64];
    snprintf(path, sizeof path, "%s/length", split->name);
    const ls_rowfile_array length = {path, {.rank = 0}, LS_ROWFILE_COUNTS};
    const ls_rowfile_array labels = {y, split->y.shape, LS_ROWFILE_CLASSES};
    const ls_rowfile_array arrays[] = {
        {x, e->layer->y, LS_ROWFILE_REALS}, e->length ? length : labels, labels};
    return ls_rowfile_begin(f->file, arrays, 1 + !!e->length + makes_y(e), e->rows, error) &&
           ls_rowfile_text(f->file, x, "layer", e->layer->name, error) &&
           (!makes_y(e) || ls_rowfile_count(f->file, y, "classes", split->classes, error)) &&
           ls_rowfile_copy_beside(f->file, source, &split->x, split->name,
                                  split->length ? "length" : NULL, error) &&
           ls_rowfile_copy_attributes(f->file, source, split->name, split->name, error);
}

/* The shape of a row of the new data set. */
static ls_shape shape_of_row(const ls_shape *layer, bool frames)
{
    ls_shape shape = *layer;
    if (frames)
        memmove(shape.at, shape.at + 1, (size_t)--shape.rank * sizeof shape.at[0]);
    return shape;
}

/* Makes the arrays of frames, in the order of add_row_of_frames. */
static bool begin_frames(const ls_forward *f, const extraction *e, const char *x, const char *y,
                         ls_error *error)
{
    const ls_split *split = e->split;
    const ls_rowfile_type type = split->labelled ? LS_ROWFILE_CLASSES : LS_ROWFILE_REALS;
    char row[64], step[64];
    snprintf(row, sizeof row, "%s/row", split->name);
    snprintf(step, sizeof step, "%s/step", split->name);
    const ls_rowfile_array arrays[] = {
        {x, shape_of_row(&e->layer->y, true), LS_ROWFILE_REALS},
        {row, {.rank = 0}, LS_ROWFILE_COUNTS},
        {step, {.rank = 0}, LS_ROWFILE_COUNTS},
        {y, shape_of_row(&split->y.shape, has_targets_of_steps(e)), type}};
    return ls_rowfile_begin(f->file, arrays, 3 + makes_y(e), e->rows, error) &&
           ls_rowfile_text(f->file, x, "layer", e->layer->name, error) &&
           (!split->ignores || ls_rowfile_count(f->file, y, "ignore", -1, error)) &&
           (!split->labelled ||
            ls_rowfile_copy_attributes(f->file, ls_dataset_path(e->data), split->y.path, y, error));
}

/* On rank 0. */
static bool begin_split(const ls_forward *f, const extraction *e, ls_error *error)
{
    char x[64], y[64];
    snprintf(x, sizeof x, "%s/x", e->split->name);
    snprintf(y, sizeof y, "%s/y", e->split->name);
    return (e->frames ? begin_frames : begin_rows)(f, e, x, y, error);
}

/* **Collective.** */
static bool extract_split(ls_forward *f, ls_forward_outputs *outputs, ls_split_id id, long *rows,
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
    *rows = e.rows;
    ls_free(e.length);
    return ok;
}

static void print(const ls_forward *f, const ls_layer *layer, const long rows[LS_SPLITS])
{
    const ls_shape row = shape_of_row(&layer->y, f->arguments.frames);
    char shape[96];
    ls_print(stdout, "%s: %s of %s (step %ld), %s a row\n", f->arguments.output, layer->name,
             f->saved.path, f->saved.step, ls_shape_text(&row, shape, sizeof shape));
    for (int id = 0; id < LS_SPLITS; id++) {
        const ls_split *split = ls_dataset_split(f->saved.session.data, (ls_split_id)id);
        if (split->present)
            ls_print(stdout, "  %-5s  %ld rows\n", split->name, rows[id]);
    }
}

static bool extract(ls_forward *f, ls_error *error)
{
    ls_forward_outputs outputs = {.collect = collect};
    const ls_dataset *data = f->saved.session.data;
    bool first = f->comm->rank == 0;
    long rows[LS_SPLITS];
    if (!find_layer(&f->saved.session.task, f->arguments.layer, &outputs, error))
        return false;
    const ls_layer *layer = outputs.net->layers[outputs.layer];
    const ls_shape *x = &f->saved.session.task.x;
    if (x->rank > 0 && ls_net_steps_after(outputs.net, outputs.layer, x->at[0]))
        ls_dataset_add_tails(f->saved.session.data);
    bool begun =
        !first || (ls_forward_begin(f, error) &&
                   ls_rowfile_copy_attributes(f->file, ls_dataset_path(data), "/", "/", error));
    bool ok = ls_comm_agree(f->comm, begun, error);
    for (int id = 0; ok && id < LS_SPLITS; id++)
        ok = extract_split(f, &outputs, (ls_split_id)id, &rows[id], error);
    ok = ok && ls_forward_finish(f, error);
    if (ok && first)
        print(f, layer, rows);
    return ok;
}

int ls_command_extract(int argc, char **argv)
{
    static const ls_forward_command command = {.usage = &ls_usage_extract, .run = extract};
    return ls_forward_main(&command, argc, argv);
}
