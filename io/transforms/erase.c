/* erase: sets a random region to 0 while training, with probability `rate` (Zhong et al. 2020,
 * Random erasing data augmentation). */
#include <string.h>

#include "io/transforms/region.h"

typedef struct erase {
    double rate;
    ls_region_range range;
} erase;

static const ls_option options[] = {
    {"rate", LS_OPTION_REAL, offsetof(erase, rate), "0.5", 0, 1, NULL, "probability"},
    {"area", LS_OPTION_REALS, offsetof(erase, range.area), "0.02,0.33", 1e-6, 1, NULL,
     "the region's share of the image, from,to"},
    {"ratio", LS_OPTION_REALS, offsetof(erase, range.ratio), "0.3,3.3333333333333333", 1e-3, 1e3,
     NULL, "the region's width / height, from,to"},
    {.key = NULL}};

static bool setup(ls_transform *t, ls_error *error)
{
    return ls_region_range_check(&((const erase *)t->self)->range, t->type->name, error);
}

static void apply(const ls_transform *t, const uint32_t *draws, const real *x, real *y,
                  void *scratch)
{
    const erase *self = t->self;
    ls_image image = ls_transform_image(&t->x);
    ls_region region;
    memcpy(y, x, (size_t)ls_shape_count(&t->x) * sizeof *y);
    if (!draws || !ls_transform_chance(draws[LS_REGION_DRAWS], self->rate) ||
        !ls_region_draw(&self->range, &image, draws, &region))
        return;
    for (long i = region.top; i < region.top + region.height; i++)
        memset(y + (i * image.width + region.left) * image.channels, 0,
               (size_t)(region.width * image.channels) * sizeof *y);
}

const ls_transform_type ls_transform_erase = {
    .name = "erase",
    .help = "sets a random region to 0 while training; after normalize 0 is the mean",
    .size = sizeof(erase),
    .options = options,
    .images = true,
    .draws = LS_REGION_DRAWS + 1,
    .setup = setup,
    .apply = apply,
};
