/* region: rectangles of an image, drawn by their share of its area and their width / height. */
#pragma once
#include "io/transform.h"

typedef struct ls_region {
    long top, left, height, width;
} ls_region;

/* The options area= and ratio= of a transform, two numbers each: the least and the largest. */
typedef struct ls_region_range {
    ls_reals area, ratio;
} ls_region_range;

enum { LS_REGION_TRIES = 10, LS_REGION_DRAWS = 4 * LS_REGION_TRIES };

/* Whether both options of a transform called `type` are such pairs. LS_USAGE errors. */
bool ls_region_range_check(const ls_region_range *range, const char *type, ls_error *error);
/* Draws a region: area and position are uniform, width / height is uniform in its logarithm. The
 * first of LS_REGION_TRIES that fits into the image is taken; false where none does. */
bool ls_region_draw(const ls_region_range *range, const ls_image *image,
                    const uint32_t draws[LS_REGION_DRAWS], ls_region *region);
/* The region in the middle of the image: the largest whose width / height is `ratio`, with its
 * sides then multiplied by `share`; at least one pixel. */
ls_region ls_region_centre(const ls_image *image, double ratio, double share);
