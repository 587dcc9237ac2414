/* describe: names, shapes, types and digests of arrays. */
#include "io/describe.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

#include "core/memory.h"
#include "core/minmax.h"
#include "io/h5/h5.h"
#include "io/lengths.h"
#include "io/weights.h"

/* A few rows stand for an array where data sets are compared: SAMPLE_ROWS at each of SAMPLE_PLACES,
 * or fewer, so that those of a place take no more than SAMPLE_BYTES. */
enum { SAMPLE_PLACES = 4, SAMPLE_ROWS = 16, SAMPLE_BYTES = 1 << 18 };

/* Rows of an array that stand for all: some at each of a few places from its first row to its last,
 * for each place may be a chunk to unpack. They depend on its shape only. Returns how many. */
static long choose_sample(const ls_array *array, int64_t rows[SAMPLE_PLACES * SAMPLE_ROWS])
{
    long row_bytes = ls_shape_count(&array->shape) * (long)ls_dtype_size(array->type);
    long n = ls_min(ls_max(SAMPLE_BYTES / row_bytes, 1), ls_min(SAMPLE_ROWS, array->rows));
    for (long i = 0; i < SAMPLE_PLACES * n; i++)
        rows[i] = i / n * (array->rows - n) / (SAMPLE_PLACES - 1) + i % n;
    return SAMPLE_PLACES * n;
}

bool ls_describe_array(const ls_split *split, const ls_column *column, char *text, size_t size,
                       ls_error *error)
{
    char shape[96];
    int64_t rows[SAMPLE_PLACES * SAMPLE_ROWS];
    const ls_array *array = column->array;
    char letter = array == &split->y ? 'y' : 'x';
    bool labels = letter == 'y' && split->labelled;
    const double scale[] = {array->scale, array->offset};
    uint64_t digest = labels ? split->labels : XXH3_64bits(scale, sizeof scale);
    if (!labels && !ls_column_digest(column, rows, choose_sample(array, rows), &digest, error))
        return false;
    snprintf(
        text + strlen(text), size - strlen(text),
        "%s/%c rows: %ld of %s, %s\n%s/%c %s: digest %016" PRIx64 "\n", split->name, letter,
        array->rows,
        array->shape.rank == 0 ? "one label" : ls_shape_text(&array->shape, shape, sizeof shape),
        ls_dtype_name(array->type), split->name, letter, labels ? "labels" : "numbers", digest);
    if (letter == 'x' && split->length)
        snprintf(text + strlen(text), size - strlen(text), "%s/length: digest %016" PRIx64 "\n",
                 split->name, ls_lengths_digest(split));
    return true;
}

void ls_describe_weights(const ls_split *split, hid_t file, char *text, size_t size)
{
    uint64_t digest;
    if (split->present && ls_weights_digest(file, split, &digest))
        snprintf(text + strlen(text), size - strlen(text), "%s/weight: digest %016" PRIx64 "\n",
                 split->name, digest);
}

/* A line for each class, of names that are a line each; "" where these are too many to be kept. */
static char *describe_classes(const char *names)
{
    enum { MOST = 1 << 15 }; /* bytes: a checkpoint keeps the text in an attribute */
    if (strlen(names) >= MOST)
        return ls_copy_string("");
    const size_t room = 4 * MOST;
    char *text = ls_alloc(room, 1);
    size_t used = 0;
    for (long i = 0; *names && used < MOST; i++) {
        const int length = (int)strcspn(names, "\n");
        used += (size_t)snprintf(text + used, room - used, "class %ld: %.*s\n", i, length, names);
        names += length + (names[length] == '\n');
    }
    if (used >= MOST)
        text[0] = 0;
    return text;
}

char *ls_describe_attributes(hid_t x, hid_t y)
{
    ls_error unwanted; /* an attribute of another form says nothing here */
    char *made = NULL, *names = NULL;
    bool present;
    if (x >= 0)
        ls_h5_get_text(x, "made", &made, &present, &unwanted);
    if (y >= 0)
        ls_h5_get_text(y, "class_names", &names, &present, &unwanted);
    char *text = describe_classes(names ? names : "");
    if (made) {
        char *classes = text;
        text = ls_format("made: %.*s\n%s", (int)strcspn(made, "\n"), made, classes);
        ls_free(classes);
    }
    ls_free(names);
    ls_free(made);
    return text;
}

uint64_t ls_describe_shapes(const ls_split splits[LS_SPLITS])
{
    uint64_t digest = 0;
    for (int i = 0; i < 2 * LS_SPLITS; i++) {
        const ls_split *split = &splits[i / 2];
        const ls_array *array = i % 2 ? &split->y : &split->x;
        if (i % 2 ? !split->has_y : !split->present)
            continue;
        char shape[96], line[256];
        int length = snprintf(line, sizeof line, "%s.%c %s %ld x %s\n", split->name, "xy"[i % 2],
                              ls_dtype_name(array->type), array -> rows,
                              ls_shape_text(&array->shape, shape, sizeof shape));
        digest = XXH3_64bits_withSeed(line, (size_t)length, digest);
        if (i % 2 == 0 && split->length)
            digest = XXH3_64bits_withSeed("length", strlen("length"), digest);
    }
    return digest;
}
