/* idx: import of pairs of IDX files (images, labels), block by block: the files may be larger than
 * memory. Rows of the first pair go to train or, by a seeded permutation, to valid. */
#include <string.h>

#include "core/memory.h"
#include "core/random.h"
#include "io/atomic_file.h"
#include "io/import/idx_file.h"
#include "io/import/import.h"
#include "io/output.h"

enum { BLOCK_BYTES = 1 << 20 };
enum { KEPT, CHOSEN, SIDES }; /* a row is kept in its split, or chosen for valid */

/* An array that is being written. */
typedef struct sink {
    hid_t dataset; /* -1: there is none */
    long written;
    char *block; /* rows waiting to be written */
    long waiting;
} sink;

/* A pair of files. Of its rows, the permutation `order` puts those first that go to valid. */
typedef struct pair {
    const char *split;
    ls_idx images, labels;
    long valid;
    ls_random order;
    long largest; /* label */
} pair;

static int side_of(const pair *from, long row)
{
    if (!from->valid)
        return KEPT;
    uint64_t rank = ls_random_permute(from->order, (uint64_t)from->images.rows, (uint64_t)row);
    return rank < (uint64_t)from->valid ? CHOSEN : KEPT;
}

static bool open_sink(sink *to, hid_t file, const char *path, long rows, const ls_idx *idx,
                      long block_rows, ls_error *error)
{
    hsize_t dims[4] = {(hsize_t)rows, (hsize_t)idx->height, (hsize_t)idx->width, 1};
    int rank = idx->kind == LS_IDX_IMAGES ? 4 : 1;
    to->dataset = ls_h5_create_dataset(file, path, H5T_STD_U8LE, rank, dims, error);
    to->block = ls_alloc((size_t)block_rows, (size_t)(idx->height * idx->width));
    bool ok = to->dataset >= 0;
    if (idx->kind == LS_IDX_IMAGES)
        ok = ok && ls_output_pictures(to->dataset, error);
    return ok;
}

/* Writes the rows that wait. */
static bool flush_sink(sink *to, ls_error *error)
{
    bool ok = to->waiting == 0 || ls_h5_write_rows(to->dataset, H5T_NATIVE_UINT8, to->written,
                                                   to->waiting, to->block, error);
    to->written += to->waiting;
    to->waiting = 0;
    return ok;
}

/* Reads all rows of `idx`, the images or the labels of the pair, and writes each to its side. */
static bool split_rows(pair *from, ls_idx *idx, long block_rows, sink to[SIDES], ls_error *error)
{
    long row_bytes = idx->height * idx->width;
    unsigned char *block = ls_alloc((size_t)block_rows, (size_t)row_bytes);
    bool ok = true;
    for (long first = 0; ok && first < idx->rows; first += block_rows) {
        long n = idx->rows - first < block_rows ? idx->rows - first : block_rows;
        ok = ls_idx_read(idx, n, block, error);
        for (long i = 0; ok && i < n; i++) {
            sink *side = &to[side_of(from, first + i)];
            memcpy(side->block + side->waiting++ * row_bytes, block + i * row_bytes,
                   (size_t)row_bytes);
            if (idx->kind == LS_IDX_LABELS && block[i] > from->largest)
                from->largest = block[i];
        }
        for (int side = 0; ok && side < SIDES; side++)
            ok = flush_sink(&to[side], error);
    }
    ls_free(block);
    return ok && ls_idx_at_end(idx, error);
}

/* train/x and valid/x from the images, or train/y and valid/y from the labels. */
static bool write_arrays(pair *from, ls_idx *idx, hid_t file, ls_error *error)
{
    const char *splits[SIDES] = {from->split, "valid"};
    const long rows[SIDES] = {idx->rows - from->valid, from->valid};
    sink to[SIDES] = {{.dataset = -1}, {.dataset = -1}};
    long block_rows = BLOCK_BYTES / (idx->height * idx->width);
    block_rows = block_rows < 1 ? 1 : block_rows;
    bool ok = true;
    for (int side = 0; ok && side < SIDES && rows[side] > 0; side++) {
        char path[32];
        snprintf(path, sizeof path, "%s/%s", splits[side], idx->kind == LS_IDX_IMAGES ? "x" : "y");
        ok = open_sink(&to[side], file, path, rows[side], idx, block_rows, error);
    }
    ok = ok && split_rows(from, idx, block_rows, to, error);
    for (int side = 0; side < SIDES; side++) {
        ls_h5_close(to[side].dataset);
        ls_free(to[side].block);
    }
    return ok;
}

