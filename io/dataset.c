/* dataset: opens a data file, checks that its splits fit together, and reads their rows: column.c
 * reads and converts them, transform.c changes x as the job asks for. */
#include "io/dataset.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/memory.h"
#include "core/minmax.h"
#include "io/column.h"
#include "io/dataset_check.h"
#include "io/dataset_names.h"
#include "io/describe.h"
#include "io/file.h"
#include "io/h5/h5_lock.h"
#include "io/labels.h"
#include "io/lengths.h"
#include "io/stream.h"
#include "io/target_rules.h"
#include "io/transform.h"

enum { GROUP_BYTES = 1 << 20 }; /* of rows that are read, then transformed: they stay in a cache */

struct ls_dataset {
    char *path;
    hid_t file;
    int descriptor; /* of the same file, for pread */
    ls_split split[LS_SPLITS];
    ls_column x[LS_SPLITS], y[LS_SPLITS];
    int32_t *length[LS_SPLITS];     /* as read from the file */
    char unused[512];               /* names in the file that are not used; "" */
    ls_transform_chain *transform;  /* NULL: none */
    ls_target_rules rules, x_rules; /* for targets, and for x */
    long vocabulary;                /* x are tokens below it; 0: any numbers */
    ls_vocabulary *words;           /* what the tokens stand for; NULL: the file does not say */
};

const char *const ls_split_names[LS_SPLITS] = {"train", "valid", "test"};

/* The descriptor is a copy of HDF5's: the same file, even if another file has its name by now. */
static bool open_file(ls_dataset *data, ls_error *error)
{
    data->file = ls_h5_open(data->path, error);
    if (data->file < 0)
        return false;
    int *theirs = NULL;
    if (H5Fget_vfd_handle(data->file, H5P_DEFAULT, (void **)&theirs) >= 0 && theirs)
        data->descriptor = ls_file_double(*theirs);
    return data->descriptor >= 0 || ls_error_set(error, LS_IO, "%s: can't open it for reading: %s",
                                                 data->path, strerror(errno));
}

/* A data set without `length` has rows of one length. */
static bool open_length(ls_dataset *data, ls_split_id id, int place, ls_error *error)
{
    ls_split *split = &data->split[id];
    char path[sizeof split->x.path];
    bool exists;
    ls_dataset_check_place(place, split->name, "length", path, sizeof path);
    if (!ls_dataset_check_exists(data->file, path, &exists, error))
        return false;
    if (exists)
        data->length[id] = ls_lengths_read(split, &data->x[id], data->file, path, error);
    split->length = data->length[id];
    return !exists || split->length;
}

/* A split may be absent, but y needs x. */
static bool open_split(ls_dataset *data, ls_split_id id, int place, ls_error *error)
{
    ls_split *split = &data->split[id];
    char x[sizeof split->x.path], y[sizeof split->y.path];
    ls_dataset_check_place(place, split->name, "x", x, sizeof x);
    ls_dataset_check_place(place, split->name, "y", y, sizeof y);
    bool has_x, has_y;
    if (!ls_dataset_check_exists(data->file, x, &has_x, error) ||
        !ls_dataset_check_exists(data->file, y, &has_y, error))
        return false;
    if (!has_x && !has_y)
        return true;
    if (!has_x)
        return ls_error_set(error, LS_DATA, "%s: has %s, but no %s; expected both", data->path, y,
                            x);
    if (split->present)
        return ls_error_set(error, LS_DATA, "%s: has %s as well as %s; expected one of them",
                            data->path, split->x.path, x);
    split->present = true;
    split->has_y = has_y;
    data->x[id].descriptor = data->y[id].descriptor = data->descriptor;
    data->x[id].dataset = ls_dataset_check_open(data->file, x, &split->x, error);
    if (has_y && data->x[id].dataset >= 0)
        data->y[id].dataset = ls_dataset_check_open(data->file, y, &split->y, error);
    if (data->x[id].dataset < 0 || (has_y && data->y[id].dataset < 0))
        return false;
    if (has_y && split->x.rows != split->y.rows)
        return ls_labels_refuse_rows(split, data->path, error);
    if (split->x.shape.rank == 0)
        split->x.shape = (ls_shape){.rank = 1, .at = {1}};
    split->row = split->x.shape;
    return open_length(data, id, place, error) &&
           (!has_y || ls_labels_recognise(split, &data->y[id], error));
}

