/* h5: import of HDF5 files of any form into data files: contiguous rows in native byte order, under
 * the names train/x, train/y and so on. Block by block: the files may be larger than memory.
 * h5_source finds the arrays, h5_rows reads them, h5_targets decides what y holds. */
#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "core/minmax.h"
#include "core/print.h"
#include "io/atomic_file.h"
#include "io/dataset_check.h"
#include "io/import/h5_keep.h"
#include "io/import/h5_source.h"
#include "io/import/h5_targets.h"
#include "io/output.h"
#include "io/vocabulary.h"

enum { MORE = LS_H5_SOURCE_ARRAYS - LS_H5_SOURCE_LENGTH };

/* A split of the data file, and where its rows come from. */
typedef struct part {
    bool present, has_y, has_more[MORE];
    ls_h5_rows x, y, more[MORE]; /* length and weight */
    long valid;                  /* so many of its rows go to the split valid */
    ls_classes classes;
} part;

typedef struct job {
    const ls_import *import;
    FILE *report;
    ls_h5_renames renames;
    ls_h5_source source[2]; /* the second file is for testing */
    part part[LS_SPLITS];
    ls_h5_targets targets;
    hid_t file; /* that is made */
} job;

/* Where the rows of one array go. */
typedef struct sink {
    const ls_import *import;
    part *part;
    hid_t to[2]; /* the split's own data set, and that of valid; -1: there is none */
    hid_t memory;
    size_t row_bytes;
    char *chosen; /* room for the rows of a block */
    long written[2];
    bool said; /* that the array holds NaN or infinity */
} sink;

/* Whether a row goes to the split valid. Tokens of a text, whose x is [tokens] and which has no y,
 * are parted by place, so that both parts stay texts. */
static bool goes_to_valid(const sink *s, long row)
{
    const ls_h5_rows *x = &s->part->x;
    const bool text = x->rank == 1 && !s->part->has_y && x->type != LS_F32 && x->type != LS_F64;
    return text ? row >= x->rows - s->part->valid : ls_import_in_valid(s->import, x->rows, row);
}

/* Writes a block of rows that begins at row `first` of the source. */
static bool write_block(sink *s, long first, long n, const char *block, ls_error *error)
{
    if (s->part->valid == 0)
        return ls_h5_write_rows(s->to[0], s->memory, first, n, block, error);
    bool ok = true;
    for (int valid = 0; ok && valid < 2; valid++) {
        long count = 0;
        for (long i = 0; i < n; i++)
            if (valid == goes_to_valid(s, first + i))
                memcpy(s->chosen + (size_t)count++ * s->row_bytes, block + (size_t)i * s->row_bytes,
                       s->row_bytes);
        ok = count == 0 ||
             ls_h5_write_rows(s->to[valid], s->memory, s->written[valid], count, s->chosen, error);
        s->written[valid] += count;
    }
    return ok;
}

static const ls_h5_rows *rows_of(const part *p, int array)
{
    return array == LS_H5_SOURCE_X   ? &p->x
           : array == LS_H5_SOURCE_Y ? &p->y
                                     : &p->more[array - LS_H5_SOURCE_LENGTH];
}

/* Creates the array, such as LS_H5_SOURCE_X, of the split, and of valid if rows go there; its rows
 * are `dims`, of `rank` dimensions with the rows. The attributes of the source are kept. */
static bool open_sink(job *j, int split, int array, ls_dtype type, int rank, const hsize_t *dims,
                      sink *s, ls_error *error)
{
    part *p = &j->part[split];
    const ls_h5_rows *from = rows_of(p, array);
    hsize_t shape[LS_MAX_RANK + 1];
    const long rows[2] = {p->x.rows - p->valid, p->valid};
    *s = (sink){.import = j->import, .part = p, .to = {-1, -1}, .row_bytes = ls_dtype_size(type)};
    s->memory = ls_dataset_check_memory_type(type);
    for (int i = 1; i < rank; i++)
        s->row_bytes *= shape[i] = dims[i];
    s->chosen = ls_alloc(p->valid ? (size_t)from->block : 0, s->row_bytes);
    bool ok = true;
    for (int i = 0; ok && i < 2 && rows[i] > 0; i++) {
        char path[32];
        shape[0] = (hsize_t)rows[i];
        snprintf(path, sizeof path, "%s/%s", ls_split_names[i ? LS_VALID : split],
                 ls_h5_source_arrays[array]);
        s->to[i] = ls_h5_create_dataset(j->file, path, s->memory, rank, shape, error);
        ok = s->to[i] >= 0 && ls_h5_keep_attributes(from->dataset, s->to[i], from->path,
                                                    i ? NULL : j->report, error);
    }
    return ok;
}

