/* import: `lockstep import`: makes data set files from other formats. The formats and their options
 * are those of io/imports.def. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "core/minmax.h"
#include "core/print.h"
#include "core/spec.h"
#include "core/tensor.h"
#include "io/atomic_file.h"
#include "io/import/import.h"
#include "launch/command.h"
#include "launch/import/import_bar.h"
#include "launch/ranks.h"

typedef struct arguments {
    ls_words words; /* format, then files */
    ls_import import;
    ls_watchdog_plan stall;
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
                   "--%s: expected a whole number, 0 or more, or a share below 1, found "
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

/* "28" or "224,300". */
static void read_size(void *context, const char *text, const struct argp_state *state)
{
    ls_error error;
    ls_shape shape;
    ls_import *import = &((arguments *)context)->import;
    if (!ls_shape_parse("--size", text, &shape, &error) || shape.rank > 2)
        argp_error(state, "--size=%s: expected a side, or a height and a width: 28 or 224,300",
                   text);
    import->size = shape.at[0];
    import->width = shape.rank == 2 ? shape.at[1] : 0;
}

/* Formats whose files are rows, "images|wav" behind one letter; all that take --test; and all whose
 * labels may be numbers of the user's. */
#define LS_IMPORT_FILEWISE(name) "|" #name
static const char filewise[] =
#include "io/imports.def"
    ;
#define LS_IMPORT_FILEWISE(name) "|" #name
static const char with_test[] = "text|synthetic"
#include "io/imports.def"
    ;
#define LS_IMPORT_FILEWISE(name) "|" #name
static const char with_labels[] = "idx|csv|h5"
#include "io/imports.def"
    ;

#define LS_IMPORT_FILEWISE(name) "|" #name
static const char with_seed[] = "idx|csv|h5|cifar|synthetic"
#include "io/imports.def"
    ;

#define MEMBER(name) offsetof(arguments, import.name)
static const ls_command_option options[] = {
    {"output", 'o', "FILE", "the data set file to make (HDF5)", LS_COMMAND_TEXT,
     .offset = MEMBER(output)},
    {"valid", 0, "N|SHARE",
     "validation rows (0): idx, csv, h5, cifar: split off train by chance, but of tokens without y "
     "the last ones; synthetic: made in addition; text: that many tokens, or a share such as 0.05 "
     "of all, before those for testing; images, wav: a share of the files, chosen by a hash of "
     "their names",
     LS_COMMAND_OWN, .read = read_valid},
    {"seed", 0, "S", "seed by which these rows are chosen, or the glyphs drawn (1)",
     LS_COMMAND_LONG, MEMBER(seed), .high = LONG_MAX, .with = with_seed},
    {"force", 0, NULL, "overwrite FILE", LS_COMMAND_FLAG, .offset = MEMBER(force)},
    {"labels-from", 0, "N",
     "the label that becomes class 0, where labels are numbers that count from 1 (0)",
     LS_COMMAND_LONG, MEMBER(labels_from), .high = LONG_MAX, .with = with_labels},
    {"test", 0, "N|SHARE",
     "test rows: synthetic: made in addition (4000); text: that many tokens, or a share, at the "
     "end (0); images, wav: a share of the files (0)",
     LS_COMMAND_OWN, .with = with_test, .read = read_test},
    {"size", 0, "N|H,W",
     "height and width; synthetic: of a picture, N (28); images: of a row, to which pictures are "
     "scaled by a bilinear filter that averages, until they cover it (the size of the first, which "
     "all must have)",
     LS_COMMAND_OWN, .with = "synthetic|images", .read = read_size},
    {"strict", 0, NULL, "a broken file ends the import; else it is named and left out",
     LS_COMMAND_FLAG, .offset = MEMBER(strict), .with = filewise + 1},
    {"threads", 0, "T",
     "threads of a rank (its share of the cores); ranks (mpirun) and threads share the files, any "
     "numbers of them give the same bytes",
     LS_COMMAND_LONG, MEMBER(threads), 1, 1024, .with = filewise + 1},
    LS_STALL_OPTIONS(arguments, stall, filewise + 1),
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
    const bool shares = strcmp(format, "text") == 0 || ls_import_filewise(format);
    if (!shares && (import.valid_share > 0 || import.test_share > 0))
        argp_error(state, "shares are for text and for many files: give %s a number", format);
    if (!import.output)
        argp_error(state, "-o FILE is missing: where should the data set go?");
    const char *const further[] = {import.scale, import.vocabulary}; /* these may be files */
    if (!ls_atomic_file_apart(import.output, import.file, a->words.count - 1, &error) ||
        !ls_atomic_file_apart(import.output, further, 2, &error))
        argp_error(state, "%s", error.text);
}

