/* utf8: characters in UTF-8 (RFC 3629). */
#pragma once
#include <stddef.h>

/* The bytes of the character that text[size] begins with, and its number in *code; 0: it is no
 * UTF-8, or was cut off: longer forms than needed, surrogates and numbers above 0x10ffff are none.
 */
size_t ls_utf8_decode(const void *text, size_t size, unsigned long *code);
/* The bytes of a character that begins with this one; 1 if none does. */
size_t ls_utf8_length(char first);