static void close_sink(const sink *s)
{
    ls_h5_close(s->to[0]);
    ls_h5_close(s->to[1]);
    ls_free(s->chosen);
}

/* The first of n floats that is NaN or infinite; -1: none, or they are whole numbers. */
static long find_bad(ls_dtype type, const void *numbers, long n)
{
    for (long i = 0; i < n; i++)
        if ((type == LS_F32 && !isfinite(((const float *)numbers)[i])) ||
            (type == LS_F64 && !isfinite(((const double *)numbers)[i])))
            return i;
    return -1;
}

/* Reads rows [first, first + n) of an array into a block, as they are to be written. */
typedef bool read_block(job *j, sink *s, const ls_h5_rows *from, long first, long n, void *block,
                        ls_error *error);

/* Copies an array block by block. */
static bool copy_rows(job *j, sink *s, const ls_h5_rows *from, read_block *read, ls_error *error)
{
    char *block = ls_alloc((size_t)from->block, s->row_bytes);
    bool ok = true;
    for (long first = 0, n; ok && first < from->rows; first += n) {
        n = ls_min(from->rows - first, from->block);
        ok = read(j, s, from, first, n, block, error) && write_block(s, first, n, block, error);
    }
    ls_free(block);
    return ok;
}

/* The numbers of x or of targets as they are; the first NaN or infinity of the array is told. */
static bool read_numbers(job *j, sink *s, const ls_h5_rows *from, long first, long n, void *block,
                         ls_error *error)
{
    if (!ls_h5_rows_read(from, first, n, block, error))
        return false;
    long bad = !s->said && j->report ? find_bad(from->type, block, n * from->width) : -1;
    if (bad >= 0)
        ls_print(j->report,
                 "note: %s holds NaN or infinity, first at row %ld; training "
                 "refuses such rows\n",
                 from->path, first + bad / from->width);
    s->said = s->said || bad >= 0;
    return true;
}

/* One column of whole numbers as the targets that --y says they are: as float64, for whole numbers
 * would be labels. */
static bool read_whole_targets(job *j, sink *s, const ls_h5_rows *from, long first, long n,
                               void *block, ls_error *error)
{
    return ls_h5_rows_read_doubles(from, first, n, block, error);
}

/* The classes of the rows, which are counted. */
static bool read_labels(job *j, sink *s, const ls_h5_rows *from, long first, long n, void *block,
                        ls_error *error)
{
    double *numbers = ls_alloc((size_t)(n * from->width), sizeof *numbers);
    bool ok =
        ls_h5_targets_labels(&j->targets, from, first, n, numbers, block, &s->part->classes, error);
    ls_free(numbers);
    return ok;
}

/* Labels of steps, counted from 0. Those behind a row's end may be any numbers, so none is judged,
 * and one that is too small for an int64 becomes a large one, which is no label either. */
static bool read_steps(job *j, sink *s, const ls_h5_rows *from, long first, long n, void *block,
                       ls_error *error)
{
    int64_t *labels = block;
    if (!ls_h5_rows_read_longs(from, first, n, labels, error))
        return false;
    for (long i = 0; i < n * from->width; i++)
        labels[i] = (int64_t)((uint64_t)labels[i] - (uint64_t)j->targets.first);
    return true;
}

static bool write_x(job *j, int split, ls_error *error)
{
    sink s;
    const ls_h5_rows *x = &j->part[split].x;
    bool ok = open_sink(j, split, LS_H5_SOURCE_X, x->type, x->rank, x->dims, &s, error) &&
              copy_rows(j, &s, x, read_numbers, error);
    for (int i = 0; ok && j->import->channels_first && x->rank == 4 && i < 2; i++)
        ok = s.to[i] < 0 || ls_h5_put_text(s.to[i], "layout", "NHWC", error);
    close_sink(&s);
    return ok;
}

