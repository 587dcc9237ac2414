/* checksum: the .ok file beside an HDF5 file: JSON with its size, its XXH3-128 digest, the step it
 * is of, and the format of checkpoints.
 *
 * Renaming the .ok into place is what makes a checkpoint valid. Where a file that has one is
 * replaced (best.h5), the .ok is first replaced by one that names both the new digest and the one
 * before: so the file is valid at every moment, wherever the system may stop. */
#pragma once
#include <stddef.h>
#include <xxhash.h>
#if defined(__x86_64__) && __has_include(<xxh_x86dispatch.h>)
#include <xxh_x86dispatch.h> /* the digest by the widest vectors that the processor has */
#endif

#include "io/atomic_file.h"

enum { LS_DIGEST = 33 /* 32 hex digits and a 0 */ };

typedef struct ls_checksum {
    long format, step;
    size_t size;
    char digest[LS_DIGEST];
} ls_checksum;

/* The digest in canonical (big-endian) order, as xxhsum -H128 prints it. */
void ls_digest_text(XXH128_hash_t hash, char text[LS_DIGEST]);
/* Writes PATH and then its .ok, both durably. LS_IO errors; what was valid before stays valid. */
bool ls_checksum_write(const char *path, const void *bytes, size_t size, long step,
                       ls_error *error);
/* The second half of it: `file`, which holds the bytes of `checksum`, becomes PATH. */
bool ls_checksum_commit(const char *path, ls_atomic_file *file, const ls_checksum *checksum,
                        ls_error *error);
/* Whether a file without .ok is read all the same, unverified, or is an error. */
typedef enum ls_checksum_need { LS_CHECKSUM_OPTIONAL, LS_CHECKSUM_REQUIRED } ls_checksum_need;
/* The file's bytes, read once and verified; the caller frees with ls_free. *checksum is the one
 * that holds, zeroed where there is no .ok. NULL and LS_DATA or LS_IO. */
void *ls_checksum_read(const char *path, ls_checksum_need need, size_t *size, ls_checksum *checksum,
                       ls_error *error);

typedef enum ls_checksum_state {
    LS_CHECKSUM_HOLDS,  /* *checksum is the one that holds */
    LS_CHECKSUM_BROKEN, /* *error says why: LS_DATA, or LS_IO; checksum->size is the file's */
    LS_CHECKSUM_NONE,   /* there is no .ok beside the file; checksum->size is the file's */
    LS_CHECKSUM_NO_FILE /* an LS_DATA error; LS_IO where the file can't be looked at */
} ls_checksum_state;
/* Whether a file is what its .ok says, for `lockstep inspect`. */
ls_checksum_state ls_checksum_check(const char *path, ls_checksum *checksum, ls_error *error);
