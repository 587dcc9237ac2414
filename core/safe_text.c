/* safe_text: text from outside, made safe for the terminal that shows it. */
#include "core/safe_text.h"

#include <stdbool.h>
#include <string.h>

#include "core/utf8.h"

/* Whether a terminal only shows this character: it neither obeys it nor turns the line round. */
static bool is_shown(unsigned long code)
{
    bool control = code < 0x20 || (code >= 0x7f && code < 0xa0);
    bool breaks = code == 0x2028 || code == 0x2029;
    bool turns = (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
    return !control && !breaks && !turns;
}

/* The bytes of the character that text[length] begins with; 0: it is no UTF-8, or must not be
 * printed. */
static size_t shown_length(const char *text, size_t length)
{
    unsigned long code;
    const size_t bytes = ls_utf8_decode(text, length, &code);
    return bytes && is_shown(code) ? bytes : 0;
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
        bytes = shown_length(text + i, length - i);
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
