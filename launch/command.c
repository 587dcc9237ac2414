/* command: the table of subcommands, and how each reads its command line. */
#include "launch/command.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/print.h"
#include "core/spec.h"
#include "dist/comm.h"
#include "launch/signals.h"

#define LS_COMMAND(name, help)                                                                     \
    int ls_command_##name(int argc, char **argv);                                                  \
    extern const ls_usage ls_usage_##name;
#include "launch/commands.def"
#undef LS_COMMAND

const ls_command ls_commands[] = {
#define LS_COMMAND(name, help) {#name, help, ls_command_##name, &ls_usage_##name},
#include "launch/commands.def"
#undef LS_COMMAND
    {NULL, NULL, NULL, NULL}};

const ls_command_code ls_command_codes[] = {
    {0, "done"},
    {LS_USAGE, "bad usage or job file"},
    {LS_DATA, "bad data set or checkpoint; doctor: something on the machines must be mended"},
    {LS_NUMERIC,
     "a loss or gradient is not finite (the last checkpoint is kept), out of memory, or a bug"},
    {LS_STALLED, "no rank made progress for so long (--stall-abort): start the same command again"},
    {LS_IN_USE, "another job holds the run directory"},
    {LS_IO, "a read or a write failed"},
    {LS_AGAIN, "stopped on request with a checkpoint: start the same command again"},
    {0, NULL}};

int ls_command_fail(int rank, const ls_error *error)
{
    ls_signals_heed(); /* a rank that ends before this one makes mpirun send TERM */
    if (rank == 0)
        ls_print(stderr, "lockstep: %s\n", error->text);
    return error->code;
}

int ls_command_rank(void)
{
    return ls_comm_task();
}

/* Open MPI tells each rank what mpirun was given. A shell between the two may have given each
 * another line, and other launchers do not say: `srun bash -c 'lockstep verify $SLURM_PROCID.h5'`.
 */
bool ls_command_spare(void)
{
    const char *lines = getenv("OMPI_NUM_APP_CTX"), *program = getenv("OMPI_COMMAND");
    if (ls_command_rank() == 0 || !lines || !program || strcmp(lines, "1") != 0)
        return false;
    const char *folder = strrchr(program, '/');
    return strcmp(folder ? folder + 1 : program, program_invocation_short_name) == 0;
}

/* A rank without work ends; one of them says so. */
static void leave(void)
{
    if (ls_command_rank() == 1)
        fputs("lockstep: this takes one rank: all others leave it to rank 0\n", stderr);
    exit(0);
}

/* A command line while argp reads it. */
typedef struct reading {
    const ls_usage *usage;
    ls_words *arguments;
    bool *given; /* [options] */
} reading;

enum { LONG_KEYS = 256 }; /* argp's keys of options without a letter begin here */

static int key_of(const ls_usage *usage, int option)
{
    return usage->options[option].letter ? usage->options[option].letter : LONG_KEYS + option;
}

static int count_options(const ls_usage *usage)
{
    int count = 0;
    while (usage->options && usage->options[count].name)
        count++;
    return count;
}

/* The table in argp's form, with a heading before the options that need the same first word. The
 * caller frees the table and the doc of the headings, which have no name. */
static struct argp_option *make_options(const ls_usage *usage)
{
    int count = count_options(usage), used = 0, group = 0;
    const char *with = NULL;
    struct argp_option *table = ls_alloc(2 * (size_t)count + 1, sizeof *table);
    for (int i = 0; i < count; i++) {
        const ls_command_option *o = &usage->options[i];
        if (o->with && (!with || strcmp(with, o->with) != 0))
            table[used++] =
                (struct argp_option){.doc = ls_format("With %s:", o->with), .group = ++group};
        with = o->with;
        table[used++] = (struct argp_option){.name = o->name,
                                             .key = key_of(usage, i),
                                             .arg = o->value,
                                             .doc = o->help,
                                             .group = with ? group : 0};
    }
    return table;
}

