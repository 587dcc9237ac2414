/* csv_labels: decides what labels mean, sorts names, and finds the class of a label. */
#include "io/import/csv_labels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/memory.h"
#include "core/print.h"
#include "core/spec.h"

enum { COLUMN_SIZE = 200 };

/* What people write where they know no value. */
static const char *const missing[] = {"?",       "NA",  "N/A",  "#N/A", "nan", "null", "none",
                                      "missing", "inf", "-inf", "-",    "--",  ".",    "NaT"};

static bool is_missing(const char *text)
{
    for (size_t i = 0; i < sizeof missing / sizeof *missing; i++)
        if (strcasecmp(text, missing[i]) == 0)
            return true;
    return false;
}

/* A whole number below LS_CLASSES_MAX, or -1. */
static long class_number(const char *text)
{
    double value;
    bool whole = ls_parse_double(text, &value) && value >= 0 && value < LS_CLASSES_MAX &&
                 value == floor(value);
    return whole ? (long)value : -1;
}

/* Refuses the label of a row: "t.csv:4: column 3 (kind) holds '?'; expected ...". */
static bool refuse(const ls_csv_table *t, long row, const char *expected, ls_error *error)
{
    char column[COLUMN_SIZE];
    return ls_error_set(error, LS_DATA, "%s:%ld: column %s holds '%.60s'; expected %s", t->path,
                        t->line[row], ls_csv_table_column(t, t->label, column, sizeof column),
                        ls_csv_table_label(t, row), expected);
}

/* -1 and 1 are names of two classes that are in wide use. */
static bool are_signs(const ls_csv_table *t)
{
    double value;
    for (long i = 0; i < t->rows; i++)
        if (!ls_parse_double(ls_csv_table_label(t, i), &value) || fabs(value) != 1)
            return false;
    return true;
}