/* Whether y is written as one column of labels. */
static bool becomes_labels(const job *j)
{
    return j->targets.meaning == LS_H5_LABELS || j->targets.meaning == LS_H5_ONE_HOT;
}

/* Makes the attributes of the y that was written fit what it holds: those of labels would make
 * labels of targets, and the number that stands for no label has moved with the labels. */
static bool settle_attributes(const ls_h5_targets *t, hid_t y, ls_error *error)
{
    static const char *const names[] = {"classes", "class_names", "ignore", "labels_from"};
    for (int i = 0; t->meaning == LS_H5_TARGETS && i < (int)(sizeof names / sizeof *names); i++)
        if (H5Aexists(y, names[i]) > 0)
            H5Adelete(y, names[i]);
    return !t->ignores || !ls_h5_targets_numbered(t) ||
           ls_h5_put_long(y, "ignore", t->ignore - t->first, error);
}

static bool write_y(job *j, int split, ls_error *error)
{
    sink s;
    const ls_h5_rows *y = &j->part[split].y;
    const hsize_t column[2] = {y->dims[0], 1};
    bool labels = becomes_labels(j), single = y->width == 1, ok;
    bool whole = single && y->type != LS_F32 && y->type != LS_F64;
    if (labels)
        ok = open_sink(j, split, LS_H5_SOURCE_Y, LS_I32, 1, column, &s, error) &&
             copy_rows(j, &s, y, read_labels, error);
    else if (j->targets.meaning == LS_H5_STEPS && j->targets.first)
        ok = open_sink(j, split, LS_H5_SOURCE_Y, LS_I64, y->rank, y->dims, &s, error) &&
             copy_rows(j, &s, y, read_steps, error);
    else if (whole)
        ok = open_sink(j, split, LS_H5_SOURCE_Y, LS_F64, 2, column, &s, error) &&
             copy_rows(j, &s, y, read_whole_targets, error);
    else
        ok = open_sink(j, split, LS_H5_SOURCE_Y, y->type, single ? 2 : y->rank,
                       single ? column : y->dims, &s, error) &&
             copy_rows(j, &s, y, read_numbers, error);
    for (int i = 0; ok && i < 2; i++)
        ok = s.to[i] < 0 || settle_attributes(&j->targets, s.to[i], error);
    close_sink(&s);
    return ok;
}

/* Writes length and weight, a number a row. */
static bool write_more(job *j, int split, ls_error *error)
{
    bool ok = true;
    for (int i = 0; ok && i < MORE; i++) {
        sink s;
        const ls_h5_rows *from = &j->part[split].more[i];
        if (!j->part[split].has_more[i])
            continue;
        ok = open_sink(j, split, LS_H5_SOURCE_LENGTH + i, from->type, 1, from->dims, &s, error) &&
             copy_rows(j, &s, from, read_numbers, error);
        close_sink(&s);
    }
    return ok;
}

/* Copies /vocabulary, where lockstep has written it: that of the first file, of which the second
 * may have no other. */
static bool write_vocabulary(const job *j, ls_error *error)
{
    ls_vocabulary *v[2] = {NULL, NULL};
    bool ok = true;
    for (int i = 0; ok && i < 2; i++)
        ok = !j->source[i].vocabulary || ls_vocabulary_read(j->source[i].file, &v[i], error);
    ok = ok && ls_vocabulary_same(j->source[0].path, v[0], j->source[1].path, v[1], error) &&
         (!v[0] || ls_vocabulary_write(j->file, v[0], error));
    ls_vocabulary_destroy(v[0]);
    ls_vocabulary_destroy(v[1]);
    return ok;
}

/* Whether the file that is made has this array; its group may be missing. */
static bool made(const job *j, const char *path)
{
    char group[16];
    snprintf(group, sizeof group, "%.*s", (int)strcspn(path, "/"), path);
    return H5Lexists(j->file, group, H5P_DEFAULT) > 0 && H5Lexists(j->file, path, H5P_DEFAULT) > 0;
}

