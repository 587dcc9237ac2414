/* check: fatal checks for bugs, and errors with a message for a person.
 *
 * Three kinds of failure (each function's comment says which it can have):
 *   ls_check     a bug, out of memory, a failed MPI call: ends every rank through the fatal hook;
 *   ls_error     the world is not as expected (files, specs, options): the function returns false
 *                (or NULL) with a message that says what was expected, what was found, where, and
 *                what to do; with several ranks, ls_comm_agree makes all of them return;
 *   none         kernels cannot fail: setup checked everything. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

/* Exit codes of the program, and the `code` of an ls_error. */
enum {
    LS_USAGE = 64,   /* bad usage, job file or spec */
    LS_DATA = 65,    /* bad data set or checkpoint */
    LS_NUMERIC = 70, /* a loss or gradient is not finite; a bug */
    LS_STALLED = 71, /* no rank made progress for so long that a watchdog ended the run */
    LS_IN_USE = 73,  /* another job holds the run directory */
    LS_IO = 74,      /* a read or write failed */
    LS_AGAIN = 75    /* checkpointed on request: start me again */
};

typedef struct ls_error {
    int code;        /* one of the above */
    char text[1920]; /* one message for a person, no newline at the end */
} ls_error;

/* Fills *error (NULL is allowed). Returns false, so that a caller returns what this returns. */
bool ls_error_set(ls_error *error, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Puts "where: " before the message, for a caller that knows the file or line. Returns false. */
bool ls_error_prefix(ls_error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Gets the message of a failed check; must not return. By default it prints and exits with 70. */
typedef void ls_fatal_hook(const char *message);
void ls_fatal_set_hook(ls_fatal_hook *hook);
__attribute__((noreturn)) void ls_fatal(const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Always compiled in. */
#define ls_check(condition, ...) ((condition) ? (void)0 : ls_fatal(__FILE__, __LINE__, __VA_ARGS__))
