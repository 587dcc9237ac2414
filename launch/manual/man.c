/* man: lockstep man, the manual page in roff, written from the program's own tables: commands and
 * their options, the keys of a job file, all that a job can name, exit codes. What follows from no
 * table stands in reference.roff. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "launch/command.h"
#include "launch/job/job_keys.h"
#include "launch/manual/list.h"

/* reference.roff, made into numbers by CMake. */
static const char reference[] = {
#include "launch/manual/reference.inc"
    0};

/* Escapes what roff would read as a request or an escape, and hyphens, which could not be copied
 * from the page. */
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

static void put_item(FILE *out, const char *tag, const char *text)
{
    fputs(".TP\n\\fB", out);
    put_words(out, tag);
    fputs("\\fR\n", out);
    put_words(out, text);
    fputc('\n', out);
}

/* Paragraphs; lines that begin with a space keep their form. */
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

/* The section of a command: usage, what it does, options, examples. */
static void put_command(FILE *out, const ls_command *command)
{
    const ls_usage *usage = command->usage;
    fprintf(out, ".SS lockstep %s\n\\fBlockstep %s\\fR [\\fIOPTION\\fR ...] ", command->name,
            command->name);
    put_words(out, usage->arguments ? usage->arguments : "");
    fputc('\n', out);
    put_paragraphs(out, usage->about);
    for (const ls_command_option *option = usage->options; option && option->name; option++)
        put_option(out, option);
    if (usage->more)
        put_paragraphs(out, usage->more);
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
        put_item(out, command->name, command->help);
}

static void put_commands(FILE *out)
{
    fputs(".SH COMMANDS\n"
          "Every command also takes \\fB\\-\\-help\\fR and \\fB\\-\\-usage\\fR.\n",
          out);
    for (const ls_command *command = ls_commands; command->name; command++)
        put_command(out, command);
}

/* What `lockstep list` prints. */
static void put_section(FILE *out, const ls_list_section *section)
{
    ls_list_entry entry;
    char key[256], help[1024];
    fprintf(out, ".SS %c%s\n", section->name[0] - 'a' + 'A', section->name + 1);
    put_words(out, section->about);
    fputc('\n', out);
    for (int i = 0; ls_list_get(section, i, &entry); i++) {
        put_item(out, entry.name, entry.help);
        for (const ls_option *option = entry.options; option && option->key; option++) {
            ls_list_key(option, key, sizeof key);
            ls_list_help(option, help, sizeof help);
            fputs(".br\n\\fB", out);
            put_words(out, key);
            fputs("\\fR: ", out);
            put_words(out, help);
            fputc('\n', out);
        }
    }
}

/* The first section of the list. */
static void put_keys(FILE *out)
{
    fputs(
        ".SH JOB FILE\n"
        "YAML; the same keys work on the command line as \\fIkey\\fR=\\fIvalue\\fR, with dots for "
        "keys inside of others, and the last given wins. Where a job has several \\fBstages\\fR, "
        "objective, optimizer, schedule, batch and epochs or steps belong to each of them: "
        "stages.1.batch=64.\n",
        out);
    put_section(out, ls_list_sections);
}

static void put_codes(FILE *out)
{
    fputs(".SH EXIT STATUS\n", out);
    for (const ls_command_code *code = ls_command_codes; code->meaning; code++) {
        fprintf(out, ".TP\n\\fB%d\\fR\n", code->code);
        put_words(out, code->meaning);
        fputc('\n', out);
    }
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
    fputs(".SH WHAT A JOB CAN NAME\nAll options stand with their ranges and defaults.\n", out);
    for (const ls_list_section *section = ls_list_sections + 1; section->name; section++)
        put_section(out, section);
    fputs(reference, out);
    put_codes(out);
    fputs(".SH SEE ALSO\n.BR mpirun (1),\n.BR sbatch (1)\n", out);
}

typedef struct arguments {
    ls_words words;
    bool keys;
} arguments;

static const ls_command_option options[] = {{"keys", 0, NULL,
                                             "print only the keys of a job file, one a line",
                                             .offset = offsetof(arguments, keys)},
                                            {.name = NULL}};

const ls_usage ls_usage_man = {
    .options = options,
    .about = "Writes the manual page of this program in roff.",
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
    if (!a.keys) {
        put_page(stdout);
        return 0;
    }
    char name[LS_WORD];
    for (const ls_job_key *key = ls_job_keys; key->name; key++)
        printf("%s\n", ls_job_key_path(key, -1, name, sizeof name));
    return 0;
}