static long count_classes(const ls_h5_targets *t)
{
    return t->given ? t->given : t->largest + 1;
}

/* Writes to each y how many classes there are, and judges those of the first split. */
static bool put_classes(job *j, ls_error *error)
{
    ls_h5_targets *t = &j->targets;
    long classes = count_classes(t);
    bool ok = true, judged = false;
    for (int i = 0; ok && i < LS_SPLITS; i++) {
        char path[32];
        part *p = &j->part[i];
        snprintf(path, sizeof path, "%s/y", ls_split_names[i]);
        if (p->has_y && !judged) {
            judged = true;
            p->classes.first = t->first;
            p->classes.given = t->given > 0;
            char *where = ls_format("%s: %s", j->source[0].path, p->y.path);
            ok = ls_classes_check(&p->classes, where, NULL, NULL, j->report, error);
            ls_free(where);
        }
        if (!ok || !made(j, path))
            continue;
        hid_t y = ls_h5_dataset(j->file, path, error);
        ok = y >= 0 && ls_h5_put_long(y, "classes", classes, error);
        ls_h5_close(y);
    }
    return ok;
}

static void report_array(const job *j, const char *name, const char *path)
{
    ls_array array;
    ls_error ignored;
    hid_t dataset = ls_dataset_check_open(j->file, path, &array, &ignored);
    if (dataset < 0)
        return;
    ls_print(j->report, "  %s %s [%ld", name, ls_dtype_name(array.type), array.rows);
    for (int i = 0; i < array.shape.rank; i++)
        ls_print(j->report, ", %ld", array.shape.at[i]);
    ls_print(j->report, "]");
    H5Dclose(dataset);
}

/* Says what each split of the finished file holds. */
static void report_splits(const job *j)
{
    const ls_h5_targets *t = &j->targets;
    for (int i = 0; j->report && i < LS_SPLITS; i++) {
        char x[32], y[32];
        snprintf(x, sizeof x, "%s/x", ls_split_names[i]);
        snprintf(y, sizeof y, "%s/y", ls_split_names[i]);
        if (!made(j, x))
            continue;
        ls_print(j->report, "%-5s", ls_split_names[i]);
        report_array(j, "x", x);
        bool has_y = made(j, y);
        if (has_y)
            report_array(j, "y", y);
        if (has_y && t->meaning != LS_H5_TARGETS)
            ls_print(j->report, "  %ld classes", count_classes(t));
        for (int k = LS_H5_SOURCE_LENGTH; k < LS_H5_SOURCE_ARRAYS; k++) {
            snprintf(y, sizeof y, "%s/%s", ls_split_names[i], ls_h5_source_arrays[k]);
            if (made(j, y))
                report_array(j, ls_h5_source_arrays[k], y);
        }
        ls_print(j->report, "\n");
    }
}

static bool fill_file(void *context, hid_t file, ls_error *error)
{
    job *j = context;
    bool labels = false;
    j->file = file;
    if (!ls_h5_keep_attributes(j->source[0].file, file, "the file", j->report, error))
        return false;
    for (int i = 0; i < LS_SPLITS; i++) {
        const part *p = &j->part[i];
        if (p->present && (!write_x(j, i, error) || (p->has_y && !write_y(j, i, error)) ||
                           !write_more(j, i, error)))
            return false;
        labels = labels || (p->has_y && becomes_labels(j));
    }
    if ((labels && !put_classes(j, error)) || !write_vocabulary(j, error))
        return false;
    report_splits(j);
    return true;
}

/* A picture whose channels seem to come first gets a word, for a net would read it as rows of
 * pixels. */
static bool check_order(const job *j, const ls_h5_rows *x, ls_error *error)
{
    char *layout = NULL;
    bool present;
    if (!ls_h5_get_text(x->dataset, "layout", &layout, &present, error))
        return false;
    bool first = present && strcmp(layout, "NCHW") == 0, asked = j->import->channels_first;
    ls_free(layout);
    if (first && !asked)
        return ls_h5_fail(error, LS_USAGE, x->dataset,
                          "%s has the attribute layout=NCHW: give --channels-first", x->path);
    const hsize_t *d = x->dims;
    if (j->report && !asked && x->rank == 4 && (d[1] == 1 || d[1] == 3) && d[2] > 4 && d[3] > 4)
        ls_print(j->report,
                 "note: %s is read as height %llu, width %llu, %llu channels; if its channels come "
                 "first, --channels-first turns it\n",
                 x->path, (unsigned long long)d[1], (unsigned long long)d[2],
                 (unsigned long long)d[3]);
    return true;
}

