/* region: draws rectangles of an image at random, or from its middle. */
#include "io/transforms/region.h"

#include <math.h>

static bool is_pair(const ls_reals *list, const char *type, const char *key, ls_error *error)
{
    return (list->count == 2 && list->at[0] <= list->at[1]) ||
           ls_error_set(error, LS_USAGE, "%s: %s= takes two numbers, the least and the largest",
                        type, key);
}

bool ls_region_range_check(const ls_region_range *range, const char *type, ls_error *error)
{
    return is_pair(&range->area, type, "area", error) &&
           is_pair(&range->ratio, type, "ratio", error);
}

/* Turns a draw into a number of [low, high). */
static double between(uint32_t draw, double low, double high)
{
    return low + (high - low) * (draw * 0x1p-32);
}

bool ls_region_draw(const ls_region_range *range, const ls_image *image,
                    const uint32_t draws[LS_REGION_DRAWS], ls_region *region)
{
    const double *areas = range->area.at, *ratios = range->ratio.at;
    double whole = (double)image->height * (double)image->width;
    for (int i = 0; i < LS_REGION_TRIES; i++) {
        const uint32_t *draw = draws + 4 * i;
        double area = whole * between(draw[0], areas[0], areas[1]);
        double ratio = exp(between(draw[1], log(ratios[0]), log(ratios[1])));
        long height = lround(sqrt(area / ratio)), width = lround(sqrt(area * ratio));
        if (height < 1 || height > image->height || width < 1 || width > image->width)
            continue;
        *region = (ls_region){.top = ls_transform_pick(draw[2], image->height - height + 1),
                              .left = ls_transform_pick(draw[3], image->width - width + 1),
                              .height = height,
                              .width = width};
        return true;
    }
    return false;
}

ls_region ls_region_centre(const ls_image *image, double ratio, double share)
{
    double height = (double)image->height, width = (double)image->width;
    ls_region region = {.height = lround(share * fmin(height, width / ratio)),
                        .width = lround(share * fmin(width, height * ratio))};
    region.height = region.height < 1 ? 1 : region.height;
    region.width = region.width < 1 ? 1 : region.width;
    region.top = (image->height - region.height) / 2;
    region.left = (image->width - region.width) / 2;
    return region;
}
