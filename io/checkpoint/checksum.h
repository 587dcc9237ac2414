/* checksum: the .ok file beside an HDF5 file: JSON with its size and XXH3-128 digest, step and
 * format.
 *
 * The .ok is the commit point. Where a sealed file is replaced (best.h5), the .ok first names both
 * the new digest and the one before, so that at no moment of a crash the name has no valid file. */
#pragma once
#include <stddef.h>
#include <xxhash.h>

#include "core/check.h"

enum { LS_DIGEST = 33 /* 32 hex digits and a 0 */ };

typedef struct ls_checksum {
    long format, step;
    size_t size;
    char digest[LS_DIGEST];
} ls_checksum;

/* In canonical (big-endian) order. */
void ls_digest_text(XXH128_hash_t hash, char text[LS_DIGEST]);
/* NAME.ok for NAME.h5; the caller frees with ls_free. */
char *ls_checksum_path(const char *path);
/* Writes file and seal, durably, the .ok last. LS_IO errors; what stood there before stays valid.
 */
bool ls_checksum_write(const char *path, const void *bytes, size_t size, long step,
                       ls_error *error);
/* Whether a file without .ok is read all the same, unverified, or is an error. */
typedef enum ls_checksum_need { LS_CHECKSUM_OPTIONAL, LS_CHECKSUM_REQUIRED } ls_checksum_need;
/* The file's bytes, read once and verified; the caller frees with ls_free. *checksum (NULL: not
 * wanted) is the one that holds, zeroed where there is none. NULL and LS_DATA or LS_IO. */
void *ls_checksum_read(const char *path, ls_checksum_need need, size_t *size, ls_checksum *checksum,
                       ls_error *error);

/* Whether a file is what its .ok says, for people. */
typedef enum ls_checksum_state {
    LS_CHECKSUM_HOLDS,
    LS_CHECKSUM_BROKEN,
    LS_CHECKSUM_NONE
} ls_checksum_state;

typedef struct ls_checksum_verdict {
    ls_checksum_state state; /* NONE: there is no .ok beside it */
    size_t bytes;            /* of the file */
    char digest[33];         /* XXH3-128, where it holds */
    long step;               /* of the seal that holds */
    char why[1024];          /* where it does not */
} ls_checksum_verdict;

/* LS_DATA where there is no such file. */
bool ls_checksum_check(const char *path, ls_checksum_verdict *verdict, ls_error *error);
