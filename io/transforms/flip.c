/* flip: mirrors the image while training, with probability `rate`. */
#include <string.h>

#include "core/clones.h"
#include "io/transform.h"

typedef struct flip {
    double rate;
    bool vertical;
} flip;

static const ls_option options[] = {
    {"rate", LS_OPTION_REAL, offsetof(flip, rate), "0.5", 0, 1, NULL, "probability"},
    {"vertical", LS_OPTION_BOOL, offsetof(flip, vertical), "0", 0, 1, NULL,
     "upside down in place of left to right"},
    {.key = NULL}};

static LS_INLINE void mirror_pixels(long width, long channels, const real *restrict x,
                                    real *restrict y)
{
    for (long j = 0; j < width; j++)
        for (long c = 0; c < channels; c++)
            y[j * channels + c] = x[(width - 1 - j) * channels + c];
}

/* One line of an image; grey and colour have loops of their own. */
static LS_CLONES void mirror(long width, long channels, const real *restrict x, real *restrict y)
{
    if (channels == 1)
        mirror_pixels(width, 1, x, y);
    else if (channels == 3)
        mirror_pixels(width, 3, x, y);
    else
        mirror_pixels(width, channels, x, y);
}

static void apply(const ls_transform *t, const uint32_t *draws, const real *x, real *y,
                  void *scratch)
{
    const flip *self = t->self;
    ls_image image = ls_transform_image(&t->x);
    long line = image.width * image.channels;
    bool flipped = draws && ls_transform_chance(draws[0], self->rate);
    for (long i = 0; i < image.height; i++) {
        const real *from = x + (flipped && self->vertical ? image.height - 1 - i : i) * line;
        if (flipped && !self->vertical)
            mirror(image.width, image.channels, from, y + i * line);
        else
            memcpy(y + i * line, from, (size_t)line * sizeof *y);
    }
}

const ls_transform_type ls_transform_flip = {
    .name = "flip",
    .help = "mirrors the image while training",
    .size = sizeof(flip),
    .options = options,
    .images = true,
    .moves = true,
    .draws = 1,
    .apply = apply,
};