static long read_long(const ls_command_option *o, const char *text, const struct argp_state *state)
{
    long value = o->low;
    if (!ls_parse_long(text, &value) || value < o->low)
        argp_error(state, "--%s: expected a whole number, %ld or more, found '%s'", o->name, o->low,
                   text);
    if (value > o->high)
        argp_error(state, "--%s: expected at most %ld, found %s", o->name, o->high, text);
    return value;
}

static double read_time(const ls_command_option *o, const char *text,
                        const struct argp_state *state)
{
    int hours, minutes, seconds, end = 0;
    double value = NAN;
    char unit, rest;
    if (sscanf(text, "%d:%2d:%2d%n", &hours, &minutes, &seconds, &end) == 3 && !text[end])
        value = text[strspn(text, "0123456789:")] ? NAN : 3600.0 * hours + 60.0 * minutes + seconds;
    else if (strcmp(text, "never") == 0 || strcmp(text, "0") == 0)
        value = 0;
    else if (sscanf(text, "%lf%c%c", &value, &unit, &rest) == 2 && strchr("smh", unit))
        value *= unit == 's' ? 1 : unit == 'm' ? 60 : 3600;
    else
        value = NAN;
    if (isfinite(value) && (o->low ? value > 0 : value >= 0))
        return value;
    argp_error(state, "--%s=%s: %swrite 90s, 30m, 11.5h%s", o->name, text,
               text[strspn(text, "0123456789.")] ? "" : "the unit is missing: ",
               o->low ? " or HH:MM:SS" : ", HH:MM:SS or never");
    return 0;
}

/* The number of `text` among the words of the option's value: "train|valid|test". */
static int read_choice(const ls_command_option *o, const char *text, const struct argp_state *state)
{
    char all[128] = "", word[LS_WORD];
    const char *rest = o->value;
    for (int i = 0; *rest; i++) {
        int length = (int)strcspn(rest, "|");
        snprintf(word, sizeof word, "%.*s", length, rest);
        if (strcmp(word, text) == 0)
            return i;
        ls_format_join(all, sizeof all, word);
        rest += length + (rest[length] == '|');
    }
    argp_error(state, "--%s=%s: write one of %s", o->name, text, all);
    return 0;
}

static void read_option(const ls_command_option *o, const char *text, void *arguments,
                        const struct argp_state *state)
{
    void *member = (char *)arguments + o->offset;
    switch (o->kind) {
    case LS_COMMAND_FLAG:
        *(bool *)member = true;
        break;
    case LS_COMMAND_TEXT:
        *(const char **)member = text;
        break;
    case LS_COMMAND_LONG:
        *(long *)member = read_long(o, text, state);
        break;
    case LS_COMMAND_INT:
        *(int *)member = (int)read_long(o, text, state);
        break;
    case LS_COMMAND_TIME:
        *(double *)member = read_time(o, text, state);
        break;
    case LS_COMMAND_CHOICE:
        *(int *)member = read_choice(o, text, state);
        break;
    case LS_COMMAND_OWN:
        o->read(arguments, text, state);
        break;
    }
}

/* Whether `word` is one of the words in "images|wav". */
static bool is_among(const char *word, const char *words)
{
    size_t length = strlen(word);
    for (const char *at = words; *at; at += strcspn(at, "|"), at += *at == '|')
        if (strcspn(at, "|") == length && strncmp(at, word, length) == 0)
            return true;
    return false;
}

/* Checks whether the options and words, which are all read now, fit together. */
static void check_together(const reading *r, const struct argp_state *state)
{
    if (r->usage->check)
        r->usage->check(r->arguments, state);
    for (int i = 0; i < count_options(r->usage); i++) {
        const ls_command_option *o = &r->usage->options[i];
        if (r->given[i] && o->with && !is_among(r->arguments->at[0], o->with))
            argp_error(state, "--%s does not go with %s: it goes with `%s %s`", o->name,
                       r->arguments->at[0], state->name, o->with);
    }
}

