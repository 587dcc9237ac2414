/* utf8: characters in UTF-8. */
#include "core/utf8.h"

#include <stdbool.h>

size_t ls_utf8_length(char first)
{
    const unsigned char byte = (unsigned char)first;
    return byte < 0xc2 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : byte < 0xf5 ? 4 : 1;
}

size_t ls_utf8_decode(const void *text, size_t size, unsigned long *code)
{
    static const unsigned long least[] = {0, 0, 0x80, 0x800, 0x10000}; /* shorter forms exist */
    const unsigned char *at = text;
    if (size == 0)
        return 0;
    const size_t bytes = ls_utf8_length(((const char *)text)[0]);
    if (bytes > size || (bytes == 1 && at[0] >= 0x80))
        return 0;
    *code = bytes == 1 ? at[0] : at[0] & (0x7fUL >> bytes);
    for (size_t i = 1; i < bytes; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
        *code = *code << 6 | (at[i] & 0x3f);
    }
    const bool surrogate = *code >= 0xd800 && *code < 0xe000;
    return *code >= least[bytes] && *code <= 0x10ffff && !surrogate ? bytes : 0;
}
