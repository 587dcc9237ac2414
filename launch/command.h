/* command: the table of subcommands, how each reads its command line, and how it reports an error.
 * A subcommand is one line in commands.def and one file NAME.c with ls_command_NAME and
 * ls_usage_NAME. */
#pragma once
#include <argp.h>

#include "core/check.h"

/* The words of a command line that are no options, in their order. They belong to argv. */
typedef struct ls_words {
    int count;
    char **at;
} ls_words;

typedef enum ls_command_kind {
    LS_COMMAND_FLAG,   /* takes no value: the bool becomes true */
    LS_COMMAND_TEXT,   /* const char *: the value itself */
    LS_COMMAND_LONG,   /* long in [low, high] */
    LS_COMMAND_INT,    /* the same, stored as an int */
    LS_COMMAND_TIME,   /* double, in seconds: 90s, 30m, 11.5h or HH:MM:SS; 0 for `never`,
                          which an option of low = 1 refuses */
    LS_COMMAND_CHOICE, /* int: which of the words in `value` ("train|valid|test") it is, from 0 */
    LS_COMMAND_OWN     /* `read` stores the value */
} ls_command_kind;

/* One option of a subcommand; a table of them ends with a NULL name. */
typedef struct ls_command_option {
    const char *name;  /* --name */
    char letter;       /* -letter; 0: none */
    const char *value; /* how --help writes the value; NULL: the option takes none */
    const char *help;
    ls_command_kind kind;
    size_t offset; /* offsetof in the arguments, which begin with ls_words */
    long low, high;
    const char
        *with; /* the first words that it is allowed beside: "csv", "images|wav"; NULL: any */
    /* LS_COMMAND_OWN: reads `text` into the arguments, or calls argp_error. */
    void (*read)(void *arguments, const char *text, const struct argp_state *state);
} ls_command_option;

/* The command line of a subcommand; --help of all subcommands looks the same, and the manual page
 * is made of the same tables. */
typedef struct ls_usage {
    const ls_command_option *options;
    const char *arguments;            /* the words, as --help writes them: "JOB.yaml [KEY=VALUE]" */
    const char *about;                /* what the subcommand does, in a sentence or a few */
    const char *more;                 /* examples, printed after the options; NULL: none */
    int arguments_min, arguments_max; /* how many words; max < 0: any number */
    /* Needs no MPI: each task of srun or mpirun does what it is given, but for spare ranks. */
    bool alone;
    /* Of a usage that is `alone`: whether what these arguments ask for does need MPI; NULL: never.
     */
    bool (*needs_ranks)(const void *arguments);
    /* Calls argp_error where the arguments do not fit together; NULL: they always do. */
    void (*check)(const void *arguments, const struct argp_state *state);
} ls_usage;

typedef struct ls_command {
    const char *name, *help;
    /* argv[0] is "lockstep NAME"; arguments follow. Returns the exit code. */
    int (*run)(int argc, char **argv);
    const ls_usage *usage;
} ls_command;

extern const ls_command ls_commands[]; /* ends with a NULL name */

/* The exit codes of the program, for --help and the manual; ends with a NULL meaning. */
typedef struct ls_command_code {
    int code;
    const char *meaning;
} ls_command_code;
extern const ls_command_code ls_command_codes[];

/* Fills a subcommand's struct, which begins with `arguments` and holds the defaults. Bad usage is
 * explained, with exit code 64, and --help printed, with 0; under mpirun only rank 0 prints. The
 * words are moved to the front of argv; the options follow. */
void ls_command_parse(const ls_usage *usage, int argc, char **argv, ls_words *arguments);
/* The rank that mpirun or srun gives in the environment, before MPI has started; else 0. */
int ls_command_rank(void);
/* Whether mpirun started several ranks with one command line, which is this program's, and this is
 * not rank 0: what needs no MPI is then done by rank 0 for all. */
bool ls_command_spare(void);
/* Prints "lockstep: MESSAGE" to stderr on rank 0; returns error->code on every rank. */
int ls_command_fail(int rank, const ls_error *error);
