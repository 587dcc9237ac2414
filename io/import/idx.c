/* idx: import of pairs of IDX files (images, labels), plain or gzip, block by block: the files may
 * be larger than memory. Rows of the first pair go to train or, by a seeded permutation, to valid.
 *
 * An IDX file (LeCun, Cortes, Burges: the MNIST database) is big-endian: two zero bytes, a byte for
 * the type (8: uint8), one for the number of dimensions, the sizes as 32-bit numbers, the data. */
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "core/print.h"
#include "io/atomic_file.h"
#include "io/import/classes.h"
#include "io/import/import.h"
#include "io/import/packed.h"
#include "io/magic.h"
#include "io/output.h"

enum { TYPE_UINT8 = 8, ROW_MAX = 1 << 30 /* bytes */, BLOCK_BYTES = 1 << 20 };

typedef enum { IMAGES, LABELS } idx_kind;
static const struct {
    const char *name;
    int dimensions;
} kinds[] = {[IMAGES] = {"images [rows, h, w]", 3}, [LABELS] = {"labels [rows]", 1}};

typedef struct idx_file {
    const char *path; /* borrowed */
    gzFile file;
    idx_kind kind;
    long rows, height, width; /* labels: 1 x 1 */
    long read;                /* rows read so far */
} idx_file;

/* Images and their labels. */
typedef struct pair {
    const ls_import *import;
    const char *split; /* train or test; NULL: there is no such pair */
    idx_file images, labels;
    long valid; /* so many of the rows go to the split valid */
    ls_classes classes;
} pair;

typedef struct pairs {
    pair train, test;
    FILE *report;
} pairs;

/* What the last read failed at; `where`: how far it had come. */
static bool fail_read(const idx_file *idx, const char *where, ls_error *error)
{
    int code;
    const char *reason = ls_packed_reason(idx->file, &code);
    return ls_error_set(error, code, "%s: can't be read%s: %s", idx->path, where, reason);
}

/* Reads exactly `size` bytes. */
static bool read_bytes(idx_file *idx, size_t size, void *bytes, ls_error *error)
{
    char *to = bytes;
    while (size > 0) {
        int got = gzread(idx->file, to, size < ROW_MAX ? (unsigned)size : ROW_MAX);
        if (got < 0) {
            char where[64];
            snprintf(where, sizeof where, " after %ld of %ld rows", idx->read, idx->rows);
            return fail_read(idx, where, error);
        }
        if (got == 0)
            return ls_error_set(error, LS_DATA,
                                "%s: ends after %ld of %ld rows; it was cut short: get it again",
                                idx->path, idx->read, idx->rows);
        to += got;
        size -= (size_t)got;
    }
    return true;
}

/* "train-images: is not an IDX file: it is an HTML page"; `size` bytes were read of it. */
static bool refuse(const idx_file *idx, const unsigned char *bytes, size_t size, ls_error *error)
{
    const char *name = ls_magic_name(bytes, size), *type = kinds[idx->kind].name;
    int dimensions = kinds[idx->kind].dimensions;
    if (name)
        return ls_error_set(error, LS_DATA,
                            "%s: is not an IDX file: %sit is %s; expected %s of "
                            "uint8",
                            idx->path, gzdirect(idx->file) ? "" : "once unpacked, ", name, type);
    if (size < 4)
        return ls_error_set(error, LS_DATA, "%s: is no IDX file: holds %zu bytes", idx->path, size);
    return ls_error_set(error, LS_DATA,
                        "%s: is not an IDX file: begins with %02x%02x%02x%02x; expected "
                        "0000080%d, %s of uint8",
                        idx->path, bytes[0], bytes[1], bytes[2], bytes[3], dimensions, type);
}

/* The first `size` bytes of a file are the 4 of its magic number, and more. */
static bool check_magic(const idx_file *idx, const unsigned char *magic, size_t size,
                        ls_error *error)
{
    static const char *const types[] = {[8] = "uint8",  [9] = "int8",     [11] = "int16",
                                        [12] = "int32", [13] = "float32", [14] = "float64"};
    const char *name = kinds[idx->kind].name;
    if (size < 4)
        return refuse(idx, magic, size, error);
    const char *type = magic[2] < sizeof types / sizeof *types ? types[magic[2]] : NULL;
    int dimensions = kinds[idx->kind].dimensions;
    if (magic[0] || magic[1] || !type)
        return refuse(idx, magic, size, error);
    if (magic[2] == TYPE_UINT8 && magic[3] == dimensions)
        return true;
    const char *hint = magic[3] == kinds[!idx->kind].dimensions && magic[2] == TYPE_UINT8
                           ? "; images come before labels on the command line"
                           : "";
    return ls_error_set(error, LS_DATA,
                        "%s: is an IDX file of %s in %d dimension(s); expected %s of uint8%s",
                        idx->path, type, magic[3], name, hint);
}

