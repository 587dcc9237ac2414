/* man: lockstep man, the manual page in roff, written from the program's own tables: commands.def,
 * each subcommand's options, the job file's keys, and what `lockstep list` lists. */

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/model.h"
#include "core/objective.h"
#include "core/optimizer.h"
#include "core/schedule.h"
#include "io/transform.h"
#include "launch/command.h"
#include "launch/job/job_keys.h"

/* Text for roff: no escapes or requests by chance, no hyphens that can't be copied. */
static void put_text(FILE *out, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        bool begins = i == 0 || text[i - 1] == '\n';
        if (begins && (text[i] == '.' || text[i] == '\''))
            fputs("\\&", out);
        if (text[i] == '\\')
            fputs("\\e", out);
        else if (text[i] == '-')
            fputs("\\-", out);
        else
            fputc(text[i], out);
    }
}

static void put_words(FILE *out, const char *text)
{
    put_text(out, text, strlen(text));
}

static void put_tagged(FILE *out, const char *tag, const char *text)
{
    fputs(".TP\n\\fB", out);
    put_words(out, tag);
    fputs("\\fR\n", out);
    put_words(out, text);
    fputc('\n', out);
}

/* Paragraphs; lines that begin with a space stand as they are. */
static void put_paragraphs(FILE *out, const char *text)
{
    bool literal = false;
    fputs(".PP\n", out);
    while (*text) {
        size_t length = strcspn(text, "\n");
        if (length && literal != (*text == ' ')) {
            literal = !literal;
            fputs(literal ? ".nf\n" : ".fi\n", out);
        }
        if (length)
            put_text(out, text, length);
        fputs(length ? "\n" : ".PP\n", out);
        text += length + (text[length] == '\n');
    }
    fputs(literal ? ".fi\n" : "", out);
}

static void put_option(FILE *out, const ls_command_option *option)
{
    fputs(".TP\n", out);
    if (option->letter)
        fprintf(out, "\\fB\\-%c\\fR, ", option->letter);
    fputs("\\fB\\-\\-", out);
    put_words(out, option->name);
    fputs("\\fR", out);
    if (option->value) {
        fputs("=\\fI", out);
        put_words(out, option->value);
        fputs("\\fR", out);
    }
    fputc('\n', out);
    if (option->with)
        fprintf(out, "With %s: ", option->with);
    put_words(out, option->help);
    fputc('\n', out);
}

/* A section: usage, what it does, options, examples. */
static void put_usage(FILE *out, const ls_command *command)
{
    char name[80];
    const ls_usage *usage = command->usage;
    snprintf(name, sizeof name, "lockstep %s", command->name);
    fputs(".SS ", out);
    put_words(out, name);
    fputs("\n\\fB", out);
    put_words(out, name);
    fputs("\\fR [\\fIOPTION\\fR ...]", out);
    if (usage->arguments) {
        fputc(' ', out);
        put_words(out, usage->arguments);
    }
    fputc('\n', out);
    put_paragraphs(out, usage->about);
    for (const ls_command_option *option = usage->options; option && option->name; option++)
        put_option(out, option);
    if (usage->more)
        put_paragraphs(out, usage->more);
}

static void put_commands(FILE *out)
{
    fputs(".SH COMMANDS\n"
          "Every command also takes \\fB\\-\\-help\\fR and \\fB\\-\\-usage\\fR.\n",
          out);
    for (const ls_command *command = ls_commands; command->name; command++)
        put_usage(out, command);
}

static void put_summary(FILE *out)
{
    fputs(".SH NAME\nlockstep \\- trains neural networks on CPU clusters\n"
          ".SH SYNOPSIS\n"
          "\\fBlockstep\\fR \\fICOMMAND\\fR [\\fIARGUMENT\\fR ...]\n.br\n"
          "\\fBmpirun \\-n\\fR \\fIRANKS\\fR \\fBlockstep train\\fR \\fIJOB.yaml\\fR "
          "[\\fIkey\\fR=\\fIvalue\\fR ...]\n"
          ".SH DESCRIPTION\n"
          "Every MPI rank computes the gradient of its part of the batch, the gradients are summed "
          "over the ranks in a fixed order, and all ranks take the same step. The command that "
          "started a training also goes on where it stopped, on any number of ranks.\n",
          out);
    for (const ls_command *command = ls_commands; command->name; command++)
        put_tagged(out, command->name, command->help);
}

/* Stage keys are written without "stages.*." where there is one stage. */
static const char *short_key(const ls_job_key *key)
{
    static const char stage[] = "stages.*.";
    bool of_stage = strncmp(key->path, stage, strlen(stage)) == 0;
    return of_stage ? key->path + strlen(stage) : key->path;
}

