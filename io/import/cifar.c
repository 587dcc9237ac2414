/* cifar: the binary form of CIFAR-10 and CIFAR-100 (Krizhevsky, 2009).
 *
 * A record is one label byte (CIFAR-100: the coarse label, then the fine one) and 3072 bytes of a
 * picture of 32 x 32, channel by channel: red, green, blue. A file is nothing but records.
 *
 *     CIFAR-10     data_batch_1.bin ... data_batch_5.bin, test_batch.bin, batches.meta.txt
 *     CIFAR-100    train.bin, test.bin, fine_label_names.txt, coarse_label_names.txt
 *
 * The texts hold the names of the classes, a line each; they may lack. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "core/memory.h"
#include "core/minmax.h"
#include "core/print.h"
#include "io/atomic_file.h"
#include "io/dataset.h"
#include "io/file.h"
#include "io/folder.h"
#include "io/import/import.h"
#include "io/output.h"

enum { SIDE = 32, PIXELS = SIDE * SIDE, ROW = 3 * PIXELS, BATCHES = 5, BLOCK = 256 /* records */ };

static const struct form {
    const char *name, *train, *test, *names;
    int batches;      /* 0: `train` is one file; else %d in it counts from 1 */
    int labels, used; /* label bytes of a record, and which of them is the class */
    long classes;
} forms[] = {
    {"CIFAR-10", "data_batch_%d.bin", "test_batch.bin", "batches.meta.txt", BATCHES, 1, 0, 10},
    {"CIFAR-100", "train.bin", "test.bin", "fine_label_names.txt", 0, 2, 1, 100},
    {"CIFAR-100 (coarse)", "train.bin", "test.bin", "coarse_label_names.txt", 0, 2, 0, 20},
};

/* One file of records. */
typedef struct source {
    char *path; /* NULL: not there */
    long rows;
    bool test;
} source;

typedef struct cifar {
    const ls_import *import;
    FILE *report;
    const struct form *form;
    source source[BATCHES + 1];
    int sources;
    long train; /* rows of all but test, of which import->valid become valid */
    hid_t x[LS_SPLITS], y[LS_SPLITS];
    long written[LS_SPLITS];
    uint8_t labels[LS_SPLITS][BLOCK], *pixels[LS_SPLITS]; /* of a block's rows, by splits */
} cifar;

static long record_bytes(const cifar *c)
{
    return c->form->labels + ROW;
}

/* Adds the file DIR/name, if it is there; its size tells how many records it holds. */
static bool add_source(cifar *c, const char *name, bool test, ls_error *error)
{
    struct stat is;
    char *path = ls_format("%s/%s", c->import->file[0], name);
    bool there = false, ok = ls_folder_look(path, &there, error);
    if (ok && there) {
        ok = stat(path, &is) == 0 && is.st_size > 0 && is.st_size % record_bytes(c) == 0;
        if (!ok)
            ls_error_set(error, LS_DATA,
                         "%s: has %lld bytes; expected records of %ld bytes, the binary form of %s",
                         path, (long long)is.st_size, record_bytes(c), c->form->name);
        else
            c->source[c->sources++] = (source){path, is.st_size / record_bytes(c), test};
        c->train += ok && !test ? is.st_size / record_bytes(c) : 0;
    }
    if (!ok || !there)
        ls_free(path);
    return ok;
}

