/* json: values that JSON cannot hold as they are, and one object as a line of output. */
#pragma once
#include <jansson.h>
#include <math.h>

/* A string. Where `value` is not UTF-8, each byte above 127 is written as \xff, with its own two
 * digits. */
json_t *ls_json_text(const char *value);
/* A real; null for NaN and the infinities, which JSON does not know. */
static inline json_t *ls_json_real(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}
/* Prints the object on one line of stdout, with all digits of a double, and frees it. */
void ls_json_print(json_t *object);
