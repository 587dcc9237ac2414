/* output: HDF5 fills the temporary file of an atomic_file. */
#include "io/output.h"

bool ls_output_open(ls_output *output, const char *path, ls_error *error)
{
    *output = (ls_output){.target = ls_atomic_file_create(path, error), .file = -1};
    if (!output->target)
        return false;
    output->file = ls_h5_create(path, ls_atomic_file_descriptor(output->target), error);
    if (output->file < 0)
        ls_atomic_file_discard(output->target);
    return output->file >= 0;
}

bool ls_output_close(ls_output *output, ls_error *error)
{
    if (ls_h5_close_written(output->file, error))
        return ls_atomic_file_finish(output->target, error);
    ls_atomic_file_discard(output->target);
    return false;
}

void ls_output_discard(ls_output *output)
{
    ls_h5_close_written(output->file, NULL);
    ls_atomic_file_discard(output->target);
}

bool ls_output_make(const char *path, ls_output_fill *fill, void *context, ls_error *error)
{
    ls_output output;
    if (!ls_output_open(&output, path, error))
        return false;
    if (fill(context, output.file, error))
        return ls_output_close(&output, error);
    ls_output_discard(&output);
    return false;
}

bool ls_output_pictures(hid_t x, ls_error *error)
{
    return ls_h5_put_double(x, "scale", 1.0 / 255, error) &&
           ls_h5_put_double(x, "offset", 0, error) && ls_h5_put_text(x, "layout", "NHWC", error);
}