/* Finds out which of the forms DIR holds, and its files. */
static bool find_sources(cifar *c, ls_error *error)
{
    char name[64];
    bool ten = false;
    char *first = ls_format("%s/data_batch_1.bin", c->import->file[0]);
    bool ok = ls_folder_look(first, &ten, error);
    ls_free(first);
    if (ok && ten && c->import->coarse)
        return ls_error_set(error, LS_USAGE, "%s: holds CIFAR-10; --coarse is for CIFAR-100",
                            c->import->file[0]);
    c->form = &forms[ten ? 0 : c->import->coarse ? 2 : 1];
    ok = ok && (c->form->batches > 0 || add_source(c, c->form->train, false, error));
    for (int i = 1; ok && i <= c->form->batches; i++) {
        snprintf(name, sizeof name, "data_batch_%d.bin", i);
        ok = add_source(c, name, false, error) &&
             (c->sources == i || ls_error_set(error, LS_DATA, "%s: has no %s; expected all %d",
                                              c->import->file[0], name, c->form->batches));
    }
    const int sources = c->sources;
    ok = ok && add_source(c, c->form->test, true, error);
    if (ok && c->train > 0 && c->sources == sources && c->report)
        ls_print(c->report, "note: %s: has no %s, so there will be no test\n", c->import->file[0],
                 c->form->test);
    return ok && (c->train > 0 ||
                  ls_error_set(error, LS_DATA,
                               "%s: holds neither data_batch_1.bin (CIFAR-10) nor train.bin "
                               "(CIFAR-100); expected the folder of the binary version, unpacked",
                               c->import->file[0]));
}

/* The split of row `row` of a file; `before` train rows lie in files before it. */
static ls_split_id split_of(const cifar *c, const source *from, long before, long row)
{
    return from->test                                              ? LS_TEST
           : ls_import_in_valid(c->import, c->train, before + row) ? LS_VALID
                                                                   : LS_TRAIN;
}

/* Writes the n records, of which the first is `row` of the file, to their splits. */
static bool write_records(cifar *c, const source *from, long before, long row, long n,
                          const uint8_t *records, ls_error *error)
{
    long count[LS_SPLITS] = {0};
    for (long i = 0; i < n; i++) {
        const uint8_t *record = records + i * record_bytes(c), *planes = record + c->form->labels;
        uint8_t label = record[c->form->used];
        if (label >= c->form->classes)
            return ls_error_set(error, LS_DATA,
                                "%s: holds label %d at row %ld; expected 0 to %ld of %s",
                                from->path, label, row + i, c->form->classes - 1, c->form->name);
        ls_split_id split = split_of(c, from, before, row + i);
        c->labels[split][count[split]] = label;
        uint8_t *to = c->pixels[split] + count[split]++ * ROW;
        for (int p = 0; p < PIXELS; p++)
            for (int k = 0; k < 3; k++)
                to[3 * p + k] = planes[k * PIXELS + p];
    }
    bool ok = true;
    for (int s = 0; ok && s < LS_SPLITS; c->written[s] += count[s], s++)
        ok = count[s] == 0 || (ls_h5_write_rows(c->x[s], H5T_NATIVE_UINT8, c->written[s], count[s],
                                                c->pixels[s], error) &&
                               ls_h5_write_rows(c->y[s], H5T_NATIVE_UINT8, c->written[s], count[s],
                                                c->labels[s], error));
    return ok;
}

static bool copy_source(cifar *c, const source *from, long before, ls_error *error)
{
    size_t bytes = (size_t)record_bytes(c);
    int file = ls_file_open(from->path, O_RDONLY, 0);
    if (file < 0)
        return ls_error_set(error, ls_file_open_code(errno), "%s: can't open: %s", from->path,
                            strerror(errno));
    uint8_t *block = ls_alloc(BLOCK, bytes);
    bool ok = true;
    for (long row = 0, n; ok && row < from->rows; row += n) {
        n = ls_min(BLOCK, from->rows - row);
        ssize_t got = ls_file_read(file, block, (size_t)n * bytes);
        ok = (got == (ssize_t)((size_t)n * bytes) ||
              ls_error_set(error, LS_IO, "%s: can't read rows from %ld: %s", from->path, row,
                           got < 0 ? strerror(errno) : "the file ends there")) &&
             write_records(c, from, before, row, n, block, error);
    }
    ls_free(block);
    ls_file_close(file);
    return ok;
}

