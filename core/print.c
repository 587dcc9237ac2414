/* print: what the program prints for a person: listings and lines of text. */
#include "core/print.h"

#include <string.h>

#include "core/check.h"
#include "core/memory.h"
#include "core/safe_text.h"

/* The text of `format` with `mark` for each of its own line breaks. */
static char *format_marked(const char *format, char mark, va_list arguments)
{
    va_list again;
    char *marked = ls_copy_string(format);
    for (char *c = marked; *c; c++)
        if (*c == '\n')
            *c = mark;
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, marked, arguments);
    ls_check(length >= 0, "cannot format \"%s\"", format);
    char *text = ls_alloc((size_t)length + 1, 1);
    vsnprintf(text, (size_t)length + 1, marked, again);
    va_end(again);
    ls_free(marked);
    return text;
}

static void put_safe(FILE *out, const char *text, size_t length)
{
    size_t size = 4 * length + 1; /* an escape has 4 bytes */
    char *safe = ls_alloc(size, 1);
    fwrite(safe, 1, ls_safe_text(safe, size, text, length), out);
    ls_free(safe);
}

/* Formats twice, with two marks: a line break of the format is where the two texts differ; all
 * other bytes are of the arguments, or need no escape. */
int ls_print_list(FILE *out, const char *format, va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    char *text = format_marked(format, '\1', arguments),
         *other = format_marked(format, '\2', again);
    va_end(again);
    const char *line = text;
    size_t length = strlen(text);
    for (const char *c = text; c < text + length; c++) {
        if (*c == other[c - text])
            continue;
        put_safe(out, line, (size_t)(c - line));
        fputc('\n', out);
        line = c + 1;
    }
    put_safe(out, line, strlen(line));
    ls_free(text);
    ls_free(other);
    return (int)length;
}

int ls_print(FILE *out, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = ls_print_list(out, format, arguments);
    va_end(arguments);
    return length;
}
