/* checksum: the .ok file beside an HDF5 file. */
#include "io/checkpoint/checksum.h"

#include <errno.h>
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/memory.h"
#include "io/atomic_file.h"
#include "io/checkpoint/checkpoint_fields.h"
#include "io/folder.h"

enum { OK_SIZE = 512, OK_MOST = 4096 /* bytes of an .ok, written and read */, ATTEMPTS = 3 };

void ls_digest_text(XXH128_hash_t hash, char text[LS_DIGEST])
{
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, hash);
    for (size_t i = 0; i < sizeof canonical.digest; i++)
        snprintf(text + 2 * i, 3, "%02x", canonical.digest[i]);
}

/* NAME.ok for NAME.h5; the caller frees with ls_free. */
static char *ok_path_of(const char *path)
{
    size_t length = strlen(path);
    bool h5 = length > 3 && strcmp(path + length - 3, ".h5") == 0;
    return ls_format("%.*s.ok", (int)(h5 ? length - 3 : length), path);
}

static json_t *to_json(const ls_checksum *checksum)
{
    return json_pack("{s:I, s:I, s:I, s:s}", "format", (json_int_t)checksum->format, "step",
                     (json_int_t)checksum->step, "size", (json_int_t)checksum->size, "digest",
                     checksum->digest);
}

static bool from_json(json_t *json, ls_checksum *checksum)
{
    json_int_t format, step, size;
    const char *digest;
    if (json_unpack(json, "{s:I, s:I, s:I, s:s}", "format", &format, "step", &step, "size", &size,
                    "digest", &digest) != 0 ||
        strlen(digest) != LS_DIGEST - 1 || size < 0)
        return false;
    *checksum = (ls_checksum){.format = format, .step = step, .size = (size_t)size};
    memcpy(checksum->digest, digest, LS_DIGEST);
    return true;
}

static bool write_ok(const char *path, const ls_checksum *checksum, const ls_checksum *before,
                     ls_error *error)
{
    char text[OK_SIZE];
    json_t *json = to_json(checksum);
    if (before)
        json_object_set_new(json, "before", to_json(before));
    size_t size = json_dumpb(json, text, sizeof text - 1, JSON_SORT_KEYS);
    json_decref(json);
    ls_check(size > 0 && size < sizeof text - 1, "%s: an .ok of %zu bytes", path, size);
    text[size++] = '\n';
    return ls_atomic_file_write(path, text, size, error);
}

/* An .ok file holds the checksum of its file, ok[0], and, while the file is being replaced, that of
 * the file before, ok[1]. Otherwise ok[1] is zeroed. */
static bool read_ok(const char *path, ls_checksum ok[2], ls_error *error)
{
    size_t size;
    char *text = ls_atomic_file_read(path, OK_MOST, &size, error);
    if (!text)
        return false;
    json_t *json = json_loadb(text, size, 0, NULL);
    bool read = from_json(json, &ok[0]);
    if (!from_json(json_object_get(json, "before"), &ok[1]))
        ok[1] = (ls_checksum){0};
    json_decref(json);
    ls_free(text);
    if (!read)
        return ls_error_set(error, LS_DATA,
                            "%s: is damaged; expected JSON with format, step, size and digest",
                            path);
    return ok[0].format == LS_CHECKPOINT_FORMAT ||
           ls_error_set(error, LS_DATA,
                        "%s: is of format %ld; this lockstep (" LS_VERSION ") reads format %d",
                        path, ok[0].format, LS_CHECKPOINT_FORMAT);
}

/* Whether the file's size is that of one of the checksums: what is damaged may have any size, and
 * is not read then. Where the size can't be had, reading will say why. */
static bool has_size(const char *path, const ls_checksum ok[2], size_t *size)
{
    struct stat status;
    if (stat(path, &status) != 0 || !S_ISREG(status.st_mode))
        return true;
    *size = (size_t)status.st_size;
    return *size == ok[0].size || *size == ok[1].size;
}

/* The one of the checksums that these bytes have; NULL: neither. */
static const ls_checksum *find_checksum(const ls_checksum ok[2], const void *bytes, size_t size)
{
    char digest[LS_DIGEST];
    ls_digest_text(XXH3_128bits(bytes, size), digest);
    for (int i = 0; i < 2; i++)
        if (ok[i].size == size && strcmp(ok[i].digest, digest) == 0)
            return &ok[i];
    return NULL;
}

static void set_mismatch(ls_error *error, const char *path, const char *ok_path, size_t expected,
                         size_t size)
{
    if (size != expected)
        ls_error_set(error, LS_DATA, "%s: has %zu bytes, but %s says %zu; it is %s", path, size,
                     ok_path, expected,
                     size < expected ? "cut short" : "not the file that was written");
    else
        ls_error_set(error, LS_DATA,
                     "%s: its digest is not the one in %s; the contents have changed since it was "
                     "written",
                     path, ok_path);
}

