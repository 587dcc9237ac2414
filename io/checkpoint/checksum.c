/* checksum: the .ok file beside an HDF5 file. */
#include "io/checkpoint/checksum.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/memory.h"
#include "io/atomic_file.h"
#include "io/checkpoint/checkpoint_fields.h"

enum { OK_SIZE = 512, ATTEMPTS = 3 };

/* What an .ok file says: the file it seals, and while that is replaced the one before. */
typedef struct ok_file {
    int count;
    ls_checksum seal[2];
} ok_file;

void ls_digest_text(XXH128_hash_t hash, char text[LS_DIGEST])
{
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, hash);
    for (size_t i = 0; i < sizeof canonical.digest; i++)
        snprintf(text + 2 * i, 3, "%02x", canonical.digest[i]);
}

char *ls_checksum_path(const char *path)
{
    size_t length = strlen(path);
    bool h5 = length > 3 && strcmp(path + length - 3, ".h5") == 0;
    return ls_format("%.*s.ok", (int)(h5 ? length - 3 : length), path);
}

static json_t *to_json(const ls_checksum *seal)
{
    return json_pack("{s:I, s:I, s:I, s:s}", "format", (json_int_t)seal->format, "step",
                     (json_int_t)seal->step, "size", (json_int_t)seal->size, "digest",
                     seal->digest);
}

static bool from_json(json_t *json, ls_checksum *seal)
{
    json_int_t format, step, size;
    const char *digest;
    if (json_unpack(json, "{s:I, s:I, s:I, s:s}", "format", &format, "step", &step, "size", &size,
                    "digest", &digest) != 0 ||
        strlen(digest) != LS_DIGEST - 1 || size < 0)
        return false;
    *seal = (ls_checksum){.format = format, .step = step, .size = (size_t)size};
    memcpy(seal->digest, digest, LS_DIGEST);
    return true;
}

static bool write_ok(const char *path, const ls_checksum *seal, const ls_checksum *before,
                     ls_error *error)
{
    char text[OK_SIZE];
    json_t *json = to_json(seal);
    if (before)
        json_object_set_new(json, "before", to_json(before));
    size_t size = json_dumpb(json, text, sizeof text - 1, JSON_SORT_KEYS);
    json_decref(json);
    ls_check(size > 0 && size < sizeof text - 1, "%s: a seal of %zu bytes", path, size);
    text[size++] = '\n';
    return ls_atomic_file_write(path, text, size, error);
}

static bool read_ok(const char *path, ok_file *ok, ls_error *error)
{
    size_t size;
    char *text = ls_atomic_file_read(path, &size, error);
    if (!text)
        return false;
    *ok = (ok_file){0};
    json_t *json = json_loadb(text, size, 0, NULL), *before = json_object_get(json, "before");
    if (from_json(json, &ok->seal[0]))
        ok->count = 1;
    if (ok->count && before && from_json(before, &ok->seal[1]))
        ok->count = 2;
    json_decref(json);
    ls_free(text);
    return ok->count ||
           ls_error_set(error, LS_DATA,
                        "%s: is damaged; expected JSON with format, step, size and digest", path);
}

/* The seal of the file that stands there now and holds, if there is one. */
static bool standing(const char *path, ls_checksum *seal)
{
    size_t size;
    void *bytes = ls_checksum_read(path, LS_CHECKSUM_REQUIRED, &size, seal, NULL);
    ls_free(bytes);
    return bytes != NULL;
}

bool ls_checksum_write(const char *path, const void *bytes, size_t size, long step, ls_error *error)
{
    ls_checksum seal = {.format = LS_CHECKPOINT_FORMAT, .step = step, .size = size}, before;
    ls_digest_text(XXH3_128bits(bytes, size), seal.digest);
    char *ok = ls_checksum_path(path);
    bool replaces = access(ok, F_OK) == 0 && standing(path, &before);
    bool done = ls_atomic_file_stage(path, bytes, size, error) &&
                (!replaces || write_ok(ok, &seal, &before, error)) &&
                ls_atomic_file_rename(path, error) && write_ok(ok, &seal, NULL, error);
    ls_free(ok);
    return done;
}

