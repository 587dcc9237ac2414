/* magic: what a file is, by its first bytes, for messages about files that are not what was
 * expected. */
#pragma once
#include <stddef.h>

enum { LS_MAGIC_BYTES = 512 }; /* as many of a file's first bytes tell all kinds apart */

/* "a zip archive (unzip it)": what begins with these bytes; NULL where they tell nothing. */
const char *ls_magic_name(const void *bytes, size_t size);
