/* packed: files that may be packed by gzip, opened and read by zlib. */
#pragma once
#include <stdint.h>
#include <zlib.h>

#include "core/check.h"

/* Opens a file for gzread. Where that fails: NULL, and an error with ls_file_open_code's code. The
 * caller closes it (gzclose). */
gzFile ls_packed_open(const char *path, ls_error *error);
/* Whether a file of this size can hold so many bytes, plain or packed: deflate makes at most 1032
 * bytes of one (zlib's technical details). True where the size is not known, as of a pipe. Readers
 * ask this before they allocate what a header claims. */
bool ls_packed_can_hold(const char *path, uint64_t bytes);
/* Why the last gzread failed, with errno as it left it: the text, and in *code LS_IO where the
 * system failed, LS_DATA where the file is not as gzip makes it, or a folder. (After an interrupted
 * read zlib can't go on: it has forgotten what it had read.) */
const char *ls_packed_reason(gzFile file, int *code);
