/* none: leaves rows as they are: transform=none takes the place of what a job file has. */
#include <string.h>

#include "io/transform.h"

static void apply(const ls_transform *t, const uint32_t *draws, const real *x, real *y,
                  void *scratch)
{
    memcpy(y, x, (size_t)ls_shape_count(&t->x) * sizeof *y);
}

const ls_transform_type ls_transform_none = {
    .name = "none",
    .help = "leaves the row as it is",
    .apply = apply,
};