static bool open_pair(pair *from, const char *images, const char *labels, ls_error *error)
{
    if (!ls_idx_open(&from->images, images, LS_IDX_IMAGES, error) ||
        !ls_idx_open(&from->labels, labels, LS_IDX_LABELS, error))
        return false;
    if (from->images.rows != from->labels.rows)
        return ls_error_set(error, LS_DATA,
                            "%s: holds %ld labels, but %s holds %ld images; expected as many",
                            labels, from->labels.rows, images, from->images.rows);
    if (from->valid < 0 || from->valid >= from->images.rows)
        return ls_error_set(error, LS_USAGE,
                            "%s: holds %ld rows, %ld can't be split off for validation; expected "
                            "0 to %ld",
                            images, from->images.rows, from->valid, from->images.rows - 1);
    return true;
}

static bool put_classes(hid_t file, long classes, ls_error *error)
{
    static const char *const paths[] = {"train/y", "valid/y", "test/y"};
    bool ok = true;
    for (size_t i = 0; ok && i < sizeof paths / sizeof *paths; i++) {
        char group[8];
        snprintf(group, sizeof group, "%.*s", (int)strcspn(paths[i], "/"), paths[i]);
        if (H5Lexists(file, group, H5P_DEFAULT) <= 0)
            continue;
        hid_t y = H5Dopen2(file, paths[i], H5P_DEFAULT);
        ok = ls_h5_put_long(y, "classes", classes, error);
        H5Dclose(y);
    }
    return ok;
}

static void report_split(FILE *report, const char *split, const pair *from, long rows, long classes)
{
    if (rows > 0)
        fprintf(report, "%-5s  x uint8 [%ld, %ld, %ld, 1]  y uint8 [%ld]  %ld classes\n", split,
                rows, from->images.height, from->images.width, rows, classes);
}

/* What fill_file writes; test.split is NULL where there is no second pair. */
typedef struct pairs {
    pair train, test;
    FILE *report;
} pairs;

static bool fill_file(void *context, hid_t file, ls_error *error)
{
    pairs *all = context;
    pair *train = &all->train, *test = &all->test;
    bool tested = test->split;
    if (tested &&
        (train->images.height != test->images.height || train->images.width != test->images.width))
        return ls_error_set(error, LS_DATA, "%s: holds images of %ld x %ld, but %s of %ld x %ld",
                            test->images.path, test->images.height, test->images.width,
                            train->images.path, train->images.height, train->images.width);
    bool ok = write_arrays(train, &train->images, file, error) &&
              write_arrays(train, &train->labels, file, error) &&
              (!tested || (write_arrays(test, &test->images, file, error) &&
                           write_arrays(test, &test->labels, file, error)));
    long largest = tested && test->largest > train->largest ? test->largest : train->largest;
    if (!ok || !put_classes(file, largest + 1, error))
        return false;
    if (!all->report)
        return true;
    report_split(all->report, "train", train, train->images.rows - train->valid, largest + 1);
    report_split(all->report, "valid", train, train->valid, largest + 1);
    report_split(all->report, "test", test, tested ? test->images.rows : 0, largest + 1);
    if (tested && test->largest != train->largest)
        fprintf(all->report, "note: the largest label of train is %ld, that of test %ld\n",
                train->largest, test->largest);
    return true;
}

static bool run(const ls_import *import, FILE *report, ls_error *error)
{
    if (!import->force && !ls_atomic_file_absent(import->output, error))
        return false;
    pairs all = {
        .train = {.split = "train",
                  .valid = import->valid,
                  .order = ls_random_stream((uint64_t)import->seed, LS_RANDOM_SPLIT, 0, 0, 0)},
        .test = {.split = import->file[2] ? "test" : NULL},
        .report = report};
    bool ok = open_pair(&all.train, import->file[0], import->file[1], error) &&
              (!all.test.split || open_pair(&all.test, import->file[2], import->file[3], error)) &&
              ls_output_make(import->output, fill_file, &all, error);
    ls_idx_close(&all.train.images);
    ls_idx_close(&all.train.labels);
    ls_idx_close(&all.test.images);
    ls_idx_close(&all.test.labels);
    return ok;
}

ls_import_run *const ls_import_idx = run;
