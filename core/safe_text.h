/* safe_text: text from outside, made safe for the terminal that shows it.
 *
 * A name in a file from elsewhere may hold bytes that a terminal obeys: it clears the screen, moves
 * the cursor, or writes a line that looks like one of ours. So what is not to be printed as it is
 * becomes \x and two digits (\n, \t, \r): the control characters (below 0x20, 0x7f, and U+0080 to
 * U+009F in UTF-8), the characters that break a line or turn its direction, and what is no UTF-8.
 * The text of every ls_error, and all that ls_print prints, passes through here; JSON, YAML, CSV,
 * SVG and roff have escapes of their own. */
#pragma once
#include <stddef.h>

/* Writes text[length] into safe[size], as much as fits (size > 0), so that a terminal only shows
 * it. Safe text stays as it is. Returns the length of all of it. */
size_t ls_safe_text(char *safe, size_t size, const char *text, size_t length);
