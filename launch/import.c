/* import: lockstep import, other formats to data set files; one line a format. */
#include <limits.h>
#include <string.h>

#include "io/import/import.h"
#include "launch/command.h"

enum { WORDS = 5, KEY_OUTPUT = 'o', KEY_VALID = 256, KEY_SEED, KEY_FORCE };

typedef struct choices {
    const char *word[WORDS]; /* format, then files */
    int words;
    const char *output;
    long valid, seed;
    bool force;
} choices;

static const struct argp_option options[] = {
    {"output", KEY_OUTPUT, "FILE", 0, "the data set file to make (HDF5)", 0},
    {"valid", KEY_VALID, "N", 0, "rows split off train for validation (0)", 0},
    {"seed", KEY_SEED, "S", 0, "of the choice of these rows (1)", 0},
    {"force", KEY_FORCE, NULL, 0, "overwrite FILE", 0},
    {0}};

static error_t option(int key, char *text, struct argp_state *state)
{
    choices *chosen = state->input;
    switch (key) {
    case KEY_OUTPUT:
        chosen->output = text;
        return 0;
    case KEY_VALID:
        chosen->valid = ls_command_long(state, "--valid", text, 0, LONG_MAX);
        return 0;
    case KEY_SEED:
        chosen->seed = ls_command_long(state, "--seed", text, 0, LONG_MAX);
        return 0;
    case KEY_FORCE:
        chosen->force = true;
        return 0;
    case ARGP_KEY_ARG:
        chosen->word[chosen->words++] = text;
        return 0;
    case ARGP_KEY_SUCCESS:
        if (!chosen->output)
            argp_error(state, "-o FILE is missing: where should the data set go?");
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

static const ls_usage usage = {
    .options = options,
    .option = option,
    .arguments = "idx IMAGES LABELS [IMAGES LABELS]",
    .about = "Makes a data set file from MNIST-like files (IDX, plain or gzip): train, then test.",
    .more = "Example:\n"
            "  lockstep import idx train-images-idx3-ubyte.gz \\\n"
            "      train-labels-idx1-ubyte.gz t10k-images-idx3-ubyte.gz \\\n"
            "      t10k-labels-idx1-ubyte.gz --valid 5000 -o fashion.h5",
    .arguments_min = 3,
    .arguments_max = WORDS,
};

static bool import_idx(const choices *chosen, ls_error *error)
{
    if (chosen->words % 2 == 0)
        return ls_error_set(error, LS_USAGE,
                            "import idx: %s has no labels; expected IMAGES LABELS "
                            "[IMAGES LABELS]",
                            chosen->word[chosen->words - 1]);
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

static const struct {
    const char *name;
    bool (*run)(const choices *chosen, ls_error *error);
} formats[] = {{"idx", import_idx}};

int ls_command_import(int argc, char **argv)
{
    ls_error error = {.code = LS_USAGE};
    choices chosen = {.seed = 1};
    ls_command_parse(&usage, argc, argv, &chosen);
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        if (strcmp(chosen.word[0], formats[i].name) != 0)
            continue;
        if (!formats[i].run(&chosen, &error))
            return ls_fail(true, &error);
        printf("wrote %s\n", chosen.output);
        return 0;
    }
    ls_error_set(&error, LS_USAGE, "import: no format \"%s\"; expected idx", chosen.word[0]);
    return ls_fail(true, &error);
}
