/* weights: files of parameters alone. */
#include "io/checkpoint/weights.h"

#include <math.h>

#include "core/memory.h"
#include "io/checkpoint/checkpoint_items.h"
#include "io/checkpoint/checksum.h"
#include "io/h5/h5_error.h"

bool ls_weights_save(const char *path, const ls_params *params, ls_error *error)
{
    const ls_position nowhere = {.best = NAN};
    const ls_checkpoint_contents contents = {.job = "", .position = &nowhere, .params = params};
    ls_h5_image image;
    char *name = ls_format("%s" LS_H5_IN_MEMORY, path);
    bool ok = ls_checkpoint_items_write(name, &contents, LS_CHECKPOINT_WEIGHTS, &image, error) &&
              ls_checksum_write(path, image.bytes, image.size, 0, error);
    ls_free(image.bytes);
    ls_free(name);
    return ok;
}

bool ls_weights_load(const char *path, const ls_params *params, ls_error *error)
{
    ls_checkpoint *file = ls_checkpoint_open_weights(path, error);
    bool ok = file && ls_checkpoint_load_weights(file, params, error);
    ls_checkpoint_close(file);
    return ok;
}
