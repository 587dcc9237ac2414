/* man: lockstep man, the manual page in roff: the text of reference.roff, with the commands and
 * their options, the keys of a job file, all that a job can name and the exit codes from the
 * program's own tables. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "launch/command.h"
#include "launch/job/job_keys.h"
#include "launch/manual/list.h"

/* reference.roff, which CMake writes as numbers. */
static const char reference[] = {
#include "launch/manual/reference.inc"
    0};

/* Prints a text, with escapes for what roff would read as a request or an escape, and for hyphens,
 * which could not be copied from the page. */
static void put_text(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        bool begins = i == 0 || text[i - 1] == '\n';
        if (begins && (text[i] == '.' || text[i] == '\''))
            fputs("\\&", stdout);
        const char plain[] = {text[i], 0};
        fputs(text[i] == '\\' ? "\\e" : text[i] == '-' ? "\\-" : plain, stdout);
    }
}

/* Prints roff in which each % stands for the next of the texts. */
static void put(const char *roff, ...)
{
    va_list texts;
    va_start(texts, roff);
    for (; *roff; roff++) {
        if (*roff != '%') {
            putchar(*roff);
            continue;
        }
        const char *text = va_arg(texts, const char *);
        put_text(text, strlen(text));
    }
    va_end(texts);
}

/* Prints paragraphs; lines that begin with a space keep their form. */
static void put_paragraphs(const char *text)
{
    put(".PP\n");
    for (size_t length; *text; text += length + (text[length] == '\n')) {
        bool literal = *text == ' ';
        length = strcspn(text, "\n");
        put(literal ? ".nf\n" : "");
        put_text(text, length);
        put(literal ? "\n.fi\n" : length ? "\n" : ".PP\n");
    }
}

static void put_option(const ls_command_option *option)
{
    const char letter[] = {option->letter, 0};
    put(*letter ? ".TP\n\\fB\\-%\\fR, " : ".TP\n", letter);
    put(option->value ? "\\fB\\-\\-%\\fR=\\fI%\\fR\n" : "\\fB\\-\\-%\\fR\n", option->name,
        option->value);
    put(option->with ? "With %: " : "", option->with);
    put("%\n", option->help);
}

static void put_title(void)
{
    char day[16];
    time_t now = time(NULL);
    strftime(day, sizeof day, "%Y-%m-%d", gmtime(&now));
    printf(".TH LOCKSTEP 1 \"%s\" \"lockstep %s\" \"User Commands\"\n", day, LS_VERSION);
}

static void put_summary(void)
{
    for (const ls_command *command = ls_commands; command->name; command++)
        put(".TP\n\\fB%\\fR\n%\n", command->name, command->help);
}

/* A section for each command: usage, what it does, options, examples. */
static void put_commands(void)
{
    for (const ls_command *command = ls_commands; command->name; command++) {
        const ls_usage *usage = command->usage;
        put(".SS lockstep %\n\\fBlockstep %\\fR [\\fIOPTION\\fR ...] %\n", command->name,
            command->name, usage->arguments ? usage->arguments : "");
        put_paragraphs(usage->about);
        for (const ls_command_option *option = usage->options; option && option->name; option++)
            put_option(option);
        if (usage->more)
            put_paragraphs(usage->more);
    }
}

/* What `lockstep list` prints. */
static void put_section(const ls_list_section *section)
{
    ls_list_entry entry, option;
    printf(".SS %c", section->name[0] - 'a' + 'A');
    put("%\n%\n", section->name + 1, section->about);
    for (int i = 0; ls_list_get(section, i, &entry); i++) {
        put(".TP\n\\fB%\\fR\n%\n", entry.name, entry.help);
        for (int k = 0; ls_list_option(&entry, k, &option); k++)
            put(".br\n\\fB%\\fR: %\n", option.name, option.help);
    }
}

static void put_keys(void)
{
    put_section(ls_list_sections);
}

static void put_types(void)
{
    for (const ls_list_section *section = ls_list_sections + 1; section->name; section++)
        put_section(section);
}

static void put_codes(void)
{
    for (const ls_command_code *code = ls_command_codes; code->meaning; code++) {
        printf(".TP\n\\fB%d\\fR\n", code->code);
        put("%\n", code->meaning);
    }
}

/* Prints reference.roff, and in place of a line that begins with @ what the function prints. */
static void put_page(void)
{
    static const struct {
        const char *line;
        void (*put)(void);
    } tables[] = {{"@title\n", put_title},       {"@summary\n", put_summary},
                  {"@commands\n", put_commands}, {"@keys\n", put_keys},
                  {"@types\n", put_types},       {"@codes\n", put_codes}};
    for (const char *line = reference; *line; line += strcspn(line, "\n") + 1) {
        if (*line != '@')
            fwrite(line, 1, strcspn(line, "\n") + 1, stdout);
        for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
            if (strncmp(line, tables[i].line, strlen(tables[i].line)) == 0)
                tables[i].put();
    }
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
    .alone = true,
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
    if (!a.keys) {
        put_page();
        return 0;
    }
    char name[LS_WORD];
    for (const ls_job_key *key = ls_job_keys; key->name; key++)
        printf("%s\n", ls_job_key_path(key, -1, name, sizeof name));
    return 0;
}
