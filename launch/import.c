/* import: lockstep import, other formats to data set files; one line a format. */
#include <limits.h>
#include <string.h>

#include "core/spec.h"
#include "io/import/import.h"
#include "launch/command.h"

enum { WORDS = 5 };

typedef struct choices {
    ls_words words; /* format, then files */
    const char *output, *label, *like;
    long valid, seed, targets, rows, test, size, classes;
    double scale;
    char separator;
    bool force, header, standardize;
} choices;

static void read_separator(void *context, const char *text, const struct argp_state *state)
{
    choices *chosen = context;
    chosen->separator = strcmp(text, "tab") == 0 ? '\t' : text[0];
    if (strcmp(text, "tab") != 0 && (strlen(text) != 1 || strchr("\"\n\r", text[0])))
        argp_error(state, "--separator: expected one character, or tab, found '%s'", text);
}

static void read_scale(void *context, const char *text, const struct argp_state *state)
{
    choices *chosen = context;
    size_t length = strlen(text);
    chosen->standardize = strcmp(text, "standard") == 0;
    chosen->like = length > 3 && strcmp(text + length - 3, ".h5") == 0 ? text : NULL;
    chosen->scale = 1;
    if (!chosen->standardize && !chosen->like &&
        (!ls_parse_double(text, &chosen->scale) || chosen->scale == 0))
        argp_error(state,
                   "--scale: expected a number other than 0, standard, or FILE.h5, found '%s'",
                   text);
}

static const ls_command_option options[] = {
    {"output", 'o', "FILE", "the data set file to make (HDF5)", LS_COMMAND_TEXT,
     .offset = offsetof(choices, output)},
    {"valid", 0, "N", "idx, csv: rows split off train for validation; synthetic: further rows (0)",
     LS_COMMAND_LONG, offsetof(choices, valid), .low = 0, .high = LONG_MAX},
    {"seed", 0, "S", "of the choice of these rows, or of the glyphs (1)", LS_COMMAND_LONG,
     offsetof(choices, seed), .low = 0, .high = LONG_MAX},
    {"force", 0, NULL, "overwrite FILE", .offset = offsetof(choices, force)},
    {"label", 0, "COLUMN",
     "the column of class labels: its name, its number from 1, or none (the last)", LS_COMMAND_TEXT,
     offsetof(choices, label), .with = "csv"},
    {"targets", 0, "N", "no labels: the last N columns are targets of regression", LS_COMMAND_LONG,
     offsetof(choices, targets), .low = 1, .high = LONG_MAX, .with = "csv"},
    {"header", 0, NULL, "the first line holds the names of the columns", LS_COMMAND_FLAG,
     offsetof(choices, header), .with = "csv"},
    {"separator", 0, "C", "between fields: a character, or tab (,)", LS_COMMAND_OWN, .with = "csv",
     .read = read_separator},
    {"scale", 0, "HOW",
     "a factor on inputs; or standard: each column to mean 0 and deviation 1 over train; or "
     "FILE.h5, made by import csv: by the mean and deviation there, and labels as there (1)",
     LS_COMMAND_OWN, .with = "csv", .read = read_scale},
    {"rows", 0, "N", "training rows (20000)", LS_COMMAND_LONG, offsetof(choices, rows), .low = 1,
     .high = LONG_MAX, .with = "synthetic"},
    {"test", 0, "N", "test rows (4000)", LS_COMMAND_LONG, offsetof(choices, test), .low = 0,
     .high = LONG_MAX, .with = "synthetic"},
    {"size", 0, "N", "height and width of a picture (28)", LS_COMMAND_LONG, offsetof(choices, size),
     .low = 1, .high = LONG_MAX, .with = "synthetic"},
    {"classes", 0, "N", "digits, then letters: 2 to 20 (10)", LS_COMMAND_LONG,
     offsetof(choices, classes), .low = 1, .high = LONG_MAX, .with = "synthetic"},
    {NULL}};

/* The file that was named in that place, from 1; NULL: fewer were. */
static const char *file(const choices *chosen, int place)
{
    return place < chosen->words.count ? chosen->words.at[place] : NULL;
}

static bool import_idx(const choices *chosen, ls_error *error)
{
    ls_import_idx import = {.train_images = file(chosen, 1),
                            .train_labels = file(chosen, 2),
                            .test_images = file(chosen, 3),
                            .test_labels = file(chosen, 4),
                            .output = chosen->output,
                            .valid = chosen->valid,
                            .seed = (unsigned long)chosen->seed,
                            .force = chosen->force};
    return ls_import_idx_run(&import, stdout, error);
}