static bool open_splits(ls_dataset *data, ls_error *error)
{
    bool found = false;
    for (int place = 0; place < LS_DATASET_CHECK_PLACES; place++)
        for (int id = 0; id < LS_SPLITS; id++) {
            if (!open_split(data, (ls_split_id)id, place, error))
                return false;
            found = found || data->split[id].present;
        }
    char names[1024];
    ls_dataset_names_unused(data->file, data->unused, sizeof data->unused);
    return found ||
           ls_error_set(error, LS_DATA,
                        "%s: holds no data set: expected groups train, valid or test, each with x "
                        "[rows, ...] and y, or x_train, y_train, ... at the root; found %s",
                        data->path,
                        ls_dataset_names_found(data->file, data->path, names, sizeof names));
}

/* Whether `array` (NULL: there is none) has rows of the shape of *first, the first of its kind;
 * and, if it is stored as numbers of the same type, its scale and offset. */
static bool arrays_match(const ls_dataset *data, const ls_array **first, const ls_array *array,
                         ls_error *error)
{
    char found[96], expected[96];
    *first = *first ? *first : array;
    if (array && array->type == (*first)->type &&
        (array->scale != (*first)->scale || array->offset != (*first)->offset))
        return ls_error_set(error, LS_DATA,
                            "%s: %s has scale=%g and offset=%g, but %s has scale=%g and offset=%g: "
                            "their numbers would mean different things; give both the same "
                            "attributes",
                            data->path, array->path, array->scale, array->offset, (*first)->path,
                            (*first)->scale, (*first)->offset);
    return !array || ls_shape_equal(&(*first)->shape, &array->shape) ||
           ls_error_set(error, LS_DATA, "%s: rows of %s are %s, but those of %s are %s", data->path,
                        array->path, ls_shape_text(&array->shape, found, sizeof found),
                        (*first)->path, ls_shape_text(&(*first)->shape, expected, sizeof expected));
}

/* The rows of all splits have one shape and scale. */
static bool splits_match(ls_dataset *data, ls_error *error)
{
    const ls_array *x = NULL, *y = NULL;
    for (int id = 0; id < LS_SPLITS; id++) {
        const ls_split *split = &data->split[id];
        if (!arrays_match(data, &x, split->present ? &split->x : NULL, error) ||
            !arrays_match(data, &y, split->has_y ? &split->y : NULL, error))
            return false;
    }
    return ls_lengths_match(data->split, data->path, error);
}

/* Lengths are in range; from now on rows are read as 0 behind them. */
static bool lengths_fit(ls_dataset *data, ls_error *error)
{
    bool ok = true;
    for (int id = 0; id < LS_SPLITS; id++)
        data->x[id].length = data->split[id].length;
    for (int id = 0; ok && id < LS_SPLITS; id++)
        ok = ls_lengths_check(&data->split[id], data->path, error);
    return ok;
}

/* All splits have one number of classes: the attribute where any split has it, else the largest
 * label of all splits + 1; 1 where all are `ignore`. */