/* Reads the .ok, then the file. A writer may replace both in between: if they do not fit and the
 * .ok has changed meanwhile, tries again. */
static void *read_verified(const char *path, const char *ok_path, size_t *size,
                           ls_checksum *checksum, ls_error *error)
{
    ls_checksum ok[2], again[2];
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        if (!read_ok(ok_path, ok, error))
            return NULL;
        bool sized = has_size(path, ok, size);
        void *bytes = sized ? ls_atomic_file_read(path, SIZE_MAX, size, error) : NULL;
        if (sized && !bytes)
            return NULL;
        const ls_checksum *fits = bytes ? find_checksum(ok, bytes, *size) : NULL;
        if (fits) {
            *checksum = *fits;
            return bytes;
        }
        ls_free(bytes);
        if (!read_ok(ok_path, again, error))
            return NULL;
        if (strcmp(ok[0].digest, again[0].digest) == 0 &&
            strcmp(ok[1].digest, again[1].digest) == 0)
            break;
    }
    set_mismatch(error, path, ok_path, ok[0].size, *size);
    return NULL;
}

/* The checksum of the file that is at `path` now, if its .ok says one; only where a stop left an
 * .ok of two is the file read. */
static bool read_before(const char *path, ls_checksum *before)
{
    size_t size;
    ls_checksum ok[2];
    char *ok_path = ok_path_of(path);
    bool read = read_ok(ok_path, ok, NULL), both = read && ok[1].digest[0];
    *before = read ? ok[0] : (ls_checksum){0};
    void *bytes = both ? read_verified(path, ok_path, &size, before, NULL) : NULL;
    ls_free(bytes);
    ls_free(ok_path);
    return both ? bytes != NULL : read;
}

bool ls_checksum_commit(const char *path, ls_atomic_file *file, const ls_checksum *checksum,
                        ls_error *error)
{
    ls_checksum before;
    bool replaces = read_before(path, &before);
    char *ok = ok_path_of(path);
    bool ready =
        ls_atomic_file_sync(file, error) && (!replaces || write_ok(ok, checksum, &before, error));
    bool done = ready && ls_atomic_file_rename(file, error) && write_ok(ok, checksum, NULL, error);
    if (!ready)
        ls_atomic_file_discard(file);
    ls_free(ok);
    return done;
}

bool ls_checksum_write(const char *path, const void *bytes, size_t size, long step, ls_error *error)
{
    ls_checksum checksum = {.format = LS_CHECKPOINT_FORMAT, .step = step, .size = size};
    ls_digest_text(XXH3_128bits(bytes, size), checksum.digest);
    ls_atomic_file *file = ls_atomic_file_create(path, error);
    if (file && ls_atomic_file_put(file, bytes, size, error))
        return ls_checksum_commit(path, file, &checksum, error);
    ls_atomic_file_discard(file);
    return false;
}

void *ls_checksum_read(const char *path, ls_checksum_need need, size_t *size, ls_checksum *checksum,
                       ls_error *error)
{
    char *ok_path = ok_path_of(path);
    void *bytes = NULL;
    bool has_ok, there;
    *checksum = (ls_checksum){0};
    bool ok = ls_folder_look(ok_path, &has_ok, error) && ls_folder_look(path, &there, error);
    if (ok && has_ok)
        bytes = read_verified(path, ok_path, size, checksum, error);
    else if (ok && (need == LS_CHECKSUM_OPTIONAL || !there))
        bytes = ls_atomic_file_read(path, SIZE_MAX, size, error);
    else if (ok)
        ls_error_set(error, LS_DATA,
                     "%s: has no %s beside it: if it was copied, copy the .ok of the original to "
                     "that name too; else its writing was never finished, or it is no checkpoint",
                     path, ok_path);
    ls_free(ok_path);
    return bytes;
}

ls_checksum_state ls_checksum_check(const char *path, ls_checksum *checksum, ls_error *error)
{
    struct stat status;
    *checksum = (ls_checksum){0};
    if (stat(path, &status) != 0) {
        ls_error_set(error, errno == ENOENT || errno == ENOTDIR ? LS_DATA : LS_IO,
                     "%s: can't open: %s", path, strerror(errno));
        return LS_CHECKSUM_NO_FILE;
    }
    size_t size;
    bool has_ok;
    char *ok_path = ok_path_of(path);
    ls_checksum_state state = LS_CHECKSUM_NONE;
    if (!ls_folder_look(ok_path, &has_ok, error)) {
        state = LS_CHECKSUM_BROKEN;
    } else if (has_ok) {
        void *bytes = read_verified(path, ok_path, &size, checksum, error);
        state = bytes ? LS_CHECKSUM_HOLDS : LS_CHECKSUM_BROKEN;
        ls_free(bytes);
    }
    checksum->size = (size_t)status.st_size;
    ls_free(ok_path);
    return state;
}