static bool read_header(idx_file *idx, ls_error *error)
{
    unsigned char first[LS_MAGIC_BYTES], word[4];
    int dimensions = kinds[idx->kind].dimensions;
    uint64_t sizes[3] = {1, 1, 1};
    int got = gzread(idx->file, first, sizeof first);
    if (got < 0)
        return fail_read(idx, "", error);
    if (!check_magic(idx, first, (size_t)got, error))
        return false;
    while (got > 4) /* what was read ahead is read again */
        gzungetc(first[--got], idx->file);
    for (int i = 0; i < dimensions; i++) {
        if (!read_bytes(idx, sizeof word, word, error))
            return error->code == LS_DATA
                       ? ls_error_set(error, LS_DATA,
                                      "%s: ends within its header; it was cut short", idx->path)
                       : false;
        sizes[i] = (uint64_t)word[0] << 24 | (uint64_t)word[1] << 16 | (uint64_t)word[2] << 8 |
                   (uint64_t)word[3];
    }
    idx->rows = (long)sizes[0];
    idx->height = (long)sizes[1];
    idx->width = (long)sizes[2];
    uint64_t row;
    if (sizes[0] == 0 || __builtin_mul_overflow(sizes[1], sizes[2], &row) || row == 0 ||
        row > ROW_MAX)
        return ls_error_set(error, LS_DATA,
                            "%s: says that it holds %ld rows of %ld x %ld; expected at least one "
                            "row, of 1 to %d numbers",
                            idx->path, idx->rows, idx->height, idx->width, (int)ROW_MAX);
    return ls_packed_can_hold(idx->path, sizes[0] * row) ||
           ls_error_set(
               error, LS_DATA,
               "%s: says that it holds %ld rows of %ld x %ld, more than a file of its size "
               "can: get it again",
               idx->path, idx->rows, idx->height, idx->width);
}

/* Opens a file and reads its header; close_file closes it, whether this succeeds or not. */
static bool open_file(idx_file *idx, const char *path, idx_kind kind, ls_error *error)
{
    *idx = (idx_file){.path = path, .kind = kind, .file = ls_packed_open(path, error)};
    return idx->file && read_header(idx, error);
}

static void close_file(const idx_file *idx)
{
    if (idx->file)
        gzclose(idx->file);
}

static bool open_pair(pair *from, const char *images, const char *labels, ls_error *error)
{
    if (!open_file(&from->images, images, IMAGES, error) ||
        !open_file(&from->labels, labels, LABELS, error))
        return false;
    if (from->images.rows != from->labels.rows)
        return ls_error_set(error, LS_DATA,
                            "%s: holds %ld labels, but %s holds %ld images; expected as many",
                            labels, from->labels.rows, images, from->images.rows);
    return from->valid == 0 ||
           ls_import_check_valid(from->import, images, from->images.rows, error);
}

static bool sizes_match(const idx_file *train, const idx_file *test, ls_error *error)
{
    return (train->height == test->height && train->width == test->width) ||
           ls_error_set(error, LS_DATA, "%s: holds images of %ld x %ld, but %s of %ld x %ld",
                        test->path, test->height, test->width, train->path, train->height,
                        train->width);
}

/* After the last row: whether the file ends there. */
static bool is_at_end(const idx_file *idx, ls_error *error)
{
    char byte;
    int got = gzread(idx->file, &byte, 1);
    if (got < 0)
        return fail_read(idx, " to its end", error);
    return got == 0 || ls_error_set(error, LS_DATA,
                                    "%s: goes on after its %ld rows; expected the end: get it "
                                    "again",
                                    idx->path, idx->rows);
}

/* Counts the labels of rows that were read, and makes classes of them. */
static bool count_labels(pair *from, unsigned char *labels, long rows, ls_error *error)
{
    long first = from->import->labels_from;
    for (long i = 0; i < rows; i++) {
        if (labels[i] < first)
            return ls_error_set(error, LS_DATA,
                                "%s: holds label %d at row %ld; expected none below --labels-from "
                                "%ld",
                                from->labels.path, labels[i], from->labels.read + i, first);
        labels[i] = (unsigned char)(labels[i] - first);
        ls_classes_add(&from->classes, labels[i]);
    }
    return true;
}

/* Reads all rows of `idx`, the images or the labels of the pair, and writes each either to to[0]
 * or, where it is chosen for valid, to to[1]. */