static bool classes_match(ls_dataset *data, ls_error *error)
{
    const ls_split *given = NULL;
    for (int id = 0; id < LS_SPLITS; id++) {
        const ls_split *split = &data->split[id];
        if (given && split->classes && split->classes != given->classes)
            return ls_error_set(
                error, LS_DATA, "%s: %s has attribute classes=%ld, but %s has classes=%ld",
                data->path, split->y.path, split->classes, given->y.path, given->classes);
        given = split->classes ? split : given;
    }
    long classes = given ? given->classes : 0, largest = classes - 1;
    for (int id = 0; id < LS_SPLITS; id++) {
        ls_split *split = &data->split[id];
        split->labelled = split->has_y && (split->y.shape.rank == 0 || given);
        split->classes = split->labelled ? classes : split->classes;
        data->y[id].length = ls_lengths_cut_y(split) ? split->length : NULL;
        if (split->labelled && !ls_labels_check(split, &data->y[id], &largest, error))
            return false;
    }
    for (int id = 0; id < LS_SPLITS; id++)
        if (data->split[id].labelled)
            data->split[id].classes = ls_max(1, largest + 1); /* 0 would say: there are no labels */
    return true;
}

static bool open_vocabulary(ls_dataset *data, ls_error *error)
{
    return ls_vocabulary_read(data->file, &data->words, error);
}

typedef bool check(ls_dataset *, ls_error *);

/* Returns `data` if it passes all checks, each of which relies on those before; else closes it. */
static ls_dataset *open_checked(ls_dataset *data, check *const *checks, ls_error *error)
{
    for (; *checks; checks++)
        if (!(*checks)(data, error)) {
            ls_dataset_close(data);
            return NULL;
        }
    return data;
}

/* A data set without rows yet. */
static ls_dataset *create(const char *path)
{
    ls_dataset *data = ls_alloc(1, sizeof *data);
    data->path = ls_copy_string(path);
    data->file = data->descriptor = -1;
    for (int id = 0; id < LS_SPLITS; id++) {
        ls_split *split = &data->split[id];
        snprintf(split->name, sizeof split->name, "%s", ls_split_names[id]);
        data->x[id] = (ls_column){.file = data->path, .array = &split->x, .dataset = -1};
        data->y[id] = (ls_column){.file = data->path, .array = &split->y, .dataset = -1};
    }
    return data;
}

ls_dataset *ls_dataset_open(const char *path, ls_error *error)
{
    /* The checks of a single array are in dataset_check.c. */
    static check *const checks[] = {open_file,   open_vocabulary, open_splits, splits_match,
                                    lengths_fit, classes_match,   NULL};
    return open_checked(create(path), checks, error);
}

static ls_array describe_rows(const char *split, char letter, long rows, const ls_shape *shape)
{
    ls_array array = {.type = sizeof(real) == sizeof(float) ? LS_F32 : LS_F64,
                      .rows = rows,
                      .shape = *shape,
                      .scale = 1,
                      .start = -1};
    snprintf(array.path, sizeof array.path, "%s/%c", split, letter);
    return array;
}

ls_dataset *ls_dataset_open_rows(const char *name, const ls_dataset_rows *splits, ls_error *error)
{
    static check *const checks[] = {splits_match, lengths_fit, classes_match, NULL};
    ls_dataset *data = create(name);
    for (int id = 0; id < LS_SPLITS; id++) {
        const ls_dataset_rows *from = &splits[id];
        ls_split *split = &data->split[id];
        split->present = from->rows > 0;
        split->has_y = split->present && from->y;
        if (split->present)
            split->x = describe_rows(split->name, 'x', from->rows, &from->x_shape);
        if (from->x_bytes) {
            split->x.type = LS_U8;
            split->x.scale = 1.0 / 255;
        }
        if (split->has_y)
            split->y = describe_rows(split->name, 'y', from->rows, &from->y_shape);
        data->x[id].memory = from->x_bytes ? (const void *)from->x_bytes : from->x;
        data->y[id].memory = from->y;
        split->row = split->x.shape;
        split->length = split->present ? from->length : NULL;
        split->classes = from->classes;
    }
    return open_checked(data, checks, error);
}

