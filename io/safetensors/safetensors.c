/* safetensors: opens a file of named arrays, and reads numbers of one. */
#include "io/safetensors/safetensors.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>

#include "core/memory.h"
#include "core/minmax.h"
#include "io/file.h"
#include "io/magic.h"

static bool fail(const char *path, ls_error *error)
{
    return ls_error_set(error, LS_IO, "%s: can't read: %s", path, strerror(errno));
}

bool ls_safetensors_looks(const char *path)
{
    static const char ending[] = ".safetensors";
    const size_t length = strlen(path), least = strlen(ending);
    char bytes[LS_SAFETENSORS_PREFIX + 1] = {0};
    const int file = ls_file_open(path, O_RDONLY | O_NONBLOCK, 0);
    const ssize_t got = file < 0 ? 0 : ls_file_read(file, bytes, sizeof bytes);
    if (file >= 0)
        ls_file_close(file);
    return (got == sizeof bytes && bytes[LS_SAFETENSORS_PREFIX] == '{') ||
           (length >= least && strcmp(path + length - least, ending) == 0);
}

/* Reads exactly `size` bytes. */
static bool read_at(const ls_safetensors *s, void *bytes, size_t size, uint64_t offset,
                    ls_error *error)
{
    const ssize_t got = ls_file_read_at(s->file, bytes, size, (off_t)offset);
    if (got < 0)
        return fail(s->path, error);
    return (size_t)got == size ||
           ls_error_set(error, LS_DATA, "%s: became shorter while it was read", s->path);
}

static uint64_t little_endian(const unsigned char bytes[LS_SAFETENSORS_PREFIX])
{
    uint64_t value = 0;
    for (int i = LS_SAFETENSORS_PREFIX - 1; i >= 0; i--)
        value = value << 8 | bytes[i];
    return value;
}

/* Finds out how long the header of a file of `size` bytes is. */
static bool read_length(const ls_safetensors *s, uint64_t size, uint64_t *length, ls_error *error)
{
    unsigned char bytes[LS_MAGIC_BYTES];
    const size_t begin = (size_t)ls_min((long)size, sizeof bytes);
    if (!read_at(s, bytes, begin, 0, error))
        return false;
    const uint64_t behind = size < LS_SAFETENSORS_PREFIX ? 0 : size - LS_SAFETENSORS_PREFIX;
    const uint64_t most = behind < LS_SAFETENSORS_HEADER ? behind : LS_SAFETENSORS_HEADER;
    *length = behind ? little_endian(bytes) : 0;
    if (*length >= 2 && *length <= most)
        return true;
    const char *known = ls_magic_name(bytes, begin);
    if (known)
        return ls_error_set(error, LS_DATA, "%s: is %s; expected a safetensors file", s->path,
                            known);
    if (size < LS_SAFETENSORS_PREFIX)
        return ls_error_set(error, LS_DATA,
                            "%s: is no safetensors file, or is cut off: it has %" PRIu64
                            " bytes, fewer than the %d that say how long its header is",
                            s->path, size, LS_SAFETENSORS_PREFIX);
    return ls_error_set(error, LS_DATA,
                        "%s: is no safetensors file, or is cut off: it has %" PRIu64 " bytes, and "
                        "its first %d say that its header has %" PRIu64 "; expected 2 to %" PRIu64,
                        s->path, size, LS_SAFETENSORS_PREFIX, *length, most);
}

static bool read_header(ls_safetensors *s, ls_error *error)
{
    struct stat status;
    uint64_t length = 0;
    if (fstat(s->file, &status) != 0)
        return fail(s->path, error);
    if (!S_ISREG(status.st_mode))
        return ls_error_set(error, LS_DATA, "%s: is a %s; expected a file", s->path,
                            S_ISDIR(status.st_mode) ? "directory" : "device or pipe");
    const uint64_t size = (uint64_t)status.st_size;
    if (!read_length(s, size, &length, error))
        return false;
    s->first = LS_SAFETENSORS_PREFIX + length;
    char *header = ls_alloc((size_t)length, 1);
    bool ok = read_at(s, header, (size_t)length, LS_SAFETENSORS_PREFIX, error) &&
              ls_safetensors_table_read(s->path, header, (size_t)length, size - s->first, &s->table,
                                        error);
    ls_free(header);
    return ok;
}

ls_safetensors *ls_safetensors_open(const char *path, ls_error *error)
{
    const int file = ls_file_open(path, O_RDONLY | O_NONBLOCK, 0);
    if (file < 0) {
        ls_error_set(error, ls_file_open_code(errno), "%s: can't open: %s", path, strerror(errno));
        return NULL;
    }
    ls_safetensors *s = ls_alloc(1, sizeof *s);
    *s = (ls_safetensors){.path = ls_copy_string(path), .file = file};
    if (read_header(s, error))
        return s;
    ls_safetensors_close(s);
    return NULL;
}

void ls_safetensors_close(ls_safetensors *s)
{
    if (!s)
        return;
    ls_file_close(s->file);
    ls_safetensors_table_release(&s->table);
    ls_free(s->path);
    ls_free(s);
}

bool ls_safetensors_read(const ls_safetensors *s, const ls_safetensor *tensor, real *numbers,
                         ls_error *error)
{
    enum { PIECE = 1 << 18 }; /* numbers */
    const size_t size = tensor->type->size;
    const uint64_t count = (tensor->end - tensor->begin) / size;
    char *bytes = ls_alloc((size_t)ls_min((long)count, PIECE), size);
    bool ok = true;
    for (uint64_t done = 0; ok && done < count; done += PIECE) {
        const size_t piece = (size_t)ls_min((long)(count - done), PIECE);
        ok = read_at(s, bytes, piece * size, s->first + tensor->begin + done * size, error);
        if (ok)
            tensor->type->read(bytes, piece, numbers + done);
        for (uint64_t i = done; ok && i < done + piece; i++)
            ok = isfinite(numbers[i]) || ls_error_set(error, LS_DATA,
                                                      "%s: tensor %.200s holds %g at place %" PRIu64
                                                      "; expected finite numbers",
                                                      s->path, tensor->name, (double)numbers[i], i);
    }
    ls_free(bytes);
    return ok;
}