static bool split_rows(pair *from, idx_file *idx, const hid_t to[2], ls_error *error)
{
    size_t row_bytes = (size_t)(idx->height * idx->width);
    long block_rows = BLOCK_BYTES / (long)row_bytes, written[2] = {0};
    block_rows = block_rows < 1 ? 1 : block_rows;
    unsigned char *block = ls_alloc((size_t)block_rows, row_bytes);
    unsigned char *part = ls_alloc((size_t)block_rows, row_bytes);
    bool ok = true;
    for (long n; ok && idx->read < idx->rows; idx->read += n) {
        n = idx->rows - idx->read < block_rows ? idx->rows - idx->read : block_rows;
        ok = read_bytes(idx, (size_t)n * row_bytes, block, error);
        ok = ok && (idx->kind == IMAGES || count_labels(from, block, n, error));
        for (int valid = 0; ok && valid < 2; valid++) {
            long count = 0;
            for (long i = 0; i < n; i++)
                if (valid ==
                    (from->valid && ls_import_in_valid(from->import, idx->rows, idx->read + i)))
                    memcpy(part + (size_t)count++ * row_bytes, block + (size_t)i * row_bytes,
                           row_bytes);
            ok = count == 0 ||
                 ls_h5_write_rows(to[valid], H5T_NATIVE_UINT8, written[valid], count, part, error);
            written[valid] += count;
        }
    }
    ls_free(part);
    ls_free(block);
    return ok && is_at_end(idx, error);
}

/* Writes train/x and valid/x from the images, or train/y and valid/y from the labels. */
static bool write_arrays(pair *from, idx_file *idx, hid_t file, ls_error *error)
{
    const char *splits[] = {from->split, "valid"};
    const long rows[] = {idx->rows - from->valid, from->valid};
    hid_t to[] = {-1, -1};
    bool ok = true, images = idx->kind == IMAGES;
    for (int i = 0; ok && i < 2 && rows[i] > 0; i++) {
        char path[32];
        hsize_t dims[] = {(hsize_t)rows[i], (hsize_t)idx->height, (hsize_t)idx->width, 1};
        snprintf(path, sizeof path, "%s/%c", splits[i], images ? 'x' : 'y');
        to[i] = ls_h5_create_dataset(file, path, H5T_STD_U8LE, images ? 4 : 1, dims, error);
        ok = to[i] >= 0 && (!images || ls_output_pictures(to[i], error));
    }
    ok = ok && split_rows(from, idx, to, error);
    ls_h5_close(to[0]);
    ls_h5_close(to[1]);
    return ok;
}

static bool put_classes(hid_t file, long classes, ls_error *error)
{
    static const char *const paths[] = {"train/y", "valid/y", "test/y"};
    bool ok = true;
    for (size_t i = 0; ok && i < sizeof paths / sizeof *paths; i++) {
        if (H5Lexists(file, paths[i], H5P_DEFAULT) <= 0)
            continue;
        hid_t y = H5Dopen2(file, paths[i], H5P_DEFAULT);
        ok = ls_h5_put_long(y, "classes", classes, error);
        H5Dclose(y);
    }
    return ok;
}

static bool fill_file(void *context, hid_t file, ls_error *error)
{
    pairs *all = context;
    pair *train = &all->train, *test = &all->test;
    const idx_file *x = &train->images;
    if (!write_arrays(train, &train->images, file, error) ||
        !write_arrays(train, &train->labels, file, error) ||
        (test->split && (!write_arrays(test, &test->images, file, error) ||
                         !write_arrays(test, &test->labels, file, error))))
        return false;
    long most = train->classes.classes, more = test->classes.classes;
    long classes = more > most ? more : most;
    train->classes.first = all->train.import->labels_from;
    if (!ls_classes_check(&train->classes, train->labels.path, NULL, NULL, all->report, error) ||
        !put_classes(file, classes, error))
        return false;
    const long dims[] = {x->height, x->width};
    ls_import_report(all->report, "train", x->rows - train->valid, dims, classes);
    ls_import_report(all->report, "valid", train->valid, dims, classes);
    ls_import_report(all->report, "test", test->images.rows, dims, classes);
    if (all->report && test->split && more != most)
        ls_print(all->report, "note: the largest label of train is %ld, that of test %ld\n",
                 most - 1 + train->classes.first, more - 1 + train->classes.first);
    return true;
}

static bool run(const ls_import *import, FILE *report, ls_error *error)
{
    const char *const *file = import->file;
    pairs all = {.train = {import, "train", .valid = import->valid},
                 .test = {.import = import, .split = file[2] ? "test" : NULL},
                 .report = report};
    pair *train = &all.train, *test = &all.test;
    bool ok = (import->force || ls_atomic_file_absent(import->output, error)) &&
              open_pair(train, file[0], file[1], error) &&
              (!test->split || (open_pair(test, file[2], file[3], error) &&
                                sizes_match(&train->images, &test->images, error))) &&
              ls_output_make(import->output, fill_file, &all, error);
    close_file(&train->images);
    close_file(&train->labels);
    close_file(&test->images);
    close_file(&test->labels);
    ls_free(train->classes.count);
    ls_free(test->classes.count);
    return ok;
}

ls_import_run *const ls_import_idx = run;