bool ls_dataset_unroll(ls_dataset *data, long steps, ls_error *error)
{
    for (int id = 0; id < LS_SPLITS; id++) {
        ls_split *split = &data->split[id];
        if (split->tokens && split->x.shape.at[0] == steps)
            return true;
        if (split->present && !ls_stream_label(split, &data->x[id], &data->y[id], steps, error))
            return false;
    }
    if (!classes_match(data, error))
        return false;
    for (int id = 0; id < LS_SPLITS; id++)
        if (data->split[id].present)
            ls_stream_cut(&data->split[id], &data->x[id], &data->y[id], steps);
    return true;
}

void ls_dataset_add_tails(ls_dataset *data)
{
    bool any = false;
    for (int id = 0; id < LS_SPLITS; id++)
        any |= !data->split[id].length && ls_stream_tail(&data->split[id]) > 0;
    for (int id = 0; any && id < LS_SPLITS; id++)
        if (data->split[id].tokens && !data->split[id].length)
            data->length[id] = ls_stream_add_tail(&data->split[id], &data->x[id], &data->y[id]);
}

void ls_dataset_close(ls_dataset *data)
{
    if (!data)
        return;
    if (data->descriptor >= 0)
        close(data->descriptor);
    if (data->file >= 0)
        H5Fclose(data->file);
    ls_transform_chain_destroy(data->transform);
    ls_vocabulary_destroy(data->words);
    for (int id = 0; id < LS_SPLITS; id++)
        ls_free(data->length[id]);
    ls_free(data->path);
    ls_free(data);
}

void ls_dataset_lock_notice(const ls_dataset *data)
{
    if (data->file >= 0)
        ls_h5_lock_notice(data->file);
}

bool ls_dataset_in_memory(const ls_dataset *data)
{
    return data->file < 0;
}

const char *ls_dataset_path(const ls_dataset *data)
{
    return data->path;
}

const char *ls_dataset_unused(const ls_dataset *data)
{
    return data->unused;
}

/* *bytes are left to the next array. */
static bool keep_column(const ls_dataset *data, ls_column *column, ls_array *array, double *bytes,
                        ls_error *error)
{
    double wanted = fmin(array->unpacked, *bytes);
    if (wanted > array->kept &&
        !ls_dataset_check_reopen(data->file, array, wanted, &column->dataset, error))
        return false;
    *bytes -= fmin(array->kept, *bytes);
    return true;
}

bool ls_dataset_keep(ls_dataset *data, ls_split_id split, double bytes, ls_error *error)
{
    ls_split *from = &data->split[split];
    const bool ok = keep_column(data, &data->x[split], &from->x, &bytes, error) &&
                    keep_column(data, &data->y[split], &from->y, &bytes, error);
    if (from->tokens) /* both are one array of the file */
        data->y[split].dataset = data->x[split].dataset;
    return ok;
}

bool ls_dataset_unpacks(const ls_dataset *data, ls_split_id split, char *text, size_t size)
{
    enum { MIB = 1 << 20 };
    const ls_array *x = &data->split[split].x;
    if (x->kept >= x->unpacked)
        return false;
    snprintf(text, size,
             "%s lies in chunks of %ld rows and %.1f MiB, and %.1f of their %.1f MiB can be kept "
             "unpacked: in a random order each of the other rows unpacks a chunk, which is slow; "
             "`lockstep import h5 %s -o NEW.h5` stores the rows without chunks",
             x->path, x->chunk_rows, x->chunk_bytes / MIB, x->kept / MIB, x->unpacked / MIB,
             data->path);
    return true;
}

double ls_dataset_kept(const ls_dataset *data)
{
    double bytes = 0;
    for (int id = 0; id < LS_SPLITS; id++)
        bytes += data->split[id].x.kept + data->split[id].y.kept;
    return bytes;
}

void ls_dataset_advise(ls_dataset *data, ls_split_id split, char *text, size_t size)
{
    ls_labels_advise(&data->split[split], &data->y[split], text, size);
}

const ls_split *ls_dataset_split(const ls_dataset *data, ls_split_id split)
{
    return &data->split[split];
}

