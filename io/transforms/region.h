/* region: rectangles of an image, drawn by their share of its area and their ratio. */
#pragma once
#include "io/transform.h"

typedef struct ls_region {
    long top, left, height, width;
} ls_region;

/* Both options as pairs: least, largest. */
typedef struct ls_region_range {
    double area[2], ratio[2];
} ls_region_range;

enum { LS_REGION_TRIES = 10, LS_REGION_DRAWS = 4 * LS_REGION_TRIES };

/* From area= and ratio=. LS_USAGE errors, which `type` begins. */
bool ls_region_range_set(ls_region_range *range, const char *type, const ls_reals *area,
                         const ls_reals *ratio, ls_error *error);
/* The first of ten tries that lies in the image: area uniform in its range, width / height uniform
 * in the logarithm, place uniform. False where none does. */
bool ls_region_draw(const ls_region_range *range, const ls_image *image,
                    const uint32_t draws[LS_REGION_DRAWS], ls_region *region);
/* The largest region in the middle of the image whose width / height is `ratio`, its sides times
 * `share`; one pixel at least. */
ls_region ls_region_centre(const ls_image *image, double ratio, double share);
