/* crop: cuts a part out of the image, padded with zeros: at a random position while training, else
 * from the middle. */
#include <string.h>

#include "io/transform.h"

typedef struct crop {
    ls_list size;
    long pad;
} crop;

static const ls_option options[] = {
    {"size", LS_OPTION_LIST, offsetof(crop, size), "0", 0, 1e6, NULL,
     "32, or height,width; 0: as the image"},
    {"pad", LS_OPTION_INT, offsetof(crop, pad), "0", 0, 1e6, NULL,
     "pixels of 0 on each side, from which a part may be taken too"},
    {.key = NULL}};

static bool setup(ls_transform *t, ls_error *error)
{
    const crop *self = t->self;
    if (!ls_transform_resize(t, &self->size, error))
        return false;
    ls_image image = ls_transform_image(&t->x), part = ls_transform_image(&t->y);
    return (part.height <= image.height + 2 * self->pad &&
            part.width <= image.width + 2 * self->pad) ||
           ls_error_set(error, LS_USAGE,
                        "crop: size %ld,%ld is larger than the image of %ldx%ld with pad=%ld",
                        part.height, part.width, image.height, image.width, self->pad);
}

/* Where the part begins along one side of the padded image: in [0, room]. */
static long choose_start(const uint32_t *draw, long room)
{
    return draw ? ls_transform_pick(*draw, room + 1) : room / 2;
}

static void apply(const ls_transform *t, const uint32_t *draws, const real *x, real *y,
                  void *scratch)
{
    long pad = ((const crop *)t->self)->pad;
    ls_image image = ls_transform_image(&t->x), part = ls_transform_image(&t->y);
    long top = choose_start(draws, image.height + 2 * pad - part.height) - pad;
    long left = choose_start(draws ? draws + 1 : NULL, image.width + 2 * pad - part.width) - pad;
    /* Columns [begin, end) of the part lie in the image; the others are padding. */
    long begin = left < 0 ? -left : 0;
    long end = image.width - left < part.width ? image.width - left : part.width;
    long pixel = image.channels, line = part.width * pixel;
    for (long i = 0; i < part.height; i++, y += line) {
        if (pad > 0)
            memset(y, 0, (size_t)line * sizeof *y);
        if (top + i >= 0 && top + i < image.height && begin < end)
            memcpy(y + begin * pixel, x + ((top + i) * image.width + left + begin) * pixel,
                   (size_t)((end - begin) * pixel) * sizeof *y);
    }
}

const ls_transform_type ls_transform_crop = {
    .name = "crop",
    .help = "a part of the image: in a random place while training, else the middle; 0 around it",
    .size = sizeof(crop),
    .options = options,
    .images = true,
    .moves = true,
    .draws = 2,
    .setup = setup,
    .apply = apply,
};