/* The names of the classes, a line each, without blank lines at the end; NULL: there is no such
 * file, or one of another number of lines, which is said. */
static char *read_names(const cifar *c, ls_error *error)
{
    size_t size, lines = 0, used = 0;
    bool there = false;
    char *path = ls_format("%s/%s", c->import->file[0], c->form->names), *text = NULL;
    if (ls_folder_look(path, &there, error) && there)
        text = ls_atomic_file_read(path, 1 << 16, &size, error);
    for (char *line = text; line && *line; line += strcspn(line, "\n"), line += *line == '\n') {
        size_t length = strcspn(line, "\r\n");
        if (length == 0)
            continue;
        if (lines++ > 0)
            text[used++] = '\n';
        memmove(text + used, line, length);
        used += length;
    }
    if (text)
        text[used] = 0;
    if (text && (long)lines != c->form->classes) {
        if (c->report)
            ls_print(c->report, "note: %s: has %zu lines; expected the names of %ld classes\n",
                     path, lines, c->form->classes);
        ls_free(text);
        text = NULL;
    }
    ls_free(path);
    return text;
}

static bool make_arrays(cifar *c, hid_t file, const long *rows, const char *names, ls_error *error)
{
    char path[16];
    bool ok = true;
    for (int s = 0; ok && s < LS_SPLITS; s++) {
        hsize_t dims[4] = {(hsize_t)rows[s], SIDE, SIDE, 3};
        if (rows[s] == 0)
            continue;
        snprintf(path, sizeof path, "%s/x", ls_split_names[s]);
        c->x[s] = ls_h5_create_dataset(file, path, H5T_STD_U8LE, 4, dims, error);
        snprintf(path, sizeof path, "%s/y", ls_split_names[s]);
        c->y[s] = c->x[s] < 0 ? -1 : ls_h5_create_dataset(file, path, H5T_STD_U8LE, 1, dims, error);
        c->pixels[s] = ls_alloc(BLOCK, ROW);
        ok = c->y[s] >= 0 && ls_output_pictures(c->x[s], error) &&
             ls_h5_put_long(c->y[s], "classes", c->form->classes, error) &&
             (!names || ls_h5_put_text(c->y[s], "class_names", names, error));
    }
    return ok;
}

static bool fill_file(void *context, hid_t file, ls_error *error)
{
    cifar *c = context;
    long rows[LS_SPLITS] = {c->train - c->import->valid, c->import->valid, 0}, before = 0;
    for (int i = 0; i < c->sources; i++)
        rows[LS_TEST] += c->source[i].test ? c->source[i].rows : 0;
    char *names = read_names(c, error);
    bool ok = make_arrays(c, file, rows, names, error);
    for (int i = 0; ok && i < c->sources; i++) {
        ok = copy_source(c, &c->source[i], before, error);
        before += c->source[i].rows;
    }
    for (int s = 0; s < LS_SPLITS; s++) {
        ls_free(c->pixels[s]);
        ls_h5_close(c->x[s]);
        ls_h5_close(c->y[s]);
        if (ok && c->report && rows[s] > 0)
            ls_print(c->report, "%-5s  x uint8 [%ld, 32, 32, 3]  y uint8 [%ld]  %ld classes\n",
                     ls_split_names[s], rows[s], rows[s], c->form->classes);
    }
    ls_free(names);
    return ok;
}

static bool run(const ls_import *import, FILE *report, ls_error *error)
{
    cifar c = {.import = import, .report = report, .x = {-1, -1, -1}, .y = {-1, -1, -1}};
    bool ok = (import->force || ls_atomic_file_absent(import->output, error)) &&
              find_sources(&c, error) &&
              ls_import_check_valid(import, import->file[0], c.train, error) &&
              ls_output_make(import->output, fill_file, &c, error);
    for (int i = 0; i < c.sources; i++)
        ls_free(c.source[i].path);
    return ok;
}

ls_import_run *const ls_import_cifar = run;