static bool import_csv(const choices *chosen, ls_error *error)
{
    ls_import_csv import = {.train = file(chosen, 1),
                            .test = file(chosen, 2),
                            .output = chosen->output,
                            .label = chosen->label,
                            .targets = chosen->targets,
                            .header = chosen->header,
                            .separator = chosen->separator,
                            .scale = chosen->scale,
                            .standardize = chosen->standardize,
                            .like = chosen->like,
                            .valid = chosen->valid,
                            .seed = (unsigned long)chosen->seed,
                            .force = chosen->force};
    return ls_import_csv_run(&import, stdout, error);
}

static bool import_synthetic(const choices *chosen, ls_error *error)
{
    ls_import_synthetic import = {.output = chosen->output,
                                  .rows = chosen->rows,
                                  .valid = chosen->valid,
                                  .test = chosen->test,
                                  .size = chosen->size,
                                  .classes = chosen->classes,
                                  .seed = (unsigned long)chosen->seed,
                                  .force = chosen->force};
    return ls_import_synthetic_run(&import, stdout, error);
}

static const struct format {
    const char *name;
    bool (*run)(const choices *chosen, ls_error *error);
    const char *files;
    int files_min, files_max, files_step; /* as many files as min, min + step, ... max */
} formats[] = {
    {"idx", import_idx, "IMAGES LABELS [IMAGES LABELS]", 2, 4, 2},
    {"csv", import_csv, "FILE [FILE]", 1, 2, 1},
    {"synthetic", import_synthetic, "no files", 0, 0, 1},
};
enum { FORMATS = sizeof formats / sizeof *formats };

static const struct format *find_format(const choices *chosen, const struct argp_state *state)
{
    for (int i = 0; i < FORMATS; i++)
        if (strcmp(chosen->words.at[0], formats[i].name) == 0)
            return &formats[i];
    argp_error(state, "there is no format '%s'; expected idx, csv or synthetic",
               chosen->words.at[0]);
    return NULL;
}

static void check_choices(const void *context, const struct argp_state *state)
{
    const choices *chosen = context;
    const struct format *format = find_format(chosen, state);
    int files = chosen->words.count - 1;
    if (!format)
        return;
    if (files < format->files_min || files > format->files_max ||
        (files - format->files_min) % format->files_step)
        argp_error(state, "%s: expected %s, found %d file(s)", format->name, format->files, files);
    if (chosen->label && chosen->targets)
        argp_error(state, "--label and --targets exclude each other");
    if (!chosen->output)
        argp_error(state, "-o FILE is missing: where should the data set go?");
}

const ls_usage ls_usage_import = {
    .options = options,
    .check = check_choices,
    .arguments = "idx|csv|synthetic [FILE ...]",
    .about = "Makes a data set file: from MNIST-like files (idx IMAGES LABELS [IMAGES LABELS]) and "
             "tables of numbers (csv FILE [FILE]), plain or gzip, the first for training, the "
             "second for testing; or from drawn glyphs (synthetic), which need no files.",
    .more = "Examples:\n"
            "  lockstep import idx train-images-idx3-ubyte.gz \\\n"
            "      train-labels-idx1-ubyte.gz t10k-images-idx3-ubyte.gz \\\n"
            "      t10k-labels-idx1-ubyte.gz --valid 5000 -o fashion.h5\n"
            "  lockstep import csv iris.csv --header --label species \\\n"
            "      --scale standard --valid 30 -o iris.h5\n"
            "  lockstep import csv new.csv --header --label species \\\n"
            "      --scale iris.h5 -o new.h5\n"
            "  lockstep import synthetic --rows 60000 --valid 2000 -o glyphs.h5",
    .arguments_min = 1,
    .arguments_max = WORDS,
};

/* Under mpirun rank 0 does it: there is one file to write. */
int ls_command_import(int argc, char **argv)
{
    ls_error error;
    choices chosen = {.seed = 1,
                      .rows = 20000,
                      .test = 4000,
                      .size = 28,
                      .classes = 10,
                      .scale = 1,
                      .separator = ','};
    ls_command_parse(&ls_usage_import, argc, argv, &chosen.words);
    if (ls_command_rank() != 0)
        return 0;
    for (int i = 0; i < FORMATS; i++)
        if (strcmp(chosen.words.at[0], formats[i].name) == 0 && !formats[i].run(&chosen, &error))
            return ls_command_fail(0, &error);
    printf("wrote %s\n", chosen.output);
    return 0;
}
