/* json: values that JSON cannot hold as they are, and one object as a line of output. */
#include "launch/json.h"

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

void ls_json_print(json_t *object)
{
    json_dumpf(object, stdout, JSON_COMPACT | JSON_REAL_PRECISION(17));
    putchar('\n');
    json_decref(object);
}