bool ls_dataset_has_lengths(const ls_dataset *data)
{
    return data->split[LS_TRAIN].length || data->split[LS_VALID].length ||
           data->split[LS_TEST].length;
}

ls_split_id ls_split_find(const char *name)
{
    for (int id = 0; name && id < LS_SPLITS; id++)
        if (strcmp(name, ls_split_names[id]) == 0)
            return (ls_split_id)id;
    return LS_SPLITS;
}

bool ls_dataset_transform(ls_dataset *data, const char *lines, ls_error *error)
{
    ls_transform_chain *chain = NULL; /* one for all splits: their rows have one shape */
    for (int id = 0; id < LS_SPLITS; id++) {
        ls_split *split = &data->split[id];
        if (!split->present)
            continue;
        if (lines && !chain && !(chain = ls_transform_chain_create(lines, &split->x.shape, error)))
            return false;
        if (ls_dataset_has_lengths(data) && !ls_lengths_allow(chain, data->path, error)) {
            ls_transform_chain_destroy(chain);
            return false;
        }
        split->row = chain ? chain->y : split->x.shape;
    }
    ls_transform_chain_destroy(data->transform);
    data->transform = chain;
    return true;
}

const char *ls_dataset_mover(const ls_dataset *data)
{
    const ls_transform_chain *chain = data->transform;
    for (int i = 0; chain && i < chain->count; i++)
        if (chain->line[i].type->moves)
            return chain->line[i].type->name;
    return NULL;
}

void ls_dataset_untransform(const ls_dataset *data, long n, real *x)
{
    if (data->transform)
        ls_transform_chain_undo(data->transform, n * ls_shape_count(&data->transform->y), x);
}

static bool read_x(const ls_dataset *data, ls_split_id split, const int64_t *rows, long n,
                   const ls_augment *augment, real *x, ls_error *error)
{
    const ls_transform_chain *chain = data->transform;
    const int64_t *key = augment && augment->place ? augment->place : rows;
    if (!chain)
        return ls_column_read(&data->x[split], rows, n, x, error);
    long in = ls_shape_count(&chain->x), out = ls_shape_count(&chain->y);
    long most = GROUP_BYTES / (in * (long)sizeof(real));
    most = most < 1 ? 1 : most > n ? n : most;
    real *read = ls_alloc((size_t)(most * in), sizeof *read);
    void *scratch = ls_alloc(ls_transform_chain_scratch(chain), 1);
    bool ok = true;
    for (long i = 0, count; ok && i < n; i += count) {
        count = n - i < most ? n - i : most;
        ok = ls_column_read(&data->x[split], rows + i, count, read, error);
        if (ok)
            ls_transform_chain_apply(chain, augment, key + i, count, read, x + i * out, scratch);
        if (ok)
            ls_column_clear_ends(&data->x[split], &chain->y, rows + i, count, x + i * out);
    }
    ls_free(scratch);
    ls_free(read);
    return ok;
}

void ls_dataset_add_rule(ls_dataset *data, const ls_target_rule *rule)
{
    ls_target_rules_add(&data->rules, rule);
}

void ls_dataset_add_x_rule(ls_dataset *data, const ls_target_rule *rule)
{
    ls_target_rules_add(&data->x_rules, rule);
}

const ls_vocabulary *ls_dataset_vocabulary(const ls_dataset *data)
{
    return data->words;
}

void ls_dataset_set_vocabulary(ls_dataset *data, const ls_vocabulary *v)
{
    ls_vocabulary_destroy(data->words);
    data->words = v ? ls_vocabulary_create(v->level, v->token, v->count, v->unknown) : NULL;
}

void ls_dataset_add_vocabulary(ls_dataset *data, long vocabulary)
{
    const long before = data->vocabulary;
    data->vocabulary = before ? ls_min(before, vocabulary) : vocabulary;
}

