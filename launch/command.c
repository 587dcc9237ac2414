/* command: the table of subcommands, and how each reads its command line. */
#include "launch/command.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/memory.h"
#include "core/spec.h"

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

const ls_command *ls_command_find(const char *name)
{
    for (const ls_command *command = ls_commands; command->name; command++)
        if (strcmp(command->name, name) == 0)
            return command;
    return NULL;
}

int ls_fail(bool speak, const ls_error *error)
{
    if (speak)
        fprintf(stderr, "lockstep: %s\n", error->text);
    return error->code;
}

bool ls_command_first(void)
{
    static const char *const ranks[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK",
                                        "SLURM_PROCID"};
    for (size_t i = 0; i < sizeof ranks / sizeof ranks[0]; i++)
        if (getenv(ranks[i]))
            return strcmp(getenv(ranks[i]), "0") == 0;
    return true;
}

/* What a subcommand's own parser needs besides its input. */
typedef struct reading {
    const ls_usage *usage;
    void *input;
    int words;
} reading;

static error_t read_key(int key, char *argument, struct argp_state *state)
{
    reading *r = state->input;
    const ls_usage *usage = r->usage;
    if (key == ARGP_KEY_ARG) {
        if (usage->arguments_max >= 0 && r->words == usage->arguments_max)
            argp_error(state, "'%s' is one word too many", argument);
        r->words++;
    }
    if (key == ARGP_KEY_END && r->words < usage->arguments_min)
        argp_error(state, "expected %s", usage->arguments);
    state->input = r->input;
    error_t result = usage->option(key, argument, state);
    state->input = r;
    return result;
}

/* Where stdout and stderr went before be_quiet. */
typedef struct quiet {
    int out, err;
} quiet;

static quiet be_quiet(void)
{
    quiet kept = {dup(STDOUT_FILENO), dup(STDERR_FILENO)};
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (nowhere >= 0) {
        dup2(nowhere, STDOUT_FILENO);
        dup2(nowhere, STDERR_FILENO);
        close(nowhere);
    }
    return kept;
}

static void speak_again(quiet kept)
{
    fflush(stdout);
    if (kept.out >= 0 && kept.err >= 0) {
        dup2(kept.out, STDOUT_FILENO);
        dup2(kept.err, STDERR_FILENO);
        close(kept.out);
        close(kept.err);
    }
}

void ls_command_parse(const ls_usage *usage, int argc, char **argv, void *input)
{
    reading r = {.usage = usage, .input = input};
    char *doc =
        ls_format("%s%s%s", usage->about, usage->more ? "\v" : "", usage->more ? usage->more : "");
    const struct argp argp = {
        .options = usage->options,
        .parser = read_key,
        .args_doc = usage->arguments,
        .doc = doc,
    };
    bool first = ls_command_first();
    quiet kept = first ? (quiet){-1, -1} : be_quiet();
    argp_err_exit_status = LS_USAGE;
    setenv("ARGP_HELP_FMT", "opt-doc-col=40,rmargin=98,no-dup-args-note", 0);
    error_t failure = argp_parse(&argp, argc, argv, 0, NULL, &r);
    if (!first)
        speak_again(kept);
    ls_free(doc);
    ls_check(failure == 0, "%s: cannot read the command line: %s", argv[0], strerror(failure));
}

long ls_command_long(const struct argp_state *state, const char *option, const char *text, long low,
                     long high)
{
    long value = low;
    if (!ls_parse_long(text, &value) || value < low)
        argp_error(state, "%s: expected a whole number, %ld or more, found '%s'", option, low,
                   text);
    if (value > high)
        argp_error(state, "%s: expected at most %ld, found %s", option, high, text);
    return value;
}
