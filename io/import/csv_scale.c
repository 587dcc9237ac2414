/* csv_scale: mean and deviation of columns, in double, and what narrowing to float32 loses. */
#include "io/import/csv_scale.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/print.h"
#include "core/spec.h"

enum { NAMED_MAX = 8, BLOCK_NUMBERS = 1 << 18, COLUMN_SIZE = 200 };

/* A column of x or y: (value - mean) / deviation is stored. */
typedef struct column {
    double *value; /* [rows], where they are wanted together */
    long rows;
    double mean, deviation;
} column;

static column column_of(const ls_csv_scale *scale, const ls_csv_table *t, long c)
{
    bool moved = c < t->width && scale->mean;
    return (column){.rows = t->rows,
                    .mean = moved ? scale->mean[c] : 0,
                    .deviation = moved ? scale->deviation[c] : 1};
}

static double scaled(const column *it, double value)
{
    return (value - it->mean) / it->deviation;
}

/* Sets mean and deviation of each column of values[rows, width]. The first row is taken off before
 * numbers are added up, so that large ones leave the sum its digits. A column that is constant, up
 * to the rounding of double, gets deviation 1. */
static void measure(const double *values, long rows, long width, double *mean, double *deviation)
{
    for (long c = 0; c < width; c++)
        mean[c] = deviation[c] = 0;
    for (long i = 0; i < rows; i++)
        for (long c = 0; c < width; c++)
            mean[c] += values[i * width + c] - values[c];
    for (long c = 0; c < width; c++)
        mean[c] = values[c] + mean[c] / (double)rows;
    for (long i = 0; i < rows; i++)
        for (long c = 0; c < width; c++) {
            double off = values[i * width + c] - mean[c];
            deviation[c] += off * off;
        }
    for (long c = 0; c < width; c++) {
        deviation[c] = sqrt(deviation[c] / (double)rows);
        if (deviation[c] <= 8 * DBL_EPSILON * fabs(mean[c]))
            deviation[c] = 1;
    }
}

bool ls_csv_scale_parse(ls_csv_scale *s, const char *text, ls_error *error)
{
    size_t length = strlen(text);
    s->factor = 1;
    s->standard = strcmp(text, "standard") == 0;
    s->like = length > 3 && strcmp(text + length - 3, ".h5") == 0 ? text : NULL;
    return s->standard || s->like || (ls_parse_double(text, &s->factor) && s->factor != 0) ||
           ls_error_set(error, LS_USAGE,
                        "--scale: expected a number other than 0, standard, or FILE.h5, found '%s'",
                        text);
}

/* How many numbers an attribute holds; 0: there is none. */
static long count_of(hid_t object, const char *name)
{
    hid_t attribute = H5Aexists(object, name) > 0 ? H5Aopen(object, name, H5P_DEFAULT) : -1;
    hid_t space = attribute < 0 ? -1 : H5Aget_space(attribute);
    const long count = space < 0 ? 0 : (long)H5Sget_simple_extent_npoints(space);
    ls_h5_close(space);
    ls_h5_close(attribute);
    return count;
}

/* Whether the table has as many columns of inputs as the data set to be like; where the label is
 * missing, the last input was taken for it. */
static bool columns_fit(const ls_csv_scale *s, hid_t x, const ls_csv_table *t, ls_error *error)
{
    char column[COLUMN_SIZE];
    const long known = count_of(x, "column_mean");
    if (known == 0 || known == t->width)
        return true;
    if (t->label < 0)
        return ls_error_set(error, LS_DATA,
                            "%s has %ld column(s) of inputs, %s has %ld; expected as many", t->path,
                            t->width, s->like, known);
    return ls_error_set(
        error, LS_DATA,
        "%s has %ld column(s) of inputs beside the label in column %s, %s has %ld; %s", t->path,
        t->width, ls_csv_table_column(t, t->label, column, sizeof column), s->like, known,
        known == t->width + 1 ? "is there no label? --label none" : "expected as many");
}

/* Whether the columns have the names of those of the data set to be like, where both have names. */
static bool names_fit(const ls_csv_scale *s, hid_t x, const ls_csv_table *t, ls_error *error)
{
    char *names = NULL;
    bool present, ok = true;
    if (!t->name || !ls_h5_get_text(x, "column_names", &names, &present, error))
        return !t->name;
    char *rest = names;
    for (long c = 0; names && ok && c < t->width; c++) {
        const int column = ls_csv_table_input(t, c);
        const char *known = strsep(&rest, "\n");
        ok = (known && strcmp(known, t->name[column]) == 0) ||
             ls_error_set(error, LS_DATA,
                          "%s: column %d is '%s', where %s has '%s'; expected the same columns in "
                          "the same order",
                          t->path, column + 1, t->name[column], s->like, known ? known : "");
    }
    ls_free(names);
    return ok;
}