/* The number of the seal that holds for these bytes, or -1. */
static int holds(const ok_file *ok, const void *bytes, size_t size)
{
    char digest[LS_DIGEST];
    ls_digest_text(XXH3_128bits(bytes, size), digest);
    for (int i = 0; i < ok->count; i++)
        if (ok->seal[i].size == size && strcmp(ok->seal[i].digest, digest) == 0)
            return i;
    return -1;
}

static bool mismatch(const char *path, const char *ok_path, const ok_file *ok, size_t size,
                     ls_error *error)
{
    if (size != ok->seal[0].size)
        return ls_error_set(error, LS_DATA, "%s: has %zu bytes, but %s says %zu; it is %s", path,
                            size, ok_path, ok->seal[0].size,
                            size < ok->seal[0].size ? "cut short" : "not the file that was sealed");
    return ls_error_set(error, LS_DATA,
                        "%s: its digest is not the one in %s; the contents have changed since it "
                        "was written",
                        path, ok_path);
}

/* Reads and compares. A writer may replace the file between the two reads: while the .ok changes,
 * once more. */
static void *read_sealed(const char *path, const char *ok_path, size_t *size, ls_checksum *seal,
                         ls_error *error)
{
    ok_file ok = {0}, again = {0};
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        if (!read_ok(ok_path, &ok, error))
            return NULL;
        void *bytes = ls_atomic_file_read(path, size, error);
        if (!bytes)
            return NULL;
        int which = holds(&ok, bytes, *size);
        if (which >= 0) {
            if (seal)
                *seal = ok.seal[which];
            return bytes;
        }
        ls_free(bytes);
        if (!read_ok(ok_path, &again, error))
            return NULL;
        if (ok.count == again.count && strcmp(ok.seal[0].digest, again.seal[0].digest) == 0)
            break;
    }
    mismatch(path, ok_path, &ok, *size, error);
    return NULL;
}

void *ls_checksum_read(const char *path, ls_checksum_need need, size_t *size, ls_checksum *seal,
                       ls_error *error)
{
    char *ok_path = ls_checksum_path(path);
    void *bytes = NULL;
    if (seal)
        *seal = (ls_checksum){0};
    if (access(ok_path, F_OK) == 0)
        bytes = read_sealed(path, ok_path, size, seal, error);
    else if (need == LS_CHECKSUM_OPTIONAL || access(path, F_OK) != 0)
        bytes = ls_atomic_file_read(path, size, error);
    else
        ls_error_set(error, LS_DATA,
                     "%s: has no %s beside it; its writing was not finished, or it is no "
                     "checkpoint",
                     path, ok_path);
    ls_free(ok_path);
    return bytes;
}

bool ls_checksum_check(const char *path, ls_checksum_verdict *verdict, ls_error *error)
{
    struct stat status;
    *verdict = (ls_checksum_verdict){.state = LS_CHECKSUM_NONE};
    if (stat(path, &status) != 0)
        return ls_error_set(error, LS_DATA, "%s: can't open: %s", path, strerror(errno));
    verdict->bytes = (size_t)status.st_size;
    char *ok = ls_checksum_path(path);
    bool there = access(ok, F_OK) == 0;
    ls_free(ok);
    if (!there)
        return true;
    ls_checksum seal;
    ls_error why = {0};
    size_t size;
    void *bytes = ls_checksum_read(path, LS_CHECKSUM_REQUIRED, &size, &seal, &why);
    verdict->state = bytes ? LS_CHECKSUM_HOLDS : LS_CHECKSUM_BROKEN;
    snprintf(verdict->digest, sizeof verdict->digest, "%s", bytes ? seal.digest : "");
    snprintf(verdict->why, sizeof verdict->why, "%.1000s", why.text);
    verdict->step = bytes ? seal.step : 0;
    ls_free(bytes);
    return true;
}
