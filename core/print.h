/* print: what the program prints for a person: listings and lines of text. */
#pragma once
#include <stdarg.h>
#include <stdio.h>

/* fprintf, with all that the arguments bring made safe for a terminal (safe_text.h); line breaks of
 * `format` itself stay. Returns the length of the text before that. */
int ls_print(FILE *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same, as vfprintf. */
int ls_print_list(FILE *out, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));