/* Decides whether the labels are numbers of classes, *numbers, or names. */
static bool decide(const ls_csv_table *t, bool *numbers, ls_error *error)
{
    long whole = 0, others = 0, absent = 0, bad = -1, unlike = -1;
    for (long i = 0; i < t->rows; i++) {
        const char *text = ls_csv_table_label(t, i);
        double value;
        bool class = class_number(text) >= 0, other = !class && ls_parse_double(text, &value);
        whole += class;
        others += other;
        absent += is_missing(text);
        bad = !class && bad < 0 ? i : bad;
        unlike = other && unlike < 0 ? i : unlike;
    }
    *numbers = whole > 0 && (2 * whole > t->rows || whole + absent == t->rows);
    if (are_signs(t) && unlike >= 0)
        *numbers = false;
    else if (*numbers && bad >= 0)
        return refuse(
            t, bad,
            "a whole number from 0 to 16777215, as most labels are: repair the row, leave "
            "it out, or write all labels as names (class1, class2)",
            error);
    else if (!*numbers && 2 * (whole + others) > t->rows)
        return refuse(t, unlike,
                      "a whole number from 0 to 16777215, or a name: other numbers are no classes "
                      "(--targets 1 takes the last column as a target of regression)",
                      error);
    return true;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* From labels->sorted, different names in the order of their bytes: names, by the order `order` of
 * `from`, and the class of each. */
static void index_names(ls_csv_labels *l)
{
    l->class = ls_alloc((size_t)l->classes, sizeof *l->class);
    for (long i = 0; i < l->classes; i++) {
        char **found =
            bsearch(&l->names[i], l->sorted, (size_t)l->classes, sizeof *l->sorted, by_bytes);
        l->class[found - l->sorted] = i;
    }
}

static void collect_names(ls_csv_labels *l, const ls_csv_table *t)
{
    size_t size = sizeof *l->sorted;
    l->sorted = ls_alloc((size_t)t->rows, size);
    for (long i = 0; i < t->rows; i++)
        l->sorted[i] = ls_csv_table_label(t, i);
    qsort(l->sorted, (size_t)t->rows, size, by_bytes);
    for (long i = 0; i < t->rows; i++)
        if (l->classes == 0 || strcmp(l->sorted[l->classes - 1], l->sorted[i]) != 0)
            l->sorted[l->classes++] = l->sorted[i];
    l->names = ls_alloc((size_t)l->classes, size);
    memcpy(l->names, l->sorted, (size_t)l->classes * size);
    qsort(l->names, (size_t)l->classes, size, ls_classes_order);
    index_names(l);
}

bool ls_csv_labels_read(ls_csv_labels *l, hid_t y, ls_error *error)
{
    bool present;
    l->first = 0;
    if (!ls_h5_get_long(y, "classes", &l->classes, &present, error) ||
        !ls_h5_get_long(y, "labels_from", &l->first, &l->begins, error) ||
        !ls_h5_get_text(y, "class_names", &l->known, &present, error))
        return false;
    bool ok = l->classes >= 1 && l->classes <= LS_CLASSES_MAX;
    char *rest = l->known;
    if (l->first < 0)
        return ls_error_set(error, LS_DATA,
                            "%s: train/y has attribute labels_from=%ld; expected 0 or more",
                            l->like, l->first);
    if (ok && rest) {
        l->names = ls_alloc((size_t)l->classes, sizeof *l->names);
        l->sorted = ls_alloc((size_t)l->classes, sizeof *l->sorted);
    }
    for (long i = 0; ok && l->names && i < l->classes; i++) {
        ok = rest != NULL;
        l->sorted[i] = l->names[i] = strsep(&rest, "\n");
    }
    ok = ok && !rest;
    if (ok && l->names)
        qsort(l->sorted, (size_t)l->classes, sizeof *l->sorted, by_bytes);
    for (long i = 1; ok && l->names && i < l->classes; i++)
        ok = strcmp(l->sorted[i - 1], l->sorted[i]) != 0;
    if (!ok)
        return ls_error_set(error, LS_DATA,
                            "%s: train/y has attributes classes=%ld and class_names that do not "
                            "fit; expected 1 to %d, and as many different names, a line each",
                            l->like, l->classes, (int)LS_CLASSES_MAX);
    if (l->names)
        index_names(l);
    return true;
}

/* The class of a label; -1: it has none. */
static long class_of(const ls_csv_labels *l, char *text)
{
    if (!l->names) {
        long number = class_number(text);
        return number < l->first ? -1 : number - l->first;
    }
    char **found = bsearch(&text, l->sorted, (size_t)l->classes, sizeof *l->sorted, by_bytes);
    return found ? l->class[found - l->sorted] : -1;
}

/* Fills t->class. Where classes are those of a file or of other rows, `from`, a label must be one
 * of them; where `from` is NULL, any number is, and l->classes grows. */
static bool number_rows(ls_csv_labels *l, ls_csv_table *t, const char *from, ls_error *error)
{
    t->class = ls_alloc((size_t)t->rows, sizeof *t->class);
    for (long i = 0; i < t->rows; i++) {
        char *text = ls_csv_table_label(t, i);
        long class = class_of(l, text);
        if (from && (class < 0 || class >= l->classes))
            return ls_error_set(error, LS_DATA,
                                "%s:%ld: label '%.60s' does not occur in %s; expected one of its "
                                "%ld labels",
                                t->path, t->line[i], text, from, l->classes);
        if (class < 0)
            return refuse(t, i,
                          class_number(text) < 0
                              ? "a whole number from 0 to 16777215, as the other labels are"
                              : "a label that is not below --labels-from",
                          error);
        l->classes = class < l->classes ? l->classes : class + 1;
        t->class[i] = (int)class;
    }
    return true;
}

/* Whether the first column looks like labels: whole numbers, not all equal, that do not just count
 * the rows. */
static bool first_is_labels(const ls_csv_table *t)
{
    bool equal = true, counts = true;
    for (long i = 0; i < t->rows; i++) {
        double value = t->x[i * t->width], before = i ? t->x[(i - 1) * t->width] : value - 1;
        if (value != floor(value) || value < 0 || value >= LS_CLASSES_MAX)
            return false;
        equal = equal && value == t->x[0];
        counts = counts && value == before + 1;
    }
    return !equal && !counts;
}

/* Which other column may hold the labels, for messages. */
static const char *hint(const ls_csv_table *t, char *text, size_t size)
{
    static const char *const usual[] = {"label", "labels", "class", "target", "y"};
    for (int i = 0; t->name && i < t->columns; i++)
        for (size_t k = 0; i != t->label && k < sizeof usual / sizeof *usual; k++)
            if (strcasecmp(t->name[i], usual[k]) == 0) {
                snprintf(text, size,
                         "column %d is called %s: if it holds the labels, give --label %d", i + 1,
                         t->name[i], i + 1);
                return text;
            }
    snprintf(text, size,
             t->label > 0 && first_is_labels(t)
                 ? "column 1 holds whole numbers: if these are the labels, give --label 1"
                 : "--label says which column holds the labels");
    return text;
}

/* Counts the rows of each class of train, and says what is to be said of them. */
static bool judge(const ls_csv_labels *l, const ls_import *import, const ls_csv_table *train,
                  FILE *report, ls_error *error)
{
    char column[COLUMN_SIZE], lead[COLUMN_SIZE];
    ls_classes classes = {.first = l->names ? 0 : l->first};
    for (long i = 0; i < train->rows; i++)
        ls_classes_add(&classes, train->class[i]);
    char *where = ls_format("%s: column %s", train->path,
                            ls_csv_table_column(train, train->label, column, sizeof column));
    bool lost = !import->label && ls_classes_odd(&classes);
    bool ok = ls_classes_check(&classes, where, l->names,
                               lost ? hint(train, lead, sizeof lead) : NULL, report, error);
    for (long i = 0; ok && report && l->names && i < l->classes; i++)
        if (is_missing(l->names[i]))
            ls_print(report, "note: label '%s' reads like a missing value; here it is class %ld\n",
                     l->names[i], i);
    ls_free(where);
    ls_free(classes.count);
    return ok;
}

bool ls_csv_labels_number(ls_csv_labels *l, const ls_import *import, ls_csv_table *train,
                          ls_csv_table *test, FILE *report, ls_error *error)
{
    bool numbers = false;
    if (l->begins && import->labels_from && import->labels_from != l->first)
        return ls_error_set(error, LS_USAGE,
                            "--labels-from %ld, but the labels of %s begin at %ld, and so they do "
                            "here: leave it out",
                            import->labels_from, l->like, l->first);
    l->first = l->begins ? l->first : import->labels_from;
    if (l->classes) /* those of l->like, which may lack rows here */
        return number_rows(l, train, l->like, error) &&
               (!test->path || number_rows(l, test, l->like, error));
    if (!decide(train, &numbers, error))
        return false;
    if (!numbers && l->first)
        return ls_error_set(error, LS_USAGE,
                            "%s: --labels-from is for labels that are numbers; these are names "
                            "('%.60s')",
                            train->path, ls_csv_table_label(train, 0));
    if (!numbers)
        collect_names(l, train);
    const char *from = numbers ? NULL : train->path;
    return number_rows(l, train, from, error) && judge(l, import, train, report, error) &&
           (!test->path || number_rows(l, test, from, error));
}

bool ls_csv_labels_put(const ls_csv_labels *l, hid_t y, ls_error *error)
{
    return ls_h5_put_long(y, "classes", l->classes, error) &&
           (l->names ? ls_classes_put_names(l->names, l->classes, y, error)
                     : ls_h5_put_long(y, "labels_from", l->first, error));
}

void ls_csv_labels_release(ls_csv_labels *l)
{
    ls_free(l->names);
    ls_free(l->sorted);
    ls_free(l->class);
    ls_free(l->known);
}