bool ls_csv_scale_read(ls_csv_scale *s, hid_t x, const ls_csv_table *t, ls_error *error)
{
    bool mean, deviation;
    const long columns = t->width;
    const hid_t type = H5T_NATIVE_DOUBLE;
    s->mean = ls_alloc((size_t)columns, sizeof *s->mean);
    s->deviation = ls_alloc((size_t)columns, sizeof *s->deviation);
    if (!columns_fit(s, x, t, error) || !names_fit(s, x, t, error) ||
        !ls_h5_get_numbers(x, "column_mean", type, columns, s->mean, &mean, error) ||
        !ls_h5_get_numbers(x, "column_deviation", type, columns, s->deviation, &deviation, error))
        return false;
    if (!mean || !deviation)
        return ls_error_set(error, LS_DATA,
                            "%s: train/x has no attributes column_mean and column_deviation; "
                            "expected a file that import csv made with --scale standard",
                            s->like);
    for (long c = 0; c < columns; c++)
        if (!isfinite(s->mean[c]) || !isfinite(s->deviation[c]) || s->deviation[c] <= 0)
            return ls_error_set(error, LS_DATA,
                                "%s: train/x has mean %g and deviation %g for column %ld; expected "
                                "finite numbers, the deviation above 0",
                                s->like, s->mean[c], s->deviation[c], c + 1);
    return true;
}

/* The names of the columns of x, a line each. */
static bool put_names(const ls_csv_table *t, hid_t x, ls_error *error)
{
    char **name = ls_alloc((size_t)t->width, sizeof *name);
    for (long c = 0; c < t->width; c++)
        name[c] = t->name[ls_csv_table_input(t, c)];
    bool ok = ls_h5_put_lines(x, "column_names", name, t->width, error);
    ls_free(name);
    return ok;
}

bool ls_csv_scale_put(const ls_csv_scale *s, hid_t x, const ls_csv_table *t, ls_error *error)
{
    const hid_t type = H5T_NATIVE_DOUBLE;
    if (!ls_h5_put_double(x, "scale", s->factor, error) || !ls_h5_put_double(x, "offset", 0, error))
        return false;
    return !s->mean ||
           (ls_h5_put_numbers(x, "column_mean", type, t->width, s->mean, error) &&
            ls_h5_put_numbers(x, "column_deviation", type, t->width, s->deviation, error) &&
            (!t->name || put_names(t, x, error)));
}

void ls_csv_scale_measure(ls_csv_scale *s, const ls_csv_table *t)
{
    s->mean = ls_alloc((size_t)t->width, sizeof *s->mean);
    s->deviation = ls_alloc((size_t)t->width, sizeof *s->deviation);
    measure(t->x, t->rows, t->width, s->mean, s->deviation);
}

/* Sets hard[c] for each column of values[rows, width] but those whose numbers are whole and so near
 * each other, or 0, that float32 keeps them apart. mean may be NULL. */
static void find_hard(const double *values, long rows, long width, const double *mean, bool *hard)
{
    enum { NEAR = 1 << 21 };
    for (long i = 0; i < rows; i++)
        for (long c = 0; c < width; c++) {
            double value = values[i * width + c];
            hard[c] |= value != floor(value) || fabs(value - (mean ? mean[c] : 0)) >= NEAR;
        }
}

/* Whether two different numbers become one float32. A hash table by the float32 values holds the
 * numbers that were met. */
