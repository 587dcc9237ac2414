/* import: lockstep import, other formats to data set files; one line a format. */
#include <limits.h>
#include <string.h>

#include "core/spec.h"
#include "io/import/import.h"
#include "launch/command.h"

enum {
    WORDS = 5,
    KEY_OUTPUT = 'o',
    KEY_VALID = 256,
    KEY_SEED,
    KEY_FORCE,
    KEY_LABEL,
    KEY_TARGETS,
    KEY_HEADER,
    KEY_SEPARATOR,
    KEY_SCALE,
    KEY_ROWS,
    KEY_TEST,
    KEY_SIZE,
    KEY_CLASSES,
    KEYS_END
};

typedef struct choices {
    const char *word[WORDS]; /* format, then files */
    int words;
    const char *output, *label, *like;
    long valid, seed, targets, rows, test, size, classes;
    double scale;
    char separator;
    bool force, header, standardize;
    bool given[KEYS_END - KEY_VALID];
} choices;

static const struct argp_option options[] = {
    {"output", KEY_OUTPUT, "FILE", 0, "the data set file to make (HDF5)", 0},
    {"valid", KEY_VALID, "N", 0,
     "idx, csv: rows split off train for validation; synthetic: further rows (0)", 0},
    {"seed", KEY_SEED, "S", 0, "of the choice of these rows, or of the glyphs (1)", 0},
    {"force", KEY_FORCE, NULL, 0, "overwrite FILE", 0},
    {NULL, 0, NULL, 0, "csv:", 1},
    {"label", KEY_LABEL, "COLUMN", 0,
     "the column of class labels: its name, its number from 1, or none (the last)", 1},
    {"targets", KEY_TARGETS, "N", 0, "no labels: the last N columns are targets of regression", 1},
    {"header", KEY_HEADER, NULL, 0, "the first line holds the names of the columns", 1},
    {"separator", KEY_SEPARATOR, "C", 0, "between fields: a character, or tab (,)", 1},
    {"scale", KEY_SCALE, "HOW", 0,
     "a factor on inputs; or standard: each column to mean 0 and deviation 1 over train; or "
     "FILE.h5, "
     "made by import csv: by the mean and deviation there, and labels as there (1)",
     1},
    {NULL, 0, NULL, 0, "synthetic:", 2},
    {"rows", KEY_ROWS, "N", 0, "training rows (20000)", 2},
    {"test", KEY_TEST, "N", 0, "test rows (4000)", 2},
    {"size", KEY_SIZE, "N", 0, "height and width of a picture (28)", 2},
    {"classes", KEY_CLASSES, "N", 0, "digits, then letters: 2 to 20 (10)", 2},
    {0}};

static error_t read_separator(choices *chosen, const char *text, struct argp_state *state)
{
    chosen->separator = strcmp(text, "tab") == 0 ? '\t' : text[0];
    if (strcmp(text, "tab") != 0 && (strlen(text) != 1 || strchr("\"\n\r", text[0])))
        argp_error(state, "--separator: expected one character, or tab, found '%s'", text);
    return 0;
}

static error_t read_scale(choices *chosen, const char *text, struct argp_state *state)
{
    size_t length = strlen(text);
    chosen->standardize = strcmp(text, "standard") == 0;
    chosen->like = length > 3 && strcmp(text + length - 3, ".h5") == 0 ? text : NULL;
    chosen->scale = 1;
    if (!chosen->standardize && !chosen->like &&
        (!ls_parse_double(text, &chosen->scale) || chosen->scale == 0))
        argp_error(state,
                   "--scale: expected a number other than 0, standard, or FILE.h5, found '%s'",
                   text);
    return 0;
}

/* The options that are one whole number. */
static const struct {
    int key;
    const char *name;
    size_t offset;
    long low;
} numbers[] = {
    {KEY_VALID, "--valid", offsetof(choices, valid), 0},
    {KEY_SEED, "--seed", offsetof(choices, seed), 0},
    {KEY_TARGETS, "--targets", offsetof(choices, targets), 1},
    {KEY_ROWS, "--rows", offsetof(choices, rows), 1},
    {KEY_TEST, "--test", offsetof(choices, test), 0},
    {KEY_SIZE, "--size", offsetof(choices, size), 1},
    {KEY_CLASSES, "--classes", offsetof(choices, classes), 1},
};

