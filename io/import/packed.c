/* packed: zlib's files, opened by us, and what its errors mean. */
#include "io/import/packed.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "io/file.h"

enum { DEFLATE_MAX = 1032 }; /* bytes that deflate makes of one, at most */

gzFile ls_packed_open(const char *path, ls_error *error)
{
    int file = ls_file_open(path, O_RDONLY | O_NOCTTY, 0), reason = errno;
    gzFile packed = file < 0 ? NULL : gzdopen(file, "rb");
    if (packed)
        return packed;
    if (file >= 0)
        ls_file_close(file);
    reason = file < 0 ? reason : ENOMEM;
    ls_error_set(error, ls_file_open_code(reason), "%s: can't open: %s", path, strerror(reason));
    return NULL;
}

bool ls_packed_can_hold(const char *path, uint64_t bytes)
{
    struct stat about;
    return stat(path, &about) != 0 || !S_ISREG(about.st_mode) ||
           bytes / DEFLATE_MAX <= (uint64_t)about.st_size;
}

const char *ls_packed_reason(gzFile file, int *code)
{
    int reason = errno, state = Z_OK;
    const char *text = gzerror(file, &state);
    *code = state == Z_ERRNO && reason != EISDIR ? LS_IO : LS_DATA;
    const char *name = strstr(text, ">: "); /* zlib calls the file <fd:3> */
    return state == Z_ERRNO ? strerror(reason) : name ? name + 3 : text;
}
