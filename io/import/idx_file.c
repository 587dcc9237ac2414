/* idx_file: header and rows of an IDX file, through zlib, which reads plain files too. */
#include "io/import/idx_file.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

enum { TYPE_UINT8 = 8, ROW_MAX = 1 << 30 /* bytes */ };

static const struct {
    const char *name;
    int dimensions;
} kinds[] = {[LS_IDX_IMAGES] = {"images [rows, h, w]", 3}, [LS_IDX_LABELS] = {"labels [rows]", 1}};

static const struct {
    int code;
    const char *name;
} types[] = {{8, "uint8"},  {9, "int8"},     {11, "int16"},
             {12, "int32"}, {13, "float32"}, {14, "float64"}};

static const char *type_name(int code)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].code == code)
            return types[i].name;
    return NULL;
}

/* Why the last read failed, as the system or zlib says it. */
static const char *reason(const ls_idx *idx)
{
    int code = Z_OK;
    const char *text = gzerror(idx->file, &code);
    return code == Z_ERRNO ? strerror(errno) : text;
}

/* Reads exactly `size` bytes. */
static bool read_bytes(ls_idx *idx, size_t size, void *bytes, ls_error *error)
{
    char *to = bytes;
    while (size > 0) {
        int got = gzread(idx->file, to, size < ROW_MAX ? (unsigned)size : ROW_MAX);
        if (got < 0)
            return ls_error_set(error, LS_DATA, "%s: can't be read after %ld of %ld rows: %s",
                                idx->path, idx->read, idx->rows, reason(idx));
        if (got == 0)
            return ls_error_set(error, LS_DATA,
                                "%s: ends after %ld of %ld rows; it was cut short: get it again",
                                idx->path, idx->read, idx->rows);
        to += got;
        size -= (size_t)got;
    }
    return true;
}

static bool check_magic(const ls_idx *idx, const unsigned char magic[4], ls_error *error)
{
    const char *name = kinds[idx->kind].name;
    const char *type = type_name(magic[2]);
    int dimensions = kinds[idx->kind].dimensions;
    if (magic[0] || magic[1] || !type)
        return ls_error_set(error, LS_DATA,
                            "%s: is not an IDX file: begins with %02x%02x%02x%02x; expected "
                            "0000080%d, %s of uint8",
                            idx->path, magic[0], magic[1], magic[2], magic[3], dimensions, name);
    if (magic[2] == TYPE_UINT8 && magic[3] == dimensions)
        return true;
    const char *hint = magic[3] == kinds[!idx->kind].dimensions && magic[2] == TYPE_UINT8
                           ? "; images come before labels on the command line"
                           : "";
    return ls_error_set(error, LS_DATA,
                        "%s: is an IDX file of %s in %d dimension(s); expected %s of uint8%s",
                        idx->path, type, magic[3], name, hint);
}

static bool read_header(ls_idx *idx, ls_error *error)
{
    unsigned char magic[4], word[4];
    int dimensions = kinds[idx->kind].dimensions;
    uint64_t sizes[3] = {1, 1, 1};
    int got = gzread(idx->file, magic, sizeof magic);
    if (got < 0)
        return ls_error_set(error, LS_DATA, "%s: can't be read: %s", idx->path, reason(idx));
    if (got < (int)sizeof magic)
        return ls_error_set(error, LS_DATA, "%s: is no IDX file: holds %d bytes", idx->path, got);
    if (!check_magic(idx, magic, error))
        return false;
    for (int i = 0; i < dimensions; i++) {
        if (!read_bytes(idx, sizeof word, word, error))
            return ls_error_set(error, LS_DATA, "%s: ends within its header; it was cut short",
                                idx->path);
        sizes[i] = (uint64_t)word[0] << 24 | (uint64_t)word[1] << 16 | (uint64_t)word[2] << 8 |
                   (uint64_t)word[3];
    }
    idx->rows = (long)sizes[0];
    idx->height = (long)sizes[1];
    idx->width = (long)sizes[2];
    uint64_t row;
    if (sizes[0] == 0 || __builtin_mul_overflow(sizes[1], sizes[2], &row) || row == 0 ||
        row > ROW_MAX)
        return ls_error_set(error, LS_DATA,
                            "%s: says that it holds %ld rows of %ld x %ld; expected at least one "
                            "row, of 1 to %d numbers",
                            idx->path, idx->rows, idx->height, idx->width, (int)ROW_MAX);
    return true;
}

bool ls_idx_open(ls_idx *idx, const char *path, ls_idx_kind kind, ls_error *error)
{
    errno = 0;
    *idx = (ls_idx){.path = path, .kind = kind, .file = gzopen(path, "rb")};
    if (!idx->file)
        return ls_error_set(error, LS_DATA, "%s: can't open: %s", path,
                            strerror(errno ? errno : ENOMEM));
    if (read_header(idx, error))
        return true;
    ls_idx_close(idx);
    return false;
}

bool ls_idx_read(ls_idx *idx, long n, void *bytes, ls_error *error)
{
    if (!read_bytes(idx, (size_t)n * (size_t)(idx->height * idx->width), bytes, error))
        return false;
    idx->read += n;
    return true;
}

bool ls_idx_at_end(ls_idx *idx, ls_error *error)
{
    char byte;
    int got = gzread(idx->file, &byte, 1);
    if (got < 0)
        return ls_error_set(error, LS_DATA, "%s: is damaged: %s", idx->path, reason(idx));
    return got == 0 || ls_error_set(error, LS_DATA,
                                    "%s: goes on after its %ld rows; expected the end: get it "
                                    "again",
                                    idx->path, idx->rows);
}

void ls_idx_close(ls_idx *idx)
{
    if (idx->file)
        gzclose(idx->file);
    idx->file = NULL;
}
