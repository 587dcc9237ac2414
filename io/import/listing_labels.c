/* listing_labels: finds the names of the classes, each once and in order, and the class of a file.
 */
#include "io/import/listing_labels.h"

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/minmax.h"
#include "core/print.h"
#include "core/spec.h"
#include "io/atomic_file.h"
#include "io/import/classes.h"
#include "io/labels.h"

/* The number that a label is; -1: it is a word. */
static long number_of(const char *label)
{
    long number = -1;
    size_t length = strlen(label);
    return length > 0 && length < 10 && strspn(label, "0123456789") == length &&
                   ls_parse_long(label, &number) && number < LS_CLASSES_MAX
               ? number
               : -1;
}

/* Labels of a LIST that are all whole numbers are the classes. */
static bool take_numbers(const ls_listing_labels *m, bool *numbers, ls_error *error)
{
    ls_listing *files = m->files;
    *numbers = !ls_atomic_file_is_folder(m->import->file[0]);
    for (long i = 0; *numbers && i < files->count; i++)
        *numbers = number_of(m->text + m->label[i]) >= 0;
    for (long i = 0; *numbers && i < files->count; i++) {
        long number = number_of(m->text + m->label[i]) - m->import->labels_from;
        if (number < 0)
            return ls_error_set(
                error, LS_DATA, "%s: %s has label %s; expected none below --labels-from %ld",
                m->import->file[files->file[i].root], files->names + files->file[i].name,
                m->text + m->label[i], m->import->labels_from);
        files->file[i].label = (int32_t)number;
        files->classes = ls_max(files->classes, number + 1);
    }
    return true;
}

/* Sorts the names of the labels of the first root, each once. */
static void collect_names(const ls_listing_labels *m)
{
    ls_listing *files = m->files;
    char **name = ls_alloc((size_t)files->count, sizeof *name);
    long all = 0, kept = 0;
    for (; all < files->count && files->file[all].root == 0; all++)
        name[all] = m->text + m->label[all];
    qsort(name, (size_t)all, sizeof *name, ls_classes_order);
    for (long i = 0; i < all; i++)
        if (i == 0 || strcmp(name[i], name[i - 1]) != 0)
            name[kept++] = name[i];
    files->class_name = name;
    files->classes = kept;
}

/* Numbers that are no classes, such as -1, are names like others. */
static void note_numbers(const ls_listing_labels *m)
{
    const ls_listing *files = m->files;
    double number;
    long i = 0;
    while (i < files->classes && ls_parse_double(files->class_name[i], &number))
        i++;
    if (m->report && i == files->classes && !ls_atomic_file_is_folder(m->import->file[0]))
        ls_print(m->report,
                 "note: %s: its labels are numbers, but not all are whole, from 0 to %d: they are "
                 "names of classes, of which %s is class 0 and %s class %ld\n",
                 m->import->file[0], LS_CLASSES_MAX - 1, files->class_name[0],
                 files->class_name[i - 1], i - 1);
}

static bool take_names(const ls_listing_labels *m, ls_error *error)
{
    ls_listing *files = m->files;
    if (m->import->labels_from)
        return ls_error_set(error, LS_USAGE,
                            "%s: --labels-from is for labels that are numbers; these are names "
                            "('%.60s')",
                            m->import->file[0], m->text + m->label[0]);
    collect_names(m);
    note_numbers(m);
    for (long i = 0; i < files->count; i++) {
        char *label = m->text + m->label[i];
        char **found = bsearch(&label, files->class_name, (size_t)files->classes,
                               sizeof *files->class_name, ls_classes_order);
        if (!found)
            return ls_error_set(error, LS_DATA,
                                "%s: %s is of the class '%.60s', which %s does not have; expected "
                                "one of its %ld classes",
                                m->import->file[files->file[i].root],
                                files->names + files->file[i].name, label, m->import->file[0],
                                files->classes);
        files->file[i].label = (int32_t)(found - files->class_name);
    }
    return true;
}

bool ls_listing_labels_number(const ls_listing_labels *m, ls_error *error)
{
    bool numbers;
    return take_numbers(m, &numbers, error) && (numbers || take_names(m, error));
}
