/* command: the subcommands of the program: one file each, one line in commands.def; and how each
 * reads its command line. */
#pragma once
#include <argp.h>
#include <stdio.h>

#include "core/check.h"

/* The command line of a subcommand, as argp wants it; --help of every subcommand looks the same. */
typedef struct ls_usage {
    const struct argp_option *options; /* ends with {0}; NULL: none */
    /* Gets each option's key and argument, and ARGP_KEY_ARG for each word that is no option, with
     * state->input the `input` below. Returns ARGP_ERR_UNKNOWN for keys that it does not know. */
    argp_parser_t option;
    const char *arguments;            /* "JOB.yaml [key=value ...]" */
    const char *about;                /* what it does, in a sentence or a few */
    const char *more;                 /* examples, after the options; NULL: none */
    int arguments_min, arguments_max; /* words that are no options; max < 0: any number */
} ls_usage;

typedef struct ls_command {
    const char *name, *help;
    /* argv[0] is "lockstep NAME"; arguments follow. Returns the exit code. Reads its options with
     * ls_command_parse. */
    int (*run)(int argc, char **argv);
    const ls_usage *usage;
} ls_command;

extern const ls_command ls_commands[]; /* ends with a NULL name */
const ls_command *ls_command_find(const char *name);

/* "lockstep: MESSAGE" on stderr where `speak` (rank 0); returns error->code. */
int ls_fail(bool speak, const ls_error *error);

/* Reads argv. Bad usage says so and exits 64, --help exits 0; under mpirun rank 0 alone speaks
 * (told from the environment: MPI has not started yet). */
void ls_command_parse(const ls_usage *usage, int argc, char **argv, void *input);
/* The number of an option in [low, high]; else bad usage, which names `option` ("--steps"). For
 * `option` of ls_usage. */
long ls_command_long(const struct argp_state *state, const char *option, const char *text, long low,
                     long high);
/* Whether the environment of mpirun, srun or none says that this is rank 0. */
bool ls_command_first(void);