/* Opens length and weight of a split of a file, where it has them. */
static bool open_more(part *p, const ls_h5_source *source, int split, int order, ls_error *error)
{
    for (int i = 0; i < MORE; i++) {
        const int array = LS_H5_SOURCE_LENGTH + i;
        ls_h5_rows *rows = &p->more[i];
        p->has_more[i] = source->array[split][array] >= 0;
        if (!p->has_more[i])
            continue;
        if (!ls_h5_rows_open(rows, source->array[split][array], source->name[split][array], order,
                             error))
            return false;
        if (rows->rows != p->x.rows || rows->width != 1)
            return ls_error_set(error, LS_DATA,
                                "%s: %s has %ld rows of %ld numbers; expected a number for each of "
                                "the %ld rows of %s",
                                source->path, rows->path, rows->rows, rows->width, p->x.rows,
                                p->x.path);
    }
    return true;
}

static int count_dimensions(hid_t dataset)
{
    hid_t space = H5Dget_space(dataset);
    const int count = H5Sget_simple_extent_ndims(space);
    H5Sclose(space);
    return count;
}

/* Opens the rows of a split of a file as those of the split `to`. */
static bool open_part(job *j, const ls_h5_source *source, int split, int to, ls_error *error)
{
    part *p = &j->part[to];
    const hid_t *array = source->array[split];
    char *const *name = source->name[split];
    int order = (j->import->channels_first ? LS_H5_CHANNELS_FIRST : 0),
        reversed = j->import->matlab ? LS_H5_REVERSED : 0;
    if (p->present)
        return ls_error_set(error, LS_DATA, "%s: has a split %s, as %s has", source->path,
                            ls_split_names[to], j->source[0].path);
    p->present = true;
    p->has_y = array[LS_H5_SOURCE_Y] >= 0;
    if (!ls_h5_rows_open(&p->x, array[LS_H5_SOURCE_X], name[LS_H5_SOURCE_X], order | reversed,
                         error) ||
        !check_order(j, &p->x, error))
        return false;
    if (!open_more(p, source, split, reversed, error))
        return false;
    if (!p->has_y)
        return true;
    if (count_dimensions(array[LS_H5_SOURCE_Y]) < 4) /* no pictures */
        order = 0;
    if (!ls_h5_rows_open(&p->y, array[LS_H5_SOURCE_Y], name[LS_H5_SOURCE_Y], order | reversed,
                         error))
        return false;
    return p->x.rows == p->y.rows ||
           ls_error_set(error, LS_DATA, "%s: %s has %ld rows, but %s has %ld; expected as many%s",
                        source->path, p->x.path, p->x.rows, p->y.path, p->y.rows,
                        j->import->matlab ? ""
                                          : " (if MATLAB wrote the file, its dimensions are "
                                            "reversed: --matlab turns them)");
}

/* Whether the rows of all splits are alike, and valid rows can be split off. */
static bool parts_fit(job *j, ls_error *error)
{
    const part *first = NULL;
    for (int i = 0; i < LS_SPLITS; i++) {
        const part *p = &j->part[i];
        if (!p->present)
            continue;
        first = first ? first : p;
        bool alike = p->x.width == first->x.width && p->x.rank == first->x.rank &&
                     memcmp(p->x.dims + 1, first->x.dims + 1,
                            (size_t)(p->x.rank - 1) * sizeof *p->x.dims) == 0;
        if (!alike || p->has_y != first->has_y || (p->has_y && p->y.width != first->y.width))
            return ls_error_set(
                error, LS_DATA,
                "%s: the rows of %s are not like those of %s: another shape, or one "
                "has y and the other has none",
                j->source[0].path, p->x.path, first->x.path);
    }
    part *train = &j->part[LS_TRAIN];
    long valid = train->valid = j->import->valid;
    if (valid && (!train->present || j->part[LS_VALID].present))
        return ls_error_set(
            error, LS_USAGE,
            "%s: has %s; --valid takes rows off train where there is no split valid",
            j->source[0].path, train->present ? "a split valid" : "no split train");
    return !valid || ls_import_check_valid(j->import, j->source[0].path, train->x.rows, error);
}

