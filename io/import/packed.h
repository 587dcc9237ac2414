/* packed: files that may be packed by gzip, opened and read by zlib. */
#pragma once
#include <stdint.h>
#include <zlib.h>

#include "core/check.h"

/* NULL and an error: ls_file_open_code. The
 * caller closes it (gzclose). */
gzFile ls_packed_open(const char *path, ls_error *error);
/* Whether the file of this path can hold so many bytes, plain or packed: deflate makes no more than
 * 1032 bytes of one (zlib's technical details). What is no regular file, a pipe, can. Asked before
 * memory is taken that only a header speaks for. */
bool ls_packed_can_hold(const char *path, uint64_t bytes);
/* Why the last gzread failed, with errno as it left it: the text, and in *code LS_IO where the
 * system failed, LS_DATA where the file is not as gzip makes it, or a folder. (After an interrupted
 * read zlib can't go on: it has forgotten what it had read.) */
const char *ls_packed_reason(gzFile file, int *code);