/* A key that takes a value; those of a phase stand for several. */
static bool takes_value(const ls_job_key *key)
{
    return key->kind != LS_KEY_NESTED && !strchr(short_key(key), '*');
}

static void put_keys(FILE *out)
{
    fputs(
        ".SH JOB FILE\n"
        "YAML; the same keys work on the command line as \\fIkey\\fR=\\fIvalue\\fR, with dots for "
        "keys inside of others, and the last given wins. Where a job has several \\fBstages\\fR, "
        "objective, optimizer, schedule, batch and epochs or steps belong to each of them: "
        "stages.1.batch=64.\n",
        out);
    for (const ls_job_key *key = ls_job_keys; key->path; key++) {
        if (!takes_value(key))
            continue;
        fputs(".TP\n\\fB", out);
        put_words(out, short_key(key));
        fputs("\\fR: \\fI", out);
        put_words(out, key->example);
        fputs("\\fR\n", out);
        put_words(out, key->expected);
        fputc('\n', out);
    }
}

static void put_title(FILE *out, const char *title)
{
    fprintf(out, ".SS %s\n", title);
}

/* What `lockstep list` lists in full. */
static void put_types(FILE *out)
{
    fputs(".SH WHAT THERE IS\n\\fBlockstep list\\fR shows all options and their defaults.\n", out);
    put_title(out, "Models");
    for (int i = 0; ls_model_types[i]; i++)
        put_tagged(out, ls_model_types[i]->name, ls_model_types[i]->help);
    put_title(out, "Layers");
    for (int i = 0; ls_layer_types[i]; i++)
        put_tagged(out, ls_layer_types[i]->name, ls_layer_types[i]->help);
    put_title(out, "Objectives");
    for (int i = 0; ls_objective_types[i]; i++)
        put_tagged(out, ls_objective_types[i]->name, ls_objective_types[i]->help);
    put_title(out, "Optimizers");
    for (const ls_optimizer_type *type = ls_optimizer_types; type->name; type++)
        put_tagged(out, type->name, type->help);
    put_title(out, "Schedules");
    for (const ls_schedule_type *type = ls_schedule_types; type->name; type++)
        put_tagged(out, type->name, type->help);
    put_title(out, "Transforms");
    for (int i = 0; ls_transform_types[i]; i++)
        put_tagged(out, ls_transform_types[i]->name, ls_transform_types[i]->help);
}

static void put_end(FILE *out)
{
    static const struct {
        const char *path, *what;
    } files[] = {{"RUN/job.yaml", "the job as resolved"},
                 {"RUN/metrics.jsonl", "a record a line; lockstep plot draws them"},
                 {"RUN/checkpoints/step-N.h5", "everything that a run needs to go on (HDF5)"},
                 {"RUN/checkpoints/step-N.ok", "its size and digest: what makes it valid"},
                 {"RUN/checkpoints/best.h5", "the parameters that were best in validation"}};
    fputs(".SH FILES\n", out);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        put_tagged(out, files[i].path, files[i].what);
    fputs(".SH EXIT STATUS\n", out);
    for (const ls_command_code *code = ls_command_codes; code->meaning; code++) {
        char number[16];
        snprintf(number, sizeof number, "%d", code->code);
        put_tagged(out, number, code->meaning);
    }
    fputs(".SH SEE ALSO\n.BR mpirun (1),\n.BR sbatch (1)\n", out);
}

static void put_page(FILE *out)
{
    char day[16];
    time_t now = time(NULL);
    strftime(day, sizeof day, "%Y-%m-%d", gmtime(&now));
    fprintf(out, ".TH LOCKSTEP 1 \"%s\" \"lockstep %s\" \"User Commands\"\n", day, LS_VERSION);
    put_summary(out);
    put_commands(out);
    put_keys(out);
    put_types(out);
    put_end(out);
}

typedef struct arguments {
    ls_words words;
    bool keys;
} arguments;

static const ls_command_option options[] = {{"keys", 0, NULL,
                                             "only the keys of a job file, one a line",
                                             .offset = offsetof(arguments, keys)},
                                            {NULL}};

const ls_usage ls_usage_man = {
    .options = options,
    .about = "Writes the manual page of this very program, in roff.",
    .more = "Examples:\n"
            "  lockstep man | man -l -\n"
            "  lockstep man >~/.local/share/man/man1/lockstep.1",
};

int ls_command_man(int argc, char **argv)
{
    arguments a = {.keys = false};
    ls_command_parse(&ls_usage_man, argc, argv, &a.words);
    if (ls_command_rank() != 0)
        return 0;
    for (const ls_job_key *key = ls_job_keys; a.keys && key->path; key++)
        if (takes_value(key))
            printf("%s\n", short_key(key));
    if (!a.keys)
        put_page(stdout);
    return 0;
}