static error_t read_key(int key, char *text, struct argp_state *state)
{
    reading *r = state->input;
    if (key == ARGP_KEY_ARG) {
        if (r->arguments->count == r->usage->arguments_max) /* -1: any number */
            argp_error(state, "'%s' is one word too many: expected at most %d", text,
                       r->usage->arguments_max);
        r->arguments->at[r->arguments->count++] = text;
        return 0;
    }
    if (key == ARGP_KEY_END && r->arguments->count < r->usage->arguments_min)
        argp_error(state, "expected %s", r->usage->arguments);
    if (key == ARGP_KEY_SUCCESS)
        check_together(r, state);
    for (int i = 0; i < count_options(r->usage); i++) {
        if (key != key_of(r->usage, i))
            continue;
        read_option(&r->usage->options[i], text, r->arguments, state);
        r->given[i] = true;
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

/* What argp says, which may quote words of the command line, made safe for a terminal. */
static ssize_t write_safe(void *out, const char *text, size_t size)
{
    for (size_t i = 0, length; i < size; i += length + 1) {
        const char *end = memchr(text + i, '\n', size - i);
        length = end ? (size_t)(end - text) - i : size - i;
        ls_print(out, end ? "%.*s\n" : "%.*s", (int)length, text + i);
    }
    return (ssize_t)size;
}

/* Moves the words to the front of argv, before the options; all keep their order. */
static void move_words(int argc, char **argv, ls_words *words)
{
    char **all = ls_alloc((size_t)argc, sizeof *all);
    int count = words->count;
    memcpy(all, words->at, (size_t)count * sizeof *all);
    for (int i = 1; i < argc && count < argc; i++) {
        int k = 0;
        while (k < words->count && argv[i] != words->at[k])
            k++;
        if (k == words->count)
            all[count++] = argv[i];
    }
    memcpy(argv + 1, all, (size_t)(argc - 1) * sizeof *argv);
    words->at = argv + 1;
    ls_free(all);
}

void ls_command_parse(const ls_usage *usage, int argc, char **argv, ls_words *arguments)
{
    char **words = ls_alloc((size_t)argc, sizeof *words);
    bool *given = ls_alloc((size_t)count_options(usage), sizeof *given);
    reading r = {.usage = usage, .arguments = arguments, .given = given};
    struct argp_option *options = make_options(usage);
    char *doc = usage->more ? ls_format("%s\v%s", usage->about, usage->more) : NULL;
    const struct argp argp = {.options = options,
                              .parser = read_key,
                              .args_doc = usage->arguments,
                              .doc = doc ? doc : usage->about};
    *arguments = (ls_words){.at = words};
    argp_err_exit_status = LS_USAGE;
    setenv("ARGP_HELP_FMT", "opt-doc-col=40,rmargin=98,no-dup-args-note", 0);
    /* argp prints on all ranks. In glibc, to which it belongs, stdout and stderr are variables. */
    bool spare = ls_command_spare(), silent = usage->alone ? spare : ls_command_rank() != 0;
    FILE *out = stdout, *err = stderr, *null = silent ? fopen("/dev/null", "w") : NULL;
    FILE *safe = fopencookie(err, "w", (cookie_io_functions_t){.write = write_safe});
    if (null)
        stdout = stderr = null;
    else if (safe)
        stderr = safe;
    error_t failure = argp_parse(&argp, argc, argv, 0, NULL, &r);
    stdout = out;
    stderr = err;
    if (safe)
        fclose(safe);
    if (null)
        fclose(null);
    ls_check(failure == 0, "%s: cannot read the command line: %s", argv[0], strerror(failure));
    if (usage->alone && spare && !(usage->needs_ranks && usage->needs_ranks(arguments)))
        leave();
    move_words(argc, argv, arguments);
    ls_free(words);
    ls_free(given);
    for (struct argp_option *o = options; o->name || o->doc; o++)
        if (!o->name)
            ls_free((char *)o->doc);
    ls_free(options);
    ls_free(doc);
}
