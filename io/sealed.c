/* sealed: reads a file that has an .ok whole, others not at all. */
#include "io/sealed.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/memory.h"
#include "io/seal.h"

bool ls_sealed_check(const char *path, ls_sealed *sealed, ls_error *error)
{
    struct stat status;
    *sealed = (ls_sealed){.state = LS_SEALED_NONE};
    if (stat(path, &status) != 0)
        return ls_error_set(error, LS_DATA, "%s: can't open: %s", path, strerror(errno));
    sealed->bytes = (size_t)status.st_size;
    char *ok = ls_seal_path(path);
    bool there = access(ok, F_OK) == 0;
    ls_free(ok);
    if (!there)
        return true;
    ls_seal seal;
    ls_error why = {0};
    size_t size;
    void *bytes = ls_seal_read(path, true, &size, &seal, &why);
    sealed->state = bytes ? LS_SEALED_HOLDS : LS_SEALED_BROKEN;
    snprintf(sealed->digest, sizeof sealed->digest, "%s", bytes ? seal.digest : "");
    snprintf(sealed->why, sizeof sealed->why, "%.1000s", why.text);
    sealed->step = bytes ? seal.step : 0;
    ls_free(bytes);
    return true;
}
