/* classes: counts rows by class, judges the counts, and writes the names of classes. */
#include "io/import/classes.h"

#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "core/print.h"
#include "core/spec.h"

/* So many classes or fewer may lack rows, whatever their share: a few rows of many classes. */
enum { SPARSE_CLASSES = 1000, SPARSE_SHARE = 100, LISTED = 8 };

void ls_classes_add(ls_classes *k, long label)
{
    if (label >= k->room) {
        k->room = label + label / 2 + 16;
        k->count = ls_realloc(k->count, (size_t)k->room, sizeof *k->count);
    }
    k->classes = label < k->classes ? k->classes : label + 1;
    k->count[label]++;
    k->rows++;
}

typedef struct counts {
    long lowest, few, many; /* classes: the first that has rows, those with fewest and most */
    long filled;            /* how many have rows */
} counts;

static counts count(const ls_classes *k)
{
    counts of = {.lowest = -1};
    for (long c = 0; c < k->classes; c++) {
        if (k->count[c] == 0)
            continue;
        of.few = of.filled == 0 || k->count[c] < k->count[of.few] ? c : of.few;
        of.many = of.filled == 0 || k->count[c] > k->count[of.many] ? c : of.many;
        of.lowest = of.filled == 0 ? c : of.lowest;
        of.filled++;
    }
    return of;
}

bool ls_classes_odd(const ls_classes *k)
{
    const counts of = count(k);
    return of.filled < 2 || of.filled < k->classes;
}

bool ls_classes_sparse(const ls_classes *k)
{
    return k->classes > SPARSE_CLASSES && count(k).filled < k->classes / SPARSE_SHARE;
}

/* The number of the class as the file has it, or its name. */
static const char *name_of(const ls_classes *k, char *const *names, long class, char text[24])
{
    snprintf(text, 24, "%ld", class + k->first);
    return names ? names[class] : text;
}

/* "note: 3 of 10 classes have no row: 2, 5, 7" */
static void report_gaps(const ls_classes *k, char *const *names, const counts *of, FILE *report)
{
    const long lowest = names ? 0 : of->lowest, from = k->first + lowest;
    const long empty = k->classes - of->filled - lowest;
    char text[24];
    if (lowest == 1 && k->first == 0)
        ls_print(report, "note: no row has label 0; do labels count from 1? Then --labels-from 1 "
                         "makes label 1 class 0\n");
    else if (lowest > 0)
        ls_print(
            report,
            "note: no row has label %ld; the smallest is %ld: --labels-from %ld makes it class "
            "0\n",
            k->first, from, from);
    if (empty == 0)
        return;
    ls_print(report, "note: %ld of %ld classes have no row", empty, k->classes - lowest);
    int listed = 0;
    for (long c = lowest; c < k->classes && listed <= LISTED; c++)
        if (k->count[c] == 0) {
            ls_print(report, "%s%.60s", listed == 0 ? ": " : ", ",
                     listed < LISTED ? name_of(k, names, c, text) : "...");
            listed++;
        }
    ls_print(report, "\n");
}

bool ls_classes_check(const ls_classes *k, const char *where, char *const *names, const char *hint,
                      FILE *report, ls_error *error)
{
    const counts of = count(k);
    char text[24], more[24];
    if (of.filled < 2 && !k->given)
        return ls_error_set(
            error, LS_DATA, "%s: all %ld row(s) have label %.60s; expected two classes or more%s%s",
            where, k->rows, name_of(k, names, of.lowest, text), hint ? "; " : "", hint ? hint : "");
    if (ls_classes_sparse(k) && !k->given)
        return ls_error_set(
            error, LS_DATA,
            "%s: the labels are %ld different numbers from %ld to %ld: %ld of %ld "
            "classes have no row; expected numbers from 0 without gaps "
            "(--labels-from says where they begin), or in a table names such as c%ld%s%s",
            where, of.filled, of.lowest + k->first, k->classes - 1 + k->first,
            k->classes - of.filled, k->classes, k->classes - 1 + k->first, hint ? "; " : "",
            hint ? hint : "");
    if (!report)
        return true;
    ls_print(report, "labels %s: %ld classes", where, k->classes);
    if (of.filled < k->classes)
        ls_print(report, ", %ld of them", of.filled);
    ls_print(report, " of %ld", k->count[of.few]);
    if (k->count[of.few] != k->count[of.many])
        ls_print(report, " (label %.60s) to %ld (label %.60s)", name_of(k, names, of.few, text),
                 k->count[of.many], name_of(k, names, of.many, more));
    ls_print(report, " row%s\n", k->count[of.many] == 1 ? "" : "s");
    if (k->given && !names)
        return true;
    report_gaps(k, names, &of, report);
    if (hint && of.filled < k->classes)
        ls_print(report, "note: %s\n", hint);
    return true;
}

int ls_classes_order(const void *a, const void *b)
{
    const char *x = *(char *const *)a, *y = *(char *const *)b;
    double m = 0, n = 0;
    const bool is_m = ls_parse_double(x, &m) && isfinite(m);
    const bool is_n = ls_parse_double(y, &n) && isfinite(n);
    if (is_m != is_n)
        return is_m ? -1 : 1;
    return is_m && m != n ? (m > n) - (m < n) : strcmp(x, y);
}

bool ls_classes_put_names(char *const *name, long classes, hid_t y, ls_error *error)
{
    return ls_h5_put_lines(y, "class_names", name, classes, error);
}
