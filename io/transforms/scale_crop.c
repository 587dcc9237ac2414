/* scale_crop: a region of the image, scaled to a size: a random one while training (Szegedy et al.
 * 2015, as torchvision's RandomResizedCrop), else the middle.
 *
 * Bilinear between the region's pixels, without a filter before it where the region shrinks. Output
 * k of n along a side of s pixels lies at (k + 1/2) s / n - 1/2, not below 0. */
#include <math.h>

#include "core/clones.h"
#include "io/transforms/region.h"

typedef struct scale_crop {
    ls_list size;
    ls_region_range range;
    double center;
} scale_crop;

static const ls_option options[] = {
    {"size", LS_OPTION_LIST, offsetof(scale_crop, size), NULL, 1, 1e6, NULL,
     "224, or height,width"},
    {"area", LS_OPTION_REALS, offsetof(scale_crop, range.area), "0.08,1", 1e-6, 1, NULL,
     "training: the region's share of the image, from,to"},
    {"ratio", LS_OPTION_REALS, offsetof(scale_crop, range.ratio), "0.75,1.3333333333333333", 1e-3,
     1e3, NULL, "training: the region's width / height, from,to"},
    {"center", LS_OPTION_REAL, offsetof(scale_crop, center), "0.875", 1e-3, 1, NULL,
     "else: the middle region's share of each side"},
    {.key = NULL}};

/* Scratch of one row: a line of the region, interpolated between the two lines of pixels around it;
 * and for each number of an output line the indices of the two numbers of that line around it. */
typedef struct lines {
    real *line;
    int32_t *left, *right;
    real *weight; /* of the number at right; the one at left has the rest to 1 */
} lines;

static lines lay_out(const ls_image *image, const ls_image *out, void *scratch)
{
    long in_line = image->width * image->channels, out_line = out->width * out->channels;
    lines l = {.line = scratch};
    l.weight = l.line + in_line;
    l.left = (int32_t *)(l.weight + out_line);
    l.right = l.left + out_line;
    return l;
}

static bool setup(ls_transform *t, ls_error *error)
{
    const scale_crop *self = t->self;
    if (!ls_transform_resize(t, &self->size, error) ||
        !ls_region_range_check(&self->range, t->type->name, error))
        return false;
    ls_image image = ls_transform_image(&t->x);
    size_t in_line = (size_t)(image.width * image.channels);
    size_t out_line = (size_t)(t->y.at[1] * image.channels);
    t->scratch = (in_line + out_line) * sizeof(real) + 2 * out_line * sizeof(int32_t);
    return true;
}

static ls_region choose(const scale_crop *self, const uint32_t *draws, const ls_image *image,
                        const ls_image *out)
{
    ls_region region;
    if (!draws)
        return ls_region_centre(image, (double)out->width / (double)out->height, self->center);
    if (ls_region_draw(&self->range, image, draws, &region))
        return region;
    double ratio = (double)image->width / (double)image->height;
    const double *range = self->range.ratio.at;
    return ls_region_centre(image, fmin(fmax(ratio, range[0]), range[1]), 1);
}

/* Output k of n lies between two pixels of a side: the one at or before it, and the next, which has
 * this weight. */
static void find(long k, long n, long side, long *at, long *next, real *weight)
{
    double position = fmax(((double)k + 0.5) * (double)side / (double)n - 0.5, 0);
    *at = (long)position;
    *next = *at + (*at + 1 < side);
    *weight = (real)(position - (double)*at);
}

static void find_columns(const lines *l, long channels, long n, long side)
{
    for (long j = 0; j < n; j++) {
        long at, next;
        real weight;
        find(j, n, side, &at, &next, &weight);
        for (long c = 0; c < channels; c++) {
            l->left[j * channels + c] = (int32_t)(at * channels + c);
            l->right[j * channels + c] = (int32_t)(next * channels + c);
            l->weight[j * channels + c] = weight;
        }
    }
}

static LS_CLONES void mix_lines(long n, const real *restrict above, const real *restrict below,
                                real weight, real *restrict line)
{
    for (long j = 0; j < n; j++)
        line[j] = above[j] + weight * (below[j] - above[j]);
}

static LS_CLONES void mix_columns(long n, const real *restrict line, const int32_t *restrict left,
                                  const int32_t *restrict right, const real *restrict weight,
                                  real *restrict y)
{
    for (long j = 0; j < n; j++)
        y[j] = line[left[j]] + weight[j] * (line[right[j]] - line[left[j]]);
}

static void apply(const ls_transform *t, const uint32_t *draws, const real *x, real *y,
                  void *scratch)
{
    ls_image image = ls_transform_image(&t->x), out = ls_transform_image(&t->y);
    ls_region region = choose(t->self, draws, &image, &out);
    lines l = lay_out(&image, &out, scratch);
    find_columns(&l, image.channels, out.width, region.width);
    long in_line = image.width * image.channels, out_line = out.width * out.channels;
    x += region.top * in_line + region.left * image.channels;
    for (long i = 0; i < out.height; i++) {
        long at, next;
        real weight;
        find(i, out.height, region.height, &at, &next, &weight);
        mix_lines(region.width * image.channels, x + at * in_line, x + next * in_line, weight,
                  l.line);
        mix_columns(out_line, l.line, l.left, l.right, l.weight, y + i * out_line);
    }
}

const ls_transform_type ls_transform_scale_crop = {
    .name = "scale-crop",
    .help =
        "a region of the image, scaled (bilinear, without a filter: store pictures little larger "
        "than size=): a random one while training, else the middle",
    .size = sizeof(scale_crop),
    .options = options,
    .images = true,
    .moves = true,
    .draws = LS_REGION_DRAWS,
    .setup = setup,
    .apply = apply,
};
