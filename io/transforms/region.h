/* region: rectangles of an image, drawn by their share of its area and their ratio. */
#pragma once
#include "io/transform.h"

typedef struct ls_region {
    long top, left, height, width;
} ls_region;

/* The options area= and ratio= as pairs: least, largest. */
typedef struct ls_region_range {
    double area[2], ratio[2];
} ls_region_range;

enum { LS_REGION_TRIES = 10, LS_REGION_DRAWS = 4 * LS_REGION_TRIES };

/* Sets the range from the two options of a transform called `type`. LS_USAGE errors. */
bool ls_region_range_set(ls_region_range *range, const char *type, const ls_reals *area,
                         const ls_reals *ratio, ls_error *error);
/* Draws a region: its area is uniform in its range, width / height uniform in the logarithm, its
 * position uniform. The first of ten tries that fits into the image is taken; false where none
 * does. */
bool ls_region_draw(const ls_region_range *range, const ls_image *image,
                    const uint32_t draws[LS_REGION_DRAWS], ls_region *region);
/* The region in the middle of the image: the largest whose width / height is `ratio`, with its
 * sides then multiplied by `share`; at least one pixel. */
ls_region ls_region_centre(const ls_image *image, double ratio, double share);
