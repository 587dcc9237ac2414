/* scale_chart: efficiency over the number of ranks, as an SVG picture. */
#pragma once
#include <stdbool.h>

#include "core/check.h"

/* The same rows on each rank, or over all of them. */
typedef enum ls_scaling { LS_SCALING_WEAK, LS_SCALING_STRONG, LS_SCALINGS } ls_scaling;

typedef struct ls_scale_point {
    int ranks;
    double measured, bound; /* efficiency: 1 is n times the speed of one rank */
} ls_scale_point;

typedef struct ls_scale_chart {
    const char *title;
    const ls_scale_point *point[LS_SCALINGS]; /* [count] in the order of ranks */
    int count;
} ls_scale_chart;

extern const char *const ls_scale_names[LS_SCALINGS];

/* Writes PATH, whole; LS_IO errors. */
bool ls_scale_chart_write(const char *path, const ls_scale_chart *chart, ls_error *error);
