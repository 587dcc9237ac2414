/* dump: a thin layer over io/h5, so that launch need not know HDF5. */
#include "io/dump.h"

#include "core/memory.h"
#include "io/h5/h5.h"

struct ls_dump {
    hid_t file;
};

ls_dump *ls_dump_open(const char *path, ls_error *error)
{
    hid_t file = ls_h5_create(path, error);
    if (file < 0)
        return NULL;
    ls_dump *dump = ls_alloc(1, sizeof *dump);
    dump->file = file;
    return dump;
}

bool ls_dump_reals(ls_dump *dump, const char *name, long rows, const ls_shape *shape,
                   const real *values, ls_error *error)
{
    hsize_t dims[LS_MAX_RANK + 1];
    int rank = 0;
    if (rows >= 0)
        dims[rank++] = (hsize_t)rows;
    for (int i = 0; i < shape->rank; i++)
        dims[rank++] = (hsize_t)shape->at[i];
    return ls_h5_write(dump->file, name, ls_h5_real(), ls_h5_real(), rank, dims, values, error);
}

bool ls_dump_text(ls_dump *dump, const char *name, const char *value, ls_error *error)
{
    return ls_h5_put_text(dump->file, name, value, error);
}

bool ls_dump_number(ls_dump *dump, const char *name, double value, ls_error *error)
{
    return ls_h5_put_double(dump->file, name, value, error);
}

bool ls_dump_close(ls_dump *dump, ls_error *error)
{
    char path[512];
    ls_h5_file(dump->file, path, sizeof path);
    bool ok =
        H5Fclose(dump->file) >= 0 || ls_error_set(error, LS_IO, "%s: can't finish the file", path);
    ls_free(dump);
    return ok;
}
