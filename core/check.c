/* check: fatal checks and error messages. */
#include "core/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void default_hook(const char *message)
{
    fprintf(stderr, "lockstep: %s\n", message);
    exit(LS_NUMERIC);
}

static ls_fatal_hook *fatal_hook = default_hook;

void ls_fatal_set_hook(ls_fatal_hook *hook)
{
    fatal_hook = hook ? hook : default_hook;
}

void ls_fatal(const char *file, int line, const char *format, ...)
{
    char message[2048];
    int used = snprintf(message, sizeof message, "%s:%d: ", file, line);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message + used, sizeof message - (size_t)used, format, arguments);
    va_end(arguments);
    fatal_hook(message);
    abort(); /* a hook that returned */
}

bool ls_error_set(ls_error *error, int code, const char *format, ...)
{
    if (error) {
        error->code = code;
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(error->text, sizeof error->text, format, arguments);
        va_end(arguments);
    }
    return false;
}

bool ls_error_prefix(ls_error *error, const char *format, ...)
{
    if (error) {
        char where[sizeof error->text], whole[2 * sizeof error->text + 2];
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(where, sizeof where, format, arguments);
        va_end(arguments);
        snprintf(whole, sizeof whole, "%s: %s", where, error->text);
        memcpy(error->text, whole, sizeof error->text - 1);
        error->text[sizeof error->text - 1] = 0;
    }
    return false;
}