static bool needs_ranks(const void *context)
{
    const arguments *a = context;
    return ls_import_filewise(a->words.at[0]);
}

const ls_usage ls_usage_import = {
    .alone = true,
    .options = options,
    .check = check,
    .needs_ranks = needs_ranks,
/* "|idx|csv|h5|text|images|synthetic [FILE ...]" without its first letter. */
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
            "  lockstep import text new.txt --vocabulary books.h5 --test-files 1 -o new.h5\n"
            "  mpirun -n 4 lockstep import images photos --size 224 --valid 0.1 -o photos.h5\n"
            "  lockstep import synthetic --rows 60000 --valid 2000 -o glyphs.h5",
    .arguments_min = 1,
    .arguments_max = 1 + LS_IMPORT_FILES,
};

/* An ls_team of ranks. */
static bool agree(void *context, bool ok, ls_error *error)
{
    ls_comm_rest(context); /* asleep: the ranks' threads work meanwhile */
    return ls_comm_agree(context, ok, error);
}

static void broadcast(void *context, void *data, size_t bytes)
{
    ls_comm_broadcast(context, data, bytes);
}

static void fetch(void *context, int from, void *data, size_t bytes)
{
    ls_comm_fetch(context, from, data, bytes);
}

/* Imports with all ranks; returns the exit code. */
static int run_on_ranks(ls_import_run *run, ls_import *import, ls_comm *comm)
{
    ls_error error;
    const ls_team team = {comm->rank, comm->size, comm, agree, broadcast, fetch};
    import->team = comm->size > 1 ? &team : NULL;
    if (import->threads == 0)
        import->threads =
            ls_max(1, ls_min(comm->cores.own, comm->cores.shared / comm->machine_size));
    ls_import_bar *bar = comm->rank == 0 ? ls_import_bar_open(stdout) : NULL;
    const ls_import_watch watch = {bar, ls_import_bar_move, ls_import_bar_clear};
    import->watch = bar ? &watch : NULL;
    bool ok = run(import, stdout, &error);
    ls_import_bar_close(bar);
    return ok ? 0 : ls_command_fail(comm->rank, &error);
}

static int run_alone(ls_import_run *run, const ls_import *import)
{
    ls_error error;
    return run(import, stdout, &error) ? 0 : ls_command_fail(0, &error);
}

int ls_command_import(int argc, char **argv)
{
    ls_error error;
    ls_import import;
    arguments a = {.import = ls_import_presets, .stall = ls_stall_usual};
    ls_command_parse(&ls_usage_import, argc, argv, &a.words);
    ls_comm *comm = needs_ranks(&a) ? ls_ranks_start(&argc, &argv) : NULL;
    ls_watchdog *watchdog = comm ? ls_ranks_watch(comm, &a.stall) : NULL;
    ls_import_run *run = find(&a, &import, &error);
    ls_check(run, "%s", error.text); /* `check` found it */
    int code = comm ? run_on_ranks(run, &import, comm) : run_alone(run, &import);
    if (code == 0 && (!comm || comm->rank == 0))
        ls_print(stdout, "wrote %s\n", import.output);
    ls_watchdog_stop(watchdog);
    if (comm)
        ls_comm_close(comm);
    return code;
}
