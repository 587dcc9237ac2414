/* import: `lockstep import`: makes data set files from other formats. The formats and their options
 * are those of io/imports.def. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "core/print.h"
#include "core/spec.h"
#include "io/import/import.h"
#include "launch/command.h"

typedef struct arguments {
    ls_words words; /* format, then files */
    ls_import import;
} arguments;

/* A number of rows or tokens, or a share of them: *number or *share. */
static void read_part(const char *name, const char *text, long *number, double *share,
                      const struct argp_state *state)
{
    *share = 0;
    if (ls_parse_long(text, number) && *number >= 0)
        return;
    *number = 0;
    if (!ls_parse_double(text, share) || !(*share > 0 && *share < 1))
        argp_error(state,
                   "--%s: expected a whole number, 0 or more, or with text a share below 1, found "
                   "'%s'",
                   name, text);
}

static void read_valid(void *context, const char *text, const struct argp_state *state)
{
    ls_import *import = &((arguments *)context)->import;
    read_part("valid", text, &import->valid, &import->valid_share, state);
}

static void read_test(void *context, const char *text, const struct argp_state *state)
{
    ls_import *import = &((arguments *)context)->import;
    read_part("test", text, &import->test, &import->test_share, state);
}

#define MEMBER(name) offsetof(arguments, import.name)
static const ls_command_option options[] = {
    {"output", 'o', "FILE", "the data set file to make (HDF5)", LS_COMMAND_TEXT,
     .offset = MEMBER(output)},
    {"valid", 0, "N",
     "validation rows (0): idx, csv, h5: split off train; synthetic: made in addition; text: that "
     "many tokens, or a share such as 0.05 of all, before those for testing",
     LS_COMMAND_OWN, .read = read_valid},
    {"test", 0, "N",
     "test rows: synthetic: made in addition (4000); text: that many tokens, or a share, at the "
     "end "
     "(0)",
     LS_COMMAND_OWN, .read = read_test},
    {"seed", 0, "S", "seed by which these rows are chosen, or the glyphs drawn (1)",
     LS_COMMAND_LONG, MEMBER(seed), .high = LONG_MAX},
    {"labels-from", 0, "N",
     "idx, csv, h5: the label that becomes class 0, where they count from 1 (0)", LS_COMMAND_LONG,
     MEMBER(labels_from), .high = LONG_MAX},
    {"force", 0, NULL, "overwrite FILE", LS_COMMAND_FLAG, .offset = MEMBER(force)},
#define LS_IMPORT_LONG(format, name, option, preset, low, value, help)                             \
    {option, 0, value, help, LS_COMMAND_LONG, MEMBER(name), low, LONG_MAX, #format, NULL},
#define LS_IMPORT_TEXT(format, name, option, preset, value, help)                                  \
    {option, 0, value, help, LS_COMMAND_TEXT, MEMBER(name), .with = #format},
#define LS_IMPORT_FLAG(format, name, option, help)                                                 \
    {option, 0, NULL, help, LS_COMMAND_FLAG, MEMBER(name), .with = #format},
#include "io/imports.def"
    {.name = NULL}};

/* Returns what imports the named format, and fills *import; NULL and an error. */
static ls_import_run *find(const arguments *a, ls_import *import, ls_error *error)
{
    *import = a->import;
    for (int i = 1; i < a->words.count; i++)
        import->file[i - 1] = a->words.at[i];
    return ls_import_find(a->words.at[0], import, error);
}

static void check(const void *context, const struct argp_state *state)
{
    const arguments *a = context;
    ls_import import;
    ls_error error;
    if (!find(a, &import, &error))
        argp_error(state, "%s", error.text);
    const char *format = a->words.at[0];
    const bool text = strcmp(format, "text") == 0;
    if (!text && (import.valid_share > 0 || import.test_share > 0))
        argp_error(state, "a share of the rows goes with `text`: give %s a number", format);
    if (!text && strcmp(format, "synthetic") != 0 && import.test >= 0)
        argp_error(state, "--test does not go with %s, whose second file is for testing", format);
    if (!import.output)
        argp_error(state, "-o FILE is missing: where should the data set go?");
}

const ls_usage ls_usage_import = {
    .alone = true,
    .options = options,
    .check = check,
/* "|idx|csv|h5|text|synthetic [FILE ...]" without its first letter. */
#define LS_IMPORT(name, ...) "|" #name
    .arguments = &(
#include "io/imports.def"
        " [FILE ...]")[1],
#define LS_IMPORT(name, files, least, most, step, help) "\n  " #name ": " help "; takes " files
    .about = "Makes a data set file; where there are two files or pairs, the second is for testing:"
#include "io/imports.def"
    ,
    .more = "Examples:\n"
            "  lockstep import idx train-images-idx3-ubyte.gz \\\n"
            "      train-labels-idx1-ubyte.gz t10k-images-idx3-ubyte.gz \\\n"
            "      t10k-labels-idx1-ubyte.gz --valid 5000 -o fashion.h5\n"
            "  lockstep import csv iris.csv --header --label species \\\n"
            "      --scale standard --valid 30 -o iris.h5\n"
            "  lockstep import csv new.csv --header --label species \\\n"
            "      --scale iris.h5 -o new.h5\n"
            "  lockstep import h5 caffe.h5 --rename data=x,label=y --channels-first -o images.h5\n"
            "  lockstep import text books/*.txt --valid 0.05 --test-files 1 -o books.h5\n"
            "  lockstep import synthetic --rows 60000 --valid 2000 -o glyphs.h5",
    .arguments_min = 1,
    .arguments_max = 1 + LS_IMPORT_FILES,
};

int ls_command_import(int argc, char **argv)
{
    ls_error error;
    ls_import import;
    arguments a = {.import = ls_import_presets};
    ls_command_parse(&ls_usage_import, argc, argv, &a.words);
    ls_import_run *run = find(&a, &import, &error);
    if (!run || !run(&import, stdout, &error))
        return ls_command_fail(0, &error);
    ls_print(stdout, "wrote %s\n", import.output);
    return 0;
}
