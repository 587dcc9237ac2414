/* check: fatal checks and error messages. */
#include "core/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/safe_text.h"

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
    char message[2048], safe[sizeof message];
    int used = snprintf(message, sizeof message, "%s:%d: ", file, line);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message + used, sizeof message - (size_t)used, format, arguments);
    va_end(arguments);
    ls_safe_text(safe, sizeof safe, message, strlen(message));
    fatal_hook(safe);
    abort(); /* a hook that returned */
}

bool ls_error_set(ls_error *error, int code, const char *format, ...)
{
    if (error) {
        char text[sizeof error->text]; /* `arguments` may be of *error */
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(text, sizeof text, format, arguments);
        va_end(arguments);
        error->code = code;
        ls_safe_text(error->text, sizeof error->text, text, strlen(text));
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
        ls_safe_text(error->text, sizeof error->text, whole, strlen(whole));
    }
    return false;
}