static bool open_parts(job *j, ls_error *error)
{
    const ls_h5_source *main = &j->source[0], *more = &j->source[1];
    for (int i = 0; i < LS_SPLITS; i++)
        if (main->array[i][LS_H5_SOURCE_X] >= 0 && !open_part(j, main, i, i, error))
            return false;
    if (!more->path)
        return true;
    int from = more->array[LS_TEST][LS_H5_SOURCE_X] >= 0 ? LS_TEST : LS_TRAIN;
    return (more->array[from][LS_H5_SOURCE_X] >= 0 ||
            ls_error_set(error, LS_DATA, "%s: has no rows for testing: x at the root, or in test",
                         more->path)) &&
           open_part(j, more, from, LS_TEST, error);
}

static bool open_sources(job *j, ls_error *error)
{
    for (int i = 0; i < 2 && j->import->file[i]; i++) {
        ls_h5_source *s = &j->source[i];
        if (!ls_h5_source_open(s, j->import->file[i], &j->renames, error))
            return false;
        if (j->report && s->unused[0])
            ls_print(j->report, "note: %s: not used: %s%s%s\n", s->path, s->unused,
                     s->advice[0] ? "; --rename " : "", s->advice);
    }
    for (int i = 0; i < j->renames.count; i++)
        if (!j->renames.used[i])
            return ls_error_set(error, LS_USAGE, "--rename: %s has no '%s'%s%s", j->import->file[0],
                                j->renames.from[i], j->source[0].unused[0] ? "; it has " : "",
                                j->source[0].unused);
    return true;
}

/* Refuses the options about y that would do nothing. */
static bool options_fit(const job *j, bool has_y, ls_error *error)
{
    const ls_import *import = j->import;
    const ls_h5_targets *t = &j->targets;
    if (!has_y && (import->y || import->labels_from))
        return ls_error_set(error, LS_USAGE, "%s: has no y; expected no --%s", j->source[0].path,
                            import->y ? "y" : "labels-from");
    return !import->labels_from || ls_h5_targets_numbered(t) ||
           ls_error_set(
               error, LS_USAGE, "%s: --labels-from is for labels that are numbers; y holds %s",
               j->source[0].path,
               t->meaning == LS_H5_ONE_HOT ? "rows of one 1: a column is a class" : "targets");
}

static bool decide(job *j, ls_error *error)
{
    const part *p = j->part, *end = p + LS_SPLITS;
    while (p < end && !p->has_y)
        p++;
    return (p == end || ls_h5_targets_decide(&j->targets, &p->y, j->import, j->report, error)) &&
           options_fit(j, p < end, error);
}

static bool run(const ls_import *import, FILE *report, ls_error *error)
{
    job j = {.import = import, .report = report, .source = {{.file = -1}, {.file = -1}}};
    bool ok = (import->force || ls_atomic_file_absent(import->output, error)) &&
              ls_h5_renames_read(&j.renames, import->rename, error) && open_sources(&j, error) &&
              open_parts(&j, error) && parts_fit(&j, error) && decide(&j, error) &&
              ls_output_make(import->output, fill_file, &j, error);
    for (int i = 0; i < LS_SPLITS; i++) {
        if (j.part[i].present)
            ls_h5_rows_release(&j.part[i].x);
        if (j.part[i].has_y)
            ls_h5_rows_release(&j.part[i].y);
        for (int k = 0; k < MORE; k++)
            if (j.part[i].has_more[k])
                ls_h5_rows_release(&j.part[i].more[k]);
        ls_free(j.part[i].classes.count);
    }
    for (int i = 0; i < 2; i++)
        if (j.source[i].path)
            ls_h5_source_close(&j.source[i]);
    ls_h5_renames_release(&j.renames);
    return ok;
}

ls_import_run *const ls_import_h5 = run;