static bool merges(const column *it)
{
    size_t slots = 16;
    while (slots < 2 * (size_t)it->rows)
        slots *= 2;
    double *slot = ls_alloc(slots, sizeof *slot);
    for (size_t i = 0; i < slots; i++)
        slot[i] = NAN;
    bool merged = false;
    for (long i = 0; i < it->rows && !merged; i++) {
        double value = it->value[i];
        float stored = (float)scaled(it, value) + 0.0f; /* -0 becomes 0 */
        uint32_t bits;
        memcpy(&bits, &stored, sizeof bits);
        size_t at = bits * 0x9e3779b97f4a7c15u >> 20 & (slots - 1);
        while (!isnan(slot[at]) && (float)scaled(it, slot[at]) != stored)
            at = (at + 1) & (slots - 1);
        merged = !isnan(slot[at]) && slot[at] != value;
        slot[at] = value;
    }
    ls_free(slot);
    return merged;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* How many different float32 values numbers in ascending order become. */
static long count_kept(const column *it, const double *sorted)
{
    long kept = 1;
    for (long i = 1; i < it->rows; i++)
        kept += (float)scaled(it, sorted[i]) != (float)scaled(it, sorted[i - 1]);
    return kept;
}

/* What is lost of a column: *numbers are different, *kept of them stay so, and *best if the column
 * is brought to mean 0 and deviation 1. Of many numbers with more digits than float32 a few always
 * meet; that is no loss worth a word while they are rounded by less than 1e-6 deviations. */
static bool loses(const column *it, long *numbers, long *kept, long *best)
{
    enum { MANY = 1000 };
    column own = *it;
    double *sorted = ls_alloc((size_t)it->rows, sizeof *sorted), rounding = 0;
    for (long i = 0; i < it->rows; i++) {
        double value = it->value[i], there = scaled(it, value);
        sorted[i] = value;
        rounding = fmax(rounding, fabs((double)(float)there - there) * it->deviation);
    }
    qsort(sorted, (size_t)it->rows, sizeof *sorted, by_value);
    measure(sorted, it->rows, 1, &own.mean, &own.deviation);
    *numbers = 1;
    for (long i = 1; i < it->rows; i++)
        *numbers += sorted[i] != sorted[i - 1];
    *kept = count_kept(it, sorted);
    *best = count_kept(&own, sorted);
    ls_free(sorted);
    return *kept < *numbers && (*numbers <= MANY || *kept < *numbers - *numbers / 10 ||
                                rounding > 1e-6 * own.deviation);
}

/* Says what is lost of column c of the table, if anything. */
static bool report_column(const ls_csv_scale *s, const ls_csv_table *t, long c, const column *it,
                          FILE *report)
{
    char name[COLUMN_SIZE];
    long numbers, kept, best;
    if (!merges(it) || !loses(it, &numbers, &kept, &best))
        return false;
    ls_print(report, "note: column %s: %ld numbers become %ld float32 values",
             ls_csv_table_column(t, ls_csv_table_input(t, c), name, sizeof name), numbers, kept);
    if (c < t->width && !s->mean && best == numbers)
        ls_print(report, "; --scale standard keeps them\n");
    else if (c < t->width && !s->mean && best > kept)
        ls_print(report, "; --scale standard keeps %ld\n", best);
    else
        ls_print(report, "; take a constant off, or make two columns of it\n");
    return true;
}

void ls_csv_scale_report(const ls_csv_scale *s, const ls_csv_table *t, bool *named, FILE *report)
{
    long all = t->width + t->targets, said = 0;
    if (!report || t->rows == 0)
        return;
    bool *hard = ls_alloc((size_t)all, sizeof *hard);
    double *values = ls_alloc((size_t)t->rows, sizeof *values);
    find_hard(t->x, t->rows, t->width, s->mean, hard);
    find_hard(t->y, t->rows, t->targets, NULL, hard + t->width);
    for (long c = 0; c < all && said < NAMED_MAX; c++) {
        if (named[c] || !hard[c])
            continue;
        column it = column_of(s, t, c);
        it.value = values;
        for (long i = 0; i < t->rows; i++)
            values[i] = c < t->width ? t->x[i * t->width + c] : t->y[i * t->targets + c - t->width];
        named[c] = report_column(s, t, c, &it, report);
        said += named[c];
    }
    if (said == NAMED_MAX)
        ls_print(report, "note: %d columns were named; more may be like them\n", (int)NAMED_MAX);
    ls_free(values);
    ls_free(hard);
}

/* Writes x (first = 0) or y (first = width of x). */
static bool write_numbers(const ls_csv_scale *s, const ls_csv_table *t, long first, long width,
                          hid_t to, ls_error *error)
{
    const double *from = first ? t->y : t->x;
    long most = BLOCK_NUMBERS / width + 1, row = 0;
    float *block = ls_alloc((size_t)(most * width), sizeof *block);
    bool ok = true;
    while (ok && row < t->rows) {
        long n = t->rows - row < most ? t->rows - row : most;
        for (long c = 0; ok && c < width; c++) {
            const column it = column_of(s, t, first + c);
            for (long i = 0; ok && i < n; i++) {
                double value = from[(row + i) * width + c];
                block[i * width + c] = (float)scaled(&it, value);
                ok = isfinite(block[i * width + c]) ||
                     ls_error_set(error, LS_DATA,
                                  "%s:%ld: column %d holds %g, which is %g scaled: float32 can't "
                                  "hold it",
                                  t->path, t->line[row + i], 1 + ls_csv_table_input(t, first + c),
                                  value, scaled(&it, value));
            }
        }
        ok = ok && ls_h5_write_rows(to, H5T_NATIVE_FLOAT, row, n, block, error);
        row += n;
    }
    ls_free(block);
    return ok;
}

bool ls_csv_scale_write(const ls_csv_scale *s, const ls_csv_table *t, hid_t x, hid_t y,
                        ls_error *error)
{
    return write_numbers(s, t, 0, t->width, x, error) &&
           (y < 0 || write_numbers(s, t, t->width, t->targets, y, error));
}