/* The rows x[n, row] as transformed are tokens, if they must be. */
static bool check_tokens(const ls_dataset *data, const ls_split *split, const int64_t *rows, long n,
                         const real *x, ls_error *error)
{
    const long width = ls_shape_count(&split->row), most = data->vocabulary - 1;
    for (long i = 0; data->vocabulary && i < n * width; i++)
        if (!(x[i] >= 0 && (double)x[i] <= (double)most && x[i] == (real)floor((double)x[i])))
            return ls_error_set(error, LS_DATA,
                                "%s: %s holds %g at row %ld, step %ld%s, but the net takes tokens: "
                                "whole numbers from 0 to %ld (vocabulary=%ld)",
                                data->path, split->x.path, (double)x[i], (long)rows[i / width],
                                i % width, data->transform ? " as transformed" : "", most,
                                data->vocabulary);
    return true;
}

/* Labels were checked when the file was opened: those of another program that writes to it since
 * must not reach a loss, which counts on their range. */
static bool read_y(const ls_dataset *data, ls_split_id split, const int64_t *rows, long n, real *y,
                   ls_error *error)
{
    const ls_split *from = &data->split[split];
    const ls_column *column = &data->y[split];
    return ls_column_read(column, rows, n, y, error) &&
           (from->labelled
                ? ls_labels_take(from, column, rows, n, y, error)
                : ls_target_rules_check(&data->rules, data->path, &from->y, rows, n, y, error));
}

bool ls_dataset_read(ls_dataset *data, ls_split_id split, const int64_t *rows, long n,
                     const ls_augment *augment, real *x, real *y, ls_error *error)
{
    const ls_split *from = &data->split[split];
    ls_check((!x || from->present) && (!y || from->has_y), "%s: split %s has no %s", data->path,
             from->name, from->present ? "y" : "rows");
    return (!x || (read_x(data, split, rows, n, augment, x, error) &&
                   ls_target_rules_check_x(&data->x_rules, data->path, from,
                                           data->transform != NULL, rows, n, x, error) &&
                   check_tokens(data, from, rows, n, x, error))) &&
           (!y || read_y(data, split, rows, n, y, error));
}

bool ls_dataset_read_tokens(ls_dataset *data, ls_split_id id, long first, long n, real *tokens,
                            ls_error *error)
{
    ls_split split = data->split[id];
    ls_column column = data->x[id];
    split.x.rows = split.tokens;
    split.x.shape = split.y.shape = split.row = (ls_shape){.rank = 0};
    column.array = &split.x;
    column.length = NULL;
    int64_t *rows = ls_alloc((size_t)n, sizeof *rows);
    for (long i = 0; i < n; i++)
        rows[i] = first + i;
    const bool ok = ls_column_read(&column, rows, n, tokens, error) &&
                    ls_labels_take(&split, &column, rows, n, tokens, error) &&
                    check_tokens(data, &split, rows, n, tokens, error);
    ls_free(rows);
    return ok;
}

char *ls_dataset_describe(ls_dataset *data, ls_error *error)
{
    char text[LS_SPLITS * 3 * 256] = "";
    bool ok = true;
    for (int id = 0; ok && id < LS_SPLITS; id++) {
        const ls_split *split = &data->split[id];
        ok =
            (!split->present || ls_describe_array(split, &data->x[id], text, sizeof text, error)) &&
            (!split->has_y || ls_describe_array(split, &data->y[id], text, sizeof text, error));
    }
    if (!ok || data->file < 0)
        return ok ? ls_copy_string(text) : NULL;
    ls_describe_weights(&data->split[LS_TRAIN], data->file, text, sizeof text);
    int of = LS_TRAIN; /* whose attributes stand for all */
    while (of + 1 < LS_SPLITS && !data->split[of].present)
        of++;
    char *more = ls_describe_attributes(data->x[of].dataset,
                                        data->split[of].labelled ? data->y[of].dataset : -1);
    char *all = ls_format("%s%s", text, more);
    ls_free(more);
    return all;
}

uint64_t ls_dataset_shape_digest(const ls_dataset *data)
{
    return ls_describe_shapes(data->split);
}
