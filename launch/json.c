/* json: values that JSON cannot hold as they are, and one object as a line of output. */
#include "launch/json.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"

json_t *ls_json_text(const char *value)
{
    json_t *string = json_string(value);
    if (string)
        return string;
    size_t size = 4 * strlen(value) + 1, used = 0;
    char *text = ls_alloc(size, 1);
    for (const char *c = value; *c; c++)
        used += (size_t)snprintf(text + used, size - used, (*c & 0x80) ? "\\x%02x" : "%c",
                                 (unsigned char)*c);
    string = json_string(text);
    ls_free(text);
    return string;
}

/* jansson escapes what is below 0x20; a terminal also obeys 0x7f and U+0080 to U+009F, which are
 * c2 80 to c2 9f in UTF-8. */
static int put_escaped(const char *text, size_t size, void *out)
{
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i],
                      next = i + 1 < size ? (unsigned char)text[i + 1] : 0;
        bool pair = c == 0xc2 && next >= 0x80 && next < 0xa0;
        if (c == 0x7f || pair)
            fprintf(out, "\\u%04x", pair ? next : c);
        else
            fputc(c, out);
        i += pair;
    }
    return 0;
}

void ls_json_print(json_t *object)
{
    json_dump_callback(object, put_escaped, stdout, JSON_COMPACT | JSON_REAL_PRECISION(17));
    putchar('\n');
    json_decref(object);
}
