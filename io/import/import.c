/* import: the table of formats. */
#include "io/import/import.h"

#include <string.h>

#include "core/memory.h"
#include "core/print.h"
#include "core/random.h"

const ls_import ls_import_presets = {
    .seed = 1,
    .test = -1,
#define LS_IMPORT_LONG(format, name, option, preset, ...) .name = preset,
#define LS_IMPORT_TEXT(format, name, option, preset, ...) .name = preset,
#include "io/imports.def"
};

static const struct format {
    const char *name, *files;
    int least, most, step;
    ls_import_run *const *run;
} formats[] = {
#define LS_IMPORT(name, files, least, most, step, help)                                            \
    {#name, files, least, most, step, &ls_import_##name},
#include "io/imports.def"
};

bool ls_import_filewise(const char *format)
{
    static const char *const names[] = {
#define LS_IMPORT_FILEWISE(name) #name,
#include "io/imports.def"
        NULL};
    for (int i = 0; names[i]; i++)
        if (strcmp(names[i], format) == 0)
            return true;
    return false;
}

ls_import_run *ls_import_find(const char *name, const ls_import *import, ls_error *error)
{
    char known[256] = "";
    int files = 0;
    while (files < LS_IMPORT_FILES && import->file[files])
        files++;
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        const struct format *f = &formats[i];
        ls_format_join(known, sizeof known, f->name);
        if (strcmp(name, f->name) != 0)
            continue;
        if (files >= f->least && files <= f->most && (files - f->least) % f->step == 0)
            return *f->run;
        ls_error_set(error, LS_USAGE, "%s: expected %s, found %d file(s)", name, f->files, files);
        return NULL;
    }
    ls_error_set(error, LS_USAGE, "there is no format '%s'; expected one of %s", name, known);
    return NULL;
}

bool ls_import_check_valid(const ls_import *import, const char *path, long rows, ls_error *error)
{
    return (import->valid >= 0 && import->valid < rows) ||
           ls_error_set(error, LS_USAGE,
                        "%s: holds %ld rows, %ld can't be split off for validation; expected 0 to "
                        "%ld",
                        path, rows, import->valid, rows - 1);
}

bool ls_import_in_valid(const ls_import *import, long rows, long row)
{
    ls_random order = ls_random_stream((uint64_t)import->seed, LS_RANDOM_SPLIT, 0, 0, 0);
    return import->valid > 0 &&
           ls_random_permute(order, (uint64_t)rows, (uint64_t)row) < (uint64_t)import->valid;
}

void ls_import_report(FILE *report, const char *split, long rows, const long size[2], long classes)
{
    if (report && rows > 0)
        ls_print(report, "%-5s  x uint8 [%ld, %ld, %ld, 1]  y uint8 [%ld]  %ld classes\n", split,
                 rows, size[0], size[1], rows, classes);
}