static error_t read_number(choices *chosen, int key, const char *text, struct argp_state *state)
{
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (numbers[i].key == key)
            *(long *)((char *)chosen + numbers[i].offset) =
                ls_command_long(state, numbers[i].name, text, numbers[i].low, LONG_MAX);
    return 0;
}

static bool import_idx(const choices *chosen, ls_error *error)
{
    ls_import_idx import = {.train_images = chosen->word[1],
                            .train_labels = chosen->word[2],
                            .test_images = chosen->word[3],
                            .test_labels = chosen->word[4],
                            .output = chosen->output,
                            .valid = chosen->valid,
                            .seed = (unsigned long)chosen->seed,
                            .force = chosen->force};
    return ls_import_idx_run(&import, stdout, error);
}

static bool import_csv(const choices *chosen, ls_error *error)
{
    ls_import_csv import = {.train = chosen->word[1],
                            .test = chosen->word[2],
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
    int first_key, last_key;              /* options of its own */
} formats[] = {
    {"idx", import_idx, "IMAGES LABELS [IMAGES LABELS]", 2, 4, 2, 0, 0},
    {"csv", import_csv, "FILE [FILE]", 1, 2, 1, KEY_LABEL, KEY_SCALE},
    {"synthetic", import_synthetic, "no files", 0, 0, 1, KEY_ROWS, KEY_CLASSES},
};
enum { FORMATS = sizeof formats / sizeof *formats };

static const struct format *find_format(const choices *chosen, struct argp_state *state)
{
    for (int i = 0; i < FORMATS; i++)
        if (strcmp(chosen->word[0], formats[i].name) == 0)
            return &formats[i];
    argp_error(state, "there is no format '%s'; expected idx, csv or synthetic", chosen->word[0]);
    return NULL;
}

static const char *option_name(int key)
{
    for (const struct argp_option *o = options; o->name || o->doc; o++)
        if (o->key == key)
            return o->name;
    return "";
}

/* What was given goes together. */
static void check_choices(const choices *chosen, struct argp_state *state)
{
    const struct format *format = find_format(chosen, state);
    int files = chosen->words - 1;
    if (!format)
        return;
    if (files < format->files_min || files > format->files_max ||
        (files - format->files_min) % format->files_step)
        argp_error(state, "%s: expected %s, found %d file(s)", format->name, format->files, files);
    for (int key = KEY_LABEL; key < KEYS_END; key++)
        if (chosen->given[key - KEY_VALID] && (key < format->first_key || key > format->last_key))
            argp_error(state, "--%s does not go with %s", option_name(key), format->name);
    if (chosen->label && chosen->targets)
        argp_error(state, "--label and --targets exclude each other");
    if (!chosen->output)
        argp_error(state, "-o FILE is missing: where should the data set go?");
}

static error_t option(int key, char *text, struct argp_state *state)
{
    choices *chosen = state->input;
    if (key >= KEY_VALID && key < KEYS_END)
        chosen->given[key - KEY_VALID] = true;
    switch (key) {
    case KEY_OUTPUT:
        chosen->output = text;
        return 0;
    case KEY_FORCE:
        chosen->force = true;
        return 0;
    case KEY_HEADER:
        chosen->header = true;
        return 0;
    case KEY_LABEL:
        chosen->label = text;
        return 0;
    case KEY_SEPARATOR:
        return read_separator(chosen, text, state);
    case KEY_SCALE:
        return read_scale(chosen, text, state);
    case ARGP_KEY_ARG:
        chosen->word[chosen->words++] = text;
        return 0;
    case ARGP_KEY_SUCCESS:
        check_choices(chosen, state);
        return 0;
    }
    return key >= KEY_VALID && key < KEYS_END ? read_number(chosen, key, text, state)
                                              : ARGP_ERR_UNKNOWN;
}

const ls_usage ls_usage_import = {
    .options = options,
    .option = option,
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
    ls_command_parse(&ls_usage_import, argc, argv, &chosen);
    if (!ls_command_first())
        return 0;
    for (int i = 0; i < FORMATS; i++)
        if (strcmp(chosen.word[0], formats[i].name) == 0 && !formats[i].run(&chosen, &error))
            return ls_fail(true, &error);
    printf("wrote %s\n", chosen.output);
    return 0;
}
