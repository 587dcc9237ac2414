/* safe_text: text from outside, made safe for the terminal that shows it. */
#include "core/safe_text.h"

#include <stdbool.h>
#include <string.h>

/* Whether a terminal only shows this character: it neither obeys it nor turns the line round. */
static bool is_shown(unsigned long code)
{
    bool control = code < 0x20 || (code >= 0x7f && code < 0xa0);
    bool breaks = code == 0x2028 || code == 0x2029;
    bool turns = (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
    return !control && !breaks && !turns;
}

/* The bytes of the character that text[length], not empty, begins with; 0: it is no UTF-8, or must
 * not be printed. */
static size_t shown_length(const unsigned char *text, size_t length)
{
    static const unsigned long least[] = {0, 0, 0x80, 0x800, 0x10000}; /* shorter forms exist */
    size_t bytes = text[0] < 0x80   ? 1
                   : text[0] < 0xc0 ? 0
                   : text[0] < 0xe0 ? 2
                   : text[0] < 0xf0 ? 3
                   : text[0] < 0xf8 ? 4
                                    : 0;
    if (bytes == 0 || bytes > length)
        return 0;
    unsigned long code = bytes == 1 ? text[0] : text[0] & (0x7fUL >> bytes);
    for (size_t i = 1; i < bytes; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (text[i] & 0x3f);
    }
    bool surrogate = code >= 0xd800 && code < 0xe000;
    return code >= least[bytes] && code <= 0x10ffff && !surrogate && is_shown(code) ? bytes : 0;
}

/* Writes the escape of a byte and returns its length. */
static size_t escape(unsigned char byte, char text[4])
{
    static const char digits[] = "0123456789abcdef";
    const char breaks[] = {['\n'] = 'n', ['\t'] = 't', ['\r'] = 'r'};
    bool named = byte < sizeof breaks && breaks[byte];
    text[0] = '\\';
    text[1] = named ? breaks[byte] : 'x';
    text[2] = digits[byte / 16];
    text[3] = digits[byte % 16];
    return named ? 2 : 4;
}

size_t ls_safe_text(char *safe, size_t size, const char *text, size_t length)
{
    size_t used = 0, end = 0;
    for (size_t i = 0, bytes; i < length; i += bytes ? bytes : 1) {
        char escaped[4];
        bytes = shown_length((const unsigned char *)text + i, length - i);
        size_t wanted = bytes ? bytes : escape((unsigned char)text[i], escaped);
        if (used + wanted < size) {
            memcpy(safe + used, bytes ? text + i : escaped, wanted);
            end = used + wanted;
        } else {
            size = 0; /* nothing after what did not fit */
        }
        used += wanted;
    }
    safe[end] = 0;
    return used;
}
